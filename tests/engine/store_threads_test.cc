// Many threads on one store. Every view must be of one piece whatever is committed and sealed meanwhile, and every
// commit must have a number of its own. Bounded by counts, not by the clock.
#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/store.h"
#include "tests/engine/store_fixture.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace demarche;
using namespace demarche::tests;

constexpr std::uint64_t kActors = 6;

// `bulk_rows`: commits of so many rows are taken in as files.
std::unique_ptr<Store> open_small(const std::string& path, std::size_t seal_rows, bool sync,
                                  std::size_t bulk_rows = std::size_t{1} << 16) {
  StoreOptions options;
  options.create_if_missing = true;
  options.cache_bytes = std::size_t{1} << 20;
  options.seal_rows = seal_rows;
  options.sync = sync;
  options.bulk_rows = bulk_rows;
  return must(Store::open(path, options));
}

struct Mode {
  bool sync = false;
  std::size_t bulk_rows = std::size_t{1} << 16;
};
constexpr std::array<Mode, 4> kModes = {Mode{false}, Mode{true}, Mode{false, 3}, Mode{true, 3}};

void add_actors(Store& store) {
  auto tx = must(store.begin());
  for (std::uint64_t n = 1; n <= kActors; ++n) must(tx->add_actor(actor(fmt::format("actor-{}", n))));
  must(tx->commit("actors"));
}

// Why a view is not of one piece; "" if it is. No checks inside: they are not thread-safe.
Result<std::string> inconsistency(const View& view) {
  const Statistics& s = view.statistics();
  std::set<std::uint64_t> rows;
  std::map<std::uint64_t, std::set<std::uint64_t>> by_actor;
  DEMARCHE_TRY(RowCursor cursor, view.timeline({}, {}));
  RowBatch batch;
  std::pair<Timestamp, RowNumber> last{Timestamp::lowest(), RowNumber{0}};
  do {
    DEMARCHE_CHECK(cursor.next(batch, 50));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::pair now{batch.bounds[i].begin_min, batch.row[i]};
      if (now <= last) return fmt::format("row {} is out of order or there twice", now.second.value);
      last = now;
      rows.insert(batch.row[i].value);
      for (const Party& party : batch.parties_of(i)) by_actor[party.actor.value].insert(batch.row[i].value);
      DEMARCHE_TRY(const Interaction record, view.get_interaction(batch.interaction[i]));
      if (record.row != batch.row[i]) {
        return fmt::format("interaction {} has row {} and its record says {}", record.id.value, batch.row[i].value,
                           record.row.value);
      }
      const std::vector<Party> parties = parties_of(record.participants);
      const auto got = batch.parties_of(i);
      if (!std::equal(parties.begin(), parties.end(), got.begin(), got.end()) || record.kind != batch.kind[i] ||
          record.status != batch.status[i]) {
        return fmt::format("row {} and its record say different things", batch.row[i].value);
      }
    }
  } while (batch.size() > 0);
  if (rows.size() != s.interactions) {
    return fmt::format("{} rows, {} interactions counted", rows.size(), s.interactions);
  }
  DEMARCHE_TRY(const auto actors, ids_of(view.actors()));
  if (actors.size() != s.actors) return fmt::format("{} actors, {} counted", actors.size(), s.actors);
  for (const ActorId id : actors) {
    DEMARCHE_TRY(const auto own, rows_of(view.scan(id, {}, {}), 30));
    std::set<std::uint64_t> got;
    for (const RowNumber row : own) got.insert(row.value);
    if (got.size() != own.size()) return fmt::format("actor {} has a row twice", id.value);
    if (got != by_actor[id.value]) {
      return fmt::format("actor {} has {} rows, the timeline {}", id.value, got.size(), by_actor[id.value].size());
    }
  }
  return std::string();
}

Result<std::string> inconsistency_as_of(const Store& store, CommitNumber n) {
  DEMARCHE_TRY(const auto view, store.view_at(n));
  if (view->statistics().commit != n) return fmt::format("asked for commit {}", n.value);
  return inconsistency(*view);
}

// What went wrong in threads, to be checked when they are done.
class Faults {
 public:
  void add(const std::string& fault) {
    const std::lock_guard lock(mutex_);
    faults_.push_back(fault);
  }
  void add_from(const Result<std::string>& result) {
    if (!result) {
      add(result.error().message);
    } else if (!result->empty()) {
      add(*result);
    }
  }
  void check() {
    const std::lock_guard lock(mutex_);
    if (!faults_.empty()) FAIL_CHECK(faults_.size() << " faults; the first: " << faults_.front());
  }

 private:
  std::mutex mutex_;  // guards faults_
  std::vector<std::string> faults_;
};

// Adds, replaces and takes back, as `n` says. Dates go back and forth.
Result<CommitNumber> change_one(Store& store, std::uint64_t n) {
  DEMARCHE_TRY(auto tx, store.begin());
  for (std::uint64_t k = 0; k < 1 + n % 4; ++k) {
    Interaction one;
    one.kind = n % 3 == 0 ? kinds::kCall : kinds::kMeeting;
    DEMARCHE_ASSIGN(one.when,
                    parse_when(format_day(days_from_civil(2016, 1, 1) + static_cast<std::int64_t>(n * 37 % 200))));
    for (std::uint64_t p = 0; p < 1 + (n + k) % 12; ++p) {
      one.participants.push_back(takes_part(ActorId{1 + (n * 5 + p * p) % kActors}));
    }
    if (n % 5 == 0) one.place = "Geneva";
    DEMARCHE_CHECK(tx->add_interaction(one));
  }
  if (n % 3 == 1) {
    DEMARCHE_TRY(const auto rows, rows_of(tx->view().timeline({}, {})));
    DEMARCHE_TRY(RowCursor cursor, tx->view().timeline({}, {}));
    RowBatch batch;
    DEMARCHE_CHECK(cursor.next(batch, rows.size()));
    const InteractionId some = batch.interaction[n % batch.size()];
    if (n % 2 == 0) {
      DEMARCHE_CHECK(tx->retire_interaction(some));
    } else {
      DEMARCHE_TRY(Interaction one, tx->view().get_interaction(some));
      one.status = one.status == Status::kHeld ? Status::kPlanned : Status::kHeld;
      one.participants.push_back(takes_part(ActorId{1 + n % kActors}));
      DEMARCHE_CHECK(tx->replace_interaction(some, one));
    }
  }
  return tx->commit("one more");
}

}  // namespace

TEST_CASE("threads: every view is of one piece while another thread commits and seals") {
  for (const Mode& mode : kModes) {
    INFO("sync " << mode.sync << ", bulk_rows " << mode.bulk_rows);
    const TempFolder folder;
    const auto store = open_small(folder.path("s"), 7, mode.sync, mode.bulk_rows);
    add_actors(*store);
    const std::uint64_t commits = mode.bulk_rows == 3 ? 20 : mode.sync ? 60 : 150;
    std::atomic<bool> writing = true;
    std::atomic<std::size_t> looked = 0;
    Faults faults;
    std::vector<std::thread> readers;
    for (std::size_t r = 0; r < 3; ++r) {
      readers.emplace_back([&, r] {
        CommitNumber last{0};
        // At least once after the writer has ended.
        for (bool more = true; more;) {
          more = writing;
          const auto view = store->view();
          if (view->statistics().commit < last) faults.add("a later view is of an earlier commit");
          last = view->statistics().commit;
          faults.add_from(inconsistency(*view));
          if (r == 0 && last.value > 0)
            faults.add_from(inconsistency_as_of(*store, CommitNumber{1 + looked % last.value}));
          ++looked;
        }
      });
    }
    for (std::uint64_t n = 1; n <= commits; ++n) {
      const auto done = change_one(*store, n);
      if (!done) {
        faults.add(done.error().message);
        break;
      }
      if (*done != CommitNumber{n + 1}) faults.add("a commit has the wrong number");
      if (store->view()->statistics().commit != *done) faults.add("a commit is not seen by who made it");
    }
    writing = false;
    for (std::thread& reader : readers) reader.join();
    faults.check();
    CHECK(looked >= 3);
    CHECK(store->view()->statistics().commit == CommitNumber{commits + 1});
    must(store->seal());
    CHECK(must(inconsistency(*store->view())).empty());
    CHECK(store->cache_statistics().hits + store->cache_statistics().misses > 0);
  }
}

TEST_CASE("threads: several commit at once, each gets a number of its own and finds what it wrote") {
  for (const Mode& mode : kModes) {
    INFO("sync " << mode.sync << ", bulk_rows " << mode.bulk_rows);
    const TempFolder folder;
    const std::string path = folder.path("s");
    constexpr std::uint64_t kThreads = 4;
    const std::uint64_t each = mode.bulk_rows == 3 ? 8 : 25;
    std::string before;
    {
      const auto store = open_small(path, 5, mode.sync, mode.bulk_rows);
      add_actors(*store);
      Faults faults;
      std::mutex mutex;
      std::map<std::uint64_t, std::string> numbers;  // guarded by mutex
      std::vector<std::thread> writers;
      for (std::uint64_t t = 0; t < kThreads; ++t) {
        writers.emplace_back([&, t] {
          for (std::uint64_t n = 0; n < each; ++n) {
            const std::string key = fmt::format("{}-{}", t, n);
            const auto once = [&]() -> Result<CommitNumber> {
              DEMARCHE_TRY(auto tx, store->begin());
              Interaction one;
              one.key = key;
              one.kind = kinds::kCall;
              one.participants = {takes_part(ActorId{1 + t}), takes_part(ActorId{2 + t})};
              DEMARCHE_CHECK(tx->add_interaction(one));
              one.key.clear();
              for (std::uint64_t k = 0; k < n % 4; ++k) DEMARCHE_CHECK(tx->add_interaction(one));
              return tx->commit(key);
            };
            const auto done = once();
            if (!done) {
              faults.add(done.error().message);
              return;
            }
            const auto view = store->view();
            if (view->statistics().commit < *done) faults.add("a commit is not seen by who made it");
            const auto found = view->find_interaction(key);
            if (!found || !*found) faults.add("what was committed is not found");
            const std::lock_guard lock(mutex);
            if (!numbers.emplace(done->value, key).second) faults.add("two commits have one number");
          }
        });
      }
      for (std::thread& writer : writers) writer.join();
      faults.check();
      REQUIRE(numbers.size() == kThreads * each);
      CHECK(numbers.begin()->first == 2);
      CHECK(numbers.rbegin()->first == kThreads * each + 1);
      // Each commit added what its thread said, and nothing else.
      for (const auto& [n, key] : numbers) {
        CHECK(must(must(store->view_at(CommitNumber{n}))->find_interaction(key)));
        CHECK_FALSE(must(must(store->view_at(CommitNumber{n - 1}))->find_interaction(key)));
      }
      CHECK(must(inconsistency(*store->view())).empty());
      before = must(dump(*store->view()));
    }
    CHECK(must(dump(*must(reopen(path))->view())) == before);
  }
}

TEST_CASE("threads: one seals again and again while others write and read") {
  const TempFolder folder;
  const auto store = open_small(folder.path("s"), 1000, false);
  add_actors(*store);
  Faults faults;
  std::atomic<bool> writing = true;
  std::thread sealer([&] {
    while (writing) {
      if (const auto sealed = store->seal(); !sealed) faults.add(sealed.error().message);
      faults.add_from(inconsistency(*store->view()));
    }
  });
  for (std::uint64_t n = 1; n <= 80; ++n) {
    if (const auto done = change_one(*store, n); !done) faults.add(done.error().message);
  }
  writing = false;
  sealer.join();
  faults.check();
  CHECK(store->view()->statistics().commit == CommitNumber{81});
}

TEST_CASE("threads: the same commit id from several threads is committed once") {
  const TempFolder folder;
  const auto store = open_small(folder.path("s"), 3, true);
  add_actors(*store);
  Faults faults;
  std::mutex mutex;
  std::set<std::uint64_t> numbers;  // guarded by mutex
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([&] {
      const auto once = [&]() -> Result<CommitNumber> {
        DEMARCHE_TRY(auto tx, store->begin());
        Interaction one;
        one.kind = kinds::kCall;
        DEMARCHE_CHECK(tx->add_interaction(one));
        return tx->commit("the one", "id-1");
      };
      const auto done = once();
      if (!done) {
        faults.add(done.error().message);
        return;
      }
      const std::lock_guard lock(mutex);
      numbers.insert(done->value);
    });
  }
  for (std::thread& writer : writers) writer.join();
  faults.check();
  CHECK(numbers == std::set<std::uint64_t>{2});
  CHECK(store->view()->statistics().interactions == 1);
}

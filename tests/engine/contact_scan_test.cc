// Scans of columns against the interactions themselves, in stores whose rows are in blocks, in tails or both.
#include "engine/contact_scan.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/contact.h"
#include "tests/engine/impl/random_rows.h"
#include "tests/engine/store_fixture.h"
#include "tests/engine/store_model.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace demarche;
using namespace demarche::tests;

constexpr std::uint64_t kActors = 40;
constexpr std::uint8_t kAllColumns =
    ContactColumn::kBegin | ContactColumn::kKind | ContactColumn::kOther | ContactColumn::kInteraction;

// (actor, other, interaction, kind, begin)
using Line = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint32_t, std::int64_t>;

// Interactions of all sorts among kActors, some replaced and some retired; in blocks, in the tail, or both.
class SampleStore {
 public:
  explicit SampleStore(std::uint64_t seed) : sampler(seed) {
    StoreOptions options;
    options.create_if_missing = true;
    options.sync = false;
    options.bulk_rows = seed % 3 == 0 ? 100 : 1 << 16;
    store = must(Store::open(folder.path("s"), options));
    for (int commit = 0; commit < 3; ++commit) {
      auto tx = must(store->begin());
      if (commit == 0) {
        for (std::uint64_t n = 1; n <= kActors; ++n) must(tx->add_actor(actor(fmt::format("a{}", n))));
      }
      for (int n = 0; n < 400; ++n) must(tx->add_interaction(some()));
      if (commit > 0) {
        for (int n = 0; n < 30; ++n) {
          const InteractionId id{1 + sampler.below(300)};
          if (!tx->view().get_interaction(id)) continue;
          if (sampler.one_in(2)) {
            must(tx->retire_interaction(id));
          } else {
            must(tx->replace_interaction(id, some()));
          }
        }
      }
      must(tx->commit("more"));
      if (commit == 0 && seed % 2 == 0) must(store->seal());
    }
    if (seed % 4 == 1) must(store->seal());
    view = store->view();
  }

  Interaction some() {
    Interaction out;
    out.kind = KindId{static_cast<std::uint32_t>(1 + sampler.below(12))};
    out.when = sampler.when();
    out.status = static_cast<Status>(sampler.below(4));
    out.participants = sampler.participants(sampler.one_in(3) ? 12 : 2, kActors, sampler.one_in(4));
    for (Participant& p : out.participants) {
      if (p.actor.value == 0 || p.actor.value > kActors) p.actor = ActorId{1 + p.actor.value % kActors};
      if (p.acting_for && (p.acting_for->value == 0 || p.acting_for->value > kActors)) {
        p.acting_for = ActorId{1 + p.acting_for->value % kActors};
      }
      if (p.acting_for == p.actor) p.acting_for.reset();
    }
    return out;
  }

  TempFolder folder;
  RowSampler sampler;
  std::unique_ptr<Store> store;
  std::shared_ptr<const View> view;
};

// The pairs of all interactions of the view that the options ask for, both ways round.
std::map<std::uint64_t, std::vector<Line>> wanted(const View& view, const ContactScanOptions& options) {
  std::map<std::uint64_t, std::vector<Line>> out;
  RowCursor rows =
      must(view.timeline(options.window, options.kinds.is_any() ? view.kinds().contacts() : options.kinds));
  RowBatch batch;
  for (must(rows.next(batch)); batch.size() > 0; must(rows.next(batch))) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const bool held = batch.status[i] == Status::kHeld || batch.status[i] == Status::kNone;
      if (options.held_only && !held) continue;
      const auto parties = batch.parties_of(i);
      for (const auto& [x, y] : contact_pairs(parties, has_contact_rule(view.kinds(), batch.kind[i]))) {
        const std::uint64_t a = parties[x].actor.value;
        const std::uint64_t b = parties[y].actor.value;
        const auto line = [&](std::uint64_t p, std::uint64_t q) {
          out[p].emplace_back(p, q, batch.interaction[i].value, batch.kind[i].value, batch.bounds[i].begin_min.seconds);
        };
        line(a, b);
        if (a != b) line(b, a);
      }
    }
  }
  return out;
}

// All lines of a scan. `owner`: of of_actor(), which does not name it.
std::vector<Line> lines_of(ContactScan scan, std::uint64_t owner = 0) {
  std::vector<Line> out;
  ContactLines lines;
  while (must(scan.next(lines))) {
    REQUIRE(lines.size > 0);
    REQUIRE(lines.other.size() == lines.size);
    REQUIRE(lines.actor.size() == (owner == 0 ? lines.size : 0));
    for (std::size_t i = 0; i < lines.size; ++i) {
      out.emplace_back(owner == 0 ? lines.actor[i] : owner, lines.other[i], lines.interaction[i], lines.kind[i],
                       lines.begin[i]);
    }
  }
  REQUIRE_FALSE(must(scan.next(lines)));
  return out;
}

ContactScanOptions some_options(const View& view, RowSampler& sampler) {
  ContactScanOptions options;
  if (!sampler.one_in(4)) options.window = random_window(sampler);
  options.kinds = random_kinds(view.kinds(), sampler);
  options.held_only = sampler.one_in(2);
  options.columns = kAllColumns;
  return options;
}

}  // namespace

TEST_CASE("contact scan: the lines of an actor are the pairs of its interactions") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SampleStore sample(seed);
    for (int n = 0; n < 6; ++n) {
      const ContactScanOptions options = some_options(*sample.view, sample.sampler);
      auto want = wanted(*sample.view, options);
      std::size_t total = 0;
      for (std::uint64_t id = 1; id <= kActors + 1; ++id) {
        INFO("seed " << seed << ", actor " << id);
        auto got = lines_of(must(ContactScan::of_actor(*sample.view, ActorId{id}, options)), id);
        total += got.size();
        std::sort(got.begin(), got.end());
        std::sort(want[id].begin(), want[id].end());
        REQUIRE(got == want[id]);
      }
      if (n == 0 && options.window == TimeWindow{}) CHECK(total > 0);
    }
  }
}

TEST_CASE("contact scan: many actors at once give what each gives alone, in their order") {
  std::size_t most = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SampleStore sample(seed);
    for (int n = 0; n < 12; ++n) {
      ContactScanOptions options = some_options(*sample.view, sample.sampler);
      if (n == 0) {
        options = ContactScanOptions{};
        options.columns = kAllColumns;
      }
      std::vector<ActorId> actors;
      std::vector<Line> want;
      const std::uint64_t step = n == 0 ? 1 : 1 + sample.sampler.below(4);
      for (std::uint64_t id = 1; id <= kActors + 3; id += step) {
        actors.push_back(ActorId{id});
        const auto one = lines_of(must(ContactScan::of_actor(*sample.view, ActorId{id}, options)), id);
        want.insert(want.end(), one.begin(), one.end());
      }
      most = std::max(most, want.size());
      REQUIRE(lines_of(must(ContactScan::of_actors(*sample.view, actors, options))) == want);
      // Columns that are not asked for stay empty; whose line it is, is said all the same.
      ContactScanOptions few = options;
      few.columns = static_cast<std::uint8_t>(ContactColumn::kInteraction);
      ContactScan scan = must(ContactScan::of_actors(*sample.view, actors, few));
      ContactLines lines;
      std::size_t at = 0;
      while (must(scan.next(lines))) {
        REQUIRE(lines.actor.size() == lines.size);
        REQUIRE(lines.interaction.size() == lines.size);
        REQUIRE((lines.other.empty() && lines.begin.empty() && lines.kind.empty()));
        for (std::size_t i = 0; i < lines.size; ++i, ++at) {
          REQUIRE(lines.actor[i] == std::get<0>(want[at]));
          REQUIRE(lines.interaction[i] == std::get<2>(want[at]));
        }
      }
      REQUIRE(at == want.size());
    }
  }
  CHECK(most > 1024);  // more than one batch
}

TEST_CASE("contact scan: many actors are read through the cache, and within a transaction") {
  SampleStore sample(2);
  std::vector<ActorId> actors;
  for (std::uint64_t id = 1; id <= kActors; ++id) actors.push_back(ActorId{id});
  ContactScanOptions options;
  options.columns = kAllColumns;
  const auto first = lines_of(must(ContactScan::of_actors(*sample.view, actors, options)));
  const CacheStatistics before = sample.store->cache_statistics();
  CHECK(lines_of(must(ContactScan::of_actors(*sample.view, actors, options))) == first);
  const CacheStatistics after = sample.store->cache_statistics();
  CHECK(after.misses == before.misses);
  CHECK(after.hits == before.hits + actors.size());

  const auto tx = must(sample.store->begin());
  const InteractionId added = must(tx->add_interaction(meeting("", "2016-04-29", {ActorId{3}, ActorId{5}})));
  std::size_t found = 0;
  for (const Line& line : lines_of(must(ContactScan::of_actors(tx->view(), actors, options)))) {
    found += std::get<2>(line) == added.value ? 1 : 0;
  }
  CHECK(found == 2);
}

TEST_CASE("contact scan: no actors give no lines, and such as do not ascend are refused") {
  SampleStore sample(1);
  ContactLines lines;
  ContactScan none = must(ContactScan::of_actors(*sample.view, {}, {}));
  CHECK_FALSE(must(none.next(lines)));
  for (const auto& actors : std::vector<std::vector<ActorId>>{
           {ActorId{2}, ActorId{1}}, {ActorId{1}, ActorId{1}}, {ActorId{0}, ActorId{1}}}) {
    const Error error = refusal(ContactScan::of_actors(*sample.view, actors, {}));
    CHECK(error.code == ErrorCode::kInvalidArgument);
    CHECK(says(error, "must ascend"));
  }
}

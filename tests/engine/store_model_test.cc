// The store against a naive one: random histories of commits on small stores that seal all the time. After every few
// commits all roads must agree with the model, in the newest state, as of earlier commits, inside an open transaction,
// in views that were taken long ago, and after opening again.
#include "tests/engine/store_model.h"

#include <memory>

#include <catch2/catch.hpp>

#include "tests/support/temp_folder.h"

namespace {

using namespace demarche;
using namespace demarche::tests;

const std::vector<std::string> kKeys = {"a", "b", "c", "d", "e", "f", "talk", "talk-2", "walk out", "ключ", ""};
const std::vector<std::string> kNames = {"",          "John Kerry",  "john  KERRY", "J. Kerry",
                                         "رياض حجاب", "Riyad Hijab", "UN",          "United Nations"};
const std::vector<std::string> kLabels = {"Person", "Persona", "Organisation", "State"};

class History {
 public:
  History(std::string path, std::uint64_t seed, StoreOptions options)
      : path_(std::move(path)), sampler_(seed), options_(options) {
    options_.create_if_missing = true;
    options_.cache_bytes = std::size_t{1} << 20;
    store_ = must(Store::open(path_, options_));
    versions_.emplace_back();
  }

  // One commit of up to `most` changes, looked at while it is open.
  void commit(std::size_t most) {
    auto tx = must(store_->begin());
    ModelState state = versions_.back();
    const View& early = tx->view();  // taken before anything is written
    for (std::size_t n = sampler_.below(most + 1); n > 0; --n) {
      change(*tx, state);
      if (!sampler_.one_in(60)) continue;
      INFO("inside a transaction");
      agree(sampler_.one_in(2) ? early : tx->view(), state, state, kKeys, sampler_, 3);
    }
    if (sampler_.one_in(12)) return;  // let go: nothing happened
    const CommitNumber n = must(tx->commit("one more"));
    tx.reset();
    REQUIRE(n.value == versions_.size());
    state.time_micros = store_->view()->statistics().commit_time_micros;
    REQUIRE(store_->view()->statistics().commit == n);
    REQUIRE(state.time_micros >= versions_.back().time_micros);
    versions_.push_back(std::move(state));
    if (sampler_.one_in(6)) held_.emplace_back(store_->view(), versions_.size() - 1);
    if (sampler_.one_in(10)) must(store_->seal());
  }

  void check_newest() {
    INFO("newest state, commit " << versions_.size() - 1);
    agree(*store_->view(), versions_.back(), versions_.back(), kKeys, sampler_, 10);
    agree_statistics(*store_->view(), versions_.back(), /*exact=*/true, sampler_);
  }

  void check_earlier() {
    const std::size_t n = sampler_.below(versions_.size());
    INFO("as of commit " << n << " of " << versions_.size() - 1);
    const auto view = must(store_->view_at(CommitNumber{n}));
    REQUIRE(view->statistics().commit == CommitNumber{n});
    REQUIRE(view->statistics().commit_time_micros == versions_[n].time_micros);
    agree(*view, versions_[n], versions_.back(), kKeys, sampler_, 4);
    agree_statistics(*view, versions_[n], /*exact=*/n + 1 == versions_.size(), sampler_);
    if (sampler_.one_in(4)) held_.emplace_back(view, n);
    CHECK(refusal(store_->view_at(CommitNumber{versions_.size()})).code == ErrorCode::kNotFound);
  }

  void check_held() {
    for (const auto& [view, n] : held_) {
      INFO("held since commit " << n << ", now " << versions_.size() - 1);
      agree(*view, versions_[n], versions_.back(), kKeys, sampler_, 2);
    }
  }

  void check_times() {
    std::vector<std::int64_t> asked = {0, std::numeric_limits<std::int64_t>::min(),
                                       std::numeric_limits<std::int64_t>::max()};
    for (const ModelState& state : versions_) {
      for (const std::int64_t step : {-1, 0, 1}) asked.push_back(state.time_micros + step);
    }
    for (const std::int64_t time : asked) {
      std::uint64_t want = 0;
      for (std::size_t n = 1; n < versions_.size(); ++n) {
        if (versions_[n].time_micros <= time) want = n;
      }
      REQUIRE(must(store_->commit_at(time)).value == want);
    }
  }

  void reopen() {
    held_.clear();
    store_.reset();
    {
      StoreOptions options = options_;
      options.read_only = true;
      options.create_if_missing = false;
      store_ = must(Store::open(path_, options));
      INFO("opened read-only");
      agree(*store_->view(), versions_.back(), versions_.back(), kKeys, sampler_, 4);
      agree_statistics(*store_->view(), versions_.back(), /*exact=*/true, sampler_);
      check_earlier();
      CHECK(refusal(store_->seal()).code == ErrorCode::kDenied);
      held_.clear();
      store_.reset();
    }
    store_ = must(Store::open(path_, options_));
    INFO("opened again");
    check_newest();
  }

  [[nodiscard]] RowSampler& sampler() { return sampler_; }
  [[nodiscard]] const ModelState& newest() const { return versions_.back(); }

 private:
  template <typename T>
  const std::string& any_of(const T& texts) {
    return texts[sampler_.below(texts.size())];
  }
  // An id that is there as a rule, else one that was or never was.
  template <typename Map>
  std::uint64_t some_id(const Map& there, std::uint64_t next) {
    if (there.empty() || sampler_.one_in(15)) return sampler_.below(next + 2);
    auto at = there.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(sampler_.below(there.size())));
    return at->first;
  }

  Actor some_actor() {
    Actor out = actor(sampler_.one_in(2) ? any_of(kKeys) : fmt::format("actor-{}", ++serial_), any_of(kNames));
    for (std::uint64_t n = sampler_.below(3); n > 0; --n) out.labels.push_back(any_of(kLabels));
    for (std::uint64_t n = sampler_.below(3); n > 0; --n) out.aliases.push_back(any_of(kNames));
    if (sampler_.one_in(3)) {
      set_property(out.properties, "n", PropertyValue{static_cast<std::int64_t>(sampler_.below(100))});
    }
    return out;
  }

  std::vector<Participant> some_participants(const ModelState& state) {
    const std::size_t most = sampler_.one_in(6) ? 30 : sampler_.one_in(3) ? 9 : 3;
    std::vector<Participant> out = sampler_.participants(most, 1000, sampler_.one_in(3));
    for (Participant& p : out) {
      p.actor = ActorId{some_actor_id(state)};
      if (p.acting_for) p.acting_for = ActorId{some_actor_id(state)};
      if (p.acting_for == p.actor) p.acting_for.reset();
    }
    return out;
  }
  std::uint64_t some_actor_id(const ModelState& state) {
    if (state.actors.empty() || sampler_.one_in(300)) return sampler_.below(state.next_actor + 2);
    auto at = state.actors.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(sampler_.below(state.actors.size())));
    return at->first;
  }

  Interaction some_interaction(const ModelState& state) {
    Interaction out;
    out.kind = KindId{static_cast<std::uint32_t>(1 + sampler_.below(12))};
    out.when = sampler_.when();
    out.participants = some_participants(state);
    out.status = static_cast<Status>(sampler_.below(4));
    if (!state.sources.empty() && sampler_.one_in(2)) {
      Claim claim;
      claim.source = SourceId{1 + sampler_.below(state.sources.size())};
      claim.locator = sampler_.one_in(4) ? "page 3" : fmt::format("line {}", 1 + sampler_.below(1000));
      if (sampler_.one_in(5)) claim.words = "spoke with";
      out.claims.push_back(std::move(claim));
    }
    if (!sampler_.one_in(3)) return out;  // most are plain
    if (sampler_.one_in(2)) out.key = any_of(kKeys);
    if (sampler_.one_in(3)) out.place = "Geneva";
    if (sampler_.one_in(3)) out.part_of = InteractionId{some_id(state.interactions, state.next_row)};
    if (sampler_.one_in(4)) set_property(out.properties, "p", PropertyValue{DateText{"2016"}});
    return out;
  }

  // Why the store must refuse, if it must: nothing else may be refused, and nothing of this accepted.
  bool acceptable(const ModelState& state, const Interaction& one, std::optional<std::uint64_t> id) {
    for (const Participant& p : one.participants) {
      if (!state.actors.contains(p.actor.value)) return false;
      if (p.acting_for && !state.actors.contains(p.acting_for->value)) return false;
    }
    const auto taken = state.find_interaction(one.key);
    if (taken && (!id || taken->value != *id)) return false;
    if (!one.part_of) return true;
    if (id && state.interactions.at(*id).part_of == one.part_of) return true;  // as it was
    if (!state.interactions.contains(one.part_of->value)) return false;
    return !id || !state.closes_circle(*id, one.part_of->value);
  }

  template <typename T>
  bool took(const Result<T>& result, bool acceptable) {
    INFO((result ? "accepted" : "refused: " + result.error().message));
    REQUIRE(result.has_value() == acceptable);
    return acceptable;
  }

  void change(Transaction& tx, ModelState& state) {
    switch (sampler_.below(20)) {
      case 0: {
        Source source;
        source.key = fmt::format("source-{}", sampler_.below(6));
        const bool taken = std::any_of(state.sources.begin(), state.sources.end(),
                                       [&](const auto& s) { return s.second.key == source.key; });
        if (!took(tx.add_source(source), !taken)) return;
        const std::uint64_t id = state.sources.size() + 1;
        state.sources[id] = source;
        return;
      }
      case 1:
      case 2:
        return add_actor(tx, state);
      case 3:
        return replace_actor(tx, state);
      case 4: {
        const std::uint64_t id = some_id(state.actors, state.next_actor);
        const bool there = state.actors.contains(id);
        const auto done = tx.retire_actor(ActorId{id});
        if (there && state.takes_part(id)) {
          CHECK(refusal(done).code == ErrorCode::kConflict);
        } else if (took(done, there)) {
          state.actors.erase(id);
        }
        return;
      }
      case 5:
      case 6:
      case 7:
      case 8:
        return replace_interaction(tx, state);
      case 9: {
        const std::uint64_t id = some_id(state.interactions, state.next_row);
        if (took(tx.retire_interaction(InteractionId{id}), state.interactions.contains(id))) {
          state.interactions.erase(id);
        }
        return;
      }
      case 10: {
        const std::uint64_t part = some_id(state.interactions, state.next_row);
        const std::uint64_t whole = some_id(state.interactions, state.next_row);
        const bool there = state.interactions.contains(part) && state.interactions.contains(whole);
        if (took(tx.set_part_of(InteractionId{part}, InteractionId{whole}),
                 there && !state.closes_circle(part, whole))) {
          state.interactions[part].part_of = InteractionId{whole};
        }
        return;
      }
      default:
        return add_interaction(tx, state);
    }
  }

  void add_actor(Transaction& tx, ModelState& state) {
    Actor one = some_actor();
    const auto id = tx.add_actor(one);
    if (!took(id, !state.find_actor(one.key))) return;
    REQUIRE(id->value == state.next_actor);
    keep_actor(state, one, state.next_actor++);
  }

  void replace_actor(Transaction& tx, ModelState& state) {
    const std::uint64_t id = some_id(state.actors, state.next_actor);
    const auto old = state.actors.find(id);
    Actor one = old == state.actors.end() || sampler_.one_in(3) ? some_actor() : old->second;
    if (sampler_.one_in(2)) one.name = any_of(kNames);
    if (sampler_.one_in(3)) one.labels.assign(1, any_of(kLabels));
    if (sampler_.one_in(3)) one.key = any_of(kKeys);
    const auto taken = state.find_actor(one.key);
    if (!took(tx.replace_actor(ActorId{id}, one), old != state.actors.end() && (!taken || taken->value == id))) return;
    keep_actor(state, one, id);
  }
  static void keep_actor(ModelState& state, Actor one, std::uint64_t id) {
    one.id = ActorId{id};
    const std::set<std::string> labels(one.labels.begin(), one.labels.end());
    one.labels.assign(labels.begin(), labels.end());
    state.actors[id] = std::move(one);
  }

  void add_interaction(Transaction& tx, ModelState& state) {
    Interaction one = some_interaction(state);
    const auto id = tx.add_interaction(one);
    if (!took(id, acceptable(state, one, std::nullopt))) return;
    REQUIRE(id->value == state.next_row);
    one.id = *id;
    one.row = RowNumber{state.next_row++};
    state.count_row(one);
    state.interactions[id->value] = std::move(one);
  }

  void replace_interaction(Transaction& tx, ModelState& state) {
    const std::uint64_t id = some_id(state.interactions, state.next_row);
    const auto old = state.interactions.find(id);
    if (old == state.interactions.end()) {
      CHECK(refusal(tx.replace_interaction(InteractionId{id}, {})).code == ErrorCode::kNotFound);
      return;
    }
    Interaction one = old->second;
    const Interaction other = some_interaction(state);
    switch (sampler_.below(9)) {
      case 0:
        one.kind = other.kind;
        break;
      case 1:
        one.when = other.when;
        break;
      case 2:
        one.participants = other.participants;
        break;
      case 3:
        one.status = other.status;
        break;
      case 4:
        one.place = "Vienna";
        break;
      case 5:
        one.key = any_of(kKeys);
        break;
      case 6:
        one.part_of = other.part_of;
        break;
      case 7:
        one.claims = other.claims;
        break;
      default:
        one = other;
    }
    if (!took(tx.replace_interaction(InteractionId{id}, one), acceptable(state, one, id))) return;
    const Interaction& before = old->second;
    const bool new_row = one.kind != before.kind || one.when != before.when || one.status != before.status ||
                         one.participants != before.participants;
    one.id = InteractionId{id};
    one.row = new_row ? RowNumber{state.next_row++} : before.row;
    if (new_row) state.count_row(one);
    old->second = std::move(one);
  }

  std::string path_;
  RowSampler sampler_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  std::vector<ModelState> versions_;  // by commit number
  std::vector<std::pair<std::shared_ptr<const View>, std::size_t>> held_;
  std::uint64_t serial_ = 0;
};

struct Run {
  std::uint64_t seed = 0;
  std::size_t seal_rows = 0;
  std::size_t changes = 0;  // of a commit, at most
  int commits = 0;
  bool sync = false;
  std::size_t bulk_rows = std::size_t{1} << 16;
};

void run_history(const Run& run) {
  INFO("seed " << run.seed << ", seal_rows " << run.seal_rows << ", bulk_rows " << run.bulk_rows);
  const TempFolder folder;
  StoreOptions options;
  options.seal_rows = run.seal_rows;
  options.sync = run.sync;
  options.bulk_rows = run.bulk_rows;
  if (run.bulk_rows < 1000) options.bulk_memory_bytes = 4;  // everything goes by way of files
  History history(folder.path("s"), run.seed, options);
  for (int n = 1; n <= run.commits; ++n) {
    history.commit(run.changes);
    if (history.sampler().one_in(3)) history.check_newest();
    if (history.sampler().one_in(3)) history.check_earlier();
    if (history.sampler().one_in(15)) history.reopen();
  }
  history.check_held();
  history.check_times();
  history.reopen();
}

}  // namespace

TEST_CASE("store: random histories agree with a naive store, sealed after every row") {
  run_history({1, 1, 12, 30, true});
  run_history({2, 1, 40, 12, false});
}
TEST_CASE("store: random histories agree with a naive store, sealed after three rows") {
  run_history({3, 3, 12, 30, false});
  run_history({4, 3, 40, 12, true});
}
TEST_CASE("store: random histories agree with a naive store, sealed after seventeen rows") {
  run_history({5, 17, 20, 30, false});
  run_history({6, 17, 60, 12, false});
}
TEST_CASE("store: random histories agree with a naive store, sealed when asked only") {
  run_history({7, 1000, 20, 30, false});
  run_history({8, 1000, 300, 8, false});
}
TEST_CASE("store: random histories agree with a naive store, commits of some rows taken in as files") {
  run_history({9, 17, 20, 30, false, 8});
  run_history({10, 1000, 20, 20, true, 8});
  run_history({11, 3, 12, 20, false, 1});
  run_history({12, 50, 300, 8, false, 60});
}

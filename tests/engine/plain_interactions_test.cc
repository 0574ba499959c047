// Interactions given in columns are stored and read as those given one by one.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/check.h"
#include "tests/engine/impl/random_rows.h"
#include "tests/engine/store_fixture.h"
#include "tests/engine/store_model.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace demarche;
using namespace demarche::tests;

constexpr std::uint64_t kActors = 12;

struct Columns {
  std::vector<KindId> kind;
  std::vector<std::int64_t> day;
  std::vector<std::uint32_t> party_begin{0};
  std::vector<ActorId> actor;
  std::vector<Role> role;
  Status status = Status::kNone;
  SourceId source;
  std::vector<std::uint64_t> line;
  std::vector<std::uint64_t> second;

  [[nodiscard]] PlainInteractions borrowed() const {
    return {kind, day, party_begin, actor, role, status, source, line, second};
  }
  // The same, one by one.
  [[nodiscard]] Interaction at(std::size_t i) const {
    Interaction out;
    out.kind = kind[i];
    out.status = status;
    if (day[i] != PlainInteractions::kNoDay) out.when = must(parse_when(format_day(day[i])));
    for (std::size_t k = party_begin[i]; k < party_begin[i + 1]; ++k) {
      out.participants.push_back({actor[k], role[k], std::nullopt});
    }
    if (source.value != 0) {
      Claim claim;
      claim.source = source;
      if (!line.empty() && line[i] != 0) {
        claim.locator = fmt::format("line {}", line[i]);
        if (!second.empty() && second[i] != 0) claim.locator += fmt::format(", {}", second[i]);
      }
      out.claims.push_back(std::move(claim));
    }
    return out;
  }
};

Columns some_columns(RowSampler& sampler, std::size_t count) {
  Columns out;
  out.status = static_cast<Status>(sampler.below(4));
  out.source = SourceId{sampler.below(3)};
  const bool lines = out.source.value != 0 && !sampler.one_in(3);
  const bool seconds = lines && sampler.one_in(2);
  for (std::size_t i = 0; i < count; ++i) {
    out.kind.push_back(KindId{static_cast<std::uint32_t>(1 + sampler.below(11))});
    out.day.push_back(sampler.one_in(10) ? PlainInteractions::kNoDay
                      : sampler.one_in(20)
                          ? (sampler.one_in(2) ? days_from_civil(1, 1, 1) : days_from_civil(9999, 12, 31))
                          : days_from_civil(2015, 1, 1) + static_cast<std::int64_t>(sampler.below(900)));
    for (std::uint64_t n = sampler.below(sampler.one_in(4) ? 9 : 3); n > 0; --n) {
      out.actor.push_back(ActorId{1 + sampler.below(kActors)});
      out.role.push_back(static_cast<Role>(1 + sampler.below(static_cast<std::uint64_t>(Role::kRepresented) - 1)));
    }
    out.party_begin.push_back(static_cast<std::uint32_t>(out.actor.size()));
    if (lines) out.line.push_back(sampler.one_in(5) ? 0 : 1 + sampler.below(1000));
    if (seconds) out.second.push_back(out.line[i] == 0 || sampler.one_in(2) ? 0 : out.line[i] + 1 + sampler.below(9));
  }
  return out;
}

std::unique_ptr<Store> some_store(const std::string& path, std::size_t bulk_rows) {
  StoreOptions options;
  options.create_if_missing = true;
  options.sync = false;
  options.bulk_rows = bulk_rows;
  auto store = must(Store::open(path, options));
  auto tx = must(store->begin());
  for (std::uint64_t n = 1; n <= kActors; ++n) must(tx->add_actor(actor(fmt::format("a{}", n))));
  for (int n = 1; n <= 2; ++n) {
    Source source;
    source.key = fmt::format("s{}", n);
    must(tx->add_source(source));
  }
  must(tx->commit("actors"));
  return store;
}

}  // namespace

TEST_CASE("plain interactions: columns are stored and read as the same given one by one") {
  const std::size_t bulk_rows = GENERATE(std::size_t{100'000}, std::size_t{200});
  RowSampler sampler(bulk_rows);
  const TempFolder folder;
  const auto columns = some_store(folder.path("columns"), bulk_rows);
  const auto singly = some_store(folder.path("singly"), bulk_rows);
  for (int commit = 0; commit < 3; ++commit) {
    const auto by_columns = must(columns->begin());
    const auto one_by_one = must(singly->begin());
    for (int batch = 0; batch < 4; ++batch) {
      const Columns some = some_columns(sampler, sampler.below(3000));
      const std::uint64_t next = must(by_columns->add_plain_interactions(some.borrowed())).value;
      for (std::size_t i = 0; i < some.kind.size(); ++i) {
        REQUIRE(must(one_by_one->add_interaction(some.at(i))).value == next + i);
      }
      REQUIRE(by_columns->view().statistics().interactions == one_by_one->view().statistics().interactions);
      // Others between them.
      const Interaction other = meeting(fmt::format("m{}-{}", commit, batch), "2016-04", {ActorId{1}, ActorId{2}});
      REQUIRE(must(by_columns->add_interaction(other)) == must(one_by_one->add_interaction(other)));
      if (batch == 1 && !some.kind.empty()) {  // seen before the commit
        CHECK(same(must(by_columns->view().get_interaction(InteractionId{next})),
                   must(one_by_one->view().get_interaction(InteractionId{next}))));
      }
    }
    must(by_columns->commit("some"));
    must(one_by_one->commit("some"));
    if (commit == 1) {
      must(columns->seal());
      must(singly->seal());
    }
  }
  const auto a = columns->view();
  const auto b = singly->view();
  REQUIRE(a->statistics().interactions == b->statistics().interactions);
  REQUIRE(a->statistics().interactions > 100);
  for (std::uint64_t id = 1; id <= a->statistics().interactions; ++id) {
    INFO("interaction " << id);
    REQUIRE(same(must(a->get_interaction(InteractionId{id})), must(b->get_interaction(InteractionId{id}))));
  }
  REQUIRE(must(rows_of(a->timeline({}, {}))) == must(rows_of(b->timeline({}, {}))));
  for (std::uint64_t id = 1; id <= kActors; ++id) {
    REQUIRE(must(rows_of(a->scan(ActorId{id}, {}, {}))) == must(rows_of(b->scan(ActorId{id}, {}, {}))));
  }
}

TEST_CASE("plain interactions: a store of columns is sound") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  {
    RowSampler sampler(3);
    const auto store = some_store(path, 500);
    for (const std::size_t count : {100, 2000}) {
      const auto tx = must(store->begin());
      must(tx->add_plain_interactions(some_columns(sampler, count).borrowed()));
      must(tx->commit("columns"));
    }
  }
  const CheckReport report = must(check_store(path));
  CHECK(report.clean());
  CHECK(report.plain_interactions == 2100);
}

TEST_CASE("plain interactions: what is wrong in any line is refused, and nothing is added") {
  const TempFolder folder;
  const auto store = some_store(folder.path("s"), 100'000);
  RowSampler sampler(5);
  Columns good = some_columns(sampler, 40);
  while (good.second.empty() || good.line[7] == 0 || good.party_begin[7] == good.party_begin[8]) {
    good = some_columns(sampler, 40);
  }
  struct Case {
    const char* says;
    std::function<void(Columns&)> spoil;
  };
  const std::vector<Case> cases = {
      {"not of one length", [](Columns& c) { c.day.pop_back(); }},
      {"not of one length", [](Columns& c) { c.party_begin.pop_back(); }},
      {"not of one length", [](Columns& c) { c.party_begin.clear(); }},
      {"not of one length", [](Columns& c) { c.party_begin.front() = 1; }},
      {"not of one length", [](Columns& c) { c.party_begin[5] = 1'000'000; }},
      {"not of one length", [](Columns& c) { c.role.push_back(Role::kParticipant); }},
      {"not of one length", [](Columns& c) { c.line.pop_back(); }},
      {"interaction 7 of the columns: there is no kind", [](Columns& c) { c.kind[7] = KindId{999}; }},
      {"interaction 7 of the columns: its day", [](Columns& c) { c.day[7] = days_from_civil(10'000, 1, 1); }},
      {"interaction 7 of the columns: its day", [](Columns& c) { c.day[7] = days_from_civil(0, 12, 31); }},
      {"is not an actor", [](Columns& c) { c.actor[c.party_begin[7]] = ActorId{kActors + 1}; }},
      {"is not an actor", [](Columns& c) { c.actor[c.party_begin[7]] = ActorId{0}; }},
      {"'represented'", [](Columns& c) { c.role[c.party_begin[7]] = Role::kRepresented; }},
      {"has no role", [](Columns& c) { c.role[c.party_begin[7]] = Role{0}; }},
      {"names a source", [](Columns& c) { c.source = SourceId{3}; }},
      {"a line, and no source", [](Columns& c) { c.source = SourceId{0}; }},
      {"second line", [](Columns& c) { c.second[7] = c.line[7]; }},
      {"more than eight",
       [](Columns& c) {
         for (std::size_t k = 8; k < c.party_begin.size(); ++k) c.party_begin[k] += 9;
         c.actor.insert(c.actor.begin() + c.party_begin[7], 9, ActorId{1});
         c.role.insert(c.role.begin() + c.party_begin[7], 9, Role::kParticipant);
       }},
  };
  const auto tx = must(store->begin());
  for (const Case& one : cases) {
    Columns bad = good;
    one.spoil(bad);
    const Error error = refusal(tx->add_plain_interactions(bad.borrowed()));
    CHECK(error.code == ErrorCode::kInvalidArgument);
    CHECK(says(error, one.says));
    CHECK(tx->view().statistics().interactions == 0);
    CHECK(tx->empty());
  }
  CHECK(must(tx->add_plain_interactions(good.borrowed())).value == 1);
  CHECK_FALSE(tx->empty());
  must(tx->commit("good"));
  CHECK(refusal(tx->add_plain_interactions(good.borrowed())).code == ErrorCode::kInvalidArgument);
  CHECK(store->view()->statistics().interactions == 40);

  // An actor that was taken back is none, though its number was given.
  const auto next = must(store->begin());
  const ActorId gone = must(next->add_actor(actor("gone")));
  must(next->retire_actor(gone));
  Columns bad = good;
  bad.actor[bad.party_begin[7]] = gone;
  CHECK(says(refusal(next->add_plain_interactions(bad.borrowed())), "is not an actor"));
  must(next->add_plain_interactions(good.borrowed()));
}

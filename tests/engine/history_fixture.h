// A store with something of everything that a history can hold, and its answers as of each commit.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/store.h"
#include "tests/engine/store_fixture.h"

namespace demarche::tests {

inline Interaction plain_call(ActorId a, ActorId b, std::string_view edtf, SourceId source, std::uint64_t line) {
  Interaction out = meeting("", edtf, {a, b}, kinds::kCall);
  Claim claim;
  claim.source = source;
  claim.locator = fmt::format("line {}", line);
  out.claims.push_back(claim);
  return out;
}

// Six commits. Keys change hands, also two at once; records are replaced and taken back, also within the commit that
// made them; interactions are plain, rich and large; dates are exact, vague, lasting and missing.
inline void add_history(Store& store) {
  {
    const auto tx = must(store.begin());
    const KindId lunch = must(tx->declare_kind("WORKING_LUNCH", kinds::kMeeting, "046", "CONSULT"));
    Source source;
    source.key = "trips";
    source.title = "Trips";
    source.grade = "B2";
    source.published = must(parse_when("2016-05"));
    const SourceId trips = must(tx->add_source(source));
    std::vector<ActorId> actors;
    for (int i = 0; i < 12; ++i) {
      Actor a = actor(fmt::format("actor-{}", i), fmt::format("Name {}", i), {"Person"}, {fmt::format("Alias {}", i)});
      set_property(a.properties, "age", {std::int64_t{40 + i}});
      set_property(a.properties, "height", {1.5});
      set_property(a.properties, "born", {DateText{"1950-0X"}});
      set_property(a.properties, "wakes", {TimeText{TimeForm::kLocalTime, "06:30:00"}});
      set_property(a.properties, "odd", {std::vector<PropertyValue>{{true}, {std::string("x\n\"y\"")}, {-0.0}}});
      actors.push_back(must(tx->add_actor(std::move(a))));
    }
    const ActorId gone = must(tx->add_actor(actor("gone-at-once", "Gone")));
    must(tx->retire_actor(gone));
    for (std::uint64_t i = 0; i < 20; ++i) {
      const auto day = fmt::format("2016-04-{:02}", 1 + i);
      must(tx->add_interaction(plain_call(actors[i % 12], actors[(i + 1) % 12], day, trips, i + 1)));
    }
    Interaction summit = meeting("summit", "2016-03-14/2016-03-24", actors, lunch);
    summit.place = "Geneva";
    summit.participants[0].acting_for = actors[11];
    summit.participants.pop_back();
    Claim claim;
    claim.source = trips;
    claim.words = "bytes \xff that are no text";
    claim.when = must(parse_when("2016-03-15~"));
    claim.status = Status::kHeld;
    summit.claims.push_back(claim);
    must(tx->add_interaction(summit));
    must(tx->add_interaction(meeting("undated", "", {actors[0], actors[1]})));
    must(tx->commit("first", "commit-one"));
  }
  const auto id_of = [&](const char* key) { return *must(store.view()->find_actor(key)); };
  const auto interaction = [&](const char* key) { return *must(store.view()->find_interaction(key)); };
  {
    const auto tx = must(store.begin());
    const ActorId a = id_of("actor-0");
    const ActorId b = id_of("actor-1");
    must(tx->add_interaction(meeting("walkout", "[2016-04-18..2016-04-24]", {a, b})));
    Interaction part = meeting("part", "2016-03-15", {a, b});
    part.part_of = interaction("summit");
    const InteractionId id = must(tx->add_interaction(part));
    part.when = must(parse_when("2016-03-16"));  // another row within the commit that made it
    must(tx->replace_interaction(id, part));
    const InteractionId fleeting = must(tx->add_interaction(meeting("fleeting", "2016-03-17", {a, b})));
    must(tx->retire_interaction(fleeting));
    const InteractionId call = must(tx->add_interaction(plain_call(a, b, "2016-05-01", SourceId{1}, 99)));
    must(tx->set_part_of(call, interaction("summit")));
    must(tx->commit("second"));
  }
  {
    const auto tx = must(store.begin());
    Actor a = must(tx->view().get_actor(id_of("actor-2")));
    Actor b = must(tx->view().get_actor(id_of("actor-3")));
    const ActorId a_id = a.id;
    const ActorId b_id = b.id;
    a.key = "aside";  // two keys change hands at once
    must(tx->replace_actor(a_id, a));
    b.key = "actor-2";
    b.name = "Another Name";
    b.labels = {"State"};
    must(tx->replace_actor(b_id, b));
    a.key = "actor-3";
    a.aliases.clear();
    must(tx->replace_actor(a_id, a));
    must(tx->retire_interaction(interaction("walkout")));
    Interaction undated = must(tx->view().get_interaction(interaction("undated")));
    undated.when = must(parse_when("2016"));
    must(tx->replace_interaction(undated.id, undated));
    must(tx->commit("third"));
  }
  {
    const auto tx = must(store.begin());
    must(tx->add_interaction(meeting("walkout", "2016-04-21", {id_of("actor-4"), id_of("actor-5")})));  // the key again
    Interaction summit = must(tx->view().get_interaction(interaction("summit")));
    summit.status = Status::kHeld;
    summit.key = "geneva-summit";
    must(tx->replace_interaction(summit.id, summit));
    Interaction call = must(tx->view().get_interaction(InteractionId{3}));  // a plain one
    call.place = "by telephone";
    must(tx->replace_interaction(call.id, call));
    call = must(tx->view().get_interaction(InteractionId{4}));
    must(tx->retire_interaction(call.id));
    must(tx->commit("fourth", "commit-four"));
  }
  {
    const auto tx = must(store.begin());
    Interaction odd = meeting("odd-bounds", "2016-06-01", {id_of("actor-6"), id_of("actor-7")});
    odd.when->bounds.begin_max.seconds += 1;  // given by a program, not by the text
    odd.when->bounds.end_max.seconds += 1;
    must(tx->add_interaction(odd));
    const ActorId lone = must(tx->add_actor(actor("lone", "Lone")));
    (void)lone;
    must(tx->commit("fifth"));
  }
  {
    const auto tx = must(store.begin());
    must(tx->retire_actor(id_of("lone")));
    must(tx->add_actor(actor("lone", "Lone the second")));
    must(tx->add_interaction(plain_call(id_of("actor-0"), id_of("actor-9"), "2016-07", SourceId{1}, 7)));
    must(tx->commit("sixth"));
  }
}

// What the interface answers as of each commit.
inline std::map<std::uint64_t, std::string> answers_of(const Store& store) {
  std::map<std::uint64_t, std::string> out;
  const std::uint64_t last = store.view()->statistics().commit.value;
  for (std::uint64_t n = 0; n <= last; ++n) out[n] = must(dump(*must(store.view_at(CommitNumber{n}))));
  return out;
}

}  // namespace demarche::tests

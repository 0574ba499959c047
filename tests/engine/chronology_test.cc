// Chronological search: hand-made cases. Brute force over random stores is in chronology_rules_test.cc,
// chronology_meaning_test.cc and chronology_paths_test.cc.
#include "engine/chronology.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/engine/chronology_talks.h"

namespace demarche::tests {

namespace {

TEST_CASE("chronology: word goes forward in time, not back") {
  Talks t;
  const InteractionId first = t.meet("2016-01-14", "committee", "kerry");
  const InteractionId second = t.meet("2016-03-24", "kerry", "putin");
  for (const ChronologyMode mode : kModes) {
    const auto there = t.ask("committee", "putin", mode);
    REQUIRE(there);
    CHECK(there->actor == t.actor("putin"));
    CHECK(there->hops == 2);
    CHECK(there->path == std::vector<Hop>{{first, t.actor("committee"), t.actor("kerry")},
                                          {second, t.actor("kerry"), t.actor("putin")}});
    CHECK(day(there->earliest) == (mode == ChronologyMode::kStrict ? "2016-03-24T23:59:59Z" : "2016-03-24T00:00:00Z"));
    CHECK(day(there->latest) == "2016-03-24T23:59:59Z");
    CHECK_FALSE(t.ask("putin", "committee", mode));
  }
}

TEST_CASE("chronology: contacts of one day are in order by default, not in STRICT mode") {
  Talks t;
  t.meet("2016-04-29", "a", "b");
  t.meet("2016-04-29", "b", "c");
  CHECK(t.modes("a", "c") == "default possibly");
  CHECK(t.modes("c", "a") == "default possibly");
}

TEST_CASE("chronology: what is written to the second is ordered to the second") {
  Talks t;
  t.meet("2016-04-29T13:00:00Z", "a", "b");
  t.meet("2016-04-29T13:00:00Z", "b", "same");
  t.meet("2016-04-29T12:59:59Z", "b", "before");
  t.meet("2016-04-29T13:00:01Z", "b", "after");
  t.meet("2016-04-29", "b", "day");
  CHECK(t.modes("a", "same") == "default possibly");
  CHECK(t.modes("a", "before").empty());
  CHECK(t.modes("a", "after") == "strict default possibly");
  CHECK(t.modes("a", "day") == "default possibly");
}

TEST_CASE("chronology: the first day ends where the date does, when that is written to the second") {
  Talks t;
  t.meet("2016-04-29T20:00:00Z", "a", "b");
  t.meet("[2016-04-29..2016-04-29T13:00:00Z]", "b", "c");
  CHECK(t.modes("a", "c").empty());
}

TEST_CASE("chronology: a vague date is passed by default at its last day, possibly at its first") {
  Talks t;
  t.meet("2016-03", "a", "b");
  t.meet("2016-03-31", "b", "last");
  t.meet("2016-03-01", "b", "first");
  t.meet("2016-04-01", "b", "after");
  t.meet("2016-02-29", "b", "before");
  CHECK(t.modes("a", "last") == "default possibly");
  CHECK(t.modes("a", "first") == "possibly");
  CHECK(t.modes("a", "after") == "strict default possibly");
  CHECK(t.modes("a", "before").empty());
}

TEST_CASE("chronology: contact in a span happened somewhere within it") {
  Talks t;
  t.meet("2016-03-14", "a", "b");
  t.meet("2016-03-10/2016-03-20", "b", "c");
  t.meet("2016-03-17", "c", "d");
  CHECK(t.modes("a", "c") == "possibly");
  const auto there = t.ask("a", "d", ChronologyMode::kPossibly);
  REQUIRE(there);
  CHECK(day(there->earliest) == "2016-03-17T00:00:00Z");
  const auto middle = t.ask("a", "c", ChronologyMode::kPossibly);
  REQUIRE(middle);
  CHECK(day(middle->earliest) == "2016-03-14T00:00:00Z");
  CHECK(day(middle->latest) == "2016-03-20T23:59:59Z");
}

TEST_CASE("chronology: through what still lasts word arrives, on no known day") {
  Talks t;
  t.meet("2016-03-14/..", "a", "b");
  t.meet("2030-01-01", "b", "c");
  const auto there = t.ask("a", "b");
  REQUIRE(there);
  CHECK(there->earliest == Timestamp::highest());
  CHECK(t.modes("a", "b") == "strict default possibly");
  CHECK(t.modes("a", "c") == "possibly");
}

TEST_CASE("chronology: the start comes before every instant, an unknown beginning included") {
  Talks t;
  t.meet("/2016-03-14", "a", "b");
  t.meet("2016-03-15", "b", "c");
  t.meet("2016-03-01", "x", "a");
  CHECK(t.modes("a", "c") == "strict default possibly");
  CHECK(t.modes("x", "b") == "possibly");
}

TEST_CASE("chronology: undated and qualified contacts are never certain") {
  Talks t;
  t.meet("", "a", "b");
  t.meet("2016-03-01", "b", "c");
  t.meet("2016-03-02?", "c", "d");
  t.meet("2016-03-01~", "d", "e");
  CHECK(t.modes("a", "b") == "possibly");
  CHECK(t.modes("a", "c") == "possibly");
  CHECK(t.modes("c", "d") == "possibly");
  CHECK(t.modes("c", "e").empty());
  const auto undated = t.ask("a", "b", ChronologyMode::kPossibly);
  REQUIRE(undated);
  CHECK(undated->earliest == Timestamp::lowest());
  CHECK(undated->latest == Timestamp::highest());
  const auto dated = t.ask("c", "a", ChronologyMode::kPossibly);
  REQUIRE(dated);
  CHECK(day(dated->earliest) == "2016-03-01T00:00:00Z");
}

TEST_CASE("chronology: POSSIBLY waits for the next member of a set with gaps") {
  Talks t;
  t.meet("2016-03-05", "a", "b");
  t.meet("[2016-03-01,2016-03-09]", "b", "c");
  t.meet("2016-03-07", "c", "d");
  t.meet("2016-03-09", "c", "e");
  const auto there = t.ask("a", "c", ChronologyMode::kPossibly);
  REQUIRE(there);
  CHECK(day(there->earliest) == "2016-03-09T00:00:00Z");
  CHECK(t.modes("a", "d").empty());
  CHECK(t.modes("a", "e") == "possibly");
}

TEST_CASE("chronology: a mediator carries nothing between delegations within one round of talks") {
  Talks t;
  t.mediate("2016-03-14", "un", {"a", "b"});
  CHECK(t.modes("a", "un") == "strict default possibly");
  CHECK(t.modes("a", "b").empty());
  t.mediate("2016-03-15", "un", {"a", "b"});
  CHECK(t.modes("a", "b") == "strict default possibly");
  CHECK(t.modes("b", "a") == "strict default possibly");
}

TEST_CASE("chronology: nor after a detour through others") {
  Talks t;
  t.mediate("2016-03-14", "un", {"a", "b"});
  t.meet("2016-03-14", "un", "c");
  t.meet("2016-03-14", "un", "d");
  t.meet("2016-03-14", "d", "c");
  CHECK(t.modes("a", "b").empty());
  CHECK(t.modes("a", "c") == "default possibly");
}

TEST_CASE("chronology: a way that comes later serves where the first one is barred") {
  Talks t;
  const InteractionId talks = t.mediate("2016-03-14", "un", {"a", "b"});
  const InteractionId first = t.meet("2016-03-14", "a", "c");
  const InteractionId second = t.meet("2016-03-14", "c", "un");
  const auto there = t.ask("a", "b");
  REQUIRE(there);
  CHECK(there->path == std::vector<Hop>{{first, t.actor("a"), t.actor("c")},
                                        {second, t.actor("c"), t.actor("un")},
                                        {talks, t.actor("un"), t.actor("b")}});
  const auto mediator = t.ask("a", "un");
  REQUIRE(mediator);
  CHECK(mediator->hops == 1);
}

TEST_CASE("chronology: whoever is represented is not told by the agent in the same call") {
  Talks t;
  t.add("2016-04-29", {{t.actor("kerry"), Role::kCaller, {}}, {t.actor("hijab"), Role::kCallee, t.actor("committee")}},
        kinds::kCall);
  CHECK(t.modes("kerry", "committee") == "strict default possibly");
  CHECK(t.modes("committee", "kerry") == "strict default possibly");
  CHECK(t.modes("hijab", "committee").empty());
}

TEST_CASE("chronology: only contacts that were held count") {
  Talks t;
  t.meet("2016-03-14", "a", "planned", kinds::kMeeting, Status::kPlanned);
  t.meet("2016-03-14", "a", "cancelled", kinds::kMeeting, Status::kCancelled);
  t.meet("2016-03-14", "a", "held", kinds::kMeeting, Status::kHeld);
  t.meet("2016-03-14", "a", "quoted", kinds::kUtterance);
  CHECK(t.modes("a", "planned").empty());
  CHECK(t.modes("a", "cancelled").empty());
  CHECK(t.modes("a", "held") == "strict default possibly");
  CHECK(t.modes("a", "quoted").empty());
  ChronologyOptions utterances;
  utterances.kinds = t.view().kinds().all_below(kinds::kUtterance);
  CHECK(t.modes("a", "quoted", utterances) == "strict default possibly");
  CHECK(t.modes("a", "held", utterances).empty());
}

TEST_CASE("chronology: 'after' takes contacts that begin at or after it, POSSIBLY those still going on") {
  Talks t;
  t.meet("2016-03-14", "a", "b");
  t.meet("2016-03-01/2016-03-20", "a", "c");
  t.meet("", "a", "d");
  ChronologyOptions options;
  options.after = period("2016-03-14");
  CHECK(t.modes("a", "b", options) == "strict default possibly");
  CHECK(t.modes("a", "c", options) == "possibly");
  CHECK(t.modes("a", "d", options) == "possibly");
  options.mode = ChronologyMode::kPossibly;
  CHECK(day(t.ask("a", "c", options)->earliest) == "2016-03-14T00:00:00Z");
  options.after = period("2016-03-15");
  CHECK(t.modes("a", "b", options).empty());
  options.after = when("2016-03-14").bounds;  // some moment of that day: the contact may have been earlier
  CHECK(t.modes("a", "b", options) == "possibly");
  options.after = period("2016-01-01?");
  CHECK(t.modes("a", "b", options) == "possibly");
}

TEST_CASE("chronology: 'before' takes contacts wholly before it, POSSIBLY those begun before") {
  Talks t;
  t.meet("2016-03-14", "a", "b");
  t.meet("2016-03-01/2016-03-20", "a", "c");
  t.meet("", "a", "d");
  ChronologyOptions options;
  options.before = when("2016-03-15").bounds;
  CHECK(t.modes("a", "b", options) == "strict default possibly");
  CHECK(t.modes("a", "c", options) == "possibly");
  CHECK(t.modes("a", "d", options) == "possibly");
  options.before = when("2016-03-14").bounds;
  CHECK(t.modes("a", "b", options) == "possibly");
  options.before = period("2016-03-14");
  CHECK(t.modes("a", "b", options).empty());
  options.before = when("2017~").bounds;
  CHECK(t.modes("a", "b", options) == "possibly");
}

TEST_CASE("chronology: a limit on hops finds the later, shorter way") {
  Talks t;
  t.meet("2016-01-01", "a", "b");
  t.meet("2016-01-02", "b", "c");
  t.meet("2016-01-05", "a", "c");
  t.meet("2016-01-06", "c", "d");
  ChronologyOptions options;
  options.hops_max = 2;
  CHECK(day(t.ask("a", "c", options)->earliest) == "2016-01-02T00:00:00Z");
  const auto there = t.ask("a", "d", options);
  REQUIRE(there);
  CHECK(there->hops == 2);
  options.hops_max = 3;
  CHECK(t.ask("a", "d", options)->hops == 2);  // arrives no later than by three
  options.hops_max = 1;
  CHECK_FALSE(t.ask("a", "d", options));
  options.hops_max = 0;
  CHECK_FALSE(t.ask("a", "b", options));
}

TEST_CASE("chronology: ties go to the smaller interaction id") {
  Talks t;
  const InteractionId first = t.meet("2016-01-01", "a", "b");
  t.meet("2016-01-01", "a", "b");
  CHECK(t.ask("a", "b")->path.at(0).interaction == first);
}

TEST_CASE("chronology: from an actor to itself no hop is needed") {
  Talks t;
  t.meet("2016-01-01", "a", "b");
  const auto there = t.ask("a", "a");
  REQUIRE(there);
  CHECK(there->hops == 0);
  CHECK(there->path.empty());
  CHECK(there->earliest == Timestamp::lowest());
}

TEST_CASE("chronology: an unknown actor is an error") {
  Talks t;
  t.meet("2016-01-01", "a", "b");
  const ActorId nobody{99};
  const auto from = earliest_arrival(t.view(), nobody, t.actor("a"), {});
  const auto to = earliest_arrival(t.view(), t.actor("a"), nobody, {});
  const auto all = reachable(t.view(), nobody, {});
  REQUIRE_FALSE(from);
  REQUIRE_FALSE(to);
  REQUIRE_FALSE(all);
  CHECK(from.error().code == ErrorCode::kNotFound);
  CHECK(to.error().code == ErrorCode::kNotFound);
  CHECK(all.error().message == "there is no actor with id 99");
}

TEST_CASE("chronology: all reached actors come in order of arrival, without the start") {
  Talks t;
  t.meet("2016-01-03", "a", "late");
  t.meet("2016-01-01", "a", "early");
  t.meet("2016-01-03", "early", "also late");
  t.meet("2015-01-01", "early", "never");
  const auto all = get(reachable(t.view(), t.actor("a"), {}));
  REQUIRE(all.size() == 3);
  CHECK(all[0].actor == t.actor("early"));
  CHECK(all[1].actor == t.actor("late"));
  CHECK(all[2].actor == t.actor("also late"));
  CHECK(all[2].hops == 2);
}

TEST_CASE("chronology: the limit on labels ends the search with an error that says so") {
  Talks t;
  t.meet("2016-01-01", "a", "b");
  t.meet("2016-01-02", "b", "c");
  ChronologyOptions options;
  options.labels_max = 2;
  const auto there = reachable(t.view(), t.actor("a"), options);
  REQUIRE_FALSE(there);
  CHECK(there.error().code == ErrorCode::kLimit);
  CHECK(there.error().message ==
        "the chronological search took more than 2 labels, the limit; narrow it by kinds, dates or hops, or raise "
        "labels_max");
}

}  // namespace

}  // namespace demarche::tests

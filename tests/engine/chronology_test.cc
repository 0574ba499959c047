// Chronological search: hand-made cases, then two brute forces over random stores.
//
//   rule     walks every path that uses each interaction once, by the per-hop rules of the header written out anew, and
//            compares the earliest arrival (and, under a limit, the hops) and checks the path that was returned.
//   meaning  knows nothing of bounds: each contact is a list of days on which it may have been. STRICT must find a path
//            whenever there is one in order under all readings, and so on, and arrive on the same day.
//
// Both print the seed of the instance that fails; DEMARCHE_SEED=n runs that one alone.
#include "engine/chronology.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/contact.h"
#include "engine/store.h"
#include "tests/support/temp_folder.h"

namespace {

using demarche::ActorId;
using demarche::Arrival;
using demarche::ChronologyMode;
using demarche::ChronologyOptions;
using demarche::ErrorCode;
using demarche::Hop;
using demarche::Interaction;
using demarche::InteractionId;
using demarche::kSecondsPerDay;
using demarche::Participant;
using demarche::Party;
using demarche::Reached;
using demarche::ReachMethod;
using demarche::Role;
using demarche::Status;
using demarche::Store;
using demarche::TimeBounds;
using demarche::TimeRange;
using demarche::Timestamp;
using demarche::Transaction;
using demarche::View;
namespace kinds = demarche::kinds;

template <typename T>
T get(demarche::Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

demarche::When when(const std::string& text) { return get(demarche::parse_when(text)); }
std::optional<TimeBounds> period(const std::string& text) {
  return demarche::as_period(get(demarche::parse_edtf(text)));
}

constexpr ChronologyMode kModes[] = {ChronologyMode::kStrict, ChronologyMode::kDefault, ChronologyMode::kPossibly};

// ---- hand-made cases -----------------------------------------------------------------------------------------------

// A store written down a line at a time; actors are made when they are first named.
class Talks {
 public:
  Talks()
      : store_(get(Store::open(folder_.path("s.dm"), {.create_if_missing = true, .sync = false}))),
        tx_(get(store_->begin())) {}

  ActorId actor(const std::string& name) {
    const auto known = actors_.find(name);
    if (known != actors_.end()) return known->second;
    return actors_[name] = get(
               tx_->add_actor({.id = {}, .key = name, .name = name, .labels = {}, .aliases = {}, .properties = {}}));
  }

  // No date: "".
  InteractionId add(const std::string& date, std::vector<Participant> participants,
                    demarche::KindId kind = kinds::kMeeting, Status status = Status::kNone) {
    Interaction x;
    x.kind = kind;
    x.status = status;
    if (!date.empty()) x.when = when(date);
    x.participants = std::move(participants);
    return get(tx_->add_interaction(x));
  }
  InteractionId meet(const std::string& date, const std::string& a, const std::string& b,
                     demarche::KindId kind = kinds::kMeeting, Status status = Status::kNone) {
    return add(date, {{actor(a), Role::kParticipant, {}}, {actor(b), Role::kParticipant, {}}}, kind, status);
  }
  // The first mediates between the others.
  InteractionId mediate(const std::string& date, const std::string& mediator,
                        const std::vector<std::string>& delegations) {
    std::vector<Participant> participants = {{actor(mediator), Role::kMediator, {}}};
    for (const std::string& d : delegations) participants.push_back({actor(d), Role::kDelegation, {}});
    return add(date, participants, kinds::kMediation);
  }

  std::optional<Arrival> ask(const std::string& from, const std::string& to, const ChronologyOptions& options) {
    return get(demarche::earliest_arrival(tx_->view(), actor(from), actor(to), options));
  }
  std::optional<Arrival> ask(const std::string& from, const std::string& to,
                             ChronologyMode mode = ChronologyMode::kDefault) {
    ChronologyOptions options;
    options.mode = mode;
    return ask(from, to, options);
  }
  // "strict default possibly", the words of the modes that find a path.
  std::string modes(const std::string& from, const std::string& to, ChronologyOptions options = {}) {
    std::string out;
    for (const ChronologyMode mode : kModes) {
      options.mode = mode;
      if (!ask(from, to, options)) continue;
      const char* const names[] = {"strict", "default", "possibly"};
      out += (out.empty() ? "" : " ") + std::string(names[static_cast<std::size_t>(mode)]);
    }
    return out;
  }
  const View& view() const { return tx_->view(); }

 private:
  demarche::tests::TempFolder folder_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Transaction> tx_;
  std::map<std::string, ActorId> actors_;
};

std::string day(Timestamp t) { return demarche::format_instant(t); }

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
  const auto from = demarche::earliest_arrival(t.view(), nobody, t.actor("a"), {});
  const auto to = demarche::earliest_arrival(t.view(), t.actor("a"), nobody, {});
  const auto all = demarche::reachable(t.view(), nobody, {});
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
  const auto all = get(demarche::reachable(t.view(), t.actor("a"), {}));
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
  const auto there = demarche::reachable(t.view(), t.actor("a"), options);
  REQUIRE_FALSE(there);
  CHECK(there.error().code == ErrorCode::kLimit);
  CHECK(there.error().message ==
        "the chronological search took more than 2 labels, the limit; narrow it by kinds, dates or hops, or raise "
        "labels_max");
}

// ---- random instances ----------------------------------------------------------------------------------------------

constexpr int kActors = 6;
constexpr int kDays = 5;       // days 1 to 5 of January 2016
constexpr int kNever = -1;     // the day that stands for minus infinity
constexpr int kForever = 100;  // and for plus infinity

// A contact of a random instance: what is stored, and the days on which it may have been.
struct Contact {
  InteractionId id;
  std::string text;       // "": undated
  std::vector<int> days;  // as generated, not read from the text
  bool certain = true;    // dated and not qualified
  bool counts = true;     // a contact that was held
  std::vector<Participant> participants;
  std::set<std::pair<int, int>> pairs;  // ordered pairs of actors in contact
  TimeBounds bounds;
  std::vector<TimeRange> members;
};

struct Instance {
  unsigned seed = 0;
  std::vector<ActorId> actors;
  std::vector<Contact> contacts;
};

class Maker {
 public:
  Maker(Transaction& tx, unsigned seed, bool with_times) : tx_(tx), random_(seed), with_times_(with_times) {
    out_.seed = seed;
    for (int i = 0; i < kActors; ++i) out_.actors.push_back(get(tx.add_actor({})));
    days_ = pick(1, kDays);  // few days make many contacts of one day
    const int count = pick(5, 8);
    for (int i = 0; i < count; ++i) add();
  }
  Instance out() && { return std::move(out_); }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  static std::string text(int d) { return "2016-01-0" + std::to_string(d); }

  void range(Contact& c, int from, int to) {
    for (int d = from; d <= to; ++d) c.days.push_back(d);
  }

  void date(Contact& c) {
    const int a = pick(1, days_);
    const int b = pick(a, days_);
    switch (pick(0, with_times_ ? 14 : 10)) {
      case 0:
      case 1:
      case 2:
        c.text = text(a);
        c.days = {a};
        break;
      case 3:
        c.text = "[" + text(a) + ".." + text(b) + "]";
        range(c, a, b);
        break;
      case 4:
        c.text = text(a) + "/" + text(b);
        range(c, a, b);
        break;
      case 5:
        c.text = text(a) + "/..";
        range(c, a, kDays);
        c.days.push_back(kForever);
        break;
      case 6:
        c.text = pick(0, 1) == 0 ? "/" + text(b) : "[.." + text(b) + "]";
        c.days = {kNever};
        range(c, 1, b);
        break;
      case 7:
        if (b - a < 2) {
          c.text = text(a);
          c.days = {a};
          break;
        }
        c.text = "[" + text(a) + "," + text(b) + "]";
        c.days = {a, b};
        break;
      case 8:
        c.days = {kNever};
        range(c, 1, kDays);
        c.days.push_back(kForever);
        c.certain = false;
        break;
      case 9:
        c.text = text(a) + "~";
        c.days = {a};
        c.certain = false;
        break;
      case 10:
        c.text = text(a) + "/" + text(b) + "?";
        range(c, a, b);
        c.certain = false;
        break;
      case 11:
      case 12:
        c.text = time(a);
        break;
      case 13:
        c.text = "[" + text(a) + ".." + text(a) + "T12:00:00Z]";
        break;
      default:
        c.text = "[" + text(a) + "T10:00:00Z," + time(a) + "," + text(b) + "]";
        break;
    }
  }
  std::string time(int d) { return text(d) + "T" + std::to_string(pick(10, 14)) + ":00:00Z"; }

  void parties(Contact& c) {
    std::vector<ActorId> who = out_.actors;
    std::shuffle(who.begin(), who.end(), random_);
    const auto add = [&](std::size_t i, Role role) { c.participants.push_back({who[i], role, {}}); };
    switch (pick(0, 6)) {
      case 0:
      case 1:
        add(0, Role::kParticipant);
        add(1, Role::kParticipant);
        break;
      case 2:
        add(0, Role::kParticipant);
        add(1, Role::kParticipant);
        add(2, Role::kParticipant);
        break;
      case 3:
        add(0, Role::kCaller);
        c.participants.push_back({who[1], Role::kCallee, who[2]});
        break;
      case 4:
        add(0, Role::kMediator);
        add(1, Role::kDelegation);
        add(2, Role::kDelegation);
        break;
      case 5:
        add(0, Role::kPrincipal);
        add(1, Role::kCounterpart);
        add(2, Role::kMediator);
        add(3, Role::kDelegation);
        break;
      default:
        add(0, Role::kPrincipal);
        add(1, Role::kPrincipal);
        add(2, Role::kCounterpart);
        add(3, Role::kForum);
        break;
    }
  }

  void add() {
    Contact c;
    date(c);
    parties(c);
    Interaction x;
    x.participants = c.participants;
    x.kind = kinds::kNegotiation;
    if (!c.text.empty()) x.when = when(c.text);
    switch (pick(0, 12)) {
      case 0:
        x.status = Status::kPlanned;
        c.counts = false;
        break;
      case 1:
        x.status = Status::kCancelled;
        c.counts = false;
        break;
      case 2:
        x.kind = kinds::kUtterance;
        c.counts = false;
        break;
      case 3:
        x.status = Status::kHeld;
        break;
      default:
        break;
    }
    c.id = get(tx_.add_interaction(x));
    if (x.when) {
      c.bounds = x.when->bounds;
      c.members = get(demarche::edtf_members(c.text));
    } else {
      c.members = {{Timestamp::lowest(), Timestamp::highest()}};
    }
    const std::vector<Party> all = demarche::parties_of(c.participants);
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::size_t j = 0; j < all.size(); ++j) {
        if (demarche::in_contact(all, i, j, true)) c.pairs.emplace(index(all[i].actor), index(all[j].actor));
      }
    }
    out_.contacts.push_back(std::move(c));
  }
  int index(ActorId id) const {
    return static_cast<int>(std::find(out_.actors.begin(), out_.actors.end(), id) - out_.actors.begin());
  }

  Transaction& tx_;
  std::mt19937 random_;
  bool with_times_;
  int days_ = kDays;
  Instance out_;
};

// All instances stand in one store, each with actors of its own.
class Crowd {
 public:
  Crowd(unsigned first_seed, unsigned count, bool with_times) {
    store_ = get(Store::open(folder_.path("s.dm"), {.create_if_missing = true, .sync = false}));
    auto tx = get(store_->begin());
    if (const char* only = std::getenv("DEMARCHE_SEED"); only != nullptr) {
      first_seed = static_cast<unsigned>(std::strtoul(only, nullptr, 10));
      count = 1;
    }
    for (unsigned i = 0; i < count; ++i) instances.push_back(Maker(*tx, first_seed + i, with_times).out());
    get(tx->commit("random instances"));
    view = store_->view();
  }

 private:
  demarche::tests::TempFolder folder_;
  std::unique_ptr<Store> store_;

 public:
  std::shared_ptr<const View> view;
  std::vector<Instance> instances;
};

std::string describe(const Instance& x) {
  std::string out = "seed " + std::to_string(x.seed) + ", actors from " + std::to_string(x.actors[0].value) + "\n";
  for (const Contact& c : x.contacts) {
    out += "  " + std::to_string(c.id.value) + " '" + c.text + "'" + (c.counts ? "" : " (does not count)");
    for (const Participant& p : c.participants) {
      out += " " + std::string(demarche::role_name(p.role)) + ":" + std::to_string(p.actor.value - x.actors[0].value);
      if (p.acting_for) out += " for " + std::to_string(p.acting_for->value - x.actors[0].value);
    }
    out += "\n";
  }
  return out;
}

// ---- brute force by the rules --------------------------------------------------------------------------------------

constexpr std::int64_t kLow = Timestamp::lowest().seconds;
constexpr std::int64_t kHigh = Timestamp::highest().seconds;

// New cur by the design's rules; `begun` is false before the first hop.
std::optional<std::int64_t> rule_hop(const ChronologyOptions& o, const Contact& c, bool begun, std::int64_t cur) {
  const std::int64_t f = c.bounds.begin_min.seconds;
  const std::int64_t l = c.bounds.end_max.seconds;
  if (!c.counts) return std::nullopt;
  if (o.mode == ChronologyMode::kPossibly) {
    std::int64_t from = cur;
    if (o.after && from < o.after->begin_min.seconds) from = o.after->begin_min.seconds;
    std::optional<std::int64_t> best;
    for (const TimeRange& m : c.members) {
      if (m.last.seconds < from) continue;
      const std::int64_t at = std::max(from, m.first.seconds);
      if (!best || at < *best) best = at;
    }
    if (best && o.before && *best >= o.before->begin_max.seconds) return std::nullopt;
    return best;
  }
  if (!c.certain) return std::nullopt;
  if (o.after && (o.after->qualified || f < o.after->begin_max.seconds)) return std::nullopt;
  if (o.before && (o.before->qualified || l >= o.before->begin_min.seconds)) return std::nullopt;
  if (o.mode == ChronologyMode::kStrict) return begun && cur >= f ? std::nullopt : std::optional(l);
  const auto day_of = [](std::int64_t t) { return t - t % kSecondsPerDay; };  // all days are after 1970
  const std::int64_t f_unit = c.bounds.fine_begin || f == kLow ? f : std::min(day_of(f) + kSecondsPerDay - 1, l);
  const std::int64_t l_unit = c.bounds.fine_end || l == kHigh ? l : std::max(day_of(l), f);
  if (begun && cur > f_unit) return std::nullopt;
  return std::max(cur, l_unit);
}

struct Best {
  std::int64_t cur = kHigh;
  int hops = 0;
  friend auto operator<=>(const Best&, const Best&) = default;
};

// The least (cur, hops) of every actor over all paths that use each interaction once.
class RuleWalk {
 public:
  RuleWalk(const Instance& x, const ChronologyOptions& o, int start) : x_(x), o_(o) { walk(start, 0, 0, kLow); }
  std::map<int, Best> best;

 private:
  void walk(int at, unsigned used, int hops, std::int64_t cur) {
    if (!seen_.insert({at, used, cur}).second) return;
    const auto known = best.find(at);
    if (known == best.end() || Best{cur, hops} < known->second) best[at] = {cur, hops};
    if (static_cast<std::uint32_t>(hops) >= o_.hops_max) return;
    for (std::size_t i = 0; i < x_.contacts.size(); ++i) {
      if ((used >> i & 1U) != 0) continue;
      const auto next = rule_hop(o_, x_.contacts[i], hops > 0, cur);
      if (!next) continue;
      for (const auto& [a, b] : x_.contacts[i].pairs) {
        if (a == at) walk(b, used | 1U << i, hops + 1, *next);
      }
    }
  }
  const Instance& x_;
  const ChronologyOptions& o_;
  std::set<std::tuple<int, unsigned, std::int64_t>> seen_;
};

void check_path(const Instance& x, const ChronologyOptions& o, int start, const Arrival& arrival) {
  std::int64_t cur = kLow;
  std::int64_t latest = kLow;
  int at = start;
  std::set<InteractionId> used;
  for (const Hop& hop : arrival.path) {
    const auto c =
        std::find_if(x.contacts.begin(), x.contacts.end(), [&](const Contact& k) { return k.id == hop.interaction; });
    REQUIRE(c != x.contacts.end());
    REQUIRE(used.insert(hop.interaction).second);
    REQUIRE(hop.from == x.actors[static_cast<std::size_t>(at)]);
    const auto next = rule_hop(o, *c, used.size() > 1, cur);
    REQUIRE(next);
    cur = *next;
    latest = c->bounds.end_max.seconds;
    const int to = static_cast<int>(hop.to.value - x.actors[0].value);
    REQUIRE(c->pairs.count({at, to}) == 1);
    at = to;
  }
  REQUIRE(arrival.actor == x.actors[static_cast<std::size_t>(at)]);
  REQUIRE(arrival.hops == arrival.path.size());
  REQUIRE(arrival.earliest.seconds == cur);
  REQUIRE(arrival.latest.seconds == latest);
  REQUIRE(cur <= latest);
}

std::vector<ChronologyOptions> random_options(std::mt19937& random) {
  const std::vector<std::string> dates = {
      "2016-01-02",  "2016-01-03", "2016-01-02/2016-01-04", "[2016-01-02,2016-01-04]", "2016-01-03T12:00:00Z",
      "2016-01-03?", "2016-01-05"};
  const auto date = [&] {
    const std::string& text = dates[random() % dates.size()];
    return random() % 2 == 0 ? period(text) : std::optional(when(text).bounds);
  };
  std::vector<ChronologyOptions> out;
  for (const ChronologyMode mode : kModes) {
    ChronologyOptions plain;
    plain.mode = mode;
    out.push_back(plain);
    ChronologyOptions windowed = plain;
    if (random() % 3 != 0) windowed.after = date();
    if (random() % 3 != 0) windowed.before = date();
    if (random() % 3 != 0) windowed.hops_max = static_cast<std::uint32_t>(random() % 5);
    out.push_back(windowed);
  }
  return out;
}

// One pass over the timeline, where it is right, gives the same arrivals. Returns how many.
std::size_t check_sweep(const View& view, ActorId from, const ChronologyOptions& o, const std::vector<Arrival>& all) {
  std::vector<Reached> expected;
  for (const Arrival& arrival : all) expected.push_back({arrival.actor, arrival.earliest});
  const auto by_actor = get(demarche::reached_by(view, from, o, ReachMethod::kAdjacency));
  REQUIRE(by_actor == expected);
  auto swept = get(demarche::reached_by(view, from, o, ReachMethod::kSweep));
  if (!swept) return 0;
  REQUIRE(std::is_sorted(swept->begin(), swept->end(),
                         [](const Reached& a, const Reached& b) { return a.earliest < b.earliest; }));
  std::sort(swept->begin(), swept->end(), [](const Reached& a, const Reached& b) {
    return std::tie(a.earliest, a.actor) < std::tie(b.earliest, b.actor);
  });
  REQUIRE(*swept == expected);
  return swept->size();
}

TEST_CASE("chronology: the same arrivals as walking every path by the rules") {
  constexpr unsigned kInstances = 1500;
  const Crowd crowd(GENERATE(1000U, 500'000U), kInstances, true);
  std::size_t arrivals = 0;
  std::size_t swept = 0;
  for (const Instance& x : crowd.instances) {
    std::mt19937 random(x.seed);
    INFO(describe(x));
    for (const ChronologyOptions& o : random_options(random)) {
      INFO("mode " << static_cast<int>(o.mode) << ", hops_max " << o.hops_max << ", after "
                   << (o.after ? day(o.after->begin_min) + ".." + day(o.after->begin_max) : "-") << ", before "
                   << (o.before ? day(o.before->begin_min) + ".." + day(o.before->begin_max) : "-"));
      const int start = static_cast<int>(random() % kActors);
      RuleWalk walk(x, o, start);
      const auto all = get(demarche::reachable(*crowd.view, x.actors[static_cast<std::size_t>(start)], o));
      REQUIRE(all.size() + 1 == walk.best.size());
      REQUIRE(std::is_sorted(all.begin(), all.end(), [](const Arrival& a, const Arrival& b) {
        return std::tie(a.earliest, a.actor) < std::tie(b.earliest, b.actor);
      }));
      for (const Arrival& arrival : all) {
        const int actor = static_cast<int>(arrival.actor.value - x.actors[0].value);
        INFO("from " << start << " to " << actor);
        REQUIRE(walk.best.count(actor) == 1);
        REQUIRE(arrival.earliest.seconds == walk.best[actor].cur);
        if (o.hops_max != ChronologyOptions::kHopsUnlimited) {
          REQUIRE(static_cast<int>(arrival.hops) == walk.best[actor].hops);
        }
        check_path(x, o, start, arrival);
        ++arrivals;
      }
      swept += check_sweep(*crowd.view, x.actors[static_cast<std::size_t>(start)], o, all);
      const ActorId to = x.actors[random() % kActors];
      const auto one = get(demarche::earliest_arrival(*crowd.view, x.actors[static_cast<std::size_t>(start)], to, o));
      const auto same = std::find_if(all.begin(), all.end(), [to](const Arrival& a) { return a.actor == to; });
      REQUIRE(one.has_value() == (same != all.end() || to == x.actors[static_cast<std::size_t>(start)]));
      if (same != all.end()) REQUIRE(one->path == same->path);
    }
  }
  INFO("arrivals compared: " << arrivals);
  CHECK((arrivals > 5000 || std::getenv("DEMARCHE_SEED") != nullptr));
  CHECK((swept > 100 || std::getenv("DEMARCHE_SEED") != nullptr));
}

// ---- brute force over what the dates can mean ----------------------------------------------------------------------

// A path under readings: each contact on it was on one of its days, independently of the others.
class MeaningWalk {
 public:
  MeaningWalk(const Instance& x, ChronologyMode mode, int start) : x_(x), mode_(mode) {
    walk(start, 0, nullptr, {kNever});
  }
  std::map<int, int> arrival;  // actor -> day

 private:
  // Are the two in order under all readings? Neighbours on a path suffice: order is transitive.
  bool always_in_order(const Contact& a, const Contact& b) const {
    return std::all_of(a.days.begin(), a.days.end(), [&](int p) {
      return std::all_of(b.days.begin(), b.days.end(),
                         [&](int q) { return mode_ == ChronologyMode::kStrict ? p < q : p <= q; });
    });
  }

  // `ends`: the days on which the path so far ends under some reading that is in order.
  void walk(int at, unsigned used, const Contact* last, const std::set<int>& ends) {
    if (!seen_.insert({at, used, last, ends}).second) return;
    const int end = mode_ == ChronologyMode::kPossibly ? *ends.begin() : *ends.rbegin();
    const auto known = arrival.find(at);
    if (known == arrival.end() || end < known->second) arrival[at] = end;
    for (std::size_t i = 0; i < x_.contacts.size(); ++i) {
      const Contact& c = x_.contacts[i];
      if ((used >> i & 1U) != 0 || !c.counts) continue;
      std::set<int> next;
      if (mode_ == ChronologyMode::kPossibly) {
        for (const int d : c.days) {
          if (*ends.begin() <= d) next.insert(d);
        }
      } else if (c.certain && (last == nullptr || always_in_order(*last, c))) {
        next.insert(c.days.begin(), c.days.end());
      }
      if (next.empty()) continue;
      for (const auto& [a, b] : c.pairs) {
        if (a == at) walk(b, used | 1U << i, &c, next);
      }
    }
  }
  const Instance& x_;
  ChronologyMode mode_;
  std::set<std::tuple<int, unsigned, const Contact*, std::set<int>>> seen_;
};

int day_number(Timestamp t) {
  if (t == Timestamp::lowest()) return kNever;
  if (t == Timestamp::highest()) return kForever;
  return static_cast<int>(t.seconds / kSecondsPerDay - demarche::days_from_civil(2015, 12, 31));
}

TEST_CASE("chronology: finds a path if and only if there is one under all, or some, readings of the dates") {
  constexpr unsigned kInstances = 1500;
  const Crowd crowd(900'000, kInstances, false);
  std::map<ChronologyMode, std::size_t> found;
  std::size_t swept = 0;
  for (const Instance& x : crowd.instances) {
    INFO(describe(x));
    for (const ChronologyMode mode : kModes) {
      for (const int start : {0, 1}) {
        MeaningWalk walk(x, mode, start);
        ChronologyOptions o;
        o.mode = mode;
        const auto all = get(demarche::reachable(*crowd.view, x.actors[static_cast<std::size_t>(start)], o));
        INFO("mode " << static_cast<int>(mode) << ", start " << start);
        REQUIRE(all.size() + 1 == walk.arrival.size());
        for (const Arrival& arrival : all) {
          const int actor = static_cast<int>(arrival.actor.value - x.actors[0].value);
          REQUIRE(walk.arrival.count(actor) == 1);
          REQUIRE(day_number(arrival.earliest) == walk.arrival[actor]);
          check_path(x, o, start, arrival);
          ++found[mode];
        }
        swept += check_sweep(*crowd.view, x.actors[static_cast<std::size_t>(start)], o, all);
      }
    }
  }
  if (std::getenv("DEMARCHE_SEED") != nullptr) return;
  CHECK(swept > 1000);
  CHECK(found[ChronologyMode::kStrict] > 1000);
  CHECK(found[ChronologyMode::kStrict] < found[ChronologyMode::kDefault]);
  CHECK(found[ChronologyMode::kDefault] < found[ChronologyMode::kPossibly]);
}

}  // namespace

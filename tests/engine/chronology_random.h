// Random stores for the tests of chronological search, with what the dates in them can mean, and one hop by the rules
// of engine/chronology.h written out anew. DEMARCHE_SEED=n makes the instance of that seed alone.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/chronology.h"
#include "engine/contact.h"
#include "engine/store.h"
#include "tests/engine/chronology_talks.h"
#include "tests/support/temp_folder.h"

namespace demarche::tests {

inline constexpr int kActors = 6;
inline constexpr int kDays = 5;       // days 1 to 5 of January 2016
inline constexpr int kNever = -1;     // the day that stands for minus infinity
inline constexpr int kForever = 100;  // and for plus infinity

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
    days_ = pick(1, kDays);        // few days make many contacts of one day
    all_in_contact_ = pick(0, 1);  // where it does not matter what a path has used
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
    switch (pick(0, all_in_contact_ == 1 ? 2 : 6)) {
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
      c.members = get(edtf_members(c.text));
    } else {
      c.members = {{Timestamp::lowest(), Timestamp::highest()}};
    }
    const std::vector<Party> all = parties_of(c.participants);
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::size_t j = 0; j < all.size(); ++j) {
        if (in_contact(all, i, j, true)) c.pairs.emplace(index(all[i].actor), index(all[j].actor));
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
  int all_in_contact_ = 0;
  Instance out_;
};

// All instances stand in one store, each with actors of its own, fresh or sealed into blocks.
class Crowd {
 public:
  Crowd(unsigned first_seed, unsigned count, bool with_times, bool sealed = false) {
    store_ = get(Store::open(folder_.path("s.dm"), {.create_if_missing = true, .sync = false}));
    auto tx = get(store_->begin());
    if (const char* only = std::getenv("DEMARCHE_SEED"); only != nullptr) {
      first_seed = static_cast<unsigned>(std::strtoul(only, nullptr, 10));
      count = 1;
    }
    for (unsigned i = 0; i < count; ++i) instances.push_back(Maker(*tx, first_seed + i, with_times).out());
    get(tx->commit("random instances"));
    if (sealed) get(store_->seal());
    view = store_->view();
  }

 private:
  TempFolder folder_;
  std::unique_ptr<Store> store_;

 public:
  std::shared_ptr<const View> view;
  std::vector<Instance> instances;
};

inline std::string describe(const Instance& x) {
  std::string out = "seed " + std::to_string(x.seed) + ", actors from " + std::to_string(x.actors[0].value) + "\n";
  for (const Contact& c : x.contacts) {
    out += "  " + std::to_string(c.id.value) + " '" + c.text + "'" + (c.counts ? "" : " (does not count)");
    for (const Participant& p : c.participants) {
      out += " " + std::string(role_name(p.role)) + ":" + std::to_string(p.actor.value - x.actors[0].value);
      if (p.acting_for) out += " for " + std::to_string(p.acting_for->value - x.actors[0].value);
    }
    out += "\n";
  }
  return out;
}

inline constexpr std::int64_t kLow = Timestamp::lowest().seconds;
inline constexpr std::int64_t kHigh = Timestamp::highest().seconds;

// New cur by the design's rules; `begun` is false before the first hop.
inline std::optional<std::int64_t> rule_hop(const ChronologyOptions& o, const Contact& c, bool begun,
                                            std::int64_t cur) {
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

inline std::vector<ChronologyOptions> random_options(std::mt19937& random) {
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

// How the options of an instance read in a failure's message.
inline std::string describe(const ChronologyOptions& o) {
  const auto text = [](const std::optional<TimeBounds>& b) {
    return b ? day(b->begin_min) + ".." + day(b->begin_max) : std::string("-");
  };
  return "mode " + std::to_string(static_cast<int>(o.mode)) + ", hops_max " + std::to_string(o.hops_max) + ", after " +
         text(o.after) + ", before " + text(o.before) +
         (o.within_seconds ? ", within " + std::to_string(*o.within_seconds) : "");
}

}  // namespace demarche::tests

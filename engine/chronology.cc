// Why one label an actor is not enough, and which further ones are.
//
// Without "each interaction once" the earliest label of an actor serves for all: a hop taken later never arrives
// earlier. With it, a label that used interaction i may be barred from i where a later one is not: A -i-> M reaches the
// mediator M first, but only a path that came to M by other ways may go on -i-> B. Keeping two labels whose last
// interactions differ does not help, for i can come back later: A -i-> M -j-> C -k-> M -i-> B, all on one day.
//
// So a label carries the set of interactions it has spent, and is dropped only for one at the same actor that comes no
// later (and, under a limit on hops, in no more hops) and has spent nothing more that could still be used. Two things
// keep that set empty nearly always:
//   - An interaction that cannot be used again anyhow is left out: all of them in STRICT mode (after i, cur >= L' >=
//   F),
//     all longer than a day by default (cur >= L > F'), those over by now in POSSIBLY mode.
//   - So is one entered by a party x in contact with all the others, as always in two-party contacts and meetings of
//     participants. A label Z that comes back to it, x -i-> y ... z -i-> w, is dropped at w: the label x -i-> w (or the
//     one of x itself, if w is x) comes no later, in fewer hops, with nothing spent that Z has not. That holds as long
//     as labels are settled in order of (cur, hops), both of which only grow along a path.
// Hence every settled label is a path that uses each interaction once, and every such path has a settled label no
// worse. To do without the sets is to decide whether a path uses each "colour" once, which is NP-hard: an interaction
// may relate two pairs and no others (principal and counterpart, mediator and delegation). Tested by brute force in
// tests/engine/chronology_test.cc.

#include "engine/chronology.h"

#include <algorithm>
#include <cassert>
#include <queue>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "engine/contact.h"
#include "engine/impl/sweep.h"
#include "engine/row_batch.h"

namespace demarche {

namespace {

// ---- when a hop may be taken ---------------------------------------------------------------------------------------

struct HopTimes {
  Timestamp first;            // F
  Timestamp first_unit_end;   // F'
  Timestamp last_unit_begin;  // L
  Timestamp last;             // L'
};

HopTimes hop_times(const TimeBounds& b) {
  HopTimes t{b.begin_min, b.begin_min, b.end_max, b.end_max};
  if (!b.fine_begin && t.first.is_finite()) t.first_unit_end.seconds += kSecondsPerDay - 1;
  if (!b.fine_end && t.last.is_finite()) t.last_unit_begin.seconds -= kSecondsPerDay - 1;
  t.first_unit_end = std::min(t.first_unit_end, t.last);
  t.last_unit_begin = std::max(t.last_unit_begin, t.first);
  return t;
}

// Where a path stands: before every instant, minus infinity included, until the first hop.
struct Progress {
  Timestamp cur = Timestamp::lowest();
  bool begun = false;
};

// The table of the header, for one mode and window.
class HopRule {
 public:
  HopRule(const View& view, const ChronologyOptions& options)
      : view_(view), mode_(options.mode), after_(options.after), before_(options.before) {
    if (mode_ == ChronologyMode::kPossibly) {
      if (after_) floor_ = after_->begin_min;
      if (before_) ceiling_ = before_->begin_max;
    } else {
      if (after_) floor_ = after_->begin_max;
      if (before_) ceiling_ = before_->begin_min;
      proves_nothing_ = (after_ && after_->qualified) || (before_ && before_->qualified);
    }
  }

  // No interaction outside can carry word on. nullopt: none at all can.
  [[nodiscard]] std::optional<TimeWindow> window_from(Progress at) const {
    if (proves_nothing_) return std::nullopt;
    const TimeWindow window{std::max(at.cur, floor_), ceiling_};
    if (window.begin >= window.end) return std::nullopt;
    return window;
  }

  // The new cur, nullopt if the interaction is of no use. REQUIRES: window_from(at).
  [[nodiscard]] Result<std::optional<Timestamp>> arrive(Progress at, const RowBatch& batch, std::size_t i) {
    const TimeBounds& bounds = batch.bounds[i];
    const HopTimes t = hop_times(bounds);
    if (mode_ == ChronologyMode::kPossibly) return arrive_possibly(at, bounds, t, batch.interaction[i]);
    if (batch.dated[i] == 0 || bounds.qualified) return std::nullopt;
    if (after_ && t.first < floor_) return std::nullopt;
    if (before_ && t.last >= ceiling_) return std::nullopt;
    if (mode_ == ChronologyMode::kStrict) {
      if (at.begun && at.cur >= t.first) return std::nullopt;
      return t.last;
    }
    if (at.begun && at.cur > t.first_unit_end) return std::nullopt;
    return std::max(at.cur, t.last_unit_begin);
  }

  // The last arrival from which the interaction could be used once more, by one that arrived through it. nullopt: none.
  [[nodiscard]] std::optional<Timestamp> reusable_until(const TimeBounds& bounds, Timestamp arrived) const {
    if (mode_ == ChronologyMode::kStrict) return std::nullopt;
    const HopTimes t = hop_times(bounds);
    const Timestamp until = mode_ == ChronologyMode::kDefault ? t.first_unit_end : t.last;
    return arrived <= until ? std::optional(until) : std::nullopt;
  }

 private:
  Result<std::optional<Timestamp>> arrive_possibly(Progress at, const TimeBounds& bounds, const HopTimes& t,
                                                   InteractionId id) {
    const Timestamp from = std::max(at.cur, floor_);
    if (from > t.last) return std::nullopt;
    Timestamp arrival = std::max(from, t.first);
    if (bounds.has_gaps && from > t.first) {
      DEMARCHE_TRY(const std::span<const TimeRange> members, members_of(id, bounds));
      const auto next = std::partition_point(members.begin(), members.end(),
                                             [from](const TimeRange& range) { return range.last < from; });
      if (next == members.end()) return std::nullopt;
      arrival = std::max(from, next->first);
    }
    if (before_ && arrival >= ceiling_) return std::nullopt;
    return arrival;
  }

  // A set too large to be listed counts as if it had no gaps: possible stays an upper bound.
  Result<std::span<const TimeRange>> members_of(InteractionId id, const TimeBounds& bounds) {
    const auto known = members_.find(id);
    if (known != members_.end()) return std::span<const TimeRange>(known->second);
    DEMARCHE_TRY(const Interaction record, view_.get_interaction(id));
    std::vector<TimeRange> ranges = {{bounds.begin_min, bounds.end_max}};
    if (record.when) {
      auto listed = edtf_members(record.when->text);
      if (listed) {
        ranges = std::move(*listed);
      } else if (listed.error().code != ErrorCode::kLimit) {
        return make_error(ErrorCode::kCorruption, fmt::format("interaction {} has a date that cannot be read: {}",
                                                              id.value, listed.error().message));
      }
    }
    return std::span<const TimeRange>(members_.emplace(id, std::move(ranges)).first->second);
  }

  const View& view_;
  ChronologyMode mode_;
  std::optional<TimeBounds> after_;
  std::optional<TimeBounds> before_;
  Timestamp floor_ = Timestamp::lowest();
  Timestamp ceiling_ = Timestamp::highest();
  bool proves_nothing_ = false;
  std::unordered_map<InteractionId, std::vector<TimeRange>> members_;  // node-based: spans into it stay valid
};

// ---- who is told ---------------------------------------------------------------------------------------------------

// Whom `actor` is in contact with in one interaction, in order of the parties, each once, itself left out.
void collect_contacts(std::span<const Party> parties, ActorId actor, bool rule, std::vector<ActorId>& out) {
  out.clear();
  for (std::size_t i = 0; i < parties.size(); ++i) {
    if (parties[i].actor != actor) continue;
    for (std::size_t j = 0; j < parties.size(); ++j) {
      const ActorId other = parties[j].actor;
      if (other == actor || !in_contact(parties, i, j, rule)) continue;
      if (std::find(out.begin(), out.end(), other) == out.end()) out.push_back(other);
    }
  }
}

// Is there a party that word can reach within the interaction, but not from `actor`, whose contacts are given?
bool misses_somebody(std::span<const Party> parties, ActorId actor, std::span<const ActorId> contacts, bool rule) {
  if (parties.size() <= 2) return false;
  for (std::size_t i = 0; i < parties.size(); ++i) {
    const ActorId other = parties[i].actor;
    if (other == actor || std::find(contacts.begin(), contacts.end(), other) != contacts.end()) continue;
    for (std::size_t j = 0; j < parties.size(); ++j) {
      if (parties[j].actor != other && in_contact(parties, i, j, rule)) return true;
    }
  }
  return false;
}

// ---- search --------------------------------------------------------------------------------------------------------

// An interaction the path has used, in a way that bars it, and the last arrival to which that matters.
struct Spent {
  InteractionId interaction;
  Timestamp until;
};

using LabelIndex = std::uint32_t;
constexpr LabelIndex kNoLabel = std::numeric_limits<LabelIndex>::max();

struct Label {
  ActorId actor;
  Progress at;
  Timestamp latest = Timestamp::lowest();
  std::uint32_t hops = 0;
  LabelIndex parent = kNoLabel;
  InteractionId via;
  bool dropped = false;      // for a better one that came after it, before it was settled
  std::vector<Spent> spent;  // ascending by interaction
};

bool has_spent(std::span<const Spent> spent, InteractionId id) {
  const auto at = std::lower_bound(spent.begin(), spent.end(), id,
                                   [](const Spent& s, InteractionId wanted) { return s.interaction < wanted; });
  return at != spent.end() && at->interaction == id;
}

class Search {
 public:
  Search(const View& view, const ChronologyOptions& options)
      : view_(view),
        options_(options),
        kinds_(options.kinds.is_any() ? view.kinds().all_below(kinds::kContact) : options.kinds),
        contact_kinds_(view.kinds().all_below(kinds::kContact)),
        rule_(view, options) {}

  Result<void> start(ActorId from) {
    Label label;
    label.actor = from;
    return add(std::move(label));
  }

  // The next label in order of (cur, hops), after everything it leads to has been entered in the queue. nullopt: done.
  Result<std::optional<LabelIndex>> settle(std::optional<ActorId> target) {
    while (!queue_.empty()) {
      const LabelIndex index = queue_.top();
      queue_.pop();
      if (labels_[index].dropped) continue;
      if (labels_[index].actor != target) DEMARCHE_CHECK(expand(index));
      return index;
    }
    return std::nullopt;
  }

  [[nodiscard]] const Label& label(LabelIndex index) const { return labels_[index]; }

  [[nodiscard]] Arrival arrival_of(LabelIndex index) const {
    const Label& end = labels_[index];
    Arrival out{end.actor, end.at.cur, end.latest, end.hops, {}};
    for (LabelIndex i = index; labels_[i].parent != kNoLabel; i = labels_[i].parent) {
      out.path.push_back({labels_[i].via, labels_[labels_[i].parent].actor, labels_[i].actor});
    }
    std::reverse(out.path.begin(), out.path.end());
    return out;
  }

 private:
  // Order of settling. The index comes last: what was entered earlier.
  [[nodiscard]] bool settles_before(LabelIndex a, LabelIndex b) const {
    const auto key = [this](LabelIndex i) {
      const Label& l = labels_[i];
      return std::tuple(l.at.cur, l.hops, l.spent.size(), l.via, i);
    };
    return key(a) < key(b);
  }

  // Whatever `b` can lead to, `a` leads to as early. REQUIRES: a settles before b.
  [[nodiscard]] bool covers(const Label& a, const Label& b) const {
    if (options_.hops_max != ChronologyOptions::kHopsUnlimited && a.hops > b.hops) return false;
    return std::all_of(a.spent.begin(), a.spent.end(),
                       [&b](const Spent& s) { return s.until < b.at.cur || has_spent(b.spent, s.interaction); });
  }

  Result<void> add(Label label) {
    const auto index = static_cast<LabelIndex>(labels_.size());
    std::vector<LabelIndex>& here = at_actor_[label.actor];
    labels_.push_back(std::move(label));
    const Label& added = labels_.back();
    for (const LabelIndex other : here) {
      if (settles_before(other, index) && covers(labels_[other], added)) {
        labels_.pop_back();
        return {};
      }
    }
    if (labels_.size() > std::min<std::size_t>(options_.labels_max, kNoLabel)) {
      return make_error(ErrorCode::kLimit,
                        fmt::format("the chronological search took more than {} labels, the limit; narrow it by kinds, "
                                    "dates or hops, or raise labels_max",
                                    options_.labels_max));
    }
    std::erase_if(here, [&](LabelIndex other) {
      if (!settles_before(index, other) || !covers(added, labels_[other])) return false;
      labels_[other].dropped = true;
      return true;
    });
    here.push_back(index);
    queue_.push(index);
    return {};
  }

  Result<void> expand(LabelIndex index) {
    if (labels_[index].hops >= options_.hops_max) return {};
    const auto window = rule_.window_from(labels_[index].at);
    if (!window) return {};
    DEMARCHE_TRY(RowCursor cursor, view_.scan(labels_[index].actor, *window, kinds_));
    for (RowBatch batch;;) {
      DEMARCHE_CHECK(cursor.next(batch));
      if (batch.size() == 0) return {};
      for (std::size_t i = 0; i < batch.size(); ++i) DEMARCHE_CHECK(follow(index, batch, i));
    }
  }

  // Enters whoever the actor of a label tells in row i.
  Result<void> follow(LabelIndex index, const RowBatch& batch, std::size_t i) {
    if (batch.status[i] != Status::kHeld && batch.status[i] != Status::kNone) return {};
    const InteractionId id = batch.interaction[i];
    if (has_spent(labels_[index].spent, id)) return {};
    DEMARCHE_TRY(const std::optional<Timestamp> arrived, rule_.arrive(labels_[index].at, batch, i));
    if (!arrived) return {};

    const ActorId actor = labels_[index].actor;
    const std::span<const Party> parties = batch.parties_of(i);
    const bool contact_rule = contact_kinds_.contains(batch.kind[i]);
    collect_contacts(parties, actor, contact_rule, contacts_);
    if (contacts_.empty()) return {};
    std::vector<Spent> spent;
    for (const Spent& s : labels_[index].spent) {
      if (s.until >= *arrived) spent.push_back(s);
    }
    const auto until = rule_.reusable_until(batch.bounds[i], *arrived);
    if (until && misses_somebody(parties, actor, contacts_, contact_rule)) {
      const auto at = std::find_if(spent.begin(), spent.end(), [id](const Spent& s) { return s.interaction > id; });
      spent.insert(at, {id, *until});
    }
    for (const ActorId other : contacts_) {
      DEMARCHE_CHECK(
          add({other, {*arrived, true}, batch.bounds[i].end_max, labels_[index].hops + 1, index, id, false, spent}));
    }
    return {};
  }

  struct SettlesLater {
    const Search* search;
    bool operator()(LabelIndex a, LabelIndex b) const { return search->settles_before(b, a); }
  };

  const View& view_;
  const ChronologyOptions& options_;
  KindSet kinds_;
  KindSet contact_kinds_;
  HopRule rule_;
  std::vector<Label> labels_;
  std::unordered_map<ActorId, std::vector<LabelIndex>> at_actor_;  // neither dropped nor covered by another
  std::priority_queue<LabelIndex, std::vector<LabelIndex>, SettlesLater> queue_{SettlesLater{this}};
  std::vector<ActorId> contacts_;
};

[[maybe_unused]] bool uses_each_once(const Arrival& arrival) {
  std::vector<InteractionId> ids;
  for (const Hop& hop : arrival.path) ids.push_back(hop.interaction);
  std::sort(ids.begin(), ids.end());
  return std::adjacent_find(ids.begin(), ids.end()) == ids.end();
}

}  // namespace

Result<std::optional<Arrival>> earliest_arrival(const View& view, ActorId from, ActorId to,
                                                const ChronologyOptions& options) {
  DEMARCHE_CHECK(view.get_actor(from));
  DEMARCHE_CHECK(view.get_actor(to));
  Search search(view, options);
  DEMARCHE_CHECK(search.start(from));
  for (;;) {
    DEMARCHE_TRY(const std::optional<LabelIndex> index, search.settle(to));
    if (!index) return std::nullopt;
    if (search.label(*index).actor != to) continue;
    Arrival arrival = search.arrival_of(*index);
    assert(uses_each_once(arrival));
    return arrival;
  }
}

Result<std::vector<Arrival>> reachable(const View& view, ActorId from, const ChronologyOptions& options) {
  DEMARCHE_CHECK(view.get_actor(from));
  Search search(view, options);
  DEMARCHE_CHECK(search.start(from));
  std::unordered_map<ActorId, LabelIndex> first;  // the first label an actor is settled with is its earliest
  for (;;) {
    DEMARCHE_TRY(const std::optional<LabelIndex> index, search.settle(std::nullopt));
    if (!index) break;
    first.emplace(search.label(*index).actor, *index);
  }
  first.erase(from);
  std::vector<Arrival> out;
  out.reserve(first.size());
  for (const auto& [actor, index] : first) {
    out.push_back(search.arrival_of(index));
    assert(uses_each_once(out.back()));
  }
  std::sort(out.begin(), out.end(), [](const Arrival& a, const Arrival& b) {
    return std::tie(a.earliest, a.actor) < std::tie(b.earliest, b.actor);
  });
  return out;
}

namespace {

// The two ways are tried in turn, each a while longer than before, so that together they take little more than twice
// the better one. Rows are read in one pass some 2500 times as fast as an actor is settled.
constexpr std::size_t kActorsAtFirst = 64;
constexpr std::uint64_t kRowsPerActor = 2500;
constexpr std::size_t kLonger = 4;

}  // namespace

Result<std::optional<std::vector<Reached>>> reached_by(const View& view, ActorId from, const ChronologyOptions& options,
                                                       ReachMethod method) {
  DEMARCHE_CHECK(view.get_actor(from));
  std::vector<Reached> out;
  Search search(view, options);
  DEMARCHE_CHECK(search.start(from));
  std::unordered_map<ActorId, Timestamp> first;
  for (std::size_t actors_max = kActorsAtFirst;; actors_max *= kLonger) {
    if (method != ReachMethod::kAdjacency) {
      const std::uint64_t rows_max =
          method == ReachMethod::kSweep ? std::numeric_limits<std::uint64_t>::max() : actors_max * kRowsPerActor;
      DEMARCHE_TRY(const Sweep::Outcome outcome, Sweep::run(view, from, options, rows_max, out));
      if (outcome == Sweep::Outcome::kDone) return std::optional(std::move(out));
      if (method == ReachMethod::kSweep) return std::nullopt;
      if (outcome == Sweep::Outcome::kRefused) method = ReachMethod::kAdjacency;
    }
    std::optional<LabelIndex> index;
    do {
      DEMARCHE_ASSIGN(index, search.settle(std::nullopt));
      if (index) first.emplace(search.label(*index).actor, search.label(*index).at.cur);
    } while (index && (method == ReachMethod::kAdjacency || first.size() < actors_max));
    if (!index) break;
  }
  first.erase(from);
  out.reserve(first.size());
  for (const auto& [actor, earliest] : first) out.push_back({actor, earliest});
  std::sort(out.begin(), out.end(), [](const Reached& a, const Reached& b) {
    return std::tie(a.earliest, a.actor) < std::tie(b.earliest, b.actor);
  });
  return std::optional(std::move(out));
}

Result<std::vector<Reached>> reached(const View& view, ActorId from, const ChronologyOptions& options) {
  DEMARCHE_TRY(auto found, reached_by(view, from, options, ReachMethod::kChosen));
  if (!found) return std::vector<Reached>();  // kChosen always finds
  return std::move(*found);
}

namespace {

// The last instant at which the hop can be taken so that the next one is taken at `cur` or later; nullopt if there is
// none.
std::optional<Timestamp> leave(const Interaction& record, ChronologyMode mode, Timestamp cur) {
  if (!record.when) return mode == ChronologyMode::kPossibly ? std::optional(cur) : std::nullopt;
  const TimeBounds& bounds = record.when->bounds;
  const HopTimes t = hop_times(bounds);
  const bool begun = cur != Timestamp::highest();
  if (mode == ChronologyMode::kPossibly) {
    if (begun && cur < t.first) return std::nullopt;
    if (!bounds.has_gaps || !begun || cur >= t.last) return std::min(cur, t.last);
    const auto members = edtf_members(record.when->text);
    if (!members) return std::min(cur, t.last);  // too large to be listed: as if it had no gaps
    const auto after = std::partition_point(members->begin(), members->end(),
                                            [cur](const TimeRange& range) { return range.first <= cur; });
    if (after == members->begin()) return std::nullopt;
    return std::min(cur, std::prev(after)->last);
  }
  if (bounds.qualified) return std::nullopt;
  if (mode == ChronologyMode::kStrict) return begun && cur <= t.last ? std::nullopt : std::optional(t.first);
  return begun && cur < t.last_unit_begin ? std::nullopt : std::optional(std::min(cur, t.first_unit_end));
}

}  // namespace

Result<std::optional<Departure>> departure_of(const View& view, const std::vector<Hop>& path, ChronologyMode mode) {
  if (path.empty()) return std::nullopt;
  Timestamp cur = Timestamp::highest();
  Timestamp first = Timestamp::lowest();
  for (auto hop = path.rbegin(); hop != path.rend(); ++hop) {
    DEMARCHE_TRY(const Interaction record, view.get_interaction(hop->interaction));
    const std::optional<Timestamp> left = leave(record, mode, cur);
    if (!left) return std::nullopt;
    cur = *left;
    first = record.when ? record.when->bounds.begin_min : Timestamp::lowest();
  }
  return Departure{first, cur};
}

}  // namespace demarche

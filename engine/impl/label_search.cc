#include "engine/impl/label_search.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "engine/contact.h"

namespace demarche::impl {

namespace {

constexpr std::uint64_t kLabelsBetweenChecks = 4096;

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

bool has_spent(std::span<const Spent> spent, InteractionId id) {
  const auto at = std::lower_bound(spent.begin(), spent.end(), id,
                                   [](const Spent& s, InteractionId wanted) { return s.interaction < wanted; });
  return at != spent.end() && at->interaction == id;
}

}  // namespace

LabelSearch::LabelSearch(const View& view, const ChronologyOptions& options, Plan plan)
    : view_(view),
      options_(options),
      plan_(plan),
      by_hops_(plan.by_hops || plan.order == Order::kHops || options.hops_max != ChronologyOptions::kHopsUnlimited),
      by_departure_(plan.order == Order::kDuration || options.within_seconds),
      all_spent_(plan.paths_max > 1 || options.hop_filter),
      several_readings_(by_departure_ && options.mode == ChronologyMode::kPossibly && plan.paths_max > 1),
      kinds_(options.kinds.is_any() ? view.kinds().all_below(kinds::kContact) : options.kinds),
      contact_kinds_(view.kinds().all_below(kinds::kContact)),
      rule_(view, options, plan.way) {}

Result<void> LabelSearch::start(ActorId from) {
  start_ = from;
  Label label;
  label.actor = from;
  label.at = rule_.start();
  return add(std::move(label));
}

Result<std::optional<LabelIndex>> LabelSearch::settle(std::optional<ActorId> target) {
  while (!queue_.empty()) {
    const LabelIndex index = queue_.top();
    queue_.pop();
    if (labels_[index].dropped) continue;
    if (++settled_ % kLabelsBetweenChecks == 0 && options_.check) DEMARCHE_CHECK(options_.check());
    if (labels_[index].actor != target) DEMARCHE_CHECK(expand(index));
    return index;
  }
  return std::nullopt;
}

Result<void> LabelSearch::collect(ActorId from, std::optional<ActorId> target, const Bound& bound) {
  collecting_ = true;
  target_ = target;
  bound_ = bound;
  DEMARCHE_CHECK(start(from));
  while (!queue_.empty()) {
    const Label& next = labels_[queue_.top()];
    if (next.dropped) {
      queue_.pop();
      continue;
    }
    // Whatever is still to come is made of labels no better than this one.
    if (target_ && plan_.paths_max != kAllPaths && is_hopeless(next)) break;
    DEMARCHE_CHECK(settle(std::nullopt));
  }
  return {};
}

std::vector<Hop> LabelSearch::path_of(LabelIndex index) const {
  std::vector<Hop> out;
  for (LabelIndex i = index; labels_[i].parent != kNoLabel; i = labels_[i].parent) {
    const ActorId told = labels_[labels_[i].parent].actor;
    out.push_back(plan_.way == Way::kOnward ? Hop{labels_[i].via, told, labels_[i].actor}
                                            : Hop{labels_[i].via, labels_[i].actor, told});
  }
  if (plan_.way == Way::kOnward) std::reverse(out.begin(), out.end());
  return out;
}

// Order of settling: it grows along a path. The index comes last: what was entered earlier.
bool LabelSearch::settles_before(LabelIndex a, LabelIndex b) const {
  const auto key = [this](LabelIndex i) {
    const Label& l = labels_[i];
    const std::int64_t first = plan_.order == Order::kArrival ? l.at.cur.seconds : least_value(l);
    return std::tuple(first, l.at.cur, l.hops, l.spent.size(), l.via, i);
  };
  return key(a) < key(b);
}

// What the best path through the label is worth at best.
std::int64_t LabelSearch::least_value(const Label& label) const {
  if (plan_.order == Order::kArrival) return label.at.cur.seconds;
  return plan_.order == Order::kHops ? std::int64_t{label.hops} : rule_.least_duration(label.at);
}

std::int64_t LabelSearch::value_of(LabelIndex index) const {
  const Label& l = labels_[index];
  return plan_.order == Order::kDuration ? rule_.duration(l.at, l.last) : least_value(l);
}

// Whatever `b` can lead to, `a` leads to as early (in as few hops, having departed as late). REQUIRES: a settles first.
bool LabelSearch::covers(const Label& a, const Label& b) const {
  if (a.at.cur > b.at.cur || (by_hops_ && a.hops > b.hops) || (by_departure_ && a.at.depart < b.at.depart)) {
    return false;
  }
  return std::all_of(a.spent.begin(), a.spent.end(),
                     [&b](const Spent& s) { return s.until < b.at.cur || has_spent(b.spent, s.interaction); });
}

bool LabelSearch::is_covered(const Label& added, LabelIndex index, const std::vector<LabelIndex>& here) const {
  std::vector<LabelIndex> better;  // of as many different paths
  for (const LabelIndex other : here) {
    if (!settles_before(other, index) || !covers(labels_[other], added)) continue;
    if (plan_.paths_max == 1 || (several_readings_ && is_same_path(other, index))) return true;
    if (several_readings_ &&
        std::any_of(better.begin(), better.end(), [&](LabelIndex known) { return is_same_path(known, other); })) {
      continue;
    }
    better.push_back(other);
    if (better.size() == plan_.paths_max) return true;
  }
  return false;
}

// Is no path through the label good enough?
bool LabelSearch::is_hopeless(const Label& label) const {
  if (least_value(label) > bound_.value_max) return true;
  if (options_.within_seconds && rule_.least_duration(label.at) > *options_.within_seconds) return true;
  if (target_) {
    const auto found = collected_.find(*target_);
    if (found != collected_.end() && found->second.size() >= plan_.paths_max &&
        least_value(label) >= value_of(found->second.back())) {
      return true;
    }
  }
  if (bound_.completions == nullptr) return false;
  const auto ends = bound_.completions->find(label.actor);
  if (ends == bound_.completions->end()) return true;
  return std::none_of(ends->second.begin(), ends->second.end(), [&](const Completion& end) {
    return label.at.cur <= seen(Way::kBack, end.other_way_cur) &&
           (plan_.order != Order::kHops || std::int64_t{label.hops} + end.hops <= bound_.value_max);
  });
}

bool LabelSearch::better(LabelIndex a, LabelIndex b) const {
  const auto key = [this](LabelIndex i) {
    return std::tuple(value_of(i), labels_[i].at.cur, labels_[i].hops, labels_[i].via, i);
  };
  return key(a) < key(b);
}

bool LabelSearch::is_same_path(LabelIndex a, LabelIndex b) const {
  if (labels_[a].hops != labels_[b].hops) return false;
  for (; a != b && a != kNoLabel; a = labels_[a].parent, b = labels_[b].parent) {
    if (labels_[a].via != labels_[b].via || labels_[a].actor != labels_[b].actor) return false;
  }
  return true;
}

bool LabelSearch::uses_each_once(LabelIndex index) const {
  std::vector<InteractionId> ids;
  for (LabelIndex i = index; labels_[i].parent != kNoLabel; i = labels_[i].parent) ids.push_back(labels_[i].via);
  std::sort(ids.begin(), ids.end());
  return std::adjacent_find(ids.begin(), ids.end()) == ids.end();
}

// Is the label's path one of the best so far? REQUIRES: it is the last one made.
bool LabelSearch::keep_if_good(LabelIndex index) {
  const Label& made = labels_[index];
  if (made.parent == kNoLabel || (target_ && made.actor != *target_)) return false;
  if (value_of(index) > bound_.value_max) return false;
  if (options_.within_seconds && rule_.duration(made.at, made.last) > *options_.within_seconds) return false;
  std::vector<LabelIndex>& kept = collected_[made.actor];
  if (kept.size() >= plan_.paths_max && !better(index, kept.back())) return false;
  if (!all_spent_ && !uses_each_once(index)) return false;  // the path without the detour is kept instead
  if (several_readings_) {
    const auto same =
        std::find_if(kept.begin(), kept.end(), [&](LabelIndex known) { return is_same_path(known, index); });
    if (same != kept.end()) {
      if (!better(index, *same)) return false;
      kept.erase(same);
    }
  }
  kept.insert(
      std::upper_bound(kept.begin(), kept.end(), index, [this](LabelIndex a, LabelIndex b) { return better(a, b); }),
      index);
  if (kept.size() > plan_.paths_max) kept.pop_back();
  return true;
}

Result<void> LabelSearch::add(Label label) {
  const auto index = static_cast<LabelIndex>(labels_.size());
  std::vector<LabelIndex>& here = at_actor_[label.actor];
  labels_.push_back(std::move(label));
  Label& added = labels_.back();
  // Back at the start a path that used an interaction twice is not covered by the start's own label, which has not
  // departed at all.
  if (by_departure_ && added.actor == start_ && added.hops > 1 && !all_spent_ && !uses_each_once(index)) {
    labels_.pop_back();
    return {};
  }
  const bool kept = collecting_ && keep_if_good(index);
  if ((collecting_ && is_hopeless(added)) || (plan_.paths_max != kAllPaths && is_covered(added, index, here))) {
    added.dropped = true;
    if (!kept) labels_.pop_back();
  }
  if (labels_.size() > std::min<std::size_t>(options_.labels_max, kNoLabel)) {
    return make_error(ErrorCode::kLimit,
                      fmt::format("the chronological search took more than {} labels, the limit; narrow it by kinds, "
                                  "dates or hops, or raise labels_max",
                                  options_.labels_max));
  }
  if (labels_.size() == index || labels_[index].dropped) return {};
  if (plan_.paths_max == 1) {
    std::erase_if(here, [&](LabelIndex other) {
      if (!settles_before(index, other) || !covers(labels_[index], labels_[other])) return false;
      labels_[other].dropped = true;
      return true;
    });
  }
  if (plan_.paths_max != kAllPaths) here.push_back(index);
  queue_.push(index);
  return {};
}

Result<void> LabelSearch::expand(LabelIndex index) {
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
Result<void> LabelSearch::follow(LabelIndex index, const RowBatch& batch, std::size_t i) {
  if (batch.status[i] != Status::kHeld && batch.status[i] != Status::kNone) return {};
  const InteractionId id = batch.interaction[i];
  if (has_spent(labels_[index].spent, id)) return {};
  ways_on_.clear();
  if (by_departure_) {
    DEMARCHE_CHECK(rule_.take_all(labels_[index].at, batch.bounds[i], batch.dated[i] != 0, id, ways_on_));
  } else {
    DEMARCHE_TRY(const auto next, rule_.take(labels_[index].at, batch.bounds[i], batch.dated[i] != 0, id));
    if (next) ways_on_.push_back(*next);
  }
  if (ways_on_.empty()) return {};

  const ActorId actor = labels_[index].actor;
  const std::span<const Party> parties = batch.parties_of(i);
  const bool contact_rule = contact_kinds_.contains(batch.kind[i]);
  collect_contacts(parties, actor, contact_rule, contacts_);
  const bool bars = all_spent_ || misses_somebody(parties, actor, contacts_, contact_rule);
  if (options_.hop_filter) {
    std::size_t kept = 0;
    for (const ActorId other : contacts_) {
      const Hop hop = plan_.way == Way::kOnward ? Hop{id, actor, other} : Hop{id, other, actor};
      DEMARCHE_TRY(const bool wanted, options_.hop_filter(hop));
      if (wanted) contacts_[kept++] = other;
    }
    contacts_.resize(kept);
  }
  const HopTimes times = hop_times(batch.bounds[i], plan_.way);
  for (const Progress& next : ways_on_) {
    std::vector<Spent> spent;
    for (const Spent& s : labels_[index].spent) {
      if (s.until >= next.cur) spent.push_back(s);
    }
    const auto until = rule_.reusable_until(batch.bounds[i], next.cur);
    if (until && bars) {
      const auto at = std::find_if(spent.begin(), spent.end(), [id](const Spent& s) { return s.interaction > id; });
      spent.insert(at, {id, *until});
    }
    for (const ActorId other : contacts_) {
      DEMARCHE_CHECK(add({other, next, times.last, labels_[index].hops + 1, index, id, false, spent}));
    }
  }
  return {};
}

}  // namespace demarche::impl

#include "engine/impl/hop_rule.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace demarche::impl {

HopTimes hop_times(const TimeBounds& b, Way way) {
  HopTimes t{b.begin_min, b.begin_min, b.end_max, b.end_max};
  if (!b.fine_begin && t.first.is_finite()) t.first_unit_end.seconds += kSecondsPerDay - 1;
  if (!b.fine_end && t.last.is_finite()) t.last_unit_begin.seconds -= kSecondsPerDay - 1;
  t.first_unit_end = std::min(t.first_unit_end, t.last);
  t.last_unit_begin = std::max(t.last_unit_begin, t.first);
  if (way == Way::kOnward) return t;
  return {seen(way, t.last), seen(way, t.last_unit_begin), seen(way, t.first_unit_end), seen(way, t.first)};
}

HopRule::HopRule(const View& view, const ChronologyOptions& options, Way way)
    : view_(view), mode_(options.mode), way_(way), after_(options.after), before_(options.before) {
  if (is_certain()) {
    if (after_) floor_ = after_->begin_max;
    if (before_) ceiling_ = before_->begin_min;
    proves_nothing_ = (after_ && after_->qualified) || (before_ && before_->qualified);
    return;
  }
  if (after_) floor_ = after_->begin_min;
  if (before_) ceiling_ = before_->begin_max;
  if (ceiling_ == Timestamp::lowest()) {
    proves_nothing_ = true;
    return;
  }
  const Timestamp last{ceiling_ == Timestamp::highest() ? ceiling_.seconds : ceiling_.seconds - 1};
  from_ = way_ == Way::kOnward ? floor_ : seen(way_, last);
  until_ = way_ == Way::kOnward ? last : seen(way_, floor_);
}

Progress HopRule::start() const {
  Progress at;
  // Before its first hop a certain path has departed at no time: it must not stand for those that have, late.
  if (is_certain()) at.depart = Timestamp::lowest();
  return at;
}

std::optional<TimeWindow> HopRule::window_from(const Progress& at) const {
  if (proves_nothing_) return std::nullopt;
  TimeWindow window{floor_, ceiling_};
  const Timestamp cur = seen(way_, at.cur);
  if (way_ == Way::kOnward) {
    window.begin = std::max(cur, floor_);
    // What lasts for ever is still there at the end of time, where no window begins.
    if (!is_certain()) window.begin = std::min(window.begin, Timestamp{Timestamp::highest().seconds - 1});
  } else if (cur < Timestamp::highest()) {
    window.end = std::min(ceiling_, Timestamp{cur.seconds + 1});
  }
  if (window.begin >= window.end) return std::nullopt;
  return window;
}

std::optional<Progress> HopRule::take_certain(const Progress& at, const TimeBounds& bounds, bool dated) const {
  if (!dated || bounds.qualified || proves_nothing_) return std::nullopt;
  if (after_ && bounds.begin_min < floor_) return std::nullopt;
  if (before_ && bounds.end_max >= ceiling_) return std::nullopt;
  const HopTimes t = hop_times(bounds, way_);
  const bool strict = mode_ == ChronologyMode::kStrict;
  if (at.begun && (strict ? at.cur >= t.first : at.cur > t.first_unit_end)) return std::nullopt;
  if (seen(Way::kBack, strict ? t.first : t.first_unit_end) > other_way_limit_) return std::nullopt;
  return Progress{strict ? t.last : std::max(at.cur, t.last_unit_begin), at.begun ? at.depart : t.first, true};
}

Result<std::optional<Progress>> HopRule::take(const Progress& at, const TimeBounds& bounds, bool dated,
                                              InteractionId id) {
  if (is_certain()) return take_certain(at, bounds, dated);
  const HopTimes t = hop_times(bounds, way_);
  const Timestamp from = std::max({at.cur, from_, seen(Way::kBack, other_way_limit_)});
  if (from > t.last || proves_nothing_) return std::nullopt;
  Timestamp arrival = std::max(from, t.first);
  Timestamp last = t.last;
  if (bounds.has_gaps && from > t.first) {
    DEMARCHE_TRY(const std::span<const TimeRange> members, members_of(id, bounds));
    const auto next = std::partition_point(members.begin(), members.end(),
                                           [from](const TimeRange& range) { return range.last < from; });
    if (next == members.end()) return std::nullopt;
    arrival = std::max(from, next->first);
    last = next->last;
  }
  if (arrival > until_) return std::nullopt;
  return Progress{arrival, std::min({at.depart, last, until_}), true};
}

Result<void> HopRule::take_all(const Progress& at, const TimeBounds& bounds, bool dated, InteractionId id,
                               std::vector<Progress>& out) {
  out.clear();
  if (is_certain() || !bounds.has_gaps) {
    DEMARCHE_TRY(const auto next, take(at, bounds, dated, id));
    if (next) out.push_back(*next);
    return {};
  }
  if (proves_nothing_) return {};
  const Timestamp from = std::max({at.cur, from_, seen(Way::kBack, other_way_limit_)});
  DEMARCHE_TRY(const std::span<const TimeRange> members, members_of(id, bounds));
  auto range =
      std::partition_point(members.begin(), members.end(), [from](const TimeRange& r) { return r.last < from; });
  // A later run of days arrives later, and is worth it only while an earlier one cuts the departure short.
  for (; range != members.end(); ++range) {
    const Progress next{std::max(from, range->first), std::min({at.depart, range->last, until_}), true};
    if (next.cur > until_) return {};
    out.push_back(next);
    if (range->last >= std::min(at.depart, until_)) return {};
  }
  return {};
}

std::optional<Timestamp> HopRule::reusable_until(const TimeBounds& bounds, Timestamp arrived) const {
  if (mode_ == ChronologyMode::kStrict) return std::nullopt;
  const Timestamp until = usable_until(bounds);
  return arrived <= until ? std::optional(until) : std::nullopt;
}

Timestamp HopRule::usable_until(const TimeBounds& bounds) const {
  const HopTimes t = hop_times(bounds, way_);
  if (mode_ == ChronologyMode::kPossibly) return t.last;
  return mode_ == ChronologyMode::kStrict ? t.first : t.first_unit_end;
}

std::int64_t HopRule::duration(const Progress& at, Timestamp last) const {
  if (!at.begun) return 0;
  const Timestamp end = is_certain() ? last : at.cur;
  if (end <= at.depart) return 0;
  if (!end.is_finite() || !at.depart.is_finite()) return kForever;
  std::int64_t seconds = 0;
  return __builtin_sub_overflow(end.seconds, at.depart.seconds, &seconds) ? kForever : seconds;
}

// A set too large to be listed counts as if it had no gaps: possible stays an upper bound.
Result<std::span<const TimeRange>> HopRule::members_of(InteractionId id, const TimeBounds& bounds) {
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
  if (way_ == Way::kBack) {
    std::reverse(ranges.begin(), ranges.end());
    for (TimeRange& range : ranges) range = {seen(way_, range.last), seen(way_, range.first)};
  }
  return std::span<const TimeRange>(members_.emplace(id, std::move(ranges)).first->second);
}

}  // namespace demarche::impl

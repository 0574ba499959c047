#include "engine/valid_time.h"

#include <algorithm>

namespace demarche {

TimeWindow ValidTime::window() const {
  const Timestamp last = period.end_max;
  return {period.begin_min, last.is_finite() ? Timestamp{last.seconds + 1} : last};
}

TimeWindow ValidTime::narrowed(TimeWindow scan) const {
  const TimeWindow own = window();
  const TimeWindow both{std::max(scan.begin, own.begin), std::min(scan.end, own.end)};
  return both.begin < both.end ? both : scan;
}

Result<TimeBounds> half_open_period(const TimeBounds& from, const TimeBounds& to) {
  const auto just_before = [](Timestamp t) { return t.is_finite() ? Timestamp{t.seconds - 1} : t; };
  if (to.begin_max <= from.begin_min) return invalid("the window ends before it begins");
  TimeBounds out;
  out.is_span = true;
  out.qualified = from.qualified || to.qualified;
  out.fine_begin = from.fine_begin;
  out.fine_end = true;
  out.begin_min = from.begin_min;
  out.end_max = just_before(to.begin_max);
  // Readings in which it would end before it begins are none: what is left is in order.
  out.begin_max = std::min(from.begin_max, out.end_max);
  out.end_min = std::max(just_before(to.begin_min), out.begin_min);
  return out;
}

}  // namespace demarche

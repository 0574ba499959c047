// Which interactions a question about a stretch of valid time is about. View::within() leaves out all others, so that
// whoever reads the view, a search along paths too, gets what a store cut to that time would give.
#pragma once

#include <cstdint>

#include "engine/result.h"
#include "engine/types.h"
#include "engine/when.h"

namespace demarche {

// An interaction is in if `its date PREDICATE period` is certain. Undated ones never are.
struct ValidTime {
  TimePredicate predicate = TimePredicate::kOverlaps;
  TimeBounds period;

  [[nodiscard]] bool admits(bool dated, const TimeBounds& bounds) const {
    return dated && evaluate(predicate, bounds, period) == Truth::kTrue;
  }
  // What is in can lie within this window.
  [[nodiscard]] TimeWindow window() const;
  // A window to scan instead of `scan` for rows that meet it and are in. Of two windows that do not meet, `scan` is
  // left as it is: what lasts can meet both.
  [[nodiscard]] TimeWindow narrowed(TimeWindow scan) const;
};

// From the beginning of `from` to right before the beginning of `to`.
// Errors: kInvalidArgument if that is no time at all under every reading.
[[nodiscard]] Result<TimeBounds> half_open_period(const TimeBounds& from, const TimeBounds& to);

}  // namespace demarche

// One pass over the timeline for the earliest arrivals at all actors, in order of time.
//
// Rows are taken day by day of their earliest begin, and each day is closed over until nothing changes. What arrives by
// a day began no later, so one pass is right for kStrict and kDefault whatever the lengths of the dates (Wu et al.,
// PVLDB 2014, section 4, for exact times). kPossibly needs the other search, and so does a row in which not all parties
// are in contact, because there it matters which interactions a path has used (chronology.cc).
#pragma once

#include <optional>
#include <vector>

#include "engine/chronology.h"
#include "engine/result.h"
#include "engine/store.h"

namespace demarche {

class Sweep {
 public:
  // Arrivals ascending by (earliest, actor), without the start. nullopt: these options or rows are not for one pass.
  // Cost: some 5 ns a row of the window. Errors: kCorruption, kIo.
  [[nodiscard]] static Result<std::optional<std::vector<Reached>>> run(const View& view, ActorId from,
                                                                       const ChronologyOptions& options);
  // Rows in the window of `options`, within a block or two each way; counts no further than `enough`.
  // Cost: one block read per some 700 rows.
  [[nodiscard]] static Result<std::uint64_t> rows_in_window(const View& view, const ChronologyOptions& options,
                                                            std::uint64_t enough);
};

}  // namespace demarche

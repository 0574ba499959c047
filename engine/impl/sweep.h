// One pass over the timeline for the earliest arrivals at all actors, in order of time.
//
// Rows are taken day by day of their earliest begin, and each day is closed over until nothing changes. What arrives by
// a day began no later, so one pass is right for kStrict and kDefault whatever the lengths of the dates (Wu et al.,
// PVLDB 2014, section 4, for exact times). kPossibly needs the other search, and so does a row in which not all parties
// are in contact, because there it matters which interactions a path has used (chronology.cc).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/chronology.h"
#include "engine/result.h"
#include "engine/store.h"

namespace demarche {

class Sweep {
 public:
  enum class Outcome : std::uint8_t {
    kDone,
    kRefused,  // these options or rows are not for one pass
    kCut,      // more than `rows_max` rows came
  };
  // Fills `out` with the arrivals, ascending by earliest, without the start, if it is done.
  // Cost: some 4 ns a row of the window. Errors: kCorruption, kIo.
  [[nodiscard]] static Result<Outcome> run(const View& view, ActorId from, const ChronologyOptions& options,
                                           std::uint64_t rows_max, std::vector<Reached>& out);

  // What the view reads with: a pass needs the timeline's blocks, not rows one by one.
  [[nodiscard]] static std::shared_ptr<const impl::ReadState> state_of(const View& view);
};

}  // namespace demarche

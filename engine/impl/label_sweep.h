// One pass over the timeline with labels: every mode, onward and back, arrivals alone or with fewest hops.
//
// Rows come day by day of their begin (going back: of their end). From its day on a row is open until no label can use
// it any more: by default to the end of its day, POSSIBLY until its last possible second, so that undated and lasting
// ones stay open for long. A label (arrival, hops) and a row meet when the later of the two comes: a new row looks at
// the labels of its parties, a new label at the open rows of its actor. What is made on a day lies on it or later, and
// rows that are no longer open could not be used by it, so that nothing is missed. Of an actor's labels those are kept
// of which none is better in both (Wu et al., PVLDB 2014, section 4, keep such lists for one pass over exact times).
//
// A row in which not all parties are in contact is not for this, because there it matters which interactions a path has
// used (label_search.h); among the others a path that uses one twice is never better than the one without the detour.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/chronology.h"
#include "engine/impl/hop_rule.h"
#include "engine/impl/sweep.h"
#include "engine/result.h"
#include "engine/store.h"

namespace demarche {

class LabelSweep {
 public:
  // Fills `out` with the actors reached, sorted by moment, without the start, if it is done; hops and via if they are
  // asked for. Cost: some 150 ns a row of the window. Memory: the rows of some days and of all open ones, 32 bytes a
  // label. Errors: kCorruption, kIo, and what options.check says.
  [[nodiscard]] static Result<Sweep::Outcome> run(const View& view, ActorId from, const ChronologyOptions& options,
                                                  ReachQuestion question, std::uint64_t rows_max,
                                                  std::vector<ReachedInHops>& out);
};

}  // namespace demarche

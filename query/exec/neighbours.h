// Whom one hop of a repeated interaction leads to.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/result.h"
#include "query/exec/pairs.h"

namespace demarche::query {

struct Neighbour {
  InteractionId interaction;
  ActorId actor;
};
using NeighbourList = std::shared_ptr<const std::vector<Neighbour>>;

// Reads the rows of an actor once, tests the conditions on a hop, and keeps what is left while the query runs, up to a
// number of neighbours. Cost of the first question about an actor: a scan of its rows.
class Neighbours {
 public:
  Neighbours(const plan::Walk& walk, std::size_t slots, ExecContext& context);

  // Turns to a row, whose values conditions on a hop may read. REQUIRES: `in` holds until the next call.
  [[nodiscard]] Result<void> begin_row(const Batch& in, std::size_t row);
  // Of `actor` at the left or the right end of the hop as the pattern is written.
  [[nodiscard]] Result<NeighbourList> of(ActorId actor, bool at_left);

 private:
  [[nodiscard]] Result<NeighbourList> load(ActorId actor, bool at_left);
  [[nodiscard]] Result<bool> admits(InteractionId id);

  const plan::Walk& walk_;
  ExecContext& context_;
  std::vector<Slot> outer_slots_;  // that the conditions read
  bool row_matters_;
  Batch hop_;  // one row: what the conditions read
  TimeWindow window_;
  std::unordered_map<ActorId, NeighbourList> lists_[2];  // by at_left
  std::size_t held_ = 0;
};

}  // namespace demarche::query

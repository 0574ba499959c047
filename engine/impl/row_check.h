// The index compared with itself and with the records, row by row.
//
// A pass takes a range of row numbers that fits the memory and notes in a slot for each row what the timeline says. The
// blocks of the actors, the retired rows, the lists of participants and the records are then streamed past it. Whether
// each actor of a row has it, once, is told by sums over the actors; what a sum lacks names the actor if it is one.
#pragma once

#include <cstddef>
#include <functional>

#include "engine/check.h"
#include "engine/impl/kv.h"
#include "engine/impl/record_walk.h"
#include "engine/kind.h"
#include "engine/result.h"

namespace demarche::impl {

struct RowCheckInput {
  const KvReader* reader = nullptr;
  const CommitTable* commits = nullptr;
  const KindTable* kinds = nullptr;
  std::size_t memory_bytes = 0;
  // Called once for each interaction, so that the records are read no more often than needed.
  std::function<Result<void>(const InteractionHistory&)> on_history;
};

// Counts into `report`; faults go to `fault`. Errors: kIo.
[[nodiscard]] Result<void> check_rows(const RowCheckInput& in, const FaultSink& fault, CheckReport& report);

}  // namespace demarche::impl

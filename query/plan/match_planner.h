// Plans one MATCH: in which order its patterns are found.
#pragma once

#include <vector>

#include "query/plan/estimates.h"
#include "query/plan/plan.h"

namespace demarche::query {

// Shares of rows that are guessed to stay, until the store keeps finer statistics.
inline constexpr double kConditionShare = 0.3;

// Puts the operators for `match` above `input`. `live`: the slots that are filled; those of the patterns are added.
[[nodiscard]] plan::NodePtr plan_match(const bound::Match& match, plan::NodePtr input, std::vector<Slot>& live,
                                       const Estimates& estimates, const PlanOptions& options);

}  // namespace demarche::query

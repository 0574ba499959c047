// Bound query to plan: which pattern to start from, how to go on, and where each condition is tested.
//
// Greedy: of all that can be done next, what is expected to leave the fewest rows. A key or a name beats the timeline,
// the timeline beats a label, an expansion into two bound ends beats one from a single end. Conditions are tested as
// soon as all they read is bound; those on an interaction's time also bound the scan that finds it.
#pragma once

#include <string>
#include <vector>

#include "engine/result.h"
#include "query/plan/estimates.h"
#include "query/plan/plan.h"

namespace demarche::query {

[[nodiscard]] Result<plan::Plan> plan_query(bound::Query query, const Estimates& estimates,
                                            const PlanOptions& options = {});

// A line of the plan as an indented tree, last operator first. `node`: what it is about; null for a heading.
struct PlanLine {
  std::string text;
  const plan::Node* node = nullptr;
};
[[nodiscard]] std::vector<PlanLine> plan_lines(const plan::Plan& plan, std::string_view text);

// The same with estimated rows and cost: "(~12 rows, ~3 us)".
[[nodiscard]] std::string explain(const plan::Plan& plan, std::string_view text);

}  // namespace demarche::query

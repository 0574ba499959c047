// What a condition on an interaction's time says about when its possible time can begin and end.
#pragma once

#include <optional>

#include "engine/edtf.h"
#include "engine/types.h"
#include "query/plan/plan.h"

namespace demarche::query {

// Narrows `window` by `interaction OP y`, so that it leaves out only what the condition rules out.
void narrow(TimeWindow& window, ast::BinaryOp op, bool possibly, const TimeBounds& y);

// The window of terms that are the same whatever the row and the parameters; nullopt if one is not, or is no date.
[[nodiscard]] std::optional<TimeWindow> fixed_window(const std::vector<plan::WindowTerm>& terms);

}  // namespace demarche::query

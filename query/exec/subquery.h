// Queries inside expressions.
#pragma once

#include "engine/result.h"
#include "query/bind/bound.h"
#include "query/exec/batch.h"
#include "query/exec/context.h"

namespace demarche::query {

// Value of EXISTS { }, COUNT { } and their kin. `argument`: one row with the body's imports. Runs the body's plan, to
// its first row where that is enough.
[[nodiscard]] Result<Value> evaluate_subquery(const bound::Subquery& subquery, const Batch& argument,
                                              ExecContext& context);

}  // namespace demarche::query

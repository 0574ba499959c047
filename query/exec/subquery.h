// Queries inside expressions.
#pragma once

#include "engine/result.h"
#include "query/bind/bound.h"
#include "query/exec/batch.h"
#include "query/exec/context.h"

namespace demarche::query {

// A body's plan as it is run for one row after the other: its operators stand from row to row where they can be set
// back, and what EXISTS and COUNT answer is kept by the actors that they ask about.
struct SubqueryRun;

// The run of a body, made at the first call.
[[nodiscard]] SubqueryRun& subquery_run(const bound::Subquery& subquery, ExecContext& context, std::size_t slot_count);
// Slots of the row around that set_argument() must be called for, each once, before evaluate_subquery().
[[nodiscard]] const std::vector<Slot>& subquery_reads(const SubqueryRun& run);
void set_argument(SubqueryRun& run, Slot slot, Value v);

// Value of EXISTS { }, COUNT { } and their kin. Runs the body's plan, to its first row where that is enough.
[[nodiscard]] Result<Value> evaluate_subquery(const bound::Subquery& subquery, SubqueryRun& run, ExecContext& context);

}  // namespace demarche::query

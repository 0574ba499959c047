// Expressions computed a column at a time: what is asked most often without a step through the tree for each row, all
// else by evaluate(). The values are the same; which row's error is found first may differ.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/result.h"
#include "query/bind/bound.h"
#include "query/exec/batch.h"
#include "query/exec/context.h"

namespace demarche::query {

// Rows of a batch, ascending.
using RowNumbers = std::vector<std::uint32_t>;

// Makes `rows` all rows of the batch.
void select_all(const Batch& batch, RowNumbers& rows);

// Values of `expr` for the rows given, in their order, into `out`.
[[nodiscard]] Result<void> evaluate_rows(const bound::Expr& expr, const Batch& batch, const RowNumbers& rows,
                                         ExecContext& context, ColumnValues& out);

// Leaves of `rows` those for which the condition is true. Errors: TypeError if it is no boolean.
[[nodiscard]] Result<void> keep_true(const bound::Expr& condition, const Batch& batch, ExecContext& context,
                                     RowNumbers& rows);

// The slot of the interaction whose date the expression is: c, c.when. `plain`: it is the interaction itself.
struct DatedSlot {
  Slot slot = 0;
  bool plain = false;
};
[[nodiscard]] std::optional<DatedSlot> dated_slot(const bound::Expr& expr);

}  // namespace demarche::query

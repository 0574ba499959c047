// Values of expressions for the rows of a batch.
#pragma once

#include "engine/result.h"
#include "query/bind/bound.h"
#include "query/exec/batch.h"
#include "query/exec/context.h"

namespace demarche::query {

// Value of `expr` for one row. Errors carry the place in the query.
[[nodiscard]] Result<Value> evaluate(const bound::Expr& expr, const Batch& batch, std::size_t row,
                                     ExecContext& context);

// The same for all rows, into `out`.
[[nodiscard]] Result<void> evaluate_column(const bound::Expr& expr, const Batch& batch, ExecContext& context,
                                           ColumnValues& out);

// A predicate: true, false or unknown. Errors: TypeError if the value is no boolean.
[[nodiscard]] Result<Truth> evaluate_truth(const bound::Expr& expr, const Batch& batch, std::size_t row,
                                           ExecContext& context);

// A comparison of two values as the language has it: a text beside a date is read as a date.
[[nodiscard]] Result<Truth> compare_values(ast::CompareOp op, const Value& left, const Value& right, Span span);

// What a value says about time: an interaction's own date, a date, a text read as one. nullopt: null.
struct TimeOperand {
  TimeBounds bounds;
  InteractionId owner;   // 0: not an interaction's own date
  bool undated = false;  // an interaction without a date
};
[[nodiscard]] Result<std::optional<TimeOperand>> time_operand(const Value& value, Span span, ExecContext& context);

// Property of an actor, interaction, date or map; null if it is not there.
[[nodiscard]] Result<Value> property_of(const Value& object, const std::string& key, Span span, ExecContext& context);

// A whole number given to SKIP or LIMIT, without a row.
[[nodiscard]] Result<std::size_t> evaluate_count(const bound::Expr& expr, ExecContext& context);

// Gives an error of the language that has no place yet the place in the query.
[[nodiscard]] Error placed(Error error, Span span);

[[nodiscard]] tl::unexpected<Error> runtime_error(std::string type, std::string detail, Span span, std::string message);

}  // namespace demarche::query

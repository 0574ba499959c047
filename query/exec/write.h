// Shared by the operators that write (write.cc, update.cc). They change the statement's transaction; the statement
// commits it.
#pragma once

#include <string>

#include "engine/when.h"
#include "query/exec/operators.h"

namespace demarche::query {

// Takes all rows before it hands out the first: what a statement writes must not be met by its own reading.
[[nodiscard]] OperatorPtr make_eager(OperatorPtr input, std::size_t slots, ExecContext& context);
// SET, REMOVE, DELETE, MERGE.
[[nodiscard]] OperatorPtr make_update(const plan::Node& node, OperatorPtr input, std::size_t slots,
                                      ExecContext& context);

// Creates the items for the row that is being made at the end of `out`, and fills their slots.
[[nodiscard]] Result<void> create_items(const bound::Create& create, Batch& out, ExecContext& context);

// A map of properties; an empty one for null or for no expression.
[[nodiscard]] Result<ValueMap> evaluate_map(const bound::ExprPtr& expr, const Batch& in, std::size_t row,
                                            ExecContext& context);
[[nodiscard]] Result<When> to_when(const Value& v, Span span);
[[nodiscard]] Result<Status> to_status(const std::string& text, Span span);
[[nodiscard]] Result<PropertyValue> to_stored(const std::string& key, const Value& value, Span span);

// What `claim` says, its source looked up by key. Errors: EntityNotFound for an unknown source.
[[nodiscard]] Result<Claim> make_claim(const bound::RecordClaim& claim, const Batch& in, std::size_t row,
                                       ExecContext& context);
// Sets a field of an interaction where the value fits it, else a property of that name; null removes both.
[[nodiscard]] Result<void> set_value(Interaction& record, const std::string& key, const Value& value, Span span,
                                     ExecContext& context);
// The operator of CORRECT and RETRACT.
[[nodiscard]] OperatorPtr make_correct(const plan::Node& node, OperatorPtr input, std::size_t slots,
                                       ExecContext& context);

// The engine's error with the place in the query.
[[nodiscard]] Error at(Error error, Span span);

// The end of a statement: actors deleted while they took part in something must not do so any more.
// Errors: ConstraintVerificationFailed.
[[nodiscard]] Result<void> finish_deletes(ExecContext& context);

}  // namespace demarche::query

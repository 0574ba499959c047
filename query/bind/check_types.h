// Mistakes of type that need no data: found before the query runs, so that an empty store does not hide them.
#pragma once

#include <optional>

#include "query/bind/bind_expression.h"

namespace demarche::query {

// What a bound expression is, whatever the data, unless it is null; nullopt if that depends.
[[nodiscard]] std::optional<ValueKind> sure_kind(const bound::Expr& expr, const BindContext& context);

// Remembers that a slot holds `kind` or null.
void note_kind(Slot slot, std::optional<ValueKind> kind, const BindContext& context);

// Errors: InvalidArgumentType where no data could make the expression right.
[[nodiscard]] Result<void> check_property(const bound::Expr& object, Span span, const BindContext& context);
[[nodiscard]] Result<void> check_index(const bound::Expr& object, Span span, const BindContext& context);
[[nodiscard]] Result<void> check_operands(ast::BinaryOp op, const bound::Expr& left, const bound::Expr& right,
                                          Span span, const BindContext& context);
[[nodiscard]] Result<void> check_arguments(const bound::Function& call, Span span, const BindContext& context);

}  // namespace demarche::query

// Binds the queries that stand inside expressions and clauses.
#pragma once

#include "engine/result.h"
#include "query/bind/bind_expression.h"
#include "query/bind/scope.h"
#include "query/parse/ast.h"

namespace demarche::query {

// EXISTS { }, COUNT { }, a pattern as a condition, a pattern comprehension. What is in `scope` can be read inside;
// names made inside end there.
[[nodiscard]] Result<bound::ExprPtr> bind_subquery(Span span, const ast::Subquery& node, const Scope& scope,
                                                   const BindContext& context);

}  // namespace demarche::query

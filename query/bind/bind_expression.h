// Binds expressions against a scope; knows about aggregates where they are allowed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "query/bind/scope.h"
#include "query/parse/ast.h"

namespace demarche::query {

// What a whole query shares while it is bound.
struct BindContext {
  std::string_view text;
  const KindTable* kinds = nullptr;
  bound::Query* query = nullptr;

  [[nodiscard]] Slot new_slot(std::string name) const {
    query->slot_names.push_back(std::move(name));
    return query->slot_count++;
  }
  [[nodiscard]] std::string_view written(Span span) const { return text.substr(span.offset, span.length); }
};

// Where aggregates are allowed, and what has been found of them.
struct Aggregation {
  std::vector<bound::Aggregate> found;
  std::vector<std::pair<std::string, Slot>> keys;  // grouping expressions by their text
  // false: beside an aggregate, where of the keys only variables and their properties may be read.
  bool any_key = false;
  bool sealed = false;  // after grouping: no aggregate can be added to those found
};

// With `aggregation` null an aggregate is an error. With it, each aggregate becomes a slot, and outside of aggregates
// only grouping keys may be read (AmbiguousAggregationExpression).
[[nodiscard]] Result<bound::ExprPtr> bind_expression(const ast::Expr& expr, const Scope& scope,
                                                     const BindContext& context, Aggregation* aggregation = nullptr);

// A condition, where a pattern may stand for "there is such a path".
[[nodiscard]] Result<bound::ExprPtr> bind_condition(const ast::Expr& expr, const Scope& scope,
                                                    const BindContext& context);

[[nodiscard]] bool contains_aggregate(const ast::Expr& expr);

[[nodiscard]] bound::ExprPtr make_expr(Span span, decltype(bound::Expr::node) node);

}  // namespace demarche::query

// Looking through expressions as they were written.
#pragma once

#include <type_traits>
#include <variant>

#include "engine/result.h"
#include "query/parse/ast.h"

namespace demarche::query {

namespace ast {

// The parts of an expression; of a query inside it, none.
template <typename Use>
void for_each_child(const ast::Expr& expr, Use use) {
  const auto maybe = [&](const ast::ExprPtr& child) {
    if (child) use(*child);
  };
  std::visit(
      [&](const auto& node) {
        using T = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<T, ast::PropertyOf>) {
          maybe(node.object);
        } else if constexpr (std::is_same_v<T, ast::Unary>) {
          maybe(node.operand);
        } else if constexpr (std::is_same_v<T, ast::Binary>) {
          maybe(node.left);
          maybe(node.right);
        } else if constexpr (std::is_same_v<T, ast::Comparison>) {
          maybe(node.first);
          for (const auto& [op, operand] : node.rest) maybe(operand);
        } else if constexpr (std::is_same_v<T, ast::Call>) {
          for (const auto& argument : node.arguments) maybe(argument);
        } else if constexpr (std::is_same_v<T, ast::ListOf>) {
          for (const auto& item : node.items) maybe(item);
        } else if constexpr (std::is_same_v<T, ast::MapOf>) {
          for (const auto& [key, value] : node.entries) maybe(value);
        } else if constexpr (std::is_same_v<T, ast::ElementAt>) {
          maybe(node.object);
          maybe(node.index);
        } else if constexpr (std::is_same_v<T, ast::SliceOf>) {
          maybe(node.object);
          maybe(node.from);
          maybe(node.to);
        } else if constexpr (std::is_same_v<T, ast::CaseOf>) {
          maybe(node.subject);
          for (const auto& [condition, result] : node.branches) {
            maybe(condition);
            maybe(result);
          }
          maybe(node.otherwise);
        } else if constexpr (std::is_same_v<T, ast::HasLabels>) {
          maybe(node.subject);
        } else if constexpr (std::is_same_v<T, ast::ListScan>) {
          maybe(node.list);
          maybe(node.condition);
          maybe(node.result);
        } else if constexpr (std::is_same_v<T, ast::Reduce>) {
          maybe(node.start);
          maybe(node.list);
          maybe(node.step);
        }
      },
      expr.node);
}

}  // namespace ast

// A pattern may stand for "there is such a path" where a condition is asked for and nowhere else. `condition`: `expr`
// stands in such a place. Errors: UnexpectedSyntax.
[[nodiscard]] Result<void> check_patterns(const ast::Expr& expr, bool condition);

[[nodiscard]] bool is_pattern(const ast::Expr& expr);  // (a)-->(b) and nothing else
[[nodiscard]] bool contains_subquery(const ast::Expr& expr);
// Does it ask for random numbers?
[[nodiscard]] bool is_random(const ast::Expr& expr);

}  // namespace demarche::query

#include "query/bind/ast_walk.h"

#include <algorithm>
#include <string_view>

#include "query/parse/lexer.h"

namespace demarche::query {

namespace {

bool is_call_of(const ast::Expr& expr, std::string_view lower_name) {
  const auto* call = std::get_if<ast::Call>(&expr.node);
  if (call == nullptr) return false;
  return std::equal(call->name.begin(), call->name.end(), lower_name.begin(), lower_name.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
}

// Is `child` a condition if `parent` is one, or whatever `parent` is?
bool keeps_condition(const ast::Expr& parent, bool condition, const ast::Expr& child) {
  if (const auto* unary = std::get_if<ast::Unary>(&parent.node)) {
    return condition && (unary->op == ast::UnaryOp::kNot || unary->op == ast::UnaryOp::kPossibly);
  }
  if (const auto* binary = std::get_if<ast::Binary>(&parent.node)) {
    return condition &&
           (binary->op == ast::BinaryOp::kAnd || binary->op == ast::BinaryOp::kOr || binary->op == ast::BinaryOp::kXor);
  }
  if (const auto* scan = std::get_if<ast::ListScan>(&parent.node)) return &child == scan->condition.get();
  if (const auto* branches = std::get_if<ast::CaseOf>(&parent.node)) {
    return !branches->subject && std::any_of(branches->branches.begin(), branches->branches.end(),
                                             [&](const auto& branch) { return &child == branch.first.get(); });
  }
  return is_call_of(parent, "exists");
}

}  // namespace

Result<void> check_patterns(const ast::Expr& expr, bool condition) {
  if (is_pattern(expr) && !condition) {
    return syntax_error("UnexpectedSyntax", expr.span,
                        "a pattern stands for true or false in conditions only; write EXISTS { } or COUNT { } around "
                        "it, or [pattern | value]");
  }
  Result<void> out;
  ast::for_each_child(expr, [&](const ast::Expr& child) {
    if (out) out = check_patterns(child, keeps_condition(expr, condition, child));
  });
  return out;
}

bool is_pattern(const ast::Expr& expr) {
  const auto* subquery = std::get_if<ast::Subquery>(&expr.node);
  return subquery != nullptr && subquery->kind == ast::Subquery::Kind::kPattern;
}

bool contains_subquery(const ast::Expr& expr) {
  bool found = std::holds_alternative<ast::Subquery>(expr.node);
  ast::for_each_child(expr, [&](const ast::Expr& child) { found = found || contains_subquery(child); });
  return found;
}

bool is_random(const ast::Expr& expr) {
  bool found = is_call_of(expr, "rand");
  ast::for_each_child(expr, [&](const ast::Expr& child) { found = found || is_random(child); });
  return found;
}

}  // namespace demarche::query

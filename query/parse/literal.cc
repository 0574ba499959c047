#include "query/parse/parser.h"
#include "query/value.h"

namespace demarche::query {

namespace {

Result<Value> constant(const ast::Expr& expr, std::string_view text) {
  if (const auto* literal = std::get_if<ast::Literal>(&expr.node)) return literal->value;
  if (const auto* date = std::get_if<ast::DateLiteral>(&expr.node)) {
    DEMARCHE_TRY(const Edtf edtf, parse_edtf(date->text));
    return Value::date(date_literal(edtf));
  }
  if (const auto* unary = std::get_if<ast::Unary>(&expr.node); unary != nullptr && unary->op == ast::UnaryOp::kMinus) {
    DEMARCHE_TRY(const Value v, constant(*unary->operand, text));
    if (v.kind() == ValueKind::kFloat) return Value::real(-v.as_real());
  }
  if (const auto* list = std::get_if<ast::ListOf>(&expr.node)) {
    ValueList items;
    for (const ast::ExprPtr& item : list->items) {
      DEMARCHE_TRY(Value v, constant(*item, text));
      items.push_back(std::move(v));
    }
    return Value::list(std::move(items));
  }
  if (const auto* map = std::get_if<ast::MapOf>(&expr.node)) {
    ValueMap entries;
    for (const auto& [key, item] : map->entries) {
      DEMARCHE_TRY(Value v, constant(*item, text));
      entries.emplace_back(key, std::move(v));
    }
    return Value::map(std::move(entries));
  }
  return invalid("'" + std::string(text) +
                 "' is not a plain value; write a number, 'text', true, null, [..], {..} or DATE '..'");
}

}  // namespace

Result<Value> parse_literal(std::string_view text) {
  const std::string query = "RETURN " + std::string(text) + " AS value";
  auto parsed = parse_query(query);
  if (!parsed) return invalid("'" + std::string(text) + "' is not a value: " + parsed.error().message);
  const auto* result = std::get_if<ast::Return>(&parsed->clauses.front().node);
  if (result == nullptr || result->projection.items.size() != 1)
    return invalid("'" + std::string(text) + "' is not one value");
  return constant(*result->projection.items.front().expression, text);
}

}  // namespace demarche::query

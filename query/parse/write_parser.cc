#include "query/parse/write_parser.h"

#include <utility>

namespace demarche::query {

using namespace ast;  // NOLINT(google-build-using-namespace): this file builds nothing else

namespace {

using Op = Change::Op;

}  // namespace

Result<std::optional<WriteParser::Node>> WriteParser::parse_write() {
  if (take_word("SET")) {
    DEMARCHE_TRY(std::vector<Change> changes, parse_changes());
    return Node(Update{std::move(changes)});
  }
  if (take_word("REMOVE")) {
    DEMARCHE_TRY(Update update, parse_remove());
    return Node(std::move(update));
  }
  if (is_word("DELETE") || (is_word("DETACH") && is_word("DELETE", 1))) {
    DEMARCHE_TRY(Delete node, parse_delete());
    return Node(std::move(node));
  }
  if (take_word("MERGE")) {
    DEMARCHE_TRY(Merge node, parse_merge());
    return Node(std::move(node));
  }
  return std::optional<Node>();
}

Result<std::vector<Change>> WriteParser::parse_changes() {
  std::vector<Change> out;
  do {
    DEMARCHE_TRY(Change change, parse_change());
    out.push_back(std::move(change));
  } while (take_symbol(","));
  return out;
}

// a.key = value, a = map, a += map, a:Label
Result<Change> WriteParser::parse_change() {
  const std::size_t first = at_;
  Change out;
  DEMARCHE_TRY(ExprPtr target, parse_postfix());
  if (auto* labels = std::get_if<HasLabels>(&target->node)) {
    out.op = Op::kLabels;
    out.labels = std::move(labels->labels);
    out.target = std::move(labels->subject);
  } else if (auto* property = std::get_if<PropertyOf>(&target->node)) {
    DEMARCHE_CHECK(need_symbol("=", "and the property's new value"));
    out.key = std::move(property->key);
    out.target = std::move(property->object);
  } else if (std::holds_alternative<VariableRef>(target->node)) {
    out.op = take_symbol("+=") ? Op::kAdd : Op::kReplace;
    if (out.op == Op::kReplace) DEMARCHE_CHECK(need_symbol("=", "or '+=' and a map of properties"));
    out.target = std::move(target);
  } else {
    return syntax_error("UnexpectedSyntax", target->span, "SET takes a.property = value, a = map, a += map or a:Label");
  }
  if (out.op != Op::kLabels) DEMARCHE_ASSIGN(out.value, parse_expression());
  out.span = span_from(first);
  return out;
}

Result<Update> WriteParser::parse_remove() {
  Update out;
  do {
    const std::size_t first = at_;
    Change change;
    DEMARCHE_TRY(ExprPtr target, parse_postfix());
    if (auto* labels = std::get_if<HasLabels>(&target->node)) {
      change.op = Op::kRemoveLabels;
      change.labels = std::move(labels->labels);
      change.target = std::move(labels->subject);
    } else if (auto* property = std::get_if<PropertyOf>(&target->node)) {
      change.op = Op::kRemoveProperty;
      change.key = std::move(property->key);
      change.target = std::move(property->object);
    } else {
      return syntax_error("UnexpectedSyntax", target->span,
                          "REMOVE takes a.property or a:Label; DELETE removes actors and interactions");
    }
    change.span = span_from(first);
    out.changes.push_back(std::move(change));
  } while (take_symbol(","));
  return out;
}

Result<Delete> WriteParser::parse_delete() {
  Delete out;
  out.detach = take_word("DETACH");
  take();
  do {
    DEMARCHE_TRY(ExprPtr what, parse_expression());
    out.what.push_back(std::move(what));
  } while (take_symbol(","));
  return out;
}

Result<Merge> WriteParser::parse_merge() {
  Merge out;
  DEMARCHE_ASSIGN(out.pattern, parse_path());
  while (take_word("ON")) {
    const bool on_match = take_word("MATCH");
    if (!on_match && !take_word("CREATE")) return expected("CREATE or MATCH");
    DEMARCHE_CHECK(need_word("SET"));
    DEMARCHE_TRY(std::vector<Change> changes, parse_changes());
    std::vector<Change>& all = on_match ? out.on_match : out.on_create;
    for (Change& change : changes) all.push_back(std::move(change));
  }
  return out;
}

}  // namespace demarche::query

// The rules for SET, REMOVE, DELETE and MERGE: a part of the parser in a file of its own.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "query/parse/ast.h"
#include "query/parse/lexer.h"

namespace demarche::query {

// `Parser` is the class of parser.cc, whose rules for tokens, patterns and expressions are used.
template <typename Parser>
class WriteClauses {
 public:
  explicit WriteClauses(Parser& parser) : p_(parser) {}

  using Node = std::variant<ast::Update, ast::Delete, ast::Merge>;

  // nullopt if none of these clauses begins here.
  [[nodiscard]] Result<std::optional<Node>> parse() {
    if (p_.take_word("SET")) {
      DEMARCHE_TRY(std::vector<ast::Change> changes, parse_changes());
      return Node(ast::Update{std::move(changes)});
    }
    if (p_.take_word("REMOVE")) {
      DEMARCHE_TRY(ast::Update update, parse_remove());
      return Node(std::move(update));
    }
    if (p_.is_word("DELETE") || (p_.is_word("DETACH") && p_.is_word("DELETE", 1))) {
      DEMARCHE_TRY(ast::Delete node, parse_delete());
      return Node(std::move(node));
    }
    if (p_.take_word("MERGE")) {
      DEMARCHE_TRY(ast::Merge node, parse_merge());
      return Node(std::move(node));
    }
    return std::optional<Node>();
  }

 private:
  using Op = ast::Change::Op;

  [[nodiscard]] Result<std::vector<ast::Change>> parse_changes() {
    std::vector<ast::Change> out;
    do {
      DEMARCHE_TRY(ast::Change change, parse_change());
      out.push_back(std::move(change));
    } while (p_.take_symbol(","));
    return out;
  }

  // a.key = value, a = map, a += map, a:Label
  [[nodiscard]] Result<ast::Change> parse_change() {
    const std::size_t first = p_.at_;
    ast::Change out;
    DEMARCHE_TRY(ast::ExprPtr target, p_.parse_postfix());
    if (auto* labels = std::get_if<ast::HasLabels>(&target->node)) {
      out.op = Op::kLabels;
      out.labels = std::move(labels->labels);
      out.target = std::move(labels->subject);
    } else if (auto* property = std::get_if<ast::PropertyOf>(&target->node)) {
      DEMARCHE_CHECK(p_.need_symbol("=", "and the property's new value"));
      out.key = std::move(property->key);
      out.target = std::move(property->object);
    } else if (std::holds_alternative<ast::VariableRef>(target->node)) {
      out.op = p_.take_symbol("+=") ? Op::kAdd : Op::kReplace;
      if (out.op == Op::kReplace) DEMARCHE_CHECK(p_.need_symbol("=", "or '+=' and a map of properties"));
      out.target = std::move(target);
    } else {
      return syntax_error("UnexpectedSyntax", target->span,
                          "SET takes a.property = value, a = map, a += map or a:Label");
    }
    if (out.op != Op::kLabels) DEMARCHE_ASSIGN(out.value, p_.parse_expression());
    out.span = p_.span_from(first);
    return out;
  }

  [[nodiscard]] Result<ast::Update> parse_remove() {
    ast::Update out;
    do {
      const std::size_t first = p_.at_;
      ast::Change change;
      DEMARCHE_TRY(ast::ExprPtr target, p_.parse_postfix());
      if (auto* labels = std::get_if<ast::HasLabels>(&target->node)) {
        change.op = Op::kRemoveLabels;
        change.labels = std::move(labels->labels);
        change.target = std::move(labels->subject);
      } else if (auto* property = std::get_if<ast::PropertyOf>(&target->node)) {
        change.op = Op::kRemoveProperty;
        change.key = std::move(property->key);
        change.target = std::move(property->object);
      } else {
        return syntax_error("UnexpectedSyntax", target->span,
                            "REMOVE takes a.property or a:Label; DELETE removes actors and interactions");
      }
      change.span = p_.span_from(first);
      out.changes.push_back(std::move(change));
    } while (p_.take_symbol(","));
    return out;
  }

  [[nodiscard]] Result<ast::Delete> parse_delete() {
    ast::Delete out;
    out.detach = p_.take_word("DETACH");
    p_.take();
    do {
      DEMARCHE_TRY(ast::ExprPtr what, p_.parse_expression());
      out.what.push_back(std::move(what));
    } while (p_.take_symbol(","));
    return out;
  }

  [[nodiscard]] Result<ast::Merge> parse_merge() {
    ast::Merge out;
    DEMARCHE_ASSIGN(out.pattern, p_.parse_path());
    while (p_.take_word("ON")) {
      const bool on_match = p_.take_word("MATCH");
      if (!on_match && !p_.take_word("CREATE")) return p_.expected("CREATE or MATCH");
      DEMARCHE_CHECK(p_.need_word("SET"));
      DEMARCHE_TRY(std::vector<ast::Change> changes, parse_changes());
      std::vector<ast::Change>& all = on_match ? out.on_match : out.on_create;
      for (ast::Change& change : changes) all.push_back(std::move(change));
    }
    return out;
  }

  Parser& p_;
};

}  // namespace demarche::query

#include "query/bind/bind_write.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "query/bind/check_types.h"
#include "query/parse/lexer.h"

namespace demarche::query {

namespace {

using Op = ast::Change::Op;
using bound::ExprPtr;

// :A:B, as names.
Result<void> plain_labels(const ast::LabelExpr& expr, std::vector<std::string>& out) {
  if (expr.op == ast::LabelExpr::Op::kName) {
    out.push_back(expr.name);
    return {};
  }
  if (expr.op != ast::LabelExpr::Op::kAnd)
    return fault("SyntaxError", "InvalidLabelExpression", expr.span, "plain labels are needed here; write :A:B");
  for (const ast::LabelExpr& operand : expr.operands) DEMARCHE_CHECK(plain_labels(operand, out));
  return {};
}

// Surely neither an actor nor an interaction, nor a list or map that holds some.
bool is_no_record(const bound::Expr& expr, const BindContext& context) {
  const auto kind = sure_kind(expr, context);
  return (kind && *kind != ValueKind::kActor && *kind != ValueKind::kInteraction && *kind != ValueKind::kPath) ||
         std::holds_alternative<bound::Binary>(expr.node) || std::holds_alternative<bound::Unary>(expr.node);
}

Result<bound::Change> bind_change(const ast::Change& node, const Scope& scope, const BindContext& context) {
  bound::Change out;
  out.op = node.op;
  out.key = node.key;
  out.span = node.span;
  DEMARCHE_ASSIGN(out.target, bind_expression(*node.target, scope, context));
  if (is_no_record(*out.target, context) || sure_kind(*out.target, context) == ValueKind::kPath) {
    return fault("SyntaxError", "InvalidArgumentType", node.target->span,
                 "only actors and interactions have properties that can be changed");
  }
  if (node.op == Op::kLabels || node.op == Op::kRemoveLabels) DEMARCHE_CHECK(plain_labels(node.labels, out.labels));
  if (node.value) DEMARCHE_ASSIGN(out.value, bind_expression(*node.value, scope, context));
  return out;
}

Result<std::vector<bound::Change>> bind_changes(const std::vector<ast::Change>& nodes, const Scope& scope,
                                                const BindContext& context) {
  std::vector<bound::Change> out;
  for (const ast::Change& node : nodes) {
    DEMARCHE_TRY(bound::Change change, bind_change(node, scope, context));
    out.push_back(std::move(change));
  }
  return out;
}

const Variable* find_named(const Scope& scope, const std::string& name) {
  return name.empty() ? nullptr : scope.find(name);
}

}  // namespace

Result<bound::Update> bind_update(const ast::Update& node, const Scope& scope, const BindContext& context) {
  DEMARCHE_TRY(std::vector<bound::Change> changes, bind_changes(node.changes, scope, context));
  return bound::Update{std::move(changes)};
}

Result<bound::Delete> bind_delete(const ast::Delete& node, const Scope& scope, const BindContext& context) {
  bound::Delete out;
  out.detach = node.detach;
  for (const ast::ExprPtr& what : node.what) {
    if (std::holds_alternative<ast::HasLabels>(what->node)) {
      return fault("SyntaxError", "InvalidDelete", what->span,
                   "DELETE removes whole actors and interactions; REMOVE takes labels away");
    }
    DEMARCHE_TRY(bound::ExprPtr bound, bind_expression(*what, scope, context));
    if (is_no_record(*bound, context)) {
      return fault("SyntaxError", "InvalidArgumentType", what->span,
                   "DELETE takes actors, interactions and paths; REMOVE takes properties away");
    }
    out.what.push_back(std::move(bound));
  }
  return out;
}

Result<bound::Correct> bind_correct(const ast::Clause& clause, const ast::Correct& node, const BindContext& context) {
  const Scope nothing;
  bound::Correct out;
  out.retract = node.retract;
  out.span = clause.span;
  DEMARCHE_ASSIGN(out.interaction, bind_expression(*node.interaction, nothing, context));
  DEMARCHE_ASSIGN(out.reason, bind_expression(*node.reason, nothing, context));
  for (const ast::Correct::Field& field : node.fields) {
    for (const char* fixed : {"id", "participants", "claims"}) {
      if (field.name != fixed) continue;
      return fault(
          "SyntaxError", "InvalidPropertyName", field.span,
          fmt::format("'{}' cannot be set by CORRECT; a claim is added with SOURCE, and where others took part "
                      "RETRACT what is wrong and RECORD what is right",
                      fixed));
    }
    DEMARCHE_TRY(ExprPtr value, bind_expression(*field.value, nothing, context));
    out.fields.push_back({field.name, std::move(value), field.span});
  }
  for (const ast::RecordClaim& claim : node.claims) {
    bound::RecordClaim bound_claim;
    bound_claim.span = claim.source->span;
    DEMARCHE_ASSIGN(bound_claim.source, bind_expression(*claim.source, nothing, context));
    if (claim.properties) DEMARCHE_ASSIGN(bound_claim.properties, bind_expression(*claim.properties, nothing, context));
    out.claims.push_back(std::move(bound_claim));
  }
  return out;
}

Result<void> check_merge(const ast::Merge& node, const Scope& scope) {
  const ast::PathPattern& pattern = node.pattern;
  if (pattern.stands_alone()) {
    return fault("SyntaxError", "UnsupportedFeature", pattern.span,
                 "MERGE makes interactions between actors; write (a)-[:KIND]->(b)");
  }
  for (const ast::ActorPattern& actor : pattern.actors) {
    const bool taken = find_named(scope, actor.variable) != nullptr;
    if (!taken || (pattern.actors.size() > 1 && !actor.labels && !actor.properties)) continue;
    return fault("SyntaxError", "VariableAlreadyBound", actor.span,
                 fmt::format("'{}' is there already; name it alone, in an interaction", actor.variable));
  }
  for (const ast::InteractionPattern& p : pattern.interactions) {
    if (find_named(scope, p.variable) != nullptr) {
      return fault("SyntaxError", "VariableAlreadyBound", p.span,
                   fmt::format("'{}' is there already; choose another name", p.variable));
    }
    if (!p.kinds || p.kinds->op != ast::LabelExpr::Op::kName) {
      return fault("SyntaxError", "NoSingleRelationshipType", p.span,
                   "MERGE needs exactly one kind, as in -[:MEETING]->");
    }
  }
  return {};
}

Result<bound::Merge> bind_merge(const ast::Merge& node, bound::Match match, const Scope& scope, const Scope& after,
                                const BindContext& context) {
  const ast::PathPattern& pattern = node.pattern;
  bound::Merge out;
  std::vector<Slot> actors;
  for (std::size_t i = 0; i < pattern.actors.size(); ++i) {
    const std::size_t index = match.edges.empty() ? 0 : (i == 0 ? match.edges[0].left : match.edges[i - 1].right);
    const Slot slot = match.actors[index].slot;
    const bool again = std::find(actors.begin(), actors.end(), slot) != actors.end();
    actors.push_back(slot);
    const ast::ActorPattern& actor = pattern.actors[i];
    if (again || find_named(scope, actor.variable) != nullptr) continue;
    bound::CreateActor create;
    create.slot = slot;
    create.span = actor.span;
    if (actor.labels) DEMARCHE_CHECK(plain_labels(*actor.labels, create.labels));
    if (actor.properties) DEMARCHE_ASSIGN(create.properties, bind_expression(*actor.properties, scope, context));
    out.create.items.emplace_back(std::move(create));
  }
  std::vector<Slot> edges;
  for (std::size_t i = 0; i < pattern.interactions.size(); ++i) {
    const ast::InteractionPattern& p = pattern.interactions[i];
    bound::CreateInteraction create;
    create.slot = match.edges[i].slot;
    create.span = p.span;
    create.kind = p.kinds->name;
    const bool left = p.direction == ast::Direction::kLeft;  // without an arrow it leads to the right
    create.from = left ? actors[i + 1] : actors[i];
    create.to = left ? actors[i] : actors[i + 1];
    if (p.properties) DEMARCHE_ASSIGN(create.properties, bind_expression(*p.properties, scope, context));
    edges.push_back(create.slot);
    out.create.items.emplace_back(std::move(create));
  }
  for (const bound::PathVariable& path : match.paths) out.create.paths.push_back({path.slot, {actors, edges}});
  DEMARCHE_ASSIGN(out.on_create, bind_changes(node.on_create, after, context));
  DEMARCHE_ASSIGN(out.on_match, bind_changes(node.on_match, after, context));
  out.match = std::move(match);
  return out;
}

}  // namespace demarche::query

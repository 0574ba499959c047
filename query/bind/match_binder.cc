#include "query/bind/match_binder.h"

#include <utility>

#include <fmt/format.h>

#include "engine/names.h"
#include "query/bind/check_types.h"
#include "query/parse/lexer.h"

namespace demarche::query {

using bound::ExprPtr;

namespace {

bool kind_matches(const ast::LabelExpr& expr, KindId kind, const KindTable& table) {
  switch (expr.op) {
    case ast::LabelExpr::Op::kAny:
      return true;
    case ast::LabelExpr::Op::kNot:
      return !kind_matches(expr.operands[0], kind, table);
    case ast::LabelExpr::Op::kAnd:
      return kind_matches(expr.operands[0], kind, table) && kind_matches(expr.operands[1], kind, table);
    case ast::LabelExpr::Op::kOr:
      return kind_matches(expr.operands[0], kind, table) || kind_matches(expr.operands[1], kind, table);
    case ast::LabelExpr::Op::kName:
      break;
  }
  const auto named = table.find(expr.name);
  return named && table.is_below(kind, *named);
}

using PathKind = ast::PathSearch::Kind;

}  // namespace

// Cuts a condition at its ANDs, so that each part can be tested as soon as what it reads is there.
void split_conjuncts(const ExprPtr& expr, std::vector<ExprPtr>& out) {
  if (const auto* binary = std::get_if<bound::Binary>(&expr->node);
      binary != nullptr && binary->op == ast::BinaryOp::kAnd) {
    split_conjuncts(binary->left, out);
    split_conjuncts(binary->right, out);
    return;
  }
  out.push_back(expr);
}

const char* type_text(SlotType type) {
  switch (type) {
    case SlotType::kActor:
      return "an actor";
    case SlotType::kInteraction:
      return "an interaction";
    case SlotType::kPath:
      return "a path";
    case SlotType::kList:
      return "a list";
    case SlotType::kScalar:
    case SlotType::kValue:
      return "a value";
  }
  return "";
}

Result<bound::Match> MatchBinder::run(const ast::Match& node) {
  out_.optional = node.optional;
  for (const ast::PathPattern& pattern : node.patterns) {
    DEMARCHE_CHECK(pattern.stands_alone() ? bind_lone(pattern) : bind_path(pattern));
  }
  DEMARCHE_CHECK(bind_where(node.where, scope_, out_.conditions));
  return std::move(out_);
}

Result<bound::Match> MatchBinder::run(const ast::PathPattern& pattern) {
  DEMARCHE_CHECK(bind_path(pattern));
  return std::move(out_);
}

Result<void> MatchBinder::bind_where(const ast::ExprPtr& where, const Scope& scope,
                                     std::vector<ExprPtr>& conditions) const {
  if (!where) return {};
  DEMARCHE_TRY(const ExprPtr condition, bind_condition(*where, scope, context_));
  split_conjuncts(condition, conditions);
  return {};
}

Result<void> MatchBinder::bind_lone(const ast::PathPattern& pattern) {
  const ast::InteractionPattern& p = pattern.interactions[0];
  const bool asked = pattern.mode != ast::PathMode::kUnsaid || pattern.search.kind != PathKind::kAll;
  if (!pattern.variable.empty() || asked) {
    return fault("SyntaxError", "InvalidArgumentType", pattern.span,
                 "an interaction alone is no path; name it inside the bracket");
  }
  bound::LoneInteraction lone;
  DEMARCHE_TRY(const Variable variable, variable_for(p.variable, SlotType::kInteraction, p.span));
  lone.may_be_value = is_unsure(variable);
  lone.slot = variable.slot;
  if (!lone.may_be_value) note_kind(lone.slot, ValueKind::kInteraction, context_);
  lone.kinds = resolve_kinds(p.kinds);
  DEMARCHE_CHECK(bind_property_map(lone.slot, p.properties, out_.conditions));
  DEMARCHE_CHECK(bind_where(p.where, scope_, out_.conditions));
  out_.alone.push_back(std::move(lone));
  return {};
}

Result<void> MatchBinder::bind_path(const ast::PathPattern& pattern) {
  DEMARCHE_CHECK(check_search(pattern));
  if (!pattern.variable.empty() && scope_.find(pattern.variable) != nullptr) {
    return fault("SyntaxError", "VariableAlreadyBound", pattern.span,
                 fmt::format("'{}' is taken; give the path another name", pattern.variable));
  }
  bound::PathVariable path;
  path.mode = pattern.mode;
  for (const ast::ActorPattern& actor : pattern.actors) {
    DEMARCHE_TRY(const std::size_t index, bind_actor(actor));
    path.actors.push_back(index);
  }
  for (std::size_t i = 0; i < pattern.interactions.size(); ++i) DEMARCHE_CHECK(bind_edge(pattern, i, path));
  const bool tested = pattern.mode == ast::PathMode::kAcyclic || pattern.mode == ast::PathMode::kSimple;
  if (pattern.variable.empty() && !tested) return {};
  if (!pattern.variable.empty() && scope_.find(pattern.variable) != nullptr) {
    return fault("SyntaxError", "VariableAlreadyBound", pattern.span,
                 fmt::format("'{}' is taken; give the path another name", pattern.variable));
  }
  path.slot = context_.new_slot(pattern.variable);
  if (!pattern.variable.empty()) scope_.add({pattern.variable, path.slot, SlotType::kPath, out_.optional});
  out_.paths.push_back(std::move(path));
  return {};
}

Result<void> MatchBinder::check_search(const ast::PathPattern& pattern) {
  if (pattern.search.kind == PathKind::kAll) return {};
  if (pattern.interactions.size() == 1) return {};
  return fault("SyntaxError", "UnsupportedFeature", pattern.search.span,
               "a search leads along one repeated interaction, (a)-[:K]-+(b); write the rest as a pattern of its own");
}

Result<void> MatchBinder::bind_edge(const ast::PathPattern& pattern, std::size_t i, bound::PathVariable& path) {
  const ast::InteractionPattern& p = pattern.interactions[i];
  if (!p.variable.empty() && !own_edges_.insert(p.variable).second) {
    return fault("SyntaxError", "RelationshipUniquenessViolation", p.span,
                 fmt::format("'{}' stands twice in this MATCH; each interaction is used once", p.variable));
  }
  bound::InteractionEdge edge;
  edge.left = path.actors[i];
  edge.right = path.actors[i + 1];
  edge.direction = p.direction;
  edge.kinds = resolve_kinds(p.kinds);
  edge.mode = pattern.mode;
  edge.search = pattern.search;
  if (p.quantifier || pattern.search.kind != PathKind::kAll) {
    DEMARCHE_CHECK(bind_repeat(pattern, p, edge));
  } else {
    DEMARCHE_TRY(const Variable variable, variable_for(p.variable, SlotType::kInteraction, p.span));
    edge.slot = variable.slot;
    if (!is_unsure(variable)) note_kind(edge.slot, ValueKind::kInteraction, context_);
    DEMARCHE_CHECK(bind_property_map(edge.slot, p.properties, out_.conditions));
    DEMARCHE_CHECK(bind_where(p.where, scope_, out_.conditions));
  }
  path.edges.push_back(out_.edges.size());
  out_.edges.push_back(std::move(edge));
  return {};
}

Result<void> MatchBinder::bind_repeat(const ast::PathPattern& pattern, const ast::InteractionPattern& p,
                                      bound::InteractionEdge& edge) {
  bound::Repeat repeat;
  if (p.quantifier) {
    repeat.hops_min = p.quantifier->hops_min;
    repeat.hops_max = p.quantifier->hops_max.value_or(bound::Repeat::kNoBound);
  } else {
    repeat.hops_max = 1;
  }
  if (pattern.mode == ast::PathMode::kWalk && repeat.hops_max == bound::Repeat::kNoBound &&
      pattern.search.kind == PathKind::kAll) {
    return fault("SyntaxError", "UnboundedWalk", p.span,
                 "a WALK without an upper bound never ends; write {1,4}, TRAIL, or ANY SHORTEST");
  }
  if (pattern.search.kind == PathKind::kEarliest) DEMARCHE_CHECK(check_chronological(pattern));
  repeat.hop = context_.new_slot(p.variable);
  note_kind(repeat.hop, ValueKind::kInteraction, context_);
  repeat.segment = context_.new_slot("");
  DEMARCHE_CHECK(bind_property_map(repeat.hop, p.properties, repeat.conditions));
  if (p.where) {  // inside the bracket the name stands for one hop
    Scope scope = scope_;
    if (!p.variable.empty()) scope.add({p.variable, repeat.hop, SlotType::kInteraction});
    DEMARCHE_CHECK(bind_where(p.where, scope, repeat.conditions));
  }
  edge.slot = context_.new_slot(p.variable);
  if (!p.variable.empty()) {
    if (const Variable* there = scope_.find(p.variable)) {
      // A list made before: the walk must be along it.
      if (there->type != SlotType::kValue && there->type != SlotType::kList) {
        return fault(
            "SyntaxError", "VariableTypeConflict", p.span,
            fmt::format("'{}' is {} and cannot be a list of interactions too", p.variable, type_text(there->type)));
      }
      out_.conditions.push_back(
          make_expr(p.span, bound::Compare{ast::CompareOp::kEqual, make_expr(p.span, bound::SlotRef{edge.slot}),
                                           make_expr(p.span, bound::SlotRef{there->slot})}));
    } else if (!new_names_) {
      return fault(
          "SyntaxError", "UndefinedVariable", p.span,
          fmt::format("nothing is called '{}' here; a pattern in a condition brings no new names", p.variable));
    } else {
      scope_.add({p.variable, edge.slot, SlotType::kList, out_.optional});
    }
  }
  edge.repeat = std::move(repeat);
  return {};
}

Result<void> MatchBinder::check_chronological(const ast::PathPattern& pattern) const {
  const ast::InteractionPattern& p = pattern.interactions[0];
  const auto unsupported = [&](Span span, const char* what) {
    return fault("SyntaxError", "UnsupportedFeature", span,
                 fmt::format("{} is not in this version for chronological paths", what));
  };
  if (p.direction != ast::Direction::kEither) return unsupported(p.span, "an arrow");
  if (p.properties || p.where) return unsupported(p.span, "a condition on each hop");
  if (p.quantifier && p.quantifier->hops_min > 1)
    return unsupported(p.quantifier->span, "a least number of hops above 1");
  if (p.quantifier && p.quantifier->hops_max == 0U) return unsupported(p.quantifier->span, "a path of no hops");
  if (pattern.mode != ast::PathMode::kUnsaid && pattern.mode != ast::PathMode::kTrail)
    return unsupported(pattern.span, "a mode other than TRAIL");
  return {};
}

Result<std::size_t> MatchBinder::bind_actor(const ast::ActorPattern& actor) {
  bound::ActorNode node;
  DEMARCHE_TRY(const Variable variable, variable_for(actor.variable, SlotType::kActor, actor.span));
  node.may_be_value = is_unsure(variable);
  node.slot = variable.slot;
  if (!node.may_be_value) note_kind(node.slot, ValueKind::kActor, context_);
  if (actor.labels) {
    out_.conditions.push_back(
        make_expr(actor.span, bound::HasLabels{make_expr(actor.span, bound::SlotRef{node.slot}), *actor.labels}));
  }
  DEMARCHE_CHECK(bind_property_map(node.slot, actor.properties, out_.conditions));
  DEMARCHE_CHECK(bind_where(actor.where, scope_, out_.conditions));
  if (const auto it = matched_actors_.find(node.slot); it != matched_actors_.end()) return it->second;
  matched_actors_.emplace(node.slot, out_.actors.size());
  out_.actors.push_back(node);
  return out_.actors.size() - 1;
}

Result<Variable> MatchBinder::variable_for(const std::string& name, SlotType type, Span span) {
  if (!name.empty()) {
    if (const Variable* there = scope_.find(name)) {
      const bool unknown_type = there->type == SlotType::kValue;  // WITH may have passed on an actor as a value
      if (there->type != type && !unknown_type) {
        return fault("SyntaxError", "VariableTypeConflict", span,
                     fmt::format("'{}' is {} and cannot be {} too", name, type_text(there->type), type_text(type)));
      }
      return *there;
    }
    if (!new_names_) {
      return fault("SyntaxError", "UndefinedVariable", span,
                   fmt::format("nothing is called '{}' here; a pattern in a condition brings no new names", name));
    }
  }
  Variable variable{name, context_.new_slot(name), type, out_.optional};
  if (!name.empty()) scope_.add(variable);
  variable.nullable = false;  // within the clause that makes it, it is there
  return variable;
}

bool MatchBinder::is_unsure(const Variable& variable) const {
  if (matched_actors_.contains(variable.slot)) return false;
  return variable.type == SlotType::kValue || variable.nullable;
}

Result<void> MatchBinder::bind_property_map(Slot slot, const ast::ExprPtr& properties,
                                            std::vector<ExprPtr>& conditions) const {
  if (!properties) return {};
  const auto* map = std::get_if<ast::MapOf>(&properties->node);
  if (map == nullptr) {
    return fault("SyntaxError", "InvalidParameterUse", properties->span,
                 "a pattern cannot take all its properties from a parameter; write {key: $key}");
  }
  for (const auto& [key, value] : map->entries) {
    DEMARCHE_TRY(ExprPtr wanted, bind_expression(*value, scope_, context_));
    ExprPtr property =
        make_expr(value->span, bound::PropertyOf{make_expr(properties->span, bound::SlotRef{slot}), key});
    conditions.push_back(
        make_expr(properties->span, bound::Compare{ast::CompareOp::kEqual, std::move(property), std::move(wanted)}));
  }
  return {};
}

bound::KindFilter MatchBinder::resolve_kinds(const std::optional<ast::LabelExpr>& expr) {
  bound::KindFilter filter;
  if (!expr) return filter;
  filter.any = false;
  filter.set = KindSet::none();
  filter.text = ":" + std::string(context_.written(expr->span));
  for (const Kind& kind : context_.kinds->all()) {
    if (kind_matches(*expr, kind.id, *context_.kinds)) filter.set.insert(kind.id);
  }
  filter.none = filter.set.is_none();
  note_unknown_kinds(*expr);
  return filter;
}

// A kind nobody declared matches nothing; that is no error, but rarely what was meant.
void MatchBinder::note_unknown_kinds(const ast::LabelExpr& expr) {
  for (const ast::LabelExpr& operand : expr.operands) note_unknown_kinds(operand);
  if (expr.op == ast::LabelExpr::Op::kName && !context_.kinds->find(expr.name)) {
    const std::string near = nearest(expr.name, context_.kinds->names());
    context_.query->notices.push_back(
        fmt::format("there is no kind '{}', so it matches nothing; {}", expr.name,
                    near.empty() ? "CALL kinds() lists those there are" : "did you mean " + near + "?"));
  }
}

}  // namespace demarche::query

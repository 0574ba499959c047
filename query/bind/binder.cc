#include "query/bind/binder.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "engine/names.h"
#include "query/bind/bind_expression.h"
#include "query/bind/bind_write.h"
#include "query/bind/check_types.h"
#include "query/bind/scope.h"
#include "query/parse/lexer.h"

namespace demarche::query {

namespace {

using bound::ExprPtr;

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
    case SlotType::kScalar:
    case SlotType::kValue:
      return "a value";
  }
  return "";
}

// Surely neither an actor nor an interaction, whatever the data.
bool is_scalar(const ast::Expr& expr) {
  if (const auto* literal = std::get_if<ast::Literal>(&expr.node)) return !literal->value.is_null();
  return std::holds_alternative<ast::DateLiteral>(expr.node) || std::holds_alternative<ast::ListOf>(expr.node) ||
         std::holds_alternative<ast::MapOf>(expr.node) || std::holds_alternative<ast::Comparison>(expr.node);
}

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

class Binder {
 public:
  Binder(std::string_view text, const KindTable& kinds) { context_ = {text, &kinds, &query_}; }

  Result<bound::Query> run(const ast::Query& query) {
    query_.explain = query.explain != ast::ExplainMode::kNone;
    for (const ast::Clause& clause : query.clauses) {
      DEMARCHE_CHECK(std::visit([&](const auto& node) { return bind_clause(clause, node); }, clause.node));
    }
    return std::move(query_);
  }

 private:
  // ---- MATCH -------------------------------------------------------------------------------------------------------

  Result<void> bind_clause(const ast::Clause&, const ast::Match& node) {
    bound::Match out;
    out.optional = node.optional;
    in_optional_ = node.optional;
    matched_actors_.clear();
    std::unordered_set<std::string> own_edges;
    for (const ast::PathPattern& pattern : node.patterns) {
      DEMARCHE_CHECK(pattern.stands_alone() ? bind_lone(pattern, out) : bind_path(pattern, own_edges, out));
    }
    if (node.where) {
      DEMARCHE_TRY(const ExprPtr condition, bind_expression(*node.where, scope_, context_));
      split_conjuncts(condition, out.conditions);
    }
    query_.steps.emplace_back(std::move(out));
    return {};
  }

  Result<void> bind_lone(const ast::PathPattern& pattern, bound::Match& out) {
    const ast::InteractionPattern& p = pattern.interactions[0];
    if (!pattern.variable.empty()) {
      return fault("SyntaxError", "InvalidArgumentType", pattern.span,
                   "an interaction alone is no path; name it inside the bracket");
    }
    bound::LoneInteraction lone;
    DEMARCHE_TRY(const Variable variable, variable_for(p.variable, SlotType::kInteraction, p.span));
    lone.may_be_value = is_unsure(variable);
    lone.slot = variable.slot;
    lone.kinds = resolve_kinds(p.kinds);
    DEMARCHE_CHECK(bind_property_map(lone.slot, p.properties, out.conditions));
    out.alone.push_back(std::move(lone));
    return {};
  }

  Result<void> bind_path(const ast::PathPattern& pattern, std::unordered_set<std::string>& own_edges,
                         bound::Match& out) {
    bound::PathVariable path;
    for (const ast::ActorPattern& actor : pattern.actors) {
      DEMARCHE_TRY(const std::size_t index, bind_actor(actor, out));
      path.actors.push_back(index);
    }
    for (std::size_t i = 0; i < pattern.interactions.size(); ++i) {
      const ast::InteractionPattern& p = pattern.interactions[i];
      if (!p.variable.empty() && !own_edges.insert(p.variable).second) {
        return fault("SyntaxError", "RelationshipUniquenessViolation", p.span,
                     fmt::format("'{}' stands twice in this MATCH; each interaction is used once", p.variable));
      }
      bound::InteractionEdge edge;
      DEMARCHE_TRY(const Variable variable, variable_for(p.variable, SlotType::kInteraction, p.span));
      edge.slot = variable.slot;
      edge.left = path.actors[i];
      edge.right = path.actors[i + 1];
      edge.direction = p.direction;
      edge.kinds = resolve_kinds(p.kinds);
      DEMARCHE_CHECK(bind_property_map(edge.slot, p.properties, out.conditions));
      path.edges.push_back(out.edges.size());
      out.edges.push_back(std::move(edge));
    }
    if (!pattern.variable.empty()) {
      if (scope_.find(pattern.variable) != nullptr) {
        return fault("SyntaxError", "VariableAlreadyBound", pattern.span,
                     fmt::format("'{}' is taken; give the path another name", pattern.variable));
      }
      path.slot = context_.new_slot(pattern.variable);
      scope_.add({pattern.variable, path.slot, SlotType::kPath, in_optional_});
      out.paths.push_back(std::move(path));
    }
    return {};
  }

  Result<std::size_t> bind_actor(const ast::ActorPattern& actor, bound::Match& out) {
    bound::ActorNode node;
    DEMARCHE_TRY(const Variable variable, variable_for(actor.variable, SlotType::kActor, actor.span));
    node.may_be_value = is_unsure(variable);
    node.slot = variable.slot;
    if (actor.labels) {
      out.conditions.push_back(
          make_expr(actor.span, bound::HasLabels{make_expr(actor.span, bound::SlotRef{node.slot}), *actor.labels}));
    }
    DEMARCHE_CHECK(bind_property_map(node.slot, actor.properties, out.conditions));
    if (const auto it = matched_actors_.find(node.slot); it != matched_actors_.end()) return it->second;
    matched_actors_.emplace(node.slot, out.actors.size());
    out.actors.push_back(node);
    return out.actors.size() - 1;
  }

  // The variable a pattern names, made when it is new. `*bound_before` says whether an earlier clause or pattern made
  // it.
  Result<Variable> variable_for(const std::string& name, SlotType type, Span span) {
    if (!name.empty()) {
      if (const Variable* there = scope_.find(name)) {
        const bool unknown_type = there->type == SlotType::kValue;  // WITH may have passed on an actor as a value
        if (there->type != type && !unknown_type) {
          return fault("SyntaxError", "VariableTypeConflict", span,
                       fmt::format("'{}' is {} and cannot be {} too", name, type_text(there->type), type_text(type)));
        }
        return *there;
      }
    }
    Variable variable{name, context_.new_slot(name), type, in_optional_};
    if (!name.empty()) scope_.add(variable);
    variable.nullable = false;  // within the clause that makes it, it is there
    return variable;
  }

  // Was it made elsewhere and may be no actor or interaction at all?
  [[nodiscard]] bool is_unsure(const Variable& variable) const {
    if (matched_actors_.contains(variable.slot)) return false;
    return variable.type == SlotType::kValue || variable.nullable;
  }

  // {key: value, ...} means that each property equals its value.
  Result<void> bind_property_map(Slot slot, const ast::ExprPtr& properties, std::vector<ExprPtr>& conditions) {
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

  bound::KindFilter resolve_kinds(const std::optional<ast::LabelExpr>& expr) {
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
  void note_unknown_kinds(const ast::LabelExpr& expr) {
    for (const ast::LabelExpr& operand : expr.operands) note_unknown_kinds(operand);
    if (expr.op == ast::LabelExpr::Op::kName && !context_.kinds->find(expr.name)) {
      query_.notices.push_back(context_.kinds->unknown_message(expr.name) + " (it matches nothing)");
    }
  }

  // ---- RETURN, WITH, UNWIND
  // ------------------------------------------------------------------------------------------

  Result<void> bind_clause(const ast::Clause& clause, const ast::Return& node) {
    DEMARCHE_TRY(Scope output, bind_projection(clause.span, node.projection, nullptr, false));
    for (const Variable& variable : output.variables()) query_.columns.push_back({variable.name, variable.slot});
    scope_ = std::move(output);
    return {};
  }

  Result<void> bind_clause(const ast::Clause& clause, const ast::With& node) {
    DEMARCHE_TRY(scope_, bind_projection(clause.span, node.projection, node.where.get(), true));
    return {};
  }

  Result<Scope> bind_projection(Span span, const ast::Projection& node, const ast::Expr* where, bool needs_aliases) {
    bound::Projection out;
    out.distinct = node.distinct;
    for (const ast::ProjectionItem& item : node.items) {
      out.aggregating = out.aggregating || contains_aggregate(*item.expression);
    }
    Scope output;
    if (node.star && scope_.variables().empty()) {
      return fault("SyntaxError", "NoVariablesInScope", span, "there is nothing that * could stand for");
    }
    Aggregation aggregation;
    if (node.star) {
      std::vector<Variable> variables = scope_.variables();
      std::sort(variables.begin(), variables.end(),
                [](const Variable& a, const Variable& b) { return a.name < b.name; });
      for (const Variable& variable : variables) {
        const ExprPtr ref = make_expr(span, bound::SlotRef{variable.slot});
        DEMARCHE_CHECK(add_variable(variable, span, ref, out, aggregation, output));
      }
    }
    // Grouping keys first: the items with aggregates may read them.
    for (const ast::ProjectionItem& item : node.items) {
      if (!contains_aggregate(*item.expression)) DEMARCHE_CHECK(bind_key_item(item, out, aggregation));
    }
    for (const ast::ProjectionItem& item : node.items) {
      DEMARCHE_CHECK(bind_item(item, needs_aliases, out, aggregation, output));
    }
    out.keeps_input = !out.aggregating && !node.distinct;
    DEMARCHE_CHECK(bind_order(node, out, aggregation, output));
    DEMARCHE_ASSIGN(out.skip, bind_row_count(node.skip, "SKIP"));
    DEMARCHE_ASSIGN(out.limit, bind_row_count(node.limit, "LIMIT"));
    out.aggregates = std::move(aggregation.found);
    if (where != nullptr) DEMARCHE_ASSIGN(out.where, bind_expression(*where, where_scope(out, output), context_));
    query_.steps.emplace_back(std::move(out));
    return output;
  }

  // WITH ... WHERE may read what was there before, as ORDER BY may.
  [[nodiscard]] Scope where_scope(const bound::Projection& projection, const Scope& output) const {
    if (!projection.keeps_input) return output;
    Scope both = scope_;
    for (const Variable& variable : output.variables()) both.add(variable);
    return both;
  }

  // One of the variables that * stands for.
  Result<void> add_variable(const Variable& variable, Span span, const ExprPtr& expression, bound::Projection& out,
                            Aggregation& aggregation, Scope& output) {
    if (output.find(variable.name) != nullptr) {
      return fault("SyntaxError", "ColumnNameConflict", span,
                   fmt::format("two columns are called '{}'; rename one with AS", variable.name));
    }
    const Slot slot = context_.new_slot(variable.name);
    ExprPtr item = expression;
    if (out.aggregating) {  // each variable is a grouping key
      const Slot key = context_.new_slot(variable.name);
      out.keys.push_back({key, expression});
      aggregation.keys.emplace_back(variable.name, key);
      item = make_expr(span, bound::SlotRef{key});
    }
    out.items.push_back({slot, item});
    output.add({variable.name, slot, variable.type, variable.nullable});
    return {};
  }

  // In an aggregating projection each item without an aggregate is computed before grouping and grouped by.
  Result<void> bind_key_item(const ast::ProjectionItem& item, bound::Projection& out, Aggregation& aggregation) {
    if (!out.aggregating) return {};
    DEMARCHE_TRY(const ExprPtr key, bind_expression(*item.expression, scope_, context_));
    const Slot slot = context_.new_slot(item.name);
    out.keys.push_back({slot, key});
    aggregation.keys.emplace_back(std::string(context_.written(item.expression->span)), slot);
    return {};
  }

  Result<void> bind_item(const ast::ProjectionItem& item, bool needs_aliases, bound::Projection& out,
                         Aggregation& aggregation, Scope& output) {
    const auto* variable = std::get_if<ast::VariableRef>(&item.expression->node);
    if (needs_aliases && !item.has_alias && variable == nullptr) {
      return fault("SyntaxError", "NoExpressionAlias", item.expression->span,
                   "this column of WITH needs a name; add AS and one");
    }
    if (output.find(item.name) != nullptr) {
      return fault("SyntaxError", "ColumnNameConflict", item.expression->span,
                   fmt::format("two columns are called '{}'; rename one with AS", item.name));
    }
    DEMARCHE_TRY(ExprPtr expression,
                 bind_expression(*item.expression, scope_, context_, out.aggregating ? &aggregation : nullptr));
    bool nullable = false;
    SlotType type = is_scalar(*item.expression) ? SlotType::kScalar : SlotType::kValue;
    if (variable != nullptr) {
      if (const Variable* source = scope_.find(variable->name)) {
        type = source->type;
        nullable = source->nullable;
      }
    }
    const Slot slot = context_.new_slot(item.name);
    note_kind(slot, sure_kind(*expression, context_), context_);
    out.items.push_back({slot, std::move(expression)});
    output.add({item.name, slot, type, nullable});
    return {};
  }

  Result<void> bind_order(const ast::Projection& node, bound::Projection& out, Aggregation& aggregation,
                          const Scope& output) {
    Scope scope;
    if (out.keeps_input) scope = scope_;
    for (const Variable& variable : output.variables()) scope.add(variable);
    for (const ast::SortItem& item : node.order) {
      bound::SortKey key;
      key.descending = item.descending;
      DEMARCHE_ASSIGN(key.expression, bind_sort_key(*item.expression, node, out, aggregation, scope));
      out.order.push_back(std::move(key));
    }
    return {};
  }

  Result<ExprPtr> bind_sort_key(const ast::Expr& expr, const ast::Projection& node, const bound::Projection& out,
                                Aggregation& aggregation, const Scope& scope) {
    // Written like a column: that column.
    const std::size_t star_items = out.items.size() - node.items.size();
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      if (context_.written(node.items[i].expression->span) == context_.written(expr.span)) {
        return make_expr(expr.span, bound::SlotRef{out.items[star_items + i].slot});
      }
    }
    if (!contains_aggregate(expr)) {
      auto direct = bind_expression(expr, scope, context_);
      if (direct || !out.aggregating) return direct;
      // After grouping, parts of the key expressions are all that is left of the rows before.
      auto by_keys = bind_expression(expr, scope_, context_, &aggregation);
      return by_keys ? by_keys : direct;
    }
    if (!out.aggregating) {
      return fault("SyntaxError", "InvalidAggregation", expr.span,
                   "ORDER BY counts over rows only where a column does too");
    }
    return bind_expression(expr, scope_, context_, &aggregation);
  }

  Result<ExprPtr> bind_row_count(const ast::ExprPtr& expr, const char* what) {
    if (!expr) return ExprPtr();
    DEMARCHE_TRY(ExprPtr out, bind_expression(*expr, Scope(), context_));
    if (const auto* constant = std::get_if<bound::Constant>(&out->node)) {
      if (constant->value.kind() != ValueKind::kInteger) {
        return fault("SyntaxError", "InvalidArgumentType", expr->span, fmt::format("{} takes a whole number", what));
      }
      if (constant->value.as_integer() < 0) {
        return fault("SyntaxError", "NegativeIntegerArgument", expr->span, fmt::format("{} cannot be negative", what));
      }
    }
    return out;
  }

  Result<void> bind_clause(const ast::Clause&, const ast::Unwind& node) {
    DEMARCHE_TRY(ExprPtr list, bind_expression(*node.list, scope_, context_));
    if (scope_.find(node.variable) != nullptr) {
      return fault("SyntaxError", "VariableAlreadyBound", node.span,
                   fmt::format("'{}' is taken; choose another name", node.variable));
    }
    const Slot slot = context_.new_slot(node.variable);
    scope_.add({node.variable, slot, SlotType::kValue});
    query_.steps.emplace_back(bound::Unwind{slot, std::move(list)});
    return {};
  }

  // ---- SET, REMOVE, DELETE, MERGE: bind_write.h

  template <typename Step>
  void add_write(Step step) {
    query_.writes = true;
    query_.steps.emplace_back(std::move(step));
  }
  Result<void> bind_clause(const ast::Clause&, const ast::Update& node) {
    DEMARCHE_TRY(bound::Update update, bind_update(node, scope_, context_));
    add_write(std::move(update));
    return {};
  }
  Result<void> bind_clause(const ast::Clause&, const ast::Delete& node) {
    DEMARCHE_TRY(bound::Delete what, bind_delete(node, scope_, context_));
    add_write(std::move(what));
    return {};
  }
  Result<void> bind_clause(const ast::Clause&, const ast::Merge& node) {
    DEMARCHE_CHECK(check_merge(node, scope_));
    const Scope before = scope_;
    bound::Match match;
    in_optional_ = false;
    matched_actors_.clear();
    std::unordered_set<std::string> own_edges;
    DEMARCHE_CHECK(bind_path(node.pattern, own_edges, match));
    DEMARCHE_TRY(bound::Merge merge, bind_merge(node, std::move(match), before, scope_, context_));
    add_write(std::move(merge));
    return {};
  }

  // ---- CREATE, RECORD
  // ------------------------------------------------------------------------------------------------

  Result<void> bind_clause(const ast::Clause&, const ast::Create& node) {
    bound::Create out;
    for (const ast::PathPattern& pattern : node.patterns) {
      if (pattern.stands_alone()) {
        return fault("SyntaxError", "UnsupportedFeature", pattern.span,
                     "CREATE makes interactions between actors; write (a)-[:KIND]->(b), or RECORD for more roles");
      }
      std::vector<Slot> actors;
      std::vector<Slot> edges;
      for (const ast::ActorPattern& actor : pattern.actors) {
        DEMARCHE_TRY(const Slot slot, bind_created_actor(actor, pattern.actors.size() == 1, out));
        actors.push_back(slot);
      }
      for (std::size_t i = 0; i < pattern.interactions.size(); ++i) {
        DEMARCHE_TRY(const Slot slot, bind_created_interaction(pattern.interactions[i], actors[i], actors[i + 1], out));
        edges.push_back(slot);
      }
      if (!pattern.variable.empty()) {
        const Slot slot = context_.new_slot(pattern.variable);
        scope_.add({pattern.variable, slot, SlotType::kPath});
        out.paths.push_back({slot, {std::move(actors), std::move(edges)}});
      }
    }
    query_.writes = true;
    query_.steps.emplace_back(std::move(out));
    return {};
  }

  Result<Slot> bind_created_actor(const ast::ActorPattern& actor, bool alone, bound::Create& out) {
    const Variable* there = actor.variable.empty() ? nullptr : scope_.find(actor.variable);
    if (there != nullptr) {
      if (alone || actor.labels || actor.properties) {
        return fault("SyntaxError", "VariableAlreadyBound", actor.span,
                     fmt::format("'{}' is there already; CREATE makes a new actor under a new name", actor.variable));
      }
      if (there->type != SlotType::kActor && there->type != SlotType::kValue) {
        return fault("SyntaxError", "VariableTypeConflict", actor.span,
                     fmt::format("'{}' is {}, not an actor", actor.variable, type_text(there->type)));
      }
      return there->slot;
    }
    bound::CreateActor create;
    create.span = actor.span;
    if (actor.labels) DEMARCHE_CHECK(collect_labels(*actor.labels, create.labels));
    DEMARCHE_ASSIGN(create.properties, bind_created_properties(actor.properties));
    create.slot = context_.new_slot(actor.variable);
    const Slot slot = create.slot;
    if (!actor.variable.empty()) scope_.add({actor.variable, slot, SlotType::kActor});
    out.items.emplace_back(std::move(create));
    return slot;
  }

  static Result<void> collect_labels(const ast::LabelExpr& expr, std::vector<std::string>& out) {
    if (expr.op == ast::LabelExpr::Op::kName) {
      out.push_back(expr.name);
      return {};
    }
    if (expr.op != ast::LabelExpr::Op::kAnd) {
      return fault("SyntaxError", "InvalidLabelExpression", expr.span, "CREATE needs plain labels; write :A:B");
    }
    for (const ast::LabelExpr& operand : expr.operands) DEMARCHE_CHECK(collect_labels(operand, out));
    return {};
  }

  Result<Slot> bind_created_interaction(const ast::InteractionPattern& p, Slot left, Slot right, bound::Create& out) {
    if (!p.kinds || p.kinds->op != ast::LabelExpr::Op::kName) {
      return fault("SyntaxError", "NoSingleRelationshipType", p.span,
                   "CREATE needs exactly one kind, as in -[:MEETING]->");
    }
    if (p.direction == ast::Direction::kEither) {
      return fault("SyntaxError", "RequiresDirectedRelationship", p.span,
                   "CREATE needs an arrow, -[...]-> or <-[...]-; RECORD knows other roles");
    }
    if (!p.variable.empty() && scope_.find(p.variable) != nullptr) {
      return fault("SyntaxError", "VariableAlreadyBound", p.span,
                   fmt::format("'{}' is there already; choose another name", p.variable));
    }
    bound::CreateInteraction create;
    create.span = p.span;
    create.kind = p.kinds->name;
    create.from = p.direction == ast::Direction::kRight ? left : right;
    create.to = p.direction == ast::Direction::kRight ? right : left;
    DEMARCHE_ASSIGN(create.properties, bind_created_properties(p.properties));
    create.slot = context_.new_slot(p.variable);
    const Slot slot = create.slot;
    if (!p.variable.empty()) scope_.add({p.variable, slot, SlotType::kInteraction});
    out.items.emplace_back(std::move(create));
    return slot;
  }

  Result<ExprPtr> bind_created_properties(const ast::ExprPtr& properties) {
    if (!properties) return ExprPtr();
    return bind_expression(*properties, scope_, context_);
  }

  Result<void> bind_clause(const ast::Clause& clause, const ast::Record& node) {
    bound::Record out;
    out.span = clause.span;
    const auto kind = context_.kinds->find(node.kind);
    if (!kind) return fault("SyntaxError", "UnknownKind", node.kind_span, context_.kinds->unknown_message(node.kind));
    out.kind = *kind;
    const bool contact = context_.kinds->is_below(*kind, kinds::kContact);
    out.status = contact ? Status::kHeld : Status::kNone;
    if (!node.status.empty()) {
      const auto status = find_status(node.status);
      if (!status) {
        return fault("SyntaxError", "UnknownStatus", node.status_span,
                     fmt::format("unknown status '{}'; held, planned or cancelled", node.status));
      }
      out.status = *status;
    }
    DEMARCHE_ASSIGN(out.key, bind_record_part(node.key));
    DEMARCHE_ASSIGN(out.when, bind_record_part(node.when));
    DEMARCHE_ASSIGN(out.place, bind_record_part(node.place));
    DEMARCHE_ASSIGN(out.part_of, bind_record_part(node.part_of));
    DEMARCHE_ASSIGN(out.properties, bind_record_part(node.properties));
    for (const ast::RecordParticipant& p : node.participants) DEMARCHE_CHECK(bind_record_participant(p, out));
    for (const ast::RecordClaim& claim : node.claims) {
      DEMARCHE_TRY(ExprPtr source, bind_record_part(claim.source));
      DEMARCHE_TRY(ExprPtr properties, bind_record_part(claim.properties));
      const Span span = claim.source->span;
      out.claims.push_back({std::move(source), std::move(properties), span});
    }
    query_.writes = true;
    query_.steps.emplace_back(std::move(out));
    return {};
  }

  Result<ExprPtr> bind_record_part(const ast::ExprPtr& expr) {
    return expr ? bind_expression(*expr, scope_, context_) : Result<ExprPtr>(ExprPtr());
  }

  Result<void> bind_record_participant(const ast::RecordParticipant& p, bound::Record& out) {
    bound::RecordParticipant participant;
    participant.span = p.actor->span;
    DEMARCHE_ASSIGN(participant.actor, bind_record_part(p.actor));
    DEMARCHE_ASSIGN(participant.acting_for, bind_record_part(p.acting_for));
    if (!p.role.empty()) {
      participant.role = find_role(p.role);
      if (!participant.role || *participant.role == Role::kRepresented) {
        const std::string near = nearest(p.role, role_names());
        return fault(
            "SyntaxError", "UnknownRole", p.role_span,
            fmt::format("unknown role '{}'{}", p.role, near.empty() ? "" : fmt::format("; did you mean {}?", near)));
      }
    }
    out.participants.push_back(std::move(participant));
    return {};
  }

  bound::Query query_;
  BindContext context_;
  Scope scope_;
  bool in_optional_ = false;                              // the MATCH being bound is optional
  std::unordered_map<Slot, std::size_t> matched_actors_;  // of the MATCH being bound: slot to index
};

}  // namespace

Result<bound::Query> bind_query(const ast::Query& query, std::string_view text, const KindTable& kinds) {
  return Binder(text, kinds).run(query);
}

}  // namespace demarche::query

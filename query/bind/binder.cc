#include "query/bind/binder.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/names.h"
#include "query/bind/ast_walk.h"
#include "query/bind/bind_expression.h"
#include "query/bind/bind_subquery.h"
#include "query/bind/bind_write.h"
#include "query/bind/check_types.h"
#include "query/bind/match_binder.h"
#include "query/bind/procedure_table.h"
#include "query/bind/scope.h"
#include "query/parse/lexer.h"

namespace demarche::query {

namespace {

using bound::ExprPtr;

// Surely neither an actor nor an interaction, whatever the data.
bool is_scalar(const ast::Expr& expr) {
  if (const auto* literal = std::get_if<ast::Literal>(&expr.node)) return !literal->value.is_null();
  return std::holds_alternative<ast::DateLiteral>(expr.node) || std::holds_alternative<ast::MapOf>(expr.node) ||
         std::holds_alternative<ast::Comparison>(expr.node);
}

std::string procedure_names() {
  std::string out;
  for (const ProcedureDef& p : all_procedures()) out += fmt::format("{}{}()", out.empty() ? "" : ", ", p.name);
  return out;
}

class Binder {
 public:
  Binder(const BindContext& context, Scope scope, bool new_names = true)
      : context_(context), scope_(std::move(scope)), new_names_(new_names) {}

  Result<void> run(const ast::Query& query) {
    if (!query.parts.empty()) return bind_union(query);
    for (const ast::Clause& clause : query.clauses) {
      DEMARCHE_CHECK(std::visit([&](const auto& node) { return bind_clause(clause, node); }, clause.node));
    }
    // Only RETURN answers with columns, and a CALL that stands alone.
    if (query.clauses.size() > 1 && !std::holds_alternative<ast::Return>(query.clauses.back().node)) columns_.clear();
    return {};
  }

  std::vector<bound::Step> take_steps() { return std::move(steps_); }
  std::vector<bound::Column> take_columns() { return std::move(columns_); }

  // The steps as something that runs for each row of `outer`.
  [[nodiscard]] std::shared_ptr<const bound::SubqueryBody> take_body(const Scope& outer) {
    auto body = std::make_shared<bound::SubqueryBody>();
    std::vector<Slot> used;
    collect_slots(steps_, used);
    for (const Variable& variable : outer.variables()) {
      if (std::find(used.begin(), used.end(), variable.slot) != used.end()) body->imports.push_back(variable.slot);
    }
    body->steps = std::move(steps_);
    for (const bound::Column& column : columns_) body->columns.push_back(column.slot);
    return body;
  }

 private:
  // ---- queries of several parts ------------------------------------------------------------------------------------

  Result<void> bind_union(const ast::Query& query) {
    bound::Union out;
    out.distinct = !query.union_all;
    for (const ast::Query& part : query.parts) {
      Binder binder(context_, scope_);
      DEMARCHE_CHECK(binder.run(part));
      const std::vector<bound::Column>& columns = binder.columns_;
      if (out.parts.empty()) {
        for (const bound::Column& column : columns) columns_.push_back({column.name, context_.new_slot(column.name)});
      }
      const bool same = std::equal(columns.begin(), columns.end(), columns_.begin(), columns_.end(),
                                   [](const bound::Column& a, const bound::Column& b) { return a.name == b.name; });
      if (!same) {
        return fault("SyntaxError", "DifferentColumnsInUnion", part.clauses.back().span,
                     "the parts of a UNION must have the same columns in the same order; rename with AS");
      }
      out.parts.push_back(binder.take_body(scope_));
    }
    scope_ = Scope();
    for (const bound::Column& column : columns_) {
      out.columns.push_back(column.slot);
      scope_.add({column.name, column.slot, SlotType::kValue});
    }
    steps_.emplace_back(std::move(out));
    return {};
  }

  Result<void> bind_clause(const ast::Clause&, const ast::CallQuery& node) {
    Scope inner = scope_;
    if (node.has_imports) {
      inner = Scope();
      for (const auto& [name, span] : node.imports) {
        const Variable* variable = scope_.find(name);
        if (variable == nullptr)
          return fault("SyntaxError", "UndefinedVariable", span, fmt::format("nothing is called '{}' here", name));
        inner.add(*variable);
      }
    }
    Binder binder(context_, inner);
    DEMARCHE_CHECK(binder.run(*node.query));
    for (const bound::Column& column : binder.columns_) {
      if (scope_.find(column.name) != nullptr) {
        return fault(
            "SyntaxError", "VariableAlreadyBound", node.query->span,
            fmt::format("the inner query returns '{}', which is there already; rename it with AS", column.name));
      }
      const Variable* made = binder.scope_.find(column.name);
      scope_.add({column.name, column.slot, made->type, made->nullable});
    }
    steps_.emplace_back(bound::CallQuery{binder.take_body(inner)});
    return {};
  }

  // ---- CALL procedure ----------------------------------------------------------------------------------------------

  Result<void> bind_clause(const ast::Clause& clause, const ast::CallProcedure& node) {
    const ProcedureDef* procedure = find_procedure(node.name);
    if (procedure == nullptr) {
      std::vector<std::string> names;
      for (const ProcedureDef& p : all_procedures()) names.emplace_back(p.name);
      const std::string near = nearest(node.name, names);
      return fault("ProcedureError", "ProcedureNotFound", node.name_span,
                   fmt::format("there is no procedure '{}'; {}", node.name,
                               near.empty() ? "there are " + procedure_names() : "did you mean " + near + "?"));
    }
    bound::CallProcedure out;
    out.procedure = procedure;
    DEMARCHE_CHECK(bind_arguments(clause, node, out));
    DEMARCHE_CHECK(bind_yields(node, out));
    steps_.emplace_back(std::move(out));
    if (node.where) {
      DEMARCHE_TRY(const ExprPtr condition, bind_condition(*node.where, scope_, context_));
      steps_.emplace_back(bound::Filter{{condition}});
    }
    return {};
  }

  Result<void> bind_arguments(const ast::Clause& clause, const ast::CallProcedure& node, bound::CallProcedure& out) {
    const ProcedureDef& procedure = *out.procedure;
    if (!node.has_arguments) {
      for (const ProcedureField& field : procedure.arguments) {
        out.arguments.push_back(make_expr(node.name_span, bound::Parameter{std::string(field.name)}));
      }
      return {};
    }
    if (node.arguments.size() != procedure.arguments.size()) {
      return fault("SyntaxError", "InvalidNumberOfArguments", clause.span,
                   fmt::format("{} takes {} arguments, found {}; its signature is {}", procedure.name,
                               procedure.arguments.size(), node.arguments.size(), signature(procedure)));
    }
    for (std::size_t i = 0; i < node.arguments.size(); ++i) {
      const ast::Expr& argument = *node.arguments[i];
      if (contains_aggregate(argument)) {
        return fault("SyntaxError", "InvalidAggregation", argument.span,
                     "an argument is computed for each row; count in a WITH before");
      }
      const auto* literal = std::get_if<ast::Literal>(&argument.node);
      const ValueKind wanted = procedure.arguments[i].kind;
      const bool number = wanted == ValueKind::kFloat && literal != nullptr && literal->value.is_number();
      if (literal != nullptr && !literal->value.is_null() && literal->value.kind() != wanted && !number) {
        return fault("SyntaxError", "InvalidArgumentType", argument.span,
                     fmt::format("{} of {} is {}, found {}", procedure.arguments[i].name, procedure.name,
                                 a_kind(wanted), a_kind(literal->value.kind())));
      }
      DEMARCHE_TRY(ExprPtr bound_argument, bind_expression(argument, scope_, context_));
      out.arguments.push_back(std::move(bound_argument));
    }
    return {};
  }

  Result<void> bind_yields(const ast::CallProcedure& node, bound::CallProcedure& out) {
    std::vector<ast::CallProcedure::Yield> yields = node.yields;
    if (!node.has_yield) {
      for (const ProcedureField& field : out.procedure->columns) {
        yields.push_back({std::string(field.name), std::string(field.name), node.name_span});
      }
    }
    for (const ast::CallProcedure::Yield& item : yields) {
      const auto& fields = out.procedure->columns;
      const auto field =
          std::find_if(fields.begin(), fields.end(), [&](const ProcedureField& f) { return f.name == item.column; });
      if (field == fields.end()) {
        return fault("SyntaxError", "UndefinedVariable", item.span,
                     fmt::format("{} has no column '{}'; its signature is {}", out.procedure->name, item.column,
                                 signature(*out.procedure)));
      }
      if (scope_.find(item.name) != nullptr) {
        return fault("SyntaxError", "VariableAlreadyBound", item.span,
                     fmt::format("'{}' is taken; rename the column with AS", item.name));
      }
      const Slot slot = context_.new_slot(item.name);
      scope_.add({item.name, slot, SlotType::kValue});
      out.columns.emplace_back(static_cast<std::size_t>(field - fields.begin()), slot);
      columns_.push_back({item.name, slot});  // of a CALL that stands alone; a RETURN puts its own in their place
    }
    return {};
  }

  // ---- MATCH -------------------------------------------------------------------------------------------------------

  Result<void> bind_clause(const ast::Clause&, const ast::Match& node) {
    DEMARCHE_TRY(bound::Match match, MatchBinder(scope_, context_, new_names_).run(node));
    steps_.emplace_back(std::move(match));
    return {};
  }

  // ---- RETURN, WITH, UNWIND
  // ------------------------------------------------------------------------------------------

  Result<void> bind_clause(const ast::Clause& clause, const ast::Return& node) {
    DEMARCHE_TRY(Scope output, bind_projection(clause.span, node.projection, nullptr, false));
    columns_.clear();
    for (const Variable& variable : output.variables()) columns_.push_back({variable.name, variable.slot});
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
    if (node.star && scope_.variables().empty() && !needs_aliases) {  // WITH * of nothing passes rows on
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
      DEMARCHE_CHECK(bind_item(item, out, aggregation, output));
    }
    out.keeps_input = !out.aggregating && !node.distinct;
    DEMARCHE_CHECK(bind_order(node, out, aggregation, output));
    for (const ast::ProjectionItem& item : node.items) {
      if (!needs_aliases || item.has_alias || std::holds_alternative<ast::VariableRef>(item.expression->node)) continue;
      return fault("SyntaxError", "NoExpressionAlias", item.expression->span,
                   "this column of WITH needs a name; add AS and one");
    }
    DEMARCHE_ASSIGN(out.skip, bind_row_count(node.skip, "SKIP"));
    DEMARCHE_ASSIGN(out.limit, bind_row_count(node.limit, "LIMIT"));
    if (where != nullptr) DEMARCHE_ASSIGN(out.where, bind_projection_where(*where, node, out, aggregation, output));
    out.aggregates = std::move(aggregation.found);
    steps_.emplace_back(std::move(out));
    return output;
  }

  // WITH ... WHERE may read what was there before, as ORDER BY may.
  Result<ExprPtr> bind_projection_where(const ast::Expr& where, const ast::Projection& node,
                                        const bound::Projection& out, const Aggregation& aggregation,
                                        const Scope& output) {
    if (!out.keeps_input) {
      if (contains_aggregate(where)) return bind_condition(where, output, context_);  // refuses it
      if (!out.aggregating) return bind_after(where, true, node, out, aggregation, output);
      return bind_condition(where, output, context_);
    }
    Scope both = scope_;
    for (const Variable& variable : output.variables()) both.add(variable);
    return bind_condition(where, both, context_);
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

  Result<void> bind_item(const ast::ProjectionItem& item, bound::Projection& out, Aggregation& aggregation,
                         Scope& output) {
    const auto* variable = std::get_if<ast::VariableRef>(&item.expression->node);
    if (output.find(item.name) != nullptr) {
      return fault("SyntaxError", "ColumnNameConflict", item.expression->span,
                   fmt::format("two columns are called '{}'; rename one with AS", item.name));
    }
    aggregation.any_key = !contains_aggregate(*item.expression);
    DEMARCHE_TRY(ExprPtr expression,
                 bind_expression(*item.expression, scope_, context_, out.aggregating ? &aggregation : nullptr));
    bool nullable = false;
    SlotType type = is_scalar(*item.expression) ? SlotType::kScalar : SlotType::kValue;
    if (std::holds_alternative<ast::ListOf>(item.expression->node)) type = SlotType::kList;
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

  Result<void> bind_order(const ast::Projection& node, bound::Projection& out, const Aggregation& aggregation,
                          const Scope& output) {
    for (const ast::SortItem& item : node.order) {
      bound::SortKey key;
      key.descending = item.descending;
      DEMARCHE_ASSIGN(key.expression, bind_sort_key(*item.expression, node, out, aggregation, output));
      out.order.push_back(std::move(key));
    }
    return {};
  }

  Result<ExprPtr> bind_sort_key(const ast::Expr& expr, const ast::Projection& node, const bound::Projection& out,
                                const Aggregation& aggregation, const Scope& output) {
    // Written like a column: that column.
    const std::size_t star_items = out.items.size() - node.items.size();
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      if (context_.written(node.items[i].expression->span) == context_.written(expr.span)) {
        return make_expr(expr.span, bound::SlotRef{out.items[star_items + i].slot});
      }
    }
    if (contains_aggregate(expr) && !out.aggregating) {
      return fault("SyntaxError", "InvalidAggregation", expr.span,
                   "ORDER BY counts over rows only where a column does too");
    }
    if (out.keeps_input) {
      Scope both = scope_;
      for (const Variable& variable : output.variables()) both.add(variable);
      return bind_expression(expr, both, context_);
    }
    return bind_after(expr, false, node, out, aggregation, output);
  }

  // After grouping or DISTINCT the columns are left, the grouping keys, and what is written like one of them.
  Result<ExprPtr> bind_after(const ast::Expr& expr, bool condition, const ast::Projection& node,
                             const bound::Projection& out, const Aggregation& aggregation, const Scope& output) {
    Aggregation after;
    after.sealed = true;
    after.any_key = !contains_aggregate(expr) || node.distinct;
    for (const Variable& variable : output.variables()) after.keys.emplace_back(variable.name, variable.slot);
    if (out.aggregating && !node.distinct) {
      after.keys.insert(after.keys.end(), aggregation.keys.begin(), aggregation.keys.end());
      after.found = aggregation.found;
    } else {
      const std::size_t star_items = out.items.size() - node.items.size();
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        after.keys.emplace_back(std::string(context_.written(node.items[i].expression->span)),
                                out.items[star_items + i].slot);
      }
    }
    if (contains_aggregate(expr)) return bind_expression(expr, scope_, context_, &after);
    auto direct = condition ? bind_condition(expr, output, context_) : bind_expression(expr, output, context_);
    if (direct) return direct;
    auto by_keys = bind_expression(expr, scope_, context_, &after);
    return by_keys ? by_keys : direct;
  }

  Result<ExprPtr> bind_row_count(const ast::ExprPtr& expr, const char* what) {
    if (!expr) return ExprPtr();
    const auto not_constant = [&] {
      return fault("SyntaxError", "NonConstantExpression", expr->span,
                   fmt::format("{} takes a number that is the same for all rows; a parameter will do", what));
    };
    if (contains_subquery(*expr)) return not_constant();
    auto bound_count = bind_expression(*expr, Scope(), context_);
    if (!bound_count) {
      const auto& why = bound_count.error().fault;
      if (why && why->detail == "UndefinedVariable") return not_constant();
      return bound_count;
    }
    const ExprPtr out = std::move(*bound_count);
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
    steps_.emplace_back(bound::Unwind{slot, std::move(list)});
    return {};
  }

  // ---- SET, REMOVE, DELETE, MERGE: bind_write.h

  template <typename Step>
  void add_write(Step step) {
    context_.query->writes = true;
    steps_.emplace_back(std::move(step));
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
    DEMARCHE_CHECK(check_created(node.pattern, "MERGE"));
    const Scope before = scope_;
    DEMARCHE_TRY(bound::Match match, MatchBinder(scope_, context_).run(node.pattern));
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
      DEMARCHE_CHECK(check_created(pattern, "CREATE"));
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
    context_.query->writes = true;
    steps_.emplace_back(std::move(out));
    return {};
  }

  // What only makes sense for what is looked for.
  static Result<void> check_created(const ast::PathPattern& pattern, const char* clause) {
    const auto refuse = [&](Span span, const char* detail, const char* what) {
      return fault("SyntaxError", detail, span, fmt::format("{} makes each interaction by itself; {}", clause, what));
    };
    if (pattern.mode != ast::PathMode::kUnsaid || pattern.search.kind != ast::PathSearch::Kind::kAll) {
      return refuse(pattern.span, "UnexpectedSyntax", "a path mode or search belongs into MATCH");
    }
    for (const ast::ActorPattern& actor : pattern.actors) {
      if (actor.where) return refuse(actor.where->span, "UnexpectedSyntax", "WHERE belongs into MATCH");
    }
    for (const ast::InteractionPattern& p : pattern.interactions) {
      if (p.where) return refuse(p.where->span, "UnexpectedSyntax", "WHERE belongs into MATCH");
      if (p.quantifier) return refuse(p.quantifier->span, "CreatingVarLength", "a number of hops belongs into MATCH");
    }
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
    if (!p.variable.empty() && scope_.find(p.variable) != nullptr) {
      return fault("SyntaxError", "VariableAlreadyBound", p.span,
                   fmt::format("'{}' is there already; choose another name", p.variable));
    }
    if (!p.kinds || p.kinds->op != ast::LabelExpr::Op::kName) {
      return fault("SyntaxError", "NoSingleRelationshipType", p.span,
                   "CREATE needs exactly one kind, as in -[:MEETING]->");
    }
    if (p.direction == ast::Direction::kEither) {
      return fault("SyntaxError", "RequiresDirectedRelationship", p.span,
                   "CREATE needs an arrow, -[...]-> or <-[...]-; RECORD knows other roles");
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
    if (!kind) {
      const std::string near = nearest(node.kind, context_.kinds->names());
      return fault("SyntaxError", "UnknownKind", node.kind_span,
                   fmt::format("there is no kind '{}'; {}", node.kind,
                               near.empty() ? "CALL kinds() lists those there are, an import can declare more"
                                            : "did you mean " + near + "?"));
    }
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
    context_.query->writes = true;
    steps_.emplace_back(std::move(out));
    return {};
  }

  Result<void> bind_clause(const ast::Clause& clause, const ast::Correct& node) {
    DEMARCHE_TRY(bound::Correct out, bind_correct(clause, node, context_));
    context_.query->writes = true;
    steps_.emplace_back(std::move(out));
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

  BindContext context_;
  Scope scope_;
  bool new_names_;  // false: the pattern of a condition
  std::vector<bound::Step> steps_;
  std::vector<bound::Column> columns_;
};

}  // namespace

Result<bound::Query> bind_query(const ast::Query& query, std::string_view text, const KindTable& kinds) {
  bound::Query out;
  out.explain = query.explain != ast::ExplainMode::kNone;
  Binder binder({text, &kinds, &out}, Scope());
  DEMARCHE_CHECK(binder.run(query));
  out.steps = binder.take_steps();
  out.columns = binder.take_columns();
  return out;
}

Result<ExprPtr> bind_subquery(Span span, const ast::Subquery& node, const Scope& scope, const BindContext& context) {
  if (node.kind == ast::Subquery::Kind::kComprehension) {
    const auto& made = std::get<ast::Return>(node.query->clauses.back().node).projection.items[0].expression;
    if (contains_aggregate(*made)) {
      return fault("SyntaxError", "InvalidAggregation", made->span,
                   "an aggregate counts over rows, not over the elements of a list; use size() or COUNT { }");
    }
  }
  Binder binder(context, scope, node.kind != ast::Subquery::Kind::kPattern);
  DEMARCHE_CHECK(binder.run(*node.query));
  return make_expr(span, bound::Subquery{node.kind, binder.take_body(scope)});
}

}  // namespace demarche::query

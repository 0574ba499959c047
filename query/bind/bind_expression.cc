#include "query/bind/bind_expression.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/date_words.h"
#include "engine/edtf.h"
#include "engine/names.h"
#include "query/bind/ast_walk.h"
#include "query/bind/bind_subquery.h"
#include "query/bind/check_types.h"
#include "query/parse/lexer.h"
#include "query/parse/token_reader.h"

namespace demarche::query {

namespace {

using bound::ExprPtr;

bool is_time_op(ast::BinaryOp op) {
  return op == ast::BinaryOp::kBefore || op == ast::BinaryOp::kAfter || op == ast::BinaryOp::kDuring ||
         op == ast::BinaryOp::kOverlaps;
}

// How something is written here for which other languages have a function.
std::string_view written_here(const std::string& name) {
  constexpr std::pair<std::string_view, std::string_view> kElsewhere[] = {
      {"now", "datetime()"}, {"current_date", "date()"}, {"ifnull", "coalesce(x, y)"},
      {"len", "size(x)"},    {"concat", "x + y"},        {"datediff", "duration.between(a, b)"},
      {"begin", "c.begin"},  {"end", "c.end"},           {"when", "c.when"},
      {"place", "c.place"},  {"year", "c.when.year"},    {"month", "c.when.month"},
      {"day", "c.when.day"}};
  for (const auto& [theirs, ours] : kElsewhere) {
    if (same_word(name, theirs)) return ours;
  }
  return {};
}

class ExpressionBinder {
 public:
  ExpressionBinder(const Scope& scope, const BindContext& context, Aggregation* aggregation)
      : scope_(scope), context_(context), aggregation_(aggregation) {}

  Result<ExprPtr> bind(const ast::Expr& expr) {
    if (aggregation_ != nullptr) {
      // A part that is written like a grouping key is that key.
      const std::string_view text = context_.written(expr.span);
      const bool may_be_key = aggregation_->any_key || is_plain(expr);
      for (const auto& [key, slot] : aggregation_->keys) {
        if (may_be_key && key == text && !reads_local(expr)) return make_expr(expr.span, bound::SlotRef{slot});
      }
    }
    return std::visit([&](const auto& node) { return bind_node(expr, node); }, expr.node);
  }

  Result<ExprPtr> bind_condition(const ast::Expr& expr) {
    DEMARCHE_CHECK(check_boolean(expr));
    return bind(expr);
  }

 private:
  // a, a.b: what may stand beside an aggregate if it is a column of its own.
  static bool is_plain(const ast::Expr& expr) {
    if (const auto* property = std::get_if<ast::PropertyOf>(&expr.node)) return is_plain(*property->object);
    return std::holds_alternative<ast::VariableRef>(expr.node);
  }

  Result<ExprPtr> bind_optional(const ast::ExprPtr& expr) { return expr ? bind(*expr) : Result<ExprPtr>(ExprPtr()); }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::Literal& node) {
    return make_expr(expr.span, bound::Constant{node.value});
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::DateLiteral& node) {
    return bind_date(expr.span, node.text_span, node.text);
  }

  Result<ExprPtr> bind_date(Span span, Span text_span, const std::string& text) {
    auto edtf = parse_edtf(text);
    if (!edtf) return fault("SyntaxError", "InvalidDate", text_span, edtf.error().message);
    return make_expr(span, bound::Constant{Value::date(date_literal(*edtf))});
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::ParameterRef& node) {
    return make_expr(expr.span, bound::Parameter{node.name});
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::VariableRef& node) {
    const Variable* variable = scope_.find(node.name);
    if (variable == nullptr) {
      const std::string near = nearest(node.name, scope_.names());
      return fault("SyntaxError", "UndefinedVariable", expr.span,
                   near.empty() ? fmt::format("nothing is called '{}' here", node.name)
                                : fmt::format("nothing is called '{}' here; did you mean {}?", node.name, near));
    }
    const bool local = std::find(locals_.begin(), locals_.end(), variable->slot) != locals_.end();
    if (aggregation_ != nullptr && !local) {
      return fault("SyntaxError", "AmbiguousAggregationExpression", expr.span,
                   fmt::format("'{}' stands beside an aggregate but is not a column of its own; add it to the columns",
                               node.name));
    }
    if (variable->type == SlotType::kActor) note_kind(variable->slot, ValueKind::kActor, context_);
    if (variable->type == SlotType::kInteraction) note_kind(variable->slot, ValueKind::kInteraction, context_);
    if (variable->type == SlotType::kPath) note_kind(variable->slot, ValueKind::kPath, context_);
    return make_expr(expr.span, bound::SlotRef{variable->slot});
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::PropertyOf& node) {
    if (const auto* name = std::get_if<ast::VariableRef>(&node.object->node)) {
      const Variable* variable = scope_.find(name->name);
      if (variable != nullptr && variable->type == SlotType::kPath) {
        return fault(
            "SyntaxError", "InvalidArgumentType", expr.span,
            fmt::format("'{}' is a path and has no properties; ask for its nodes() or relationships()", name->name));
      }
    }
    DEMARCHE_TRY(ExprPtr object, bind(*node.object));
    DEMARCHE_CHECK(check_property(*object, expr.span, context_));
    return make_expr(expr.span, bound::PropertyOf{std::move(object), node.key});
  }

  // What is surely no truth value, whatever the data, is refused before the query runs.
  Result<void> check_boolean(const ast::Expr& expr) const {
    if (const auto* name = std::get_if<ast::VariableRef>(&expr.node)) {
      const Variable* variable = scope_.find(name->name);
      if (variable == nullptr || variable->type == SlotType::kValue || variable->type == SlotType::kScalar) return {};
      return fault("SyntaxError", "InvalidArgumentType", expr.span,
                   fmt::format("expected true, false or null, found '{}', which is none of them", name->name));
    }
    const auto* literal = std::get_if<ast::Literal>(&expr.node);
    const bool list = std::holds_alternative<ast::ListOf>(expr.node);
    const bool map = std::holds_alternative<ast::MapOf>(expr.node);
    const bool boolean = literal == nullptr || literal->value.is_null() || literal->value.kind() == ValueKind::kBoolean;
    if (boolean && !list && !map) return {};
    const ValueKind kind = list ? ValueKind::kList : (map ? ValueKind::kMap : literal->value.kind());
    return fault("SyntaxError", "InvalidArgumentType", expr.span,
                 fmt::format("expected true, false or null, found {}", a_kind(kind)));
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::Unary& node) {
    if (node.op == ast::UnaryOp::kNot || node.op == ast::UnaryOp::kPossibly)
      DEMARCHE_CHECK(check_boolean(*node.operand));
    DEMARCHE_TRY(ExprPtr operand, bind(*node.operand));
    return make_expr(expr.span, bound::Unary{node.op, std::move(operand)});
  }

  // A string where a date is expected is one, and a wrong one is found before the query runs.
  Result<ExprPtr> bind_time_operand(const ast::Expr& expr) {
    if (const auto* literal = std::get_if<ast::Literal>(&expr.node)) {
      if (literal->value.kind() == ValueKind::kString) {
        const std::string& text = literal->value.as_string();
        return bind_date(expr.span, expr.span, edtf_of_words(text).value_or(text));
      }
      if (!literal->value.is_null()) {
        return fault("SyntaxError", "InvalidArgumentType", expr.span,
                     fmt::format("expected a date or an interaction, found {}", a_kind(literal->value.kind())));
      }
    }
    return bind(expr);
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::Binary& node) {
    if (is_time_op(node.op)) {
      DEMARCHE_TRY(ExprPtr left, bind_time_operand(*node.left));
      DEMARCHE_TRY(ExprPtr right, bind_time_operand(*node.right));
      return make_expr(expr.span, bound::Binary{node.op, std::move(left), std::move(right)});
    }
    if (node.op == ast::BinaryOp::kAnd || node.op == ast::BinaryOp::kOr || node.op == ast::BinaryOp::kXor) {
      DEMARCHE_CHECK(check_boolean(*node.left));
      DEMARCHE_CHECK(check_boolean(*node.right));
    }
    DEMARCHE_TRY(ExprPtr left, bind(*node.left));
    DEMARCHE_TRY(ExprPtr right, bind(*node.right));
    DEMARCHE_CHECK(check_operands(node.op, *left, *right, expr.span, context_));
    return make_expr(expr.span, bound::Binary{node.op, std::move(left), std::move(right)});
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::Comparison& node) {
    DEMARCHE_TRY(ExprPtr left, bind(*node.first));
    ExprPtr all;
    for (const auto& [op, operand] : node.rest) {
      DEMARCHE_TRY(ExprPtr right, bind(*operand));
      ExprPtr one = make_expr(expr.span, bound::Compare{op, left, right});
      all = all ? make_expr(expr.span, bound::Binary{ast::BinaryOp::kAnd, std::move(all), std::move(one)})
                : std::move(one);
      left = std::move(right);
    }
    return all;
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::Call& node) {
    const FunctionDef* def = find_function(node.name);
    if (def == nullptr) {
      std::vector<std::string> names;
      for (const FunctionDef& f : all_functions()) names.emplace_back(f.name);
      const std::string_view ours = written_here(node.name);
      const std::string near = ours.empty() ? nearest(node.name, names) : "";
      if (!ours.empty()) {
        return fault("SyntaxError", "UnknownFunction", node.name_span,
                     fmt::format("there is no function '{}'; write {}", node.name, ours));
      }
      return fault("SyntaxError", "UnknownFunction", node.name_span,
                   near.empty() ? fmt::format("there is no function '{}'", node.name)
                                : fmt::format("there is no function '{}'; did you mean {}?", node.name, near));
    }
    if (node.star && def->id != FunctionId::kCount) {
      return fault("SyntaxError", "InvalidNumberOfArguments", expr.span,
                   fmt::format("only count takes *; write {}", def->signature));
    }
    if (!node.star && (node.arguments.size() < def->arguments_min || node.arguments.size() > def->arguments_max)) {
      return fault(
          "SyntaxError", "InvalidNumberOfArguments", expr.span,
          fmt::format("{} does not take {} arguments; write {}", def->name, node.arguments.size(), def->signature));
    }
    if (def->aggregate) return bind_aggregate(expr, node, *def);
    if (def->id == FunctionId::kExists && is_pattern(*node.arguments[0])) return bind(*node.arguments[0]);
    if (node.distinct) {
      return fault("SyntaxError", "UnexpectedSyntax", expr.span,
                   fmt::format("DISTINCT belongs to aggregates; {} is none", def->name));
    }
    bound::Function out{def, {}};
    for (const ast::ExprPtr& argument : node.arguments) {
      DEMARCHE_TRY(ExprPtr bound_argument, bind(*argument));
      out.arguments.push_back(std::move(bound_argument));
    }
    DEMARCHE_CHECK(check_arguments(out, expr.span, context_));
    return make_expr(expr.span, std::move(out));
  }

  Result<ExprPtr> bind_aggregate(const ast::Expr& expr, const ast::Call& node, const FunctionDef& def) {
    if (aggregation_ == nullptr) {
      return fault("SyntaxError", "InvalidAggregation", expr.span,
                   fmt::format("{} counts over rows; it belongs into RETURN or WITH", def.name));
    }
    if (aggregation_->sealed) {
      for (const bound::Aggregate& there : aggregation_->found) {
        if (context_.written(there.span) == context_.written(expr.span))
          return make_expr(expr.span, bound::SlotRef{there.slot});
      }
      return fault(
          "SyntaxError", "UndefinedVariable", expr.span,
          fmt::format("no column computes {}; after grouping only columns are left", context_.written(expr.span)));
    }
    bound::Aggregate out;
    out.def = &def;
    out.distinct = node.distinct;
    out.span = expr.span;
    if (!node.star) {
      for (const ast::ExprPtr& argument : node.arguments) {
        if (contains_aggregate(*argument)) {
          return fault("SyntaxError", "NestedAggregation", expr.span,
                       "an aggregate inside an aggregate; compute the inner one in a WITH before");
        }
        if (is_random(*argument)) {
          return fault("SyntaxError", "NonConstantExpression", argument->span,
                       "a random number inside an aggregate; compute it in a WITH before");
        }
      }
      // Inside the brackets the rows before grouping are read. A second argument travels with the first in a list.
      ExpressionBinder inner(scope_, context_, nullptr);
      DEMARCHE_ASSIGN(out.argument, inner.bind(*node.arguments[0]));
      if (node.arguments.size() == 2) {
        DEMARCHE_TRY(ExprPtr second, inner.bind(*node.arguments[1]));
        out.argument = make_expr(expr.span, bound::ListOf{{std::move(out.argument), std::move(second)}});
      }
    }
    out.slot = context_.new_slot("");
    aggregation_->found.push_back(out);
    return make_expr(expr.span, bound::SlotRef{out.slot});
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::ListOf& node) {
    bound::ListOf out;
    for (const ast::ExprPtr& item : node.items) {
      DEMARCHE_TRY(ExprPtr bound_item, bind(*item));
      out.items.push_back(std::move(bound_item));
    }
    return make_expr(expr.span, std::move(out));
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::MapOf& node) {
    bound::MapOf out;
    for (const auto& [key, value] : node.entries) {
      DEMARCHE_TRY(ExprPtr bound_value, bind(*value));
      out.entries.emplace_back(key, std::move(bound_value));
    }
    return make_expr(expr.span, std::move(out));
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::ElementAt& node) {
    DEMARCHE_TRY(ExprPtr object, bind(*node.object));
    DEMARCHE_TRY(ExprPtr index, bind(*node.index));
    DEMARCHE_CHECK(check_index(*object, expr.span, context_));
    return make_expr(expr.span, bound::ElementAt{std::move(object), std::move(index)});
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::SliceOf& node) {
    DEMARCHE_TRY(ExprPtr object, bind(*node.object));
    DEMARCHE_TRY(ExprPtr from, bind_optional(node.from));
    DEMARCHE_TRY(ExprPtr to, bind_optional(node.to));
    return make_expr(expr.span, bound::SliceOf{std::move(object), std::move(from), std::move(to)});
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::CaseOf& node) {
    bound::CaseOf out;
    DEMARCHE_ASSIGN(out.subject, bind_optional(node.subject));
    for (const auto& [condition, result] : node.branches) {
      DEMARCHE_TRY(ExprPtr bound_condition, bind(*condition));
      DEMARCHE_TRY(ExprPtr bound_result, bind(*result));
      out.branches.emplace_back(std::move(bound_condition), std::move(bound_result));
    }
    DEMARCHE_ASSIGN(out.otherwise, bind_optional(node.otherwise));
    return make_expr(expr.span, std::move(out));
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::HasLabels& node) {
    DEMARCHE_TRY(ExprPtr subject, bind(*node.subject));
    return make_expr(expr.span, bound::HasLabels{std::move(subject), node.labels});
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::Subquery& node) {
    if (aggregation_ == nullptr) return bind_subquery(expr.span, node, scope_, context_);
    // Beside an aggregate only grouping keys are left of the rows.
    Scope scope;
    for (const Variable& variable : scope_.variables()) {
      const auto key = std::find_if(aggregation_->keys.begin(), aggregation_->keys.end(),
                                    [&](const auto& k) { return k.first == variable.name; });
      const bool local = std::find(locals_.begin(), locals_.end(), variable.slot) != locals_.end();
      if (local || key != aggregation_->keys.end()) {
        scope.add({variable.name, local ? variable.slot : key->second, variable.type, variable.nullable});
      }
    }
    return bind_subquery(expr.span, node, scope, context_);
  }

  // Does the expression read the element of a list expression around it?
  [[nodiscard]] bool reads_local(const ast::Expr& expr) const {
    if (locals_.empty()) return false;
    if (const auto* variable = std::get_if<ast::VariableRef>(&expr.node)) {
      const Variable* found = scope_.find(variable->name);
      return found != nullptr && std::find(locals_.begin(), locals_.end(), found->slot) != locals_.end();
    }
    bool reads = false;
    ast::for_each_child(expr, [&](const ast::Expr& child) { reads = reads || reads_local(child); });
    return reads;
  }

  // Binds `expr` where the names in `locals` stand for elements of a list.
  Result<ExprPtr> bind_inside(const ast::ExprPtr& expr, const std::vector<std::pair<std::string, Slot>>& locals) {
    if (!expr) return ExprPtr();
    if (contains_aggregate(*expr)) {
      return fault("SyntaxError", "InvalidAggregation", expr->span,
                   "an aggregate counts over rows, not over the elements of a list; use size() or reduce()");
    }
    Scope scope = scope_;
    std::vector<Slot> slots = locals_;
    for (const auto& [name, slot] : locals) {
      scope.add({name, slot, SlotType::kValue});
      slots.push_back(slot);
    }
    ExpressionBinder inner(scope, context_, aggregation_);
    inner.locals_ = std::move(slots);
    return inner.bind(*expr);
  }

  // The one kind of all elements of a list that is written out.
  [[nodiscard]] std::optional<ValueKind> element_kind(const bound::Expr& list) const {
    const auto* items = std::get_if<bound::ListOf>(&list.node);
    if (items == nullptr || items->items.empty()) return std::nullopt;
    const auto first = sure_kind(*items->items[0], context_);
    const auto same = [&](const ExprPtr& item) { return sure_kind(*item, context_) == first; };
    return std::all_of(items->items.begin(), items->items.end(), same) ? first : std::nullopt;
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::ListScan& node) {
    bound::ListScan out;
    out.kind = node.kind;
    DEMARCHE_ASSIGN(out.list, bind(*node.list));
    out.variable = context_.new_slot(node.variable);
    note_kind(out.variable, element_kind(*out.list), context_);
    const std::vector<std::pair<std::string, Slot>> locals = {{node.variable, out.variable}};
    DEMARCHE_ASSIGN(out.condition, bind_inside(node.condition, locals));
    DEMARCHE_ASSIGN(out.result, bind_inside(node.result, locals));
    return make_expr(expr.span, std::move(out));
  }

  Result<ExprPtr> bind_node(const ast::Expr& expr, const ast::Reduce& node) {
    bound::Reduce out;
    DEMARCHE_ASSIGN(out.start, bind(*node.start));
    DEMARCHE_ASSIGN(out.list, bind(*node.list));
    out.accumulator = context_.new_slot(node.accumulator);
    out.variable = context_.new_slot(node.variable);
    DEMARCHE_ASSIGN(out.step,
                    bind_inside(node.step, {{node.accumulator, out.accumulator}, {node.variable, out.variable}}));
    return make_expr(expr.span, std::move(out));
  }

  const Scope& scope_;
  const BindContext& context_;
  Aggregation* aggregation_;
  std::vector<Slot> locals_;  // of the list expressions around
};

}  // namespace

ExprPtr make_expr(Span span, decltype(bound::Expr::node) node) {
  return std::make_shared<const bound::Expr>(bound::Expr{span, std::move(node)});
}

Result<ExprPtr> bind_expression(const ast::Expr& expr, const Scope& scope, const BindContext& context,
                                Aggregation* aggregation) {
  DEMARCHE_CHECK(check_patterns(expr, false));
  return ExpressionBinder(scope, context, aggregation).bind(expr);
}

Result<ExprPtr> bind_condition(const ast::Expr& expr, const Scope& scope, const BindContext& context) {
  DEMARCHE_CHECK(check_patterns(expr, true));
  return ExpressionBinder(scope, context, nullptr).bind_condition(expr);
}

bool contains_aggregate(const ast::Expr& expr) {
  if (const auto* call = std::get_if<ast::Call>(&expr.node)) {
    const FunctionDef* def = find_function(call->name);
    if (def != nullptr && def->aggregate) return true;
  }
  bool found = false;
  ast::for_each_child(expr, [&](const ast::Expr& child) { found = found || contains_aggregate(child); });
  return found;
}

}  // namespace demarche::query

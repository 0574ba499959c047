#include "query/exec/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/date_words.h"
#include "engine/edtf.h"
#include "query/exec/columns.h"
#include "query/exec/functions.h"
#include "query/exec/scalar_functions.h"
#include "query/exec/subquery.h"
#include "query/exec/temporal_functions.h"
#include "query/parse/lexer.h"

namespace demarche::query {

namespace {

using ast::BinaryOp;
using ast::CompareOp;
using ast::UnaryOp;

Result<Value> arithmetic_error(Span span, std::string_view doing, const Value& a, const Value& b) {
  return runtime_error("TypeError", "InvalidArgumentType", span,
                       fmt::format("cannot {} {} and {}", doing, kind_name(a.kind()), kind_name(b.kind())));
}

Result<Value> overflow(Span span) {
  return runtime_error("ArithmeticError", "IntegerOverflow", span, "the result does not fit into 64 bits");
}

Result<Value> integer_arithmetic(BinaryOp op, std::int64_t a, std::int64_t b, Span span) {
  std::int64_t out = 0;
  bool failed = false;
  switch (op) {
    case BinaryOp::kAdd:
      failed = __builtin_add_overflow(a, b, &out);
      break;
    case BinaryOp::kSubtract:
      failed = __builtin_sub_overflow(a, b, &out);
      break;
    case BinaryOp::kMultiply:
      failed = __builtin_mul_overflow(a, b, &out);
      break;
    case BinaryOp::kDivide:
    case BinaryOp::kModulo:
      if (b == 0) return runtime_error("ArithmeticError", "DivisionByZero", span, "division by zero");
      if (b == -1) {  // the one quotient that does not fit
        failed = op == BinaryOp::kDivide && a == std::numeric_limits<std::int64_t>::min();
        out = op == BinaryOp::kDivide && !failed ? -a : 0;
      } else {
        out = op == BinaryOp::kDivide ? a / b : a % b;
      }
      break;
    default:
      break;
  }
  return failed ? overflow(span) : Value::integer(out);
}

Result<Value> arithmetic(BinaryOp op, const Value& a, const Value& b, Span span) {
  if (a.is_null() || b.is_null()) return Value();
  if (auto time = time_arithmetic(op, a, b, span)) return std::move(*time);
  if (!a.is_number() || !b.is_number()) {
    constexpr const char* kDoing[] = {"add", "subtract", "multiply", "divide", "take the remainder of", "raise"};
    return arithmetic_error(span, kDoing[static_cast<std::size_t>(op) - static_cast<std::size_t>(BinaryOp::kAdd)], a,
                            b);
  }
  if (op == BinaryOp::kPower) return Value::real(std::pow(a.to_real(), b.to_real()));
  if (a.kind() == ValueKind::kInteger && b.kind() == ValueKind::kInteger) {
    return integer_arithmetic(op, a.as_integer(), b.as_integer(), span);
  }
  const double x = a.to_real();
  const double y = b.to_real();
  switch (op) {
    case BinaryOp::kAdd:
      return Value::real(x + y);
    case BinaryOp::kSubtract:
      return Value::real(x - y);
    case BinaryOp::kMultiply:
      return Value::real(x * y);
    case BinaryOp::kDivide:
      return Value::real(x / y);
    default:
      return Value::real(std::fmod(x, y));
  }
}

Result<Value> add(const Value& a, const Value& b, Span span) {
  if (a.kind() == ValueKind::kList || b.kind() == ValueKind::kList) {
    if (a.is_null() || b.is_null()) return Value();
    ValueList out;
    if (a.kind() == ValueKind::kList) {
      out = a.as_list();
    } else {
      out.push_back(a);
    }
    if (b.kind() == ValueKind::kList) {
      out.insert(out.end(), b.as_list().begin(), b.as_list().end());
    } else {
      out.push_back(b);
    }
    return Value::list(std::move(out));
  }
  if (a.is_null() || b.is_null()) return Value();
  const bool texts = a.kind() == ValueKind::kString || b.kind() == ValueKind::kString;
  const auto fits = [](const Value& v) { return v.kind() == ValueKind::kString || v.is_number(); };
  if (texts && fits(a) && fits(b)) return Value::string(to_text(a) + to_text(b));
  return arithmetic(BinaryOp::kAdd, a, b, span);
}

Result<Truth> to_truth(const Value& v, Span span) {
  if (v.is_null()) return Truth::kUnknown;
  if (v.kind() == ValueKind::kBoolean) return v.as_boolean() ? Truth::kTrue : Truth::kFalse;
  return runtime_error("TypeError", "InvalidArgumentType", span,
                       fmt::format("expected true, false or null, found {}", a_kind(v.kind())));
}

Value text_predicate(BinaryOp op, const Value& a, const Value& b) {
  if (a.kind() != ValueKind::kString || b.kind() != ValueKind::kString) return Value();
  const std::string& text = a.as_string();
  const std::string& part = b.as_string();
  if (op == BinaryOp::kStartsWith) return Value::boolean(text.starts_with(part));
  if (op == BinaryOp::kEndsWith) return Value::boolean(text.ends_with(part));
  return Value::boolean(text.find(part) != std::string::npos);
}

// A text or an exact day beside a date or an interaction's date is read as a date.
Result<Value> as_date_like(const Value& v, const Value& other, Span span) {
  if (v.is_time() && has_day(v.as_time().type) && other.kind() == ValueKind::kDate) {
    DEMARCHE_TRY(DateValue date, as_record_date(v.as_time(), span));
    return Value::date(std::move(date));
  }
  if (v.kind() != ValueKind::kString || other.kind() != ValueKind::kDate) return v;
  auto edtf = parse_edtf_or_words(v.as_string());
  if (!edtf) return runtime_error("ArgumentError", "InvalidDate", span, edtf.error().message);
  return Value::date(date_literal(*edtf));
}

Result<Value> compare(CompareOp op, const Value& left, const Value& right, Span span) {
  DEMARCHE_TRY(const Value a, as_date_like(left, right, span));
  DEMARCHE_TRY(const Value b, as_date_like(right, left, span));
  switch (op) {
    case CompareOp::kEqual:
      return Value::truth(equals(a, b));
    case CompareOp::kNotEqual:
      return Value::truth(truth_not(equals(a, b)));
    case CompareOp::kLess:
      return Value::truth(less_than(a, b));
    case CompareOp::kLessOrEqual:
      return Value::truth(less_or_equal(a, b));
    case CompareOp::kGreater:
      return Value::truth(less_than(b, a));
    case CompareOp::kGreaterOrEqual:
      return Value::truth(less_or_equal(b, a));
  }
  return Value();
}

Result<Value> is_in(const Value& item, const Value& list, Span span) {
  if (list.is_null()) return Value();
  if (list.kind() != ValueKind::kList) {
    return runtime_error("TypeError", "InvalidArgumentType", span,
                         fmt::format("IN takes a list, found {}", a_kind(list.kind())));
  }
  Truth any = Truth::kFalse;
  for (const Value& candidate : list.as_list()) {
    DEMARCHE_TRY(const Value same, compare(CompareOp::kEqual, item, candidate, span));
    any = truth_or(any, same.is_null() ? Truth::kUnknown : (same.as_boolean() ? Truth::kTrue : Truth::kFalse));
    if (any == Truth::kTrue) break;
  }
  return Value::truth(any);
}

Result<Value> element_at(const Value& object, const Value& index, Span span, ExecContext& context) {
  if (object.is_null() || index.is_null()) return Value();
  if (object.kind() == ValueKind::kList && index.kind() == ValueKind::kInteger) {
    const ValueList& list = object.as_list();
    const auto size = static_cast<std::int64_t>(list.size());
    const std::int64_t i = index.as_integer() < 0 ? size + index.as_integer() : index.as_integer();
    return i < 0 || i >= size ? Value() : list[static_cast<std::size_t>(i)];
  }
  if (index.kind() == ValueKind::kString && object.kind() != ValueKind::kList) {
    return property_of(object, index.as_string(), span, context);
  }
  const bool record = object.kind() == ValueKind::kActor || object.kind() == ValueKind::kInteraction;
  const char* detail = object.kind() == ValueKind::kList            ? "ListElementAccessByNonInteger"
                       : object.kind() == ValueKind::kMap || record ? "MapElementAccessByNonString"
                                                                    : "InvalidArgumentType";
  return runtime_error("TypeError", detail, span,
                       fmt::format("{} has no element at {}", a_kind(object.kind()), a_kind(index.kind())));
}

Result<Value> slice(const Value& object, const Value& from, const Value& to, bool has_from, bool has_to, Span span) {
  if (object.is_null() || (has_from && from.is_null()) || (has_to && to.is_null())) return Value();
  const auto whole = [](const Value& v, bool there) { return !there || v.kind() == ValueKind::kInteger; };
  if (object.kind() != ValueKind::kList || !whole(from, has_from) || !whole(to, has_to)) {
    return runtime_error("TypeError", "InvalidArgumentType", span, "a slice takes a list and whole numbers");
  }
  const ValueList& list = object.as_list();
  const auto size = static_cast<std::int64_t>(list.size());
  const auto clip = [size](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? size + i : i, 0, size); };
  const std::int64_t begin = has_from ? clip(from.as_integer()) : 0;
  const std::int64_t end = has_to ? clip(to.as_integer()) : size;
  if (begin >= end) return Value::list({});
  return Value::list(ValueList(list.begin() + begin, list.begin() + end));
}

bool has_kind(const bound::LabelTest& test, KindId kind, const KindTable& table) {
  switch (test.op) {
    case ast::LabelExpr::Op::kAny:
      return true;
    case ast::LabelExpr::Op::kNot:
      return !has_kind(test.operands[0], kind, table);
    case ast::LabelExpr::Op::kAnd:
      return has_kind(test.operands[0], kind, table) && has_kind(test.operands[1], kind, table);
    case ast::LabelExpr::Op::kOr:
      return has_kind(test.operands[0], kind, table) || has_kind(test.operands[1], kind, table);
    case ast::LabelExpr::Op::kName:
      break;
  }
  const auto named = table.find(test.name);  // a kind is all kinds above it
  return named && table.is_below(kind, *named);
}

class Evaluator {
 public:
  Evaluator(const Batch& batch, std::size_t row, ExecContext& context) : batch_(batch), row_(row), context_(context) {}

  Result<Value> operator()(const bound::Expr& expr) {
    auto out = std::visit([&](const auto& node) { return eval(expr, node); }, expr.node);
    if (!out) return tl::unexpected(placed(std::move(out).error(), expr.span));
    if (out->depth() > kValueDepthMax) {
      return runtime_error("ArgumentError", "NestingTooDeep", expr.span,
                           fmt::format("{} of more than {} levels", a_kind(out->kind()), kValueDepthMax));
    }
    return out;
  }

 private:
  Result<Value> eval(const bound::Expr&, const bound::Constant& node) { return node.value; }
  Result<Value> eval(const bound::Expr& expr, const bound::Parameter& node) {
    const auto it = context_.parameters().find(node.name);
    if (it != context_.parameters().end()) return it->second;
    return runtime_error("ParameterMissing", "MissingParameter", expr.span,
                         fmt::format("parameter ${} was not given", node.name));
  }
  Result<Value> eval(const bound::Expr&, const bound::SlotRef& node) {
    for (auto it = locals_.rbegin(); it != locals_.rend(); ++it) {
      if (it->first == node.slot) return it->second;
    }
    return batch_.at(node.slot, row_);
  }
  Result<Value> eval(const bound::Expr& expr, const bound::PropertyOf& node) {
    DEMARCHE_TRY(const Value object, (*this)(*node.object));
    return property_of(object, node.key, expr.span, context_);
  }

  Result<Value> eval(const bound::Expr& expr, const bound::Unary& node) {
    DEMARCHE_TRY(const Value v, (*this)(*node.operand));
    switch (node.op) {
      case UnaryOp::kIsNull:
        return Value::boolean(v.is_null());
      case UnaryOp::kIsNotNull:
        return Value::boolean(!v.is_null());
      case UnaryOp::kNot: {
        DEMARCHE_TRY(const Truth truth, to_truth(v, node.operand->span));
        return Value::truth(truth_not(truth));
      }
      case UnaryOp::kPossibly: {
        DEMARCHE_TRY(const Truth truth, to_truth(v, node.operand->span));
        return Value::boolean(truth != Truth::kFalse);
      }
      case UnaryOp::kPlus:
      case UnaryOp::kMinus:
        break;
    }
    if (v.is_null()) return Value();
    if (!v.is_number()) {
      return runtime_error("TypeError", "InvalidArgumentType", expr.span,
                           fmt::format("a sign before {}", a_kind(v.kind())));
    }
    if (node.op == UnaryOp::kPlus) return v;
    if (v.kind() == ValueKind::kFloat) return Value::real(-v.as_real());
    return integer_arithmetic(BinaryOp::kSubtract, 0, v.as_integer(), expr.span);
  }

  Result<Value> logic(const bound::Binary& node) {
    DEMARCHE_TRY(const Value left, (*this)(*node.left));
    DEMARCHE_TRY(const Truth a, to_truth(left, node.left->span));
    if (node.op == BinaryOp::kAnd && a == Truth::kFalse) return Value::boolean(false);
    if (node.op == BinaryOp::kOr && a == Truth::kTrue) return Value::boolean(true);
    DEMARCHE_TRY(const Value right, (*this)(*node.right));
    DEMARCHE_TRY(const Truth b, to_truth(right, node.right->span));
    if (node.op == BinaryOp::kAnd) return Value::truth(truth_and(a, b));
    if (node.op == BinaryOp::kOr) return Value::truth(truth_or(a, b));
    return a == Truth::kUnknown || b == Truth::kUnknown ? Value() : Value::boolean(a != b);
  }

  Result<Value> time_predicate(const bound::Binary& node) {
    DEMARCHE_TRY(const Value left, (*this)(*node.left));
    DEMARCHE_TRY(const Value right, (*this)(*node.right));
    DEMARCHE_TRY(const auto a, time_operand(left, node.left->span, context_));
    DEMARCHE_TRY(const auto b, time_operand(right, node.right->span, context_));
    if (!a || !b) return Value();
    const auto predicate = static_cast<TimePredicate>(static_cast<int>(node.op) - static_cast<int>(BinaryOp::kBefore));
    const bool identical = a->owner.value != 0 && a->owner == b->owner;
    if (!identical && (a->undated || b->undated)) return Value();  // never certain, never ruled out
    if (identical) return Value::truth(evaluate_identical(predicate));
    return Value::truth(demarche::evaluate(predicate, a->bounds, b->bounds));
  }

  Result<Value> eval(const bound::Expr& expr, const bound::Binary& node) {
    switch (node.op) {
      case BinaryOp::kAnd:
      case BinaryOp::kOr:
      case BinaryOp::kXor:
        return logic(node);
      case BinaryOp::kBefore:
      case BinaryOp::kAfter:
      case BinaryOp::kDuring:
      case BinaryOp::kOverlaps:
        return time_predicate(node);
      default:
        break;
    }
    DEMARCHE_TRY(const Value left, (*this)(*node.left));
    DEMARCHE_TRY(const Value right, (*this)(*node.right));
    switch (node.op) {
      case BinaryOp::kAdd:
        return add(left, right, expr.span);
      case BinaryOp::kIn:
        return is_in(left, right, expr.span);
      case BinaryOp::kStartsWith:
      case BinaryOp::kEndsWith:
      case BinaryOp::kContains:
        return text_predicate(node.op, left, right);
      case BinaryOp::kMatches:
        return matches(left, right, expr.span);
      default:
        return arithmetic(node.op, left, right, expr.span);
    }
  }

  Result<Value> matches(const Value& text, const Value& pattern, Span span) {
    if (text.kind() != ValueKind::kString || pattern.kind() != ValueKind::kString) return Value();
    const auto matched = context_.patterns.matches(text.as_string(), pattern.as_string());
    if (!matched) return runtime_error("ArgumentError", "InvalidArgumentValue", span, matched.error().message);
    return Value::boolean(*matched);
  }

  Result<Value> eval(const bound::Expr& expr, const bound::Compare& node) {
    DEMARCHE_TRY(const Value left, (*this)(*node.left));
    DEMARCHE_TRY(const Value right, (*this)(*node.right));
    return compare(node.op, left, right, expr.span);
  }

  Result<Value> eval(const bound::Expr& expr, const bound::Function& node) {
    if (node.def->id == FunctionId::kCertainty) {
      DEMARCHE_TRY(const Value v, (*this)(*node.arguments[0]));
      DEMARCHE_TRY(const Truth truth, to_truth(v, node.arguments[0]->span));
      return Value::string(truth == Truth::kTrue ? "certain" : (truth == Truth::kUnknown ? "possible" : "no"));
    }
    std::vector<Value> arguments;
    arguments.reserve(node.arguments.size());
    for (const bound::ExprPtr& argument : node.arguments) {
      DEMARCHE_TRY(Value v, (*this)(*argument));
      arguments.push_back(std::move(v));
    }
    return call_function(*node.def, arguments, expr.span, context_);
  }

  Result<Value> eval(const bound::Expr&, const bound::ListOf& node) {
    ValueList out;
    for (const bound::ExprPtr& item : node.items) {
      DEMARCHE_TRY(Value v, (*this)(*item));
      out.push_back(std::move(v));
    }
    return Value::list(std::move(out));
  }

  Result<Value> eval(const bound::Expr&, const bound::MapOf& node) {
    ValueMap out;
    for (const auto& [key, value] : node.entries) {
      DEMARCHE_TRY(Value v, (*this)(*value));
      out.emplace_back(key, std::move(v));
    }
    return Value::map(std::move(out));
  }

  Result<Value> eval(const bound::Expr& expr, const bound::ElementAt& node) {
    DEMARCHE_TRY(const Value object, (*this)(*node.object));
    DEMARCHE_TRY(const Value index, (*this)(*node.index));
    return element_at(object, index, expr.span, context_);
  }

  Result<Value> eval(const bound::Expr& expr, const bound::SliceOf& node) {
    DEMARCHE_TRY(const Value object, (*this)(*node.object));
    Value from;
    Value to;
    if (node.from) DEMARCHE_ASSIGN(from, (*this)(*node.from));
    if (node.to) DEMARCHE_ASSIGN(to, (*this)(*node.to));
    return slice(object, from, to, node.from != nullptr, node.to != nullptr, expr.span);
  }

  Result<Value> eval(const bound::Expr&, const bound::CaseOf& node) {
    Value subject;
    if (node.subject) DEMARCHE_ASSIGN(subject, (*this)(*node.subject));
    for (const auto& [condition, result] : node.branches) {
      DEMARCHE_TRY(const Value v, (*this)(*condition));
      Truth hit = Truth::kUnknown;
      if (node.subject) {
        hit = equals(subject, v);
      } else {
        DEMARCHE_ASSIGN(hit, to_truth(v, condition->span));
      }
      if (hit == Truth::kTrue) return (*this)(*result);
    }
    return node.otherwise ? (*this)(*node.otherwise) : Result<Value>(Value());
  }

  Result<Value> eval(const bound::Expr& expr, const bound::HasLabels& node) {
    DEMARCHE_TRY(const Value subject, (*this)(*node.subject));
    if (subject.is_null()) return Value();
    if (subject.kind() == ValueKind::kActor) {
      DEMARCHE_TRY(const Actor* actor, context_.actor(subject.as_actor()));
      return Value::boolean(has_labels(node.labels, actor->labels));
    }
    if (subject.kind() == ValueKind::kInteraction) {
      DEMARCHE_TRY(const InteractionFacts facts, context_.facts(subject.as_interaction()));
      return Value::boolean(has_kind(node.labels, facts.kind, context_.view().kinds()));
    }
    return runtime_error("TypeError", "InvalidArgumentType", expr.span,
                         fmt::format("{} has no labels", a_kind(subject.kind())));
  }

  // The list that a scan goes over; nullopt for null.
  Result<std::optional<Value>> list_of(const bound::ExprPtr& expr) {
    DEMARCHE_TRY(Value list, (*this)(*expr));
    if (list.is_null()) return std::nullopt;
    if (list.kind() == ValueKind::kList) return list;
    return runtime_error("TypeError", "InvalidArgumentType", expr->span,
                         fmt::format("expected a list, found {}", a_kind(list.kind())));
  }

  Result<Value> eval(const bound::Expr&, const bound::ListScan& node) {
    DEMARCHE_TRY(const std::optional<Value> list, list_of(node.list));
    if (!list) return Value();
    ValueList out;
    std::size_t certain = 0;
    std::size_t unknown = 0;
    const std::size_t outer = locals_.size();
    for (const Value& item : list->as_list()) {
      locals_.resize(outer);
      locals_.emplace_back(node.variable, item);
      Truth holds = Truth::kTrue;
      if (node.condition) {
        DEMARCHE_TRY(const Value v, (*this)(*node.condition));
        DEMARCHE_ASSIGN(holds, to_truth(v, node.condition->span));
      }
      certain += holds == Truth::kTrue ? 1 : 0;
      unknown += holds == Truth::kUnknown ? 1 : 0;
      if (node.kind != ast::ListScan::Kind::kComprehension || holds != Truth::kTrue) continue;
      if (!node.result) {
        out.push_back(item);
        continue;
      }
      DEMARCHE_TRY(Value result, (*this)(*node.result));
      out.push_back(std::move(result));
    }
    locals_.resize(outer);
    return node.kind == ast::ListScan::Kind::kComprehension
               ? Value::list(std::move(out))
               : quantified(node.kind, certain, unknown, list->as_list().size());
  }

  static Value quantified(ast::ListScan::Kind kind, std::size_t certain, std::size_t unknown, std::size_t size) {
    switch (kind) {
      case ast::ListScan::Kind::kAll:
        return certain + unknown < size ? Value::boolean(false) : (unknown > 0 ? Value() : Value::boolean(true));
      case ast::ListScan::Kind::kAny:
        return certain > 0 ? Value::boolean(true) : (unknown > 0 ? Value() : Value::boolean(false));
      case ast::ListScan::Kind::kNone:
        return certain > 0 ? Value::boolean(false) : (unknown > 0 ? Value() : Value::boolean(true));
      default:
        return certain > 1 ? Value::boolean(false) : (unknown > 0 ? Value() : Value::boolean(certain == 1));
    }
  }

  Result<Value> eval(const bound::Expr&, const bound::Reduce& node) {
    DEMARCHE_TRY(Value result, (*this)(*node.start));
    DEMARCHE_TRY(const std::optional<Value> list, list_of(node.list));
    if (!list) return Value();
    const std::size_t outer = locals_.size();
    for (const Value& item : list->as_list()) {
      locals_.resize(outer);
      locals_.emplace_back(node.accumulator, result);
      locals_.emplace_back(node.variable, item);
      DEMARCHE_ASSIGN(result, (*this)(*node.step));
    }
    locals_.resize(outer);
    return result;
  }

  Result<Value> eval(const bound::Expr& expr, const bound::Subquery& node) {
    SubqueryRun& run = subquery_run(node, context_, batch_.columns.size());
    for (const Slot slot : subquery_reads(run)) {
      DEMARCHE_TRY(Value v, eval(expr, bound::SlotRef{slot}));
      set_argument(run, slot, std::move(v));
    }
    return evaluate_subquery(node, run, context_);
  }

  const Batch& batch_;
  std::size_t row_;
  ExecContext& context_;
  std::vector<std::pair<Slot, Value>> locals_;  // elements that list expressions are at, innermost last
};

}  // namespace

tl::unexpected<Error> runtime_error(std::string type, std::string detail, Span span, std::string message) {
  return fault(std::move(type), std::move(detail), span, std::move(message), "runtime");
}

Error placed(Error error, Span span) {
  if (!error.fault || error.fault->has_position) return error;
  QueryFault fault = *error.fault;
  fault.offset = span.offset;
  fault.length = span.length;
  fault.has_position = true;
  error.fault = std::make_shared<QueryFault>(std::move(fault));
  return error;
}

Result<Value> evaluate(const bound::Expr& expr, const Batch& batch, std::size_t row, ExecContext& context) {
  return Evaluator(batch, row, context)(expr);
}

Result<Truth> compare_values(ast::CompareOp op, const Value& left, const Value& right, Span span) {
  DEMARCHE_TRY(const Value v, compare(op, left, right, span));
  return v.is_null() ? Truth::kUnknown : (v.as_boolean() ? Truth::kTrue : Truth::kFalse);
}

Result<void> evaluate_column(const bound::Expr& expr, const Batch& batch, ExecContext& context, ColumnValues& out) {
  RowNumbers rows;
  select_all(batch, rows);
  return evaluate_rows(expr, batch, rows, context, out);
}

Result<Truth> evaluate_truth(const bound::Expr& expr, const Batch& batch, std::size_t row, ExecContext& context) {
  DEMARCHE_TRY(const Value v, evaluate(expr, batch, row, context));
  return to_truth(v, expr.span);
}

Result<std::optional<TimeOperand>> time_operand(const Value& value, Span span, ExecContext& context) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return std::nullopt;
    case ValueKind::kDate:
      return TimeOperand{value.as_date().period, value.as_date().owner, false};
    case ValueKind::kDay:
    case ValueKind::kDateTime:
    case ValueKind::kLocalDateTime: {
      DEMARCHE_TRY(const DateValue date, as_record_date(value.as_time(), span));
      return TimeOperand{date.period, {}, false};
    }
    case ValueKind::kInteraction: {
      // An undated interaction has all of time as its bounds: never certain, never ruled out.
      DEMARCHE_TRY(const InteractionFacts facts, context.facts(value.as_interaction()));
      return TimeOperand{facts.bounds, facts.id, !facts.dated};
    }
    case ValueKind::kString: {
      auto edtf = parse_edtf_or_words(value.as_string());
      if (!edtf) return runtime_error("ArgumentError", "InvalidDate", span, edtf.error().message);
      return TimeOperand{as_period(*edtf), {}, false};
    }
    default:
      break;
  }
  return runtime_error("TypeError", "InvalidArgumentType", span,
                       fmt::format("expected a date or an interaction, found {}{}", a_kind(value.kind()),
                                   value.kind() == ValueKind::kInteger ? "; write a year as text, '2016'" : ""));
}

Result<Value> property_of(const Value& object, const std::string& key, Span span, ExecContext& context) {
  switch (object.kind()) {
    case ValueKind::kNull:
      return Value();
    case ValueKind::kActor:
      return actor_property(object.as_actor(), key, context);
    case ValueKind::kInteraction:
      return interaction_property(object.as_interaction(), key, context);
    case ValueKind::kMap: {
      const Value* entry = find_entry(object.as_map(), key);
      return entry == nullptr ? Value() : *entry;
    }
    case ValueKind::kDate:
    case ValueKind::kDay:
    case ValueKind::kTime:
    case ValueKind::kLocalTime:
    case ValueKind::kDateTime:
    case ValueKind::kLocalDateTime:
    case ValueKind::kDuration:
      return time_part(object, key, span);
    default:
      break;
  }
  return runtime_error("TypeError", "InvalidArgumentType", span,
                       fmt::format("{} has no property '{}'", a_kind(object.kind()), key));
}

Result<std::size_t> evaluate_count(const bound::Expr& expr, ExecContext& context) {
  const Batch none;
  DEMARCHE_TRY(const Value v, evaluate(expr, none, 0, context));
  if (v.kind() != ValueKind::kInteger) {
    return runtime_error("SyntaxError", "InvalidArgumentType", expr.span,
                         fmt::format("expected a whole number, found {}", a_kind(v.kind())));
  }
  if (v.as_integer() < 0)
    return runtime_error("SyntaxError", "NegativeIntegerArgument", expr.span, "a number of rows cannot be negative");
  return static_cast<std::size_t>(v.as_integer());
}

}  // namespace demarche::query

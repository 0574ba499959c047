#include "query/exec/columns.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "query/exec/evaluate.h"
#include "query/exec/temporal_functions.h"

namespace demarche::query {

namespace {

using ast::BinaryOp;
using ast::CompareOp;

const Slot* as_slot(const bound::Expr& expr) {
  const auto* ref = std::get_if<bound::SlotRef>(&expr.node);
  return ref == nullptr ? nullptr : &ref->slot;
}

bool is_fixed(const bound::Expr& expr) {
  return std::holds_alternative<bound::Constant>(expr.node) || std::holds_alternative<bound::Parameter>(expr.node);
}

Result<void> one_by_one(const bound::Expr& expr, const Batch& batch, const RowNumbers& rows, ExecContext& context,
                        ColumnValues& out) {
  for (const std::uint32_t row : rows) {
    DEMARCHE_TRY(Value v, evaluate(expr, batch, row, context));
    out.push_back(std::move(v));
  }
  return {};
}

// type(c) and id(x) of a slot; false if the function is another.
bool is_fact_function(const bound::Function& node) {
  return (node.def->id == FunctionId::kType || node.def->id == FunctionId::kId) && node.arguments.size() == 1 &&
         as_slot(*node.arguments[0]) != nullptr;
}

Result<void> fact_function(const bound::Expr& expr, const bound::Function& node, const Batch& batch,
                           const RowNumbers& rows, ExecContext& context, ColumnValues& out) {
  const ColumnValues& column = batch.columns[*as_slot(*node.arguments[0])];
  const bool id = node.def->id == FunctionId::kId;
  for (const std::uint32_t row : rows) {
    const Value& v = column[row];
    if (const InteractionFacts* known =
            v.kind() == ValueKind::kInteraction && !id ? context.known_facts(v.as_interaction()) : nullptr) {
      out.push_back(context.kind_name(known->kind));
    } else if (v.kind() == ValueKind::kInteraction && !id) {
      const auto facts = context.facts(v.as_interaction());
      if (!facts) return tl::unexpected(placed(facts.error(), expr.span));
      out.push_back(context.kind_name(facts->kind));
    } else if (id && (v.kind() == ValueKind::kInteraction || v.kind() == ValueKind::kActor)) {
      out.push_back(Value::integer(static_cast<std::int64_t>(v.bits())));
    } else {
      DEMARCHE_TRY(Value other, evaluate(expr, batch, row, context));
      out.push_back(std::move(other));
    }
  }
  return {};
}

// c.begin.year and the like, where c is on one known day: from the index. REQUIRES: `date` is a property of a slot.
Result<void> part_of_date(const bound::Expr& expr, const bound::PropertyOf& part, const bound::PropertyOf& date,
                          const Batch& batch, const RowNumbers& rows, ExecContext& context, ColumnValues& out) {
  const ColumnValues& column = batch.columns[*as_slot(*date.object)];
  std::optional<std::int64_t> last_day;  // rows of a scan come day by day
  Value last;
  for (const std::uint32_t row : rows) {
    const Value& v = column[row];
    std::optional<std::int64_t> day;
    if (v.kind() == ValueKind::kInteraction) {
      const auto facts = context.facts(v.as_interaction());
      if (!facts) return tl::unexpected(placed(facts.error(), expr.span));
      if (facts->dated) day = exact_day(facts->bounds);
    }
    if (!day) {
      DEMARCHE_TRY(Value other, evaluate(expr, batch, row, context));
      out.push_back(std::move(other));
      continue;
    }
    if (day != last_day) {
      const Value whole = Value::time({TimeType::kDay, *day, 0, 0});
      const auto found = component(whole.as_time(), part.key);
      if (!found) {  // a wrong name: refused with its place
        DEMARCHE_ASSIGN(last, evaluate(expr, batch, row, context));
      } else {
        last = Value::integer(*found);
      }
      last_day = day;
    }
    out.push_back(last);
  }
  return {};
}

// The outer property of c.begin.year, c.when.month; null for others.
const bound::PropertyOf* date_of_part(const bound::PropertyOf& part) {
  const auto* date = std::get_if<bound::PropertyOf>(&part.object->node);
  if (date == nullptr || as_slot(*date->object) == nullptr) return nullptr;
  return date->key == "begin" || date->key == "end" || date->key == "when" ? date : nullptr;
}

Result<void> property(const bound::Expr& expr, const bound::PropertyOf& node, const Batch& batch,
                      const RowNumbers& rows, ExecContext& context, ColumnValues& out) {
  const ColumnValues& column = batch.columns[*as_slot(*node.object)];
  for (const std::uint32_t row : rows) {
    const Value& v = column[row];
    if (v.kind() == ValueKind::kActor) {
      const auto kept = context.actor_property_kept(node, v.as_actor());
      if (!kept) return tl::unexpected(placed(kept.error(), expr.span));
      out.push_back(**kept);
      continue;
    }
    auto value = property_of(v, node.key, expr.span, context);
    if (!value) return tl::unexpected(placed(std::move(value).error(), expr.span));
    out.push_back(std::move(*value));
  }
  return {};
}

// ---- conditions ----------------------------------------------------------------------------------------------------

// One side of BEFORE, AFTER, DURING, OVERLAPS: the date of an interaction in a slot, or the same for all rows.
struct TimeSide {
  std::optional<DatedSlot> dated;
  std::optional<TimeOperand> fixed;
  bool fixed_null = false;
};

bool is_time_op(BinaryOp op) {
  return op == BinaryOp::kBefore || op == BinaryOp::kAfter || op == BinaryOp::kDuring || op == BinaryOp::kOverlaps;
}

bool has_time_sides(const bound::Binary& node) {
  const auto fits = [](const bound::Expr& side) { return dated_slot(side).has_value() || is_fixed(side); };
  return is_time_op(node.op) && fits(*node.left) && fits(*node.right);
}

Result<TimeSide> side_of(const bound::Expr& expr, const Batch& batch, std::size_t row, ExecContext& context) {
  TimeSide out;
  out.dated = dated_slot(expr);
  if (out.dated) return out;
  DEMARCHE_TRY(const Value v, evaluate(expr, batch, row, context));
  auto operand = time_operand(v, expr.span, context);
  if (!operand) return tl::unexpected(placed(std::move(operand).error(), expr.span));
  out.fixed = *operand;
  out.fixed_null = !out.fixed;
  return out;
}

// nullopt: the value is no interaction, and the row is for evaluate().
Result<std::optional<TimeOperand>> operand_in(const TimeSide& side, const Batch& batch, std::size_t row,
                                              ExecContext& context, bool& is_null) {
  is_null = false;
  if (!side.dated) {
    is_null = side.fixed_null;
    return side.fixed;
  }
  const Value& v = batch.at(side.dated->slot, row);
  if (v.kind() != ValueKind::kInteraction) return std::nullopt;
  DEMARCHE_TRY(const InteractionFacts facts, context.facts(v.as_interaction()));
  if (!facts.dated && !side.dated->plain) return std::nullopt;  // a property of that name may stand there
  return TimeOperand{facts.bounds, facts.id, !facts.dated};
}

Result<void> keep_in_time(const bound::Expr& condition, const bound::Binary& node, bool possibly, const Batch& batch,
                          ExecContext& context, RowNumbers& rows) {
  if (rows.empty()) return {};
  DEMARCHE_TRY(const TimeSide left, side_of(*node.left, batch, rows.front(), context));
  DEMARCHE_TRY(const TimeSide right, side_of(*node.right, batch, rows.front(), context));
  const auto predicate = static_cast<TimePredicate>(static_cast<int>(node.op) - static_cast<int>(BinaryOp::kBefore));
  std::size_t kept = 0;
  const bool beside_fixed = left.dated && right.fixed && right.fixed->owner.value == 0 && !right.fixed->undated;
  for (const std::uint32_t row : rows) {
    if (beside_fixed) {  // the usual case: c DURING '2016'
      const Value& v = batch.at(left.dated->slot, row);
      const InteractionFacts* facts =
          v.kind() == ValueKind::kInteraction ? context.known_facts(v.as_interaction()) : nullptr;
      if (facts != nullptr && facts->dated) {
        const Truth truth = demarche::evaluate(predicate, facts->bounds, right.fixed->bounds);
        if (truth == Truth::kTrue || (possibly && truth == Truth::kUnknown)) rows[kept++] = row;
        continue;
      }
    }
    bool left_null = false;
    bool right_null = false;
    const auto in_left = operand_in(left, batch, row, context, left_null);
    if (!in_left) return tl::unexpected(placed(in_left.error(), node.left->span));
    const auto in_right = operand_in(right, batch, row, context, right_null);
    if (!in_right) return tl::unexpected(placed(in_right.error(), node.right->span));
    const std::optional<TimeOperand>& a = *in_left;
    const std::optional<TimeOperand>& b = *in_right;
    Truth truth = Truth::kUnknown;
    if ((!a && !left_null) || (!b && !right_null)) {
      DEMARCHE_ASSIGN(truth, evaluate_truth(condition, batch, row, context));
      if (truth == Truth::kTrue) rows[kept++] = row;
      continue;
    }
    if (a && b) {
      if (a->owner.value != 0 && a->owner == b->owner) {
        truth = evaluate_identical(predicate);
      } else if (!a->undated && !b->undated) {
        truth = demarche::evaluate(predicate, a->bounds, b->bounds);
      }
    }
    if (truth == Truth::kTrue || (possibly && truth == Truth::kUnknown)) rows[kept++] = row;
  }
  rows.resize(kept);
  return {};
}

// Sides of a comparison that are computed by column.
bool is_columnar(const bound::Expr& expr) {
  if (is_fixed(expr) || as_slot(expr) != nullptr) return true;
  if (const auto* function = std::get_if<bound::Function>(&expr.node)) return is_fact_function(*function);
  const auto* node = std::get_if<bound::PropertyOf>(&expr.node);
  return node != nullptr && (as_slot(*node->object) != nullptr || date_of_part(*node) != nullptr);
}

bool holds(CompareOp op, std::int64_t a, std::int64_t b) {
  switch (op) {
    case CompareOp::kEqual:
      return a == b;
    case CompareOp::kNotEqual:
      return a != b;
    case CompareOp::kLess:
      return a < b;
    case CompareOp::kLessOrEqual:
      return a <= b;
    case CompareOp::kGreater:
      return a > b;
    case CompareOp::kGreaterOrEqual:
      return a >= b;
  }
  return false;
}

Result<void> keep_compared(const bound::Compare& node, Span span, const Batch& batch, ExecContext& context,
                           RowNumbers& rows) {
  ColumnValues left;
  ColumnValues right;
  DEMARCHE_CHECK(evaluate_rows(*node.left, batch, rows, context, left));
  DEMARCHE_CHECK(evaluate_rows(*node.right, batch, rows, context, right));
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Value& a = left[i];
    const Value& b = right[i];
    bool keep = false;
    if (a.kind() == ValueKind::kInteger && b.kind() == ValueKind::kInteger) {
      keep = holds(node.op, a.as_integer(), b.as_integer());
    } else if (!a.is_null() && !b.is_null()) {
      auto truth = compare_values(node.op, a, b, span);
      if (!truth) return tl::unexpected(placed(std::move(truth).error(), span));
      keep = *truth == Truth::kTrue;
    }
    if (keep) rows[kept++] = rows[i];
  }
  rows.resize(kept);
  return {};
}

}  // namespace

void select_all(const Batch& batch, RowNumbers& rows) {
  rows.resize(batch.size);
  std::iota(rows.begin(), rows.end(), 0U);
}

std::optional<DatedSlot> dated_slot(const bound::Expr& expr) {
  if (const Slot* slot = as_slot(expr)) return DatedSlot{*slot, true};
  const auto* property = std::get_if<bound::PropertyOf>(&expr.node);
  if (property == nullptr || property->key != "when") return std::nullopt;
  const Slot* slot = as_slot(*property->object);
  return slot == nullptr ? std::nullopt : std::optional(DatedSlot{*slot, false});
}

Result<void> evaluate_rows(const bound::Expr& expr, const Batch& batch, const RowNumbers& rows, ExecContext& context,
                           ColumnValues& out) {
  out.clear();
  if (rows.empty()) return {};
  if (const Slot* slot = as_slot(expr)) {
    const ColumnValues& column = batch.columns[*slot];
    if (rows.size() == batch.size) {
      out = column;
    } else {
      for (const std::uint32_t row : rows) out.push_back(column[row]);
    }
    return {};
  }
  if (is_fixed(expr)) {
    DEMARCHE_TRY(const Value v, evaluate(expr, batch, rows.front(), context));
    out.assign(rows.size(), v);
    return {};
  }
  out.reserve(rows.size());
  if (const auto* function = std::get_if<bound::Function>(&expr.node)) {
    if (is_fact_function(*function)) return fact_function(expr, *function, batch, rows, context, out);
  }
  if (const auto* node = std::get_if<bound::PropertyOf>(&expr.node)) {
    if (const auto* date = date_of_part(*node)) return part_of_date(expr, *node, *date, batch, rows, context, out);
    if (as_slot(*node->object) != nullptr) return property(expr, *node, batch, rows, context, out);
  }
  return one_by_one(expr, batch, rows, context, out);
}

Result<void> keep_true(const bound::Expr& condition, const Batch& batch, ExecContext& context, RowNumbers& rows) {
  const auto* unary = std::get_if<bound::Unary>(&condition.node);
  const bool possibly = unary != nullptr && unary->op == ast::UnaryOp::kPossibly;
  const bound::Expr& inner = possibly ? *unary->operand : condition;
  if (const auto* binary = std::get_if<bound::Binary>(&inner.node)) {
    if (has_time_sides(*binary)) return keep_in_time(condition, *binary, possibly, batch, context, rows);
  }
  if (const auto* compare = std::get_if<bound::Compare>(&condition.node)) {
    if (is_columnar(*compare->left) && is_columnar(*compare->right)) {
      return keep_compared(*compare, condition.span, batch, context, rows);
    }
  }
  std::size_t kept = 0;
  for (const std::uint32_t row : rows) {
    DEMARCHE_TRY(const Truth truth, evaluate_truth(condition, batch, row, context));
    if (truth == Truth::kTrue) rows[kept++] = row;
  }
  rows.resize(kept);
  return {};
}

}  // namespace demarche::query

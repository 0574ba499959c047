#include "query/plan/windows.h"

#include <algorithm>

namespace demarche::query {

void narrow(TimeWindow& window, ast::BinaryOp op, bool possibly, const TimeBounds& y) {
  const auto end_at = [&](Timestamp t) { window.end = std::min(window.end, t); };
  const auto begin_at = [&](Timestamp t) { window.begin = std::max(window.begin, t); };
  const auto just_after = [](Timestamp t) {
    return t == Timestamp::highest() || t == Timestamp::lowest() ? t : Timestamp{t.seconds + 1};
  };
  switch (op) {
    // x BEFORE y needs end_max(x) < begin_min(y), or, possibly, end_min(x) < begin_max(y); x begins no later.
    case ast::BinaryOp::kBefore:
      end_at(possibly ? y.begin_max : y.begin_min);
      break;
    case ast::BinaryOp::kAfter:
      begin_at(just_after(possibly ? y.end_min : y.end_max));
      break;
    case ast::BinaryOp::kDuring:
    case ast::BinaryOp::kOverlaps:
      // What is certain must reach all that lies for certain within y, or, where y is one vague moment, all it may be.
      begin_at(possibly ? y.begin_min : std::min(y.begin_max, y.end_min));
      end_at(just_after(possibly ? y.end_max : std::max(y.begin_max, y.end_min)));
      break;
    default:
      break;
  }
}

std::optional<TimeWindow> fixed_window(const std::vector<plan::WindowTerm>& terms) {
  TimeWindow window;
  for (const plan::WindowTerm& term : terms) {
    const auto* constant = std::get_if<bound::Constant>(&term.other->node);
    if (constant == nullptr) return std::nullopt;
    if (constant->value.kind() == ValueKind::kDate) {
      narrow(window, term.op, term.possibly, constant->value.as_date().period);
    } else if (constant->value.kind() == ValueKind::kString) {
      const auto edtf = parse_edtf(constant->value.as_string());
      if (!edtf) return std::nullopt;
      narrow(window, term.op, term.possibly, as_period(*edtf));
    } else {
      return std::nullopt;
    }
  }
  return window;
}

}  // namespace demarche::query

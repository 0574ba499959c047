#include "query/exec/pairs.h"

#include <algorithm>

#include "query/exec/evaluate.h"

namespace demarche::query {

namespace {

bool may_be_from(Side side) { return side == Side::kFrom || side == Side::kBoth; }
bool may_be_to(Side side) { return side == Side::kTo || side == Side::kBoth; }

}  // namespace

const std::vector<Pair>& PairFinder::find(std::span<const Party> parties, KindId kind, ast::Direction direction) {
  pairs_.clear();
  const bool rule = has_contact_rule(table_, kind);
  for (std::size_t i = 0; i < parties.size(); ++i) {
    for (std::size_t j = 0; j < parties.size(); ++j) {
      if (!in_contact(parties, i, j, rule)) continue;
      const Side from = party_side(parties, direction == ast::Direction::kLeft ? j : i);
      const Side to = party_side(parties, direction == ast::Direction::kLeft ? i : j);
      if (direction == ast::Direction::kEither || (may_be_from(from) && may_be_to(to))) {
        pairs_.push_back({parties[i].actor, parties[j].actor});
      }
    }
  }
  std::sort(pairs_.begin(), pairs_.end());
  pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
  return pairs_;
}

bool is_used(const std::vector<Slot>& other_edges, const Batch& in, std::size_t row, InteractionId id) {
  const auto same = [&](const Value& v) { return v.kind() == ValueKind::kInteraction && v.as_interaction() == id; };
  return std::any_of(other_edges.begin(), other_edges.end(), [&](Slot slot) {
    const Value& v = in.at(slot, row);
    if (v.kind() != ValueKind::kList) return same(v);
    return std::any_of(v.as_list().begin(), v.as_list().end(), same);
  });
}

void collect_used(const std::vector<Slot>& other_edges, const Batch& in, std::size_t row,
                  std::vector<std::uint64_t>& used) {
  used.clear();
  const auto add = [&](const Value& v) {
    if (v.kind() == ValueKind::kInteraction) used.push_back(v.as_interaction().value);
  };
  for (const Slot slot : other_edges) {
    const Value& v = in.at(slot, row);
    if (v.kind() != ValueKind::kList) {
      add(v);
    } else {
      for (const Value& item : v.as_list()) add(item);
    }
  }
}

Result<TimeWindow> window_of(const std::vector<plan::WindowTerm>& terms, const Batch& in, std::size_t row,
                             ExecContext& context) {
  TimeWindow window;
  bool certain = false;  // some term asks for what is certain, which no undated row can be
  const auto end_at = [&](Timestamp t) { window.end = std::min(window.end, t); };
  const auto begin_at = [&](Timestamp t) { window.begin = std::max(window.begin, t); };
  const auto just_after = [](Timestamp t) {
    return t == Timestamp::highest() || t == Timestamp::lowest() ? t : Timestamp{t.seconds + 1};
  };
  for (const plan::WindowTerm& term : terms) {
    DEMARCHE_TRY(const Value v, evaluate(*term.other, in, row, context));
    DEMARCHE_TRY(const auto other, time_operand(v, term.other->span, context));
    if (!other) continue;
    const TimeBounds& y = other->bounds;
    certain = certain || !term.possibly;
    switch (term.op) {
      // x BEFORE y needs end_max(x) < begin_min(y), or, possibly, end_min(x) < begin_max(y); x begins no later.
      case ast::BinaryOp::kBefore:
        end_at(term.possibly ? y.begin_max : y.begin_min);
        break;
      case ast::BinaryOp::kAfter:
        begin_at(just_after(term.possibly ? y.end_min : y.end_max));
        break;
      case ast::BinaryOp::kDuring:
      case ast::BinaryOp::kOverlaps:
        // What is certain must reach all that lies for certain within y, or, where y is one vague moment, all it may
        // be.
        begin_at(term.possibly ? y.begin_min : std::min(y.begin_max, y.end_min));
        end_at(just_after(term.possibly ? y.end_max : std::max(y.begin_max, y.end_min)));
        break;
      default:
        break;
    }
  }
  // An empty window has no rows at all, but undated ones may lie anywhere: a narrow one has them, and the condition
  // behind the scan drops what else it lets through.
  if (window.begin >= window.end && !certain) {
    window.begin = std::min(window.begin, Timestamp{Timestamp::highest().seconds - 1});
    window.end = Timestamp{window.begin.seconds + 1};
  }
  return window;
}

}  // namespace demarche::query

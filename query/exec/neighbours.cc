#include "query/exec/neighbours.h"

#include <algorithm>

#include "query/exec/evaluate.h"

namespace demarche::query {

namespace {

constexpr std::size_t kNeighboursKept = 4'000'000;  // 16 bytes each

}  // namespace

Neighbours::Neighbours(const plan::Walk& walk, std::size_t slots, ExecContext& context)
    : walk_(walk), context_(context), hop_(slots) {
  for (const bound::ExprPtr& condition : walk.repeat.conditions) collect_slots(*condition, outer_slots_);
  std::sort(outer_slots_.begin(), outer_slots_.end());
  outer_slots_.erase(std::unique(outer_slots_.begin(), outer_slots_.end()), outer_slots_.end());
  outer_slots_.erase(std::remove(outer_slots_.begin(), outer_slots_.end(), walk.repeat.hop), outer_slots_.end());
  row_matters_ = !outer_slots_.empty();
}

Result<void> Neighbours::begin_row(const Batch& in, std::size_t row) {
  // A statement that writes may have added to what was read before.
  if (row_matters_ || context_.transaction != nullptr) {
    lists_[0].clear();
    lists_[1].clear();
    held_ = 0;
  }
  hop_.clear();
  hop_.copy_row(in, row, outer_slots_);
  hop_.columns[walk_.repeat.hop].emplace_back();
  hop_.size = 1;
  DEMARCHE_ASSIGN(window_, window_of(walk_.windows, in, row, context_));
  return {};
}

Result<NeighbourList> Neighbours::of(ActorId actor, bool at_left) {
  if (walk_.direction == ast::Direction::kEither) at_left = true;  // the same from both ends
  auto& lists = lists_[at_left ? 1 : 0];
  if (const auto it = lists.find(actor); it != lists.end()) return it->second;
  DEMARCHE_TRY(NeighbourList list, load(actor, at_left));
  if (held_ > kNeighboursKept) {
    lists_[0].clear();
    lists_[1].clear();
    held_ = 0;
  }
  held_ += list->size() + 1;
  lists.emplace(actor, list);
  return list;
}

Result<NeighbourList> Neighbours::load(ActorId actor, bool at_left) {
  auto out = std::make_shared<std::vector<Neighbour>>();
  if (walk_.kinds.none) return out;
  DEMARCHE_TRY(RowCursor cursor, context_.view().scan(actor, window_, walk_.kinds.set));
  PairFinder finder(context_.view().kinds());  // of now: a statement that writes may have declared kinds
  RowBatch rows;
  while (true) {
    DEMARCHE_CHECK(context_.check());
    DEMARCHE_CHECK(cursor.next(rows));
    if (rows.size() == 0) return out;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      context_.remember(rows, i);
      const std::size_t before = out->size();
      for (const Pair& pair : finder.find(rows.parties_of(i), rows.kind[i], walk_.direction)) {
        if ((at_left ? pair.left : pair.right) != actor) continue;
        out->push_back({rows.interaction[i], at_left ? pair.right : pair.left});
      }
      if (out->size() == before) continue;
      DEMARCHE_TRY(const bool admitted, admits(rows.interaction[i]));
      if (!admitted) out->resize(before);
    }
  }
}

Result<bool> Neighbours::admits(InteractionId id) {
  if (walk_.repeat.conditions.empty()) return true;
  hop_.columns[walk_.repeat.hop][0] = Value::interaction(id);
  for (const bound::ExprPtr& condition : walk_.repeat.conditions) {
    DEMARCHE_TRY(const Truth truth, evaluate_truth(*condition, hop_, 0, context_));
    if (truth != Truth::kTrue) return false;
  }
  return true;
}

}  // namespace demarche::query

#include "query/exec/context.h"

#include <fmt/format.h>

namespace demarche::query {

namespace {

constexpr std::size_t kRecordsKept = 100'000;

template <typename Map, typename Id, typename Load>
auto find_or_load(Map& map, Id id, Load load) -> Result<const typename Map::mapped_type::element_type*> {
  if (const auto it = map.find(id); it != map.end()) return it->second.get();
  auto record = load(id);
  if (!record) return tl::unexpected(std::move(record).error());
  if (map.size() >= kRecordsKept) map.clear();
  auto& slot = map[id];
  slot = std::make_unique<typename Map::mapped_type::element_type>(std::move(*record));
  return slot.get();
}

}  // namespace

Result<const Actor*> ExecContext::actor(ActorId id) {
  return find_or_load(actors_, id, [this](ActorId i) { return view_.get_actor(i); });
}
Result<const Interaction*> ExecContext::interaction(InteractionId id) {
  return find_or_load(interactions_, id, [this](InteractionId i) { return view_.get_interaction(i); });
}
Result<const Source*> ExecContext::source(SourceId id) {
  return find_or_load(sources_, id, [this](SourceId i) { return view_.get_source(i); });
}

Result<InteractionFacts> ExecContext::facts(InteractionId id) {
  InteractionFacts& slot = (*facts_)[id.value % kFactSlots];
  if (slot.id != id) {
    DEMARCHE_TRY(const Interaction* record, interaction(id));
    slot = {id, record->kind, record->when.has_value(), record->when ? record->when->bounds : TimeBounds{}};
  }
  return slot;
}

void ExecContext::remember(const RowBatch& rows, std::size_t i) {
  (*facts_)[rows.interaction[i].value % kFactSlots] = {rows.interaction[i], rows.kind[i], rows.dated[i] != 0,
                                                       rows.bounds[i]};
}

double ExecContext::random() {
  if (!random_) random_.emplace(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(*random_);
}

Result<void> ExecContext::check() const {
  if (cancel_ != nullptr && cancel_->load(std::memory_order_relaxed)) {
    return make_error(ErrorCode::kCancelled, "the query was stopped");
  }
  if (std::chrono::steady_clock::now() - started_ > limits_.time_max) {
    return make_error(ErrorCode::kLimit,
                      fmt::format("the query took longer than its limit of {} ms; narrow it or raise the limit",
                                  limits_.time_max.count()));
  }
  return {};
}

Result<void> ExecContext::hold_rows(std::size_t count) {
  rows_held_ += count;
  if (rows_held_ <= limits_.rows_held_max) return {};
  return make_error(ErrorCode::kLimit,
                    fmt::format("the query holds more than its limit of {} rows; narrow it or raise the limit",
                                limits_.rows_held_max));
}

}  // namespace demarche::query

#include "query/exec/context.h"

#include <new>
#include <type_traits>

#include <fmt/format.h>

#include "query/exec/functions.h"

namespace demarche::query {

namespace {

constexpr std::size_t kRecordsKept = 100'000;

template <typename Map, typename Id, typename Load>
auto find_or_load(Map& map, Id id, StorageReads& reads, Load load)
    -> Result<const typename Map::mapped_type::element_type*> {
  if (const auto it = map.find(id); it != map.end()) return it->second.get();
  auto record = load(id);
  ++reads.records;
  if (!record) return tl::unexpected(std::move(record).error());
  if (map.size() >= kRecordsKept) map.clear();
  auto& slot = map[id];
  slot = std::make_unique<typename Map::mapped_type::element_type>(std::move(*record));
  return slot.get();
}

}  // namespace

namespace {

tl::unexpected<Error> deleted_before(const char* what) {
  Error error{ErrorCode::kNotFound, fmt::format("{} was deleted by this statement", what), nullptr};
  error.fault =
      std::make_shared<QueryFault>(QueryFault{"EntityNotFound", "runtime", "DeletedEntityAccess", 0, 0, false});
  return tl::unexpected(std::move(error));
}

}  // namespace

Result<const Actor*> ExecContext::actor(ActorId id) {
  if (written.actors_deleted.contains(id)) return deleted_before("this actor");
  return find_or_load(actors_, id, reads, [this](ActorId i) { return view().get_actor(i); });
}
Result<const Interaction*> ExecContext::interaction(InteractionId id) {
  if (written.interactions_deleted.contains(id)) return deleted_before("this interaction");
  return find_or_load(interactions_, id, reads, [this](InteractionId i) { return view().get_interaction(i); });
}
Result<const Source*> ExecContext::source(SourceId id) {
  return find_or_load(sources_, id, reads, [this](SourceId i) { return view().get_source(i); });
}

const Value& ExecContext::kind_name(KindId kind) {
  Value& name = kind_names_[kind.value];
  if (name.is_null()) name = Value::string(view().kinds().get(kind).name);
  return name;
}

Result<const Value*> ExecContext::actor_property_kept(const bound::PropertyOf& node, ActorId id) {
  auto& kept = actor_properties_[node.key];
  if (const auto it = kept.find(id); it != kept.end()) return &it->second;
  DEMARCHE_TRY(Value value, actor_property(id, node.key, *this));
  if (++actor_properties_kept_ > kRecordsKept) {
    for (auto& [key, values] : actor_properties_) values.clear();
    actor_properties_kept_ = 1;
  }
  return &(kept[id] = std::move(value));
}

void ExecContext::forget(ActorId id, bool deleted) {
  actors_.erase(id);
  for (auto& [key, values] : actor_properties_) values.erase(id);
  if (deleted) written.actors_deleted.insert(id);
}

Result<void> ExecContext::forget(InteractionId id, bool deleted) {
  if (deleted) {
    DEMARCHE_TRY(const InteractionFacts known, facts(id));
    written.interactions_deleted.emplace(id, known);
  }
  interactions_.erase(id);
  if (InteractionFacts* known = find_facts(id)) *known = {};
  return {};
}

void ExecContext::allocate_facts() {
  static_assert(std::is_trivially_copyable_v<InteractionFacts>);
  void* memory = std::calloc(kFactSets * kFactWays + 1, sizeof(InteractionFacts));  // NOLINT
  if (memory == nullptr) throw std::bad_alloc();
  facts_.reset(static_cast<InteractionFacts*>(memory));
}

Result<InteractionFacts> ExecContext::facts(InteractionId id) {
  if (const auto it = written.interactions_deleted.find(id); it != written.interactions_deleted.end())
    return it->second;
  if (const InteractionFacts* known = find_facts(id)) return *known;
  DEMARCHE_TRY(const Interaction* record, interaction(id));
  const InteractionFacts out{id, record->kind, record->when.has_value(),
                             record->when ? record->when->bounds : TimeBounds{}};
  remember(out);
  return out;
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

namespace {

tl::unexpected<Error> too_much_memory(std::size_t bytes) {
  return make_error(
      ErrorCode::kLimit,
      fmt::format("the query needs more memory than its limit of {} MB; narrow it or raise the limit", bytes >> 20));
}

}  // namespace

Result<void> ExecContext::hold(Held more) {
  held_.rows += more.rows;
  held_.bytes += more.bytes;
  if (held_.rows > limits_.rows_held_max) {
    return make_error(ErrorCode::kLimit,
                      fmt::format("the query holds more than its limit of {} rows; narrow it or raise the limit",
                                  limits_.rows_held_max));
  }
  if (held_.bytes > limits_.memory_max) return too_much_memory(limits_.memory_max);
  return {};
}

Result<void> ExecContext::allow(std::size_t bytes) const {
  if (bytes > limits_.memory_max) return too_much_memory(limits_.memory_max);
  return {};
}

}  // namespace demarche::query

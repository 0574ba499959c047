// Which actors an interaction relates, and which interactions a window or an earlier use leaves: what scans and walks
// share.
#pragma once

#include <compare>
#include <span>
#include <vector>

#include "engine/contact.h"
#include "engine/result.h"
#include "query/exec/batch.h"
#include "query/exec/context.h"
#include "query/plan/plan.h"

namespace demarche::query {

struct Pair {
  ActorId left;
  ActorId right;
  friend auto operator<=>(const Pair&, const Pair&) = default;
};

// Ordered pairs (left, right) of related actors of one interaction that the arrow allows, each once whatever the roles.
class PairFinder {
 public:
  explicit PairFinder(const KindTable& table) : table_(table) {}

  // Ascending. Holds until the next call.
  const std::vector<Pair>& find(std::span<const Party> parties, KindId kind, ast::Direction direction);

 private:
  const KindTable& table_;
  std::vector<Pair> pairs_;
};

// Is the interaction one of those in the slots, alone or in a list?
[[nodiscard]] bool is_used(const std::vector<Slot>& other_edges, const Batch& in, std::size_t row, InteractionId id);

// Makes `used` the ids of those interactions.
void collect_used(const std::vector<Slot>& other_edges, const Batch& in, std::size_t row,
                  std::vector<std::uint64_t>& used);

// What the terms leave as a window on possible times. A term that is null leaves all of time: the filter after the scan
// decides then.
[[nodiscard]] Result<TimeWindow> window_of(const std::vector<plan::WindowTerm>& terms, const Batch& in, std::size_t row,
                                           ExecContext& context);

}  // namespace demarche::query

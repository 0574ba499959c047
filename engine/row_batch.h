// Rows of the contact index as columns: what a scan hands out, many at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/model.h"
#include "engine/types.h"
#include "engine/when.h"

namespace demarche {

// One entry per row in every column but `parties`; parties of row i are parties[party_begin[i] .. party_begin[i + 1]).
struct RowBatch {
  std::vector<RowNumber> row;
  std::vector<InteractionId> interaction;
  std::vector<KindId> kind;
  std::vector<Status> status;
  std::vector<std::uint8_t> dated;  // 0: no date; bounds are then all of time
  std::vector<TimeBounds> bounds;
  std::vector<std::uint32_t> party_begin{0};
  std::vector<Party> parties;

  [[nodiscard]] std::size_t size() const { return row.size(); }
  [[nodiscard]] std::span<const Party> parties_of(std::size_t i) const {
    return std::span(parties).subspan(party_begin[i], party_begin[i + 1] - party_begin[i]);
  }
  void clear();
  // Copies row i of another batch to the end.
  void append(const RowBatch& from, std::size_t i);
};

}  // namespace demarche

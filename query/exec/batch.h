// Rows as columns, one column a slot. A slot that nobody has filled has an empty column.
#pragma once

#include <cstddef>
#include <vector>

#include "query/bind/bound.h"
#include "query/value.h"

namespace demarche::query {

inline constexpr std::size_t kBatchRows = 1024;

// A batch of long paths and lists is handed on before it has so many rows.
inline constexpr std::size_t kBatchWeightMax = std::size_t{1} << 20;

using ColumnValues = std::vector<Value>;

struct Batch {
  std::vector<ColumnValues> columns;
  std::size_t size = 0;
  std::size_t weight = 0;  // elements of the paths and lists that walks have made for it

  explicit Batch(std::size_t slot_count = 0) : columns(slot_count) {}
  void clear() {
    for (ColumnValues& column : columns) column.clear();
    size = 0;
    weight = 0;
  }
  [[nodiscard]] const Value& at(Slot slot, std::size_t row) const { return columns[slot][row]; }
  // Appends row `row` of `from` in the slots given; the caller fills the others and counts the row.
  void copy_row(const Batch& from, std::size_t row, const std::vector<Slot>& slots) {
    for (const Slot slot : slots) columns[slot].push_back(from.columns[slot][row]);
  }
};

}  // namespace demarche::query

// Rows that a later commit replaced or took back, with the number of that commit. They stay in their blocks, for reads
// as of an earlier commit; scans pass them over.
//
// Immutable; adding makes a new set that shares all but a few small runs with the old one (each run at least twice as
// long as the next). Cost: contains() and any_within() search each run, at most some 20.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/types.h"

namespace demarche::impl {

class RetiredRows {
 public:
  struct Entry {
    std::uint64_t row = 0;
    std::uint64_t commit = 0;
  };

  [[nodiscard]] std::shared_ptr<const RetiredRows> with(std::vector<Entry> added) const;
  // Was `row` retired by commit `as_of` or earlier?
  [[nodiscard]] bool contains(std::uint64_t row, CommitNumber as_of) const;
  // Can any row of [first, last] be retired?
  [[nodiscard]] bool any_within(std::uint64_t first, std::uint64_t last) const;
  [[nodiscard]] bool empty() const { return runs_.empty(); }
  [[nodiscard]] std::size_t size() const;

 private:
  using Run = std::vector<Entry>;  // ascending by row
  std::vector<std::shared_ptr<const Run>> runs_;
};

// What rows a view sees: those of its commits, less those retired by them.
struct RowVisibility {
  std::uint64_t row_end = 0;  // rows from here on are not seen
  CommitNumber as_of;
  std::shared_ptr<const RetiredRows> retired;

  [[nodiscard]] bool sees(std::uint64_t row) const {
    return row < row_end && (retired->empty() || !retired->contains(row, as_of));
  }
  // True if every row of [first, last] is seen, without looking at each.
  [[nodiscard]] bool sees_all(std::uint64_t first, std::uint64_t last) const {
    return last < row_end && (retired->empty() || !retired->any_within(first, last));
  }
};

}  // namespace demarche::impl

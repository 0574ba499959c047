// Counts equal pairs and finds the most frequent. Used by the limit, and by a store under test for what it streams, so
// that W5 compares how the rows are read and not how they are counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/workload.h"

namespace demarche::bench {

class PairCounter {
 public:
  explicit PairCounter(std::uint32_t actor_count);
  void clear() { keys_.clear(); }
  // In any order. REQUIRES: both below actor_count.
  void add(Actor32 x, Actor32 y) {
    const std::uint64_t low = x < y ? x : y;
    keys_.push_back(low << bits_ | (x < y ? y : x));
  }
  // actors[0] with actors[1], actors[2] with actors[3], and so on.
  void add_pairs(const Actor32* actors, std::size_t pairs);
  // At most `limit` pairs, most first, then by (a, b). Cost: three passes over the pairs; puts them in order.
  [[nodiscard]] TopPairs top(std::size_t limit);

 private:
  void sort();
  unsigned bits_;                    // of an actor's number
  std::vector<std::uint64_t> keys_;  // low << bits_ | high
  std::vector<std::uint64_t> swap_;
};

}  // namespace demarche::bench

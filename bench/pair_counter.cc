#include "bench/pair_counter.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace demarche::bench {
namespace {

constexpr unsigned kPasses = 3;

bool comes_first(const PairCount& x, const PairCount& y) {
  if (x.interactions != y.interactions) return x.interactions > y.interactions;
  return std::pair(x.a, x.b) < std::pair(y.a, y.b);
}

}  // namespace

PairCounter::PairCounter(std::uint32_t actor_count)
    : bits_(std::max(1U, static_cast<unsigned>(std::bit_width(actor_count - 1)))) {}

void PairCounter::add_pairs(const Actor32* actors, std::size_t pairs) {
  const std::size_t before = keys_.size();
  keys_.resize(before + pairs);
  std::uint64_t* const keys = keys_.data() + before;
  for (std::size_t i = 0; i < pairs; ++i) {
    const Actor32 x = actors[2 * i];
    const Actor32 y = actors[2 * i + 1];
    keys[i] = std::uint64_t{std::min(x, y)} << bits_ | std::max(x, y);
  }
}

// Radix sort, lowest digit first, three digits: 12 bits each for 200,000 actors.
void PairCounter::sort() {
  const unsigned digit_bits = (2 * bits_ + kPasses - 1) / kPasses;
  const std::uint64_t digit_mask = (std::uint64_t{1} << digit_bits) - 1;
  const std::size_t digits = std::size_t{1} << digit_bits;
  std::vector<std::uint32_t> places(digits * kPasses, 0);
  for (const std::uint64_t key : keys_) {
    for (unsigned pass = 0; pass < kPasses; ++pass)
      ++places[pass * digits + ((key >> (pass * digit_bits)) & digit_mask)];
  }
  swap_.resize(keys_.size());
  for (unsigned pass = 0; pass < kPasses; ++pass) {
    std::uint32_t* const place = places.data() + pass * digits;
    std::uint32_t before = 0;
    for (std::size_t d = 0; d < digits; ++d) before += std::exchange(place[d], before);
    const unsigned shift = pass * digit_bits;
    for (const std::uint64_t key : keys_) swap_[place[(key >> shift) & digit_mask]++] = key;
    keys_.swap(swap_);
  }
}

// In order, a run of n equal keys has its first and its n-th entry equal, so runs too short to enter are passed over
// with one comparison each. Of equal counts the later pair loses: it must be longer than the shortest held.
TopPairs PairCounter::top(std::size_t limit) {
  sort();
  TopPairs heap;  // its front comes last
  const std::uint64_t actor_mask = (std::uint64_t{1} << bits_) - 1;
  std::size_t needed = 1;
  for (std::size_t i = 0; limit > 0 && i + needed <= keys_.size();) {
    const std::uint64_t key = keys_[i];
    if (keys_[i + needed - 1] != key) {
      ++i;
      continue;
    }
    std::size_t end = i + needed;
    while (end < keys_.size() && keys_[end] == key) ++end;
    if (heap.size() == limit) {
      std::pop_heap(heap.begin(), heap.end(), comes_first);
      heap.pop_back();
    }
    heap.push_back({static_cast<Actor32>(key >> bits_), static_cast<Actor32>(key & actor_mask),
                    static_cast<std::uint32_t>(end - i)});
    std::push_heap(heap.begin(), heap.end(), comes_first);
    if (heap.size() == limit) needed = heap.front().interactions + std::size_t{1};
    i = end;
  }
  std::sort(heap.begin(), heap.end(), comes_first);
  return heap;
}

}  // namespace demarche::bench

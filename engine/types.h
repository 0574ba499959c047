// Identifiers and instants. Strong types: an actor id is not an interaction id, and neither is an integer.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>

namespace demarche {

template <typename Tag, typename Int = std::uint64_t>
struct Id {
  Int value = 0;  // 0 is never given out
  friend constexpr auto operator<=>(Id, Id) = default;
};

using ActorId = Id<struct ActorTag>;
using InteractionId = Id<struct InteractionTag>;
using SourceId = Id<struct SourceTag>;
using KindId = Id<struct KindTag, std::uint32_t>;
// One version of an interaction's kind, when, participants and status; numbered in commit order. The first row of an
// interaction has its id as number.
using RowNumber = Id<struct RowTag>;
// Position in the store's sequence of commits, from 1. 0 is the empty store.
using CommitNumber = Id<struct CommitTag>;

// Signed 64-bit seconds since 1970-01-01T00:00:00Z, proleptic Gregorian, no leap seconds. The two extremes stand for
// minus and plus infinity. Microseconds would not hold the years EDTF can write.
struct Timestamp {
  std::int64_t seconds = 0;

  static constexpr Timestamp lowest() { return {std::numeric_limits<std::int64_t>::min()}; }
  static constexpr Timestamp highest() { return {std::numeric_limits<std::int64_t>::max()}; }
  constexpr bool is_finite() const { return *this != lowest() && *this != highest(); }
  friend constexpr auto operator<=>(Timestamp, Timestamp) = default;
};

// Half-open: begin <= t < end. The default is all of time but its last second, which is infinity.
struct TimeWindow {
  Timestamp begin = Timestamp::lowest();
  Timestamp end = Timestamp::highest();
  friend constexpr bool operator==(TimeWindow, TimeWindow) = default;
};

inline constexpr std::int64_t kSecondsPerDay = 86400;

}  // namespace demarche

template <typename Tag, typename Int>
struct std::hash<demarche::Id<Tag, Int>> {
  std::size_t operator()(demarche::Id<Tag, Int> id) const noexcept {
    // Ids are dense small integers; the multiplier spreads them over the table (Fibonacci hashing).
    return static_cast<std::size_t>(id.value * 0x9E3779B97F4A7C15ULL);
  }
};

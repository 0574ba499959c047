// Interactions and questions that the ratios are measured with: drawn from a seed, the same on every machine.
//
// Draw: actors by a Zipf-Mandelbrot law, weight 1 / (rank + 2) for ranks from 1, their numbers shuffled so that a busy
// actor is anywhere; days even over twenty years; twenty kinds, weight 1 / (kind + 3) for kinds from 0; interactions
// numbered in order of their days. Two actors each, or, in the n-ary shape, three to eight in 30 % of them, evenly. All
// actors of an interaction differ. Arithmetic is on integers, so that no compiler or library changes a draw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"

namespace demarche::bench {

using Actor32 = std::uint32_t;        // from 0
using Interaction32 = std::uint32_t;  // from 0, in order of day
using Day16 = std::uint16_t;          // from 0, the first day of the data

inline constexpr unsigned kKindsMax = 32;  // a set of kinds is a 32-bit mask

// Interactions as columns, ascending by day.
struct Dataset {
  std::string name;             // "S", "L n-ary", "ICEWS"
  std::int64_t first_day = 0;   // days since 1970-01-01
  std::uint32_t day_count = 0;  // at most 65,535
  std::uint32_t actor_count = 0;
  unsigned kind_count = 0;            // at most kKindsMax
  std::vector<Day16> days;            // one entry an interaction
  std::vector<std::uint8_t> kinds;    // one entry an interaction
  std::vector<std::uint32_t> begins;  // parties[begins[i] .. begins[i + 1]); empty if there are two each
  std::vector<Actor32> parties;

  [[nodiscard]] std::size_t size() const { return days.size(); }
  [[nodiscard]] bool is_binary() const { return begins.empty(); }
  [[nodiscard]] std::span<const Actor32> parties_of(std::size_t i) const {
    if (is_binary()) return std::span(parties).subspan(2 * i, 2);
    return std::span(parties).subspan(begins[i], begins[i + 1] - begins[i]);
  }
};

// SplitMix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  [[nodiscard]] std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  // Of [0, bound). REQUIRES: 0 < bound < 2^32.
  [[nodiscard]] std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

 private:
  std::uint64_t state_;
};

struct Shape {
  std::string name;
  std::size_t interactions = 0;
  std::uint32_t actors = 0;
  std::uint32_t days = 7305;  // 2000 to 2019
  bool nary = false;
  std::uint64_t seed = 42;
};

// "tiny" (20,000 interactions, 500 actors), "S" (0.5 M, 10 k), "L" (10 M, 200 k).
// Errors: kInvalidArgument for another name.
[[nodiscard]] Result<Shape> shape_of(std::string_view size, bool nary);

// REQUIRES: at least 9 actors in `shape`. Cost: some 0.1 us a participant.
[[nodiscard]] Dataset generate(const Shape& shape);
// `count` more interactions of the same kind, by another seed. Days even over all of them.
[[nodiscard]] Dataset generate_more(const Shape& shape, std::size_t count);

// A hash of all columns; goes into the stamp of a stored copy.
[[nodiscard]] std::uint64_t fingerprint(const Dataset& data);

// W3: what one actor did in a window of 365 days, of a few kinds.
struct ContactQuery {
  Actor32 actor = 0;
  std::uint32_t day_begin = 0;
  std::uint32_t day_end = 0;  // excluded
  std::uint32_t kinds = 0;    // bit k: kind k
};
struct ContactSum {
  std::uint64_t interactions = 0;
  std::uint64_t others = 0;  // sum of the other parties' numbers
  std::uint64_t ids = 0;     // sum of the interactions' numbers
  friend bool operator==(const ContactSum&, const ContactSum&) = default;
};

// W4: whom word from one actor can have reached within 90 days. Days must not decrease; chains within a day count.
struct ReachQuery {
  Actor32 source = 0;
  std::uint32_t day_begin = 0;
  std::uint32_t day_end = 0;  // excluded
};
struct ReachSum {
  std::uint64_t reached = 0;  // without the source
  std::uint64_t days = 0;     // sum of the days of arrival
  friend bool operator==(const ReachSum&, const ReachSum&) = default;
};

// W5: the hundred pairs with most interactions in a year; most first, then by the pair.
inline constexpr std::size_t kPairsTop = 100;
struct PairQuery {
  std::uint32_t day_begin = 0;
  std::uint32_t day_end = 0;  // excluded
};
struct PairCount {
  Actor32 a = 0;  // below b
  Actor32 b = 0;
  std::uint32_t interactions = 0;
  friend bool operator==(const PairCount&, const PairCount&) = default;
};
using TopPairs = std::vector<PairCount>;

// W6: interactions by kind and calendar month; entry [month * kKindsMax + kind], months from that of the first day.
using KindMonths = std::vector<std::uint64_t>;
struct MonthTable {
  std::vector<std::uint16_t> month_of_day;   // one entry a day
  std::vector<std::uint32_t> first_days{0};  // where month m begins; one more at the end
  [[nodiscard]] std::size_t size() const { return first_days.size() - 1; }
};
[[nodiscard]] MonthTable months_of(const Dataset& data);

struct QuestionCounts {
  std::size_t hub = 1'000;
  std::size_t ordinary = 20'000;  // more than a processor keeps at hand
  std::size_t reach = 10;
  std::size_t pairs = 5;
};
struct Questions {
  std::vector<ContactQuery> hub;       // actors of the 20 with most interactions
  std::vector<ContactQuery> ordinary;  // of the lower 95 %
  std::vector<ReachQuery> reach;       // the source has an interaction within the first 30 days
  std::vector<PairQuery> pairs;
};
// Drawn from a seed. Windows that are longer than the data are all of it.
[[nodiscard]] Questions draw_questions(const Dataset& data, const QuestionCounts& counts, std::uint64_t seed = 7);

}  // namespace demarche::bench

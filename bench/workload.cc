#include "bench/workload.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>
#include <utility>

#include "engine/edtf.h"

namespace demarche::bench {
namespace {

constexpr std::int64_t kFirstDay = 10'957;  // 2000-01-01
constexpr unsigned kKinds = 20;
constexpr std::uint32_t kWindowDays = 365;
constexpr std::uint32_t kReachDays = 90;
constexpr std::uint32_t kReachStartDays = 30;
constexpr std::size_t kHubs = 20;
constexpr std::uint32_t kAskedKinds = 1U << 1 | 1U << 3 | 1U << 5 | 1U << 7 | 1U << 11;

// Draws an index by weight in constant time (Walker's alias method): each column holds one index and the rest of
// another, and a draw picks a column, then one of its two.
class WeightedDraw {
 public:
  // REQUIRES: weights below 2^30, their sum times their number below 2^63.
  explicit WeightedDraw(const std::vector<std::uint64_t>& weights)
      : keep_(weights.size(), kWhole), other_(weights.size()) {
    const std::uint64_t total = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
    std::vector<std::uint64_t> fill;
    std::vector<std::uint32_t> low;
    std::vector<std::uint32_t> high;
    for (std::uint32_t i = 0; i < weights.size(); ++i) {
      fill.push_back(weights[i] * weights.size());  // a column holds `total`
      other_[i] = i;
      (fill[i] < total ? low : high).push_back(i);
    }
    while (!low.empty() && !high.empty()) {
      const std::uint32_t small = low.back();
      const std::uint32_t large = high.back();
      low.pop_back();
      // Both below 2^34, so that the product fits.
      keep_[small] = static_cast<std::uint32_t>(((fill[small] >> kDropped) << kFractionBits) / (total >> kDropped));
      other_[small] = large;
      fill[large] -= total - fill[small];
      if (fill[large] < total) {
        high.pop_back();
        low.push_back(large);
      }
    }
  }

  [[nodiscard]] std::uint32_t operator()(Random& random) const {
    const std::uint64_t bits = random.next();
    const auto column = static_cast<std::size_t>(((bits >> 32) * keep_.size()) >> 32);
    const auto fraction = static_cast<std::uint32_t>(bits & (kWhole - 1));
    return fraction < keep_[column] ? static_cast<std::uint32_t>(column) : other_[column];
  }

 private:
  static constexpr unsigned kFractionBits = 28;
  static constexpr std::uint32_t kWhole = 1U << kFractionBits;
  static constexpr unsigned kDropped = 4;
  std::vector<std::uint32_t> keep_;  // of 2^28: the part of the column that is its own
  std::vector<std::uint32_t> other_;
};

std::vector<std::uint64_t> falling_weights(std::size_t count, std::uint64_t first_divisor) {
  std::vector<std::uint64_t> weights;
  for (std::size_t i = 0; i < count; ++i) weights.push_back((std::uint64_t{1} << 30) / (first_divisor + i));
  return weights;
}

std::vector<std::uint32_t> shuffled(std::uint32_t count, Random& random) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

// As many days as interactions, ascending: those of independent draws, put in order.
std::vector<Day16> draw_days(std::size_t count, std::uint32_t day_count, Random& random) {
  std::vector<std::uint32_t> of_day(day_count, 0);
  for (std::size_t i = 0; i < count; ++i) ++of_day[random.below(day_count)];
  std::vector<Day16> days;
  days.reserve(count);
  for (std::uint32_t day = 0; day < day_count; ++day) days.insert(days.end(), of_day[day], static_cast<Day16>(day));
  return days;
}

// `count` interactions whose draws come from `random`, among actors numbered by the seed of the shape.
Dataset draw(const Shape& shape, std::size_t count, Random random) {
  assert(shape.actors > 8 && shape.days < 65'536);
  Random shuffle(shape.seed);
  const std::vector<std::uint32_t> number_of_rank = shuffled(shape.actors, shuffle);
  const WeightedDraw draw_actor(falling_weights(shape.actors, 3));  // rank 1 weighs 1 / 3
  const WeightedDraw draw_kind(falling_weights(kKinds, 3));

  Dataset data;
  data.name = shape.name;
  data.first_day = kFirstDay;
  data.day_count = shape.days;
  data.actor_count = shape.actors;
  data.kind_count = kKinds;
  data.days = draw_days(count, shape.days, random);
  data.kinds.reserve(count);
  data.parties.reserve(count * 2);
  if (shape.nary) data.begins.push_back(0);
  for (std::size_t i = 0; i < count; ++i) {
    data.kinds.push_back(static_cast<std::uint8_t>(draw_kind(random)));
    const bool many = shape.nary && random.below(10) < 3;
    const std::size_t end = data.parties.size() + (many ? 3 + random.below(6) : 2);
    const auto begin = static_cast<std::ptrdiff_t>(data.parties.size());
    while (data.parties.size() < end) {
      const Actor32 actor = number_of_rank[draw_actor(random)];
      if (std::find(data.parties.begin() + begin, data.parties.end(), actor) == data.parties.end())
        data.parties.push_back(actor);
    }
    if (shape.nary) data.begins.push_back(static_cast<std::uint32_t>(end));
  }
  return data;
}

// Actors by the number of their interactions, most first.
std::vector<Actor32> busiest_first(const Dataset& data) {
  std::vector<std::uint32_t> degree(data.actor_count, 0);
  for (const Actor32 actor : data.parties) ++degree[actor];
  std::vector<Actor32> order(data.actor_count);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](Actor32 x, Actor32 y) { return degree[x] != degree[y] ? degree[x] > degree[y] : x < y; });
  return order;
}

// [begin, end) of `length` days somewhere in the data.
std::pair<std::uint32_t, std::uint32_t> draw_window(const Dataset& data, std::uint32_t length, Random& random) {
  const std::uint32_t days = std::min(length, data.day_count);
  const std::uint32_t begin = random.below(data.day_count - days + 1);
  return {begin, begin + days};
}

std::vector<ContactQuery> draw_contacts(const Dataset& data, std::span<const Actor32> actors, std::size_t count,
                                        Random& random) {
  std::vector<ContactQuery> queries;
  for (std::size_t i = 0; i < count && !actors.empty(); ++i) {
    const Actor32 actor = actors[random.below(static_cast<std::uint32_t>(actors.size()))];
    const auto [begin, end] = draw_window(data, kWindowDays, random);
    queries.push_back({actor, begin, end, kAskedKinds});
  }
  return queries;
}

// A source is a party of an interaction drawn from the first days of the window. A window without any is drawn again,
// a bounded number of times: data may be empty for years.
std::vector<ReachQuery> draw_reach(const Dataset& data, std::size_t count, Random& random) {
  std::vector<ReachQuery> queries;
  for (std::size_t tries = 0; queries.size() < count && tries < 100 * count; ++tries) {
    const auto [begin, end] = draw_window(data, kReachDays, random);
    const auto first = std::lower_bound(data.days.begin(), data.days.end(), begin);
    const auto last = std::lower_bound(first, data.days.end(), begin + kReachStartDays);
    if (first == last) continue;
    const auto chosen =
        static_cast<std::size_t>(first - data.days.begin()) + random.below(static_cast<std::uint32_t>(last - first));
    const auto parties = data.parties_of(chosen);
    queries.push_back({parties[random.below(static_cast<std::uint32_t>(parties.size()))], begin, end});
  }
  return queries;
}

template <typename T>
std::uint64_t mix(std::uint64_t hash, const std::vector<T>& column) {
  hash = Random(hash ^ column.size()).next();
  for (const T value : column) hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL + (hash >> 29);
  return hash;
}

}  // namespace

Result<Shape> shape_of(std::string_view size, bool nary) {
  Shape shape;
  if (size == "tiny") {
    shape = {.name = "tiny", .interactions = 20'000, .actors = 500};
  } else if (size == "S") {
    shape = {.name = "S", .interactions = 500'000, .actors = 10'000};
  } else if (size == "L") {
    shape = {.name = "L", .interactions = 10'000'000, .actors = 200'000, .seed = 43};
  } else {
    return invalid("unknown size '" + std::string(size) + "'; known sizes: tiny, S, L");
  }
  shape.nary = nary;
  if (nary) shape.name += "-nary";
  return shape;
}

Dataset generate(const Shape& shape) { return draw(shape, shape.interactions, Random(shape.seed + 1'000)); }

Dataset generate_more(const Shape& shape, std::size_t count) { return draw(shape, count, Random(shape.seed + 2'000)); }

std::uint64_t fingerprint(const Dataset& data) {
  std::uint64_t hash = Random(data.actor_count).next() ^ static_cast<std::uint64_t>(data.first_day);
  hash = mix(hash, data.days);
  hash = mix(hash, data.kinds);
  hash = mix(hash, data.begins);
  return mix(hash, data.parties);
}

MonthTable months_of(const Dataset& data) {
  MonthTable table;
  CivilDay month = civil_from_days(data.first_day);
  for (std::uint32_t day = 0; day < data.day_count; ++day) {
    const CivilDay today = civil_from_days(data.first_day + day);
    if (today.year != month.year || today.month != month.month) table.first_days.push_back(day);
    month = today;
    table.month_of_day.push_back(static_cast<std::uint16_t>(table.first_days.size() - 1));
  }
  table.first_days.push_back(data.day_count);
  return table;
}

Questions draw_questions(const Dataset& data, const QuestionCounts& counts, std::uint64_t seed) {
  const std::vector<Actor32> order = busiest_first(data);
  const std::span all(order);
  Random random(seed);
  Questions questions;
  questions.hub = draw_contacts(data, all.first(std::min(kHubs, all.size())), counts.hub, random);
  questions.ordinary = draw_contacts(data, all.subspan(all.size() / 20), counts.ordinary, random);
  questions.reach = draw_reach(data, counts.reach, random);
  for (std::size_t i = 0; i < counts.pairs; ++i) {
    const auto [begin, end] = draw_window(data, kWindowDays, random);
    questions.pairs.push_back({begin, end});
  }
  return questions;
}

}  // namespace demarche::bench

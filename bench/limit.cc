#include "bench/limit.h"

#include <algorithm>
#include <array>
#include <limits>

namespace demarche::bench {
namespace {

constexpr Day16 kNever = std::numeric_limits<Day16>::max();
constexpr std::uint32_t kCountedAtOnce = 64;  // shorter lists are compared as a whole, longer ones halved
constexpr std::size_t kAhead = 8;             // actors whose rows are fetched before their turn

// Number of entries below `day` in an ascending column, without a branch that depends on them.
std::uint32_t count_below(const Day16* days, std::uint32_t count, std::uint32_t day) {
  if (count <= kCountedAtOnce) {
    std::uint32_t below = 0;
    for (std::uint32_t i = 0; i < count; ++i) below += days[i] < day ? 1 : 0;
    return below;
  }
  const Day16* base = days;
  while (count > 1) {
    const std::uint32_t half = count / 2;
    base += half * static_cast<std::uint32_t>(base[half - 1] < day);
    count -= half;
  }
  return static_cast<std::uint32_t>(base - days) + (*base < day ? 1 : 0);
}

// Marks both parties of `count` interactions if either is marked, without a branch, and keeps in `open` those where
// neither is; `open` may be where they come from. Returns how many were marked. Takes pointers because a store of a
// byte can change any object but a local one, as far as the compiler knows.
template <typename PairAt>
std::uint64_t pass_over_pairs(std::size_t count, PairAt pair_at, std::uint8_t* reached, std::uint64_t* open,
                              std::size_t& open_count) {
  std::uint64_t fresh = 0;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t pair = pair_at(i);
    const auto a = static_cast<Actor32>(pair >> 32);
    const auto b = static_cast<Actor32>(pair);
    const std::uint8_t of_a = reached[a];
    const std::uint8_t of_b = reached[b];
    const auto any = static_cast<std::uint8_t>(of_a | of_b);
    fresh += static_cast<std::uint64_t>(of_a ^ of_b);
    reached[a] = any;
    reached[b] = any;
    open[kept] = pair;
    kept += static_cast<std::size_t>(any ^ 1);
  }
  open_count = kept;
  return fresh;
}

// The same with any number of parties.
template <typename IdAt>
std::uint64_t pass_over_many(std::size_t count, IdAt id_at, const Dataset& data, std::uint8_t* reached,
                             Interaction32* open, std::size_t& open_count) {
  const std::uint32_t* const begins = data.begins.data();
  const Actor32* const parties = data.parties.data();
  std::uint64_t fresh = 0;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Interaction32 id = id_at(i);
    const std::uint32_t begin = begins[id];
    const std::uint32_t end = begins[id + std::size_t{1}];
    std::uint8_t any = 0;
    for (std::uint32_t p = begin; p < end; ++p) any = static_cast<std::uint8_t>(any | reached[parties[p]]);
    for (std::uint32_t p = begin; p < end; ++p) {
      fresh += static_cast<std::uint64_t>(reached[parties[p]] ^ any);
      reached[parties[p]] = any;
    }
    open[kept] = id;
    kept += static_cast<std::size_t>(any ^ 1);
  }
  open_count = kept;
  return fresh;
}

}  // namespace

Limit::Limit(const Dataset& data, const Kernels& kernels)
    : data_(data), kernels_(kernels), months_(months_of(data)), pairs_(data.actor_count) {
  day_offsets_.assign(data.day_count + std::size_t{1}, 0);
  for (const Day16 day : data.days) ++day_offsets_[day + std::size_t{1}];
  for (std::size_t day = 0; day < data.day_count; ++day) day_offsets_[day + 1] += day_offsets_[day];
  build_rows();
  build_hubs();
  if (!data.is_binary()) build_runs();
  reached_.resize(data.actor_count);
  arrival_.resize(data.actor_count);
}

// Interactions come in order of day, and so do the rows of each actor.
void Limit::build_rows() {
  row_offsets_.assign(data_.actor_count + std::size_t{1}, 0);
  for (const Actor32 actor : data_.parties) ++row_offsets_[actor + std::size_t{1}];
  for (std::size_t a = 0; a < data_.actor_count; ++a) row_offsets_[a + 1] += row_offsets_[a];
  row_days_.resize(data_.parties.size());
  row_kinds_.resize(data_.parties.size());
  row_ids_.resize(data_.parties.size());
  if (data_.is_binary()) others_.resize(data_.parties.size());
  std::vector<std::uint32_t> next(row_offsets_.begin(), row_offsets_.end() - 1);
  for (std::size_t i = 0; i < data_.size(); ++i) {
    const auto parties = data_.parties_of(i);
    for (const Actor32 actor : parties) {
      const std::uint32_t row = next[actor]++;
      row_days_[row] = data_.days[i];
      row_kinds_[row] = data_.kinds[i];
      row_ids_[row] = static_cast<Interaction32>(i);
      if (data_.is_binary()) others_[row] = parties[0] ^ parties[1] ^ actor;
    }
  }
}

// An actor with about a row a day or more has an offset for each day, so that nothing is searched.
void Limit::build_hubs() {
  hub_rows_min_ = std::max(kCountedAtOnce, data_.day_count / 2);
  hub_slots_.assign(data_.actor_count, 0);
  for (std::size_t actor = 0; actor < data_.actor_count; ++actor) {
    const std::uint32_t end = row_offsets_[actor + 1];
    std::uint32_t row = row_offsets_[actor];
    if (end - row <= hub_rows_min_) continue;
    hub_slots_[actor] = static_cast<std::uint32_t>(hub_days_.size() / (data_.day_count + std::size_t{1}));
    for (std::uint32_t day = 0; day <= data_.day_count; ++day) {
      while (row < end && row_days_[row] < day) ++row;
      hub_days_.push_back(row);
    }
  }
}

void Limit::build_runs() {
  run_begins_.reserve(row_ids_.size() + 1);
  for (std::size_t actor = 0; actor < data_.actor_count; ++actor) {
    for (std::uint32_t row = row_offsets_[actor]; row < row_offsets_[actor + 1]; ++row) {
      run_begins_.push_back(static_cast<std::uint32_t>(others_.size()));
      for (const Actor32 other : data_.parties_of(row_ids_[row])) {
        if (other == actor) continue;
        others_.push_back(other);
        run_kinds_.push_back(row_kinds_[row]);
      }
    }
  }
  run_begins_.push_back(static_cast<std::uint32_t>(others_.size()));
}

Limit::Range Limit::rows_of(Actor32 actor, std::uint32_t day_begin, std::uint32_t day_end) const {
  const std::uint32_t first = row_offsets_[actor];
  const std::uint32_t count = row_offsets_[actor + std::size_t{1}] - first;
  if (count > hub_rows_min_) {
    const std::uint32_t* const of_day = hub_days_.data() + hub_slots_[actor] * (data_.day_count + std::size_t{1});
    return {of_day[day_begin], of_day[day_end]};
  }
  const Day16* const days = row_days_.data() + first;
  const std::uint32_t below = count_below(days, count, day_begin);
  return {first + below, first + below + count_below(days + below, count - below, day_end)};
}

ContactSum Limit::contacts(const ContactQuery& query) const {
  // A short list is about to be read whole: its columns can come from memory while the days are compared.
  const std::uint32_t first = row_offsets_[query.actor];
  __builtin_prefetch(row_kinds_.data() + first);
  __builtin_prefetch(row_ids_.data() + first);
  if (run_begins_.empty()) __builtin_prefetch(others_.data() + first);
  const Range rows = rows_of(query.actor, query.day_begin, query.day_end);
  if (rows.begin == rows.end) return {};
  const std::size_t count = rows.end - rows.begin;
  const std::uint8_t* const kinds = row_kinds_.data() + rows.begin;
  const Interaction32* const ids = row_ids_.data() + rows.begin;
  if (run_begins_.empty()) return kernels_.sum_contacts(kinds, others_.data() + rows.begin, ids, count, query.kinds);
  ContactSum sum = kernels_.sum_column(kinds, ids, count, query.kinds);
  const std::uint32_t run = run_begins_[rows.begin];
  sum.others =
      kernels_.sum_column(run_kinds_.data() + run, others_.data() + run, run_begins_[rows.end] - run, query.kinds).ids;
  return sum;
}

std::uint64_t Limit::first_pass(std::uint32_t begin, std::uint32_t end) {
  const std::size_t count = end - begin;
  if (data_.is_binary()) {
    if (open_pairs_.size() < count) open_pairs_.resize(count);
    const Actor32* const parties = data_.parties.data() + std::size_t{2} * begin;
    const auto pair = [parties](std::size_t i) { return std::uint64_t{parties[2 * i]} << 32 | parties[2 * i + 1]; };
    return pass_over_pairs(count, pair, reached_.data(), open_pairs_.data(), open_count_);
  }
  if (open_.size() < count) open_.resize(count);
  const auto id = [begin](std::size_t i) { return begin + static_cast<Interaction32>(i); };
  return pass_over_many(count, id, data_, reached_.data(), open_.data(), open_count_);
}

std::uint64_t Limit::next_pass() {
  if (data_.is_binary()) {
    std::uint64_t* const open = open_pairs_.data();
    return pass_over_pairs(
        open_count_, [open](std::size_t i) { return open[i]; }, reached_.data(), open, open_count_);
  }
  Interaction32* const open = open_.data();
  return pass_over_many(
      open_count_, [open](std::size_t i) { return open[i]; }, data_, reached_.data(), open, open_count_);
}

ReachSum Limit::reach_by_stream(const ReachQuery& query) {
  std::fill(reached_.begin(), reached_.end(), std::uint8_t{0});
  reached_[query.source] = 1;
  ReachSum sum;
  for (std::uint32_t day = query.day_begin; day < query.day_end; ++day) {
    std::uint64_t of_day = 0;
    for (std::uint64_t fresh = first_pass(day_offsets_[day], day_offsets_[day + 1]); fresh > 0; fresh = next_pass())
      of_day += fresh;
    sum.reached += of_day;
    sum.days += of_day * day;
  }
  return sum;
}

ReachSum Limit::reach_by_adjacency(const ReachQuery& query) {
  std::fill(arrival_.begin(), arrival_.end(), kNever);
  by_arrival_.resize(query.day_end - query.day_begin);
  for (auto& actors : by_arrival_) actors.clear();
  arrival_[query.source] = static_cast<Day16>(query.day_begin);
  by_arrival_[0].push_back(query.source);
  ReachSum sum;
  for (std::uint32_t today = query.day_begin; today < query.day_end; ++today) {
    auto& actors = by_arrival_[today - query.day_begin];
    for (std::size_t i = 0; i < actors.size(); ++i) {  // grows by those reached today
      const Actor32 actor = actors[i];
      if (i + kAhead < actors.size()) {
        const std::uint32_t soon = row_offsets_[actors[i + kAhead]];
        __builtin_prefetch(row_days_.data() + soon);
        __builtin_prefetch(others_.data() + (run_begins_.empty() ? soon : run_begins_[soon]));
      }
      if (arrival_[actor] != today) continue;  // has been reached earlier since
      sum.reached += 1;
      sum.days += today;
      const Range rows = rows_of(actor, today, query.day_end);
      Day16* const arrival = arrival_.data();
      const Actor32* const others = others_.data();
      for (std::uint32_t row = rows.begin; row < rows.end; ++row) {
        const std::uint32_t begin = run_begins_.empty() ? row : run_begins_[row];
        const std::uint32_t end = run_begins_.empty() ? row + 1 : run_begins_[row + std::size_t{1}];
        const Day16 day = row_days_[row];
        for (std::uint32_t o = begin; o < end; ++o) {
          const Actor32 other = others[o];
          if (day >= arrival[other]) continue;
          arrival[other] = day;
          by_arrival_[day - query.day_begin].push_back(other);
          __builtin_prefetch(row_offsets_.data() + other);
        }
      }
    }
  }
  sum.reached -= 1;  // the source
  sum.days -= query.day_begin;
  return sum;
}

TopPairs Limit::top_pairs(const PairQuery& query) {
  pairs_.clear();
  const std::uint32_t begin = day_offsets_[query.day_begin];
  const std::uint32_t end = day_offsets_[query.day_end];
  if (data_.is_binary()) {
    pairs_.add_pairs(data_.parties.data() + std::size_t{2} * begin, end - begin);
    return pairs_.top(kPairsTop);
  }
  for (std::size_t i = begin; i < end; ++i) {
    const auto parties = data_.parties_of(i);
    for (std::size_t x = 0; x + 1 < parties.size(); ++x) {
      for (std::size_t y = x + 1; y < parties.size(); ++y) pairs_.add(parties[x], parties[y]);
    }
  }
  return pairs_.top(kPairsTop);
}

KindMonths Limit::kind_by_month() const {
  KindMonths counts(months_.size() * kKindsMax, 0);
  for (std::size_t month = 0; month < months_.size(); ++month) {
    const std::uint32_t begin = day_offsets_[months_.first_days[month]];
    const std::uint32_t end = day_offsets_[months_.first_days[month + 1]];
    kernels_.count_kinds(data_.kinds.data() + begin, end - begin, data_.kind_count, counts.data() + month * kKindsMax);
  }
  return counts;
}

KindMonths Limit::kind_by_month_by_rows() const {
  const std::size_t cells = months_.size() * kKindsMax;
  std::vector<std::uint32_t> tables(cells * 2, 0);  // two, so that equal neighbours do not wait for each other
  for (std::size_t i = 0; i < data_.size(); ++i)
    ++tables[(i & 1) * cells + months_.month_of_day[data_.days[i]] * std::size_t{kKindsMax} + data_.kinds[i]];
  KindMonths counts(cells);
  for (std::size_t cell = 0; cell < cells; ++cell) counts[cell] = std::uint64_t{tables[cell]} + tables[cells + cell];
  return counts;
}

}  // namespace demarche::bench

#include "engine/edtf.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <utility>

#include "engine/impl/edtf_parse.h"

namespace demarche {
namespace {

using impl::EdtfDate;
using impl::EdtfItem;
using impl::EdtfSide;
using impl::EdtfTree;

constexpr std::size_t kMembersMax = 200'000;        // ranges edtf_members() returns
constexpr std::size_t kMembersWorkMax = 1'000'000;  // ranges looked at before they are joined

// Years or days, both ends inclusive.
struct NumberRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

Timestamp first_second(std::int64_t day) { return {day * kSecondsPerDay}; }
Timestamp last_second(std::int64_t day) { return {day * kSecondsPerDay + kSecondsPerDay - 1}; }

bool takes_whole_years(const EdtfDate& date) {
  return (date.months == 0 || date.months == impl::kAllMonths) && (date.days == 0 || date.days == impl::kAllDays);
}

// The years that fit, ascending; at most 1,000 runs (XXX6).
std::vector<NumberRange> possible_years(const EdtfDate& date) {
  if (!date.year_masked) return {{date.year, date.year}};
  constexpr std::array<std::int64_t, 4> kPlaces = {1000, 100, 10, 1};
  std::int64_t block = 1;  // years in a run: those of the X at the right end
  std::size_t known_end = 4;
  for (; known_end > 0 && date.year_digits[known_end - 1] == impl::kUnknownDigit; --known_end) block *= 10;
  std::vector<std::int64_t> starts = {0};
  for (std::size_t i = 0; i < known_end; ++i) {
    const std::int8_t digit = date.year_digits[i];
    std::vector<std::int64_t> longer;
    for (const std::int64_t start : starts) {
      for (std::int64_t d = digit < 0 ? 0 : digit; d <= (digit < 0 ? 9 : digit); ++d) {
        longer.push_back(start + d * kPlaces.at(i));
      }
    }
    starts = std::move(longer);
  }
  std::vector<NumberRange> runs;
  for (const std::int64_t start : starts) {
    const std::int64_t last = start + block - 1;
    if (!date.negative) {
      runs.push_back({start, last});
    } else if (last > 0) {  // there is no year -0000
      runs.push_back({-last, -std::max<std::int64_t>(start, 1)});
    }
  }
  if (date.negative) std::reverse(runs.begin(), runs.end());
  return runs;
}

// Calls sink(NumberRange) for the possible days of one year, ascending, until it returns false. Runs may touch.
template <typename Sink>
bool scan_year(const EdtfDate& date, std::int64_t year, Sink&& sink) {
  for (unsigned month = 1; month <= 12; ++month) {
    if ((date.months >> month & 1U) == 0) continue;
    const std::int64_t before = days_from_civil(year, month, 1) - 1;
    const unsigned length = impl::days_in_month(year, month);
    if (date.days == 0 || date.days == impl::kAllDays) {
      if (!sink(NumberRange{before + 1, before + length})) return false;
      continue;
    }
    for (unsigned day = 1; day <= length; ++day) {
      if ((date.days >> day & 1U) == 0) continue;
      if (!sink(NumberRange{before + day, before + day})) return false;
    }
  }
  return true;
}

NumberRange days_of_years(NumberRange years) {
  return {days_from_civil(years.first, 1, 1), days_from_civil(years.last, 12, 31)};
}

// The same for all years.
template <typename Sink>
bool scan_days(const EdtfDate& date, Sink&& sink) {
  for (const NumberRange years : possible_years(date)) {
    if (takes_whole_years(date)) {
      if (!sink(days_of_years(years))) return false;
      continue;
    }
    for (std::int64_t year = years.first; year <= years.last; ++year) {
      if (!scan_year(date, year, sink)) return false;
    }
  }
  return true;
}

std::optional<std::int64_t> first_possible_day(const EdtfDate& date) {
  std::optional<std::int64_t> found;
  scan_days(date, [&](NumberRange days) {
    found = days.first;
    return false;
  });
  return found;
}

// REQUIRES: there is one.
std::int64_t last_possible_day(const EdtfDate& date) {
  const std::vector<NumberRange> runs = possible_years(date);
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    if (takes_whole_years(date)) return days_of_years(*run).last;
    for (std::int64_t year = run->last; year >= run->first; --year) {
      std::optional<std::int64_t> found;
      scan_year(date, year, [&](NumberRange days) {
        found = days.last;
        return true;
      });
      if (found) return *found;
    }
  }
  assert(false);
  return 0;
}

bool has_gap(const EdtfDate& date) {
  std::optional<std::int64_t> last;
  return !scan_days(date, [&](NumberRange days) {
    const bool joins = !last || days.first == *last + 1;
    last = days.last;
    return joins;
  });
}

// What one date can mean.
struct Reading {
  NumberRange days;  // as written
  Timestamp first;   // UTC
  Timestamp last;
};

std::string no_such_day(const EdtfDate& date) {
  if (date.masked) return "no month that this can mean has such a day";
  unsigned month = 1;
  while ((date.months >> month & 1U) == 0) ++month;
  return std::string(impl::month_name(month)) + " " +
         format_day(days_from_civil(date.year, 1, 1)).substr(0, date.year < 0 ? 5 : 4) + " has " +
         std::to_string(impl::days_in_month(date.year, month)) + " days";
}

Result<Reading> read_date(std::string_view text, const EdtfDate& date) {
  const std::optional<std::int64_t> first_day = first_possible_day(date);
  if (!first_day) return tl::unexpected<Error>(impl::edtf_error(text, date.day_offset, no_such_day(date)));
  Reading out;
  out.days = {*first_day, last_possible_day(date)};
  out.first = first_second(out.days.first);
  out.last = last_second(out.days.last);
  if (date.has_time) {
    out.first.seconds += date.time_shift;
    out.last = out.first;
  }
  return out;
}

// An item with the readings of its sides; a single date is both.
struct ItemReading {
  const EdtfItem* item = nullptr;
  Reading from;  // kDate only
  Reading to;    // kDate only

  [[nodiscard]] bool from_is_date() const { return item->from.kind == EdtfSide::Kind::kDate; }
  [[nodiscard]] const EdtfSide& to_side() const { return item->is_range ? item->to : item->from; }
  [[nodiscard]] bool to_is_date() const { return to_side().kind == EdtfSide::Kind::kDate; }
  [[nodiscard]] Timestamp first() const { return from_is_date() ? from.first : Timestamp::lowest(); }
  [[nodiscard]] Timestamp last() const { return to_is_date() ? to.last : Timestamp::highest(); }
};

// Some reading must have the end on or after the start. X is filled in at its latest; an end that is only coarser than
// the start (2016-05-03/2016-05) counts from its first day, for it says nothing about the days of that month.
Result<void> check_order(std::string_view text, const ItemReading& reading) {
  if (!reading.from_is_date() || !reading.to_is_date()) return {};
  const EdtfDate& end = reading.item->to.date;
  const Timestamp latest = end.masked ? reading.to.last : reading.to.first;
  if (reading.from.first <= latest) return {};
  const bool overlap = reading.from.first <= reading.to.last;
  const std::string_view what = overlap ? "the end counts from its first day, and that is before the start; write the "
                                          "day, or XX for an unknown one, as in 2016-05-XX"
                                        : "the end is before the start";
  return tl::unexpected<Error>(impl::edtf_error(text, end.offset, what));
}

Result<ItemReading> read_item(std::string_view text, const EdtfItem& item) {
  ItemReading out;
  out.item = &item;
  if (item.from.kind == EdtfSide::Kind::kDate) {
    DEMARCHE_TRY(out.from, read_date(text, item.from.date));
  }
  out.to = out.from;
  if (item.is_range && item.to.kind == EdtfSide::Kind::kDate) {
    DEMARCHE_TRY(out.to, read_date(text, item.to.date));
  }
  if (item.is_range) DEMARCHE_CHECK(check_order(text, out));
  return out;
}

// Gathers ranges in any order and joins those that touch or overlap.
class RangeCollector {
 public:
  // False: there are too many, and no more are wanted.
  bool add(TimeRange range) {
    if (++work_ > kMembersWorkMax) return give_up();
    if (!ranges_.empty() && ranges_.back().first <= range.first && touches(ranges_.back(), range)) {
      ranges_.back().last = std::max(ranges_.back().last, range.last);
      return true;
    }
    ranges_.push_back(range);
    if (ranges_.size() <= 2 * kMembersMax) return true;
    join();
    return ranges_.size() <= kMembersMax || give_up();
  }

  // Ascending and disjoint; nullopt if there were too many.
  std::optional<std::vector<TimeRange>> finish() && {
    join();
    if (over_limit_ || ranges_.size() > kMembersMax) return std::nullopt;
    return std::move(ranges_);
  }

 private:
  static bool touches(TimeRange a, TimeRange b) {
    return a.last == Timestamp::highest() || b.first.seconds <= a.last.seconds + 1;
  }
  bool give_up() {
    over_limit_ = true;
    return false;
  }
  void join() {
    std::sort(ranges_.begin(), ranges_.end(), [](TimeRange a, TimeRange b) { return a.first < b.first; });
    std::size_t kept = 0;
    for (const TimeRange range : ranges_) {
      if (kept > 0 && touches(ranges_[kept - 1], range)) {
        ranges_[kept - 1].last = std::max(ranges_[kept - 1].last, range.last);
      } else {
        ranges_[kept++] = range;
      }
    }
    ranges_.resize(kept);
  }

  std::vector<TimeRange> ranges_;
  std::size_t work_ = 0;
  bool over_limit_ = false;
};

// The possible moments of a date or set, or nullopt if they are more ranges than the limit.
std::optional<std::vector<TimeRange>> collect_members(const std::vector<ItemReading>& readings) {
  RangeCollector collector;
  for (const ItemReading& reading : readings) {
    const EdtfDate& date = reading.item->from.date;
    bool wanted = true;
    if (!reading.item->is_range && date.masked) {
      wanted = scan_days(date, [&](NumberRange days) {
        return collector.add({first_second(days.first), last_second(days.last)});
      });
    } else {
      wanted = collector.add({reading.first(), reading.last()});
    }
    if (!wanted) return std::nullopt;
  }
  return std::move(collector).finish();
}

enum class Precision : std::uint8_t {
  kSomewhere,  // the date of an interaction: somewhere in what is written
  kWhole,      // a literal: all of what is written, where that has no X
};

TimeBounds interval_bounds(const ItemReading& reading, Precision precision) {
  const EdtfItem& item = *reading.item;
  const bool whole = precision == Precision::kWhole;
  TimeBounds out;
  out.is_span = true;
  if (reading.from_is_date()) {
    out.begin_min = reading.from.first;
    out.begin_max = whole && !item.from.date.masked ? reading.from.first : reading.from.last;
  } else {
    out.begin_max = Timestamp::lowest();
  }
  if (reading.to_is_date()) {
    out.end_min = whole && !item.to.date.masked ? reading.to.last : reading.to.first;
    out.end_max = reading.to.last;
  } else {
    out.end_min = item.to.kind == EdtfSide::Kind::kOpen ? Timestamp::highest() : out.begin_min;
  }
  if (item.from.kind == EdtfSide::Kind::kUnknown) out.begin_max = out.end_max;
  out.begin_max = std::min(out.begin_max, out.end_max);
  out.end_min = std::max(out.end_min, out.begin_min);
  return out;
}

TimeBounds moment_bounds(const std::vector<ItemReading>& readings) {
  TimeBounds out;
  Timestamp first = Timestamp::highest();
  Timestamp last = Timestamp::lowest();
  for (const ItemReading& reading : readings) {
    first = std::min(first, reading.first());
    last = std::max(last, reading.last());
  }
  // Where a day and an instant share the bound, the day decides.
  out.fine_begin = std::all_of(readings.begin(), readings.end(), [first](const ItemReading& r) {
    return r.first() != first || (r.from_is_date() && r.item->from.date.has_time);
  });
  out.fine_end = std::all_of(readings.begin(), readings.end(), [last](const ItemReading& r) {
    return r.last() != last || (r.to_is_date() && r.to_side().date.has_time);
  });
  out.begin_min = out.end_min = first;
  out.begin_max = out.end_max = last;
  if (readings.size() == 1) {
    const EdtfItem& item = *readings[0].item;
    out.has_gaps = !item.is_range && item.from.date.masked && has_gap(item.from.date);
  } else {
    const auto members = collect_members(readings);
    out.has_gaps = !members || members->size() > 1;  // too many to join: they are taken to have gaps
  }
  return out;
}

EdtfBound outer_bound(const EdtfSide& side, std::int64_t day) {
  switch (side.kind) {
    case EdtfSide::Kind::kOpen:
      return {EdtfBound::Kind::kOpen, 0};
    case EdtfSide::Kind::kUnknown:
      return {EdtfBound::Kind::kUnknown, 0};
    case EdtfSide::Kind::kDate:
      break;
  }
  return {EdtfBound::Kind::kDay, day};
}

// The earliest and latest day over all items; open beats every day. Only intervals have unknown sides, and one item.
void set_outer_days(const std::vector<ItemReading>& readings, Edtf& out) {
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const ItemReading& r = readings[i];
    const EdtfBound earliest = outer_bound(r.item->from, r.from.days.first);
    const EdtfBound latest = outer_bound(r.to_side(), r.to.days.last);
    const bool both_days = earliest.kind == EdtfBound::Kind::kDay && out.earliest.kind == EdtfBound::Kind::kDay;
    if (i == 0 || earliest.kind == EdtfBound::Kind::kOpen || (both_days && earliest.day < out.earliest.day)) {
      out.earliest = earliest;
    }
    const bool both_last = latest.kind == EdtfBound::Kind::kDay && out.latest.kind == EdtfBound::Kind::kDay;
    if (i == 0 || latest.kind == EdtfBound::Kind::kOpen || (both_last && latest.day > out.latest.day)) {
      out.latest = latest;
    }
  }
}

// The tree and the readings that point into it, so that it is neither copied nor moved.
struct Compiled {
  EdtfTree tree;
  std::vector<ItemReading> readings;

  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
};

Result<void> compile(std::string_view text, Compiled& out) {
  DEMARCHE_TRY(out.tree, impl::parse_edtf_tree(text));
  out.readings.reserve(out.tree.items.size());
  for (const EdtfItem& item : out.tree.items) {
    DEMARCHE_TRY(const ItemReading reading, read_item(text, item));
    out.readings.push_back(reading);
  }
  return {};
}

Result<void> compile_or_hint(std::string_view text, Compiled& out) {
  Result<void> done = compile(text, out);
  if (!done) {
    const std::string hint = impl::edtf_slip_hint(text);
    if (!hint.empty()) done.error().message += "; " + hint;
  }
  return done;
}

TimeBounds compiled_bounds(const Compiled& compiled) {
  const bool is_interval = compiled.tree.shape == EdtfShape::kInterval;
  TimeBounds out =
      is_interval ? interval_bounds(compiled.readings[0], Precision::kSomewhere) : moment_bounds(compiled.readings);
  out.qualified = compiled.tree.qualified;
  return out;
}

std::string padded(std::int64_t value, std::size_t width) {
  std::string digits = std::to_string(value < 0 ? -value : value);
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return value < 0 ? "-" + digits : digits;
}

// Division that rounds towards minus infinity.
constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Days of a 400-year cycle, and of the cycles' beginning (0000-03-01) before 1970-01-01.
constexpr std::int64_t kCycleDays = 146'097;
constexpr std::int64_t kEpochShift = 719'468;

}  // namespace

Result<Edtf> parse_edtf(std::string_view text) {
  Compiled compiled;
  DEMARCHE_CHECK(compile_or_hint(text, compiled));
  Edtf out;
  out.text = std::string(text);
  out.level = compiled.tree.level;
  out.shape = compiled.tree.shape;
  out.bounds = compiled_bounds(compiled);
  set_outer_days(compiled.readings, out);
  return out;
}

Result<std::vector<TimeRange>> edtf_members(std::string_view text) {
  Compiled compiled;
  DEMARCHE_CHECK(compile_or_hint(text, compiled));
  if (compiled.tree.shape == EdtfShape::kInterval) {
    const TimeBounds bounds = compiled_bounds(compiled);
    return std::vector<TimeRange>{{bounds.begin_min, bounds.end_max}};
  }
  std::optional<std::vector<TimeRange>> members = collect_members(compiled.readings);
  if (!members) {
    Error error = impl::edtf_error(text, 0, "the possible days are more than 200,000 separate runs; narrow it");
    error.code = ErrorCode::kLimit;
    return tl::unexpected<Error>(std::move(error));
  }
  return std::move(*members);
}

TimeBounds as_period(const Edtf& edtf) {
  const bool is_interval = edtf.shape == EdtfShape::kInterval;
  if (edtf.shape == EdtfShape::kDateTime || edtf.shape == EdtfShape::kOneOf || edtf.shape == EdtfShape::kAllOf) {
    return edtf.bounds;
  }
  Compiled compiled;
  if (!compile(edtf.text, compiled)) return edtf.bounds;  // not a text that parse_edtf() has read
  if (is_interval) {
    TimeBounds out = interval_bounds(compiled.readings[0], Precision::kWhole);
    out.qualified = edtf.bounds.qualified;
    return out;
  }
  TimeBounds out = edtf.bounds;
  if (compiled.tree.items[0].from.date.masked) return out;
  out.is_span = true;
  out.begin_max = out.begin_min;
  out.end_min = out.end_max;
  return out;
}

std::string format_day(std::int64_t day) {
  const CivilDay civil = civil_from_days(day);
  return padded(civil.year, 4) + "-" + padded(civil.month, 2) + "-" + padded(civil.day, 2);
}

std::string format_instant(Timestamp t) {
  if (t == Timestamp::lowest()) return "-inf";
  if (t == Timestamp::highest()) return "inf";
  const std::int64_t day = floor_div(t.seconds, kSecondsPerDay);
  const std::int64_t second = t.seconds % kSecondsPerDay + (t.seconds % kSecondsPerDay < 0 ? kSecondsPerDay : 0);
  return format_day(day) + "T" + padded(second / 3600, 2) + ":" + padded(second / 60 % 60, 2) + ":" +
         padded(second % 60, 2) + "Z";
}

// Both conversions count in years that begin on 1 March, so that the leap day is the last of its year, and in cycles of
// 400 years; 153 days are five months from March on (31 30 31 30 31).
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  const std::int64_t march_year = month <= 2 ? year - 1 : year;
  const std::int64_t cycle = floor_div(march_year, 400);
  const std::int64_t year_of_cycle = march_year - cycle * 400;
  const std::int64_t march_month = month > 2 ? month - 3 : month + 9;
  const std::int64_t day_of_year = (153 * march_month + 2) / 5 + day - 1;
  const std::int64_t day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
  return cycle * kCycleDays + day_of_cycle - kEpochShift;
}

CivilDay civil_from_days(std::int64_t day) {
  const std::int64_t shifted = day + kEpochShift;
  const std::int64_t cycle = floor_div(shifted, kCycleDays);
  const std::int64_t day_of_cycle = shifted - cycle * kCycleDays;
  const std::int64_t year_of_cycle =
      (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36'524 - day_of_cycle / 146'096) / 365;
  const std::int64_t day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
  const std::int64_t march_month = (5 * day_of_year + 2) / 153;
  const std::int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
  CivilDay out;
  out.year = year_of_cycle + cycle * 400 + (month <= 2 ? 1 : 0);
  out.month = static_cast<unsigned>(month);
  out.day = static_cast<unsigned>(day_of_year - (153 * march_month + 2) / 5 + 1);
  return out;
}

}  // namespace demarche

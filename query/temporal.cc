#include "query/temporal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "engine/edtf.h"

namespace demarche::query {

namespace {

__extension__ using Wide = __int128;

constexpr long double kSecondsPerMonth = 2'629'746;  // the average of 400 years

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }
std::int64_t floor_mod(std::int64_t a, std::int64_t b) { return a - floor_div(a, b) * b; }

tl::unexpected<Error> out_of_range() {
  return invalid(fmt::format("the result is outside of the years -{0}..{0} or does not fit into 64 bits", kYearMax));
}

bool fits(Wide v) {
  return v >= std::numeric_limits<std::int64_t>::min() && v <= std::numeric_limits<std::int64_t>::max();
}

std::int64_t days_in_month(std::int64_t year, std::int64_t month) {
  const std::int64_t next_year = month == 12 ? year + 1 : year;
  const std::int64_t next_month = month == 12 ? 1 : month + 1;
  return days_from_civil(next_year, static_cast<unsigned>(next_month), 1) -
         days_from_civil(year, static_cast<unsigned>(month), 1);
}

bool day_in_range(Wide day) {
  static const std::int64_t least = days_from_civil(-kYearMax, 1, 1);
  static const std::int64_t greatest = days_from_civil(kYearMax, 12, 31);
  return day >= least && day <= greatest;
}

// Monday of week 1: the week that holds 4 January.
std::int64_t first_monday(std::int64_t week_year) {
  const std::int64_t fourth = days_from_civil(week_year, 1, 4);
  return fourth - floor_mod(fourth + 3, 7);  // 1970-01-01 was a Thursday
}

std::int64_t quarter_of(unsigned month) { return (static_cast<std::int64_t>(month) - 1) / 3 + 1; }

std::int64_t first_of_quarter(std::int64_t year, std::int64_t quarter) {
  return days_from_civil(year, static_cast<unsigned>((quarter - 1) * 3 + 1), 1);
}

Wide instant(const CalendarTime& t) { return Wide{t.day} * kNanosPerDay + t.nano - Wide{t.offset} * kNanosPerSecond; }

template <typename T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

Result<CalendarTime> from_wide(const CalendarTime& like, Wide day, Wide nano) {
  Wide carry = nano / kNanosPerDay;
  nano %= kNanosPerDay;
  if (nano < 0) {
    nano += kNanosPerDay;
    --carry;
  }
  CalendarTime out = like;
  out.nano = static_cast<std::int64_t>(nano);
  if (!has_day(like.type)) return out;
  day += carry;
  if (!day_in_range(day)) return out_of_range();
  out.day = static_cast<std::int64_t>(day);
  return out;
}

Result<Duration> from_wide(Wide months, Wide days, Wide nanos) {
  Wide seconds = nanos / kNanosPerSecond;
  nanos %= kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  }
  if (!fits(months) || !fits(days) || !fits(seconds)) return out_of_range();
  return Duration{static_cast<std::int64_t>(months), static_cast<std::int64_t>(days),
                  static_cast<std::int64_t>(seconds), static_cast<std::int64_t>(nanos)};
}

Wide nanos_of(const Duration& d) { return Wide{d.seconds} * kNanosPerSecond + d.nanos; }

// A day moved by whole months, cut to the last of the month it comes to.
Result<std::int64_t> add_months(std::int64_t day, Wide months) {
  const CivilDay civil = civil_from_days(day);
  const Wide count = Wide{civil.year} * 12 + (civil.month - 1) + months;
  if (count < Wide{-kYearMax} * 12 || count >= Wide{kYearMax + 1} * 12) return out_of_range();
  const auto whole = static_cast<std::int64_t>(count);
  const std::int64_t year = floor_div(whole, 12);
  const std::int64_t month = floor_mod(whole, 12) + 1;
  const std::int64_t last = days_in_month(year, month);
  return days_from_civil(year, static_cast<unsigned>(month),
                         static_cast<unsigned>(std::min<std::int64_t>(civil.day, last)));
}

// Whole months from one day to another; `rest` is what the clocks add (b's minus a's).
std::int64_t months_between(std::int64_t a, std::int64_t b, std::int64_t rest) {
  if (b > a && rest < 0) --b;
  if (b < a && rest > 0) ++b;
  const auto packed = [](std::int64_t day) {
    const CivilDay civil = civil_from_days(day);
    return (civil.year * 12 + civil.month) * 32 + civil.day;
  };
  return (packed(b) - packed(a)) / 32;
}

struct Carried {
  Wide whole;
  long double rest;  // of the same unit
};
Carried cut(long double x) {
  const long double whole = std::trunc(x);
  return {static_cast<Wide>(whole), x - whole};
}

// Fractions computed in binary may stop just short of the whole number that is meant.
Wide cut_nanos(long double x) { return static_cast<Wide>(std::trunc(x + (x < 0 ? -1e-3L : 1e-3L))); }

}  // namespace

std::string_view function_name(TimeType type) {
  constexpr std::array<std::string_view, 5> kNames = {"date", "localtime", "time", "localdatetime", "datetime"};
  return kNames[static_cast<std::size_t>(type)];
}

// ---- order ---------------------------------------------------------------------------------------------------------

int compare(const CalendarTime& a, const CalendarTime& b) { return three_way(instant(a), instant(b)); }

int compare(const Duration& a, const Duration& b) {
  const auto length = [](const Duration& d) {
    return Wide{d.months} * static_cast<std::int64_t>(kSecondsPerMonth) + Wide{d.days} * kSecondsPerDay + d.seconds;
  };
  if (const int c = three_way(length(a), length(b))) return c;
  if (const int c = three_way(a.nanos, b.nanos)) return c;
  if (const int c = three_way(a.months, b.months)) return c;
  return three_way(a.days, b.days);
}

// ---- arithmetic ----------------------------------------------------------------------------------------------------

Result<CalendarTime> add(const CalendarTime& time, const Duration& duration, int sign) {
  std::int64_t day = time.day;
  if (has_day(time.type)) DEMARCHE_ASSIGN(day, add_months(day, Wide{duration.months} * sign));
  const Wide moved = Wide{day} + Wide{duration.days} * sign;
  if (time.type == TimeType::kDay) return from_wide(time, moved + Wide{duration.seconds} / kSecondsPerDay * sign, 0);
  return from_wide(time, moved, Wide{time.nano} + nanos_of(duration) * sign);
}

Result<Duration> add(const Duration& a, const Duration& b, int sign) {
  return from_wide(Wide{a.months} + Wide{b.months} * sign, Wide{a.days} + Wide{b.days} * sign,
                   nanos_of(a) + nanos_of(b) * sign);
}

Result<Duration> scale(const Duration& d, long double factor) {
  DurationParts parts;
  parts.months = static_cast<long double>(d.months) * factor;
  parts.days = static_cast<long double>(d.days) * factor;
  parts.seconds = static_cast<long double>(d.seconds) * factor;
  parts.nanos = static_cast<long double>(d.nanos) * factor;
  return make_duration(parts);
}

Result<Duration> make_duration(const DurationParts& p) {
  constexpr long double kPartMax = 9.0e18L;  // keeps every product below within 128 bits
  for (const long double part : {p.months, p.days, p.hours, p.minutes, p.seconds, p.nanos}) {
    if (!std::isfinite(part) || std::fabs(part) > kPartMax) return out_of_range();
  }
  const Carried months = cut(p.months);
  const Carried days = cut(p.days);
  const Wide loose = cut_nanos(months.rest * kSecondsPerMonth * kNanosPerSecond) +
                     cut_nanos(days.rest * kSecondsPerDay * kNanosPerSecond);
  Wide nanos = loose % kNanosPerDay;
  long double rest = 0;
  const auto take = [&](long double amount, std::int64_t unit) {
    const Carried carried = cut(amount);
    nanos += carried.whole * unit;
    rest += carried.rest * static_cast<long double>(unit);
  };
  take(p.hours, 3600 * kNanosPerSecond);
  take(p.minutes, 60 * kNanosPerSecond);
  take(p.seconds, kNanosPerSecond);
  take(p.nanos, 1);
  return from_wide(months.whole, days.whole + loose / kNanosPerDay, nanos + cut_nanos(rest));
}

Result<Duration> between(const CalendarTime& from, const CalendarTime& to, DurationUnit unit) {
  CalendarTime a = from;
  CalendarTime b = to;
  if (has_offset(a.type) && has_offset(b.type)) b = with_offset(b, a.offset);
  const bool days_count = has_day(a.type) && has_day(b.type);
  if (!days_count) a.day = b.day = 0;
  const Wide all = Wide{b.day - a.day} * kNanosPerDay + (b.nano - a.nano);
  if (unit == DurationUnit::kSeconds) return from_wide(0, 0, all);
  if (unit == DurationUnit::kDays) return Duration{0, static_cast<std::int64_t>(all / kNanosPerDay), 0, 0};
  const std::int64_t months = months_between(a.day, b.day, b.nano - a.nano);
  if (unit == DurationUnit::kMonths) return Duration{months, 0, 0, 0};
  DEMARCHE_TRY(const std::int64_t start, add_months(a.day, months));
  const Wide rest = Wide{b.day - start} * kNanosPerDay + (b.nano - a.nano);
  return from_wide(months, rest / kNanosPerDay, rest % kNanosPerDay);
}

namespace {

// First day of the period that `day` is in; nullopt for an unknown unit.
std::optional<std::int64_t> start_of(std::string_view unit, std::int64_t day) {
  const CivilDay civil = civil_from_days(day);
  if (unit == "millennium") return days_from_civil(floor_div(civil.year, 1000) * 1000, 1, 1);
  if (unit == "century") return days_from_civil(floor_div(civil.year, 100) * 100, 1, 1);
  if (unit == "decade") return days_from_civil(floor_div(civil.year, 10) * 10, 1, 1);
  if (unit == "year") return days_from_civil(civil.year, 1, 1);
  if (unit == "weekYear") return first_monday(week_of(day).year);
  if (unit == "quarter") return first_of_quarter(civil.year, quarter_of(civil.month));
  if (unit == "month") return days_from_civil(civil.year, civil.month, 1);
  if (unit == "week") return day - (week_of(day).day - 1);
  if (unit == "day") return day;
  return std::nullopt;
}

std::optional<std::int64_t> nanos_in(std::string_view unit) {
  if (unit == "day") return kNanosPerDay;
  if (unit == "hour") return 3600 * kNanosPerSecond;
  if (unit == "minute") return 60 * kNanosPerSecond;
  if (unit == "second") return kNanosPerSecond;
  if (unit == "millisecond") return 1'000'000;
  if (unit == "microsecond") return 1000;
  return std::nullopt;
}

}  // namespace

Result<CalendarTime> truncate(std::string_view unit, const CalendarTime& time) {
  CalendarTime out = time;
  if (has_day(time.type)) {
    if (const auto day = start_of(unit, time.day)) {
      if (!day_in_range(*day)) return out_of_range();
      out.day = *day;
      out.nano = 0;
      return out;
    }
  }
  if (const auto nanos = nanos_in(unit); nanos && has_clock(time.type)) {
    out.nano = time.nano / *nanos * *nanos;
    return out;
  }
  return invalid(fmt::format("{} has no unit '{}'; year, month, week, day, hour, minute, second and the like",
                             function_name(time.type), unit));
}

CalendarTime with_offset(const CalendarTime& time, std::int32_t offset) {
  CalendarTime out = time;
  const std::int64_t nano = time.nano + std::int64_t{offset - time.offset} * kNanosPerSecond;
  out.nano = floor_mod(nano, kNanosPerDay);
  if (has_day(time.type)) out.day += floor_div(nano, kNanosPerDay);
  out.offset = offset;
  return out;
}

CalendarTime convert(const CalendarTime& time, TimeType to) {
  CalendarTime out = time;
  out.type = to;
  if (!has_day(to)) out.day = 0;
  if (!has_clock(to)) out.nano = 0;
  if (!has_offset(to)) out.offset = 0;
  return out;
}

// ---- parts ---------------------------------------------------------------------------------------------------------

WeekDay week_of(std::int64_t day) {
  const std::int64_t weekday = floor_mod(day + 3, 7);
  const std::int64_t year = civil_from_days(day - weekday + 3).year;  // the year of its Thursday
  return {year, (day - first_monday(year)) / 7 + 1, weekday + 1};
}

namespace {

Result<void> check(std::string_view what, std::int64_t value, std::int64_t least, std::int64_t greatest) {
  if (value >= least && value <= greatest) return {};
  return invalid(fmt::format("{} {} is not within {}..{}", what, value, least, greatest));
}

}  // namespace

Result<std::int64_t> day_of_month(std::int64_t year, std::int64_t month, std::int64_t day) {
  DEMARCHE_CHECK(check("year", year, -kYearMax, kYearMax));
  DEMARCHE_CHECK(check("month", month, 1, 12));
  DEMARCHE_CHECK(check("day", day, 1, days_in_month(year, month)));
  return days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
}

Result<std::int64_t> day_of_week(std::int64_t week_year, std::int64_t week, std::int64_t day) {
  DEMARCHE_CHECK(check("year", week_year, -kYearMax + 1, kYearMax - 1));
  DEMARCHE_CHECK(check("week", week, 1, (first_monday(week_year + 1) - first_monday(week_year)) / 7));
  DEMARCHE_CHECK(check("day of the week", day, 1, 7));
  return first_monday(week_year) + (week - 1) * 7 + day - 1;
}

Result<std::int64_t> day_of_year(std::int64_t year, std::int64_t ordinal) {
  DEMARCHE_CHECK(check("year", year, -kYearMax, kYearMax));
  const std::int64_t first = days_from_civil(year, 1, 1);
  DEMARCHE_CHECK(check("day of the year", ordinal, 1, days_from_civil(year + 1, 1, 1) - first));
  return first + ordinal - 1;
}

Result<std::int64_t> day_of_quarter(std::int64_t year, std::int64_t quarter, std::int64_t day) {
  DEMARCHE_CHECK(check("year", year, -kYearMax, kYearMax));
  DEMARCHE_CHECK(check("quarter", quarter, 1, 4));
  const std::int64_t first = first_of_quarter(year, quarter);
  const std::int64_t next = quarter == 4 ? days_from_civil(year + 1, 1, 1) : first_of_quarter(year, quarter + 1);
  DEMARCHE_CHECK(check("day of the quarter", day, 1, next - first));
  return first + day - 1;
}

namespace {

std::optional<std::int64_t> day_component(std::int64_t day, std::string_view name) {
  const CivilDay civil = civil_from_days(day);
  if (name == "year") return civil.year;
  if (name == "month") return civil.month;
  if (name == "day") return civil.day;
  if (name == "quarter") return quarter_of(civil.month);
  if (name == "week") return week_of(day).week;
  if (name == "weekYear") return week_of(day).year;
  if (name == "weekDay" || name == "dayOfWeek") return week_of(day).day;
  if (name == "ordinalDay") return day - days_from_civil(civil.year, 1, 1) + 1;
  if (name == "dayOfQuarter") return day - first_of_quarter(civil.year, quarter_of(civil.month)) + 1;
  return std::nullopt;
}

std::optional<std::int64_t> clock_component(std::int64_t nano, std::string_view name) {
  const std::int64_t second = nano / kNanosPerSecond;
  if (name == "hour") return second / 3600;
  if (name == "minute") return second / 60 % 60;
  if (name == "second") return second % 60;
  if (name == "millisecond") return nano % kNanosPerSecond / 1'000'000;
  if (name == "microsecond") return nano % kNanosPerSecond / 1000;
  if (name == "nanosecond") return nano % kNanosPerSecond;
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> component(const CalendarTime& time, std::string_view name) {
  if (has_day(time.type)) {
    if (const auto found = day_component(time.day, name)) return found;
  }
  if (has_clock(time.type)) {
    if (const auto found = clock_component(time.nano, name)) return found;
  }
  if (has_offset(time.type)) {
    if (name == "offsetMinutes") return time.offset / 60;
    if (name == "offsetSeconds") return time.offset;
  }
  if (time.type == TimeType::kDateTime) {
    const std::int64_t seconds = time.day * kSecondsPerDay + time.nano / kNanosPerSecond - time.offset;
    if (name == "epochSeconds") return seconds;
    if (name == "epochMillis") return seconds * 1000 + time.nano % kNanosPerSecond / 1'000'000;
  }
  return std::nullopt;
}

std::optional<std::int64_t> component(const Duration& d, std::string_view name) {
  const Wide nanos = nanos_of(d);
  const auto whole = [&](std::int64_t unit) -> std::optional<std::int64_t> {
    const Wide out = nanos / unit;
    return fits(out) ? std::optional(static_cast<std::int64_t>(out)) : std::nullopt;
  };
  if (name == "years") return d.months / 12;
  if (name == "quarters") return d.months / 3;
  if (name == "months") return d.months;
  if (name == "weeks") return d.days / 7;
  if (name == "days") return d.days;
  if (name == "hours") return whole(3600 * kNanosPerSecond);
  if (name == "minutes") return whole(60 * kNanosPerSecond);
  if (name == "seconds") return whole(kNanosPerSecond);
  if (name == "milliseconds") return whole(1'000'000);
  if (name == "microseconds") return whole(1000);
  if (name == "nanoseconds") return whole(1);
  if (name == "quartersOfYear") return d.months / 3 % 4;
  if (name == "monthsOfQuarter") return d.months % 3;
  if (name == "monthsOfYear") return d.months % 12;
  if (name == "daysOfWeek") return d.days % 7;
  if (name == "minutesOfHour") return static_cast<std::int64_t>(nanos / (60 * kNanosPerSecond) % 60);
  if (name == "secondsOfMinute") return static_cast<std::int64_t>(nanos / kNanosPerSecond % 60);
  if (name == "millisecondsOfSecond") return d.nanos / 1'000'000;
  if (name == "microsecondsOfSecond") return d.nanos / 1000;
  if (name == "nanosecondsOfSecond") return d.nanos;
  return std::nullopt;
}

}  // namespace demarche::query

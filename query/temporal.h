// Exact calendar values of the query language: days, times of day, both, and durations. Plain arithmetic on the
// proleptic Gregorian calendar without leap seconds. Not the dates of records: those are EDTF and may be vague
// (engine/edtf.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/result.h"

namespace demarche::query {

enum class TimeType : std::uint8_t { kDay, kLocalTime, kTime, kLocalDateTime, kDateTime };
[[nodiscard]] constexpr bool has_day(TimeType t) { return t != TimeType::kLocalTime && t != TimeType::kTime; }
[[nodiscard]] constexpr bool has_clock(TimeType t) { return t != TimeType::kDay; }
[[nodiscard]] constexpr bool has_offset(TimeType t) { return t == TimeType::kTime || t == TimeType::kDateTime; }
[[nodiscard]] std::string_view function_name(TimeType type);  // "date", "localdatetime", ...

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kNanosPerDay = kSecondsPerDay * kNanosPerSecond;
constexpr std::int64_t kYearMax = 999'999'999;  // and its negative

// What a type lacks is zero. day and nano are as the clock on the wall shows them: offset is not taken away.
struct CalendarTime {
  TimeType type = TimeType::kDay;
  std::int64_t day = 0;     // since 1970-01-01
  std::int64_t nano = 0;    // since midnight, below kNanosPerDay
  std::int32_t offset = 0;  // seconds east of Greenwich
  friend bool operator==(const CalendarTime&, const CalendarTime&) = default;
};

// Months, days and seconds are kept apart: none is a fixed number of another. Each may be negative.
struct Duration {
  std::int64_t months = 0;
  std::int64_t days = 0;
  std::int64_t seconds = 0;
  std::int64_t nanos = 0;  // 0 <= nanos < kNanosPerSecond, added to seconds
  friend bool operator==(const Duration&, const Duration&) = default;
};

// Amounts of each unit, whole or not. A fraction goes on into the smaller units: a month counts 2,629,746 seconds, a
// day 86,400. Fractions of a nanosecond are cut off.
struct DurationParts {
  long double months = 0;
  long double days = 0;
  long double hours = 0;
  long double minutes = 0;
  long double seconds = 0;
  long double nanos = 0;
};

// ---- text ----------------------------------------------------------------------------------------------------------

// ISO 8601: 2015-07-21, 20150721, 2015-W30-2, 2015-202, 2015-Q3-21, 2015-07, 2015; T21:40:32.142, 214032; Z, +01:00.
// What is left out is the first of its kind: 2015 is 1 January. Without an offset it is UTC. Errors: kInvalidArgument.
[[nodiscard]] Result<CalendarTime> parse_time(TimeType type, std::string_view text);
// P1Y2M3W4DT5H6M7.8S, each number signed or not and with a fraction or not; P2012-02-02T14:37:21.545.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
// Z, +01, +0100, +01:00 in seconds. Errors: a named zone is refused by name.
[[nodiscard]] Result<std::int32_t> parse_offset(std::string_view text);

[[nodiscard]] std::string to_iso(const CalendarTime& time);
[[nodiscard]] std::string to_iso(const Duration& duration);
[[nodiscard]] std::string offset_text(std::int32_t offset);  // "Z", "+01:00"

// ---- order ---------------------------------------------------------------------------------------------------------

// Negative, zero, positive; values with an offset by their instant. REQUIRES: one type.
[[nodiscard]] int compare(const CalendarTime& a, const CalendarTime& b);
// For sorting only (a month has no fixed length): by average length, then part by part.
[[nodiscard]] int compare(const Duration& a, const Duration& b);

// ---- arithmetic. Errors: kInvalidArgument when the result leaves the years -999999999..999999999 or 64 bits. -------

// sign: 1 or -1. Months first (the day of the month is cut to the month's last), then days, then the rest; a day takes
// whole days only, a time of day goes round the clock.
[[nodiscard]] Result<CalendarTime> add(const CalendarTime& time, const Duration& duration, int sign);
[[nodiscard]] Result<Duration> add(const Duration& a, const Duration& b, int sign);
[[nodiscard]] Result<Duration> scale(const Duration& duration, long double factor);
[[nodiscard]] Result<Duration> make_duration(const DurationParts& parts);

enum class DurationUnit : std::uint8_t { kMixed, kMonths, kDays, kSeconds };
// From a to b: in whole months, then days, then seconds (kMixed), or in one unit alone, cut off. What one of them lacks
// (day, clock, offset) is taken as that of the other, a missing clock as midnight.
[[nodiscard]] Result<Duration> between(const CalendarTime& a, const CalendarTime& b, DurationUnit unit);

// Start of the millennium, century, decade, year, weekYear, quarter, month, week, day, hour, minute, second,
// millisecond or microsecond. Errors: an unknown unit, or one the type has not.
[[nodiscard]] Result<CalendarTime> truncate(std::string_view unit, const CalendarTime& time);
// The same instant on another clock, or without one. REQUIRES: `to` lacks a day only if nothing is asked of it.
[[nodiscard]] CalendarTime convert(const CalendarTime& time, TimeType to);
[[nodiscard]] CalendarTime with_offset(const CalendarTime& time, std::int32_t offset);

// ---- parts ---------------------------------------------------------------------------------------------------------

struct WeekDay {
  std::int64_t year = 0;  // that the week belongs to
  std::int64_t week = 0;  // 1..53
  std::int64_t day = 0;   // 1 Monday .. 7 Sunday
};
[[nodiscard]] WeekDay week_of(std::int64_t day);
// Errors: kInvalidArgument if there is no such day.
[[nodiscard]] Result<std::int64_t> day_of_month(std::int64_t year, std::int64_t month, std::int64_t day);
[[nodiscard]] Result<std::int64_t> day_of_week(std::int64_t week_year, std::int64_t week, std::int64_t day);
[[nodiscard]] Result<std::int64_t> day_of_year(std::int64_t year, std::int64_t ordinal);
[[nodiscard]] Result<std::int64_t> day_of_quarter(std::int64_t year, std::int64_t quarter, std::int64_t day);

// year, quarter, month, week, weekYear, day, ordinalDay, weekDay, dayOfWeek, dayOfQuarter, hour, minute, second,
// millisecond, microsecond, nanosecond, offsetMinutes, offsetSeconds, epochSeconds, epochMillis; nullopt for others and
// for what the type has not.
[[nodiscard]] std::optional<std::int64_t> component(const CalendarTime& time, std::string_view name);
// years, quarters, months, weeks, days, hours ... nanoseconds, and monthsOfYear, minutesOfHour and their kin.
[[nodiscard]] std::optional<std::int64_t> component(const Duration& duration, std::string_view name);

}  // namespace demarche::query

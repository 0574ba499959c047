// Dates as people know them: EDTF (ISO 8601-2:2019, Library of Congress profile), compiled to bounds.
//
// The text is kept as written and never normalised; what is computed from it is a flag, four bounds and, where the
// possible days have gaps, the list of them. Decisions where the sources disagree are in docs/dates.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "engine/types.h"

namespace demarche {

// When something was, as far as is known. `begin` and `end` are instants, each known to lie between two bounds,
// both inclusive, in UTC seconds. A moment is one instant: its begin is its end.
// Invariants: begin_min <= begin_max, end_min <= end_max, begin_min <= end_min, begin_max <= end_max;
// for a moment begin_min == end_min and begin_max == end_max.
struct TimeBounds {
  bool is_span = false;     // false: one moment somewhere in the bounds; true: lasted from begin to end
  bool qualified = false;   // written with ? ~ or %: true answers become unknown, false ones stay
  bool has_gaps = false;    // the possible moments are not all of [begin_min, end_max]: see edtf_members()
  bool fine_begin = false;  // the earliest bound is written to the second, not the day
  bool fine_end = false;    // the latest bound is written to the second, not the day
  Timestamp begin_min = Timestamp::lowest();
  Timestamp begin_max = Timestamp::highest();
  Timestamp end_min = Timestamp::lowest();
  Timestamp end_max = Timestamp::highest();
  friend constexpr bool operator==(const TimeBounds&, const TimeBounds&) = default;
};

enum class EdtfShape : std::uint8_t {
  kDate,      // year, month, day, with or without masks, qualifiers, exponent, significant digits
  kDateTime,  // to the second, perhaps with an offset
  kSeason,    // codes 21 to 41
  kInterval,  // a/b
  kOneOf,     // [a,b..c]: one of these
  kAllOf,     // {a,b..c}: all of these; refused as the date of an interaction
};

// First or last day a text can mean, as written (not moved to UTC).
struct EdtfBound {
  enum class Kind : std::uint8_t { kDay, kOpen, kUnknown };
  Kind kind = Kind::kDay;
  std::int64_t day = 0;  // days since 1970-01-01; meaningful for kDay only
  friend constexpr bool operator==(const EdtfBound&, const EdtfBound&) = default;
};

struct Edtf {
  std::string text;        // as written
  std::uint8_t level = 0;  // lowest level of the profile that allows it: 0, 1 or 2
  EdtfShape shape = EdtfShape::kDate;
  EdtfBound earliest;
  EdtfBound latest;
  TimeBounds bounds;  // as the date of an interaction (kAllOf: as if it were one of them)
};

// A run of instants, both ends inclusive.
struct TimeRange {
  Timestamp first;
  Timestamp last;
  friend constexpr bool operator==(TimeRange, TimeRange) = default;
};

// Reads one EDTF text, levels 0 to 2. Nothing is trimmed or guessed.
// Errors: kInvalidArgument; the message quotes the text, names the character (counted from 1) and says what is wrong,
// e.g. "date '2016-02-30', character 9: February 2016 has 29 days".
[[nodiscard]] Result<Edtf> parse_edtf(std::string_view text);

// The possible moments of a one-of set or masked date as disjoint ascending ranges; a single range without gaps.
// At most 200,000 ranges, beyond that kLimit; of single dates only masks such as XXXX-XX-X1 have more.
[[nodiscard]] Result<std::vector<TimeRange>> edtf_members(std::string_view text);

// What a literal means in a predicate or query head: a plain year, month or day is the whole period (a span with exact
// ends); an interval of plain dates runs from the first instant of the one to the last of the other. Sets and masks are
// as parse_edtf() has them; a plain season is its whole period too. Qualified texts keep their flag.
[[nodiscard]] TimeBounds as_period(const Edtf& edtf);

// "2016-04-29"; at least four digits of year, '-' for years before 0 (astronomical count: year 0 is 1 BC).
[[nodiscard]] std::string format_day(std::int64_t day);
// "2016-04-29T13:05:00Z".
[[nodiscard]] std::string format_instant(Timestamp t);

// Calendar arithmetic on the proleptic Gregorian calendar, exact for |year| <= 290,000,000,000.
[[nodiscard]] std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day);
struct CivilDay {
  std::int64_t year = 0;
  unsigned month = 0;
  unsigned day = 0;
};
[[nodiscard]] CivilDay civil_from_days(std::int64_t day);

}  // namespace demarche

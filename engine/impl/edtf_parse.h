// The grammar of EDTF: a text becomes a tree of what is written, with nothing worked out yet. Which days the tree can
// mean, and whether there are any, is engine/edtf.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/edtf.h"
#include "engine/result.h"

namespace demarche::impl {

inline constexpr std::int64_t kEdtfYearMax = 290'000'000'000;  // beyond it seconds would not fit 64 bits
inline constexpr std::size_t kEdtfTextMax = 65'536;            // bytes
inline constexpr std::int8_t kUnknownDigit = -1;               // X
inline constexpr std::uint32_t kAllMonths = 0x1FFE;            // bits 1 to 12
inline constexpr std::uint32_t kAllDays = 0xFFFF'FFFE;         // bits 1 to 31

// One date as written. Month and day are sets of the numbers that fit what is written, before the calendar is asked:
// `1X` is {10, 11, 12} as a month and {10 to 19} as a day. A season is the set of its months.
struct EdtfDate {
  std::int64_t year = 0;                     // if the year has no X
  std::array<std::int8_t, 4> year_digits{};  // if it has: the digits without the sign, kUnknownDigit for X
  bool year_masked = false;
  bool negative = false;     // sign of a masked year
  std::uint32_t months = 0;  // bit m: month m fits; 0: no month written
  std::uint32_t days = 0;    // bit d: day d fits; 0: no day written
  bool masked = false;       // an X anywhere
  bool season = false;
  bool has_time = false;
  std::int64_t time_shift =
      0;  // has_time: seconds from 00:00:00 UTC of the day written to the instant, offset included
  std::uint8_t level = 0;
  std::size_t offset = 0;      // byte of the text where it begins
  std::size_t day_offset = 0;  // and where its day begins, if it has one
};

struct EdtfSide {
  enum class Kind : std::uint8_t { kDate, kOpen, kUnknown };
  Kind kind = Kind::kDate;
  EdtfDate date;  // kDate only
};

// A date, or all from one side to the other: an interval, or a member `a..b` of a set.
struct EdtfItem {
  bool is_range = false;
  EdtfSide from;
  EdtfSide to;  // is_range only
};

struct EdtfTree {
  EdtfShape shape = EdtfShape::kDate;
  std::uint8_t level = 0;
  bool qualified = false;
  std::vector<EdtfItem> items;  // one, but for sets
};

[[nodiscard]] Result<EdtfTree> parse_edtf_tree(std::string_view text);

// "date '<text>', character <n>: <what>"; `offset` is in bytes, the character is counted from 1.
[[nodiscard]] Error edtf_error(std::string_view text, std::size_t offset, std::string_view what);

// What to write instead, for texts that people write and EDTF does not have ("29 April 2016"); empty if none comes to
// mind. For refused texts only.
[[nodiscard]] std::string edtf_slip_hint(std::string_view text);

[[nodiscard]] unsigned days_in_month(std::int64_t year, unsigned month);
[[nodiscard]] std::string_view month_name(unsigned month);  // "January"

}  // namespace demarche::impl

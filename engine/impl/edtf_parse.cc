#include "engine/impl/edtf_parse.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace demarche::impl {
namespace {

constexpr std::array<std::string_view, 13> kMonthNames = {"",        "January",  "February", "March",  "April",
                                                          "May",     "June",     "July",     "August", "September",
                                                          "October", "November", "December"};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_mask_digit(char c) { return is_digit(c) || c == 'X'; }
constexpr bool is_qualifier(char c) { return c == '?' || c == '~' || c == '%'; }
constexpr bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }
constexpr int digit_value(char c) { return c - '0'; }

// Bits of months first to last.
constexpr std::uint32_t month_bits(unsigned first, unsigned last) {
  return ((2U << last) - 1U) & ~((1U << first) - 1U);
}

// The months of codes 21 to 41; docs/dates.md has the table in words.
constexpr std::uint32_t season_months(int code) {
  constexpr std::array<std::uint32_t, 4> kQuarters = {month_bits(1, 3), month_bits(4, 6), month_bits(7, 9),
                                                      month_bits(10, 12)};
  if (code <= 24) return kQuarters[static_cast<std::size_t>(code - 21)];  // seasons
  if (code <= 28) return kQuarters[static_cast<std::size_t>(code - 25)];  // northern seasons
  if (code <= 32) return kQuarters[static_cast<std::size_t>(32 - code)];  // southern seasons: the other way round
  if (code <= 36) return kQuarters[static_cast<std::size_t>(code - 33)];  // quarters
  if (code == 37) return month_bits(1, 4);                                // thirds
  if (code == 38) return month_bits(5, 8);
  if (code == 39) return month_bits(9, 12);
  return code == 40 ? month_bits(1, 6) : month_bits(7, 12);  // halves
}
static_assert(season_months(22) == 0x70 && season_months(29) == 0x1C00 && season_months(41) == 0x1F80);

// Two characters, each a digit or X.
struct TwoDigits {
  std::int8_t tens = 0;
  std::int8_t units = 0;

  [[nodiscard]] bool masked() const { return tens == kUnknownDigit || units == kUnknownDigit; }
  [[nodiscard]] bool all_masked() const { return tens == kUnknownDigit && units == kUnknownDigit; }
  [[nodiscard]] int value() const { return tens * 10 + units; }
  // Bits of the numbers from 1 to `last` that fit.
  [[nodiscard]] std::uint32_t fitting(int last) const {
    std::uint32_t bits = 0;
    for (int i = 1; i <= last; ++i) {
      const bool fits = (tens == kUnknownDigit || tens == i / 10) && (units == kUnknownDigit || units == i % 10);
      if (fits) bits |= 1U << i;
    }
    return bits;
  }
};

// Recursive descent, one method per rule, one character of lookahead but for `..`.
class EdtfParser {
 public:
  explicit EdtfParser(std::string_view text) : text_(text) {}

  Result<EdtfTree> parse() {
    if (text_.empty()) return fail(0, "the text is empty");
    if (text_.size() > kEdtfTextMax) return fail(kEdtfTextMax, "longer than 65,536 bytes");
    EdtfTree tree;
    tree.qualified = std::any_of(text_.begin(), text_.end(), is_qualifier);
    if (peek() == '[' || peek() == '{') {
      DEMARCHE_CHECK(parse_set(tree));
    } else if (text_.find('/') != std::string_view::npos) {
      DEMARCHE_CHECK(parse_interval(tree));
    } else {
      DEMARCHE_CHECK(parse_single(tree));
    }
    if (!at_end()) return unexpected();
    return tree;
  }

 private:
  [[nodiscard]] bool at_end() const { return pos_ >= text_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0';
  }
  [[nodiscard]] bool at_dots() const { return peek() == '.' && peek(1) == '.'; }
  bool eat(char c) {
    if (at_end() || peek() != c) return false;
    ++pos_;
    return true;
  }
  bool eat_dots() {
    if (!at_dots()) return false;
    pos_ += 2;
    return true;
  }
  bool eat_qualifier() {
    if (!is_qualifier(peek())) return false;
    ++pos_;
    return true;
  }

  [[nodiscard]] tl::unexpected<Error> fail(std::size_t offset, std::string_view what) const {
    return tl::unexpected<Error>(edtf_error(text_, offset, what));
  }
  // Refuses the character at the cursor; `wanted` is what the grammar would have liked there.
  [[nodiscard]] tl::unexpected<Error> unexpected(std::string_view wanted = "") const {
    return fail(pos_, describe_unexpected(wanted));
  }
  [[nodiscard]] std::string describe_unexpected(std::string_view wanted) const;
  [[nodiscard]] tl::unexpected<Error> fail_year_length(std::size_t digits_at, std::size_t count) const;

  Result<void> parse_single(EdtfTree& tree);
  Result<void> parse_interval(EdtfTree& tree);
  Result<EdtfSide> parse_side();
  Result<void> parse_set(EdtfTree& tree);
  Result<EdtfItem> parse_member(char close, bool is_first);
  Result<EdtfDate> parse_date(bool time_allowed);
  Result<void> parse_year(EdtfDate& date, bool& year_only);
  Result<void> parse_long_year(EdtfDate& date);
  Result<void> parse_significant(EdtfDate& date);
  Result<TwoDigits> parse_month(EdtfDate& date);
  Result<TwoDigits> parse_day(EdtfDate& date);
  Result<TwoDigits> parse_two_digits(std::string_view noun);
  Result<void> parse_time(EdtfDate& date);
  Result<int> parse_clock_field(std::string_view noun, int last);
  Result<int> parse_zone();

  std::string_view text_;
  std::size_t pos_ = 0;
};

std::string EdtfParser::describe_unexpected(std::string_view wanted) const {
  const std::string tail = wanted.empty() ? "" : std::string("; ") + std::string(wanted) + " is expected";
  if (at_end())
    return wanted.empty() ? "the text ends here" : "the text ends where " + std::string(wanted) + " is expected";
  const std::string_view rest = text_.substr(pos_);
  const char c = rest.front();
  if (c == ' ' && is_digit(peek(1)) && peek(3) == ':') return "a T, not a space, stands before the time of day";
  if (c == ' ' || c == '\t' || c == '\n' || c == '\r') return "no space may stand here";
  if (c == '(' || c == ')') return "parentheses are not used; put ? ~ or % before or after the part that it qualifies";
  if (c == '/') return "an interval has one '/', outside brackets";
  if (pos_ > 0 && (c == 'x' || c == 'u')) return "an unknown digit is written as a capital X";
  if (pos_ > 0 && c == 't') return "the sign before the time of day is a capital T";
  if (c == 'y') return "the sign before a long year is a capital Y";
  if (c == 's' && is_digit(peek(1))) return "the sign before the number of significant digits is a capital S";
  if (pos_ > 0 && c == 'z') return "the sign for UTC is a capital Z";
  if (c == '+' && wanted.substr(0, 6) == "a year") return "a year has no '+'";
  if (is_qualifier(c)) return "one of ? ~ % is enough; % means both ? and ~";
  if (rest.substr(0, 2) == "..")
    return "'..' stands for an open side of an interval, as in 1985/.., or inside brackets";
  if (rest.substr(0, 3) == "\xE2\x80\x93" || rest.substr(0, 3) == "\xE2\x80\x94" ||
      rest.substr(0, 3) == "\xE2\x88\x92") {
    return "this dash is not the hyphen '-'";
  }
  std::size_t length = 1;
  while (length < rest.size() && length < 4 && is_continuation(rest[length])) ++length;
  const bool printable = static_cast<unsigned char>(c) >= 0x20 && c != '\x7F';
  return "unexpected " + (printable ? "'" + std::string(rest.substr(0, length)) + "'" : "control character") + tail;
}

Result<void> EdtfParser::parse_single(EdtfTree& tree) {
  EdtfItem item;
  DEMARCHE_TRY(item.from.date, parse_date(true));
  tree.level = item.from.date.level;
  if (item.from.date.season) tree.shape = EdtfShape::kSeason;
  if (item.from.date.has_time) tree.shape = EdtfShape::kDateTime;
  tree.items.push_back(item);
  return {};
}

Result<void> EdtfParser::parse_interval(EdtfTree& tree) {
  tree.shape = EdtfShape::kInterval;
  EdtfItem item;
  item.is_range = true;
  DEMARCHE_TRY(item.from, parse_side());
  if (!eat('/')) return unexpected("'/'");
  DEMARCHE_TRY(item.to, parse_side());
  if (item.from.kind == EdtfSide::Kind::kUnknown && item.to.kind == EdtfSide::Kind::kUnknown && at_end()) {
    return fail(0, "an interval with both sides unknown says nothing; leave the date out");
  }
  for (const EdtfSide* side : {&item.from, &item.to}) {
    const bool is_date = side->kind == EdtfSide::Kind::kDate;
    // Unspecified digits within an interval are level 2, also those that are level 1 by themselves.
    const std::uint8_t level = !is_date ? 1 : side->date.masked ? 2 : side->date.level;
    tree.level = std::max(tree.level, level);
  }
  tree.items.push_back(item);
  return {};
}

Result<EdtfSide> EdtfParser::parse_side() {
  EdtfSide side;
  if (at_end() || peek() == '/') {
    side.kind = EdtfSide::Kind::kUnknown;
  } else if (eat_dots()) {
    side.kind = EdtfSide::Kind::kOpen;
  } else {
    DEMARCHE_TRY(side.date, parse_date(false));
  }
  return side;
}

Result<void> EdtfParser::parse_set(EdtfTree& tree) {
  const bool one_of = peek() == '[';
  const char close = one_of ? ']' : '}';
  tree.shape = one_of ? EdtfShape::kOneOf : EdtfShape::kAllOf;
  tree.level = 2;
  ++pos_;
  while (true) {
    DEMARCHE_TRY(const EdtfItem item, parse_member(close, tree.items.empty()));
    tree.items.push_back(item);
    const std::size_t spaces_at = pos_;
    while (eat(' ')) {
    }
    if (eat(',')) {
      if (item.is_range && item.to.kind == EdtfSide::Kind::kOpen) {
        return fail(spaces_at - 2, "only the last member can be open at its end");
      }
      while (eat(' ')) {
      }
      continue;
    }
    if (pos_ != spaces_at) return fail(spaces_at, "no space may stand here");
    if (eat(close)) return {};
    return unexpected(one_of ? "',' or ']'" : "',' or '}'");
  }
}

Result<EdtfItem> EdtfParser::parse_member(char close, bool is_first) {
  EdtfItem item;
  if (at_dots()) {
    if (!is_first) return fail(pos_, "only the first member can be open at its beginning");
    item.from.kind = EdtfSide::Kind::kOpen;
  } else {
    DEMARCHE_TRY(item.from.date, parse_date(true));
  }
  item.is_range = eat_dots();
  if (!item.is_range) return item;
  const bool ends_open = item.from.kind == EdtfSide::Kind::kDate && (peek() == close || peek() == ',' || peek() == ' ');
  if (ends_open) {
    item.to.kind = EdtfSide::Kind::kOpen;
  } else {
    DEMARCHE_TRY(item.to.date, parse_date(true));
  }
  return item;
}

// The lowest level that has these unspecified digits: level 1 has them at the right end only, and whole months and
// days.
std::uint8_t mask_level(const EdtfDate& date, const std::optional<TwoDigits>& month,
                        const std::optional<TwoDigits>& day) {
  if (date.season) return 2;
  const auto& digits = date.year_digits;
  const auto first_x = std::find(digits.begin(), digits.end(), kUnknownDigit);
  const auto known_digits = date.year_masked ? std::distance(digits.begin(), first_x) : 4;
  if (date.year_masked && !std::all_of(first_x, digits.end(), [](std::int8_t d) { return d == kUnknownDigit; }))
    return 2;
  if (!month) return known_digits == 1 ? 2 : 1;
  const bool year_fits = known_digits == 4 || (known_digits == 0 && month->all_masked());
  const bool month_fits = month->all_masked() || !month->masked();
  const bool day_fits = !day || day->all_masked();
  return year_fits && month_fits && day_fits ? 1 : 2;
}

Result<EdtfDate> EdtfParser::parse_date(bool time_allowed) {
  EdtfDate date;
  date.offset = pos_;
  bool year_only = false;
  std::optional<TwoDigits> month;
  std::optional<TwoDigits> day;
  bool inner_qualifier = eat_qualifier();  // level 2; one after the whole date is level 1
  DEMARCHE_CHECK(parse_year(date, year_only));
  bool last_qualifier = eat_qualifier();
  if (peek() == '-') {
    if (year_only) return fail(pos_, "a year with Y or S has no month");
    ++pos_;
    inner_qualifier = eat_qualifier() || last_qualifier || inner_qualifier;
    DEMARCHE_TRY(month, parse_month(date));
    last_qualifier = eat_qualifier();
  }
  if (month && peek() == '-') {
    if (date.season) return fail(pos_, "a season has no day");
    ++pos_;
    inner_qualifier = eat_qualifier() || last_qualifier || inner_qualifier;
    DEMARCHE_TRY(day, parse_day(date));
    last_qualifier = eat_qualifier();
  }
  date.masked = date.year_masked || (month && month->masked()) || (day && day->masked());
  if (peek() == 'T') {
    if (!time_allowed) return fail(pos_, "an interval has dates without a time of day");
    if (!day || date.masked) return fail(pos_, "a time of day needs a full date without X");
    if (inner_qualifier || last_qualifier) return fail(pos_, "a date with a time of day has no ? ~ or %");
    DEMARCHE_CHECK(parse_time(date));
  }
  const std::uint8_t qualifier_level = inner_qualifier ? 2 : last_qualifier ? 1 : 0;
  date.level = std::max(date.level, qualifier_level);
  if (date.masked) date.level = std::max(date.level, mask_level(date, month, day));
  return date;
}

Result<void> EdtfParser::parse_year(EdtfDate& date, bool& year_only) {
  const std::size_t start = pos_;
  if (eat('Y')) {
    DEMARCHE_CHECK(parse_long_year(date));
    year_only = true;
  } else {
    date.negative = eat('-');
    const std::size_t digits_at = pos_;
    std::size_t count = 0;
    while (is_mask_digit(peek(count))) ++count;
    if (count != 4) return fail_year_length(digits_at, count);
    for (std::size_t i = 0; i < 4; ++i) {
      const char c = text_[pos_++];
      date.year_digits[i] = c == 'X' ? kUnknownDigit : static_cast<std::int8_t>(digit_value(c));
      date.year_masked = date.year_masked || c == 'X';
      date.year = date.year * 10 + (c == 'X' ? 0 : digit_value(c));
    }
    if (date.negative && date.year == 0 && !date.year_masked) {
      return fail(start, "there is no year -0000; the year before 0001 is 0000");
    }
    if (date.negative) date.year = -date.year;
    date.level = date.negative ? 1 : 0;
  }
  if (peek() == 'S') {
    DEMARCHE_CHECK(parse_significant(date));
    year_only = true;
  }
  return {};
}

tl::unexpected<Error> EdtfParser::fail_year_length(std::size_t digits_at, std::size_t count) const {
  if (count == 0) return unexpected("a year of four digits");
  if (count > 4) {
    return fail(digits_at + 4, "a year has four digits; a longer one is written with Y, as in Y12345");
  }
  const std::size_t stop = digits_at + count;
  const char next = stop < text_.size() ? text_[stop] : '\0';
  if (next == 'x' || next == 'u') return fail(stop, "an unknown digit is written as a capital X");
  std::string what = "a year has four digits";
  const bool stands_alone =
      next == '\0' || is_qualifier(next) || next == '/' || next == ',' || next == ']' || next == '}';
  const std::string sign = digits_at > 0 && text_[digits_at - 1] == '-' ? "-" : "";
  const std::string digits(text_.substr(digits_at, count));
  if (stands_alone && digits.find('X') == std::string::npos && edtf_slip_hint(text_).empty()) {
    what += "; write " + sign + std::string(4 - count, '0') + digits + " for the year";
    if (count > 1) what += ", " + sign + digits + std::string(4 - count, 'X');
    if (count == 2) what += " for the century";
    if (count == 3) what += " for the decade";
  }
  if (sign.empty() && digits_at > 0 && text_[digits_at - 1] == '/' && next == '-') {
    what += "; both sides of an interval are written in full";
  }
  return fail(stop, what);
}

// After the Y: an integer of any length, perhaps with an exponent.
Result<void> EdtfParser::parse_long_year(EdtfDate& date) {
  const std::size_t start = pos_;
  const bool negative = eat('-');
  if (!is_digit(peek())) return unexpected("a digit");
  if (peek() == '0') return fail(pos_, "a year with Y does not begin with 0");
  std::int64_t year = 0;  // stays at most ten times the limit: beyond that digits change nothing
  for (; is_digit(peek()); ++pos_) {
    if (year <= kEdtfYearMax) year = year * 10 + digit_value(peek());
  }
  date.level = 1;
  if (peek() == 'e') return fail(pos_, "the sign before an exponent is a capital E");
  if (eat('E')) {
    date.level = 2;
    if (!is_digit(peek())) return unexpected("a digit");
    int exponent = 0;
    for (; is_digit(peek()); ++pos_) exponent = std::min(exponent * 10 + digit_value(peek()), 100);
    for (; exponent > 0 && year <= kEdtfYearMax; --exponent) year *= 10;
  }
  if (year > kEdtfYearMax) return fail(start, "years are read from -290,000,000,000 to 290,000,000,000");
  if (year <= 9999) {
    const std::string digits = std::to_string(year);
    return fail(start - 1, "Y is for years of more than four digits; write " + std::string(negative ? "-" : "") +
                               std::string(4 - digits.size(), '0') + digits);
  }
  date.year = negative ? -year : year;
  return {};
}

// S and the number of significant digits, which does not move the bounds.
Result<void> EdtfParser::parse_significant(EdtfDate& date) {
  if (date.year_masked) return fail(pos_, "a year with X has no S");
  ++pos_;
  const std::size_t start = pos_;
  if (!is_digit(peek())) return unexpected("the number of significant digits");
  while (is_digit(peek())) ++pos_;
  if (text_[start] == '0' || pos_ - start > 2) return fail(start, "the number of significant digits is from 1 to 99");
  date.level = 2;
  return {};
}

Result<TwoDigits> EdtfParser::parse_two_digits(std::string_view noun) {
  TwoDigits out;
  for (std::int8_t* digit : {&out.tens, &out.units}) {
    if (!is_mask_digit(peek())) return unexpected(std::string(noun) + " of two digits");
    *digit = peek() == 'X' ? kUnknownDigit : static_cast<std::int8_t>(digit_value(peek()));
    ++pos_;
  }
  return out;
}

Result<TwoDigits> EdtfParser::parse_month(EdtfDate& date) {
  const std::size_t start = pos_;
  DEMARCHE_TRY(const TwoDigits month, parse_two_digits("a month"));
  const std::string written(text_.substr(start, 2));
  if (!month.masked() && month.value() >= 21 && month.value() <= 41) {
    date.season = true;
    date.months = season_months(month.value());
    date.level = std::max<std::uint8_t>(date.level, month.value() <= 24 ? 1 : 2);
    return month;
  }
  date.months = month.fitting(12);
  if (date.months == 0) {
    return fail(start, "there is no month " + written + "; months are 01 to 12, seasons and quarters 21 to 41");
  }
  return month;
}

Result<TwoDigits> EdtfParser::parse_day(EdtfDate& date) {
  date.day_offset = pos_;
  DEMARCHE_TRY(const TwoDigits day, parse_two_digits("a day"));
  date.days = day.fitting(31);
  if (date.days == 0) {
    return fail(date.day_offset, "there is no day " + std::string(text_.substr(date.day_offset, 2)));
  }
  return day;
}

Result<void> EdtfParser::parse_time(EdtfDate& date) {
  ++pos_;
  const std::size_t start = pos_;
  DEMARCHE_TRY(const int hour, parse_clock_field("an hour", 24));
  if (!eat(':')) return unexpected("':'");
  DEMARCHE_TRY(const int minute, parse_clock_field("a minute", 59));
  if (!eat(':')) return unexpected("':' and the seconds");
  DEMARCHE_TRY(const int second, parse_clock_field("a second", 59));
  bool zero_fraction = true;
  if (peek() == '.' && is_digit(peek(1))) {
    for (++pos_; is_digit(peek()); ++pos_) zero_fraction = zero_fraction && peek() == '0';
  }
  if (hour == 24 && (minute != 0 || second != 0 || !zero_fraction)) {
    return fail(start, "the last instant of hour 24 is 24:00:00");
  }
  DEMARCHE_TRY(const int zone_minutes, parse_zone());
  date.has_time = true;
  date.time_shift = hour * 3600 + minute * 60 + second - zone_minutes * 60;
  return {};
}

Result<int> EdtfParser::parse_clock_field(std::string_view noun, int last) {
  const std::size_t start = pos_;
  int value = 0;
  for (int i = 0; i < 2; ++i) {
    if (!is_digit(peek())) return unexpected(std::string(noun) + " of two digits");
    value = value * 10 + digit_value(text_[pos_++]);
  }
  if (value > last) return fail(start, std::string(noun) + " is at most " + std::to_string(last));
  return value;
}

// Minutes east of UTC; without an offset the time is UTC.
Result<int> EdtfParser::parse_zone() {
  if (eat('Z')) return 0;
  const std::size_t start = pos_;
  const bool west = peek() == '-';
  if (!west && peek() != '+') return 0;
  ++pos_;
  DEMARCHE_TRY(const int hours, parse_clock_field("an hour", 99));
  if (is_digit(peek())) return fail(pos_, "an offset is written with a colon, as in +02:30");
  int minutes = 0;
  if (eat(':')) {
    DEMARCHE_TRY(minutes, parse_clock_field("a minute", 59));
  }
  const int total = hours * 60 + minutes;
  if (west && total == 0) return fail(start, "there is no offset -00:00; write Z");
  if (total > (west ? 12 : 14) * 60) return fail(start, "offsets are from -12:00 to +14:00");
  return west ? -total : total;
}

// One number or word of a text that is not EDTF.
struct SlipToken {
  bool is_number = false;
  std::string text;       // words in lower case
  std::string separator;  // what stands before it
  int value = 0;          // numbers of up to 8 digits
};

constexpr std::size_t kSlipTextMax = 40;

std::vector<SlipToken> slip_tokens(std::string_view text) {
  std::vector<SlipToken> out;
  SlipToken token;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_digit(text[i]) && !is_letter(text[i])) {
      token.separator += text[i++];
      continue;
    }
    token.is_number = is_digit(text[i]);
    for (; i < text.size() && (token.is_number ? is_digit(text[i]) : is_letter(text[i])); ++i) {
      const char c = text[i];
      token.text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      if (token.is_number && token.text.size() <= 8) token.value = token.value * 10 + digit_value(c);
    }
    const std::string& word = token.text;
    const bool is_ordinal = !token.is_number && token.separator.empty() && !out.empty() && out.back().is_number &&
                            (word == "st" || word == "nd" || word == "rd" || word == "th");
    if (!is_ordinal) out.push_back(token);
    token = SlipToken{};
  }
  return out;
}

int slip_month(const SlipToken& token) {
  if (token.is_number || token.text.size() < 3) return 0;
  if (token.text == "sept") return 9;
  for (int month = 1; month <= 12; ++month) {
    std::string name(month_name(static_cast<unsigned>(month)));
    name[0] = static_cast<char>(name[0] - 'A' + 'a');
    if (name.substr(0, token.text.size()) == token.text) return month;
  }
  return 0;
}

std::string two_digits(int value) { return (value < 10 ? "0" : "") + std::to_string(value); }

// "2016-04-29" from a year as written, or empty if there is no such day.
std::string slip_day(const SlipToken& year, int month, int day) {
  if (year.text.size() != 4 || month < 1 || month > 12 || day < 1) return "";
  if (static_cast<unsigned>(day) > days_in_month(year.value, static_cast<unsigned>(month))) return "";
  return year.text + "-" + two_digits(month) + "-" + two_digits(day);
}

bool is_short(const SlipToken& token) { return token.is_number && token.text.size() <= 2; }
bool is_year(const SlipToken& token) { return token.is_number && token.text.size() == 4; }

std::string slip_of_two(const SlipToken& a, const SlipToken& b) {
  const int month = slip_month(a) != 0 ? slip_month(a) : slip_month(b);
  const SlipToken& year = is_year(a) ? a : b;
  if (month != 0 && is_year(year)) return "write " + year.text + "-" + two_digits(month);
  if (is_year(a) && is_year(b) && b.separator != "/") return "for an interval write " + a.text + "/" + b.text;
  if (is_year(a) && is_short(b) && b.value >= 1 && b.value <= 12) {
    return "for the month write " + a.text + "-" + two_digits(b.value);
  }
  if (is_year(a) && b.text == "s" && b.separator.empty()) {
    if (a.text.substr(2) == "00") {
      return "write " + a.text.substr(0, 3) + "X for the decade, " + a.text.substr(0, 2) + "XX for the century";
    }
    return "write " + a.text.substr(0, 3) + "X";
  }
  const std::string& word = a.text;
  if (is_year(b) && (word == "ca" || word == "c" || word == "circa" || word == "about" || word == "around")) {
    return "write " + b.text + "~";
  }
  return "";
}

std::string slip_of_three(const SlipToken& a, const SlipToken& b, const SlipToken& c) {
  std::string day;
  if (is_year(a) && is_short(c)) day = slip_day(a, is_short(b) ? b.value : slip_month(b), c.value);
  if (is_short(a) && slip_month(b) != 0 && is_year(c)) day = slip_day(c, slip_month(b), a.value);
  if (slip_month(a) != 0 && is_short(b) && is_year(c)) day = slip_day(c, slip_month(a), b.value);
  if (!day.empty()) return "write " + day;
  const bool has_name = slip_month(a) != 0 || slip_month(b) != 0;
  if (!is_short(c) && !is_year(c)) return "";
  if (has_name && is_short(c)) return "give the year four digits and write YYYY-MM-DD";
  if (!is_short(a) || !is_short(b)) return "";
  if (is_short(c)) return "it is not clear which number is the year, the month and the day; write YYYY-MM-DD";
  const std::string day_first = slip_day(c, b.value, a.value);
  const std::string month_first = slip_day(c, a.value, b.value);
  const std::string order = "day first or month first differs between countries; write YYYY-MM-DD";
  if (day_first.empty() && month_first.empty()) return order;
  if (day_first.empty() || month_first.empty() || day_first == month_first) {
    return order + ", here " + (day_first.empty() ? month_first : day_first);
  }
  return order + ", " + day_first + " or " + month_first;
}

}  // namespace

std::string edtf_slip_hint(std::string_view text) {
  if (text.size() > kSlipTextMax) return "";
  const std::vector<SlipToken> tokens = slip_tokens(text);
  for (const SlipToken& token : tokens) {
    if (token.text == "unknown") return "the unknown side of an interval is left empty, as in 1985/";
    if (token.text == "open") return "the open side of an interval is written .., as in 1985/..";
    for (const char* part : {"week", "weeks", "weekend", "early", "mid", "middle", "late", "beginning", "end"}) {
      if (token.text == part) return "write the days it can mean, as in [2016-04-24..2016-04-30] for one of them";
    }
  }
  if (tokens.empty() || !tokens[0].separator.empty() || text.find_first_of("[]{}X?~%:") != std::string_view::npos) {
    return "";
  }
  if (tokens.size() == 1 && tokens[0].is_number && tokens[0].text.size() == 8) {
    SlipToken year;
    year.text = tokens[0].text.substr(0, 4);
    year.value = tokens[0].value / 10000;
    const std::string day = slip_day(year, tokens[0].value / 100 % 100, tokens[0].value % 100);
    return day.empty() ? "" : "write " + day;
  }
  if (tokens.size() == 2) return slip_of_two(tokens[0], tokens[1]);
  if (tokens.size() == 3) return slip_of_three(tokens[0], tokens[1], tokens[2]);
  return "";
}

Result<EdtfTree> parse_edtf_tree(std::string_view text) { return EdtfParser(text).parse(); }

Error edtf_error(std::string_view text, std::size_t offset, std::string_view what) {
  constexpr std::size_t kQuoteMax = 80;
  std::size_t quote_size = std::min(text.size(), kQuoteMax);
  while (quote_size < text.size() && quote_size > 0 && is_continuation(text[quote_size])) --quote_size;
  std::string message = "date '";
  for (const char c : text.substr(0, quote_size)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == '\x7F';
    message += control ? '.' : c;
  }
  if (quote_size < text.size()) message += "...";
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto character = std::count_if(before.begin(), before.end(), [](char c) { return !is_continuation(c); }) + 1;
  message += "', character " + std::to_string(character) + ": " + std::string(what);
  return Error{ErrorCode::kInvalidArgument, std::move(message), nullptr};
}

unsigned days_in_month(std::int64_t year, unsigned month) {
  constexpr std::array<unsigned, 13> kLengths = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kLengths.at(month);
}

std::string_view month_name(unsigned month) { return kMonthNames.at(month); }

}  // namespace demarche::impl

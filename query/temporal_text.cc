// Reading and writing the ISO 8601 forms of temporal.h.

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "engine/edtf.h"
#include "query/temporal.h"

namespace demarche::query {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Walks along a text; each take_ function moves only if what it wants is there.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  bool take(char c) { return peek() == c && (++at_, true); }
  [[nodiscard]] std::size_t digits() const {
    std::size_t n = 0;
    while (at_ + n < text_.size() && is_digit(text_[at_ + n])) ++n;
    return n;
  }
  // Exactly `count` digits.
  std::optional<std::int64_t> take_digits(std::size_t count) {
    if (digits() < count || count == 0 || count > 18) return std::nullopt;
    std::int64_t out = 0;
    for (std::size_t i = 0; i < count; ++i) out = out * 10 + (text_[at_++] - '0');
    return out;
  }
  // .142 or ,142 as nanoseconds; nullopt: there is no fraction, or not of 1 to 9 digits.
  std::optional<std::int64_t> take_fraction() {
    const std::size_t from = at_;
    if (!take('.') && !take(',')) return std::nullopt;
    const std::size_t count = digits();
    auto out = count > 9 ? std::nullopt : take_digits(count);
    if (!out) {
      at_ = from;
      return std::nullopt;
    }
    for (std::size_t i = count; i < 9; ++i) *out *= 10;
    return out;
  }
  // -1.5; nullopt if no number stands here.
  std::optional<long double> take_number() {
    std::size_t n = peek() == '-' || peek() == '+' ? 1 : 0;
    const std::size_t sign = n;
    bool digit = false;
    std::string plain(peek() == '-' ? "-" : "");
    for (; at_ + n < text_.size(); ++n) {
      const char c = text_[at_ + n];
      if (!is_digit(c) && c != '.' && c != ',') break;
      digit = digit || is_digit(c);
      plain += c == ',' ? '.' : c;
    }
    long double out = 0;
    const auto [stop, error] = std::from_chars(plain.data(), plain.data() + plain.size(), out);
    if (!digit || n == sign || error != std::errc() || stop != plain.data() + plain.size()) return std::nullopt;
    at_ += n;
    return out;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

struct YearText {
  std::int64_t year;
  bool is_signed;
};

// 2015, or +12015 and -0044: with a sign up to nine digits.
std::optional<YearText> take_year(Cursor& in) {
  const bool minus = in.peek() == '-';
  if (!minus && in.peek() != '+') {
    const auto year = in.take_digits(4);
    return year ? std::optional(YearText{*year, false}) : std::nullopt;
  }
  in.take(in.peek());
  const std::size_t count = in.digits();
  if (count > 9) return std::nullopt;
  const auto year = in.take_digits(count);
  return year ? std::optional(YearText{minus ? -*year : *year, true}) : std::nullopt;
}

tl::unexpected<Error> no_such(std::string_view what) { return invalid(std::string(what)); }

// The part before T.
Result<std::int64_t> take_day(Cursor& in) {
  const auto head = take_year(in);
  if (!head) return no_such("it begins with a year of four digits");
  const std::int64_t year = head->year;
  if (in.at_end() || in.peek() == 'T') return day_of_month(year, 1, 1);
  const bool dashed = in.take('-');
  if (!dashed && head->is_signed) return no_such("after a year with a sign a '-' follows");
  if (in.take('W')) {
    const auto week = in.take_digits(2);
    if (!week) return no_such("a week has two digits");
    const bool more = dashed ? in.take('-') : is_digit(in.peek());
    const auto day = more ? in.take_digits(1) : 1;
    if (!day) return no_such("a day of the week has one digit");
    return day_of_week(year, *week, *day);
  }
  if (in.take('Q')) {
    const auto quarter = in.take_digits(1);
    if (!quarter) return no_such("a quarter has one digit");
    const bool more = dashed ? in.take('-') : is_digit(in.peek());
    const auto day = more ? in.take_digits(2) : 1;
    if (!day) return no_such("a day of the quarter has two digits");
    return day_of_quarter(year, *quarter, *day);
  }
  if (in.digits() == 3) return day_of_year(year, *in.take_digits(3));
  const auto month = in.take_digits(2);
  if (!month) return no_such("a month has two digits");
  const bool more = dashed ? in.take('-') : is_digit(in.peek());
  const auto day = more ? in.take_digits(2) : 1;
  if (!day) return no_such("a day has two digits");
  return day_of_month(year, *month, *day);
}

// 21:40:32.142, 214032.142, 21:40, 2140, 21
Result<std::int64_t> take_clock(Cursor& in) {
  const auto hour = in.take_digits(2);
  if (!hour) return no_such("an hour has two digits");
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t nano = 0;
  const bool colons = in.peek() == ':';
  const auto more = [&] { return colons ? in.take(':') : is_digit(in.peek()); };
  if (more()) {
    const auto m = in.take_digits(2);
    if (!m) return no_such("a minute has two digits");
    minute = *m;
    if (more()) {
      const auto s = in.take_digits(2);
      if (!s) return no_such("a second has two digits");
      second = *s;
      nano = in.take_fraction().value_or(0);
    }
  }
  if (*hour > 23 || minute > 59 || second > 59) return no_such("a day ends with 23:59:59");
  return (*hour * 3600 + minute * 60 + second) * kNanosPerSecond + nano;
}

Result<CalendarTime> read_time(TimeType type, std::string_view text) {
  Cursor in(text);
  CalendarTime out;
  out.type = type;
  if (has_day(type)) DEMARCHE_ASSIGN(out.day, take_day(in));
  if (has_clock(type) && (has_day(type) ? in.take('T') : (in.take('T'), true)))
    DEMARCHE_ASSIGN(out.nano, take_clock(in));
  if (has_offset(type) && !in.at_end()) {
    DEMARCHE_ASSIGN(out.offset, parse_offset(in.rest()));
    return out;
  }
  if (!in.at_end()) return no_such(fmt::format("'{}' is too much", in.rest()));
  return out;
}

// P2012-02-02T14:37:21.545
Result<Duration> dated_duration(std::string_view text) {
  Cursor in(text);
  DurationParts parts;
  const auto year = in.take_digits(4);
  const bool first = in.take('-');
  const auto month = in.take_digits(2);
  const bool second = in.take('-');
  const auto day = in.take_digits(2);
  if (!year || !first || !month || !second || !day) return no_such("after P a number and a unit follow");
  parts.months = static_cast<long double>(*year * 12 + *month);
  parts.days = static_cast<long double>(*day);
  if (in.take('T')) {
    DEMARCHE_TRY(const std::int64_t nanos, take_clock(in));
    parts.seconds = static_cast<long double>(nanos / kNanosPerSecond);
    parts.nanos = static_cast<long double>(nanos % kNanosPerSecond);
  }
  if (!in.at_end()) return no_such(fmt::format("'{}' is too much", in.rest()));
  return make_duration(parts);
}

Result<Duration> read_duration(std::string_view text) {
  Cursor in(text);
  const bool minus = in.take('-');
  if (!minus) in.take('+');
  if (!in.take('P')) return no_such("it begins with P");
  if (in.digits() == 4 && in.rest().size() > 4 && in.rest()[4] == '-') return dated_duration(in.rest());
  DurationParts parts;
  std::string_view units = "YMWD";  // what may still come
  bool clock = false;
  bool any = false;
  while (!in.at_end()) {
    if (!clock && in.take('T')) {
      clock = true;
      units = "HMS";
      any = false;
    }
    const auto amount = in.take_number();
    if (!amount) return no_such("each unit follows a number");
    const char unit = in.peek();
    const std::size_t place = unit == '\0' ? std::string_view::npos : units.find(unit);
    if (place == std::string_view::npos || !in.take(unit)) {
      return no_such("the units are Y, M, W, D, then after T: H, M, S, each once and in this order");
    }
    units.remove_prefix(place + 1);
    any = true;
    const long double signed_amount = minus ? -*amount : *amount;
    if (unit == 'Y') parts.months += signed_amount * 12;
    if (unit == 'M') (clock ? parts.minutes : parts.months) += signed_amount;
    if (unit == 'W') parts.days += signed_amount * 7;
    if (unit == 'D') parts.days += signed_amount;
    if (unit == 'H') parts.hours = signed_amount;
    if (unit == 'S') parts.seconds = signed_amount;
  }
  if (!any) return no_such("a unit follows P and T");
  return make_duration(parts);
}

std::string day_text(std::int64_t day) {
  const CivilDay civil = civil_from_days(day);
  const std::string_view sign = civil.year < 0 ? "-" : (civil.year > 9999 ? "+" : "");
  return fmt::format("{}{:04}-{:02}-{:02}", sign, civil.year < 0 ? -civil.year : civil.year, civil.month, civil.day);
}

// ".142", without zeros at its end; "" for none.
std::string fraction_text(std::int64_t nanos) {
  if (nanos == 0) return "";
  std::string out = fmt::format(".{:09}", nanos);
  while (out.back() == '0') out.pop_back();
  return out;
}

std::string clock_text(std::int64_t nano) {
  const std::int64_t seconds = nano / kNanosPerSecond;
  std::string out = fmt::format("{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
  if (nano % (60 * kNanosPerSecond) == 0) return out;
  return out + fmt::format(":{:02}", seconds % 60) + fraction_text(nano % kNanosPerSecond);
}

}  // namespace

Result<std::int32_t> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  Cursor in(text);
  const bool minus = in.peek() == '-';
  if (!in.take('+') && !in.take('-')) {
    return invalid(
        fmt::format("time zones with names are not known here, found '{}'; write an offset such as +01:00 or Z", text));
  }
  const auto hours = in.take_digits(2);
  const bool colon = in.take(':');
  const auto minutes = colon || is_digit(in.peek()) ? in.take_digits(2) : 0;
  const auto seconds = (colon ? in.take(':') : is_digit(in.peek())) ? in.take_digits(2) : 0;
  if (hours && minutes && seconds && !in.at_end() && in.peek() == '[') {
    return invalid(fmt::format("time zones with names are not known here, found '{}'; write the offset only", text));
  }
  if (!hours || !minutes || !seconds || !in.at_end() || *hours > 18 || *minutes > 59 || *seconds > 59)
    return invalid(fmt::format("'{}' is no offset; write +01:00, -0130, +02 or Z", text));
  const std::int64_t out = *hours * 3600 + *minutes * 60 + *seconds;
  if (out > 18 * 3600) return invalid(fmt::format("offset '{}' is above 18 hours", text));
  return static_cast<std::int32_t>(minus ? -out : out);
}

Result<CalendarTime> parse_time(TimeType type, std::string_view text) {
  auto out = read_time(type, text);
  if (!out) out.error().message = fmt::format("{}('{}'): {}", function_name(type), text, out.error().message);
  return out;
}

Result<Duration> parse_duration(std::string_view text) {
  auto out = read_duration(text);
  if (!out) out.error().message = fmt::format("duration('{}'): {}", text, out.error().message);
  return out;
}

std::string offset_text(std::int32_t offset) {
  if (offset == 0) return "Z";
  const std::int32_t size = offset < 0 ? -offset : offset;
  std::string out = fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', size / 3600, size / 60 % 60);
  return size % 60 == 0 ? out : out + fmt::format(":{:02}", size % 60);
}

std::string to_iso(const CalendarTime& t) {
  std::string out;
  if (has_day(t.type)) out += day_text(t.day);
  if (has_day(t.type) && has_clock(t.type)) out += 'T';
  if (has_clock(t.type)) out += clock_text(t.nano);
  if (has_offset(t.type)) out += offset_text(t.offset);
  return out;
}

std::string to_iso(const Duration& d) {
  std::string out = "P";
  const auto put = [&](std::int64_t amount, char unit) {
    if (amount != 0) out += fmt::format("{}{}", amount, unit);
  };
  put(d.months / 12, 'Y');
  put(d.months % 12, 'M');
  put(d.days, 'D');
  // Seconds count down from zero here, as the other units do: -1 s and 999 ms are -0.001 s.
  const bool borrow = d.seconds < 0 && d.nanos > 0;
  const std::int64_t seconds = borrow ? d.seconds + 1 : d.seconds;
  const std::int64_t nanos = borrow ? kNanosPerSecond - d.nanos : d.nanos;
  const bool minus = d.seconds < 0;
  if (seconds != 0 || nanos != 0) {
    out += 'T';
    put(seconds / 3600, 'H');
    put(seconds / 60 % 60, 'M');
    const std::int64_t rest = seconds % 60;
    if (rest != 0 || nanos != 0)
      out += fmt::format("{}{}{}S", minus ? "-" : "", rest < 0 ? -rest : rest, fraction_text(nanos));
  }
  return out == "P" ? "PT0S" : out;
}

}  // namespace demarche::query

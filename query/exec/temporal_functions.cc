#include "query/exec/temporal_functions.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "engine/edtf.h"
#include "engine/names.h"
#include "query/exec/evaluate.h"

namespace demarche::query {

namespace {

using F = FunctionId;

tl::unexpected<Error> wrong_value(Span span, std::string message) {
  return runtime_error("ArgumentError", "InvalidArgumentValue", span, std::move(message));
}
tl::unexpected<Error> wrong_type(Span span, std::string message) {
  return runtime_error("TypeError", "InvalidArgumentType", span, std::move(message));
}

// A result of temporal.h as a value; its error gets the place in the query.
Result<Value> placed(const Result<CalendarTime>& time, Span span) {
  return time ? Result<Value>(Value::time(*time)) : wrong_value(span, time.error().message);
}
Result<Value> placed(const Result<Duration>& duration, Span span) {
  return duration ? Result<Value>(Value::duration(*duration)) : wrong_value(span, duration.error().message);
}

// The fields of a map such as {year: 2016, month: 4}, each asked for once.
class Fields {
 public:
  Fields(const ValueMap& map, Span span) : map_(map), span_(span) {}

  [[nodiscard]] bool any(std::initializer_list<std::string_view> keys) const {
    return std::any_of(keys.begin(), keys.end(),
                       [&](std::string_view key) { return find_entry(map_, key) != nullptr; });
  }
  [[nodiscard]] const Value* find(std::string_view key) const { return find_entry(map_, key); }

  Result<std::int64_t> whole(std::string_view key, std::int64_t otherwise) const {
    const Value* v = find(key);
    if (v == nullptr) return otherwise;
    if (v->kind() == ValueKind::kInteger) return v->as_integer();
    return wrong_type(span_, fmt::format("'{}' is a whole number, found {}", key, a_kind(v->kind())));
  }
  Result<long double> number(std::string_view key) const {
    const Value* v = find(key);
    if (v == nullptr) return 0.0L;
    if (v->kind() == ValueKind::kInteger) return static_cast<long double>(v->as_integer());
    if (v->kind() == ValueKind::kFloat) return static_cast<long double>(v->as_real());
    return wrong_type(span_, fmt::format("'{}' is a number, found {}", key, a_kind(v->kind())));
  }
  Result<void> only(std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : map_) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      const std::string near = nearest(key, {known.begin(), known.end()});
      return wrong_value(span_, fmt::format("unknown part '{}' of a time{}", key,
                                            near.empty() ? "" : fmt::format("; did you mean {}?", near)));
    }
    return {};
  }
  [[nodiscard]] Span span() const { return span_; }

 private:
  const ValueMap& map_;
  Span span_;
};

// What fields that are not given are taken from.
struct Base {
  CalendarTime time;
  bool day = false;
  bool clock = false;
  bool offset = false;
};

Base base_of(const CalendarTime& time) {
  return {time, has_day(time.type), has_clock(time.type), has_offset(time.type)};
}

Result<std::int64_t> day_from(const Fields& in, const Base& base, TimeType type) {
  const std::int64_t d = base.time.day;
  const auto part = [&](std::string_view name, std::int64_t otherwise) {
    return base.day ? component(base.time, name).value_or(otherwise) : otherwise;
  };
  const bool weeks = in.any({"week", "dayOfWeek", "weekYear"});
  if (!base.day && !in.any({"year", "weekYear"}))
    return wrong_value(in.span(), fmt::format("{}() of parts needs a year", function_name(type)));
  DEMARCHE_TRY(std::int64_t year, in.whole("year", part(weeks ? "weekYear" : "year", 0)));
  if (weeks) {
    DEMARCHE_ASSIGN(year, in.whole("weekYear", year));
    DEMARCHE_TRY(const std::int64_t week, in.whole("week", part("week", 1)));
    DEMARCHE_TRY(const std::int64_t day, in.whole("dayOfWeek", part("weekDay", 1)));
    return day_of_week(year, week, day);
  }
  if (in.any({"ordinalDay"})) {
    DEMARCHE_TRY(const std::int64_t ordinal, in.whole("ordinalDay", 1));
    return day_of_year(year, ordinal);
  }
  if (in.any({"quarter", "dayOfQuarter"})) {
    DEMARCHE_TRY(const std::int64_t quarter, in.whole("quarter", part("quarter", 1)));
    DEMARCHE_TRY(const std::int64_t day, in.whole("dayOfQuarter", part("dayOfQuarter", 1)));
    return day_of_quarter(year, quarter, day);
  }
  if (base.day && !in.any({"year", "month", "day"})) return d;
  if (!base.day && in.any({"day"}) && !in.any({"month"})) return wrong_value(in.span(), "a day needs its month");
  DEMARCHE_TRY(const std::int64_t month, in.whole("month", part("month", 1)));
  DEMARCHE_TRY(const std::int64_t day, in.whole("day", part("day", 1)));
  return day_of_month(year, month, day);
}

// Each of {millisecond, microsecond, nanosecond} counts what the ones above it, if given, leave.
Result<std::int64_t> nanos_from(const Fields& in, const Base& base) {
  std::int64_t out = base.clock ? base.time.nano % kNanosPerSecond : 0;
  struct Part {
    std::string_view name;
    std::int64_t unit;
  };
  std::int64_t room = kNanosPerSecond;  // the first given part fills all of it, the next what is left below
  for (const Part& part : {Part{"millisecond", 1'000'000}, Part{"microsecond", 1000}, Part{"nanosecond", 1}}) {
    if (!in.any({part.name})) continue;
    DEMARCHE_TRY(const std::int64_t value, in.whole(part.name, 0));
    // Beside a truncated or other base a small part stands below what the base has.
    if (base.clock && room == kNanosPerSecond && value < 1000) room = part.unit * 1000;
    if (value < 0 || value >= room / part.unit) {
      return wrong_value(in.span(), fmt::format("{} {} is not within 0..{}", part.name, value, room / part.unit - 1));
    }
    out = out / room * room + value * part.unit;
    room = part.unit;
  }
  return out;
}

Result<std::int64_t> clock_from(const Fields& in, const Base& base) {
  const auto part = [&](std::string_view name) { return base.clock ? component(base.time, name).value_or(0) : 0; };
  if (!base.clock) {
    constexpr std::string_view kUnits[] = {"hour", "minute", "second"};
    for (std::size_t i = 1; i < 3; ++i) {
      if (in.any({kUnits[i]}) && !in.any({kUnits[i - 1]}))
        return wrong_value(in.span(), fmt::format("'{}' needs '{}' too", kUnits[i], kUnits[i - 1]));
    }
    if (in.any({"millisecond", "microsecond", "nanosecond"}) && !in.any({"second"}))
      return wrong_value(in.span(), "a part of a second needs 'second' too");
  }
  DEMARCHE_TRY(const std::int64_t hour, in.whole("hour", part("hour")));
  DEMARCHE_TRY(const std::int64_t minute, in.whole("minute", part("minute")));
  DEMARCHE_TRY(const std::int64_t second, in.whole("second", part("second")));
  DEMARCHE_TRY(const std::int64_t nanos, nanos_from(in, base));
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
    return wrong_value(in.span(), fmt::format("{:02}:{:02}:{:02} is no time of day", hour, minute, second));
  return (hour * 3600 + minute * 60 + second) * kNanosPerSecond + nanos;
}

// The values under `date`, `time`, `datetime`, `epochSeconds` and `epochMillis`.
Result<Base> base_from(const Fields& in, Base base) {
  for (const std::string_view key : {"date", "time", "datetime"}) {
    const Value* v = in.find(key);
    if (v == nullptr) continue;
    const bool fits = v->is_time() && (key == "time" || has_day(v->as_time().type)) &&
                      (key == "date" || has_clock(v->as_time().type));
    if (!fits) return wrong_type(in.span(), fmt::format("'{}' cannot be {}", key, a_kind(v->kind())));
    const CalendarTime& time = v->as_time();
    if (key != "time") base.day = true, base.time.day = time.day;
    if (key != "date") base.clock = true, base.time.nano = time.nano;
    if (key != "date" && has_offset(time.type)) base.offset = true, base.time.offset = time.offset;
  }
  if (!in.any({"epochSeconds", "epochMillis"})) return base;
  DEMARCHE_TRY(const std::int64_t seconds, in.whole("epochSeconds", 0));
  DEMARCHE_TRY(const std::int64_t millis, in.whole("epochMillis", 0));
  const CalendarTime epoch{TimeType::kDateTime, 0, 0, 0};
  DEMARCHE_TRY(const Duration since,
               make_duration({0, 0, 0, 0, static_cast<long double>(seconds), static_cast<long double>(millis) * 1e6L}));
  auto time = add(epoch, since, 1);
  if (!time) return wrong_value(in.span(), time.error().message);
  return base_of(*time);
}

Result<CalendarTime> from_map(TimeType type, const ValueMap& map, Base base, Span span) {
  const Fields in(map, span);
  DEMARCHE_CHECK(
      in.only({"date",     "time",        "datetime",    "year",       "month",        "day",          "week",
               "weekYear", "dayOfWeek",   "ordinalDay",  "quarter",    "dayOfQuarter", "hour",         "minute",
               "second",   "millisecond", "microsecond", "nanosecond", "timezone",     "epochSeconds", "epochMillis"}));
  DEMARCHE_ASSIGN(base, base_from(in, base));
  base.time.type = TimeType::kDateTime;  // so that its parts can be asked for; base says which there are
  std::int32_t offset = base.offset ? base.time.offset : 0;
  if (const Value* zone = in.find("timezone"); zone != nullptr && has_offset(type)) {
    if (zone->kind() != ValueKind::kString)
      return wrong_type(span, fmt::format("'timezone' is a text, found {}", a_kind(zone->kind())));
    const auto read = parse_offset(zone->as_string());
    if (!read) return wrong_value(span, read.error().message);
    offset = *read;
    if (base.offset) base.time = with_offset(base.time, offset);  // the same instant on the other clock
  }
  CalendarTime out;
  out.type = type;
  if (has_day(type)) {
    const auto day = day_from(in, base, type);
    if (!day) return day.error().fault ? tl::unexpected(day.error()) : wrong_value(span, day.error().message);
    out.day = *day;
  }
  if (has_clock(type)) {
    if (!has_day(type) && !base.clock && !in.any({"hour"}))
      return wrong_value(span, fmt::format("{}() of parts needs an hour", function_name(type)));
    DEMARCHE_ASSIGN(out.nano, clock_from(in, base));
  }
  if (has_offset(type)) out.offset = offset;
  return out;
}

Result<Duration> duration_from_map(const ValueMap& map, Span span) {
  const Fields in(map, span);
  DEMARCHE_CHECK(in.only({"years", "quarters", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds",
                          "microseconds", "nanoseconds"}));
  DurationParts parts;
  struct Unit {
    std::string_view name;
    long double DurationParts::*part;
    long double factor;
  };
  for (const Unit& unit :
       {Unit{"years", &DurationParts::months, 12}, Unit{"quarters", &DurationParts::months, 3},
        Unit{"months", &DurationParts::months, 1}, Unit{"weeks", &DurationParts::days, 7},
        Unit{"days", &DurationParts::days, 1}, Unit{"hours", &DurationParts::hours, 1},
        Unit{"minutes", &DurationParts::minutes, 1}, Unit{"seconds", &DurationParts::seconds, 1},
        Unit{"milliseconds", &DurationParts::nanos, 1e6L}, Unit{"microseconds", &DurationParts::nanos, 1e3L},
        Unit{"nanoseconds", &DurationParts::nanos, 1}}) {
    DEMARCHE_TRY(const long double amount, in.number(unit.name));
    parts.*unit.part += amount * unit.factor;
  }
  return make_duration(parts);
}

// The one day a date of a record names, if it names one for certain.
std::optional<std::int64_t> plain_day(const DateValue& date) {
  const auto edtf = parse_edtf(date.text);
  const bool plain = edtf && edtf->shape == EdtfShape::kDate && edtf->level == 0 &&
                     edtf->earliest.kind == EdtfBound::Kind::kDay && edtf->earliest == edtf->latest;
  return plain ? std::optional(edtf->earliest.day) : std::nullopt;
}

CalendarTime now(const ExecContext& context, TimeType type) {
  using std::chrono::duration_cast;
  using std::chrono::nanoseconds;
  const std::int64_t nanos = duration_cast<nanoseconds>(context.began().time_since_epoch()).count();
  const std::int64_t day = nanos / kNanosPerDay - (nanos % kNanosPerDay < 0 ? 1 : 0);
  return convert({TimeType::kDateTime, day, nanos - day * kNanosPerDay, 0}, type);
}

Result<Value> construct(TimeType type, const std::vector<Value>& a, Span span, const ExecContext& context) {
  if (a.empty()) return Value::time(now(context, type));
  const Value& x = a[0];
  if (x.kind() == ValueKind::kString) {
    const auto read = parse_time(type, x.as_string());
    if (!read && type == TimeType::kDay && parse_edtf(x.as_string())) {
      return wrong_value(
          span, fmt::format("date('{0}') wants a plain date; write DATE '{0}' for a vague one", x.as_string()));
    }
    return placed(read, span);
  }
  if (x.kind() == ValueKind::kMap) {
    DEMARCHE_TRY(const CalendarTime time, from_map(type, x.as_map(), {}, span));
    return Value::time(time);
  }
  if (x.kind() == ValueKind::kDate && type == TimeType::kDay) {
    const auto day = plain_day(x.as_date());
    return day ? Value::time({TimeType::kDay, *day, 0, 0}) : Value();
  }
  if (x.is_time()) {
    const TimeType from = x.as_time().type;
    if ((!has_day(type) || has_day(from)) && (has_day(type) || has_clock(from)))
      return Value::time(convert(x.as_time(), type));
  }
  return wrong_type(span, fmt::format("{}() does not take {}", function_name(type), a_kind(x.kind())));
}

Result<Value> truncated(TimeType type, const std::vector<Value>& a, Span span) {
  const bool fields = a.size() == 3 && a[2].kind() == ValueKind::kMap;
  if (a[0].kind() != ValueKind::kString || !a[1].is_time() || (a.size() == 3 && !fields)) {
    return wrong_type(span, fmt::format("write {}.truncate('unit', time [, {{parts}}])", function_name(type)));
  }
  const CalendarTime& time = a[1].as_time();
  if ((has_day(type) && !has_day(time.type)) || (!has_day(type) && !has_clock(time.type)))
    return wrong_type(span, fmt::format("{} cannot become a {}", a_kind(a[1].kind()), function_name(type)));
  auto out = truncate(a[0].as_string(), convert(time, type));
  if (!out) return wrong_value(span, out.error().message);
  if (!fields) return Value::time(*out);
  Base base = base_of(*out);
  base.offset = has_offset(time.type);
  DEMARCHE_TRY(const CalendarTime filled, from_map(type, a[2].as_map(), base, span));
  return Value::time(filled);
}

Result<Value> span_between(DurationUnit unit, const std::vector<Value>& a, Span span) {
  for (const Value& v : a) {
    if (!v.is_time())
      return wrong_type(span, fmt::format("a duration lies between two times, found {}{}", a_kind(v.kind()),
                                          v.kind() == ValueKind::kDate
                                              ? "; date(c.begin) is that day, or null where the day is not known"
                                              : ""));
  }
  return placed(between(a[0].as_time(), a[1].as_time(), unit), span);
}

Result<Value> from_epoch(const std::vector<Value>& a, bool millis, Span span) {
  if (std::any_of(a.begin(), a.end(), [](const Value& v) { return v.kind() != ValueKind::kInteger; }))
    return wrong_type(span, "an epoch is counted in whole numbers");
  DurationParts since;
  if (millis) {
    since.seconds = static_cast<long double>(a[0].as_integer() / 1000);
    since.nanos = static_cast<long double>(a[0].as_integer() % 1000) * 1e6L;
  } else {
    since.seconds = static_cast<long double>(a[0].as_integer());
    since.nanos = a.size() == 2 ? static_cast<long double>(a[1].as_integer()) : 0;
  }
  const auto duration = make_duration(since);
  if (!duration) return wrong_value(span, duration.error().message);
  return placed(add(CalendarTime{TimeType::kDateTime, 0, 0, 0}, *duration, 1), span);
}

Result<Value> make_duration_value(const Value& x, Span span) {
  if (x.kind() == ValueKind::kDuration) return x;
  if (x.kind() == ValueKind::kString) return placed(parse_duration(x.as_string()), span);
  if (x.kind() != ValueKind::kMap)
    return wrong_type(span, fmt::format("duration() does not take {}", a_kind(x.kind())));
  auto out = duration_from_map(x.as_map(), span);
  if (!out && out.error().fault) return tl::unexpected(out.error());
  return placed(out, span);
}

// Parts of the date of a record that hold for every day it can mean; units below the one it is written to are unknown.
std::optional<std::int64_t> date_part(const DateValue& date, const std::string& name) {
  if (const auto day = exact_day(date.bounds)) return component(CalendarTime{TimeType::kDay, *day, 0, 0}, name);
  const auto edtf = parse_edtf(date.text);
  const bool known = edtf && (edtf->shape == EdtfShape::kDate || edtf->shape == EdtfShape::kDateTime) &&
                     !edtf->bounds.qualified && edtf->earliest.kind == EdtfBound::Kind::kDay &&
                     edtf->latest.kind == EdtfBound::Kind::kDay;
  if (!known) return std::nullopt;
  const CalendarTime first{TimeType::kDay, edtf->earliest.day, 0, 0};
  const CalendarTime last{TimeType::kDay, edtf->latest.day, 0, 0};
  const auto same = [&](std::string_view unit) { return component(first, unit) == component(last, unit); };
  const bool holds = name == "year"                         ? same("year")
                     : name == "quarter"                    ? same("year") && same("quarter")
                     : name == "month"                      ? same("year") && same("month")
                     : name == "week" || name == "weekYear" ? same("weekYear") && same("week")
                                                            : first.day == last.day;
  return holds ? component(first, name) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> exact_day(const TimeBounds& b) {
  if (b.is_span || b.qualified || b.has_gaps || b.fine_begin || b.fine_end) return std::nullopt;
  if (!b.begin_min.is_finite() || !b.end_max.is_finite()) return std::nullopt;
  const std::int64_t first = b.begin_min.seconds;
  if (first % kSecondsPerDay != 0 || b.end_max.seconds - first != kSecondsPerDay - 1) return std::nullopt;
  return first / kSecondsPerDay;
}

bool is_time_function(FunctionId id) { return id >= F::kDate && id <= F::kFromEpochMillis; }

Result<Value> call_time_function(const FunctionDef& def, const std::vector<Value>& a, Span span,
                                 const ExecContext& context) {
  const auto type = [&](F first) { return static_cast<TimeType>(static_cast<int>(def.id) - static_cast<int>(first)); };
  if (def.id >= F::kDate && def.id <= F::kDateTime) return construct(type(F::kDate), a, span, context);
  if (def.id >= F::kTruncateDate && def.id <= F::kTruncateDateTime) return truncated(type(F::kTruncateDate), a, span);
  switch (def.id) {
    case F::kDuration:
      return make_duration_value(a[0], span);
    case F::kBetween:
      return span_between(DurationUnit::kMixed, a, span);
    case F::kInMonths:
      return span_between(DurationUnit::kMonths, a, span);
    case F::kInDays:
      return span_between(DurationUnit::kDays, a, span);
    case F::kInSeconds:
      return span_between(DurationUnit::kSeconds, a, span);
    default:
      return from_epoch(a, def.id == F::kFromEpochMillis, span);
  }
}

Result<Value> time_part(const Value& value, const std::string& name, Span span) {
  std::optional<std::int64_t> found;
  if (value.kind() == ValueKind::kDate) {
    // Asked of any day, so that a wrong name is refused whatever the date.
    if (component(CalendarTime{}, name)) {
      const auto part = date_part(value.as_date(), name);
      return part ? Value::integer(*part) : Value();
    }
  } else if (value.kind() == ValueKind::kDuration) {
    found = component(value.as_duration(), name);
  } else {
    const CalendarTime& time = value.as_time();
    if (has_offset(time.type) && (name == "timezone" || name == "offset"))
      return Value::string(offset_text(time.offset));
    found = component(time, name);
  }
  if (found) return Value::integer(*found);
  return wrong_type(span, fmt::format("{} has no part '{}'", a_kind(value.kind()), name));
}

std::optional<Result<Value>> time_arithmetic(ast::BinaryOp op, const Value& a, const Value& b, Span span) {
  using Op = ast::BinaryOp;
  const bool left = a.kind() == ValueKind::kDuration;
  const bool right = b.kind() == ValueKind::kDuration;
  const int sign = op == Op::kSubtract ? -1 : 1;
  if (op == Op::kAdd || op == Op::kSubtract) {
    if (left && right) return placed(add(a.as_duration(), b.as_duration(), sign), span);
    if (a.is_time() && right) return placed(add(a.as_time(), b.as_duration(), sign), span);
    if (left && b.is_time() && op == Op::kAdd) return placed(add(b.as_time(), a.as_duration(), 1), span);
    // A record's date moves only if it is one day.
    if (a.kind() == ValueKind::kDate && right) {
      const auto day = plain_day(a.as_date());
      if (!day) return Value();
      return placed(add(CalendarTime{TimeType::kDay, *day, 0, 0}, b.as_duration(), sign), span);
    }
    return std::nullopt;
  }
  if (op == Op::kMultiply && left && b.is_number()) {
    return placed(scale(a.as_duration(), static_cast<long double>(b.to_real())), span);
  }
  if (op == Op::kMultiply && right && a.is_number()) {
    return placed(scale(b.as_duration(), static_cast<long double>(a.to_real())), span);
  }
  if (op == Op::kDivide && left && b.is_number()) {
    return placed(scale(a.as_duration(), 1.0L / static_cast<long double>(b.to_real())), span);
  }
  return std::nullopt;
}

Result<DateValue> as_record_date(const CalendarTime& time, Span span) {
  if (!has_day(time.type)) return wrong_type(span, "a time of day is no date");
  if (time.nano % kNanosPerSecond != 0) {
    return wrong_value(
        span, fmt::format("{} has fractions of a second, dates of records have none; truncate it", to_iso(time)));
  }
  std::string text = to_iso(convert(time, TimeType::kDay));
  if (has_clock(time.type)) {
    const std::int64_t seconds = time.nano / kNanosPerSecond;
    text += fmt::format("T{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
  if (has_offset(time.type)) text += offset_text(time.offset);
  const auto edtf = parse_edtf(text);
  if (!edtf) return runtime_error("ArgumentError", "InvalidDate", span, edtf.error().message);
  return date_literal(*edtf);
}

}  // namespace demarche::query

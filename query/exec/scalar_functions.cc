#include "query/exec/scalar_functions.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include <fmt/format.h>
#include <utf8proc.h>

#include "query/exec/evaluate.h"

namespace demarche::query {

std::string to_text(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kString:
      return value.as_string();
    case ValueKind::kDate:
      return value.as_date().text;
    case ValueKind::kDay:
    case ValueKind::kTime:
    case ValueKind::kLocalTime:
    case ValueKind::kDateTime:
    case ValueKind::kLocalDateTime:
    case ValueKind::kDuration:
      return iso_text(value);
    case ValueKind::kBoolean:
      return value.as_boolean() ? "true" : "false";
    case ValueKind::kInteger:
      return fmt::format("{}", value.as_integer());
    case ValueKind::kFloat: {
      const double d = value.as_real();
      if (std::isnan(d)) return "NaN";
      if (std::isinf(d)) return d > 0 ? "Infinity" : "-Infinity";
      std::string text = fmt::format("{}", d);
      return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    }
    default:
      return "";
  }
}

namespace {

constexpr std::int64_t kRangeMax = 10'000'000;

tl::unexpected<Error> wrong_argument(const FunctionDef& def, const Value& v, Span span) {
  return runtime_error("TypeError", "InvalidArgumentType", span,
                       fmt::format("{} does not take {}", def.signature, a_kind(v.kind())));
}

// ---- texts, counted in characters ----------------------------------------------------------------------------------

std::vector<std::string> characters(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t n = 1;
    while (i + n < text.size() && (static_cast<unsigned char>(text[i + n]) & 0xC0) == 0x80) ++n;
    out.push_back(text.substr(i, n));
    i += n;
  }
  return out;
}

std::string part(const std::string& text, std::int64_t from, std::int64_t count) {
  const std::vector<std::string> all = characters(text);
  const auto size = static_cast<std::int64_t>(all.size());
  std::string out;
  for (std::int64_t i = std::max<std::int64_t>(0, from); i < size && i - from < count; ++i)
    out += all[static_cast<std::size_t>(i)];
  return out;
}

std::string change_case(const std::string& text, utf8proc_int32_t (*change)(utf8proc_int32_t)) {
  std::string out;
  const auto* p = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t c = 0;
    const utf8proc_ssize_t n = utf8proc_iterate(p, left, &c);
    if (n <= 0) break;
    utf8proc_uint8_t bytes[4];
    const utf8proc_ssize_t size = utf8proc_encode_char(change(c), bytes);
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    p += n;
    left -= n;
  }
  return out;
}

// White space at the left end, the right end or both.
std::string trim(const std::string& text, bool left = true, bool right = true) {
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  const auto begin = left ? std::find_if_not(text.begin(), text.end(), blank) : text.begin();
  const auto end =
      right ? std::find_if_not(text.rbegin(), std::make_reverse_iterator(begin), blank).base() : text.end();
  return {begin, end};
}

Value split(const std::string& text, const std::string& by) {
  ValueList out;
  if (by.empty()) {
    for (std::string& c : characters(text)) out.push_back(Value::string(std::move(c)));
    return Value::list(std::move(out));
  }
  std::size_t from = 0;
  for (std::size_t at = text.find(by); at != std::string::npos; at = text.find(by, from)) {
    out.push_back(Value::string(text.substr(from, at - from)));
    from = at + by.size();
  }
  out.push_back(Value::string(text.substr(from)));
  return Value::list(std::move(out));
}

std::string replace_all(const std::string& text, const std::string& what, const std::string& by) {
  if (what.empty()) return text;
  std::string out;
  std::size_t from = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, from)) {
    out.append(text, from, at - from).append(by);
    from = at + what.size();
  }
  return out.append(text, from);
}

// ---- conversions. nullopt: a value of a type that has no such conversion -------------------------------------------

using Converted = std::optional<Value>;

Converted to_string(const Value& v) {
  switch (v.kind()) {
    case ValueKind::kList:
    case ValueKind::kMap:
    case ValueKind::kActor:
    case ValueKind::kInteraction:
    case ValueKind::kPath:
      return std::nullopt;
    default:
      return v.is_null() ? Value() : Value::string(to_text(v));
  }
}

// A whole text read as a number; nullopt if it is none. "1e400" is infinite, as in any arithmetic.
std::optional<double> read_real(const std::string& text) {
  double real = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, real);
  if (error != std::errc() || stop != end || begin == end || !std::isfinite(real)) return std::nullopt;
  return real;
}

Converted to_integer(const Value& v) {
  if (v.kind() == ValueKind::kInteger || v.is_null()) return v;
  std::optional<double> real;
  if (v.kind() == ValueKind::kFloat) {
    real = v.as_real();
  } else if (v.kind() == ValueKind::kString) {
    const std::string text = trim(v.as_string());
    std::int64_t whole = 0;
    const char* end = text.data() + text.size();
    if (const auto [stop, error] = std::from_chars(text.data(), end, whole); error == std::errc() && stop == end) {
      return Value::integer(whole);
    }
    real = read_real(text);
  } else {
    return std::nullopt;
  }
  if (!real || !(*real >= -9223372036854775808.0 && *real < 9223372036854775808.0)) return Value();
  return Value::integer(static_cast<std::int64_t>(*real));
}

Converted to_float(const Value& v) {
  if (v.is_null()) return v;
  if (v.is_number()) return Value::real(v.to_real());
  if (v.kind() != ValueKind::kString) return std::nullopt;
  const auto real = read_real(trim(v.as_string()));
  return real ? Value::real(*real) : Value();
}

Converted to_boolean(const Value& v) {
  if (v.kind() == ValueKind::kBoolean || v.is_null()) return v;
  if (v.kind() != ValueKind::kString) return std::nullopt;
  std::string text = trim(v.as_string());
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text == "true") return Value::boolean(true);
  if (text == "false") return Value::boolean(false);
  return Value();
}

Result<Value> convert_value(const FunctionDef& def, const Value& x, Span span) {
  constexpr Converted (*kConversions[])(const Value&) = {to_string, to_integer, to_float, to_boolean};
  const auto place = static_cast<int>(def.id) - static_cast<int>(FunctionId::kToString);
  const auto convert = kConversions[place % 4];
  if (place >= 8) {  // ...List
    if (x.kind() != ValueKind::kList) return wrong_argument(def, x, span);
    ValueList out;
    for (const Value& item : x.as_list()) out.push_back(convert(item).value_or(Value()));
    return Value::list(std::move(out));
  }
  auto out = convert(x);
  if (out) return std::move(*out);
  if (place >= 4) return Value();  // ...OrNull
  return runtime_error(
      "TypeError", "InvalidArgumentValue", span,
      fmt::format("{} does not take {}; {}OrNull() gives null for it", def.signature, a_kind(x.kind()), def.name));
}

Result<Value> range(const std::vector<Value>& a, Span span) {
  for (const Value& v : a) {
    if (v.kind() != ValueKind::kInteger)
      return runtime_error("ArgumentError", "InvalidArgumentType", span, "range() takes whole numbers");
  }
  const std::int64_t step = a.size() == 3 ? a[2].as_integer() : 1;
  if (step == 0)
    return runtime_error("ArgumentError", "NumberOutOfRange", span, "range() with a step of 0 does not end");
  std::int64_t distance = 0;
  const bool too_far = __builtin_sub_overflow(a[1].as_integer(), a[0].as_integer(), &distance);
  if (a[0].as_integer() != a[1].as_integer() && (a[1].as_integer() < a[0].as_integer()) != (step < 0))
    return Value::list({});
  // -2^63 / -1 is the one quotient that does not fit, and far above the limit anyway.
  const bool least = distance == std::numeric_limits<std::int64_t>::min();
  const std::int64_t count = least ? kRangeMax : distance / step;
  if (too_far || count >= kRangeMax)
    return runtime_error("ArgumentError", "NumberOutOfRange", span,
                         fmt::format("range() makes at most {} numbers", kRangeMax));
  ValueList out;
  for (std::int64_t i = 0; i <= count; ++i) out.push_back(Value::integer(a[0].as_integer() + i * step));
  return Value::list(std::move(out));
}

// Halves go up, so that round(-1.5) is -1.0.
Result<Value> rounded(double x, std::int64_t places, Span span) {
  if (places < 0 || places > 300)
    return runtime_error("ArgumentError", "NumberOutOfRange", span, "round() takes 0 to 300 decimal places");
  const double unit = std::pow(10, static_cast<double>(places));
  const double scaled = x * unit;
  if (!std::isfinite(scaled)) return Value::real(x);
  const double below = std::floor(scaled);
  return Value::real((scaled - below >= 0.5 ? below + 1 : below) / unit);
}

Result<Value> number_function(FunctionId id, const Value& v, Span span) {
  const bool whole = v.kind() == ValueKind::kInteger;
  if (whole && v.as_integer() == std::numeric_limits<std::int64_t>::min() && id == FunctionId::kAbs) {
    return runtime_error("ArithmeticError", "IntegerOverflow", span, "the result does not fit into 64 bits");
  }
  switch (id) {
    case FunctionId::kAbs:
      return whole ? Value::integer(v.as_integer() < 0 ? -v.as_integer() : v.as_integer())
                   : Value::real(std::abs(v.as_real()));
    case FunctionId::kCeil:
      return Value::real(std::ceil(v.to_real()));
    case FunctionId::kFloor:
      return Value::real(std::floor(v.to_real()));
    case FunctionId::kSqrt:
      return Value::real(std::sqrt(v.to_real()));
    case FunctionId::kExp:
      return Value::real(std::exp(v.to_real()));
    case FunctionId::kLog:
      return Value::real(std::log(v.to_real()));
    case FunctionId::kLog10:
      return Value::real(std::log10(v.to_real()));
    case FunctionId::kSin:
      return Value::real(std::sin(v.to_real()));
    case FunctionId::kCos:
      return Value::real(std::cos(v.to_real()));
    case FunctionId::kTan:
      return Value::real(std::tan(v.to_real()));
    case FunctionId::kCot:
      return Value::real(1 / std::tan(v.to_real()));
    case FunctionId::kAsin:
      return Value::real(std::asin(v.to_real()));
    case FunctionId::kAcos:
      return Value::real(std::acos(v.to_real()));
    case FunctionId::kAtan:
      return Value::real(std::atan(v.to_real()));
    case FunctionId::kDegrees:
      return Value::real(v.to_real() * (180 / std::numbers::pi));
    case FunctionId::kRadians:
      return Value::real(v.to_real() * (std::numbers::pi / 180));
    case FunctionId::kHaversin:
      return Value::real((1 - std::cos(v.to_real())) / 2);
    case FunctionId::kIsNaN:
      return Value::boolean(std::isnan(v.to_real()));
    default:
      return Value::integer(v.to_real() > 0 ? 1 : (v.to_real() < 0 ? -1 : 0));
  }
}

}  // namespace

Result<Value> call_scalar_function(const FunctionDef& def, const std::vector<Value>& a, Span span,
                                   ExecContext& context) {
  using F = FunctionId;
  if (def.id == F::kPi) return Value::real(std::numbers::pi);
  if (def.id == F::kE) return Value::real(std::numbers::e);
  if (def.id == F::kRand) return Value::real(context.random());
  if (def.id == F::kTimestamp) {
    const auto since = context.began().time_since_epoch();
    return Value::integer(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
  }
  const auto wrong = [&](const Value& v) { return wrong_argument(def, v, span); };
  const Value& x = a[0];
  const bool list = x.kind() == ValueKind::kList;
  const bool text = x.kind() == ValueKind::kString;
  const auto whole = [&](std::size_t i) { return a[i].kind() == ValueKind::kInteger; };
  const auto is_text = [&](std::size_t i) { return a[i].kind() == ValueKind::kString; };

  switch (def.id) {
    case F::kSize:
      if (list) return Value::integer(static_cast<std::int64_t>(x.as_list().size()));
      return text ? Value::integer(static_cast<std::int64_t>(characters(x.as_string()).size()))
                  : Result<Value>(wrong(x));
    case F::kHead:
      if (!list) return wrong(x);
      return x.as_list().empty() ? Value() : x.as_list().front();
    case F::kLast:
      if (!list) return wrong(x);
      return x.as_list().empty() ? Value() : x.as_list().back();
    case F::kTail:
      if (!list) return wrong(x);
      return Value::list(x.as_list().empty() ? ValueList() : ValueList(x.as_list().begin() + 1, x.as_list().end()));
    case F::kReverse: {
      if (list) return Value::list(ValueList(x.as_list().rbegin(), x.as_list().rend()));
      if (!text) return wrong(x);
      std::vector<std::string> all = characters(x.as_string());
      std::string out;
      for (auto it = all.rbegin(); it != all.rend(); ++it) out += *it;
      return Value::string(std::move(out));
    }
    case F::kRange:
      return range(a, span);
    case F::kToLower:
      return text ? Value::string(change_case(x.as_string(), utf8proc_tolower)) : Result<Value>(wrong(x));
    case F::kToUpper:
      return text ? Value::string(change_case(x.as_string(), utf8proc_toupper)) : Result<Value>(wrong(x));
    case F::kTrim:
      return text ? Value::string(trim(x.as_string())) : Result<Value>(wrong(x));
    case F::kLTrim:
      return text ? Value::string(trim(x.as_string(), true, false)) : Result<Value>(wrong(x));
    case F::kRTrim:
      return text ? Value::string(trim(x.as_string(), false, true)) : Result<Value>(wrong(x));
    case F::kSubstring: {
      if (!text || !whole(1) || (a.size() == 3 && !whole(2))) return wrong(x);
      const std::int64_t count = a.size() == 3 ? a[2].as_integer() : kRangeMax;
      if (a[1].as_integer() < 0 || count < 0)
        return runtime_error("ArgumentError", "NegativeIntegerArgument", span, "substring() counts from 0");
      return Value::string(part(x.as_string(), a[1].as_integer(), count));
    }
    case F::kReplace:
      return text && is_text(1) && is_text(2)
                 ? Value::string(replace_all(x.as_string(), a[1].as_string(), a[2].as_string()))
                 : Result<Value>(wrong(x));
    case F::kSplit:
      return text && is_text(1) ? split(x.as_string(), a[1].as_string()) : Result<Value>(wrong(x));
    case F::kLeft:
    case F::kRight: {
      if (!text || !whole(1)) return wrong(x);
      if (a[1].as_integer() < 0)
        return runtime_error("ArgumentError", "NegativeIntegerArgument", span, "a length cannot be negative");
      const auto size = static_cast<std::int64_t>(characters(x.as_string()).size());
      const std::int64_t n = std::min(size, a[1].as_integer());
      return Value::string(def.id == F::kLeft ? part(x.as_string(), 0, n) : part(x.as_string(), size - n, n));
    }
    case F::kIsEmpty:
      if (list) return Value::boolean(x.as_list().empty());
      if (x.kind() == ValueKind::kMap) return Value::boolean(x.as_map().empty());
      return text ? Value::boolean(x.as_string().empty()) : Result<Value>(wrong(x));
    case F::kRound:
      if (!x.is_number()) return wrong(x);
      if (a.size() == 2 && !whole(1)) return wrong(a[1]);
      return rounded(x.to_real(), a.size() == 2 ? a[1].as_integer() : 0, span);
    case F::kAtan2:
      if (!x.is_number()) return wrong(x);
      return a[1].is_number() ? Value::real(std::atan2(x.to_real(), a[1].to_real())) : Result<Value>(wrong(a[1]));
    default:
      break;
  }
  if (def.id >= F::kToString && def.id <= F::kToBooleanList) return convert_value(def, x, span);
  return x.is_number() ? number_function(def.id, x, span) : wrong(x);
}

}  // namespace demarche::query

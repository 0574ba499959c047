#include "query/value.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "engine/edtf.h"

namespace demarche::query {

template <typename T>
Value Value::boxed(ValueKind kind, T value, std::uint32_t depth) {
  Value v;
  auto* box = new BoxOf<T>(std::move(value));  // owned by the count inside
  box->depth = depth;
  v.payload_.box = box;
  v.kind_ = kind;
  return v;
}

Value Value::boolean(bool b) {
  Value v;
  v.kind_ = ValueKind::kBoolean;
  v.payload_.boolean = b;
  return v;
}
Value Value::real(double d) {
  Value v;
  v.kind_ = ValueKind::kFloat;
  v.payload_.real = d;
  return v;
}
Value Value::truth(Truth t) { return t == Truth::kUnknown ? Value() : boolean(t == Truth::kTrue); }
Value Value::string(std::string text) { return boxed(ValueKind::kString, std::move(text)); }
Value Value::date(DateValue date) { return boxed(ValueKind::kDate, std::move(date)); }
Value Value::time(const CalendarTime& time) {
  constexpr ValueKind kKinds[] = {ValueKind::kDay, ValueKind::kLocalTime, ValueKind::kTime, ValueKind::kLocalDateTime,
                                  ValueKind::kDateTime};  // by TimeType
  return boxed(kKinds[static_cast<std::size_t>(time.type)], time);
}
Value Value::duration(const Duration& duration) { return boxed(ValueKind::kDuration, duration); }
Value Value::list(ValueList items) {
  std::uint32_t below = 0;
  for (const Value& item : items) below = std::max(below, item.depth());
  return boxed(ValueKind::kList, std::move(items), below + 1);
}
Value Value::path(PathValue path) { return boxed(ValueKind::kPath, std::move(path)); }
Value Value::map(ValueMap entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  ValueMap unique;
  for (auto& entry : entries) {
    if (!unique.empty() && unique.back().first == entry.first) {
      unique.back().second = std::move(entry.second);
    } else {
      unique.push_back(std::move(entry));
    }
  }
  std::uint32_t below = 0;
  for (const auto& entry : unique) below = std::max(below, entry.second.depth());
  return boxed(ValueKind::kMap, std::move(unique), below + 1);
}

const std::string& Value::as_string() const { return unboxed<std::string>(); }
const DateValue& Value::as_date() const { return unboxed<DateValue>(); }
const CalendarTime& Value::as_time() const { return unboxed<CalendarTime>(); }
const Duration& Value::as_duration() const { return unboxed<Duration>(); }
const ValueList& Value::as_list() const { return unboxed<ValueList>(); }
const ValueMap& Value::as_map() const { return unboxed<ValueMap>(); }
const PathValue& Value::as_path() const { return unboxed<PathValue>(); }

namespace {

template <typename T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

// Exact comparison of a 64-bit integer with a double that is not NaN: converting either would lose digits.
int compare_mixed(std::int64_t i, double d) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (d >= kTwo63) return -1;
  if (d < -kTwo63) return 1;
  const auto whole = static_cast<std::int64_t>(d);
  if (i != whole) return i < whole ? -1 : 1;
  return three_way(0.0, d - static_cast<double>(whole));
}

// REQUIRES: both are numbers, none is NaN.
int compare_numbers(const Value& a, const Value& b) {
  const bool a_int = a.kind() == ValueKind::kInteger;
  const bool b_int = b.kind() == ValueKind::kInteger;
  if (a_int && b_int) return three_way(a.as_integer(), b.as_integer());
  if (a_int) return compare_mixed(a.as_integer(), b.as_real());
  if (b_int) return -compare_mixed(b.as_integer(), a.as_real());
  return three_way(a.as_real(), b.as_real());
}

bool is_nan(const Value& v) { return v.kind() == ValueKind::kFloat && std::isnan(v.as_real()); }

Truth of(bool b) { return b ? Truth::kTrue : Truth::kFalse; }

Truth equal_lists(const ValueList& a, const ValueList& b) {
  if (a.size() != b.size()) return Truth::kFalse;
  Truth all = Truth::kTrue;
  for (std::size_t i = 0; i < a.size() && all != Truth::kFalse; ++i) all = truth_and(all, equals(a[i], b[i]));
  return all;
}

Truth equal_maps(const ValueMap& a, const ValueMap& b) {
  if (a.size() != b.size()) return Truth::kFalse;
  Truth all = Truth::kTrue;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].first != b[i].first) return Truth::kFalse;
    all = truth_and(all, equals(a[i].second, b[i].second));
  }
  return all;
}

bool same_owner(const DateValue& a, const DateValue& b) { return a.owner.value != 0 && a.owner == b.owner; }

int order_dates(const DateValue& a, const DateValue& b) {
  if (const int c = three_way(a.bounds.begin_min, b.bounds.begin_min)) return c;
  if (const int c = three_way(a.bounds.end_max, b.bounds.end_max)) return c;
  return three_way(a.text, b.text);
}

int order_lists(const ValueList& a, const ValueList& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (const int c = order(a[i], b[i])) return c;
  }
  return three_way(a.size(), b.size());
}

int order_maps(const ValueMap& a, const ValueMap& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (const int c = three_way(a[i].first, b[i].first)) return c;
  }
  if (const int c = three_way(a.size(), b.size())) return c;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (const int c = order(a[i].second, b[i].second)) return c;
  }
  return 0;
}

int order_numbers(const Value& a, const Value& b) {
  if (is_nan(a) || is_nan(b)) return three_way(is_nan(a), is_nan(b));
  return compare_numbers(a, b);
}

// -1, 0, 1, or 2 where the two cannot be compared.
int comparable(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return is_nan(a) || is_nan(b) ? 2 : compare_numbers(a, b);
  if (a.kind() != b.kind()) return 2;
  switch (a.kind()) {
    case ValueKind::kString:
      return three_way(a.as_string().compare(b.as_string()), 0);
    case ValueKind::kBoolean:
      return three_way(a.as_boolean(), b.as_boolean());
    case ValueKind::kDay:
    case ValueKind::kTime:
    case ValueKind::kLocalTime:
    case ValueKind::kDateTime:
    case ValueKind::kLocalDateTime:
      return compare(a.as_time(), b.as_time());
    default:
      return 2;
  }
}

// List comparison for `<`: the first pair that differs decides; a pair that cannot be compared makes it unknown.
Truth less_lists(const ValueList& a, const ValueList& b, bool or_equal) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const Truth same = equals(a[i], b[i]);
    if (same == Truth::kUnknown) return Truth::kUnknown;
    if (same == Truth::kFalse) return less_than(a[i], b[i]);
  }
  return of(or_equal ? a.size() <= b.size() : a.size() < b.size());
}

std::size_t combine(std::size_t seed, std::size_t h) {
  return seed ^ (h + 0x9E3779B97F4A7C15ULL + (seed << 6) + (seed >> 2));
}

std::size_t hash_number(const Value& v) {
  if (v.kind() == ValueKind::kInteger) return std::hash<std::int64_t>{}(v.as_integer());
  const double d = v.as_real();
  // A float that is a whole number hashes like the integer it equals.
  if (std::isfinite(d) && std::trunc(d) == d && d >= -9223372036854775808.0 && d < 9223372036854775808.0) {
    return std::hash<std::int64_t>{}(static_cast<std::int64_t>(d));
  }
  return std::isnan(d) ? 0x7FF8 : std::hash<double>{}(d);
}

}  // namespace

Truth equals(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return Truth::kUnknown;
  if (a.is_number() && b.is_number()) return of(!is_nan(a) && !is_nan(b) && compare_numbers(a, b) == 0);
  if (a.kind() != b.kind()) return Truth::kFalse;
  switch (a.kind()) {
    case ValueKind::kString:
      return of(a.as_string() == b.as_string());
    case ValueKind::kBoolean:
      return of(a.as_boolean() == b.as_boolean());
    case ValueKind::kActor:
      return of(a.as_actor() == b.as_actor());
    case ValueKind::kInteraction:
      return of(a.as_interaction() == b.as_interaction());
    case ValueKind::kDate:
      return of(same_owner(a.as_date(), b.as_date()) || a.as_date().bounds == b.as_date().bounds);
    case ValueKind::kDay:
    case ValueKind::kTime:
    case ValueKind::kLocalTime:
    case ValueKind::kDateTime:
    case ValueKind::kLocalDateTime:
      return of(compare(a.as_time(), b.as_time()) == 0);
    case ValueKind::kDuration:
      return of(a.as_duration() == b.as_duration());
    case ValueKind::kPath:
      return of(a.as_path().actors == b.as_path().actors && a.as_path().interactions == b.as_path().interactions);
    case ValueKind::kList:
      return equal_lists(a.as_list(), b.as_list());
    case ValueKind::kMap:
      return equal_maps(a.as_map(), b.as_map());
    default:
      return Truth::kUnknown;
  }
}

DateValue date_literal(const Edtf& edtf) { return {edtf.text, edtf.bounds, as_period(edtf), {}}; }
DateValue date_of_record(const When& when, InteractionId owner) { return {when.text, when.bounds, when.bounds, owner}; }

Truth less_than(const Value& a, const Value& b) {
  if (a.kind() == ValueKind::kDate && b.kind() == ValueKind::kDate) {
    if (same_owner(a.as_date(), b.as_date())) return Truth::kFalse;
    return before(a.as_date().period, b.as_date().period);
  }
  if (a.kind() == ValueKind::kList && b.kind() == ValueKind::kList) return less_lists(a.as_list(), b.as_list(), false);
  const int c = comparable(a, b);
  if (c == 2) return a.is_number() && b.is_number() ? Truth::kFalse : Truth::kUnknown;
  return of(c < 0);
}

Truth less_or_equal(const Value& a, const Value& b) {
  if (a.kind() == ValueKind::kDate && b.kind() == ValueKind::kDate) {
    if (same_owner(a.as_date(), b.as_date())) return Truth::kTrue;
    return truth_not(before(b.as_date().period, a.as_date().period));
  }
  if (a.kind() == ValueKind::kList && b.kind() == ValueKind::kList) return less_lists(a.as_list(), b.as_list(), true);
  const int c = comparable(a, b);
  if (c == 2) return a.is_number() && b.is_number() ? Truth::kFalse : Truth::kUnknown;
  return of(c <= 0);
}

int order(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return order_numbers(a, b);
  if (a.kind() != b.kind()) return three_way(a.kind(), b.kind());
  switch (a.kind()) {
    case ValueKind::kString:
      return three_way(a.as_string().compare(b.as_string()), 0);
    case ValueKind::kBoolean:
      return three_way(a.as_boolean(), b.as_boolean());
    case ValueKind::kActor:
      return three_way(a.as_actor(), b.as_actor());
    case ValueKind::kInteraction:
      return three_way(a.as_interaction(), b.as_interaction());
    case ValueKind::kDate:
      return order_dates(a.as_date(), b.as_date());
    case ValueKind::kDay:
    case ValueKind::kTime:
    case ValueKind::kLocalTime:
    case ValueKind::kDateTime:
    case ValueKind::kLocalDateTime:
      return compare(a.as_time(), b.as_time());
    case ValueKind::kDuration:
      return compare(a.as_duration(), b.as_duration());
    case ValueKind::kList:
      return order_lists(a.as_list(), b.as_list());
    case ValueKind::kMap:
      return order_maps(a.as_map(), b.as_map());
    case ValueKind::kPath: {
      const PathValue& p = a.as_path();
      const PathValue& q = b.as_path();
      if (const int c = three_way(p.actors, q.actors)) return c;
      return three_way(p.interactions, q.interactions);
    }
    default:
      return 0;
  }
}

bool equivalent(const Value& a, const Value& b) { return order(a, b) == 0; }

std::size_t hash_of(const Value& v) {
  const auto seed = static_cast<std::size_t>(v.is_number() ? ValueKind::kInteger : v.kind());
  switch (v.kind()) {
    case ValueKind::kNull:
      return seed;
    case ValueKind::kBoolean:
      return combine(seed, v.as_boolean() ? 1 : 0);
    case ValueKind::kInteger:
    case ValueKind::kFloat:
      return combine(seed, hash_number(v));
    case ValueKind::kString:
      return combine(seed, std::hash<std::string>{}(v.as_string()));
    case ValueKind::kActor:
      return combine(seed, std::hash<ActorId>{}(v.as_actor()));
    case ValueKind::kInteraction:
      return combine(seed, std::hash<InteractionId>{}(v.as_interaction()));
    case ValueKind::kDate:
      return combine(seed, std::hash<std::string>{}(v.as_date().text));
    case ValueKind::kDay:
    case ValueKind::kTime:
    case ValueKind::kLocalTime:
    case ValueKind::kDateTime:
    case ValueKind::kLocalDateTime: {
      // Equal instants hash alike, whatever their offset; wrapping round does no harm to a hash.
      const CalendarTime& t = v.as_time();
      const auto seconds = t.day * kSecondsPerDay + t.nano / kNanosPerSecond - t.offset;
      return combine(combine(seed, std::hash<std::int64_t>{}(seconds)),
                     std::hash<std::int64_t>{}(t.nano % kNanosPerSecond));
    }
    case ValueKind::kDuration: {
      const Duration& d = v.as_duration();
      std::size_t h = combine(seed, std::hash<std::int64_t>{}(d.months));
      h = combine(h, std::hash<std::int64_t>{}(d.days));
      return combine(combine(h, std::hash<std::int64_t>{}(d.seconds)), std::hash<std::int64_t>{}(d.nanos));
    }
    case ValueKind::kList: {
      std::size_t h = seed;
      for (const Value& item : v.as_list()) h = combine(h, hash_of(item));
      return h;
    }
    case ValueKind::kMap: {
      std::size_t h = seed;
      for (const auto& [key, item] : v.as_map()) h = combine(combine(h, std::hash<std::string>{}(key)), hash_of(item));
      return h;
    }
    case ValueKind::kPath: {
      std::size_t h = seed;
      for (const ActorId id : v.as_path().actors) h = combine(h, std::hash<ActorId>{}(id));
      for (const InteractionId id : v.as_path().interactions) h = combine(h, std::hash<InteractionId>{}(id));
      return h;
    }
  }
  return seed;
}

namespace {

constexpr std::uint8_t form_of(TimeType type) { return static_cast<std::uint8_t>(static_cast<int>(type) + 1); }
static_assert(form_of(TimeType::kDay) == static_cast<std::uint8_t>(TimeForm::kDay));
static_assert(form_of(TimeType::kLocalTime) == static_cast<std::uint8_t>(TimeForm::kLocalTime));
static_assert(form_of(TimeType::kTime) == static_cast<std::uint8_t>(TimeForm::kTime));
static_assert(form_of(TimeType::kLocalDateTime) == static_cast<std::uint8_t>(TimeForm::kLocalDateTime));
static_assert(form_of(TimeType::kDateTime) == static_cast<std::uint8_t>(TimeForm::kDateTime));

// Was valid when it was stored; what does not read is handed out as its text.
Value from_stored(const TimeText& stored) {
  if (stored.form == TimeForm::kDuration) {
    const auto duration = parse_duration(stored.iso);
    return duration ? Value::duration(*duration) : Value::string(stored.iso);
  }
  const auto time = parse_time(static_cast<TimeType>(static_cast<int>(stored.form) - 1), stored.iso);
  return time ? Value::time(*time) : Value::string(stored.iso);
}

}  // namespace

Value from_property(const PropertyValue& value) {
  return std::visit(
      [](const auto& v) -> Value {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, bool>) {
          return Value::boolean(v);
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          return Value::integer(v);
        } else if constexpr (std::is_same_v<T, double>) {
          return Value::real(v);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return Value::string(v);
        } else if constexpr (std::is_same_v<T, DateText>) {
          const auto edtf = parse_edtf(v.edtf);  // was valid when it was stored
          return edtf ? Value::date(date_of_record({edtf->text, edtf->bounds}, {})) : Value::string(v.edtf);
        } else if constexpr (std::is_same_v<T, TimeText>) {
          return from_stored(v);
        } else {
          ValueList items;
          for (const PropertyValue& item : v) items.push_back(from_property(item));
          return Value::list(std::move(items));
        }
      },
      value.value);
}

Result<PropertyValue> to_property(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kBoolean:
      return PropertyValue{value.as_boolean()};
    case ValueKind::kInteger:
      return PropertyValue{value.as_integer()};
    case ValueKind::kFloat:
      return PropertyValue{value.as_real()};
    case ValueKind::kString:
      return PropertyValue{value.as_string()};
    case ValueKind::kDate:
      return PropertyValue{DateText{value.as_date().text}};
    case ValueKind::kDay:
    case ValueKind::kTime:
    case ValueKind::kLocalTime:
    case ValueKind::kDateTime:
    case ValueKind::kLocalDateTime:
      return PropertyValue{TimeText{static_cast<TimeForm>(form_of(value.as_time().type)), to_iso(value.as_time())}};
    case ValueKind::kDuration:
      return PropertyValue{TimeText{TimeForm::kDuration, to_iso(value.as_duration())}};
    case ValueKind::kList: {
      std::vector<PropertyValue> items;
      for (const Value& item : value.as_list()) {
        DEMARCHE_TRY(PropertyValue stored, to_property(item));
        items.push_back(std::move(stored));
      }
      return PropertyValue{std::move(items)};
    }
    default:
      break;
  }
  return invalid(fmt::format("a value of type {} cannot be stored as a property", kind_name(value.kind())));
}

const char* kind_name(ValueKind kind) {
  switch (kind) {
    case ValueKind::kMap:
      return "MAP";
    case ValueKind::kActor:
      return "ACTOR";
    case ValueKind::kInteraction:
      return "INTERACTION";
    case ValueKind::kList:
      return "LIST";
    case ValueKind::kPath:
      return "PATH";
    case ValueKind::kDate:
      return "DATE";
    case ValueKind::kDay:
      return "DAY";
    case ValueKind::kTime:
      return "TIME";
    case ValueKind::kLocalTime:
      return "LOCAL TIME";
    case ValueKind::kDateTime:
      return "DATETIME";
    case ValueKind::kLocalDateTime:
      return "LOCAL DATETIME";
    case ValueKind::kDuration:
      return "DURATION";
    case ValueKind::kString:
      return "STRING";
    case ValueKind::kBoolean:
      return "BOOLEAN";
    case ValueKind::kInteger:
      return "INTEGER";
    case ValueKind::kFloat:
      return "FLOAT";
    case ValueKind::kNull:
      return "NULL";
  }
  return "";
}

std::string a_kind(ValueKind kind) {
  const std::string name = kind_name(kind);
  return (name.find_first_of("AEIOU") == 0 ? "an " : "a ") + name;
}

std::string iso_text(const Value& value) {
  return value.kind() == ValueKind::kDuration ? to_iso(value.as_duration()) : to_iso(value.as_time());
}

const Value* find_entry(const ValueMap& map, std::string_view key) {
  for (const auto& [name, value] : map) {
    if (name == key) return &value;
  }
  return nullptr;
}

}  // namespace demarche::query

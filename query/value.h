// Values of the query language: sixteen bytes, cheap to copy, immutable.
#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/model.h"
#include "engine/types.h"
#include "engine/when.h"
#include "query/temporal.h"

namespace demarche {
enum class ChronologyMode : std::uint8_t;  // engine/chronology.h
}

namespace demarche::query {

// In the order in which ORDER BY ... ASC sorts values of different kinds (openCypher 9, "Orderability"), null last.
enum class ValueKind : std::uint8_t {
  kMap,
  kActor,
  kInteraction,
  kList,
  kPath,
  kDateTime,
  kLocalDateTime,
  kDay,   // an exact one: date('2016-04-29')
  kDate,  // as a record has it, perhaps vague: DATE '2016-04~'
  kTime,
  kLocalTime,
  kDuration,
  kString,
  kBoolean,
  kInteger,
  kFloat,  // orders among the integers
  kNull,
};

// Lists and maps within one another: what compares, writes and frees them goes down as deep as they are.
inline constexpr std::uint32_t kValueDepthMax = 1000;

class Value;
using ValueList = std::vector<Value>;
using ValueMap = std::vector<std::pair<std::string, Value>>;  // ascending by key, keys unique

// A date in a query. `bounds` is what it means as the date of an interaction, and what `=` compares. `period` is what
// it means in a predicate: the whole year, month or day for a literal, the same as `bounds` for the date of a record.
// `owner` is the interaction whose own date it is, so that a date compared with itself is known to be itself.
struct DateValue {
  std::string text;
  TimeBounds bounds;
  TimeBounds period;
  InteractionId owner;
};
[[nodiscard]] DateValue date_literal(const Edtf& edtf);
[[nodiscard]] DateValue date_of_record(const When& when, InteractionId owner);

// Alternating: actors.size() == interactions.size() + 1.
struct PathValue {
  std::vector<ActorId> actors;
  std::vector<InteractionId> interactions;
  // When word arrives along a chronological path; null for others, and where that is on no known day. No part of what
  // makes two paths equal.
  std::shared_ptr<const DateValue> arrival = nullptr;
  std::optional<ChronologyMode> mode = std::nullopt;  // of a chronological path
};

class Value {
 public:
  Value() noexcept : kind_(ValueKind::kNull) { payload_.integer = 0; }
  Value(const Value& other) noexcept : kind_(other.kind_), payload_(other.payload_) { retain(); }
  Value(Value&& other) noexcept : kind_(other.kind_), payload_(other.payload_) { other.kind_ = ValueKind::kNull; }
  Value& operator=(const Value& other) noexcept {
    Value copy(other);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Value() { release(); }

  [[nodiscard]] static Value boolean(bool b);
  [[nodiscard]] static Value integer(std::int64_t i) noexcept {
    Value out;
    out.kind_ = ValueKind::kInteger;
    out.payload_.integer = i;
    return out;
  }
  [[nodiscard]] static Value real(double d);
  [[nodiscard]] static Value string(std::string text);
  [[nodiscard]] static Value date(DateValue date);
  [[nodiscard]] static Value time(const CalendarTime& time);  // kDay, kTime, kLocalTime, kDateTime, kLocalDateTime
  [[nodiscard]] static Value duration(const Duration& duration);
  [[nodiscard]] static Value list(ValueList items);
  [[nodiscard]] static Value map(ValueMap entries);  // sorts by key; the last of equal keys counts
  [[nodiscard]] static Value path(PathValue path);
  [[nodiscard]] static Value actor(ActorId id) noexcept {
    Value out;
    out.kind_ = ValueKind::kActor;
    out.payload_.id = id.value;
    return out;
  }
  [[nodiscard]] static Value interaction(InteractionId id) noexcept {
    Value out;
    out.kind_ = ValueKind::kInteraction;
    out.payload_.id = id.value;
    return out;
  }
  [[nodiscard]] static Value truth(Truth t);  // unknown is null

  [[nodiscard]] ValueKind kind() const { return kind_; }
  [[nodiscard]] bool is_null() const { return kind_ == ValueKind::kNull; }
  [[nodiscard]] bool is_number() const { return kind_ == ValueKind::kInteger || kind_ == ValueKind::kFloat; }

  [[nodiscard]] bool is_time() const {
    return kind_ == ValueKind::kDay || kind_ == ValueKind::kTime || kind_ == ValueKind::kLocalTime ||
           kind_ == ValueKind::kDateTime || kind_ == ValueKind::kLocalDateTime;
  }

  // REQUIRES of each: kind() is the one named.
  [[nodiscard]] bool as_boolean() const { return payload_.boolean; }
  [[nodiscard]] std::int64_t as_integer() const { return payload_.integer; }
  [[nodiscard]] double as_real() const { return payload_.real; }
  [[nodiscard]] ActorId as_actor() const { return {payload_.id}; }
  [[nodiscard]] InteractionId as_interaction() const { return {payload_.id}; }
  [[nodiscard]] const std::string& as_string() const;
  [[nodiscard]] const DateValue& as_date() const;
  [[nodiscard]] const CalendarTime& as_time() const;
  [[nodiscard]] const Duration& as_duration() const;
  [[nodiscard]] const ValueList& as_list() const;
  [[nodiscard]] const ValueMap& as_map() const;
  [[nodiscard]] const PathValue& as_path() const;
  // Equal kinds and bits: the same value. Equal values may have different bits.
  [[nodiscard]] std::uint64_t bits() const {
    if (kind_ == ValueKind::kBoolean) return payload_.boolean ? 1 : 0;
    return payload_.id;
  }
  // 1 for a list or map of plain values, one more for each within another; 0 for all others. Cost: none.
  [[nodiscard]] std::uint32_t depth() const {
    return kind_ == ValueKind::kList || kind_ == ValueKind::kMap ? payload_.box->depth : 0;
  }
  [[nodiscard]] double to_real() const {  // of a number
    return kind_ == ValueKind::kInteger ? static_cast<double>(payload_.integer) : payload_.real;
  }

 private:
  // Shared part of strings, lists, maps, dates, times, durations and paths.
  struct Box {
    mutable std::atomic<std::uint32_t> owners{1};
    std::uint32_t depth = 0;  // of a list or map: how many lie within one another
    virtual ~Box() = default;
  };
  template <typename T>
  struct BoxOf final : Box {
    explicit BoxOf(T v) : value(std::move(v)) {}
    T value;
  };
  template <typename T>
  [[nodiscard]] static Value boxed(ValueKind kind, T value, std::uint32_t depth = 0);
  template <typename T>
  [[nodiscard]] const T& unboxed() const {
    return static_cast<const BoxOf<T>*>(payload_.box)->value;
  }

  [[nodiscard]] bool has_box() const {
    return kind_ == ValueKind::kString || kind_ == ValueKind::kList || kind_ == ValueKind::kMap ||
           kind_ == ValueKind::kDate || kind_ == ValueKind::kPath || kind_ == ValueKind::kDuration || is_time();
  }
  void retain() const {
    if (has_box()) payload_.box->owners.fetch_add(1, std::memory_order_relaxed);
  }
  void release() {
    if (has_box() && payload_.box->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete payload_.box;
  }
  void swap(Value& other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(payload_, other.payload_);
  }

  ValueKind kind_;
  union {
    bool boolean;
    std::int64_t integer;
    double real;
    std::uint64_t id;
    const Box* box;
  } payload_;
};
static_assert(sizeof(Value) == 16);

// ---- comparing -----------------------------------------------------------------------------------------------------

// `=`: three-valued; null with anything is unknown, lists and maps element by element. Dates are equal if they mean the
// same bounds; a string beside a date is read as one where the caller asked for that before.
[[nodiscard]] Truth equals(const Value& a, const Value& b);
// `<`: unknown for values that cannot be compared. Dates answer as BEFORE.
[[nodiscard]] Truth less_than(const Value& a, const Value& b);
[[nodiscard]] Truth less_or_equal(const Value& a, const Value& b);

// Total order for ORDER BY: negative, zero, positive. Nulls are equal and last, NaN is after all numbers; dates by
// earliest begin, latest end, text.
[[nodiscard]] int order(const Value& a, const Value& b);
// Equivalence for DISTINCT and grouping: order(a, b) == 0 with null equal to null, and its hash.
[[nodiscard]] bool equivalent(const Value& a, const Value& b);
[[nodiscard]] std::size_t hash_of(const Value& v);

// ---- storing -------------------------------------------------------------------------------------------------------

[[nodiscard]] Value from_property(const PropertyValue& value);
// Errors: kInvalidArgument for what cannot be a property (null, maps, actors, interactions, paths, lists of these).
[[nodiscard]] Result<PropertyValue> to_property(const Value& value);

[[nodiscard]] const char* kind_name(ValueKind kind);     // "INTEGER", "LIST", ...
[[nodiscard]] std::string a_kind(ValueKind kind);        // "an INTEGER", "a LIST", ...
[[nodiscard]] std::string iso_text(const Value& value);  // REQUIRES: a time or a duration
[[nodiscard]] const Value* find_entry(const ValueMap& map, std::string_view key);

// Reads a literal of the language: 1, 1.5, 'text', true, null, [1, 2], {k: 1}. For parameters given as text.
[[nodiscard]] Result<Value> parse_literal(std::string_view text);

}  // namespace demarche::query

// The three-valued answers about dates: the one place that says what BEFORE, AFTER, DURING and OVERLAPS mean.
//
// A vague date is a set of readings. An answer is true if it holds under every reading, false if under none, else
// unknown. Unknown is not a guess in either direction. The rules below are sound for each single predicate and were
// checked against brute force over readings (tests/engine/when_test.cc); compounds built from them with Kleene logic
// are sound, not complete.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/edtf.h"
#include "engine/result.h"
#include "engine/types.h"

namespace demarche {

enum class Truth : std::uint8_t { kFalse, kUnknown, kTrue };

[[nodiscard]] constexpr Truth truth_and(Truth a, Truth b) { return a < b ? a : b; }
[[nodiscard]] constexpr Truth truth_or(Truth a, Truth b) { return a < b ? b : a; }
[[nodiscard]] constexpr Truth truth_not(Truth a) {
  return a == Truth::kUnknown ? a : (a == Truth::kTrue ? Truth::kFalse : Truth::kTrue);
}

// The date of an interaction: text as written and what it compiles to.
struct When {
  std::string text;
  TimeBounds bounds;
  friend bool operator==(const When&, const When&) = default;
};

// Reads an interaction's date. {..} is refused: an interaction has one date, not all of several.
[[nodiscard]] Result<When> parse_when(std::string_view text);

// x lies wholly before y / after y.
[[nodiscard]] Truth before(const TimeBounds& x, const TimeBounds& y);
[[nodiscard]] Truth after(const TimeBounds& x, const TimeBounds& y);
// x lies within y, ends included.
[[nodiscard]] Truth during(const TimeBounds& x, const TimeBounds& y);
// x and y share an instant.
[[nodiscard]] Truth overlaps(const TimeBounds& x, const TimeBounds& y);

// The begin or end of x alone, as a moment.
[[nodiscard]] TimeBounds begin_of(const TimeBounds& x);
[[nodiscard]] TimeBounds end_of(const TimeBounds& x);

// One fact on both sides: the readings are the same reading. x BEFORE x is false, x DURING x is true, x OVERLAPS x is
// true, whatever its date, and even without one.
enum class TimePredicate : std::uint8_t { kBefore, kAfter, kDuring, kOverlaps };
[[nodiscard]] Truth evaluate(TimePredicate predicate, const TimeBounds& x, const TimeBounds& y);
[[nodiscard]] Truth evaluate_identical(TimePredicate predicate);

// Where an interaction stands to another, for "who spoke with whom before".
enum class Precedence : std::uint8_t {
  kCertain,   // wholly before, under every reading
  kUnderWay,  // begun before for certain, not over before for certain
  kPossible,  // begun before under some reading
  kNot,       // under none
};
[[nodiscard]] Precedence precedence(const TimeBounds& x, const TimeBounds& y);

// "13..15 Jan 2016" (one day within), "14-24 Mar 2016" (lasted), "21 Apr 2016", "from 27 Feb 2016", "undated": for
// people's eyes; `year` is left out of the text when it equals the one given. Qualifiers are kept in front: "~ ",
// "? " or "% ".
[[nodiscard]] std::string format_human(const When& when, std::optional<std::int64_t> omit_year = std::nullopt);

}  // namespace demarche

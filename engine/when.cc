#include "engine/when.h"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace demarche {

namespace {

// A qualified date (? ~ %) may be off by an amount nobody stated, so it proves nothing; what it rules out stays out.
Truth weaken(Truth answer, const TimeBounds& x, const TimeBounds& y) {
  return (x.qualified || y.qualified) && answer == Truth::kTrue ? Truth::kUnknown : answer;
}

constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::int64_t day_of(Timestamp t) {
  const std::int64_t day = t.seconds / kSecondsPerDay;
  return t.seconds % kSecondsPerDay < 0 ? day - 1 : day;
}

struct DayText {
  CivilDay civil;
  bool show_month = true;
  bool show_year = true;
};

std::string render(const DayText& d) {
  std::string out = fmt::format("{}", d.civil.day);
  if (d.show_month) out += fmt::format(" {}", kMonths[d.civil.month - 1]);
  if (d.show_year) out += fmt::format(" {}", d.civil.year);
  return out;
}

// "13..15 Jan 2016": what both ends share is said once.
std::string render_pair(Timestamp first, Timestamp last, const char* joiner, std::optional<std::int64_t> omit_year) {
  DayText a{civil_from_days(day_of(first))};
  DayText b{civil_from_days(day_of(last))};
  b.show_year = b.civil.year != omit_year;
  a.show_year = a.civil.year != b.civil.year;
  a.show_month = a.show_year || a.civil.month != b.civil.month;
  if (day_of(first) == day_of(last)) return render(b);
  return render(a) + joiner + render(b);
}

std::string render_one(Timestamp t, std::optional<std::int64_t> omit_year) { return render_pair(t, t, "", omit_year); }

std::string render_moment(const TimeBounds& b, std::optional<std::int64_t> omit_year) {
  const bool from = b.begin_min.is_finite();
  const bool to = b.end_max.is_finite();
  if (from && to) return render_pair(b.begin_min, b.end_max, "..", omit_year);
  if (to) return "by " + render_one(b.end_max, omit_year);
  if (from) return "on or after " + render_one(b.begin_min, omit_year);
  return "some time";
}

std::string render_span(const TimeBounds& b, std::optional<std::int64_t> omit_year) {
  const bool from = b.begin_min.is_finite();
  const bool to = b.end_max.is_finite();
  if (from && to) return render_pair(b.begin_min, b.end_max, "-", omit_year);
  if (from) {
    const char* note = b.end_min.is_finite() ? ", end unknown" : ", still lasts";
    return "from " + render_one(b.begin_min, omit_year) + note;
  }
  if (to) return "until " + render_one(b.end_max, omit_year);
  return "always";
}

}  // namespace

Result<When> parse_when(std::string_view text) {
  DEMARCHE_TRY(Edtf edtf, parse_edtf(text));
  if (edtf.shape == EdtfShape::kAllOf) {
    return invalid(
        fmt::format("date '{}': {{..}} means all of these dates, an interaction has one; write [..] for one of them, "
                    "or record several",
                    text));
  }
  return When{std::move(edtf.text), edtf.bounds};
}

Truth before(const TimeBounds& x, const TimeBounds& y) {
  if (x.end_max < y.begin_min) return weaken(Truth::kTrue, x, y);
  return x.end_min >= y.begin_max ? Truth::kFalse : Truth::kUnknown;
}

Truth after(const TimeBounds& x, const TimeBounds& y) { return before(y, x); }

Truth during(const TimeBounds& x, const TimeBounds& y) {
  if (x.begin_max < y.begin_min || x.end_min > y.end_max) return Truth::kFalse;
  if (x.is_span && !y.is_span) return Truth::kFalse;  // what lasts does not fit into an instant
  if (x.begin_min >= y.begin_max && x.end_max <= y.end_min) return weaken(Truth::kTrue, x, y);
  return Truth::kUnknown;
}

Truth overlaps(const TimeBounds& x, const TimeBounds& y) {
  if (x.begin_min > y.end_max || y.begin_min > x.end_max) return Truth::kFalse;
  if (x.begin_max <= y.end_min && y.begin_max <= x.end_min) return weaken(Truth::kTrue, x, y);
  return Truth::kUnknown;
}

TimeBounds begin_of(const TimeBounds& x) {
  TimeBounds b = x;
  if (!x.is_span) return b;
  b.is_span = false;
  b.fine_end = x.fine_begin;
  b.end_min = x.begin_min;
  b.end_max = x.begin_max;
  return b;
}

TimeBounds end_of(const TimeBounds& x) {
  TimeBounds b = x;
  if (!x.is_span) return b;
  b.is_span = false;
  b.fine_begin = x.fine_end;
  b.begin_min = x.end_min;
  b.begin_max = x.end_max;
  return b;
}

Truth evaluate(TimePredicate predicate, const TimeBounds& x, const TimeBounds& y) {
  switch (predicate) {
    case TimePredicate::kBefore:
      return before(x, y);
    case TimePredicate::kAfter:
      return after(x, y);
    case TimePredicate::kDuring:
      return during(x, y);
    case TimePredicate::kOverlaps:
      return overlaps(x, y);
  }
  return Truth::kUnknown;
}

Truth evaluate_identical(TimePredicate predicate) {
  const bool holds = predicate == TimePredicate::kDuring || predicate == TimePredicate::kOverlaps;
  return holds ? Truth::kTrue : Truth::kFalse;
}

Precedence precedence(const TimeBounds& x, const TimeBounds& y) {
  if (before(x, y) == Truth::kTrue) return Precedence::kCertain;
  switch (before(begin_of(x), y)) {
    case Truth::kTrue:
      return Precedence::kUnderWay;
    case Truth::kUnknown:
      return Precedence::kPossible;
    case Truth::kFalse:
      return Precedence::kNot;
  }
  return Precedence::kNot;
}

std::string format_human(const When& when, std::optional<std::int64_t> omit_year) {
  if (when.text.empty()) return "undated";
  TimeBounds b = when.bounds;
  if (b.fine_begin && b.fine_end && !b.is_span) {
    // A date-time with an offset is shown by the day it was written with, not by that of UTC.
    if (const auto edtf = parse_edtf(when.text); edtf && edtf->shape == EdtfShape::kDateTime) {
      b.begin_min = b.end_max = {edtf->earliest.day * kSecondsPerDay};
    }
  }
  const std::string days = b.is_span ? render_span(b, omit_year) : render_moment(b, omit_year);
  if (!b.qualified) return days;
  const bool uncertain = when.text.find('?') != std::string::npos;
  const bool approximate = when.text.find('~') != std::string::npos;
  const bool both = when.text.find('%') != std::string::npos || (uncertain && approximate);
  return (both ? "% " : (uncertain ? "? " : "~ ")) + days;
}

}  // namespace demarche

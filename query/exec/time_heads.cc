#include "query/exec/time_heads.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "engine/date_words.h"
#include "engine/edtf.h"
#include "engine/valid_time.h"
#include "query/bind/ast_walk.h"
#include "query/bind/bind_expression.h"
#include "query/exec/evaluate.h"
#include "query/parse/lexer.h"
#include "query/temporal.h"

namespace demarche::query {

namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMicrosMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMicrosMin = std::numeric_limits<std::int64_t>::min();

// Beyond what microseconds can count lies all time that a commit can have.
std::int64_t micros(std::int64_t seconds) {
  if (seconds > kMicrosMax / kMicrosPerSecond - 1) return kMicrosMax;
  if (seconds < kMicrosMin / kMicrosPerSecond + 1) return kMicrosMin;
  return seconds * kMicrosPerSecond;
}
std::int64_t micros_to_end_of(std::int64_t last_second) {
  const std::int64_t next =
      micros(last_second < std::numeric_limits<std::int64_t>::max() ? last_second + 1 : last_second);
  return next == kMicrosMax || next == kMicrosMin ? next : next - 1;
}

tl::unexpected<Error> bad_argument(Span span, std::string message) {
  return runtime_error("ArgumentError", "InvalidDate", span, std::move(message));
}

// An exact time of day: as it is. A day: its end.
std::int64_t system_micros(const CalendarTime& time) {
  if (!has_clock(time.type)) return micros_to_end_of(time.day * kSecondsPerDay + (kSecondsPerDay - 1));
  const std::int64_t second = time.day * kSecondsPerDay + time.nano / kNanosPerSecond - time.offset;
  const std::int64_t whole = micros(second);
  return whole == kMicrosMax || whole == kMicrosMin ? whole : whole + time.nano % kNanosPerSecond / 1000;
}

// Microseconds since 1970 of a system time, UTC.
Result<std::int64_t> system_micros(const Value& value, Span span) {
  if (value.kind() == ValueKind::kDay || value.kind() == ValueKind::kDateTime ||
      value.kind() == ValueKind::kLocalDateTime) {
    return system_micros(value.as_time());
  }
  if (value.kind() != ValueKind::kString && value.kind() != ValueKind::kDate) {
    return runtime_error("TypeError", "InvalidArgumentType", span,
                         fmt::format("FOR SYSTEM_TIME AS OF takes a day or a date-time, found {}",
                                     value.is_null() ? "null" : a_kind(value.kind())));
  }
  const std::string& text = value.kind() == ValueKind::kString ? value.as_string() : value.as_date().text;
  // Recorded times have parts of a second, which EDTF would cut off.
  if (text.find('T') != std::string::npos && text.find('.') != std::string::npos) {
    if (const auto exact = parse_time(TimeType::kDateTime, text)) return system_micros(*exact);
  }
  auto edtf = parse_edtf_or_words(text);
  if (!edtf) return bad_argument(span, edtf.error().message);
  const TimeBounds period = as_period(*edtf);
  const bool plain = edtf->shape == EdtfShape::kDate || edtf->shape == EdtfShape::kDateTime;
  const bool sure = period.begin_min == period.begin_max && period.end_min == period.end_max;
  if (!plain || !sure || period.qualified || !period.end_max.is_finite()) {
    return bad_argument(span, fmt::format("'{}' is not one time; FOR SYSTEM_TIME AS OF takes a day, a month or a year, "
                                          "which mean their end, or a date-time",
                                          text));
  }
  if (edtf->shape == EdtfShape::kDateTime) return micros(period.begin_min.seconds);
  return micros_to_end_of(period.end_max.seconds);
}

Result<CommitNumber> commit_numbered(const Value& value, Span span, CommitNumber last) {
  if (value.kind() != ValueKind::kInteger || value.as_integer() < 0) {
    return runtime_error("TypeError", "InvalidArgumentType", span,
                         fmt::format("the number of a commit is a whole number from 0 on, found {}",
                                     value.kind() == ValueKind::kInteger ? std::to_string(value.as_integer())
                                     : value.is_null()                   ? "null"
                                                                         : a_kind(value.kind())));
  }
  const CommitNumber commit{static_cast<std::uint64_t>(value.as_integer())};
  if (commit <= last) return commit;
  return runtime_error("ArgumentError", "InvalidDate", span,
                       fmt::format("there is no commit {}; the last is {}", commit.value, last.value));
}

// What was committed since the statement began is not seen, whatever the time.
Result<CommitNumber> commit_by(const Value& value, Span span, const Store& store, CommitNumber last) {
  DEMARCHE_TRY(const std::int64_t at, system_micros(value, span));
  DEMARCHE_TRY(const CommitNumber commit, store.commit_at(at));
  return std::min(commit, last);
}

// A system time as text: "2016-05-01", "commit 12".
Result<CommitNumber> commit_named(const Store& store, std::string_view text, CommitNumber last) {
  constexpr std::string_view kCommit = "commit ";
  if (!text.starts_with(kCommit)) return commit_by(Value::string(std::string(text)), {}, store, last);
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + kCommit.size(), end, number);
  if (read.ptr != end || read.ec != std::errc()) {
    return invalid(fmt::format("'{}': the number of a commit is a whole number from 0 on", text));
  }
  return commit_numbered(Value::integer(number), {}, last);
}

class Heads {
 public:
  Heads(std::string_view text, const Store& store, std::shared_ptr<const View> now, const Parameters& parameters)
      : text_(text), store_(store), context_(*now, parameters, QueryLimits{}, nullptr), now_(std::move(now)) {
    out_.view = now_;
  }

  // The clock of knowledge first: what is valid is asked of what was known.
  Result<HeadedView> run(const std::vector<ast::TimeHead>& heads, const std::string& as_of) {
    const bool has_own = std::any_of(heads.begin(), heads.end(), [](const ast::TimeHead& head) {
      return head.clock == ast::TimeHead::Clock::kSystem;
    });
    if (!has_own && !as_of.empty()) {
      DEMARCHE_TRY(const CommitNumber commit, commit_named(store_, as_of, now_->statistics().commit));
      DEMARCHE_CHECK(look_at(commit));
    }
    for (const auto clock : {ast::TimeHead::Clock::kSystem, ast::TimeHead::Clock::kValid}) {
      for (const ast::TimeHead& head : heads) {
        if (head.clock != clock) continue;
        DEMARCHE_CHECK(clock == ast::TimeHead::Clock::kSystem ? apply_system(head) : apply_valid(head));
      }
    }
    return std::move(out_);
  }

 private:
  // Of an expression over nothing but constants and parameters.
  Result<Value> value_of(const ast::Expr& expr) {
    if (contains_subquery(expr)) {
      return fault("SyntaxError", "InvalidArgumentType", expr.span,
                   "what stands after FOR is a date or a parameter; it cannot ask the store");
    }
    bound::Query query;
    const BindContext context{text_, &now_->kinds(), &query};
    DEMARCHE_TRY(const bound::ExprPtr bound, bind_expression(expr, Scope(), context));
    Batch row(query.slot_count);
    for (ColumnValues& column : row.columns) column.emplace_back();
    row.size = 1;
    return evaluate(*bound, row, 0, context_);
  }

  Result<void> apply_system(const ast::TimeHead& head) {
    DEMARCHE_TRY(const Value value, value_of(*head.at));
    DEMARCHE_TRY(const CommitNumber commit, head.form == ast::TimeHead::Form::kCommit
                                                ? commit_numbered(value, head.at->span, now_->statistics().commit)
                                                : commit_by(value, head.at->span, store_, now_->statistics().commit));
    return look_at(commit);
  }

  Result<void> look_at(CommitNumber commit) {
    DEMARCHE_ASSIGN(out_.view, store_.view_at(commit));
    out_.lines.push_back(describe_commit(out_.view->statistics()));
    return {};
  }

  static std::string describe_commit(const Statistics& s) {
    if (s.commit.value == 0) return "system time before the first commit";
    CalendarTime time{TimeType::kDateTime, 0, 0, 0};
    const std::int64_t micros_a_day = kSecondsPerDay * kMicrosPerSecond;
    time.day = s.commit_time_micros / micros_a_day - (s.commit_time_micros % micros_a_day < 0 ? 1 : 0);
    time.nano = (s.commit_time_micros - time.day * micros_a_day) * 1000;
    return fmt::format("system time as of commit {} of {}{}", s.commit.value, to_iso(time),
                       s.commit_time_stated ? " (stated)" : "");
  }

  Result<TimeBounds> date_of(const ast::Expr& expr) {
    DEMARCHE_TRY(const Value value, value_of(expr));
    DEMARCHE_TRY(const auto operand, time_operand(value, expr.span, context_));
    if (!operand) {
      return runtime_error("TypeError", "InvalidArgumentType", expr.span, "FOR VALID_TIME takes a date, found null");
    }
    return operand->bounds;
  }

  Result<void> apply_valid(const ast::TimeHead& head) {
    ValidTime valid;
    DEMARCHE_ASSIGN(valid.period, date_of(*head.at));
    const std::string at(written(*head.at));
    std::string line;
    if (head.form == ast::TimeHead::Form::kFromTo) {
      DEMARCHE_TRY(const TimeBounds to, date_of(*head.to));
      auto period = half_open_period(valid.period, to);
      if (!period) {
        return bad_argument(
            join(head.at->span, head.to->span),
            fmt::format("FROM {} TO {} holds no time: it ends before it begins", at, written(*head.to)));
      }
      valid.period = *period;
      line = fmt::format("overlapping {} until before {}", at, written(*head.to));
    } else if (head.form == ast::TimeHead::Form::kDuring) {
      valid.predicate = TimePredicate::kDuring;
      line = "during " + at;
    } else {
      line = "overlapping " + at;
    }
    if (valid.period.qualified) {
      out_.notices.push_back("FOR VALID_TIME with ? ~ or % leaves nothing certain: no interaction is found");
    }
    const TimeWindow window = valid.window();
    out_.lines.push_back(fmt::format("valid time {}: scans from {} to {}", line,
                                     bound_text(window.begin, "the beginning"), bound_text(window.end, "the end")));
    out_.view = out_.view->within(valid);
    return {};
  }

  static std::string bound_text(Timestamp t, const char* otherwise) {
    return t.is_finite() ? format_instant(t) : std::string(otherwise);
  }
  [[nodiscard]] std::string_view written(const ast::Expr& expr) const {
    return text_.substr(expr.span.offset, expr.span.length);
  }

  std::string_view text_;
  const Store& store_;
  ExecContext context_;
  std::shared_ptr<const View> now_;
  HeadedView out_;
};

}  // namespace

Result<HeadedView> apply_time_heads(const ast::Query& statement, std::string_view text, const Store& store,
                                    std::shared_ptr<const View> now, const Parameters& parameters,
                                    const std::string& as_of) {
  if (statement.heads.empty() && as_of.empty()) return HeadedView{std::move(now), {}, {}};
  return Heads(text, store, std::move(now), parameters).run(statement.heads, as_of);
}

Result<std::shared_ptr<const View>> view_as_of(const Store& store, std::string_view system_time) {
  const auto now = store.view();
  if (system_time.empty()) return now;
  auto commit = commit_named(store, system_time, now->statistics().commit);
  if (commit) return store.view_at(*commit);
  Error error = std::move(commit).error();
  error.fault.reset();  // there is no text of a query that it could point into
  return tl::unexpected(std::move(error));
}

}  // namespace demarche::query

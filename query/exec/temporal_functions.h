// Functions and operators over the exact calendar values of query/temporal.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/result.h"
#include "query/bind/bound.h"
#include "query/exec/context.h"

namespace demarche::query {

[[nodiscard]] bool is_time_function(FunctionId id);

// date(), datetime(), duration() and their kin, X.truncate(), duration.between() ... REQUIRES:
// is_time_function(def.id), no argument is null. Without an argument a constructor gives the moment at which the query
// began, in UTC.
[[nodiscard]] Result<Value> call_time_function(const FunctionDef& def, const std::vector<Value>& arguments, Span span,
                                               const ExecContext& context);

// The day that a date means, if it is one moment within one whole day and not qualified: what its parts are taken from,
// however it was written.
[[nodiscard]] std::optional<std::int64_t> exact_day(const TimeBounds& bounds);

// year, weekDay, minutesOfHour ... REQUIRES: a time, a duration or a date. Of a vague date what it leaves open is null.
// Errors: what the type has not.
[[nodiscard]] Result<Value> time_part(const Value& value, const std::string& name, Span span);

// `+ - * /` where one side is a time or a duration; nullopt if none is. REQUIRES: neither is null.
[[nodiscard]] std::optional<Result<Value>> time_arithmetic(ast::BinaryOp op, const Value& a, const Value& b, Span span);

// The date that a day or a day with a clock is beside the date of a record. Errors: fractions of a second.
[[nodiscard]] Result<DateValue> as_record_date(const CalendarTime& time, Span span);

}  // namespace demarche::query

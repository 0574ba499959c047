#include "query/bind/function_table.h"

#include <algorithm>
#include <array>
#include <utility>

namespace demarche::query {

namespace {

constexpr std::uint8_t kMany = 255;

using F = FunctionId;
constexpr auto kFunctions = std::to_array<FunctionDef>({
    {F::kCount, "count", 1, 1, true, "count(*) | count([DISTINCT] x)", "rows, or values that are not null"},
    {F::kCollect, "collect", 1, 1, true, "collect([DISTINCT] x)", "list of the values that are not null"},
    {F::kMin, "min", 1, 1, true, "min(x)", "least value"},
    {F::kMax, "max", 1, 1, true, "max(x)", "greatest value"},
    {F::kSum, "sum", 1, 1, true, "sum(x)", "sum of numbers, 0 for none"},
    {F::kAvg, "avg", 1, 1, true, "avg(x)", "mean of numbers, null for none"},
    {F::kStDev, "stDev", 1, 1, true, "stDev(x)", "standard deviation of a sample, 0 for fewer than two"},
    {F::kStDevP, "stDevP", 1, 1, true, "stDevP(x)", "standard deviation of all there are"},
    {F::kPercentileCont, "percentileCont", 2, 2, true, "percentileCont(x, p)",
     "value below which the part p (0.0 to 1.0) lies, between two if need be"},
    {F::kPercentileDisc, "percentileDisc", 2, 2, true, "percentileDisc(x, p)", "the same, always one of the values"},
    {F::kId, "id", 1, 1, false, "id(x)", "number of an actor or interaction, stable for ever"},
    {F::kElementId, "elementId", 1, 1, false, "elementId(x)", "the same as text: a12, i34"},
    {F::kType, "type", 1, 1, false, "type(c)", "kind of an interaction"},
    {F::kLabels, "labels", 1, 1, false, "labels(a)", "labels of an actor, or an interaction's kind in a list"},
    {F::kKeys, "keys", 1, 1, false, "keys(x)", "names of the properties that are there"},
    {F::kProperties, "properties", 1, 1, false, "properties(x)", "all properties as a map"},
    {F::kParticipants, "participants", 1, 1, false, "participants(c)", "list of {actor, role, for}"},
    {F::kRole, "role", 2, 2, false, "role(c, a)", "role of an actor in an interaction, null if it took no part"},
    {F::kClaims, "claims", 1, 1, false, "claims(c)", "list of {source, locator, words, published, when, status, note}"},
    {F::kNodes, "nodes", 1, 1, false, "nodes(p)", "actors of a path"},
    {F::kRelationships, "relationships", 1, 1, false, "relationships(p)", "interactions of a path"},
    {F::kLength, "length", 1, 1, false, "length(p)", "number of interactions of a path"},
    {F::kArrival, "arrival", 1, 1, false, "arrival(p)",
     "date on which word arrives along a chronological path; null for other paths, and where no day is known"},
    {F::kDeparture, "departure", 1, 1, false, "departure(p)",
     "date on which word can have left along a chronological path to arrive in order; null as for arrival(p)"},
    {F::kStartNode, "startNode", 1, 1, false, "startNode(c)",
     "actor on the from side of a two-party interaction, else null"},
    {F::kEndNode, "endNode", 1, 1, false, "endNode(c)", "actor on the to side of a two-party interaction, else null"},
    {F::kOffices, "offices", 1, 2, false, "offices(a [, date])",
     "list of {title, of, when, certain}: held at that date for all one knows"},
    {F::kOffice, "office", 1, 2, false, "office(a [, date])",
     "the one of offices(a, date) that is certain and began last; null if none is certain"},
    {F::kMemberships, "memberships", 1, 2, false, "memberships(a [, date])",
     "list of {of, when, certain}: member at that date for all one knows"},
    {F::kDate, "date", 0, 1, false, "date([x])",
     "exact day of a text, a map or another time; missing parts are 1, so use DATE 'text' for vague dates; today"},
    {F::kLocalTime, "localtime", 0, 1, false, "localtime([x])", "time of day"},
    {F::kTime, "time", 0, 1, false, "time([x])", "time of day with an offset"},
    {F::kLocalDateTime, "localdatetime", 0, 1, false, "localdatetime([x])", "day and time of day"},
    {F::kDateTime, "datetime", 0, 1, false, "datetime([x])",
     "day and time of day with an offset, UTC if none is given"},
    {F::kTruncateDate, "date.truncate", 2, 3, false, "date.truncate(unit, x [, parts])", "start of the unit, as a day"},
    {F::kTruncateLocalTime, "localtime.truncate", 2, 3, false, "localtime.truncate(unit, x [, parts])",
     "start of the unit, as a time of day"},
    {F::kTruncateTime, "time.truncate", 2, 3, false, "time.truncate(unit, x [, parts])",
     "start of the unit, as a time of day with an offset"},
    {F::kTruncateLocalDateTime, "localdatetime.truncate", 2, 3, false, "localdatetime.truncate(unit, x [, parts])",
     "start of the unit, as day and time of day"},
    {F::kTruncateDateTime, "datetime.truncate", 2, 3, false, "datetime.truncate(unit, x [, parts])",
     "start of the unit, as day and time of day with an offset"},
    {F::kDuration, "duration", 1, 1, false, "duration(x)", "length of time, of a text such as 'P1M2DT3H' or a map"},
    {F::kBetween, "duration.between", 2, 2, false, "duration.between(a, b)", "from a to b in months, days and seconds"},
    {F::kInMonths, "duration.inMonths", 2, 2, false, "duration.inMonths(a, b)", "from a to b in whole months"},
    {F::kInDays, "duration.inDays", 2, 2, false, "duration.inDays(a, b)", "from a to b in whole days"},
    {F::kInSeconds, "duration.inSeconds", 2, 2, false, "duration.inSeconds(a, b)", "from a to b in seconds"},
    {F::kFromEpoch, "datetime.fromepoch", 1, 2, false, "datetime.fromepoch(seconds [, nanoseconds])",
     "that long after 1970-01-01T00:00Z"},
    {F::kFromEpochMillis, "datetime.fromepochmillis", 1, 1, false, "datetime.fromepochmillis(milliseconds)",
     "that long after 1970-01-01T00:00Z"},
    {F::kNames, "names", 1, 1, false, "names(a)", "all names of an actor, the preferred one first"},
    {F::kCertainty, "certainty", 1, 1, false, "certainty(p)", "'certain', 'possible' or 'no' for a predicate"},
    {F::kSize, "size", 1, 1, false, "size(x)", "length of a list or text"},
    {F::kHead, "head", 1, 1, false, "head(list)", "first element"},
    {F::kLast, "last", 1, 1, false, "last(list)", "last element"},
    {F::kTail, "tail", 1, 1, false, "tail(list)", "all but the first element"},
    {F::kReverse, "reverse", 1, 1, false, "reverse(x)", "list or text backwards"},
    {F::kRange, "range", 2, 3, false, "range(from, to [, step])", "list of integers, both ends included"},
    {F::kToLower, "toLower", 1, 1, false, "toLower(text)", "lower case"},
    {F::kToUpper, "toUpper", 1, 1, false, "toUpper(text)", "upper case"},
    {F::kTrim, "trim", 1, 1, false, "trim(text)", "without white space at the ends"},
    {F::kLTrim, "lTrim", 1, 1, false, "lTrim(text)", "without white space at the beginning"},
    {F::kRTrim, "rTrim", 1, 1, false, "rTrim(text)", "without white space at the end"},
    {F::kSubstring, "substring", 2, 3, false, "substring(text, from [, length])", "part of a text, counted from 0"},
    {F::kReplace, "replace", 3, 3, false, "replace(text, what, by)", "every occurrence replaced"},
    {F::kSplit, "split", 2, 2, false, "split(text, by)", "list of the parts"},
    {F::kLeft, "left", 2, 2, false, "left(text, n)", "first n characters"},
    {F::kRight, "right", 2, 2, false, "right(text, n)", "last n characters"},
    {F::kToString, "toString", 1, 1, false, "toString(x)", "text of a value; dates as written"},
    {F::kToInteger, "toInteger", 1, 1, false, "toInteger(x)", "integer of a number or text, null if the text is none"},
    {F::kToFloat, "toFloat", 1, 1, false, "toFloat(x)", "float of a number or text, null if the text is none"},
    {F::kToBoolean, "toBoolean", 1, 1, false, "toBoolean(x)", "boolean of a text, null if the text is none"},
    {F::kToStringOrNull, "toStringOrNull", 1, 1, false, "toStringOrNull(x)",
     "the same, null for what it does not take"},
    {F::kToIntegerOrNull, "toIntegerOrNull", 1, 1, false, "toIntegerOrNull(x)",
     "the same, null for what it does not take"},
    {F::kToFloatOrNull, "toFloatOrNull", 1, 1, false, "toFloatOrNull(x)", "the same, null for what it does not take"},
    {F::kToBooleanOrNull, "toBooleanOrNull", 1, 1, false, "toBooleanOrNull(x)",
     "the same, null for what it does not take"},
    {F::kToStringList, "toStringList", 1, 1, false, "toStringList(list)", "toStringOrNull of each element"},
    {F::kToIntegerList, "toIntegerList", 1, 1, false, "toIntegerList(list)", "toIntegerOrNull of each element"},
    {F::kToFloatList, "toFloatList", 1, 1, false, "toFloatList(list)", "toFloatOrNull of each element"},
    {F::kToBooleanList, "toBooleanList", 1, 1, false, "toBooleanList(list)", "toBooleanOrNull of each element"},
    {F::kAbs, "abs", 1, 1, false, "abs(x)", "absolute value"},
    {F::kCeil, "ceil", 1, 1, false, "ceil(x)", "least whole float not below"},
    {F::kFloor, "floor", 1, 1, false, "floor(x)", "greatest whole float not above"},
    {F::kRound, "round", 1, 2, false, "round(x [, places])", "nearest float of so many decimal places, halves up"},
    {F::kSign, "sign", 1, 1, false, "sign(x)", "-1, 0 or 1"},
    {F::kSqrt, "sqrt", 1, 1, false, "sqrt(x)", "square root"},
    {F::kExp, "exp", 1, 1, false, "exp(x)", "e to the power of x"},
    {F::kLog, "log", 1, 1, false, "log(x)", "natural logarithm"},
    {F::kLog10, "log10", 1, 1, false, "log10(x)", "logarithm to base 10"},
    {F::kSin, "sin", 1, 1, false, "sin(x)", "sine of radians"},
    {F::kCos, "cos", 1, 1, false, "cos(x)", "cosine of radians"},
    {F::kTan, "tan", 1, 1, false, "tan(x)", "tangent of radians"},
    {F::kCot, "cot", 1, 1, false, "cot(x)", "cotangent of radians"},
    {F::kAsin, "asin", 1, 1, false, "asin(x)", "arc sine in radians"},
    {F::kAcos, "acos", 1, 1, false, "acos(x)", "arc cosine in radians"},
    {F::kAtan, "atan", 1, 1, false, "atan(x)", "arc tangent in radians"},
    {F::kDegrees, "degrees", 1, 1, false, "degrees(x)", "degrees of radians"},
    {F::kRadians, "radians", 1, 1, false, "radians(x)", "radians of degrees"},
    {F::kHaversin, "haversin", 1, 1, false, "haversin(x)", "half the versine of radians"},
    {F::kIsNaN, "isNaN", 1, 1, false, "isNaN(x)", "is it no number (0.0 / 0.0)?"},
    {F::kAtan2, "atan2", 2, 2, false, "atan2(y, x)", "angle of the point in radians"},
    {F::kPi, "pi", 0, 0, false, "pi()", "3.14159..."},
    {F::kE, "e", 0, 0, false, "e()", "2.71828..."},
    {F::kRand, "rand", 0, 0, false, "rand()", "random float from 0.0 up to, not including, 1.0"},
    {F::kCoalesce, "coalesce", 1, kMany, false, "coalesce(x, ...)", "first value that is not null"},
    {F::kExists, "exists", 1, 1, false, "exists(x.property)", "is it there?"},
    {F::kIsEmpty, "isEmpty", 1, 1, false, "isEmpty(x)", "has the list, map or text nothing in it?"},
    {F::kNullIf, "nullIf", 2, 2, false, "nullIf(x, y)", "null if the two are equal, else x"},
    {F::kTimestamp, "timestamp", 0, 0, false, "timestamp()", "milliseconds from 1970 to the begin of the query"},
});

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return low(x) == low(y);
  });
}

}  // namespace

std::span<const FunctionDef> all_functions() { return kFunctions; }

const FunctionDef* find_function(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {{"lower", "toLower"},
                                                                           {"upper", "toUpper"},
                                                                           {"char_length", "size"},
                                                                           {"character_length", "size"},
                                                                           {"ceiling", "ceil"}};
  for (const auto& [other, usual] : kOtherNames) {
    if (same_letters(other, name)) name = usual;
  }
  for (const FunctionDef& def : kFunctions) {
    if (same_letters(def.name, name)) return &def;
  }
  return nullptr;
}

}  // namespace demarche::query

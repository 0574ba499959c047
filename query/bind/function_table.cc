#include "query/bind/function_table.h"

#include <algorithm>
#include <array>

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
    {F::kStartNode, "startNode", 1, 1, false, "startNode(c)",
     "actor on the from side of a two-party interaction, else null"},
    {F::kEndNode, "endNode", 1, 1, false, "endNode(c)", "actor on the to side of a two-party interaction, else null"},
    {F::kOffices, "offices", 1, 2, false, "offices(a [, date])",
     "list of {title, of, when, certain}: held at that date for all one knows"},
    {F::kDate, "date", 1, 1, false, "date(text)",
     "calendar day of a text; the missing parts are 1, so use DATE 'text' for vague dates"},
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
    {F::kSubstring, "substring", 2, 3, false, "substring(text, from [, length])", "part of a text, counted from 0"},
    {F::kReplace, "replace", 3, 3, false, "replace(text, what, by)", "every occurrence replaced"},
    {F::kSplit, "split", 2, 2, false, "split(text, by)", "list of the parts"},
    {F::kLeft, "left", 2, 2, false, "left(text, n)", "first n characters"},
    {F::kRight, "right", 2, 2, false, "right(text, n)", "last n characters"},
    {F::kToString, "toString", 1, 1, false, "toString(x)", "text of a value; dates as written"},
    {F::kToInteger, "toInteger", 1, 1, false, "toInteger(x)", "integer of a number or text, null if it is none"},
    {F::kToFloat, "toFloat", 1, 1, false, "toFloat(x)", "float of a number or text, null if it is none"},
    {F::kToBoolean, "toBoolean", 1, 1, false, "toBoolean(x)", "boolean of a text, null if it is none"},
    {F::kAbs, "abs", 1, 1, false, "abs(x)", "absolute value"},
    {F::kCeil, "ceil", 1, 1, false, "ceil(x)", "least whole float not below"},
    {F::kFloor, "floor", 1, 1, false, "floor(x)", "greatest whole float not above"},
    {F::kRound, "round", 1, 1, false, "round(x)", "nearest whole float, halves up"},
    {F::kSign, "sign", 1, 1, false, "sign(x)", "-1, 0 or 1"},
    {F::kSqrt, "sqrt", 1, 1, false, "sqrt(x)", "square root"},
    {F::kCoalesce, "coalesce", 1, kMany, false, "coalesce(x, ...)", "first value that is not null"},
    {F::kExists, "exists", 1, 1, false, "exists(x.property)", "is it there?"},
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
  for (const FunctionDef& def : kFunctions) {
    if (same_letters(def.name, name)) return &def;
  }
  return nullptr;
}

}  // namespace demarche::query

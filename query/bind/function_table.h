// The functions of the language: names, numbers of arguments, one line of help. What they compute is in
// exec/functions.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace demarche::query {

enum class FunctionId : std::uint8_t {
  // aggregates
  kCount,
  kCollect,
  kMin,
  kMax,
  kSum,
  kAvg,
  // of records
  kId,
  kElementId,
  kType,
  kLabels,
  kKeys,
  kProperties,
  kParticipants,
  kRole,
  kClaims,
  kNodes,
  kRelationships,
  kLength,
  kArrival,
  kStartNode,
  kEndNode,
  kOffices,
  // of dates
  kDate,
  kCertainty,
  // of lists and texts
  kSize,
  kHead,
  kLast,
  kTail,
  kReverse,
  kRange,
  kToLower,
  kToUpper,
  kTrim,
  kSubstring,
  kReplace,
  kSplit,
  kLeft,
  kRight,
  kToString,
  kToInteger,
  kToFloat,
  kToBoolean,
  // of numbers
  kAbs,
  kCeil,
  kFloor,
  kRound,
  kSign,
  kSqrt,
  // others
  kCoalesce,
  kExists,
};

struct FunctionDef {
  FunctionId id;
  std::string_view name;
  std::uint8_t arguments_min;
  std::uint8_t arguments_max;
  bool aggregate;
  std::string_view signature;
  std::string_view help;
};

[[nodiscard]] std::span<const FunctionDef> all_functions();
// Without regard to case; null if there is none.
[[nodiscard]] const FunctionDef* find_function(std::string_view name);

}  // namespace demarche::query

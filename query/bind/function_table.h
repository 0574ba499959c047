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
  kStDev,
  kStDevP,
  kPercentileCont,
  kPercentileDisc,
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
  kDeparture,
  kStartNode,
  kEndNode,
  kOffices,
  kOffice,
  kMemberships,
  kNames,
  kCertainty,
  // of time: all from here to kFromEpochMillis; types in the order of TimeType
  kDate,
  kLocalTime,
  kTime,
  kLocalDateTime,
  kDateTime,
  kTruncateDate,
  kTruncateLocalTime,
  kTruncateTime,
  kTruncateLocalDateTime,
  kTruncateDateTime,
  kDuration,
  kBetween,
  kInMonths,
  kInDays,
  kInSeconds,
  kFromEpoch,
  kFromEpochMillis,
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
  kLTrim,
  kRTrim,
  kSubstring,
  kReplace,
  kSplit,
  kLeft,
  kRight,
  // conversions: plain, OrNull and List in the same order
  kToString,
  kToInteger,
  kToFloat,
  kToBoolean,
  kToStringOrNull,
  kToIntegerOrNull,
  kToFloatOrNull,
  kToBooleanOrNull,
  kToStringList,
  kToIntegerList,
  kToFloatList,
  kToBooleanList,
  // of numbers
  kAbs,
  kCeil,
  kFloor,
  kRound,
  kSign,
  kSqrt,
  kExp,
  kLog,
  kLog10,
  kSin,
  kCos,
  kTan,
  kCot,
  kAsin,
  kAcos,
  kAtan,
  kDegrees,
  kRadians,
  kHaversin,
  kIsNaN,
  kAtan2,
  kPi,
  kE,
  kRand,
  // others
  kCoalesce,
  kExists,
  kIsEmpty,
  kNullIf,
  kTimestamp,
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

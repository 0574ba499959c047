// The procedures that CALL knows: names, typed signatures, options, one line of help. What they answer is in
// exec/procedures.cc and exec/graph_procedures.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/value.h"

namespace demarche::query {

enum class ProcedureId : std::uint8_t {
  kFunctions,
  kKinds,
  kProcedures,
  // on graphs of contacts: all from here on
  kDegree,
  kComponents,
  kCutActors,
  kCoreNumbers,
  kPageRank,
  kBetweenness,
  kCloseness,
  kShortestPaths,
  kCommunities,
  kSilences,
  kBursts,
  kStability,
};
[[nodiscard]] constexpr bool asks_a_graph(ProcedureId id) { return id >= ProcedureId::kDegree; }

// An argument or a column.
struct ProcedureField {
  std::string_view name;
  ValueKind kind = ValueKind::kString;  // as an argument: null and, for a float, an integer may stand there too
  bool optional = false;                // an argument that may be left out; those behind it are optional too
};

// What an entry of the map of options may hold.
enum class OptionType : std::uint8_t {
  kBoolean,
  kNumber,
  kCount,         // a whole number from 0
  kDate,          // a date, text that is one, or an interaction with its own date
  kDuration,      // or text that is one
  kKinds,         // a name, or a list of names
  kInteractions,  // a list
  kActor,         // an actor, or its key or name
};
struct ProcedureOption {
  std::string_view name;
  OptionType type;
};

struct ProcedureDef {
  ProcedureId id;
  std::string_view name;
  std::span<const ProcedureField> arguments;
  std::span<const ProcedureField> columns;
  std::string_view help;
  std::span<const ProcedureOption> options = {};  // of its own
  bool windows = false;                           // takes `every`; its last column is then the period
};

[[nodiscard]] std::span<const ProcedureDef> all_procedures();
// Without regard to case; null if there is none.
[[nodiscard]] const ProcedureDef* find_procedure(std::string_view name);
// kinds() :: (name STRING, ...)
[[nodiscard]] std::string signature(const ProcedureDef& procedure);
// All that the map may hold: its own, and what every procedure on a graph takes.
[[nodiscard]] std::vector<ProcedureOption> options_of(const ProcedureDef& procedure);
[[nodiscard]] std::string_view option_type_name(OptionType type);  // "a number", "a date or an interaction"

}  // namespace demarche::query

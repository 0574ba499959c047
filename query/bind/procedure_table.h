// The procedures that CALL knows: names, typed signatures, one line of help. What they answer is in exec/procedures.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "query/value.h"

namespace demarche::query {

enum class ProcedureId : std::uint8_t { kFunctions, kKinds };

// An argument or a column.
struct ProcedureField {
  std::string_view name;
  ValueKind kind = ValueKind::kString;  // as an argument: null and, for a float, an integer may stand there too
};

struct ProcedureDef {
  ProcedureId id;
  std::string_view name;
  std::span<const ProcedureField> arguments;
  std::span<const ProcedureField> columns;
  std::string_view help;
};

[[nodiscard]] std::span<const ProcedureDef> all_procedures();
// Without regard to case; null if there is none.
[[nodiscard]] const ProcedureDef* find_procedure(std::string_view name);
// kinds() :: (name STRING, ...)
[[nodiscard]] std::string signature(const ProcedureDef& procedure);

}  // namespace demarche::query

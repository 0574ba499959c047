#include "query/bind/procedure_table.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace demarche::query {

namespace {

constexpr auto kFunctionColumns = std::to_array<ProcedureField>({
    {"name", ValueKind::kString},
    {"signature", ValueKind::kString},
    {"aggregate", ValueKind::kBoolean},
    {"help", ValueKind::kString},
});
constexpr auto kKindColumns = std::to_array<ProcedureField>({
    {"name", ValueKind::kString},
    {"parent", ValueKind::kString},
    {"cameo", ValueKind::kString},
    {"plover", ValueKind::kString},
});

constexpr auto kProcedures = std::to_array<ProcedureDef>({
    {ProcedureId::kFunctions, "functions", {}, kFunctionColumns, "the functions of the language"},
    {ProcedureId::kKinds,
     "kinds",
     {},
     kKindColumns,
     "the kinds of interactions of this store, parents before children"},
});

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return low(x) == low(y);
  });
}

std::string fields(std::span<const ProcedureField> list) {
  std::string out;
  for (const ProcedureField& field : list) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", field.name, kind_name(field.kind));
  }
  return out;
}

}  // namespace

std::span<const ProcedureDef> all_procedures() { return kProcedures; }

const ProcedureDef* find_procedure(std::string_view name) {
  for (const ProcedureDef& procedure : kProcedures) {
    if (same_letters(procedure.name, name)) return &procedure;
  }
  return nullptr;
}

std::string signature(const ProcedureDef& procedure) {
  return fmt::format("{}({}) :: ({})", procedure.name, fields(procedure.arguments), fields(procedure.columns));
}

}  // namespace demarche::query

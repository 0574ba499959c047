#include "query/bind/procedure_table.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace demarche::query {

namespace {

using K = ValueKind;
using T = OptionType;

constexpr auto kFunctionColumns = std::to_array<ProcedureField>({
    {"name", K::kString},
    {"signature", K::kString},
    {"aggregate", K::kBoolean},
    {"help", K::kString},
});
constexpr auto kKindColumns = std::to_array<ProcedureField>({
    {"name", K::kString},
    {"parent", K::kString},
    {"cameo", K::kString},
    {"plover", K::kString},
});
constexpr auto kProcedureColumns = std::to_array<ProcedureField>({
    {"name", K::kString},
    {"signature", K::kString},
    {"options", K::kList},
    {"help", K::kString},
});

constexpr auto kGraphArguments = std::to_array<ProcedureField>({{"options", K::kMap, true}});
// Which contacts the graph is made of.
constexpr auto kGraphOptions = std::to_array<ProcedureOption>({
    {"kinds", T::kKinds},
    {"after", T::kDate},
    {"before", T::kDate},
    {"during", T::kDate},
    {"possibly", T::kBoolean},
    {"planned", T::kBoolean},
    {"interactions", T::kInteractions},
});
constexpr ProcedureOption kEvery = {"every", T::kDuration};

constexpr auto kDegreeColumns = std::to_array<ProcedureField>({
    {"actor", K::kActor},
    {"degree", K::kInteger},
    {"strength", K::kInteger},
    {"out_degree", K::kInteger},
    {"in_degree", K::kInteger},
    {"out_strength", K::kInteger},
    {"in_strength", K::kInteger},
    {"period", K::kDate},
});
constexpr auto kDirectedOption = std::to_array<ProcedureOption>({{"directed", T::kBoolean}});
constexpr auto kComponentColumns = std::to_array<ProcedureField>({
    {"actor", K::kActor},
    {"component", K::kInteger},
    {"size", K::kInteger},
    {"period", K::kDate},
});
constexpr auto kComponentOptions = std::to_array<ProcedureOption>({{"strong", T::kBoolean}});
constexpr auto kCutColumns = std::to_array<ProcedureField>({
    {"actor", K::kActor},
    {"pieces", K::kInteger},
    {"period", K::kDate},
});
constexpr auto kCoreColumns = std::to_array<ProcedureField>({
    {"actor", K::kActor},
    {"core", K::kInteger},
    {"period", K::kDate},
});
constexpr auto kScoreColumns = std::to_array<ProcedureField>({
    {"actor", K::kActor},
    {"score", K::kFloat},
    {"period", K::kDate},
});
constexpr auto kPageRankOptions = std::to_array<ProcedureOption>({
    {"damping", T::kNumber},
    {"directed", T::kBoolean},
    {"iterations", T::kCount},
    {"tolerance", T::kNumber},
    {"weighted", T::kBoolean},
});
constexpr auto kBetweennessColumns = std::to_array<ProcedureField>({
    {"actor", K::kActor},
    {"score", K::kFloat},
    {"error", K::kFloat},
    {"period", K::kDate},
});
constexpr auto kBetweennessOptions = std::to_array<ProcedureOption>({
    {"directed", T::kBoolean},
    {"samples", T::kCount},
    {"seed", T::kCount},
});
constexpr auto kClosenessColumns = std::to_array<ProcedureField>({
    {"actor", K::kActor},
    {"score", K::kFloat},
    {"harmonic", K::kFloat},
    {"reached", K::kInteger},
    {"period", K::kDate},
});
constexpr auto kPathColumns = std::to_array<ProcedureField>({
    {"actor", K::kActor},
    {"distance", K::kFloat},
    {"previous", K::kActor},
});
constexpr auto kPathOptions = std::to_array<ProcedureOption>({
    {"directed", T::kBoolean},
    {"from", T::kActor},
    {"to", T::kActor},
    {"weighted", T::kBoolean},
});
constexpr auto kCommunityColumns = std::to_array<ProcedureField>({
    {"actor", K::kActor},
    {"community", K::kInteger},
    {"size", K::kInteger},
    {"modularity", K::kFloat},
    {"period", K::kDate},
});
constexpr auto kCommunityOptions = std::to_array<ProcedureOption>({{"resolution", T::kNumber}});

constexpr auto kSilenceColumns = std::to_array<ProcedureField>({
    {"a", K::kActor},
    {"b", K::kActor},
    {"begin", K::kDate},
    {"end", K::kDate},
    {"days", K::kInteger},
});
constexpr auto kSilenceOptions = std::to_array<ProcedureOption>({{"min", T::kDuration}});
constexpr auto kBurstColumns = std::to_array<ProcedureField>({
    {"a", K::kActor},
    {"b", K::kActor},
    {"begin", K::kDate},
    {"end", K::kDate},
    {"contacts", K::kInteger},
    {"weight", K::kFloat},
});
constexpr auto kBurstOptions = std::to_array<ProcedureOption>({{"gamma", T::kNumber}, {"ratio", T::kNumber}});
constexpr auto kStabilityColumns = std::to_array<ProcedureField>({
    {"a", K::kActor},
    {"b", K::kActor},
    {"periods", K::kInteger},
    {"of", K::kInteger},
    {"longest", K::kInteger},
});

constexpr auto kProcedures = std::to_array<ProcedureDef>({
    {ProcedureId::kFunctions, "functions", {}, kFunctionColumns, "the functions of the language"},
    {ProcedureId::kKinds,
     "kinds",
     {},
     kKindColumns,
     "the kinds of interactions of this store, parents before children"},
    {ProcedureId::kProcedures, "procedures", {}, kProcedureColumns, "the procedures that CALL knows"},
    {ProcedureId::kDegree, "degree", kGraphArguments, kDegreeColumns,
     "actors in contact with each actor, and interactions with them", kDirectedOption, true},
    {ProcedureId::kComponents, "components", kGraphArguments, kComponentColumns,
     "groups of actors that are connected; strong: each reaches each along the arrows", kComponentOptions, true},
    {ProcedureId::kCutActors,
     "cut_actors",
     kGraphArguments,
     kCutColumns,
     "actors without whom others would fall apart, and into how many pieces",
     {},
     true},
    {ProcedureId::kCoreNumbers,
     "core_numbers",
     kGraphArguments,
     kCoreColumns,
     "the greatest k such that the actor is in contact with k actors that all are so among themselves",
     {},
     true},
    {ProcedureId::kPageRank, "pagerank", kGraphArguments, kScoreColumns,
     "share of its time that a walker along contacts spends with each actor", kPageRankOptions, true},
    {ProcedureId::kBetweenness, "betweenness", kGraphArguments, kBetweennessColumns,
     "pairs of others whose shortest paths go through each actor; error of 95 % where sampled", kBetweennessOptions,
     true},
    {ProcedureId::kCloseness, "closeness", kGraphArguments, kClosenessColumns,
     "how few hops away others are from each actor", kDirectedOption, true},
    {ProcedureId::kShortestPaths, "shortest_paths", kGraphArguments, kPathColumns,
     "distance from one actor to each other, or the actors of a shortest path to one", kPathOptions},
    {ProcedureId::kCommunities, "communities", kGraphArguments, kCommunityColumns,
     "groups with more contact among themselves than with others", kCommunityOptions, true},
    {ProcedureId::kSilences, "silences", kGraphArguments, kSilenceColumns,
     "days between two contacts of a pair on which it can have had none", kSilenceOptions},
    {ProcedureId::kBursts, "bursts", kGraphArguments, kBurstColumns,
     "times in which a pair's contacts follow each other faster than usual for it", kBurstOptions},
    {ProcedureId::kStability,
     "stability",
     kGraphArguments,
     kStabilityColumns,
     "in how many of the periods that every makes each pair was in contact, and in how many in a row",
     {},
     true},
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
    out += fmt::format("{}{} {}{}", out.empty() ? "" : ", ", field.name, kind_name(field.kind),
                       field.optional ? " = {}" : "");
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

std::vector<ProcedureOption> options_of(const ProcedureDef& procedure) {
  std::vector<ProcedureOption> out(procedure.options.begin(), procedure.options.end());
  if (!asks_a_graph(procedure.id)) return out;
  out.insert(out.end(), kGraphOptions.begin(), kGraphOptions.end());
  if (procedure.windows) out.push_back(kEvery);
  std::sort(out.begin(), out.end(), [](const ProcedureOption& a, const ProcedureOption& b) { return a.name < b.name; });
  return out;
}

std::string_view option_type_name(OptionType type) {
  switch (type) {
    case T::kBoolean:
      return "true or false";
    case T::kNumber:
      return "a number";
    case T::kCount:
      return "a whole number, 0 or more";
    case T::kDate:
      return "a date or an interaction";
    case T::kDuration:
      return "a duration such as 'P7D'";
    case T::kKinds:
      return "a kind or a list of kinds, as text";
    case T::kInteractions:
      return "a list of interactions";
    case T::kActor:
      return "an actor, or its key or name";
  }
  return "";
}

}  // namespace demarche::query

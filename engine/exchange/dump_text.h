// Records as lines of a dump, and back. Both directions stand side by side; docs/dump.md describes them.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "engine/kind.h"
#include "engine/model.h"
#include "engine/result.h"
#include "engine/types.h"

namespace demarche::dump {

using Json = nlohmann::ordered_json;

inline constexpr int kFormat = 1;

struct Commit {
  CommitNumber number;
  std::int64_t time_micros = 0;
  std::string note;
  std::string id;
  RowNumber next_row;
  ActorId next_actor;
  SourceId next_source;
};
struct End {
  std::uint64_t commits = 0;
  std::uint64_t lines = 0;  // this one included
};

[[nodiscard]] Json to_json(const Commit& commit);
[[nodiscard]] Json to_json(const End& end);
[[nodiscard]] Json to_json(const Kind& kind);
[[nodiscard]] Json to_json(const Source& source);
[[nodiscard]] Json to_json(const Actor& actor);
[[nodiscard]] Json to_json(const Interaction& interaction);

// Errors of all: kInvalidArgument, with the field and what is wrong with it.
[[nodiscard]] Result<Commit> commit_of(const Json& json);
[[nodiscard]] Result<End> end_of(const Json& json);
[[nodiscard]] Result<Kind> kind_of(const Json& json);
[[nodiscard]] Result<Source> source_of(const Json& json);
[[nodiscard]] Result<Actor> actor_of(const Json& json);
[[nodiscard]] Result<Interaction> interaction_of(const Json& json);
// {"actor": 5} or {"interaction": 7}: the other is 0.
struct Retired {
  ActorId actor;
  InteractionId interaction;
};
[[nodiscard]] Json to_json(const Retired& retired);
[[nodiscard]] Result<Retired> retired_of(const Json& json);

}  // namespace demarche::dump

// Values of the record families: Cap'n Proto messages of record.capnp in packed encoding. Decoding checks what it reads
// and answers kCorruption rather than trusting stored bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/kind.h"
#include "engine/model.h"
#include "engine/result.h"

namespace demarche::impl {

struct CommitRecord {
  std::int64_t time_micros = 0;  // UTC since 1970
  RowNumber first_row{1};
  RowNumber next_row{1};
  ActorId next_actor{1};
  SourceId next_source{1};
  std::uint64_t actor_count = 0;
  std::uint64_t interaction_count = 0;
  std::uint64_t source_count = 0;
  std::string note;
  bool time_stated = false;           // by whoever committed, not by the clock
  std::optional<std::string> counts;  // KeptCounts of labels and of what it retired; nullopt: not said
  friend bool operator==(const CommitRecord&, const CommitRecord&) = default;
};

[[nodiscard]] std::string encode_actor(const Actor& actor);
[[nodiscard]] std::string encode_interaction(const Interaction& interaction);
[[nodiscard]] std::string encode_source(const Source& source);
[[nodiscard]] std::string encode_kind(const Kind& kind);
[[nodiscard]] std::string encode_commit(const CommitRecord& commit);

// The id is not in the bytes: it is the key's, and given here. Errors: kCorruption.
[[nodiscard]] Result<Actor> decode_actor(ActorId id, std::string_view bytes);
[[nodiscard]] Result<Interaction> decode_interaction(InteractionId id, std::string_view bytes);
[[nodiscard]] Result<Source> decode_source(SourceId id, std::string_view bytes);
[[nodiscard]] Result<Kind> decode_kind(KindId id, std::string_view bytes);
[[nodiscard]] Result<CommitRecord> decode_commit(std::string_view bytes);

}  // namespace demarche::impl

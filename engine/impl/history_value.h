// A small number with its history, as the families "key", "name" and "label" keep it: what it was from which commit on.
// Bytes: pairs of varints (commit, number), ascending by commit. 0 means that there is nothing (any more).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/impl/bytes.h"
#include "engine/types.h"

namespace demarche::impl {

// The number as of a commit, 0 before the first. nullopt: the bytes are damaged.
[[nodiscard]] inline std::optional<std::uint64_t> history_at(std::string_view bytes, CommitNumber as_of) {
  ByteReader in(bytes);
  std::uint64_t value = 0;
  std::uint64_t last = 0;
  while (in.ok() && in.left() > 0) {
    const std::uint64_t commit = in.varint();
    const std::uint64_t number = in.varint();
    if (commit <= last) return std::nullopt;
    last = commit;
    if (commit <= as_of.value) value = number;
  }
  return in.ok() && last != 0 ? std::optional(value) : std::nullopt;
}

// Adds what holds from `commit` on; what the same commit said before is replaced. REQUIRES: no later commit is there.
inline void history_set(std::string& bytes, CommitNumber commit, std::uint64_t number) {
  ByteReader in(bytes);
  std::size_t keep = 0;
  while (in.ok() && in.left() > 0) {
    if (in.varint() == commit.value) break;
    (void)in.varint();
    keep = bytes.size() - in.left();
  }
  bytes.resize(keep);
  put_varint(bytes, commit.value);
  put_varint(bytes, number);
}

}  // namespace demarche::impl

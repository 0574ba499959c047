// Every record with its history, in order of id, as the stored bytes have it: for checking, repairing and dumping.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/impl/key_codec.h"
#include "engine/impl/kv.h"
#include "engine/impl/plain_page.h"
#include "engine/impl/record_codec.h"
#include "engine/impl/row_block.h"
#include "engine/model.h"
#include "engine/result.h"

namespace demarche::impl {

// Is told of every fault: where, which key in words, and what is wrong. The walk goes on behind it.
using FaultSink = std::function<void(Family family, std::string key, std::string what)>;

// The end of an iterator: a fault if what is stored does not read, else an error is an error.
[[nodiscard]] Result<void> end_of(const KvIterator& it, Family family, const FaultSink& fault);

struct CommitTable {
  std::vector<CommitRecord> commits;  // [0] is commit 1
  CommitNumber sealed;                // rows of commits up to this one are in blocks

  [[nodiscard]] CommitNumber last() const { return CommitNumber{commits.size()}; }
  [[nodiscard]] const CommitRecord& head() const;  // zeroes for the empty store
  // The commit that wrote a row. REQUIRES: 1 <= row < head().next_row.
  [[nodiscard]] CommitNumber commit_of(std::uint64_t row) const;
};
// Checks the chain on the way.
[[nodiscard]] Result<CommitTable> read_commits(const KvReader& reader, const FaultSink& fault);

template <typename T>
struct Version {
  CommitNumber commit;
  std::optional<T> value;  // nullopt: taken back
};
using ActorVersions = std::vector<Version<Actor>>;  // oldest first

[[nodiscard]] Result<void> walk_actors(const KvReader& reader, const FaultSink& fault,
                                       const std::function<void(ActorId id, const ActorVersions& versions)>& call);

struct InteractionHistory {
  InteractionId id;
  bool has_page = false;            // it stands in a page of plain interactions
  bool superseded = false;          // by a record of the same commit: what the page says never held after a commit
  std::optional<Interaction> page;  // what the page says
  std::vector<Version<Interaction>> versions;  // oldest first, that of the page included unless superseded
  std::size_t messages = 0;                    // versions that are messages, damaged ones too
};
// Calls for each interaction in order of id. The history given is lent.
[[nodiscard]] Result<void> walk_interactions(const KvReader& reader, const CommitTable& commits, const FaultSink& fault,
                                             const std::function<Result<void>(const InteractionHistory&)>& call);

// A row as the records want it.
struct RowFact {
  const Interaction* record = nullptr;
  CommitNumber commit;   // which wrote it
  CommitNumber retired;  // 0: not retired
};
// The rows of a history, oldest first.
[[nodiscard]] std::vector<RowFact> rows_of(const InteractionHistory& history);

// What the keys of the families "key", "name" and "label" say of one record, as stretches of commits.
struct Held {
  Family family = Family::kKey;
  std::string key;
  std::uint64_t number = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;  // 0: still
};
[[nodiscard]] Result<std::vector<Held>> held_by(ActorId id, const ActorVersions& versions);
[[nodiscard]] std::vector<Held> held_by(const InteractionHistory& history);

// Stretches of a stored history with a number other than 0. nullopt: the bytes are damaged.
[[nodiscard]] std::optional<std::vector<Held>> stretches_of(Family family, std::string_view key,
                                                            std::string_view bytes);

// "row 17", "actor 5"
[[nodiscard]] std::string words(std::string_view what, std::uint64_t number);

}  // namespace demarche::impl

// What a database says of itself when it is opened or read on: the last commit and what goes with it.
#pragma once

#include <memory>

#include "engine/impl/kv.h"
#include "engine/impl/record_codec.h"
#include "engine/impl/retired_rows.h"
#include "engine/kind.h"
#include "engine/result.h"
#include "engine/types.h"

namespace demarche::impl {

// What a commit leaves behind besides the bytes.
struct Head {
  CommitNumber commit;
  CommitRecord record;
  std::shared_ptr<const KindTable> kinds;
  std::shared_ptr<const RetiredRows> retired;
};

// The last commit. Every commit after `known` must have its record, and the last one must not be before `mark`, the
// high-water mark. Cost: the commits after `known`, all kinds and all retired rows.
// Errors: kCorruption, with the commits that are gone; kIo.
[[nodiscard]] Result<Head> read_head(const KvReader& reader, CommitNumber known, CommitNumber mark);

// The last commit whose rows are sealed into blocks.
[[nodiscard]] Result<CommitNumber> read_sealed(const KvReader& reader);

// The kinds declared up to a commit.
[[nodiscard]] Result<std::shared_ptr<KindTable>> read_kinds(const KvReader& reader, CommitNumber as_of);

}  // namespace demarche::impl

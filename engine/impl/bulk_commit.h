// A large commit without the detour over log, memory and sealing: its rows are sorted into blocks, blocks, records and
// the commit record are written as sorted files, and the database takes all files in at one stroke.
//
// Sorting is by passes over the rows' pages rather than by runs on disk: a pass gathers as many owners, or as long a
// stretch of time, as fit the memory, so a load costs (rows / rows in memory) readings of some 12 bytes a row.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/impl/kept_statistics.h"
#include "engine/impl/kv.h"
#include "engine/impl/page_spool.h"
#include "engine/result.h"
#include "engine/types.h"

namespace demarche::impl {

struct BulkRows {
  const PageSpool* pages = nullptr;  // all rows of the commit, in order of row number
  std::uint64_t rows = 0;
  ActorId next_actor;            // all actors are below
  std::size_t memory_bytes = 0;  // for sorting
  // Of the state that results, but for these rows, which are added.
  KeptStatistics* statistics = nullptr;
};

// Writes blocks and plain pages for the rows, merged into what `stored` holds (null: the store has no rows), the
// statistics, which are put into `batch`, and all of `batch`. Errors: kCorruption, kIo.
[[nodiscard]] Result<void> write_bulk(const BulkRows& rows, const KvReader* stored, KvBatch& batch, KvTables& tables);

}  // namespace demarche::impl

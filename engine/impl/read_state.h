// What a view reads with: one fixed state of the store, sealed and fresh together.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/impl/block_cache.h"
#include "engine/impl/kv.h"
#include "engine/impl/retired_rows.h"
#include "engine/impl/tail.h"
#include "engine/kind.h"
#include "engine/result.h"
#include "engine/row_batch.h"
#include "engine/types.h"
#include "engine/valid_time.h"

namespace demarche::impl {

class StatisticsBase;

struct ReadState {
  std::shared_ptr<const KvReader> reader;          // sealed blocks, pages, records
  std::vector<std::shared_ptr<const Tail>> tails;  // what is committed and not in the reader's blocks
  RowVisibility visible;
  std::uint64_t epoch = 0;  // sealings done so far, for the cache
  std::shared_ptr<BlockCache> cache;
  std::shared_ptr<const StatisticsBase> statistics;  // of the reader's blocks; null: none that can be trusted
  std::optional<ValidTime> valid;  // View::within(): other interactions are passed over
  // Of a transaction: puts what it has added since where reads find it. Empty otherwise.
  std::function<Result<void>()> catch_up;
};

// Which rows a scan wants.
struct RowFilter {
  TimeWindow window;
  KindSet kinds;
};

[[nodiscard]] bool admits(const ValidTime& valid, const Shape& shape, Timestamp begin);

// The blocks of an actor, from the cache or read. `reading`: an iterator to be used again, made when it is needed, for
// those who want many actors in order. Errors: kCorruption, kIo.
[[nodiscard]] Result<std::shared_ptr<const BlockDirectory>> load_directory(
    const ReadState& state, ActorId actor, std::unique_ptr<KvIterator>* reading = nullptr);

// The rows of [first, last) of `block`.
struct RowRange {
  std::size_t first = 0;
  std::size_t last = 0;
};
// Those that begin early enough to meet the window, and late enough for their length class to reach it.
[[nodiscard]] RowRange rows_near(const RowBlock& block, LengthClass length, TimeWindow window);

// Appends the rows of `range` that pass the filter to `out`, in order. `owner` is the actor the block is of, or
// kTimelineOwner. Errors: kCorruption.
[[nodiscard]] Result<void> decode_rows(const ReadState& state, const RowBlock& block, RowRange range,
                                       const RowFilter& filter, std::uint64_t owner, RowBatch& out);

// Appends all rows of the tails that pass the filter, sorted by (begin, row).
[[nodiscard]] Result<void> collect_fresh(const ReadState& state, const RowFilter& filter, std::uint64_t owner,
                                         RowBatch& out);

// The parties of an interaction too large for its row. Errors: kCorruption if they are not there.
[[nodiscard]] Result<std::vector<Party>> listed_parties(const KvReader& reader, std::uint64_t row);

}  // namespace demarche::impl

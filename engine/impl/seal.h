// Sealing: rows of a tail go into the blocks of their owners, and plain interactions into pages.
//
// Blocks are replaced, never changed: the rows of a block that new ones fall into are read, merged and written again
// under the same last key, in as many blocks as they then need; rows behind all others fill up the last block. So a
// fact about the past costs its one block. Everything goes into one batch, together with the mark of what is sealed and
// the removal of the commits' own pages.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/impl/kv.h"
#include "engine/impl/plain_page.h"
#include "engine/impl/row_block.h"
#include "engine/impl/tail.h"
#include "engine/result.h"

namespace demarche::impl {

// Number of the last commit whose rows are sealed; 0: none. Stored in the family "default".
inline constexpr std::string_view kSealedKey = "sealed";
// Number of a commit that was waited for. Written so that there is something to sync; not read. Same family.
inline constexpr std::string_view kSyncedKey = "synced";

// Where sealed bytes go.
class BlockSink {
 public:
  virtual ~BlockSink() = default;
  virtual void put(Family family, std::string_view key, std::string_view value) = 0;
  virtual void remove(Family family, std::string_view key) = 0;
};

// Writes blocks of sorted rows. Keeps its memory; one per thread.
class BlockWriter {
 public:
  explicit BlockWriter(BlockSink& sink) : sink_(sink) {}

  // Writes `rows` as blocks of `owner`, as few as there can be. Nothing of the class may be stored yet.
  void write(std::uint64_t owner, LengthClass length, const RowList& rows, const RowDictionary& dictionary);
  // Merges `rows`, sorted, into what `reader` holds. Errors: kCorruption, kIo.
  [[nodiscard]] Result<void> merge(const KvReader& reader, std::uint64_t owner, LengthClass length, const RowList& rows,
                                   RowDictionary& dictionary);

 private:
  // Writes sorted rows as blocks; `fill`: all but the last are full, else they share the rows evenly.
  void write_blocks(std::uint64_t owner, LengthClass length, std::span<const IndexRow> rows,
                    std::span<const std::uint64_t> others, const RowDictionary& dictionary, bool fill);

  BlockSink& sink_;
  RowBlockEncoder encoder_;
  RowBlock block_;
  RowList merged_;
};

[[nodiscard]] std::string block_key(std::uint64_t owner, LengthClass length, Timestamp last_begin,
                                    std::uint64_t last_row);

// Everything that sealing `tail` changes, up to and with commit `last`. `commits`: those of the tail.
// Errors: kCorruption, kIo.
[[nodiscard]] Result<void> seal_tail(const KvReader& reader, const Tail& tail, std::span<const CommitNumber> commits,
                                     BlockSink& sink);

// The pages of one commit, as the family "commit_rows" holds them.
[[nodiscard]] std::string join_pages(std::span<const std::string> pages);
[[nodiscard]] Result<std::vector<std::string_view>> split_pages(std::string_view bytes);

}  // namespace demarche::impl

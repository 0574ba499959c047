// Sealing: rows of a tail go into the blocks of their owners, and plain interactions into pages.
//
// Blocks are replaced, never changed: the rows of a block that new ones fall into are read, merged and written again
// under the same last key, in as many blocks as they then need; rows behind all others fill up the last block. So a
// fact about the past costs its one block. Everything goes into one batch, together with the mark of what is sealed and
// the removal of the commits' own pages.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
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

// There while the index is being rebuilt: the families are not whole. Same family.
inline constexpr std::string_view kRepairingKey = "repairing";

// Where sealed bytes go.
class BlockSink {
 public:
  virtual ~BlockSink() = default;
  virtual void put(Family family, std::string_view key, std::string_view value) = 0;
  virtual void remove(Family family, std::string_view key) = 0;
};

// Merges sorted rows of one owner and length class into what is stored of them: begin(), add() in order of (begin,
// row), finish(). Holds one block in memory. Keeps its memory for the next owner; one per thread.
class BlockMerger {
 public:
  // `reader` null: nothing is stored. All three are borrowed.
  BlockMerger(const KvReader* reader, BlockSink& sink, RowDictionary& dictionary);
  ~BlockMerger();
  BlockMerger(const BlockMerger&) = delete;
  BlockMerger& operator=(const BlockMerger&) = delete;

  void begin(std::uint64_t owner, LengthClass length);
  // Errors: kCorruption, kIo.
  [[nodiscard]] Result<void> add(const IndexRow& row, std::span<const std::uint64_t> others);
  [[nodiscard]] Result<void> finish();
  // begin(), add() of all rows and finish() at once; `others` is what their others_begin counts in.
  [[nodiscard]] Result<void> merge(std::uint64_t owner, LengthClass length, std::span<const IndexRow> rows,
                                   std::span<const std::uint64_t> others);

 private:
  // Where the next row belongs: into a stored block, or behind all.
  [[nodiscard]] Result<void> find_place(const IndexRow& row);
  [[nodiscard]] Result<void> take_stored();
  // How rows are shared out over blocks: as full as can be; the same, but a last one that is not full is not written;
  // or in blocks of about the same size.
  enum class Fill : std::uint8_t { kFull, kFullOnly, kEven };
  // Returns how many rows were written.
  std::size_t write_blocks(std::span<const IndexRow> rows, std::span<const std::uint64_t> others, Fill fill);
  void write_full_blocks();

  const KvReader* reader_;
  BlockSink& sink_;
  RowDictionary& dictionary_;
  std::array<std::unique_ptr<KvIterator>, 2> iterators_;  // contact, timeline
  RowBlockEncoder encoder_;
  RowBlock block_;

  std::uint64_t owner_ = 0;
  LengthClass length_ = LengthClass::kUnit;
  Family family_ = Family::kContact;
  KvIterator* it_ = nullptr;
  std::string prefix_;
  bool placed_ = false;      // find_place() was asked
  bool behind_ = false;      // rows go behind all stored ones
  IndexRow block_last_;      // else: the last row of the block they go into
  bool last_block_ = false;  // that is the last one stored
  std::string block_key_;    // and its key
  RowList merged_;
  std::size_t merged_weight_ = 0;
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

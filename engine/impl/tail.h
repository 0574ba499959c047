// Rows that are committed and not yet sealed into blocks, in memory: by owner for scans, and as pages by row number for
// their records.
//
// One writer appends; any number of readers collect. What a reader may see is bounded by the row number of its view, so
// what is appended later does not disturb it. Cost of a scan: packed blocks for every 256 rows of an owner, plus the
// rest row by row.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/impl/kept_statistics.h"
#include "engine/impl/plain_page.h"
#include "engine/impl/row_block.h"
#include "engine/result.h"
#include "engine/types.h"

namespace demarche::impl {

// Owner of rows: an actor, or the timeline.
inline constexpr std::uint64_t kTimelineOwner = 0;  // no actor has this id

// A block in memory with its bytes.
struct LoadedBlock {
  std::string bytes;
  RowBlock block;
  LengthClass length = LengthClass::kUnit;
};

class Tail {
 public:
  // Rows an owner has before they are packed.
  static constexpr std::size_t kLooseRowsMax = 256;
  // As many are packed for good when somebody reads them; fewer are packed for the reader alone.
  static constexpr std::size_t kPackForReaders = 16;

  // Writer. Adds one row to the timeline and to each of its actors.
  void append(const RowSource& source);
  // Writer. What a commit changed besides its rows: see KeptCounts.
  void change_counts(const KeptCounts& change);
  // Writer. Keeps a page of the rows appended, for find_plain().
  void append_page(std::string page, std::uint64_t first_row, std::uint64_t last_row);

  [[nodiscard]] std::uint64_t size() const { return size_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t memory_bytes() const { return memory_.load(std::memory_order_relaxed); }

  // Calls `on_block(const LoadedBlock&)` for packed blocks and `on_row(const IndexRow&, const Shape&, const Form&,
  // others)` for loose rows of `owner`. The lock is held meanwhile: be quick. Blocks may be kept.
  template <typename OnBlock, typename OnRow>
  void visit(std::uint64_t owner, OnBlock on_block, OnRow on_row) const {
    if (size() == 0) return;
    const std::shared_lock lock(mutex_);
    const auto at = owners_.find(owner);
    if (at == owners_.end()) return;
    for (const auto& block : at->second.packed) on_block(block);
    for (const IndexRow& row : at->second.loose.rows) {
      const Form& form = dictionary_.form(row.form);
      on_row(row, dictionary_.shape(row.shape), form,
             std::span(at->second.loose.others).subspan(row.others_begin, form.others()));
    }
  }

  // Appends all rows of `owner` as blocks. Loose rows are packed for it: for good if there are some, so that the next
  // reader finds them so.
  void packed_blocks(std::uint64_t owner, std::vector<std::shared_ptr<const LoadedBlock>>& out) const;

  // All rows appended and all changes.
  [[nodiscard]] KeptCounts counts() const;
  // Appends the actors of the rows from entry `from` on, one for each row they are in, and returns how many entries
  // there are now.
  [[nodiscard]] std::size_t entries_from(std::size_t from, std::vector<std::uint64_t>& out) const;
  // Rows of one owner.
  [[nodiscard]] std::uint64_t rows_of(std::uint64_t owner) const;

  // The plain interaction with this row, nullopt if it is not here or not plain. Errors: kCorruption.
  [[nodiscard]] Result<std::optional<Interaction>> find_plain(std::uint64_t row) const;

  // All owners, ascending; for sealing, when nothing is appended any more.
  [[nodiscard]] std::vector<std::uint64_t> owners() const;
  // All rows of `owner` by length class, sorted.
  void collect(std::uint64_t owner, std::array<RowList, kLengthClassCount>& out, RowDictionary& dictionary) const;
  struct Page {
    std::uint64_t first_row = 0;
    std::uint64_t last_row = 0;
    std::string bytes;
  };
  [[nodiscard]] std::span<const Page> pages() const { return pages_; }

 private:
  struct Owner {
    std::vector<std::shared_ptr<const LoadedBlock>> packed;
    RowList loose;
  };
  // Packs the loose rows of `owner` into blocks, appended to `out`.
  static void pack(const RowList& loose, RowDictionary& dictionary, RowBlockEncoder& encoder,
                   std::vector<std::shared_ptr<const LoadedBlock>>& out);

  mutable std::shared_mutex mutex_;  // guards all below
  // Packing changes the form of what is held, not what is held: readers may do it.
  mutable std::unordered_map<std::uint64_t, Owner> owners_;
  mutable RowDictionary dictionary_;
  mutable RowBlockEncoder encoder_;
  std::vector<Page> pages_;
  KeptCounts counts_;
  std::vector<std::uint64_t> entries_;  // actors of all rows, in order of rows
  std::atomic<std::uint64_t> size_ = 0;
  std::atomic<std::size_t> memory_ = 0;
};

}  // namespace demarche::impl

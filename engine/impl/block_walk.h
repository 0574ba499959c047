// All row blocks of one owner that can hold rows of a window, one after the other: sealed ones class by class, then
// those of the tails, loose rows packed on the way.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/impl/read_state.h"

namespace demarche::impl {

class BlockWalk {
 public:
  BlockWalk(std::shared_ptr<const ReadState> read, std::uint64_t owner, TimeWindow window);

  // Begins anew with another actor, and the same window.
  void restart(std::uint64_t owner);
  // The next block and the rows of it that can meet the window; null at the end. Valid until the next call.
  // Errors: kCorruption, kIo.
  [[nodiscard]] Result<const RowBlock*> next(RowRange& range);

 private:
  [[nodiscard]] Result<const RowBlock*> next_sealed(LengthClass& length);
  [[nodiscard]] Result<void> collect_fresh();

  std::shared_ptr<const ReadState> read_;
  std::uint64_t owner_;
  TimeWindow window_;
  std::size_t class_ = 0;
  bool class_begun_ = false;
  std::shared_ptr<const BlockDirectory> directory_;  // of an actor
  std::span<const LoadedBlock> blocks_;
  std::unique_ptr<KvIterator> it_;       // of the timeline
  std::unique_ptr<KvIterator> reading_;  // of actors
  bool advance_ = false;
  RowBlock block_;
  bool fresh_collected_ = false;
  std::vector<std::shared_ptr<const LoadedBlock>> fresh_;
  std::size_t next_fresh_ = 0;
};

}  // namespace demarche::impl

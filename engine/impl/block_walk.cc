#include "engine/impl/block_walk.h"

#include <algorithm>
#include <utility>

#include "engine/impl/key_codec.h"

namespace demarche::impl {

BlockWalk::BlockWalk(std::shared_ptr<const ReadState> read, std::uint64_t owner, TimeWindow window)
    : read_(std::move(read)), owner_(owner), window_(window) {}

void BlockWalk::restart(std::uint64_t owner) {
  owner_ = owner;
  class_ = 0;
  class_begun_ = false;
  directory_ = nullptr;
  fresh_collected_ = false;
  fresh_.clear();
  next_fresh_ = 0;
}

Result<const RowBlock*> BlockWalk::next(RowRange& range) {
  if (window_.begin >= window_.end) return nullptr;
  while (class_ < kLengthClassCount) {
    LengthClass length = LengthClass::kUnit;
    DEMARCHE_TRY(const RowBlock* block, next_sealed(length));
    if (block == nullptr) continue;
    range = rows_near(*block, length, window_);
    if (range.first < range.last) return block;
  }
  if (!fresh_collected_) DEMARCHE_CHECK(collect_fresh());
  while (next_fresh_ < fresh_.size()) {
    const LoadedBlock& loaded = *fresh_[next_fresh_++];
    range = rows_near(loaded.block, loaded.length, window_);
    if (range.first < range.last) return &loaded.block;
  }
  return nullptr;
}

// Null: the class is done, and the next begins.
Result<const RowBlock*> BlockWalk::next_sealed(LengthClass& length) {
  length = static_cast<LengthClass>(class_);
  const auto end_class = [this]() -> const RowBlock* {
    ++class_;
    class_begun_ = false;
    return nullptr;
  };
  const Timestamp from = earliest_begin(length, window_);
  if (owner_ != kTimelineOwner) {
    if (!directory_) DEMARCHE_ASSIGN(directory_, load_directory(*read_, ActorId{owner_}, &reading_));
    if (!std::exchange(class_begun_, true)) {
      const auto& all = directory_->classes[class_];
      const auto first = std::partition_point(
          all.begin(), all.end(), [from](const LoadedBlock& block) { return block.block.last_begin() < from; });
      blocks_ = std::span(all).subspan(static_cast<std::size_t>(first - all.begin()));
    }
    if (blocks_.empty() || blocks_.front().block.first_begin() >= window_.end) return end_class();
    const RowBlock* block = &blocks_.front().block;
    blocks_ = blocks_.subspan(1);
    return block;
  }
  if (!it_) it_ = read_->reader->iterate(Family::kTimeline);
  if (!std::exchange(class_begun_, true)) {
    it_->seek(timeline_key({length, from, RowNumber{0}}));
  } else {
    it_->next();
  }
  if (!it_->valid()) {
    DEMARCHE_CHECK(it_->status());
    return end_class();
  }
  if (it_->key().front() != static_cast<char>(length)) return end_class();
  DEMARCHE_CHECK(block_.parse(it_->value()));
  if (block_.first_begin() >= window_.end) return end_class();
  return &block_;
}

Result<void> BlockWalk::collect_fresh() {
  fresh_collected_ = true;
  if (read_->catch_up) DEMARCHE_CHECK(read_->catch_up());
  for (const auto& tail : read_->tails) {
    if (tail->size() > 0) tail->packed_blocks(owner_, fresh_);
  }
  return {};
}

}  // namespace demarche::impl

#include "engine/impl/seal.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "engine/impl/bytes.h"
#include "engine/impl/key_codec.h"

namespace demarche::impl {

namespace {

// A block is full at so many rows, or so many other actors (a row counts as at least two).
constexpr std::size_t kBlockWeightMax = 2 * kBlockRowsMax;

Family family_of(std::uint64_t owner) { return owner == kTimelineOwner ? Family::kTimeline : Family::kContact; }

auto order_of(const IndexRow& row) { return std::tie(row.begin.seconds, row.row); }

}  // namespace

std::string block_key(std::uint64_t owner, LengthClass length, Timestamp last_begin, std::uint64_t last_row) {
  const TimeKey key{length, last_begin, RowNumber{last_row}};
  return owner == kTimelineOwner ? timeline_key(key) : contact_key(ActorId{owner}, key);
}

BlockMerger::BlockMerger(const KvReader* reader, BlockSink& sink, RowDictionary& dictionary)
    : reader_(reader), sink_(sink), dictionary_(dictionary) {}
BlockMerger::~BlockMerger() = default;

namespace {
std::size_t weight_of(const IndexRow& row, const RowDictionary& dictionary) {
  return std::max<std::size_t>(2, dictionary.form(row.form).others());
}
}  // namespace

void BlockMerger::begin(std::uint64_t owner, LengthClass length) {
  owner_ = owner;
  length_ = length;
  family_ = family_of(owner);
  placed_ = reader_ == nullptr;
  behind_ = placed_;
  merged_.clear();
  merged_weight_ = 0;
  if (reader_ == nullptr) return;
  auto& iterator = iterators_[owner == kTimelineOwner ? 1 : 0];
  if (!iterator) iterator = reader_->iterate(family_);
  it_ = iterator.get();
  prefix_ = owner == kTimelineOwner ? timeline_prefix(length) : contact_prefix(ActorId{owner}, length);
}

Result<void> BlockMerger::take_stored() {
  DEMARCHE_CHECK(block_.parse(it_->value()));
  for (std::size_t i = 0; i < block_.size(); ++i) {
    block_.append_to(merged_, dictionary_, i);
    merged_weight_ += weight_of(merged_.rows.back(), dictionary_);
  }
  return {};
}

Result<void> BlockMerger::find_place(const IndexRow& row) {
  placed_ = true;
  it_->seek(block_key(owner_, length_, row.begin, row.row));
  if (it_->valid() && it_->key().starts_with(prefix_)) {
    behind_ = false;
    DEMARCHE_CHECK(take_stored());
    block_last_ = merged_.rows.back();
    block_key_ = it_->key();
    it_->next();
    last_block_ = !it_->valid() || !it_->key().starts_with(prefix_);
    return it_->status();
  }
  DEMARCHE_CHECK(it_->status());
  behind_ = true;
  it_->seek_for_prev(block_key(owner_, length_, Timestamp::highest(), ~std::uint64_t{0}));
  if (it_->valid() && it_->key().starts_with(prefix_)) {
    DEMARCHE_CHECK(take_stored());
    if (merged_.rows.size() >= kBlockRowsMax || merged_weight_ >= kBlockWeightMax) {
      merged_.clear();  // full: what comes begins another
      merged_weight_ = 0;
    } else {
      sink_.remove(family_, it_->key());
    }
  }
  return it_->status();
}

Result<void> BlockMerger::add(const IndexRow& row, std::span<const std::uint64_t> others) {
  if (placed_ && !behind_ && order_of(block_last_) < order_of(row)) {
    if (last_block_) {
      // Rows within the last block and rows behind it: what is stored is read as it was, so no block is taken twice.
      sink_.remove(family_, block_key_);
      merged_.sort();
      behind_ = true;
    } else {
      DEMARCHE_CHECK(finish());
    }
  }
  if (!placed_) DEMARCHE_CHECK(find_place(row));
  IndexRow copy = row;
  copy.others_begin = static_cast<std::uint32_t>(merged_.others.size());
  merged_.others.insert(merged_.others.end(), others.begin(), others.end());
  merged_.rows.push_back(copy);
  merged_weight_ += weight_of(row, dictionary_);
  if (behind_ && (merged_.rows.size() >= 4 * kBlockRowsMax || merged_weight_ >= 4 * kBlockWeightMax)) {
    write_full_blocks();
  }
  return {};
}

Result<void> BlockMerger::finish() {
  if (!behind_) merged_.sort();
  write_blocks(merged_.rows, merged_.others, behind_ ? Fill::kFull : Fill::kEven);
  merged_.clear();
  merged_weight_ = 0;
  placed_ = false;
  return {};
}

Result<void> BlockMerger::merge(std::uint64_t owner, LengthClass length, std::span<const IndexRow> rows,
                                std::span<const std::uint64_t> others) {
  begin(owner, length);
  if (reader_ == nullptr) {  // nothing to merge with: no copy
    write_blocks(rows, others, Fill::kFull);
    return {};
  }
  for (const IndexRow& row : rows) {
    DEMARCHE_CHECK(add(row, others.subspan(row.others_begin, dictionary_.form(row.form).others())));
  }
  return finish();
}

void BlockMerger::write_full_blocks() {
  const std::size_t written = write_blocks(merged_.rows, merged_.others, Fill::kFullOnly);
  RowList rest;
  merged_weight_ = 0;
  for (std::size_t i = written; i < merged_.rows.size(); ++i) {
    IndexRow row = merged_.rows[i];
    const auto others = std::span(merged_.others).subspan(row.others_begin, dictionary_.form(row.form).others());
    row.others_begin = static_cast<std::uint32_t>(rest.others.size());
    rest.others.insert(rest.others.end(), others.begin(), others.end());
    rest.rows.push_back(row);
    merged_weight_ += weight_of(row, dictionary_);
  }
  merged_ = std::move(rest);
}

std::size_t BlockMerger::write_blocks(std::span<const IndexRow> rows, std::span<const std::uint64_t> others,
                                      Fill fill) {
  std::size_t weight_each = kBlockWeightMax;
  std::size_t rows_each = kBlockRowsMax;
  if (fill == Fill::kEven) {
    std::size_t weight = 0;
    for (const IndexRow& row : rows) weight += weight_of(row, dictionary_);
    const std::size_t blocks =
        std::max((rows.size() + kBlockRowsMax - 1) / kBlockRowsMax, (weight + kBlockWeightMax - 1) / kBlockWeightMax);
    if (blocks > 1) {
      rows_each = (rows.size() + blocks - 1) / blocks;
      weight_each = (weight + blocks - 1) / blocks;
    }
  }
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t last = first;
    std::size_t weight = 0;
    while (last < rows.size() && (last == first || weight < weight_each) && last - first < rows_each) {
      weight += weight_of(rows[last++], dictionary_);
    }
    if (fill == Fill::kFullOnly && last == rows.size()) return first;
    const IndexRow& end = rows[last - 1];
    sink_.put(family_, block_key(owner_, length_, end.begin, end.row),
              encoder_.encode(rows.subspan(first, last - first), others, dictionary_));
    first = last;
  }
  return rows.size();
}

Result<void> seal_tail(const KvReader& reader, const Tail& tail, std::span<const CommitNumber> commits,
                       BlockSink& sink) {
  RowDictionary dictionary;
  BlockMerger merger(&reader, sink, dictionary);
  std::array<RowList, kLengthClassCount> lists;
  for (const std::uint64_t owner : tail.owners()) {
    tail.collect(owner, lists, dictionary);
    for (std::size_t i = 0; i < lists.size(); ++i) {
      if (lists[i].rows.empty()) continue;
      DEMARCHE_CHECK(merger.merge(owner, static_cast<LengthClass>(i), lists[i].rows, lists[i].others));
    }
  }

  RowBlockEncoder encoder;
  PageRows plain;
  const auto write_page = [&] {
    if (plain.fields.empty()) return;
    sink.put(Family::kPlain, encode_u64(plain.list.rows.back().row),
             encode_page(plain, 0, plain.fields.size(), dictionary, encoder));
    plain.clear();
  };
  PlainPage page;
  for (const Tail::Page& stored : tail.pages()) {
    DEMARCHE_CHECK(page.parse(stored.bytes));
    for (std::size_t i = 0; i < page.rows().size(); ++i) {
      const PlainFields fields = page.fields(i);
      if (fields.text == DateTextForm::kRich) continue;
      page.rows().append_to(plain.list, dictionary, i);
      plain.fields.push_back(fields);
      if (plain.fields.size() == kPageRowsMax) write_page();
    }
  }
  write_page();

  for (const CommitNumber commit : commits) sink.remove(Family::kCommitRows, commit_key(commit));
  if (!commits.empty()) sink.put(Family::kMeta, kSealedKey, encode_u64(commits.back().value));
  return {};
}

std::string join_pages(std::span<const std::string> pages) {
  std::string out;
  for (const std::string& page : pages) {
    put_varint(out, page.size());
    out += page;
  }
  return out;
}

Result<std::vector<std::string_view>> split_pages(std::string_view bytes) {
  ByteReader in(bytes);
  std::vector<std::string_view> out;
  while (in.ok() && in.left() > 0) out.push_back(in.bytes(in.varint()));
  if (!in.ok()) {
    return make_error(ErrorCode::kCorruption, "the rows of a commit are cut short; stop writing to this store");
  }
  return out;
}

}  // namespace demarche::impl

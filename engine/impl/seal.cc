#include "engine/impl/seal.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "engine/impl/bytes.h"
#include "engine/impl/key_codec.h"

namespace demarche::impl {

namespace {

// A block is full at so many rows, or so many other actors.
constexpr std::size_t kBlockOthersMax = 2 * kBlockRowsMax;

Family family_of(std::uint64_t owner) { return owner == kTimelineOwner ? Family::kTimeline : Family::kContact; }

auto order_of(const IndexRow& row) { return std::tie(row.begin.seconds, row.row); }

}  // namespace

std::string block_key(std::uint64_t owner, LengthClass length, Timestamp last_begin, std::uint64_t last_row) {
  const TimeKey key{length, last_begin, RowNumber{last_row}};
  return owner == kTimelineOwner ? timeline_key(key) : contact_key(ActorId{owner}, key);
}

void BlockWriter::write_blocks(std::uint64_t owner, LengthClass length, std::span<const IndexRow> rows,
                               std::span<const std::uint64_t> others, const RowDictionary& dictionary, bool fill) {
  std::size_t weight = 0;
  for (const IndexRow& row : rows) weight += std::max<std::size_t>(2, dictionary.form(row.form).others());
  const std::size_t blocks = (weight + kBlockOthersMax - 1) / kBlockOthersMax;
  const std::size_t weight_each = fill || blocks == 0 ? kBlockOthersMax : (weight + blocks - 1) / blocks;
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t last = first;
    std::size_t taken = 0;
    while (last < rows.size() && (last == first || taken < weight_each) && last - first < kBlockRowsMax) {
      taken += std::max<std::size_t>(2, dictionary.form(rows[last].form).others());
      ++last;
    }
    const IndexRow& end = rows[last - 1];
    sink_.put(family_of(owner), block_key(owner, length, end.begin, end.row),
              encoder_.encode(rows.subspan(first, last - first), others, dictionary));
    first = last;
  }
}

void BlockWriter::write(std::uint64_t owner, LengthClass length, const RowList& rows, const RowDictionary& dictionary) {
  write_blocks(owner, length, rows.rows, rows.others, dictionary, /*fill=*/true);
}

Result<void> BlockWriter::merge(const KvReader& reader, std::uint64_t owner, LengthClass length, const RowList& rows,
                                RowDictionary& dictionary) {
  const Family family = family_of(owner);
  const std::string prefix = owner == kTimelineOwner ? timeline_prefix(length) : contact_prefix(ActorId{owner}, length);
  const auto it = reader.iterate(family);
  const auto take_stored = [&]() -> Result<void> {
    DEMARCHE_CHECK(block_.parse(it->value()));
    merged_.clear();
    for (std::size_t i = 0; i < block_.size(); ++i) block_.append_to(merged_, dictionary, i);
    return {};
  };
  const auto take_new = [&](std::size_t i) {
    IndexRow row = rows.rows[i];
    const auto others = std::span(rows.others).subspan(row.others_begin, dictionary.form(row.form).others());
    row.others_begin = static_cast<std::uint32_t>(merged_.others.size());
    merged_.others.insert(merged_.others.end(), others.begin(), others.end());
    merged_.rows.push_back(row);
  };
  for (std::size_t next = 0; next < rows.rows.size();) {
    const IndexRow& row = rows.rows[next];
    it->seek(block_key(owner, length, row.begin, row.row));
    if (it->valid() && it->key().starts_with(prefix)) {
      // Rows up to this block's last go into it; its last block keeps the key.
      DEMARCHE_CHECK(take_stored());
      const IndexRow last = merged_.rows.back();
      while (next < rows.rows.size() && order_of(rows.rows[next]) < order_of(last)) take_new(next++);
      merged_.sort();
      write_blocks(owner, length, merged_.rows, merged_.others, dictionary, /*fill=*/false);
      continue;
    }
    DEMARCHE_CHECK(it->status());
    merged_.clear();
    it->seek_for_prev(block_key(owner, length, Timestamp::highest(), ~std::uint64_t{0}));
    if (it->valid() && it->key().starts_with(prefix)) {
      DEMARCHE_CHECK(take_stored());
      if (merged_.rows.size() >= kBlockRowsMax || merged_.others.size() >= kBlockOthersMax) {
        merged_.clear();
      } else {
        sink_.remove(family, it->key());
      }
    }
    DEMARCHE_CHECK(it->status());
    while (next < rows.rows.size()) take_new(next++);
    write_blocks(owner, length, merged_.rows, merged_.others, dictionary, /*fill=*/true);
  }
  return {};
}

Result<void> seal_tail(const KvReader& reader, const Tail& tail, std::span<const CommitNumber> commits,
                       BlockSink& sink) {
  BlockWriter writer(sink);
  RowDictionary dictionary;
  std::array<RowList, kLengthClassCount> lists;
  for (const std::uint64_t owner : tail.owners()) {
    tail.collect(owner, lists, dictionary);
    for (std::size_t i = 0; i < lists.size(); ++i) {
      if (lists[i].rows.empty()) continue;
      DEMARCHE_CHECK(writer.merge(reader, owner, static_cast<LengthClass>(i), lists[i], dictionary));
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

#include "engine/impl/tail.h"

#include <algorithm>
#include <cassert>
#include <mutex>
#include <utility>

namespace demarche::impl {

namespace {

// Sorts rows into their length classes.
void split_by_class(const RowList& in, const RowDictionary& from, std::array<RowList, kLengthClassCount>& out,
                    RowDictionary& to) {
  for (const IndexRow& row : in.rows) {
    const Shape& shape = from.shape(row.shape);
    const Form& form = from.form(row.form);
    RowList& list = out[static_cast<std::size_t>(length_class(shape.bounds(row.begin)))];
    IndexRow copy = row;
    copy.shape = to.intern(shape);
    copy.form = to.intern(form);
    copy.others_begin = static_cast<std::uint32_t>(list.others.size());
    const auto others = std::span(in.others).subspan(row.others_begin, form.others());
    list.others.insert(list.others.end(), others.begin(), others.end());
    list.rows.push_back(copy);
  }
}

}  // namespace

void Tail::append(const RowSource& source) {
  const std::unique_lock lock(mutex_);
  const auto add = [&](Owner& owner) {
    if (owner.loose.rows.size() < kLooseRowsMax) return;
    pack(owner.loose, dictionary_, encoder_, owner.packed);
    owner.loose.clear();
  };
  Owner& timeline = owners_[kTimelineOwner];
  append_timeline_row(timeline.loose, dictionary_, source);
  add(timeline);
  const std::size_t entries_before = entries_.size();
  for (std::size_t i = 0; i < source.parties.size(); ++i) {
    const ActorId actor = source.parties[i].actor;
    const auto earlier = source.parties.first(i);
    if (std::any_of(earlier.begin(), earlier.end(), [actor](const Party& p) { return p.actor == actor; })) continue;
    Owner& owner = owners_[actor.value];
    append_actor_row(owner.loose, dictionary_, source, actor);
    add(owner);
    entries_.push_back(actor.value);
  }
  counts_.add_row(source.kind, source.bounds.has_value(),
                  source.bounds ? source.bounds->begin_min : Timestamp::lowest(), entries_.size() - entries_before, 1);
  memory_.fetch_add((sizeof(IndexRow) + sizeof(std::uint64_t)) * (1 + source.parties.size()) +
                        sizeof(std::uint64_t) * source.parties.size(),
                    std::memory_order_relaxed);
  size_.fetch_add(1, std::memory_order_release);
}

void Tail::change_counts(const KeptCounts& change) {
  const std::unique_lock lock(mutex_);
  counts_.add(change);
}

KeptCounts Tail::counts() const {
  const std::shared_lock lock(mutex_);
  return counts_;
}

std::size_t Tail::entries_from(std::size_t from, std::vector<std::uint64_t>& out) const {
  const std::shared_lock lock(mutex_);
  out.insert(out.end(), entries_.begin() + static_cast<std::ptrdiff_t>(from), entries_.end());
  return entries_.size();
}

std::uint64_t Tail::rows_of(std::uint64_t owner) const {
  const std::shared_lock lock(mutex_);
  const auto at = owners_.find(owner);
  if (at == owners_.end()) return 0;
  std::uint64_t rows = at->second.loose.rows.size();
  for (const auto& block : at->second.packed) rows += block->block.size();
  return rows;
}

void Tail::append_page(std::string page, std::uint64_t first_row, std::uint64_t last_row) {
  const std::unique_lock lock(mutex_);
  memory_.fetch_add(page.size() + sizeof(Page), std::memory_order_relaxed);
  pages_.push_back({first_row, last_row, std::move(page)});
}

void Tail::pack(const RowList& loose, RowDictionary& dictionary, RowBlockEncoder& encoder,
                std::vector<std::shared_ptr<const LoadedBlock>>& out) {
  std::array<RowList, kLengthClassCount> lists;
  split_by_class(loose, dictionary, lists, dictionary);
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (lists[i].rows.empty()) continue;
    lists[i].sort();
    auto block = std::make_shared<LoadedBlock>();
    block->bytes = encoder.encode(lists[i].rows, lists[i].others, dictionary);
    block->length = static_cast<LengthClass>(i);
    [[maybe_unused]] const auto parsed = block->block.parse(block->bytes);
    assert(parsed);
    out.push_back(std::move(block));
  }
}

void Tail::packed_blocks(std::uint64_t owner, std::vector<std::shared_ptr<const LoadedBlock>>& out) const {
  {
    const std::shared_lock lock(mutex_);
    const auto at = owners_.find(owner);
    if (at == owners_.end()) return;
    const Owner& found = at->second;
    if (found.loose.rows.size() < kPackForReaders) {
      out.insert(out.end(), found.packed.begin(), found.packed.end());
      if (found.loose.rows.empty()) return;
      RowDictionary dictionary;
      RowBlockEncoder encoder;
      RowList loose;
      for (IndexRow row : found.loose.rows) {
        const auto others =
            std::span(found.loose.others).subspan(row.others_begin, dictionary_.form(row.form).others());
        row.shape = dictionary.intern(dictionary_.shape(row.shape));
        row.form = dictionary.intern(dictionary_.form(row.form));
        row.others_begin = static_cast<std::uint32_t>(loose.others.size());
        loose.others.insert(loose.others.end(), others.begin(), others.end());
        loose.rows.push_back(row);
      }
      pack(loose, dictionary, encoder, out);
      return;
    }
  }
  const std::unique_lock lock(mutex_);
  Owner& found = owners_[owner];
  if (!found.loose.rows.empty()) {
    pack(found.loose, dictionary_, encoder_, found.packed);
    found.loose.clear();
  }
  out.insert(out.end(), found.packed.begin(), found.packed.end());
}

Result<std::optional<Interaction>> Tail::find_plain(std::uint64_t row) const {
  const std::shared_lock lock(mutex_);
  const auto page =
      std::partition_point(pages_.begin(), pages_.end(), [row](const Page& p) { return p.last_row < row; });
  if (page == pages_.end() || page->first_row > row) return std::nullopt;
  PlainPage reader;
  DEMARCHE_CHECK(reader.parse(page->bytes));
  const auto at = reader.find_row(row);
  if (!at || reader.fields(*at).text == DateTextForm::kRich) return std::nullopt;
  DEMARCHE_TRY(Interaction found, reader.interaction(*at));
  return std::optional(std::move(found));
}

std::vector<std::uint64_t> Tail::owners() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::uint64_t> out;
  out.reserve(owners_.size());
  for (const auto& [id, owner] : owners_) out.push_back(id);
  std::sort(out.begin(), out.end());
  return out;
}

void Tail::collect(std::uint64_t owner, std::array<RowList, kLengthClassCount>& out, RowDictionary& dictionary) const {
  const std::shared_lock lock(mutex_);
  for (RowList& list : out) list.clear();
  const auto at = owners_.find(owner);
  if (at == owners_.end()) return;
  for (const auto& packed : at->second.packed) {
    for (std::size_t i = 0; i < packed->block.size(); ++i) {
      packed->block.append_to(out[static_cast<std::size_t>(packed->length)], dictionary, i);
    }
  }
  split_by_class(at->second.loose, dictionary_, out, dictionary);
  for (RowList& list : out) list.sort();
}

}  // namespace demarche::impl

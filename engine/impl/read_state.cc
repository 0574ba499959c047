#include "engine/impl/read_state.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/key_codec.h"

namespace demarche::impl {

namespace {

Error damaged(std::string what) {
  return {ErrorCode::kCorruption, std::move(what) + "; stop writing to this store", nullptr};
}

// Appends the parties of one row. `others` gives the actors that stand in it.
template <typename Other>
Result<void> append_parties(const KvReader& reader, const Form& form, std::uint64_t row, std::uint64_t owner,
                            Other other, RowBatch& out) {
  if (form.listed) {
    DEMARCHE_TRY(const std::vector<Party> parties, listed_parties(reader, row));
    out.parties.insert(out.parties.end(), parties.begin(), parties.end());
  } else {
    std::size_t next = 0;
    for (std::size_t i = 0; i < form.count; ++i) {
      const std::uint16_t agent = form.agent[i] == Form::kNoAgent ? Party::kNoAgent : form.agent[i];
      out.parties.push_back({form.is_self(i) ? ActorId{owner} : other(next++), form.role[i], agent});
    }
  }
  out.party_begin.push_back(static_cast<std::uint32_t>(out.parties.size()));
  return {};
}

void append_row(const Shape& shape, Timestamp begin, std::uint64_t row, std::uint64_t interaction, KindId kind,
                RowBatch& out) {
  out.row.push_back(RowNumber{row});
  out.interaction.push_back(InteractionId{interaction});
  out.kind.push_back(kind);
  out.status.push_back(shape.status);
  out.dated.push_back((shape.flags & Shape::kDated) != 0 ? 1 : 0);
  out.bounds.push_back(shape.bounds(begin));
}

}  // namespace

bool admits(const ValidTime& valid, const Shape& shape, Timestamp begin) {
  return valid.admits((shape.flags & Shape::kDated) != 0, shape.bounds(begin));
}

Result<std::vector<Party>> listed_parties(const KvReader& reader, std::uint64_t row) {
  DEMARCHE_TRY(const auto bytes, reader.get(Family::kParticipants, encode_u64(row)));
  if (!bytes) return tl::unexpected(damaged(fmt::format("participants: the list of row {} is not there", row)));
  return decode_parties(*bytes);
}

Result<std::shared_ptr<const BlockDirectory>> load_directory(const ReadState& state, ActorId actor,
                                                             std::unique_ptr<KvIterator>* reading) {
  if (auto cached = state.cache->find(actor.value, state.epoch)) return cached;
  auto directory = std::make_shared<BlockDirectory>();
  const std::string prefix = encode_u64(actor.value);
  std::unique_ptr<KvIterator> own;
  std::unique_ptr<KvIterator>& it = reading != nullptr ? *reading : own;
  if (!it) it = state.reader->iterate(Family::kContact);
  for (it->seek(prefix); it->valid() && it->key().starts_with(prefix); it->next()) {
    const auto key = decode_contact_key(it->key());
    if (!key)
      return tl::unexpected(
          damaged(fmt::format("contact_by_actor_time: a key of actor {} has the wrong form", actor.value)));
    LoadedBlock block;
    block.bytes = it->value();
    block.length = key->length;
    directory->classes[static_cast<std::size_t>(key->length)].push_back(std::move(block));
  }
  DEMARCHE_CHECK(it->status());
  directory->bytes = sizeof(BlockDirectory);
  for (auto& blocks : directory->classes) {
    blocks.shrink_to_fit();
    for (LoadedBlock& block : blocks) {
      DEMARCHE_CHECK(block.block.parse(block.bytes));
      directory->rows += block.block.size();
      directory->bytes += sizeof(LoadedBlock) + block.bytes.capacity() + block.block.memory_bytes();
    }
  }
  state.cache->insert(actor.value, state.epoch, directory);
  return directory;
}

RowRange rows_near(const RowBlock& block, LengthClass length, TimeWindow window) {
  if (window.begin >= window.end || block.end_max_greatest() < window.begin) return {};
  const std::size_t first = block.lower_bound(earliest_begin(length, window));
  return {first, block.lower_bound(window.end, first)};
}

Result<void> decode_rows(const ReadState& state, const RowBlock& block, RowRange range, const RowFilter& filter,
                         std::uint64_t owner, RowBatch& out) {
  const bool all_seen = state.visible.sees_all(block.row_floor(), block.row_ceiling());
  const bool all_kinds =
      filter.kinds.is_any() || std::all_of(block.kinds().begin(), block.kinds().end(),
                                           [&](std::uint32_t k) { return filter.kinds.contains(KindId{k}); });
  const bool all_reach = block.end_max_least() >= filter.window.begin;
  for (std::size_t i = range.first; i < range.last; ++i) {
    const KindId kind = block.kind(i);
    if (!all_kinds && !filter.kinds.contains(kind)) continue;
    const Shape& shape = block.shape(i);
    const Timestamp begin = block.begin(i);
    if (!all_reach && shape.end_max(begin) < filter.window.begin) continue;
    const std::uint64_t row = block.row(i);
    if (!all_seen && !state.visible.sees(row)) continue;
    if (state.valid && !admits(*state.valid, shape, begin)) continue;
    if (kind.value == 0 || (shape.flags & Shape::kDamaged) != 0) {
      return tl::unexpected(damaged(fmt::format("row {} points outside its block's dictionary", row)));
    }
    append_row(shape, begin, row, block.interaction(i), kind, out);
    const std::size_t first = block.others_begin(i);
    DEMARCHE_CHECK(append_parties(
        *state.reader, block.form(i), row, owner, [&](std::size_t k) { return block.other(first + k); }, out));
  }
  return {};
}

namespace {

// Puts the rows of `batch` in order of (begin, row).
void sort_batch(RowBatch& batch) {
  const auto less = [&batch](std::size_t a, std::size_t b) {
    return std::tie(batch.bounds[a].begin_min, batch.row[a]) < std::tie(batch.bounds[b].begin_min, batch.row[b]);
  };
  std::vector<std::size_t> order(batch.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (std::is_sorted(order.begin(), order.end(), less)) return;
  std::sort(order.begin(), order.end(), less);
  RowBatch sorted;
  for (const std::size_t i : order) sorted.append(batch, i);
  batch = std::move(sorted);
}

}  // namespace

Result<void> collect_fresh(const ReadState& state, const RowFilter& filter, std::uint64_t owner, RowBatch& out) {
  for (const auto& tail : state.tails) {
    std::vector<std::shared_ptr<const LoadedBlock>> blocks;
    struct Listed {
      IndexRow row;
      Shape shape;
      Form form;
    };
    std::vector<Listed> listed;  // their parties are read once the tail's lock is given back
    Result<void> status;
    tail->visit(
        owner, [&](const std::shared_ptr<const LoadedBlock>& block) { blocks.push_back(block); },
        [&](const IndexRow& row, const Shape& shape, const Form& form, std::span<const std::uint64_t> others) {
          if (row.begin >= filter.window.end || shape.end_max(row.begin) < filter.window.begin) return;
          if (!filter.kinds.contains(KindId{row.kind}) || !state.visible.sees(row.row)) return;
          if (state.valid && !admits(*state.valid, shape, row.begin)) return;
          if (form.listed) {
            listed.push_back({row, shape, form});
            return;
          }
          append_row(shape, row.begin, row.row, row.interaction, KindId{row.kind}, out);
          (void)append_parties(  // cannot fail: nothing is read
              *state.reader, form, row.row, owner, [&](std::size_t k) { return ActorId{others[k]}; }, out);
        });
    for (const Listed& one : listed) {
      append_row(one.shape, one.row.begin, one.row.row, one.row.interaction, KindId{one.row.kind}, out);
      DEMARCHE_CHECK(append_parties(
          *state.reader, one.form, one.row.row, owner, [](std::size_t) { return ActorId{}; }, out));
    }
    for (const auto& block : blocks) {
      const RowRange range = rows_near(block->block, block->length, filter.window);
      DEMARCHE_CHECK(decode_rows(state, block->block, range, filter, owner, out));
    }
  }
  sort_batch(out);
  return {};
}

}  // namespace demarche::impl

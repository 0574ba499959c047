#include "engine/impl/planner_counts.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/impl/block_walk.h"
#include "engine/impl/history_value.h"
#include "engine/impl/key_codec.h"
#include "engine/impl/record_codec.h"
#include "engine/store.h"

namespace demarche::impl {

namespace {

Error damaged(const char* what) {
  return {ErrorCode::kCorruption, std::string(what) + "; stop writing to this store", nullptr};
}

}  // namespace

CountTable::CountTable(const KeptCounts& counts) : labels(counts.labels()) {
  for (const auto& [kind, of] : counts.kinds()) {
    OfKind out;
    out.entries = of.entries;
    std::vector<std::pair<Month, std::int64_t>> months;
    for (const auto& [month, count] : of.months) {
      if (month == kUndated) {
        out.undated = count;
      } else if (month == kNoBegin) {
        out.no_begin = count;
      } else {
        months.emplace_back(month, count);
      }
    }
    std::sort(months.begin(), months.end());
    std::int64_t through = 0;
    for (const auto& [month, count] : months) {
      out.months.push_back(month);
      out.through.push_back(through += count);
    }
    kinds.emplace_back(KindId{kind}, std::move(out));
  }
}

double CountTable::OfKind::before(Timestamp t) const {
  if (t == Timestamp::lowest()) return 0;
  if (t == Timestamp::highest()) return static_cast<double>(dated());
  const Month month = month_of(t);
  const auto i = static_cast<std::size_t>(std::lower_bound(months.begin(), months.end(), month) - months.begin());
  const std::int64_t whole = i == 0 ? 0 : through[i - 1];
  if (i == months.size() || months[i] != month) return static_cast<double>(whole);
  const Timestamp begin = begin_of_month(month);
  const auto length = static_cast<double>(begin_of_month(month + 1).seconds - begin.seconds);
  const double part = std::clamp(static_cast<double>(t.seconds - begin.seconds) / length, 0.0, 1.0);
  return static_cast<double>(whole) + part * static_cast<double>(through[i] - whole);
}

Result<DegreeHistogram> StatisticsBase::degrees(const ReadState& state) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> fresh;
  for (const auto& tail : state.tails) {
    if (state.catch_up && tail == state.tails.back()) break;  // of a transaction: nobody else may see it
    auto at = std::find_if(seen_.begin(), seen_.end(), [&](const auto& one) { return one.first == tail; });
    if (at == seen_.end()) at = seen_.insert(seen_.end(), {tail, 0});
    at->second = tail->entries_from(at->second, fresh);
  }
  std::sort(fresh.begin(), fresh.end());
  std::uint64_t chunk = ~std::uint64_t{0};
  DegreeArray stored = {};
  for (const std::uint64_t actor : fresh) {
    const auto [at, first] = grown_.try_emplace(actor, 0);
    if (first) {
      if (actor / kDegreeChunk != chunk) {
        chunk = actor / kDegreeChunk;
        auto read = read_degrees(*state.reader, chunk);
        if (!read) {
          // Begin again at the next call.
          degrees_ = kept.degrees;
          grown_.clear();
          seen_.clear();
          return tl::unexpected(std::move(read).error());
        }
        stored = *read;
      }
      at->second = stored[actor % kDegreeChunk];
    }
    degrees_.move(at->second, at->second + 1);
    ++at->second;
  }
  return degrees_;
}

Result<std::shared_ptr<const StatisticsBase>> read_statistics(const KvReader& reader, CommitNumber sealed,
                                                              CommitNumber last) {
  DEMARCHE_TRY(const auto bytes, reader.get(Family::kMeta, kStatisticsKey));
  KeptStatistics stored;
  if (bytes) {
    auto decoded = KeptStatistics::decode(*bytes);
    if (!decoded) return nullptr;  // check says so; an estimate can be had without
    stored = *std::move(decoded);
  }
  if (stored.upto < sealed || stored.upto > last) return nullptr;
  const auto it = reader.iterate(Family::kCommit);
  for (it->seek(commit_key(CommitNumber{stored.upto.value + 1})); it->valid(); it->next()) {
    DEMARCHE_TRY(const CommitRecord record, decode_commit(it->value()));
    if (!record.counts) return nullptr;
  }
  DEMARCHE_CHECK(it->status());
  return std::make_shared<const StatisticsBase>(std::move(stored));
}

Result<std::size_t> actors_in_row(const KvReader& reader, const RowBlock& block, std::size_t i) {
  const Form& form = block.form(i);
  std::size_t out = 0;
  if (form.listed) {
    DEMARCHE_TRY(const std::vector<Party> parties, listed_parties(reader, block.row(i)));
    std::set<ActorId> actors;
    for (const Party& party : parties) actors.insert(party.actor);
    return actors.size();
  }
  const std::size_t first = block.others_begin(i);
  for (std::size_t k = 0; k < form.count; ++k) {
    bool again = false;
    for (std::size_t j = 0; j < k; ++j) again = again || block.other(first + j) == block.other(first + k);
    out += again ? 0 : 1;
  }
  return out;
}

Result<void> count_entries(const KvReader& reader, std::map<std::uint64_t, std::uint64_t>& out) {
  const auto it = reader.iterate(Family::kContact);
  for (it->seek({}); it->valid(); it->next()) {
    const auto actor = decode_u64(it->key().substr(0, sizeof(std::uint64_t)));
    ByteReader in(it->value());
    const std::uint64_t rows = in.varint();  // a block begins with the number of its rows
    if (!actor || !in.ok()) return tl::unexpected(damaged("contact_by_actor_time: a block has the wrong form"));
    out[*actor] += rows;
  }
  return it->status();
}

namespace {

Result<void> count_timeline(const std::shared_ptr<const ReadState>& state, KeptCounts& out) {
  BlockWalk walk(state, kTimelineOwner, {});
  while (true) {
    RowRange range;
    DEMARCHE_TRY(const RowBlock* block, walk.next(range));
    if (block == nullptr) return {};
    const bool all_seen = state->visible.sees_all(block->row_floor(), block->row_ceiling());
    for (std::size_t i = range.first; i < range.last; ++i) {
      const std::uint64_t row = block->row(i);
      if (!all_seen && !state->visible.sees(row)) continue;
      const Shape& shape = block->shape(i);
      const KindId kind = block->kind(i);
      if (kind.value == 0 || (shape.flags & Shape::kDamaged) != 0) {
        return tl::unexpected(damaged("interaction_by_time: a row points outside its block's dictionary"));
      }
      DEMARCHE_TRY(const std::size_t actors, actors_in_row(*state->reader, *block, i));
      out.add_row(kind, (shape.flags & Shape::kDated) != 0, block->begin(i), actors, 1);
    }
  }
}

Result<void> count_labels(const ReadState& state, KeptCounts& out) {
  const auto it = state.reader->iterate(Family::kLabel);
  for (it->seek({}); it->valid(); it->next()) {
    const auto key = decode_text_id_key(it->key());
    const auto held = history_at(it->value(), state.visible.as_of);
    if (!key || !held) return tl::unexpected(damaged("label: an entry has the wrong form"));
    if (*held != 0) out.add_label(key->text, 1);
  }
  return it->status();
}

}  // namespace

Result<KeptStatistics> count_state(const std::shared_ptr<const ReadState>& state,
                                   std::map<std::uint64_t, std::uint64_t>* degrees) {
  KeptStatistics out;
  out.upto = state->visible.as_of;
  DEMARCHE_CHECK(count_timeline(state, out.counts));
  DEMARCHE_CHECK(count_labels(*state, out.counts));
  std::map<std::uint64_t, std::uint64_t> entries;
  DEMARCHE_CHECK(count_entries(*state->reader, entries));
  std::vector<std::uint64_t> fresh;
  for (const auto& tail : state->tails) (void)tail->entries_from(0, fresh);
  for (const std::uint64_t actor : fresh) ++entries[actor];
  for (const auto& [actor, count] : entries) out.degrees.move(0, count);
  if (degrees != nullptr) *degrees = std::move(entries);
  return out;
}

Result<std::shared_ptr<const PlannerStatistics>> make_planner_statistics(const std::shared_ptr<const ReadState>& state,
                                                                         const Statistics& totals) {
  if (state->catch_up) DEMARCHE_CHECK(state->catch_up());
  auto out = std::make_shared<PlannerCounts>();
  out->actors = totals.actors;
  out->interactions = totals.interactions;
  if (state->statistics) {
    out->tables.push_back(state->statistics->table);
    KeptCounts fresh;
    for (const auto& tail : state->tails) fresh.add(tail->counts());
    out->tables.push_back(std::make_shared<const CountTable>(fresh));
    DEMARCHE_ASSIGN(out->degrees, state->statistics->degrees(*state));
    std::int64_t counted = 0;
    for (const auto& table : out->tables) {
      for (const auto& [kind, of] : table->kinds) counted += of.all();
    }
    if (counted > 0) out->scale = static_cast<double>(totals.interactions) / static_cast<double>(counted);
  } else {
    DEMARCHE_TRY(const KeptStatistics counted, count_state(state));
    out->tables.push_back(std::make_shared<const CountTable>(counted.counts));
    out->degrees = counted.degrees;
  }
  return std::make_shared<const PlannerStatistics>(std::move(out));
}

}  // namespace demarche::impl

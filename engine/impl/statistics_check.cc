#include "engine/impl/statistics_check.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/plain_page.h"
#include "engine/impl/planner_counts.h"
#include "engine/impl/seal.h"

namespace demarche::impl {

namespace {

// A damaged block of the family is a fault that others tell of.
template <typename T>
std::optional<T> unless_damaged(Result<T> result, Result<void>& status) {
  if (result) return std::optional<T>(*std::move(result));
  if (result.error().code != ErrorCode::kCorruption) status = tl::unexpected(std::move(result).error());
  return std::nullopt;
}

// The rows that commits have written and nobody has sealed.
Result<void> count_unsealed(const KvReader& reader, KeptCounts& out) {
  const auto it = reader.iterate(Family::kCommitRows);
  PlainPage page;
  for (it->seek({}); it->valid(); it->next()) {
    DEMARCHE_TRY(const auto pages, split_pages(it->value()));
    for (const std::string_view bytes : pages) {
      DEMARCHE_CHECK(page.parse(bytes));
      const RowBlock& rows = page.rows();
      for (std::size_t i = 0; i < rows.size(); ++i) {
        DEMARCHE_TRY(const std::size_t actors, actors_in_row(reader, rows, i));
        out.add_row(rows.kind(i), (rows.shape(i).flags & Shape::kDated) != 0, rows.begin(i), actors, 1);
      }
    }
  }
  return it->status();
}

}  // namespace

Result<void> StatisticsCheck::start(const KvReader& reader, const CommitTable& commits, const Fault& fault) {
  Result<void> status;
  const auto bytes = unless_damaged(reader.get(Family::kMeta, kStatisticsKey), status);
  DEMARCHE_CHECK(std::move(status));
  if (!bytes) {
    fault("statistics", "cannot be read");
    return {};
  }
  KeptStatistics stored;
  if (*bytes) {
    auto decoded = KeptStatistics::decode(**bytes);
    if (!decoded) {
      fault("statistics", "have the wrong form");
      return {};
    }
    stored = *std::move(decoded);
  } else if (commits.sealed.value > 0 && commits.sealed <= commits.last() &&
             commits.commits[commits.sealed.value - 1].counts) {
    fault("statistics", "are missing");
    return {};
  }
  if (stored.upto > commits.last()) {
    fault("statistics",
          fmt::format("are of commit {}, the last one there is {}", stored.upto.value, commits.last().value));
    return {};
  }
  if (stored.upto < commits.sealed) return {};  // written by a build that keeps none
  for (std::uint64_t n = stored.upto.value; n < commits.last().value; ++n) {
    const auto& counts = commits.commits[n].counts;
    if (!counts) return {};  // likewise
    auto change = KeptCounts::decode(*counts);
    if (!change) {
      fault("statistics", fmt::format("what commit {} counts has the wrong form", n + 1));
      return {};
    }
    said_.add(*change);
  }
  stored_ = std::move(stored);
  auto counted = count_unsealed(reader, said_);
  if (counted) return {};
  if (counted.error().code != ErrorCode::kCorruption) return counted;
  stored_.reset();  // rows that do not read are a fault that others tell of
  return {};
}

void StatisticsCheck::take(const InteractionHistory& history) {
  if (!stored_) return;
  for (const RowFact& fact : rows_of(history)) {
    count_row(fact.commit <= stored_->upto ? counts_ : changes_, *fact.record, 1);
    if (fact.retired.value != 0) count_row(fact.retired <= stored_->upto ? counts_ : changes_, *fact.record, -1);
  }
}

void StatisticsCheck::take(const Held& held) {
  if (!stored_ || held.family != Family::kLabel) return;
  const auto key = decode_text_id_key(held.key);
  if (!key) return;
  const bool before = held.from <= stored_->upto.value && (held.to == 0 || held.to > stored_->upto.value);
  if (before) counts_.add_label(key->text, 1);
  const bool now = held.to == 0;
  if (now != before) changes_.add_label(key->text, now ? 1 : -1);
}

Result<void> StatisticsCheck::finish(const KvReader& reader, const CommitTable& commits, const Fault& fault) const {
  if (!stored_) return {};
  if (stored_->counts.encode() != counts_.encode()) {
    fault("statistics", fmt::format("count something else than the records up to commit {} have", stored_->upto.value));
  }
  if (said_.encode() != changes_.encode()) {
    fault("statistics", fmt::format("commits {} to {} count something else than they changed", stored_->upto.value + 1,
                                    commits.last().value));
  }
  std::map<std::uint64_t, std::uint64_t> entries;
  const auto counted = count_entries(reader, entries);
  if (!counted) return counted.error().code == ErrorCode::kCorruption ? Result<void>{} : counted;
  DegreeHistogram histogram;
  const std::uint64_t end = commits.head().next_actor.value;
  for (std::uint64_t first = 0; first < end; first += kDegreeChunk) {
    Result<void> status;
    const auto stored = unless_damaged(read_degrees(reader, first / kDegreeChunk), status);
    DEMARCHE_CHECK(std::move(status));
    DegreeArray wanted = {};
    for (auto at = entries.lower_bound(first); at != entries.end() && at->first < first + kDegreeChunk; ++at) {
      wanted[at->first - first] = at->second;
      histogram.move(0, at->second);
    }
    if (!stored || *stored != wanted) {
      fault("degrees", fmt::format("actors {} to {} have other numbers of entries", first,
                                   std::min(first + kDegreeChunk, end) - 1));
    }
  }
  if (histogram != stored_->degrees) fault("statistics", "other numbers of actors have so many entries");
  return {};
}

}  // namespace demarche::impl

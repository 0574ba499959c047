#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "engine/check.h"
#include "engine/impl/bulk_commit.h"
#include "engine/impl/bytes.h"
#include "engine/impl/kill_point.h"
#include "engine/impl/page_spool.h"
#include "engine/impl/raw_store.h"
#include "engine/impl/record_walk.h"
#include "engine/impl/seal.h"
#include "engine/impl/store_folder.h"

namespace demarche {

namespace {

using impl::Family;
using impl::Held;

// Everything that can be told from the records.
constexpr std::array kMadeFamilies = {Family::kTimeline, Family::kContact, Family::kParticipants, Family::kRetired,
                                      Family::kKey,      Family::kName,    Family::kLabel};

// The rows of all records as pages for the sorter, whatever order they come in.
class RowPages {
 public:
  RowPages(impl::PageSpool& spool, impl::KvBatch& batch) : spool_(spool), batch_(batch) {}

  // `rich`: it has a record besides the row, or a page that stays.
  Result<void> add(const impl::RowFact& fact, bool rich) {
    const Interaction& record = *fact.record;
    const std::vector<Party> parties = parties_of(record.participants);
    if (parties.size() > impl::kInlinePartiesMax) {
      batch_.put(Family::kParticipants, impl::encode_u64(record.row.value), impl::encode_parties(parties));
    }
    if (fact.retired.value != 0) {
      impl::count_row(counts, record, -1);
      batch_.put(Family::kRetired, impl::encode_u64(record.row.value), impl::encode_u64(fact.retired.value));
    }
    std::optional<TimeBounds> bounds;
    if (record.when) bounds = record.when->bounds;
    impl::append_timeline_row(
        page_.list, dictionary_,
        {record.row, record.id, record.kind, bounds, record.status, std::span<const Party>(parties)});
    page_.fields.push_back(rich ? impl::PlainFields() : impl::plain_fields(record));
    ++rows_;
    return page_.fields.size() == impl::kPageRowsMax ? flush() : Result<void>{};
  }
  Result<void> flush() {
    if (page_.fields.empty()) return {};
    std::string bytes = impl::encode_page(page_, 0, page_.fields.size(), dictionary_, encoder_);
    page_.clear();
    return spool_.append(std::move(bytes));
  }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

  impl::KeptCounts counts;  // of what is retired, to be taken away

 private:
  impl::PageSpool& spool_;
  impl::KvBatch& batch_;
  impl::PageRows page_;
  impl::RowDictionary dictionary_;
  impl::RowBlockEncoder encoder_;
  std::uint64_t rows_ = 0;
};

class Histories {
 public:
  void add(const Held& held) {
    auto& history = all_[{held.family, held.key}];
    history[held.from] = held.number;
    if (held.to != 0) history.try_emplace(held.to, 0);  // unless another has it from then on
  }
  void count_labels(impl::KeptCounts& counts) const {
    for (const auto& [where, history] : all_) {
      if (where.first != Family::kLabel || history.rbegin()->second == 0) continue;
      if (const auto key = impl::decode_text_id_key(where.second)) counts.add_label(key->text, 1);
    }
  }
  void write(impl::KvBatch& batch) const {
    for (const auto& [where, history] : all_) {
      std::string bytes;
      for (const auto& [commit, number] : history) {
        impl::put_varint(bytes, commit);
        impl::put_varint(bytes, number);
      }
      batch.put(where.first, where.second, bytes);
    }
  }

 private:
  std::map<std::pair<Family, std::string>, std::map<std::uint64_t, std::uint64_t>> all_;
};

Error beyond_repair(std::uint64_t count, const std::string& first) {
  return {
      ErrorCode::kCorruption,
      fmt::format("{} of what is wrong is in the records themselves, from which the index would be made (first: {}); "
                  "restore a backup",
                  count, first),
      nullptr};
}

// Are the records whole? Only faults of what is made from them are let pass.
Result<void> check_records(const std::string& path, const CheckOptions& options) {
  DEMARCHE_TRY(const CheckReport report, check_store(path, options));
  if (report.beyond_repair == 0) return {};
  for (const Finding& f : report.findings) {
    if (!f.repairable) {
      return tl::unexpected(beyond_repair(report.beyond_repair, fmt::format("{}: {} {}", f.family, f.key, f.what)));
    }
  }
  return tl::unexpected(beyond_repair(report.beyond_repair, "not among those listed"));
}

}  // namespace

Result<void> repair_index(const std::string& path, const CheckOptions& options) {
  impl::KvOptions kv_options;
  kv_options.cache = impl::make_kv_cache(options.cache_bytes);
  kv_options.create_missing_families = true;
  {
    // Opening for writing first: an interrupted repair may have left families out, which a reader cannot open.
    DEMARCHE_TRY(const auto kv, impl::open_raw(path, kv_options));
  }
  DEMARCHE_CHECK(check_records(path, options));
  DEMARCHE_TRY(const auto kv, impl::open_raw(path, kv_options));
  const std::string folder = impl::bulk_path(path);
  DEMARCHE_CHECK(impl::make_empty_folder(folder));
  {
    // From here until the files are taken in, the index is not whole; the mark says so.
    const auto mark = kv->make_writes();
    mark->put(Family::kMeta, impl::kRepairingKey, "1");
    DEMARCHE_CHECK(kv->write(*mark, /*sync=*/true));
    impl::kill_point("repair.marked");
    DEMARCHE_CHECK(kv->renew(kMadeFamilies));
    impl::kill_point("repair.emptied");
  }
  const auto reader = kv->snapshot();
  const auto batch = kv->make_batch(reader);
  impl::PageSpool spool(path, options.memory_bytes / 4);
  std::optional<Error> damaged;
  const impl::FaultSink fault = [&damaged](Family family, const std::string& key, const std::string& what) {
    if (!damaged) damaged = beyond_repair(1, fmt::format("{}: {} {}", family_name(family), key, what));
  };
  DEMARCHE_TRY(const impl::CommitTable commits, impl::read_commits(*reader, fault));

  Histories histories;
  Result<void> result;
  const auto take_actor = [&](ActorId id, const impl::ActorVersions& versions) {
    const auto held = impl::held_by(id, versions);
    if (!held) {
      result = tl::unexpected(held.error());
      return;
    }
    for (const Held& one : *held) histories.add(one);
  };
  DEMARCHE_CHECK(impl::walk_actors(*reader, fault, take_actor));
  DEMARCHE_CHECK(std::move(result));
  const auto sources = reader->iterate(Family::kSource);
  for (sources->seek({}); sources->valid(); sources->next()) {
    const auto key = impl::decode_version_key(sources->key());
    if (!key) continue;
    DEMARCHE_TRY(const Source source, impl::decode_source(SourceId{key->id}, sources->value()));
    histories.add({Family::kKey, impl::owner_key(impl::KeyOwner::kSource, source.key), key->id, key->commit.value, 0});
  }
  DEMARCHE_CHECK(sources->status());

  // The page of a plain interaction stays where it is sealed. One that waits to be sealed goes into a page of its own.
  RowPages rows(spool, *batch);
  const auto take = [&](const impl::InteractionHistory& history) -> Result<void> {
    for (const Held& one : impl::held_by(history)) histories.add(one);
    for (const impl::RowFact& fact : impl::rows_of(history)) {
      const bool plain = history.page && !history.superseded && fact.record->row.value == history.id.value;
      const bool unsealed = commits.commit_of(fact.record->row.value) > commits.sealed;
      DEMARCHE_CHECK(rows.add(fact, !(plain && unsealed)));
    }
    return {};
  };
  DEMARCHE_CHECK(impl::walk_interactions(*reader, commits, fault, take));
  DEMARCHE_CHECK(rows.flush());
  if (damaged) return tl::unexpected(*damaged);
  histories.write(*batch);
  const auto unsealed = reader->iterate(Family::kCommitRows);
  for (unsealed->seek({}); unsealed->valid(); unsealed->next()) batch->remove(Family::kCommitRows, unsealed->key());
  DEMARCHE_CHECK(unsealed->status());
  batch->put(Family::kMeta, impl::kSealedKey, impl::encode_u64(commits.last().value));
  batch->remove(Family::kMeta, impl::kRepairingKey);

  {
    DEMARCHE_TRY(const auto tables, kv->make_tables(folder));
    impl::KeptStatistics statistics;
    statistics.upto = commits.last();
    statistics.counts = rows.counts;
    histories.count_labels(statistics.counts);
    const impl::BulkRows all{&spool, rows.rows(), commits.head().next_actor, options.memory_bytes, &statistics};
    DEMARCHE_CHECK(impl::write_bulk(all, nullptr, *batch, *tables));
    impl::kill_point("repair.files");
    DEMARCHE_CHECK(kv->ingest(*tables));
    impl::kill_point("repair.taken");
  }
  impl::remove_folder(folder);
  return {};
}

}  // namespace demarche

#include "engine/impl/read_head.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/impl/key_codec.h"
#include "engine/impl/seal.h"

namespace demarche::impl {

namespace {

// Every commit after `known` up to the last has its record; a gap means that files were lost.
Result<void> check_commits(const KvReader& reader, CommitNumber known) {
  const auto it = reader.iterate(Family::kCommit);
  CommitNumber expected{known.value + 1};
  for (it->seek(commit_key(expected)); it->valid(); it->next(), ++expected.value) {
    const auto n = decode_commit_key(it->key());
    if (!n) return make_error(ErrorCode::kCorruption, "commit: a key has the wrong form; restore a copy");
    if (*n != expected) {
      return make_error(
          ErrorCode::kCorruption,
          fmt::format("commits {} to {} are gone (a file of the database was cut or removed); restore a copy",
                      expected.value, n->value - 1));
    }
  }
  return it->status();
}

}  // namespace

// The newest version of each kind counts; kinds come back in order of id, so a parent always before what stands below.
Result<std::shared_ptr<KindTable>> read_kinds(const KvReader& reader, CommitNumber as_of) {
  auto table = std::make_shared<KindTable>(KindTable::make_builtin());
  const auto it = reader.iterate(Family::kKind);
  std::uint64_t last = 0;
  for (it->seek({}); it->valid(); it->next()) {
    const auto key = decode_version_key(it->key());
    if (!key) return make_error(ErrorCode::kCorruption, "kind: a key has the wrong form");
    if (key->id == last || key->commit > as_of) continue;
    last = key->id;
    DEMARCHE_TRY(Kind kind, decode_kind(KindId{static_cast<std::uint32_t>(key->id)}, it->value()));
    DEMARCHE_CHECK(table->restore(std::move(kind)));
  }
  DEMARCHE_CHECK(it->status());
  return table;
}

Result<Head> read_head(const KvReader& reader, CommitNumber known, CommitNumber mark) {
  DEMARCHE_TRY(const auto repairing, reader.get(Family::kMeta, kRepairingKey));
  if (repairing) {
    return make_error(ErrorCode::kCorruption,
                      "a repair of the index was interrupted; finish it with: demarche check STORE --repair");
  }
  DEMARCHE_CHECK(check_commits(reader, known));
  Head head;
  const auto commits = reader.iterate(Family::kCommit);
  commits->seek_to_last();
  if (commits->valid()) {
    const auto n = decode_commit_key(commits->key());
    if (!n) return make_error(ErrorCode::kCorruption, "commit: a key has the wrong form");
    head.commit = *n;
    DEMARCHE_TRY(head.record, decode_commit(commits->value()));
  }
  DEMARCHE_CHECK(commits->status());
  DEMARCHE_ASSIGN(head.kinds, read_kinds(reader, head.commit));
  std::vector<RetiredRows::Entry> retired;
  const auto it = reader.iterate(Family::kRetired);
  for (it->seek({}); it->valid(); it->next()) {
    const auto row = decode_u64(it->key());
    const auto commit = decode_u64(it->value());
    if (!row || !commit) return make_error(ErrorCode::kCorruption, "retired_row: an entry has the wrong form");
    retired.push_back({*row, *commit});
  }
  DEMARCHE_CHECK(it->status());
  head.retired = RetiredRows().with(std::move(retired));
  if (mark <= head.commit) return head;
  return make_error(
      ErrorCode::kCorruption,
      fmt::format(
          "commits {} to {} were acknowledged and are gone (a log file was cut or removed); restore a copy, or move "
          "the file COMMITTED away to go on with what is left",
          head.commit.value + 1, mark.value));
}

Result<CommitNumber> read_sealed(const KvReader& reader) {
  DEMARCHE_TRY(const auto bytes, reader.get(Family::kMeta, kSealedKey));
  if (!bytes) return CommitNumber{0};
  const auto n = decode_u64(*bytes);
  if (!n) return make_error(ErrorCode::kCorruption, "default: the mark of what is sealed has the wrong form");
  return CommitNumber{*n};
}

}  // namespace demarche::impl

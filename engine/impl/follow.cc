// A store opened read-only, beside a writer in another process or alone.
//
// It is opened first as RocksDB opens a database that nobody writes, which checks most. When the files have changed
// since, a follower is opened, and then two of them in turn. Whatever is read counts only if no file came or went
// meanwhile: then it is one moment of the writer's log, with all of a commit, a large commit or a sealing, or nothing.
#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/key_codec.h"
#include "engine/impl/seal.h"
#include "engine/impl/store_state.h"

namespace demarche {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kReadAttempts = 5;     // then followers are tried, which need the files to stand still for less long
constexpr int kFollowAttempts = 40;  // some half a second of waiting, besides the work

void wait_before(int attempt) {
  if (attempt > 0) std::this_thread::sleep_for(std::chrono::milliseconds(attempt < 15 ? attempt : 15));
}

Error unsettled() {
  return {ErrorCode::kOverloaded, "the writer changes its files faster than they can be read; try again", nullptr};
}

// When a state that was read from `started` on is too old.
Clock::time_point young_till(Clock::time_point started, const StoreOptions& options) {
  constexpr double kSecondsMax = 1e8;  // some three years
  const std::chrono::duration<double> age(std::min(std::max(0.0, options.refresh_seconds), kSecondsMax));
  return started + std::chrono::duration_cast<Clock::duration>(age);
}

// Appends the rows of all commits after `after` to `part`. `first`: of the commits before, none may have rows here.
// `counted`: what commits up to this one change besides is in the stored statistics.
Result<void> append_commits(const impl::KvReader& reader, CommitNumber after, bool first, CommitNumber counted,
                            impl::TailPart& part) {
  const std::string from = impl::commit_key(CommitNumber{after.value + 1});
  const auto rows = reader.iterate(impl::Family::kCommitRows);
  const auto commits = reader.iterate(impl::Family::kCommit);
  rows->seek(first ? std::string() : from);
  for (commits->seek(from); commits->valid(); commits->next()) {
    DEMARCHE_TRY(const impl::CommitRecord record, impl::decode_commit(commits->value()));
    if (record.counts && !record.counts->empty() && commits->key() > impl::commit_key(counted)) {
      DEMARCHE_TRY(const impl::KeptCounts change, impl::KeptCounts::decode(*record.counts));
      part.tail->change_counts(change);
    }
    if (record.next_row == record.first_row) continue;
    if (!rows->valid() || rows->key() != commits->key()) break;
    DEMARCHE_TRY(const auto pages, impl::split_pages(rows->value()));
    for (const std::string_view bytes : pages) DEMARCHE_CHECK(impl::append_page_rows(reader, bytes, *part.tail));
    if (const auto n = impl::decode_commit_key(rows->key())) part.commits.push_back(*n);
    rows->next();
  }
  DEMARCHE_CHECK(commits->status());
  DEMARCHE_CHECK(rows->status());
  const auto lost = commits->valid() ? impl::decode_commit_key(commits->key()) : std::nullopt;
  if (lost && (!rows->valid() || rows->key() > commits->key())) {
    return make_error(ErrorCode::kCorruption,
                      fmt::format("commit_rows: the rows of commit {} are gone; restore a copy", lost->value));
  }
  if (commits->valid() || rows->valid()) {
    return make_error(ErrorCode::kCorruption,
                      "commit_rows: rows of a commit that is sealed or unknown; restore a copy");
  }
  return {};
}

}  // namespace

Result<void> Store::State::take(std::shared_ptr<const impl::KvReader> from, CommitNumber mark) {
  const CommitNumber known = visible.commit;
  DEMARCHE_TRY(impl::Head next, impl::read_head(*from, known, mark));
  if (known.value != 0) {
    DEMARCHE_TRY(const auto bytes, from->get(impl::Family::kCommit, impl::commit_key(known)));
    const auto record = bytes ? impl::decode_commit(*bytes) : tl::unexpected(unsettled());
    if (next.commit < known || !record || *record != visible.record) {
      return make_error(ErrorCode::kCorruption,
                        fmt::format("commit {} is gone, which was there before: another store took the place of this "
                                    "one, or an older copy; open it anew",
                                    known.value));
    }
  }
  DEMARCHE_TRY(const CommitNumber sealed, impl::read_sealed(*from));
  if (sealed > next.commit || sealed < following.sealed) {
    return make_error(ErrorCode::kCorruption,
                      fmt::format("default: commits up to {} are said to be sealed; restore a copy", sealed.value));
  }
  if (following.tail_whole && sealed == following.sealed) {
    following.tail_whole = false;
    DEMARCHE_CHECK(append_commits(*from, known, /*first=*/false, known, tails.back()));
  } else {
    std::vector<impl::TailPart> fresh(1);
    DEMARCHE_TRY(auto stored, impl::read_statistics(*from, sealed, next.commit));
    DEMARCHE_CHECK(append_commits(*from, sealed, /*first=*/true, stored ? stored->kept.upto : sealed, fresh.back()));
    statistics = std::move(stored);
    tails = std::move(fresh);
    cache->clear(++epoch);
  }
  tails.back().last = next.commit;
  following.tail_whole = true;
  following.sealed = sealed;
  reader = std::move(from);
  head = std::move(next);
  publish(head);
  return {};
}

Result<bool> Store::State::try_reading() {
  const std::string database = impl::database_path(path);
  // The mark is read first: it is never ahead of the log.
  DEMARCHE_TRY(const CommitNumber mark, impl::HighWaterMark::read(path));
  const auto before = impl::read_position(database);
  auto opened = impl::open_rocks(database, {false, /*read_only=*/true, 0, kv_cache});
  if (!impl::read_position(database).same_files(before)) return false;
  if (!opened) return tl::unexpected(std::move(opened).error());
  DEMARCHE_CHECK(take((*opened)->snapshot(), mark));
  following.seen = before;
  return true;
}

Result<bool> Store::State::try_following() {
  const std::string database = impl::database_path(path);
  DEMARCHE_TRY(const CommitNumber mark, impl::HighWaterMark::read(path));
  const auto before = impl::read_position(database);
  std::unique_ptr<impl::KvFollower> next = std::move(following.spare);
  if (next && following.spare_reader.expired()) {
    std::atomic_thread_fence(std::memory_order_acquire);  // after the last read by the view that went
    const auto caught_up = next->catch_up();
    if (!caught_up || !*caught_up) next = nullptr;
  } else {
    next = nullptr;  // views still read it; it goes with the last of them
  }
  if (!next) DEMARCHE_ASSIGN(next, impl::open_follower(database, {false, /*read_only=*/true, 0, kv_cache}));
  if (!next) return false;
  const std::weak_ptr<const impl::KvReader> shown = reader;
  DEMARCHE_CHECK(take(next->reader(), mark));
  following.spare = std::exchange(following.current, std::move(next));
  following.spare_reader = shown;
  following.seen = before;
  return true;
}

Result<void> Store::State::open_to_read() {
  const auto started = Clock::now();
  Result<void> last;
  for (int attempt = 0; attempt < kReadAttempts + kFollowAttempts; ++attempt) {
    wait_before(attempt);
    const auto done = attempt < kReadAttempts ? try_reading() : try_following();
    if (done && *done) {
      following.young_till = young_till(started, options);
      return {};
    }
    last = done ? tl::unexpected(unsettled()) : Result<void>(tl::unexpected(done.error()));
    if (done) continue;
    // Without a writer it is as it says. With one, files may have gone as they were looked for: once more, or twice.
    if (!impl::lock_holder(path) || attempt > 2 * kReadAttempts) break;
  }
  return last;
}

Result<void> Store::State::refresh() {
  const auto started = Clock::now();
  if (impl::read_position(impl::database_path(path)) == following.seen) {
    following.young_till = young_till(started, options);
    return {};
  }
  Result<void> last;
  for (int attempt = 0; attempt < kFollowAttempts; ++attempt) {
    wait_before(attempt);
    const auto done = try_following();
    if (done && *done) {
      following.young_till = young_till(started, options);
      return {};
    }
    last = done ? tl::unexpected(unsettled()) : Result<void>(tl::unexpected(done.error()));
    if (!done && attempt >= kReadAttempts) break;
  }
  return last;
}

void Store::State::refresh_if_old() {
  // What cannot be read now may be readable later; refresh() tells why.
  if (options.read_only && Clock::now() >= following.young_till) (void)refresh();
}

}  // namespace demarche

#include "engine/impl/raw_store.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/store_folder.h"

namespace demarche::impl {

namespace {

// As readers beside the writer do it (follow.cc).
constexpr int kReadAttempts = 5;
constexpr int kFollowAttempts = 40;

Result<void> check_there(const std::string& path) {
  DEMARCHE_TRY(const FolderState state, inspect_folder(path));
  if (state == FolderState::kStore) return {};
  return make_error(ErrorCode::kNotFound, fmt::format("there is no store at '{}'", path));
}

}  // namespace

Result<std::shared_ptr<KvStore>> open_raw(const std::string& path, const KvOptions& options) {
  DEMARCHE_CHECK(check_there(path));
  const auto held = [&path]() -> std::optional<Error> {
    const auto holder = lock_holder(path);
    if (!holder) return std::nullopt;
    return Error{ErrorCode::kConflict,
                 fmt::format("'{}' is open for writing in {}; close it there, then try again", path, *holder), nullptr};
  };
  if (auto error = held()) return tl::unexpected(*std::move(error));
  auto kv = open_rocks(database_path(path), options);
  if (!kv) {
    if (auto error = held()) return tl::unexpected(*std::move(error));
    return tl::unexpected(std::move(kv).error().with_context(fmt::format("'{}'", path)));
  }
  return kv;
}

namespace {

// false: files came or went meanwhile, and what was opened may be of two moments, or look damaged.
Result<bool> try_reading(const std::string& database, const KvOptions& options, RawReading& out) {
  const KvPosition before = read_position(database);
  auto kv = open_rocks(database, options);
  if (!read_position(database).same_files(before)) return false;
  if (!kv) return tl::unexpected(std::move(kv).error());
  out.kv = *std::move(kv);
  out.reader = out.kv->snapshot();
  return true;
}

// Needs the files to stand still for less long.
Result<bool> try_following(const std::string& database, const KvOptions& options, RawReading& out) {
  DEMARCHE_ASSIGN(out.follower, open_follower(database, options));
  if (!out.follower) return false;
  out.reader = out.follower->reader();
  return true;
}

}  // namespace

Result<RawReading> read_raw(const std::string& path, KvOptions options) {
  DEMARCHE_CHECK(check_there(path));
  options.read_only = true;
  const std::string database = database_path(path);
  Result<bool> done = false;
  for (int attempt = 0; attempt < kReadAttempts + kFollowAttempts; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(std::chrono::milliseconds(std::min(attempt, 15)));
    RawReading out;
    out.beside_writer = lock_holder(path).has_value();
    // The mark first: it is never ahead of the log.
    if (auto mark = HighWaterMark::read(path)) {
      out.mark = *mark;
    } else {
      out.mark_status = tl::unexpected(std::move(mark).error());
    }
    done = attempt < kReadAttempts ? try_reading(database, options, out) : try_following(database, options, out);
    out.beside_writer = out.beside_writer || lock_holder(path).has_value();
    if (done && *done) return out;
    // Without a writer it is as it says. With one, files may have gone as they were looked for.
    if (!done && (!out.beside_writer || attempt > 2 * kReadAttempts)) break;
  }
  if (!done) return tl::unexpected(std::move(done).error().with_context(fmt::format("'{}'", path)));
  return make_error(ErrorCode::kOverloaded,
                    fmt::format("'{}': the writer changes its files faster than they can be read; try again", path));
}

}  // namespace demarche::impl

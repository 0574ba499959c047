#include "engine/store.h"

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/kill_point.h"
#include "engine/impl/kv.h"
#include "engine/impl/read_head.h"
#include "engine/impl/record_codec.h"
#include "engine/impl/seal.h"
#include "engine/impl/store_folder.h"
#include "engine/impl/store_state.h"

namespace demarche {

namespace {

constexpr std::chrono::seconds kWriterWait{10};

Error held_elsewhere(const std::string& path, const std::string& holder) {
  return {ErrorCode::kConflict,
          fmt::format("'{}' is open for writing in {}; close it there, then try again", path, holder), nullptr};
}

// A database with a fault must not be opened for writing: recovery would flush what precedes the fault and remove the
// log behind it. So it is looked at first.
Result<void> check_before_writing(const std::string& path, const StoreOptions& options) {
  DEMARCHE_TRY(const auto kv, impl::open_rocks(impl::database_path(path), {false, true, options.cache_bytes / 2}));
  DEMARCHE_TRY(const CommitNumber mark, impl::HighWaterMark::read(path));
  DEMARCHE_TRY(const impl::Head head, impl::read_head(*kv->snapshot(), CommitNumber{0}, mark));
  (void)head;
  return {};
}

// Where a store is, or is to be made.
struct Place {
  bool fresh = false;                      // a database is to be made
  bool made_folder = false;                // so is the folder
  std::optional<impl::MakingTurn> making;  // held until the new store stands
};

// Looks at the folder and makes it ready for a new database where one is to be made.
Result<Place> prepare_folder(const std::string& path, const StoreOptions& options) {
  DEMARCHE_TRY(impl::FolderState folder, impl::inspect_folder(path));
  if (folder == impl::FolderState::kStore) return Place{};
  const bool may_make = options.create_if_missing && !options.read_only;
  if (const auto holder = impl::lock_holder(path)) {
    if (may_make) return tl::unexpected(held_elsewhere(path, *holder));
    return make_error(ErrorCode::kNotFound,
                      fmt::format("the store at '{}' is not ready: it is being made in {}; try again", path, *holder));
  }
  if (!may_make) {
    const char* found = folder == impl::FolderState::kUnfinished
                            ? "the store at '{0}' is unfinished (its making was interrupted) and empty; make it with: "
                              "demarche import FILE --into {0} --as jsonl"
                            : "there is no store at '{0}'; make one with: demarche import FILE --into {0} --as jsonl";
    return make_error(ErrorCode::kNotFound, fmt::format(fmt::runtime(found), path));
  }
  Place place;
  place.made_folder = folder == impl::FolderState::kAbsent;
  DEMARCHE_ASSIGN(place.making, impl::MakingTurn::take(path));
  // Whoever had the turn before may have changed everything.
  DEMARCHE_ASSIGN(folder, impl::inspect_folder(path, /*own_turn=*/true));
  if (folder == impl::FolderState::kStore) return Place{};
  if (const auto holder = impl::lock_holder(path)) return tl::unexpected(held_elsewhere(path, *holder));
  if (folder == impl::FolderState::kUnfinished) DEMARCHE_CHECK(impl::clear_unfinished(path, /*folder_too=*/false));
  impl::kill_point("make.folder");
  place.fresh = true;
  return place;
}

}  // namespace

Store::Store(std::shared_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const std::string& path, const StoreOptions& options) {
  DEMARCHE_TRY(const Place place, prepare_folder(path, options));
  const bool fresh = place.fresh;
  const auto in_context = [&path](Error error) {
    return tl::unexpected(std::move(error).with_context(fmt::format("'{}'", path)));
  };
  auto state = std::make_shared<State>();
  state->path = path;
  state->options = options;
  state->kv_cache = impl::make_kv_cache(options.cache_bytes / 2);
  state->cache = std::make_shared<impl::BlockCache>(options.cache_bytes / 2);
  if (options.read_only) {
    const std::lock_guard lock(state->mutex);
    if (auto opened = state->open_to_read(); !opened) return in_context(std::move(opened).error());
    return std::unique_ptr<Store>(new Store(std::move(state)));
  }
  const auto open_database = [&]() -> Result<std::unique_ptr<Store>> {
    if (const auto holder = impl::lock_holder(path)) return tl::unexpected(held_elsewhere(path, *holder));
    if (!fresh) {
      if (auto checked = check_before_writing(path, options); !checked) return in_context(std::move(checked).error());
    }
    if (fresh) DEMARCHE_CHECK(impl::check_room(path));
    auto kv = impl::open_rocks(impl::database_path(path), {fresh, false, 0, state->kv_cache});
    if (!kv) {
      if (const auto holder = impl::lock_holder(path)) return tl::unexpected(held_elsewhere(path, *holder));
      return in_context(std::move(kv).error());
    }
    state->kv = std::move(*kv);
    // Left by a process that died in a large commit, before anything of it was taken in.
    impl::remove_folder(impl::bulk_path(path));
    auto mark = impl::HighWaterMark::read(path);
    if (!mark) return in_context(std::move(mark).error());
    {
      const std::lock_guard lock(state->mutex);
      if (auto taken = state->take(state->kv->snapshot(), *mark); !taken) return in_context(std::move(taken).error());
      state->durable = state->head.commit;
      if (fresh) {
        impl::kill_point("make.database");
        DEMARCHE_CHECK(impl::finish_folder(path));
        impl::kill_point("make.finished");
      }
      if (state->tails.back().tail->size() >= options.seal_rows) state->begin_tail();
    }
    state->sealer = std::thread([raw = state.get()] { raw->run_sealer(); });
    return std::unique_ptr<Store>(new Store(std::move(state)));
  };
  auto store = open_database();
  state.reset();
  if (!store && fresh && !impl::lock_holder(path)) {
    // What was made is taken away again; the first error says more than one of this.
    (void)impl::clear_unfinished(path, place.made_folder);
  }
  return store;
}

std::shared_ptr<const View> Store::view() const {
  const std::lock_guard lock(state_->mutex);
  state_->refresh_if_old();
  return state_->published;
}

Result<void> Store::refresh() {
  const std::lock_guard lock(state_->mutex);
  return state_->options.read_only ? state_->refresh() : Result<void>{};
}

Result<std::shared_ptr<const View>> Store::view_at(CommitNumber n) const {
  std::shared_ptr<const impl::KvReader> reader;
  impl::Head head;
  {
    const std::lock_guard lock(state_->mutex);
    state_->refresh_if_old();
    if (n > state_->visible.commit) {
      return make_error(ErrorCode::kNotFound, fmt::format("there is no commit {} yet; the last one is {}", n.value,
                                                          state_->visible.commit.value));
    }
    reader = state_->reader;
    head.retired = state_->visible.retired;
  }
  head.commit = n;
  if (n.value != 0) {
    DEMARCHE_TRY(const auto bytes, reader->get(impl::Family::kCommit, impl::commit_key(n)));
    if (!bytes) return make_error(ErrorCode::kCorruption, fmt::format("commit: the record of {} is gone", n.value));
    DEMARCHE_ASSIGN(head.record, impl::decode_commit(*bytes));
  }
  DEMARCHE_ASSIGN(head.kinds, impl::read_kinds(*reader, n));
  const std::lock_guard lock(state_->mutex);
  return state_->make_view(head);
}

Result<CommitNumber> Store::commit_at(std::int64_t time_micros) const {
  std::shared_ptr<const impl::KvReader> reader;
  CommitNumber last;
  {
    const std::lock_guard lock(state_->mutex);
    state_->refresh_if_old();
    reader = state_->reader;
    last = state_->visible.commit;
  }
  // Commit times do not fall, so the numbers can be halved.
  std::uint64_t low = 0;
  std::uint64_t high = last.value;
  while (low < high) {
    const std::uint64_t middle = high - (high - low) / 2;
    DEMARCHE_TRY(const auto bytes, reader->get(impl::Family::kCommit, impl::commit_key(CommitNumber{middle})));
    if (!bytes) return make_error(ErrorCode::kCorruption, fmt::format("commit: the record of {} is gone", middle));
    DEMARCHE_TRY(const impl::CommitRecord record, impl::decode_commit(*bytes));
    if (record.time_micros <= time_micros) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return CommitNumber{low};
}

CacheStatistics Store::cache_statistics() const {
  const impl::BlockCacheStatistics s = state_->cache->statistics();
  return {s.hits, s.misses, s.bytes, s.directories};
}

std::vector<FamilySize> Store::family_sizes() const {
  std::shared_ptr<const impl::KvReader> reader;
  {
    const std::lock_guard lock(state_->mutex);
    state_->refresh_if_old();
    reader = state_->reader;
  }
  std::vector<FamilySize> out;
  for (std::size_t i = 0; i < impl::kFamilyCount; ++i) {
    const auto family = static_cast<impl::Family>(i);
    const bool is_index = family == impl::Family::kContact || family == impl::Family::kTimeline;
    out.push_back({impl::family_name(family), is_index, reader->file_bytes(family)});
  }
  return out;
}

const std::string& Store::path() const { return state_->path; }

Result<void> Store::seal() {
  if (state_->options.read_only) {
    return make_error(ErrorCode::kDenied, fmt::format("'{}' was opened read-only", state_->path));
  }
  DEMARCHE_TRY(const impl::WriterTurn turn, state_->writer.take(kWriterWait));
  std::unique_lock lock(state_->mutex);
  return state_->seal_all(lock);
}

Result<std::unique_ptr<Transaction>> Store::begin() {
  if (state_->options.read_only) {
    return make_error(ErrorCode::kDenied, fmt::format("'{}' was opened read-only", state_->path));
  }
  DEMARCHE_TRY(impl::WriterTurn turn, state_->writer.take(kWriterWait));
  auto tx = std::make_unique<Transaction::State>();
  tx->turn = std::move(turn);
  tx->store = state_;
  tx->tail = std::make_shared<impl::Tail>();
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->failed) {
      return make_error(
          ErrorCode::kOutcomeUnknown,
          fmt::format("'{}': an earlier commit failed half-way; open the store again to go on", state_->path));
    }
    tx->batch = state_->kv->make_batch(state_->reader);
    tx->read = std::make_shared<impl::ReadState>(*state_->read_state(state_->head));
  }
  const impl::Head& head = state_->head;
  tx->kinds = std::make_shared<KindTable>(*head.kinds);
  tx->commit = CommitNumber{head.commit.value + 1};
  tx->record = head.record;
  tx->record.first_row = tx->record.next_row;
  tx->read->reader = tx->batch;
  tx->read->tails.push_back(tx->tail);
  tx->read->visible.row_end = ~std::uint64_t{0};
  tx->read->visible.as_of = tx->commit;
  tx->read->catch_up = [raw = tx.get()] { return raw->catch_up(); };
  tx->pages = std::make_unique<impl::PageSpool>(state_->path, state_->options.bulk_memory_bytes / 4);
  tx->view = std::make_unique<View>(
      tx->read, tx->kinds,
      Statistics{head.commit, head.record.time_micros, head.record.actor_count, head.record.interaction_count,
                 head.record.source_count, head.record.time_stated});
  return std::unique_ptr<Transaction>(new Transaction(std::move(tx)));
}

}  // namespace demarche

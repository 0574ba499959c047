#include "engine/store.h"

#include <chrono>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/kv.h"
#include "engine/impl/record_codec.h"
#include "engine/impl/seal.h"
#include "engine/impl/store_folder.h"
#include "engine/impl/store_state.h"

namespace demarche {

namespace {

constexpr std::chrono::seconds kWriterWait{10};

// Every commit from the first to the last has its record; a gap means that files were lost.
Result<void> check_commits(const impl::KvReader& reader) {
  const auto it = reader.iterate(impl::Family::kCommit);
  CommitNumber expected{1};
  for (it->seek({}); it->valid(); it->next(), ++expected.value) {
    const auto n = impl::decode_commit_key(it->key());
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

// Reads the last commit, the kinds and the retired rows.
Result<impl::Head> read_head(const impl::KvReader& reader) {
  impl::Head head;
  const auto commits = reader.iterate(impl::Family::kCommit);
  commits->seek_to_last();
  if (commits->valid()) {
    const auto n = impl::decode_commit_key(commits->key());
    if (!n) return make_error(ErrorCode::kCorruption, "commit: a key has the wrong form");
    head.commit = *n;
    DEMARCHE_TRY(head.record, impl::decode_commit(commits->value()));
  }
  DEMARCHE_CHECK(commits->status());
  DEMARCHE_ASSIGN(head.kinds, impl::read_kinds(reader, head.commit));
  std::vector<impl::RetiredRows::Entry> retired;
  const auto it = reader.iterate(impl::Family::kRetired);
  for (it->seek({}); it->valid(); it->next()) {
    const auto row = impl::decode_u64(it->key());
    const auto commit = impl::decode_u64(it->value());
    if (!row || !commit) return make_error(ErrorCode::kCorruption, "retired_row: an entry has the wrong form");
    retired.push_back({*row, *commit});
  }
  DEMARCHE_CHECK(it->status());
  head.retired = impl::RetiredRows().with(std::move(retired));
  return head;
}

// The last commit whose rows are sealed into blocks.
Result<CommitNumber> read_sealed(const impl::KvReader& reader) {
  DEMARCHE_TRY(const auto bytes, reader.get(impl::Family::kMeta, impl::kSealedKey));
  if (!bytes) return CommitNumber{0};
  const auto n = impl::decode_u64(*bytes);
  if (!n) return make_error(ErrorCode::kCorruption, "default: the mark of what is sealed has the wrong form");
  return CommitNumber{*n};
}

Error held_elsewhere(const std::string& path, const std::string& holder) {
  return {ErrorCode::kConflict,
          fmt::format("'{}' is open for writing in {}; close it there, then try again", path, holder), nullptr};
}

// Everything that can be found wrong without changing a byte.
Result<impl::Head> read_and_check(const impl::KvReader& reader, const std::string& path) {
  DEMARCHE_TRY(const auto repairing, reader.get(impl::Family::kMeta, impl::kRepairingKey));
  if (repairing) {
    return make_error(
        ErrorCode::kCorruption,
        fmt::format("a repair of the index was interrupted; finish it with: demarche check {} --repair", path));
  }
  DEMARCHE_CHECK(check_commits(reader));
  DEMARCHE_TRY(impl::Head head, read_head(reader));
  DEMARCHE_TRY(const CommitNumber mark, impl::HighWaterMark::read(path));
  if (mark <= head.commit) return head;
  return make_error(
      ErrorCode::kCorruption,
      fmt::format(
          "commits {} to {} were acknowledged and are gone (a log file was cut or removed); restore a copy, or move "
          "the file COMMITTED away to go on with what is left",
          head.commit.value + 1, mark.value));
}

// A database with a fault must not be opened for writing: recovery would flush what precedes the fault and remove the
// log behind it. So it is looked at first.
Result<void> check_before_writing(const std::string& path, const StoreOptions& options) {
  DEMARCHE_TRY(const auto kv, impl::open_rocks(impl::database_path(path), {false, true, options.cache_bytes / 2}));
  DEMARCHE_TRY(const impl::Head head, read_and_check(*kv->snapshot(), path));
  (void)head;
  return {};
}

// Looks at the folder and makes it ready for a new database where one is to be made. Says what was there.
Result<impl::FolderState> prepare_folder(const std::string& path, const StoreOptions& options) {
  DEMARCHE_TRY(const impl::FolderState folder, impl::inspect_folder(path));
  if (folder == impl::FolderState::kStore) return folder;
  if (const auto holder = impl::lock_holder(path)) return tl::unexpected(held_elsewhere(path, *holder));
  if (options.read_only || !options.create_if_missing) {
    const char* found = folder == impl::FolderState::kUnfinished
                            ? "the store at '{0}' is unfinished (its making was interrupted) and empty; make it with: "
                              "demarche import FILE --into {0} --as jsonl"
                            : "there is no store at '{0}'; make one with: demarche import FILE --into {0} --as jsonl";
    return make_error(ErrorCode::kNotFound, fmt::format(fmt::runtime(found), path));
  }
  if (folder == impl::FolderState::kUnfinished) DEMARCHE_CHECK(impl::clear_unfinished(path, /*folder_too=*/false));
  DEMARCHE_CHECK(impl::make_folder(path));
  return folder;
}

}  // namespace

Store::Store(std::shared_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const std::string& path, const StoreOptions& options) {
  DEMARCHE_TRY(const impl::FolderState found, prepare_folder(path, options));
  const bool fresh = found != impl::FolderState::kStore;
  const auto in_context = [&path](Error error) {
    return tl::unexpected(std::move(error).with_context(fmt::format("'{}'", path)));
  };
  const auto open_database = [&]() -> Result<std::unique_ptr<Store>> {
    if (const auto holder = impl::lock_holder(path)) return tl::unexpected(held_elsewhere(path, *holder));
    if (!fresh && !options.read_only) {
      if (auto checked = check_before_writing(path, options); !checked) return in_context(std::move(checked).error());
    }
    if (fresh) DEMARCHE_CHECK(impl::check_room(path));
    auto state = std::make_shared<State>();
    state->path = path;
    state->options = options;
    auto kv = impl::open_rocks(impl::database_path(path), {fresh, options.read_only, options.cache_bytes / 2});
    if (!kv) {
      if (const auto holder = impl::lock_holder(path)) return tl::unexpected(held_elsewhere(path, *holder));
      return in_context(std::move(kv).error());
    }
    state->kv = std::move(*kv);
    // Left by a process that died in a large commit, before anything of it was taken in.
    if (!options.read_only) impl::remove_folder(impl::bulk_path(path));
    state->reader = state->kv->snapshot();
    auto head = read_and_check(*state->reader, path);
    if (!head) return in_context(std::move(head).error());
    state->head = std::move(*head);
    state->durable = state->head.commit;
    state->cache = std::make_shared<impl::BlockCache>(options.cache_bytes / 2);
    auto sealed = read_sealed(*state->reader);
    if (!sealed) return in_context(std::move(sealed).error());
    if (auto loaded = state->load_tails(*sealed); !loaded) return in_context(std::move(loaded).error());
    if (fresh) DEMARCHE_CHECK(impl::finish_folder(path));
    {
      const std::lock_guard lock(state->mutex);
      state->publish(state->head);
      if (!options.read_only && state->tails.back().tail->size() >= options.seal_rows) state->begin_tail();
    }
    if (!options.read_only) state->sealer = std::thread([raw = state.get()] { raw->run_sealer(); });
    return std::unique_ptr<Store>(new Store(std::move(state)));
  };
  auto store = open_database();
  if (!store && fresh && !impl::lock_holder(path)) {
    // What was made is taken away again; the first error says more than one of this.
    (void)impl::clear_unfinished(path, found == impl::FolderState::kAbsent);
  }
  return store;
}

std::shared_ptr<const View> Store::view() const {
  const std::lock_guard lock(state_->mutex);
  return state_->published;
}

Result<std::shared_ptr<const View>> Store::view_at(CommitNumber n) const {
  std::shared_ptr<const impl::KvReader> reader;
  impl::Head head;
  {
    const std::lock_guard lock(state_->mutex);
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

#include "engine/store.h"

#include <chrono>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/kill_point.h"
#include "engine/impl/kv.h"
#include "engine/impl/record_codec.h"
#include "engine/impl/store_folder.h"
#include "engine/impl/store_state.h"

namespace demarche {

namespace {

constexpr std::chrono::seconds kWriterWait{10};

Statistics statistics_of(CommitNumber n, const impl::CommitRecord& commit) {
  return {n, commit.time_micros, commit.actor_count, commit.interaction_count, commit.source_count};
}

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

// Reads the last commit and the kinds. The newest version of each kind counts; kinds come back in order of id, so a
// parent always before what stands below it.
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
  auto table = std::make_shared<KindTable>(KindTable::make_builtin());
  const auto it = reader.iterate(impl::Family::kKind);
  std::uint64_t last = 0;
  for (it->seek({}); it->valid(); it->next()) {
    const auto key = impl::decode_version_key(it->key());
    if (!key) return make_error(ErrorCode::kCorruption, "kind: a key has the wrong form");
    if (key->id == last) continue;
    last = key->id;
    DEMARCHE_TRY(Kind kind, impl::decode_kind(KindId{static_cast<std::uint32_t>(key->id)}, it->value()));
    DEMARCHE_CHECK(table->restore(std::move(kind)));
  }
  DEMARCHE_CHECK(it->status());
  head.kinds = std::move(table);
  return head;
}

Error held_elsewhere(const std::string& path, const std::string& holder) {
  return {ErrorCode::kConflict,
          fmt::format("'{}' is open for writing in {}; close it there, then try again", path, holder), nullptr};
}

// Everything that can be found wrong without changing a byte.
Result<impl::Head> read_and_check(const impl::KvReader& reader, const std::string& path) {
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
  DEMARCHE_TRY(const auto kv, impl::open_rocks(impl::database_path(path), {false, true, options.cache_bytes}));
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
  impl::kill_point("make.folder");
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
    auto kv = impl::open_rocks(impl::database_path(path), {fresh, options.read_only, options.cache_bytes});
    if (!kv) {
      if (const auto holder = impl::lock_holder(path)) return tl::unexpected(held_elsewhere(path, *holder));
      return in_context(std::move(kv).error());
    }
    state->kv = std::move(*kv);
    auto snapshot = state->kv->snapshot();
    auto head = read_and_check(*snapshot, path);
    if (!head) return in_context(std::move(head).error());
    state->head = std::move(*head);
    if (fresh) {
      impl::kill_point("make.database");
      DEMARCHE_CHECK(impl::finish_folder(path));
      impl::kill_point("make.finished");
    }
    state->published = std::make_shared<View>(std::move(snapshot), state->head.kinds,
                                              statistics_of(state->head.commit, state->head.record));
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
  const std::lock_guard lock(state_->publish_mutex);
  return state_->published;
}

const std::string& Store::path() const { return state_->path; }

Result<std::unique_ptr<Transaction>> Store::begin() {
  if (state_->options.read_only) {
    return make_error(ErrorCode::kDenied, fmt::format("'{}' was opened read-only", state_->path));
  }
  DEMARCHE_TRY(impl::WriterTurn turn, state_->writer.take(kWriterWait));
  if (state_->failed) {
    return make_error(
        ErrorCode::kOutcomeUnknown,
        fmt::format("'{}': an earlier commit failed half-way; open the store again to go on", state_->path));
  }
  auto tx = std::make_unique<Transaction::State>();
  tx->turn = std::move(turn);
  tx->store = state_;
  tx->batch = state_->kv->make_batch();
  tx->kinds = std::make_shared<KindTable>(*state_->head.kinds);
  tx->commit = CommitNumber{state_->head.commit.value + 1};
  tx->record = state_->head.record;
  tx->record.first_row = tx->record.next_row;
  tx->view = std::make_unique<View>(tx->batch, tx->kinds, statistics_of(state_->head.commit, tx->record));
  return std::unique_ptr<Transaction>(new Transaction(std::move(tx)));
}

Result<CommitNumber> Transaction::commit(std::string_view note) {
  State& tx = *state_;
  Store::State& store = *tx.store;
  if (tx.finished) return invalid("this transaction is committed already; begin another");
  tx.finished = true;
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  tx.record.time_micros = std::max(now, store.head.record.time_micros);  // clocks step back, commit times do not
  tx.record.note = std::string(note);
  tx.batch->put(impl::Family::kCommit, impl::commit_key(tx.commit), impl::encode_commit(tx.record));
  impl::kill_point("commit.begin");
  if (auto written = store.kv->write(*tx.batch, store.options.sync); !written) {
    store.failed = true;
    return tl::unexpected(std::move(written).error());
  }
  impl::kill_point("commit.written");
  if (store.options.sync) {
    if (auto marked = store.high_water.set(store.path, tx.commit); !marked) {
      store.failed = true;
      Error error = std::move(marked).error();
      error.code = ErrorCode::kOutcomeUnknown;
      return tl::unexpected(std::move(error).with_context(fmt::format("commit {} was kept, but", tx.commit.value)));
    }
  }
  impl::kill_point("commit.marked");
  store.head = {tx.commit, tx.record, tx.kinds};
  auto view = std::make_shared<View>(store.kv->snapshot(), tx.kinds, statistics_of(tx.commit, tx.record));
  const std::lock_guard lock(store.publish_mutex);
  store.published = std::move(view);
  return tx.commit;
}

}  // namespace demarche

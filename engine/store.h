// The store: one folder on disk that holds actors, interactions and their sources. Start here.
//
//   DEMARCHE_TRY(auto store, Store::open("talks.dm", {.create_if_missing = true}));
//   DEMARCHE_TRY(auto tx, store->begin());
//   DEMARCHE_TRY(const ActorId kerry, tx->add_actor({.key = "john-kerry", .name = "John Kerry"}));
//   DEMARCHE_TRY(const CommitNumber n, tx->commit("first notes"));
//   const auto view = store->view();
//   DEMARCHE_TRY(const Actor actor, view->get_actor(kerry));
//
// The interface is the seam behind which another backend can stand: nothing here promises more than commit of a batch
// with preconditions, and reads of a fixed state. Bytes are described in FORMAT.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/kind.h"
#include "engine/model.h"
#include "engine/planner_statistics.h"
#include "engine/result.h"
#include "engine/row_batch.h"
#include "engine/types.h"
#include "engine/valid_time.h"

namespace demarche {

namespace impl {
struct ReadState;
class DumpLoader;
}  // namespace impl
class Sweep;
struct KindCounter;

struct StoreOptions {
  bool create_if_missing = false;
  // Opens without the right to write: takes no lock, changes nothing, works in a folder that cannot be written to, and
  // beside a process that has the store open for writing. The writer need not know and may die, seal or compact.
  bool read_only = false;
  // Of a store opened read_only: Store::view() gives a state that the writer had reached no longer ago than this (0: at
  // the call). Where nothing has changed that costs a look at the folder; where the log has grown, reading on in it;
  // where sorted files came or went, opening the database again, which takes as long as Store::open().
  double refresh_seconds = 1;
  // true: a commit returns once it is on disk. false: it returns once the operating system has it, and a power cut may
  // lose the last ones, never the middle: should it leave a gap, the store is refused.
  bool sync = true;
  // Memory for what is read from disk: half of it for the database's own blocks, half for index blocks ready for use.
  std::size_t cache_bytes = std::size_t{256} << 20;
  // Committed rows are kept in memory until there are so many, then sealed into blocks in the background; beyond twice
  // as many a commit waits for that. Memory: some 150 bytes a row and party.
  std::size_t seal_rows = std::size_t{1} << 17;
  // A commit of at least so many rows is sorted into blocks at once and its files are taken in at one stroke.
  std::size_t bulk_rows = std::size_t{1} << 16;
  // Memory for the rows of an open transaction and for sorting them; beyond it a temporary file in the store's folder
  // is used.
  std::size_t bulk_memory_bytes = std::size_t{512} << 20;
};

// How often index blocks were found in memory, since the store was opened.
struct CacheStatistics {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t bytes = 0;   // held now
  std::uint64_t actors = 0;  // whose blocks are held now
};

// How much of the disk one sort of stored data takes: FORMAT.md, section 3, has the families.
struct FamilySize {
  std::string family;
  bool is_index = false;    // of the two orders of the index; else records and what they are found by
  std::uint64_t bytes = 0;  // in sorted files; what was committed since they were written is in the log
};

// Totals, kept with every commit. Cost: none.
struct Statistics {
  CommitNumber commit;
  std::int64_t commit_time_micros = 0;  // UTC since 1970, of that commit; 0 for the empty store
  std::uint64_t actors = 0;
  std::uint64_t interactions = 0;
  std::uint64_t sources = 0;
  bool commit_time_stated = false;  // see Transaction::state_time()
};

// Ascending stream of index rows by (begin_min, row), undated ones first. Holds on to the state it reads; use one per
// thread.
class RowCursor {
 public:
  RowCursor(RowCursor&&) noexcept;
  RowCursor& operator=(RowCursor&&) noexcept;
  ~RowCursor();
  // Replaces `batch` with the next rows, at most `rows_max`. An empty batch means the end.
  // Errors: kCorruption if a row does not decode; kIo.
  [[nodiscard]] Result<void> next(RowBatch& batch, std::size_t rows_max = 1024);
  // Index blocks looked at so far, those of the tails not counted.
  [[nodiscard]] std::uint64_t blocks() const;

 private:
  friend class View;
  struct State;
  explicit RowCursor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Ascending stream of actor ids.
class ActorCursor {
 public:
  ActorCursor(ActorCursor&&) noexcept;
  ActorCursor& operator=(ActorCursor&&) noexcept;
  ~ActorCursor();
  // Replaces `ids` with the next actors, at most `rows_max`. Empty means the end.
  [[nodiscard]] Result<void> next(std::vector<ActorId>& ids, std::size_t rows_max = 1024);

 private:
  friend class View;
  struct State;
  explicit ActorCursor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct NameMatch {
  ActorId actor;
  std::string normal_form;  // the one that matched
  bool preferred = false;   // of the preferred name, not an alias
};

// One fixed state of the store. Repeatable: nothing written later is seen. Thread-safe; cheap to copy by pointer.
// A view keeps the store's files open: let go of views before expecting the folder to be free.
class View {
 public:
  View(std::shared_ptr<const impl::ReadState> read, std::shared_ptr<const KindTable> kinds, Statistics statistics);
  ~View();
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  [[nodiscard]] const KindTable& kinds() const { return *kinds_; }
  // Of the whole store, also in a view within() some time.
  [[nodiscard]] const Statistics& statistics() const { return statistics_; }

  // This state as if it held only the interactions that are certainly in `valid`: the others are neither scanned nor
  // found. Actors, sources and kinds stay. Within another time before: the new one alone counts. Keeps the state alive.
  // Not of a transaction's view.
  [[nodiscard]] std::shared_ptr<const View> within(const ValidTime& valid) const;
  // nullopt: all of time, undated interactions included.
  [[nodiscard]] const std::optional<ValidTime>& valid_time() const;

  // By key. Absence is not an error. One point read.
  [[nodiscard]] Result<std::optional<ActorId>> find_actor(std::string_view key) const;
  [[nodiscard]] Result<std::optional<InteractionId>> find_interaction(std::string_view key) const;
  [[nodiscard]] Result<std::optional<SourceId>> find_source(std::string_view key) const;

  // Actors one of whose names has the same normal form, ascending by id.
  [[nodiscard]] Result<std::vector<ActorId>> find_actors_by_name(std::string_view name) const;
  // The one actor that a person means by `name`: by key, else by a name if only one actor has it.
  // Errors: kNotFound, with the nearest names; kInvalidArgument if several have it, with their keys.
  [[nodiscard]] Result<ActorId> resolve_actor(std::string_view name) const;
  // Names whose normal form starts with that of `prefix`, in order of normal form, at most `limit`.
  [[nodiscard]] Result<std::vector<NameMatch>> names(std::string_view prefix, std::size_t limit) const;

  // The version of a record that holds in this state. Errors: kNotFound, also if it was retired; kCorruption.
  [[nodiscard]] Result<Actor> get_actor(ActorId id) const;
  [[nodiscard]] Result<Interaction> get_interaction(InteractionId id) const;
  [[nodiscard]] Result<Source> get_source(SourceId id) const;

  // All actors, or those with a label. One seek, then a key read per actor.
  [[nodiscard]] Result<ActorCursor> actors() const;
  [[nodiscard]] Result<ActorCursor> actors_with_label(std::string_view label) const;

  // Rows of `actor`, or of all, whose possible time [begin_min, end_max] meets the window and whose kind is in `kinds`.
  // An empty window has no rows. Undated rows always can meet a window. Retired rows are passed over. scan: the actor's
  // blocks, from memory once they were read; timeline: one seek per length class, then a block read per some 700 rows.
  [[nodiscard]] Result<RowCursor> scan(ActorId actor, TimeWindow window, const KindSet& kinds) const;
  [[nodiscard]] Result<RowCursor> timeline(TimeWindow window, const KindSet& kinds) const;

  // What is known without looking. Cost: some microseconds at the first call of a view, none after it; within a
  // transaction at each call. All is read where a build has written that keeps no statistics, until the next sealing.
  // Errors: kCorruption, kIo.
  [[nodiscard]] Result<std::shared_ptr<const PlannerStatistics>> planner_statistics() const;
  // Entries of one actor's index, not less than there are. Cost: a point read. Errors: kCorruption, kIo.
  [[nodiscard]] Result<std::uint64_t> degree_bound(ActorId actor) const;

 private:
  friend class Transaction;
  friend class ContactScan;
  friend struct KindCounter;
  friend class Sweep;
  [[nodiscard]] Result<Interaction> any_interaction(InteractionId id) const;
  [[nodiscard]] Result<RowCursor> rows(std::uint64_t owner, TimeWindow window, const KindSet& kinds) const;

  std::shared_ptr<const impl::ReadState> read_;
  std::shared_ptr<const KindTable> kinds_;
  Statistics statistics_;
  mutable std::mutex planner_mutex_;  // guards what follows
  mutable std::shared_ptr<const PlannerStatistics> planner_statistics_;
};

// Interactions that say nothing but kind, day, parties, status and a line of one source, in columns: imports have many.
// Borrowed. Each is stored and read as if it had been given to add_interaction().
struct PlainInteractions {
  static constexpr std::int64_t kNoDay = std::numeric_limits<std::int64_t>::min();  // undated

  std::span<const KindId> kind;
  std::span<const std::int64_t> day;           // "2016-04-29", in days since 1970, of the years 1 to 9999; or kNoDay
  std::span<const std::uint32_t> party_begin;  // parties of i: [party_begin[i], party_begin[i + 1]), eight at most
  std::span<const ActorId> actor;
  std::span<const Role> role;
  Status status = Status::kNone;          // of all
  SourceId source;                        // of one claim of each; 0: no claims
  std::span<const std::uint64_t> line;    // locator "line 17"; 0, or no column: no locator
  std::span<const std::uint64_t> second;  // locator "line 17, 42": the greater number; 0, or no column: there is one
};

// A set of changes that becomes one commit or nothing. Reads through view() see what it has written. Not thread-safe.
// Letting go of it without commit() drops the changes.
class Transaction {
 public:
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // The store as this transaction leaves it. Valid while the transaction lives. A cursor taken from it may or may not
  // meet what is written after it was opened: write after reading, or read again.
  [[nodiscard]] const View& view() const;

  // Errors of all four: kInvalidArgument with what is wrong, kNotFound for a `part_of` that is not there; nothing is
  // added.
  // The id inside the argument is ignored; the one given out is returned.
  [[nodiscard]] Result<KindId> declare_kind(std::string_view name, KindId parent, std::string_view cameo = {},
                                            std::string_view plover = {});
  [[nodiscard]] Result<SourceId> add_source(Source source);
  [[nodiscard]] Result<ActorId> add_actor(Actor actor);
  // Actors, kind, sources and part_of must be of this store.
  [[nodiscard]] Result<InteractionId> add_interaction(Interaction interaction);
  // The same for many: all or none of them. They get ids in a row; the first is returned. Cost: some 0.1 us each.
  // Errors: kInvalidArgument, with the number of the interaction in the columns, from 0; kIo.
  [[nodiscard]] Result<InteractionId> add_plain_interactions(const PlainInteractions& interactions);
  // Makes `part` a part of `whole`. Refused if that would close a circle.
  [[nodiscard]] Result<void> set_part_of(InteractionId part, InteractionId whole);

  // Writes a new version; ids stay, the old version can be read as of earlier commits. An interaction whose kind, when,
  // participants or status change gets a new row, and the old one is retired.
  // Errors: as for adding; kNotFound.
  [[nodiscard]] Result<void> replace_actor(ActorId id, Actor actor);
  [[nodiscard]] Result<void> replace_interaction(InteractionId id, Interaction interaction);
  // Takes a record back: it is not found any more but as of earlier commits, and its key is free again. What names a
  // retired interaction as the one it is part of keeps doing so.
  // Errors: kNotFound; kConflict for an actor that takes part in an interaction.
  [[nodiscard]] Result<void> retire_actor(ActorId id);
  [[nodiscard]] Result<void> retire_interaction(InteractionId id);

  [[nodiscard]] bool empty() const;
  // States when this commit was recorded (microseconds, UTC since 1970), for histories that are brought from elsewhere;
  // the clock is not asked, and the commit is marked as stated. Errors: kInvalidArgument, if it is before the last
  // commit or in the future.
  [[nodiscard]] Result<void> state_time(std::int64_t time_micros);
  // Writes everything in one atomic batch and returns the commit's number. `note` says what it was, for people.
  // `id`, if not empty (1000 bytes at most), makes it safe to try again after kOutcomeUnknown: if a commit with this id
  // was kept, its number is returned and nothing is written.
  // With sync, commits of several threads share the wait for the disk.
  // Errors: kOutcomeUnknown if the disk refused half-way: the store then refuses further writes until reopened.
  // Afterwards the transaction refuses everything.
  [[nodiscard]] Result<CommitNumber> commit(std::string_view note, std::string_view id = {});

  struct State;  // defined in impl/store_state.h

 private:
  friend class Store;
  explicit Transaction(std::unique_ptr<State> state);
  // Would `part` within `whole` close a circle?
  [[nodiscard]] Result<void> check_part_of(InteractionId part, const std::string& part_key, InteractionId whole) const;

  // For loading a dump: versions as they ended up in a commit, with their ids and rows. Keys may change hands within a
  // commit in any order; check_placed() at its end says whether each has one holder and no part closes a circle.
  friend class impl::DumpLoader;
  [[nodiscard]] Result<void> place_actor(Actor actor);
  [[nodiscard]] Result<void> place_retired_actor(ActorId id);
  [[nodiscard]] Result<void> place_interaction(Interaction interaction);
  [[nodiscard]] Result<void> place_retired_interaction(InteractionId id);
  // Numbers of rows that were added and replaced within one commit are not given again.
  [[nodiscard]] Result<void> pass_over_rows(RowNumber next);
  [[nodiscard]] Result<void> check_placed() const;
  [[nodiscard]] Result<void> move_key(std::uint8_t owner, const std::string& from, const std::string& to,
                                      std::uint64_t id);
  std::unique_ptr<State> state_;
};

struct Backup;  // engine/backup.h

// Owner of the folder. Thread-safe: any number of views at once, one transaction at a time.
class Store {
 public:
  // Errors: kNotFound (no store there), kInvalidArgument (a foreign folder, a format this build does not read),
  // kConflict (open elsewhere; the message names the process), kDenied (no right to write there), kCorruption, kIo.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::string& path, const StoreOptions& options = {});
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Of a store opened read_only: commits whole and in order, never going back; also such as the writer has written and
  // not yet synced, which a power cut may still take away. If the folder cannot be read now (it was removed or damaged,
  // or changes too fast), the last state read; refresh() tells.
  [[nodiscard]] std::shared_ptr<const View> view() const;
  // Brings a store opened read_only up to the writer's last commit, whatever its age. Of another it does nothing.
  // Errors: kOverloaded, try again; kCorruption, kIo, kDenied: the next view() is still the last state read.
  [[nodiscard]] Result<void> refresh();
  // The state as commit `n` left it; 0 is the empty store. Errors: kNotFound if there is no such commit yet.
  [[nodiscard]] Result<std::shared_ptr<const View>> view_at(CommitNumber n) const;
  // The last commit at or before an instant (microseconds, UTC since 1970); 0 if there is none.
  [[nodiscard]] Result<CommitNumber> commit_at(std::int64_t time_micros) const;
  [[nodiscard]] CacheStatistics cache_statistics() const;
  // In the order of FORMAT.md. Cost: none.
  [[nodiscard]] std::vector<FamilySize> family_sizes() const;
  // Seals all rows committed so far and waits for it. Nothing is lost without: it saves memory and the next opening's
  // time. Errors: kDenied on a read-only store; kOutcomeUnknown, kCorruption, kIo.
  [[nodiscard]] Result<void> seal();
  // Waits for the transaction before it to end, ten seconds at most, then kOverloaded.
  // Errors: kDenied on a read-only store; kOutcomeUnknown after a failed commit.
  [[nodiscard]] Result<std::unique_ptr<Transaction>> begin();
  [[nodiscard]] const std::string& path() const;
  // Copies the store into `folder` and verifies the copy; see engine/backup.h. Commits may go on meanwhile: those made
  // after the call may or may not be in it. Errors: as back_up_store().
  [[nodiscard]] Result<Backup> back_up(const std::string& folder) const;

 private:
  friend class Transaction;
  struct State;
  explicit Store(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the open transaction, which may outlive a careless owner
};

}  // namespace demarche

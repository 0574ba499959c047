// The insides of Store and Transaction, shared by the files that implement them.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/impl/block_cache.h"
#include "engine/impl/kv.h"
#include "engine/impl/page_spool.h"
#include "engine/impl/plain_page.h"
#include "engine/impl/planner_counts.h"
#include "engine/impl/read_head.h"
#include "engine/impl/read_state.h"
#include "engine/impl/record_codec.h"
#include "engine/impl/store_folder.h"
#include "engine/impl/tail.h"
#include "engine/store.h"

namespace demarche {

namespace impl {

class Writer;

// The right to write, given back when it goes. May move to another thread.
class WriterTurn {
 public:
  WriterTurn() = default;
  explicit WriterTurn(Writer* writer) : writer_(writer) {}
  WriterTurn(WriterTurn&& other) noexcept : writer_(std::exchange(other.writer_, nullptr)) {}
  WriterTurn& operator=(WriterTurn&& other) noexcept {
    std::swap(writer_, other.writer_);
    return *this;
  }
  inline ~WriterTurn();

 private:
  Writer* writer_ = nullptr;
};

// One at a time. Not a mutex, because a transaction may end on another thread than it began on.
class Writer {
 public:
  [[nodiscard]] Result<WriterTurn> take(std::chrono::seconds wait) {
    std::unique_lock lock(mutex_);
    if (!free_.wait_for(lock, wait, [this] { return !busy_; })) {
      return make_error(
          ErrorCode::kOverloaded,
          fmt::format("another transaction has been open for {} seconds; end it, or try again later", wait.count()));
    }
    busy_ = true;
    return WriterTurn(this);
  }
  void give_back() {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    free_.notify_one();
  }

 private:
  std::mutex mutex_;  // guards busy_
  std::condition_variable free_;
  bool busy_ = false;
};

inline WriterTurn::~WriterTurn() {
  if (writer_ != nullptr) writer_->give_back();
}

// A tail and the commits it holds.
struct TailPart {
  std::shared_ptr<Tail> tail = std::make_shared<Tail>();
  std::vector<CommitNumber> commits;  // those with rows
  CommitNumber last;                  // with rows or not: what it holds ends here
};

// How a store that was opened read-only goes on: two openings of the database take turns, so that what is shown stays
// as it is until the other has been read and found whole.
struct Following {
  KvPosition seen;                                   // of the files, before what is shown was read
  std::chrono::steady_clock::time_point young_till;  // so long what is shown is not too old
  CommitNumber sealed;                               // in what is shown
  bool tail_whole = false;                           // the tail has all of it, and nothing twice
  std::unique_ptr<KvFollower> current;               // null: what is shown was not read by a follower
  std::unique_ptr<KvFollower> spare;                 // what was shown before that
  std::weak_ptr<const KvReader> spare_reader;        // lives while a view of that time does
};

// A row of a transaction that is not yet written.
struct PendingRow {
  RowNumber row;
  InteractionId interaction;
  KindId kind;
  std::optional<TimeBounds> bounds;
  Status status = Status::kNone;
  PlainFields plain;
  std::size_t party_begin = 0;
  std::size_t party_count = 0;
};

}  // namespace impl

// Locks are taken in the order in which they stand here.
struct Store::State {
  std::string path;
  StoreOptions options;
  std::shared_ptr<impl::KvCache> kv_cache;
  std::shared_ptr<impl::BlockCache> cache;
  std::shared_ptr<impl::KvStore> kv;  // null if opened read-only

  impl::Writer writer;  // its turn is held by the open transaction and guards head

  impl::Head head;  // of the last commit written, synced or not; changed with the turn and the mutex below

  // Held while something is written to the database and the state after it is made known: what a reader finds in the
  // blocks and what it finds in the tails must not overlap.
  mutable std::mutex mutex;  // guards what follows, and changes of head
  std::optional<Error> failed;
  std::vector<impl::TailPart> tails;  // oldest first; the last one grows, those before are being sealed
  std::uint64_t epoch = 0;
  std::shared_ptr<const impl::StatisticsBase> statistics;  // of the blocks; null: none that can be trusted
  std::shared_ptr<const impl::KvReader> reader;            // a snapshot that has all of head
  impl::Head visible;                     // the last commit that readers may see: with sync, one that is synced
  std::shared_ptr<const View> published;  // of `visible`

  // Sharing the wait for the disk.
  CommitNumber durable;
  bool syncing = false;
  std::condition_variable synced;
  impl::HighWaterMark high_water;  // used by whoever has set syncing

  impl::Following following;  // if opened read-only

  // Sealing.
  std::condition_variable seal_wanted;
  std::condition_variable seal_done;
  bool stopping = false;
  std::thread sealer;

  ~State();

  // All with `mutex` held.
  [[nodiscard]] std::shared_ptr<const impl::ReadState> read_state(const impl::Head& of) const;
  [[nodiscard]] std::shared_ptr<const View> make_view(const impl::Head& of) const;
  void publish(const impl::Head& of);
  void begin_tail();

  // Makes what `from` shows the state of this store, if it is whole, not before `mark`, and not before what was shown.
  // Errors: kCorruption, kIo; the state stays as it was.
  [[nodiscard]] Result<void> take(std::shared_ptr<const impl::KvReader> from, CommitNumber mark);

  // Of a store opened read-only: follow.cc.
  [[nodiscard]] Result<void> open_to_read();
  [[nodiscard]] Result<void> refresh();
  void refresh_if_old();
  // One try of each. false: the writer was changing files meanwhile.
  [[nodiscard]] Result<bool> try_reading();
  [[nodiscard]] Result<bool> try_following();

  void run_sealer();
  // Seals the oldest tail. Called by one thread at a time, with `lock` holding the mutex, which is given back
  // meanwhile.
  [[nodiscard]] Result<void> seal_oldest(std::unique_lock<std::mutex>& lock);
  // Seals everything and waits for it. With the writer's turn, and `lock` holding the mutex.
  [[nodiscard]] Result<void> seal_all(std::unique_lock<std::mutex>& lock);
  // Counts what is there and stores it, where a build has written that keeps no statistics. REQUIRES: the writer's
  // turn, and nothing to seal.
  [[nodiscard]] Result<void> count_anew();
  // Waits until commit `n` is on disk; one waiting thread does it for all.
  [[nodiscard]] Result<void> wait_synced(CommitNumber n);
};

struct Transaction::State {
  // Rows that are held as they are; beyond, they are put aside as pages of some 12 bytes a row.
  static constexpr std::size_t kRowsHeldMax = 16 * impl::kPageRowsMax;

  std::shared_ptr<Store::State> store;
  impl::WriterTurn turn;  // after store: given back before the store can go
  std::shared_ptr<impl::KvBatch> batch;
  std::shared_ptr<KindTable> kinds;
  CommitNumber commit;        // the number this becomes
  impl::CommitRecord record;  // grows with the changes

  // Rows added, in order: first those put aside as pages, then those in `rows`. The view finds them in `tail`, where
  // they are put when somebody looks, so that a loader that never does pays nothing.
  std::unique_ptr<impl::PageSpool> pages;
  std::uint64_t rows_in_pages = 0;
  std::size_t pages_in_tail = 0;
  std::vector<impl::PendingRow> rows;
  std::vector<Party> parties;
  std::vector<impl::RetiredRows::Entry> retired;
  impl::KeptCounts counts;  // of what it retires and of labels; not of the rows it adds
  std::shared_ptr<impl::Tail> tail;
  std::size_t in_tail = 0;  // of `rows`
  std::size_t retired_seen = 0;

  std::shared_ptr<impl::ReadState> read;
  std::unique_ptr<View> view;
  bool changed = false;
  bool finished = false;                    // committed, or refused half-way
  std::optional<std::int64_t> stated_time;  // microseconds

  // While a dump is loaded: keys taken over from holders that have yet to give them up, and parts to look at.
  std::vector<std::tuple<impl::KeyOwner, std::string, std::uint64_t>> contested;
  std::vector<InteractionId> placed_parts;

  // Errors: kIo. What the view then misses is told by the commit.
  [[nodiscard]] Result<void> catch_up();
  // Puts `rows` aside as pages. Errors: kIo.
  [[nodiscard]] Result<void> set_aside();
  // The rest of commit() where there are many rows.
  [[nodiscard]] Result<CommitNumber> commit_bulk();
  // Encodes rows [first, last) as pages.
  [[nodiscard]] std::vector<std::string> make_pages(std::size_t first, std::size_t last) const;
  [[nodiscard]] impl::RowSource source_of(const impl::PendingRow& row) const;
};

namespace impl {
// Appends the rows of a page to a tail, and the page itself. `reader` has the parties of those too large for it.
[[nodiscard]] Result<void> append_page_rows(const KvReader& reader, std::string_view bytes, Tail& tail);
}  // namespace impl

}  // namespace demarche

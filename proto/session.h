// One way to ask a store, wherever it is: in this process, or behind a server. Code written against a Session runs
// against both and gets the same answers.
//
//   DEMARCHE_TRY(auto session, proto::connect("demarche+unix:talks.sock", {}));   // or open_local("talks.dm", {})
//   DEMARCHE_TRY(const auto state, session->snapshot());
//   const Moment walkout = Moment::of("hnc-walkout");
//   DEMARCHE_TRY(const auto page, state->actor("john-kerry").contacts({.before = walkout}).counterparts()
//                                      .contacts({.before = walkout}).page({.limit = 20, .records = true}));
//
// Sets (Actors, Interactions) are descriptions: nothing is read until count(), page() or lines(), and then the whole
// chain is one request, one round trip.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/before.h"
#include "engine/chronology.h"
#include "engine/contact_scan.h"
#include "engine/result.h"
#include "engine/store.h"
#include "proto/token_store.h"
#include "proto/traversal.h"
#include "query/query.h"

namespace demarche::proto {

class Snapshot;
using SnapshotPtr = std::shared_ptr<Snapshot>;

// ---- sets ----------------------------------------------------------------------------------------------------------

struct PageOptions {
  std::uint64_t after = 0;     // ids above this
  std::uint32_t limit = 1000;  // with records 1000 at most, else 10000
  bool records = false;
};

template <typename IdType, typename Record>
struct Page {
  std::vector<IdType> ids;      // ascending
  std::vector<Record> records;  // if asked for, in the order of ids
  bool more = false;
};
using ActorPage = Page<ActorId, Actor>;
using InteractionPage = Page<InteractionId, Interaction>;

// Lines of contact, batch by batch; see LineScan.
class Lines {
 public:
  virtual ~Lines() = default;
  [[nodiscard]] virtual Result<void> next(ContactLines& lines) = 0;
};

class Interactions;

// Some actors of one state. Cheap to copy.
class Actors {
 public:
  Actors(SnapshotPtr state, ActorExprPtr expr) : state_(std::move(state)), expr_(std::move(expr)) {}

  // Interactions in which a member was in contact; no kinds given: CONTACT and all below.
  [[nodiscard]] Interactions contacts(Filter filter = {}) const;
  // In which a member took part.
  [[nodiscard]] Interactions interactions(Filter filter = {}) const;
  // Whom word from a member could have reached, the members not counted.
  [[nodiscard]] Actors reach(ReachOptions options = {}) const;
  [[nodiscard]] Actors with_label(std::string label) const;
  // REQUIRES of these: the other is of the same session.
  [[nodiscard]] Actors united(const Actors& other) const;
  [[nodiscard]] Actors common(const Actors& other) const;
  [[nodiscard]] Actors without(const Actors& other) const;

  [[nodiscard]] Result<std::uint64_t> count() const;
  [[nodiscard]] Result<ActorPage> page(const PageOptions& options = {}) const;

 private:
  [[nodiscard]] Actors combined(SetOperation operation, const Actors& other) const;
  SnapshotPtr state_;
  ActorExprPtr expr_;
};

class Interactions {
 public:
  Interactions(SnapshotPtr state, InteractionExprPtr expr) : state_(std::move(state)), expr_(std::move(expr)) {}

  [[nodiscard]] Interactions only(Filter filter) const;
  // Of contacts(): those in contact with a member of the set it began with. Of others: all in contact with anybody.
  [[nodiscard]] Actors counterparts() const;
  [[nodiscard]] Actors participants(std::vector<Role> roles = {}) const;
  [[nodiscard]] Interactions united(const Interactions& other) const;
  [[nodiscard]] Interactions common(const Interactions& other) const;
  [[nodiscard]] Interactions without(const Interactions& other) const;

  [[nodiscard]] Result<std::uint64_t> count() const;
  [[nodiscard]] Result<InteractionPage> page(const PageOptions& options = {}) const;
  [[nodiscard]] Result<std::unique_ptr<Lines>> lines() const;

 private:
  [[nodiscard]] Interactions combined(SetOperation operation, const Interactions& other) const;
  SnapshotPtr state_;
  InteractionExprPtr expr_;
};

// ---- rows ----------------------------------------------------------------------------------------------------------

struct RowsBatch {
  std::size_t size = 0;
  std::vector<std::vector<query::Value>> columns;
};

// The answer to one statement, as query::ResultCursor.
class Rows {
 public:
  virtual ~Rows() = default;
  [[nodiscard]] virtual const std::vector<std::string>& columns() const = 0;
  // Replaces `batch` with the next rows. None means the end.
  [[nodiscard]] virtual Result<void> next(RowsBatch& batch) = 0;
  // Complete once the rows are at their end.
  [[nodiscard]] virtual const std::vector<std::string>& notices() const = 0;
  [[nodiscard]] virtual const query::Changes& changes() const = 0;
  // The state the answer is about.
  [[nodiscard]] virtual const Snapshot& state() const = 0;
};

struct KindTotal {
  KindId kind;
  std::uint64_t count = 0;
  Timestamp first;
  Timestamp last;
};
struct Totals {
  std::vector<KindTotal> kinds;
  std::uint64_t undated = 0;
  std::uint64_t disk_bytes = 0;
};

// ---- a fixed state -------------------------------------------------------------------------------------------------

// Nothing written later is seen. Of a remote session, records that were read or came along are kept for the next time.
class Snapshot : public std::enable_shared_from_this<Snapshot> {
 public:
  virtual ~Snapshot() = default;

  [[nodiscard]] virtual const KindTable& kinds() const = 0;
  [[nodiscard]] virtual const Statistics& statistics() const = 0;

  [[nodiscard]] Actors actor(std::string name);  // by key, or by a name that only one has
  [[nodiscard]] Actors actor(ActorId id);
  [[nodiscard]] Actors actors(std::string label = "");
  [[nodiscard]] Interactions interaction(std::string key);
  [[nodiscard]] Interactions interaction(InteractionId id);
  [[nodiscard]] Interactions interactions(Filter filter = {});

  // Statements that do not write. Errors: kDenied for one that does.
  [[nodiscard]] virtual Result<std::unique_ptr<Rows>> query(std::string_view text,
                                                            const std::map<std::string, query::Value>& parameters = {},
                                                            const query::QueryOptions& options = {}) = 0;

  // As in engine/store.h.
  [[nodiscard]] virtual Result<std::optional<InteractionId>> find_interaction(const std::string& key) const = 0;
  [[nodiscard]] virtual Result<std::optional<SourceId>> find_source(const std::string& key) const = 0;
  [[nodiscard]] virtual Result<ActorId> resolve_actor(const std::string& name) const = 0;
  [[nodiscard]] virtual Result<std::vector<NameMatch>> names(const std::string& prefix, std::size_t limit) const = 0;
  [[nodiscard]] virtual Result<Actor> get_actor(ActorId id) const = 0;
  [[nodiscard]] virtual Result<Interaction> get_interaction(InteractionId id) const = 0;
  [[nodiscard]] virtual Result<Source> get_source(SourceId id) const = 0;

  // Interactions in which the actor holds an office, in order of time.
  [[nodiscard]] virtual Result<std::vector<InteractionId>> offices(ActorId id) const = 0;
  // The key of an interaction that is nearest to `text`, or "". Reads up to 50,000 records: for messages only.
  [[nodiscard]] virtual Result<std::string> nearest_key(const std::string& text) const = 0;
  [[nodiscard]] virtual Result<std::vector<ContactBefore>> contacts_before(const TimeBounds& bounds,
                                                                           const BeforeOptions& options) const = 0;
  // Of `options`: mode, before and hops_max. Others are refused by a remote session.
  [[nodiscard]] virtual Result<std::optional<Arrival>> earliest_arrival(ActorId from, ActorId to,
                                                                        const ChronologyOptions& options) const = 0;
  [[nodiscard]] virtual Result<Totals> totals() const = 0;
  // That these will be asked for: a remote session gets them in one round trip.
  virtual void expect(const std::vector<ActorId>& actors, const std::vector<InteractionId>& interactions) const = 0;

  // The store's own view; null for a remote session.
  [[nodiscard]] virtual const View* view() const = 0;

  // What the sets are read through.
  [[nodiscard]] virtual Result<std::uint64_t> count(const ActorExprPtr& set) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> count(const InteractionExprPtr& set) = 0;
  [[nodiscard]] virtual Result<ActorPage> page(const ActorExprPtr& set, const PageOptions& options) = 0;
  [[nodiscard]] virtual Result<InteractionPage> page(const InteractionExprPtr& set, const PageOptions& options) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Lines>> lines(const InteractionExprPtr& set) = 0;
};

// ---- sessions ------------------------------------------------------------------------------------------------------

struct RecordReport {
  std::size_t lines = 0;
  std::size_t actors = 0;
  std::size_t interactions = 0;
  std::size_t sources = 0;
  CommitNumber commit;
};

// Not thread-safe. A remote session belongs to the thread that connected, and so do its snapshots, sets and rows, which
// may outlive it.
class Session {
 public:
  virtual ~Session() = default;
  // The newest state. Errors of a remote one: kIo if the connection is lost; ask again and it is made anew.
  [[nodiscard]] virtual Result<SnapshotPtr> snapshot() = 0;
  [[nodiscard]] virtual Result<SnapshotPtr> snapshot_at(CommitNumber commit) = 0;
  // As query::view_as_of() reads it: a day (its end, UTC), a date-time, "commit 12"; empty: the newest.
  [[nodiscard]] virtual Result<SnapshotPtr> snapshot_as_of(const std::string& system_time) = 0;
  // Any statement, at the newest state; one that writes is one commit. Errors: kDenied if this session may not write.
  [[nodiscard]] virtual Result<std::unique_ptr<Rows>> query(std::string_view text,
                                                            const std::map<std::string, query::Value>& parameters = {},
                                                            const query::QueryOptions& options = {}) = 0;
  // JSON Lines (docs/import.md) as one commit; a commit_id makes it safe to try again. Sent piece by piece.
  [[nodiscard]] virtual Result<RecordReport> record(std::string_view lines, const std::string& note,
                                                    const std::string& commit_id) = 0;
  [[nodiscard]] virtual Access access() const = 0;
  // Of an admin: seals what is committed.
  [[nodiscard]] virtual Result<CommitNumber> checkpoint() = 0;
};

// `store` must outlive the session and all it gave out.
[[nodiscard]] std::unique_ptr<Session> local_session(Store& store, Access access = Access::kAdmin);

// Does the text name a server: demarche://..., demarche+tls://..., demarche+unix:...?
[[nodiscard]] bool is_remote(std::string_view address);

struct ConnectOptions {
  std::string token = {};
  std::string ca_file = {};  // of TLS: certificates to trust besides the system's
  std::string client = "demarche";
  // Set from another thread or a signal handler to end the call that waits. May be null; must outlive the session.
  const std::atomic<bool>* cancel = nullptr;
};

// What has gone over the wire, as the client sees it.
struct WireTotals {
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t turns = 0;  // round trips
};

class RemoteSession : public Session {
 public:
  [[nodiscard]] virtual WireTotals wire() const = 0;
};

// demarche://HOST:PORT, demarche+tls://HOST:PORT, demarche+unix:PATH. Connects and logs in.
// Errors: kInvalidArgument for an address that is none.
[[nodiscard]] Result<std::unique_ptr<RemoteSession>> connect(const std::string& address, const ConnectOptions& options);

}  // namespace demarche::proto

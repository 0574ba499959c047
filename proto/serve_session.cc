// Reader, Writer, Admin and Snapshot.

#include "proto/serve_session.h"

#include <algorithm>
#include <utility>

#include "engine/backup.h"
#include "engine/before.h"
#include "proto/view_answers.h"

namespace demarche::proto {

namespace {

using ViewPtr = std::shared_ptr<const View>;

wire::Access wire_access(Access access) { return static_cast<wire::Access>(access); }
static_assert(static_cast<int>(Access::kAdmin) == static_cast<int>(wire::Access::ADMIN));

capnp::uint count_of(std::size_t n) { return static_cast<capnp::uint>(n); }

std::vector<std::string> texts_of(capnp::List<capnp::Text>::Reader in) {
  std::vector<std::string> out;
  for (const auto text : in) out.push_back(short_text(text));
  return out;
}

struct Found {
  std::vector<std::uint64_t> interactions;
  std::vector<std::uint64_t> sources;
  std::vector<std::uint64_t> actors;
  std::vector<std::string> nearest;
};

struct FindRequest {
  std::vector<std::string> interactions;
  std::vector<std::string> sources;
  std::vector<std::string> actors;
};

Result<Found> find_all(const View& view, const FindRequest& request) {
  Found out;
  for (const std::string& key : request.interactions) {
    DEMARCHE_TRY(const auto id, view.find_interaction(key));
    out.interactions.push_back(id ? id->value : 0);
    out.nearest.emplace_back();
    if (!id) DEMARCHE_ASSIGN(out.nearest.back(), nearest_key_of(view, key));
  }
  for (const std::string& key : request.sources) {
    DEMARCHE_TRY(const auto id, view.find_source(key));
    out.sources.push_back(id ? id->value : 0);
  }
  for (const std::string& name : request.actors) {
    DEMARCHE_TRY(const ActorId id, view.resolve_actor(name));
    out.actors.push_back(id.value);
  }
  return out;
}

void set_numbers(const std::vector<std::uint64_t>& values, capnp::List<std::uint64_t>::Builder out) {
  for (capnp::uint i = 0; i < out.size(); ++i) out.set(i, values[i]);
}

class SnapshotServer final : public wire::Snapshot::Server {
 public:
  SnapshotServer(SessionRef session, ViewPtr view)
      : session_(kj::mv(session)), charge_(session_->charge()), view_(std::move(view)) {
    KJ_REQUIRE(session_->snapshots < session_->server.options.limits.snapshots,
               "too many snapshots are held by this connection; let go of some");
    ++session_->snapshots;
    counted_ = true;
  }
  ~SnapshotServer() noexcept(false) {
    if (counted_) --session_->snapshots;
  }

  kj::Promise<void> describe(DescribeContext context) override {
    session_->check();
    auto info = context.getResults().initInfo();
    const Statistics& s = view_->statistics();
    info.setCommit(s.commit.value);
    info.setCommitTimeMicros(s.commit_time_micros);
    info.setCommitTimeStated(s.commit_time_stated);
    info.setActors(s.actors);
    info.setInteractions(s.interactions);
    info.setSources(s.sources);
    write_kinds(view_->kinds(), info.initKinds(count_of(view_->kinds().all().size())));
    return kj::READY_NOW;
  }

  // ---- sets

  kj::Promise<void> actor(ActorContext context) override {
    context.getResults().setActor(actors({ActorExpr::Named{short_text(context.getParams().getName())}}));
    return kj::READY_NOW;
  }
  kj::Promise<void> actorById(ActorByIdContext context) override {
    context.getResults().setActor(actors({ActorExpr::ById{{context.getParams().getId()}}}));
    return kj::READY_NOW;
  }
  kj::Promise<void> actors(ActorsContext context) override {
    context.getResults().setSet(actors({ActorExpr::Labelled{short_text(context.getParams().getLabel())}}));
    return kj::READY_NOW;
  }
  kj::Promise<void> interaction(InteractionContext context) override {
    context.getResults().setInteraction(
        interactions({InteractionExpr::Keyed{short_text(context.getParams().getKey())}}));
    return kj::READY_NOW;
  }
  kj::Promise<void> interactionById(InteractionByIdContext context) override {
    context.getResults().setInteraction(interactions({InteractionExpr::ById{{context.getParams().getId()}}}));
    return kj::READY_NOW;
  }
  kj::Promise<void> interactions(InteractionsContext context) override {
    context.getResults().setSet(
        interactions({InteractionExpr::Everything{read_filter(context.getParams().getFilter())}}));
    return kj::READY_NOW;
  }

  // ---- statements

  kj::Promise<void> query(QueryContext context) override {
    return run_statement(kj::addRef(*session_), view_, false, context);
  }

  kj::Promise<void> explain(ExplainContext context) override {
    return answer<std::string>(
        context,
        [text = text_of(context.getParams().getText()),
         &store = session_->server.store](const CancelFlag&) -> Result<std::string> {
          DEMARCHE_TRY(const auto cursor, query::run_query(store, "EXPLAIN " + text));
          std::string plan;
          query::ResultRows rows;
          while (true) {
            DEMARCHE_CHECK(cursor->next(rows));
            if (rows.size() == 0) return plan;
            for (const query::Value& line : rows.column(0)) plan += line.as_string() + "\n";
          }
        },
        [](auto results, const std::string& plan) { results.setPlan(plan); });
  }

  // ---- records

  kj::Promise<void> records(RecordsContext context) override {
    const auto params = context.getParams();
    constexpr std::size_t kIdsMax = 10'000;
    KJ_REQUIRE(params.getActors().size() + params.getInteractions().size() + params.getSources().size() <= kIdsMax,
               "more than 10000 ids asked for at once");
    Wanted wanted{read_ids<ActorId>(params.getActors()), read_ids<InteractionId>(params.getInteractions()),
                  read_ids<SourceId>(params.getSources()), params.getAround()};
    return answer<RecordsMessage>(
        context,
        [view = view_, wanted = std::move(wanted)](const CancelFlag&) { return gather_records(*view, wanted); },
        [](auto results, const RecordsMessage& message) {
          results.setRecords(message->getRoot<wire::Records>().asReader());
        });
  }

  kj::Promise<void> find(FindContext context) override {
    const auto params = context.getParams();
    constexpr std::size_t kNamesMax = 1'000;
    KJ_REQUIRE(
        params.getInteractionKeys().size() + params.getSourceKeys().size() + params.getActorNames().size() <= kNamesMax,
        "more than 1000 names asked for at once");
    FindRequest request{texts_of(params.getInteractionKeys()), texts_of(params.getSourceKeys()),
                        texts_of(params.getActorNames())};
    return answer<Found>(
        context, [view = view_, request = std::move(request)](const CancelFlag&) { return find_all(*view, request); },
        [](auto results, const Found& found) {
          set_numbers(found.interactions, results.initInteractions(count_of(found.interactions.size())));
          set_numbers(found.sources, results.initSources(count_of(found.sources.size())));
          set_numbers(found.actors, results.initActors(count_of(found.actors.size())));
          auto nearest = results.initNearest(count_of(found.nearest.size()));
          for (capnp::uint i = 0; i < nearest.size(); ++i) nearest.set(i, found.nearest[i]);
        });
  }

  kj::Promise<void> names(NamesContext context) override {
    constexpr std::uint32_t kNamesMax = 1'000;
    const std::size_t limit = std::min(context.getParams().getLimit(), kNamesMax);
    return answer<std::vector<NameMatch>>(
        context,
        [view = view_, prefix = short_text(context.getParams().getPrefix()), limit](const CancelFlag&) {
          return view->names(prefix, limit);
        },
        [](auto results, const std::vector<NameMatch>& matches) {
          auto out = results.initMatches(count_of(matches.size()));
          for (capnp::uint i = 0; i < out.size(); ++i) {
            out[i].setActor(matches[i].actor.value);
            out[i].setNormalForm(matches[i].normal_form);
            out[i].setPreferred(matches[i].preferred);
          }
        });
  }

  // ---- questions

  kj::Promise<void> before(BeforeContext context) override {
    struct Answer {
      std::vector<ContactBefore> contacts;
      RecordsMessage records;
    };
    const auto params = context.getParams();
    const TimeBounds time = read_bounds(params.getTime());
    BeforeOptions options;
    options.certain_only = params.getCertainOnly();
    options.planned_or_cancelled = params.getNotHeld();
    options.except = {params.getExcept()};
    KJ_REQUIRE(params.getActors().size() <= 2, "contacts of more than two actors");
    options.actors = read_ids<ActorId>(params.getActors());
    return answer<Answer>(
        context,
        [view = view_, time, options](const CancelFlag&) -> Result<Answer> {
          constexpr std::size_t kContactsMax = 100'000;
          constexpr std::size_t kRecordsMax = 1'000;
          Answer out;
          DEMARCHE_ASSIGN(out.contacts, contacts_before(*view, time, options));
          if (out.contacts.size() > kContactsMax) {
            return make_error(ErrorCode::kLimit, std::to_string(out.contacts.size()) +
                                                     " contacts before it, at most 100000 in one answer; use a query");
          }
          Wanted wanted;
          wanted.around = true;
          for (const ContactBefore& c : out.contacts) {
            if (wanted.interactions.size() < kRecordsMax) wanted.interactions.push_back(c.interaction);
          }
          DEMARCHE_ASSIGN(out.records, gather_records(*view, wanted));
          return out;
        },
        [](auto results, const Answer& made) {
          auto out = results.initContacts(count_of(made.contacts.size()));
          for (capnp::uint i = 0; i < out.size(); ++i) {
            out[i].setInteraction(made.contacts[i].interaction.value);
            out[i].setPrecedence(static_cast<wire::ContactBefore::Precedence>(made.contacts[i].precedence));
            write_bounds(made.contacts[i].bounds, out[i].initBounds());
          }
          results.setRecords(made.records->template getRoot<wire::Records>().asReader());
        });
  }

  kj::Promise<void> path(PathContext context) override {
    struct Answer {
      std::optional<Arrival> arrival;
      RecordsMessage records;
    };
    const auto params = context.getParams();
    const ReachOptions reach = read_reach(params.getOptions());
    std::optional<TimeBounds> before;
    if (params.getOptions().hasBeforeBounds()) before = read_bounds(params.getOptions().getBeforeBounds());
    const ActorId from{params.getFrom()};
    const ActorId to{params.getTo()};
    return answer<Answer>(
        context,
        [view = view_, reach, before, from, to](const CancelFlag&) -> Result<Answer> {
          DEMARCHE_TRY(ChronologyOptions options, resolve(*view, reach));
          if (before) options.before = before;
          Answer out;
          DEMARCHE_ASSIGN(out.arrival, earliest_arrival(*view, from, to, options));
          Wanted wanted;
          wanted.around = true;
          if (out.arrival) {
            for (const Hop& hop : out.arrival->path) wanted.interactions.push_back(hop.interaction);
          }
          DEMARCHE_ASSIGN(out.records, gather_records(*view, wanted));
          return out;
        },
        [](auto results, const Answer& made) {
          if (made.arrival) write_arrival(*made.arrival, results.initArrival());
          results.setRecords(made.records->template getRoot<wire::Records>().asReader());
        });
  }

  kj::Promise<void> kindCounts(KindCountsContext context) override {
    return answer<Totals>(
        context,
        [view = view_, path = session_->server.store.path()](const CancelFlag&) { return totals_of(*view, path); },
        [](auto results, const Totals& totals) {
          auto counts = results.initCounts(count_of(totals.kinds.size()));
          for (capnp::uint i = 0; i < counts.size(); ++i) {
            counts[i].setKind(totals.kinds[i].kind.value);
            counts[i].setCount(totals.kinds[i].count);
            counts[i].setFirst(totals.kinds[i].first.seconds);
            counts[i].setLast(totals.kinds[i].last.seconds);
          }
          results.setUndated(totals.undated);
          results.setDiskBytes(totals.disk_bytes);
        });
  }

 private:
  wire::Actor::Client actors(ActorExpr expr) {
    session_->check();
    return make_actor_set(kj::addRef(*session_), view_, make_expr(std::move(expr)));
  }
  wire::Interaction::Client interactions(InteractionExpr expr) {
    session_->check();
    return make_interaction_set(kj::addRef(*session_), view_, make_expr(std::move(expr)));
  }

  // Runs `job` on a worker and fills the results from what it made.
  template <typename T, typename Context>
  kj::Promise<void> answer(Context context, std::function<Result<T>(const CancelFlag&)> job, auto fill) {
    session_->check();
    context.allowCancellation();
    return session_->run<Result<T>>(std::move(job))
        .then([context, fill, session = kj::addRef(*session_)](Result<T> made) mutable {
          if (!made) return refuse(*session, made.error(), context.getResults());
          fill(context.getResults(), *made);
        });
  }

  SessionRef session_;
  kj::Own<void> charge_;
  ViewPtr view_;
  bool counted_ = false;
};

// Lines on their way to a file; then one commit.
class UploadServer final : public wire::Upload::Server {
 public:
  UploadServer(SessionRef session, std::string note, std::string commit_id)
      : session_(kj::mv(session)),
        charge_(session_->charge()),
        note_(std::move(note)),
        commit_id_(std::move(commit_id)) {}

  kj::Promise<void> write(WriteContext context) override {
    session_->check();
    const auto chunk = context.getParams().getChunk();
    bytes_ += chunk.size();
    KJ_REQUIRE(bytes_ <= session_->server.options.limits.import_bytes, "the import is too long; send it in parts");
    std::string bytes(reinterpret_cast<const char*>(chunk.begin()), chunk.size());
    context.releaseParams();
    return session_
        ->run<Result<void>>([spool = spool_, bytes = std::move(bytes)](const CancelFlag&) -> Result<void> {
          if (*spool == nullptr) DEMARCHE_ASSIGN(*spool, SpoolFile::make());
          return (*spool)->write(bytes);
        })
        .then([](Result<void> done) { KJ_REQUIRE(done.has_value(), "the upload could not be kept"); });
  }

  kj::Promise<void> finish(FinishContext context) override {
    session_->check();
    ServerHost& server = session_->server;
    return session_
        ->run_in<Result<RecordReport>>(server.write_lane,
                                       [spool = spool_, note = note_, id = commit_id_,
                                        &store = server.store](const CancelFlag&) -> Result<RecordReport> {
                                         if (*spool == nullptr) return invalid("nothing was written to the upload");
                                         auto report = record_lines(store, (*spool)->path(), note, id);
                                         spool->reset();
                                         return report;
                                       })
        .then([context, session = kj::addRef(*session_)](Result<RecordReport> report) mutable {
          write_report(*session, report, context.getResults());
        });
  }

  template <typename Results>
  static void write_report(LoginSession& session, const Result<RecordReport>& report, Results results) {
    if (!report) return refuse(session, report.error(), results);
    auto out = results.initReport();
    out.setLines(report->lines);
    out.setActors(report->actors);
    out.setInteractions(report->interactions);
    out.setSources(report->sources);
    out.setCommit(report->commit.value);
  }

 private:
  SessionRef session_;
  kj::Own<void> charge_;
  std::string note_;
  std::string commit_id_;
  std::size_t bytes_ = 0;
  std::shared_ptr<std::unique_ptr<SpoolFile>> spool_ = std::make_shared<std::unique_ptr<SpoolFile>>();
};

// Methods of Reader, for each kind of session: the capability that a reader holds has no other methods.
template <typename Interface>
class ReaderServer : public Interface::Server {
 public:
  explicit ReaderServer(SessionRef session) : session_(kj::mv(session)) {}

  using SnapshotContext = wire::Reader::Server::SnapshotContext;
  using ServerCallContext = wire::Reader::Server::ServerContext;

  kj::Promise<void> snapshot(SnapshotContext context) override {
    session_->check();
    const auto at = context.getParams().getAt();
    Store& store = session_->server.store;
    const bool quick = !session_->server.options.beside_writer;  // else the writer's files are looked at
    if (at.isLatest() && quick) {                                // no waiting: what is asked of it next need not either
      context.getResults().setSnapshot(make_snapshot(kj::addRef(*session_), store.view()));
      return kj::READY_NOW;
    }
    const bool latest = at.isLatest();
    const bool by_commit = at.isCommit();
    const std::uint64_t commit = by_commit ? at.getCommit() : 0;
    const std::int64_t time = at.isTimeMicros() ? at.getTimeMicros() : 0;
    const std::string text = at.isText() ? short_text(at.getText()) : "";
    return session_
        ->run<Result<ViewPtr>>([&store, latest, by_commit, commit, time, text](const CancelFlag&) -> Result<ViewPtr> {
          if (latest) return store.view();
          if (!text.empty()) return query::view_as_of(store, text);
          CommitNumber n{commit};
          if (!by_commit) DEMARCHE_ASSIGN(n, store.commit_at(time));
          return store.view_at(n);
        })
        .then([context, session = kj::addRef(*session_)](Result<ViewPtr> view) mutable {
          if (!view) {  // shows also where the snapshot is asked something before this is known
            refuse(*session, view.error(), context.getResults());
            context.getResults().setSnapshot(fault(kj::Exception::Type::FAILED, view.error().message));
            return;
          }
          context.getResults().setSnapshot(make_snapshot(kj::mv(session), std::move(*view)));
        });
  }

  kj::Promise<void> server(ServerCallContext context) override {
    session_->check();
    auto results = context.getResults();
    results.setVersion(DEMARCHE_VERSION);
    results.setRole(wire_access(session_->access));
    const ServerLimits& limits = session_->server.options.limits;
    auto out = results.initLimits();
    out.setQuerySeconds(static_cast<std::uint32_t>(limits.query.count()));
    out.setQueryRowsHeld(limits.query_rows_held);
    out.setQueryBytes(limits.query_bytes);
    out.setRowBytes(limits.row_bytes);
    out.setSetRows(limits.set_members);
    out.setImportBytes(limits.import_bytes);
    return kj::READY_NOW;
  }

 protected:
  SessionRef session_;
};

template <typename Interface>
class WriterServer : public ReaderServer<Interface> {
 public:
  using ReaderServer<Interface>::ReaderServer;
  using ReaderServer<Interface>::session_;

  kj::Promise<void> execute(wire::Writer::Server::ExecuteContext context) override {
    return run_statement(kj::addRef(*session_), nullptr, true, context);
  }

  kj::Promise<void> record(wire::Writer::Server::RecordContext context) override {
    session_->check();
    const auto params = context.getParams();
    ServerHost& server = session_->server;
    return session_
        ->template run_in<Result<RecordReport>>(
            server.write_lane,
            [lines = text_of(params.getLines()), note = text_of(params.getNote()), id = text_of(params.getCommitId()),
             &store = server.store](const CancelFlag&) -> Result<RecordReport> {
              DEMARCHE_TRY(const auto spool, SpoolFile::make());
              DEMARCHE_CHECK(spool->write(lines));
              return record_lines(store, spool->path(), note, id);
            })
        .then([context, session = kj::addRef(*session_)](Result<RecordReport> report) mutable {
          UploadServer::write_report(*session, report, context.getResults());
        });
  }

  kj::Promise<void> import(wire::Writer::Server::ImportContext context) override {
    session_->check();
    const auto params = context.getParams();
    KJ_REQUIRE(params.getForm() == wire::ImportForm::JSON_LINES, "unknown form of import; is the client newer?");
    context.getResults().setUpload(
        kj::heap<UploadServer>(kj::addRef(*session_), short_text(params.getNote()), short_text(params.getCommitId())));
    return kj::READY_NOW;
  }
};

class AdminServer final : public WriterServer<wire::Admin> {
 public:
  using WriterServer<wire::Admin>::WriterServer;

  kj::Promise<void> statistics(StatisticsContext context) override {
    session_->check();
    session_->server.describe(context.getResults());
    return kj::READY_NOW;
  }

  kj::Promise<void> checkpoint(CheckpointContext context) override {
    session_->check();
    ServerHost& server = session_->server;
    server.log.info("{} [{}] asks for a checkpoint", session_->client, session_->peer);
    return session_
        ->run_in<Result<CommitNumber>>(server.write_lane,
                                       [&store = server.store](const CancelFlag&) -> Result<CommitNumber> {
                                         DEMARCHE_CHECK(store.seal());
                                         return store.view()->statistics().commit;
                                       })
        .then([context, session = kj::addRef(*session_)](Result<CommitNumber> commit) mutable {
          if (!commit) return refuse(*session, commit.error(), context.getResults());
          context.getResults().setCommit(commit->value);
        });
  }

  kj::Promise<void> backup(BackupContext context) override {
    session_->check();
    ServerHost& server = session_->server;
    server.log.info("{} [{}] asks for a backup", session_->client, session_->peer);
    if (server.options.backups.empty()) {
      refuse(*session_, Error{ErrorCode::kDenied, "the server was started without --backups FOLDER", nullptr},
             context.getResults());
      return kj::READY_NOW;
    }
    return session_
        ->run<Result<Backup>>([&store = server.store, folder = server.options.backups](const CancelFlag&) {
          return store.back_up(folder);
        })
        .then([context, session = kj::addRef(*session_)](Result<Backup> made) mutable {
          if (!made) return refuse(*session, made.error(), context.getResults());
          context.getResults().setId(made->id);
          context.getResults().setCommit(made->commit.value);
          context.getResults().setBytes(made->bytes);
        });
  }
};

}  // namespace

LoginSession::LoginSession(ServerHost& server_, std::shared_ptr<Lane> lane_, Access access_, std::string token_id_,
                           std::string client_, std::string peer_)
    : server(server_),
      lane(std::move(lane_)),
      access(access_),
      token_id(std::move(token_id_)),
      client(std::move(client_)),
      peer(std::move(peer_)),
      since(server_.timer.now()) {}
LoginSession::~LoginSession() noexcept(false) {}

void LoginSession::check() const {
  if (!reason_.empty()) kj::throwFatalException(fault(kj::Exception::Type::FAILED, reason_));
  if (server.stopping) kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the server is stopping"));
}

kj::Own<void> LoginSession::charge() {
  if (objects_ >= server.options.limits.objects) {
    kj::throwFatalException(
        KJ_EXCEPTION(OVERLOADED, "too many capabilities are held by this connection; let go of some"));
  }
  ++objects_;
  return kj::heap(kj::defer([this]() { --objects_; }));
}

void LoginSession::revoke(const char* reason) {
  reason_ = reason;
  canceler_.cancel(fault(kj::Exception::Type::FAILED, reason));
}

wire::Snapshot::Client make_snapshot(SessionRef session, ViewPtr view) {
  return kj::heap<SnapshotServer>(kj::mv(session), std::move(view));
}

wire::Reader::Client make_session_capability(SessionRef session) {
  switch (session->access) {
    case Access::kReader:
      return wire::Reader::Client(kj::heap<ReaderServer<wire::Reader>>(kj::mv(session)));
    case Access::kWriter:
      return wire::Writer::Client(kj::heap<WriterServer<wire::Writer>>(kj::mv(session)));
    case Access::kAdmin:
      return wire::Admin::Client(kj::heap<AdminServer>(kj::mv(session)));
  }
  KJ_UNREACHABLE;
}

}  // namespace demarche::proto

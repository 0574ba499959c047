// Sets as capabilities. A set is a description; calls that make another one answer at once, so a chain of them is as
// quick as one, and calls that read evaluate it on a worker.

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "proto/ack_window.h"
#include "proto/serve_session.h"
#include "proto/view_answers.h"

namespace demarche::proto {

namespace {

using ViewPtr = std::shared_ptr<const View>;

constexpr std::size_t kTextMax = 1000;
constexpr std::size_t kNamesMax = 100;

std::vector<Role> read_roles(capnp::List<wire::ParticipantRole>::Reader in) {
  KJ_REQUIRE(in.size() <= kRoleCount, "more roles than there are");
  std::vector<Role> out;
  for (const auto role : in) out.push_back(static_cast<Role>(role));
  return out;
}

std::vector<std::string> read_names(capnp::List<capnp::Text>::Reader in) {
  KJ_REQUIRE(in.size() <= kNamesMax, "more than 100 kinds");
  std::vector<std::string> out;
  for (const auto name : in) out.push_back(short_text(name));
  return out;
}

EvaluationLimits limits_of(const ServerOptions& options, const CancelFlag* cancel) {
  return {cancel, options.limits.query, options.limits.set_members};
}

PageOptions page_options(const auto& params) { return {params.getAfter(), params.getLimit(), params.getRecords()}; }

struct PageAnswer {
  std::vector<std::uint64_t> ids;
  bool more = false;
  RecordsMessage records;
};

void want(Wanted& wanted, const std::vector<ActorId>& ids) { wanted.actors = ids; }
void want(Wanted& wanted, const std::vector<InteractionId>& ids) { wanted.interactions = ids; }

// page() of either kind of set.
template <typename ExprPtr, typename Context>
kj::Promise<void> answer_page(SessionRef& session, const ViewPtr& view, const ExprPtr& expr, Context context) {
  session->check();
  context.allowCancellation();
  const PageOptions page = page_options(context.getParams());
  const ServerOptions& options = session->server.options;
  return session
      ->run<Result<PageAnswer>>([view, expr, page, &options](const CancelFlag& cancel) -> Result<PageAnswer> {
        DEMARCHE_TRY(const auto all, evaluate(*view, expr, limits_of(options, &cancel)));
        PageAnswer out;
        const auto ids = cut_page(all, page, out.more);
        for (const auto id : ids) out.ids.push_back(id.value);
        if (page.records) {
          Wanted wanted;
          want(wanted, ids);
          DEMARCHE_ASSIGN(out.records, gather_records(*view, wanted));
        }
        return out;
      })
      .then([context, session = kj::addRef(*session)](Result<PageAnswer> answer) mutable {
        auto results = context.getResults();
        if (!answer) return refuse(*session, answer.error(), results);
        auto ids = results.initIds(static_cast<capnp::uint>(answer->ids.size()));
        for (capnp::uint i = 0; i < ids.size(); ++i) ids.set(i, answer->ids[i]);
        results.setMore(answer->more);
        if (answer->records) results.setRecords(answer->records->getRoot<wire::Records>().asReader());
      });
}

template <typename ExprPtr, typename Context>
kj::Promise<void> answer_count(SessionRef& session, const ViewPtr& view, const ExprPtr& expr, Context context) {
  session->check();
  context.allowCancellation();
  const ServerOptions& options = session->server.options;
  return session
      ->run<Result<std::uint64_t>>([view, expr, &options](const CancelFlag& cancel) -> Result<std::uint64_t> {
        DEMARCHE_TRY(const auto all, evaluate(*view, expr, limits_of(options, &cancel)));
        return all.size();
      })
      .then([context, session = kj::addRef(*session)](Result<std::uint64_t> n) mutable {
        if (!n) return refuse(*session, n.error(), context.getResults());
        context.getResults().setCount(*n);
      });
}

// Sets must be of this connection; waits for a promised one, not for ever.
template <typename Set, typename Server, typename Client>
kj::Promise<Server*> find_set(SessionRef& session, capnp::CapabilityServerSet<Set>& sets, Client other) {
  auto found = sets.getLocalServer(other).then([](kj::Maybe<typename Set::Server&> server) -> Server* {
    KJ_IF_MAYBE (s, server) return static_cast<Server*>(s);
    KJ_FAIL_REQUIRE("the other set is none of this connection");
  });
  auto late = session->server.timer.afterDelay(10 * kj::SECONDS).then([]() -> Server* {
    KJ_FAIL_REQUIRE("the other set was promised and did not come");
  });
  return session->wrap(found.exclusiveJoin(kj::mv(late)));
}

SetOperation operation_of(wire::SetOperation operation) {
  switch (operation) {
    case wire::SetOperation::UNION:
      return SetOperation::kUnion;
    case wire::SetOperation::INTERSECTION:
      return SetOperation::kIntersection;
    case wire::SetOperation::DIFFERENCE:
      return SetOperation::kDifference;
  }
  kj::throwFatalException(KJ_EXCEPTION(FAILED, "unknown set operation; is the client newer?"));
}

class ActorSetServer final : public wire::Actor::Server {
 public:
  ActorSetServer(SessionRef session, ViewPtr view, ActorExprPtr expr)
      : session_(kj::mv(session)), charge_(session_->charge()), view_(std::move(view)), expr_(std::move(expr)) {}

  const ActorExprPtr& expr() const { return expr_; }

  kj::Promise<void> contacts(ContactsContext context) override {
    return make(context, InteractionExpr::Of{expr_, read_filter(context.getParams().getFilter()), true});
  }
  kj::Promise<void> interactions(InteractionsContext context) override {
    return make(context, InteractionExpr::Of{expr_, read_filter(context.getParams().getFilter()), false});
  }
  kj::Promise<void> reach(ReachContext context) override {
    return make(context, ActorExpr::Reached{expr_, read_reach(context.getParams().getOptions())});
  }
  kj::Promise<void> withLabel(WithLabelContext context) override {
    return make(context, ActorExpr::WithLabel{expr_, short_text(context.getParams().getLabel())});
  }
  kj::Promise<void> combine(CombineContext context) override {
    session_->check();
    const SetOperation operation = operation_of(context.getParams().getOperation());
    auto other = context.getParams().getOther().castAs<wire::Actor>();
    return find_set<wire::Actor, ActorSetServer>(session_, session_->actor_sets, other)
        .then([this, context, operation](ActorSetServer* set) mutable {
          return make(context, ActorExpr::Combined{operation, expr_, set->expr()});
        })
        .attach(kj::mv(other));
  }
  kj::Promise<void> count(CountContext context) override { return answer_count(session_, view_, expr_, context); }
  kj::Promise<void> page(PageContext context) override { return answer_page(session_, view_, expr_, context); }

  kj::Promise<void> get(GetContext context) override {
    session_->check();
    context.allowCancellation();
    const ServerOptions& options = session_->server.options;
    return session_
        ->run<Result<Actor>>([view = view_, expr = expr_, &options](const CancelFlag& cancel) -> Result<Actor> {
          DEMARCHE_TRY(const auto ids, evaluate(*view, expr, limits_of(options, &cancel)));
          if (ids.size() != 1) return invalid("get() is for one actor; page() reads a set");
          return view->get_actor(ids[0]);
        })
        .then([context, session = kj::addRef(*session_)](Result<Actor> actor) mutable {
          if (!actor) return refuse(*session, actor.error(), context.getResults());
          write_actor(*actor, context.getResults().initActor());
        });
  }

 private:
  template <typename Context, typename Node>
  kj::Promise<void> make(Context& context, Node node) {
    session_->check();
    if constexpr (requires { ActorExpr{node}; }) {
      context.getResults().setSet(make_actor_set(kj::addRef(*session_), view_, make_expr(ActorExpr{std::move(node)})));
    } else {
      context.getResults().setSet(
          make_interaction_set(kj::addRef(*session_), view_, make_expr(InteractionExpr{std::move(node)})));
    }
    return kj::READY_NOW;
  }

  SessionRef session_;
  kj::Own<void> charge_;
  ViewPtr view_;
  ActorExprPtr expr_;
};

// Lines on their way to a client; used by one job at a time.
struct LineRun {
  CancelFlag cancel = false;
  std::unique_ptr<LineScan> scan;
  InteractionExprPtr expr;
  ContactLines lines;
};
using LineBatchMessage = std::shared_ptr<capnp::MallocMessageBuilder>;

constexpr std::size_t kLinesMin = 8192;

// The next batch; null at the end.
Result<LineBatchMessage> next_lines(LineRun& run, const ViewPtr& view, const ServerOptions& options) {
  if (run.scan == nullptr) {
    DEMARCHE_ASSIGN(run.scan, LineScan::open(view, run.expr, limits_of(options, &run.cancel)));
  }
  std::vector<ContactLines> parts;
  std::size_t size = 0;
  while (size < kLinesMin) {
    DEMARCHE_CHECK(run.scan->next(run.lines));
    if (run.lines.size == 0) break;
    size += run.lines.size;
    parts.push_back(std::move(run.lines));
    run.lines = {};
  }
  if (size == 0) return LineBatchMessage();
  const auto n = static_cast<capnp::uint>(size);
  auto message = std::make_shared<capnp::MallocMessageBuilder>(n * 5 + 64);
  auto batch = message->initRoot<wire::LineBatch>();
  const auto fill = [&](auto out, auto column) {
    capnp::uint at = 0;
    for (const ContactLines& part : parts) {
      const auto& values = part.*column;
      for (std::size_t i = 0; i < part.size; ++i) out.set(at++, values[i]);
    }
  };
  fill(batch.initInteraction(n), &ContactLines::interaction);
  fill(batch.initActor(n), &ContactLines::actor);
  fill(batch.initOther(n), &ContactLines::other);
  fill(batch.initBegin(n), &ContactLines::begin);
  fill(batch.initKind(n), &ContactLines::kind);
  return message;
}

class InteractionSetServer final : public wire::Interaction::Server {
 public:
  InteractionSetServer(SessionRef session, ViewPtr view, InteractionExprPtr expr)
      : session_(kj::mv(session)), charge_(session_->charge()), view_(std::move(view)), expr_(std::move(expr)) {}

  const InteractionExprPtr& expr() const { return expr_; }

  kj::Promise<void> only(OnlyContext context) override {
    return make(context, InteractionExpr::Only{expr_, read_filter(context.getParams().getFilter())});
  }
  kj::Promise<void> counterparts(CounterpartsContext context) override {
    return make(context, ActorExpr::Counterparts{expr_});
  }
  kj::Promise<void> participants(ParticipantsContext context) override {
    return make(context, ActorExpr::Participants{expr_, read_roles(context.getParams().getRoles())});
  }
  kj::Promise<void> combine(CombineContext context) override {
    session_->check();
    const SetOperation operation = operation_of(context.getParams().getOperation());
    auto other = context.getParams().getOther().castAs<wire::Interaction>();
    return find_set<wire::Interaction, InteractionSetServer>(session_, session_->interaction_sets, other)
        .then([this, context, operation](InteractionSetServer* set) mutable {
          return make(context, InteractionExpr::Combined{operation, expr_, set->expr()});
        })
        .attach(kj::mv(other));
  }
  kj::Promise<void> count(CountContext context) override { return answer_count(session_, view_, expr_, context); }
  kj::Promise<void> page(PageContext context) override { return answer_page(session_, view_, expr_, context); }

  kj::Promise<void> get(GetContext context) override {
    session_->check();
    context.allowCancellation();
    const ServerOptions& options = session_->server.options;
    using Answer = std::pair<Interaction, RecordsMessage>;
    return session_
        ->run<Result<Answer>>([view = view_, expr = expr_, &options](const CancelFlag& cancel) -> Result<Answer> {
          DEMARCHE_TRY(const auto ids, evaluate(*view, expr, limits_of(options, &cancel)));
          if (ids.size() != 1) return invalid("get() is for one interaction; page() reads a set");
          DEMARCHE_TRY(Interaction record, view->get_interaction(ids[0]));
          DEMARCHE_TRY(RecordsMessage around, gather_records(*view, {{}, {ids[0]}, {}, true}));
          return Answer{std::move(record), std::move(around)};
        })
        .then([context, view = view_, session = kj::addRef(*session_)](Result<Answer> answer) mutable {
          auto results = context.getResults();
          if (!answer) return refuse(*session, answer.error(), results);
          write_interaction(answer->first, view->kinds(), results.initInteraction());
          results.setRecords(answer->second->getRoot<wire::Records>().asReader());
        });
  }

  kj::Promise<void> lines(LinesContext context) override {
    session_->check();
    context.allowCancellation();
    auto run = std::make_shared<LineRun>();
    run->expr = expr_;
    ServerHost& server = session_->server;
    auto stream = kj::heap<LineStream>(run, context.getParams().getSink(), server.timer,
                                       server.options.limits.stall.count() * kj::MILLISECONDS);
    auto promise = pump(*stream, context);
    return promise.attach(kj::mv(stream), kj::defer([run] { run->cancel.store(true); }));
  }

 private:
  struct LineStream {
    LineStream(std::shared_ptr<LineRun> run_, wire::LineSink::Client sink_, kj::Timer& timer, kj::Duration stall)
        : run(std::move(run_)), sink(kj::mv(sink_)), window(timer, stall) {}
    std::shared_ptr<LineRun> run;
    wire::LineSink::Client sink;
    AckWindow window;
    std::uint64_t batches = 0;
    std::uint64_t count = 0;
  };

  kj::Promise<Result<LineBatchMessage>> produce(const std::shared_ptr<LineRun>& run) {
    const ServerOptions& options = session_->server.options;
    return session_->run<Result<LineBatchMessage>>(
        [run, view = view_, &options](const CancelFlag&) { return next_lines(*run, view, options); });
  }

  kj::Promise<void> pump(LineStream& stream, LinesContext context) {
    return produce(stream.run).then([this, &stream, context](Result<LineBatchMessage> batch) {
      return step(stream, context, std::move(batch));
    });
  }

  kj::Promise<void> step(LineStream& stream, LinesContext context, Result<LineBatchMessage> batch) {
    if (!batch) {
      refuse(*session_, batch.error(), context.getResults());
      return kj::READY_NOW;
    }
    if (*batch == nullptr) {
      return stream.window.all_taken().then([&stream, context]() mutable {
        context.getResults().setBatches(stream.batches);
        context.getResults().setLines(stream.count);
      });
    }
    const auto lines = (*batch)->getRoot<wire::LineBatch>().asReader();
    ++stream.batches;
    stream.count += lines.getActor().size();
    SinkCall<wire::LineSink, wire::LineSink::LinesParams> call(stream.sink, lines.totalSize());
    call.params.setBatch(lines);
    batch->reset();
    stream.window.add(call.request.send().ignoreResult());
    auto next = produce(stream.run);  // made while this one is on its way
    return stream.window.room()
        .then([next = kj::mv(next)]() mutable { return kj::mv(next); })
        .then(
            [this, &stream, context](Result<LineBatchMessage> more) { return step(stream, context, std::move(more)); });
  }

  template <typename Context, typename Node>
  kj::Promise<void> make(Context& context, Node node) {
    session_->check();
    if constexpr (requires { ActorExpr{node}; }) {
      context.getResults().setSet(make_actor_set(kj::addRef(*session_), view_, make_expr(ActorExpr{std::move(node)})));
    } else {
      context.getResults().setSet(
          make_interaction_set(kj::addRef(*session_), view_, make_expr(InteractionExpr{std::move(node)})));
    }
    return kj::READY_NOW;
  }

  SessionRef session_;
  kj::Own<void> charge_;
  ViewPtr view_;
  InteractionExprPtr expr_;
};

Moment read_moment(wire::Moment::Reader in) {
  switch (in.which()) {
    case wire::Moment::NONE:
      return {};
    case wire::Moment::DATE:
      return Moment::date(short_text(in.getDate()));
    case wire::Moment::INTERACTION:
      return Moment::of(short_text(in.getInteraction()));
  }
  return {};
}

}  // namespace

wire::Actor::Client make_actor_set(SessionRef session, ViewPtr view, ActorExprPtr expr) {
  auto& sets = session->actor_sets;
  return sets.add(kj::heap<ActorSetServer>(kj::mv(session), std::move(view), std::move(expr)));
}

wire::Interaction::Client make_interaction_set(SessionRef session, ViewPtr view, InteractionExprPtr expr) {
  auto& sets = session->interaction_sets;
  return sets.add(kj::heap<InteractionSetServer>(kj::mv(session), std::move(view), std::move(expr)));
}

std::string short_text(capnp::Text::Reader text) {
  KJ_REQUIRE(text.size() <= kTextMax, "a name, date or key of more than 1000 bytes");
  return text_of(text);
}

Filter read_filter(wire::Filter::Reader in) {
  Filter out;
  out.kinds = read_names(in.getKinds());
  out.before = read_moment(in.getBefore());
  out.after = read_moment(in.getAfter());
  out.during = read_moment(in.getDuring());
  out.overlaps = read_moment(in.getOverlaps());
  out.possible = in.getCertainty() == wire::Filter::Certainty::POSSIBLE;
  out.roles = read_roles(in.getRoles());
  switch (in.getStatus()) {
    case wire::Filter::StatusFilter::HELD:
      out.status = StatusFilter::kHeld;
      break;
    case wire::Filter::StatusFilter::NOT_HELD:
      out.status = StatusFilter::kNotHeld;
      break;
    case wire::Filter::StatusFilter::ANY:
      out.status = StatusFilter::kAny;
      break;
  }
  return out;
}

ReachOptions read_reach(wire::Chronology::Reader in) {
  ReachOptions out;
  switch (in.getMode()) {
    case wire::Chronology::Mode::DEFAULT:
      out.mode = ChronologyMode::kDefault;
      break;
    case wire::Chronology::Mode::STRICT:
      out.mode = ChronologyMode::kStrict;
      break;
    case wire::Chronology::Mode::POSSIBLY:
      out.mode = ChronologyMode::kPossibly;
      break;
  }
  out.kinds = read_names(in.getKinds());
  out.after = read_moment(in.getAfter());
  out.before = read_moment(in.getBefore());
  out.hops_max = in.getHopsMax();
  return out;
}

Result<RecordsMessage> gather_records(const View& view, const Wanted& wanted) {
  constexpr std::size_t kIdsMax = 200'000;
  std::set<ActorId> actors(wanted.actors.begin(), wanted.actors.end());
  std::set<InteractionId> interactions(wanted.interactions.begin(), wanted.interactions.end());
  std::set<SourceId> sources(wanted.sources.begin(), wanted.sources.end());
  std::vector<std::pair<ActorId, std::vector<InteractionId>>> offices;
  std::vector<Interaction> records;
  const auto add = [&](InteractionId id, bool around) -> Result<void> {
    auto record = view.get_interaction(id);
    if (!record) {
      if (record.error().code == ErrorCode::kNotFound) return {};
      return tl::unexpected(std::move(record).error());
    }
    if (around) {
      for (const Party& party : parties_of(record->participants)) actors.insert(party.actor);
      for (const Claim& claim : record->claims) sources.insert(claim.source);
    }
    records.push_back(std::move(*record));
    return {};
  };
  for (const InteractionId id : std::vector(interactions.begin(), interactions.end())) {
    DEMARCHE_CHECK(add(id, wanted.around));
  }
  if (wanted.around) {
    for (std::size_t i = 0, n = records.size(); i < n; ++i) {  // the names of the wholes they are part of
      if (records[i].part_of && interactions.insert(*records[i].part_of).second)
        DEMARCHE_CHECK(add(*records[i].part_of, false));
    }
    for (const ActorId id : std::vector(actors.begin(), actors.end())) {
      DEMARCHE_TRY(std::vector<InteractionId> held, offices_of(view, id));
      for (const InteractionId office : held) {
        if (interactions.insert(office).second) DEMARCHE_CHECK(add(office, true));
      }
      offices.emplace_back(id, std::move(held));
    }
  }
  if (actors.size() + interactions.size() + sources.size() > kIdsMax) {
    return make_error(ErrorCode::kLimit, "too many records for one answer; ask for fewer");
  }
  auto message = std::make_shared<capnp::MallocMessageBuilder>();
  auto root = message->initRoot<wire::Records>();
  std::vector<Actor> found_actors;
  for (const ActorId id : actors) {
    auto actor = view.get_actor(id);
    if (actor) {
      found_actors.push_back(std::move(*actor));
    } else if (actor.error().code != ErrorCode::kNotFound) {
      return tl::unexpected(std::move(actor).error());
    }
  }
  auto actors_out = root.initActors(static_cast<capnp::uint>(found_actors.size()));
  for (capnp::uint i = 0; i < actors_out.size(); ++i) write_actor(found_actors[i], actors_out[i]);
  auto records_out = root.initInteractions(static_cast<capnp::uint>(records.size()));
  for (capnp::uint i = 0; i < records_out.size(); ++i) write_interaction(records[i], view.kinds(), records_out[i]);
  std::vector<Source> found_sources;
  for (const SourceId id : sources) {
    auto source = view.get_source(id);
    if (source) {
      found_sources.push_back(std::move(*source));
    } else if (source.error().code != ErrorCode::kNotFound) {
      return tl::unexpected(std::move(source).error());
    }
  }
  auto sources_out = root.initSources(static_cast<capnp::uint>(found_sources.size()));
  for (capnp::uint i = 0; i < sources_out.size(); ++i) write_source(found_sources[i], sources_out[i]);
  auto offices_out = root.initOffices(static_cast<capnp::uint>(offices.size()));
  for (capnp::uint i = 0; i < offices_out.size(); ++i) {
    offices_out[i].setActor(offices[i].first.value);
    write_ids(offices[i].second, offices_out[i].initInteractions(static_cast<capnp::uint>(offices[i].second.size())));
  }
  constexpr std::size_t kWordsMax = std::size_t{6} << 20;  // the other end takes 8 Mi words
  if (message->sizeInWords() > kWordsMax) {
    return make_error(ErrorCode::kLimit, "the records are too large for one answer; ask for fewer");
  }
  return message;
}

}  // namespace demarche::proto

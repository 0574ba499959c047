// A state of the store behind a server. Records that were read or came along are kept: they cannot change.

#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "proto/remote_rows.h"
#include "proto/remote_wire.h"

namespace demarche::proto {

namespace {

capnp::uint count_of(std::size_t n) { return static_cast<capnp::uint>(n); }

void write_moment(const Moment& moment, wire::Moment::Builder out) {
  switch (moment.kind) {
    case Moment::Kind::kNone:
      out.setNone();
      break;
    case Moment::Kind::kDate:
      out.setDate(moment.text);
      break;
    case Moment::Kind::kInteraction:
      out.setInteraction(moment.text);
      break;
  }
}

void write_names(const std::vector<std::string>& names, capnp::List<capnp::Text>::Builder out) {
  for (capnp::uint i = 0; i < out.size(); ++i) out.set(i, names[i]);
}

void write_roles(const std::vector<Role>& roles, capnp::List<wire::ParticipantRole>::Builder out) {
  for (capnp::uint i = 0; i < out.size(); ++i) out.set(i, static_cast<wire::ParticipantRole>(roles[i]));
}

void write_filter(const Filter& filter, wire::Filter::Builder out) {
  write_names(filter.kinds, out.initKinds(count_of(filter.kinds.size())));
  if (filter.before.kind != Moment::Kind::kNone) write_moment(filter.before, out.initBefore());
  if (filter.after.kind != Moment::Kind::kNone) write_moment(filter.after, out.initAfter());
  if (filter.during.kind != Moment::Kind::kNone) write_moment(filter.during, out.initDuring());
  if (filter.overlaps.kind != Moment::Kind::kNone) write_moment(filter.overlaps, out.initOverlaps());
  if (filter.possible) out.setCertainty(wire::Filter::Certainty::POSSIBLE);
  write_roles(filter.roles, out.initRoles(count_of(filter.roles.size())));
  out.setStatus(static_cast<wire::Filter::StatusFilter>(filter.status));
}
static_assert(static_cast<int>(StatusFilter::kAny) == static_cast<int>(wire::Filter::StatusFilter::ANY));

wire::Chronology::Mode wire_mode(ChronologyMode mode) {
  switch (mode) {
    case ChronologyMode::kStrict:
      return wire::Chronology::Mode::STRICT;
    case ChronologyMode::kPossibly:
      return wire::Chronology::Mode::POSSIBLY;
    default:
      return wire::Chronology::Mode::DEFAULT;
  }
}

void write_reach(const ReachOptions& options, wire::Chronology::Builder out) {
  out.setMode(wire_mode(options.mode));
  write_names(options.kinds, out.initKinds(count_of(options.kinds.size())));
  if (options.after.kind != Moment::Kind::kNone) write_moment(options.after, out.initAfter());
  if (options.before.kind != Moment::Kind::kNone) write_moment(options.before, out.initBefore());
  out.setHopsMax(options.hops_max);
}

static_assert(static_cast<int>(SetOperation::kDifference) == static_cast<int>(wire::SetOperation::DIFFERENCE));

// Turns a description into calls on capabilities that the server has not given yet: one chain, sent in one go.
class Chain {
 public:
  explicit Chain(wire::Snapshot::Client& snapshot) : snapshot_(snapshot) {}

  wire::ActorSet::Client actors(const ActorExprPtr& expr) {
    if (const auto it = actors_.find(expr.get()); it != actors_.end()) return it->second;
    auto made = std::visit([this](const auto& node) { return make(node); }, expr->node);
    actors_.emplace(expr.get(), made);
    return made;
  }
  wire::InteractionSet::Client interactions(const InteractionExprPtr& expr) {
    if (const auto it = interactions_.find(expr.get()); it != interactions_.end()) return it->second;
    auto made = std::visit([this](const auto& node) { return make(node); }, expr->node);
    interactions_.emplace(expr.get(), made);
    return made;
  }

 private:
  wire::ActorSet::Client make(const ActorExpr::Named& node) {
    auto request = snapshot_.actorRequest();
    request.setName(node.name);
    return request.send().getActor();
  }
  wire::ActorSet::Client make(const ActorExpr::ById& node) {
    auto request = snapshot_.actorByIdRequest();
    request.setId(node.id.value);
    return request.send().getActor();
  }
  wire::ActorSet::Client make(const ActorExpr::Labelled& node) {
    auto request = snapshot_.actorsRequest();
    request.setLabel(node.label);
    return request.send().getSet();
  }
  wire::ActorSet::Client make(const ActorExpr::Counterparts& node) {
    return interactions(node.of).counterpartsRequest().send().getSet();
  }
  wire::ActorSet::Client make(const ActorExpr::Participants& node) {
    auto request = interactions(node.of).participantsRequest();
    write_roles(node.roles, request.initRoles(count_of(node.roles.size())));
    return request.send().getSet();
  }
  wire::ActorSet::Client make(const ActorExpr::Reached& node) {
    auto request = actors(node.from).reachRequest();
    write_reach(node.options, request.initOptions());
    return request.send().getSet();
  }
  wire::ActorSet::Client make(const ActorExpr::WithLabel& node) {
    auto request = actors(node.of).withLabelRequest();
    request.setLabel(node.label);
    return request.send().getSet();
  }
  wire::ActorSet::Client make(const ActorExpr::Combined& node) {
    auto request = actors(node.a).combineRequest();
    request.setOperation(static_cast<wire::SetOperation>(node.operation));
    request.setOther(actors(node.b));
    return request.send().getSet();
  }
  wire::InteractionSet::Client make(const InteractionExpr::Keyed& node) {
    auto request = snapshot_.interactionRequest();
    request.setKey(node.key);
    return request.send().getInteraction();
  }
  wire::InteractionSet::Client make(const InteractionExpr::ById& node) {
    auto request = snapshot_.interactionByIdRequest();
    request.setId(node.id.value);
    return request.send().getInteraction();
  }
  wire::InteractionSet::Client make(const InteractionExpr::Everything& node) {
    auto request = snapshot_.interactionsRequest();
    write_filter(node.filter, request.initFilter());
    return request.send().getSet();
  }
  wire::InteractionSet::Client make(const InteractionExpr::Of& node) {
    auto from = actors(node.actors);
    if (node.in_contact) {
      auto request = from.contactsRequest();
      write_filter(node.filter, request.initFilter());
      return request.send().getSet();
    }
    auto request = from.interactionsRequest();
    write_filter(node.filter, request.initFilter());
    return request.send().getSet();
  }
  wire::InteractionSet::Client make(const InteractionExpr::Only& node) {
    auto request = interactions(node.of).onlyRequest();
    write_filter(node.filter, request.initFilter());
    return request.send().getSet();
  }
  wire::InteractionSet::Client make(const InteractionExpr::Combined& node) {
    auto request = interactions(node.a).combineRequest();
    request.setOperation(static_cast<wire::SetOperation>(node.operation));
    request.setOther(interactions(node.b));
    return request.send().getSet();
  }

  wire::Snapshot::Client& snapshot_;
  std::unordered_map<const ActorExpr*, wire::ActorSet::Client> actors_;
  std::unordered_map<const InteractionExpr*, wire::InteractionSet::Client> interactions_;
};

// ---- lines

struct IncomingLines : kj::Refcounted {
  std::deque<ContactLines> ready;
  std::deque<kj::Own<kj::PromiseFulfiller<void>>> taken;
  std::uint64_t batches = 0;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> changed;
  bool ended = false;
  std::uint64_t expected = 0;
  std::unique_ptr<Error> error;
  kj::Maybe<kj::Exception> failed;
  void wake() {
    KJ_IF_MAYBE (waiter, changed) (*waiter)->fulfill();
    changed = nullptr;
  }
};

class LineSinkServer final : public wire::LineSink::Server {
 public:
  explicit LineSinkServer(kj::Own<IncomingLines> lines) : lines_(kj::mv(lines)) {}

  kj::Promise<void> lines(LinesContext context) override {
    const auto batch = context.getParams().getBatch();
    ContactLines lines;
    const auto copy = [](auto in, auto& out) {
      out.resize(in.size());
      for (capnp::uint i = 0; i < in.size(); ++i) out[i] = in[i];
    };
    copy(batch.getInteraction(), lines.interaction);
    copy(batch.getActor(), lines.actor);
    copy(batch.getOther(), lines.other);
    copy(batch.getBegin(), lines.begin);
    copy(batch.getKind(), lines.kind);
    lines.size = lines.actor.size();
    ++lines_->batches;
    lines_->ready.push_back(std::move(lines));
    auto paf = kj::newPromiseAndFulfiller<void>();
    lines_->taken.push_back(kj::mv(paf.fulfiller));
    lines_->wake();
    return kj::mv(paf.promise);
  }

 private:
  kj::Own<IncomingLines> lines_;
};

class RemoteLines final : public Lines {
 public:
  RemoteLines(LinkPtr link, wire::InteractionSet::Client set)
      : link_(std::move(link)), incoming_(kj::refcounted<IncomingLines>()) {
    auto request = set.linesRequest();
    request.setSink(kj::heap<LineSinkServer>(kj::addRef(*incoming_)));
    call_ = request.send()
                .then([this](auto&& response) {
                  if (response.hasRefusal()) {
                    incoming_->error = std::make_unique<Error>(read_refusal(response.getRefusal()));
                  }
                  incoming_->ended = true;
                  incoming_->expected = response.getBatches();
                  incoming_->wake();
                })
                .eagerlyEvaluate([this](kj::Exception&& e) {
                  incoming_->failed = kj::mv(e);
                  incoming_->wake();
                });
  }

  ~RemoteLines() noexcept override {
    if (incoming_->ended || incoming_->failed != nullptr) return;
    call_ = kj::Promise<void>(kj::READY_NOW);
    link_->settle();
  }

  Result<void> next(ContactLines& lines) override {
    lines = {};
    while (incoming_->ready.empty()) {
      if (incoming_->error != nullptr) return tl::unexpected(*incoming_->error);
      KJ_IF_MAYBE (e, incoming_->failed) return tl::unexpected(link_->error_of(*e));
      if (incoming_->ended && incoming_->batches == incoming_->expected) return {};
      auto paf = kj::newPromiseAndFulfiller<void>();
      incoming_->changed = kj::mv(paf.fulfiller);
      DEMARCHE_CHECK(link_->wait<bool>(paf.promise.then([]() { return true; })));
    }
    lines = std::move(incoming_->ready.front());
    incoming_->ready.pop_front();
    incoming_->taken.front()->fulfill();
    incoming_->taken.pop_front();
    return {};
  }

 private:
  LinkPtr link_;
  kj::Own<IncomingLines> incoming_;
  kj::Promise<void> call_ = kj::READY_NOW;
};

// ---- the state

class RemoteSnapshot final : public Snapshot {
 public:
  RemoteSnapshot(LinkPtr link, wire::Snapshot::Client snapshot, KindTable kinds, Statistics statistics)
      : link_(std::move(link)), snapshot_(kj::mv(snapshot)), kinds_(std::move(kinds)), statistics_(statistics) {}

  ~RemoteSnapshot() noexcept override {}

  const KindTable& kinds() const override { return kinds_; }
  const Statistics& statistics() const override { return statistics_; }
  const View* view() const override { return nullptr; }

  Result<std::unique_ptr<Rows>> query(std::string_view text, const std::map<std::string, query::Value>& parameters,
                                      const query::QueryOptions& options) override;

  Result<std::optional<InteractionId>> find_interaction(const std::string& key) const override {
    auto request = snapshot_.findRequest();
    request.initInteractionKeys(1).set(0, key);
    DEMARCHE_TRY(auto response, link_->ask(request.send()));
    const std::uint64_t id = response.getInteractions()[0];
    nearest_[key] = text_of(response.getNearest()[0]);
    return id == 0 ? std::nullopt : std::optional(InteractionId{id});
  }
  Result<std::optional<SourceId>> find_source(const std::string& key) const override {
    auto request = snapshot_.findRequest();
    request.initSourceKeys(1).set(0, key);
    DEMARCHE_TRY(auto response, link_->ask(request.send()));
    const std::uint64_t id = response.getSources()[0];
    return id == 0 ? std::nullopt : std::optional(SourceId{id});
  }
  Result<ActorId> resolve_actor(const std::string& name) const override {
    auto request = snapshot_.findRequest();
    request.initActorNames(1).set(0, name);
    DEMARCHE_TRY(auto response, link_->ask(request.send()));
    return ActorId{response.getActors()[0]};
  }
  Result<std::vector<NameMatch>> names(const std::string& prefix, std::size_t limit) const override {
    auto request = snapshot_.namesRequest();
    request.setPrefix(prefix);
    request.setLimit(static_cast<std::uint32_t>(std::min<std::size_t>(limit, 1'000)));
    DEMARCHE_TRY(auto response, link_->ask(request.send()));
    std::vector<NameMatch> out;
    std::vector<ActorId> ids;
    for (const auto match : response.getMatches()) {
      out.push_back({{match.getActor()}, text_of(match.getNormalForm()), match.getPreferred()});
      ids.push_back({match.getActor()});
    }
    expect(ids, {});
    return out;
  }

  Result<Actor> get_actor(ActorId id) const override {
    if (actors_.find(id) == actors_.end()) DEMARCHE_CHECK(load({id}, {}, {}, false));
    const auto it = actors_.find(id);
    if (it == actors_.end()) return make_error(ErrorCode::kNotFound, fmt::format("there is no actor {}", id.value));
    return it->second;
  }
  Result<Interaction> get_interaction(InteractionId id) const override {
    if (interactions_.find(id) == interactions_.end()) DEMARCHE_CHECK(load({}, {id}, {}, true));
    const auto it = interactions_.find(id);
    if (it == interactions_.end()) {
      return make_error(ErrorCode::kNotFound, fmt::format("there is no interaction {}", id.value));
    }
    return it->second;
  }
  Result<Source> get_source(SourceId id) const override {
    if (sources_.find(id) == sources_.end()) DEMARCHE_CHECK(load({}, {}, {id}, false));
    const auto it = sources_.find(id);
    if (it == sources_.end()) return make_error(ErrorCode::kNotFound, fmt::format("there is no source {}", id.value));
    return it->second;
  }

  Result<std::vector<InteractionId>> offices(ActorId id) const override {
    if (const auto it = offices_.find(id); it != offices_.end()) return it->second;
    // In order of time, as they come with the records around an interaction of the actor.
    auto by_id = snapshot_.actorByIdRequest();
    by_id.setId(id.value);
    auto set = by_id.send().getActor().interactionsRequest();
    Filter filter;
    filter.kinds = {kinds_.get(kinds::kHoldsOffice).name};
    filter.roles = {Role::kHolder};
    filter.status = StatusFilter::kAny;
    write_filter(filter, set.initFilter());
    auto page = set.send().getSet().pageRequest();
    page.setRecords(true);
    DEMARCHE_TRY(auto response, link_->ask(page.send()));
    DEMARCHE_CHECK(keep(response.getRecords()));
    std::vector<InteractionId> ids = read_ids<InteractionId>(response.getIds());
    std::stable_sort(ids.begin(), ids.end(),
                     [&](InteractionId a, InteractionId b) { return begin_of(a) < begin_of(b); });
    return offices_[id] = std::move(ids);
  }

  Result<std::string> nearest_key(const std::string& text) const override {
    if (nearest_.find(text) == nearest_.end()) DEMARCHE_CHECK(find_interaction(text));
    return nearest_[text];
  }

  Result<std::vector<ContactBefore>> contacts_before(const TimeBounds& bounds,
                                                     const BeforeOptions& options) const override {
    auto request = snapshot_.beforeRequest();
    write_bounds(bounds, request.initTime());
    request.setExcept(options.except.value);
    request.setCertainOnly(options.certain_only);
    request.setNotHeld(options.planned_or_cancelled);
    write_ids(options.actors, request.initActors(count_of(options.actors.size())));
    DEMARCHE_TRY(auto response, link_->ask(request.send()));
    DEMARCHE_CHECK(keep(response.getRecords()));
    std::vector<ContactBefore> out;
    for (const auto c : response.getContacts()) {
      out.push_back({{c.getInteraction()}, static_cast<Precedence>(c.getPrecedence()), read_bounds(c.getBounds())});
    }
    return out;
  }

  Result<std::optional<Arrival>> earliest_arrival(ActorId from, ActorId to,
                                                  const ChronologyOptions& options) const override {
    if (!options.kinds.is_any() || options.after) return invalid("a path of some kinds or after a time: use a query");
    auto request = snapshot_.pathRequest();
    request.setFrom(from.value);
    request.setTo(to.value);
    auto out = request.initOptions();
    out.setMode(wire_mode(options.mode));
    if (options.before) write_bounds(*options.before, out.initBeforeBounds());
    if (options.hops_max != ChronologyOptions::kHopsUnlimited) out.setHopsMax(options.hops_max);
    DEMARCHE_TRY(auto response, link_->ask(request.send()));
    DEMARCHE_CHECK(keep(response.getRecords()));
    if (!response.hasArrival()) return std::nullopt;
    return read_arrival(response.getArrival());
  }

  Result<Totals> totals() const override {
    DEMARCHE_TRY(auto response, link_->ask(snapshot_.kindCountsRequest().send()));
    Totals out;
    for (const auto c : response.getCounts()) {
      out.kinds.push_back({{c.getKind()}, c.getCount(), {c.getFirst()}, {c.getLast()}});
    }
    out.undated = response.getUndated();
    out.disk_bytes = response.getDiskBytes();
    return out;
  }

  void expect(const std::vector<ActorId>& actors, const std::vector<InteractionId>& interactions) const override {
    constexpr std::size_t kIdsMax = 2'000;
    std::vector<ActorId> new_actors;
    std::vector<InteractionId> new_interactions;
    for (const ActorId id : actors) {
      if (new_actors.size() < kIdsMax && actors_.find(id) == actors_.end()) new_actors.push_back(id);
    }
    for (const InteractionId id : interactions) {
      if (new_interactions.size() < kIdsMax && interactions_.find(id) == interactions_.end())
        new_interactions.push_back(id);
    }
    // A failure shows when the record is asked for.
    if (!new_actors.empty() || !new_interactions.empty()) (void)load(new_actors, new_interactions, {}, false);
  }

  Result<std::uint64_t> count(const ActorExprPtr& set) override {
    DEMARCHE_CHECK(check(set->depth));
    DEMARCHE_TRY(auto response, link_->ask(Chain(snapshot_).actors(set).countRequest().send()));
    return response.getCount();
  }
  Result<std::uint64_t> count(const InteractionExprPtr& set) override {
    DEMARCHE_CHECK(check(set->depth));
    DEMARCHE_TRY(auto response, link_->ask(Chain(snapshot_).interactions(set).countRequest().send()));
    return response.getCount();
  }
  Result<ActorPage> page(const ActorExprPtr& set, const PageOptions& options) override {
    DEMARCHE_CHECK(check(set->depth));
    auto request = Chain(snapshot_).actors(set).pageRequest();
    ActorPage out;
    DEMARCHE_CHECK(read_page<ActorId>(request, options, out));
    for (std::size_t i = 0; options.records && i < out.ids.size(); ++i) {
      DEMARCHE_TRY(Actor record, get_actor(out.ids[i]));
      out.records.push_back(std::move(record));
    }
    return out;
  }
  Result<InteractionPage> page(const InteractionExprPtr& set, const PageOptions& options) override {
    DEMARCHE_CHECK(check(set->depth));
    auto request = Chain(snapshot_).interactions(set).pageRequest();
    InteractionPage out;
    DEMARCHE_CHECK(read_page<InteractionId>(request, options, out));
    for (std::size_t i = 0; options.records && i < out.ids.size(); ++i) {
      DEMARCHE_TRY(Interaction record, get_interaction(out.ids[i]));
      out.records.push_back(std::move(record));
    }
    return out;
  }
  Result<std::unique_ptr<Lines>> lines(const InteractionExprPtr& set) override {
    DEMARCHE_CHECK(check(set->depth));
    return std::make_unique<RemoteLines>(link_, Chain(snapshot_).interactions(set));
  }

 private:
  static Result<void> check(std::size_t depth) {
    if (depth <= kDepthMax) return {};
    return invalid(fmt::format("a set described in more than {} steps; take it in parts", kDepthMax));
  }

  template <typename IdType>
  Result<void> read_page(auto& request, const PageOptions& options, auto& out) {
    request.setAfter(options.after);
    request.setLimit(options.limit);
    request.setRecords(options.records);
    DEMARCHE_TRY(auto response, link_->ask(request.send()));
    if (options.records) DEMARCHE_CHECK(keep(response.getRecords()));
    out.ids = read_ids<IdType>(response.getIds());
    out.more = response.getMore();
    return {};
  }

  // Keeps what is kept bounded: forgetting costs a round trip, no more.
  Result<void> keep(wire::Records::Reader records) const {
    constexpr std::size_t kKeptMax = 100'000;
    if (actors_.size() + interactions_.size() + sources_.size() > kKeptMax) {
      actors_.clear();
      interactions_.clear();
      sources_.clear();
      offices_.clear();
    }
    for (const auto in : records.getActors()) {
      DEMARCHE_TRY(Actor actor, read_actor(in));
      actors_[actor.id] = std::move(actor);
    }
    for (const auto in : records.getInteractions()) {
      DEMARCHE_TRY(Interaction record, read_interaction(in, kinds_));
      const InteractionId id = record.id;
      interactions_.insert_or_assign(id, std::move(record));
    }
    for (const auto in : records.getSources()) sources_.insert_or_assign(SourceId{in.getId()}, read_source(in));
    for (const auto in : records.getOffices()) {
      offices_[{in.getActor()}] = read_ids<InteractionId>(in.getInteractions());
    }
    return {};
  }

  Result<void> load(const std::vector<ActorId>& actors, const std::vector<InteractionId>& interactions,
                    const std::vector<SourceId>& sources, bool around) const {
    auto request = snapshot_.recordsRequest();
    write_ids(actors, request.initActors(count_of(actors.size())));
    write_ids(interactions, request.initInteractions(count_of(interactions.size())));
    write_ids(sources, request.initSources(count_of(sources.size())));
    request.setAround(around);
    DEMARCHE_TRY(auto response, link_->ask(request.send()));
    return keep(response.getRecords());
  }

  [[nodiscard]] Timestamp begin_of(InteractionId id) const {
    const auto it = interactions_.find(id);
    return it == interactions_.end() || !it->second.when ? Timestamp::lowest() : it->second.when->bounds.begin_min;
  }

  LinkPtr link_;
  mutable wire::Snapshot::Client snapshot_;
  KindTable kinds_;
  Statistics statistics_;
  mutable std::unordered_map<ActorId, Actor> actors_;
  mutable std::unordered_map<InteractionId, Interaction> interactions_;
  mutable std::unordered_map<SourceId, Source> sources_;
  mutable std::unordered_map<ActorId, std::vector<InteractionId>> offices_;
  mutable std::unordered_map<std::string, std::string> nearest_;
};

Result<void> fill_statement(auto& request, kj::Own<IncomingRows> incoming, std::string_view text,
                            const std::map<std::string, query::Value>& parameters, const query::QueryOptions& options) {
  for (const auto& [name, value] : parameters) DEMARCHE_CHECK(check_depth(value));
  request.setText(kj::StringPtr(std::string(text).c_str()));
  write_parameters(parameters, request.initParameters(count_of(parameters.size())));
  request.setSink(kj::heap<RowSinkServer>(kj::mv(incoming)));
  constexpr std::int64_t kSecondsMax = 1'000'000;
  const std::int64_t seconds = std::chrono::ceil<std::chrono::seconds>(options.time_max).count();
  request.setSecondsMax(static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 1, kSecondsMax)));
  return {};
}

template <typename Results>
Result<std::unique_ptr<Rows>> started(std::unique_ptr<RemoteRows<Results>> rows) {
  DEMARCHE_CHECK(rows->start());
  return std::unique_ptr<Rows>(std::move(rows));
}

Result<std::unique_ptr<Rows>> RemoteSnapshot::query(std::string_view text,
                                                    const std::map<std::string, query::Value>& parameters,
                                                    const query::QueryOptions& options) {
  auto incoming = kj::refcounted<IncomingRows>();
  auto request = snapshot_.queryRequest();
  DEMARCHE_CHECK(fill_statement(request, kj::addRef(*incoming), text, parameters, options));
  return started(std::make_unique<RemoteRows<wire::QueryOutcome>>(link_, shared_from_this(), kj::mv(incoming),
                                                                  request.send(), options.cancel));
}

Described describe(wire::Snapshot::Client& snapshot) { return snapshot.describeRequest().send(); }

}  // namespace

Result<SnapshotPtr> make_remote_snapshot(LinkPtr link, wire::Snapshot::Client snapshot, Described described) {
  DEMARCHE_TRY(auto response, link->ask(kj::mv(described)));
  const auto info = response.getInfo();
  DEMARCHE_TRY(KindTable kinds, read_kinds(info.getKinds()));
  Statistics statistics;
  statistics.commit = {info.getCommit()};
  statistics.commit_time_micros = info.getCommitTimeMicros();
  statistics.commit_time_stated = info.getCommitTimeStated();
  statistics.actors = info.getActors();
  statistics.interactions = info.getInteractions();
  statistics.sources = info.getSources();
  return SnapshotPtr(std::make_shared<RemoteSnapshot>(std::move(link), kj::mv(snapshot), std::move(kinds), statistics));
}

Result<std::unique_ptr<Rows>> query_newest(const LinkPtr& link, std::string_view text,
                                           const std::map<std::string, query::Value>& parameters,
                                           const query::QueryOptions& options) {
  wire::Snapshot::Client snapshot = link->session().snapshotRequest().send().getSnapshot();
  auto described = describe(snapshot);
  auto incoming = kj::refcounted<IncomingRows>();
  auto request = snapshot.queryRequest();
  DEMARCHE_CHECK(fill_statement(request, kj::addRef(*incoming), text, parameters, options));
  auto sent = request.send();
  DEMARCHE_TRY(SnapshotPtr state, make_remote_snapshot(link, snapshot, kj::mv(described)));
  return started(std::make_unique<RemoteRows<wire::QueryOutcome>>(link, std::move(state), kj::mv(incoming),
                                                                  kj::mv(sent), options.cancel));
}

Result<std::unique_ptr<Rows>> execute_remotely(const LinkPtr& link, std::string_view text,
                                               const std::map<std::string, query::Value>& parameters,
                                               const query::QueryOptions& options) {
  auto incoming = kj::refcounted<IncomingRows>();
  auto writer = link->session().castAs<wire::Writer>();
  auto request = writer.executeRequest();
  DEMARCHE_CHECK(fill_statement(request, kj::addRef(*incoming), text, parameters, options));
  auto rows =
      std::make_unique<RemoteRows<wire::QueryOutcome>>(link, nullptr, kj::mv(incoming), request.send(), options.cancel);
  DEMARCHE_CHECK(rows->start());
  wire::Snapshot::Client snapshot = link->session().snapshotRequest().send().getSnapshot();
  auto described = describe(snapshot);
  DEMARCHE_TRY(SnapshotPtr state, make_remote_snapshot(link, snapshot, kj::mv(described)));
  rows->show(std::move(state));
  return std::unique_ptr<Rows>(std::move(rows));
}

}  // namespace demarche::proto

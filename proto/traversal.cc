#include "proto/traversal.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "engine/contact.h"
#include "engine/edtf.h"

namespace demarche::proto {

namespace {

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

std::size_t depth_of(const auto& pointer) { return pointer == nullptr ? 0 : pointer->depth; }

// What a filter means in one state of the store.
struct TimeTest {
  TimePredicate predicate;
  TimeBounds bounds;
  InteractionId owner;
};
struct BoundFilter {
  KindSet kinds;
  TimeWindow window;
  std::vector<TimeTest> tests;
  bool possible = false;
  std::vector<Role> roles;
  StatusFilter status = StatusFilter::kHeld;
};

struct BoundMoment {
  TimeBounds bounds;
  InteractionId owner;
};

Result<std::optional<BoundMoment>> bind_moment(const View& view, const Moment& moment) {
  if (moment.kind == Moment::Kind::kNone) return std::nullopt;
  if (moment.kind == Moment::Kind::kDate) {
    DEMARCHE_TRY(const Edtf edtf, parse_edtf(moment.text));
    return BoundMoment{as_period(edtf), {}};
  }
  DEMARCHE_TRY(const auto id, view.find_interaction(moment.text));
  if (!id) {
    return make_error(ErrorCode::kNotFound, fmt::format("there is no interaction with the key '{}'", moment.text));
  }
  DEMARCHE_TRY(const Interaction record, view.get_interaction(*id));
  return BoundMoment{record.when ? record.when->bounds : TimeBounds{}, *id};
}

Result<KindSet> bind_kinds(const View& view, const std::vector<std::string>& names) {
  KindSet out;
  for (const std::string& name : names) {
    const auto kind = view.kinds().find(name);
    if (!kind) return make_error(ErrorCode::kNotFound, view.kinds().unknown_message(name));
    for (const Kind& k : view.kinds().all()) {
      if (view.kinds().is_below(k.id, *kind)) out.insert(k.id);
    }
  }
  return out;
}

// Rows that can pass a test meet this window; what else meets it is tested.
void narrow(TimeWindow& window, const TimeTest& test) {
  const auto end_at = [&](Timestamp t) {
    if (t.is_finite()) window.end = std::min(window.end, Timestamp{t.seconds + 1});
  };
  const auto begin_at = [&](Timestamp t) {
    if (t.is_finite()) window.begin = std::max(window.begin, t);
  };
  switch (test.predicate) {
    case TimePredicate::kBefore:
      return end_at(test.bounds.begin_max);
    case TimePredicate::kAfter:
      return begin_at(test.bounds.end_min);
    case TimePredicate::kDuring:
    case TimePredicate::kOverlaps:
      begin_at(test.bounds.begin_min);
      end_at(test.bounds.end_max);
  }
}

Result<BoundFilter> bind_filter(const View& view, const Filter& filter) {
  BoundFilter out;
  DEMARCHE_ASSIGN(out.kinds, bind_kinds(view, filter.kinds));
  const std::pair<TimePredicate, const Moment*> moments[] = {{TimePredicate::kBefore, &filter.before},
                                                             {TimePredicate::kAfter, &filter.after},
                                                             {TimePredicate::kDuring, &filter.during},
                                                             {TimePredicate::kOverlaps, &filter.overlaps}};
  for (const auto& [predicate, moment] : moments) {
    DEMARCHE_TRY(const auto bound, bind_moment(view, *moment));
    if (!bound) continue;
    out.tests.push_back({predicate, bound->bounds, bound->owner});
    narrow(out.window, out.tests.back());
  }
  out.possible = filter.possible;
  out.roles = filter.roles;
  out.status = filter.status;
  return out;
}

bool status_passes(StatusFilter filter, Status status) {
  const bool held = status == Status::kHeld || status == Status::kNone;
  return filter == StatusFilter::kAny || held == (filter == StatusFilter::kHeld);
}

bool time_passes(const BoundFilter& filter, InteractionId id, const TimeBounds& bounds) {
  return std::all_of(filter.tests.begin(), filter.tests.end(), [&](const TimeTest& test) {
    const Truth truth =
        test.owner == id ? evaluate_identical(test.predicate) : evaluate(test.predicate, bounds, test.bounds);
    return truth == Truth::kTrue || (filter.possible && truth == Truth::kUnknown);
  });
}

bool role_passes(const BoundFilter& filter, Role role) {
  return filter.roles.empty() || std::find(filter.roles.begin(), filter.roles.end(), role) != filter.roles.end();
}

template <typename T>
void sort_unique(std::vector<T>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

template <typename T>
std::vector<T> combine(SetOperation operation, const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> out;
  switch (operation) {
    case SetOperation::kUnion:
      std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
      break;
    case SetOperation::kIntersection:
      std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
      break;
    case SetOperation::kDifference:
      std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
      break;
  }
  return out;
}

template <typename T>
bool holds(const std::vector<T>& ascending, T id) {
  return std::binary_search(ascending.begin(), ascending.end(), id);
}

class Evaluator {
 public:
  Evaluator(const View& view, const EvaluationLimits& limits)
      : view_(view), limits_(limits), deadline_(std::chrono::steady_clock::now() + limits.time_max) {}

  using ActorIds = std::shared_ptr<const std::vector<ActorId>>;
  using InteractionIds = std::shared_ptr<const std::vector<InteractionId>>;

  Result<ActorIds> actors(const ActorExprPtr& expr) {
    if (const auto it = actors_.find(expr.get()); it != actors_.end()) return it->second;
    if (expr->depth > kDepthMax) return too_deep();
    std::vector<ActorId> ids;
    DEMARCHE_CHECK(std::visit([&](const auto& node) { return make(node, ids); }, expr->node));
    sort_unique(ids);
    DEMARCHE_CHECK(count(ids.size()));
    return actors_[expr.get()] = std::make_shared<const std::vector<ActorId>>(std::move(ids));
  }

  Result<InteractionIds> interactions(const InteractionExprPtr& expr) {
    if (const auto it = interactions_.find(expr.get()); it != interactions_.end()) return it->second;
    if (expr->depth > kDepthMax) return too_deep();
    std::vector<InteractionId> ids;
    DEMARCHE_CHECK(std::visit([&](const auto& node) { return make(node, ids); }, expr->node));
    sort_unique(ids);
    DEMARCHE_CHECK(count(ids.size()));
    return interactions_[expr.get()] = std::make_shared<const std::vector<InteractionId>>(std::move(ids));
  }

  Result<void> check() const {
    if (limits_.cancel != nullptr && limits_.cancel->load()) return make_error(ErrorCode::kCancelled, "cancelled");
    if (std::chrono::steady_clock::now() > deadline_) {
      return make_error(ErrorCode::kLimit,
                        fmt::format("the traversal took longer than {} s; narrow it", limits_.time_max.count() / 1000));
    }
    return {};
  }

 private:
  static tl::unexpected<Error> too_deep() {
    return invalid(fmt::format("a set described in more than {} steps; take it in parts", kDepthMax));
  }

  Result<void> count(std::size_t members) {
    members_ += members;
    if (members_ <= limits_.members_max) return {};
    return make_error(ErrorCode::kLimit, fmt::format("the sets have more than {} members; narrow them, or stream lines",
                                                     limits_.members_max));
  }

  // ---- actors

  Result<void> make(const ActorExpr::Named& node, std::vector<ActorId>& out) {
    DEMARCHE_TRY(const ActorId id, view_.resolve_actor(node.name));
    out.push_back(id);
    return {};
  }
  Result<void> make(const ActorExpr::ById& node, std::vector<ActorId>& out) {
    DEMARCHE_CHECK(view_.get_actor(node.id).map([](const Actor&) {}));
    out.push_back(node.id);
    return {};
  }
  Result<void> make(const ActorExpr::Labelled& node, std::vector<ActorId>& out) {
    DEMARCHE_TRY(ActorCursor cursor, node.label.empty() ? view_.actors() : view_.actors_with_label(node.label));
    std::vector<ActorId> ids;
    while (true) {
      DEMARCHE_CHECK(check());
      DEMARCHE_CHECK(cursor.next(ids));
      if (ids.empty()) return {};
      out.insert(out.end(), ids.begin(), ids.end());
      DEMARCHE_CHECK(check_growth(out.size()));
    }
  }
  Result<void> make(const ActorExpr::WithLabel& node, std::vector<ActorId>& out) {
    DEMARCHE_TRY(const ActorIds of, actors(node.of));
    for (const ActorId id : *of) {
      DEMARCHE_TRY(const Actor actor, view_.get_actor(id));
      if (std::binary_search(actor.labels.begin(), actor.labels.end(), node.label)) out.push_back(id);
    }
    return {};
  }
  Result<void> make(const ActorExpr::Combined& node, std::vector<ActorId>& out) {
    DEMARCHE_TRY(const ActorIds a, actors(node.a));
    DEMARCHE_TRY(const ActorIds b, actors(node.b));
    out = combine(node.operation, *a, *b);
    return {};
  }
  Result<void> make(const ActorExpr::Reached& node, std::vector<ActorId>& out) {
    constexpr std::size_t kFromMax = 1000;
    DEMARCHE_TRY(const ActorIds from, actors(node.from));
    if (from->size() > kFromMax) {
      return make_error(ErrorCode::kLimit, fmt::format("reach from {} actors, at most {}", from->size(), kFromMax));
    }
    DEMARCHE_TRY(const ChronologyOptions options, resolve(view_, node.options));
    for (const ActorId id : *from) {
      DEMARCHE_CHECK(check());
      DEMARCHE_TRY(const std::vector<Reached> found, reached(view_, id, options));
      for (const Reached& one : found) {
        if (!holds(*from, one.actor)) out.push_back(one.actor);
      }
      DEMARCHE_CHECK(check_growth(out.size()));
    }
    return {};
  }
  Result<void> make(const ActorExpr::Participants& node, std::vector<ActorId>& out) {
    DEMARCHE_TRY(const InteractionIds of, interactions(node.of));
    return each_record(*of, [&](const Interaction& record) {
      for (const Party& party : parties_of(record.participants)) {
        if (node.roles.empty() || std::find(node.roles.begin(), node.roles.end(), party.role) != node.roles.end())
          out.push_back(party.actor);
      }
    });
  }
  Result<void> make(const ActorExpr::Counterparts& node, std::vector<ActorId>& out) {
    // The common case needs no records: the rows of the actors say with whom they were in contact.
    if (const auto* of = std::get_if<InteractionExpr::Of>(&node.of->node); of != nullptr && of->in_contact) {
      return each_contact(*of, [&](InteractionId, std::span<const Party> parties, std::size_t self, bool rule) {
        for (std::size_t i = 0; i < parties.size(); ++i) {
          if (in_contact(parties, self, i, rule)) out.push_back(parties[i].actor);
        }
      });
    }
    DEMARCHE_TRY(const InteractionIds of, interactions(node.of));
    ActorIds origin;
    if (const ActorExprPtr expr = origin_of(*node.of)) DEMARCHE_ASSIGN(origin, actors(expr));
    return each_record(*of, [&](const Interaction& record) {
      const std::vector<Party> parties = parties_of(record.participants);
      const bool rule = has_contact_rule(view_.kinds(), record.kind);
      for (const auto& [i, j] : contact_pairs(parties, rule)) {
        if (origin == nullptr || holds(*origin, parties[i].actor)) out.push_back(parties[j].actor);
        if (origin == nullptr || holds(*origin, parties[j].actor)) out.push_back(parties[i].actor);
      }
    });
  }

  // Whose contacts a set holds; null if it began with no actors.
  static ActorExprPtr origin_of(const InteractionExpr& expr) {
    return std::visit(Overloaded{[](const InteractionExpr::Of& node) { return node.actors; },
                                 [](const InteractionExpr::Only& node) { return origin_of(*node.of); },
                                 [](const InteractionExpr::Combined& node) { return origin_of(*node.a); },
                                 [](const auto&) { return ActorExprPtr(); }},
                      expr.node);
  }

  // ---- interactions

  Result<void> make(const InteractionExpr::Keyed& node, std::vector<InteractionId>& out) {
    DEMARCHE_TRY(const auto id, view_.find_interaction(node.key));
    if (!id) {
      return make_error(ErrorCode::kNotFound, fmt::format("there is no interaction with the key '{}'", node.key));
    }
    out.push_back(*id);
    return {};
  }
  Result<void> make(const InteractionExpr::ById& node, std::vector<InteractionId>& out) {
    DEMARCHE_CHECK(view_.get_interaction(node.id).map([](const Interaction&) {}));
    out.push_back(node.id);
    return {};
  }
  Result<void> make(const InteractionExpr::Everything& node, std::vector<InteractionId>& out) {
    DEMARCHE_TRY(const BoundFilter filter, bind_filter(view_, node.filter));
    DEMARCHE_TRY(RowCursor cursor, view_.timeline(filter.window, filter.kinds));
    return each_row(cursor, filter, [&](const RowBatch& rows, std::size_t i) {
      const auto parties = rows.parties_of(i);
      if (filter.roles.empty() ||
          std::any_of(parties.begin(), parties.end(), [&](const Party& p) { return role_passes(filter, p.role); }))
        out.push_back(rows.interaction[i]);
      return check_growth(out.size());
    });
  }
  Result<void> make(const InteractionExpr::Of& node, std::vector<InteractionId>& out) {
    return each_contact(node, [&](InteractionId id, std::span<const Party>, std::size_t, bool) { out.push_back(id); });
  }
  Result<void> make(const InteractionExpr::Only& node, std::vector<InteractionId>& out) {
    DEMARCHE_TRY(const InteractionIds of, interactions(node.of));
    DEMARCHE_TRY(const BoundFilter filter, bind_filter(view_, node.filter));
    ActorIds origin;
    if (const ActorExprPtr expr = origin_of(*node.of); expr && !filter.roles.empty()) {
      DEMARCHE_ASSIGN(origin, actors(expr));
    }
    return each_record(*of, [&](const Interaction& record) {
      if (!filter.kinds.contains(record.kind) || !status_passes(filter.status, record.status)) return;
      if (!time_passes(filter, record.id, record.when ? record.when->bounds : TimeBounds{})) return;
      const std::vector<Party> parties = parties_of(record.participants);
      if (filter.roles.empty() || std::any_of(parties.begin(), parties.end(), [&](const Party& p) {
            return role_passes(filter, p.role) && (origin == nullptr || holds(*origin, p.actor));
          }))
        out.push_back(record.id);
    });
  }
  Result<void> make(const InteractionExpr::Combined& node, std::vector<InteractionId>& out) {
    DEMARCHE_TRY(const InteractionIds a, interactions(node.a));
    DEMARCHE_TRY(const InteractionIds b, interactions(node.b));
    out = combine(node.operation, *a, *b);
    return {};
  }

  // ---- walking

  Result<void> check_growth(std::size_t size) const {
    if (size <= limits_.members_max) return {};
    return make_error(ErrorCode::kLimit,
                      fmt::format("the set has more than {} members; narrow it, or stream lines", limits_.members_max));
  }

  // visit(rows, i) -> Result<void> for each row that passes kind, status and time.
  template <typename F>
  Result<void> each_row(RowCursor& cursor, const BoundFilter& filter, F&& visit) {
    RowBatch rows;
    while (true) {
      DEMARCHE_CHECK(check());
      DEMARCHE_CHECK(cursor.next(rows));
      if (rows.size() == 0) return {};
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (!status_passes(filter.status, rows.status[i])) continue;
        if (!time_passes(filter, rows.interaction[i], rows.bounds[i])) continue;
        DEMARCHE_CHECK(visit(rows, i));
      }
    }
  }

  // visit(interaction, parties, index of the member, rule) for each row and each member that passes.
  template <typename F>
  Result<void> each_contact(const InteractionExpr::Of& node, F&& visit) {
    DEMARCHE_TRY(const ActorIds members, actors(node.actors));
    DEMARCHE_TRY(BoundFilter filter, bind_filter(view_, node.filter));
    if (node.in_contact && filter.kinds.is_any()) filter.kinds = view_.kinds().contacts();
    std::size_t seen = 0;
    for (const ActorId member : *members) {
      DEMARCHE_TRY(RowCursor cursor, view_.scan(member, filter.window, filter.kinds));
      DEMARCHE_CHECK(each_row(cursor, filter, [&](const RowBatch& rows, std::size_t i) {
        const auto parties = rows.parties_of(i);
        const bool rule = has_contact_rule(view_.kinds(), rows.kind[i]);
        for (std::size_t self = 0; self < parties.size(); ++self) {
          if (parties[self].actor != member || !role_passes(filter, parties[self].role)) continue;
          if (node.in_contact && !touches(parties, self, rule)) continue;
          visit(rows.interaction[i], parties, self, rule);
        }
        return check_growth(++seen);
      }));
    }
    return {};
  }

  static bool touches(std::span<const Party> parties, std::size_t self, bool rule) {
    for (std::size_t i = 0; i < parties.size(); ++i) {
      if (in_contact(parties, self, i, rule)) return true;
    }
    return false;
  }

  template <typename F>
  Result<void> each_record(const std::vector<InteractionId>& ids, F&& visit) {
    std::size_t n = 0;
    for (const InteractionId id : ids) {
      if (n++ % 256 == 0) DEMARCHE_CHECK(check());
      DEMARCHE_TRY(const Interaction record, view_.get_interaction(id));
      visit(record);
    }
    return {};
  }

  const View& view_;
  const EvaluationLimits& limits_;
  std::chrono::steady_clock::time_point deadline_;
  std::size_t members_ = 0;
  std::unordered_map<const ActorExpr*, ActorIds> actors_;
  std::unordered_map<const InteractionExpr*, InteractionIds> interactions_;
};

}  // namespace

ActorExprPtr make_expr(ActorExpr expr) {
  expr.depth =
      1 + std::visit(Overloaded{[](const ActorExpr::Counterparts& n) { return depth_of(n.of); },
                                [](const ActorExpr::Participants& n) { return depth_of(n.of); },
                                [](const ActorExpr::Reached& n) { return depth_of(n.from); },
                                [](const ActorExpr::WithLabel& n) { return depth_of(n.of); },
                                [](const ActorExpr::Combined& n) { return std::max(depth_of(n.a), depth_of(n.b)); },
                                [](const auto&) { return std::size_t{0}; }},
                     expr.node);
  return std::make_shared<const ActorExpr>(std::move(expr));
}

InteractionExprPtr make_expr(InteractionExpr expr) {
  expr.depth =
      1 +
      std::visit(Overloaded{[](const InteractionExpr::Of& n) { return depth_of(n.actors); },
                            [](const InteractionExpr::Only& n) { return depth_of(n.of); },
                            [](const InteractionExpr::Combined& n) { return std::max(depth_of(n.a), depth_of(n.b)); },
                            [](const auto&) { return std::size_t{0}; }},
                 expr.node);
  return std::make_shared<const InteractionExpr>(std::move(expr));
}

Result<std::vector<ActorId>> evaluate(const View& view, const ActorExprPtr& expr, const EvaluationLimits& limits) {
  Evaluator evaluator(view, limits);
  DEMARCHE_TRY(const auto ids, evaluator.actors(expr));
  return *ids;
}

Result<std::vector<InteractionId>> evaluate(const View& view, const InteractionExprPtr& expr,
                                            const EvaluationLimits& limits) {
  Evaluator evaluator(view, limits);
  DEMARCHE_TRY(const auto ids, evaluator.interactions(expr));
  return *ids;
}

Result<ChronologyOptions> resolve(const View& view, const ReachOptions& options) {
  ChronologyOptions out;
  out.mode = options.mode;
  DEMARCHE_ASSIGN(out.kinds, bind_kinds(view, options.kinds));
  DEMARCHE_TRY(const auto after, bind_moment(view, options.after));
  DEMARCHE_TRY(const auto before, bind_moment(view, options.before));
  if (after) out.after = after->bounds;
  if (before) out.before = before->bounds;
  if (options.hops_max > 0) out.hops_max = options.hops_max;
  return out;
}

// ---- lines ---------------------------------------------------------------------------------------------------------

struct LineScan::State {
  std::shared_ptr<const View> view;
  EvaluationLimits limits;
  std::optional<Evaluator> guard;   // cancel and time
  std::optional<ContactScan> scan;  // the index as it is, or else:
  std::vector<InteractionId> ids;
  std::size_t at = 0;
};

LineScan::LineScan(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineScan::~LineScan() = default;

Result<std::unique_ptr<LineScan>> LineScan::open(std::shared_ptr<const View> view, const InteractionExprPtr& expr,
                                                 const EvaluationLimits& limits) {
  auto state = std::make_unique<State>();
  state->view = std::move(view);
  state->limits = limits;
  state->guard.emplace(*state->view, state->limits);
  const auto* all = std::get_if<InteractionExpr::Everything>(&expr->node);
  if (all != nullptr && all->filter.roles.empty() && all->filter.status != StatusFilter::kNotHeld) {
    DEMARCHE_TRY(const BoundFilter filter, bind_filter(*state->view, all->filter));
    if (filter.tests.empty()) {
      ContactScanOptions options;
      options.kinds = filter.kinds;
      if (options.kinds.is_any()) {  // the scan would take that for contacts alone
        for (const Kind& kind : state->view->kinds().all()) options.kinds.insert(kind.id);
      }
      options.held_only = all->filter.status == StatusFilter::kHeld;
      options.columns = ContactColumn::kBegin | ContactColumn::kKind | ContactColumn::kOther;
      options.columns = options.columns | ContactColumn::kInteraction;
      DEMARCHE_TRY(ContactScan scan, ContactScan::timeline(*state->view, options));
      state->scan.emplace(std::move(scan));
      return std::unique_ptr<LineScan>(new LineScan(std::move(state)));
    }
  }
  DEMARCHE_ASSIGN(state->ids, evaluate(*state->view, expr, state->limits));
  return std::unique_ptr<LineScan>(new LineScan(std::move(state)));
}

Result<void> LineScan::next(ContactLines& lines) {
  constexpr std::size_t kRecords = 4096;
  State& s = *state_;
  DEMARCHE_CHECK(s.guard->check());
  if (s.scan) return s.scan->next(lines).map([](bool) {});
  lines = {};
  const KindTable& kinds = s.view->kinds();
  while (lines.size == 0 && s.at < s.ids.size()) {
    const std::size_t end = std::min(s.ids.size(), s.at + kRecords);
    for (; s.at < end; ++s.at) {
      DEMARCHE_TRY(const Interaction record, s.view->get_interaction(s.ids[s.at]));
      const std::vector<Party> parties = parties_of(record.participants);
      for (const auto& [i, j] : contact_pairs(parties, has_contact_rule(kinds, record.kind))) {
        lines.interaction.push_back(record.id.value);
        lines.actor.push_back(parties[i].actor.value);
        lines.other.push_back(parties[j].actor.value);
        lines.begin.push_back((record.when ? record.when->bounds.begin_min : Timestamp::lowest()).seconds);
        lines.kind.push_back(record.kind.value);
      }
    }
    lines.size = lines.actor.size();
    DEMARCHE_CHECK(s.guard->check());
  }
  return {};
}

}  // namespace demarche::proto

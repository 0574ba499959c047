#include "query/plan/match_planner.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>

namespace demarche::query {

namespace {

using bound::ExprPtr;
using plan::NodePtr;

// What steps cost, in nanoseconds; measured on one core of 2020 with what is read in memory.
constexpr double kPointRead = 5'000;    // a key looked up, a record read
constexpr double kActorStep = 200;      // the next actor of a scan
constexpr double kTimelineRow = 12;     // a row of the timeline passed over
constexpr double kExpandStart = 1'500;  // the blocks of an actor met for the first time
constexpr double kExpandRow = 10;       // a row made, or a contact of an actor looked at
constexpr double kProbe = 150;          // two bound ends compared
constexpr double kConditionRow = 30;    // a condition asked of a row
constexpr double kWalkRow = 500;        // a path found

// How many actors are called alike, as a rule.
constexpr double kActorsOfName = 1.2;
constexpr double kEqualShare = 0.05;
constexpr double kOrderedShare = 0.5;
constexpr double kIntoShare = 0.1;

// States kept at each step of the search for the best order. A pattern of four edges has a few hundred orders; with so
// many states nothing that is best in the end was found to be lost on the way.
constexpr std::size_t kBeamWidth = 8;

const Slot* as_slot(const ExprPtr& expr) {
  const auto* ref = expr ? std::get_if<bound::SlotRef>(&expr->node) : nullptr;
  return ref == nullptr ? nullptr : &ref->slot;
}

// The interaction slot that an operand of a time predicate stands for: c, c.when.
const Slot* timed_slot(const ExprPtr& expr) {
  if (const Slot* slot = as_slot(expr)) return slot;
  const auto* property = std::get_if<bound::PropertyOf>(&expr->node);
  return property != nullptr && property->key == "when" ? as_slot(property->object) : nullptr;
}

ast::BinaryOp mirrored(ast::BinaryOp op) {
  if (op == ast::BinaryOp::kBefore) return ast::BinaryOp::kAfter;
  if (op == ast::BinaryOp::kAfter) return ast::BinaryOp::kBefore;
  return op;
}

bool is_time_op(ast::BinaryOp op) {
  return op == ast::BinaryOp::kBefore || op == ast::BinaryOp::kAfter || op == ast::BinaryOp::kDuring ||
         op == ast::BinaryOp::kOverlaps;
}

class MatchPlanner {
 public:
  MatchPlanner(const bound::Match& match, NodePtr input, std::vector<Slot>& live, const Estimates& estimates,
               const PlanOptions& options)
      : match_(match), root_(std::move(input)), live_(live), estimates_(estimates), options_(options) {
    for (const ExprPtr& condition : match.conditions) {
      condition_slots_.emplace_back();
      collect_slots(*condition, condition_slots_.back());
    }
    now_.rows = root_->rows_estimate;
    now_.cost = root_->cost_estimate;
    for (const Slot slot : live) now_.bind(slot);
    now_.edges.assign(match.edges.size(), false);
    now_.alone.assign(match.alone.size(), false);
    now_.actors.assign(match.actors.size(), false);
    now_.conditions.assign(match.conditions.size(), false);
    mark_found(now_);
  }

  NodePtr run() {
    const std::vector<Step> steps = options_.optimise ? best_order() : written_order();
    add_conditions();
    for (const Step& step : steps) {
      take(step);
      add_conditions();
    }
    for (const bound::PathVariable& path : match_.paths) add_path(path);
    add_conditions();
    return std::move(root_);
  }

 private:
  enum class StepKind : std::uint8_t { kAlone, kActor, kExpand, kExpandInteraction, kContacts, kWalk };
  struct Step {
    StepKind kind = StepKind::kAlone;
    std::size_t index = 0;
    double factor = 1;  // rows made of each row
    double cost = 0;    // of each row
  };
  // How far a plan has come.
  struct State {
    std::vector<bool> bound;  // by slot
    std::vector<bool> edges;
    std::vector<bool> alone;
    std::vector<bool> actors;
    std::vector<bool> conditions;
    double rows = 1;
    double cost = 0;
    std::vector<Step> steps;

    [[nodiscard]] bool has(Slot slot) const { return slot < bound.size() && bound[slot]; }
    void bind(Slot slot) {
      if (slot >= bound.size()) bound.resize(slot + 1);
      bound[slot] = true;
    }
    [[nodiscard]] bool has_all(const std::vector<Slot>& slots) const {
      return std::all_of(slots.begin(), slots.end(), [this](Slot s) { return has(s); });
    }
    [[nodiscard]] auto done() const { return std::tie(edges, alone, actors); }
  };

  [[nodiscard]] static bool has_all(const State& state, const bound::Expr& expr) {
    std::vector<Slot> slots;
    collect_slots(expr, slots);
    return state.has_all(slots);
  }

  // ---- what conditions offer ----

  // Finds `slot.property = expression` with an expression over what is bound.
  [[nodiscard]] ExprPtr wanted_value(const State& state, Slot slot, std::string_view property) const {
    if (!options_.use_indexes) return nullptr;
    for (const ExprPtr& condition : match_.conditions) {
      const auto* compare = std::get_if<bound::Compare>(&condition->node);
      if (compare == nullptr || compare->op != ast::CompareOp::kEqual) continue;
      for (const auto& [side, other] :
           {std::pair(&compare->left, &compare->right), std::pair(&compare->right, &compare->left)}) {
        const auto* p = std::get_if<bound::PropertyOf>(&(*side)->node);
        const Slot* owner = p == nullptr ? nullptr : as_slot(p->object);
        if (owner != nullptr && *owner == slot && p->key == property && has_all(state, **other)) return *other;
      }
    }
    return nullptr;
  }

  // The rarest of the labels that an actor must have.
  [[nodiscard]] std::string wanted_label(Slot slot) const {
    std::string best;
    if (!options_.use_indexes) return best;
    const auto consider = [&](const ast::LabelExpr& label) {
      if (label.op != ast::LabelExpr::Op::kName) return;
      if (best.empty() || estimates_.actors_with(label.name) < estimates_.actors_with(best)) best = label.name;
    };
    for (const ExprPtr& condition : match_.conditions) {
      const auto* test = std::get_if<bound::HasLabels>(&condition->node);
      const Slot* subject = test == nullptr ? nullptr : as_slot(test->subject);
      if (subject == nullptr || *subject != slot) continue;
      consider(test->labels);
      if (test->labels.op != ast::LabelExpr::Op::kAnd) continue;
      for (const ast::LabelExpr& label : test->labels.operands) consider(label);
    }
    return best;
  }

  // Windows for the interaction in `slot` from conditions whose other side is bound.
  [[nodiscard]] std::vector<plan::WindowTerm> windows_of(const State& state, Slot slot) const {
    return windows_of(state, slot, match_.conditions);
  }
  [[nodiscard]] std::vector<plan::WindowTerm> windows_of(const State& state, Slot slot,
                                                         const std::vector<ExprPtr>& conditions) const {
    std::vector<plan::WindowTerm> out;
    if (!options_.use_indexes) return out;
    for (const ExprPtr& condition : conditions) {
      const auto* possibly = std::get_if<bound::Unary>(&condition->node);
      const bool wrapped = possibly != nullptr && possibly->op == ast::UnaryOp::kPossibly;
      const auto* binary = std::get_if<bound::Binary>(wrapped ? &possibly->operand->node : &condition->node);
      if (binary == nullptr || !is_time_op(binary->op)) continue;
      const Slot* left = timed_slot(binary->left);
      const Slot* right = timed_slot(binary->right);
      if (left != nullptr && *left == slot && has_all(state, *binary->right)) {
        out.push_back({binary->op, wrapped, binary->right});
      } else if (right != nullptr && *right == slot && binary->op != ast::BinaryOp::kDuring &&
                 has_all(state, *binary->left)) {
        out.push_back({mirrored(binary->op), wrapped, binary->left});
      }
    }
    return out;
  }

  // ---- what can be done next, and what it costs ----

  [[nodiscard]] std::vector<Step> choices(const State& state) const {
    std::vector<Step> out;
    for (std::size_t i = 0; i < match_.alone.size(); ++i) {
      if (!state.alone[i]) out.push_back(alone_step(state, i));
    }
    for (std::size_t i = 0; i < match_.edges.size(); ++i) {
      if (!state.edges[i]) add_edge_step(state, i, out);
    }
    for (std::size_t i = 0; i < match_.actors.size(); ++i) {
      if (!state.actors[i]) out.push_back(actor_step(state, i));
    }
    return out;
  }

  [[nodiscard]] Step alone_step(const State& state, std::size_t i) const {
    const bound::LoneInteraction& lone = match_.alone[i];
    if (state.has(lone.slot)) return {StepKind::kAlone, i, 1, 0};
    if (wanted_value(state, lone.slot, "key")) return {StepKind::kAlone, i, 1, kPointRead};
    const auto windows = windows_of(state, lone.slot);
    return {StepKind::kAlone, i, estimates_.interactions(lone.kinds, windows),
            kPointRead + kTimelineRow * estimates_.interactions({}, windows)};
  }

  void add_edge_step(const State& state, std::size_t i, std::vector<Step>& out) const {
    const bound::InteractionEdge& edge = match_.edges[i];
    const bool left = state.has(match_.actors[edge.left].slot);
    const bool right = state.has(match_.actors[edge.right].slot);
    if (edge.repeat) {
      // Time runs from left to right, so that a chronological search begins on the left.
      const bool chronological = edge.search.kind == ast::PathSearch::Kind::kEarliest;
      if ((left || (right && !chronological)) && is_ready(state, *edge.repeat)) {
        const double rows = walk_rows(edge, left && right);
        out.push_back({StepKind::kWalk, i, rows, kExpandStart + kWalkRow * rows});
      }
      return;
    }
    if (state.has(edge.slot)) {
      out.push_back({StepKind::kExpandInteraction, i, left || right ? 0.5 : 2, kPointRead});
      return;
    }
    const auto windows = windows_of(state, edge.slot);
    if (left || right) {
      // Of all actors, the mean.
      const double degree = state.rows >= estimates_.actors() && state.edges == now_.edges
                                ? 2 * estimates_.interactions(edge.kinds, windows) / std::max(1.0, estimates_.actors())
                                : estimates_.degree(edge.kinds, windows);
      // An actor's contacts are read once, however often it is met.
      const double fresh = std::min(1.0, estimates_.actors() / std::max(1.0, state.rows));
      const double read = fresh * (kExpandStart + kExpandRow * estimates_.degree({}, windows));
      if (left && right) {
        out.push_back({StepKind::kExpand, i, degree * kIntoShare, read + kProbe});
      } else {
        out.push_back({StepKind::kExpand, i, degree, read + kExpandRow * degree});
      }
      return;
    }
    const double rows = 2 * estimates_.interactions(edge.kinds, windows);
    out.push_back({StepKind::kContacts, i, rows,
                   kPointRead + kTimelineRow * estimates_.interactions({}, windows) + kExpandRow * rows});
  }

  // Conditions on each hop are tested while walking, so that all else they read must be there.
  [[nodiscard]] static bool is_ready(const State& state, const bound::Repeat& repeat) {
    std::vector<Slot> slots;
    for (const ExprPtr& condition : repeat.conditions) collect_slots(*condition, slots);
    return std::all_of(slots.begin(), slots.end(), [&](Slot s) { return s == repeat.hop || state.has(s); });
  }
  [[nodiscard]] double walk_rows(const bound::InteractionEdge& edge, bool into) const {
    if (edge.search.kind != ast::PathSearch::Kind::kAll) return into ? 1 : estimates_.actors();
    const double hops = std::min<double>(edge.repeat->hops_max, 3);
    const double rows = std::pow(std::max(1.0, estimates_.degree(edge.kinds, {})), hops);
    return into ? rows * kIntoShare : rows;
  }

  [[nodiscard]] Step actor_step(const State& state, std::size_t i) const {
    const Slot slot = match_.actors[i].slot;
    if (state.has(slot)) return {StepKind::kActor, i, 1, 0};
    if (wanted_value(state, slot, "key")) return {StepKind::kActor, i, 1, kPointRead};
    if (wanted_value(state, slot, "name")) return {StepKind::kActor, i, kActorsOfName, 2 * kPointRead};
    const std::string label = wanted_label(slot);
    const double rows = label.empty() ? estimates_.actors() : estimates_.actors_with(label);
    return {StepKind::kActor, i, rows, kPointRead + kActorStep * rows};
  }

  // Moves a state on by a step and the conditions that can be tested then.
  void advance(State& state, const Step& step) const {
    switch (step.kind) {
      case StepKind::kAlone:
        state.alone[step.index] = true;
        state.bind(match_.alone[step.index].slot);
        break;
      case StepKind::kActor:
        state.actors[step.index] = true;
        state.bind(match_.actors[step.index].slot);
        break;
      default: {
        const bound::InteractionEdge& edge = match_.edges[step.index];
        state.edges[step.index] = true;
        state.bind(edge.slot);
        if (edge.repeat) state.bind(edge.repeat->segment);
        state.bind(match_.actors[edge.left].slot);
        state.bind(match_.actors[edge.right].slot);
        break;
      }
    }
    mark_found(state);
    state.cost += state.rows * step.cost;
    state.rows *= step.factor;
    for (std::size_t i = 0; i < match_.conditions.size(); ++i) {
      if (state.conditions[i] || !state.has_all(condition_slots_[i])) continue;
      state.conditions[i] = true;
      state.cost += state.rows * kConditionRow;
      state.rows *= condition_share(i, step);
    }
  }

  // Actors that a step has bound on its way need no step of their own, but those that may be something else.
  void mark_found(State& state) const {
    for (std::size_t i = 0; i < match_.actors.size(); ++i) {
      if (!match_.actors[i].may_be_value && state.has(match_.actors[i].slot)) state.actors[i] = true;
    }
  }

  // What a condition leaves of the rows of a step that has made it testable.
  [[nodiscard]] double condition_share(std::size_t i, const Step& step) const {
    const bound::Expr& condition = *match_.conditions[i];
    if (const auto* labels = std::get_if<bound::HasLabels>(&condition.node)) {
      if (step.kind == StepKind::kActor || labels->labels.op != ast::LabelExpr::Op::kName) return 1;
      return std::min(1.0, estimates_.actors_with(labels->labels.name) / std::max(1.0, estimates_.actors()));
    }
    if (const auto* compare = std::get_if<bound::Compare>(&condition.node)) {
      const bool found_by_it = step.kind == StepKind::kActor && step.factor <= kActorsOfName;
      if (compare->op == ast::CompareOp::kEqual) return found_by_it || step.factor <= 1 ? 1 : kEqualShare;
      return compare->op == ast::CompareOp::kNotEqual ? 1 : kOrderedShare;
    }
    const auto* unary = std::get_if<bound::Unary>(&condition.node);
    const auto* binary = std::get_if<bound::Binary>(
        unary != nullptr && unary->op == ast::UnaryOp::kPossibly ? &unary->operand->node : &condition.node);
    return binary != nullptr && is_time_op(binary->op) && options_.use_indexes ? 1 : kConditionShare;
  }

  [[nodiscard]] bool is_done(const State& state) const {
    const auto all = [](const std::vector<bool>& flags) {
      return std::find(flags.begin(), flags.end(), false) == flags.end();
    };
    return all(state.edges) && all(state.alone) && all(state.actors);
  }

  // The cheapest order found by a search that keeps the best few states at each step, of those with the same steps done
  // only the cheapest.
  [[nodiscard]] std::vector<Step> best_order() const {
    std::vector<State> states = {now_};
    while (!is_done(states.front())) {
      std::vector<State> next;
      for (const State& state : states) {
        if (is_done(state)) next.push_back(state);  // dearer so far than others that have more to do
        for (const Step& step : choices(state)) {
          State moved = state;
          advance(moved, step);
          moved.steps.push_back(step);
          const auto same =
              std::find_if(next.begin(), next.end(), [&](const State& other) { return other.done() == moved.done(); });
          if (same == next.end()) {
            next.push_back(std::move(moved));
          } else if (moved.cost + moved.rows < same->cost + same->rows) {
            *same = std::move(moved);
          }
        }
      }
      std::stable_sort(next.begin(), next.end(),
                       [](const State& a, const State& b) { return a.cost + a.rows < b.cost + b.rows; });
      if (next.size() > kBeamWidth) next.resize(kBeamWidth);
      states = std::move(next);
    }
    return std::move(states.front().steps);
  }

  // As the text has it: interactions by themselves, then each pattern from its left end.
  [[nodiscard]] std::vector<Step> written_order() const {
    State state = now_;
    while (!is_done(state)) {
      const std::vector<Step> all = choices(state);
      const auto is_edge = [](const Step& step) {
        return step.kind != StepKind::kActor && step.kind != StepKind::kAlone;
      };
      auto step = std::find_if(all.begin(), all.end(), [](const Step& s) { return s.kind == StepKind::kAlone; });
      if (step == all.end()) step = std::find_if(all.begin(), all.end(), is_edge);
      if (step == all.end()) step = all.begin();
      advance(state, *step);
      state.steps.push_back(*step);
    }
    return std::move(state.steps);
  }

  // ---- making the plan ----

  void take(const Step& step) {
    rows_ = std::max(0.0, now_.rows * step.factor);
    cost_ = now_.cost + now_.rows * step.cost;
    switch (step.kind) {
      case StepKind::kAlone:
        take_alone(step);
        break;
      case StepKind::kActor:
        take_actor(step);
        break;
      case StepKind::kExpand:
        take_expand(step);
        break;
      case StepKind::kExpandInteraction:
        take_expand_interaction(step);
        break;
      case StepKind::kContacts:
        take_contacts(step);
        break;
      case StepKind::kWalk:
        take_walk(step);
        break;
    }
    last_ = step;
  }

  template <typename Op>
  void push(Op op, std::initializer_list<Slot> made) {
    auto node = std::make_unique<plan::Node>();
    node->op = std::move(op);
    node->input = std::move(root_);
    node->carried = live_;
    node->rows_estimate = now_.rows = rows_;
    node->cost_estimate = now_.cost = cost_;
    root_ = std::move(node);
    for (const Slot slot : made) {
      if (now_.has(slot)) continue;
      now_.bind(slot);
      live_.push_back(slot);
    }
  }

  void take_alone(const Step& step) {
    const bound::LoneInteraction& lone = match_.alone[step.index];
    now_.alone[step.index] = true;
    if (now_.has(lone.slot)) {
      // Bound already: only what it is remains to be tested.
      if (!lone.kinds.any || lone.may_be_value) {
        push(plan::InteractionScan{lone.slot, nullptr, lone.kinds, {}, true}, {});
      }
      return;
    }
    plan::InteractionScan scan{lone.slot, wanted_value(now_, lone.slot, "key"), lone.kinds, windows_of(now_, lone.slot),
                               false};
    push(std::move(scan), {lone.slot});
  }

  void take_actor(const Step& step) {
    const Slot slot = match_.actors[step.index].slot;
    now_.actors[step.index] = true;
    if (now_.has(slot)) {
      if (match_.actors[step.index].may_be_value)
        push(plan::ActorScan{slot, plan::ActorScan::By::kAll, nullptr, {}, true}, {});
      return;
    }
    plan::ActorScan scan;
    scan.slot = slot;
    if (const ExprPtr key = wanted_value(now_, slot, "key")) {
      scan.by = plan::ActorScan::By::kKey;
      scan.wanted = key;
    } else if (const ExprPtr name = wanted_value(now_, slot, "name")) {
      scan.by = plan::ActorScan::By::kName;
      scan.wanted = name;
    } else if (std::string label = wanted_label(slot); !label.empty()) {
      scan.by = plan::ActorScan::By::kLabel;
      scan.label = std::move(label);
    }
    push(std::move(scan), {slot});
  }

  // Edges of this MATCH that are bound already: the new one must be another interaction.
  // A WALK neither asks for that nor is asked.
  [[nodiscard]] std::vector<Slot> other_edges(std::size_t index) const {
    std::vector<Slot> out;
    if (match_.edges[index].mode == ast::PathMode::kWalk) return out;
    for (std::size_t i = 0; i < match_.edges.size(); ++i) {
      if (match_.edges[i].mode == ast::PathMode::kWalk) continue;
      if (i != index && now_.edges[i]) out.push_back(match_.edges[i].slot);
    }
    return out;
  }

  void take_expand(const Step& step) {
    const bound::InteractionEdge& edge = match_.edges[step.index];
    const Slot left = match_.actors[edge.left].slot;
    const Slot right = match_.actors[edge.right].slot;
    plan::Expand expand;
    expand.reversed = !now_.has(left);
    expand.into = now_.has(left) && now_.has(right);
    expand.from = expand.reversed ? right : left;
    expand.to = expand.reversed ? left : right;
    expand.edge = edge.slot;
    expand.direction = edge.direction;
    expand.kinds = edge.kinds;
    expand.windows = windows_of(now_, edge.slot);
    expand.other_edges = other_edges(step.index);
    now_.edges[step.index] = true;
    const Slot to = expand.to;
    push(std::move(expand), {edge.slot, to});
  }

  void take_walk(const Step& step) {
    const bound::InteractionEdge& edge = match_.edges[step.index];
    const Slot left = match_.actors[edge.left].slot;
    const Slot right = match_.actors[edge.right].slot;
    plan::Walk walk;
    walk.reversed = !now_.has(left);
    walk.into = now_.has(left) && now_.has(right);
    walk.from = walk.reversed ? right : left;
    walk.to = walk.reversed ? left : right;
    walk.edge = edge.slot;
    walk.direction = edge.direction;
    walk.kinds = edge.kinds;
    walk.repeat = *edge.repeat;
    walk.mode = edge.mode;
    walk.search = edge.search;
    walk.windows = windows_of(now_, edge.repeat->hop, edge.repeat->conditions);
    walk.other_edges = other_edges(step.index);
    now_.edges[step.index] = true;
    const Slot to = walk.to;
    push(std::move(walk), {edge.slot, edge.repeat->segment, to});
  }

  void take_expand_interaction(const Step& step) {
    const bound::InteractionEdge& edge = match_.edges[step.index];
    plan::ExpandInteraction expand;
    expand.left = match_.actors[edge.left].slot;
    expand.edge = edge.slot;
    expand.right = match_.actors[edge.right].slot;
    expand.left_bound = now_.has(expand.left);
    expand.right_bound = now_.has(expand.right);
    expand.direction = edge.direction;
    expand.kinds = edge.kinds;
    expand.other_edges = other_edges(step.index);
    now_.edges[step.index] = true;
    const Slot left = expand.left;
    const Slot right = expand.right;
    push(std::move(expand), {left, right});
  }

  void take_contacts(const Step& step) {
    const bound::InteractionEdge& edge = match_.edges[step.index];
    plan::ContactScan scan;
    scan.left = match_.actors[edge.left].slot;
    scan.edge = edge.slot;
    scan.right = match_.actors[edge.right].slot;
    scan.direction = edge.direction;
    scan.kinds = edge.kinds;
    scan.windows = windows_of(now_, edge.slot);
    scan.other_edges = other_edges(step.index);
    now_.edges[step.index] = true;
    const Slot left = scan.left;
    const Slot right = scan.right;
    push(std::move(scan), {left, edge.slot, right});
  }

  void add_path(const bound::PathVariable& path) {
    plan::MakePath make{path.slot, path.mode, match_.actors[path.actors[0]].slot, {}};
    for (std::size_t i = 0; i < path.edges.size(); ++i) {
      const bound::InteractionEdge& edge = match_.edges[path.edges[i]];
      const Slot next = match_.actors[path.actors[i + 1]].slot;
      make.parts.push_back({edge.repeat ? edge.repeat->segment : edge.slot, edge.repeat.has_value(), next});
    }
    rows_ = now_.rows;
    cost_ = now_.cost + now_.rows * kWalkRow;
    push(std::move(make), {path.slot});
  }

  // What can be tested now is; the cheapest first, as far as that can be told.
  void add_conditions() {
    plan::Filter filter;
    rows_ = now_.rows;
    cost_ = now_.cost;
    for (std::size_t i = 0; i < match_.conditions.size(); ++i) {
      if (now_.conditions[i] || !now_.has_all(condition_slots_[i])) continue;
      now_.conditions[i] = true;
      filter.conditions.push_back(match_.conditions[i]);
      cost_ += rows_ * kConditionRow;
      rows_ *= condition_share(i, last_);
    }
    if (filter.conditions.empty()) return;
    if (options_.optimise) {
      std::stable_sort(filter.conditions.begin(), filter.conditions.end(),
                       [](const ExprPtr& a, const ExprPtr& b) { return effort(*a) < effort(*b); });
    }
    push(std::move(filter), {});
  }

  // Dates are in the index, properties in records, and a query inside is a plan of its own.
  static int effort(const bound::Expr& expr) {
    int out = 0;
    for_each_part(expr, [&](const bound::Expr& part) {
      if (std::holds_alternative<bound::Subquery>(part.node)) out = 3;
      const auto* property = std::get_if<bound::PropertyOf>(&part.node);
      if (property != nullptr && property->key != "when") out = std::max(out, 1);
      if (std::holds_alternative<bound::HasLabels>(part.node)) out = std::max(out, 1);
    });
    return out;
  }

  const bound::Match& match_;
  NodePtr root_;
  std::vector<Slot>& live_;
  const Estimates& estimates_;
  const PlanOptions& options_;
  std::vector<std::vector<Slot>> condition_slots_;
  State now_;        // where the plan being made has come
  Step last_;        // the step taken last
  double rows_ = 1;  // of the next node
  double cost_ = 0;
};

}  // namespace

NodePtr plan_match(const bound::Match& match, NodePtr input, std::vector<Slot>& live, const Estimates& estimates,
                   const PlanOptions& options) {
  return MatchPlanner(match, std::move(input), live, estimates, options).run();
}

}  // namespace demarche::query

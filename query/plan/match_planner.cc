#include "query/plan/match_planner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

namespace demarche::query {

namespace {

using bound::ExprPtr;
using plan::NodePtr;

// Guesses of how much a condition or step leaves, until the store keeps finer statistics.
constexpr double kLabelShare = 0.25;
constexpr double kKindShare = 0.3;
constexpr double kWindowShare = 0.2;

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
  MatchPlanner(const bound::Match& match, NodePtr input, std::vector<Slot>& live, const Statistics& statistics)
      : match_(match), root_(std::move(input)), live_(live), statistics_(statistics), rows_(root_->rows_estimate) {
    bound_.insert(live.begin(), live.end());
    edges_done_.assign(match.edges.size(), false);
    alone_done_.assign(match.alone.size(), false);
    actors_done_.assign(match.actors.size(), false);
    conditions_done_.assign(match.conditions.size(), false);
  }

  NodePtr run() {
    apply_conditions();
    while (take_best_step()) apply_conditions();
    for (const bound::PathVariable& path : match_.paths) add_path(path);
    apply_conditions();
    return std::move(root_);
  }

 private:
  enum class StepKind : std::uint8_t { kNone, kAlone, kActor, kExpand, kExpandInteraction, kContacts, kWalk };
  struct Step {
    StepKind kind = StepKind::kNone;
    std::size_t index = 0;
    double rows = std::numeric_limits<double>::infinity();
  };

  [[nodiscard]] bool is_bound(Slot slot) const { return bound_.contains(slot); }
  [[nodiscard]] bool all_bound(const bound::Expr& expr) const {
    std::vector<Slot> slots;
    collect_slots(expr, slots);
    return std::all_of(slots.begin(), slots.end(), [&](Slot s) { return is_bound(s); });
  }

  // Finds `slot.property = expression` with an expression over what is bound.
  [[nodiscard]] ExprPtr wanted_value(Slot slot, std::string_view property) const {
    for (const ExprPtr& condition : match_.conditions) {
      const auto* compare = std::get_if<bound::Compare>(&condition->node);
      if (compare == nullptr || compare->op != ast::CompareOp::kEqual) continue;
      for (const auto& [side, other] :
           {std::pair(&compare->left, &compare->right), std::pair(&compare->right, &compare->left)}) {
        const auto* p = std::get_if<bound::PropertyOf>(&(*side)->node);
        const Slot* owner = p == nullptr ? nullptr : as_slot(p->object);
        if (owner != nullptr && *owner == slot && p->key == property && all_bound(**other)) return *other;
      }
    }
    return nullptr;
  }

  [[nodiscard]] std::string wanted_label(Slot slot) const {
    for (const ExprPtr& condition : match_.conditions) {
      const auto* test = std::get_if<bound::HasLabels>(&condition->node);
      const Slot* subject = test == nullptr ? nullptr : as_slot(test->subject);
      if (subject == nullptr || *subject != slot) continue;
      const ast::LabelExpr* label = &test->labels;
      while (label->op == ast::LabelExpr::Op::kAnd) label = &label->operands[0];
      if (label->op == ast::LabelExpr::Op::kName) return label->name;
    }
    return {};
  }

  // Windows for the interaction in `slot` from conditions whose other side is bound.
  [[nodiscard]] std::vector<plan::WindowTerm> windows_of(Slot slot) const {
    return windows_of(slot, match_.conditions);
  }
  [[nodiscard]] std::vector<plan::WindowTerm> windows_of(Slot slot, const std::vector<ExprPtr>& conditions) const {
    std::vector<plan::WindowTerm> out;
    for (const ExprPtr& condition : conditions) {
      const auto* possibly = std::get_if<bound::Unary>(&condition->node);
      const bool wrapped = possibly != nullptr && possibly->op == ast::UnaryOp::kPossibly;
      const auto* binary = std::get_if<bound::Binary>(wrapped ? &possibly->operand->node : &condition->node);
      if (binary == nullptr || !is_time_op(binary->op)) continue;
      const Slot* left = timed_slot(binary->left);
      const Slot* right = timed_slot(binary->right);
      if (left != nullptr && *left == slot && all_bound(*binary->right)) {
        out.push_back({binary->op, wrapped, binary->right});
      } else if (right != nullptr && *right == slot && binary->op != ast::BinaryOp::kDuring &&
                 all_bound(*binary->left)) {
        out.push_back({mirrored(binary->op), wrapped, binary->left});
      }
    }
    return out;
  }

  [[nodiscard]] double interactions(const bound::KindFilter& kinds, Slot slot) const {
    double rows = static_cast<double>(statistics_.interactions);
    if (kinds.none) return 0;
    if (!kinds.any) rows *= kKindShare;
    if (!windows_of(slot).empty()) rows *= kWindowShare;
    return rows;
  }
  [[nodiscard]] double degree() const {
    const double actors = std::max(1.0, static_cast<double>(statistics_.actors));
    return std::max(1.0, 2.0 * static_cast<double>(statistics_.interactions) / actors);
  }

  void consider(Step& best, StepKind kind, std::size_t index, double rows) const {
    if (rows < best.rows) best = {kind, index, rows};
  }

  bool take_best_step() {
    Step best;
    for (std::size_t i = 0; i < match_.alone.size(); ++i) {
      if (alone_done_[i]) continue;
      const Slot slot = match_.alone[i].slot;
      if (is_bound(slot)) {
        consider(best, StepKind::kAlone, i, 0);
      } else {
        consider(best, StepKind::kAlone, i, wanted_value(slot, "key") ? 1 : interactions(match_.alone[i].kinds, slot));
      }
    }
    for (std::size_t i = 0; i < match_.edges.size(); ++i) {
      if (!edges_done_[i]) consider_edge(best, i);
    }
    for (std::size_t i = 0; i < match_.actors.size(); ++i) {
      if (!actors_done_[i]) consider_actor(best, i);
    }
    if (best.kind == StepKind::kNone) return false;
    take(best);
    return true;
  }

  void consider_edge(Step& best, std::size_t i) const {
    const bound::InteractionEdge& edge = match_.edges[i];
    const bool left = is_bound(match_.actors[edge.left].slot);
    const bool right = is_bound(match_.actors[edge.right].slot);
    if (edge.repeat) {
      // Time runs from left to right, so that a chronological search begins on the left.
      const bool chronological = edge.search.kind == ast::PathSearch::Kind::kEarliest;
      const bool can_begin = left || (right && !chronological);
      if (can_begin && is_ready(*edge.repeat)) consider(best, StepKind::kWalk, i, walk_rows(edge, left && right));
    } else if (is_bound(edge.slot)) {
      consider(best, StepKind::kExpandInteraction, i, 0.5);
    } else if (left || right) {
      double rows = degree();
      if (!edge.kinds.any) rows *= kKindShare;
      if (!windows_of(edge.slot).empty()) rows *= kWindowShare;
      consider(best, StepKind::kExpand, i, left && right ? rows * 0.1 : rows);
    } else {
      consider(best, StepKind::kContacts, i, 2 * interactions(edge.kinds, edge.slot));
    }
  }

  // Conditions on each hop are tested while walking, so that all else they read must be there.
  [[nodiscard]] bool is_ready(const bound::Repeat& repeat) const {
    std::vector<Slot> slots;
    for (const ExprPtr& condition : repeat.conditions) collect_slots(*condition, slots);
    return std::all_of(slots.begin(), slots.end(), [&](Slot s) { return s == repeat.hop || is_bound(s); });
  }
  [[nodiscard]] double walk_rows(const bound::InteractionEdge& edge, bool into) const {
    const double hops = std::min<double>(edge.repeat->hops_max, 3);
    const double rows = std::pow(degree(), hops) * (edge.kinds.any ? 1 : kKindShare);
    return into ? rows * 0.1 : rows;
  }

  void consider_actor(Step& best, std::size_t i) const {
    const Slot slot = match_.actors[i].slot;
    if (is_bound(slot)) {
      consider(best, StepKind::kActor, i, 0);
      return;
    }
    // An actor of an interaction is found through it, one at the end of a walk by walking, from wherever it can begin.
    bool joined = false;
    double reluctance = 1;
    for (const bound::InteractionEdge& e : match_.edges) {
      if (e.left != i && e.right != i) continue;
      if (!e.repeat) joined = true;
      if (e.repeat && (is_bound(match_.actors[e.left].slot) || is_bound(match_.actors[e.right].slot))) reluctance = 1e9;
    }
    if (wanted_value(slot, "key")) {
      consider(best, StepKind::kActor, i, 1);
    } else if (wanted_value(slot, "name")) {
      consider(best, StepKind::kActor, i, 1.5);
    } else if (!joined) {
      const double all = static_cast<double>(statistics_.actors) * reluctance;
      consider(best, StepKind::kActor, i, wanted_label(slot).empty() ? all : all * kLabelShare);
    }
  }

  void take(const Step& step) {
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
      case StepKind::kNone:
        break;
    }
  }

  template <typename Op>
  void push(Op op, double factor, std::initializer_list<Slot> made) {
    rows_ = std::max(rows_ * factor, 0.0);
    auto node = std::make_unique<plan::Node>();
    node->op = std::move(op);
    node->input = std::move(root_);
    node->carried = live_;
    node->rows_estimate = rows_;
    root_ = std::move(node);
    for (const Slot slot : made) {
      if (bound_.insert(slot).second) live_.push_back(slot);
    }
  }

  void take_alone(const Step& step) {
    const bound::LoneInteraction& lone = match_.alone[step.index];
    alone_done_[step.index] = true;
    if (is_bound(lone.slot)) {
      // Bound already: only what it is remains to be tested.
      if (!lone.kinds.any || lone.may_be_value) push(plan::InteractionScan{lone.slot, nullptr, lone.kinds, {}}, 1, {});
      return;
    }
    plan::InteractionScan scan{lone.slot, wanted_value(lone.slot, "key"), lone.kinds, windows_of(lone.slot)};
    push(std::move(scan), step.rows, {lone.slot});
  }

  void take_actor(const Step& step) {
    const Slot slot = match_.actors[step.index].slot;
    actors_done_[step.index] = true;
    if (is_bound(slot)) {
      if (match_.actors[step.index].may_be_value)
        push(plan::ActorScan{slot, plan::ActorScan::By::kAll, nullptr, {}}, 1, {});
      return;
    }
    plan::ActorScan scan;
    scan.slot = slot;
    if (const ExprPtr key = wanted_value(slot, "key")) {
      scan.by = plan::ActorScan::By::kKey;
      scan.wanted = key;
    } else if (const ExprPtr name = wanted_value(slot, "name")) {
      scan.by = plan::ActorScan::By::kName;
      scan.wanted = name;
    } else if (std::string label = wanted_label(slot); !label.empty()) {
      scan.by = plan::ActorScan::By::kLabel;
      scan.label = std::move(label);
    }
    push(std::move(scan), step.rows, {slot});
  }

  // Edges of this MATCH that are bound already: the new one must be another interaction.
  // A WALK neither asks for that nor is asked.
  [[nodiscard]] std::vector<Slot> other_edges(std::size_t index) const {
    std::vector<Slot> out;
    if (match_.edges[index].mode == ast::PathMode::kWalk) return out;
    for (std::size_t i = 0; i < match_.edges.size(); ++i) {
      if (match_.edges[i].mode == ast::PathMode::kWalk) continue;
      if (i != index && edges_done_[i]) out.push_back(match_.edges[i].slot);
    }
    return out;
  }

  void take_expand(const Step& step) {
    const bound::InteractionEdge& edge = match_.edges[step.index];
    const Slot left = match_.actors[edge.left].slot;
    const Slot right = match_.actors[edge.right].slot;
    plan::Expand expand;
    expand.reversed = !is_bound(left);
    expand.into = is_bound(left) && is_bound(right);
    expand.from = expand.reversed ? right : left;
    expand.to = expand.reversed ? left : right;
    expand.edge = edge.slot;
    expand.direction = edge.direction;
    expand.kinds = edge.kinds;
    expand.windows = windows_of(edge.slot);
    expand.other_edges = other_edges(step.index);
    edges_done_[step.index] = true;
    const Slot to = expand.to;
    push(std::move(expand), step.rows, {edge.slot, to});
  }

  void take_walk(const Step& step) {
    const bound::InteractionEdge& edge = match_.edges[step.index];
    const Slot left = match_.actors[edge.left].slot;
    const Slot right = match_.actors[edge.right].slot;
    plan::Walk walk;
    walk.reversed = !is_bound(left);
    walk.into = is_bound(left) && is_bound(right);
    walk.from = walk.reversed ? right : left;
    walk.to = walk.reversed ? left : right;
    walk.edge = edge.slot;
    walk.direction = edge.direction;
    walk.kinds = edge.kinds;
    walk.repeat = *edge.repeat;
    walk.mode = edge.mode;
    walk.search = edge.search;
    walk.windows = windows_of(edge.repeat->hop, edge.repeat->conditions);
    walk.other_edges = other_edges(step.index);
    edges_done_[step.index] = true;
    const Slot to = walk.to;
    push(std::move(walk), step.rows, {edge.slot, edge.repeat->segment, to});
  }

  void take_expand_interaction(const Step& step) {
    const bound::InteractionEdge& edge = match_.edges[step.index];
    plan::ExpandInteraction expand;
    expand.left = match_.actors[edge.left].slot;
    expand.edge = edge.slot;
    expand.right = match_.actors[edge.right].slot;
    expand.left_bound = is_bound(expand.left);
    expand.right_bound = is_bound(expand.right);
    expand.direction = edge.direction;
    expand.kinds = edge.kinds;
    expand.other_edges = other_edges(step.index);
    edges_done_[step.index] = true;
    const Slot left = expand.left;
    const Slot right = expand.right;
    push(std::move(expand), 2, {left, right});
  }

  void take_contacts(const Step& step) {
    const bound::InteractionEdge& edge = match_.edges[step.index];
    plan::ContactScan scan;
    scan.left = match_.actors[edge.left].slot;
    scan.edge = edge.slot;
    scan.right = match_.actors[edge.right].slot;
    scan.direction = edge.direction;
    scan.kinds = edge.kinds;
    scan.windows = windows_of(edge.slot);
    scan.other_edges = other_edges(step.index);
    edges_done_[step.index] = true;
    const Slot left = scan.left;
    const Slot right = scan.right;
    push(std::move(scan), step.rows, {left, edge.slot, right});
  }

  void add_path(const bound::PathVariable& path) {
    plan::MakePath make{path.slot, path.mode, match_.actors[path.actors[0]].slot, {}};
    for (std::size_t i = 0; i < path.edges.size(); ++i) {
      const bound::InteractionEdge& edge = match_.edges[path.edges[i]];
      const Slot next = match_.actors[path.actors[i + 1]].slot;
      make.parts.push_back({edge.repeat ? edge.repeat->segment : edge.slot, edge.repeat.has_value(), next});
    }
    push(std::move(make), 1, {path.slot});
  }

  void apply_conditions() {
    plan::Filter filter;
    for (std::size_t i = 0; i < match_.conditions.size(); ++i) {
      if (conditions_done_[i] || !all_bound(*match_.conditions[i])) continue;
      conditions_done_[i] = true;
      filter.conditions.push_back(match_.conditions[i]);
    }
    if (!filter.conditions.empty()) push(std::move(filter), kConditionShare, {});
  }

  const bound::Match& match_;
  NodePtr root_;
  std::vector<Slot>& live_;
  const Statistics& statistics_;
  double rows_;
  std::unordered_set<Slot> bound_;
  std::vector<bool> edges_done_;
  std::vector<bool> alone_done_;
  std::vector<bool> actors_done_;
  std::vector<bool> conditions_done_;
};

}  // namespace

NodePtr plan_match(const bound::Match& match, NodePtr input, std::vector<Slot>& live, const Statistics& statistics) {
  return MatchPlanner(match, std::move(input), live, statistics).run();
}

}  // namespace demarche::query

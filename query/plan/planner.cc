#include "query/plan/planner.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include <fmt/format.h>

namespace demarche::query {

namespace {

using bound::ExprPtr;
using plan::NodePtr;

// Guesses of how much a condition or step leaves, until the store keeps finer statistics.
constexpr double kLabelShare = 0.25;
constexpr double kKindShare = 0.3;
constexpr double kWindowShare = 0.2;
constexpr double kConditionShare = 0.3;

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
  enum class StepKind : std::uint8_t { kNone, kAlone, kActor, kExpand, kExpandInteraction, kContacts };
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
    std::vector<plan::WindowTerm> out;
    for (const ExprPtr& condition : match_.conditions) {
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
    if (is_bound(edge.slot)) {
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

  void consider_actor(Step& best, std::size_t i) const {
    const Slot slot = match_.actors[i].slot;
    if (is_bound(slot)) {
      consider(best, StepKind::kActor, i, 0);
      return;
    }
    const bool joined = std::any_of(match_.edges.begin(), match_.edges.end(),
                                    [&](const bound::InteractionEdge& e) { return e.left == i || e.right == i; });
    if (wanted_value(slot, "key")) {
      consider(best, StepKind::kActor, i, 1);
    } else if (wanted_value(slot, "name")) {
      consider(best, StepKind::kActor, i, 1.5);
    } else if (!joined) {  // an actor of an interaction is found through it
      const double all = static_cast<double>(statistics_.actors);
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
  [[nodiscard]] std::vector<Slot> other_edges(std::size_t index) const {
    std::vector<Slot> out;
    for (std::size_t i = 0; i < match_.edges.size(); ++i) {
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
    plan::MakePath make{path.slot, {}, {}};
    for (const std::size_t i : path.actors) make.actors.push_back(match_.actors[i].slot);
    for (const std::size_t i : path.edges) make.edges.push_back(match_.edges[i].slot);
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

class Planner {
 public:
  Planner(const bound::Query& query, const Statistics& statistics) : query_(query), statistics_(statistics) {
    root_ = std::make_unique<plan::Node>();
  }

  NodePtr run() {
    for (const bound::Step& step : query_.steps) {
      std::visit([&](const auto& s) { add(s); }, step);
    }
    return std::move(root_);
  }

 private:
  template <typename Op>
  void push(Op op, double rows) {
    auto node = std::make_unique<plan::Node>();
    node->op = std::move(op);
    node->input = std::move(root_);
    node->carried = live_;
    node->rows_estimate = rows;
    root_ = std::move(node);
  }
  void make_live(Slot slot) { live_.push_back(slot); }

  void add(const bound::Match& match) {
    if (!match.optional) {
      root_ = MatchPlanner(match, std::move(root_), live_, statistics_).run();
      return;
    }
    auto argument = std::make_unique<plan::Node>();
    argument->op = plan::Argument{};
    argument->carried = live_;
    std::vector<Slot> live = live_;
    plan::Optional optional;
    optional.inner = MatchPlanner(match, std::move(argument), live, statistics_).run();
    optional.made.assign(live.begin() + static_cast<std::ptrdiff_t>(live_.size()), live.end());
    const double rows = root_->rows_estimate * std::max(1.0, optional.inner->rows_estimate);
    push(std::move(optional), rows);
    live_ = std::move(live);
  }

  void add(const bound::Projection& p) {
    double rows = root_->rows_estimate;
    if (p.aggregating) {
      rows = p.keys.empty() ? 1 : rows * kConditionShare;
      push(plan::Aggregate{p.keys, p.aggregates}, rows);
      live_.clear();
      for (const bound::Assignment& key : p.keys) make_live(key.slot);
      for (const bound::Aggregate& aggregate : p.aggregates) make_live(aggregate.slot);
    }
    push(plan::Project{p.items}, rows);
    std::vector<Slot> output;
    for (const bound::Assignment& item : p.items) output.push_back(item.slot);
    if (p.distinct) {
      live_ = output;
      push(plan::Distinct{output}, rows * kConditionShare);
      root_->carried = output;
    } else {
      live_.insert(live_.end(), output.begin(), output.end());
    }
    if (!p.order.empty()) push(plan::Sort{p.order, p.skip, p.limit}, rows);
    if (p.skip) push(plan::Skip{p.skip}, rows);
    if (p.limit) push(plan::Limit{p.limit}, rows);
    if (p.where) push(plan::Filter{{p.where}}, rows * kConditionShare);
    live_ = output;
  }

  void add(const bound::Unwind& unwind) {
    push(plan::Unwind{unwind.slot, unwind.list}, root_->rows_estimate * 10);
    make_live(unwind.slot);
  }

  void add(const bound::Create& create) {
    push(plan::Create{create}, root_->rows_estimate);
    for (const auto& item : create.items) {
      make_live(std::visit([](const auto& i) { return i.slot; }, item));
    }
    for (const auto& [slot, parts] : create.paths) make_live(slot);
  }

  void add(const bound::Update& update) { push(plan::Update{update}, root_->rows_estimate); }
  void add(const bound::Delete& what) { push(plan::Delete{what}, root_->rows_estimate); }

  void add(const bound::Merge& merge) {
    auto argument = std::make_unique<plan::Node>();
    argument->op = plan::Argument{};
    argument->carried = live_;
    std::vector<Slot> live = live_;
    plan::Merge node{nullptr, {}, merge.create, merge.on_create, merge.on_match};
    node.inner = MatchPlanner(merge.match, std::move(argument), live, statistics_).run();
    node.made.assign(live.begin() + static_cast<std::ptrdiff_t>(live_.size()), live.end());
    push(std::move(node), root_->rows_estimate);
    live_ = std::move(live);
  }

  void add(const bound::Record& record) { push(plan::Record{record}, 1); }

  const bound::Query& query_;
  const Statistics& statistics_;
  NodePtr root_;
  std::vector<Slot> live_;
};

// ---- EXPLAIN -------------------------------------------------------------------------------------------------------

class Explainer {
 public:
  Explainer(const bound::Query& query, std::string_view text) : query_(query), text_(text) {}

  [[nodiscard]] std::string name(Slot slot) const {
    const std::string& n = query_.slot_names[slot];
    return n.empty() ? fmt::format("_{}", slot) : n;
  }
  [[nodiscard]] std::string written(const ExprPtr& expr) const {
    return std::string(text_.substr(expr->span.offset, expr->span.length));
  }
  [[nodiscard]] std::string windows(const std::vector<plan::WindowTerm>& terms) const {
    constexpr const char* kNames[] = {"before", "after", "during", "overlapping"};
    std::string out;
    for (const plan::WindowTerm& term : terms) {
      const auto op = static_cast<std::size_t>(term.op) - static_cast<std::size_t>(ast::BinaryOp::kBefore);
      out += fmt::format(" {}{} {}", term.possibly ? "possibly " : "", kNames[op], written(term.other));
    }
    return out;
  }
  [[nodiscard]] std::string edge(Slot left, Slot edge, Slot right, const bound::KindFilter& kinds,
                                 ast::Direction direction) const {
    return fmt::format("({}){}-[{}{}]-{}({})", name(left), direction == ast::Direction::kLeft ? "<" : "", name(edge),
                       kinds.text, direction == ast::Direction::kRight ? ">" : "", name(right));
  }

  std::string operator()(const plan::SingleRow&) const { return "single row"; }
  std::string operator()(const plan::Argument&) const { return "the row so far"; }
  std::string operator()(const plan::Optional&) const { return "optional"; }
  std::string operator()(const plan::ActorScan& op) const {
    switch (op.by) {
      case plan::ActorScan::By::kKey:
        return fmt::format("actor {} by key {}", name(op.slot), written(op.wanted));
      case plan::ActorScan::By::kName:
        return fmt::format("actor {} by name {}", name(op.slot), written(op.wanted));
      case plan::ActorScan::By::kLabel:
        return fmt::format("actors {} with label {}", name(op.slot), op.label);
      case plan::ActorScan::By::kAll:
        break;
    }
    return fmt::format("all actors {}", name(op.slot));
  }
  std::string operator()(const plan::InteractionScan& op) const {
    if (op.key) return fmt::format("interaction {}{} by key {}", name(op.slot), op.kinds.text, written(op.key));
    return fmt::format("timeline [{}{}]{}", name(op.slot), op.kinds.text, windows(op.windows));
  }
  std::string operator()(const plan::ContactScan& op) const {
    return fmt::format("timeline pairs {}{}", edge(op.left, op.edge, op.right, op.kinds, op.direction),
                       windows(op.windows));
  }
  std::string operator()(const plan::Expand& op) const {
    const auto direction =
        !op.reversed || op.direction == ast::Direction::kEither
            ? op.direction
            : (op.direction == ast::Direction::kLeft ? ast::Direction::kRight : ast::Direction::kLeft);
    return fmt::format("expand{} {}{}", op.into ? " into" : "", edge(op.from, op.edge, op.to, op.kinds, direction),
                       windows(op.windows));
  }
  std::string operator()(const plan::ExpandInteraction& op) const {
    return fmt::format("pairs of {}", edge(op.left, op.edge, op.right, op.kinds, op.direction));
  }
  std::string operator()(const plan::MakePath& op) const { return fmt::format("path {}", name(op.slot)); }
  std::string operator()(const plan::Filter& op) const {
    std::string out = "filter";
    for (std::size_t i = 0; i < op.conditions.size(); ++i) out += (i == 0 ? " " : " AND ") + written(op.conditions[i]);
    return out;
  }
  std::string operator()(const plan::Project& op) const {
    std::string out = "project";
    for (std::size_t i = 0; i < op.items.size(); ++i) out += (i == 0 ? " " : ", ") + name(op.items[i].slot);
    return out;
  }
  std::string operator()(const plan::Aggregate& op) const {
    std::string out = "aggregate";
    for (const bound::Aggregate& a : op.aggregates)
      out += fmt::format(" {}", text_.substr(a.span.offset, a.span.length));
    for (std::size_t i = 0; i < op.keys.size(); ++i) out += (i == 0 ? " by " : ", ") + written(op.keys[i].expression);
    return out;
  }
  std::string operator()(const plan::Distinct&) const { return "distinct"; }
  std::string operator()(const plan::Sort& op) const {
    std::string out = op.limit ? "top" : "sort";
    if (op.limit) out += " " + written(op.limit);
    for (std::size_t i = 0; i < op.keys.size(); ++i) {
      out += (i == 0 ? " by " : ", ") + written(op.keys[i].expression) + (op.keys[i].descending ? " DESC" : "");
    }
    return out;
  }
  std::string operator()(const plan::Skip& op) const { return "skip " + written(op.count); }
  std::string operator()(const plan::Limit& op) const { return "limit " + written(op.count); }
  std::string operator()(const plan::Unwind& op) const {
    return fmt::format("unwind {} AS {}", written(op.list), name(op.slot));
  }
  std::string operator()(const plan::Create&) const { return "create"; }
  std::string operator()(const plan::Update& op) const {
    std::string out = "change";
    for (std::size_t i = 0; i < op.update.changes.size(); ++i) {
      const Span span = op.update.changes[i].span;
      out += (i == 0 ? " " : ", ") + std::string(text_.substr(span.offset, span.length));
    }
    return out;
  }
  std::string operator()(const plan::Delete& op) const { return op.what.detach ? "detach and delete" : "delete"; }
  std::string operator()(const plan::Merge&) const { return "find or create"; }
  std::string operator()(const plan::Record&) const { return "record"; }

 private:
  const bound::Query& query_;
  std::string_view text_;
};

}  // namespace

Result<plan::Plan> plan_query(bound::Query query, const Statistics& statistics) {
  NodePtr root = Planner(query, statistics).run();
  return plan::Plan{std::move(root), std::move(query)};
}

namespace {

void explain_chain(const plan::Node* node, const Explainer& explainer, std::size_t depth, std::string& out) {
  for (const std::size_t top = depth; node != nullptr; node = node->input.get(), ++depth) {
    if (std::holds_alternative<plan::SingleRow>(node->op) && depth > top) return;
    out += fmt::format("{}{}  (~{:.0f} rows)\n", std::string(2 * depth, ' '), std::visit(explainer, node->op),
                       std::max(0.0, node->rows_estimate));
    if (const auto* optional = std::get_if<plan::Optional>(&node->op)) {
      explain_chain(optional->inner.get(), explainer, depth + 2, out);
    }
    if (const auto* merge = std::get_if<plan::Merge>(&node->op)) {
      explain_chain(merge->inner.get(), explainer, depth + 2, out);
    }
  }
}

}  // namespace

std::string explain(const plan::Plan& plan, std::string_view text) {
  std::string out;
  explain_chain(plan.root.get(), Explainer(plan.query, text), 0, out);
  return out;
}

}  // namespace demarche::query

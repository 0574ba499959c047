#include "query/plan/planner.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "query/bind/bind_expression.h"
#include "query/plan/liveness.h"
#include "query/plan/match_planner.h"

namespace demarche::query {

namespace {

using plan::NodePtr;

NodePtr make_argument(std::vector<Slot> carried) {
  auto out = std::make_unique<plan::Node>();
  out->op = plan::Argument{};
  out->carried = std::move(carried);
  return out;
}

class Planner {
 public:
  Planner(const Estimates& estimates, const PlanOptions& options, NodePtr root, std::vector<Slot> live)
      : estimates_(estimates), options_(options), root_(std::move(root)), live_(std::move(live)) {}

  NodePtr run(const std::vector<bound::Step>& steps) {
    for (const bound::Step& step : steps) {
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
    node->cost_estimate = node->input->cost_estimate + cost_of(*node);
    root_ = std::move(node);
  }
  // Nanoseconds, roughly: so much for each row that comes in, and what an inner plan costs for each.
  static double cost_of(const plan::Node& node) {
    constexpr double kRow = 50;
    const double rows = std::max(1.0, node.input->rows_estimate);
    if (const auto* apply = std::get_if<plan::Apply>(&node.op)) return rows * (kRow + apply->inner->cost_estimate);
    if (const auto* merge = std::get_if<plan::Merge>(&node.op)) return rows * (kRow + merge->inner->cost_estimate);
    if (const auto* parts = std::get_if<plan::Union>(&node.op)) {
      double sum = 0;
      for (const NodePtr& part : parts->parts) sum += part->cost_estimate;
      return rows * sum;
    }
    return rows * kRow;
  }
  void make_live(Slot slot) { live_.push_back(slot); }

  void add(const bound::Match& match) {
    if (!match.optional) {
      root_ = plan_match(match, std::move(root_), live_, estimates_, options_);
      return;
    }
    std::vector<Slot> live = live_;
    plan::Apply optional;
    optional.optional = true;
    optional.given = live_;
    optional.inner = plan_match(match, make_argument(live_), live, estimates_, options_);
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
    std::vector<Slot> output;
    for (const bound::Assignment& item : p.items) output.push_back(item.slot);
    if (p.limit && projects_last(p)) {
      cut_first(p, rows);
      live_ = output;
      if (p.where) push(plan::Filter{{p.where}}, root_->rows_estimate * kConditionShare);
      return;
    }
    push(plan::Project{p.items}, rows);
    if (p.distinct) {
      live_ = output;
      push(plan::Distinct{output}, rows * kConditionShare);
      root_->carried = output;
    } else {
      live_.insert(live_.end(), output.begin(), output.end());
    }
    if (!p.order.empty()) push(plan::Sort{p.order, p.skip, p.limit}, rows);
    if (p.skip) push(plan::Skip{p.skip}, rows);
    if (p.limit) push(plan::Limit{p.limit}, rows_left(p, rows));
    if (p.where) push(plan::Filter{{p.where}}, root_->rows_estimate * kConditionShare);
    live_ = output;
  }

  // With LIMIT the columns can be computed for the rows that are left only: unless DISTINCT needs them before, a sort
  // key uses them in a way of its own, or computing them twice would give other values.
  [[nodiscard]] bool projects_last(const bound::Projection& p) const {
    if (!options_.optimise || p.distinct) return false;
    if (p.order.empty()) return true;
    for (const bound::Assignment& item : p.items) {
      if (!is_pure(*item.expression)) return false;
    }
    for (const bound::SortKey& key : p.order) {
      if (item_of(p, *key.expression) != nullptr) continue;
      if (!is_pure(*key.expression)) return false;
      std::vector<Slot> read;
      collect_slots(*key.expression, read);
      for (const bound::Assignment& item : p.items) {
        if (std::find(read.begin(), read.end(), item.slot) != read.end()) return false;
      }
    }
    return true;
  }

  // The column that a sort key is.
  static const bound::Assignment* item_of(const bound::Projection& p, const bound::Expr& key) {
    const auto* ref = std::get_if<bound::SlotRef>(&key.node);
    if (ref == nullptr) return nullptr;
    const auto it = std::find_if(p.items.begin(), p.items.end(),
                                 [&](const bound::Assignment& item) { return item.slot == ref->slot; });
    return it == p.items.end() ? nullptr : &*it;
  }

  static bool is_pure(const bound::Expr& expr) {
    bool out = true;
    for_each_part(expr, [&](const bound::Expr& part) {
      const auto* function = std::get_if<bound::Function>(&part.node);
      out = out && (function == nullptr || function->def->id != FunctionId::kRand) &&
            !std::holds_alternative<bound::Subquery>(part.node);
    });
    return out;
  }

  void cut_first(const bound::Projection& p, double rows) {
    if (!p.order.empty()) {
      plan::Sort sort{p.order, p.skip, p.limit};
      for (bound::SortKey& key : sort.keys) {
        if (const bound::Assignment* item = item_of(p, *key.expression)) key.expression = item->expression;
      }
      push(std::move(sort), rows);
    }
    if (p.skip) push(plan::Skip{p.skip}, rows);
    push(plan::Limit{p.limit}, rows_left(p, rows));
    push(plan::Project{p.items}, root_->rows_estimate);
  }

  static double rows_left(const bound::Projection& p, double rows) {
    const auto* constant = p.limit ? std::get_if<bound::Constant>(&p.limit->node) : nullptr;
    if (constant == nullptr || constant->value.kind() != ValueKind::kInteger) return rows;
    return std::min(rows, static_cast<double>(constant->value.as_integer()));
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
    std::vector<Slot> live = live_;
    plan::Merge node{nullptr, {}, merge.create, merge.on_create, merge.on_match};
    node.inner = plan_match(merge.match, make_argument(live_), live, estimates_, options_);
    node.made.assign(live.begin() + static_cast<std::ptrdiff_t>(live_.size()), live.end());
    push(std::move(node), root_->rows_estimate);
    live_ = std::move(live);
  }

  void add(const bound::Record& record) { push(plan::Record{record}, 1); }
  void add(const bound::Correct& correct) { push(plan::Correct{correct}, 1); }

  void add(const bound::Filter& filter) {
    push(plan::Filter{filter.conditions}, root_->rows_estimate * kConditionShare);
  }

  void add(const bound::CallProcedure& call) {
    push(plan::CallProcedure{call}, root_->rows_estimate * 10);
    for (const auto& [column, slot] : call.columns) make_live(slot);
  }

  void add(const bound::CallQuery& call) {
    plan::Apply apply;
    apply.given = live_;
    apply.inner = Planner(estimates_, options_, make_argument(live_), live_).run(call.body->steps);
    apply.made = call.body->columns;
    const double rows = root_->rows_estimate * std::max(1.0, apply.inner->rows_estimate);
    push(std::move(apply), rows);
    for (const Slot slot : call.body->columns) make_live(slot);
  }

  void add(const bound::Union& u) {
    plan::Union out;
    out.made = u.columns;
    out.given = live_;
    double rows = 0;
    for (const auto& part : u.parts) {
      Planner planner(estimates_, options_, make_argument(live_), live_);
      planner.root_ = planner.run(part->steps);
      planner.live_ = part->columns;
      plan::Project project;
      for (std::size_t i = 0; i < u.columns.size(); ++i) {
        project.items.push_back({u.columns[i], make_expr({}, bound::SlotRef{part->columns[i]})});
      }
      const double part_rows = planner.root_->rows_estimate;
      planner.push(std::move(project), part_rows);
      rows += part_rows;
      out.parts.push_back(std::move(planner.root_));
    }
    rows *= root_->rows_estimate;
    push(std::move(out), rows);
    root_->carried.clear();  // nothing but the columns is seen behind a UNION
    live_ = u.columns;
    if (u.distinct) push(plan::Distinct{u.columns}, rows * kConditionShare);
  }

  const Estimates& estimates_;
  const PlanOptions& options_;
  NodePtr root_;
  std::vector<Slot> live_;
};

// Finds the queries inside the expressions of steps and plans them, and those inside these.
class SubqueryPlanner {
 public:
  SubqueryPlanner(const Estimates& estimates, const PlanOptions& options, plan::Plan& plan)
      : estimates_(estimates), options_(options), plan_(plan) {}

  void run(const std::vector<bound::Step>& steps) {
    for_each_expression(steps, [this](const bound::Expr& expr) {
      const auto* subquery = std::get_if<bound::Subquery>(&expr.node);
      if (subquery == nullptr) return;
      const bound::SubqueryBody& body = *subquery->body;
      NodePtr& planned = plan_.subqueries[&body].root;
      if (planned) return;
      planned = Planner(estimates_, options_, make_argument(body.imports), body.imports).run(body.steps);
      run(body.steps);
    });
  }

 private:
  const Estimates& estimates_;
  const PlanOptions& options_;
  plan::Plan& plan_;
};

}  // namespace

Result<plan::Plan> plan_query(bound::Query query, const Estimates& estimates, const PlanOptions& options) {
  PlanOptions used = options;
  // A statement that writes does so for every row, whatever is shown of it: nothing is put off.
  used.optimise = options.optimise && !query.writes;
  plan::Plan out;
  out.root = Planner(estimates, used, std::make_unique<plan::Node>(), {}).run(query.steps);
  out.query = std::move(query);
  SubqueryPlanner(estimates, used, out).run(out.query.steps);
  note_subqueries(out);
  if (used.optimise) drop_unread(out);
  return out;
}

}  // namespace demarche::query

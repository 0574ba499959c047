#include "query/plan/planner.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "query/bind/bind_expression.h"
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
  Planner(const Statistics& statistics, NodePtr root, std::vector<Slot> live)
      : statistics_(statistics), root_(std::move(root)), live_(std::move(live)) {}

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
    root_ = std::move(node);
  }
  void make_live(Slot slot) { live_.push_back(slot); }

  void add(const bound::Match& match) {
    if (!match.optional) {
      root_ = plan_match(match, std::move(root_), live_, statistics_);
      return;
    }
    std::vector<Slot> live = live_;
    plan::Apply optional;
    optional.optional = true;
    optional.inner = plan_match(match, make_argument(live_), live, statistics_);
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
    std::vector<Slot> live = live_;
    plan::Merge node{nullptr, {}, merge.create, merge.on_create, merge.on_match};
    node.inner = plan_match(merge.match, make_argument(live_), live, statistics_);
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
    apply.inner = Planner(statistics_, make_argument(live_), live_).run(call.body->steps);
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
      Planner planner(statistics_, make_argument(live_), live_);
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

  const Statistics& statistics_;
  NodePtr root_;
  std::vector<Slot> live_;
};

// Finds the queries inside the expressions of steps and plans them, and those inside these.
class SubqueryPlanner {
 public:
  SubqueryPlanner(const Statistics& statistics, plan::Plan& plan) : statistics_(statistics), plan_(plan) {}

  void run(const std::vector<bound::Step>& steps) {
    for_each_expression(steps, [this](const bound::Expr& expr) {
      const auto* subquery = std::get_if<bound::Subquery>(&expr.node);
      if (subquery == nullptr) return;
      const bound::SubqueryBody& body = *subquery->body;
      NodePtr& planned = plan_.subqueries[&body];
      if (planned) return;
      planned = Planner(statistics_, make_argument(body.imports), body.imports).run(body.steps);
      run(body.steps);
    });
  }

 private:
  const Statistics& statistics_;
  plan::Plan& plan_;
};

}  // namespace

Result<plan::Plan> plan_query(bound::Query query, const Statistics& statistics) {
  plan::Plan out;
  out.root = Planner(statistics, std::make_unique<plan::Node>(), {}).run(query.steps);
  out.query = std::move(query);
  SubqueryPlanner(statistics, out).run(out.query.steps);
  return out;
}

}  // namespace demarche::query

// Walks over bound expressions and steps.

#include <algorithm>

#include "query/bind/bound.h"

namespace demarche::query {

namespace {

using bound::ExprPtr;

// The parts of an expression; of a query inside it, none.
template <typename Use>
void for_each_child(const bound::Expr& expr, Use use) {
  const auto maybe = [&](const ExprPtr& child) {
    if (child) use(*child);
  };
  std::visit(
      [&](const auto& node) {
        using T = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<T, bound::PropertyOf>) {
          maybe(node.object);
        } else if constexpr (std::is_same_v<T, bound::Unary>) {
          maybe(node.operand);
        } else if constexpr (std::is_same_v<T, bound::Binary> || std::is_same_v<T, bound::Compare>) {
          maybe(node.left);
          maybe(node.right);
        } else if constexpr (std::is_same_v<T, bound::Function>) {
          for (const ExprPtr& argument : node.arguments) maybe(argument);
        } else if constexpr (std::is_same_v<T, bound::ListOf>) {
          for (const ExprPtr& item : node.items) maybe(item);
        } else if constexpr (std::is_same_v<T, bound::MapOf>) {
          for (const auto& [key, value] : node.entries) maybe(value);
        } else if constexpr (std::is_same_v<T, bound::ElementAt>) {
          maybe(node.object);
          maybe(node.index);
        } else if constexpr (std::is_same_v<T, bound::SliceOf>) {
          maybe(node.object);
          maybe(node.from);
          maybe(node.to);
        } else if constexpr (std::is_same_v<T, bound::CaseOf>) {
          maybe(node.subject);
          for (const auto& [condition, result] : node.branches) {
            maybe(condition);
            maybe(result);
          }
          maybe(node.otherwise);
        } else if constexpr (std::is_same_v<T, bound::HasLabels>) {
          maybe(node.subject);
        } else if constexpr (std::is_same_v<T, bound::ListScan>) {
          maybe(node.list);
          maybe(node.condition);
          maybe(node.result);
        } else if constexpr (std::is_same_v<T, bound::Reduce>) {
          maybe(node.start);
          maybe(node.list);
          maybe(node.step);
        }
      },
      expr.node);
}

void walk(const bound::Expr& expr, const std::function<void(const bound::Expr&)>& use) {
  use(expr);
  for_each_child(expr, [&](const bound::Expr& child) { walk(child, use); });
}

// Hands each expression of a step to `use`, each slot that the step fills or asks for to `slot`.
class StepVisitor {
 public:
  StepVisitor(const std::function<void(const bound::Expr&)>& use, const std::function<void(Slot)>& slot)
      : use_(use), slot_(slot) {}

  void operator()(const bound::Match& step) const {
    for (const bound::ActorNode& actor : step.actors) slot_(actor.slot);
    for (const bound::LoneInteraction& lone : step.alone) slot_(lone.slot);
    for (const bound::InteractionEdge& edge : step.edges) {
      slot_(edge.slot);
      if (edge.repeat) add(edge.repeat->conditions);
    }
    add(step.conditions);
  }
  void operator()(const bound::Projection& step) const {
    for (const bound::Assignment& key : step.keys) add(key.expression);
    for (const bound::Aggregate& aggregate : step.aggregates) add(aggregate.argument);
    for (const bound::Assignment& item : step.items) add(item.expression);
    for (const bound::SortKey& key : step.order) add(key.expression);
    add(step.skip);
    add(step.limit);
    add(step.where);
  }
  void operator()(const bound::Unwind& step) const { add(step.list); }
  void operator()(const bound::CallProcedure& step) const { add(step.arguments); }
  void operator()(const bound::CallQuery& step) const { add(*step.body); }
  void operator()(const bound::Filter& step) const { add(step.conditions); }
  void operator()(const bound::Union& step) const {
    for (const auto& part : step.parts) add(*part);
  }
  void operator()(const bound::Create& step) const {
    for (const auto& item : step.items) {
      std::visit([this](const auto& i) { add(i.properties); }, item);
    }
  }
  void operator()(const bound::Update& step) const { add(step.changes); }
  void operator()(const bound::Delete& step) const { add(step.what); }
  void operator()(const bound::Merge& step) const {
    (*this)(step.match);
    (*this)(step.create);
    add(step.on_create);
    add(step.on_match);
  }
  void operator()(const bound::Correct& step) const {
    add(step.interaction);
    add(step.reason);
    for (const bound::Correct::Field& field : step.fields) add(field.value);
    for (const bound::RecordClaim& claim : step.claims) {
      add(claim.source);
      add(claim.properties);
    }
  }
  void operator()(const bound::Record& step) const {
    for (const ExprPtr& expr : {step.key, step.when, step.place, step.part_of, step.properties}) add(expr);
    for (const bound::RecordParticipant& p : step.participants) {
      add(p.actor);
      add(p.acting_for);
    }
    for (const bound::RecordClaim& claim : step.claims) {
      add(claim.source);
      add(claim.properties);
    }
  }

 private:
  void add(const ExprPtr& expr) const {
    if (expr) use_(*expr);
  }
  void add(const std::vector<ExprPtr>& list) const {
    for (const ExprPtr& expr : list) add(expr);
  }
  void add(const std::vector<bound::Change>& changes) const {
    for (const bound::Change& change : changes) {
      add(change.target);
      add(change.value);
    }
  }
  void add(const bound::SubqueryBody& body) const {
    for (const bound::Step& step : body.steps) std::visit(*this, step);
  }

  const std::function<void(const bound::Expr&)>& use_;
  const std::function<void(Slot)>& slot_;
};

// Takes `slot` out of what was collected from position `from` on: a list expression fills it by itself.
void drop(std::vector<Slot>& slots, std::size_t from, Slot slot) {
  slots.erase(std::remove(slots.begin() + static_cast<std::ptrdiff_t>(from), slots.end(), slot), slots.end());
}

}  // namespace

void collect_slots(const bound::Expr& expr, std::vector<Slot>& out) {
  const std::size_t before = out.size();
  if (const auto* ref = std::get_if<bound::SlotRef>(&expr.node)) out.push_back(ref->slot);
  if (const auto* subquery = std::get_if<bound::Subquery>(&expr.node)) {
    out.insert(out.end(), subquery->body->imports.begin(), subquery->body->imports.end());
  }
  for_each_child(expr, [&](const bound::Expr& child) { collect_slots(child, out); });
  if (const auto* scan = std::get_if<bound::ListScan>(&expr.node)) drop(out, before, scan->variable);
  if (const auto* reduce = std::get_if<bound::Reduce>(&expr.node)) {
    drop(out, before, reduce->variable);
    drop(out, before, reduce->accumulator);
  }
}

void collect_slots(const std::vector<bound::Step>& steps, std::vector<Slot>& out) {
  const std::function<void(const bound::Expr&)> use = [&](const bound::Expr& expr) { collect_slots(expr, out); };
  const std::function<void(Slot)> slot = [&](Slot s) { out.push_back(s); };
  for (const bound::Step& step : steps) std::visit(StepVisitor(use, slot), step);
}

void for_each_part(const bound::Expr& expr, const std::function<void(const bound::Expr&)>& use) { walk(expr, use); }

void for_each_expression(const std::vector<bound::Step>& steps, const std::function<void(const bound::Expr&)>& use) {
  const std::function<void(const bound::Expr&)> each = [&](const bound::Expr& expr) { walk(expr, use); };
  const std::function<void(Slot)> slot = [](Slot) {};
  for (const bound::Step& step : steps) std::visit(StepVisitor(each, slot), step);
}

}  // namespace demarche::query

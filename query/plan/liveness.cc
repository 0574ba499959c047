#include "query/plan/liveness.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace demarche::query {

namespace {

using bound::ExprPtr;
using SlotSet = std::unordered_set<Slot>;

// Slots that are read above a node: `expressions` by an expression, `all` in any way.
struct Needs {
  SlotSet all;
  SlotSet expressions;

  void read(const bound::Expr& expr) {
    std::vector<Slot> slots;
    collect_slots(expr, slots);
    all.insert(slots.begin(), slots.end());
    expressions.insert(slots.begin(), slots.end());
  }
  void read(const ExprPtr& expr) {
    if (expr) read(*expr);
  }
  void use(Slot slot) { all.insert(slot); }
  void use(const std::vector<Slot>& slots) { all.insert(slots.begin(), slots.end()); }
  void read(const std::vector<plan::WindowTerm>& windows) {
    for (const plan::WindowTerm& term : windows) read(term.other);
  }
};

class Liveness {
 public:
  // `node` and all below it; `needs`: what is read above it.
  void run(plan::Node& node, Needs needs) {
    std::visit([&](auto& op) { note_made(node, op, needs); }, node.op);
    std::erase_if(node.carried, [&](Slot slot) { return !needs.all.contains(slot); });
    Needs below;
    for (const Slot slot : node.carried) {
      below.all.insert(slot);
      if (needs.expressions.contains(slot)) below.expressions.insert(slot);
    }
    std::visit([&](auto& op) { add_reads(op, needs, below); }, node.op);
    if (node.input) run(*node.input, std::move(below));
  }

 private:
  // ---- what a node fills that nobody reads
  template <typename Op>
  static void note_made(plan::Node&, Op&, const Needs&) {}
  static void note_made(plan::Node& node, plan::ContactScan& op, const Needs& needs) {
    node.reads = {needs.all.contains(op.left), needs.all.contains(op.edge), needs.all.contains(op.right),
                  needs.expressions.contains(op.edge)};
  }
  static void note_made(plan::Node& node, plan::Expand& op, const Needs& needs) {
    node.reads = {true, needs.all.contains(op.edge), needs.all.contains(op.to), needs.expressions.contains(op.edge)};
  }
  static void note_made(plan::Node& node, plan::InteractionScan& op, const Needs& needs) {
    node.reads.edge = needs.all.contains(op.slot);
    node.reads.facts = needs.expressions.contains(op.slot);
  }

  // ---- what a node reads of its input
  template <typename Op>
  void add_reads(Op&, const Needs&, Needs&) {}
  void add_reads(plan::ActorScan& op, const Needs&, Needs& below) {
    below.read(op.wanted);
    if (op.is_bound) below.use(op.slot);
  }
  void add_reads(plan::InteractionScan& op, const Needs&, Needs& below) {
    below.read(op.key);
    below.read(op.windows);
    if (!op.is_bound) return;
    below.use(op.slot);
    if (!op.kinds.any) below.expressions.insert(op.slot);
  }
  void add_reads(plan::ContactScan& op, const Needs&, Needs& below) {
    below.read(op.windows);
    below.use(op.other_edges);
  }
  void add_reads(plan::Expand& op, const Needs&, Needs& below) {
    below.use(op.from);
    if (op.into) below.use(op.to);
    below.read(op.windows);
    below.use(op.other_edges);
  }
  void add_reads(plan::ExpandInteraction& op, const Needs&, Needs& below) {
    below.use(op.edge);
    below.expressions.insert(op.edge);
    if (op.left_bound) below.use(op.left);
    if (op.right_bound) below.use(op.right);
    below.use(op.other_edges);
  }
  void add_reads(plan::Walk& op, const Needs&, Needs& below) {
    below.use(op.from);
    if (op.into) below.use(op.to);
    for (const ExprPtr& condition : op.repeat.conditions) below.read(condition);
    below.read(op.windows);
    below.all.erase(op.repeat.hop);
    below.use(op.other_edges);
  }
  void add_reads(plan::MakePath& op, const Needs&, Needs& below) {
    below.use(op.first);
    for (const plan::MakePath::Part& part : op.parts) {
      below.use(part.slot);
      below.use(part.next);
    }
  }
  void add_reads(plan::Filter& op, const Needs&, Needs& below) {
    for (const ExprPtr& condition : op.conditions) below.read(condition);
  }
  void add_reads(plan::Project& op, const Needs&, Needs& below) {
    for (const bound::Assignment& item : op.items) below.read(item.expression);
  }
  void add_reads(plan::Aggregate& op, const Needs&, Needs& below) {
    below = {};
    for (const bound::Assignment& key : op.keys) below.read(key.expression);
    for (const bound::Aggregate& aggregate : op.aggregates) below.read(aggregate.argument);
  }
  void add_reads(plan::Distinct& op, const Needs& needs, Needs& below) {
    for (const Slot slot : op.slots) {
      below.use(slot);
      if (needs.expressions.contains(slot)) below.expressions.insert(slot);
    }
  }
  void add_reads(plan::Sort& op, const Needs&, Needs& below) {
    for (const bound::SortKey& key : op.keys) below.read(key.expression);
  }
  void add_reads(plan::Unwind& op, const Needs&, Needs& below) { below.read(op.list); }
  void add_reads(plan::CallProcedure& op, const Needs&, Needs& below) {
    for (const ExprPtr& argument : op.call.arguments) below.read(argument);
  }
  void add_reads(plan::Apply& op, const Needs& needs, Needs& below) {
    std::erase_if(op.made, [&](Slot slot) { return !needs.all.contains(slot); });
    Needs inner;
    for (const Slot slot : op.made) {
      inner.use(slot);
      if (needs.expressions.contains(slot)) inner.expressions.insert(slot);
    }
    run(*op.inner, std::move(inner));
    take_argument(*op.inner, op.given);
    for (const Slot slot : op.given) {
      below.use(slot);
      below.expressions.insert(slot);
    }
  }
  void add_reads(plan::Union& op, const Needs&, Needs& below) {
    SlotSet given;
    for (const plan::NodePtr& part : op.parts) {
      Needs inner;
      for (const Slot slot : op.made) {
        inner.use(slot);
        inner.expressions.insert(slot);
      }
      run(*part, std::move(inner));
      std::vector<Slot> read;
      take_argument(*part, read);
      given.insert(read.begin(), read.end());
    }
    std::erase_if(op.given, [&](Slot slot) { return !given.contains(slot); });
    for (const Slot slot : op.given) {
      below.use(slot);
      below.expressions.insert(slot);
    }
  }

 public:
  // What the Argument below `node` hands out.
  static void take_argument(const plan::Node& node, std::vector<Slot>& out) {
    const plan::Node* at = &node;
    while (at->input) at = at->input.get();
    out = at->carried;
  }
};

bool is_repeatable(const bound::SubqueryBody& body) {
  bool out = true;
  for_each_expression(body.steps, [&](const bound::Expr& expr) {
    if (const auto* function = std::get_if<bound::Function>(&expr.node)) {
      out = out && function->def->id != FunctionId::kRand;
    }
    if (const auto* inner = std::get_if<bound::Subquery>(&expr.node)) out = out && is_repeatable(*inner->body);
    // A procedure may answer anything.
  });
  return out && std::none_of(body.steps.begin(), body.steps.end(), [](const bound::Step& step) {
           return std::holds_alternative<bound::CallProcedure>(step) || std::holds_alternative<bound::CallQuery>(step);
         });
}

}  // namespace

void drop_unread(plan::Plan& plan) {
  for (auto& [body, subquery] : plan.subqueries) {
    Needs needs;
    for (const Slot slot : body->columns) {
      needs.use(slot);
      needs.expressions.insert(slot);
    }
    Liveness().run(*subquery.root, std::move(needs));
    Liveness::take_argument(*subquery.root, subquery.reads);
  }
  Needs needs;
  for (const bound::Column& column : plan.query.columns) needs.use(column.slot);
  Liveness().run(*plan.root, std::move(needs));
}

void note_subqueries(plan::Plan& plan) {
  for (auto& [body, subquery] : plan.subqueries) {
    subquery.reads = body->imports;
    subquery.repeatable = is_repeatable(*body);
  }
}

}  // namespace demarche::query

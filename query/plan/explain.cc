#include <algorithm>

#include <fmt/format.h>

#include "query/plan/planner.h"

namespace demarche::query {

namespace {

using bound::ExprPtr;

ast::Direction turned(ast::Direction direction, bool reversed) {
  if (!reversed || direction == ast::Direction::kEither) return direction;
  return direction == ast::Direction::kLeft ? ast::Direction::kRight : ast::Direction::kLeft;
}

class Explainer {
 public:
  Explainer(const bound::Query& query, std::string_view text) : query_(query), text_(text) {}

  [[nodiscard]] std::string name(Slot slot) const {
    const std::string& n = query_.slot_names[slot];
    return n.empty() ? fmt::format("_{}", slot) : n;
  }
  [[nodiscard]] std::string written(Span span) const { return std::string(text_.substr(span.offset, span.length)); }
  [[nodiscard]] std::string written(const ExprPtr& expr) const { return written(expr->span); }
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
  std::string operator()(const plan::Apply& op) const { return op.optional ? "optional" : "for each row"; }
  std::string operator()(const plan::Union&) const { return "union"; }
  std::string operator()(const plan::CallProcedure& op) const {
    return fmt::format("call {}", op.call.procedure->name);
  }
  std::string operator()(const plan::Walk& op) const {
    const auto direction = turned(op.direction, op.reversed);
    std::string out = "walk";
    if (op.search.kind == ast::PathSearch::Kind::kEarliest) {
      out = "earliest arrival";
    } else if (op.search.kind == ast::PathSearch::Kind::kShortest) {
      out = fmt::format("{} shortest", op.search.count);
    } else if (op.search.kind == ast::PathSearch::Kind::kShortestGroups) {
      out = fmt::format("all of the {} least lengths", op.search.count);
    }
    const std::string most = op.repeat.hops_max == bound::Repeat::kNoBound ? "" : fmt::format("{}", op.repeat.hops_max);
    out += fmt::format("{} {} {{{},{}}}{}", op.into ? " into" : "", edge(op.from, op.edge, op.to, op.kinds, direction),
                       op.repeat.hops_min, most, windows(op.windows));
    for (const ExprPtr& condition : op.repeat.conditions) out += " each " + written(condition);
    return out;
  }
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
    const auto direction = turned(op.direction, op.reversed);
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
      out += (i == 0 ? " " : ", ") + written(op.update.changes[i].span);
    }
    return out;
  }
  std::string operator()(const plan::Delete& op) const { return op.what.detach ? "detach and delete" : "delete"; }
  std::string operator()(const plan::Merge&) const { return "find or create"; }
  std::string operator()(const plan::Record&) const { return "record"; }
  std::string operator()(const plan::Correct& op) const {
    return fmt::format("{} {}", op.correct.retract ? "retract" : "correct", written(op.correct.interaction));
  }

 private:
  const bound::Query& query_;
  std::string_view text_;
};

// Operators from the last to the first, each a step further in; below one that runs others for each row, these.
class Printer {
 public:
  Printer(const plan::Plan& plan, std::string_view text) : plan_(plan), explainer_(plan.query, text) {}

  void chain(const plan::Node* node, std::size_t depth) {
    for (const std::size_t top = depth; node != nullptr; node = node->input.get(), ++depth) {
      if (std::holds_alternative<plan::SingleRow>(node->op) && depth > top) return;
      out_ += fmt::format("{}{}  (~{:.0f} rows)\n", std::string(2 * depth, ' '), std::visit(explainer_, node->op),
                          std::max(0.0, node->rows_estimate));
      if (const auto* apply = std::get_if<plan::Apply>(&node->op)) chain(apply->inner.get(), depth + 2);
      if (const auto* merge = std::get_if<plan::Merge>(&node->op)) chain(merge->inner.get(), depth + 2);
      if (const auto* parts = std::get_if<plan::Union>(&node->op)) {
        for (const plan::NodePtr& part : parts->parts) chain(part.get(), depth + 2);
      }
    }
  }

  // The queries inside expressions, in the order in which they are written.
  void subqueries() {
    for_each_expression(plan_.query.steps, [this](const bound::Expr& expr) { subquery(expr); });
  }

  std::string take() { return std::move(out_); }

 private:
  void subquery(const bound::Expr& expr) {
    const auto* node = std::get_if<bound::Subquery>(&expr.node);
    if (node == nullptr) return;
    const auto planned = plan_.subqueries.find(node->body.get());
    if (planned == plan_.subqueries.end()) return;
    out_ += fmt::format("for {}\n", explainer_.written(expr.span));
    chain(planned->second.root.get(), 1);
    for_each_expression(node->body->steps, [this](const bound::Expr& inner) { subquery(inner); });
  }

  const plan::Plan& plan_;
  Explainer explainer_;
  std::string out_;
};

}  // namespace

std::string explain(const plan::Plan& plan, std::string_view text) {
  Printer printer(plan, text);
  printer.chain(plan.root.get(), 0);
  printer.subqueries();
  return printer.take();
}

}  // namespace demarche::query

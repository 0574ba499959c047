// Operators for repeated interactions and for paths.

#include <algorithm>
#include <utility>

#include "query/exec/operators.h"
#include "query/exec/path_finder.h"

namespace demarche::query {

namespace {

class WalkOp final : public RowByRow {
 public:
  WalkOp(OperatorPtr input, const plan::Node& node, const plan::Walk& op, std::size_t slots, ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), op_(op), neighbours_(op, slots, context) {
    using Kind = ast::PathSearch::Kind;
    searches_ = op.search.kind != Kind::kAll;
    finder_ = op.search.kind == Kind::kEarliest ? make_earliest(op, context)
              : searches_                       ? make_shortest(op, neighbours_, context)
                                                : make_enumeration(op, neighbours_, context);
  }

 protected:
  Result<void> begin_row() override {
    open_ = false;
    const Value& from = in().at(op_.from, row());
    if (from.kind() != ValueKind::kActor) return {};
    std::optional<ActorId> into;
    if (op_.into) {
      const Value& to = in().at(op_.to, row());
      if (to.kind() != ValueKind::kActor) return {};
      into = to.as_actor();
    }
    DEMARCHE_CHECK(neighbours_.begin_row(in(), row()));
    DEMARCHE_CHECK(finder_->begin(from.as_actor(), into, searches_ ? std::unordered_set<InteractionId>() : taken()));
    open_ = true;
    return {};
  }

  Result<bool> more(Batch& out) override {
    while (open_ && out.size < kBatchRows && out.weight < kBatchWeightMax) {
      DEMARCHE_ASSIGN(open_, finder_->next());
      if (open_) emit(out);
    }
    return open_;
  }

 private:
  // What the edges beside this one use.
  [[nodiscard]] std::unordered_set<InteractionId> taken() const {
    std::unordered_set<InteractionId> out;
    const auto add = [&](const Value& v) {
      if (v.kind() == ValueKind::kInteraction) out.insert(v.as_interaction());
    };
    for (const Slot slot : op_.other_edges) {
      const Value& v = in().at(slot, row());
      if (v.kind() != ValueKind::kList) {
        add(v);
      } else {
        std::for_each(v.as_list().begin(), v.as_list().end(), add);
      }
    }
    return out;
  }

  void emit(Batch& out) {
    PathValue path = finder_->path();
    // A search has chosen its path without regard to the edges beside it; what they share is dropped afterwards, so
    // that the answer does not depend on the order in which the plan looks.
    if (searches_ && std::any_of(path.interactions.begin(), path.interactions.end(),
                                 [&](InteractionId id) { return is_used(op_.other_edges, in(), row(), id); })) {
      return;
    }
    carry(out);
    if (!op_.into) out.columns[op_.to].push_back(Value::actor(path.actors.back()));
    if (op_.reversed) {
      std::reverse(path.actors.begin(), path.actors.end());
      std::reverse(path.interactions.begin(), path.interactions.end());
    }
    ValueList list;
    list.reserve(path.interactions.size());
    for (const InteractionId id : path.interactions) list.push_back(Value::interaction(id));
    out.weight += 2 * list.size();
    out.columns[op_.edge].push_back(Value::list(std::move(list)));
    out.columns[op_.repeat.segment].push_back(Value::path(std::move(path)));
    ++out.size;
  }

  const plan::Walk& op_;
  Neighbours neighbours_;
  bool searches_ = false;
  std::unique_ptr<PathFinder> finder_;
  bool open_ = false;
};

class MakePathOp final : public RowByRow {
 public:
  MakePathOp(OperatorPtr input, const plan::Node& node, const plan::MakePath& op, std::size_t slots,
             ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), op_(op) {}

 protected:
  Result<void> begin_row() override { return {}; }
  Result<bool> more(Batch& out) override {
    PathValue path;
    path.actors.push_back(in().at(op_.first, row()).as_actor());
    for (const plan::MakePath::Part& part : op_.parts) append(part, path);
    if (!is_allowed(path)) return false;
    carry(out);
    out.weight += path.interactions.size();
    out.columns[op_.slot].push_back(Value::path(std::move(path)));
    ++out.size;
    return false;
  }

 private:
  void append(const plan::MakePath::Part& part, PathValue& path) {
    const Value& v = in().at(part.slot, row());
    if (!part.segment) {
      path.interactions.push_back(v.as_interaction());
      path.actors.push_back(in().at(part.next, row()).as_actor());
      return;
    }
    const PathValue& segment = v.as_path();
    path.interactions.insert(path.interactions.end(), segment.interactions.begin(), segment.interactions.end());
    path.actors.insert(path.actors.end(), segment.actors.begin() + 1, segment.actors.end());
    path.arrival = segment.arrival;
    path.mode = segment.mode;
  }

  [[nodiscard]] bool is_allowed(const PathValue& path) const {
    if (op_.mode != ast::PathMode::kAcyclic && op_.mode != ast::PathMode::kSimple) return true;
    std::vector<ActorId> actors = path.actors;
    if (op_.mode == ast::PathMode::kSimple && actors.size() > 1 && actors.front() == actors.back()) actors.pop_back();
    std::sort(actors.begin(), actors.end());
    return std::adjacent_find(actors.begin(), actors.end()) == actors.end();
  }

  const plan::MakePath& op_;
};

}  // namespace

OperatorPtr make_walk(const plan::Node& node, OperatorPtr input, std::size_t slots, ExecContext& context) {
  if (const auto* path = std::get_if<plan::MakePath>(&node.op)) {
    return std::make_unique<MakePathOp>(std::move(input), node, *path, slots, context);
  }
  return std::make_unique<WalkOp>(std::move(input), node, std::get<plan::Walk>(node.op), slots, context);
}

}  // namespace demarche::query

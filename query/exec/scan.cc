// Operators that read the store: actors, interactions, and the pairs of actors related by an interaction.

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "engine/contact.h"
#include "engine/names.h"
#include "query/exec/evaluate.h"
#include "query/exec/operators.h"
#include "query/exec/pairs.h"

namespace demarche::query {

namespace {

// ---- actors --------------------------------------------------------------------------------------------------------

class ActorScanOp final : public RowByRow {
 public:
  ActorScanOp(OperatorPtr input, const plan::Node& node, const plan::ActorScan& op, std::size_t slots,
              ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), op_(op), bound_(op.is_bound) {}

 protected:
  Result<void> begin_row() override {
    ids_.clear();
    at_ = 0;
    cursor_.reset();
    if (bound_) {  // a value from elsewhere stands here: it must be an actor
      const Value& v = in().at(op_.slot, row());
      if (v.kind() == ValueKind::kActor) ids_.push_back(v.as_actor());
      return {};
    }
    switch (op_.by) {
      case plan::ActorScan::By::kKey:
      case plan::ActorScan::By::kName:
        return look_up();
      case plan::ActorScan::By::kLabel: {
        DEMARCHE_TRY(ActorCursor cursor, context_.view().actors_with_label(op_.label));
        cursor_ = std::move(cursor);
        return {};
      }
      case plan::ActorScan::By::kAll:
        break;
    }
    DEMARCHE_TRY(ActorCursor cursor, context_.view().actors());
    cursor_ = std::move(cursor);
    return {};
  }

  Result<bool> more(Batch& out) override {
    if (at_ == ids_.size() && cursor_) {
      DEMARCHE_CHECK(cursor_->next(ids_, kBatchRows - out.size));
      at_ = 0;
      if (ids_.empty()) return false;
    }
    for (; at_ < ids_.size() && out.size < kBatchRows; ++at_, ++out.size) {
      carry(out);
      if (!bound_) out.columns[op_.slot].push_back(Value::actor(ids_[at_]));
    }
    return at_ < ids_.size() || cursor_.has_value();
  }

 private:
  Result<void> look_up() {
    DEMARCHE_TRY(const Value wanted, evaluate(*op_.wanted, in(), row(), context_));
    if (wanted.is_null()) return {};
    if (wanted.kind() != ValueKind::kString || wanted.as_string().empty()) {
      // Only a text that is not empty can be a key or a preferred name; a property of that name holding something else
      // is found by looking at all actors.
      DEMARCHE_TRY(ActorCursor cursor, context_.view().actors());
      cursor_ = std::move(cursor);
      return {};
    }
    if (op_.by == plan::ActorScan::By::kKey) {
      ++context_.reads.keys;
      DEMARCHE_TRY(const auto id, context_.view().find_actor(wanted.as_string()));
      if (id) ids_.push_back(*id);
      return {};
    }
    DEMARCHE_TRY(const std::string form, normal_form(wanted.as_string()));
    if (form.empty()) {  // a name of nothing but marks is not indexed
      DEMARCHE_TRY(ActorCursor cursor, context_.view().actors());
      cursor_ = std::move(cursor);
      return {};
    }
    ++context_.reads.keys;
    DEMARCHE_ASSIGN(ids_, context_.view().find_actors_by_name(wanted.as_string()));
    return {};
  }

  const plan::ActorScan& op_;
  bool bound_;
  std::vector<ActorId> ids_;
  std::size_t at_ = 0;
  std::optional<ActorCursor> cursor_;
};

// ---- interactions --------------------------------------------------------------------------------------------------

class InteractionScanOp final : public RowByRow {
 public:
  InteractionScanOp(OperatorPtr input, const plan::Node& node, const plan::InteractionScan& op, std::size_t slots,
                    ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), op_(op), bound_(op.is_bound) {}

 protected:
  Result<void> begin_row() override {
    cursor_.reset();
    single_.reset();
    if (op_.kinds.none) return {};
    if (bound_) {
      const Value& v = in().at(op_.slot, row());
      if (v.kind() == ValueKind::kInteraction) single_ = v.as_interaction();
      return {};
    }
    if (op_.key) {
      DEMARCHE_TRY(const Value wanted, evaluate(*op_.key, in(), row(), context_));
      if (wanted.is_null()) return {};
      if (wanted.kind() == ValueKind::kString && !wanted.as_string().empty()) {
        ++context_.reads.keys;
        DEMARCHE_ASSIGN(single_, context_.view().find_interaction(wanted.as_string()));
        return {};
      }
      // Anything else can only be a property of that name: look at all, the filter decides.
    }
    DEMARCHE_TRY(const TimeWindow window, window_of(op_.windows, in(), row(), context_));
    DEMARCHE_TRY(RowCursor cursor, context_.view().timeline(window, op_.kinds.set));
    cursor_ = std::move(cursor);
    return {};
  }

  Result<bool> more(Batch& out) override {
    if (single_) {
      DEMARCHE_TRY(const InteractionFacts facts, context_.facts(*single_));
      if (op_.kinds.any || op_.kinds.set.contains(facts.kind)) emit(out, *single_);
      return false;
    }
    if (!cursor_) return false;
    DEMARCHE_CHECK(context_.check());
    DEMARCHE_CHECK(cursor_->next(rows_, kBatchRows - out.size));
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      context_.remember(rows_, i);
      emit(out, rows_.interaction[i]);
    }
    return rows_.size() > 0;
  }

 private:
  void emit(Batch& out, InteractionId id) {
    carry(out);
    if (!bound_) out.columns[op_.slot].push_back(Value::interaction(id));
    ++out.size;
  }

  const plan::InteractionScan& op_;
  bool bound_;
  std::optional<InteractionId> single_;
  std::optional<RowCursor> cursor_;
  RowBatch rows_;
};

// ---- pairs ---------------------------------------------------------------------------------------------------------

// Pairs of the timeline, or of one actor's rows. A batch of index rows is turned into pairs at once; the pairs wait in
// `pending_` until they fit.
class PairScanOp : public RowByRow {
 public:
  PairScanOp(OperatorPtr input, const plan::Node& node, std::size_t slots, ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), finder_(context.view().kinds()) {}

 protected:
  struct Match {
    InteractionId interaction;
    Pair pair;
  };

  // Pairs of row i of rows_ that belong to the answer go to pending_.
  virtual void take_row(std::size_t i) = 0;
  virtual void emit(Batch& out, const Match& match) = 0;

  Result<bool> more(Batch& out) final {
    while (out.size < kBatchRows) {
      if (at_ < pending_.size()) {
        emit(out, pending_[at_++]);
        ++out.size;
        continue;
      }
      pending_.clear();
      at_ = 0;
      if (!cursor_) return false;
      DEMARCHE_CHECK(context_.check());
      DEMARCHE_CHECK(cursor_->next(rows_));
      if (rows_.size() == 0) return false;
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        const std::size_t before = pending_.size();
        take_row(i);
        if (pending_.size() != before) context_.remember(rows_, i);
      }
    }
    return true;
  }

  void start(std::optional<RowCursor> cursor) {
    cursor_ = std::move(cursor);
    pending_.clear();
    at_ = 0;
  }

  PairFinder finder_;
  RowBatch rows_;
  std::vector<Match> pending_;

 private:
  std::optional<RowCursor> cursor_;
  std::size_t at_ = 0;
};

class ContactScanOp final : public PairScanOp {
 public:
  ContactScanOp(OperatorPtr input, const plan::Node& node, const plan::ContactScan& op, std::size_t slots,
                ExecContext& context)
      : PairScanOp(std::move(input), node, slots, context), op_(op) {}

 protected:
  Result<void> begin_row() override {
    start(std::nullopt);
    if (op_.kinds.none) return {};
    DEMARCHE_TRY(const TimeWindow window, window_of(op_.windows, in(), row(), context_));
    DEMARCHE_TRY(RowCursor cursor, context_.view().timeline(window, op_.kinds.set));
    start(std::move(cursor));
    return {};
  }
  void take_row(std::size_t i) override {
    const InteractionId id = rows_.interaction[i];
    if (is_used(op_.other_edges, in(), row(), id)) return;
    for (const Pair& pair : finder_.find(rows_.parties_of(i), rows_.kind[i], op_.direction)) {
      if (op_.left != op_.right || pair.left == pair.right) pending_.push_back({id, pair});
    }
  }
  void emit(Batch& out, const Match& match) override {
    carry(out);
    out.columns[op_.left].push_back(Value::actor(match.pair.left));
    out.columns[op_.edge].push_back(Value::interaction(match.interaction));
    if (op_.left != op_.right) out.columns[op_.right].push_back(Value::actor(match.pair.right));
  }

 private:
  const plan::ContactScan& op_;
};

class ExpandOp final : public PairScanOp {
 public:
  ExpandOp(OperatorPtr input, const plan::Node& node, const plan::Expand& op, std::size_t slots, ExecContext& context)
      : PairScanOp(std::move(input), node, slots, context), op_(op) {}

 protected:
  Result<void> begin_row() override {
    start(std::nullopt);
    const Value& from = in().at(op_.from, row());
    if (op_.kinds.none || from.kind() != ValueKind::kActor) return {};
    from_ = from.as_actor();
    into_.reset();
    if (op_.into) {
      const Value& to = in().at(op_.to, row());
      if (to.kind() != ValueKind::kActor) return {};
      into_ = to.as_actor();
    }
    DEMARCHE_TRY(const TimeWindow window, window_of(op_.windows, in(), row(), context_));
    DEMARCHE_TRY(RowCursor cursor, context_.view().scan(from_, window, op_.kinds.set));
    start(std::move(cursor));
    return {};
  }
  void take_row(std::size_t i) override {
    const InteractionId id = rows_.interaction[i];
    if (is_used(op_.other_edges, in(), row(), id)) return;
    for (const Pair& pair : finder_.find(rows_.parties_of(i), rows_.kind[i], op_.direction)) {
      const ActorId near = op_.reversed ? pair.right : pair.left;
      const ActorId far = op_.reversed ? pair.left : pair.right;
      if (near == from_ && (!into_ || far == *into_)) pending_.push_back({id, pair});
    }
  }
  void emit(Batch& out, const Match& match) override {
    carry(out);
    out.columns[op_.edge].push_back(Value::interaction(match.interaction));
    if (!op_.into) out.columns[op_.to].push_back(Value::actor(op_.reversed ? match.pair.left : match.pair.right));
  }

 private:
  const plan::Expand& op_;
  ActorId from_;
  std::optional<ActorId> into_;
};

class ExpandInteractionOp final : public RowByRow {
 public:
  ExpandInteractionOp(OperatorPtr input, const plan::Node& node, const plan::ExpandInteraction& op, std::size_t slots,
                      ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), op_(op), finder_(context.view().kinds()) {}

 protected:
  Result<void> begin_row() override {
    pairs_.clear();
    at_ = 0;
    const Value& v = in().at(op_.edge, row());
    if (v.kind() != ValueKind::kInteraction || is_used(op_.other_edges, in(), row(), v.as_interaction())) return {};
    DEMARCHE_TRY(const Interaction* record, context_.interaction(v.as_interaction()));
    if (!op_.kinds.any && !op_.kinds.set.contains(record->kind)) return {};
    const std::vector<Party> parties = parties_of(record->participants);
    for (const Pair& pair : finder_.find(parties, record->kind, op_.direction)) {
      const bool left = !op_.left_bound || same(op_.left, pair.left);
      const bool right = !op_.right_bound || same(op_.right, pair.right);
      const bool loop = op_.left != op_.right || pair.left == pair.right;
      if (left && right && loop) pairs_.push_back(pair);
    }
    return {};
  }
  Result<bool> more(Batch& out) override {
    for (; at_ < pairs_.size() && out.size < kBatchRows; ++at_, ++out.size) {
      carry(out);
      if (!op_.left_bound) out.columns[op_.left].push_back(Value::actor(pairs_[at_].left));
      if (!op_.right_bound && op_.right != op_.left) out.columns[op_.right].push_back(Value::actor(pairs_[at_].right));
    }
    return at_ < pairs_.size();
  }

 private:
  [[nodiscard]] bool same(Slot slot, ActorId id) const {
    const Value& v = in().at(slot, row());
    return v.kind() == ValueKind::kActor && v.as_actor() == id;
  }

  const plan::ExpandInteraction& op_;
  PairFinder finder_;
  std::vector<Pair> pairs_;
  std::size_t at_ = 0;
};

}  // namespace

OperatorPtr make_scan(const plan::Node& node, OperatorPtr input, std::size_t slots, ExecContext& context) {
  if (OperatorPtr columnar = make_contact_op(node, input, slots, context)) return columnar;
  if (const auto* actors = std::get_if<plan::ActorScan>(&node.op)) {
    return std::make_unique<ActorScanOp>(std::move(input), node, *actors, slots, context);
  }
  if (const auto* interactions = std::get_if<plan::InteractionScan>(&node.op)) {
    return std::make_unique<InteractionScanOp>(std::move(input), node, *interactions, slots, context);
  }
  if (const auto* contacts = std::get_if<plan::ContactScan>(&node.op)) {
    return std::make_unique<ContactScanOp>(std::move(input), node, *contacts, slots, context);
  }
  if (const auto* expand = std::get_if<plan::Expand>(&node.op)) {
    return std::make_unique<ExpandOp>(std::move(input), node, *expand, slots, context);
  }
  return std::make_unique<ExpandInteractionOp>(std::move(input), node, std::get<plan::ExpandInteraction>(node.op),
                                               slots, context);
}

}  // namespace demarche::query

// Operators over the columns of the contact index: for patterns without an arrow in statements that only read. Others,
// and what is found by key, are in scan.cc.

#include <algorithm>
#include <optional>
#include <utility>

#include "query/exec/adjacency.h"
#include "query/exec/operators.h"
#include "query/exec/pairs.h"

namespace demarche::query {

namespace {

// What a timeline scan of pairs and of interactions have in common.
class TimelineOp : public RowByRow {
 public:
  using RowByRow::RowByRow;

 protected:
  Result<void> start(const std::vector<plan::WindowTerm>& windows, ContactScanOptions& options) {
    at_ = 0;
    lines_.size = 0;
    scan_.reset();
    DEMARCHE_ASSIGN(options.window, window_of(windows, in(), row(), context_));
    DEMARCHE_TRY(ContactScan scan, ContactScan::timeline(context_.view(), options));
    scan_ = std::move(scan);
    blocks_ = 0;
    return {};
  }
  // Lines to hand out from at_ on; false at the end.
  Result<bool> refill() {
    if (at_ < lines_.size) return true;
    at_ = 0;
    DEMARCHE_CHECK(context_.check_now_and_then());
    DEMARCHE_TRY(const bool any, scan_->next(lines_));
    context_.reads.blocks += scan_->blocks() - blocks_;
    blocks_ = scan_->blocks();
    return any;
  }
  void remember_line(std::size_t i) {
    context_.remember(
        {InteractionId{lines_.interaction[i]}, KindId{lines_.kind[i]}, lines_.dated[i] != 0, lines_.bounds[i]});
  }
  // The carried values of the input row for so many rows more.
  void carry_all(Batch& out, std::size_t rows) {
    for (const Slot slot : node_.carried) out.columns[slot].insert(out.columns[slot].end(), rows, in().at(slot, row()));
  }

  std::optional<ContactScan> scan_;
  ContactLines lines_;
  std::size_t at_ = 0;
  std::uint64_t blocks_ = 0;
};

class PairTimelineOp final : public TimelineOp {
 public:
  PairTimelineOp(OperatorPtr input, const plan::Node& node, const plan::ContactScan& op, std::size_t slots,
                 ExecContext& context)
      : TimelineOp(std::move(input), node, slots, context),
        op_(op),
        options_(contact_options(op.kinds, context, node.reads.facts)) {}

 protected:
  Result<void> begin_row() override {
    collect_used(op_.other_edges, in(), row(), used_);
    return start(op_.windows, options_);
  }
  Result<bool> more(Batch& out) override {
    const std::size_t before = out.size;
    while (out.size < kBatchRows) {
      DEMARCHE_TRY(const bool any, refill());
      if (!any) {
        carry_all(out, out.size - before);
        return false;
      }
      for (; at_ < lines_.size && out.size < kBatchRows; ++at_) take_line(out);
    }
    carry_all(out, out.size - before);
    return true;
  }

 private:
  void take_line(Batch& out) {
    const std::uint64_t a = lines_.actor[at_];
    const std::uint64_t b = lines_.other[at_];
    if (!used_.empty() && std::find(used_.begin(), used_.end(), lines_.interaction[at_]) != used_.end()) return;
    if (op_.left == op_.right) {
      if (a == b) emit(out, a, b);
    } else {
      emit(out, std::min(a, b), std::max(a, b));
      if (a != b) emit(out, std::max(a, b), std::min(a, b));
    }
  }
  void emit(Batch& out, std::uint64_t left, std::uint64_t right) {
    if (node_.reads.left) out.columns[op_.left].push_back(Value::actor({left}));
    if (node_.reads.right && op_.left != op_.right) out.columns[op_.right].push_back(Value::actor({right}));
    if (node_.reads.edge) out.columns[op_.edge].push_back(Value::interaction({lines_.interaction[at_]}));
    if (node_.reads.facts) remember_line(at_);
    ++out.size;
  }

  const plan::ContactScan& op_;
  ContactScanOptions options_;
  std::vector<std::uint64_t> used_;
};

class InteractionTimelineOp final : public TimelineOp {
 public:
  InteractionTimelineOp(OperatorPtr input, const plan::Node& node, const plan::InteractionScan& op, std::size_t slots,
                        ExecContext& context)
      : TimelineOp(std::move(input), node, slots, context), op_(op) {
    options_ = contact_options(op.kinds, context, node.reads.facts);
    options_.interactions = true;
  }

 protected:
  Result<void> begin_row() override { return start(op_.windows, options_); }
  Result<bool> more(Batch& out) override {
    while (out.size < kBatchRows) {
      DEMARCHE_TRY(const bool any, refill());
      if (!any) return false;
      const std::size_t rows = std::min(lines_.size - at_, kBatchRows - out.size);
      carry_all(out, rows);
      for (std::size_t i = at_; i < at_ + rows; ++i) {
        if (node_.reads.edge) out.columns[op_.slot].push_back(Value::interaction({lines_.interaction[i]}));
        if (node_.reads.facts) remember_line(i);
      }
      at_ += rows;
      out.size += rows;
    }
    return true;
  }

 private:
  const plan::InteractionScan& op_;
  ContactScanOptions options_;
};

class CountKindsOp final : public RowByRow {
 public:
  CountKindsOp(OperatorPtr input, const plan::Node& node, const plan::CountKinds& op, std::size_t slots,
               ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), op_(op) {}

 protected:
  Result<void> begin_row() override {
    DEMARCHE_TRY(const KindCounts all, count_kinds(context_.view(), {Timestamp::lowest(), Timestamp::highest()}));
    counts_.clear();
    std::int64_t total = 0;
    for (std::size_t id = 0; id < all.counts.size(); ++id) {
      const KindId kind{static_cast<std::uint32_t>(id)};
      if (all.counts[id] == 0 || !op_.kinds.set.contains(kind)) continue;
      counts_.emplace_back(kind, static_cast<std::int64_t>(all.counts[id]));
      total += counts_.back().second;
    }
    if (!op_.by_kind) counts_.assign(1, {KindId{}, total});
    at_ = 0;
    return {};
  }
  Result<bool> more(Batch& out) override {
    for (; at_ < counts_.size() && out.size < kBatchRows; ++at_, ++out.size) {
      if (op_.by_kind) out.columns[op_.name].push_back(context_.kind_name(counts_[at_].first));
      for (const Slot slot : op_.counts) out.columns[slot].push_back(Value::integer(counts_[at_].second));
    }
    return at_ < counts_.size();
  }

 private:
  const plan::CountKinds& op_;
  std::vector<std::pair<KindId, std::int64_t>> counts_;
  std::size_t at_ = 0;
};

class ContactExpandOp final : public RowByRow {
 public:
  ContactExpandOp(OperatorPtr input, const plan::Node& node, const plan::Expand& op, std::size_t slots,
                  ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), op_(op), adjacency_(op.kinds, node.reads.facts, context) {}

 protected:
  Result<void> begin_row() override {
    at_ = 0;
    end_ = 0;
    lines_ = {};
    const Value& from = in().at(op_.from, row());
    if (from.kind() != ValueKind::kActor) return {};
    const Value* to = op_.into ? &in().at(op_.to, row()) : nullptr;
    if (to != nullptr && to->kind() != ValueKind::kActor) return {};
    DEMARCHE_CHECK(context_.check_now_and_then());
    DEMARCHE_TRY(const TimeWindow window, window_of(op_.windows, in(), row(), context_));
    DEMARCHE_ASSIGN(list_, adjacency_.of(from.as_actor(), window));
    end_ = list_->size();
    if (to != nullptr) {
      lines_ = list_->with(to->as_actor().value);
      end_ = lines_.size();
    }
    if (end_ > 0) collect_used(op_.other_edges, in(), row(), used_);
    return {};
  }

  Result<bool> more(Batch& out) override {
    const std::size_t before = out.size;
    const std::size_t last = std::min(end_, at_ + (kBatchRows - out.size));
    if (op_.into) {
      for (; at_ < last; ++at_) emit(out, lines_[at_]);
    } else if (used_.empty() && !node_.reads.facts) {
      take_all(out, last);
    } else {
      for (; at_ < last; ++at_) emit(out, at_);
    }
    const std::size_t rows = out.size - before;
    for (const Slot slot : node_.carried) out.columns[slot].insert(out.columns[slot].end(), rows, in().at(slot, row()));
    return at_ < end_;
  }

 private:
  void take_all(Batch& out, std::size_t last) {
    if (node_.reads.right) {
      for (std::size_t i = at_; i < last; ++i) out.columns[op_.to].push_back(Value::actor({list_->other[i]}));
    }
    if (node_.reads.edge) {
      for (std::size_t i = at_; i < last; ++i) {
        out.columns[op_.edge].push_back(Value::interaction({list_->interaction[i]}));
      }
    }
    out.size += last - at_;
    at_ = last;
  }
  void emit(Batch& out, std::size_t i) {
    const std::uint64_t id = list_->interaction[i];
    for (const std::uint64_t used : used_) {
      if (used == id) return;
    }
    if (node_.reads.right && !op_.into) out.columns[op_.to].push_back(Value::actor({list_->other[i]}));
    if (node_.reads.edge) out.columns[op_.edge].push_back(Value::interaction({id}));
    if (node_.reads.facts) remember(context_, *list_, i);
    ++out.size;
  }

  const plan::Expand& op_;
  Adjacency adjacency_;
  ContactListPtr list_;
  std::span<const std::uint32_t> lines_;  // of list_, with `into`
  std::vector<std::uint64_t> used_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};

}  // namespace

OperatorPtr make_contact_op(const plan::Node& node, OperatorPtr& input, std::size_t slots, ExecContext& context) {
  if (const auto* count = std::get_if<plan::CountKinds>(&node.op)) {
    return std::make_unique<CountKindsOp>(std::move(input), node, *count, slots, context);
  }
  if (context.transaction != nullptr) return nullptr;
  if (const auto* contacts = std::get_if<plan::ContactScan>(&node.op)) {
    if (contacts->direction != ast::Direction::kEither || contacts->kinds.none) return nullptr;
    return std::make_unique<PairTimelineOp>(std::move(input), node, *contacts, slots, context);
  }
  if (const auto* expand = std::get_if<plan::Expand>(&node.op)) {
    if (expand->direction != ast::Direction::kEither || expand->kinds.none) return nullptr;
    return std::make_unique<ContactExpandOp>(std::move(input), node, *expand, slots, context);
  }
  if (const auto* scan = std::get_if<plan::InteractionScan>(&node.op)) {
    const bool is_bound = std::find(node.carried.begin(), node.carried.end(), scan->slot) != node.carried.end();
    if (scan->key || scan->kinds.none || scan->is_bound || is_bound) return nullptr;
    return std::make_unique<InteractionTimelineOp>(std::move(input), node, *scan, slots, context);
  }
  return nullptr;
}

}  // namespace demarche::query

// DISTINCT and grouping.

#include <utility>

#include "query/exec/aggregate.h"
#include "query/exec/columns.h"
#include "query/exec/evaluate.h"
#include "query/exec/grouping.h"
#include "query/exec/one_input.h"

namespace demarche::query {

namespace {

class DistinctOp final : public OneInput<plan::Distinct> {
 public:
  DistinctOp(OperatorPtr input, const plan::Node& node, const plan::Distinct& op, std::size_t slots,
             ExecContext& context)
      : OneInput(std::move(input), node, op, slots, context), groups_(op.slots.size()) {}

  Result<void> next(Batch& out) override {
    out.clear();
    while (out.size == 0) {
      DEMARCHE_CHECK(context_.check());
      DEMARCHE_CHECK(input_->next(in_));
      if (in_.size == 0) return {};
      columns_.clear();
      for (const Slot slot : op_.slots) columns_.push_back(&in_.columns[slot]);
      std::size_t next = groups_.size();
      DEMARCHE_CHECK(groups_.number(columns_, in_.size, context_, numbers_));
      for (std::size_t row = 0; row < in_.size; ++row) {
        if (numbers_[row] != next) continue;  // new ones are numbered in order
        ++next;
        out.copy_row(in_, row, op_.slots);
        ++out.size;
      }
    }
    return {};
  }

 private:
  Groups groups_;
  std::vector<const ColumnValues*> columns_;
  std::vector<std::uint32_t> numbers_;
};

class AggregateOp final : public OneInput<plan::Aggregate> {
 public:
  AggregateOp(OperatorPtr input, const plan::Node& node, const plan::Aggregate& op, std::size_t slots,
              ExecContext& context)
      : OneInput(std::move(input), node, op, slots, context), groups_(op.keys.size()) {}

  Result<void> next(Batch& out) override {
    out.clear();
    if (!std::exchange(drained_, true)) DEMARCHE_CHECK(drain());
    for (; out.size < kBatchRows && next_group_ < groups_.size(); ++next_group_, ++out.size) {
      for (std::size_t i = 0; i < op_.keys.size(); ++i) {
        out.columns[op_.keys[i].slot].push_back(groups_.value(next_group_, i));
      }
      for (std::size_t i = 0; i < op_.aggregates.size(); ++i) {
        out.columns[op_.aggregates[i].slot].push_back(accumulators_[i][next_group_].result());
      }
    }
    return {};
  }

 private:
  Result<void> drain() {
    accumulators_.resize(op_.aggregates.size());
    std::vector<ColumnValues> keys(op_.keys.size());
    std::vector<const ColumnValues*> columns;
    for (const ColumnValues& column : keys) columns.push_back(&column);
    std::vector<std::uint32_t> numbers;
    while (true) {
      DEMARCHE_CHECK(context_.check());
      DEMARCHE_CHECK(input_->next(in_));
      if (in_.size == 0) break;
      for (std::size_t i = 0; i < keys.size(); ++i) {
        DEMARCHE_CHECK(evaluate_column(*op_.keys[i].expression, in_, context_, keys[i]));
      }
      DEMARCHE_CHECK(groups_.number(columns, in_.size, context_, numbers));
      make_accumulators();
      for (std::size_t i = 0; i < accumulators_.size(); ++i) DEMARCHE_CHECK(add(i, numbers));
    }
    if (op_.keys.empty() && groups_.size() == 0) {  // count(*) of nothing is 0, not no row
      groups_.add_empty();
      make_accumulators();
    }
    return {};
  }

  void make_accumulators() {
    for (std::size_t i = 0; i < accumulators_.size(); ++i) {
      while (accumulators_[i].size() < groups_.size()) accumulators_[i].emplace_back(op_.aggregates[i]);
    }
  }

  Result<void> add(std::size_t i, const std::vector<std::uint32_t>& numbers) {
    std::vector<Accumulator>& groups = accumulators_[i];
    const bound::ExprPtr& argument = op_.aggregates[i].argument;
    if (!argument) {
      if (op_.keys.empty()) {
        groups.front().add_rows(in_.size);
      } else {
        for (const std::uint32_t group : numbers) groups[group].add_rows(1);
      }
      return {};
    }
    const auto* ref = std::get_if<bound::SlotRef>(&argument->node);
    if (ref == nullptr) DEMARCHE_CHECK(evaluate_column(*argument, in_, context_, argument_));
    const ColumnValues& column = ref == nullptr ? argument_ : in_.columns[ref->slot];
    for (std::size_t row = 0; row < in_.size; ++row) {
      DEMARCHE_CHECK(groups[numbers[row]].add(column[row], context_));
    }
    return {};
  }

  bool drained_ = false;
  Groups groups_;
  std::vector<std::vector<Accumulator>> accumulators_;  // by aggregate, then by group
  ColumnValues argument_;
  std::size_t next_group_ = 0;
};

}  // namespace

OperatorPtr make_grouping(const plan::Node& node, OperatorPtr input, std::size_t slots, ExecContext& context) {
  if (const auto* distinct = std::get_if<plan::Distinct>(&node.op)) {
    return std::make_unique<DistinctOp>(std::move(input), node, *distinct, slots, context);
  }
  return std::make_unique<AggregateOp>(std::move(input), node, std::get<plan::Aggregate>(node.op), slots, context);
}

}  // namespace demarche::query

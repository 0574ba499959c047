#include "query/exec/operators.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "query/exec/aggregate.h"
#include "query/exec/evaluate.h"

namespace demarche::query {

namespace {

class SingleRowOp final : public Operator {
 public:
  Result<void> next(Batch& out) override {
    out.clear();
    out.size = std::exchange(done_, true) ? 0 : 1;
    return {};
  }

 private:
  bool done_ = false;
};

// What every operator with one input has.
template <typename Op>
class OneInput : public Operator {
 public:
  OneInput(OperatorPtr input, const plan::Node& node, const Op& op, std::size_t slots, ExecContext& context)
      : context_(context), node_(node), op_(op), input_(std::move(input)), in_(slots) {}

 protected:
  ExecContext& context_;
  const plan::Node& node_;
  const Op& op_;
  OperatorPtr input_;
  Batch in_;
};

class FilterOp final : public OneInput<plan::Filter> {
 public:
  using OneInput::OneInput;

  Result<void> next(Batch& out) override {
    out.clear();
    while (out.size == 0) {
      DEMARCHE_CHECK(context_.check());
      DEMARCHE_CHECK(input_->next(in_));
      if (in_.size == 0) return {};
      for (std::size_t row = 0; row < in_.size; ++row) {
        DEMARCHE_TRY(const bool keep, holds(row));
        if (!keep) continue;
        out.copy_row(in_, row, node_.carried);
        ++out.size;
      }
    }
    return {};
  }

 private:
  Result<bool> holds(std::size_t row) {
    for (const bound::ExprPtr& condition : op_.conditions) {
      DEMARCHE_TRY(const Truth truth, evaluate_truth(*condition, in_, row, context_));
      if (truth != Truth::kTrue) return false;
    }
    return true;
  }
};

class ProjectOp final : public OneInput<plan::Project> {
 public:
  using OneInput::OneInput;

  Result<void> next(Batch& out) override {
    out.clear();
    DEMARCHE_CHECK(context_.check());
    DEMARCHE_CHECK(input_->next(in_));
    for (const bound::Assignment& item : op_.items) {
      DEMARCHE_CHECK(evaluate_column(*item.expression, in_, context_, out.columns[item.slot]));
    }
    for (const Slot slot : node_.carried) out.columns[slot] = std::move(in_.columns[slot]);
    out.size = in_.size;
    return {};
  }
};

// A row as key of a hash table: DISTINCT and grouping take null as equal to null.
struct RowKey {
  ValueList values;
  friend bool operator==(const RowKey& a, const RowKey& b) {
    return std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(), equivalent);
  }
};
struct RowKeyHash {
  std::size_t operator()(const RowKey& key) const {
    return std::accumulate(key.values.begin(), key.values.end(), std::size_t{17},
                           [](std::size_t h, const Value& v) { return h * 1099511628211ULL ^ hash_of(v); });
  }
};

std::size_t extra_rows(const ValueList& values) {
  return std::accumulate(values.begin(), values.end(), std::size_t{0},
                         [](std::size_t n, const Value& v) { return n + extra_rows(v); });
}

RowKey key_of(const Batch& batch, std::size_t row, const std::vector<Slot>& slots) {
  RowKey key;
  key.values.reserve(slots.size());
  for (const Slot slot : slots) key.values.push_back(batch.at(slot, row));
  return key;
}

class DistinctOp final : public OneInput<plan::Distinct> {
 public:
  using OneInput::OneInput;

  Result<void> next(Batch& out) override {
    out.clear();
    while (out.size == 0) {
      DEMARCHE_CHECK(context_.check());
      DEMARCHE_CHECK(input_->next(in_));
      if (in_.size == 0) return {};
      for (std::size_t row = 0; row < in_.size; ++row) {
        const auto [key, fresh] = seen_.insert(key_of(in_, row, op_.slots));
        if (!fresh) continue;
        DEMARCHE_CHECK(context_.hold_rows(1 + extra_rows(key->values)));
        out.copy_row(in_, row, op_.slots);
        ++out.size;
      }
    }
    return {};
  }

 private:
  std::unordered_set<RowKey, RowKeyHash> seen_;
};

class AggregateOp final : public OneInput<plan::Aggregate> {
 public:
  using OneInput::OneInput;

  Result<void> next(Batch& out) override {
    out.clear();
    if (!drained_) DEMARCHE_CHECK(drain());
    for (; out.size < kBatchRows && next_group_ < groups_.size(); ++next_group_) {
      Group& group = groups_[next_group_];
      for (std::size_t i = 0; i < op_.keys.size(); ++i) out.columns[op_.keys[i].slot].push_back(group.key->values[i]);
      for (std::size_t i = 0; i < op_.aggregates.size(); ++i) {
        out.columns[op_.aggregates[i].slot].push_back(group.accumulators[i].result());
      }
      ++out.size;
    }
    return {};
  }

 private:
  struct Group {
    const RowKey* key = nullptr;  // stands in index_
    std::vector<Accumulator> accumulators;
  };

  Group& group_for(RowKey key) {
    const auto [it, fresh] = index_.try_emplace(std::move(key), groups_.size());
    if (fresh) {
      groups_.push_back({&it->first, {}});
      for (const bound::Aggregate& aggregate : op_.aggregates) groups_.back().accumulators.emplace_back(aggregate);
    }
    return groups_[it->second];
  }

  Result<void> drain() {
    drained_ = true;
    std::vector<ColumnValues> keys(op_.keys.size());
    std::vector<ColumnValues> arguments(op_.aggregates.size());
    const Value none;
    while (true) {
      DEMARCHE_CHECK(context_.check());
      DEMARCHE_CHECK(input_->next(in_));
      if (in_.size == 0) break;
      for (std::size_t i = 0; i < keys.size(); ++i) {
        DEMARCHE_CHECK(evaluate_column(*op_.keys[i].expression, in_, context_, keys[i]));
      }
      for (std::size_t i = 0; i < arguments.size(); ++i) {
        const bound::ExprPtr& argument = op_.aggregates[i].argument;
        if (argument) DEMARCHE_CHECK(evaluate_column(*argument, in_, context_, arguments[i]));
      }
      for (std::size_t row = 0; row < in_.size; ++row) {
        RowKey key;
        for (const ColumnValues& column : keys) key.values.push_back(column[row]);
        const std::size_t before = groups_.size();
        Group& group = group_for(std::move(key));
        if (groups_.size() != before) DEMARCHE_CHECK(context_.hold_rows(1 + extra_rows(group.key->values)));
        for (std::size_t i = 0; i < arguments.size(); ++i) {
          DEMARCHE_CHECK(group.accumulators[i].add(op_.aggregates[i].argument ? arguments[i][row] : none, context_));
        }
      }
    }
    if (op_.keys.empty() && groups_.empty()) (void)group_for({});  // count(*) of nothing is 0, not no row
    return {};
  }

  bool drained_ = false;
  std::unordered_map<RowKey, std::size_t, RowKeyHash> index_;
  std::vector<Group> groups_;
  std::size_t next_group_ = 0;
};

// Sorts all rows, or keeps the first skip + limit of them in a heap.
class SortOp final : public OneInput<plan::Sort> {
 public:
  using OneInput::OneInput;

  Result<void> next(Batch& out) override {
    out.clear();
    if (!drained_) DEMARCHE_CHECK(drain());
    for (; out.size < kBatchRows && next_row_ < rows_.size(); ++next_row_, ++out.size) {
      Row& row = rows_[next_row_];
      for (std::size_t i = 0; i < node_.carried.size(); ++i)
        out.columns[node_.carried[i]].push_back(std::move(row.carried[i]));
    }
    return {};
  }

 private:
  struct Row {
    ValueList keys;
    ValueList carried;
    std::size_t position = 0;  // ties stay in the order they came
  };

  [[nodiscard]] bool before(const Row& a, const Row& b) const {
    for (std::size_t i = 0; i < op_.keys.size(); ++i) {
      const int c = order(a.keys[i], b.keys[i]);
      if (c != 0) return op_.keys[i].descending ? c > 0 : c < 0;
    }
    return a.position < b.position;
  }

  Result<void> drain() {
    drained_ = true;
    std::size_t rows_max = static_cast<std::size_t>(-1);
    if (op_.limit) {
      DEMARCHE_ASSIGN(rows_max, evaluate_count(*op_.limit, context_));
      if (op_.skip) {
        DEMARCHE_TRY(const std::size_t skip, evaluate_count(*op_.skip, context_));
        rows_max = rows_max > static_cast<std::size_t>(-1) - skip ? static_cast<std::size_t>(-1) : rows_max + skip;
      }
    }
    const auto less = [this](const Row& a, const Row& b) { return before(a, b); };
    std::vector<ColumnValues> keys(op_.keys.size());
    std::size_t position = 0;
    while (true) {
      DEMARCHE_CHECK(context_.check());
      DEMARCHE_CHECK(input_->next(in_));
      if (in_.size == 0) break;
      for (std::size_t i = 0; i < keys.size(); ++i) {
        DEMARCHE_CHECK(evaluate_column(*op_.keys[i].expression, in_, context_, keys[i]));
      }
      for (std::size_t r = 0; r < in_.size; ++r) {
        Row row;
        row.position = position++;
        for (const ColumnValues& column : keys) row.keys.push_back(column[r]);
        if (rows_.size() >= rows_max) {  // full: only what comes before the last of the heap enters
          if (rows_max == 0 || !before(row, rows_.front())) continue;
          std::pop_heap(rows_.begin(), rows_.end(), less);
          rows_.pop_back();
        } else {
          DEMARCHE_CHECK(context_.hold_rows(1));
        }
        for (const Slot slot : node_.carried) row.carried.push_back(in_.at(slot, r));
        if (!op_.limit) DEMARCHE_CHECK(context_.hold_rows(extra_rows(row.carried)));
        rows_.push_back(std::move(row));
        if (op_.limit) std::push_heap(rows_.begin(), rows_.end(), less);
      }
    }
    std::sort(rows_.begin(), rows_.end(), less);
    return {};
  }

  bool drained_ = false;
  std::vector<Row> rows_;
  std::size_t next_row_ = 0;
};

class SkipOp final : public OneInput<plan::Skip> {
 public:
  using OneInput::OneInput;

  Result<void> next(Batch& out) override {
    out.clear();
    if (!counted_) DEMARCHE_ASSIGN(left_, evaluate_count(*op_.count, context_));
    counted_ = true;
    while (out.size == 0) {
      DEMARCHE_CHECK(input_->next(in_));
      if (in_.size == 0) return {};
      const std::size_t dropped = std::min(left_, in_.size);
      left_ -= dropped;
      for (std::size_t row = dropped; row < in_.size; ++row, ++out.size) out.copy_row(in_, row, node_.carried);
    }
    return {};
  }

 private:
  bool counted_ = false;
  std::size_t left_ = 0;
};

class LimitOp final : public OneInput<plan::Limit> {
 public:
  using OneInput::OneInput;

  Result<void> next(Batch& out) override {
    out.clear();
    if (!counted_) DEMARCHE_ASSIGN(left_, evaluate_count(*op_.count, context_));
    counted_ = true;
    if (left_ == 0) {
      // A statement that writes does so for every row, whatever is shown of it.
      while (context_.transaction != nullptr) {
        DEMARCHE_CHECK(input_->next(in_));
        if (in_.size == 0) break;
      }
      return {};
    }
    DEMARCHE_CHECK(input_->next(in_));
    const std::size_t rows = std::min(left_, in_.size);
    for (std::size_t row = 0; row < rows; ++row) out.copy_row(in_, row, node_.carried);
    out.size = rows;
    left_ -= rows;
    return {};
  }

 private:
  bool counted_ = false;
  std::size_t left_ = 0;
};

class UnwindOp final : public RowByRow {
 public:
  UnwindOp(OperatorPtr input, const plan::Node& node, const plan::Unwind& op, std::size_t slots, ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), op_(op) {}

 protected:
  Result<void> begin_row() override {
    at_ = 0;
    DEMARCHE_ASSIGN(list_, evaluate(*op_.list, in(), row(), context_));
    if (!list_.is_null() && list_.kind() != ValueKind::kList) list_ = Value::list({list_});
    return {};
  }
  Result<bool> more(Batch& out) override {
    if (list_.is_null()) return false;
    const ValueList& items = list_.as_list();
    for (; at_ < items.size() && out.size < kBatchRows; ++at_, ++out.size) {
      carry(out);
      out.columns[op_.slot].push_back(items[at_]);
    }
    return at_ < items.size();
  }

 private:
  const plan::Unwind& op_;
  Value list_;
  std::size_t at_ = 0;
};

}  // namespace

Result<void> RowByRow::next(Batch& out) {
  out.clear();
  while (out.size < kBatchRows && out.weight < kBatchWeightMax) {
    if (!row_open_) {
      if (row_ + 1 < in_.size) {
        ++row_;
      } else {
        if (out.size > 0) return {};  // hand on what is there before asking for more
        DEMARCHE_CHECK(context_.check());
        DEMARCHE_CHECK(input_->next(in_));
        row_ = 0;
        if (in_.size == 0) return {};
      }
      DEMARCHE_CHECK(begin_row());
      row_open_ = true;
    }
    DEMARCHE_ASSIGN(row_open_, more(out));
  }
  return {};
}

OperatorPtr make_operator(const plan::Node& node, std::size_t slots, ExecContext& context, const Batch* argument) {
  OperatorPtr input = node.input ? make_operator(*node.input, slots, context, argument) : nullptr;
  return std::visit(
      [&](const auto& op) -> OperatorPtr {
        using T = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<T, plan::SingleRow>) {
          return std::make_unique<SingleRowOp>();
        } else if constexpr (std::is_same_v<T, plan::Argument>) {
          return make_argument_row(node, *argument);
        } else if constexpr (std::is_same_v<T, plan::Apply> || std::is_same_v<T, plan::Union> ||
                             std::is_same_v<T, plan::CallProcedure>) {
          return make_apply(node, std::move(input), slots, context);
        } else if constexpr (std::is_same_v<T, plan::Filter>) {
          return std::make_unique<FilterOp>(std::move(input), node, op, slots, context);
        } else if constexpr (std::is_same_v<T, plan::Project>) {
          return std::make_unique<ProjectOp>(std::move(input), node, op, slots, context);
        } else if constexpr (std::is_same_v<T, plan::Aggregate>) {
          return std::make_unique<AggregateOp>(std::move(input), node, op, slots, context);
        } else if constexpr (std::is_same_v<T, plan::Distinct>) {
          return std::make_unique<DistinctOp>(std::move(input), node, op, slots, context);
        } else if constexpr (std::is_same_v<T, plan::Sort>) {
          return std::make_unique<SortOp>(std::move(input), node, op, slots, context);
        } else if constexpr (std::is_same_v<T, plan::Skip>) {
          return std::make_unique<SkipOp>(std::move(input), node, op, slots, context);
        } else if constexpr (std::is_same_v<T, plan::Limit>) {
          return std::make_unique<LimitOp>(std::move(input), node, op, slots, context);
        } else if constexpr (std::is_same_v<T, plan::Unwind>) {
          return std::make_unique<UnwindOp>(std::move(input), node, op, slots, context);
        } else if constexpr (std::is_same_v<T, plan::MakePath> || std::is_same_v<T, plan::Walk>) {
          return make_walk(node, std::move(input), slots, context);
        } else if constexpr (std::is_same_v<T, plan::Create> || std::is_same_v<T, plan::Record> ||
                             std::is_same_v<T, plan::Correct> || std::is_same_v<T, plan::Update> ||
                             std::is_same_v<T, plan::Delete> || std::is_same_v<T, plan::Merge>) {
          return make_write(node, std::move(input), slots, context);
        } else {
          return make_scan(node, std::move(input), slots, context);
        }
      },
      node.op);
}

}  // namespace demarche::query

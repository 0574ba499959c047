#include "query/exec/operators.h"

#include <algorithm>
#include <utility>

#include "query/exec/columns.h"
#include "query/exec/evaluate.h"
#include "query/exec/one_input.h"

namespace demarche::query {

namespace {

class SingleRowOp final : public Operator {
 public:
  Result<void> next(Batch& out) override {
    out.clear();
    out.size = std::exchange(done_, true) ? 0 : 1;
    return {};
  }
  bool rewind() override {
    done_ = false;
    return true;
  }

 private:
  bool done_ = false;
};

class FilterOp final : public OneInput<plan::Filter> {
 public:
  using OneInput::OneInput;
  bool rewind() override { return input_->rewind(); }

  Result<void> next(Batch& out) override {
    out.clear();
    while (out.size == 0) {
      DEMARCHE_CHECK(context_.check());
      DEMARCHE_CHECK(input_->next(in_));
      if (in_.size == 0) return {};
      select_all(in_, rows_);
      for (const bound::ExprPtr& condition : op_.conditions) {
        if (!rows_.empty()) DEMARCHE_CHECK(keep_true(*condition, in_, context_, rows_));
      }
      for (const Slot slot : node_.carried) take(in_.columns[slot], out.columns[slot]);
      out.size = rows_.size();
    }
    return {};
  }

 private:
  // The rows kept, moved to the front.
  void take(ColumnValues& from, ColumnValues& to) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i] != i) from[i] = std::move(from[rows_[i]]);
    }
    from.resize(rows_.size());
    std::swap(from, to);
  }

  RowNumbers rows_;
};

class ProjectOp final : public OneInput<plan::Project> {
 public:
  using OneInput::OneInput;
  bool rewind() override { return input_->rewind(); }

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

class SkipOp final : public OneInput<plan::Skip> {
 public:
  using OneInput::OneInput;
  bool rewind() override {
    counted_ = false;
    return input_->rewind();
  }

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
  bool rewind() override {
    counted_ = false;
    return input_->rewind();
  }

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
    for (const Slot slot : node_.carried) {
      in_.columns[slot].resize(rows);
      std::swap(in_.columns[slot], out.columns[slot]);
    }
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
        } else if constexpr (std::is_same_v<T, plan::Aggregate> || std::is_same_v<T, plan::Distinct>) {
          return make_grouping(node, std::move(input), slots, context);
        } else if constexpr (std::is_same_v<T, plan::Sort>) {
          return make_sort(node, std::move(input), slots, context);
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

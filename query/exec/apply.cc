// Operators that run others for each row, or ask a procedure.

#include <utility>

#include "query/exec/evaluate.h"
#include "query/exec/operators.h"
#include "query/exec/procedures.h"

namespace demarche::query {

namespace {

class ArgumentOp final : public Operator {
 public:
  ArgumentOp(const plan::Node& node, const Batch& argument) : node_(node), argument_(argument) {}

  Result<void> next(Batch& out) override {
    out.clear();
    if (std::exchange(done_, true)) return {};
    out.copy_row(argument_, 0, node_.carried);
    out.size = 1;
    return {};
  }
  bool rewind() override {
    done_ = false;
    return true;
  }

 private:
  const plan::Node& node_;
  const Batch& argument_;
  bool done_ = false;
};

// Runs chains of operators for the current row, one after the other.
class InnerRows : public RowByRow {
 public:
  InnerRows(OperatorPtr input, const plan::Node& node, std::size_t slots, ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), slots_(slots), argument_(slots), found_(slots) {}
  bool rewind() override {
    if (inner_) context_.let_go_to(held_before_);
    inner_.reset();
    return RowByRow::rewind();
  }

 protected:
  void open(const plan::Node& inner, const std::vector<Slot>& carried) {
    argument_.clear();
    argument_.copy_row(in(), row(), carried);
    argument_.size = 1;
    held_before_ = context_.held();
    inner_ = make_operator(inner, slots_, context_, &argument_);
  }
  // Appends the next rows; false when there are no more, and what they held is let go.
  Result<bool> take(Batch& out, const std::vector<Slot>& made) {
    DEMARCHE_CHECK(inner_->next(found_));
    for (std::size_t i = 0; i < found_.size; ++i, ++out.size) {
      carry(out);
      out.copy_row(found_, i, made);
    }
    out.weight += found_.weight;
    if (found_.size > 0) return true;
    inner_.reset();
    context_.let_go_to(held_before_);
    return false;
  }

 private:
  std::size_t slots_;
  Batch argument_;
  Batch found_;
  OperatorPtr inner_;
  Held held_before_;
};

class ApplyOp final : public InnerRows {
 public:
  ApplyOp(OperatorPtr input, const plan::Node& node, const plan::Apply& op, std::size_t slots, ExecContext& context)
      : InnerRows(std::move(input), node, slots, context), op_(op) {}

 protected:
  Result<void> begin_row() override {
    open(*op_.inner, op_.given);
    any_ = false;
    return {};
  }
  Result<bool> more(Batch& out) override {
    DEMARCHE_TRY(const bool found, take(out, op_.made));
    any_ = any_ || found;
    if (found || any_ || !op_.optional) return found;
    carry(out);
    for (const Slot slot : op_.made) out.columns[slot].emplace_back();
    ++out.size;
    return false;
  }

 private:
  const plan::Apply& op_;
  bool any_ = false;  // found for this row
};

class UnionOp final : public InnerRows {
 public:
  UnionOp(OperatorPtr input, const plan::Node& node, const plan::Union& op, std::size_t slots, ExecContext& context)
      : InnerRows(std::move(input), node, slots, context), op_(op) {}

 protected:
  Result<void> begin_row() override {
    part_ = 0;
    open(*op_.parts[0], op_.given);
    return {};
  }
  Result<bool> more(Batch& out) override {
    DEMARCHE_TRY(const bool found, take(out, op_.made));
    if (found) return true;
    if (++part_ == op_.parts.size()) return false;
    open(*op_.parts[part_], op_.given);
    return true;
  }

 private:
  const plan::Union& op_;
  std::size_t part_ = 0;
};

class CallProcedureOp final : public RowByRow {
 public:
  CallProcedureOp(OperatorPtr input, const plan::Node& node, const plan::CallProcedure& op, std::size_t slots,
                  ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), call_(op.call) {}

 protected:
  Result<void> begin_row() override {
    std::vector<Value> arguments;
    for (std::size_t i = 0; i < call_.arguments.size(); ++i) {
      DEMARCHE_TRY(Value v, evaluate(*call_.arguments[i], in(), row(), context_));
      DEMARCHE_CHECK(check_argument(*call_.procedure, i, v, call_.arguments[i]->span));
      arguments.push_back(std::move(v));
    }
    DEMARCHE_ASSIGN(rows_, call_procedure(*call_.procedure, arguments, call_.span, context_));
    at_ = 0;
    return {};
  }
  Result<bool> more(Batch& out) override {
    for (; at_ < rows_.size() && out.size < kBatchRows; ++at_, ++out.size) {
      carry(out);
      for (const auto& [column, slot] : call_.columns) out.columns[slot].push_back(rows_[at_][column]);
    }
    return at_ < rows_.size();
  }

 private:
  const bound::CallProcedure& call_;
  std::vector<ValueList> rows_;
  std::size_t at_ = 0;
};

}  // namespace

OperatorPtr make_argument_row(const plan::Node& node, const Batch& argument) {
  return std::make_unique<ArgumentOp>(node, argument);
}

OperatorPtr make_apply(const plan::Node& node, OperatorPtr input, std::size_t slots, ExecContext& context) {
  if (const auto* apply = std::get_if<plan::Apply>(&node.op)) {
    return std::make_unique<ApplyOp>(std::move(input), node, *apply, slots, context);
  }
  if (const auto* parts = std::get_if<plan::Union>(&node.op)) {
    return std::make_unique<UnionOp>(std::move(input), node, *parts, slots, context);
  }
  return std::make_unique<CallProcedureOp>(std::move(input), node, std::get<plan::CallProcedure>(node.op), slots,
                                           context);
}

}  // namespace demarche::query

// Operators: each pulls batches from the one before and hands out its own.
#pragma once

#include <memory>

#include "engine/result.h"
#include "query/exec/batch.h"
#include "query/exec/context.h"
#include "query/plan/plan.h"

namespace demarche::query {

class Operator {
 public:
  Operator() = default;
  virtual ~Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;
  // Replaces `out` with the next rows. No rows means the end; it is not called again after that.
  [[nodiscard]] virtual Result<void> next(Batch& out) = 0;
  // Sets the chain back to its beginning, for another argument row. False: it cannot, and must be made anew.
  [[nodiscard]] virtual bool rewind() { return false; }
};
using OperatorPtr = std::unique_ptr<Operator>;

// The chain of operators for a plan. `node` and `context` must outlive it.
// `argument`: the one row that plan::Argument stands for; must outlive the chain.
[[nodiscard]] OperatorPtr make_operator(const plan::Node& node, std::size_t slot_count, ExecContext& context,
                                        const Batch* argument = nullptr);

// Parts of make_operator() that stand in files of their own.
[[nodiscard]] OperatorPtr make_scan(const plan::Node& node, OperatorPtr input, std::size_t slot_count,
                                    ExecContext& context);
// A timeline or expansion over the columns of the contact index; null, with `input` left alone, where that cannot be.
[[nodiscard]] OperatorPtr make_contact_op(const plan::Node& node, OperatorPtr& input, std::size_t slot_count,
                                          ExecContext& context);
// MakePath and Walk.
[[nodiscard]] OperatorPtr make_walk(const plan::Node& node, OperatorPtr input, std::size_t slot_count,
                                    ExecContext& context);
// Apply, Union and CallProcedure.
[[nodiscard]] OperatorPtr make_apply(const plan::Node& node, OperatorPtr input, std::size_t slot_count,
                                     ExecContext& context);
[[nodiscard]] OperatorPtr make_argument_row(const plan::Node& node, const Batch& argument);
// Aggregate and Distinct.
[[nodiscard]] OperatorPtr make_grouping(const plan::Node& node, OperatorPtr input, std::size_t slot_count,
                                        ExecContext& context);
[[nodiscard]] OperatorPtr make_sort(const plan::Node& node, OperatorPtr input, std::size_t slot_count,
                                    ExecContext& context);
[[nodiscard]] OperatorPtr make_write(const plan::Node& node, OperatorPtr input, std::size_t slot_count,
                                     ExecContext& context);

// An operator that makes any number of rows of each input row. It asks `begin_row()` once for each, then `more()` until
// that says no; rows are handed on when a batch is full.
class RowByRow : public Operator {
 public:
  RowByRow(OperatorPtr input, const plan::Node& node, std::size_t slot_count, ExecContext& context)
      : context_(context), node_(node), input_(std::move(input)), in_(slot_count) {}
  [[nodiscard]] Result<void> next(Batch& out) final;
  [[nodiscard]] bool rewind() override {
    row_ = 0;
    row_open_ = false;
    in_.clear();
    return input_->rewind();
  }

 protected:
  [[nodiscard]] virtual Result<void> begin_row() = 0;
  // Appends rows for the current input row; true while there may be more of them.
  [[nodiscard]] virtual Result<bool> more(Batch& out) = 0;

  [[nodiscard]] const Batch& in() const { return in_; }
  [[nodiscard]] std::size_t row() const { return row_; }
  // Copies what the plan carries; the caller adds its own slots and counts the row.
  void carry(Batch& out) const { out.copy_row(in_, row_, node_.carried); }

  ExecContext& context_;
  const plan::Node& node_;

 private:
  OperatorPtr input_;
  Batch in_;
  std::size_t row_ = 0;
  bool row_open_ = false;
};

}  // namespace demarche::query

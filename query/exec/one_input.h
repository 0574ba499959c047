// What every operator with one input has.
#pragma once

#include <utility>

#include "query/exec/operators.h"

namespace demarche::query {

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

}  // namespace demarche::query

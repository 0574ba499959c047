// Functions of texts, lists and numbers: those that need no store.
#pragma once

#include <string>
#include <vector>

#include "engine/result.h"
#include "query/bind/bound.h"
#include "query/exec/context.h"

namespace demarche::query {

// REQUIRES: the number of arguments is one that `def` allows; none is null.
[[nodiscard]] Result<Value> call_scalar_function(const FunctionDef& def, const std::vector<Value>& arguments, Span span,
                                                 ExecContext& context);

// Text of a value as toString() gives it; strings bare; "" for what it does not take.
[[nodiscard]] std::string to_text(const Value& value);

}  // namespace demarche::query

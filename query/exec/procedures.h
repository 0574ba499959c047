// What the procedures of bind/procedure_table.h answer.
#pragma once

#include <vector>

#include "engine/result.h"
#include "query/bind/procedure_table.h"
#include "query/exec/context.h"
#include "query/parse/ast.h"

namespace demarche::query {

// Errors: InvalidArgumentType if `v` cannot stand for argument `i`.
[[nodiscard]] Result<void> check_argument(const ProcedureDef& procedure, std::size_t i, const Value& v, Span span);

// Rows of the procedure's columns. `span`: the call, for errors. REQUIRES: the arguments are of the signature.
[[nodiscard]] Result<std::vector<ValueList>> call_procedure(const ProcedureDef& procedure,
                                                            const std::vector<Value>& arguments, Span span,
                                                            ExecContext& context);

}  // namespace demarche::query

// The procedures on graphs of contacts: what they answer. What is computed is in engine/algorithms/.
#pragma once

#include <vector>

#include "engine/result.h"
#include "query/bind/procedure_table.h"
#include "query/exec/context.h"
#include "query/parse/ast.h"

namespace demarche::query {

// Rows in order of period, then of actor id; those of a shortest path in order of the path. Stops as the query does.
// Errors: those of the options (graph_request.h) and of the algorithm. REQUIRES: asks_a_graph(procedure.id); `options`
// is a map or null.
[[nodiscard]] Result<std::vector<ValueList>> call_graph_procedure(const ProcedureDef& procedure, const Value& options,
                                                                  Span span, ExecContext& context);

}  // namespace demarche::query

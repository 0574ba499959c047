// What the functions of bind/function_table.h compute.
#pragma once

#include <vector>

#include "engine/result.h"
#include "query/bind/bound.h"
#include "query/exec/context.h"

namespace demarche::query {

// REQUIRES: the number of arguments is one that `def` allows; def is no aggregate and not certainty().
[[nodiscard]] Result<Value> call_function(const FunctionDef& def, const std::vector<Value>& arguments, Span span,
                                          ExecContext& context);

// The interaction's or actor's own fields and properties, by name.
[[nodiscard]] Result<Value> actor_property(ActorId id, const std::string& key, ExecContext& context);
[[nodiscard]] Result<Value> interaction_property(InteractionId id, const std::string& key, ExecContext& context);
// All of them as a map, as properties() gives it. Errors: TypeError for what has none.
[[nodiscard]] Result<Value> all_properties(const Value& v, ExecContext& context, Span span);
[[nodiscard]] bool has_labels(const bound::LabelTest& test, const std::vector<std::string>& labels);

}  // namespace demarche::query

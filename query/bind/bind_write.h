// Binds SET, REMOVE, DELETE and MERGE.
#pragma once

#include <vector>

#include "query/bind/bind_expression.h"

namespace demarche::query {

[[nodiscard]] Result<bound::Update> bind_update(const ast::Update& node, const Scope& scope,
                                                const BindContext& context);
[[nodiscard]] Result<bound::Delete> bind_delete(const ast::Delete& node, const Scope& scope,
                                                const BindContext& context);

[[nodiscard]] Result<bound::Correct> bind_correct(const ast::Clause& clause, const ast::Correct& node,
                                                  const BindContext& context);

// What a pattern must be so that MERGE could create it; `scope`: before it is bound. To be asked before
// bind_merge(), since binding the pattern as one to be found takes names that are there already for granted.
[[nodiscard]] Result<void> check_merge(const ast::Merge& node, const Scope& scope);
// `match`: the pattern bound as one to be found; `scope`: before, `after`: with its variables.
[[nodiscard]] Result<bound::Merge> bind_merge(const ast::Merge& node, bound::Match match, const Scope& scope,
                                              const Scope& after, const BindContext& context);

}  // namespace demarche::query

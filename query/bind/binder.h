// Syntax tree to bound query: scopes, kinds, functions, aggregation; everything that is wrong whatever the data is.
#pragma once

#include <string_view>

#include "engine/kind.h"
#include "engine/result.h"
#include "query/bind/bound.h"
#include "query/parse/ast.h"

namespace demarche::query {

// `text` is what `query` was parsed from, for messages and column names.
[[nodiscard]] Result<bound::Query> bind_query(const ast::Query& query, std::string_view text, const KindTable& kinds);

}  // namespace demarche::query

// FOR VALID_TIME and FOR SYSTEM_TIME before a statement: the view that its clauses then read.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "engine/store.h"
#include "query/exec/context.h"
#include "query/parse/ast.h"

namespace demarche::query {

struct HeadedView {
  std::shared_ptr<const View> view;
  std::vector<std::string> lines;    // for EXPLAIN, one a head
  std::vector<std::string> notices;  // for people
};

// The store as the heads of a statement show it; without heads `now`, the store's state. `as_of`: the system time of a
// statement that has no such head; empty: none.
// Errors, with their place: a date that does not read, a system time that is vague or of the wrong type, a window that
// ends before it begins, a commit that is not there; those of the expressions.
[[nodiscard]] Result<HeadedView> apply_time_heads(const ast::Query& statement, std::string_view text,
                                                  const Store& store, std::shared_ptr<const View> now,
                                                  const Parameters& parameters, const std::string& as_of);

// See query.h.
[[nodiscard]] Result<std::shared_ptr<const View>> view_as_of(const Store& store, std::string_view system_time);

}  // namespace demarche::query

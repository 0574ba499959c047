// What each operator of a running query has done, for PROFILE.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "query/exec/operators.h"

namespace demarche::query {

// Of one operator together with those it pulls from.
struct OperatorWork {
  std::uint64_t rows = 0;
  std::uint64_t calls = 0;
  std::int64_t nanos = 0;
  StorageReads reads;
};

// By node of the plan; an operator that is run for many rows adds up.
struct Profile {
  std::unordered_map<const plan::Node*, OperatorWork> work;
};

// Wraps an operator so that what it does is added to `work`, which must outlive it.
[[nodiscard]] OperatorPtr make_profiled(OperatorPtr op, OperatorWork& work, ExecContext& context);

// As a table, a line of the plan a row: the operator, rows expected and made, milliseconds, blocks, records and keys
// read, each without what it pulls from. The queries inside expressions stand below with what they did by themselves;
// it is part of the operator that asks them.
[[nodiscard]] std::vector<std::string> profile_columns();
[[nodiscard]] std::vector<std::vector<Value>> profile_rows(const Profile& profile, const plan::Plan& plan,
                                                           std::string_view text);

}  // namespace demarche::query

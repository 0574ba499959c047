// Checks the bench itself: the limit and the store's side against the plainest computation of each answer, both forms
// of the inner loops against each other, the generator against what it promises, and that a wrong answer is noticed.
#pragma once

#include <string>

#include "engine/result.h"

namespace demarche::bench {

// Works in `folder`, which must not hold anything else. Some seconds. The error says what was wrong.
[[nodiscard]] Result<void> self_check(const std::string& folder);

}  // namespace demarche::bench

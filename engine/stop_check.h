// Asked now and then by whatever works for long: an error it returns ends the work, and is what the work returns.
#pragma once

#include <functional>

#include "engine/result.h"

namespace demarche {

using StopCheck = std::function<Result<void>()>;  // empty: never stops

[[nodiscard]] inline Result<void> check_stop(const StopCheck& stop) { return stop ? stop() : Result<void>(); }

}  // namespace demarche

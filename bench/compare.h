// Says where two answers differ; nullopt if they are equal.
#pragma once

#include <optional>
#include <string>

#include "bench/workload.h"

namespace demarche::bench {

[[nodiscard]] std::optional<std::string> difference(const ContactSum& limit, const ContactSum& product);
[[nodiscard]] std::optional<std::string> difference(const ReachSum& limit, const ReachSum& product);
[[nodiscard]] std::optional<std::string> difference(const TopPairs& limit, const TopPairs& product);
[[nodiscard]] std::optional<std::string> difference(const KindMonths& limit, const KindMonths& product);

}  // namespace demarche::bench

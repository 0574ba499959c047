// The part of the damage test that runs in a process of its own (crash_writer damage), because RocksDB may end it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace demarche::tests {

inline constexpr std::uint64_t kFlips = 2000;
inline constexpr std::uint64_t kCutsPerFile = 6;
// A MANIFEST cut between two of its records may look like one that ended there, so it is cut in steps shorter than
// those.
inline constexpr std::uint64_t kManifestStepBytes = 40;

// How many damages there are for the store `store_template`: kFlips bits turned over, then each file removed and cut,
// then the MANIFEST cut all along.
[[nodiscard]] std::uint64_t damage_count(const std::string& store_template);

// Damages number `from` up to, not including, `to`, each to a copy in `folder` of a store with transactions 1 to
// `commits` of `seed`, which is then opened and read.
void run_damage(const std::string& folder, const std::string& store_template, std::uint64_t seed, std::uint64_t commits,
                std::uint64_t from, std::uint64_t to, const std::function<void(const std::string&)>& say);

}  // namespace demarche::tests

// The part of the I/O error test that runs in a process of its own (crash_writer fault), because RocksDB may end it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace demarche::tests {

// For each N from `from` up to, not including, `to`: a store below FOLDER/N/s, its disk failing at the N-th change,
// once or (every third N) from then on. `store_template`: a store with transactions 1 to `commits` of `seed`, which is
// copied; "" stands for none: the store is made. Afterwards the disk is mended and the store compared with the model.
void run_faults(const std::string& folder, const std::string& store_template, std::uint64_t seed, std::uint64_t commits,
                std::uint64_t from, std::uint64_t to, const std::function<void(const std::string&)>& say);

inline constexpr std::uint64_t kFaultCommits = 70;  // at most so many more are tried

}  // namespace demarche::tests

// What a store costs besides answering: opening it, memory, disk, writing to it, reading what was just written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/limit.h"
#include "bench/measure.h"
#include "bench/stored_copy.h"
#include "bench/workload.h"
#include "engine/result.h"

namespace demarche::bench {

struct OpenCost {
  double wall_seconds = 0;
  double cpu_seconds = 0;
  Memory before;
  Memory after;  // the caches are empty as yet
};

// Opens the store in this process, read only, and prints the cost to standard output for open_cost() to read.
[[nodiscard]] Result<void> print_open_cost(const std::string& path);
// Medians over `rounds` processes, each of which opens the store once: `program` with --open-only. The files are in the
// operating system's memory from the second on.
[[nodiscard]] Result<OpenCost> open_cost(const std::string& program, const std::string& path, std::size_t rounds);

struct DiskCost {
  double bytes = 0;                   // an interaction, all files
  double log_bytes = 0;               // of these, in write-ahead logs
  std::vector<FamilyBytes> families;  // all interactions together; empty if the store does not tell
};
[[nodiscard]] Result<DiskCost> disk_cost(const std::string& path, std::size_t interactions,
                                         const std::vector<FamilyBytes>& families);

struct WriteCost {
  double seconds_each_by_1000 = 0;  // CPU, 1,000 interactions a commit, synced
  double seconds_each_by_one = 0;   // CPU, one a commit, not synced
  std::size_t tail = 0;             // interactions appended by the thousand: 1 % of the store
  Paired hub_with_tail;             // a hub's window: all as loaded (`limit`) against the store with the tail
};
// Works on a copy of the store beside it, which is removed afterwards. Answers are checked: what was appended is there.
[[nodiscard]] Result<WriteCost> write_cost(const StoredCopy& copy, const Shape& shape, const Dataset& data,
                                           const Limit& limit, const Questions& questions, std::size_t rounds);

}  // namespace demarche::bench

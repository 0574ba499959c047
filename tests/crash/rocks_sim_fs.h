// RocksDB on a SimDisk: its file system, and ways to spoil the store's writes, put in through engine/impl/rocks_env.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace demarche::tests {

enum class WriteMutant : std::uint8_t {
  kNone,
  kLogOff,  // the write-ahead log is left out
  kSplit,   // a batch is written in two
};

struct RocksTuning {
  std::size_t write_buffer_bytes = 0;  // 0: as the store has it; small ones make it flush and compact often
  WriteMutant mutant = WriteMutant::kNone;
};

// From now on every store of this process that stands on a mounted SimDisk does its file operations there; the others
// are as before but for the tuning. No store may be open.
void tune_rocks(const RocksTuning& tuning);

}  // namespace demarche::tests

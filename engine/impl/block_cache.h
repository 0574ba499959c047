// Blocks of actors in memory, ready to be read: the whole directory of an actor, its blocks parsed. Above the
// database's own cache, because a seek there (some 4 us) costs more than reading what it finds.
//
// A directory belongs to an epoch: sealing replaces blocks and raises the epoch of the actors it touched. A view finds
// only what is of its own epoch or of one before that no sealing has touched since. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/impl/tail.h"

namespace demarche::impl {

// The sealed blocks of one owner by length class, each class in order of key.
struct BlockDirectory {
  std::array<std::vector<LoadedBlock>, kLengthClassCount> classes;
  std::size_t bytes = 0;  // of memory
  std::uint64_t rows = 0;
};

struct BlockCacheStatistics {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t bytes = 0;
  std::uint64_t directories = 0;
};

class BlockCache {
 public:
  explicit BlockCache(std::size_t capacity_bytes) : capacity_per_shard_(capacity_bytes / kShards) {}

  // Null if it is not there for `epoch`.
  [[nodiscard]] std::shared_ptr<const BlockDirectory> find(std::uint64_t owner, std::uint64_t epoch);
  // Keeps a directory read in `epoch`, unless a sealing has touched the owner since or it is too large to keep.
  void insert(std::uint64_t owner, std::uint64_t epoch, std::shared_ptr<const BlockDirectory> directory);
  // The sealing that begins `epoch` has replaced blocks of these owners. Call before views of that epoch are handed
  // out.
  void touch(std::span<const std::uint64_t> owners, std::uint64_t epoch);
  // As touch(), for all owners.
  void clear(std::uint64_t epoch);
  [[nodiscard]] BlockCacheStatistics statistics() const;

 private:
  static constexpr std::size_t kShards = 16;
  struct Entry {
    std::uint64_t owner = 0;
    std::shared_ptr<const BlockDirectory> directory;
    bool used = false;  // since it came to the front
  };
  struct Shard {
    std::mutex mutex;         // guards the rest
    std::list<Entry> recent;  // the last one goes first, unless it was used since it came: then it comes again
    std::unordered_map<std::uint64_t, std::list<Entry>::iterator> found;
    std::unordered_map<std::uint64_t, std::uint64_t> touched;  // owner -> epoch of the last sealing that touched it
    std::uint64_t all_touched = 0;                             // the same of every owner
    std::size_t bytes = 0;
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;

    [[nodiscard]] std::uint64_t last_touched(std::uint64_t owner) const {
      const auto at = touched.find(owner);
      return at == touched.end() ? all_touched : at->second;
    }
  };
  Shard& shard_of(std::uint64_t owner) { return shards_[(owner * 0x9E3779B97F4A7C15ULL) >> 60]; }

  std::size_t capacity_per_shard_;
  mutable std::array<Shard, kShards> shards_;
};

}  // namespace demarche::impl

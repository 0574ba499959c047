#include "engine/impl/block_cache.h"

#include <iterator>
#include <utility>

namespace demarche::impl {

std::shared_ptr<const BlockDirectory> BlockCache::find(std::uint64_t owner, std::uint64_t epoch) {
  Shard& shard = shard_of(owner);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.found.find(owner);
  if (at != shard.found.end()) {
    // What is kept is of the last epoch that touched the owner: too new for a view from before it.
    if (shard.last_touched(owner) <= epoch) {
      ++shard.hits;
      at->second->used = true;  // moving it would touch its neighbours in the list
      return at->second->directory;
    }
  }
  ++shard.misses;
  return nullptr;
}

void BlockCache::insert(std::uint64_t owner, std::uint64_t epoch, std::shared_ptr<const BlockDirectory> directory) {
  Shard& shard = shard_of(owner);
  const std::lock_guard lock(shard.mutex);
  if (shard.last_touched(owner) > epoch) return;
  if (directory->bytes > capacity_per_shard_ || shard.found.contains(owner)) return;
  while (shard.bytes + directory->bytes > capacity_per_shard_) {
    Entry& oldest = shard.recent.back();
    if (std::exchange(oldest.used, false)) {
      shard.recent.splice(shard.recent.begin(), shard.recent, std::prev(shard.recent.end()));
      continue;
    }
    shard.bytes -= oldest.directory->bytes;
    shard.found.erase(oldest.owner);
    shard.recent.pop_back();
  }
  shard.bytes += directory->bytes;
  shard.recent.push_front({owner, std::move(directory), false});
  shard.found.emplace(owner, shard.recent.begin());
}

void BlockCache::touch(std::span<const std::uint64_t> owners, std::uint64_t epoch) {
  for (const std::uint64_t owner : owners) {
    Shard& shard = shard_of(owner);
    const std::lock_guard lock(shard.mutex);
    shard.touched[owner] = epoch;
    const auto at = shard.found.find(owner);
    if (at == shard.found.end()) continue;
    shard.bytes -= at->second->directory->bytes;
    shard.recent.erase(at->second);
    shard.found.erase(at);
  }
}

void BlockCache::clear(std::uint64_t epoch) {
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    shard.recent.clear();
    shard.found.clear();
    shard.touched.clear();
    shard.all_touched = epoch;
    shard.bytes = 0;
  }
}

BlockCacheStatistics BlockCache::statistics() const {
  BlockCacheStatistics out;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    out.hits += shard.hits;
    out.misses += shard.misses;
    out.bytes += shard.bytes;
    out.directories += shard.recent.size();
  }
  return out;
}

}  // namespace demarche::impl

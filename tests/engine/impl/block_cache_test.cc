// Directories belong to epochs: no view may be given one that is newer or older than what it reads.
#include "engine/impl/block_cache.h"

#include <map>
#include <memory>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

namespace {

using namespace demarche::impl;

constexpr std::size_t kLarge = std::size_t{1} << 30;

std::shared_ptr<const BlockDirectory> directory_of(std::size_t bytes, std::uint64_t mark = 0) {
  auto out = std::make_shared<BlockDirectory>();
  out->bytes = bytes;
  out->rows = mark;
  return out;
}

void touch(BlockCache& cache, std::uint64_t owner, std::uint64_t epoch) {
  const std::vector<std::uint64_t> owners = {owner};
  cache.touch(owners, epoch);
}

}  // namespace

TEST_CASE("block cache: what was kept is found, and counted") {
  BlockCache cache(kLarge);
  CHECK(cache.find(7, 0) == nullptr);
  const auto kept = directory_of(100);
  cache.insert(7, 0, kept);
  CHECK(cache.find(7, 0) == kept);
  CHECK(cache.find(7, 5) == kept);  // no sealing has touched the owner since
  CHECK(cache.find(8, 0) == nullptr);
  const BlockCacheStatistics s = cache.statistics();
  CHECK(s.hits == 2);
  CHECK(s.misses == 2);
  CHECK(s.bytes == 100);
  CHECK(s.directories == 1);
}

TEST_CASE("block cache: a sealing takes the directory away, from old views and new ones") {
  BlockCache cache(kLarge);
  cache.insert(7, 0, directory_of(100));
  const auto untouched = directory_of(50);
  cache.insert(8, 0, untouched);
  touch(cache, 7, 1);
  CHECK(cache.find(7, 0) == nullptr);
  CHECK(cache.find(7, 1) == nullptr);
  CHECK(cache.find(8, 0) == untouched);
  CHECK(cache.find(8, 1) == untouched);
  CHECK(cache.statistics().bytes == 50);
}

TEST_CASE("block cache: an old view neither gets a newer directory nor leaves its own to newer views") {
  BlockCache cache(kLarge);
  touch(cache, 7, 3);
  cache.insert(7, 2, directory_of(10));  // read before the sealing, kept too late
  CHECK(cache.find(7, 2) == nullptr);
  CHECK(cache.find(7, 3) == nullptr);
  CHECK(cache.statistics().directories == 0);
  const auto fresh = directory_of(20);
  cache.insert(7, 3, fresh);
  CHECK(cache.find(7, 2) == nullptr);
  CHECK(cache.find(7, 3) == fresh);
  CHECK(cache.find(7, 4) == fresh);
  cache.insert(7, 2, directory_of(30));  // and an old view does not replace it
  CHECK(cache.find(7, 4) == fresh);
  CHECK(cache.statistics().bytes == 20);
}

TEST_CASE("block cache: what touches all owners is as if each was touched") {
  BlockCache cache(kLarge);
  touch(cache, 7, 1);
  cache.insert(7, 1, directory_of(10));
  cache.insert(8, 1, directory_of(10));
  cache.clear(2);
  for (const std::uint64_t owner : {7, 8, 9}) {
    CHECK(cache.find(owner, 1) == nullptr);
    CHECK(cache.find(owner, 2) == nullptr);
    cache.insert(owner, 1, directory_of(10));  // too late
    CHECK(cache.find(owner, 1) == nullptr);
    const auto fresh = directory_of(20);
    cache.insert(owner, 2, fresh);
    CHECK(cache.find(owner, 1) == nullptr);
    CHECK(cache.find(owner, 2) == fresh);
  }
  CHECK(cache.statistics().bytes == 60);
  touch(cache, 7, 3);
  CHECK(cache.find(7, 3) == nullptr);
  CHECK(cache.find(8, 3) != nullptr);
}

TEST_CASE("block cache: what was used longest ago goes when the bytes do not suffice") {
  // Owners of one shard: those whose hash has the same four high bits.
  std::vector<std::uint64_t> owners;
  const auto shard = [](std::uint64_t owner) { return (owner * 0x9E3779B97F4A7C15ULL) >> 60; };
  for (std::uint64_t owner = 1; owners.size() < 4; ++owner) {
    if (shard(owner) == shard(1)) owners.push_back(owner);
  }
  BlockCache cache(16 * 100);  // 100 a shard
  for (std::size_t i = 0; i < 3; ++i) cache.insert(owners[i], 0, directory_of(30));
  CHECK(cache.find(owners[0], 0) != nullptr);  // used again
  cache.insert(owners[3], 0, directory_of(30));
  CHECK(cache.find(owners[0], 0) != nullptr);
  CHECK(cache.find(owners[1], 0) == nullptr);
  CHECK(cache.find(owners[2], 0) != nullptr);
  CHECK(cache.find(owners[3], 0) != nullptr);
  CHECK(cache.statistics().bytes == 90);
  cache.insert(owners[1], 0, directory_of(101));  // too large to keep, takes nothing away
  CHECK(cache.find(owners[1], 0) == nullptr);
  CHECK(cache.statistics().directories == 3);
  cache.insert(owners[1], 0, directory_of(100));  // as large as all of it
  CHECK(cache.find(owners[1], 0) != nullptr);
  CHECK(cache.statistics().bytes == 100);
  CHECK(cache.statistics().directories == 1);
}

TEST_CASE("block cache: random use never mixes epochs and never holds more than it may") {
  const unsigned seed = 1618;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  constexpr std::size_t kCapacity = 16 * 500;
  BlockCache cache(kCapacity);
  std::map<std::uint64_t, std::vector<std::uint64_t>> touched;  // owner -> epochs
  // The state of an owner's blocks as a view of `epoch` reads them: the last sealing it knows of.
  const auto state_at = [&](std::uint64_t owner, std::uint64_t epoch) {
    std::uint64_t out = 0;
    for (const std::uint64_t e : touched[owner]) {
      if (e <= epoch) out = e;
    }
    return out;
  };
  std::uint64_t epoch = 0;
  std::size_t found = 0;
  for (int n = 0; n < 20000; ++n) {
    const std::uint64_t owner = 1 + random() % 40;
    const std::uint64_t view = epoch - std::min<std::uint64_t>(epoch, random() % 3);
    if (random() % 500 == 0) {
      ++epoch;
      for (std::uint64_t o = 1; o <= 40; ++o) touched[o].push_back(epoch);
      cache.clear(epoch);
    }
    switch (random() % 8) {
      case 0: {
        std::vector<std::uint64_t> owners;
        for (std::uint64_t k = random() % 3; k > 0; --k) owners.push_back(1 + random() % 40);
        ++epoch;
        for (const std::uint64_t o : owners) touched[o].push_back(epoch);
        cache.touch(owners, epoch);
        break;
      }
      case 1:
      case 2:
      case 3:
        cache.insert(owner, view, directory_of(1 + random() % 300, state_at(owner, view)));
        break;
      default:
        if (const auto got = cache.find(owner, view)) {
          ++found;
          REQUIRE(got->rows == state_at(owner, view));
        }
    }
    REQUIRE(cache.statistics().bytes <= kCapacity);
  }
  CHECK(found > 1000);
}

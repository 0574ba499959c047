// Facts without an end stand apart: a window of contacts reads the blocks that lie in it, and those of the open facts
// once, however many contacts there were before; and an actor's contacts are found without the open facts of others.

#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "engine/impl/block_walk.h"
#include "engine/impl/raw_store.h"
#include "engine/store.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace demarche;
using namespace demarche::impl;

constexpr std::size_t kContacts = 24'000;  // one a day
constexpr std::size_t kTies = 1'500;
constexpr std::int64_t kFirstDay = 0;

template <typename T>
T must(Result<T> r) {
  if (!r) FAIL(r.error().message);
  return std::move(*r);
}

// Contacts of single days between a few actors, and offices that still last, begun all along the way.
void fill(const std::string& path, bool ties) {
  StoreOptions options;
  options.create_if_missing = true;
  options.sync = false;
  auto store = must(Store::open(path, options));
  auto tx = must(store->begin());
  std::vector<ActorId> actors;
  for (int i = 0; i < 20; ++i) {
    Actor actor;
    actor.name = "actor " + std::to_string(i);
    actors.push_back(must(tx->add_actor(std::move(actor))));
  }
  for (std::size_t i = 0; i < kContacts; ++i) {
    Interaction made;
    made.kind = kinds::kMeeting;
    made.when = must(parse_when(format_day(kFirstDay + static_cast<std::int64_t>(i))));
    made.participants = {{actors[i % 10], Role::kParticipant}, {actors[(i + 1) % 10], Role::kParticipant}};
    (void)must(tx->add_interaction(std::move(made)));
    if (!ties || i % (kContacts / kTies) != 0) continue;
    Interaction tie;
    tie.kind = kinds::kHoldsOffice;
    tie.when = must(parse_when(format_day(kFirstDay + static_cast<std::int64_t>(i)) + "/.."));
    tie.participants = {{actors[10 + i % 5], Role::kHolder}, {actors[15 + i % 5], Role::kBody}};
    (void)must(tx->add_interaction(std::move(tie)));
  }
  (void)must(tx->commit("all"));
  tx.reset();
  if (const auto sealed = store->seal(); !sealed) FAIL(sealed.error().message);
}

struct Walked {
  std::size_t blocks = 0;
  std::size_t rows = 0;
};

Walked walk(const std::string& path, std::uint64_t owner, TimeWindow window) {
  const auto kv = must(open_raw(path, {.read_only = true}));
  auto read = std::make_shared<ReadState>();
  read->reader = kv->snapshot();
  read->cache = std::make_shared<BlockCache>(std::size_t{1} << 20);
  BlockWalk blocks(read, owner, window);
  Walked out;
  RowRange range;
  while (must(blocks.next(range)) != nullptr) {
    ++out.blocks;
    out.rows += range.last - range.first;
  }
  return out;
}

TimeWindow days(std::int64_t first, std::int64_t count) {
  return {{first * kSecondsPerDay}, {(first + count) * kSecondsPerDay}};
}

TEST_CASE("open ties: a window reads what lies in it and the open facts, not all that went before") {
  tests::TempFolder folder;
  fill(folder.path("with"), true);
  fill(folder.path("without"), false);
  const std::string with = folder.path("with");
  const std::string without = folder.path("without");
  const std::size_t contact_blocks = walk(without, kTimelineOwner, {}).blocks;
  const std::size_t tie_blocks = walk(with, kTimelineOwner, {}).blocks - contact_blocks;
  REQUIRE(contact_blocks > 20);
  REQUIRE(tie_blocks >= 1);
  for (const std::int64_t first : {100, 12'000, 23'900}) {
    INFO("from day " << first);
    const Walked alone = walk(without, kTimelineOwner, days(first, 30));
    const Walked beside = walk(with, kTimelineOwner, days(first, 30));
    CHECK(alone.blocks <= 2);
    CHECK(alone.rows <= 31);  // the last of the day before reaches to its end
    CHECK(beside.blocks <= alone.blocks + tie_blocks);
    CHECK(beside.rows >= alone.rows);
  }
  // Late in the record all open facts still hold, and are read; early, only those begun by then.
  CHECK(walk(with, kTimelineOwner, days(23'900, 30)).rows > kTies);
  CHECK(walk(with, kTimelineOwner, days(100, 30)).rows < 100);
}

TEST_CASE("open ties: an actor without open facts reads none") {
  tests::TempFolder folder;
  fill(folder.path("with"), true);
  fill(folder.path("without"), false);
  for (const std::uint64_t actor : {1U, 5U, 10U}) {
    const Walked alone = walk(folder.path("without"), actor, days(20'000, 100));
    const Walked beside = walk(folder.path("with"), actor, days(20'000, 100));
    CHECK(beside.blocks == alone.blocks);
    CHECK(beside.rows == alone.rows);
    CHECK(alone.rows > 0);
  }
  CHECK(walk(folder.path("with"), 12, days(20'000, 100)).rows > 0);  // the holder of an office
}

}  // namespace

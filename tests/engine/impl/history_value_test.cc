// Small numbers with their history: what was set is read as of every commit, and damaged bytes are told.
#include "engine/impl/history_value.h"

#include <map>
#include <random>
#include <string>

#include <catch2/catch.hpp>

namespace {

using namespace demarche;
using namespace demarche::impl;

}  // namespace

TEST_CASE("history value: bytes are pairs of commit and number") {
  std::string bytes;
  history_set(bytes, CommitNumber{1}, 7);
  history_set(bytes, CommitNumber{300}, 0);
  CHECK(bytes == std::string("\x01\x07\xAC\x02\x00", 5));
  CHECK(history_at(bytes, CommitNumber{0}) == 0);
  CHECK(history_at(bytes, CommitNumber{1}) == 7);
  CHECK(history_at(bytes, CommitNumber{299}) == 7);
  CHECK(history_at(bytes, CommitNumber{300}) == 0);
}

TEST_CASE("history value: what the same commit said before is replaced") {
  std::string bytes;
  history_set(bytes, CommitNumber{3}, 9);
  const std::string before = bytes;
  history_set(bytes, CommitNumber{4}, 1);
  history_set(bytes, CommitNumber{4}, 2);
  history_set(bytes, CommitNumber{4}, 1'000'000);
  CHECK(history_at(bytes, CommitNumber{4}) == 1'000'000);
  CHECK(history_at(bytes, CommitNumber{3}) == 9);
  CHECK(bytes.starts_with(before));
  CHECK(bytes.size() == before.size() + 4);
}

TEST_CASE("history value: agrees with a map as of every commit") {
  const unsigned seed = 31415;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::string bytes;
    std::map<std::uint64_t, std::uint64_t> model;
    std::uint64_t commit = 1 + random() % 3;
    for (int n = 0; n < 20; ++n) {
      const std::uint64_t number = random() % 4 == 0 ? 0 : random() >> (random() % 64);
      history_set(bytes, CommitNumber{commit}, number);
      model[commit] = number;
      if (random() % 4 != 0) commit += 1 + (random() >> (8 + random() % 56));
      if (commit > (std::uint64_t{1} << 62)) break;
    }
    for (const auto& [at, number] : model) {
      REQUIRE(history_at(bytes, CommitNumber{at}) == number);
      const auto before = model.lower_bound(at);
      const std::uint64_t earlier = before == model.begin() ? 0 : std::prev(before)->second;
      REQUIRE(history_at(bytes, CommitNumber{at - 1}) == earlier);
    }
    REQUIRE(history_at(bytes, CommitNumber{~std::uint64_t{0}}) == model.rbegin()->second);
  }
}

TEST_CASE("history value: bytes that end early or step back are damage") {
  const CommitNumber any{10};
  CHECK_FALSE(history_at("", any));
  CHECK_FALSE(history_at("\x01", any));
  CHECK_FALSE(history_at("\x81", any));
  CHECK_FALSE(history_at(std::string("\x00\x01", 2), any));          // commit 0 writes nothing
  CHECK_FALSE(history_at("\x02\x01\x02\x03", any));                  // the same commit twice
  CHECK_FALSE(history_at("\x02\x01\x01\x03", any));                  // an earlier one behind
  CHECK_FALSE(history_at("\x02\x01\x0B\x03\x04", CommitNumber{1}));  // also behind what was asked for
  CHECK_FALSE(history_at(std::string(11, '\xFF'), any));             // longer than 64 bits
}

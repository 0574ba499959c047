// Retired rows against a map of what was retired when.
#include "engine/impl/retired_rows.h"

#include <map>
#include <memory>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

namespace {

using namespace demarche;
using namespace demarche::impl;

}  // namespace

TEST_CASE("retired rows: an empty set holds nothing and everything is seen") {
  const auto none = std::make_shared<RetiredRows>();
  CHECK(none->empty());
  CHECK(none->size() == 0);
  CHECK_FALSE(none->contains(1, CommitNumber{~std::uint64_t{0}}));
  CHECK_FALSE(none->any_within(0, ~std::uint64_t{0}));
  CHECK(none->with({})->empty());
  const RowVisibility visible{10, CommitNumber{5}, none};
  CHECK(visible.sees(9));
  CHECK_FALSE(visible.sees(10));
  CHECK(visible.sees_all(1, 9));
  CHECK_FALSE(visible.sees_all(1, 10));
}

TEST_CASE("retired rows: agrees with a map, as of every commit, and older sets stay as they were") {
  const unsigned seed = 271828;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  using Model = std::map<std::uint64_t, std::uint64_t>;
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t rows = 50 + random() % 400;
    const std::uint64_t commits = 1 + random() % 60;
    std::vector<std::pair<std::shared_ptr<const RetiredRows>, Model>> versions;
    versions.emplace_back(std::make_shared<RetiredRows>(), Model{});
    for (std::uint64_t commit = 1; commit <= commits; ++commit) {
      Model model = versions.back().second;
      std::vector<RetiredRows::Entry> added;
      for (std::uint64_t n = random() % (commit % 7 == 0 ? 40 : 4); n > 0; --n) {
        const std::uint64_t row = 1 + random() % rows;  // in any order
        if (model.emplace(row, commit).second) added.push_back({row, commit});
      }
      versions.emplace_back(versions.back().first->with(std::move(added)), std::move(model));
    }
    for (const auto& [set, model] : versions) {
      REQUIRE(set->size() == model.size());
      REQUIRE(set->empty() == model.empty());
      for (int n = 0; n < 200; ++n) {
        const std::uint64_t row = random() % (rows + 2);
        const CommitNumber as_of{random() % (commits + 2)};
        const auto at = model.find(row);
        const bool retired = at != model.end() && at->second <= as_of.value;
        REQUIRE(set->contains(row, as_of) == retired);
        const std::uint64_t last = row + random() % 20;
        const auto next = model.lower_bound(row);
        const bool any = next != model.end() && next->first <= last;
        REQUIRE(set->any_within(row, last) == any);
        const RowVisibility visible{rows / 2, as_of, set};
        REQUIRE(visible.sees(row) == (row < rows / 2 && !retired));
        if (visible.sees_all(row, last)) {
          for (std::uint64_t r = row; r <= last; ++r) REQUIRE(visible.sees(r));
        }
        if (last < rows / 2 && !any) REQUIRE(visible.sees_all(row, last));
      }
    }
  }
}

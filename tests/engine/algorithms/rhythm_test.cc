// Silences, bursts and steadiness: by hand, and against the definitions spelled out.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/algorithms/rhythm.h"
#include "engine/edtf.h"
#include "tests/engine/store_fixture.h"
#include "tests/support/temp_folder.h"

namespace demarche {
namespace {

using tests::must;

// Meetings of actors 0 and 1 on these dates; empty: undated.
class Diary {
 public:
  explicit Diary(const std::vector<std::string>& dates) {
    const auto tx = must(store_->begin());
    const ActorId a = must(tx->add_actor({.name = "A"}));
    const ActorId b = must(tx->add_actor({.name = "B"}));
    for (const std::string& date : dates) must(tx->add_interaction(tests::meeting("", date, {b, a})));
    must(tx->commit("diary"));
  }
  [[nodiscard]] ContactGraph graph() const {
    GraphOptions options;
    options.columns.begin = true;
    options.columns.end = true;
    return must(ContactGraph::make(*store_->view(), options));
  }

 private:
  tests::TempFolder folder_;
  std::unique_ptr<Store> store_ = tests::create(folder_.path("s"));
};

std::vector<std::string> silent_days(const std::vector<std::string>& dates, std::int64_t days) {
  const Diary diary(dates);
  std::vector<std::string> out;
  for (const Silence& s : must(silences(diary.graph(), days * kSecondsPerDay))) {
    out.push_back(format_instant(s.first).substr(0, 10) + "/" + format_instant(s.last).substr(0, 10));
  }
  return out;
}

TEST_CASE("silences: stretches on which no reading puts a contact") {
  using Days = std::vector<std::string>;
  CHECK(silent_days({"2016-01-01", "2016-01-05", "2016-01-06"}, 1) == Days{"2016-01-02/2016-01-04"});
  CHECK(silent_days({"2016-01-01", "2016-01-05"}, 4).empty());
  // What may have been on the 4th, or lasted, or is only a month, breaks the silence.
  CHECK(silent_days({"2016-01-01", "[2016-01-04..2016-01-08]", "2016-01-20"}, 1) ==
        Days{"2016-01-02/2016-01-03", "2016-01-09/2016-01-19"});
  CHECK(silent_days({"2016-01-01/2016-01-10", "2016-01-03", "2016-01-12"}, 1) == Days{"2016-01-11/2016-01-11"});
  CHECK(silent_days({"2015-12-20", "2016-01", "2016-01-15", "2016-02-10"}, 1) ==
        Days{"2015-12-21/2015-12-31", "2016-02-01/2016-02-09"});
  // An undated one may have been at any time, an open one lasts for ever.
  CHECK(silent_days({"2016-01-01", "2016-01-05", ""}, 1).empty());
  CHECK(silent_days({"2016-01-01/..", "2016-05-05"}, 1).empty());
  CHECK(silent_days({"2016-01-01"}, 1).empty());
  CHECK(silent_days({}, 1).empty());
}

// Cost of a course of states, straight from the definition.
double cost_of(const std::vector<bool>& fast, const std::vector<double>& gaps, const BurstOptions& options) {
  double all = 0;
  for (const double gap : gaps) all += gap;
  const auto n = static_cast<double>(gaps.size());
  double cost = 0;
  bool before = false;
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    const double rate = (fast[i] ? options.ratio : 1) * n / all;
    if (fast[i] && !before) cost += options.gamma * std::log(n);
    cost += rate * gaps[i] - std::log(rate);
    before = fast[i];
  }
  return cost;
}

TEST_CASE("bursts: the cheapest of all courses") {
  std::mt19937 random(GENERATE(1U, 2U, 3U, 4U, 5U, 6U));
  BurstOptions options;
  options.ratio = 1.5 + static_cast<double>(random() % 4);
  options.gamma = static_cast<double>(random() % 3) / 2;
  std::vector<std::int64_t> days{16'000};
  for (int i = 0; i < 9; ++i) {
    days.push_back(days.back() + static_cast<std::int64_t>(random() % 2 == 0 ? random() % 2 : 5 + random() % 30));
  }
  std::vector<std::string> dates;
  std::vector<double> gaps;
  for (std::size_t i = 0; i < days.size(); ++i) {
    dates.push_back(format_day(days[i]));
    if (i > 0) gaps.push_back(static_cast<double>((days[i] - days[i - 1]) * kSecondsPerDay));
  }
  dates.push_back("2013-11");  // too vague to count
  const Diary diary(dates);
  const auto found = must(bursts(diary.graph(), options));
  std::vector<bool> course(gaps.size(), false);
  for (const Burst& b : found) {
    std::size_t gaps_within = 0;
    for (std::size_t i = 0; i < gaps.size(); ++i) {
      const bool within = days[i] * kSecondsPerDay >= b.begin.seconds && days[i + 1] * kSecondsPerDay <= b.end.seconds;
      if (!within) continue;
      course[i] = true;
      ++gaps_within;
    }
    CHECK(b.contacts >= 2);
    CHECK(b.contacts <= gaps_within + 1);
    CHECK(b.weight >= options.gamma * std::log(static_cast<double>(gaps.size())) - 1e-9);
  }
  double best = std::numeric_limits<double>::max();
  for (std::uint32_t mask = 0; mask < (1U << gaps.size()); ++mask) {
    std::vector<bool> any(gaps.size());
    for (std::size_t i = 0; i < gaps.size(); ++i) any[i] = (mask >> i & 1) != 0;
    best = std::min(best, cost_of(any, gaps, options));
  }
  CHECK(cost_of(course, gaps, options) == Approx(best));
}

TEST_CASE("bursts: none where contacts are even, refusals") {
  std::vector<std::string> even;
  for (int i = 0; i < 10; ++i) even.push_back(format_day(16'000 + 7 * i));
  const Diary diary(even);
  CHECK(must(bursts(diary.graph())).empty());
  CHECK(must(bursts(Diary({"2016-01-01", "2016-01-01"}).graph())).empty());
  CHECK(must(bursts(Diary({}).graph())).empty());
  CHECK(tests::says(tests::refusal(bursts(diary.graph(), {.ratio = 1})), "above 1"));
  CHECK(tests::says(tests::refusal(bursts(diary.graph(), {.gamma = -1})), "0 or more"));
  const StopCheck stop = [] { return Result<void>(make_error(ErrorCode::kCancelled, "enough")); };
  CHECK(tests::refusal(bursts(diary.graph(), {}, stop)).code == ErrorCode::kCancelled);
  CHECK(tests::refusal(silences(diary.graph(), 1, stop)).code == ErrorCode::kCancelled);
}

TEST_CASE("stability: periods with contact, and in a row") {
  const auto graph = [](const std::vector<std::pair<std::uint64_t, std::uint64_t>>& pairs) {
    std::vector<ContactGraph::GivenEdge> given;
    for (const auto& [a, b] : pairs) given.push_back({ActorId{a}, ActorId{b}});
    GraphOptions options;
    options.projection = Projection::kPairs;
    return must(ContactGraph::of_edges(given, options));
  };
  PairStability stability;
  CHECK(stability.lines().empty());
  stability.add(graph({{1, 2}, {3, 2}}));
  stability.add(graph({{2, 1}, {1, 2}}));
  stability.add(graph({}));
  stability.add(graph({{1, 2}, {2, 3}}));
  const auto lines = stability.lines();
  REQUIRE(lines.size() == 2);
  CHECK((lines[0].a == ActorId{1} && lines[0].b == ActorId{2} && lines[0].periods == 3 && lines[0].longest == 2));
  CHECK((lines[1].a == ActorId{2} && lines[1].b == ActorId{3} && lines[1].periods == 2 && lines[1].longest == 1));
}

}  // namespace
}  // namespace demarche

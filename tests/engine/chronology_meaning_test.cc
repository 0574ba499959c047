// Chronological search against what the dates can mean, knowing nothing of bounds: each contact is a list of days on
// which it may have been. STRICT must find a path whenever there is one in order under all readings, and so on, and
// arrive on the same day; departures are found by reading everything backwards. Prints the seed of the instance that
// fails.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/chronology.h"
#include "tests/engine/chronology_random.h"

namespace demarche::tests {

namespace {

// A path under readings: each contact on it was on one of its days, independently of the others.
class MeaningWalk {
 public:
  // back: from the one who is told to whoever set out, latest first; the days read in reverse.
  MeaningWalk(const Instance& x, ChronologyMode mode, int start, bool back = false) : x_(x), mode_(mode), back_(back) {
    walk(start, 0, nullptr, {back ? kForever : kNever});
  }
  std::map<int, int> arrival;  // actor -> day; back: of departure

 private:
  // Are the two in order under all readings? Neighbours on a path suffice: order is transitive.
  bool always_in_order(const Contact& a, const Contact& b) const {
    return std::all_of(a.days.begin(), a.days.end(), [&](int p) {
      return std::all_of(b.days.begin(), b.days.end(),
                         [&](int q) { return p == q ? mode_ != ChronologyMode::kStrict : (p < q) != back_; });
    });
  }

  // `ends`: the days on which the path so far ends under some reading that is in order.
  void walk(int at, unsigned used, const Contact* last, const std::set<int>& ends) {
    if (!seen_.insert({at, used, last, ends}).second) return;
    const int end = (mode_ == ChronologyMode::kPossibly) != back_ ? *ends.begin() : *ends.rbegin();
    const auto known = arrival.find(at);
    if (known == arrival.end() || (back_ ? end > known->second : end < known->second)) arrival[at] = end;
    for (std::size_t i = 0; i < x_.contacts.size(); ++i) {
      const Contact& c = x_.contacts[i];
      if ((used >> i & 1U) != 0 || !c.counts) continue;
      std::set<int> next;
      if (mode_ == ChronologyMode::kPossibly) {
        for (const int d : c.days) {
          if (back_ ? d <= *ends.rbegin() : *ends.begin() <= d) next.insert(d);
        }
      } else if (c.certain && (last == nullptr || always_in_order(*last, c))) {
        next.insert(c.days.begin(), c.days.end());
      }
      if (next.empty()) continue;
      for (const auto& [a, b] : c.pairs) {
        if (a == at) walk(b, used | 1U << i, &c, next);
      }
    }
  }
  const Instance& x_;
  ChronologyMode mode_;
  bool back_;
  std::set<std::tuple<int, unsigned, const Contact*, std::set<int>>> seen_;
};

int day_number(Timestamp t) {
  if (t == Timestamp::lowest()) return kNever;
  if (t == Timestamp::highest()) return kForever;
  return static_cast<int>(t.seconds / kSecondsPerDay - days_from_civil(2015, 12, 31));
}

TEST_CASE("chronology: finds a path if and only if there is one under all, or some, readings of the dates") {
  constexpr unsigned kInstances = 1500;
  const Crowd crowd(900'000, kInstances, false);
  std::map<ChronologyMode, std::size_t> found;
  std::map<ChronologyMode, std::size_t> departed;
  for (const Instance& x : crowd.instances) {
    INFO(describe(x));
    for (const ChronologyMode mode : kModes) {
      for (const int start : {0, 1}) {
        MeaningWalk walk(x, mode, start);
        ChronologyOptions o;
        o.mode = mode;
        const auto all = get(reachable(*crowd.view, x.actors[static_cast<std::size_t>(start)], o));
        INFO("mode " << static_cast<int>(mode) << ", start " << start);
        REQUIRE(all.size() + 1 == walk.arrival.size());
        for (const Arrival& arrival : all) {
          const int actor = static_cast<int>(arrival.actor.value - x.actors[0].value);
          REQUIRE(walk.arrival.count(actor) == 1);
          REQUIRE(day_number(arrival.earliest) == walk.arrival[actor]);
          ++found[mode];
        }
        MeaningWalk back(x, mode, start, true);
        const auto departures = get(reaching(*crowd.view, x.actors[static_cast<std::size_t>(start)], o));
        REQUIRE(departures.size() + 1 == back.arrival.size());
        for (const LatestDeparture& departure : departures) {
          const int actor = static_cast<int>(departure.actor.value - x.actors[0].value);
          REQUIRE(back.arrival.count(actor) == 1);
          REQUIRE(day_number(departure.latest) == back.arrival[actor]);
          ++departed[mode];
        }
      }
    }
  }
  if (std::getenv("DEMARCHE_SEED") != nullptr) return;
  WARN("arrivals: " << found[ChronologyMode::kStrict] << " strict, " << found[ChronologyMode::kDefault]
                    << " by default, " << found[ChronologyMode::kPossibly]
                    << " possibly; as many departures: " << departed[ChronologyMode::kStrict] << ", "
                    << departed[ChronologyMode::kDefault] << ", " << departed[ChronologyMode::kPossibly]);
  for (const auto& [mode, least] : std::map<ChronologyMode, std::size_t>{
           {ChronologyMode::kStrict, 5'900}, {ChronologyMode::kDefault, 7'200}, {ChronologyMode::kPossibly, 11'400}}) {
    CHECK(found[mode] > least);
    CHECK(departed[mode] > least);
  }
  CHECK(found[ChronologyMode::kStrict] < found[ChronologyMode::kDefault]);
  CHECK(found[ChronologyMode::kDefault] < found[ChronologyMode::kPossibly]);
}

}  // namespace

}  // namespace demarche::tests

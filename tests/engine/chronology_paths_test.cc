// Searches for paths (earliest, latest, fastest, shortest; the best, the k best, all the best; within a duration; with
// a filter of hops) against all paths of small random stores. Prints the seed of the instance that fails.
#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/chronology.h"
#include "tests/engine/chronology_random.h"

namespace demarche::tests {

namespace {

constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::max();
constexpr PathOrder kOrders[] = {PathOrder::kEarliest, PathOrder::kLatest, PathOrder::kFastest, PathOrder::kShortest};

// One path, measured by what is written at the top of engine/chronology.h.
struct Walked {
  std::vector<Hop> hops;
  std::int64_t arrival = 0;
  std::int64_t departure = 0;
  std::int64_t duration = 0;

  // The smaller the better.
  std::int64_t value(PathOrder order) const {
    switch (order) {
      case PathOrder::kEarliest:
        return arrival;
      case PathOrder::kLatest:
        return ~departure;
      case PathOrder::kFastest:
        return duration;
      default:
        return static_cast<std::int64_t>(hops.size());
    }
  }
};

// Every path from one actor that uses each interaction once, by the actor it leads to.
class AllPaths {
 public:
  AllPaths(const Instance& x, const ChronologyOptions& o, int start) : x_(x), o_(o) { walk(start, 0, kLow); }
  std::map<int, std::vector<Walked>> paths;

 private:
  void walk(int at, unsigned used, std::int64_t cur) {
    if (!hops_.empty()) keep(at, cur);
    if (hops_.size() >= o_.hops_max) return;
    for (std::size_t i = 0; i < x_.contacts.size(); ++i) {
      if ((used >> i & 1U) != 0) continue;
      const auto next = rule_hop(o_, x_.contacts[i], !hops_.empty(), cur);
      if (!next) continue;
      for (const auto& [a, b] : x_.contacts[i].pairs) {
        if (a != at || b == at) continue;
        const Hop hop{x_.contacts[i].id, x_.actors[static_cast<std::size_t>(a)],
                      x_.actors[static_cast<std::size_t>(b)]};
        if (o_.hop_filter && !get(o_.hop_filter(hop))) continue;
        hops_.push_back(hop);
        contacts_.push_back(&x_.contacts[i]);
        walk(b, used | 1U << i, *next);
        hops_.pop_back();
        contacts_.pop_back();
      }
    }
  }

  void keep(int at, std::int64_t arrival) {
    Walked path{hops_, arrival, 0, 0};
    if (o_.mode == ChronologyMode::kPossibly) {
      measure_possibly(path);
    } else {
      measure(path);
    }
    if (!o_.within_seconds || path.duration <= *o_.within_seconds) paths[at].push_back(std::move(path));
  }

  void measure(Walked& path) const {
    const std::int64_t first = contacts_.front()->bounds.begin_min.seconds;
    const std::int64_t last = contacts_.back()->bounds.end_max.seconds;
    path.departure = kHigh;
    for (const Contact* c : contacts_) {
      const std::int64_t f = c->bounds.begin_min.seconds;
      const std::int64_t day_end = c->bounds.fine_begin || f == kLow ? f : f - f % kSecondsPerDay + kSecondsPerDay - 1;
      path.departure = std::min(path.departure, std::min(day_end, c->bounds.end_max.seconds));
    }
    if (o_.mode == ChronologyMode::kStrict) path.departure = first;
    path.duration = first == kLow || last == kHigh ? kUnknown : last - first;
  }

  // The possible moments of a contact within the window.
  std::vector<TimeRange> members(const Contact& c) const {
    const std::int64_t low = o_.after ? o_.after->begin_min.seconds : kLow;
    std::int64_t high = o_.before ? o_.before->begin_max.seconds : kHigh;
    if (high != kHigh) --high;
    std::vector<TimeRange> out;
    for (const TimeRange& m : c.members) {
      const TimeRange cut{std::max(m.first, Timestamp{low}), std::min(m.last, Timestamp{high})};
      if (cut.first <= cut.last) out.push_back(cut);
    }
    return out;
  }

  // Sets out at each moment at which it could matter to be later; then every contact as soon as it can be.
  void measure_possibly(Walked& path) const {
    path.departure = kLow;
    path.duration = kUnknown;
    for (const Contact* some : contacts_) {
      for (const TimeRange& moment : members(*some)) {
        std::int64_t at = moment.last.seconds;
        bool in_order = true;
        for (std::size_t i = 0; i < contacts_.size() && in_order; ++i) {
          in_order = false;
          for (const TimeRange& m : members(*contacts_[i])) {
            if (m.last.seconds < at) continue;
            in_order = i > 0 || m.first.seconds <= at;  // it sets out at that very moment
            at = std::max(at, m.first.seconds);
            break;
          }
        }
        if (!in_order) continue;
        path.departure = std::max(path.departure, moment.last.seconds);
        if (at == moment.last.seconds) {
          path.duration = 0;
        } else if (at != kHigh && moment.last.seconds != kLow) {
          path.duration = std::min(path.duration, at - moment.last.seconds);
        }
      }
    }
  }

  const Instance& x_;
  const ChronologyOptions& o_;
  std::vector<Hop> hops_;
  std::vector<const Contact*> contacts_;
};

struct Count {
  std::size_t paths = 0;
  std::size_t several = 0;  // answers of more than one path
  std::size_t within = 0;
  std::size_t filtered = 0;
};

// Found paths are among the walked ones, each once, measured alike, and the best of them in order.
void check_found(const std::vector<ChronologicalPath>& found, std::vector<Walked>& walked, PathOrder order,
                 std::size_t paths_max) {
  std::stable_sort(walked.begin(), walked.end(),
                   [order](const Walked& a, const Walked& b) { return a.value(order) < b.value(order); });
  REQUIRE(found.size() == std::min(paths_max, walked.size()));
  std::vector<std::vector<Hop>> seen;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto same =
        std::find_if(walked.begin(), walked.end(), [&](const Walked& w) { return w.hops == found[i].hops; });
    REQUIRE(same != walked.end());
    REQUIRE(std::find(seen.begin(), seen.end(), found[i].hops) == seen.end());
    seen.push_back(found[i].hops);
    REQUIRE(found[i].arrival_min.seconds == same->arrival);
    REQUIRE(found[i].departure_max.seconds == same->departure);
    REQUIRE(found[i].duration == same->duration);
    REQUIRE(same->value(order) == walked[i].value(order));
  }
}

void check_pair(const View& view, ActorId from, ActorId to, const ChronologyOptions& o, std::vector<Walked> walked,
                Count& count) {
  for (const PathOrder order : kOrders) {
    INFO("order " << static_cast<int>(order));
    for (const std::size_t k : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
      INFO(k << " paths");
      const auto found = get(find_paths(view, from, to, o, {order, k, false}));
      check_found(found, walked, order, k);
      count.paths += found.size();
      count.several += found.size() > 1 ? 1 : 0;
    }
    std::vector<Walked> best;
    for (const Walked& w : walked) {
      if (w.value(order) == walked.front().value(order)) best.push_back(w);
    }
    INFO("all");
    const auto all = get(find_paths(view, from, to, o, {order, 1, true}));
    check_found(all, best, order, best.size());
    count.paths += all.size();
  }
  if (walked.empty()) {
    CHECK_FALSE(get(latest_departure(view, from, to, o)));
    CHECK_FALSE(get(earliest_arrival(view, from, to, o)));
    return;
  }
  const auto least = [&walked](PathOrder order) {
    std::int64_t out = kUnknown;
    for (const Walked& w : walked) out = std::min(out, w.value(order));
    return out;
  };
  const auto latest = get(latest_departure(view, from, to, o));
  REQUIRE(latest);
  REQUIRE(~latest->latest.seconds == least(PathOrder::kLatest));
  REQUIRE(latest->hops == latest->path.size());
  const auto earliest = get(earliest_arrival(view, from, to, o));
  REQUIRE(earliest);
  REQUIRE(earliest->earliest.seconds == least(PathOrder::kEarliest));
}

// Everybody from, or towards, one actor.
void check_all_ends(const View& view, const Instance& x, const ChronologyOptions& o, int start, bool back,
                    const std::map<int, std::vector<Walked>>& by_end) {
  const ActorId one = x.actors[static_cast<std::size_t>(start)];
  std::map<std::uint64_t, ReachedInHops> reached;
  const auto all = get(back ? reached_back_with_hops(view, one, o) : reached_with_hops(view, one, o));
  for (const ReachedInHops& r : all) reached[r.actor.value] = r;
  std::size_t expected = 0;
  std::size_t shortest = 0;
  for (const auto& [end, walked] : by_end) {
    if (end == start || walked.empty()) continue;
    ++expected;
    shortest += std::min<std::size_t>(walked.size(), 2);
    const ReachedInHops& r = reached[x.actors[static_cast<std::size_t>(end)].value];
    std::int64_t moment = kUnknown;
    std::size_t hops = 100;
    for (const Walked& w : walked) {
      moment = std::min(moment, w.value(back ? PathOrder::kLatest : PathOrder::kEarliest));
      hops = std::min(hops, w.hops.size());
    }
    REQUIRE((back ? ~r.moment.seconds : r.moment.seconds) == moment);
    REQUIRE(r.hops == hops);
  }
  REQUIRE(reached.size() == expected);
  for (const PathOrder order : kOrders) {
    const PathSearch search{order, 2, false};
    const auto found =
        get(back ? find_paths_back(view, one, o, search) : find_paths(view, one, std::nullopt, o, search));
    REQUIRE(found.size() == shortest);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const ActorId end = back ? found[i].hops.front().from : found[i].hops.back().to;
      if (i > 0) REQUIRE((back ? found[i - 1].hops.front().from : found[i - 1].hops.back().to) <= end);
    }
  }
}

TEST_CASE("chronology: the same paths as walking them all: earliest, latest, fastest, shortest, one, some or all") {
  constexpr unsigned kInstances = 60;
  Count count;
  for (unsigned batch = 0; batch < 6; ++batch) {
    const Crowd crowd(2'000'000 + 1000 * batch, kInstances, batch % 2 == 0, batch % 3 == 0);
    for (const Instance& x : crowd.instances) {
      std::mt19937 random(x.seed);
      INFO(describe(x));
      for (ChronologyOptions o : random_options(random)) {
        if (o.hops_max > 5) o.hops_max = random() % 2 == 0 ? 5 : ChronologyOptions::kHopsUnlimited;
        if (random() % 3 == 0) {
          const std::int64_t seconds[] = {
              0, 3600, kSecondsPerDay - 1, kSecondsPerDay, 2 * kSecondsPerDay, 3 * kSecondsPerDay - 1};
          o.within_seconds = seconds[random() % 6];
          ++count.within;
        }
        if (random() % 4 == 0) {
          const std::uint64_t salt = random() | 1U;
          o.hop_filter = [salt](const Hop& hop) -> Result<bool> {
            return (hop.interaction.value * 7 + hop.from.value * 31 + hop.to.value) * salt % 5 != 0;
          };
          ++count.filtered;
        }
        INFO(describe(o));
        std::map<int, std::map<int, std::vector<Walked>>> walked;  // by end, by start
        const int chosen = static_cast<int>(random() % kActors);
        for (int start = 0; start < kActors; ++start) {
          const AllPaths all(x, o, start);
          if (start == chosen) check_all_ends(*crowd.view, x, o, start, false, all.paths);
          for (const auto& [end, paths] : all.paths) walked[end][start] = paths;
        }
        check_all_ends(*crowd.view, x, o, chosen, true, walked[chosen]);
        for (int start = 0; start < kActors; ++start) {
          if (start == chosen) continue;
          INFO("from " << start << " to " << chosen);
          check_pair(*crowd.view, x.actors[static_cast<std::size_t>(start)], x.actors[static_cast<std::size_t>(chosen)],
                     o, walked[chosen][start], count);
        }
      }
    }
  }
  if (std::getenv("DEMARCHE_SEED") != nullptr) return;
  WARN(count.paths << " paths compared, " << count.several << " answers of several paths, " << count.within
                   << " questions with a duration, " << count.filtered << " with a filter");
  CHECK(count.paths > 180'000);
  CHECK(count.several > 13'000);
}

// ---- hand-made -----------------------------------------------------------------------------------------------------

TEST_CASE("chronology: the fastest way is neither the earliest nor the shortest") {
  Talks t;
  t.meet("2016-01-01", "a", "b");
  const InteractionId early = t.meet("2016-01-05", "b", "d");
  const InteractionId direct = t.meet("2016-02-01/2016-03-01", "a", "d");
  const InteractionId x = t.meet("2016-04-01", "a", "c");
  t.meet("2016-04-02", "c", "d");
  const auto best = [&](PathOrder order) {
    const auto found = get(find_paths(t.view(), t.actor("a"), t.actor("d"), {}, {order, 1, false}));
    REQUIRE(found.size() == 1);
    return found.front();
  };
  CHECK(best(PathOrder::kEarliest).hops.back().interaction == early);
  CHECK(best(PathOrder::kShortest).hops.front().interaction == direct);
  CHECK(best(PathOrder::kFastest).hops.front().interaction == x);
  CHECK(best(PathOrder::kLatest).hops.front().interaction == x);
  CHECK(best(PathOrder::kFastest).duration == 2 * kSecondsPerDay - 1);
  CHECK(day(best(PathOrder::kLatest).departure_max) == "2016-04-01T23:59:59Z");
  ChronologyOptions within;
  within.within_seconds = 2 * kSecondsPerDay - 1;
  CHECK(get(earliest_arrival(t.view(), t.actor("a"), t.actor("d"), within))->path.front().interaction == x);
  within.within_seconds = kSecondsPerDay;
  CHECK_FALSE(get(earliest_arrival(t.view(), t.actor("a"), t.actor("d"), within)));
  within.within_seconds = 0;
  within.mode = ChronologyMode::kPossibly;
  CHECK(get(earliest_arrival(t.view(), t.actor("a"), t.actor("d"), within))->path.front().interaction == direct);
}

TEST_CASE("chronology: who could have told it, and when they must have set out") {
  Talks t;
  const InteractionId first = t.meet("2016-01-14", "committee", "kerry");
  const InteractionId again = t.meet("2016-02-01", "committee", "kerry");
  const InteractionId last = t.meet("2016-03-24", "kerry", "putin");
  t.meet("2016-03-25", "assad", "kerry");
  const auto all = get(reaching(t.view(), t.actor("putin"), {}));
  REQUIRE(all.size() == 2);
  CHECK(all[0].actor == t.actor("kerry"));
  CHECK(all[1].actor == t.actor("committee"));
  CHECK(all[1].path ==
        std::vector<Hop>{{again, t.actor("committee"), t.actor("kerry")}, {last, t.actor("kerry"), t.actor("putin")}});
  CHECK(day(all[1].latest) == "2016-02-01T23:59:59Z");
  CHECK(day(all[1].earliest) == "2016-02-01T00:00:00Z");
  ChronologyOptions before;
  before.before = period("2016-01-31");
  CHECK(get(reaching(t.view(), t.actor("kerry"), before)).at(0).path.at(0).interaction == first);
  const auto self = get(latest_departure(t.view(), t.actor("putin"), t.actor("putin"), {}));
  REQUIRE(self);
  CHECK(self->path.empty());
  CHECK(self->latest == Timestamp::highest());
}

TEST_CASE("chronology: what cannot be asked of a path search") {
  Talks t;
  t.meet("2016-01-01", "a", "b");
  t.meet("2016-01-02", "b", "c");
  const ActorId a = t.actor("a");
  ChronologyOptions o;
  const auto none = find_paths(t.view(), a, t.actor("c"), o, {PathOrder::kEarliest, 0, false});
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::kInvalidArgument);
  const auto nobody = find_paths_back(t.view(), ActorId{99}, o, {});
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == ErrorCode::kNotFound);
  o.within_seconds = -1;
  const auto backwards = reaching(t.view(), a, o);
  REQUIRE_FALSE(backwards);
  CHECK(backwards.error().code == ErrorCode::kInvalidArgument);
  o.within_seconds.reset();
  o.labels_max = 2;
  const auto limited = find_paths(t.view(), a, t.actor("c"), o, {PathOrder::kFastest, 5, false});
  REQUIRE_FALSE(limited);
  CHECK(limited.error().code == ErrorCode::kLimit);
  o.labels_max = 1000;
  o.hop_filter = [](const Hop&) -> Result<bool> { return make_error(ErrorCode::kCancelled, "enough"); };
  const auto stopped = reached(t.view(), a, o);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().message == "enough");
}

TEST_CASE("chronology: all paths of a store with many of them end at the limit") {
  Talks t;
  for (int i = 0; i < 12; ++i) {
    const std::string at = "n" + std::to_string(i);
    const std::string next = "n" + std::to_string(i + 1);
    for (int k = 0; k < 4; ++k) t.meet("2016-01-" + std::to_string(10 + i), at, next);
  }
  ChronologyOptions o;
  o.labels_max = 100'000;
  const auto all = find_paths(t.view(), t.actor("n0"), t.actor("n12"), o, {PathOrder::kEarliest, 1, true});
  REQUIRE_FALSE(all);
  CHECK(all.error().code == ErrorCode::kLimit);
  CHECK(get(find_paths(t.view(), t.actor("n0"), t.actor("n12"), o, {PathOrder::kEarliest, 50, false})).size() == 50);
}

}  // namespace

}  // namespace demarche::tests

#include "engine/chronology.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <limits>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/hop_rule.h"
#include "engine/impl/label_search.h"
#include "engine/impl/label_sweep.h"
#include "engine/impl/sweep.h"

namespace demarche {

namespace {

using impl::Completions;
using impl::HopRule;
using impl::Label;
using impl::LabelIndex;
using impl::LabelSearch;
using impl::Progress;
using impl::Way;

Result<void> check_options(const ChronologyOptions& options) {
  if (options.within_seconds && *options.within_seconds < 0) {
    return invalid(fmt::format("a path cannot last {} seconds or less; give a duration that is not negative",
                               *options.within_seconds));
  }
  return {};
}

Result<void> check_question(const View& view, ActorId a, std::optional<ActorId> b, const ChronologyOptions& options) {
  DEMARCHE_CHECK(check_options(options));
  DEMARCHE_CHECK(view.get_actor(a));
  if (b) DEMARCHE_CHECK(view.get_actor(*b));
  return {};
}

[[maybe_unused]] bool uses_each_once(std::span<const Hop> path) {
  std::vector<InteractionId> ids;
  for (const Hop& hop : path) ids.push_back(hop.interaction);
  std::sort(ids.begin(), ids.end());
  return std::adjacent_find(ids.begin(), ids.end()) == ids.end();
}

// The best label of each actor, or of `target` alone, in order of arrival as the search sees it.
Result<std::vector<LabelIndex>> best_labels(LabelSearch& search, ActorId start, std::optional<ActorId> target,
                                            const ChronologyOptions& options) {
  std::vector<LabelIndex> out;
  if (options.within_seconds) {
    DEMARCHE_CHECK(search.collect(start, target));
    for (const auto& [actor, kept] : search.collected()) {
      if (actor != start && !kept.empty()) out.push_back(kept.front());
    }
  } else {
    DEMARCHE_CHECK(search.start(start));
    std::unordered_map<ActorId, LabelIndex> first;  // the first label an actor is settled with is its best
    for (;;) {
      DEMARCHE_TRY(const std::optional<LabelIndex> index, search.settle(target));
      if (!index) break;
      const ActorId actor = search.label(*index).actor;
      if (target && actor == *target) return std::vector<LabelIndex>{*index};
      first.emplace(actor, *index);
    }
    if (target) return out;
    first.erase(start);
    for (const auto& [actor, index] : first) out.push_back(index);
  }
  std::sort(out.begin(), out.end(), [&search](LabelIndex a, LabelIndex b) {
    return std::tuple(search.label(a).at.cur, search.label(a).actor) <
           std::tuple(search.label(b).at.cur, search.label(b).actor);
  });
  return out;
}

Arrival arrival_of(const LabelSearch& search, LabelIndex index) {
  const Label& end = search.label(index);
  Arrival out{end.actor, end.at.cur, end.last, end.hops, search.path_of(index)};
  assert(uses_each_once(out.path));
  return out;
}

LatestDeparture latest_departure_of(const LabelSearch& search, LabelIndex index) {
  const Label& end = search.label(index);
  LatestDeparture out{end.actor, seen(Way::kBack, end.last), seen(Way::kBack, end.at.cur), end.hops,
                      search.path_of(index)};
  assert(uses_each_once(out.path));
  return out;
}

Result<std::vector<Arrival>> arrivals(const View& view, ActorId from, std::optional<ActorId> to,
                                      const ChronologyOptions& options) {
  DEMARCHE_CHECK(check_question(view, from, to, options));
  LabelSearch search(view, options, {.way = Way::kOnward});
  DEMARCHE_TRY(const auto labels, best_labels(search, from, to, options));
  std::vector<Arrival> out;
  out.reserve(labels.size());
  for (const LabelIndex index : labels) out.push_back(arrival_of(search, index));
  return out;
}

Result<std::vector<LatestDeparture>> departures(const View& view, std::optional<ActorId> from, ActorId to,
                                                const ChronologyOptions& options) {
  DEMARCHE_CHECK(check_question(view, to, from, options));
  LabelSearch search(view, options, {.way = Way::kBack});
  DEMARCHE_TRY(const auto labels, best_labels(search, to, from, options));
  std::vector<LatestDeparture> out;
  out.reserve(labels.size());
  for (const LabelIndex index : labels) out.push_back(latest_departure_of(search, index));
  return out;
}

}  // namespace

Result<std::optional<Arrival>> earliest_arrival(const View& view, ActorId from, ActorId to,
                                                const ChronologyOptions& options) {
  if (from == to) {
    DEMARCHE_CHECK(check_question(view, from, to, options));
    return Arrival{from, Timestamp::lowest(), Timestamp::lowest(), 0, {}};
  }
  DEMARCHE_TRY(auto found, arrivals(view, from, to, options));
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

Result<std::optional<LatestDeparture>> latest_departure(const View& view, ActorId from, ActorId to,
                                                        const ChronologyOptions& options) {
  if (from == to) {
    DEMARCHE_CHECK(check_question(view, from, to, options));
    return LatestDeparture{from, Timestamp::highest(), Timestamp::highest(), 0, {}};
  }
  DEMARCHE_TRY(auto found, departures(view, from, to, options));
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

Result<std::vector<Arrival>> reachable(const View& view, ActorId from, const ChronologyOptions& options) {
  return arrivals(view, from, std::nullopt, options);
}

Result<std::vector<LatestDeparture>> reaching(const View& view, ActorId to, const ChronologyOptions& options) {
  return departures(view, std::nullopt, to, options);
}

Result<std::optional<Departure>> departure_of(const View& view, const std::vector<Hop>& path, ChronologyMode mode) {
  if (path.empty()) return std::nullopt;
  ChronologyOptions options;
  options.mode = mode;
  HopRule rule(view, options, Way::kBack);
  Progress at = rule.start();
  Timestamp first = Timestamp::lowest();
  for (auto hop = path.rbegin(); hop != path.rend(); ++hop) {
    DEMARCHE_TRY(const Interaction record, view.get_interaction(hop->interaction));
    const TimeBounds bounds = record.when ? record.when->bounds : TimeBounds{};
    DEMARCHE_TRY(const auto next, rule.take(at, bounds, record.when.has_value(), hop->interaction));
    if (!next) return std::nullopt;
    at = *next;
    first = bounds.begin_min;
  }
  return Departure{first, seen(Way::kBack, at.cur)};
}

// ---- everybody, without paths --------------------------------------------------------------------------------------

namespace {

// The ways are tried in turn, each a while longer than before, so that together they take little more than twice the
// better one. Rows are read in one pass so many times as fast as an actor is settled.
constexpr std::size_t kActorsAtFirst = 64;
constexpr std::uint64_t kRowsPerActor = 2500;
constexpr std::uint64_t kLabelRowsPerActor = 60;
constexpr std::size_t kLonger = 4;

// What a search from actor to actor has found so far.
class ByActor {
 public:
  ByActor(const View& view, ActorId start, const ChronologyOptions& options, ReachQuestion question)
      : start_(start),
        question_(question),
        search_(view, options, {.way = question.back ? Way::kBack : Way::kOnward, .by_hops = question.hops}) {}

  Result<void> begin() { return search_.start(start_); }

  // Goes on until `actors_max` are reached. true: there are no more.
  Result<bool> run(std::size_t actors_max) {
    while (found_.size() < actors_max) {
      DEMARCHE_TRY(const std::optional<LabelIndex> index, search_.settle(std::nullopt));
      if (!index) return true;
      const Label& label = search_.label(*index);
      const auto [at, is_new] = found_.try_emplace(label.actor, ReachedInHops{label.actor, label.at.cur});
      if (!question_.hops) continue;
      if (is_new) {
        at->second.hops = label.hops;
        at->second.via = label.via;
      } else {
        at->second.hops = std::min(at->second.hops, label.hops);
      }
    }
    return false;
  }

  // Seen.
  [[nodiscard]] std::vector<ReachedInHops> result() {
    found_.erase(start_);
    std::vector<ReachedInHops> out;
    out.reserve(found_.size());
    for (const auto& [actor, reached] : found_) out.push_back(reached);
    return out;
  }

 private:
  ActorId start_;
  ReachQuestion question_;
  LabelSearch search_;
  std::unordered_map<ActorId, ReachedInHops> found_;
};

// With a limit of duration it is whole paths that count.
Result<std::vector<ReachedInHops>> reached_within(const View& view, ActorId start, const ChronologyOptions& options,
                                                  ReachQuestion question) {
  const Way way = question.back ? Way::kBack : Way::kOnward;
  LabelSearch search(view, options, {.way = way, .by_hops = question.hops});
  DEMARCHE_CHECK(search.collect(start, std::nullopt));
  std::unordered_map<ActorId, ReachedInHops> found;
  for (const auto& [actor, kept] : search.collected()) {
    if (actor == start || kept.empty()) continue;
    const Label& label = search.label(kept.front());
    ReachedInHops& reached = found[actor] = {actor, label.at.cur};
    if (question.hops) reached.via = label.via;
  }
  if (question.hops) {
    LabelSearch shortest(view, options, {.way = way, .order = LabelSearch::Order::kHops});
    DEMARCHE_CHECK(shortest.collect(start, std::nullopt));
    for (const auto& [actor, kept] : shortest.collected()) {
      if (actor != start && !kept.empty()) found[actor].hops = shortest.label(kept.front()).hops;
    }
  }
  std::vector<ReachedInHops> out;
  for (const auto& [actor, reached] : found) out.push_back(reached);
  return out;
}

// From times as the search sees them.
void finish(std::vector<ReachedInHops>& out, bool back) {
  std::sort(out.begin(), out.end(), [](const ReachedInHops& a, const ReachedInHops& b) {
    return std::tie(a.moment, a.actor) < std::tie(b.moment, b.actor);
  });
  if (!back) return;
  for (ReachedInHops& reached : out) reached.moment = seen(Way::kBack, reached.moment);
}

// One of the two is filled.
struct Found {
  std::vector<Reached> plain;
  std::vector<ReachedInHops> full;
};

Result<Sweep::Outcome> sweep(const View& view, ActorId start, const ChronologyOptions& options, ReachQuestion question,
                             ReachMethod method, std::uint64_t rows_max, Found& out) {
  if (method == ReachMethod::kLabelSweep) return LabelSweep::run(view, start, options, question, rows_max, out.full);
  if (question.back || question.hops) return Sweep::Outcome::kRefused;
  return Sweep::run(view, start, options, rows_max, out.plain);
}

// nullopt: one pass is asked for and is not right.
Result<std::optional<Found>> find_reached(const View& view, ActorId start, const ChronologyOptions& options,
                                          ReachQuestion question, ReachMethod method) {
  DEMARCHE_CHECK(check_question(view, start, std::nullopt, options));
  Found out;
  if (method == ReachMethod::kSweep || method == ReachMethod::kLabelSweep) {
    DEMARCHE_TRY(const auto outcome,
                 sweep(view, start, options, question, method, std::numeric_limits<std::uint64_t>::max(), out));
    return outcome == Sweep::Outcome::kDone ? std::optional(std::move(out)) : std::nullopt;
  }
  if (options.within_seconds) {
    DEMARCHE_ASSIGN(out.full, reached_within(view, start, options, question));
    finish(out.full, question.back);
    return std::optional(std::move(out));
  }
  ByActor by_actor(view, start, options, question);
  DEMARCHE_CHECK(by_actor.begin());
  // The quicker pass first; what it refuses may do for the other.
  ReachMethod pass = method == ReachMethod::kAdjacency ? method : ReachMethod::kSweep;
  for (std::size_t actors_max = kActorsAtFirst;; actors_max *= kLonger) {
    while (pass != ReachMethod::kAdjacency) {
      const std::uint64_t per_actor = pass == ReachMethod::kSweep ? kRowsPerActor : kLabelRowsPerActor;
      DEMARCHE_TRY(const auto outcome, sweep(view, start, options, question, pass, actors_max * per_actor, out));
      if (outcome == Sweep::Outcome::kDone) return std::optional(std::move(out));
      if (outcome == Sweep::Outcome::kCut) break;
      pass = pass == ReachMethod::kSweep ? ReachMethod::kLabelSweep : ReachMethod::kAdjacency;
    }
    const bool to_the_end = pass == ReachMethod::kAdjacency;
    DEMARCHE_TRY(const bool done, by_actor.run(to_the_end ? std::numeric_limits<std::size_t>::max() : actors_max));
    if (done) break;
  }
  out.full = by_actor.result();
  finish(out.full, question.back);
  return std::optional(std::move(out));
}

std::vector<ReachedInHops> full(Found found) {
  for (const Reached& r : found.plain) found.full.push_back({r.actor, r.moment});
  return std::move(found.full);
}

Result<std::vector<Reached>> plain_by_choice(const View& view, ActorId start, const ChronologyOptions& options,
                                             ReachQuestion question) {
  DEMARCHE_TRY(auto found, find_reached(view, start, options, question, ReachMethod::kChosen));
  if (!found) return std::vector<Reached>();  // kChosen always finds
  for (const ReachedInHops& r : found->full) found->plain.push_back({r.actor, r.moment});
  return std::move(found->plain);
}

Result<std::vector<ReachedInHops>> full_by_choice(const View& view, ActorId start, const ChronologyOptions& options,
                                                  ReachQuestion question) {
  DEMARCHE_TRY(auto found, find_reached(view, start, options, question, ReachMethod::kChosen));
  return found ? full(*std::move(found)) : std::vector<ReachedInHops>();  // kChosen always finds
}

}  // namespace

Result<std::optional<std::vector<ReachedInHops>>> reached_by(const View& view, ActorId start,
                                                             const ChronologyOptions& options, ReachQuestion question,
                                                             ReachMethod method) {
  DEMARCHE_TRY(auto found, find_reached(view, start, options, question, method));
  if (!found) return std::nullopt;
  return std::optional(full(*std::move(found)));
}

Result<std::vector<Reached>> reached(const View& view, ActorId from, const ChronologyOptions& options) {
  return plain_by_choice(view, from, options, {});
}
Result<std::vector<Reached>> reached_back(const View& view, ActorId to, const ChronologyOptions& options) {
  return plain_by_choice(view, to, options, {.back = true});
}
Result<std::vector<ReachedInHops>> reached_with_hops(const View& view, ActorId from, const ChronologyOptions& options) {
  return full_by_choice(view, from, options, {.hops = true});
}
Result<std::vector<ReachedInHops>> reached_back_with_hops(const View& view, ActorId to,
                                                          const ChronologyOptions& options) {
  return full_by_choice(view, to, options, {.back = true, .hops = true});
}

// ---- several paths, other orders -----------------------------------------------------------------------------------

namespace {

// Both ends of a path and how long it takes, by its hops' records.
class Measure {
 public:
  Measure(const View& view, const ChronologyOptions& options)
      : view_(view), onward_(view, options, Way::kOnward), back_(view, options, Way::kBack) {}

  Result<ChronologicalPath> of(std::vector<Hop> hops) {
    ChronologicalPath out;
    out.arrival_min = out.arrival_max = Timestamp::lowest();
    out.departure_min = out.departure_max = Timestamp::highest();
    if (!hops.empty()) {
      DEMARCHE_TRY(const Progress arrived, walk(onward_, hops, false));
      DEMARCHE_TRY(const Progress departed, walk(back_, hops, true));
      out.arrival_min = arrived.cur;
      out.departure_max = seen(Way::kBack, departed.cur);
      out.arrival_max = bounds_[hops.back().interaction].end_max;
      out.departure_min = bounds_[hops.front().interaction].begin_min;
      DEMARCHE_ASSIGN(out.duration, duration(hops, out.arrival_max));
    }
    out.hops = std::move(hops);
    return out;
  }

 private:
  struct Date {
    TimeBounds bounds;
    bool dated = false;
  };

  Result<Date> date_of(InteractionId id) {
    const auto known = bounds_.find(id);
    if (known != bounds_.end()) return Date{known->second, dated_[id]};
    DEMARCHE_TRY(const Interaction record, view_.get_interaction(id));
    dated_[id] = record.when.has_value();
    bounds_[id] = record.when ? record.when->bounds : TimeBounds{};
    return Date{bounds_[id], dated_[id]};
  }

  Error broken(InteractionId id) const {
    return {ErrorCode::kCorruption,
            fmt::format("interaction {} has another date in its record than in the index; run 'check'", id.value),
            nullptr};
  }

  Result<Progress> walk(HopRule& rule, std::span<const Hop> hops, bool from_end) {
    Progress at = rule.start();
    for (std::size_t i = 0; i < hops.size(); ++i) {
      const InteractionId id = hops[from_end ? hops.size() - 1 - i : i].interaction;
      DEMARCHE_TRY(const Date date, date_of(id));
      DEMARCHE_TRY(const auto next, rule.take(at, date.bounds, date.dated, id));
      if (!next) return tl::unexpected(broken(id));
      at = *next;
    }
    return at;
  }

  Result<std::int64_t> duration(std::span<const Hop> hops, Timestamp last) {
    std::vector<Progress> front = {onward_.start()};
    std::vector<Progress> ways;
    for (const Hop& hop : hops) {
      DEMARCHE_TRY(const Date date, date_of(hop.interaction));
      std::vector<Progress> next;
      for (const Progress& at : front) {
        DEMARCHE_CHECK(onward_.take_all(at, date.bounds, date.dated, hop.interaction, ways));
        next.insert(next.end(), ways.begin(), ways.end());
      }
      front = undominated(std::move(next));
    }
    std::int64_t least = impl::kForever;
    for (const Progress& at : front) least = std::min(least, onward_.duration(at, last));
    return least;
  }

  // Those of which none arrives no later and departs no earlier.
  static std::vector<Progress> undominated(std::vector<Progress> all) {
    std::sort(all.begin(), all.end(), [](const Progress& a, const Progress& b) {
      return std::tie(a.cur, b.depart) < std::tie(b.cur, a.depart);
    });
    std::vector<Progress> out;
    for (const Progress& at : all) {
      if (out.empty() || at.depart > out.back().depart) out.push_back(at);
    }
    return out;
  }

  const View& view_;
  HopRule onward_;
  HopRule back_;
  std::unordered_map<InteractionId, TimeBounds> bounds_;
  std::unordered_map<InteractionId, bool> dated_;
};

LabelSearch::Order label_order(PathOrder order) {
  if (order == PathOrder::kFastest) return LabelSearch::Order::kDuration;
  return order == PathOrder::kShortest ? LabelSearch::Order::kHops : LabelSearch::Order::kArrival;
}

Way other(Way way) { return way == Way::kOnward ? Way::kBack : Way::kOnward; }

// From which actors, having got there when and in how many hops, the end is still reached in time.
Result<Completions> completions_of(const View& view, ActorId end, const ChronologyOptions& options,
                                   const LabelSearch::Plan& plan, std::int64_t value_max) {
  ChronologyOptions all = options;
  all.within_seconds.reset();  // of whole paths
  LabelSearch search(view, all, {.way = other(plan.way), .by_hops = plan.order == LabelSearch::Order::kHops});
  if (plan.order == LabelSearch::Order::kArrival) search.rule().limit_other_way(Timestamp{value_max});
  DEMARCHE_CHECK(search.start(end));
  Completions out;
  for (;;) {
    DEMARCHE_TRY(const std::optional<LabelIndex> index, search.settle(std::nullopt));
    if (!index) return out;
    const Label& label = search.label(*index);
    out[label.actor].push_back({label.at.cur, label.hops});
  }
}

struct Paths {
  Measure measure;
  std::vector<ChronologicalPath> out;

  Result<void> add(const LabelSearch& search, std::span<const LabelIndex> labels) {
    for (const LabelIndex index : labels) {
      DEMARCHE_TRY(ChronologicalPath path, measure.of(search.path_of(index)));
      assert(uses_each_once(path.hops));
      out.push_back(std::move(path));
    }
    return {};
  }
};

// All paths from `start` to `end` as good as the best one found, as the search goes.
Result<void> add_all_best(const View& view, ActorId start, ActorId end, const ChronologyOptions& options,
                          LabelSearch::Plan plan, std::int64_t best, Paths& paths) {
  DEMARCHE_TRY(const Completions completions, completions_of(view, end, options, plan, best));
  plan.paths_max = LabelSearch::kAllPaths;
  LabelSearch search(view, options, plan);
  DEMARCHE_CHECK(search.collect(start, end, {best, &completions}));
  const auto found = search.collected().find(end);
  return found == search.collected().end() ? Result<void>{} : paths.add(search, found->second);
}

Result<std::vector<ChronologicalPath>> find(const View& view, ActorId start, std::optional<ActorId> end, Way way,
                                            const ChronologyOptions& options, const PathSearch& search_options) {
  DEMARCHE_CHECK(check_question(view, start, end, options));
  if (search_options.paths_max == 0) return invalid("no path at all is asked for; ask for one at least");
  if (end && *end == start) {
    std::vector<ChronologicalPath> out(1);
    DEMARCHE_ASSIGN(out.front(), Measure(view, options).of({}));
    return out;
  }
  LabelSearch::Plan plan{.way = way, .order = label_order(search_options.order)};
  if (!search_options.all_best) plan.paths_max = std::min(search_options.paths_max, LabelSearch::kAllPaths - 1);
  LabelSearch search(view, options, plan);
  DEMARCHE_CHECK(search.collect(start, end));
  std::vector<ActorId> ends;
  for (const auto& [actor, kept] : search.collected()) {
    if (actor != start && !kept.empty()) ends.push_back(actor);
  }
  std::sort(ends.begin(), ends.end());
  Paths paths{Measure(view, options), {}};
  for (const ActorId actor : ends) {
    const std::vector<LabelIndex>& kept = search.collected().at(actor);
    if (search_options.all_best) {
      DEMARCHE_CHECK(add_all_best(view, start, actor, options, plan, search.value_of(kept.front()), paths));
    } else {
      DEMARCHE_CHECK(paths.add(search, kept));
    }
  }
  return std::move(paths.out);
}

}  // namespace

Result<std::vector<ChronologicalPath>> find_paths(const View& view, ActorId from, std::optional<ActorId> to,
                                                  const ChronologyOptions& options, const PathSearch& search) {
  if (search.order != PathOrder::kLatest) return find(view, from, to, Way::kOnward, options, search);
  if (to) return find(view, *to, from, Way::kBack, options, search);
  // The latest departure towards each actor: who can be reached at all, then one search back from each.
  DEMARCHE_TRY(const auto reach, reached(view, from, options));
  std::vector<ActorId> ends;
  for (const Reached& r : reach) ends.push_back(r.actor);
  std::sort(ends.begin(), ends.end());
  std::vector<ChronologicalPath> out;
  for (const ActorId end : ends) {
    DEMARCHE_TRY(auto paths, find(view, end, from, Way::kBack, options, search));
    std::move(paths.begin(), paths.end(), std::back_inserter(out));
  }
  return out;
}

Result<std::vector<ChronologicalPath>> find_paths_back(const View& view, ActorId to, const ChronologyOptions& options,
                                                       const PathSearch& search) {
  if (search.order != PathOrder::kEarliest) return find(view, to, std::nullopt, Way::kBack, options, search);
  DEMARCHE_TRY(const auto reach, reached_back(view, to, options));
  std::vector<ActorId> starts;
  for (const Reached& r : reach) starts.push_back(r.actor);
  std::sort(starts.begin(), starts.end());
  std::vector<ChronologicalPath> out;
  for (const ActorId start : starts) {
    DEMARCHE_TRY(auto paths, find(view, start, to, Way::kOnward, options, search));
    std::move(paths.begin(), paths.end(), std::back_inserter(out));
  }
  return out;
}

}  // namespace demarche

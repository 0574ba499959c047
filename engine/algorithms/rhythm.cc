#include "engine/algorithms/rhythm.h"

#include <algorithm>
#include <cmath>
#include <span>

#include <fmt/format.h>

namespace demarche {

namespace {

using Vertex = ContactGraph::Vertex;

// Calls `visit(a, b, edges)` for each pair: parallel edges stand side by side.
template <typename Visit>
Result<void> each_pair(const ContactGraph& graph, const StopCheck& stop, Visit visit) {
  constexpr Vertex kCheckEvery = 256;
  for (Vertex a = 0; a < graph.vertex_count(); ++a) {
    if (a % kCheckEvery == 0) DEMARCHE_CHECK(check_stop(stop));
    const auto others = graph.successors(a);
    const auto edges = graph.edges_out(a);
    for (std::size_t from = 0; from < others.size();) {
      std::size_t to = from + 1;
      while (to < others.size() && others[to] == others[from]) ++to;
      visit(a, others[from], edges.subspan(from, to - from));
      from = to;
    }
  }
  return {};
}

// Runs of the faster state in the cheapest course, as [first gap, last gap].
std::vector<std::pair<std::size_t, std::size_t>> fast_runs(const std::vector<double>& gaps, double slow, double fast,
                                                           double rise) {
  const auto cost = [&](double rate, double gap) { return rate * gap - std::log(rate); };
  std::vector<bool> rose(gaps.size());    // the best way to be fast at i comes from slow at i - 1
  std::vector<bool> slowed(gaps.size());  // the best way to be slow at i comes from fast at i - 1
  double at_slow = 0;                     // before the first gap
  double at_fast = rise;
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    rose[i] = i == 0 || at_slow + rise <= at_fast;
    slowed[i] = i > 0 && at_fast < at_slow;
    const double next_slow = (slowed[i] ? at_fast : at_slow) + cost(slow, gaps[i]);
    at_fast = (rose[i] ? at_slow + rise : at_fast) + cost(fast, gaps[i]);
    at_slow = next_slow;
  }
  std::vector<std::pair<std::size_t, std::size_t>> runs;
  bool is_fast = at_fast < at_slow;
  for (std::size_t i = gaps.size(); i-- > 0;) {
    if (is_fast) {
      if (runs.empty() || runs.back().first != i + 1) runs.emplace_back(i, i);
      runs.back().first = i;
      is_fast = !rose[i];
    } else {
      is_fast = slowed[i];
    }
  }
  std::reverse(runs.begin(), runs.end());
  return runs;
}

}  // namespace

Result<std::vector<Silence>> silences(const ContactGraph& graph, std::int64_t seconds_min, const StopCheck& stop) {
  std::vector<Silence> out;
  std::vector<std::pair<Timestamp, Timestamp>> times;
  DEMARCHE_CHECK(each_pair(graph, stop, [&](Vertex a, Vertex b, std::span<const ContactGraph::EdgeIndex> edges) {
    times.clear();
    for (const auto e : edges) times.emplace_back(graph.begin(e), graph.end(e));
    std::sort(times.begin(), times.end());
    Timestamp covered = times.front().second;
    for (const auto& [begin, end] : times) {
      // Neither is infinite: a begin of minus infinity stands first, and nothing is beyond an end of plus infinity.
      if (begin > covered && begin.seconds - 1 - covered.seconds >= std::max<std::int64_t>(seconds_min, 1)) {
        out.push_back({a, b, {covered.seconds + 1}, {begin.seconds - 1}});
      }
      covered = std::max(covered, end);
    }
  }));
  return out;
}

Result<std::vector<Burst>> bursts(const ContactGraph& graph, const BurstOptions& options, const StopCheck& stop) {
  if (!(options.ratio > 1)) return invalid(fmt::format("ratio is {}; it has to be above 1", options.ratio));
  if (!(options.gamma >= 0)) return invalid(fmt::format("gamma is {}; it has to be 0 or more", options.gamma));
  std::vector<Burst> out;
  std::vector<Timestamp> times;
  std::vector<double> gaps;
  DEMARCHE_CHECK(each_pair(graph, stop, [&](Vertex a, Vertex b, std::span<const ContactGraph::EdgeIndex> edges) {
    times.clear();
    gaps.clear();
    for (const auto e : edges) {
      const Timestamp begin = graph.begin(e);
      const Timestamp end = graph.end(e);
      if (begin.is_finite() && end.is_finite() && end.seconds - begin.seconds < kSecondsPerDay) times.push_back(begin);
    }
    std::sort(times.begin(), times.end());
    if (times.size() < 2 || times.front() == times.back()) return;
    for (std::size_t i = 0; i + 1 < times.size(); ++i) {
      gaps.push_back(static_cast<double>(times[i + 1].seconds - times[i].seconds));
    }
    const auto n = static_cast<double>(gaps.size());
    const double slow = n / static_cast<double>(times.back().seconds - times.front().seconds);
    const double fast = options.ratio * slow;
    for (const auto& [first, last] : fast_runs(gaps, slow, fast, options.gamma * std::log(n))) {
      double weight = 0;
      for (std::size_t i = first; i <= last; ++i) weight += (slow - fast) * gaps[i] + std::log(options.ratio);
      out.push_back({a, b, times[first], times[last + 1], static_cast<std::uint32_t>(last - first + 2), weight});
    }
  }));
  return out;
}

void PairStability::add(const ContactGraph& period) {
  ++periods_;
  for (Vertex a = 0; a < period.vertex_count(); ++a) {
    for (const Vertex b : period.successors(a)) {
      Run& run = runs_[{period.actor(a), period.actor(b)}];
      run.running = run.last + 1 == periods_ && run.last > 0 ? run.running + 1 : 1;
      run.longest = std::max(run.longest, run.running);
      run.last = periods_;
      ++run.periods;
    }
  }
}

std::vector<PairStability::Line> PairStability::lines() const {
  std::vector<Line> out;
  out.reserve(runs_.size());
  for (const auto& [pair, run] : runs_) out.push_back({pair.first, pair.second, run.periods, run.longest});
  return out;
}

}  // namespace demarche

#include "engine/algorithms/centrality.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <span>

#include <fmt/format.h>
#include <boost/graph/page_rank.hpp>

#include "engine/algorithms/watched.h"
#include "engine/contact_graph_bgl.h"

namespace demarche {

namespace {

using Vertex = ContactGraph::Vertex;

// Ends the iteration once the shares of all move little from one step to the next.
class Settled {
 public:
  Settled(const PageRankOptions& options, std::size_t vertices, Watch& watch)
      : options_(options), before_(vertices, 0), watch_(watch) {}

  template <typename RankMap, typename Graph>
  bool operator()(const RankMap& rank, const Graph&) {
    watch_.ask();
    double sum = 0;
    for (Vertex v = 0; v < before_.size(); ++v) sum += get(rank, v);
    double moved = 0;
    for (Vertex v = 0; v < before_.size(); ++v) {
      const double share = get(rank, v) / sum;
      moved += std::abs(share - before_[v]);
      before_[v] = share;
    }
    // What starts at the same value everywhere has not moved yet.
    if (steps_ > 0 && moved <= options_.tolerance) return true;
    if (steps_++ == options_.iterations_max) {
      Watch::stop_with({ErrorCode::kLimit,
                        fmt::format("PageRank still moves by {:.2g} after {} iterations; raise iterations or tolerance",
                                    moved, options_.iterations_max),
                        nullptr});
    }
    return false;
  }
  std::vector<double> take() { return std::move(before_); }

 private:
  const PageRankOptions& options_;
  std::vector<double> before_;
  Watch& watch_;
  std::size_t steps_ = 0;
};

template <typename Graph>
std::vector<double> rank_all(const ContactGraph& graph, const PageRankOptions& options, Watch& watch) {
  const Graph g(graph);
  std::vector<double> rank(graph.vertex_count());
  std::vector<double> scratch(graph.vertex_count());
  Settled settled(options, graph.vertex_count(), watch);
  boost::graph::page_rank(g, watched(rank, watch), std::ref(settled), options.damping, graph.vertex_count(),
                          watched(scratch, watch));
  return settled.take();
}

}  // namespace

Result<std::vector<double>> pagerank(const ContactGraph& graph, const PageRankOptions& options, const StopCheck& stop) {
  if (!(options.damping >= 0 && options.damping < 1)) {
    return invalid(fmt::format("damping is {}; it has to be from 0 up to, not including, 1", options.damping));
  }
  if (!(options.tolerance > 0)) return invalid(fmt::format("tolerance is {}; it has to be above 0", options.tolerance));
  if (graph.vertex_count() == 0) return std::vector<double>();
  return run_watched(stop, [&](Watch& watch) {
    return graph.directed() ? rank_all<bgl::Directed>(graph, options, watch)
                            : rank_all<bgl::Undirected>(graph, options, watch);
  });
}

namespace {

constexpr std::uint32_t kFar = std::numeric_limits<std::uint32_t>::max();

std::span<const Vertex> ways_on(const ContactGraph& graph, Vertex v) {
  return graph.directed() ? graph.successors(v) : graph.neighbours(v);
}
std::span<const Vertex> ways_back(const ContactGraph& graph, Vertex v) {
  return graph.directed() ? graph.predecessors(v) : graph.neighbours(v);
}

// Shortest paths from one vertex after the other; keeps its memory.
class PathCounter {
 public:
  explicit PathCounter(const ContactGraph& graph)
      : graph_(graph),
        hops_(graph.vertex_count(), kFar),
        paths_(graph.vertex_count(), 0),
        dependency_(graph.vertex_count(), 0) {}

  // For every vertex but `start` the share of the paths from `start` that go on through it, summed over their ends.
  void follow(Vertex start, Watch& watch) {
    for (const Vertex v : order_) {
      hops_[v] = kFar;
      paths_[v] = 0;
      dependency_[v] = 0;
    }
    order_.assign(1, start);
    hops_[start] = 0;
    paths_[start] = 1;
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const Vertex v = order_[i];
      watch.tick();
      for (const Vertex w : ways_on(graph_, v)) {
        if (hops_[w] == kFar) {
          hops_[w] = hops_[v] + 1;
          order_.push_back(w);
        }
        if (hops_[w] == hops_[v] + 1) paths_[w] += paths_[v];
      }
    }
    for (std::size_t i = order_.size(); i-- > 1;) {
      const Vertex w = order_[i];
      const double each = (1 + dependency_[w]) / paths_[w];
      for (const Vertex v : ways_back(graph_, w)) {
        if (hops_[v] != kFar && hops_[v] + 1 == hops_[w]) dependency_[v] += paths_[v] * each;
      }
    }
    dependency_[start] = 0;
  }
  // Those reached, the start first.
  [[nodiscard]] const std::vector<Vertex>& order() const { return order_; }
  [[nodiscard]] double dependency(Vertex v) const { return dependency_[v]; }

 private:
  const ContactGraph& graph_;
  std::vector<std::uint32_t> hops_;
  std::vector<double> paths_;
  std::vector<double> dependency_;
  std::vector<Vertex> order_;
};

// `count` different vertices of `all`, the same on every machine for one seed.
std::vector<Vertex> draw(std::size_t all, std::size_t count, std::uint64_t seed) {
  std::vector<Vertex> vertices(all);
  std::iota(vertices.begin(), vertices.end(), Vertex{0});
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    // The remainder is not quite even; for fewer than 2^32 vertices it is off by less than 2^-32.
    std::swap(vertices[i], vertices[i + random() % (all - i)]);
  }
  vertices.resize(count);
  return vertices;
}

}  // namespace

Result<Betweenness> betweenness(const ContactGraph& graph, const BetweennessOptions& options, const StopCheck& stop) {
  const std::size_t n = graph.vertex_count();
  const bool exact = options.samples == 0 || options.samples >= n;
  if (!exact && options.samples < 2) return invalid("one sample says nothing of its error; ask for 2 or more");
  return run_watched(stop, [&](Watch& watch) {
    Betweenness out;
    out.score.assign(n, 0);
    out.error.assign(n, 0);
    std::vector<double> squares(exact ? 0 : n, 0);
    std::vector<Vertex> starts;
    if (exact) {
      starts.resize(n);
      std::iota(starts.begin(), starts.end(), Vertex{0});
    } else {
      starts = draw(n, options.samples, options.seed);
    }
    PathCounter counter(graph);
    for (const Vertex start : starts) {
      counter.follow(start, watch);
      for (const Vertex v : counter.order()) {
        out.score[v] += counter.dependency(v);
        if (!exact) squares[v] += counter.dependency(v) * counter.dependency(v);
      }
    }
    const double ends = graph.directed() ? 1 : 2;  // an undirected pair is met from either end
    if (exact) {
      for (double& score : out.score) score /= ends;
      return out;
    }
    constexpr double kNormal95 = 1.96;
    const auto all = static_cast<double>(n);
    const auto k = static_cast<double>(starts.size());
    for (std::size_t v = 0; v < n; ++v) {
      const double mean = out.score[v] / k;
      const double variance = std::max(0.0, (squares[v] - k * mean * mean) / (k - 1));
      out.score[v] = all * mean / ends;
      out.error[v] = kNormal95 * all * std::sqrt((1 - k / all) * variance / k) / ends;
    }
    return out;
  });
}

Result<Closeness> closeness(const ContactGraph& graph, const StopCheck& stop) {
  return run_watched(stop, [&](Watch& watch) {
    const std::size_t n = graph.vertex_count();
    Closeness out;
    out.score.assign(n, 0);
    out.harmonic.assign(n, 0);
    out.reached.assign(n, 0);
    std::vector<std::uint32_t> hops(n, kFar);
    std::vector<Vertex> order;
    for (Vertex start = 0; start < n; ++start) {
      order.assign(1, start);
      hops[start] = 0;
      double sum = 0;
      for (std::size_t i = 0; i < order.size(); ++i) {
        watch.tick();
        for (const Vertex w : ways_back(graph, order[i])) {
          if (hops[w] != kFar) continue;
          hops[w] = hops[order[i]] + 1;
          order.push_back(w);
          sum += hops[w];
          out.harmonic[start] += 1.0 / hops[w];
        }
      }
      for (const Vertex v : order) hops[v] = kFar;
      const auto reached = static_cast<double>(order.size() - 1);
      out.reached[start] = static_cast<std::uint32_t>(order.size() - 1);
      if (reached > 0) out.score[start] = reached / sum * reached / static_cast<double>(n - 1);
    }
    return out;
  });
}

}  // namespace demarche

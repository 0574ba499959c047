#include "engine/algorithms/communities.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include <fmt/format.h>

namespace demarche {

namespace {

// A weighted undirected graph; an edge stands with both its ends, an edge with itself in `self` alone.
struct Level {
  std::vector<std::size_t> offsets{0};
  std::vector<std::uint32_t> other;
  std::vector<double> weight;
  std::vector<double> self;    // weight of edges within the vertex
  std::vector<double> degree;  // of all edges, those within twice

  [[nodiscard]] std::size_t size() const { return self.size(); }
};

// Adds up weights by vertex or group, and forgets them as fast.
class Sums {
 public:
  explicit Sums(std::size_t size) : sum_(size, 0), known_(size, 0) {}
  void add(std::uint32_t at, double value) {
    if (known_[at] == 0) {
      known_[at] = 1;
      keys_.push_back(at);
    }
    sum_[at] += value;
  }
  [[nodiscard]] double of(std::uint32_t at) const { return sum_[at]; }
  [[nodiscard]] std::vector<std::uint32_t>& keys() { return keys_; }
  void clear() {
    for (const std::uint32_t key : keys_) {
      sum_[key] = 0;
      known_[key] = 0;
    }
    keys_.clear();
  }

 private:
  std::vector<double> sum_;
  std::vector<std::uint8_t> known_;
  std::vector<std::uint32_t> keys_;
};

Level first_level(const ContactGraph& graph) {
  Level out;
  Sums sums(graph.vertex_count());
  for (ContactGraph::Vertex v = 0; v < graph.vertex_count(); ++v) {
    double self = 0;
    double degree = 0;
    const auto others = graph.neighbours(v);
    const auto edges = graph.edges(v);
    for (std::size_t i = 0; i < others.size(); ++i) {
      const double weight = graph.weight(edges[i]);
      degree += weight;
      if (others[i] == v) {
        self += weight / 2;  // it is met twice
      } else {
        sums.add(others[i], weight);
      }
    }
    for (const std::uint32_t other : sums.keys()) {
      out.other.push_back(other);
      out.weight.push_back(sums.of(other));
    }
    sums.clear();
    out.offsets.push_back(out.other.size());
    out.self.push_back(self);
    out.degree.push_back(degree);
  }
  return out;
}

// Groups become vertices. REQUIRES: groups are numbered from 0 without gaps.
Level next_level(const Level& level, const std::vector<std::uint32_t>& group, std::size_t groups) {
  std::vector<std::vector<std::uint32_t>> members(groups);
  for (std::uint32_t v = 0; v < level.size(); ++v) members[group[v]].push_back(v);
  Level out;
  Sums sums(groups);
  for (std::uint32_t g = 0; g < groups; ++g) {
    double self = 0;
    double degree = 0;
    for (const std::uint32_t v : members[g]) {
      self += level.self[v];
      degree += level.degree[v];
      for (std::size_t i = level.offsets[v]; i < level.offsets[v + 1]; ++i) {
        const std::uint32_t to = group[level.other[i]];
        if (to == g) {
          self += level.weight[i] / 2;
        } else {
          sums.add(to, level.weight[i]);
        }
      }
    }
    for (const std::uint32_t other : sums.keys()) {
      out.other.push_back(other);
      out.weight.push_back(sums.of(other));
    }
    sums.clear();
    out.offsets.push_back(out.other.size());
    out.self.push_back(self);
    out.degree.push_back(degree);
  }
  return out;
}

// Where Louvain ends depends on the order in which it takes the vertices. No order is always good, so a few that
// differ are tried, always the same ones.
enum class Order : std::uint8_t { kAscending, kDescending, kLeastFirst, kMostFirst };
constexpr Order kOrders[] = {Order::kAscending, Order::kDescending, Order::kLeastFirst, Order::kMostFirst};

std::vector<std::uint32_t> vertices_in(Order order, const Level& level) {
  std::vector<std::uint32_t> out(level.size());
  std::iota(out.begin(), out.end(), 0U);
  const auto by_degree = [&](std::uint32_t a, std::uint32_t b) { return level.degree[a] < level.degree[b]; };
  if (order == Order::kLeastFirst || order == Order::kMostFirst) std::stable_sort(out.begin(), out.end(), by_degree);
  if (order == Order::kDescending || order == Order::kMostFirst) std::reverse(out.begin(), out.end());
  return out;
}

// Moves vertices while modularity gains. True if any moved.
Result<bool> move_vertices(const Level& level, double resolution, Order order, std::vector<std::uint32_t>& group,
                           const StopCheck& stop) {
  const std::vector<std::uint32_t> vertices = vertices_in(order, level);
  constexpr double kGainMin = 1e-12;  // of all weight: below it, rounding would go round in circles
  constexpr std::size_t kRoundsMax = 1000;
  constexpr std::uint32_t kCheckEvery = 4096;
  const double all = std::accumulate(level.degree.begin(), level.degree.end(), 0.0);  // twice the weight
  std::vector<double> degrees(level.degree);                                          // by group: one vertex each
  Sums near(level.size());
  bool any = false;
  for (std::size_t round = 0; round < kRoundsMax; ++round) {
    bool moved = false;
    for (const std::uint32_t v : vertices) {
      if (v % kCheckEvery == 0) DEMARCHE_CHECK(check_stop(stop));
      const std::uint32_t home = group[v];
      for (std::size_t i = level.offsets[v]; i < level.offsets[v + 1]; ++i) {
        near.add(group[level.other[i]], level.weight[i]);
      }
      degrees[home] -= level.degree[v];
      // What a group gains from v, but for a factor that is the same for all.
      const auto gain = [&](std::uint32_t to) {
        return near.of(to) - resolution * degrees[to] * level.degree[v] / all;
      };
      std::uint32_t best = home;
      double best_gain = gain(home) + kGainMin * all;
      std::sort(near.keys().begin(), near.keys().end());
      for (const std::uint32_t to : near.keys()) {
        if (to != home && gain(to) > best_gain) {
          best = to;
          best_gain = gain(to);
        }
      }
      near.clear();
      degrees[best] += level.degree[v];
      group[v] = best;
      moved = moved || best != home;
    }
    any = any || moved;
    if (!moved) break;
  }
  return any;
}

// Numbers from 0 without gaps, in order of first appearance. Returns how many.
std::size_t close_gaps(std::vector<std::uint32_t>& group) {
  constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> number(group.size(), kNone);
  std::uint32_t next = 0;
  for (std::uint32_t& g : group) {
    if (number[g] == kNone) number[g] = next++;
    g = number[g];
  }
  return next;
}

// Each group into the pieces that hang together.
std::vector<std::uint32_t> split_pieces(const ContactGraph& graph, const std::vector<std::uint32_t>& group) {
  constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> piece(group.size(), kNone);
  std::vector<ContactGraph::Vertex> todo;
  std::uint32_t next = 0;
  for (ContactGraph::Vertex start = 0; start < group.size(); ++start) {
    if (piece[start] != kNone) continue;
    piece[start] = next;
    todo.assign(1, start);
    while (!todo.empty()) {
      const ContactGraph::Vertex v = todo.back();
      todo.pop_back();
      for (const ContactGraph::Vertex w : graph.neighbours(v)) {
        if (piece[w] != kNone || group[w] != group[v]) continue;
        piece[w] = next;
        todo.push_back(w);
      }
    }
    ++next;
  }
  return piece;
}

Result<std::vector<std::uint32_t>> louvain(const ContactGraph& graph, Level level, double resolution, Order order,
                                           const StopCheck& stop) {
  std::vector<std::uint32_t> group(graph.vertex_count());  // of the graph's vertices, by vertex of `level`
  std::iota(group.begin(), group.end(), 0U);
  while (true) {
    std::vector<std::uint32_t> moved_to(level.size());
    std::iota(moved_to.begin(), moved_to.end(), 0U);
    DEMARCHE_TRY(const bool moved, move_vertices(level, resolution, order, moved_to, stop));
    if (!moved) return group;
    const std::size_t groups = close_gaps(moved_to);
    for (std::uint32_t& g : group) g = moved_to[g];
    level = next_level(level, moved_to, groups);
  }
}

}  // namespace

Result<Communities> communities(const ContactGraph& graph, const CommunityOptions& options, const StopCheck& stop) {
  if (!(options.resolution > 0)) {
    return invalid(fmt::format("resolution is {}; it has to be above 0", options.resolution));
  }
  DEMARCHE_CHECK(check_stop(stop));
  const Level level = first_level(graph);
  std::optional<Communities> best;
  for (const Order order : kOrders) {
    DEMARCHE_TRY(const std::vector<std::uint32_t> group, louvain(graph, level, options.resolution, order, stop));
    Communities found;
    found.parts = in_order(split_pieces(graph, group));
    found.modularity = modularity(graph, found.parts.of, options.resolution);
    if (!best || found.modularity > best->modularity) best = std::move(found);
  }
  return std::move(*best);
}

double modularity(const ContactGraph& graph, std::span<const std::uint32_t> part, double resolution) {
  if (graph.edge_count() == 0) return 0;
  const std::uint32_t parts = *std::max_element(part.begin(), part.end()) + 1;
  std::vector<double> inside(parts, 0);  // twice
  std::vector<double> degrees(parts, 0);
  double all = 0;
  for (ContactGraph::Vertex v = 0; v < graph.vertex_count(); ++v) {
    const auto others = graph.neighbours(v);
    const auto edges = graph.edges(v);
    for (std::size_t i = 0; i < others.size(); ++i) {
      const double weight = graph.weight(edges[i]);
      degrees[part[v]] += weight;
      all += weight;
      if (part[others[i]] == part[v]) inside[part[v]] += weight;
    }
  }
  double sum = 0;
  for (std::uint32_t p = 0; p < parts; ++p) {
    sum += inside[p] / all - resolution * (degrees[p] / all) * (degrees[p] / all);
  }
  return sum;
}

}  // namespace demarche

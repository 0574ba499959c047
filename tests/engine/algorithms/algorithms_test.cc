// Algorithms on graphs of contacts against what is known in closed form, and on random graphs against the definition or
// another implementation. tests/query/graph_peers_test.py compares them with two libraries of others.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/betweenness_centrality.hpp>
#include <catch2/catch.hpp>

#include "engine/algorithms/centrality.h"
#include "engine/algorithms/communities.h"
#include "engine/algorithms/shortest_paths.h"
#include "engine/algorithms/structure.h"
#include "engine/contact_graph_bgl.h"
#include "tests/engine/store_fixture.h"

namespace demarche {
namespace {

using tests::must;
using Edges = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // vertices, each with an edge

ContactGraph graph_of(const Edges& edges, bool directed = false, Projection projection = Projection::kPairs) {
  std::vector<ContactGraph::GivenEdge> given;
  for (const auto& [a, b] : edges) given.push_back({ActorId{a + 1}, ActorId{b + 1}});
  GraphOptions options;
  options.projection = projection;
  options.directed = directed;
  options.self_contacts = false;
  return must(ContactGraph::of_edges(given, options));
}

Edges path(std::uint32_t n) {
  Edges out;
  for (std::uint32_t v = 0; v + 1 < n; ++v) out.emplace_back(v, v + 1);
  return out;
}
Edges cycle(std::uint32_t n) {
  Edges out = path(n);
  out.emplace_back(n - 1, 0);
  return out;
}
Edges star(std::uint32_t leaves) {
  Edges out;
  for (std::uint32_t v = 1; v <= leaves; ++v) out.emplace_back(0, v);
  return out;
}
Edges clique(std::uint32_t n, std::uint32_t from = 0) {
  Edges out;
  for (std::uint32_t a = 0; a < n; ++a) {
    for (std::uint32_t b = a + 1; b < n; ++b) out.emplace_back(from + a, from + b);
  }
  return out;
}
// Two cliques of n, joined by an edge between n - 1 and n.
Edges barbell(std::uint32_t n) {
  Edges out = clique(n);
  const Edges other = clique(n, n);
  out.insert(out.end(), other.begin(), other.end());
  out.emplace_back(n - 1, n);
  return out;
}
// Every vertex has an edge.
Edges random_edges(std::mt19937& random, std::uint32_t n, std::size_t count) {
  Edges out;
  for (std::uint32_t v = 0; v < n; ++v) out.emplace_back(v, (v + 1 + random() % (n - 1)) % n);
  for (std::size_t i = 0; i < count; ++i) {
    const auto a = static_cast<std::uint32_t>(random() % n);
    const auto b = static_cast<std::uint32_t>(random() % n);
    if (a != b) out.emplace_back(a, b);
  }
  return out;
}

constexpr std::uint32_t kFar = std::numeric_limits<std::uint32_t>::max() / 4;
// Hops between all vertices, by Floyd and Warshall.
std::vector<std::vector<std::uint32_t>> all_hops(const ContactGraph& graph) {
  const std::size_t n = graph.vertex_count();
  std::vector<std::vector<std::uint32_t>> hops(n, std::vector<std::uint32_t>(n, kFar));
  for (ContactGraph::Vertex v = 0; v < n; ++v) {
    hops[v][v] = 0;
    for (const auto w : graph.directed() ? graph.successors(v) : graph.neighbours(v)) hops[v][w] = v == w ? 0 : 1;
  }
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) hops[i][j] = std::min(hops[i][j], hops[i][k] + hops[k][j]);
    }
  }
  return hops;
}

void check_close(const std::vector<double>& found, const std::vector<double>& expected, double margin = 1e-9) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).margin(margin));
}

const StopCheck kStop = [] { return Result<void>(make_error(ErrorCode::kCancelled, "enough")); };

TEST_CASE("structure: known graphs") {
  CHECK(must(weak_components(graph_of(path(5)))).size == std::vector<std::uint32_t>{5});
  CHECK(must(blocks_joined(graph_of(path(5)))) == std::vector<std::uint32_t>{1, 2, 2, 2, 1});
  CHECK(must(blocks_joined(graph_of(cycle(5)))) == std::vector<std::uint32_t>(5, 1));
  CHECK(must(blocks_joined(graph_of(star(4)))) == std::vector<std::uint32_t>{4, 1, 1, 1, 1});
  CHECK(must(blocks_joined(graph_of(barbell(3)))) == std::vector<std::uint32_t>{1, 1, 2, 2, 1, 1});
  CHECK(must(core_numbers(graph_of(star(4)))) == std::vector<std::uint32_t>(5, 1));
  CHECK(must(core_numbers(graph_of(cycle(6)))) == std::vector<std::uint32_t>(6, 2));
  CHECK(must(core_numbers(graph_of(clique(6)))) == std::vector<std::uint32_t>(6, 5));
  Edges tail = clique(4);
  tail.emplace_back(3, 4);
  CHECK(must(core_numbers(graph_of(tail))) == std::vector<std::uint32_t>{3, 3, 3, 3, 1});
  CHECK(must(strong_components(graph_of(cycle(4), true))).size == std::vector<std::uint32_t>{4});
  CHECK(must(strong_components(graph_of(path(4), true))).size == std::vector<std::uint32_t>(4, 1));
  CHECK(must(weak_components(graph_of(path(4), true))).size == std::vector<std::uint32_t>{4});
}

TEST_CASE("structure: parts are in order of size, then of their least vertex") {
  const Parts parts = must(weak_components(graph_of({{0, 1}, {2, 3}, {4, 5}, {5, 6}})));
  CHECK(parts.of == std::vector<std::uint32_t>{1, 1, 2, 2, 0, 0, 0});
  CHECK(parts.size == std::vector<std::uint32_t>{3, 2, 2});
  CHECK(in_order({7, 7, 3}).of == std::vector<std::uint32_t>{0, 0, 1});
}

TEST_CASE("structure: random graphs by the definitions") {
  std::mt19937 random(GENERATE(1U, 2U, 3U, 4U, 5U, 6U));
  const auto n = static_cast<std::uint32_t>(12 + random() % 12);
  const bool directed = random() % 2 == 0;
  const ContactGraph graph = graph_of(random_edges(random, n, random() % 20), directed);
  REQUIRE(graph.vertex_count() == n);
  const auto hops = all_hops(graph);
  const Parts strong = must(directed ? strong_components(graph) : weak_components(graph));
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b < n; ++b) {
      CHECK((strong.of[a] == strong.of[b]) == (hops[a][b] < kFar && hops[b][a] < kFar));
    }
  }
  // Without a cut vertex there are more components: as many as it joins, for the one it was in.
  const auto joined = must(blocks_joined(graph));
  const std::size_t whole = must(weak_components(graph)).size.size();
  for (ContactGraph::Vertex v = 0; v < n; ++v) {
    std::set<std::uint32_t> seen{v};
    std::size_t pieces = 0;
    for (ContactGraph::Vertex start = 0; start < n; ++start) {
      if (!seen.insert(start).second) continue;
      ++pieces;
      std::vector<ContactGraph::Vertex> todo{start};
      while (!todo.empty()) {
        const auto at = todo.back();
        todo.pop_back();
        for (const auto w : graph.neighbours(at)) {
          if (seen.insert(w).second) todo.push_back(w);
        }
      }
    }
    CHECK(pieces + 1 == whole + joined[v]);
  }
  if (directed) return;
  // Core k is what is left when all with fewer than k neighbours are taken away, again and again.
  const auto core = must(core_numbers(graph));
  for (std::uint32_t k = 1; k <= n; ++k) {
    std::vector<bool> left(n, true);
    for (bool changed = true; changed;) {
      changed = false;
      for (ContactGraph::Vertex v = 0; v < n; ++v) {
        const auto others = graph.neighbours(v);
        const auto near = std::count_if(others.begin(), others.end(), [&](auto w) { return left[w]; });
        if (left[v] && near < static_cast<std::ptrdiff_t>(k)) {
          left[v] = false;
          changed = true;
        }
      }
    }
    for (ContactGraph::Vertex v = 0; v < n; ++v) CHECK(left[v] == (core[v] >= k));
  }
}

TEST_CASE("pagerank: known graphs") {
  check_close(must(pagerank(graph_of(cycle(5)))), std::vector<double>(5, 0.2));
  check_close(must(pagerank(graph_of(clique(4)))), std::vector<double>(4, 0.25));
  // A star of n leaves with damping d: the hub has (1 + n d) / ((n + 1) (1 + d)).
  const double d = 0.85;
  const double hub = (1 + 4 * d) / (5 * (1 + d));
  check_close(must(pagerank(graph_of(star(4)))), {hub, (1 - hub) / 4, (1 - hub) / 4, (1 - hub) / 4, (1 - hub) / 4});
  // a -> b, from where the walker starts anew: a = (1 - d)/2 + d b/2, b = a + d a.
  const double a = 1 / (2 + d);
  check_close(must(pagerank(graph_of(path(2), true))), {a, 1 - a});
  // Without following there is only starting anew.
  check_close(must(pagerank(graph_of(star(4)), {.damping = 0})), std::vector<double>(5, 0.2));
  // Two of three edges lead one way.
  const ContactGraph twice = graph_of({{0, 1}, {0, 1}, {0, 2}}, false, Projection::kInteractions);
  const auto rank = must(pagerank(twice));
  CHECK((rank[1] - 0.05) / (rank[2] - 0.05) == Approx(2));
}

TEST_CASE("pagerank: random graphs solve its equation") {
  std::mt19937 random(GENERATE(1U, 2U, 3U, 4U));
  const bool directed = random() % 2 == 0;
  const ContactGraph graph = graph_of(random_edges(random, 30, 40), directed, Projection::kInteractions);
  const auto rank = must(pagerank(graph, {.damping = 0.7}));
  const auto n = static_cast<double>(rank.size());
  double lost = 0;
  std::vector<double> next(rank.size(), 0);
  for (ContactGraph::Vertex v = 0; v < rank.size(); ++v) {
    const auto to = directed ? graph.successors(v) : graph.neighbours(v);
    if (to.empty()) lost += rank[v];
    for (const auto w : to) next[w] += 0.7 * rank[v] / static_cast<double>(to.size());
  }
  for (double& value : next) value += (0.3 + 0.7 * lost) / n;
  check_close(rank, next, 1e-8);
  CHECK(std::accumulate(rank.begin(), rank.end(), 0.0) == Approx(1));
}

TEST_CASE("pagerank: refusals") {
  const ContactGraph graph = graph_of(path(3));
  for (const double damping : {-0.1, 1.0, std::nan("")}) {
    CHECK(tests::says(tests::refusal(pagerank(graph, {.damping = damping})), "not including, 1"));
  }
  CHECK(tests::says(tests::refusal(pagerank(graph, {.tolerance = 0})), "above 0"));
  const Error slow = tests::refusal(pagerank(graph, {.iterations_max = 3}));
  CHECK(slow.code == ErrorCode::kLimit);
  CHECK(tests::says(slow, "after 3 iterations"));
}

TEST_CASE("betweenness: known graphs") {
  check_close(must(betweenness(graph_of(path(5)))).score, {0, 3, 4, 3, 0});
  check_close(must(betweenness(graph_of(path(4), true))).score, {0, 2, 2, 0});
  check_close(must(betweenness(graph_of(star(5)))).score, {10, 0, 0, 0, 0, 0});
  check_close(must(betweenness(graph_of(cycle(4)))).score, {0.5, 0.5, 0.5, 0.5});
  check_close(must(betweenness(graph_of(clique(5)))).score, std::vector<double>(5, 0));
  check_close(must(betweenness(graph_of(barbell(3)))).score, {0, 0, 6, 6, 0, 0});
}

TEST_CASE("betweenness: random graphs as Boost.Graph has them, and samples within their error") {
  const std::uint32_t seed = GENERATE(1U, 2U, 3U);
  std::mt19937 random(seed);
  const ContactGraph graph = graph_of(random_edges(random, 60, 70));
  boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS> peer(60);
  const bgl::Undirected g(graph);
  for (auto [e, end] = edges(g); e != end; ++e) add_edge((*e).source, (*e).target, peer);
  std::vector<double> expected(60);
  boost::brandes_betweenness_centrality(
      peer, boost::make_iterator_property_map(expected.begin(), get(boost::vertex_index, peer)));
  const Betweenness exact = must(betweenness(graph));
  check_close(exact.score, expected);
  CHECK(*std::max_element(exact.error.begin(), exact.error.end()) == 0);
  // Everybody drawn is exact; of half of them the errors hold for nearly all.
  check_close(must(betweenness(graph, {.samples = 60})).score, expected);
  const Betweenness half = must(betweenness(graph, {.samples = 40, .seed = seed}));
  std::size_t within = 0;
  for (std::size_t v = 0; v < 60; ++v) within += std::abs(half.score[v] - expected[v]) <= half.error[v] + 1e-9 ? 1 : 0;
  CHECK(within >= 48);
  CHECK(must(betweenness(graph, {.samples = 40, .seed = seed})).score == half.score);
  CHECK(must(betweenness(graph, {.samples = 40, .seed = seed + 1})).score != half.score);
  CHECK(tests::says(tests::refusal(betweenness(graph, {.samples = 1})), "2 or more"));
}

TEST_CASE("closeness: known graphs and random ones by hops") {
  check_close(must(closeness(graph_of(star(4)))).score, {1, 4 / 7.0, 4 / 7.0, 4 / 7.0, 4 / 7.0});
  check_close(must(closeness(graph_of(path(3)))).harmonic, {1.5, 2, 1.5});
  // Two of six reach each other: half as near as in a pair alone, and that for one of five.
  check_close(must(closeness(graph_of({{0, 1}, {2, 3}, {4, 5}}))).score, std::vector<double>(6, 0.2));
  std::mt19937 random(GENERATE(1U, 2U, 3U));
  const ContactGraph graph = graph_of(random_edges(random, 20, 5), random() % 2 == 0);
  const auto hops = all_hops(graph);
  const Closeness found = must(closeness(graph));
  for (std::size_t v = 0; v < 20; ++v) {
    double sum = 0;
    double harmonic = 0;
    std::uint32_t reached = 0;
    for (std::size_t w = 0; w < 20; ++w) {
      if (w == v || hops[w][v] >= kFar) continue;
      ++reached;
      sum += hops[w][v];
      harmonic += 1.0 / hops[w][v];
    }
    CHECK(found.reached[v] == reached);
    CHECK(found.harmonic[v] == Approx(harmonic));
    CHECK(found.score[v] == Approx(reached == 0 ? 0 : reached / sum * reached / 19));
  }
}

TEST_CASE("shortest paths: hops as by Floyd and Warshall, along real edges; the busy way where rarity counts") {
  std::mt19937 random(GENERATE(1U, 2U, 3U));
  const ContactGraph graph = graph_of(random_edges(random, 20, 8), random() % 2 == 0);
  const auto hops = all_hops(graph);
  for (ContactGraph::Vertex from = 0; from < 20; ++from) {
    for (const EdgeLength length : {EdgeLength::kHops, EdgeLength::kRarity}) {
      const ShortestPaths found = must(shortest_paths(graph, from, length));
      for (ContactGraph::Vertex to = 0; to < 20; ++to) {
        const auto way = found.path_to(to);
        if (hops[from][to] >= kFar) {
          CHECK(way.empty());
          continue;
        }
        if (length == EdgeLength::kHops) CHECK(found.distance[to] == hops[from][to]);
        REQUIRE_FALSE(way.empty());
        CHECK(way.front() == from);
        CHECK(way.back() == to);
        if (length == EdgeLength::kHops) CHECK(way.size() == hops[from][to] + 1);
        for (std::size_t i = 0; i + 1 < way.size(); ++i) CHECK(hops[way[i]][way[i + 1]] == 1);
      }
    }
  }
  // 1 - 2 once; 1 - 3 and 3 - 2 three times each.
  const std::vector<ContactGraph::GivenEdge> given = {
      {ActorId{1}, ActorId{2}, 1}, {ActorId{1}, ActorId{3}, 3}, {ActorId{3}, ActorId{2}, 3}};
  GraphOptions options;
  options.projection = Projection::kPairs;
  const ContactGraph busy = must(ContactGraph::of_edges(given, options));
  CHECK(must(shortest_paths(busy, 0, EdgeLength::kHops)).path_to(1).size() == 2);
  const ShortestPaths near = must(shortest_paths(busy, 0, EdgeLength::kRarity));
  CHECK(near.path_to(1) == std::vector<ContactGraph::Vertex>{0, 2, 1});
  CHECK(near.distance[1] == Approx(2 / 3.0));
}

TEST_CASE("communities: two cliques with a bridge, and what modularity is") {
  const ContactGraph graph = graph_of(barbell(5));
  const Communities found = must(communities(graph));
  CHECK(found.parts.of == std::vector<std::uint32_t>{0, 0, 0, 0, 0, 1, 1, 1, 1, 1});
  CHECK(found.modularity == Approx(20 / 21.0 - 0.5));
  CHECK(modularity(graph, std::vector<std::uint32_t>(10, 0), 1) == Approx(0).margin(1e-12));
  CHECK(must(communities(graph_of(clique(5)))).parts.size == std::vector<std::uint32_t>{5});
  // A fine resolution leaves everybody alone, a coarse one puts all together.
  CHECK(must(communities(graph, {.resolution = 100})).parts.size.size() == 10);
  CHECK(must(communities(graph, {.resolution = 0.01})).parts.size.size() == 1);
  for (const double resolution : {0.0, -1.0, std::nan("")}) {
    CHECK(tests::says(tests::refusal(communities(graph, {.resolution = resolution})), "above 0"));
  }
}

TEST_CASE("communities: of small random graphs near the best there is, whole, and no vertex gains by moving") {
  std::mt19937 random(GENERATE(1U, 2U, 3U, 4U, 5U));
  const std::uint32_t n = 8;
  const ContactGraph graph = graph_of(random_edges(random, n, 5));
  const Communities found = must(communities(graph));
  CHECK(found.modularity == Approx(modularity(graph, found.parts.of, 1)));
  // All partitions, as strings of restricted growth.
  double best = 0;
  std::vector<std::uint32_t> part(n, 0);
  const std::function<void(std::uint32_t, std::uint32_t)> grow = [&](std::uint32_t v, std::uint32_t parts) {
    if (v == n) {
      best = std::max(best, modularity(graph, part, 1));
      return;
    }
    for (std::uint32_t p = 0; p <= parts; ++p) {
      part[v] = p;
      grow(v + 1, std::max(parts, p + 1));
    }
  };
  grow(0, 0);
  CHECK(found.modularity <= best + 1e-12);
  CHECK(found.modularity >= 0.9 * best);
  for (std::uint32_t v = 0; v < n; ++v) {
    for (std::uint32_t p = 0; p < found.parts.size.size(); ++p) {
      std::vector<std::uint32_t> moved = found.parts.of;
      moved[v] = p;
      // Only the last level asks single vertices again, so a move may gain, but not much.
      CHECK(modularity(graph, moved, 1) <= found.modularity + 0.1);
    }
  }
  for (std::uint32_t p = 0; p < found.parts.size.size(); ++p) {
    Edges within;
    std::set<std::uint32_t> members;
    const bgl::Undirected g(graph);
    for (auto [e, end] = edges(g); e != end; ++e) {
      const bgl::Edge edge = *e;
      if (found.parts.of[edge.source] == p && found.parts.of[edge.target] == p) {
        within.emplace_back(edge.source, edge.target);
        members.insert({edge.source, edge.target});
      }
    }
    if (found.parts.size[p] == 1) continue;
    CHECK(members.size() == found.parts.size[p]);
    CHECK(must(weak_components(graph_of(within))).size.size() == 1);
  }
}

TEST_CASE("algorithms: the empty graph has empty answers, and all stop when asked") {
  const ContactGraph none = graph_of({});
  CHECK(must(weak_components(none)).size.empty());
  CHECK(must(blocks_joined(none)).empty());
  CHECK(must(core_numbers(none)).empty());
  CHECK(must(pagerank(none)).empty());
  CHECK(must(betweenness(none)).score.empty());
  CHECK(must(closeness(none)).score.empty());
  CHECK(must(communities(none)).parts.of.empty());
  CHECK(must(strong_components(graph_of({}, true))).of.empty());

  // Stopped in the midst as well as at the start: the check counts down.
  const ContactGraph long_way = graph_of(path(20'000));
  const ContactGraph one_way = graph_of(path(20'000), true);
  for (const int after : {0, 2}) {
    const auto stop = [after]() -> StopCheck {
      return [left = after]() mutable { return left-- > 0 ? Result<void>() : kStop(); };
    };
    CHECK(tests::refusal(weak_components(long_way, stop())).code == ErrorCode::kCancelled);
    CHECK(tests::refusal(strong_components(one_way, stop())).code == ErrorCode::kCancelled);
    CHECK(tests::refusal(blocks_joined(long_way, stop())).code == ErrorCode::kCancelled);
    CHECK(tests::refusal(core_numbers(long_way, stop())).code == ErrorCode::kCancelled);
    CHECK(tests::refusal(pagerank(long_way, {}, stop())).code == ErrorCode::kCancelled);
    CHECK(tests::refusal(betweenness(long_way, {}, stop())).code == ErrorCode::kCancelled);
    CHECK(tests::refusal(closeness(long_way, stop())).code == ErrorCode::kCancelled);
    CHECK(tests::refusal(shortest_paths(long_way, 0, EdgeLength::kHops, stop())).code == ErrorCode::kCancelled);
    CHECK(tests::refusal(shortest_paths(long_way, 0, EdgeLength::kRarity, stop())).code == ErrorCode::kCancelled);
    CHECK(tests::refusal(communities(long_way, {}, stop())).code == ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace demarche

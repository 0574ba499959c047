// Shortest paths from one actor in a graph of contacts, whatever the order in time: for that see engine/chronology.h.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "engine/contact_graph.h"
#include "engine/result.h"
#include "engine/stop_check.h"

namespace demarche {

enum class EdgeLength : std::uint8_t {
  kHops,    // 1
  kRarity,  // 1 / weight: the more interactions, the nearer (Newman 2001, of scientists who publish together)
};

struct ShortestPaths {
  static constexpr double kUnreached = std::numeric_limits<double>::infinity();
  std::vector<double> distance;                // by vertex
  std::vector<ContactGraph::Vertex> previous;  // on one shortest path; of the start and of whom nobody reaches: itself
  // The vertices of that path, the start first; empty if `to` is not reached.
  [[nodiscard]] std::vector<ContactGraph::Vertex> path_to(ContactGraph::Vertex to) const;
};

// Boost.Graph's breadth_first_search (hops) and dijkstra_shortest_paths (rarity). Of several shortest paths one is
// given, the same each time. Cost: linear; for rarity times the logarithm of the number of vertices. Errors: those of
// `stop`. REQUIRES: `from` is a vertex of the graph, which is made as kPairs.
[[nodiscard]] Result<ShortestPaths> shortest_paths(const ContactGraph& graph, ContactGraph::Vertex from,
                                                   EdgeLength length, const StopCheck& stop = {});

}  // namespace demarche

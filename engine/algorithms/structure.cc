#include "engine/algorithms/structure.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <boost/graph/biconnected_components.hpp>
#include <boost/graph/connected_components.hpp>
#include <boost/graph/core_numbers.hpp>
#include <boost/graph/strong_components.hpp>

#include "engine/algorithms/watched.h"
#include "engine/contact_graph_bgl.h"

namespace demarche {

Parts in_order(const std::vector<std::uint32_t>& of) {
  std::vector<std::uint32_t> size;
  std::vector<std::uint32_t> least;
  for (std::size_t v = 0; v < of.size(); ++v) {
    if (of[v] >= size.size()) {
      size.resize(std::size_t{of[v]} + 1, 0);
      least.resize(size.size(), 0);
    }
    if (size[of[v]]++ == 0) least[of[v]] = static_cast<std::uint32_t>(v);
  }
  std::vector<std::uint32_t> order(size.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return size[a] != size[b] ? size[a] > size[b] : least[a] < least[b];
  });
  std::vector<std::uint32_t> number(size.size());
  Parts out;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (size[order[i]] == 0) break;  // numbers that nobody had
    number[order[i]] = static_cast<std::uint32_t>(i);
    out.size.push_back(size[order[i]]);
  }
  out.of.reserve(of.size());
  for (const std::uint32_t part : of) out.of.push_back(number[part]);
  return out;
}

Result<Parts> weak_components(const ContactGraph& graph, const StopCheck& stop) {
  return run_watched(stop, [&](Watch& watch) {
    std::vector<std::uint32_t> of(graph.vertex_count());
    boost::connected_components(bgl::Undirected(graph), watched(of, watch));
    return in_order(of);
  });
}

Result<Parts> strong_components(const ContactGraph& graph, const StopCheck& stop) {
  return run_watched(stop, [&](Watch& watch) {
    std::vector<std::uint32_t> of(graph.vertex_count());
    const bgl::Directed g(graph);
    boost::strong_components(g, watched(of, watch), boost::vertex_index_map(get(boost::vertex_index, g)));
    return in_order(of);
  });
}

namespace {

// Edges get the number of their biconnected component; each writing is a tick.
struct BlockMap {
  using key_type = bgl::Edge;
  using value_type = std::size_t;
  using reference = std::size_t;
  using category = boost::read_write_property_map_tag;
  std::vector<std::uint32_t>* block = nullptr;
  Watch* watch = nullptr;
  friend std::size_t get(const BlockMap& map, const bgl::Edge& e) { return (*map.block)[e.index]; }
  friend void put(const BlockMap& map, const bgl::Edge& e, std::size_t block) {
    map.watch->tick();
    (*map.block)[e.index] = static_cast<std::uint32_t>(block);
  }
};

}  // namespace

Result<std::vector<std::uint32_t>> blocks_joined(const ContactGraph& graph, const StopCheck& stop) {
  return run_watched(stop, [&](Watch& watch) {
    constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
    std::vector<std::uint32_t> block(graph.edge_count(), kNone);
    const bgl::Undirected g(graph);
    boost::biconnected_components(g, BlockMap{&block, &watch}, boost::vertex_index_map(get(boost::vertex_index, g)));
    std::vector<std::uint32_t> joined(graph.vertex_count(), 0);
    std::vector<std::uint32_t> seen;
    for (ContactGraph::Vertex v = 0; v < graph.vertex_count(); ++v) {
      watch.tick();
      seen.clear();
      const auto others = graph.neighbours(v);
      const auto edges = graph.edges(v);
      for (std::size_t i = 0; i < edges.size(); ++i) {
        if (others[i] != v && block[edges[i]] != kNone) seen.push_back(block[edges[i]]);
      }
      std::sort(seen.begin(), seen.end());
      joined[v] = static_cast<std::uint32_t>(std::unique(seen.begin(), seen.end()) - seen.begin());
    }
    return joined;
  });
}

Result<std::vector<std::uint32_t>> core_numbers(const ContactGraph& graph, const StopCheck& stop) {
  return run_watched(stop, [&](Watch& watch) {
    std::vector<std::uint32_t> core(graph.vertex_count());
    const bgl::Undirected g(graph);
    if (graph.vertex_count() > 0) boost::core_numbers(g, watched(core, watch));
    return core;
  });
}

}  // namespace demarche

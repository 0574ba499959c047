#include "engine/algorithms/shortest_paths.h"

#include <algorithm>

#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>

#include "engine/algorithms/watched.h"
#include "engine/contact_graph_bgl.h"

namespace demarche {

namespace {

using Vertex = ContactGraph::Vertex;

// What Boost.Graph tells of a search, and asks for stopping.
class Recorder : public boost::default_bfs_visitor {
 public:
  Recorder(ShortestPaths& found, Watch& watch) : found_(&found), watch_(&watch) {}
  template <typename Graph>
  void discover_vertex(Vertex, const Graph&) {
    watch_->tick();
  }
  template <typename Graph>
  void tree_edge(const bgl::Edge& e, const Graph&) {
    found_->distance[e.target] = found_->distance[e.source] + 1;
    found_->previous[e.target] = e.source;
  }

 private:
  ShortestPaths* found_;
  Watch* watch_;
};

class Ticker : public boost::dijkstra_visitor<> {
 public:
  explicit Ticker(Watch& watch) : watch_(&watch) {}
  template <typename Graph>
  void examine_vertex(Vertex, const Graph&) {
    watch_->tick();
  }

 private:
  Watch* watch_;
};

double rarity_of(const ContactGraph& graph, const bgl::Edge& e) { return 1.0 / graph.weight(e.index); }

template <typename Graph>
ShortestPaths search(const ContactGraph& graph, Vertex from, EdgeLength length, Watch& watch) {
  const Graph g(graph);
  ShortestPaths out;
  out.distance.assign(graph.vertex_count(), ShortestPaths::kUnreached);
  out.previous.resize(graph.vertex_count());
  for (Vertex v = 0; v < graph.vertex_count(); ++v) out.previous[v] = v;
  const auto index = get(boost::vertex_index, g);
  if (length == EdgeLength::kHops) {
    out.distance[from] = 0;
    boost::breadth_first_search(g, from, boost::visitor(Recorder(out, watch)).vertex_index_map(index));
    return out;
  }
  boost::dijkstra_shortest_paths(g, from,
                                 boost::predecessor_map(boost::make_iterator_property_map(out.previous.begin(), index))
                                     .distance_map(boost::make_iterator_property_map(out.distance.begin(), index))
                                     .weight_map(bgl::ReadMap<bgl::Edge, double, &rarity_of>(graph))
                                     .vertex_index_map(index)
                                     .distance_inf(ShortestPaths::kUnreached)
                                     .visitor(Ticker(watch)));
  return out;
}

}  // namespace

std::vector<Vertex> ShortestPaths::path_to(Vertex to) const {
  std::vector<Vertex> path;
  if (distance[to] == kUnreached) return path;
  for (Vertex at = to;; at = previous[at]) {
    path.push_back(at);
    if (previous[at] == at) break;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

Result<ShortestPaths> shortest_paths(const ContactGraph& graph, Vertex from, EdgeLength length, const StopCheck& stop) {
  return run_watched(stop, [&](Watch& watch) {
    return graph.directed() ? search<bgl::Directed>(graph, from, length, watch)
                            : search<bgl::Undirected>(graph, from, length, watch);
  });
}

}  // namespace demarche

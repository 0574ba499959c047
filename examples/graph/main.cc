// Runs an algorithm of Boost.Graph on a store's contacts: the actors without whom the rest would fall apart.
//
//   build/release/examples/demarche_graph_example talks.dm

#include <cstdio>
#include <iterator>
#include <vector>

#include <boost/graph/biconnected_components.hpp>

#include "engine/contact_graph_bgl.h"

namespace {

demarche::Result<void> run(const char* path) {
  DEMARCHE_TRY(const auto store, demarche::Store::open(path, {.read_only = true}));
  const auto view = store->view();
  DEMARCHE_TRY(const auto graph, demarche::ContactGraph::make(*view, {.projection = demarche::Projection::kPairs}));
  const demarche::bgl::Undirected g(graph);
  std::vector<demarche::ContactGraph::Vertex> cuts;
  boost::articulation_points(g, std::back_inserter(cuts));
  std::printf("%zu actors, %zu pairs in contact; removing one of these parts others:\n", num_vertices(g), num_edges(g));
  for (const auto v : cuts) {
    DEMARCHE_TRY(const auto actor, view->get_actor(graph.actor(v)));
    std::printf("%s, %zu contacts\n", actor.name.c_str(), out_degree(v, g));
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: demarche_graph_example STORE\n");
    return 2;
  }
  const auto done = run(argv[1]);
  if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done ? 0 : 1;
}

// Who matters in a graph of contacts: PageRank, betweenness, closeness.
//
// Scores are by vertex. Graphs read as undirected (graph.directed() false) are walked both ways. Errors: those of
// `stop`, else as said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/contact_graph.h"
#include "engine/result.h"
#include "engine/stop_check.h"

namespace demarche {

// The share of its time that a walker spends at a vertex who follows an edge at random, and now and then, and where no
// edge leads on, starts anew anywhere (Page, Brin, Motwani, Winograd 1999). Scores sum to 1. Parallel edges count each,
// so a graph made as kInteractions is weighted by the number of interactions; weights of kPairs are not looked at.
// Boost.Graph's page_rank, which lets walkers without a way on vanish; dividing by the sum puts them back evenly.
struct PageRankOptions {
  double damping = 0.85;     // chance of following an edge, from 0 up to, not including, 1
  double tolerance = 1e-10;  // the end: a step moves no more than this of all
  std::size_t iterations_max = 1000;
};
// Cost: linear for each iteration, some 140 of them. Errors: kInvalidArgument for options out of range; kLimit if
// iterations_max is reached before.
[[nodiscard]] Result<std::vector<double>> pagerank(const ContactGraph& graph, const PageRankOptions& options = {},
                                                   const StopCheck& stop = {});

// For each vertex the number of ordered (undirected: unordered) pairs of others that it lies between: each pair counts
// by the share of its shortest paths, in hops, through the vertex (Freeman 1977; method of Brandes 2001). Weights and
// directions as in the graph; parallel edges would count as several paths.
//
// With `samples` only paths from so many vertices, drawn at random without repetition, are followed, and the sum is
// scaled up (Brandes and Pich 2007): `error` is 1.96 standard errors of it, so that some 95 % of the true scores lie
// within score +- error, if samples are not few (30 and more). Exact answers have no error.
struct BetweennessOptions {
  std::size_t samples = 0;  // 0, or as many as there are vertices: exact
  std::uint64_t seed = 1;
};
struct Betweenness {
  std::vector<double> score;
  std::vector<double> error;
};
// REQUIRES: made as kPairs, without self_contacts. Cost: a breadth-first search for each start.
[[nodiscard]] Result<Betweenness> betweenness(const ContactGraph& graph, const BetweennessOptions& options = {},
                                              const StopCheck& stop = {});

// How near a vertex is to those that can reach it (undirected: to all it is connected with). With r of the other n - 1
// vertices reaching it over d hops in all, `score` is (r / d) * (r / (n - 1)), the form of Wasserman and Faust (1994)
// for graphs that fall apart; 0 if r is 0. `harmonic` is the sum of 1 / hops.
struct Closeness {
  std::vector<double> score;
  std::vector<double> harmonic;
  std::vector<std::uint32_t> reached;  // r
};
// Cost: a breadth-first search for each vertex.
[[nodiscard]] Result<Closeness> closeness(const ContactGraph& graph, const StopCheck& stop = {});

}  // namespace demarche

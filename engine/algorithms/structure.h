// How a graph of contacts hangs together: components, actors that hold it together, dense cores.
//
// All are those of Boost.Graph. Vertices of the answers are those of the graph. Errors: those of `stop`.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/contact_graph.h"
#include "engine/result.h"
#include "engine/stop_check.h"

namespace demarche {

// A partition of the vertices. Parts are numbered from 0, the larger first, of equals the one with the least vertex.
struct Parts {
  std::vector<std::uint32_t> of;    // by vertex
  std::vector<std::uint32_t> size;  // by part
};
// Numbers the parts anew in that order.
[[nodiscard]] Parts in_order(const std::vector<std::uint32_t>& of);

// Weak: along edges in either direction. Cost: linear.
[[nodiscard]] Result<Parts> weak_components(const ContactGraph& graph, const StopCheck& stop = {});
// Strong: from each vertex of a part to each other along the edges (Tarjan 1972). Cost: linear.
// REQUIRES: graph.directed().
[[nodiscard]] Result<Parts> strong_components(const ContactGraph& graph, const StopCheck& stop = {});

// For each vertex the number of biconnected components it belongs to (Hopcroft and Tarjan 1973); 2 or more mark a cut
// vertex: without it, those it joined would fall into so many pieces. A vertex whose only edge is one with itself has
// none. Directions are ignored. Cost: linear.
[[nodiscard]] Result<std::vector<std::uint32_t>> blocks_joined(const ContactGraph& graph, const StopCheck& stop = {});

// The greatest k for which the vertex has k neighbours in a part of the graph whose vertices all have k there (Batagelj
// and Zaversnik 2003). Directions are ignored. Cost: linear. REQUIRES: made as kPairs, not directed, without
// self_contacts.
[[nodiscard]] Result<std::vector<std::uint32_t>> core_numbers(const ContactGraph& graph, const StopCheck& stop = {});

}  // namespace demarche

// Groups of actors with more contact among themselves than with others.
//
// Louvain method (Blondel, Guillaume, Lambiotte, Lefebvre 2008): vertices move, one after the other, to the
// neighbouring group where modularity gains most; groups become vertices, and so on until nothing gains. In the end
// groups that hang together in no way are split, which never lowers modularity (what Traag, Waltman and van Eck 2019
// hold against the plain method). Four fixed orders of vertices are tried (by number and by degree, both ways), the one
// that ends with most modularity is kept, and ties go to the group with the lowest number, so that the same graph has
// the same answer. It is a good partition, not the best one, which is hard to find.
//
// Modularity (Newman and Girvan 2004, with the resolution of Reichardt and Bornholdt 2006):
//   sum over groups of  inside / m - resolution * (degrees / 2m)^2,
// where m is all weight, `inside` that of the edges within the group and `degrees` the weighted degrees of its
// vertices.
#pragma once

#include <cstddef>
#include <span>

#include "engine/algorithms/structure.h"
#include "engine/contact_graph.h"
#include "engine/result.h"
#include "engine/stop_check.h"

namespace demarche {

struct CommunityOptions {
  double resolution = 1;  // above 1: more and smaller groups
};
struct Communities {
  Parts parts;
  double modularity = 0;
};
// Directions are ignored, weights count. Cost: linear for each round; a few dozen rounds as a rule. Errors:
// kInvalidArgument for a resolution that is not above 0; those of `stop`.
[[nodiscard]] Result<Communities> communities(const ContactGraph& graph, const CommunityOptions& options = {},
                                              const StopCheck& stop = {});

// Of any partition. 0 for a graph without edges. REQUIRES: a number for each vertex.
[[nodiscard]] double modularity(const ContactGraph& graph, std::span<const std::uint32_t> part, double resolution);

}  // namespace demarche

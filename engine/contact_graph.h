// Who was in contact with whom as a graph in memory: compact, immutable, taken from one fixed state of the store.
//
//   DEMARCHE_TRY(const ContactGraph graph, ContactGraph::make(*view, {.projection = Projection::kPairs}));
//   for (const ContactGraph::Vertex other : graph.neighbours(graph.find(kerry).value())) ...
//
// Vertices are the actors that have an edge, ascending by id; in the bipartite projection the interactions follow them,
// ascending too. Edges run from `source` to `target`. Each vertex has its outgoing edges side by side and its incoming
// ones behind them, so that one storage serves both as a directed graph and, read across both, as an undirected one. An
// edge of a vertex with itself stands in both parts. engine/contact_graph_bgl.h lends it to Boost.Graph.
//
// Edges are numbered from 0 by (source, target); parallel ones follow each other in no promised order. The same view
// and options give the same vertices and, without parallel edges, the same graph.
//
// Memory: 16 bytes an edge and 16 bytes a vertex (8 for its id, 8 for its place); beyond that 4 bytes an edge for
// weights (kPairs only) and 8 for each column asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/contact_scan.h"
#include "engine/kind.h"
#include "engine/result.h"
#include "engine/stop_check.h"
#include "engine/store.h"
#include "engine/types.h"

namespace demarche {

enum class Projection : std::uint8_t {
  kInteractions,  // an edge for each interaction and pair of actors in contact within it
  kPairs,         // an edge for each pair of actors (directed: ordered pair); its weight counts the interactions
  kBipartite,     // an edge for each interaction and actor that took part, in whatever role
};

// Columns of edges that may be asked for.
struct EdgeColumns {
  bool begin = false;        // earliest begin; of a pair, that of its first interaction
  bool end = false;          // latest end; of a pair, that of its last interaction
  bool interaction = false;  // not of a pair
};

struct GraphOptions {
  KindSet kinds = {};  // default: CONTACT and all below
  TimeWindow window = {};
  WindowFit fit = WindowFit::kWithin;
  bool held_only = true;  // leave out what is planned or cancelled
  Projection projection = Projection::kInteractions;
  // false: edges run from the lesser actor id to the greater, for graphs read as undirected. true: from the actors of
  // the side `from` to those of the side `to`; an actor of both sides counts as either, so that a meeting of two makes
  // two edges, there and back, and whoever has no side (a forum) none. Bipartite: from the side `from` to the
  // interaction, and on to the side `to`.
  bool directed = false;
  bool self_contacts = true;  // keep edges of an actor with itself
  EdgeColumns columns = {};
};

// Read by any number of threads at once.
class ContactGraph {
 public:
  using Vertex = std::uint32_t;
  using EdgeIndex = std::uint32_t;
  static constexpr std::size_t kEdgesMax = (std::size_t{1} << 31) - 1;  // and vertices

  // From all that fits the options. Cost: one pass over the window's blocks, then some 30 ns a contact; directed and
  // bipartite graphs read whole rows, some 100 ns. Errors: kLimit beyond kEdgesMax edges or vertices; kCorruption,
  // kIo; those of `stop`.
  [[nodiscard]] static Result<ContactGraph> make(const View& view, const GraphOptions& options,
                                                 const StopCheck& stop = {});
  // From the interactions named, a query's answer, say; each counts once. Of `options` the window, the kinds (if any
  // were put in) and held_only narrow them further; kinds default to all here. Cost: a record read for each.
  // Errors: as make(), and kNotFound.
  [[nodiscard]] static Result<ContactGraph> of_interactions(const View& view,
                                                            std::span<const InteractionId> interactions,
                                                            const GraphOptions& options, const StopCheck& stop = {});
  // From a list of edges between actors, each with the number of interactions it stands for; for tests and for graphs
  // from elsewhere. Pairs that repeat stay parallel unless `projection` is kPairs, which adds them up.
  struct GivenEdge {
    ActorId source;
    ActorId target;
    std::uint32_t weight = 1;
  };
  [[nodiscard]] static Result<ContactGraph> of_edges(std::span<const GivenEdge> edges, const GraphOptions& options);

  [[nodiscard]] std::size_t vertex_count() const { return ids_.size(); }
  [[nodiscard]] std::size_t edge_count() const { return edge_count_; }
  [[nodiscard]] bool directed() const { return directed_; }

  // Vertices below actor_count() are actors, the others interactions.
  [[nodiscard]] std::size_t actor_count() const { return actor_count_; }
  [[nodiscard]] bool is_actor(Vertex v) const { return v < actor_count_; }
  [[nodiscard]] ActorId actor(Vertex v) const { return ActorId{ids_[v]}; }  // REQUIRES: is_actor(v)
  [[nodiscard]] InteractionId interaction_of(Vertex v) const {
    return InteractionId{ids_[v]};
  }                                                               // REQUIRES: !is_actor(v)
  [[nodiscard]] std::optional<Vertex> find(ActorId actor) const;  // binary search

  // The other ends of the edges of v, parallel: outgoing first, then incoming.
  [[nodiscard]] std::span<const Vertex> neighbours(Vertex v) const { return part(neighbours_, v, 0, 2); }
  [[nodiscard]] std::span<const Vertex> successors(Vertex v) const { return part(neighbours_, v, 0, 1); }
  [[nodiscard]] std::span<const Vertex> predecessors(Vertex v) const { return part(neighbours_, v, 1, 2); }
  // The edges themselves, in the same order.
  [[nodiscard]] std::span<const EdgeIndex> edges(Vertex v) const { return part(edges_, v, 0, 2); }
  [[nodiscard]] std::span<const EdgeIndex> edges_out(Vertex v) const { return part(edges_, v, 0, 1); }
  [[nodiscard]] std::span<const EdgeIndex> edges_in(Vertex v) const { return part(edges_, v, 1, 2); }

  // How many interactions an edge stands for; more than 4,294,967,295 count as that many.
  [[nodiscard]] std::uint32_t weight(EdgeIndex e) const { return weights_.empty() ? 1 : weights_[e]; }
  [[nodiscard]] std::uint64_t total_weight() const;
  // REQUIRES of each: the column was asked for.
  [[nodiscard]] Timestamp begin(EdgeIndex e) const { return {begins_[e]}; }
  [[nodiscard]] Timestamp end(EdgeIndex e) const { return {ends_[e]}; }
  [[nodiscard]] InteractionId interaction(EdgeIndex e) const { return InteractionId{interactions_[e]}; }

  // Bytes held: the graph itself, and weights and columns apart.
  struct Memory {
    std::size_t vertices = 0;
    std::size_t edges = 0;
    std::size_t columns = 0;
  };
  [[nodiscard]] Memory memory() const;

 private:
  friend class GraphBuilder;
  ContactGraph() = default;
  // The outgoing part is from 0 to 1, the incoming one from 1 to 2.
  [[nodiscard]] std::span<const std::uint32_t> part(const std::vector<std::uint32_t>& column, Vertex v,
                                                    std::size_t first, std::size_t last) const {
    const std::uint32_t* at = offsets_.data() + 2 * static_cast<std::size_t>(v);
    return {column.data() + at[first], column.data() + at[last]};
  }

  bool directed_ = false;
  std::size_t actor_count_ = 0;
  std::size_t edge_count_ = 0;
  std::vector<std::uint64_t> ids_;         // of actors, then of interactions, each ascending
  std::vector<std::uint32_t> offsets_;     // of v: outgoing from [2v], incoming from [2v + 1]; one more at the end
  std::vector<std::uint32_t> neighbours_;  // 2 for each edge
  std::vector<std::uint32_t> edges_;       // parallel to neighbours_
  std::vector<std::uint32_t> weights_;     // kPairs only
  std::vector<std::int64_t> begins_;
  std::vector<std::int64_t> ends_;
  std::vector<std::uint64_t> interactions_;
};

}  // namespace demarche

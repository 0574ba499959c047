// ContactGraph as a model of Boost.Graph's concepts, so that its algorithms run on it as it stands, without a copy.
//
//   const bgl::Undirected g(graph);
//   std::vector<std::size_t> component(num_vertices(g));
//   boost::connected_components(g, boost::make_iterator_property_map(component.begin(), get(boost::vertex_index, g)));
//
// bgl::Undirected reads across the edges, bgl::Directed along them; both may be made of one ContactGraph, but only one
// built with `directed` has directions that mean something. Models VertexListGraph, IncidenceGraph, BidirectionalGraph,
// AdjacencyGraph and EdgeListGraph. Property maps, all readable: boost::vertex_index and boost::edge_index (from 0),
// boost::edge_weight (number of interactions, as double), bgl::actor_id of vertices, and where the column was asked for
// bgl::interaction_id, bgl::begin_time and bgl::end_time of edges.
//
// A Graph is a pointer: copy it freely, keep the ContactGraph. Vertices are numbers from 0. An edge with itself comes
// up twice among the edges of an undirected vertex, once among all edges.
//
// Needs Boost's headers (1.81), which take seconds to compile: include this only where an algorithm is called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include <boost/graph/graph_traits.hpp>
#include <boost/graph/properties.hpp>
#include <boost/iterator/counting_iterator.hpp>
#include <boost/iterator/iterator_facade.hpp>
#include <boost/property_map/property_map.hpp>

#include "engine/contact_graph.h"

namespace demarche::bgl {

struct Edge {
  ContactGraph::Vertex source = 0;
  ContactGraph::Vertex target = 0;
  ContactGraph::EdgeIndex index = 0;
  // Met from either end it is the same edge.
  friend bool operator==(const Edge& a, const Edge& b) { return a.index == b.index; }
  friend bool operator!=(const Edge& a, const Edge& b) { return a.index != b.index; }
  friend bool operator<(const Edge& a, const Edge& b) { return a.index < b.index; }
  friend std::size_t hash_value(const Edge& e) { return e.index; }
};

// Edges of one vertex, which is their source (kOut) or their target.
template <bool kOut>
class IncidentEdgeIterator : public boost::iterator_facade<IncidentEdgeIterator<kOut>, Edge,
                                                           boost::random_access_traversal_tag, Edge, std::ptrdiff_t> {
 public:
  IncidentEdgeIterator() = default;
  IncidentEdgeIterator(ContactGraph::Vertex v, const ContactGraph::Vertex* other, const ContactGraph::EdgeIndex* edge)
      : v_(v), other_(other), edge_(edge) {}

 private:
  friend class boost::iterator_core_access;
  Edge dereference() const { return kOut ? Edge{v_, *other_, *edge_} : Edge{*other_, v_, *edge_}; }
  bool equal(const IncidentEdgeIterator& that) const { return other_ == that.other_; }
  void increment() { advance(1); }
  void decrement() { advance(-1); }
  void advance(std::ptrdiff_t n) {
    other_ += n;
    edge_ += n;
  }
  std::ptrdiff_t distance_to(const IncidentEdgeIterator& that) const { return that.other_ - other_; }

  ContactGraph::Vertex v_ = 0;
  const ContactGraph::Vertex* other_ = nullptr;
  const ContactGraph::EdgeIndex* edge_ = nullptr;
};

// All edges, in order of their numbers.
class EdgeIterator : public boost::iterator_facade<EdgeIterator, Edge, boost::forward_traversal_tag, Edge> {
 public:
  EdgeIterator() = default;
  EdgeIterator(const ContactGraph& graph, ContactGraph::EdgeIndex index) : graph_(&graph), index_(index) { settle(); }

 private:
  friend class boost::iterator_core_access;
  Edge dereference() const { return {v_, graph_->successors(v_)[index_ - first_], index_}; }
  bool equal(const EdgeIterator& that) const { return index_ == that.index_; }
  void increment() {
    ++index_;
    settle();
  }
  // Goes on to the vertex at which the edge starts. Edges are numbered in order of their sources.
  void settle() {
    if (index_ >= graph_->edge_count()) return;
    while (index_ - first_ >= graph_->successors(v_).size()) {
      first_ += static_cast<ContactGraph::EdgeIndex>(graph_->successors(v_).size());
      ++v_;
    }
  }

  const ContactGraph* graph_ = nullptr;
  ContactGraph::EdgeIndex index_ = 0;
  ContactGraph::EdgeIndex first_ = 0;  // of v_
  ContactGraph::Vertex v_ = 0;
};

struct GraphTraversal : virtual boost::vertex_list_graph_tag,
                        virtual boost::bidirectional_graph_tag,
                        virtual boost::adjacency_graph_tag,
                        virtual boost::edge_list_graph_tag {};

template <bool kDirected>
class Graph {
 public:
  using vertex_descriptor = ContactGraph::Vertex;
  using edge_descriptor = Edge;
  using directed_category = std::conditional_t<kDirected, boost::bidirectional_tag, boost::undirected_tag>;
  using edge_parallel_category = boost::allow_parallel_edge_tag;
  using traversal_category = GraphTraversal;
  using vertices_size_type = std::size_t;
  using edges_size_type = std::size_t;
  using degree_size_type = std::size_t;
  using vertex_iterator = boost::counting_iterator<vertex_descriptor>;
  using edge_iterator = EdgeIterator;
  using out_edge_iterator = IncidentEdgeIterator<true>;
  using in_edge_iterator = IncidentEdgeIterator<false>;
  using adjacency_iterator = const vertex_descriptor*;
  using vertex_property_type = boost::no_property;
  using edge_property_type = boost::no_property;

  explicit Graph(const ContactGraph& graph) : graph_(&graph) {}
  [[nodiscard]] const ContactGraph& contacts() const { return *graph_; }
  static vertex_descriptor null_vertex() { return std::numeric_limits<vertex_descriptor>::max(); }

  [[nodiscard]] std::span<const vertex_descriptor> to(vertex_descriptor v) const {
    return kDirected ? graph_->successors(v) : graph_->neighbours(v);
  }
  [[nodiscard]] std::span<const vertex_descriptor> from(vertex_descriptor v) const {
    return kDirected ? graph_->predecessors(v) : graph_->neighbours(v);
  }
  [[nodiscard]] std::span<const ContactGraph::EdgeIndex> edges_to(vertex_descriptor v) const {
    return kDirected ? graph_->edges_out(v) : graph_->edges(v);
  }
  [[nodiscard]] std::span<const ContactGraph::EdgeIndex> edges_from(vertex_descriptor v) const {
    return kDirected ? graph_->edges_in(v) : graph_->edges(v);
  }

 private:
  const ContactGraph* graph_;
};
using Directed = Graph<true>;
using Undirected = Graph<false>;

template <bool kDirected>
auto vertices(const Graph<kDirected>& g) {
  using Iterator = typename Graph<kDirected>::vertex_iterator;
  return std::pair(Iterator(0), Iterator(static_cast<ContactGraph::Vertex>(g.contacts().vertex_count())));
}
template <bool kDirected>
std::size_t num_vertices(const Graph<kDirected>& g) {
  return g.contacts().vertex_count();
}
template <bool kDirected>
auto edges(const Graph<kDirected>& g) {
  const ContactGraph& graph = g.contacts();
  return std::pair(EdgeIterator(graph, 0),
                   EdgeIterator(graph, static_cast<ContactGraph::EdgeIndex>(graph.edge_count())));
}
template <bool kDirected>
std::size_t num_edges(const Graph<kDirected>& g) {
  return g.contacts().edge_count();
}
template <bool kDirected>
ContactGraph::Vertex source(const Edge& e, const Graph<kDirected>&) {
  return e.source;
}
template <bool kDirected>
ContactGraph::Vertex target(const Edge& e, const Graph<kDirected>&) {
  return e.target;
}
template <bool kDirected>
auto out_edges(ContactGraph::Vertex v, const Graph<kDirected>& g) {
  using Iterator = IncidentEdgeIterator<true>;
  const auto other = g.to(v);
  const auto edge = g.edges_to(v);
  return std::pair(Iterator(v, other.data(), edge.data()),
                   Iterator(v, other.data() + other.size(), edge.data() + edge.size()));
}
template <bool kDirected>
auto in_edges(ContactGraph::Vertex v, const Graph<kDirected>& g) {
  using Iterator = IncidentEdgeIterator<false>;
  const auto other = g.from(v);
  const auto edge = g.edges_from(v);
  return std::pair(Iterator(v, other.data(), edge.data()),
                   Iterator(v, other.data() + other.size(), edge.data() + edge.size()));
}
template <bool kDirected>
std::size_t out_degree(ContactGraph::Vertex v, const Graph<kDirected>& g) {
  return g.to(v).size();
}
template <bool kDirected>
std::size_t in_degree(ContactGraph::Vertex v, const Graph<kDirected>& g) {
  return g.from(v).size();
}
template <bool kDirected>
std::size_t degree(ContactGraph::Vertex v, const Graph<kDirected>& g) {
  return g.contacts().neighbours(v).size();
}
template <bool kDirected>
auto adjacent_vertices(ContactGraph::Vertex v, const Graph<kDirected>& g) {
  const auto other = g.to(v);
  return std::pair(other.data(), other.data() + other.size());
}

// ---- properties

struct actor_id_t {
  using kind = boost::vertex_property_tag;
};
struct interaction_id_t {
  using kind = boost::edge_property_tag;
};
struct begin_time_t {
  using kind = boost::edge_property_tag;
};
struct end_time_t {
  using kind = boost::edge_property_tag;
};
inline constexpr actor_id_t actor_id;
inline constexpr interaction_id_t interaction_id;
inline constexpr begin_time_t begin_time;
inline constexpr end_time_t end_time;

// A property of `Key` by a function of the graph.
template <typename Key, typename T, auto kRead>
class ReadMap : public boost::put_get_helper<T, ReadMap<Key, T, kRead>> {
 public:
  using key_type = Key;
  using value_type = T;
  using reference = T;
  using category = boost::readable_property_map_tag;
  ReadMap() = default;
  explicit ReadMap(const ContactGraph& graph) : graph_(&graph) {}
  T operator[](const Key& key) const { return kRead(*graph_, key); }

 private:
  const ContactGraph* graph_ = nullptr;
};

template <typename Tag>
struct MapOf;
template <>
struct MapOf<boost::vertex_index_t> {
  using type = boost::typed_identity_property_map<ContactGraph::Vertex>;
  static type make(const ContactGraph&) { return {}; }
};
template <typename Key, typename T, auto kRead>
struct MadeOfGraph {
  using type = ReadMap<Key, T, kRead>;
  static type make(const ContactGraph& graph) { return type(graph); }
};
inline std::size_t index_of(const ContactGraph&, const Edge& e) { return e.index; }
inline double weight_of(const ContactGraph& g, const Edge& e) { return g.weight(e.index); }
inline ActorId actor_of(const ContactGraph& g, const ContactGraph::Vertex& v) { return g.actor(v); }
inline InteractionId interaction_of(const ContactGraph& g, const Edge& e) { return g.interaction(e.index); }
inline Timestamp begin_of(const ContactGraph& g, const Edge& e) { return g.begin(e.index); }
inline Timestamp end_of(const ContactGraph& g, const Edge& e) { return g.end(e.index); }
template <>
struct MapOf<boost::edge_index_t> : MadeOfGraph<Edge, std::size_t, &index_of> {};
template <>
struct MapOf<boost::edge_weight_t> : MadeOfGraph<Edge, double, &weight_of> {};
template <>
struct MapOf<actor_id_t> : MadeOfGraph<ContactGraph::Vertex, ActorId, &actor_of> {};
template <>
struct MapOf<interaction_id_t> : MadeOfGraph<Edge, InteractionId, &interaction_of> {};
template <>
struct MapOf<begin_time_t> : MadeOfGraph<Edge, Timestamp, &begin_of> {};
template <>
struct MapOf<end_time_t> : MadeOfGraph<Edge, Timestamp, &end_of> {};

template <typename Tag, bool kDirected>
typename MapOf<Tag>::type get(Tag, const Graph<kDirected>& g) {
  return MapOf<Tag>::make(g.contacts());
}
template <typename Tag, bool kDirected, typename Key>
auto get(Tag, const Graph<kDirected>& g, const Key& key) {
  return MapOf<Tag>::make(g.contacts())[key];
}

}  // namespace demarche::bgl

namespace boost {
template <bool kDirected, typename Tag>
struct property_map<demarche::bgl::Graph<kDirected>, Tag> {
  using type = typename demarche::bgl::MapOf<Tag>::type;
  using const_type = type;
};
}  // namespace boost

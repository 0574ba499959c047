// The graph of contacts against a naive one made of records, its refusals, its memory, and its place in Boost.Graph.

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/connected_components.hpp>
#include <boost/graph/graph_concepts.hpp>
#include <boost/graph/strong_components.hpp>
#include <catch2/catch.hpp>

#include "engine/contact.h"
#include "engine/contact_graph.h"
#include "engine/contact_graph_bgl.h"
#include "engine/edtf.h"
#include "tests/engine/store_fixture.h"
#include "tests/support/temp_folder.h"

namespace demarche {
namespace {

using tests::must;

template <typename G>
void check_concepts() {
  BOOST_CONCEPT_ASSERT((boost::concepts::VertexListGraph<G>));
  BOOST_CONCEPT_ASSERT((boost::concepts::IncidenceGraph<G>));
  BOOST_CONCEPT_ASSERT((boost::concepts::BidirectionalGraph<G>));
  BOOST_CONCEPT_ASSERT((boost::concepts::AdjacencyGraph<G>));
  BOOST_CONCEPT_ASSERT((boost::concepts::EdgeListGraph<G>));
  BOOST_CONCEPT_ASSERT((boost::concepts::ReadablePropertyGraph<G, ContactGraph::Vertex, boost::vertex_index_t>));
  BOOST_CONCEPT_ASSERT((boost::concepts::ReadablePropertyGraph<G, bgl::Edge, boost::edge_index_t>));
  BOOST_CONCEPT_ASSERT((boost::concepts::ReadablePropertyGraph<G, bgl::Edge, boost::edge_weight_t>));
  BOOST_CONCEPT_ASSERT((boost::concepts::ReadablePropertyGraph<G, ContactGraph::Vertex, bgl::actor_id_t>));
  BOOST_CONCEPT_ASSERT((boost::concepts::ReadablePropertyGraph<G, bgl::Edge, bgl::interaction_id_t>));
  BOOST_CONCEPT_ASSERT((boost::concepts::ReadablePropertyGraph<G, bgl::Edge, bgl::begin_time_t>));
  BOOST_CONCEPT_ASSERT((boost::concepts::ReadablePropertyGraph<G, bgl::Edge, bgl::end_time_t>));
}

TEST_CASE("contact graph: models the concepts of Boost.Graph") {
  check_concepts<bgl::Directed>();
  check_concepts<bgl::Undirected>();
  STATIC_REQUIRE(boost::is_directed_graph<bgl::Directed>::value);
  STATIC_REQUIRE(boost::is_undirected_graph<bgl::Undirected>::value);
}

// Many interactions of all sorts: two parties and more, roles with sides and without, vague dates and none, planned.
struct World {
  tests::TempFolder folder;
  std::unique_ptr<Store> store = tests::create(folder.path("s"));
  std::vector<InteractionId> all;

  explicit World(std::uint32_t seed, std::size_t count = 300) {
    std::mt19937 random(seed);
    const auto tx = must(store->begin());
    std::vector<ActorId> actors;
    for (int i = 0; i < 25; ++i) actors.push_back(must(tx->add_actor({.name = "A" + std::to_string(i)})));
    const auto any_actor = [&] { return actors[random() % actors.size()]; };
    for (std::size_t n = 0; n < count; ++n) {
      Interaction made;
      const auto day = static_cast<std::int64_t>(16071 + random() % 60);
      const std::string text = format_day(day);
      switch (random() % 8) {
        case 0:
          break;  // undated
        case 1:
          made.when = must(parse_when(text + "~"));
          break;
        case 2:
          made.when = must(parse_when(text + "/" + format_day(day + static_cast<std::int64_t>(random() % 40))));
          break;
        case 3:
          made.when =
              must(parse_when("[" + text + ".." + format_day(day + static_cast<std::int64_t>(random() % 9)) + "]"));
          break;
        default:
          made.when = must(parse_when(text));
      }
      if (random() % 10 == 0) made.status = Status::kPlanned;
      switch (random() % 5) {
        case 0:
          made.kind = kinds::kCall;
          made.participants = {{any_actor(), Role::kCaller}, {any_actor(), Role::kCallee}};
          break;
        case 1:
          made.kind = kinds::kVisit;
          made.participants = {{any_actor(), Role::kVisitor}, {any_actor(), Role::kHost}};
          break;
        case 2:
          made.kind = kinds::kMediation;
          made.participants = {{any_actor(), Role::kMediator},
                               {any_actor(), Role::kDelegation},
                               {any_actor(), Role::kDelegation, any_actor()},
                               {any_actor(), Role::kForum}};
          break;
        case 3:
          made.kind = kinds::kMeeting;
          for (std::uint32_t i = 0; i < 2 + random() % 10; ++i) made.participants.push_back({any_actor()});
          break;
        default:
          made.kind = kinds::kUtterance;
          made.participants = {{any_actor(), Role::kSpeaker}, {any_actor(), Role::kAddressee}};
      }
      // Some actors stand for two of the parties, or act for themselves: refused, and left out.
      if (const auto added = tx->add_interaction(made)) all.push_back(*added);
    }
    REQUIRE(all.size() > count / 3);
    must(tx->commit("world"));
  }
};

// (source, target, interaction, begin, end) of each edge, as ids; interactions of bipartite graphs are negative.
using NaiveEdge = std::tuple<std::int64_t, std::int64_t, std::uint64_t, std::int64_t, std::int64_t>;

std::multiset<NaiveEdge> naive(const View& view, const std::vector<InteractionId>& ids, const GraphOptions& options) {
  std::multiset<NaiveEdge> out;
  const KindSet kinds = options.kinds.is_any() ? view.kinds().contacts() : options.kinds;
  const auto id = [](ActorId a) { return static_cast<std::int64_t>(a.value); };
  for (const InteractionId i : ids) {
    const Interaction record = must(view.get_interaction(i));
    const TimeBounds bounds = record.when ? record.when->bounds : TimeBounds{};
    if (!kinds.contains(record.kind) || (options.held_only && record.status == Status::kPlanned)) continue;
    const bool open_begin = options.window.begin == Timestamp::lowest();
    const bool open_end = options.window.end == Timestamp::highest();
    if (!open_begin || !open_end) {
      if (options.fit == WindowFit::kWithin) {
        if (bounds.qualified) continue;
        if (!open_begin && bounds.begin_min < options.window.begin) continue;
        if (!open_end && bounds.end_max >= options.window.end) continue;
      } else {
        if (!open_begin && bounds.begin_max < options.window.begin) continue;
        if (!open_end && bounds.end_min >= options.window.end) continue;
      }
    }
    const auto parties = parties_of(record.participants);
    const bool rule = has_contact_rule(view.kinds(), record.kind);
    std::set<std::pair<std::int64_t, std::int64_t>> pairs;
    const auto from = [&](std::size_t p) {
      return party_side(parties, p) == Side::kFrom || party_side(parties, p) == Side::kBoth;
    };
    const auto to = [&](std::size_t p) {
      return party_side(parties, p) == Side::kTo || party_side(parties, p) == Side::kBoth;
    };
    for (std::size_t p = 0; p < parties.size(); ++p) {
      if (options.projection == Projection::kBipartite) {
        const auto self = -static_cast<std::int64_t>(i.value);
        if (!options.directed || from(p)) pairs.insert({id(parties[p].actor), self});
        if (options.directed && to(p)) pairs.insert({self, id(parties[p].actor)});
        continue;
      }
      for (std::size_t q = 0; q < parties.size(); ++q) {
        if (!in_contact(parties, p, q, rule)) continue;
        const auto a = id(parties[p].actor);
        const auto b = id(parties[q].actor);
        if (a == b && !options.self_contacts) continue;
        if (options.directed) {
          if (from(p) && to(q)) pairs.insert({a, b});
        } else {
          pairs.insert(std::minmax(a, b));
        }
      }
    }
    for (const auto& [a, b] : pairs) {
      out.insert({a, b, i.value, bounds.begin_min.seconds, bounds.end_max.seconds});
    }
  }
  return out;
}

std::multiset<NaiveEdge> edges_of(const ContactGraph& graph) {
  std::multiset<NaiveEdge> out;
  const bgl::Directed g(graph);
  const auto id = [&](ContactGraph::Vertex v) {
    return graph.is_actor(v) ? static_cast<std::int64_t>(graph.actor(v).value)
                             : -static_cast<std::int64_t>(graph.interaction_of(v).value);
  };
  const auto [first, last] = edges(g);
  for (auto e = first; e != last; ++e) {
    const bgl::Edge edge = *e;
    out.insert({id(source(edge, g)), id(target(edge, g)), get(bgl::interaction_id, g, edge).value,
                get(bgl::begin_time, g, edge).seconds, get(bgl::end_time, g, edge).seconds});
  }
  return out;
}

// What holds of every graph: both parts of a vertex name the edges that all edges name.
void check_shape(const ContactGraph& graph) {
  const bgl::Directed g(graph);
  const bgl::Undirected u(graph);
  std::size_t numbered = 0;
  std::vector<std::size_t> met(graph.edge_count(), 0);
  const auto [first, last] = edges(g);
  for (auto e = first; e != last; ++e) REQUIRE((*e).index == numbered++);
  REQUIRE(numbered == num_edges(g));
  for (ContactGraph::Vertex v = 0; v < graph.vertex_count(); ++v) {
    REQUIRE_FALSE(graph.neighbours(v).empty());
    REQUIRE(out_degree(v, g) + in_degree(v, g) == degree(v, g));
    REQUIRE(out_degree(v, u) == degree(v, g));
    const auto [out, out_end] = out_edges(v, g);
    for (auto e = out; e != out_end; ++e) {
      REQUIRE(source(*e, g) == v);
      ++met[(*e).index];
    }
    const auto [in, in_end] = in_edges(v, g);
    for (auto e = in; e != in_end; ++e) {
      REQUIRE(target(*e, g) == v);
      ++met[(*e).index];
    }
    const auto [near, near_end] = adjacent_vertices(v, u);
    const auto [both, both_end] = out_edges(v, u);
    REQUIRE(std::equal(near, near_end, both, both_end,
                       [&](ContactGraph::Vertex w, const bgl::Edge& e) { return w == target(e, u); }));
  }
  REQUIRE(std::all_of(met.begin(), met.end(), [](std::size_t n) { return n == 2; }));
}

TEST_CASE("contact graph: every projection is that of the records") {
  const std::uint32_t seed = GENERATE(1U, 2U, 3U);
  INFO("seed " << seed);
  World world(seed);
  if (seed == 2) must(world.store->seal());
  const auto view = world.store->view();
  const std::int64_t day = 16071 * kSecondsPerDay;
  const TimeWindow windows[] = {{},
                                {{day + 10 * kSecondsPerDay}, {day + 30 * kSecondsPerDay}},
                                {{day + 20 * kSecondsPerDay}, Timestamp::highest()},
                                {Timestamp::lowest(), {day + 20 * kSecondsPerDay}}};
  for (const TimeWindow window : windows) {
    for (const WindowFit fit : {WindowFit::kWithin, WindowFit::kPossiblyWithin}) {
      for (const bool directed : {false, true}) {
        for (const Projection projection : {Projection::kInteractions, Projection::kPairs, Projection::kBipartite}) {
          GraphOptions options;
          options.window = window;
          options.fit = fit;
          options.directed = directed;
          options.projection = projection;
          options.columns = {.begin = true, .end = true, .interaction = projection != Projection::kPairs};
          options.self_contacts = world.all.size() % 2 == 0;
          options.held_only = window.begin.is_finite();
          const auto expected = naive(*view, world.all, options);
          const ContactGraph graph = must(ContactGraph::make(*view, options));
          check_shape(graph);
          if (projection != Projection::kPairs) {
            CHECK(edges_of(graph) == expected);
            CHECK(graph.total_weight() == expected.size());
            continue;
          }
          std::map<std::pair<std::int64_t, std::int64_t>, std::tuple<std::uint32_t, std::int64_t, std::int64_t>> pairs;
          for (const auto& [a, b, i, begin, end] : expected) {
            auto [at, fresh] = pairs.try_emplace({a, b}, 0, begin, end);
            auto& [weight, first, last] = at->second;
            ++weight;
            first = std::min(first, begin);
            last = std::max(last, end);
          }
          REQUIRE(graph.edge_count() == pairs.size());
          const bgl::Directed g(graph);
          auto at = pairs.begin();  // in the same order
          const auto [first, last] = edges(g);
          for (auto e = first; e != last; ++e, ++at) {
            const bgl::Edge edge = *e;
            CHECK(graph.actor(edge.source).value == static_cast<std::uint64_t>(at->first.first));
            CHECK(graph.actor(edge.target).value == static_cast<std::uint64_t>(at->first.second));
            CHECK(std::tuple(graph.weight(edge.index), graph.begin(edge.index).seconds,
                             graph.end(edge.index).seconds) == at->second);
            CHECK(get(boost::edge_weight, g, edge) == graph.weight(edge.index));
          }
        }
      }
    }
  }
}

TEST_CASE("contact graph: of interactions named, once each, whatever their kind") {
  World world(7, 120);
  const auto view = world.store->view();
  std::vector<InteractionId> some(world.all.begin(), world.all.begin() + 40);
  GraphOptions options;
  options.held_only = false;
  options.columns = {.begin = true, .end = true, .interaction = true};
  options.kinds = view->kinds().all_below(kinds::kInteraction);
  const auto expected = naive(*view, some, options);
  some.push_back(some.front());
  options.kinds = {};
  CHECK(edges_of(must(ContactGraph::of_interactions(*view, some, options))) == expected);
  some.push_back(InteractionId{999'999});
  CHECK(tests::refusal(ContactGraph::of_interactions(*view, some, options)).code == ErrorCode::kNotFound);
}

TEST_CASE("contact graph: actors are found, others not") {
  World world(9, 60);
  const ContactGraph graph = must(ContactGraph::make(*world.store->view(), {}));
  for (ContactGraph::Vertex v = 0; v < graph.vertex_count(); ++v) CHECK(graph.find(graph.actor(v)) == v);
  CHECK_FALSE(graph.find(ActorId{77'777}));
  CHECK(graph.memory().edges == 16 * graph.edge_count());
  CHECK(graph.memory().columns == 0);
}

TEST_CASE("contact graph: nothing makes an empty graph") {
  const tests::TempFolder folder;
  const auto store = tests::create(folder.path("s"));
  for (const Projection projection : {Projection::kInteractions, Projection::kPairs, Projection::kBipartite}) {
    const ContactGraph graph = must(ContactGraph::make(*store->view(), {.projection = projection}));
    CHECK(graph.vertex_count() == 0);
    const bgl::Undirected g(graph);
    CHECK(edges(g).first == edges(g).second);
    CHECK(vertices(g).first == vertices(g).second);
  }
}

TEST_CASE("contact graph: refuses what has no answer, and stops when asked") {
  World world(11, 60);
  const auto view = world.store->view();
  GraphOptions options;
  options.projection = Projection::kPairs;
  options.columns.interaction = true;
  CHECK(tests::says(tests::refusal(ContactGraph::make(*view, options)), "stands for several interactions"));
  const std::vector<ContactGraph::GivenEdge> given = {{ActorId{1}, ActorId{2}}};
  options.projection = Projection::kInteractions;
  CHECK(tests::says(tests::refusal(ContactGraph::of_edges(given, options)), "ask for none"));
  CHECK(
      tests::says(tests::refusal(ContactGraph::of_edges(given, {.projection = Projection::kBipartite})), "bipartite"));
  const StopCheck stop = [] { return Result<void>(make_error(ErrorCode::kCancelled, "enough")); };
  for (const bool directed : {false, true}) {
    CHECK(tests::refusal(ContactGraph::make(*view, {.directed = directed}, stop)).code == ErrorCode::kCancelled);
  }
  CHECK(tests::refusal(ContactGraph::of_interactions(*view, world.all, {}, stop)).code == ErrorCode::kCancelled);
}

TEST_CASE("contact graph: algorithms of Boost.Graph run on it as it stands") {
  // 1 -> 2 -> 3 -> 1, 3 -> 4, twice 5 -> 6, and 6 with itself.
  const auto edge = [](std::uint64_t a, std::uint64_t b) { return ContactGraph::GivenEdge{ActorId{a}, ActorId{b}}; };
  const std::vector<ContactGraph::GivenEdge> given = {edge(1, 2), edge(2, 3), edge(3, 1), edge(3, 4),
                                                      edge(5, 6), edge(5, 6), edge(6, 6)};
  const ContactGraph graph = must(ContactGraph::of_edges(given, {.directed = true}));
  REQUIRE(graph.edge_count() == 7);
  const bgl::Undirected across(graph);
  CHECK(out_degree(5, across) == 4);  // an edge with itself counts twice
  std::vector<int> component(6);
  const auto map = boost::make_iterator_property_map(component.begin(), get(boost::vertex_index, across));
  CHECK(boost::connected_components(across, map) == 2);
  CHECK(component[0] == component[3]);
  CHECK(component[0] != component[4]);
  const bgl::Directed along(graph);
  CHECK(boost::strong_components(along, map) == 4);
  CHECK(component[0] == component[2]);
  std::vector<int> distance(6, -1);
  distance[0] = 0;
  boost::breadth_first_search(
      along, ContactGraph::Vertex{0},
      boost::visitor(boost::make_bfs_visitor(boost::record_distances(distance.data(), boost::on_tree_edge()))));
  CHECK(distance == std::vector<int>{0, 1, 2, 3, -1, -1});
  const ContactGraph merged =
      must(ContactGraph::of_edges(given, {.projection = Projection::kPairs, .directed = true, .self_contacts = false}));
  CHECK(merged.edge_count() == 5);
  CHECK(merged.weight(4) == 2);
}

}  // namespace
}  // namespace demarche

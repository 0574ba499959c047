// The graph of a store's contacts: how fast it is made, how large it is, and Boost.Graph's algorithms on it beside the
// same calls on a compressed_sparse_row_graph made by hand of the same edges.
//
//   demarche_graphs STORE [ROUNDS]     a store made by 'demarche import', 7 rounds unless said
//   demarche_graphs --check            a small store of its own, one round: checks the answers, measures nothing
//
// Every answer is compared; a difference ends the run with exit status 1. Times are CPU time; a ratio is the median of
// the ratios of the rounds, in each of which both sides run.

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/connected_components.hpp>
#include <boost/graph/page_rank.hpp>
#include <boost/graph/strong_components.hpp>

#include "bench/measure.h"
#include "engine/contact_graph_bgl.h"
#include "engine/contact_scan.h"
#include "engine/store.h"

namespace demarche::bench {
namespace {

constexpr int kIterations = 20;
constexpr double kDamping = 0.85;

// Vertices of 32 bits, as the graph under test has; in both directions for algorithms that read across edges.
using Csr = boost::compressed_sparse_row_graph<boost::bidirectionalS, boost::no_property, boost::no_property,
                                               boost::no_property, std::uint32_t, std::uint32_t>;

Csr csr_of(const ContactGraph& graph, bool both_ways) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> list;
  const bgl::Directed g(graph);
  for (auto [e, end] = edges(g); e != end; ++e) {
    const bgl::Edge edge = *e;
    list.emplace_back(edge.source, edge.target);
    if (both_ways) list.emplace_back(edge.target, edge.source);
  }
  return {boost::edges_are_unsorted_multi_pass, list.begin(), list.end(),
          static_cast<std::uint32_t>(graph.vertex_count())};
}

template <typename Graph>
void rank(const Graph& g, std::vector<double>& out, std::vector<double>& scratch) {
  const auto map = [&](std::vector<double>& values) {
    return boost::make_iterator_property_map(values.begin(), get(boost::vertex_index, g));
  };
  boost::graph::page_rank(g, map(out), boost::graph::n_iterations(kIterations), kDamping, num_vertices(g),
                          map(scratch));
}
template <typename Graph>
void weak(const Graph& g, std::vector<std::uint32_t>& out) {
  boost::connected_components(g, boost::make_iterator_property_map(out.begin(), get(boost::vertex_index, g)));
}
template <typename Graph>
void strong(const Graph& g, std::vector<std::uint32_t>& out) {
  boost::strong_components(g, boost::make_iterator_property_map(out.begin(), get(boost::vertex_index, g)),
                           boost::vertex_index_map(get(boost::vertex_index, g)));
}

// Contacts and a sum over their ends, straight from the columns.
struct Sum {
  std::uint64_t contacts = 0;
  std::uint64_t ends = 0;
  friend bool operator==(const Sum&, const Sum&) = default;
  void add(std::uint64_t a, std::uint64_t b, std::uint64_t times) {
    contacts += times;
    ends += times * (std::min(a, b) * 1'000'003 + std::max(a, b));
  }
};
Result<Sum> sum_of_scan(const View& view) {
  ContactScanOptions options;
  options.held_only = true;
  DEMARCHE_TRY(ContactScan scan, ContactScan::timeline(view, options));
  ContactLines lines;
  Sum sum;
  while (true) {
    DEMARCHE_TRY(const bool more, scan.next(lines));
    if (!more) return sum;
    for (std::size_t i = 0; i < lines.size; ++i) sum.add(lines.actor[i], lines.other[i], 1);
  }
}
Sum sum_of_graph(const ContactGraph& graph) {
  Sum sum;
  const bgl::Undirected g(graph);
  for (auto [e, end] = edges(g); e != end; ++e) {
    const bgl::Edge edge = *e;
    sum.add(graph.actor(edge.source).value, graph.actor(edge.target).value, graph.weight(edge.index));
  }
  return sum;
}

Result<void> same(bool holds, std::string_view what) {
  if (holds) return {};
  return make_error(ErrorCode::kCorruption, fmt::format("wrong answer: {}", what));
}

Result<void> build(const View& view, Projection projection, std::string_view name, std::size_t rounds) {
  GraphOptions options;
  options.projection = projection;
  DEMARCHE_TRY(const Sum expected, sum_of_scan(view));
  std::vector<double> seconds;
  for (std::size_t round = 0; round <= rounds; ++round) {
    Result<ContactGraph> graph = invalid("not made");
    const double took = seconds_of([&] { graph = ContactGraph::make(view, options); });
    if (!graph) return tl::unexpected(graph.error());
    DEMARCHE_CHECK(same(sum_of_graph(*graph) == expected, name));
    if (round > 0) seconds.push_back(took);  // the first one fills the caches
    if (round < rounds) continue;
    const auto memory = graph->memory();
    const auto count = static_cast<double>(graph->edge_count());
    fmt::print(
        "{:<22} {:9} contacts {:9} edges {:8} vertices  {:6.1f} M contacts/s  {:4.1f} B/edge + {:.1f} weights, "
        "{:.1f} B/vertex\n",
        name, expected.contacts, graph->edge_count(), graph->vertex_count(),
        static_cast<double>(expected.contacts) / median(seconds) / 1e6, static_cast<double>(memory.edges) / count,
        static_cast<double>(memory.columns) / count,
        static_cast<double>(memory.vertices) / static_cast<double>(graph->vertex_count()));
  }
  return {};
}

void print(std::string_view name, const Paired& paired) {
  fmt::print("{:<34} csr {:8.3f} ms  this {:8.3f} ms  ratio {:.2f} ({:.2f}..{:.2f})\n", name,
             paired.limit_seconds * 1e3, paired.product_seconds * 1e3, paired.ratio, paired.ratio_low,
             paired.ratio_high);
}

bool close(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](double x, double y) { return std::abs(x - y) <= 1e-12 * std::abs(x); });
}

template <typename Graph>
Result<void> compare_ranks(std::string_view name, const Csr& csr, const Graph& g, std::size_t rounds) {
  std::vector<double> expected(num_vertices(g));
  std::vector<double> found(num_vertices(g));
  std::vector<double> scratch(num_vertices(g));
  DEMARCHE_TRY(const Paired paired,
               run_paired(
                   rounds, 1, [&] { rank(csr, expected, scratch); }, [&] { rank(g, found, scratch); },
                   [&] { return same(close(expected, found), name); }));
  print(name, paired);
  return {};
}

template <typename Run>
Result<void> compare_parts(std::string_view name, std::size_t vertices, std::size_t rounds, Run run_csr, Run run_this) {
  std::vector<std::uint32_t> expected(vertices);
  std::vector<std::uint32_t> found(vertices);
  DEMARCHE_TRY(const Paired paired, run_paired(
                                        rounds, 1, [&] { run_csr(expected); }, [&] { run_this(found); },
                                        [&] { return same(expected == found, name); }));
  print(name, paired);
  return {};
}

Result<void> compare(const View& view, std::size_t rounds) {
  using Parts = std::function<void(std::vector<std::uint32_t>&)>;
  for (const Projection projection : {Projection::kInteractions, Projection::kPairs}) {
    const bool pairs = projection == Projection::kPairs;
    GraphOptions options;
    options.projection = projection;
    DEMARCHE_TRY(const ContactGraph graph, ContactGraph::make(view, options));
    const bgl::Undirected g(graph);
    const Csr csr = csr_of(graph, true);
    DEMARCHE_CHECK(compare_ranks(pairs ? "pagerank, pairs" : "pagerank, interactions", csr, g, rounds));
    DEMARCHE_CHECK(compare_parts(pairs ? "components, pairs" : "components, interactions", num_vertices(g), rounds,
                                 Parts([&](auto& out) { weak(csr, out); }), Parts([&](auto& out) { weak(g, out); })));
    options.directed = true;
    DEMARCHE_TRY(const ContactGraph arrows, ContactGraph::make(view, options));
    const bgl::Directed along(arrows);
    const Csr csr_along = csr_of(arrows, false);
    DEMARCHE_CHECK(compare_ranks(pairs ? "pagerank, directed pairs" : "pagerank, directed interactions", csr_along,
                                 along, rounds));
    DEMARCHE_CHECK(compare_parts(pairs ? "strong components, pairs" : "strong components, interactions",
                                 num_vertices(along), rounds, Parts([&](auto& out) { strong(csr_along, out); }),
                                 Parts([&](auto& out) { strong(along, out); })));
  }
  return {};
}

Result<void> measure(const std::string& path, std::size_t rounds) {
  DEMARCHE_TRY(const auto store, Store::open(path, {.read_only = true}));
  const auto view = store->view();
  DEMARCHE_CHECK(build(*view, Projection::kInteractions, "an edge an interaction", rounds));
  DEMARCHE_CHECK(build(*view, Projection::kPairs, "an edge a pair", rounds));
  return compare(*view, rounds);
}

Result<void> fill(const std::string& path) {
  DEMARCHE_TRY(const auto store, Store::open(path, {.create_if_missing = true}));
  DEMARCHE_TRY(const auto tx, store->begin());
  std::mt19937 random(5);
  std::vector<ActorId> actors;
  for (int i = 0; i < 300; ++i) {
    DEMARCHE_TRY(const ActorId id, tx->add_actor({.name = fmt::format("Actor {}", i)}));
    actors.push_back(id);
  }
  for (int i = 0; i < 3'000; ++i) {
    Interaction made;
    const bool meeting = random() % 2 == 0;
    made.kind = meeting ? kinds::kMeeting : kinds::kCall;
    const auto draw = [&] { return actors[random() % (random() % 2 == 0 ? 300 : 20)]; };
    made.participants = {{draw(), meeting ? Role::kParticipant : Role::kCaller},
                         {draw(), meeting ? Role::kParticipant : Role::kCallee}};
    DEMARCHE_CHECK(tx->add_interaction(made));
  }
  DEMARCHE_CHECK(tx->commit("bench"));
  return {};
}

Result<void> check() {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("demarche-graphs-{}", getpid());
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "s.dm").string();
  auto done = fill(path);
  if (done) done = measure(path, 1);
  std::filesystem::remove_all(folder);
  return done;
}

}  // namespace
}  // namespace demarche::bench

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  const long rounds = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 7;
  if (first.empty() || argc > 3 || rounds < 1 || (first == "--check" && argc > 2)) {
    fmt::print(stderr, "usage: demarche_graphs STORE [ROUNDS], or demarche_graphs --check\n");
    return 2;
  }
  const auto done = first == "--check" ? demarche::bench::check()
                                       : demarche::bench::measure(argv[1], static_cast<std::size_t>(rounds));
  if (!done) fmt::print(stderr, "demarche_graphs: {}\n", done.error().message);
  return done ? 0 : 1;
}

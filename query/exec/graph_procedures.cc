#include "query/exec/graph_procedures.h"

#include <cstdint>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "engine/algorithms/centrality.h"
#include "engine/algorithms/communities.h"
#include "engine/algorithms/rhythm.h"
#include "engine/algorithms/shortest_paths.h"
#include "engine/algorithms/structure.h"
#include "query/exec/graph_request.h"

namespace demarche::query {

namespace {

using Vertex = ContactGraph::Vertex;

Value whole(std::uint64_t n) { return Value::integer(static_cast<std::int64_t>(n)); }
Value number_of(std::uint32_t part) { return Value::integer(std::int64_t{part} + 1); }  // people count from 1

// Appends rows, one a vertex: the actor, what `columns` says of it, and the period.
class Rows {
 public:
  Rows(ExecContext& context, std::vector<ValueList>& rows) : context_(context), rows_(rows) {}

  template <typename Columns>
  Result<void> add(const ContactGraph& graph, const Value& period, Columns columns) {
    for (Vertex v = 0; v < graph.vertex_count(); ++v) {
      ValueList row = columns(v);
      row.insert(row.begin(), Value::actor(graph.actor(v)));
      row.push_back(period);
      rows_.push_back(std::move(row));
    }
    // Rows made at once count as held; what is handed on is let go.
    const Held before = context_.held();
    DEMARCHE_CHECK(context_.hold({.rows = rows_.size()}));
    context_.let_go_to(before);
    return {};
  }

 private:
  ExecContext& context_;
  std::vector<ValueList>& rows_;
};

Result<void> degree(const GraphRequest& request, const Period& period, Rows& rows) {
  const bool directed = request.flag("directed");
  DEMARCHE_TRY(const ContactGraph graph, request.graph(period, Projection::kPairs, false));
  const auto sum = [](const ContactGraph& g, std::span<const ContactGraph::EdgeIndex> edges) {
    std::uint64_t out = 0;
    for (const auto e : edges) out += g.weight(e);
    return out;
  };
  if (!directed) {
    return rows.add(graph, period.value, [&](Vertex v) {
      return ValueList{whole(graph.neighbours(v).size()), whole(sum(graph, graph.edges(v))), {}, {}, {}, {}};
    });
  }
  // Actors without a side have no arrow and still have contacts.
  DEMARCHE_TRY(const ContactGraph arrows, request.graph(period, Projection::kPairs, true));
  return rows.add(graph, period.value, [&](Vertex v) {
    ValueList out{whole(graph.neighbours(v).size()), whole(sum(graph, graph.edges(v)))};
    const auto at = arrows.find(graph.actor(v));
    out.push_back(whole(at ? arrows.successors(*at).size() : 0));
    out.push_back(whole(at ? arrows.predecessors(*at).size() : 0));
    out.push_back(whole(at ? sum(arrows, arrows.edges_out(*at)) : 0));
    out.push_back(whole(at ? sum(arrows, arrows.edges_in(*at)) : 0));
    return out;
  });
}

Result<void> components(const GraphRequest& request, const Period& period, Rows& rows) {
  const bool strong = request.flag("strong");
  DEMARCHE_TRY(const ContactGraph graph, request.graph(period, Projection::kPairs, strong));
  DEMARCHE_TRY(const Parts parts,
               strong ? strong_components(graph, request.stop()) : weak_components(graph, request.stop()));
  return rows.add(graph, period.value, [&](Vertex v) {
    return ValueList{number_of(parts.of[v]), whole(parts.size[parts.of[v]])};
  });
}

Result<void> core_rows(const GraphRequest& request, const Period& period, Rows& rows) {
  DEMARCHE_TRY(const ContactGraph graph, request.graph(period, Projection::kPairs, false));
  DEMARCHE_TRY(const auto core, core_numbers(graph, request.stop()));
  return rows.add(graph, period.value, [&](Vertex v) { return ValueList{whole(core[v])}; });
}

Result<void> pagerank_rows(const GraphRequest& request, const Period& period, Rows& rows) {
  const bool weighted = request.flag("weighted", true);
  DEMARCHE_TRY(
      const ContactGraph graph,
      request.graph(period, weighted ? Projection::kInteractions : Projection::kPairs, request.flag("directed")));
  PageRankOptions options;
  options.damping = request.number("damping", options.damping);
  options.tolerance = request.number("tolerance", options.tolerance);
  options.iterations_max = request.count("iterations", options.iterations_max);
  DEMARCHE_TRY(const auto score, pagerank(graph, options, request.stop()));
  return rows.add(graph, period.value, [&](Vertex v) { return ValueList{Value::real(score[v])}; });
}

Result<void> betweenness_rows(const GraphRequest& request, const Period& period, Rows& rows) {
  DEMARCHE_TRY(const ContactGraph graph, request.graph(period, Projection::kPairs, request.flag("directed")));
  BetweennessOptions options;
  options.samples = request.count("samples", 0);
  options.seed = request.count("seed", options.seed);
  DEMARCHE_TRY(const Betweenness found, betweenness(graph, options, request.stop()));
  return rows.add(graph, period.value, [&](Vertex v) {
    return ValueList{Value::real(found.score[v]), Value::real(found.error[v])};
  });
}

Result<void> closeness_rows(const GraphRequest& request, const Period& period, Rows& rows) {
  DEMARCHE_TRY(const ContactGraph graph, request.graph(period, Projection::kPairs, request.flag("directed")));
  DEMARCHE_TRY(const Closeness found, closeness(graph, request.stop()));
  return rows.add(graph, period.value, [&](Vertex v) {
    return ValueList{Value::real(found.score[v]), Value::real(found.harmonic[v]), whole(found.reached[v])};
  });
}

Result<void> community_rows(const GraphRequest& request, const Period& period, Rows& rows) {
  DEMARCHE_TRY(const ContactGraph graph, request.graph(period, Projection::kPairs, false));
  CommunityOptions options;
  options.resolution = request.number("resolution", options.resolution);
  DEMARCHE_TRY(const Communities found, communities(graph, options, request.stop()));
  return rows.add(graph, period.value, [&](Vertex v) {
    const std::uint32_t part = found.parts.of[v];
    return ValueList{number_of(part), whole(found.parts.size[part]), Value::real(found.modularity)};
  });
}

// Only those who hold others together.
Result<void> cut_rows(const GraphRequest& request, const Period& period, std::vector<ValueList>& rows) {
  DEMARCHE_TRY(const ContactGraph graph, request.graph(period, Projection::kPairs, false));
  DEMARCHE_TRY(const auto joined, blocks_joined(graph, request.stop()));
  for (Vertex v = 0; v < graph.vertex_count(); ++v) {
    if (joined[v] > 1) rows.push_back({Value::actor(graph.actor(v)), whole(joined[v]), period.value});
  }
  return {};
}

Result<void> path_rows(const GraphRequest& request, const ProcedureDef& procedure, std::vector<ValueList>& rows) {
  DEMARCHE_TRY(const auto from, request.actor("from"));
  DEMARCHE_TRY(const auto to, request.actor("to"));
  if (!from) return request.refuse(fmt::format("{} starts at an actor; give one as from", procedure.name));
  DEMARCHE_TRY(const ContactGraph graph,
               request.graph(request.periods().front(), Projection::kPairs, request.flag("directed")));
  const auto start = graph.find(*from);
  if (!start) return {};  // in contact with nobody
  DEMARCHE_TRY(const ShortestPaths paths,
               shortest_paths(graph, *start, request.flag("weighted") ? EdgeLength::kRarity : EdgeLength::kHops,
                              request.stop()));
  const auto add = [&](Vertex v) {
    const Vertex before = paths.previous[v];
    rows.push_back({Value::actor(graph.actor(v)), Value::real(paths.distance[v]),
                    before == v ? Value() : Value::actor(graph.actor(before))});
  };
  if (!to) {
    for (Vertex v = 0; v < graph.vertex_count(); ++v) {
      if (paths.distance[v] != ShortestPaths::kUnreached) add(v);
    }
    return {};
  }
  if (const auto end = graph.find(*to)) {
    for (const Vertex v : paths.path_to(*end)) add(v);
  }
  return {};
}

Result<void> silence_rows(const GraphRequest& request, std::vector<ValueList>& rows) {
  DEMARCHE_TRY(const std::int64_t shortest, request.seconds("min", kSecondsPerDay));
  DEMARCHE_TRY(const ContactGraph graph, request.dated_graph());
  DEMARCHE_TRY(const auto found, silences(graph, shortest, request.stop()));
  for (const Silence& s : found) {
    DEMARCHE_TRY(Value begin, days_value(s.first, s.first));
    DEMARCHE_TRY(Value end, days_value(s.last, s.last));
    rows.push_back({Value::actor(graph.actor(s.a)), Value::actor(graph.actor(s.b)), std::move(begin), std::move(end),
                    Value::integer((s.last.seconds - s.first.seconds + 1) / kSecondsPerDay)});
  }
  return {};
}

Result<void> burst_rows(const GraphRequest& request, std::vector<ValueList>& rows) {
  BurstOptions options;
  options.ratio = request.number("ratio", options.ratio);
  options.gamma = request.number("gamma", options.gamma);
  DEMARCHE_TRY(const ContactGraph graph, request.dated_graph());
  DEMARCHE_TRY(const auto found, bursts(graph, options, request.stop()));
  for (const Burst& b : found) {
    DEMARCHE_TRY(Value begin, days_value(b.begin, b.begin));
    DEMARCHE_TRY(Value end, days_value(b.end, b.end));
    rows.push_back({Value::actor(graph.actor(b.a)), Value::actor(graph.actor(b.b)), std::move(begin), std::move(end),
                    whole(b.contacts), Value::real(b.weight)});
  }
  return {};
}

Result<void> stability_rows(const GraphRequest& request, const ProcedureDef& procedure, std::vector<ValueList>& rows) {
  if (!request.periods().empty() && request.periods().front().value.is_null()) {
    return request.refuse(fmt::format("{} compares periods; give their length as every: 'P7D'", procedure.name));
  }
  PairStability stability;
  for (const Period& period : request.periods()) {
    DEMARCHE_TRY(const ContactGraph graph, request.graph(period, Projection::kPairs, false));
    stability.add(graph);
  }
  for (const PairStability::Line& line : stability.lines()) {
    rows.push_back({Value::actor(line.a), Value::actor(line.b), whole(line.periods), whole(request.periods().size()),
                    whole(line.longest)});
  }
  return {};
}

Result<void> rows_of(const ProcedureDef& procedure, const GraphRequest& request, ExecContext& context,
                     std::vector<ValueList>& out) {
  if (procedure.id == ProcedureId::kShortestPaths) return path_rows(request, procedure, out);
  if (procedure.id == ProcedureId::kSilences) return silence_rows(request, out);
  if (procedure.id == ProcedureId::kBursts) return burst_rows(request, out);
  if (procedure.id == ProcedureId::kStability) return stability_rows(request, procedure, out);
  Rows rows(context, out);
  for (const Period& period : request.periods()) {
    switch (procedure.id) {
      case ProcedureId::kDegree:
        DEMARCHE_CHECK(degree(request, period, rows));
        break;
      case ProcedureId::kComponents:
        DEMARCHE_CHECK(components(request, period, rows));
        break;
      case ProcedureId::kCutActors:
        DEMARCHE_CHECK(cut_rows(request, period, out));
        break;
      case ProcedureId::kCoreNumbers:
        DEMARCHE_CHECK(core_rows(request, period, rows));
        break;
      case ProcedureId::kPageRank:
        DEMARCHE_CHECK(pagerank_rows(request, period, rows));
        break;
      case ProcedureId::kBetweenness:
        DEMARCHE_CHECK(betweenness_rows(request, period, rows));
        break;
      case ProcedureId::kCloseness:
        DEMARCHE_CHECK(closeness_rows(request, period, rows));
        break;
      case ProcedureId::kCommunities:
        DEMARCHE_CHECK(community_rows(request, period, rows));
        break;
      default:
        break;
    }
  }
  return {};
}

}  // namespace

Result<std::vector<ValueList>> call_graph_procedure(const ProcedureDef& procedure, const Value& options, Span span,
                                                    ExecContext& context) {
  DEMARCHE_TRY(const GraphRequest request, GraphRequest::read(procedure, options, span, context));
  std::vector<ValueList> rows;
  auto done = rows_of(procedure, request, context, rows);
  if (!done) return tl::unexpected(request.placed_here(std::move(done).error()));
  return rows;
}

}  // namespace demarche::query

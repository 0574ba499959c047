#include <unordered_set>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/open.h"
#include "engine/exchange/gexf.h"

namespace demarche::cli {

namespace {

constexpr const char* kEverything = "MATCH [c] RETURN c";

// Every actor and interaction of an answer, also inside lists, maps and paths, each once.
class Collector {
 public:
  void add(const query::Value& value) {
    switch (value.kind()) {
      case query::ValueKind::kActor:
        add_actor(value.as_actor());
        break;
      case query::ValueKind::kInteraction:
        add_interaction(value.as_interaction());
        break;
      case query::ValueKind::kList:
        for (const query::Value& item : value.as_list()) add(item);
        break;
      case query::ValueKind::kMap:
        for (const auto& [key, item] : value.as_map()) add(item);
        break;
      case query::ValueKind::kPath:
        for (const ActorId id : value.as_path().actors) add_actor(id);
        for (const InteractionId id : value.as_path().interactions) add_interaction(id);
        break;
      default:
        break;
    }
  }
  std::vector<ActorId> actors;
  std::vector<InteractionId> interactions;

 private:
  void add_actor(ActorId id) {
    if (seen_actors_.insert(id).second) actors.push_back(id);
  }
  void add_interaction(InteractionId id) {
    if (seen_interactions_.insert(id).second) interactions.push_back(id);
  }
  std::unordered_set<ActorId> seen_actors_;
  std::unordered_set<InteractionId> seen_interactions_;
};

Result<void> collect(query::ResultCursor& cursor, Collector& out) {
  query::ResultRows rows;
  while (true) {
    DEMARCHE_CHECK(cursor.next(rows));
    if (rows.size() == 0) return {};
    for (std::size_t c = 0; c < cursor.columns().size(); ++c) {
      for (const query::Value& value : rows.column(c)) out.add(value);
    }
  }
}

}  // namespace

int run_export(const ExportArgs& args) {
  auto parameters = parse_parameters(args.parameters);
  if (!parameters) return fail(parameters.error());
  const std::string text = args.query.empty() ? kEverything : args.query;
  const auto writes = query::statement_writes(text);
  if (!writes) return fail(writes.error(), text);
  if (*writes) {
    complain("the query of --query writes, and export is read-only; run it with `demarche query` first");
    return kFailed;
  }
  if (const auto here = refuse_server(args.store, "export"); !here) return fail(here.error());
  auto store = open_to_read(args.store);
  if (!store) return fail(store.error());
  query::QueryOptions query_options;
  query_options.as_of = args.as_of;
  auto cursor = query::run_query(**store, text, *parameters, query_options);
  if (!cursor) return fail(cursor.error(), text);
  for (const std::string& notice : (*cursor)->notices()) say("note: " + notice);
  Collector collected;
  if (auto done = collect(**cursor, collected); !done) return fail(done.error(), text);
  if (collected.actors.empty() && collected.interactions.empty()) {
    complain(
        "the query returns no actors and no interactions, so there is nothing to draw; return them as they are, as in: "
        "MATCH (a)-[c:CONTACT]-(b) RETURN a, c, b");
    return kFailed;
  }
  GexfOptions options;
  options.edges = args.edges == "each" ? GexfEdges::kEach : GexfEdges::kMerged;
  const auto report = write_gexf((*cursor)->view(), collected.interactions, collected.actors, args.gexf, options);
  if (!report) return fail(report.error());
  say(fmt::format("wrote {}: {}, {} from {}", args.gexf, plural(report->nodes, "node", "nodes"),
                  plural(report->edges, "edge", "edges"), plural(report->interactions, "interaction", "interactions")));
  if (report->undated > 0) {
    say(plural(report->undated, "interaction has no date and is drawn without time",
               "interactions have no date and are drawn without time"));
  }
  if (report->replaced_characters > 0)
    say(plural(report->replaced_characters, "character that XML cannot hold was replaced",
               "characters that XML cannot hold were replaced"));
  return kDone;
}

}  // namespace demarche::cli

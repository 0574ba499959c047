#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/open.h"
#include "engine/check.h"

namespace demarche::cli {

namespace {

void print_report(const std::string& store, const CheckReport& r) {
  print(fmt::format("store           {}\n", safe(store)));
  print(fmt::format("commits         {}\n", r.commits));
  print(fmt::format(
      "records         {} of actors, {} of interactions, {} plain interactions, {} of sources, {} of kinds\n",
      r.actor_versions, r.interaction_versions, r.plain_interactions, r.sources, r.kinds));
  print(fmt::format("in time         {} in {}, {} not yet sealed\n", plural(r.timeline_rows, "row", "rows"),
                    plural(r.timeline_blocks, "block", "blocks"), r.unsealed_rows));
  print(fmt::format("by actor        {} in {}\n", plural(r.contact_rows, "row", "rows"),
                    plural(r.contact_blocks, "block", "blocks")));
  print(fmt::format("beside          {}, {}, {}, {}, {}\n", plural(r.retired_rows, "retired row", "retired rows"),
                    plural(r.participant_lists, "list of participants", "lists of participants"),
                    plural(r.keys, "key", "keys"), plural(r.names, "name", "names"),
                    plural(r.labels, "label", "labels")));
  for (const Finding& f : r.findings) {
    const std::string key = f.key.empty() ? "" : " " + safe(f.key) + ":";
    print(fmt::format("! {}:{} {}\n    {}\n", f.family, key, safe(f.what), f.advice));
  }
  if (r.finding_count > r.findings.size()) {
    print(fmt::format("! and {} more\n", r.finding_count - r.findings.size()));
  }
}

}  // namespace

int run_check(const CheckArgs& args) {
  if (const auto here = refuse_server(args.store, "check"); !here) return fail(here.error());
  if (args.repair) {
    if (auto repaired = repair_index(args.store); !repaired) return fail(repaired.error());
    say("the index was made anew from the records");
  }
  const auto report = check_store(args.store);
  if (!report) return fail(report.error());
  print_report(args.store, *report);
  print(report->clean() ? "sound: nothing contradicts anything else\n"
                        : fmt::format("not sound: {}\n", plural(report->finding_count, "fault", "faults")));
  if (!flush_output()) return kFailed;
  return report->clean() ? kDone : kFailed;
}

}  // namespace demarche::cli

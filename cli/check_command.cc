#include <cstddef>
#include <map>
#include <string>

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
  print(fmt::format("besides         {}, {}, {}, {}, {}\n", plural(r.retired_rows, "retired row", "retired rows"),
                    plural(r.participant_lists, "list of participants", "lists of participants"),
                    plural(r.keys, "key", "keys"), plural(r.names, "name", "names"),
                    plural(r.labels, "label", "labels")));
}

// A family of the database in words.
std::string words_for(const std::string& family) {
  static const std::map<std::string, std::string> kWords = {
      {"files", "files of the database"},
      {"default", "marks of the store"},
      {"actor", "records of actors"},
      {"interaction", "records of interactions"},
      {"plain_interaction", "records of interactions"},
      {"source", "records of sources"},
      {"kind", "records of kinds"},
      {"commit", "records of commits"},
      {"commit_rows", "rows not yet sealed"},
      {"commit_id", "names of commits"},
      {"interaction_by_time", "index by time"},
      {"contact_by_actor_time", "index by actor"},
      {"participants", "lists of participants"},
      {"retired_row", "list of what was replaced or taken back"},
      {"key", "keys"},
      {"name", "names"},
      {"label", "labels"},
  };
  const auto known = kWords.find(family);
  return known == kWords.end() ? family : known->second;
}

constexpr std::size_t kShownMax = 5;  // of one family

// What is wrong, family by family.
void print_findings(const CheckReport& r) {
  for (const auto& [family, count] : r.by_family) {
    print(fmt::format("\n! {}: {}\n", words_for(family), plural(count, "fault", "faults")));
    std::size_t shown = 0;
    for (const Finding& f : r.findings) {
      if (f.family != family || shown == kShownMax) continue;
      ++shown;
      print(fmt::format("    {}{}\n", f.key.empty() ? "" : safe(f.key) + ": ", safe(f.what)));
    }
    if (count > shown) print(fmt::format("    and {} more\n", count - shown));
  }
}

// One piece of advice that fits all of it.
std::string advice_for(const std::string& store, const CheckReport& r) {
  const std::string name = safe(store);
  if (r.beyond_repair > 0) {
    return fmt::format(
        "{} of this cannot be made anew, so a repair would not help: write nothing to this store, keep it as it is, "
        "and "
        "put a backup in another place:\n  demarche backups FOLDER\n  demarche restore FOLDER ID NEW-STORE\n",
        r.beyond_repair == r.finding_count ? "all" : fmt::format("{} of {}", r.beyond_repair, r.finding_count));
  }
  return fmt::format(
      "no record is damaged, and all of this can be made anew from the records:\n  demarche check {} "
      "--repair\n",
      name);
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
  if (report->beside_writer) {
    print(
        fmt::format("writer          another process has the store open for writing; this is its last whole state{}\n",
                    report->files_compared ? "" : ", whose files were not compared with their checksums"));
  }
  if (report->clean()) {
    print("sound: nothing contradicts anything else\n");
  } else {
    print_findings(*report);
    print(fmt::format("\nnot sound: {}\n{}", plural(report->finding_count, "fault", "faults"),
                      advice_for(args.store, *report)));
  }
  if (!flush_output()) return kFailed;
  return report->clean() ? kDone : kFailed;
}

}  // namespace demarche::cli

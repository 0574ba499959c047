#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "engine/exchange/dump.h"

namespace demarche::cli {

int run_load(const LoadArgs& args) {
  const auto report = load_store(args.file, args.store);
  if (!report) {
    complain(report.error().message);
    say("nothing was loaded");
    return kFailed;
  }
  say(fmt::format("loaded {} in {} from {} into {}", plural(report->commits, "commit", "commits"),
                  plural(report->lines, "line", "lines"), args.file, args.store));
  return kDone;
}

}  // namespace demarche::cli

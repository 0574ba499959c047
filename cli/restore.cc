#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "engine/backup.h"

namespace demarche::cli {

int run_restore(const RestoreArgs& args) {
  const auto backup = restore_backup(args.folder, args.id, args.store);
  if (!backup) {
    complain(backup.error().message);
    say("nothing was restored");
    return kFailed;
  }
  say(fmt::format("restored backup {} of {} into {}: commit {}", backup->id, args.folder, args.store,
                  backup->commit.value));
  return kDone;
}

}  // namespace demarche::cli

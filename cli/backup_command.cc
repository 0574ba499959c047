#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/open.h"
#include "engine/backup.h"

namespace demarche::cli {

int run_backup(const BackupArgs& args) {
  if (const auto here = refuse_server(args.store, "backup"); !here) return fail(here.error());
  const auto backup = back_up_store(args.store, args.folder);
  if (!backup) return fail(backup.error());
  say(fmt::format("backup {} of {} in {}: commit {}, {:.1f} MB, verified", backup->id, args.store, args.folder,
                  backup->commit.value, static_cast<double>(backup->bytes) / 1e6));
  return kDone;
}

}  // namespace demarche::cli

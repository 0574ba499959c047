#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "engine/backup.h"
#include "engine/edtf.h"

namespace demarche::cli {

int run_backups(const BackupsArgs& args) {
  const auto backups = list_backups(args.folder);
  if (!backups) return fail(backups.error());
  if (args.verify) {
    int status = kDone;
    for (const Backup& b : *backups) {
      if (const auto verified = verify_backup(args.folder, b.id); !verified) status = fail(verified.error());
    }
    if (status != kDone) return status;
    say(fmt::format("{} verified", plural(backups->size(), "backup", "backups")));
  }
  if (backups->empty()) say(fmt::format("there is no backup in {} yet", args.folder));
  for (const Backup& b : *backups) {
    if (!b.sealed) {
      print(fmt::format("{:>4}  interrupted or damaged; not to be used\n", b.id));
      continue;
    }
    print(fmt::format("{:>4}  {}  commit {}  {:.1f} MB  of {}\n", b.id, format_instant({b.time_micros / 1'000'000}),
                      b.commit.value, static_cast<double>(b.bytes) / 1e6, safe(b.store)));
  }
  return flush_output() ? kDone : kFailed;
}

}  // namespace demarche::cli

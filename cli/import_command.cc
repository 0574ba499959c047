#include <unistd.h>

#include <chrono>
#include <filesystem>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "engine/exchange/import.h"

namespace demarche::cli {

namespace {

Result<ImportReport> import_all(Store& store, const ImportArgs& args, CommitNumber& commit) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const ImportProgress progress = [terminal](std::size_t lines) {
    if (terminal) fmt::print(stderr, "\r{} lines read", lines);
  };
  DEMARCHE_TRY(const std::unique_ptr<Transaction> tx, store.begin());
  auto report = args.form == "dyads" ? import_dyads(*tx, args.files, args.kinds, progress)
                                     : import_jsonl(*tx, args.files, progress);
  if (terminal) fmt::print(stderr, "\r\x1b[K");
  if (!report || tx->empty()) return report;
  std::string note = "import";
  for (const std::string& file : args.files) note += " " + std::filesystem::path(file).filename().string();
  DEMARCHE_ASSIGN(commit, tx->commit(note));
  return report;
}

}  // namespace

int run_import(const ImportArgs& args) {
  if (args.form == "dyads" && args.kinds.empty()) {
    complain("--as dyads needs --kinds FILE, which says what each relation is; see docs/import.md");
    return kUsage;
  }
  const auto started = std::chrono::steady_clock::now();
  const bool was_there = std::filesystem::exists(args.store);
  StoreOptions options;
  options.create_if_missing = true;
  auto store = Store::open(args.store, options);
  if (!store) return fail(store.error());
  CommitNumber commit;
  const auto report = import_all(**store, args, commit);
  if (!report) {
    store->reset();
    if (!was_there) {  // made by this very command, and empty
      std::error_code ignored;
      std::filesystem::remove_all(args.store, ignored);
    }
    complain(report.error().message);
    say(was_there ? "nothing was imported; the store is as it was" : "nothing was imported; no store was made");
    return kFailed;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  say(fmt::format(
      "imported {} actors, {} interactions, {} sources, {} kinds from {} lines into {} in {:.1f} s (commit {})",
      report->actors, report->interactions, report->sources, report->kinds, report->lines, args.store, took.count(),
      commit.value));
  if (report->folded > 0)
    say(fmt::format("{} rows were the other side of a contact already read; each pair is one interaction",
                    report->folded));
  return kDone;
}

}  // namespace demarche::cli

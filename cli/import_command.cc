#include <unistd.h>

#include <chrono>
#include <filesystem>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/open.h"
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

// Takes away a store without a commit that this very command has made.
void remove_store(const std::string& path, bool keep_folder) {
  std::error_code ignored;
  for (const char* name : {"DEMARCHE", "COMMITTED", "db"})
    std::filesystem::remove_all(std::filesystem::path(path) / name, ignored);
  if (!keep_folder) std::filesystem::remove(path, ignored);
}

}  // namespace

int run_import(const ImportArgs& args) {
  if (const auto here = refuse_server(args.store, "import"); !here) return fail(here.error());
  if (args.form == "dyads" && args.kinds.empty()) {
    complain("--as dyads needs --kinds FILE, which says what each relation is; see docs/import.md");
    return kUsage;
  }
  if (args.form != "dyads" && !args.kinds.empty()) {
    complain(
        "--kinds goes with --as dyads; in jsonl a kind is declared by a line {\"kind\": {\"name\": ..., \"parent\": "
        "...}}");
    return kUsage;
  }
  const auto started = std::chrono::steady_clock::now();
  const bool folder_was_there = std::filesystem::exists(args.store);
  const bool store_was_there = std::filesystem::exists(std::filesystem::path(args.store) / "DEMARCHE");
  StoreOptions options;
  options.create_if_missing = true;
  auto store = Store::open(args.store, options);
  if (!store) return fail(store.error());  // which took away what it had made
  const bool made_here = !store_was_there && (*store)->view()->statistics().commit.value == 0;
  CommitNumber commit;
  const auto report = import_all(**store, args, commit);
  if (!report) {
    store->reset();
    complain(report.error().message);
    if (report.error().code == ErrorCode::kOutcomeUnknown) {
      say(fmt::format("all of it was imported or nothing; the last commit in `demarche stats {}` tells which",
                      args.store));
      return kFailed;
    }
    if (made_here) remove_store(args.store, folder_was_there);
    say(made_here ? "nothing was imported; no store was made" : "nothing was imported; the store is as it was");
    return kFailed;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  say(fmt::format("imported {}, {}, {}, {} from {} into {} in {:.1f} s (commit {})",
                  plural(report->actors, "actor", "actors"),
                  plural(report->interactions, "interaction", "interactions"),
                  plural(report->sources, "source", "sources"), plural(report->kinds, "kind", "kinds"),
                  plural(report->lines, "line", "lines"), args.store, took.count(), commit.value));
  if (report->folded > 0) {
    say(plural(report->folded, "row was the other side of a contact already read; the pair is one interaction",
               "rows were the other side of a contact already read; each pair is one interaction"));
  }
  return kDone;
}

}  // namespace demarche::cli

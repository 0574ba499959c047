// From nothing to an answer: loads the record of the Syria talks of spring 2016 that is built into this program, asks
// it what it was made for, and writes a file for Gephi.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/demo_data.h"
#include "cli/open.h"
#include "engine/exchange/import.h"

namespace demarche::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kGexfName = "talks.gexf";

void heading(std::string_view text) { print(fmt::format("\n## {}\n\n", text)); }

// A folder of a new name, which goes away with all that is in it.
class Scratch {
 public:
  explicit Scratch(const fs::path& where) {
    std::string name = (where / "talks.example-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }  // empty: it could not be made, errno says why

 private:
  fs::path path_;
};

// Writes the built-in files, loads them, and takes them away again.
Result<ImportReport> load(const std::string& store_path, const fs::path& folder) {
  std::vector<std::string> files;
  const Scratch scratch(folder);
  if (scratch.path().empty())
    return make_error(ErrorCode::kIo, fmt::format("make a folder in '{}': {}", folder.string(), std::strerror(errno)));
  for (const DemoFile& file : demo_files()) {
    files.push_back((scratch.path() / file.name).string());
    std::ofstream out(files.back(), std::ios::binary);
    out.write(file.text.data(), static_cast<std::streamsize>(file.text.size()));
    if (!out.flush()) return make_error(ErrorCode::kIo, fmt::format("write '{}': is the disk full?", files.back()));
  }
  StoreOptions options;
  options.create_if_missing = true;
  DEMARCHE_TRY(const std::unique_ptr<Store> store, Store::open(store_path, options));
  DEMARCHE_TRY(const std::unique_ptr<Transaction> tx, store->begin());
  DEMARCHE_TRY(const ImportReport report, import_jsonl(*tx, files));
  DEMARCHE_CHECK(tx->commit("demo: the Syria talks of spring 2016"));
  return report;
}

// Removes what an earlier demo left. Anything else in the way is left alone and reported.
Result<void> clear(const std::string& store_path) {
  if (!fs::exists(store_path)) return {};
  const auto store = open_to_read(store_path);
  if (!store) return tl::unexpected(Error(store.error()).with_context("cannot replace the last demo"));
  if (!(*store)->view()->find_interaction("hnc-walkout").value_or(std::nullopt)) {
    return invalid(
        fmt::format("'{}' holds something else than the demo; choose another folder with --folder", store_path));
  }
  if ((*store)->view()->statistics().commit.value != 1) {
    return invalid(
        fmt::format("'{}' holds something else besides the demo, recorded later; choose another folder with "
                    "--folder",
                    store_path));
  }
  std::error_code error;
  fs::remove_all(store_path, error);
  if (error) return make_error(ErrorCode::kIo, fmt::format("remove '{}': {}", store_path, error.message()));
  return {};
}

// The demo's own picture may be written anew, any other file not.
Result<void> check_gexf(const fs::path& path) {
  constexpr std::size_t kHeadBytes = 400;
  if (!fs::exists(path)) return {};
  std::string head(kHeadBytes, '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(head.data(), kHeadBytes);
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
  if (head.find("<creator>demarche</creator>") != std::string::npos) return {};
  return invalid(fmt::format("'{}' was not written by the demo and is left alone; choose another folder with --folder",
                             path.string()));
}

Result<std::string> prepare(const DemoArgs& args) {
  std::error_code error;
  fs::create_directories(args.folder, error);
  if (error) return make_error(ErrorCode::kIo, fmt::format("make folder '{}': {}", args.folder, error.message()));
  const std::string store_path = (fs::path(args.folder) / "talks.dm").string();
  DEMARCHE_CHECK(check_gexf(fs::path(args.folder) / kGexfName));
  DEMARCHE_CHECK(clear(store_path));
  DEMARCHE_TRY(const ImportReport report, load(store_path, args.folder));
  print(fmt::format("Loaded the Syria talks of spring 2016 into {}: {} actors, {} interactions, {} sources.\n",
                    store_path, report.actors, report.interactions, report.sources));
  return store_path;
}

int ask(const std::string& store, std::string_view question, const std::string& text) {
  heading(question);
  print(text + "\n\n");
  auto opened = open_place(store);
  if (!opened) return fail(opened.error());
  return run_statement(*opened->session, text, {});
}

}  // namespace

int run_demo(const DemoArgs& args) {
  const auto store = prepare(args);
  if (!store) return fail(store.error());
  int status = kDone;
  const auto keep = [&status](int s) { status = status == kDone ? s : status; };

  heading("Who spoke with whom before the talks broke down?");
  WhoArgs who;
  who.store = *store;
  who.before = "hnc-walkout";
  keep(run_who(who));

  heading("Through whom could word have gone in time?");
  PathArgs path{*store, "High Negotiations Committee", "Vladimir Putin", "hnc-walkout", false, false};
  keep(run_path(path));
  print("\n");
  std::swap(path.from, path.to);
  keep(run_path(path));

  keep(ask(*store, "What did each source say of the Geneva meeting, and which came first?",
           "MATCH [m:MEETING {key: 'kerry-geneva-may'}] UNWIND claims(m) AS c\n"
           "RETURN c.source, c.published, c.status ORDER BY c.published"));
  keep(ask(*store, "Who held which office when they met in Munich?",
           "MATCH [m {key: 'issg-munich'}] UNWIND participants(m) AS p\n"
           "WITH m, p.actor AS who UNWIND offices(who, m) AS o\n"
           "RETURN who.name, o.title, o.of.name, o.certain ORDER BY who.name"));

  heading("For Gephi");
  ExportArgs gexf;
  gexf.store = *store;
  gexf.gexf = (fs::path(args.folder) / kGexfName).string();
  gexf.query = "MATCH (a)-[c:CONTACT]-(b) RETURN c";
  std::fflush(stdout);
  keep(run_export(gexf));
  print(fmt::format("Open {} in Gephi (File > Open), switch the timeline on, and play it.\n", gexf.gexf));
  print(fmt::format("\nGo on by yourself:\n  {0} shell {1}\n  {0} why {1} hnc-walkout\n  {0} --help\n", args.program,
                    *store));
  return flush_output() ? status : kFailed;
}

}  // namespace demarche::cli

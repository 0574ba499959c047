// A process killed while it repairs, backs up, restores or loads a store: at each point named in our code and at random
// times. Afterwards there is the old or the new, never half: a store that is being repaired says so and opens for
// nobody until a second repair has finished; a backup is sealed or none; what is restored or loaded is there as a whole
// or not at all, and doing it once more succeeds. The mutants at the end must be found out by the same looks.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/backup.h"
#include "engine/check.h"
#include "engine/exchange/dump.h"
#include "tests/crash/child.h"
#include "tests/crash/harness.h"

namespace {

namespace fs = std::filesystem;
using namespace demarche;
using namespace demarche::tests;

constexpr std::uint64_t kSeed = 1919;
constexpr const char* kCommits = "40";

// A store, what it must hold, a backup of it and a dump.
class Kept {
 public:
  Kept() : history_(kSeed) {
    {
      Child child({"write", store(), std::to_string(kSeed), "1", kCommits, "1", "30000"});
      for (std::string line = child.line(); !line.empty(); line = child.line()) {
        if (line.starts_with("b ")) history_.begin(std::stoull(line.substr(2)));
        if (line.starts_with("a ")) history_.acknowledge();
      }
      if (child.wait() != 0 || child.status != 0) FAIL("no store to begin with");
    }
    const Verdict verdict = history_.settle(store(), crash_options());
    if (!verdict.good()) FAIL(verdict.text());
    if (run({"backup", store(), folder_.path("backups")}) != 0) FAIL("no backup to begin with");
    std::ofstream out(dump(), std::ios::binary);
    const auto dumped = dump_store(store(), [&out](std::string_view text) -> Result<void> {
      out << text;
      return {};
    });
    if (!dumped) FAIL(dumped.error().message);
  }

  [[nodiscard]] std::string store() const { return folder_.path("s"); }
  [[nodiscard]] std::string backups() const { return folder_.path("backups"); }
  [[nodiscard]] std::string dump() const { return folder_.path("dump.jsonl"); }
  // A place where nothing is.
  [[nodiscard]] std::string fresh() { return folder_.path("x" + std::to_string(++fresh_)); }
  [[nodiscard]] std::string copy() {
    const std::string path = fresh();
    fs::copy(store(), path, fs::copy_options::recursive);
    return path;
  }

  // What is wrong with the store at `path`; "" if it is the one that was written.
  [[nodiscard]] std::string look(const std::string& path) const {
    History history = history_;
    const Verdict verdict = history.settle(path, crash_options(true, /*read_only=*/true));
    if (!verdict.good()) return verdict.text();
    const auto report = check_store(path);
    if (!report) return report.error().message;
    return report->clean() ? "" : report->findings.front().family + ": " + report->findings.front().what;
  }

  // Runs to its end: its status.
  static int run(const std::vector<std::string>& arguments) {
    Child child(arguments);
    return child.wait() == 0 ? child.status : -1;
  }

 private:
  CrashFolder folder_;
  History history_;
  int fresh_ = 0;
};

// Where a child is killed.
struct Kill {
  std::string at;  // a point; empty: after a pause
  std::chrono::microseconds pause{0};

  // Whether it died of it.
  bool operator()(const std::vector<std::string>& arguments) const {
    if (!at.empty()) {
      Child child(arguments, {"DEMARCHE_KILL_AT=" + at});
      return child.wait() == SIGKILL;
    }
    Child child(arguments);
    std::this_thread::sleep_for(pause);
    child.kill();
    return child.wait() == SIGKILL;
  }
};

// ---- what must hold after each: "" or what does not ----------------------------------------------------------------

using Step = std::function<std::string(Kept&, const Kill&, bool& died)>;

// After a death: as before, or it says what happened. `did` marks a death within the repair proper.
std::string look_at_repaired(const Kept& kept, const std::string& store) {
  auto opened = Store::open(store, crash_options(true, true));
  if (opened) {
    opened->reset();
    return kept.look(store);
  }
  if (opened.error().message.find("--repair") == std::string::npos) return opened.error().message;
  return "";
}

std::string repair(Kept& kept, const Kill& kill, bool& died) {
  const std::string store = kept.copy();
  died = kill({"repair", store});
  if (std::string wrong = look_at_repaired(kept, store); !wrong.empty()) return wrong;
  if (Kept::run({"repair", store}) != 0) return "a second repair did not finish";
  std::string wrong = kept.look(store);
  fs::remove_all(store);
  return wrong;
}

std::string look_at_backups(const std::string& folder) {
  const auto listed = list_backups(folder);
  if (!listed) return "";  // none yet
  for (const Backup& backup : *listed) {
    if (!backup.sealed) continue;
    if (auto verified = verify_backup(folder, backup.id); !verified) return verified.error().message;
  }
  return "";
}

std::string back_up(Kept& kept, const Kill& kill, bool& died) {
  const std::string folder = kept.fresh();
  died = kill({"backup", kept.store(), folder});
  if (std::string wrong = kept.look(kept.store()); !wrong.empty()) return "the store itself: " + wrong;
  if (std::string wrong = look_at_backups(folder); !wrong.empty()) return wrong;
  if (Kept::run({"backup", kept.store(), folder}) != 0) return "a second backup was not made";
  const auto listed = list_backups(folder);
  if (!listed || listed->empty() || !listed->back().sealed) return "the second backup is none";
  const std::string target = kept.fresh();
  if (auto restored = restore_backup(folder, listed->back().id, target); !restored) return restored.error().message;
  std::string wrong = kept.look(target);
  fs::remove_all(folder);
  fs::remove_all(target);
  return wrong;
}

std::string look_at_new(const Kept& kept, const std::string& target) {
  return fs::exists(target) ? kept.look(target) : "";
}

std::string arrive(Kept& kept, const Kill& kill, bool& died, const std::string& mode, const std::string& from) {
  const std::string target = kept.fresh();
  died = kill({mode, from, target});
  if (std::string wrong = look_at_new(kept, target); !wrong.empty()) return wrong;
  if (!fs::exists(target)) {
    if (Kept::run({mode, from, target}) != 0) return "could not be done once more";
    if (fs::exists(target + (mode == "load" ? ".loading" : ".restoring"))) return "what was left was not taken away";
  }
  std::string wrong = kept.look(target);
  fs::remove_all(target);
  return wrong;
}
std::string restore(Kept& kept, const Kill& kill, bool& died) {
  return arrive(kept, kill, died, "restore", kept.backups());
}
std::string load(Kept& kept, const Kill& kill, bool& died) { return arrive(kept, kill, died, "load", kept.dump()); }

struct Upkeep {
  const char* name;
  Step step;
  std::vector<const char*> points;
};

const std::vector<Upkeep>& all_upkeep() {
  static const std::vector<Upkeep> all = {
      {"repair", repair, {"repair.marked:1", "repair.emptied:1", "repair.files:1", "repair.taken:1"}},
      {"backup",
       back_up,
       {"make.marker_written:1", "make.marker_named:1", "backup.begun:1", "backup.copied:1", "backup.verified:1",
        "make.marker_written:2", "backup.sealed:1"}},
      {"restore", restore, {"restore.copied:1", "restore.opened:1", "staged.synced:1", "staged.named:1"}},
      {"load",
       load,
       {"make.database:1", "make.finished:1", "commit.written:1", "commit.written:20", "load.written:1",
        "staged.synced:1", "staged.named:1"}},
  };
  return all;
}

}  // namespace

TEST_CASE("upkeep: a process that dies at any point of repair, backup, restore, load leaves the old or the new") {
  Kept kept;
  for (const Upkeep& upkeep : all_upkeep()) {
    for (const char* const point : upkeep.points) {
      INFO(upkeep.name << " at " << point);
      bool died = false;
      CHECK(upkeep.step(kept, {point, {}}, died) == "");
      CHECK(died);
    }
  }
}

TEST_CASE("upkeep: nor does one killed at a random time") {
  Kept kept;
  const std::uint64_t seed = setting("DEMARCHE_CRASH_SEED", kSeed);
  std::mt19937_64 random(seed);
  const std::uint64_t cycles = setting("DEMARCHE_CRASH_CYCLES", 12);
  for (const Upkeep& upkeep : all_upkeep()) {
    // How long it takes when nobody kills it: kills are spread over that.
    const auto began = std::chrono::steady_clock::now();
    bool died = false;
    REQUIRE(upkeep.step(kept, {"no.such.point:1", {}}, died) == "");
    CHECK_FALSE(died);
    const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
    std::uint64_t deaths = 0;
    for (std::uint64_t n = 0; n < cycles; ++n) {
      INFO("seed " << seed << ", " << upkeep.name << ", cycle " << n);
      const auto span = static_cast<std::uint64_t>(whole.count()) / 2 + 1;
      CHECK(upkeep.step(kept, {"", std::chrono::microseconds(random() % span)}, died) == "");
      deaths += died ? 1 : 0;
    }
    std::printf("SIGKILL within %s: %llu of %llu died of it, all whole\n", upkeep.name,
                static_cast<unsigned long long>(deaths), static_cast<unsigned long long>(cycles));
  }
}

TEST_CASE("upkeep: check and dump beside a busy writer see one whole state of the store") {
  const CrashFolder folder;
  const std::string path = folder.path("s");
  Child child({"write", path, std::to_string(kSeed), "1", "0", "1", "0"}, {"DEMARCHE_CRASH_CALM=1"});
  while (child.line() != "a 5") {
  }
  // Asks again while files change too fast; nobody reads on, so in the end the writer waits for its output to be taken.
  const auto patiently = [](auto ask) {
    for (;;) {
      auto answer = ask();
      if (answer || answer.error().code != ErrorCode::kOverloaded) return answer;
    }
  };
  std::uint64_t commits = 0;
  for (int n = 0; n < 2; ++n) {
    const auto report = patiently([&path] { return check_store(path); });
    if (!report) FAIL(report.error().message);
    INFO((report->clean() ? "" : report->findings.front().family + ": " + report->findings.front().what));
    CHECK(report->clean());
    CHECK(report->beside_writer);
    CHECK(report->commits >= std::max<std::uint64_t>(commits, 5));
    commits = report->commits;
    const auto dumped = patiently([&] {
      std::ofstream out(folder.path("dump"), std::ios::binary);
      return dump_store(path, [&out](std::string_view text) -> Result<void> {
        out << text;
        return {};
      });
    });
    if (!dumped) FAIL(dumped.error().message);
    CHECK(dumped->commits >= commits);
    const std::string target = folder.path("x" + std::to_string(n));
    const auto loaded = load_store(folder.path("dump"), target);
    if (!loaded) FAIL(loaded.error().message);
    const auto again = check_store(target);
    REQUIRE(again);
    CHECK(again->clean());
    CHECK_FALSE(again->beside_writer);
    CHECK(again->files_compared);
  }
  const auto refused = repair_index(path);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kConflict);
}

TEST_CASE("upkeep: an index emptied without a word, and a store copied to its place, are found out") {
  Kept kept;
  {
    const std::string store = kept.copy();
    Child child({"unmarked-repair", store});
    REQUIRE(child.wait() == SIGKILL);
    CHECK(look_at_repaired(kept, store) != "");
  }
  const std::string target = kept.fresh();
  Child child({"place", kept.store(), target});
  REQUIRE(child.wait() == SIGKILL);
  CHECK(look_at_new(kept, target) != "");
}

TEST_CASE("upkeep: a backup that is damaged behind its seal is found out") {
  Kept kept;
  const std::string folder = kept.fresh();
  REQUIRE(Kept::run({"backup", kept.store(), folder}) == 0);
  REQUIRE(look_at_backups(folder) == "");
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(folder) / "files")) {
    if (!entry.is_regular_file() || entry.file_size() < 100 || entry.path().extension() != ".sst") continue;
    fs::resize_file(entry.path(), entry.file_size() / 2);
    break;
  }
  CHECK(look_at_backups(folder) != "");
}

// A disk that refuses one change, or all from one on: for every N the N-th change of making a store, or of opening one
// and committing to it, fails. Demanded: an error or no effect, no further transaction after a commit whose outcome is
// unknown, and afterwards, on a disk that works again, a store that is as the model says.
//
// RocksDB as Debian builds it has its asserts on and ends the process on some errors. This is counted and shown, not
// hidden: the work is done in another process (fault.cc), and what it leaves is looked at all the same.
#include <string>

#include <catch2/catch.hpp>

#include "tests/crash/child.h"
#include "tests/crash/fault.h"
#include "tests/crash/harness.h"

namespace {

using namespace demarche;
using namespace demarche::tests;

constexpr std::uint64_t kSeed = 1856;
constexpr std::uint64_t kTemplateCommits = 8;
constexpr std::uint64_t kFaults = 331;
constexpr std::uint64_t kFaultsOfMaking = 120;

struct Faults {
  Figures figures;
  std::uint64_t met = 0;
  std::uint64_t aborted = 0;
  std::string aborts;  // what failed when RocksDB ended the process
};

// The model as it was when the process ended, from its lines.
History history_of(const std::vector<std::string>& lines, std::uint64_t commits) {
  History history(kSeed);
  for (std::uint64_t serial = 1; serial <= commits; ++serial) {
    history.begin(serial);
    history.acknowledge();
  }
  for (const std::string& line : lines) {
    if (line.starts_with("b ")) history.begin(std::stoull(line.substr(2)));
    if (line.starts_with("a ")) history.acknowledge();
    if (line.starts_with("w ")) history.withdraw();
  }
  return history;
}

Faults run(const CrashFolder& folder, const std::string& store_template, std::uint64_t commits, std::uint64_t count) {
  Faults faults;
  for (std::uint64_t n = 0; n < count;) {
    Child child({"fault", folder.make("f" + std::to_string(n)), store_template, std::to_string(kSeed),
                 std::to_string(commits), std::to_string(n), std::to_string(count)});
    const std::string below = folder.path("f" + std::to_string(n));
    std::vector<std::string> lines;  // of this N
    std::string change;
    for (std::string line = child.line(); !line.empty(); line = child.line()) {
      if (line.starts_with("n ")) {
        n = std::stoull(line.substr(2));
        lines.clear();
        change.clear();
      } else if (line.starts_with("f ")) {
        change = line.substr(2);
      } else if (line.starts_with("wrong")) {
        faults.figures.add({0, 0, line, {}}, fmt::format("N = {}, {}", n, change));
      } else if (line.starts_with("r ")) {
        std::istringstream words(line.substr(2));
        std::uint64_t met = 0, acknowledged = 0, doubtful = 0, survived = 0;
        words >> n >> met >> acknowledged >> doubtful >> survived;
        std::string text;
        std::getline(words >> std::ws, text);
        faults.met += met;
        faults.figures.acknowledged += acknowledged;
        faults.figures.doubtful += doubtful;
        faults.figures.survived += survived;
        ++faults.figures.cycles;
        if (text != "good") faults.figures.add({0, 0, text, {}}, fmt::format("N = {}, {}", n, change));
        lines.clear();
      }
      lines.push_back(line);
    }
    if (child.wait() == 0 && child.status == 0) break;
    ++faults.aborted;
    ++faults.met;
    ++faults.figures.cycles;
    faults.aborts += fmt::format("\n  N = {}: {}", n, change);
    History history = history_of(lines, store_template.empty() ? 0 : commits);
    faults.figures.add(history.settle(below + "/" + std::to_string(n) + "/s", crash_options()),
                       fmt::format("N = {}, {}, ended by RocksDB", n, change));
    faults.figures.add(history);
    ++n;
  }
  return faults;
}

void check(const Faults& faults, const char* name) {
  faults.figures.print(fmt::format("{}, {} met their fault, {} ended by RocksDB", name, faults.met, faults.aborted));
  if (faults.aborted > 0) std::printf("  ended by RocksDB:%s\n", faults.aborts.c_str());
  INFO(faults.figures.first);
  CHECK(faults.figures.lost == 0);
  CHECK(faults.figures.torn == 0);
  CHECK(faults.figures.refused == 0);
}

}  // namespace

TEST_CASE("fault: an error at any change while a store is opened and written to loses nothing") {
  const CrashFolder folder;
  const std::string path = folder.path("template");
  {
    Child child({"write", path, std::to_string(kSeed), "1", "5", "1", "0"});
    REQUIRE(child.line() == "b 1");
    while (!child.line().empty()) continue;
    REQUIRE(child.wait() == 0);
    Child again({"write", path, std::to_string(kSeed), "6", std::to_string(kTemplateCommits - 5), "1", "0"});
    while (!again.line().empty()) continue;
    REQUIRE(again.wait() == 0);
  }
  const Faults faults = run(folder, path, kTemplateCommits, kFaults);
  check(faults, "I/O error, opening and writing");
  CHECK(faults.met == kFaults);
  CHECK(faults.figures.acknowledged > kFaults * kTemplateCommits);
}

TEST_CASE("fault: an error at any change while a store is made leaves nothing in the way of making it again") {
  const CrashFolder folder;
  const Faults faults = run(folder, "", 0, kFaultsOfMaking);
  check(faults, "I/O error, making");
  CHECK(faults.met == kFaultsOfMaking);
}

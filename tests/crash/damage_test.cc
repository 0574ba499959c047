// Damage to a store at rest: 2,000 bits turned over, spread over every kind of file, then each file removed and cut. A
// refusal, an error on reading, or exactly the right data; never other data, and never the end of the process. The
// store has sorted files of several openings and flushes, a log, and all files of the folder.
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "tests/crash/child.h"
#include "tests/crash/damage.h"
#include "tests/crash/harness.h"

namespace {

using namespace demarche;
using namespace demarche::tests;

constexpr std::uint64_t kCommitsOfOpening[] = {12, 9, 8};
constexpr std::uint64_t kCommits = 29;

struct Seen {
  std::uint64_t refused = 0;
  std::uint64_t right = 0;
  std::uint64_t wrong = 0;
  std::uint64_t ended = 0;
};

}  // namespace

TEST_CASE("damage: a bit turned over, a file cut or removed is refused or has no effect") {
  const std::uint64_t seed = setting("DEMARCHE_CRASH_SEED", 1914);
  const CrashFolder folder;
  const std::string path = folder.path("template");
  std::uint64_t serial = 1;
  for (const std::uint64_t commits : kCommitsOfOpening) {
    Child child({"write", path, std::to_string(seed), std::to_string(serial), std::to_string(commits), "1", "0"});
    while (!child.line().empty()) continue;
    REQUIRE(child.wait() == 0);
    REQUIRE(child.status == 0);
    serial += commits;
  }
  REQUIRE(serial == kCommits + 1);

  std::map<std::string, Seen> seen;  // by kind of file
  std::string faults;
  const std::uint64_t count = damage_count(path);
  for (std::uint64_t n = 0; n < count;) {
    Child child({"damage", folder.make("d" + std::to_string(n)), path, std::to_string(seed), std::to_string(kCommits),
                 std::to_string(n), std::to_string(count)});
    std::string what;
    std::string kind;
    for (std::string line = child.line(); !line.empty(); line = child.line()) {
      if (line.starts_with("n ")) {
        std::istringstream words(line.substr(2));
        words >> n >> kind;
        what = line.substr(2);
      } else if (line == "refused") {
        ++seen[kind].refused;
      } else if (line == "right") {
        ++seen[kind].right;
      } else {
        ++seen[kind].wrong;
        faults += "\n  " + what + ": " + line;
      }
    }
    if (child.wait() == 0 && child.status == 0) break;
    ++seen[kind].ended;
    faults += "\n  " + what + ": the process was ended";
    ++n;
  }

  Seen all;
  for (const auto& [kind, s] : seen) {
    std::printf("damage, %s: %s\n", kind.c_str(),
                fmt::format("{} refused, {} without effect, {} wrong, {} ended the process", s.refused, s.right,
                            s.wrong, s.ended)
                    .c_str());
    all.refused += s.refused;
    all.right += s.right;
    all.wrong += s.wrong;
    all.ended += s.ended;
  }
  std::printf("damage, seed %s: %s%s\n", std::to_string(seed).c_str(),
              fmt::format("{} damages, {} refused, {} without effect, {} wrong, {} ended the process", count,
                          all.refused, all.right, all.wrong, all.ended)
                  .c_str(),
              faults.c_str());
  std::fflush(stdout);
  INFO(faults);
  CHECK(all.refused + all.right == count);
  CHECK(all.wrong == 0);
  CHECK(all.ended == 0);
  for (const char* kind : {"sst", "log", "MANIFEST", "CURRENT", "OPTIONS", "IDENTITY", "DEMARCHE", "COMMITTED"}) {
    INFO(kind);
    CHECK(seen[kind].refused + seen[kind].right > 200);
  }
  for (const char* kind : {"sst", "log", "MANIFEST", "CURRENT", "DEMARCHE"}) {
    INFO(kind);
    CHECK(seen[kind].refused > 100);
  }
}

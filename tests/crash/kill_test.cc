// A real process killed with SIGKILL at a random time. What the operating system has survives that, so nothing that was
// acknowledged may be missing, synced or not; what was in doubt is whole or absent. Losses of power are another thing:
// power_test.cc.
#include <chrono>
#include <random>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/crash/child.h"
#include "tests/crash/harness.h"

namespace {

using namespace demarche;
using namespace demarche::tests;

constexpr std::uint64_t kCyclesOfStore = 25;
constexpr std::uint64_t kFirstSeed = 1989;

// Takes the lines of a writer into the history.
void follow(Child& child, History& history) {
  for (std::string line = child.line(); !line.empty(); line = child.line()) {
    if (line.starts_with("b ")) history.begin(std::stoull(line.substr(2)));
    if (line.starts_with("a ")) history.acknowledge();
  }
}

Figures run(std::uint64_t cycles, bool sync, std::uint64_t first_seed = kFirstSeed) {
  const std::uint64_t seed = setting("DEMARCHE_CRASH_SEED", first_seed);
  std::mt19937_64 random(seed);
  Figures figures;
  while (figures.cycles < cycles && figures.first.empty()) {
    const CrashFolder folder;
    const std::string path = folder.path("s");
    const std::uint64_t store_seed = seed + figures.cycles;
    History history(store_seed);
    for (std::uint64_t n = 0; n < kCyclesOfStore && figures.cycles < cycles; ++n, ++figures.cycles) {
      const auto pause = std::chrono::milliseconds(30 + random() % 271);
      const std::string buffer = random() % 2 == 0 ? "0" : "40000";
      {
        Child child({"write", path, std::to_string(store_seed), std::to_string(history.next_serial()), "0",
                     sync ? "1" : "0", buffer});
        std::this_thread::sleep_for(pause);
        child.kill();
        follow(child, history);
        REQUIRE(child.wait() == SIGKILL);
      }
      // Looked at read-only every other time, so that a writer also meets what a reader has not mended.
      const bool read_only = n % 2 == 1;
      const Verdict verdict = history.settle(path, crash_options(sync, read_only));
      figures.add(verdict, fmt::format("seed {} cycle {}", seed, figures.cycles));
      if (!verdict.good()) break;
    }
    figures.add(history);
  }
  return figures;
}

void check(const Figures& figures) {
  INFO(figures.first);
  CHECK(figures.lost == 0);
  CHECK(figures.torn == 0);
  CHECK(figures.refused == 0);
  CHECK(figures.acknowledged > figures.cycles);
  CHECK(figures.doubtful > 0);
}

}  // namespace

// In two halves, so that they can run side by side: most of their time is waiting.
TEST_CASE("kill: what a writer had acknowledged with sync outlives its death") {
  const Figures figures = run(setting("DEMARCHE_CRASH_CYCLES", 150), true);
  figures.print("SIGKILL, sync on");
  check(figures);
}

TEST_CASE("kill: what a writer had acknowledged with sync outlives its death, second half") {
  const Figures figures = run(setting("DEMARCHE_CRASH_CYCLES", 150), true, 2 * kFirstSeed);
  figures.print("SIGKILL, sync on, second half");
  check(figures);
}

TEST_CASE("kill: what a writer had acknowledged without sync outlives its death") {
  const Figures figures = run(setting("DEMARCHE_CRASH_CYCLES", 40), false);
  figures.print("SIGKILL, sync off");
  check(figures);
}

// A writer killed at named points: ours (engine/impl/kill_point.h), each on its first and a later pass, and RocksDB's
// own where this build has them. Afterwards the store must be as the model says. A point that is never reached fails
// the test, so the list cannot rot.
//
// To add one: call kill_point("thing.step") in the code, and name it below with a workload that passes there.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/crash/child.h"
#include "tests/crash/harness.h"

namespace {

using namespace demarche;
using namespace demarche::tests;

constexpr std::uint64_t kSeed = 1899;
constexpr int kNoSyncPoints = 77;

struct Point {
  const char* name;
  std::vector<int> passes;
};

// Making a store passes once; commits, each time.
const std::vector<Point> kOurPoints = {
    {"make.folder", {1}},          {"make.database", {1}},       {"make.marker_written", {1}},
    {"make.marker_named", {1}},    {"make.finished", {1}},       {"commit.begin", {1, 2, 9}},
    {"commit.written", {1, 2, 9}}, {"commit.synced", {1, 2, 5}}, {"commit.marked", {1, 2, 5}},
    {"seal.built", {1, 2}},        {"seal.written", {1, 2}},     {"bulk.files", {1}},
    {"bulk.taken", {1}},           {"bulk.marked", {1}},
};

// Names of test points in RocksDB 7.8.3.
const std::vector<Point> kRocksPoints = {
    {"DBImpl::WriteImpl:BeforeLeaderEnters", {1, 5}},
    {"DBImpl::BGWorkFlush", {1, 3}},
    {"FlushJob::Start", {1, 3}},
    {"FlushJob::WriteLevel0Table", {1, 3}},
    {"VersionSet::LogAndApply:WriteManifest", {1, 12}},
    {"VersionSet::LogAndApply:WriteManifestDone", {1, 12}},
    {"CompactionJob::Run():Start", {1}},
    {"CompactionJob::Run():End", {1}},
    {"DBImpl::PurgeObsoleteFiles:Begin", {1, 3}},
    {"BuildTable:BeforeFinishBuildTable", {1, 3}},
    {"BuildTable:BeforeSyncTable", {1, 3}},
};

void follow(Child& child, History& history) {
  for (std::string line = child.line(); !line.empty(); line = child.line()) {
    if (line.starts_with("b ")) history.begin(std::stoull(line.substr(2)));
    if (line.starts_with("a ")) history.acknowledge();
  }
}

// Makes a store, writes to it, dies at `at`; a second writer must be able to go on. Returns the signal, or the status.
int die_at(const std::string& at, std::uint64_t commits, Figures& figures, int& status) {
  const CrashFolder folder;
  const std::string path = folder.path("s");
  History history(kSeed);
  int signal = 0;
  {
    Child child({"write", path, std::to_string(kSeed), "1", std::to_string(commits), "1", "30000"},
                {"DEMARCHE_KILL_AT=" + at});
    follow(child, history);
    signal = child.wait();
    status = child.status;
  }
  figures.add(history.settle(path, crash_options()), at);
  {
    Child child({"write", path, std::to_string(kSeed), std::to_string(history.next_serial()), "3", "1", "0"});
    follow(child, history);
    if (child.wait() != 0 || child.status != 0) figures.add({0, 0, {}, "a second writer could not go on"}, at);
  }
  figures.add(history.settle(path, crash_options()), at + ", after a second writer");
  figures.add(history);
  ++figures.cycles;
  return signal;
}

void check(const Figures& figures) {
  INFO(figures.first);
  CHECK(figures.lost == 0);
  CHECK(figures.torn == 0);
  CHECK(figures.refused == 0);
}

}  // namespace

TEST_CASE("kill points: a process that dies at any of ours leaves a whole store") {
  Figures figures;
  for (const Point& point : kOurPoints) {
    for (const int pass : point.passes) {
      const std::string at = fmt::format("{}:{}", point.name, pass);
      INFO(at);
      int status = 0;
      CHECK(die_at(at, 12, figures, status) == SIGKILL);
    }
  }
  figures.print("kill points of ours");
  check(figures);
}

TEST_CASE("kill points: a name that is not there ends nothing") {
  Figures figures;
  int status = -1;
  CHECK(die_at("no.such.point:1", 12, figures, status) == 0);
  CHECK(status == 0);
  CHECK(figures.acknowledged == 15);
  check(figures);
}

TEST_CASE("kill points: a process that dies within RocksDB leaves a whole store") {
  Figures figures;
  std::string missed;
  for (const Point& point : kRocksPoints) {
    for (const int pass : point.passes) {
      const std::string at = fmt::format("rocksdb:{}:{}", point.name, pass);
      INFO(at);
      int status = 0;
      const int signal = die_at(at, 120, figures, status);
      if (status == kNoSyncPoints) {
        WARN("skipped: this RocksDB was built without its test points");
        return;
      }
      if (signal != SIGKILL) missed += " " + at;
    }
  }
  figures.print("kill points of RocksDB");
  INFO("not reached:" << missed);
  CHECK(missed.empty());
  check(figures);
}

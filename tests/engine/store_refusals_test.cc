// The store broken on purpose. A folder is made, closed, copied, and one thing about the copy is changed: a file
// removed, cut, or a bit turned over. Opening and reading everything must then give the error, or exactly what was
// there; never something else, and never a crash. Locks and crashes need other processes: this binary is started again
// with one of the hidden cases below, which do nothing unless DEMARCHE_TEST_STORE names a store.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/store.h"
#include "tests/engine/store_fixture.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace demarche;
using namespace demarche::tests;
namespace fs = std::filesystem;

// Each commit with sync is followed by a small record that is synced for it.
constexpr std::size_t kSyncMarkBytes = 64;

// ---- files

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
}
std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) out.push_back(fs::relative(entry.path(), folder));
  }
  std::sort(out.begin(), out.end());
  return out;
}
std::vector<fs::path> logs_of(const std::string& store) {
  std::vector<fs::path> out;
  for (const fs::path& file : files_of(store)) {
    if (file.extension() == ".log") out.push_back(fs::path(store) / file);
  }
  return out;
}
void copy_store(const std::string& from, const std::string& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

// ---- a store to break

void commit_one(Store& store, std::uint64_t n) {
  auto tx = must(store.begin());
  const ActorId a = must(tx->add_actor(actor(fmt::format("actor-{}", n), fmt::format("Actor {}", n), {"Person"})));
  Interaction i = meeting(fmt::format("interaction-{}", n), "2016-04-13/2016-04-27", {a, ActorId{1}});
  i.place = std::string(200, static_cast<char>('a' + n % 26));
  must(tx->add_interaction(i));
  must(tx->commit("one more"));
}

// Commits 1 to n. `sorted`: opened again half-way, so that the first half is in sorted files and the rest in the log.
void make_store(const std::string& path, std::uint64_t commits, bool sorted) {
  std::unique_ptr<Store> store = create(path);
  for (std::uint64_t n = 1; n <= commits; ++n) {
    if (sorted && n == commits / 2 + 1) {
      store.reset();
      store = must(reopen(path));
    }
    commit_one(*store, n);
  }
}

// Everything in the store at `path`, or the error on the way.
Result<std::string> read_all(const std::string& path, bool read_only) {
  DEMARCHE_TRY(const auto store, reopen(path, read_only));
  return dump(*store->view());
}

// The first line that differs says more than two whole stores.
void check_whole(const std::string& got, const std::string& whole) {
  if (got == whole) return;
  const auto at =
      static_cast<std::size_t>(std::mismatch(got.begin(), got.end(), whole.begin(), whole.end()).first - got.begin());
  const std::size_t line = at == 0 ? 0 : got.rfind('\n', at - 1) + 1;
  FAIL_CHECK("other data: '" << got.substr(line, 60) << "' where there was '" << whole.substr(line, 60) << "'");
}

Error open_error(const std::string& path, bool read_only = false) { return refusal(reopen(path, read_only)); }

// ---- other processes

ChildProcess start_child(const std::string& tag, const std::string& store) {
  return ChildProcess(tag, {"DEMARCHE_TEST_STORE=" + store});
}

std::string outcome(const Result<std::unique_ptr<Store>>& result) {
  return result ? "open" : fmt::format("{} {}", static_cast<int>(result.error().code), result.error().message);
}
std::string code(ErrorCode c) { return std::to_string(static_cast<int>(c)) + " "; }

}  // namespace

// ---- hidden: what the children do

TEST_CASE("child: hold a store open", "[.holder]") {
  const char* path = std::getenv("DEMARCHE_TEST_STORE");
  if (path == nullptr) return;
  const auto store = must(reopen(path));
  ChildProcess::say("ready");
  ::pause();
}

TEST_CASE("child: commit until killed", "[.writer]") {
  const char* path = std::getenv("DEMARCHE_TEST_STORE");
  if (path == nullptr) return;
  const auto store = must(reopen(path));
  for (std::uint64_t n = store->view()->statistics().commit.value + 1;; ++n) {
    commit_one(*store, n);
    ChildProcess::say(std::to_string(n));
  }
}

TEST_CASE("child: without rights", "[.unprivileged]") {
  const char* path = std::getenv("DEMARCHE_TEST_STORE");
  if (path == nullptr) return;
  if (::getuid() == 0 && ::setuid(65534) != 0) {
    ChildProcess::say("cannot give up rights");
    return;
  }
  StoreOptions options;
  options.create_if_missing = true;
  ChildProcess::say(outcome(Store::open(std::string(path) + "-new", options)));
  ChildProcess::say(outcome(reopen(path)));
  ChildProcess::say(outcome(reopen(path, true)));
  const auto all = read_all(path, true);
  ChildProcess::say(all ? std::to_string(std::hash<std::string>()(*all)) : all.error().message);
}

TEST_CASE("child: look for names with a zero byte", "[.zero]") {
  const char* path = std::getenv("DEMARCHE_TEST_STORE");
  if (path == nullptr) return;
  const auto store = must(reopen(path, true));
  const auto view = store->view();
  const std::string_view name("Actor\0 1", 8);
  (void)view->names(name, 10);
  ChildProcess::say("names");
  (void)view->find_actors_by_name(name);
  ChildProcess::say("find");
  (void)view->actors_with_label(name);
  ChildProcess::say("label");
}

// ---- what is not a store

TEST_CASE("open: a folder that is not there is refused unless it may be made") {
  const TempFolder folder;
  const Error error = open_error(folder.path("none"));
  CHECK(error.code == ErrorCode::kNotFound);
  CHECK(says(error, "there is no store at '" + folder.path("none") + "'"));
  CHECK(open_error(folder.path("none"), true).code == ErrorCode::kNotFound);
  CHECK_FALSE(fs::exists(folder.path("none")));
  CHECK(open_error(folder.path()).code == ErrorCode::kNotFound);  // empty, and stays so
  CHECK(fs::is_empty(folder.path()));
  CHECK(create(folder.path("none")));
}

TEST_CASE("open: a parent that is not there is refused, and not made") {
  const TempFolder folder;
  StoreOptions options;
  options.create_if_missing = true;
  const Error error = refusal(Store::open(folder.path("no/such"), options));
  CHECK(error.code == ErrorCode::kIo);
  CHECK(says(error, "No such file or directory"));
  CHECK_FALSE(fs::exists(folder.path("no")));
}

TEST_CASE("open: a file is refused and left alone") {
  const TempFolder folder;
  write_file(folder.path("f"), "notes");
  StoreOptions options;
  options.create_if_missing = true;
  const Error error = refusal(Store::open(folder.path("f"), options));
  CHECK(error.code == ErrorCode::kInvalidArgument);
  CHECK(says(error, "is a file; a store is a folder"));
  CHECK(read_file(folder.path("f")) == "notes");
}

TEST_CASE("open: a folder with other things in it is refused and left alone") {
  const TempFolder folder;
  write_file(folder.path("notes.txt"), "notes");
  StoreOptions options;
  options.create_if_missing = true;
  const Error error = refusal(Store::open(folder.path(), options));
  CHECK(error.code == ErrorCode::kInvalidArgument);
  CHECK(says(error, "is a folder with other things in it"));
  CHECK(files_of(folder.path()).size() == 1);
}

TEST_CASE("open: another format is refused by its number, rubbish in the marker as rubbish") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  make_store(path, 1, false);
  CHECK(read_file(path + "/DEMARCHE") == "demarche store\nformat 1\n");
  for (const auto& [marker, code, words] : std::vector<std::tuple<std::string, ErrorCode, std::string>>{
           {"demarche store\nformat 0\n", ErrorCode::kInvalidArgument, "store format 0, this build reads 1"},
           {"demarche store\nformat 77\n", ErrorCode::kInvalidArgument, "store format 77"},
           {"demarche store\nformat x\n", ErrorCode::kCorruption, "does not name a store format"},
           {"demarche store\nformat 1x\n", ErrorCode::kCorruption, "does not name a store format"},
           {"demarche store\n", ErrorCode::kCorruption, "does not name a store format"},
           {"another store\nformat 0\n", ErrorCode::kCorruption, "does not name a store format"},
           {"", ErrorCode::kCorruption, "does not name a store format"},
           {std::string("\0\0\0", 3), ErrorCode::kCorruption, "does not name a store format"}}) {
    write_file(path + "/DEMARCHE", marker);
    for (const bool read_only : {false, true}) {
      const Error error = open_error(path, read_only);
      CHECK(error.code == code);
      CHECK(says(error, words));
    }
  }
  write_file(path + "/DEMARCHE", "demarche store\nformat 1\n");
  CHECK(reopen(path));
}

TEST_CASE("open: a store without its database is not taken for a new one") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  make_store(path, 1, false);
  fs::remove(path + "/db/CURRENT");
  StoreOptions options;
  options.create_if_missing = true;
  const Error error = refusal(Store::open(path, options));
  CHECK(error.code == ErrorCode::kCorruption);
  CHECK(says(error, "db/CURRENT"));
  fs::remove_all(path + "/db");
  CHECK(refusal(Store::open(path, options)).code == ErrorCode::kCorruption);
}

TEST_CASE("open: COMMITTED must hold a number, and one no higher than the store has") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  make_store(path, 3, false);
  CHECK(read_file(path + "/COMMITTED") == "00000000000000000003\n");
  for (const std::string bad :
       {"rubbish\n", "3\n", "0000000000000000000x\n", "99999999999999999999\n", "-0000000000000000003\n"}) {
    write_file(path + "/COMMITTED", bad);
    const Error error = open_error(path);
    CHECK(error.code == ErrorCode::kCorruption);
    CHECK(says(error, "COMMITTED does not hold a commit number"));
  }
  write_file(path + "/COMMITTED", "00000000000000000005\n");
  CHECK(says(open_error(path), "commits 4 to 5 were acknowledged and are gone"));
  write_file(path + "/COMMITTED", "00000000000000000002\n");
  CHECK(must(reopen(path))->view()->statistics().commit == CommitNumber{3});
  fs::remove(path + "/COMMITTED");
  CHECK(must(reopen(path))->view()->statistics().commit == CommitNumber{3});
}

// ---- damage

TEST_CASE("damage: a log that was removed is said to have held commits") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  make_store(path, 4, false);
  for (const bool read_only : {true, false}) {
    const std::string copy = folder.path("c");
    copy_store(path, copy);
    REQUIRE_FALSE(logs_of(copy).empty());
    for (const fs::path& log : logs_of(copy)) fs::remove(log);
    const Error error = open_error(copy, read_only);
    CHECK(error.code == ErrorCode::kCorruption);
    CHECK(says(error, "commits 1 to 4 were acknowledged and are gone"));
  }
  CHECK(read_all(path, true));
}

TEST_CASE("damage: a log cut anywhere is refused with the commits that are gone") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  const std::string copy = folder.path("c");
  make_store(path, 6, false);
  const std::string whole = must(read_all(path, true));
  REQUIRE(logs_of(path).size() == 1);
  const std::string log = read_file(logs_of(path)[0]);
  for (int eighth = 0; eighth < 8; ++eighth) {
    copy_store(path, copy);
    write_file(logs_of(copy)[0], log.substr(0, log.size() * static_cast<std::size_t>(eighth) / 8));
    CHECK(says(open_error(copy, true), "to 6 were acknowledged and are gone"));
  }
  copy_store(path, copy);
  write_file(logs_of(copy)[0], log.substr(0, log.size() - kSyncMarkBytes - 1));
  CHECK(says(open_error(copy), "commits 6 to 6 were acknowledged and are gone"));
  // The mark that was synced behind the last commit says nothing of its own: without it everything is there.
  copy_store(path, copy);
  write_file(logs_of(copy)[0], log.substr(0, log.size() - 1));
  CHECK(must(read_all(copy, true)) == whole);
  CHECK(must(read_all(path, true)) == whole);
}

TEST_CASE("damage: a torn tail that nobody was told of is dropped, and the store goes on") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  make_store(path, 6, false);
  const fs::path log = logs_of(path)[0];
  const std::string bytes = read_file(log);
  write_file(log, bytes.substr(0, bytes.size() - kSyncMarkBytes - 1));
  write_file(path + "/COMMITTED", "00000000000000000005\n");  // the writer died before the sync returned
  const auto store = must(reopen(path));
  CHECK(store->view()->statistics().commit == CommitNumber{5});
  CHECK_FALSE(must(store->view()->find_actor("actor-6")));
  CHECK(must(rows_of(store->view()->timeline({}, {}))).size() == 5);
  commit_one(*store, 6);
  CHECK(store->view()->statistics().commit == CommitNumber{6});
}

TEST_CASE("damage: a refused open leaves the log as it was, so that what follows the fault can be saved") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  make_store(path, 6, false);
  const std::string whole = must(read_all(path, true));
  const fs::path log = logs_of(path)[0];
  const std::string good = read_file(log);
  std::string bad = good;
  bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 1);
  write_file(log, bad);
  CHECK(open_error(path).code == ErrorCode::kCorruption);
  REQUIRE(fs::exists(log));
  CHECK(read_file(log) == bad);
  write_file(log, good);
  CHECK(must(read_all(path, true)) == whole);
}

TEST_CASE("damage: a MANIFEST cut anywhere gives an error or the whole store") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  const std::string copy = folder.path("c");
  make_store(path, 6, true);
  const std::string whole = must(read_all(path, true));
  int refused = 0;
  for (const fs::path& file : files_of(path)) {
    if (!file.filename().string().starts_with("MANIFEST")) continue;
    const std::string bytes = read_file(fs::path(path) / file);
    for (std::size_t part = 0; part < 64; ++part) {
      copy_store(path, copy);
      const std::size_t size = bytes.size() * part / 64;
      write_file(fs::path(copy) / file, bytes.substr(0, size));
      const auto result = read_all(copy, part % 2 == 0);
      INFO(file << " cut to " << size << " of " << bytes.size() << " bytes");
      if (result) {
        check_whole(*result, whole);
      } else {
        ++refused;
        CHECK_FALSE(result.error().message.empty());
      }
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("damage: one bit turned over in any file gives an error or the whole store, never other data") {
  const unsigned seed = 1648;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const TempFolder folder;
  const std::string path = folder.path("s");
  const std::string copy = folder.path("c");
  make_store(path, 6, true);
  const std::string whole = must(read_all(path, true));
  std::map<std::string, std::pair<int, int>> seen;  // refused, whole
  for (const fs::path& file : files_of(path)) {
    const std::string name = file.filename().string();
    const std::string bytes = read_file(fs::path(path) / file);
    if (bytes.empty()) continue;
    const bool log = file.extension() == ".log" || name.starts_with("MANIFEST");
    for (int n = log ? 24 : 6; n > 0; --n) {
      copy_store(path, copy);
      std::string damaged = bytes;
      const std::size_t at = random() % bytes.size();
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random() % 8)));
      write_file(fs::path(copy) / file, damaged);
      INFO(file << " byte " << at);
      const auto result = read_all(copy, n % 3 == 0);
      const std::string group = file.extension().empty() ? name.substr(0, name.find('-')) : file.extension().string();
      if (result) {
        ++seen[group].second;
        check_whole(*result, whole);
      } else {
        ++seen[group].first;
        CHECK_FALSE(result.error().message.empty());
      }
    }
  }
  CHECK(seen[".log"].first >= 20);  // the last mark may be hit, behind which nothing stands
  CHECK(seen[".log"].first + seen[".log"].second == 24);
  CHECK(seen[".sst"].first > 0);
  CHECK(seen["DEMARCHE"].first == 6);
  if (std::getenv("DEMARCHE_TEST_VERBOSE") != nullptr) {
    for (const auto& [group, n] : seen) WARN(group << ": " << n.first << " refused, " << n.second << " whole");
  }
}

TEST_CASE("damage: any file removed gives an error or the whole store") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  const std::string copy = folder.path("c");
  make_store(path, 6, true);
  const std::string whole = must(read_all(path, true));
  for (const fs::path& file : files_of(path)) {
    copy_store(path, copy);
    fs::remove(fs::path(copy) / file);
    INFO(file);
    const auto result = read_all(copy, false);
    if (result) check_whole(*result, whole);
    const std::string name = file.filename().string();
    const bool needed = file.extension() == ".sst" || file.extension() == ".log" || name == "CURRENT" ||
                        name.starts_with("MANIFEST") || name == "DEMARCHE";
    CHECK(result.has_value() == !needed);
  }
}

// ---- who else is there

TEST_CASE("read-only: reads everything and writes nothing") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  make_store(path, 2, false);
  const std::string log = read_file(logs_of(path)[0]);
  const auto store = must(reopen(path, true));
  const auto second = must(reopen(path, true));  // readers do not shut one another out
  CHECK(must(dump(*store->view())) == must(dump(*second->view())));
  const Error error = refusal(store->begin());
  CHECK(error.code == ErrorCode::kDenied);
  CHECK(says(error, "was opened read-only"));
  CHECK(read_file(logs_of(path)[0]) == log);
}

TEST_CASE("lock: a second opener in this process is told that it is this process") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  auto store = create(path);
  commit_one(*store, 1);
  const Error error = open_error(path);
  CHECK(error.code == ErrorCode::kConflict);
  CHECK(says(error, fmt::format("is open for writing in this process ({})", ::getpid())));
  CHECK(must(read_all(path, true)) == must(dump(*store->view())));  // readers are let in
  commit_one(*store, 2);                                            // the first one is none the worse
  store.reset();
  CHECK(reopen(path));
}

TEST_CASE("lock: a second opener in another process is told which process holds the store, until that is gone") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  make_store(path, 1, false);
  ChildProcess holder = start_child("[.holder]", path);
  REQUIRE(holder.line() == "ready");
  const Error error = open_error(path);
  CHECK(error.code == ErrorCode::kConflict);
  CHECK(says(error, fmt::format("is open for writing in process {} (", holder.pid())));
  CHECK(read_all(path, true));  // readers are let in
  holder.kill();
  CHECK(read_all(path, true));
  CHECK(reopen(path));
}

TEST_CASE("rights: without them a store is neither made nor written, but can be read") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  make_store(path, 2, true);
  const std::string whole = must(read_all(path, true));
  ::chmod(folder.path().c_str(), ::getuid() == 0 ? 0755 : 0555);
  if (::getuid() != 0) {
    ::chmod(path.c_str(), 0555);
    ::chmod((path + "/db").c_str(), 0555);
    for (const fs::path& file : files_of(path)) ::chmod((path / file).c_str(), 0444);
  }
  ChildProcess child = start_child("[.unprivileged]", path);
  const std::string first = child.line();
  if (first == "cannot give up rights") {
    WARN("skipped: cannot give up rights");
  } else {
    const auto begins = [](const std::string& line, const std::string& with) {
      UNSCOPED_INFO("outcome: " << line);
      return line.starts_with(with);
    };
    CHECK(begins(first, code(ErrorCode::kDenied)));
    CHECK(begins(child.line(), code(ErrorCode::kDenied)));
    CHECK(begins(child.line(), "open"));
    CHECK(begins(child.line(), std::to_string(std::hash<std::string>()(whole))));
  }
  if (::getuid() != 0) {  // so that the folder can be removed
    ::chmod(folder.path().c_str(), 0755);
    ::chmod(path.c_str(), 0755);
    ::chmod((path + "/db").c_str(), 0755);
  }
  CHECK_FALSE(fs::exists(path + "-new"));
}

// ---- crashes

TEST_CASE("crash: a name or label with a zero byte asked for from outside does not end the process") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  make_store(path, 1, false);
  ChildProcess child = start_child("[.zero]", path);
  CHECK(child.line() == "names");
  CHECK(child.line() == "find");
  CHECK(child.line() == "label");
}

TEST_CASE("crash: whatever a killed writer had acknowledged is there, and every commit is whole") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  make_store(path, 1, false);
  std::uint64_t head = 1;
  for (int round = 0; round < 10; ++round) {
    std::uint64_t acknowledged = head;
    {
      ChildProcess writer = start_child("[.writer]", path);
      const std::string first = writer.line();
      REQUIRE_FALSE(first.empty());
      acknowledged = std::stoull(first);
      std::this_thread::sleep_for(std::chrono::milliseconds(60 + 37 * round));
      writer.kill();
      for (std::string line = writer.line(); !line.empty(); line = writer.line()) acknowledged = std::stoull(line);
    }
    INFO("round " << round << ", acknowledged " << acknowledged);
    const auto store = must(reopen(path, round % 2 == 0));
    const auto view = store->view();
    CHECK(view->statistics().commit.value >= acknowledged);
    CHECK(view->statistics().commit.value <= acknowledged + 1);
    const std::uint64_t before = head;
    head = view->statistics().commit.value;
    CHECK(acknowledged > before);
    CHECK(view->statistics().actors == head);
    CHECK(view->statistics().interactions == head);
    CHECK(must(rows_of(view->timeline({}, {}))).size() == head);
    CHECK(must(rows_of(view->scan(ActorId{1}, {}, {}))).size() == head);
    CHECK(must(ids_of(view->actors_with_label("Person"))).size() == head);
    for (std::uint64_t n = before; n <= head; ++n) {
      const auto id = must(view->find_actor(fmt::format("actor-{}", n)));
      const auto interaction = must(view->find_interaction(fmt::format("interaction-{}", n)));
      if (!id || !interaction) FAIL("commit " << n << " is not whole");
      if (must(view->find_actors_by_name(fmt::format("Actor {}", n))) != std::vector<ActorId>{*id})
        FAIL("no name " << n);
      if (must(view->get_actor(*id)).name != fmt::format("Actor {}", n)) FAIL("no actor " << n);
      if (must(view->get_interaction(*interaction)).place.size() != 200) FAIL("no interaction " << n);
      if (n > 1 && must(rows_of(view->scan(*id, {}, {}))).size() != 1) FAIL("no row " << n);
    }
  }
}

// Readers beside the writer. What a commit holds follows from its number alone, so that every view can be held against
// what it must be. Writers and readers are processes: this binary is started again with one of the hidden cases.
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/impl/store_folder.h"
#include "engine/store.h"
#include "tests/engine/store_fixture.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace demarche;
using namespace demarche::tests;
namespace fs = std::filesystem;

constexpr std::uint64_t kActors = 12;
constexpr std::uint64_t kLargeEvery = 9;
constexpr std::uint64_t kRetireEvery = 5;

// ---- what a commit holds

// Commit 1 makes the actors; every other one adds so many interactions.
std::uint64_t added_by(std::uint64_t n) { return n <= 1 ? 0 : (n % kLargeEvery == 0 ? 150 : 1 + n % 6); }
// The first interaction of the commit before is taken back.
bool takes_back(std::uint64_t n) { return n > 2 && n % kRetireEvery == 0; }
std::uint64_t total_after(std::uint64_t n) {
  std::uint64_t out = 0;
  for (std::uint64_t i = 1; i <= n; ++i) out += added_by(i) - (takes_back(i) ? 1 : 0);
  return out;
}
std::string key_of(std::uint64_t n, std::uint64_t i) { return fmt::format("i-{}-{}", n, i); }

StoreOptions writer_options() {
  StoreOptions options;
  options.create_if_missing = true;
  options.cache_bytes = std::size_t{1} << 20;
  options.seal_rows = 40;   // sealed every dozen commits
  options.bulk_rows = 100;  // a large commit flushes all there is, takes files in and so sets off compactions
  return options;
}
StoreOptions reader_options(double refresh_seconds = 0) {
  StoreOptions options;
  options.read_only = true;
  options.cache_bytes = std::size_t{1} << 20;
  options.refresh_seconds = refresh_seconds;
  return options;
}

// Commits number `n`, which must be the next.
Result<void> commit_number(Store& store, std::uint64_t n) {
  DEMARCHE_TRY(const auto tx, store.begin());
  if (n == 1) {
    for (std::uint64_t a = 1; a <= kActors; ++a) {
      DEMARCHE_CHECK(tx->add_actor(actor(fmt::format("actor-{}", a), fmt::format("Actor {}", a), {"Person"})));
    }
  }
  for (std::uint64_t i = 0; i < added_by(n); ++i) {
    Interaction one = meeting(key_of(n, i), fmt::format("20{:02}-{:02}-{:02}", (n + i) % 24, 1 + i % 12, 1 + n % 28),
                              {ActorId{1 + (n + i) % kActors}, ActorId{1 + (n + i + 1 + i % 7) % kActors}});
    if (i % 3 == 0) one.place = fmt::format("place of {}", n);  // not plain
    DEMARCHE_CHECK(tx->add_interaction(std::move(one)));
  }
  if (takes_back(n)) {
    DEMARCHE_TRY(const auto id, tx->view().find_interaction(key_of(n - 1, 0)));
    if (!id) return make_error(ErrorCode::kNotFound, "what is to be taken back is not there");
    DEMARCHE_CHECK(tx->retire_interaction(*id));
  }
  DEMARCHE_TRY(const CommitNumber made, tx->commit(fmt::format("number {}", n)));
  if (made.value != n) return make_error(ErrorCode::kConflict, fmt::format("commit {} became {}", n, made.value));
  return {};
}

// Is `view` what its commit number says? The first thing that is not.
Result<void> check_view(const View& view) {
  const auto wrong = [&view](const std::string& what, std::uint64_t is, std::uint64_t must_be) {
    return make_error(ErrorCode::kCorruption, fmt::format("commit {}: {} is {}, must be {}",
                                                          view.statistics().commit.value, what, is, must_be));
  };
  const std::uint64_t n = view.statistics().commit.value;
  const std::uint64_t total = total_after(n);
  const std::uint64_t actors = n == 0 ? 0 : kActors;
  if (view.statistics().interactions != total) return wrong("total", view.statistics().interactions, total);
  if (view.statistics().actors != actors) return wrong("actors", view.statistics().actors, actors);
  DEMARCHE_TRY(const auto ids, ids_of(view.actors()));
  if (ids.size() != actors) return wrong("actors found", ids.size(), actors);
  DEMARCHE_TRY(RowCursor cursor, view.timeline({}, {}));
  RowBatch batch;
  std::map<std::uint64_t, std::uint64_t> by_actor;
  std::uint64_t rows = 0;
  do {
    DEMARCHE_CHECK(cursor.next(batch));
    for (std::size_t i = 0; i < batch.size(); ++i, ++rows) {
      for (const Party& party : batch.parties_of(i)) ++by_actor[party.actor.value];
      DEMARCHE_TRY(const Interaction record, view.get_interaction(batch.interaction[i]));
      if (record.row != batch.row[i]) return wrong("row of " + record.key, record.row.value, batch.row[i].value);
    }
  } while (batch.size() > 0);
  if (rows != total) return wrong("timeline", rows, total);
  for (const ActorId id : ids) {
    DEMARCHE_TRY(const auto found, rows_of(view.scan(id, {}, {})));
    if (found.size() != by_actor[id.value]) {
      return wrong(fmt::format("rows of actor {}", id.value), found.size(), by_actor[id.value]);
    }
  }
  for (std::uint64_t i = 0; i <= added_by(n); ++i) {
    DEMARCHE_TRY(const auto id, view.find_interaction(key_of(n, i)));
    if (id.has_value() != (i < added_by(n))) return wrong(key_of(n, i), id ? 1 : 0, i < added_by(n) ? 1 : 0);
  }
  DEMARCHE_TRY(const auto later, view.find_interaction(key_of(n + 1, 0)));
  if (later) return wrong("found of the commit after", 1, 0);
  if (takes_back(n)) {
    DEMARCHE_TRY(const auto gone, view.find_interaction(key_of(n - 1, 0)));
    if (gone) return wrong("found of what was taken back", 1, 0);
  }
  return {};
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}
std::vector<std::string> child_of(const std::string& path, const std::vector<std::string>& more = {}) {
  std::vector<std::string> out = more;
  out.push_back("DEMARCHE_TEST_STORE=" + path);
  return out;
}

std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> files_of(const std::string& folder) {
  std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::uintmax_t bytes = entry.is_regular_file() ? entry.file_size() : 0;
    out[entry.path().string()] = {bytes, entry.last_write_time()};
  }
  return out;
}

}  // namespace

// ---- hidden: what the children do

TEST_CASE("child: commit one after the other", "[.writer_beside]") {
  const std::string path = variable("DEMARCHE_TEST_STORE");
  if (path.empty()) return;
  auto options = writer_options();
  options.sync = variable("DEMARCHE_TEST_SYNC") != "no";
  const auto store = must(Store::open(path, options));
  std::uint64_t n = store->view()->statistics().commit.value;
  while (true) {
    must(commit_number(*store, ++n));
    must(check_view(*store->view()));
    ChildProcess::say(std::to_string(n));
  }
}

// Until the file "stop" is there: each view is what it must be, and not older than what was acknowledged before.
TEST_CASE("child: read beside a writer", "[.reader_beside]") {
  const std::string path = variable("DEMARCHE_TEST_STORE");
  if (path.empty()) return;
  if (variable("DEMARCHE_TEST_NOBODY") == "yes") {
    REQUIRE(::setgid(65534) == 0);
    REQUIRE(::setuid(65534) == 0);
  }
  const auto store = must(Store::open(path, reader_options()));
  std::uint64_t last = 0;
  std::uint64_t different = 0;
  std::uint64_t failed = 0;
  bool stop = false;
  for (std::uint64_t views = 1; !stop; ++views) {
    stop = fs::exists(path + ".stop");
    const CommitNumber acknowledged = must(impl::HighWaterMark::read(path));
    if (!store->refresh()) ++failed;
    const auto view = store->view();
    const std::uint64_t n = view->statistics().commit.value;
    must(check_view(*view));
    REQUIRE(n >= last);
    REQUIRE(n >= acknowledged.value);
    if (n != last) ++different;
    last = n;
    if (views == 1) ChildProcess::say("reading");
  }
  ChildProcess::say(fmt::format("{} {} {}", last, different, failed));
}

TEST_CASE("child: make a store", "[.maker]") {
  const std::string path = variable("DEMARCHE_TEST_STORE");
  if (path.empty()) return;
  while (!fs::exists(path + ".go")) std::this_thread::sleep_for(std::chrono::microseconds(50));
  const auto store = Store::open(path, writer_options());
  ChildProcess::say(store ? "made" : store.error().message);
  while (!fs::exists(path + ".stop")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// ---- one process, both sides

TEST_CASE("reader beside a writer: sees commits, sealings and large commits as they come") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  const auto writer = must(Store::open(path, writer_options()));
  const auto reader = must(Store::open(path, reader_options()));
  CHECK(reader->view()->statistics().commit.value == 0);
  for (std::uint64_t n = 1; n <= 40; ++n) {
    must(commit_number(*writer, n));
    if (n % 7 == 0) must(writer->seal());
    must(reader->refresh());
    const auto view = reader->view();
    REQUIRE(view->statistics().commit.value == n);
    must(check_view(*view));
    must(check_view(*must(reader->view_at(CommitNumber{n / 2}))));
    if (n % 5 == 0) CHECK(must(dump(*view)) == must(dump(*writer->view())));
  }
  const auto late = must(Store::open(path, reader_options()));
  CHECK(must(dump(*late->view())) == must(dump(*writer->view())));
  CHECK(refusal(reader->begin()).code == ErrorCode::kDenied);
  CHECK(refusal(reader->seal()).code == ErrorCode::kDenied);
}

TEST_CASE("reader beside a writer: views that are held stay as they were") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  const auto writer = must(Store::open(path, writer_options()));
  const auto reader = must(Store::open(path, reader_options()));
  std::vector<std::pair<std::shared_ptr<const View>, std::string>> held;
  for (std::uint64_t n = 1; n <= 30; ++n) {
    must(commit_number(*writer, n));
    if (n % 3 != 0) continue;
    held.emplace_back(reader->view(), "");
    REQUIRE(held.back().first->statistics().commit.value == n);
    held.back().second = must(dump(*held.back().first));
  }
  must(writer->seal());
  for (const auto& [view, text] : held) CHECK(must(dump(*view)) == text);
}

TEST_CASE("reader beside a writer: a state is kept for as long as it may be old") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  const auto writer = must(Store::open(path, writer_options()));
  must(commit_number(*writer, 1));
  const auto reader = must(Store::open(path, reader_options(1e6)));
  const auto first = reader->view();
  must(commit_number(*writer, 2));
  CHECK(reader->view() == first);
  CHECK(must(reader->commit_at(writer->view()->statistics().commit_time_micros)).value == 1);
  must(reader->refresh());
  CHECK(reader->view()->statistics().commit.value == 2);
  must(writer->refresh());  // nothing to do
  CHECK(writer->view()->statistics().commit.value == 2);
}

TEST_CASE("reader beside a writer: leaves no trace, and has no right to need") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  ::chmod(folder.path().c_str(), 0755);
  const auto writer = must(Store::open(path, writer_options()));
  for (std::uint64_t n = 1; n <= 20; ++n) must(commit_number(*writer, n));
  const auto reader = must(Store::open(path, reader_options()));
  must(commit_number(*writer, 21));
  must(reader->refresh());  // by a follower
  must(commit_number(*writer, 22));
  must(writer->seal());
  const auto before = files_of(path);
  const auto another = must(Store::open(path, reader_options()));
  must(reader->refresh());
  CHECK(reader->view()->statistics().commit.value == 22);
  CHECK(another->view()->statistics().commit.value == 22);
  CHECK(files_of(path) == before);
  if (::getuid() != 0) return;  // the rest wants somebody with fewer rights
  ChildProcess child("[.reader_beside]", child_of(path, {"DEMARCHE_TEST_NOBODY=yes"}));
  REQUIRE(child.line() == "reading");
  must(commit_number(*writer, 23));
  must(commit_number(*writer, 24));
  std::ofstream(path + ".stop") << "";
  const std::string seen = child.line();  // the last commit, how many different ones, how often refresh() failed
  CHECK(seen.starts_with("24 "));
  CHECK(seen.ends_with(" 0"));
  INFO(child.other());
  CHECK(child.wait() == 0);
}

TEST_CASE("reader beside a writer: a store that went away leaves the last state, and is told of") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  auto writer = must(Store::open(path, writer_options()));
  for (std::uint64_t n = 1; n <= 12; ++n) must(commit_number(*writer, n));
  const auto reader = must(Store::open(path, reader_options()));
  const std::string text = must(dump(*reader->view()));
  writer.reset();
  SECTION("moved away") {
    fs::rename(path, path + ".away");
    CHECK(refusal(reader->refresh()).code == ErrorCode::kIo);
    CHECK(must(dump(*reader->view())) == text);
    fs::rename(path + ".away", path);
    must(reader->refresh());
  }
  SECTION("another in its place") {
    fs::rename(path, path + ".away");
    writer = must(Store::open(path, writer_options()));
    must(commit_number(*writer, 1));
    CHECK(refusal(reader->refresh()).code == ErrorCode::kCorruption);
  }
  CHECK(must(dump(*reader->view())) == text);
}

// ---- processes

TEST_CASE("readers beside writers that are killed: every view is whole, new enough, and never goes back") {
  const bool sync = GENERATE(true, false);
  const TempFolder folder;
  const std::string path = folder.path("s");
  constexpr std::uint64_t kCommitsEach = 30;
  std::vector<std::unique_ptr<ChildProcess>> readers;
  std::shared_ptr<const View> held;
  std::string held_text;
  std::unique_ptr<Store> here;
  std::uint64_t last = 0;
  for (int life = 0; life < 4; ++life) {
    ChildProcess writer("[.writer_beside]",
                        child_of(path, {sync ? "DEMARCHE_TEST_SYNC=yes" : "DEMARCHE_TEST_SYNC=no"}));
    for (std::uint64_t i = 0; i < kCommitsEach; ++i) {
      const std::string line = writer.line();
      INFO(writer.other());
      REQUIRE(!line.empty());
      REQUIRE(std::stoull(line) > last);
      last = std::stoull(line);
      if (i == 5 && life < 3) readers.push_back(std::make_unique<ChildProcess>("[.reader_beside]", child_of(path)));
      if (life == 0 && i == 7) {
        here = must(Store::open(path, reader_options()));
        held = here->view();
        held_text = must(dump(*held));
      }
      if (here && i % 8 == 0) {
        const auto view = here->view();
        CHECK(view->statistics().commit.value >= (sync ? last : 1));
        must(check_view(*view));
      }
    }
    writer.kill();
    must(here->refresh());
    CHECK(here->view()->statistics().commit.value >= last);
    must(check_view(*here->view()));
    must(check_view(*must(Store::open(path, reader_options()))->view()));
  }
  CHECK(must(dump(*held)) == held_text);
  std::ofstream(path + ".stop") << "";
  const std::uint64_t end = here->view()->statistics().commit.value;
  for (const auto& reader : readers) {
    CHECK(reader->line() == "reading");
    const std::string seen = reader->line();
    CHECK(reader->line().empty());
    INFO(reader->other());
    REQUIRE(reader->wait() == 0);
    CHECK(seen.starts_with(std::to_string(end) + " "));
  }
}

TEST_CASE("two processes make one store: one does, the other is told") {
  for (int round = 0; round < 8; ++round) {
    const TempFolder folder;
    const std::string path = folder.path("s");
    if (round % 2 == 1) fs::create_directory(path);
    std::vector<std::unique_ptr<ChildProcess>> makers;
    for (int i = 0; i < 3; ++i) makers.push_back(std::make_unique<ChildProcess>("[.maker]", child_of(path)));
    std::ofstream(path + ".go") << "";
    std::vector<std::string> said;
    for (const auto& maker : makers) said.push_back(maker->line());
    INFO(fmt::format("{}", fmt::join(said, "\n")));
    CHECK(std::count(said.begin(), said.end(), "made") == 1);
    for (const std::string& line : said) {
      CHECK((line == "made" || line.find("is open for writing in process") != std::string::npos ||
             line.find("a store is being made at") != std::string::npos));
    }
    std::ofstream(path + ".stop") << "";
    for (const auto& maker : makers) CHECK(maker->wait() == 0);
    must(commit_number(*must(Store::open(path, writer_options())), 1));
  }
}

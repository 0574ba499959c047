// Backups: what is restored answers as the store did, every byte of a backup counts, and nothing is overwritten.
#include "engine/backup.h"

#include <atomic>
#include <fstream>
#include <thread>

#include "engine/check.h"
#include "tests/engine/history_fixture.h"
#include "tests/support/temp_folder.h"

namespace demarche::tests {

namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_bytes(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}
void must_be_sound(const std::string& path) {
  const CheckReport report = must(check_store(path));
  for (const Finding& f : report.findings) UNSCOPED_INFO(f.family << ": " << f.key << ": " << f.what);
  CHECK(report.clean());
}

}  // namespace

TEST_CASE("backup: a restored store answers as the backed up one did as of every commit, and can be written to") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  std::map<std::uint64_t, std::string> before;
  {
    const auto store = create(path);
    add_history(*store);
    before = answers_of(*store);
  }
  const Backup backup = must(back_up_store(path, folder.path("backups")));
  CHECK(backup.id == 1);
  CHECK(backup.sealed);
  CHECK(backup.commit == CommitNumber{6});
  CHECK(backup.bytes > 0);
  CHECK(must(verify_backup(folder.path("backups"), 1)).commit == backup.commit);
  fs::remove_all(path);
  CHECK(must(restore_backup(folder.path("backups"), 1, folder.path("again.dm"))).commit == backup.commit);
  CHECK_FALSE(fs::exists(folder.path("again.dm.restoring")));
  must_be_sound(folder.path("again.dm"));
  const auto again = must(reopen(folder.path("again.dm")));
  CHECK(answers_of(*again) == before);
  const auto tx = must(again->begin());
  must(tx->add_actor(actor("new", "New")));
  CHECK(must(tx->commit("on")) == CommitNumber{7});
}

TEST_CASE("backup: the store may be written to meanwhile; each backup has at least what was committed before it") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  const auto store = create(path);
  add_history(*store);
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      const auto tx = must(store->begin());
      must(tx->add_interaction(meeting(fmt::format("more-{}", i), "2018", {ActorId{1}, ActorId{2}})));
      must(tx->commit("more"));
    }
  });
  std::vector<Backup> made;
  for (int i = 0; i < 4; ++i) {
    const CommitNumber seen = store->view()->statistics().commit;
    made.push_back(must(store->back_up(folder.path("backups"))));
    CHECK(made.back().commit >= seen);
  }
  stop = true;
  writer.join();
  for (const Backup& b : made) {
    const std::string target = folder.path(fmt::format("restored-{}", b.id));
    CHECK(must(restore_backup(folder.path("backups"), b.id, target)).commit >= b.commit);
    must_be_sound(target);
    const auto restored = must(reopen(target, true));
    for (const std::uint64_t n : {std::uint64_t{6}, b.commit.value}) {
      CHECK(must(dump(*must(restored->view_at(CommitNumber{n})))) ==
            must(dump(*must(store->view_at(CommitNumber{n})))));
    }
  }
  const auto listed = must(list_backups(folder.path("backups")));
  REQUIRE(listed.size() == made.size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    CHECK(listed[i].id == made[i].id);
    CHECK(listed[i].commit == made[i].commit);
    CHECK(listed[i].sealed);
    CHECK(listed[i].store == path);
  }
}

TEST_CASE("backup: a flipped byte or a cut in any of its files is noticed, and nothing is restored") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  {
    const auto store = create(path);
    add_history(*store);
    must(store->seal());
  }
  const std::string backups = folder.path("backups");
  must(back_up_store(path, backups));
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(backups)) {
    if (!entry.is_regular_file()) continue;
    const std::string bytes = bytes_of(entry.path());
    INFO(entry.path());
    for (const std::size_t at : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
      if (bytes.empty()) continue;
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ 0x20);
      write_bytes(entry.path(), flipped);
      CHECK(refusal(verify_backup(backups, 1)).code != ErrorCode::kInvalidArgument);
      refusal(restore_backup(backups, 1, folder.path("target")));
      CHECK_FALSE(fs::exists(folder.path("target")));
      CHECK_FALSE(fs::exists(folder.path("target.restoring")));
    }
    if (!bytes.empty()) {
      write_bytes(entry.path(), bytes.substr(0, bytes.size() / 2));
      refusal(verify_backup(backups, 1));
      refusal(restore_backup(backups, 1, folder.path("target")));
      ++files;
    }
    fs::rename(entry.path(), folder.path("aside"));
    refusal(verify_backup(backups, 1));
    refusal(restore_backup(backups, 1, folder.path("target")));
    fs::remove(folder.path("aside"));
    write_bytes(entry.path(), bytes);
  }
  CHECK(files >= 6);  // marker, seal, list, CURRENT, MANIFEST, OPTIONS and tables
  must(verify_backup(backups, 1));
}

TEST_CASE("backup: one without its seal is listed as interrupted, and not restored") {
  const TempFolder folder;
  create(folder.path("store.dm")).reset();
  const std::string backups = folder.path("backups");
  must(back_up_store(folder.path("store.dm"), backups));
  must(back_up_store(folder.path("store.dm"), backups));
  fs::remove(backups + "/seal/1");
  const auto listed = must(list_backups(backups));
  REQUIRE(listed.size() == 2);
  CHECK_FALSE(listed[0].sealed);
  CHECK(listed[1].sealed);
  CHECK(says(refusal(restore_backup(backups, 1, folder.path("a"))), "interrupted"));
  must(restore_backup(backups, 2, folder.path("a")));
}

TEST_CASE("backup: a store with a damaged file is not backed up") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  {
    const auto store = create(path);
    add_history(*store);
    must(store->seal());
  }
  must(repair_index(path));  // leaves table files
  bool damaged = false;
  for (const auto& entry : fs::directory_iterator(path + "/db")) {
    if (entry.path().extension() != ".sst" || damaged) continue;
    std::string bytes = bytes_of(entry.path());
    bytes[8] = static_cast<char>(bytes[8] ^ 1);  // in its first data block
    write_bytes(entry.path(), bytes);
    damaged = true;
  }
  REQUIRE(damaged);
  refusal(back_up_store(path, folder.path("backups")));
  CHECK_FALSE(fs::exists(folder.path("backups")));
  const CheckReport report = must(check_store(path));
  CHECK_FALSE(report.clean());
  CHECK(report.findings.front().family == "files");
}

TEST_CASE("backup: one that fails half-way leaves no folder behind, and an empty one empty") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  {
    const auto store = create(path);
    add_history(*store);
    must(store->seal());
  }
  must(repair_index(path));  // leaves table files
  std::size_t damaged = 0;
  for (const auto& entry : fs::directory_iterator(path + "/db")) {
    if (entry.path().extension() != ".sst") continue;
    std::string bytes = bytes_of(entry.path());
    bytes[bytes.size() - 60] =
        static_cast<char>(bytes[bytes.size() - 60] ^ 1);  // no block of it: only its checksum tells
    write_bytes(entry.path(), bytes);
    ++damaged;
  }
  REQUIRE(damaged > 0);
  fs::create_directory(folder.path("empty"));
  for (const char* const name : {"new", "empty"}) {
    INFO(name);
    const Error error = refusal(back_up_store(path, folder.path(name)));
    INFO(error.message);
    CHECK(fs::exists(folder.path(name)) == (std::string(name) == "empty"));
  }
  CHECK(fs::is_empty(folder.path("empty")));
}

TEST_CASE("backup: foreign, missing and occupied places are refused, and stay as they are") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  const std::string backups = folder.path("backups");
  create(path).reset();
  CHECK(refusal(back_up_store(folder.path("none"), backups)).code == ErrorCode::kNotFound);
  CHECK_FALSE(fs::exists(backups));
  CHECK(refusal(list_backups(backups)).code == ErrorCode::kNotFound);
  fs::create_directories(folder.path("foreign") + "/things");
  CHECK(says(refusal(back_up_store(path, folder.path("foreign"))), "not a folder of backups"));
  CHECK(says(refusal(back_up_store(folder.path("foreign"), backups)), "not a store"));
  CHECK(says(refusal(list_backups(folder.path("foreign"))), "not a folder of backups"));
  CHECK(says(refusal(list_backups(path)), "not a folder of backups"));
  CHECK(says(refusal(back_up_store(path, path + "/backups")), "inside the store"));
  write_bytes(folder.path("file"), "x");
  CHECK(says(refusal(back_up_store(path, folder.path("file"))), "not a folder"));
  CHECK(refusal(back_up_store(path, folder.path("no/such/parent"))).code == ErrorCode::kIo);
  must(back_up_store(path, backups));
  CHECK(says(refusal(restore_backup(backups, 7, folder.path("new"))), "there is no backup 7"));
  for (const std::string& target : {path, folder.path("file"), folder.path("foreign")}) {
    CHECK(says(refusal(restore_backup(backups, 1, target)), "is there already"));
  }
  CHECK(refusal(restore_backup(backups, 1, folder.path("no/such/parent"))).code == ErrorCode::kIo);
  fs::create_directories(folder.path("new.restoring") + "/things");
  CHECK(says(refusal(restore_backup(backups, 1, folder.path("new"))), "in the way"));
  fs::remove_all(folder.path("new.restoring"));
  fs::create_directories(folder.path("new.restoring") + "/store/db");  // as an interrupted one leaves it
  fs::create_directory(folder.path("new"));                            // empty: allowed
  must(restore_backup(backups, 1, folder.path("new")));
  CHECK_FALSE(fs::exists(folder.path("new.restoring")));
  must(reopen(folder.path("new")));
  const auto store = must(reopen(path));
  CHECK(refusal(back_up_store(path, backups)).code == ErrorCode::kConflict);
  must(store->back_up(backups));
  CHECK(refusal(must(reopen(folder.path("new"), true))->back_up(backups)).code == ErrorCode::kDenied);
}

}  // namespace demarche::tests

// What only the database itself can be made to do: families that are gone, and backups below the store's own seals.
#include "engine/impl/rocks_backup.h"

#include <memory>
#include <vector>

#include <rocksdb/db.h>

#include "engine/check.h"
#include "engine/impl/store_folder.h"
#include "tests/engine/history_fixture.h"
#include "tests/support/temp_folder.h"

namespace demarche::tests {

namespace {

void drop_family(const std::string& path, const std::string& name) {
  std::vector<std::string> names;
  const std::string database = impl::database_path(path);
  REQUIRE(rocksdb::DB::ListColumnFamilies({}, database, &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& one : names) descriptors.emplace_back(one, rocksdb::ColumnFamilyOptions());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  REQUIRE(rocksdb::DB::Open({}, database, descriptors, &handles, &raw).ok());
  const std::unique_ptr<rocksdb::DB> db(raw);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) CHECK(db->DropColumnFamily(handles[i]).ok());
    CHECK(db->DestroyColumnFamilyHandle(handles[i]).ok());
  }
}

}  // namespace

TEST_CASE("repair: a family of the index that is gone altogether is said so, and made anew") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  std::map<std::uint64_t, std::string> before;
  {
    const auto store = create(path);
    add_history(*store);
    before = answers_of(*store);
    must(store->seal());
  }
  drop_family(path, "contact_by_actor_time");
  for (const bool read_only : {false, true}) {
    const Error error = refusal(reopen(path, read_only));
    CHECK(error.code == ErrorCode::kCorruption);
    CHECK(says(error, "contact_by_actor_time"));
    CHECK(says(error, "--repair"));
  }
  CHECK(refusal(check_store(path)).code == ErrorCode::kCorruption);
  must(repair_index(path));
  CHECK(must(check_store(path)).clean());
  CHECK(answers_of(*must(reopen(path))) == before);
}

TEST_CASE("repair: a family of records that is gone altogether is not made up") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  {
    const auto store = create(path);
    add_history(*store);
    must(store->seal());
  }
  drop_family(path, "interaction");
  CHECK(says(refusal(repair_index(path)), "restore a backup"));
}

TEST_CASE("rocks backup: an unknown number and a folder that is none are refused") {
  const TempFolder folder;
  CHECK_FALSE(impl::verify_rocks_backup(folder.path("none"), 1));
  CHECK_FALSE(impl::restore_rocks_backup(folder.path("none"), 1, folder.path("db")));
  CHECK(impl::file_crc32c("123456789") == 0xE3069283);  // the check value of CRC-32C
}

}  // namespace demarche::tests

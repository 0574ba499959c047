// For tests alone (tests/crash): a way in below the store, to put another file system under it or to spoil a write.
//
// Every place in engine/impl that makes RocksDB options (opening, table files written to be ingested, secondary
// readers, backups) hands them to `database` and `family` last of all; one that does not is out of the tests' sight.
// Empty hooks, as in every program but the tests, change nothing.
#pragma once

#include <functional>

#include <rocksdb/db.h>

namespace demarche::impl {

struct RocksHooks {
  std::function<void(rocksdb::DBOptions&)> database;
  std::function<void(rocksdb::ColumnFamilyOptions&)> family;
  // In place of DB::Write.
  std::function<rocksdb::Status(rocksdb::DB&, const rocksdb::WriteOptions&, rocksdb::WriteBatch*)> write;
};

// Not to be changed while a store is open.
[[nodiscard]] RocksHooks& rocks_hooks();

}  // namespace demarche::impl

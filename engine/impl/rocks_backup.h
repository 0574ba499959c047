// RocksDB's backups behind the wall: copies of a database, numbered, in a folder that shares what they have in common.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/result.h"

namespace rocksdb {
class DB;
}  // namespace rocksdb

namespace demarche::impl {

struct RocksBackup {
  std::uint32_t id = 0;
  std::uint64_t bytes = 0;  // of all its files, shared ones included
};

// Copies what `db` holds now, its log included, and syncs it. Every table file is compared with its checksum on the
// way. Errors: kCorruption, kIo, kDenied.
[[nodiscard]] Result<std::uint32_t> create_rocks_backup(rocksdb::DB& db, const std::string& folder);

// All that can be read, ascending by id. Writes nothing. Errors: kIo, kCorruption.
[[nodiscard]] Result<std::vector<RocksBackup>> list_rocks_backups(const std::string& folder);

// Reads every file of the backup and compares it with its checksum. Errors: kNotFound, kCorruption, kIo.
[[nodiscard]] Result<void> verify_rocks_backup(const std::string& folder, std::uint32_t id);

// Copies the backup's files into `database`, a folder that is made, comparing checksums. Errors: as above.
[[nodiscard]] Result<void> restore_rocks_backup(const std::string& folder, std::uint32_t id,
                                                const std::string& database);

// The file in which RocksDB keeps what belongs to a backup. It has no checksum of its own there.
[[nodiscard]] std::string rocks_backup_list_path(const std::string& folder, std::uint32_t id);

// CRC-32C, as the files of the database have it.
[[nodiscard]] std::uint32_t file_crc32c(const std::string& bytes);

}  // namespace demarche::impl

#include "engine/impl/rocks_backup.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/utilities/backup_engine.h>

#include "engine/impl/rocks_status.h"

namespace demarche::impl {

namespace {

tl::unexpected<Error> backup_error(const rocksdb::Status& status, const std::string& doing) {
  if (status.IsNotFound()) return make_error(ErrorCode::kNotFound, fmt::format("{}: there is no such backup", doing));
  if (status.IsCorruption()) {
    return make_error(ErrorCode::kCorruption,
                      fmt::format("{}: {}; the backup is damaged, use another", doing, status.ToString()));
  }
  return tl::unexpected(to_error(status, doing));
}

// A new engine for each use: those of RocksDB 7.8 do not always see what was removed.
Result<std::unique_ptr<rocksdb::BackupEngineReadOnly>> open_to_read(const std::string& folder) {
  rocksdb::BackupEngineReadOnly* raw = nullptr;
  const rocksdb::Status status =
      rocksdb::BackupEngineReadOnly::Open(rocksdb::BackupEngineOptions(folder), rocksdb::Env::Default(), &raw);
  std::unique_ptr<rocksdb::BackupEngineReadOnly> engine(raw);
  if (!status.ok()) return backup_error(status, fmt::format("open backups '{}'", folder));
  return engine;
}

}  // namespace

Result<std::uint32_t> create_rocks_backup(rocksdb::DB& db, const std::string& folder) {
  rocksdb::BackupEngine* raw = nullptr;
  rocksdb::IOStatus status =
      rocksdb::BackupEngine::Open(rocksdb::BackupEngineOptions(folder), rocksdb::Env::Default(), &raw);
  const std::unique_ptr<rocksdb::BackupEngine> engine(raw);
  if (!status.ok()) return backup_error(status, fmt::format("open backups '{}'", folder));
  rocksdb::BackupID id = 0;
  status = engine->CreateNewBackup(rocksdb::CreateBackupOptions(), &db, &id);
  if (!status.ok()) return tl::unexpected(to_error(status, fmt::format("write a backup into '{}'", folder)));
  return id;
}

Result<std::vector<RocksBackup>> list_rocks_backups(const std::string& folder) {
  DEMARCHE_TRY(const auto engine, open_to_read(folder));
  std::vector<rocksdb::BackupInfo> infos;
  engine->GetBackupInfo(&infos);
  std::vector<RocksBackup> out;
  for (const rocksdb::BackupInfo& info : infos) out.push_back({info.backup_id, info.size});
  std::sort(out.begin(), out.end(), [](const RocksBackup& a, const RocksBackup& b) { return a.id < b.id; });
  return out;
}

Result<void> verify_rocks_backup(const std::string& folder, std::uint32_t id) {
  DEMARCHE_TRY(const auto engine, open_to_read(folder));
  const rocksdb::Status status = engine->VerifyBackup(id, /*verify_with_checksum=*/true);
  if (!status.ok()) return backup_error(status, fmt::format("verify backup {} in '{}'", id, folder));
  return {};
}

Result<void> restore_rocks_backup(const std::string& folder, std::uint32_t id, const std::string& database) {
  DEMARCHE_TRY(const auto engine, open_to_read(folder));
  const rocksdb::Status status = engine->RestoreDBFromBackup(id, database, database);
  if (!status.ok()) return backup_error(status, fmt::format("restore backup {} of '{}'", id, folder));
  return {};
}

std::string rocks_backup_list_path(const std::string& folder, std::uint32_t id) {
  return fmt::format("{}/meta/{}", folder, id);
}

std::uint32_t file_crc32c(const std::string& bytes) {
  const auto generator = rocksdb::GetFileChecksumGenCrc32cFactory()->CreateFileChecksumGenerator({});
  generator->Update(bytes.data(), bytes.size());
  generator->Finalize();
  std::uint32_t out = 0;
  for (const char c : generator->GetChecksum()) out = out << 8 | static_cast<unsigned char>(c);
  return out;
}

}  // namespace demarche::impl

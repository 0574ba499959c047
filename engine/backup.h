// Backups of a store: verified copies, numbered from 1, in a folder of their own. Files that do not change from one
// backup to the next are kept once.
//
//   FOLDER/DEMARCHE-BACKUPS   marker: two lines, "demarche backups" and "format 1"
//   FOLDER/files/             the copies, as RocksDB's backup engine keeps them
//   FOLDER/seal/ID            written last, once the copy has been verified: what it holds, and the checksums of the
//   list
//                             of its files and of this file itself
//
// A backup without its seal was interrupted and is not one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/result.h"
#include "engine/types.h"

namespace demarche {

struct Backup {
  std::uint32_t id = 0;
  bool sealed = false;           // false: interrupted or damaged; the rest means nothing
  CommitNumber commit;           // every commit up to this one is in it, perhaps more
  std::int64_t time_micros = 0;  // when it was made, UTC since 1970
  std::uint64_t bytes = 0;       // of its files, also of those it shares
  std::string store;             // path of the store it was made of, as it was given
};

// Makes a backup of a store that nobody has open for writing (if this process has, use Store::back_up) and verifies it.
// `folder` is made if it is not there; its parent must be. Errors: kInvalidArgument (not a store, or `folder` holds
// other things), kNotFound, kConflict (open elsewhere; another backup is being made), kCorruption, kDenied, kIo.
[[nodiscard]] Result<Backup> back_up_store(const std::string& path, const std::string& folder);

// Ascending by id, interrupted ones too. Errors: kNotFound, kInvalidArgument, kIo, kDenied.
[[nodiscard]] Result<std::vector<Backup>> list_backups(const std::string& folder);

// Reads all of a backup and compares it with its checksums. Errors: kNotFound, kCorruption, kIo.
[[nodiscard]] Result<Backup> verify_backup(const std::string& folder, std::uint32_t id);

// Makes a new store at `target` out of a backup: all of it or nothing. Works in `target`.restoring and renames it at
// the end, when it was opened and found to hold what was backed up; what an interrupted one left there is taken away.
// Errors: kInvalidArgument if there is anything at `target` but an empty folder; as verify_backup(); kDenied, kIo.
[[nodiscard]] Result<Backup> restore_backup(const std::string& folder, std::uint32_t id, const std::string& target);

}  // namespace demarche

// The folder around the database: its marker, its high-water mark, and who holds it.
//
//   STORE/DEMARCHE    marker: two lines, "demarche store" and "format 1"; written last when a store is made
//   STORE/COMMITTED   number of the last commit acknowledged with sync, 20 digits and a line feed
//   STORE/db/         RocksDB
//   STORE/bulk/       only while a large commit is written: files not yet taken into the database
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "engine/result.h"
#include "engine/types.h"

namespace demarche::impl {

inline constexpr int kFormatVersion = 1;

enum class FolderState : std::uint8_t {
  kAbsent,
  kEmpty,
  kUnfinished,  // only what the making of a store leaves when it is stopped before the marker: no data
  kStore,
};

// What stands at `path`. Errors: kInvalidArgument (a file, a foreign folder, another format), kCorruption (a store that
// has lost its marker or its database), kConflict (somebody else is making a store there), kDenied, kIo. `own_turn`:
// the caller has the MakingTurn, so nothing changes while it looks.
[[nodiscard]] Result<FolderState> inspect_folder(const std::string& path, bool own_turn = false);

// The right to make a store in a folder: one process at a time, and one thread. Given back when it goes, or with the
// process.
class MakingTurn {
 public:
  // Makes the folder if it is not there, not its parents. Errors: kConflict if somebody else has the turn; kDenied,
  // kIo.
  [[nodiscard]] static Result<MakingTurn> take(const std::string& path);
  MakingTurn(MakingTurn&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  MakingTurn& operator=(MakingTurn&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~MakingTurn();

 private:
  explicit MakingTurn(int fd) : fd_(fd) {}
  int fd_;
};

// Makes the folder, not its parents; the marker is written by finish_folder() once the database stands.
[[nodiscard]] Result<void> make_folder(const std::string& path);
[[nodiscard]] Result<void> finish_folder(const std::string& path);

// Is there room for an empty database? RocksDB 7.8 as Debian builds it aborts the process when the disk is full while a
// database is made, so this is asked first. Errors: kIo.
[[nodiscard]] Result<void> check_room(const std::string& path);

// Removes what an unfinished store left, and nothing else; `folder_too`: the folder itself as well, if it is then
// empty. REQUIRES: nobody holds the database's lock.
[[nodiscard]] Result<void> clear_unfinished(const std::string& path, bool folder_too);

[[nodiscard]] std::string database_path(const std::string& path);
// Where the files of a large commit are written before the database takes them in.
[[nodiscard]] std::string bulk_path(const std::string& path);
// Makes `folder`, or it anew. Errors: kIo, kDenied.
[[nodiscard]] Result<void> make_empty_folder(const std::string& folder);
void remove_folder(const std::string& folder);
// Writes a small file so that after a crash either all of it is there or none. Errors: kIo, kDenied.
[[nodiscard]] Result<void> write_file_durably(const std::string& path, const std::string& text);

// The process that holds the database's lock, as "process 4711 (demarche)"; nullopt if nobody does.
[[nodiscard]] std::optional<std::string> lock_holder(const std::string& path);

// The acknowledged commit number outside the write-ahead log. It is written after the log is synced, so it is never
// ahead of what the disk holds; a database that ends before it has lost a suffix.
class HighWaterMark {
 public:
  HighWaterMark() = default;
  ~HighWaterMark();
  HighWaterMark(const HighWaterMark&) = delete;
  HighWaterMark& operator=(const HighWaterMark&) = delete;

  // 0 when there is no file yet, or an empty one (the power failed while it was made). Errors: kCorruption if it holds
  // anything else than a number.
  [[nodiscard]] static Result<CommitNumber> read(const std::string& path);
  // The file is made by the first set().
  [[nodiscard]] Result<void> set(const std::string& path, CommitNumber commit);

 private:
  int fd_ = -1;
};

}  // namespace demarche::impl

#include "engine/impl/store_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fmt/format.h>

#include "engine/impl/kill_point.h"

namespace demarche::impl {

namespace fs = std::filesystem;

namespace {

constexpr const char* kMarkerName = "DEMARCHE";
constexpr const char* kHighWaterName = "COMMITTED";
constexpr const char* kMarkerFirstLine = "demarche store";
constexpr std::size_t kHighWaterDigits = 20;
constexpr off_t kEmptyDatabaseBytes = off_t{512} << 10;

std::string join(const std::string& path, const char* name) { return (fs::path(path) / name).string(); }

tl::unexpected<Error> system_error(std::string_view doing, const std::string& path) {
  const int code = errno;
  const bool denied = code == EACCES || code == EPERM || code == EROFS;
  return make_error(denied ? ErrorCode::kDenied : ErrorCode::kIo,
                    fmt::format("{} '{}': {}", doing, path, std::strerror(code)));
}

Result<void> check_marker(const std::string& path) {
  std::ifstream in(join(path, kMarkerName));
  std::string first;
  std::string second;
  std::getline(in, first);
  std::getline(in, second);
  int format = -1;
  const std::string_view digits = std::string_view(second).substr(std::min<std::size_t>(second.size(), 7));
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), format);
  if (first != kMarkerFirstLine || !second.starts_with("format ") || error != std::errc() ||
      end != digits.data() + digits.size()) {
    return make_error(ErrorCode::kCorruption,
                      fmt::format("'{}': the file DEMARCHE does not name a store format; restore a copy", path));
  }
  if (format != kFormatVersion) {
    return invalid(fmt::format("'{}': store format {}, this build reads {}; open it with the build that wrote it", path,
                               format, kFormatVersion));
  }
  return {};
}

// Makes the names in a folder outlive a power cut. A file system that cannot sync a folder says EINVAL: that is no
// fault.
Result<void> sync_folder(const std::string& path) {
  const int folder = ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return {};  // a folder that may be written in but not read: then nobody can sync it
  const bool synced = ::fsync(folder) == 0 || errno == EINVAL;
  const int code = errno;
  ::close(folder);
  errno = code;
  if (!synced) return system_error("sync folder", path);
  return {};
}

}  // namespace

Result<void> write_file_durably(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return system_error("write", temporary);
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  const int code = errno;
  ::close(fd);
  errno = code;
  kill_point("make.marker_written");
  if (!written || ::rename(temporary.c_str(), path.c_str()) != 0) return system_error("write", path);
  kill_point("make.marker_named");
  return sync_folder(fs::path(path).parent_path().string());
}

namespace {

// Could RocksDB have written this file before the first commit? Table files and logs with something in them are data.
bool is_file_of_empty_database(const fs::directory_entry& entry) {
  std::error_code error;
  if (entry.symlink_status(error).type() != fs::file_type::regular) return false;
  const std::string name = entry.path().filename().string();
  if (name.ends_with(".log")) return entry.file_size(error) == 0 && !error;
  return name == "CURRENT" || name == "IDENTITY" || name == "LOCK" || name == "LOG" || name.starts_with("LOG.old.") ||
         name.starts_with("MANIFEST-") || name.starts_with("OPTIONS-") || name.ends_with(".dbtmp");
}

// REQUIRES: there is no marker. Whatever cannot be read counts as foreign.
bool is_unfinished(const std::string& path) {
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const fs::file_type type = it->symlink_status(error).type();
    if (name == "db" && type == fs::file_type::directory) {
      for (fs::directory_iterator file(it->path(), error); !error && file != end; file.increment(error)) {
        if (!is_file_of_empty_database(*file)) return false;
      }
    } else if (type != fs::file_type::regular ||
               (name != std::string(kMarkerName) + ".new" && (name != kHighWaterName || it->file_size(error) != 0))) {
      return false;
    }
    if (error) return false;
  }
  return !error;
}

std::string process_text(long pid) {
  if (pid == static_cast<long>(::getpid())) return fmt::format("this process ({})", pid);
  std::ifstream in(fmt::format("/proc/{}/comm", pid));
  std::string name;
  std::getline(in, name);
  return name.empty() ? fmt::format("process {}", pid) : fmt::format("process {} ({})", pid, name);
}

}  // namespace

std::string database_path(const std::string& path) { return join(path, "db"); }
std::string bulk_path(const std::string& path) { return join(path, "bulk"); }

Result<void> make_empty_folder(const std::string& folder) {
  remove_folder(folder);
  if (::mkdir(folder.c_str(), 0777) != 0) return system_error("make", folder);
  return {};
}

void remove_folder(const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder, error);  // what stays is in nobody's way: it is tried again
}

namespace {

// What stands there at this moment; a folder in which a store is just being made may look like anything.
Result<FolderState> look_at_folder(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return FolderState::kAbsent;
  if (error) {
    errno = error.value();
    return system_error("open", path);
  }
  if (!fs::is_directory(status)) return invalid(fmt::format("'{}' is a file; a store is a folder", path));
  if (fs::exists(join(path, kMarkerName), error)) {
    DEMARCHE_CHECK(check_marker(path));
    if (!fs::exists(join(database_path(path), "CURRENT"), error)) {
      return make_error(ErrorCode::kCorruption,
                        fmt::format("'{}' is a store whose database is missing (db/CURRENT); restore a copy", path));
    }
    return FolderState::kStore;
  }
  const fs::directory_iterator entries(path, error);
  if (error) {
    errno = error.value();
    return system_error("open", path);
  }
  if (entries == fs::directory_iterator()) return FolderState::kEmpty;
  if (is_unfinished(path)) return FolderState::kUnfinished;
  if (fs::exists(join(path, kHighWaterName), error) && fs::exists(join(database_path(path), "CURRENT"), error)) {
    return make_error(ErrorCode::kCorruption,
                      fmt::format("'{}' is a store whose file DEMARCHE is missing; restore a copy", path));
  }
  return invalid(
      fmt::format("'{}' is a folder with other things in it, not a store; name a new or empty folder", path));
}

tl::unexpected<Error> being_made(const std::string& path) {
  return make_error(ErrorCode::kConflict,
                    fmt::format("a store is being made at '{}' by somebody else; try again when it is done", path));
}

// Has somebody a MakingTurn? Asked with a shared lock, so that those who ask are not in each other's way.
bool has_maker(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return held;
}

}  // namespace

Result<FolderState> inspect_folder(const std::string& path, bool own_turn) {
  Result<FolderState> state = look_at_folder(path);
  // A refusal counts if the same is seen while nobody makes a store there: a maker may have finished, or have given
  // up, between two looks at its files.
  for (int attempt = 0; !own_turn && !state && attempt < 3; ++attempt) {
    if (has_maker(path)) return being_made(path);
    state = look_at_folder(path);
  }
  return state;
}

Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return system_error("make folder", path);
  if (::access(path.c_str(), W_OK) != 0) return system_error("write in folder", path);
  return {};
}

Result<MakingTurn> MakingTurn::take(const std::string& path) {
  for (int attempt = 0; attempt < 10; ++attempt) {
    DEMARCHE_CHECK(make_folder(path));
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) continue;
    if (fd < 0) return system_error("open", path);
    MakingTurn turn(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      return being_made(path);
    }
    // A file system without such locks leaves it to the database's own.
    struct stat locked {};
    struct stat named {};
    // Whoever had the turn before may have removed the folder.
    if (::fstat(fd, &locked) == 0 && ::stat(path.c_str(), &named) == 0 && locked.st_ino == named.st_ino &&
        locked.st_dev == named.st_dev) {
      return turn;
    }
  }
  return make_error(ErrorCode::kConflict, fmt::format("'{}' is removed again and again by somebody else", path));
}

MakingTurn::~MakingTurn() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> check_room(const std::string& path) {
  const std::string probe = join(path, kMarkerName) + ".new";  // counts as unfinished if it is left behind
  const int fd = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return system_error("write", probe);
  const int refused = ::posix_fallocate(fd, 0, kEmptyDatabaseBytes);
  ::close(fd);
  ::unlink(probe.c_str());
  if (refused == 0 || refused == EINVAL || refused == EOPNOTSUPP) return {};  // the latter two: cannot be asked here
  errno = refused;
  return system_error("make room for a store in", path);
}

Result<void> finish_folder(const std::string& path) {
  // First the store's own name, so that no marker is promised in a folder that can still go.
  const fs::path trimmed = path.ends_with('/') ? fs::path(path).parent_path() : fs::path(path);
  DEMARCHE_CHECK(sync_folder(trimmed.parent_path().string()));
  return write_file_durably(join(path, kMarkerName), fmt::format("{}\nformat {}\n", kMarkerFirstLine, kFormatVersion));
}

Result<void> clear_unfinished(const std::string& path, bool folder_too) {
  DEMARCHE_TRY(const FolderState state, inspect_folder(path, /*own_turn=*/true));
  std::error_code error;
  if (state == FolderState::kUnfinished) {
    for (const std::string& name :
         {std::string("db"), std::string(kHighWaterName), std::string(kMarkerName) + ".new"}) {
      fs::remove_all(join(path, name.c_str()), error);
      if (!error) continue;
      errno = error.value();
      return system_error("remove the unfinished store", path);
    }
  }
  if (folder_too && (state == FolderState::kUnfinished || state == FolderState::kEmpty)) fs::remove(path, error);
  return {};
}

std::optional<std::string> lock_holder(const std::string& path) {
  // The kernel's list is read rather than the lock tried: closing any descriptor of the lock file would drop a lock
  // that this very process holds (POSIX record locks).
  struct stat lock_file {};
  if (::stat(join(database_path(path), "LOCK").c_str(), &lock_file) != 0) return std::nullopt;
  std::ifstream locks("/proc/locks");
  const std::string wanted =
      fmt::format("{:02x}:{:02x}:{}", major(lock_file.st_dev), minor(lock_file.st_dev), lock_file.st_ino);
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, type, mode, access, file;
    long pid = 0;
    if (words >> number >> type >> mode >> access >> pid >> file && file == wanted && access == "WRITE") {
      return process_text(pid);
    }
  }
  return std::nullopt;
}

HighWaterMark::~HighWaterMark() {
  if (fd_ >= 0) ::close(fd_);
}

Result<CommitNumber> HighWaterMark::read(const std::string& path) {
  std::ifstream in(join(path, kHighWaterName));
  if (!in) return CommitNumber{0};
  std::string line;
  std::getline(in, line);
  if (line.empty() && in.eof()) return CommitNumber{0};
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc() || end != line.data() + line.size() || line.size() != kHighWaterDigits) {
    return make_error(ErrorCode::kCorruption,
                      fmt::format("'{}': the file COMMITTED does not hold a commit number; restore a copy", path));
  }
  return CommitNumber{value};
}

Result<void> HighWaterMark::set(const std::string& path, CommitNumber commit) {
  const std::string file = join(path, kHighWaterName);
  if (fd_ < 0) fd_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  const std::string text = fmt::format("{:020}\n", commit.value);
  if (fd_ < 0 || ::pwrite(fd_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return system_error("write", file);
  }
  return {};
}

}  // namespace demarche::impl

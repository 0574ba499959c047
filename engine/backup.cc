#include "engine/backup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/kill_point.h"
#include "engine/impl/kv.h"
#include "engine/impl/rocks_backup.h"
#include "engine/impl/staged_folder.h"
#include "engine/impl/store_folder.h"
#include "engine/impl/store_state.h"
#include "engine/store.h"

namespace demarche {

namespace fs = std::filesystem;

namespace {

constexpr const char* kMarker = "demarche backups\nformat 1\n";
constexpr const char* kSealHead = "demarche backup 1\n";
constexpr std::size_t kSmallFileMax = std::size_t{64} << 20;

std::string marker_path(const std::string& folder) { return (fs::path(folder) / "DEMARCHE-BACKUPS").string(); }
std::string files_path(const std::string& folder) { return (fs::path(folder) / "files").string(); }
std::string seals_path(const std::string& folder) { return (fs::path(folder) / "seal").string(); }
std::string seal_path(const std::string& folder, std::uint32_t id) {
  return fmt::format("{}/{}", seals_path(folder), id);
}

tl::unexpected<Error> system_error(std::string_view doing, const std::string& path, int code) {
  const bool denied = code == EACCES || code == EPERM || code == EROFS;
  return make_error(denied ? ErrorCode::kDenied : ErrorCode::kIo,
                    fmt::format("{} '{}': {}", doing, path, std::strerror(code)));
}

Result<std::string> read_file(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error) && !error)
    return make_error(ErrorCode::kNotFound, fmt::format("'{}' is not there", path));
  std::ifstream in(path, std::ios::binary);
  std::string out;
  if (in) {
    std::ostringstream all;
    all << in.rdbuf();
    out = std::move(all).str();
  }
  if (!in || out.size() > kSmallFileMax) return system_error("read", path, errno != 0 ? errno : EIO);
  return out;
}

Result<void> check_folder(const std::string& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (status.type() == fs::file_type::not_found) {
    return make_error(ErrorCode::kNotFound, fmt::format("there is no folder '{}'", folder));
  }
  if (error) return system_error("open", folder, error.value());
  const auto marker = read_file(marker_path(folder));
  if (marker && *marker == kMarker) return {};
  if (!marker && marker.error().code != ErrorCode::kNotFound) return tl::unexpected(marker.error());
  if (marker) {
    return make_error(
        ErrorCode::kCorruption,
        fmt::format("'{}': the file DEMARCHE-BACKUPS does not name a form of backups that this build reads", folder));
  }
  return invalid(fmt::format("'{}' is not a folder of backups; demarche backup STORE FOLDER makes one", folder));
}

Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return system_error("make folder", path, errno);
  return {};
}

// Is nothing in the folder, or what is left where the making of the first backup was interrupted at once?
bool is_empty(const std::string& folder) {
  std::error_code error;
  bool empty = true;
  for (fs::directory_iterator it(folder, error), end; empty && !error && it != end; it.increment(error)) {
    empty = it->path().string() == marker_path(folder) + ".new";
  }
  return empty && !error;
}

// The folder, made if nothing is there but an empty one.
Result<void> prepare_folder(const std::string& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  const bool absent = status.type() == fs::file_type::not_found;
  if (!absent && !fs::is_directory(status)) return invalid(fmt::format("'{}' is not a folder", folder));
  if (absent || is_empty(folder)) {
    DEMARCHE_CHECK(make_folder(folder));
    DEMARCHE_CHECK(impl::write_file_durably(marker_path(folder), kMarker));
  }
  DEMARCHE_CHECK(check_folder(folder));
  DEMARCHE_CHECK(make_folder(files_path(folder)));
  return make_folder(seals_path(folder));
}

// One backup at a time. Given back with the process, however that ends.
class FolderLock {
 public:
  static Result<FolderLock> take(const std::string& folder) {
    const int fd = ::open(marker_path(folder).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return system_error("open", marker_path(folder), errno);
    FolderLock lock(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
    return make_error(ErrorCode::kConflict,
                      fmt::format("another backup into '{}' is under way; try again when it is done", folder));
  }
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

// A folder that is made for a backup that then fails is not left behind, nor what was put into an empty one.
class NewFolder {
 public:
  explicit NewFolder(std::string folder) : folder_(std::move(folder)) {
    std::error_code error;
    const fs::file_status status = fs::status(folder_, error);
    absent_ = status.type() == fs::file_type::not_found;
    armed_ = absent_ || (fs::is_directory(status) && is_empty(folder_));
  }
  ~NewFolder() {
    if (!armed_) return;
    std::error_code ignored;
    const auto remove = [&](const std::string& path) {
      if (ours_) {
        fs::remove_all(path, ignored);
      } else {
        fs::remove(path, ignored);  // what another has put something into meanwhile stays
      }
    };
    remove(files_path(folder_));
    remove(seals_path(folder_));
    if (ours_ || !fs::exists(files_path(folder_), ignored)) fs::remove(marker_path(folder_), ignored);
    fs::remove(marker_path(folder_) + ".new", ignored);
    if (absent_) fs::remove(folder_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  void is_ours() { ours_ = true; }  // nobody else makes a backup in it
  void keep() { armed_ = false; }

 private:
  std::string folder_;
  bool absent_ = false;
  bool armed_ = false;
  bool ours_ = false;
};

// ---- seals

Result<std::string> seal_text(const std::string& folder, const Backup& backup) {
  DEMARCHE_TRY(const std::string list, read_file(impl::rocks_backup_list_path(files_path(folder), backup.id)));
  std::string text = fmt::format("{}id {}\ncommit {}\ntime {}\nfiles {:08x}\nstore {}\n", kSealHead, backup.id,
                                 backup.commit.value, backup.time_micros, impl::file_crc32c(list), backup.store);
  return text + fmt::format("checksum {:08x}\n", impl::file_crc32c(text));
}

template <typename Int>
bool read_number(std::string_view& text, std::string_view word, Int& out, int base = 10) {
  if (!text.starts_with(word)) return false;
  const auto [end, error] = std::from_chars(text.data() + word.size(), text.data() + text.size(), out, base);
  if (error != std::errc() || end == text.data() + text.size() || *end != '\n') return false;
  text.remove_prefix(static_cast<std::size_t>(end + 1 - text.data()));
  return true;
}

// What a seal says; nullopt if it is not as it was written.
std::optional<Backup> read_seal(std::string_view text, std::uint32_t& list_checksum) {
  const std::size_t last = text.rfind("checksum ");
  std::uint32_t checksum = 0;
  if (last == std::string_view::npos || !text.starts_with(kSealHead)) return std::nullopt;
  std::string_view tail = text.substr(last);
  if (!read_number(tail, "checksum ", checksum, 16) || !tail.empty()) return std::nullopt;
  if (impl::file_crc32c(std::string(text.substr(0, last))) != checksum) return std::nullopt;
  // Digits in another case would read the same.
  if (text.substr(last) != fmt::format("checksum {:08x}\n", checksum)) return std::nullopt;
  std::string_view rest = text.substr(0, last);
  rest.remove_prefix(std::strlen(kSealHead));
  Backup out;
  if (!read_number(rest, "id ", out.id) || !read_number(rest, "commit ", out.commit.value) ||
      !read_number(rest, "time ", out.time_micros) || !read_number(rest, "files ", list_checksum, 16) ||
      !rest.starts_with("store ") || !rest.ends_with('\n')) {
    return std::nullopt;
  }
  out.store = std::string(rest.substr(6, rest.size() - 7));
  out.sealed = true;
  return out;
}

// The seal of a backup, checked against the list of its files. Errors: kNotFound, kCorruption.
Result<Backup> get_seal(const std::string& folder, std::uint32_t id) {
  DEMARCHE_CHECK(check_folder(folder));
  const auto text = read_file(seal_path(folder, id));
  const auto list = read_file(impl::rocks_backup_list_path(files_path(folder), id));
  if (!text && text.error().code == ErrorCode::kNotFound) {
    if (list) {
      return make_error(
          ErrorCode::kCorruption,
          fmt::format("backup {} in '{}' was interrupted before it was verified; use another", id, folder));
    }
    return make_error(
        ErrorCode::kNotFound,
        fmt::format("there is no backup {} in '{}'; list them with: demarche backups {}", id, folder, folder));
  }
  if (!text) return tl::unexpected(text.error());
  std::uint32_t list_checksum = 0;
  auto seal = read_seal(*text, list_checksum);
  if (!seal || seal->id != id) {
    return make_error(ErrorCode::kCorruption,
                      fmt::format("backup {} in '{}': its seal is damaged; use another", id, folder));
  }
  if (!list || impl::file_crc32c(*list) != list_checksum) {
    return make_error(ErrorCode::kCorruption,
                      fmt::format("backup {} in '{}': the list of its files is damaged; use another", id, folder));
  }
  return *std::move(seal);
}

Result<void> check_room_between(const std::string& path, const std::string& folder) {
  std::error_code error;
  const std::string store = fs::weakly_canonical(path, error).string() + "/";
  const std::string backups = fs::weakly_canonical(folder, error).string() + "/";
  if (backups.starts_with(store)) {
    return invalid(fmt::format("'{}' is inside the store; name a folder elsewhere, best on another disk", folder));
  }
  return {};
}

Result<Backup> make_backup(const impl::KvStore& kv, const std::string& path, CommitNumber commit,
                           const std::string& folder) {
  DEMARCHE_CHECK(check_room_between(path, folder));
  NewFolder fresh(folder);
  DEMARCHE_CHECK(prepare_folder(folder));
  DEMARCHE_TRY(const FolderLock lock, FolderLock::take(folder));
  fresh.is_ours();
  impl::kill_point("backup.begun");
  Backup out;
  out.commit = commit;
  out.store = path;
  for (char& c : out.store) {
    if (c == '\n') c = ' ';
  }
  out.time_micros =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  DEMARCHE_ASSIGN(out.id, kv.back_up(files_path(folder)));
  impl::kill_point("backup.copied");
  DEMARCHE_CHECK(impl::verify_rocks_backup(files_path(folder), out.id));
  DEMARCHE_TRY(const std::string seal, seal_text(folder, out));
  impl::kill_point("backup.verified");
  DEMARCHE_CHECK(impl::write_file_durably(seal_path(folder, out.id), seal));
  impl::kill_point("backup.sealed");
  DEMARCHE_ASSIGN(out, verify_backup(folder, out.id));
  fresh.keep();
  return out;
}

}  // namespace

Result<Backup> back_up_store(const std::string& path, const std::string& folder) {
  DEMARCHE_CHECK(check_room_between(path, folder));
  DEMARCHE_TRY(const auto store, Store::open(path));
  return store->back_up(folder);
}

Result<Backup> Store::back_up(const std::string& folder) const {
  if (state_->options.read_only) {
    return make_error(ErrorCode::kDenied,
                      fmt::format("'{}' was opened read-only; a backup needs it open for writing", state_->path));
  }
  CommitNumber commit;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->failed) return tl::unexpected(*state_->failed);
    commit = state_->visible.commit;
  }
  return make_backup(*state_->kv, state_->path, commit, folder);
}

Result<std::vector<Backup>> list_backups(const std::string& folder) {
  DEMARCHE_CHECK(check_folder(folder));
  std::error_code error;
  if (!fs::exists(files_path(folder), error)) return std::vector<Backup>();
  DEMARCHE_TRY(const auto stored, impl::list_rocks_backups(files_path(folder)));
  std::map<std::uint32_t, Backup> out;
  for (const impl::RocksBackup& one : stored) out[one.id].bytes = one.bytes;
  // RocksDB passes over those whose list it cannot read; they are not to vanish.
  for (const std::string& names : {seals_path(folder), files_path(folder) + "/meta"}) {
    for (fs::directory_iterator it(names, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      std::uint32_t id = 0;
      const auto [last, bad] = std::from_chars(name.data(), name.data() + name.size(), id);
      if (bad == std::errc() && last == name.data() + name.size() && id != 0) out[id].id = id;
    }
  }
  std::vector<Backup> listed;
  for (auto& [id, backup] : out) {
    if (auto seal = get_seal(folder, id)) {
      seal->bytes = backup.bytes;
      backup = *std::move(seal);
    }
    backup.id = id;
    listed.push_back(std::move(backup));
  }
  return listed;
}

Result<Backup> verify_backup(const std::string& folder, std::uint32_t id) {
  DEMARCHE_TRY(Backup out, get_seal(folder, id));
  DEMARCHE_CHECK(impl::verify_rocks_backup(files_path(folder), id));
  DEMARCHE_TRY(const auto stored, impl::list_rocks_backups(files_path(folder)));
  for (const impl::RocksBackup& one : stored) {
    if (one.id == id) out.bytes = one.bytes;
  }
  return out;
}

Result<Backup> restore_backup(const std::string& folder, std::uint32_t id, const std::string& target) {
  DEMARCHE_TRY(Backup backup, get_seal(folder, id));
  DEMARCHE_TRY(impl::StagedFolder staged, impl::StagedFolder::make(target, ".restoring"));
  DEMARCHE_CHECK(impl::restore_rocks_backup(files_path(folder), id, impl::database_path(staged.path())));
  impl::kill_point("restore.copied");
  {
    impl::HighWaterMark mark;
    DEMARCHE_CHECK(mark.set(staged.path(), backup.commit));
  }
  DEMARCHE_CHECK(impl::finish_folder(staged.path()));
  {
    // Also sees that no commit is missing.
    StoreOptions options;
    options.read_only = true;
    DEMARCHE_TRY(const auto opened, Store::open(staged.path(), options));
    backup.commit = opened->view()->statistics().commit;
  }
  impl::kill_point("restore.opened");
  DEMARCHE_CHECK(staged.finish());
  return backup;
}

}  // namespace demarche

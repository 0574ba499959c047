#include "engine/impl/staged_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/kill_point.h"
#include "engine/impl/store_folder.h"

namespace demarche::impl {

namespace fs = std::filesystem;

namespace {

constexpr const char* kStoreName = "store";

tl::unexpected<Error> system_error(std::string_view doing, const std::string& path, int code) {
  const bool denied = code == EACCES || code == EPERM || code == EROFS;
  return make_error(denied ? ErrorCode::kDenied : ErrorCode::kIo,
                    fmt::format("{} '{}': {}", doing, path, std::strerror(code)));
}

Result<void> sync_path(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error("open", path, errno);
  const bool synced = ::fsync(fd) == 0;
  const int code = errno;
  ::close(fd);
  if (!synced) return system_error("bring to disk", path, code);
  return {};
}

Result<void> sync_tree(const std::string& folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    DEMARCHE_CHECK(sync_path(it->path().string()));
  }
  if (error) return system_error("read", folder, error.value());
  return sync_path(folder);
}

std::string parent_of(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

Result<void> check_target(const std::string& target) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(target, error);
  if (status.type() == fs::file_type::not_found) return {};
  if (error) return system_error("look at", target, error.value());
  if (fs::is_directory(status) && fs::is_empty(target, error) && !error) return {};
  return invalid(fmt::format("'{}' is there already; name a new or empty folder", target));
}

}  // namespace

StagedFolder::StagedFolder(std::string target, std::string folder)
    : target_(std::move(target)), folder_(std::move(folder)), store_((fs::path(folder_) / kStoreName).string()) {}
StagedFolder::StagedFolder(StagedFolder&& other) noexcept
    : target_(std::move(other.target_)), folder_(std::exchange(other.folder_, {})), store_(std::move(other.store_)) {}
StagedFolder::~StagedFolder() {
  if (!folder_.empty()) remove_folder(folder_);
}

Result<StagedFolder> StagedFolder::make(const std::string& target, const std::string& suffix) {
  std::string name = target;
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  if (name.empty()) return invalid("the name of the new folder is empty");
  DEMARCHE_CHECK(check_target(name));
  const std::string folder = name + suffix;
  std::error_code error;
  if (fs::exists(fs::symlink_status(folder, error))) {
    bool ours = fs::is_directory(fs::symlink_status(folder, error));
    for (fs::directory_iterator it(folder, error), end; ours && !error && it != end; it.increment(error)) {
      ours = it->path().filename() == kStoreName;
    }
    if (!ours || error) return invalid(fmt::format("'{}' is in the way; move it elsewhere", folder));
    remove_folder(folder);
  }
  if (::mkdir(folder.c_str(), 0755) != 0) return system_error("make folder", folder, errno);
  StagedFolder staged(name, folder);
  if (::mkdir(staged.store_.c_str(), 0755) != 0) return system_error("make folder", staged.store_, errno);
  return staged;
}

Result<void> StagedFolder::finish() {
  DEMARCHE_CHECK(sync_tree(store_));
  kill_point("staged.synced");
  DEMARCHE_CHECK(check_target(target_));
  // Takes the place of an empty folder too, and of nothing else.
  if (::rename(store_.c_str(), target_.c_str()) != 0) return system_error("make", target_, errno);
  kill_point("staged.named");
  remove_folder(folder_);
  folder_.clear();
  return sync_path(parent_of(target_));
}

}  // namespace demarche::impl

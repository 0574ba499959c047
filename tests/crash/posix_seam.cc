// The system calls of the store's own code, on a SimDisk. The linker sends them here (--wrap, tests/CMakeLists.txt):
// calls out of object files of this program, not those of shared libraries, so RocksDB's are not among them. Files that
// are not on a mounted disk are left alone. A call that changes files and is not in this list is out of the tests'
// sight: add it here and there.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/crash/sim_disk.h"

using demarche::tests::SimDisk;
namespace fs = std::filesystem;

namespace {

std::string path_of(int fd) {
  char buffer[PATH_MAX];
  const ssize_t n = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), buffer, sizeof buffer);
  return n <= 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(n));
}

// errno, or 0, of a call that returns -1 or else.
int error_of(long result) { return result < 0 ? errno : 0; }
int answer(int error) {
  if (error == 0) return 0;
  errno = error;
  return -1;
}

}  // namespace

extern "C" {

int __real_open(const char* path, int flags, ...);
ssize_t __real_write(int fd, const void* bytes, std::size_t size);
ssize_t __real_pwrite(int fd, const void* bytes, std::size_t size, off_t offset);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_rename(const char* from, const char* to);
int __real_mkdir(const char* path, mode_t mode);
int __real_unlink(const char* path);
int __real_posix_fallocate(int fd, off_t offset, off_t size);

int __wrap_open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  const auto disk = (flags & (O_CREAT | O_TRUNC)) != 0 ? SimDisk::find(path) : nullptr;
  if (!disk || ((flags & O_TRUNC) == 0 && ::access(path, F_OK) == 0)) return __real_open(path, flags, mode);
  int fd = -1;
  const int error = disk->create(path, (flags & O_TRUNC) != 0, [&] {
    fd = __real_open(path, flags, mode);
    return error_of(fd);
  });
  return error == 0 ? fd : answer(error);
}

ssize_t __wrap_write(int fd, const void* bytes, std::size_t size) {
  const std::string path = path_of(fd);
  const auto disk = SimDisk::find(path);
  if (!disk) return __real_write(fd, bytes, size);
  ssize_t written = -1;
  const int error = disk->append(path, [&] {
    written = __real_write(fd, bytes, size);
    return error_of(written);
  });
  return error == 0 ? written : answer(error);
}

ssize_t __wrap_pwrite(int fd, const void* bytes, std::size_t size, off_t offset) {
  const std::string path = path_of(fd);
  const auto disk = SimDisk::find(path);
  if (!disk) return __real_pwrite(fd, bytes, size, offset);
  struct stat file {};
  const bool over = ::fstat(fd, &file) == 0 && offset < file.st_size;
  ssize_t written = -1;
  const auto act = [&] {
    written = __real_pwrite(fd, bytes, size, offset);
    return error_of(written);
  };
  const int error = over ? disk->overwrite(path, act) : disk->append(path, act);
  return error == 0 ? written : answer(error);
}

int __wrap_fsync(int fd) {
  const std::string path = path_of(fd);
  const auto disk = SimDisk::find(path);
  return disk ? answer(disk->sync(path, [] { return 0; })) : __real_fsync(fd);
}
int __wrap_fdatasync(int fd) {
  const std::string path = path_of(fd);
  const auto disk = SimDisk::find(path);
  return disk ? answer(disk->sync(path, [] { return 0; })) : __real_fdatasync(fd);
}

int __wrap_rename(const char* from, const char* to) {
  const auto disk = SimDisk::find(from);
  if (!disk) return __real_rename(from, to);
  return answer(disk->rename(from, to, [&] { return error_of(__real_rename(from, to)); }));
}

int __wrap_mkdir(const char* path, mode_t mode) {
  const auto disk = SimDisk::find(path);
  if (!disk) return __real_mkdir(path, mode);
  return answer(disk->make_folder(path, [&] { return error_of(__real_mkdir(path, mode)); }));
}

int __wrap_unlink(const char* path) {
  const auto disk = SimDisk::find(path);
  if (!disk) return __real_unlink(path);
  return answer(disk->remove(path, [&] { return error_of(__real_unlink(path)); }));
}

// Answers with the error, as the real one does.
int __wrap_posix_fallocate(int fd, off_t offset, off_t size) {
  const std::string path = path_of(fd);
  const auto disk = SimDisk::find(path);
  if (!disk) return __real_posix_fallocate(fd, offset, size);
  return disk->create(path, false, [&] { return __real_posix_fallocate(fd, offset, size); });
}

// std::filesystem::remove and remove_all(const path&, std::error_code&), under the names they have as symbols.
bool __real__ZNSt10filesystem6removeERKNS_7__cxx114pathERSt10error_code(const fs::path& path, std::error_code& error);
std::uintmax_t __real__ZNSt10filesystem10remove_allERKNS_7__cxx114pathERSt10error_code(const fs::path& path,
                                                                                       std::error_code& error);

bool __wrap__ZNSt10filesystem6removeERKNS_7__cxx114pathERSt10error_code(const fs::path& path, std::error_code& error) {
  const auto real = [&] { return __real__ZNSt10filesystem6removeERKNS_7__cxx114pathERSt10error_code(path, error); };
  const auto disk = SimDisk::find(path.string());
  if (!disk) return real();
  bool removed = false;
  const int failed = disk->remove(path.string(), [&] {
    removed = real();
    return error ? error.value() : 0;
  });
  error = std::error_code(failed, std::generic_category());
  return removed;
}

std::uintmax_t __wrap__ZNSt10filesystem10remove_allERKNS_7__cxx114pathERSt10error_code(const fs::path& path,
                                                                                       std::error_code& error) {
  if (!SimDisk::find(path.string())) {
    return __real__ZNSt10filesystem10remove_allERKNS_7__cxx114pathERSt10error_code(path, error);
  }
  error.clear();
  std::uintmax_t count = 0;
  if (!fs::exists(fs::symlink_status(path))) return 0;
  if (fs::is_directory(fs::symlink_status(path))) {
    for (const auto& entry : fs::directory_iterator(path)) {
      count += __wrap__ZNSt10filesystem10remove_allERKNS_7__cxx114pathERSt10error_code(entry.path(), error);
      if (error) return count;
    }
  }
  return count + (fs::remove(path, error) ? 1 : 0);
}

}  // extern "C"

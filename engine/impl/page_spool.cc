#include "engine/impl/page_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace demarche::impl {

namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;

Error io_error(const char* what, const std::string& folder) {
  return {ErrorCode::kIo, fmt::format("{} a temporary file in '{}': {}", what, folder, std::strerror(errno)), nullptr};
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& folder) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return tl::unexpected(io_error("write", folder));
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

PageSpool::~PageSpool() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> PageSpool::append(std::string page) {
  lengths_.push_back(static_cast<std::uint32_t>(page.size()));
  pages_bytes_ += page.size();
  pages_.push_back(std::move(page));
  return pages_bytes_ > memory_bytes_ ? spill() : Result<void>{};
}

Result<void> PageSpool::spill() {
  if (fd_ < 0) fd_ = ::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd_ < 0) {  // not every file system can: a name, taken away at once, does as well
    std::string name = folder_ + "/spool-XXXXXX";
    fd_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd_ < 0) return tl::unexpected(io_error("make", folder_));
    ::unlink(name.c_str());
  }
  std::string joined;
  joined.reserve(pages_bytes_);
  for (const std::string& page : pages_) joined += page;
  DEMARCHE_CHECK(write_all(fd_, joined, folder_));
  in_file_ += pages_.size();
  pages_.clear();
  pages_bytes_ = 0;
  return {};
}

Result<void> PageSpool::for_each(std::size_t first,
                                 const std::function<Result<void>(std::string_view page)>& read) const {
  std::size_t next = 0;
  std::uint64_t offset = 0;
  for (; next < std::min(first, in_file_); ++next) offset += lengths_[next];
  std::string buffer;
  while (next < in_file_) {
    std::size_t last = next;
    std::size_t bytes = 0;
    while (last < in_file_ && (last == next || bytes + lengths_[last] <= kReadBytes)) bytes += lengths_[last++];
    buffer.resize(bytes);
    for (std::size_t done = 0; done < bytes;) {
      const ssize_t got = ::pread(fd_, buffer.data() + done, bytes - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return tl::unexpected(io_error("read", folder_));
      done += static_cast<std::size_t>(got);
    }
    offset += bytes;
    std::string_view rest = buffer;
    for (; next < last; ++next) {
      DEMARCHE_CHECK(read(rest.substr(0, lengths_[next])));
      rest.remove_prefix(lengths_[next]);
    }
  }
  for (std::size_t i = std::max(first, in_file_) - in_file_; i < pages_.size(); ++i) DEMARCHE_CHECK(read(pages_[i]));
  return {};
}

}  // namespace demarche::impl

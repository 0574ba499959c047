#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/open.h"
#include "engine/exchange/dump.h"

namespace demarche::cli {

namespace {

// A new file under another name, which gets its own when all of it is on disk.
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)), part_(path_ + ".part") {}
  ~NewFile() {
    if (file_ == nullptr) return;
    (void)std::fclose(file_);
    (void)std::remove(part_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  Result<void> open() {
    if (::access(path_.c_str(), F_OK) == 0) {
      return invalid(fmt::format("'{}' is there already; name a new file", path_));
    }
    file_ = std::fopen(part_.c_str(), "wb");
    return file_ == nullptr ? failed() : Result<void>{};
  }
  Result<void> write(std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), file_) == text.size() ? Result<void>{} : failed();
  }
  Result<void> finish() {
    if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0) return failed();
    (void)std::fclose(file_);
    file_ = nullptr;
    return std::rename(part_.c_str(), path_.c_str()) == 0 ? Result<void>{} : failed();
  }

 private:
  Result<void> failed() const {
    return make_error(ErrorCode::kIo, fmt::format("write '{}': {}", path_, std::strerror(errno)));
  }
  std::string path_;
  std::string part_;
  std::FILE* file_ = nullptr;
};

}  // namespace

int run_dump(const DumpArgs& args) {
  if (const auto here = refuse_server(args.store, "dump"); !here) return fail(here.error());
  if (args.file.empty() || args.file == "-") {
    const auto report = dump_store(args.store, [](std::string_view text) -> Result<void> {
      print(text);
      return {};
    });
    if (!report) return fail(report.error());
    return flush_output() ? kDone : kFailed;
  }
  NewFile file(args.file);
  if (auto opened = file.open(); !opened) return fail(opened.error());
  const auto report = dump_store(args.store, [&file](std::string_view text) { return file.write(text); });
  if (!report) return fail(report.error());
  if (auto finished = file.finish(); !finished) return fail(finished.error());
  say(fmt::format("dumped {} in {} of {} into {}", plural(report->commits, "commit", "commits"),
                  plural(report->lines, "line", "lines"), args.store, args.file));
  return kDone;
}

}  // namespace demarche::cli

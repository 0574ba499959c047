#include "bench/measure.h"

#include <time.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace demarche::bench {
namespace {

double seconds_on(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

double cpu_seconds() { return seconds_on(CLOCK_PROCESS_CPUTIME_ID); }
double wall_seconds() { return seconds_on(CLOCK_MONOTONIC); }

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Result<Memory> memory_of_this_process() {
  constexpr const char* kPath = "/proc/self/status";
  std::ifstream file(kPath);
  Memory memory;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kilobytes = 0;
    if (!(words >> name >> kilobytes)) continue;
    if (name == "VmRSS:") memory.resident_bytes = kilobytes * 1024;
    if (name == "RssAnon:") memory.anonymous_bytes = kilobytes * 1024;
  }
  if (memory.resident_bytes == 0)
    return make_error(ErrorCode::kIo, std::string(kPath) + ": no line VmRSS; memory can only be measured on Linux");
  return memory;
}

Result<std::uint64_t> bytes_on_disk(const std::string& path, const std::string& suffix) {
  std::error_code error;
  std::uint64_t bytes = 0;
  std::filesystem::recursive_directory_iterator files(path, error);
  for (; !error && files != std::filesystem::recursive_directory_iterator(); files.increment(error)) {
    if (!files->is_regular_file(error) || !files->path().string().ends_with(suffix)) continue;
    bytes += files->file_size(error);
  }
  if (error) return make_error(ErrorCode::kIo, "sizes of files below '" + path + "': " + error.message());
  return bytes;
}

}  // namespace demarche::bench

// What the harnesses share: where their stores stand, seeds, and the line of figures each prints.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "tests/crash/model.h"

namespace demarche::tests {

// A folder of one's own, in memory where there is such a file system: none of these tests is about the speed of disks.
class CrashFolder {
 public:
  CrashFolder() {
    const std::filesystem::path memory = "/dev/shm";
    const char* wanted = std::getenv("DEMARCHE_CRASH_FOLDER");
    const std::filesystem::path base = wanted != nullptr                     ? std::filesystem::path(wanted)
                                       : ::access(memory.c_str(), W_OK) == 0 ? memory
                                                                             : std::filesystem::temp_directory_path();
    std::string pattern = (base / "demarche-crash-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder under " + base.string());
    path_ = pattern;
  }
  ~CrashFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  CrashFolder(const CrashFolder&) = delete;
  CrashFolder& operator=(const CrashFolder&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] std::string make(const std::string& name) const {
    std::filesystem::create_directory(path_ / name);
    return path(name);
  }

 private:
  std::filesystem::path path_;
};

// A number from the environment, or `otherwise`.
inline std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Figures {
  std::uint64_t cycles = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t doubtful = 0;
  std::uint64_t survived = 0;  // of the doubtful
  std::uint64_t lost = 0;
  std::uint64_t torn = 0;
  std::uint64_t refused = 0;
  std::uint64_t refused_for_other_reasons = 0;  // than commits that are gone
  std::string first;                            // what went wrong first, with the seed that shows it

  void add(const Verdict& verdict, const std::string& where) {
    survived += verdict.survived;
    lost += verdict.lost;
    torn += verdict.torn.empty() ? 0 : 1;
    refused += verdict.refused.empty() ? 0 : 1;
    if (!verdict.refused.empty() && verdict.refused.find("are gone") == std::string::npos) ++refused_for_other_reasons;
    if (!verdict.good() && first.empty()) first = where + ": " + verdict.text();
  }
  void add(const History& history) {
    acknowledged += history.acknowledged_total();
    doubtful += history.doubtful_total();
  }
  void print(const std::string& harness) const {
    std::printf("%s\n", fmt::format("{}: {} cycles, {} acknowledged, {} in doubt ({} of them kept), {} lost, {} torn, "
                                    "{} refused{}",
                                    harness, cycles, acknowledged, doubtful, survived, lost, torn, refused,
                                    first.empty() ? "" : "\n  first: " + first)
                            .c_str());
    std::fflush(stdout);
  }
};

inline StoreOptions crash_options(bool sync = true, bool read_only = false) {
  StoreOptions options;
  options.sync = sync;
  options.read_only = read_only;
  options.cache_bytes = std::size_t{1} << 20;
  // Small, so that sealing goes on all the time and every other commit is a large one.
  options.seal_rows = 12;
  options.bulk_rows = 5;
  return options;
}

}  // namespace demarche::tests

// How far the files of a RocksDB folder have come, told from their names and sizes alone.
#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "engine/impl/kv.h"

namespace demarche::impl {

namespace fs = std::filesystem;

bool KvPosition::same_files(const KvPosition& other) const {
  if (manifest != other.manifest || manifest_bytes != other.manifest_bytes) return false;
  const auto same_number = [](const auto& a, const auto& b) { return a.first == b.first; };
  return std::equal(log_bytes.begin(), log_bytes.end(), other.log_bytes.begin(), other.log_bytes.end(), same_number);
}

KvPosition read_position(const std::string& path) {
  KvPosition out;
  std::ifstream current(fs::path(path) / "CURRENT");
  std::getline(current, out.manifest);
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(fs::path(path) / out.manifest, error);
  if (!error) out.manifest_bytes = bytes;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.ends_with(".log")) continue;
    std::uint64_t number = 0;
    const auto [stop, parsed] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (parsed != std::errc() || std::string_view(stop) != ".log") continue;
    std::error_code gone;
    const std::uintmax_t size = it->file_size(gone);
    if (!gone) out.log_bytes[number] = size;
  }
  return out;
}

}  // namespace demarche::impl

#include "bench/stored_copy.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>

#include "bench/measure.h"

namespace demarche::bench {
namespace {

namespace fs = std::filesystem;

// First line of a stamp. It is written before the store, so that whatever stands beside it is ours to remove.
std::string stamp_line(const Dataset& data) {
  std::ostringstream line;
  line << "demarche bench, " << data.name << ", fingerprint " << std::hex << fingerprint(data) << std::dec
       << ", store format " << store_format();
  return line.str();
}

// The ids and the cost of loading, if the stamp is of these data and its second line says that loading ended.
std::optional<StoredCopy> read_stamp(const fs::path& path, const std::string& expected) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line != expected) return std::nullopt;
  StoredCopy copy;
  copy.reused = true;
  file >> copy.ids.first_actor >> copy.ids.first_interaction >> copy.ids.first_kind >> copy.ids.source >>
      copy.load_cpu_seconds;
  if (!file) return std::nullopt;
  return copy;
}

Result<void> write_stamp(const fs::path& path, const std::string& line, const StoredCopy* loaded) {
  std::ofstream file(path);
  file << line << '\n';
  if (loaded) {
    file << loaded->ids.first_actor << ' ' << loaded->ids.first_interaction << ' ' << loaded->ids.first_kind << ' '
         << loaded->ids.source << ' ' << loaded->load_cpu_seconds << '\n';
  }
  file.close();
  if (!file) return make_error(ErrorCode::kIo, "could not write '" + path.string() + "'; free disk or choose --folder");
  return {};
}

}  // namespace

Result<StoredCopy> ensure_stored_copy(const std::string& folder, const Dataset& data) {
  const fs::path place = fs::path(folder) / data.name;
  const fs::path stamp = place / "stamp";
  const fs::path store = place / "store";
  const std::string expected = stamp_line(data);
  std::error_code error;
  if (auto copy = read_stamp(stamp, expected); copy && fs::exists(store, error)) {
    copy->path = store.string();
    return *std::move(copy);
  }
  if (fs::exists(store, error) && !fs::exists(stamp, error))
    return invalid("'" + store.string() + "' was not made by the bench: no stamp beside it; choose another --folder");
  fs::create_directories(place, error);
  if (error) return make_error(ErrorCode::kIo, "folder '" + place.string() + "': " + error.message());
  DEMARCHE_CHECK(write_stamp(stamp, expected, nullptr));
  fs::remove_all(store, error);
  if (error) return make_error(ErrorCode::kIo, "removing '" + store.string() + "': " + error.message());

  StoredCopy copy;
  copy.path = store.string();
  const double start = cpu_seconds();
  DEMARCHE_ASSIGN(copy.ids, bulk_load(copy.path, data));
  copy.load_cpu_seconds = cpu_seconds() - start;
  DEMARCHE_CHECK(write_stamp(stamp, expected, &copy));
  return copy;
}

}  // namespace demarche::bench

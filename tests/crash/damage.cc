#include "tests/crash/damage.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <vector>

#include "tests/crash/harness.h"

namespace demarche::tests {

namespace fs = std::filesystem;

namespace {

using Files = std::vector<std::string>;  // relative paths

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// "sst", "log", "MANIFEST", ...
std::string kind_of(const std::string& file) {
  const fs::path path = file;
  if (path.has_extension()) return path.extension().string().substr(1);
  const std::string name = path.filename().string();
  return name.substr(0, name.find('-'));
}

// All that the store reads, by kind. RocksDB's diary (LOG) and lock hold no data.
std::map<std::string, Files> files_of(const std::string& store) {
  std::map<std::string, Files> out;
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    const std::string file = fs::relative(entry.path(), store).string();
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || name.starts_with("LOG") || name == "LOCK") continue;
    out[kind_of(file)].push_back(file);
  }
  for (auto& [kind, files] : out) std::sort(files.begin(), files.end());
  return out;
}

struct Damage {
  std::string file;
  std::string what;   // in words
  bool gone = false;  // removed; else `bytes` is what is left
  std::string bytes;
};

Damage draw(const std::string& store, std::uint64_t seed, std::uint64_t n) {
  const auto kinds = files_of(store);
  std::mt19937_64 random(seed + n);
  Damage damage;
  if (n < kFlips) {
    const auto kind = std::next(kinds.begin(), static_cast<std::ptrdiff_t>(n % kinds.size()));
    Files files = kind->second;
    std::erase_if(files, [&](const std::string& file) { return fs::file_size(fs::path(store) / file) == 0; });
    if (files.empty()) files = {"DEMARCHE"};
    damage.file = files[random() % files.size()];
    damage.bytes = read_file(fs::path(store) / damage.file);
    const std::size_t at = random() % damage.bytes.size();
    const unsigned bit = static_cast<unsigned>(random() % 8);
    damage.bytes[at] = static_cast<char>(damage.bytes[at] ^ (1 << bit));
    damage.what = fmt::format("bit {} of byte {} of {}", bit, at, damage.bytes.size());
    return damage;
  }
  Files all;
  for (const auto& [kind, files] : kinds) all.insert(all.end(), files.begin(), files.end());
  const std::uint64_t which = (n - kFlips) / (1 + kCutsPerFile);
  if (which >= all.size()) {
    damage.file = kinds.at("MANIFEST").at(0);
    damage.bytes = read_file(fs::path(store) / damage.file);
    damage.bytes.resize((n - kFlips - all.size() * (1 + kCutsPerFile)) * kManifestStepBytes);
    damage.what = fmt::format("cut to {}", damage.bytes.size());
    return damage;
  }
  damage.file = all[which];
  const std::uint64_t cut = (n - kFlips) % (1 + kCutsPerFile);
  if (cut == 0) {
    damage.gone = true;
    damage.what = "removed";
    return damage;
  }
  damage.bytes = read_file(fs::path(store) / damage.file);
  const std::size_t size = damage.bytes.size();
  damage.bytes.resize(cut == 1 || size == 0 ? 0 : cut == 2 ? size - 1 : random() % size);
  damage.what = fmt::format("cut to {} of {}", damage.bytes.size(), size);
  return damage;
}

std::string outcome(const std::string& path, bool read_only, const Content& content) {
  const auto store = Store::open(path, crash_options(true, read_only));
  if (!store) return store.error().message.empty() ? "wrong: refused without a word" : "refused";
  const auto differs = difference(*(*store)->view(), content);
  if (!differs) return "refused";  // an error of reading
  return *differs ? "wrong: " + **differs : "right";
}

}  // namespace

std::uint64_t damage_count(const std::string& store_template) {
  std::uint64_t files = 0;
  const auto kinds = files_of(store_template);
  for (const auto& [kind, of_kind] : kinds) files += of_kind.size();
  const std::uint64_t manifest_bytes = fs::file_size(fs::path(store_template) / kinds.at("MANIFEST").at(0));
  return kFlips + files * (1 + kCutsPerFile) + (manifest_bytes + kManifestStepBytes - 1) / kManifestStepBytes;
}

void run_damage(const std::string& folder, const std::string& store_template, std::uint64_t seed, std::uint64_t commits,
                std::uint64_t from, std::uint64_t to, const std::function<void(const std::string&)>& say) {
  Content content;
  for (std::uint64_t serial = 1; serial <= commits; ++serial) {
    content.apply(Draft::draw(seed, serial, content.counts()));
  }
  for (std::uint64_t n = from; n < to; ++n) {
    const Damage damage = draw(store_template, seed, n);
    const bool read_only = n % 2 == 0;
    say(fmt::format("n {} {} {}: {}{}", n, kind_of(damage.file), damage.file, damage.what,
                    read_only ? ", read-only" : ""));
    const std::string path = folder + "/s";
    fs::remove_all(path);
    fs::copy(store_template, path, fs::copy_options::recursive);
    fs::remove(path + "/" + damage.file);
    if (!damage.gone) std::ofstream(path + "/" + damage.file, std::ios::binary) << damage.bytes;
    say(outcome(path, read_only, content));
  }
}

}  // namespace demarche::tests

#include "tests/crash/sim_disk.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace demarche::tests {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kPage = 4096;

std::mutex mounts_mutex;  // guards mounts
std::vector<std::pair<std::string, std::shared_ptr<SimDisk>>> mounts;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }
// Bytes that an overwritten file had are kept beside the root.
std::string graves_of(const std::string& root) { return root + ".graves"; }

}  // namespace

SimDisk::SimDisk(std::string root, std::uint64_t seed, Tails tails, DiskMutant mutant)
    : root_(std::move(root)), tails_(tails), mutant_(mutant), random_(seed) {
  fs::create_directory(graves_of(root_));
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    auto node = std::make_shared<Node>();
    node->folder = entry.is_directory();
    node->synced = node->folder ? 0 : entry.file_size();
    node->backing = entry.path().string();
    now_[node->backing] = node;
  }
  safe_ = now_;
}

SimDisk::~SimDisk() {
  std::error_code ignored;
  fs::remove_all(graves_of(root_), ignored);
}

std::shared_ptr<SimDisk> SimDisk::find(std::string_view path) {
  const std::lock_guard lock(mounts_mutex);
  for (const auto& [root, disk] : mounts) {
    if (path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/')) return disk;
  }
  return nullptr;
}

std::shared_ptr<SimDisk> SimDisk::mount(const std::string& root, std::uint64_t seed, Tails tails, DiskMutant mutant) {
  auto disk = std::make_shared<SimDisk>(root, seed, tails, mutant);
  const std::lock_guard lock(mounts_mutex);
  mounts.emplace_back(root, disk);
  return disk;
}

void SimDisk::unmount(const std::shared_ptr<SimDisk>& disk) {
  const std::lock_guard lock(mounts_mutex);
  std::erase_if(mounts, [&](const auto& mount) { return mount.second == disk; });
}

std::uint64_t SimDisk::draw(std::uint64_t below) { return random_() % below; }

void SimDisk::cut_after(std::uint64_t changes) {
  const std::lock_guard lock(mutex_);
  cut_at_ = changes_ + changes;
}
void SimDisk::cut_now() {
  const std::lock_guard lock(mutex_);
  if (!cut_) take_image();
}
bool SimDisk::is_cut() const {
  const std::lock_guard lock(mutex_);
  return cut_;
}
void SimDisk::fail_after(std::uint64_t changes, int error, bool for_good,
                         std::function<void(const std::string&)> told) {
  const std::lock_guard lock(mutex_);
  fail_at_ = changes_ + changes;
  fail_error_ = error;
  fail_for_good_ = for_good;
  told_ = std::move(told);
}
bool SimDisk::has_failed() const {
  const std::lock_guard lock(mutex_);
  return has_failed_;
}

// ---- changes

int SimDisk::perform(std::string_view what, const std::string& path, const Act& act,
                     const std::function<void()>& account) {
  const std::lock_guard lock(mutex_);
  if (cut_) return act();
  if (cut_at_ && changes_ == *cut_at_) {
    take_image();
    return act();
  }
  const std::uint64_t number = changes_++;
  if (fail_at_ && (number == *fail_at_ || (fail_for_good_ && number > *fail_at_))) {
    if (!has_failed_ && told_) told_(std::string(what) + " " + path.substr(std::min(path.size(), root_.size() + 1)));
    has_failed_ = true;
    return fail_error_;
  }
  const int error = act();
  if (error == 0) account();
  return error;
}

SimDisk::NodePtr SimDisk::node_of(const std::string& path) {
  const auto it = now_.find(path);
  return it == now_.end() ? nullptr : it->second;
}

void SimDisk::name(const std::string& path, const NodePtr& node) {
  now_[path] = node;
  journal_.push_back({Change::kName, path, node, {}});
}

void SimDisk::unname(const std::string& path) {
  const NodePtr node = node_of(path);
  if (!node) return;
  now_.erase(path);
  journal_.push_back({Change::kUnname, path, node, {}});
}

// A name that is taken away may come back with the power cut, and its bytes with it.
void SimDisk::keep_bytes(const NodePtr& node) {
  if (!node || node->folder) return;
  const std::string grave = graves_of(root_) + "/" + std::to_string(kept_++);
  fs::create_hard_link(node->backing, grave);
  node->backing = grave;
}

int SimDisk::create(const std::string& path, bool truncate, const Act& act) {
  return perform("create", path, act, [&] {
    if (const NodePtr node = node_of(path)) {
      // The store makes its files anew under new names; what is cut to nothing and kept is not worth a model.
      if (truncate) node->synced = 0;
      return;
    }
    auto node = std::make_shared<Node>();
    node->backing = path;
    name(path, node);
  });
}

int SimDisk::make_folder(const std::string& path, const Act& act) {
  return perform("make folder", path, act, [&] {
    auto node = std::make_shared<Node>();
    node->folder = true;
    node->backing = path;
    name(path, node);
  });
}

int SimDisk::append(const std::string& path, const Act& act) {
  return perform("append", path, act, [] {});
}

int SimDisk::overwrite(const std::string& path, const Act& act) {
  std::optional<std::string> before;
  {
    const std::lock_guard lock(mutex_);
    const NodePtr node = node_of(path);
    if (!cut_ && node) before = read_file(node->backing);
  }
  return perform("overwrite", path, act, [&] {
    const NodePtr node = node_of(path);
    if (node && before) node->earlier.push_back(std::move(*before));
  });
}

int SimDisk::truncate(const std::string& path, std::uint64_t size, const Act& act) {
  return perform("truncate", path, act, [&] {
    if (const NodePtr node = node_of(path)) node->synced = std::min(node->synced, size);
  });
}

int SimDisk::sync(const std::string& path, const Act& act) {
  return perform("sync", path, act, [&] {
    if (mutant_ == DiskMutant::kLyingSync) return;
    const NodePtr node = node_of(path);
    if (node && !node->folder) {
      node->synced = fs::file_size(node->backing);
      node->earlier.clear();
      return;
    }
    std::vector<Entry> rest;
    for (Entry& entry : journal_) {
      if (folder_of(entry.path) != path) {
        rest.push_back(std::move(entry));
        continue;
      }
      if (entry.change == Change::kUnname) {
        safe_.erase(entry.path);
        continue;
      }
      if (entry.change == Change::kRename) safe_.erase(entry.from);
      safe_[entry.path] = entry.node;
    }
    journal_ = std::move(rest);
  });
}

int SimDisk::rename(const std::string& from, const std::string& to, const Act& act) {
  const auto kept = [&] {
    keep_bytes(node_of(to));
    return act();
  };
  return perform("rename", from, kept, [&] {
    const NodePtr node = node_of(from);
    if (!node) return;
    now_.erase(from);
    now_[to] = node;
    node->backing = to;
    journal_.push_back({Change::kRename, to, node, from});
  });
}

int SimDisk::link(const std::string& from, const std::string& to, const Act& act) {
  return perform("link", to, act, [&] {
    if (const NodePtr node = node_of(from)) name(to, node);
  });
}

int SimDisk::remove(const std::string& path, const Act& act) {
  const auto kept = [&] {
    keep_bytes(node_of(path));
    return act();
  };
  return perform("remove", path, kept, [&] { unname(path); });
}

// ---- the cut

SimDisk::Names SimDisk::surviving_names() {
  Names names = safe_;
  const bool in_order = draw(2) == 0;
  const std::size_t kept = static_cast<std::size_t>(draw(journal_.size() + 1));
  for (std::size_t i = 0; i < journal_.size(); ++i) {
    if (in_order ? i >= kept : draw(2) == 0) continue;
    const Entry& entry = journal_[i];
    const std::string& gone = entry.change == Change::kRename ? entry.from : entry.path;
    if (entry.change != Change::kName) {
      const auto it = names.find(gone);
      if (it != names.end() && it->second == entry.node) names.erase(it);
    }
    if (entry.change != Change::kUnname) names[entry.path] = entry.node;
  }
  // Whatever is in a folder that is gone is gone.
  for (auto it = names.begin(); it != names.end();) {
    const std::string folder = folder_of(it->first);
    it = folder == root_ || names.contains(folder) ? std::next(it) : names.erase(it);
  }
  return names;
}

// `bytes` as the disk has them: those up to `synced` are right.
std::string SimDisk::damaged_tail(std::string bytes, std::uint64_t synced) {
  if (bytes.size() <= synced) return bytes;
  const std::uint64_t tail = bytes.size() - synced;
  if (bytes.size() <= kSector) return draw(2) == 0 ? bytes : bytes.substr(0, synced);
  switch (draw(tails_ == Tails::kCut ? 3 : 6)) {
    case 0:
      return bytes.substr(0, synced);
    case 1:
      return bytes;
    case 3: {  // the length got there before the bytes
      const std::size_t right = static_cast<std::size_t>(synced + draw(tail + 1));
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(right), bytes.end(), '\0');
      return bytes;
    }
    case 4: {
      bytes.resize(static_cast<std::size_t>(synced + draw(tail + 1)));
      const std::size_t rubbish = std::min<std::size_t>(bytes.size() - synced, static_cast<std::size_t>(draw(600)));
      for (std::size_t i = bytes.size() - rubbish; i < bytes.size(); ++i) bytes[i] = static_cast<char>(draw(256));
      return bytes;
    }
    case 5: {  // pages come in any order
      for (std::uint64_t page = synced / kPage; page * kPage < bytes.size(); ++page) {
        if (draw(3) != 0) continue;
        const std::size_t from = static_cast<std::size_t>(std::max(synced, page * kPage));
        const std::size_t to = std::min<std::size_t>(bytes.size(), static_cast<std::size_t>((page + 1) * kPage));
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.begin() + static_cast<std::ptrdiff_t>(to),
                  '\0');
      }
      return bytes;
    }
    default:
      bytes.resize(static_cast<std::size_t>(synced + draw(tail + 1)));
      return bytes;
  }
}

std::string SimDisk::surviving_bytes(const Node& node) {
  if (!node.earlier.empty()) {
    const std::size_t which = static_cast<std::size_t>(draw(node.earlier.size() + 1));
    if (which < node.earlier.size()) return node.earlier[which];
  }
  return damaged_tail(read_file(node.backing), node.synced);
}

void SimDisk::take_image() {
  cut_ = true;
  for (const auto& [path, node] : surviving_names()) {
    image_.emplace_back(path.substr(root_.size() + 1),
                        node->folder ? std::nullopt : std::optional(surviving_bytes(*node)));
  }
}

void SimDisk::write_image(const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (!cut_) throw std::logic_error("the power is on");
  for (const auto& [path, bytes] : image_) {  // by name, so a folder comes before what is in it
    const std::string target = to + "/" + path;
    if (!bytes) {
      fs::create_directory(target);
      continue;
    }
    std::ofstream out(target, std::ios::binary);
    out << *bytes;
    if (!out.flush()) throw std::runtime_error("cannot write " + target);
  }
}

}  // namespace demarche::tests

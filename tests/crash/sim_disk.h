// A disk that loses power. It stands in front of the real files below one folder and remembers, as a real one does,
// what of them is safe: the bytes a sync has covered and the names a sync of their folder has covered. Everything else
// is kept or lost at random when the power goes.
//
//   SimDisk disk("/dev/shm/x/1", seed);        // what stands there now is safe
//   disk.cut_after(17);                        // power goes at the beginning of the 18th change from now
//   ... the store works in /dev/shm/x/1 ...
//   disk.write_image("/dev/shm/x/2");          // what is found there after the restart
//
// Power does not stop the program: what it does after the cut happens to files that nobody will see again. Nothing has
// to unwind through error paths, and the cut is at one instant for all threads. Errors of a disk that goes on are
// another thing: fail_after().
//
// What is lost: of the bytes of a file behind its last sync all, none, or those behind a random place (and worse, see
// Tails); files of one sector are old or new. An overwrite in place not yet
// synced may show any of the contents since the last sync. Of the creations, renames and removals of names whose folder
// was not synced either the last ones are lost, or any of them.
//
// Front ends: rocks_sim_fs.cc (RocksDB's file system), posix_seam.cc (the system calls of our own code). A disk is
// found by the path of the file, so that several can be at work at once. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace demarche::tests {

enum class DiskMutant : std::uint8_t { kNone, kLyingSync };

// What is found behind the last sync of a file. kCut: its first bytes, any number of them, as a file system leaves it
// that moves the length on after the bytes are written. kWild: also zeros or rubbish at the end, or pages missing.
enum class Tails : std::uint8_t { kCut, kWild };

class SimDisk {
 public:
  // `root` exists and is a path without "." and "..".
  SimDisk(std::string root, std::uint64_t seed, Tails tails, DiskMutant mutant);
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  // The disk that `path` is on, or none.
  [[nodiscard]] static std::shared_ptr<SimDisk> find(std::string_view path);
  [[nodiscard]] static std::shared_ptr<SimDisk> mount(const std::string& root, std::uint64_t seed,
                                                      Tails tails = Tails::kCut, DiskMutant mutant = DiskMutant::kNone);
  static void unmount(const std::shared_ptr<SimDisk>& disk);

  // Power goes at the beginning of the change after `changes` more.
  void cut_after(std::uint64_t changes);
  void cut_now();
  [[nodiscard]] bool is_cut() const;
  // The change after `changes` more fails with `error`, once or, `for_good`, with all others after it. `told` is called
  // with the first that fails, as "append s/db/000012.log"; it must not touch the disk.
  void fail_after(std::uint64_t changes, int error, bool for_good, std::function<void(const std::string&)> told = {});
  [[nodiscard]] bool has_failed() const;

  // REQUIRES: is_cut(). Puts what the power cut left of the root into the folder `to`, which exists and is empty.
  void write_image(const std::string& to);

  // ---- for the front ends: each does the change by `act` (errno or 0) and keeps account of it. They return errno or
  // 0.
  using Act = std::function<int()>;
  int create(const std::string& path, bool truncate, const Act& act);
  int make_folder(const std::string& path, const Act& act);
  int append(const std::string& path, const Act& act);
  int overwrite(const std::string& path, const Act& act);  // in place: any part of the file
  int truncate(const std::string& path, std::uint64_t size, const Act& act);
  int sync(const std::string& path, const Act& act);  // a file or a folder
  int rename(const std::string& from, const std::string& to, const Act& act);
  int link(const std::string& from, const std::string& to, const Act& act);
  int remove(const std::string& path, const Act& act);

 private:
  struct Node {
    bool folder = false;
    std::uint64_t synced = 0;
    std::string backing;               // where the bytes are now
    std::vector<std::string> earlier;  // contents since the last sync, if overwritten in place
  };
  using NodePtr = std::shared_ptr<Node>;
  using Names = std::map<std::string, NodePtr>;
  enum class Change : std::uint8_t { kName, kUnname, kRename };
  struct Entry {
    Change change;
    std::string path;
    NodePtr node;
    std::string from;  // of a rename
  };

  int perform(std::string_view what, const std::string& path, const Act& act, const std::function<void()>& account);
  void take_image();
  Names surviving_names();
  std::string surviving_bytes(const Node& node);
  std::string damaged_tail(std::string bytes, std::uint64_t synced);
  void name(const std::string& path, const NodePtr& node);
  void unname(const std::string& path);
  void keep_bytes(const NodePtr& node);
  NodePtr node_of(const std::string& path);
  std::uint64_t draw(std::uint64_t below);  // 0 <= n < below

  const std::string root_;
  const Tails tails_;
  const DiskMutant mutant_;
  mutable std::mutex mutex_;  // guards all that follows, and makes a change one instant
  std::mt19937_64 random_;
  Names now_;
  Names safe_;
  std::vector<Entry> journal_;
  std::uint64_t changes_ = 0;
  std::uint64_t kept_ = 0;
  std::optional<std::uint64_t> cut_at_;
  std::optional<std::uint64_t> fail_at_;
  int fail_error_ = 0;
  bool fail_for_good_ = false;
  bool has_failed_ = false;
  std::function<void(const std::string&)> told_;
  bool cut_ = false;
  std::vector<std::pair<std::string, std::optional<std::string>>> image_;  // relative path, bytes; none: a folder
};

}  // namespace demarche::tests

// The process that dies in the tests of tests/crash. It says on standard output what it is about to do and what it was
// told is done, one line each, so that whoever started it knows as much when it is gone.
//
//   crash_writer write STORE SEED SERIAL COUNT SYNC BUFFER
//     Opens the store (makes it if need be) and commits COUNT transactions (0: without end) from serial number SERIAL
//     on. "b N": transaction N begins. "a N": it is acknowledged. BUFFER: bytes of a memory table, 0 for the store's
//     own.
//   crash_writer repair STORE | backup STORE FOLDER | restore FOLDER TARGET | load FILE TARGET
//     The upkeep of a store, as engine/check.h, backup.h and exchange/dump.h have it; of backups the first. See
//     upkeep_kill_test.cc.
//   crash_writer unmarked-repair STORE | place FROM TARGET
//     The same done wrongly: an index emptied without a word about it; a store copied straight to where it belongs.
//     Both die by themselves, the second when half of the bytes are there.
//   crash_writer fault FOLDER TEMPLATE SEED COMMITS FROM TO
//     See fault_test.cc. "n N", "f CHANGE", "b N", "a N", then "r N VERDICT".
//   crash_writer damage FOLDER TEMPLATE SEED COMMITS FROM TO
//     See damage_test.cc. "n N FILE ...", then "refused", "right" or "wrong: ...".
//
// DEMARCHE_KILL_AT=NAME:N ends it at a point of our code (engine/impl/kill_point.h), or, for a NAME that begins with
// "rocksdb:", at a sync point of RocksDB; exit status 77 if this RocksDB has none.
#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backup.h"
#include "engine/check.h"
#include "engine/exchange/dump.h"
#include "engine/impl/raw_store.h"
#include "tests/crash/damage.h"
#include "tests/crash/fault.h"
#include "tests/crash/harness.h"
#include "tests/crash/model.h"
#include "tests/crash/rocks_sim_fs.h"

namespace {

using namespace demarche;
using namespace demarche::tests;

constexpr int kNoSyncPoints = 77;

void say(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(1, text.data(), text.size()) < 0) std::abort();
}

int fail(const std::string& what) {
  std::fprintf(stderr, "crash_writer: %s\n", what.c_str());
  return 1;
}

// RocksDB built with its asserts, as Debian's, has test points in its own code. They are no part of its interface, so
// they are looked up by name at run time.
bool kill_at_sync_point(const std::string& name, long pass) {
  using GetInstance = void* (*)();
  using SetCallBack = void (*)(void*, const std::string&, const std::function<void(void*)>&);
  using Enable = void (*)(void*);
  const auto get = reinterpret_cast<GetInstance>(::dlsym(RTLD_DEFAULT, "_ZN7rocksdb9SyncPoint11GetInstanceEv"));
  const auto set = reinterpret_cast<SetCallBack>(::dlsym(
      RTLD_DEFAULT,
      "_ZN7rocksdb9SyncPoint11SetCallBackERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEERKSt8functionIFvPvEE"));
  const auto enable = reinterpret_cast<Enable>(::dlsym(RTLD_DEFAULT, "_ZN7rocksdb9SyncPoint16EnableProcessingEv"));
  if (get == nullptr || set == nullptr || enable == nullptr) return false;
  static std::atomic<long> left;
  left = pass;
  set(get(), name, [](void*) {
    if (left.fetch_sub(1) == 1) ::raise(SIGKILL);
  });
  enable(get());
  return true;
}

int write_until_end(const std::string& path, std::uint64_t seed, std::uint64_t serial, std::uint64_t count, bool sync,
                    std::size_t buffer) {
  tune_rocks({buffer, WriteMutant::kNone});
  StoreOptions options = crash_options(sync);
  options.create_if_missing = true;
  // For readers that need its files to stand still for a moment.
  if (std::getenv("DEMARCHE_CRASH_CALM") != nullptr) options.seal_rows = options.bulk_rows = 1000;
  auto store = Store::open(path, options);
  if (!store) return fail(store.error().message);
  for (std::uint64_t n = 0; count == 0 || n < count; ++n, ++serial) {
    const auto view = (*store)->view();
    const Statistics& s = view->statistics();
    Counts before{s.actors, s.interactions, s.sources, 0};
    while (view->kinds().find_id(KindId{kinds::kFirstDeclared.value + before.kinds}) != nullptr) ++before.kinds;
    say("b " + std::to_string(serial));
    if (auto written = write(**store, Draft::draw(seed, serial, before)); !written) {
      return fail(written.error().message);
    }
    say("a " + std::to_string(serial));
  }
  return 0;
}

template <typename T>
int done(const Result<T>& result) {
  return result ? 0 : fail(result.error().message);
}

int repair_unmarked(const std::string& path) {
  auto kv = impl::open_raw(path, {});
  if (!kv) return fail(kv.error().message);
  const impl::Family index[] = {impl::Family::kTimeline, impl::Family::kContact};
  if (auto emptied = (*kv)->renew(index); !emptied) return fail(emptied.error().message);
  return ::raise(SIGKILL);
}

int place(const std::filesystem::path& from, const std::filesystem::path& target) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  std::uintmax_t left = 0;
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
    if (entry.is_regular_file()) left += entry.file_size();
  }
  std::sort(files.begin(), files.end());
  left /= 2;
  for (const fs::path& file : files) {
    const fs::path to = target / fs::relative(file, from);
    fs::create_directories(to.parent_path());
    fs::copy_file(file, to);
    if (fs::file_size(file) >= left) return ::raise(SIGKILL);
    left -= fs::file_size(file);
  }
  return 0;
}

int keep_up(std::string_view mode, const std::string& a, const std::string& b) {
  if (mode == "repair") return done(repair_index(a));
  if (mode == "backup") return done(back_up_store(a, b));
  if (mode == "restore") return done(restore_backup(a, 1, b));
  if (mode == "load") return done(load_store(a, b));
  if (mode == "unmarked-repair") return repair_unmarked(a);
  return mode == "place" ? place(a, b) : -1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  const char* kill_at = std::getenv("DEMARCHE_KILL_AT");
  if (const std::string_view at = kill_at == nullptr ? "" : kill_at; at.starts_with("rocksdb:")) {
    const std::size_t colon = at.rfind(':');
    if (!kill_at_sync_point(std::string(at.substr(8, colon - 8)), std::atol(at.data() + colon + 1))) {
      return kNoSyncPoints;
    }
  }
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "write" && argc == 8) {
    return write_until_end(argv[2], number(3), number(4), number(5), number(6) != 0, number(7));
  }
  if (mode == "fault" && argc == 8) {
    run_faults(argv[2], argv[3], number(4), number(5), number(6), number(7), say);
    return 0;
  }
  if (mode == "damage" && argc == 8) {
    run_damage(argv[2], argv[3], number(4), number(5), number(6), number(7), say);
    return 0;
  }
  if (argc == 3 || argc == 4) {
    if (const int status = keep_up(mode, argv[2], argc == 4 ? argv[3] : ""); status >= 0) return status;
  }
  return fail("usage: see crash_writer.cc");
}

#include "tests/crash/fault.h"

#include <cerrno>
#include <filesystem>

#include "tests/crash/harness.h"
#include "tests/crash/rocks_sim_fs.h"
#include "tests/crash/sim_disk.h"

namespace demarche::tests {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSmallBufferBytes = std::size_t{24} << 10;

void work(Store& store, History& history, const std::function<void(const std::string&)>& say) {
  for (std::uint64_t n = 0; n < kFaultCommits; ++n) {
    const Draft& draft = history.begin();
    say("b " + std::to_string(draft.serial));
    const auto written = write(store, draft);
    if (written) {
      history.acknowledge();
      say("a " + std::to_string(draft.serial));
    } else if (written.error().code == ErrorCode::kOutcomeUnknown) {
      // The store must not go on as if nothing had been.
      if (store.begin()) say("wrong: it begins another transaction after a failed commit");
      return;
    } else {  // promises that nothing was written
      history.withdraw();
      say("w " + std::to_string(draft.serial));
      return;
    }
  }
}

}  // namespace

void run_faults(const std::string& folder, const std::string& store_template, std::uint64_t seed, std::uint64_t commits,
                std::uint64_t from, std::uint64_t to, const std::function<void(const std::string&)>& say) {
  tune_rocks({kSmallBufferBytes, WriteMutant::kNone});
  for (std::uint64_t n = from; n < to; ++n) {
    say("n " + std::to_string(n));
    const std::string root = folder + "/" + std::to_string(n);
    fs::create_directory(root);
    History history(seed);
    if (!store_template.empty()) {
      fs::copy(store_template, root + "/s", fs::copy_options::recursive);
      for (std::uint64_t serial = 1; serial <= commits; ++serial) {
        history.begin(serial);
        history.acknowledge();
      }
    }
    const auto disk = SimDisk::mount(root, seed);
    disk->fail_after(n, n % 2 == 0 ? EIO : ENOSPC, n % 4 < 2, [&](const std::string& change) { say("f " + change); });
    StoreOptions options = crash_options();
    options.create_if_missing = true;
    {
      const auto store = Store::open(root + "/s", options);
      if (store) work(**store, history, say);
    }
    const bool met = disk->has_failed();
    SimDisk::unmount(disk);
    const Verdict verdict = history.settle(root + "/s", crash_options());
    say(fmt::format("r {} {} {} {} {} {}", n, met ? 1 : 0, history.acknowledged_total(), history.doubtful_total(),
                    verdict.survived, verdict.text()));
    fs::remove_all(root);
  }
}

}  // namespace demarche::tests

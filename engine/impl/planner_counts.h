// How the statistics of a view come together: what is kept of the blocks, and what the tails have counted since.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/impl/kept_statistics.h"
#include "engine/impl/read_state.h"
#include "engine/kind.h"
#include "engine/planner_statistics.h"
#include "engine/result.h"
#include "engine/types.h"

namespace demarche {
struct Statistics;
}

namespace demarche::impl {

// Counts by kind, made ready for questions.
struct CountTable {
  struct OfKind {
    std::int64_t undated = 0;
    std::int64_t no_begin = 0;
    std::int64_t entries = 0;
    std::vector<Month> months;          // ascending
    std::vector<std::int64_t> through;  // interactions up to and with months[i]
    [[nodiscard]] std::int64_t dated() const { return through.empty() ? 0 : through.back(); }
    [[nodiscard]] std::int64_t all() const { return undated + no_begin + dated(); }
    // Those that begin before `t`.
    [[nodiscard]] double before(Timestamp t) const;
  };
  explicit CountTable(const KeptCounts& counts);

  std::vector<std::pair<KindId, OfKind>> kinds;
  std::map<std::string, std::int64_t, std::less<>> labels;
};

// What is kept of the blocks of one epoch, and the entries of actors that tails have added. Thread-safe.
class StatisticsBase {
 public:
  explicit StatisticsBase(KeptStatistics stored)
      : kept(std::move(stored)), table(std::make_shared<const CountTable>(kept.counts)), degrees_(kept.degrees) {}

  const KeptStatistics kept;
  const std::shared_ptr<const CountTable> table;

  // With the entries of the tails of `state`. REQUIRES: of the same epoch. Errors: kCorruption, kIo.
  [[nodiscard]] Result<DegreeHistogram> degrees(const ReadState& state) const;

 private:
  mutable std::mutex mutex_;  // guards what follows
  mutable DegreeHistogram degrees_;
  mutable std::vector<std::pair<std::shared_ptr<const Tail>, std::size_t>> seen_;  // entries of a tail taken in
  mutable std::unordered_map<std::uint64_t, std::uint64_t> grown_;                 // actors' entries, if any are fresh
};

struct PlannerCounts {
  std::vector<std::shared_ptr<const CountTable>> tables;  // to be summed
  DegreeHistogram degrees;
  std::uint64_t actors = 0;
  std::uint64_t interactions = 0;
  double scale = 1;
};

// The stored statistics, ready for use; of an empty store without. Null if they cannot be trusted: a build that keeps
// none has written here, or their value is damaged. Cost: the commits after them. Errors: kCorruption, kIo.
[[nodiscard]] Result<std::shared_ptr<const StatisticsBase>> read_statistics(const KvReader& reader, CommitNumber sealed,
                                                                            CommitNumber last);

// How many different actors a row of the timeline, or of a page, has. Errors: kCorruption, kIo.
[[nodiscard]] Result<std::size_t> actors_in_row(const KvReader& reader, const RowBlock& block, std::size_t i);
// The entries that stand in blocks, by actor. Errors: kCorruption, kIo.
[[nodiscard]] Result<void> count_entries(const KvReader& reader, std::map<std::uint64_t, std::uint64_t>& out);

// Everything counted by reading it: the timeline, the labels, and the sizes of all blocks. `degrees`, if not null, gets
// the entries of each actor.
[[nodiscard]] Result<KeptStatistics> count_state(const std::shared_ptr<const ReadState>& state,
                                                 std::map<std::uint64_t, std::uint64_t>* degrees = nullptr);

[[nodiscard]] Result<std::shared_ptr<const PlannerStatistics>> make_planner_statistics(
    const std::shared_ptr<const ReadState>& state, const Statistics& totals);

}  // namespace demarche::impl

// The limit: the same questions answered from plain arrays in memory, as fast as we know how. What a store is measured
// against, since nothing that keeps its data on disk, in pages and for others to change can be faster.
//
// Layout: rows of each actor side by side, ascending by day (compressed sparse rows), a column each for day, kind,
// other party and interaction; and the interactions in order of day with an offset a day. With more than two parties
// the others of a row are a run in columns of their own, the kind repeated for each, so that a sum over them needs no
// branch either.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/limit_kernels.h"
#include "bench/pair_counter.h"
#include "bench/workload.h"

namespace demarche::bench {

// Borrows `data`. Not thread-safe: questions use scratch memory. Bytes: some 9 a row, 11 with runs and 5 for each
// other.
class Limit {
 public:
  // REQUIRES: fewer than 2^32 pairs of a row and another party.
  explicit Limit(const Dataset& data, const Kernels& kernels = best_kernels());

  [[nodiscard]] ContactSum contacts(const ContactQuery& query) const;
  // One pass over the window, closing over each day.
  [[nodiscard]] ReachSum reach_by_stream(const ReachQuery& query);
  // Label setting over the rows of the actors reached, in order of arrival.
  [[nodiscard]] ReachSum reach_by_adjacency(const ReachQuery& query);
  [[nodiscard]] TopPairs top_pairs(const PairQuery& query);
  // From the offsets of the months in the ordered column of kinds.
  [[nodiscard]] KindMonths kind_by_month() const;
  // From the columns of days and kinds, row by row.
  [[nodiscard]] KindMonths kind_by_month_by_rows() const;

 private:
  void build_rows();
  void build_hubs();
  void build_runs();
  // Rows of `actor` on the days of [begin, end), as positions.
  struct Range {
    std::uint32_t begin;
    std::uint32_t end;
  };
  [[nodiscard]] Range rows_of(Actor32 actor, std::uint32_t day_begin, std::uint32_t day_end) const;
  // Both pass over interactions of one day that have nobody reached yet, and return how many actors they reached.
  std::uint64_t first_pass(std::uint32_t begin, std::uint32_t end);
  std::uint64_t next_pass();

  const Dataset& data_;
  const Kernels& kernels_;
  MonthTable months_;
  std::vector<std::uint32_t> day_offsets_;  // of the interactions of a day; one more at the end
  std::vector<std::uint32_t> row_offsets_;  // of the rows of an actor; one more at the end
  std::vector<Day16> row_days_;
  std::uint32_t hub_rows_min_ = 0;        // actors with more rows have offsets by day:
  std::vector<std::uint32_t> hub_slots_;  // of an actor's offsets
  std::vector<std::uint32_t> hub_days_;   // day_count + 1 for each of them
  std::vector<std::uint8_t> row_kinds_;
  std::vector<Interaction32> row_ids_;
  std::vector<Actor32> others_;            // one a row if all have two parties, else runs
  std::vector<std::uint32_t> run_begins_;  // of a row's others; one more at the end; empty without runs
  std::vector<std::uint8_t> run_kinds_;

  std::vector<std::uint8_t> reached_;      // 1 or 0 for each actor
  std::vector<std::uint64_t> open_pairs_;  // first_pass and next_pass: still without anybody reached
  std::vector<Interaction32> open_;        // the same with more than two parties
  std::size_t open_count_ = 0;
  std::vector<Day16> arrival_;
  std::vector<std::vector<Actor32>> by_arrival_;
  PairCounter pairs_;
};

}  // namespace demarche::bench

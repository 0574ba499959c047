// The product's side of the ratios: the one place that knows which calls of the engine answer each question. When the
// engine offers a faster call, it is put to use here and nowhere else.
//
// Actors, interactions and kinds of a Dataset are stored in its order, so that each number is the stored id less the
// first one; loading checks that the ids given out are dense.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/pair_counter.h"
#include "bench/workload.h"
#include "engine/kind.h"
#include "engine/result.h"
#include "engine/store.h"
#include "engine/types.h"
#include "engine/when.h"

namespace demarche::bench {

// Number of the stored format, for the stamp of a stored copy and for the report.
[[nodiscard]] int store_format();

struct StoredIds {
  std::uint64_t first_actor = 0;
  std::uint64_t first_interaction = 0;
  std::uint32_t first_kind = 0;
  std::uint64_t source = 0;  // of all claims
};

// W1: makes a store at `path`, where there is none, as fast as the engine can. Every interaction has a plain record:
// kind, day, parties, and one claim of the same source with its line.
// Errors: as Store's; kCorruption if ids are not dense.
[[nodiscard]] Result<StoredIds> bulk_load(const std::string& path, const Dataset& data);

struct FamilyBytes {
  std::string family;
  bool is_index = false;  // else records
  std::uint64_t bytes = 0;
};

// An open store that holds `data`. Not thread-safe.
class StoreUnderTest {
 public:
  // Borrows nothing: of `data` only its extent is kept. Errors: as Store::open().
  [[nodiscard]] static Result<StoreUnderTest> open(const std::string& path, const StoreOptions& options,
                                                   const Dataset& data, const StoredIds& ids);

  [[nodiscard]] Result<ContactSum> contacts(const ContactQuery& query) const;
  [[nodiscard]] Result<ReachSum> reach(const ReachQuery& query) const;
  [[nodiscard]] Result<TopPairs> top_pairs(const PairQuery& query);
  [[nodiscard]] Result<KindMonths> kind_by_month() const;

  // One commit of interactions [begin, end) of `more`, each with a plain record as bulk_load() writes. Later questions
  // see them, numbered after those before. REQUIRES: not opened read_only; `more` has the extent of the data.
  [[nodiscard]] Result<void> append(const Dataset& more, std::size_t begin, std::size_t end);

  // Bytes in sorted files, of the families that have any.
  [[nodiscard]] std::vector<FamilyBytes> bytes_by_family() const;
  [[nodiscard]] std::uint64_t interactions() const { return view_->statistics().interactions; }

 private:
  StoreUnderTest(std::unique_ptr<Store> store, const Dataset& data, const StoredIds& ids);
  [[nodiscard]] TimeWindow window_of(std::uint32_t day_begin, std::uint32_t day_end) const;

  std::unique_ptr<Store> store_;
  std::shared_ptr<const View> view_;  // let go of before the store
  StoredIds ids_;
  std::int64_t first_day_;
  unsigned kind_count_;
  MonthTable months_;
  PairCounter pairs_;
};

}  // namespace demarche::bench

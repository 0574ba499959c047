// The timeline a day at a time, in order of time or against it.
//
// Blocks lie in order of begin within each length class, so going back in order of end is not simply reading them from
// the end: a row that ends today can have begun as long ago as its class allows. Rows read are put aside by day, and a
// day is handed out once no class can have more of it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "engine/impl/hop_rule.h"
#include "engine/impl/read_state.h"
#include "engine/kind.h"
#include "engine/result.h"
#include "engine/row_batch.h"
#include "engine/types.h"

namespace demarche::impl {

// Floor, for times before 1970 too.
[[nodiscard]] constexpr std::int64_t day_of(Timestamp t) {
  return t.seconds / kSecondsPerDay - (t.seconds % kSecondsPerDay < 0 ? 1 : 0);
}

class TimelineDays {
 public:
  // Rows of `kinds` that meet the window; of those, if `inside`, at least all that lie wholly within it.
  TimelineDays(std::shared_ptr<const ReadState> read, TimeWindow window, KindSet kinds, bool inside, Way way);

  // The rows of the next day that has any: kOnward by the day on which they begin, kBack by the day on which they end,
  // in both cases no further out than the window. nullopt: the end. Errors: kCorruption, kIo.
  [[nodiscard]] Result<std::optional<RowBatch>> next();
  // Rows read so far.
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

 private:
  struct Stream {
    std::unique_ptr<KvIterator> it;
    bool done = false;
    std::int64_t frontier = 0;  // no row still to be read has a smaller place
  };

  [[nodiscard]] Result<void> open();
  [[nodiscard]] Result<void> read_block(std::size_t length_class);
  void put_aside(const RowBatch& batch);
  // Days in the order they are handed out.
  [[nodiscard]] std::int64_t place(Timestamp begin, Timestamp end) const;

  std::shared_ptr<const ReadState> read_;
  TimeWindow window_;
  KindSet kinds_;
  bool inside_;
  Way way_;
  bool opened_ = false;
  std::array<Stream, kLengthClassCount> streams_;
  RowBlock block_;
  RowBatch batch_;
  std::map<std::int64_t, RowBatch> days_;
  std::uint64_t rows_ = 0;
};

}  // namespace demarche::impl

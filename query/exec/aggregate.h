// Aggregates: what they keep of the rows of a group and what comes of it.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_set>

#include "engine/result.h"
#include "query/bind/bound.h"
#include "query/exec/context.h"
#include "query/exec/grouping.h"

namespace demarche::query {

// What a value counts as beside the row it is held in: long lists and paths are many rows' worth of memory.
[[nodiscard]] std::size_t extra_rows(const Value& v);
// One row that holds a value, or these values, for as long as an operator keeps it.
[[nodiscard]] Held row_of(const Value& v);
[[nodiscard]] Held row_of(const ValueList& values);

// One aggregate of one group. Nulls are passed over, save by count(*).
class Accumulator {
 public:
  // `aggregate` must outlive it.
  explicit Accumulator(const bound::Aggregate& aggregate) : aggregate_(&aggregate) {}

  // The value of the aggregate's argument in one more row. Errors: TypeError; IntegerOverflow; NumberOutOfRange for a
  // percentile outside of 0..1; kLimit.
  [[nodiscard]] Result<void> add(const Value& v, ExecContext& context);
  // Of count(*): so many more rows.
  void add_rows(std::size_t rows) { count_ += static_cast<std::int64_t>(rows); }
  [[nodiscard]] Value result();

 private:
  struct Hash {
    std::size_t operator()(const Value& v) const { return hash_of(v); }
  };
  struct Same {
    bool operator()(const Value& a, const Value& b) const { return equivalent(a, b); }
  };

  [[nodiscard]] Result<void> add_number(const Value& v);
  [[nodiscard]] Result<void> add_ranked(const Value& pair, ExecContext& context);
  [[nodiscard]] Value percentile();

  const bound::Aggregate* aggregate_;
  std::int64_t count_ = 0;
  std::int64_t whole_ = 0;
  double real_ = 0;     // sum of all
  double mean_ = 0;     // of the values so far (Welford: no large squares are subtracted)
  double squares_ = 0;  // sum of squared distances from the mean
  bool whole_only_ = true;
  double rank_ = 0;  // of a percentile, 0..1
  Value best_;
  ValueList list_;
  struct Seen {
    IdSet actors;
    IdSet interactions;
    std::unordered_set<Value, Hash, Same> others;
  };
  [[nodiscard]] bool is_new(const Value& v);
  std::unique_ptr<Seen> seen_;  // with DISTINCT
};

}  // namespace demarche::query

// Numbers for rows by some of their values: equal rows have the same number.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/result.h"
#include "query/exec/batch.h"
#include "query/exec/context.h"

namespace demarche::query {

// A hash table from a number to a number; open addressing, no memory per entry but the entry.
class NumberMap {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  // The value kept for `key`, or kNone.
  [[nodiscard]] std::uint32_t find(std::uint64_t key) const {
    if (entries_.empty()) return kNone;
    for (std::size_t at = spread(key) & mask();; at = (at + 1) & mask()) {
      if (entries_[at].value == kNone || entries_[at].key == key) return entries_[at].value;
    }
  }
  // REQUIRES: `key` is not there, value != kNone.
  void insert(std::uint64_t key, std::uint32_t value);

 private:
  struct Entry {
    std::uint64_t key = 0;
    std::uint32_t value = kNone;
  };
  [[nodiscard]] std::size_t mask() const { return entries_.size() - 1; }
  [[nodiscard]] static std::size_t spread(std::uint64_t key) {
    key *= 0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(key ^ (key >> 32));
  }
  std::vector<Entry> entries_;
  std::size_t size_ = 0;
};

// A set of ids; dense ones cost a bit each.
class IdSet {
 public:
  // True if it was not there.
  bool insert(std::uint64_t id) {
    const std::uint64_t page = id >> kPageBits;
    if (page >= kPagesMax) return insert_far(id);
    if (page >= pages_.size()) pages_.resize(page + 1);
    if (!pages_[page]) pages_[page] = std::make_unique<Page>();
    std::uint64_t& word = (*pages_[page])[(id & ((1U << kPageBits) - 1)) / 64];
    const std::uint64_t bit = std::uint64_t{1} << (id % 64);
    const bool fresh = (word & bit) == 0;
    word |= bit;
    return fresh;
  }

 private:
  static constexpr unsigned kPageBits = 12;
  static constexpr std::uint64_t kPagesMax = 1U << 20;
  using Page = std::array<std::uint64_t, (1U << kPageBits) / 64>;
  bool insert_far(std::uint64_t id);
  std::vector<std::unique_ptr<Page>> pages_;
  NumberMap far_;
};

// Values of one column by number. Null is equal to null.
class ValueNumbers {
 public:
  [[nodiscard]] std::uint32_t number(const Value& v);
  [[nodiscard]] const Value& value(std::uint32_t number) const { return values_[number]; }
  [[nodiscard]] std::size_t size() const { return values_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const Value& v) const { return hash_of(v); }
  };
  struct Same {
    bool operator()(const Value& a, const Value& b) const { return equivalent(a, b); }
  };
  struct Recent {
    Value value;  // held, so that its bits stay its own
    std::uint32_t number = NumberMap::kNone;
  };
  [[nodiscard]] std::uint32_t number_by_value(const Value& v);

  std::unordered_map<Value, std::uint32_t, Hash, Same> numbers_;
  std::vector<Value> values_;
  NumberMap actors_;
  NumberMap interactions_;
  NumberMap integers_;
  std::vector<Recent> recent_;  // texts and the like by their bits; a hit saves reading them
};

// Groups of rows: each has a number from 0 in order of first sight.
class Groups {
 public:
  explicit Groups(std::size_t columns) : columns_(columns), numbers_(columns) {}

  // The groups of `rows` rows into `out`. Rows of new groups are held against the limits of the query.
  [[nodiscard]] Result<void> number(const std::vector<const ColumnValues*>& columns, std::size_t rows,
                                    ExecContext& context, std::vector<std::uint32_t>& out);
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const Value& value(std::size_t group, std::size_t column) const {
    return numbers_[column].value(parts_[group * columns_ + column]);
  }
  // The one group of rows without columns.
  void add_empty() { size_ = 1; }

 private:
  std::size_t columns_;
  std::size_t size_ = 0;
  std::vector<ValueNumbers> numbers_;
  std::vector<std::uint32_t> parts_;  // numbers of a group's values
  // Of the first k + 2 columns: (number of the first k + 1, number of the next) to a number.
  struct Step {
    NumberMap map;
    std::uint32_t size = 0;
  };
  std::vector<Step> steps_;
};

}  // namespace demarche::query

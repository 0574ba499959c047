// Plans by the text of their query, so that a query asked again is neither parsed nor planned again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/kind.h"
#include "query/parse/ast.h"
#include "query/plan/plan.h"

namespace demarche::query {

// A plan as it is kept: nothing in it changes while it runs, so that any number of cursors share it.
struct PreparedQuery {
  struct ParameterUse {
    std::string name;
    Span span;
  };
  plan::Plan plan;
  std::vector<ParameterUse> parameters;  // that the text names
  std::uint64_t kinds = 0;               // kinds_mark() of those the plan was made for
  double interactions = 0;
};

struct PlanCacheCounts {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t dropped = 0;
  std::size_t plans = 0;
};

// Thread-safe. Holds at most kPlansMax plans, those used last, of texts of at most kTextMax bytes.
class PlanCache {
 public:
  static constexpr std::size_t kPlansMax = 256;
  static constexpr std::size_t kTextMax = 16'384;

  // `key`: the text, and all else the plan depends on but the kinds and the size of the store. Null if there is none,
  // or if the store has more than twice or less than half the interactions it was planned for.
  [[nodiscard]] std::shared_ptr<const PreparedQuery> find(const std::string& key, std::uint64_t kinds,
                                                          double interactions);
  void insert(const std::string& key, std::shared_ptr<const PreparedQuery> query);
  [[nodiscard]] PlanCacheCounts counts() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const PreparedQuery> query;
  };
  mutable std::mutex mutex_;  // guards the rest
  std::list<Entry> recent_;   // most recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> found_;
  PlanCacheCounts counts_;
};

// A number that stands for the kinds of a table: ids, names and what is below what. Cost: some microseconds.
[[nodiscard]] std::uint64_t kinds_mark(const KindTable& kinds);

// The one of this process. A plan says nothing about a store but its kinds, so that stores of the same kinds share it.
[[nodiscard]] PlanCache& plan_cache();

}  // namespace demarche::query

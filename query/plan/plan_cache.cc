#include "query/plan/plan_cache.h"

#include <utility>

namespace demarche::query {

std::shared_ptr<const PreparedQuery> PlanCache::find(const std::string& key, std::uint64_t kinds, double interactions) {
  const std::scoped_lock lock(mutex_);
  const auto it = found_.find(key);
  if (it != found_.end()) {
    const PreparedQuery& query = *it->second->query;
    const bool fits = query.kinds == kinds && interactions <= 2 * query.interactions + 1000 &&
                      query.interactions <= 2 * interactions + 1000;
    if (fits) {
      ++counts_.hits;
      recent_.splice(recent_.begin(), recent_, it->second);
      return it->second->query;
    }
    ++counts_.dropped;
    recent_.erase(it->second);
    found_.erase(it);
  }
  ++counts_.misses;
  return nullptr;
}

void PlanCache::insert(const std::string& key, std::shared_ptr<const PreparedQuery> query) {
  if (key.size() > kTextMax) return;
  const std::scoped_lock lock(mutex_);
  if (found_.contains(key)) return;  // another thread was quicker
  recent_.push_front({key, std::move(query)});
  found_[key] = recent_.begin();
  if (recent_.size() <= kPlansMax) return;
  ++counts_.dropped;
  found_.erase(recent_.back().key);
  recent_.pop_back();
}

PlanCacheCounts PlanCache::counts() const {
  const std::scoped_lock lock(mutex_);
  PlanCacheCounts out = counts_;
  out.plans = recent_.size();
  return out;
}

std::uint64_t kinds_mark(const KindTable& kinds) {
  constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15ULL;
  std::uint64_t out = kinds.all().size();
  for (const Kind& kind : kinds.all()) {
    out = (out ^ std::hash<std::string>{}(kind.name)) * kSpread;
    out = (out ^ (std::uint64_t{kind.id.value} << 32 | kind.parent.value)) * kSpread;
    out ^= out >> 29;
  }
  return out;
}

PlanCache& plan_cache() {
  static PlanCache cache;
  return cache;
}

}  // namespace demarche::query

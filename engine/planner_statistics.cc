#include "engine/planner_statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "engine/impl/planner_counts.h"

namespace demarche {

namespace {

// The sum of what `of` says of the kinds, over all tables.
template <typename Of>
double sum(const impl::PlannerCounts& counts, const KindSet& kinds, Of of) {
  double total = 0;
  for (const auto& table : counts.tables) {
    for (const auto& [kind, one] : table->kinds) {
      if (kinds.contains(kind)) total += static_cast<double>(of(one));
    }
  }
  return std::max(0.0, total * counts.scale);
}

std::uint64_t actors_with_entries(const impl::PlannerCounts& counts) {
  return std::accumulate(counts.degrees.actors.begin(), counts.degrees.actors.end(), std::uint64_t{0});
}

}  // namespace

PlannerStatistics::PlannerStatistics(std::shared_ptr<const impl::PlannerCounts> counts) : counts_(std::move(counts)) {}

std::uint64_t PlannerStatistics::actors() const { return counts_->actors; }
std::uint64_t PlannerStatistics::interactions() const { return counts_->interactions; }

std::uint64_t PlannerStatistics::actors_with_label(std::string_view label) const {
  std::int64_t total = 0;
  for (const auto& table : counts_->tables) {
    const auto at = table->labels.find(label);
    if (at != table->labels.end()) total += at->second;
  }
  return std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(0, total)), counts_->actors);
}

double PlannerStatistics::interactions_of(const KindSet& kinds) const {
  return sum(*counts_, kinds, [](const auto& of) { return of.all(); });
}

double PlannerStatistics::interactions_of(const KindSet& kinds, TimeWindow window) const {
  if (window.begin >= window.end) return 0;
  return sum(*counts_, kinds, [window](const auto& of) {
    const bool no_begin = window.begin == Timestamp::lowest();
    return of.before(window.end) - of.before(window.begin) + static_cast<double>(no_begin ? of.no_begin : 0);
  });
}

double PlannerStatistics::undated(const KindSet& kinds) const {
  return sum(*counts_, kinds, [](const auto& of) { return of.undated; });
}

double PlannerStatistics::entries_of(const KindSet& kinds) const {
  return sum(*counts_, kinds, [](const auto& of) { return of.entries; });
}

double PlannerStatistics::degree_quantile(double q) const {
  const std::uint64_t all = actors_with_entries(*counts_);
  if (all == 0) return 0;
  const double wanted = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(all));
  double seen = 0;
  for (std::size_t i = 0; i < counts_->degrees.actors.size(); ++i) {
    seen += static_cast<double>(counts_->degrees.actors[i]);
    if (seen > 0 && seen >= wanted) return std::ldexp(1.0, static_cast<int>(i) + 1) - 1;
  }
  return 0;
}

double PlannerStatistics::degree_mean() const {
  const std::uint64_t all = actors_with_entries(*counts_);
  return all == 0 ? 0 : entries_of({}) / static_cast<double>(all);
}

}  // namespace demarche

#include "query/plan/estimates.h"

#include <algorithm>
#include <utility>

#include "query/plan/windows.h"

namespace demarche::query {

namespace {

// What a window leaves whose bounds show only when the query runs.
constexpr double kWindowShare = 0.2;
constexpr int kQuantiles = 32;

}  // namespace

Result<Estimates> Estimates::of(const View& view) {
  DEMARCHE_TRY(auto statistics, view.planner_statistics());
  return Estimates(std::move(statistics));
}

Estimates::Estimates(std::shared_ptr<const PlannerStatistics> statistics)
    : statistics_(std::move(statistics)),
      actors_(static_cast<double>(statistics_->actors())),
      interactions_(static_cast<double>(statistics_->interactions())),
      entries_(statistics_->entries_of({})) {
  // An actor of twice the degree is met twice as often.
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kQuantiles; ++i) {
    const double degree = statistics_->degree_quantile((i + 0.5) / kQuantiles);
    sum += degree;
    squares += degree * degree;
  }
  if (sum > 0) degree_met_ = std::max(1.0, squares / sum);
}

double Estimates::actors_with(std::string_view label) const {
  return static_cast<double>(statistics_->actors_with_label(label));
}

double Estimates::interactions(const bound::KindFilter& kinds, const std::vector<plan::WindowTerm>& windows) const {
  if (kinds.none) return 0;
  const double all = kinds.any ? interactions_ : statistics_->interactions_of(kinds.set);
  if (windows.empty()) return all;
  const auto window = fixed_window(windows);
  if (!window) return all * kWindowShare;
  // Undated ones can meet any window.
  return statistics_->interactions_of(kinds.set, *window) + statistics_->undated(kinds.set);
}

double Estimates::degree(const bound::KindFilter& kinds, const std::vector<plan::WindowTerm>& windows) const {
  if (kinds.none) return 0;
  double out = degree_met_;
  if (!kinds.any) out *= statistics_->entries_of(kinds.set) / std::max(1.0, entries_);
  if (!windows.empty()) out *= interactions(kinds, windows) / std::max(1.0, interactions(kinds, {}));
  return out;
}

}  // namespace demarche::query

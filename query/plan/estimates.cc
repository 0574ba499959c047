#include "query/plan/estimates.h"

#include <algorithm>

namespace demarche::query {

namespace {

// Guesses where the store keeps no figure.
constexpr double kLabelShare = 0.25;
constexpr double kKindShare = 0.3;
constexpr double kWindowShare = 0.2;

}  // namespace

Estimates::Estimates(const View& view)
    : actors_(static_cast<double>(view.statistics().actors)),
      interactions_(static_cast<double>(view.statistics().interactions)) {}

double Estimates::actors_with(std::string_view) const { return actors_ * kLabelShare; }

double Estimates::share(const bound::KindFilter& kinds, const std::vector<plan::WindowTerm>& windows) const {
  if (kinds.none) return 0;
  return (kinds.any ? 1 : kKindShare) * (windows.empty() ? 1 : kWindowShare);
}

double Estimates::interactions(const bound::KindFilter& kinds, const std::vector<plan::WindowTerm>& windows) const {
  return interactions_ * share(kinds, windows);
}

double Estimates::degree(const bound::KindFilter& kinds, const std::vector<plan::WindowTerm>& windows) const {
  return std::max(1.0, 2.0 * interactions_ / std::max(1.0, actors_)) * share(kinds, windows);
}

}  // namespace demarche::query

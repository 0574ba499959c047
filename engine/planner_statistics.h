// What the planner knows of a view without looking: counts kept by the store. Immutable; shared.
//
// Of the newest state they are exact, but for what is said below. Of an older one they are those of the newest, scaled
// to the total of the older. Within a transaction, what it has retired and which labels it has changed is not taken
// into account.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/kind.h"
#include "engine/types.h"

namespace demarche {

namespace impl {
struct PlannerCounts;
}

class PlannerStatistics {
 public:
  explicit PlannerStatistics(std::shared_ptr<const impl::PlannerCounts> counts);

  [[nodiscard]] std::uint64_t actors() const;
  [[nodiscard]] std::uint64_t interactions() const;
  // Actors that carry a label now; 0 if nobody does.
  [[nodiscard]] std::uint64_t actors_with_label(std::string_view label) const;
  // Interactions of these kinds; and of them those whose earliest begin lies in the window, by month, interpolated
  // within a month. Undated ones are in the first, never in the second; what was begun before all that is known lies in
  // windows without a begin.
  [[nodiscard]] double interactions_of(const KindSet& kinds) const;
  [[nodiscard]] double interactions_of(const KindSet& kinds, TimeWindow window) const;
  [[nodiscard]] double undated(const KindSet& kinds) const;
  // Entries in the actor index (one for each interaction and actor in it) of these kinds: the sum of degrees.
  [[nodiscard]] double entries_of(const KindSet& kinds) const;
  // The degree (entries of all kinds) that a fraction q (0 to 1) of the actors with at least one entry do not exceed:
  // from a histogram by powers of two, so up to twice too much. Entries of retired rows count, since a scan meets them.
  [[nodiscard]] double degree_quantile(double q) const;
  [[nodiscard]] double degree_mean() const;  // of the actors with at least one entry

 private:
  std::shared_ptr<const impl::PlannerCounts> counts_;
};

}  // namespace demarche

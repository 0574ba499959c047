// What the planner believes about the store: the one place that knows where its figures come from.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "engine/planner_statistics.h"
#include "engine/store.h"
#include "query/plan/plan.h"

namespace demarche::query {

struct PlanOptions {
  bool optimise = true;     // false: patterns in the order written, nothing put off or left out
  bool use_indexes = true;  // false: no key, no name, no label, no window
};

// Numbers of rows from the store's statistics, without looking at any row. Cheap to ask.
class Estimates {
 public:
  // Errors: kCorruption, kIo.
  [[nodiscard]] static Result<Estimates> of(const View& view);

  [[nodiscard]] double actors() const { return actors_; }
  [[nodiscard]] double actors_with(std::string_view label) const;
  // Interactions of some kinds that can meet the windows: by month where these are constants, a guess where not.
  [[nodiscard]] double interactions(const bound::KindFilter& kinds, const std::vector<plan::WindowTerm>& windows) const;
  // Contacts of these kinds and windows of an actor that is met at the other end of a contact: such actors have more
  // of them than the mean.
  [[nodiscard]] double degree(const bound::KindFilter& kinds, const std::vector<plan::WindowTerm>& windows) const;

 private:
  explicit Estimates(std::shared_ptr<const PlannerStatistics> statistics);

  std::shared_ptr<const PlannerStatistics> statistics_;
  double actors_;
  double interactions_;
  double entries_;
  double degree_met_ = 1;
};

}  // namespace demarche::query

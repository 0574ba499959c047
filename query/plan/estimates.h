// What the planner believes about the store: the one place that knows where its figures come from.
#pragma once

#include <optional>
#include <string_view>

#include "engine/store.h"
#include "query/plan/plan.h"

namespace demarche::query {

struct PlanOptions {
  bool optimise = true;     // false: patterns in the order written, nothing put off or left out
  bool use_indexes = true;  // false: no key, no name, no label, no window
};

// Numbers of rows, as far as they can be known without looking. Cheap to make and to ask.
class Estimates {
 public:
  explicit Estimates(const View& view);

  [[nodiscard]] double actors() const { return actors_; }
  [[nodiscard]] double actors_with(std::string_view label) const;
  // Interactions of some kinds that can meet the windows.
  [[nodiscard]] double interactions(const bound::KindFilter& kinds, const std::vector<plan::WindowTerm>& windows) const;
  // Contacts of an actor met at the other end of an interaction, and of any actor.
  [[nodiscard]] double degree(const bound::KindFilter& kinds, const std::vector<plan::WindowTerm>& windows) const;

 private:
  [[nodiscard]] double share(const bound::KindFilter& kinds, const std::vector<plan::WindowTerm>& windows) const;

  double actors_;
  double interactions_;
};

}  // namespace demarche::query

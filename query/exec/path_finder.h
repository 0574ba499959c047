// The paths from one actor along a repeated interaction, one after the other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/result.h"
#include "query/exec/neighbours.h"
#include "query/plan/plan.h"
#include "query/value.h"

namespace demarche::query {

// A path from its first actor, as it was walked.
class PathFinder {
 public:
  PathFinder() = default;
  virtual ~PathFinder() = default;
  PathFinder(const PathFinder&) = delete;
  PathFinder& operator=(const PathFinder&) = delete;

  // Starts from `from`; to `into` only, if it is given. `taken`: interactions that others use.
  [[nodiscard]] virtual Result<void> begin(ActorId from, std::optional<ActorId> into,
                                           std::unordered_set<InteractionId> taken) = 0;
  // The next path in path(); false at the end.
  [[nodiscard]] virtual Result<bool> next() = 0;
  [[nodiscard]] const PathValue& path() const { return path_; }

 protected:
  PathValue path_;
};

// What may not be walked twice, kept up to date along a path.
class Visits {
 public:
  explicit Visits(ast::PathMode mode) : mode_(mode) {}

  void begin(ActorId first);
  // `last`: a SIMPLE path may end where it began.
  [[nodiscard]] bool allows(const Neighbour& hop, bool last) const;
  void add(const Neighbour& hop);
  void remove(const Neighbour& hop);

 private:
  ast::PathMode mode_;
  ActorId first_;
  std::unordered_set<InteractionId> interactions_;
  std::unordered_map<ActorId, std::uint32_t> actors_;
};

// Every path, depth first. Keeps one path and the neighbours along it.
[[nodiscard]] std::unique_ptr<PathFinder> make_enumeration(const plan::Walk& walk, Neighbours& neighbours,
                                                           ExecContext& context);
// The shortest to each actor: breadth first from the start for the distances, then back from each end along them.
[[nodiscard]] std::unique_ptr<PathFinder> make_shortest(const plan::Walk& walk, Neighbours& neighbours,
                                                        ExecContext& context);
// The earliest to each actor, by engine/chronology.h.
[[nodiscard]] std::unique_ptr<PathFinder> make_earliest(const plan::Walk& walk, ExecContext& context);

// [earliest, latest] as a date of days; null if it lies on no known day.
[[nodiscard]] Result<std::shared_ptr<const DateValue>> moment(Timestamp earliest, Timestamp latest);
// departure(p); null if the path is not chronological. Cost: a record read a hop.
[[nodiscard]] Result<Value> departure(const PathValue& path, ExecContext& context);

}  // namespace demarche::query

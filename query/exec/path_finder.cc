#include "query/exec/path_finder.h"

#include <algorithm>

namespace demarche::query {

void Visits::begin(ActorId first) {
  first_ = first;
  interactions_.clear();
  actors_.clear();
  actors_[first] = 1;
}

bool Visits::allows(const Neighbour& hop, bool last) const {
  switch (mode_) {
    case ast::PathMode::kWalk:
      return true;
    case ast::PathMode::kUnsaid:
    case ast::PathMode::kTrail:
      return !interactions_.contains(hop.interaction);
    case ast::PathMode::kAcyclic:
    case ast::PathMode::kSimple:
      break;
  }
  // The MATCH around asks for different interactions too: in one with many parties they may differ in actors alone.
  if (interactions_.contains(hop.interaction)) return false;
  if (!actors_.contains(hop.actor)) return true;
  return mode_ == ast::PathMode::kSimple && last && hop.actor == first_;
}

void Visits::add(const Neighbour& hop) {
  if (mode_ == ast::PathMode::kWalk) return;
  interactions_.insert(hop.interaction);
  ++actors_[hop.actor];
}

void Visits::remove(const Neighbour& hop) {
  if (mode_ == ast::PathMode::kWalk) return;
  interactions_.erase(hop.interaction);
  const auto it = actors_.find(hop.actor);
  if (--it->second == 0) actors_.erase(it);
}

namespace {

constexpr std::size_t kStepsBetweenChecks = 1024;

class Enumeration final : public PathFinder {
 public:
  Enumeration(const plan::Walk& walk, Neighbours& neighbours, ExecContext& context)
      : walk_(walk), neighbours_(neighbours), context_(context), visits_(walk.mode) {}

  Result<void> begin(ActorId from, std::optional<ActorId> into, std::unordered_set<InteractionId> taken) override {
    into_ = into;
    taken_ = std::move(taken);
    path_.actors = {from};
    path_.interactions.clear();
    visits_.begin(from);
    levels_.assign(1, {});
    at_start_ = true;
    return {};
  }

  Result<bool> next() override {
    if (at_start_) {
      at_start_ = false;
      if (walk_.repeat.hops_min == 0 && (!into_ || *into_ == path_.actors[0])) return true;
    }
    while (!levels_.empty()) {
      if (++steps_ % kStepsBetweenChecks == 0) DEMARCHE_CHECK(context_.check());
      Level& level = levels_.back();
      if (path_.interactions.size() >= walk_.repeat.hops_max || level.closed) {
        step_back();
        continue;
      }
      if (!level.neighbours) DEMARCHE_ASSIGN(level.neighbours, neighbours_.of(path_.actors.back(), !walk_.reversed));
      if (level.next == level.neighbours->size()) {
        step_back();
        continue;
      }
      const Neighbour hop = (*level.neighbours)[level.next++];
      if (taken_.contains(hop.interaction) || !visits_.allows(hop, true)) continue;
      step(hop);
      if (path_.interactions.size() >= walk_.repeat.hops_min && (!into_ || hop.actor == *into_)) return true;
    }
    return false;
  }

 private:
  struct Level {
    NeighbourList neighbours;  // null until asked for
    std::size_t next = 0;
    bool closed = false;  // a SIMPLE path that is back where it began goes no further
  };

  void step(const Neighbour& hop) {
    const bool closed = walk_.mode == ast::PathMode::kSimple && hop.actor == path_.actors[0];
    visits_.add(hop);
    path_.actors.push_back(hop.actor);
    path_.interactions.push_back(hop.interaction);
    levels_.push_back({nullptr, 0, closed});
  }
  void step_back() {
    levels_.pop_back();
    if (levels_.empty()) return;
    visits_.remove({path_.interactions.back(), path_.actors.back()});
    path_.actors.pop_back();
    path_.interactions.pop_back();
  }

  const plan::Walk& walk_;
  Neighbours& neighbours_;
  ExecContext& context_;
  Visits visits_;
  std::optional<ActorId> into_;
  std::unordered_set<InteractionId> taken_;
  std::vector<Level> levels_;
  bool at_start_ = false;
  std::size_t steps_ = 0;
};

// Idea: one breadth-first search gives the distance of each actor from the start, over walks. For an end, paths of
// exactly n hops are looked for backwards, leaving out every actor too far from the start for the hops that are left;
// n grows from the distance on until as many paths as wanted are there, or until no path was cut off for its length.
//
// For the usual question, one shortest path of at least 0 or 1 hops, the first look back meets it without a wrong turn:
// time linear in what lies nearer than the end. Other questions (a lower bound above the distance, more paths than
// there are, an interaction of many sides that the shortest walk would use twice) enumerate, under the query's limits.
class Shortest final : public PathFinder {
 public:
  Shortest(const plan::Walk& walk, Neighbours& neighbours, ExecContext& context)
      : walk_(walk), neighbours_(neighbours), context_(context), visits_(walk.mode) {}

  Result<void> begin(ActorId from, std::optional<ActorId> into, std::unordered_set<InteractionId>) override {
    from_ = from;
    into_ = into;
    distances_.clear();
    distances_[from] = 0;
    reached_ = {from};
    layer_begin_ = 0;
    depth_ = 0;
    next_end_ = 0;
    levels_.clear();
    seeking_ = false;
    return {};
  }

  Result<bool> next() override {
    while (true) {
      if (!seeking_) {
        DEMARCHE_TRY(const bool more, next_end());
        if (!more) return false;
      }
      DEMARCHE_TRY(const bool found, next_of_length());
      if (found) {
        ++found_here_;
        if (walk_.search.kind == ast::PathSearch::Kind::kShortest && ++found_ == walk_.search.count) seeking_ = false;
        return true;
      }
      // All of this length are found: longer ones, if they are wanted and if there can be any.
      if (walk_.search.kind == ast::PathSearch::Kind::kShortestGroups && found_here_ > 0 &&
          ++found_ == walk_.search.count) {
        seeking_ = false;
      } else if (!cut_off_ || length_ >= walk_.repeat.hops_max) {
        seeking_ = false;
      } else {
        DEMARCHE_CHECK(seek(length_ + 1));
      }
    }
  }

 private:
  struct Level {
    NeighbourList neighbours;
    std::size_t next = 0;
  };

  // Adds the next layer of actors; false when there is none.
  Result<bool> grow() {
    const std::size_t end = reached_.size();
    for (std::size_t i = layer_begin_; i < end; ++i) {
      if (i % kStepsBetweenChecks == 0) DEMARCHE_CHECK(context_.check());
      DEMARCHE_TRY(const NeighbourList list, neighbours_.of(reached_[i], !walk_.reversed));
      for (const Neighbour& hop : *list) {
        if (distances_.emplace(hop.actor, depth_ + 1).second) reached_.push_back(hop.actor);
      }
    }
    layer_begin_ = end;
    if (reached_.size() == end) return false;
    ++depth_;
    return true;
  }
  [[nodiscard]] bool is_grown_out() const { return layer_begin_ == reached_.size(); }
  Result<void> grow_to(std::uint32_t depth) {
    while (depth_ < depth && !is_grown_out()) {
      DEMARCHE_TRY(const bool more, grow());
      if (!more) break;
    }
    return {};
  }

  // Turns to the next actor that paths can end at.
  Result<bool> next_end() {
    while (true) {
      if (into_) {
        if (next_end_++ > 0) return false;
        end_ = *into_;
        while (!distances_.contains(end_) && depth_ < walk_.repeat.hops_max && !is_grown_out()) {
          DEMARCHE_TRY(const bool more, grow());
          if (!more) break;
        }
      } else {
        while (next_end_ == reached_.size() && depth_ < walk_.repeat.hops_max && !is_grown_out()) {
          DEMARCHE_TRY(const bool more, grow());
          if (!more) break;
        }
        if (next_end_ == reached_.size()) return false;
        end_ = reached_[next_end_++];
      }
      const auto distance = distances_.find(end_);
      if (distance == distances_.end()) continue;
      const std::uint32_t length = std::max(walk_.repeat.hops_min, distance->second);
      if (length > walk_.repeat.hops_max) continue;
      found_ = 0;
      seeking_ = true;
      DEMARCHE_CHECK(seek(length));
      return true;
    }
  }

  // Begins to look for the paths of exactly `length` hops to end_.
  Result<void> seek(std::uint32_t length) {
    length_ = length;
    found_here_ = 0;
    cut_off_ = false;
    DEMARCHE_CHECK(grow_to(length));
    back_actors_ = {end_};
    back_interactions_.clear();
    visits_.begin(end_);
    levels_.assign(1, {});
    return {};
  }

  Result<bool> next_of_length() {
    while (!levels_.empty()) {
      if (++steps_ % kStepsBetweenChecks == 0) DEMARCHE_CHECK(context_.check());
      Level& level = levels_.back();
      const auto left = static_cast<std::uint32_t>(length_ - back_interactions_.size());
      if (!level.neighbours) {
        DEMARCHE_ASSIGN(level.neighbours, neighbours_.of(back_actors_.back(), walk_.reversed));
        if (left == 0 && back_actors_.back() == from_) {
          note_longer(*level.neighbours);
          take_path();
          step_back();
          return true;
        }
      }
      if (left == 0 || level.next == level.neighbours->size()) {
        step_back();
        continue;
      }
      const Neighbour hop = (*level.neighbours)[level.next++];
      if (!visits_.allows(hop, true)) continue;
      const auto distance = distances_.find(hop.actor);
      if (distance == distances_.end()) {
        cut_off_ = cut_off_ || !is_grown_out();  // beyond what has been looked at so far
        continue;
      }
      if (distance->second > left - 1) {
        cut_off_ = true;
        continue;
      }
      // Back at the end itself a SIMPLE path must be complete.
      if (!visits_.allows(hop, left == 1)) {
        cut_off_ = true;
        continue;
      }
      visits_.add(hop);
      back_actors_.push_back(hop.actor);
      back_interactions_.push_back(hop.interaction);
      levels_.push_back({});
    }
    return false;
  }

  void note_longer(const std::vector<Neighbour>& list) {
    cut_off_ = cut_off_ ||
               std::any_of(list.begin(), list.end(), [&](const Neighbour& hop) { return visits_.allows(hop, true); });
  }
  void take_path() {
    path_.actors.assign(back_actors_.rbegin(), back_actors_.rend());
    path_.interactions.assign(back_interactions_.rbegin(), back_interactions_.rend());
  }
  void step_back() {
    levels_.pop_back();
    if (levels_.empty()) return;
    visits_.remove({back_interactions_.back(), back_actors_.back()});
    back_actors_.pop_back();
    back_interactions_.pop_back();
  }

  const plan::Walk& walk_;
  Neighbours& neighbours_;
  ExecContext& context_;
  Visits visits_;
  ActorId from_;
  std::optional<ActorId> into_;
  // Distances from from_, complete up to depth_; reached_ in order of distance, the last layer from layer_begin_ on.
  std::unordered_map<ActorId, std::uint32_t> distances_;
  std::vector<ActorId> reached_;
  std::size_t layer_begin_ = 0;
  std::uint32_t depth_ = 0;
  // The end that is looked at.
  std::size_t next_end_ = 0;
  ActorId end_;
  bool seeking_ = false;
  std::uint32_t found_ = 0;     // paths, or lengths with paths
  std::uint32_t length_ = 0;    // that is looked for
  std::size_t found_here_ = 0;  // of that length
  bool cut_off_ = false;        // a longer path is possible
  std::vector<Level> levels_;
  std::vector<ActorId> back_actors_;  // from the end backwards
  std::vector<InteractionId> back_interactions_;
  std::size_t steps_ = 0;
};

}  // namespace

std::unique_ptr<PathFinder> make_enumeration(const plan::Walk& walk, Neighbours& neighbours, ExecContext& context) {
  return std::make_unique<Enumeration>(walk, neighbours, context);
}

std::unique_ptr<PathFinder> make_shortest(const plan::Walk& walk, Neighbours& neighbours, ExecContext& context) {
  return std::make_unique<Shortest>(walk, neighbours, context);
}

}  // namespace demarche::query

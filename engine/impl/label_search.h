// Label setting from actor to actor: the search behind engine/chronology.h.
//
// Why one label an actor is not enough, and which further ones are kept. Without "each interaction once" the earliest
// label of an actor serves for all: a hop taken later never arrives earlier. With it, a label that used interaction i
// may be barred from i where a later one is not: A -i-> M reaches the mediator M first, but only a path that came to M
// by other ways may go on -i-> B. Keeping two labels whose last interactions differ does not help, for i can come back
// later: A -i-> M -j-> C -k-> M -i-> B, all on one day.
//
// So a label carries the set of interactions it has spent, and is dropped only for one at the same actor that comes no
// later (no more hops, departs no earlier, where these count) and has spent nothing more that could still be used. Two
// things keep that set empty nearly always:
//   - An interaction that cannot be used again anyhow is left out: all of them in STRICT mode (after i, cur >= L' >=
//   F),
//     all longer than a day by default (cur >= L > F'), those over by now in POSSIBLY mode.
//   - So is one entered by a party x in contact with all the others, as always in two-party contacts and meetings of
//     participants. A label Z that comes back to it, x -i-> y ... z -i-> w, is dropped at w: the label x -i-> w (or the
//     one of x itself, if w is x; see add() for the start) comes no later, in fewer hops, departed no earlier, with
//     nothing spent that Z has not. That holds as long as labels are settled in an order that grows along a path and,
//     where all else is equal, has fewer hops first. It does not hold where a filter may bar x -i-> w, nor where
//     several paths are asked for: there they stay in.
// Hence every settled label is a path that uses each interaction once, and every such path has a settled label no
// worse. To do without the sets is to decide whether a path uses each "colour" once, which is NP-hard: an interaction
// may relate two pairs and no others (principal and counterpart, mediator and delegation).
//
// For the best k paths a label is dropped only when k others at its actor are better in that sense: whatever it would
// lead to, they lead to k different paths no worse. For all the best ones none is dropped but those that a search from
// the other end says cannot arrive in time.
//
// Tested by brute force in tests/engine/chronology_rules_test.cc, chronology_meaning_test.cc, chronology_paths_test.cc.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <queue>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/chronology.h"
#include "engine/impl/hop_rule.h"
#include "engine/kind.h"
#include "engine/result.h"
#include "engine/row_batch.h"
#include "engine/store.h"

namespace demarche::impl {

// An interaction the path has used, in a way that bars it, and the last arrival to which that matters.
struct Spent {
  InteractionId interaction;
  Timestamp until;
};

using LabelIndex = std::uint32_t;
inline constexpr LabelIndex kNoLabel = std::numeric_limits<LabelIndex>::max();

struct Label {
  ActorId actor;
  Progress at;
  Timestamp last = Timestamp::lowest();  // L' of the last hop, seen
  std::uint32_t hops = 0;
  LabelIndex parent = kNoLabel;
  InteractionId via;
  bool dropped = false;      // for a better one
  std::vector<Spent> spent;  // ascending by interaction
};

// Which labels can still come to an end in time: from the other end, by actor, where and in how many hops at least.
struct Completion {
  Timestamp other_way_cur;
  std::uint32_t hops = 0;
};
using Completions = std::unordered_map<ActorId, std::vector<Completion>>;

class LabelSearch {
 public:
  static constexpr std::size_t kAllPaths = std::numeric_limits<std::size_t>::max();
  enum class Order : std::uint8_t { kArrival, kHops, kDuration };
  struct Plan {
    Way way = Way::kOnward;
    Order order = Order::kArrival;
    bool by_hops = false;       // are labels with fewer hops kept beside earlier ones?
    std::size_t paths_max = 1;  // for collect()
  };

  // REQUIRES: view and options outlive it.
  LabelSearch(const View& view, const ChronologyOptions& options, Plan plan);

  [[nodiscard]] Result<void> start(ActorId from);
  [[nodiscard]] HopRule& rule() { return rule_; }

  // The next label in order, after everything it leads to has been entered in the queue, but for those of `target`.
  // nullopt: done. Of each actor the first label to be settled is its best.
  [[nodiscard]] Result<std::optional<LabelIndex>> settle(std::optional<ActorId> target);

  // Where not the label counts but the whole path (its duration, the k best): looks at every label that is made, even
  // such as are dropped at once, and keeps the best `paths_max` of each actor, or of `target` alone.
  // `completions` and `value_max`: for all paths that are no worse.
  struct Bound {
    std::int64_t value_max = kForever;
    const Completions* completions = nullptr;
  };
  [[nodiscard]] Result<void> collect(ActorId from, std::optional<ActorId> target, const Bound& bound);
  [[nodiscard]] Result<void> collect(ActorId from, std::optional<ActorId> target) { return collect(from, target, {}); }
  // Best first, by actor.
  [[nodiscard]] const std::unordered_map<ActorId, std::vector<LabelIndex>>& collected() const { return collected_; }
  // What the order goes by: the smaller the better.
  [[nodiscard]] std::int64_t value_of(LabelIndex index) const;

  [[nodiscard]] const Label& label(LabelIndex index) const { return labels_[index]; }
  // In the order word goes.
  [[nodiscard]] std::vector<Hop> path_of(LabelIndex index) const;

 private:
  [[nodiscard]] bool settles_before(LabelIndex a, LabelIndex b) const;
  [[nodiscard]] bool covers(const Label& a, const Label& b) const;
  [[nodiscard]] bool is_covered(const Label& added, LabelIndex index, const std::vector<LabelIndex>& here) const;
  [[nodiscard]] bool is_hopeless(const Label& label) const;
  [[nodiscard]] std::int64_t least_value(const Label& label) const;
  [[nodiscard]] bool better(LabelIndex a, LabelIndex b) const;
  [[nodiscard]] bool is_same_path(LabelIndex a, LabelIndex b) const;
  [[nodiscard]] bool uses_each_once(LabelIndex index) const;
  [[nodiscard]] bool keep_if_good(LabelIndex index);
  [[nodiscard]] Result<void> add(Label label);
  [[nodiscard]] Result<void> expand(LabelIndex index);
  [[nodiscard]] Result<void> follow(LabelIndex index, const RowBatch& batch, std::size_t i);

  struct SettlesLater {
    const LabelSearch* search;
    bool operator()(LabelIndex a, LabelIndex b) const { return search->settles_before(b, a); }
  };

  const View& view_;
  const ChronologyOptions& options_;
  Plan plan_;
  bool by_hops_;
  bool by_departure_;
  bool all_spent_;         // also what was entered by a party in contact with all the others
  bool several_readings_;  // one path can have several labels at its end: sets with gaps, durations
  KindSet kinds_;
  KindSet contact_kinds_;
  HopRule rule_;
  ActorId start_;
  std::vector<Label> labels_;
  std::unordered_map<ActorId, std::vector<LabelIndex>> at_actor_;  // neither dropped nor covered
  std::priority_queue<LabelIndex, std::vector<LabelIndex>, SettlesLater> queue_{SettlesLater{this}};
  std::vector<ActorId> contacts_;
  std::vector<Progress> ways_on_;
  std::uint64_t settled_ = 0;

  bool collecting_ = false;
  std::optional<ActorId> target_;
  Bound bound_;
  std::unordered_map<ActorId, std::vector<LabelIndex>> collected_;
};

}  // namespace demarche::impl

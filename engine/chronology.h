// Could word have gone from A to B in time? Searches for the earliest arrival along contacts in order of time.
//
// An interaction offers one moment of contact somewhere within its bounds; a span says that contact happened within it,
// not on each of its days. With F and L' its first and last possible second, F' the last second of the first unit (the
// day, or the second if written finer) and L the first second of the last unit, and cur the arrival so far:
//
//   mode        asks                             may go on if    then cur becomes
//   kStrict     in order under every reading     cur < F         L'
//   kDefault    the same, one day is in order    cur <= F'       max(cur, L)
//   kPossibly   in order under some reading      cur <= L'       max(cur, F); for sets with gaps the first member >=
//   cur
//
// The start comes before every instant. F' is never after L' and L never before F (they would be where one side is
// written to the second and the other, of the same day, is not), so that what is certain is also possible. Undated
// interactions and qualified dates (? ~ %) serve kPossibly only: undated ones at any time, cur staying as it is;
// qualified ones with the bounds as written. Only interactions that were held, or say nothing about it, count, and of
// them only the pairs of parties in contact (engine/contact.h). An interaction is used once in a path at most: word
// does not go from one delegation through the mediator to the other within one round of talks.
//
// Method: label setting over the actors' rows in order of arrival (Wu, Cheng, Huang, Ke, Lu, Xu: "Path Problems in
// Temporal Graphs", PVLDB 7(9), 2014). Waiting never hurts, so one label an actor would do, were it not for "once": see
// chronology.cc for when more are kept. Cost: one scan of the rows an actor has from its arrival on for each label
// settled, normally one an actor reached, and for kPossibly a record read for each set with gaps. A limit on hops keeps
// up to one label for each number of hops. Exact whatever the roles; in the worst case, many many-sided talks that can
// all fall on one day, the labels grow exponentially (the problem is NP-hard), and labels_max ends the search.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "engine/edtf.h"
#include "engine/kind.h"
#include "engine/result.h"
#include "engine/store.h"
#include "engine/types.h"

namespace demarche {

enum class ChronologyMode : std::uint8_t { kStrict, kDefault, kPossibly };

struct ChronologyOptions {
  static constexpr std::uint32_t kHopsUnlimited = std::numeric_limits<std::uint32_t>::max();

  ChronologyMode mode = ChronologyMode::kDefault;
  KindSet kinds;  // any: CONTACT and all below. Outside CONTACT any two parties are related
  // Only contacts from here on. Certain modes: F >= begin_max(after). kPossibly: contact from begin_min(after) on, so
  // that a span begun before can serve.
  std::optional<TimeBounds> after;
  // Only contacts before this, in the sense of BEFORE. Certain modes: L' < begin_min(before). kPossibly: the new cur <
  // begin_max(before). A qualified bound on either side leaves nothing certain.
  std::optional<TimeBounds> before;
  std::uint32_t hops_max = kHopsUnlimited;
  std::size_t labels_max = std::size_t{1} << 22;  // memory: some 100 bytes a label
};

// `interaction` carried the word from one of its parties to another in contact with it.
struct Hop {
  InteractionId interaction;
  ActorId from;
  ActorId to;
  friend bool operator==(const Hop&, const Hop&) = default;
};

// Arrival is the moment [earliest, latest]. Timestamp::highest(): on no known day (the last contact still lasts or its
// end is unknown). Timestamp::lowest(): perhaps before anything known.
struct Arrival {
  ActorId actor;
  Timestamp earliest;      // cur at the end of the path; no path has a smaller one
  Timestamp latest;        // L' of the last hop
  std::uint32_t hops = 0;  // of this path; the fewest that arrive so early only if hops_max was given
  std::vector<Hop> path;
};

// An actor and its earliest arrival, as Arrival::earliest.
struct Reached {
  ActorId actor;
  Timestamp earliest;
  friend bool operator==(const Reached&, const Reached&) = default;
};

// The earliest arrival, nullopt if there is none. From an actor to itself: no hop, before every instant.
// Ties: fewer hops, then the smaller id of the last interaction; the same view always gives the same path.
// Errors: kNotFound if either actor is not of this view; kLimit beyond labels_max; kCorruption, kIo.
[[nodiscard]] Result<std::optional<Arrival>> earliest_arrival(const View& view, ActorId from, ActorId to,
                                                              const ChronologyOptions& options);

// When word can have left along `path` so as to arrive in order of time: the mirror of arrival. The moment [earliest,
// latest], earliest being F of the first hop and latest cur at the end of this table, read from the last hop to the
// first, cur beginning after every instant:
//
//   mode        may go on if    then cur becomes
//   kStrict     cur > L'        F
//   kDefault    cur >= L        min(cur, F')
//   kPossibly   cur >= F        min(cur, L'); for sets with gaps the last member <= cur
//
// lowest() and highest() as in Arrival. nullopt: the path has no hop, or is not in order in this mode.
// Errors: kNotFound for an interaction that is not of this view; kCorruption, kIo. Cost: a record read a hop.
struct Departure {
  Timestamp earliest;
  Timestamp latest;
  friend bool operator==(const Departure&, const Departure&) = default;
};
[[nodiscard]] Result<std::optional<Departure>> departure_of(const View& view, const std::vector<Hop>& path,
                                                            ChronologyMode mode);

// Every actor reached, without the start, ascending by (earliest, actor id). Errors as above.
[[nodiscard]] Result<std::vector<Arrival>> reachable(const View& view, ActorId from, const ChronologyOptions& options);

// The same actors and times without the paths, ascending by earliest; of one time in no order, but the same each time.
// Where one pass is right (kStrict and kDefault without a limit on hops, all parties of each interaction that is met in
// contact), it reads the timeline of the window once, unless few are reached and a search from actor to actor is done
// sooner. Cost: about twice the smaller of 10 us an actor reached and 4 ns a row in the window.
[[nodiscard]] Result<std::vector<Reached>> reached(const View& view, ActorId from, const ChronologyOptions& options);

// How reached() searches; for tests and measurements.
enum class ReachMethod : std::uint8_t { kChosen, kAdjacency, kSweep };
// kSweep: nullopt where one pass is not right.
[[nodiscard]] Result<std::optional<std::vector<Reached>>> reached_by(const View& view, ActorId from,
                                                                     const ChronologyOptions& options,
                                                                     ReachMethod method);

}  // namespace demarche

// Could word have gone from A to B in time? Searches along contacts in order of time, onward from one who knows and
// back from one who was told.
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
// does not go from one delegation through the mediator to the other within one round of talks. Actors may come again.
//
// Backwards the same table holds, mirrored: dep, the latest moment by which word must have come, starts after every
// instant; kStrict asks dep > L' and makes it F, kDefault asks dep >= L and makes it min(dep, F'), kPossibly asks dep
// >= F and makes it min(dep, L'). The same paths are found from both ends.
//
// A path lasts, for certain, from F of its first hop to L' of its last; possibly as little as max F - min L' of all its
// hops (0 if that is less; for sets with gaps of the members chosen for it). What has no known begin or end lasts for
// an unknown time, which is longer than any known one.
//
// Method: label setting over the actors' rows in order of arrival (Wu, Cheng, Huang, Ke, Lu, Xu: "Path Problems in
// Temporal Graphs", PVLDB 7(9), 2014). Waiting never hurts, so one label an actor would do, were it not for "once": see
// impl/label_search.h for when more are kept. Fewest hops asks for labels of which none is better in both arrival and
// hops, durations for arrival and departure (the same, section 4; Hansen: "Bicriterion Path Problems", 1980). Cost: one
// scan of the rows an actor has from its arrival on for each label settled, normally one an actor reached, and for
// kPossibly a record read for each set with gaps. Exact whatever the roles; in the worst case, many many-sided talks
// that can all fall on one day, the labels grow exponentially (the problem is NP-hard), and labels_max ends the search.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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

// `interaction` carried the word from one of its parties to another in contact with it.
struct Hop {
  InteractionId interaction;
  ActorId from;
  ActorId to;
  friend bool operator==(const Hop&, const Hop&) = default;
};

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
  // Only paths that last no longer, in seconds. Not negative.
  std::optional<std::int64_t> within_seconds;
  // Asked of each hop that could be taken in time, in the order word goes, whichever way the search goes: false leaves
  // it out. The same hop must always get the same answer. An error ends the search.
  std::function<Result<bool>(const Hop&)> hop_filter;
  // Asked every few thousand labels; an error ends the search. For limits of time, and for who wants to stop.
  std::function<Result<void>()> check;
  std::size_t labels_max = std::size_t{1} << 22;  // memory: some 100 bytes a label
};

// ---- one best path -------------------------------------------------------------------------------------------------

// Arrival is the moment [earliest, latest]. Timestamp::highest(): on no known day (the last contact still lasts or its
// end is unknown). Timestamp::lowest(): perhaps before anything known.
struct Arrival {
  ActorId actor;
  Timestamp earliest;      // cur at the end of the path; no path has a smaller one
  Timestamp latest;        // L' of the last hop
  std::uint32_t hops = 0;  // of this path; the fewest that arrive so early only if hops_max was given
  std::vector<Hop> path;
};

// Departure is the moment [earliest, latest], mirrored: whoever sets out by `latest` arrives.
struct LatestDeparture {
  ActorId actor;
  Timestamp earliest;  // F of the first hop
  Timestamp latest;    // dep at the start of the path; no path has a greater one
  std::uint32_t hops = 0;
  std::vector<Hop> path;  // in the order word goes: from `actor` to the one who was told
};

// When word can have left along `path` so as to arrive in order of time: the mirror of arrival, whatever the window.
// The moment [earliest, latest]: F of the first hop, and dep at the start of the path. lowest() and highest() as in
// Arrival. nullopt: the path has no hop, or is not in order in this mode. Errors: kNotFound for an interaction that is
// not of this view; kCorruption, kIo. Cost: a record read a hop.
struct Departure {
  Timestamp earliest;
  Timestamp latest;
  friend bool operator==(const Departure&, const Departure&) = default;
};
[[nodiscard]] Result<std::optional<Departure>> departure_of(const View& view, const std::vector<Hop>& path,
                                                            ChronologyMode mode);

// The earliest arrival, nullopt if there is none. From an actor to itself: no hop, before every instant.
// Ties: fewer hops, then the smaller id of the last interaction; the same view always gives the same path.
// Errors: kNotFound if either actor is not of this view; kInvalidArgument for a negative within_seconds; kLimit beyond
// labels_max; kCorruption, kIo.
[[nodiscard]] Result<std::optional<Arrival>> earliest_arrival(const View& view, ActorId from, ActorId to,
                                                              const ChronologyOptions& options);
// The latest departure, mirrored. From an actor to itself: no hop, after every instant.
[[nodiscard]] Result<std::optional<LatestDeparture>> latest_departure(const View& view, ActorId from, ActorId to,
                                                                      const ChronologyOptions& options);

// Every actor reached, without the start, ascending by (earliest, actor id). Errors as above.
[[nodiscard]] Result<std::vector<Arrival>> reachable(const View& view, ActorId from, const ChronologyOptions& options);
// Everyone who could have told `to`, without it, descending by latest departure, then ascending by actor id.
[[nodiscard]] Result<std::vector<LatestDeparture>> reaching(const View& view, ActorId to,
                                                            const ChronologyOptions& options);

// ---- everybody, without paths --------------------------------------------------------------------------------------

// An actor, and its earliest arrival or its latest departure.
struct Reached {
  ActorId actor;
  Timestamp moment;
  friend bool operator==(const Reached&, const Reached&) = default;
};

struct ReachedInHops {
  ActorId actor;
  Timestamp moment;
  std::uint32_t hops = 0;  // fewest of any path in the window, not only of those of that moment
  InteractionId via = {};  // the actor's own hop on a path of that moment, and of those on one with fewest hops
  friend bool operator==(const ReachedInHops&, const ReachedInHops&) = default;
};

// As reachable(), without the paths, ascending by moment; of one time in no order, but the same each time.
// Where one pass is right (all parties of each interaction that is met in contact; no filter, nothing about duration),
// it reads the timeline of the window once, unless few are reached and a search from actor to actor is done sooner.
// Cost: about twice the smaller of 10 us an actor reached and, a row in the window, 4 ns (kStrict and kDefault without
// hops) or 150 ns.
[[nodiscard]] Result<std::vector<Reached>> reached(const View& view, ActorId from, const ChronologyOptions& options);
// As reaching(), without the paths, descending by moment.
[[nodiscard]] Result<std::vector<Reached>> reached_back(const View& view, ActorId to, const ChronologyOptions& options);
// The same two with hops and via.
[[nodiscard]] Result<std::vector<ReachedInHops>> reached_with_hops(const View& view, ActorId from,
                                                                   const ChronologyOptions& options);
[[nodiscard]] Result<std::vector<ReachedInHops>> reached_back_with_hops(const View& view, ActorId to,
                                                                        const ChronologyOptions& options);

// ---- several paths, other orders -----------------------------------------------------------------------------------

enum class PathOrder : std::uint8_t {
  kEarliest,  // by arrival (cur at the end)
  kLatest,    // by departure (dep at the start)
  kFastest,   // by duration
  kShortest,  // by number of hops
};

struct ChronologicalPath {
  std::vector<Hop> hops;
  Timestamp arrival_min;      // as Arrival::earliest
  Timestamp arrival_max;      // as Arrival::latest
  Timestamp departure_min;    // as LatestDeparture::earliest
  Timestamp departure_max;    // as LatestDeparture::latest
  std::int64_t duration = 0;  // seconds, as said at the top; the greatest number there is: not known
};

struct PathSearch {
  PathOrder order = PathOrder::kEarliest;
  std::size_t paths_max = 1;
  // Every path as good as the best one, and none other, whatever their number: paths_max is then of no account. There
  // can be very many; labels_max ends the search.
  bool all_best = false;
};

// The best paths from one actor to another, or to every actor that is reached if `to` is not given (then paths_max to
// each), best first; of those to several actors all of one stand together, ascending by actor. Two paths are different
// if their hops are. Of paths equally good, any, but the same each time; kShortest gives of the shortest the earliest.
// From an actor to itself: the path of no hop alone.
// Errors: as earliest_arrival(); kInvalidArgument if paths_max is 0.
[[nodiscard]] Result<std::vector<ChronologicalPath>> find_paths(const View& view, ActorId from,
                                                                std::optional<ActorId> to,
                                                                const ChronologyOptions& options,
                                                                const PathSearch& search);
// The same towards `to`, from every actor that reaches it.
[[nodiscard]] Result<std::vector<ChronologicalPath>> find_paths_back(const View& view, ActorId to,
                                                                     const ChronologyOptions& options,
                                                                     const PathSearch& search);

// ---- for tests and measurements ------------------------------------------------------------------------------------

enum class ReachMethod : std::uint8_t {
  kChosen,
  kAdjacency,   // from actor to actor
  kSweep,       // one pass: earliest arrivals of kStrict and kDefault, without hops
  kLabelSweep,  // one pass with labels: every mode, both ways, hops
};
struct ReachQuestion {
  bool back = false;
  bool hops = false;
};
// nullopt where one pass is asked for and is not right. Without hops in the question hops and via are 0.
[[nodiscard]] Result<std::optional<std::vector<ReachedInHops>>> reached_by(const View& view, ActorId start,
                                                                           const ChronologyOptions& options,
                                                                           ReachQuestion question, ReachMethod method);

}  // namespace demarche

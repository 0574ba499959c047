// When word can be passed on in one interaction: the table of engine/chronology.h, in either direction of time.
//
// A search that goes back in time is one that goes onward in a mirrored time: seen() turns the order of instants round,
// first and last change places, and the same table holds. That is exact: a path is in order by default if L of each hop
// is at most F' of each later one, in STRICT mode if L' is before F, possibly if moments of contact can be chosen that
// do not go back; each of these reads the same from both ends. All that is called `seen` here is in the search's own
// time.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/chronology.h"
#include "engine/edtf.h"
#include "engine/result.h"
#include "engine/store.h"
#include "engine/types.h"

namespace demarche::impl {

enum class Way : std::uint8_t { kOnward, kBack };

// Its own inverse. Minus infinity and plus infinity change places.
[[nodiscard]] constexpr Timestamp seen(Way way, Timestamp t) { return way == Way::kOnward ? t : Timestamp{~t.seconds}; }

struct HopTimes {
  Timestamp first;            // F
  Timestamp first_unit_end;   // F'
  Timestamp last_unit_begin;  // L
  Timestamp last;             // L'
};
[[nodiscard]] HopTimes hop_times(const TimeBounds& bounds, Way way);

// Where a path stands, seen. Before its first hop it is before every instant, minus infinity included.
struct Progress {
  Timestamp cur = Timestamp::lowest();
  // From where its duration counts. Certain: F of its first hop. Possibly: the least L' so far.
  Timestamp depart = Timestamp::highest();
  bool begun = false;
};

inline constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

class HopRule {
 public:
  HopRule(const View& view, const ChronologyOptions& options, Way way);

  // The path of no hop.
  [[nodiscard]] Progress start() const;
  // No path may go on beyond `arrival`, an instant seen by a search that goes the other way: rows that such a search
  // could only enter later are of no use. For searches that say which labels can still come to an end in time.
  void limit_other_way(Timestamp arrival) { other_way_limit_ = arrival; }

  // Real time. No interaction outside can carry word on. nullopt: none at all can.
  [[nodiscard]] std::optional<TimeWindow> window_from(const Progress& at) const;
  // Does only what lies wholly within the window count?
  [[nodiscard]] bool is_certain() const { return mode_ != ChronologyMode::kPossibly; }

  // The earliest way on through an interaction, nullopt if there is none. depart counts only where there are no gaps.
  [[nodiscard]] Result<std::optional<Progress>> take(const Progress& at, const TimeBounds& bounds, bool dated,
                                                     InteractionId id);
  // All ways on of which none both arrives no later and departs no earlier than another; for sets with gaps there can
  // be several. Replaces `out`.
  [[nodiscard]] Result<void> take_all(const Progress& at, const TimeBounds& bounds, bool dated, InteractionId id,
                                      std::vector<Progress>& out);

  // The last arrival, seen, from which the interaction could be used once more, by one that arrived through it.
  [[nodiscard]] std::optional<Timestamp> reusable_until(const TimeBounds& bounds, Timestamp arrived) const;
  // No label that stands behind this, seen, can use the interaction.
  [[nodiscard]] Timestamp usable_until(const TimeBounds& bounds) const;

  // Seconds a path takes that stands at `at`, its last hop ending at `last` (L' seen); kForever: not known. No path
  // that goes on from it takes less than least_duration().
  [[nodiscard]] std::int64_t duration(const Progress& at, Timestamp last) const;
  [[nodiscard]] std::int64_t least_duration(const Progress& at) const { return duration(at, at.cur); }

 private:
  [[nodiscard]] std::optional<Progress> take_certain(const Progress& at, const TimeBounds& bounds, bool dated) const;
  [[nodiscard]] Result<std::span<const TimeRange>> members_of(InteractionId id, const TimeBounds& bounds);

  const View& view_;
  ChronologyMode mode_;
  Way way_;
  std::optional<TimeBounds> after_;
  std::optional<TimeBounds> before_;
  Timestamp floor_ = Timestamp::lowest();     // real
  Timestamp ceiling_ = Timestamp::highest();  // real, not included
  Timestamp from_ = Timestamp::lowest();      // kPossibly, seen: where time begins, and its last second
  Timestamp until_ = Timestamp::highest();
  Timestamp other_way_limit_ = Timestamp::highest();
  bool proves_nothing_ = false;
  std::unordered_map<InteractionId, std::vector<TimeRange>> members_;  // seen; node-based: spans into it stay valid
};

}  // namespace demarche::impl

// Contacts as plain columns, for those who read many and need little of each: counting, expanding, searching.
//
// One line is one interaction and one pair of actors in contact within it (contact.h): of_actor() gives the pairs of
// one actor, of_actors() those of many, one actor after the other, timeline() all pairs, each once. Lines are not in
// order of time; the order is the same each time. Rows of the view only, retired ones passed over, as in View::scan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/edtf.h"
#include "engine/kind.h"
#include "engine/result.h"
#include "engine/store.h"
#include "engine/types.h"

namespace demarche {

// Columns to fill. Each costs about as much as the next one, kBounds three times as much.
enum class ContactColumn : std::uint8_t { kBegin = 1, kKind = 2, kOther = 4, kInteraction = 8, kBounds = 16 };
[[nodiscard]] constexpr std::uint8_t operator|(ContactColumn a, ContactColumn b) {
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
[[nodiscard]] constexpr std::uint8_t operator|(std::uint8_t a, ContactColumn b) {
  return static_cast<std::uint8_t>(a | static_cast<std::uint8_t>(b));
}

// A column that was not asked for is empty.
struct ContactLines {
  std::size_t size = 0;
  std::vector<std::int64_t> begin;         // earliest begin, seconds
  std::vector<std::uint32_t> kind;         // KindId
  std::vector<std::uint64_t> actor;        // of timeline(): the party that stands first, if `other` is asked for;
                                           // of of_actors(), always: whose line it is; of of_actor(): empty
  std::vector<std::uint64_t> other;        // ActorId of the other party
  std::vector<std::uint64_t> interaction;  // InteractionId
  std::vector<TimeBounds> bounds;          // all of time if undated
  std::vector<std::uint8_t> dated;         // with bounds; 0: no date
};

// How a date has to lie to a window. All of time as window takes every row, an undated one too.
enum class WindowFit : std::uint8_t {
  kMeets,           // its possible time [begin_min, end_max] meets the window
  kWithin,          // it lies within under every reading; never for a qualified date (? ~ %)
  kPossiblyWithin,  // under some reading; for dates with gaps an upper bound
};
[[nodiscard]] bool fits(const TimeBounds& bounds, TimeWindow window, WindowFit fit);

struct ContactScanOptions {
  TimeWindow window;
  WindowFit fit = WindowFit::kMeets;
  KindSet kinds;           // default: CONTACT and all below, which have a rule of contact; others count any two parties
  bool held_only = false;  // leave out what is planned or cancelled
  // A line is an interaction, whoever was in contact within it; there is no column kOther then. `kinds` as given: an
  // unrestricted set holds all.
  bool interactions = false;
  std::uint8_t columns = ContactColumn::kOther | ContactColumn::kInteraction;
};

// One per thread. Keeps the view's state alive.
class ContactScan {
 public:
  // Cost: the actor's blocks, from memory once they were read.
  [[nodiscard]] static Result<ContactScan> of_actor(const View& view, ActorId actor, const ContactScanOptions& options);
  // The lines of each actor as of_actor() gives them, the actors in the order given, many lines at a time: for a
  // frontier. Cost: as of_actor() for each, but blocks that are not in memory are read by one pass forward.
  // Errors: kInvalidArgument if the actors do not ascend.
  [[nodiscard]] static Result<ContactScan> of_actors(const View& view, std::vector<ActorId> actors,
                                                     const ContactScanOptions& options);
  // Cost: one seek per length class, then a block read per some 700 rows.
  [[nodiscard]] static Result<ContactScan> timeline(const View& view, const ContactScanOptions& options);
  ContactScan(ContactScan&&) noexcept;
  ContactScan& operator=(ContactScan&&) noexcept;
  ~ContactScan();

  // Replaces `lines` with the next ones. False, and no lines: the end. Errors: kCorruption, kIo.
  [[nodiscard]] Result<bool> next(ContactLines& lines);
  // Index blocks looked at so far.
  [[nodiscard]] std::uint64_t blocks() const;

 private:
  struct State;
  explicit ContactScan(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// How many interactions of each kind begin within each of several stretches of time: counts[stretch * kinds + kind id],
// where stretch k is [cuts[k], cuts[k + 1]) of earliest begins. Interactions, not pairs; no records are read, and where
// a block lies within one stretch not its times either. `cuts` ascending, at least two.
struct KindCounts {
  std::size_t kinds = 0;  // ids are below
  std::vector<std::uint64_t> counts;
};
[[nodiscard]] Result<KindCounts> count_kinds(const View& view, const std::vector<Timestamp>& cuts);

}  // namespace demarche

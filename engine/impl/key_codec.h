// Keys of every column family, as engine/FORMAT.md lays them out. Integers are big-endian so that bytes sort as values;
// signed times have their sign bit flipped; commit numbers are complemented so that the newest version comes first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/types.h"
#include "engine/when.h"

namespace demarche::impl {

// Column families. Stored by name: see family_name().
enum class Family : std::uint8_t {
  kMeta,          // "default"
  kActor,         // "actor"
  kInteraction,   // "interaction"
  kSource,        // "source"
  kKind,          // "kind"
  kKey,           // "key"
  kName,          // "name"
  kLabel,         // "label"
  kContact,       // "contact_by_actor_time"
  kTimeline,      // "interaction_by_time"
  kCommit,        // "commit"
  kCommitRows,    // "commit_rows"
  kPlain,         // "plain_interaction"
  kParticipants,  // "participants"
  kRetired,       // "retired_row"
  kCommitId,      // "commit_id"
};
inline constexpr std::size_t kFamilyCount = 16;
[[nodiscard]] const char* family_name(Family family);

// What a key in the family "key" names. Stored, never renumber.
enum class KeyOwner : std::uint8_t { kActor = 1, kInteraction = 2, kSource = 3 };

// What the family "name" says of a name. Stored, never renumber.
inline constexpr std::uint64_t kPreferredName = 1;
inline constexpr std::uint64_t kAliasName = 2;

// Rows are sorted by begin_min within classes of length end_max - begin_min, so that a scan of a window can start at
// window.begin minus the class's greatest length and still meet every row that reaches into the window. Stored.
enum class LengthClass : std::uint8_t {
  kUnit = 0,       // at most a day
  kMonth = 1,      // at most 31 days
  kYear = 2,       // at most 366 days
  kLong = 3,       // longer, or without an end
  kUnbounded = 4,  // without a beginning, or undated
};
inline constexpr std::size_t kLengthClassCount = 5;
[[nodiscard]] LengthClass length_class(const TimeBounds& bounds);
// Greatest end_max - begin_min of the class in seconds; the earliest begin to look at for a window is window.begin
// minus this. kLong and kUnbounded: everything.
[[nodiscard]] Timestamp earliest_begin(LengthClass length, TimeWindow window);

// (id, newest version first). Version keys of one id share the 8-byte prefix version_prefix(id).
inline constexpr std::size_t kVersionKeySize = 16;
[[nodiscard]] std::string version_key(std::uint64_t id, CommitNumber commit);
[[nodiscard]] std::string version_prefix(std::uint64_t id);
struct VersionKey {
  std::uint64_t id = 0;
  CommitNumber commit;
};
[[nodiscard]] std::optional<VersionKey> decode_version_key(std::string_view key);

inline constexpr std::size_t kTimelineKeySize = 17;
inline constexpr std::size_t kContactKeySize = 25;
struct TimeKey {
  LengthClass length = LengthClass::kLong;
  Timestamp begin;
  RowNumber row;
};
// length class, begin, row
[[nodiscard]] std::string timeline_key(const TimeKey& key);
[[nodiscard]] std::string timeline_prefix(LengthClass length);
[[nodiscard]] std::optional<TimeKey> decode_timeline_key(std::string_view key);
// actor, then as the timeline
[[nodiscard]] std::string contact_key(ActorId actor, const TimeKey& key);
[[nodiscard]] std::string contact_prefix(ActorId actor, LengthClass length);
[[nodiscard]] std::optional<TimeKey> decode_contact_key(std::string_view key);

[[nodiscard]] std::string owner_key(KeyOwner owner, std::string_view key);
// (text, 0x00, id): names by normal form, and labels. `text` must not contain 0x00.
[[nodiscard]] std::string text_id_key(std::string_view text, ActorId id);
[[nodiscard]] std::string text_id_prefix(std::string_view text);
struct TextIdKey {
  std::string_view text;
  ActorId id;
};
[[nodiscard]] std::optional<TextIdKey> decode_text_id_key(std::string_view key);

[[nodiscard]] std::string commit_key(CommitNumber commit);
[[nodiscard]] std::optional<CommitNumber> decode_commit_key(std::string_view key);

// Eight bytes, big-endian: the value form of ids in the family "key".
[[nodiscard]] std::string encode_u64(std::uint64_t value);
[[nodiscard]] std::optional<std::uint64_t> decode_u64(std::string_view bytes);

}  // namespace demarche::impl

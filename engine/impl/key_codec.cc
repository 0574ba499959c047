#include "engine/impl/key_codec.h"

#include <cassert>

namespace demarche::impl {

namespace {

constexpr std::uint64_t kSignBit = 1ULL << 63;

void put_u64(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xFF);
}

std::uint64_t get_u64(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  return value;
}

void put_time(std::string& out, Timestamp t) { put_u64(out, static_cast<std::uint64_t>(t.seconds) ^ kSignBit); }
Timestamp get_time(std::string_view bytes) { return {static_cast<std::int64_t>(get_u64(bytes) ^ kSignBit)}; }

void put_time_key(std::string& out, const TimeKey& key) {
  out += static_cast<char>(key.length);
  put_time(out, key.begin);
  put_u64(out, key.row.value);
}

std::optional<TimeKey> get_time_key(std::string_view bytes) {
  if (bytes.size() != kTimelineKeySize) return std::nullopt;
  const auto length = static_cast<unsigned char>(bytes[0]);
  if (length >= kLengthClassCount) return std::nullopt;
  return TimeKey{static_cast<LengthClass>(length), get_time(bytes.substr(1)), RowNumber{get_u64(bytes.substr(9))}};
}

constexpr std::int64_t kClassSeconds[] = {kSecondsPerDay, 31 * kSecondsPerDay, 366 * kSecondsPerDay};

}  // namespace

const char* family_name(Family family) {
  switch (family) {
    case Family::kMeta:
      return "default";
    case Family::kActor:
      return "actor";
    case Family::kInteraction:
      return "interaction";
    case Family::kSource:
      return "source";
    case Family::kKind:
      return "kind";
    case Family::kKey:
      return "key";
    case Family::kName:
      return "name";
    case Family::kLabel:
      return "label";
    case Family::kContact:
      return "contact_by_actor_time";
    case Family::kTimeline:
      return "interaction_by_time";
    case Family::kCommit:
      return "commit";
    case Family::kCommitRows:
      return "commit_rows";
    case Family::kPlain:
      return "plain_interaction";
    case Family::kParticipants:
      return "participants";
    case Family::kRetired:
      return "retired_row";
    case Family::kCommitId:
      return "commit_id";
  }
  return "";
}

LengthClass length_class(const TimeBounds& bounds) {
  if (!bounds.begin_min.is_finite()) return LengthClass::kUnbounded;
  if (!bounds.end_max.is_finite()) return LengthClass::kLong;
  // Of the years that EDTF can write the farthest two lie more than 2^63 seconds apart: subtract without a sign.
  const std::uint64_t length =
      static_cast<std::uint64_t>(bounds.end_max.seconds) - static_cast<std::uint64_t>(bounds.begin_min.seconds);
  for (std::size_t i = 0; i < 3; ++i) {
    if (length < static_cast<std::uint64_t>(kClassSeconds[i])) return static_cast<LengthClass>(i);
  }
  return LengthClass::kLong;
}

Timestamp earliest_begin(LengthClass length, TimeWindow window) {
  if (length >= LengthClass::kLong) return Timestamp::lowest();
  const std::int64_t reach = kClassSeconds[static_cast<std::size_t>(length)];
  if (window.begin.seconds < Timestamp::lowest().seconds + reach) return Timestamp::lowest();
  return {window.begin.seconds - reach};
}

std::string version_prefix(std::uint64_t id) { return encode_u64(id); }

std::string version_key(std::uint64_t id, CommitNumber commit) {
  std::string out = encode_u64(id);
  put_u64(out, ~commit.value);
  return out;
}

std::optional<VersionKey> decode_version_key(std::string_view key) {
  if (key.size() != kVersionKeySize) return std::nullopt;
  return VersionKey{get_u64(key), CommitNumber{~get_u64(key.substr(8))}};
}

std::string timeline_key(const TimeKey& key) {
  std::string out;
  put_time_key(out, key);
  return out;
}

std::string timeline_prefix(LengthClass length) { return std::string(1, static_cast<char>(length)); }

std::optional<TimeKey> decode_timeline_key(std::string_view key) { return get_time_key(key); }

std::string contact_key(ActorId actor, const TimeKey& key) {
  std::string out = encode_u64(actor.value);
  put_time_key(out, key);
  return out;
}

std::string contact_prefix(ActorId actor, LengthClass length) {
  return encode_u64(actor.value) + static_cast<char>(length);
}

std::optional<TimeKey> decode_contact_key(std::string_view key) {
  if (key.size() != kContactKeySize) return std::nullopt;
  return get_time_key(key.substr(8));
}

std::string owner_key(KeyOwner owner, std::string_view key) {
  return std::string(1, static_cast<char>(owner)).append(key);
}

std::string text_id_prefix(std::string_view text) {
  assert(text.find('\0') == std::string_view::npos);
  return std::string(text) + '\0';
}

std::string text_id_key(std::string_view text, ActorId id) {
  std::string out = text_id_prefix(text);
  put_u64(out, id.value);
  return out;
}

std::optional<TextIdKey> decode_text_id_key(std::string_view key) {
  if (key.size() < 9 || key[key.size() - 9] != '\0') return std::nullopt;
  return TextIdKey{key.substr(0, key.size() - 9), ActorId{get_u64(key.substr(key.size() - 8))}};
}

std::string commit_key(CommitNumber commit) { return encode_u64(commit.value); }

std::optional<CommitNumber> decode_commit_key(std::string_view key) {
  if (key.size() != 8) return std::nullopt;
  return CommitNumber{get_u64(key)};
}

std::string encode_u64(std::uint64_t value) {
  std::string out;
  put_u64(out, value);
  return out;
}

std::optional<std::uint64_t> decode_u64(std::string_view bytes) {
  if (bytes.size() != 8) return std::nullopt;
  return get_u64(bytes);
}

}  // namespace demarche::impl

#include "engine/impl/entry_codec.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace demarche::impl {

namespace {

// Flags of a date. Stored, never renumber.
constexpr std::uint64_t kDated = 1;
constexpr std::uint64_t kSpan = 2;
constexpr std::uint64_t kQualified = 4;
constexpr std::uint64_t kGaps = 8;
constexpr std::uint64_t kFineBegin = 16;
constexpr std::uint64_t kFineEnd = 32;
constexpr std::uint64_t kAllFlags = 63;

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void put_signed(std::string& out, std::int64_t value) {
  put_varint(out, (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

// Reads varints from the front of `bytes`; a fault is remembered and answers 0 from then on.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t next() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  std::int64_t next_signed() {
    const std::uint64_t value = next();
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }
  // next(), refused if above `max`.
  std::uint64_t next_up_to(std::uint64_t max) {
    const std::uint64_t value = next();
    if (value > max) ok_ = false;
    return ok_ ? value : 0;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

constexpr std::uint64_t kMaxU32 = 0xFFFFFFFF;

}  // namespace

std::string encode_entry(const Interaction& interaction) {
  std::string out;
  put_varint(out, interaction.kind.value);
  put_varint(out, interaction.id.value);
  put_varint(out, static_cast<std::uint64_t>(interaction.status));
  if (interaction.when) {
    const TimeBounds& b = interaction.when->bounds;
    put_varint(out, kDated | (b.is_span ? kSpan : 0) | (b.qualified ? kQualified : 0) | (b.has_gaps ? kGaps : 0) |
                        (b.fine_begin ? kFineBegin : 0) | (b.fine_end ? kFineEnd : 0));
    put_signed(out, b.begin_min.seconds);
    put_signed(out, b.begin_max.seconds);
    if (b.is_span) {
      put_signed(out, b.end_min.seconds);
      put_signed(out, b.end_max.seconds);
    }
  } else {
    put_varint(out, 0);
  }
  const std::vector<Party> parties = parties_of(interaction.participants);
  put_varint(out, parties.size());
  for (const Party& party : parties) {
    put_varint(out, party.actor.value);
    put_varint(out, static_cast<std::uint64_t>(party.role));
    if (party.role == Role::kRepresented) put_varint(out, party.agent);
  }
  return out;
}

Result<KindId> entry_kind(std::string_view bytes) {
  Reader in(bytes);
  const KindId kind{static_cast<std::uint32_t>(in.next_up_to(kMaxU32))};
  if (!in.ok()) return make_error(ErrorCode::kCorruption, "an index row is cut short; stop writing to this store");
  return kind;
}

Result<void> decode_entry(RowNumber row, std::string_view bytes, RowBatch& batch) {
  Reader in(bytes);
  batch.row.push_back(row);
  batch.kind.push_back({static_cast<std::uint32_t>(in.next_up_to(kMaxU32))});
  batch.interaction.push_back({in.next()});
  batch.status.push_back(static_cast<Status>(in.next_up_to(static_cast<std::uint64_t>(Status::kCancelled))));
  const std::uint64_t flags = in.next_up_to(kAllFlags);
  batch.dated.push_back((flags & kDated) != 0 ? 1 : 0);
  TimeBounds b;
  if ((flags & kDated) != 0) {
    b.is_span = (flags & kSpan) != 0;
    b.qualified = (flags & kQualified) != 0;
    b.has_gaps = (flags & kGaps) != 0;
    b.fine_begin = (flags & kFineBegin) != 0;
    b.fine_end = (flags & kFineEnd) != 0;
    b.begin_min = {in.next_signed()};
    b.begin_max = {in.next_signed()};
    b.end_min = b.is_span ? Timestamp{in.next_signed()} : b.begin_min;
    b.end_max = b.is_span ? Timestamp{in.next_signed()} : b.begin_max;
  }
  batch.bounds.push_back(b);
  const std::uint64_t count =
      in.next_up_to(std::min<std::uint64_t>(in.left(), Party::kNoAgent));  // a party takes two bytes or more
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    Party party;
    party.actor = {in.next()};
    party.role = static_cast<Role>(in.next_up_to(kRoleCount));
    if (party.role == Role{}) break;
    if (party.role == Role::kRepresented) {
      party.agent = static_cast<std::uint16_t>(in.next_up_to(count == 0 ? 0 : count - 1));
    }
    batch.parties.push_back(party);
  }
  const bool all_read = batch.parties.size() - batch.party_begin.back() == count;
  batch.party_begin.push_back(static_cast<std::uint32_t>(batch.parties.size()));
  if (!in.done() || !all_read) {
    return make_error(ErrorCode::kCorruption,
                      fmt::format("index row {} does not decode; stop writing to this store", row.value));
  }
  return {};
}

}  // namespace demarche::impl

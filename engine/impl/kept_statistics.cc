#include "engine/impl/kept_statistics.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "engine/edtf.h"
#include "engine/impl/key_codec.h"
#include "engine/impl/packed_column.h"

namespace demarche::impl {

namespace {

constexpr std::int64_t kMonthMax = std::numeric_limits<Month>::max();
constexpr std::int64_t kMonthMin = kNoBegin + 1;
constexpr std::int64_t kMonthsPerYear = 12;
constexpr std::int64_t kFirstYear = 1970;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

Month month_of(Timestamp begin) {
  if (!begin.is_finite()) return kNoBegin;
  const CivilDay day = civil_from_days(floor_div(begin.seconds, kSecondsPerDay));
  const std::int64_t month = (day.year - kFirstYear) * kMonthsPerYear + static_cast<std::int64_t>(day.month) - 1;
  return static_cast<Month>(std::clamp(month, kMonthMin, kMonthMax));
}

Timestamp begin_of_month(Month month) {
  const std::int64_t year = floor_div(month, kMonthsPerYear);
  const auto within = static_cast<unsigned>(month - year * kMonthsPerYear);
  return {days_from_civil(kFirstYear + year, within + 1, 1) * kSecondsPerDay};
}

void KeptCounts::add_row(KindId kind, bool dated, Timestamp begin, std::size_t actors, std::int64_t sign) {
  Month month = kUndated;
  if (dated) {
    if (begin < month_begin_ || begin >= month_end_) {
      month_ = month_of(begin);
      // The ends take in what is beyond them, and have no length.
      const bool within = month_ != kNoBegin && month_ > kMonthMin && month_ < kMonthMax;
      month_begin_ = within ? begin_of_month(month_) : Timestamp{};
      month_end_ = within ? begin_of_month(month_ + 1) : Timestamp{};
    }
    month = month_;
  }
  OfKind& of = kinds_[kind.value];
  of.months[month] += sign;
  of.entries += sign * static_cast<std::int64_t>(actors);
}

void KeptCounts::add(const KeptCounts& other) {
  for (const auto& [kind, of] : other.kinds_) {
    OfKind& mine = kinds_[kind];
    mine.entries += of.entries;
    for (const auto& [month, count] : of.months) mine.months[month] += count;
  }
  for (const auto& [label, change] : other.labels_) labels_[label] += change;
}

void KeptCounts::encode(std::string& out) const {
  std::map<std::uint32_t, std::map<Month, std::int64_t>> kinds;
  for (const auto& [kind, of] : kinds_) {
    std::map<Month, std::int64_t> months;
    for (const auto& [month, count] : of.months) {
      if (count != 0) months.emplace(month, count);
    }
    if (!months.empty() || of.entries != 0) kinds.emplace(kind, std::move(months));
  }
  put_varint(out, kinds.size());
  std::uint32_t last_kind = 0;
  for (const auto& [kind, months] : kinds) {
    put_varint(out, kind - std::exchange(last_kind, kind));
    put_signed(out, kinds_.at(kind).entries);
    const auto special = [&months = months](Month month) {
      const auto at = months.find(month);
      return at == months.end() ? 0 : at->second;
    };
    put_signed(out, special(kUndated));
    put_signed(out, special(kNoBegin));
    const auto first = months.upper_bound(kNoBegin);
    put_varint(out, static_cast<std::uint64_t>(std::distance(first, months.end())));
    std::int64_t last_month = 0;
    for (auto at = first; at != months.end(); ++at) {
      put_signed(out, at->first - std::exchange(last_month, at->first));
      put_signed(out, at->second);
    }
  }
  std::uint64_t labels = 0;
  for (const auto& [label, count] : labels_) labels += count != 0 ? 1 : 0;
  put_varint(out, labels);
  for (const auto& [label, count] : labels_) {
    if (count == 0) continue;
    put_varint(out, label.size());
    out += label;
    put_signed(out, count);
  }
}

std::string KeptCounts::encode() const {
  std::string out;
  encode(out);
  return out == std::string(2, '\0') ? std::string() : out;
}

void KeptCounts::decode(ByteReader& in) {
  *this = {};
  std::uint64_t kind = 0;
  for (std::uint64_t n = in.varint_up_to(in.left()); n > 0 && in.ok(); --n) {
    kind += in.varint_up_to(std::numeric_limits<std::uint32_t>::max());
    if (kind > std::numeric_limits<std::uint32_t>::max()) in.fail();
    OfKind& of = kinds_[static_cast<std::uint32_t>(kind)];
    of.entries = in.signed_varint();
    if (const std::int64_t undated = in.signed_varint(); undated != 0) of.months[kUndated] = undated;
    if (const std::int64_t no_begin = in.signed_varint(); no_begin != 0) of.months[kNoBegin] = no_begin;
    std::int64_t month = 0;
    for (std::uint64_t m = in.varint_up_to(in.left()); m > 0 && in.ok(); --m) {
      const std::int64_t step = in.signed_varint();
      if (step < -2 * kMonthMax || step > 2 * kMonthMax) in.fail();
      month += in.ok() ? step : 0;
      if (month < kMonthMin || month > kMonthMax) in.fail();
      const std::int64_t count = in.signed_varint();
      if (in.ok()) of.months[static_cast<Month>(month)] = count;
    }
  }
  for (std::uint64_t n = in.varint_up_to(in.left()); n > 0 && in.ok(); --n) {
    const std::string label(in.bytes(in.varint_up_to(in.left())));
    labels_[label] = in.signed_varint();
  }
}

Result<KeptCounts> KeptCounts::decode(std::string_view bytes) {
  KeptCounts out;
  if (bytes.empty()) return out;
  ByteReader in(bytes);
  out.decode(in);
  if (!in.done()) return make_error(ErrorCode::kCorruption, "what a commit counts has the wrong form");
  return out;
}

void RowCounter::find(Place& place, KindId kind, bool dated, Timestamp begin) {
  counts_.add_row(kind, dated, begin, 0, 0);
  KeptCounts::OfKind& of = counts_.kinds_[kind.value];
  const Month month = dated ? month_of(begin) : kUndated;
  const bool length = month > kMonthMin && month < kMonthMax;
  place = {kind,
           dated,
           length ? begin_of_month(month) : Timestamp{},
           length ? begin_of_month(month + 1) : Timestamp{},
           &of.months[month],
           &of.entries};
}

void count_row(KeptCounts& counts, const Interaction& interaction, std::int64_t sign) {
  std::vector<ActorId> actors;
  for (const Party& party : parties_of(interaction.participants)) actors.push_back(party.actor);
  std::sort(actors.begin(), actors.end());
  actors.erase(std::unique(actors.begin(), actors.end()), actors.end());
  const bool dated = interaction.when.has_value();
  counts.add_row(interaction.kind, dated, dated ? interaction.when->bounds.begin_min : Timestamp::lowest(),
                 actors.size(), sign);
}

void DegreeHistogram::move(std::uint64_t from, std::uint64_t to) {
  if (from != 0) --actors[static_cast<std::size_t>(std::bit_width(from)) - 1];
  if (to != 0) ++actors[static_cast<std::size_t>(std::bit_width(to)) - 1];
}

std::string KeptStatistics::encode() const {
  std::string out;
  put_varint(out, upto.value);
  counts.encode(out);
  std::size_t classes = degrees.actors.size();
  while (classes > 0 && degrees.actors[classes - 1] == 0) --classes;
  put_varint(out, classes);
  for (std::size_t i = 0; i < classes; ++i) put_varint(out, degrees.actors[i]);
  return out;
}

Result<KeptStatistics> KeptStatistics::decode(std::string_view bytes) {
  ByteReader in(bytes);
  KeptStatistics out;
  out.upto = CommitNumber{in.varint()};
  out.counts.decode(in);
  const std::uint64_t classes = in.varint_up_to(out.degrees.actors.size());
  for (std::uint64_t i = 0; i < classes; ++i) out.degrees.actors[i] = in.varint();
  if (!in.done()) {
    return make_error(ErrorCode::kCorruption,
                      "default: the statistics have the wrong form; demarche check STORE --repair");
  }
  return out;
}

std::string degrees_key(std::uint64_t chunk) { return std::string(kDegreesPrefix) + encode_u64(chunk); }

std::string encode_degrees(std::span<const std::uint64_t> degrees) {
  std::size_t count = degrees.size();
  while (count > 1 && degrees[count - 1] == 0) --count;
  degrees = degrees.first(count);
  const auto [least, greatest] = std::minmax_element(degrees.begin(), degrees.end());
  const std::uint32_t width = packed_width(*greatest - *least);
  std::string out;
  put_varint(out, count);
  put_varint(out, *least);
  out += static_cast<char>(width);
  pack_column(out, degrees, *least, width);
  out.append(kColumnPadBytes, '\0');
  return out;
}

Result<DegreeArray> read_degrees(const KvReader& reader, std::uint64_t chunk) {
  DegreeArray out = {};
  DEMARCHE_TRY(const auto bytes, reader.get(Family::kMeta, degrees_key(chunk)));
  if (!bytes) return out;
  ByteReader in(*bytes);
  PackedColumn column;
  const std::uint64_t count = in.varint_up_to(kDegreeChunk);
  column.base = in.varint();
  column.width = in.byte();
  if (!in.ok() || !is_packed_width(column.width) || in.left() != packed_bytes(count, column.width) + kColumnPadBytes) {
    return make_error(ErrorCode::kCorruption,
                      "default: the counts of entries have the wrong form; demarche check STORE --repair");
  }
  column.mask = packed_mask(column.width);
  column.bits = reinterpret_cast<const std::uint8_t*>(in.position());
  unpack_column(column, 0, count, out.data());
  return out;
}

}  // namespace demarche::impl

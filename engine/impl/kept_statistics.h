// What the store counts of itself, for the planner (FORMAT.md, "Statistics"): interactions by kind and month, entries
// of the actors' index, labels, and how many entries each actor has.
//
// They stand in the database as of the last sealing or large commit; each commit says what it takes away and which
// labels it changes; what it adds is told by its rows. So nothing is read twice, and opening reads one value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/impl/bytes.h"
#include "engine/impl/kv.h"
#include "engine/model.h"
#include "engine/result.h"
#include "engine/types.h"

namespace demarche::impl {

// In the family "default".
inline constexpr std::string_view kStatisticsKey = "statistics";
inline constexpr std::string_view kDegreesPrefix = "degrees";  // then the number of the chunk

// Months since January 1970; what is further than the type reaches counts as of its ends.
using Month = std::int32_t;
inline constexpr Month kUndated = std::numeric_limits<Month>::min();
inline constexpr Month kNoBegin = kUndated + 1;  // dated, begun before all that is known
[[nodiscard]] Month month_of(Timestamp begin);
[[nodiscard]] Timestamp begin_of_month(Month month);

// Counts, or how they change: may be negative.
class KeptCounts {
 public:
  struct OfKind {
    std::unordered_map<Month, std::int64_t> months;  // interactions by earliest begin
    std::int64_t entries = 0;                        // one for each interaction and actor in it
  };

  // One interaction, `sign` 1 or -1. `actors`: how many different ones.
  void add_row(KindId kind, bool dated, Timestamp begin, std::size_t actors, std::int64_t sign);
  void add_label(std::string_view label, std::int64_t change) { labels_[std::string(label)] += change; }
  void add(const KeptCounts& other);

  [[nodiscard]] const std::unordered_map<std::uint32_t, OfKind>& kinds() const { return kinds_; }
  [[nodiscard]] const std::map<std::string, std::int64_t, std::less<>>& labels() const { return labels_; }

  // What is zero is left out.
  void encode(std::string& out) const;
  // Alone, as a commit has them: no bytes if nothing is left.
  [[nodiscard]] std::string encode() const;
  void decode(ByteReader& in);
  [[nodiscard]] static Result<KeptCounts> decode(std::string_view bytes);

 private:
  friend class RowCounter;
  std::unordered_map<std::uint32_t, OfKind> kinds_;
  std::map<std::string, std::int64_t, std::less<>> labels_;
  // The month found last.
  Month month_ = 0;
  Timestamp month_begin_;
  Timestamp month_end_;
};

// add_row() for many rows: kinds and months of late are found without a search. While it lives, nobody else changes
// the counts.
class RowCounter {
 public:
  explicit RowCounter(KeptCounts& counts) : counts_(counts) {}
  void add(KindId kind, bool dated, Timestamp begin, std::size_t actors) {
    Place& place = places_[kind.value % places_.size()];
    const bool known =
        place.kind == kind && place.dated == dated && (!dated || (begin >= place.begin && begin < place.end));
    if (!known) find(place, kind, dated, begin);
    ++*place.month;
    *place.entries += static_cast<std::int64_t>(actors);
  }

 private:
  struct Place {
    KindId kind;  // none has 0
    bool dated = false;
    Timestamp begin;  // the month: [begin, end)
    Timestamp end;
    std::int64_t* month = nullptr;
    std::int64_t* entries = nullptr;
  };
  void find(Place& place, KindId kind, bool dated, Timestamp begin);
  KeptCounts& counts_;
  std::array<Place, 64> places_;
};

// The row of an interaction.
void count_row(KeptCounts& counts, const Interaction& interaction, std::int64_t sign);

// How many actors have how many entries, by powers of two: [i] those with 2^i to 2^(i+1) - 1.
struct DegreeHistogram {
  std::array<std::uint64_t, 64> actors = {};

  void move(std::uint64_t from, std::uint64_t to);  // one actor's entries; 0: it is not counted
  friend bool operator==(const DegreeHistogram&, const DegreeHistogram&) = default;
};

// As it is stored: all that stands in blocks.
struct KeptStatistics {
  CommitNumber upto;  // rows, labels and what was retired up to this commit
  KeptCounts counts;
  DegreeHistogram degrees;

  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static Result<KeptStatistics> decode(std::string_view bytes);
};

// Entries in blocks of so many actors stand in one value.
inline constexpr std::size_t kDegreeChunk = 256;
[[nodiscard]] std::string degrees_key(std::uint64_t chunk);
// Those at the end that are 0 are left out. REQUIRES: 1 to kDegreeChunk of them.
[[nodiscard]] std::string encode_degrees(std::span<const std::uint64_t> degrees);
using DegreeArray = std::array<std::uint64_t, kDegreeChunk>;
// Zeroes if the chunk is not there. Errors: kCorruption, kIo.
[[nodiscard]] Result<DegreeArray> read_degrees(const KvReader& reader, std::uint64_t chunk);

// Adds entries to the stored degrees, chunk by chunk. `put` gets keys in ascending order.
class DegreeWriter {
 public:
  // `reader` null: nothing is stored.
  DegreeWriter(const KvReader* reader, DegreeHistogram& histogram) : reader_(reader), histogram_(histogram) {}
  // REQUIRES: actors ascending. Errors: kCorruption, kIo.
  template <typename Put>
  [[nodiscard]] Result<void> add(std::uint64_t actor, std::uint64_t entries, Put put) {
    const std::uint64_t chunk = actor / kDegreeChunk;
    if (!open_ || chunk != chunk_) {
      finish(put);
      if (reader_ != nullptr) {
        DEMARCHE_ASSIGN(degrees_, read_degrees(*reader_, chunk));
      } else {
        degrees_.fill(0);
      }
      chunk_ = chunk;
      open_ = true;
    }
    std::uint64_t& degree = degrees_[actor % kDegreeChunk];
    histogram_.move(degree, degree + entries);
    degree += entries;
    return {};
  }
  template <typename Put>
  void finish(Put put) {
    if (open_) put(degrees_key(chunk_), encode_degrees(degrees_));
    open_ = false;
  }

 private:
  const KvReader* reader_;
  DegreeHistogram& histogram_;
  DegreeArray degrees_ = {};
  std::uint64_t chunk_ = 0;
  bool open_ = false;
};

}  // namespace demarche::impl

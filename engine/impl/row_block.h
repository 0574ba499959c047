// A block of index rows of one owner - an actor, or the timeline - as bit-packed columns (FORMAT.md, "Row blocks").
//
// Rows are sorted by (begin, row) and are all of one length class. What repeats from row to row stands once, in three
// small dictionaries: the *shape* (all of a date but its earliest begin, and the status), the kind, and the *form* (who
// took part as what, without the actors themselves). What is left of a two-party contact of one day is some 40 to 60
// bits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/impl/key_codec.h"
#include "engine/impl/packed_column.h"
#include "engine/model.h"
#include "engine/result.h"
#include "engine/types.h"
#include "engine/when.h"

namespace demarche::impl {

// At most so many parties stand in a row; those of a larger interaction stand once, in the family "participants".
inline constexpr std::size_t kInlinePartiesMax = 8;
// Rows of a full block: some four kilobytes.
inline constexpr std::size_t kBlockRowsMax = 768;
// No index of a kind within a block is as great.
inline constexpr std::size_t kBlockKindsMax = 2048;

// All of a date but its earliest begin, and the status. `offset` of begin_max, end_min, end_max: seconds after the
// earliest begin, in two's complement; absolute where that is minus infinity.
struct Shape {
  enum Flag : std::uint8_t {
    kDated = 1,
    kSpan = 2,
    kQualified = 4,
    kGaps = 8,
    kFineBegin = 16,
    kFineEnd = 32,
    kDamaged = 128  // never stored: what an index outside the dictionary reads as
  };
  enum class Reach : std::uint8_t { kOffset = 0, kMinus = 1, kPlus = 2 };

  std::uint8_t flags = 0;
  Status status = Status::kNone;
  std::array<Reach, 3> reach = {};
  std::array<std::int64_t, 3> offset = {};

  [[nodiscard]] static Shape of(const std::optional<TimeBounds>& bounds, Status status);
  [[nodiscard]] TimeBounds bounds(Timestamp begin) const;
  [[nodiscard]] Timestamp end_max(Timestamp begin) const { return bound(2, begin); }
  [[nodiscard]] Timestamp end_min(Timestamp begin) const { return bound(1, begin); }
  [[nodiscard]] Timestamp bound(std::size_t which, Timestamp begin) const {
    if (reach[which] == Reach::kMinus) return Timestamp::lowest();
    if (reach[which] == Reach::kPlus) return Timestamp::highest();
    const auto origin = begin.is_finite() ? static_cast<std::uint64_t>(begin.seconds) : 0;
    return {static_cast<std::int64_t>(origin + static_cast<std::uint64_t>(offset[which]))};
  }
  friend bool operator==(const Shape&, const Shape&) = default;
};

// Who took part as what. In a block of an actor, that actor is marked as self and does not stand in the row.
struct Form {
  static constexpr std::uint8_t kNoAgent = 0xFF;
  bool listed = false;         // the parties stand in the family "participants", under the row's number
  std::uint8_t count = 0;      // parties; 0 if listed
  std::uint8_t self_mask = 0;  // bit i: party i is the owner of the block
  std::array<Role, kInlinePartiesMax> role = {};
  std::array<std::uint8_t, kInlinePartiesMax> agent = {};  // index of the party that acted for this one, or kNoAgent

  // Actors that stand in the row.
  [[nodiscard]] std::size_t others() const {
    return listed ? 0 : static_cast<std::size_t>(count) - static_cast<std::size_t>(__builtin_popcount(self_mask));
  }
  [[nodiscard]] bool is_self(std::size_t i) const { return (self_mask >> i & 1) != 0; }
  friend bool operator==(const Form&, const Form&) = default;
};

// Shapes and forms by number, for rows on their way into blocks.
class RowDictionary {
 public:
  [[nodiscard]] std::uint32_t intern(const Shape& shape);
  [[nodiscard]] std::uint32_t intern(const Form& form);
  [[nodiscard]] const Shape& shape(std::uint32_t i) const { return shapes_[i]; }
  [[nodiscard]] const Form& form(std::uint32_t i) const { return forms_[i]; }
  // The form with party `self` marked as the owner. REQUIRES: no other party is the same actor.
  [[nodiscard]] std::uint32_t form_of_self(std::uint32_t form, std::size_t self);

 private:
  struct ShapeHash {
    std::size_t operator()(const Shape& shape) const noexcept;
  };
  struct FormHash {
    std::size_t operator()(const Form& form) const noexcept;
  };
  std::vector<Shape> shapes_;
  std::vector<Form> forms_;
  std::unordered_map<Shape, std::uint32_t, ShapeHash> shape_ids_;
  std::unordered_map<Form, std::uint32_t, FormHash> form_ids_;
  std::vector<std::array<std::uint32_t, kInlinePartiesMax>> self_forms_;  // by form; 0: not asked yet
  std::uint32_t last_shape_ = 0;
  std::uint32_t last_form_ = 0;
};

// One row on its way into a block. Its other actors are others[others_begin, + form.others()) of its RowList.
struct IndexRow {
  Timestamp begin;
  std::uint64_t row = 0;
  std::uint64_t interaction = 0;
  std::uint32_t kind = 0;
  std::uint32_t shape = 0;
  std::uint32_t form = 0;
  std::uint32_t others_begin = 0;
};

// Rows of one owner and one length class, with their actors.
struct RowList {
  std::vector<IndexRow> rows;
  std::vector<std::uint64_t> others;
  void clear() {
    rows.clear();
    others.clear();
  }
  void sort();
};

// Encodes rows into block values. Keeps its memory from call to call; one per thread.
class RowBlockEncoder {
 public:
  // REQUIRES: 1 <= rows.size(), rows sorted by (begin, row) and of one length class.
  [[nodiscard]] std::string encode(std::span<const IndexRow> rows, std::span<const std::uint64_t> others,
                                   const RowDictionary& dictionary);

 private:
  std::vector<std::uint64_t> column_;
  std::vector<std::uint64_t> shape_column_;
  std::vector<std::uint64_t> kind_column_;
  std::vector<std::uint64_t> form_column_;
  std::vector<std::uint32_t> shapes_;
  std::vector<std::uint32_t> kinds_;
  std::vector<std::uint32_t> forms_;
  std::vector<std::uint64_t> others_;
};

// A block being read. Borrows the bytes. parse() may be repeated on one object, which keeps its memory.
class RowBlock {
 public:
  // Errors: kCorruption.
  [[nodiscard]] Result<void> parse(std::string_view bytes);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Timestamp begin(std::size_t i) const {
    if (minus_infinity_) return Timestamp::lowest();
    return {static_cast<std::int64_t>(begin_.at(i) * static_cast<std::uint64_t>(unit_))};  // damage may wrap around
  }
  [[nodiscard]] Timestamp first_begin() const { return begin(0); }
  [[nodiscard]] Timestamp last_begin() const { return begin(size_ - 1); }
  // The first row that begins at `t` or later, within [from, size()].
  [[nodiscard]] std::size_t lower_bound(Timestamp t, std::size_t from = 0) const;
  // The least and the greatest latest end; the least earliest end.
  [[nodiscard]] Timestamp end_max_least() const { return end_max_least_; }
  [[nodiscard]] Timestamp end_max_greatest() const { return end_max_greatest_; }
  // No row number is below the first nor above the second.
  [[nodiscard]] std::uint64_t row_floor() const { return row_.base; }
  [[nodiscard]] std::uint64_t row_ceiling() const { return row_.base + row_.mask; }

  [[nodiscard]] std::uint64_t row(std::size_t i) const { return row_.at(i); }
  [[nodiscard]] std::uint64_t interaction(std::size_t i) const { return row_.at(i) - behind_.at(i); }
  // An index outside its dictionary gives a shape with kDamaged, kind 0, and a form of a list that is not there.
  [[nodiscard]] const Shape& shape(std::size_t i) const { return shapes_[shape_index_.raw(i)]; }
  [[nodiscard]] const Form& form(std::size_t i) const { return forms_[form_index_.raw(i)]; }
  [[nodiscard]] KindId kind(std::size_t i) const { return KindId{kinds_[kind_index_.raw(i)]}; }
  [[nodiscard]] std::size_t others_begin(std::size_t i) const {
    return uniform_others_ ? i * others_each_ : others_offset_.raw(i);
  }
  [[nodiscard]] ActorId other(std::size_t at) const { return ActorId{other_.at(at)}; }

  // The dictionaries. A damaged index may be greater than their size, up to the mask of its column.
  [[nodiscard]] std::span<const Shape> shapes() const { return std::span(shapes_).first(shape_count_); }
  [[nodiscard]] std::span<const std::uint32_t> kinds() const { return std::span(kinds_).first(kind_count_); }
  [[nodiscard]] std::span<const Form> forms() const { return std::span(forms_).first(form_count_); }
  // If every form has the same number of other actors: that number.
  [[nodiscard]] std::optional<std::size_t> uniform_others() const {
    return uniform_others_ ? std::optional(others_each_) : std::nullopt;
  }

  // Memory besides the object itself and the bytes.
  [[nodiscard]] std::size_t memory_bytes() const {
    return shapes_.capacity() * sizeof(Shape) + kinds_.capacity() * sizeof(std::uint32_t) +
           forms_.capacity() * sizeof(Form);
  }

  // Raw columns for those who read many rows at once.
  [[nodiscard]] const PackedColumn& begin_column() const { return begin_; }
  [[nodiscard]] std::int64_t begin_unit() const { return unit_; }
  [[nodiscard]] const PackedColumn& shape_column() const { return shape_index_; }
  [[nodiscard]] const PackedColumn& kind_column() const { return kind_index_; }
  [[nodiscard]] const PackedColumn& form_column() const { return form_index_; }
  [[nodiscard]] const PackedColumn& other_column() const { return other_; }
  [[nodiscard]] const PackedColumn& row_column() const { return row_; }
  [[nodiscard]] const PackedColumn& behind_column() const { return behind_; }

  // Appends row i to `list`, its shape and form taken into `dictionary`.
  void append_to(RowList& list, RowDictionary& dictionary, std::size_t i) const;

 private:
  std::size_t size_ = 0;
  bool minus_infinity_ = false;
  bool uniform_others_ = true;
  std::size_t others_each_ = 0;
  std::int64_t unit_ = 1;
  Timestamp end_max_least_;
  Timestamp end_max_greatest_;
  PackedColumn begin_;  // begins in units, as unsigned two's complement
  PackedColumn shape_index_;
  PackedColumn kind_index_;
  PackedColumn form_index_;
  PackedColumn others_offset_;
  PackedColumn other_;
  PackedColumn row_;
  PackedColumn behind_;  // row - interaction
  // Filled up behind their counts: see fill_up().
  std::vector<Shape> shapes_;
  std::vector<std::uint32_t> kinds_;
  std::vector<Form> forms_;
  std::size_t shape_count_ = 0;
  std::size_t kind_count_ = 0;
  std::size_t form_count_ = 0;
};

// ---- from an interaction to its rows -------------------------------------------------------------------------------

// The parties of one row, as they go into blocks: the timeline's row has all of them, an actor's row all but itself.
struct RowSource {
  RowNumber row;
  InteractionId interaction;
  KindId kind;
  std::optional<TimeBounds> bounds;  // nullopt: undated
  Status status = Status::kNone;
  std::span<const Party> parties;
};

[[nodiscard]] Form form_of(std::span<const Party> parties);
// Appends the timeline's row.
void append_timeline_row(RowList& list, RowDictionary& dictionary, const RowSource& source);
// Appends the row of `actor`, one of the parties.
void append_actor_row(RowList& list, RowDictionary& dictionary, const RowSource& source, ActorId actor);
[[nodiscard]] LengthClass length_class_of(const RowSource& source);

// Value of the family "participants", for interactions of more than kInlinePartiesMax parties.
[[nodiscard]] std::string encode_parties(std::span<const Party> parties);
[[nodiscard]] Result<std::vector<Party>> decode_parties(std::string_view bytes);

}  // namespace demarche::impl

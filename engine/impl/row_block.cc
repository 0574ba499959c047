#include "engine/impl/row_block.h"

#include <algorithm>
#include <cassert>
#include <tuple>
#include <utility>

#include "engine/impl/bytes.h"

namespace demarche::impl {

namespace {

// Flags of a block. Stored, never renumber.
constexpr std::uint8_t kWholeDays = 1;      // begins are counted in days, not seconds
constexpr std::uint8_t kMinusInfinity = 2;  // every row begins at minus infinity
constexpr std::uint8_t kKindRange = 4;      // the kinds are a run of numbers
constexpr std::uint8_t kOthersOffsets = 8;  // rows differ in the number of other actors
constexpr std::uint8_t kAllBlockFlags = 15;

// A form's byte for a party: role 1 to 23, and these.
constexpr std::uint8_t kPartySelf = 0x20;
constexpr std::uint8_t kPartyAgent = 0x40;  // the index of its agent follows
constexpr std::uint8_t kRoleBits = 0x1F;

constexpr std::uint8_t kShapeFlags = 63;
constexpr std::uint8_t kFormListed = 0xFF;

Error damaged(const char* what) {
  return {ErrorCode::kCorruption, std::string("a row block ") + what + "; stop writing to this store", nullptr};
}

std::size_t mix(std::size_t h, std::uint64_t v) { return (h ^ v) * 0x9E3779B97F4A7C15ULL ^ (h >> 29); }

}  // namespace

// ---- shapes and forms ----------------------------------------------------------------------------------------------

Shape Shape::of(const std::optional<TimeBounds>& bounds, Status status) {
  Shape out;
  out.status = status;
  const TimeBounds b = bounds.value_or(TimeBounds{});
  if (bounds) {
    out.flags = static_cast<std::uint8_t>(kDated | (b.is_span ? kSpan : 0) | (b.qualified ? kQualified : 0) |
                                          (b.has_gaps ? kGaps : 0) | (b.fine_begin ? kFineBegin : 0) |
                                          (b.fine_end ? kFineEnd : 0));
  }
  const std::array<Timestamp, 3> ends = {b.begin_max, b.end_min, b.end_max};
  const auto origin = b.begin_min.is_finite() ? static_cast<std::uint64_t>(b.begin_min.seconds) : 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (ends[i] == Timestamp::lowest()) {
      out.reach[i] = Reach::kMinus;
    } else if (ends[i] == Timestamp::highest()) {
      out.reach[i] = Reach::kPlus;
    } else {
      out.offset[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(ends[i].seconds) - origin);
    }
  }
  return out;
}

TimeBounds Shape::bounds(Timestamp begin) const {
  TimeBounds out;
  out.is_span = (flags & kSpan) != 0;
  out.qualified = (flags & kQualified) != 0;
  out.has_gaps = (flags & kGaps) != 0;
  out.fine_begin = (flags & kFineBegin) != 0;
  out.fine_end = (flags & kFineEnd) != 0;
  out.begin_min = begin;
  out.begin_max = bound(0, begin);
  out.end_min = bound(1, begin);
  out.end_max = bound(2, begin);
  return out;
}

Form form_of(std::span<const Party> parties) {
  Form out;
  if (parties.size() > kInlinePartiesMax) {
    out.listed = true;
    return out;
  }
  out.count = static_cast<std::uint8_t>(parties.size());
  for (std::size_t i = 0; i < parties.size(); ++i) {
    out.role[i] = parties[i].role;
    out.agent[i] = parties[i].agent == Party::kNoAgent ? Form::kNoAgent : static_cast<std::uint8_t>(parties[i].agent);
  }
  return out;
}

std::size_t RowDictionary::ShapeHash::operator()(const Shape& s) const noexcept {
  std::size_t h = s.flags | static_cast<std::size_t>(s.status) << 8;
  for (std::size_t i = 0; i < 3; ++i) {
    h = mix(h, static_cast<std::uint64_t>(s.offset[i]) * 4 + static_cast<std::uint64_t>(s.reach[i]));
  }
  return h;
}

std::size_t RowDictionary::FormHash::operator()(const Form& f) const noexcept {
  std::size_t h = f.count | static_cast<std::size_t>(f.self_mask) << 8 | (f.listed ? std::size_t{1} << 16 : 0);
  for (std::size_t i = 0; i < f.count && i < kInlinePartiesMax; ++i) {
    h = mix(h, static_cast<std::uint64_t>(f.role[i]) << 8 | f.agent[i]);
  }
  return h;
}

std::uint32_t RowDictionary::intern(const Shape& shape) {
  if (last_shape_ < shapes_.size() && shapes_[last_shape_] == shape) return last_shape_;
  const auto [at, added] = shape_ids_.emplace(shape, static_cast<std::uint32_t>(shapes_.size()));
  if (added) shapes_.push_back(shape);
  return last_shape_ = at->second;
}

std::uint32_t RowDictionary::intern(const Form& form) {
  if (last_form_ < forms_.size() && forms_[last_form_] == form) return last_form_;
  const auto [at, added] = form_ids_.emplace(form, static_cast<std::uint32_t>(forms_.size()));
  if (added) forms_.push_back(form);
  return last_form_ = at->second;
}

std::uint32_t RowDictionary::form_of_self(std::uint32_t form, std::size_t self) {
  if (self_forms_.size() < forms_.size()) self_forms_.resize(forms_.size());
  std::uint32_t& known = self_forms_[form][self];
  if (known != 0) return known - 1;
  Form marked = forms_[form];
  marked.self_mask = static_cast<std::uint8_t>(1U << self);
  const std::uint32_t id = intern(marked);
  if (self_forms_.size() < forms_.size()) self_forms_.resize(forms_.size());
  self_forms_[form][self] = id + 1;
  return id;
}

// ---- rows ----------------------------------------------------------------------------------------------------------

void RowList::sort() {
  const auto less = [](const IndexRow& a, const IndexRow& b) {
    return std::tie(a.begin.seconds, a.row) < std::tie(b.begin.seconds, b.row);
  };
  if (!std::is_sorted(rows.begin(), rows.end(), less)) std::sort(rows.begin(), rows.end(), less);
}

LengthClass length_class_of(const RowSource& source) { return length_class(source.bounds.value_or(TimeBounds{})); }

namespace {

IndexRow make_row(const RowList& list, RowDictionary& dictionary, const RowSource& source) {
  IndexRow row;
  row.begin = source.bounds ? source.bounds->begin_min : Timestamp::lowest();
  row.row = source.row.value;
  row.interaction = source.interaction.value;
  row.kind = source.kind.value;
  row.shape = dictionary.intern(Shape::of(source.bounds, source.status));
  row.others_begin = static_cast<std::uint32_t>(list.others.size());
  return row;
}

}  // namespace

void append_timeline_row(RowList& list, RowDictionary& dictionary, const RowSource& source) {
  IndexRow row = make_row(list, dictionary, source);
  const Form form = form_of(source.parties);
  row.form = dictionary.intern(form);
  if (!form.listed) {
    for (const Party& party : source.parties) list.others.push_back(party.actor.value);
  }
  list.rows.push_back(row);
}

void append_actor_row(RowList& list, RowDictionary& dictionary, const RowSource& source, ActorId actor) {
  IndexRow row = make_row(list, dictionary, source);
  Form form = form_of(source.parties);
  if (!form.listed) {
    for (std::size_t i = 0; i < source.parties.size(); ++i) {
      if (source.parties[i].actor == actor) {
        form.self_mask = static_cast<std::uint8_t>(form.self_mask | 1U << i);
      } else {
        list.others.push_back(source.parties[i].actor.value);
      }
    }
  }
  row.form = dictionary.intern(form);
  list.rows.push_back(row);
}

// ---- writing -------------------------------------------------------------------------------------------------------

namespace {

// The number of `value` in `local`, added if it is not there. Blocks have few of each, the last one is asked first.
std::uint64_t local_index(std::vector<std::uint32_t>& local, std::uint32_t value, std::uint64_t& last) {
  if (last < local.size() && local[last] == value) return last;
  const auto at = std::find(local.begin(), local.end(), value);
  last = static_cast<std::uint64_t>(at - local.begin());
  if (at == local.end()) local.push_back(value);
  return last;
}

struct Frame {
  std::uint64_t base = 0;
  std::uint32_t width = 0;
};

Frame frame_of(std::span<const std::uint64_t> values) {
  if (values.empty()) return {};
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  return {*least, packed_width(*greatest - *least)};
}

std::uint32_t index_width(std::size_t count) { return packed_width(count - 1); }

void put_bound(std::string& out, Timestamp t, Timestamp origin) {
  if (t == Timestamp::lowest()) {
    out += static_cast<char>(Shape::Reach::kMinus);
  } else if (t == Timestamp::highest()) {
    out += static_cast<char>(Shape::Reach::kPlus);
  } else {
    out += static_cast<char>(Shape::Reach::kOffset);
    put_signed(out, static_cast<std::int64_t>(static_cast<std::uint64_t>(t.seconds) -
                                              static_cast<std::uint64_t>(origin.seconds)));
  }
}

void put_shape(std::string& out, const Shape& shape) {
  out += static_cast<char>(shape.flags);
  out += static_cast<char>(static_cast<unsigned>(shape.status) | static_cast<unsigned>(shape.reach[0]) << 2 |
                           static_cast<unsigned>(shape.reach[1]) << 4 | static_cast<unsigned>(shape.reach[2]) << 6);
  const bool moment = (shape.flags & Shape::kSpan) == 0;
  // The end of a moment is its begin: its earliest end is the earliest begin, its latest end the latest begin.
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
    if (moment && i != 0) break;
    if (shape.reach[i] == Shape::Reach::kOffset) put_signed(out, shape.offset[i]);
  }
}

void put_form(std::string& out, const Form& form) {
  if (form.listed) {
    out += static_cast<char>(kFormListed);
    return;
  }
  out += static_cast<char>(form.count);
  for (std::size_t i = 0; i < form.count; ++i) {
    const bool agent = form.agent[i] != Form::kNoAgent;
    out += static_cast<char>(static_cast<unsigned>(form.role[i]) | (form.is_self(i) ? kPartySelf : 0U) |
                             (agent ? kPartyAgent : 0U));
    if (agent) out += static_cast<char>(form.agent[i]);
  }
}

}  // namespace

std::string RowBlockEncoder::encode(std::span<const IndexRow> rows, std::span<const std::uint64_t> others,
                                    const RowDictionary& dictionary) {
  assert(!rows.empty());
  const bool minus_infinity =
      std::all_of(rows.begin(), rows.end(), [](const IndexRow& row) { return row.begin == Timestamp::lowest(); });
  const Timestamp origin = rows.front().begin.is_finite() ? rows.front().begin : Timestamp{0};

  shapes_.clear();
  kinds_.clear();
  forms_.clear();
  others_.clear();
  shape_column_.clear();
  kind_column_.clear();
  form_column_.clear();
  bool whole_days = true;
  bool uniform = true;
  const std::size_t others_each = dictionary.form(rows.front().form).others();
  Timestamp end_max_least = Timestamp::highest();
  Timestamp end_max_greatest = Timestamp::lowest();
  std::uint64_t last_shape = 0;
  std::uint64_t last_form = 0;
  std::uint64_t last_kind = 0;
  // Kinds change from row to row, and a search among a block's twenty costs more than all else here.
  std::array<bool, kBlockKindsMax> known_kinds = {};
  for (const IndexRow& row : rows) {
    whole_days = whole_days && row.begin.seconds % kSecondsPerDay == 0;
    shape_column_.push_back(local_index(shapes_, row.shape, last_shape));
    form_column_.push_back(local_index(forms_, row.form, last_form));
    if (row.kind >= known_kinds.size()) {
      (void)local_index(kinds_, row.kind, last_kind);
    } else if (!std::exchange(known_kinds[row.kind], true)) {
      kinds_.push_back(row.kind);
    }
    const Timestamp end = dictionary.shape(row.shape).end_max(row.begin);
    end_max_least = std::min(end_max_least, end);
    end_max_greatest = std::max(end_max_greatest, end);
    const std::size_t count = dictionary.form(row.form).others();
    uniform = uniform && count == others_each;
    others_.insert(others_.end(), others.begin() + row.others_begin, others.begin() + row.others_begin + count);
  }
  std::sort(kinds_.begin(), kinds_.end());
  // A run of numbers needs no list, at most one bit more a row.
  const std::uint64_t run = std::uint64_t{kinds_.back()} - kinds_.front() + 1;
  const bool kind_range = run <= 2 * kinds_.size();
  for (const IndexRow& row : rows) {
    kind_column_.push_back(kind_range ? row.kind - kinds_.front()
                                      : static_cast<std::uint64_t>(
                                            std::lower_bound(kinds_.begin(), kinds_.end(), row.kind) - kinds_.begin()));
  }
  const std::int64_t unit = whole_days && !minus_infinity ? kSecondsPerDay : 1;

  std::string out;
  std::string columns;
  put_varint(out, rows.size());
  out += static_cast<char>((unit == kSecondsPerDay ? kWholeDays : 0) | (minus_infinity ? kMinusInfinity : 0) |
                           (kind_range ? kKindRange : 0) | (uniform ? 0 : kOthersOffsets));
  put_bound(out, end_max_least, origin);
  put_bound(out, end_max_greatest, origin);
  put_varint(out, shapes_.size());
  for (const std::uint32_t i : shapes_) put_shape(out, dictionary.shape(i));
  if (kind_range) {
    put_varint(out, run);
    put_varint(out, kinds_.front());
  } else {
    put_varint(out, kinds_.size());
    std::uint32_t before = 0;
    for (const std::uint32_t kind : kinds_) {
      put_varint(out, kind - before);
      before = kind;
    }
  }
  put_varint(out, forms_.size());
  for (const std::uint32_t i : forms_) put_form(out, dictionary.form(i));

  const auto add_column = [&](std::span<const std::uint64_t> values, Frame frame) {
    out += static_cast<char>(frame.width);
    pack_column(columns, values, frame.base, frame.width);
  };
  if (!minus_infinity) {
    column_.clear();
    std::int64_t least = rows.front().begin.seconds / unit;
    std::int64_t greatest = least;  // pages of a commit are not sorted by begin
    for (const IndexRow& row : rows) {
      const std::int64_t begin = row.begin.seconds / unit;
      least = std::min(least, begin);
      greatest = std::max(greatest, begin);
      column_.push_back(static_cast<std::uint64_t>(begin));
    }
    const Frame frame{static_cast<std::uint64_t>(least),
                      packed_width(static_cast<std::uint64_t>(greatest) - static_cast<std::uint64_t>(least))};
    put_signed(out, static_cast<std::int64_t>(frame.base));
    add_column(column_, frame);
  }
  pack_column(columns, shape_column_, 0, index_width(shapes_.size()));
  pack_column(columns, kind_column_, 0, index_width(kind_range ? static_cast<std::size_t>(run) : kinds_.size()));
  pack_column(columns, form_column_, 0, index_width(forms_.size()));
  if (!uniform) {
    column_.clear();
    std::uint64_t at = 0;
    for (const IndexRow& row : rows) {
      column_.push_back(at);
      at += dictionary.form(row.form).others();
    }
    put_varint(out, at);
    add_column(column_, {0, packed_width(at)});
  }
  if (!others_.empty()) {
    const Frame frame = frame_of(others_);
    put_varint(out, frame.base);
    add_column(others_, frame);
  }
  column_.clear();
  for (const IndexRow& row : rows) column_.push_back(row.row);
  Frame frame = frame_of(column_);
  put_varint(out, frame.base);
  add_column(column_, frame);
  column_.clear();
  for (const IndexRow& row : rows) column_.push_back(row.row - row.interaction);
  frame = frame_of(column_);
  put_varint(out, frame.base);
  add_column(column_, frame);

  out += columns;
  out.append(kColumnPadBytes, '\0');
  return out;
}

// ---- reading -------------------------------------------------------------------------------------------------------

namespace {

Timestamp read_bound(ByteReader& in, Timestamp origin) {
  switch (in.byte()) {
    case static_cast<std::uint8_t>(Shape::Reach::kOffset):
      return {static_cast<std::int64_t>(static_cast<std::uint64_t>(in.signed_varint()) +
                                        static_cast<std::uint64_t>(origin.seconds))};
    case static_cast<std::uint8_t>(Shape::Reach::kMinus):
      return Timestamp::lowest();
    case static_cast<std::uint8_t>(Shape::Reach::kPlus):
      return Timestamp::highest();
    default:
      in.fail();
      return {};
  }
}

Shape read_shape(ByteReader& in) {
  Shape out;
  out.flags = in.byte();
  const std::uint8_t rest = in.byte();
  if (out.flags > kShapeFlags) in.fail();
  out.status = static_cast<Status>(rest & 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto reach = static_cast<std::uint8_t>(rest >> (2 + 2 * i) & 3);
    if (reach > 2) in.fail();
    out.reach[i] = static_cast<Shape::Reach>(reach);
  }
  const bool moment = (out.flags & Shape::kSpan) == 0;
  for (std::size_t i = 0; i < 3; ++i) {
    if (moment && i != 0) break;
    if (out.reach[i] == Shape::Reach::kOffset) out.offset[i] = in.signed_varint();
  }
  if (moment && out.reach[2] == Shape::Reach::kOffset) out.offset[2] = out.offset[0];
  return out;
}

Form read_form(ByteReader& in) {
  Form out;
  const std::uint8_t count = in.byte();
  if (count == kFormListed) {
    out.listed = true;
    return out;
  }
  if (count > kInlinePartiesMax) {
    in.fail();
    return out;
  }
  out.count = count;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t byte = in.byte();
    const auto role = static_cast<std::uint8_t>(byte & kRoleBits);
    if (role == 0 || role > kRoleCount || (byte & 0x80) != 0) in.fail();
    out.role[i] = static_cast<Role>(role);
    if ((byte & kPartySelf) != 0) out.self_mask = static_cast<std::uint8_t>(out.self_mask | 1U << i);
    out.agent[i] = (byte & kPartyAgent) != 0 ? in.byte() : Form::kNoAgent;
    if (out.agent[i] != Form::kNoAgent && out.agent[i] >= count) in.fail();
  }
  return out;
}

template <typename T>
void fill_up(std::vector<T>& values, std::uint64_t mask, const T& filler) {
  if (values.size() <= mask) values.resize(mask + 1, filler);
}

}  // namespace

Result<void> RowBlock::parse(std::string_view bytes) {
  ByteReader in(bytes);
  size_ = in.varint_up_to(kBlockRowsMax);
  const std::uint8_t flags = in.byte();
  if (size_ == 0 || flags > kAllBlockFlags) return tl::unexpected(damaged("has no rows or unknown flags"));
  minus_infinity_ = (flags & kMinusInfinity) != 0;
  unit_ = (flags & kWholeDays) != 0 ? kSecondsPerDay : 1;
  uniform_others_ = (flags & kOthersOffsets) == 0;
  // The bounds are written before the begin they are counted from, so that a directory can be read without columns;
  // they are offsets from the first begin, added below.
  const Timestamp least = read_bound(in, {0});
  const Timestamp greatest = read_bound(in, {0});

  const std::uint64_t shape_count = in.varint_up_to(size_);
  shapes_.clear();
  for (std::uint64_t i = 0; i < shape_count && in.ok(); ++i) {
    Shape shape = read_shape(in);
    // The earliest end of a moment is its earliest begin.
    if ((shape.flags & Shape::kSpan) == 0) {
      if (shape.reach[1] == Shape::Reach::kOffset) shape.offset[1] = 0;
      if (shape.reach[1] == Shape::Reach::kPlus) in.fail();
    }
    shapes_.push_back(shape);
  }
  const std::uint64_t kind_count = in.varint_up_to(2 * size_);
  kinds_.clear();
  std::uint64_t kind = 0;
  for (std::uint64_t i = 0; i < kind_count && in.ok(); ++i) {
    kind = (flags & kKindRange) != 0 && i > 0 ? kind + 1 : kind + in.varint_up_to(0xFFFFFFFF);
    if (kind > 0xFFFFFFFF || kind == 0) in.fail();
    kinds_.push_back(static_cast<std::uint32_t>(kind));
  }
  const std::uint64_t form_count = in.varint_up_to(size_);
  forms_.clear();
  for (std::uint64_t i = 0; i < form_count && in.ok(); ++i) forms_.push_back(read_form(in));
  if (!in.ok() || shapes_.empty() || kinds_.empty() || forms_.empty()) {
    return tl::unexpected(damaged("has a damaged dictionary"));
  }

  const auto width_of = [&in]() -> std::uint32_t {
    const std::uint8_t width = in.byte();
    if (!is_packed_width(width)) in.fail();
    return in.ok() ? width : 0;
  };
  const auto column_of = [](std::uint64_t base, std::uint32_t width) {
    return PackedColumn{nullptr, base, packed_mask(width), width};
  };
  begin_ = {};
  if (!minus_infinity_) {
    const std::int64_t base = in.signed_varint();
    begin_ = column_of(static_cast<std::uint64_t>(base), width_of());
  }
  shape_index_ = column_of(0, index_width(shapes_.size()));
  kind_index_ = column_of(0, index_width(kinds_.size()));
  form_index_ = column_of(0, index_width(forms_.size()));
  others_each_ = forms_.front().others();
  std::uint64_t other_count = size_ * others_each_;
  others_offset_ = {};
  if (!uniform_others_) {
    other_count = in.varint_up_to(size_ * kInlinePartiesMax);
    others_offset_ = column_of(0, width_of());
  } else {
    for (const Form& form : forms_) {
      if (form.others() != others_each_) return tl::unexpected(damaged("has forms of different sizes"));
    }
  }
  other_ = {};
  if (other_count != 0) {
    const std::uint64_t base = in.varint();
    other_ = column_of(base, width_of());
  }
  const std::uint64_t row_base = in.varint();
  row_ = column_of(row_base, width_of());
  const std::uint64_t behind_base = in.varint();
  behind_ = column_of(behind_base, width_of());
  if (!in.ok()) return tl::unexpected(damaged("has a damaged header"));

  const char* at = in.position();
  const char* const end = bytes.data() + bytes.size();
  std::uint64_t needed = kColumnPadBytes;
  const auto place = [&](PackedColumn& column, std::uint64_t count) {
    column.bits = reinterpret_cast<const std::uint8_t*>(at) + (needed - kColumnPadBytes);
    needed += packed_bytes(count, column.width);
  };
  if (!minus_infinity_) place(begin_, size_);
  place(shape_index_, size_);
  place(kind_index_, size_);
  place(form_index_, size_);
  if (!uniform_others_) place(others_offset_, size_);
  if (other_count != 0) place(other_, other_count);
  place(row_, size_);
  place(behind_, size_);
  if (static_cast<std::uint64_t>(end - at) != needed) return tl::unexpected(damaged("has the wrong length"));

  // Numbers that fit an index but name nothing read as damage, not as foreign memory.
  Shape no_shape;
  no_shape.flags = Shape::kDamaged;
  Form no_form;
  no_form.listed = true;
  no_form.count = kFormListed;
  shape_count_ = shapes_.size();
  kind_count_ = kinds_.size();
  form_count_ = forms_.size();
  fill_up(shapes_, shape_index_.mask, no_shape);
  fill_up(kinds_, kind_index_.mask, std::uint32_t{0});
  fill_up(forms_, form_index_.mask, no_form);
  if (!uniform_others_) {
    for (std::size_t i = 0; i < size_; ++i) {
      const std::uint64_t next = i + 1 < size_ ? others_offset_.raw(i + 1) : other_count;
      const std::uint64_t first = others_offset_.raw(i);
      if (first > next || first + form(i).others() != next) {
        return tl::unexpected(damaged("mixes up its actors"));
      }
    }
  }
  const Timestamp origin = begin(0).is_finite() ? begin(0) : Timestamp{0};
  const auto shifted = [origin](Timestamp t) {
    return t.is_finite() ? Timestamp{static_cast<std::int64_t>(static_cast<std::uint64_t>(t.seconds) +
                                                               static_cast<std::uint64_t>(origin.seconds))}
                         : t;
  };
  end_max_least_ = shifted(least);
  end_max_greatest_ = shifted(greatest);
  return {};
}

std::size_t RowBlock::lower_bound(Timestamp t, std::size_t from) const {
  if (minus_infinity_) return t == Timestamp::lowest() ? from : size_;
  std::size_t low = from;
  std::size_t high = size_;
  // Of most blocks all rows or none are wanted.
  if (low >= high || begin(low) >= t) return low;
  if (last_begin() < t) return high;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (begin(middle) < t) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void RowBlock::append_to(RowList& list, RowDictionary& dictionary, std::size_t i) const {
  IndexRow row;
  row.begin = begin(i);
  row.row = this->row(i);
  row.interaction = interaction(i);
  row.kind = kind(i).value;
  row.shape = dictionary.intern(shape(i));
  row.form = dictionary.intern(form(i));
  row.others_begin = static_cast<std::uint32_t>(list.others.size());
  const std::size_t first = others_begin(i);
  for (std::size_t k = 0; k < form(i).others(); ++k) list.others.push_back(other(first + k).value);
  list.rows.push_back(row);
}

// ---- participants of large interactions ----------------------------------------------------------------------------

std::string encode_parties(std::span<const Party> parties) {
  std::string out;
  put_varint(out, parties.size());
  for (const Party& party : parties) {
    put_varint(out, party.actor.value);
    const bool agent = party.agent != Party::kNoAgent;
    out += static_cast<char>(static_cast<unsigned>(party.role) | (agent ? kPartyAgent : 0U));
    if (agent) put_varint(out, party.agent);
  }
  return out;
}

Result<std::vector<Party>> decode_parties(std::string_view bytes) {
  ByteReader in(bytes);
  std::vector<Party> out;
  const std::uint64_t count = in.varint_up_to(bytes.size());
  out.reserve(count);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    Party party;
    party.actor = ActorId{in.varint()};
    const std::uint8_t byte = in.byte();
    const auto role = static_cast<std::uint8_t>(byte & kRoleBits);
    if (role == 0 || role > kRoleCount) in.fail();
    party.role = static_cast<Role>(role);
    if ((byte & kPartyAgent) != 0) party.agent = static_cast<std::uint16_t>(in.varint_up_to(count - 1));
    out.push_back(party);
  }
  if (!in.done()) {
    return make_error(ErrorCode::kCorruption, "a list of participants does not decode; stop writing to this store");
  }
  return out;
}

}  // namespace demarche::impl

#include "engine/contact_scan.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include "engine/contact.h"
#include "engine/impl/block_walk.h"
#include "engine/impl/read_state.h"

namespace demarche {

namespace {

using impl::Form;
using impl::RowBlock;
using impl::RowRange;
using impl::Shape;

// Column values that are needed for few of many rows are picked one by one; for more, all are unpacked.
constexpr std::size_t kPickBelow = 4;
// Lines of many actors are handed out once there are so many.
constexpr std::size_t kLinesEnough = 1024;

Error damaged() {
  return {ErrorCode::kCorruption, "a row points outside its block's dictionary; stop writing to this store", nullptr};
}

// The usual form: two parties, nobody acting for another, in contact or not by their roles alone.
struct PairForm {
  bool is_pair = false;
  bool in_contact = false;  // in a kind with a rule of contact
};

PairForm pair_form(const Form& form, bool of_actor) {
  PairForm out;
  if (form.listed || form.count != 2 || form.agent[0] != Form::kNoAgent || form.agent[1] != Form::kNoAgent) return out;
  if (form.others() != (of_actor ? 1U : 2U)) return out;  // an actor with itself
  out.is_pair = true;
  const std::array<Party, 2> parties = {Party{ActorId{1}, form.role[0], Party::kNoAgent},
                                        Party{ActorId{2}, form.role[1], Party::kNoAgent}};
  out.in_contact = in_contact(parties, 0, 1, /*rule=*/true);
  return out;
}

ContactScanOptions narrowed(ContactScanOptions options, const impl::ReadState& read) {
  if (read.valid) options.window = read.valid->narrowed(options.window);
  return options;
}

}  // namespace

bool fits(const TimeBounds& bounds, TimeWindow window, WindowFit fit) {
  if (window == TimeWindow{}) return true;
  const bool open_begin = window.begin == Timestamp::lowest();
  const bool open_end = window.end == Timestamp::highest();
  switch (fit) {
    case WindowFit::kMeets:
      return bounds.end_max >= window.begin && (open_end || bounds.begin_min < window.end);
    case WindowFit::kWithin:
      return !bounds.qualified && (open_begin || bounds.begin_min >= window.begin) &&
             (open_end || bounds.end_max < window.end);
    case WindowFit::kPossiblyWithin:
      return (open_begin || bounds.begin_max >= window.begin) && (open_end || bounds.end_min < window.end);
  }
  return false;
}

struct ContactScan::State {
  State(const View& view, std::shared_ptr<const impl::ReadState> read_state, std::uint64_t owner_id,
        const ContactScanOptions& scan_options)
      : read(std::move(read_state)),
        kinds(&view.kinds()),
        owner(owner_id),
        options(narrowed(scan_options, *read)),
        wanted(scan_options.kinds.is_any() && !scan_options.interactions ? view.kinds().contacts()
                                                                         : scan_options.kinds),
        walk(read, owner_id, options.window) {
    if (options.interactions)
      options.columns &= static_cast<std::uint8_t>(~static_cast<unsigned>(ContactColumn::kOther));
  }

  [[nodiscard]] bool of_actor() const { return owner != impl::kTimelineOwner; }
  // The next block of the actor, of the next actor, or of the timeline; null at the end.
  Result<const RowBlock*> next_block(RowRange& range);
  [[nodiscard]] bool asks(ContactColumn column) const {
    return (options.columns & static_cast<std::uint8_t>(column)) != 0;
  }

  // Positions of the rows wanted, in `chosen`. Errors: kCorruption.
  Result<void> choose(const RowBlock& block, RowRange range);
  // True if every row of the block is one contact, found in the columns as they stand.
  bool is_plain(const RowBlock& block) const;
  void take_plain(const RowBlock& block, ContactLines& lines);
  void take_bounds(const RowBlock& block, std::size_t row, ContactLines& lines, std::size_t at);
  Result<void> take_row(const RowBlock& block, std::size_t i, ContactLines& lines);

  std::shared_ptr<const impl::ReadState> read;
  const KindTable* kinds;  // of the view, which `read` does not keep alive: see keep
  std::shared_ptr<const KindTable> keep;
  std::uint64_t owner;          // whose blocks are read now
  std::vector<ActorId> actors;  // of of_actors()
  std::size_t next_actor = 0;   // of them, the one that comes after `owner`
  bool names_owner = false;     // each line says whose it is
  ContactScanOptions options;
  KindSet wanted;
  impl::BlockWalk walk;
  std::uint64_t blocks = 0;
  bool damage = false;  // a row taken as it stands points outside its block's dictionary
  std::array<std::uint32_t, impl::kBlockRowsMax> chosen;
  std::size_t chosen_count = 0;
  bool chosen_run = false;  // they follow one another
  std::array<std::uint32_t, impl::kBlockRowsMax> indexes;
  std::array<std::uint64_t, 2 * impl::kBlockRowsMax> values;
  std::vector<Party> parties;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs;  // of one row
};

Result<const RowBlock*> ContactScan::State::next_block(RowRange& range) {
  while (true) {
    DEMARCHE_TRY(const RowBlock* block, walk.next(range));
    if (block != nullptr || next_actor == actors.size()) return block;
    owner = actors[next_actor++].value;
    walk.restart(owner);
  }
}

Result<void> ContactScan::State::choose(const RowBlock& block, RowRange range) {
  const std::size_t count = range.last - range.first;
  // Kinds: a table of one byte a kind of the block.
  std::array<std::uint8_t, impl::kBlockKindsMax> keep_kind;
  const std::span<const std::uint32_t> block_kinds = block.kinds();
  bool all = true;
  for (std::size_t k = 0; k < block_kinds.size(); ++k) {
    keep_kind[k] = wanted.contains(KindId{block_kinds[k]}) ? 1 : 0;
    all = all && keep_kind[k] != 0;
  }
  // A damaged index names no kind.
  std::fill(keep_kind.begin() + static_cast<std::ptrdiff_t>(block_kinds.size()),
            keep_kind.begin() + static_cast<std::ptrdiff_t>(block.kind_column().mask + 1), std::uint8_t{0});
  chosen_run = all;
  if (all) {
    for (std::size_t i = 0; i < count; ++i) chosen[i] = static_cast<std::uint32_t>(range.first + i);
    chosen_count = count;
  } else {
    unpack_raw32(block.kind_column(), range.first, count, indexes.data());
    std::size_t n = 0;
    for (std::size_t i = 0; i < count; ++i) {
      chosen[n] = static_cast<std::uint32_t>(range.first + i);
      n += keep_kind[indexes[i]];
    }
    chosen_count = n;
  }
  const auto keep_if = [this](auto test) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < chosen_count; ++i) {
      chosen[n] = chosen[i];
      n += test(chosen[i]) ? 1 : 0;
    }
    chosen_run = chosen_run && n == chosen_count;
    chosen_count = n;
  };
  if (block.end_max_least() < options.window.begin) {
    // What begins in the window reaches it.
    const std::size_t within = block.lower_bound(options.window.begin, range.first);
    keep_if(
        [&](std::size_t i) { return i >= within || block.shape(i).end_max(block.begin(i)) >= options.window.begin; });
  }
  if (options.fit != WindowFit::kMeets && options.window != TimeWindow{}) {
    keep_if([&](std::size_t i) { return fits(block.shape(i).bounds(block.begin(i)), options.window, options.fit); });
  }
  const bool shapes_fit = std::all_of(block.shapes().begin(), block.shapes().end(), [this](const Shape& shape) {
    return !options.held_only || shape.status == Status::kHeld || shape.status == Status::kNone;
  });
  if (!shapes_fit) {
    keep_if([&](std::size_t i) {
      const Status status = block.shape(i).status;
      return status == Status::kHeld || status == Status::kNone;
    });
  }
  if (!read->visible.sees_all(block.row_floor(), block.row_ceiling())) {
    keep_if([&](std::size_t i) { return read->visible.sees(block.row(i)); });
  }
  if (read->valid) {
    keep_if([&](std::size_t i) { return impl::admits(*read->valid, block.shape(i), block.begin(i)); });
  }
  return {};
}

bool ContactScan::State::is_plain(const RowBlock& block) const {
  if (options.interactions) return true;
  if (block.uniform_others() != (of_actor() ? 1U : 2U)) return false;
  bool ruled = false;
  for (const std::uint32_t kind : block.kinds()) ruled = ruled || kinds->contacts().contains(KindId{kind});
  return std::all_of(block.forms().begin(), block.forms().end(), [&](const Form& form) {
    const PairForm pair = pair_form(form, of_actor());
    return pair.is_pair && (pair.in_contact || !ruled);
  });
}

namespace {

// Values of the chosen rows of a column.
void gather(const impl::PackedColumn& column, std::span<const std::uint32_t> chosen, bool run, std::uint64_t* scratch,
            std::uint64_t* out) {
  if (chosen.empty()) return;
  if (run) {
    impl::unpack_column(column, chosen.front(), chosen.size(), out);
    return;
  }
  const std::size_t first = chosen.front();
  const std::size_t extent = chosen.back() - first + 1;
  if (chosen.size() * kPickBelow < extent) {
    for (std::size_t i = 0; i < chosen.size(); ++i) out[i] = column.at(chosen[i]);
    return;
  }
  impl::unpack_column(column, first, extent, scratch);
  for (std::size_t i = 0; i < chosen.size(); ++i) out[i] = scratch[chosen[i] - first];
}

}  // namespace

void ContactScan::State::take_plain(const RowBlock& block, ContactLines& lines) {
  const std::span<const std::uint32_t> rows = std::span(chosen).first(chosen_count);
  const std::size_t at = lines.size;
  lines.size += rows.size();
  if (asks(ContactColumn::kBegin)) {
    lines.begin.resize(lines.size);
    for (std::size_t i = 0; i < rows.size(); ++i) lines.begin[at + i] = block.begin(rows[i]).seconds;
  }
  if (asks(ContactColumn::kKind)) {
    lines.kind.resize(lines.size);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      lines.kind[at + i] = block.kind(rows[i]).value;
      damage = damage || lines.kind[at + i] == 0;
    }
  }
  if (asks(ContactColumn::kOther)) {
    lines.other.resize(lines.size);
    if (of_actor()) {
      gather(block.other_column(), rows, chosen_run, values.data(), lines.other.data() + at);
    } else {
      lines.actor.resize(lines.size);
      if (chosen_run && !rows.empty()) {
        impl::unpack_column(block.other_column(), 2 * rows.front(), 2 * rows.size(), values.data());
        for (std::size_t i = 0; i < rows.size(); ++i) {
          lines.actor[at + i] = values[2 * i];
          lines.other[at + i] = values[2 * i + 1];
        }
      } else {
        for (std::size_t i = 0; i < rows.size(); ++i) {
          lines.actor[at + i] = block.other(2 * rows[i]).value;
          lines.other[at + i] = block.other(2 * rows[i] + 1).value;
        }
      }
    }
  }
  if (asks(ContactColumn::kBounds)) {
    lines.bounds.resize(lines.size);
    lines.dated.resize(lines.size);
    for (std::size_t i = 0; i < rows.size(); ++i) take_bounds(block, rows[i], lines, at + i);
  }
  if (asks(ContactColumn::kInteraction)) {
    lines.interaction.resize(lines.size);
    gather(block.row_column(), rows, chosen_run, values.data(), lines.interaction.data() + at);
    const impl::PackedColumn& behind = block.behind_column();
    if (behind.width != 0 || behind.base != 0) {
      for (std::size_t i = 0; i < rows.size(); ++i) lines.interaction[at + i] -= behind.at(rows[i]);
    }
  }
}

void ContactScan::State::take_bounds(const RowBlock& block, std::size_t row, ContactLines& lines, std::size_t at) {
  const Shape& shape = block.shape(row);
  damage = damage || (shape.flags & Shape::kDamaged) != 0;
  lines.bounds[at] = shape.bounds(block.begin(row));
  lines.dated[at] = (shape.flags & Shape::kDated) != 0 ? 1 : 0;
}

// Any row: its parties are put together, and each pair is asked for.
Result<void> ContactScan::State::take_row(const RowBlock& block, std::size_t i, ContactLines& lines) {
  const Form& form = block.form(i);
  if ((block.shape(i).flags & Shape::kDamaged) != 0) return tl::unexpected(damaged());
  parties.clear();
  if (form.listed) {
    DEMARCHE_ASSIGN(parties, impl::listed_parties(*read->reader, block.row(i)));
  } else {
    std::size_t next = block.others_begin(i);
    for (std::size_t k = 0; k < form.count; ++k) {
      const std::uint16_t agent = form.agent[k] == Form::kNoAgent ? Party::kNoAgent : form.agent[k];
      parties.push_back({form.is_self(k) ? ActorId{owner} : block.other(next++), form.role[k], agent});
    }
  }
  const bool rule = kinds->contacts().contains(block.kind(i));
  pairs.clear();
  const auto emit = [&](std::uint64_t actor, std::uint64_t other) {
    for (const auto& [a, b] : pairs) {  // each pair once
      if ((a == actor && b == other) || (a == other && b == actor)) return;
    }
    pairs.emplace_back(actor, other);
    ++lines.size;
    if (asks(ContactColumn::kOther)) {
      if (!of_actor()) lines.actor.push_back(actor);
      lines.other.push_back(other);
    }
    if (asks(ContactColumn::kBegin)) lines.begin.push_back(block.begin(i).seconds);
    if (asks(ContactColumn::kKind)) lines.kind.push_back(block.kind(i).value);
    if (asks(ContactColumn::kInteraction)) lines.interaction.push_back(block.interaction(i));
    if (asks(ContactColumn::kBounds)) {
      lines.bounds.emplace_back();
      lines.dated.emplace_back();
      take_bounds(block, i, lines, lines.size - 1);
    }
  };
  for (std::size_t x = 0; x < parties.size(); ++x) {
    for (std::size_t y = x + 1; y < parties.size(); ++y) {
      const std::uint64_t a = parties[x].actor.value;
      const std::uint64_t b = parties[y].actor.value;
      if (of_actor() && a != owner && b != owner) continue;
      if (!in_contact(parties, x, y, rule)) continue;
      if (of_actor() && b == owner) {
        emit(b, a);
      } else {
        emit(a, b);
      }
    }
  }
  return {};
}

ContactScan::ContactScan(std::unique_ptr<State> state) : state_(std::move(state)) {}
ContactScan::ContactScan(ContactScan&&) noexcept = default;
ContactScan& ContactScan::operator=(ContactScan&&) noexcept = default;
ContactScan::~ContactScan() = default;

Result<ContactScan> ContactScan::of_actor(const View& view, ActorId actor, const ContactScanOptions& options) {
  auto state = std::make_unique<State>(view, view.read_, actor.value, options);
  state->keep = view.kinds_;
  return ContactScan(std::move(state));
}

Result<ContactScan> ContactScan::of_actors(const View& view, std::vector<ActorId> actors,
                                           const ContactScanOptions& options) {
  const bool ascend = std::adjacent_find(actors.begin(), actors.end(), std::greater_equal<>()) == actors.end();
  if (!ascend || (!actors.empty() && actors.front().value == 0)) {
    return make_error(ErrorCode::kInvalidArgument, "the actors of a scan must ascend, each once; sort them first");
  }
  ContactScanOptions used = options;
  if (actors.empty()) used.window.end = used.window.begin;  // nothing is read
  auto state = std::make_unique<State>(view, view.read_, actors.empty() ? 1 : actors.front().value, used);
  state->keep = view.kinds_;
  state->names_owner = true;
  state->next_actor = std::min<std::size_t>(1, actors.size());
  state->actors = std::move(actors);
  return ContactScan(std::move(state));
}

Result<ContactScan> ContactScan::timeline(const View& view, const ContactScanOptions& options) {
  auto state = std::make_unique<State>(view, view.read_, impl::kTimelineOwner, options);
  state->keep = view.kinds_;
  return ContactScan(std::move(state));
}

Result<bool> ContactScan::next(ContactLines& lines) {
  State& s = *state_;
  lines.size = 0;
  lines.begin.clear();
  lines.kind.clear();
  lines.actor.clear();
  lines.other.clear();
  lines.interaction.clear();
  lines.bounds.clear();
  lines.dated.clear();
  const std::size_t enough = s.names_owner ? kLinesEnough : 1;
  while (lines.size < enough) {
    RowRange range;
    DEMARCHE_TRY(const RowBlock* block, s.next_block(range));
    if (block == nullptr) break;
    ++s.blocks;
    DEMARCHE_CHECK(s.choose(*block, range));
    if (s.is_plain(*block)) {
      s.take_plain(*block, lines);
      if (s.damage) return tl::unexpected(damaged());
    } else {
      for (std::size_t i = 0; i < s.chosen_count; ++i) DEMARCHE_CHECK(s.take_row(*block, s.chosen[i], lines));
    }
    if (s.names_owner) lines.actor.resize(lines.size, s.owner);
  }
  return lines.size > 0;
}

std::uint64_t ContactScan::blocks() const { return state_->blocks; }

// ---- counts --------------------------------------------------------------------------------------------------------

struct KindCounter {
  static Result<KindCounts> count(const View& view, const std::vector<Timestamp>& cuts);
};

Result<KindCounts> KindCounter::count(const View& view, const std::vector<Timestamp>& cuts) {
  KindCounts out;
  if (cuts.size() < 2) return out;
  std::uint32_t greatest = 0;
  for (const Kind& kind : view.kinds().all()) greatest = std::max(greatest, kind.id.value);
  out.kinds = std::size_t{greatest} + 1;
  const std::size_t stretches = cuts.size() - 1;
  out.counts.assign(stretches * out.kinds, 0);
  impl::BlockWalk walk(view.read_, impl::kTimelineOwner, {Timestamp::lowest(), cuts.back()});
  const impl::RowVisibility& visible = view.read_->visible;
  const std::optional<ValidTime>& valid = view.read_->valid;
  std::array<std::uint32_t, impl::kBlockRowsMax> kinds;
  // Twice, for even and odd rows: rows of one kind that follow one another need not wait for each other's sum.
  std::array<std::uint32_t, impl::kBlockKindsMax> in_stretch;
  std::array<std::uint32_t, impl::kBlockKindsMax> of_odd;
  while (true) {
    RowRange range;
    DEMARCHE_TRY(const RowBlock* block, walk.next(range));
    if (block == nullptr) return out;
    const bool all_seen = visible.sees_all(block->row_floor(), block->row_ceiling());
    std::size_t first = block->lower_bound(cuts.front(), range.first);
    while (first < range.last) {
      // The stretch of the row at `first`, and how far it goes.
      const auto cut = std::upper_bound(cuts.begin(), cuts.end(), block->begin(first));
      if (cut == cuts.end()) break;
      const std::size_t last = block->last_begin() < *cut ? range.last : block->lower_bound(*cut, first);
      const auto stretch = static_cast<std::size_t>(cut - cuts.begin()) - 1;
      unpack_raw32(block->kind_column(), first, last - first, kinds.data());
      const std::span<const std::uint32_t> names = block->kinds();
      const std::size_t indexes = block->kind_column().mask + 1;
      std::fill_n(in_stretch.begin(), indexes, 0U);
      std::fill_n(of_odd.begin(), indexes, 0U);
      if (all_seen && !valid) {
        const std::size_t count = last - first;
        for (std::size_t i = 0; i + 1 < count; i += 2) {
          ++in_stretch[kinds[i]];
          ++of_odd[kinds[i + 1]];
        }
        if (count % 2 != 0) ++in_stretch[kinds[count - 1]];
      } else {
        for (std::size_t i = first; i < last; ++i) {
          if (!all_seen && !visible.sees(block->row(i))) continue;
          if (valid && !impl::admits(*valid, block->shape(i), block->begin(i))) continue;
          ++in_stretch[kinds[i - first]];
        }
      }
      for (std::size_t k = 0; k < indexes; ++k) {
        in_stretch[k] += of_odd[k];
        if (in_stretch[k] == 0) continue;
        if (k >= names.size() || names[k] >= out.kinds) return tl::unexpected(damaged());
        out.counts[stretch * out.kinds + names[k]] += in_stretch[k];
      }
      first = last;
    }
  }
}

Result<KindCounts> count_kinds(const View& view, const std::vector<Timestamp>& cuts) {
  return KindCounter::count(view, cuts);
}

}  // namespace demarche

#include "engine/impl/sweep.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <span>
#include <tuple>
#include <utility>

#include "engine/contact.h"
#include "engine/impl/key_codec.h"
#include "engine/impl/read_state.h"

namespace demarche {

namespace {

using impl::Form;
using impl::LengthClass;
using impl::RowBlock;
using impl::Shape;

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kActorsMax = std::size_t{1} << 31;
// Arrivals on at most so many days are sorted by counting.
constexpr std::uint64_t kDaysToCount = 1 << 14;

std::int64_t day_of(std::int64_t seconds) {
  return seconds >= 0 ? seconds / kSecondsPerDay : -((-seconds + kSecondsPerDay - 1) / kSecondsPerDay);
}

// One row that is not the usual one, with the times of the table in chronology.h.
struct OddRow {
  std::int64_t usable_until = 0;  // cur may be at most this: F' by default, F - 1 if strict
  std::int64_t arrive = 0;        // L by default (or cur, if later), L' if strict
  std::uint32_t party_begin = 0;
  std::uint32_t party_end = 0;
  bool partial = false;  // not all parties are in contact: what a path has used would matter
};

class Pass {
 public:
  Pass(const View& view, std::shared_ptr<const impl::ReadState> read, const ChronologyOptions& options)
      : view_(view),
        read_(std::move(read)),
        strict_(options.mode == ChronologyMode::kStrict),
        kinds_(options.kinds.is_any() ? view.kinds().contacts() : options.kinds) {
    if (options.after) floor_ = options.after->begin_max;
    if (options.before) ceiling_ = options.before->begin_min;
  }

  Result<Sweep::Outcome> run(ActorId from, std::uint64_t rows_max) {
    source_ = static_cast<std::uint32_t>(from.value);
    make_room(std::max<std::size_t>(source_, view_.statistics().actors + 1));
    reached_[source_] = 1;
    DEMARCHE_CHECK(open_streams());
    while (!refused_) {
      std::int64_t day = kNever;
      for (const Stream& s : streams_) {
        if (!s.done) day = std::min(day, s.day);
      }
      if (fresh_at_ < fresh_.size()) day = std::min(day, day_of(fresh_.bounds[fresh_at_].begin_min.seconds));
      if (day == kNever) return Sweep::Outcome::kDone;
      if (rows_ > rows_max) return Sweep::Outcome::kCut;
      DEMARCHE_CHECK(gather(day));
      if (!refused_) close_day(day);
    }
    return Sweep::Outcome::kRefused;
  }

  // Ascending by earliest.
  [[nodiscard]] std::vector<Reached> result() const {
    std::vector<Reached> out;
    if (!exact_) {
      out.reserve(order_.size());
      std::size_t first = 0;
      for (const auto& [day_begin, last] : order_ends_) {
        for (; first < last; ++first) out.push_back({ActorId{order_[first]}, Timestamp{day_begin}});
      }
      return out;
    }
    std::int64_t least = kNever;
    std::int64_t greatest = std::numeric_limits<std::int64_t>::min();
    bool whole_days = true;
    for (std::size_t actor = 0; actor < cur_.size(); ++actor) {
      if (reached_[actor] == 0 || actor == source_) continue;
      out.push_back({ActorId{actor}, Timestamp{cur_[actor]}});
      least = std::min(least, cur_[actor]);
      greatest = std::max(greatest, cur_[actor]);
      whole_days = whole_days && cur_[actor] % kSecondsPerDay == 0;
    }
    if (out.empty()) return out;
    const std::uint64_t days =
        (static_cast<std::uint64_t>(greatest) - static_cast<std::uint64_t>(least)) / std::uint64_t{kSecondsPerDay};
    if (!whole_days || days > kDaysToCount) {
      std::sort(out.begin(), out.end(), [](const Reached& a, const Reached& b) {
        return std::tie(a.moment, a.actor) < std::tie(b.moment, b.actor);
      });
      return out;
    }
    // Actors are in order already: they are dealt out over the days.
    const auto day_at = [least](const Reached& r) {
      return static_cast<std::size_t>((r.moment.seconds - least) / kSecondsPerDay);
    };
    std::vector<std::uint32_t> place(days + 2, 0);
    for (const Reached& r : out) ++place[day_at(r) + 1];
    for (std::size_t i = 1; i < place.size(); ++i) place[i] += place[i - 1];
    std::vector<Reached> sorted(out.size());
    for (const Reached& r : out) sorted[place[day_at(r)]++] = r;
    return sorted;
  }

 private:
  // Blocks of one length class of the timeline.
  struct Stream {
    std::unique_ptr<impl::KvIterator> it;
    LengthClass length = LengthClass::kUnit;
    RowBlock block;
    std::size_t at = 0;    // next row of the block
    std::int64_t day = 0;  // of that row
    bool done = true;
    bool usual = false;  // every row of the block is a held two-party contact of one day, wanted and seen
  };

  void make_room(std::size_t actor) {
    if (actor < reached_.size()) return;
    const std::size_t size = std::max(actor + 1, 2 * reached_.size());
    reached_.resize(size, 0);
    if (exact_) cur_.resize(size, kNever);
  }

  // From here on the arrival of each actor is kept to the second, not only in whose order they came.
  void be_exact() {
    exact_ = true;
    cur_.assign(reached_.size(), kNever);
    cur_[source_] = std::numeric_limits<std::int64_t>::min();
    std::size_t first = 0;
    for (const auto& [day_begin, last] : order_ends_) {
      for (; first < last; ++first) cur_[order_[first]] = day_begin;
    }
  }

  Result<void> open_streams() {
    if (read_->catch_up) DEMARCHE_CHECK(read_->catch_up());
    for (std::size_t c = 0; c < impl::kLengthClassCount; ++c) {
      Stream s;
      s.length = static_cast<LengthClass>(c);
      // What begins at minus infinity begins on no day; in a window that itself begins it has no place.
      if (s.length == LengthClass::kUnbounded && floor_.is_finite()) continue;
      s.it = read_->reader->iterate(impl::Family::kTimeline);
      // Only what begins in the window counts, so the length of the class does not matter.
      s.it->seek(impl::timeline_key({s.length, floor_, RowNumber{0}}));
      DEMARCHE_CHECK(load(s));
      if (s.length == LengthClass::kUnbounded) {
        DEMARCHE_CHECK(refuse_dated(s));
      } else if (!s.done) {
        streams_.push_back(std::move(s));
      }
    }
    DEMARCHE_CHECK(impl::collect_fresh(*read_, {{floor_, ceiling_}, kinds_}, impl::kTimelineOwner, fresh_));
    while (fresh_at_ < fresh_.size()) {
      const Timestamp begin = fresh_.bounds[fresh_at_].begin_min;
      if (begin.is_finite() && begin >= floor_) break;
      const auto parties = fresh_.parties_of(fresh_at_);
      const bool mine = std::any_of(parties.begin(), parties.end(),
                                    [this](const Party& party) { return party.actor.value == source_; });
      refused_ = refused_ || (mine && !floor_.is_finite() && fresh_.dated[fresh_at_] != 0);
      ++fresh_at_;
    }
    return {};
  }

  // Undated rows are certain of nothing. One with a date, but no beginning, can be used at the start of a path only,
  // and is not for one pass if it can.
  Result<void> refuse_dated(Stream& s) {
    while (!s.done && !refused_) {
      for (std::size_t i = s.at; i < s.block.size(); ++i) {
        const Form& form = s.block.form(i);
        bool mine = form.listed;
        for (std::size_t k = 0; k < form.others(); ++k) {
          mine = mine || s.block.other(s.block.others_begin(i) + k).value == source_;
        }
        refused_ = refused_ || (mine && (s.block.shape(i).flags & Shape::kDated) != 0);
      }
      s.it->next();
      DEMARCHE_CHECK(load(s));
    }
    return {};
  }

  // Reads the block under the iterator and goes to its first row of the window.
  Result<void> load(Stream& s) {
    s.done = true;
    if (!s.it->valid()) return s.it->status();
    if (s.it->key().front() != static_cast<char>(s.length)) return {};
    DEMARCHE_CHECK(s.block.parse(s.it->value()));
    s.at = s.block.lower_bound(floor_);
    if (s.at == s.block.size() || s.block.begin(s.at) >= ceiling_) return {};
    s.done = false;
    s.usual = is_usual(s.block);
    if (s.length != LengthClass::kUnbounded) s.day = day_of(s.block.begin(s.at).seconds);
    return {};
  }

  // Of whole days those that begin before the window's end end before it, too, if it is the end of a day.
  [[nodiscard]] bool is_usual(const RowBlock& block) const {
    if (strict_ || read_->valid || block.uniform_others() != 2U || block.begin_unit() != kSecondsPerDay ||
        (too_late(block.end_max_greatest()) && ceiling_.seconds % kSecondsPerDay != 0) ||
        !read_->visible.sees_all(block.row_floor(), block.row_ceiling())) {
      return false;
    }
    for (const Shape& shape : block.shapes()) {
      if (shape.flags != Shape::kDated || shape.reach[0] != Shape::Reach::kOffset ||
          shape.offset[0] != kSecondsPerDay - 1 || !happened(shape.status)) {
        return false;
      }
    }
    for (const std::uint32_t kind : block.kinds()) {
      if (!kinds_.contains(KindId{kind})) return false;
    }
    return std::all_of(block.forms().begin(), block.forms().end(), [](const Form& form) {
      if (form.listed || form.count != 2 || form.agent[0] != Form::kNoAgent || form.agent[1] != Form::kNoAgent) {
        return false;
      }
      const std::array<Party, 2> parties = {Party{ActorId{1}, form.role[0], Party::kNoAgent},
                                            Party{ActorId{2}, form.role[1], Party::kNoAgent}};
      return in_contact(parties, 0, 1, /*rule=*/true);
    });
  }

  // Without a limit what still lasts, or ends on no known day, counts.
  [[nodiscard]] bool too_late(Timestamp end) const { return ceiling_.is_finite() && end >= ceiling_; }

  static bool happened(Status status) { return status == Status::kHeld || status == Status::kNone; }

  // Takes all rows that begin on `day`.
  Result<void> gather(std::int64_t day) {
    pairs_.clear();
    odd_.clear();
    odd_parties_.clear();
    const Timestamp next_day{(day + 1) * kSecondsPerDay};
    for (Stream& s : streams_) {
      while (!s.done && s.day == day) {
        std::size_t last = s.block.lower_bound(std::min(next_day, ceiling_), s.at);
        if (s.usual) {
          take_pairs(s.block, s.at, last);
        } else {
          DEMARCHE_CHECK(take_odd(s.block, s.at, last));
        }
        rows_ += last - s.at;
        s.at = last;
        if (s.at < s.block.size()) {
          s.done = s.block.begin(s.at) >= ceiling_;
          s.day = day_of(s.block.begin(s.at).seconds);
          continue;
        }
        s.it->next();
        DEMARCHE_CHECK(load(s));
      }
    }
    for (; fresh_at_ < fresh_.size() && fresh_.bounds[fresh_at_].begin_min < next_day; ++fresh_at_) {
      ++rows_;
      if (fresh_.dated[fresh_at_] == 0 || !happened(fresh_.status[fresh_at_])) continue;
      add_odd(fresh_.bounds[fresh_at_], fresh_.kind[fresh_at_], fresh_.parties_of(fresh_at_));
    }
    return {};
  }

  void take_pairs(const RowBlock& block, std::size_t first, std::size_t last) {
    const impl::PackedColumn& column = block.other_column();
    const std::size_t at = pairs_.size();
    pairs_.resize(at + 2 * (last - first));
    make_room(column.base + column.mask);
    if (column.width <= 25) {
      unpack_raw32(column, 2 * first, 2 * (last - first), pairs_.data() + at);
      const auto base = static_cast<std::uint32_t>(column.base);
      for (std::size_t i = at; i < pairs_.size(); ++i) pairs_[i] += base;
    } else {
      for (std::size_t i = at; i < pairs_.size(); ++i) {
        pairs_[i] = static_cast<std::uint32_t>(column.at(2 * first + i - at));
      }
    }
  }

  Result<void> take_odd(const RowBlock& block, std::size_t first, std::size_t last) {
    std::vector<Party> parties;
    for (std::size_t i = first; i < last; ++i) {
      const Shape& shape = block.shape(i);
      if (!kinds_.contains(block.kind(i)) || !happened(shape.status) || !read_->visible.sees(block.row(i))) continue;
      if (read_->valid && !impl::admits(*read_->valid, shape, block.begin(i))) continue;
      if (block.kind(i).value == 0 || (shape.flags & Shape::kDamaged) != 0) {
        return make_error(ErrorCode::kCorruption,
                          "a row points outside its block's dictionary; stop writing to this store");
      }
      const Form& form = block.form(i);
      parties.clear();
      if (form.listed) {
        DEMARCHE_ASSIGN(parties, impl::listed_parties(*read_->reader, block.row(i)));
      } else {
        const std::size_t begin = block.others_begin(i);
        for (std::size_t k = 0; k < form.count; ++k) {
          const std::uint16_t agent = form.agent[k] == Form::kNoAgent ? Party::kNoAgent : form.agent[k];
          parties.push_back({block.other(begin + k), form.role[k], agent});
        }
      }
      add_odd(shape.bounds(block.begin(i)), block.kind(i), parties);
    }
    return {};
  }

  void add_odd(const TimeBounds& bounds, KindId kind, std::span<const Party> parties) {
    if (bounds.qualified || bounds.begin_min < floor_ || too_late(bounds.end_max) || parties.size() < 2) return;
    const bool rule = view_.kinds().contacts().contains(kind);
    bool partial = false;
    for (std::size_t i = 0; i < parties.size() && !partial; ++i) {
      for (std::size_t j = i + 1; j < parties.size(); ++j) {
        if (parties[i].actor == parties[j].actor || in_contact(parties, i, j, rule)) continue;
        partial = true;
      }
    }
    const Timestamp first = bounds.begin_min;
    const Timestamp last = bounds.end_max;
    std::int64_t first_unit_end = first.seconds + (bounds.fine_begin ? 0 : kSecondsPerDay - 1);
    first_unit_end = std::min(first_unit_end, last.seconds);
    std::int64_t last_unit_begin = last.seconds;
    if (!bounds.fine_end && last.is_finite()) last_unit_begin -= kSecondsPerDay - 1;
    last_unit_begin = std::max(last_unit_begin, first.seconds);
    OddRow row;
    row.partial = partial;
    row.usable_until = strict_ ? first.seconds - 1 : first_unit_end;
    row.arrive = strict_ ? last.seconds : last_unit_begin;
    row.party_begin = static_cast<std::uint32_t>(odd_parties_.size());
    for (const Party& party : parties) {
      make_room(party.actor.value);
      odd_parties_.push_back(static_cast<std::uint32_t>(party.actor.value));
    }
    row.party_end = static_cast<std::uint32_t>(odd_parties_.size());
    odd_.push_back(row);
  }

  void close_day(std::int64_t day) {
    const std::int64_t day_begin = day * kSecondsPerDay;
    if (odd_.empty() && later_ == 0) {
      close_pairs(day_begin);
      return;
    }
    if (!exact_) be_exact();
    // Pairs become rows like the others: arrivals of this day may be at any second of it.
    for (std::size_t i = 0; i < pairs_.size(); i += 2) {
      OddRow row;
      row.usable_until = day_begin + kSecondsPerDay - 1;
      row.arrive = day_begin;
      row.party_begin = static_cast<std::uint32_t>(odd_parties_.size());
      odd_parties_.push_back(pairs_[i]);
      odd_parties_.push_back(pairs_[i + 1]);
      row.party_end = static_cast<std::uint32_t>(odd_parties_.size());
      odd_.push_back(row);
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (const OddRow& row : odd_) {
        const std::span<const std::uint32_t> parties =
            std::span(odd_parties_).subspan(row.party_begin, row.party_end - row.party_begin);
        std::int64_t earliest = kNever;
        for (const std::uint32_t actor : parties) earliest = std::min(earliest, cur_[actor]);
        if (earliest > row.usable_until) continue;
        if (row.partial) {
          refused_ = true;
          return;
        }
        const std::int64_t arrival = strict_ ? row.arrive : std::max(earliest, row.arrive);
        for (const std::uint32_t actor : parties) {
          if (arrival > cur_[actor] || (arrival == cur_[actor] && reached_[actor] != 0)) continue;
          cur_[actor] = arrival;
          reached_[actor] = 1;
          // Behind the day's begin: the quick closing, which knows whole days only, would come too early.
          if (arrival > day_begin) later_ = std::max(later_, arrival);
          changed = true;
        }
      }
    }
    // From the day after the last such arrival on, who is reached is reached.
    if (later_ != 0 && later_ < day_begin + kSecondsPerDay) later_ = 0;
  }

  // The parties of each pair are reached if one is; pairs of which none is stay for another pass.
  void close_pairs(std::int64_t day_begin) {
    const std::size_t count = pairs_.size() / 2;
    if (newly_.size() < pairs_.size() + 2) newly_.resize(pairs_.size() + 2);
    std::uint8_t* const reached = reached_.data();
    std::size_t open = count;
    std::size_t newly = 0;
    for (std::size_t before = ~std::size_t{0}; before != newly && open > 0;) {
      before = newly;
      std::size_t kept = 0;
      for (std::size_t i = 0; i < open; ++i) {
        const std::uint32_t a = pairs_[2 * i];
        const std::uint32_t b = pairs_[2 * i + 1];
        const std::uint8_t of_a = reached[a];
        const std::uint8_t of_b = reached[b];
        const auto any = static_cast<std::uint8_t>(of_a | of_b);
        reached[a] = any;
        reached[b] = any;
        newly_[newly] = of_a != 0 ? b : a;  // counts only if just one of them was reached
        newly += of_a ^ of_b;
        pairs_[2 * kept] = a;
        pairs_[2 * kept + 1] = b;
        kept += any ^ 1U;
      }
      open = kept;
    }
    if (exact_) {
      for (std::size_t i = 0; i < newly; ++i) cur_[newly_[i]] = day_begin;
    } else if (newly > 0) {
      order_.insert(order_.end(), newly_.begin(), newly_.begin() + static_cast<std::ptrdiff_t>(newly));
      order_ends_.emplace_back(day_begin, order_.size());
    }
  }

  const View& view_;
  std::shared_ptr<const impl::ReadState> read_;
  bool strict_;
  KindSet kinds_;
  Timestamp floor_ = Timestamp::lowest();
  Timestamp ceiling_ = Timestamp::highest();
  std::uint32_t source_ = 0;
  bool refused_ = false;
  std::uint64_t rows_ = 0;

  std::vector<Stream> streams_;
  RowBatch fresh_;
  std::size_t fresh_at_ = 0;

  std::vector<std::uint8_t> reached_;  // by actor id, 1 or 0
  // While only contacts of whole days have come: actors in order of arrival, and where each day's end. Then exact_, and
  // cur_ by actor id; kNever: not reached, or on no known day.
  std::vector<std::uint32_t> order_;
  std::vector<std::pair<std::int64_t, std::size_t>> order_ends_;
  bool exact_ = false;
  std::vector<std::int64_t> cur_;
  std::int64_t later_ = 0;            // latest arrival behind the begin of its day, 0 if all those are past
  std::vector<std::uint32_t> pairs_;  // of the day: actors two by two
  std::vector<OddRow> odd_;
  std::vector<std::uint32_t> odd_parties_;
  std::vector<std::uint32_t> newly_;
};

}  // namespace

std::shared_ptr<const impl::ReadState> Sweep::state_of(const View& view) { return view.read_; }

Result<Sweep::Outcome> Sweep::run(const View& view, ActorId from, const ChronologyOptions& options,
                                  std::uint64_t rows_max, std::vector<Reached>& out) {
  const bool qualified = (options.after && options.after->qualified) || (options.before && options.before->qualified);
  if (options.mode == ChronologyMode::kPossibly || options.hops_max != ChronologyOptions::kHopsUnlimited || qualified ||
      options.within_seconds || options.hop_filter || from.value >= kActorsMax) {
    return Outcome::kRefused;
  }
  Pass pass(view, view.read_, options);
  DEMARCHE_TRY(const Outcome outcome, pass.run(from, rows_max));
  if (outcome == Outcome::kDone) out = pass.result();
  return outcome;
}

}  // namespace demarche

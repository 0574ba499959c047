#include "engine/impl/label_sweep.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <memory>
#include <span>
#include <tuple>
#include <utility>

#include "engine/contact.h"
#include "engine/impl/read_state.h"
#include "engine/impl/timeline_days.h"

namespace demarche {

namespace {

using impl::HopRule;
using impl::Progress;
using impl::TimelineDays;
using impl::Way;

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kActorsMax = std::size_t{1} << 31;
constexpr std::size_t kOpenRowsAtFirst = 1024;

// All times seen (hop_rule.h).
struct SweepLabel {
  Timestamp cur;
  std::uint32_t hops = 0;
  std::uint32_t actor = 0;
  InteractionId via;
  std::uint32_t next = kNone;  // of the same actor
  bool dropped = false;
};

struct OpenRow {
  TimeBounds bounds;
  InteractionId id;
  Timestamp usable_until;
  std::uint32_t party_begin = 0;
  std::uint32_t party_end = 0;
  bool dated = false;
  bool partial = false;  // not all parties are in contact
};

// Rows that labels can still use, by actor.
struct OpenRows {
  struct Seat {
    std::uint32_t row = 0;
    std::uint32_t next = kNone;
  };
  std::vector<OpenRow> rows;
  std::vector<std::uint32_t> parties;
  std::vector<Seat> seats;
  std::vector<std::uint32_t> first_seat;  // by actor

  void add(OpenRow row, std::span<const std::uint32_t> who) {
    row.party_begin = static_cast<std::uint32_t>(parties.size());
    parties.insert(parties.end(), who.begin(), who.end());
    row.party_end = static_cast<std::uint32_t>(parties.size());
    for (const std::uint32_t actor : who) {
      if (actor >= first_seat.size()) first_seat.resize(std::max<std::size_t>(actor + 1, 2 * first_seat.size()), kNone);
      seats.push_back({static_cast<std::uint32_t>(rows.size()), first_seat[actor]});
      first_seat[actor] = static_cast<std::uint32_t>(seats.size() - 1);
    }
    rows.push_back(row);
  }
  [[nodiscard]] std::span<const std::uint32_t> parties_of(const OpenRow& row) const {
    return std::span(parties).subspan(row.party_begin, row.party_end - row.party_begin);
  }
  void clear() {
    for (const std::uint32_t actor : parties) first_seat[actor] = kNone;
    rows.clear();
    parties.clear();
    seats.clear();
  }
  // Leaves out those that nothing behind `now` can use.
  void close_before(Timestamp now) {
    OpenRows kept;
    for (const OpenRow& row : rows) {
      if (row.usable_until >= now) kept.add(row, parties_of(row));
    }
    *this = std::move(kept);
  }
};

class LabelPass {
 public:
  LabelPass(const View& view, std::shared_ptr<const impl::ReadState> read, const ChronologyOptions& options,
            ReachQuestion question)
      : view_(view),
        read_(std::move(read)),
        options_(options),
        way_(question.back ? Way::kBack : Way::kOnward),
        by_hops_(question.hops || options.hops_max != ChronologyOptions::kHopsUnlimited),
        rule_(view, options, way_) {}

  Result<Sweep::Outcome> run(ActorId from, std::uint64_t rows_max) {
    source_ = static_cast<std::uint32_t>(from.value);
    first_label_.resize(std::max<std::size_t>(source_ + 1, view_.statistics().actors + 2), kNone);
    add_label(source_, rule_.start().cur, 0, {});
    todo_.clear();  // no row yet
    const auto window = rule_.window_from(rule_.start());
    if (!window) return Sweep::Outcome::kDone;
    const KindSet kinds = options_.kinds.is_any() ? view_.kinds().contacts() : options_.kinds;
    TimelineDays days(read_, *window, kinds, rule_.is_certain(), way_);
    for (;;) {
      DEMARCHE_TRY(const std::optional<RowBatch> day, days.next());
      if (!day) return Sweep::Outcome::kDone;
      if (days.rows() > rows_max) return Sweep::Outcome::kCut;
      if (options_.check) DEMARCHE_CHECK(options_.check());
      DEMARCHE_CHECK(take_day(*day));
      if (refused_) return Sweep::Outcome::kRefused;
    }
  }

  [[nodiscard]] std::vector<ReachedInHops> result(bool with_hops) const {
    std::vector<ReachedInHops> out;
    for (std::uint32_t actor = 0; actor < first_label_.size(); ++actor) {
      if (actor == source_ || first_label_[actor] == kNone) continue;
      const SweepLabel* best = nullptr;
      std::uint32_t hops = kNone;
      for (std::uint32_t i = first_label_[actor]; i != kNone; i = labels_[i].next) {
        const SweepLabel& l = labels_[i];
        if (best == nullptr || std::tie(l.cur, l.hops) < std::tie(best->cur, best->hops)) best = &l;
        hops = std::min(hops, l.hops);
      }
      ReachedInHops reached{ActorId{actor}, best->cur};
      if (with_hops) {
        reached.hops = hops;
        reached.via = best->via;
      }
      out.push_back(reached);
    }
    std::sort(out.begin(), out.end(), [](const ReachedInHops& a, const ReachedInHops& b) {
      return std::tie(a.moment, a.actor) < std::tie(b.moment, b.actor);
    });
    for (ReachedInHops& reached : out) reached.moment = seen(way_, reached.moment);
    return out;
  }

 private:
  Result<void> take_day(const RowBatch& day) {
    // Rows that only labels of this day can use are let go of at its end.
    const Timestamp begin = day_begin(day);
    const Timestamp end = begin.seconds > Timestamp::highest().seconds - kSecondsPerDay
                              ? Timestamp::highest()
                              : Timestamp{begin.seconds + kSecondsPerDay - 1};
    if (lasting_.rows.size() > 2 * lasting_at_last_) {
      lasting_.close_before(begin);
      lasting_at_last_ = std::max(kOpenRowsAtFirst, lasting_.rows.size());
    }
    for (std::size_t i = 0; i < day.size() && !refused_; ++i) DEMARCHE_CHECK(take_row(day, i, end));
    DEMARCHE_CHECK(spread());
    today_.clear();
    return {};
  }

  // The first second of the day on which rows are entered, seen. REQUIRES: day.size() > 0.
  [[nodiscard]] Timestamp day_begin(const RowBatch& day) const {
    Timestamp first = Timestamp::highest();
    for (const TimeBounds& bounds : day.bounds) first = std::min(first, impl::hop_times(bounds, way_).first);
    if (!first.is_finite()) return first;
    const std::int64_t into = first.seconds % kSecondsPerDay;
    const std::int64_t back = into < 0 ? into + kSecondsPerDay : into;
    return first.seconds < Timestamp::lowest().seconds + back ? Timestamp::lowest() : Timestamp{first.seconds - back};
  }

  Result<void> take_row(const RowBatch& day, std::size_t i, Timestamp day_end) {
    if (day.status[i] != Status::kHeld && day.status[i] != Status::kNone) return {};
    const TimeBounds& bounds = day.bounds[i];
    const bool dated = day.dated[i] != 0;
    if (rule_.is_certain() && (!dated || bounds.qualified)) return {};
    const std::span<const Party> parties = day.parties_of(i);
    OpenRow row;
    row.bounds = bounds;
    row.id = day.interaction[i];
    row.dated = dated;
    row.usable_until = rule_.usable_until(bounds);
    who_.clear();
    const bool rule = view_.kinds().contacts().contains(day.kind[i]);
    for (std::size_t a = 0; a < parties.size(); ++a) {
      for (std::size_t b = a + 1; b < parties.size() && !row.partial; ++b) {
        row.partial = parties[a].actor != parties[b].actor && !in_contact(parties, a, b, rule);
      }
      const auto actor = static_cast<std::uint32_t>(parties[a].actor.value);
      if (std::find(who_.begin(), who_.end(), actor) == who_.end()) who_.push_back(actor);
    }
    if (who_.size() < 2) return {};
    OpenRows& open = row.usable_until > day_end ? lasting_ : today_;
    open.add(row, who_);
    const OpenRow& added = open.rows.back();
    const std::size_t last = *std::max_element(who_.begin(), who_.end());
    if (last >= first_label_.size()) first_label_.resize(2 * last + 1, kNone);
    for (const std::uint32_t actor : who_) {
      for (std::uint32_t l = first_label_[actor]; l != kNone && !refused_; l = labels_[l].next) {
        DEMARCHE_CHECK(meet(l, added, open));
      }
    }
    return {};
  }

  // Labels that were made look at all rows that are open.
  Result<void> spread() {
    for (; !todo_.empty() && !refused_; todo_.pop_front()) {
      const std::uint32_t label = todo_.front();
      if (labels_[label].dropped) continue;
      for (OpenRows* open : {&today_, &lasting_}) {
        const std::uint32_t actor = labels_[label].actor;
        if (actor >= open->first_seat.size()) continue;
        for (std::uint32_t s = open->first_seat[actor]; s != kNone; s = open->seats[s].next) {
          DEMARCHE_CHECK(meet(label, open->rows[open->seats[s].row], *open));
        }
      }
    }
    return {};
  }

  Result<void> meet(std::uint32_t label, const OpenRow& row, const OpenRows& open) {
    const SweepLabel l = labels_[label];
    if (l.hops >= options_.hops_max || (l.hops > 0 && l.cur > row.usable_until)) return {};
    const Progress at{l.cur, rule_.start().depart, l.hops > 0};
    DEMARCHE_TRY(const auto next, rule_.take(at, row.bounds, row.dated, row.id));
    if (!next) return {};
    if (row.partial) {
      refused_ = true;
      return {};
    }
    for (const std::uint32_t actor : open.parties_of(row)) {
      if (actor != l.actor) add_label(actor, next->cur, l.hops + 1, row.id);
    }
    return {};
  }

  void add_label(std::uint32_t actor, Timestamp cur, std::uint32_t hops, InteractionId via) {
    for (std::uint32_t i = first_label_[actor]; i != kNone; i = labels_[i].next) {
      SweepLabel& l = labels_[i];
      if (l.cur > cur || (by_hops_ && l.hops > hops)) continue;
      if (l.cur == cur && l.hops == hops) l.via = std::min(l.via, via);
      return;
    }
    std::uint32_t* link = &first_label_[actor];
    while (*link != kNone) {
      SweepLabel& l = labels_[*link];
      if (l.cur >= cur && (!by_hops_ || l.hops >= hops)) {
        l.dropped = true;
        *link = l.next;
      } else {
        link = &l.next;
      }
    }
    const auto index = static_cast<std::uint32_t>(labels_.size());
    *link = index;
    labels_.push_back({cur, hops, actor, via});
    todo_.push_back(index);
  }

  const View& view_;
  std::shared_ptr<const impl::ReadState> read_;
  const ChronologyOptions& options_;
  Way way_;
  bool by_hops_;
  HopRule rule_;
  std::uint32_t source_ = 0;
  bool refused_ = false;
  std::vector<SweepLabel> labels_;
  std::vector<std::uint32_t> first_label_;  // by actor
  std::deque<std::uint32_t> todo_;          // labels that have not looked at the open rows
  OpenRows today_;
  OpenRows lasting_;
  std::size_t lasting_at_last_ = kOpenRowsAtFirst;
  std::vector<std::uint32_t> who_;
};

}  // namespace

Result<Sweep::Outcome> LabelSweep::run(const View& view, ActorId from, const ChronologyOptions& options,
                                       ReachQuestion question, std::uint64_t rows_max,
                                       std::vector<ReachedInHops>& out) {
  if (options.within_seconds || options.hop_filter || from.value >= kActorsMax) return Sweep::Outcome::kRefused;
  LabelPass pass(view, Sweep::state_of(view), options, question);
  DEMARCHE_TRY(const Sweep::Outcome outcome, pass.run(from, rows_max));
  if (outcome == Sweep::Outcome::kDone) out = pass.result(question.hops);
  return outcome;
}

}  // namespace demarche

#include "engine/impl/timeline_days.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/impl/key_codec.h"

namespace demarche::impl {

namespace {

constexpr std::int64_t kFirstPlace = std::numeric_limits<std::int64_t>::min();

}  // namespace

TimelineDays::TimelineDays(std::shared_ptr<const ReadState> read, TimeWindow window, KindSet kinds, bool inside,
                           Way way)
    : read_(std::move(read)), window_(window), kinds_(std::move(kinds)), inside_(inside), way_(way) {}

std::int64_t TimelineDays::place(Timestamp begin, Timestamp end) const {
  if (way_ == Way::kOnward) return day_of(std::max(begin, window_.begin));
  const Timestamp last{window_.end.is_finite() ? window_.end.seconds - 1 : window_.end.seconds};
  return -day_of(std::min(end, last));
}

void TimelineDays::put_aside(const RowBatch& batch) {
  rows_ += batch.size();
  RowBatch* day = nullptr;
  std::int64_t at = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::int64_t here = place(batch.bounds[i].begin_min, batch.bounds[i].end_max);
    if (day == nullptr || here != at) day = &days_[at = here];
    day->append(batch, i);
  }
}

Result<void> TimelineDays::open() {
  opened_ = true;
  if (read_->catch_up) DEMARCHE_CHECK(read_->catch_up());
  DEMARCHE_CHECK(collect_fresh(*read_, {window_, kinds_}, kTimelineOwner, batch_));
  put_aside(batch_);
  for (std::size_t c = 0; c < kLengthClassCount; ++c) {
    const auto length = static_cast<LengthClass>(c);
    Stream& s = streams_[c];
    s.frontier = kFirstPlace;
    // What begins at minus infinity does not lie within a window that itself begins.
    if (inside_ && length == LengthClass::kUnbounded && window_.begin.is_finite()) {
      s.done = true;
      continue;
    }
    s.it = read_->reader->iterate(Family::kTimeline);
    if (way_ == Way::kOnward) {
      s.it->seek(timeline_key({length, inside_ ? window_.begin : earliest_begin(length, window_), RowNumber{0}}));
      continue;
    }
    // Keys hold the last begin of their block: the first that is too late can hold earlier rows.
    s.it->seek(timeline_key({length, window_.end, RowNumber{0}}));
    if (s.it->valid() && s.it->key().front() == static_cast<char>(length)) continue;
    if (s.it->valid()) {
      s.it->prev();
    } else {
      DEMARCHE_CHECK(s.it->status());
      s.it->seek_to_last();
    }
  }
  return {};
}

Result<void> TimelineDays::read_block(std::size_t length_class) {
  Stream& s = streams_[length_class];
  const auto length = static_cast<LengthClass>(length_class);
  if (!s.it->valid() || s.it->key().front() != static_cast<char>(length)) {
    s.done = true;
    return s.it->valid() ? Result<void>{} : s.it->status();
  }
  DEMARCHE_CHECK(block_.parse(s.it->value()));
  const Timestamp from = inside_ ? window_.begin : earliest_begin(length, window_);
  if (way_ == Way::kOnward ? block_.first_begin() >= window_.end : block_.last_begin() < from) {
    s.done = true;
    return {};
  }
  batch_.clear();
  DEMARCHE_CHECK(
      decode_rows(*read_, block_, rows_near(block_, length, window_), {window_, kinds_}, kTimelineOwner, batch_));
  put_aside(batch_);
  if (way_ == Way::kOnward) {
    s.frontier = place(block_.last_begin(), Timestamp::highest());
    s.it->next();
    return {};
  }
  if (length < LengthClass::kLong) {
    // An end is no further from the begin than the class is long; earliest_begin() says how long that is.
    const std::int64_t none = Timestamp::lowest().seconds;
    const std::int64_t reach = -earliest_begin(length, {Timestamp{0}, Timestamp{1}}).seconds;
    const std::int64_t begin = block_.first_begin().seconds;
    const bool far = begin > Timestamp::highest().seconds - reach || begin == none;
    s.frontier = far ? kFirstPlace : place(Timestamp{begin}, Timestamp{begin + reach});
  }
  s.it->prev();
  return {};
}

Result<std::optional<RowBatch>> TimelineDays::next() {
  if (!opened_) DEMARCHE_CHECK(open());
  for (;;) {
    std::size_t behind = kLengthClassCount;
    for (std::size_t c = 0; c < kLengthClassCount; ++c) {
      if (streams_[c].done || (!days_.empty() && streams_[c].frontier > days_.begin()->first)) continue;
      if (behind == kLengthClassCount || streams_[c].frontier < streams_[behind].frontier) behind = c;
    }
    if (behind == kLengthClassCount) break;
    DEMARCHE_CHECK(read_block(behind));
  }
  if (days_.empty()) return std::nullopt;
  auto first = days_.extract(days_.begin());
  return std::optional(std::move(first.mapped()));
}

}  // namespace demarche::impl

#include "bench/store_under_test.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/chronology.h"
#include "engine/contact_scan.h"
#include "engine/edtf.h"
#include "engine/impl/store_folder.h"
#include "engine/model.h"
#include "engine/when.h"

namespace demarche::bench {
namespace {

constexpr std::size_t kRowsAtOnce = 4096;

tl::unexpected<Error> not_dense(std::string_view what, std::uint64_t found, std::uint64_t expected) {
  return make_error(ErrorCode::kCorruption, std::string(what) + " got id " + std::to_string(found) + ", expected " +
                                                std::to_string(expected) + "; the bench counts on dense ids");
}

// Adds [begin, end) of `data` as ids from `expected` on, or from whatever the first one gets if that is 0.
Result<std::uint64_t> add_interactions(Transaction& tx, const Dataset& data, const StoredIds& ids, std::size_t begin,
                                       std::size_t end, std::uint64_t expected) {
  std::uint64_t first = expected;
  std::vector<KindId> kinds;
  std::vector<std::int64_t> days;
  std::vector<std::uint32_t> party_begin;
  std::vector<ActorId> actors;
  std::vector<Role> roles;
  std::vector<std::uint64_t> lines;
  while (begin < end) {
    const std::size_t last = std::min(end, begin + kRowsAtOnce);
    kinds.clear();
    days.clear();
    party_begin.assign(1, 0);
    actors.clear();
    lines.clear();
    for (std::size_t i = begin; i < last; ++i) {
      kinds.push_back(KindId{ids.first_kind + data.kinds[i]});
      days.push_back(data.first_day + data.days[i]);
      for (const Actor32 actor : data.parties_of(i)) actors.push_back(ActorId{ids.first_actor + actor});
      party_begin.push_back(static_cast<std::uint32_t>(actors.size()));
      lines.push_back(i + 1);
    }
    roles.resize(actors.size(), Role::kParticipant);
    PlainInteractions columns{kinds, days, party_begin, actors, roles, Status::kNone, SourceId{ids.source}, lines, {}};
    DEMARCHE_TRY(const InteractionId id, tx.add_plain_interactions(columns));
    if (first == 0) first = id.value;
    const std::uint64_t wanted = expected == 0 ? first : expected;
    if (id.value != wanted) return not_dense("interaction", id.value, wanted);
    expected = id.value + (last - begin);
    begin = last;
  }
  return first;
}

Result<StoredIds> add_what_interactions_name(Transaction& tx, const Dataset& data) {
  StoredIds ids;
  for (unsigned k = 0; k < data.kind_count; ++k) {
    DEMARCHE_TRY(const KindId id, tx.declare_kind("BENCH_KIND_" + std::to_string(k), kinds::kContact));
    if (k == 0) ids.first_kind = id.value;
    if (id.value != ids.first_kind + k) return not_dense("kind", id.value, ids.first_kind + k);
  }
  Source source;
  source.key = "bench";
  source.title = data.name;
  DEMARCHE_TRY(const SourceId source_id, tx.add_source(std::move(source)));
  ids.source = source_id.value;
  for (std::uint32_t a = 0; a < data.actor_count; ++a) {
    DEMARCHE_TRY(const ActorId id, tx.add_actor({.name = "Actor " + std::to_string(a)}));
    if (a == 0) ids.first_actor = id.value;
    if (id.value != ids.first_actor + a) return not_dense("actor", id.value, ids.first_actor + a);
  }
  return ids;
}

KindSet kinds_of(std::uint32_t mask, unsigned kind_count, std::uint32_t first_kind) {
  KindSet set = KindSet::none();
  for (unsigned k = 0; k < kind_count; ++k) {
    if ((mask >> k & 1) != 0) set.insert(KindId{first_kind + k});
  }
  return set;
}

}  // namespace

int store_format() { return impl::kFormatVersion; }

Result<StoredIds> bulk_load(const std::string& path, const Dataset& data) {
  DEMARCHE_TRY(const auto store, Store::open(path, {.create_if_missing = true}));
  DEMARCHE_TRY(const auto tx, store->begin());
  DEMARCHE_TRY(StoredIds ids, add_what_interactions_name(*tx, data));
  DEMARCHE_ASSIGN(ids.first_interaction, add_interactions(*tx, data, ids, 0, data.size(), 0));
  DEMARCHE_CHECK(tx->commit("bench"));
  return ids;
}

StoreUnderTest::StoreUnderTest(std::unique_ptr<Store> store, const Dataset& data, const StoredIds& ids)
    : store_(std::move(store)),
      view_(store_->view()),
      ids_(ids),
      first_day_(data.first_day),
      kind_count_(data.kind_count),
      months_(months_of(data)),
      pairs_(data.actor_count) {}

Result<StoreUnderTest> StoreUnderTest::open(const std::string& path, const StoreOptions& options, const Dataset& data,
                                            const StoredIds& ids) {
  DEMARCHE_TRY(auto store, Store::open(path, options));
  StoreUnderTest opened(std::move(store), data, ids);
  return opened;
}

TimeWindow StoreUnderTest::window_of(std::uint32_t day_begin, std::uint32_t day_end) const {
  return {{(first_day_ + day_begin) * kSecondsPerDay}, {(first_day_ + day_end) * kSecondsPerDay}};
}

Result<ContactSum> StoreUnderTest::contacts(const ContactQuery& query) const {
  ContactScanOptions options;
  options.window = window_of(query.day_begin, query.day_end);
  options.kinds = kinds_of(query.kinds, kind_count_, ids_.first_kind);
  DEMARCHE_TRY(ContactScan scan, ContactScan::of_actor(*view_, ActorId{ids_.first_actor + query.actor}, options));
  ContactSum sum;
  ContactLines lines;
  std::uint64_t last = 0;
  while (true) {
    DEMARCHE_TRY(const bool more, scan.next(lines));
    if (!more) return sum;
    for (std::size_t i = 0; i < lines.size; ++i) {
      sum.others += lines.other[i] - ids_.first_actor;
      // Lines of one interaction stand together.
      const std::uint64_t fresh = lines.interaction[i] != last ? 1 : 0;
      last = lines.interaction[i];
      sum.interactions += fresh;
      sum.ids += fresh * (last - ids_.first_interaction);
    }
  }
}

Result<ReachSum> StoreUnderTest::reach(const ReachQuery& query) const {
  ChronologyOptions options;
  DEMARCHE_TRY(const Edtf after, parse_edtf(format_day(first_day_ + query.day_begin)));
  DEMARCHE_TRY(const Edtf before, parse_edtf(format_day(first_day_ + query.day_end)));
  options.after = as_period(after);
  options.before = as_period(before);
  DEMARCHE_TRY(const std::vector<Reached> arrivals, reached(*view_, ActorId{ids_.first_actor + query.source}, options));
  ReachSum sum;
  sum.reached = arrivals.size();
  for (const Reached& arrival : arrivals)
    sum.days += static_cast<std::uint64_t>(arrival.moment.seconds / kSecondsPerDay - first_day_);
  return sum;
}

Result<TopPairs> StoreUnderTest::top_pairs(const PairQuery& query) {
  ContactScanOptions options;
  options.window = window_of(query.day_begin, query.day_end);
  options.columns = static_cast<std::uint8_t>(ContactColumn::kOther);
  DEMARCHE_TRY(ContactScan scan, ContactScan::timeline(*view_, options));
  pairs_.clear();
  ContactLines lines;
  while (true) {
    DEMARCHE_TRY(const bool more, scan.next(lines));
    if (!more) return pairs_.top(kPairsTop);
    for (std::size_t i = 0; i < lines.size; ++i) {
      pairs_.add(static_cast<Actor32>(lines.actor[i] - ids_.first_actor),
                 static_cast<Actor32>(lines.other[i] - ids_.first_actor));
    }
  }
}

Result<KindMonths> StoreUnderTest::kind_by_month() const {
  std::vector<Timestamp> cuts;
  for (std::size_t day = 0; day < months_.month_of_day.size(); ++day) {
    if (day == 0 || months_.month_of_day[day] != months_.month_of_day[day - 1]) {
      cuts.push_back({(first_day_ + static_cast<std::int64_t>(day)) * kSecondsPerDay});
    }
  }
  cuts.push_back({(first_day_ + static_cast<std::int64_t>(months_.month_of_day.size())) * kSecondsPerDay});
  DEMARCHE_TRY(const KindCounts found, count_kinds(*view_, cuts));
  KindMonths counts(months_.size() * kKindsMax, 0);
  for (std::size_t month = 0; month < months_.size(); ++month) {
    for (std::size_t k = 0; k < kKindsMax && ids_.first_kind + k < found.kinds; ++k) {
      counts[month * kKindsMax + k] += found.counts[month * found.kinds + ids_.first_kind + k];
    }
  }
  return counts;
}

Result<void> StoreUnderTest::append(const Dataset& more, std::size_t begin, std::size_t end) {
  view_.reset();  // an old state need not be kept for us
  DEMARCHE_TRY(const auto tx, store_->begin());
  const std::uint64_t next = ids_.first_interaction + store_->view()->statistics().interactions;
  DEMARCHE_CHECK(add_interactions(*tx, more, ids_, begin, end, next));
  DEMARCHE_CHECK(tx->commit("bench"));
  view_ = store_->view();
  return {};
}

std::vector<FamilyBytes> StoreUnderTest::bytes_by_family() const {
  std::vector<FamilyBytes> out;
  for (FamilySize& size : store_->family_sizes()) {
    if (size.bytes > 0) out.push_back({std::move(size.family), size.is_index, size.bytes});
  }
  return out;
}

}  // namespace demarche::bench

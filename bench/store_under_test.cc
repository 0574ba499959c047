#include "bench/store_under_test.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/chronology.h"
#include "engine/edtf.h"
#include "engine/impl/store_folder.h"
#include "engine/model.h"
#include "engine/when.h"

namespace demarche::bench {
namespace {

constexpr std::size_t kLoadPerCommit = 20'000;
constexpr std::size_t kRowsAtOnce = 1024;

Result<std::vector<When>> whens_of(const Dataset& data) {
  std::vector<When> whens;
  for (std::uint32_t day = 0; day < data.day_count; ++day) {
    DEMARCHE_TRY(When when, parse_when(format_day(data.first_day + day)));
    whens.push_back(std::move(when));
  }
  return whens;
}

tl::unexpected<Error> not_dense(std::string_view what, std::uint64_t found, std::uint64_t expected) {
  return make_error(ErrorCode::kCorruption, std::string(what) + " got id " + std::to_string(found) + ", expected " +
                                                std::to_string(expected) + "; the bench counts on dense ids");
}

// Adds [begin, end) of `data` as ids from `expected` on, or from whatever the first one gets if that is 0.
Result<std::uint64_t> add_interactions(Transaction& tx, const Dataset& data, const std::vector<When>& whens,
                                       const StoredIds& ids, std::size_t begin, std::size_t end,
                                       std::uint64_t expected) {
  std::uint64_t first = expected;
  for (std::size_t i = begin; i < end; ++i) {
    Interaction interaction;
    interaction.kind = KindId{ids.first_kind + data.kinds[i]};
    interaction.when = whens[data.days[i]];
    for (const Actor32 actor : data.parties_of(i))
      interaction.participants.push_back({ActorId{ids.first_actor + actor}, Role::kParticipant});
    Claim claim;
    claim.source = SourceId{ids.source};
    claim.locator = std::to_string(i + 1);
    interaction.claims.push_back(std::move(claim));
    DEMARCHE_TRY(const InteractionId id, tx.add_interaction(std::move(interaction)));
    if (first == 0) first = id.value;
    if (id.value != first + (i - begin)) return not_dense("interaction", id.value, first + (i - begin));
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

template <typename OnBatch>
Result<void> for_each_batch(RowCursor cursor, OnBatch&& on_batch) {
  RowBatch rows;
  while (true) {
    DEMARCHE_CHECK(cursor.next(rows, kRowsAtOnce));
    if (rows.size() == 0) return {};
    on_batch(std::as_const(rows));
  }
}

}  // namespace

int store_format() { return impl::kFormatVersion; }

Result<StoredIds> bulk_load(const std::string& path, const Dataset& data) {
  DEMARCHE_TRY(const std::vector<When> whens, whens_of(data));
  DEMARCHE_TRY(const auto store, Store::open(path, {.create_if_missing = true, .sync = false}));
  StoredIds ids;
  for (std::size_t begin = 0; begin == 0 || begin < data.size(); begin += kLoadPerCommit) {
    DEMARCHE_TRY(const auto tx, store->begin());
    if (begin == 0) DEMARCHE_ASSIGN(ids, add_what_interactions_name(*tx, data));
    const std::size_t end = std::min(data.size(), begin + kLoadPerCommit);
    const std::uint64_t expected = begin == 0 ? 0 : ids.first_interaction + begin;
    DEMARCHE_TRY(const std::uint64_t first, add_interactions(*tx, data, whens, ids, begin, end, expected));
    if (begin == 0) ids.first_interaction = first;
    DEMARCHE_CHECK(tx->commit("bench"));
  }
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
  if (!options.read_only) DEMARCHE_ASSIGN(opened.whens_, whens_of(data));
  return opened;
}

TimeWindow StoreUnderTest::window_of(std::uint32_t day_begin, std::uint32_t day_end) const {
  return {{(first_day_ + day_begin) * kSecondsPerDay}, {(first_day_ + day_end) * kSecondsPerDay}};
}

// All dates of the data are exact days, since 1970 or not before 0 from the first day.
std::uint32_t StoreUnderTest::day_of(const TimeBounds& bounds) const {
  return static_cast<std::uint32_t>((bounds.begin_min.seconds - first_day_ * kSecondsPerDay) / kSecondsPerDay);
}

Result<ContactSum> StoreUnderTest::contacts(const ContactQuery& query) const {
  const ActorId actor{ids_.first_actor + query.actor};
  DEMARCHE_TRY(RowCursor cursor, view_->scan(actor, window_of(query.day_begin, query.day_end),
                                             kinds_of(query.kinds, kind_count_, ids_.first_kind)));
  ContactSum sum;
  DEMARCHE_CHECK(for_each_batch(std::move(cursor), [&](const RowBatch& rows) {
    sum.interactions += rows.size();
    for (const InteractionId id : rows.interaction) sum.ids += id.value - ids_.first_interaction;
    for (const Party& party : rows.parties) sum.others += party.actor.value - ids_.first_actor;
    sum.others -= rows.size() * query.actor;  // it is a party of each
  }));
  return sum;
}

Result<ReachSum> StoreUnderTest::reach(const ReachQuery& query) const {
  ChronologyOptions options;
  DEMARCHE_TRY(const Edtf after, parse_edtf(format_day(first_day_ + query.day_begin)));
  DEMARCHE_TRY(const Edtf before, parse_edtf(format_day(first_day_ + query.day_end)));
  options.after = as_period(after);
  options.before = as_period(before);
  DEMARCHE_TRY(const std::vector<Arrival> arrivals,
               reachable(*view_, ActorId{ids_.first_actor + query.source}, options));
  ReachSum sum;
  sum.reached = arrivals.size();
  for (const Arrival& arrival : arrivals)
    sum.days += static_cast<std::uint64_t>(arrival.earliest.seconds / kSecondsPerDay - first_day_);
  return sum;
}

Result<TopPairs> StoreUnderTest::top_pairs(const PairQuery& query) {
  DEMARCHE_TRY(RowCursor cursor, view_->timeline(window_of(query.day_begin, query.day_end), {}));
  pairs_.clear();
  DEMARCHE_CHECK(for_each_batch(std::move(cursor), [&](const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto parties = rows.parties_of(i);
      for (std::size_t x = 0; x + 1 < parties.size(); ++x) {
        for (std::size_t y = x + 1; y < parties.size(); ++y)
          pairs_.add(static_cast<Actor32>(parties[x].actor.value - ids_.first_actor),
                     static_cast<Actor32>(parties[y].actor.value - ids_.first_actor));
      }
    }
  }));
  return pairs_.top(kPairsTop);
}

Result<KindMonths> StoreUnderTest::kind_by_month() const {
  DEMARCHE_TRY(RowCursor cursor, view_->timeline({}, {}));
  KindMonths counts(months_.size() * kKindsMax, 0);
  DEMARCHE_CHECK(for_each_batch(std::move(cursor), [&](const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      ++counts[months_.month_of_day[day_of(rows.bounds[i])] * std::size_t{kKindsMax} + rows.kind[i].value -
               ids_.first_kind];
  }));
  return counts;
}

Result<void> StoreUnderTest::append(const Dataset& more, std::size_t begin, std::size_t end) {
  view_.reset();  // an old state need not be kept for us
  DEMARCHE_TRY(const auto tx, store_->begin());
  const std::uint64_t next = ids_.first_interaction + store_->view()->statistics().interactions;
  DEMARCHE_CHECK(add_interactions(*tx, more, whens_, ids_, begin, end, next));
  DEMARCHE_CHECK(tx->commit("bench"));
  view_ = store_->view();
  return {};
}

std::vector<FamilyBytes> StoreUnderTest::bytes_by_family() const { return {}; }

}  // namespace demarche::bench

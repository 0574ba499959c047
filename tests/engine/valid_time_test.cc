// Views within a valid time against the same store with everything else retired: all roads that read rows must agree,
// sealed and fresh. Which interactions are in is asked of the predicate on each record, not of the index.
#include "engine/valid_time.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/before.h"
#include "engine/chronology.h"
#include "engine/contact_scan.h"
#include "engine/store.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace demarche;

template <typename T>
T must(Result<T> r) {
  if (!r) FAIL(r.error().message);
  return std::move(*r);
}
void must(const Result<void>& r) {
  if (!r) FAIL(r.error().message);
}

TimeBounds period(std::string_view text) { return as_period(must(parse_edtf(text))); }
ValidTime overlapping(std::string_view text) { return {TimePredicate::kOverlaps, period(text)}; }
ValidTime during(std::string_view text) { return {TimePredicate::kDuring, period(text)}; }

constexpr std::size_t kActors = 30;

// Contacts of days, some lasting, some vague, some of many parties; `sealed` of them in blocks, the others fresh.
void fill(Store& store, std::uint64_t seed, std::size_t count, std::size_t sealed) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  auto tx = must(store.begin());
  std::vector<ActorId> actors;
  for (std::size_t i = 0; i < kActors; ++i) {
    Actor actor;
    actor.name = "actor " + std::to_string(i);
    actors.push_back(must(tx->add_actor(std::move(actor))));
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (i == sealed) {
      must(tx->commit("first part"));
      tx.reset();
      must(store.seal());
      tx = must(store.begin());
    }
    Interaction made;
    made.key = "i" + std::to_string(i);
    made.kind = *tx->view().kinds().find(below(4) == 0 ? "CALL" : "MEETING");
    const std::int64_t day = days_from_civil(2016, 1, 1) + static_cast<std::int64_t>(below(200));
    const std::string first = format_day(day);
    const std::string later = format_day(day + static_cast<std::int64_t>(1 + below(40)));
    const std::vector<std::string> forms = {first,
                                            first,
                                            first,
                                            first,
                                            first + "/" + later,
                                            first + "/..",
                                            first + "/",
                                            "[" + first + ".." + later + "]",
                                            first.substr(0, 7),
                                            first + "~",
                                            first + "T10:00:00Z",
                                            "../" + first,
                                            ""};
    const std::string& form = forms[below(forms.size())];
    if (!form.empty()) made.when = must(parse_when(form));
    if (below(10) == 0) made.status = Status::kPlanned;
    std::shuffle(actors.begin(), actors.end(), random);
    const std::size_t parties = below(12) == 0 ? 10 : 2;
    for (std::size_t k = 0; k < parties; ++k) made.participants.push_back({actors[k], Role::kParticipant});
    must(tx->add_interaction(std::move(made)));
  }
  must(tx->commit("last part"));
}

void retire_others(Store& store, const ValidTime& valid) {
  auto tx = must(store.begin());
  auto rows = must(store.view()->timeline({}, KindSet()));
  RowBatch batch;
  for (must(rows.next(batch)); batch.size() > 0; must(rows.next(batch))) {
    for (const InteractionId id : batch.interaction) {
      const Interaction record = must(tx->view().get_interaction(id));
      const bool in = record.when && evaluate(valid.predicate, record.when->bounds, valid.period) == Truth::kTrue;
      if (!in) must(tx->retire_interaction(id));
    }
  }
  if (!tx->empty()) must(tx->commit("cut"));
}

using Lines = std::vector<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>>;

Lines lines_of(ContactScan scan) {
  Lines out;
  ContactLines lines;
  while (must(scan.next(lines))) {
    for (std::size_t i = 0; i < lines.size; ++i) {
      const std::uint64_t actor = lines.actor.empty() ? 0 : lines.actor[i];
      const std::uint64_t a = actor == 0 ? lines.other[i] : std::min(actor, lines.other[i]);
      const std::uint64_t b = actor == 0 ? 0 : std::max(actor, lines.other[i]);
      out.emplace_back(lines.interaction[i], a, b);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::uint64_t> ids_of(RowCursor cursor) {
  std::vector<std::uint64_t> out;
  RowBatch batch;
  for (must(cursor.next(batch)); batch.size() > 0; must(cursor.next(batch))) {
    for (const InteractionId id : batch.interaction) out.push_back(id.value);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::pair<std::uint64_t, std::int64_t>> reach(const View& view, ChronologyMode mode) {
  ChronologyOptions options;
  options.mode = mode;
  std::vector<std::pair<std::uint64_t, std::int64_t>> out;
  for (const Reached& r : must(reached(view, ActorId{3}, options))) out.emplace_back(r.actor.value, r.earliest.seconds);
  std::sort(out.begin(), out.end());
  return out;
}

void compare(const View& within, const View& cut) {
  const TimeWindow spring{{days_from_civil(2016, 3, 1) * kSecondsPerDay},
                          {days_from_civil(2016, 6, 1) * kSecondsPerDay}};
  for (const TimeWindow window : {TimeWindow{}, spring}) {
    CHECK(ids_of(must(within.timeline(window, KindSet()))) == ids_of(must(cut.timeline(window, KindSet()))));
    ContactScanOptions options;
    options.window = window;
    CHECK(lines_of(must(ContactScan::timeline(within, options))) ==
          lines_of(must(ContactScan::timeline(cut, options))));
    for (std::uint64_t actor = 1; actor <= kActors; actor += 7) {
      CHECK(ids_of(must(within.scan(ActorId{actor}, window, KindSet()))) ==
            ids_of(must(cut.scan(ActorId{actor}, window, KindSet()))));
      CHECK(lines_of(must(ContactScan::of_actor(within, ActorId{actor}, options))) ==
            lines_of(must(ContactScan::of_actor(cut, ActorId{actor}, options))));
    }
  }
  for (const auto mode : {ChronologyMode::kDefault, ChronologyMode::kStrict, ChronologyMode::kPossibly}) {
    CHECK(reach(within, mode) == reach(cut, mode));
  }
  const std::vector<Timestamp> cuts = {Timestamp::lowest(), spring.begin, spring.end, Timestamp::highest()};
  CHECK(must(count_kinds(within, cuts)).counts == must(count_kinds(cut, cuts)).counts);
  const TimeBounds may = must(parse_when("2016-05-15")).bounds;
  CHECK(must(contacts_before(within, may, {})).size() == must(contacts_before(cut, may, {})).size());
}

}  // namespace

TEST_CASE("valid time: a view within it reads as a store that holds nothing else") {
  const std::vector<ValidTime> all = {overlapping("2016-04-10"),  overlapping("2016-03"),
                                      during("2016-02/2016-05"),  during("2016-04-01/.."),
                                      overlapping("../2016-02"),  overlapping("[2016-03-01..2016-03-09]"),
                                      overlapping("2016-04-10~"), overlapping("2016-04-10T10:00:00Z"),
                                      during("2016-03-15"),       overlapping("2030")};
  std::size_t rows = 0;
  for (const ValidTime& valid : all) {
    for (const std::size_t sealed : {std::size_t{0}, std::size_t{1500}, std::size_t{900}}) {
      tests::TempFolder folder;
      StoreOptions options;
      options.create_if_missing = true;
      options.sync = false;
      auto whole = must(Store::open(folder.path("whole"), options));
      auto cut = must(Store::open(folder.path("cut"), options));
      fill(*whole, 7, 1500, sealed);
      fill(*cut, 7, 1500, sealed);
      if (sealed == 1500) must(whole->seal());
      retire_others(*cut, valid);
      const auto within = whole->view()->within(valid);
      INFO("sealed " << sealed << ", period from " << format_instant(valid.period.begin_min) << " to "
                     << format_instant(valid.period.end_max));
      REQUIRE(within->valid_time().has_value());
      compare(*within, *cut->view());
      rows += ids_of(must(within->timeline({}, KindSet()))).size();
    }
  }
  CHECK(rows > 3000);
}

TEST_CASE("valid time: what is outside is not found, by key or by number") {
  tests::TempFolder folder;
  StoreOptions options;
  options.create_if_missing = true;
  auto store = must(Store::open(folder.path("store"), options));
  fill(*store, 1, 40, 20);
  const auto now = store->view();
  const ValidTime valid = overlapping("2016-03");
  const auto within = now->within(valid);
  std::size_t in = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    const auto id = must(now->find_interaction("i" + std::to_string(i)));
    REQUIRE(id);
    const Interaction record = must(now->get_interaction(*id));
    const bool inside = valid.admits(record.when.has_value(), record.when ? record.when->bounds : TimeBounds{});
    in += inside ? 1 : 0;
    CHECK(must(within->find_interaction("i" + std::to_string(i))).has_value() == inside);
    const auto found = within->get_interaction(*id);
    CHECK(found.has_value() == inside);
    if (!inside) CHECK(found.error().code == ErrorCode::kNotFound);
  }
  CHECK(in > 0);
  CHECK(in < 40);
  CHECK_FALSE(now->valid_time().has_value());
  // Another time takes the place of the first.
  CHECK(ids_of(must(within->within(overlapping("2016-05"))->timeline({}, KindSet()))) ==
        ids_of(must(now->within(overlapping("2016-05"))->timeline({}, KindSet()))));
}

TEST_CASE("valid time: undated interactions are in no time, not even in all of it") {
  CHECK_FALSE(overlapping("../..").admits(false, TimeBounds{}));
  CHECK(overlapping("../..").admits(true, must(parse_when("2016")).bounds));
}

TEST_CASE("valid time: a half-open period ends right before its end, and must not end before it begins") {
  const auto text = [](std::string_view from, std::string_view to) {
    return half_open_period(period(from), period(to));
  };
  const TimeBounds april = must(text("2016-04", "2016-05"));
  CHECK(april.begin_min == period("2016-04").begin_min);
  CHECK(april.end_max == period("2016-04").end_max);
  CHECK(april.end_min == april.end_max);
  CHECK_FALSE(text("2016-04", "2016-04"));
  CHECK_FALSE(text("2016-05", "2016-04"));
  CHECK_FALSE(text("2016-05", "2016-05-01"));
  CHECK(text("2016-05-01T00:00:00Z", "2016-05-01T00:00:01Z"));
  CHECK(must(text("2016-04~", "2016-05")).qualified);
  // Some reading is in order: only those count.
  const TimeBounds vague = must(text("[2016-04-01..2016-04-30]", "2016-04-15"));
  CHECK(vague.begin_min <= vague.begin_max);
  CHECK(vague.end_min <= vague.end_max);
  CHECK(vague.begin_max <= vague.end_max);
  CHECK(vague.begin_min <= vague.end_min);
}

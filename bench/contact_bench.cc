// Load and questions on a generated store, each with the answer it must give.
//
// Data: 50,000 exact-day contacts among 2,000 actors over ten years, drawn with a fixed seed; the actor drawn first has
// a twentieth of them. Run: ./dev bench

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/before.h"
#include "engine/chronology.h"
#include "engine/edtf.h"
#include "engine/store.h"
#include "query/query.h"

namespace demarche {
namespace {

constexpr std::size_t kActors = 2'000;
constexpr std::size_t kContacts = 50'000;
constexpr std::int64_t kFirstDay = 16'071;  // 2014-01-01
constexpr std::int64_t kDays = 3'652;
constexpr std::uint32_t kSeed = 42;

struct Contact {
  std::size_t a;
  std::size_t b;
  std::int64_t day;
};

const std::vector<Contact>& contacts() {
  static const std::vector<Contact> all = [] {
    std::mt19937 random(kSeed);
    std::vector<Contact> out;
    while (out.size() < kContacts) {
      const std::size_t a = random() % 20 == 0 ? 0 : random() % kActors;
      const std::size_t b = random() % kActors;
      if (a != b) out.push_back({a, b, kFirstDay + static_cast<std::int64_t>(random() % kDays)});
    }
    return out;
  }();
  return all;
}

// Stops the run: a figure for a wrong answer is worth nothing.
template <typename T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}
void demand(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "wrong answer: %s\n", what);
  std::abort();
}

void fill(Store& store) {
  const auto tx = must(store.begin());
  std::vector<ActorId> actors;
  for (std::size_t i = 0; i < kActors; ++i)
    actors.push_back(must(tx->add_actor({.name = "Actor " + std::to_string(i)})));
  for (const Contact& contact : contacts()) {
    Interaction interaction;
    interaction.kind = kinds::kMeeting;
    interaction.when = must(parse_when(format_day(contact.day)));
    interaction.participants = {{actors[contact.a], Role::kParticipant}, {actors[contact.b], Role::kParticipant}};
    must(tx->add_interaction(interaction));
  }
  must(tx->commit("bench"));
}

std::filesystem::path folder() {
  static const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("demarche-bench-" + std::to_string(getpid()));
  return path;
}

Store& filled() {
  static const std::unique_ptr<Store> store = [] {
    std::filesystem::remove_all(folder());
    std::filesystem::create_directories(folder());
    auto opened = must(Store::open((folder() / "filled").string(), {.create_if_missing = true}));
    fill(*opened);
    std::atexit([] { std::filesystem::remove_all(folder()); });
    return opened;
  }();
  return *store;
}

std::size_t count_rows(RowCursor cursor) {
  RowBatch rows;
  std::size_t count = 0;
  while (true) {
    must(cursor.next(rows));
    if (rows.size() == 0) return count;
    count += rows.size();
  }
}

TimeWindow window_of(std::int64_t first_day, std::int64_t days) {
  return {{first_day * kSecondsPerDay}, {(first_day + days) * kSecondsPerDay}};
}

void load(benchmark::State& state) {
  (void)filled();                // makes the folder
  static std::size_t round = 0;  // the case is called several times to find its number of rounds
  for (auto _ : state) {
    const std::string path = (folder() / ("load" + std::to_string(round++))).string();
    auto store = must(Store::open(path, {.create_if_missing = true}));
    fill(*store);
    demand(store->view()->statistics().interactions == kContacts, "load");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kContacts));
}
BENCHMARK(load)->Unit(benchmark::kMillisecond)->MinTime(2);

void scan_of_a_hub(benchmark::State& state) {
  const auto view = filled().view();
  const ActorId hub = must(view->resolve_actor("Actor 0"));
  const std::int64_t from = kFirstDay + 1'000;
  std::size_t expected = 0;
  for (const Contact& c : contacts()) expected += (c.a == 0 || c.b == 0) && c.day >= from && c.day < from + 365 ? 1 : 0;
  for (auto _ : state) demand(count_rows(must(view->scan(hub, window_of(from, 365), {}))) == expected, "hub");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(expected));
}
BENCHMARK(scan_of_a_hub)->Unit(benchmark::kMicrosecond);

void timeline_of_a_year(benchmark::State& state) {
  const auto view = filled().view();
  const std::int64_t from = kFirstDay + 1'000;
  std::size_t expected = 0;
  for (const Contact& c : contacts()) expected += c.day >= from && c.day < from + 365 ? 1 : 0;
  for (auto _ : state) demand(count_rows(must(view->timeline(window_of(from, 365), {}))) == expected, "timeline");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(expected));
}
BENCHMARK(timeline_of_a_year)->Unit(benchmark::kMicrosecond);

// Days on which each pair met within a year, by query, against a count of our own.
void pairs_and_days_by_query(benchmark::State& state) {
  std::map<std::pair<std::size_t, std::size_t>, std::set<std::int64_t>> pairs;
  const std::int64_t from = days_from_civil(2016, 1, 1);
  for (const Contact& c : contacts()) {
    if (c.day >= from && c.day < from + 366) pairs[std::minmax(c.a, c.b)].insert(c.day);
  }
  std::size_t days = 0;
  for (const auto& [pair, met] : pairs) days += met.size();
  const char* text =
      "MATCH (a)-[c:CONTACT]-(b) WHERE c DURING '2016' AND id(a) < id(b) "
      "WITH a, b, count(DISTINCT c.when) AS days RETURN count(*), sum(days)";
  for (auto _ : state) {
    const auto cursor = must(query::run_query(filled(), text));
    query::ResultRows rows;
    must(cursor->next(rows));
    demand(rows.size() == 1 && rows.column(0)[0].as_integer() == static_cast<std::int64_t>(pairs.size()) &&
               rows.column(1)[0].as_integer() == static_cast<std::int64_t>(days),
           "pairs");
  }
}
BENCHMARK(pairs_and_days_by_query)->Unit(benchmark::kMillisecond);

void who_before(benchmark::State& state) {
  const auto view = filled().view();
  const TimeBounds before = as_period(must(parse_edtf("2016")));
  std::size_t expected = 0;
  for (const Contact& c : contacts()) expected += c.day < days_from_civil(2016, 1, 1) ? 1 : 0;
  for (auto _ : state) demand(must(contacts_before(*view, before)).size() == expected, "before");
}
BENCHMARK(who_before)->Unit(benchmark::kMillisecond);

// Everybody the hub could have reached, against one pass over the contacts in order of day (repeated within a day).
void reach_of_the_hub(benchmark::State& state) {
  const auto view = filled().view();
  const ActorId hub = must(view->resolve_actor("Actor 0"));
  std::vector<Contact> sorted = contacts();
  std::sort(sorted.begin(), sorted.end(), [](const Contact& x, const Contact& y) { return x.day < y.day; });
  const std::int64_t limit = kFirstDay + 40;
  std::vector<bool> reached(kActors, false);
  reached[0] = true;
  for (std::size_t i = 0; i < sorted.size() && sorted[i].day < limit;) {
    std::size_t end = i;
    while (end < sorted.size() && sorted[end].day == sorted[i].day) ++end;
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t k = i; k < end; ++k) {
        if (reached[sorted[k].a] == reached[sorted[k].b]) continue;
        reached[sorted[k].a] = reached[sorted[k].b] = changed = true;
      }
    }
    i = end;
  }
  const auto expected = static_cast<std::size_t>(std::count(reached.begin(), reached.end(), true)) - 1;
  ChronologyOptions options;
  options.before = as_period(must(parse_edtf(format_day(limit))));
  for (auto _ : state) demand(must(reachable(*view, hub, options)).size() == expected, "reach");
}
BENCHMARK(reach_of_the_hub)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace demarche

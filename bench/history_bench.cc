// What keeping history costs: the same contacts in a store where every tenth was given another date later, and in one
// that was told the right dates at once; and the past asked for beside the present.
//
// Data: 50,000 exact-day contacts among 2,000 actors over ten years, drawn with a fixed seed. Run: ./dev bench

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/edtf.h"
#include "engine/store.h"
#include "query/query.h"

namespace demarche {
namespace {

constexpr std::size_t kActors = 2'000;
constexpr std::size_t kContacts = 50'000;
constexpr std::size_t kRedatedEach = 10;
constexpr std::int64_t kFirstDay = 16'071;  // 2014-01-01
constexpr std::int64_t kDays = 3'652;

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

struct Contact {
  std::size_t a;
  std::size_t b;
  std::int64_t day;        // as first recorded
  std::int64_t right_day;  // as it is held to be now
};

const std::vector<Contact>& contacts() {
  static const std::vector<Contact> all = [] {
    std::mt19937 random(7);
    std::vector<Contact> out;
    while (out.size() < kContacts) {
      const std::size_t a = random() % kActors;
      const std::size_t b = random() % kActors;
      const std::int64_t day = kFirstDay + static_cast<std::int64_t>(random() % kDays);
      const std::int64_t other = kFirstDay + static_cast<std::int64_t>(random() % kDays);
      if (a != b) out.push_back({a, b, day, out.size() % kRedatedEach == 0 ? other : day});
    }
    return out;
  }();
  return all;
}

std::vector<ActorId> add_actors(Transaction& tx) {
  std::vector<ActorId> out;
  for (std::size_t i = 0; i < kActors; ++i) out.push_back(must(tx.add_actor({.name = "Actor " + std::to_string(i)})));
  return out;
}

Interaction meeting(ActorId a, ActorId b, std::int64_t day) {
  Interaction out;
  out.kind = kinds::kMeeting;
  out.when = must(parse_when(format_day(day)));
  out.participants = {{a, Role::kParticipant}, {b, Role::kParticipant}};
  return out;
}

// Every tenth contact gets another date, or as many new ones are recorded.
void redate(Store& store) {
  const auto tx = must(store.begin());
  for (std::size_t i = 0; i < kContacts; i += kRedatedEach) {
    Interaction record = must(tx->view().get_interaction(InteractionId{i + 1}));
    record.when = must(parse_when(format_day(contacts()[i].right_day)));
    must(tx->replace_interaction(record.id, record));
  }
  must(tx->commit("redated"));
}
void record_as_many(Store& store) {
  const auto tx = must(store.begin());
  for (std::size_t i = 0; i < kContacts; i += kRedatedEach) {
    const Interaction like = must(tx->view().get_interaction(InteractionId{i + 1}));
    Interaction record = meeting(like.participants[0].actor, like.participants[1].actor, contacts()[i].right_day);
    must(tx->add_interaction(std::move(record)));
  }
  must(tx->commit("recorded"));
}

std::filesystem::path folder() {
  static const std::filesystem::path path = [] {
    auto out = std::filesystem::temp_directory_path() / ("demarche-history-bench-" + std::to_string(getpid()));
    std::filesystem::create_directories(out);
    return out;
  }();
  return path;
}

std::unique_ptr<Store> filled(const std::string& name, bool right_at_once) {
  // Registered before any store is there, so that it runs when all are closed.
  static const bool removed_at_exit = (folder(), std::atexit([] { std::filesystem::remove_all(folder()); }) == 0);
  demand(removed_at_exit, "atexit");
  auto store = must(Store::open((folder() / name).string(), {.create_if_missing = true}));
  const auto tx = must(store->begin());
  const std::vector<ActorId> actors = add_actors(*tx);
  for (const Contact& c : contacts())
    must(tx->add_interaction(meeting(actors[c.a], actors[c.b], right_at_once ? c.right_day : c.day)));
  must(tx->commit("filled"));
  return store;
}

Store& with_history() {
  static const std::unique_ptr<Store> store = [] {
    auto out = filled("history", false);
    redate(*out);
    must(out->seal());
    return out;
  }();
  return *store;
}
Store& without_history() {
  static const std::unique_ptr<Store> store = [] {
    auto out = filled("flat", true);
    must(out->seal());
    return out;
  }();
  return *store;
}

constexpr const char* kQuestion = "MATCH (a)-[c:CONTACT]-(b) WHERE c DURING '2016' AND id(a) < id(b) RETURN count(*)";

std::size_t in_2016(std::int64_t Contact::*day) {
  const std::int64_t from = days_from_civil(2016, 1, 1);
  std::size_t out = 0;
  for (const Contact& c : contacts()) out += c.*day >= from && c.*day < from + 366 ? 1 : 0;
  return out;
}

void ask(benchmark::State& state, Store& store, const std::string& text, std::size_t expected) {
  for (auto _ : state) {
    const auto cursor = must(query::run_query(store, text));
    query::ResultRows rows;
    must(cursor->next(rows));
    demand(rows.size() == 1 && rows.column(0)[0].as_integer() == static_cast<std::int64_t>(expected), text.c_str());
  }
}

void current_year_without_history(benchmark::State& state) {
  ask(state, without_history(), kQuestion, in_2016(&Contact::right_day));
}
BENCHMARK(current_year_without_history)->Unit(benchmark::kMillisecond);

void current_year_with_history(benchmark::State& state) {
  ask(state, with_history(), kQuestion, in_2016(&Contact::right_day));
}
BENCHMARK(current_year_with_history)->Unit(benchmark::kMillisecond);

void year_as_of_a_past_commit(benchmark::State& state) {
  ask(state, with_history(), std::string("FOR SYSTEM_TIME AS OF COMMIT 1 ") + kQuestion, in_2016(&Contact::day));
}
BENCHMARK(year_as_of_a_past_commit)->Unit(benchmark::kMillisecond);

void year_by_a_head(benchmark::State& state) {
  ask(state, with_history(),
      "FOR VALID_TIME DURING '2016' MATCH (a)-[c:CONTACT]-(b) WHERE id(a) < id(b) RETURN count(*)",
      in_2016(&Contact::right_day));
}
BENCHMARK(year_by_a_head)->Unit(benchmark::kMillisecond);

// Offices that still last, one for each actor, beside the contacts: a window of contacts must not read them all.
void current_year_with_open_ties(benchmark::State& state) {
  static const std::unique_ptr<Store> store = [] {
    auto out = filled("ties", true);
    const auto tx = must(out->begin());
    for (std::size_t i = 0; i + 1 < kActors; ++i) {
      Interaction tie;
      tie.kind = kinds::kHoldsOffice;
      tie.when = must(parse_when(format_day(kFirstDay - static_cast<std::int64_t>(i % 3'000)) + "/.."));
      tie.participants = {{ActorId{i + 1}, Role::kHolder}, {ActorId{i + 2}, Role::kBody}};
      must(tx->add_interaction(std::move(tie)));
    }
    must(tx->commit("ties"));
    must(out->seal());
    return out;
  }();
  ask(state, *store, kQuestion, in_2016(&Contact::right_day));
}
BENCHMARK(current_year_with_open_ties)->Unit(benchmark::kMillisecond);

template <typename Write>
void write_case(benchmark::State& state, Write write, std::size_t interactions) {
  static std::size_t round = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto store = filled("write" + std::to_string(round++), false);
    state.ResumeTiming();
    write(*store);
    state.PauseTiming();
    const auto view = store->view();
    demand(view->statistics().interactions == interactions, "interactions after writing");
    demand(view->statistics().commit.value == 2, "commits");
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kContacts / kRedatedEach));
}
void redate_every_tenth(benchmark::State& state) { write_case(state, redate, kContacts); }
BENCHMARK(redate_every_tenth)->Unit(benchmark::kMillisecond)->Iterations(7);

void record_as_many_anew(benchmark::State& state) {
  write_case(state, record_as_many, kContacts + kContacts / kRedatedEach);
}
BENCHMARK(record_as_many_anew)->Unit(benchmark::kMillisecond)->Iterations(7);

}  // namespace
}  // namespace demarche

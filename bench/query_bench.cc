// Queries beside the bare index scans that their answers need, in one program: each case checks its answer against the
// scan's and prints how many times its processor time it took (`ratio`), from the best of all rounds.
//
// Data: icews18 (416,803 interactions of 2018), imported once into a temporary folder; DEMARCHE_DATA names the folder
// with icews18.tsv.zst and relations.tsv. Run: ./dev bench, or build/release/bench/demarche_query_bench

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/contact_scan.h"
#include "engine/edtf.h"
#include "engine/exchange/import.h"
#include "engine/store.h"
#include "query/query.h"

namespace demarche {
namespace {

// Time of this thread on a processor: others may use the machine too.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
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

std::string data_folder() {
  const char* named = std::getenv("DEMARCHE_DATA");
  return named != nullptr ? named : DEMARCHE_DATA_DIR;
}

Store& icews() {
  static const std::unique_ptr<Store> store = [] {
    const auto folder = std::filesystem::temp_directory_path() / ("demarche-query-bench-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    auto opened = must(Store::open((folder / "icews18").string(), {.create_if_missing = true}));
    auto tx = must(opened->begin());
    must(import_dyads(*tx, {data_folder() + "/icews18.tsv.zst"}, data_folder() + "/relations.tsv"));
    must(tx->commit("icews18"));
    tx.reset();
    must(opened->seal());
    static const std::filesystem::path made = folder;
    std::atexit([] { std::filesystem::remove_all(made); });
    return opened;
  }();
  return *store;
}

// All rows of an answer.
struct Answer {
  std::vector<std::vector<query::Value>> columns;
  std::size_t rows = 0;
};
Answer ask(std::string_view text) {
  const auto cursor = must(query::run_query(icews(), text));
  Answer out;
  out.columns.resize(cursor->columns().size());
  query::ResultRows rows;
  while (true) {
    must(cursor->next(rows));
    if (rows.size() == 0) return out;
    out.rows += rows.size();
    for (std::size_t i = 0; i < out.columns.size(); ++i) {
      out.columns[i].insert(out.columns[i].end(), rows.column(i).begin(), rows.column(i).end());
    }
  }
}

// Runs the scan and the query in turns and notes the quotient of their least times. `items`: counted in a second.
template <typename Scan, typename Query>
void compare(benchmark::State& state, Scan scan, Query query, double items) {
  double scan_best = 1e9;
  double query_best = 1e9;
  const auto seconds = [](auto run) {
    const double start = cpu_seconds();
    run();
    return cpu_seconds() - start;
  };
  for (auto _ : state) {
    scan_best = std::min(scan_best, seconds(scan));
    const double taken = seconds(query);
    query_best = std::min(query_best, taken);
    state.SetIterationTime(taken);
  }
  state.counters["ratio"] = query_best / scan_best;
  state.counters["scan_us"] = scan_best * 1e6;
  state.counters["query_us"] = query_best * 1e6;
  state.counters["items/s"] = items / query_best;
}

ContactLines all_lines(ContactScan scan) {
  ContactLines out;
  ContactLines lines;
  while (must(scan.next(lines))) {
    out.size += lines.size;
    out.begin.insert(out.begin.end(), lines.begin.begin(), lines.begin.end());
    out.kind.insert(out.kind.end(), lines.kind.begin(), lines.kind.end());
    out.other.insert(out.other.end(), lines.other.begin(), lines.other.end());
    out.interaction.insert(out.interaction.end(), lines.interaction.begin(), lines.interaction.end());
  }
  return out;
}

ContactScanOptions every_interaction(std::uint8_t columns) {
  ContactScanOptions options;
  options.interactions = true;
  options.columns = columns;
  return options;
}

constexpr const char* kHub = "Donald Trump";

// ---- aggregation over all --------------------------------------------------------------------------------------

void count_by_kind(benchmark::State& state) {
  const auto view = icews().view();
  std::map<std::string, std::int64_t> expected;
  const auto scan = [&] {
    std::vector<std::int64_t> counts(4096);
    auto rows = must(ContactScan::timeline(*view, every_interaction(static_cast<std::uint8_t>(ContactColumn::kKind))));
    ContactLines lines;
    while (must(rows.next(lines))) {
      for (const std::uint32_t kind : lines.kind) ++counts[kind];
    }
    expected.clear();
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] > 0) expected[view->kinds().get(KindId{static_cast<std::uint32_t>(i)}).name] = counts[i];
    }
  };
  const auto query = [&] {
    const Answer answer = ask("MATCH [c] RETURN type(c), count(*)");
    demand(answer.rows == expected.size(), "kinds");
    for (std::size_t i = 0; i < answer.rows; ++i) {
      demand(expected[answer.columns[0][i].as_string()] == answer.columns[1][i].as_integer(), "count of a kind");
    }
  };
  compare(state, scan, query, static_cast<double>(view->statistics().interactions));
}
BENCHMARK(count_by_kind)->Unit(benchmark::kMicrosecond)->UseManualTime();

// The same with a condition, so that rows are made and grouped.
void count_by_kind_in_rows(benchmark::State& state) {
  const auto view = icews().view();
  std::int64_t expected = 0;
  const auto scan = [&] {
    auto rows = must(ContactScan::timeline(*view, every_interaction(ContactColumn::kKind | ContactColumn::kBounds)));
    ContactLines lines;
    expected = 0;
    while (must(rows.next(lines))) expected += static_cast<std::int64_t>(lines.size);
  };
  const auto query = [&] {
    const Answer answer = ask("MATCH [c] WHERE c DURING '2018' RETURN type(c), count(*)");
    std::int64_t sum = 0;
    for (const query::Value& count : answer.columns[1]) sum += count.as_integer();
    demand(sum == expected, "counts by kind");
  };
  compare(state, scan, query, static_cast<double>(view->statistics().interactions));
}
BENCHMARK(count_by_kind_in_rows)->Unit(benchmark::kMicrosecond)->UseManualTime();

void count_by_month(benchmark::State& state) {
  const auto view = icews().view();
  std::map<std::int64_t, std::int64_t> expected;
  const auto scan = [&] {
    expected.clear();
    auto rows = must(ContactScan::timeline(*view, every_interaction(static_cast<std::uint8_t>(ContactColumn::kBegin))));
    ContactLines lines;
    std::int64_t counts[13] = {};
    while (must(rows.next(lines))) {
      for (const std::int64_t begin : lines.begin) ++counts[civil_from_days(begin / kSecondsPerDay).month];
    }
    for (std::int64_t month = 1; month <= 12; ++month) {
      if (counts[month] > 0) expected[month] = counts[month];
    }
  };
  const auto query = [&] {
    const Answer answer = ask("MATCH [c] RETURN c.begin.month, count(*)");
    demand(answer.rows == expected.size(), "months");
    for (std::size_t i = 0; i < answer.rows; ++i) {
      demand(expected[answer.columns[0][i].as_integer()] == answer.columns[1][i].as_integer(), "count of a month");
    }
  };
  compare(state, scan, query, static_cast<double>(view->statistics().interactions));
}
BENCHMARK(count_by_month)->Unit(benchmark::kMicrosecond)->UseManualTime();

// ---- expansion ---------------------------------------------------------------------------------------------------

void one_hop_in_a_window(benchmark::State& state) {
  const auto view = icews().view();
  const ActorId hub = must(view->resolve_actor(kHub));
  ContactScanOptions options;
  options.window = {{days_from_civil(2018, 3, 1) * kSecondsPerDay}, {days_from_civil(2018, 6, 1) * kSecondsPerDay}};
  std::size_t expected = 0;
  const auto scan = [&] { expected = all_lines(must(ContactScan::of_actor(*view, hub, options))).size; };
  scan();
  const std::string text =
      std::string("MATCH (a {name: '") + kHub + "'})-[c:CONTACT]-(b) WHERE c DURING '2018-03/2018-05' RETURN b, c";
  const auto query = [&] { demand(ask(text).rows == expected, "one hop"); };
  compare(state, scan, query, static_cast<double>(expected));
}
BENCHMARK(one_hop_in_a_window)->Unit(benchmark::kMicrosecond)->UseManualTime();

void two_hops_distinct(benchmark::State& state) {
  const auto view = icews().view();
  const ActorId hub = must(view->resolve_actor(kHub));
  std::size_t expected = 0;
  std::size_t expansions = 0;
  const auto scan = [&] {
    const ContactLines first = all_lines(must(ContactScan::of_actor(*view, hub, {})));
    std::unordered_set<std::uint64_t> found;
    std::map<std::uint64_t, ContactLines> known;
    expansions = 0;
    for (std::size_t i = 0; i < first.size; ++i) {
      const auto [at, fresh] = known.try_emplace(first.other[i]);
      if (fresh) at->second = all_lines(must(ContactScan::of_actor(*view, {first.other[i]}, {})));
      const ContactLines& second = at->second;
      expansions += second.size;
      for (std::size_t k = 0; k < second.size; ++k) {
        if (second.interaction[k] != first.interaction[i]) found.insert(second.other[k]);
      }
    }
    expected = found.size();
  };
  scan();
  const std::string text =
      std::string("MATCH (a {name: '") + kHub + "'})-[:CONTACT]-(b)-[:CONTACT]-(c) RETURN count(DISTINCT c)";
  const auto query = [&] {
    demand(ask(text).columns[0][0].as_integer() == static_cast<std::int64_t>(expected), "two hops");
  };
  compare(state, scan, query, static_cast<double>(expansions));
}
BENCHMARK(two_hops_distinct)->Unit(benchmark::kMicrosecond)->UseManualTime();

// ---- others ------------------------------------------------------------------------------------------------------

void first_contacts(benchmark::State& state) {
  const auto view = icews().view();
  std::vector<std::int64_t> begins;
  const auto scan = [&] {
    ContactScanOptions options;
    options.columns = ContactColumn::kBegin | ContactColumn::kOther;
    begins = all_lines(must(ContactScan::timeline(*view, options))).begin;
    std::sort(begins.begin(), begins.end());
  };
  const auto query = [&] {
    const Answer answer = ask("MATCH (a)-[c:CONTACT]-(b) RETURN a.name, b.name, c.when ORDER BY c.when LIMIT 10");
    demand(answer.rows == 10 && answer.columns[2][9].as_date().bounds.begin_min.seconds == begins[4], "first contacts");
  };
  compare(state, scan, query, static_cast<double>(view->statistics().interactions));
}
BENCHMARK(first_contacts)->Unit(benchmark::kMicrosecond)->UseManualTime();

void never_in_contact(benchmark::State& state) {
  const auto view = icews().view();
  std::int64_t expected = 0;
  const auto scan = [&] {
    std::unordered_set<std::uint64_t> met;
    auto rows = must(ContactScan::timeline(*view, {}));
    ContactLines lines;
    while (must(rows.next(lines))) {
      met.insert(lines.actor.begin(), lines.actor.end());
      met.insert(lines.other.begin(), lines.other.end());
    }
    expected = static_cast<std::int64_t>(view->statistics().actors - met.size());
  };
  const auto query = [&] {
    const Answer answer = ask("MATCH (a) WHERE NOT EXISTS { (a)-[:CONTACT]-() } RETURN count(*)");
    demand(answer.columns[0][0].as_integer() == expected, "never in contact");
  };
  compare(state, scan, query, static_cast<double>(view->statistics().actors));
}
BENCHMARK(never_in_contact)->Unit(benchmark::kMicrosecond)->UseManualTime();

// Three actors each in contact with the others within a month, once for each choice of three contacts.
void triangles_of_a_month(benchmark::State& state) {
  const auto view = icews().view();
  std::int64_t expected = 0;
  const auto scan = [&] {
    ContactScanOptions options;
    options.window = {{days_from_civil(2018, 1, 1) * kSecondsPerDay}, {days_from_civil(2018, 2, 1) * kSecondsPerDay}};
    auto rows = must(ContactScan::timeline(*view, options));
    ContactLines lines;
    std::map<std::uint64_t, std::map<std::uint64_t, std::int64_t>> above;  // contacts with actors of greater id
    while (must(rows.next(lines))) {
      for (std::size_t i = 0; i < lines.size; ++i) {
        const auto [a, b] = std::minmax(lines.actor[i], lines.other[i]);
        if (a != b) ++above[a][b];
      }
    }
    expected = 0;
    for (const auto& [a, of_a] : above) {
      for (const auto& [b, ab] : of_a) {
        const auto of_b = above.find(b);
        if (of_b == above.end()) continue;
        for (const auto& [c, bc] : of_b->second) {
          const auto ac = of_a.find(c);
          if (ac != of_a.end()) expected += ab * bc * ac->second;
        }
      }
    }
  };
  const auto query = [&] {
    const Answer answer =
        ask("MATCH (a)-[x:CONTACT]-(b)-[y:CONTACT]-(c)-[z:CONTACT]-(a) WHERE id(a) < id(b) AND id(b) < id(c) AND "
            "x DURING '2018-01' AND y DURING '2018-01' AND z DURING '2018-01' RETURN count(*)");
    demand(answer.columns[0][0].as_integer() == expected, "triangles");
  };
  scan();
  compare(state, scan, query, static_cast<double>(expected));
}
BENCHMARK(triangles_of_a_month)->Unit(benchmark::kMicrosecond)->UseManualTime();

constexpr const char* kHeadline =
    "MATCH [w:WALKOUT {key: 'hnc-walkout'}], (a)-[c:CONTACT]-(b) WHERE c BEFORE w AND id(a) < id(b) "
    "RETURN a.name, b.name, type(c), c.when, c.place ORDER BY c.when";

// Parsing, binding, planning and writing out the plan; EXPLAIN is never answered from the plans kept.
void plan_of_the_headline(benchmark::State& state) {
  const std::string text = std::string("EXPLAIN ") + kHeadline;
  for (auto _ : state) demand(ask(text).rows > 3, "plan");
}
BENCHMARK(plan_of_the_headline)->Unit(benchmark::kMicrosecond);

void headline_kept(benchmark::State& state) {
  const query::PlanCacheStatistics before = query::plan_cache_statistics();
  for (auto _ : state) demand(ask(kHeadline).rows == 0, "nobody walked out of icews18");
  const query::PlanCacheStatistics after = query::plan_cache_statistics();
  demand(after.misses <= before.misses + 1, "the plan is kept");
}
BENCHMARK(headline_kept)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace demarche

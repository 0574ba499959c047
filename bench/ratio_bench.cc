// The store against the limit: the same questions to both in turn, in one process, and the ratio of their CPU times.
//
//   demarche_ratios --size S --folder build/bench
//
// Every answer of the store is compared with the limit's; a difference ends the run with exit status 1. README.md says
// what the workloads are and how to read the table.

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bench/compare.h"
#include "bench/costs.h"
#include "bench/icews.h"
#include "bench/limit.h"
#include "bench/measure.h"
#include "bench/report.h"
#include "bench/self_check.h"
#include "bench/store_under_test.h"
#include "bench/stored_copy.h"
#include "bench/workload.h"

namespace demarche::bench {
namespace {

constexpr double kManySided = 1.5;  // goals of the n-ary shape are those of the binary one times this

struct Flags {
  std::string size = "S";
  bool nary = false;
  std::string icews;
  std::string folder = (std::filesystem::temp_directory_path() / "demarche-ratios").string();
  std::size_t rounds = 5;
  std::string history;
  std::string commit = "-";
  bool check = false;
  std::string open_only;
  bool no_appends = false;
  bool limit_only = false;
};

// Asks both all questions in turn and compares every answer of every round.
template <typename Query, typename Answer>
Result<RatioLine> compare(std::string workload, std::size_t rounds, const std::vector<Query>& queries,
                          const std::function<Answer(const Query&)>& limit,
                          const std::function<Result<Answer>(const Query&)>& product, std::optional<double> goal) {
  if (queries.empty()) return invalid(workload + ": no question could be drawn from these data");
  std::vector<Answer> expected(queries.size());
  std::vector<Answer> found(queries.size());
  std::optional<Error> failed;
  const auto ask_limit = [&] {
    for (std::size_t i = 0; i < queries.size(); ++i) expected[i] = limit(queries[i]);
  };
  const auto ask_product = [&] {
    for (std::size_t i = 0; i < queries.size(); ++i) {
      if (auto answer = product(queries[i])) {
        found[i] = *std::move(answer);
      } else {
        failed = answer.error();
      }
    }
  };
  const auto check = [&]() -> Result<void> {
    if (failed) return tl::unexpected<Error>(*failed);
    for (std::size_t i = 0; i < queries.size(); ++i) {
      if (const auto text = difference(expected[i], found[i]))
        return make_error(ErrorCode::kCorruption, fmt::format("{}, question {}: wrong answer: {}", workload, i, *text));
    }
    return {};
  };
  DEMARCHE_TRY(const Paired paired, run_paired(rounds, queries.size(), ask_limit, ask_product, check));
  return RatioLine{std::move(workload), paired, goal};
}

struct Whole {};  // W6 asks one thing

Result<std::vector<RatioLine>> compare_all(const Dataset& data, StoreUnderTest& store, Limit& limit,
                                           const Questions& questions, std::size_t rounds) {
  const double factor = data.is_binary() ? 1 : kManySided;
  std::vector<RatioLine> lines;
  const auto add = [&](Result<RatioLine> line) -> Result<void> {
    if (!line) return tl::unexpected<Error>(std::move(line).error());
    lines.push_back(*std::move(line));
    return {};
  };
  const auto contacts = [&](const ContactQuery& query) { return limit.contacts(query); };
  const auto stored_contacts = [&](const ContactQuery& query) { return store.contacts(query); };
  const auto stored_reach = [&](const ReachQuery& query) { return store.reach(query); };
  const auto stored_months = [&](const Whole&) { return store.kind_by_month(); };
  using C = ContactSum;
  using R = ReachSum;
  using M = KindMonths;
  DEMARCHE_CHECK(add(compare<ContactQuery, C>("W3 hub", rounds, questions.hub, contacts, stored_contacts, 5 * factor)));
  DEMARCHE_CHECK(
      add(compare<ContactQuery, C>("W3 ordinary", rounds, questions.ordinary, contacts, stored_contacts, 10 * factor)));
  DEMARCHE_CHECK(add(compare<ReachQuery, R>(
      "W4 to stream", rounds, questions.reach, [&](const ReachQuery& query) { return limit.reach_by_stream(query); },
      stored_reach, 1.5 * factor)));
  DEMARCHE_CHECK(add(compare<ReachQuery, R>(
      "W4 to adjacency", rounds, questions.reach,
      [&](const ReachQuery& query) { return limit.reach_by_adjacency(query); }, stored_reach, std::nullopt)));
  DEMARCHE_CHECK(add(compare<PairQuery, TopPairs>(
      "W5", rounds, questions.pairs, [&](const PairQuery& query) { return limit.top_pairs(query); },
      [&](const PairQuery& query) { return store.top_pairs(query); }, 1.3 * factor)));
  DEMARCHE_CHECK(add(compare<Whole, M>(
      "W6 to rows", rounds, std::vector<Whole>(1), [&](const Whole&) { return limit.kind_by_month_by_rows(); },
      stored_months, 2.5 * factor)));
  DEMARCHE_CHECK(add(compare<Whole, M>(
      "W6 to offsets", rounds, std::vector<Whole>(1), [&](const Whole&) { return limit.kind_by_month(); },
      stored_months, std::nullopt)));
  return lines;
}

std::vector<CostLine> cost_lines(const StoredCopy& copy, const Dataset& data, const OpenCost& open,
                                 const DiskCost& disk, const std::optional<WriteCost>& write) {
  const auto count = static_cast<double>(data.size());
  // Goals are for two parties each; with more they are a party's, times the same factor.
  const double parties = static_cast<double>(data.parties.size()) / count;
  const double factor = data.is_binary() ? 1 : kManySided * parties / 2;
  const auto megabytes = [](std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; };
  std::vector<CostLine> lines;
  lines.push_back({"W1 load, with records", count / copy.load_cpu_seconds / 1e6, "M interactions/CPU s", 2.5 / factor,
                   true, copy.reused ? "when the store was made" : ""});
  lines.push_back({"on disk, all", disk.bytes, "bytes/interaction", 32 * factor, false,
                   fmt::format("{} of it in logs", static_cast<int>(disk.log_bytes))});
  double index = 0;
  for (const FamilyBytes& family : disk.families) {
    index += family.is_index ? static_cast<double>(family.bytes) / count : 0;
    lines.push_back(
        {"on disk, family " + family.family, static_cast<double>(family.bytes) / count, "bytes/interaction"});
  }
  if (!disk.families.empty()) lines.push_back({"on disk, index", index, "bytes/interaction", 20 * factor});
  lines.push_back({"open", open.wall_seconds, "s", 1, false, fmt::format("{:.3g} CPU s", open.cpu_seconds)});
  lines.push_back({"memory by opening, caches empty",
                   megabytes(open.after.resident_bytes) - megabytes(open.before.resident_bytes), "MB", 100, false,
                   fmt::format("{:.3g} MB not of files; {:.3g} MB in all",
                               megabytes(open.after.anonymous_bytes) - megabytes(open.before.anonymous_bytes),
                               megabytes(open.after.resident_bytes))});
  if (write) {
    lines.push_back({"append, 1000 a commit, synced", write->seconds_each_by_1000 * 1e6, "CPU us/interaction", factor});
    lines.push_back(
        {"append, one a commit, unsynced", write->seconds_each_by_one * 1e6, "CPU us/interaction", 12 * factor});
  }
  return lines;
}

// The limit by itself: for sizes a store cannot hold yet, and to compare machines.
Result<void> run_limit(const Flags& flags, const Dataset& data) {
  const double start = cpu_seconds();
  Limit limit(data);
  const double build = cpu_seconds() - start;
  const Questions questions = draw_questions(data, {});
  std::uint64_t kept = 0;  // so that no answer is left uncomputed
  std::vector<CostLine> lines;
  const auto measure = [&](const char* name, const auto& queries, auto&& answer) {
    std::vector<double> seconds;
    for (std::size_t round = 0; round <= flags.rounds; ++round) {
      const double once = seconds_of([&] {
        for (const auto& query : queries) kept += answer(query);
      });
      if (round > 0) seconds.push_back(once / static_cast<double>(queries.size()));
    }
    lines.push_back({name, median(seconds) * 1e6, "CPU us/question"});
  };
  const std::vector<Whole> whole(1);
  measure("W3 hub", questions.hub, [&](const ContactQuery& query) { return limit.contacts(query).ids; });
  measure("W3 ordinary", questions.ordinary, [&](const ContactQuery& query) { return limit.contacts(query).ids; });
  measure("W4 stream", questions.reach, [&](const ReachQuery& query) { return limit.reach_by_stream(query).days; });
  measure("W4 adjacency", questions.reach,
          [&](const ReachQuery& query) { return limit.reach_by_adjacency(query).days; });
  measure("W5", questions.pairs, [&](const PairQuery& query) { return limit.top_pairs(query).size(); });
  measure("W6 rows", whole, [&](const Whole&) { return limit.kind_by_month_by_rows()[0]; });
  measure("W6 offsets", whole, [&](const Whole&) { return limit.kind_by_month()[0]; });
  lines.push_back({"building", static_cast<double>(data.size()) / build / 1e6, "M interactions/CPU s"});
  fmt::print("\n{}: {} interactions of {} actors over {} days; the limit by itself, {} rounds; check sum {}\n",
             data.name, data.size(), data.actor_count, data.day_count, flags.rounds, kept % 1'000'000);
  print_costs(lines);
  return {};
}

// All of one data set. `shape` is null if the data were not drawn; what needs more of their kind is then left out.
Result<void> run(const Flags& flags, const Dataset& data, const Shape* shape) {
  DEMARCHE_TRY(const StoredCopy copy, ensure_stored_copy(flags.folder, data));
  std::error_code ignored;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  DEMARCHE_TRY(const OpenCost open, open_cost(program, copy.path, flags.rounds));

  Limit limit(data);
  const Questions questions = draw_questions(data, {});
  std::vector<RatioLine> ratios;
  DiskCost disk;
  {
    DEMARCHE_TRY(auto store, StoreUnderTest::open(copy.path, {.read_only = true}, data, copy.ids));
    DEMARCHE_ASSIGN(disk, disk_cost(copy.path, data.size(), store.bytes_by_family()));
    DEMARCHE_ASSIGN(ratios, compare_all(data, store, limit, questions, flags.rounds));
  }
  std::optional<WriteCost> write;
  if (shape && !flags.no_appends) {
    DEMARCHE_ASSIGN(write, write_cost(copy, *shape, data, limit, questions, flags.rounds));
    ratios.push_back({"W3 hub, 1 % tail", write->hub_with_tail, 1.3});
  }
  const std::vector<CostLine> costs = cost_lines(copy, data, open, disk, write);

  fmt::print("\n{}: {} interactions of {} actors over {} days; store format {}; {} rounds; goals are for size L\n",
             data.name, data.size(), data.actor_count, data.day_count, store_format(), flags.rounds);
  print_ratios(ratios);
  if (write)
    fmt::print("the tail is set against the store without it, not against the limit: {} interactions\n", write->tail);
  print_costs(costs);
  std::fflush(stdout);
  if (flags.history.empty()) return {};
  return append_history(flags.history, label_of(flags.commit, data.name), ratios, costs);
}

Result<void> run_icews(const Flags& flags) {
  IcewsReport report;
  DEMARCHE_TRY(const Dataset data, read_icews(flags.icews, report));
  fmt::print("event data: {} rows of {}; {} folded into others, {} of an actor with itself left out\n", report.rows,
             fmt::join(report.tables, ", "), report.folded, report.self);
  if (flags.limit_only) return run_limit(flags, data);
  return run(flags, data, nullptr);
}

Result<void> run_checks() {
  const std::string folder =
      (std::filesystem::temp_directory_path() / fmt::format("demarche-bench-check-{}", getpid())).string();
  Result<void> result = self_check(folder);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (result) fmt::print("bench: all checks passed\n");
  return result;
}

Result<void> run_flags(const Flags& flags) {
  if (!flags.open_only.empty()) return print_open_cost(flags.open_only);
  if (flags.check) return run_checks();
  if (!flags.icews.empty()) return run_icews(flags);
  DEMARCHE_TRY(const Shape shape, shape_of(flags.size, flags.nary));
  const Dataset data = generate(shape);
  if (flags.limit_only) return run_limit(flags, data);
  return run(flags, data, &shape);
}

}  // namespace
}  // namespace demarche::bench

int main(int argc, char** argv) {
  using demarche::bench::Flags;
  Flags flags;
  CLI::App app("The store against the limit of memory: ratios of CPU time, with answers compared");
  app.add_option("--size", flags.size, "tiny, S (0.5 M interactions) or L (10 M)")->capture_default_str();
  app.add_flag("--nary", flags.nary, "30 % of the interactions have three to eight parties");
  app.add_option("--icews", flags.icews, "folder with icews*.tsv.zst and relations.tsv: ask about these instead");
  app.add_option("--folder", flags.folder, "where stores are kept from run to run")->capture_default_str();
  app.add_option("--rounds", flags.rounds, "pairs of runs, the medians of which are printed")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--history", flags.history, "file to add the figures to, as lines of tab-separated values");
  app.add_option("--commit", flags.commit, "what to call this build in the history");
  app.add_flag("--no-appends", flags.no_appends, "leave out what writes to a copy of the store");
  app.add_flag("--limit-only", flags.limit_only, "measure the limit by itself, without a store");
  app.add_flag("--check", flags.check, "check the bench itself and measure nothing");
  app.add_option("--open-only", flags.open_only, "open the store at this path, print the cost and end")->group("");
  CLI11_PARSE(app, argc, argv);
  const auto result = demarche::bench::run_flags(flags);
  if (result) return 0;
  std::fprintf(stderr, "demarche_ratios: %s\n", result.error().message.c_str());
  return 1;
}

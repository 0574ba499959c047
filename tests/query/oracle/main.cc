// Oracles: two ways to one answer, over random questions to small random records. Prints what it did; on a difference
// the seed, both texts and both answers, and ends with status 1.
//
//   oracle_test [--pairs N] [--seed S] [--only ORACLE]    N pairs in all, none different, 60 % with rows
//   oracle_test --faults                                  each fault put in is found by the oracle that should
//
// A pair is one question of one graph, answered twice. What is random follows from the seed and the number of the graph
// alone, so that `--seed S` with the graph's own seed that was printed repeats it.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "query/query.h"
#include "tests/query/oracle/reference.h"
#include "tests/support/temp_folder.h"

namespace demarche::oracle {
namespace {

using query::QueryOptions;

// What is wrong with the executor, as seen from outside: how a question reaches it, and what comes back.
struct ExecutorFault {
  Writing writing;
  std::function<void(Rows& rows, const QueryOptions& options, const std::string& text)> spoil;
};

// The planner and the indexes can be switched off as soon as QueryOptions has fields for it.
template <typename Options>
constexpr bool kHasOptimise = requires(Options o) {
  o.optimise = false;
};
template <typename Options>
constexpr bool kHasIndexes = requires(Options o) {
  o.use_indexes = false;
};
template <typename Options>
void switch_off_optimiser(Options& options) {
  if constexpr (kHasOptimise<Options>) options.optimise = false;
}
template <typename Options>
void switch_off_indexes(Options& options) {
  if constexpr (kHasIndexes<Options>) options.use_indexes = false;
}

template <typename Options>
bool is_optimised(const Options& options) {
  if constexpr (kHasOptimise<Options>) return options.optimise;
  return true;
}
template <typename Options>
bool reads_indexes(const Options& options) {
  if constexpr (kHasIndexes<Options>) return options.use_indexes;
  return true;
}

struct Difference {
  std::string what;
};

class Asker {
 public:
  Asker(Store& store, const ExecutorFault* fault) : store_(store), fault_(fault) {}

  [[nodiscard]] const Writing& writing() const {
    static const Writing usual;
    return fault_ != nullptr ? fault_->writing : usual;
  }

  // All rows, sorted.
  Rows ask(const std::string& text, const QueryOptions& options = {}) const {
    auto cursor = query::run_query(store_, text, {}, options);
    if (!cursor) throw std::runtime_error(query::describe_error(cursor.error(), text));
    Rows out;
    query::ResultRows rows;
    while (true) {
      if (auto read = (*cursor)->next(rows); !read) throw std::runtime_error(query::describe_error(read.error(), text));
      if (rows.size() == 0) break;
      for (std::size_t r = 0; r < rows.size(); ++r) {
        Row row;
        for (std::size_t c = 0; c < (*cursor)->columns().size(); ++c) row.push_back(rows.column(c)[r].as_integer());
        out.push_back(std::move(row));
      }
    }
    if (fault_ != nullptr && fault_->spoil) fault_->spoil(out, options, text);
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  Store& store_;
  const ExecutorFault* fault_;
};

struct Case {
  const Graph& graph;
  const Question& question;
  const Asker& asker;
  Random& random;
  ReferenceFault reference_fault = ReferenceFault::kNone;
};

std::string shown(const Rows& rows) {
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(rows.size(), 12); ++i)
    out += fmt::format("    {}\n", fmt::join(rows[i], " "));
  return out + (rows.size() > 12 ? fmt::format("    ... {} rows\n", rows.size()) : "");
}

std::optional<Difference> compare(const std::string& left, const Rows& a, const std::string& right, const Rows& b) {
  if (a == b) return std::nullopt;
  Rows only_a;
  Rows only_b;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(only_a));
  std::set_difference(b.begin(), b.end(), a.begin(), a.end(), std::back_inserter(only_b));
  return Difference{fmt::format("  {}\n  {} rows, only here:\n{}  {}\n  {} rows, only here:\n{}", left, a.size(),
                                shown(only_a), right, b.size(), shown(only_b))};
}

// ---- the oracles; each returns the rows of the question itself, too
// ------------------------------------------------------

struct Answer {
  bool applies = true;
  bool empty = true;
  std::optional<Difference> difference;
};

// Q is Q and p, with Q and not p, with Q and p is null.
Answer partition(const Case& c) {
  const PredicatePtr p = make_condition(c.random, c.question, 2);
  const std::string text = "(" + write_predicate(*p, c.question, c.asker.writing()) + ")";
  const std::string negated = c.asker.writing().negated ? c.asker.writing().negated(text) : "NOT " + text;
  const std::string whole = write_question(c.question, "", c.asker.writing());
  const Rows all = c.asker.ask(whole);
  Rows parts;
  for (const std::string& part : {text, negated, text + " IS NULL"}) {
    const Rows rows = c.asker.ask(write_question(c.question, part, c.asker.writing()));
    parts.insert(parts.end(), rows.begin(), rows.end());
  }
  std::sort(parts.begin(), parts.end());
  return {true, all.empty(), compare(whole, all, "split by " + text, parts)};
}

Answer against_options(const Case& c, bool applies, const char* what, const QueryOptions& options) {
  if (!applies) return {false, true, {}};
  const std::string text = write_question(c.question, "", c.asker.writing());
  const Rows usual = c.asker.ask(text);
  return {true, usual.empty(), compare(text, usual, what, c.asker.ask(text, options))};
}
Answer optimiser(const Case& c) {
  QueryOptions options;
  switch_off_optimiser(options);
  return against_options(c, kHasOptimise<QueryOptions>, "without the optimiser", options);
}
Answer indexes(const Case& c) {
  QueryOptions options;
  switch_off_indexes(options);
  return against_options(c, kHasIndexes<QueryOptions>, "without indexes", options);
}

Answer reversal(const Case& c) {
  const std::string text = write_question(c.question, "", c.asker.writing());
  const std::string other = write_question(reversed(c.question), "", c.asker.writing());
  const Rows rows = c.asker.ask(text);
  return {true, rows.empty(), compare(text, rows, other, c.asker.ask(other))};
}

// A path of two hops is the join of two of one hop over the actor between, where the interaction is another.
Answer split(const Case& c) {
  Question q;
  for (const Clause& clause : c.question.clauses) {
    for (const Chain& chain : clause.chains) {
      if (chain.hops.size() < 2 || !q.names.empty()) continue;
      q = c.question;
      q.where = nullptr;
      q.clauses = {Clause{
          false, {Chain{{chain.actors[0], chain.actors[1], chain.actors[2]}, {chain.hops[0], chain.hops[1]}}}, {}}};
    }
  }
  if (q.names.empty()) return {false, true, {}};
  const Chain& both = q.clauses[0].chains[0];
  const auto chain_text = [&](std::size_t from, std::size_t hops) {
    Question part = q;
    part.clauses[0].chains[0] = {{both.actors.begin() + static_cast<std::ptrdiff_t>(from),
                                  both.actors.begin() + static_cast<std::ptrdiff_t>(from + hops + 1)},
                                 {both.hops.begin() + static_cast<std::ptrdiff_t>(from),
                                  both.hops.begin() + static_cast<std::ptrdiff_t>(from + hops)}};
    std::string text = write_question(part, "", c.asker.writing());
    text.resize(text.rfind(" RETURN "));
    std::string ids;
    for (std::size_t i = 0; i <= hops; ++i) {
      ids += fmt::format("{}id({}) AS a{}", i == 0 ? "" : ", ", q.names[both.actors[from + i].var], i);
      if (i < hops) ids += fmt::format(", id({}) AS c{}", q.names[both.hops[from + i].var], i);
    }
    return text + " RETURN " + ids;
  };
  const std::string text = chain_text(0, 2);
  const Rows whole = c.asker.ask(text);
  const std::string first = chain_text(0, 1);
  const std::string second = chain_text(1, 1);
  const Rows left = c.asker.ask(first);
  const Rows right = c.asker.ask(second);
  // One name in two places is one actor.
  const bool ring = both.actors[0].var == both.actors[2].var;
  Rows joined;
  for (const Row& a : left) {
    for (const Row& b : right) {
      if (a[2] != b[0] || a[1] == b[1] || (ring && a[0] != b[2])) continue;
      joined.push_back({a[0], a[1], a[2], b[1], b[2]});
    }
  }
  std::sort(joined.begin(), joined.end());
  return {true, whole.empty(), compare(text, whole, first + "  joined with  " + second, joined)};
}

Answer reference(const Case& c) {
  const std::string text = write_question(c.question, "", c.asker.writing());
  const Rows rows = c.asker.ask(text);
  return {true, rows.empty(),
          compare(text, rows, "the reference", reference_answer(c.graph, c.question, c.reference_fault))};
}

struct Oracle {
  const char* name;
  Answer (*ask)(const Case&);
};
constexpr Oracle kOracles[] = {{"partition", partition}, {"optimiser", optimiser}, {"indexes", indexes},
                               {"reversal", reversal},   {"split", split},         {"reference", reference}};

// ---- runs ----------------------------------------------------------------------------------------------------------

struct Tally {
  std::size_t pairs = 0;
  std::size_t with_rows = 0;
};

struct Run {
  std::uint64_t seed = 20160418;
  std::size_t pairs = 50'000;
  std::string only;  // an oracle
  ReferenceFault reference_fault = ReferenceFault::kNone;
  const ExecutorFault* executor_fault = nullptr;
};

struct Outcome {
  std::map<std::string, Tally> by_oracle;
  std::size_t pairs = 0;
  std::size_t with_rows = 0;
  std::string difference;  // the first; "" if none
};

constexpr std::size_t kQuestionsOfGraph = 120;

// One graph and its questions. False when a difference was found.
bool ask_graph(const Run& run, std::uint64_t seed, Outcome& out) {
  Random random(seed);
  const tests::TempFolder folder;
  const Filled filled = make_graph(folder.path("g"), random);
  const Asker asker(*filled.store, run.executor_fault);
  for (std::size_t n = 0; n < kQuestionsOfGraph; ++n) {
    const Question question = make_question(random, filled.graph);
    for (const Oracle& oracle : kOracles) {
      Random own(seed + n);  // so that an oracle left out changes nothing for the others
      if (!run.only.empty() && run.only != oracle.name) continue;
      if (out.pairs >= run.pairs) return true;
      Answer answer;
      try {
        answer = oracle.ask({filled.graph, question, asker, own, run.reference_fault});
      } catch (const std::runtime_error& error) {
        answer.difference = Difference{fmt::format("  refused: {}\n", error.what())};
      }
      if (answer.difference) {
        out.difference = fmt::format("{}: different, --seed {} --only {}, question {}\n{}", oracle.name, seed,
                                     oracle.name, n, answer.difference->what);
        return false;
      }
      if (!answer.applies) continue;
      Tally& tally = out.by_oracle[oracle.name];
      ++tally.pairs;
      ++out.pairs;
      if (answer.empty) continue;
      ++tally.with_rows;
      ++out.with_rows;
    }
  }
  return true;
}

Outcome ask_all(const Run& run) {
  Outcome out;
  for (std::uint64_t graph = 0; out.pairs < run.pairs; ++graph) {
    const std::size_t before = out.pairs;
    if (!ask_graph(run, run.seed + graph, out)) break;
    if (out.pairs == before) break;  // an oracle that does not apply
  }
  return out;
}

int check(const Run& run) {
  const auto began = std::chrono::steady_clock::now();
  const Outcome out = ask_all(run);
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  for (const Oracle& oracle : kOracles) {
    const auto it = out.by_oracle.find(oracle.name);
    if (it == out.by_oracle.end()) {
      if (run.only.empty()) fmt::print("{:<10} skipped: QueryOptions cannot switch it off yet\n", oracle.name);
      continue;
    }
    fmt::print("{:<10} {:>6} pairs, {:>5.1f} % with rows\n", oracle.name, it->second.pairs,
               100.0 * static_cast<double>(it->second.with_rows) / static_cast<double>(it->second.pairs));
  }
  const double rows = out.pairs == 0 ? 0 : 100.0 * static_cast<double>(out.with_rows) / static_cast<double>(out.pairs);
  fmt::print("seed {}: {} pairs in {:.1f} s, {:.1f} % with rows\n", run.seed, out.pairs, took, rows);
  if (!out.difference.empty()) {
    fmt::print("{}", out.difference);
    return 1;
  }
  if (out.pairs < run.pairs || rows < 60) {
    fmt::print("too few: {} pairs and 60 % with rows are asked for\n", run.pairs);
    return 1;
  }
  return 0;
}

// ---- faults --------------------------------------------------------------------------------------------------------

// Each fault with the oracle that must find it.
struct Mutant {
  const char* name;
  const char* oracle;
  ReferenceFault reference = ReferenceFault::kNone;
  ExecutorFault executor = {};
};

std::vector<Mutant> mutants() {
  std::vector<Mutant> out;
  const auto wrong_reference = [&](const char* name, ReferenceFault fault) {
    out.push_back({name, "reference", fault, {}});
  };
  wrong_reference("any two parties are in contact", ReferenceFault::kAnyTwoParties);
  wrong_reference("an agent is in contact with whom it represents", ReferenceFault::kAgentMeetsPrincipal);
  wrong_reference("an interaction is used twice", ReferenceFault::kInteractionTwice);
  wrong_reference("arrows are lines", ReferenceFault::kArrowIgnored);
  wrong_reference("a kind does not mean those below it", ReferenceFault::kKindExact);
  wrong_reference("WHERE keeps what is not known", ReferenceFault::kUnknownIsTrue);
  wrong_reference("an undated interaction is before nothing", ReferenceFault::kUndatedIsFalse);
  wrong_reference("OPTIONAL MATCH drops rows", ReferenceFault::kOptionalDrops);
  wrong_reference("an interaction alone takes part in uniqueness", ReferenceFault::kLoneIsUnique);

  const auto writes = [&](const char* name, const char* oracle, const std::function<void(Writing&)>& change) {
    Mutant mutant{name, oracle, ReferenceFault::kNone, {}};
    change(mutant.executor.writing);
    out.push_back(std::move(mutant));
  };
  for (const char* oracle : {"partition", "reference"}) {
    writes("WHERE keeps null", oracle,
           [](Writing& w) { w.condition = [](const std::string& p) { return "coalesce((" + p + "), true)"; }; });
  }
  writes("NOT null is true", "partition",
         [](Writing& w) { w.negated = [](const std::string& p) { return "NOT coalesce(" + p + ", false)"; }; });
  writes("an arrow to the left is a line", "reversal", [](Writing& w) {
    w.hop = [](const std::string& var, const HopPattern& hop) {
      std::string kinds;
      for (const std::string& kind : hop.kinds) kinds += (kinds.empty() ? ":" : "|") + kind;
      return "-[" + var + kinds + (hop.arrow == Arrow::kRight ? "]->" : "]-");
    };
  });
  for (const char* oracle : {"split", "reference"}) {
    writes("no uniqueness over the hops of a MATCH", oracle, [](Writing& w) { w.match_each_hop = true; });
  }
  const auto spoils = [&](const char* name, const char* oracle, decltype(ExecutorFault::spoil) spoil) {
    out.push_back({name, oracle, ReferenceFault::kNone, {{}, std::move(spoil)}});
  };
  for (const char* oracle : {"partition", "split", "reference"}) {
    spoils("the last of many rows is lost", oracle, [](Rows& rows, const QueryOptions&, const std::string&) {
      if (rows.size() > 9) rows.pop_back();
    });
  }
  spoils("rows of a second hop come twice", "split", [](Rows& rows, const QueryOptions&, const std::string&) {
    if (!rows.empty() && rows[0].size() > 3) rows.push_back(rows.back());
  });
  spoils("a chain that ends in its begin loses a row", "reversal",
         [](Rows& rows, const QueryOptions&, const std::string& text) {
           if (!rows.empty() && text.rfind("MATCH (a0", 0) == 0) rows.pop_back();
         });
  if constexpr (kHasOptimise<QueryOptions>) {
    spoils("the optimiser loses a row", "optimiser", [](Rows& rows, const auto& options, const std::string&) {
      if (is_optimised(options) && !rows.empty()) rows.pop_back();
    });
  }
  if constexpr (kHasIndexes<QueryOptions>) {
    spoils("an index loses a row", "indexes", [](Rows& rows, const auto& options, const std::string&) {
      if (reads_indexes(options) && !rows.empty()) rows.pop_back();
    });
  }
  return out;
}

int check_faults(std::uint64_t seed) {
  int missed = 0;
  for (const Mutant& mutant : mutants()) {
    Run run;
    run.seed = seed;
    run.pairs = 20'000;
    run.only = mutant.oracle;
    run.reference_fault = mutant.reference;
    run.executor_fault = &mutant.executor;
    const Outcome out = ask_all(run);
    const bool found = !out.difference.empty() && out.difference.find("refused: ") == std::string::npos;
    fmt::print("{:<9} {} {}, {} pairs before\n", mutant.oracle, found ? "finds" : "MISSES", mutant.name, out.pairs);
    if (!found) fmt::print("{}", out.difference);
    missed += found ? 0 : 1;
  }
  return missed == 0 ? 0 : 1;
}

int run_main(const std::vector<std::string_view>& arguments) {
  Run run;
  bool faults = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto value = [&] { return i + 1 < arguments.size() ? std::string(arguments[++i]) : std::string(); };
    if (arguments[i] == "--faults") {
      faults = true;
    } else if (arguments[i] == "--pairs") {
      run.pairs = std::strtoull(value().c_str(), nullptr, 10);
    } else if (arguments[i] == "--seed") {
      run.seed = std::strtoull(value().c_str(), nullptr, 10);
    } else if (arguments[i] == "--only") {
      run.only = value();
    } else {
      fmt::print(stderr, "oracle_test: unknown argument '{}'; --pairs N, --seed S, --only ORACLE or --faults\n",
                 arguments[i]);
      return 2;
    }
  }
  return faults ? check_faults(run.seed) : check(run);
}

}  // namespace
}  // namespace demarche::oracle

int main(int argc, char** argv) {
  try {
    return demarche::oracle::run_main({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "oracle_test: %s\n", error.what());
    return 1;
  }
}

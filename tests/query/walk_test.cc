// Repeated interactions against a naive model: all paths of a small random record, enumerated one hop at a time from
// its single hops, and what each mode and search keeps of them. Then what gets out of hand: many paths, long ones, long
// statements.

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "engine/store.h"
#include "query/query.h"
#include "tests/support/temp_folder.h"

namespace demarche::query {

namespace {

using namespace std::chrono_literals;
using Numbers = std::vector<std::int64_t>;

struct Path {
  Numbers actors;
  Numbers interactions;
  friend auto operator<=>(const Path&, const Path&) = default;
};

class WalkFixture {
 public:
  WalkFixture() {
    StoreOptions options;
    options.create_if_missing = true;
    options.sync = false;
    auto opened = Store::open(folder_.path("store"), options);
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
  }

 protected:
  Result<std::vector<std::vector<Value>>> rows(const std::string& text, const QueryOptions& options = {}) {
    DEMARCHE_TRY(const auto cursor, run_query(*store_, text, {}, options));
    std::vector<std::vector<Value>> out;
    ResultRows batch;
    while (true) {
      DEMARCHE_CHECK(cursor->next(batch));
      if (batch.size() == 0) return out;
      for (std::size_t row = 0; row < batch.size(); ++row) {
        std::vector<Value> values;
        for (std::size_t i = 0; i < cursor->columns().size(); ++i) values.push_back(batch.column(i)[row]);
        out.push_back(std::move(values));
      }
    }
  }
  std::vector<std::vector<Value>> answer(const std::string& text) {
    auto all = rows(text);
    if (!all) FAIL(text << ": " << all.error().message);
    return std::move(*all);
  }
  ErrorCode refused(const std::string& text, const QueryOptions& options = {}) {
    const auto all = rows(text, options);
    INFO(text.substr(0, 200));
    REQUIRE_FALSE(all);
    return all.error().code;
  }
  std::int64_t number(const std::string& text) { return answer(text).at(0).at(0).as_integer(); }

  std::vector<Path> paths(const std::string& pattern) {
    std::vector<Path> out;
    const auto numbers = [](const Value& list) {
      Numbers n;
      for (const Value& v : list.as_list()) n.push_back(v.as_integer());
      return n;
    };
    for (const auto& row :
         answer("MATCH p = " + pattern + " RETURN [n IN nodes(p) | id(n)], [r IN relationships(p) | id(r)]")) {
      out.push_back({numbers(row[0]), numbers(row[1])});
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  // A few actors, interactions of two parties with and without a direction, and talks with a mediator, within which the
  // delegations are not in contact with one another.
  void make_record(std::mt19937& random) {
    const int actors = 4 + static_cast<int>(random() % 2);
    const auto pick = [&] { return static_cast<int>(random() % static_cast<unsigned>(actors)); };
    for (int i = 0; i < actors; ++i) answer(fmt::format("CREATE (:A {{key: 'a{}'}})", i));
    for (int i = 0; i < 4; ++i) {
      answer(fmt::format("MATCH (a {{key: 'a{}'}}), (b {{key: 'a{}'}}) CREATE (a)-[:MEETING]->(b)", pick(), pick()));
    }
    for (int i = 0; i < 2; ++i) {
      std::set<int> parties;
      while (parties.size() < 3) parties.insert(pick());
      Numbers p(parties.begin(), parties.end());
      std::shuffle(p.begin(), p.end(), random);
      answer(fmt::format("RECORD NEGOTIATION BETWEEN 'a{}' AS mediator, 'a{}' AS delegation, 'a{}' AS delegation", p[0],
                         p[1], p[2]));
    }
  }

  // (left, interaction, right) of all single hops.
  std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t>> hops(const std::string& link) {
    std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t>> out;
    for (const auto& row : answer("MATCH (a)" + link + "(b) RETURN id(a), id(c), id(b)")) {
      out.emplace_back(row[0].as_integer(), row[1].as_integer(), row[2].as_integer());
    }
    return out;
  }

  // Every path of `least` to `most` hops that `mode` allows.
  std::vector<Path> model(const std::string& link, const std::string& mode, std::size_t least, std::size_t most) {
    const auto single = hops(link);
    std::vector<Path> layer;
    for (const auto& row : answer("MATCH (a) RETURN id(a)")) layer.push_back({{row[0].as_integer()}, {}});
    std::vector<Path> out;
    for (std::size_t n = 0; n <= most; ++n) {
      for (const Path& path : layer) {
        if (n >= least && allowed(path, mode)) out.push_back(path);
      }
      std::vector<Path> next;
      for (const Path& path : layer) {
        for (const auto& [left, interaction, right] : single) {
          if (left != path.actors.back()) continue;
          Path longer = path;
          longer.actors.push_back(right);
          longer.interactions.push_back(interaction);
          if (mode == "WALK" || distinct(longer.interactions)) next.push_back(std::move(longer));
        }
      }
      layer = std::move(next);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  static bool distinct(Numbers n) {
    std::sort(n.begin(), n.end());
    return std::adjacent_find(n.begin(), n.end()) == n.end();
  }
  static bool allowed(const Path& path, const std::string& mode) {
    if (mode == "ACYCLIC") return distinct(path.actors);
    if (mode != "SIMPLE") return true;
    Numbers actors = path.actors;
    if (actors.size() > 1 && actors.front() == actors.back()) actors.pop_back();
    return distinct(actors);
  }

  using ByEnds = std::map<std::pair<std::int64_t, std::int64_t>, std::vector<Path>>;

  // The paths by their ends, shortest first.
  static ByEnds by_ends(const std::vector<Path>& all) {
    ByEnds out;
    for (const Path& path : all) out[{path.actors.front(), path.actors.back()}].push_back(path);
    for (auto& [ends, list] : out) {
      std::stable_sort(list.begin(), list.end(),
                       [](const Path& a, const Path& b) { return a.interactions.size() < b.interactions.size(); });
    }
    return out;
  }

  // Of `list`, shortest first, those of the `groups` least lengths.
  static std::vector<Path> least_lengths(const std::vector<Path>& list, std::size_t groups) {
    std::set<std::size_t> lengths;
    std::vector<Path> out;
    for (const Path& path : list) {
      lengths.insert(path.interactions.size());
      if (lengths.size() <= groups) out.push_back(path);
    }
    return out;
  }

  void check_searches(const std::string& link, const std::string& mode, std::size_t least) {
    const std::string chain = fmt::format("(a){}{{{},5}}(b)", link, least);
    INFO(mode << " " << chain);
    const ByEnds all = by_ends(model(link, mode, least, 5));
    const ByEnds any = by_ends(paths("ANY SHORTEST " + mode + " " + chain));
    const ByEnds shortest = by_ends(paths("ALL SHORTEST " + mode + " " + chain));
    const ByEnds three = by_ends(paths("SHORTEST 3 " + mode + " " + chain));
    const ByEnds groups = by_ends(paths("SHORTEST 2 " + mode + " PATH GROUPS " + chain));
    REQUIRE(any.size() == all.size());
    REQUIRE(three.size() == all.size());
    for (const auto& [ends, list] : all) {
      REQUIRE(any.at(ends).size() == 1);
      const Path& one = any.at(ends)[0];
      CHECK(one.interactions.size() == list[0].interactions.size());
      CHECK(std::find(list.begin(), list.end(), one) != list.end());
      CHECK(shortest.at(ends) == least_lengths(list, 1));
      CHECK(groups.at(ends) == least_lengths(list, 2));
      REQUIRE(three.at(ends).size() == std::min<std::size_t>(3, list.size()));
      for (std::size_t i = 0; i < three.at(ends).size(); ++i) {
        CHECK(three.at(ends)[i].interactions.size() == list[i].interactions.size());
      }
    }
  }

 private:
  tests::TempFolder folder_;
  std::unique_ptr<Store> store_;
};

}  // namespace

TEST_CASE_METHOD(WalkFixture, "walks: every mode keeps what a naive enumeration keeps") {
  const unsigned seed = GENERATE(1U, 2U, 3U, 4U);
  INFO("seed " << seed);
  std::mt19937 random(seed);
  make_record(random);
  for (const char* link : {"-[c]-", "-[c]->", "<-[c:MEETING]-"}) {
    for (const char* mode : {"", "WALK", "TRAIL", "ACYCLIC", "SIMPLE"}) {
      for (const auto& [least, most] : {std::pair(0, 3), std::pair(1, 1), std::pair(2, 4)}) {
        INFO(mode << " " << link << " " << least << ".." << most);
        const std::vector<Path> wanted =
            model(link, mode, static_cast<std::size_t>(least), static_cast<std::size_t>(most));
        CHECK(paths(fmt::format("{} (a){}{{{},{}}}(b)", mode, link, least, most)) == wanted);
        // The same from the other end.
        CHECK(paths(fmt::format("{} (a){}{{{},{}}}(b {{key: 'a0'}})", mode, link, least, most)).size() ==
              static_cast<std::size_t>(std::count_if(wanted.begin(), wanted.end(), [&](const Path& path) {
                return path.actors.back() == number("MATCH (a {key: 'a0'}) RETURN id(a)");
              })));
      }
    }
  }
}

TEST_CASE_METHOD(WalkFixture, "walks: searches pick the shortest of what there is") {
  const unsigned seed = GENERATE(11U, 12U, 13U, 14U, 15U);
  INFO("seed " << seed);
  std::mt19937 random(seed);
  make_record(random);
  for (const char* link : {"-[c]-", "-[c]->"}) {
    for (const char* mode : {"", "WALK", "ACYCLIC", "SIMPLE"}) {
      check_searches(link, mode, 0);
      check_searches(link, mode, 1);
      check_searches(link, mode, 3);
    }
  }
}

TEST_CASE_METHOD(WalkFixture, "walks: more paths than can be counted end in an error, by time, by rows, by a flag") {
  answer("UNWIND range(1, 12) AS i CREATE (:A {i: i})");
  answer("MATCH (a:A), (b:A) WHERE a.i < b.i CREATE (a)-[:K]->(b)");
  QueryOptions short_time;
  short_time.time_max = 100ms;
  CHECK(refused("MATCH p = (a)-[:K*]-(b) RETURN count(*)", short_time) == ErrorCode::kLimit);
  CHECK(refused("MATCH p = SHORTEST 100000000 (a {i: 1})-[:K]-+(b {i: 2}) RETURN count(*)", short_time) ==
        ErrorCode::kLimit);
  CHECK(refused("MATCH (a {i: 1}) RETURN [(a)-[:K*]-(b) | b.i]", short_time) == ErrorCode::kLimit);
  QueryOptions few_rows;
  few_rows.rows_held_max = 10'000;
  CHECK(refused("MATCH p = (a)-[:K*]-(b) RETURN collect(p)", few_rows) == ErrorCode::kLimit);
  CHECK(refused("MATCH p = (a)-[:K*]-(b) RETURN DISTINCT p", few_rows) == ErrorCode::kLimit);
  CHECK(refused("MATCH p = (a)-[:K*]-(b) RETURN p ORDER BY length(p)", few_rows) == ErrorCode::kLimit);
  CHECK(refused("MATCH (a {i: 1}) RETURN [(a)-[:K*]-(b) | b.i]", few_rows) == ErrorCode::kLimit);
  const std::atomic<bool> cancel = true;
  QueryOptions cancelled;
  cancelled.cancel = &cancel;
  CHECK(refused("MATCH p = (a)-[:K*]-(b) RETURN count(*)", cancelled) == ErrorCode::kCancelled);
  // What needs few of them is answered.
  CHECK(answer("MATCH p = (a)-[:K*]-(b) RETURN p LIMIT 5").size() == 5);
  CHECK(number("MATCH (a {i: 1}) WHERE (a)-[:K*]-() RETURN count(*)") == 1);
  CHECK(number("MATCH p = ANY SHORTEST (a {i: 1})-[:K]-+(b {i: 2}) RETURN length(p)") == 1);
}

TEST_CASE_METHOD(WalkFixture, "walks: what an inner query held is let go for the next row") {
  QueryOptions few_rows;
  few_rows.rows_held_max = 100;
  const auto all =
      rows("UNWIND range(1, 50) AS i RETURN i, COUNT { UNWIND range(1, 90) AS j RETURN DISTINCT j } AS n", few_rows);
  REQUIRE(all);
  CHECK(all->size() == 50);
  CHECK(refused("RETURN COUNT { UNWIND range(1, 101) AS j RETURN DISTINCT j }", few_rows) == ErrorCode::kLimit);
  CHECK(refused("UNWIND [1, 2] AS i CALL { UNWIND range(1, 101) AS j RETURN DISTINCT j } RETURN j", few_rows) ==
        ErrorCode::kLimit);
  CHECK(rows("UNWIND [1, 2] AS i CALL { UNWIND range(1, 90) AS j RETURN DISTINCT j } RETURN j", few_rows));
}

TEST_CASE_METHOD(WalkFixture, "walks: a path of thousands of hops is no matter of the stack") {
  constexpr int kHops = 2000;
  answer(fmt::format("UNWIND range(0, {}) AS i CREATE (:A {{key: 'a' + i, i: i}})", kHops));
  answer(
      fmt::format("UNWIND range(1, {}) AS i MATCH (a {{key: 'a' + (i - 1)}}), (b {{key: 'a' + i}}) "
                  "CREATE (a)-[:K]->(b)",
                  kHops));
  CHECK(number("MATCH p = (a {key: 'a0'})-[:K*]->(b) RETURN count(*)") == kHops);
  CHECK(number("MATCH p = (a {key: 'a0'})-[:K*]->(b) RETURN max(length(p))") == kHops);
  CHECK(number(fmt::format("MATCH p = ANY SHORTEST (a {{key: 'a0'}})-[:K]-+(b {{key: 'a{}'}}) RETURN length(p)",
                           kHops)) == kHops);
  CHECK(number(fmt::format("MATCH p = ALL SHORTEST (a {{key: 'a{}'}})<-[:K]-+(b {{key: 'a0'}}) RETURN length(p)",
                           kHops)) == kHops);
}

TEST_CASE_METHOD(WalkFixture, "walks: the longest statements allowed run, longer ones are refused") {
  answer("CREATE (a:A {i: 1})-[:K]->(a)");
  std::string withs = "WITH 1 AS x ";
  for (int i = 0; i < 998; ++i) withs += "WITH x + 1 AS x ";
  CHECK(number(withs + "RETURN x") == 999);
  CHECK(refused(withs + "WITH x RETURN x") == ErrorCode::kInvalidArgument);
  std::string matches;
  for (int i = 0; i < 660; ++i) matches += "MATCH (a {i: 1})-[:K]->(a) ";  // three elements each
  CHECK(number(matches + "RETURN count(*)") == 1);
  for (int i = 0; i < 10; ++i) matches += "MATCH (a {i: 1})-[:K]->(a) ";
  CHECK(refused(matches + "RETURN count(*)") == ErrorCode::kInvalidArgument);
  std::string optionals;
  for (int i = 0; i < 660; ++i) optionals += fmt::format("OPTIONAL MATCH (b{} {{i: 1}})-[:K]->(b{}) ", i, i);
  CHECK(number(optionals + "RETURN count(*)") == 1);
  std::string unions = "RETURN 1 AS x";
  for (int i = 0; i < 900; ++i) unions += " UNION ALL RETURN 1 AS x";
  CHECK(answer(unions).size() == 901);
}

TEST_CASE_METHOD(WalkFixture, "walks: queries nested too deep are refused, as deep as allowed they run") {
  answer("CREATE (a:A {i: 1})-[:K]->(a)");
  const auto nested = [](int levels) {
    std::string out = "MATCH (a) WHERE ";
    for (int i = 0; i < levels; ++i) out += "EXISTS { MATCH (a)-[:K]->(a) WHERE ";
    out += "true";
    for (int i = 0; i < levels; ++i) out += " }";
    return out + " RETURN count(*)";
  };
  CHECK(number(nested(60)) == 1);
  CHECK(refused(nested(400)) == ErrorCode::kInvalidArgument);
  const auto lists = [](int levels) {
    std::string out = "MATCH (a) RETURN ";
    for (int i = 0; i < levels; ++i) out += "size([(a)-[:K]->(a) | ";
    out += "1";
    for (int i = 0; i < levels; ++i) out += "])";
    return out + " AS n";
  };
  CHECK(number(lists(60)) == 1);
  CHECK(refused(lists(400)) == ErrorCode::kInvalidArgument);
  // Patterns tried in vain do not multiply.
  std::string brackets = "RETURN ";
  for (int i = 0; i < 150; ++i) brackets += "(";
  brackets += "1";
  for (int i = 0; i < 150; ++i) brackets += ")";
  CHECK(number(brackets + " AS n") == 1);
}

}  // namespace demarche::query

// What tests as text cannot say: stopping a query, limits, one state while others write, parameters, random texts, and
// the order and equality of values.

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "engine/store.h"
#include "query/parse/parser.h"
#include "query/query.h"
#include "tests/support/temp_folder.h"

namespace demarche::query {

namespace {

using namespace std::chrono_literals;

class QueryFixture {
 public:
  QueryFixture() {
    StoreOptions options;
    options.create_if_missing = true;
    options.sync = false;
    auto opened = Store::open(folder_.path("store"), options);
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
  }

 protected:
  Store& store() { return *store_; }

  // All rows, or the first error.
  Result<std::vector<std::vector<Value>>> rows(std::string_view text, const std::map<std::string, Value>& parameters = {},
                                               const QueryOptions& options = {}) {
    DEMARCHE_TRY(const auto cursor, run_query(*store_, text, parameters, options));
    return drain(*cursor);
  }
  static Result<std::vector<std::vector<Value>>> drain(ResultCursor& cursor) {
    std::vector<std::vector<Value>> out;
    ResultRows batch;
    while (true) {
      DEMARCHE_CHECK(cursor.next(batch));
      if (batch.size() == 0) return out;
      for (std::size_t row = 0; row < batch.size(); ++row) {
        std::vector<Value> values;
        for (std::size_t i = 0; i < cursor.columns().size(); ++i) values.push_back(batch.column(i)[row]);
        out.push_back(std::move(values));
      }
    }
  }
  void run(std::string_view text) {
    const auto done = rows(text);
    if (!done) FAIL(text << ": " << done.error().message);
  }
  Value one(std::string_view text, const std::map<std::string, Value>& parameters = {}) {
    const auto all = rows(text, parameters);
    if (!all) FAIL(text << ": " << all.error().message);
    REQUIRE(all->size() == 1);
    return (*all)[0][0];
  }
  ErrorCode refused(std::string_view text, const QueryOptions& options = {}) {
    const auto all = rows(text, {}, options);
    INFO(text);
    REQUIRE_FALSE(all);
    return all.error().code;
  }

 private:
  tests::TempFolder folder_;
  std::unique_ptr<Store> store_;
};

constexpr const char* kForEver = "UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b UNWIND range(1, 1000000) AS c RETURN count(*)";

}  // namespace

TEST_CASE_METHOD(QueryFixture, "query: the cancel flag stops a product of everything with everything") {
  run("UNWIND range(1, 900) AS i CREATE (:N {i: i})");
  for (const char* text : {"MATCH (a), (b), (c), (d) RETURN count(*)", "MATCH (a), (b), (c) WHERE a.i + b.i + c.i < 0 RETURN a", kForEver,
                           "MATCH (a), (b), (c) RETURN a, b, c ORDER BY a.i"}) {
    INFO(text);
    std::atomic<bool> cancel = false;
    QueryOptions options;
    options.cancel = &cancel;
    std::chrono::steady_clock::time_point asked;
    std::thread other([&] {
      std::this_thread::sleep_for(100ms);
      asked = std::chrono::steady_clock::now();
      cancel = true;
    });
    const auto answer = rows(text, {}, options);
    const auto ended = std::chrono::steady_clock::now();
    other.join();
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kCancelled);
    CHECK(ended - asked < 3s);  // generous: the machine may be busy and this may be a debug build
  }
}

TEST_CASE_METHOD(QueryFixture, "query: a flag that is set already stops it before it begins") {
  const std::atomic<bool> cancel = true;
  QueryOptions options;
  options.cancel = &cancel;
  run("CREATE (:N)");
  CHECK(refused("MATCH (a) RETURN a", options) == ErrorCode::kCancelled);
  CHECK(refused("MATCH (a) CREATE (b:M)", options) == ErrorCode::kCancelled);
  CHECK(one("MATCH (a) RETURN count(*)").as_integer() == 1);
}

TEST_CASE_METHOD(QueryFixture, "query: the time limit ends it with kLimit") {
  QueryOptions options;
  options.time_max = 50ms;
  const auto began = std::chrono::steady_clock::now();
  CHECK(refused(kForEver, options) == ErrorCode::kLimit);
  CHECK(std::chrono::steady_clock::now() - began < 3s);
}

TEST_CASE_METHOD(QueryFixture, "query: rows held for sorting, grouping, DISTINCT and collecting have a limit; streaming has none") {
  QueryOptions options;
  options.rows_held_max = 1000;
  CHECK(refused("UNWIND range(1, 5000) AS x RETURN x ORDER BY x", options) == ErrorCode::kLimit);
  CHECK(refused("UNWIND range(1, 5000) AS x RETURN DISTINCT x", options) == ErrorCode::kLimit);
  CHECK(refused("UNWIND range(1, 5000) AS x RETURN x, count(*)", options) == ErrorCode::kLimit);
  CHECK(refused("UNWIND range(1, 5000) AS x RETURN collect(x)", options) == ErrorCode::kLimit);
  CHECK(refused("UNWIND range(1, 5000) AS x RETURN count(DISTINCT x)", options) == ErrorCode::kLimit);
  CHECK(rows("UNWIND range(1, 5000) AS x RETURN x", {}, options));
  CHECK(rows("UNWIND range(1, 5000) AS x RETURN count(*), sum(x), min(x)", {}, options));
  CHECK(rows("UNWIND range(1, 5000) AS x RETURN x ORDER BY -x LIMIT 10", {}, options));
  CHECK(rows("UNWIND range(1, 5000) AS x RETURN DISTINCT x % 10", {}, options));
}

TEST_CASE_METHOD(QueryFixture, "query: a cursor reads one state while others write") {
  run("UNWIND range(1, 3000) AS i CREATE (:N {i: i})");
  auto cursor = run_query(store(), "MATCH (a:N) RETURN a.i");
  REQUIRE(cursor);
  ResultRows batch;
  REQUIRE((*cursor)->next(batch));
  std::size_t count = batch.size();
  REQUIRE(count < 3000);
  run("UNWIND range(1, 50) AS i CREATE (:N {i: -i})");
  while (true) {
    REQUIRE((*cursor)->next(batch));
    if (batch.size() == 0) break;
    for (const Value& v : batch.column(0)) CHECK(v.as_integer() > 0);
    count += batch.size();
  }
  CHECK(count == 3000);
  CHECK((*cursor)->view().statistics().actors == 3000);
  CHECK(one("MATCH (a:N) RETURN count(*)").as_integer() == 3050);
  REQUIRE((*cursor)->next(batch));  // after the end there is still nothing
  CHECK(batch.size() == 0);
}

TEST_CASE_METHOD(QueryFixture, "query: rows come in batches and none is lost at their edges") {
  for (const int n : {0, 1, 1023, 1024, 1025, 2048, 2049, 5000}) {
    const auto all = rows(fmt::format("UNWIND range(1, {}) AS x RETURN x", n));
    REQUIRE(all);
    REQUIRE(all->size() == static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) CHECK((*all)[static_cast<std::size_t>(i)][0].as_integer() == i + 1);
    CHECK(one(fmt::format("UNWIND range(1, {}) AS x WITH x WHERE x % 2 = 0 RETURN count(*)", n)).as_integer() == n / 2);
    const auto skipped = rows(fmt::format("UNWIND range(1, {}) AS x RETURN x SKIP 1000 LIMIT 1500", n));
    REQUIRE(skipped);
    CHECK(skipped->size() == static_cast<std::size_t>(std::max(0, std::min(n, 2500) - 1000)));
  }
}

TEST_CASE_METHOD(QueryFixture, "query: parameters of every kind come through unchanged") {
  const std::vector<Value> values = {
      Value(), Value::boolean(true), Value::integer(std::numeric_limits<std::int64_t>::min()), Value::real(-0.5), Value::string("it's"),
      Value::list({Value::integer(1), Value(), Value::list({})}), Value::map({{"b", Value::integer(1)}, {"a", Value()}}),
      Value::date(date_literal(*parse_edtf("2016-04~")))};
  for (const Value& v : values) {
    const Value back = one("RETURN $p AS p", {{"p", v}});
    CHECK(back.kind() == v.kind());
    CHECK(equivalent(back, v));
    CHECK(equivalent(one("WITH [$p, $p] AS l RETURN l[1]", {{"p", v}}), v));
  }
  run("CREATE ({key: 'x'})-[:CALL]->({key: 'y'})");
  const Value actor = one("MATCH (a {key: 'x'}) RETURN a");
  CHECK(one("WITH $a AS a MATCH (a)-[c]->(b) RETURN b.key", {{"a", actor}}).as_string() == "y");
  CHECK(one("RETURN $`odd name` AS p", {{"odd name", Value::integer(3)}}).as_integer() == 3);
}

TEST_CASE("statement_writes: CREATE and RECORD write, EXPLAIN and the rest do not") {
  CHECK(*statement_writes("CREATE (a)"));
  CHECK(*statement_writes("MATCH (a) CREATE (b) RETURN b"));
  CHECK(*statement_writes("record CALL BETWEEN 'a', 'b';"));
  CHECK_FALSE(*statement_writes("MATCH (a) RETURN a"));
  CHECK_FALSE(*statement_writes("EXPLAIN CREATE (a)"));
  CHECK_FALSE(*statement_writes("RETURN 'CREATE (a)' // CREATE (b)"));
  CHECK_FALSE(statement_writes("CREATE (a"));
  CHECK_FALSE(statement_writes(""));
}

TEST_CASE("split_statements: semicolons in texts, names and comments do not cut") {
  const auto parts = [](std::string_view text) {
    bool complete = false;
    const auto out = split_statements(text, &complete);
    REQUIRE(out);
    std::string all;
    for (const std::string_view part : *out) all += fmt::format("[{}]", part);
    return all + (complete ? "" : "...");
  };
  CHECK(parts("") == "");
  CHECK(parts(" ;; ; ") == "");
  CHECK(parts("RETURN 1") == "[RETURN 1]...");
  CHECK(parts("RETURN 1;") == "[RETURN 1]");
  CHECK(parts("RETURN 1; RETURN 2") == "[RETURN 1][RETURN 2]...");
  CHECK(parts("RETURN ';'; RETURN \";\";") == "[RETURN ';'][RETURN \";\"]");
  CHECK(parts("RETURN 1 AS `;`; /* ; */ RETURN 2; // ; end") == "[RETURN 1 AS `;`][RETURN 2]");
  CHECK(parts("RETURN $`;`;\n\n RETURN 2 ;\n") == "[RETURN $`;`][RETURN 2 ]");
  CHECK_FALSE(split_statements("RETURN 'open"));
  CHECK_FALSE(split_statements("/* open"));
}

TEST_CASE("parse_literal: plain values only") {
  const auto is = [](std::string_view text, const Value& v) {
    const auto out = parse_literal(text);
    INFO(text);
    REQUIRE(out);
    CHECK(out->kind() == v.kind());
    CHECK(equivalent(*out, v));
  };
  is("1", Value::integer(1));
  is(" -7 ", Value::integer(-7));
  is("-9223372036854775808", Value::integer(std::numeric_limits<std::int64_t>::min()));
  is("0x10", Value::integer(16));
  is("1.5", Value::real(1.5));
  is("'it\\'s'", Value::string("it's"));
  is("\"x\"", Value::string("x"));
  is("true", Value::boolean(true));
  is("NULL", Value());
  is("[1, 'a', [null]]", Value::list({Value::integer(1), Value::string("a"), Value::list({Value()})}));
  is("{b: 1, a: [2]}", Value::map({{"a", Value::list({Value::integer(2)})}, {"b", Value::integer(1)}}));
  is("DATE '2016-04'", Value::date(date_literal(*parse_edtf("2016-04"))));
  for (const char* text : {"", "x", "1 +", "1 + 1", "$p", "size([1])", "'open", "1, 2", "*", "1 AS x, 2", "DATE 'soon'", "[1", "a.b", "1; RETURN 2",
                           "9223372036854775808", "(a)", "count(*)", "[1 + 1]", "{a: b}", "MATCH (a) RETURN a"}) {
    INFO(text);
    CHECK_FALSE(parse_literal(text));
  }
}

TEST_CASE_METHOD(QueryFixture, "query: brackets nested too deeply are refused, not crashed on") {
  const auto nested = [](std::string_view open, std::string_view core, std::string_view close, int n) {
    std::string out = "RETURN ";
    for (int i = 0; i < n; ++i) out += open;
    out += core;
    for (int i = 0; i < n; ++i) out += close;
    return out + " AS x";
  };
  const std::vector<std::pair<std::string, std::string>> brackets = {
      {"(", ")"}, {"[", "]"}, {"{a: ", "}"}, {"NOT ", ""}, {"- ", ""}, {"size(", ")"}, {"CASE WHEN ", " THEN 1 END"}, {"[1][", "]"}, {"POSSIBLY (", ")"}};
  for (const auto& [open, close] : brackets) {
    INFO(open);
    for (const int n : {kNestingMax + 5, 5000, 40000}) {
      const auto answer = run_query(store(), nested(open, open == "NOT " || open[0] == 'C' || open[0] == 'P' ? "true" : "1", close, n));
      REQUIRE_FALSE(answer);
      REQUIRE(answer.error().fault != nullptr);
      if (nested(open, "1", close, n).size() < kQueryBytesMax) CHECK(answer.error().fault->detail == "NestingTooDeep");
    }
    CHECK(statement_writes(nested(open, "1", close, 60)));
  }
  std::string labels = "MATCH (a:";
  for (int i = 0; i < 100000; ++i) labels += '!';
  CHECK_FALSE(run_query(store(), labels + "A) RETURN a"));
  labels = "MATCH (a:";
  for (int i = 0; i < 100000; ++i) labels += '(';
  CHECK_FALSE(run_query(store(), labels + "A) RETURN a"));
}

TEST_CASE_METHOD(QueryFixture, "query: a text that is too long, or no UTF-8, is refused") {
  const auto long_text = run_query(store(), "RETURN '" + std::string(kQueryBytesMax, 'x') + "' AS x");
  REQUIRE_FALSE(long_text);
  CHECK(long_text.error().fault->detail == "QueryTooLong");
  for (const std::string text : {"RETURN '\xff' AS x", "RETURN \xc3", "\xed\xa0\x80", "RETURN '\xc0\x80' AS x"}) {
    const auto answer = run_query(store(), text);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().fault->detail == "InvalidUnicode");
    CHECK_FALSE(describe_error(answer.error(), text).empty());
  }
  CHECK_FALSE(run_query(store(), std::string("RETURN 1\0 AS x", 14)));
}

TEST_CASE_METHOD(QueryFixture, "query: twenty thousand mutated texts end with an answer or an error, never a crash") {
  constexpr unsigned kSeed = 20160418;
  INFO("seed " << kSeed);
  run("CREATE (:Person {key: 'a', name: 'A', x: 1})-[:MEETING {key: 'm', when: '2016-04~'}]->(:State {key: 'b', name: 'B'})");
  const std::vector<std::string> seeds = {
      "MATCH (a:Person {key: 'a'})-[c:CONTACT]->(b) WHERE c BEFORE '2016-05' AND a.x > 0 RETURN a.name, b.name, type(c), c.when ORDER BY c.when DESC SKIP 0 LIMIT 5",
      "MATCH [w:MEETING {key: 'm'}], (a)-[c]-(b) WHERE POSSIBLY (c.begin DURING w) OR c = w RETURN *, certainty(c OVERLAPS w) AS k",
      "UNWIND [1, 2.5, null, 'x', [1], {k: 1}] AS x WITH x, count(*) AS n WHERE n > 0 RETURN DISTINCT x, collect(x), sum(n), min(x) ORDER BY x",
      "RETURN CASE WHEN 1 < 2 <= 3 THEN 'a' ELSE -1 ^ 2 % 3 END AS v, [1, 2, 3][0..2] AS l, {a: 1}.a AS m, NOT true XOR false AS t, toUpper('x') + 1",
      "MATCH p = (a)-[c:MEETING|CALL]-(b), [d:!CALL] WHERE id(a) < id(b) AND NOT a:State RETURN p, nodes(p), length(p), participants(d), role(c, a), claims(c)",
      "WITH range(1, 5) AS l UNWIND l AS i RETURN i, size(l), substring('Geneva', 1, 2), split('a,b', ','), date('2016'), offices(null, '2016')",
      "EXPLAIN MATCH (a {name: 'A'}) RETURN count(*)",
      "MATCH p = ANY SHORTEST (a {key: 'a'})-[c:MEETING|CALL WHERE c.key = 'm']-+(b:State) RETURN p, [x IN c | x.key], arrival(p)",
      "MATCH p = SHORTEST 2 WALK PATH GROUPS (a)<-[c*0..3 {key: 'm'}]-(b)-[d]->{1,2}(e), q = ACYCLIC (a)-[:CALL]-*(b) RETURN p, q, c, size(d)",
      "MATCH p = ANY EARLIEST POSSIBLY CHRONOLOGICAL (a)-[c:CONTACT]-{1,3}(b) RETURN arrival(p) AS x UNION ALL RETURN null AS x",
      "MATCH (a) WHERE EXISTS { (a)-[c]-(b) WHERE b.x > 0 OR (b)--(a) } AND COUNT { MATCH (a) RETURN DISTINCT a.x AS y } = 1 RETURN [(a)-[c]->(b) WHERE b:State | c.key] AS l",
      "MATCH (a) CALL (a) { WITH a MATCH (a)-[c]-() RETURN count(c) AS n UNION RETURN 7 AS n } WITH DISTINCT a.x + n AS m, count(*) AS k ORDER BY k + count(*), a.x + n WHERE m > 0 RETURN *",
      "CALL kinds() YIELD name, parent AS p WHERE p = 'CONTACT' RETURN name, count(*) + COUNT { (x {name: name}) } AS n ORDER BY name LIMIT 3"};
  const std::vector<std::string> pieces = {"(", ")", "[", "]", "{", "}", "'", "\"", "`", ",", ":", ";", ".", "..", "|", "&", "!", "-", "->", "<-", "*", "/", "//", "/*", "$p",
                                           "NOT ", "AND ", "null", "0", "9223372036854775807", "-", "\\u", "\n", "\t", "é", "日", "RETURN ", "MATCH ", "WITH ", "WHERE ", "AS x ",
                                           "DATE '2016' ", "POSSIBLY (", "BEFORE ", "count(*)", "a", "b", "c", "x", "ORDER BY ", "LIMIT ", "DISTINCT ", "IN ", "EXISTS { ", "COUNT { ", "} ", "UNION ", "CALL ", "CALL { ", "YIELD ", "*1..2", "{1,2}", "+", "ANY SHORTEST ", "CHRONOLOGICAL ", "WALK ", "ACYCLIC ", "p = ", "(a)-[c]-(b)", "[(a)--(b) | ", "OPTIONAL MATCH (a)-[*0..2]-(b) ", "WITH a ", "= ", "%", "^", "+"};
  std::mt19937 random(kSeed);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  QueryOptions options;
  options.time_max = 200ms;
  options.rows_held_max = 10'000;
  std::size_t answered = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = seeds[below(seeds.size())];
    const std::size_t changes = 1 + below(4);
    for (std::size_t k = 0; k < changes; ++k) {
      const std::size_t at = below(text.size() + 1);
      switch (below(5)) {
        case 0: text.erase(at, 1 + below(6)); break;
        case 1: text.insert(at, pieces[below(pieces.size())]); break;
        case 2: text.insert(at, text.substr(below(text.size() + 1), below(20))); break;
        case 3: text = text.substr(0, at); break;
        default: {
          const std::string& other = seeds[below(seeds.size())];
          text.replace(at, std::min(text.size() - at, below(10)), other.substr(below(other.size()), below(25)));
        }
      }
    }
    const auto writes = statement_writes(text);
    if (!writes) {
      CHECK_FALSE(describe_error(writes.error(), text).empty());
      continue;
    }
    if (*writes) continue;
    const auto answer = rows(text, {{"p", Value::integer(1)}}, options);
    if (answer) ++answered;
    if (!answer && describe_error(answer.error(), text).empty()) FAIL("no message for: " << text);
  }
  CHECK(answered > 300);
}

// ---- values --------------------------------------------------------------------------------------------------------

namespace {

class RandomValues {
 public:
  explicit RandomValues(unsigned seed) : random_(seed) {}

  Value value(int depth = 0) {
    switch (below(depth > 2 ? 9 : 12)) {
      case 0: return Value();
      case 1: return Value::boolean(below(2) == 0);
      case 2:
      case 3: return number();
      case 4: return Value::integer(static_cast<std::int64_t>(below(7)) - 3);
      case 5: return Value::string(std::string(below(3), static_cast<char>('a' + below(3))));
      case 6: return Value::date(date_literal(*parse_edtf(kDates[below(std::size(kDates))])));
      case 7: return Value::actor({below(3) + 1});
      case 8: return Value::interaction({below(3) + 1});
      case 9: {
        ValueList items;
        for (std::size_t n = below(4); n > 0; --n) items.push_back(value(depth + 1));
        return Value::list(std::move(items));
      }
      case 10: {
        ValueMap entries;
        for (std::size_t n = below(3); n > 0; --n) entries.emplace_back(std::string(1, static_cast<char>('a' + below(3))), value(depth + 1));
        return Value::map(std::move(entries));
      }
      default: return Value::path({{{below(2) + 1}, {below(2) + 1}}, {{below(2) + 1}}});
    }
  }
  Value number() {
    // 2^53 and 2^63 and what is beside them, where converting loses digits.
    constexpr std::int64_t kWhole[] = {0, 1, -1, (1LL << 53) - 1, 1LL << 53, (1LL << 53) + 1, -(1LL << 53) - 1, 4503599627370497};
    constexpr double kReal[] = {0.0, -0.0, 0.5, -0.5, 1.0, 9007199254740992.0, 9007199254740994.0, -9007199254740992.0, 9223372036854775808.0,
                                1e300, -1e300, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::denorm_min()};
    if (below(2) == 0) return Value::integer(kWhole[below(std::size(kWhole))]);
    return Value::real(kReal[below(std::size(kReal))]);
  }

 private:
  static constexpr const char* kDates[] = {"2016", "2016-04", "2016-04-18", "2016-04-18~", "[2016-04-18..2016-04-24]", "2016-04/..", "2016-04/"};
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  std::mt19937 random_;
};

int sign(int x) { return (x > 0) - (x < 0); }

}  // namespace

TEST_CASE("values: order is total, equivalence follows it, and equivalent values have one hash") {
  constexpr unsigned kSeed = 7;
  INFO("seed " << kSeed);
  RandomValues random(kSeed);
  std::vector<Value> pool;
  for (int i = 0; i < 160; ++i) pool.push_back(i % 3 == 0 ? random.number() : random.value());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    if (order(pool[i], pool[i]) != 0) ++wrong;
    for (std::size_t j = 0; j < pool.size(); ++j) {
      const int ij = sign(order(pool[i], pool[j]));
      if (ij != -sign(order(pool[j], pool[i]))) ++wrong;
      if (equivalent(pool[i], pool[j]) != (ij == 0)) ++wrong;
      if (ij == 0 && hash_of(pool[i]) != hash_of(pool[j])) ++wrong;
      // What is equal for certain is also equivalent (dates apart: they are equal by what they mean, not as written).
      const bool has_date = pool[i].kind() == ValueKind::kDate || pool[i].kind() == ValueKind::kList || pool[i].kind() == ValueKind::kMap;
      if (!has_date && equals(pool[i], pool[j]) == Truth::kTrue && ij != 0) ++wrong;
      if (equals(pool[i], pool[j]) != equals(pool[j], pool[i])) ++wrong;
      for (std::size_t k = 0; k < pool.size(); ++k) {
        if (ij <= 0 && order(pool[j], pool[k]) <= 0 && order(pool[i], pool[k]) > 0) ++wrong;
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("values: integers and floats compare exactly, NaN comes after all numbers, null last") {
  const Value big = Value::integer((1LL << 53) + 1);
  CHECK(order(big, Value::real(9007199254740992.0)) > 0);
  CHECK(order(big, Value::real(9007199254740994.0)) < 0);
  CHECK(equals(Value::integer(1LL << 53), Value::real(9007199254740992.0)) == Truth::kTrue);
  CHECK(order(Value::integer(std::numeric_limits<std::int64_t>::max()), Value::real(9223372036854775808.0)) < 0);
  CHECK(order(Value::integer(std::numeric_limits<std::int64_t>::min()), Value::real(-9223372036854775808.0)) == 0);
  const Value nan = Value::real(std::numeric_limits<double>::quiet_NaN());
  CHECK(order(nan, nan) == 0);
  CHECK(equals(nan, nan) == Truth::kFalse);
  CHECK(order(nan, Value::real(std::numeric_limits<double>::infinity())) > 0);
  CHECK(order(nan, Value()) < 0);
  CHECK(equivalent(Value::real(0.0), Value::real(-0.0)));
  CHECK(hash_of(Value::real(0.0)) == hash_of(Value::real(-0.0)));
  CHECK(hash_of(Value::real(-0.0)) == hash_of(Value::integer(0)));
}

TEST_CASE("values: copies share, moves empty, assignment to itself keeps") {
  Value a = Value::list({Value::string("x"), Value::map({{"k", Value::integer(1)}})});
  Value b = a;
  Value& same = b;
  b = same;
  CHECK(equivalent(a, b));
  const Value c = std::move(b);
  CHECK(equivalent(a, c));
  a = a.as_list()[0];  // out of the list that goes away with it
  CHECK(a.as_string() == "x");
}

TEST_CASE("values: what can be a property comes back from one; maps and records cannot") {
  for (const Value& v : {Value::boolean(false), Value::integer(-1), Value::real(0.25), Value::string("x"), Value::list({Value::integer(1), Value::string("y")}),
                         Value::date(date_literal(*parse_edtf("2016-04~")))}) {
    const auto stored = to_property(v);
    REQUIRE(stored);
    CHECK(equivalent(from_property(*stored), v));
  }
  for (const Value& v : {Value(), Value::map({}), Value::actor({1}), Value::interaction({1}), Value::path({{{1}}, {}}), Value::list({Value()})}) {
    CHECK_FALSE(to_property(v));
  }
}

}  // namespace demarche::query

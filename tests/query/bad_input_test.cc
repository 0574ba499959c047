// What is no query of the language, or asks for too much: an error with its kind and its words, nothing changed, never
// a crash. What fits into text stands in errors/*.test.

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "engine/store.h"
#include "query/parse/parser.h"
#include "query/query.h"
#include "tests/support/temp_folder.h"

namespace demarche::query {

namespace {

using namespace std::chrono_literals;
using Catch::Contains;

class BadInputFixture {
 public:
  BadInputFixture() {
    StoreOptions options;
    options.create_if_missing = true;
    options.sync = false;
    auto opened = Store::open(folder_.path("store"), options);
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
    if (auto made = answer("UNWIND range(1, 40) AS i CREATE (:N {i: i, text: 'x'})-[:CALL {when: '2016'}]->(:M)");
        !made)
      throw std::runtime_error(made.error().message);
    before_ = store_->view()->statistics().commit;
  }

 protected:
  Result<std::size_t> answer(const std::string& text, const std::map<std::string, Value>& parameters = {},
                             const QueryOptions& options = {}) {
    DEMARCHE_TRY(const auto cursor, run_query(*store_, text, parameters, options));
    std::size_t count = 0;
    ResultRows rows;
    while (true) {
      DEMARCHE_CHECK(cursor->next(rows));
      if (rows.size() == 0) return count;
      count += rows.size();
    }
  }

  // Refused with this detail and these words, and the store is as it was.
  void refused(const std::string& text, const std::string& detail, const std::string& words,
               const std::map<std::string, Value>& parameters = {}) {
    INFO(text.substr(0, 200));
    const auto done = answer(text, parameters);
    REQUIRE_FALSE(done);
    REQUIRE(done.error().fault != nullptr);
    CHECK(done.error().fault->detail == detail);
    CHECK_THAT(done.error().message, Contains(words));
    CHECK_FALSE(describe_error(done.error(), text).empty());
    unchanged();
  }
  void limited(const std::string& text, const std::string& words, const QueryOptions& options) {
    INFO(text.substr(0, 200));
    const auto done = answer(text, {}, options);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == ErrorCode::kLimit);
    CHECK_THAT(done.error().message, Contains(words));
    unchanged();
  }
  void unchanged() const { CHECK(store_->view()->statistics().commit == before_); }

 private:
  tests::TempFolder folder_;
  std::unique_ptr<Store> store_;
  CommitNumber before_;
};

std::string repeated(std::string_view part, std::size_t n) {
  std::string out;
  out.reserve(part.size() * n);
  for (std::size_t i = 0; i < n; ++i) out += part;
  return out;
}

}  // namespace

TEST_CASE_METHOD(BadInputFixture, "bad input: statements that are too long are refused by name") {
  refused("RETURN 1 AS x " + repeated(" ", kQueryBytesMax), "QueryTooLong", "pass values as parameters");
  refused(repeated("MATCH (a) ", kClausesMax + 1) + "RETURN 1", "QueryTooLong", "clauses in one statement");
  refused("MATCH (a)" + repeated("-[:CALL]-(b)", kPatternStepsMax) + " RETURN 1", "QueryTooLong",
          "actors and interactions in one clause");
  std::string many;
  for (int i = 0; i < 12; ++i) many += "MATCH (a)" + repeated("-[:CALL]-()", 100) + " ";
  refused(many + "RETURN 1", "QueryTooLong", "looked for in one statement");
  // As long as may be: read, and answered or refused for what it says.
  const std::string blank = "RETURN 1 AS x" + repeated(" ", kQueryBytesMax - 13);
  REQUIRE(blank.size() == kQueryBytesMax);
  CHECK(answer(blank));
  CHECK(answer("RETURN size('" + repeated("x", kQueryBytesMax - 100) + "') AS n"));
  CHECK(answer("RETURN size([" + repeated("1,", 400'000) + "1]) AS n"));
  refused("RETURN " + repeated("1 ", 500'000), "UnexpectedSyntax", "expected a clause");
  refused(repeated("a", 1'000'000), "UnexpectedSyntax", "expected a clause");
}

TEST_CASE_METHOD(BadInputFixture, "bad input: deep nesting is refused, whatever is nested") {
  for (const auto& [open, close] : std::vector<std::pair<std::string, std::string>>{
           {"(", ")"}, {"[", "]"}, {"{a: ", "}"}, {"size([", "])"}, {"COUNT { RETURN ", " AS x }"}}) {
    refused("RETURN " + repeated(open, 10'000) + "1" + repeated(close, 10'000) + " AS x", "NestingTooDeep",
            "nested deeper than");
    refused("RETURN " + repeated(open, 10'000), "NestingTooDeep", "nested deeper than");
  }
  refused("RETURN 1" + repeated(" + 1", kTreeDepthMax + 10) + " AS x", "NestingTooDeep", "operators in a chain");
  refused("RETURN 1" + repeated(" < 1", kTreeDepthMax + 10) + " AS x", "UnexpectedSyntax",
          "a shorter chain of comparisons");
  refused("MATCH (a:" + repeated("(", 10'000) + "A" + repeated(")", 10'000) + ") RETURN a", "NestingTooDeep",
          "nested deeper than");
  refused(repeated("]", 10'000), "UnexpectedSyntax", "expected a clause");
}

TEST_CASE_METHOD(BadInputFixture, "bad input: what is not UTF-8 is refused wherever it stands") {
  for (const char* text : {"RETURN '\xff' AS x", "RETURN `\xc3`", "// \x80\nRETURN 1",
                           "CREATE (:A {x: '\xed\xa0\x80'})", "RETURN \xf4\x90\x80\x80"}) {
    refused(text, "InvalidUnicode", "not valid UTF-8");
  }
  refused(std::string("CREATE (:A) \0", 13), "UnexpectedSyntax", "begins nothing here");
}

TEST_CASE_METHOD(BadInputFixture, "bad input: numbers that do not fit, at either time") {
  refused("RETURN 9223372036854775808 AS x", "IntegerOverflow", "does not fit into 64 bits");
  refused("RETURN 1e999 AS x", "FloatingPointOverflow", "too large");
  for (const char* text :
       {"9223372036854775807 + $one", "-9223372036854775808 - $one", "9223372036854775807 * 2 * $one",
        "-(-9223372036854775808 * $one)", "abs(-9223372036854775808 * $one)", "-9223372036854775808 / -$one"}) {
    refused(fmt::format("RETURN {} AS x", text), "IntegerOverflow", "does not fit into 64 bits",
            {{"one", Value::integer(1)}});
  }
  refused("UNWIND [9223372036854775807, 1] AS x RETURN sum(x)", "IntegerOverflow", "sum does not fit");
  refused("RETURN 1 / $zero AS x", "DivisionByZero", "division by zero", {{"zero", Value::integer(0)}});
  refused("RETURN 1 % $zero AS x", "DivisionByZero", "division by zero", {{"zero", Value::integer(0)}});
  // In a statement that writes, after it has written: nothing stays.
  refused("CREATE (a:N {i: 1}) WITH a SET a.i = 1 / $zero", "DivisionByZero", "division by zero",
          {{"zero", Value::integer(0)}});
  refused("UNWIND range(1, 5) AS i CREATE (:N {i: 10 / (i - 5)})", "DivisionByZero", "division by zero");
}

TEST_CASE_METHOD(BadInputFixture, "bad input: parameters of a wrong type are refused when they are used") {
  const std::map<std::string, Value> list = {{"p", Value::list({Value::integer(1)})}};
  const std::map<std::string, Value> text = {{"p", Value::string("soon")}};
  const std::map<std::string, Value> minus = {{"p", Value::integer(-1)}};
  refused("MATCH (a) RETURN a LIMIT $p", "InvalidArgumentType", "expected a whole number", text);
  refused("MATCH (a) RETURN a SKIP $p", "NegativeIntegerArgument", "cannot be negative", minus);
  refused("MATCH [c] WHERE c BEFORE $p RETURN c", "InvalidDate", "soon", text);
  refused("MATCH [c] WHERE c BEFORE $p RETURN c", "InvalidArgumentType", "expected a date", list);
  refused("MATCH (a) WHERE a.i IN $p RETURN a", "InvalidArgumentType", "IN takes a list", text);
  refused("MATCH (a) WHERE $p RETURN a", "InvalidArgumentType", "expected true, false or null", text);
  refused("RETURN $p - 1 AS x", "InvalidArgumentType", "cannot subtract", list);
  refused("RETURN toInteger($p) AS x", "InvalidArgumentValue", "does not take a LIST", list);
  refused("CREATE (a $p)", "InvalidArgumentType", "expected a map of properties", list);
  refused("CREATE (a:A)-[:CALL {when: $p}]->(:B)", "InvalidDate", "soon", text);
  refused("MATCH (a:N) SET a = $p", "InvalidArgumentType", "expected a map", minus);
  refused("MATCH (a:N) SET a.i = $p", "InvalidPropertyType", "cannot be stored",
          {{"p", Value::map({{"k", Value::integer(1)}})}});
  refused("RETURN $p AS x", "MissingParameter", "parameter $p was not given");
}

TEST_CASE_METHOD(BadInputFixture, "bad input: huge lists and products are ended by limits") {
  QueryOptions rows;
  rows.rows_held_max = 20'000;
  limited("UNWIND range(1, 50000) AS x RETURN x ORDER BY x", "holds more than its limit of", rows);
  limited("MATCH (a), (b), (c), (d) RETURN collect(a.i)", "holds more than its limit of", rows);
  QueryOptions time;
  time.time_max = 100ms;
  limited("MATCH (a), (b), (c), (d), (e) WHERE a.i + b.i + c.i + d.i + e.i < 0 RETURN a", "longer than its limit of",
          time);
  limited("UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b RETURN count(*)", "longer than its limit of",
          time);
  limited("UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b CREATE (:N)", "limit of", time);
  refused("RETURN size(range(1, 9223372036854775807)) AS n", "NumberOutOfRange", "range() makes at most");
  refused("RETURN range(1, 10, 0) AS n", "NumberOutOfRange", "does not end");
}

TEST_CASE("bad input: what is no plain value is refused as a parameter's text") {
  const auto said = [](std::string_view text) {
    const auto out = parse_literal(text);
    REQUIRE_FALSE(out);
    return out.error().message;
  };
  CHECK_THAT(said("1 + 1"), Contains("is not a plain value"));
  CHECK_THAT(said("'open"), Contains("is not a value: ") && Contains("this text is not closed"));
  CHECK_THAT(said("1, 2"), Contains("is not one value"));
  CHECK_THAT(said(repeated("[", 10'000)), Contains("is not a value: ") && Contains("nested deeper than"));
}

TEST_CASE_METHOD(BadInputFixture, "bad input: a deep list that is built step by step stays within bounds") {
  // Each step wraps the list once more: comparing, writing and letting go of it must not exhaust the stack.
  CHECK(answer("RETURN reduce(l = [], i IN range(1, 999) | [l]) AS deep"));
  for (const char* step : {"[l]", "{k: l}", "[l, l]", "[x IN [1] | l]", "[1] + [[l]]"}) {
    refused(fmt::format("WITH reduce(l = [], i IN range(1, 300000) | {}) AS deep RETURN deep = deep", step),
            "NestingTooDeep", "of more than 1000 levels");
  }
  std::string text = "WITH [] AS l ";
  for (int i = 0; i < 900; ++i) text += "WITH " + repeated("[", 150) + "l" + repeated("]", 150) + " AS l ";
  refused(text + "RETURN l", "NestingTooDeep", "of more than 1000 levels");
  text = "WITH [] AS l ";
  for (int i = 0; i < 990; ++i) text += "WITH collect([[l]]) AS l ";
  refused(text + "RETURN l", "NestingTooDeep", "of more than 1000 levels");
  CHECK_FALSE(answer("CREATE (:N {x: reduce(l = [], i IN range(1, 900) | [l])})"));
  unchanged();
}

}  // namespace demarche::query

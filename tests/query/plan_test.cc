// Plans: that none changes an answer, what EXPLAIN and PROFILE show of them, that they are kept, and that the limits
// hold whatever the plan.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/store.h"
#include "query/query.h"
#include "tests/support/temp_folder.h"

namespace demarche::query {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kSeed = 7;

class PlanFixture {
 public:
  PlanFixture() {
    StoreOptions options;
    options.create_if_missing = true;
    options.sync = false;
    auto opened = Store::open(folder_.path("store"), options);
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
  }

 protected:
  Store& store() { return *store_; }

  // Every kind of date, meetings of several, contacts of an actor with itself, kinds with and without a rule.
  void fill(std::size_t actors, std::size_t interactions) {
    std::mt19937 random(kSeed);
    const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
    auto tx = store_->begin();
    REQUIRE(tx);
    std::vector<ActorId> ids;
    for (std::size_t i = 0; i < actors; ++i) {
      Actor actor;
      actor.key = "k" + std::to_string(i);
      actor.name = "N" + std::to_string(i % (actors - 1));  // two share a name
      actor.labels = {i % 3 == 0 ? "A" : "B"};
      actor.properties = {{"x", PropertyValue{static_cast<std::int64_t>(i % 4)}}};
      auto id = (*tx)->add_actor(actor);
      REQUIRE(id);
      ids.push_back(*id);
    }
    const std::vector<std::string> dates = {"2016-01-05",
                                            "2016-01-05",
                                            "[2016-01-05]",
                                            "2016-01",
                                            "2016-01-07~",
                                            "2016-02-01",
                                            "2016-02-01/2016-02-09",
                                            "2016-02-03/",
                                            "[2016-01-05,2016-02-02]",
                                            "2016-01-05T10:00:00Z"};
    const KindId kinds[] = {kinds::kMeeting, kinds::kCall, kinds::kUtterance, kinds::kVisit};
    for (std::size_t i = 0; i < interactions; ++i) {
      Interaction c;
      c.kind = kinds[below(4)];
      if (below(12) != 0) {
        auto when = parse_when(dates[below(dates.size())]);
        REQUIRE(when);
        c.when = *when;
      }
      const ActorId a = ids[below(ids.size())];
      const ActorId b = ids[below(ids.size())];
      if (c.kind == kinds::kVisit) {
        c.participants = {{a, Role::kVisitor}, {b, Role::kHost}};
      } else if (c.kind == kinds::kCall) {
        c.participants = {{a, Role::kCaller}, {b, Role::kCallee}};
      } else {
        c.participants = {{a, Role::kParticipant}, {b, Role::kParticipant}};
        if (below(4) == 0) c.participants.push_back({ids[below(ids.size())], Role::kParticipant});
      }
      if (below(3) == 0) c.place = "P" + std::to_string(below(3));
      auto id = (*tx)->add_interaction(c);
      REQUIRE(id);
    }
    REQUIRE((*tx)->commit("filled"));
  }

  Result<std::vector<std::vector<Value>>> rows(std::string_view text, const QueryOptions& options = {}) {
    DEMARCHE_TRY(const auto cursor, run_query(*store_, text, {}, options));
    std::vector<std::vector<Value>> out;
    ResultRows batch;
    while (true) {
      DEMARCHE_CHECK(cursor->next(batch));
      if (batch.size() == 0) return out;
      for (std::size_t row = 0; row < batch.size(); ++row) {
        out.emplace_back();
        for (std::size_t i = 0; i < cursor->columns().size(); ++i) out.back().push_back(batch.column(i)[row]);
      }
    }
  }
  std::vector<std::vector<Value>> answer(std::string_view text, const QueryOptions& options = {}) {
    auto all = rows(text, options);
    if (!all) FAIL(text << ": " << all.error().message);
    return std::move(*all);
  }
  void run(std::string_view text) { (void)answer(text); }
  ErrorCode refused(std::string_view text, const QueryOptions& options = {}) {
    const auto all = rows(text, options);
    INFO(text);
    REQUIRE_FALSE(all);
    message_ = all.error().message;
    return all.error().code;
  }
  // Of the last refusal.
  [[nodiscard]] const std::string& message() const { return message_; }

 private:
  std::string message_;
  tests::TempFolder folder_;
  std::unique_ptr<Store> store_;
};

bool row_before(const std::vector<Value>& a, const std::vector<Value>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const int c = order(a[i], b[i]);
    if (c != 0) return c < 0;
  }
  return false;
}
bool same_row(const std::vector<Value>& a, const std::vector<Value>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), equivalent);
}

const char* const kQueries[] = {
    "MATCH [c] RETURN count(*), count(c)",
    "MATCH [c] RETURN type(c), count(*)",
    "MATCH [c:CONTACT] RETURN type(c) AS t, count(c) AS n, count(DISTINCT c) AS m",
    "MATCH [c:CONTACT] RETURN c.begin.year, c.begin.month, c.when.day, count(*)",
    "MATCH [c] RETURN c.when, count(*)",
    "MATCH [c] WHERE c DURING '2016-01' RETURN c",
    "MATCH [c] WHERE POSSIBLY (c DURING '2016-01-05') RETURN c, c.when",
    "MATCH (a)-[c]-(b) RETURN a, c, b",
    "MATCH (a)-[c:CONTACT]->(b) RETURN a, c, b",
    "MATCH (a)<-[c]-(b) WHERE c AFTER '2016-01-31' RETURN a.name, b.name, c.place",
    "MATCH (a)-[c]-(a) RETURN a, c",
    "MATCH (a {key: 'k1'})-[c]-(b)-[d]-(e) WHERE c BEFORE d RETURN b, e, c, d",
    "MATCH (a {name: 'N0'})-[c:CONTACT]-(b) WHERE c BEFORE '2016-02' RETURN a.key, b.key, type(c), c.place",
    "MATCH (a:A)-[:CONTACT]-(b:B)-[:CONTACT]-(c:A) RETURN a, count(DISTINCT c), count(*)",
    "MATCH (a)-[:MEETING]-(b)-[:MEETING]-(c)-[:MEETING]-(a) RETURN count(*)",
    "MATCH (a)-[c:MEETING]-(b), (b)-[d:VISIT]-(e) WHERE a.x = e.x AND id(a) < id(e) RETURN a, c, b, d, e",
    "MATCH (a), (b) WHERE a.x = b.x AND a.key < b.key RETURN a.key, b.key",
    "MATCH (a:A) WHERE NOT EXISTS { (a)-[:CALL]-() } RETURN a.key",
    "MATCH (a)-[c]-(b) WHERE EXISTS { MATCH (b)-[d]-(a) WHERE d BEFORE c } RETURN a, c, b",
    "MATCH (a) RETURN a.key, COUNT { (a)-[:MEETING]-(b:B) } AS n, [(a)-[c:VISIT]-(b) | c.place] AS places",
    "MATCH (a:A) OPTIONAL MATCH (a)-[c:CALL]-(b:A) WHERE c DURING '2016-02' RETURN a, c, b",
    "MATCH (a)-[c]-(b) WITH b, count(c) AS n WHERE n > 3 MATCH (b)-[d:CALL]-(e) RETURN b, n, d, e",
    "MATCH p = (a {key: 'k2'})-[:CONTACT*1..2]-(b) RETURN p, length(p)",
    "MATCH (a)-[c]-(b) RETURN DISTINCT a.x, b.x, type(c)",
    "MATCH [w:MEETING {place: 'P1'}], (a)-[c:CALL]-(b) WHERE c BEFORE w RETURN w, a, c, b",
    "MATCH (a)-[c]-(b) WITH a, c CALL (a) { MATCH (a)-[d:VISIT]-(e) RETURN count(e) AS n } RETURN a, c, n",
    "UNWIND ['k1', 'k2', 'k9'] AS k MATCH (a {key: k})-[c]-(b) RETURN k, b.key, c",
    "MATCH (a) RETURN a.x AS x UNION MATCH (b:B) RETURN b.x + 1 AS x",
};

// Of these the order counts too.
const char* const kOrdered[] = {
    "MATCH (a)-[c]-(b) RETURN c.when, id(c), a.key, b.key ORDER BY c.when, id(c), a.key, b.key LIMIT 7",
    "MATCH (a)-[c]-(b) RETURN c.when, id(c), a.key ORDER BY c.when DESC, id(c), a.key SKIP 3 LIMIT 9",
    "MATCH [c] RETURN id(c) AS i, c.when AS w ORDER BY w, i",
    "MATCH [c] RETURN id(c) AS i, c.begin.month AS m ORDER BY m DESC, i LIMIT 12",
    "MATCH (a) WITH a ORDER BY a.key LIMIT 5 MATCH (a)-[c]-(b) RETURN a.key, count(*) ORDER BY a.key",
    "MATCH (a) RETURN a.key AS k, a.x + 1 AS y ORDER BY y DESC, k LIMIT 4",
    "MATCH [c] WITH c ORDER BY id(c) LIMIT 1 RETURN type(c), c.place",
};

}  // namespace

TEST_CASE_METHOD(PlanFixture, "plans: with and without optimiser and indexes the answer is the same") {
  fill(14, 160);
  std::size_t not_empty = 0;
  const auto check = [&](const char* text, bool ordered) {
    INFO(text);
    auto expected = answer(text, {.optimise = false, .use_indexes = false});
    not_empty += expected.empty() ? 0 : 1;
    if (!ordered) std::sort(expected.begin(), expected.end(), row_before);
    for (const bool optimise : {false, true}) {
      for (const bool use_indexes : {false, true}) {
        QueryOptions options;
        options.optimise = optimise;
        options.use_indexes = use_indexes;
        auto found = answer(text, options);
        if (!ordered) std::sort(found.begin(), found.end(), row_before);
        CAPTURE(optimise, use_indexes);
        REQUIRE(found.size() == expected.size());
        CHECK(std::equal(found.begin(), found.end(), expected.begin(), same_row));
      }
    }
  };
  for (const char* text : kQueries) check(text, false);
  for (const char* text : kOrdered) check(text, true);
  CHECK(not_empty >= std::size(kQueries) + std::size(kOrdered) - 3);
}

TEST_CASE_METHOD(PlanFixture, "plans: rows of sealed blocks, of the tail and retired ones are counted alike") {
  fill(10, 80);
  REQUIRE(store().seal());
  run("MATCH (a {key: 'k1'}), (b {key: 'k2'}) CREATE (a)-[:MEETING {when: '2016-03-01'}]->(b)");
  run("MATCH [c:CALL] WITH c ORDER BY id(c) LIMIT 5 SET c.when = '2016-03-02'");
  run("MATCH (a)-[c:VISIT]->(b) WITH DISTINCT c ORDER BY id(c) LIMIT 3 DELETE c");
  const auto plain = answer("MATCH [c] RETURN type(c) AS t, count(*) AS n ORDER BY t", {.optimise = false});
  const auto counted = answer("MATCH [c] RETURN type(c) AS t, count(*) AS n ORDER BY t");
  REQUIRE(plain.size() == 4);
  REQUIRE(counted.size() == plain.size());
  CHECK(std::equal(plain.begin(), plain.end(), counted.begin(), same_row));
  CHECK(answer("MATCH [c] WHERE c DURING '2016-03-02' RETURN count(*)")[0][0].as_integer() == 5);
}

TEST_CASE_METHOD(PlanFixture, "plans: a set of one day has the parts of that day") {
  run("CREATE (a {key: 'a'}), (b {key: 'b'}), (a)-[:MEETING {when: '[2016-04-29]'}]->(b)");
  const auto found = answer("MATCH (a {key: 'a'})-[c]->(b) RETURN c.when.month, c.begin.day, c.when.year");
  REQUIRE(found.size() == 1);
  CHECK(found[0][0].as_integer() == 4);
  CHECK(found[0][1].as_integer() == 29);
  CHECK(found[0][2].as_integer() == 2016);
  CHECK(answer("RETURN (DATE '2016-04-29~').day")[0][0].is_null());
  CHECK(answer("RETURN (DATE '2016-04').day")[0][0].is_null());
}

TEST_CASE_METHOD(PlanFixture, "plans: what EXPLAIN chooses") {
  fill(60, 600);
  const auto plan_of = [&](std::string_view text) {
    std::string out;
    for (const auto& row : answer("EXPLAIN " + std::string(text))) out += row[0].as_string() + "\n";
    return out;
  };
  const auto has = [](const std::string& plan, std::string_view part) { return plan.find(part) != std::string::npos; };
  CHECK(has(plan_of("MATCH (a)-[c]-(b {key: 'k3'}) RETURN a"), "actor b by key"));
  CHECK(has(plan_of("MATCH (a)-[c]-(b) WHERE a.name = 'N1' RETURN b"), "expand (a)-[c]-(b)"));
  CHECK(has(plan_of("MATCH [c:CALL] RETURN type(c), count(*)"), "count:CALL from the index by kind"));
  CHECK_FALSE(has(plan_of("MATCH [c:CALL] WHERE c.place = 'P1' RETURN count(*)"), "from the index"));
  CHECK(has(plan_of("MATCH (a {key: 'k1'})-[c]-(b)-[d]-(a) RETURN b"), "expand into"));
  // LIMIT stands below the columns, and below a sort by them.
  const std::string top = plan_of("MATCH (a)-[c]-(b) RETURN a.name, c.when ORDER BY c.when LIMIT 3");
  CHECK(top.find("project") < top.find("top 3"));
  // Costs only grow from the bottom to the top.
  CHECK(has(top, "~"));
}

TEST_CASE_METHOD(PlanFixture, "PROFILE shows rows, time and reads of each operator, and hands out no answer") {
  fill(20, 200);
  const auto cursor = run_query(store(), "PROFILE MATCH (a {key: 'k1'})-[c:CONTACT]-(b) RETURN b.name, c.place");
  REQUIRE(cursor);
  CHECK((*cursor)->columns() ==
        std::vector<std::string>{"plan", "expected", "rows", "ms", "blocks", "records", "keys"});
  const auto wanted = answer("MATCH (a {key: 'k1'})-[c:CONTACT]-(b) RETURN b.name, c.place").size();
  const auto lines = answer("PROFILE MATCH (a {key: 'k1'})-[c:CONTACT]-(b) RETURN b.name, c.place");
  REQUIRE(lines.size() >= 3);
  CHECK(lines[0][0].as_string().starts_with("project"));
  CHECK(lines[0][2].as_integer() == static_cast<std::int64_t>(wanted));
  CHECK(lines[0][5].as_integer() > 0);  // places stand in records
  std::int64_t keys = 0;
  std::int64_t blocks = 0;
  for (const auto& line : lines) {
    keys += line[6].as_integer();
    blocks += line[4].as_integer();
    CHECK(line[3].as_real() >= 0);
  }
  CHECK(keys == 1);
  CHECK(blocks > 0);
  // Of a query inside an expression too.
  const auto inner = answer("PROFILE MATCH (a) WHERE EXISTS { (a)-[:CALL]-() } RETURN count(*)");
  CHECK(std::any_of(inner.begin(), inner.end(), [](const auto& line) { return line[2].is_null(); }));
  CHECK(refused("PROFILE MATCH (a RETURN a") == ErrorCode::kInvalidArgument);
  // A statement that writes is run.
  run("PROFILE CREATE (:New)");
  CHECK(answer("MATCH (n:New) RETURN count(*)")[0][0].as_integer() == 1);
  CHECK(*statement_writes("PROFILE CREATE (:New)"));
  CHECK_FALSE(*statement_writes("PROFILE MATCH (a) RETURN a"));
}

TEST_CASE_METHOD(PlanFixture, "plans are kept by text, kinds and options, counted and bounded") {
  fill(10, 40);
  const std::string text = "MATCH (a)-[c:PARLEY]-(b) RETURN count(*) AS parleys";
  CHECK(answer(text)[0][0].as_integer() == 0);
  const PlanCacheStatistics first = plan_cache_statistics();
  CHECK(answer(text)[0][0].as_integer() == 0);
  const PlanCacheStatistics second = plan_cache_statistics();
  CHECK(second.hits == first.hits + 1);
  CHECK(second.misses == first.misses);
  CHECK(answer(text, {.optimise = false})[0][0].as_integer() == 0);
  CHECK(plan_cache_statistics().misses == second.misses + 1);
  // A kind that is declared later is found by the same text.
  run("MATCH (a {key: 'k1'}), (b {key: 'k2'}) CREATE (a)-[:PARLEY]->(b)");
  CHECK(answer(text)[0][0].as_integer() == 2);
  CHECK(plan_cache_statistics().dropped > second.dropped);
  // Statements that write, EXPLAIN and PROFILE are not kept.
  const PlanCacheStatistics before = plan_cache_statistics();
  run("MATCH (a {key: 'k1'}) SET a.y = 1");
  run("MATCH (a {key: 'k1'}) SET a.y = 1");
  run("EXPLAIN " + text);
  run("PROFILE " + text);
  CHECK(plan_cache_statistics().hits == before.hits);
  CHECK(plan_cache_statistics().plans == before.plans);
  for (int i = 0; i < 400; ++i) run("RETURN " + std::to_string(i));
  CHECK(plan_cache_statistics().plans <= 256);
  // What a parameter is missing from is refused each time.
  const auto missing = [&] { return refused("MATCH (a {key: $nobody}) RETURN a"); };
  CHECK(missing() == missing());
}

TEST_CASE("plans: stores with different kinds do not share them") {
  const std::string text = "MATCH [c:PARLEY] RETURN count(*)";
  for (int round = 0; round < 6; ++round) {
    tests::TempFolder folder;
    auto store = Store::open(folder.path("store"), {.create_if_missing = true, .sync = false});
    REQUIRE(store);
    std::string create = "CREATE (a), (b)";
    for (int i = 0; i < round; ++i) create += ", (a)-[:OTHER" + std::to_string(i) + "]->(b)";
    REQUIRE(run_query(**store, create + ", (a)-[:PARLEY]->(b)"));
    auto cursor = run_query(**store, text);
    REQUIRE(cursor);
    ResultRows rows;
    REQUIRE((*cursor)->next(rows));
    CHECK(rows.column(0)[0].as_integer() == 1);
  }
}

TEST_CASE_METHOD(PlanFixture, "limits: memory, in whatever way a query asks for it") {
  fill(20, 200);
  QueryOptions little;
  little.memory_max = std::size_t{1} << 20;
  for (const char* text :
       {"UNWIND range(1, 200000) AS x RETURN x ORDER BY -x", "UNWIND range(1, 200000) AS x RETURN DISTINCT x",
        "UNWIND range(1, 200000) AS x RETURN x, count(*)", "UNWIND range(1, 200000) AS x RETURN collect(x)",
        "UNWIND range(1, 20000) AS x RETURN collect(toString(x) + 'abcdefghijklmnopqrstuvwxyz')",
        "UNWIND range(1, 200000) AS x RETURN percentileDisc(x, 0.5)",
        "UNWIND range(1, 200000) AS x RETURN count(DISTINCT x)",
        "MATCH (a), (b), (c), (d) RETURN a, b, c, d ORDER BY a.x", "MATCH p = (a)-[:CONTACT*]-(b) RETURN collect(p)",
        "MATCH (a {key: 'k1'}) RETURN [(a)-[:CONTACT*1..6]-(b) | b]",
        "RETURN reduce(s = 'a', i IN range(1, 60) | s + s)", "RETURN reduce(s = [1], i IN range(1, 60) | s + s)",
        "RETURN reduce(s = 'a', i IN range(1, 60) | replace(s, 'a', 'aa'))"}) {
    CHECK(refused(text, little) == ErrorCode::kLimit);
  }
  (void)refused("UNWIND range(1, 200000) AS x RETURN collect(x)", little);
  CHECK(message().find("needs more memory than its limit of 1 MB") != std::string::npos);
  CHECK(answer("UNWIND range(1, 200000) AS x RETURN count(*), sum(x)", little)[0][0].as_integer() == 200000);
  CHECK(answer("UNWIND range(1, 200000) AS x RETURN x ORDER BY -x LIMIT 3", little).size() == 3);
  CHECK(answer("MATCH (a)-[c]-(b) RETURN DISTINCT type(c)", little).size() == 4);
}

TEST_CASE_METHOD(PlanFixture, "limits: a flag set from another thread stops expressions, joins and searches") {
  fill(40, 1500);
  for (const char* text :
       {"RETURN [x IN range(1, 1000000) | size([y IN range(1, 1000000) WHERE y = x])]",
        "RETURN reduce(n = 0, x IN range(1, 1000000) | n + size([y IN range(1, 1000000) WHERE y = x]))",
        "MATCH (a)-[:CONTACT]-(b)-[:CONTACT]-(c)-[:CONTACT]-(d)-[:CONTACT]-(e)-[:CONTACT]-(f) RETURN count(*)",
        "MATCH (a)-[:CONTACT*]-(b) RETURN count(*)",
        "MATCH (a), (b), (c), (d), (e) WHERE EXISTS { (a)-[:CALL]-(e) } RETURN count(*)",
        "MATCH (a), (b), (c), (d), (e) RETURN count(DISTINCT e)"}) {
    INFO(text);
    std::atomic<bool> cancel = false;
    QueryOptions options;
    options.cancel = &cancel;
    std::chrono::steady_clock::time_point asked;
    std::thread other([&] {
      std::this_thread::sleep_for(50ms);
      asked = std::chrono::steady_clock::now();
      cancel = true;
    });
    const auto all = rows(text, options);
    const auto ended = std::chrono::steady_clock::now();
    other.join();
    REQUIRE_FALSE(all);
    CHECK(all.error().code == ErrorCode::kCancelled);
    CHECK(ended - asked < 5s);  // generous: the machine may be busy and this may be a debug build
  }
}

}  // namespace demarche::query

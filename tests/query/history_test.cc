// What corrections leave behind, and what was known at a time while others write.

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "engine/store.h"
#include "query/query.h"
#include "tests/support/temp_folder.h"

namespace demarche::query {

namespace {

class HistoryFixture {
 public:
  HistoryFixture() {
    StoreOptions options;
    options.create_if_missing = true;
    options.sync = false;
    options.seal_rows = 64;  // seal all the time
    auto opened = Store::open(folder_.path("store"), options);
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
  }

 protected:
  Store& store() { return *store_; }

  // Rows as text; the first error instead.
  Result<std::vector<std::string>> ask(const std::string& text, const QueryOptions& options = {}) {
    DEMARCHE_TRY(const auto cursor, run_query(*store_, text, {}, options));
    std::vector<std::string> out;
    ResultRows rows;
    while (true) {
      DEMARCHE_CHECK(cursor->next(rows));
      if (rows.size() == 0) return out;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::string line;
        for (std::size_t c = 0; c < cursor->columns().size(); ++c) line += shown(rows.column(c)[i]) + "|";
        out.push_back(line);
      }
    }
  }
  void run(const std::string& text) {
    if (const auto done = ask(text); !done) FAIL(text << ": " << done.error().message);
  }
  std::vector<std::string> rows(const std::string& text, const QueryOptions& options = {}) {
    auto out = ask(text, options);
    if (!out) FAIL(text << ": " << out.error().message);
    return *out;
  }

 private:
  static std::string shown(const Value& v) {
    if (v.is_null()) return "null";
    if (v.kind() == ValueKind::kString) return v.as_string();
    if (v.kind() == ValueKind::kInteger) return std::to_string(v.as_integer());
    if (v.kind() == ValueKind::kDate) return v.as_date().text;
    return "?";
  }

  tests::TempFolder folder_;
  std::unique_ptr<Store> store_;
};

}  // namespace

TEST_CASE_METHOD(HistoryFixture, "history: what was known stays as it was, whatever is corrected later") {
  run("CREATE (:Person {key: 'a'}), (:Person {key: 'b'})");                                          // 1
  run("RECORD MEETING 'talk' BETWEEN 'a', 'b' ON '2016-05' STATUS planned");                         // 2
  run("CORRECT 'talk' SET status = 'held', when = '2016-05-03' BECAUSE 'the communique'");           // 3
  run("CORRECT 'talk' SET when = '2016-05-04', place = 'Bern' BECAUSE 'the diary has a day more'");  // 4
  run("RETRACT 'talk' BECAUSE 'they spoke by telephone'");                                           // 5
  run("RECORD CALL 'talk' BETWEEN 'a' AS caller, 'b' AS callee ON '2016-05-04'");                    // 6
  const std::string query = "MATCH (a {key: 'a'})-[c]-(b) RETURN type(c), c.when, c.status, c.place";
  const auto as_of = [&](int n) { return rows(fmt::format("FOR SYSTEM_TIME AS OF COMMIT {} {}", n, query)); };
  CHECK(as_of(1).empty());
  CHECK(as_of(2) == std::vector<std::string>{"MEETING|2016-05|planned|null|"});
  CHECK(as_of(3) == std::vector<std::string>{"MEETING|2016-05-03|held|null|"});
  CHECK(as_of(4) == std::vector<std::string>{"MEETING|2016-05-04|held|Bern|"});
  CHECK(as_of(5).empty());
  CHECK(as_of(6) == std::vector<std::string>{"CALL|2016-05-04|held|null|"});
  CHECK(rows(query) == as_of(6));
}

TEST_CASE_METHOD(HistoryFixture,
                 "history: a system time may be given for all statements, and writing is then refused") {
  run("CREATE (:Person {key: 'a'})");
  run("CREATE (:Person {key: 'b'})");
  QueryOptions options;
  options.as_of = "commit 1";
  const std::string query = "MATCH (a) RETURN a.key ORDER BY a.key";
  CHECK(rows(query, options) == std::vector<std::string>{"a|"});
  // A head of the statement's own counts.
  CHECK(rows("FOR SYSTEM_TIME AS OF COMMIT 2 " + query, options).size() == 2);
  CHECK(rows("FOR VALID_TIME AS OF '2016' " + query, options).size() == 1);
  const auto refused = ask("CREATE (:Person {key: 'c'})", options);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Catch::Contains("reads the store as of commit 1"));
  CHECK(rows(query).size() == 2);
  for (const char* text : {"commit 3", "commit x", "commit -1", "commit ", "2016?", "yesterday", "2016/2017"}) {
    INFO(text);
    options.as_of = text;
    CHECK_FALSE(ask(query, options));
    const auto view = view_as_of(store(), text);
    REQUIRE_FALSE(view);
    CHECK(view.error().fault == nullptr);  // there is no text to point into
  }
  options.as_of = "1999-12-31";
  CHECK(rows(query, options).empty());
  options.as_of = "9999";
  CHECK(rows(query, options).size() == 2);
  CHECK((*view_as_of(store(), "commit 0"))->statistics().actors == 0);
  CHECK((*view_as_of(store(), ""))->statistics().actors == 2);
}

TEST_CASE_METHOD(HistoryFixture, "history: a past state reads the same while others write") {
  run("CREATE (:Person {key: 'a'}), (:Person {key: 'b'}), (:Person {key: 'c'})");
  for (int i = 0; i < 30; ++i) {
    run(fmt::format("RECORD MEETING 'm{}' BETWEEN 'a', '{}' ON '2016-04-{:02}'", i, i % 2 == 0 ? "b" : "c",
                    1 + i % 28));
  }
  const std::string heads = "FOR SYSTEM_TIME AS OF COMMIT 31 ";
  const std::vector<std::string> queries = {
      heads + "MATCH (a {key: 'a'})-[c]-(b) RETURN c.key, c.when, c.place, b.key ORDER BY c.key",
      heads + "FOR VALID_TIME DURING '2016-04-05/2016-04-09' MATCH [c] RETURN c.key, c.when ORDER BY c.key",
      heads + "MATCH p = ANY EARLIEST CHRONOLOGICAL (a {key: 'b'})-[:CONTACT]-+(c {key: 'c'}) RETURN arrival(p)"};
  std::vector<std::vector<std::string>> expected;
  for (const std::string& query : queries) expected.push_back(rows(query));
  REQUIRE(expected[0].size() == 30);
  REQUIRE(expected[2].size() == 1);

  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::atomic<int> asked{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&] {
      do {
        for (std::size_t q = 0; q < queries.size(); ++q) {
          const auto got = ask(queries[q]);
          if (!got || *got != expected[q]) ++wrong;
          ++asked;
        }
      } while (!done);
    });
  }
  for (int i = 0; i < 150; ++i) {
    const std::string key = fmt::format("m{}", i % 30);
    if (i < 60) {
      run(fmt::format("CORRECT '{}' SET when = '2016-04-{:02}', place = 'p{}' BECAUSE 'r{}'", key, 1 + i % 27, i, i));
    } else if (i < 90) {
      run(fmt::format("RETRACT '{}' BECAUSE 'r{}'", key, i));
    } else {
      run(fmt::format("RECORD CALL 'n{}' BETWEEN 'b' AS caller, 'c' AS callee ON '2016-04-02'", i));
    }
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(asked >= 9);
  CHECK(rows("MATCH [c:MEETING] RETURN c.key").empty());
  for (std::size_t q = 0; q < queries.size(); ++q) CHECK(rows(queries[q]) == expected[q]);
}

}  // namespace demarche::query

// The law of the query heads: a statement after FOR VALID_TIME and FOR SYSTEM_TIME answers as the same statement
// without them does on a store that was cut to that time. The stores are random; the second one is made by the same
// changes up to the commit asked for, and then loses every interaction whose own date does not pass, one by one, by
// the predicate alone.

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "engine/store.h"
#include "query/query.h"
#include "tests/support/temp_folder.h"

namespace demarche::query {

namespace {

template <typename T>
T must(Result<T> r) {
  if (!r) FAIL(r.error().message);
  return std::move(*r);
}
void must(const Result<void>& r) {
  if (!r) FAIL(r.error().message);
}

const std::vector<std::string> kDates = {"",
                                         "2016-04-10",
                                         "2016-04-12",
                                         "2016-04-14",
                                         "2016-04",
                                         "2016-04-12T10:00:00Z",
                                         "2016-03/2016-04-12",
                                         "2016-04-11/2016-04-13",
                                         "[2016-04-10..2016-04-13]",
                                         "[2016-04-10,2016-04-14]",
                                         "2016-04-11/",
                                         "2015-01-01/..",
                                         "../2016-04-12",
                                         "/2016-04-11",
                                         "2016-04-12~",
                                         "2016-04-12?/2016-04-14",
                                         "2016-04-1X",
                                         "2016-05-02",
                                         "2014/2018",
                                         "2016-04-12T23:30:00-03:00"};

// The same changes each time, for one seed.
class RandomHistory {
 public:
  explicit RandomHistory(std::uint64_t seed) : random_(seed) {}

  // Commits up to `last`, each a day later than the one before, beginning on 2020-01-01 at noon.
  void play(Store& store, std::size_t last) {
    for (std::size_t n = 1; n <= last; ++n) {
      auto tx = must(store.begin());
      if (n == 1) add_actors(*tx);
      for (std::size_t i = 0; i < 6; ++i) change(*tx);
      must(tx->state_time((18262 + static_cast<std::int64_t>(n) - 1) * 86400'000'000 + 43200'000'000));
      must(tx->commit(fmt::format("commit {}", n)));
      if (n % 3 == 0) must(store.seal());
    }
  }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

  void add_actors(Transaction& tx) {
    for (const char* name : {"a", "b", "c", "d", "e"}) {
      Actor actor;
      actor.key = name;
      actor.name = std::string("Actor ") + name;
      actor.labels = {below(2) == 0 ? "Person" : "State"};
      actors_.push_back(must(tx.add_actor(actor)));
    }
  }

  Interaction make(Transaction& tx) {
    Interaction out;
    const char* kind =
        std::vector<const char*>{"CALL", "MEETING", "NEGOTIATION", "STATEMENT", "HOLDS_OFFICE"}[below(5)];
    out.kind = *tx.view().kinds().find(kind);
    const std::string& date = kDates[below(kDates.size())];
    if (!date.empty()) out.when = must(parse_when(date));
    std::vector<ActorId> who = actors_;
    std::shuffle(who.begin(), who.end(), random_);
    if (kind == std::string("CALL")) {
      out.participants = {{who[0], Role::kCaller}, {who[1], Role::kCallee}};
    } else if (kind == std::string("HOLDS_OFFICE")) {
      out.participants = {{who[0], Role::kHolder}, {who[1], Role::kBody}};
    } else if (kind == std::string("NEGOTIATION")) {
      out.participants = {{who[0], Role::kMediator}, {who[1], Role::kDelegation}, {who[2], Role::kDelegation}};
    } else {
      for (std::size_t i = 0; i < 2 + below(2); ++i) out.participants.push_back({who[i], Role::kParticipant});
    }
    if (below(6) == 0) out.status = Status::kPlanned;
    if (!live_.empty() && below(3) == 0) out.part_of = live_[below(live_.size())];
    return out;
  }

  void change(Transaction& tx) {
    const std::size_t what = below(10);
    if (what < 7 || live_.size() < 4) {
      Interaction made = make(tx);
      made.key = fmt::format("i{}", ++made_);
      live_.push_back(must(tx.add_interaction(std::move(made))));
      return;
    }
    const InteractionId id = live_[below(live_.size())];
    if (what == 9) {
      must(tx.retire_interaction(id));
      live_.erase(std::find(live_.begin(), live_.end(), id));
      return;
    }
    Interaction record = must(tx.view().get_interaction(id));
    Interaction other = make(tx);
    record.when = other.when;
    record.status = other.status;
    must(tx.replace_interaction(id, std::move(record)));
  }

  std::mt19937_64 random_;
  std::vector<ActorId> actors_;
  std::vector<InteractionId> live_;
  std::size_t made_ = 0;
};

// How a head cuts, said once more and by the predicates alone.
struct Cut {
  std::string head;
  TimePredicate predicate;
  std::string period;  // as a literal
};

bool passes(const Interaction& record, const Cut& cut) {
  if (!record.when) return false;
  return evaluate(cut.predicate, record.when->bounds, as_period(must(parse_edtf(cut.period)))) == Truth::kTrue;
}

void cut_store(Store& store, const Cut& cut) {
  auto tx = must(store.begin());
  auto rows = must(store.view()->timeline({}, KindSet()));
  RowBatch batch;
  while (true) {
    must(rows.next(batch));
    if (batch.size() == 0) break;
    for (const InteractionId id : batch.interaction) {
      if (!passes(must(tx->view().get_interaction(id)), cut)) must(tx->retire_interaction(id));
    }
  }
  if (!tx->empty()) must(tx->commit("cut"));
}

std::string text_of(const Value& v) {
  switch (v.kind()) {
    case ValueKind::kNull:
      return "null";
    case ValueKind::kString:
      return v.as_string();
    case ValueKind::kInteger:
      return std::to_string(v.as_integer());
    case ValueKind::kBoolean:
      return v.as_boolean() ? "true" : "false";
    case ValueKind::kDate:
      return v.as_date().text;
    case ValueKind::kActor:
      return fmt::format("a{}", v.as_actor().value);
    case ValueKind::kInteraction:
      return fmt::format("i{}", v.as_interaction().value);
    case ValueKind::kList: {
      std::string out = "[";
      for (const Value& item : v.as_list()) out += text_of(item) + " ";
      return out + "]";
    }
    case ValueKind::kMap: {
      std::string out = "{";
      for (const auto& [key, item] : v.as_map()) out += key + ":" + text_of(item) + " ";
      return out + "}";
    }
    case ValueKind::kPath: {
      std::string out;
      for (const ActorId id : v.as_path().actors) out += fmt::format("a{} ", id.value);
      for (const InteractionId id : v.as_path().interactions) out += fmt::format("i{} ", id.value);
      return out;
    }
    default:
      break;
  }
  FAIL("a value of a kind this test does not know");
  return "";
}

// Sorted: the plan may differ, since the statistics do.
std::vector<std::string> answer(Store& store, const std::string& text) {
  auto cursor = run_query(store, text);
  if (!cursor) FAIL(text << ": " << describe_error(cursor.error(), text));
  std::vector<std::string> out;
  ResultRows rows;
  while (true) {
    if (const auto more = (*cursor)->next(rows); !more) FAIL(text << ": " << more.error().message);
    if (rows.size() == 0) break;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::string line;
      for (std::size_t k = 0; k < (*cursor)->columns().size(); ++k) line += text_of(rows.column(k)[i]) + " | ";
      out.push_back(line);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

const std::vector<std::string> kQueries = {
    "MATCH [c] RETURN c.key, c.when, c.status, type(c), c.part_of.key",
    "MATCH [c] RETURN count(*)",
    "MATCH (a)-[c]-(b) RETURN a.key, c.key, b.key",
    "MATCH (a)-[c:CONTACT]->(b) RETURN count(c), count(DISTINCT c)",
    "MATCH (a)-[c:CONTACT]->(b) WHERE c DURING '2016-04-12' RETURN a.key, c.key, b.key",
    "MATCH [c] WHERE c OVERLAPS '2015-06' RETURN c.key",
    "MATCH (a)-[c]-(b) WHERE POSSIBLY (c OVERLAPS '2017') RETURN a.key, c.key",
    "MATCH (a {key: 'a'})-[c]-(b) WHERE c AFTER '2016-04-13' OR c OVERLAPS '2016-03-02' RETURN c.key, b.key",
    "MATCH (a {key: 'a'})-[c]-(b)-[d]-(e) WHERE POSSIBLY (c BEFORE d) RETURN c.key, d.key, e.key",
    "MATCH [c {key: 'i3'}] RETURN c.when",
    "MATCH [c {key: 'i5'}], (a)-[c]-(b) RETURN a.key, b.key",
    "MATCH (a) OPTIONAL MATCH (a)-[c:CALL]-(b) RETURN a.key, c.key, b.key",
    "MATCH (a) WHERE NOT EXISTS { (a)-[:MEETING]-() } RETURN a.key, COUNT { (a)-[]-() }",
    "MATCH (a) WHERE (a)-[:CALL]-() RETURN a.key, size([(a)-[c:CONTACT]-(b) | b.key])",
    "MATCH (a) CALL (a) { MATCH (a)-[c:NEGOTIATION]-() RETURN count(c) AS n } RETURN a.key, n",
    "MATCH p = (a {key: 'a'})-[h:CONTACT]-{1,3}(b) RETURN p",
    "MATCH p = ACYCLIC (a {key: 'b'})-[:CONTACT]-{1,3}(b {key: 'd'}) RETURN length(p), [c IN relationships(p) | c.key]",
    "MATCH p = ANY SHORTEST (a)-[:CONTACT]-+(b {key: 'e'}) WHERE id(a) <> id(b) RETURN a.key, length(p)",
    "MATCH p = ALL SHORTEST (a {key: 'c'})-[]-+(b) WHERE id(a) <> id(b) RETURN p",
    "MATCH p = ANY EARLIEST CHRONOLOGICAL (a {key: 'a'})-[:CONTACT]-+(b) RETURN b.key, arrival(p)",
    "MATCH p = ANY EARLIEST CHRONOLOGICAL STRICT (a {key: 'b'})-[]-{1,3}(b) RETURN b.key, arrival(p)",
    "MATCH p = ANY EARLIEST POSSIBLY CHRONOLOGICAL (a {key: 'a'})-[:CONTACT]-+(b) RETURN b.key, arrival(p)",
    "MATCH (a) UNWIND offices(a, '2016-04-12') AS o RETURN a.key, o.when, o.certain",
    "MATCH (a)-[c:CALL]-(b) RETURN a.key, b.key UNION MATCH (a)-[c:MEETING]-(b) RETURN a.key, b.key",
    "CALL kinds() YIELD name RETURN count(*)",
    "MATCH (a:Person)-[c]-(b:State) WITH a, collect(c.key) AS keys RETURN a.key, size(keys)",
};

const std::vector<Cut> kCuts = {
    {"FOR VALID_TIME AS OF '2016-04-12'", TimePredicate::kOverlaps, "2016-04-12"},
    {"FOR VALID_TIME AS OF '2016-04-12T10:00:00Z'", TimePredicate::kOverlaps, "2016-04-12T10:00:00Z"},
    {"FOR VALID_TIME AS OF '[2016-04-10..2016-04-13]'", TimePredicate::kOverlaps, "[2016-04-10..2016-04-13]"},
    {"FOR VALID_TIME AS OF '2016'", TimePredicate::kOverlaps, "2016"},
    {"FOR VALID_TIME DURING '2016-04'", TimePredicate::kDuring, "2016-04"},
    {"FOR VALID_TIME DURING '2016-04-11/2016-04-13'", TimePredicate::kDuring, "2016-04-11/2016-04-13"},
    {"FOR VALID_TIME DURING '2016-04-11/..'", TimePredicate::kDuring, "2016-04-11/.."},
    {"FOR VALID_TIME FROM '2016-04-11' TO '2016-04-14'", TimePredicate::kOverlaps, "2016-04-11/2016-04-13"},
    {"FOR VALID_TIME FROM '2016-04' TO '2016-05'", TimePredicate::kOverlaps, "2016-04"},
    {"FOR VALID_TIME AS OF '2016-04-12~'", TimePredicate::kOverlaps, "2016-04-12~"},
};

struct TwoStores {
  tests::TempFolder folder;
  std::unique_ptr<Store> whole;
  std::unique_ptr<Store> cut;

  TwoStores(std::uint64_t seed, std::size_t commits, std::size_t kept) {
    StoreOptions options;
    options.create_if_missing = true;
    options.sync = false;
    options.seal_rows = 16;
    whole = must(Store::open(folder.path("whole"), options));
    cut = must(Store::open(folder.path("cut"), options));
    RandomHistory(seed).play(*whole, commits);
    RandomHistory(seed).play(*cut, kept);
  }
};

constexpr std::size_t kCommits = 9;

}  // namespace

TEST_CASE("time heads: a statement in a valid time answers as on a store cut to it") {
  std::size_t rows = 0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    for (const Cut& cut : kCuts) {
      TwoStores stores(seed, kCommits, kCommits);
      cut_store(*stores.cut, cut);
      for (const std::string& query : kQueries) {
        INFO("seed " << seed << ": " << cut.head << " " << query);
        const auto found = answer(*stores.whole, cut.head + " " + query);
        CHECK(found == answer(*stores.cut, query));
        rows += found.size();
      }
    }
  }
  CHECK(rows > 5000);  // the cuts leave something to compare
}

TEST_CASE("time heads: a statement as of a system time answers as on a store that ends there") {
  for (std::uint64_t seed = 11; seed <= 13; ++seed) {
    for (const std::size_t kept : {0UL, 1UL, 4UL, 8UL, 9UL}) {
      TwoStores stores(seed, kCommits, kept);
      const std::int64_t day = static_cast<std::int64_t>(kept) - 1;  // of the last commit kept, from 2020-01-01 on
      std::vector<std::string> heads = {
          fmt::format("FOR SYSTEM_TIME AS OF COMMIT {}", kept),
          fmt::format("FOR SYSTEM_TIME AS OF '{}'", format_day(18262 + day)),
          fmt::format("FOR SYSTEM_TIME AS OF date('{}')", format_day(18262 + day)),
          fmt::format("FOR SYSTEM_TIME AS OF '{}T12:00:00Z'", format_day(18262 + day)),
          fmt::format("FOR SYSTEM_TIME AS OF '{}T11:59:59Z'", format_day(18262 + day + 1)),
          fmt::format("FOR SYSTEM_TIME AS OF datetime('{}T13:59:59.999999+02:00')", format_day(18262 + day + 1))};
      if (kept == 0) heads.emplace_back("FOR SYSTEM_TIME AS OF '2019'");
      if (kept == kCommits) heads.emplace_back("FOR SYSTEM_TIME AS OF '9999'");
      for (const std::string& head : heads) {
        for (const std::string& query : kQueries) {
          INFO("seed " << seed << ": " << head << " " << query);
          CHECK(answer(*stores.whole, head + " " + query) == answer(*stores.cut, query));
        }
      }
    }
  }
}

TEST_CASE("time heads: both clocks together, in either order") {
  for (std::uint64_t seed = 21; seed <= 22; ++seed) {
    for (const Cut& cut : kCuts) {
      const std::size_t kept = 5;
      TwoStores stores(seed, kCommits, kept);
      cut_store(*stores.cut, cut);
      for (const std::string& query : kQueries) {
        INFO("seed " << seed << ": " << cut.head << " " << query);
        const auto expected = answer(*stores.cut, query);
        CHECK(answer(*stores.whole, cut.head + " FOR SYSTEM_TIME AS OF COMMIT 5 " + query) == expected);
        CHECK(answer(*stores.whole, "FOR SYSTEM_TIME AS OF '2020-01-05' " + cut.head + " " + query) == expected);
      }
    }
  }
}

}  // namespace demarche::query

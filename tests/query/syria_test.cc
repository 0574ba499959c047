// The four questions of examples/syria-2016, asked of the engine and in the language; and for each, that the answer
// turns when one date, claim or office of the record does. An answer that stays would have come from elsewhere.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/before.h"
#include "engine/chronology.h"
#include "engine/contact.h"
#include "engine/exchange/import.h"
#include "engine/store.h"
#include "query/query.h"
#include "tests/support/temp_folder.h"

namespace demarche::query {

namespace {

using Keys = std::set<std::string>;

const Keys kCertain = {"kerry-london-jan", "kerry-zurich-jan", "kerry-riyadh-jan", "issg-munich", "kerry-amman-feb", "obama-putin-feb",
                       "kerry-hafr-al-batin", "geneva-iii-march", "kerry-havana", "kerry-moscow-mar"};
const Keys kUnderWay = {"geneva-iii-april"};
const Keys kPossible = {"kerry-cairo-apr", "gcc-summit-riyadh"};

struct Before {
  Keys certain;
  Keys under_way;
  Keys possible;
  friend bool operator==(const Before&, const Before&) = default;
};

// What to change in one line of the record: in the line that holds `line`, `from` becomes `to`.
struct Edit {
  std::string line;
  std::string from;
  std::string to;
};

class Syria {
 public:
  explicit Syria(const std::vector<Edit>& edits = {}) {
    std::vector<std::string> files;
    for (const char* name : {"sources.jsonl", "actors.jsonl", "interactions.jsonl"}) {
      std::ifstream in(std::string(DEMARCHE_SOURCE_DIR "/examples/syria-2016/") + name);
      std::ofstream out(folder_.path(name));
      for (std::string line; std::getline(in, line);) {
        for (const Edit& edit : edits) {
          if (line.find(edit.line) == std::string::npos) continue;
          const std::size_t at = line.find(edit.from);
          if (at == std::string::npos) continue;
          line.replace(at, edit.from.size(), edit.to);
          ++edited_;
        }
        out << line << '\n';
      }
      files.push_back(folder_.path(name));
    }
    REQUIRE(edited_ == edits.size());  // each edit met its line
    StoreOptions options;
    options.create_if_missing = true;
    options.sync = false;
    auto opened = Store::open(folder_.path("store"), options);
    REQUIRE(opened);
    store_ = std::move(*opened);
    auto tx = store_->begin();
    REQUIRE(tx);
    const auto report = import_jsonl(**tx, files);
    if (!report) FAIL(report.error().message);
    REQUIRE((*tx)->commit("syria"));
    view_ = store_->view();
  }

  Before by_engine(const TimeBounds& bounds, InteractionId except = {}) {
    BeforeOptions options;
    options.except = except;
    const auto contacts = contacts_before(*view_, bounds, options);
    REQUIRE(contacts);
    Before out;
    for (const ContactBefore& c : *contacts) {
      const std::string key = view_->get_interaction(c.interaction)->key;
      (c.precedence == Precedence::kCertain ? out.certain : c.precedence == Precedence::kUnderWay ? out.under_way : out.possible).insert(key);
    }
    return out;
  }
  Before by_engine() { return by_engine(record("hnc-walkout").when->bounds, record("hnc-walkout").id); }

  Before by_language() {
    const auto with = [&](const std::string& where) {
      return texts("MATCH [w:WALKOUT {key: 'hnc-walkout'}], [c:CONTACT] WHERE (c.status IS NULL OR c.status = 'held') AND " + where + " RETURN c.key");
    };
    Before out;
    out.certain = with("c BEFORE w");
    out.under_way = with("c.begin BEFORE w AND certainty(c BEFORE w) <> 'certain'");
    out.possible = with("POSSIBLY (c.begin BEFORE w) AND certainty(c BEFORE w) <> 'certain' AND certainty(c.begin BEFORE w) <> 'certain'");
    return out;
  }

  // The first column of each row, as text.
  Keys texts(const std::string& query) {
    auto cursor = run_query(*store_, query);
    if (!cursor) FAIL(describe_error(cursor.error(), query));
    Keys out;
    ResultRows rows;
    while (true) {
      REQUIRE((*cursor)->next(rows));
      if (rows.size() == 0) return out;
      for (const Value& v : rows.column(0)) out.insert(v.is_null() ? "null" : v.as_string());
    }
  }

  Interaction record(const std::string& key) {
    const auto id = view_->find_interaction(key);
    REQUIRE(id);
    REQUIRE(*id);
    return *view_->get_interaction(**id);
  }
  ActorId actor(const std::string& name) {
    const auto id = view_->resolve_actor(name);
    REQUIRE(id);
    return *id;
  }

  // "a-b" with the smaller key first, of all pairs that were in contact.
  Keys pairs_by_engine(const std::string& key) {
    const Interaction r = record(key);
    const std::vector<Party> parties = parties_of(r.participants);
    Keys out;
    for (const auto& [i, j] : contact_pairs(parties, has_contact_rule(view_->kinds(), r.kind))) {
      const std::string a = view_->get_actor(parties[i].actor)->key;
      const std::string b = view_->get_actor(parties[j].actor)->key;
      out.insert(std::min(a, b) + "/" + std::max(a, b));
    }
    return out;
  }
  Keys pairs_by_language(const std::string& key) {
    return texts("MATCH (a)-[c {key: '" + key + "'}]-(b) WHERE a.key < b.key RETURN a.key + '/' + b.key");
  }

  std::optional<Arrival> arrival(const std::string& from, const std::string& to, ChronologyMode mode, const std::optional<TimeBounds>& before = {}) {
    ChronologyOptions options;
    options.mode = mode;
    options.before = before;
    auto out = earliest_arrival(*view_, actor(from), actor(to), options);
    REQUIRE(out);
    return *out;
  }
  std::vector<std::string> path(const std::string& from, const std::string& to, ChronologyMode mode) {
    std::vector<std::string> out;
    const auto found = arrival(from, to, mode, record("hnc-walkout").when->bounds);
    if (found) {
      for (const Hop& hop : found->path) out.push_back(view_->get_interaction(hop.interaction)->key);
    }
    return out;
  }
  TimeBounds claimed(const std::string& key, const std::string& source) {
    for (const Claim& claim : record(key).claims) {
      if (view_->get_source(claim.source)->key == source) return claim.when->bounds;
    }
    FAIL("no claim");
    return {};
  }

 private:
  tests::TempFolder folder_;
  std::unique_ptr<Store> store_;
  std::shared_ptr<const View> view_;
  std::size_t edited_ = 0;
};

const std::string kCommittee = "High Negotiations Committee";
const std::string kPutin = "Vladimir Putin";

}  // namespace

TEST_CASE("syria, question 1: who spoke with whom before the talks broke down") {
  Syria syria;
  const Before expected{kCertain, kUnderWay, kPossible};
  CHECK(syria.by_engine() == expected);
  CHECK(syria.by_language() == expected);
}

TEST_CASE("syria, question 1: the pairs that were in contact in each") {
  Syria syria;
  const std::vector<std::pair<std::string, Keys>> expected = {
      {"kerry-london-jan", {"adel-al-jubeir/john-kerry"}},
      {"kerry-zurich-jan", {"john-kerry/sergey-lavrov"}},
      {"kerry-riyadh-jan", {"adel-al-jubeir/john-kerry", "high-negotiations-committee/john-kerry"}},
      {"issg-munich", {"john-kerry/sergey-lavrov", "john-kerry/staffan-de-mistura", "sergey-lavrov/staffan-de-mistura"}},
      {"kerry-amman-feb", {"john-kerry/nasser-judeh"}},
      {"obama-putin-feb", {"barack-obama/vladimir-putin"}},
      {"kerry-hafr-al-batin", {"adel-al-jubeir/john-kerry"}},
      {"geneva-iii-march", {"government-of-syria/staffan-de-mistura", "high-negotiations-committee/staffan-de-mistura"}},
      {"kerry-havana", {"barack-obama/john-kerry"}},
      {"kerry-moscow-mar", {"john-kerry/sergey-lavrov", "john-kerry/vladimir-putin"}},
      {"geneva-iii-april", {"government-of-syria/staffan-de-mistura", "high-negotiations-committee/staffan-de-mistura"}},
      {"kerry-cairo-apr", {"abdel-fattah-al-sisi/john-kerry"}},
      {"gcc-summit-riyadh", {"barack-obama/john-kerry"}},
      {"kerry-hijab-call", {"high-negotiations-committee/john-kerry", "john-kerry/riyad-hijab"}}};
  for (const auto& [key, pairs] : expected) {
    INFO(key);
    CHECK(syria.pairs_by_engine(key) == pairs);
    CHECK(syria.pairs_by_language(key) == pairs);
  }
}

TEST_CASE("syria, question 1: by the report's own reading of the walk-out the two calls are possible too") {
  Syria syria;
  Keys possible = kPossible;
  possible.insert({"kerry-demistura-call", "kerry-hijab-call"});
  CHECK(syria.by_engine(syria.claimed("hnc-walkout", "abc-2016-05")) == Before{kCertain, kUnderWay, possible});
  const std::string head = "MATCH [w {key: 'hnc-walkout'}] UNWIND claims(w) AS s WITH s.when AS w WHERE s.source = 'abc-2016-05' MATCH [c:CONTACT] WHERE ";
  CHECK(syria.texts(head + "c BEFORE w RETURN c.key") == kCertain);
  Keys all_possible = possible;
  all_possible.insert(kCertain.begin(), kCertain.end());
  all_possible.insert(kUnderWay.begin(), kUnderWay.end());
  CHECK(syria.texts(head + "POSSIBLY (c.begin BEFORE w) RETURN c.key") == all_possible);
}

TEST_CASE("syria, question 1 reversed: another date or status, another answer") {
  SECTION("the walk-out a month earlier") {
    Syria syria({{"\"key\": \"hnc-walkout\"", "\"when\": \"[2016-04-18..2016-04-24]\"", "\"when\": \"2016-03-18\""}});
    Keys certain = kCertain;
    for (const char* gone : {"geneva-iii-march", "kerry-havana", "kerry-moscow-mar"}) certain.erase(gone);
    const Before expected{certain, {"geneva-iii-march"}, {}};
    CHECK(syria.by_engine() == expected);
    CHECK(syria.by_language() == expected);
  }
  SECTION("the meeting at Munich in May") {
    Syria syria({{"\"key\": \"issg-munich\"", "[2016-02-11..2016-02-12]", "[2016-05-11..2016-05-12]"}});
    Keys certain = kCertain;
    certain.erase("issg-munich");
    CHECK(syria.by_engine().certain == certain);
    CHECK(syria.by_language().certain == certain);
  }
  SECTION("the visit to Cairo cancelled") {
    Syria syria({{"\"key\": \"kerry-cairo-apr\"", "\"status\": \"held\"", "\"status\": \"cancelled\""}});
    CHECK(syria.by_engine().possible == Keys{"gcc-summit-riyadh"});
    CHECK(syria.by_language().possible == Keys{"gcc-summit-riyadh"});
  }
  SECTION("the call of February about that day only") {
    Syria syria({{"\"key\": \"obama-putin-feb\"", "\"2016-02-22\"", "\"2016-02-22~\""}});
    CHECK(syria.by_engine().certain.count("obama-putin-feb") == 0);
    CHECK(syria.by_engine().possible.count("obama-putin-feb") == 1);
    CHECK(syria.by_language() == syria.by_engine());
  }
  SECTION("the talks of April undated") {
    Syria syria({{"\"key\": \"geneva-iii-april\"", "\"when\": \"2016-04-13/2016-04-27\", ", ""}});
    CHECK(syria.by_engine().under_way.empty());
    CHECK(syria.by_engine().possible.count("geneva-iii-april") == 1);
    CHECK(syria.by_language() == syria.by_engine());
  }
}

TEST_CASE("syria, question 2: through whom could word have gone, before the walk-out") {
  Syria syria;
  const std::vector<std::string> there = {"kerry-riyadh-jan", "kerry-moscow-mar"};
  CHECK(syria.path(kCommittee, kPutin, ChronologyMode::kDefault) == there);
  CHECK(syria.path(kCommittee, kPutin, ChronologyMode::kStrict) == there);
  CHECK(syria.path(kPutin, kCommittee, ChronologyMode::kDefault).empty());
  CHECK(syria.path(kPutin, kCommittee, ChronologyMode::kPossibly).empty());
  // The same in the language, step by step.
  const auto two_steps = [&](const std::string& from, const std::string& to) {
    return syria.texts("MATCH [w {key: 'hnc-walkout'}], (a {name: '" + from + "'})-[c:CONTACT]-(b)-[d:CONTACT]-(e {name: '" + to +
                       "'}) WHERE c BEFORE d AND d BEFORE w RETURN c.key + ' ' + b.name + ' ' + d.key");
  };
  CHECK(two_steps(kCommittee, kPutin) == Keys{"kerry-riyadh-jan John Kerry kerry-moscow-mar"});
  CHECK(two_steps(kPutin, kCommittee).empty());
}

TEST_CASE("syria, question 2 reversed: Moscow before Riyadh, and the way is the other way") {
  Syria syria({{"\"key\": \"kerry-riyadh-jan\"", "[2016-01-23..2016-01-25]", "[2016-03-28..2016-03-29]"}});
  const auto back = syria.path(kPutin, kCommittee, ChronologyMode::kDefault);  // by Moscow, or by Obama and Havana
  REQUIRE_FALSE(back.empty());
  CHECK(back.back() == "kerry-riyadh-jan");
  CHECK(syria.texts("MATCH (a {name: 'Vladimir Putin'})-[c:CONTACT]-(b)-[d:CONTACT]-(e {name: 'High Negotiations Committee'}) "
                    "WHERE c BEFORE d RETURN c.key + ' ' + d.key") == Keys{"kerry-moscow-mar kerry-hijab-call", "kerry-moscow-mar kerry-riyadh-jan"});
  CHECK(syria.path(kCommittee, kPutin, ChronologyMode::kDefault).empty());
  Syria planned({{"\"key\": \"kerry-moscow-mar\"", "\"status\": \"held\"", "\"status\": \"planned\""}});
  const auto path = planned.path(kCommittee, kPutin, ChronologyMode::kDefault);
  CHECK(std::find(path.begin(), path.end(), "kerry-moscow-mar") == path.end());
}

TEST_CASE("syria, question 3: what was published when, planned or held") {
  const std::string earlier =
      "MATCH [m {key: 'kerry-geneva-may'}] UNWIND claims(m) AS x UNWIND claims(m) AS y WITH x, y WHERE x.published BEFORE y.published "
      "RETURN x.source + ' ' + x.status + ' before ' + y.source + ' ' + y.status";
  const std::string statuses = "MATCH [m {key: 'kerry-geneva-may'}] UNWIND claims(m) AS x RETURN x.source + ' ' + x.status";
  Syria syria;
  CHECK(syria.texts(earlier) == Keys{"abc-2016-05 planned before state-travels held"});
  CHECK(syria.texts(statuses) == Keys{"abc-2016-05 planned", "state-travels held"});
  SECTION("reversed: published on a day that the report may have been published on too") {
    Syria other({{"\"key\": \"kerry-geneva-may\"", "\"published\": \"[2016-05-03..]\"", "\"published\": \"[2016-05-01..]\""}});
    CHECK(other.texts(earlier).empty());
  }
  SECTION("reversed: published before the report") {
    Syria other({{"\"key\": \"kerry-geneva-may\"", "\"published\": \"[2016-05-03..]\"", "\"published\": \"2016-04-29\""}});
    CHECK(other.texts(earlier) == Keys{"state-travels held before abc-2016-05 planned"});
  }
  SECTION("reversed: the report says it was held") {
    Syria other({{"\"key\": \"kerry-geneva-may\"", "\"status\": \"planned\"", "\"status\": \"cancelled\""}});
    CHECK(other.texts(statuses) == Keys{"abc-2016-05 cancelled", "state-travels held"});
  }
}

TEST_CASE("syria, question 4: the offices of those at Munich, then") {
  const std::string offices =
      "MATCH [m {key: 'issg-munich'}] UNWIND participants(m) AS p WITH m, p.actor AS who UNWIND offices(who, m) AS o "
      "RETURN who.name + ', ' + o.title + ', ' + o.of.name + ', ' + toString(o.certain)";
  const Keys expected = {"John Kerry, Secretary of State, United States, true", "Sergey Lavrov, foreign minister, Russia, true",
                         "Staffan de Mistura, Special Envoy for Syria, United Nations, true"};
  CHECK(Syria().texts(offices) == expected);
  SECTION("reversed: left office before") {
    CHECK(Syria({{"\"key\": \"john-kerry\", \"name\"", "2013-02-01/2017-01-20", "2013-02-01/2016-01-20"}}).texts(offices) ==
          Keys{"Sergey Lavrov, foreign minister, Russia, true", "Staffan de Mistura, Special Envoy for Syria, United Nations, true"});
  }
  SECTION("reversed: left office at some time that may be before") {
    CHECK(Syria({{"\"key\": \"sergey-lavrov\", \"name\"", "2004-03-09/..", "2004-03-09/"}}).texts(offices).count("Sergey Lavrov, foreign minister, Russia, false") == 1);
  }
  SECTION("reversed: another office") {
    CHECK(Syria({{"\"key\": \"john-kerry\", \"name\"", "\"of\": \"united-states\"", "\"of\": \"egypt\""}}).texts(offices).count(
              "John Kerry, Secretary of State, Egypt, true") == 1);
  }
  SECTION("reversed: the meeting before he took office") {
    Syria other({{"\"key\": \"issg-munich\"", "[2016-02-11..2016-02-12]", "[2012-02-11..2012-02-12]"}});
    CHECK(other.texts(offices) == Keys{"Sergey Lavrov, foreign minister, Russia, true"});
  }
}

}  // namespace demarche::query

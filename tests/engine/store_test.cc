// The store as its users see it: what is committed is found again, by every road, and nothing else is.
#include "engine/store.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/impl/key_codec.h"
#include "tests/engine/store_fixture.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace demarche;
using namespace demarche::tests;

// A store with one commit.
struct Filled {
  explicit Filled(const std::string& path) : store(create(path)) {
    auto tx = must(store->begin());
    kerry = must(tx->add_actor(actor("john-kerry", "John Kerry", {"Person"}, {"J. Kerry"})));
    hijab = must(tx->add_actor(actor("riyad-hijab", "رياض حجاب", {"Person"}, {"Riyad Hijab"})));
    un = must(tx->add_actor(actor("un", "United Nations", {"Organisation"})));
    call = must(tx->add_interaction(meeting("call", "2016-04-29", {kerry, hijab}, kinds::kCall)));
    CHECK(must(tx->commit("first notes")) == CommitNumber{1});
  }
  std::unique_ptr<Store> store;
  ActorId kerry, hijab, un;
  InteractionId call;
};

std::string text_of(const View& view) { return must(dump(view)); }

}  // namespace

TEST_CASE("store: a new one is empty, and still is when opened again") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  {
    const auto store = create(path);
    CHECK(store->path() == path);
    CHECK(store->view()->statistics().commit == CommitNumber{0});
    CHECK(store->view()->statistics().actors == 0);
    CHECK(must(ids_of(store->view()->actors())).empty());
    CHECK(must(rows_of(store->view()->timeline({}, {}))).empty());
    CHECK(store->view()->kinds().find("MEETING"));
  }
  const auto again = reopen(path);
  if (!again) FAIL(again.error().message);
  CHECK((*again)->view()->statistics().commit == CommitNumber{0});
}

TEST_CASE("store: one written without sync only is opened again") {
  const TempFolder folder;
  StoreOptions options;
  options.create_if_missing = true;
  options.sync = false;
  {
    const auto store = must(Store::open(folder.path("s"), options));
    auto tx = must(store->begin());
    must(tx->add_actor(actor("a")));
    must(tx->commit("x"));
  }
  const auto again = reopen(folder.path("s"));
  if (!again) FAIL(again.error().message);
  CHECK(must((*again)->view()->find_actor("a")));
}

TEST_CASE("store: made in a folder that is there and empty, and below it no further") {
  const TempFolder folder;
  const auto store = create(folder.path());
  CHECK(store->view()->statistics().commit == CommitNumber{0});
}

TEST_CASE("store: what was committed is there after opening again, under the same ids and rows") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  std::string before;
  {
    Filled f(path);
    auto tx = must(f.store->begin());
    const KindId hotline = must(tx->declare_kind("HOTLINE", kinds::kCall, "041", "CONSULT"));
    Source source;
    source.key = "abc";
    source.title = "ABC";
    source.grade = "B2";
    const SourceId abc = must(tx->add_source(source));
    Interaction i = meeting("second", "2016-04-13/2016-04-27", {f.kerry, f.un}, hotline);
    i.claims.push_back({});
    i.claims[0].source = abc;
    i.part_of = f.call;
    i.place = "Geneva";
    i.participants[0].acting_for = f.un;
    i.participants[1] = takes_part(f.hijab);
    const InteractionId second = must(tx->add_interaction(i));
    CHECK(second != f.call);
    CHECK(must(tx->commit("second notes")) == CommitNumber{2});
    before = text_of(*f.store->view());
  }
  for (const bool read_only : {true, false, true}) {
    const auto store = must(reopen(path, read_only));
    CHECK(text_of(*store->view()) == before);
    CHECK(store->view()->kinds().find("HOTLINE") == kinds::kFirstDeclared);
  }
  const auto store = must(reopen(path));
  auto tx = must(store->begin());
  CHECK(must(tx->add_actor(actor("next"))) == ActorId{4});
  CHECK(must(tx->add_interaction(meeting("third", "", {ActorId{1}}))) == InteractionId{3});
  CHECK(must(tx->declare_kind("COLDLINE", kinds::kCall)) == KindId{1001});
  CHECK(must(tx->commit("third notes")) == CommitNumber{3});
}

TEST_CASE("store: commits are numbered one after another, their times do not step back") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  std::int64_t last = f.store->view()->statistics().commit_time_micros;
  CHECK(last > 0);
  for (std::uint64_t n = 2; n <= 5; ++n) {
    auto tx = must(f.store->begin());
    CHECK(tx->empty());
    must(tx->add_actor(actor(fmt::format("a{}", n))));
    CHECK_FALSE(tx->empty());
    CHECK(must(tx->commit("")) == CommitNumber{n});
    CHECK(f.store->view()->statistics().commit == CommitNumber{n});
    CHECK(f.store->view()->statistics().commit_time_micros >= last);
    CHECK(f.store->view()->statistics().actors == 2 + n);
    last = f.store->view()->statistics().commit_time_micros;
  }
}

TEST_CASE("store: a view does not change, whatever is committed after it") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  const auto view = f.store->view();
  const std::string before = text_of(*view);
  auto cursor = must(view->timeline({}, {}));
  auto tx = must(f.store->begin());
  must(tx->add_interaction(meeting("later", "2016-05-01", {f.kerry, f.un})));
  must(tx->set_part_of(f.call, must(tx->view().find_interaction("later")).value()));
  must(tx->declare_kind("HOTLINE", kinds::kCall));
  CHECK(text_of(*view) == before);
  must(tx->commit("x"));
  CHECK(text_of(*view) == before);
  CHECK_FALSE(view->kinds().find("HOTLINE"));
  RowBatch batch;
  must(cursor.next(batch));
  CHECK(batch.size() == 1);
  CHECK(text_of(*f.store->view()) != before);
  CHECK(must(f.store->view()->get_interaction(f.call)).part_of == InteractionId{2});
}

TEST_CASE("store: a view outlives its store") {
  const TempFolder folder;
  auto f = std::make_unique<Filled>(folder.path("s"));
  const auto view = f->store->view();
  const std::string before = text_of(*view);
  auto cursor = must(view->timeline({}, {}));
  f.reset();
  CHECK(text_of(*view) == before);
  RowBatch batch;
  must(cursor.next(batch));
  CHECK(batch.size() == 1);
}

TEST_CASE("transaction: one that is let go leaves nothing, not even used ids") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  const std::string before = text_of(*f.store->view());
  {
    auto tx = must(f.store->begin());
    must(tx->add_actor(actor("gone", "Gone")));
    must(tx->declare_kind("GONE", kinds::kCall));
    must(tx->add_interaction(meeting("gone", "2016", {f.kerry})));
  }
  CHECK(text_of(*f.store->view()) == before);
  auto tx = must(f.store->begin());
  CHECK(must(tx->add_actor(actor("next"))) == ActorId{4});
  CHECK_FALSE(must(tx->view().find_actor("gone")));
  CHECK(must(tx->commit("x")) == CommitNumber{2});
}

TEST_CASE("transaction: it reads what it has written, others do not until it commits") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  const ActorId putin = must(tx->add_actor(actor("putin", "Владимир Путин", {"Person"})));
  const InteractionId talk = must(tx->add_interaction(meeting("talk", "2016-04-20", {putin, f.kerry})));
  CHECK(must(tx->view().find_actor("putin")) == putin);
  CHECK(must(tx->view().resolve_actor("владимир путин")) == putin);
  CHECK(must(tx->view().get_interaction(talk)).key == "talk");
  CHECK(must(rows_of(tx->view().timeline({}, {}))).size() == 2);
  CHECK(must(rows_of(tx->view().scan(putin, {}, {}))).size() == 1);
  CHECK(must(ids_of(tx->view().actors_with_label("Person"))).size() == 3);
  CHECK_FALSE(must(f.store->view()->find_actor("putin")));
  CHECK(must(rows_of(f.store->view()->timeline({}, {}))).size() == 1);
  must(tx->commit("x"));
  CHECK(must(f.store->view()->find_actor("putin")) == putin);
}

TEST_CASE("transaction: reading again sees what was written since, and statistics count it") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  const std::size_t before = must(rows_of(tx->view().timeline({}, {}))).size();
  const std::uint64_t counted = tx->view().statistics().interactions;
  must(tx->add_interaction(meeting("later", "2016-05-03", {f.kerry})));
  CHECK(must(rows_of(tx->view().timeline({}, {}))).size() == before + 1);
  CHECK(tx->view().statistics().interactions == counted + 1);
}

TEST_CASE("transaction: all actors are listed, those it has added among them, also in a store that was empty") {
  const TempFolder folder;
  const auto empty = create(folder.path("e"));
  auto first = must(empty->begin());
  const ActorId one = must(first->add_actor(actor("one", "One", {"Person"})));
  CHECK(must(ids_of(first->view().actors())) == std::vector<ActorId>{one});
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  const std::size_t before = must(ids_of(tx->view().actors())).size();
  must(tx->add_actor(actor("two", "Two", {"Person"})));
  CHECK(must(ids_of(tx->view().actors())).size() == before + 1);
}

TEST_CASE("transaction: once committed it refuses everything") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  must(tx->add_actor(actor("first")));
  must(tx->commit("x"));
  CHECK(refusal(tx->add_actor(actor("second"))).code == ErrorCode::kInvalidArgument);
  CHECK(refusal(tx->declare_kind("LATE", kinds::kCall)).code == ErrorCode::kInvalidArgument);
  CHECK(refusal(tx->commit("y")).code == ErrorCode::kInvalidArgument);
  CHECK_FALSE(f.store->view()->kinds().find("LATE"));
}

TEST_CASE("transaction: the second waits for the first to end") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  std::thread other;
  {
    auto first = must(f.store->begin());
    other = std::thread([&] {
      auto second = f.store->begin();
      if (second && (*second)->add_actor(actor("second"))) (void)(*second)->commit("x");
    });
    must(first->add_actor(actor("first")));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(must(first->commit("x")) == CommitNumber{2});
  }
  other.join();
  CHECK(must(f.store->view()->find_actor("second")) == ActorId{5});
  CHECK(f.store->view()->statistics().commit == CommitNumber{3});
}

TEST_CASE("transaction: a key that is taken is refused, and nothing is added") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  CHECK(refusal(tx->add_actor(actor("john-kerry", "Another", {"Person"}))).message ==
        "actor key 'john-kerry' is already taken");
  CHECK(refusal(tx->add_interaction(meeting("call", "2016", {f.kerry}))).code == ErrorCode::kInvalidArgument);
  Source source;
  source.key = "abc";
  must(tx->add_source(source));
  CHECK(refusal(tx->add_source(source)).message == "source key 'abc' is already taken");
  must(tx->add_actor(actor("new")));
  CHECK(refusal(tx->add_actor(actor("new"))).code == ErrorCode::kInvalidArgument);  // within one transaction too
  must(tx->commit("x"));
  const auto view = f.store->view();
  CHECK(view->statistics().actors == 4);
  CHECK(view->statistics().interactions == 1);
  CHECK(view->statistics().sources == 1);
  CHECK(must(view->find_actors_by_name("Another")).empty());
  CHECK(must(ids_of(view->actors_with_label("Person"))).size() == 2);
  CHECK(must(rows_of(view->timeline({}, {}))).size() == 1);
  CHECK(must(view->find_actor("john-kerry")) == f.kerry);
}

TEST_CASE("transaction: many may have no key, and keys of actors and interactions do not clash") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  const ActorId a = must(tx->add_actor(actor("", "Somebody")));
  const ActorId b = must(tx->add_actor(actor("", "Somebody")));
  CHECK(a != b);
  must(tx->add_actor(actor("call")));
  must(tx->commit("x"));
  CHECK_FALSE(must(f.store->view()->find_actor("")));
  CHECK(must(f.store->view()->find_interaction("call")) == f.call);
}

TEST_CASE("transaction: what is not of this store or not allowed is refused, and nothing is added") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  const auto refused = [&](Interaction i) {
    return refusal(tx->add_interaction(std::move(i))).code == ErrorCode::kInvalidArgument;
  };
  CHECK(refused(meeting("x", "2016", {ActorId{99}})));
  CHECK(refused(meeting("x", "2016", {ActorId{0}})));
  CHECK(refused(meeting("x", "2016", {f.kerry}, KindId{999})));
  CHECK(refused(meeting("x", "2016", {f.kerry}, KindId{0})));
  Interaction i = meeting("x", "2016", {f.kerry});
  i.participants[0].acting_for = ActorId{99};
  CHECK(refused(i));
  i.participants[0].acting_for = f.kerry;
  CHECK(refused(i));
  i.participants[0] = takes_part(f.kerry, Role::kRepresented);
  CHECK(refused(i));
  i = meeting("x", "2016", {f.kerry});
  i.claims.push_back({});
  i.claims[0].source = SourceId{1};
  CHECK(refused(i));
  i = meeting("x", "2016", {f.kerry});
  i.part_of = InteractionId{77};
  CHECK(refusal(tx->add_interaction(i)).code == ErrorCode::kNotFound);
  i = meeting(std::string("a\0b", 3), "2016", {f.kerry});
  CHECK(refused(i));
  CHECK(refused(meeting("\xFF", "2016", {f.kerry})));
  CHECK(refused(meeting(std::string(1001, 'k'), "2016", {f.kerry})));
  const auto bad_actor = [&](Actor a) {
    return refusal(tx->add_actor(std::move(a))).code == ErrorCode::kInvalidArgument;
  };
  CHECK(bad_actor(actor("x", "\xFF")));
  CHECK(bad_actor(actor("x", "X", {""})));
  CHECK(bad_actor(actor("x", "X", {std::string(201, 'l')})));
  CHECK(bad_actor(actor("x", "X", {}, {std::string("a\0b", 3)})));
  Actor nameless = actor("x", "X");
  set_property(nameless.properties, "", {true});
  CHECK(bad_actor(nameless));
  Source source;
  CHECK(refusal(tx->add_source(source)).code == ErrorCode::kInvalidArgument);
  source.key = "s";
  source.grade = "Z9";
  CHECK(refusal(tx->add_source(source)).code == ErrorCode::kInvalidArgument);
  CHECK(refusal(tx->declare_kind("", kinds::kCall)).code == ErrorCode::kInvalidArgument);
  CHECK(tx->empty());
  must(tx->add_interaction(meeting(std::string(1000, 'k'), "2016", {f.kerry})));
  must(tx->add_actor(actor("x", "X", {std::string(200, 'l')})));
  must(tx->commit("x"));
  CHECK(f.store->view()->statistics().interactions == 2);
  CHECK(f.store->view()->statistics().actors == 4);
}

TEST_CASE("transaction: a property list nested too deeply to be read back is refused") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  PropertyValue value{std::int64_t{1}};
  for (int n = 0; n < 17; ++n) value = PropertyValue{std::vector<PropertyValue>{value}};
  Actor deep = actor("deep");
  set_property(deep.properties, "p", value);
  const auto added = tx->add_actor(deep);
  if (!added) return;  // refused: good
  must(tx->commit("x"));
  CHECK(f.store->view()->get_actor(*added));  // accepted: then it must be readable
}

TEST_CASE("part of: versions are kept in step, circles are refused") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  const InteractionId a = must(tx->add_interaction(meeting("a", "2016", {f.kerry})));
  const InteractionId b = must(tx->add_interaction(meeting("b", "2016", {f.kerry})));
  const InteractionId c = must(tx->add_interaction(meeting("c", "2016", {f.kerry})));
  must(tx->set_part_of(a, b));
  must(tx->commit("x"));
  tx.reset();
  auto again = must(f.store->begin());
  must(again->set_part_of(b, c));
  CHECK(refusal(again->set_part_of(c, a)).message == "'c' cannot be part of 'a': that would close a circle");
  CHECK(refusal(again->set_part_of(c, b)).code == ErrorCode::kInvalidArgument);
  CHECK(refusal(again->set_part_of(a, a)).code == ErrorCode::kInvalidArgument);
  CHECK(refusal(again->set_part_of(a, InteractionId{99})).code == ErrorCode::kNotFound);
  CHECK(refusal(again->set_part_of(InteractionId{99}, a)).code == ErrorCode::kNotFound);
  must(again->set_part_of(a, c));  // moved, not a circle
  must(again->commit("y"));
  const auto view = f.store->view();
  CHECK(must(view->get_interaction(a)).part_of == c);
  CHECK(must(view->get_interaction(b)).part_of == c);
  CHECK_FALSE(must(view->get_interaction(c)).part_of);
  CHECK(must(rows_of(view->timeline({}, {}))).size() == 4);  // no new rows
}

TEST_CASE("names: found by key, by name in other script or case, by alias; not otherwise") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  const auto view = f.store->view();
  for (const char* name : {"john-kerry", "John Kerry", "JOHN  KERRY", "john\u00A0kerry ", "j. kerry"}) {
    INFO(name);
    CHECK(must(view->resolve_actor(name)) == f.kerry);
  }
  for (const char* name : {"رياض حجاب", "ریاض حجاب", "Riyad hijab", "riyad-hijab"}) {
    INFO(name);
    CHECK(must(view->resolve_actor(name)) == f.hijab);
  }
  CHECK(must(view->find_actors_by_name("john")).empty());
  CHECK(must(view->find_actors_by_name("")).empty());
  CHECK_FALSE(must(view->find_actor("John Kerry")));
  CHECK_FALSE(view->find_actors_by_name("\xFF"));
}

TEST_CASE("names: an unknown one is answered with the nearest, an ambiguous one with the keys") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  must(tx->add_actor(actor("kerry-2", "John Kerry")));
  must(tx->add_actor(actor("", "Un", {}, {"john kerry"})));
  must(tx->commit("x"));
  const auto view = f.store->view();
  const Error unknown = refusal(view->resolve_actor("Riyad Hijap"));
  CHECK(unknown.code == ErrorCode::kNotFound);
  CHECK(unknown.message == "there is no actor 'Riyad Hijap'; did you mean 'رياض حجاب'?");
  const Error far = refusal(view->resolve_actor("Rumpelstiltskin"));
  CHECK(far.code == ErrorCode::kNotFound);
  CHECK(far.message == "there is no actor 'Rumpelstiltskin'");
  const Error several = refusal(view->resolve_actor("John Kerry"));
  CHECK(several.code == ErrorCode::kInvalidArgument);
  CHECK(several.message ==
        "3 actors are called 'John Kerry'; give the key of one: john-kerry, kerry-2, actor 5 (no key)");
  CHECK(must(view->resolve_actor("kerry-2")) == ActorId{4});
}

TEST_CASE("names: the nearest name is not said to be '' for an actor with an alias only") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  must(tx->add_actor(actor("envoy", "", {}, {"Special Envoy"})));
  must(tx->commit("x"));
  CHECK_FALSE(says(refusal(f.store->view()->resolve_actor("Special Envoi")), "''"));
}

TEST_CASE("names: by prefix, in order, at most so many; the preferred one marked") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  const auto view = f.store->view();
  const auto j = must(view->names("J", 10));
  REQUIRE(j.size() == 2);
  CHECK(j[0].normal_form == "j. kerry");
  CHECK_FALSE(j[0].preferred);
  CHECK(j[1].normal_form == "john kerry");
  CHECK(j[1].preferred);
  CHECK(j[1].actor == f.kerry);
  CHECK(must(view->names("J", 1)).size() == 1);
  CHECK(must(view->names("", 100)).size() == 5);
  CHECK(must(view->names("john kerry jr", 10)).empty());
  CHECK(must(view->names("ریا", 10)).size() == 1);
}

TEST_CASE("labels: their actors in order of id, once; a label that begins alike is another") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  const ActorId both = must(tx->add_actor(actor("b", "B", {"Persona", "Person", "Person"})));
  must(tx->commit("x"));
  const auto view = f.store->view();
  for (const std::size_t rows_max : {std::size_t{1}, std::size_t{2}, std::size_t{100}}) {
    CHECK(must(ids_of(view->actors_with_label("Person"), rows_max)) == std::vector<ActorId>{f.kerry, f.hijab, both});
  }
  CHECK(must(ids_of(view->actors_with_label("Persona"))) == std::vector<ActorId>{both});
  CHECK(must(ids_of(view->actors_with_label("Pers"))).empty());
  CHECK(must(ids_of(view->actors(), 3)).size() == 4);
  CHECK(must(view->get_actor(both)).labels == std::vector<std::string>{"Person", "Persona"});
}

TEST_CASE("records: what is not there is not found") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  const auto view = f.store->view();
  CHECK(refusal(view->get_actor(ActorId{99})).code == ErrorCode::kNotFound);
  CHECK(refusal(view->get_actor(ActorId{0})).code == ErrorCode::kNotFound);
  CHECK(refusal(view->get_interaction(InteractionId{99})).code == ErrorCode::kNotFound);
  CHECK(refusal(view->get_source(SourceId{1})).code == ErrorCode::kNotFound);
  CHECK_FALSE(must(view->find_interaction("none")));
  CHECK_FALSE(must(view->find_source("none")));
}

TEST_CASE("scan: an actor named twice or represented as well has one row; agent and represented both have it") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  Interaction i = meeting("m", "2016-06-01", {f.kerry, f.kerry});
  i.participants[1].acting_for = f.un;
  must(tx->add_interaction(i));
  must(tx->commit("x"));
  const auto view = f.store->view();
  CHECK(must(rows_of(view->scan(f.kerry, {}, {}))).size() == 2);
  CHECK(must(rows_of(view->scan(f.un, {}, {}))).size() == 1);
  CHECK(must(rows_of(view->scan(f.hijab, {}, {}))).size() == 1);
  CHECK(must(rows_of(view->scan(ActorId{99}, {}, {}))).empty());
}

TEST_CASE("windows: half-open, and vague, lasting, open and undated rows meet what they can reach") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  const std::vector<std::string> dates = {"2016-06-10",    "2016-06", "2016-06-01/2016-06-20", "2016-06-15/..",
                                          "../2016-06-05", "",        "2016-06-10T12:00:00Z"};
  auto tx = must(f.store->begin());
  std::map<std::string, RowNumber> row;
  for (const std::string& date : dates)
    row[date] = RowNumber{must(tx->add_interaction(meeting("", date, {f.un}))).value};
  must(tx->commit("x"));
  const auto met = [&](const std::string& from, const std::string& to) {
    const TimeWindow window{must(parse_when(from)).bounds.begin_min, must(parse_when(to)).bounds.begin_min};
    const auto rows = must(rows_of(f.store->view()->scan(f.un, window, {})));
    std::set<std::string> out;
    for (const auto& [date, number] : row) {
      if (std::find(rows.begin(), rows.end(), number) != rows.end()) out.insert(date);
    }
    CHECK(rows.size() == out.size());
    return out;
  };
  using Set = std::set<std::string>;
  CHECK(met("2016-06-10", "2016-06-11") ==
        Set{"2016-06-10", "2016-06", "2016-06-01/2016-06-20", "", "2016-06-10T12:00:00Z"});
  CHECK(met("2016-06-11", "2016-06-12") == Set{"2016-06", "2016-06-01/2016-06-20", ""});
  CHECK(met("2016-06-09", "2016-06-10") == Set{"2016-06", "2016-06-01/2016-06-20", ""});
  CHECK(met("2016-06-10T12:00:01", "2016-06-11") == Set{"2016-06-10", "2016-06", "2016-06-01/2016-06-20", ""});
  CHECK(met("2020-01-01", "2020-01-02") == Set{"2016-06-15/..", ""});
  CHECK(met("1950-01-01", "1950-01-02") == Set{"../2016-06-05", ""});
  CHECK(met("2016-06-20T23:59:59", "2016-06-21") == Set{"2016-06", "2016-06-01/2016-06-20", "2016-06-15/..", ""});
  CHECK(met("2016-06-21", "2016-06-22") == Set{"2016-06", "2016-06-15/..", ""});
}

TEST_CASE("windows: one that holds no instant meets nothing") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  const Timestamp noon = must(parse_when("2016-04-29T12:00:00")).bounds.begin_min;
  const auto count = [&](std::int64_t seconds) {
    return must(rows_of(f.store->view()->timeline({noon, {noon.seconds + seconds}}, {}))).size();
  };
  CHECK(count(1) == 1);
  CHECK(count(0) == 0);
  CHECK(count(-1) == 0);
}

TEST_CASE("windows: a span as long as can be written is met wherever it reaches") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  must(tx->add_interaction(meeting("aeon", "Y-290000000000/Y290000000000", {f.un})));
  must(tx->commit("x"));
  const TimeWindow window{{0}, {86400}};
  CHECK(must(rows_of(f.store->view()->scan(f.un, window, {}))).size() == 1);
}

TEST_CASE("windows: random stores agree with a list of everything, in set and order") {
  const unsigned seed = 1648;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&random](unsigned n) { return static_cast<int>(random() % n); };
  const auto day = [&] { return format_day(days_from_civil(2015, 1, 1) + below(900)); };
  const auto date = [&]() -> std::string {
    const std::int64_t start = days_from_civil(2015, 1, 1) + below(900);
    const auto until = [&](unsigned most) { return format_day(start + below(most)); };
    switch (below(13)) {
      case 0:
        return day();
      case 1:
        return day() + "T13:05:00Z";
      case 2:
        return day().substr(0, 7);
      case 3:
        return day().substr(0, 4);
      case 4:
        return "[" + format_day(start) + ".." + until(20) + "]";
      case 5:
        return format_day(start) + "/" + until(3);
      case 6:
        return format_day(start) + "/" + until(31);
      case 7:
        return format_day(start) + "/" + until(366);
      case 8:
        return format_day(start) + "/" + until(900);
      case 9:
        return below(2) == 0 ? day() + "/.." : "../" + day();
      case 10:
        return below(2) == 0 ? day() + "/" : "/" + day();
      case 11:
        return below(2) == 0 ? "[.." + day() + "]" : day() + "?";
      default:
        return "";
    }
  };
  const std::vector<KindId> some_kinds = {kinds::kCall, kinds::kMeeting, KindId{12}, KindId{25}};
  std::set<impl::LengthClass> classes;
  for (int round = 0; round < 4; ++round) {
    const TempFolder folder;
    const auto store = create(folder.path("s"));
    struct Row {
      TimeBounds bounds;
      RowNumber row;
      KindId kind;
      std::vector<ActorId> actors;
    };
    std::vector<Row> model;
    std::vector<ActorId> actors;
    for (int commit = 0; commit < 3; ++commit) {
      auto tx = must(store->begin());
      for (int n = 0; n < 3; ++n) actors.push_back(must(tx->add_actor(actor(""))));
      for (int n = 0; n < 60; ++n) {
        std::vector<ActorId> who;
        for (int k = below(4); k > 0; --k) who.push_back(actors[random() % actors.size()]);
        Interaction i = meeting("", date(), who, some_kinds[random() % some_kinds.size()]);
        const TimeBounds bounds = i.when ? i.when->bounds : TimeBounds{};
        classes.insert(impl::length_class(bounds));
        const KindId kind = i.kind;
        model.push_back({bounds, RowNumber{must(tx->add_interaction(std::move(i))).value}, kind, who});
      }
      must(tx->commit("x"));
    }
    std::sort(model.begin(), model.end(), [](const Row& a, const Row& b) {
      return std::pair(a.bounds.begin_min, a.row) < std::pair(b.bounds.begin_min, b.row);
    });
    const auto view = store->view();
    for (int n = 0; n < 150; ++n) {
      TimeWindow window;
      const std::int64_t from =
          days_from_civil(2014, 6, 1) * kSecondsPerDay + std::int64_t{below(1300)} * 86400 + below(3) * 43200;
      if (below(8) != 0) window.begin = {from};
      if (below(8) != 0) window.end = {from + 1 + std::int64_t{below(below(2) == 0 ? 3 : 500)} * 43200};
      const KindSet kinds =
          below(2) == 0 ? KindSet{} : view->kinds().all_below(below(2) == 0 ? kinds::kContact : kinds::kCall);
      const bool all = below(3) == 0;
      const ActorId who = actors[random() % actors.size()];
      std::vector<RowNumber> want;
      for (const Row& row : model) {
        const bool meets = row.bounds.begin_min < window.end && row.bounds.end_max >= window.begin;
        const bool takes_part = all || std::find(row.actors.begin(), row.actors.end(), who) != row.actors.end();
        if (meets && takes_part && kinds.contains(row.kind)) want.push_back(row.row);
      }
      const std::size_t rows_max = 1 + random() % 40;
      const auto got = must(rows_of(all ? view->timeline(window, kinds) : view->scan(who, window, kinds), rows_max));
      if (got == want) continue;
      INFO("round " << round << " window " << window.begin.seconds << " to " << window.end.seconds);
      CHECK(got.size() == want.size());
      CHECK((got == want));
    }
  }
  CHECK(classes.size() == impl::kLengthClassCount);
}

TEST_CASE("kinds: a filter keeps the kinds in it and those below, an empty one keeps all") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  const KindId hotline = must(tx->declare_kind("HOTLINE", kinds::kCall));
  must(tx->add_interaction(meeting("h", "2016-04-30", {f.kerry}, hotline)));
  must(tx->add_interaction(meeting("m", "2016-04-30", {f.kerry}, kinds::kMeeting)));
  must(tx->commit("x"));
  const auto view = f.store->view();
  const auto count = [&](KindId kind) {
    return must(rows_of(view->scan(f.kerry, {}, view->kinds().all_below(kind)))).size();
  };
  CHECK(count(kinds::kCall) == 2);
  CHECK(count(hotline) == 1);
  CHECK(count(kinds::kContact) == 3);
  CHECK(count(kinds::kVisit) == 0);
  CHECK(must(rows_of(view->scan(f.kerry, {}, {}))).size() == 3);
}

TEST_CASE("rows: what the cursor gives is what was recorded") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  RowBatch batch;
  auto cursor = must(f.store->view()->timeline({}, {}));
  must(cursor.next(batch));
  REQUIRE(batch.size() == 1);
  CHECK(batch.interaction[0] == f.call);
  CHECK(batch.row[0] == RowNumber{1});
  CHECK(batch.kind[0] == kinds::kCall);
  CHECK(batch.dated[0] == 1);
  CHECK(batch.bounds[0] == must(parse_when("2016-04-29")).bounds);
  REQUIRE(batch.parties_of(0).size() == 2);
  CHECK(batch.parties_of(0)[1] == Party{f.hijab, Role::kParticipant, Party::kNoAgent});
  must(cursor.next(batch));
  CHECK(batch.size() == 0);
}

// Changing what is recorded: new versions, taking back, earlier states, commit ids, sealing; and every refusal with its
// message, after which nothing is changed.
#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/store.h"
#include "tests/engine/store_fixture.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace demarche;
using namespace demarche::tests;

std::unique_ptr<Store> open_sealing(const std::string& path, std::size_t seal_rows) {
  StoreOptions options;
  options.create_if_missing = true;
  options.cache_bytes = std::size_t{1} << 20;
  options.seal_rows = seal_rows;
  return must(Store::open(path, options));
}

// Actors 1 to 3; `talk` is part of `round`; `plain` says nothing but date and parties.
struct Filled {
  explicit Filled(const std::string& path, std::size_t seal_rows = 1000) : store(open_sealing(path, seal_rows)) {
    auto tx = must(store->begin());
    kerry = must(tx->add_actor(actor("john-kerry", "John Kerry", {"Person"}, {"J. Kerry"})));
    hijab = must(tx->add_actor(actor("riyad-hijab", "Riyad Hijab", {"Person"})));
    un = must(tx->add_actor(actor("un", "United Nations", {"Organisation"})));
    round = must(tx->add_interaction(meeting("round", "2016-04", {un})));
    Interaction i = meeting("talk", "2016-04-29", {kerry, hijab}, kinds::kCall);
    i.part_of = round;
    i.participants[1].acting_for = un;
    talk = must(tx->add_interaction(i));
    plain = must(tx->add_interaction(meeting("", "2016-05-01", {kerry})));
    must(tx->commit("first notes"));
  }
  [[nodiscard]] std::string text() const { return must(dump(*store->view())); }
  std::unique_ptr<Store> store;
  ActorId kerry, hijab, un;
  InteractionId round, talk, plain;
};

void check_refused(const Error& error, ErrorCode code, const std::string& message) {
  CHECK(error.message == message);
  CHECK(error.code == code);
}

}  // namespace

TEST_CASE("replace: a new version of what the index holds gets a new row, other changes keep it") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  const auto row_after = [&](InteractionId id, auto change) {
    auto tx = must(f.store->begin());
    Interaction i = must(tx->view().get_interaction(id));
    change(i);
    must(tx->replace_interaction(id, i));
    must(tx->commit("x"));
    const Interaction now = must(f.store->view()->get_interaction(id));
    CHECK(now.id == id);
    CHECK(must(rows_of(f.store->view()->timeline({}, {}))).size() == 3);
    return now.row.value;
  };
  for (const InteractionId id : {f.talk, f.plain}) {
    const std::uint64_t first = must(f.store->view()->get_interaction(id)).row.value;
    const std::uint64_t next = id == f.talk ? 4 : 9;
    CHECK(first == id.value);
    CHECK(row_after(id, [](Interaction& i) { i.place = "Geneva"; }) == first);
    CHECK(row_after(id, [](Interaction& i) { i.key += "-x"; }) == first);
    CHECK(row_after(id, [](Interaction& i) { i.part_of.reset(); }) == first);
    CHECK(row_after(id, [](Interaction&) {}) == first);
    CHECK(row_after(id, [](Interaction& i) { i.kind = kinds::kVisit; }) == next);
    CHECK(row_after(id, [](Interaction& i) { i.when.reset(); }) == next + 1);
    CHECK(row_after(id, [](Interaction& i) { i.status = Status::kPlanned; }) == next + 2);
    CHECK(row_after(id, [](Interaction& i) { i.participants.pop_back(); }) == next + 3);
    CHECK(row_after(id, [](Interaction& i) { i.when = must(parse_when("2016")); }) == next + 4);
  }
}

TEST_CASE("replace: names, labels and key of an actor are found as they were then and as they are now") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  must(tx->replace_actor(f.kerry, actor("kerry", "Secretary Kerry", {"Secretary"}, {"John Kerry"})));
  const ActorId other = must(tx->add_actor(actor("john-kerry", "Another")));  // the key is free at once
  must(tx->commit("x"));
  const auto now = f.store->view();
  const auto then = must(f.store->view_at(CommitNumber{1}));
  CHECK(must(now->find_actor("kerry")) == f.kerry);
  CHECK(must(now->find_actor("john-kerry")) == other);
  CHECK(must(then->find_actor("john-kerry")) == f.kerry);
  CHECK_FALSE(must(then->find_actor("kerry")));
  CHECK(must(now->find_actors_by_name("j. kerry")).empty());
  CHECK(must(then->find_actors_by_name("j. kerry")) == std::vector<ActorId>{f.kerry});
  CHECK(must(now->find_actors_by_name("john kerry")) == std::vector<ActorId>{f.kerry});
  CHECK_FALSE(must(now->names("john kerry", 9))[0].preferred);
  CHECK(must(then->names("john kerry", 9))[0].preferred);
  CHECK(must(ids_of(now->actors_with_label("Person"))) == std::vector<ActorId>{f.hijab});
  CHECK(must(ids_of(then->actors_with_label("Person"))) == std::vector<ActorId>{f.kerry, f.hijab});
  CHECK(must(ids_of(now->actors_with_label("Secretary"))) == std::vector<ActorId>{f.kerry});
  CHECK(must(then->get_actor(f.kerry)).name == "John Kerry");
  CHECK(now->statistics().actors == 4);
  CHECK(then->statistics().actors == 3);
}

TEST_CASE("retire: an interaction is gone now, and there as of earlier commits; its key is free again") {
  const TempFolder folder;
  Filled f(folder.path("s"), 1);
  auto tx = must(f.store->begin());
  must(tx->retire_interaction(f.round));
  must(tx->retire_interaction(f.plain));
  const InteractionId next = must(tx->add_interaction(meeting("round", "2017", {f.un})));
  must(tx->commit("x"));
  const auto now = f.store->view();
  CHECK(refusal(now->get_interaction(f.round)).message == "there is no interaction with id 1");
  CHECK(refusal(now->get_interaction(f.plain)).message == "there is no interaction with id 3");
  CHECK(must(now->find_interaction("round")) == next);
  CHECK(must(now->get_interaction(f.talk)).part_of == f.round);  // keeps saying so
  CHECK(must(rows_of(now->scan(f.un, {}, {}))) == std::vector<RowNumber>{{2}, {4}});
  CHECK(now->statistics().interactions == 2);
  const auto then = must(f.store->view_at(CommitNumber{1}));
  CHECK(must(then->find_interaction("round")) == f.round);
  CHECK(must(then->get_interaction(f.plain)).when->text == "2016-05-01");
  CHECK(must(rows_of(then->timeline({}, {}))).size() == 3);
  // What is part of something retired can still be changed.
  auto again = must(f.store->begin());
  Interaction talk = must(again->view().get_interaction(f.talk));
  talk.place = "Geneva";
  must(again->replace_interaction(f.talk, talk));
  must(again->commit("y"));
  CHECK(must(f.store->view()->get_interaction(f.talk)).place == "Geneva");
}

TEST_CASE("retire: an actor that takes part nowhere is gone now, and there as of earlier commits") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  must(tx->retire_interaction(f.talk));
  must(tx->retire_actor(f.hijab));
  CHECK_FALSE(must(tx->view().find_actor("riyad-hijab")));
  CHECK(tx->view().statistics().actors == 2);
  must(tx->commit("x"));
  const auto now = f.store->view();
  CHECK(refusal(now->get_actor(f.hijab)).message == "there is no actor with id 2");
  CHECK(must(now->names("riyad", 9)).empty());
  CHECK(must(ids_of(now->actors())) == std::vector<ActorId>{f.kerry, f.un});
  CHECK(must(ids_of(now->actors_with_label("Person"))) == std::vector<ActorId>{f.kerry});
  const auto then = must(f.store->view_at(CommitNumber{1}));
  CHECK(must(then->find_actor("riyad-hijab")) == f.hijab);
  CHECK(must(ids_of(then->actors())).size() == 3);
}

TEST_CASE("retire: an actor that was taken back takes part in nothing new") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  must(tx->retire_interaction(f.talk));
  must(tx->retire_actor(f.hijab));
  const std::string message = "a participant is not an actor of this store";
  const auto refused = [&](Transaction& in) {
    check_refused(refusal(in.add_interaction(meeting("", "2016", {f.kerry, f.hijab}))), ErrorCode::kInvalidArgument,
                  message);
    Interaction i = meeting("", "2016", {f.kerry});
    i.participants[0].acting_for = f.hijab;
    check_refused(refusal(in.add_interaction(i)), ErrorCode::kInvalidArgument, message);
    check_refused(refusal(in.replace_interaction(f.plain, i)), ErrorCode::kInvalidArgument, message);
  };
  refused(*tx);
  must(tx->commit("x"));
  tx.reset();
  refused(*must(f.store->begin()));
  CHECK(must(rows_of(f.store->view()->scan(f.hijab, {}, {}))).empty());
}

TEST_CASE("refusals: ids that are not there") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  const std::string before = f.text();
  auto tx = must(f.store->begin());
  for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{99}, ~std::uint64_t{0}}) {
    const std::string no_actor = fmt::format("there is no actor with id {}", id);
    const std::string no_interaction = fmt::format("there is no interaction with id {}", id);
    check_refused(refusal(tx->replace_actor(ActorId{id}, actor("x"))), ErrorCode::kNotFound, no_actor);
    check_refused(refusal(tx->retire_actor(ActorId{id})), ErrorCode::kNotFound, no_actor);
    check_refused(refusal(tx->replace_interaction(InteractionId{id}, meeting("x", "2016", {f.un}))),
                  ErrorCode::kNotFound, no_interaction);
    check_refused(refusal(tx->retire_interaction(InteractionId{id})), ErrorCode::kNotFound, no_interaction);
    Interaction i = must(tx->view().get_interaction(f.plain));
    i.part_of = InteractionId{id};
    check_refused(refusal(tx->replace_interaction(f.plain, i)), ErrorCode::kNotFound, no_interaction);
  }
  must(tx->retire_interaction(f.plain));
  check_refused(refusal(tx->retire_interaction(f.plain)), ErrorCode::kNotFound, "there is no interaction with id 3");
  check_refused(refusal(tx->replace_interaction(f.plain, meeting("x", "2016", {f.un}))), ErrorCode::kNotFound,
                "there is no interaction with id 3");
  check_refused(refusal(tx->set_part_of(f.talk, f.plain)), ErrorCode::kNotFound, "there is no interaction with id 3");
  tx.reset();
  CHECK(f.text() == before);
}

TEST_CASE("refusals: keys that are taken, circles, and parts that are not of this store") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  const std::string before = f.text();
  auto tx = must(f.store->begin());
  const auto refused = [&](Interaction i, const std::string& message) {
    check_refused(refusal(tx->replace_interaction(f.round, std::move(i))), ErrorCode::kInvalidArgument, message);
  };
  check_refused(refusal(tx->replace_actor(f.kerry, actor("un", "John Kerry"))), ErrorCode::kInvalidArgument,
                "actor key 'un' is already taken");
  check_refused(refusal(tx->replace_actor(f.kerry, actor("x", "X", {""}))), ErrorCode::kInvalidArgument,
                "a label is empty");
  check_refused(refusal(tx->replace_actor(f.kerry, actor("x", "\xFF"))), ErrorCode::kInvalidArgument,
                "actor name is not valid UTF-8");
  refused(meeting("talk", "2016", {f.un}), "interaction key 'talk' is already taken");
  refused(meeting(std::string("a\0b", 3), "2016", {f.un}), "interaction key contains a zero byte");
  refused(meeting("round", "2016", {f.un}, KindId{999}), "there is no kind with id 999");
  refused(meeting("round", "2016", {ActorId{99}}), "a participant is not an actor of this store");
  refused(meeting("round", "2016", {ActorId{0}}), "a participant is not an actor of this store");
  Interaction i = meeting("round", "2016", {f.un});
  i.participants[0].acting_for = f.un;
  refused(i, "an actor cannot act for itself; leave FOR out");
  i.participants[0] = takes_part(f.un, Role::kRepresented);
  refused(i, "role 'represented' is not given by hand; write the agent with FOR");
  i = meeting("round", "2016", {f.un});
  i.claims.emplace_back();
  i.claims[0].source = SourceId{1};
  refused(i, "a claim names a source that is not in this store");
  i = meeting("round", "2016", {});
  i.participants.resize(10'001, takes_part(f.un));
  refused(i, "an interaction has 10001 participants, at most 10000 are allowed");
  i = meeting("round", "2016", {f.un});
  i.part_of = f.talk;
  refused(i, "'round' cannot be part of 'talk': that would close a circle");
  i.part_of = f.round;
  refused(i, "'round' cannot be part of 'round': that would close a circle");
  check_refused(refusal(tx->retire_actor(f.kerry)), ErrorCode::kConflict,
                "actor 1 takes part in interaction 2; take it out of its interactions first");
  // Also one that only was acted for, and one of an interaction of this transaction.
  must(tx->retire_interaction(f.round));
  check_refused(refusal(tx->retire_actor(f.un)), ErrorCode::kConflict,
                "actor 3 takes part in interaction 2; take it out of its interactions first");
  const ActorId fresh = must(tx->add_actor(actor("fresh")));
  must(tx->add_interaction(meeting("", "", {fresh})));
  check_refused(refusal(tx->retire_actor(fresh)), ErrorCode::kConflict,
                "actor 4 takes part in interaction 4; take it out of its interactions first");
  tx.reset();
  CHECK(f.text() == before);
}

TEST_CASE("refusals: a refused change leaves nothing in the transaction") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  CHECK_FALSE(tx->replace_actor(f.kerry, actor("un")));
  CHECK_FALSE(tx->replace_interaction(f.talk, meeting("round", "2017", {f.kerry})));
  CHECK_FALSE(tx->replace_interaction(f.talk, meeting("x", "2017", {ActorId{77}})));
  CHECK_FALSE(tx->retire_actor(f.kerry));
  CHECK(tx->empty());
  const std::string before = f.text();
  must(tx->commit("nothing"));
  const std::string after = f.text();
  CHECK(after.substr(after.find('\n')) == before.substr(before.find('\n')));  // all but the commit's own line
}

TEST_CASE("refusals: a transaction that is committed, and a store opened read-only") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  {
    Filled f(path);
    auto tx = must(f.store->begin());
    must(tx->commit("nothing"));
    const std::string message = "this transaction is committed already; begin another";
    const ErrorCode code = ErrorCode::kInvalidArgument;
    check_refused(refusal(tx->replace_actor(f.kerry, actor("x"))), code, message);
    check_refused(refusal(tx->replace_interaction(f.talk, meeting("x", "2016", {f.un}))), code, message);
    check_refused(refusal(tx->retire_actor(f.kerry)), code, message);
    check_refused(refusal(tx->retire_interaction(f.talk)), code, message);
    check_refused(refusal(tx->set_part_of(f.talk, f.round)), code, message);
    check_refused(refusal(tx->add_source({})), code, message);
    check_refused(refusal(tx->commit("again", "with an id")), code, message);
  }
  const auto store = must(reopen(path, /*read_only=*/true));
  check_refused(refusal(store->seal()), ErrorCode::kDenied, fmt::format("'{}' was opened read-only", path));
  check_refused(refusal(store->begin()), ErrorCode::kDenied, fmt::format("'{}' was opened read-only", path));
  CHECK(must(rows_of(must(store->view_at(CommitNumber{1}))->timeline({}, {}))).size() == 3);
}

TEST_CASE("earlier states: the empty one, each commit, none after the last") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  const auto empty = must(f.store->view_at(CommitNumber{0}));
  CHECK(empty->statistics().actors == 0);
  CHECK(empty->statistics().commit_time_micros == 0);
  CHECK(must(ids_of(empty->actors())).empty());
  CHECK(must(rows_of(empty->timeline({}, {}))).empty());
  CHECK_FALSE(must(empty->find_actor("un")));
  CHECK(must(dump(*must(f.store->view_at(CommitNumber{1})))) == f.text());
  check_refused(refusal(f.store->view_at(CommitNumber{2})), ErrorCode::kNotFound,
                "there is no commit 2 yet; the last one is 1");
  const std::int64_t time = f.store->view()->statistics().commit_time_micros;
  CHECK(must(f.store->commit_at(time)) == CommitNumber{1});
  CHECK(must(f.store->commit_at(time - 1)) == CommitNumber{0});
  CHECK(must(f.store->commit_at(std::numeric_limits<std::int64_t>::max())) == CommitNumber{1});
  CHECK(must(f.store->commit_at(std::numeric_limits<std::int64_t>::min())) == CommitNumber{0});
}

TEST_CASE("earlier states: kinds declared later are not known yet") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  const KindId hotline = must(tx->declare_kind("HOTLINE", kinds::kCall));
  must(tx->add_interaction(meeting("h", "2016", {f.un}, hotline)));
  must(tx->commit("x"));
  CHECK_FALSE(must(f.store->view_at(CommitNumber{1}))->kinds().find("HOTLINE"));
  CHECK(must(f.store->view_at(CommitNumber{2}))->kinds().find("HOTLINE") == hotline);
}

TEST_CASE("commit id: given twice, the first number comes back and nothing is written, after opening again too") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  std::string kept;
  const auto add = [](Store& store, const std::string& key, const std::string& id) {
    auto tx = must(store.begin());
    must(tx->add_actor(actor(key)));
    return must(tx->commit("x", id)).value;
  };
  {
    Filled f(path);
    CHECK(add(*f.store, "a", "first") == 2);
    CHECK(add(*f.store, "b", "second") == 3);
    kept = f.text();
    CHECK(add(*f.store, "c", "first") == 2);
    CHECK(add(*f.store, "d", "second") == 3);
    CHECK(f.text() == kept);
  }
  const auto store = must(reopen(path));
  CHECK(add(*store, "e", "first") == 2);
  CHECK(must(dump(*store->view())) == kept);
  CHECK(add(*store, "e", "third") == 4);  // the store goes on
  CHECK(add(*store, "f", "") == 5);       // no id, no memory
  CHECK(add(*store, "g", "") == 6);
  CHECK(add(*store, "h", "FIRST") == 7);
  CHECK(add(*store, "i", std::string(1000, 'x')) == 8);
  CHECK(add(*store, "j", std::string(1000, 'x')) == 8);
}

TEST_CASE("commit id: one that cannot be kept is refused, and the transaction may still commit") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  must(tx->add_actor(actor("a")));
  check_refused(refusal(tx->commit("x", std::string(1001, 'x'))), ErrorCode::kInvalidArgument,
                "commit id 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' has 1001 bytes, at most 1000 are allowed");
  check_refused(refusal(tx->commit("x", std::string("a\0b", 3))), ErrorCode::kInvalidArgument,
                "commit id contains a zero byte");
  check_refused(refusal(tx->commit("x", "\xFF")), ErrorCode::kInvalidArgument, "commit id is not valid UTF-8");
  CHECK(must(tx->commit("x", "good")) == CommitNumber{2});
  CHECK(must(f.store->view()->find_actor("a")));
}

TEST_CASE("transaction: a view taken before something was written finds it") {
  const TempFolder folder;
  Filled f(folder.path("s"));
  auto tx = must(f.store->begin());
  const View& view = tx->view();
  CHECK(must(rows_of(view.timeline({}, {}))).size() == 3);
  const InteractionId plain = must(tx->add_interaction(meeting("", "2016-04-30", {f.un})));
  CHECK(must(view.get_interaction(plain)).when->text == "2016-04-30");
  const InteractionId second = must(tx->add_interaction(meeting("", "2016-04-28", {f.un})));
  CHECK(must(rows_of(view.timeline({}, {}))).size() == 5);
  CHECK(must(rows_of(view.scan(f.un, {}, {}))).size() == 4);
  must(tx->retire_interaction(plain));
  CHECK(must(rows_of(view.timeline({}, {}))).size() == 4);
  CHECK_FALSE(view.get_interaction(plain));
  Interaction moved = must(view.get_interaction(second));
  moved.participants.push_back(takes_part(f.hijab));
  must(tx->replace_interaction(second, moved));
  CHECK(must(rows_of(view.scan(f.hijab, {}, {}))).size() == 2);
}

TEST_CASE("transaction: what is added and taken back, or added and changed, within one commit") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  std::string before;
  {
    Filled f(path, 1);
    auto tx = must(f.store->begin());
    const InteractionId gone = must(tx->add_interaction(meeting("gone", "2016-06-01", {f.un})));
    const InteractionId changed = must(tx->add_interaction(meeting("", "2016-06-02", {f.un})));
    must(tx->retire_interaction(gone));
    Interaction i = must(tx->view().get_interaction(changed));
    i.when = must(parse_when("2016-06-03"));
    must(tx->replace_interaction(changed, i));
    const ActorId nobody = must(tx->add_actor(actor("nobody", "Nobody", {"Person"})));
    must(tx->retire_actor(nobody));
    must(tx->commit("x"));
    must(f.store->seal());
    const auto view = f.store->view();
    CHECK(view->statistics().interactions == 4);
    CHECK(view->statistics().actors == 3);
    CHECK_FALSE(must(view->find_interaction("gone")));
    CHECK_FALSE(must(view->find_actor("nobody")));
    CHECK(must(view->get_interaction(changed)).when->text == "2016-06-03");
    CHECK(must(rows_of(view->scan(f.un, {}, {}))).size() == 3);
    before = f.text();
  }
  CHECK(must(dump(*must(reopen(path))->view())) == before);
}

TEST_CASE("seal: a view, and a cursor half read, do not notice") {
  const TempFolder folder;
  Filled f(folder.path("s"), 5);
  for (int n = 0; n < 40; ++n) {
    auto tx = must(f.store->begin());
    for (int k = 0; k < 5; ++k) {
      must(tx->add_interaction(
          meeting("", format_day(days_from_civil(2016, 1, 1) + (n * 31 + k * 7) % 300), {f.un, f.kerry})));
    }
    must(tx->commit("x"));
  }
  const auto view = f.store->view();
  const std::vector<RowNumber> timeline = must(rows_of(view->timeline({}, {})));
  const std::vector<RowNumber> own = must(rows_of(view->scan(f.un, {}, {})));
  CHECK(timeline.size() == 203);
  auto half_timeline = must(view->timeline({}, {}));
  auto half_own = must(view->scan(f.un, {}, {}));
  std::vector<RowNumber> got_timeline;
  std::vector<RowNumber> got_own;
  RowBatch batch;
  const auto read_on = [&batch](RowCursor& cursor, std::vector<RowNumber>& got) {
    must(cursor.next(batch, 20));
    got.insert(got.end(), batch.row.begin(), batch.row.end());
    return batch.size() > 0;
  };
  bool more = true;
  for (std::uint64_t n = 0; more; ++n) {
    more = read_on(half_timeline, got_timeline);
    more = read_on(half_own, got_own) || more;
    auto tx = must(f.store->begin());
    must(tx->add_interaction(meeting("", "2016-05-05", {f.un, f.hijab})));
    must(tx->retire_interaction(InteractionId{4 + n}));
    must(tx->commit("x"));
    must(f.store->seal());
    REQUIRE(must(rows_of(view->timeline({}, {}))) == timeline);
    REQUIRE(must(rows_of(view->scan(f.un, {}, {}))) == own);
  }
  CHECK(got_timeline == timeline);
  CHECK(got_own == own);
}

TEST_CASE("seal: a transaction that was open meanwhile sees its own state and commits") {
  const TempFolder folder;
  Filled f(folder.path("s"), 1);  // the first commit is being sealed while the next transaction is open
  for (std::uint64_t n = 1; n <= 20; ++n) {
    auto tx = must(f.store->begin());
    must(tx->add_interaction(meeting("", "2016-05-05", {f.un})));
    CHECK(must(rows_of(tx->view().timeline({}, {}))).size() == 3 + n);
    std::this_thread::yield();
    CHECK(must(rows_of(tx->view().scan(f.un, {}, {}))).size() == 2 + n);
    must(tx->commit("x"));
  }
  must(f.store->seal());
  must(f.store->seal());  // nothing to do
  CHECK(must(rows_of(f.store->view()->timeline({}, {}))).size() == 23);
}

TEST_CASE("large interactions: as many participants as may be, sealed and opened again") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  Interaction large = meeting("congress", "2016-06-01", {});
  {
    Filled f(path, 1);
    auto tx = must(f.store->begin());
    for (int n = 0; n < 200; ++n) {
      const ActorId id = must(tx->add_actor(actor("")));
      large.participants.push_back({id, Role::kDelegation, f.un});
    }
    large.participants.resize(10'000, takes_part(f.kerry));
    const InteractionId id = must(tx->add_interaction(large));
    must(tx->commit("x"));
    must(f.store->seal());
    CHECK(must(f.store->view()->get_interaction(id)).participants == large.participants);
  }
  const auto store = must(reopen(path));
  RowCursor cursor = must(store->view()->scan(ActorId{10}, {}, {}));
  RowBatch batch;
  must(cursor.next(batch));
  REQUIRE(batch.size() == 1);
  const std::vector<Party> parties = parties_of(large.participants);
  REQUIRE(batch.parties_of(0).size() == parties.size());
  CHECK(std::equal(parties.begin(), parties.end(), batch.parties_of(0).begin()));
}

TEST_CASE("large commits: the same however they are kept, and read inside the transaction at every stage") {
  std::vector<std::string> texts;
  for (const std::size_t bulk_rows : {std::size_t{1} << 20, std::size_t{5000}}) {
    for (const std::size_t seal_rows : {std::size_t{3000}, std::size_t{1} << 20}) {
      INFO("bulk_rows " << bulk_rows << ", seal_rows " << seal_rows);
      const TempFolder folder;
      StoreOptions options;
      options.create_if_missing = true;
      options.bulk_rows = bulk_rows;
      options.bulk_memory_bytes = 4;  // little at a time, by way of files
      options.seal_rows = seal_rows;
      std::uint64_t rows = 0;
      {
        const auto store = must(Store::open(folder.path("s"), options));
        auto tx = must(store->begin());
        for (int n = 0; n < 40; ++n) must(tx->add_actor(actor(fmt::format("actor-{}", n))));
        // More in one transaction than it holds as they are, then some behind, before and between.
        for (const std::uint64_t count : {std::uint64_t{18'000}, std::uint64_t{100}, std::uint64_t{6000}}) {
          const View& view = tx->view();
          for (std::uint64_t n = 1; n <= count; ++n) {
            const std::uint64_t mix = ++rows * 2654435761U % 1000;
            std::vector<ActorId> who = {ActorId{1 + mix % 7}, ActorId{1 + mix % 40}};
            if (mix == 0) who.resize(12, ActorId{40});
            std::string date = format_day(days_from_civil(2015, 1, 1) + static_cast<std::int64_t>(mix));
            if (mix % 50 == 0) date += "/..";
            Interaction one = meeting(mix == 1 ? fmt::format("key-{}", rows) : "", date, who);
            const InteractionId id = must(tx->add_interaction(one));
            if (n != 100 && n != 8191 && n != 8192 && n != 8193 && n != 12'000 && n != 16'384) continue;
            CHECK(must(rows_of(view.timeline({}, {}))).size() == rows);
            CHECK(must(view.get_interaction(id)).participants == one.participants);
            CHECK(must(view.get_interaction(InteractionId{1 + rows / 2})).id == InteractionId{1 + rows / 2});
          }
          must(tx->commit("many"));
          tx = must(store->begin());
        }
        CHECK(must(rows_of(store->view()->timeline({}, {}))).size() == rows);
        CHECK(must(rows_of(must(store->view_at(CommitNumber{1}))->timeline({}, {}))).size() == 18'000);
        CHECK(must(rows_of(must(store->view_at(CommitNumber{2}))->timeline({}, {}))).size() == 18'100);
      }
      const auto store = must(reopen(folder.path("s")));
      const std::string text = must(dump(*store->view()));
      texts.push_back(text.substr(text.find('\n')));  // the first line has the time of the commit
    }
  }
  for (const std::string& text : texts) CHECK((text == texts.front()));
}

// The same code against a store of one's own and against a server: the same answers.

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/proto/served_store.h"

namespace demarche::proto::tests {

namespace {

const Moment kWalkout = Moment::of("hnc-walkout");

std::vector<std::string> names(const ActorPage& page) {
  std::vector<std::string> out;
  for (const Actor& actor : page.records) out.push_back(actor.name);
  return out;
}

// What a piece of code answers, whichever session it is given: values as text, or the error.
using Code = std::function<Result<std::string>(Session&)>;

std::string on(Session& session, const Code& code) {
  const auto answer = code(session);
  return answer ? *answer
                : "error " + std::to_string(static_cast<int>(answer.error().code)) + ": " + answer.error().message;
}

template <typename IdType, typename Record>
std::string text_of(const Page<IdType, Record>& page) {
  std::string out = page.more ? "more " : "";
  for (const IdType id : page.ids) out += std::to_string(id.value) + " ";
  for (const Record& record : page.records) out += record.key + " ";
  return out;
}

}  // namespace

TEST_CASE("a chain of four steps is one round trip") {
  ServedStore served;
  const auto session = served.connect();
  const auto state = must(session->snapshot());
  const WireTotals before = session->wire();
  const auto page = must(state->actor("john-kerry")
                             .contacts({.before = kWalkout})
                             .counterparts()
                             .contacts({.before = kWalkout})
                             .page({.limit = 5, .records = true}));
  const WireTotals after = session->wire();
  CHECK(page.ids.size() == 5);
  CHECK(after.turns - before.turns == 1);
  // actor, contacts, counterparts, contacts, page: five calls, each with the word that its answer was taken.
  CHECK(after.messages_sent - before.messages_sent == 10);
}

TEST_CASE("hop by hop, every step is a round trip of its own") {  // that the count above can count
  ServedStore served;
  const auto session = served.connect();
  const auto state = must(session->snapshot());
  const WireTotals before = session->wire();
  const auto hop = must(state->actor("john-kerry").contacts({.before = kWalkout}).page({.limit = 3}));
  REQUIRE(hop.ids.size() == 3);
  for (const InteractionId id : hop.ids) CHECK(must(state->interaction(id).counterparts().count()) > 0);
  CHECK(session->wire().turns - before.turns >= 4);
}

TEST_CASE("traversals: embedded and remote give the same") {
  ServedStore served;
  const auto local = local_session(served.store());
  const auto remote = served.connect();
  const std::vector<std::pair<std::string, Code>> cases = {
      {"contacts",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         DEMARCHE_TRY(const auto page, state->actor("john-kerry").contacts().page({.records = true}));
         return text_of(page);
       }},
      {"two hops before the walkout",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         DEMARCHE_TRY(const auto page, state->actor("John Kerry")
                                           .contacts({.before = kWalkout})
                                           .counterparts()
                                           .contacts({.before = kWalkout, .possible = true})
                                           .page({.limit = 7, .records = true}));
         return text_of(page);
       }},
      {"pages",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         std::string out;
         for (std::uint64_t after = 0;;) {
           DEMARCHE_TRY(const auto page, state->actors("Person").page({.after = after, .limit = 3}));
           out += text_of(page) + "| ";
           if (!page.more) return out;
           after = page.ids.back().value;
         }
       }},
      {"roles, kinds and status",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         const Filter filter{.kinds = {"NEGOTIATION"}, .roles = {Role::kMediator}, .status = StatusFilter::kAny};
         DEMARCHE_TRY(const auto mediated, state->actors().contacts(filter).page());
         DEMARCHE_TRY(const auto all, state->interactions(filter).page());
         DEMARCHE_TRY(const auto not_held, state->interactions({.status = StatusFilter::kNotHeld}).count());
         return text_of(mediated) + "/ " + text_of(all) + "/ " + std::to_string(not_held);
       }},
      {"sets",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         const Actors kerry = state->actor("john-kerry").contacts().counterparts();
         const Actors lavrov = state->actor("sergey-lavrov").contacts().counterparts();
         std::string out;
         for (const Actors& set : {kerry.united(lavrov), kerry.common(lavrov), kerry.without(lavrov)}) {
           DEMARCHE_TRY(const auto page, set.page({.records = true}));
           out += text_of(page) + "/ ";
         }
         const Interactions all = state->interactions();
         DEMARCHE_TRY(const auto rest, all.without(state->interactions({.during = Moment::date("2016-03")})).count());
         DEMARCHE_TRY(const auto both, all.common(state->interactions({.kinds = {"MEETING"}})).count());
         return out + std::to_string(rest) + " " + std::to_string(both);
       }},
      {"only, participants, labels",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         const Interactions meetings =
             state->interactions().only({.kinds = {"CONTACT"}, .after = Moment::date("2016-02")});
         DEMARCHE_TRY(const auto parties, meetings.participants({Role::kPrincipal}).with_label("Person").page());
         DEMARCHE_TRY(const auto counterparts, meetings.counterparts().count());
         return text_of(parties) + std::to_string(counterparts);
       }},
      {"reach",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         std::string out;
         for (const ChronologyMode mode :
              {ChronologyMode::kDefault, ChronologyMode::kStrict, ChronologyMode::kPossibly}) {
           DEMARCHE_TRY(const auto page, state->actor("john-kerry").reach({.mode = mode, .before = kWalkout}).page());
           out += text_of(page) + "/ ";
         }
         return out;
       }},
      {"lines",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         std::vector<std::string> lines;
         for (const Interactions& set :
              {state->interactions({.kinds = {"CONTACT"}}), state->actor("john-kerry").contacts(),
               state->interactions({.status = StatusFilter::kAny})}) {
           DEMARCHE_TRY(const auto stream, set.lines());
           ContactLines batch;
           while (true) {
             DEMARCHE_CHECK(stream->next(batch));
             if (batch.size == 0) break;
             for (std::size_t i = 0; i < batch.size; ++i) {
               lines.push_back(std::to_string(batch.interaction[i]) + "," + std::to_string(batch.actor[i]) + "," +
                               std::to_string(batch.other[i]) + "," + std::to_string(batch.begin[i]) + "," +
                               std::to_string(batch.kind[i]));
             }
           }
           lines.push_back("/");
         }
         std::sort(lines.begin(), lines.end());
         std::string out;
         for (const std::string& line : lines) out += line + " ";
         return out;
       }},
      {"an actor that is not there",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         DEMARCHE_TRY(const auto n, state->actor("jon-kery").contacts().counterparts().count());
         return std::to_string(n);
       }},
      {"a date that is none",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         DEMARCHE_TRY(const auto n, state->interactions({.before = Moment::date("2016-02-30")}).count());
         return std::to_string(n);
       }},
      {"a kind that is none",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         DEMARCHE_TRY(const auto n, state->interactions({.kinds = {"MEETNG"}}).count());
         return std::to_string(n);
       }},
      {"an interaction that is not there",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         DEMARCHE_TRY(const auto n, state->interactions({.after = Moment::of("hnc-walkot")}).count());
         return std::to_string(n);
       }},
      {"a description too deep",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         Actors set = state->actors();
         for (int i = 0; i < 100; ++i) set = set.with_label("Person");
         DEMARCHE_TRY(const auto n, set.count());
         return std::to_string(n);
       }},
      {"records and questions of a state",
       [](Session& s) -> Result<std::string> {
         DEMARCHE_TRY(const auto state, s.snapshot());
         DEMARCHE_TRY(const auto walkout, state->find_interaction("hnc-walkout"));
         DEMARCHE_TRY(const Interaction record, state->get_interaction(walkout.value()));
         DEMARCHE_TRY(const auto before, state->contacts_before(record.when->bounds, {false, false, *walkout, {}}));
         DEMARCHE_TRY(const ActorId from, state->resolve_actor("High Negotiations Committee"));
         DEMARCHE_TRY(const ActorId to, state->resolve_actor("Vladimir Putin"));
         ChronologyOptions options;
         options.before = record.when->bounds;
         DEMARCHE_TRY(const auto arrival, state->earliest_arrival(from, to, options));
         DEMARCHE_TRY(const auto totals, state->totals());
         DEMARCHE_TRY(const ActorId kerry, state->resolve_actor("john-kerry"));
         DEMARCHE_TRY(const auto offices, state->offices(kerry));
         DEMARCHE_TRY(const auto nearest, state->nearest_key("hnc-walkot"));
         DEMARCHE_TRY(const auto matches, state->names("s", 10));
         std::string out = record.key + " " + record.when->text + " " + std::to_string(record.claims.size()) + " ";
         for (const Claim& claim : record.claims) {
           DEMARCHE_TRY(const Source source, state->get_source(claim.source));
           out += source.key + " ";
         }
         DEMARCHE_TRY(const ActorId someone, state->resolve_actor("sergey-lavrov"));
         DEMARCHE_TRY(const auto his, state->contacts_before(record.when->bounds, {false, false, *walkout, {someone}}));
         out += std::to_string(before.size()) + " " + std::to_string(his.size()) + " ";
         for (const ContactBefore& c : before) {
           out += std::to_string(c.interaction.value) + std::to_string(static_cast<int>(c.precedence)) + " ";
         }
         out += arrival ? std::to_string(arrival->latest.seconds) + " " + std::to_string(arrival->path.size()) : "no";
         for (const KindTotal& k : totals.kinds)
           out += " " + std::to_string(k.kind.value) + ":" + std::to_string(k.count);
         for (const InteractionId id : offices) out += " " + std::to_string(id.value);
         for (const NameMatch& match : matches) out += " " + match.normal_form;
         return out + " " + nearest + " " + std::to_string(state->statistics().actors);
       }},
  };
  for (const auto& [name, code] : cases) {
    DYNAMIC_SECTION(name) {
      const std::string embedded = on(*local, code);
      CHECK(embedded.size() > 3);
      CHECK(on(*remote, code) == embedded);
    }
  }
}

TEST_CASE("traversals: what a set is, by hand") {
  ServedStore served(false);
  const auto session = served.connect();
  REQUIRE(
      session->query("CREATE (a {key: 'a', name: 'A'})-[:MEETING {when: '2016-01-05'}]->(b {key: 'b', name: 'B'}), "
                     "(b)-[:CALL {when: '2016-02'}]->(c {key: 'c', name: 'C'}), (d {key: 'd', name: 'D'})"));
  const auto state = must(session->snapshot());
  const PageOptions with_records{.records = true};
  CHECK(names(must(state->actor("a").contacts().counterparts().page(with_records))) == std::vector<std::string>{"B"});
  CHECK(names(must(state->actor("b").contacts().counterparts().page(with_records))) ==
        std::vector<std::string>{"A", "C"});
  CHECK(names(must(state->actor("b").contacts({.after = Moment::date("2016-01")}).counterparts().page(with_records))) ==
        std::vector<std::string>{"C"});
  CHECK(names(must(state->actor("a").contacts().counterparts().contacts().counterparts().page(with_records))) ==
        std::vector<std::string>{"A", "C"});
  CHECK(names(must(state->actor("a").reach().page(with_records))) == std::vector<std::string>{"B", "C"});
  CHECK(names(must(state->actor("c").reach().page(with_records))) == std::vector<std::string>{"B"});
  CHECK(must(state->actor("d").contacts().count()) == 0);
  CHECK(must(state->interactions({.before = Moment::date("2016-02-10")}).count()) == 1);
  CHECK(must(state->interactions({.before = Moment::date("2016-02-10"), .possible = true}).count()) == 2);
}

TEST_CASE("snapshots: what is written later is not seen") {
  ServedStore served;
  const auto session = served.connect();
  const auto before = must(session->snapshot());
  const std::uint64_t count = must(before->actors().count());
  const auto written = must(session->query("CREATE (:Person {key: 'new-one', name: 'New One'})"));
  CHECK(written->changes().actors_created == 1);
  CHECK(must(before->actors().count()) == count);
  CHECK(must(must(session->snapshot())->actors().count()) == count + 1);
  CHECK(must(must(session->snapshot_at(before->statistics().commit))->actors().count()) == count);
  CHECK_FALSE(session->snapshot_at({1'000'000}));
}

TEST_CASE("recording: one commit, the same commit id only once, and a mistake changes nothing") {
  ServedStore served;
  const std::vector<std::unique_ptr<Session>> sessions = [&] {
    std::vector<std::unique_ptr<Session>> out;
    out.push_back(served.connect());
    out.push_back(local_session(served.store()));
    return out;
  }();
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    const std::string key = "one-" + std::to_string(i);
    const std::string line = R"({"actor": {"key": ")" + key + R"(", "name": "One", "labels": ["Person"]}})" + "\n";
    Session& session = *sessions[i];
    const auto first = session.record(line, "a note", "id-" + std::to_string(i));
    if (!first) FAIL(first.error().message);
    CHECK(first->actors == 1);
    CHECK(must(must(session.snapshot())->actor(key).count()) == 1);
    const auto wrong = session.record("{\"actor\": 5}\n", "", "");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().message.find("line:1:") == 0);
  }
}

TEST_CASE("a reader is refused what writes, by either kind of session") {
  ServerOptions options;
  options.token_always = true;
  demarche::tests::TempFolder folder;
  options.tokens_file = folder.path("tokens");
  ServedStore served(true, options);
  const std::string token = must(TokenStore::create(options.tokens_file, Access::kReader, 0, "", 0));
  const auto remote = served.connect({.token = token});
  CHECK(remote->access() == Access::kReader);
  const auto local = local_session(served.store(), Access::kReader);
  for (Session* session : {static_cast<Session*>(remote.get()), local.get()}) {
    const auto written = session->query("CREATE (:Person)");
    REQUIRE_FALSE(written);
    CHECK(written.error().code == ErrorCode::kDenied);
    CHECK(session->record("{}", "", "").error().code == ErrorCode::kDenied);
    CHECK(session->checkpoint().error().code == ErrorCode::kDenied);
    const auto state = must(session->snapshot());
    CHECK(state->query("CREATE (:Person)").error().code == ErrorCode::kDenied);
  }
}

TEST_CASE("a checkpoint is an admin's") {
  ServedStore served;
  CHECK(must(served.connect()->checkpoint()).value == 1);
}

TEST_CASE("a session goes on when its connection was lost") {
  ServedStore served;
  const auto session = served.connect();
  const auto old = must(session->snapshot());
  served.stop();
  const auto lost = session->snapshot();
  REQUIRE_FALSE(lost);
  CHECK(lost.error().message.find("connection lost") != std::string::npos);
  served.start();
  CHECK(must(must(session->snapshot())->actors().count()) > 0);
  CHECK_FALSE(old->actors().count());
}

TEST_CASE("addresses that are none are refused, and a place where nobody listens") {
  CHECK(connect("http://127.0.0.1:1", {}).error().code == ErrorCode::kInvalidArgument);
  CHECK(connect("demarche://127.0.0.1", {}).error().code == ErrorCode::kInvalidArgument);
  CHECK(connect("demarche+unix:", {}).error().code == ErrorCode::kInvalidArgument);
  const auto nobody = connect("demarche+unix:/nonexistent/socket", {});
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().message.find("does `demarche serve` run there?") != std::string::npos);
}

TEST_CASE("servers refuse addresses that are none, and to be reached from elsewhere without TLS") {
  ServedStore served;
  const auto refused = [&](const std::string& listen) {
    ServerOptions options;
    options.listen = {listen};
    options.log = false;
    const auto server = Server::start(served.store(), options);
    REQUIRE_FALSE(server);
    return server.error().message;
  };
  CHECK(refused("nonsense") == "'nonsense' is no address to listen on; write unix:PATH or HOST:PORT");
  CHECK(refused("127.0.0.1:70000").find("no address") != std::string::npos);
  CHECK(refused("0.0.0.0:0").find("--tls-cert") != std::string::npos);
  CHECK(refused("unix:" + served.folder().path("socket")).find("another server listens") == 0);
  CHECK(refused("unix:" + served.folder().path("store")).find("is there already and no socket") != std::string::npos);
}

}  // namespace demarche::proto::tests

// Export for Gephi: what becomes a node, an edge, a spell, and that the file is whole or not there. Every file written
// here is read back by xmllint, if there is one; the case tagged [shared] also holds it against the schema, which comes
// from a directory outside this repository (DEMARCHE_SHARED), and says so when it cannot.
#include "engine/exchange/gexf.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/store.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace demarche;
using Catch::Matchers::Contains;

template <typename T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

// Says once that it is missing.
bool has_xmllint() {
  static const bool found = [] {
    const bool there = std::system("command -v xmllint >/dev/null 2>&1") == 0;
    if (!there) WARN("no xmllint: files are not read back; install libxml2-utils");
    return there;
  }();
  return found;
}

void check_well_formed(const std::string& path) {
  if (has_xmllint()) CHECK(std::system(("xmllint --nonet --noout '" + path + "'").c_str()) == 0);
}

// What stands between `first` and `last`, both included; "" if it is not there.
std::string part(const std::string& text, const std::string& first, const std::string& last) {
  const std::size_t begin = text.find(first);
  if (begin == std::string::npos) return {};
  const std::size_t end = text.find(last, begin);
  return end == std::string::npos ? std::string() : text.substr(begin, end + last.size() - begin);
}

std::string edge(const std::string& text, const std::string& id) {
  return part(text, "<edge id=\"" + id + "\"", "</edge>");
}

// The spells of an edge, one after the other: "2016-04-01..2016-04-30 2017-01-01..".
std::string spells(const std::string& text, const std::string& id) {
  const std::string whole = edge(text, id);
  REQUIRE_FALSE(whole.empty());
  std::string out;
  for (std::size_t at = whole.find("<spell"); at != std::string::npos; at = whole.find("<spell", at + 1)) {
    if (whole.compare(at, 8, "<spells>") == 0) continue;
    const std::string spell = whole.substr(at, whole.find("/>", at) - at);
    const auto side = [&](const std::string& name) {
      const std::size_t begin = spell.find(name + "=\"");
      return begin == std::string::npos ? std::string() : spell.substr(begin + name.size() + 2, 10);
    };
    out += (out.empty() ? "" : " ") + side("start") + ".." + side("end");
  }
  return out;
}

// The value of an edge's attribute, "" if it has none.
std::string value(const std::string& text, const std::string& id, const std::string& name) {
  const std::string head = "<attvalue for=\"" + name + "\" value=\"";
  const std::string found = part(edge(text, id), head, "\"/>");
  return found.empty() ? "" : found.substr(head.size(), found.size() - head.size() - 3);
}

Participant as(ActorId actor, Role role = Role::kParticipant) { return {actor, role, std::nullopt}; }

// A store being filled, then exported. Actors and interactions have the numbers 1, 2, 3... in order of addition.
class Notes {
 public:
  Notes() {
    store_ = must(Store::open(folder_.path("store"), {.create_if_missing = true, .sync = false}));
    tx_ = must(store_->begin());
  }

  ActorId actor(const std::string& name) { return actor("", name); }
  ActorId actor(const std::string& key, const std::string& name, std::vector<std::string> labels = {},
                std::vector<std::string> aliases = {}) {
    Actor actor;
    actor.key = key;
    actor.name = name;
    actor.labels = std::move(labels);
    actor.aliases = std::move(aliases);
    actors_.push_back(must(tx_->add_actor(std::move(actor))));
    return actors_.back();
  }
  SourceId source(const std::string& key) {
    Source source;
    source.key = key;
    return must(tx_->add_source(std::move(source)));
  }

  InteractionId add(Interaction interaction) {
    interactions_.push_back(must(tx_->add_interaction(std::move(interaction))));
    return interactions_.back();
  }
  // A meeting unless another kind is named; "" for no date.
  InteractionId add(const std::string& date, std::vector<Participant> participants, KindId kind = kinds::kMeeting) {
    Interaction interaction;
    interaction.kind = kind;
    interaction.participants = std::move(participants);
    if (!date.empty()) interaction.when = must(parse_when(date));
    return add(std::move(interaction));
  }
  InteractionId meeting(const std::string& date, const std::vector<ActorId>& actors) {
    std::vector<Participant> participants;
    for (const ActorId id : actors) participants.push_back(as(id));
    return add(date, std::move(participants));
  }

  std::shared_ptr<const View> view() {
    if (tx_) {
      must(tx_->commit("notes"));
      tx_.reset();
    }
    return store_->view();
  }

  std::string path() const { return folder_.path("out.gexf"); }
  const tests::TempFolder& folder() const { return folder_; }

  // Exports all interactions and returns the file.
  std::string write(const GexfOptions& options = {}, const std::vector<ActorId>& actors = {}) {
    report = must(write_gexf(*view(), interactions_, actors, path(), options));
    check_well_formed(path());
    return read_file(path());
  }

  GexfReport report;
  std::vector<InteractionId> interactions_;
  std::vector<ActorId> actors_;

 private:
  tests::TempFolder folder_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Transaction> tx_;
};

TEST_CASE("gexf: a meeting of three is three undirected edges, and a forum is a node without any") {
  Notes notes;
  const ActorId a = notes.actor("A");
  const ActorId b = notes.actor("B");
  const ActorId c = notes.actor("C");
  const ActorId un = notes.actor("UN");
  notes.add("2016-04-29", {as(c), as(a), as(b), as(un, Role::kForum)});
  const std::string text = notes.write();
  CHECK(notes.report.nodes == 4);
  CHECK(notes.report.edges == 3);
  CHECK(notes.report.interactions == 1);
  CHECK(notes.report.without_edges == 0);
  CHECK_THAT(text, Contains("<node id=\"a4\" label=\"UN\">"));
  CHECK_THAT(text, Contains("<edge id=\"u1-2-7\" source=\"a1\" target=\"a2\" type=\"undirected\" kind=\"MEETING\" "
                            "label=\"MEETING\" weight=\"1\">"));
  CHECK_FALSE(edge(text, "u1-3-7").empty());
  CHECK_FALSE(edge(text, "u2-3-7").empty());
  CHECK_THAT(text, !Contains("\"a4\" target") && !Contains("target=\"a4\""));
  CHECK_THAT(text, Contains(" defaultedgetype=\"undirected\""));
}

TEST_CASE("gexf: delegations meet the mediator, not one another") {
  Notes notes;
  const ActorId mediator = notes.actor("M");
  const ActorId one = notes.actor("D1");
  const ActorId two = notes.actor("D2");
  notes.add("2016-04-13", {as(one, Role::kDelegation), as(mediator, Role::kMediator), as(two, Role::kDelegation)},
            kinds::kMediation);
  const std::string text = notes.write();
  CHECK(notes.report.edges == 2);
  CHECK_THAT(edge(text, "d1-2-10"), Contains("source=\"a1\" target=\"a2\" type=\"directed\" kind=\"MEDIATION\""));
  CHECK_THAT(edge(text, "d1-3-10"), Contains("source=\"a1\" target=\"a3\" type=\"directed\""));
}

TEST_CASE("gexf: whoever is represented has the edges of its agent and none to it") {
  Notes notes;
  const ActorId caller = notes.actor("Minister");
  const ActorId callee = notes.actor("Envoy");
  const ActorId state = notes.actor("State");
  notes.add("2016-04-13", {{caller, Role::kCaller, state}, as(callee, Role::kCallee)}, kinds::kCall);
  const std::string text = notes.write();
  CHECK(notes.report.edges == 2);
  CHECK_FALSE(edge(text, "d1-2-6").empty());
  CHECK_FALSE(edge(text, "d3-2-6").empty());
}

TEST_CASE("gexf: calls there and back are two directed edges, and a mixed graph names no default type") {
  Notes notes;
  const ActorId a = notes.actor("A");
  const ActorId b = notes.actor("B");
  const auto call = [&](const std::string& date, ActorId from, ActorId to) {
    notes.add(date, {as(to, Role::kCallee), as(from, Role::kCaller)}, kinds::kCall);
  };
  call("2016-01-01", a, b);
  call("2016-01-02", b, a);
  call("2016-01-03", a, b);
  std::string text = notes.write();
  CHECK(notes.report.edges == 2);
  CHECK_THAT(edge(text, "d1-2-6"),
             Contains("source=\"a1\" target=\"a2\" type=\"directed\"") && Contains("weight=\"2\""));
  CHECK_THAT(edge(text, "d2-1-6"),
             Contains("source=\"a2\" target=\"a1\" type=\"directed\"") && Contains("weight=\"1\""));
  CHECK_THAT(text, Contains(" defaultedgetype=\"directed\""));

  Notes mixed;
  const ActorId c = mixed.actor("C");
  const ActorId d = mixed.actor("D");
  mixed.meeting("2016-01-04", {c, d});
  mixed.add("2016-01-01", {as(c, Role::kCaller), as(d, Role::kCallee)}, kinds::kCall);
  text = mixed.write();
  CHECK(mixed.report.edges == 2);
  CHECK_THAT(text, !Contains("defaultedgetype"));
  CHECK_THAT(edge(text, "u1-2-7"), Contains("type=\"undirected\""));
  CHECK_THAT(edge(text, "d1-2-6"), Contains("type=\"directed\""));
}

TEST_CASE("gexf: a pair that called each other in one interaction has no direction") {
  Notes notes;
  const ActorId a = notes.actor("A");
  const ActorId b = notes.actor("B");
  notes.add("2016", {as(a, Role::kCaller), as(b, Role::kCallee), as(b, Role::kCaller), as(a, Role::kCallee)},
            kinds::kCall);
  const std::string text = notes.write();
  CHECK_THAT(edge(text, "u1-2-6"), Contains("type=\"undirected\"") && Contains("weight=\"1\""));
}

TEST_CASE("gexf: a contact with oneself is one undirected loop") {
  Notes notes;
  const ActorId a = notes.actor("A");
  notes.add("2016-04-29", {as(a, Role::kInitiator), as(a, Role::kRecipient)}, kinds::kContact);
  const std::string text = notes.write();
  CHECK(notes.report.nodes == 1);
  CHECK(notes.report.edges == 1);
  CHECK_THAT(edge(text, "u1-1-2"), Contains("source=\"a1\" target=\"a1\" type=\"undirected\""));
}

TEST_CASE("gexf: an interaction of one actor is a node without edges, and is counted") {
  Notes notes;
  notes.meeting("2016-04-29", {notes.actor("A")});
  notes.write();
  CHECK(notes.report.nodes == 1);
  CHECK(notes.report.edges == 0);
  CHECK(notes.report.without_edges == 1);
}

TEST_CASE("gexf: merged edges count their interactions and have a spell for each") {
  Notes notes;
  const ActorId a = notes.actor("A");
  const ActorId b = notes.actor("B");
  notes.meeting("2016-05-03", {b, a});
  notes.meeting("2016-04-29", {a, b});
  notes.meeting("2016-05-04", {a, b});
  notes.add("2016-06-01", {as(a), as(b)}, kinds::kNegotiation);
  const std::string text = notes.write();
  CHECK(notes.report.edges == 2);
  CHECK_THAT(edge(text, "u1-2-7"), Contains("weight=\"3\""));
  // Neighbouring days share no day.
  CHECK(spells(text, "u1-2-7") == "2016-04-29..2016-04-29 2016-05-03..2016-05-03 2016-05-04..2016-05-04");
  CHECK(value(text, "u1-2-7", "dates") == "2016-04-29; 2016-05-03; 2016-05-04");
  CHECK(spells(text, "u1-2-9") == "2016-06-01..2016-06-01");
}

TEST_CASE("gexf: spells that share a day become one, and none overlap") {
  Notes notes;
  const ActorId a = notes.actor("A");
  const ActorId b = notes.actor("B");
  notes.meeting("2016-05-20/2016-06-02", {a, b});
  notes.meeting("2016-05", {a, b});
  notes.meeting("2016-05-10", {a, b});
  notes.meeting("2016-06-02", {a, b});
  notes.meeting("2016-06-03", {a, b});
  CHECK(spells(notes.write(), "u1-2-7") == "2016-05-01..2016-06-02 2016-06-03..2016-06-03");
}

TEST_CASE("gexf: a vague date reaches from its first possible day to its last") {
  const auto spell = [](const std::string& date) {
    Notes notes;
    const ActorId a = notes.actor("A");
    notes.meeting(date, {a, notes.actor("B")});
    const std::string text = notes.write();
    CHECK(value(text, "u1-2-7", "dates") == date);
    return spells(text, "u1-2-7");
  };
  CHECK(spell("2016") == "2016-01-01..2016-12-31");
  CHECK(spell("2016-02~") == "2016-02-01..2016-02-29");
  CHECK(spell("201X") == "2010-01-01..2019-12-31");
  CHECK(spell("[2016-04-13,2016-04-15]") == "2016-04-13..2016-04-15");
  CHECK(spell("2016-03-14/2016-04") == "2016-03-14..2016-04-30");
  CHECK(spell("2016-04-29T13:05:00Z") == "2016-04-29..2016-04-29");
  CHECK(spell("1914-07-28") == "1914-07-28..1914-07-28");
  CHECK(spell("0001-01-01") == "0001-01-01..0001-01-01");
  CHECK(spell("9999-12-31") == "9999-12-31..9999-12-31");
}

TEST_CASE("gexf: an open side has no day") {
  Notes notes;
  const ActorId a = notes.actor("A");
  const ActorId b = notes.actor("B");
  const ActorId c = notes.actor("C");
  const ActorId d = notes.actor("D");
  notes.meeting("2016-02-27/..", {a, b});
  notes.meeting("../2016-02-27", {a, c});
  notes.meeting("2016-02-27/", {a, d});
  notes.meeting("2017", {a, b});
  const std::string text = notes.write();
  CHECK(spells(text, "u1-2-7") == "2016-02-27..");
  CHECK(spells(text, "u1-3-7") == "..2016-02-27");
  CHECK(spells(text, "u1-4-7") == "2016-02-27..");
  CHECK(notes.report.beyond_calendar == 0);
}

TEST_CASE("gexf: open spells that meet in the middle leave an edge that is always there") {
  Notes notes;
  const ActorId a = notes.actor("A");
  const ActorId b = notes.actor("B");
  notes.meeting("2016-02-27/..", {a, b});
  notes.meeting("../2016-02-27", {a, b});
  const std::string text = notes.write();
  CHECK_THAT(edge(text, "u1-2-7"), Contains("weight=\"2\"") && !Contains("spell"));
}

TEST_CASE("gexf: an undated interaction counts but has no time of its own") {
  Notes notes;
  const ActorId a = notes.actor("A");
  const ActorId b = notes.actor("B");
  const ActorId c = notes.actor("C");
  notes.meeting("", {a, b});
  notes.meeting("2016-04", {a, b});
  notes.meeting("", {a, c});
  const std::string text = notes.write();
  CHECK(notes.report.undated == 2);
  CHECK_THAT(edge(text, "u1-2-7"), Contains("weight=\"2\""));
  CHECK(spells(text, "u1-2-7") == "2016-04-01..2016-04-30");
  CHECK_THAT(edge(text, "u1-3-7"), !Contains("spell") && !Contains("attvalue"));
}

TEST_CASE("gexf: days outside the years 1 to 9999 are left out and counted, not moved") {
  Notes notes;
  const ActorId a = notes.actor("A");
  const ActorId b = notes.actor("B");
  const ActorId c = notes.actor("C");
  const ActorId d = notes.actor("D");
  notes.meeting("-0043-03-15", {a, b});
  notes.meeting("0066", {a, b});
  notes.meeting("-0043/0014-08-19", {a, c});
  notes.meeting("2016/Y12000", {a, d});
  notes.meeting("0000", {b, c});
  notes.meeting("Y12000", {b, c});
  notes.meeting("-0500/Y12000", {c, d});
  const std::string text = notes.write();
  CHECK(notes.report.beyond_calendar == 6);
  CHECK(notes.report.undated == 0);
  CHECK(spells(text, "u1-2-7") == "0066-01-01..0066-12-31");
  CHECK(value(text, "u1-2-7", "dates") == "-0043-03-15; 0066");
  CHECK(spells(text, "u1-3-7") == "..0014-08-19");
  CHECK(spells(text, "u1-4-7") == "2016-01-01..");
  CHECK(spells(text, "u2-3-7").empty());
  CHECK(spells(text, "u3-4-7").empty());
}

TEST_CASE("gexf: on request every interaction is an edge of its own") {
  Notes notes;
  const ActorId a = notes.actor("A");
  const ActorId b = notes.actor("B");
  notes.meeting("2016-04", {b, a});
  notes.meeting("2016-04-20", {a, b});
  const std::string text = notes.write({.edges = GexfEdges::kEach});
  CHECK(notes.report.edges == 2);
  CHECK_THAT(edge(text, "i1-1-2"), Contains("source=\"a1\" target=\"a2\"") && Contains("weight=\"1\""));
  CHECK(spells(text, "i1-1-2") == "2016-04-01..2016-04-30");
  CHECK(spells(text, "i2-1-2") == "2016-04-20..2016-04-20");
}

TEST_CASE("gexf: attributes name dates, places, keys, statuses and sources once each, in order of time") {
  Notes notes;
  const ActorId a = notes.actor("A");
  const ActorId b = notes.actor("B");
  const SourceId un = notes.source("un-report");
  const SourceId wire = notes.source("wire");
  const auto add = [&](const std::string& date, const std::string& key, const std::string& place, Status status,
                       const std::vector<SourceId>& sources) {
    Interaction interaction;
    interaction.key = key;
    interaction.kind = kinds::kMeeting;
    if (!date.empty()) interaction.when = must(parse_when(date));
    interaction.participants = {as(a), as(b)};
    interaction.status = status;
    interaction.place = place;
    for (const SourceId source : sources) {
      Claim claim;
      claim.source = source;
      interaction.claims.push_back(claim);
    }
    notes.add(std::move(interaction));
  };
  add("2016-05-01", "late", "Kuwait", Status::kHeld, {wire, un});
  add("", "some-time", "Muscat", Status::kPlanned, {});
  add("2016-04-01", "early", "Biel", Status::kHeld, {wire});
  add("2016-05-01", "", "Kuwait", Status::kNone, {});
  const std::string text = notes.write();
  CHECK(value(text, "u1-2-7", "dates") == "2016-04-01; 2016-05-01");
  CHECK(value(text, "u1-2-7", "places") == "Biel; Kuwait; Muscat");
  CHECK(value(text, "u1-2-7", "keys") == "early; late; some-time");
  CHECK(value(text, "u1-2-7", "statuses") == "held; planned");
  CHECK(value(text, "u1-2-7", "sources") == "wire; un-report");
}

TEST_CASE("gexf: nodes have key, labels and aliases, and a label in any case") {
  Notes notes;
  const ActorId kerry = notes.actor("kerry", "John Kerry", {"Person", "Minister"}, {"J. Kerry", "كيري"});
  const ActorId keyed = notes.actor("some-key", "");
  const ActorId nameless = notes.actor("", "", {}, {"x"});
  const std::string text = notes.write({}, {nameless, keyed, kerry, kerry});
  CHECK(notes.report.nodes == 3);
  CHECK(part(text, "<node id=\"a1\"", "</node>") ==
        "<node id=\"a1\" label=\"John Kerry\">\n"
        "    <attvalues>\n"
        "     <attvalue for=\"key\" value=\"kerry\"/>\n"
        "     <attvalue for=\"labels\" value=\"Minister;Person\"/>\n"
        "     <attvalue for=\"aliases\" value=\"J. Kerry; كيري\"/>\n"
        "    </attvalues>\n"
        "   </node>");
  CHECK_THAT(text, Contains("<node id=\"a2\" label=\"some-key\">"));
  CHECK_THAT(text, Contains("<node id=\"a3\" label=\"actor 3\">"));
  CHECK_THAT(text, Contains("<edges count=\"0\">"));
}

TEST_CASE("gexf: what is special to XML is escaped and what people write stays") {
  Notes notes;
  notes.actor("Smith & \"Sons\" <Ltd> 'x'");
  notes.actor("عبد الملك \xE2\x80\x8F(الحوثي)");
  notes.actor("one\ttwo\r\nthree");
  const std::string text = notes.write({.creator = "a & b", .description = "x < y"}, notes.actors_);
  CHECK_THAT(text, Contains("label=\"Smith &amp; &quot;Sons&quot; &lt;Ltd&gt; &apos;x&apos;\""));
  CHECK_THAT(text, Contains("label=\"عبد الملك \xE2\x80\x8F(الحوثي)\""));
  CHECK_THAT(text, Contains("label=\"one&#9;two&#13;&#10;three\""));
  CHECK_THAT(text, Contains("<creator>a &amp; b</creator>") && Contains("<description>x &lt; y</description>"));
  CHECK(notes.report.replaced_characters == 0);
}

TEST_CASE("gexf: characters that XML forbids are replaced and counted") {
  Notes notes;
  notes.actor(
      "a\x01"
      "b\x0B"
      "c\x1F"
      "d\xEF\xBF\xBE"
      "e\xEF\xBF\xBF");                            // U+FFFE, U+FFFF
  notes.actor("\x7F\xC2\x85\xF0\x9F\x98\x80");     // DEL, NEL and an emoji are allowed
  const std::string bad("\xFF\xED\xA0\x80\0", 5);  // not UTF-8, a surrogate, zero
  const std::string text = notes.write({.creator = bad}, notes.actors_);
  const std::string r = "\xEF\xBF\xBD";
  CHECK_THAT(text, Contains("label=\"a" + r + "b" + r + "c" + r + "d" + r + "e" + r + "\""));
  CHECK_THAT(text, Contains("label=\"\x7F\xC2\x85\xF0\x9F\x98\x80\""));
  CHECK_THAT(text, Contains("<creator>" + r + r + r + r + r + "</creator>"));
  CHECK(notes.report.replaced_characters == 10);
}

TEST_CASE("gexf: order and repetition of what is asked for change nothing") {
  Notes notes;
  const ActorId a = notes.actor("A");
  const ActorId b = notes.actor("B");
  const ActorId c = notes.actor("C");
  notes.meeting("2016-05", {a, b, c});
  notes.meeting("2016-04", {c, b});
  notes.meeting("", {b, a});
  for (const GexfEdges edges : {GexfEdges::kMerged, GexfEdges::kEach}) {
    const GexfOptions options{.edges = edges, .modified = "2026-01-01"};
    const std::string first = notes.write(options, {a, b});
    CHECK_THAT(first, Contains("<meta lastmodifieddate=\"2026-01-01\">"));
    auto shuffled = notes.interactions_;
    std::reverse(shuffled.begin(), shuffled.end());
    shuffled.insert(shuffled.end(), notes.interactions_.begin(), notes.interactions_.end());
    const std::vector<ActorId> actors = {b, c, a, b};
    const auto again = must(write_gexf(*notes.view(), shuffled, actors, notes.path(), options));
    CHECK(read_file(notes.path()) == first);
    CHECK(again.interactions == 3);
    CHECK(again.edges == notes.report.edges);
    CHECK(again.undated == 1);
  }
}

TEST_CASE("gexf: nothing asked for is an empty graph") {
  Notes notes;
  const std::string text = notes.write();
  CHECK(notes.report.nodes == 0);
  CHECK_THAT(text, Contains("<nodes count=\"0\">") && Contains("<edges count=\"0\">"));
}

TEST_CASE("gexf: a date of the file that is not a day is refused") {
  Notes notes;
  for (const char* text :
       {"", "2016", "2016-04", "2016-02-30", "2016-04-2X", "0000-01-01", "2016-04-29\"", "2016-04-29Z"}) {
    INFO(text);
    const auto result = write_gexf(*notes.view(), {}, {}, notes.path(), {.modified = text});
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK_FALSE(std::filesystem::exists(notes.path()));
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) out.push_back(entry.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

TEST_CASE("gexf: a missing folder is named and nothing is left behind") {
  Notes notes;
  const std::string path = notes.folder().path("absent/out.gexf");
  const auto result = write_gexf(*notes.view(), {}, {}, path);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::kIo);
  CHECK(result.error().message == "write '" + path + "': No such file or directory");
  CHECK(files_in(notes.folder().path()) == std::vector<std::string>{"store"});
}

TEST_CASE("gexf: an id that is not in the store is refused before anything is written") {
  Notes notes;
  write_file(notes.path(), "old");
  const std::vector<InteractionId> interactions = {InteractionId{99}};
  const std::vector<ActorId> actors = {ActorId{99}};
  const auto no_interaction = write_gexf(*notes.view(), interactions, {}, notes.path());
  REQUIRE_FALSE(no_interaction.has_value());
  CHECK(no_interaction.error().code == ErrorCode::kNotFound);
  const auto no_actor = write_gexf(*notes.view(), {}, actors, notes.path());
  REQUIRE_FALSE(no_actor.has_value());
  CHECK(no_actor.error().code == ErrorCode::kNotFound);
  CHECK(read_file(notes.path()) == "old");
  CHECK(files_in(notes.folder().path()) == std::vector<std::string>{"out.gexf", "store"});
}

TEST_CASE("gexf: a folder or a device is not replaced by a file") {
  Notes notes;
  std::filesystem::create_directory(notes.path());
  for (const std::string& path : {notes.path(), std::string("/dev/null")}) {
    const auto result = write_gexf(*notes.view(), {}, {}, path);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK_FALSE(std::filesystem::is_regular_file("/dev/null"));
}

// A limit on the size of files stands in for a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

TEST_CASE("gexf: a failed write keeps the old file, and a good one replaces it") {
  Notes notes;
  for (int i = 0; i < 1000; ++i) notes.actor("Actor number " + std::to_string(i) + std::string(100, 'x'));
  const auto view = notes.view();
  write_file(notes.path(), "old");
  for (const rlim_t bytes : {rlim_t{0}, rlim_t{1000}, rlim_t{100'000}}) {
    INFO(bytes);
    const auto result = [&] {
      const FileSizeLimit limit(bytes);
      return write_gexf(*view, {}, notes.actors_, notes.path());
    }();
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == ErrorCode::kIo);
    CHECK(result.error().message == "write '" + notes.path() + "': File too large");
    CHECK(read_file(notes.path()) == "old");
    CHECK(files_in(notes.folder().path()) == std::vector<std::string>{"out.gexf", "store"});
  }
  CHECK_THAT(notes.write({}, notes.actors_), Contains("<nodes count=\"1000\">"));
  CHECK(files_in(notes.folder().path()) == std::vector<std::string>{"out.gexf", "store"});
}

TEST_CASE("gexf: a temporary name that is taken is left alone") {
  Notes notes;
  const std::string taken = notes.path() + "." + std::to_string(getpid()) + "-0.new";
  write_file(taken, "somebody's");
  notes.write();
  CHECK(read_file(taken) == "somebody's");
}

std::string shared_dir() {
  if (const char* dir = std::getenv("DEMARCHE_SHARED"); dir != nullptr && *dir != '\0') return dir;
  const std::string configured = DEMARCHE_SHARED_DIR;
  return configured.empty() ? DEMARCHE_SOURCE_DIR "/../shared" : configured;
}

// Something of everything that has a form of its own in the file.
void add_everything(Notes& notes) {
  const ActorId a = notes.actor("a", "A & <B> \"C\"", {"L"}, {"ا", "x\ty\x02"});
  const ActorId b = notes.actor(" B  b ");
  const ActorId c = notes.actor("");
  for (const char* date : {"2016", "2016-04-29", "2016/..", "../2016", "2016-04-29T13:05:00Z", "-0043", "Y12000", "",
                           "0001-01-01", "9999-12-31", "-0043/2016", "201X~", "[..1999]"}) {
    notes.meeting(date, {a, b, c});
    notes.add(date, {as(a, Role::kCaller), as(c, Role::kCallee)}, kinds::kCall);
    notes.meeting(date, {b, c});
  }
  notes.add("2016", {as(a, Role::kInitiator), as(a, Role::kRecipient)}, kinds::kContact);
}

TEST_CASE("gexf: files are valid by the schema of GEXF 1.3", "[shared]") {
  const std::string schema = shared_dir() + "/gexf/1.3/gexf.xsd";
  if (!std::filesystem::exists(schema)) {
    WARN("skipped: no '" << schema << "'; set DEMARCHE_SHARED to the directory that holds gexf/");
    return;
  }
  if (!has_xmllint()) {
    WARN("skipped: no xmllint; install libxml2-utils");
    return;
  }
  Notes notes;
  add_everything(notes);
  const auto check_valid = [&] {
    const std::string quiet = " 2>'" + notes.folder().path("xmllint.txt") + "'";
    const int status =
        std::system(("xmllint --nonet --noout --schema '" + schema + "' '" + notes.path() + "'" + quiet).c_str());
    INFO(read_file(notes.folder().path("xmllint.txt")));
    CHECK(status == 0);
  };
  const GexfOptions full{.modified = "2026-01-01", .description = "everything & more"};
  notes.write(full);
  check_valid();
  notes.write({.edges = GexfEdges::kEach, .creator = ""});
  check_valid();
  must(write_gexf(*notes.view(), {}, {}, notes.path()));
  check_valid();
  must(write_gexf(*notes.view(), {}, notes.actors_, notes.path()));
  check_valid();
}

}  // namespace

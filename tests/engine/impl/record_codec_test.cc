// Records: round trips, and refusal of bytes that are no record. What a message of the right form says in its texts and
// numbers is not checked against other records here. The examples of engine/FORMAT.md: format_test.cc.
#include "engine/impl/record_codec.h"

#include <random>
#include <string>

#include <catch2/catch.hpp>

namespace {

using namespace demarche;
using namespace demarche::impl;

Properties properties() {
  Properties out;
  set_property(out, "held", {true});
  set_property(out, "round", {std::int64_t{-3}});
  set_property(out, "share", {0.5});
  set_property(out, "venue", {std::string("Palais des Nations \0 Geneva", 27)});
  set_property(out, "until", {DateText{"2016-04~"}});
  set_property(out, "lasted", {TimeText{TimeForm::kDuration, "P1M2DT3S"}});
  set_property(out, "days",
               {std::vector<PropertyValue>{{std::int64_t{1}}, {std::string("two")}, {std::vector<PropertyValue>{}}}});
  return out;
}

Actor actor() {
  Actor out;
  out.id = ActorId{7};
  out.key = "riyad-hijab";
  out.name = "رياض حجاب";
  out.labels = {"Person", "Politician"};
  out.aliases = {"Riyad Hijab", "Riad Hijab"};
  out.properties = properties();
  return out;
}

Interaction interaction() {
  Interaction out;
  out.id = InteractionId{42};
  out.row = RowNumber{44};
  out.key = "kerry-hijab-call";
  out.kind = kinds::kCall;
  out.when = *parse_when("[2016-04-28..2016-04-30]");
  out.participants = {{ActorId{7}, Role::kCaller, {}}, {ActorId{8}, Role::kCallee, ActorId{9}}};
  out.status = Status::kHeld;
  out.place = "Geneva";
  out.part_of = InteractionId{12};
  out.properties = properties();
  Claim claim;
  claim.source = SourceId{3};
  claim.locator = "p. 4";
  claim.words = "they spoke by telephone";
  claim.published = *parse_when("2016-05");
  claim.when = *parse_when("2016-04-29?");
  claim.status = Status::kPlanned;
  claim.note = "second hand";
  out.claims = {claim, Claim{}};
  out.claims[1].source = SourceId{4};
  return out;
}

Source source() {
  Source out;
  out.id = SourceId{3};
  out.key = "abc-2016-05";
  out.title = "Call on Aleppo";
  out.publisher = "ABC";
  out.url = "https://example.org/x";
  out.published = *parse_when("2016-05-01");
  out.grade = "B2";
  out.note = "seen";
  return out;
}

CommitRecord commit() {
  CommitRecord out;
  out.time_micros = 1461934800000000;
  out.first_row = RowNumber{42};
  out.next_row = RowNumber{43};
  out.next_actor = ActorId{10};
  out.next_source = SourceId{2};
  out.actor_count = 9;
  out.interaction_count = 42;
  out.source_count = 1;
  out.note = "note";
  return out;
}

void check_same(const Actor& a, const Actor& b) {
  CHECK(a.id == b.id);
  CHECK(a.key == b.key);
  CHECK(a.name == b.name);
  CHECK(a.labels == b.labels);
  CHECK(a.aliases == b.aliases);
  CHECK(a.properties == b.properties);
}

void check_same(const Interaction& a, const Interaction& b) {
  CHECK(a.id == b.id);
  CHECK(a.row == b.row);
  CHECK(a.key == b.key);
  CHECK(a.kind == b.kind);
  CHECK(a.when == b.when);
  CHECK(a.participants == b.participants);
  CHECK(a.status == b.status);
  CHECK(a.place == b.place);
  CHECK(a.part_of == b.part_of);
  CHECK(a.properties == b.properties);
  CHECK(a.claims == b.claims);
}

// All five, so that damage is tried on each.
void decode_all(std::string_view bytes, int& refused) {
  const auto count = [&refused](const auto& result) {
    if (result) return;
    ++refused;
    CHECK(result.error().code == ErrorCode::kCorruption);
  };
  count(decode_actor(ActorId{1}, bytes));
  count(decode_interaction(InteractionId{1}, bytes));
  count(decode_source(SourceId{1}, bytes));
  count(decode_kind(KindId{1}, bytes));
  count(decode_commit(bytes));
}

}  // namespace

TEST_CASE("record codec: what goes in comes out") {
  const auto a = decode_actor(ActorId{7}, encode_actor(actor()));
  REQUIRE(a);
  check_same(*a, actor());
  const auto i = decode_interaction(InteractionId{42}, encode_interaction(interaction()));
  REQUIRE(i);
  check_same(*i, interaction());
  const auto s = decode_source(SourceId{3}, encode_source(source()));
  REQUIRE(s);
  CHECK(s->key == source().key);
  CHECK(s->title == source().title);
  CHECK(s->publisher == source().publisher);
  CHECK(s->url == source().url);
  CHECK(s->published == source().published);
  CHECK(s->grade == source().grade);
  CHECK(s->note == source().note);
  const auto k = decode_kind(KindId{1000}, encode_kind({KindId{1000}, kinds::kCall, "HOTLINE", "041", "CONSULT"}));
  REQUIRE(k);
  CHECK(k->id == KindId{1000});
  CHECK(k->parent == kinds::kCall);
  CHECK(k->name == "HOTLINE");
  CHECK(k->cameo == "041");
  CHECK(k->plover == "CONSULT");
  const auto c = decode_commit(encode_commit(commit()));
  REQUIRE(c);
  CHECK(c->time_micros == commit().time_micros);
  CHECK(c->first_row == commit().first_row);
  CHECK(c->next_row == commit().next_row);
  CHECK(c->next_actor == commit().next_actor);
  CHECK(c->next_source == commit().next_source);
  CHECK(c->actor_count == 9);
  CHECK(c->interaction_count == 42);
  CHECK(c->source_count == 1);
  CHECK(c->note == "note");
}

TEST_CASE("record codec: absent, empty and undated stay so") {
  check_same(*decode_actor(ActorId{0}, encode_actor(Actor{})), Actor{});
  const auto i = decode_interaction(InteractionId{0}, encode_interaction(Interaction{}));
  REQUIRE(i);
  check_same(*i, Interaction{});
  CHECK_FALSE(i->when);
  CHECK_FALSE(i->part_of);
  CHECK_FALSE(decode_source(SourceId{1}, encode_source(Source{}))->published);
}

TEST_CASE("record codec: roles and statuses that do not exist are refused, the last ones are read") {
  const auto refused = [](const Interaction& i) {
    const auto result = decode_interaction(InteractionId{1}, encode_interaction(i));
    if (!result) CHECK(result.error().code == ErrorCode::kCorruption);
    return !result.has_value();
  };
  Interaction i;
  i.participants = {{ActorId{1}, Role{kRoleCount}, {}}};
  i.status = Status::kCancelled;
  CHECK_FALSE(refused(i));
  for (const int role : {0, kRoleCount + 1, 255}) {
    i.participants[0].role = static_cast<Role>(role);
    CHECK(refused(i));
  }
  i.participants.clear();
  i.status = static_cast<Status>(4);
  CHECK(refused(i));
  i.status = Status::kNone;
  i.claims = {Claim{}};
  i.claims[0].status = static_cast<Status>(200);
  CHECK(refused(i));
}

TEST_CASE("record codec: lists nest to a depth, then they are refused") {
  const auto nested = [](int depth) {
    PropertyValue value{std::int64_t{1}};
    for (int n = 0; n < depth; ++n) value = PropertyValue{std::vector<PropertyValue>{value}};
    Actor out;
    set_property(out.properties, "deep", value);
    return decode_actor(ActorId{0}, encode_actor(out)).has_value();
  };
  CHECK(nested(0));
  CHECK(nested(16));
  CHECK_FALSE(nested(17));
  CHECK_FALSE(nested(60));
}

TEST_CASE("record codec: a message cut short is refused, at every byte") {
  const auto cut = [](const std::string& bytes, const auto& decode) {
    CHECK(decode(bytes));
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      INFO("cut to " << n << " of " << bytes.size() << " bytes");
      CHECK_FALSE(decode(bytes.substr(0, n)));
    }
  };
  cut(encode_actor(actor()), [](const std::string& b) { return decode_actor(ActorId{1}, b).has_value(); });
  cut(encode_interaction(interaction()),
      [](const std::string& b) { return decode_interaction(InteractionId{1}, b).has_value(); });
  cut(encode_source(source()), [](const std::string& b) { return decode_source(SourceId{1}, b).has_value(); });
  cut(encode_kind({KindId{9}, KindId{1}, "X", "", ""}),
      [](const std::string& b) { return decode_kind(KindId{9}, b).has_value(); });
  cut(encode_commit(commit()), [](const std::string& b) { return decode_commit(b).has_value(); });
}

TEST_CASE("record codec: random bytes and random damage are read or refused, without harm") {
  const std::uint64_t seed = 5;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const std::vector<std::string> good = {encode_actor(actor()), encode_interaction(interaction()),
                                         encode_source(source()), encode_commit(commit())};
  int refused = 0;
  for (int round = 0; round < 8000; ++round) {
    std::string bytes;
    if (round % 2 == 0) {
      bytes.resize(random() % 80);
      for (char& c : bytes) c = static_cast<char>(random() % 2 == 0 ? random() % 4 : random());
    } else {
      bytes = good[random() % good.size()];
      for (std::uint64_t n = 1 + random() % 3; n > 0; --n) {
        bytes[random() % bytes.size()] ^= static_cast<char>(1U << (random() % 8));
      }
    }
    decode_all(bytes, refused);
  }
  CHECK(refused > 1000);
}

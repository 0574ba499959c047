#include "engine/kind.h"

#include <string>

#include <catch2/catch.hpp>

using namespace demarche;

TEST_CASE("kinds: the built-in ones have the ids that stores hold") {
  const KindTable table = KindTable::make_builtin();
  const std::vector<std::pair<const char*, KindId>> fixed = {{"INTERACTION", kinds::kInteraction},
                                                             {"CONTACT", kinds::kContact},
                                                             {"UTTERANCE", kinds::kUtterance},
                                                             {"ACTION", kinds::kAction},
                                                             {"TIE", kinds::kTie},
                                                             {"CALL", kinds::kCall},
                                                             {"MEETING", kinds::kMeeting},
                                                             {"VISIT", kinds::kVisit},
                                                             {"NEGOTIATION", kinds::kNegotiation},
                                                             {"MEDIATION", kinds::kMediation},
                                                             {"CONSULTATION", kinds::kConsultation},
                                                             {"HOLDS_OFFICE", kinds::kHoldsOffice},
                                                             {"MEMBER_OF", kinds::kMemberOf},
                                                             {"ALLIED_WITH", kinds::kAlliedWith}};
  for (const auto& [name, id] : fixed) {
    INFO(name);
    REQUIRE(table.find(name));
    CHECK(*table.find(name) == id);
    CHECK(table.get(id).name == name);
  }
  CHECK(table.find("WALKOUT") == KindId{25});
  CHECK(table.find("STATEMENT") == KindId{12});
}

TEST_CASE("kinds: each stands below its parent, up to the root") {
  const KindTable table = KindTable::make_builtin();
  for (const Kind& kind : table.all()) {
    INFO(kind.name);
    CHECK(table.is_below(kind.id, kind.id));
    CHECK(table.is_below(kind.id, kinds::kInteraction));
    if (kind.id == kinds::kInteraction) continue;
    CHECK(table.is_below(kind.id, kind.parent));
    CHECK_FALSE(table.is_below(kind.parent, kind.id));
  }
  CHECK(table.is_below(kinds::kCall, kinds::kContact));
  CHECK_FALSE(table.is_below(kinds::kCall, kinds::kUtterance));
  CHECK_FALSE(table.is_below(KindId{999}, kinds::kInteraction));
}

TEST_CASE("kinds: all_below holds the kind, what is below it, and nothing else") {
  KindTable table = KindTable::make_builtin();
  const KindId hotline = *table.declare("HOTLINE_CALL", kinds::kCall);
  const KindId late = *table.declare("LATE_HOTLINE_CALL", hotline);
  for (const Kind& ancestor : table.all()) {
    const KindSet set = table.all_below(ancestor.id);
    for (const Kind& kind : table.all()) {
      INFO(kind.name << " below " << ancestor.name);
      CHECK(set.contains(kind.id) == table.is_below(kind.id, ancestor.id));
    }
  }
  CHECK(table.all_below(kinds::kContact).contains(late));
  CHECK_FALSE(table.all_below(kinds::kMeeting).contains(late));
  CHECK(table.all_below(KindId{999}).is_none());
  CHECK_FALSE(table.all_below(KindId{999}).contains(kinds::kCall));
  CHECK(KindSet{}.is_any());
  CHECK(KindSet{}.contains(kinds::kCall));
}

TEST_CASE("kinds: declared ones are numbered from 1000 and found at once") {
  KindTable table = KindTable::make_builtin();
  const auto first = table.declare("Make a visit", kinds::kVisit, "042", "CONSULT");
  REQUIRE(first);
  CHECK(*first == kinds::kFirstDeclared);
  CHECK(*table.declare("Host a visit", kinds::kVisit) == KindId{1001});
  CHECK(table.find("Make a visit") == *first);
  CHECK(table.get(*first).cameo == "042");
  CHECK(table.get(*first).plover == "CONSULT");
  CHECK(table.names().back() == "Host a visit");
  CHECK(table.find_id(KindId{1002}) == nullptr);
}

TEST_CASE("kinds: declaring the same again changes nothing") {
  KindTable table = KindTable::make_builtin();
  const KindId id = *table.declare("HOTLINE", kinds::kCall);
  const std::size_t count = table.all().size();
  CHECK(*table.declare("HOTLINE", kinds::kCall) == id);
  CHECK(*table.declare("MEETING", kinds::kContact) == kinds::kMeeting);
  CHECK(table.all().size() == count);
}

TEST_CASE("kinds: a kind cannot be declared below another parent, and the message names both") {
  KindTable table = KindTable::make_builtin();
  REQUIRE(table.declare("HOTLINE", kinds::kCall));
  const std::size_t count = table.all().size();
  const auto other = table.declare("HOTLINE", kinds::kMeeting);
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::kInvalidArgument);
  CHECK(other.error().message == "kind 'HOTLINE' is already declared below CALL, it cannot also stand below MEETING");
  CHECK_FALSE(table.declare("MEETING", kinds::kUtterance));
  CHECK_FALSE(table.declare("INTERACTION", kinds::kContact));
  CHECK(table.all().size() == count);
}

TEST_CASE("kinds: a parent that is not declared is refused, one that is is taken") {
  KindTable table = KindTable::make_builtin();
  const auto orphan = table.declare("ORPHAN", KindId{777});
  REQUIRE_FALSE(orphan);
  CHECK(orphan.error().message == "kind 'ORPHAN': its parent is not declared");
  CHECK_FALSE(table.declare("ROOTLESS", KindId{0}));
  CHECK_FALSE(table.find("ORPHAN"));
  CHECK(table.declare("ORPHAN", kinds::kInteraction));
}

TEST_CASE("kinds: names are 1 to 200 bytes of printable UTF-8") {
  KindTable table = KindTable::make_builtin();
  CHECK(table.declare(std::string(200, 'A'), kinds::kAction));
  CHECK_FALSE(table.declare(std::string(201, 'A'), kinds::kAction));
  CHECK_FALSE(table.declare("", kinds::kAction));
  CHECK_FALSE(table.declare("A\tB", kinds::kAction));
  CHECK_FALSE(table.declare("A\nB", kinds::kAction));
  CHECK_FALSE(table.declare(std::string_view("A\0B", 3), kinds::kAction));
  CHECK_FALSE(table.declare("A\x1F", kinds::kAction));
  CHECK_FALSE(table.declare("A\xFF", kinds::kAction));
  CHECK(table.declare("لقاء", kinds::kMeeting));
  CHECK(table.declare("Praise or endorse", kinds::kUtterance));
}

TEST_CASE("kinds: DEL and the control characters above it are refused too") {
  KindTable table = KindTable::make_builtin();
  CHECK_FALSE(table.declare("A\x7F", kinds::kAction));
  CHECK_FALSE(table.declare("A\xC2\x85", kinds::kAction));
}

TEST_CASE("kinds: lower case finds the upper-case kind unless one is spelt exactly so") {
  KindTable table = KindTable::make_builtin();
  CHECK(table.find("meeting") == kinds::kMeeting);
  CHECK(table.find("Meeting") == kinds::kMeeting);
  CHECK_FALSE(table.find("meetings"));
  const KindId own = *table.declare("meeting", kinds::kContact);
  CHECK(own != kinds::kMeeting);
  CHECK(table.find("meeting") == own);
  CHECK(table.find("MEETING") == kinds::kMeeting);
}

TEST_CASE("kinds: a stored kind comes back under its id, a contradiction is corruption") {
  KindTable table = KindTable::make_builtin();
  REQUIRE(table.restore({KindId{1005}, kinds::kCall, "HOTLINE", "", ""}));
  CHECK(table.find("HOTLINE") == KindId{1005});
  CHECK(*table.declare("NEXT", kinds::kCall) == KindId{1006});
  const auto same_id = table.restore({KindId{1005}, kinds::kCall, "OTHER", "", ""});
  REQUIRE_FALSE(same_id);
  CHECK(same_id.error().code == ErrorCode::kCorruption);
  CHECK_FALSE(table.restore({KindId{1007}, kinds::kCall, "HOTLINE", "", ""}));
  CHECK_FALSE(table.restore({KindId{1007}, KindId{4242}, "LOST", "", ""}));
}

TEST_CASE("kinds: an unknown name is answered with the nearest one") {
  const KindTable table = KindTable::make_builtin();
  CHECK(table.unknown_message("MEETNG") == "unknown kind 'MEETNG'; did you mean MEETING?");
  CHECK(table.unknown_message("XQZW").find("did you mean") == std::string::npos);
  CHECK(table.unknown_message("XQZW").find("unknown kind 'XQZW'") == 0);
}

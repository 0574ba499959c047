#include "engine/model.h"

#include <set>
#include <string>

#include <catch2/catch.hpp>

using namespace demarche;

TEST_CASE("roles: each number has a name of its own, found again, and a side") {
  std::set<std::string> names;
  for (std::uint8_t r = 1; r <= kRoleCount; ++r) {
    const Role role{r};
    const std::string name(role_name(role));
    INFO("role " << int{r} << " " << name);
    CHECK_FALSE(name.empty());
    CHECK(names.insert(name).second);
    CHECK(find_role(name) == role);
  }
  CHECK(role_names().size() == kRoleCount);
  CHECK(std::set<std::string>(names) == [] {
    const auto all = role_names();
    return std::set<std::string>(all.begin(), all.end());
  }());
  CHECK_FALSE(find_role("Caller"));
  CHECK_FALSE(find_role(""));
  CHECK_FALSE(find_role("bystander"));
}

TEST_CASE("roles: sides are those of the design") {
  for (const Role r :
       {Role::kCaller, Role::kPrincipal, Role::kMediator, Role::kAnnouncer, Role::kSpeaker, Role::kSponsor,
        Role::kReporter, Role::kWalkedOut, Role::kVisitor, Role::kInitiator, Role::kHolder, Role::kMember}) {
    CHECK(side_of(r) == Side::kFrom);
  }
  for (const Role r : {Role::kCallee, Role::kCounterpart, Role::kDelegation, Role::kAddressee, Role::kAbout,
                       Role::kHost, Role::kRecipient, Role::kBody}) {
    CHECK(side_of(r) == Side::kTo);
  }
  CHECK(side_of(Role::kParticipant) == Side::kBoth);
  CHECK(side_of(Role::kForum) == Side::kNone);
}

TEST_CASE("status: names and numbers; no status has no name and is not found by one") {
  CHECK(status_name(Status::kNone).empty());
  for (const Status s : {Status::kHeld, Status::kPlanned, Status::kCancelled}) CHECK(find_status(status_name(s)) == s);
  CHECK_FALSE(find_status(""));
  CHECK_FALSE(find_status("Held"));
  CHECK(static_cast<int>(Status::kCancelled) == 3);
}

TEST_CASE("parties: participants in order, then whoever they acted for, in order of the agents") {
  const auto parties = parties_of({{ActorId{1}, Role::kCaller, {}},
                                   {ActorId{2}, Role::kCallee, ActorId{9}},
                                   {ActorId{3}, Role::kCallee, ActorId{8}}});
  REQUIRE(parties.size() == 5);
  CHECK(parties[0] == Party{ActorId{1}, Role::kCaller, Party::kNoAgent});
  CHECK(parties[2] == Party{ActorId{3}, Role::kCallee, Party::kNoAgent});
  CHECK(parties[3] == Party{ActorId{9}, Role::kRepresented, 1});
  CHECK(parties[4] == Party{ActorId{8}, Role::kRepresented, 2});
  CHECK(parties_of({}).empty());
}

TEST_CASE("properties: kept in order of key, the last value of a key counts") {
  Properties p;
  set_property(p, "venue", {std::string("Geneva")});
  set_property(p, "round", {std::int64_t{2}});
  set_property(p, "until", {DateText{"2016-04"}});
  set_property(p, "round", {std::int64_t{3}});
  REQUIRE(p.size() == 3);
  CHECK(p[0].first == "round");
  CHECK(p[2].first == "venue");
  REQUIRE(find_property(p, "round"));
  CHECK(*find_property(p, "round") == PropertyValue{std::int64_t{3}});
  CHECK(find_property(p, "roun") == nullptr);
  CHECK(find_property(p, "") == nullptr);
  CHECK(find_property({}, "x") == nullptr);
}

TEST_CASE("grades: a letter A to F and a digit 1 to 6") {
  for (const char* good : {"A1", "B2", "F6"}) CHECK(is_admiralty_grade(good));
  for (const char* bad : {"", "A", "G1", "A0", "A7", "a1", "1A", "A1 ", "A11"}) CHECK_FALSE(is_admiralty_grade(bad));
}

#include "engine/contact.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace demarche;

namespace {

constexpr ActorId kA{1}, kB{2}, kC{3}, kD{4}, kX{10}, kY{11};
using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

// The pairs of actors in contact, each as its two ids.
std::vector<std::pair<std::uint64_t, std::uint64_t>> actors(const std::vector<Participant>& participants,
                                                            bool rule = true) {
  const std::vector<Party> parties = parties_of(participants);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
  for (const auto& [i, j] : contact_pairs(parties, rule)) {
    out.emplace_back(std::min(parties[i].actor.value, parties[j].actor.value),
                     std::max(parties[i].actor.value, parties[j].actor.value));
  }
  std::sort(out.begin(), out.end());
  return out;
}
using ActorPairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

}  // namespace

TEST_CASE("contact: the rule is that of CONTACT and all below it") {
  KindTable table = KindTable::make_builtin();
  CHECK(has_contact_rule(table, kinds::kContact));
  CHECK(has_contact_rule(table, kinds::kMediation));
  CHECK(has_contact_rule(table, *table.declare("HOTLINE", kinds::kCall)));
  CHECK_FALSE(has_contact_rule(table, kinds::kInteraction));
  CHECK_FALSE(has_contact_rule(table, kinds::kUtterance));
  CHECK_FALSE(has_contact_rule(table, kinds::kHoldsOffice));
}

TEST_CASE("contact: participants meet one another") {
  CHECK(actors({{kA, Role::kParticipant, {}}, {kB, Role::kParticipant, {}}, {kC, Role::kParticipant, {}}}) ==
        ActorPairs{{1, 2}, {1, 3}, {2, 3}});
  CHECK(actors({{kA, Role::kParticipant, {}}}).empty());
  CHECK(actors({}).empty());
}

TEST_CASE("contact: a principal meets each counterpart, not other principals; counterparts do not meet") {
  const std::vector<Participant> p = {{kA, Role::kPrincipal, {}},
                                      {kB, Role::kPrincipal, {}},
                                      {kC, Role::kCounterpart, {}},
                                      {kD, Role::kCounterpart, {}}};
  CHECK(actors(p) == ActorPairs{{1, 3}, {1, 4}, {2, 3}, {2, 4}});
}

TEST_CASE("contact: a mediator meets each delegation, delegations of a proximity talk do not meet") {
  const std::vector<Participant> p = {
      {kA, Role::kMediator, {}}, {kB, Role::kDelegation, {}}, {kC, Role::kDelegation, {}}};
  CHECK(actors(p) == ActorPairs{{1, 2}, {1, 3}});
}

TEST_CASE("contact: caller and callee, visitor and host, initiator and recipient, in either order") {
  for (const auto& [a, b] : std::vector<std::pair<Role, Role>>{
           {Role::kCaller, Role::kCallee}, {Role::kVisitor, Role::kHost}, {Role::kInitiator, Role::kRecipient}}) {
    CHECK(actors({{kA, a, {}}, {kB, b, {}}}) == ActorPairs{{1, 2}});
    CHECK(actors({{kA, b, {}}, {kB, a, {}}}) == ActorPairs{{1, 2}});
    CHECK(actors({{kA, a, {}}, {kB, a, {}}}).empty());
    CHECK(actors({{kA, b, {}}, {kB, b, {}}}).empty());
  }
  CHECK(actors({{kA, Role::kCaller, {}}, {kB, Role::kHost, {}}}).empty());
  CHECK(actors({{kA, Role::kCaller, {}}, {kB, Role::kParticipant, {}}}).empty());
}

TEST_CASE("contact: a forum meets nobody, in whatever company") {
  for (std::uint8_t r = 1; r <= kRoleCount; ++r) {
    const Role role{r};
    if (role == Role::kRepresented) continue;
    CHECK(actors({{kA, Role::kForum, {}}, {kB, role, {}}}).empty());
  }
}

TEST_CASE("contact: without the rule any two parties are related, but nobody to whom acts for it") {
  CHECK(actors({{kA, Role::kSpeaker, {}}, {kB, Role::kAddressee, {}}, {kC, Role::kForum, {}}}, false) ==
        ActorPairs{{1, 2}, {1, 3}, {2, 3}});
  CHECK(actors({{kA, Role::kSpeaker, kX}, {kB, Role::kAddressee, {}}}, false) == ActorPairs{{1, 2}, {2, 10}});
}

TEST_CASE("contact: whoever is represented shares the contacts of its agent, not the agent") {
  const std::vector<Participant> p = {{kA, Role::kCaller, {}}, {kB, Role::kCallee, kX}};
  CHECK(actors(p) == ActorPairs{{1, 2}, {1, 10}});
  const std::vector<Participant> both = {{kA, Role::kCaller, kY}, {kB, Role::kCallee, kX}};
  CHECK(actors(both) == ActorPairs{{1, 2}, {1, 10}, {2, 11}, {10, 11}});
  CHECK(actors({{kA, Role::kMediator, kX}, {kB, Role::kDelegation, kY}, {kC, Role::kDelegation, {}}}) ==
        ActorPairs{{1, 2}, {1, 3}, {1, 11}, {2, 10}, {3, 10}, {10, 11}});
}

TEST_CASE("contact: a body with two envoys at one table is in contact neither with them nor with itself") {
  const std::vector<Participant> p = {
      {kA, Role::kParticipant, kX}, {kB, Role::kParticipant, kX}, {kC, Role::kParticipant, {}}};
  const ActorPairs got = actors(p);
  const auto has = [&](std::uint64_t a, std::uint64_t b) {
    return std::count(got.begin(), got.end(), std::pair(a, b)) > 0;
  };
  CHECK(has(3, 10));
  CHECK_FALSE(has(1, 10));
  CHECK_FALSE(has(2, 10));
  CHECK_FALSE(has(10, 10));
}

TEST_CASE("contact: the same actor on both sides is a contact with itself, once") {
  const std::vector<Party> parties = parties_of({{kA, Role::kInitiator, {}}, {kA, Role::kRecipient, {}}});
  CHECK(in_contact(parties, 0, 1, true));
  CHECK_FALSE(in_contact(parties, 0, 0, true));
  CHECK(contact_pairs(parties, true) == Pairs{{0, 1}});
}

TEST_CASE("contact: two roles of one actor give one pair with another") {
  const std::vector<Participant> p = {
      {kA, Role::kCaller, {}}, {kA, Role::kVisitor, {}}, {kB, Role::kCallee, {}}, {kB, Role::kHost, {}}};
  CHECK(actors(p) == ActorPairs{{1, 2}});
  CHECK(contact_pairs(parties_of(p), true) == Pairs{{0, 2}});
}

TEST_CASE("contact: in_contact is the same both ways round") {
  for (std::uint8_t r = 1; r <= kRoleCount; ++r) {
    for (std::uint8_t q = 1; q <= kRoleCount; ++q) {
      if (Role{r} == Role::kRepresented || Role{q} == Role::kRepresented) continue;
      const std::vector<Party> parties = parties_of({{kA, Role{r}, kX}, {kB, Role{q}, {}}});
      for (std::size_t i = 0; i < parties.size(); ++i) {
        for (std::size_t j = 0; j < parties.size(); ++j) {
          CHECK(in_contact(parties, i, j, true) == in_contact(parties, j, i, true));
        }
      }
      CHECK_FALSE(in_contact(parties, 0, 2, true));
      CHECK(in_contact(parties, 0, 1, true) == in_contact(parties, 2, 1, true));
    }
  }
}

TEST_CASE("contact: the side of a represented party is its agent's") {
  const std::vector<Party> parties =
      parties_of({{kA, Role::kCaller, kX}, {kB, Role::kCallee, kY}, {kC, Role::kForum, {}}});
  REQUIRE(parties.size() == 5);
  CHECK(party_side(parties, 0) == Side::kFrom);
  CHECK(party_side(parties, 1) == Side::kTo);
  CHECK(party_side(parties, 2) == Side::kNone);
  CHECK(party_side(parties, 3) == Side::kFrom);
  CHECK(party_side(parties, 4) == Side::kTo);
}

#include "engine/contact.h"

#include <algorithm>
#include <set>

namespace demarche {

namespace {

// A represented party answers with the role of its agent; chains (for X, who acts for Y) do not occur.
const Party& speaking_role(std::span<const Party> parties, std::size_t i) {
  const Party& party = parties[i];
  return party.agent == Party::kNoAgent ? party : parties[party.agent];
}

bool roles_meet(Role a, Role b) {
  switch (a) {
    case Role::kParticipant: return b == Role::kParticipant;
    case Role::kPrincipal: return b == Role::kCounterpart;
    case Role::kMediator: return b == Role::kDelegation;
    case Role::kCaller: return b == Role::kCallee;
    case Role::kVisitor: return b == Role::kHost;
    case Role::kInitiator: return b == Role::kRecipient;
    default: return false;
  }
}

}  // namespace

bool has_contact_rule(const KindTable& table, KindId kind) { return table.is_below(kind, kinds::kContact); }

bool in_contact(std::span<const Party> parties, std::size_t i, std::size_t j, bool rule) {
  if (i == j) return false;
  if (parties[i].agent == j || parties[j].agent == i) return false;
  if (parties[i].agent != Party::kNoAgent && parties[i].agent == parties[j].agent) return false;
  if (!rule) return true;
  const Role a = speaking_role(parties, i).role;
  const Role b = speaking_role(parties, j).role;
  return roles_meet(a, b) || roles_meet(b, a);
}

Side party_side(std::span<const Party> parties, std::size_t i) { return side_of(speaking_role(parties, i).role); }

std::vector<std::pair<std::size_t, std::size_t>> contact_pairs(std::span<const Party> parties, bool rule) {
  std::vector<std::pair<std::size_t, std::size_t>> out;
  std::set<std::pair<ActorId, ActorId>> seen;  // an actor may be there twice, for itself and for another
  for (std::size_t i = 0; i < parties.size(); ++i) {
    for (std::size_t j = i + 1; j < parties.size(); ++j) {
      if (!in_contact(parties, i, j, rule)) continue;
      if (seen.insert(std::minmax(parties[i].actor, parties[j].actor)).second) out.emplace_back(i, j);
    }
  }
  return out;
}

}  // namespace demarche

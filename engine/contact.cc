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
    case Role::kParticipant:
      return b == Role::kParticipant;
    case Role::kPrincipal:
      return b == Role::kCounterpart;
    case Role::kMediator:
      return b == Role::kDelegation;
    case Role::kCaller:
      return b == Role::kCallee;
    case Role::kVisitor:
      return b == Role::kHost;
    case Role::kInitiator:
      return b == Role::kRecipient;
    default:
      return false;
  }
}

}  // namespace

bool has_contact_rule(const KindTable& table, KindId kind) { return table.is_below(kind, kinds::kContact); }

namespace {

// Does party i act for `actor`?
bool acts_for(std::span<const Party> parties, std::size_t i, ActorId actor) {
  return std::any_of(parties.begin(), parties.end(), [&](const Party& p) { return p.agent == i && p.actor == actor; });
}

// One who is represented is not in contact with any of its agents, nor with itself through two of them.
bool same_camp(std::span<const Party> parties, std::size_t i, std::size_t j) {
  const bool i_represented = parties[i].agent != Party::kNoAgent;
  const bool j_represented = parties[j].agent != Party::kNoAgent;
  if (i_represented && j_represented && (parties[i].agent == parties[j].agent || parties[i].actor == parties[j].actor))
    return true;
  return (i_represented && acts_for(parties, j, parties[i].actor)) ||
         (j_represented && acts_for(parties, i, parties[j].actor));
}

}  // namespace

bool in_contact(std::span<const Party> parties, std::size_t i, std::size_t j, bool rule) {
  if (i == j) return false;
  if (same_camp(parties, i, j)) return false;
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

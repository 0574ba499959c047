// Who was in contact with whom within one interaction.
//
// The kind decides. In a CONTACT: participants with one another, principal with each counterpart, mediator with each
// delegation, caller with callee, visitor with host, initiator with recipient; nobody else, so that two delegations of
// a proximity talk are not in contact. Other kinds have no such rule: any two of their parties count as related.
// Whoever is represented shares the side and the contacts of its agent, and is not in contact with any of its agents. A
// forum is in contact with nobody in a CONTACT.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "engine/kind.h"
#include "engine/model.h"

namespace demarche {

// True if the kind restricts which roles were in contact (CONTACT and all below it).
[[nodiscard]] bool has_contact_rule(const KindTable& table, KindId kind);

// Are parties i and j related? REQUIRES: i, j < parties.size(). False for i == j. Two parties
// of the same actor can be related: an imported contact of an actor with itself.
[[nodiscard]] bool in_contact(std::span<const Party> parties, std::size_t i, std::size_t j, bool rule);

// The side of a party, a represented one having its agent's.
[[nodiscard]] Side party_side(std::span<const Party> parties, std::size_t i);

// All related pairs (i, j), i < j, at most once for each unordered pair of actors.
[[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> contact_pairs(std::span<const Party> parties, bool rule);

}  // namespace demarche

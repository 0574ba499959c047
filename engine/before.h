// "Who spoke with whom before ...": contacts by where they stand to a moment or span.
#pragma once

#include <vector>

#include "engine/result.h"
#include "engine/store.h"
#include "engine/when.h"

namespace demarche {

struct ContactBefore {
  InteractionId interaction;
  Precedence precedence = Precedence::kNot;  // never kNot
  TimeBounds bounds;
};

struct BeforeOptions {
  bool certain_only = false;
  bool planned_or_cancelled = false;  // those instead of what was held or states no status
  InteractionId except;               // the interaction that `bounds` belong to: not before itself
  // One: contacts of this actor. Two: of these with one another. More are refused. None: of anybody.
  std::vector<ActorId> actors;
};

// Contacts (CONTACT and all below; held, or of no status; with at least one pair in contact) before `bounds`, ordered
// by earliest begin, latest end and id; undated ones first, as possible. No record is no proof of no contact. Costs one
// pass over the timeline up to bounds.begin_max, or over the first actor's rows.
// Errors: kInvalidArgument for more than two actors; kCorruption, kIo.
[[nodiscard]] Result<std::vector<ContactBefore>> contacts_before(const View& view, const TimeBounds& bounds,
                                                                 const BeforeOptions& options = {});

}  // namespace demarche

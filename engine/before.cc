#include "engine/before.h"

#include <algorithm>
#include <span>
#include <tuple>

#include <fmt/format.h>

#include "engine/contact.h"

namespace demarche {

namespace {

// A record of one party alone, or of parties that the rule of contact keeps apart, tells of no contact.
bool any_in_contact(std::span<const Party> parties, const std::vector<ActorId>& actors) {
  const auto asked_for = [&](ActorId one, ActorId other) {
    if (actors.empty()) return true;
    if (actors.size() == 1) return one == actors[0] || other == actors[0];
    return (one == actors[0] && other == actors[1]) || (one == actors[1] && other == actors[0]);
  };
  for (std::size_t i = 0; i < parties.size(); ++i) {
    for (std::size_t j = i + 1; j < parties.size(); ++j) {
      if (asked_for(parties[i].actor, parties[j].actor) && in_contact(parties, i, j, /*rule=*/true)) return true;
    }
  }
  return false;
}

}  // namespace

Result<std::vector<ContactBefore>> contacts_before(const View& view, const TimeBounds& bounds,
                                                   const BeforeOptions& options) {
  if (options.actors.size() > 2) {
    return invalid(
        fmt::format("contacts of one actor, or of two with one another; {} actors are given", options.actors.size()));
  }
  // Whatever can have begun before must be able to begin before the last possible begin of `bounds`.
  const TimeWindow window{Timestamp::lowest(), bounds.begin_max};
  const KindSet contacts = view.kinds().all_below(kinds::kContact);
  DEMARCHE_TRY(RowCursor cursor, options.actors.empty() ? view.timeline(window, contacts)
                                                        : view.scan(options.actors[0], window, contacts));
  std::vector<ContactBefore> out;
  RowBatch rows;
  while (true) {
    DEMARCHE_CHECK(cursor.next(rows));
    if (rows.size() == 0) break;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool happened = rows.status[i] == Status::kHeld || rows.status[i] == Status::kNone;
      if (happened == options.planned_or_cancelled || rows.interaction[i] == options.except) continue;
      const Precedence p = precedence(rows.bounds[i], bounds);
      if (p == Precedence::kNot || (options.certain_only && p != Precedence::kCertain)) continue;
      if (!any_in_contact(rows.parties_of(i), options.actors)) continue;
      out.push_back({rows.interaction[i], p, rows.bounds[i]});
    }
  }
  std::sort(out.begin(), out.end(), [](const ContactBefore& a, const ContactBefore& b) {
    return std::tie(a.bounds.begin_min, a.bounds.end_max, a.interaction) <
           std::tie(b.bounds.begin_min, b.bounds.end_max, b.interaction);
  });
  return out;
}

}  // namespace demarche

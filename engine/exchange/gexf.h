// The graph of some interactions as GEXF 1.3, the file format of Gephi.
//
// Nodes are actors: id "a<number>", with key, labels and aliases as attributes. They have no time of their own, and
// Gephi's timeline shows what has no time at every position, so an actor stays in sight while its edges come and go.
//
// Edges join the pairs that were in contact (engine/contact.h); a forum in a contact is a node without edges. An edge
// is directed if the one was on the side of those who act and the other of those acted upon, and `kind` is the kind of
// the interaction. Interactions of one kind between the same two actors are parallel edges to Gephi, which merges them
// on import unless told not to; kMerged does that here, so that no time is lost. (A directed and an undirected edge of
// one kind between the same two actors remain two; an import that merges them adds up their weights.)
//
// Time is in whole days, UTC: a spell reaches from the first day an interaction can have been to the last, never a
// narrower one, and a side that is open has no day. The date as written is in the edge's attribute "dates". What has
// no date has no spell; an edge without spells is always shown. Of a merged edge
//   [2016-03 .. 2016-05] and [2016-05-20 .. 2016-06]     become one spell, for Gephi takes no overlaps
//   2016-03 and an undated one                           the spell of 2016-03 only
//   2016-03 and one that has always been, "../.."        always: no spells
// GEXF's days have four-digit years, from 1 on. A date beyond, on one side, leaves that side open; a date wholly
// before year 1 or after 9999 is treated as none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "engine/result.h"
#include "engine/store.h"
#include "engine/types.h"

namespace demarche {

enum class GexfEdges : std::uint8_t {
  kMerged,  // one edge for each (source, target, kind): weight counts its interactions, with a spell for each
  kEach,    // one edge for each interaction and pair; choose "don't merge" in Gephi's import dialogue
};

struct GexfOptions {
  GexfEdges edges = GexfEdges::kMerged;
  std::string creator = "demarche";
  std::optional<std::string> modified = std::nullopt;  // YYYY-MM-DD; the clock is not asked
  std::string description = {};
};

struct GexfReport {
  std::size_t nodes = 0;
  std::size_t edges = 0;
  std::size_t interactions = 0;
  std::size_t undated = 0;              // interactions without a date, exported without time
  std::size_t beyond_calendar = 0;      // interactions with a date, or a side of it, outside the years 1 to 9999
  std::size_t without_edges = 0;        // interactions none of whose parties were in contact: nodes only
  std::size_t replaced_characters = 0;  // control characters and bytes that are not UTF-8, written as U+FFFD
};

// Writes `interactions` and all that took part in them, and `actors` even without an interaction. Each is counted once,
// however often it is given and in whatever order: the same state of a store gives the same bytes. Written to a
// temporary file beside `path` that takes its place when it is on disk; on an error the file at `path` stays as it was.
// Holds the whole graph in memory.
// Errors: kNotFound for an id the view does not have; kInvalidArgument if `modified` is not a day, or something else
// than a plain file stands at `path`; kDenied; kIo (no such folder, disk full); kCorruption.
[[nodiscard]] Result<GexfReport> write_gexf(const View& view, std::span<const InteractionId> interactions,
                                            std::span<const ActorId> actors, const std::string& path,
                                            const GexfOptions& options = {});

}  // namespace demarche

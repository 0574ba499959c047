// When two actors are in contact and when not: silences, bursts, steadiness.
//
// The first two read a graph made as kInteractions, not directed, without self_contacts, with the columns begin and
// end. Answers are ordered by pair (lesser vertex first), then by time. Errors: those of `stop`, else as said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "engine/contact_graph.h"
#include "engine/result.h"
#include "engine/stop_check.h"
#include "engine/types.h"

namespace demarche {

// A stretch between two contacts of a pair within which none of those in the graph can have been, under any reading of
// their dates. Both ends included. What was not recorded is not known: a silence is one of the record.
struct Silence {
  ContactGraph::Vertex a = 0;
  ContactGraph::Vertex b = 0;
  Timestamp first;  // the second after the latest possible end of all contacts before
  Timestamp last;   // the second before the earliest possible begin of the next
};
// Those of at least `seconds_min`. An undated contact may have been at any time: its pair has none. Cost: sorting.
[[nodiscard]] Result<std::vector<Silence>> silences(const ContactGraph& graph, std::int64_t seconds_min,
                                                    const StopCheck& stop = {});

// A stretch in which a pair's contacts follow each other faster than usual for it, by the two-state automaton of
// Kleinberg (2002, "Bursty and Hierarchical Structure in Streams"): gaps between contacts are drawn from an exponential
// distribution, either with the pair's mean rate or with `ratio` times that; going over to the faster costs gamma * ln
// n for n gaps; the cheapest course is taken, the slower one where two cost the same. Only contacts known to the day
// are looked at, each at its earliest begin.
struct BurstOptions {
  double ratio = 2;
  double gamma = 1;
};
struct Burst {
  ContactGraph::Vertex a = 0;
  ContactGraph::Vertex b = 0;
  Timestamp begin;             // of its first contact
  Timestamp end;               // the begin of its last contact
  std::uint32_t contacts = 0;  // both included
  double weight = 0;           // how much cheaper the faster rate is over the burst
};
// Cost: sorting. Errors: kInvalidArgument for a ratio that is not above 1 or a gamma below 0.
[[nodiscard]] Result<std::vector<Burst>> bursts(const ContactGraph& graph, const BurstOptions& options = {},
                                                const StopCheck& stop = {});

// In how many of the periods added, in order of time, each pair was in contact.
class PairStability {
 public:
  struct Line {
    ActorId a;  // the lesser id
    ActorId b;
    std::uint32_t periods = 0;  // with contact
    std::uint32_t longest = 0;  // most of them in a row
  };
  // REQUIRES: made as kPairs, not directed.
  void add(const ContactGraph& period);
  [[nodiscard]] std::vector<Line> lines() const;  // by (a, b)

 private:
  struct Run {
    std::uint32_t periods = 0;
    std::uint32_t longest = 0;
    std::uint32_t running = 0;
    std::uint32_t last = 0;  // period of the last contact, from 1
  };
  std::map<std::pair<ActorId, ActorId>, Run> runs_;
  std::uint32_t periods_ = 0;
};

}  // namespace demarche

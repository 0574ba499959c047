// Answers a question from plain memory, by trying everything: slow, short, and with no plan, index or batch in it.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/query/oracle/question.h"

namespace demarche::oracle {

using Row = std::vector<std::int64_t>;  // ids by variable, 0 for null
using Rows = std::vector<Row>;          // a bag, sorted

// Faults that can be put into the reference, to see that comparing with it finds them.
enum class ReferenceFault {
  kNone,
  kAnyTwoParties,        // in a contact too, any two parties were in contact
  kAgentMeetsPrincipal,  // whoever is represented is in contact with its agent
  kInteractionTwice,     // one interaction may be used twice in a clause
  kArrowIgnored,         // an arrow is no more than a line
  kKindExact,            // a kind does not mean those below it
  kUnknownIsTrue,        // WHERE keeps what is not known
  kUndatedIsFalse,       // an undated interaction is before nothing
  kOptionalDrops,        // OPTIONAL MATCH drops rows that find nothing
  kLoneIsUnique,         // [c] alone takes part in the uniqueness of a clause
};

Rows reference_answer(const Graph& graph, const Question& question, ReferenceFault fault = ReferenceFault::kNone);

}  // namespace demarche::oracle

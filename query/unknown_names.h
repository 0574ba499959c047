// Notes on labels and properties that nothing in the store has: no error, but rarely what was meant.
#pragma once

#include <string>
#include <vector>

#include "engine/store.h"
#include "query/bind/bound.h"

namespace demarche::query {

// "no actor has the label 'Persn'; did you mean Person?" for each label and property that `query` asks actors and
// interactions for, that none of them has in this state, and that the query does not write itself. In an empty store
// nothing is noted.
// Cost: a seek for each label. Properties are looked for in stores of at most kRecordsLookedAt actors, or interactions:
// in larger ones nobody knows them without reading everything, so nothing is said. A record that cannot be read ends
// the search without a note: what the query itself reads of it is reported by the query.
inline constexpr std::uint64_t kRecordsLookedAt = 2000;
[[nodiscard]] std::vector<std::string> unknown_names(const View& view, const bound::Query& query);

}  // namespace demarche::query

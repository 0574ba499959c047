// Event data as a Dataset: rows "subject, relation, object, date" of one or several tables together.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bench/workload.h"
#include "engine/result.h"

namespace demarche::bench {

// Tables that are read if they are in the folder, as .tsv.zst or .tsv; relations.tsv must be there.
inline constexpr const char* kIcewsTables[] = {"icews14", "icews05-15", "icews18"};

struct IcewsReport {
  std::vector<std::string> tables;  // found
  std::size_t rows = 0;
  std::size_t folded = 0;  // mirrors of another row, and rows that two tables share
  std::size_t self = 0;    // of an actor with itself: left out
};

// Reads what there is in `folder`. Kinds are the twenty CAMEO roots. Rows of consultations, calls, meetings and
// negotiations stand for one interaction with their mirror of the same day; "make a visit" and "host a visit" likewise.
// Errors: kNotFound if there is no table or no relations.tsv; kInvalidArgument with file and line.
[[nodiscard]] Result<Dataset> read_icews(const std::string& folder, IcewsReport& report);

}  // namespace demarche::bench

// What of each row is read later: the rest is not copied along, and scans do not fill it.
#pragma once

#include "query/plan/plan.h"

namespace demarche::query {

// Narrows `carried`, `reads` and what inner plans are given, in the whole plan. REQUIRES: the query does not write.
void drop_unread(plan::Plan& plan);

// Notes what each query inside an expression reads of the rows around it, and whether it answers alike for alike rows.
void note_subqueries(plan::Plan& plan);

}  // namespace demarche::query

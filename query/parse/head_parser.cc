// Rules for what stands before a statement: FOR VALID_TIME and FOR SYSTEM_TIME.

#include <utility>

#include "query/parse/clause_parser.h"

namespace demarche::query {

using namespace ast;  // NOLINT(google-build-using-namespace): this file builds nothing else

Result<std::vector<TimeHead>> ClauseParser::parse_time_heads() {
  std::vector<TimeHead> out;
  while (is_word("FOR")) {
    DEMARCHE_TRY(TimeHead head, parse_time_head());
    for (const TimeHead& before : out) {
      if (before.clock != head.clock) continue;
      return syntax_error("UnexpectedSyntax", head.span,
                          fmt::format("FOR {} stands twice; a statement sees one state",
                                      head.clock == TimeHead::Clock::kValid ? "VALID_TIME" : "SYSTEM_TIME"));
    }
    out.push_back(std::move(head));
  }
  return out;
}

Result<TimeHead> ClauseParser::parse_time_head() {
  const std::size_t first = at_;
  TimeHead out;
  take();  // FOR
  if (take_word("SYSTEM_TIME")) {
    out.clock = TimeHead::Clock::kSystem;
  } else if (!take_word("VALID_TIME")) {
    return expected("VALID_TIME or SYSTEM_TIME");
  }
  const bool valid = out.clock == TimeHead::Clock::kValid;
  if (take_word("AS")) {
    DEMARCHE_CHECK(need_word("OF"));
    if (!valid && take_word("COMMIT")) out.form = TimeHead::Form::kCommit;
  } else if (valid && take_word("DURING")) {
    out.form = TimeHead::Form::kDuring;
  } else if (valid && take_word("FROM")) {
    out.form = TimeHead::Form::kFromTo;
  } else {
    return expected(valid ? "AS OF, DURING, or FROM .. TO" : "AS OF (the state of knowledge is asked for at one time)");
  }
  DEMARCHE_ASSIGN(out.at, parse_expression());
  if (out.form == TimeHead::Form::kFromTo) {
    DEMARCHE_CHECK(need_word("TO"));
    DEMARCHE_ASSIGN(out.to, parse_expression());
  }
  DEMARCHE_CHECK(check_depth());
  out.span = span_from(first);
  return out;
}

}  // namespace demarche::query

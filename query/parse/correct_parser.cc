// Rules for CORRECT and RETRACT.

#include <utility>

#include "query/parse/clause_parser.h"

namespace demarche::query {

using namespace ast;  // NOLINT(google-build-using-namespace): this file builds nothing else

Result<RecordClaim> ClauseParser::parse_record_claim() {
  RecordClaim out;
  DEMARCHE_ASSIGN(out.source, parse_atom());
  if (is_symbol("{")) DEMARCHE_ASSIGN(out.properties, parse_map());
  return out;
}

Result<Correct> ClauseParser::parse_correct(bool retract) {
  Correct out;
  out.retract = retract;
  const TokenKind kind = peek().kind;
  if (kind != TokenKind::kString && kind != TokenKind::kParameter && kind != TokenKind::kInteger) {
    return expected("the key of an interaction, as 'kerry-call', or its number");
  }
  DEMARCHE_ASSIGN(out.interaction, parse_atom());
  if (!retract && take_word("SET")) {
    do {
      DEMARCHE_TRY(Correct::Field field, parse_corrected_field());
      out.fields.push_back(std::move(field));
    } while (take_symbol(","));
  }
  while (!retract && take_word("SOURCE")) {
    DEMARCHE_TRY(RecordClaim claim, parse_record_claim());
    out.claims.push_back(std::move(claim));
  }
  if (!retract && out.fields.empty() && out.claims.empty()) return expected("SET, or SOURCE for one more claim");
  if (!take_word("BECAUSE")) return expected("BECAUSE and the reason, which is kept");
  if (peek().kind != TokenKind::kString && peek().kind != TokenKind::kParameter) return expected("a reason as text");
  DEMARCHE_ASSIGN(out.reason, parse_atom());
  if (peek().kind != TokenKind::kEnd && !is_symbol(";")) return expected("the end of the statement after the reason");
  return out;
}

Result<Correct::Field> ClauseParser::parse_corrected_field() {
  const std::size_t first = at_;
  Correct::Field out;
  DEMARCHE_ASSIGN(out.name, need_name("a field such as when, status or place"));
  if (is_symbol(".")) return expected("'=': the fields are those of the one interaction, without a name before them");
  DEMARCHE_CHECK(need_symbol("=", "and what is right"));
  DEMARCHE_ASSIGN(out.value, parse_expression());
  out.span = span_from(first);
  return out;
}

}  // namespace demarche::query

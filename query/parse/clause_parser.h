// Rules for clauses, for whole queries, and for queries inside expressions.
#pragma once

#include "query/parse/write_parser.h"

namespace demarche::query {

class ClauseParser : public WriteParser {
 public:
  using WriteParser::WriteParser;

  // One statement.
  [[nodiscard]] Result<ast::Query> parse_statement();

 protected:
  ~ClauseParser() = default;

  // What stands in the braces of EXISTS { } and COUNT { }: a query, or patterns and a condition. `first`: the token
  // where the expression began.
  [[nodiscard]] Result<ast::ExprPtr> parse_subquery(std::size_t first, ast::Subquery::Kind kind);
  // A pattern of at least one interaction where an expression could stand; null, with nothing taken, if there is none.
  [[nodiscard]] Result<ast::ExprPtr> parse_pattern_condition();
  // [(a)-->(b) WHERE p | expr] after its '['; null, with nothing taken, if it is another kind of list.
  [[nodiscard]] Result<ast::ExprPtr> parse_pattern_comprehension(std::size_t first);

 private:
  [[nodiscard]] Result<std::vector<ast::TimeHead>> parse_time_heads();
  [[nodiscard]] Result<ast::TimeHead> parse_time_head();
  // Clauses up to what cannot begin one, with UNION between them. `inner`: inside braces.
  [[nodiscard]] Result<ast::Query> parse_query_body(bool inner);
  [[nodiscard]] Result<ast::Query> parse_single_query(bool inner);
  [[nodiscard]] static Result<void> check_clause_order(const ast::Query& query, bool inner);
  [[nodiscard]] bool at_query_end(bool inner) const;
  [[nodiscard]] Result<ast::Clause> parse_clause();
  [[nodiscard]] Result<ast::Match> parse_match();
  [[nodiscard]] Result<ast::Unwind> parse_unwind();
  [[nodiscard]] Result<ast::Projection> parse_projection();
  [[nodiscard]] Result<ast::ProjectionItem> parse_projection_item();
  [[nodiscard]] Result<ast::Clause> parse_call(std::size_t first);
  [[nodiscard]] Result<ast::CallProcedure> parse_call_procedure();
  [[nodiscard]] Result<ast::CallQuery> parse_call_query();
  [[nodiscard]] Result<ast::Record> parse_record();
  [[nodiscard]] Result<ast::RecordParticipant> parse_record_participant();
  // SOURCE 'key' {..}, after its first word.
  [[nodiscard]] Result<ast::RecordClaim> parse_record_claim();
  // CORRECT and RETRACT, after their word.
  [[nodiscard]] Result<ast::Correct> parse_correct(bool retract);
  [[nodiscard]] Result<ast::Correct::Field> parse_corrected_field();

  std::size_t clauses_ = 0;  // of the statement so far, those of inner queries included
  std::size_t steps_ = 0;    // actors and interactions in MATCH so far
  // Tokens at which a pattern was tried in vain: trying each only once keeps the time linear in the text.
  std::vector<bool> no_pattern_at_;
};

}  // namespace demarche::query

#include "query/parse/clause_parser.h"

#include "engine/names.h"

namespace demarche::query {

using namespace ast;  // NOLINT(google-build-using-namespace): this file builds nothing else

namespace {

const std::vector<std::string>& clause_words() {
  static const std::vector<std::string> words = {
      "MATCH", "OPTIONAL MATCH", "WHERE",  "RETURN",  "WITH",          "UNWIND", "CALL",    "CREATE",
      "SET",   "REMOVE",         "DELETE", "MERGE",   "DETACH DELETE", "RECORD", "CORRECT", "RETRACT",
      "ORDER", "LIMIT",          "SKIP",   "EXPLAIN", "UNION"};
  return words;
}

// Words that stand between or behind expressions: one of them misspelt looks like the begin of a clause.
const std::vector<std::string>& operator_words() {
  static const std::vector<std::string> words = {"AND",    "OR",       "XOR",  "NOT",    "IN",       "IS",
                                                 "STARTS", "ENDS",     "WITH", "BEFORE", "AFTER",    "DURING",
                                                 "AS",     "CONTAINS", "DESC", "ASC",    "OVERLAPS", "YIELD"};
  return words;
}

// How something is written here for which other languages have a word.
std::string_view written_here(std::string_view word) {
  constexpr std::pair<std::string_view, std::string_view> kElsewhere[] = {
      {"SELECT", "write RETURN"},
      {"FROM", "write MATCH"},
      {"HAVING", "write WITH ... WHERE"},
      {"GROUP", "leave it out: rows are grouped by the columns without an aggregate"},
      {"LIKE", "write CONTAINS, or =~ and a regular expression"},
      {"BETWEEN", "write DURING and an interval, or two comparisons"},
      {"INSERT", "write CREATE or RECORD"},
      {"UPDATE", "write MATCH ... SET"},
      {"FOREACH", "write UNWIND"},
      {"LET", "write WITH"},
      {"FILTER", "write WITH * WHERE"}};
  for (const auto& [theirs, ours] : kElsewhere) {
    if (same_word(word, theirs)) return ours;
  }
  return {};
}

bool writes(const Clause& clause) {
  return std::holds_alternative<Create>(clause.node) || std::holds_alternative<Update>(clause.node) ||
         std::holds_alternative<Delete>(clause.node) || std::holds_alternative<Merge>(clause.node) ||
         std::holds_alternative<Record>(clause.node) || std::holds_alternative<Correct>(clause.node);
}

}  // namespace

Result<Query> ClauseParser::parse_statement() {
  const bool explain = take_word("EXPLAIN");
  DEMARCHE_TRY(std::vector<TimeHead> heads, parse_time_heads());
  DEMARCHE_TRY(Query out, parse_query_body(false));
  if (explain) out.explain = ExplainMode::kExplain;
  out.heads = std::move(heads);
  if (take_symbol(";") && peek().kind != TokenKind::kEnd) {
    return syntax_error("UnexpectedSyntax", peek().span, "one statement at a time: this stands after the semicolon");
  }
  return out;
}

bool ClauseParser::at_query_end(bool inner) const {
  return inner ? is_symbol("}") : is_symbol(";") || peek().kind == TokenKind::kEnd;
}

Result<Query> ClauseParser::parse_query_body(bool inner) {
  const Nesting nesting(depth_);
  DEMARCHE_CHECK(check_depth());
  const std::size_t first = at_;
  DEMARCHE_TRY(Query single, parse_single_query(inner));
  if (!is_word("UNION")) return single;
  Query out;
  out.parts.push_back(std::move(single));
  while (is_word("UNION")) {
    const std::size_t at = at_;
    take();
    const bool all = take_word("ALL");
    if (!all) (void)take_word("DISTINCT");  // the default, said or not
    if (out.parts.size() > 1 && all != out.union_all) {
      return syntax_error("InvalidClauseComposition", span_from(at),
                          "UNION and UNION ALL cannot be mixed; use one of them throughout");
    }
    out.union_all = all;
    DEMARCHE_TRY(Query part, parse_single_query(inner));
    out.parts.push_back(std::move(part));
  }
  out.span = span_from(first);
  for (const Query& part : out.parts) {
    if (std::holds_alternative<Return>(part.clauses.back().node)) continue;
    return syntax_error("InvalidClauseComposition", part.clauses.back().span, "each part of a UNION ends with RETURN");
  }
  return out;
}

Result<Query> ClauseParser::parse_single_query(bool inner) {
  Query out;
  const std::size_t first = at_;
  do {
    DEMARCHE_TRY(Clause clause, parse_clause());
    out.clauses.push_back(std::move(clause));
    if (++clauses_ > kClausesMax) {
      return syntax_error("QueryTooLong", out.clauses.back().span,
                          fmt::format("more than {} clauses in one statement", kClausesMax));
    }
  } while (!at_query_end(inner) && !is_word("UNION"));
  out.span = span_from(first);
  DEMARCHE_CHECK(check_clause_order(out, inner));
  return out;
}

Result<void> ClauseParser::check_clause_order(const Query& query, bool inner) {
  for (std::size_t i = 0; i < query.clauses.size(); ++i) {
    const Clause& clause = query.clauses[i];
    const bool last = i + 1 == query.clauses.size();
    if (std::holds_alternative<Return>(clause.node) && !last) {
      return syntax_error("InvalidClauseComposition", query.clauses[i + 1].span,
                          "nothing can follow RETURN; use WITH for a step in between");
    }
    if (std::holds_alternative<Record>(clause.node) && query.clauses.size() > 1) {
      return syntax_error("InvalidClauseComposition", clause.span, "RECORD stands alone in its statement");
    }
    if (std::holds_alternative<Correct>(clause.node) && query.clauses.size() > 1) {
      return syntax_error("InvalidClauseComposition", clause.span,
                          "CORRECT and RETRACT stand alone in their statement; SET and DELETE change what MATCH finds");
    }
    if (inner && writes(clause)) {
      return syntax_error("InvalidClauseComposition", clause.span,
                          "a query inside another one only reads; write in the outer one");
    }
  }
  const Clause& last = query.clauses.back();
  const bool alone = query.clauses.size() == 1 && std::holds_alternative<CallProcedure>(last.node);
  const bool ends = std::holds_alternative<Return>(last.node) || writes(last) || alone;
  if (!ends && !inner)
    return syntax_error("InvalidClauseComposition", last.span, "the query returns nothing; end it with RETURN");
  return {};
}

Result<Clause> ClauseParser::parse_clause() {
  const std::size_t first = at_;
  const auto done = [&](auto node) { return Clause{span_from(first), std::move(node)}; };
  if (take_word("MATCH")) {
    DEMARCHE_TRY(Match node, parse_match());
    return done(std::move(node));
  }
  if (is_word("OPTIONAL") && is_word("MATCH", 1)) {
    take();
    take();
    DEMARCHE_TRY(Match node, parse_match());
    node.optional = true;
    return done(std::move(node));
  }
  if (take_word("RETURN")) {
    DEMARCHE_TRY(Projection projection, parse_projection());
    return done(Return{std::move(projection)});
  }
  if (take_word("WITH")) {
    With node;
    DEMARCHE_ASSIGN(node.projection, parse_projection());
    DEMARCHE_ASSIGN(node.where, parse_where());
    return done(std::move(node));
  }
  if (take_word("UNWIND")) {
    DEMARCHE_TRY(Unwind node, parse_unwind());
    return done(std::move(node));
  }
  if (take_word("CALL")) return parse_call(first);
  if (take_word("CREATE")) {
    Create node;
    DEMARCHE_ASSIGN(node.patterns, parse_patterns());
    return done(std::move(node));
  }
  if (take_word("RECORD")) {
    DEMARCHE_TRY(Record node, parse_record());
    return done(std::move(node));
  }
  if (is_word("CORRECT") || is_word("RETRACT")) {
    const bool retract = is_word("RETRACT");
    take();
    DEMARCHE_TRY(Correct node, parse_correct(retract));
    return done(std::move(node));
  }
  DEMARCHE_TRY(auto write, parse_write());
  if (write) return std::visit([&](auto& node) { return done(std::move(node)); }, *write);
  if (peek().kind == TokenKind::kEnd && at_ == 0)
    return syntax_error("UnexpectedSyntax", peek().span, "the query is empty; try MATCH (a) RETURN a.name");
  const bool word = peek().kind == TokenKind::kWord;
  if (is_word("FOR")) {
    return syntax_error("UnexpectedSyntax", peek().span,
                        "FOR VALID_TIME and FOR SYSTEM_TIME stand before the whole statement and hold for all of it");
  }
  if (const std::string_view ours = word ? written_here(peek().text) : ""; !ours.empty()) {
    return syntax_error("UnexpectedSyntax", peek().span,
                        fmt::format("'{}' is not of this language; {}", peek().text, ours));
  }
  const std::string operation = word && at_ > 0 && peek().text.size() > 2 ? nearest(peek().text, operator_words()) : "";
  const std::string near = word ? nearest(peek().text, clause_words()) : "";
  if (near.empty() && !operation.empty() && !same_word(operation, peek().text)) {
    return syntax_error("UnexpectedSyntax", peek().span,
                        fmt::format("unknown word '{}'; did you mean {}?", peek().text, operation));
  }
  if (!near.empty() && !same_word(near, peek().text)) {
    return syntax_error("UnexpectedSyntax", peek().span,
                        fmt::format("unknown clause '{}'; did you mean {}?", peek().text, near));
  }
  return expected(
      "a clause (MATCH, OPTIONAL MATCH, WITH, UNWIND, CALL, CREATE, MERGE, SET, REMOVE, DELETE, RECORD, CORRECT, "
      "RETRACT or "
      "RETURN)");
}

Result<Match> ClauseParser::parse_match() {
  Match out;
  DEMARCHE_ASSIGN(out.patterns, parse_patterns());
  for (const PathPattern& pattern : out.patterns) steps_ += pattern.actors.size() + pattern.interactions.size();
  if (steps_ > kStatementStepsMax) {
    return syntax_error(
        "QueryTooLong", out.patterns.back().span,
        fmt::format("more than {} actors and interactions looked for in one statement", kStatementStepsMax));
  }
  DEMARCHE_ASSIGN(out.where, parse_where());
  return out;
}

Result<Unwind> ClauseParser::parse_unwind() {
  Unwind out;
  DEMARCHE_ASSIGN(out.list, parse_expression());
  DEMARCHE_CHECK(need_word("AS"));
  out.span = peek().span;
  DEMARCHE_ASSIGN(out.variable, need_name("a name for the elements"));
  return out;
}

Result<Projection> ClauseParser::parse_projection() {
  Projection out;
  out.distinct = take_word("DISTINCT");
  if (take_symbol("*")) {
    out.star = true;
  } else {
    DEMARCHE_TRY(ProjectionItem item, parse_projection_item());
    out.items.push_back(std::move(item));
  }
  while (take_symbol(",")) {
    DEMARCHE_TRY(ProjectionItem item, parse_projection_item());
    out.items.push_back(std::move(item));
  }
  if (take_word("ORDER")) {
    DEMARCHE_CHECK(need_word("BY"));
    do {
      SortItem item;
      DEMARCHE_ASSIGN(item.expression, parse_expression());
      if (take_word("DESC") || take_word("DESCENDING")) {
        item.descending = true;
      } else if (!take_word("ASC")) {
        (void)take_word("ASCENDING");  // the default, said or not
      }
      out.order.push_back(std::move(item));
    } while (take_symbol(","));
  }
  if (take_word("SKIP") || take_word("OFFSET")) DEMARCHE_ASSIGN(out.skip, parse_expression());
  if (take_word("LIMIT")) DEMARCHE_ASSIGN(out.limit, parse_expression());
  return out;
}

Result<ProjectionItem> ClauseParser::parse_projection_item() {
  ProjectionItem out;
  const std::size_t first = at_;
  DEMARCHE_ASSIGN(out.expression, parse_expression());
  const Span written = span_from(first);
  out.name = std::string(text_.substr(written.offset, written.length));
  if (const auto* variable = std::get_if<VariableRef>(&out.expression->node)) out.name = variable->name;
  if (take_word("AS")) {
    DEMARCHE_ASSIGN(out.name, need_name("a column name"));
    out.has_alias = true;
  }
  return out;
}

// ---- CALL ----------------------------------------------------------------------------------------------------------

Result<Clause> ClauseParser::parse_call(std::size_t first) {
  if (is_symbol("{") || is_symbol("(")) {
    DEMARCHE_TRY(CallQuery node, parse_call_query());
    return Clause{span_from(first), std::move(node)};
  }
  DEMARCHE_TRY(CallProcedure node, parse_call_procedure());
  return Clause{span_from(first), std::move(node)};
}

Result<CallQuery> ClauseParser::parse_call_query() {
  CallQuery out;
  if (take_symbol("(")) {
    out.has_imports = true;
    while (!is_symbol(")")) {
      const Span span = peek().span;
      DEMARCHE_TRY(std::string name, need_name("a name to take into the braces"));
      out.imports.push_back({std::move(name), span});
      if (!take_symbol(",")) break;
    }
    DEMARCHE_CHECK(need_symbol(")", "to end the names that are taken into the braces"));
  }
  DEMARCHE_CHECK(need_symbol("{", "to begin the inner query"));
  DEMARCHE_TRY(Query query, parse_query_body(true));
  const Query& last = query.parts.empty() ? query : query.parts.back();
  if (!std::holds_alternative<Return>(last.clauses.back().node)) {
    return syntax_error("InvalidClauseComposition", last.clauses.back().span,
                        "the inner query returns nothing; end it with RETURN");
  }
  DEMARCHE_CHECK(need_symbol("}", "to end the inner query"));
  out.query = std::make_unique<Query>(std::move(query));
  return out;
}

Result<CallProcedure> ClauseParser::parse_call_procedure() {
  CallProcedure out;
  const std::size_t first = at_;
  DEMARCHE_ASSIGN(out.name, need_name("a procedure such as kinds(), or { and a query"));
  while (take_symbol(".")) {
    DEMARCHE_TRY(const std::string part, need_name("the next part of the procedure's name"));
    out.name += "." + part;
  }
  out.name_span = span_from(first);
  out.has_arguments = take_symbol("(");
  if (out.has_arguments) {
    while (!is_symbol(")")) {
      DEMARCHE_TRY(ExprPtr argument, parse_expression());
      out.arguments.push_back(std::move(argument));
      if (!take_symbol(",")) break;
    }
    DEMARCHE_CHECK(need_symbol(")", fmt::format("to end the arguments of {}", out.name)));
  }
  out.has_yield = take_word("YIELD");
  if (!out.has_yield) return out;
  if (take_symbol("-")) return out;  // no column
  if (take_symbol("*")) {            // all of them, as if nothing were said
    out.has_yield = false;
    return out;
  }
  do {
    CallProcedure::Yield item;
    item.span = peek().span;
    DEMARCHE_ASSIGN(item.column, need_name("a column of the procedure"));
    item.name = item.column;
    if (take_word("AS")) {
      item.span = peek().span;
      DEMARCHE_ASSIGN(item.name, need_name("a name for the column"));
    }
    out.yields.push_back(std::move(item));
  } while (take_symbol(","));
  DEMARCHE_ASSIGN(out.where, parse_where());
  return out;
}

// ---- RECORD --------------------------------------------------------------------------------------------------------

Result<Record> ClauseParser::parse_record() {
  Record out;
  out.kind_span = peek().span;
  DEMARCHE_ASSIGN(out.kind, need_name("a kind such as CALL or MEETING"));
  if (peek().kind == TokenKind::kString || peek().kind == TokenKind::kParameter) DEMARCHE_ASSIGN(out.key, parse_atom());
  if (take_word("BETWEEN") || take_word("BY") || take_word("OF")) {
    do {
      DEMARCHE_TRY(RecordParticipant participant, parse_record_participant());
      out.participants.push_back(std::move(participant));
    } while (take_symbol(","));
  }
  while (true) {
    if (take_word("ON")) {
      DEMARCHE_ASSIGN(out.when, parse_atom());
    } else if (take_word("AT")) {
      DEMARCHE_ASSIGN(out.place, parse_atom());
    } else if (take_word("STATUS")) {
      out.status_span = peek().span;
      DEMARCHE_ASSIGN(out.status, need_name("held, planned or cancelled"));
    } else if (take_word("PART")) {
      DEMARCHE_CHECK(need_word("OF"));
      DEMARCHE_ASSIGN(out.part_of, parse_atom());
    } else if (take_word("SOURCE")) {
      DEMARCHE_TRY(RecordClaim claim, parse_record_claim());
      out.claims.push_back(std::move(claim));
    } else if (is_symbol("{")) {
      DEMARCHE_ASSIGN(out.properties, parse_map());
    } else {
      break;
    }
  }
  if (peek().kind != TokenKind::kEnd && !is_symbol(";")) {
    return expected("BETWEEN, ON, AT, STATUS, PART OF, SOURCE, {properties} or the end of RECORD");
  }
  return out;
}

Result<RecordParticipant> ClauseParser::parse_record_participant() {
  RecordParticipant out;
  DEMARCHE_ASSIGN(out.actor, parse_atom());
  if (take_word("FOR")) DEMARCHE_ASSIGN(out.acting_for, parse_atom());
  if (take_word("AS")) {
    out.role_span = peek().span;
    DEMARCHE_ASSIGN(out.role, need_name("a role such as caller"));
  }
  return out;
}

// ---- queries inside expressions ------------------------------------------------------------------------------------

Result<ExprPtr> ClauseParser::parse_subquery(std::size_t first, Subquery::Kind kind) {
  const std::uint32_t outer_depth = std::exchange(tree_depth_, 0);
  Subquery out;
  out.kind = kind;
  DEMARCHE_CHECK(need_symbol("{", "to begin the inner query"));
  if (is_symbol("(") || is_symbol("[") || (is_name() && is_symbol("=", 1))) {
    const Nesting nesting(depth_);
    DEMARCHE_CHECK(check_depth());
    const std::size_t begin = at_;
    DEMARCHE_TRY(Match match, parse_match());
    out.query = std::make_unique<Query>();
    out.query->span = span_from(begin);
    out.query->clauses.push_back(Clause{span_from(begin), std::move(match)});
    ++clauses_;
  } else {
    DEMARCHE_TRY(Query query, parse_query_body(true));
    out.query = std::make_unique<Query>(std::move(query));
  }
  DEMARCHE_CHECK(need_symbol("}", "to end the inner query"));
  out.depth = std::exchange(tree_depth_, outer_depth);
  return make(span_from(first), std::move(out));
}

Result<ExprPtr> ClauseParser::parse_pattern_condition() {
  no_pattern_at_.resize(tokens_.size());
  if (no_pattern_at_[at_]) return ExprPtr();
  const Mark before = mark();
  const std::size_t first = at_;
  PathPattern pattern;
  // Tried without a verdict: what is no pattern is read again as an expression, which has the better message.
  if (!parse_chain(pattern) || pattern.interactions.empty()) {
    go_back(before);
    no_pattern_at_[first] = true;
    return ExprPtr();
  }
  pattern.span = span_from(first);
  Subquery out;
  out.kind = Subquery::Kind::kPattern;
  out.depth = tree_depth_;
  out.query = std::make_unique<Query>();
  out.query->span = pattern.span;
  Match match;
  match.patterns.push_back(std::move(pattern));
  out.query->clauses.push_back(Clause{span_from(first), std::move(match)});
  return make(span_from(first), std::move(out));
}

Result<ExprPtr> ClauseParser::parse_pattern_comprehension(std::size_t first) {
  no_pattern_at_.resize(tokens_.size());
  if (no_pattern_at_[at_]) return ExprPtr();
  const bool named = is_name() && is_symbol("=", 1);
  if (!named && !is_symbol("(")) return ExprPtr();
  const Mark before = mark();
  const std::size_t begin = at_;
  auto path = parse_path();
  if (!path || path->interactions.empty() || !(is_word("WHERE") || is_symbol("|"))) {
    go_back(before);
    no_pattern_at_[begin] = true;
    return ExprPtr();
  }
  Match match;
  match.patterns.push_back(std::move(*path));
  {
    const BarEnds bar(bar_ends_, true);
    DEMARCHE_ASSIGN(match.where, parse_where());
  }
  const Span matched = span_from(begin);
  DEMARCHE_CHECK(need_symbol("|", "and what the list is made of"));
  Projection projection;
  projection.items.resize(1);
  projection.items[0].name = "item";
  projection.items[0].has_alias = true;
  DEMARCHE_ASSIGN(projection.items[0].expression, parse_expression());
  const Span computed = projection.items[0].expression->span;
  DEMARCHE_CHECK(need_symbol("]", "to end the list"));
  Subquery out;
  out.kind = Subquery::Kind::kComprehension;
  out.depth = tree_depth_;
  out.query = std::make_unique<Query>();
  out.query->span = span_from(begin);
  out.query->clauses.push_back(Clause{matched, std::move(match)});
  out.query->clauses.push_back(Clause{computed, Return{std::move(projection)}});
  return make(span_from(first), std::move(out));
}

}  // namespace demarche::query

// Grammar: LANGUAGE.md, last part. Precedence from loose to tight: OR, XOR, AND, NOT, comparison, the word predicates
// (STARTS WITH, IN, IS NULL, BEFORE, ...), + -, * / %, ^, unary sign, postfix (.key [index] :Label).

#include "query/parse/parser.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "engine/names.h"
#include "query/parse/depth.h"
#include "query/parse/lexer.h"
#include "query/parse/write_clauses.h"

namespace demarche::query {

namespace {

using namespace ast;  // NOLINT(google-build-using-namespace): this file builds nothing else

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto up = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
    return up(x) == up(y);
  });
}

const std::vector<std::string>& clause_words() {
  static const std::vector<std::string> words = {
      "MATCH", "OPTIONAL MATCH", "WHERE",         "RETURN", "WITH",  "UNWIND", "CREATE", "SET",    "REMOVE",
      "MERGE", "DELETE",         "DETACH DELETE", "RECORD", "ORDER", "LIMIT",  "SKIP",   "EXPLAIN"};
  return words;
}

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens) : text_(text), tokens_(std::move(tokens)) {}

  Result<Query> query() {
    Query out;
    if (take_word("EXPLAIN")) out.explain = ExplainMode::kExplain;
    while (true) {
      DEMARCHE_TRY(Clause clause, parse_clause());
      out.clauses.push_back(std::move(clause));
      if (out.clauses.size() > kClausesMax) {
        return syntax_error("QueryTooLong", out.clauses.back().span,
                            fmt::format("more than {} clauses in one statement", kClausesMax));
      }
      if (take_symbol(";") || peek().kind == TokenKind::kEnd) break;
    }
    if (peek().kind != TokenKind::kEnd) {
      return syntax_error("UnexpectedSyntax", peek().span, "one statement at a time: this stands after the semicolon");
    }
    DEMARCHE_CHECK(check_clause_order(out));
    return out;
  }

 private:
  friend class WriteClauses<Parser>;

  template <typename Node>
  ExprPtr make(Span span, Node node) {
    const std::uint32_t depth = depth_below(node) + 1;
    tree_depth_ = std::max(tree_depth_, depth);
    return std::make_unique<Expr>(Expr{span, std::move(node), depth});
  }

  // ---- tokens ------------------------------------------------------------------------------------------------------

  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token& take() {
    const Token& token = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  [[nodiscard]] bool is_word(std::string_view word, std::size_t ahead = 0) const {
    return peek(ahead).kind == TokenKind::kWord && same_word(peek(ahead).text, word);
  }
  [[nodiscard]] bool is_symbol(std::string_view symbol, std::size_t ahead = 0) const {
    return peek(ahead).kind == TokenKind::kSymbol && peek(ahead).text == symbol;
  }
  bool take_word(std::string_view word) { return is_word(word) && (take(), true); }
  bool take_symbol(std::string_view symbol) { return is_symbol(symbol) && (take(), true); }

  [[nodiscard]] std::string found() const {
    return peek().kind == TokenKind::kEnd
               ? "the query ends here"
               : fmt::format("found '{}'", text_.substr(peek().span.offset, peek().span.length));
  }
  [[nodiscard]] tl::unexpected<Error> expected(std::string_view what) const {
    return syntax_error("UnexpectedSyntax", peek().span, fmt::format("expected {}, {}", what, found()));
  }
  Result<void> need_symbol(std::string_view symbol, std::string_view where) {
    if (take_symbol(symbol)) return {};
    return expected(fmt::format("'{}' {}", symbol, where));
  }
  Result<void> need_word(std::string_view word) {
    if (take_word(word)) return {};
    return expected(word);
  }
  Result<std::string> need_name(std::string_view what) {
    if (peek().kind == TokenKind::kWord || peek().kind == TokenKind::kQuoted) return take().text;
    return expected(what);
  }
  [[nodiscard]] Span span_from(std::size_t first_token) const {
    return join(tokens_[first_token].span, tokens_[at_ == 0 ? 0 : at_ - 1].span);
  }

  // Counts nesting for as long as it lives.
  class Nesting {
   public:
    explicit Nesting(int& depth) : depth_(depth) { ++depth_; }
    ~Nesting() { --depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    int& depth_;
  };
  [[nodiscard]] Result<void> check_depth() const {
    if (tree_depth_ > kTreeDepthMax) {
      return syntax_error(
          "NestingTooDeep", peek().span,
          fmt::format("an expression of more than {} operators in a chain; use IN, or WITH in between", kTreeDepthMax));
    }
    if (depth_ <= kNestingMax) return {};
    return syntax_error("NestingTooDeep", peek().span,
                        fmt::format("nested deeper than {} levels; split the expression with WITH", kNestingMax));
  }

  // ---- clauses -----------------------------------------------------------------------------------------------------

  Result<Clause> parse_clause() {
    const std::size_t first = at_;
    const auto done = [&](auto node) { return Clause{span_from(first), std::move(node)}; };
    if (take_word("MATCH")) {
      DEMARCHE_TRY(Match node, parse_match());
      return done(std::move(node));
    }
    if (is_word("OPTIONAL") && is_word("MATCH", 1)) {
      at_ += 2;
      DEMARCHE_TRY(Match node, parse_match());
      node.optional = true;
      return done(std::move(node));
    }
    if (take_word("RETURN")) {
      DEMARCHE_TRY(Projection projection, parse_projection());
      return done(Return{std::move(projection)});
    }
    if (take_word("WITH")) {
      DEMARCHE_TRY(Projection projection, parse_projection());
      DEMARCHE_TRY(ExprPtr where, parse_where());
      return done(With{std::move(projection), std::move(where)});
    }
    if (take_word("UNWIND")) {
      DEMARCHE_TRY(Unwind node, parse_unwind());
      return done(std::move(node));
    }
    if (take_word("CREATE")) {
      DEMARCHE_TRY(std::vector<PathPattern> patterns, parse_patterns());
      return done(Create{std::move(patterns)});
    }
    if (take_word("RECORD")) {
      DEMARCHE_TRY(Record node, parse_record());
      return done(std::move(node));
    }
    DEMARCHE_TRY(auto write, WriteClauses<Parser>(*this).parse());
    if (write) return std::visit([&](auto& node) { return done(std::move(node)); }, *write);
    if (peek().kind == TokenKind::kEnd)
      return syntax_error("UnexpectedSyntax", peek().span, "the query is empty; try MATCH (a) RETURN a.name");
    const std::string near = peek().kind == TokenKind::kWord ? nearest(peek().text, clause_words()) : "";
    if (!near.empty()) {
      return syntax_error("UnexpectedSyntax", peek().span,
                          fmt::format("unknown clause '{}'; did you mean {}?", peek().text, near));
    }
    return expected(
        "a clause (MATCH, OPTIONAL MATCH, WITH, UNWIND, CREATE, MERGE, SET, REMOVE, DELETE, RECORD or RETURN)");
  }

  static Result<void> check_clause_order(const Query& query) {
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
    }
    const Clause& last = query.clauses.back();
    if (std::holds_alternative<Match>(last.node) || std::holds_alternative<With>(last.node) ||
        std::holds_alternative<Unwind>(last.node))
      return syntax_error("InvalidClauseComposition", last.span, "the query returns nothing; end it with RETURN");
    return {};
  }

  Result<Match> parse_match() {
    Match out;
    DEMARCHE_ASSIGN(out.patterns, parse_patterns());
    DEMARCHE_ASSIGN(out.where, parse_where());
    return out;
  }

  Result<ExprPtr> parse_where() {
    if (!take_word("WHERE")) return ExprPtr();
    return parse_expression();
  }

  Result<Unwind> parse_unwind() {
    Unwind out;
    DEMARCHE_ASSIGN(out.list, parse_expression());
    DEMARCHE_CHECK(need_word("AS"));
    out.span = peek().span;
    DEMARCHE_ASSIGN(out.variable, need_name("a name for the elements"));
    return out;
  }

  Result<Projection> parse_projection() {
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

  Result<ProjectionItem> parse_projection_item() {
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

  Result<Record> parse_record() {
    Record out;
    out.kind_span = peek().span;
    DEMARCHE_ASSIGN(out.kind, need_name("a kind such as CALL or MEETING"));
    if (peek().kind == TokenKind::kString || peek().kind == TokenKind::kParameter)
      DEMARCHE_ASSIGN(out.key, parse_atom());
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
        RecordClaim claim;
        DEMARCHE_ASSIGN(claim.source, parse_atom());
        if (is_symbol("{")) DEMARCHE_ASSIGN(claim.properties, parse_map());
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

  Result<RecordParticipant> parse_record_participant() {
    RecordParticipant out;
    DEMARCHE_ASSIGN(out.actor, parse_atom());
    if (take_word("FOR")) DEMARCHE_ASSIGN(out.acting_for, parse_atom());
    if (take_word("AS")) {
      out.role_span = peek().span;
      DEMARCHE_ASSIGN(out.role, need_name("a role such as caller"));
    }
    return out;
  }

  // ---- patterns ----------------------------------------------------------------------------------------------------

  Result<std::vector<PathPattern>> parse_patterns() {
    std::vector<PathPattern> out;
    std::size_t steps = 0;
    do {
      DEMARCHE_TRY(PathPattern pattern, parse_path());
      out.push_back(std::move(pattern));
      steps += out.back().actors.size() + out.back().interactions.size();
      if (steps > kPatternStepsMax) {
        return syntax_error("QueryTooLong", out.back().span,
                            fmt::format("more than {} actors and interactions in one clause", kPatternStepsMax));
      }
    } while (take_symbol(","));
    return out;
  }

  Result<PathPattern> parse_path() {
    PathPattern out;
    const std::size_t first = at_;
    if ((peek().kind == TokenKind::kWord || peek().kind == TokenKind::kQuoted) && is_symbol("=", 1)) {
      out.variable = take().text;
      take();
    }
    if (is_symbol("[")) {
      DEMARCHE_TRY(InteractionPattern interaction, parse_interaction_filler());
      out.interactions.push_back(std::move(interaction));
      out.span = span_from(first);
      return out;
    }
    DEMARCHE_TRY(ActorPattern actor, parse_actor());
    out.actors.push_back(std::move(actor));
    while (is_symbol("-") || is_symbol("<-") || is_symbol("->")) {
      DEMARCHE_TRY(InteractionPattern interaction, parse_interaction());
      out.interactions.push_back(std::move(interaction));
      DEMARCHE_ASSIGN(actor, parse_actor());
      out.actors.push_back(std::move(actor));
    }
    out.span = span_from(first);
    return out;
  }

  Result<ActorPattern> parse_actor() {
    ActorPattern out;
    const std::size_t first = at_;
    DEMARCHE_CHECK(need_symbol("(", "to begin an actor, as in (a:Person)"));
    if (peek().kind == TokenKind::kWord || peek().kind == TokenKind::kQuoted) out.variable = take().text;
    if (take_symbol(":")) DEMARCHE_ASSIGN(out.labels, parse_labels());
    if (is_symbol("{")) DEMARCHE_ASSIGN(out.properties, parse_map());
    if (peek().kind == TokenKind::kParameter) DEMARCHE_ASSIGN(out.properties, parse_atom());
    DEMARCHE_CHECK(need_symbol(")", "to end the actor"));
    out.span = span_from(first);
    return out;
  }

  // -[...]->, <-[...]-, -[...]-, -->, <--, --
  Result<InteractionPattern> parse_interaction() {
    const std::size_t first = at_;
    bool left = false;
    bool right = false;
    InteractionPattern out;
    if (take_symbol("<-")) {
      left = true;
    } else if (!take_symbol("-")) {
      return expected("'-' or '<-'");
    }
    if (is_symbol("[")) DEMARCHE_ASSIGN(out, parse_interaction_filler());
    if (take_symbol("->")) {
      right = true;
    } else if (!take_symbol("-")) {
      return expected("'-' or '->' to end the interaction");
    }
    // <-[..]-> asks for either direction, like no arrow at all.
    out.direction = left == right ? Direction::kEither : (left ? Direction::kLeft : Direction::kRight);
    out.span = span_from(first);
    return out;
  }

  Result<InteractionPattern> parse_interaction_filler() {
    InteractionPattern out;
    const std::size_t first = at_;
    DEMARCHE_CHECK(need_symbol("[", "to begin an interaction"));
    if (peek().kind == TokenKind::kWord || peek().kind == TokenKind::kQuoted) out.variable = take().text;
    if (take_symbol(":")) DEMARCHE_ASSIGN(out.kinds, parse_labels());
    if (is_symbol("*")) {
      return syntax_error("UnsupportedFeature", peek().span,
                          "paths of variable length are not in this version; write each step");
    }
    if (is_symbol("{")) DEMARCHE_ASSIGN(out.properties, parse_map());
    if (peek().kind == TokenKind::kParameter) DEMARCHE_ASSIGN(out.properties, parse_atom());
    DEMARCHE_CHECK(need_symbol("]", "to end the interaction"));
    out.span = span_from(first);
    return out;
  }

  Result<LabelExpr> parse_labels() {
    const Nesting nesting(depth_);
    DEMARCHE_CHECK(check_depth());
    DEMARCHE_TRY(LabelExpr out, parse_label_and());
    while (take_symbol("|")) {
      DEMARCHE_CHECK(check_depth());
      (void)take_symbol(":");  // the old form A|:B
      DEMARCHE_TRY(LabelExpr right, parse_label_and());
      out = combine(LabelExpr::Op::kOr, std::move(out), std::move(right));
    }
    return out;
  }
  Result<LabelExpr> parse_label_and() {
    DEMARCHE_TRY(LabelExpr out, parse_label_not());
    while (take_symbol("&") || take_symbol(":")) {
      DEMARCHE_CHECK(check_depth());
      DEMARCHE_TRY(LabelExpr right, parse_label_not());
      out = combine(LabelExpr::Op::kAnd, std::move(out), std::move(right));
    }
    return out;
  }
  Result<LabelExpr> parse_label_not() {
    const Nesting nesting(depth_);
    DEMARCHE_CHECK(check_depth());
    LabelExpr out;
    out.span = peek().span;
    if (take_symbol("!")) {
      out.op = LabelExpr::Op::kNot;
      DEMARCHE_TRY(LabelExpr operand, parse_label_not());
      out.operands.push_back(std::move(operand));
      return out;
    }
    if (take_symbol("%")) return out;
    if (take_symbol("(")) {
      DEMARCHE_ASSIGN(out, parse_labels());
      DEMARCHE_CHECK(need_symbol(")", "to end the label expression"));
      return out;
    }
    out.op = LabelExpr::Op::kName;
    DEMARCHE_ASSIGN(out.name, need_name("a label or kind"));
    return out;
  }
  LabelExpr combine(LabelExpr::Op op, LabelExpr left, LabelExpr right) {
    tree_depth_ += 4;  // a chain of labels leans to the left too; an upper bound will do
    LabelExpr out;
    out.op = op;
    out.span = join(left.span, right.span);
    out.operands.push_back(std::move(left));
    out.operands.push_back(std::move(right));
    return out;
  }

  // ---- expressions -------------------------------------------------------------------------------------------------

  Result<ExprPtr> parse_expression() {
    const Nesting nesting(depth_);
    DEMARCHE_CHECK(check_depth());
    return parse_or();
  }

  // left-associative operators given by words
  template <typename Next>
  Result<ExprPtr> parse_word_operator(std::string_view word, BinaryOp op, Next next) {
    DEMARCHE_TRY(ExprPtr left, next());
    while (take_word(word)) {
      DEMARCHE_CHECK(check_depth());
      DEMARCHE_TRY(ExprPtr right, next());
      const Span span = join(left->span, right->span);
      left = make(span, Binary{op, std::move(left), std::move(right)});
    }
    return left;
  }
  Result<ExprPtr> parse_or() {
    return parse_word_operator("OR", BinaryOp::kOr, [this] { return parse_xor(); });
  }
  Result<ExprPtr> parse_xor() {
    return parse_word_operator("XOR", BinaryOp::kXor, [this] { return parse_and(); });
  }
  Result<ExprPtr> parse_and() {
    return parse_word_operator("AND", BinaryOp::kAnd, [this] { return parse_not(); });
  }

  Result<ExprPtr> parse_not() {
    if (!is_word("NOT")) return parse_comparison();
    const Nesting nesting(depth_);
    DEMARCHE_CHECK(check_depth());
    const std::size_t first = at_;
    take();
    DEMARCHE_TRY(ExprPtr operand, parse_not());
    return make(span_from(first), Unary{UnaryOp::kNot, std::move(operand)});
  }

  std::optional<CompareOp> take_compare() {
    constexpr std::pair<std::string_view, CompareOp> kOps[] = {
        {"=", CompareOp::kEqual},           {"<>", CompareOp::kNotEqual}, {"<=", CompareOp::kLessOrEqual},
        {">=", CompareOp::kGreaterOrEqual}, {"<", CompareOp::kLess},      {">", CompareOp::kGreater}};
    for (const auto& [symbol, op] : kOps) {
      if (take_symbol(symbol)) return op;
    }
    return std::nullopt;
  }

  Result<ExprPtr> parse_comparison() {
    const std::size_t first = at_;
    DEMARCHE_TRY(ExprPtr left, parse_predicate());
    Comparison out;
    while (const auto op = take_compare()) {
      if (out.rest.size() >= kTreeDepthMax) return expected("a shorter chain of comparisons");
      DEMARCHE_TRY(ExprPtr right, parse_predicate());
      out.rest.emplace_back(*op, std::move(right));
    }
    if (out.rest.empty()) return left;
    out.first = std::move(left);
    return make(span_from(first), std::move(out));
  }

  // Takes a word predicate such as STARTS WITH; nullopt if none stands here.
  Result<std::optional<BinaryOp>> take_predicate() {
    if (is_word("STARTS") && is_word("WITH", 1)) return take(), take(), BinaryOp::kStartsWith;
    if (is_word("ENDS") && is_word("WITH", 1)) return take(), take(), BinaryOp::kEndsWith;
    if (take_word("CONTAINS")) return BinaryOp::kContains;
    if (take_symbol("=~")) return BinaryOp::kMatches;
    if (take_word("IN")) return BinaryOp::kIn;
    if (take_word("BEFORE")) return BinaryOp::kBefore;
    if (take_word("AFTER")) return BinaryOp::kAfter;
    if (take_word("DURING")) return BinaryOp::kDuring;
    if (take_word("OVERLAPS")) return BinaryOp::kOverlaps;
    return std::optional<BinaryOp>();
  }

  Result<ExprPtr> parse_predicate() {
    const std::size_t first = at_;
    DEMARCHE_TRY(ExprPtr left, parse_sum());
    while (true) {
      DEMARCHE_CHECK(check_depth());
      if (take_word("IS")) {
        const UnaryOp op = take_word("NOT") ? UnaryOp::kIsNotNull : UnaryOp::kIsNull;
        DEMARCHE_CHECK(need_word("NULL"));
        left = make(span_from(first), Unary{op, std::move(left)});
        continue;
      }
      DEMARCHE_TRY(const std::optional<BinaryOp> op, take_predicate());
      if (!op) return left;
      DEMARCHE_TRY(ExprPtr right, parse_sum());
      left = make(span_from(first), Binary{*op, std::move(left), std::move(right)});
    }
  }

  Result<ExprPtr> parse_sum() {
    const std::size_t first = at_;
    DEMARCHE_TRY(ExprPtr left, parse_product());
    while (is_symbol("+") || is_symbol("-")) {
      DEMARCHE_CHECK(check_depth());
      const BinaryOp op = take().text == "+" ? BinaryOp::kAdd : BinaryOp::kSubtract;
      DEMARCHE_TRY(ExprPtr right, parse_product());
      left = make(span_from(first), Binary{op, std::move(left), std::move(right)});
    }
    return left;
  }

  Result<ExprPtr> parse_product() {
    const std::size_t first = at_;
    DEMARCHE_TRY(ExprPtr left, parse_power());
    while (is_symbol("*") || is_symbol("/") || is_symbol("%")) {
      DEMARCHE_CHECK(check_depth());
      const std::string& symbol = take().text;
      const BinaryOp op = symbol == "*" ? BinaryOp::kMultiply : (symbol == "/" ? BinaryOp::kDivide : BinaryOp::kModulo);
      DEMARCHE_TRY(ExprPtr right, parse_power());
      left = make(span_from(first), Binary{op, std::move(left), std::move(right)});
    }
    return left;
  }

  Result<ExprPtr> parse_power() {
    const std::size_t first = at_;
    DEMARCHE_TRY(ExprPtr left, parse_sign());
    while (take_symbol("^")) {
      DEMARCHE_CHECK(check_depth());
      DEMARCHE_TRY(ExprPtr right, parse_sign());
      left = make(span_from(first), Binary{BinaryOp::kPower, std::move(left), std::move(right)});
    }
    return left;
  }

  Result<ExprPtr> parse_sign() {
    if (!is_symbol("+") && !is_symbol("-")) return parse_postfix();
    const Nesting nesting(depth_);
    DEMARCHE_CHECK(check_depth());
    const std::size_t first = at_;
    const bool minus = take().text == "-";
    if (minus && peek().kind == TokenKind::kInteger && !is_symbol(".", 1) && !is_symbol("[", 1)) {
      return parse_integer(true, first);  // so that the smallest 64-bit integer can be written
    }
    DEMARCHE_TRY(ExprPtr operand, parse_sign());
    return make(span_from(first), Unary{minus ? UnaryOp::kMinus : UnaryOp::kPlus, std::move(operand)});
  }

  Result<ExprPtr> parse_postfix() {
    const std::size_t first = at_;
    DEMARCHE_TRY(ExprPtr out, parse_atom());
    while (true) {
      DEMARCHE_CHECK(check_depth());
      if (take_symbol(".")) {
        DEMARCHE_TRY(std::string key, need_name("a property name"));
        if (const auto* space = std::get_if<VariableRef>(&out->node); space != nullptr && is_symbol("(")) {
          take();
          DEMARCHE_ASSIGN(out, parse_arguments(first, space->name + "." + key));  // duration.between(..)
          continue;
        }
        out = make(span_from(first), PropertyOf{std::move(out), std::move(key)});
      } else if (take_symbol("[")) {
        DEMARCHE_ASSIGN(out, parse_index(first, std::move(out)));
      } else if (is_symbol(":") && (peek(1).kind == TokenKind::kWord || peek(1).kind == TokenKind::kQuoted ||
                                    is_symbol("!", 1) || is_symbol("(", 1))) {
        take();
        DEMARCHE_TRY(LabelExpr labels, parse_labels());
        out = make(span_from(first), HasLabels{std::move(out), std::move(labels)});
      } else {
        return out;
      }
    }
  }

  Result<ExprPtr> parse_index(std::size_t first, ExprPtr object) {
    ExprPtr from;
    if (!is_symbol("..")) DEMARCHE_ASSIGN(from, parse_expression());
    if (!take_symbol("..")) {
      DEMARCHE_CHECK(need_symbol("]", "to end the index"));
      return make(span_from(first), ElementAt{std::move(object), std::move(from)});
    }
    ExprPtr to;
    if (!is_symbol("]")) DEMARCHE_ASSIGN(to, parse_expression());
    DEMARCHE_CHECK(need_symbol("]", "to end the slice"));
    return make(span_from(first), SliceOf{std::move(object), std::move(from), std::move(to)});
  }

  Result<ExprPtr> parse_integer(bool negative, std::size_t first) {
    const Token& token = take();
    std::string_view digits = token.text;
    int base = 10;
    if (digits.starts_with("0x") || digits.starts_with("0o")) {
      base = digits[1] == 'x' ? 16 : 8;
      digits.remove_prefix(2);
    }
    const std::string signed_digits = (negative ? "-" : "") + std::string(digits);
    std::int64_t value = 0;
    const char* end = signed_digits.data() + signed_digits.size();
    const auto [stop, error] = std::from_chars(signed_digits.data(), end, value, base);
    if (error == std::errc::result_out_of_range) {
      return syntax_error("IntegerOverflow", span_from(first), fmt::format("{} does not fit into 64 bits", token.text));
    }
    if (error != std::errc() || stop != end) {
      return syntax_error("InvalidNumberLiteral", span_from(first), fmt::format("'{}' is not a number", token.text));
    }
    return make(span_from(first), Literal{Value::integer(value)});
  }

  Result<ExprPtr> parse_float() {
    const Token& token = take();
    const double value = std::strtod(token.text.c_str(), nullptr);
    if (!std::isfinite(value)) {
      return syntax_error("FloatingPointOverflow", token.span, fmt::format("{} is too large for a float", token.text));
    }
    return make(token.span, Literal{Value::real(value)});
  }

  Result<ExprPtr> parse_atom() {
    const std::size_t first = at_;
    const Token& token = peek();
    switch (token.kind) {
      case TokenKind::kInteger:
        return parse_integer(false, first);
      case TokenKind::kFloat:
        return parse_float();
      case TokenKind::kString:
        return make(token.span, Literal{Value::string(take().text)});
      case TokenKind::kParameter:
        return make(token.span, ParameterRef{take().text});
      case TokenKind::kQuoted:
        return parse_name();
      case TokenKind::kWord:
        return parse_word();
      case TokenKind::kSymbol:
        break;
      case TokenKind::kEnd:
        return expected("an expression");
    }
    if (is_symbol("{")) return parse_map();
    if (take_symbol("[")) return parse_list(first);
    if (take_symbol("(")) {
      DEMARCHE_TRY(ExprPtr inner, parse_expression());
      DEMARCHE_CHECK(need_symbol(")", "to close the bracket"));
      inner->span = span_from(first);
      return inner;
    }
    return expected("an expression");
  }

  Result<ExprPtr> parse_list(std::size_t first) {
    if (is_name() && is_word("IN", 1)) return parse_comprehension(first);
    ListOf out;
    while (!is_symbol("]")) {
      DEMARCHE_TRY(ExprPtr item, parse_expression());
      out.items.push_back(std::move(item));
      if (!take_symbol(",")) break;
    }
    DEMARCHE_CHECK(need_symbol("]", "to end the list"));
    return make(span_from(first), std::move(out));
  }

  [[nodiscard]] bool is_name() const { return peek().kind == TokenKind::kWord || peek().kind == TokenKind::kQuoted; }

  // x IN list [WHERE condition]
  Result<ListScan> parse_scan_head() {
    ListScan out;
    DEMARCHE_ASSIGN(out.variable, need_name("a name for the elements"));
    DEMARCHE_CHECK(need_word("IN"));
    DEMARCHE_ASSIGN(out.list, parse_expression());
    DEMARCHE_ASSIGN(out.condition, parse_where());
    return out;
  }

  Result<ExprPtr> parse_comprehension(std::size_t first) {
    DEMARCHE_TRY(ListScan out, parse_scan_head());
    if (take_symbol("|")) DEMARCHE_ASSIGN(out.result, parse_expression());
    DEMARCHE_CHECK(need_symbol("]", "to end the list"));
    return make(span_from(first), std::move(out));
  }

  // all, any, none, single over the elements of a list; nullopt if `name` is none of them.
  static std::optional<ListScan::Kind> quantifier(std::string_view name) {
    if (same_word(name, "all")) return ListScan::Kind::kAll;
    if (same_word(name, "any")) return ListScan::Kind::kAny;
    if (same_word(name, "none")) return ListScan::Kind::kNone;
    if (same_word(name, "single")) return ListScan::Kind::kSingle;
    return std::nullopt;
  }

  Result<ExprPtr> parse_quantifier(std::size_t first, ListScan::Kind kind) {
    DEMARCHE_TRY(ListScan out, parse_scan_head());
    out.kind = kind;
    if (!out.condition) return expected("WHERE and a condition");
    DEMARCHE_CHECK(need_symbol(")", "to end the quantifier"));
    return make(span_from(first), std::move(out));
  }

  Result<ExprPtr> parse_reduce(std::size_t first) {
    Reduce out;
    DEMARCHE_ASSIGN(out.accumulator, need_name("a name for the result so far"));
    DEMARCHE_CHECK(need_symbol("=", "and the value to start from"));
    DEMARCHE_ASSIGN(out.start, parse_expression());
    DEMARCHE_CHECK(need_symbol(",", "before the elements"));
    DEMARCHE_ASSIGN(out.variable, need_name("a name for the elements"));
    DEMARCHE_CHECK(need_word("IN"));
    DEMARCHE_ASSIGN(out.list, parse_expression());
    DEMARCHE_CHECK(need_symbol("|", "and the next result"));
    DEMARCHE_ASSIGN(out.step, parse_expression());
    DEMARCHE_CHECK(need_symbol(")", "to end reduce"));
    return make(span_from(first), std::move(out));
  }

  Result<ExprPtr> parse_map() {
    const std::size_t first = at_;
    MapOf out;
    DEMARCHE_CHECK(need_symbol("{", "to begin a map"));
    while (!is_symbol("}")) {
      DEMARCHE_TRY(std::string key, need_name("a property name"));
      DEMARCHE_CHECK(need_symbol(":", "between property and value"));
      DEMARCHE_TRY(ExprPtr value, parse_expression());
      out.entries.emplace_back(std::move(key), std::move(value));
      if (!take_symbol(",")) break;
    }
    DEMARCHE_CHECK(need_symbol("}", "to end the map"));
    return make(span_from(first), std::move(out));
  }

  // A word that begins an expression: a constant, CASE, DATE '..', POSSIBLY (..), a function or a variable.
  Result<ExprPtr> parse_word() {
    const Token& token = peek();
    if (take_word("NULL")) return make(token.span, Literal{Value()});
    if (take_word("TRUE")) return make(token.span, Literal{Value::boolean(true)});
    if (take_word("FALSE")) return make(token.span, Literal{Value::boolean(false)});
    if (is_word("CASE") && !is_symbol(".", 1)) return parse_case();
    if ((is_word("DATE") || is_word("DATETIME")) && peek(1).kind == TokenKind::kString) {
      const std::size_t first = at_;
      take();
      const Token& text = take();
      return make(span_from(first), DateLiteral{text.text, text.span});
    }
    if (is_word("POSSIBLY") && is_symbol("(", 1)) {
      const std::size_t first = at_;
      take();
      take();
      DEMARCHE_TRY(ExprPtr inner, parse_expression());
      DEMARCHE_CHECK(need_symbol(")", "to close POSSIBLY"));
      return make(span_from(first), Unary{UnaryOp::kPossibly, std::move(inner)});
    }
    return parse_name();
  }

  Result<ExprPtr> parse_name() {
    const std::size_t first = at_;
    const Token name = take();
    if (!take_symbol("(")) return make(name.span, VariableRef{name.text});
    if (is_name() && is_word("IN", 1)) {
      if (const auto kind = quantifier(name.text)) return parse_quantifier(first, *kind);
    }
    if (same_word(name.text, "reduce") && is_name() && is_symbol("=", 1)) return parse_reduce(first);
    return parse_arguments(first, name.text);
  }

  Result<ExprPtr> parse_arguments(std::size_t first, const std::string& name) {  // behind the opening bracket
    Call call;
    call.name = name;
    call.name_span = join(tokens_[first].span, tokens_[at_ - 2].span);
    if (take_symbol("*")) {
      call.star = true;
    } else if (!is_symbol(")")) {
      call.distinct = take_word("DISTINCT");
      do {
        DEMARCHE_TRY(ExprPtr argument, parse_expression());
        call.arguments.push_back(std::move(argument));
      } while (take_symbol(","));
    }
    DEMARCHE_CHECK(need_symbol(")", fmt::format("to end the arguments of {}", name)));
    return make(span_from(first), std::move(call));
  }

  Result<ExprPtr> parse_case() {
    const std::size_t first = at_;
    take();
    CaseOf out;
    if (!is_word("WHEN")) DEMARCHE_ASSIGN(out.subject, parse_expression());
    while (take_word("WHEN")) {
      DEMARCHE_TRY(ExprPtr condition, parse_expression());
      DEMARCHE_CHECK(need_word("THEN"));
      DEMARCHE_TRY(ExprPtr result, parse_expression());
      out.branches.emplace_back(std::move(condition), std::move(result));
    }
    if (out.branches.empty()) return expected("WHEN");
    if (take_word("ELSE")) DEMARCHE_ASSIGN(out.otherwise, parse_expression());
    DEMARCHE_CHECK(need_word("END"));
    return make(span_from(first), std::move(out));
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::uint32_t tree_depth_ = 0;  // of the deepest expression so far
};

}  // namespace

Result<ast::Query> parse_query(std::string_view text) {
  if (text.size() > kQueryBytesMax) {
    return syntax_error("QueryTooLong", {0, 1},
                        fmt::format("the query has {} bytes, at most {} are read; pass values as parameters",
                                    text.size(), kQueryBytesMax));
  }
  DEMARCHE_TRY(std::vector<Token> tokens, tokenize(text));
  return Parser(text, std::move(tokens)).query();
}

Result<std::vector<std::string_view>> split_statements(std::string_view text, bool* complete) {
  DEMARCHE_TRY(const std::vector<Token> tokens, tokenize(text));
  std::vector<std::string_view> out;
  std::size_t from = 0;
  bool anything = false;
  for (const Token& token : tokens) {
    const bool end = token.kind == TokenKind::kEnd;
    if (!end && !(token.kind == TokenKind::kSymbol && token.text == ";")) {
      if (!anything) from = token.span.offset;
      anything = true;
      continue;
    }
    if (end && complete != nullptr) *complete = !anything;
    if (anything) out.push_back(text.substr(from, token.span.offset - from));
    anything = false;
  }
  return out;
}

}  // namespace demarche::query

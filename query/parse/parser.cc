// Rules for expressions. Grammar: LANGUAGE.md, last part. Precedence from loose to tight: OR, XOR, AND, NOT,
// comparison, the word predicates (STARTS WITH, IN, IS NULL, BEFORE, ...), + -, * / %, ^, unary sign, postfix (.key
// [index] :Label). Clauses and patterns have files of their own.

#include "query/parse/parser.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "query/parse/clause_parser.h"
#include "query/parse/lexer.h"

namespace demarche::query {

namespace {

using namespace ast;  // NOLINT(google-build-using-namespace): this file builds nothing else

class Parser final : public ClauseParser {
 public:
  using ClauseParser::ClauseParser;

 private:
  Result<ExprPtr> parse_expression() override {
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

  Result<ExprPtr> parse_postfix() override {
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

  Result<ExprPtr> parse_atom() override {
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
    if (is_symbol("(")) {
      DEMARCHE_TRY(ExprPtr pattern, parse_pattern_condition());
      if (pattern) return pattern;
      take();
      DEMARCHE_TRY(ExprPtr inner, parse_expression());
      DEMARCHE_CHECK(need_symbol(")", "to close the bracket"));
      inner->span = span_from(first);
      return inner;
    }
    return expected("an expression");
  }

  Result<ExprPtr> parse_list(std::size_t first) {
    const BarEnds bar(bar_ends_, false);
    if (is_name() && is_word("IN", 1)) return parse_comprehension(first);
    DEMARCHE_TRY(ExprPtr pattern, parse_pattern_comprehension(first));
    if (pattern) return pattern;
    ListOf out;
    while (!is_symbol("]")) {
      DEMARCHE_TRY(ExprPtr item, parse_expression());
      out.items.push_back(std::move(item));
      if (!take_symbol(",")) break;
    }
    DEMARCHE_CHECK(need_symbol("]", "to end the list"));
    return make(span_from(first), std::move(out));
  }

  // x IN list [WHERE condition]
  Result<ListScan> parse_scan_head() {
    ListScan out;
    DEMARCHE_ASSIGN(out.variable, need_name("a name for the elements"));
    DEMARCHE_CHECK(need_word("IN"));
    DEMARCHE_ASSIGN(out.list, parse_expression());
    const BarEnds bar(bar_ends_, true);
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

  Result<ExprPtr> parse_map() override {
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
    if (is_symbol("{") && name.kind == TokenKind::kWord) {
      if (same_word(name.text, "exists")) return parse_subquery(first, Subquery::Kind::kExists);
      if (same_word(name.text, "count")) return parse_subquery(first, Subquery::Kind::kCount);
    }
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
};

}  // namespace

Result<ast::Query> parse_query(std::string_view text) {
  if (text.size() > kQueryBytesMax) {
    return syntax_error("QueryTooLong", {0, 1},
                        fmt::format("the query has {} bytes, at most {} are read; pass values as parameters",
                                    text.size(), kQueryBytesMax));
  }
  DEMARCHE_TRY(std::vector<Token> tokens, tokenize(text));
  return Parser(text, std::move(tokens)).parse_statement();
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

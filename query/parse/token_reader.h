// What all rules of the parser share: the tokens, the messages, the limits on nesting.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/result.h"
#include "query/parse/ast.h"
#include "query/parse/depth.h"
#include "query/parse/lexer.h"
#include "query/parse/parser.h"

namespace demarche::query {

inline bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto up = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
    return up(x) == up(y);
  });
}

class TokenReader {
 public:
  TokenReader(std::string_view text, std::vector<Token> tokens) : text_(text), tokens_(std::move(tokens)) {}

 protected:
  template <typename Node>
  ast::ExprPtr make(Span span, Node node) {
    const std::uint32_t depth = depth_below(node) + 1;
    tree_depth_ = std::max(tree_depth_, depth);
    return std::make_unique<ast::Expr>(ast::Expr{span, std::move(node), depth});
  }

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
  [[nodiscard]] Result<void> need_symbol(std::string_view symbol, std::string_view where) {
    if (take_symbol(symbol)) return {};
    return expected(fmt::format("'{}' {}", symbol, where));
  }
  [[nodiscard]] Result<void> need_word(std::string_view word) {
    if (take_word(word)) return {};
    return expected(word);
  }
  [[nodiscard]] Result<std::string> need_name(std::string_view what) {
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

  [[nodiscard]] bool is_name(std::size_t ahead = 0) const {
    return peek(ahead).kind == TokenKind::kWord || peek(ahead).kind == TokenKind::kQuoted;
  }

  // Where the reader stands, to come back to when a rule that was tried does not fit.
  struct Mark {
    std::size_t at;
    std::uint32_t tree_depth;
  };
  [[nodiscard]] Mark mark() const { return {at_, tree_depth_}; }
  void go_back(const Mark& mark) {
    at_ = mark.at;
    tree_depth_ = mark.tree_depth;
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::uint32_t tree_depth_ = 0;  // of the deepest expression so far
};

}  // namespace demarche::query

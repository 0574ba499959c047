// Splits a query text into tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "query/parse/ast.h"

namespace demarche::query {

enum class TokenKind : std::uint8_t {
  kWord,       // identifier or keyword; keywords are found by comparing without regard to case
  kQuoted,     // `back-ticked identifier`, never a keyword
  kString,     // 'text' or "text", escapes resolved
  kInteger,    // 42, 0x2A, 0o52
  kFloat,      // 4.2, 1e9, .5
  kParameter,  // $name
  kSymbol,     // punctuation: text says which, the longest that fits
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // the identifier, string or symbol itself; digits of a number as written
  Span span;
};

// The last token is kEnd. Errors: SyntaxError with the place, for unterminated strings and comments, bad escapes and
// characters that begin nothing.
[[nodiscard]] Result<std::vector<Token>> tokenize(std::string_view text);

// A query error with its class, its place and a message.
[[nodiscard]] tl::unexpected<Error> fault(std::string type, std::string detail, Span span, std::string message,
                                          std::string phase = "compile time");
[[nodiscard]] tl::unexpected<Error> syntax_error(std::string detail, Span span, std::string message);

}  // namespace demarche::query

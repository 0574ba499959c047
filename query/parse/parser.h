// Text to syntax tree: recursive descent, one function a rule, so that each message can say what was expected where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "query/parse/ast.h"

namespace demarche::query {

// Deepest nesting of brackets and operators in one expression. Deeper texts are refused, not crashed on.
inline constexpr int kNestingMax = 200;
// Deepest expression tree: a chain of a thousand ANDs is a thousand deep.
inline constexpr std::uint32_t kTreeDepthMax = 1000;
// Clauses and pattern elements become operators, each of which calls the one before: their number bounds the stack.
inline constexpr std::size_t kClausesMax = 1000;
inline constexpr std::size_t kPatternStepsMax = 300;     // of one clause
inline constexpr std::size_t kStatementStepsMax = 2000;  // of all MATCH clauses
inline constexpr std::size_t kQueryBytesMax = std::size_t{1} << 20;

// Reads one statement; a semicolon may end it. Errors: SyntaxError with place.
[[nodiscard]] Result<ast::Query> parse_query(std::string_view text);

// Cuts a text at its semicolons outside strings and comments. Empty statements are left out; the last may lack its
// semicolon, and `*complete` then says false. Errors: as tokenize().
[[nodiscard]] Result<std::vector<std::string_view>> split_statements(std::string_view text, bool* complete = nullptr);

}  // namespace demarche::query

// Results and errors. Every function that can fail for a reason outside the program returns Result<T>;
// what only a bug can break is an assert. No exception leaves engine or query.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace demarche {

// A code exists only if a caller would react differently to it.
enum class ErrorCode : std::uint8_t {
  kInvalidArgument,  // the request is wrong: repeating it fails again
  kNotFound,         // a named actor, kind, interaction or store is absent
  kConflict,         // somebody else holds or has already written it
  kOverloaded,       // a limit was reached: retry later, not at once
  kCorruption,       // stored bytes contradict FORMAT.md: stop writing
  kIo,               // the disk or RocksDB refused: the message says what
  kOutcomeUnknown,   // a commit failed half-way: reopen before writing again
  kLimit,            // the query's time, row or memory limit: narrow it
  kCancelled,        // somebody asked to stop
  kDenied,           // this caller may not do that
};

// Where in a query text the fault lies, and its class in the words of the conformance kit.
struct QueryFault {
  std::string type;           // "SyntaxError", "TypeError", "ParameterMissing", ...
  std::string phase;          // "compile time" or "runtime"
  std::string detail;         // "UndefinedVariable", "InvalidArgumentType", ...
  std::size_t offset = 0;     // byte offset of the fault in the query text
  std::size_t length = 0;     // bytes the caret underlines, at least 1
  bool has_position = false;  // false: offset and length mean nothing
};

struct Error {
  ErrorCode code = ErrorCode::kInvalidArgument;
  std::string message;                      // what happened, where, what to do; lower case start, no full stop
  std::shared_ptr<const QueryFault> fault;  // set on errors of a query, else null

  // The same error with "context: " in front. The cause is never replaced.
  [[nodiscard]] Error with_context(std::string_view context) &&;
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> make_error(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message), nullptr});
}
[[nodiscard]] inline tl::unexpected<Error> invalid(std::string message) {
  return make_error(ErrorCode::kInvalidArgument, std::move(message));
}

}  // namespace demarche

#define DEMARCHE_CONCAT_IMPL(a, b) a##b
#define DEMARCHE_CONCAT(a, b) DEMARCHE_CONCAT_IMPL(a, b)
#define DEMARCHE_TRY_IMPL(tmp, decl, ...)                               \
  auto tmp = (__VA_ARGS__);                                             \
  if (!tmp) {                                                           \
    return ::tl::unexpected<::demarche::Error>(std::move(tmp).error()); \
  }                                                                     \
  decl = std::move(*tmp)
// DEMARCHE_TRY(const Actor actor, view.get_actor(id)); returns the error or binds the value.
// Expands to several statements: stands on its own line inside braces.
#define DEMARCHE_TRY(decl, ...) DEMARCHE_TRY_IMPL(DEMARCHE_CONCAT(demarche_try_, __LINE__), decl, __VA_ARGS__)
// The same into something that exists already; one statement.
#define DEMARCHE_ASSIGN(target, ...)                                                    \
  do {                                                                                  \
    auto demarche_assigned = (__VA_ARGS__);                                             \
    if (!demarche_assigned) {                                                           \
      return ::tl::unexpected<::demarche::Error>(std::move(demarche_assigned).error()); \
    }                                                                                   \
    target = std::move(*demarche_assigned);                                             \
  } while (false)
// The same for Result<void>.
#define DEMARCHE_CHECK(...)                                                            \
  do {                                                                                 \
    if (auto demarche_checked = (__VA_ARGS__); !demarche_checked) {                    \
      return ::tl::unexpected<::demarche::Error>(std::move(demarche_checked).error()); \
    }                                                                                  \
  } while (false)

// Lexer and parser on any bytes: an answer or an error that can be shown, never a crash.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "query/parse/parser.h"
#include "query/query.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarche::query;  // NOLINT(google-build-using-namespace): this function is all of the file
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = parse_query(text);
  if (!parsed) {
    // Every error of a text has a place in it and something to say.
    const auto& fault = parsed.error().fault;
    if (!fault || !fault->has_position || fault->offset > size || parsed.error().message.empty()) std::abort();
    if (describe_error(parsed.error(), text).empty()) std::abort();
  }
  bool complete = false;
  (void)split_statements(text, &complete);
  (void)parse_literal(text);
  return 0;
}

// The operator =~: regular expressions in the syntax of RE2, which takes time linear in the text whatever the pattern.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/result.h"

namespace demarche::query {

// Compiled patterns of one running query. Not thread-safe.
class PatternCache {
 public:
  PatternCache();
  ~PatternCache();
  PatternCache(const PatternCache&) = delete;
  PatternCache& operator=(const PatternCache&) = delete;

  // Does the whole of `text` match `pattern`? Errors: kInvalidArgument, with what RE2 says of the pattern; patterns
  // that need more than 8 MB are refused.
  [[nodiscard]] Result<bool> matches(std::string_view text, const std::string& pattern);

 private:
  struct Compiled;
  std::unordered_map<std::string, std::unique_ptr<Compiled>> patterns_;
};

}  // namespace demarche::query

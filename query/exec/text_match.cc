#include "query/exec/text_match.h"

#include <fmt/format.h>
#include <re2/re2.h>

namespace demarche::query {

namespace {

constexpr std::size_t kPatternsKept = 1000;
constexpr std::int64_t kPatternBytesMax = std::int64_t{8} << 20;

}  // namespace

struct PatternCache::Compiled {
  explicit Compiled(const std::string& pattern, const RE2::Options& options) : re(pattern, options) {}
  RE2 re;
};

PatternCache::PatternCache() = default;
PatternCache::~PatternCache() = default;

Result<bool> PatternCache::matches(std::string_view text, const std::string& pattern) {
  auto it = patterns_.find(pattern);
  if (it == patterns_.end()) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kPatternBytesMax);
    auto compiled = std::make_unique<Compiled>(pattern, options);
    if (!compiled->re.ok())
      return invalid(fmt::format("'{}' is no regular expression: {}", pattern, compiled->re.error()));
    if (patterns_.size() >= kPatternsKept) patterns_.clear();
    it = patterns_.emplace(pattern, std::move(compiled)).first;
  }
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), it->second->re);
}

}  // namespace demarche::query

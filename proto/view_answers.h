// Answers from a view that a local session and a server both give.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/names.h"
#include "engine/store.h"
#include "proto/session.h"

namespace demarche::proto {

inline constexpr std::uint32_t kPageIdsMax = 10'000;
inline constexpr std::uint32_t kPageRecordsMax = 1'000;

[[nodiscard]] Result<std::vector<InteractionId>> offices_of(const View& view, ActorId id);
[[nodiscard]] Result<std::string> nearest_key_of(const View& view, const std::string& text);
// `path`: the store's folder.
[[nodiscard]] Result<Totals> totals_of(const View& view, const std::string& path);
// Imports a file of JSON Lines as one commit. Errors name lines, not the file: "line:3: ...".
[[nodiscard]] Result<RecordReport> record_lines(Store& store, const std::string& file, const std::string& note,
                                                const std::string& commit_id);

// Asks that a statement be answered from the state of `view`, unless its own head names another.
inline void pin(query::QueryOptions& options, const Store& store, const View& view) {
  const CommitNumber commit = view.statistics().commit;
  if (store.view()->statistics().commit != commit) options.as_of = "commit " + std::to_string(commit.value);
}

// A file that only this user reads, removed with the object.
class SpoolFile {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SpoolFile>> make();
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;
  [[nodiscard]] Result<void> write(std::string_view bytes);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  SpoolFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::string path_;
};

// The part of an ascending set that a page shows.
template <typename IdType>
[[nodiscard]] std::vector<IdType> cut_page(const std::vector<IdType>& all, const PageOptions& options, bool& more) {
  const std::uint32_t most = options.records ? kPageRecordsMax : kPageIdsMax;
  const std::size_t limit = options.limit == 0 ? most : std::min(options.limit, most);
  const auto begin = std::upper_bound(all.begin(), all.end(), IdType{options.after});
  const auto left = static_cast<std::size_t>(all.end() - begin);
  more = left > limit;
  return std::vector<IdType>(begin, begin + static_cast<std::ptrdiff_t>(std::min(left, limit)));
}

}  // namespace demarche::proto

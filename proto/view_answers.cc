#include "proto/view_answers.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "engine/exchange/import.h"

namespace demarche::proto {

Result<std::vector<InteractionId>> offices_of(const View& view, ActorId id) {
  DEMARCHE_TRY(RowCursor cursor, view.scan(id, {}, view.kinds().all_below(kinds::kHoldsOffice)));
  std::vector<InteractionId> out;
  RowBatch rows;
  while (true) {
    DEMARCHE_CHECK(cursor.next(rows));
    if (rows.size() == 0) return out;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto parties = rows.parties_of(i);
      const auto is_holder = [&](const Party& p) { return p.actor == id && p.role == Role::kHolder; };
      if (std::any_of(parties.begin(), parties.end(), is_holder)) out.push_back(rows.interaction[i]);
    }
  }
}

Result<std::string> nearest_key_of(const View& view, const std::string& text) {
  constexpr std::size_t kRecordsMax = 50'000;
  std::vector<std::string> keys;
  DEMARCHE_TRY(RowCursor cursor, view.timeline({}, {}));
  RowBatch rows;
  for (std::size_t read = 0; read < kRecordsMax; read += rows.size()) {
    DEMARCHE_CHECK(cursor.next(rows));
    if (rows.size() == 0) break;
    for (const InteractionId id : rows.interaction) {
      DEMARCHE_TRY(const Interaction record, view.get_interaction(id));
      if (!record.key.empty()) keys.push_back(record.key);
    }
  }
  return nearest(text, keys);
}

Result<Totals> totals_of(const View& view, const std::string& path) {
  std::map<KindId, KindTotal> kinds;
  Totals out;
  DEMARCHE_TRY(RowCursor cursor, view.timeline({}, {}));
  RowBatch rows;
  while (true) {
    DEMARCHE_CHECK(cursor.next(rows));
    if (rows.size() == 0) break;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto [it, added] =
          kinds.try_emplace(rows.kind[i], KindTotal{rows.kind[i], 0, Timestamp::highest(), Timestamp::lowest()});
      KindTotal& kind = it->second;
      ++kind.count;
      if (rows.dated[i] == 0) ++out.undated;
      if (rows.bounds[i].begin_min.is_finite()) kind.first = std::min(kind.first, rows.bounds[i].begin_min);
      if (rows.bounds[i].end_max.is_finite()) kind.last = std::max(kind.last, rows.bounds[i].end_max);
    }
  }
  for (const auto& [id, kind] : kinds) out.kinds.push_back(kind);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path, ignored)) {
    if (entry.is_regular_file(ignored)) out.disk_bytes += entry.file_size(ignored);
  }
  return out;
}

Result<RecordReport> record_lines(Store& store, const std::string& file, const std::string& note,
                                  const std::string& commit_id) {
  DEMARCHE_TRY(const auto transaction, store.begin());
  auto read = import_jsonl(*transaction, {file});
  if (!read) {
    Error error = std::move(read).error();
    if (const std::size_t at = error.message.find(file); at != std::string::npos)
      error.message.replace(at, file.size(), "line");
    return tl::unexpected(std::move(error));
  }
  const ImportReport& report = *read;
  DEMARCHE_TRY(const CommitNumber commit, transaction->commit(note, commit_id));
  return RecordReport{report.lines, report.actors, report.interactions, report.sources, commit};
}

Result<std::unique_ptr<SpoolFile>> SpoolFile::make() {
  std::error_code ignored;
  std::string path = (std::filesystem::temp_directory_path(ignored) / "demarche-lines-XXXXXX").string();
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return make_error(ErrorCode::kIo, fmt::format("cannot make '{}': {}", path, std::strerror(errno)));
  return std::unique_ptr<SpoolFile>(new SpoolFile(fd, std::move(path)));
}

SpoolFile::~SpoolFile() {
  ::close(fd_);
  ::unlink(path_.c_str());
}

Result<void> SpoolFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0) return make_error(ErrorCode::kIo, fmt::format("cannot write '{}': {}", path_, std::strerror(errno)));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace demarche::proto

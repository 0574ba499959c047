// Asking a store in the query language. Start here; the language is described in LANGUAGE.md.
//
//   DEMARCHE_TRY(auto cursor, run_query(*store, "MATCH (a:Person) RETURN a.name ORDER BY a.name LIMIT $n", {{"n",
//   Value::integer(5)}})); ResultRows rows; while (true) {
//     DEMARCHE_CHECK(cursor->next(rows));
//     if (rows.size() == 0) break;
//     ... rows.column(0)[i] ...
//   }
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"
#include "engine/store.h"
#include "query/value.h"

namespace demarche::query {

struct QueryOptions {
  std::chrono::milliseconds time_max{std::chrono::minutes(10)};
  std::size_t rows_held_max = 50'000'000;  // rows kept at once by sorting, grouping and DISTINCT
  // Set from another thread to stop the query: it ends with kCancelled within a batch of rows. May be null; must
  // outlive the cursor.
  const std::atomic<bool>* cancel = nullptr;
  // The answer is the same without; for tests, and to look for the culprit when it is not.
  bool optimise = true;     // false: patterns are found in the order written, and no step is put before another
  bool use_indexes = true;  // false: actors and interactions are found by looking at all of them
  // A system time, as view_as_of() reads it: the statement is answered as if FOR SYSTEM_TIME stood before it. One that
  // writes is refused, one that has such a head of its own keeps that. Empty: the newest state.
  std::string as_of;
};

// Some rows of an answer, as columns.
class ResultRows {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const std::vector<Value>& column(std::size_t i) const { return columns_[i]; }

 private:
  friend class ResultCursor;
  std::vector<std::vector<Value>> columns_;
  std::size_t size_ = 0;
};

// What a statement has changed.
struct Changes {
  std::uint64_t actors_created = 0;
  std::uint64_t interactions_created = 0;
  std::uint64_t actors_changed = 0;  // among them those created by the same statement
  std::uint64_t interactions_changed = 0;
  std::uint64_t actors_deleted = 0;
  std::uint64_t interactions_deleted = 0;
  CommitNumber commit;  // 0: nothing was written
};

// The answer to one statement. Reads one fixed state of the store, which it keeps alive. Not thread-safe.
class ResultCursor {
 public:
  ~ResultCursor();
  ResultCursor(const ResultCursor&) = delete;
  ResultCursor& operator=(const ResultCursor&) = delete;

  [[nodiscard]] const std::vector<std::string>& columns() const;
  // Replaces `rows` with the next ones, about a thousand. None means the end.
  [[nodiscard]] Result<void> next(ResultRows& rows);
  // For people: a kind, label or property that nothing has, a statement that changed nothing.
  [[nodiscard]] const std::vector<std::string>& notices() const;
  [[nodiscard]] const Changes& changes() const;
  // The state the answer is about: to read the records that its values name.
  [[nodiscard]] const View& view() const;

  struct State;  // defined in query.cc
  explicit ResultCursor(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

// Runs one statement. A statement that writes is one transaction: by the time this returns it is committed, or nothing
// has happened. Errors of the text carry their place (Error::fault).
[[nodiscard]] Result<std::unique_ptr<ResultCursor>> run_query(Store& store, std::string_view text,
                                                              const std::map<std::string, Value>& parameters = {},
                                                              const QueryOptions& options = {});

// The state that `system_time` names, as FOR SYSTEM_TIME AS OF does: a day, month or year means its end, UTC, a
// date-time that instant, "commit 12" what that commit left. Empty: the newest state.
// Errors: kInvalidArgument for what names no one time, and a commit that is not there.
[[nodiscard]] Result<std::shared_ptr<const View>> view_as_of(const Store& store, std::string_view system_time);

// Does the statement write? Needs no store. Errors: those of its syntax.
[[nodiscard]] Result<bool> statement_writes(std::string_view text);

// "2:14: unknown kind ..." and the line with a caret below, for an error of `text`; other errors as they are.
[[nodiscard]] std::string describe_error(const Error& error, std::string_view text);

}  // namespace demarche::query

// What several sub-commands need: opening a store, parameters, running a statement and writing its rows.
#pragma once

#include <csignal>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"
#include "engine/result.h"
#include "engine/store.h"
#include "proto/session.h"
#include "query/query.h"

namespace demarche::cli {

// Control-C is noted, and neither kills the program nor restarts a read, while this lives.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  // Has Control-C been pressed since the last guard was made?
  [[nodiscard]] static bool interrupted();
  [[nodiscard]] static const std::atomic<bool>* flag();

 private:
  struct sigaction before_ {};
};

// "1 row", "2 rows".
[[nodiscard]] std::string plural(std::uint64_t n, std::string_view one, std::string_view many);

// For reading: never writes, works on a folder without write permission.
[[nodiscard]] Result<std::unique_ptr<Store>> open_to_read(const std::string& path);

// name=value, the value a literal of the language ('text', 5, [1, 2], true) or else taken as a text.
[[nodiscard]] Result<std::map<std::string, query::Value>> parse_parameters(const std::vector<std::string>& texts);

struct RunOptions {
  OutputOptions output;
  std::map<std::string, query::Value> parameters;
  unsigned time_max_s = 600;
  std::string as_of = "";    // system time, as query::view_as_of() reads it
  bool interactive = false;  // say how many rows and how long
  bool in_shell = false;     // messages name the commands of the shell
};

// Runs one statement, writes its rows to standard output and everything else to standard error.
// Control-C stops the statement. Returns the exit status.
[[nodiscard]] int run_statement(proto::Session& session, std::string_view text, const RunOptions& options);

// "John Kerry (Secretary of State, United States)" with the offices held for certain, "?" for those held perhaps.
[[nodiscard]] Result<std::string> name_with_office(const proto::Snapshot& view, ActorId id,
                                                   const std::optional<TimeBounds>& at, ValueText& text);

// "Meeting", "working lunch": a kind as words.
[[nodiscard]] std::string kind_words(const proto::Snapshot& view, KindId kind);

// "; did you mean 'x'?" with the key of an interaction that is nearest to `text`, or "". Reads up to 50 000 records:
// for messages only.
[[nodiscard]] std::string nearest_key_hint(const proto::Snapshot& view, const std::string& text);

// The time that `text` means: an interaction by key, or else a date.
struct NamedTime {
  std::string label;
  TimeBounds bounds;
  std::optional<When> when;   // as written; nullopt: undated
  InteractionId interaction;  // 0: a date
};
// With `according_to` it is that source's own date of the interaction.
[[nodiscard]] Result<NamedTime> named_time(const proto::Snapshot& view, const std::string& text,
                                           const std::string& according_to);

}  // namespace demarche::cli

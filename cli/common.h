// What several sub-commands need: opening a store, parameters, running a statement and writing its rows.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"
#include "engine/result.h"
#include "engine/store.h"
#include "query/query.h"

namespace demarche::cli {

// For reading: never writes, works on a folder without write permission.
[[nodiscard]] Result<std::unique_ptr<Store>> open_to_read(const std::string& path);

// name=value, the value a literal of the language ('text', 5, [1, 2], true) or else taken as a text.
[[nodiscard]] Result<std::map<std::string, query::Value>> parse_parameters(const std::vector<std::string>& texts);

struct RunOptions {
  OutputOptions output;
  std::map<std::string, query::Value> parameters;
  unsigned time_max_s = 600;
  bool interactive = false;  // say how many rows and how long
};

// Runs one statement, writes its rows to standard output and everything else to standard error.
// Control-C stops the statement. Returns the exit status.
[[nodiscard]] int run_statement(Store& store, std::string_view text, const RunOptions& options);

// "John Kerry (Secretary of State, United States)" with the offices held for certain, "?" for those held perhaps.
[[nodiscard]] Result<std::string> name_with_office(const View& view, ActorId id, const std::optional<TimeBounds>& at,
                                                   ValueText& text);

// "Meeting", "working lunch": a kind as words.
[[nodiscard]] std::string kind_words(const View& view, KindId kind);

// The time that `text` means: an interaction by key, or else a date.
struct NamedTime {
  std::string label;
  TimeBounds bounds;
  std::optional<When> when;   // as written; nullopt: undated
  InteractionId interaction;  // 0: a date
};
// With `according_to` it is that source's own date of the interaction.
[[nodiscard]] Result<NamedTime> named_time(const View& view, const std::string& text, const std::string& according_to);

}  // namespace demarche::cli

// Rows as people and scripts want them. Rows go to standard output, everything else to standard error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/result.h"
#include "engine/store.h"
#include "proto/session.h"
#include "query/value.h"

namespace demarche::cli {

enum class Format : std::uint8_t { kTable, kCsv, kTsv, kJson, kJsonl };

[[nodiscard]] std::optional<Format> find_format(std::string_view name);

struct OutputOptions {
  Format format = Format::kTable;
  bool header = true;
  bool raw = false;  // csv: texts that a spreadsheet would run as a formula are written as they are
};

// Text of values as a person reads them: an actor by name, an interaction by key, a date as written.
class ValueText {
 public:
  explicit ValueText(const proto::Snapshot& state) : view_(state) {}

  [[nodiscard]] std::string plain(const query::Value& value);
  // The same, but lists and maps as JSON in which records are texts: for programs that read CSV and TSV.
  [[nodiscard]] std::string cell(const query::Value& value);
  [[nodiscard]] std::string json(const query::Value& value);
  [[nodiscard]] std::string actor_name(ActorId id);
  [[nodiscard]] std::string interaction_name(InteractionId id);

 private:
  [[nodiscard]] std::string nested(const query::Value& value);  // texts in quotes

  const proto::Snapshot& view_;
  std::unordered_map<ActorId, std::string> actors_;
};

// Takes rows one by one and writes them; a table is written by finish(), since its widths depend on all rows.
class RowWriter {
 public:
  virtual ~RowWriter() = default;
  virtual void row(const std::vector<query::Value>& values) = 0;
  virtual void finish() = 0;
};
[[nodiscard]] std::unique_ptr<RowWriter> make_writer(const OutputOptions& options,
                                                     const std::vector<std::string>& columns, ValueText& text);

// Text with control characters and direction overrides made visible, so that data cannot command a terminal.
[[nodiscard]] std::string safe(std::string_view text);
// The same for messages of several lines: line feeds and tabs stay.
[[nodiscard]] std::string safe_lines(std::string_view text);
[[nodiscard]] std::string json_string(std::string_view text);
// Pads to `width` columns of a terminal.
[[nodiscard]] std::string padded(std::string_view text, std::size_t width);
// Lines of at most `width` columns, broken at spaces where there are some.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, std::size_t width);
// Columns of the terminal standard output is, 100 if it is none.
[[nodiscard]] std::size_t output_width();

void print(std::string_view text);     // to standard output
void complain(std::string_view text);  // to standard error, with "demarche: " in front and a line feed
void say(std::string_view text);       // to standard error, made harmless, with a line feed
// The message of an error, to standard error; returns kFailed.
int fail(const Error& error);
int fail(const Error& error, std::string_view query_text);
// False if standard output could not take everything (disk full, closed).
[[nodiscard]] bool flush_output();

}  // namespace demarche::cli

// Lines of a text file, plain or compressed with Zstandard (name ends in .zst), one at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "engine/result.h"

namespace demarche {

// Longest line that is read; a longer one is an error, so that a file without line feeds cannot fill the memory.
inline constexpr std::size_t kLineBytesMax = std::size_t{16} << 20;

class LineReader {
 public:
  // Errors: kNotFound, kDenied, kIo, with the file's name.
  [[nodiscard]] static Result<LineReader> open(const std::string& path);
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;
  ~LineReader();

  // Reads the next line into `line`, without its line feed and carriage return; false at the end of the file. A byte
  // order mark at the start of the file is dropped. Errors: kInvalidArgument (not UTF-8, too long, damaged
  // compression), kIo; the message names file and line.
  [[nodiscard]] Result<bool> next(std::string& line);

  [[nodiscard]] std::size_t line_number() const;  // of the line last read, from 1
  [[nodiscard]] const std::string& path() const;
  // "actors.jsonl:12"
  [[nodiscard]] std::string place() const;

 private:
  struct State;
  explicit LineReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace demarche

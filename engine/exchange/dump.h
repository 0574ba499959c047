// A store as text, with all of its history: JSON Lines, described in docs/dump.md. What is loaded from a dump gives the
// same dump again, and the same answers as of every commit.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/result.h"

namespace demarche {

struct DumpReport {
  std::uint64_t commits = 0;
  std::uint64_t lines = 0;
};

// Takes the text in pieces. An error ends the dump.
using TextSink = std::function<Result<void>(std::string_view text)>;

// Writes one whole state of the store at `path`, also beside a writer in another process. Memory: some 24 bytes for
// each version of a record that is not a plain interaction. Errors: as Store::open() read-only; kCorruption; what the
// sink returns.
[[nodiscard]] Result<DumpReport> dump_store(const std::string& path, const TextSink& sink);

// Makes a new store at `target` out of a dump (.zst is read as it is): all of it or nothing. Works in
// `target`.loading and renames it at the end. Commits keep their times, marked as stated, and all numbers stay.
// Errors: kInvalidArgument, with "file:line: what is wrong", or if there is anything at `target` but an empty folder;
// kNotFound, kDenied, kIo.
[[nodiscard]] Result<DumpReport> load_store(const std::string& file, const std::string& target);

}  // namespace demarche

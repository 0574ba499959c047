// Is a store sound? Reads all of it and compares everything that is said twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/result.h"

namespace demarche {

struct Finding {
  std::string family;  // of the database, as FORMAT.md names it; "files" for the files themselves
  std::string key;     // in words: "row 17 of actor 5"; empty: the family as a whole
  std::string what;
  bool repairable = false;  // repair_index() mends it: nothing is lost but what can be told from the records
};

struct CheckReport {
  std::uint64_t commits = 0;
  std::uint64_t kinds = 0;
  std::uint64_t sources = 0;
  std::uint64_t actor_versions = 0;
  std::uint64_t interaction_versions = 0;  // messages; plain interactions are counted by themselves
  std::uint64_t plain_interactions = 0;
  std::uint64_t timeline_blocks = 0;
  std::uint64_t contact_blocks = 0;
  std::uint64_t timeline_rows = 0;
  std::uint64_t contact_rows = 0;
  std::uint64_t unsealed_rows = 0;
  std::uint64_t participant_lists = 0;
  std::uint64_t retired_rows = 0;
  std::uint64_t keys = 0;
  std::uint64_t names = 0;
  std::uint64_t labels = 0;

  // Another process has the store open for writing: this is one whole state of it. It may have removed files meanwhile,
  // and then these are not compared with their checksums.
  bool beside_writer = false;
  bool files_compared = false;

  std::vector<Finding> findings;                   // the first kFindingsMax
  std::map<std::string, std::uint64_t> by_family;  // how many, all of them
  std::uint64_t finding_count = 0;                 // all
  std::uint64_t beyond_repair = 0;                 // of them, those that repair_index() cannot mend
  [[nodiscard]] bool clean() const { return finding_count == 0; }
};
inline constexpr std::size_t kFindingsMax = 100;

struct CheckOptions {
  // For comparing rows, some 64 bytes each; a store with more rows than fit is read several times.
  std::size_t memory_bytes = std::size_t{256} << 20;
  std::size_t cache_bytes = std::size_t{32} << 20;
};

// Compares: files with their checksums; both orders of the index with each other, row by row, and with the records;
// records with their history; retired rows, keys, names, labels and lists of participants with the records; the chain
// of commits and the totals of the last; the statistics with the records. Writes nothing, and works beside a writer in
// another process. Errors only if the store cannot be read at all: as Store::open() read-only; kOverloaded, try again,
// if a writer changes its files too fast.
[[nodiscard]] Result<CheckReport> check_store(const std::string& path, const CheckOptions& options = {});

// Makes everything that can be told from the records anew: both orders of the index, retired rows, keys, names, labels,
// lists of participants and statistics. REQUIRES memory for all keys and names. Refused (kCorruption) if the records
// themselves have faults: then only a backup helps. A process that dies meanwhile leaves a store that says so when it
// is opened, and a second repair finishes it. Errors: as Store::open() for writing.
[[nodiscard]] Result<void> repair_index(const std::string& path, const CheckOptions& options = {});

}  // namespace demarche

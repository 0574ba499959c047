// Reading notes and event data into a store. docs/import.md describes the forms.
//
// An import writes into a transaction that the caller commits: on an error the caller drops it, and the store is as it
// was. Everything is held in memory until then: some 1.5 kB an interaction.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "engine/result.h"
#include "engine/store.h"

namespace demarche {

struct ImportReport {
  std::size_t lines = 0;
  std::size_t actors = 0;
  std::size_t interactions = 0;
  std::size_t sources = 0;
  std::size_t kinds = 0;
  std::size_t folded = 0;  // dyads: rows that are another row's mirror
};

// Called now and then with the number of lines read so far.
using ImportProgress = std::function<void(std::size_t lines)>;

// JSON Lines: actors, sources, kinds and interactions, one a line, in any order.
// Errors: kInvalidArgument with "file:line: what is wrong".
[[nodiscard]] Result<ImportReport> import_jsonl(Transaction& transaction, const std::vector<std::string>& files,
                                                const ImportProgress& progress = {});

// Tab-separated rows of subject, relation, object, date. `kinds_file` says which kind each relation is.
[[nodiscard]] Result<ImportReport> import_dyads(Transaction& transaction, const std::vector<std::string>& files,
                                                const std::string& kinds_file, const ImportProgress& progress = {});

}  // namespace demarche

// The statistics of a store compared with its records; the entries of actors with the blocks, which others compare with
// the records: a row that was replaced within its own commit stands in blocks only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "engine/impl/kept_statistics.h"
#include "engine/impl/kv.h"
#include "engine/impl/record_walk.h"
#include "engine/result.h"

namespace demarche::impl {

// Told all records, in any order, then asked. What is not kept at all (by a build that keeps no statistics) is no
// fault.
class StatisticsCheck {
 public:
  // Of each fault: which key of the family "default", and what is wrong.
  using Fault = std::function<void(std::string key, std::string what)>;

  // Borrows all. Errors: kIo.
  [[nodiscard]] Result<void> start(const KvReader& reader, const CommitTable& commits, const Fault& fault);
  void take(const InteractionHistory& history);
  void take(const Held& held);
  // Errors: kIo.
  [[nodiscard]] Result<void> finish(const KvReader& reader, const CommitTable& commits, const Fault& fault) const;

 private:
  std::optional<KeptStatistics> stored_;  // nullopt: nothing to compare
  KeptCounts said_;                       // by the commits after it, and by their rows
  KeptCounts counts_;                     // of the records, up to the stored ones
  KeptCounts changes_;                    // of the records after them
};

}  // namespace demarche::impl

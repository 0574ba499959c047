// Contacts of actors as plain columns, read once and kept while a query runs: an actor is often reached on many ways.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/contact_scan.h"
#include "engine/result.h"
#include "query/exec/context.h"
#include "query/plan/plan.h"

namespace demarche::query {

// What one actor's rows say: each interaction with each other party once.
struct ContactList {
  std::vector<std::uint64_t> other;
  std::vector<std::uint64_t> interaction;
  std::vector<std::uint32_t> kind;  // these three only where the facts of interactions are asked for
  std::vector<TimeBounds> bounds;
  std::vector<std::uint8_t> dated;
  std::vector<std::uint32_t> by_other;  // positions in order of `other`, once asked for

  [[nodiscard]] std::size_t size() const { return other.size(); }
  // Positions of the lines with one other party. Sorts at the first call.
  [[nodiscard]] std::span<const std::uint32_t> with(std::uint64_t other_id);
};
using ContactListPtr = std::shared_ptr<ContactList>;

// What a contact scan is to read for a pattern: its kinds, in the words of ContactScan.
[[nodiscard]] ContactScanOptions contact_options(const bound::KindFilter& kinds, const ExecContext& context,
                                                 bool facts);
// Facts of line i go where ExecContext::facts() finds them.
void remember(ExecContext& context, const ContactList& list, std::size_t i);

class Adjacency {
 public:
  // REQUIRES: the statement does not write.
  Adjacency(const bound::KindFilter& kinds, bool facts, ExecContext& context)
      : options_(contact_options(kinds, context, facts)), context_(context) {}

  // Cost of the first question about an actor and a window: a scan of its rows.
  [[nodiscard]] Result<ContactListPtr> of(ActorId actor, TimeWindow window);

 private:
  [[nodiscard]] Result<ContactListPtr> load(ActorId actor) const;

  ContactScanOptions options_;
  ExecContext& context_;
  std::unordered_map<ActorId, ContactListPtr> lists_;  // of the window in options_
  std::size_t lines_held_ = 0;
};

}  // namespace demarche::query

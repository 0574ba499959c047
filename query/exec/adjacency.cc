#include "query/exec/adjacency.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace demarche::query {

namespace {

constexpr std::size_t kLinesKept = 4'000'000;      // 16 bytes each
constexpr std::size_t kFactLinesKept = 1'000'000;  // 64 bytes each

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

std::span<const std::uint32_t> ContactList::with(std::uint64_t other_id) {
  if (by_other.size() != other.size()) {
    by_other.resize(other.size());
    std::iota(by_other.begin(), by_other.end(), 0U);
    std::sort(by_other.begin(), by_other.end(),
              [this](std::uint32_t a, std::uint32_t b) { return std::pair(other[a], a) < std::pair(other[b], b); });
  }
  const auto first =
      std::partition_point(by_other.begin(), by_other.end(), [&](std::uint32_t at) { return other[at] < other_id; });
  auto last = first;
  while (last != by_other.end() && other[*last] == other_id) ++last;
  return {first, last};
}

ContactScanOptions contact_options(const bound::KindFilter& kinds, const ExecContext& context, bool facts) {
  ContactScanOptions out;
  out.kinds = kinds.set;
  if (kinds.any) {
    for (const Kind& kind : context.view().kinds().all()) out.kinds.insert(kind.id);
  }
  out.columns = ContactColumn::kOther | ContactColumn::kInteraction;
  if (facts) out.columns = out.columns | ContactColumn::kKind | ContactColumn::kBounds;
  return out;
}

void remember(ExecContext& context, const ContactList& list, std::size_t i) {
  context.remember({InteractionId{list.interaction[i]}, KindId{list.kind[i]}, list.dated[i] != 0, list.bounds[i]});
}

Result<ContactListPtr> Adjacency::of(ActorId actor, TimeWindow window) {
  if (window != options_.window) {
    options_.window = window;
    lists_.clear();
    lines_held_ = 0;
  }
  if (const auto it = lists_.find(actor); it != lists_.end()) return it->second;
  DEMARCHE_TRY(ContactListPtr list, load(actor));
  const bool facts = (options_.columns & static_cast<std::uint8_t>(ContactColumn::kBounds)) != 0;
  lines_held_ += list->size() + 1;
  if (lines_held_ > (facts ? kFactLinesKept : kLinesKept)) {
    lists_.clear();
    lines_held_ = list->size() + 1;
  }
  lists_.emplace(actor, list);
  return list;
}

Result<ContactListPtr> Adjacency::load(ActorId actor) const {
  auto out = std::make_shared<ContactList>();
  DEMARCHE_TRY(ContactScan scan, ContactScan::of_actor(context_.view(), actor, options_));
  ContactLines lines;
  while (true) {
    DEMARCHE_TRY(const bool any, scan.next(lines));
    if (!any) break;
    DEMARCHE_CHECK(context_.check_now_and_then());
    append(out->other, lines.other);
    append(out->interaction, lines.interaction);
    append(out->kind, lines.kind);
    append(out->bounds, lines.bounds);
    append(out->dated, lines.dated);
  }
  context_.reads.blocks += scan.blocks();
  return out;
}

}  // namespace demarche::query

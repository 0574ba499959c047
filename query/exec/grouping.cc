#include "query/exec/grouping.h"

#include <algorithm>
#include <utility>

#include "query/exec/aggregate.h"

namespace demarche::query {

namespace {

constexpr std::size_t kRecentSlots = 1024;

}  // namespace

void NumberMap::insert(std::uint64_t key, std::uint32_t value) {
  if (2 * (size_ + 1) > entries_.size()) {
    std::vector<Entry> old(std::max<std::size_t>(16, 2 * entries_.size()));
    std::swap(old, entries_);
    for (const Entry& entry : old) {
      if (entry.value == kNone) continue;
      std::size_t at = spread(entry.key) & mask();
      while (entries_[at].value != kNone) at = (at + 1) & mask();
      entries_[at] = entry;
    }
  }
  std::size_t at = spread(key) & mask();
  while (entries_[at].value != kNone) at = (at + 1) & mask();
  entries_[at] = {key, value};
  ++size_;
}

bool IdSet::insert_far(std::uint64_t id) {
  if (far_.find(id) != NumberMap::kNone) return false;
  far_.insert(id, 0);
  return true;
}

std::uint32_t ValueNumbers::number(const Value& v) {
  NumberMap* map = v.kind() == ValueKind::kActor         ? &actors_
                   : v.kind() == ValueKind::kInteraction ? &interactions_
                   : v.kind() == ValueKind::kInteger     ? &integers_
                                                         : nullptr;
  if (map != nullptr) {
    std::uint32_t found = map->find(v.bits());
    if (found != NumberMap::kNone) return found;
    found = number_by_value(v);
    map->insert(v.bits(), found);
    return found;
  }
  if (recent_.empty()) recent_.resize(kRecentSlots);
  const std::uint64_t spread = v.bits() * 0x9E3779B97F4A7C15ULL;
  Recent& recent = recent_[static_cast<std::size_t>(spread >> 32) % kRecentSlots];
  if (recent.number != NumberMap::kNone && recent.value.kind() == v.kind() && recent.value.bits() == v.bits()) {
    return recent.number;
  }
  recent.number = number_by_value(v);
  recent.value = v;
  return recent.number;
}

std::uint32_t ValueNumbers::number_by_value(const Value& v) {
  const auto [it, fresh] = numbers_.try_emplace(v, static_cast<std::uint32_t>(values_.size()));
  if (fresh) values_.push_back(v);
  return it->second;
}

Result<void> Groups::number(const std::vector<const ColumnValues*>& columns, std::size_t rows, ExecContext& context,
                            std::vector<std::uint32_t>& out) {
  out.assign(rows, 0);
  if (columns_ == 0) {
    if (rows > 0) size_ = 1;
    return {};
  }
  steps_.resize(columns_ - 1);
  std::vector<std::uint32_t> part(columns_);
  for (std::size_t row = 0; row < rows; ++row) {
    part[0] = numbers_[0].number((*columns[0])[row]);
    std::uint32_t number = part[0];
    for (std::size_t k = 1; k < columns_; ++k) {
      part[k] = numbers_[k].number((*columns[k])[row]);
      Step& step = steps_[k - 1];
      const std::uint64_t key = std::uint64_t{number} << 32 | part[k];
      number = step.map.find(key);
      if (number != NumberMap::kNone) continue;
      number = step.size++;
      step.map.insert(key, number);
    }
    out[row] = number;
    if (number < size_) continue;
    ++size_;
    parts_.insert(parts_.end(), part.begin(), part.end());
    Held held{1, 0};
    for (std::size_t k = 0; k < columns_; ++k) {
      const Held one = row_of((*columns[k])[row]);
      held.rows += one.rows - 1;
      held.bytes += 2 * one.bytes;  // the value and its place in a table
    }
    DEMARCHE_CHECK(context.hold(held));
  }
  return {};
}

}  // namespace demarche::query

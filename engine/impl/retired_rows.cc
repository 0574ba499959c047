#include "engine/impl/retired_rows.h"

#include <algorithm>
#include <iterator>

namespace demarche::impl {

namespace {
bool row_less(const RetiredRows::Entry& a, const RetiredRows::Entry& b) { return a.row < b.row; }
}  // namespace

std::shared_ptr<const RetiredRows> RetiredRows::with(std::vector<Entry> added) const {
  auto out = std::make_shared<RetiredRows>(*this);
  if (added.empty()) return out;
  std::sort(added.begin(), added.end(), row_less);
  auto run = std::make_shared<Run>(std::move(added));
  while (!out->runs_.empty() && out->runs_.back()->size() < 2 * run->size()) {
    auto merged = std::make_shared<Run>();
    merged->reserve(run->size() + out->runs_.back()->size());
    std::merge(run->begin(), run->end(), out->runs_.back()->begin(), out->runs_.back()->end(),
               std::back_inserter(*merged), row_less);
    out->runs_.pop_back();
    run = std::move(merged);
  }
  out->runs_.push_back(std::move(run));
  return out;
}

bool RetiredRows::contains(std::uint64_t row, CommitNumber as_of) const {
  for (const auto& run : runs_) {
    const auto at = std::lower_bound(run->begin(), run->end(), Entry{row, 0}, row_less);
    if (at != run->end() && at->row == row) return at->commit <= as_of.value;
  }
  return false;
}

bool RetiredRows::any_within(std::uint64_t first, std::uint64_t last) const {
  return std::any_of(runs_.begin(), runs_.end(), [&](const auto& run) {
    const auto at = std::lower_bound(run->begin(), run->end(), Entry{first, 0}, row_less);
    return at != run->end() && at->row <= last;
  });
}

std::size_t RetiredRows::size() const {
  std::size_t out = 0;
  for (const auto& run : runs_) out += run->size();
  return out;
}

}  // namespace demarche::impl

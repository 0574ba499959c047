#include "bench/compare.h"

#include <fmt/format.h>

namespace demarche::bench {
namespace {

std::string text_of(const ContactSum& sum) {
  return fmt::format("{} interactions, others {}, ids {}", sum.interactions, sum.others, sum.ids);
}
std::string text_of(const ReachSum& sum) { return fmt::format("{} reached, days {}", sum.reached, sum.days); }
std::string text_of(const PairCount& pair) { return fmt::format("{} with {}: {}", pair.a, pair.b, pair.interactions); }
std::string text_of(std::uint64_t count) { return std::to_string(count); }

template <typename T>
std::optional<std::string> if_unequal(const T& limit, const T& product, const std::string& where = {}) {
  if (limit == product) return std::nullopt;
  return fmt::format("{}expected {}, found {}", where, text_of(limit), text_of(product));
}

template <typename T>
std::optional<std::string> of_lists(const std::vector<T>& limit, const std::vector<T>& product) {
  if (limit.size() != product.size()) return fmt::format("expected {} entries, found {}", limit.size(), product.size());
  for (std::size_t i = 0; i < limit.size(); ++i) {
    if (auto text = if_unequal(limit[i], product[i], fmt::format("entry {}: ", i))) return text;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> difference(const ContactSum& limit, const ContactSum& product) {
  return if_unequal(limit, product);
}
std::optional<std::string> difference(const ReachSum& limit, const ReachSum& product) {
  return if_unequal(limit, product);
}
std::optional<std::string> difference(const TopPairs& limit, const TopPairs& product) {
  return of_lists(limit, product);
}
std::optional<std::string> difference(const KindMonths& limit, const KindMonths& product) {
  return of_lists(limit, product);
}

}  // namespace demarche::bench

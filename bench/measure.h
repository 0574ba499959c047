// Measuring by CPU time, which other work on the machine disturbs less than the clock on the wall.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/result.h"

namespace demarche::bench {

// CPU seconds of this process, all threads, user and system.
[[nodiscard]] double cpu_seconds();
[[nodiscard]] double wall_seconds();

// REQUIRES: not empty. The upper of the two middle ones if there are two.
[[nodiscard]] double median(std::vector<double> values);

// Of /proc/self/status.
struct Memory {
  std::uint64_t resident_bytes = 0;   // VmRSS
  std::uint64_t anonymous_bytes = 0;  // RssAnon: without mapped files
};
[[nodiscard]] Result<Memory> memory_of_this_process();

// Sum of the sizes of the files below `path`. `suffix`: only of names that end so, "" for all.
[[nodiscard]] Result<std::uint64_t> bytes_on_disk(const std::string& path, const std::string& suffix = {});

// Seconds a question, medians over the rounds; `ratio` is the median of the ratios of the rounds.
struct Paired {
  std::size_t rounds = 0;
  double limit_seconds = 0;
  double product_seconds = 0;
  double ratio = 0;
  double ratio_low = 0;
  double ratio_high = 0;
};

// CPU seconds a call of `run_all`, which is repeated until it has taken at least five milliseconds.
template <typename RunAll>
double seconds_of(RunAll&& run_all) {
  constexpr double kSecondsMin = 0.005;
  const double start = cpu_seconds();
  double seconds = 0;
  std::size_t repeats = 0;
  while (seconds < kSecondsMin) {
    run_all();
    ++repeats;
    seconds = cpu_seconds() - start;
  }
  return seconds / static_cast<double>(repeats);
}

// Runs one after the other, `rounds` times, after one round that is not counted. Each of `limit` and `product` answers
// all `questions` questions once; `check` is called after each round and may end it with an error.
// REQUIRES: both counts above 0.
template <typename Limit, typename Product, typename Check>
[[nodiscard]] Result<Paired> run_paired(std::size_t rounds, std::size_t questions, Limit&& limit, Product&& product,
                                        Check&& check) {
  std::vector<double> of_limit;
  std::vector<double> of_product;
  std::vector<double> ratios;
  limit();
  product();
  DEMARCHE_CHECK(check());
  for (std::size_t round = 0; round < rounds; ++round) {
    of_limit.push_back(seconds_of(limit));
    of_product.push_back(seconds_of(product));
    ratios.push_back(of_product.back() / of_limit.back());
    DEMARCHE_CHECK(check());
  }
  const auto count = static_cast<double>(questions);
  const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
  return Paired{rounds, median(of_limit) / count, median(of_product) / count, median(ratios), *low, *high};
}

}  // namespace demarche::bench

// What a run found, as tables for people and as lines for bench/history.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/costs.h"
#include "bench/measure.h"

namespace demarche::bench {

// One workload, limit against product.
struct RatioLine {
  std::string workload;
  Paired paired;
  std::optional<double> goal = std::nullopt;  // highest ratio wished for; set for size L
};

// Something measured by itself.
struct CostLine {
  std::string name;
  double value = 0;
  std::string unit;
  std::optional<double> goal = std::nullopt;
  bool goal_is_lowest = false;  // else the highest wished for
  std::string note = {};
};

void print_ratios(const std::vector<RatioLine>& lines);
void print_costs(const std::vector<CostLine>& lines);

struct RunLabel {
  std::string date;     // 2026-11-22
  std::string commit;   // abbreviated; "-" if not known
  std::string machine;  // processor and number of cores
  std::string data;     // "S"
};
[[nodiscard]] RunLabel label_of(const std::string& commit, const std::string& data);

// Adds to the file a line for each workload and cost, with a head if the file is new: date, commit, machine, data,
// name, limit, product, unit, ratio, lowest, highest, rounds, goal, separated by tabs; seconds a question for
// workloads. Errors: kIo.
[[nodiscard]] Result<void> append_history(const std::string& path, const RunLabel& label,
                                          const std::vector<RatioLine>& ratios, const std::vector<CostLine>& costs);

}  // namespace demarche::bench

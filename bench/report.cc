#include "bench/report.h"

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fmt/format.h>

namespace demarche::bench {
namespace {

// Three significant digits in a unit that suits.
std::string time_text(double seconds) {
  if (seconds < 1e-6) return fmt::format("{:.3g} ns", seconds * 1e9);
  if (seconds < 1e-3) return fmt::format("{:.3g} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.3g} ms", seconds * 1e3);
  return fmt::format("{:.3g} s", seconds);
}

std::string number_text(double value) {
  return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

std::string goal_text(const std::optional<double>& goal, bool lowest, bool met) {
  if (!goal) return "";
  return fmt::format("{} {}{}", lowest ? ">=" : "<=", number_text(*goal), met ? "  met" : "");
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

}  // namespace

void print_ratios(const std::vector<RatioLine>& lines) {
  fmt::print("{:<22}{:>12}{:>12}{:>10}  {:<18}{}\n", "workload", "limit", "product", "ratio", "lowest..highest",
             "goal");
  for (const RatioLine& line : lines) {
    const Paired& p = line.paired;
    fmt::print("{:<22}{:>12}{:>12}{:>10}  {:<18}{}\n", line.workload, time_text(p.limit_seconds),
               time_text(p.product_seconds), number_text(p.ratio),
               number_text(p.ratio_low) + ".." + number_text(p.ratio_high),
               goal_text(line.goal, false, line.goal && p.ratio <= *line.goal));
  }
}

void print_costs(const std::vector<CostLine>& lines) {
  fmt::print("{:<38}{:>12}  {:<22}{:<16}{}\n", "cost", "measured", "unit", "goal", "");
  for (const CostLine& line : lines) {
    const bool met = line.goal && (line.goal_is_lowest ? line.value >= *line.goal : line.value <= *line.goal);
    fmt::print("{:<38}{:>12}  {:<22}{:<16}{}\n", line.name, number_text(line.value), line.unit,
               goal_text(line.goal, line.goal_is_lowest, met), line.note);
  }
}

RunLabel label_of(const std::string& commit, const std::string& data) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  return {fmt::format("{:04}-{:02}-{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday), commit,
          fmt::format("{}, {} cores", processor(), std::thread::hardware_concurrency()), data};
}

Result<void> append_history(const std::string& path, const RunLabel& label, const std::vector<RatioLine>& ratios,
                            const std::vector<CostLine>& costs) {
  std::error_code error;
  const bool is_new = !std::filesystem::exists(path, error);
  std::ofstream file(path, std::ios::app);
  if (is_new) file << "date\tcommit\tmachine\tdata\tname\tlimit\tproduct\tunit\tratio\tlowest\thighest\trounds\tgoal\n";
  const std::string front = fmt::format("{}\t{}\t{}\t{}", label.date, label.commit, label.machine, label.data);
  const auto goal = [](const std::optional<double>& value) { return value ? fmt::format("{:.4g}", *value) : ""; };
  for (const RatioLine& line : ratios) {
    const Paired& p = line.paired;
    file << fmt::format("{}\t{}\t{:.4g}\t{:.4g}\ts\t{:.4g}\t{:.4g}\t{:.4g}\t{}\t{}\n", front, line.workload,
                        p.limit_seconds, p.product_seconds, p.ratio, p.ratio_low, p.ratio_high, p.rounds,
                        goal(line.goal));
  }
  for (const CostLine& line : costs)
    file << fmt::format("{}\t{}\t\t{:.4g}\t{}\t\t\t\t\t{}\n", front, line.name, line.value, line.unit, goal(line.goal));
  file.close();
  if (!file) return make_error(ErrorCode::kIo, fmt::format("could not write '{}'; does its folder exist?", path));
  return {};
}

}  // namespace demarche::bench

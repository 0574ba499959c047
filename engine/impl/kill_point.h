// Named places at which a test has the process killed, to see what a crash just there leaves behind.
//
//   kill_point("commit.written");
//
// Does nothing unless the environment says DEMARCHE_KILL_AT=NAME:N; then the N-th pass, from 1, through the point of
// that name is the end of the process (SIGKILL: no destructor, no flush). Every point is listed, reached and looked at
// in tests/crash/kill_point_test.cc: a new one goes into the table there.
#pragma once

#include <signal.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace demarche::impl {

struct KillPlan {
  std::string_view name;
  std::atomic<long> passes_left = 0;

  KillPlan() {
    const char* text = std::getenv("DEMARCHE_KILL_AT");
    if (text == nullptr) return;
    const std::string_view all = text;
    const std::size_t colon = all.rfind(':');
    if (colon == std::string_view::npos) return;
    long n = 0;
    std::from_chars(all.data() + colon + 1, all.data() + all.size(), n);
    name = all.substr(0, colon);
    passes_left = n;
  }
};

inline void kill_point(std::string_view name) {
  static KillPlan plan;
  if (plan.name == name && plan.passes_left.fetch_sub(1) == 1) ::raise(SIGKILL);
}

}  // namespace demarche::impl

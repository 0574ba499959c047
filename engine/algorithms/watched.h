// Ways to stop algorithms of Boost.Graph, which know of no stopping: property maps that ask now and then, and throw.
//
//   return run_watched(stop, [&](Watch& watch) {
//     std::vector<std::uint32_t> of(n);
//     boost::connected_components(g, watched(of, watch));
//     return of;
//   });
//
// The exception is private: it never leaves run_watched.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <boost/property_map/property_map.hpp>

#include "engine/result.h"
#include "engine/stop_check.h"

namespace demarche {

class Watch {
 public:
  explicit Watch(const StopCheck& stop) : stop_(stop) {}
  void tick() {
    if (++ticks_ % kEvery == 0) ask();
  }
  void ask() {
    if (auto answer = check_stop(stop_); !answer) throw Stopped{std::move(answer).error()};
  }
  // For an end that is no wish of others.
  [[noreturn]] static void stop_with(Error error) { throw Stopped{std::move(error)}; }

 private:
  template <typename Work>
  friend auto run_watched(const StopCheck& stop, Work work) -> Result<decltype(work(std::declval<Watch&>()))>;
  struct Stopped {
    Error error;
  };
  static constexpr std::size_t kEvery = 4096;
  const StopCheck& stop_;
  std::size_t ticks_ = 0;
};

template <typename Work>
[[nodiscard]] auto run_watched(const StopCheck& stop, Work work) -> Result<decltype(work(std::declval<Watch&>()))> {
  Watch watch(stop);
  try {
    watch.ask();
    return work(watch);
  } catch (Watch::Stopped& stopped) {
    return tl::unexpected(std::move(stopped.error));
  }
}

// A property of vertices, read and written, each writing a tick.
template <typename T>
struct WatchedMap {
  using key_type = std::uint32_t;
  using value_type = T;
  using reference = T;
  using category = boost::read_write_property_map_tag;
  T* values = nullptr;
  Watch* watch = nullptr;

  friend T get(const WatchedMap& map, std::uint32_t v) { return map.values[v]; }
  friend void put(const WatchedMap& map, std::uint32_t v, T value) {
    map.watch->tick();
    map.values[v] = value;
  }
};
template <typename T>
[[nodiscard]] WatchedMap<T> watched(std::vector<T>& values, Watch& watch) {
  return {values.data(), &watch};
}

}  // namespace demarche

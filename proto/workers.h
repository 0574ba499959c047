// Threads that do what must not be done on the event loop: reading the store and running queries.
//
// A job is a plain function of a cancel flag. It is run at most once; dropping its promise sets the flag, and a job not
// begun yet is not begun. Jobs of one lane (one connection) wait for one another beyond a few, so that no client has
// all threads.
#pragma once

#include <kj/async.h>
#include <kj/debug.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace demarche::proto {

using CancelFlag = std::atomic<bool>;

// Jobs of one connection; see Workers.
class Lane {
 public:
  explicit Lane(std::size_t running_max) : running_max_(running_max) {}
  [[nodiscard]] bool busy() const { return jobs_.load() > 0; }

 private:
  friend class Workers;
  std::atomic<std::size_t> jobs_ = 0;  // running or waiting
  // Guarded by Workers::mutex_.
  std::size_t running_max_;
  std::size_t running_ = 0;
  std::deque<std::function<void()>> waiting_;
};

class Workers {
 public:
  Workers(std::size_t threads, std::size_t waiting_max);
  ~Workers();  // waits for the jobs that run
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // The promise fails with OVERLOADED if too many jobs of the lane wait.
  template <typename T>
  kj::Promise<T> run(const std::shared_ptr<Lane>& lane, std::function<T(const CancelFlag&)> job) {
    auto result = kj::newPromiseAndCrossThreadFulfiller<T>();
    auto cancel = std::make_shared<CancelFlag>(false);
    using Fulfiller = kj::Own<kj::CrossThreadPromiseFulfiller<T>>;
    auto fulfiller = std::make_shared<Fulfiller>(kj::mv(result.fulfiller));
    submit(lane, [job = std::move(job), cancel, fulfiller] {
      if (cancel->load()) return;
      KJ_IF_MAYBE (e, kj::runCatchingExceptions([&] { (*fulfiller)->fulfill(job(*cancel)); })) {
        (*fulfiller)->reject(kj::mv(*e));
      }
    });
    return result.promise.attach(kj::defer([cancel] { cancel->store(true); }));
  }

  [[nodiscard]] std::size_t running() const { return running_.load(); }

 private:
  void submit(const std::shared_ptr<Lane>& lane, std::function<void()> run);
  void make_ready(const std::shared_ptr<Lane>& lane, std::function<void()> run);
  void work();

  std::size_t waiting_max_;
  std::atomic<std::size_t> running_ = 0;
  std::mutex mutex_;  // guards what follows, and the lanes
  std::condition_variable wake_;
  std::deque<std::function<void()>> ready_;
  bool stopping_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace demarche::proto

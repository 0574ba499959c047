#include "proto/workers.h"

namespace demarche::proto {

Workers::Workers(std::size_t threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ready_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::submit(const std::shared_ptr<Lane>& lane, std::function<void()> run) {
  const std::lock_guard lock(mutex_);
  if (lane->running_ < lane->running_max_) {
    ++lane->jobs_;
    make_ready(lane, std::move(run));
  } else if (lane->waiting_.size() < waiting_max_) {
    ++lane->jobs_;
    lane->waiting_.push_back(std::move(run));
  } else {
    kj::throwFatalException(KJ_EXCEPTION(
        OVERLOADED, "too many calls of this connection wait for their turn; wait for some of them, then ask again"));
  }
}

// REQUIRES: mutex_ is held.
void Workers::make_ready(const std::shared_ptr<Lane>& lane, std::function<void()> run) {
  ++lane->running_;
  ready_.push_back([this, lane, run = std::move(run)]() mutable {
    run();
    run = nullptr;  // what the job held is let go of before the next begins
    const std::lock_guard lock(mutex_);
    --lane->running_;
    --lane->jobs_;
    if (lane->waiting_.empty() || stopping_) return;
    auto next = std::move(lane->waiting_.front());
    lane->waiting_.pop_front();
    make_ready(lane, std::move(next));
  });
  wake_.notify_one();
}

void Workers::work() {
  while (true) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !ready_.empty(); });
      if (stopping_) return;
      job = std::move(ready_.front());
      ready_.pop_front();
    }
    ++running_;
    job();
    --running_;
  }
}

}  // namespace demarche::proto

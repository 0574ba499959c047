// The insides of Store and Transaction, shared by the files that implement them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/kv.h"
#include "engine/impl/record_codec.h"
#include "engine/impl/store_folder.h"
#include "engine/store.h"

namespace demarche {

namespace impl {
// The newest state of the store.
struct Head {
  CommitNumber commit;
  CommitRecord record;
  std::shared_ptr<const KindTable> kinds;
};
}  // namespace impl

namespace impl {

class Writer;

// The right to write, given back when it goes. May move to another thread.
class WriterTurn {
 public:
  WriterTurn() = default;
  explicit WriterTurn(Writer* writer) : writer_(writer) {}
  WriterTurn(WriterTurn&& other) noexcept : writer_(std::exchange(other.writer_, nullptr)) {}
  WriterTurn& operator=(WriterTurn&& other) noexcept {
    std::swap(writer_, other.writer_);
    return *this;
  }
  inline ~WriterTurn();

 private:
  Writer* writer_ = nullptr;
};

// One at a time. Not a mutex, because a transaction may end on another thread than it began on.
class Writer {
 public:
  [[nodiscard]] Result<WriterTurn> take(std::chrono::seconds wait) {
    std::unique_lock lock(mutex_);
    if (!free_.wait_for(lock, wait, [this] { return !busy_; })) {
      return make_error(
          ErrorCode::kOverloaded,
          fmt::format("another transaction has been open for {} seconds; end it, or try again later", wait.count()));
    }
    busy_ = true;
    return WriterTurn(this);
  }
  void give_back() {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    free_.notify_one();
  }

 private:
  std::mutex mutex_;  // guards busy_
  std::condition_variable free_;
  bool busy_ = false;
};

inline WriterTurn::~WriterTurn() {
  if (writer_ != nullptr) writer_->give_back();
}

}  // namespace impl

struct Store::State {
  std::string path;
  StoreOptions options;
  std::shared_ptr<impl::KvStore> kv;
  impl::HighWaterMark high_water;

  impl::Writer writer;  // its turn is held by the open transaction and guards head and failed
  impl::Head head;
  bool failed = false;

  mutable std::mutex publish_mutex;  // guards published
  std::shared_ptr<const View> published;
};

struct Transaction::State {
  std::shared_ptr<Store::State> store;
  impl::WriterTurn turn;  // after store: given back before the store can go
  std::shared_ptr<impl::KvBatch> batch;
  std::shared_ptr<KindTable> kinds;
  CommitNumber commit;        // the number this becomes
  impl::CommitRecord record;  // grows with the changes
  std::unique_ptr<View> view;
  bool changed = false;
  bool finished = false;  // committed, or refused half-way
};

}  // namespace demarche

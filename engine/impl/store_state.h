// The insides of Store and Transaction, shared by the files that implement them.
#pragma once

#include <memory>
#include <mutex>
#include <string>

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

struct Store::State {
  std::string path;
  StoreOptions options;
  std::shared_ptr<impl::KvStore> kv;
  impl::HighWaterMark high_water;

  std::timed_mutex writer_mutex;  // held by the open transaction; guards head and failed
  impl::Head head;
  bool failed = false;

  mutable std::mutex publish_mutex;  // guards published
  std::shared_ptr<const View> published;
};

struct Transaction::State {
  std::shared_ptr<Store::State> store;
  std::unique_lock<std::timed_mutex> writer;  // after store: released before the store can go
  std::shared_ptr<impl::KvBatch> batch;
  std::shared_ptr<KindTable> kinds;
  CommitNumber commit;        // the number this becomes
  impl::CommitRecord record;  // grows with the changes
  std::unique_ptr<View> view;
  bool changed = false;
};

}  // namespace demarche

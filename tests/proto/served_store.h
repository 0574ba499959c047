// A store with a server on it in this process, and sessions on both.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "engine/exchange/import.h"
#include "engine/store.h"
#include "proto/server.h"
#include "proto/session.h"
#include "tests/support/temp_folder.h"

namespace demarche::proto::tests {

template <typename T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

class ServedStore {
 public:
  explicit ServedStore(bool syria = true, ServerOptions options = {}) {
    StoreOptions store_options;
    store_options.create_if_missing = true;
    store_options.sync = false;
    store_ = must(Store::open(folder_.path("store"), store_options));
    if (syria) {
      const std::string source = DEMARCHE_SOURCE_DIR "/examples/syria-2016/";
      auto tx = must(store_->begin());
      must(import_jsonl(*tx, {source + "sources.jsonl", source + "actors.jsonl", source + "interactions.jsonl"}));
      must(tx->commit("fixture"));
    }
    options_ = std::move(options);
    options_.log = false;
    if (options_.listen.empty()) options_.listen = {"unix:" + folder_.path("socket")};
    start();
  }

  void start() { server_ = must(Server::start(*store_, options_)); }
  void stop() { server_.reset(); }

  [[nodiscard]] Store& store() { return *store_; }
  [[nodiscard]] Server& server() { return *server_; }
  [[nodiscard]] const demarche::tests::TempFolder& folder() const { return folder_; }
  [[nodiscard]] std::string address(std::size_t i = 0) const { return server_->addresses().at(i); }
  [[nodiscard]] std::unique_ptr<RemoteSession> connect(ConnectOptions options = {}, std::size_t i = 0) const {
    return must(proto::connect(address(i), options));
  }

 private:
  demarche::tests::TempFolder folder_;
  std::unique_ptr<Store> store_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

}  // namespace demarche::proto::tests

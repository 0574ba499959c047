// What the parts of a remote session share: the connection, waiting on it, and errors. Belongs to one thread.
#pragma once

#include <capnp/rpc-twoparty.h>
#include <capnp/rpc.h>
#include <kj/async-io.h>
#include <kj/compat/tls.h>
#include <kj/debug.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "proto/demarche.capnp.h"
#include "proto/session.h"
#include "proto/wire_stream.h"
#include "proto/wire_values.h"

namespace demarche::proto {

// One connection. Kept alive by all that came over it.
class RemoteLink {
 public:
  [[nodiscard]] static Result<std::shared_ptr<RemoteLink>> open(const std::string& address,
                                                                const ConnectOptions& options);
  ~RemoteLink();
  RemoteLink(const RemoteLink&) = delete;
  RemoteLink& operator=(const RemoteLink&) = delete;

  [[nodiscard]] wire::Reader::Client& session() { return *session_; }
  [[nodiscard]] Access access() const { return access_; }
  [[nodiscard]] bool lost() const { return lost_; }
  [[nodiscard]] const WireCounters& counters() const { return wire_->counters(); }

  // Waits for a call's response. Errors: what the server throws, kIo for a lost connection, kCancelled.
  template <typename T>
  [[nodiscard]] Result<T> wait(kj::Promise<T> promise, const std::atomic<bool>* cancel = nullptr) {
    std::unique_ptr<Result<T>> out;
    auto failed = kj::runCatchingExceptions([&]() {
      T value = interruptible(kj::mv(promise), cancel).wait(io().waitScope);
      out = std::make_unique<Result<T>>(std::move(value));
    });
    KJ_IF_MAYBE (e, failed) return tl::unexpected(error_of(*e));
    return std::move(*out);
  }
  // Sends what is still to be sent: the loop runs only while something is waited for.
  void settle() noexcept {
    (void)kj::runCatchingExceptions(
        [&]() { io().provider->getTimer().afterDelay(1 * kj::MILLISECONDS).wait(io().waitScope); });
  }
  // Of results with a refusal.
  template <typename Results>
  [[nodiscard]] Result<capnp::Response<Results>> ask(capnp::RemotePromise<Results> promise,
                                                     const std::atomic<bool>* cancel = nullptr) {
    DEMARCHE_TRY(auto response, wait<capnp::Response<Results>>(kj::mv(promise), cancel));
    if (response.hasRefusal()) return tl::unexpected(read_refusal(response.getRefusal()));
    return response;
  }
  [[nodiscard]] kj::AsyncIoContext& io() { return *io_; }
  // The promise, or kCancelled once one of the flags is set.
  template <typename T>
  kj::Promise<T> interruptible(kj::Promise<T> promise, const std::atomic<bool>* cancel) {
    if (cancel == nullptr && options_.cancel == nullptr) return kj::mv(promise);
    return promise.exclusiveJoin(watch(cancel).then([]() -> T { kj::throwFatalException(cancelled()); }));
  }
  [[nodiscard]] Error error_of(const kj::Exception& e);

 private:
  RemoteLink(std::string address, ConnectOptions options)
      : address_(std::move(address)), options_(std::move(options)) {}
  [[nodiscard]] Result<void> connect();
  [[nodiscard]] Result<void> login();
  [[nodiscard]] kj::Promise<kj::Own<kj::AsyncIoStream>> dial();
  kj::Promise<void> watch(const std::atomic<bool>* cancel);
  [[nodiscard]] static kj::Exception cancelled();

  std::shared_ptr<kj::AsyncIoContext> io_;  // shared by the thread's links
  std::string address_;
  ConnectOptions options_;
  Access access_ = Access::kReader;
  bool lost_ = false;
  kj::Own<kj::TlsContext> tls_;
  kj::Own<kj::Network> tls_network_;
  kj::Own<kj::AsyncIoStream> stream_;
  kj::Own<WireStream> wire_;
  kj::Own<capnp::TwoPartyVatNetwork> network_;
  kj::Own<capnp::RpcSystem<capnp::rpc::twoparty::VatId>> rpc_;
  std::unique_ptr<wire::Reader::Client> session_;
};
using LinkPtr = std::shared_ptr<RemoteLink>;

// A state of the store behind a link, described by a call that was sent before; see remote_state.cc.
using Described = capnp::RemotePromise<wire::Snapshot::DescribeResults>;
[[nodiscard]] Result<SnapshotPtr> make_remote_snapshot(LinkPtr link, wire::Snapshot::Client snapshot,
                                                       Described described);
// The newest state, and a statement on it, in one go.
[[nodiscard]] Result<std::unique_ptr<Rows>> query_newest(const LinkPtr& link, std::string_view text,
                                                         const std::map<std::string, query::Value>& parameters,
                                                         const query::QueryOptions& options);
[[nodiscard]] Result<std::unique_ptr<Rows>> execute_remotely(const LinkPtr& link, std::string_view text,
                                                             const std::map<std::string, query::Value>& parameters,
                                                             const query::QueryOptions& options);

}  // namespace demarche::proto

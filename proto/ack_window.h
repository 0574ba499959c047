// Flow control of the batches that a server pushes: so many on their way, and the end only once all were taken.
//
// Cap'n Proto's own for `-> stream` methods would do but for one thing: in 0.9.2 letting go of the sink cancels the
// calls that are still on their way, and a client whose calls can be cancelled (all of Cap'n Proto 1 and later) loses
// the last batches. So the calls are made as plain ones, which look the same on the wire, and are counted here.
#pragma once

#include <capnp/any.h>
#include <capnp/capability.h>
#include <capnp/generated-header-support.h>
#include <kj/async.h>
#include <kj/debug.h>
#include <kj/timer.h>

#include <cstddef>

namespace demarche::proto {

class AckWindow {
 public:
  // `stall`: a client that takes nothing for so long fails the stream.
  AckWindow(kj::Timer& timer, kj::Duration stall) : timer_(timer), stall_(stall) {}
  KJ_DISALLOW_COPY(AckWindow);

  void add(kj::Promise<void> call) {
    ++under_way_;
    tasks_.add(call.then([this]() { taken(); }));
  }
  // Resolves once another may be sent.
  kj::Promise<void> room() { return below(kBatchesMax); }
  // Resolves once all were taken.
  kj::Promise<void> all_taken() { return below(1); }

 private:
  static constexpr std::size_t kBatchesMax = 4;

  struct Errors : kj::TaskSet::ErrorHandler {
    explicit Errors(AckWindow& w) : window(w) {}
    void taskFailed(kj::Exception&& e) override {
      KJ_IF_MAYBE (waiter, window.waiting_) (*waiter)->reject(kj::cp(e));
      window.waiting_ = nullptr;
      window.failed_ = kj::mv(e);
    }
    AckWindow& window;
  };

  void taken() {
    --under_way_;
    KJ_IF_MAYBE (waiter, waiting_) (*waiter)->fulfill();
    waiting_ = nullptr;
  }
  kj::Promise<void> below(std::size_t limit) {
    KJ_IF_MAYBE (e, failed_) return kj::cp(*e);
    if (under_way_ < limit) return kj::READY_NOW;
    auto paf = kj::newPromiseAndFulfiller<void>();
    waiting_ = kj::mv(paf.fulfiller);
    auto late = timer_.afterDelay(stall_).then(
        []() -> void { KJ_FAIL_REQUIRE("the client took nothing of the answer for too long"); });
    return paf.promise.exclusiveJoin(kj::mv(late)).then([this, limit]() { return below(limit); });
  }

  kj::Timer& timer_;
  kj::Duration stall_;
  std::size_t under_way_ = 0;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> waiting_;
  kj::Maybe<kj::Exception> failed_;
  Errors errors_{*this};
  kj::TaskSet tasks_{errors_};  // last: its tasks use the rest
};

// A call of a sink's one method.
template <typename Sink, typename Params>
struct SinkCall {
  explicit SinkCall(typename Sink::Client& sink, capnp::MessageSize size)
      : request(sink.typelessRequest(capnp::typeId<Sink>(), 0, size)), params(request.template initAs<Params>()) {}
  capnp::Request<capnp::AnyPointer, capnp::AnyPointer> request;
  typename Params::Builder params;
};

}  // namespace demarche::proto

// Messages over a byte stream, for both ends of a connection: like capnp::AsyncIoMessageStream, and besides
//
//   * several messages go in one write and come out of one read, so that a chain of calls is one packet each way;
//   * a header is checked before anything is allocated: 1 to 512 segments, no more words than allowed (Cap'n Proto
//   0.9.2
//     allocates first, and nothing at all for a header of FF FF FF FF);
//   * reading stops while this end holds too much for its peer: answers not taken, or requests not answered;
//   * it counts messages and turns, and says since when half a message has been waiting.
//
// Belongs to one event loop. Tested by tests/proto/wire_stream_test.cc and abuse_test.cc.
#pragma once

#include <capnp/serialize-async.h>
#include <kj/async-io.h>
#include <kj/vector.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace demarche::proto {

// Bytes of requests that are held at once, over all connections of a server.
class RequestBudget {
 public:
  explicit RequestBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  KJ_DISALLOW_COPY(RequestBudget);

  [[nodiscard]] bool has_room(std::size_t bytes) const { return used_ + bytes <= bytes_max_; }
  void take(std::size_t bytes) { used_ += bytes; }
  void give_back(std::size_t bytes);
  [[nodiscard]] kj::Promise<void> when_given_back();  // resolves once something was
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  std::size_t bytes_max_;
  std::size_t used_ = 0;
  kj::Vector<kj::Own<kj::PromiseFulfiller<void>>> waiting_;
};

struct WireLimits {
  std::uint64_t words_max = std::uint64_t{1} << 23;   // of one message
  std::size_t window_bytes = std::size_t{512} << 10;  // of a stream of calls on its way
  // Reading waits while so many bytes are to be written. Of a client: no limit.
  std::size_t unsent_max = ~std::size_t{0};
  // A connection's messages up to here are taken whatever the budget says, so that nobody starves.
  std::size_t unbudgeted_bytes = std::size_t{16} << 10;
};

struct WireCounters {
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t turns = 0;  // writes that followed a read, or were the first: round trips, seen from the client
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"  // of capnp::MessageStream
class WireStream final : public capnp::MessageStream {
 public:
  // `budget` may be null. Both must outlive the stream; the budget must outlive the messages too.
  WireStream(kj::AsyncIoStream& stream, const WireLimits& limits, RequestBudget* budget);
  ~WireStream() noexcept(false);
  KJ_DISALLOW_COPY(WireStream);

  // Bytes waiting above this stream, in the RPC system.
  void ask_backlog(kj::Function<std::size_t()> backlog) { backlog_ = kj::mv(backlog); }
  [[nodiscard]] const WireCounters& counters() const { return counters_; }
  // Why reading has failed, if it has.
  [[nodiscard]] const kj::Maybe<kj::String>& read_error() const { return read_error_; }
  // Has the peer begun a message and not ended it?
  [[nodiscard]] bool within_message() const { return within_message_; }

  kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> tryReadMessage(kj::ArrayPtr<kj::AutoCloseFd> fd_space,
                                                                    capnp::ReaderOptions options,
                                                                    kj::ArrayPtr<capnp::word> scratch) override;
  kj::Promise<void> writeMessage(kj::ArrayPtr<const int> fds,
                                 kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) override;
  kj::Promise<void> writeMessages(kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) override;
  kj::Maybe<int> getSendBufferSize() override;
  kj::Promise<void> end() override;

 private:
  class Message;
  struct Head;
  using MaybeMessage = kj::Maybe<capnp::MessageReaderAndFds>;

  kj::Promise<MaybeMessage> read(capnp::ReaderOptions options);
  kj::Promise<MaybeMessage> read_body(Head head, capnp::ReaderOptions options);
  kj::Promise<MaybeMessage> fill(std::size_t bytes, capnp::ReaderOptions options);
  [[nodiscard]] bool may_read() const;
  kj::Promise<void> flush();
  void append(kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments);
  kj::Promise<void> when_written();
  [[nodiscard]] std::size_t buffered() const { return in_end_ - in_begin_; }

  kj::AsyncIoStream& stream_;
  WireLimits limits_;
  RequestBudget* budget_;
  kj::Function<std::size_t()> backlog_ = []() { return std::size_t{0}; };
  WireCounters counters_;
  bool read_last_ = true;
  bool within_message_ = false;
  kj::Maybe<kj::String> read_error_;

  // Held by the messages too, which may outlive this.
  struct Held;
  kj::Own<Held> held_;

  kj::Array<kj::byte> in_;
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;

  std::vector<kj::byte> out_;      // to be written next
  std::vector<kj::byte> sending_;  // being written
  bool flushing_ = false;
  kj::Maybe<kj::Exception> broken_;
  kj::Vector<kj::Own<kj::PromiseFulfiller<void>>> waiting_;  // for a write to end
  kj::Promise<void> flush_task_ = kj::READY_NOW;
};
#pragma GCC diagnostic pop

}  // namespace demarche::proto

#include "proto/wire_stream.h"

#include <capnp/message.h>
#include <kj/debug.h>
#include <kj/refcount.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace demarche::proto {

namespace {

constexpr std::size_t kReadBytes = std::size_t{16} << 10;
constexpr std::size_t kWriteBytes = std::size_t{64} << 10;  // a writer waits once so much is on its way
constexpr std::uint32_t kSegmentsMax = 512;
constexpr std::size_t kWord = sizeof(capnp::word);

std::uint32_t little_endian(const kj::byte* at) {
  return static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
         static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
}
void put_little_endian(std::vector<kj::byte>& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<kj::byte>(value >> shift));
}

void wake(kj::Vector<kj::Own<kj::PromiseFulfiller<void>>>& waiting) {
  auto woken = kj::mv(waiting);
  waiting = {};
  for (auto& one : woken) one->fulfill();
}

}  // namespace

void RequestBudget::give_back(std::size_t bytes) {
  used_ -= bytes;
  wake(waiting_);
}

kj::Promise<void> RequestBudget::when_given_back() {
  auto paf = kj::newPromiseAndFulfiller<void>();
  waiting_.add(kj::mv(paf.fulfiller));
  return kj::mv(paf.promise);
}

struct WireStream::Held : kj::Refcounted {
  std::size_t bytes = 0;
};

// A message in memory of its own.
class WireStream::Message final : public capnp::MessageReader {
 public:
  Message(capnp::ReaderOptions reader_options, kj::Array<capnp::word> words, std::vector<std::uint32_t> sizes,
          kj::Own<Held> held, RequestBudget* budget)
      : MessageReader(reader_options),
        words_(kj::mv(words)),
        sizes_(std::move(sizes)),
        held_(kj::mv(held)),
        budget_(budget),
        bytes_(words_.size() * kWord) {
    held_->bytes += bytes_;
    if (budget_ != nullptr) budget_->take(bytes_);
  }
  ~Message() noexcept(false) {
    held_->bytes -= bytes_;
    if (budget_ != nullptr) budget_->give_back(bytes_);
  }
  KJ_DISALLOW_COPY(Message);
  [[nodiscard]] kj::ArrayPtr<kj::byte> content() { return words_.asBytes(); }

  kj::ArrayPtr<const capnp::word> getSegment(capnp::uint id) override {
    if (id >= sizes_.size()) return nullptr;
    std::size_t begin = 0;
    for (capnp::uint i = 0; i < id; ++i) begin += sizes_[i];
    return words_.slice(begin, begin + sizes_[id]);
  }

 private:
  kj::Array<capnp::word> words_;
  std::vector<std::uint32_t> sizes_;
  kj::Own<Held> held_;
  RequestBudget* budget_;
  std::size_t bytes_;
};

struct WireStream::Head {
  std::vector<std::uint32_t> sizes;
  std::size_t words = 0;
};

WireStream::WireStream(kj::AsyncIoStream& stream, const WireLimits& limits, RequestBudget* budget)
    : stream_(stream), limits_(limits), budget_(budget), held_(kj::refcounted<Held>()) {}
WireStream::~WireStream() noexcept(false) {}

bool WireStream::may_read() const {
  return limits_.unsent_max == ~std::size_t{0} ||
         out_.size() + sending_.size() + const_cast<WireStream*>(this)->backlog_() <= limits_.unsent_max;
}

kj::Promise<WireStream::MaybeMessage> WireStream::tryReadMessage(kj::ArrayPtr<kj::AutoCloseFd>,
                                                                 capnp::ReaderOptions options,
                                                                 kj::ArrayPtr<capnp::word>) {
  return read(options).catch_([this](kj::Exception&& e) -> kj::Promise<MaybeMessage> {
    read_error_ = kj::str(e.getDescription());
    return kj::mv(e);
  });
}

kj::Promise<WireStream::MaybeMessage> WireStream::read(capnp::ReaderOptions options) {
  if (!may_read()) {
    within_message_ = false;  // it is not the peer that keeps us waiting
    if (!flushing_) return kj::evalLast([this, options]() { return read(options); });  // sent, not yet counted so
    return when_written().then([this, options]() { return read(options); });
  }
  const std::size_t have = buffered();
  if (have < kWord) return fill(kWord, options);
  const kj::byte* at = in_.begin() + in_begin_;
  const std::uint64_t count = std::uint64_t{little_endian(at)} + 1;
  KJ_REQUIRE(count <= kSegmentsMax, "message of too many segments", count);
  const std::size_t head_bytes = (count / 2 + 1) * kWord;
  if (have < head_bytes) return fill(head_bytes, options);
  Head head;
  std::uint64_t words = 0;
  for (std::size_t i = 0; i < count; ++i) {
    head.sizes.push_back(little_endian(at + 4 * (i + 1)));
    words += head.sizes.back();
  }
  KJ_REQUIRE(words <= limits_.words_max, "message too long", words, limits_.words_max);
  head.words = static_cast<std::size_t>(words);
  const std::size_t bytes = head.words * kWord;
  if (budget_ != nullptr && held_->bytes + bytes > limits_.unbudgeted_bytes && !budget_->has_room(bytes)) {
    within_message_ = false;
    return budget_->when_given_back().then([this, options]() { return read(options); });
  }
  in_begin_ += head_bytes;
  return read_body(kj::mv(head), options);
}

// Reads until `bytes` are buffered, then goes on with read(). Null at a clean end.
kj::Promise<WireStream::MaybeMessage> WireStream::fill(std::size_t bytes, capnp::ReaderOptions options) {
  const std::size_t have = buffered();
  if (in_.size() == 0) in_ = kj::heapArray<kj::byte>(kReadBytes);
  if (in_begin_ > 0) {
    std::memmove(in_.begin(), in_.begin() + in_begin_, have);
    in_begin_ = 0;
    in_end_ = have;
  }
  within_message_ = have > 0;
  return stream_.tryRead(in_.begin() + in_end_, 1, in_.size() - in_end_)
      .then([this, bytes, options](std::size_t n) -> kj::Promise<MaybeMessage> {
        if (n == 0) {
          KJ_REQUIRE(buffered() == 0, "connection ended within a message");
          return MaybeMessage(nullptr);
        }
        in_end_ += n;
        counters_.bytes_in += n;
        read_last_ = true;
        within_message_ = true;
        return buffered() < bytes ? fill(bytes, options) : read(options);
      });
}

kj::Promise<WireStream::MaybeMessage> WireStream::read_body(Head head, capnp::ReaderOptions options) {
  auto message = kj::heap<Message>(options, kj::heapArray<capnp::word>(head.words), kj::mv(head.sizes),
                                   kj::addRef(*held_), budget_);
  kj::ArrayPtr<kj::byte> body = message->content();
  const std::size_t ready = std::min(buffered(), body.size());
  if (ready > 0) std::memcpy(body.begin(), in_.begin() + in_begin_, ready);
  in_begin_ += ready;
  const auto done = [this](kj::Own<Message> whole) {
    within_message_ = false;
    ++counters_.messages_in;
    return MaybeMessage(capnp::MessageReaderAndFds{kj::mv(whole), nullptr});
  };
  if (ready == body.size()) return done(kj::mv(message));
  within_message_ = true;
  auto rest = stream_.read(body.begin() + ready, body.size() - ready);
  counters_.bytes_in += body.size() - ready;
  return rest.then([this, done, whole = kj::mv(message)]() mutable {
    read_last_ = true;
    return done(kj::mv(whole));
  });
}

void WireStream::append(kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) {
  put_little_endian(out_, static_cast<std::uint32_t>(segments.size() - 1));
  for (const auto& segment : segments) put_little_endian(out_, static_cast<std::uint32_t>(segment.size()));
  if (segments.size() % 2 == 0) put_little_endian(out_, 0);
  for (const auto& segment : segments) {
    const auto bytes = segment.asBytes();
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  ++counters_.messages_out;
}

kj::Promise<void> WireStream::writeMessage(kj::ArrayPtr<const int>,
                                           kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) {
  KJ_IF_MAYBE (e, broken_) return kj::cp(*e);
  append(segments);
  if (!flushing_) {
    flushing_ = true;
    flush_task_ = kj::evalLast([this]() { return flush(); }).eagerlyEvaluate([this](kj::Exception&& e) {
      for (auto& one : waiting_) one->reject(kj::cp(e));
      waiting_.clear();
      broken_ = kj::mv(e);
    });
  }
  if (out_.size() + sending_.size() < kWriteBytes) return kj::READY_NOW;
  return when_written();
}

kj::Promise<void> WireStream::writeMessages(
    kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) {
  kj::Promise<void> last = kj::READY_NOW;
  for (const auto& message : messages) last = writeMessage(nullptr, message);
  return last;
}

kj::Promise<void> WireStream::when_written() {
  KJ_IF_MAYBE (e, broken_) return kj::cp(*e);
  auto paf = kj::newPromiseAndFulfiller<void>();
  waiting_.add(kj::mv(paf.fulfiller));
  return kj::mv(paf.promise);
}

kj::Promise<void> WireStream::flush() {
  if (out_.empty()) {
    flushing_ = false;
    return kj::READY_NOW;
  }
  sending_.swap(out_);
  if (read_last_) ++counters_.turns;
  read_last_ = false;
  return stream_.write(sending_.data(), sending_.size()).then([this]() {
    counters_.bytes_out += sending_.size();
    sending_.clear();
    if (sending_.capacity() > 4 * kWriteBytes) sending_.shrink_to_fit();
    wake(waiting_);
    return flush();
  });
}

kj::Maybe<int> WireStream::getSendBufferSize() { return static_cast<int>(limits_.window_bytes); }

kj::Promise<void> WireStream::end() {
  if (!flushing_) {
    stream_.shutdownWrite();
    return kj::READY_NOW;
  }
  return when_written().then([this]() { return end(); });
}

}  // namespace demarche::proto

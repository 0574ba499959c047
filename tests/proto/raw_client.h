// Clients that do not keep to the rules: plain sockets, and messages of the RPC protocol made by hand.
#pragma once

#include <arpa/inet.h>
#include <capnp/message.h>
#include <capnp/rpc.capnp.h>
#include <capnp/schema.h>
#include <capnp/serialize.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "proto/demarche.capnp.h"

namespace demarche::proto::tests {

class RawClient {
 public:
  // As a client writes it: demarche+unix:PATH or demarche[+tls]://127.0.0.1:PORT.
  explicit RawClient(const std::string& address) {
    if (address.starts_with("demarche+unix:")) {
      fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_un to{};
      to.sun_family = AF_UNIX;
      std::strncpy(to.sun_path, address.substr(14).c_str(), sizeof to.sun_path - 1);
      connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    } else {
      fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    }
  }
  ~RawClient() { close(); }
  RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  RawClient& operator=(RawClient&&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  void send(const std::string& bytes) { (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  // As much as the other side takes; stops once it has taken nothing for a while. Bytes sent.
  std::size_t send_until_stuck(const std::string& bytes, int patience_ms = 1000) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      pollfd wait{fd_, POLLOUT, 0};
      if (::poll(&wait, 1, patience_ms) <= 0) break;
      const ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno != EAGAIN) break;
      if (n > 0) sent += static_cast<std::size_t>(n);
    }
    return sent;
  }

  // What comes until the other side closes; fails the test if it does not within the time.
  std::string read_to_end(int patience_ms = 20'000) {
    std::string out;
    char buffer[65536];
    while (true) {
      pollfd wait{fd_, POLLIN, 0};
      if (::poll(&wait, 1, patience_ms) <= 0) {
        FAIL("the server did not close the connection");
        return out;
      }
      const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n <= 0) return out;
      out.append(buffer, static_cast<std::size_t>(n));
    }
  }

 private:
  int fd_ = -1;
  bool connected_ = false;
};

inline std::string bytes_of(capnp::MallocMessageBuilder& message) {
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asBytes();
  return std::string(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
}

inline std::string bootstrap_message() {
  capnp::MallocMessageBuilder message;
  message.initRoot<capnp::rpc::Message>().initBootstrap().setQuestionId(0);
  return bytes_of(message);
}

// A call on pointer `field` of the answer to question `on`; on the answer itself if negative.
template <typename Interface, typename Params, typename Fill>
std::string call_message(std::uint32_t question, std::uint32_t on, int field, std::uint16_t method, Fill&& fill) {
  capnp::MallocMessageBuilder message;
  auto call = message.initRoot<capnp::rpc::Message>().initCall();
  call.setQuestionId(question);
  auto target = call.initTarget().initPromisedAnswer();
  target.setQuestionId(on);
  if (field >= 0) target.initTransform(1)[0].setGetPointerField(static_cast<std::uint16_t>(field));
  call.setInterfaceId(capnp::typeId<Interface>());
  call.setMethodId(method);
  auto payload = call.initParams();
  fill(payload.getContent().template initAs<Params>(), payload);
  call.getSendResultsTo().setCaller();
  return bytes_of(message);
}

// Question 1 logs in, question 2 takes a snapshot.
inline std::string login_and_snapshot(const std::string& token = "") {
  return bootstrap_message() +
         call_message<wire::Bootstrap, wire::Bootstrap::LoginParams>(1, 0, -1, 0,
                                                                     [&](auto params, auto) {
                                                                       params.setToken(token);
                                                                       params.setClient("raw");
                                                                     }) +
         call_message<wire::Reader, wire::Reader::SnapshotParams>(2, 1, 1, 0, [](auto, auto) {});
}

inline std::string describe_message(std::uint32_t question) {
  return call_message<wire::Snapshot, wire::Snapshot::DescribeParams>(question, 2, 0, 0, [](auto, auto) {});
}

// A statement, with a sink that the server may call and that never answers.
inline std::string query_message(std::uint32_t question, const std::string& text, bool with_sink = false) {
  return call_message<wire::Snapshot, wire::Snapshot::QueryParams>(question, 2, 0, 7, [&](auto params, auto payload) {
    params.setText(text);
    if (!with_sink) return;
    // Capability 0 of the message's table, by hand: the pointer of `sink` is the third of the struct.
    payload.initCapTable(1)[0].setSenderHosted(7);
    auto any = payload.getContent().template getAs<capnp::AnyStruct>();
    const std::uint64_t capability = 3;
    std::memcpy(any.getDataSection().end() + 2 * sizeof(capnp::word), &capability, sizeof capability);
  });
}

}  // namespace demarche::proto::tests

// Connecting, logging in, and what is asked of a session itself.

#include <fcntl.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "proto/remote_wire.h"

namespace demarche::proto {

namespace {

constexpr std::size_t kUploadPiece = std::size_t{64} << 10;
constexpr kj::Duration kDialMax = 10 * kj::SECONDS;
constexpr kj::Duration kLoginMax = 30 * kj::SECONDS;

// A thread has one event loop; its sessions share it.
std::shared_ptr<kj::AsyncIoContext> thread_io() {
  thread_local std::weak_ptr<kj::AsyncIoContext> current;
  std::shared_ptr<kj::AsyncIoContext> io = current.lock();
  if (io == nullptr) {
    io = std::make_shared<kj::AsyncIoContext>(kj::setupAsyncIo());
    current = io;
  }
  return io;
}

struct Address {
  enum class Kind : std::uint8_t { kUnix, kTcp, kTls };
  Kind kind = Kind::kTcp;
  std::string place;  // path, or HOST:PORT
  std::string host;
};

Result<Address> parse_address(const std::string& text) {
  Address out;
  if (text.starts_with("demarche+unix:")) {
    out.kind = Address::Kind::kUnix;
    out.place = text.substr(14);
    if (out.place.empty()) return invalid("demarche+unix: without the path of a socket");
    return out;
  }
  const bool tls = text.starts_with("demarche+tls://");
  if (!tls && !text.starts_with("demarche://")) {
    return invalid(fmt::format(
        "'{}' is no server; write demarche://HOST:PORT, demarche+tls://HOST:PORT or demarche+unix:PATH", text));
  }
  out.kind = tls ? Address::Kind::kTls : Address::Kind::kTcp;
  out.place = text.substr(text.find("//") + 2);
  while (out.place.ends_with('/')) out.place.pop_back();
  const std::size_t colon = out.place.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == out.place.size() ||
      out.place.find_first_not_of("0123456789", colon + 1) != std::string::npos) {
    return invalid(fmt::format("'{}' has no port; write HOST:PORT", text));
  }
  out.host = out.place.substr(0, colon);
  return out;
}

}  // namespace

RemoteLink::~RemoteLink() {
  session_.reset();
  rpc_ = nullptr;
  network_ = nullptr;
  wire_ = nullptr;
  stream_ = nullptr;
  tls_network_ = nullptr;
  tls_ = nullptr;
}

kj::Exception RemoteLink::cancelled() { return KJ_EXCEPTION(FAILED, "demarche: cancelled here"); }

kj::Promise<void> RemoteLink::watch(const std::atomic<bool>* cancel) {
  if ((cancel != nullptr && cancel->load()) || (options_.cancel != nullptr && options_.cancel->load())) {
    return kj::READY_NOW;
  }
  return io().provider->getTimer().afterDelay(20 * kj::MILLISECONDS).then([this, cancel]() { return watch(cancel); });
}

Error RemoteLink::error_of(const kj::Exception& e) {
  std::string text = e.getDescription().cStr();
  if (text.find("demarche: cancelled here") != std::string::npos) {
    return {ErrorCode::kCancelled, "cancelled", nullptr};
  }
  for (const char* prefix : {"remote exception: "}) {
    if (text.starts_with(prefix)) text.erase(0, std::string_view(prefix).size());
  }
  if (e.getType() == kj::Exception::Type::DISCONNECTED) {
    lost_ = true;
    return {ErrorCode::kIo, fmt::format("{}: connection lost: {}", address_, text), nullptr};
  }
  if (e.getType() == kj::Exception::Type::OVERLOADED) return {ErrorCode::kOverloaded, text, nullptr};
  if (e.getType() == kj::Exception::Type::UNIMPLEMENTED) {
    return {ErrorCode::kDenied, "this session may not do that, or the server is older", nullptr};
  }
  return {ErrorCode::kIo, fmt::format("{}: {}", address_, text), nullptr};
}

kj::Promise<kj::Own<kj::AsyncIoStream>> RemoteLink::dial() {
  auto address = parse_address(address_);
  KJ_REQUIRE(address.has_value(), "no address");
  auto& network = io().provider->getNetwork();
  if (address->kind == Address::Kind::kTls) {
    kj::TlsContext::Options tls_options;
    kj::Vector<kj::TlsCertificate> trusted;
    if (!options_.ca_file.empty()) {
      std::ifstream in(options_.ca_file);
      const std::string pem(std::istreambuf_iterator<char>(in), {});
      trusted.add(kj::TlsCertificate(kj::StringPtr(pem.c_str())));
      tls_options.trustedCertificates = trusted.asPtr();
    }
    tls_options.minVersion = kj::TlsVersion::TLS_1_2;
    tls_ = kj::heap<kj::TlsContext>(tls_options);
    return network.parseAddress(address->place.c_str())
        .then([](kj::Own<kj::NetworkAddress> a) {
          auto connected = a->connect();
          return connected.attach(kj::mv(a));
        })
        .then([this, host = address->host](kj::Own<kj::AsyncIoStream> plain) {
          return tls_->wrapClient(kj::mv(plain), kj::StringPtr(host.c_str()));
        });
  }
  const std::string place = address->kind == Address::Kind::kUnix ? "unix:" + address->place : address->place;
  return network.parseAddress(place.c_str()).then([](kj::Own<kj::NetworkAddress> a) {
    auto connected = a->connect();
    return connected.attach(kj::mv(a));
  });
}

Result<void> RemoteLink::connect() {
  io_ = thread_io();
  auto failed = kj::runCatchingExceptions([&]() {
    auto late = io().provider->getTimer().afterDelay(kDialMax).then(
        []() -> kj::Own<kj::AsyncIoStream> { KJ_FAIL_REQUIRE("no answer for ten seconds"); });
    stream_ = interruptible(dial().exclusiveJoin(kj::mv(late)), nullptr).wait(io().waitScope);
  });
  KJ_IF_MAYBE (e, failed) {
    Error error = error_of(*e);
    if (error.code == ErrorCode::kCancelled) return tl::unexpected(error);
    return make_error(ErrorCode::kIo, fmt::format("cannot connect to '{}': {}; does `demarche serve` run there?",
                                                  address_, e->getDescription().cStr()));
  }
  wire_ = kj::heap<WireStream>(*stream_, WireLimits{}, nullptr);
  capnp::ReaderOptions options;
  options.nestingLimit = 2 * kValueDepthMax + 64;
  network_ = kj::heap<capnp::TwoPartyVatNetwork>(*wire_, capnp::rpc::twoparty::Side::CLIENT, options);
  rpc_ = kj::heap<capnp::RpcSystem<capnp::rpc::twoparty::VatId>>(capnp::makeRpcClient(*network_));
  return login();
}

Result<void> RemoteLink::login() {
  capnp::MallocMessageBuilder message;
  auto vat = message.initRoot<capnp::rpc::twoparty::VatId>();
  vat.setSide(capnp::rpc::twoparty::Side::SERVER);
  auto request = rpc_->bootstrap(vat).castAs<wire::Bootstrap>().loginRequest();
  request.setToken(options_.token);
  request.setClient(options_.client);
  auto late = io().provider->getTimer().afterDelay(kLoginMax).then(
      []() -> capnp::Response<wire::Bootstrap::LoginResults> { KJ_FAIL_REQUIRE("no answer to the login"); });
  auto answered = wait<capnp::Response<wire::Bootstrap::LoginResults>>(
      kj::Promise<capnp::Response<wire::Bootstrap::LoginResults>>(request.send()).exclusiveJoin(kj::mv(late)));
  if (answered && answered->hasRefusal()) return tl::unexpected(read_refusal(answered->getRefusal()));
  if (!answered) {
    Error error = std::move(answered).error();
    if (lost_) error.message += "; is it a Demarche server, and is its port one for TLS?";
    return tl::unexpected(std::move(error));
  }
  session_ = std::make_unique<wire::Reader::Client>(answered->getSession());
  access_ = static_cast<Access>(answered->getRole());
  return {};
}

Result<std::shared_ptr<RemoteLink>> RemoteLink::open(const std::string& address, const ConnectOptions& options) {
  DEMARCHE_CHECK(parse_address(address).map([](const Address&) {}));
  std::shared_ptr<RemoteLink> link(new RemoteLink(address, options));
  DEMARCHE_CHECK(link->connect());
  return link;
}

namespace {

class RemoteSessionImpl final : public RemoteSession {
 public:
  RemoteSessionImpl(std::string address, ConnectOptions options, LinkPtr link)
      : address_(std::move(address)), options_(std::move(options)), link_(std::move(link)) {}

  Result<SnapshotPtr> snapshot() override {
    DEMARCHE_CHECK(ensure());
    wire::Snapshot::Client snapshot = link_->session().snapshotRequest().send().getSnapshot();
    auto described = snapshot.describeRequest().send();
    return make_remote_snapshot(link_, snapshot, kj::mv(described));
  }
  Result<SnapshotPtr> snapshot_at(CommitNumber commit) override {
    DEMARCHE_CHECK(ensure());
    auto request = link_->session().snapshotRequest();
    request.initAt().setCommit(commit.value);
    return earlier(request.send());
  }
  Result<SnapshotPtr> snapshot_as_of(const std::string& system_time) override {
    if (system_time.empty()) return snapshot();
    DEMARCHE_CHECK(ensure());
    auto request = link_->session().snapshotRequest();
    request.initAt().setText(system_time);
    return earlier(request.send());
  }
  Result<std::unique_ptr<Rows>> query(std::string_view text, const std::map<std::string, query::Value>& parameters,
                                      const query::QueryOptions& options) override {
    DEMARCHE_CHECK(ensure());
    if (!options.as_of.empty()) {
      DEMARCHE_TRY(const SnapshotPtr state, snapshot_as_of(options.as_of));
      return state->query(text, parameters, options);
    }
    const auto writes = query::statement_writes(text);
    if (!writes || !*writes) return query_newest(link_, text, parameters, options);  // faults are the server's to tell
    if (link_->access() == Access::kReader) {
      return make_error(ErrorCode::kDenied, "the statement writes, and this session only reads");
    }
    return execute_remotely(link_, text, parameters, options);
  }
  Result<RecordReport> record(std::string_view lines, const std::string& note, const std::string& commit_id) override {
    DEMARCHE_CHECK(ensure());
    if (link_->access() == Access::kReader) return make_error(ErrorCode::kDenied, "this session only reads");
    auto writer = link_->session().castAs<wire::Writer>();
    auto begin = writer.importRequest();
    begin.setForm(wire::ImportForm::JSON_LINES);
    begin.setNote(note);
    begin.setCommitId(commit_id);
    auto upload = begin.send().getUpload();
    while (!lines.empty()) {
      const std::string_view piece = lines.substr(0, kUploadPiece);
      auto write = upload.writeRequest();
      write.setChunk(kj::arrayPtr(reinterpret_cast<const kj::byte*>(piece.data()), piece.size()));
      DEMARCHE_CHECK(link_->wait<bool>(write.send().then([]() { return true; })));
      lines.remove_prefix(piece.size());
    }
    DEMARCHE_TRY(auto response, link_->ask(upload.finishRequest().send()));
    const auto report = response.getReport();
    return RecordReport{static_cast<std::size_t>(report.getLines()),
                        static_cast<std::size_t>(report.getActors()),
                        static_cast<std::size_t>(report.getInteractions()),
                        static_cast<std::size_t>(report.getSources()),
                        {report.getCommit()}};
  }
  Access access() const override { return link_->access(); }
  Result<CommitNumber> checkpoint() override {
    DEMARCHE_CHECK(ensure());
    if (link_->access() != Access::kAdmin) return make_error(ErrorCode::kDenied, "only an admin may do that");
    DEMARCHE_TRY(auto response, link_->ask(link_->session().castAs<wire::Admin>().checkpointRequest().send()));
    return CommitNumber{response.getCommit()};
  }
  WireTotals wire() const override {
    const WireCounters& c = link_->counters();
    return {c.messages_out, c.messages_in, c.bytes_out, c.bytes_in, c.turns};
  }

 private:
  // A state that may not be there is waited for; the newest need not be.
  Result<SnapshotPtr> earlier(capnp::RemotePromise<wire::Reader::SnapshotResults> sent) {
    DEMARCHE_TRY(auto response, link_->ask(kj::mv(sent)));
    wire::Snapshot::Client snapshot = response.getSnapshot();
    auto described = snapshot.describeRequest().send();
    return make_remote_snapshot(link_, snapshot, kj::mv(described));
  }

  // A connection that was lost is made anew; what came over the old one fails.
  Result<void> ensure() {
    if (!link_->lost()) return {};
    DEMARCHE_ASSIGN(link_, RemoteLink::open(address_, options_));
    return {};
  }

  std::string address_;
  ConnectOptions options_;
  LinkPtr link_;
};

}  // namespace

Result<std::unique_ptr<RemoteSession>> connect(const std::string& address, const ConnectOptions& options) {
  DEMARCHE_TRY(LinkPtr link, RemoteLink::open(address, options));
  return std::unique_ptr<RemoteSession>(std::make_unique<RemoteSessionImpl>(address, options, std::move(link)));
}

}  // namespace demarche::proto

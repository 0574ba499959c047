// Listening, accepting, and what happens to a connection that asks too much or nothing at all.

#include "proto/server.h"

#include <capnp/rpc-twoparty.h>
#include <capnp/rpc.h>
#include <fcntl.h>
#include <kj/async-io.h>
#include <kj/compat/tls.h>
#include <kj/debug.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "proto/serve_session.h"
#include "proto/wire_stream.h"

namespace demarche::proto {

namespace {

constexpr kj::Duration kTick = 250 * kj::MILLISECONDS;
constexpr kj::Duration kAcceptPause = 100 * kj::MILLISECONDS;
constexpr kj::Duration kFailedLoginPause = 250 * kj::MILLISECONDS;
constexpr int kFailedLoginsMax = 5;

kj::Duration span(std::chrono::milliseconds ms) { return ms.count() * kj::MILLISECONDS; }

std::int64_t now_seconds() { return static_cast<std::int64_t>(std::time(nullptr)); }

Result<std::string> read_pem(const std::string& path, bool secret) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return invalid(fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  if (secret && (status.st_mode & 077) != 0) {
    return invalid(fmt::format("the key '{}' can be read by others; run: chmod 600 '{}'", path, path));
  }
  std::ifstream in(path);
  if (!in) return invalid(fmt::format("cannot read '{}'", path));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// What is said in --listen.
struct Endpoint {
  bool is_unix = false;
  std::string path;  // of a Unix socket
  std::string host;
  std::string port;
};

Result<Endpoint> parse_endpoint(const std::string& text) {
  Endpoint out;
  if (text.starts_with("unix:")) {
    out.is_unix = true;
    out.path = text.substr(5);
    if (out.path.empty()) return invalid("unix: without a path; write unix:PATH");
    if (out.path.size() >= sizeof(sockaddr_un::sun_path)) {
      return invalid(fmt::format("'{}' is too long for the path of a socket, {} bytes at most", out.path,
                                 sizeof(sockaddr_un::sun_path) - 1));
    }
    return out;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size() ||
      text.find_first_not_of("0123456789", colon + 1) != std::string::npos || text.size() - colon > 6 ||
      std::stoul(text.substr(colon + 1)) > 65535) {
    return invalid(fmt::format("'{}' is no address to listen on; write unix:PATH or HOST:PORT", text));
  }
  out.host = text.substr(0, colon);
  out.port = text.substr(colon + 1);
  return out;
}

bool is_loopback(const std::string& host) {
  return host.starts_with("127.") || host == "localhost" || host == "[::1]" || host == "::1";
}

// A socket that nobody listens on any more is in the way.
Result<void> clear_path(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return invalid(fmt::format("'{}' is there already and no socket", path));
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const bool answered = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  if (answered) return make_error(ErrorCode::kConflict, fmt::format("another server listens on '{}'", path));
  ::unlink(path.c_str());
  return {};
}

// Connections that a process may have open besides what the store needs.
std::size_t connections_possible(std::size_t wanted) {
  constexpr std::size_t kReserve = 64;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  std::size_t used = 0;
  for (int fd = 0; fd < 4096; ++fd) used += ::fcntl(fd, F_GETFD) != -1 ? 1 : 0;
  const std::size_t free = limit.rlim_cur > used + kReserve ? limit.rlim_cur - used - kReserve : 1;
  return std::min(wanted, free);
}

struct Connection;

struct Loop {
  Loop(Store& store, const ServerOptions& options_, std::shared_ptr<spdlog::logger> log_)
      : options(options_),
        log(std::move(log_)),
        io(kj::setupAsyncIo()),
        budget(options.limits.request_bytes),
        workers(thread_count(options), options.limits.jobs_waiting),
        context{store,
                options,
                workers,
                io.provider->getTimer(),
                *log,
                std::make_shared<Lane>(1),
                0,
                false,
                0,
                TokenStore{},
                [this](wire::Admin::StatisticsResults::Builder out) { describe(out); }},
        tasks(errors) {
    errors.log = log.get();
  }

  static std::size_t thread_count(const ServerOptions& options) {
    return options.threads > 0 ? options.threads : std::max<std::size_t>(8, 2 * std::thread::hardware_concurrency());
  }

  struct Errors : kj::TaskSet::ErrorHandler {
    void taskFailed(kj::Exception&& e) override { log->warn("{}", e.getDescription().cStr()); }
    spdlog::logger* log = nullptr;
  };
  struct Listener {
    kj::Own<kj::ConnectionReceiver> receiver;
    Endpoint endpoint;
    std::string address;
  };

  Result<void> listen();
  void describe(wire::Admin::StatisticsResults::Builder out);
  kj::Promise<void> accept(Listener& listener);
  void admit(Listener& listener, kj::AuthenticatedStream stream);
  void tick();
  void drop(Connection& connection, const char* why);
  void refuse_one(const char* why);
  void read_tokens();
  void publish() const;
  kj::Promise<void> ticks() {
    return context.timer.afterDelay(kTick).then([this]() {
      tick();
      return ticks();
    });
  }
  kj::Promise<void> drained(kj::TimePoint until) {
    if (context.calls == 0 || context.timer.now() >= until) return context.timer.afterDelay(50 * kj::MILLISECONDS);
    return context.timer.afterDelay(20 * kj::MILLISECONDS).then([this, until]() { return drained(until); });
  }

  const ServerOptions& options;
  std::shared_ptr<spdlog::logger> log;
  kj::AsyncIoContext io;
  RequestBudget budget;
  Workers workers;
  ServerHost context;
  kj::Maybe<kj::Own<kj::TlsContext>> tls;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::map<std::uint64_t, kj::Own<Connection>> connections;
  std::map<std::string, std::size_t> by_peer;
  std::uint64_t next_id = 1;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::uint64_t refused_told = 0;
  std::size_t connections_max = 0;
  struct timespec tokens_changed {};
  bool tokens_broken = false;
  Errors errors;
  kj::TaskSet tasks;

  // For other threads.
  mutable std::atomic<std::size_t> connections_now = 0;
  mutable std::atomic<std::uint64_t> accepted_now = 0;
  mutable std::atomic<std::uint64_t> refused_now = 0;
  mutable std::atomic<std::uint64_t> queries_now = 0;
  mutable std::atomic<std::size_t> request_bytes_now = 0;
};

// One client.
struct Connection {
  Connection(Loop& loop_, std::uint64_t id_, std::string peer_, bool owner_)
      : loop(loop_),
        id(id_),
        peer(std::move(peer_)),
        owner(owner_),
        lane(std::make_shared<Lane>(loop.options.limits.jobs_running)),
        since(loop.context.timer.now()),
        active(since),
        within_since(since) {}

  void serve(kj::Own<kj::AsyncIoStream> stream_);

  Loop& loop;
  const std::uint64_t id;
  const std::string peer;
  const bool owner;  // the server's own user, on a Unix socket
  std::shared_ptr<Lane> lane;
  const kj::TimePoint since;
  kj::TimePoint active;        // when bytes were last seen
  kj::TimePoint within_since;  // when the message that is coming in was first seen
  std::uint64_t bytes_seen = 0;
  std::uint64_t messages_seen = 0;
  int failed_logins = 0;
  kj::Maybe<kj::Own<LoginSession>> session;
  kj::Maybe<kj::TimePoint> doomed;  // to be dropped from then on
  std::string doom;

  kj::Own<kj::AsyncIoStream> stream;
  kj::Own<WireStream> wire;
  kj::Own<capnp::TwoPartyVatNetwork> network;
  kj::Own<capnp::RpcSystem<capnp::rpc::twoparty::VatId>> rpc;
  kj::Promise<void> task = kj::READY_NOW;  // last: gone first
};

// All that a connection is offered before it has logged in.
class BootstrapServer final : public wire::Bootstrap::Server {
 public:
  BootstrapServer(Loop& loop, std::uint64_t connection) : loop_(loop), connection_(connection) {}

  kj::Promise<void> login(LoginContext context) override {
    const auto found = loop_.connections.find(connection_);
    KJ_REQUIRE(found != loop_.connections.end(), "the connection is closed");
    Connection& connection = *found->second;
    KJ_REQUIRE(connection.session == nullptr, "this connection has logged in already; make another");
    const auto params = context.getParams();
    const std::string secret = text_of(params.getToken());
    std::string client = short_text(params.getClient());
    for (char& c : client) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    Access access = Access::kAdmin;
    std::string token_id;
    if (!secret.empty() || !connection.owner || loop_.options.token_always) {
      auto token = check(secret);
      if (!token) return refused(connection, client, token.error(), context);
      access = token->access;
      token_id = token->id;
    }
    loop_.log->info("login: {} [{}] as {}{}", client, connection.peer, access_name(access),
                    token_id.empty() ? "" : ", token " + token_id);
    auto session =
        kj::refcounted<LoginSession>(loop_.context, connection.lane, access, token_id, client, connection.peer);
    connection.session = kj::addRef(*session);
    auto results = context.getResults();
    results.setRole(static_cast<wire::Access>(access));
    results.setSession(make_session_capability(kj::mv(session)));
    return kj::READY_NOW;
  }

 private:
  Result<Token> check(const std::string& secret) {
    if (secret.empty()) return make_error(ErrorCode::kDenied, "this server asks for a token; see `demarche token`");
    loop_.read_tokens();  // one may be new, or revoked just now
    return loop_.context.tokens.check(secret, now_seconds());
  }

  kj::Promise<void> refused(Connection& connection, const std::string& client, const Error& error,
                            LoginContext context) {
    loop_.log->warn("login refused: {} [{}]: {}", client, connection.peer, error.message);
    const bool last = ++connection.failed_logins >= kFailedLoginsMax;
    write_refusal(error, context.getResults().initRefusal());
    context.getResults().setSession(fault(kj::Exception::Type::FAILED, "login refused: " + error.message));
    if (last) {
      connection.doomed = loop_.context.timer.now() + kFailedLoginPause;
      connection.doom = "too many refused logins";
    }
    return loop_.context.timer.afterDelay(kFailedLoginPause);
  }

  Loop& loop_;
  std::uint64_t connection_;
};

void Connection::serve(kj::Own<kj::AsyncIoStream> stream_) {
  const ServerLimits& limits = loop.options.limits;
  stream = kj::mv(stream_);
  WireLimits wire_limits;
  wire_limits.words_max = limits.message_words;
  wire_limits.unsent_max = limits.unsent_bytes;
  wire = kj::heap<WireStream>(*stream, wire_limits, &loop.budget);
  capnp::ReaderOptions options;
  options.traversalLimitInWords = limits.message_words;
  options.nestingLimit = 64;
  network = kj::heap<capnp::TwoPartyVatNetwork>(*wire, capnp::rpc::twoparty::Side::SERVER, options);
  wire->ask_backlog([this]() { return network->getCurrentQueueSize(); });
  rpc = kj::heap<capnp::RpcSystem<capnp::rpc::twoparty::VatId>>(
      capnp::makeRpcServer(*network, wire::Bootstrap::Client(kj::heap<BootstrapServer>(loop, id))));
  rpc->setFlowLimit(limits.flow_words);
  task = network->onDisconnect()
             .then([this]() {
               doomed = loop.context.timer.now();
               if (doom.empty()) doom = "closed";
             })
             .eagerlyEvaluate([this](kj::Exception&&) { doomed = loop.context.timer.now(); });
}

Result<void> Loop::listen() {
  if (!options.tls_certificate.empty()) {
    DEMARCHE_TRY(const std::string certificate, read_pem(options.tls_certificate, false));
    DEMARCHE_TRY(const std::string key, read_pem(options.tls_key, true));
    auto failed = kj::runCatchingExceptions([&]() {
      const kj::TlsKeypair pair{kj::TlsPrivateKey(kj::StringPtr(key.c_str())),
                                kj::TlsCertificate(kj::StringPtr(certificate.c_str()))};
      kj::TlsContext::Options tls_options;
      tls_options.useSystemTrustStore = false;
      tls_options.minVersion = kj::TlsVersion::TLS_1_2;
      tls_options.defaultKeypair = pair;
      tls = kj::heap<kj::TlsContext>(tls_options);
    });
    KJ_IF_MAYBE (e, failed) {
      return invalid(fmt::format("'{}' and '{}' are no certificate and key: {}", options.tls_certificate,
                                 options.tls_key, e->getDescription().cStr()));
    }
  }
  for (const std::string& text : options.listen) {
    auto listener = std::make_unique<Listener>();
    DEMARCHE_ASSIGN(listener->endpoint, parse_endpoint(text));
    const Endpoint& endpoint = listener->endpoint;
    if (endpoint.is_unix) DEMARCHE_CHECK(clear_path(endpoint.path));
    if (!endpoint.is_unix && tls == nullptr && !is_loopback(endpoint.host)) {
      return invalid(fmt::format(
          "'{}' can be reached from other machines: give --tls-cert and --tls-key, or listen on 127.0.0.1", text));
    }
    const mode_t mask = ::umask(077);
    auto failed = kj::runCatchingExceptions([&]() {
      auto address = io.provider->getNetwork().parseAddress(text.c_str()).wait(io.waitScope);
      listener->receiver = address->listen();
    });
    ::umask(mask);
    KJ_IF_MAYBE (e, failed) {
      const bool in_use = std::strstr(e->getDescription().cStr(), "in use") != nullptr;
      return make_error(in_use ? ErrorCode::kConflict : ErrorCode::kIo,
                        fmt::format("cannot listen on '{}': {}", text, e->getDescription().cStr()));
    }
    listener->address = endpoint.is_unix ? "demarche+unix:" + endpoint.path
                                         : fmt::format("demarche{}://{}:{}", tls == nullptr ? "" : "+tls",
                                                       endpoint.host, listener->receiver->getPort());
    listeners.push_back(std::move(listener));
  }
  if (listeners.empty()) return invalid("no address to listen on");
  connections_max = options.limits.connections;
  if (options.fit_connections) connections_max = connections_possible(connections_max);
  if (connections_max < options.limits.connections) {
    log->warn("{} connections at most, since this process may open no more files (ulimit -n)", connections_max);
  }
  return {};
}

void Loop::describe(wire::Admin::StatisticsResults::Builder out) {
  out.setConnections(static_cast<std::uint32_t>(connections.size()));
  out.setRefused(refused);
  out.setQueries(context.queries);
  out.setRequestBytes(budget.used());
  std::vector<const LoginSession*> sessions;
  for (const auto& [id, connection] : connections) {
    KJ_IF_MAYBE (session, connection->session) sessions.push_back(session->get());
  }
  auto list = out.initSessions(static_cast<capnp::uint>(sessions.size()));
  for (capnp::uint i = 0; i < list.size(); ++i) {
    list[i].setClient(sessions[i]->client);
    list[i].setPeer(sessions[i]->peer);
    list[i].setToken(sessions[i]->token_id);
    list[i].setRole(static_cast<wire::Access>(sessions[i]->access));
    list[i].setSeconds(static_cast<std::uint64_t>((context.timer.now() - sessions[i]->since) / kj::SECONDS));
  }
}

// Accepting goes on whatever happens: out of files or memory, it waits and tries again.
kj::Promise<void> Loop::accept(Listener& listener) {
  // KJ throws some errors here and now, and not into the promise.
  return kj::evalNow([&listener]() { return listener.receiver->acceptAuthenticated(); })
      .then(
          [this, &listener](kj::AuthenticatedStream&& stream) -> kj::Promise<void> {
            admit(listener, kj::mv(stream));
            return kj::READY_NOW;
          },
          [this](kj::Exception&& e) -> kj::Promise<void> {
            log->warn("cannot accept: {}; trying again", e.getDescription().cStr());
            return context.timer.afterDelay(kAcceptPause);
          })
      .then([this, &listener]() { return accept(listener); });
}

void Loop::refuse_one(const char* why) {
  if (refused++ == refused_told) log->warn("connection refused: {}", why);
}

void Loop::admit(Listener& listener, kj::AuthenticatedStream stream) {
  std::string peer = "?";
  bool owner = false;
  if (listener.endpoint.is_unix) {
    if (auto* local = dynamic_cast<kj::LocalPeerIdentity*>(stream.peerIdentity.get()); local != nullptr) {
      KJ_IF_MAYBE (uid, local->getCredentials().uid) {
        peer = fmt::format("uid {}", *uid);
        owner = *uid == ::geteuid();
      }
    }
  } else if (auto* remote = dynamic_cast<kj::NetworkPeerIdentity*>(stream.peerIdentity.get()); remote != nullptr) {
    peer = remote->getAddress().toString().cStr();
    if (const std::size_t colon = peer.rfind(':'); colon != std::string::npos) peer.resize(colon);  // the port
  }
  if (connections.size() >= connections_max) return refuse_one("as many as this server takes are open");
  if (by_peer[peer] >= options.limits.connections_peer) return refuse_one("as many as one peer may have are open");
  ++by_peer[peer];
  ++accepted;
  const std::uint64_t id = next_id++;
  auto connection = kj::heap<Connection>(*this, id, peer, owner);
  Connection& c = *connection;
  connections.emplace(id, kj::mv(connection));
  log->debug("connection {} from {}", id, peer);
  KJ_IF_MAYBE (t, tls) {
    if (!listener.endpoint.is_unix) {
      c.task = (*t)->wrapServer(kj::mv(stream.stream))
                   .then([this, id](kj::Own<kj::AsyncIoStream> secure) {
                     // This promise is what runs now: the task is replaced once it has ended.
                     tasks.add(kj::evalLater([this, id, inner = kj::mv(secure)]() mutable {
                       if (const auto it = connections.find(id); it != connections.end())
                         it->second->serve(kj::mv(inner));
                     }));
                   })
                   .eagerlyEvaluate([&c](kj::Exception&& e) {
                     c.doomed = c.loop.context.timer.now();
                     c.doom = fmt::format("no TLS: {}", e.getDescription().cStr());
                   });
      return;
    }
  }
  c.serve(kj::mv(stream.stream));
}

void Loop::drop(Connection& connection, const char* why) {
  log->info("connection {} from {} ends: {}", connection.id, connection.peer, why);
  if (--by_peer[connection.peer] == 0) by_peer.erase(connection.peer);
  connections.erase(connection.id);
}

void Loop::tick() {
  const kj::TimePoint now = context.timer.now();
  const ServerLimits& limits = options.limits;
  read_tokens();
  std::vector<std::pair<Connection*, std::string>> ended;
  for (auto& [id, owned] : connections) {
    Connection& c = *owned;
    KJ_IF_MAYBE (at, c.doomed) {
      if (now >= *at) ended.emplace_back(&c, c.doom);
      continue;
    }
    bool logged_in = false;
    KJ_IF_MAYBE (session, c.session) {
      logged_in = true;
      LoginSession& s = **session;
      if (!s.token_id.empty() && !s.revoked() && !context.tokens.is_good(s.token_id, now_seconds())) {
        log->warn("token {} of {} [{}] is good no more", s.token_id, s.client, s.peer);
        s.revoke("this token was revoked or has expired; ask for another");
        c.doomed = now + 1 * kj::SECONDS;  // the calls that ran are told first
        c.doom = "its token is good no more";
        continue;
      }
    }
    if (!logged_in && now - c.since > span(limits.login)) {
      ended.emplace_back(&c, "it did not log in");
      continue;
    }
    if (c.wire.get() == nullptr) continue;
    KJ_IF_MAYBE (error, c.wire->read_error()) {  // it is told why, and then closed
      c.doomed = now + 500 * kj::MILLISECONDS;
      c.doom = error->cStr();
      continue;
    }
    const WireCounters& counters = c.wire->counters();
    if (counters.bytes_in + counters.bytes_out != c.bytes_seen || c.lane->busy()) c.active = now;
    c.bytes_seen = counters.bytes_in + counters.bytes_out;
    if (!c.wire->within_message() || counters.messages_in != c.messages_seen) c.within_since = now;
    c.messages_seen = counters.messages_in;
    if (now - c.within_since > span(limits.partial)) {
      ended.emplace_back(&c, "a message was begun and not ended");
    } else if (now - c.active > span(limits.idle)) {
      ended.emplace_back(&c, "nothing was asked for too long");
    }
  }
  for (const auto& [connection, why] : ended) drop(*connection, why.c_str());
  if (refused > refused_told) {
    if (refused > refused_told + 1) log->warn("{} connections refused", refused - refused_told);
    refused_told = refused;
  }
  publish();
}

void Loop::read_tokens() {
  if (options.tokens_file.empty()) return;
  struct stat status {};
  struct timespec changed {};
  if (::stat(options.tokens_file.c_str(), &status) == 0) changed = status.st_mtim;
  if (changed.tv_sec == tokens_changed.tv_sec && changed.tv_nsec == tokens_changed.tv_nsec) return;
  auto tokens = TokenStore::read(options.tokens_file);
  if (!tokens) {  // nobody is let in by a file that cannot be read, and who is in stays
    if (!tokens_broken) log->error("{}", tokens.error().message);
    tokens_broken = true;
    return;
  }
  tokens_broken = false;
  tokens_changed = changed;
  context.tokens = std::move(*tokens);
}

void Loop::publish() const {
  connections_now = connections.size();
  accepted_now = accepted;
  refused_now = refused;
  queries_now = context.queries;
  request_bytes_now = budget.used();
}

}  // namespace

struct Server::State {
  explicit State(const ServerOptions& o) : options(o) {}

  // The thread's whole life.
  void run(Store& store, std::promise<Result<void>>& listening) {
    auto logger = std::make_shared<spdlog::logger>("demarche");
    if (options.log) {
      logger->sinks().push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
      logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    }
    const auto made = std::make_unique<Loop>(store, options, logger);
    Loop& l = *made;
    if (auto done = l.listen(); !done) return listening.set_value(std::move(done));
    l.read_tokens();
    for (const auto& listener : l.listeners) addresses.push_back(listener->address);
    auto stop = kj::newPromiseAndCrossThreadFulfiller<void>();
    stopping = kj::mv(stop.fulfiller);
    loop = &l;
    for (const auto& listener : l.listeners) l.tasks.add(l.accept(*listener));
    l.tasks.add(l.ticks());
    listening.set_value({});
    auto failed = kj::runCatchingExceptions([&]() { stop.promise.wait(l.io.waitScope); });
    KJ_IF_MAYBE (e, failed) logger->error("{}", e->getDescription().cStr());
    l.context.stopping = true;
    for (const auto& listener : l.listeners) {
      if (listener->endpoint.is_unix) ::unlink(listener->endpoint.path.c_str());
    }
    logger->info("stopping: {} connections, {} calls running", l.connections.size(), l.context.calls);
    l.drained(l.context.timer.now() + span(options.limits.stop)).wait(l.io.waitScope);
    l.connections.clear();
    loop = nullptr;
  }

  const ServerOptions options;
  std::vector<std::string> addresses;
  std::atomic<Loop*> loop = nullptr;
  kj::Own<kj::CrossThreadPromiseFulfiller<void>> stopping;
  std::thread thread;
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(Store& store, const ServerOptions& options) {
  auto state = std::make_unique<State>(options);
  std::promise<Result<void>> listening;
  auto listened = listening.get_future();
  State& s = *state;
  s.thread = std::thread([&s, &store, &listening] { s.run(store, listening); });
  if (auto done = listened.get(); !done) {
    s.thread.join();
    return tl::unexpected(std::move(done).error());
  }
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

const std::vector<std::string>& Server::addresses() const { return state_->addresses; }

ServerCounters Server::counters() const {
  const Loop* loop = state_->loop;
  if (loop == nullptr) return {};
  return {loop->connections_now, loop->accepted_now,      loop->refused_now,
          loop->queries_now,     loop->request_bytes_now, loop->workers.running()};
}

void Server::stop() {
  if (!state_->thread.joinable()) return;
  state_->stopping->fulfill();
  state_->thread.join();
}

}  // namespace demarche::proto

// What killed or bloated a naive Cap'n Proto server, one case each, with its figure. A good client is served during and
// after each. Figures of memory are of a process of its own; under the address sanitizer only survival is asked.

#include <sys/resource.h>

#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/proto/raw_client.h"
#include "tests/proto/served_store.h"
#include "tests/proto/server_process.h"

namespace demarche::proto::tests {

namespace {

constexpr double kFloodMb = 64;  // memory that a flood may cost

bool serves(const std::string& address, const ConnectOptions& options = {}) {
  const auto session = connect(address, options);
  if (!session) return false;
  const auto state = (*session)->snapshot();
  return state && (*state)->actor("john-kerry").contacts().count().value_or(0) > 0;
}

std::string word(std::uint32_t low, std::uint32_t high) {
  std::string out;
  for (const std::uint32_t half : {low, high}) {
    for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(half >> shift);
  }
  return out;
}

bool eventually(const std::function<bool()>& holds) { return ServerProcess::eventually(holds); }

const char* const kEndless = "UNWIND range(1, 2000000) AS a UNWIND range(1, 2000000) AS b RETURN a + b";
// No rows for long: the work is within one step.
const char* const kEndlessCount = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN count(a + b)";

std::string self_signed(const demarche::tests::TempFolder& folder) {
  const std::string command =
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext "
      "subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout " +
      folder.path("key.pem") + " -out " + folder.path("cert.pem") + " 2>/dev/null && chmod 600 " +
      folder.path("key.pem");
  REQUIRE(run(command) == 0);
  return folder.path("cert.pem");
}

}  // namespace

TEST_CASE("abuse: messages that are none end their connection, and nothing else") {
  ServedStore served;
  std::mt19937 random(5);
  std::string garbage;
  for (int i = 0; i < 100'000; ++i) garbage += static_cast<char>(random());
  const std::vector<std::pair<std::string, std::string>> messages = {
      {"header of FF only", std::string(8, '\xff')},
      {"513 segments", word(512, 1) + std::string(513 * 4, '\0')},
      {"4294967295 words", word(0, 0xffffffff)},
      {"garbage", garbage},
      {"null root", word(0, 1) + word(0, 0)},
      {"a pointer out of bounds", word(0, 1) + word(0xfffffffc, 0xffffffff)},
      {"an unknown answer",
       call_message<wire::Snapshot, wire::Snapshot::DescribeParams>(9, 8, 0, 0, [](auto, auto) {})},
  };
  for (const auto& [name, bytes] : messages) {
    DYNAMIC_SECTION(name) {
      RawClient client(served.address());
      client.send(bytes);
      if (name != "garbage" && name != "null root" && name != "an unknown answer") {
        client.read_to_end();  // told why, and closed
      }
      client.close();
      CHECK(serves(served.address()));
      CHECK(eventually([&] { return served.server().counters().connections == 0; }));
    }
  }
}

TEST_CASE("abuse: half a message is waited for a while only") {
  ServerOptions options;
  options.limits.partial = std::chrono::milliseconds(300);
  ServedStore served(true, options);
  SECTION("within its header") {
    RawClient client(served.address());
    client.send(std::string(5, '\0'));
    client.read_to_end();
  }
  SECTION("within its body") {
    RawClient client(served.address());
    client.send(word(0, 1000) + std::string(80, '\0'));
    client.read_to_end();
  }
  SECTION("and the connection closed") {
    RawClient client(served.address());
    client.send(word(0, 1000) + std::string(80, '\0'));
    client.close();
    CHECK(eventually([&] { return served.server().counters().connections == 0; }));
  }
  CHECK(serves(served.address()));
}

TEST_CASE("abuse: silence is ended, before a login sooner than after") {
  ServerOptions options;
  options.limits.login = std::chrono::milliseconds(300);
  options.limits.idle = std::chrono::milliseconds(1500);
  ServedStore served(true, options);
  RawClient silent(served.address());
  silent.read_to_end();
  RawClient idle(served.address());
  idle.send(login_and_snapshot());
  CHECK_FALSE(idle.read_to_end().empty());
  CHECK(serves(served.address()));
}

TEST_CASE("abuse: 100 connections announce 8 MB each and send nothing") {
  ServerProcess server("--message-seconds 2 --login-seconds 5");
  const double base = server.rss_mb();
  std::vector<RawClient> clients;
  for (int i = 0; i < 100; ++i) {
    clients.emplace_back(server.address());
    clients.back().send(word(0, (1 << 20) - 1));
  }
  CHECK(serves(server.address()));
  if (kMemoryIsOwn) CHECK(server.rss_mb() < base + kFloodMb);
  for (RawClient& client : clients) client.read_to_end();
  CHECK(server.alive());
}

TEST_CASE("abuse: 100 connections send 8 MB each, and the server holds what its budget allows") {
  ServerProcess server("--message-seconds 3");
  const double base = server.rss_mb();
  const std::string most = word(0, 1 << 20) + std::string((std::size_t{8} << 20) - 8, '\0');
  std::vector<RawClient> clients;
  for (int i = 0; i < 100; ++i) {
    clients.emplace_back(server.address());
    clients.back().send_until_stuck(most, 20);
  }
  CHECK(serves(server.address()));
  if (kMemoryIsOwn) CHECK(server.peak_mb() < base + kFloodMb);
  clients.clear();
  CHECK(server.alive());
}

TEST_CASE("abuse: 2000 calls of 50 KB without waiting for an answer") {
  ServerProcess server;
  CHECK(serves(server.address()));
  const double base = server.rss_mb();
  server.forget_peak();
  RawClient client(server.address());
  client.send(login_and_snapshot());
  const std::string text = std::string(kEndlessCount) + std::string(50'000, ' ');
  std::string flood;
  for (std::uint32_t i = 0; i < 2000; ++i) flood += query_message(100 + i, text);
  client.send_until_stuck(flood);
  CHECK(serves(server.address()));
  if (kMemoryIsOwn) CHECK(server.peak_mb() < base + kFloodMb);
  client.close();
  CHECK(serves(server.address()));
}

TEST_CASE("abuse: answers that nobody takes") {
  ServerProcess server;
  CHECK(serves(server.address()));
  const double base = server.rss_mb();
  server.forget_peak();
  RawClient client(server.address());
  client.send(login_and_snapshot());
  std::string flood;
  for (std::uint32_t i = 0; i < 50'000; ++i) flood += describe_message(100 + i);
  const std::size_t sent = client.send_until_stuck(flood);
  CHECK(sent < flood.size());  // the server stopped reading
  CHECK(serves(server.address()));
  if (kMemoryIsOwn) CHECK(server.peak_mb() < base + kFloodMb);
}

TEST_CASE("abuse: four million rows for a client that takes none") {
  ServerProcess server;
  CHECK(serves(server.address()));
  const double base = server.rss_mb();
  server.forget_peak();
  RawClient client(server.address());
  client.send(login_and_snapshot());
  client.send(query_message(3, "UNWIND range(1, 4000000) AS n RETURN n, toString(n)", true));
  CHECK(serves(server.address()));
  std::this_thread::sleep_for(std::chrono::seconds(2));  // time to build what it should not
  CHECK(serves(server.address()));
  if (kMemoryIsOwn) CHECK(server.peak_mb() < base + kFloodMb + 100);  // range() itself is a list of 4 M values
}

TEST_CASE("abuse: a row beyond the limit is refused before it is sent") {
  ServerOptions options;
  options.limits.row_bytes = 100'000;
  ServedStore served(false, options);
  const auto session = served.connect();
  const auto rows = session->query("UNWIND range(1, 2) AS n RETURN range(1, 10000)");
  REQUIRE_FALSE(rows);
  CHECK(rows.error().code == ErrorCode::kLimit);
  CHECK(session->query("RETURN range(1, 100)"));
  const auto deep = session->query("RETURN " + std::string(110, '[') + std::string(110, ']'));
  REQUIRE_FALSE(deep);
}

TEST_CASE("abuse: a statement beyond the limits is refused in band") {
  ServerOptions options;
  options.limits.query_rows_held = 1000;
  options.limits.query = std::chrono::seconds(1);
  options.limits.set_members = 10;
  ServedStore served(true, options);
  const auto session = served.connect();
  const auto code = [&](const std::string& text) {
    const auto rows = session->query(text);
    if (!rows) return rows.error().code;
    RowsBatch batch;
    Result<void> read;
    while ((read = (*rows)->next(batch)) && batch.size > 0) {
    }
    return read ? ErrorCode::kInvalidArgument : read.error().code;
  };
  CHECK(code("UNWIND range(1, 5000) AS n RETURN n ORDER BY n") == ErrorCode::kLimit);
  CHECK(code(kEndlessCount) == ErrorCode::kLimit);
  CHECK(code("RETURN '" + std::string(300'000, 'x') + "'") == ErrorCode::kLimit);
  const auto state = must(session->snapshot());
  CHECK(state->actors().count().error().code == ErrorCode::kLimit);
}

TEST_CASE("abuse: a session holds so many capabilities and snapshots, no more") {
  ServerOptions options;
  options.limits.snapshots = 5;
  options.limits.objects = 50;
  ServedStore served(true, options);
  const auto session = served.connect();
  std::vector<SnapshotPtr> held;
  Result<SnapshotPtr> last;
  for (int i = 0; i < 7; ++i) {
    last = session->snapshot();
    if (last) held.push_back(*last);
  }
  CHECK(held.size() == 5);
  REQUIRE_FALSE(last);
  held.clear();
  CHECK(session->snapshot());
  const auto state = must(session->snapshot());
  Interactions chain = state->actors().contacts();
  for (int i = 0; i < 30; ++i) chain = chain.only({});
  Interactions other = state->actors().contacts();
  for (int i = 0; i < 30; ++i) other = other.only({});
  const auto many = chain.united(other).count();
  REQUIRE_FALSE(many);
  CHECK(many.error().code == ErrorCode::kOverloaded);
}

TEST_CASE("abuse: dropping the connection stops what it asked for") {
  ServedStore served;
  for (const char* text : {kEndless, kEndlessCount}) {
    RawClient client(served.address());
    client.send(login_and_snapshot());
    client.send(query_message(3, text, true));
    REQUIRE(eventually([&] { return served.server().counters().jobs_running > 0 || text == kEndless; }));
    client.close();
    CHECK(eventually([&] { return served.server().counters().jobs_running == 0; }));
    CHECK(eventually([&] { return served.server().counters().connections == 0; }));
  }
}

TEST_CASE("abuse: cancelling here stops the statement there, and the session goes on") {
  ServedStore served;
  const auto session = served.connect();
  std::atomic<bool> cancel = false;
  query::QueryOptions options;
  options.cancel = &cancel;
  std::thread soon([&] {
    ServerProcess::eventually([&] { return served.server().counters().jobs_running > 0; });
    cancel = true;
  });
  const auto rows = session->query(kEndlessCount, {}, options);
  soon.join();
  REQUIRE_FALSE(rows);
  CHECK(rows.error().code == ErrorCode::kCancelled);
  CHECK(eventually([&] { return served.server().counters().jobs_running == 0; }));
  CHECK(session->query("RETURN 1"));
}

TEST_CASE("abuse: wrong, expired and revoked tokens") {
  demarche::tests::TempFolder folder;
  ServerOptions options;
  options.tokens_file = folder.path("tokens");
  options.token_always = true;
  ServedStore served(true, options);
  const auto refused = [&](const std::string& token) {
    const auto session = connect(served.address(), {.token = token});
    REQUIRE_FALSE(session);
    CHECK(session.error().code == ErrorCode::kDenied);
    return session.error().message;
  };
  CHECK(refused("") == "this server asks for a token; see `demarche token`");
  CHECK(refused("dmt_nonsense") == "unknown token; ask for one made by `demarche token`");
  const std::string expired = must(TokenStore::create(options.tokens_file, Access::kReader, 1, "", 1000));
  CHECK(refused(expired) == "this token has expired; ask for another");

  const std::string token = must(TokenStore::create(options.tokens_file, Access::kWriter, 0, "", 1000));
  const auto session = served.connect({.token = token});  // found though it is newer than the server
  CHECK(session->access() == Access::kWriter);
  const auto state = must(session->snapshot());
  std::thread soon([&] {
    ServerProcess::eventually([&] { return served.server().counters().jobs_running > 0; });
    (void)TokenStore::revoke(options.tokens_file, token.substr(4, 8));
  });
  const auto running = session->query(kEndlessCount);
  soon.join();
  REQUIRE_FALSE(running);
  CHECK(running.error().message.find("this token was revoked") != std::string::npos);
  CHECK_FALSE(state->actors().count());  // capabilities that were given out are useless too
  CHECK(eventually([&] { return served.server().counters().connections == 0; }));
  CHECK(refused(token) == "this token was revoked; ask for another");
}

TEST_CASE("abuse: five refused logins end the connection") {
  ServerOptions options;
  options.token_always = true;
  ServedStore served(true, options);
  RawClient client(served.address());
  std::string logins = bootstrap_message();
  for (std::uint32_t i = 1; i <= 5; ++i) {
    logins += call_message<wire::Bootstrap, wire::Bootstrap::LoginParams>(
        i, 0, -1, 0, [](auto params, auto) { params.setToken("dmt_guess"); });
  }
  client.send(logins);
  CHECK_FALSE(client.read_to_end().empty());
}

TEST_CASE("abuse: nothing but login is to be had before it, and one login is all") {
  demarche::tests::TempFolder folder;
  ServerOptions options;
  options.token_always = true;
  options.tokens_file = folder.path("tokens");
  options.limits.login = std::chrono::milliseconds(1000);
  options.limits.idle = std::chrono::milliseconds(1000);
  ServedStore served(true, options);
  const std::string token = must(TokenStore::create(options.tokens_file, Access::kReader, 0, "", 0));
  const auto answered = [&](const std::string& messages) {
    RawClient client(served.address());
    client.send(messages);
    return client.read_to_end();
  };
  const std::string described = "WALKOUT";  // a kind, told by describe()
  CHECK(answered(login_and_snapshot(token) + describe_message(3)).find(described) != std::string::npos);
  CHECK(answered(login_and_snapshot("dmt_guess") + describe_message(3)).find(described) == std::string::npos);
  // The bootstrap capability itself is no Reader.
  const std::string on_bootstrap =
      bootstrap_message() +
      call_message<wire::Bootstrap, wire::Bootstrap::LoginParams>(1, 0, -1, 0, [](auto, auto) {}) +
      call_message<wire::Reader, wire::Reader::SnapshotParams>(2, 0, -1, 0, [](auto, auto) {}) + describe_message(3);
  CHECK(answered(on_bootstrap).find(described) == std::string::npos);
  const std::string again =
      login_and_snapshot(token) + call_message<wire::Bootstrap, wire::Bootstrap::LoginParams>(
                                      4, 0, -1, 0, [&](auto params, auto) { params.setToken(token); });
  CHECK(answered(again).find("logged in already") != std::string::npos);
}

TEST_CASE("abuse: out of files, the server waits and goes on") {
  ServerProcess server("--connections 1000 --login-seconds 600", "ulimit -n 90;");
  {
    std::vector<RawClient> clients;
    for (int i = 0; i < 150; ++i) clients.emplace_back(server.address());
    CHECK(eventually([&] { return server.log().find("Too many open files") != std::string::npos; }));
    CHECK(server.alive());
  }
  CHECK(eventually([&] { return serves(server.address()); }));
}

TEST_CASE("abuse: 1500 idle connections: so many as are allowed are kept, and these not for ever") {
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
  ServerProcess server("--login-seconds 6");
  CHECK(serves(server.address()));
  const double base = server.rss_mb();
  std::vector<RawClient> clients;
  for (int i = 0; i < 1500; ++i) {
    clients.emplace_back(server.address());
    clients.back().send(bootstrap_message());
  }
  if (kMemoryIsOwn) CHECK(server.rss_mb() < base + 32);
  CHECK(eventually([&] { return server.log().find("connection refused") != std::string::npos; }));
  CHECK(eventually([&] { return serves(server.address()); }));  // once those that did not log in are gone
  CHECK(server.alive());
}

TEST_CASE("TLS: a good client, plain text on its port, stalled handshakes, and a client that does not trust it") {
  demarche::tests::TempFolder folder;
  const std::string certificate = self_signed(folder);
  ServerOptions options;
  options.listen = {"localhost:0"};
  options.tls_certificate = certificate;
  options.tls_key = folder.path("key.pem");
  options.tokens_file = folder.path("tokens");
  options.limits.login = std::chrono::milliseconds(4000);
  ServedStore served(true, options);
  const std::string token = must(TokenStore::create(options.tokens_file, Access::kReader, 0, "", 0));
  const ConnectOptions good{.token = token, .ca_file = certificate};
  const std::string plain = "demarche://127.0.0.1" + served.address().substr(served.address().rfind(':'));
  CHECK(served.address().starts_with("demarche+tls://localhost:"));
  CHECK(serves(served.address(), good));
  CHECK_FALSE(serves(served.address(), {.token = token}));  // a certificate that nobody vouches for
  CHECK_FALSE(serves(plain, {.token = token}));
  std::vector<RawClient> stalled;
  for (int i = 0; i < 20; ++i) stalled.emplace_back(plain);
  CHECK(serves(served.address(), good));
  for (RawClient& client : stalled) client.read_to_end();
  CHECK(serves(served.address(), good));
  CHECK(eventually([&] { return served.server().counters().connections == 0; }));
}

TEST_CASE("TLS: a key that others can read is refused") {
  demarche::tests::TempFolder folder;
  ServedStore served;
  ServerOptions options;
  options.listen = {"localhost:0"};
  options.tls_certificate = self_signed(folder);
  options.tls_key = folder.path("key.pem");
  options.log = false;
  REQUIRE(run("chmod 644 " + folder.path("key.pem")) == 0);
  const auto server = Server::start(served.store(), options);
  REQUIRE_FALSE(server);
  CHECK(server.error().message.find("chmod 600") != std::string::npos);
}

TEST_CASE("SIGTERM: the server ends, its socket is gone, and what was committed is kept") {
  ServerProcess server;
  {
    const auto session = must(connect(server.address(), {}));
    must(session->query("CREATE (:Person {key: 'kept'})"));
  }
  const auto idle = must(connect(server.address(), {}));
  CHECK(server.terminate() == 0);
  CHECK_FALSE(connect(server.address(), {}));
  StoreOptions options;
  options.read_only = true;
  const auto store = must(Store::open(server.folder().path("talks.dm"), options));
  CHECK(must(store->view()->find_actor("kept")));
}

TEST_CASE("a server for reading beside the writer's process sees what is committed there") {
  ServedStore served;  // this process has it open for writing
  StoreOptions read_only;
  read_only.read_only = true;
  read_only.refresh_seconds = 0;
  const auto beside = must(Store::open(served.store().path(), read_only));
  ServerOptions options;
  options.listen = {"unix:" + served.folder().path("reader")};
  options.beside_writer = true;
  options.log = false;
  const auto server = must(Server::start(*beside, options));
  const auto reader = must(connect(server->addresses().at(0), {}));
  const std::uint64_t count = must(must(reader->snapshot())->actors().count());
  must(served.connect()->query("CREATE (:Person {key: 'later'})"));
  CHECK(must(must(reader->snapshot())->actors().count()) == count + 1);
  const auto written = reader->query("CREATE (:Person)");
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::kDenied);
}

}  // namespace demarche::proto::tests

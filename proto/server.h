// The server: one event loop in a thread of its own, and worker threads for everything that reads the store.
//
//   DEMARCHE_TRY(auto server, proto::Server::start(*store, {.listen = {"unix:talks.sock"}}));
//   ... server->addresses() ...
//   server->stop();
//
// What one client may cost is bounded: see ServerLimits, each of which has a test in tests/proto/abuse_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/result.h"
#include "engine/store.h"

namespace demarche::proto {

struct ServerLimits {
  // Connections at once, and of one peer (a user of this machine, or an address). Those beyond are closed at once.
  std::size_t connections = 256;
  std::size_t connections_peer = 256;
  std::chrono::milliseconds login{10'000};            // until a connection must have logged in, TLS included
  std::chrono::milliseconds idle{300'000};            // without a byte, nothing being asked
  std::chrono::milliseconds partial{20'000};          // from the first byte of a message to its last
  std::chrono::milliseconds stall{60'000};            // a client may take so long for a batch of rows
  std::chrono::milliseconds stop{5'000};              // calls may take so long to end at stop()
  std::size_t message_words = std::size_t{1} << 20;   // of one request
  std::size_t flow_words = std::size_t{64} << 10;     // of a connection's calls without an answer
  std::size_t request_bytes = std::size_t{32} << 20;  // of requests held, over all connections
  std::size_t unsent_bytes = std::size_t{256} << 10;  // of answers that a client has not taken: then nothing is read
  std::chrono::seconds query{60};                     // from the statement's arrival to its last row
  std::size_t query_bytes = std::size_t{256} << 10;   // of text and parameters of a connection's running queries
  std::size_t query_rows_held = 1'000'000;
  std::size_t row_bytes = std::size_t{4} << 20;
  std::size_t set_members = 1'000'000;
  std::size_t objects = 4'096;  // capabilities of a connection
  std::size_t snapshots = 64;   // of a connection
  std::size_t import_bytes = std::size_t{256} << 20;
  std::size_t jobs_running = 2;      // of a connection at once
  std::size_t jobs_waiting = 1'024;  // of a connection
};

struct ServerOptions {
  std::vector<std::string> listen;  // "unix:PATH" or "HOST:PORT"; port 0: any that is free
  std::string tokens_file;          // see TokenStore
  bool token_always = false;        // also of the server's own user on a Unix socket
  std::string tls_certificate;      // PEM files; with them all TCP is TLS, without only loopback addresses are taken
  std::string tls_key;
  std::string backups;          // folder for Admin.backup; empty: refused
  bool beside_writer = false;   // the store is open for reading only, and another process may write
  std::size_t threads = 0;      // 0: twice the cores, 8 at least
  bool fit_connections = true;  // fewer connections if the process may not open as many files
  bool log = true;              // to standard error
  ServerLimits limits;
};

// The first few may be a quarter of a second old.
struct ServerCounters {
  std::size_t connections = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;  // beyond the limits
  std::uint64_t queries = 0;
  std::size_t request_bytes = 0;
  std::size_t jobs_running = 0;
};

class Server {
 public:
  // Listens when it returns. `store` must outlive the server. Errors: kInvalidArgument (an address, a certificate, a
  // key that others can read, an address beyond this machine without TLS), kConflict (in use), kIo.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(Store& store, const ServerOptions& options);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // As a client writes them: "demarche://127.0.0.1:4711", "demarche+unix:/run/talks.sock".
  [[nodiscard]] const std::vector<std::string>& addresses() const;
  [[nodiscard]] ServerCounters counters() const;
  // Takes no more connections and calls, waits for the calls that run, ServerLimits::stop at most, and closes.
  void stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace demarche::proto

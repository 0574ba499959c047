// Answers other programs and machines, until it is told to stop.

#include <pthread.h>
#include <signal.h>

#include <chrono>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/open.h"
#include "proto/server.h"
#include "proto/token_store.h"

namespace demarche::cli {

namespace {

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

proto::ServerOptions server_options(const ServeArgs& args) {
  proto::ServerOptions out;
  out.listen = args.listen;
  if (out.listen.empty()) out.listen.push_back("unix:" + args.store + ".sock");
  out.tokens_file = args.tokens.empty() ? proto::TokenStore::default_path(args.store) : args.tokens;
  out.token_always = args.token_always;
  out.tls_certificate = args.tls_certificate;
  out.tls_key = args.tls_key;
  out.backups = args.backups;
  out.beside_writer = args.read_only;
  out.threads = args.threads;
  if (args.connections > 0) {
    out.limits.connections = args.connections;
    out.fit_connections = false;
  }
  out.limits.connections_peer = args.connections_peer == 0 ? out.limits.connections : args.connections_peer;
  out.limits.idle = milliseconds(args.idle_seconds);
  out.limits.login = milliseconds(args.login_seconds);
  out.limits.partial = milliseconds(args.message_seconds);
  out.limits.query = std::chrono::seconds(args.query_seconds);
  return out;
}

}  // namespace

int run_serve(const ServeArgs& args) {
  if (const auto here = refuse_server(args.store, "serve"); !here) return fail(here.error());
  if (args.tls_certificate.empty() != args.tls_key.empty()) {
    complain("--tls-cert and --tls-key go together");
    return kUsage;
  }
  // Before any thread is started, so that all leave these signals to the one that waits for them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  StoreOptions options;
  options.read_only = args.read_only;
  auto store = Store::open(args.store, options);
  if (!store) {
    const bool held = store.error().code == ErrorCode::kConflict && !args.read_only;
    return fail(held ? Error{store.error().code,
                             store.error().message + "; to serve what is committed there, add --read-only", nullptr}
                     : store.error());
  }
  auto server = proto::Server::start(**store, server_options(args));
  if (!server) return fail(server.error());
  for (const std::string& address : (*server)->addresses()) say("listening on " + address);
  int signal = 0;
  sigwait(&signals, &signal);
  (*server)->stop();
  say("stopped");
  return kDone;
}

}  // namespace demarche::cli

// What the server's capabilities share. All of it belongs to the event loop but what is said to be used by jobs.
#pragma once

#include <capnp/capability.h>
#include <capnp/message.h>
#include <kj/async-io.h>
#include <kj/refcount.h>
#include <kj/timer.h>

#include <spdlog/logger.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/store.h"
#include "proto/demarche.capnp.h"
#include "proto/server.h"
#include "proto/token_store.h"
#include "proto/traversal.h"
#include "proto/wire_values.h"
#include "proto/workers.h"

namespace demarche::proto {

// The server as its capabilities see it.
struct ServerHost {
  Store& store;
  const ServerOptions& options;
  Workers& workers;
  kj::Timer& timer;
  spdlog::logger& log;
  std::shared_ptr<Lane> write_lane;  // one writing job at a time
  std::uint64_t queries = 0;
  bool stopping = false;
  std::size_t calls = 0;  // running
  TokenStore tokens;
  std::function<void(wire::Admin::StatisticsResults::Builder)> describe;  // fills in what the server knows
};

// KJ's own macros would put the names of variables into the text.
[[nodiscard]] inline kj::Exception fault(kj::Exception::Type type, const std::string& text) {
  return kj::Exception(type, __FILE__, __LINE__, kj::heapString(text.data(), text.size()));
}

// One login.
class LoginSession : public kj::Refcounted {
 public:
  LoginSession(ServerHost& server, std::shared_ptr<Lane> lane, Access access, std::string token_id, std::string client,
               std::string peer);
  ~LoginSession() noexcept(false);

  ServerHost& server;
  const std::shared_ptr<Lane> lane;
  const Access access;
  const std::string token_id;
  const std::string client;
  const std::string peer;
  const kj::TimePoint since;
  // Statements on their way; see ServerLimits::query_bytes.
  std::size_t query_bytes = 0;
  std::size_t snapshots = 0;

  // Throws if the session may not go on: a call begins with this.
  void check() const;
  // Counts a capability for as long as the result lives. Throws OVERLOADED beyond the limit.
  [[nodiscard]] kj::Own<void> charge();
  // Ends what runs, and refuses what comes.
  void revoke(const char* reason);
  [[nodiscard]] bool revoked() const { return !reason_.empty(); }

  // Runs a job on a worker, until the promise is dropped or the session revoked.
  template <typename T>
  kj::Promise<T> run(std::function<T(const CancelFlag&)> job) {
    return run_in(lane, std::move(job));
  }
  template <typename T>
  kj::Promise<T> run_in(const std::shared_ptr<Lane>& in, std::function<T(const CancelFlag&)> job) {
    ++server.calls;
    auto counted = kj::defer([&s = server]() { --s.calls; });
    return canceler_.wrap(server.workers.run<T>(in, std::move(job)).attach(kj::mv(counted)));
  }
  template <typename T>
  kj::Promise<T> wrap(kj::Promise<T> promise) {
    return canceler_.wrap(kj::mv(promise));
  }

  // The capabilities that sets of this session are made of, to find the description behind one that is handed back.
  capnp::CapabilityServerSet<wire::Actor> actor_sets;
  capnp::CapabilityServerSet<wire::Interaction> interaction_sets;

 private:
  std::size_t objects_ = 0;
  std::string reason_;
  kj::Canceler canceler_;
};

using SessionRef = kj::Own<LoginSession>;

// The session's own capability, according to its access.
[[nodiscard]] wire::Reader::Client make_session_capability(SessionRef session);
[[nodiscard]] wire::Snapshot::Client make_snapshot(SessionRef session, std::shared_ptr<const View> view);

// Sets; see serve_sets.cc.
[[nodiscard]] wire::Actor::Client make_actor_set(SessionRef session, std::shared_ptr<const View> view,
                                                 ActorExprPtr expr);
[[nodiscard]] wire::Interaction::Client make_interaction_set(SessionRef session, std::shared_ptr<const View> view,
                                                             InteractionExprPtr expr);
// A text that a description will hold: throws beyond 1000 bytes.
[[nodiscard]] std::string short_text(capnp::Text::Reader text);
[[nodiscard]] Filter read_filter(wire::Filter::Reader in);
[[nodiscard]] ReachOptions read_reach(wire::Chronology::Reader in);

// Puts the error in band if it is the client's; else logs it and throws. For the results of any method.
template <typename Results>
void refuse(LoginSession& session, const Error& error, Results results) {
  if (is_refusal(error.code)) {
    write_refusal(error, results.initRefusal());
    return;
  }
  session.server.log.error("{} [{}]: {}", session.client, session.peer, error.message);
  kj::throwFatalException(KJ_EXCEPTION(FAILED, "the store could not be read or written; the server's log says more"));
}

// Records as a message, made by a job.
using RecordsMessage = std::shared_ptr<capnp::MallocMessageBuilder>;
struct Wanted {
  std::vector<ActorId> actors;
  std::vector<InteractionId> interactions;
  std::vector<SourceId> sources;
  bool around = false;
};
// What is not there is left out. Errors: kLimit beyond some megabytes; kCorruption, kIo.
[[nodiscard]] Result<RecordsMessage> gather_records(const View& view, const Wanted& wanted);

// Streams the answer of a statement; see serve_query.cc. `view`: the state to answer from, null for the newest and for
// statements that write.
template <typename Context>
kj::Promise<void> run_statement(SessionRef session, std::shared_ptr<const View> view, bool may_write, Context context);
extern template kj::Promise<void> run_statement(SessionRef, std::shared_ptr<const View>, bool,
                                                wire::Snapshot::Server::QueryContext);
extern template kj::Promise<void> run_statement(SessionRef, std::shared_ptr<const View>, bool,
                                                wire::Writer::Server::ExecuteContext);

}  // namespace demarche::proto

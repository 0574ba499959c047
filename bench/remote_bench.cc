// What asking over a connection costs: a server in this process on a generated store, clients over a Unix socket.
//
//   demarche_remote_bench [--contacts N] [--seconds S]
//
// Data: N exact-day contacts (default 1,000,000) among 20,000 actors over ten years, fixed seed. Each case checks the
// answer it times. Prints one line a case: name, figure, unit.

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/edtf.h"
#include "engine/store.h"
#include "proto/server.h"
#include "proto/session.h"
#include "query/query.h"

namespace demarche::proto {
namespace {

using Clock = std::chrono::steady_clock;

template <typename T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void expect(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "wrong answer: %s\n", what);
  std::abort();
}

double micros(Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void report(const char* name, double figure, const char* unit) {
  std::printf("%-58s %14.1f %s\n", name, figure, unit);
  std::fflush(stdout);
}

constexpr std::size_t kActors = 20'000;

void fill(Store& store, std::size_t contacts) {
  std::mt19937 random(42);
  auto tx = must(store.begin());
  std::vector<ActorId> actors;
  for (std::size_t i = 0; i < kActors; ++i) {
    Actor actor;
    actor.key = "actor-" + std::to_string(i);
    actor.name = "Actor " + std::to_string(i);
    actors.push_back(must(tx->add_actor(std::move(actor))));
  }
  for (std::size_t i = 0; i < contacts; ++i) {
    Interaction one{};
    one.kind = random() % 2 == 0 ? kinds::kMeeting : kinds::kCall;
    one.when = must(parse_when(format_day(16'071 + static_cast<std::int64_t>(random() % 3'652))));
    const std::size_t a = random() % kActors;
    one.participants = {{actors[a], Role::kParticipant},
                        {actors[(a + 1 + random() % (kActors - 1)) % kActors], Role::kParticipant}};
    must(tx->add_interaction(std::move(one)));
  }
  must(tx->commit("generated"));
  must(store.seal());
}

// Passes bytes between a client and the server, each way so much later.
class DelayingRelay {
 public:
  DelayingRelay(std::string to, std::chrono::milliseconds delay) : to_(std::move(to)), delay_(delay) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    expect(::bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 && ::listen(listener_, 1) == 0, "relay");
    socklen_t size = sizeof at;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    address_ = "demarche://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
    thread_ = std::thread([this] { run(); });
  }
  ~DelayingRelay() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }
  DelayingRelay(const DelayingRelay&) = delete;
  DelayingRelay& operator=(const DelayingRelay&) = delete;
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  struct Way {
    int from;
    int to;
    std::deque<std::pair<Clock::time_point, std::string>> held;
  };
  void run() {
    const int client = ::accept(listener_, nullptr, nullptr);
    const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::strncpy(at.sun_path, to_.c_str(), sizeof at.sun_path - 1);
    expect(::connect(server, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0, "relay's server");
    Way ways[2] = {{client, server, {}}, {server, client, {}}};
    char buffer[65536];
    while (!stop_) {
      pollfd fds[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      ::poll(fds, 2, 1);
      for (std::size_t i = 0; i < 2; ++i) {
        if ((fds[i].revents & POLLIN) != 0) {
          const ssize_t n = ::recv(ways[i].from, buffer, sizeof buffer, 0);
          if (n <= 0) stop_ = true;
          if (n > 0) ways[i].held.emplace_back(Clock::now() + delay_, std::string(buffer, static_cast<std::size_t>(n)));
        }
        for (auto& held = ways[i].held; !held.empty() && held.front().first <= Clock::now(); held.pop_front()) {
          (void)!::send(ways[i].to, held.front().second.data(), held.front().second.size(), MSG_NOSIGNAL);
        }
      }
    }
    ::close(client);
    ::close(server);
  }
  std::string to_;
  std::chrono::milliseconds delay_;
  std::string address_;
  int listener_ = -1;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

double median_of(int times, const std::function<void()>& run) {
  std::vector<double> all;
  for (int i = 0; i < times; ++i) {
    const auto began = Clock::now();
    run();
    all.push_back(micros(Clock::now() - began));
  }
  return median(all);
}

std::int64_t one_number(Snapshot& state, const char* text) {
  const auto rows = must(state.query(text));
  RowsBatch batch;
  must(rows->next(batch));
  return batch.size == 1 ? batch.columns[0][0].as_integer() : -1;
}

void small_questions(Store& store, const std::string& address) {
  const auto local = local_session(store);
  const auto remote = must(connect(address, {}));
  const auto here = must(local->snapshot());
  const auto there = must(remote->snapshot());
  const char* text = "MATCH (a {key: 'actor-7'})-[c:CONTACT]-(b) RETURN count(c)";
  const std::int64_t count = one_number(*here, text);
  const double embedded = median_of(2000, [&] { expect(one_number(*here, text) == count, "embedded"); });
  const double over = median_of(2000, [&] { expect(one_number(*there, text) == count, "remote"); });
  report("small statement, embedded, median", embedded, "us");
  report("small statement over one connection, median", over, "us");
  report("small statement, above the embedded time", over - embedded, "us");
}

void many_clients(const std::string& address, double seconds) {
  constexpr int kClients = 32;
  std::atomic<std::uint64_t> done = 0;
  std::atomic<bool> stop = false;
  std::atomic<int> ready = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const auto session = must(connect(address, {}));
      const auto state = must(session->snapshot());
      std::mt19937 random(static_cast<unsigned>(i));
      ++ready;
      while (!stop) {
        const ActorId id{1 + random() % kActors};
        expect(must(state->actor(id).contacts({.kinds = {"CALL"}, .during = Moment::date("2016-04")}).page()).more ==
                   false,
               "traversal");
        ++done;
      }
    });
  }
  while (ready < kClients) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const std::uint64_t before = done;
  const auto began = Clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const double took = micros(Clock::now() - began) / 1e6;
  const std::uint64_t count = done - before;
  stop = true;
  for (std::thread& client : clients) client.join();
  report("32 clients, small traversals (three calls each)", static_cast<double>(count) / took, "1/s");
}

void stream(Store& store, const std::string& address, std::size_t contacts) {
  const auto local = local_session(store);
  const auto remote = must(connect(address, {}));
  for (Session* session : {static_cast<Session*>(local.get()), static_cast<Session*>(remote.get())}) {
    const auto state = must(session->snapshot());
    const auto began = Clock::now();
    std::size_t lines = 0;
    const auto all = must(state->interactions({.kinds = {"CONTACT"}}).lines());
    ContactLines batch;
    while (true) {
      must(all->next(batch));
      if (batch.size == 0) break;
      lines += batch.size;
    }
    expect(lines == contacts, "lines");
    report(session == local.get() ? "lines of contact, embedded" : "lines of contact over one connection",
           static_cast<double>(lines) / (micros(Clock::now() - began) / 1e6) / 1e6, "million/s");
  }
  const auto state = must(remote->snapshot());
  const auto began = Clock::now();
  const auto rows = must(state->query("MATCH (a)-[c:CONTACT]->(b) RETURN id(a), id(b), id(c) LIMIT 500000"));
  RowsBatch batch;
  std::size_t count = 0;
  while (true) {
    must(rows->next(batch));
    if (batch.size == 0) break;
    count += batch.size;
  }
  report("rows of a statement over one connection",
         static_cast<double>(count) / (micros(Clock::now() - began) / 1e6) / 1e6, "million/s");
}

void cancel_to_stop(const Server& server, const std::string& address) {
  std::vector<double> all;
  for (int i = 0; i < 20; ++i) {
    const auto session = must(connect(address, {}));
    std::atomic<bool> cancel = false;
    Clock::time_point asked;
    std::thread watcher([&] {
      while (server.counters().jobs_running == 0) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      asked = Clock::now();
      cancel = true;
      while (server.counters().jobs_running > 0) std::this_thread::yield();
      all.push_back(micros(Clock::now() - asked) / 1000);
    });
    query::QueryOptions options;
    options.cancel = &cancel;
    const auto rows =
        session->query("UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN count(a + b)", {}, options);
    expect(!rows && rows.error().code == ErrorCode::kCancelled, "cancelled");
    watcher.join();
  }
  report("cancel to stop, median", median(all), "ms");
  report("cancel to stop, longest of 20", *std::max_element(all.begin(), all.end()), "ms");
}

void far_away(const std::string& socket) {
  const DelayingRelay relay(socket, std::chrono::milliseconds(10));  // 20 there and back
  const auto session = must(connect(relay.address(), {}));
  const auto state = must(session->snapshot());
  const Filter april{.during = Moment::date("2016-04")};
  std::vector<InteractionId> pipelined;
  const double one = median_of(9, [&] {
    pipelined = must(state->actor("actor-7").contacts(april).counterparts().contacts(april).page({.limit = 5})).ids;
  });
  const double hops = median_of(5, [&] {
    const auto first = must(state->actor("actor-7").contacts(april).page());
    std::vector<InteractionId> found;
    for (const InteractionId contact : first.ids) {
      for (const ActorId other : must(state->interaction(contact).counterparts().page()).ids) {
        const auto more = must(state->actor(other).contacts(april).page());
        found.insert(found.end(), more.ids.begin(), more.ids.end());
      }
    }
    expect(found.size() >= pipelined.size(), "hop by hop");
  });
  report("20 ms away: two hops in one chain, median", one / 1000, "ms");
  report("20 ms away: the same hop by hop, median", hops / 1000, "ms");
}

int run(int argc, char** argv) {
  std::size_t contacts = 1'000'000;
  double seconds = 3;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string(argv[i]) == "--contacts") contacts = std::stoul(argv[i + 1]);
    if (std::string(argv[i]) == "--seconds") seconds = std::stod(argv[i + 1]);
  }
  std::string folder = (std::filesystem::temp_directory_path() / "demarche-bench-XXXXXX").string();
  expect(mkdtemp(folder.data()) != nullptr, "a folder");
  {
    StoreOptions options;
    options.create_if_missing = true;
    const auto store = must(Store::open(folder + "/store", options));
    fill(*store, contacts);
    ServerOptions server_options;
    server_options.listen = {"unix:" + folder + "/socket"};
    server_options.log = false;
    const auto server = must(Server::start(*store, server_options));
    const std::string address = server->addresses().at(0);
    small_questions(*store, address);
    many_clients(address, seconds);
    stream(*store, address, contacts);
    cancel_to_stop(*server, address);
    far_away(folder + "/socket");
  }
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace demarche::proto

int main(int argc, char** argv) { return demarche::proto::run(argc, argv); }

// Procedures on graphs end when the query is stopped or its time is up, in the midst of their work.

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "engine/store.h"
#include "query/query.h"
#include "tests/support/temp_folder.h"

namespace demarche::query {
namespace {

using namespace std::chrono_literals;

// Word would take 15,000 calls from the first to the last: what asks for all paths of all has much to do.
class LongChain {
 public:
  LongChain() {
    auto opened = Store::open(folder_.path("s"), {.create_if_missing = true});
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
    const auto filled = fill();
    if (!filled) throw std::runtime_error(filled.error().message);
  }

 protected:
  Error error_of(const std::string& text, const QueryOptions& options) {
    auto cursor = run_query(*store_, text, {}, options);
    if (!cursor) return cursor.error();
    ResultRows rows;
    const auto read = (*cursor)->next(rows);
    if (read) FAIL("answered");
    return read.error();
  }

 private:
  Result<void> fill() {
    DEMARCHE_TRY(const auto tx, store_->begin());
    DEMARCHE_TRY(ActorId before, tx->add_actor({.name = "first"}));
    for (int i = 0; i < 15'000; ++i) {
      DEMARCHE_TRY(const ActorId next, tx->add_actor({}));
      Interaction call;
      call.kind = kinds::kCall;
      call.participants = {{before, Role::kCaller}, {next, Role::kCallee}};
      DEMARCHE_CHECK(tx->add_interaction(call));
      before = next;
    }
    DEMARCHE_CHECK(tx->commit("chain"));
    return {};
  }

  tests::TempFolder folder_;
  std::unique_ptr<Store> store_;
};

TEST_CASE_METHOD(LongChain, "graph procedures: stopped from another thread, and by the limit of time") {
  for (const std::string text : {"CALL betweenness() YIELD score RETURN max(score) AS most",
                                 "CALL closeness() YIELD score RETURN max(score) AS most"}) {
    INFO(text);
    std::atomic<bool> stop = false;
    QueryOptions options;
    options.cancel = &stop;
    std::thread other([&] {
      std::this_thread::sleep_for(20ms);
      stop = true;
    });
    const Error error = error_of(text, options);
    other.join();
    CHECK(error.code == ErrorCode::kCancelled);

    QueryOptions short_time;
    short_time.time_max = 20ms;
    CHECK(error_of(text, short_time).code == ErrorCode::kLimit);
  }
  QueryOptions few_rows;
  few_rows.rows_held_max = 100;
  CHECK(error_of("CALL degree() YIELD degree RETURN max(degree) AS most", few_rows).code == ErrorCode::kLimit);
}

}  // namespace
}  // namespace demarche::query

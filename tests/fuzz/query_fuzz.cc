// A statement from its text to its last row, on a small store with something of everything. Whatever it is, it ends
// with rows or an error within its limits, and a statement that is refused leaves the store as it was.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "engine/store.h"
#include "query/query.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace demarche;         // NOLINT(google-build-using-namespace): a program of one file
using namespace demarche::query;  // NOLINT(google-build-using-namespace)

constexpr const char* kSetup[] = {
    "CREATE (:Person {key: 'a', name: 'Anna', x: 1}), (:Person {key: 'b', name: 'Boris', x: 2.5}), (:State {key: 'c', "
    "name: 'Cyprus', l: [1, 'x']}), (:State:Old {key: 'd'})",
    "RECORD MEETING 'm' BETWEEN 'a', 'b', 'c' ON '[2016-04-18..2016-04-24]' AT 'Geneva' {title: 'Talks'}",
    "RECORD NEGOTIATION 'n' BETWEEN 'd' AS mediator, 'a' FOR 'c' AS delegation, 'b' AS delegation ON "
    "'2016-03-14/2016-03-24' PART OF 'm'",
    "RECORD CALL 'k' BETWEEN 'a' AS caller, 'd' AS callee ON '2016-04-20~' STATUS planned",
    "RECORD STATEMENT 's' BY 'c'",
};

std::unique_ptr<Store> make_store(const std::string& path) {
  StoreOptions options;
  options.create_if_missing = true;
  options.sync = false;
  auto store = Store::open(path, options);
  if (!store) std::abort();
  for (const char* text : kSetup) {
    if (auto done = run_query(**store, text); !done) {
      fmt::print(stderr, "{}\n", describe_error(done.error(), text));
      std::abort();
    }
  }
  return std::move(*store);
}

// Made anew after a statement that wrote, so that each input meets the same store.
struct Fixture {
  tests::TempFolder folder;
  std::unique_ptr<Store> store;
  int made = 0;

  // Opening one here makes what RocksDB keeps for the whole program outlive this.
  Fixture() { fresh(); }

  Store& fresh() {
    if (!store) store = make_store(folder.path(fmt::format("s{}", made++)));
    return *store;
  }
  void drop() {
    const std::string path = store->path();
    store.reset();
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Fixture fixture;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Store& store = fixture.fresh();
  const CommitNumber before = store.view()->statistics().commit;
  QueryOptions options;
  options.time_max = std::chrono::milliseconds(300);
  options.rows_held_max = 20'000;
  const std::map<std::string, Value> parameters = {
      {"p", Value::string("2016-04")}, {"n", Value::integer(3)}, {"l", Value::list({Value::integer(1), Value()})}};
  auto cursor = run_query(store, text, parameters, options);
  if (cursor) {
    ResultRows rows;
    for (std::size_t seen = 0; seen < 50'000; seen += rows.size()) {
      if (auto read = (*cursor)->next(rows); !read) {
        if (describe_error(read.error(), text).empty()) std::abort();
        break;
      }
      if (rows.size() == 0) break;
    }
  } else if (describe_error(cursor.error(), text).empty() || store.view()->statistics().commit != before) {
    std::abort();
  }
  const bool wrote = store.view()->statistics().commit != before;
  if (cursor) cursor->reset();
  if (wrote) fixture.drop();
  return 0;
}

// Links the library: records a call, and asks who was in contact.
//
//   cmake --build --preset release --target demarche_embed_example
//   build/release/examples/demarche_embed_example calls.dm

#include <cstdio>

#include "engine/store.h"
#include "query/query.h"

namespace {

using demarche::Result;

Result<void> record_a_call(demarche::Store& store) {
  DEMARCHE_TRY(const auto tx, store.begin());
  DEMARCHE_TRY(const auto kerry, tx->add_actor({.name = "John Kerry", .labels = {"Person"}}));
  DEMARCHE_TRY(const auto lavrov, tx->add_actor({.name = "Sergey Lavrov", .labels = {"Person"}}));
  demarche::Interaction call;
  call.kind = demarche::kinds::kCall;
  call.participants = {{kerry, demarche::Role::kCaller}, {lavrov, demarche::Role::kCallee}};
  call.status = demarche::Status::kHeld;
  DEMARCHE_ASSIGN(call.when, demarche::parse_when("[2016-05-02..2016-05-03]"));
  DEMARCHE_CHECK(tx->add_interaction(call));
  DEMARCHE_CHECK(tx->commit("a call"));
  return {};
}

Result<void> run(const char* path) {
  DEMARCHE_TRY(const auto store, demarche::Store::open(path, {.create_if_missing = true}));
  DEMARCHE_CHECK(record_a_call(*store));
  DEMARCHE_TRY(const auto cursor,
               demarche::query::run_query(*store, "MATCH (a)-[c:CONTACT]->(b) RETURN a.name, b.name, c.when"));
  demarche::query::ResultRows rows;
  while (true) {
    DEMARCHE_CHECK(cursor->next(rows));
    if (rows.size() == 0) return {};
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::printf("%s called %s, %s\n", rows.column(0)[i].as_string().c_str(), rows.column(1)[i].as_string().c_str(),
                  rows.column(2)[i].as_date().text.c_str());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: demarche_embed_example STORE\n");
    return 2;
  }
  const auto done = run(argv[1]);
  if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done ? 0 : 1;
}

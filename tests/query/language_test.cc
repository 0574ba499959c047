// Every example of LANGUAGE.md runs against the shipped record and answers something.

#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>

#include "engine/exchange/import.h"
#include "query/query.h"
#include "tests/support/temp_folder.h"

namespace demarche::query {
namespace {

struct Example {
  std::size_t line = 0;
  std::string text;
};

std::vector<Example> examples() {
  std::ifstream in(DEMARCHE_SOURCE_DIR "/query/LANGUAGE.md");
  std::vector<Example> out;
  bool inside = false;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.starts_with("```query")) {
      inside = true;
      out.push_back({number + 1, ""});
    } else if (line.starts_with("```")) {
      inside = false;
    } else if (inside) {
      out.back().text += line + "\n";
    }
  }
  return out;
}

std::unique_ptr<Store> syria(const std::string& path) {
  auto store = Store::open(path, {.create_if_missing = true});
  REQUIRE(store);
  auto tx = (*store)->begin();
  REQUIRE(tx);
  const std::string folder = DEMARCHE_SOURCE_DIR "/examples/syria-2016/";
  const auto report = import_jsonl(**tx, {folder + "sources.jsonl", folder + "actors.jsonl", folder + "interactions.jsonl"});
  REQUIRE(report);
  REQUIRE((*tx)->commit("example"));
  tx->reset();
  return std::move(*store);
}

TEST_CASE("language: every example of LANGUAGE.md answers") {
  const tests::TempFolder folder;
  const auto store = syria(folder.path("s"));
  const std::vector<Example> all = examples();
  REQUIRE(all.size() >= 8);
  for (const Example& example : all) {
    INFO("LANGUAGE.md:" << example.line << "\n" << example.text);
    auto cursor = run_query(*store, example.text);
    if (!cursor) FAIL(describe_error(cursor.error(), example.text));
    CHECK((*cursor)->notices().empty());
    ResultRows rows;
    const auto read = (*cursor)->next(rows);
    if (!read) FAIL(describe_error(read.error(), example.text));
    const bool wrote = (*cursor)->changes().commit.value != 0;
    CHECK((rows.size() > 0 || wrote));
  }
}

}  // namespace
}  // namespace demarche::query

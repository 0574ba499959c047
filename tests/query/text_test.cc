// Runs every tests/query/**/*.test: queries and their answers as text. README.md beside this file describes the form:
//
//   # what this file is about
//   fixture syria            | fixture empty | setup ... ---- (statements on an empty store, ended by a semicolon each)
//   param n=5                (for the next query only)
//   query
//   MATCH (a:Person) RETURN a.name
//   ----
//   a.name
//   'John Kerry'
//
// What stands under ---- up to a blank line is compared line by line: note TEXT..., then the rows (a header, `ordered`
// in front of it if their order counts), created, changed and deleted A I, or error TYPE / PHASE / DETAIL and what the user would read.
// A blank line of an error's text is written as a single dot.
//
// Each file has a store of its own; statements that write change it for the cases after it. DEMARCHE_REWRITE=1 puts the
// actual answers into the files instead of comparing; review the diff.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "engine/exchange/import.h"
#include "engine/store.h"
#include "query/parse/parser.h"
#include "query/query.h"
#include "tests/support/temp_folder.h"

namespace demarche::query {

namespace {

namespace fs = std::filesystem;

struct Case {
  std::size_t line = 0;  // of `query`, from 1
  std::string text;
  std::map<std::string, std::string> parameters;
  std::vector<std::string> expected;
  std::size_t expected_from = 0;  // index of the first expected line in the file
};

struct TestFile {
  std::vector<std::string> lines;
  std::string fixture = "empty";
  std::string setup;
  std::vector<Case> cases;
};

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(" \t") + 1);
  return text;
}

// Reads a test file; what it does not understand fails the test.
class TestFileReader {
 public:
  explicit TestFileReader(const fs::path& path) {
    std::ifstream in(path);
    std::stringstream all;
    all << in.rdbuf();
    file_.lines = split_lines(all.str());
  }

  TestFile read() {
    std::map<std::string, std::string> parameters;
    while (at_ < file_.lines.size()) {
      const std::string line = file_.lines[at_++];
      if (line.empty() || line[0] == '#') continue;
      if (line.rfind("fixture ", 0) == 0) {
        file_.fixture = line.substr(8);
      } else if (line == "setup") {
        file_.setup = until_rule();
      } else if (line.rfind("param ", 0) == 0) {
        const std::size_t equal = line.find('=');
        if (equal == std::string::npos) FAIL("line " << at_ << ": param without =");
        parameters[line.substr(6, equal - 6)] = line.substr(equal + 1);
      } else if (line == "query") {
        Case one;
        one.line = at_;
        one.text = until_rule();
        one.parameters = std::move(parameters);
        parameters.clear();
        one.expected_from = at_;
        while (at_ < file_.lines.size() && !file_.lines[at_].empty()) one.expected.push_back(file_.lines[at_++]);
        file_.cases.push_back(std::move(one));
      } else {
        FAIL("line " << at_ << " is none of fixture, setup, param, query: " << line);
      }
    }
    return std::move(file_);
  }

 private:
  std::string until_rule() {
    std::string out;
    while (at_ < file_.lines.size() && file_.lines[at_] != "----") {
      out += (out.empty() ? "" : "\n") + file_.lines[at_++];
    }
    if (at_ == file_.lines.size()) FAIL("a block is not ended by ----");
    ++at_;
    return out;
  }

  TestFile file_;
  std::size_t at_ = 0;
};

// ---- values as text ------------------------------------------------------------------------------------------------

std::string in_quotes(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    switch (c) {
      case '\'': out += "\\'"; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      case '|': out += "\\u007c"; break;  // the bar stands between columns
      default: out += c;
    }
  }
  return out + "'";
}

class Notation {
 public:
  explicit Notation(const View& view) : view_(view) {}

  [[nodiscard]] std::string operator()(const Value& v) const {
    switch (v.kind()) {
      case ValueKind::kNull: return "null";
      case ValueKind::kBoolean: return v.as_boolean() ? "true" : "false";
      case ValueKind::kInteger: return fmt::format("{}", v.as_integer());
      case ValueKind::kFloat: return number(v.as_real());
      case ValueKind::kString: return in_quotes(v.as_string());
      case ValueKind::kDate: return "DATE " + in_quotes(v.as_date().text);
      case ValueKind::kDay:
      case ValueKind::kTime:
      case ValueKind::kLocalTime:
      case ValueKind::kDateTime:
      case ValueKind::kLocalDateTime:
      case ValueKind::kDuration:
        return fmt::format("{} '{}'", kind_name(v.kind()), iso_text(v));
      case ValueKind::kActor: return actor(v.as_actor());
      case ValueKind::kInteraction: return interaction(v.as_interaction());
      case ValueKind::kList: {
        std::string out = "[";
        for (const Value& item : v.as_list()) out += (out.size() == 1 ? "" : ", ") + (*this)(item);
        return out + "]";
      }
      case ValueKind::kMap: {
        std::string out = "{";
        for (const auto& [key, item] : v.as_map()) out += fmt::format("{}{}: {}", out.size() == 1 ? "" : ", ", key, (*this)(item));
        return out + "}";
      }
      case ValueKind::kPath: {
        std::string out = "<" + actor(v.as_path().actors.front());
        for (std::size_t i = 0; i < v.as_path().interactions.size(); ++i) {
          out += "-" + interaction(v.as_path().interactions[i]) + "-" + actor(v.as_path().actors[i + 1]);
        }
        return out + ">";
      }
    }
    return "?";
  }

 private:
  static std::string number(double d) {
    if (std::isnan(d)) return "NaN";
    if (std::isinf(d)) return d > 0 ? "Inf" : "-Inf";
    const std::string text = fmt::format("{}", d);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  [[nodiscard]] std::string actor(ActorId id) const {
    const auto record = view_.get_actor(id);
    if (!record) return "(?)";
    return "(" + (record->key.empty() ? record->name : record->key) + ")";
  }
  [[nodiscard]] std::string interaction(InteractionId id) const {
    const auto record = view_.get_interaction(id);
    if (!record) return "[?]";
    return "[" + view_.kinds().get(record->kind).name + (record->key.empty() ? "" : " " + record->key) + "]";
  }
  const View& view_;
};

// ---- one case ------------------------------------------------------------------------------------------------------

std::vector<std::string> error_lines(const Error& error, const std::string& text) {
  std::vector<std::string> out;
  out.push_back(error.fault ? fmt::format("error {} / {} / {}", error.fault->type, error.fault->phase, error.fault->detail)
                            : fmt::format("error code {}", static_cast<int>(error.code)));
  for (const std::string& line : split_lines(describe_error(error, text))) out.push_back(trimmed(line).empty() ? "." : trimmed(line));
  return out;
}

std::vector<std::string> run_case(Store& store, const Case& one, bool ordered) {
  std::map<std::string, Value> parameters;
  for (const auto& [name, literal] : one.parameters) {
    auto value = parse_literal(literal);
    if (!value) return {"error parameter " + name + ": " + value.error().message};
    parameters.emplace(name, *value);
  }
  auto cursor = run_query(store, one.text, parameters);
  if (!cursor) return error_lines(cursor.error(), one.text);
  const ResultCursor& c = **cursor;
  std::vector<std::string> out;
  std::vector<std::string> rows;
  ResultRows batch;
  while (true) {
    if (const auto ok = (*cursor)->next(batch); !ok) return error_lines(ok.error(), one.text);
    if (batch.size() == 0) break;
    const Notation notation(c.view());
    for (std::size_t row = 0; row < batch.size(); ++row) {
      std::string line;
      for (std::size_t i = 0; i < c.columns().size(); ++i) line += (i == 0 ? "" : " | ") + notation(batch.column(i)[row]);
      rows.push_back(std::move(line));
    }
  }
  for (const std::string& notice : c.notices()) out.push_back("note " + notice);
  const Changes& changes = c.changes();
  const auto count = [&](const char* done, std::uint64_t actors, std::uint64_t interactions) {
    if (actors + interactions > 0) out.push_back(fmt::format("{} {} {}", done, actors, interactions));
  };
  count("created", changes.actors_created, changes.interactions_created);
  count("changed", changes.actors_changed, changes.interactions_changed);
  count("deleted", changes.actors_deleted, changes.interactions_deleted);
  if (!c.columns().empty()) {
    if (ordered) out.emplace_back("ordered");
    std::string header;
    for (const std::string& column : c.columns()) {
      std::string name = column;
      for (std::size_t at = 0; (at = name.find('\n', at)) != std::string::npos;) name.replace(at, 1, "\\n");
      header += (header.empty() ? "" : " | ") + name;
    }
    out.push_back(header);
    out.insert(out.end(), rows.begin(), rows.end());
  }
  return out;
}

// Rows that may come in any order are compared sorted; what stands before them is not sorted.
std::vector<std::string> comparable_lines(std::vector<std::string> lines, bool ordered) {
  if (ordered || lines.empty() || lines[0].rfind("error ", 0) == 0) return lines;
  auto header = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.rfind("note ", 0) != 0 && line.rfind("created ", 0) != 0 && line.rfind("changed ", 0) != 0 &&
           line.rfind("deleted ", 0) != 0;
  });
  if (header != lines.end()) std::sort(header + 1, lines.end());
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += "    " + line + "\n";
  return out;
}

std::unique_ptr<Store> make_store(const TestFile& file, const std::string& path) {
  StoreOptions options;
  options.create_if_missing = true;
  options.sync = false;
  auto store = Store::open(path, options);
  REQUIRE(store);
  if (file.fixture == "syria") {
    const std::string folder = DEMARCHE_SOURCE_DIR "/examples/syria-2016/";
    auto tx = (*store)->begin();
    REQUIRE(tx);
    const auto report = import_jsonl(**tx, {folder + "sources.jsonl", folder + "actors.jsonl", folder + "interactions.jsonl"});
    if (!report) FAIL(report.error().message);
    REQUIRE((*tx)->commit("fixture"));
  } else if (file.fixture != "empty") {
    FAIL("unknown fixture " << file.fixture);
  }
  const auto statements = split_statements(file.setup);
  REQUIRE(statements);
  for (const std::string_view statement : *statements) {
    auto done = run_query(**store, statement);
    if (!done) FAIL("setup: " << describe_error(done.error(), statement));
  }
  return std::move(*store);
}

void rewrite(const fs::path& path, const TestFile& file, const std::vector<std::vector<std::string>>& actual) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  for (std::size_t i = 0; i < file.cases.size(); ++i) {
    const Case& one = file.cases[i];
    lines.insert(lines.end(), file.lines.begin() + static_cast<std::ptrdiff_t>(at), file.lines.begin() + static_cast<std::ptrdiff_t>(one.expected_from));
    lines.insert(lines.end(), actual[i].begin(), actual[i].end());
    at = one.expected_from + one.expected.size();
    if (at == file.lines.size() && i + 1 == file.cases.size()) break;
  }
  lines.insert(lines.end(), file.lines.begin() + static_cast<std::ptrdiff_t>(at), file.lines.end());
  std::ofstream out(path);
  for (const std::string& line : lines) out << line << '\n';
}

void run_file(const fs::path& path, const std::string& name) {
  const TestFile file = TestFileReader(path).read();
  CHECK_FALSE(file.cases.empty());
  if (file.lines.empty() || file.lines[0].rfind("# ", 0) != 0) FAIL_CHECK(name << ": the first line says in a comment what the file is about");
  const tests::TempFolder folder;
  const auto store = make_store(file, folder.path("store"));
  const char* flag = std::getenv("DEMARCHE_REWRITE");
  const bool rewriting = flag != nullptr && std::string(flag) == "1";
  std::vector<std::vector<std::string>> answers;
  for (const Case& one : file.cases) {
    const bool ordered = std::find(one.expected.begin(), one.expected.end(), "ordered") != one.expected.end();
    std::vector<std::string> actual = run_case(*store, one, ordered);
    for (std::string& line : actual) line = trimmed(std::move(line));
    if (!rewriting && comparable_lines(actual, ordered) != comparable_lines(one.expected, ordered)) {
      FAIL_CHECK(name << ":" << one.line << "\n  query:\n" << joined(split_lines(one.text)) << "  expected:\n" << joined(one.expected)
                      << "  actual:\n" << joined(actual));
    }
    // Any order serves: sorted rows keep the diff of a rewrite small.
    answers.push_back(ordered || actual.empty() ? actual : comparable_lines(actual, ordered));
  }
  if (rewriting) rewrite(path, file, answers);
}

}  // namespace

TEST_CASE("query texts: every answer is as written") {
  const fs::path root = DEMARCHE_SOURCE_DIR "/tests/query";
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".test") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() > 20);
  const char* only = std::getenv("DEMARCHE_ONLY");  // part of a path: to run a few while writing them
  for (const fs::path& path : files) {
    const std::string name = fs::relative(path, root).string();
    if (only != nullptr && name.find(only) == std::string::npos) continue;
    DYNAMIC_SECTION(name) { run_file(path, name); }
  }
}

}  // namespace demarche::query

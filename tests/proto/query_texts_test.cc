// Every statement of tests/query/**/*.test against a store of one's own and against a server on its twin: the same
// rows, notices, changes and errors, to the letter.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "engine/exchange/import.h"
#include "query/parse/parser.h"
#include "tests/proto/served_store.h"

namespace demarche::proto::tests {

namespace {

namespace fs = std::filesystem;
using query::Value;
using query::ValueKind;

struct Statement {
  std::size_t line = 0;
  std::string text;
  std::map<std::string, std::string> parameters;
};

struct Texts {
  bool syria = false;
  std::string setup;
  std::vector<Statement> statements;
};

Texts read_texts(const fs::path& path) {
  std::ifstream in(path);
  Texts out;
  std::map<std::string, std::string> parameters;
  std::size_t number = 0;
  std::string line;
  const auto next = [&] { return ++number, static_cast<bool>(std::getline(in, line)); };
  const auto until_rule = [&] {
    std::string text;
    while (next() && line != "----") text += (text.empty() ? "" : "\n") + line;
    return text;
  };
  while (next()) {
    if (line == "fixture syria") out.syria = true;
    if (line == "setup") out.setup = until_rule();
    if (line.starts_with("param ")) parameters[line.substr(6, line.find('=') - 6)] = line.substr(line.find('=') + 1);
    if (line == "query") {
      const std::size_t at = number;
      out.statements.push_back({at, until_rule(), std::move(parameters)});
      parameters.clear();
      while (next() && !line.empty()) {
      }
    }
  }
  return out;
}

std::string text_of(const Value& v, const Snapshot& state) {
  switch (v.kind()) {
    case ValueKind::kNull:
      return "null";
    case ValueKind::kBoolean:
      return v.as_boolean() ? "true" : "false";
    case ValueKind::kInteger:
      return fmt::format("{}", v.as_integer());
    case ValueKind::kFloat:
      return fmt::format("{} real", v.as_real());
    case ValueKind::kString:
      return "'" + v.as_string() + "'";
    case ValueKind::kDate: {
      const query::DateValue& d = v.as_date();
      return fmt::format("DATE {} {} {} {} {} of {}", d.text, d.bounds.begin_min.seconds, d.bounds.end_max.seconds,
                         d.period.begin_max.seconds, d.bounds.is_span, d.owner.value);
    }
    case ValueKind::kActor: {
      const auto actor = state.get_actor(v.as_actor());
      return fmt::format("({} {} {})", v.as_actor().value, actor ? actor->key : "?", actor ? actor->name : "?");
    }
    case ValueKind::kInteraction: {
      const auto record = state.get_interaction(v.as_interaction());
      return fmt::format("[{} {} {}]", v.as_interaction().value, record ? record->key : "?",
                         record ? state.kinds().get(record->kind).name : "?");
    }
    case ValueKind::kList: {
      std::string out = "[";
      for (const Value& item : v.as_list()) out += text_of(item, state) + ", ";
      return out + "]";
    }
    case ValueKind::kMap: {
      std::string out = "{";
      for (const auto& [key, item] : v.as_map()) out += key + ": " + text_of(item, state) + ", ";
      return out + "}";
    }
    case ValueKind::kPath: {
      std::string out = "<";
      for (const ActorId id : v.as_path().actors) out += text_of(Value::actor(id), state);
      for (const InteractionId id : v.as_path().interactions) out += text_of(Value::interaction(id), state);
      return out + (v.as_path().arrival ? v.as_path().arrival->text : "") + ">";
    }
    default:
      return fmt::format("{} {}", kind_name(v.kind()), query::iso_text(v));
  }
}

std::string error_text(const Error& error, const std::string& statement) {
  std::string out = fmt::format("error {}\n{}", static_cast<int>(error.code), query::describe_error(error, statement));
  if (error.fault) out += fmt::format("\n{} {} {}", error.fault->type, error.fault->phase, error.fault->detail);
  return out;
}

std::string answer(Session& session, const Statement& statement) {
  std::map<std::string, Value> parameters;
  for (const auto& [name, literal] : statement.parameters)
    parameters.emplace(name, must(query::parse_literal(literal)));
  const auto rows = session.query(statement.text, parameters);
  if (!rows) return error_text(rows.error(), statement.text);
  std::string out;
  for (const std::string& column : (*rows)->columns()) out += column + " | ";
  RowsBatch batch;
  while (true) {
    if (const auto read = (*rows)->next(batch); !read) return error_text(read.error(), statement.text);
    if (batch.size == 0) break;
    for (std::size_t r = 0; r < batch.size; ++r) {
      out += "\n";
      for (const auto& column : batch.columns) out += text_of(column[r], (*rows)->state()) + " | ";
    }
  }
  for (const std::string& notice : (*rows)->notices()) out += "\nnote " + notice;
  const query::Changes& c = (*rows)->changes();
  return out + fmt::format("\n{} {} {} {} {} {} {}", c.actors_created, c.interactions_created, c.actors_changed,
                           c.interactions_changed, c.actors_deleted, c.interactions_deleted, c.commit.value);
}

}  // namespace

TEST_CASE("query texts: embedded equals remote") {
  const fs::path root = DEMARCHE_SOURCE_DIR "/tests/query";
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".test") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() > 20);
  std::size_t compared = 0;
  for (const fs::path& path : files) {
    const Texts texts = read_texts(path);
    ServedStore alone(texts.syria);
    ServedStore served(texts.syria);
    const auto setup = query::split_statements(texts.setup);
    REQUIRE(setup);
    for (const std::string_view text : *setup) {
      must(query::run_query(alone.store(), text));
      must(query::run_query(served.store(), text));
    }
    const auto local = local_session(alone.store());
    const auto remote = served.connect();
    for (const Statement& statement : texts.statements) {
      INFO(path.string() << ":" << statement.line << "\n" << statement.text);
      CHECK(answer(*remote, statement) == answer(*local, statement));
      ++compared;
    }
  }
  CHECK(compared > 300);
}

TEST_CASE("parameters of every type arrive as they were sent") {
  ServedStore served;
  const auto local = local_session(served.store());
  const auto remote = served.connect();
  const std::map<std::string, Value> parameters = {
      {"list", must(query::parse_literal("[1, 2.5, 'text', true, null, [], {a: 1, b: [2]}]"))},
      {"text", Value::string("Ä ö\n\t'")},
      {"date", Value::date(query::date_literal(must(parse_edtf("2016-04~"))))},
      {"day", Value::time(must(query::parse_time(query::TimeType::kDay, "2016-04-29")))},
      {"instant", Value::time(must(query::parse_time(query::TimeType::kDateTime, "2016-04-29T12:00:00.5+02:00")))},
      {"long", Value::duration(must(query::parse_duration("P1Y2M3DT4H")))}};
  const std::string statement = "RETURN $list, $text, $date, $day, $instant, $long";
  const auto text = [&](Session& session) {
    const auto rows = must(session.query(statement, parameters));
    RowsBatch batch;
    REQUIRE(rows->next(batch));
    REQUIRE(batch.size == 1);
    std::string out;
    for (const auto& column : batch.columns) out += text_of(column[0], rows->state()) + " | ";
    return out;
  };
  const std::string embedded = text(*local);
  CHECK(embedded.find("DATE 2016-04~") != std::string::npos);
  CHECK(text(*remote) == embedded);
}

TEST_CASE("a long answer comes in many batches, all of it and in order") {
  ServedStore served(false);
  const auto session = served.connect();
  const auto rows = must(session->query("UNWIND range(1, 100000) AS n RETURN n, toString(n) AS text"));
  RowsBatch batch;
  std::int64_t expected = 1;
  std::size_t batches = 0;
  while (true) {
    REQUIRE(rows->next(batch));
    if (batch.size == 0) break;
    ++batches;
    for (std::size_t i = 0; i < batch.size; ++i, ++expected) {
      REQUIRE(batch.columns[0][i].as_integer() == expected);
      REQUIRE(batch.columns[1][i].as_string() == std::to_string(expected));
    }
  }
  CHECK(expected == 100001);
  CHECK(batches > 5);
}

TEST_CASE("an error after the first rows is told, and rows that came before it do not hide it") {
  ServedStore served(false);
  const auto session = served.connect();
  const auto rows = must(session->query("UNWIND range(1, 60000) AS n RETURN 1 / (n - 50000)"));
  RowsBatch batch;
  Result<void> read;
  while ((read = rows->next(batch)) && batch.size > 0) {
  }
  REQUIRE_FALSE(read);
  CHECK(read.error().message.find("zero") != std::string::npos);
}

}  // namespace demarche::proto::tests

// Runs one scenario of a conformance kit for the reading core: reads one JSON document from standard input, writes one
// to standard output. The protocol is the kit's: setup queries, the query under test, control queries; rows as texts in
// the kit's notation, errors as type, phase and detail, side effects as differences of the graph.

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/contact.h"
#include "query/query.h"
#include "tests/support/temp_folder.h"

namespace demarche::query {
namespace {

using Json = nlohmann::ordered_json;

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string name(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '$';
  });
  return plain ? text : "`" + text + "`";
}

class Printer {
 public:
  explicit Printer(const View& view) : view_(view) {}

  std::string operator()(const Value& v) const {
    switch (v.kind()) {
      case ValueKind::kNull: return "null";
      case ValueKind::kBoolean: return v.as_boolean() ? "true" : "false";
      case ValueKind::kInteger: return fmt::format("{}", v.as_integer());
      case ValueKind::kFloat: return real(v.as_real());
      case ValueKind::kString: return quoted(v.as_string());
      case ValueKind::kDate: return quoted(v.as_date().text);
      case ValueKind::kDay:
      case ValueKind::kTime:
      case ValueKind::kLocalTime:
      case ValueKind::kDateTime:
      case ValueKind::kLocalDateTime:
      case ValueKind::kDuration:
        return quoted(iso_text(v));
      case ValueKind::kActor: return actor(v.as_actor());
      case ValueKind::kInteraction: return interaction(v.as_interaction());
      case ValueKind::kList: {
        std::string out = "[";
        for (const Value& item : v.as_list()) out += (out.size() > 1 ? ", " : "") + (*this)(item);
        return out + "]";
      }
      case ValueKind::kMap: return map(v.as_map());
      case ValueKind::kPath: return path(v.as_path());
    }
    return "";
  }

  [[nodiscard]] ValueMap properties_of(ActorId id) const {
    const Actor record = *view_.get_actor(id);
    ValueMap out;
    if (!record.key.empty()) out.emplace_back("key", Value::string(record.key));
    if (!record.name.empty()) out.emplace_back("name", Value::string(record.name));
    for (const auto& [key, value] : record.properties) out.emplace_back(key, from_property(value));
    return out;
  }
  [[nodiscard]] ValueMap properties_of(InteractionId id) const {
    const Interaction record = *view_.get_interaction(id);
    ValueMap out;
    if (!record.key.empty()) out.emplace_back("key", Value::string(record.key));
    if (!record.place.empty()) out.emplace_back("place", Value::string(record.place));
    if (record.status != Status::kNone) out.emplace_back("status", Value::string(std::string(status_name(record.status))));
    if (record.when) out.emplace_back("when", Value::string(record.when->text));
    for (const auto& [key, value] : record.properties) out.emplace_back(key, from_property(value));
    return out;
  }

 private:
  static std::string real(double d) {
    if (std::isnan(d)) return "NaN";
    if (std::isinf(d)) return d > 0 ? "Inf" : "-Inf";
    std::string text = fmt::format("{}", d);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  [[nodiscard]] std::string map(const ValueMap& entries) const {
    std::string out = "{";
    for (const auto& [key, value] : entries) out += (out.size() > 1 ? ", " : "") + name(key) + ": " + (*this)(value);
    return out + "}";
  }
  [[nodiscard]] std::string actor(ActorId id) const {
    std::string out = "(";
    const auto found = view_.get_actor(id);
    if (!found) return "()";  // deleted
    const Actor& record = *found;
    for (const std::string& label : record.labels) out += ":" + name(label);
    const ValueMap properties = properties_of(id);
    if (!properties.empty()) out += (out.size() > 1 ? " " : "") + map(properties);
    return out + ")";
  }
  [[nodiscard]] std::string interaction(InteractionId id) const {
    const auto found = view_.get_interaction(id);
    if (!found) return "[:deleted]";
    const Interaction& record = *found;
    const ValueMap properties = properties_of(id);
    return "[:" + name(view_.kinds().get(record.kind).name) + (properties.empty() ? "" : " " + map(properties)) + "]";
  }
  [[nodiscard]] std::string path(const PathValue& p) const {
    std::string out = "<" + actor(p.actors[0]);
    for (std::size_t i = 0; i < p.interactions.size(); ++i) {
      const Interaction record = *view_.get_interaction(p.interactions[i]);
      const bool forward = !record.participants.empty() && record.participants[0].actor == p.actors[i];
      const std::string edge = interaction(p.interactions[i]);
      out += (forward ? "-" + edge + "->" : "<-" + edge + "-") + actor(p.actors[i + 1]);
    }
    return out + ">";
  }

  const View& view_;
};

// What there is in a graph, to be compared before and after.
struct Census {
  std::set<std::uint64_t> actors;
  std::set<std::uint64_t> interactions;
  std::set<std::string> labels;
  std::set<std::tuple<std::string, std::uint64_t, std::string, std::string>> properties;
};

Census census(const View& view) {
  Census out;
  const Printer print(view);
  std::vector<ActorId> ids;
  ActorCursor actors = *view.actors();
  while (actors.next(ids) && !ids.empty()) {
    for (const ActorId id : ids) {
      out.actors.insert(id.value);
      const Actor record = *view.get_actor(id);
      out.labels.insert(record.labels.begin(), record.labels.end());
      for (const auto& [key, value] : print.properties_of(id)) out.properties.emplace("a", id.value, key, print(value));
    }
  }
  RowCursor rows = *view.timeline({}, {});
  RowBatch batch;
  while (rows.next(batch) && batch.size() > 0) {
    for (const InteractionId id : batch.interaction) {
      out.interactions.insert(id.value);
      for (const auto& [key, value] : print.properties_of(id)) out.properties.emplace("i", id.value, key, print(value));
    }
  }
  return out;
}

template <typename Set>
void compare(const Set& before, const Set& after, const std::string& what, Json& out) {
  const auto missing = [](const Set& from, const Set& in) {
    return std::count_if(from.begin(), from.end(), [&](const auto& x) { return !in.contains(x); });
  };
  out["+" + what] = missing(after, before);
  out["-" + what] = missing(before, after);
}

Json error_json(const Error& error) {
  Json out = {{"type", "InternalError"}, {"phase", "runtime"}, {"detail", ""}, {"message", error.message}};
  if (error.fault) {
    out["type"] = error.fault->type;
    out["phase"] = error.fault->phase;
    out["detail"] = error.fault->detail;
  }
  return out;
}

Json run(Store& store, const std::string& text, const std::map<std::string, Value>& parameters) {
  Json out = {{"columns", Json::array()}, {"rows", Json::array()}, {"error", nullptr}};
  auto cursor = run_query(store, text, parameters);
  if (!cursor) {
    out["error"] = error_json(cursor.error());
    return out;
  }
  out["columns"] = (*cursor)->columns();
  const Printer print((*cursor)->view());
  ResultRows rows;
  while (true) {
    if (const auto read = (*cursor)->next(rows); !read) {
      out["error"] = error_json(read.error());
      return out;
    }
    if (rows.size() == 0) return out;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      Json row = Json::array();
      for (std::size_t c = 0; c < (*cursor)->columns().size(); ++c) row.push_back(print(rows.column(c)[r]));
      out["rows"].push_back(std::move(row));
    }
  }
}

bool is_unsupported(const Json& answer) {
  return !answer["error"].is_null() && answer["error"]["detail"] == "UnsupportedFeature";
}

Json scenario(const Json& in) {
  const tests::TempFolder folder;
  StoreOptions options;
  options.create_if_missing = true;
  options.sync = false;
  const auto store = Store::open(folder.path("s"), options);
  if (!store) return {{"setup_error", store.error().message}};
  std::map<std::string, Value> parameters;
  for (const auto& [key, text] : in["params"].items()) {
    auto value = parse_literal(text.get<std::string>());
    if (!value) return {{"unsupported", value.error().message}};
    parameters[key] = std::move(*value);
  }
  for (const Json& text : in["setup"]) {
    const Json answer = run(**store, text.get<std::string>(), parameters);
    if (!answer["error"].is_null()) return {{"setup_error", answer["error"]["message"]}};
  }
  const Census before = census(*(*store)->view());
  Json out = run(**store, in["query"].get<std::string>(), parameters);
  if (is_unsupported(out)) return {{"unsupported", out["error"]["message"]}};
  const Census after = census(*(*store)->view());
  Json effects = Json::object();
  compare(before.actors, after.actors, "nodes", effects);
  compare(before.interactions, after.interactions, "relationships", effects);
  compare(before.properties, after.properties, "properties", effects);
  compare(before.labels, after.labels, "labels", effects);
  out["side_effects"] = effects;
  out["control"] = Json::array();
  if (in.contains("control")) {
    for (const Json& text : in["control"]) out["control"].push_back(run(**store, text.get<std::string>(), parameters));
  }
  return out;
}

}  // namespace
}  // namespace demarche::query

int main() {
  std::ios::sync_with_stdio(false);
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  std::cout << demarche::query::scenario(nlohmann::ordered_json::parse(text)).dump() << "\n";
  return 0;
}

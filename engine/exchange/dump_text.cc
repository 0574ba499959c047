#include "engine/exchange/dump_text.h"

#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/edtf.h"
#include "engine/names.h"

namespace demarche::dump {

namespace {

constexpr int kListDepthMax = 16;  // as deep as a property may be

// ---- writing

// Text that is not UTF-8 cannot stand in JSON; it is written as the bytes it is.
Json text_json(const std::string& text) {
  if (is_utf8(text)) return text;
  std::string hex;
  for (const char c : text) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return {{"hex", hex}};
}

void put(Json& out, const char* name, const std::string& text) {
  if (!text.empty()) out[name] = text_json(text);
}

// The text says it all, unless the bounds were given by a program.
Json when_json(const When& when) {
  const auto read = parse_when(when.text);
  if (read && read->bounds == when.bounds) return text_json(when.text);
  const TimeBounds& b = when.bounds;
  return {{"text", text_json(when.text)},
          {"span", b.is_span},
          {"qualified", b.qualified},
          {"gaps", b.has_gaps},
          {"fine", {b.fine_begin, b.fine_end}},
          {"bounds", {b.begin_min.seconds, b.begin_max.seconds, b.end_min.seconds, b.end_max.seconds}}};
}
void put(Json& out, const char* name, const std::optional<When>& when) {
  if (when) out[name] = when_json(*when);
}

Json value_json(const PropertyValue& value) {
  return std::visit(
      [](const auto& v) -> Json {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, double>) {
          if (std::isfinite(v)) return v;
          return {{"float", std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf"}};
        } else if constexpr (std::is_same_v<T, std::string>) {
          return text_json(v);
        } else if constexpr (std::is_same_v<T, DateText>) {
          return {{"date", text_json(v.edtf)}};
        } else if constexpr (std::is_same_v<T, TimeText>) {
          return {{"form", static_cast<unsigned>(v.form)}, {"time", text_json(v.iso)}};
        } else if constexpr (std::is_same_v<T, std::vector<PropertyValue>>) {
          Json list = Json::array();
          for (const PropertyValue& item : v) list.push_back(value_json(item));
          return list;
        } else {
          return v;
        }
      },
      value.value);
}

void put(Json& out, const char* name, const Properties& properties) {
  if (properties.empty()) return;
  Json& object = out[name] = Json::object();
  for (const auto& [key, value] : properties) object[key] = value_json(value);
}
void put(Json& out, const char* name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  Json& list = out[name] = Json::array();
  for (const std::string& text : texts) list.push_back(text_json(text));
}
void put(Json& out, const char* name, Status status) {
  if (status != Status::kNone) out[name] = status_name(status);
}

// ---- reading

std::optional<std::string> text_from(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_object() || json.size() != 1 || !json.contains("hex") || !json["hex"].is_string()) return std::nullopt;
  const auto hex = json["hex"].get<std::string>();
  if (hex.size() % 2 != 0 || hex.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

std::optional<PropertyValue> value_from(const Json& json, int depth) {
  if (json.is_boolean()) return PropertyValue{json.get<bool>()};
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
    return std::nullopt;
  }
  if (json.is_number_integer()) return PropertyValue{json.get<std::int64_t>()};
  if (json.is_number_float()) return PropertyValue{json.get<double>()};
  if (json.is_array() && depth < kListDepthMax) {
    std::vector<PropertyValue> list;
    for (const Json& item : json) {
      auto value = value_from(item, depth + 1);
      if (!value) return std::nullopt;
      list.push_back(*std::move(value));
    }
    return PropertyValue{std::move(list)};
  }
  if (json.is_object() && json.size() == 1 && json.contains("date")) {
    auto text = text_from(json["date"]);
    return text ? std::optional(PropertyValue{DateText{*std::move(text)}}) : std::nullopt;
  }
  if (json.is_object() && json.size() == 2 && json.contains("form") && json.contains("time")) {
    const Json& form = json["form"];
    auto text = text_from(json["time"]);
    if (!text || !form.is_number_unsigned() || form.get<std::uint64_t>() < static_cast<std::uint64_t>(TimeForm::kDay) ||
        form.get<std::uint64_t>() > static_cast<std::uint64_t>(TimeForm::kDuration)) {
      return std::nullopt;
    }
    return PropertyValue{TimeText{static_cast<TimeForm>(form.get<std::uint64_t>()), *std::move(text)}};
  }
  if (json.is_object() && json.size() == 1 && json.contains("float")) {
    const Json& word = json["float"];
    if (word == "nan") return PropertyValue{std::numeric_limits<double>::quiet_NaN()};
    if (word == "inf") return PropertyValue{std::numeric_limits<double>::infinity()};
    if (word == "-inf") return PropertyValue{-std::numeric_limits<double>::infinity()};
    return std::nullopt;
  }
  auto text = text_from(json);
  return text ? std::optional(PropertyValue{*std::move(text)}) : std::nullopt;
}

std::optional<When> when_from(const Json& json, std::string& why) {
  if (auto text = text_from(json)) {
    auto when = parse_when(*text);
    if (when) return *std::move(when);
    why = when.error().message;
    return std::nullopt;
  }
  why = "is not a date, nor an object with text, span, qualified, gaps, fine and bounds";
  if (!json.is_object() || json.size() != 6) return std::nullopt;
  for (const char* name : {"text", "span", "qualified", "gaps", "fine", "bounds"}) {
    if (!json.contains(name)) return std::nullopt;
  }
  const Json& fine = json["fine"];
  const Json& bounds = json["bounds"];
  auto text = text_from(json["text"]);
  if (!text || !json["span"].is_boolean() || !json["qualified"].is_boolean() || !json["gaps"].is_boolean() ||
      !fine.is_array() || fine.size() != 2 || !bounds.is_array() || bounds.size() != 4) {
    return std::nullopt;
  }
  for (const Json& flag : fine) {
    if (!flag.is_boolean()) return std::nullopt;
  }
  for (const Json& bound : bounds) {
    if (!bound.is_number_integer()) return std::nullopt;
  }
  When out;
  out.text = *std::move(text);
  TimeBounds& b = out.bounds;
  b.is_span = json["span"].get<bool>();
  b.qualified = json["qualified"].get<bool>();
  b.has_gaps = json["gaps"].get<bool>();
  b.fine_begin = fine[0].get<bool>();
  b.fine_end = fine[1].get<bool>();
  b.begin_min.seconds = bounds[0].get<std::int64_t>();
  b.begin_max.seconds = bounds[1].get<std::int64_t>();
  b.end_min.seconds = bounds[2].get<std::int64_t>();
  b.end_max.seconds = bounds[3].get<std::int64_t>();
  if (b.begin_min > b.begin_max || b.end_min > b.end_max || b.begin_min > b.end_min || b.begin_max > b.end_max) {
    why = "has bounds that contradict each other";
    return std::nullopt;
  }
  return out;
}

// The fields of an object. The first fault is kept; every read after it answers nothing.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {
    if (!json.is_object()) fail("", "is not an object");
  }

  std::string text(const char* name) {
    const Json* field = find(name);
    if (field == nullptr) return {};
    auto out = text_from(*field);
    if (!out) fail(name, "is not a text");
    return out ? *std::move(out) : std::string();
  }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> out;
    for (const Json& item : list(name)) {
      auto one = text_from(item);
      if (!one) {
        fail(name, "holds something else than texts");
        return {};
      }
      out.push_back(*std::move(one));
    }
    return out;
  }
  std::uint64_t number(const char* name, bool required, std::uint64_t max = std::numeric_limits<std::int64_t>::max()) {
    const Json* field = find(name);
    if (field == nullptr) {
      if (required) fail(name, "is missing");
      return 0;
    }
    if (!field->is_number_unsigned() || field->get<std::uint64_t>() > max) {
      fail(name, fmt::format("is not a whole number up to {}", max));
      return 0;
    }
    return field->get<std::uint64_t>();
  }
  std::int64_t signed_number(const char* name) {
    const Json* field = find(name);
    if (field == nullptr || !field->is_number_integer() ||
        (field->is_number_unsigned() && field->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())) {
      fail(name, "is missing, or not a whole number");
      return 0;
    }
    return field->get<std::int64_t>();
  }
  std::optional<When> when(const char* name) {
    const Json* field = find(name);
    if (field == nullptr) return std::nullopt;
    std::string why;
    auto out = when_from(*field, why);
    if (!out) fail(name, why);
    return out;
  }
  Properties properties(const char* name) {
    Properties out;
    const Json* field = find(name);
    if (field == nullptr) return out;
    if (!field->is_object()) fail(name, "is not an object");
    if (!error_.empty()) return out;
    for (const auto& [key, item] : field->items()) {
      auto value = value_from(item, 0);
      if (!value) {
        fail(name, fmt::format("'{}' is not a value that a property can have", key));
        return {};
      }
      set_property(out, key, *std::move(value));
    }
    return out;
  }
  Status status(const char* name) {
    const std::string word = text(name);
    if (word.empty()) return Status::kNone;
    const auto found = find_status(word);
    if (!found) fail(name, fmt::format("'{}' is no status", word));
    return found.value_or(Status::kNone);
  }
  const Json& list(const char* name) {
    static const Json kNone = Json::array();
    const Json* field = find(name);
    if (field == nullptr) return kNone;
    if (field->is_array()) return *field;
    fail(name, "is not a list");
    return kNone;
  }
  void fail(std::string_view name, std::string_view what) {
    if (error_.empty()) error_ = name.empty() ? std::string(what) : fmt::format("'{}' {}", name, what);
  }
  // Nothing went wrong, and no field was left unread.
  Result<void> finish() {
    if (error_.empty()) {
      for (const auto& [key, value] : json_.items()) {
        if (!read_.contains(key)) fail(key, "is not a field of this object");
      }
    }
    return error_.empty() ? Result<void>{} : Result<void>(invalid(error_));
  }

 private:
  const Json* find(const char* name) {
    if (!error_.empty()) return nullptr;
    read_.insert(name);
    const auto at = json_.find(name);
    return at == json_.end() ? nullptr : &*at;
  }
  const Json& json_;
  std::set<std::string, std::less<>> read_;
  std::string error_;
};

}  // namespace

// ---- commits -------------------------------------------------------------------------------------------------------

Json to_json(const Commit& commit) {
  Json out = {{"number", commit.number.value}, {"time_micros", commit.time_micros}};
  put(out, "note", commit.note);
  put(out, "id", commit.id);
  out["next_row"] = commit.next_row.value;
  out["next_actor"] = commit.next_actor.value;
  out["next_source"] = commit.next_source.value;
  return out;
}

Result<Commit> commit_of(const Json& json) {
  Fields in(json);
  Commit out;
  out.number.value = in.number("number", true);
  out.time_micros = in.signed_number("time_micros");
  out.note = in.text("note");
  out.id = in.text("id");
  out.next_row.value = in.number("next_row", true);
  out.next_actor.value = in.number("next_actor", true);
  out.next_source.value = in.number("next_source", true);
  DEMARCHE_CHECK(in.finish());
  return out;
}

Json to_json(const End& end) { return {{"commits", end.commits}, {"lines", end.lines}}; }

Result<End> end_of(const Json& json) {
  Fields in(json);
  End out;
  out.commits = in.number("commits", true);
  out.lines = in.number("lines", true);
  DEMARCHE_CHECK(in.finish());
  return out;
}

Json to_json(const Retired& retired) {
  if (retired.actor.value != 0) return {{"actor", retired.actor.value}};
  return {{"interaction", retired.interaction.value}};
}

Result<Retired> retired_of(const Json& json) {
  Fields in(json);
  Retired out;
  out.actor.value = in.number("actor", false);
  out.interaction.value = in.number("interaction", false);
  if ((out.actor.value == 0) == (out.interaction.value == 0)) in.fail("", "names neither an actor nor an interaction");
  DEMARCHE_CHECK(in.finish());
  return out;
}

// ---- records -------------------------------------------------------------------------------------------------------

Json to_json(const Kind& kind) {
  Json out = {{"id", kind.id.value}, {"name", text_json(kind.name)}, {"parent", kind.parent.value}};
  put(out, "cameo", kind.cameo);
  put(out, "plover", kind.plover);
  return out;
}

Result<Kind> kind_of(const Json& json) {
  Fields in(json);
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max();
  Kind out;
  out.id.value = static_cast<std::uint32_t>(in.number("id", true, kMax));
  out.name = in.text("name");
  out.parent.value = static_cast<std::uint32_t>(in.number("parent", true, kMax));
  out.cameo = in.text("cameo");
  out.plover = in.text("plover");
  DEMARCHE_CHECK(in.finish());
  return out;
}

Json to_json(const Source& source) {
  Json out = {{"id", source.id.value}};
  put(out, "key", source.key);
  put(out, "title", source.title);
  put(out, "publisher", source.publisher);
  put(out, "url", source.url);
  put(out, "published", source.published);
  put(out, "grade", source.grade);
  put(out, "note", source.note);
  return out;
}

Result<Source> source_of(const Json& json) {
  Fields in(json);
  Source out;
  out.id.value = in.number("id", true);
  out.key = in.text("key");
  out.title = in.text("title");
  out.publisher = in.text("publisher");
  out.url = in.text("url");
  out.published = in.when("published");
  out.grade = in.text("grade");
  out.note = in.text("note");
  DEMARCHE_CHECK(in.finish());
  return out;
}

Json to_json(const Actor& actor) {
  Json out = {{"id", actor.id.value}};
  put(out, "key", actor.key);
  put(out, "name", actor.name);
  put(out, "labels", actor.labels);
  put(out, "aliases", actor.aliases);
  put(out, "properties", actor.properties);
  return out;
}

Result<Actor> actor_of(const Json& json) {
  Fields in(json);
  Actor out;
  out.id.value = in.number("id", true);
  out.key = in.text("key");
  out.name = in.text("name");
  out.labels = in.texts("labels");
  out.aliases = in.texts("aliases");
  out.properties = in.properties("properties");
  DEMARCHE_CHECK(in.finish());
  return out;
}

Json to_json(const Interaction& interaction) {
  Json out = {{"id", interaction.id.value}};
  if (interaction.row.value != interaction.id.value) out["row"] = interaction.row.value;
  put(out, "key", interaction.key);
  out["kind"] = interaction.kind.value;
  put(out, "when", interaction.when);
  put(out, "status", interaction.status);
  put(out, "place", interaction.place);
  if (interaction.part_of) out["part_of"] = interaction.part_of->value;
  Json participants = Json::array();
  for (const Participant& p : interaction.participants) {
    Json one = {{"actor", p.actor.value}, {"role", role_name(p.role)}};
    if (p.acting_for) one["for"] = p.acting_for->value;
    participants.push_back(std::move(one));
  }
  if (!participants.empty()) out["participants"] = std::move(participants);
  put(out, "properties", interaction.properties);
  Json claims = Json::array();
  for (const Claim& claim : interaction.claims) {
    Json one = {{"source", claim.source.value}};
    put(one, "locator", claim.locator);
    put(one, "words", claim.words);
    put(one, "published", claim.published);
    put(one, "when", claim.when);
    put(one, "status", claim.status);
    put(one, "note", claim.note);
    claims.push_back(std::move(one));
  }
  if (!claims.empty()) out["claims"] = std::move(claims);
  return out;
}

Result<Interaction> interaction_of(const Json& json) {
  Fields in(json);
  Interaction out;
  out.id.value = in.number("id", true);
  out.row.value = in.number("row", false);
  if (out.row.value == 0) out.row.value = out.id.value;
  out.key = in.text("key");
  out.kind.value = static_cast<std::uint32_t>(in.number("kind", true, std::numeric_limits<std::uint32_t>::max()));
  out.when = in.when("when");
  out.status = in.status("status");
  out.place = in.text("place");
  if (json.is_object() && json.contains("part_of")) out.part_of = InteractionId{in.number("part_of", true)};
  for (const Json& item : in.list("participants")) {
    Fields one(item);
    Participant p;
    p.actor.value = one.number("actor", true);
    const std::string role = one.text("role");
    const auto found = find_role(role);
    if (!found) one.fail("role", fmt::format("'{}' is no role", role));
    p.role = found.value_or(Role::kParticipant);
    if (const std::uint64_t agent_of = one.number("for", false); agent_of != 0) p.acting_for = ActorId{agent_of};
    DEMARCHE_CHECK(one.finish());
    out.participants.push_back(p);
  }
  out.properties = in.properties("properties");
  for (const Json& item : in.list("claims")) {
    Fields one(item);
    Claim claim;
    claim.source.value = one.number("source", true);
    claim.locator = one.text("locator");
    claim.words = one.text("words");
    claim.published = one.when("published");
    claim.when = one.when("when");
    claim.status = one.status("status");
    claim.note = one.text("note");
    DEMARCHE_CHECK(one.finish());
    out.claims.push_back(std::move(claim));
  }
  DEMARCHE_CHECK(in.finish());
  return out;
}

}  // namespace demarche::dump

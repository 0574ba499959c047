// All lines are read first, then entered in the order in which they can refer to each other: kinds, sources, actors,
// offices, interactions, and last which interaction is part of which. So the order of lines is free.

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/date_words.h"
#include "engine/exchange/import.h"
#include "engine/exchange/line_reader.h"
#include "engine/names.h"

namespace demarche {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kProgressEvery = 5000;
constexpr int kListDepthMax = 16;

struct Line {
  std::string place;  // "actors.jsonl:12"
  Json value;
};

// Reads one line. Refuses what the library's own reader lets pass or cannot take: a name that stands twice in an
// object, and numbers that do not fit.
class LineParser final : public nlohmann::json_sax<Json> {
 public:
  Result<Json> parse(const std::string& text) {
    if (Json::sax_parse(text, this)) return std::move(root_);
    return invalid(reason_);
  }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value <= static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) return put(value);
    return beyond_64_bits(fmt::format("{}", value));
  }
  bool number_float(number_float_t value, const string_t& written) override {
    if (written.find_first_of(".eE") != std::string::npos) return put(value);
    return beyond_64_bits(written);
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // not in JSON
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (open_.back()->contains(name)) {
      return refuse(fmt::format("'{}' stands twice in one object; leave one out", name));
    }
    member_ = &(*open_.back())[name];
    return true;
  }
  bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception& e) override {
    constexpr int kOutOfRange = 406;
    if (e.id == kOutOfRange) return refuse(fmt::format("the number {} is too large", token));
    return refuse(fmt::format("character {}: not valid JSON; each line is one JSON object", position));
  }

 private:
  bool refuse(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }
  bool beyond_64_bits(const std::string& written) {
    return refuse(fmt::format("the whole number {} does not fit into 64 bits; write it as a text", written));
  }

  // Where the value belongs. Only the innermost list or object grows, so pointers to those around it stay good.
  Json* place(Json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    if (open_.back()->is_array()) return &open_.back()->emplace_back(std::move(value));
    return &(*member_ = std::move(value));
  }
  bool put(Json value) {
    place(std::move(value));
    return true;
  }
  bool open(Json value) {
    open_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;
  Json* member_ = nullptr;
  std::string reason_;
};

// One JSON object, read field by field; says what is wrong with a field and where.
class Fields {
 public:
  Fields(const Json& object, std::string what) : object_(object), what_(std::move(what)) {}

  // Errors if there is a field that is not in `known`.
  [[nodiscard]] Result<void> check_names(std::initializer_list<const char*> known) const {
    for (const auto& item : object_.items()) {
      const std::string& name = item.key();
      if (std::any_of(known.begin(), known.end(), [&](const char* k) { return name == k; })) continue;
      const std::string near = nearest(name, {known.begin(), known.end()});
      return invalid(fmt::format("{} has no field '{}'{}", what_, name,
                                 near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
    }
    return {};
  }

  [[nodiscard]] bool has(const char* name) const { return object_.contains(name) && !object_[name].is_null(); }

  // "" when it is not there.
  [[nodiscard]] Result<std::string> text(const char* name) const {
    if (!has(name)) return std::string();
    if (!object_[name].is_string()) return wrong(name, "a text");
    return object_[name].get<std::string>();
  }
  [[nodiscard]] Result<std::string> required_text(const char* name) const {
    DEMARCHE_TRY(std::string out, text(name));
    if (out.empty()) return invalid(fmt::format("{} needs the field '{}'", what_, name));
    return out;
  }
  [[nodiscard]] Result<std::optional<When>> when(const char* name) const {
    DEMARCHE_TRY(const std::string written, text(name));
    if (!has(name)) return std::nullopt;
    DEMARCHE_TRY(When out, parse_when_or_words(written));
    return out;
  }
  [[nodiscard]] Result<Status> status() const {
    DEMARCHE_TRY(const std::string name, text("status"));
    if (name.empty()) return Status::kNone;
    const auto out = find_status(name);
    if (!out) return invalid(fmt::format("unknown status '{}'; held, planned or cancelled", name));
    return *out;
  }
  [[nodiscard]] Result<std::vector<std::string>> texts(const char* name) const {
    std::vector<std::string> out;
    if (!has(name)) return out;
    if (!object_[name].is_array()) return wrong(name, "a list of texts");
    for (const Json& item : object_[name]) {
      if (!item.is_string()) return wrong(name, "a list of texts");
      out.push_back(item.get<std::string>());
    }
    return out;
  }
  // The objects of a list, or none.
  [[nodiscard]] Result<std::vector<const Json*>> objects(const char* name) const {
    std::vector<const Json*> out;
    if (!has(name)) return out;
    if (!object_[name].is_array()) return wrong(name, "a list of objects");
    for (const Json& item : object_[name]) {
      if (!item.is_object()) return wrong(name, "a list of objects");
      out.push_back(&item);
    }
    return out;
  }
  // `fields`: names that the language reads from the record itself, so a property of that name would be out of reach.
  [[nodiscard]] Result<Properties> properties(std::initializer_list<const char*> fields) const {
    Properties out;
    if (!has("properties")) return out;
    if (!object_["properties"].is_object()) return wrong("properties", "an object");
    for (const auto& [key, value] : object_["properties"].items()) {
      if (value.is_null()) continue;
      if (std::any_of(fields.begin(), fields.end(), [&key = key](const char* f) { return key == f; })) {
        const std::string_view field = key == "begin" || key == "end" ? "when" : std::string_view(key);
        return invalid(fmt::format(
            "property '{}': this name is taken by {} itself; use the field '{}', or another name", key, what_, field));
      }
      auto stored = property_value(value, 0);
      if (!stored) return tl::unexpected(std::move(stored).error().with_context(fmt::format("property '{}'", key)));
      set_property(out, key, std::move(*stored));
    }
    return out;
  }

 private:
  [[nodiscard]] tl::unexpected<Error> wrong(const char* name, std::string_view expected) const {
    return invalid(fmt::format("{}: the field '{}' must be {}", what_, name, expected));
  }

  static Result<PropertyValue> property_value(const Json& value, int depth) {
    if (value.is_boolean()) return PropertyValue{value.get<bool>()};
    if (value.is_string()) return PropertyValue{value.get<std::string>()};
    if (value.is_number_integer()) return PropertyValue{value.get<std::int64_t>()};
    if (value.is_number_float()) return PropertyValue{value.get<double>()};
    if (!value.is_array()) return invalid("an object cannot be a property; flatten it");
    if (depth >= kListDepthMax) return invalid("lists are nested too deeply");
    std::vector<PropertyValue> items;
    for (const Json& item : value) {
      DEMARCHE_TRY(PropertyValue stored, property_value(item, depth + 1));
      items.push_back(std::move(stored));
    }
    return PropertyValue{std::move(items)};
  }

  const Json& object_;
  std::string what_;
};

class JsonlImport {
 public:
  JsonlImport(Transaction& transaction, const ImportProgress& progress) : tx_(transaction), progress_(progress) {}

  Result<ImportReport> run(const std::vector<std::string>& files) {
    for (const std::string& file : files) DEMARCHE_CHECK(read(file));
    DEMARCHE_CHECK(enter_kinds());
    DEMARCHE_CHECK(enter(sources_, [this](const Json& v) { return enter_source(v); }));
    DEMARCHE_CHECK(enter(actors_, [this](const Json& v) { return enter_actor(v); }));
    DEMARCHE_CHECK(enter(actors_, [this](const Json& v) { return enter_offices(v); }));
    DEMARCHE_CHECK(enter(interactions_, [this](const Json& v) { return enter_interaction(v); }));
    DEMARCHE_CHECK(enter(interactions_, [this](const Json& v) { return enter_part_of(v); }));
    return report_;
  }

 private:
  Result<void> read(const std::string& file) {
    DEMARCHE_TRY(LineReader lines, LineReader::open(file));
    std::string line;
    while (true) {
      DEMARCHE_TRY(const bool more, lines.next(line));
      if (!more) return {};
      if (++report_.lines % kProgressEvery == 0 && progress_) progress_(report_.lines);
      if (line.find_first_not_of(" \t") == std::string::npos) continue;
      if (auto sorted = sort_in(lines.place(), line); !sorted) {
        return tl::unexpected(std::move(sorted).error().with_context(lines.place()));
      }
    }
  }

  Result<void> sort_in(const std::string& place, const std::string& text) {
    DEMARCHE_TRY(Json value, LineParser().parse(text));
    const bool one = value.is_object() && value.size() == 1 && value.begin()->is_object();
    if (!one) return invalid("a line is one object with one member, as in {\"actor\": {...}}");
    const std::string what = value.begin().key();
    std::vector<Line>* target = what == "actor"         ? &actors_
                                : what == "interaction" ? &interactions_
                                : what == "source"      ? &sources_
                                : what == "kind"        ? &kinds_
                                                        : nullptr;
    if (what == "dump") {
      return invalid("this is a dump of a store; make a store of it with: demarche load FILE --into STORE");
    }
    if (target == nullptr) {
      return invalid(fmt::format("unknown kind of line '{}'; actor, interaction, source or kind", what));
    }
    Json body = std::move(value.begin().value());
    target->push_back({place, std::move(body)});
    return {};
  }

  template <typename Enter>
  static Result<void> enter(const std::vector<Line>& lines, Enter one) {
    for (const Line& line : lines) {
      if (auto entered = one(line.value); !entered)
        return tl::unexpected(std::move(entered).error().with_context(line.place));
    }
    return {};
  }

  // A kind may stand before its parent. What is left when nothing can be entered any more has an unknown parent, or is
  // a circle.
  Result<void> enter_kinds() {
    std::vector<const Line*> waiting;
    for (const Line& line : kinds_) waiting.push_back(&line);
    while (!waiting.empty()) {
      std::vector<const Line*> still;
      for (const Line* line : waiting) {
        auto entered = enter_kind(line->value);
        if (!entered) return tl::unexpected(std::move(entered).error().with_context(line->place));
        if (!*entered) still.push_back(line);
      }
      if (still.size() == waiting.size()) return unenterable_kind(still);
      waiting = std::move(still);
    }
    return {};
  }

  // false: its parent is not there yet.
  Result<bool> enter_kind(const Json& value) {
    const Fields f(value, "a kind");
    DEMARCHE_CHECK(f.check_names({"name", "parent", "cameo", "plover"}));
    DEMARCHE_TRY(const std::string name, f.required_text("name"));
    DEMARCHE_TRY(const std::string parent_name, f.required_text("parent"));
    DEMARCHE_TRY(const std::string cameo, f.text("cameo"));
    DEMARCHE_TRY(const std::string plover, f.text("plover"));
    const auto parent = tx_.view().kinds().find(parent_name);
    if (!parent) return false;
    const std::size_t before = tx_.view().kinds().all().size();
    DEMARCHE_CHECK(tx_.declare_kind(name, *parent, cameo, plover));
    report_.kinds += tx_.view().kinds().all().size() - before;
    return true;
  }

  tl::unexpected<Error> unenterable_kind(const std::vector<const Line*>& lines) const {
    for (const Line* line : lines) {
      const std::string parent = line->value.value("parent", "");
      const bool declared_here = std::any_of(
          lines.begin(), lines.end(), [&](const Line* other) { return other->value.value("name", "") == parent; });
      if (declared_here) continue;
      return invalid(fmt::format("{}: kind '{}': {}", line->place, line->value.value("name", ""),
                                 tx_.view().kinds().unknown_message(parent)));
    }
    std::string circle;
    for (const Line* line : lines)
      circle += fmt::format("{}{} below {}", circle.empty() ? "" : ", ", line->value.value("name", ""),
                            line->value.value("parent", ""));
    return invalid(fmt::format("{}: the hierarchy of kinds goes in a circle: {}", lines.front()->place, circle));
  }

  Result<void> enter_source(const Json& value) {
    const Fields f(value, "a source");
    DEMARCHE_CHECK(f.check_names({"key", "title", "publisher", "url", "published", "grade", "note"}));
    Source source;
    DEMARCHE_ASSIGN(source.key, f.required_text("key"));
    DEMARCHE_ASSIGN(source.title, f.text("title"));
    DEMARCHE_ASSIGN(source.publisher, f.text("publisher"));
    DEMARCHE_ASSIGN(source.url, f.text("url"));
    DEMARCHE_ASSIGN(source.published, f.when("published"));
    DEMARCHE_ASSIGN(source.grade, f.text("grade"));
    DEMARCHE_ASSIGN(source.note, f.text("note"));
    DEMARCHE_TRY(const auto taken, tx_.view().find_source(source.key));
    if (taken) {
      DEMARCHE_TRY(const Source other, tx_.view().get_source(*taken));
      return key_taken("source", source.key, other.title, sources_, value);
    }
    DEMARCHE_CHECK(tx_.add_source(std::move(source)));
    ++report_.sources;
    return {};
  }

  Result<void> enter_actor(const Json& value) {
    const Fields f(value, "an actor");
    DEMARCHE_CHECK(f.check_names({"key", "name", "labels", "aliases", "offices", "properties"}));
    Actor actor;
    DEMARCHE_ASSIGN(actor.key, f.required_text("key"));
    DEMARCHE_ASSIGN(actor.name, f.required_text("name"));
    DEMARCHE_ASSIGN(actor.labels, f.texts("labels"));
    DEMARCHE_ASSIGN(actor.aliases, f.texts("aliases"));
    DEMARCHE_ASSIGN(actor.properties, f.properties({"key", "name", "aliases"}));
    DEMARCHE_TRY(const auto taken, tx_.view().find_actor(actor.key));
    if (taken) {
      DEMARCHE_TRY(const Actor other, tx_.view().get_actor(*taken));
      return key_taken("actor", actor.key, other.name, actors_, value);
    }
    DEMARCHE_CHECK(tx_.add_actor(std::move(actor)));
    ++report_.actors;
    return {};
  }

  // The key of `value` belongs to a line before it or, if there is none, to a record of the store.
  static tl::unexpected<Error> key_taken(const char* what, const std::string& key, const std::string& owner,
                                         const std::vector<Line>& lines, const Json& value) {
    const std::string whose = owner.empty() ? std::string() : fmt::format(" by '{}'", owner);
    const auto first = std::find_if(lines.begin(), lines.end(), [&](const Line& line) {
      return &line.value == &value || (line.value.contains("key") && line.value["key"] == key);
    });
    if (&first->value == &value) {
      return invalid(
          fmt::format("{} key '{}' is already taken{} in the store; leave the line out if it is the same, or "
                      "choose another key",
                      what, key, whose));
    }
    return invalid(
        fmt::format("{} key '{}' is already taken{} at {}; leave one of the two lines out, or give it another "
                    "key",
                    what, key, whose, first->place));
  }

  // An office is a tie from its holder to the body whose office it is.
  Result<void> enter_offices(const Json& value) {
    const Fields f(value, "an actor");
    DEMARCHE_TRY(const auto offices, f.objects("offices"));
    if (offices.empty()) return {};
    DEMARCHE_TRY(const std::string key, f.required_text("key"));
    DEMARCHE_TRY(const ActorId holder, actor_of(key));
    for (const Json* office : offices) {
      const Fields o(*office, "an office");
      DEMARCHE_CHECK(o.check_names({"title", "of", "when", "source"}));
      Interaction tie;
      tie.kind = kinds::kHoldsOffice;
      DEMARCHE_TRY(std::string title, o.required_text("title"));
      set_property(tie.properties, "title", PropertyValue{std::move(title)});
      DEMARCHE_TRY(const std::string body_name, o.required_text("of"));
      DEMARCHE_TRY(const ActorId body, actor_of(body_name));
      tie.participants = {{holder, Role::kHolder, std::nullopt}, {body, Role::kBody, std::nullopt}};
      DEMARCHE_ASSIGN(tie.when, o.when("when"));
      if (o.has("source")) {
        DEMARCHE_TRY(const std::string source, o.text("source"));
        Claim claim;
        DEMARCHE_ASSIGN(claim.source, source_of(source));
        tie.claims.push_back(std::move(claim));
      }
      DEMARCHE_CHECK(tx_.add_interaction(std::move(tie)));
      ++report_.interactions;
    }
    return {};
  }

  Result<void> enter_interaction(const Json& value) {
    const Fields f(value, "an interaction");
    DEMARCHE_CHECK(
        f.check_names({"key", "kind", "when", "participants", "status", "place", "part_of", "properties", "claims"}));
    Interaction interaction;
    DEMARCHE_ASSIGN(interaction.key, f.text("key"));
    DEMARCHE_TRY(const std::string kind_name, f.required_text("kind"));
    const auto kind = tx_.view().kinds().find(kind_name);
    if (!kind) return invalid(tx_.view().kinds().unknown_message(kind_name));
    interaction.kind = *kind;
    DEMARCHE_ASSIGN(interaction.when, f.when("when"));
    DEMARCHE_ASSIGN(interaction.status, f.status());
    DEMARCHE_ASSIGN(interaction.place, f.text("place"));
    DEMARCHE_ASSIGN(interaction.properties,
                    f.properties({"key", "kind", "when", "begin", "end", "place", "status", "part_of"}));
    DEMARCHE_TRY(const auto participants, f.objects("participants"));
    for (const Json* p : participants) {
      DEMARCHE_TRY(const Participant participant, participant_of(*p));
      interaction.participants.push_back(participant);
    }
    DEMARCHE_TRY(const auto claims, f.objects("claims"));
    for (const Json* c : claims) {
      DEMARCHE_TRY(Claim claim, claim_of(*c));
      interaction.claims.push_back(std::move(claim));
    }
    if (!interaction.key.empty()) {
      DEMARCHE_TRY(const auto taken, tx_.view().find_interaction(interaction.key));
      if (taken) {
        DEMARCHE_TRY(const Interaction other, tx_.view().get_interaction(*taken));
        const std::string what =
            fmt::format("{}, {}", tx_.view().kinds().get(other.kind).name, other.when ? other.when->text : "undated");
        return key_taken("interaction", interaction.key, what, interactions_, value);
      }
    }
    DEMARCHE_TRY(const InteractionId id, tx_.add_interaction(std::move(interaction)));
    interaction_ids_.emplace(&value, id);
    ++report_.interactions;
    return {};
  }

  Result<void> enter_part_of(const Json& value) {
    const Fields f(value, "an interaction");
    DEMARCHE_TRY(const std::string whole_key, f.text("part_of"));
    if (whole_key.empty()) return {};
    DEMARCHE_TRY(const auto whole, tx_.view().find_interaction(whole_key));
    if (!whole) return invalid(fmt::format("part_of: there is no interaction with the key '{}'", whole_key));
    return tx_.set_part_of(interaction_ids_.at(&value), *whole);
  }

  Result<Participant> participant_of(const Json& value) {
    const Fields f(value, "a participant");
    DEMARCHE_CHECK(f.check_names({"actor", "role", "for"}));
    Participant out;
    DEMARCHE_TRY(const std::string name, f.required_text("actor"));
    DEMARCHE_ASSIGN(out.actor, actor_of(name));
    DEMARCHE_TRY(const std::string role_text, f.required_text("role"));
    const auto role = find_role(role_text);
    if (role == Role::kRepresented) {
      return invalid(
          "role 'represented' is not given; it follows from the field 'for' of the one who acts, as in "
          "{\"actor\": \"x\", \"role\": \"caller\", \"for\": \"y\"}");
    }
    if (!role) {
      const std::string near = nearest(role_text, role_names());
      return invalid(
          fmt::format("unknown role '{}'{}", role_text, near.empty() ? "" : fmt::format("; did you mean {}?", near)));
    }
    out.role = *role;
    if (f.has("for")) {
      DEMARCHE_TRY(const std::string represented, f.text("for"));
      DEMARCHE_TRY(const ActorId id, actor_of(represented));
      out.acting_for = id;
    }
    return out;
  }

  Result<Claim> claim_of(const Json& value) {
    const Fields f(value, "a claim");
    DEMARCHE_CHECK(f.check_names({"source", "locator", "words", "published", "when", "status", "note"}));
    Claim out;
    DEMARCHE_TRY(const std::string source, f.required_text("source"));
    DEMARCHE_ASSIGN(out.source, source_of(source));
    DEMARCHE_ASSIGN(out.locator, f.text("locator"));
    DEMARCHE_ASSIGN(out.words, f.text("words"));
    DEMARCHE_ASSIGN(out.published, f.when("published"));
    DEMARCHE_ASSIGN(out.when, f.when("when"));
    DEMARCHE_ASSIGN(out.status, f.status());
    DEMARCHE_ASSIGN(out.note, f.text("note"));
    return out;
  }

  Result<ActorId> actor_of(const std::string& name) {
    if (const auto it = actor_ids_.find(name); it != actor_ids_.end()) return it->second;
    DEMARCHE_TRY(const ActorId id, tx_.view().resolve_actor(name));
    actor_ids_.emplace(name, id);
    return id;
  }

  Result<SourceId> source_of(const std::string& key) {
    DEMARCHE_TRY(const auto id, tx_.view().find_source(key));
    if (!id)
      return invalid(fmt::format("there is no source '{}'; add a line {{\"source\": {{\"key\": \"{}\"}}}}", key, key));
    return *id;
  }

  Transaction& tx_;
  const ImportProgress& progress_;
  ImportReport report_;
  std::vector<Line> kinds_;
  std::vector<Line> sources_;
  std::vector<Line> actors_;
  std::vector<Line> interactions_;
  std::unordered_map<std::string, ActorId> actor_ids_;
  std::unordered_map<const Json*, InteractionId> interaction_ids_;  // by line, for part_of
};

}  // namespace

Result<ImportReport> import_jsonl(Transaction& transaction, const std::vector<std::string>& files,
                                  const ImportProgress& progress) {
  return JsonlImport(transaction, progress).run(files);
}

}  // namespace demarche

#include "query/exec/functions.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "engine/contact.h"
#include "engine/edtf.h"
#include "query/exec/evaluate.h"
#include "query/exec/path_finder.h"
#include "query/exec/scalar_functions.h"
#include "query/exec/temporal_functions.h"

namespace demarche::query {

namespace {

Value text_or_null(const std::string& text) { return text.empty() ? Value() : Value::string(text); }

Value texts(const std::vector<std::string>& items) {
  ValueList out;
  for (const std::string& item : items) out.push_back(Value::string(item));
  return Value::list(std::move(out));
}

Value when_or_null(const std::optional<When>& when, InteractionId owner) {
  return when ? Value::date(date_of_record(*when, owner)) : Value();
}

// The begin or end of a span as a date of its own: the part of the text on its side of the slash.
Value bound_of(const std::optional<When>& when, bool begin) {
  if (!when) return Value();
  const std::size_t slash = when->text.find('/');
  if (slash == std::string::npos) return Value::date(date_of_record(*when, {}));
  const std::string side = begin ? when->text.substr(0, slash) : when->text.substr(slash + 1);
  if (side.empty()) return Value();  // unknown
  const TimeBounds bounds = begin ? begin_of(when->bounds) : end_of(when->bounds);
  return Value::date({side, bounds, bounds, {}});
}

Value properties_map(const Properties& properties, ValueMap fields) {
  for (const auto& [key, value] : properties) fields.emplace_back(key, from_property(value));
  std::erase_if(fields, [](const auto& entry) { return entry.second.is_null(); });
  return Value::map(std::move(fields));
}

Result<Value> participants(InteractionId id, ExecContext& context) {
  DEMARCHE_TRY(const Interaction* record, context.interaction(id));
  ValueList out;
  for (const Participant& p : record->participants) {
    out.push_back(Value::map({{"actor", Value::actor(p.actor)},
                              {"role", Value::string(std::string(role_name(p.role)))},
                              {"for", p.acting_for ? Value::actor(*p.acting_for) : Value()}}));
  }
  return Value::list(std::move(out));
}

Result<Value> role(InteractionId id, ActorId actor, ExecContext& context) {
  DEMARCHE_TRY(const Interaction* record, context.interaction(id));
  for (const Party& party : parties_of(record->participants)) {
    if (party.actor == actor) return Value::string(std::string(role_name(party.role)));
  }
  return Value();
}

// What each source says, with the interaction's own values left out where it says nothing else. `published` is the
// claim's own, else its source's.
Result<Value> claims(InteractionId id, ExecContext& context) {
  DEMARCHE_TRY(const Interaction* record, context.interaction(id));
  const std::vector<Claim> all = record->claims;  // the record may leave the cache while sources are read
  ValueList out;
  for (const Claim& claim : all) {
    DEMARCHE_TRY(const Source* source, context.source(claim.source));
    out.push_back(Value::map({{"source", Value::string(source->key)},
                              {"locator", text_or_null(claim.locator)},
                              {"words", text_or_null(claim.words)},
                              {"published", when_or_null(claim.published ? claim.published : source->published, {})},
                              {"when", when_or_null(claim.when, {})},
                              {"status", text_or_null(std::string(status_name(claim.status)))},
                              {"note", text_or_null(claim.note)}}));
  }
  return Value::list(std::move(out));
}

// The sides of an interaction of exactly two parties.
Result<Value> end_of_interaction(InteractionId id, Side wanted, ExecContext& context) {
  DEMARCHE_TRY(const Interaction* record, context.interaction(id));
  const std::vector<Party> parties = parties_of(record->participants);
  if (parties.size() != 2) return Value();
  for (std::size_t i = 0; i < 2; ++i) {
    if (party_side(parties, i) == wanted) return Value::actor(parties[i].actor);
  }
  return Value();
}

// A tie that lasts: an office held, a membership.
struct Tie {
  InteractionId interaction;
  TimeBounds bounds;
  std::optional<ActorId> body;
  Truth held = Truth::kTrue;
};

// Ties of one kind in which the actor has `role`, those that lasted at `at` under some reading if it is given.
Result<std::vector<Tie>> ties(ActorId actor, KindId kind, Role role, const std::optional<TimeOperand>& at,
                              ExecContext& context) {
  DEMARCHE_TRY(RowCursor cursor, context.view().scan(actor, {}, context.view().kinds().all_below(kind)));
  std::vector<Tie> out;
  RowBatch rows;
  while (true) {
    DEMARCHE_CHECK(cursor.next(rows));
    if (rows.size() == 0) return out;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto parties = rows.parties_of(i);
      const auto holds = [&](const Party& p) { return p.actor == actor && p.role == role; };
      if (std::none_of(parties.begin(), parties.end(), holds)) continue;
      Tie tie{rows.interaction[i], rows.bounds[i], std::nullopt,
              at ? during(at->bounds, rows.bounds[i]) : Truth::kTrue};
      if (tie.held == Truth::kFalse) continue;
      const auto body =
          std::find_if(parties.begin(), parties.end(), [](const Party& p) { return p.role == Role::kBody; });
      if (body != parties.end()) tie.body = body->actor;
      out.push_back(tie);
    }
  }
}

Result<Value> tie_value(const Tie& tie, bool titled, ExecContext& context) {
  DEMARCHE_TRY(const Interaction* record, context.interaction(tie.interaction));
  ValueMap out = {{"of", tie.body ? Value::actor(*tie.body) : Value()},
                  {"when", when_or_null(record->when, record->id)},
                  {"certain", Value::boolean(tie.held == Truth::kTrue)}};
  if (titled) {
    const PropertyValue* title = find_property(record->properties, "title");
    out.emplace_back("title", title != nullptr ? from_property(*title) : Value());
  }
  return Value::map(std::move(out));
}

Result<Value> tie_list(const std::vector<Tie>& all, bool titled, ExecContext& context) {
  ValueList out;
  for (const Tie& tie : all) {
    DEMARCHE_TRY(Value value, tie_value(tie, titled, context));
    out.push_back(std::move(value));
  }
  return Value::list(std::move(out));
}

// Of those that are certain the one that began last; of several the last in order of number.
Result<Value> last_certain(const std::vector<Tie>& all, ExecContext& context) {
  const Tie* best = nullptr;
  for (const Tie& tie : all) {
    if (tie.held != Truth::kTrue) continue;
    const auto order = [](const Tie& t) { return std::pair(t.bounds.begin_min, t.interaction); };
    if (best == nullptr || order(*best) < order(tie)) best = &tie;
  }
  return best == nullptr ? Value() : tie_value(*best, true, context);
}

}  // namespace

Result<Value> all_properties(const Value& v, ExecContext& context, Span span) {
  if (v.kind() == ValueKind::kMap) return v;
  if (v.kind() == ValueKind::kActor) {
    DEMARCHE_TRY(const Actor* actor, context.actor(v.as_actor()));
    ValueMap fields = {{"key", text_or_null(actor->key)}, {"name", text_or_null(actor->name)}};
    if (!actor->aliases.empty()) fields.emplace_back("aliases", texts(actor->aliases));
    return properties_map(actor->properties, std::move(fields));
  }
  if (v.kind() == ValueKind::kInteraction) {
    DEMARCHE_TRY(const Interaction* record, context.interaction(v.as_interaction()));
    ValueMap fields = {{"key", text_or_null(record->key)},
                       {"when", when_or_null(record->when, record->id)},
                       {"status", text_or_null(std::string(status_name(record->status)))},
                       {"place", text_or_null(record->place)}};
    return properties_map(record->properties, std::move(fields));
  }
  return runtime_error("TypeError", "InvalidArgumentType", span, fmt::format("{} has no properties", a_kind(v.kind())));
}

Result<Value> actor_property(ActorId id, const std::string& key, ExecContext& context) {
  DEMARCHE_TRY(const Actor* actor, context.actor(id));
  // The field wins where it has a value; CREATE keeps as a property what the field cannot hold, as in {name: 1}.
  if (key == "name" && !actor->name.empty()) return Value::string(actor->name);
  if (key == "key" && !actor->key.empty()) return Value::string(actor->key);
  if (key == "aliases" && !actor->aliases.empty()) return texts(actor->aliases);
  const PropertyValue* value = find_property(actor->properties, key);
  if (value != nullptr) return from_property(*value);
  return key == "aliases" ? Value::list({}) : Value();
}

Result<Value> interaction_property(InteractionId id, const std::string& key, ExecContext& context) {
  DEMARCHE_TRY(const Interaction* record, context.interaction(id));
  if (key == "key" && !record->key.empty()) return Value::string(record->key);
  if (record->when) {
    if (key == "when") return when_or_null(record->when, id);
    if (key == "begin") return bound_of(record->when, true);
    if (key == "end") return bound_of(record->when, false);
  }
  if (key == "place" && !record->place.empty()) return Value::string(record->place);
  if (key == "status" && record->status != Status::kNone)
    return Value::string(std::string(status_name(record->status)));
  if (key == "part_of" && record->part_of) {
    const InteractionId whole = *record->part_of;
    const auto found = context.interaction(whole);  // taken back since, or outside the valid time that is asked about
    if (!found && found.error().code == ErrorCode::kNotFound) return Value();
    DEMARCHE_CHECK(found);
    return Value::interaction(whole);
  }
  const PropertyValue* value = find_property(record->properties, key);
  return value == nullptr ? Value() : from_property(*value);
}

bool has_labels(const bound::LabelTest& test, const std::vector<std::string>& labels) {
  switch (test.op) {
    case ast::LabelExpr::Op::kAny:
      return !labels.empty();
    case ast::LabelExpr::Op::kName:
      return std::find(labels.begin(), labels.end(), test.name) != labels.end();
    case ast::LabelExpr::Op::kNot:
      return !has_labels(test.operands[0], labels);
    case ast::LabelExpr::Op::kAnd:
      return has_labels(test.operands[0], labels) && has_labels(test.operands[1], labels);
    case ast::LabelExpr::Op::kOr:
      return has_labels(test.operands[0], labels) || has_labels(test.operands[1], labels);
  }
  return false;
}

Result<Value> call_function(const FunctionDef& def, const std::vector<Value>& a, Span span, ExecContext& context) {
  using F = FunctionId;
  const auto wrong = [&](const Value& v, const char* detail = "InvalidArgumentType") {
    return runtime_error("TypeError", detail, span,
                         fmt::format("{} does not take {}", def.signature, a_kind(v.kind())));
  };
  if (def.id == F::kCoalesce) {
    for (const Value& v : a) {
      if (!v.is_null()) return v;
    }
    return Value();
  }
  if (def.id == F::kNullIf) return equals(a[0], a[1]) == Truth::kTrue ? Value() : a[0];
  if (def.id == F::kExists) return Value::boolean(!a[0].is_null());
  // All others answer null for null.
  if (std::any_of(a.begin(), a.end(), [](const Value& v) { return v.is_null(); })) return Value();
  if (is_time_function(def.id)) return call_time_function(def, a, span, context);
  if (a.empty()) return call_scalar_function(def, a, span, context);
  const Value& x = a[0];
  const bool actor = x.kind() == ValueKind::kActor;
  const bool interaction = x.kind() == ValueKind::kInteraction;
  const bool path = x.kind() == ValueKind::kPath;

  switch (def.id) {
    case F::kId:
      if (actor) return Value::integer(static_cast<std::int64_t>(x.as_actor().value));
      if (interaction) return Value::integer(static_cast<std::int64_t>(x.as_interaction().value));
      return wrong(x);
    case F::kElementId:
      if (actor) return Value::string(fmt::format("a{}", x.as_actor().value));
      if (interaction) return Value::string(fmt::format("i{}", x.as_interaction().value));
      return wrong(x);
    case F::kType: {
      if (!interaction) return wrong(x, "InvalidArgumentValue");
      DEMARCHE_TRY(const InteractionFacts facts, context.facts(x.as_interaction()));
      return Value::string(context.view().kinds().get(facts.kind).name);
    }
    case F::kLabels: {
      if (interaction) {
        DEMARCHE_TRY(const InteractionFacts facts, context.facts(x.as_interaction()));
        return texts({context.view().kinds().get(facts.kind).name});
      }
      if (!actor) return wrong(x, "InvalidArgumentValue");
      DEMARCHE_TRY(const Actor* record, context.actor(x.as_actor()));
      return texts(record->labels);
    }
    case F::kKeys: {
      DEMARCHE_TRY(const Value all, all_properties(x, context, span));
      ValueList out;
      for (const auto& entry : all.as_map()) out.push_back(Value::string(entry.first));
      return Value::list(std::move(out));
    }
    case F::kProperties:
      return all_properties(x, context, span);
    case F::kParticipants:
      return interaction ? participants(x.as_interaction(), context) : wrong(x);
    case F::kRole:
      if (!interaction) return wrong(x);
      return a[1].kind() == ValueKind::kActor ? role(x.as_interaction(), a[1].as_actor(), context) : wrong(a[1]);
    case F::kClaims:
      return interaction ? claims(x.as_interaction(), context) : wrong(x);
    case F::kStartNode:
      return interaction ? end_of_interaction(x.as_interaction(), Side::kFrom, context) : wrong(x);
    case F::kEndNode:
      return interaction ? end_of_interaction(x.as_interaction(), Side::kTo, context) : wrong(x);
    case F::kOffices:
    case F::kOffice:
    case F::kMemberships: {
      if (!actor) return wrong(x);
      std::optional<TimeOperand> at;
      if (a.size() == 2) DEMARCHE_ASSIGN(at, time_operand(a[1], span, context));
      const bool office = def.id != F::kMemberships;
      DEMARCHE_TRY(const std::vector<Tie> all, ties(x.as_actor(), office ? kinds::kHoldsOffice : kinds::kMemberOf,
                                                    office ? Role::kHolder : Role::kMember, at, context));
      return def.id == F::kOffice ? last_certain(all, context) : tie_list(all, office, context);
    }
    case F::kNodes: {
      if (!path) return wrong(x);
      ValueList out;
      for (const ActorId id : x.as_path().actors) out.push_back(Value::actor(id));
      return Value::list(std::move(out));
    }
    case F::kRelationships: {
      if (!path) return wrong(x);
      ValueList out;
      for (const InteractionId id : x.as_path().interactions) out.push_back(Value::interaction(id));
      return Value::list(std::move(out));
    }
    case F::kLength:
      return path ? Value::integer(static_cast<std::int64_t>(x.as_path().interactions.size()))
                  : Result<Value>(wrong(x));
    case F::kArrival:
      if (!path) return wrong(x);
      return x.as_path().arrival ? Value::date(*x.as_path().arrival) : Value();
    case F::kDeparture:
      if (!path) return wrong(x);
      return departure(x.as_path(), context);
    case F::kNames: {
      if (!actor) return wrong(x);
      DEMARCHE_TRY(const Actor* record, context.actor(x.as_actor()));
      std::vector<std::string> names = record->aliases;
      if (!record->name.empty()) names.insert(names.begin(), record->name);
      return texts(names);
    }
    default:
      return call_scalar_function(def, a, span, context);
  }
}

}  // namespace demarche::query

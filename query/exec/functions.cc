#include "query/exec/functions.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <utf8proc.h>

#include "engine/contact.h"
#include "engine/edtf.h"
#include "query/exec/evaluate.h"

namespace demarche::query {

namespace {

constexpr std::int64_t kRangeMax = 10'000'000;

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

// Offices from the HOLDS_OFFICE ties of an actor, those held at `at` under some reading if it is given.
Result<Value> offices(ActorId actor, const std::optional<TimeOperand>& at, ExecContext& context) {
  const KindSet kinds = context.view().kinds().all_below(kinds::kHoldsOffice);
  DEMARCHE_TRY(RowCursor cursor, context.view().scan(actor, {}, kinds));
  ValueList out;
  RowBatch rows;
  while (true) {
    DEMARCHE_CHECK(cursor.next(rows));
    if (rows.size() == 0) return Value::list(std::move(out));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto parties = rows.parties_of(i);
      const auto holds = [&](const Party& p) { return p.actor == actor && p.role == Role::kHolder; };
      if (std::none_of(parties.begin(), parties.end(), holds)) continue;
      const Truth held = at ? during(at->bounds, rows.bounds[i]) : Truth::kTrue;
      if (held == Truth::kFalse) continue;
      DEMARCHE_TRY(const Interaction* record, context.interaction(rows.interaction[i]));
      const PropertyValue* title = find_property(record->properties, "title");
      const auto body =
          std::find_if(parties.begin(), parties.end(), [](const Party& p) { return p.role == Role::kBody; });
      out.push_back(Value::map({{"title", title != nullptr ? from_property(*title) : Value()},
                                {"of", body != parties.end() ? Value::actor(body->actor) : Value()},
                                {"when", when_or_null(record->when, record->id)},
                                {"certain", Value::boolean(held == Truth::kTrue)}}));
    }
  }
}

// ---- texts, counted in characters ----------------------------------------------------------------------------------

std::vector<std::string> characters(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t n = 1;
    while (i + n < text.size() && (static_cast<unsigned char>(text[i + n]) & 0xC0) == 0x80) ++n;
    out.push_back(text.substr(i, n));
    i += n;
  }
  return out;
}

std::string part(const std::string& text, std::int64_t from, std::int64_t count) {
  const std::vector<std::string> all = characters(text);
  const auto size = static_cast<std::int64_t>(all.size());
  std::string out;
  for (std::int64_t i = std::max<std::int64_t>(0, from); i < size && i - from < count; ++i)
    out += all[static_cast<std::size_t>(i)];
  return out;
}

std::string change_case(const std::string& text, utf8proc_int32_t (*change)(utf8proc_int32_t)) {
  std::string out;
  const auto* p = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t c = 0;
    const utf8proc_ssize_t n = utf8proc_iterate(p, left, &c);
    if (n <= 0) break;
    utf8proc_uint8_t bytes[4];
    const utf8proc_ssize_t size = utf8proc_encode_char(change(c), bytes);
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    p += n;
    left -= n;
  }
  return out;
}

std::string trim(const std::string& text) {
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  const auto begin = std::find_if_not(text.begin(), text.end(), blank);
  const auto end = std::find_if_not(text.rbegin(), std::make_reverse_iterator(begin), blank).base();
  return {begin, end};
}

Value split(const std::string& text, const std::string& by) {
  ValueList out;
  if (by.empty()) {
    for (std::string& c : characters(text)) out.push_back(Value::string(std::move(c)));
    return Value::list(std::move(out));
  }
  std::size_t from = 0;
  for (std::size_t at = text.find(by); at != std::string::npos; at = text.find(by, from)) {
    out.push_back(Value::string(text.substr(from, at - from)));
    from = at + by.size();
  }
  out.push_back(Value::string(text.substr(from)));
  return Value::list(std::move(out));
}

std::string replace_all(const std::string& text, const std::string& what, const std::string& by) {
  if (what.empty()) return text;
  std::string out;
  std::size_t from = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, from)) {
    out.append(text, from, at - from).append(by);
    from = at + what.size();
  }
  return out.append(text, from);
}

// ---- conversions ---------------------------------------------------------------------------------------------------

Value to_integer(const Value& v) {
  if (v.kind() == ValueKind::kInteger) return v;
  double real = 0;
  if (v.kind() == ValueKind::kFloat) {
    real = v.as_real();
  } else if (v.kind() == ValueKind::kString) {
    const std::string text = trim(v.as_string());
    std::int64_t whole = 0;
    const char* end = text.data() + text.size();
    if (const auto [stop, error] = std::from_chars(text.data(), end, whole); error == std::errc() && stop == end) {
      return Value::integer(whole);
    }
    if (const auto [stop, error] = std::from_chars(text.data(), end, real); error != std::errc() || stop != end)
      return Value();
  } else {
    return Value();
  }
  if (!(real >= -9223372036854775808.0 && real < 9223372036854775808.0)) return Value();
  return Value::integer(static_cast<std::int64_t>(real));
}

Value to_float(const Value& v) {
  if (v.is_number()) return Value::real(v.to_real());
  if (v.kind() != ValueKind::kString) return Value();
  const std::string text = trim(v.as_string());
  double real = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, real);
  return error == std::errc() && stop == end && !text.empty() && std::isfinite(real) ? Value::real(real) : Value();
}

Value to_boolean(const Value& v) {
  if (v.kind() == ValueKind::kBoolean) return v;
  if (v.kind() != ValueKind::kString) return Value();
  std::string text = trim(v.as_string());
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text == "true") return Value::boolean(true);
  if (text == "false") return Value::boolean(false);
  return Value();
}

// date('2015') is 1 January 2015, as the conformance kit has it. DATE '2015' is the year.
Result<Value> calendar_day(const std::string& text, Span span) {
  auto edtf = parse_edtf(text);
  if (!edtf) return runtime_error("ArgumentError", "InvalidDate", span, edtf.error().message);
  if (edtf->shape != EdtfShape::kDate || edtf->earliest.kind != EdtfBound::Kind::kDay || edtf->level != 0) {
    return runtime_error("ArgumentError", "InvalidDate", span,
                         fmt::format("date('{}') wants a plain date; write DATE '{}' for a vague one", text, text));
  }
  auto day = parse_edtf(format_day(edtf->earliest.day));
  if (!day) return tl::unexpected(std::move(day).error());
  return Value::date(date_literal(*day));
}

Result<Value> range(const std::vector<Value>& a, Span span) {
  for (const Value& v : a) {
    if (v.kind() != ValueKind::kInteger)
      return runtime_error("ArgumentError", "InvalidArgumentType", span, "range() takes whole numbers");
  }
  const std::int64_t step = a.size() == 3 ? a[2].as_integer() : 1;
  if (step == 0)
    return runtime_error("ArgumentError", "NumberOutOfRange", span, "range() with a step of 0 does not end");
  std::int64_t distance = 0;
  const bool too_far = __builtin_sub_overflow(a[1].as_integer(), a[0].as_integer(), &distance);
  if (a[0].as_integer() != a[1].as_integer() && (a[1].as_integer() < a[0].as_integer()) != (step < 0))
    return Value::list({});
  // -2^63 / -1 is the one quotient that does not fit, and far above the limit anyway.
  const bool least = distance == std::numeric_limits<std::int64_t>::min();
  const std::int64_t count = least ? kRangeMax : distance / step;
  if (too_far || count >= kRangeMax)
    return runtime_error("ArgumentError", "NumberOutOfRange", span,
                         fmt::format("range() makes at most {} numbers", kRangeMax));
  ValueList out;
  for (std::int64_t i = 0; i <= count; ++i) out.push_back(Value::integer(a[0].as_integer() + i * step));
  return Value::list(std::move(out));
}

Result<Value> number_function(FunctionId id, const Value& v, Span span) {
  const bool whole = v.kind() == ValueKind::kInteger;
  if (whole && v.as_integer() == std::numeric_limits<std::int64_t>::min() && id == FunctionId::kAbs) {
    return runtime_error("ArithmeticError", "IntegerOverflow", span, "the result does not fit into 64 bits");
  }
  switch (id) {
    case FunctionId::kAbs:
      return whole ? Value::integer(v.as_integer() < 0 ? -v.as_integer() : v.as_integer())
                   : Value::real(std::abs(v.as_real()));
    case FunctionId::kCeil:
      return Value::real(std::ceil(v.to_real()));
    case FunctionId::kFloor:
      return Value::real(std::floor(v.to_real()));
    case FunctionId::kRound: {
      const double below = std::floor(v.to_real());
      return Value::real(v.to_real() - below >= 0.5 ? below + 1 : below);
    }
    case FunctionId::kSqrt:
      return Value::real(std::sqrt(v.to_real()));
    default:
      return Value::integer(v.to_real() > 0 ? 1 : (v.to_real() < 0 ? -1 : 0));
  }
}

}  // namespace

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
  if (key == "part_of" && record->part_of) return Value::interaction(*record->part_of);
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

std::string to_text(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kString:
      return value.as_string();
    case ValueKind::kDate:
      return value.as_date().text;
    case ValueKind::kBoolean:
      return value.as_boolean() ? "true" : "false";
    case ValueKind::kInteger:
      return fmt::format("{}", value.as_integer());
    case ValueKind::kFloat: {
      const double d = value.as_real();
      if (std::isnan(d)) return "NaN";
      if (std::isinf(d)) return d > 0 ? "Infinity" : "-Infinity";
      std::string text = fmt::format("{}", d);
      return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    }
    default:
      return "";
  }
}

Result<Value> call_function(const FunctionDef& def, const std::vector<Value>& a, Span span, ExecContext& context) {
  using F = FunctionId;
  const auto wrong = [&](const Value& v) {
    return runtime_error("TypeError", "InvalidArgumentType", span,
                         fmt::format("{} does not take {}", def.signature, a_kind(v.kind())));
  };
  if (def.id == F::kCoalesce) {
    for (const Value& v : a) {
      if (!v.is_null()) return v;
    }
    return Value();
  }
  if (def.id == F::kExists) return Value::boolean(!a[0].is_null());
  // All others answer null for null.
  if (std::any_of(a.begin(), a.end(), [](const Value& v) { return v.is_null(); })) return Value();
  const Value& x = a[0];
  const bool actor = x.kind() == ValueKind::kActor;
  const bool interaction = x.kind() == ValueKind::kInteraction;
  const bool list = x.kind() == ValueKind::kList;
  const bool text = x.kind() == ValueKind::kString;
  const bool path = x.kind() == ValueKind::kPath;
  const auto whole = [&](std::size_t i) { return a[i].kind() == ValueKind::kInteger; };
  const auto is_text = [&](std::size_t i) { return a[i].kind() == ValueKind::kString; };

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
      if (!interaction) return wrong(x);
      DEMARCHE_TRY(const InteractionFacts facts, context.facts(x.as_interaction()));
      return Value::string(context.view().kinds().get(facts.kind).name);
    }
    case F::kLabels: {
      if (interaction) {
        DEMARCHE_TRY(const InteractionFacts facts, context.facts(x.as_interaction()));
        return texts({context.view().kinds().get(facts.kind).name});
      }
      if (!actor) return wrong(x);
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
    case F::kOffices: {
      if (!actor) return wrong(x);
      std::optional<TimeOperand> at;
      if (a.size() == 2) DEMARCHE_ASSIGN(at, time_operand(a[1], span, context));
      return offices(x.as_actor(), at, context);
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
    case F::kDate:
      if (x.kind() == ValueKind::kDate) return x;
      return text ? calendar_day(x.as_string(), span) : wrong(x);
    case F::kSize:
      if (list) return Value::integer(static_cast<std::int64_t>(x.as_list().size()));
      return text ? Value::integer(static_cast<std::int64_t>(characters(x.as_string()).size()))
                  : Result<Value>(wrong(x));
    case F::kHead:
      if (!list) return wrong(x);
      return x.as_list().empty() ? Value() : x.as_list().front();
    case F::kLast:
      if (!list) return wrong(x);
      return x.as_list().empty() ? Value() : x.as_list().back();
    case F::kTail:
      if (!list) return wrong(x);
      return Value::list(x.as_list().empty() ? ValueList() : ValueList(x.as_list().begin() + 1, x.as_list().end()));
    case F::kReverse: {
      if (list) return Value::list(ValueList(x.as_list().rbegin(), x.as_list().rend()));
      if (!text) return wrong(x);
      std::vector<std::string> all = characters(x.as_string());
      std::string out;
      for (auto it = all.rbegin(); it != all.rend(); ++it) out += *it;
      return Value::string(std::move(out));
    }
    case F::kRange:
      return range(a, span);
    case F::kToLower:
      return text ? Value::string(change_case(x.as_string(), utf8proc_tolower)) : Result<Value>(wrong(x));
    case F::kToUpper:
      return text ? Value::string(change_case(x.as_string(), utf8proc_toupper)) : Result<Value>(wrong(x));
    case F::kTrim:
      return text ? Value::string(trim(x.as_string())) : Result<Value>(wrong(x));
    case F::kSubstring: {
      if (!text || !whole(1) || (a.size() == 3 && !whole(2))) return wrong(x);
      const std::int64_t count = a.size() == 3 ? a[2].as_integer() : kRangeMax;
      if (a[1].as_integer() < 0 || count < 0)
        return runtime_error("ArgumentError", "NegativeIntegerArgument", span, "substring() counts from 0");
      return Value::string(part(x.as_string(), a[1].as_integer(), count));
    }
    case F::kReplace:
      return text && is_text(1) && is_text(2)
                 ? Value::string(replace_all(x.as_string(), a[1].as_string(), a[2].as_string()))
                 : Result<Value>(wrong(x));
    case F::kSplit:
      return text && is_text(1) ? split(x.as_string(), a[1].as_string()) : Result<Value>(wrong(x));
    case F::kLeft:
    case F::kRight: {
      if (!text || !whole(1)) return wrong(x);
      if (a[1].as_integer() < 0)
        return runtime_error("ArgumentError", "NegativeIntegerArgument", span, "a length cannot be negative");
      const auto size = static_cast<std::int64_t>(characters(x.as_string()).size());
      const std::int64_t n = std::min(size, a[1].as_integer());
      return Value::string(def.id == F::kLeft ? part(x.as_string(), 0, n) : part(x.as_string(), size - n, n));
    }
    case F::kToString:
      if (list || actor || interaction || path || x.kind() == ValueKind::kMap) return wrong(x);
      return Value::string(to_text(x));
    case F::kToInteger:
      return to_integer(x);
    case F::kToFloat:
      return to_float(x);
    case F::kToBoolean:
      return to_boolean(x);
    case F::kAbs:
    case F::kCeil:
    case F::kFloor:
    case F::kRound:
    case F::kSign:
    case F::kSqrt:
      return x.is_number() ? number_function(def.id, x, span) : wrong(x);
    default:
      break;
  }
  return wrong(x);
}

}  // namespace demarche::query

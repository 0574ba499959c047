#include "proto/wire_values.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "engine/edtf.h"

namespace demarche::proto {

namespace {

using query::Value;
using query::ValueKind;

std::optional<wire::TimeText::Form> form_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::kDay:
      return wire::TimeText::Form::DAY;
    case ValueKind::kLocalTime:
      return wire::TimeText::Form::LOCAL_TIME;
    case ValueKind::kTime:
      return wire::TimeText::Form::TIME;
    case ValueKind::kLocalDateTime:
      return wire::TimeText::Form::LOCAL_DATE_TIME;
    case ValueKind::kDateTime:
      return wire::TimeText::Form::DATE_TIME;
    case ValueKind::kDuration:
      return wire::TimeText::Form::DURATION;
    default:
      return std::nullopt;
  }
}

Result<Value> read_time(wire::TimeText::Reader in) {
  const std::string iso = text_of(in.getIso());
  const auto time = [&](query::TimeType type) -> Result<Value> {
    DEMARCHE_TRY(const query::CalendarTime t, query::parse_time(type, iso));
    return Value::time(t);
  };
  switch (in.getForm()) {
    case wire::TimeText::Form::DAY:
      return time(query::TimeType::kDay);
    case wire::TimeText::Form::LOCAL_TIME:
      return time(query::TimeType::kLocalTime);
    case wire::TimeText::Form::TIME:
      return time(query::TimeType::kTime);
    case wire::TimeText::Form::LOCAL_DATE_TIME:
      return time(query::TimeType::kLocalDateTime);
    case wire::TimeText::Form::DATE_TIME:
      return time(query::TimeType::kDateTime);
    case wire::TimeText::Form::DURATION: {
      DEMARCHE_TRY(const query::Duration duration, query::parse_duration(iso));
      return Value::duration(duration);
    }
  }
  return invalid("a time of unknown form");
}

void write_date(const query::DateValue& date, wire::Date::Builder out) {
  out.setText(date.text);
  write_bounds(date.bounds, out.initBounds());
  if (date.period != date.bounds) write_bounds(date.period, out.initPeriod());
  out.setOwner(date.owner.value);
}

// A parameter may give the text alone.
Result<query::DateValue> read_date(wire::Date::Reader in) {
  const std::string text = text_of(in.getText());
  if (!in.hasBounds()) {
    DEMARCHE_TRY(const Edtf edtf, parse_edtf(text));
    return query::date_literal(edtf);
  }
  const TimeBounds bounds = read_bounds(in.getBounds());
  return query::DateValue{text, bounds, in.hasPeriod() ? read_bounds(in.getPeriod()) : bounds, {in.getOwner()}};
}

void write_entries(const query::ValueMap& map, capnp::List<wire::Value::Entry>::Builder out) {
  for (capnp::uint i = 0; i < out.size(); ++i) {
    out[i].setKey(map[i].first);
    write_value(map[i].second, out[i].initValue());
  }
}

void write_properties(const Properties& properties, capnp::List<wire::Value::Entry>::Builder out) {
  for (capnp::uint i = 0; i < out.size(); ++i) {
    out[i].setKey(properties[i].first);
    write_value(query::from_property(properties[i].second), out[i].initValue());
  }
}

Result<Properties> read_properties(capnp::List<wire::Value::Entry>::Reader in) {
  Properties out;
  for (const auto entry : in) {
    DEMARCHE_TRY(const Value value, read_value(entry.getValue()));
    DEMARCHE_TRY(PropertyValue property, query::to_property(value));
    out.emplace_back(text_of(entry.getKey()), std::move(property));
  }
  return out;
}

void write_texts(const std::vector<std::string>& texts, capnp::List<capnp::Text>::Builder out) {
  for (capnp::uint i = 0; i < out.size(); ++i) out.set(i, texts[i]);
}
std::vector<std::string> read_texts(capnp::List<capnp::Text>::Reader in) {
  std::vector<std::string> out;
  for (const auto text : in) out.push_back(text_of(text));
  return out;
}

void write_when(const When& when, wire::When::Builder out) {
  out.setText(when.text);
  write_bounds(when.bounds, out.initBounds());
}
std::optional<When> read_when(bool has, wire::When::Reader in) {
  if (!has) return std::nullopt;
  return When{text_of(in.getText()), read_bounds(in.getBounds())};
}

capnp::uint count_of(std::size_t n) { return static_cast<capnp::uint>(n); }

}  // namespace

std::string text_of(capnp::Text::Reader text) { return std::string(text.begin(), text.size()); }

std::size_t size_of(const Value& value, std::size_t enough) {
  constexpr std::size_t kStruct = 24;
  constexpr std::size_t kDateSize = 80;
  switch (value.kind()) {
    case ValueKind::kString:
      return kStruct + value.as_string().size();
    case ValueKind::kDate:
      return kStruct + kDateSize + value.as_date().text.size();
    case ValueKind::kList: {
      std::size_t sum = kStruct;
      for (const Value& item : value.as_list()) {
        sum += size_of(item, enough);
        if (sum > enough) break;
      }
      return sum;
    }
    case ValueKind::kMap: {
      std::size_t sum = kStruct;
      for (const auto& [key, item] : value.as_map()) {
        sum += key.size() + kStruct + size_of(item, enough);
        if (sum > enough) break;
      }
      return sum;
    }
    case ValueKind::kPath:
      return kStruct * 4 + 16 * value.as_path().actors.size();
    default:
      return kStruct;
  }
}

Result<void> check_depth(const Value& value, std::size_t depth) {
  if (depth > kValueDepthMax) {
    return make_error(ErrorCode::kLimit,
                      fmt::format("a value is nested deeper than {} levels, more than can be sent", kValueDepthMax));
  }
  if (value.kind() == ValueKind::kList) {
    for (const Value& item : value.as_list()) DEMARCHE_CHECK(check_depth(item, depth + 1));
  } else if (value.kind() == ValueKind::kMap) {
    for (const auto& [key, item] : value.as_map()) DEMARCHE_CHECK(check_depth(item, depth + 1));
  }
  return {};
}

void write_value(const Value& value, wire::Value::Builder out) {
  switch (value.kind()) {
    case ValueKind::kNull:
      out.setNull();
      break;
    case ValueKind::kBoolean:
      out.setBoolean(value.as_boolean());
      break;
    case ValueKind::kInteger:
      out.setInteger(value.as_integer());
      break;
    case ValueKind::kFloat:
      out.setFloat(value.as_real());
      break;
    case ValueKind::kString:
      out.setText(value.as_string());
      break;
    case ValueKind::kDate:
      write_date(value.as_date(), out.initDate());
      break;
    case ValueKind::kActor:
      out.setActor(value.as_actor().value);
      break;
    case ValueKind::kInteraction:
      out.setInteraction(value.as_interaction().value);
      break;
    case ValueKind::kList: {
      auto list = out.initList(count_of(value.as_list().size()));
      for (capnp::uint i = 0; i < list.size(); ++i) write_value(value.as_list()[i], list[i]);
      break;
    }
    case ValueKind::kMap:
      write_entries(value.as_map(), out.initMap(count_of(value.as_map().size())));
      break;
    case ValueKind::kPath: {
      const query::PathValue& path = value.as_path();
      auto p = out.initPath();
      write_ids(path.actors, p.initActors(count_of(path.actors.size())));
      write_ids(path.interactions, p.initInteractions(count_of(path.interactions.size())));
      if (path.arrival != nullptr) write_date(*path.arrival, p.initArrival());
      break;
    }
    default: {
      auto time = out.initTime();
      time.setForm(*form_of(value.kind()));
      time.setIso(query::iso_text(value));
    }
  }
}

void write_column(const Value* values, std::size_t count, wire::Column::Builder out) {
  const auto n = count_of(count);
  const ValueKind kind = count == 0 ? ValueKind::kNull : values[0].kind();
  const bool typed = std::all_of(values, values + count, [&](const Value& v) { return v.kind() == kind; });
  const auto fill = [&](auto list, auto&& get) {
    for (capnp::uint i = 0; i < n; ++i) list.set(i, get(values[i]));
  };
  if (typed) {
    switch (kind) {
      case ValueKind::kBoolean:
        return fill(out.initBooleans(n), [](const Value& v) { return v.as_boolean(); });
      case ValueKind::kInteger:
        return fill(out.initIntegers(n), [](const Value& v) { return v.as_integer(); });
      case ValueKind::kFloat:
        return fill(out.initFloats(n), [](const Value& v) { return v.as_real(); });
      case ValueKind::kActor:
        return fill(out.initActors(n), [](const Value& v) { return v.as_actor().value; });
      case ValueKind::kInteraction:
        return fill(out.initInteractions(n), [](const Value& v) { return v.as_interaction().value; });
      case ValueKind::kString:
        return fill(out.initTexts(n), [](const Value& v) { return capnp::Text::Reader(v.as_string()); });
      case ValueKind::kDate: {
        auto dates = out.initDates(n);
        for (capnp::uint i = 0; i < n; ++i) write_date(values[i].as_date(), dates[i]);
        return;
      }
      default:
        break;
    }
  }
  auto list = out.initValues(n);
  for (capnp::uint i = 0; i < n; ++i) write_value(values[i], list[i]);
}

Result<Value> read_value(wire::Value::Reader in, std::size_t depth) {
  if (depth > kValueDepthMax) return invalid("a value is nested too deep");
  switch (in.which()) {
    case wire::Value::NULL_:
      return Value();
    case wire::Value::BOOLEAN:
      return Value::boolean(in.getBoolean());
    case wire::Value::INTEGER:
      return Value::integer(in.getInteger());
    case wire::Value::FLOAT:
      return Value::real(in.getFloat());
    case wire::Value::TEXT:
      return Value::string(text_of(in.getText()));
    case wire::Value::ACTOR:
      return Value::actor({in.getActor()});
    case wire::Value::INTERACTION:
      return Value::interaction({in.getInteraction()});
    case wire::Value::TIME:
      return read_time(in.getTime());
    case wire::Value::DATE: {
      DEMARCHE_TRY(query::DateValue date, read_date(in.getDate()));
      return Value::date(std::move(date));
    }
    case wire::Value::LIST: {
      query::ValueList items;
      for (const auto item : in.getList()) {
        DEMARCHE_TRY(Value value, read_value(item, depth + 1));
        items.push_back(std::move(value));
      }
      return Value::list(std::move(items));
    }
    case wire::Value::MAP: {
      query::ValueMap entries;
      for (const auto entry : in.getMap()) {
        DEMARCHE_TRY(Value value, read_value(entry.getValue(), depth + 1));
        entries.emplace_back(text_of(entry.getKey()), std::move(value));
      }
      return Value::map(std::move(entries));
    }
    case wire::Value::PATH: {
      const auto p = in.getPath();
      query::PathValue path{read_ids<ActorId>(p.getActors()), read_ids<InteractionId>(p.getInteractions())};
      if (path.actors.size() != path.interactions.size() + 1) return invalid("a path must alternate");
      if (p.hasArrival()) {
        DEMARCHE_TRY(query::DateValue date, read_date(p.getArrival()));
        path.arrival = std::make_shared<const query::DateValue>(std::move(date));
      }
      return Value::path(std::move(path));
    }
  }
  return invalid("a value of unknown type; is the other side newer?");
}

Result<std::vector<Value>> read_column(wire::Column::Reader in, std::size_t rows) {
  std::vector<Value> out;
  out.reserve(rows);
  const auto fill = [&](auto list, auto&& make) {
    for (const auto item : list) out.push_back(make(item));
  };
  switch (in.which()) {
    case wire::Column::BOOLEANS:
      fill(in.getBooleans(), &Value::boolean);
      break;
    case wire::Column::INTEGERS:
      fill(in.getIntegers(), &Value::integer);
      break;
    case wire::Column::FLOATS:
      fill(in.getFloats(), &Value::real);
      break;
    case wire::Column::TEXTS:
      fill(in.getTexts(), [](capnp::Text::Reader text) { return Value::string(text_of(text)); });
      break;
    case wire::Column::ACTORS:
      fill(in.getActors(), [](std::uint64_t id) { return Value::actor({id}); });
      break;
    case wire::Column::INTERACTIONS:
      fill(in.getInteractions(), [](std::uint64_t id) { return Value::interaction({id}); });
      break;
    case wire::Column::DATES:
      for (const auto item : in.getDates()) {
        DEMARCHE_TRY(query::DateValue date, read_date(item));
        out.push_back(Value::date(std::move(date)));
      }
      break;
    case wire::Column::VALUES:
      for (const auto item : in.getValues()) {
        DEMARCHE_TRY(Value value, read_value(item));
        out.push_back(std::move(value));
      }
      break;
  }
  if (out.size() != rows) return invalid(fmt::format("a column of {} values in a batch of {} rows", out.size(), rows));
  return out;
}

Result<std::map<std::string, Value>> read_parameters(capnp::List<wire::Parameter>::Reader in) {
  std::map<std::string, Value> out;
  for (const auto parameter : in) {
    const std::string name = text_of(parameter.getName());
    auto value = read_value(parameter.getValue());
    if (!value) return tl::unexpected(std::move(value).error().with_context("parameter $" + name));
    out[name] = std::move(*value);
  }
  return out;
}

void write_parameters(const std::map<std::string, Value>& parameters, capnp::List<wire::Parameter>::Builder out) {
  capnp::uint i = 0;
  for (const auto& [name, value] : parameters) {
    out[i].setName(name);
    write_value(value, out[i].initValue());
    ++i;
  }
}

void write_bounds(const TimeBounds& bounds, wire::Bounds::Builder out) {
  out.setIsSpan(bounds.is_span);
  out.setQualified(bounds.qualified);
  out.setHasGaps(bounds.has_gaps);
  out.setFineBegin(bounds.fine_begin);
  out.setFineEnd(bounds.fine_end);
  out.setBeginMin(bounds.begin_min.seconds);
  out.setBeginMax(bounds.begin_max.seconds);
  out.setEndMin(bounds.end_min.seconds);
  out.setEndMax(bounds.end_max.seconds);
}

TimeBounds read_bounds(wire::Bounds::Reader in) {
  return {in.getIsSpan(),     in.getQualified(),  in.getHasGaps(),  in.getFineBegin(), in.getFineEnd(),
          {in.getBeginMin()}, {in.getBeginMax()}, {in.getEndMin()}, {in.getEndMax()}};
}

bool is_refusal(ErrorCode code) { return code != ErrorCode::kCorruption && code != ErrorCode::kIo; }

void write_refusal(const Error& error, wire::Refusal::Builder out) {
  out.setCode(static_cast<wire::Refusal::Code>(error.code));
  out.setMessage(error.message);
  if (error.fault == nullptr) return;
  auto fault = out.initFault();
  fault.setType(error.fault->type);
  fault.setPhase(error.fault->phase);
  fault.setDetail(error.fault->detail);
  fault.setOffset(error.fault->offset);
  fault.setLength(error.fault->length);
  fault.setHasPosition(error.fault->has_position);
}
static_assert(static_cast<int>(ErrorCode::kDenied) == static_cast<int>(wire::Refusal::Code::DENIED));
static_assert(static_cast<int>(ErrorCode::kLimit) == static_cast<int>(wire::Refusal::Code::LIMIT));
static_assert(static_cast<int>(ErrorCode::kOverloaded) == static_cast<int>(wire::Refusal::Code::OVERLOADED));

Error read_refusal(wire::Refusal::Reader in) {
  Error out;
  const auto code = static_cast<std::uint16_t>(in.getCode());
  out.code = code <= static_cast<std::uint16_t>(ErrorCode::kDenied) ? static_cast<ErrorCode>(code) : ErrorCode::kIo;
  out.message = text_of(in.getMessage());
  if (in.hasFault()) {
    const auto fault = in.getFault();
    out.fault = std::make_shared<const QueryFault>(
        QueryFault{text_of(fault.getType()), text_of(fault.getPhase()), text_of(fault.getDetail()),
                   static_cast<std::size_t>(fault.getOffset()), static_cast<std::size_t>(fault.getLength()),
                   fault.getHasPosition()});
  }
  return out;
}

void write_actor(const Actor& actor, wire::ActorRecord::Builder out) {
  out.setId(actor.id.value);
  out.setKey(actor.key);
  out.setName(actor.name);
  write_texts(actor.labels, out.initLabels(count_of(actor.labels.size())));
  write_texts(actor.aliases, out.initAliases(count_of(actor.aliases.size())));
  write_properties(actor.properties, out.initProperties(count_of(actor.properties.size())));
}

Result<Actor> read_actor(wire::ActorRecord::Reader in) {
  Actor out;
  out.id = {in.getId()};
  out.key = text_of(in.getKey());
  out.name = text_of(in.getName());
  out.labels = read_texts(in.getLabels());
  out.aliases = read_texts(in.getAliases());
  DEMARCHE_ASSIGN(out.properties, read_properties(in.getProperties()));
  return out;
}

void write_interaction(const Interaction& record, const KindTable& kinds, wire::InteractionRecord::Builder out) {
  out.setId(record.id.value);
  out.setRow(record.row.value);
  out.setKey(record.key);
  out.setKind(kinds.get(record.kind).name);
  if (record.when) write_when(*record.when, out.initWhen());
  auto participants = out.initParticipants(count_of(record.participants.size()));
  for (capnp::uint i = 0; i < participants.size(); ++i) {
    const Participant& p = record.participants[i];
    participants[i].setActor(p.actor.value);
    participants[i].setRole(static_cast<wire::ParticipantRole>(p.role));
    participants[i].setActingFor(p.acting_for ? p.acting_for->value : 0);
  }
  out.setStatus(static_cast<wire::Status>(record.status));
  out.setPlace(record.place);
  out.setPartOf(record.part_of ? record.part_of->value : 0);
  write_properties(record.properties, out.initProperties(count_of(record.properties.size())));
  auto claims = out.initClaims(count_of(record.claims.size()));
  for (capnp::uint i = 0; i < claims.size(); ++i) {
    const Claim& claim = record.claims[i];
    claims[i].setSource(claim.source.value);
    claims[i].setLocator(claim.locator);
    claims[i].setWords(claim.words);
    if (claim.published) write_when(*claim.published, claims[i].initPublished());
    if (claim.when) write_when(*claim.when, claims[i].initWhen());
    claims[i].setStatus(static_cast<wire::Status>(claim.status));
    claims[i].setNote(claim.note);
  }
}
static_assert(kRoleCount == static_cast<int>(wire::ParticipantRole::BODY));

Result<Interaction> read_interaction(wire::InteractionRecord::Reader in, const KindTable& kinds) {
  Interaction out{};
  out.id = {in.getId()};
  out.row = {in.getRow()};
  out.key = text_of(in.getKey());
  const std::string kind = text_of(in.getKind());
  const auto found = kinds.find(kind);
  if (!found)
    return invalid(fmt::format("the server sent an interaction of the kind '{}', which it had not named", kind));
  out.kind = *found;
  out.when = read_when(in.hasWhen(), in.getWhen());
  for (const auto p : in.getParticipants()) {
    const auto role = static_cast<std::uint16_t>(p.getRole());
    if (role == 0 || role > kRoleCount) return invalid("the server sent a role that is unknown here; is it newer?");
    Participant participant{{p.getActor()}, static_cast<Role>(role)};
    if (p.getActingFor() != 0) participant.acting_for = ActorId{p.getActingFor()};
    out.participants.push_back(participant);
  }
  const auto status_of = [](wire::Status s) {
    return static_cast<std::uint16_t>(s) <= 3 ? static_cast<Status>(s) : Status::kNone;
  };
  out.status = status_of(in.getStatus());
  out.place = text_of(in.getPlace());
  if (in.getPartOf() != 0) out.part_of = InteractionId{in.getPartOf()};
  DEMARCHE_ASSIGN(out.properties, read_properties(in.getProperties()));
  for (const auto c : in.getClaims()) {
    out.claims.push_back({{c.getSource()},
                          text_of(c.getLocator()),
                          text_of(c.getWords()),
                          read_when(c.hasPublished(), c.getPublished()),
                          read_when(c.hasWhen(), c.getWhen()),
                          status_of(c.getStatus()),
                          text_of(c.getNote())});
  }
  return out;
}

void write_source(const Source& source, wire::SourceRecord::Builder out) {
  out.setId(source.id.value);
  out.setKey(source.key);
  out.setTitle(source.title);
  out.setPublisher(source.publisher);
  out.setUrl(source.url);
  if (source.published) write_when(*source.published, out.initPublished());
  out.setGrade(source.grade);
  out.setNote(source.note);
}

Source read_source(wire::SourceRecord::Reader in) {
  return {{in.getId()},           text_of(in.getKey()),
          text_of(in.getTitle()), text_of(in.getPublisher()),
          text_of(in.getUrl()),   read_when(in.hasPublished(), in.getPublished()),
          text_of(in.getGrade()), text_of(in.getNote())};
}

void write_kinds(const KindTable& kinds, capnp::List<wire::Kind>::Builder out) {
  for (capnp::uint i = 0; i < out.size(); ++i) {
    const Kind& kind = kinds.all()[i];
    out[i].setId(kind.id.value);
    out[i].setParent(kind.parent.value);
    out[i].setName(kind.name);
    out[i].setCameo(kind.cameo);
    out[i].setPlover(kind.plover);
  }
}

Result<KindTable> read_kinds(capnp::List<wire::Kind>::Reader in) {
  KindTable out = KindTable::make_builtin();
  for (const auto k : in) {
    if (out.find_id({k.getId()}) != nullptr) continue;
    DEMARCHE_CHECK(out.restore(
        {{k.getId()}, {k.getParent()}, text_of(k.getName()), text_of(k.getCameo()), text_of(k.getPlover())}));
  }
  return out;
}

void write_arrival(const Arrival& arrival, wire::Arrival::Builder out) {
  out.setActor(arrival.actor.value);
  out.setEarliest(arrival.earliest.seconds);
  out.setLatest(arrival.latest.seconds);
  out.setHops(arrival.hops);
  auto path = out.initPath(count_of(arrival.path.size()));
  for (capnp::uint i = 0; i < path.size(); ++i) {
    path[i].setInteraction(arrival.path[i].interaction.value);
    path[i].setFrom(arrival.path[i].from.value);
    path[i].setTo(arrival.path[i].to.value);
  }
}

Arrival read_arrival(wire::Arrival::Reader in) {
  Arrival out{{in.getActor()}, {in.getEarliest()}, {in.getLatest()}, in.getHops(), {}};
  for (const auto hop : in.getPath()) {
    out.path.push_back({{hop.getInteraction()}, {hop.getFrom()}, {hop.getTo()}});
  }
  return out;
}

void write_changes(const query::Changes& changes, wire::Changes::Builder out) {
  out.setActorsCreated(changes.actors_created);
  out.setInteractionsCreated(changes.interactions_created);
  out.setActorsChanged(changes.actors_changed);
  out.setInteractionsChanged(changes.interactions_changed);
  out.setActorsDeleted(changes.actors_deleted);
  out.setInteractionsDeleted(changes.interactions_deleted);
  out.setCommit(changes.commit.value);
}

query::Changes read_changes(wire::Changes::Reader in) {
  return {in.getActorsCreated(), in.getInteractionsCreated(), in.getActorsChanged(), in.getInteractionsChanged(),
          in.getActorsDeleted(), in.getInteractionsDeleted(), {in.getCommit()}};
}

}  // namespace demarche::proto

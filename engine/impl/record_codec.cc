#include "engine/impl/record_codec.h"

#include <cmath>
#include <utility>

#include <capnp/message.h>
#include <capnp/serialize-packed.h>
#include <fmt/format.h>
#include <kj/exception.h>
#include <kj/io.h>

#include "engine/impl/record.capnp.h"

namespace demarche::impl {

namespace {

// Deepest list in a list that a property may hold; the reader's nesting limit is 64 pointers.
constexpr int kListDepthMax = 16;

kj::StringPtr text(const std::string& s) { return {s.c_str(), s.size()}; }
std::string text(capnp::Text::Reader t) { return {t.begin(), t.size()}; }

std::string pack(capnp::MessageBuilder& message) {
  kj::VectorOutputStream out(256);
  capnp::writePackedMessage(out, message);
  const auto bytes = out.getArray();
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

// Keeps KJ from writing to standard error while it reads damaged bytes; the error is returned instead.
class Quiet final : public kj::ExceptionCallback {
 public:
  void logMessage(kj::LogSeverity, const char*, int, int, kj::String&&) override {}
};

// Stored values come from this program; the limit is against damage, not attack, and must let the largest record in.
capnp::ReaderOptions reader_options() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = std::uint64_t{1} << 28;
  return options;
}

// Runs `read(root)` on the message in `bytes`. KJ exceptions end here.
template <typename Root, typename Read>
auto unpack(const char* what, std::uint64_t id, std::string_view bytes, Read read)
    -> decltype(read(std::declval<typename Root::Reader>())) {
  std::string reason;
  const Quiet quiet;
  try {
    kj::ArrayInputStream in(kj::arrayPtr(reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()));
    capnp::PackedMessageReader message(in, reader_options());
    return read(message.getRoot<Root>());
  } catch (const kj::Exception& e) {
    reason = e.getDescription().cStr();
  }
  return make_error(ErrorCode::kCorruption,
                    fmt::format("stored {} {} does not decode: {}; stop writing to this store", what, id, reason));
}

void write_value(record::PropertyValue::Builder out, const PropertyValue& in) {
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, bool>) {
          out.setBoolean(v);
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          out.setInteger(v);
        } else if constexpr (std::is_same_v<T, double>) {
          out.setFloat(v);
        } else if constexpr (std::is_same_v<T, std::string>) {
          out.setText(text(v));
        } else if constexpr (std::is_same_v<T, DateText>) {
          out.setDate(text(v.edtf));
        } else if constexpr (std::is_same_v<T, TimeText>) {
          auto time = out.initTime();
          time.setForm(static_cast<std::uint8_t>(v.form));
          time.setIso(text(v.iso));
        } else {
          auto list = out.initList(static_cast<unsigned>(v.size()));
          for (std::size_t i = 0; i < v.size(); ++i) write_value(list[static_cast<unsigned>(i)], v[i]);
        }
      },
      in.value);
}

Result<PropertyValue> read_value(record::PropertyValue::Reader in, int depth) {
  switch (in.which()) {
    case record::PropertyValue::BOOLEAN:
      return PropertyValue{in.getBoolean()};
    case record::PropertyValue::INTEGER:
      return PropertyValue{std::int64_t{in.getInteger()}};
    case record::PropertyValue::FLOAT:
      return PropertyValue{in.getFloat()};
    case record::PropertyValue::TEXT:
      return PropertyValue{text(in.getText())};
    case record::PropertyValue::DATE:
      return PropertyValue{DateText{text(in.getDate())}};
    case record::PropertyValue::TIME: {
      const std::uint8_t form = in.getTime().getForm();
      if (form < static_cast<std::uint8_t>(TimeForm::kDay) || form > static_cast<std::uint8_t>(TimeForm::kDuration))
        return make_error(ErrorCode::kCorruption, fmt::format("stored time of unknown form {}", form));
      return PropertyValue{TimeText{static_cast<TimeForm>(form), text(in.getTime().getIso())}};
    }
    case record::PropertyValue::LIST:
      break;
    default:
      return make_error(ErrorCode::kCorruption, "stored property value of an unknown kind");
  }
  if (depth >= kListDepthMax) return make_error(ErrorCode::kCorruption, "stored list is nested too deeply");
  std::vector<PropertyValue> list;
  for (auto item : in.getList()) {
    DEMARCHE_TRY(PropertyValue value, read_value(item, depth + 1));
    list.push_back(std::move(value));
  }
  return PropertyValue{std::move(list)};
}

template <typename Builder>
void write_properties(Builder out, const Properties& in) {
  auto list = out.initProperties(static_cast<unsigned>(in.size()));
  for (std::size_t i = 0; i < in.size(); ++i) {
    auto property = list[static_cast<unsigned>(i)];
    property.setKey(text(in[i].first));
    write_value(property.initValue(), in[i].second);
  }
}

template <typename Reader>
Result<Properties> read_properties(Reader in) {
  Properties out;
  for (auto property : in.getProperties()) {
    DEMARCHE_TRY(PropertyValue value, read_value(property.getValue(), 0));
    set_property(out, text(property.getKey()), std::move(value));
  }
  return out;
}

void write_when(record::When::Builder out, const When& in) {
  out.setText(text(in.text));
  auto b = out.initBounds();
  b.setIsSpan(in.bounds.is_span);
  b.setQualified(in.bounds.qualified);
  b.setHasGaps(in.bounds.has_gaps);
  b.setFineBegin(in.bounds.fine_begin);
  b.setFineEnd(in.bounds.fine_end);
  b.setBeginMin(in.bounds.begin_min.seconds);
  b.setBeginMax(in.bounds.begin_max.seconds);
  b.setEndMin(in.bounds.end_min.seconds);
  b.setEndMax(in.bounds.end_max.seconds);
}

When read_when(record::When::Reader in) {
  const auto b = in.getBounds();
  When out;
  out.text = text(in.getText());
  out.bounds.is_span = b.getIsSpan();
  out.bounds.qualified = b.getQualified();
  out.bounds.has_gaps = b.getHasGaps();
  out.bounds.fine_begin = b.getFineBegin();
  out.bounds.fine_end = b.getFineEnd();
  out.bounds.begin_min = {b.getBeginMin()};
  out.bounds.begin_max = {b.getBeginMax()};
  out.bounds.end_min = {b.getEndMin()};
  out.bounds.end_max = {b.getEndMax()};
  return out;
}

Result<Status> read_status(std::uint8_t value) {
  if (value > static_cast<std::uint8_t>(Status::kCancelled)) {
    return make_error(ErrorCode::kCorruption, fmt::format("stored status {} is unknown", value));
  }
  return static_cast<Status>(value);
}

void write_claim(record::Claim::Builder out, const Claim& in) {
  out.setSource(in.source.value);
  out.setLocator(text(in.locator));
  out.setWords(text(in.words));
  if (in.published) write_when(out.initPublished(), *in.published);
  if (in.when) write_when(out.initWhen(), *in.when);
  out.setStatus(static_cast<std::uint8_t>(in.status));
  out.setNote(text(in.note));
}

Result<Claim> read_claim(record::Claim::Reader in) {
  Claim out;
  out.source = SourceId{in.getSource()};
  out.locator = text(in.getLocator());
  out.words = text(in.getWords());
  if (in.hasPublished()) out.published = read_when(in.getPublished());
  if (in.hasWhen()) out.when = read_when(in.getWhen());
  DEMARCHE_TRY(out.status, read_status(in.getStatus()));
  out.note = text(in.getNote());
  return out;
}

Result<Participant> read_participant(record::Participant::Reader in) {
  const std::uint8_t role = in.getRole();
  if (role == 0 || role > kRoleCount) {
    return make_error(ErrorCode::kCorruption, fmt::format("stored role {} is unknown", role));
  }
  Participant out{ActorId{in.getActor()}, static_cast<Role>(role), std::nullopt};
  if (in.getActingFor() != 0) out.acting_for = ActorId{in.getActingFor()};
  return out;
}

template <typename ListBuilder>
void write_texts(ListBuilder out, const std::vector<std::string>& in) {
  for (std::size_t i = 0; i < in.size(); ++i) out.set(static_cast<unsigned>(i), text(in[i]));
}

}  // namespace

std::string encode_actor(const Actor& actor) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<record::Actor>();
  out.setKey(text(actor.key));
  out.setName(text(actor.name));
  write_texts(out.initLabels(static_cast<unsigned>(actor.labels.size())), actor.labels);
  write_texts(out.initAliases(static_cast<unsigned>(actor.aliases.size())), actor.aliases);
  write_properties(out, actor.properties);
  return pack(message);
}

Result<Actor> decode_actor(ActorId id, std::string_view bytes) {
  return unpack<record::Actor>("actor", id.value, bytes, [id](record::Actor::Reader in) -> Result<Actor> {
    Actor out;
    out.id = id;
    out.key = text(in.getKey());
    out.name = text(in.getName());
    for (auto label : in.getLabels()) out.labels.push_back(text(label));
    for (auto alias : in.getAliases()) out.aliases.push_back(text(alias));
    DEMARCHE_TRY(out.properties, read_properties(in));
    return out;
  });
}

std::string encode_interaction(const Interaction& interaction) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<record::Interaction>();
  out.setRow(interaction.row.value);
  out.setKey(text(interaction.key));
  out.setKind(interaction.kind.value);
  if (interaction.when) write_when(out.initWhen(), *interaction.when);
  auto participants = out.initParticipants(static_cast<unsigned>(interaction.participants.size()));
  for (std::size_t i = 0; i < interaction.participants.size(); ++i) {
    const Participant& p = interaction.participants[i];
    auto slot = participants[static_cast<unsigned>(i)];
    slot.setActor(p.actor.value);
    slot.setRole(static_cast<std::uint8_t>(p.role));
    slot.setActingFor(p.acting_for ? p.acting_for->value : 0);
  }
  out.setStatus(static_cast<std::uint8_t>(interaction.status));
  out.setPlace(text(interaction.place));
  out.setPartOf(interaction.part_of ? interaction.part_of->value : 0);
  write_properties(out, interaction.properties);
  auto claims = out.initClaims(static_cast<unsigned>(interaction.claims.size()));
  for (std::size_t i = 0; i < interaction.claims.size(); ++i) {
    write_claim(claims[static_cast<unsigned>(i)], interaction.claims[i]);
  }
  return pack(message);
}

Result<Interaction> decode_interaction(InteractionId id, std::string_view bytes) {
  return unpack<record::Interaction>("interaction", id.value, bytes,
                                     [id](record::Interaction::Reader in) -> Result<Interaction> {
                                       Interaction out;
                                       out.id = id;
                                       out.row = RowNumber{in.getRow()};
                                       out.key = text(in.getKey());
                                       out.kind = KindId{in.getKind()};
                                       if (in.hasWhen()) out.when = read_when(in.getWhen());
                                       for (auto participant : in.getParticipants()) {
                                         DEMARCHE_TRY(const Participant p, read_participant(participant));
                                         out.participants.push_back(p);
                                       }
                                       DEMARCHE_TRY(out.status, read_status(in.getStatus()));
                                       out.place = text(in.getPlace());
                                       if (in.getPartOf() != 0) out.part_of = InteractionId{in.getPartOf()};
                                       DEMARCHE_TRY(out.properties, read_properties(in));
                                       for (auto claim : in.getClaims()) {
                                         DEMARCHE_TRY(Claim c, read_claim(claim));
                                         out.claims.push_back(std::move(c));
                                       }
                                       return out;
                                     });
}

std::string encode_source(const Source& source) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<record::Source>();
  out.setKey(text(source.key));
  out.setTitle(text(source.title));
  out.setPublisher(text(source.publisher));
  out.setUrl(text(source.url));
  if (source.published) write_when(out.initPublished(), *source.published);
  out.setGrade(text(source.grade));
  out.setNote(text(source.note));
  return pack(message);
}

Result<Source> decode_source(SourceId id, std::string_view bytes) {
  return unpack<record::Source>("source", id.value, bytes, [id](record::Source::Reader in) -> Result<Source> {
    Source out;
    out.id = id;
    out.key = text(in.getKey());
    out.title = text(in.getTitle());
    out.publisher = text(in.getPublisher());
    out.url = text(in.getUrl());
    if (in.hasPublished()) out.published = read_when(in.getPublished());
    out.grade = text(in.getGrade());
    out.note = text(in.getNote());
    return out;
  });
}

std::string encode_kind(const Kind& kind) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<record::Kind>();
  out.setParent(kind.parent.value);
  out.setName(text(kind.name));
  out.setCameo(text(kind.cameo));
  out.setPlover(text(kind.plover));
  return pack(message);
}

Result<Kind> decode_kind(KindId id, std::string_view bytes) {
  return unpack<record::Kind>("kind", id.value, bytes, [id](record::Kind::Reader in) -> Result<Kind> {
    return Kind{id, KindId{in.getParent()}, text(in.getName()), text(in.getCameo()), text(in.getPlover())};
  });
}

std::string encode_commit(const CommitRecord& commit) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<record::Commit>();
  out.setTimeMicros(commit.time_micros);
  out.setFirstRow(commit.first_row.value);
  out.setNextRow(commit.next_row.value);
  out.setNextActor(commit.next_actor.value);
  out.setNextSource(commit.next_source.value);
  out.setActorCount(commit.actor_count);
  out.setInteractionCount(commit.interaction_count);
  out.setSourceCount(commit.source_count);
  out.setNote(text(commit.note));
  out.setTimeStated(commit.time_stated);
  if (commit.counts)
    out.setCounts({reinterpret_cast<const capnp::byte*>(commit.counts->data()), commit.counts->size()});
  return pack(message);
}

Result<CommitRecord> decode_commit(std::string_view bytes) {
  return unpack<record::Commit>("commit", 0, bytes, [](record::Commit::Reader in) -> Result<CommitRecord> {
    CommitRecord out;
    out.time_micros = in.getTimeMicros();
    out.first_row = RowNumber{in.getFirstRow()};
    out.next_row = RowNumber{in.getNextRow()};
    out.next_actor = ActorId{in.getNextActor()};
    out.next_source = SourceId{in.getNextSource()};
    out.actor_count = in.getActorCount();
    out.interaction_count = in.getInteractionCount();
    out.source_count = in.getSourceCount();
    out.note = text(in.getNote());
    out.time_stated = in.getTimeStated();
    if (in.hasCounts()) {
      const auto counts = in.getCounts();
      out.counts = std::string(reinterpret_cast<const char*>(counts.begin()), counts.size());
    }
    return out;
  });
}

}  // namespace demarche::impl

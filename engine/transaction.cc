#include <algorithm>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/entry_codec.h"
#include "engine/impl/store_state.h"
#include "engine/names.h"

namespace demarche {

namespace {

constexpr std::size_t kKeyBytesMax = 1000;
constexpr std::size_t kNameBytesMax = 10'000;
constexpr std::size_t kLabelBytesMax = 200;
constexpr std::size_t kParticipantsMax = 10'000;

// Texts that become part of a key of the database.
Result<void> check_text(const char* what, std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    return invalid(fmt::format("{} '{}...' has {} bytes, at most {} are allowed", what, text.substr(0, 40), text.size(),
                               bytes_max));
  }
  if (text.find('\0') != std::string_view::npos) return invalid(fmt::format("{} contains a zero byte", what));
  if (!is_utf8(text)) return invalid(fmt::format("{} is not valid UTF-8", what));
  return {};
}

// Deepest list in a list that a property may hold; the record codec reads no deeper.
constexpr int kListDepthMax = 16;

bool too_deep(const PropertyValue& value, int depth) {
  const auto* items = std::get_if<std::vector<PropertyValue>>(&value.value);
  if (items == nullptr) return false;
  return depth >= kListDepthMax ||
         std::any_of(items->begin(), items->end(), [&](const PropertyValue& v) { return too_deep(v, depth + 1); });
}

Result<void> check_properties(const Properties& properties) {
  for (const auto& [key, value] : properties) {
    if (key.empty()) return invalid("a property has an empty name");
    DEMARCHE_CHECK(check_text("property name", key, kKeyBytesMax));
    if (too_deep(value, 0))
      return invalid(fmt::format("property '{}': lists are nested deeper than {}", key, kListDepthMax));
  }
  return {};
}

}  // namespace

namespace {

Result<void> check_open(const Transaction::State& tx) {
  if (!tx.finished) return {};
  return invalid("this transaction is committed already; begin another");
}

}  // namespace

Transaction::Transaction(std::unique_ptr<State> state) : state_(std::move(state)) {}
Transaction::~Transaction() = default;

const View& Transaction::view() const { return *state_->view; }
bool Transaction::empty() const { return !state_->changed; }

Result<KindId> Transaction::declare_kind(std::string_view name, KindId parent, std::string_view cameo,
                                         std::string_view plover) {
  DEMARCHE_CHECK(check_open(*state_));
  State& tx = *state_;
  const std::size_t before = tx.kinds->all().size();
  DEMARCHE_TRY(const KindId id, tx.kinds->declare(name, parent, cameo, plover));
  if (tx.kinds->all().size() != before) {
    tx.batch->put(impl::Family::kKind, impl::version_key(id.value, tx.commit), impl::encode_kind(tx.kinds->get(id)));
    tx.changed = true;
  }
  return id;
}

Result<SourceId> Transaction::add_source(Source source) {
  DEMARCHE_CHECK(check_open(*state_));
  State& tx = *state_;
  if (source.key.empty()) return invalid("a source needs a key");
  DEMARCHE_CHECK(check_text("source key", source.key, kKeyBytesMax));
  if (!source.grade.empty() && !is_admiralty_grade(source.grade)) {
    return invalid(fmt::format("source '{}': grade '{}' is not an Admiralty grade; a letter A to F and a digit 1 to 6",
                               source.key, source.grade));
  }
  DEMARCHE_TRY(const auto taken, view().find_source(source.key));
  if (taken) return invalid(fmt::format("source key '{}' is already taken", source.key));
  source.id = tx.record.next_source;
  ++tx.record.next_source.value;
  tx.view->statistics_.sources = ++tx.record.source_count;
  tx.batch->put(impl::Family::kSource, impl::version_key(source.id.value, tx.commit), impl::encode_source(source));
  tx.batch->put(impl::Family::kKey, impl::owner_key(impl::KeyOwner::kSource, source.key),
                impl::encode_u64(source.id.value));
  tx.changed = true;
  return source.id;
}

Result<ActorId> Transaction::add_actor(Actor actor) {
  DEMARCHE_CHECK(check_open(*state_));
  State& tx = *state_;
  DEMARCHE_CHECK(check_text("actor key", actor.key, kKeyBytesMax));
  DEMARCHE_CHECK(check_text("actor name", actor.name, kNameBytesMax));
  for (const std::string& alias : actor.aliases) DEMARCHE_CHECK(check_text("alias", alias, kNameBytesMax));
  for (const std::string& label : actor.labels) {
    if (label.empty()) return invalid("a label is empty");
    DEMARCHE_CHECK(check_text("label", label, kLabelBytesMax));
  }
  DEMARCHE_CHECK(check_properties(actor.properties));
  if (!actor.key.empty()) {
    DEMARCHE_TRY(const auto taken, view().find_actor(actor.key));
    if (taken) return invalid(fmt::format("actor key '{}' is already taken", actor.key));
  }
  std::sort(actor.labels.begin(), actor.labels.end());
  actor.labels.erase(std::unique(actor.labels.begin(), actor.labels.end()), actor.labels.end());
  // Names are looked up under their normal form; "p" marks the preferred one, which wins where an alias is the same.
  std::vector<std::pair<std::string, const char*>> forms;
  for (const std::string& alias : actor.aliases) {
    DEMARCHE_TRY(std::string form, normal_form(alias));
    forms.emplace_back(std::move(form), "a");
  }
  DEMARCHE_TRY(std::string preferred, normal_form(actor.name));
  forms.emplace_back(std::move(preferred), "p");

  actor.id = tx.record.next_actor;
  ++tx.record.next_actor.value;
  tx.view->statistics_.actors = ++tx.record.actor_count;
  tx.batch->put(impl::Family::kActor, impl::version_key(actor.id.value, tx.commit), impl::encode_actor(actor));
  if (!actor.key.empty()) {
    tx.batch->put(impl::Family::kKey, impl::owner_key(impl::KeyOwner::kActor, actor.key),
                  impl::encode_u64(actor.id.value));
  }
  for (const auto& [form, mark] : forms) {
    if (!form.empty()) tx.batch->put(impl::Family::kName, impl::text_id_key(form, actor.id), mark);
  }
  for (const std::string& label : actor.labels) {
    tx.batch->put(impl::Family::kLabel, impl::text_id_key(label, actor.id), {});
  }
  tx.changed = true;
  return actor.id;
}

Result<InteractionId> Transaction::add_interaction(Interaction interaction) {
  DEMARCHE_CHECK(check_open(*state_));
  State& tx = *state_;
  DEMARCHE_CHECK(check_text("interaction key", interaction.key, kKeyBytesMax));
  DEMARCHE_CHECK(check_properties(interaction.properties));
  if (interaction.participants.size() > kParticipantsMax) {
    return invalid(fmt::format("an interaction has {} participants, at most {} are allowed",
                               interaction.participants.size(), kParticipantsMax));
  }
  if (!tx.kinds->find_id(interaction.kind)) {
    return invalid(fmt::format("there is no kind with id {}", interaction.kind.value));
  }
  const auto known_actor = [&](ActorId id) { return id.value != 0 && id < tx.record.next_actor; };
  for (const Participant& p : interaction.participants) {
    if (!known_actor(p.actor) || (p.acting_for && !known_actor(*p.acting_for))) {
      return invalid("a participant is not an actor of this store");
    }
    if (p.role == Role::kRepresented) {
      return invalid("role 'represented' is not given by hand; write the agent with FOR");
    }
    if (p.acting_for == p.actor) return invalid("an actor cannot act for itself; leave FOR out");
  }
  for (const Claim& claim : interaction.claims) {
    if (claim.source.value == 0 || claim.source >= tx.record.next_source) {
      return invalid("a claim names a source that is not in this store");
    }
  }
  if (interaction.part_of) DEMARCHE_CHECK(view().get_interaction(*interaction.part_of));
  if (!interaction.key.empty()) {
    DEMARCHE_TRY(const auto taken, view().find_interaction(interaction.key));
    if (taken) return invalid(fmt::format("interaction key '{}' is already taken", interaction.key));
  }

  interaction.row = tx.record.next_row;
  interaction.id = InteractionId{interaction.row.value};
  ++tx.record.next_row.value;
  tx.view->statistics_.interactions = ++tx.record.interaction_count;
  tx.batch->put(impl::Family::kInteraction, impl::version_key(interaction.id.value, tx.commit),
                impl::encode_interaction(interaction));
  if (!interaction.key.empty()) {
    tx.batch->put(impl::Family::kKey, impl::owner_key(impl::KeyOwner::kInteraction, interaction.key),
                  impl::encode_u64(interaction.id.value));
  }
  const TimeBounds bounds = interaction.when ? interaction.when->bounds : TimeBounds{};
  const impl::TimeKey time{impl::length_class(bounds), bounds.begin_min, interaction.row};
  const std::string entry = impl::encode_entry(interaction);
  tx.batch->put(impl::Family::kTimeline, impl::timeline_key(time), entry);
  std::unordered_set<ActorId> indexed;
  for (const Party& party : parties_of(interaction.participants)) {
    if (indexed.insert(party.actor).second) {
      tx.batch->put(impl::Family::kContact, impl::contact_key(party.actor, time), entry);
    }
  }
  tx.changed = true;
  return interaction.id;
}

Result<void> Transaction::set_part_of(InteractionId part, InteractionId whole) {
  DEMARCHE_CHECK(check_open(*state_));
  DEMARCHE_TRY(Interaction record, view().get_interaction(part));
  DEMARCHE_TRY(const Interaction whole_record, view().get_interaction(whole));
  const std::string& whole_key = whole_record.key;
  // No circle stands yet, so the walk up from `whole` ends.
  for (std::optional<InteractionId> at = whole; at;) {
    DEMARCHE_TRY(const Interaction above, view().get_interaction(*at));
    if (*at == part) {
      return invalid(fmt::format("'{}' cannot be part of '{}': that would close a circle", record.key, whole_key));
    }
    at = above.part_of;
  }
  record.part_of = whole;
  state_->batch->put(impl::Family::kInteraction, impl::version_key(part.value, state_->commit),
                     impl::encode_interaction(record));
  state_->changed = true;
  return {};
}

}  // namespace demarche

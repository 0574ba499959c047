#include <algorithm>
#include <cassert>
#include <chrono>
#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/bulk_commit.h"
#include "engine/impl/history_value.h"
#include "engine/impl/kill_point.h"
#include "engine/impl/seal.h"
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

std::int64_t now_micros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Result<void> check_open(const Transaction::State& tx) {
  if (!tx.finished) return {};
  return invalid("this transaction is committed already; begin another");
}

}  // namespace

Transaction::Transaction(std::unique_ptr<State> state) : state_(std::move(state)) {}
Transaction::~Transaction() = default;

const View& Transaction::view() const { return *state_->view; }
bool Transaction::empty() const { return !state_->changed; }

namespace {

// Sets a number of the families "key", "name" or "label" from this commit on.
Result<void> set_history(Transaction::State& tx, impl::Family family, const std::string& key, std::uint64_t number) {
  DEMARCHE_TRY(auto bytes, tx.batch->get(family, key));
  std::string value = bytes.value_or(std::string());
  if (!value.empty() && !impl::history_at(value, tx.commit)) {
    return make_error(ErrorCode::kCorruption,
                      fmt::format("{}: a value has the wrong form; stop writing to this store", family_name(family)));
  }
  impl::history_set(value, tx.commit, number);
  tx.batch->put(family, key, value);
  return {};
}

Result<void> set_key(Transaction::State& tx, impl::KeyOwner owner, std::string_view key, std::uint64_t id) {
  if (key.empty()) return {};
  return set_history(tx, impl::Family::kKey, impl::owner_key(owner, key), id);
}

// What an actor is found by: (family, key of the family) and the number kept there.
using Finders = std::map<std::pair<impl::Family, std::string>, std::uint64_t>;

Result<Finders> finders_of(const Actor& actor) {
  Finders out;
  for (const std::string& alias : actor.aliases) {
    DEMARCHE_TRY(const std::string form, normal_form(alias));
    if (!form.empty()) out[{impl::Family::kName, impl::text_id_key(form, actor.id)}] = impl::kAliasName;
  }
  // The preferred name wins where an alias is the same.
  DEMARCHE_TRY(const std::string form, normal_form(actor.name));
  if (!form.empty()) out[{impl::Family::kName, impl::text_id_key(form, actor.id)}] = impl::kPreferredName;
  for (const std::string& label : actor.labels) {
    out[{impl::Family::kLabel, impl::text_id_key(label, actor.id)}] = 1;
  }
  return out;
}

// Checks the fields and brings the labels in order.
Result<void> check_actor(Actor& actor) {
  DEMARCHE_CHECK(check_text("actor key", actor.key, kKeyBytesMax));
  DEMARCHE_CHECK(check_text("actor name", actor.name, kNameBytesMax));
  for (const std::string& alias : actor.aliases) DEMARCHE_CHECK(check_text("alias", alias, kNameBytesMax));
  for (const std::string& label : actor.labels) {
    if (label.empty()) return invalid("a label is empty");
    DEMARCHE_CHECK(check_text("label", label, kLabelBytesMax));
  }
  DEMARCHE_CHECK(check_properties(actor.properties));
  std::sort(actor.labels.begin(), actor.labels.end());
  actor.labels.erase(std::unique(actor.labels.begin(), actor.labels.end()), actor.labels.end());
  return {};
}

Result<void> check_interaction(const Transaction::State& tx, const Interaction& interaction) {
  DEMARCHE_CHECK(check_text("interaction key", interaction.key, kKeyBytesMax));
  DEMARCHE_CHECK(check_properties(interaction.properties));
  if (interaction.participants.size() > kParticipantsMax) {
    return invalid(fmt::format("an interaction has {} participants, at most {} are allowed",
                               interaction.participants.size(), kParticipantsMax));
  }
  if (!tx.kinds->find_id(interaction.kind)) {
    return invalid(fmt::format("there is no kind with id {}", interaction.kind.value));
  }
  // Ids are given out in order: only where actors were taken back must each be looked for.
  const bool none_retired = tx.record.actor_count + 1 == tx.record.next_actor.value;
  const auto check_there = [&](ActorId id) -> Result<void> {
    const char* message = "a participant is not an actor of this store";
    if (id.value == 0 || id >= tx.record.next_actor) return invalid(message);
    if (none_retired) return {};
    const auto found = tx.view->get_actor(id);
    if (found) return {};
    return found.error().code == ErrorCode::kNotFound ? invalid(message) : tl::unexpected(found.error());
  };
  for (const Participant& p : interaction.participants) {
    DEMARCHE_CHECK(check_there(p.actor));
    if (p.acting_for) DEMARCHE_CHECK(check_there(*p.acting_for));
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
  return {};
}

// Gives the interaction the next row. `plain`: it needs no record besides. Errors: kIo.
Result<void> add_row(Transaction::State& tx, Interaction& interaction, bool& plain) {
  interaction.row = tx.record.next_row;
  if (interaction.id.value == 0) interaction.id = InteractionId{interaction.row.value};
  ++tx.record.next_row.value;
  impl::PendingRow row;
  row.row = interaction.row;
  row.interaction = interaction.id;
  row.kind = interaction.kind;
  if (interaction.when) row.bounds = interaction.when->bounds;
  row.status = interaction.status;
  row.plain = impl::plain_fields(interaction);
  plain = row.plain.text != impl::DateTextForm::kRich;
  row.party_begin = tx.parties.size();
  const std::vector<Party> parties = parties_of(interaction.participants);
  row.party_count = parties.size();
  tx.parties.insert(tx.parties.end(), parties.begin(), parties.end());
  if (parties.size() > impl::kInlinePartiesMax) {
    tx.batch->put(impl::Family::kParticipants, impl::encode_u64(row.row.value), impl::encode_parties(parties));
  }
  tx.rows.push_back(row);
  if (tx.rows.size() >= Transaction::State::kRowsHeldMax) return tx.set_aside();
  return {};
}

// Takes back the row of `old`.
void retire_row(Transaction::State& tx, const Interaction& old) {
  tx.retired.push_back({old.row.value, tx.commit.value});
  tx.batch->put(impl::Family::kRetired, impl::encode_u64(old.row.value), impl::encode_u64(tx.commit.value));
  impl::count_row(tx.counts, old, -1);
}

// Labels that an actor gains (1) or loses (-1).
void count_labels(Transaction::State& tx, const Actor& actor, std::int64_t change) {
  for (const std::string& label : actor.labels) tx.counts.add_label(label, change);
}

void put_interaction(Transaction::State& tx, const Interaction& interaction) {
  tx.batch->put(impl::Family::kInteraction, impl::version_key(interaction.id.value, tx.commit),
                impl::encode_interaction(interaction));
}

}  // namespace

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
  DEMARCHE_TRY(const auto taken, tx.view->find_source(source.key));
  if (taken) return invalid(fmt::format("source key '{}' is already taken", source.key));
  source.id = tx.record.next_source;
  ++tx.record.next_source.value;
  tx.view->statistics_.sources = ++tx.record.source_count;
  tx.batch->put(impl::Family::kSource, impl::version_key(source.id.value, tx.commit), impl::encode_source(source));
  DEMARCHE_CHECK(set_key(tx, impl::KeyOwner::kSource, source.key, source.id.value));
  tx.changed = true;
  return source.id;
}

Result<ActorId> Transaction::add_actor(Actor actor) {
  DEMARCHE_CHECK(check_open(*state_));
  State& tx = *state_;
  DEMARCHE_CHECK(check_actor(actor));
  if (!actor.key.empty()) {
    DEMARCHE_TRY(const auto taken, tx.view->find_actor(actor.key));
    if (taken) return invalid(fmt::format("actor key '{}' is already taken", actor.key));
  }
  actor.id = tx.record.next_actor;
  DEMARCHE_TRY(const Finders finders, finders_of(actor));
  ++tx.record.next_actor.value;
  tx.view->statistics_.actors = ++tx.record.actor_count;
  count_labels(tx, actor, 1);
  tx.batch->put(impl::Family::kActor, impl::version_key(actor.id.value, tx.commit), impl::encode_actor(actor));
  DEMARCHE_CHECK(set_key(tx, impl::KeyOwner::kActor, actor.key, actor.id.value));
  for (const auto& [where, number] : finders) {
    std::string value;
    impl::history_set(value, tx.commit, number);  // the id is new: nothing is there
    tx.batch->put(where.first, where.second, value);
  }
  tx.changed = true;
  return actor.id;
}

Result<void> Transaction::replace_actor(ActorId id, Actor actor) {
  DEMARCHE_CHECK(check_open(*state_));
  State& tx = *state_;
  DEMARCHE_TRY(const Actor old, tx.view->get_actor(id));
  DEMARCHE_CHECK(check_actor(actor));
  if (!actor.key.empty() && actor.key != old.key) {
    DEMARCHE_TRY(const auto taken, tx.view->find_actor(actor.key));
    if (taken) return invalid(fmt::format("actor key '{}' is already taken", actor.key));
  }
  actor.id = id;
  DEMARCHE_TRY(const Finders before, finders_of(old));
  DEMARCHE_TRY(const Finders after, finders_of(actor));
  if (actor.key != old.key) {
    DEMARCHE_CHECK(set_key(tx, impl::KeyOwner::kActor, old.key, 0));
    DEMARCHE_CHECK(set_key(tx, impl::KeyOwner::kActor, actor.key, id.value));
  }
  for (const auto& [where, number] : before) {
    if (!after.contains(where)) DEMARCHE_CHECK(set_history(tx, where.first, where.second, 0));
  }
  for (const auto& [where, number] : after) {
    const auto at = before.find(where);
    if (at == before.end() || at->second != number) {
      DEMARCHE_CHECK(set_history(tx, where.first, where.second, number));
    }
  }
  tx.batch->put(impl::Family::kActor, impl::version_key(id.value, tx.commit), impl::encode_actor(actor));
  count_labels(tx, old, -1);
  count_labels(tx, actor, 1);
  tx.changed = true;
  return {};
}

Result<void> Transaction::retire_actor(ActorId id) {
  DEMARCHE_CHECK(check_open(*state_));
  State& tx = *state_;
  DEMARCHE_TRY(const Actor old, tx.view->get_actor(id));
  DEMARCHE_TRY(RowCursor rows, view().scan(id, {}, {}));
  RowBatch batch;
  DEMARCHE_CHECK(rows.next(batch));
  if (batch.size() > 0) {
    return make_error(ErrorCode::kConflict,
                      fmt::format("actor {} takes part in interaction {}; take it out of its interactions first",
                                  id.value, batch.interaction.front().value));
  }
  DEMARCHE_TRY(const Finders finders, finders_of(old));
  DEMARCHE_CHECK(set_key(tx, impl::KeyOwner::kActor, old.key, 0));
  for (const auto& [where, number] : finders) DEMARCHE_CHECK(set_history(tx, where.first, where.second, 0));
  tx.batch->put(impl::Family::kActor, impl::version_key(id.value, tx.commit), {});
  tx.view->statistics_.actors = --tx.record.actor_count;
  count_labels(tx, old, -1);
  tx.changed = true;
  return {};
}

Result<InteractionId> Transaction::add_interaction(Interaction interaction) {
  DEMARCHE_CHECK(check_open(*state_));
  State& tx = *state_;
  DEMARCHE_CHECK(check_interaction(tx, interaction));
  if (interaction.part_of) DEMARCHE_CHECK(view().get_interaction(*interaction.part_of));
  if (!interaction.key.empty()) {
    DEMARCHE_TRY(const auto taken, tx.view->find_interaction(interaction.key));
    if (taken) return invalid(fmt::format("interaction key '{}' is already taken", interaction.key));
  }
  interaction.id = {};
  bool plain = false;
  DEMARCHE_CHECK(add_row(tx, interaction, plain));
  if (!plain) put_interaction(tx, interaction);
  tx.view->statistics_.interactions = ++tx.record.interaction_count;
  DEMARCHE_CHECK(set_key(tx, impl::KeyOwner::kInteraction, interaction.key, interaction.id.value));
  tx.changed = true;
  return interaction.id;
}

Result<void> Transaction::replace_interaction(InteractionId id, Interaction interaction) {
  DEMARCHE_CHECK(check_open(*state_));
  State& tx = *state_;
  DEMARCHE_TRY(const Interaction old, view().get_interaction(id));
  DEMARCHE_CHECK(check_interaction(tx, interaction));
  if (interaction.part_of && interaction.part_of != old.part_of) {
    DEMARCHE_CHECK(check_part_of(id, interaction.key, *interaction.part_of));
  }
  if (interaction.key != old.key) {
    if (!interaction.key.empty()) {
      DEMARCHE_TRY(const auto taken, tx.view->find_interaction(interaction.key));
      if (taken) return invalid(fmt::format("interaction key '{}' is already taken", interaction.key));
    }
    DEMARCHE_CHECK(set_key(tx, impl::KeyOwner::kInteraction, old.key, 0));
    DEMARCHE_CHECK(set_key(tx, impl::KeyOwner::kInteraction, interaction.key, id.value));
  }
  interaction.id = id;
  interaction.row = old.row;
  if (interaction.kind != old.kind || interaction.when != old.when || interaction.status != old.status ||
      interaction.participants != old.participants) {
    retire_row(tx, old);
    bool plain = false;  // the row is not the first, so there is a record anyhow
    DEMARCHE_CHECK(add_row(tx, interaction, plain));
  }
  put_interaction(tx, interaction);
  tx.changed = true;
  return {};
}

Result<void> Transaction::retire_interaction(InteractionId id) {
  DEMARCHE_CHECK(check_open(*state_));
  State& tx = *state_;
  DEMARCHE_TRY(const Interaction old, view().get_interaction(id));
  DEMARCHE_CHECK(set_key(tx, impl::KeyOwner::kInteraction, old.key, 0));
  retire_row(tx, old);
  tx.batch->put(impl::Family::kInteraction, impl::version_key(id.value, tx.commit), {});
  tx.view->statistics_.interactions = --tx.record.interaction_count;
  tx.changed = true;
  return {};
}

Result<void> Transaction::check_part_of(InteractionId part, const std::string& part_key, InteractionId whole) const {
  DEMARCHE_TRY(const Interaction whole_record, view().get_interaction(whole));
  // No circle stands yet, so the walk up from `whole` ends.
  for (std::optional<InteractionId> at = whole; at;) {
    if (*at == part) {
      return invalid(fmt::format("'{}' cannot be part of '{}': that would close a circle", part_key, whole_record.key));
    }
    auto above = view().get_interaction(*at);
    if (!above && above.error().code == ErrorCode::kNotFound) break;  // retired since
    if (!above) return tl::unexpected(std::move(above).error());
    at = above->part_of;
  }
  return {};
}

Result<void> Transaction::set_part_of(InteractionId part, InteractionId whole) {
  DEMARCHE_CHECK(check_open(*state_));
  DEMARCHE_TRY(Interaction record, view().get_interaction(part));
  DEMARCHE_CHECK(check_part_of(part, record.key, whole));
  record.part_of = whole;
  put_interaction(*state_, record);
  state_->changed = true;
  return {};
}

Result<void> Transaction::state_time(std::int64_t time_micros) {
  DEMARCHE_CHECK(check_open(*state_));
  const std::int64_t last = state_->store->head.record.time_micros;
  if (state_->commit.value > 1 && time_micros < last) {
    return invalid(
        fmt::format("the stated time {} is before the last commit's, {} (microseconds since 1970)", time_micros, last));
  }
  if (time_micros > now_micros()) {
    return invalid(fmt::format("the stated time {} is in the future (microseconds since 1970)", time_micros));
  }
  state_->stated_time = time_micros;
  return {};
}

// ---- versions of a dump --------------------------------------------------------------------------------------------

Result<void> Transaction::move_key(std::uint8_t owner_code, const std::string& from, const std::string& to,
                                   std::uint64_t id) {
  State& tx = *state_;
  const auto owner = static_cast<impl::KeyOwner>(owner_code);
  if (from == to) return {};
  const auto holder = [&](const std::string& key) -> Result<std::uint64_t> {
    DEMARCHE_TRY(const auto bytes, tx.batch->get(impl::Family::kKey, impl::owner_key(owner, key)));
    if (!bytes) return std::uint64_t{0};
    const auto held = impl::history_at(*bytes, tx.commit);
    if (!held) return make_error(ErrorCode::kCorruption, "key: a value has the wrong form");
    return *held;
  };
  if (!from.empty()) {
    DEMARCHE_TRY(const std::uint64_t held_by, holder(from));
    if (held_by == id) DEMARCHE_CHECK(set_key(tx, owner, from, 0));  // else it was taken over already
  }
  if (!to.empty()) {
    DEMARCHE_TRY(const std::uint64_t held_by, holder(to));
    if (held_by != 0 && held_by != id) tx.contested.emplace_back(owner, to, held_by);
    DEMARCHE_CHECK(set_key(tx, owner, to, id));
  }
  return {};
}

Result<void> Transaction::place_actor(Actor actor) {
  State& tx = *state_;
  const ActorId id = actor.id;
  if (id == tx.record.next_actor) {
    const std::string key = std::exchange(actor.key, {});
    DEMARCHE_TRY(const ActorId given, add_actor(actor));
    if (key.empty()) return {};
    actor.key = key;
    DEMARCHE_CHECK(check_actor(actor));
    actor.id = given;
    tx.batch->put(impl::Family::kActor, impl::version_key(id.value, tx.commit), impl::encode_actor(actor));
    return move_key(static_cast<std::uint8_t>(impl::KeyOwner::kActor), {}, key, id.value);
  }
  if (id > tx.record.next_actor) {
    return invalid(fmt::format("actor {} comes before actor {}", id.value, tx.record.next_actor.value));
  }
  DEMARCHE_TRY(const auto placed, tx.batch->get(impl::Family::kActor, impl::version_key(id.value, tx.commit)));
  if (placed) return invalid(fmt::format("actor {} stands twice in this commit", id.value));
  DEMARCHE_TRY(const Actor old, view().get_actor(id));
  const std::string key = std::exchange(actor.key, old.key);  // replaced with the key it has, which then moves
  DEMARCHE_CHECK(replace_actor(id, actor));
  if (key == old.key) return {};
  actor.key = key;
  DEMARCHE_CHECK(check_actor(actor));
  tx.batch->put(impl::Family::kActor, impl::version_key(id.value, tx.commit), impl::encode_actor(actor));
  return move_key(static_cast<std::uint8_t>(impl::KeyOwner::kActor), old.key, key, id.value);
}

Result<void> Transaction::place_retired_actor(ActorId id) {
  State& tx = *state_;
  if (id == tx.record.next_actor) DEMARCHE_CHECK(add_actor({}));  // added and taken back within one commit
  DEMARCHE_TRY(Actor old, view().get_actor(id));
  if (!old.key.empty()) {
    const std::string key = std::exchange(old.key, {});
    DEMARCHE_CHECK(move_key(static_cast<std::uint8_t>(impl::KeyOwner::kActor), key, {}, id.value));
    tx.batch->put(impl::Family::kActor, impl::version_key(id.value, tx.commit), impl::encode_actor(old));
  }
  return retire_actor(id);
}

Result<void> Transaction::pass_over_rows(RowNumber next) {
  State& tx = *state_;
  if (next < tx.record.next_row) {
    return invalid(fmt::format("row {} was given already; the next one is {}", next.value, tx.record.next_row.value));
  }
  tx.record.next_row = next;
  return {};
}

Result<void> Transaction::place_interaction(Interaction interaction) {
  State& tx = *state_;
  DEMARCHE_CHECK(check_interaction(tx, interaction));
  const InteractionId id = interaction.id;
  std::optional<Interaction> old;
  if (id.value < tx.record.next_row.value) {  // else it is new, and need not be looked for
    auto found = view().get_interaction(id);
    if (found) {
      old = std::move(*found);
    } else if (found.error().code != ErrorCode::kNotFound || id.value < tx.record.first_row.value) {
      return tl::unexpected(std::move(found).error());
    }
  }
  DEMARCHE_TRY(const auto placed, tx.batch->get(impl::Family::kInteraction, impl::version_key(id.value, tx.commit)));
  if (placed || (old && id.value >= tx.record.first_row.value)) {
    return invalid(fmt::format("interaction {} stands twice in this commit", id.value));
  }
  const RowNumber row = interaction.row;
  if (interaction.part_of) {
    if (interaction.part_of->value == 0) return invalid("an interaction is part of number 0, which is none");
    tx.placed_parts.push_back(id);
  }
  const bool same_row = old && old->row == row;
  bool plain = false;
  if (same_row) {
    if (interaction.kind != old->kind || interaction.when != old->when || interaction.status != old->status ||
        interaction.participants != old->participants) {
      return invalid(fmt::format("interaction {} keeps row {}, but not what the row says", id.value, row.value));
    }
  } else {
    if (id.value == 0 || id.value > row.value) {
      return invalid(
          fmt::format("row {} cannot be of interaction {}: the first row of one has its number", row.value, id.value));
    }
    DEMARCHE_CHECK(pass_over_rows(row));
    if (old) retire_row(tx, *old);
    DEMARCHE_CHECK(add_row(tx, interaction, plain));
  }
  if (old || !plain) put_interaction(tx, interaction);
  if (!old) tx.view->statistics_.interactions = ++tx.record.interaction_count;
  tx.changed = true;
  return move_key(static_cast<std::uint8_t>(impl::KeyOwner::kInteraction), old ? old->key : std::string(),
                  interaction.key, id.value);
}

Result<void> Transaction::place_retired_interaction(InteractionId id) {
  State& tx = *state_;
  DEMARCHE_TRY(const Interaction old, view().get_interaction(id));
  DEMARCHE_CHECK(move_key(static_cast<std::uint8_t>(impl::KeyOwner::kInteraction), old.key, {}, id.value));
  retire_row(tx, old);
  tx.batch->put(impl::Family::kInteraction, impl::version_key(id.value, tx.commit), {});
  tx.view->statistics_.interactions = --tx.record.interaction_count;
  tx.changed = true;
  return {};
}

Result<void> Transaction::check_placed() const {
  for (const auto& [owner, key, id] : state_->contested) {
    std::string has;
    if (owner == impl::KeyOwner::kActor) {
      const auto actor = view().get_actor(ActorId{id});
      if (actor) has = actor->key;
    } else {
      const auto interaction = view().get_interaction(InteractionId{id});
      if (interaction) has = interaction->key;
    }
    if (has == key)
      return invalid(fmt::format("two records have the key '{}' after commit {}", key, state_->commit.value));
  }
  for (const InteractionId part : state_->placed_parts) {
    auto at = view().get_interaction(part);
    for (std::size_t steps = 0; at && at->part_of; ++steps) {
      if (at->part_of->value >= state_->record.next_row.value) {
        return invalid(
            fmt::format("interaction {} is part of {}, which is not there", at->id.value, at->part_of->value));
      }
      if (*at->part_of == part || steps > state_->record.interaction_count) {
        return invalid(fmt::format("interaction {} is part of itself, by way of others", part.value));
      }
      at = view().get_interaction(*at->part_of);
    }
  }
  return {};
}

Result<void> Transaction::State::catch_up() {
  if (pages_in_tail < pages->size()) {
    // Rows that were in the tail already went into a page of their own.
    DEMARCHE_CHECK(pages->for_each(
        pages_in_tail, [this](std::string_view page) { return impl::append_page_rows(*batch, page, *tail); }));
    pages_in_tail = pages->size();
  }
  if (in_tail < rows.size()) {
    for (const std::string& page : make_pages(in_tail, rows.size())) {
      DEMARCHE_CHECK(impl::append_page_rows(*batch, page, *tail));
    }
    in_tail = rows.size();
  }
  if (retired_seen < retired.size()) {
    read->visible.retired =
        read->visible.retired->with({retired.begin() + static_cast<std::ptrdiff_t>(retired_seen), retired.end()});
    retired_seen = retired.size();
  }
  return {};
}

Result<void> Transaction::State::set_aside() {
  // A page holds either rows that the tail has or such as it has not.
  const std::size_t known = in_tail;
  for (std::string& page : make_pages(0, known)) {
    DEMARCHE_CHECK(pages->append(std::move(page)));
    assert(pages_in_tail + 1 == pages->size());
    ++pages_in_tail;
  }
  for (std::string& page : make_pages(known, rows.size())) DEMARCHE_CHECK(pages->append(std::move(page)));
  rows_in_pages += rows.size();
  rows.clear();
  parties.clear();
  in_tail = 0;
  return {};
}

// ---- commit --------------------------------------------------------------------------------------------------------

impl::RowSource Transaction::State::source_of(const impl::PendingRow& row) const {
  return {row.row,    row.interaction, row.kind,
          row.bounds, row.status,      std::span(parties).subspan(row.party_begin, row.party_count)};
}

std::vector<std::string> Transaction::State::make_pages(std::size_t first, std::size_t last) const {
  impl::RowDictionary dictionary;
  impl::RowBlockEncoder encoder;
  impl::PageRows page;
  std::vector<std::string> out;
  for (std::size_t i = first; i < last; ++i) {
    impl::append_timeline_row(page.list, dictionary, source_of(rows[i]));
    page.fields.push_back(rows[i].plain);
    if (page.fields.size() == impl::kPageRowsMax || i + 1 == last) {
      out.push_back(impl::encode_page(page, 0, page.fields.size(), dictionary, encoder));
      page.clear();
    }
  }
  return out;
}

Result<CommitNumber> Transaction::commit(std::string_view note, std::string_view id) {
  State& tx = *state_;
  Store::State& store = *tx.store;
  if (tx.finished) return invalid("this transaction is committed already; begin another");
  if (!id.empty()) {
    DEMARCHE_CHECK(check_text("commit id", id, kKeyBytesMax));
    DEMARCHE_TRY(const auto kept, tx.batch->get(impl::Family::kCommitId, id));
    if (kept) {
      const auto n = impl::decode_u64(*kept);
      if (!n) return make_error(ErrorCode::kCorruption, "commit_id: a value has the wrong form");
      tx.finished = true;
      tx.turn = {};
      DEMARCHE_CHECK(store.wait_synced(CommitNumber{*n}));
      return CommitNumber{*n};
    }
    tx.batch->put(impl::Family::kCommitId, id, impl::encode_u64(tx.commit.value));
  }
  tx.finished = true;
  const std::int64_t now = now_micros();
  tx.record.time_micros = std::max(now, store.head.record.time_micros);  // clocks step back, commit times do not
  tx.record.time_stated = tx.stated_time.has_value();
  if (tx.stated_time) tx.record.time_micros = *tx.stated_time;
  tx.record.note = std::string(note);
  tx.record.counts = tx.counts.encode();
  tx.batch->put(impl::Family::kCommit, impl::commit_key(tx.commit), impl::encode_commit(tx.record));
  if (tx.rows_in_pages + tx.rows.size() >= store.options.bulk_rows) return tx.commit_bulk();
  DEMARCHE_CHECK(tx.set_aside());
  std::vector<std::string> pages;
  DEMARCHE_CHECK(tx.pages->for_each(0, [&pages](std::string_view page) {
    pages.emplace_back(page);
    return Result<void>{};
  }));
  if (!pages.empty()) {
    tx.batch->put(impl::Family::kCommitRows, impl::commit_key(tx.commit), impl::join_pages(pages));
  }
  {
    std::unique_lock lock(store.mutex);
    // Sealing lags behind: wait for it rather than fill the memory.
    store.seal_done.wait(lock, [&] {
      return store.failed || store.tails.size() == 1 || store.tails.back().tail->size() < 2 * store.options.seal_rows;
    });
    impl::kill_point("commit.begin");
    if (!store.failed) {
      if (auto written = store.kv->write(*tx.batch, /*sync=*/false); !written) {
        store.failed = std::move(written).error();
      }
    }
    if (store.failed) return tl::unexpected(*store.failed);
    impl::kill_point("commit.written");
    impl::TailPart& part = store.tails.back();
    for (const std::string& page : pages) {
      // What was written is read back; it cannot fail to decode, and if it did, the store is to be opened again.
      if (auto added = impl::append_page_rows(*tx.batch, page, *part.tail); !added) {
        store.failed = std::move(added).error();
        return tl::unexpected(*store.failed);
      }
    }
    part.tail->change_counts(tx.counts);
    part.last = tx.commit;
    if (!pages.empty()) part.commits.push_back(tx.commit);
    // The view of this transaction reads the store's tail as well: rows must not stand in both.
    tx.read->tails.pop_back();
    store.reader = store.kv->snapshot();
    store.head = {tx.commit, tx.record, tx.kinds,
                  tx.retired.empty() ? store.head.retired : store.head.retired->with(tx.retired)};
    if (!store.options.sync) store.publish(store.head);
    if (store.tails.size() == 1 && part.tail->size() >= store.options.seal_rows) store.begin_tail();
  }
  tx.turn = {};  // the next transaction may go on while this one waits for the disk
  if (store.options.sync) DEMARCHE_CHECK(store.wait_synced(tx.commit));
  return tx.commit;
}

// Blocks at once: nothing goes through the log, and the tail stays as it is.
Result<CommitNumber> Transaction::State::commit_bulk() {
  DEMARCHE_CHECK(set_aside());
  {
    // Rows of earlier commits come first: what is taken in says that everything up to it is sealed.
    std::unique_lock lock(store->mutex);
    DEMARCHE_CHECK(store->seal_all(lock));
    if (!store->statistics) DEMARCHE_CHECK(store->count_anew());
  }
  impl::KeptStatistics statistics = store->statistics->kept;
  statistics.counts.add(store->tails.back().tail->counts());  // of commits without rows
  statistics.counts.add(counts);
  statistics.upto = commit;
  batch->put(impl::Family::kMeta, impl::kSealedKey, impl::encode_u64(commit.value));
  const std::string folder = impl::bulk_path(store->path);
  DEMARCHE_CHECK(impl::make_empty_folder(folder));
  DEMARCHE_TRY(auto tables, store->kv->make_tables(folder));
  const bool empty = store->head.record.next_row.value == 1;
  const impl::BulkRows all{pages.get(), rows_in_pages, record.next_actor, store->options.bulk_memory_bytes,
                           &statistics};
  DEMARCHE_CHECK(impl::write_bulk(all, empty ? nullptr : store->reader.get(), *batch, *tables));
  {
    impl::kill_point("bulk.files");
    std::unique_lock lock(store->mutex);
    // Who waits for an earlier commit marks and publishes that one when it is done: not after this one.
    store->synced.wait(lock, [this] { return !store->syncing; });
    if (store->failed) return tl::unexpected(*store->failed);
    if (auto taken = store->kv->ingest(*tables); !taken) {
      if (taken.error().code == ErrorCode::kOutcomeUnknown) store->failed = taken.error();
      return tl::unexpected(std::move(taken).error());
    }
    impl::kill_point("bulk.taken");
    if (auto marked = store->high_water.set(store->path, commit); !marked) {
      Error error = std::move(marked).error();
      error.code = ErrorCode::kOutcomeUnknown;
      store->failed = std::move(error).with_context(fmt::format("commit {} was kept, but", commit.value));
      return tl::unexpected(*store->failed);
    }
    store->reader = store->kv->snapshot();
    store->cache->clear(++store->epoch);
    store->statistics = std::make_shared<const impl::StatisticsBase>(std::move(statistics));
    store->tails.assign(1, {});
    store->tails.back().last = commit;
    store->head = {commit, record, kinds, retired.empty() ? store->head.retired : store->head.retired->with(retired)};
    store->durable = commit;
    store->publish(store->head);
  }
  impl::kill_point("bulk.marked");
  tables.reset();  // removes files by names that the next commit uses again: not after the turn is given back
  impl::remove_folder(folder);
  turn = {};
  return commit;
}

}  // namespace demarche

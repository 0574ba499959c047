#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/entry_codec.h"
#include "engine/impl/kv.h"
#include "engine/impl/record_codec.h"
#include "engine/names.h"
#include "engine/store.h"

namespace demarche {

namespace {

// Names looked through for a hint; only a message that something was not found waits for it.
constexpr std::size_t kNamesSearchedMax = 200'000;
constexpr std::size_t kNamesOfferedMax = 4;

Error corrupt_key(impl::Family family) {
  return {ErrorCode::kCorruption,
          fmt::format("{}: a key has the wrong form; stop writing to this store", impl::family_name(family)), nullptr};
}

// The newest version of a record, which sorts first under its id. nullopt: no such id.
Result<std::optional<std::string>> newest_version(const impl::KvReader& reader, impl::Family family, std::uint64_t id) {
  const auto it = reader.iterate(family);
  it->seek(impl::version_prefix(id));
  if (!it->valid()) {
    DEMARCHE_CHECK(it->status());
    return std::nullopt;
  }
  const auto key = impl::decode_version_key(it->key());
  if (!key) return tl::unexpected(corrupt_key(family));
  if (key->id != id) return std::nullopt;
  return std::string(it->value());
}

Result<std::string> get_version(const impl::KvReader& reader, impl::Family family, std::uint64_t id, const char* what) {
  DEMARCHE_TRY(std::optional<std::string> bytes, newest_version(reader, family, id));
  if (!bytes) return make_error(ErrorCode::kNotFound, fmt::format("there is no {} with id {}", what, id));
  return std::move(*bytes);
}

Result<std::optional<std::uint64_t>> find_owner(const impl::KvReader& reader, impl::KeyOwner owner,
                                                std::string_view key) {
  DEMARCHE_TRY(const auto value, reader.get(impl::Family::kKey, impl::owner_key(owner, key)));
  if (!value) return std::nullopt;
  const auto id = impl::decode_u64(*value);
  if (!id) return tl::unexpected(corrupt_key(impl::Family::kKey));
  return *id;
}

}  // namespace

// ---- cursors -------------------------------------------------------------------------------------------------------

// One stream per length class, merged by (begin, row).
struct RowCursor::State {
  struct Stream {
    std::unique_ptr<impl::KvIterator> it;
    std::string prefix;
    impl::TimeKey at;
    bool live = false;
  };
  impl::Family family = impl::Family::kTimeline;
  TimeWindow window;
  KindSet kinds;
  std::array<Stream, impl::kLengthClassCount> streams;

  // Reads the key under the iterator of `s`; ends the stream at the end of its class or window.
  Result<void> settle(Stream& s) {
    s.live = false;
    if (!s.it->valid()) return s.it->status();
    const std::string_view key = s.it->key();
    if (!key.starts_with(s.prefix)) return {};
    const auto at = family == impl::Family::kContact ? impl::decode_contact_key(key) : impl::decode_timeline_key(key);
    if (!at) return tl::unexpected(corrupt_key(family));
    if (at->begin >= window.end) return {};
    s.at = *at;
    s.live = true;
    return {};
  }

  Stream* first() {
    Stream* best = nullptr;
    for (Stream& s : streams) {
      if (s.live && (best == nullptr || std::pair(s.at.begin, s.at.row) < std::pair(best->at.begin, best->at.row))) {
        best = &s;
      }
    }
    return best;
  }
};

RowCursor::RowCursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
RowCursor::RowCursor(RowCursor&&) noexcept = default;
RowCursor& RowCursor::operator=(RowCursor&&) noexcept = default;
RowCursor::~RowCursor() = default;

Result<void> RowCursor::next(RowBatch& batch, std::size_t rows_max) {
  batch.clear();
  while (batch.size() < rows_max) {
    State::Stream* s = state_->first();
    if (s == nullptr) break;
    const std::string_view value = s->it->value();
    bool wanted = true;
    if (!state_->kinds.is_any()) {
      DEMARCHE_TRY(const KindId kind, impl::entry_kind(value));
      wanted = state_->kinds.contains(kind);
    }
    if (wanted) {
      DEMARCHE_CHECK(impl::decode_entry(s->at.row, value, batch));
      if (batch.bounds.back().end_max < state_->window.begin) {  // too early to reach into the window
        batch.row.pop_back();
        batch.interaction.pop_back();
        batch.kind.pop_back();
        batch.status.pop_back();
        batch.dated.pop_back();
        batch.bounds.pop_back();
        batch.party_begin.pop_back();
        batch.parties.resize(batch.party_begin.back());
      }
    }
    s->it->next();
    DEMARCHE_CHECK(state_->settle(*s));
  }
  return {};
}

struct ActorCursor::State {
  std::unique_ptr<impl::KvIterator> it;
  std::optional<std::string> label;  // nullopt: all actors, from the records
  ActorId last;                      // several versions of one record give one actor
};

ActorCursor::ActorCursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
ActorCursor::ActorCursor(ActorCursor&&) noexcept = default;
ActorCursor& ActorCursor::operator=(ActorCursor&&) noexcept = default;
ActorCursor::~ActorCursor() = default;

Result<void> ActorCursor::next(std::vector<ActorId>& ids, std::size_t rows_max) {
  ids.clear();
  State& s = *state_;
  for (; ids.size() < rows_max && s.it->valid(); s.it->next()) {
    if (s.label) {
      const auto key = impl::decode_text_id_key(s.it->key());
      if (!key) return tl::unexpected(corrupt_key(impl::Family::kLabel));
      if (key->text != *s.label) return {};
      ids.push_back(key->id);
      continue;
    }
    const auto key = impl::decode_version_key(s.it->key());
    if (!key) return tl::unexpected(corrupt_key(impl::Family::kActor));
    if (key->id != s.last.value) ids.push_back(s.last = ActorId{key->id});
  }
  return s.it->valid() ? Result<void>{} : s.it->status();
}

// ---- view ----------------------------------------------------------------------------------------------------------

View::View(std::shared_ptr<const impl::KvReader> reader, std::shared_ptr<const KindTable> kinds, Statistics statistics)
    : reader_(std::move(reader)), kinds_(std::move(kinds)), statistics_(statistics) {}
View::~View() = default;

Result<std::optional<ActorId>> View::find_actor(std::string_view key) const {
  DEMARCHE_TRY(const auto id, find_owner(*reader_, impl::KeyOwner::kActor, key));
  return id ? std::optional(ActorId{*id}) : std::nullopt;
}

Result<std::optional<InteractionId>> View::find_interaction(std::string_view key) const {
  DEMARCHE_TRY(const auto id, find_owner(*reader_, impl::KeyOwner::kInteraction, key));
  return id ? std::optional(InteractionId{*id}) : std::nullopt;
}

Result<std::optional<SourceId>> View::find_source(std::string_view key) const {
  DEMARCHE_TRY(const auto id, find_owner(*reader_, impl::KeyOwner::kSource, key));
  return id ? std::optional(SourceId{*id}) : std::nullopt;
}

Result<std::vector<ActorId>> View::find_actors_by_name(std::string_view name) const {
  DEMARCHE_TRY(const std::string form, normal_form(name));
  std::vector<ActorId> out;
  if (form.empty()) return out;
  const std::string prefix = impl::text_id_prefix(form);
  const auto it = reader_->iterate(impl::Family::kName);
  for (it->seek(prefix); it->valid() && it->key().starts_with(prefix); it->next()) {
    const auto key = impl::decode_text_id_key(it->key());
    if (!key) return tl::unexpected(corrupt_key(impl::Family::kName));
    if (key->text == form) out.push_back(key->id);
  }
  DEMARCHE_CHECK(it->status());
  return out;
}

namespace {

// "; did you mean 'Sergey Lavrov'?": actors one of whose names contains the text, else the one with the nearest name.
Result<std::string> similar_names(const View& view, std::string_view name) {
  DEMARCHE_TRY(const std::string form, normal_form(name));
  DEMARCHE_TRY(const std::vector<NameMatch> all, view.names("", kNamesSearchedMax));
  std::vector<ActorId> similar;
  std::vector<std::string> forms;
  for (const NameMatch& match : all) {
    forms.push_back(match.normal_form);
    const bool contains = !form.empty() && match.normal_form.find(form) != std::string::npos;
    if (contains && std::find(similar.begin(), similar.end(), match.actor) == similar.end())
      similar.push_back(match.actor);
  }
  if (similar.empty()) {
    const auto it = std::find(forms.begin(), forms.end(), nearest(form, forms));
    if (it != forms.end()) similar.push_back(all[static_cast<std::size_t>(it - forms.begin())].actor);
  }
  std::string out;
  for (std::size_t i = 0; i < std::min(similar.size(), kNamesOfferedMax); ++i) {
    DEMARCHE_TRY(const Actor actor, view.get_actor(similar[i]));
    const std::string& shown =
        !actor.name.empty() ? actor.name : (actor.aliases.empty() ? actor.key : actor.aliases.front());
    out += fmt::format("{}'{}'", out.empty() ? "; did you mean " : " or ", shown);
  }
  return out.empty() ? out : out + "?";
}

}  // namespace

Result<ActorId> View::resolve_actor(std::string_view name) const {
  DEMARCHE_TRY(const auto by_key, find_actor(name));
  if (by_key) return *by_key;
  DEMARCHE_TRY(const std::vector<ActorId> ids, find_actors_by_name(name));
  if (ids.size() == 1) return ids.front();
  if (ids.empty()) {
    DEMARCHE_TRY(const std::string hint, similar_names(*this, name));
    return make_error(ErrorCode::kNotFound, fmt::format("there is no actor '{}'{}", name, hint));
  }
  std::string keys;
  for (const ActorId id : ids) {
    DEMARCHE_TRY(const Actor actor, get_actor(id));
    keys += fmt::format("{}{}", keys.empty() ? "" : ", ",
                        actor.key.empty() ? fmt::format("actor {} (no key)", id.value) : actor.key);
  }
  return invalid(fmt::format("{} actors are called '{}'; give the key of one: {}", ids.size(), name, keys));
}

Result<std::vector<NameMatch>> View::names(std::string_view prefix, std::size_t limit) const {
  DEMARCHE_TRY(const std::string form, normal_form(prefix));
  std::vector<NameMatch> out;
  const auto it = reader_->iterate(impl::Family::kName);
  for (it->seek(form); it->valid() && it->key().starts_with(form) && out.size() < limit; it->next()) {
    const auto key = impl::decode_text_id_key(it->key());
    if (!key) return tl::unexpected(corrupt_key(impl::Family::kName));
    out.push_back({key->id, std::string(key->text), it->value() == "p"});
  }
  DEMARCHE_CHECK(it->status());
  return out;
}

Result<Actor> View::get_actor(ActorId id) const {
  DEMARCHE_TRY(const std::string bytes, get_version(*reader_, impl::Family::kActor, id.value, "actor"));
  return impl::decode_actor(id, bytes);
}

Result<Interaction> View::get_interaction(InteractionId id) const {
  DEMARCHE_TRY(const std::string bytes, get_version(*reader_, impl::Family::kInteraction, id.value, "interaction"));
  return impl::decode_interaction(id, bytes);
}

Result<Source> View::get_source(SourceId id) const {
  DEMARCHE_TRY(const std::string bytes, get_version(*reader_, impl::Family::kSource, id.value, "source"));
  return impl::decode_source(id, bytes);
}

Result<ActorCursor> View::actors() const {
  auto state = std::make_unique<ActorCursor::State>();
  state->it = reader_->iterate(impl::Family::kActor);
  state->it->seek({});
  return ActorCursor(std::move(state));
}

Result<ActorCursor> View::actors_with_label(std::string_view label) const {
  auto state = std::make_unique<ActorCursor::State>();
  state->it = reader_->iterate(impl::Family::kLabel);
  if (label.find('\0') == std::string_view::npos) state->it->seek(impl::text_id_prefix(label));  // else no actor has it
  state->label = std::string(label);
  return ActorCursor(std::move(state));
}

Result<RowCursor> View::rows(std::optional<ActorId> actor, TimeWindow window, const KindSet& kinds) const {
  auto state = std::make_unique<RowCursor::State>();
  state->family = actor ? impl::Family::kContact : impl::Family::kTimeline;
  state->window = window;
  state->kinds = kinds;
  for (std::size_t i = 0; i < impl::kLengthClassCount && window.begin < window.end; ++i) {
    const auto length = static_cast<impl::LengthClass>(i);
    const impl::TimeKey first{length, impl::earliest_begin(length, window), RowNumber{0}};
    auto& s = state->streams[i];
    s.it = reader_->iterate(state->family);
    s.prefix = actor ? impl::contact_prefix(*actor, length) : impl::timeline_prefix(length);
    s.it->seek(actor ? impl::contact_key(*actor, first) : impl::timeline_key(first));
    DEMARCHE_CHECK(state->settle(s));
  }
  return RowCursor(std::move(state));
}

Result<RowCursor> View::scan(ActorId actor, TimeWindow window, const KindSet& kinds) const {
  return rows(actor, window, kinds);
}

Result<RowCursor> View::timeline(TimeWindow window, const KindSet& kinds) const {
  return rows(std::nullopt, window, kinds);
}

}  // namespace demarche

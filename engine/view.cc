#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/history_value.h"
#include "engine/impl/kv.h"
#include "engine/impl/plain_page.h"
#include "engine/impl/planner_counts.h"
#include "engine/impl/read_state.h"
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

// The version of a record that held as of a commit: versions sort newest first. nullopt: no such id then.
Result<std::optional<std::string>> version_at(const impl::KvReader& reader, impl::Family family, std::uint64_t id,
                                              CommitNumber as_of) {
  const auto it = reader.iterate(family);
  it->seek(impl::version_key(id, as_of));
  if (!it->valid()) {
    DEMARCHE_CHECK(it->status());
    return std::nullopt;
  }
  const auto key = impl::decode_version_key(it->key());
  if (!key) return tl::unexpected(corrupt_key(family));
  if (key->id != id) return std::nullopt;
  return std::string(it->value());
}

Error not_found(const char* what, std::uint64_t id) {
  return {ErrorCode::kNotFound, fmt::format("there is no {} with id {}", what, id), nullptr};
}

// An empty value marks a record that was taken back.
Result<std::string> get_version(const impl::ReadState& state, impl::Family family, std::uint64_t id, const char* what) {
  DEMARCHE_TRY(std::optional<std::string> bytes, version_at(*state.reader, family, id, state.visible.as_of));
  if (!bytes || bytes->empty()) return tl::unexpected(not_found(what, id));
  return std::move(*bytes);
}

Result<std::optional<std::uint64_t>> find_owner(const impl::ReadState& state, impl::KeyOwner owner,
                                                std::string_view key) {
  DEMARCHE_TRY(const auto value, state.reader->get(impl::Family::kKey, impl::owner_key(owner, key)));
  if (!value) return std::nullopt;
  const auto id = impl::history_at(*value, state.visible.as_of);
  if (!id) return tl::unexpected(corrupt_key(impl::Family::kKey));
  return *id == 0 ? std::nullopt : std::optional(*id);
}

// A plain interaction from the pages in memory or on disk; nullopt if it is not there.
Result<std::optional<Interaction>> find_plain(const impl::ReadState& state, InteractionId id) {
  if (state.catch_up) DEMARCHE_CHECK(state.catch_up());
  if (id.value >= state.visible.row_end) return std::nullopt;
  for (const auto& tail : state.tails) {
    DEMARCHE_TRY(auto found, tail->find_plain(id.value));
    if (found) return found;
  }
  const auto it = state.reader->iterate(impl::Family::kPlain);
  it->seek(impl::encode_u64(id.value));
  if (!it->valid()) {
    DEMARCHE_CHECK(it->status());
    return std::nullopt;
  }
  impl::PlainPage page;
  DEMARCHE_CHECK(page.parse(it->value()));
  const auto at = page.find_row(id.value);
  if (!at) return std::nullopt;
  DEMARCHE_TRY(Interaction found, page.interaction(*at));
  return std::optional(std::move(found));
}

}  // namespace

// ---- cursors -------------------------------------------------------------------------------------------------------

// Blocks of one length class in order, decoded one at a time.
struct RowCursor::State {
  struct Stream {
    impl::LengthClass length = impl::LengthClass::kUnit;
    std::span<const impl::LoadedBlock> blocks;  // of an actor, what is left of them
    std::unique_ptr<impl::KvIterator> it;       // of the timeline
    std::string prefix;
    impl::RowBlock block;  // of the timeline, the one being read
    RowBatch rows;         // decoded and not handed out
    std::size_t next = 0;
    bool done = false;

    [[nodiscard]] auto key() const { return std::pair(rows.bounds[next].begin_min, rows.row[next]); }
    [[nodiscard]] bool live() const { return next < rows.size(); }
  };

  std::shared_ptr<const impl::ReadState> read;
  std::uint64_t owner = impl::kTimelineOwner;
  impl::RowFilter filter;
  std::shared_ptr<const impl::BlockDirectory> directory;
  std::vector<Stream> streams;
  std::uint64_t blocks_read = 0;

  // Decodes blocks until there are rows or the stream ends.
  Result<void> refill(Stream& s) {
    s.rows.clear();
    s.next = 0;
    while (!s.done && s.rows.size() == 0) {
      const impl::RowBlock* block = nullptr;
      if (s.it) {
        if (!s.it->valid() || !s.it->key().starts_with(s.prefix)) {
          s.done = true;
          if (!s.it->valid()) DEMARCHE_CHECK(s.it->status());
          break;
        }
        DEMARCHE_CHECK(s.block.parse(s.it->value()));
        block = &s.block;
      } else {
        if (s.blocks.empty()) {
          s.done = true;
          break;
        }
        block = &s.blocks.front().block;
      }
      if (block->first_begin() >= filter.window.end) {
        s.done = true;
        break;
      }
      ++blocks_read;
      const impl::RowRange range = impl::rows_near(*block, s.length, filter.window);
      DEMARCHE_CHECK(impl::decode_rows(*read, *block, range, filter, owner, s.rows));
      if (s.it) {
        s.it->next();
      } else {
        s.blocks = s.blocks.subspan(1);
      }
    }
    return {};
  }

  Result<void> start() {
    if (filter.window.begin >= filter.window.end || filter.kinds.is_none()) return {};
    if (owner != impl::kTimelineOwner) DEMARCHE_ASSIGN(directory, impl::load_directory(*read, ActorId{owner}));
    for (std::size_t i = 0; i < impl::kLengthClassCount; ++i) {
      Stream s;
      s.length = static_cast<impl::LengthClass>(i);
      const Timestamp from = impl::earliest_begin(s.length, filter.window);
      if (owner == impl::kTimelineOwner) {
        s.it = read->reader->iterate(impl::Family::kTimeline);
        s.prefix = impl::timeline_prefix(s.length);
        // Keys hold the last begin of their block, so this finds the first block that can hold one from `from` on.
        s.it->seek(impl::timeline_key({s.length, from, RowNumber{0}}));
      } else {
        const auto& blocks = directory->classes[i];
        const auto first = std::partition_point(blocks.begin(), blocks.end(), [from](const impl::LoadedBlock& block) {
          return block.block.last_begin() < from;
        });
        s.blocks = std::span(blocks).subspan(static_cast<std::size_t>(first - blocks.begin()));
      }
      DEMARCHE_CHECK(refill(s));
      if (s.live()) streams.push_back(std::move(s));
    }
    Stream fresh;
    fresh.done = true;
    DEMARCHE_CHECK(impl::collect_fresh(*read, filter, owner, fresh.rows));
    if (fresh.live()) streams.push_back(std::move(fresh));
    return {};
  }

  Stream* first() {
    Stream* best = nullptr;
    for (Stream& s : streams) {
      if (s.live() && (best == nullptr || s.key() < best->key())) best = &s;
    }
    return best;
  }
};

RowCursor::RowCursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
RowCursor::RowCursor(RowCursor&&) noexcept = default;
RowCursor& RowCursor::operator=(RowCursor&&) noexcept = default;
RowCursor::~RowCursor() = default;
std::uint64_t RowCursor::blocks() const { return state_->blocks_read; }

Result<void> RowCursor::next(RowBatch& batch, std::size_t rows_max) {
  batch.clear();
  auto& streams = state_->streams;
  if (streams.size() == 1 && streams.front().next == 0 && streams.front().rows.size() <= rows_max) {
    std::swap(batch, streams.front().rows);  // nothing to merge: whole blocks are handed on
    return state_->refill(streams.front());
  }
  while (batch.size() < rows_max) {
    State::Stream* s = state_->first();
    if (s == nullptr) break;
    batch.append(s->rows, s->next++);
    if (!s->live()) DEMARCHE_CHECK(state_->refill(*s));
  }
  std::erase_if(streams, [](const State::Stream& s) { return !s.live(); });
  return {};
}

struct ActorCursor::State {
  std::shared_ptr<const impl::ReadState> read;
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
      const auto held = impl::history_at(s.it->value(), s.read->visible.as_of);
      if (!key || !held) return tl::unexpected(corrupt_key(impl::Family::kLabel));
      if (key->text != *s.label) return {};
      if (*held != 0) ids.push_back(key->id);
      continue;
    }
    const auto key = impl::decode_version_key(s.it->key());
    if (!key) return tl::unexpected(corrupt_key(impl::Family::kActor));
    if (key->id == s.last.value || key->commit > s.read->visible.as_of) continue;
    s.last = ActorId{key->id};
    if (!s.it->value().empty()) ids.push_back(s.last);
  }
  return s.it->valid() ? Result<void>{} : s.it->status();
}

// ---- view ----------------------------------------------------------------------------------------------------------

View::View(std::shared_ptr<const impl::ReadState> read, std::shared_ptr<const KindTable> kinds, Statistics statistics)
    : read_(std::move(read)), kinds_(std::move(kinds)), statistics_(statistics) {}
View::~View() = default;

std::shared_ptr<const View> View::within(const ValidTime& valid) const {
  auto read = std::make_shared<impl::ReadState>(*read_);
  read->valid = valid;
  return std::make_shared<const View>(std::move(read), kinds_, statistics_);
}

const std::optional<ValidTime>& View::valid_time() const { return read_->valid; }

Result<std::optional<ActorId>> View::find_actor(std::string_view key) const {
  DEMARCHE_TRY(const auto id, find_owner(*read_, impl::KeyOwner::kActor, key));
  return id ? std::optional(ActorId{*id}) : std::nullopt;
}

Result<std::optional<InteractionId>> View::find_interaction(std::string_view key) const {
  DEMARCHE_TRY(const auto id, find_owner(*read_, impl::KeyOwner::kInteraction, key));
  if (!id) return std::nullopt;
  if (read_->valid) {
    auto record = get_interaction(InteractionId{*id});
    if (!record && record.error().code == ErrorCode::kNotFound) return std::nullopt;
    DEMARCHE_CHECK(record);
  }
  return InteractionId{*id};
}

Result<std::optional<SourceId>> View::find_source(std::string_view key) const {
  DEMARCHE_TRY(const auto id, find_owner(*read_, impl::KeyOwner::kSource, key));
  return id ? std::optional(SourceId{*id}) : std::nullopt;
}

Result<std::vector<ActorId>> View::find_actors_by_name(std::string_view name) const {
  DEMARCHE_TRY(const std::string form, normal_form(name));
  std::vector<ActorId> out;
  if (form.empty()) return out;
  const std::string prefix = impl::text_id_prefix(form);
  const auto it = read_->reader->iterate(impl::Family::kName);
  for (it->seek(prefix); it->valid() && it->key().starts_with(prefix); it->next()) {
    const auto key = impl::decode_text_id_key(it->key());
    if (!key) return tl::unexpected(corrupt_key(impl::Family::kName));
    const auto held = impl::history_at(it->value(), read_->visible.as_of);
    if (!held) return tl::unexpected(corrupt_key(impl::Family::kName));
    if (key->text == form && *held != 0) out.push_back(key->id);
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
  const auto it = read_->reader->iterate(impl::Family::kName);
  for (it->seek(form); it->valid() && it->key().starts_with(form) && out.size() < limit; it->next()) {
    const auto key = impl::decode_text_id_key(it->key());
    if (!key) return tl::unexpected(corrupt_key(impl::Family::kName));
    const auto held = impl::history_at(it->value(), read_->visible.as_of);
    if (!held) return tl::unexpected(corrupt_key(impl::Family::kName));
    if (*held != 0) out.push_back({key->id, std::string(key->text), *held == impl::kPreferredName});
  }
  DEMARCHE_CHECK(it->status());
  return out;
}

Result<Actor> View::get_actor(ActorId id) const {
  DEMARCHE_TRY(const std::string bytes, get_version(*read_, impl::Family::kActor, id.value, "actor"));
  return impl::decode_actor(id, bytes);
}

Result<Interaction> View::get_interaction(InteractionId id) const {
  DEMARCHE_TRY(Interaction record, any_interaction(id));
  if (!read_->valid || read_->valid->admits(record.when.has_value(), record.when ? record.when->bounds : TimeBounds{}))
    return record;
  return tl::unexpected(not_found("interaction", id.value));
}

Result<Interaction> View::any_interaction(InteractionId id) const {
  DEMARCHE_TRY(const auto bytes,
               version_at(*read_->reader, impl::Family::kInteraction, id.value, read_->visible.as_of));
  if (bytes) {
    if (bytes->empty()) return tl::unexpected(not_found("interaction", id.value));
    return impl::decode_interaction(id, *bytes);
  }
  DEMARCHE_TRY(auto plain, find_plain(*read_, id));
  if (!plain) return tl::unexpected(not_found("interaction", id.value));
  return std::move(*plain);
}

Result<Source> View::get_source(SourceId id) const {
  DEMARCHE_TRY(const std::string bytes, get_version(*read_, impl::Family::kSource, id.value, "source"));
  return impl::decode_source(id, bytes);
}

Result<ActorCursor> View::actors() const {
  auto state = std::make_unique<ActorCursor::State>();
  state->read = read_;
  state->it = read_->reader->iterate(impl::Family::kActor);
  state->it->seek({});
  return ActorCursor(std::move(state));
}

Result<ActorCursor> View::actors_with_label(std::string_view label) const {
  auto state = std::make_unique<ActorCursor::State>();
  state->read = read_;
  state->it = read_->reader->iterate(impl::Family::kLabel);
  if (label.find('\0') == std::string_view::npos) state->it->seek(impl::text_id_prefix(label));  // else no actor has it
  state->label = std::string(label);
  return ActorCursor(std::move(state));
}

Result<RowCursor> View::rows(std::uint64_t owner, TimeWindow window, const KindSet& kinds) const {
  if (read_->catch_up) DEMARCHE_CHECK(read_->catch_up());
  auto state = std::make_unique<RowCursor::State>();
  state->read = read_;
  state->owner = owner;
  state->filter = {read_->valid ? read_->valid->narrowed(window) : window, kinds};
  DEMARCHE_CHECK(state->start());
  return RowCursor(std::move(state));
}

Result<RowCursor> View::scan(ActorId actor, TimeWindow window, const KindSet& kinds) const {
  return rows(actor.value, window, kinds);
}

Result<RowCursor> View::timeline(TimeWindow window, const KindSet& kinds) const {
  return rows(impl::kTimelineOwner, window, kinds);
}

Result<std::shared_ptr<const PlannerStatistics>> View::planner_statistics() const {
  if (read_->catch_up) return impl::make_planner_statistics(read_, statistics_);
  const std::lock_guard lock(planner_mutex_);
  if (!planner_statistics_) DEMARCHE_ASSIGN(planner_statistics_, impl::make_planner_statistics(read_, statistics_));
  return planner_statistics_;
}

Result<std::uint64_t> View::degree_bound(ActorId actor) const {
  if (read_->catch_up) DEMARCHE_CHECK(read_->catch_up());
  std::uint64_t out = 0;
  for (const auto& tail : read_->tails) out += tail->rows_of(actor.value);
  if (read_->statistics) {
    DEMARCHE_TRY(const impl::DegreeArray degrees, impl::read_degrees(*read_->reader, actor.value / impl::kDegreeChunk));
    return out + degrees[actor.value % impl::kDegreeChunk];
  }
  DEMARCHE_TRY(const auto directory, impl::load_directory(*read_, actor));
  return out + directory->rows;
}

}  // namespace demarche

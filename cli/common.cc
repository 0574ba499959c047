#include "cli/common.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include <fmt/format.h>

#include "cli/commands.h"
#include "engine/date_words.h"
#include "engine/names.h"
#include "engine/when.h"

namespace demarche::cli {

namespace {

// Set by the signal handler, read by the running statement. A signal handler can reach nothing but a global.
std::atomic<bool> interrupted_flag = false;
static_assert(std::atomic<bool>::is_always_lock_free);
extern "C" void on_interrupt(int) { interrupted_flag.store(true); }

void say_changes(const query::Changes& changes) {
  if (changes.commit.value == 0) return;
  std::string all;
  const auto add = [&](const char* done, std::uint64_t actors, std::uint64_t interactions) {
    std::string what;
    if (actors > 0) what = plural(actors, "actor", "actors");
    if (interactions > 0) what += (what.empty() ? "" : " and ") + plural(interactions, "interaction", "interactions");
    if (!what.empty()) all += fmt::format("{}{} {}", all.empty() ? "" : ", ", done, what);
  };
  add("recorded", changes.actors_created, changes.interactions_created);
  add("changed", changes.actors_changed, changes.interactions_changed);
  add("deleted", changes.actors_deleted, changes.interactions_deleted);
  say(fmt::format("{} (commit {})", all.empty() ? "recorded the change" : all, changes.commit.value));
}

// How far a claim's own date of the interaction reaches.
Result<When> claimed_when(const proto::Snapshot& view, const Interaction& record, const std::string& source_key) {
  DEMARCHE_TRY(const auto source, view.find_source(source_key));
  if (!source) return make_error(ErrorCode::kNotFound, fmt::format("there is no source '{}'", source_key));
  for (const Claim& claim : record.claims) {
    if (claim.source != *source) continue;
    if (claim.when) return *claim.when;
    if (record.when) return *record.when;  // the source agrees with the record
  }
  return make_error(ErrorCode::kNotFound, fmt::format("source '{}' says nothing of '{}'", source_key, record.key));
}

// Does it look like an attempt at a date rather than like a key?
bool looks_like_date(const std::string& text) {
  return !text.empty() && std::string_view("0123456789[{-Y").find(text[0]) != std::string_view::npos;
}

// Those whose names the values will be shown by.
void collect_records(const query::Value& value, std::vector<ActorId>& actors,
                     std::vector<InteractionId>& interactions) {
  switch (value.kind()) {
    case query::ValueKind::kActor:
      actors.push_back(value.as_actor());
      break;
    case query::ValueKind::kInteraction:
      interactions.push_back(value.as_interaction());
      break;
    case query::ValueKind::kList:
      for (const query::Value& item : value.as_list()) collect_records(item, actors, interactions);
      break;
    case query::ValueKind::kMap:
      for (const auto& [key, item] : value.as_map()) collect_records(item, actors, interactions);
      break;
    case query::ValueKind::kPath:
      for (const ActorId id : value.as_path().actors) actors.push_back(id);
      for (const InteractionId id : value.as_path().interactions) interactions.push_back(id);
      break;
    default:
      break;
  }
}

void expect_records(const proto::Snapshot& state, const proto::RowsBatch& rows) {
  if (state.view() != nullptr) return;  // at hand anyway
  std::vector<ActorId> actors;
  std::vector<InteractionId> interactions;
  for (const auto& column : rows.columns) {
    for (const query::Value& value : column) collect_records(value, actors, interactions);
  }
  state.expect(actors, interactions);
}

// The query's own message knows nothing of where parameters come from here.
Error with_parameter_hint(Error error, std::string_view text, bool in_shell) {
  if (!error.fault || error.fault->type != "ParameterMissing" || !error.fault->has_position) return error;
  std::string_view name = text.substr(std::min(error.fault->offset, text.size()), error.fault->length);
  if (!name.starts_with('$')) return error;
  name.remove_prefix(1);
  error.message += in_shell ? fmt::format(": .param {} VALUE", name) : fmt::format(": -p {}=VALUE", name);
  return error;
}

}  // namespace

InterruptGuard::InterruptGuard() {
  interrupted_flag.store(false);
  struct sigaction action {};
  action.sa_handler = &on_interrupt;
  sigaction(SIGINT, &action, &before_);
}
InterruptGuard::~InterruptGuard() { sigaction(SIGINT, &before_, nullptr); }
bool InterruptGuard::interrupted() { return interrupted_flag.load(); }
const std::atomic<bool>* InterruptGuard::flag() { return &interrupted_flag; }

std::string plural(std::uint64_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

Result<std::unique_ptr<Store>> open_to_read(const std::string& path) {
  StoreOptions options;
  options.read_only = true;
  return Store::open(path, options);
}

Result<std::map<std::string, query::Value>> parse_parameters(const std::vector<std::string>& texts) {
  std::map<std::string, query::Value> out;
  for (const std::string& text : texts) {
    const std::size_t equal = text.find('=');
    if (equal == std::string::npos || equal == 0) {
      return invalid(fmt::format("parameter '{}': write name=value, as in --param day=2016-04-18", text));
    }
    if (!is_utf8(text)) return invalid(fmt::format("parameter '{}': not valid UTF-8", text.substr(0, equal)));
    const std::string value = text.substr(equal + 1);
    auto literal = query::parse_literal(value);
    out[text.substr(0, equal)] = literal ? std::move(*literal) : query::Value::string(value);
  }
  return out;
}

int run_statement(proto::Session& session, std::string_view text, const RunOptions& options) {
  const auto started = std::chrono::steady_clock::now();
  const InterruptGuard guard;
  query::QueryOptions query_options;
  query_options.time_max = std::chrono::seconds(options.time_max_s);
  query_options.cancel = &interrupted_flag;
  query_options.as_of = options.as_of;
  auto cursor = session.query(text, options.parameters, query_options);
  if (!cursor) return fail(with_parameter_hint(cursor.error(), text, options.in_shell), text);
  ValueText value_text((*cursor)->state());
  std::size_t count = 0;
  if (!(*cursor)->columns().empty()) {
    const auto writer = make_writer(options.output, (*cursor)->columns(), value_text);
    proto::RowsBatch rows;
    std::vector<query::Value> values((*cursor)->columns().size());
    while (true) {
      if (auto read = (*cursor)->next(rows); !read)
        return fail(with_parameter_hint(read.error(), text, options.in_shell), text);
      if (rows.size == 0) break;
      expect_records((*cursor)->state(), rows);
      for (std::size_t r = 0; r < rows.size; ++r) {
        for (std::size_t c = 0; c < values.size(); ++c) values[c] = rows.columns[c][r];
        writer->row(values);
      }
      count += rows.size;
    }
    for (const std::string& notice : (*cursor)->notices()) say("note: " + notice);
    writer->finish();
    if (!flush_output()) return kFailed;
  } else {
    for (const std::string& notice : (*cursor)->notices()) say("note: " + notice);
  }
  say_changes((*cursor)->changes());
  if (options.interactive && !(*cursor)->columns().empty()) {
    const auto took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started);
    say(fmt::format("{} in {:.1f} ms", plural(count, "row", "rows"), took.count()));
  }
  return kDone;
}

Result<std::string> name_with_office(const proto::Snapshot& view, ActorId id, const std::optional<TimeBounds>& at,
                                     ValueText& text) {
  const std::string name = text.actor_name(id);
  if (!at) return name;
  DEMARCHE_TRY(const std::vector<InteractionId> held_by, view.offices(id));
  std::string offices;
  for (const InteractionId interaction : held_by) {
    DEMARCHE_TRY(const Interaction record, view.get_interaction(interaction));
    const Truth held = record.when ? during(*at, record.when->bounds) : Truth::kUnknown;
    if (held == Truth::kFalse) continue;
    const PropertyValue* title = find_property(record.properties, "title");
    const auto* title_text = title == nullptr ? nullptr : std::get_if<std::string>(&title->value);
    std::string office = title_text == nullptr ? "office" : *title_text;
    for (const Participant& party : record.participants) {
      if (party.role == Role::kBody) office += ", " + text.actor_name(party.actor);
    }
    offices += (offices.empty() ? "" : "; ") + office + (held == Truth::kTrue ? "" : "?");
  }
  return offices.empty() ? name : fmt::format("{} ({})", name, offices);
}

std::string kind_words(const proto::Snapshot& view, KindId kind) {
  std::string out = view.kinds().get(kind).name;
  for (char& c : out) {
    if (c == '_') c = ' ';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Result<NamedTime> named_time(const proto::Snapshot& view, const std::string& text, const std::string& according_to) {
  DEMARCHE_TRY(const auto id, view.find_interaction(text));
  if (id) {
    DEMARCHE_TRY(const Interaction record, view.get_interaction(*id));
    NamedTime out{text, {}, record.when, *id};
    if (!according_to.empty()) {
      DEMARCHE_TRY(When when, claimed_when(view, record, according_to));
      out.label += " according to " + according_to;
      out.when = std::move(when);
    }
    if (out.when) out.bounds = out.when->bounds;
    return out;
  }
  const auto when = parse_when_or_words(text);  // refuses {..}, which is no one time
  if (!when) {
    const std::string hint = nearest_key_hint(view, text);
    if (looks_like_date(text)) {
      return tl::unexpected(Error{when.error().code, when.error().message + hint, nullptr});
    }
    return make_error(
        ErrorCode::kNotFound,
        fmt::format("there is no interaction with the key '{}', and it is no date either{}", text,
                    hint.empty()
                        ? "; list the keys with: demarche query STORE 'MATCH [c] RETURN c.key, type(c), c.when'"
                        : hint));
  }
  if (!according_to.empty()) return invalid("--according-to goes with the key of an interaction, not with a date");
  DEMARCHE_TRY(const Edtf edtf, parse_edtf_or_words(text));
  return NamedTime{text, as_period(edtf), When{edtf.text, as_period(edtf)}, {}};
}

std::string nearest_key_hint(const proto::Snapshot& view, const std::string& text) {
  const auto near = view.nearest_key(text);
  return !near || near->empty() ? "" : fmt::format("; did you mean '{}'?", *near);
}

}  // namespace demarche::cli

// What the tests of the store share: short ways to fill one, and everything in one as text, to compare.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "engine/store.h"

namespace demarche::tests {

template <typename T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}
inline void must(const Result<void>& result) {
  if (!result) FAIL(result.error().message);
}

// The error of what must not succeed.
template <typename T>
Error refusal(const Result<T>& result) {
  if (result) FAIL("accepted");
  return result.error();
}
inline bool says(const Error& error, std::string_view words) {
  UNSCOPED_INFO("message: " << error.message);
  return error.message.find(words) != std::string::npos;
}

inline std::unique_ptr<Store> create(const std::string& path) {
  StoreOptions options;
  options.create_if_missing = true;
  options.cache_bytes = std::size_t{1} << 20;
  return must(Store::open(path, options));
}
[[nodiscard]] inline Result<std::unique_ptr<Store>> reopen(const std::string& path, bool read_only = false) {
  StoreOptions options;
  options.read_only = read_only;
  options.cache_bytes = std::size_t{1} << 20;
  return Store::open(path, options);
}

inline Actor actor(std::string key, std::string name = "", std::vector<std::string> labels = {},
                   std::vector<std::string> aliases = {}) {
  Actor out;
  out.key = std::move(key);
  out.name = std::move(name);
  out.labels = std::move(labels);
  out.aliases = std::move(aliases);
  return out;
}

inline Participant takes_part(ActorId id, Role role = Role::kParticipant) { return {id, role, std::nullopt}; }

// `edtf` empty: undated.
inline Interaction meeting(std::string key, std::string_view edtf, std::vector<ActorId> actors,
                           KindId kind = kinds::kMeeting) {
  Interaction out;
  out.key = std::move(key);
  out.kind = kind;
  if (!edtf.empty()) out.when = must(parse_when(edtf));
  for (const ActorId id : actors) out.participants.push_back(takes_part(id));
  return out;
}

[[nodiscard]] inline Result<std::vector<RowNumber>> rows_of(Result<RowCursor> cursor, std::size_t rows_max = 1024) {
  DEMARCHE_TRY(RowCursor rows, std::move(cursor));
  std::vector<RowNumber> out;
  RowBatch batch;
  do {
    DEMARCHE_CHECK(rows.next(batch, rows_max));
    out.insert(out.end(), batch.row.begin(), batch.row.end());
  } while (batch.size() > 0);
  return out;
}

[[nodiscard]] inline Result<std::vector<ActorId>> ids_of(Result<ActorCursor> cursor, std::size_t rows_max = 1024) {
  DEMARCHE_TRY(ActorCursor actors, std::move(cursor));
  std::vector<ActorId> out;
  std::vector<ActorId> batch;
  do {
    DEMARCHE_CHECK(actors.next(batch, rows_max));
    out.insert(out.end(), batch.begin(), batch.end());
  } while (!batch.empty());
  return out;
}

// Every record and every index row that the interface gives out, as text. Errors: the first one met.
[[nodiscard]] inline Result<std::string> dump(const View& view) {
  const Statistics& s = view.statistics();
  std::string out = fmt::format("commit {} at {}: {} actors, {} interactions, {} sources\n", s.commit.value,
                                s.commit_time_micros, s.actors, s.interactions, s.sources);
  for (const Kind& kind : view.kinds().all())
    out += fmt::format("kind {} {} {}\n", kind.id.value, kind.parent.value, kind.name);
  DEMARCHE_TRY(const auto actors, ids_of(view.actors()));
  for (const ActorId id : actors) {
    DEMARCHE_TRY(const Actor a, view.get_actor(id));
    DEMARCHE_TRY(const auto by_key, view.find_actor(a.key));
    DEMARCHE_TRY(const auto by_name, view.find_actors_by_name(a.name));
    out += fmt::format("actor {} {} '{}' {} {} by key {} by name {}\n", id.value, a.key, a.name,
                       fmt::join(a.labels, ","), fmt::join(a.aliases, ","), by_key ? by_key->value : 0, by_name.size());
    for (const std::string& label : a.labels) {
      DEMARCHE_TRY(const auto labelled, ids_of(view.actors_with_label(label)));
      out += fmt::format("  label {} of {}\n", label, labelled.size());
    }
    DEMARCHE_TRY(const auto rows, rows_of(view.scan(id, {}, {})));
    for (const RowNumber row : rows) out += fmt::format("  row {}\n", row.value);
  }
  DEMARCHE_TRY(const auto names, view.names("", 100000));
  for (const NameMatch& n : names) out += fmt::format("name {} {} {}\n", n.normal_form, n.actor.value, n.preferred);
  DEMARCHE_TRY(RowCursor cursor, view.timeline({}, {}));
  RowBatch batch;
  do {
    DEMARCHE_CHECK(cursor.next(batch, 100));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      out += fmt::format("time {} {} kind {} status {} [{} {} {} {}] parties {}\n", batch.row[i].value,
                         batch.interaction[i].value, batch.kind[i].value, static_cast<int>(batch.status[i]),
                         batch.bounds[i].begin_min.seconds, batch.bounds[i].begin_max.seconds,
                         batch.bounds[i].end_min.seconds, batch.bounds[i].end_max.seconds, batch.parties_of(i).size());
      DEMARCHE_TRY(const Interaction r, view.get_interaction(batch.interaction[i]));
      DEMARCHE_TRY(const auto by_key, view.find_interaction(r.key));
      out += fmt::format("  record {} row {} when '{}' part of {} place '{}' claims {} by key {}\n", r.key, r.row.value,
                         r.when ? r.when->text : "", r.part_of ? r.part_of->value : 0, r.place, r.claims.size(),
                         by_key ? by_key->value : 0);
      for (const Claim& claim : r.claims) {
        DEMARCHE_TRY(const Source source, view.get_source(claim.source));
        DEMARCHE_TRY(const auto found, view.find_source(source.key));
        out += fmt::format("  source {} '{}' {}\n", source.key, source.title, found ? found->value : 0);
      }
    }
  } while (batch.size() > 0);
  return out;
}

}  // namespace demarche::tests

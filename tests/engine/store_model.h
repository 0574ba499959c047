// A naive store: plain maps, every version kept whole. The store must agree with it by every road; what differs is
// told by the checks of agree().
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/names.h"
#include "engine/store.h"
#include "tests/engine/impl/random_rows.h"
#include "tests/engine/store_fixture.h"

namespace demarche::tests {

// The store as one commit left it.
struct ModelState {
  std::map<std::uint64_t, Actor> actors;
  std::map<std::uint64_t, Interaction> interactions;
  std::map<std::uint64_t, Source> sources;
  std::map<std::uint64_t, std::uint64_t> entries;  // rows that an actor is in, retired ones too
  std::uint64_t next_actor = 1;
  std::uint64_t next_row = 1;
  std::int64_t time_micros = 0;

  // Counts a row written for an interaction.
  void count_row(const Interaction& interaction) {
    std::set<std::uint64_t> ids;
    for (const Party& p : parties_of(interaction.participants)) ids.insert(p.actor.value);
    for (const std::uint64_t id : ids) ++entries[id];
  }
  [[nodiscard]] bool takes_part(std::uint64_t actor) const {
    return std::any_of(interactions.begin(), interactions.end(), [actor](const auto& at) {
      const std::vector<Party> parties = parties_of(at.second.participants);
      return std::any_of(parties.begin(), parties.end(), [actor](const Party& p) { return p.actor.value == actor; });
    });
  }
  [[nodiscard]] std::optional<ActorId> find_actor(const std::string& key) const {
    for (const auto& [id, actor] : actors) {
      if (!key.empty() && actor.key == key) return ActorId{id};
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<InteractionId> find_interaction(const std::string& key) const {
    for (const auto& [id, interaction] : interactions) {
      if (!key.empty() && interaction.key == key) return InteractionId{id};
    }
    return std::nullopt;
  }
  // Would `part` within `whole` close a circle? What was retired leads no further.
  [[nodiscard]] bool closes_circle(std::uint64_t part, std::uint64_t whole) const {
    for (std::optional<InteractionId> at = InteractionId{whole}; at;) {
      if (at->value == part) return true;
      const auto found = interactions.find(at->value);
      if (found == interactions.end()) return false;
      at = found->second.part_of;
    }
    return false;
  }
  // All interactions in order of (begin, row); `actor`: those it is a party of.
  [[nodiscard]] std::vector<const Interaction*> in_order(std::optional<ActorId> actor = std::nullopt) const {
    std::vector<const Interaction*> out;
    for (const auto& [id, one] : interactions) {
      const std::vector<Party> parties = parties_of(one.participants);
      if (!actor || std::any_of(parties.begin(), parties.end(), [&](const Party& p) { return p.actor == *actor; })) {
        out.push_back(&one);
      }
    }
    const auto key = [](const Interaction* i) {
      return std::pair(i->when ? i->when->bounds.begin_min : Timestamp::lowest(), i->row);
    };
    std::sort(out.begin(), out.end(), [&](const auto* a, const auto* b) { return key(a) < key(b); });
    return out;
  }
};

inline bool same(const Interaction& a, const Interaction& b) {
  return a.id == b.id && a.row == b.row && a.key == b.key && a.kind == b.kind && a.when == b.when &&
         a.participants == b.participants && a.status == b.status && a.place == b.place && a.part_of == b.part_of &&
         a.properties == b.properties && a.claims == b.claims;
}
inline bool same(const Actor& a, const Actor& b) {
  return a.id == b.id && a.key == b.key && a.name == b.name && a.labels == b.labels && a.aliases == b.aliases &&
         a.properties == b.properties;
}

// All rows of a cursor, taken in portions of random size.
inline RowBatch all_rows(Result<RowCursor> cursor, RowSampler& sampler) {
  RowCursor rows = must(std::move(cursor));
  RowBatch out;
  RowBatch batch;
  do {
    const std::size_t rows_max = 1 + sampler.below(sampler.one_in(2) ? 5 : 2000);
    must(rows.next(batch, rows_max));
    REQUIRE(batch.size() <= rows_max);
    for (std::size_t i = 0; i < batch.size(); ++i) out.append(batch, i);
  } while (batch.size() > 0);
  must(rows.next(batch));
  REQUIRE(batch.size() == 0);  // the end stays the end
  return out;
}

inline void agree_rows(const RowBatch& got, const std::vector<const Interaction*>& all, TimeWindow window,
                       const KindSet& kinds) {
  std::vector<const Interaction*> want;
  for (const Interaction* one : all) {
    const TimeBounds bounds = one->when ? one->when->bounds : TimeBounds{};
    const bool meets = window.begin < window.end && bounds.begin_min < window.end && bounds.end_max >= window.begin;
    if (meets && kinds.contains(one->kind)) want.push_back(one);
  }
  INFO("window " << window.begin.seconds << " to " << window.end.seconds);
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    const Interaction& one = *want[i];
    INFO("row " << i << ": interaction " << one.id.value << ", date " << (one.when ? one.when->text : "none"));
    REQUIRE(got.row[i] == one.row);
    REQUIRE(got.interaction[i] == one.id);
    REQUIRE(got.kind[i] == one.kind);
    REQUIRE(got.status[i] == one.status);
    REQUIRE((got.dated[i] != 0) == one.when.has_value());
    REQUIRE(got.bounds[i] == (one.when ? one.when->bounds : TimeBounds{}));
    const std::vector<Party> parties = parties_of(one.participants);
    REQUIRE(got.parties_of(i).size() == parties.size());
    REQUIRE(std::equal(parties.begin(), parties.end(), got.parties_of(i).begin()));
  }
}

inline TimeWindow random_window(RowSampler& sampler) {
  TimeWindow window;
  const std::int64_t from = days_from_civil(2014, 6, 1) * kSecondsPerDay +
                            static_cast<std::int64_t>(sampler.below(1300)) * kSecondsPerDay +
                            static_cast<std::int64_t>(sampler.below(3)) * 43200;
  if (!sampler.one_in(8)) window.begin = {from};
  if (!sampler.one_in(8)) {
    window.end = {from + static_cast<std::int64_t>(sampler.below(sampler.one_in(2) ? 3 : 500)) * 43200};
  }
  return window;
}

inline KindSet random_kinds(const KindTable& table, RowSampler& sampler) {
  switch (sampler.below(4)) {
    case 0:
      return table.all_below(kinds::kContact);
    case 1:
      return table.all_below(table.all()[sampler.below(table.all().size())].id);
    case 2: {
      KindSet set = KindSet::none();
      for (std::uint64_t n = sampler.below(4); n > 0; --n) set.insert(KindId{1 + static_cast<std::uint32_t>(n * 3)});
      return set;
    }
    default:
      return {};
  }
}

// Everything that the interface says of actors, by every road.
inline void agree_actors(const View& view, const ModelState& state, std::uint64_t next_actor) {
  std::vector<ActorId> all;
  std::map<std::pair<std::string, std::uint64_t>, bool> names;
  std::map<std::string, std::vector<ActorId>> labels = {{"nobody has it", {}}};
  for (const auto& [id, actor] : state.actors) {
    all.push_back(ActorId{id});
    for (const std::string& alias : actor.aliases) {
      const std::string form = must(normal_form(alias));
      if (!form.empty()) names.emplace(std::pair(form, id), false);
    }
    const std::string form = must(normal_form(actor.name));
    if (!form.empty()) names[{form, id}] = true;
    for (const std::string& label : actor.labels) labels[label].push_back(ActorId{id});
  }
  REQUIRE(must(ids_of(view.actors(), 7)) == all);
  for (std::uint64_t id = 0; id <= next_actor; ++id) {
    const auto got = view.get_actor(ActorId{id});
    const auto want = state.actors.find(id);
    INFO("actor " << id);
    REQUIRE(got.has_value() == (want != state.actors.end()));
    if (got) {
      REQUIRE(same(*got, want->second));
    } else {
      REQUIRE(got.error().code == ErrorCode::kNotFound);
    }
  }
  for (const auto& [label, ids] : labels) {
    INFO("label " << label);
    REQUIRE(must(ids_of(view.actors_with_label(label), 3)) == ids);
  }
  const std::vector<NameMatch> got = must(view.names("", 1'000'000));
  REQUIRE(got.size() == names.size());
  std::map<std::string, std::vector<ActorId>> by_name;
  std::size_t i = 0;
  for (const auto& [name, preferred] : names) {
    INFO("name " << name.first);
    REQUIRE(got[i].normal_form == name.first);
    REQUIRE(got[i].actor.value == name.second);
    REQUIRE(got[i].preferred == preferred);
    by_name[name.first].push_back(ActorId{name.second});
    ++i;
  }
  for (const auto& [name, ids] : by_name) REQUIRE(must(view.find_actors_by_name(name)) == ids);
}

// What the planner is told. `exact`: of the newest state; of others only the totals are held to.
inline void agree_statistics(const View& view, const ModelState& state, bool exact, RowSampler& sampler) {
  const auto got = must(view.planner_statistics());
  REQUIRE(must(view.planner_statistics()) == got);  // made once
  REQUIRE(got->actors() == state.actors.size());
  REQUIRE(got->interactions() == state.interactions.size());
  const auto near = [](double want) { return Approx(want).margin(1e-6); };
  REQUIRE(got->interactions_of({}) == near(static_cast<double>(state.interactions.size())));
  if (!exact) return;
  std::map<std::string, std::uint64_t> labels = {{"nobody has it", 0}};
  for (const auto& [id, actor] : state.actors) {
    for (const std::string& label : actor.labels) ++labels[label];
  }
  for (const auto& [label, count] : labels) {
    INFO("label " << label);
    REQUIRE(got->actors_with_label(label) == count);
  }
  for (int n = 0; n < 4; ++n) {
    const KindSet kinds = n == 0 ? KindSet() : random_kinds(view.kinds(), sampler);
    // Whole months, so that nothing is interpolated.
    const auto month = [&] {
      return Timestamp{days_from_civil(2014, 1 + static_cast<unsigned>(sampler.below(12)), 1) * kSecondsPerDay +
                       static_cast<std::int64_t>(0)};
    };
    TimeWindow window{month(),
                      {days_from_civil(2015 + static_cast<std::int64_t>(sampler.below(4)),
                                       1 + static_cast<unsigned>(sampler.below(12)), 1) *
                       kSecondsPerDay}};
    if (sampler.one_in(4)) window.begin = Timestamp::lowest();
    if (sampler.one_in(4)) window.end = Timestamp::highest();
    std::uint64_t all = 0;
    std::uint64_t within = 0;
    std::uint64_t undated = 0;
    std::uint64_t entries = 0;
    for (const auto& [id, one] : state.interactions) {
      if (!kinds.contains(one.kind)) continue;
      ++all;
      std::set<std::uint64_t> actors;
      for (const Party& p : parties_of(one.participants)) actors.insert(p.actor.value);
      entries += actors.size();
      if (!one.when) {
        ++undated;
      } else {
        const Timestamp begin = one.when->bounds.begin_min;
        within += begin >= window.begin && begin < window.end ? 1 : 0;
      }
    }
    REQUIRE(got->interactions_of(kinds) == near(static_cast<double>(all)));
    REQUIRE(got->undated(kinds) == near(static_cast<double>(undated)));
    REQUIRE(got->entries_of(kinds) == near(static_cast<double>(entries)));
    REQUIRE(got->interactions_of(kinds, window) == near(static_cast<double>(within)));
  }
  std::vector<std::uint64_t> degrees;
  for (const auto& [actor, count] : state.entries) {
    degrees.push_back(count);
    REQUIRE(must(view.degree_bound(ActorId{actor})) == count);
  }
  std::sort(degrees.begin(), degrees.end());
  REQUIRE(must(view.degree_bound(ActorId{state.next_actor + 1000})) == 0);
  for (const double q : {0.0, 0.1, 0.5, 0.9, 1.0}) {
    const double quantile = got->degree_quantile(q);
    INFO("quantile " << q);
    if (degrees.empty()) {
      REQUIRE(quantile == 0);
      continue;
    }
    const auto at = static_cast<std::size_t>(std::max(std::ceil(q * static_cast<double>(degrees.size())), 1.0)) - 1;
    REQUIRE(quantile >= static_cast<double>(degrees[at]));
    REQUIRE(quantile < 2 * static_cast<double>(degrees[at]));
  }
}

// The whole view against the model. `keys`: asked for, there or not. Takes `windows` random windows a road.
inline void agree(const View& view, const ModelState& state, const ModelState& newest,
                  const std::vector<std::string>& keys, RowSampler& sampler, int windows) {
  REQUIRE(view.statistics().actors == state.actors.size());
  REQUIRE(view.statistics().interactions == state.interactions.size());
  REQUIRE(view.statistics().sources == state.sources.size());
  agree_actors(view, state, newest.next_actor);
  for (const std::string& key : keys) {
    INFO("key " << key);
    REQUIRE(must(view.find_actor(key)) == state.find_actor(key));
    REQUIRE(must(view.find_interaction(key)) == state.find_interaction(key));
  }
  for (const auto& [id, source] : state.sources) REQUIRE(must(view.find_source(source.key)) == SourceId{id});
  for (std::uint64_t id = 0; id <= newest.next_row; ++id) {
    const auto got = view.get_interaction(InteractionId{id});
    const auto want = state.interactions.find(id);
    INFO("interaction " << id << (got ? "" : ": " + got.error().message));
    REQUIRE(got.has_value() == (want != state.interactions.end()));
    if (got) {
      REQUIRE(same(*got, want->second));
    } else {
      REQUIRE(got.error().code == ErrorCode::kNotFound);
    }
  }
  const auto timeline = state.in_order();
  agree_rows(all_rows(view.timeline({}, {}), sampler), timeline, {}, {});
  for (int n = 0; n < windows; ++n) {
    const TimeWindow window = random_window(sampler);
    const KindSet kinds = random_kinds(view.kinds(), sampler);
    agree_rows(all_rows(view.timeline(window, kinds), sampler), timeline, window, kinds);
  }
  for (std::uint64_t id = 0; id <= newest.next_actor; ++id) {
    if (id == 0) continue;
    INFO("rows of actor " << id);
    const auto rows = state.in_order(ActorId{id});
    agree_rows(all_rows(view.scan(ActorId{id}, {}, {}), sampler), rows, {}, {});
    const TimeWindow window = random_window(sampler);
    const KindSet kinds = random_kinds(view.kinds(), sampler);
    agree_rows(all_rows(view.scan(ActorId{id}, window, kinds), sampler), rows, window, kinds);
  }
}

}  // namespace demarche::tests

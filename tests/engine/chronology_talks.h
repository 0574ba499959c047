// A store of contacts written down a line at a time, for the tests of chronological search.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/chronology.h"
#include "engine/store.h"
#include "tests/support/temp_folder.h"

namespace demarche::tests {

template <typename T>
T get(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

inline void get(const Result<void>& result) {
  if (!result) FAIL(result.error().message);
}

inline When when(const std::string& text) { return get(parse_when(text)); }
inline std::optional<TimeBounds> period(const std::string& text) { return as_period(get(parse_edtf(text))); }

inline constexpr ChronologyMode kModes[] = {ChronologyMode::kStrict, ChronologyMode::kDefault,
                                            ChronologyMode::kPossibly};

// A store written down a line at a time; actors are made when they are first named.
class Talks {
 public:
  Talks()
      : store_(get(Store::open(folder_.path("s.dm"), {.create_if_missing = true, .sync = false}))),
        tx_(get(store_->begin())) {}

  ActorId actor(const std::string& name) {
    const auto known = actors_.find(name);
    if (known != actors_.end()) return known->second;
    return actors_[name] = get(
               tx_->add_actor({.id = {}, .key = name, .name = name, .labels = {}, .aliases = {}, .properties = {}}));
  }

  // No date: "".
  InteractionId add(const std::string& date, std::vector<Participant> participants, KindId kind = kinds::kMeeting,
                    Status status = Status::kNone) {
    Interaction x;
    x.kind = kind;
    x.status = status;
    if (!date.empty()) x.when = when(date);
    x.participants = std::move(participants);
    return get(tx_->add_interaction(x));
  }
  InteractionId meet(const std::string& date, const std::string& a, const std::string& b, KindId kind = kinds::kMeeting,
                     Status status = Status::kNone) {
    return add(date, {{actor(a), Role::kParticipant, {}}, {actor(b), Role::kParticipant, {}}}, kind, status);
  }
  // The first mediates between the others.
  InteractionId mediate(const std::string& date, const std::string& mediator,
                        const std::vector<std::string>& delegations) {
    std::vector<Participant> participants = {{actor(mediator), Role::kMediator, {}}};
    for (const std::string& d : delegations) participants.push_back({actor(d), Role::kDelegation, {}});
    return add(date, participants, kinds::kMediation);
  }

  std::optional<Arrival> ask(const std::string& from, const std::string& to, const ChronologyOptions& options) {
    return get(earliest_arrival(tx_->view(), actor(from), actor(to), options));
  }
  std::optional<Arrival> ask(const std::string& from, const std::string& to,
                             ChronologyMode mode = ChronologyMode::kDefault) {
    ChronologyOptions options;
    options.mode = mode;
    return ask(from, to, options);
  }
  // "strict default possibly", the words of the modes that find a path.
  std::string modes(const std::string& from, const std::string& to, ChronologyOptions options = {}) {
    std::string out;
    for (const ChronologyMode mode : kModes) {
      options.mode = mode;
      if (!ask(from, to, options)) continue;
      const char* const names[] = {"strict", "default", "possibly"};
      out += (out.empty() ? "" : " ") + std::string(names[static_cast<std::size_t>(mode)]);
    }
    return out;
  }
  const View& view() const { return tx_->view(); }

 private:
  TempFolder folder_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Transaction> tx_;
  std::map<std::string, ActorId> actors_;
};

inline std::string day(Timestamp t) { return format_instant(t); }

}  // namespace demarche::tests

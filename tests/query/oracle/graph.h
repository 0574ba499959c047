// A small random record, in a store and in plain memory: what the oracles ask about.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/store.h"

namespace demarche::oracle {

using Random = std::mt19937_64;
inline std::size_t below(Random& random, std::size_t n) { return static_cast<std::size_t>(random() % n); }
inline bool chance(Random& random, unsigned percent) { return random() % 100 < percent; }
template <typename T>
const T& one_of(Random& random, const std::vector<T>& list) {
  return list[below(random, list.size())];
}

// A property `x`: absent, a number or a text.
struct Number {
  std::optional<std::int64_t> number;
  bool is_text = false;  // 'x'
};

struct PlainActor {
  std::int64_t id = 0;
  std::vector<std::string> labels;
  Number x;
};

struct PlainInteraction {
  std::int64_t id = 0;
  std::string kind;
  std::vector<Participant> participants;
  std::optional<std::string> when;  // EDTF
  std::optional<TimeBounds> bounds;
  std::string status;  // "" for none
  Number x;
};

// Kinds as the graphs use them, and whether one is a contact; written out, not asked from the engine.
struct PlainKind {
  const char* name;
  const char* parent;
  bool contact;
};
const std::vector<PlainKind>& plain_kinds();
// Is `kind` the kind `above`, or below it?
bool kind_is(const std::string& kind, const std::string& above);

struct Graph {
  std::vector<PlainActor> actors;
  std::vector<PlainInteraction> interactions;
};

// Fills a new store in `folder`. All that varies comes from `random`.
struct Filled {
  std::unique_ptr<Store> store;
  Graph graph;
};
Filled make_graph(const std::string& folder, Random& random);

}  // namespace demarche::oracle

// Names in scope and the slots they stand for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/bind/bound.h"

namespace demarche::query {

enum class SlotType : std::uint8_t {
  kActor,
  kInteraction,
  kPath,
  kList,    // surely a list, perhaps of interactions
  kScalar,  // surely a value and none of the three
  kValue,   // not known before it runs
};

struct Variable {
  std::string name;
  Slot slot = 0;
  SlotType type = SlotType::kValue;
  bool nullable = false;  // comes from OPTIONAL MATCH
};

class Scope {
 public:
  [[nodiscard]] const Variable* find(std::string_view name) const {
    for (auto it = variables_.rbegin(); it != variables_.rend(); ++it) {
      if (it->name == name) return &*it;
    }
    return nullptr;
  }
  void add(Variable variable) { variables_.push_back(std::move(variable)); }
  [[nodiscard]] const std::vector<Variable>& variables() const { return variables_; }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const Variable& v : variables_) out.push_back(v.name);
    return out;
  }

 private:
  std::vector<Variable> variables_;  // in order of appearance, as RETURN * shows them
};

}  // namespace demarche::query

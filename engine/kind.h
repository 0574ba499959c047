// The hierarchy of kinds: what an interaction is, and what else it therefore is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/result.h"
#include "engine/types.h"

namespace demarche {

struct Kind {
  KindId id;
  KindId parent;       // 0 for INTERACTION, the root
  std::string name;    // upper case letters, digits and underscores as a rule: MEETING
  std::string cameo;   // CAMEO code, "044"; empty if none
  std::string plover;  // PLOVER event, "CONSULT"; empty if none
};

// Built-in kinds have these ids in every store. Stored: never renumber.
namespace kinds {
inline constexpr KindId kInteraction{1};
inline constexpr KindId kContact{2};
inline constexpr KindId kUtterance{3};
inline constexpr KindId kAction{4};
inline constexpr KindId kTie{5};
inline constexpr KindId kCall{6};
inline constexpr KindId kMeeting{7};
inline constexpr KindId kVisit{8};
inline constexpr KindId kNegotiation{9};
inline constexpr KindId kMediation{10};
inline constexpr KindId kConsultation{11};
inline constexpr KindId kHoldsOffice{40};
inline constexpr KindId kMemberOf{41};
inline constexpr KindId kAlliedWith{42};
inline constexpr KindId kFirstDeclared{1000};  // kinds declared by a user or an import start here
}  // namespace kinds

// A set of kinds as a bit set. One that nothing was put into holds all kinds, known or not; none() holds none.
class KindSet {
 public:
  [[nodiscard]] static KindSet none() {
    KindSet set;
    set.restricted_ = true;
    return set;
  }
  [[nodiscard]] bool contains(KindId id) const { return !restricted_ || (id.value < bits_.size() && bits_[id.value]); }
  void insert(KindId id);
  [[nodiscard]] bool is_any() const { return !restricted_; }
  [[nodiscard]] bool is_none() const { return restricted_ && bits_.empty(); }

 private:
  std::vector<bool> bits_;
  bool restricted_ = false;
};

// Immutable once shared: a store publishes a new table with each commit that declares a kind.
class KindTable {
 public:
  // The built-in kinds.
  [[nodiscard]] static KindTable make_builtin();

  // Adds a kind below an existing one and returns its id. Adding what is there already, with the same parent, changes
  // nothing. Errors: kInvalidArgument if the name is empty, too long (200 bytes) or contains control characters, if the
  // parent is unknown, or if the kind exists with another parent.
  [[nodiscard]] Result<KindId> declare(std::string_view name, KindId parent, std::string_view cameo = {},
                                       std::string_view plover = {});
  // Restores a stored kind under its id.
  [[nodiscard]] Result<void> restore(Kind kind);

  // Exact name, as a kind's name is written in upper case; a lower-case spelling is found too when no kind has exactly
  // that name.
  [[nodiscard]] std::optional<KindId> find(std::string_view name) const;
  [[nodiscard]] const Kind* find_id(KindId id) const;             // null if unknown; valid until the next declare()
  [[nodiscard]] const Kind& get(KindId id) const;                 // REQUIRES: id is of this table
  [[nodiscard]] bool is_below(KindId id, KindId ancestor) const;  // a kind is below itself
  [[nodiscard]] KindSet all_below(KindId ancestor) const;
  // CONTACT and all below, at no cost.
  [[nodiscard]] const KindSet& contacts() const { return contacts_; }
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] const std::vector<Kind>& all() const { return kinds_; }
  // "unknown kind 'MEETNG'; did you mean MEETING?", for one who writes: without a near name it says how to declare one.
  [[nodiscard]] std::string unknown_message(std::string_view name) const;

 private:
  void insert(Kind kind);
  std::vector<Kind> kinds_;  // in order of declaration: parents first
  std::unordered_map<KindId, std::size_t> by_id_;
  std::unordered_map<std::string, KindId> by_name_;
  KindSet contacts_ = KindSet::none();
  KindId next_{kinds::kFirstDeclared};
};

}  // namespace demarche

// What the store holds: actors, interactions, sources and their parts. Plain values, copyable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/result.h"
#include "engine/types.h"
#include "engine/when.h"

namespace demarche {

// A date kept as written inside a property.
struct DateText {
  std::string edtf;
  friend bool operator==(const DateText&, const DateText&) = default;
};

// A day, a time of day, both, or a duration: exact, in its ISO 8601 form. Stored: never renumber.
enum class TimeForm : std::uint8_t {
  kDay = 1,
  kLocalTime = 2,
  kTime = 3,
  kLocalDateTime = 4,
  kDateTime = 5,
  kDuration = 6,
};
struct TimeText {
  TimeForm form = TimeForm::kDay;
  std::string iso;
  friend bool operator==(const TimeText&, const TimeText&) = default;
};

// Value of a property. Lists hold values of any of these kinds; maps cannot be stored.
struct PropertyValue {
  std::variant<bool, std::int64_t, double, std::string, DateText, TimeText, std::vector<PropertyValue>> value;
  friend bool operator==(const PropertyValue&, const PropertyValue&) = default;
};
using Properties = std::vector<std::pair<std::string, PropertyValue>>;  // ascending by key, keys unique

[[nodiscard]] const PropertyValue* find_property(const Properties& properties, std::string_view key);
void set_property(Properties& properties, std::string_view key, PropertyValue value);

// Roles a participant can have. Stored: never renumber.
enum class Role : std::uint8_t {
  kParticipant = 1,
  kPrincipal = 2,
  kCounterpart = 3,
  kMediator = 4,
  kDelegation = 5,
  kCaller = 6,
  kCallee = 7,
  kVisitor = 8,
  kHost = 9,
  kAnnouncer = 10,
  kSpeaker = 11,
  kAddressee = 12,
  kAbout = 13,
  kSponsor = 14,
  kReporter = 15,
  kWalkedOut = 16,
  kForum = 17,
  kRepresented = 18,  // given by the store to whom an actor acted for; not written by hand
  kInitiator = 19,    // the generic pair, PLOVER's actor and recipient
  kRecipient = 20,
  kHolder = 21,
  kMember = 22,
  kBody = 23,
};
inline constexpr std::uint8_t kRoleCount = 23;

enum class Side : std::uint8_t { kFrom, kTo, kBoth, kNone };

[[nodiscard]] std::string_view role_name(Role role);
[[nodiscard]] std::optional<Role> find_role(std::string_view name);  // lower-case names: "walked_out"
[[nodiscard]] std::vector<std::string> role_names();
[[nodiscard]] Side side_of(Role role);  // kRepresented: ask the party it is represented by

enum class Status : std::uint8_t { kNone = 0, kHeld = 1, kPlanned = 2, kCancelled = 3 };  // stored, never renumber
[[nodiscard]] std::string_view status_name(Status status);                                // "" for kNone
[[nodiscard]] std::optional<Status> find_status(std::string_view name);

// As recorded: who took part, as what, and for whom.
struct Participant {
  ActorId actor;
  Role role = Role::kParticipant;
  std::optional<ActorId> acting_for = std::nullopt;
  friend bool operator==(const Participant&, const Participant&) = default;
};

// As reasoned with: every actor that took part, whoever was represented included.
struct Party {
  static constexpr std::uint16_t kNoAgent = 0xFFFF;
  ActorId actor;
  Role role = Role::kParticipant;
  std::uint16_t agent = kNoAgent;  // for kRepresented: index of the party that acted for it
  friend bool operator==(const Party&, const Party&) = default;
};
// The participants in order, then whoever they acted for, in order of the agents.
[[nodiscard]] std::vector<Party> parties_of(const std::vector<Participant>& participants);

struct Claim {
  SourceId source;
  std::string locator;  // page, line, trip number
  std::string words;    // as written by the source
  std::optional<When> published;
  std::optional<When> when;       // where it differs from the interaction's
  Status status = Status::kNone;  // where it differs
  std::string note;
  friend bool operator==(const Claim&, const Claim&) = default;
};

struct Source {
  SourceId id;
  std::string key;
  std::string title;
  std::string publisher;
  std::string url;
  std::optional<When> published;
  std::string grade;  // Admiralty grade, "B2"; empty if not graded
  std::string note;
};

struct Actor {
  ActorId id = {};
  std::string key = {};                   // unique among actors; may be empty
  std::string name = {};                  // preferred name; may be empty
  std::vector<std::string> labels = {};   // ascending, unique
  std::vector<std::string> aliases = {};  // as written
  Properties properties = {};
};

struct Interaction {
  InteractionId id;
  RowNumber row;    // the current version of kind, when, participants, status
  std::string key;  // unique among interactions; may be empty
  KindId kind;
  std::optional<When> when;
  std::vector<Participant> participants;
  Status status = Status::kNone;
  std::string place;
  std::optional<InteractionId> part_of;
  Properties properties;
  std::vector<Claim> claims;
};

// Checks an Admiralty grade: a letter A to F and a digit 1 to 6.
[[nodiscard]] bool is_admiralty_grade(std::string_view grade);

}  // namespace demarche

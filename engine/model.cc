#include "engine/model.h"

#include <algorithm>
#include <array>

namespace demarche {

namespace {

struct RoleRow {
  Role role;
  const char* name;
  Side side;
};

constexpr std::array<RoleRow, kRoleCount> kRoles = {{
    {Role::kParticipant, "participant", Side::kBoth},
    {Role::kPrincipal, "principal", Side::kFrom},
    {Role::kCounterpart, "counterpart", Side::kTo},
    {Role::kMediator, "mediator", Side::kFrom},
    {Role::kDelegation, "delegation", Side::kTo},
    {Role::kCaller, "caller", Side::kFrom},
    {Role::kCallee, "callee", Side::kTo},
    {Role::kVisitor, "visitor", Side::kFrom},
    {Role::kHost, "host", Side::kTo},
    {Role::kAnnouncer, "announcer", Side::kFrom},
    {Role::kSpeaker, "speaker", Side::kFrom},
    {Role::kAddressee, "addressee", Side::kTo},
    {Role::kAbout, "about", Side::kTo},
    {Role::kSponsor, "sponsor", Side::kFrom},
    {Role::kReporter, "reporter", Side::kFrom},
    {Role::kWalkedOut, "walked_out", Side::kFrom},
    {Role::kForum, "forum", Side::kNone},
    {Role::kRepresented, "represented", Side::kNone},
    {Role::kInitiator, "initiator", Side::kFrom},
    {Role::kRecipient, "recipient", Side::kTo},
    {Role::kHolder, "holder", Side::kFrom},
    {Role::kMember, "member", Side::kFrom},
    {Role::kBody, "body", Side::kTo},
}};

const RoleRow& row_of(Role role) { return kRoles[static_cast<std::size_t>(role) - 1]; }

constexpr std::array<const char*, 4> kStatusNames = {"", "held", "planned", "cancelled"};

}  // namespace

const PropertyValue* find_property(const Properties& properties, std::string_view key) {
  const auto it = std::lower_bound(properties.begin(), properties.end(), key,
                                   [](const auto& pair, std::string_view k) { return pair.first < k; });
  return it != properties.end() && it->first == key ? &it->second : nullptr;
}

void set_property(Properties& properties, std::string_view key, PropertyValue value) {
  const auto it = std::lower_bound(properties.begin(), properties.end(), key,
                                   [](const auto& pair, std::string_view k) { return pair.first < k; });
  if (it != properties.end() && it->first == key) {
    it->second = std::move(value);
  } else {
    properties.emplace(it, std::string(key), std::move(value));
  }
}

std::string_view role_name(Role role) { return row_of(role).name; }
Side side_of(Role role) { return row_of(role).side; }

std::optional<Role> find_role(std::string_view name) {
  for (const RoleRow& row : kRoles) {
    if (row.name == name) return row.role;
  }
  return std::nullopt;
}

std::vector<std::string> role_names() {
  std::vector<std::string> out;
  for (const RoleRow& row : kRoles) out.emplace_back(row.name);
  return out;
}

std::string_view status_name(Status status) { return kStatusNames[static_cast<std::size_t>(status)]; }

std::optional<Status> find_status(std::string_view name) {
  for (std::size_t i = 1; i < kStatusNames.size(); ++i) {
    if (name == kStatusNames[i]) return static_cast<Status>(i);
  }
  return std::nullopt;
}

std::vector<Party> parties_of(const std::vector<Participant>& participants) {
  std::vector<Party> out;
  out.reserve(participants.size());
  for (const Participant& p : participants) out.push_back({p.actor, p.role, Party::kNoAgent});
  for (std::size_t i = 0; i < participants.size(); ++i) {
    if (participants[i].acting_for) {
      out.push_back({*participants[i].acting_for, Role::kRepresented, static_cast<std::uint16_t>(i)});
    }
  }
  return out;
}

bool is_admiralty_grade(std::string_view grade) {
  return grade.size() == 2 && grade[0] >= 'A' && grade[0] <= 'F' && grade[1] >= '1' && grade[1] <= '6';
}

}  // namespace demarche

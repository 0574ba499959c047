#include "engine/kind.h"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include "engine/names.h"

namespace demarche {

namespace {

constexpr std::size_t kKindNameBytesMax = 200;

struct Builtin {
  std::uint32_t id;
  std::uint32_t parent;
  const char* name;
  const char* cameo;
  const char* plover;
};

// Stored: never renumber. CAMEO codes where the kind is one code or root of the codebook, PLOVER events likewise.
constexpr Builtin kBuiltins[] = {
    {1, 0, "INTERACTION", "", ""},
    {2, 1, "CONTACT", "04", "CONSULT"},
    {3, 1, "UTTERANCE", "", ""},
    {4, 1, "ACTION", "", ""},
    {5, 1, "TIE", "", ""},
    {6, 2, "CALL", "041", "CONSULT"},
    {7, 2, "MEETING", "044", "CONSULT"},
    {8, 2, "VISIT", "042", "CONSULT"},
    {9, 2, "NEGOTIATION", "046", "CONSULT"},
    {10, 2, "MEDIATION", "045", "CONSULT"},
    {11, 2, "CONSULTATION", "040", "CONSULT"},
    {12, 3, "STATEMENT", "010", ""},
    {13, 3, "APPEAL", "020", "REQUEST"},
    {14, 3, "DEMAND", "100", "REQUEST"},
    {15, 3, "ACCUSATION", "112", "ACCUSE"},
    {16, 3, "ANNOUNCEMENT", "", ""},
    {17, 3, "REJECTION", "120", "REJECT"},
    {18, 3, "OFFER", "", ""},
    {19, 3, "THREAT", "130", "THREATEN"},
    {20, 3, "TALLY", "", ""},
    {25, 4, "WALKOUT", "", ""},
    {26, 4, "SUSPENSION", "", ""},
    {27, 4, "AGREEMENT", "057", "AGREE"},
    {28, 4, "CEASEFIRE", "", ""},
    {29, 4, "STRIKE", "195", "ASSAULT"},
    {30, 4, "AID", "070", "AID"},
    {40, 5, "HOLDS_OFFICE", "", ""},
    {41, 5, "MEMBER_OF", "", ""},
    {42, 5, "ALLIED_WITH", "", ""},
};

// U+0080 to U+009F, in UTF-8 two bytes.
bool contains_c1_control(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '\xC2' && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace

void KindSet::insert(KindId id) {
  restricted_ = true;
  if (id.value >= bits_.size()) bits_.resize(id.value + 1, false);
  bits_[id.value] = true;
}

KindTable KindTable::make_builtin() {
  KindTable table;
  for (const Builtin& b : kBuiltins) table.insert({KindId{b.id}, KindId{b.parent}, b.name, b.cameo, b.plover});
  return table;
}

void KindTable::insert(Kind kind) {
  next_ = std::max(next_, KindId{kind.id.value + 1});
  by_id_[kind.id] = kinds_.size();
  by_name_[kind.name] = kind.id;
  if (kind.id == kinds::kContact || (kind.parent.value != 0 && contacts_.contains(kind.parent))) {
    contacts_.insert(kind.id);
  }
  kinds_.push_back(std::move(kind));
}

Result<KindId> KindTable::declare(std::string_view name, KindId parent, std::string_view cameo,
                                  std::string_view plover) {
  const bool printable =
      std::none_of(name.begin(), name.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7F'; }) &&
      !contains_c1_control(name);
  if (name.empty() || name.size() > kKindNameBytesMax || !printable || !is_utf8(name)) {
    return invalid(
        fmt::format("kind name '{}' is not usable; 1 to {} bytes of printable UTF-8", name, kKindNameBytesMax));
  }
  if (!by_id_.contains(parent)) return invalid(fmt::format("kind '{}': its parent is not declared", name));
  if (const auto there = by_name_.find(std::string(name)); there != by_name_.end()) {
    const Kind& kind = get(there->second);
    if (kind.parent == parent || (is_below(kind.id, parent) && kind.id.value < kinds::kFirstDeclared.value)) {
      return kind.id;
    }
    const std::string was = kind.parent.value == 0 ? "the root" : "below " + get(kind.parent).name;
    return invalid(
        fmt::format("kind '{}' is already declared {}, it cannot also stand below {}", name, was, get(parent).name));
  }
  const KindId id = next_;
  insert({id, parent, std::string(name), std::string(cameo), std::string(plover)});
  return id;
}

Result<void> KindTable::restore(Kind kind) {
  if (by_id_.contains(kind.id) || by_name_.contains(kind.name) || !by_id_.contains(kind.parent)) {
    return make_error(ErrorCode::kCorruption,
                      fmt::format("stored kind {} '{}' (below {}) contradicts the kinds before it", kind.id.value,
                                  kind.name, kind.parent.value));
  }
  insert(std::move(kind));
  return {};
}

std::optional<KindId> KindTable::find(std::string_view name) const {
  if (const auto it = by_name_.find(std::string(name)); it != by_name_.end()) return it->second;
  if (const auto it = by_name_.find(upper(name)); it != by_name_.end()) return it->second;
  return std::nullopt;
}

const Kind* KindTable::find_id(KindId id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &kinds_[it->second];
}

const Kind& KindTable::get(KindId id) const {
  const Kind* kind = find_id(id);
  assert(kind != nullptr);
  return *kind;
}

bool KindTable::is_below(KindId id, KindId ancestor) const {
  for (auto it = by_id_.find(id); it != by_id_.end(); it = by_id_.find(kinds_[it->second].parent)) {
    if (kinds_[it->second].id == ancestor) return true;
  }
  return false;
}

KindSet KindTable::all_below(KindId ancestor) const {
  KindSet set = KindSet::none();
  for (const Kind& kind : kinds_) {  // parents come first, so one pass closes the set
    if (kind.id == ancestor || (kind.parent.value != 0 && set.contains(kind.parent))) set.insert(kind.id);
  }
  return set;
}

std::vector<std::string> KindTable::names() const {
  std::vector<std::string> out;
  for (const Kind& kind : kinds_) out.push_back(kind.name);
  return out;
}

std::string KindTable::unknown_message(std::string_view name) const {
  const std::string near = nearest(name, names());
  if (!near.empty()) return fmt::format("unknown kind '{}'; did you mean {}?", name, near);
  return fmt::format("unknown kind '{}'; declare it first, or use one of CALL, MEETING, VISIT, NEGOTIATION, ...", name);
}

}  // namespace demarche

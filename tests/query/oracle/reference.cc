#include "tests/query/oracle/reference.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "engine/edtf.h"
#include "query/value.h"

namespace demarche::oracle {

namespace {

using Op = Predicate::Op;

// One who took part: for itself, or represented by the participant `agent`.
struct Present {
  std::int64_t actor = 0;
  Role role = Role::kParticipant;  // a represented one has its agent's
  std::optional<std::size_t> agent;
};

std::vector<Present> all_present(const PlainInteraction& c) {
  std::vector<Present> out;
  for (const Participant& p : c.participants) out.push_back({static_cast<std::int64_t>(p.actor.value), p.role, {}});
  for (std::size_t i = 0; i < c.participants.size(); ++i) {
    const Participant& p = c.participants[i];
    if (p.acting_for) out.push_back({static_cast<std::int64_t>(p.acting_for->value), p.role, i});
  }
  return out;
}

// The pairs of roles that are in contact in a CONTACT, in either order.
bool roles_meet(Role a, Role b) {
  static const std::set<std::pair<Role, Role>> pairs = {{Role::kParticipant, Role::kParticipant},
                                                        {Role::kPrincipal, Role::kCounterpart},
                                                        {Role::kMediator, Role::kDelegation},
                                                        {Role::kCaller, Role::kCallee},
                                                        {Role::kVisitor, Role::kHost},
                                                        {Role::kInitiator, Role::kRecipient}};
  return pairs.contains({a, b}) || pairs.contains({b, a});
}

bool leads_from(Role role) {
  static const std::set<Role> roles = {Role::kCaller,     Role::kPrincipal, Role::kMediator, Role::kAnnouncer,
                                       Role::kSpeaker,    Role::kSponsor,   Role::kReporter, Role::kWalkedOut,
                                       Role::kVisitor,    Role::kInitiator, Role::kHolder,   Role::kMember,
                                       Role::kParticipant};
  return roles.contains(role);
}
bool leads_to(Role role) {
  static const std::set<Role> roles = {Role::kCallee,    Role::kCounterpart, Role::kDelegation,
                                       Role::kAddressee, Role::kAbout,       Role::kHost,
                                       Role::kRecipient, Role::kBody,        Role::kParticipant};
  return roles.contains(role);
}

// (left, right) of an interaction, each ordered pair of actors once.
using Contacts = std::set<std::pair<std::int64_t, std::int64_t>>;

class Reference {
 public:
  Reference(const Graph& graph, const Question& question, ReferenceFault fault)
      : graph_(graph), question_(question), fault_(fault) {
    for (const PlainActor& a : graph.actors) actors_[a.id] = &a;
    for (const PlainInteraction& c : graph.interactions) interactions_[c.id] = &c;
  }

  Rows run() {
    Rows rows = {Row(question_.names.size(), 0)};
    std::vector<bool> bound(question_.names.size(), false);
    for (const Clause& clause : question_.clauses) rows = clause_rows(clause, rows, bound);
    Rows out;
    for (const Row& row : rows) {
      if (!question_.where || keeps(truth(*question_.where, row))) out.push_back(row);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  // ---- patterns ----------------------------------------------------------------------------------------------------

  // A clause as a list of small steps, each of which binds or tests one variable or one hop.
  struct Step {
    const ActorPattern* actor = nullptr;
    const HopPattern* hop = nullptr;
    const Lone* lone = nullptr;
    Var from = 0;  // of a hop
    Var to = 0;
  };

  Rows clause_rows(const Clause& clause, const Rows& rows, std::vector<bool>& bound) {
    std::vector<Step> steps;
    for (const Chain& chain : clause.chains) {
      for (std::size_t i = 0; i < chain.actors.size(); ++i) {
        steps.push_back({&chain.actors[i], nullptr, nullptr, 0, 0});
        if (i > 0)
          steps.push_back({nullptr, &chain.hops[i - 1], nullptr, chain.actors[i - 1].var, chain.actors[i].var});
      }
    }
    for (const Lone& lone : clause.alone) steps.push_back({nullptr, nullptr, &lone, 0, 0});
    Rows out;
    for (const Row& row : rows) {
      const std::size_t before = out.size();
      Row filled = row;
      std::vector<bool> known = bound;
      fill(steps, 0, filled, known, {}, out);
      if (out.size() == before && clause.optional && fault_ != ReferenceFault::kOptionalDrops) out.push_back(row);
    }
    for (const Step& step : steps)
      bound[step.actor ? step.actor->var : (step.hop ? step.hop->var : step.lone->var)] = true;
    return out;
  }

  void fill(const std::vector<Step>& steps, std::size_t at, Row& row, std::vector<bool>& known,
            std::set<std::int64_t> used, Rows& out) {
    if (at == steps.size()) {
      out.push_back(row);
      return;
    }
    const Step& step = steps[at];
    const auto go_on = [&] { fill(steps, at + 1, row, known, used, out); };
    if (step.actor != nullptr) {
      each(step.actor->var, graph_.actors, row, known, [&](const PlainActor& a) {
        if (fits(*step.actor, a)) go_on();
      });
    } else if (step.lone != nullptr) {
      each(step.lone->var, graph_.interactions, row, known, [&](const PlainInteraction& c) {
        if (!kinds_fit(step.lone->kinds, c)) return;
        if (fault_ == ReferenceFault::kLoneIsUnique && used.contains(c.id)) return;
        go_on();
      });
    } else {
      each(step.hop->var, graph_.interactions, row, known, [&](const PlainInteraction& c) {
        if (used.contains(c.id) && fault_ != ReferenceFault::kInteractionTwice) return;
        if (!kinds_fit(step.hop->kinds, c)) return;
        if (!contacts(c, step.hop->arrow).contains({row[step.from], row[step.to]})) return;
        if (step.hop->where && !keeps(truth(*step.hop->where, row))) return;
        used.insert(c.id);
        go_on();
        used.erase(c.id);
      });
    }
  }

  // Calls `use` for each record that the variable may stand for: all, or the one it does.
  template <typename Record, typename Use>
  void each(Var var, const std::vector<Record>& records, Row& row, std::vector<bool>& known, Use use) {
    if (known[var]) {
      for (const Record& record : records) {
        if (record.id == row[var]) use(record);
      }
      return;
    }
    known[var] = true;
    for (const Record& record : records) {
      row[var] = record.id;
      use(record);
    }
    row[var] = 0;
    known[var] = false;
  }

  static bool fits(const ActorPattern& pattern, const PlainActor& a) {
    if (pattern.x >= 0 && a.x.number != pattern.x) return false;
    return pattern.label.empty() || std::find(a.labels.begin(), a.labels.end(), pattern.label) != a.labels.end();
  }

  [[nodiscard]] bool kinds_fit(const std::vector<std::string>& kinds, const PlainInteraction& c) const {
    return kinds.empty() || std::any_of(kinds.begin(), kinds.end(), [&](const std::string& kind) {
             return fault_ == ReferenceFault::kKindExact ? c.kind == kind : kind_is(c.kind, kind);
           });
  }

  const Contacts& contacts(const PlainInteraction& c, Arrow arrow) {
    const auto [it, is_new] = contacts_.try_emplace({c.id, arrow});
    if (is_new) it->second = find_contacts(c, fault_ == ReferenceFault::kArrowIgnored ? Arrow::kNone : arrow);
    return it->second;
  }

  [[nodiscard]] Contacts find_contacts(const PlainInteraction& c, Arrow arrow) const {
    const std::vector<Present> present = all_present(c);
    Contacts out;
    for (std::size_t i = 0; i < present.size(); ++i) {
      for (std::size_t j = 0; j < present.size(); ++j) {
        if (i == j || !meet(c, present, i, j)) continue;
        const Present& from = present[arrow == Arrow::kLeft ? j : i];
        const Present& to = present[arrow == Arrow::kLeft ? i : j];
        if (arrow == Arrow::kNone || (leads_from(from.role) && leads_to(to.role)))
          out.insert({present[i].actor, present[j].actor});
      }
    }
    return out;
  }

  [[nodiscard]] bool meet(const PlainInteraction& c, const std::vector<Present>& present, std::size_t i,
                          std::size_t j) const {
    const Present& a = present[i];
    const Present& b = present[j];
    // Whoever is represented has no contact with an agent of its own, nor with itself through two agents; those whom
    // one agent represents are in one camp.
    if (fault_ != ReferenceFault::kAgentMeetsPrincipal) {
      if (represents(c, i, a, b) || represents(c, j, b, a)) return false;
    }
    if (a.agent && b.agent && (a.agent == b.agent || a.actor == b.actor)) return false;
    const bool contact = kind_is(c.kind, "CONTACT") && fault_ != ReferenceFault::kAnyTwoParties;
    return !contact || roles_meet(a.role, b.role);
  }

  // Does participant i act for the actor that `b` is represented as?
  static bool represents(const PlainInteraction& c, std::size_t i, const Present& a, const Present& b) {
    if (a.agent || !b.agent) return false;
    const auto& acting_for = c.participants[i].acting_for;
    return acting_for && static_cast<std::int64_t>(acting_for->value) == b.actor;
  }

  // ---- conditions --------------------------------------------------------------------------------------------------

  [[nodiscard]] bool keeps(Truth t) const {
    return t == Truth::kTrue || (t == Truth::kUnknown && fault_ == ReferenceFault::kUnknownIsTrue);
  }

  template <typename T>
  static Truth compared(const T& a, const std::string& op, const T& b) {
    const bool yes = op == "="    ? a == b
                     : op == "<>" ? a != b
                     : op == "<"  ? a < b
                     : op == "<=" ? a <= b
                     : op == ">"  ? a > b
                                  : a >= b;
    return yes ? Truth::kTrue : Truth::kFalse;
  }
  // Values of different types are unequal, and neither is the less.
  static Truth compared(const Number& a, const std::string& op, const Number& b) {
    const bool null = (!a.number && !a.is_text) || (!b.number && !b.is_text);
    if (null) return Truth::kUnknown;
    if (a.is_text && b.is_text) return compared(std::string("x"), op, std::string("x"));
    if (!a.is_text && !b.is_text) return compared(*a.number, op, *b.number);
    if (op == "=") return Truth::kFalse;
    return op == "<>" ? Truth::kTrue : Truth::kUnknown;
  }

  [[nodiscard]] Number number_of(Var var, const Row& row) const {
    if (row[var] == 0) return {};
    return question_.is_actor[var] ? actors_.at(row[var])->x : interactions_.at(row[var])->x;
  }

  [[nodiscard]] Truth time(const Predicate& p, const Row& row) const {
    if (row[p.left] == 0 || (p.has_right && row[p.right] == 0)) return Truth::kUnknown;
    if (p.has_right && row[p.left] == row[p.right]) return evaluate_identical(p.time);
    const PlainInteraction& left = *interactions_.at(row[p.left]);
    const Truth undated = fault_ == ReferenceFault::kUndatedIsFalse ? Truth::kFalse : Truth::kUnknown;
    if (!left.bounds) return undated;
    if (!p.has_right) return evaluate(p.time, *left.bounds, query::date_literal(*parse_edtf(p.text)).period);
    const PlainInteraction& right = *interactions_.at(row[p.right]);
    return right.bounds ? evaluate(p.time, *left.bounds, *right.bounds) : undated;
  }

  [[nodiscard]] bool is_null(Var var, const std::string& property, const Row& row) const {
    if (row[var] == 0) return true;
    if (property == "when") return !interactions_.at(row[var])->when;
    if (property == "status") return interactions_.at(row[var])->status.empty();
    const Number x = number_of(var, row);
    return !x.number && !x.is_text;
  }

  [[nodiscard]] Truth truth(const Predicate& p, const Row& row) const {
    const bool null = row[p.left] == 0;
    const auto truth_of = [](bool yes) { return yes ? Truth::kTrue : Truth::kFalse; };
    switch (p.op) {
      case Op::kTime:
        return time(p, row);
      case Op::kPossibly:
        return truth_of(truth(*p.a, row) != Truth::kFalse);
      case Op::kNot:
        return truth_not(truth(*p.a, row));
      case Op::kAnd:
        return truth_and(truth(*p.a, row), truth(*p.b, row));
      case Op::kOr:
        return truth_or(truth(*p.a, row), truth(*p.b, row));
      case Op::kLabel: {
        if (null) return Truth::kUnknown;
        const auto& labels = actors_.at(row[p.left])->labels;
        return truth_of(std::find(labels.begin(), labels.end(), p.text) != labels.end());
      }
      case Op::kNumber:
        return compared(number_of(p.left, row), p.compare, Number{p.number, false});
      case Op::kNumbers:
        return compared(number_of(p.left, row), p.compare, number_of(p.right, row));
      case Op::kStatus: {
        if (null || interactions_.at(row[p.left])->status.empty()) return Truth::kUnknown;
        return compared(interactions_.at(row[p.left])->status, p.compare, p.text);
      }
      case Op::kIsNull:
        return truth_of(is_null(p.left, p.text, row));
      case Op::kIdLess:
        return null || row[p.right] == 0 ? Truth::kUnknown : truth_of(row[p.left] < row[p.right]);
      case Op::kType:
        return null ? Truth::kUnknown : truth_of(interactions_.at(row[p.left])->kind == p.text);
      case Op::kSame:
        return null || row[p.right] == 0 ? Truth::kUnknown : truth_of(row[p.left] == row[p.right]);
    }
    return Truth::kUnknown;
  }

  const Graph& graph_;
  const Question& question_;
  ReferenceFault fault_;
  std::map<std::int64_t, const PlainActor*> actors_;
  std::map<std::int64_t, const PlainInteraction*> interactions_;
  std::map<std::pair<std::int64_t, Arrow>, Contacts> contacts_;
};

}  // namespace

Rows reference_answer(const Graph& graph, const Question& question, ReferenceFault fault) {
  return Reference(graph, question, fault).run();
}

}  // namespace demarche::oracle

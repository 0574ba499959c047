#include "tests/query/oracle/question.h"

#include <algorithm>

#include <fmt/format.h>

namespace demarche::oracle {

namespace {

using Op = Predicate::Op;

const std::vector<std::string>& literals() {
  static const std::vector<std::string> texts = {"2016-04-18",
                                                 "2016-04",
                                                 "2016",
                                                 "2016-03-20/2016-04-20",
                                                 "2016-04-25",
                                                 "2016-02-28/2016-03-20",
                                                 "[2016-04-01..2016-04-19]"};
  return texts;
}
const std::vector<std::string>& compares() {
  static const std::vector<std::string> ops = {"=", "<>", "<", "<=", ">", ">="};
  return ops;
}
const char* word(TimePredicate op) {
  constexpr const char* kWords[] = {"BEFORE", "AFTER", "DURING", "OVERLAPS"};
  return kWords[static_cast<std::size_t>(op)];
}

std::vector<Var> vars_of(const Question& q, bool actors) {
  std::vector<Var> out;
  for (Var v = 0; v < q.names.size(); ++v) {
    if (q.is_actor[v] == actors) out.push_back(v);
  }
  return out;
}

std::vector<std::string> random_kinds(Random& random) {
  if (chance(random, 60)) return {};
  std::vector<std::string> out;
  for (std::size_t n = 1 + below(random, 2); n > 0; --n) {
    // Rather one that finds much: the upper ones.
    out.emplace_back(chance(random, 60) ? "CONTACT" : plain_kinds()[below(random, plain_kinds().size())].name);
  }
  return out;
}

Predicate about_interaction(Random& random, const Question& q, Var var) {
  Predicate p;
  p.left = var;
  switch (below(random, 10)) {
    case 0:
      p.op = Op::kStatus;
      p.text = std::vector<std::string>{"held", "planned", "cancelled"}[below(random, 3)];
      p.compare = one_of(random, std::vector<std::string>{"=", "<>"});
      break;
    case 1:
      p.op = Op::kIsNull;
      p.text = one_of(random, std::vector<std::string>{"x", "when", "status"});
      break;
    case 2:
      p.op = Op::kType;
      p.text = plain_kinds()[5 + below(random, plain_kinds().size() - 5)].name;
      break;
    case 3:
      p.op = Op::kNumber;
      p.compare = one_of(random, compares());
      p.number = static_cast<std::int64_t>(below(random, 4));
      break;
    default: {
      p.op = Op::kTime;
      p.time = static_cast<TimePredicate>(below(random, 4));
      const std::vector<Var> others = vars_of(q, false);
      p.has_right = chance(random, 40);
      if (p.has_right) {
        p.right = one_of(random, others);  // perhaps itself
      } else {
        p.text = one_of(random, literals());
      }
    }
  }
  return p;
}

Predicate about_actor(Random& random, const Question& q, Var var) {
  Predicate p;
  p.left = var;
  const std::vector<Var> others = vars_of(q, true);
  switch (below(random, 6)) {
    case 0:
      p.op = Op::kLabel;
      p.text = one_of(random, std::vector<std::string>{"A", "B", "C"});
      break;
    case 1:
      p.op = Op::kIsNull;
      p.text = "x";
      break;
    case 2:
      p.op = Op::kIdLess;
      p.right = one_of(random, others);
      break;
    case 3:
      p.op = Op::kSame;
      p.right = one_of(random, others);
      break;
    case 4:
      p.op = Op::kNumbers;
      p.right = one_of(random, others);
      p.compare = one_of(random, compares());
      break;
    default:
      p.op = Op::kNumber;
      p.compare = one_of(random, compares());
      p.number = static_cast<std::int64_t>(below(random, 4));
  }
  return p;
}

PredicatePtr make(Predicate p) { return std::make_shared<const Predicate>(std::move(p)); }

Var new_var(Question& q, bool actor) {
  q.names.push_back(fmt::format("{}{}", actor ? 'a' : 'c', q.names.size()));
  q.is_actor.push_back(actor);
  return q.names.size() - 1;
}

ActorPattern make_actor(Random& random, Question& q, bool may_meet) {
  const std::vector<Var> there = vars_of(q, true);
  if (may_meet && !there.empty() && chance(random, 25)) return {one_of(random, there), "", -1};
  ActorPattern out;
  out.var = new_var(q, true);
  if (chance(random, 12)) out.label = one_of(random, std::vector<std::string>{"A", "B", "C"});
  if (chance(random, 3)) out.x = static_cast<int>(below(random, 4));
  return out;
}

HopPattern make_hop(Random& random, Question& q) {
  HopPattern out;
  out.var = new_var(q, false);
  out.kinds = random_kinds(random);
  if (chance(random, 30)) out.arrow = chance(random, 50) ? Arrow::kRight : Arrow::kLeft;
  if (chance(random, 10)) {
    Question alone;  // inside the bracket the hop speaks of itself only
    alone.names = q.names;
    alone.is_actor.assign(q.names.size(), true);
    alone.is_actor[out.var] = false;
    out.where = make(about_interaction(random, alone, out.var));
  }
  return out;
}

Chain make_chain(Random& random, Question& q, bool joined, std::size_t hops_max) {
  Chain out;
  const std::vector<Var> there = vars_of(q, true);
  out.actors.push_back(joined && !there.empty() ? ActorPattern{one_of(random, there), "", -1}
                                                : make_actor(random, q, false));
  const std::size_t hops =
      chance(random, 8) ? 0 : 1 + below(random, chance(random, 70) ? std::min<std::size_t>(2, hops_max) : hops_max);
  for (std::size_t i = 0; i < hops; ++i) {
    out.hops.push_back(make_hop(random, q));
    out.actors.push_back(make_actor(random, q, true));
  }
  return out;
}

std::string write_actor(const Question& q, const ActorPattern& a) {
  std::string out = "(" + q.names[a.var];
  if (!a.label.empty()) out += ":" + a.label;
  if (a.x >= 0) out += fmt::format(" {{x: {}}}", a.x);
  return out + ")";
}

std::string kinds_text(const std::vector<std::string>& kinds) {
  std::string out;
  for (const std::string& kind : kinds) out += (out.empty() ? ":" : "|") + kind;
  return out;
}

std::string write_clause(const Question& q, const Clause& clause, const Writing& writing) {
  const std::string head = clause.optional ? "OPTIONAL MATCH " : "MATCH ";
  std::string out;
  const auto begin_pattern = [&] { out += out.empty() ? head : (writing.match_each_hop ? " " + head : ", "); };
  for (const Chain& chain : clause.chains) {
    begin_pattern();
    out += write_actor(q, chain.actors[0]);
    for (std::size_t i = 0; i < chain.hops.size(); ++i) {
      if (i > 0 && writing.match_each_hop) out += " " + head + "(" + q.names[chain.actors[i].var] + ")";
      out += write_hop(q, chain.hops[i], writing) + write_actor(q, chain.actors[i + 1]);
    }
  }
  for (const Lone& lone : clause.alone) {
    begin_pattern();
    out += "[" + q.names[lone.var] + kinds_text(lone.kinds) + "]";
  }
  return out;
}

}  // namespace

bool Question::has_optional() const {
  return std::any_of(clauses.begin(), clauses.end(), [](const Clause& c) { return c.optional; });
}

Question make_question(Random& random, const Graph&) {
  Question q;
  Clause first;
  first.chains.push_back(make_chain(random, q, false, 3));
  if (chance(random, 15)) first.chains.push_back(make_chain(random, q, chance(random, 80), 1));
  if (chance(random, 15) && q.names.size() < 6) first.alone.push_back({new_var(q, false), random_kinds(random)});
  q.clauses.push_back(std::move(first));
  if (chance(random, 15) && q.names.size() < 6) {
    Clause second;
    second.optional = chance(random, 70);
    second.chains.push_back(make_chain(random, q, true, 1));
    q.clauses.push_back(std::move(second));
  }
  if (chance(random, 32)) q.where = make_condition(random, q, 2);
  return q;
}

PredicatePtr make_condition(Random& random, const Question& q, std::size_t depth) {
  if (depth > 0 && chance(random, 35)) {
    Predicate p;
    constexpr Op kOps[] = {Op::kNot, Op::kPossibly, Op::kAnd, Op::kOr};
    p.op = kOps[below(random, 4)];
    p.a = make_condition(random, q, depth - 1);
    if (p.op == Op::kAnd || p.op == Op::kOr) p.b = make_condition(random, q, depth - 1);
    return make(std::move(p));
  }
  const Var var = below(random, q.names.size());
  return make(q.is_actor[var] ? about_actor(random, q, var) : about_interaction(random, q, var));
}

std::string write_predicate(const Predicate& p, const Question& q, const Writing& writing) {
  const std::string& left = q.names[p.left];
  const auto inner = [&](const PredicatePtr& x) { return "(" + write_predicate(*x, q, writing) + ")"; };
  switch (p.op) {
    case Op::kTime:
      return fmt::format("{} {} {}", left, word(p.time), p.has_right ? q.names[p.right] : "'" + p.text + "'");
    case Op::kPossibly:
      return "POSSIBLY " + inner(p.a);
    case Op::kNot:
      return writing.negated ? writing.negated(inner(p.a)) : "NOT " + inner(p.a);
    case Op::kAnd:
      return inner(p.a) + " AND " + inner(p.b);
    case Op::kOr:
      return inner(p.a) + " OR " + inner(p.b);
    case Op::kLabel:
      return left + ":" + p.text;
    case Op::kNumber:
      return fmt::format("{}.x {} {}", left, p.compare, p.number);
    case Op::kNumbers:
      return fmt::format("{}.x {} {}.x", left, p.compare, q.names[p.right]);
    case Op::kStatus:
      return fmt::format("{}.status {} '{}'", left, p.compare, p.text);
    case Op::kIsNull:
      return fmt::format("{}.{} IS NULL", left, p.text);
    case Op::kIdLess:
      return fmt::format("id({}) < id({})", left, q.names[p.right]);
    case Op::kType:
      return fmt::format("type({}) = '{}'", left, p.text);
    case Op::kSame:
      return left + " = " + q.names[p.right];
  }
  return "";
}

std::string write_hop(const Question& q, const HopPattern& hop, const Writing& writing) {
  if (writing.hop) return writing.hop(q.names[hop.var], hop);
  std::string out = hop.arrow == Arrow::kLeft ? "<-[" : "-[";
  out += q.names[hop.var] + kinds_text(hop.kinds);
  if (hop.where) {
    const std::string text = write_predicate(*hop.where, q, writing);
    out += " WHERE " + (writing.condition ? writing.condition(text) : text);
  }
  return out + (hop.arrow == Arrow::kRight ? "]->" : "]-");
}

std::string write_question(const Question& q, const std::string& condition, const Writing& writing) {
  std::string out;
  for (const Clause& clause : q.clauses) out += (out.empty() ? "" : " ") + write_clause(q, clause, writing);
  std::string where = condition;
  if (q.where) {
    const std::string own = "(" + write_predicate(*q.where, q, writing) + ")";
    where = where.empty() ? own : own + " AND " + where;
  }
  // Behind OPTIONAL MATCH a WHERE would belong to the clause.
  if (!where.empty()) {
    if (writing.condition) where = writing.condition(where);
    out += (q.has_optional() ? " WITH * WHERE " : " WHERE ") + where;
  }
  out += " RETURN ";
  for (Var v = 0; v < q.names.size(); ++v) out += fmt::format("{}coalesce(id({}), 0)", v == 0 ? "" : ", ", q.names[v]);
  return out;
}

Question reversed(const Question& question) {
  Question out = question;
  for (Clause& clause : out.clauses) {
    for (Chain& chain : clause.chains) {
      std::reverse(chain.actors.begin(), chain.actors.end());
      std::reverse(chain.hops.begin(), chain.hops.end());
      for (HopPattern& hop : chain.hops) {
        if (hop.arrow != Arrow::kNone) hop.arrow = hop.arrow == Arrow::kLeft ? Arrow::kRight : Arrow::kLeft;
      }
    }
    std::reverse(clause.chains.begin(), clause.chains.end());
  }
  return out;
}

}  // namespace demarche::oracle

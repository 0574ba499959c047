// Random questions about a graph: patterns and a condition, as a tree that can be written as text in several ways and
// answered by a reference that knows nothing of plans.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/query/oracle/graph.h"

namespace demarche::oracle {

using Var = std::size_t;  // index into Question::names

struct Predicate;
using PredicatePtr = std::shared_ptr<const Predicate>;
struct Predicate {
  enum class Op {
    kTime,      // left BEFORE right (or a literal)
    kPossibly,  // POSSIBLY (a)
    kNot,
    kAnd,
    kOr,
    kLabel,    // left:Label
    kNumber,   // left.x < 2
    kNumbers,  // left.x < right.x
    kStatus,   // left.status = 'held'
    kIsNull,   // left.x IS NULL, left.when IS NULL
    kIdLess,   // id(left) < id(right)
    kType,     // type(left) = 'CALL'
    kSame,     // left = right
  };
  Op op = Op::kNot;
  Var left = 0;
  Var right = 0;
  bool has_right = false;
  TimePredicate time = TimePredicate::kBefore;
  std::string text;     // literal, label, status, kind, or the property of IS NULL
  std::string compare;  // "=", "<>", "<", "<=", ">", ">="
  std::int64_t number = 0;
  PredicatePtr a;
  PredicatePtr b;
};

enum class Arrow { kNone, kRight, kLeft };

struct ActorPattern {
  Var var = 0;
  std::string label;  // "" for none
  int x = -1;         // {x: 1}; -1 for none
};
struct HopPattern {
  Var var = 0;
  std::vector<std::string> kinds;
  Arrow arrow = Arrow::kNone;
  PredicatePtr where;  // inside the bracket, of the hop alone
};
struct Chain {
  std::vector<ActorPattern> actors;  // one more than hops
  std::vector<HopPattern> hops;
};
struct Lone {
  Var var = 0;
  std::vector<std::string> kinds;
};
struct Clause {
  bool optional = false;
  std::vector<Chain> chains;
  std::vector<Lone> alone;
};

struct Question {
  std::vector<std::string> names;
  std::vector<bool> is_actor;  // else an interaction
  std::vector<Clause> clauses;
  PredicatePtr where;  // over all variables, behind the last clause
  [[nodiscard]] bool has_optional() const;
};

Question make_question(Random& random, const Graph& graph);
// A condition over the variables of the question.
PredicatePtr make_condition(Random& random, const Question& question, std::size_t depth);

// How a question is written; the mutants write it wrongly.
struct Writing {
  std::function<std::string(const std::string&)> condition;                   // around each condition in a WHERE
  std::function<std::string(const std::string&)> negated;                     // NOT p
  std::function<std::string(const std::string& var, const HopPattern&)> hop;  // "-[c0:CALL]->"
  bool match_each_hop = false;  // a MATCH for each hop, so that none is unique
};
std::string write_predicate(const Predicate& p, const Question& question, const Writing& writing);
std::string write_hop(const Question& question, const HopPattern& hop, const Writing& writing);
// The clauses with `condition` (may be "") behind them, and RETURN of the ids of all variables, 0 for null.
std::string write_question(const Question& question, const std::string& condition, const Writing& writing = {});
// The same question with each chain written from its other end.
Question reversed(const Question& question);

}  // namespace demarche::oracle

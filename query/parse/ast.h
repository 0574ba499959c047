// The syntax tree: what was written, before any name is looked up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "query/value.h"

namespace demarche::query {

struct Span {
  std::size_t offset = 0;  // bytes from the start of the query
  std::size_t length = 0;
};

// The smallest span that covers both.
[[nodiscard]] constexpr Span join(Span a, Span b) { return {a.offset, b.offset + b.length - a.offset}; }

namespace ast {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

enum class UnaryOp : std::uint8_t { kNot, kMinus, kPlus, kIsNull, kIsNotNull, kPossibly };
enum class BinaryOp : std::uint8_t {
  kOr,
  kXor,
  kAnd,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kPower,
  kStartsWith,
  kEndsWith,
  kContains,
  kMatches,
  kIn,
  kBefore,
  kAfter,
  kDuring,
  kOverlaps,
};
enum class CompareOp : std::uint8_t { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

// `A|B`, `A&B`, `A:B`, `!A`, `%`: over labels of actors and kinds of interactions.
struct LabelExpr {
  enum class Op : std::uint8_t { kName, kNot, kAnd, kOr, kAny };
  Op op = Op::kAny;
  std::string name;  // kName
  Span span;
  std::vector<LabelExpr> operands;  // one for kNot, two for kAnd and kOr
};

struct Literal {
  Value value;
};
struct DateLiteral {
  std::string text;
  Span text_span;
};  // DATE '2016-04~'
struct ParameterRef {
  std::string name;
};
struct VariableRef {
  std::string name;
};
struct PropertyOf {
  ExprPtr object;
  std::string key;
};
struct Unary {
  UnaryOp op;
  ExprPtr operand;
};
struct Binary {
  BinaryOp op;
  ExprPtr left;
  ExprPtr right;
};
// a < b <= c means a < b AND b <= c.
struct Comparison {
  ExprPtr first;
  std::vector<std::pair<CompareOp, ExprPtr>> rest;
};
struct Call {
  std::string name;
  Span name_span;
  bool distinct = false;
  bool star = false;
  std::vector<ExprPtr> arguments;
};
struct ListOf {
  std::vector<ExprPtr> items;
};
struct MapOf {
  std::vector<std::pair<std::string, ExprPtr>> entries;
};
struct ElementAt {
  ExprPtr object;
  ExprPtr index;
};
struct SliceOf {
  ExprPtr object;
  ExprPtr from;
  ExprPtr to;
};  // from, to may be null
struct CaseOf {
  ExprPtr subject;
  std::vector<std::pair<ExprPtr, ExprPtr>> branches;
  ExprPtr otherwise;
};  // subject, otherwise may be null
// [x IN list WHERE condition | result], all(x IN list WHERE condition), and their kin.
struct ListScan {
  enum class Kind : std::uint8_t { kComprehension, kAll, kAny, kNone, kSingle };
  Kind kind = Kind::kComprehension;
  std::string variable;
  ExprPtr list;
  ExprPtr condition;  // may be null
  ExprPtr result;     // may be null: the element itself
};
// reduce(sum = 0, x IN list | sum + x)
struct Reduce {
  std::string accumulator;
  ExprPtr start;
  std::string variable;
  ExprPtr list;
  ExprPtr step;
};
struct HasLabels {
  ExprPtr subject;
  LabelExpr labels;
};

// A query within an expression; it may read what is in scope around it.
struct Query;
struct Subquery {
  enum class Kind : std::uint8_t {
    kExists,         // EXISTS { MATCH ... } or EXISTS { pattern WHERE p }
    kCount,          // COUNT { ... }
    kPattern,        // (a)-->(b) as a condition: one MATCH that brings no new names
    kComprehension,  // [(a)-->(b) WHERE p | expr]: a MATCH and a RETURN of one column
  };
  Kind kind = Kind::kExists;
  std::unique_ptr<Query> query;
  std::uint32_t depth = 0;  // of the deepest expression in it
};

struct Expr {
  Span span;
  std::variant<Literal, DateLiteral, ParameterRef, VariableRef, PropertyOf, Unary, Binary, Comparison, Call, ListOf,
               MapOf, ElementAt, SliceOf, CaseOf, HasLabels, ListScan, Reduce, Subquery>
      node;
  std::uint32_t depth = 1;
};

// ---- patterns ------------------------------------------------------------------------------------------------------

// (a:Person {key: 'x'})
struct ActorPattern {
  std::string variable;  // empty: anonymous
  std::optional<LabelExpr> labels;
  ExprPtr properties;  // map or parameter; may be null
  ExprPtr where;       // (a WHERE p); may be null
  Span span;
};

enum class Direction : std::uint8_t { kEither, kRight, kLeft };

// How often an interaction is repeated: {1,4}, {2}, +, *, and inside the bracket *1..4.
struct Quantifier {
  std::uint32_t hops_min = 1;
  std::optional<std::uint32_t> hops_max;  // none: no bound
  Span span;
};

// -[c:CONTACT {place: 'Geneva'}]-> between two actors, or [m:MEETING] standing alone
struct InteractionPattern {
  std::string variable;
  std::optional<LabelExpr> kinds;
  ExprPtr properties;
  ExprPtr where;
  std::optional<Quantifier> quantifier;
  Direction direction = Direction::kEither;
  Span span;
};

// What a path may repeat. kUnsaid: what the whole MATCH allows, that is kTrail over all its patterns.
enum class PathMode : std::uint8_t { kUnsaid, kWalk, kTrail, kAcyclic, kSimple };

// Which of the paths between two actors are wanted.
struct PathSearch {
  enum class Kind : std::uint8_t {
    kAll,
    kShortest,        // the `count` shortest
    kShortestGroups,  // all of the `count` least lengths
    kEarliest,        // one that arrives first; chronological
  };
  Kind kind = Kind::kAll;
  std::uint32_t count = 1;
  bool possibly = false;  // kEarliest: POSSIBLY CHRONOLOGICAL
  bool strict = false;    // kEarliest: CHRONOLOGICAL STRICT
  Span span;
};

// Standing alone: no actors, one interaction. Else actors.size() == interactions.size() + 1.
struct PathPattern {
  std::string variable;  // p = ...; empty: none
  PathMode mode = PathMode::kUnsaid;
  PathSearch search;
  std::vector<ActorPattern> actors;
  std::vector<InteractionPattern> interactions;
  Span span;
  [[nodiscard]] bool stands_alone() const { return actors.empty(); }
};

// ---- clauses -------------------------------------------------------------------------------------------------------

struct Match {
  bool optional = false;
  std::vector<PathPattern> patterns;
  ExprPtr where;  // may be null
};

struct ProjectionItem {
  ExprPtr expression;
  std::string name;  // the alias, or the text as written
  bool has_alias = false;
};
struct SortItem {
  ExprPtr expression;
  bool descending = false;
};
// RETURN and WITH
struct Projection {
  bool distinct = false;
  bool star = false;
  std::vector<ProjectionItem> items;
  std::vector<SortItem> order;
  ExprPtr skip;   // may be null
  ExprPtr limit;  // may be null
};
struct Return {
  Projection projection;
};
struct With {
  Projection projection;
  ExprPtr where;
};
struct Unwind {
  ExprPtr list;
  std::string variable;
  Span span;
};
struct Create {
  std::vector<PathPattern> patterns;
};

// One part of SET (a.k = v, a = {..}, a += {..}, a:Label) or REMOVE (a.k, a:Label).
struct Change {
  enum class Op : std::uint8_t { kProperty, kReplace, kAdd, kLabels, kRemoveProperty, kRemoveLabels };
  Op op = Op::kProperty;
  ExprPtr target;    // the actor or interaction
  std::string key;   // of the property
  LabelExpr labels;  // kLabels, kRemoveLabels
  ExprPtr value;     // kProperty, kReplace, kAdd
  Span span;
};
// SET and REMOVE
struct Update {
  std::vector<Change> changes;
};
struct Delete {
  bool detach = false;
  std::vector<ExprPtr> what;
};
struct Merge {
  PathPattern pattern;
  std::vector<Change> on_create;
  std::vector<Change> on_match;
};

// RECORD CALL 'key' BETWEEN 'a' AS caller, 'b' FOR 'c' AS callee ON '2016' AT 'Geneva' SOURCE 's' {note: '...'}
struct RecordParticipant {
  ExprPtr actor;
  ExprPtr acting_for;  // may be null
  std::string role;    // empty: the kind's usual one
  Span role_span;
};
struct RecordClaim {
  ExprPtr source;
  ExprPtr properties;  // may be null
};
struct Record {
  std::string kind;
  Span kind_span;
  ExprPtr key;  // may be null, as may the next four
  std::vector<RecordParticipant> participants;
  ExprPtr when;
  ExprPtr place;
  ExprPtr part_of;
  std::string status;  // empty: held for contacts, none for others
  Span status_span;
  std::vector<RecordClaim> claims;
  ExprPtr properties;
};

// CORRECT 'key' SET when = '2016-04-29', ... SOURCE 's' {note: '...'} BECAUSE 'reason', and RETRACT 'key' BECAUSE
// 'reason'
struct Correct {
  struct Field {
    std::string name;
    ExprPtr value;
    Span span;
  };
  bool retract = false;  // then there is nothing but the interaction and the reason
  ExprPtr interaction;   // its key or number
  std::vector<Field> fields;
  std::vector<RecordClaim> claims;
  ExprPtr reason;
};

// CALL procedure(arguments) YIELD column AS name, ...
struct CallProcedure {
  struct Yield {
    std::string column;
    std::string name;
    Span span;
  };
  std::string name;
  Span name_span;
  bool has_arguments = false;  // false: no brackets; each argument is the parameter of its name
  std::vector<ExprPtr> arguments;
  bool has_yield = false;
  std::vector<Yield> yields;
  ExprPtr where;  // may be null
};
// CALL { ... }, CALL (a, b) { ... }
struct CallQuery {
  struct Import {
    std::string name;
    Span span;
  };
  bool has_imports = false;  // false: all that is in scope
  std::vector<Import> imports;
  std::unique_ptr<Query> query;
};

struct Clause {
  Span span;
  std::variant<Match, Return, With, Unwind, Create, Update, Delete, Merge, Record, Correct, CallProcedure, CallQuery>
      node;
};

// FOR VALID_TIME AS OF d, FOR SYSTEM_TIME AS OF t: what of the store a whole statement sees.
struct TimeHead {
  enum class Clock : std::uint8_t { kValid, kSystem };
  enum class Form : std::uint8_t { kAsOf, kDuring, kFromTo, kCommit };
  Clock clock = Clock::kValid;
  Form form = Form::kAsOf;
  ExprPtr at;  // the date, the time, FROM, or the number of the commit
  ExprPtr to;  // of kFromTo
  Span span;
};

enum class ExplainMode : std::uint8_t { kNone, kExplain };

// Clauses, or the parts of a UNION, never both.
struct Query {
  ExplainMode explain = ExplainMode::kNone;
  std::vector<TimeHead> heads;  // of the statement: at most one for each clock
  std::vector<Clause> clauses;
  std::vector<Query> parts;
  bool union_all = false;
  Span span;
};

}  // namespace ast
}  // namespace demarche::query

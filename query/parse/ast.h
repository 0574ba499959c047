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

struct Expr {
  Span span;
  std::variant<Literal, DateLiteral, ParameterRef, VariableRef, PropertyOf, Unary, Binary, Comparison, Call, ListOf,
               MapOf, ElementAt, SliceOf, CaseOf, HasLabels, ListScan, Reduce>
      node;
  std::uint32_t depth = 1;
};

// ---- patterns ------------------------------------------------------------------------------------------------------

// (a:Person {key: 'x'})
struct ActorPattern {
  std::string variable;  // empty: anonymous
  std::optional<LabelExpr> labels;
  ExprPtr properties;  // map or parameter; may be null
  Span span;
};

enum class Direction : std::uint8_t { kEither, kRight, kLeft };

// -[c:CONTACT {place: 'Geneva'}]-> between two actors, or [m:MEETING] standing alone
struct InteractionPattern {
  std::string variable;
  std::optional<LabelExpr> kinds;
  ExprPtr properties;
  Direction direction = Direction::kEither;
  Span span;
};

// Standing alone: no actors, one interaction. Else actors.size() == interactions.size() + 1.
struct PathPattern {
  std::string variable;  // p = ...; empty: none
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

struct Clause {
  Span span;
  std::variant<Match, Return, With, Unwind, Create, Update, Delete, Merge, Record> node;
};

enum class ExplainMode : std::uint8_t { kNone, kExplain };

struct Query {
  ExplainMode explain = ExplainMode::kNone;
  std::vector<Clause> clauses;
};

}  // namespace ast
}  // namespace demarche::query

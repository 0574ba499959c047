// The bound query: every name resolved to a slot of the row, every kind to a set, every function to its definition.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "engine/kind.h"
#include "query/bind/function_table.h"
#include "query/bind/procedure_table.h"
#include "query/parse/ast.h"
#include "query/value.h"

namespace demarche::query {

// A column of the row that flows through the operators. Every variable and every intermediate value has its own.
using Slot = std::uint32_t;

namespace bound {

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;  // shared by the steps of a plan that use it

// Labels an actor must have; kinds are resolved to a KindFilter instead.
using LabelTest = ast::LabelExpr;

struct Constant {
  Value value;
};
struct Parameter {
  std::string name;
};
struct SlotRef {
  Slot slot;
};
struct PropertyOf {
  ExprPtr object;
  std::string key;
};
struct Unary {
  ast::UnaryOp op;
  ExprPtr operand;
};
struct Binary {
  ast::BinaryOp op;
  ExprPtr left;
  ExprPtr right;
};
struct Compare {
  ast::CompareOp op;
  ExprPtr left;
  ExprPtr right;
};
struct Function {
  const FunctionDef* def;
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
};
struct CaseOf {
  ExprPtr subject;
  std::vector<std::pair<ExprPtr, ExprPtr>> branches;
  ExprPtr otherwise;
};
// The variable has a slot that no row fills: it holds the element while the expression is computed.
struct ListScan {
  ast::ListScan::Kind kind;
  Slot variable;
  ExprPtr list;
  ExprPtr condition;  // may be null, as may the result
  ExprPtr result;
};
struct Reduce {
  Slot accumulator;
  ExprPtr start;
  Slot variable;
  ExprPtr list;
  ExprPtr step;
};
struct HasLabels {
  ExprPtr subject;
  LabelTest labels;
};
// A query that is run for each row the expression is computed for.
struct SubqueryBody;
struct Subquery {
  ast::Subquery::Kind kind;
  std::shared_ptr<const SubqueryBody> body;
};

struct Expr {
  Span span;
  std::variant<Constant, Parameter, SlotRef, PropertyOf, Unary, Binary, Compare, Function, ListOf, MapOf, ElementAt,
               SliceOf, CaseOf, HasLabels, ListScan, Reduce, Subquery>
      node;
};

// Kinds a pattern admits. any: all of them. Else those in `set`, which may be none.
struct KindFilter {
  bool any = true;
  bool none = false;
  KindSet set;
  std::string text;  // as EXPLAIN shows it: ":CONTACT"
};

struct ActorNode {
  Slot slot = 0;
  bool may_be_value = false;  // passed on by an earlier clause: whether it is an actor shows only when it runs
};
// A repeated interaction: the edge's slot holds the list of those walked, `segment` the path.
struct Repeat {
  static constexpr std::uint32_t kNoBound = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t hops_min = 1;
  std::uint32_t hops_max = kNoBound;
  Slot hop = 0;                     // holds the interaction that is about to be walked while `conditions` are tested
  std::vector<ExprPtr> conditions;  // asked of every hop
  Slot segment = 0;
};
struct InteractionEdge {
  Slot slot = 0;
  std::size_t left = 0;  // index into Match::actors
  std::size_t right = 0;
  ast::Direction direction = ast::Direction::kEither;
  KindFilter kinds;
  std::optional<Repeat> repeat;
  ast::PathMode mode = ast::PathMode::kUnsaid;  // kWalk: may be used again, by this path and by others
  ast::PathSearch search;                       // other than kAll: only with `repeat`
};
struct LoneInteraction {
  Slot slot = 0;
  bool may_be_value = false;
  KindFilter kinds;
};
// A path to be made: it has a name, or a mode that is tested on the whole of it.
struct PathVariable {
  Slot slot = 0;
  ast::PathMode mode = ast::PathMode::kUnsaid;
  std::vector<std::size_t> actors;  // indices into Match::actors and Match::edges
  std::vector<std::size_t> edges;
};

struct Match {
  bool optional = false;  // a row without a match stays, with nulls
  std::vector<ActorNode> actors;
  std::vector<InteractionEdge> edges;
  std::vector<LoneInteraction> alone;
  std::vector<PathVariable> paths;
  std::vector<ExprPtr> conditions;  // all must be true: WHERE, labels and property maps, cut at AND
};

struct Aggregate {
  Slot slot = 0;
  const FunctionDef* def = nullptr;
  bool distinct = false;
  ExprPtr argument;  // null: count(*)
  Span span;
};
struct Assignment {
  Slot slot = 0;
  ExprPtr expression;
};
struct SortKey {
  ExprPtr expression;
  bool descending = false;
};
// keys and aggregates first (when there are aggregates), then the items from them, then order, skip, limit.
struct Projection {
  bool aggregating = false;
  std::vector<Assignment> keys;
  std::vector<Aggregate> aggregates;
  std::vector<Assignment> items;
  bool distinct = false;
  std::vector<SortKey> order;
  ExprPtr skip;
  ExprPtr limit;
  ExprPtr where;             // of WITH
  bool keeps_input = false;  // sort keys may use what was there before the projection
};

struct Unwind {
  Slot slot;
  ExprPtr list;
};

struct CreateActor {
  Slot slot = 0;
  std::vector<std::string> labels;
  ExprPtr properties;  // map; may be null
  Span span;
};
struct CreateInteraction {
  Slot slot = 0;
  std::string kind;
  Slot from = 0;
  Slot to = 0;
  ExprPtr properties;
  Span span;
};
struct Create {
  std::vector<std::variant<CreateActor, CreateInteraction>> items;  // in order: actors before what joins them
  std::vector<std::pair<Slot, std::pair<std::vector<Slot>, std::vector<Slot>>>> paths;
};

struct Change {
  ast::Change::Op op = ast::Change::Op::kProperty;
  ExprPtr target;
  std::string key;
  std::vector<std::string> labels;
  ExprPtr value;
  Span span;
};
struct Update {
  std::vector<Change> changes;
};
struct Delete {
  bool detach = false;
  std::vector<ExprPtr> what;
};
// `match` finds the whole pattern; where it finds nothing, `create` makes all of it that is not bound before.
struct Merge {
  Match match;
  Create create;
  std::vector<Change> on_create;
  std::vector<Change> on_match;
};

struct RecordParticipant {
  ExprPtr actor;
  ExprPtr acting_for;
  std::optional<Role> role;
  Span span;
};
struct RecordClaim {
  ExprPtr source;
  ExprPtr properties;
  Span span;
};
struct Record {
  KindId kind;
  ExprPtr key;
  std::vector<RecordParticipant> participants;
  ExprPtr when;
  ExprPtr place;
  ExprPtr part_of;
  Status status = Status::kNone;
  std::vector<RecordClaim> claims;
  ExprPtr properties;
  Span span;
};

struct Correct {
  struct Field {
    std::string name;
    ExprPtr value;
    Span span;
  };
  bool retract = false;
  ExprPtr interaction;
  std::vector<Field> fields;
  std::vector<RecordClaim> claims;
  ExprPtr reason;
  Span span;
};

struct CallProcedure {
  const ProcedureDef* procedure = nullptr;
  std::vector<ExprPtr> arguments;
  std::vector<std::pair<std::size_t, Slot>> columns;  // of the procedure's, and the slots they fill
};
// Runs the body for each row and joins what it answers.
struct CallQuery {
  std::shared_ptr<const SubqueryBody> body;
};
struct Filter {
  std::vector<ExprPtr> conditions;
};
// The rows of one part after the other.
struct Union {
  std::vector<std::shared_ptr<const SubqueryBody>> parts;
  std::vector<Slot> columns;  // filled from the columns of each part, in order
  bool distinct = true;
};

using Step = std::variant<Match, Projection, Unwind, Create, Update, Delete, Merge, Record, Correct, CallProcedure,
                          CallQuery, Filter, Union>;

// Steps that start from one given row.
struct SubqueryBody {
  std::vector<Step> steps;
  std::vector<Slot> imports;  // slots of the rows around that it reads
  std::vector<Slot> columns;  // of its RETURN
};

struct Column {
  std::string name;
  Slot slot = 0;
};

struct Query {
  bool explain = false;
  bool writes = false;
  Slot slot_count = 0;
  std::vector<std::string> slot_names;             // by slot; "" for unnamed ones
  std::unordered_map<Slot, ValueKind> sure_kinds;  // of slots that hold one kind or null, whatever the data
  std::vector<Step> steps;
  std::vector<Column> columns;       // of RETURN; empty without one
  std::vector<std::string> notices;  // for people: a kind that nothing has
};

}  // namespace bound

// Calls `use` for each expression of the steps, of parts of a UNION and of a CALL { } too, and for each part of it;
// those of queries inside expressions are left out.
void for_each_expression(const std::vector<bound::Step>& steps, const std::function<void(const bound::Expr&)>& use);

// Calls `use` for an expression and each part of it; a query inside it is one part.
void for_each_part(const bound::Expr& expr, const std::function<void(const bound::Expr&)>& use);

// Slots an expression reads.
void collect_slots(const bound::Expr& expr, std::vector<Slot>& out);
// Slots that steps read or fill, those of queries inside them included as far as these read what is around them.
void collect_slots(const std::vector<bound::Step>& steps, std::vector<Slot>& out);

}  // namespace demarche::query

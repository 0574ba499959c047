// The plan: a chain of operators, each pulling rows from the one before.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "query/bind/bound.h"

namespace demarche::query::plan {

// A bound on an interaction's time taken from a condition, so that a scan can start and stop where rows can qualify.
// The condition itself stays a filter: the window only leaves out what it rules out for certain.
struct WindowTerm {
  ast::BinaryOp op = ast::BinaryOp::kBefore;  // interaction OP other
  bool possibly = false;
  bound::ExprPtr other;
};

struct SingleRow {};
// The row that an Optional around is at.
struct Argument {};
// Actors by key or name (an expression over what is bound), by label, or all.
struct ActorScan {
  enum class By : std::uint8_t { kKey, kName, kLabel, kAll };
  Slot slot = 0;
  By by = By::kAll;
  bound::ExprPtr wanted;  // kKey, kName
  std::string label;      // kLabel
  bool is_bound = false;  // the slot is filled: what stands there must be an actor
};
// One interaction by key, or all of the timeline that can qualify.
struct InteractionScan {
  Slot slot = 0;
  bound::ExprPtr key;  // null: the timeline
  bound::KindFilter kinds;
  std::vector<WindowTerm> windows;
  bool is_bound = false;  // the slot is filled: what stands there must be an interaction of these kinds
};
// Related pairs of actors with their interaction, straight from the timeline.
struct ContactScan {
  Slot left = 0;
  Slot edge = 0;
  Slot right = 0;
  ast::Direction direction = ast::Direction::kEither;
  bound::KindFilter kinds;
  std::vector<WindowTerm> windows;
  std::vector<Slot> other_edges;  // of the same MATCH: must be other interactions
};
// From a bound actor to those it was in contact with; `into`: the other end is bound too.
struct Expand {
  Slot from = 0;
  Slot edge = 0;
  Slot to = 0;
  bool into = false;
  bool reversed = false;  // walking from the pattern's right end to its left
  ast::Direction direction = ast::Direction::kEither;
  bound::KindFilter kinds;
  std::vector<WindowTerm> windows;
  std::vector<Slot> other_edges;
};
// The pairs of an interaction that is bound already; ends that are bound are compared.
struct ExpandInteraction {
  Slot left = 0;
  Slot edge = 0;
  Slot right = 0;
  bool left_bound = false;
  bool right_bound = false;
  ast::Direction direction = ast::Direction::kEither;
  bound::KindFilter kinds;
  std::vector<Slot> other_edges;
};
// From a bound actor along a repeated interaction: every walk the mode allows, or those a search asks for.
struct Walk {
  Slot from = 0;
  Slot to = 0;
  bool into = false;
  bool reversed = false;  // walking from the pattern's right end to its left
  Slot edge = 0;          // list of the interactions, from left to right
  ast::Direction direction = ast::Direction::kEither;
  bound::KindFilter kinds;
  bound::Repeat repeat;
  ast::PathMode mode = ast::PathMode::kUnsaid;
  ast::PathSearch search;
  std::vector<WindowTerm> windows;  // from the conditions on each hop
  std::vector<Slot> other_edges;    // must be other interactions; a search looks at them when it has found its paths
};
// Joins actors, interactions and walked segments; drops what the mode forbids.
struct MakePath {
  struct Part {
    Slot slot = 0;
    bool segment = false;  // a path by itself, from the actor before it to the actor after it
    Slot next = 0;         // the actor after it
  };
  Slot slot = 0;
  ast::PathMode mode = ast::PathMode::kUnsaid;
  Slot first = 0;
  std::vector<Part> parts;
};
struct Filter {
  std::vector<bound::ExprPtr> conditions;
};
struct Project {
  std::vector<bound::Assignment> items;
};
struct Aggregate {
  std::vector<bound::Assignment> keys;
  std::vector<bound::Aggregate> aggregates;
};
struct Distinct {
  std::vector<Slot> slots;
};
// limit null: all rows; else the first skip + limit in order.
struct Sort {
  std::vector<bound::SortKey> keys;
  bound::ExprPtr skip;
  bound::ExprPtr limit;
};
struct Skip {
  bound::ExprPtr count;
};
struct Limit {
  bound::ExprPtr count;
};
struct Unwind {
  Slot slot = 0;
  bound::ExprPtr list;
};
struct Create {
  bound::Create create;
};
struct Record {
  bound::Record record;
};
struct Correct {
  bound::Correct correct;
};
struct Update {
  bound::Update update;
};
struct Delete {
  bound::Delete what;
};

struct CallProcedure {
  bound::CallProcedure call;
};

struct Node;
using NodePtr = std::unique_ptr<Node>;
// Runs `inner` for each row and adds the slots it makes. optional: a row for which it finds nothing stays, with null in
// them.
struct Apply {
  NodePtr inner;            // ends in an Argument
  std::vector<Slot> given;  // slots of the row that it may read
  std::vector<Slot> made;
  bool optional = false;
};
// For each row the rows of one part after the other.
struct Union {
  std::vector<NodePtr> parts;  // each ends in an Argument
  std::vector<Slot> given;     // slots of the row that the parts may read
  std::vector<Slot> made;
};

// Runs `inner` for each row; where it finds nothing the pattern is created.
struct Merge {
  std::unique_ptr<Node> inner;  // ends in an Argument
  std::vector<Slot> made;
  bound::Create create;
  std::vector<bound::Change> on_create;
  std::vector<bound::Change> on_match;
};

// Which of the slots that a scan or an expansion fills are read later; the others may stay empty. facts: the kind and
// date of the interaction are asked for.
struct Reads {
  bool left = true;
  bool edge = true;
  bool right = true;  // of an expansion: its other end
  bool facts = true;
};

struct Node {
  std::variant<SingleRow, Argument, Apply, Merge, Union, ActorScan, InteractionScan, ContactScan, Expand,
               ExpandInteraction, Walk, CallProcedure, MakePath, Filter, Project, Aggregate, Distinct, Sort, Skip,
               Limit, Unwind, Create, Update, Delete, Record, Correct>
      op;
  std::unique_ptr<Node> input;  // null for SingleRow only
  std::vector<Slot> carried;    // slots of the input that are copied along to each row this node makes
  Reads reads;
  double rows_estimate = 1;
  double cost_estimate = 0;  // nanoseconds, of all up to here
};

// A query inside an expression.
struct Subquery {
  NodePtr root;             // ends in an Argument
  std::vector<Slot> reads;  // of the row around
  bool repeatable = false;  // answers alike for rows alike in what it reads
};

struct Plan {
  NodePtr root;
  bound::Query query;  // columns, slots, notices
  std::unordered_map<const bound::SubqueryBody*, Subquery> subqueries;
};

}  // namespace demarche::query::plan

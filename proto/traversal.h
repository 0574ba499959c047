// Sets of actors and interactions as descriptions: what a traversal says, apart from where it is answered. An embedded
// session evaluates a description itself (evaluate_*, below), a remote one sends it as a chain of calls in one go.
// Users meet it as Actors and Interactions in session.h.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "engine/chronology.h"
#include "engine/contact_scan.h"
#include "engine/model.h"
#include "engine/result.h"
#include "engine/store.h"

namespace demarche::proto {

// A point of comparison: a date as a person writes it, whose year, month or day is the whole period, or the date of an
// interaction, by key.
struct Moment {
  enum class Kind : std::uint8_t { kNone, kDate, kInteraction };
  Kind kind = Kind::kNone;
  std::string text = {};
  [[nodiscard]] static Moment date(std::string edtf) { return {Kind::kDate, std::move(edtf)}; }
  [[nodiscard]] static Moment of(std::string interaction_key) {
    return {Kind::kInteraction, std::move(interaction_key)};
  }
};

enum class StatusFilter : std::uint8_t { kHeld, kNotHeld, kAny };

// All that is given must hold. Roles are those of the actor a set began with.
struct Filter {
  std::vector<std::string> kinds = {};  // a kind stands for all below it
  Moment before = {};
  Moment after = {};
  Moment during = {};
  Moment overlaps = {};
  bool possible = false;  // keep what holds under some reading of the dates; default: under every one
  std::vector<Role> roles = {};
  StatusFilter status = StatusFilter::kHeld;
};

struct ReachOptions {
  ChronologyMode mode = ChronologyMode::kDefault;
  std::vector<std::string> kinds = {};  // none: CONTACT and all below
  Moment after = {};
  Moment before = {};
  std::uint32_t hops_max = 0;  // 0: any number
};

enum class SetOperation : std::uint8_t { kUnion, kIntersection, kDifference };

struct ActorExpr;
struct InteractionExpr;
using ActorExprPtr = std::shared_ptr<const ActorExpr>;
using InteractionExprPtr = std::shared_ptr<const InteractionExpr>;

struct ActorExpr {
  struct Named {
    std::string name;
  };
  struct ById {
    ActorId id;
  };
  struct Labelled {  // "": all actors
    std::string label;
  };
  struct Counterparts {
    InteractionExprPtr of;
  };
  struct Participants {
    InteractionExprPtr of;
    std::vector<Role> roles;
  };
  struct Reached {
    ActorExprPtr from;
    ReachOptions options;
  };
  struct WithLabel {
    ActorExprPtr of;
    std::string label;
  };
  struct Combined {
    SetOperation operation;
    ActorExprPtr a;
    ActorExprPtr b;
  };
  std::variant<Named, ById, Labelled, Counterparts, Participants, Reached, WithLabel, Combined> node;
  std::size_t depth = 1;
};

struct InteractionExpr {
  struct Keyed {
    std::string key;
  };
  struct ById {
    InteractionId id;
  };
  struct Everything {
    Filter filter;
  };
  struct Of {  // in which a member of `actors` takes part or, if `in_contact`, was in contact
    ActorExprPtr actors;
    Filter filter;
    bool in_contact = true;
  };
  struct Only {
    InteractionExprPtr of;
    Filter filter;
  };
  struct Combined {
    SetOperation operation;
    InteractionExprPtr a;
    InteractionExprPtr b;
  };
  std::variant<Keyed, ById, Everything, Of, Only, Combined> node;
  std::size_t depth = 1;
};

// Deeper descriptions are refused: they are walked by recursion.
inline constexpr std::size_t kDepthMax = 64;

[[nodiscard]] ActorExprPtr make_expr(ActorExpr expr);  // fills in the depth
[[nodiscard]] InteractionExprPtr make_expr(InteractionExpr expr);

struct EvaluationLimits {
  const std::atomic<bool>* cancel = nullptr;
  std::chrono::milliseconds time_max{std::chrono::minutes(10)};
  std::size_t members_max = 50'000'000;  // of all sets on the way together
};

// Ascending by id. Each part of a description is evaluated once, however often it occurs.
// Errors: kNotFound for an actor, interaction or kind that is not there, kInvalidArgument for what is no date or too
// deep, kLimit, kCancelled; kCorruption, kIo.
[[nodiscard]] Result<std::vector<ActorId>> evaluate(const View& view, const ActorExprPtr& expr,
                                                    const EvaluationLimits& limits);
[[nodiscard]] Result<std::vector<InteractionId>> evaluate(const View& view, const InteractionExprPtr& expr,
                                                          const EvaluationLimits& limits);

// Every pair in contact within every member as columns, in no order. Whole stores are streamed from the index. Give the
// description once, then call next() until it gives no lines.
class LineScan {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LineScan>> open(std::shared_ptr<const View> view,
                                                              const InteractionExprPtr& expr,
                                                              const EvaluationLimits& limits);
  ~LineScan();
  LineScan(const LineScan&) = delete;
  LineScan& operator=(const LineScan&) = delete;
  // Replaces `lines`, all columns filled, some ten thousand at a time. None: the end.
  [[nodiscard]] Result<void> next(ContactLines& lines);

 private:
  struct State;
  explicit LineScan(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The chronological options that a reach or path means in this state.
[[nodiscard]] Result<ChronologyOptions> resolve(const View& view, const ReachOptions& options);

}  // namespace demarche::proto

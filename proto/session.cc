#include "proto/session.h"

#include <utility>

namespace demarche::proto {

// ---- sets: each step makes a longer description

Interactions Actors::contacts(Filter filter) const {
  return {state_, make_expr(InteractionExpr{InteractionExpr::Of{expr_, std::move(filter), true}})};
}
Interactions Actors::interactions(Filter filter) const {
  return {state_, make_expr(InteractionExpr{InteractionExpr::Of{expr_, std::move(filter), false}})};
}
Actors Actors::reach(ReachOptions options) const {
  return {state_, make_expr(ActorExpr{ActorExpr::Reached{expr_, std::move(options)}})};
}
Actors Actors::with_label(std::string label) const {
  return {state_, make_expr(ActorExpr{ActorExpr::WithLabel{expr_, std::move(label)}})};
}
Actors Actors::combined(SetOperation operation, const Actors& other) const {
  return {state_, make_expr(ActorExpr{ActorExpr::Combined{operation, expr_, other.expr_}})};
}
Actors Actors::united(const Actors& other) const { return combined(SetOperation::kUnion, other); }
Actors Actors::common(const Actors& other) const { return combined(SetOperation::kIntersection, other); }
Actors Actors::without(const Actors& other) const { return combined(SetOperation::kDifference, other); }
Result<std::uint64_t> Actors::count() const { return state_->count(expr_); }
Result<ActorPage> Actors::page(const PageOptions& options) const { return state_->page(expr_, options); }

Interactions Interactions::only(Filter filter) const {
  return {state_, make_expr(InteractionExpr{InteractionExpr::Only{expr_, std::move(filter)}})};
}
Actors Interactions::counterparts() const { return {state_, make_expr(ActorExpr{ActorExpr::Counterparts{expr_}})}; }
Actors Interactions::participants(std::vector<Role> roles) const {
  return {state_, make_expr(ActorExpr{ActorExpr::Participants{expr_, std::move(roles)}})};
}
Interactions Interactions::combined(SetOperation operation, const Interactions& other) const {
  return {state_, make_expr(InteractionExpr{InteractionExpr::Combined{operation, expr_, other.expr_}})};
}
Interactions Interactions::united(const Interactions& other) const { return combined(SetOperation::kUnion, other); }
Interactions Interactions::common(const Interactions& other) const {
  return combined(SetOperation::kIntersection, other);
}
Interactions Interactions::without(const Interactions& other) const {
  return combined(SetOperation::kDifference, other);
}
Result<std::uint64_t> Interactions::count() const { return state_->count(expr_); }
Result<InteractionPage> Interactions::page(const PageOptions& options) const { return state_->page(expr_, options); }
Result<std::unique_ptr<Lines>> Interactions::lines() const { return state_->lines(expr_); }

Actors Snapshot::actor(std::string name) {
  return {shared_from_this(), make_expr(ActorExpr{ActorExpr::Named{std::move(name)}})};
}
Actors Snapshot::actor(ActorId id) { return {shared_from_this(), make_expr(ActorExpr{ActorExpr::ById{id}})}; }
Actors Snapshot::actors(std::string label) {
  return {shared_from_this(), make_expr(ActorExpr{ActorExpr::Labelled{std::move(label)}})};
}
Interactions Snapshot::interaction(std::string key) {
  return {shared_from_this(), make_expr(InteractionExpr{InteractionExpr::Keyed{std::move(key)}})};
}
Interactions Snapshot::interaction(InteractionId id) {
  return {shared_from_this(), make_expr(InteractionExpr{InteractionExpr::ById{id}})};
}
Interactions Snapshot::interactions(Filter filter) {
  return {shared_from_this(), make_expr(InteractionExpr{InteractionExpr::Everything{std::move(filter)}})};
}

bool is_remote(std::string_view address) {
  return address.starts_with("demarche://") || address.starts_with("demarche+tls://") ||
         address.starts_with("demarche+unix:");
}

}  // namespace demarche::proto

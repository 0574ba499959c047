#include "query/bind/check_types.h"

#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>

#include "query/parse/lexer.h"

namespace demarche::query {

namespace {

using K = ValueKind;

bool one_of(std::optional<ValueKind> kind, std::initializer_list<ValueKind> kinds) {
  return kind && std::find(kinds.begin(), kinds.end(), *kind) != kinds.end();
}

bool is_plain(std::optional<ValueKind> kind) { return one_of(kind, {K::kBoolean, K::kInteger, K::kFloat, K::kString}); }

// Kinds that a function never takes as its first argument.
bool refuses(FunctionId id, ValueKind kind) {
  const bool record = kind == K::kActor || kind == K::kInteraction;
  switch (id) {
    case FunctionId::kLength:
    case FunctionId::kNodes:
    case FunctionId::kRelationships:
      return record || is_plain(kind) || kind == K::kList || kind == K::kMap;
    case FunctionId::kType:
      return kind == K::kActor || kind == K::kPath;
    case FunctionId::kLabels:
      return kind == K::kPath;
    case FunctionId::kProperties:
    case FunctionId::kKeys:
      return is_plain(kind) || kind == K::kList || kind == K::kPath;
    case FunctionId::kSize:
      return record || kind == K::kPath;
    case FunctionId::kStartNode:
    case FunctionId::kEndNode:
    case FunctionId::kParticipants:
    case FunctionId::kClaims:
      return kind == K::kActor || kind == K::kPath || is_plain(kind);
    case FunctionId::kOffices:
    case FunctionId::kOffice:
    case FunctionId::kMemberships:
    case FunctionId::kNames:
      return kind == K::kInteraction || kind == K::kPath || is_plain(kind);
    default:
      return false;
  }
}

}  // namespace

std::optional<ValueKind> sure_kind(const bound::Expr& expr, const BindContext& context) {
  if (const auto* constant = std::get_if<bound::Constant>(&expr.node))
    return constant->value.is_null() ? std::nullopt : std::optional(constant->value.kind());
  if (const auto* ref = std::get_if<bound::SlotRef>(&expr.node)) {
    const auto& kinds = context.query->sure_kinds;
    const auto it = kinds.find(ref->slot);
    return it == kinds.end() ? std::nullopt : std::optional(it->second);
  }
  if (std::holds_alternative<bound::ListOf>(expr.node)) return K::kList;
  if (std::holds_alternative<bound::MapOf>(expr.node)) return K::kMap;
  if (std::holds_alternative<bound::Compare>(expr.node)) return K::kBoolean;
  if (const auto* scan = std::get_if<bound::ListScan>(&expr.node))
    return scan->kind == ast::ListScan::Kind::kComprehension ? K::kList : K::kBoolean;
  return std::nullopt;
}

void note_kind(Slot slot, std::optional<ValueKind> kind, const BindContext& context) {
  if (kind) context.query->sure_kinds.insert_or_assign(slot, *kind);
}

Result<void> check_property(const bound::Expr& object, Span span, const BindContext& context) {
  const auto kind = sure_kind(object, context);
  if (is_plain(kind) || kind == K::kList)
    return fault("TypeError", "InvalidArgumentType", span, fmt::format("{} has no properties", a_kind(*kind)));
  if (kind == K::kPath) {
    return fault("SyntaxError", "InvalidArgumentType", span,
                 "a path has no properties; ask its nodes() or relationships()");
  }
  return {};
}

Result<void> check_index(const bound::Expr& object, Span span, const BindContext& context) {
  const auto kind = sure_kind(object, context);
  if (!is_plain(kind)) return {};
  return fault("TypeError", "InvalidArgumentType", span, fmt::format("{} has no elements", a_kind(*kind)));
}

Result<void> check_operands(ast::BinaryOp op, const bound::Expr& left, const bound::Expr& right, Span span,
                            const BindContext& context) {
  const auto a = sure_kind(left, context);
  const auto b = sure_kind(right, context);
  if (op == ast::BinaryOp::kIn) {
    if (!b || *b == K::kList) return {};
    return fault("SyntaxError", "InvalidArgumentType", right.span,
                 fmt::format("IN takes a list, found {}", a_kind(*b)));
  }
  const bool arithmetic = op == ast::BinaryOp::kSubtract || op == ast::BinaryOp::kMultiply ||
                          op == ast::BinaryOp::kDivide || op == ast::BinaryOp::kModulo || op == ast::BinaryOp::kPower;
  if (!arithmetic) return {};
  for (const auto& kind : {a, b}) {
    if (!one_of(kind, {K::kString, K::kBoolean, K::kList, K::kMap, K::kActor, K::kInteraction, K::kPath})) continue;
    return fault("SyntaxError", "InvalidArgumentType", span, fmt::format("{} is no number", a_kind(*kind)));
  }
  return {};
}

Result<void> check_arguments(const bound::Function& call, Span span, const BindContext& context) {
  if (call.arguments.empty()) return {};
  const auto kind = sure_kind(*call.arguments[0], context);
  if (!kind || !refuses(call.def->id, *kind)) return {};
  return fault("SyntaxError", "InvalidArgumentType", span,
               fmt::format("{} does not take {}", call.def->signature, a_kind(*kind)));
}

}  // namespace demarche::query

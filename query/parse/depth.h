// How deep an expression tree is, so that the parser can refuse one that later stages would overflow the stack on.
#pragma once

#include <algorithm>
#include <cstdint>

#include "query/parse/ast.h"

namespace demarche::query::ast {

// How deep the tree below a node is. Chains of operators lean to the left, so that a long one is a deep one.
inline std::uint32_t depth_below(const ExprPtr& child) { return child ? child->depth : 0; }
template <typename... Rest>
std::uint32_t depth_below(const ExprPtr& first, const Rest&... rest) {
  return std::max(depth_below(first), depth_below(rest...));
}
inline std::uint32_t depth_below(const Unary& n) { return depth_below(n.operand); }
inline std::uint32_t depth_below(const PropertyOf& n) { return depth_below(n.object); }
inline std::uint32_t depth_below(const Binary& n) { return depth_below(n.left, n.right); }
inline std::uint32_t depth_below(const ElementAt& n) { return depth_below(n.object, n.index); }
inline std::uint32_t depth_below(const SliceOf& n) { return depth_below(n.object, n.from, n.to); }
inline std::uint32_t depth_below(const HasLabels& n) { return depth_below(n.subject); }
inline std::uint32_t depth_below(const ListScan& n) { return depth_below(n.list, n.condition, n.result); }
inline std::uint32_t depth_below(const Reduce& n) { return depth_below(n.start, n.list, n.step); }
inline std::uint32_t depth_below(const Subquery& n) { return n.depth; }
inline std::uint32_t depth_below(const Comparison& n) {
  std::uint32_t out = depth_below(n.first);
  for (const auto& [op, operand] : n.rest) out = std::max(out, depth_below(operand));
  return out + static_cast<std::uint32_t>(n.rest.size());  // bound as a chain of ANDs
}
inline std::uint32_t depth_below(const Call& n) {
  std::uint32_t out = 0;
  for (const ExprPtr& child : n.arguments) out = std::max(out, depth_below(child));
  return out;
}
inline std::uint32_t depth_below(const ListOf& n) {
  std::uint32_t out = 0;
  for (const ExprPtr& child : n.items) out = std::max(out, depth_below(child));
  return out;
}
inline std::uint32_t depth_below(const MapOf& n) {
  std::uint32_t out = 0;
  for (const auto& [key, child] : n.entries) out = std::max(out, depth_below(child));
  return out;
}
inline std::uint32_t depth_below(const CaseOf& n) {
  std::uint32_t out = depth_below(n.subject, n.otherwise);
  for (const auto& [condition, result] : n.branches) out = std::max(out, depth_below(condition, result));
  return out;
}
template <typename Leaf>
std::uint32_t depth_below(const Leaf&) {
  return 0;
}

}  // namespace demarche::query::ast

// Binds the patterns of one MATCH.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/result.h"
#include "query/bind/bind_expression.h"
#include "query/bind/bound.h"
#include "query/bind/scope.h"
#include "query/parse/ast.h"

namespace demarche::query {

class MatchBinder {
 public:
  // Names that the patterns make are added to `scope`. `new_names` false: a pattern used as a condition, which may only
  // use the names that are there.
  MatchBinder(Scope& scope, const BindContext& context, bool new_names = true)
      : scope_(scope), context_(context), new_names_(new_names) {}

  [[nodiscard]] Result<bound::Match> run(const ast::Match& node);
  // One path by itself, as MERGE looks for it.
  [[nodiscard]] Result<bound::Match> run(const ast::PathPattern& pattern);

 private:
  [[nodiscard]] Result<void> bind_lone(const ast::PathPattern& pattern);
  [[nodiscard]] Result<void> bind_path(const ast::PathPattern& pattern);
  [[nodiscard]] Result<void> bind_edge(const ast::PathPattern& pattern, std::size_t i, bound::PathVariable& path);
  // -[c:K {..} WHERE ..]-{1,4}: a list of interactions, with conditions on each of them.
  [[nodiscard]] Result<void> bind_repeat(const ast::PathPattern& pattern, const ast::InteractionPattern& p,
                                         bound::InteractionEdge& edge);
  [[nodiscard]] static Result<void> check_search(const ast::PathPattern& pattern);
  [[nodiscard]] Result<void> check_chronological(const ast::PathPattern& pattern) const;
  [[nodiscard]] Result<std::size_t> bind_actor(const ast::ActorPattern& actor);
  [[nodiscard]] Result<void> bind_where(const ast::ExprPtr& where, const Scope& scope,
                                        std::vector<bound::ExprPtr>& conditions) const;
  // {key: value, ...} means that each property equals its value.
  [[nodiscard]] Result<void> bind_property_map(Slot slot, const ast::ExprPtr& properties,
                                               std::vector<bound::ExprPtr>& conditions) const;
  [[nodiscard]] Result<Variable> variable_for(const std::string& name, SlotType type, Span span);
  // Was it made elsewhere and may be no actor or interaction at all?
  [[nodiscard]] bool is_unsure(const Variable& variable) const;
  [[nodiscard]] bound::KindFilter resolve_kinds(const std::optional<ast::LabelExpr>& expr);
  void note_unknown_kinds(const ast::LabelExpr& expr);

  Scope& scope_;
  const BindContext& context_;
  bool new_names_;
  bound::Match out_;
  std::unordered_set<std::string> own_edges_;
  std::unordered_map<Slot, std::size_t> matched_actors_;  // slot to index
};

// Cuts a condition at its ANDs, so that each part can be tested as soon as what it reads is there.
void split_conjuncts(const bound::ExprPtr& expr, std::vector<bound::ExprPtr>& out);
[[nodiscard]] const char* type_text(SlotType type);

}  // namespace demarche::query

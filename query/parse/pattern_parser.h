// Rules for patterns: actors, interactions, paths and what is asked of them, labels.
#pragma once

#include <vector>

#include "query/parse/token_reader.h"

namespace demarche::query {

class PatternParser : public TokenReader {
 public:
  using TokenReader::TokenReader;

 protected:
  ~PatternParser() = default;

  [[nodiscard]] virtual Result<ast::ExprPtr> parse_expression() = 0;
  [[nodiscard]] virtual Result<ast::ExprPtr> parse_postfix() = 0;
  [[nodiscard]] virtual Result<ast::ExprPtr> parse_atom() = 0;
  [[nodiscard]] virtual Result<ast::ExprPtr> parse_map() = 0;
  [[nodiscard]] Result<ast::ExprPtr> parse_where();

  [[nodiscard]] Result<std::vector<ast::PathPattern>> parse_patterns();
  [[nodiscard]] Result<ast::PathPattern> parse_path();
  // actor { interaction actor }
  [[nodiscard]] Result<void> parse_chain(ast::PathPattern& out);
  [[nodiscard]] Result<ast::LabelExpr> parse_labels();

  // In [x IN list WHERE x:A | f] the last bar outside of inner brackets ends the condition, and is no "or" of labels.
  // Sets whether that is so for as long as it lives.
  class BarEnds {
   public:
    BarEnds(bool& flag, bool value) : flag_(flag), before_(flag) { flag_ = value; }
    ~BarEnds() { flag_ = before_; }
    BarEnds(const BarEnds&) = delete;
    BarEnds& operator=(const BarEnds&) = delete;

   private:
    bool& flag_;
    bool before_;
  };
  bool bar_ends_ = false;

 private:
  [[nodiscard]] bool at_last_bar() const;
  // ANY | ALL, SHORTEST k, EARLIEST, CHRONOLOGICAL, WALK | TRAIL | ACYCLIC | SIMPLE, PATH
  [[nodiscard]] Result<void> parse_prefix(ast::PathPattern& out);
  [[nodiscard]] Result<void> parse_search(ast::PathSearch& out);
  [[nodiscard]] Result<void> parse_time_mode(ast::PathSearch& out);
  // shortestPath(...) and allShortestPaths(...)
  [[nodiscard]] Result<ast::PathPattern> parse_shortest_function();
  [[nodiscard]] Result<ast::ActorPattern> parse_actor();
  // -[...]->, <-[...]-, -[...]-, -->, <--, --, each with a quantifier behind it
  [[nodiscard]] Result<ast::InteractionPattern> parse_interaction();
  [[nodiscard]] Result<ast::InteractionPattern> parse_interaction_filler();
  // *, *2, *1..4 inside the bracket
  [[nodiscard]] Result<ast::Quantifier> parse_star();
  // +, *, {2}, {1,4} behind it; nullopt if none stands here
  [[nodiscard]] Result<std::optional<ast::Quantifier>> parse_quantifier_suffix();
  [[nodiscard]] Result<std::uint32_t> parse_hops();
  [[nodiscard]] Result<ast::LabelExpr> parse_label_and();
  [[nodiscard]] Result<ast::LabelExpr> parse_label_not();
  ast::LabelExpr combine(ast::LabelExpr::Op op, ast::LabelExpr left, ast::LabelExpr right);
};

}  // namespace demarche::query

#include "query/parse/pattern_parser.h"

#include <charconv>
#include <limits>

namespace demarche::query {

using namespace ast;  // NOLINT(google-build-using-namespace): this file builds nothing else

Result<ExprPtr> PatternParser::parse_where() {
  if (!take_word("WHERE")) return ExprPtr();
  return parse_expression();
}

Result<std::vector<PathPattern>> PatternParser::parse_patterns() {
  std::vector<PathPattern> out;
  std::size_t steps = 0;
  do {
    DEMARCHE_TRY(PathPattern pattern, parse_path());
    out.push_back(std::move(pattern));
    steps += out.back().actors.size() + out.back().interactions.size();
    if (steps > kPatternStepsMax) {
      return syntax_error("QueryTooLong", out.back().span,
                          fmt::format("more than {} actors and interactions in one clause", kPatternStepsMax));
    }
  } while (take_symbol(","));
  return out;
}

Result<PathPattern> PatternParser::parse_path() {
  PathPattern out;
  const std::size_t first = at_;
  if (is_name() && is_symbol("=", 1)) {
    out.variable = take().text;
    take();
  }
  if ((is_word("shortestPath") || is_word("allShortestPaths")) && is_symbol("(", 1)) {
    DEMARCHE_TRY(PathPattern inner, parse_shortest_function());
    inner.variable = std::move(out.variable);
    inner.span = span_from(first);
    return inner;
  }
  DEMARCHE_CHECK(parse_prefix(out));
  if (is_symbol("[")) {
    DEMARCHE_TRY(InteractionPattern interaction, parse_interaction_filler());
    if (interaction.quantifier) {
      return syntax_error("InvalidRelationshipPattern", interaction.quantifier->span,
                          "an interaction alone is not repeated; write it between two actors");
    }
    out.interactions.push_back(std::move(interaction));
    out.span = span_from(first);
    return out;
  }
  DEMARCHE_CHECK(parse_chain(out));
  out.span = span_from(first);
  return out;
}

Result<void> PatternParser::parse_chain(PathPattern& out) {
  DEMARCHE_TRY(ActorPattern actor, parse_actor());
  out.actors.push_back(std::move(actor));
  while (is_symbol("-") || is_symbol("<-") || is_symbol("->")) {
    DEMARCHE_TRY(InteractionPattern interaction, parse_interaction());
    out.interactions.push_back(std::move(interaction));
    DEMARCHE_ASSIGN(actor, parse_actor());
    out.actors.push_back(std::move(actor));
  }
  return {};
}

Result<PathPattern> PatternParser::parse_shortest_function() {
  const std::size_t first = at_;
  PathPattern out;
  const bool all = same_word(take().text, "allShortestPaths");
  take();  // the bracket
  out.search.kind = all ? PathSearch::Kind::kShortestGroups : PathSearch::Kind::kShortest;
  out.search.span = tokens_[first].span;
  DEMARCHE_CHECK(parse_chain(out));
  DEMARCHE_CHECK(need_symbol(")", "to end the path"));
  return out;
}

Result<void> PatternParser::parse_prefix(PathPattern& out) {
  const std::size_t first = at_;
  DEMARCHE_CHECK(parse_search(out.search));
  DEMARCHE_CHECK(parse_time_mode(out.search));
  constexpr std::pair<const char*, PathMode> kModes[] = {{"WALK", PathMode::kWalk},
                                                         {"TRAIL", PathMode::kTrail},
                                                         {"ACYCLIC", PathMode::kAcyclic},
                                                         {"SIMPLE", PathMode::kSimple}};
  for (const auto& [word, mode] : kModes) {
    if (take_word(word)) out.mode = mode;
  }
  if (at_ == first) return {};
  if (!take_word("PATHS")) (void)take_word("PATH");  // a filling word
  if (out.search.kind == PathSearch::Kind::kShortestGroups && (take_word("GROUPS") || take_word("GROUP"))) return {};
  if (out.search.kind == PathSearch::Kind::kShortest && (take_word("GROUPS") || take_word("GROUP"))) {
    out.search.kind = PathSearch::Kind::kShortestGroups;
  }
  return {};
}

Result<void> PatternParser::parse_search(PathSearch& out) {
  const std::size_t first = at_;
  const auto take_count = [&]() -> Result<void> {
    if (peek().kind != TokenKind::kInteger) return {};
    DEMARCHE_ASSIGN(out.count, parse_hops());
    if (out.count > 0) return {};
    return syntax_error("InvalidArgumentType", span_from(first), "SHORTEST 0 finds nothing; ask for 1 at least");
  };
  const auto unsupported = [&](std::string_view word) {
    return syntax_error("UnsupportedFeature", span_from(first),
                        fmt::format("{} is not in this version; ANY EARLIEST is", word));
  };
  if (take_word("ALL")) {
    if (take_word("SHORTEST")) out.kind = PathSearch::Kind::kShortestGroups;
    if (take_word("EARLIEST")) return unsupported("ALL EARLIEST");
  } else if (take_word("ANY")) {
    out.kind = PathSearch::Kind::kShortest;  // any will do, so a shortest one will
    if (take_word("EARLIEST")) {
      out.kind = PathSearch::Kind::kEarliest;
    } else if (!take_word("SHORTEST")) {
      DEMARCHE_CHECK(take_count());
    }
  } else if (take_word("SHORTEST")) {
    out.kind = PathSearch::Kind::kShortest;
    DEMARCHE_CHECK(take_count());
  }
  for (const char* word : {"LATEST", "FASTEST", "EARLIEST"}) {
    if (take_word(word)) return unsupported(word);
  }
  out.span = span_from(first);
  return {};
}

Result<void> PatternParser::parse_time_mode(PathSearch& out) {
  const std::size_t first = at_;
  out.possibly = take_word("POSSIBLY");
  const bool chronological = out.possibly ? true : is_word("CHRONOLOGICAL");
  if (!chronological) {
    if (out.kind != PathSearch::Kind::kEarliest) return {};
    return expected("CHRONOLOGICAL, or POSSIBLY CHRONOLOGICAL, after EARLIEST");
  }
  DEMARCHE_CHECK(need_word("CHRONOLOGICAL"));
  out.strict = take_word("STRICT");
  if (out.possibly && out.strict) {
    return syntax_error("InvalidArgumentType", span_from(first),
                        "POSSIBLY and STRICT exclude each other: in order under some reading, or under every one");
  }
  if (is_word("WITHIN")) {
    return syntax_error("UnsupportedFeature", peek().span, "WITHIN is not in this version");
  }
  if (out.kind == PathSearch::Kind::kEarliest) return {};
  return syntax_error("UnsupportedFeature", span_from(first),
                      "CHRONOLOGICAL is in this version with ANY EARLIEST before it only");
}

Result<ActorPattern> PatternParser::parse_actor() {
  ActorPattern out;
  const std::size_t first = at_;
  DEMARCHE_CHECK(need_symbol("(", "to begin an actor, as in (a:Person)"));
  if (is_symbol("(")) {
    return syntax_error("UnsupportedFeature", peek().span,
                        "a part of a path in brackets is not in this version; repeat one interaction, -[:K]-{1,4}");
  }
  if (is_name() && !(is_word("WHERE") && !is_symbol(")", 1) && !is_symbol(":", 1) && !is_symbol("{", 1)))
    out.variable = take().text;
  if (take_symbol(":")) DEMARCHE_ASSIGN(out.labels, parse_labels());
  if (is_symbol("{")) DEMARCHE_ASSIGN(out.properties, parse_map());
  if (peek().kind == TokenKind::kParameter) DEMARCHE_ASSIGN(out.properties, parse_atom());
  DEMARCHE_ASSIGN(out.where, parse_where());
  DEMARCHE_CHECK(need_symbol(")", "to end the actor"));
  out.span = span_from(first);
  return out;
}

Result<InteractionPattern> PatternParser::parse_interaction() {
  const std::size_t first = at_;
  bool left = false;
  bool right = false;
  InteractionPattern out;
  if (take_symbol("<-")) {
    left = true;
  } else if (!take_symbol("-")) {
    return expected("'-' or '<-' before an interaction, which is written --> at its shortest");
  }
  if (is_symbol("[")) DEMARCHE_ASSIGN(out, parse_interaction_filler());
  if (take_symbol("->")) {
    right = true;
  } else if (!take_symbol("-")) {
    return expected("'-' or '->' to end the interaction");
  }
  // <-[..]-> asks for either direction, like no arrow at all.
  out.direction = left == right ? Direction::kEither : (left ? Direction::kLeft : Direction::kRight);
  out.span = span_from(first);
  DEMARCHE_TRY(const std::optional<Quantifier> suffix, parse_quantifier_suffix());
  if (!suffix) return out;
  if (out.quantifier) {
    return syntax_error("InvalidRelationshipPattern", suffix->span,
                        "the repetition is said twice; leave out the * in the bracket or what follows it");
  }
  out.quantifier = suffix;
  return out;
}

Result<InteractionPattern> PatternParser::parse_interaction_filler() {
  InteractionPattern out;
  const std::size_t first = at_;
  const BarEnds bar(bar_ends_, false);
  DEMARCHE_CHECK(need_symbol("[", "to begin an interaction"));
  if (is_name() && !(is_word("WHERE") && !is_symbol("]", 1) && !is_symbol(":", 1) && !is_symbol("{", 1)))
    out.variable = take().text;
  if (take_symbol(":")) DEMARCHE_ASSIGN(out.kinds, parse_labels());
  if (is_symbol("*")) DEMARCHE_ASSIGN(out.quantifier, parse_star());
  if (is_symbol("..")) {
    return syntax_error("InvalidRelationshipPattern", peek().span, "a number of hops begins with *, as in *1..4");
  }
  if (is_symbol("{")) DEMARCHE_ASSIGN(out.properties, parse_map());
  if (peek().kind == TokenKind::kParameter) DEMARCHE_ASSIGN(out.properties, parse_atom());
  DEMARCHE_ASSIGN(out.where, parse_where());
  DEMARCHE_CHECK(need_symbol("]", "to end the interaction"));
  out.span = span_from(first);
  return out;
}

Result<std::uint32_t> PatternParser::parse_hops() {
  const Token& token = peek();
  std::uint32_t out = 0;
  const char* end = token.text.data() + token.text.size();
  const auto [stop, error] = std::from_chars(token.text.data(), end, out);
  if (token.kind != TokenKind::kInteger || error != std::errc() || stop != end) {
    return syntax_error(
        "InvalidRelationshipPattern", token.span,
        fmt::format("expected a number from 0 to {}, {}", std::numeric_limits<std::uint32_t>::max(), found()));
  }
  take();
  return out;
}

Result<Quantifier> PatternParser::parse_star() {
  Quantifier out;
  const std::size_t first = at_;
  take();
  const bool has_min = peek().kind == TokenKind::kInteger || is_symbol("-");
  if (has_min) DEMARCHE_ASSIGN(out.hops_min, parse_hops());
  if (take_symbol("..")) {
    if (peek().kind == TokenKind::kInteger || is_symbol("-")) DEMARCHE_ASSIGN(out.hops_max, parse_hops());
  } else if (has_min) {
    out.hops_max = out.hops_min;
  }
  out.span = span_from(first);
  return out;
}

Result<std::optional<Quantifier>> PatternParser::parse_quantifier_suffix() {
  Quantifier out;
  const std::size_t first = at_;
  if (take_symbol("*")) {
    out.hops_min = 0;
  } else if (take_symbol("{")) {
    out.hops_min = 0;
    const bool has_min = !is_symbol(",");
    if (has_min) DEMARCHE_ASSIGN(out.hops_min, parse_hops());
    if (!take_symbol(",")) {
      out.hops_max = out.hops_min;
    } else if (!is_symbol("}")) {
      DEMARCHE_ASSIGN(out.hops_max, parse_hops());
    }
    DEMARCHE_CHECK(need_symbol("}", "to end the number of hops"));
  } else if (!take_symbol("+")) {
    return std::nullopt;
  }
  out.span = span_from(first);
  if (out.hops_max && *out.hops_max < out.hops_min) {
    return syntax_error("InvalidRelationshipPattern", out.span, "the least number of hops is above the greatest");
  }
  return out;
}

bool PatternParser::at_last_bar() const {
  if (!is_symbol("|")) return false;
  int depth = 0;
  for (std::size_t i = at_ + 1; i < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    if (token.kind != TokenKind::kSymbol) continue;
    if (token.text == "(" || token.text == "[" || token.text == "{") ++depth;
    if ((token.text == ")" || token.text == "]" || token.text == "}") && --depth < 0) return token.text == "]";
    if (token.text == "|" && depth == 0) return false;
  }
  return false;
}

Result<LabelExpr> PatternParser::parse_labels() {
  const Nesting nesting(depth_);
  DEMARCHE_CHECK(check_depth());
  DEMARCHE_TRY(LabelExpr out, parse_label_and());
  while (!(bar_ends_ && at_last_bar()) && take_symbol("|")) {
    DEMARCHE_CHECK(check_depth());
    (void)take_symbol(":");  // the old form A|:B
    DEMARCHE_TRY(LabelExpr right, parse_label_and());
    out = combine(LabelExpr::Op::kOr, std::move(out), std::move(right));
  }
  return out;
}

Result<LabelExpr> PatternParser::parse_label_and() {
  DEMARCHE_TRY(LabelExpr out, parse_label_not());
  while (take_symbol("&") || take_symbol(":")) {
    DEMARCHE_CHECK(check_depth());
    DEMARCHE_TRY(LabelExpr right, parse_label_not());
    out = combine(LabelExpr::Op::kAnd, std::move(out), std::move(right));
  }
  return out;
}

Result<LabelExpr> PatternParser::parse_label_not() {
  const Nesting nesting(depth_);
  DEMARCHE_CHECK(check_depth());
  LabelExpr out;
  out.span = peek().span;
  if (take_symbol("!")) {
    out.op = LabelExpr::Op::kNot;
    DEMARCHE_TRY(LabelExpr operand, parse_label_not());
    out.operands.push_back(std::move(operand));
    return out;
  }
  if (take_symbol("%")) return out;
  if (take_symbol("(")) {
    DEMARCHE_ASSIGN(out, parse_labels());
    DEMARCHE_CHECK(need_symbol(")", "to end the label expression"));
    return out;
  }
  out.op = LabelExpr::Op::kName;
  DEMARCHE_ASSIGN(out.name, need_name("a label or kind"));
  return out;
}

LabelExpr PatternParser::combine(LabelExpr::Op op, LabelExpr left, LabelExpr right) {
  tree_depth_ += 4;  // a chain of labels leans to the left too; an upper bound will do
  LabelExpr out;
  out.op = op;
  out.span = join(left.span, right.span);
  out.operands.push_back(std::move(left));
  out.operands.push_back(std::move(right));
  return out;
}

}  // namespace demarche::query

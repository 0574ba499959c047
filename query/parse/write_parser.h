// Rules for SET, REMOVE, DELETE and MERGE.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "query/parse/pattern_parser.h"

namespace demarche::query {

class WriteParser : public PatternParser {
 public:
  using PatternParser::PatternParser;

 protected:
  using Node = std::variant<ast::Update, ast::Delete, ast::Merge>;

  ~WriteParser() = default;

  // nullopt, with nothing taken, if none of these clauses begins here.
  [[nodiscard]] Result<std::optional<Node>> parse_write();

 private:
  [[nodiscard]] Result<std::vector<ast::Change>> parse_changes();
  // a.key = value, a = map, a += map, a:Label
  [[nodiscard]] Result<ast::Change> parse_change();
  [[nodiscard]] Result<ast::Update> parse_remove();
  [[nodiscard]] Result<ast::Delete> parse_delete();
  [[nodiscard]] Result<ast::Merge> parse_merge();
};

}  // namespace demarche::query

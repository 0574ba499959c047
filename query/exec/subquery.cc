#include "query/exec/subquery.h"

#include <utility>

#include "query/exec/operators.h"

namespace demarche::query {

Result<Value> evaluate_subquery(const bound::Subquery& subquery, const Batch& argument, ExecContext& context) {
  using Kind = ast::Subquery::Kind;
  const plan::Node& inner = context.subquery_plan(*subquery.body);
  const std::size_t held_before = context.rows_held();
  const OperatorPtr root = make_operator(inner, argument.columns.size(), context, &argument);
  Batch rows(argument.columns.size());
  ValueList list;
  std::int64_t count = 0;
  while (true) {
    DEMARCHE_CHECK(context.check());
    DEMARCHE_CHECK(root->next(rows));
    if (rows.size == 0) break;
    count += static_cast<std::int64_t>(rows.size);
    if (subquery.kind == Kind::kExists || subquery.kind == Kind::kPattern) break;
    if (subquery.kind != Kind::kComprehension) continue;
    DEMARCHE_CHECK(context.hold_rows(rows.size));
    std::vector<Value>& column = rows.columns[subquery.body->columns[0]];
    list.insert(list.end(), std::make_move_iterator(column.begin()), std::make_move_iterator(column.end()));
  }
  context.let_go_to(held_before);
  if (subquery.kind == Kind::kCount) return Value::integer(count);
  if (subquery.kind == Kind::kComprehension) return Value::list(std::move(list));
  return Value::boolean(count > 0);
}

}  // namespace demarche::query

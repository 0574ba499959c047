#include "query/exec/subquery.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "query/exec/aggregate.h"
#include "query/exec/operators.h"

namespace demarche::query {

namespace {

constexpr std::size_t kAnswersKept = 500'000;
constexpr std::size_t kKeyActors = 2;
using AnswerKey = std::array<std::uint64_t, kKeyActors>;

struct AnswerKeyHash {
  std::size_t operator()(const AnswerKey& key) const {
    const std::uint64_t h = (key[0] * 0x9E3779B97F4A7C15ULL) ^ (key[1] * 0xC2B2AE3D27D4EB4FULL);
    return static_cast<std::size_t>(h ^ (h >> 32));
  }
};

}  // namespace

struct SubqueryRun {
  SubqueryRun(const plan::Subquery& subquery, std::size_t slots) : plan(&subquery), argument(slots), rows(slots) {
    argument.size = 1;
  }

  const plan::Subquery* plan;
  Batch argument;
  Batch rows;
  OperatorPtr root;
  std::unordered_map<AnswerKey, Value, AnswerKeyHash> answers;

  // The actors asked about, if it is nothing but actors.
  [[nodiscard]] std::optional<AnswerKey> key() const {
    if (!plan->repeatable || plan->reads.size() > kKeyActors) return std::nullopt;
    AnswerKey out = {};
    for (std::size_t i = 0; i < plan->reads.size(); ++i) {
      const Value& v = argument.at(plan->reads[i], 0);
      if (v.kind() != ValueKind::kActor) return std::nullopt;
      out[i] = v.as_actor().value;
    }
    return out;
  }
};

SubqueryRun& subquery_run(const bound::Subquery& subquery, ExecContext& context, std::size_t slots) {
  auto& run = context.subquery_runs[subquery.body.get()];
  if (!run) run = std::make_shared<SubqueryRun>(context.subquery_plan(*subquery.body), slots);
  return *run;
}

const std::vector<Slot>& subquery_reads(const SubqueryRun& run) { return run.plan->reads; }

void set_argument(SubqueryRun& run, Slot slot, Value v) {
  ColumnValues& column = run.argument.columns[slot];
  column.resize(1);
  column[0] = std::move(v);
}

namespace {

Result<Value> run_to_end(const bound::Subquery& subquery, SubqueryRun& run, ExecContext& context) {
  using Kind = ast::Subquery::Kind;
  const Held held_before = context.held();
  // What a statement has written since may be part of the answer: it is looked at anew.
  const bool again = run.root != nullptr && context.transaction == nullptr && run.root->rewind();
  if (!again) run.root = make_operator(*run.plan->root, run.argument.columns.size(), context, &run.argument);
  ValueList list;
  std::int64_t count = 0;
  while (true) {
    DEMARCHE_CHECK(context.check_now_and_then());
    DEMARCHE_CHECK(run.root->next(run.rows));
    if (run.rows.size == 0) break;
    count += static_cast<std::int64_t>(run.rows.size);
    if (subquery.kind == Kind::kExists || subquery.kind == Kind::kPattern) break;
    if (subquery.kind != Kind::kComprehension) continue;
    std::vector<Value>& column = run.rows.columns[subquery.body->columns[0]];
    Held made = row_of(column);
    made.rows += run.rows.size - 1;
    DEMARCHE_CHECK(context.hold(made));
    list.insert(list.end(), std::make_move_iterator(column.begin()), std::make_move_iterator(column.end()));
  }
  context.let_go_to(held_before);
  if (subquery.kind == Kind::kCount) return Value::integer(count);
  if (subquery.kind == Kind::kComprehension) return Value::list(std::move(list));
  return Value::boolean(count > 0);
}

}  // namespace

Result<Value> evaluate_subquery(const bound::Subquery& subquery, SubqueryRun& run, ExecContext& context) {
  const bool keeps = subquery.kind != ast::Subquery::Kind::kComprehension && context.transaction == nullptr;
  const std::optional<AnswerKey> key = keeps ? run.key() : std::nullopt;
  if (!key) return run_to_end(subquery, run, context);
  if (const auto it = run.answers.find(*key); it != run.answers.end()) return it->second;
  DEMARCHE_TRY(Value answer, run_to_end(subquery, run, context));
  if (run.answers.size() >= kAnswersKept) run.answers.clear();
  run.answers.emplace(*key, answer);
  return answer;
}

}  // namespace demarche::query

#include "query/query.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/names.h"
#include "query/bind/binder.h"
#include "query/exec/context.h"
#include "query/exec/evaluate.h"
#include "query/exec/operators.h"
#include "query/exec/time_heads.h"
#include "query/exec/write.h"
#include "query/parse/lexer.h"
#include "query/parse/parser.h"
#include "query/plan/planner.h"
#include "query/unknown_names.h"

namespace demarche::query {

struct ResultCursor::State {
  std::shared_ptr<const View> view;  // the state that is read; outlives what reads it
  Parameters parameters;
  plan::Plan plan;
  std::unique_ptr<ExecContext> context;
  OperatorPtr root;
  Batch batch;
  bool ended = false;
  std::vector<std::string> columns;
  std::vector<std::vector<Value>> buffered;  // rows of EXPLAIN and of statements that write
  std::size_t buffered_rows = 0;
  Changes changes;
  std::vector<std::string> notices;
};

namespace {

// A parameter that the text names but nobody gave is found before any row is made.
class ParameterCheck {
 public:
  explicit ParameterCheck(const Parameters& parameters) : parameters_(parameters) {}

  Result<void> operator()(std::string_view text) const {
    DEMARCHE_TRY(const std::vector<Token> tokens, tokenize(text));
    for (const Token& token : tokens) {
      if (token.kind != TokenKind::kParameter || parameters_.contains(token.text)) continue;
      return fault("ParameterMissing", "MissingParameter", token.span,
                   fmt::format("parameter ${} was not given; pass it with the query", token.text), "runtime");
    }
    return {};
  }

 private:
  const Parameters& parameters_;
};

}  // namespace

ResultCursor::ResultCursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
ResultCursor::~ResultCursor() = default;
const std::vector<std::string>& ResultCursor::columns() const { return state_->columns; }
const std::vector<std::string>& ResultCursor::notices() const { return state_->notices; }
const Changes& ResultCursor::changes() const { return state_->changes; }
const View& ResultCursor::view() const { return *state_->view; }

Result<void> ResultCursor::next(ResultRows& rows) {
  State& s = *state_;
  rows.columns_.resize(s.columns.size());
  rows.size_ = 0;
  if (s.ended) return {};
  if (s.root == nullptr) {  // everything is there already
    s.ended = true;
    rows.columns_ = std::move(s.buffered);
    rows.size_ = s.buffered_rows;
    return {};
  }
  if (auto made = s.root->next(s.batch); !made) {
    s.ended = true;  // what was half computed is not handed out
    return made;
  }
  for (std::size_t i = 0; i < s.columns.size(); ++i) {
    rows.columns_[i] = std::move(s.batch.columns[s.plan.query.columns[i].slot]);
  }
  rows.size_ = s.batch.size;
  s.ended = s.batch.size == 0;
  return {};
}

namespace {

Result<void> drain(ResultCursor::State& s) {
  s.buffered.resize(s.columns.size());
  while (true) {
    DEMARCHE_CHECK(s.root->next(s.batch));
    if (s.batch.size == 0) return {};
    for (std::size_t i = 0; i < s.columns.size(); ++i) {
      std::vector<Value>& column = s.batch.columns[s.plan.query.columns[i].slot];
      s.buffered[i].insert(s.buffered[i].end(), std::make_move_iterator(column.begin()),
                           std::make_move_iterator(column.end()));
    }
    if (!s.columns.empty()) s.buffered_rows += s.batch.size;
  }
}

bool has_writing_clause(const ast::Query& syntax) {
  return std::any_of(syntax.parts.begin(), syntax.parts.end(), has_writing_clause) ||
         std::any_of(syntax.clauses.begin(), syntax.clauses.end(), [](const ast::Clause& clause) {
           return std::holds_alternative<ast::Create>(clause.node) ||
                  std::holds_alternative<ast::Update>(clause.node) ||
                  std::holds_alternative<ast::Delete>(clause.node) || std::holds_alternative<ast::Merge>(clause.node) ||
                  std::holds_alternative<ast::Record>(clause.node) || std::holds_alternative<ast::Correct>(clause.node);
         });
}

bool writes_to_store(const ast::Query& syntax) {
  return syntax.explain == ast::ExplainMode::kNone && has_writing_clause(syntax);
}

// What is written holds from its commit on, whatever part of the store the rest of the statement would see.
Result<void> check_heads(const ast::Query& syntax, const QueryOptions& options) {
  if (!has_writing_clause(syntax)) return {};
  const bool by_option = syntax.heads.empty() && !options.as_of.empty();
  if (by_option) {
    return invalid(
        fmt::format("this reads the store as of {}; a statement that writes changes it as it is now", options.as_of));
  }
  if (syntax.heads.empty()) return {};
  const ast::TimeHead& head = syntax.heads.front();
  return fault("SyntaxError", "InvalidClauseComposition", head.span,
               fmt::format("a statement that writes changes the store as it is now: take FOR {} away, or read and "
                           "write in two statements",
                           head.clock == ast::TimeHead::Clock::kValid ? "VALID_TIME" : "SYSTEM_TIME"));
}

// Kinds that CREATE and MERGE name are declared before the statement is bound, so that its later clauses, and MERGE in
// its later rows, look for them. What cannot be declared is refused where it is created.
void declare_kinds(const ast::Query& syntax, Transaction& tx) {
  const auto declare = [&](const ast::PathPattern& pattern) {
    for (const ast::InteractionPattern& p : pattern.interactions) {
      if (p.kinds && p.kinds->op == ast::LabelExpr::Op::kName && !tx.view().kinds().find(p.kinds->name))
        (void)tx.declare_kind(p.kinds->name, kinds::kInteraction);
    }
  };
  for (const ast::Query& part : syntax.parts) declare_kinds(part, tx);
  for (const ast::Clause& clause : syntax.clauses) {
    if (const auto* create = std::get_if<ast::Create>(&clause.node)) {
      for (const ast::PathPattern& pattern : create->patterns) declare(pattern);
    } else if (const auto* merge = std::get_if<ast::Merge>(&clause.node)) {
      declare(merge->pattern);
    }
  }
}

bool merges(const bound::Query& query) {
  return std::any_of(query.steps.begin(), query.steps.end(),
                     [](const bound::Step& step) { return std::holds_alternative<bound::Merge>(step); });
}

// Runs a statement that writes to its end, keeps its rows, and commits.
Result<void> finish_writing(ResultCursor::State& s, Store& store, Transaction& tx, std::string_view text,
                            bool may_find) {
  DEMARCHE_CHECK(drain(s));
  DEMARCHE_CHECK(finish_deletes(*s.context));
  const WrittenSoFar& written = s.context->written;
  s.changes.actors_created = written.actors_created;
  s.changes.interactions_created = written.interactions_created;
  s.changes.actors_changed = written.actors_changed.size();
  s.changes.interactions_changed = written.interactions_changed.size();
  s.changes.actors_deleted = written.actors_deleted.size();
  s.changes.interactions_deleted = written.interactions_deleted.size();
  const bool any = written.any();  // a kind that was declared and not used is no change
  const std::string note = s.context->reason.empty() ? std::string(text.substr(0, 200)) : s.context->reason;
  s.root.reset();
  s.context.reset();
  if (any) DEMARCHE_ASSIGN(s.changes.commit, tx.commit(note));
  if (!any) s.notices.emplace_back(may_find ? "nothing was changed" : "nothing matched, so nothing was changed");
  s.view = store.view();
  return {};
}

// EXPLAIN answers with the plan, a line a row, after what the heads of the statement mean.
void buffer_plan(ResultCursor::State& s, std::string_view text, const std::vector<std::string>& heads) {
  s.columns = {"plan"};
  s.buffered.resize(1);
  for (const std::string& line : heads) s.buffered[0].push_back(Value::string(line));
  const std::string lines = explain(s.plan, text);
  for (std::size_t from = 0; from < lines.size();) {
    const std::size_t end = lines.find('\n', from);
    s.buffered[0].push_back(Value::string(lines.substr(from, end - from)));
    from = end + 1;
  }
  s.buffered_rows = s.buffered[0].size();
}

}  // namespace

Result<std::unique_ptr<ResultCursor>> run_query(Store& store, std::string_view text,
                                                const std::map<std::string, Value>& parameters,
                                                const QueryOptions& options) {
  DEMARCHE_TRY(const ast::Query syntax, parse_query(text));
  auto state = std::make_unique<ResultCursor::State>();
  state->parameters = parameters;
  DEMARCHE_CHECK(check_heads(syntax, options));
  const bool writes = writes_to_store(syntax);
  std::unique_ptr<Transaction> tx;
  if (writes) DEMARCHE_ASSIGN(tx, store.begin());
  if (writes) declare_kinds(syntax, *tx);
  if (!syntax.heads.empty()) DEMARCHE_CHECK(ParameterCheck(state->parameters)(text));
  DEMARCHE_TRY(const HeadedView headed,
               apply_time_heads(syntax, text, store, store.view(), state->parameters, options.as_of));
  state->view = headed.view;
  const View& view = writes ? tx->view() : *state->view;
  DEMARCHE_TRY(bound::Query bound, bind_query(syntax, text, view.kinds()));
  bound.notices.insert(bound.notices.begin(), headed.notices.begin(), headed.notices.end());
  DEMARCHE_CHECK(ParameterCheck(state->parameters)(text));
  state->notices = bound.notices;
  if (!bound.explain) {
    for (std::string& note : unknown_names(view, bound)) state->notices.push_back(std::move(note));
  }
  const bool may_find = merges(bound);
  DEMARCHE_ASSIGN(state->plan, plan_query(std::move(bound), Estimates(view), {options.optimise, options.use_indexes}));
  const bound::Query& query = state->plan.query;
  for (const bound::Column& column : query.columns) state->columns.push_back(column.name);
  if (query.explain) {
    buffer_plan(*state, text, headed.lines);
    return std::unique_ptr<ResultCursor>(new ResultCursor(std::move(state)));
  }
  const QueryLimits limits{options.time_max, options.rows_held_max};
  state->batch = Batch(query.slot_count);
  state->context = std::make_unique<ExecContext>(view, state->parameters, limits, options.cancel);
  state->context->transaction = tx.get();
  state->context->plan = &state->plan;
  state->root = make_operator(*state->plan.root, query.slot_count, *state->context);
  if (writes) DEMARCHE_CHECK(finish_writing(*state, store, *tx, text, may_find));
  return std::unique_ptr<ResultCursor>(new ResultCursor(std::move(state)));
}

Result<bool> statement_writes(std::string_view text) {
  DEMARCHE_TRY(const ast::Query syntax, parse_query(text));
  return writes_to_store(syntax);
}

std::string describe_error(const Error& error, std::string_view text) {
  if (!error.fault || !error.fault->has_position) return error.message;
  const std::size_t offset = std::min(error.fault->offset, text.size());
  const std::size_t before = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  const std::size_t line_begin = before == std::string_view::npos ? 0 : before + 1;
  const std::size_t line_end = std::min(text.find('\n', offset), text.size());
  const auto is_character_start = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  const auto line_number = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n') + 1;
  const std::string_view lead = text.substr(line_begin, offset - line_begin);
  const std::string_view marked = text.substr(offset, std::min(error.fault->length, line_end - offset));
  // Tabs stay tabs below the line, so that the caret stands right whatever their width.
  std::string blank;
  std::string run;
  for (const char c : lead) {
    if (c == '\t') {
      blank += std::string(display_width(run), ' ') + '\t';
      run.clear();
    } else {
      run += c;
    }
  }
  blank += std::string(display_width(run), ' ');
  return fmt::format("{}:{}: {}\n  {}\n  {}{}", line_number,
                     std::count_if(lead.begin(), lead.end(), is_character_start) + 1, error.message,
                     text.substr(line_begin, line_end - line_begin), blank,
                     std::string(std::max<std::size_t>(1, display_width(marked)), '^'));
}

}  // namespace demarche::query

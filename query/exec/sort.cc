// ORDER BY: all rows in order, or the first of them.

#include <algorithm>
#include <optional>
#include <utility>

#include "query/exec/aggregate.h"
#include "query/exec/columns.h"
#include "query/exec/evaluate.h"
#include "query/exec/one_input.h"

namespace demarche::query {

namespace {

// Sorts all rows, or keeps the first skip + limit of them in a heap.
class SortOp final : public OneInput<plan::Sort> {
 public:
  SortOp(OperatorPtr input, const plan::Node& node, const plan::Sort& op, std::size_t slots, ExecContext& context)
      : OneInput(std::move(input), node, op, slots, context) {
    if (op.limit && !op.keys.empty()) date_ = dated_slot(*op.keys.front().expression);
    if (date_ && date_->plain) date_.reset();
  }

  Result<void> next(Batch& out) override {
    out.clear();
    if (!std::exchange(drained_, true)) DEMARCHE_CHECK(drain());
    for (; out.size < kBatchRows && next_row_ < rows_.size(); ++next_row_, ++out.size) {
      Row& row = rows_[next_row_];
      for (std::size_t i = 0; i < node_.carried.size(); ++i)
        out.columns[node_.carried[i]].push_back(std::move(row.carried[i]));
    }
    return {};
  }

 private:
  struct Row {
    ValueList keys;
    ValueList carried;
    std::size_t position = 0;  // ties stay in the order they came
  };

  [[nodiscard]] bool before(const Row& a, const Row& b) const {
    for (std::size_t i = 0; i < op_.keys.size(); ++i) {
      const int c = order(a.keys[i], b.keys[i]);
      if (c != 0) return op_.keys[i].descending ? c > 0 : c < 0;
    }
    return a.position < b.position;
  }

  // Would a row of these keys come before `b`? It stands later in the input than all others.
  [[nodiscard]] bool keys_before(const std::vector<ColumnValues>& keys, std::size_t i, const Row& b) const {
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const int c = order(keys[k][i], b.keys[k]);
      if (c != 0) return op_.keys[k].descending ? c > 0 : c < 0;
    }
    return false;
  }

  Result<std::size_t> rows_wanted() {
    constexpr auto kAll = static_cast<std::size_t>(-1);
    if (!op_.limit) return kAll;
    DEMARCHE_TRY(const std::size_t limit, evaluate_count(*op_.limit, context_));
    if (!op_.skip) return limit;
    DEMARCHE_TRY(const std::size_t skip, evaluate_count(*op_.skip, context_));
    return limit > kAll - skip ? kAll : limit + skip;
  }

  // With c.when as first key and a full heap: leaves out rows whose date alone puts them behind its last, for which the
  // index is enough. The text of a date, which decides between equal bounds, stands in the record.
  Result<void> leave_out_late(RowNumbers& rows) {
    const Value& last = rows_.front().keys.front();
    if (last.kind() != ValueKind::kDate) return {};
    const TimeBounds& limit = last.as_date().bounds;
    const bool descending = op_.keys.front().descending;
    std::size_t kept = 0;
    for (const std::uint32_t row : rows) {
      const Value& v = in_.at(date_->slot, row);
      bool out = false;
      if (v.kind() == ValueKind::kInteraction) {
        DEMARCHE_TRY(const InteractionFacts facts, context_.facts(v.as_interaction()));
        const auto key = std::pair(facts.bounds.begin_min, facts.bounds.end_max);
        const auto most = std::pair(limit.begin_min, limit.end_max);
        out = facts.dated && (descending ? key < most : key > most);
      }
      if (!out) rows[kept++] = row;
    }
    rows.resize(kept);
    return {};
  }

  Result<void> drain() {
    DEMARCHE_TRY(const std::size_t rows_max, rows_wanted());
    const auto less = [this](const Row& a, const Row& b) { return before(a, b); };
    std::vector<ColumnValues> keys(op_.keys.size());
    std::size_t position = 0;
    RowNumbers rows;
    while (true) {
      DEMARCHE_CHECK(context_.check());
      DEMARCHE_CHECK(input_->next(in_));
      if (in_.size == 0) break;
      select_all(in_, rows);
      if (date_ && rows_max > 0 && rows_.size() >= rows_max) DEMARCHE_CHECK(leave_out_late(rows));
      for (std::size_t i = 0; i < keys.size(); ++i) {
        DEMARCHE_CHECK(evaluate_rows(*op_.keys[i].expression, in_, rows, context_, keys[i]));
      }
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows_.size() >= rows_max) {  // full: only what comes before the last of the heap enters
          if (rows_max == 0 || !keys_before(keys, i, rows_.front())) continue;
          std::pop_heap(rows_.begin(), rows_.end(), less);
          rows_.pop_back();
        } else {
          DEMARCHE_CHECK(context_.hold({1, sizeof(Row)}));
        }
        Row row;
        row.position = position + rows[i];
        for (const ColumnValues& column : keys) row.keys.push_back(column[i]);
        for (const Slot slot : node_.carried) row.carried.push_back(in_.at(slot, rows[i]));
        if (!op_.limit) {
          const Held carried = row_of(row.carried);
          DEMARCHE_CHECK(context_.hold({carried.rows - 1, carried.bytes + row_of(row.keys).bytes}));
        }
        rows_.push_back(std::move(row));
        if (op_.limit) std::push_heap(rows_.begin(), rows_.end(), less);
      }
      position += in_.size;
    }
    std::sort(rows_.begin(), rows_.end(), less);
    return {};
  }

  std::optional<DatedSlot> date_;  // the first key is this slot's date
  bool drained_ = false;
  std::vector<Row> rows_;
  std::size_t next_row_ = 0;
};

}  // namespace

OperatorPtr make_sort(const plan::Node& node, OperatorPtr input, std::size_t slots, ExecContext& context) {
  return std::make_unique<SortOp>(std::move(input), node, std::get<plan::Sort>(node.op), slots, context);
}

}  // namespace demarche::query

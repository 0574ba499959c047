// What the operators of one running query share: the state they read, records already decoded, limits.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/row_batch.h"
#include "engine/store.h"
#include "query/exec/text_match.h"
#include "query/parse/ast.h"
#include "query/plan/plan.h"
#include "query/value.h"

namespace demarche::query {

using Parameters = std::map<std::string, Value>;

struct QueryLimits {
  std::chrono::milliseconds time_max{std::chrono::minutes(10)};
  std::size_t rows_held_max = 50'000'000;  // rows kept at once by sorting, grouping and DISTINCT
};

// Set from another thread to stop a query; it ends with kCancelled within a batch of rows.
using CancelFlag = std::atomic<bool>;

// What a scan knows of an interaction without its record.
struct InteractionFacts {
  InteractionId id;
  KindId kind;
  bool dated = false;
  TimeBounds bounds;
};

// What a statement has done to the store until now.
struct WrittenSoFar {
  std::uint64_t actors_created = 0;
  std::uint64_t interactions_created = 0;
  std::unordered_set<ActorId> actors_changed;
  std::unordered_set<InteractionId> interactions_changed;
  std::unordered_set<ActorId> actors_deleted;
  std::unordered_map<InteractionId, InteractionFacts> interactions_deleted;
  std::vector<std::pair<ActorId, Span>> actors_to_delete;  // take part in something still; looked at in the end
  [[nodiscard]] bool any() const {
    return actors_created + interactions_created > 0 || !actors_changed.empty() || !interactions_changed.empty() ||
           !actors_deleted.empty() || !interactions_deleted.empty();
  }
};

// What a query has read from the store.
struct StorageReads {
  std::uint64_t blocks = 0;   // of the index
  std::uint64_t records = 0;  // actors, interactions, sources
  std::uint64_t keys = 0;     // looked up, names too
};

struct SubqueryRun;  // exec/subquery.cc

// Not thread-safe: one running query has one.
class ExecContext {
 public:
  ExecContext(const View& view, const Parameters& parameters, const QueryLimits& limits, const CancelFlag* cancel)
      : view_(view),
        parameters_(parameters),
        limits_(limits),
        cancel_(cancel),
        started_(std::chrono::steady_clock::now()),
        began_(std::chrono::system_clock::now()) {}

  // With what the statement has written so far.
  [[nodiscard]] const View& view() const { return transaction == nullptr ? view_ : transaction->view(); }
  [[nodiscard]] const Parameters& parameters() const { return parameters_; }
  [[nodiscard]] const QueryLimits& limits() const { return limits_; }
  [[nodiscard]] std::chrono::system_clock::time_point began() const { return began_; }  // "now", the same for all rows
  [[nodiscard]] double random();       // from 0 up to, not including, 1
  Transaction* transaction = nullptr;  // of a statement that writes
  WrittenSoFar written;
  std::string reason;     // of a correction: the commit's note instead of the statement's text
  PatternCache patterns;  // of =~
  StorageReads reads;     // so far

  // After a record was changed or deleted: it is read again. `deleted`: asking for it is an error from now on, save for
  // the kind of an interaction.
  void forget(ActorId id, bool deleted);
  [[nodiscard]] Result<void> forget(InteractionId id, bool deleted);

  // Decoded once and kept while the query runs, a bounded number at a time. The pointer holds until the next call.
  [[nodiscard]] Result<const Actor*> actor(ActorId id);
  [[nodiscard]] Result<const Interaction*> interaction(InteractionId id);
  [[nodiscard]] Result<const Source*> source(SourceId id);

  // Kind and date of an interaction: from the scan that has just met it, else from its record.
  [[nodiscard]] Result<InteractionFacts> facts(InteractionId id);
  void remember(const RowBatch& rows, std::size_t i) {
    remember({rows.interaction[i], rows.kind[i], rows.dated[i] != 0, rows.bounds[i]});
  }
  void remember(const InteractionFacts& facts) { (*facts_)[facts.id.value % kFactSlots] = facts; }

  // The name of a kind as a value, made once.
  [[nodiscard]] const Value& kind_name(KindId kind);
  // A property of an actor, asked of its record once and kept, a bounded number at a time. The pointer holds until the
  // next call.
  [[nodiscard]] Result<const Value*> actor_property_kept(const bound::PropertyOf& node, ActorId id);

  // kCancelled, or kLimit when the time is up. Cheap enough for once a batch.
  [[nodiscard]] Result<void> check() const;
  // The same for once a block or a row: the clock is looked at every so many calls.
  [[nodiscard]] Result<void> check_now_and_then() {
    if (++checks_ % 64 != 0 && (cancel_ == nullptr || !cancel_->load(std::memory_order_relaxed))) return {};
    return check();
  }
  [[nodiscard]] Result<void> hold_rows(std::size_t count);
  // What an inner query held is let go when it has ended.
  [[nodiscard]] std::size_t rows_held() const { return rows_held_; }
  void let_go_to(std::size_t rows) { rows_held_ = rows; }

  // The plan of a query inside an expression. REQUIRES: `plan` is the one that runs.
  const plan::Plan* plan = nullptr;
  [[nodiscard]] const plan::Subquery& subquery_plan(const bound::SubqueryBody& body) const {
    return plan->subqueries.at(&body);
  }
  // How queries inside expressions are run, kept from row to row: exec/subquery.cc.
  std::unordered_map<const bound::SubqueryBody*, std::shared_ptr<SubqueryRun>> subquery_runs;

 private:
  const View& view_;
  const Parameters& parameters_;
  QueryLimits limits_;
  const CancelFlag* cancel_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::system_clock::time_point began_;
  std::optional<std::mt19937_64> random_;  // seeded when it is first asked
  std::size_t rows_held_ = 0;
  std::uint32_t checks_ = 0;
  std::unordered_map<ActorId, std::unique_ptr<Actor>> actors_;
  std::unordered_map<InteractionId, std::unique_ptr<Interaction>> interactions_;
  std::unordered_map<SourceId, std::unique_ptr<Source>> sources_;
  std::unordered_map<std::uint32_t, Value> kind_names_;
  std::unordered_map<std::string, std::unordered_map<ActorId, Value>> actor_properties_;  // by key
  std::size_t actor_properties_kept_ = 0;
  // Rows flow through the operators soon after a scan met them, so a small table by the low bits of the id serves
  // nearly every question about their dates without reading a record.
  static constexpr std::size_t kFactSlots = 8192;
  std::unique_ptr<std::array<InteractionFacts, kFactSlots>> facts_ =
      std::make_unique<std::array<InteractionFacts, kFactSlots>>();
};

}  // namespace demarche::query

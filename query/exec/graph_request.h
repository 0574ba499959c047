// What a call of a procedure on a graph asks for: its map of options read, checked, and turned into graphs.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/contact_graph.h"
#include "query/bind/procedure_table.h"
#include "query/exec/context.h"
#include "query/parse/ast.h"

namespace demarche::query {

// The window of one graph; `value` is what YIELD period shows, null where there is only one.
struct Period {
  TimeWindow window;
  Value value;
};

// The days from one instant to another, both included, as a date.
[[nodiscard]] Result<Value> days_value(Timestamp first, Timestamp last);

class GraphRequest {
 public:
  // Errors, all with the place of the call: ArgumentError for an option the procedure has not (with the nearest it
  // has), a date that does not read, a window that cannot be cut up; TypeError for a value of the wrong type; not found
  // for kinds.
  [[nodiscard]] static Result<GraphRequest> read(const ProcedureDef& procedure, const Value& options, Span span,
                                                 ExecContext& context);

  [[nodiscard]] bool flag(std::string_view option, bool otherwise = false) const;
  [[nodiscard]] double number(std::string_view option, double otherwise) const;
  [[nodiscard]] std::uint64_t count(std::string_view option, std::uint64_t otherwise) const;
  // nullopt if it was not given. Errors: as View::resolve_actor().
  [[nodiscard]] Result<std::optional<ActorId>> actor(std::string_view option) const;

  // In order of time; one without `every`.
  [[nodiscard]] const std::vector<Period>& periods() const { return periods_; }
  [[nodiscard]] Result<ContactGraph> graph(const Period& period, Projection projection, bool directed) const;

  // Each contact an edge of its own, with its times, read both ways.
  [[nodiscard]] Result<ContactGraph> dated_graph() const;
  // A number of days and shorter units, in seconds. Errors: a duration with months, or not above zero.
  [[nodiscard]] Result<std::int64_t> seconds(std::string_view option, std::int64_t otherwise) const;

  [[nodiscard]] StopCheck stop() const {
    return [context = context_] { return context->check(); };
  }
  [[nodiscard]] tl::unexpected<Error> refuse(std::string message) const;  // ArgumentError, here
  [[nodiscard]] Error placed_here(Error error) const;

 private:
  [[nodiscard]] Result<void> check_options(const ValueMap& map) const;
  [[nodiscard]] Result<void> read_kinds(const Value& value);
  [[nodiscard]] Result<void> read_window();
  [[nodiscard]] Result<void> cut(const Value& every);
  [[nodiscard]] Result<Duration> duration(std::string_view option, const Value& value) const;
  [[nodiscard]] Result<ContactGraph> make(const Period& period, GraphOptions options) const;
  [[nodiscard]] const Value* find(std::string_view option) const;  // null if absent or null

  const ProcedureDef* procedure_ = nullptr;
  Span span_;
  ExecContext* context_ = nullptr;
  Value options_;
  KindSet kinds_;
  WindowFit fit_ = WindowFit::kWithin;
  std::optional<std::vector<InteractionId>> interactions_;
  std::vector<Period> periods_;
};

}  // namespace demarche::query

#include "query/exec/graph_request.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "engine/edtf.h"
#include "engine/names.h"
#include "query/exec/evaluate.h"

namespace demarche::query {

namespace {

constexpr std::size_t kPeriodsMax = 100'000;

bool is_of(const Value& value, OptionType type) {
  switch (type) {
    case OptionType::kBoolean:
      return value.kind() == ValueKind::kBoolean;
    case OptionType::kNumber:
      return value.is_number();
    case OptionType::kCount:
      return value.kind() == ValueKind::kInteger && value.as_integer() >= 0;
    case OptionType::kDate:
      return value.kind() == ValueKind::kString || value.kind() == ValueKind::kDate ||
             value.kind() == ValueKind::kInteraction || (value.is_time() && has_day(value.as_time().type));
    case OptionType::kDuration:
      return value.kind() == ValueKind::kString || value.kind() == ValueKind::kDuration;
    case OptionType::kKinds:
      return value.kind() == ValueKind::kString ||
             (value.kind() == ValueKind::kList &&
              std::all_of(value.as_list().begin(), value.as_list().end(),
                          [](const Value& v) { return v.kind() == ValueKind::kString; }));
    case OptionType::kInteractions:
      return value.kind() == ValueKind::kList &&
             std::all_of(value.as_list().begin(), value.as_list().end(),
                         [](const Value& v) { return v.is_null() || v.kind() == ValueKind::kInteraction; });
    case OptionType::kActor:
      return value.kind() == ValueKind::kActor || value.kind() == ValueKind::kString;
  }
  return false;
}

// What was found, for a message.
std::string describe(const Value& value) {
  if (value.kind() == ValueKind::kInteger) return std::to_string(value.as_integer());
  if (value.kind() == ValueKind::kList) {
    for (const Value& item : value.as_list()) {
      if (item.kind() != ValueKind::kString && item.kind() != ValueKind::kInteraction) {
        return "a list with " + a_kind(item.kind());
      }
    }
  }
  return a_kind(value.kind());
}

Timestamp just_after(Timestamp t) { return t.is_finite() ? Timestamp{t.seconds + 1} : t; }

std::int64_t day_of(Timestamp t) {
  const std::int64_t into = (t.seconds % kSecondsPerDay + kSecondsPerDay) % kSecondsPerDay;
  return (t.seconds - into) / kSecondsPerDay;
}

}  // namespace

Result<Value> days_value(Timestamp first, Timestamp last) {
  std::string text = format_day(day_of(first));
  if (day_of(last) != day_of(first)) text += "/" + format_day(day_of(last));
  DEMARCHE_TRY(const Edtf edtf, parse_edtf(text));
  return Value::date(date_literal(edtf));
}

const Value* GraphRequest::find(std::string_view option) const {
  if (options_.is_null()) return nullptr;
  const Value* entry = find_entry(options_.as_map(), option);
  return entry == nullptr || entry->is_null() ? nullptr : entry;
}

tl::unexpected<Error> GraphRequest::refuse(std::string message) const {
  return runtime_error("ArgumentError", "InvalidArgumentValue", span_, std::move(message));
}

Error GraphRequest::placed_here(Error error) const {
  if (error.fault != nullptr || (error.code != ErrorCode::kInvalidArgument && error.code != ErrorCode::kNotFound)) {
    return error;
  }
  return refuse(std::move(error.message)).value();
}

Result<void> GraphRequest::check_options(const ValueMap& map) const {
  const std::vector<ProcedureOption> known = options_of(*procedure_);
  for (const auto& [name, value] : map) {
    const auto option =
        std::find_if(known.begin(), known.end(), [&name = name](const ProcedureOption& o) { return o.name == name; });
    if (option == known.end()) {
      std::vector<std::string> names;
      for (const ProcedureOption& o : known) names.emplace_back(o.name);
      const std::string near = nearest(name, names);
      return refuse(
          fmt::format("{} has no option '{}'; {}", procedure_->name, name,
                      near.empty() ? fmt::format("it has {}", fmt::join(names, ", ")) : "did you mean " + near + "?"));
    }
    if (value.is_null() || is_of(value, option->type)) continue;
    return runtime_error("TypeError", "InvalidArgumentType", span_,
                         fmt::format("{} of {} is {}, found {}", name, procedure_->name, option_type_name(option->type),
                                     describe(value)));
  }
  return {};
}

Result<GraphRequest> GraphRequest::read(const ProcedureDef& procedure, const Value& options, Span span,
                                        ExecContext& context) {
  GraphRequest out;
  out.procedure_ = &procedure;
  out.span_ = span;
  out.context_ = &context;
  out.options_ = options;
  if (!options.is_null()) DEMARCHE_CHECK(out.check_options(options.as_map()));
  if (const Value* kinds = out.find("kinds")) DEMARCHE_CHECK(out.read_kinds(*kinds));
  if (const Value* list = out.find("interactions")) {
    out.interactions_.emplace();
    for (const Value& item : list->as_list()) {
      if (!item.is_null()) out.interactions_->push_back(item.as_interaction());
    }
  }
  if (out.flag("possibly")) out.fit_ = WindowFit::kPossiblyWithin;
  DEMARCHE_CHECK(out.read_window());
  return out;
}

Result<void> GraphRequest::read_kinds(const Value& value) {
  const KindTable& table = context_->view().kinds();
  kinds_ = KindSet::none();
  const ValueList names = value.kind() == ValueKind::kList ? value.as_list() : ValueList{value};
  if (names.empty()) return refuse("kinds is an empty list; leave it out to take all contacts");
  for (const Value& name : names) {
    const auto kind = table.find(name.as_string());
    if (!kind) {
      return runtime_error("EntityNotFound", "UnknownKind", span_, table.unknown_message(name.as_string()));
    }
    for (const Kind& below : table.all()) {
      if (table.is_below(below.id, *kind)) kinds_.insert(below.id);
    }
  }
  return {};
}

// The predicates AFTER, BEFORE and DURING of engine/when.h as one window: certain or, with `possibly`, possible.
Result<void> GraphRequest::read_window() {
  const bool possibly = fit_ == WindowFit::kPossiblyWithin;
  TimeWindow window;
  const auto read = [&](std::string_view option) -> Result<std::optional<TimeBounds>> {
    const Value* value = find(option);
    if (value == nullptr) return std::nullopt;
    DEMARCHE_TRY(const auto operand, time_operand(*value, span_, *context_));
    if (operand->undated) {
      return refuse(fmt::format("{} of {} is an interaction without a date; give one that has one, or a date", option,
                                procedure_->name));
    }
    if (operand->bounds.qualified && !possibly) {
      return refuse(fmt::format(
          "{} of {} is an uncertain date, so that nothing is certain about it; give a certain one, or possibly: true",
          option, procedure_->name));
    }
    return operand->bounds;
  };
  DEMARCHE_TRY(const auto after, read("after"));
  DEMARCHE_TRY(const auto before, read("before"));
  DEMARCHE_TRY(const auto during, read("during"));
  const auto begin_at = [&](Timestamp t) { window.begin = std::max(window.begin, t); };
  const auto end_at = [&](Timestamp t) { window.end = std::min(window.end, t); };
  if (after) begin_at(just_after(possibly ? after->end_min : after->end_max));
  if (before) end_at(possibly ? before->begin_max : before->begin_min);
  if (during) {
    begin_at(possibly ? during->begin_min : during->begin_max);
    end_at(just_after(possibly ? during->end_max : during->end_min));
  }
  if (window.end <= window.begin) window.end = window.begin;  // no time at all
  periods_ = {{window, Value()}};
  const Value* every = find("every");
  if (every == nullptr) return {};
  if (!window.begin.is_finite() || !window.end.is_finite()) {
    return refuse("every cuts a stretch of time that has both ends; give during, or after and before");
  }
  return cut(*every);
}

Result<void> GraphRequest::cut(const Value& every) {
  const TimeWindow whole = periods_.front().window;
  periods_.clear();
  DEMARCHE_TRY(const Duration length, duration("every", every));
  if (length.seconds != 0 || length.nanos != 0) {
    return refuse("every is a number of whole days, weeks, months or years");
  }
  if (whole.begin.seconds % kSecondsPerDay != 0 || whole.end.seconds % kSecondsPerDay != 0) {
    return refuse("every cuts whole days; let the window begin and end with a day");
  }
  const CalendarTime origin{TimeType::kDay, day_of(whole.begin), 0, 0};
  Timestamp from = whole.begin;
  for (std::size_t i = 1; from < whole.end; ++i) {
    // Always from the start, so that months do not lose their last days on the way.
    auto stretch = scale(length, static_cast<long double>(i));
    auto next = stretch ? add(origin, *stretch, 1) : tl::unexpected(stretch.error());
    // Beyond all years is beyond the end.
    const Timestamp to = next ? Timestamp{next->day * kSecondsPerDay} : whole.end;
    if (to <= from) return refuse("every has to be a day or longer");
    const TimeWindow window{from, std::min(to, whole.end)};
    DEMARCHE_TRY(Value value, days_value(window.begin, {window.end.seconds - 1}));
    periods_.push_back({window, std::move(value)});
    if (periods_.size() > kPeriodsMax) {
      return refuse(fmt::format("every cuts the time into more than {} periods; make them longer", kPeriodsMax));
    }
    from = to;
  }
  return {};
}

Result<Duration> GraphRequest::duration(std::string_view option, const Value& value) const {
  if (value.kind() == ValueKind::kDuration) return value.as_duration();
  auto read = parse_duration(value.as_string());
  if (!read) return refuse(fmt::format("{}: {}", option, read.error().message));
  return *read;
}

Result<std::int64_t> GraphRequest::seconds(std::string_view option, std::int64_t otherwise) const {
  constexpr std::int64_t kDaysMax = 1'000'000'000;
  const Value* value = find(option);
  if (value == nullptr) return otherwise;
  DEMARCHE_TRY(const Duration length, duration(option, *value));
  if (length.months != 0) {
    return refuse(fmt::format("{} has months, which have no fixed length; say it in days", option));
  }
  if (std::abs(length.days) > kDaysMax || std::abs(length.seconds) > kDaysMax) {
    return refuse(fmt::format("{} is longer than any history; make it shorter", option));
  }
  const std::int64_t all = length.days * kSecondsPerDay + length.seconds;
  if (all <= 0) return refuse(fmt::format("{} has to be a second or longer", option));
  return all;
}

bool GraphRequest::flag(std::string_view option, bool otherwise) const {
  const Value* value = find(option);
  return value == nullptr ? otherwise : value->as_boolean();
}

double GraphRequest::number(std::string_view option, double otherwise) const {
  const Value* value = find(option);
  return value == nullptr ? otherwise : value->to_real();
}

std::uint64_t GraphRequest::count(std::string_view option, std::uint64_t otherwise) const {
  const Value* value = find(option);
  return value == nullptr ? otherwise : static_cast<std::uint64_t>(value->as_integer());
}

Result<std::optional<ActorId>> GraphRequest::actor(std::string_view option) const {
  const Value* value = find(option);
  if (value == nullptr) return std::nullopt;
  if (value->kind() == ValueKind::kActor) return value->as_actor();
  auto found = context_->view().resolve_actor(value->as_string());
  if (!found) return tl::unexpected(placed_here(std::move(found).error()));
  return *found;
}

Result<ContactGraph> GraphRequest::graph(const Period& period, Projection projection, bool directed) const {
  GraphOptions options;
  options.projection = projection;
  options.directed = directed;
  return make(period, options);
}

Result<ContactGraph> GraphRequest::dated_graph() const {
  GraphOptions options;
  options.columns.begin = true;
  options.columns.end = true;
  return make(periods_.front(), options);
}

Result<ContactGraph> GraphRequest::make(const Period& period, GraphOptions options) const {
  options.kinds = kinds_;
  options.window = period.window;
  options.fit = fit_;
  options.held_only = !flag("planned");
  options.self_contacts = false;
  if (period.window.begin == period.window.end) {  // no time at all
    options.columns = {};
    return ContactGraph::of_edges({}, options);
  }
  if (!interactions_) return ContactGraph::make(context_->view(), options, stop());
  return ContactGraph::of_interactions(context_->view(), *interactions_, options, stop());
}

}  // namespace demarche::query

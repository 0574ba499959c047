#include "query/exec/aggregate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "query/exec/evaluate.h"

namespace demarche::query {

std::size_t extra_rows(const Value& v) {
  constexpr std::size_t kElementsPerRow = 8;
  if (v.kind() == ValueKind::kPath) return v.as_path().interactions.size() / kElementsPerRow;
  return v.kind() == ValueKind::kList ? v.as_list().size() / kElementsPerRow : 0;
}

namespace {

// Bytes, roughly. Shared boxes are counted wherever they are held.
std::size_t memory_of(const Value& v) {
  constexpr std::size_t kBox = 32;
  switch (v.kind()) {
    case ValueKind::kString:
      return sizeof(Value) + kBox + v.as_string().size();
    case ValueKind::kDate:
      return sizeof(Value) + kBox + sizeof(DateValue) + v.as_date().text.size();
    case ValueKind::kPath:
      return sizeof(Value) + kBox + sizeof(PathValue) + 2 * sizeof(ActorId) * v.as_path().actors.size();
    case ValueKind::kList:
      return std::accumulate(v.as_list().begin(), v.as_list().end(), sizeof(Value) + kBox,
                             [](std::size_t n, const Value& item) { return n + memory_of(item); });
    case ValueKind::kMap:
      return std::accumulate(
          v.as_map().begin(), v.as_map().end(), sizeof(Value) + kBox,
          [](std::size_t n, const auto& entry) { return n + sizeof(std::string) + memory_of(entry.second); });
    default:
      return sizeof(Value);
  }
}

}  // namespace

Held row_of(const Value& v) { return {1 + extra_rows(v), memory_of(v)}; }

Held row_of(const ValueList& values) {
  Held out{1, 0};
  for (const Value& v : values) {
    const Held one = row_of(v);
    out.rows += one.rows - 1;
    out.bytes += one.bytes;
  }
  return out;
}

Result<void> Accumulator::add(const Value& v, ExecContext& context) {
  const FunctionId id = aggregate_->def->id;
  if (aggregate_->argument == nullptr) {
    ++count_;
    return {};
  }
  const bool ranked = id == FunctionId::kPercentileCont || id == FunctionId::kPercentileDisc;
  if (ranked ? v.as_list()[0].is_null() : v.is_null()) return {};
  if (aggregate_->distinct) {
    if (!is_new(v)) return {};
    DEMARCHE_CHECK(context.hold({1, row_of(v).bytes}));
  }
  ++count_;
  switch (id) {
    case FunctionId::kCollect:
      list_.push_back(v);
      return context.hold(row_of(v));
    case FunctionId::kMin:
      if (count_ == 1 || order(v, best_) < 0) best_ = v;
      return {};
    case FunctionId::kMax:
      if (count_ == 1 || order(v, best_) > 0) best_ = v;
      return {};
    case FunctionId::kSum:
    case FunctionId::kAvg:
    case FunctionId::kStDev:
    case FunctionId::kStDevP:
      return add_number(v);
    case FunctionId::kPercentileCont:
    case FunctionId::kPercentileDisc:
      return add_ranked(v, context);
    default:
      return {};
  }
}

bool Accumulator::is_new(const Value& v) {
  if (!seen_) seen_ = std::make_unique<Seen>();
  if (v.kind() == ValueKind::kActor) return seen_->actors.insert(v.as_actor().value);
  if (v.kind() == ValueKind::kInteraction) return seen_->interactions.insert(v.as_interaction().value);
  return seen_->others.insert(v).second;
}

Value Accumulator::result() {
  switch (aggregate_->def->id) {
    case FunctionId::kCount:
      return Value::integer(count_);
    case FunctionId::kCollect:
      return Value::list(std::move(list_));
    case FunctionId::kSum:
      return whole_only_ ? Value::integer(whole_) : Value::real(real_);
    case FunctionId::kAvg:
      return count_ == 0 ? Value() : Value::real(real_ / static_cast<double>(count_));
    case FunctionId::kStDev:
      return Value::real(count_ < 2 ? 0 : std::sqrt(squares_ / static_cast<double>(count_ - 1)));
    case FunctionId::kStDevP:
      return Value::real(count_ == 0 ? 0 : std::sqrt(squares_ / static_cast<double>(count_)));
    case FunctionId::kPercentileCont:
    case FunctionId::kPercentileDisc:
      return percentile();
    default:
      return best_;
  }
}

Result<void> Accumulator::add_number(const Value& v) {
  if (!v.is_number()) {
    return runtime_error("TypeError", "InvalidArgumentType", aggregate_->span,
                         fmt::format("{} takes numbers, found {}", aggregate_->def->name, a_kind(v.kind())));
  }
  const double x = v.to_real();
  real_ += x;
  const double distance = x - mean_;
  mean_ += distance / static_cast<double>(count_);
  squares_ += distance * (x - mean_);
  if (v.kind() == ValueKind::kFloat) {
    whole_only_ = false;
  } else if (whole_only_ && __builtin_add_overflow(whole_, v.as_integer(), &whole_) &&
             aggregate_->def->id == FunctionId::kSum) {
    return runtime_error("ArithmeticError", "IntegerOverflow", aggregate_->span, "the sum does not fit into 64 bits");
  }
  return {};
}

// `pair`: the value and the percentile, as the binder puts them together.
Result<void> Accumulator::add_ranked(const Value& pair, ExecContext& context) {
  const Value& value = pair.as_list()[0];
  const Value& rank = pair.as_list()[1];
  if (!value.is_number() || !rank.is_number()) {
    return runtime_error("TypeError", "InvalidArgumentType", aggregate_->span,
                         fmt::format("{} takes numbers, found {}", aggregate_->def->name,
                                     a_kind(value.is_number() ? rank.kind() : value.kind())));
  }
  rank_ = rank.to_real();
  if (!(rank_ >= 0 && rank_ <= 1)) {
    return runtime_error("ArgumentError", "NumberOutOfRange", aggregate_->span,
                         fmt::format("a percentile lies within 0.0..1.0, found {}", rank_));
  }
  list_.push_back(value);
  return context.hold(row_of(value));
}

Value Accumulator::percentile() {
  if (list_.empty()) return {};
  std::sort(list_.begin(), list_.end(), [](const Value& a, const Value& b) { return order(a, b) < 0; });
  if (aggregate_->def->id == FunctionId::kPercentileDisc) {  // nearest rank
    const double place = std::ceil(rank_ * static_cast<double>(list_.size()));
    return list_[place < 1 ? 0 : static_cast<std::size_t>(place) - 1];
  }
  const double place = rank_ * static_cast<double>(list_.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const double low = list_[below].to_real();
  if (below + 1 == list_.size()) return Value::real(low);
  return Value::real(low + (list_[below + 1].to_real() - low) * (place - static_cast<double>(below)));
}

}  // namespace demarche::query

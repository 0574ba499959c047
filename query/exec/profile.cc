#include "query/exec/profile.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "query/plan/planner.h"

namespace demarche::query {

namespace {

class ProfiledOp final : public Operator {
 public:
  ProfiledOp(OperatorPtr op, OperatorWork& work, ExecContext& context)
      : op_(std::move(op)), work_(work), context_(context) {}

  Result<void> next(Batch& out) override {
    using Clock = std::chrono::steady_clock;
    const StorageReads before = context_.reads;
    const Clock::time_point start = Clock::now();
    auto made = op_->next(out);
    work_.nanos += std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
    work_.reads.blocks += context_.reads.blocks - before.blocks;
    work_.reads.records += context_.reads.records - before.records;
    work_.reads.keys += context_.reads.keys - before.keys;
    ++work_.calls;
    if (made) work_.rows += out.size;
    return made;
  }
  bool rewind() override { return op_->rewind(); }

 private:
  OperatorPtr op_;
  OperatorWork& work_;
  ExecContext& context_;
};

}  // namespace

namespace {

// What a node did without the nodes it pulls from.
OperatorWork own_work(const Profile& profile, const plan::Node& node) {
  const auto of = [&](const plan::Node* n) {
    const auto it = n == nullptr ? profile.work.end() : profile.work.find(n);
    return it == profile.work.end() ? OperatorWork{} : it->second;
  };
  OperatorWork out = of(&node);
  const auto leave_out = [&](const plan::Node* n) {
    const OperatorWork below = of(n);
    out.nanos -= below.nanos;
    out.reads.blocks -= below.reads.blocks;
    out.reads.records -= below.reads.records;
    out.reads.keys -= below.reads.keys;
  };
  leave_out(node.input.get());
  if (const auto* apply = std::get_if<plan::Apply>(&node.op)) leave_out(apply->inner.get());
  if (const auto* merge = std::get_if<plan::Merge>(&node.op)) leave_out(merge->inner.get());
  if (const auto* parts = std::get_if<plan::Union>(&node.op)) {
    for (const plan::NodePtr& part : parts->parts) leave_out(part.get());
  }
  return out;
}

}  // namespace

std::vector<std::string> profile_columns() { return {"plan", "expected", "rows", "ms", "blocks", "records", "keys"}; }

std::vector<std::vector<Value>> profile_rows(const Profile& profile, const plan::Plan& plan, std::string_view text) {
  std::vector<std::vector<Value>> out(profile_columns().size());
  const auto whole = [](std::uint64_t n) { return Value::integer(static_cast<std::int64_t>(n)); };
  constexpr double kMicrosPerMilli = 1'000;
  for (const PlanLine& line : plan_lines(plan, text)) {
    out[0].push_back(Value::string(line.text));
    if (line.node == nullptr) {
      for (std::size_t i = 1; i < out.size(); ++i) out[i].emplace_back();
      continue;
    }
    const OperatorWork work = own_work(profile, *line.node);
    const double micros = std::round(static_cast<double>(work.nanos) / 1'000);
    out[1].push_back(Value::integer(std::llround(std::min(1e18, std::max(0.0, line.node->rows_estimate)))));
    out[2].push_back(whole(work.rows));
    out[3].push_back(Value::real(micros / kMicrosPerMilli));
    out[4].push_back(whole(work.reads.blocks));
    out[5].push_back(whole(work.reads.records));
    out[6].push_back(whole(work.reads.keys));
  }
  return out;
}

OperatorPtr make_profiled(OperatorPtr op, OperatorWork& work, ExecContext& context) {
  return std::make_unique<ProfiledOp>(std::move(op), work, context);
}

}  // namespace demarche::query

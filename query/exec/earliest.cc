// Chronological paths: the engine searches, this makes paths and moments of arrival of its answers.

#include <utility>

#include "engine/chronology.h"
#include "engine/edtf.h"
#include "query/exec/path_finder.h"

namespace demarche::query {

namespace {

class Earliest final : public PathFinder {
 public:
  Earliest(const plan::Walk& walk, ExecContext& context) : walk_(walk), context_(context) {
    if (walk.search.possibly) options_.mode = ChronologyMode::kPossibly;
    if (walk.search.strict) options_.mode = ChronologyMode::kStrict;
    if (!walk.kinds.any) options_.kinds = walk.kinds.set;
    if (walk.repeat.hops_max != bound::Repeat::kNoBound) options_.hops_max = walk.repeat.hops_max;
  }

  Result<void> begin(ActorId from, std::optional<ActorId> into, std::unordered_set<InteractionId>) override {
    from_ = from;
    arrivals_.clear();
    next_ = 0;
    stays_ = walk_.repeat.hops_min == 0 && (!into || *into == from);
    if (walk_.kinds.none) return {};
    DEMARCHE_CHECK(context_.check());
    if (!into) {
      DEMARCHE_ASSIGN(arrivals_, reachable(context_.view(), from, options_));
    } else if (*into != from) {
      DEMARCHE_TRY(auto arrival, earliest_arrival(context_.view(), from, *into, options_));
      if (arrival) arrivals_.push_back(std::move(*arrival));
    }
    return {};
  }

  Result<bool> next() override {
    path_ = PathValue{{from_}, {}, {}};
    if (std::exchange(stays_, false)) return true;
    if (next_ == arrivals_.size()) return false;
    const Arrival& arrival = arrivals_[next_++];
    for (const Hop& hop : arrival.path) {
      path_.actors.push_back(hop.to);
      path_.interactions.push_back(hop.interaction);
    }
    DEMARCHE_ASSIGN(path_.arrival, moment(arrival.earliest, arrival.latest));
    path_.mode = options_.mode;
    return true;
  }

 private:
  const plan::Walk& walk_;
  ExecContext& context_;
  ChronologyOptions options_;
  ActorId from_;
  bool stays_ = false;  // the path of no hop is to come
  std::vector<Arrival> arrivals_;
  std::size_t next_ = 0;
};

}  // namespace

Result<std::shared_ptr<const DateValue>> moment(Timestamp earliest, Timestamp latest) {
  if (!earliest.is_finite() && !latest.is_finite()) return nullptr;
  const auto day = [](Timestamp t) {
    return t.is_finite() ? format_instant(t).substr(0, format_instant(t).find('T')) : "";
  };
  const std::string first = day(earliest);
  const std::string last = day(latest);
  DEMARCHE_TRY(const When when, parse_when(first == last ? first : "[" + first + ".." + last + "]"));
  return std::make_shared<const DateValue>(date_of_record(when, {}));
}

Result<Value> departure(const PathValue& path, ExecContext& context) {
  if (!path.mode) return Value();
  std::vector<Hop> hops;
  for (std::size_t i = 0; i < path.interactions.size(); ++i)
    hops.push_back({path.interactions[i], path.actors[i], path.actors[i + 1]});
  DEMARCHE_TRY(const auto found, departure_of(context.view(), hops, *path.mode));
  if (!found) return Value();
  DEMARCHE_TRY(const auto date, moment(found->earliest, found->latest));
  return date ? Value::date(*date) : Value();
}

std::unique_ptr<PathFinder> make_earliest(const plan::Walk& walk, ExecContext& context) {
  return std::make_unique<Earliest>(walk, context);
}

}  // namespace demarche::query

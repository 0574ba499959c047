// Could word have gone from one to the other in time?

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/open.h"
#include "engine/chronology.h"

namespace demarche::cli {

namespace {

std::string day(Timestamp t) { return format_instant(t).substr(0, format_instant(t).find('T')); }

// Certain: word was there by the end of the last contact. Possibly: it can have been there from the earliest day on.
std::string arrival_text(const Arrival& arrival, bool certain) {
  if (certain) return arrival.latest.is_finite() ? "by " + day(arrival.latest) : "but by no known day";
  return arrival.earliest.is_finite() ? "from " + day(arrival.earliest) + " on" : "on no known day";
}

Result<void> add_path(const proto::Snapshot& view, const Arrival& arrival, ValueText& text, std::string& out) {
  for (const Hop& hop : arrival.path) {
    DEMARCHE_TRY(const Interaction record, view.get_interaction(hop.interaction));
    const std::string place = record.place.empty() ? "" : ", " + record.place;
    out += safe(fmt::format("  {}  {} -> {}  ({}{}; {})", record.when ? format_human(*record.when) : "undated",
                            text.actor_name(hop.from), text.actor_name(hop.to), kind_words(view, record.kind), place,
                            text.interaction_name(record.id))) +
           "\n";
  }
  return {};
}

Result<bool> add_answer(const proto::Snapshot& view, ActorId from, ActorId to, ChronologyOptions options,
                        std::string_view label, std::string& out) {
  ValueText text(view);
  DEMARCHE_TRY(const auto arrival, view.earliest_arrival(from, to, options));
  if (!arrival) {
    out += fmt::format("{}: no\n", label);
    return false;
  }
  out += fmt::format("{}: yes, {}\n", label, arrival_text(*arrival, options.mode != ChronologyMode::kPossibly));
  DEMARCHE_CHECK(add_path(view, *arrival, text, out));
  return true;
}

// The whole answer as text: nothing is printed of one that cannot be given.
Result<std::string> answer(const proto::Snapshot& view, const PathArgs& args) {
  DEMARCHE_TRY(const ActorId from, view.resolve_actor(args.from));
  DEMARCHE_TRY(const ActorId to, view.resolve_actor(args.to));
  ValueText text(view);
  if (from == to) {
    return invalid(
        fmt::format("'{}' and '{}' are the same actor, {}; name two", args.from, args.to, text.actor_name(from)));
  }
  ChronologyOptions options;
  std::string until;
  if (!args.before.empty()) {
    DEMARCHE_TRY(const NamedTime time, named_time(view, args.before, ""));
    options.before = time.bounds;
    until = " before " + time.label;
  }
  std::string out =
      safe(fmt::format("Could word have gone from {} to {}{}?", text.actor_name(from), text.actor_name(to), until)) +
      "\n";
  bool found = false;
  if (!args.possibly) {
    options.mode = args.strict ? ChronologyMode::kStrict : ChronologyMode::kDefault;
    DEMARCHE_ASSIGN(found, add_answer(view, from, to, options,
                                      args.strict ? "for certain, each day after the one before" : "for certain", out));
  }
  if (!found && !args.strict) {
    options.mode = ChronologyMode::kPossibly;
    DEMARCHE_CHECK(add_answer(view, from, to, options, "possibly", out));
  }
  return out + "by the contacts recorded here; no record is no proof of no contact\n";
}

}  // namespace

int run_path(const PathArgs& args) {
  auto opened = open_place(args.store);
  if (!opened) return fail(opened.error());
  const auto state = opened->session->snapshot_as_of(args.as_of);
  if (!state) return fail(state.error());
  const auto answered = answer(**state, args);
  if (!answered) return fail(answered.error());
  print(*answered);
  return flush_output() ? kDone : kFailed;
}

}  // namespace demarche::cli

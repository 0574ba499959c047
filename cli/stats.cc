#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/open.h"

namespace demarche::cli {

namespace {

std::string day_text(Timestamp t) {
  return t.is_finite() ? format_instant(t).substr(0, format_instant(t).find('T')) : "";
}

}  // namespace

int run_stats(const StatsArgs& args) {
  auto opened = open_place(args.store);
  if (!opened) return fail(opened.error());
  const auto state = opened->session->snapshot();
  if (!state) return fail(state.error());
  const auto totals = (*state)->totals();
  if (!totals) return fail(totals.error());
  const Statistics& s = (*state)->statistics();
  if (args.output.format == Format::kTable) {
    print(fmt::format("store         {}\n", safe(args.store)));
    print(fmt::format("size on disk  {:.1f} MB\n", static_cast<double>(totals->disk_bytes) / 1e6));
    print(fmt::format("actors        {}\n", s.actors));
    print(fmt::format("interactions  {}{}\n", s.interactions,
                      totals->undated > 0 ? fmt::format(", {} of them undated", totals->undated) : ""));
    print(fmt::format("sources       {}\n", s.sources));
    if (s.commit.value > 0) {
      print(
          fmt::format("last commit   {} of {}\n", s.commit.value, format_instant({s.commit_time_micros / 1'000'000})));
    }
    if (!totals->kinds.empty()) print("\n");
  }
  ValueText text(**state);
  if (args.output.format == Format::kTable && totals->kinds.empty()) return flush_output() ? kDone : kFailed;
  const auto writer = make_writer(args.output, {"kind", "below", "interactions", "first", "last"}, text);
  const KindTable& kinds = (*state)->kinds();
  for (const proto::KindTotal& kind : totals->kinds) {
    const Kind& k = kinds.get(kind.kind);
    writer->row({query::Value::string(k.name),
                 query::Value::string(k.parent.value == 0 ? "" : kinds.get(k.parent).name),
                 query::Value::integer(static_cast<std::int64_t>(kind.count)),
                 query::Value::string(day_text(kind.first)), query::Value::string(day_text(kind.last))});
  }
  writer->finish();
  return flush_output() ? kDone : kFailed;
}

}  // namespace demarche::cli

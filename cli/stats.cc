#include <filesystem>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/open.h"

namespace demarche::cli {

namespace {

std::string day_text(Timestamp t) {
  return t.is_finite() ? format_instant(t).substr(0, format_instant(t).find('T')) : "";
}

std::uint64_t folder_bytes(const std::string& path) {
  std::uint64_t total = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path, ignored)) {
    if (entry.is_regular_file(ignored)) total += entry.file_size(ignored);
  }
  return total;
}

int run_storage(const Store& store, const proto::Snapshot& state, const StatsArgs& args) {
  const std::uint64_t interactions = state.statistics().interactions;
  if (args.output.format == Format::kTable) {
    print(fmt::format("store         {}\n", safe(args.store)));
    print(fmt::format("size on disk  {:.1f} MB, the log and all else too\n\n",
                      static_cast<double>(folder_bytes(args.store)) / 1e6));
  }
  ValueText text(state);
  const auto writer = make_writer(args.output, {"family", "holds", "bytes", "bytes an interaction"}, text);
  for (const FamilySize& size : store.family_sizes()) {
    writer->row({query::Value::string(size.family), query::Value::string(size.is_index ? "index" : "records"),
                 query::Value::integer(static_cast<std::int64_t>(size.bytes)),
                 interactions == 0
                     ? query::Value()
                     : query::Value::real(static_cast<double>(size.bytes) / static_cast<double>(interactions))});
  }
  writer->finish();
  return flush_output() ? kDone : kFailed;
}

}  // namespace

void show_storage(const Store& store) {
  const CacheStatistics cache = store.cache_statistics();
  print(fmt::format("size on disk      {:.1f} MB\n", static_cast<double>(folder_bytes(store.path())) / 1e6));
  for (const FamilySize& size : store.family_sizes()) {
    if (size.bytes > 0) {
      print(fmt::format("  {:<22}  {:>8.1f} KB{}\n", size.family, static_cast<double>(size.bytes) / 1e3,
                        size.is_index ? ", index" : ""));
    }
  }
  print(fmt::format("blocks in memory  of {} actors, {:.1f} MB; found there {} times, read {} times\n", cache.actors,
                    static_cast<double>(cache.bytes) / 1e6, cache.hits, cache.misses));
}

int run_stats(const StatsArgs& args) {
  if (args.storage) {
    if (const auto here = refuse_server(args.store, "stats --storage"); !here) return fail(here.error());
  }
  auto opened = open_place(args.store);
  if (!opened) return fail(opened.error());
  const auto state = opened->session->snapshot();
  if (!state) return fail(state.error());
  if (args.storage) return run_storage(*opened->store, **state, args);
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

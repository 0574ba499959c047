#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"

namespace demarche::cli {

namespace {

struct KindCount {
  std::uint64_t count = 0;
  Timestamp first = Timestamp::highest();
  Timestamp last = Timestamp::lowest();
};

Result<std::map<KindId, KindCount>> count_kinds(const View& view, std::uint64_t& undated) {
  std::map<KindId, KindCount> out;
  DEMARCHE_TRY(RowCursor cursor, view.timeline({}, {}));
  RowBatch rows;
  while (true) {
    DEMARCHE_CHECK(cursor.next(rows));
    if (rows.size() == 0) return out;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      KindCount& kind = out[rows.kind[i]];
      ++kind.count;
      if (rows.dated[i] == 0) ++undated;
      if (rows.bounds[i].begin_min.is_finite()) kind.first = std::min(kind.first, rows.bounds[i].begin_min);
      if (rows.bounds[i].end_max.is_finite()) kind.last = std::max(kind.last, rows.bounds[i].end_max);
    }
  }
}

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

int run_storage(const Store& store, const StatsArgs& args) {
  const auto view = store.view();
  const std::uint64_t interactions = view->statistics().interactions;
  if (args.output.format == Format::kTable) {
    print(fmt::format("store         {}\n", safe(args.store)));
    print(fmt::format("size on disk  {:.1f} MB, the log and all else too\n\n",
                      static_cast<double>(folder_bytes(args.store)) / 1e6));
  }
  ValueText text(*view);
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
  auto store = open_to_read(args.store);
  if (!store) return fail(store.error());
  if (args.storage) return run_storage(**store, args);
  const auto view = (*store)->view();
  std::uint64_t undated = 0;
  const auto counted = count_kinds(*view, undated);
  if (!counted) return fail(counted.error());
  const Statistics& s = view->statistics();
  if (args.output.format == Format::kTable) {
    print(fmt::format("store         {}\n", safe(args.store)));
    print(fmt::format("size on disk  {:.1f} MB\n", static_cast<double>(folder_bytes(args.store)) / 1e6));
    print(fmt::format("actors        {}\n", s.actors));
    print(fmt::format("interactions  {}{}\n", s.interactions,
                      undated > 0 ? fmt::format(", {} of them undated", undated) : ""));
    print(fmt::format("sources       {}\n", s.sources));
    if (s.commit.value > 0) {
      print(
          fmt::format("last commit   {} of {}\n", s.commit.value, format_instant({s.commit_time_micros / 1'000'000})));
    }
    if (!counted->empty()) print("\n");
  }
  ValueText text(*view);
  if (args.output.format == Format::kTable && counted->empty()) return flush_output() ? kDone : kFailed;
  const auto writer = make_writer(args.output, {"kind", "below", "interactions", "first", "last"}, text);
  for (const auto& [id, kind] : *counted) {
    const Kind& k = view->kinds().get(id);
    writer->row({query::Value::string(k.name),
                 query::Value::string(k.parent.value == 0 ? "" : view->kinds().get(k.parent).name),
                 query::Value::integer(static_cast<std::int64_t>(kind.count)),
                 query::Value::string(day_text(kind.first)), query::Value::string(day_text(kind.last))});
  }
  writer->finish();
  return flush_output() ? kDone : kFailed;
}

}  // namespace demarche::cli

#include "bench/icews.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "engine/edtf.h"
#include "engine/exchange/line_reader.h"

namespace demarche::bench {
namespace {

constexpr unsigned kRoots = 20;  // CAMEO 01 to 20

enum class Mirror : std::uint8_t { kNone, kSame, kReversed };  // kReversed: told from the other side

struct Relation {
  std::uint32_t number = 0;  // the two tellings of a visit share theirs
  std::uint8_t kind = 0;
  Mirror mirror = Mirror::kNone;
};
using Relations = std::unordered_map<std::string, Relation>;

struct Row {
  std::int64_t day = 0;
  std::uint32_t relation = 0;
  Actor32 a = 0;
  Actor32 b = 0;
  std::uint8_t kind = 0;
  [[nodiscard]] auto key() const { return std::tie(day, relation, a, b, kind); }
};

std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> cells;
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.find('\t', begin), line.size());
    cells.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return cells;
}

Result<unsigned> number_of(std::string_view digits, const std::string& place) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size())
    return invalid(place + ": '" + std::string(digits) + "' is not a number");
  return value;
}

Result<Relations> read_relations(const std::string& path) {
  constexpr std::uint32_t kVisit = 0;
  DEMARCHE_TRY(LineReader reader, LineReader::open(path));
  Relations relations;
  std::string line;
  DEMARCHE_TRY(bool more, reader.next(line));  // head
  for (std::uint32_t next = kVisit + 1;; ++next) {
    DEMARCHE_ASSIGN(more, reader.next(line));
    if (!more) return relations;
    const auto cells = cells_of(line);
    if (cells.size() < 3) return invalid(reader.place() + ": expected relation, code and root, separated by tabs");
    DEMARCHE_TRY(const unsigned root, number_of(cells[2], reader.place()));
    if (root < 1 || root > kRoots)
      return invalid(reader.place() + ": root " + std::string(cells[2]) + " is not one of 01 to 20");
    Relation relation{next, static_cast<std::uint8_t>(root - 1), Mirror::kNone};
    const std::string_view code = cells[1];
    if (code == "040" || code == "041" || code == "044" || code == "046") relation.mirror = Mirror::kSame;
    if (code == "042" || code == "043") relation.number = kVisit;
    if (code == "043") relation.mirror = Mirror::kReversed;
    relations.emplace(cells[0], relation);
  }
}

Result<std::int64_t> day_of(std::string_view date, const std::string& place) {
  if (date.size() != 10 || date[4] != '-' || date[7] != '-')
    return invalid(place + ": '" + std::string(date) + "' is not a day; expected YYYY-MM-DD");
  DEMARCHE_TRY(const unsigned year, number_of(date.substr(0, 4), place));
  DEMARCHE_TRY(const unsigned month, number_of(date.substr(5, 2), place));
  DEMARCHE_TRY(const unsigned day, number_of(date.substr(8, 2), place));
  return days_from_civil(year, month, day);
}

using Names = std::unordered_map<std::string, Actor32>;

Result<void> read_table(const std::string& path, const Relations& relations, Names& names, std::vector<Row>& rows,
                        IcewsReport& report) {
  DEMARCHE_TRY(LineReader reader, LineReader::open(path));
  std::string line;
  DEMARCHE_TRY(bool more, reader.next(line));  // head
  while (true) {
    DEMARCHE_ASSIGN(more, reader.next(line));
    if (!more) return {};
    const auto cells = cells_of(line);
    if (cells.size() != 4)
      return invalid(reader.place() + ": " + std::to_string(cells.size()) + " cells, expected 4 separated by tabs");
    const auto relation = relations.find(std::string(cells[1]));
    if (relation == relations.end())
      return invalid(reader.place() + ": relation '" + std::string(cells[1]) + "' is not in relations.tsv");
    DEMARCHE_TRY(const std::int64_t day, day_of(cells[3], reader.place()));
    ++report.rows;
    if (cells[0] == cells[2]) {
      ++report.self;
      continue;
    }
    const Actor32 subject = names.emplace(cells[0], static_cast<Actor32>(names.size())).first->second;
    const Actor32 object = names.emplace(cells[2], static_cast<Actor32>(names.size())).first->second;
    Row row{day, relation->second.number, subject, object, relation->second.kind};
    const bool turn =
        relation->second.mirror == Mirror::kReversed || (relation->second.mirror == Mirror::kSame && object < subject);
    if (turn) std::swap(row.a, row.b);
    rows.push_back(row);
  }
}

}  // namespace

Result<Dataset> read_icews(const std::string& folder, IcewsReport& report) {
  report = {};
  DEMARCHE_TRY(const Relations relations, read_relations(folder + "/relations.tsv"));
  Names names;
  std::vector<Row> rows;
  for (const char* table : kIcewsTables) {
    for (const char* ending : {".tsv.zst", ".tsv"}) {
      const std::string path = folder + "/" + table + ending;
      if (std::error_code error; !std::filesystem::exists(path, error)) continue;
      DEMARCHE_CHECK(read_table(path, relations, names, rows, report));
      report.tables.push_back(table);
      break;
    }
  }
  if (rows.empty()) return make_error(ErrorCode::kNotFound, "no table of events in '" + folder + "'");

  std::sort(rows.begin(), rows.end(), [](const Row& x, const Row& y) { return x.key() < y.key(); });
  const auto end = std::unique(rows.begin(), rows.end(), [](const Row& x, const Row& y) { return x.key() == y.key(); });
  report.folded = static_cast<std::size_t>(rows.end() - end);
  rows.erase(end, rows.end());

  Dataset data;
  data.name = "ICEWS";
  data.first_day = rows.front().day;
  const std::int64_t days = rows.back().day - rows.front().day + 1;
  if (days > 65'535) return invalid("events over " + std::to_string(days) + " days; the bench counts to 65535");
  data.day_count = static_cast<std::uint32_t>(days);
  data.actor_count = static_cast<std::uint32_t>(names.size());
  data.kind_count = kRoots;
  for (const Row& row : rows) {
    data.days.push_back(static_cast<Day16>(row.day - data.first_day));
    data.kinds.push_back(row.kind);
    data.parties.insert(data.parties.end(), {row.a, row.b});
  }
  return data;
}

}  // namespace demarche::bench

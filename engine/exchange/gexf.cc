#include "engine/exchange/gexf.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <compare>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <utf8proc.h>

#include "engine/contact.h"
#include "engine/edtf.h"
#include "engine/model.h"

namespace demarche {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 16;
constexpr int kTemporaryNamesMax = 100;

// ---- time

constexpr std::int64_t kAlwaysBefore = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kEverAfter = std::numeric_limits<std::int64_t>::max();

// Days since 1970, both inclusive.
struct Spell {
  std::int64_t first = kAlwaysBefore;
  std::int64_t last = kEverAfter;

  [[nodiscard]] bool is_always() const { return first == kAlwaysBefore && last == kEverAfter; }
};

std::int64_t day_of(Timestamp t) {
  const std::int64_t day = t.seconds / kSecondsPerDay;
  return t.seconds % kSecondsPerDay < 0 ? day - 1 : day;
}

struct Placed {
  std::optional<Spell> spell;  // absent: no time
  bool beyond_calendar = false;
};

// REQUIRES: the bounds are of a date, not of the lack of one.
Placed place(const TimeBounds& bounds) {
  static const std::int64_t first_day = days_from_civil(1, 1, 1);
  static const std::int64_t last_day = days_from_civil(9999, 12, 31);
  Placed out;
  Spell spell;
  if (bounds.begin_min.is_finite()) spell.first = day_of(bounds.begin_min);
  if (bounds.end_max.is_finite()) spell.last = day_of(bounds.end_max);
  if (spell.last < first_day || spell.first > last_day) {
    out.beyond_calendar = true;
    return out;
  }
  if (spell.first < first_day) {
    out.beyond_calendar |= spell.first != kAlwaysBefore;
    spell.first = kAlwaysBefore;
  }
  if (spell.last > last_day) {
    out.beyond_calendar |= spell.last != kEverAfter;
    spell.last = kEverAfter;
  }
  out.spell = spell;
  return out;
}

// Joins those that share a day; neighbouring days stay apart. Empty if they cover all of time.
std::vector<Spell> join_spells(std::vector<Spell> spells) {
  std::sort(spells.begin(), spells.end(),
            [](const Spell& a, const Spell& b) { return std::tie(a.first, a.last) < std::tie(b.first, b.last); });
  std::vector<Spell> out;
  for (const Spell& spell : spells) {
    if (!out.empty() && spell.first <= out.back().last) {
      out.back().last = std::max(out.back().last, spell.last);
    } else {
      out.push_back(spell);
    }
  }
  if (out.size() == 1 && out.front().is_always()) out.clear();
  return out;
}

// ---- the graph

// What an edge needs to know of an interaction.
struct Record {
  InteractionId id;
  KindId kind;
  bool dated = false;
  Timestamp begin_min = Timestamp::lowest();
  std::optional<Spell> spell;
  std::string date;
  std::string place;
  std::string key;
  std::string status;
  std::vector<std::string> sources;
  std::vector<Participant> participants;
};

// The order of edges in the file. `interaction` is 0 for a merged edge.
struct EdgeKey {
  ActorId source;
  ActorId target;
  KindId kind;
  bool directed = false;
  InteractionId interaction;
  friend constexpr auto operator<=>(const EdgeKey&, const EdgeKey&) = default;
};

struct Graph {
  std::vector<Record> records;  // by time, undated ones last
  std::set<ActorId> actors;
  std::map<EdgeKey, std::vector<std::size_t>> edges;  // indexes of records, ascending
};

// Keys of sources, each read once.
class SourceKeys {
 public:
  explicit SourceKeys(const View& view) : view_(view) {}

  [[nodiscard]] Result<std::string> get(SourceId id) {
    const auto found = keys_.find(id);
    if (found != keys_.end()) return found->second;
    DEMARCHE_TRY(const Source source, view_.get_source(id));
    keys_.emplace(id, source.key);
    return source.key;
  }

 private:
  const View& view_;
  std::unordered_map<SourceId, std::string> keys_;
};

Result<Record> read_record(const View& view, InteractionId id, SourceKeys& sources, GexfReport& report) {
  DEMARCHE_TRY(Interaction interaction, view.get_interaction(id));
  if (view.kinds().find_id(interaction.kind) == nullptr) {
    return make_error(ErrorCode::kCorruption, fmt::format("interaction {} has kind {}, which is not in the store",
                                                          id.value, interaction.kind.value));
  }
  Record out;
  out.id = id;
  out.kind = interaction.kind;
  out.place = std::move(interaction.place);
  out.key = std::move(interaction.key);
  out.status = status_name(interaction.status);
  out.participants = std::move(interaction.participants);
  if (interaction.when) {
    const Placed placed = place(interaction.when->bounds);
    out.dated = true;
    out.begin_min = interaction.when->bounds.begin_min;
    out.spell = placed.spell;
    out.date = std::move(interaction.when->text);
    if (placed.beyond_calendar) ++report.beyond_calendar;
  } else {
    ++report.undated;
  }
  for (const Claim& claim : interaction.claims) {
    DEMARCHE_TRY(std::string key, sources.get(claim.source));
    out.sources.push_back(std::move(key));
  }
  return out;
}

enum class Direction : std::uint8_t { kNone, kForward, kBackward };

Direction direction_of(std::span<const Party> parties, std::size_t i, std::size_t j) {
  const Side a = party_side(parties, i);
  const Side b = party_side(parties, j);
  if (a == Side::kFrom && b == Side::kTo) return Direction::kForward;
  if (a == Side::kTo && b == Side::kFrom) return Direction::kBackward;
  return Direction::kNone;
}

// An actor may take part more than once (as caller and as callee): a pair has a direction only if all its contacts
// agree on it. A contact with oneself goes both ways, so it has none.
Direction agreed_direction(std::span<const Party> parties, bool rule, const std::vector<std::size_t>& of_a,
                           const std::vector<std::size_t>& of_b) {
  std::optional<Direction> agreed;
  for (const std::size_t i : of_a) {
    for (const std::size_t j : of_b) {
      if (!in_contact(parties, i, j, rule)) continue;
      const Direction direction = direction_of(parties, i, j);
      if (agreed.value_or(direction) != direction) return Direction::kNone;
      agreed = direction;
    }
  }
  return agreed.value_or(Direction::kNone);
}

void add_edges(const KindTable& kinds, std::size_t index, GexfEdges form, Graph& graph, GexfReport& report) {
  const Record& record = graph.records[index];
  const std::vector<Party> parties = parties_of(record.participants);
  const bool rule = has_contact_rule(kinds, record.kind);
  std::unordered_map<ActorId, std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < parties.size(); ++i) {
    graph.actors.insert(parties[i].actor);
    places[parties[i].actor].push_back(i);
  }
  const auto pairs = contact_pairs(parties, rule);
  if (pairs.empty()) ++report.without_edges;
  for (const auto& [i, j] : pairs) {
    ActorId source = parties[i].actor;
    ActorId target = parties[j].actor;
    const Direction direction = agreed_direction(parties, rule, places[source], places[target]);
    const bool directed = direction != Direction::kNone;
    if (directed ? direction == Direction::kBackward : target < source) std::swap(source, target);
    const InteractionId own = form == GexfEdges::kEach ? record.id : InteractionId{};
    graph.edges[{source, target, record.kind, directed, own}].push_back(index);
  }
}

Result<Graph> read_graph(const View& view, std::span<const InteractionId> interactions, std::span<const ActorId> actors,
                         GexfEdges form, GexfReport& report) {
  Graph graph;
  graph.actors.insert(actors.begin(), actors.end());
  SourceKeys sources(view);
  for (const InteractionId id : std::set<InteractionId>(interactions.begin(), interactions.end())) {
    DEMARCHE_TRY(Record record, read_record(view, id, sources, report));
    graph.records.push_back(std::move(record));
  }
  std::sort(graph.records.begin(), graph.records.end(), [](const Record& a, const Record& b) {
    return std::tuple(!a.dated, a.begin_min, a.id) < std::tuple(!b.dated, b.begin_min, b.id);
  });
  for (std::size_t i = 0; i < graph.records.size(); ++i) add_edges(view.kinds(), i, form, graph, report);
  report.interactions = graph.records.size();
  report.nodes = graph.actors.size();
  report.edges = graph.edges.size();
  return graph;
}

// ---- the file

// A file that takes the place of another when it is whole. Errors of writing are kept for finish().
class ReplacingFile {
 public:
  explicit ReplacingFile(std::string path) : path_(std::move(path)) { buffer_.reserve(kBufferBytes); }
  ~ReplacingFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }
  ReplacingFile(const ReplacingFile&) = delete;
  ReplacingFile& operator=(const ReplacingFile&) = delete;

  [[nodiscard]] Result<void> open() {
    struct stat found {};
    if (::stat(path_.c_str(), &found) == 0 && !S_ISREG(found.st_mode)) {
      return invalid(fmt::format("write '{}': a folder or device stands there; name a file", path_));
    }
    for (int i = 0; i < kTemporaryNamesMax && fd_ < 0; ++i) {
      std::string name = fmt::format("{}.{}-{}.new", path_, ::getpid(), i);
      fd_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (fd_ >= 0) temporary_ = std::move(name);
      if (fd_ < 0 && errno != EEXIST) break;
    }
    if (fd_ < 0) return failure(errno);
    return {};
  }

  void write(std::string_view text) {
    if (buffer_.size() + text.size() > kBufferBytes) flush();
    buffer_ += text;
  }

  [[nodiscard]] Result<void> finish() {
    flush();
    if (error_ == 0 && ::fsync(fd_) != 0) error_ = errno;
    if (::close(std::exchange(fd_, -1)) != 0 && error_ == 0) error_ = errno;
    if (error_ == 0 && ::rename(temporary_.c_str(), path_.c_str()) != 0) error_ = errno;
    if (error_ != 0) return failure(error_);
    temporary_.clear();
    sync_folder();
    return {};
  }

 private:
  void flush() {
    std::string_view rest = buffer_;
    while (!rest.empty() && error_ == 0) {
      const ssize_t written = ::write(fd_, rest.data(), rest.size());
      if (written >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        error_ = errno;
      }
    }
    buffer_.clear();
  }

  // The new file stands already; where the folder cannot be synced, a power cut may bring back the old one, whole.
  void sync_folder() const {
    const std::string folder = std::filesystem::path(path_).parent_path().string();
    const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)::fsync(fd);
    ::close(fd);
  }

  [[nodiscard]] tl::unexpected<Error> failure(int code) const {
    const bool denied = code == EACCES || code == EPERM || code == EROFS;
    return make_error(denied ? ErrorCode::kDenied : ErrorCode::kIo,
                      fmt::format("write '{}': {}", path_, std::strerror(code)));
  }

  std::string path_;
  std::string temporary_;  // empty: there is none to remove
  std::string buffer_;
  int fd_ = -1;
  int error_ = 0;
};

// ---- XML

bool is_xml_character(utf8proc_int32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r';
  return (c < 0xD800 || c > 0xDFFF) && c != 0xFFFE && c != 0xFFFF;
}

// White space other than the space would not survive in an attribute; as references it does, and does no harm
// elsewhere.
std::string_view reference_of(utf8proc_int32_t c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&apos;";
    case '\t':
      return "&#9;";
    case '\n':
      return "&#10;";
    case '\r':
      return "&#13;";
    default:
      return {};
  }
}

class GexfWriter {
 public:
  GexfWriter(const View& view, ReplacingFile& file) : view_(view), file_(file) {}

  void write(const Graph& graph, const std::vector<Actor>& actors, const GexfOptions& options) {
    file_.write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gexf xmlns=\"http://gexf.net/1.3\" version=\"1.3\">\n");
    write_meta(options);
    write_graph_head(graph);
    file_.write(fmt::format("  <nodes count=\"{}\">\n", actors.size()));
    for (const Actor& actor : actors) write_node(actor);
    file_.write(fmt::format("  </nodes>\n  <edges count=\"{}\">\n", graph.edges.size()));
    for (const auto& [key, indexes] : graph.edges) write_edge(graph, key, indexes);
    file_.write("  </edges>\n </graph>\n</gexf>\n");
  }

  [[nodiscard]] std::size_t replaced() const { return replaced_; }

 private:
  std::string escape(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      utf8proc_int32_t c = -1;
      const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
      const auto length = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size()), &c);
      const std::size_t size = length > 0 ? static_cast<std::size_t>(length) : 1;
      if (length <= 0 || !is_xml_character(c)) {
        out += "\xEF\xBF\xBD";
        ++replaced_;
      } else if (const std::string_view reference = reference_of(c); !reference.empty()) {
        out += reference;
      } else {
        out += text.substr(0, size);
      }
      text.remove_prefix(size);
    }
    return out;
  }

  void write_meta(const GexfOptions& options) {
    file_.write(options.modified ? fmt::format(" <meta lastmodifieddate=\"{}\">\n", *options.modified) : " <meta>\n");
    if (!options.creator.empty()) file_.write(fmt::format("  <creator>{}</creator>\n", escape(options.creator)));
    if (!options.description.empty()) {
      file_.write(fmt::format("  <description>{}</description>\n", escape(options.description)));
    }
    file_.write(" </meta>\n");
  }

  // To Gephi the default type of edges is the only one allowed: it drops edges of the other. A mixed graph has none.
  void write_graph_head(const Graph& graph) {
    bool directed = false;
    bool undirected = false;
    for (const auto& edge : graph.edges) (edge.first.directed ? directed : undirected) = true;
    std::string_view type = " defaultedgetype=\"undirected\"";
    if (directed) type = undirected ? "" : " defaultedgetype=\"directed\"";
    file_.write(
        fmt::format(" <graph mode=\"dynamic\"{} timeformat=\"date\" timerepresentation=\"interval\">\n"
                    "  <attributes class=\"node\" mode=\"static\">\n"
                    "   <attribute id=\"key\" title=\"key\" type=\"string\"/>\n"
                    "   <attribute id=\"labels\" title=\"labels\" type=\"string\"/>\n"
                    "   <attribute id=\"aliases\" title=\"aliases\" type=\"string\"/>\n"
                    "  </attributes>\n"
                    "  <attributes class=\"edge\" mode=\"static\">\n"
                    "   <attribute id=\"dates\" title=\"dates (EDTF)\" type=\"string\"/>\n"
                    "   <attribute id=\"places\" title=\"places\" type=\"string\"/>\n"
                    "   <attribute id=\"keys\" title=\"keys\" type=\"string\"/>\n"
                    "   <attribute id=\"statuses\" title=\"statuses\" type=\"string\"/>\n"
                    "   <attribute id=\"sources\" title=\"sources\" type=\"string\"/>\n"
                    "  </attributes>\n",
                    type));
  }

  // Attributes without a value are left out, and so is the list when none is left.
  void write_values(const std::vector<std::pair<std::string_view, std::string>>& values) {
    if (std::all_of(values.begin(), values.end(), [](const auto& value) { return value.second.empty(); })) return;
    file_.write("    <attvalues>\n");
    for (const auto& [name, value] : values) {
      if (!value.empty()) file_.write(fmt::format("     <attvalue for=\"{}\" value=\"{}\"/>\n", name, escape(value)));
    }
    file_.write("    </attvalues>\n");
  }

  void write_node(const Actor& actor) {
    std::string label = actor.name.empty() ? actor.key : actor.name;
    if (label.empty()) label = fmt::format("actor {}", actor.id.value);
    file_.write(fmt::format("   <node id=\"a{}\" label=\"{}\">\n", actor.id.value, escape(label)));
    write_values({{"key", actor.key},
                  {"labels", fmt::format("{}", fmt::join(actor.labels, ";"))},
                  {"aliases", fmt::format("{}", fmt::join(actor.aliases, "; "))}});
    file_.write("   </node>\n");
  }

  void write_spells(const Graph& graph, const std::vector<std::size_t>& indexes) {
    std::vector<Spell> spells;
    for (const std::size_t i : indexes) {
      if (graph.records[i].spell) spells.push_back(*graph.records[i].spell);
    }
    spells = join_spells(std::move(spells));
    if (spells.empty()) return;
    file_.write("    <spells>\n");
    for (const Spell& spell : spells) {
      std::string sides;
      if (spell.first != kAlwaysBefore) sides += fmt::format(" start=\"{}\"", format_day(spell.first));
      if (spell.last != kEverAfter) sides += fmt::format(" end=\"{}\"", format_day(spell.last));
      file_.write(fmt::format("     <spell{}/>\n", sides));
    }
    file_.write("    </spells>\n");
  }

  // The texts that `texts_of` adds for each record, each once, where it comes first.
  template <typename TextsOf>
  static std::string join_once(const Graph& graph, const std::vector<std::size_t>& indexes, TextsOf texts_of) {
    std::vector<std::string> all;
    for (const std::size_t i : indexes) texts_of(graph.records[i], all);
    std::set<std::string_view> seen{""};
    std::string out;
    for (const std::string& text : all) {
      if (seen.insert(text).second) out += (out.empty() ? "" : "; ") + text;
    }
    return out;
  }

  static std::string join_once(const Graph& graph, const std::vector<std::size_t>& indexes, std::string Record::*text) {
    return join_once(graph, indexes,
                     [text](const Record& record, std::vector<std::string>& out) { out.push_back(record.*text); });
  }

  void write_edge(const Graph& graph, const EdgeKey& key, const std::vector<std::size_t>& indexes) {
    const std::string id =
        key.interaction.value != 0
            ? fmt::format("i{}-{}-{}", key.interaction.value, key.source.value, key.target.value)
            : fmt::format("{}{}-{}-{}", key.directed ? 'd' : 'u', key.source.value, key.target.value, key.kind.value);
    const std::string kind = escape(view_.kinds().get(key.kind).name);
    file_.write(fmt::format(
        "   <edge id=\"{}\" source=\"a{}\" target=\"a{}\" type=\"{}\" kind=\"{}\" label=\"{}\" weight=\"{}\">\n", id,
        key.source.value, key.target.value, key.directed ? "directed" : "undirected", kind, kind, indexes.size()));
    write_values({{"dates", join_once(graph, indexes, &Record::date)},
                  {"places", join_once(graph, indexes, &Record::place)},
                  {"keys", join_once(graph, indexes, &Record::key)},
                  {"statuses", join_once(graph, indexes, &Record::status)},
                  {"sources", join_once(graph, indexes, [](const Record& record, std::vector<std::string>& out) {
                     out.insert(out.end(), record.sources.begin(), record.sources.end());
                   })}});
    write_spells(graph, indexes);
    file_.write("   </edge>\n");
  }

  const View& view_;
  ReplacingFile& file_;
  std::size_t replaced_ = 0;
};

// XML's day, of the years 1 to 9999.
bool is_full_day(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00";
  const bool shaped = std::equal(text.begin(), text.end(), kShape.begin(), kShape.end(),
                                 [](char c, char s) { return s == '0' ? c >= '0' && c <= '9' : c == s; });
  return shaped && !text.starts_with("0000") && parse_edtf(text).has_value();
}

}  // namespace

Result<GexfReport> write_gexf(const View& view, std::span<const InteractionId> interactions,
                              std::span<const ActorId> actors, const std::string& path, const GexfOptions& options) {
  if (options.modified && !is_full_day(*options.modified)) {
    return invalid(fmt::format("date of the file '{}' is not a day; write it as in 2016-04-29", *options.modified));
  }
  GexfReport report;
  DEMARCHE_TRY(const Graph graph, read_graph(view, interactions, actors, options.edges, report));
  std::vector<Actor> nodes;
  nodes.reserve(graph.actors.size());
  for (const ActorId id : graph.actors) {
    DEMARCHE_TRY(Actor actor, view.get_actor(id));
    nodes.push_back(std::move(actor));
  }
  ReplacingFile file(path);
  DEMARCHE_CHECK(file.open());
  GexfWriter writer(view, file);
  writer.write(graph, nodes, options);
  DEMARCHE_CHECK(file.finish());
  report.replaced_characters = writer.replaced();
  return report;
}

}  // namespace demarche

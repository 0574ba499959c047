// Event data as rows "subject, relation, object, date". Rows that mirror each other are one interaction
// (docs/import.md).

#include <algorithm>
#include <array>
#include <filesystem>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "engine/date_words.h"
#include "engine/exchange/import.h"
#include "engine/exchange/line_reader.h"
#include "engine/names.h"

namespace demarche {

namespace {

constexpr std::size_t kProgressEvery = 5000;
constexpr std::size_t kPlainAtOnce = 4096;

// How the rows of a relation become interactions.
struct Relation {
  KindId kind;
  Role subject_role = Role::kInitiator;
  Role object_role = Role::kRecipient;
  bool symmetric = false;  // the mirrored row says the same
  bool visit = false;      // folded with the other side's row
};

struct CodeRule {
  const char* code;
  KindId kind;
  Role subject_role;
  Role object_role;
  bool symmetric;
  bool visit;
};

// CAMEO codes whose relations are contacts of a kind of their own.
constexpr std::array<CodeRule, 7> kCodeRules = {{
    {"040", kinds::kConsultation, Role::kParticipant, Role::kParticipant, true, false},
    {"041", kinds::kCall, Role::kParticipant, Role::kParticipant, true, false},
    {"042", kinds::kVisit, Role::kVisitor, Role::kHost, false, true},
    {"043", kinds::kVisit, Role::kHost, Role::kVisitor, false, true},
    {"044", kinds::kMeeting, Role::kParticipant, Role::kParticipant, true, false},
    {"045", kinds::kMediation, Role::kMediator, Role::kDelegation, false, false},
    {"046", kinds::kNegotiation, Role::kParticipant, Role::kParticipant, true, false},
}};

std::vector<std::string_view> split_tabs(std::string_view line) {
  std::vector<std::string_view> out;
  for (std::size_t from = 0;;) {
    const std::size_t tab = line.find('\t', from);
    out.push_back(line.substr(from, tab == std::string_view::npos ? tab : tab - from));
    if (tab == std::string_view::npos) return out;
    from = tab + 1;
  }
}

// "Discuss by telephone" -> DISCUSS_BY_TELEPHONE
std::string kind_name(std::string_view relation) {
  std::string out;
  for (const char c : relation) {
    const bool lower = c >= 'a' && c <= 'z';
    if (lower || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
      out += lower ? static_cast<char>(c - 'a' + 'A') : c;
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
  }
  while (out.ends_with('_')) out.pop_back();
  return out;
}

// A table with a header line: the columns asked for, by name.
class Table {
 public:
  static Result<Table> open(const std::string& path, const std::vector<std::string>& wanted) {
    DEMARCHE_TRY(LineReader lines, LineReader::open(path));
    Table out(std::move(lines));
    DEMARCHE_TRY(const bool any, out.lines_.next(out.line_));
    if (!any) return invalid(fmt::format("{}: the file is empty; its first line names the columns", path));
    const auto header = split_tabs(out.line_);
    out.width_ = header.size();
    for (const std::string& name : wanted) {
      const auto it = std::find(header.begin(), header.end(), name);
      if (it == header.end()) {
        return invalid(
            fmt::format("{}:1: no column '{}'; the first line names the columns, parted by tabs", path, name));
      }
      out.columns_.push_back(static_cast<std::size_t>(it - header.begin()));
    }
    return out;
  }

  // The wanted columns of the next row; false at the end. Blank lines are passed over.
  Result<bool> next(std::vector<std::string_view>& fields) {
    do {
      DEMARCHE_TRY(const bool more, lines_.next(line_));
      if (!more) return false;
    } while (line_.empty());
    const auto all = split_tabs(line_);
    if (all.size() != width_) {
      return invalid(fmt::format("{}: {} columns, the first line has {}", lines_.place(), all.size(), width_));
    }
    fields.clear();
    for (const std::size_t column : columns_) fields.push_back(all[column]);
    return true;
  }

  [[nodiscard]] const LineReader& lines() const { return lines_; }

 private:
  explicit Table(LineReader lines) : lines_(std::move(lines)) {}
  LineReader lines_;
  std::string line_;
  std::size_t width_ = 0;
  std::vector<std::size_t> columns_;
};

// What makes two rows the same interaction.
struct FoldKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  std::uint32_t relation = 0;
  std::string date;
  friend bool operator==(const FoldKey&, const FoldKey&) = default;
};
struct FoldKeyHash {
  std::size_t operator()(const FoldKey& k) const {
    std::size_t h = std::hash<std::string>{}(k.date);
    for (const std::uint64_t v : {k.first, k.second, std::uint64_t{k.relation}}) h = (h ^ v) * 0x9E3779B97F4A7C15ULL;
    return h;
  }
};

// One interaction to be, in the order of its first row.
struct Event {
  Relation relation;
  ActorId subject;
  ActorId object;
  When when;
  std::vector<std::size_t> lines;
};

// Events that a store holds as plain interactions, on their way there.
class PlainColumns {
 public:
  explicit PlainColumns(SourceId source) : source_(source) {}

  // False if the event says more than the columns can.
  bool take(const Event& event) {
    if (event.lines.size() > 2 || !event.when.bounds.begin_min.is_finite()) return false;
    const std::int64_t day = event.when.bounds.begin_min.seconds / kSecondsPerDay;
    if (day < days_from_civil(1, 1, 1) || event.when.text != format_day(day)) return false;
    kinds_.push_back(event.relation.kind);
    days_.push_back(day);
    actors_.insert(actors_.end(), {event.subject, event.object});
    roles_.insert(roles_.end(), {event.relation.subject_role, event.relation.object_role});
    party_begin_.push_back(static_cast<std::uint32_t>(actors_.size()));
    lines_.push_back(event.lines.front());
    seconds_.push_back(event.lines.size() > 1 ? event.lines.back() : 0);
    return true;
  }
  [[nodiscard]] std::size_t size() const { return kinds_.size(); }
  Result<void> flush(Transaction& tx) {
    if (kinds_.empty()) return {};
    DEMARCHE_CHECK(tx.add_plain_interactions(
        {kinds_, days_, party_begin_, actors_, roles_, Status::kNone, source_, lines_, seconds_}));
    kinds_.clear();
    days_.clear();
    party_begin_.assign(1, 0);
    actors_.clear();
    roles_.clear();
    lines_.clear();
    seconds_.clear();
    return {};
  }

 private:
  SourceId source_;
  std::vector<KindId> kinds_;
  std::vector<std::int64_t> days_;
  std::vector<std::uint32_t> party_begin_ = {0};
  std::vector<ActorId> actors_;
  std::vector<Role> roles_;
  std::vector<std::uint64_t> lines_;
  std::vector<std::uint64_t> seconds_;
};

class DyadsImport {
 public:
  DyadsImport(Transaction& transaction, const ImportProgress& progress) : tx_(transaction), progress_(progress) {}

  Result<ImportReport> run(const std::vector<std::string>& files, const std::string& kinds_file) {
    DEMARCHE_CHECK(read_relations(kinds_file));
    for (const std::string& file : files) {
      DEMARCHE_CHECK(read_rows(file));
      DEMARCHE_CHECK(enter_events(file));
    }
    return report_;
  }

 private:
  Result<void> read_relations(const std::string& file) {
    DEMARCHE_TRY(Table table, Table::open(file, {"relation", "cameo_code", "class"}));
    std::vector<std::string_view> row;
    while (true) {
      DEMARCHE_TRY(const bool more, table.next(row));
      if (!more) return {};
      if (auto entered = enter_relation(std::string(row[0]), row[1], row[2]); !entered) {
        return tl::unexpected(std::move(entered).error().with_context(table.lines().place()));
      }
    }
  }

  Result<void> enter_relation(const std::string& name, std::string_view code, std::string_view row_class) {
    Relation relation;
    const auto rule =
        std::find_if(kCodeRules.begin(), kCodeRules.end(), [&](const CodeRule& r) { return code == r.code; });
    if (rule != kCodeRules.end()) {
      relation = {rule->kind, rule->subject_role, rule->object_role, rule->symmetric, rule->visit};
    } else if (row_class == "contact") {
      relation = {kinds::kContact, Role::kParticipant, Role::kParticipant, false, false};
    } else if (row_class == "utterance") {
      relation = {kinds::kUtterance, Role::kSpeaker, Role::kAddressee, false, false};
    } else if (row_class == "action") {
      relation = {kinds::kAction, Role::kInitiator, Role::kRecipient, false, false};
    } else {
      return invalid(fmt::format("unknown class '{}'; contact, utterance or action", row_class));
    }
    if (!relation.visit) {  // both relations of a visit are the kind VISIT itself
      const std::size_t before = tx_.view().kinds().all().size();
      auto kind = tx_.declare_kind(kind_name(name), relation.kind, code);
      if (!kind) return tl::unexpected(std::move(kind).error().with_context(fmt::format("relation '{}'", name)));
      relation.kind = *kind;
      report_.kinds += tx_.view().kinds().all().size() - before;
    }
    if (!relations_.emplace(name, relation).second) return invalid(fmt::format("relation '{}' stands twice", name));
    return {};
  }

  Result<void> read_rows(const std::string& file) {
    events_.clear();
    folded_.clear();
    DEMARCHE_TRY(Table table, Table::open(file, {"subject", "relation", "object", "date"}));
    std::vector<std::string_view> row;
    while (true) {
      DEMARCHE_TRY(const bool more, table.next(row));
      if (!more) return {};
      if (++report_.lines % kProgressEvery == 0 && progress_) progress_(report_.lines);
      if (auto taken = take_row(row, table.lines().line_number()); !taken) {
        return tl::unexpected(std::move(taken).error().with_context(table.lines().place()));
      }
    }
  }

  Result<void> take_row(const std::vector<std::string_view>& row, std::size_t line) {
    const auto relation = relations_.find(std::string(row[1]));
    if (relation == relations_.end()) {
      std::vector<std::string> names;
      for (const auto& entry : relations_) names.push_back(entry.first);
      const std::string near = nearest(row[1], names);
      return invalid(fmt::format("unknown relation '{}'{}; add it to the file given with --kinds", row[1],
                                 near.empty() ? "" : fmt::format(" (nearest: '{}')", near)));
    }
    DEMARCHE_TRY(const ActorId subject, actor_of(row[0]));
    DEMARCHE_TRY(const ActorId object, actor_of(row[2]));
    DEMARCHE_TRY(const When* when, date_of(row[3]));
    if (!relation->second.symmetric && !relation->second.visit) {
      events_.push_back({relation->second, subject, object, *when, {line}});
      return {};
    }
    const auto [it, fresh] = folded_.try_emplace(fold_key(relation->second, subject, object, *when), events_.size());
    if (fresh) {
      events_.push_back({relation->second, subject, object, *when, {line}});
    } else {
      events_[it->second].lines.push_back(line);
      ++report_.folded;
    }
    return {};
  }

  static FoldKey fold_key(const Relation& relation, ActorId subject, ActorId object, const When& when) {
    FoldKey key{subject.value, object.value, relation.kind.value, when.text};
    const bool swap = relation.visit ? relation.subject_role == Role::kHost : object < subject;
    if (swap) std::swap(key.first, key.second);
    return key;
  }

  // The actor whose preferred name this is, byte for byte; made if there is none.
  Result<ActorId> actor_of(std::string_view name) {
    if (name.find_first_not_of(" \t") == std::string_view::npos) return invalid("an actor's name is empty");
    std::string text(name);
    if (const auto it = actors_.find(text); it != actors_.end()) return it->second;
    DEMARCHE_TRY(const std::vector<ActorId> candidates, tx_.view().find_actors_by_name(text));
    std::vector<ActorId> same;
    for (const ActorId id : candidates) {
      DEMARCHE_TRY(const Actor actor, tx_.view().get_actor(id));
      if (actor.name == text) same.push_back(id);
    }
    if (same.size() > 1) {
      return invalid(fmt::format("{} actors of the store are called '{}'; rename one, or import into a new store",
                                 same.size(), text));
    }
    ActorId id;
    if (same.empty()) {
      Actor actor;
      actor.name = text;
      DEMARCHE_ASSIGN(id, tx_.add_actor(std::move(actor)));
      ++report_.actors;
    } else {
      id = same.front();
    }
    actors_.emplace(std::move(text), id);
    return id;
  }

  Result<const When*> date_of(std::string_view text) {
    std::string written(text);
    if (const auto it = dates_.find(written); it != dates_.end()) return &it->second;
    DEMARCHE_TRY(When when, parse_when_or_words(written));
    return &dates_.emplace(std::move(written), std::move(when)).first->second;
  }

  Result<void> enter_events(const std::string& file) {
    Source source;
    source.key = std::filesystem::path(file).filename().string();
    source.title = source.key;
    source.note = "Imported as dyads; each claim names the lines it came from.";
    auto source_id = tx_.add_source(std::move(source));
    if (!source_id) {
      return tl::unexpected(std::move(source_id).error().with_context(
          fmt::format("'{}' seems to be in this store already; rename the file if it is another one", file)));
    }
    ++report_.sources;
    PlainColumns columns(*source_id);
    for (Event& event : events_) {
      ++report_.interactions;
      if (columns.take(event)) {
        if (columns.size() == kPlainAtOnce) DEMARCHE_CHECK(columns.flush(tx_));
        continue;
      }
      DEMARCHE_CHECK(columns.flush(tx_));
      Interaction interaction;
      interaction.kind = event.relation.kind;
      interaction.when = std::move(event.when);
      interaction.participants = {{event.subject, event.relation.subject_role, std::nullopt},
                                  {event.object, event.relation.object_role, std::nullopt}};
      Claim claim;
      claim.source = *source_id;
      for (const std::size_t line : event.lines)
        claim.locator += fmt::format("{}{}", claim.locator.empty() ? "line " : ", ", line);
      interaction.claims.push_back(std::move(claim));
      DEMARCHE_CHECK(tx_.add_interaction(std::move(interaction)));
    }
    return columns.flush(tx_);
  }

  Transaction& tx_;
  const ImportProgress& progress_;
  ImportReport report_;
  std::unordered_map<std::string, Relation> relations_;
  std::unordered_map<std::string, ActorId> actors_;
  std::unordered_map<std::string, When> dates_;
  std::vector<Event> events_;
  std::unordered_map<FoldKey, std::size_t, FoldKeyHash> folded_;  // to the index in events_
};

}  // namespace

Result<ImportReport> import_dyads(Transaction& transaction, const std::vector<std::string>& files,
                                  const std::string& kinds_file, const ImportProgress& progress) {
  return DyadsImport(transaction, progress).run(files, kinds_file);
}

}  // namespace demarche

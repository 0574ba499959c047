#include "engine/exchange/dump.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/exchange/dump_text.h"
#include "engine/exchange/line_reader.h"
#include "engine/impl/raw_store.h"
#include "engine/impl/record_walk.h"

namespace demarche {

namespace {

using impl::Family;

// Lines of one commit in the order in which they can be loaded: what is named before what names it; rows in order of
// their numbers, which are given anew in the same order.
enum class Order : std::uint8_t { kKind, kSource, kActor, kInteraction, kRetiredInteraction, kRetiredActor };

// A version of a record. Plain interactions have none: they are read in order of id, which is that of the commits.
struct Entry {
  std::uint64_t commit = 0;
  std::uint64_t number = 0;  // row of an interaction, else the id
  std::uint64_t id = 0;
  Order order = Order::kKind;
  bool retired = false;

  [[nodiscard]] auto key() const { return std::tuple(commit, order, number); }
};

class Dump {
 public:
  Dump(const impl::KvReader& reader, const TextSink& sink) : reader_(reader), sink_(sink) {}

  Result<DumpReport> run() {
    DEMARCHE_ASSIGN(commits_, impl::read_commits(reader_, fault_));
    DEMARCHE_CHECK(read_commit_ids());
    DEMARCHE_CHECK(list_versions());
    DEMARCHE_CHECK(line("dump", {{"format", dump::kFormat}}));
    const auto take = [this](const impl::InteractionHistory& history) -> Result<void> {
      if (!history.page || history.superseded) return {};
      const std::uint64_t row = history.id.value;
      DEMARCHE_CHECK(write_up_to({commits_.commit_of(row).value, row, row, Order::kInteraction, false}));
      return line("interaction", dump::to_json(*history.page));
    };
    DEMARCHE_CHECK(impl::walk_interactions(reader_, commits_, fault_, take));
    DEMARCHE_CHECK(check_sound());
    DEMARCHE_CHECK(write_up_to({commits_.last().value + 1, 0, 0, Order::kKind, false}));
    DumpReport report{commits_.last().value, lines_ + 1};
    DEMARCHE_CHECK(line("end", dump::to_json(dump::End{report.commits, report.lines})));
    return report;
  }

 private:
  Result<void> check_sound() const { return damaged_ ? Result<void>(tl::unexpected(*damaged_)) : Result<void>{}; }

  Result<void> line(const char* what, dump::Json fields) {
    DEMARCHE_CHECK(check_sound());
    dump::Json json;
    json[what] = std::move(fields);
    const std::string text = json.dump(-1, ' ', false, dump::Json::error_handler_t::replace) + "\n";
    if (text.size() > kLineBytesMax) {
      return make_error(ErrorCode::kLimit,
                        fmt::format("line {} of the dump would have {} bytes; at most {} can be loaded", lines_ + 1,
                                    text.size(), kLineBytesMax));
    }
    ++lines_;
    return sink_(text);
  }

  Result<void> read_commit_ids() {
    const auto it = reader_.iterate(Family::kCommitId);
    for (it->seek({}); it->valid(); it->next()) {
      if (const auto n = impl::decode_u64(it->value())) commit_ids_[*n] = std::string(it->key());
    }
    return it->status();
  }

  Result<void> list_versions() {
    for (const Family family : {Family::kKind, Family::kSource}) {
      const auto it = reader_.iterate(family);
      for (it->seek({}); it->valid(); it->next()) {
        const auto key = impl::decode_version_key(it->key());
        if (!key) continue;
        entries_.push_back(
            {key->commit.value, key->id, key->id, family == Family::kKind ? Order::kKind : Order::kSource, false});
      }
      DEMARCHE_CHECK(it->status());
    }
    const auto take_actor = [this](ActorId id, const impl::ActorVersions& versions) {
      for (std::size_t i = 0; i < versions.size(); ++i) {
        const bool retired = !versions[i].value;
        // One that was added and taken back within one commit stands where it was added, for its id.
        const Order order = retired && i > 0 ? Order::kRetiredActor : Order::kActor;
        entries_.push_back({versions[i].commit.value, id.value, id.value, order, retired});
      }
    };
    DEMARCHE_CHECK(impl::walk_actors(reader_, fault_, take_actor));
    const auto take = [this](const impl::InteractionHistory& history) -> Result<void> {
      for (std::size_t i = 0; i < history.versions.size(); ++i) {
        const auto& version = history.versions[i];
        if (i == 0 && history.page && !history.superseded) continue;
        if (!version.value && i == 0) continue;  // added and taken back within one commit: nobody ever saw it
        entries_.push_back({version.commit.value, version.value ? version.value->row.value : history.id.value,
                            history.id.value, version.value ? Order::kInteraction : Order::kRetiredInteraction,
                            !version.value});
      }
      return {};
    };
    DEMARCHE_CHECK(impl::walk_interactions(reader_, commits_, fault_, take));
    DEMARCHE_CHECK(check_sound());
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.key() < b.key(); });
    return {};
  }

  // Writes everything that comes before `next`.
  Result<void> write_up_to(const Entry& next) {
    for (; written_ < entries_.size() && entries_[written_].key() < next.key(); ++written_) {
      DEMARCHE_CHECK(write_commits(entries_[written_].commit));
      DEMARCHE_CHECK(write_entry(entries_[written_]));
    }
    return write_commits(std::min(next.commit, commits_.last().value));
  }

  Result<void> write_commits(std::uint64_t last) {
    while (commits_written_ < last) {
      const CommitNumber n{++commits_written_};
      DEMARCHE_TRY(const std::string bytes, get(Family::kCommit, impl::commit_key(n)));
      DEMARCHE_TRY(const impl::CommitRecord record, impl::decode_commit(bytes));
      dump::Commit commit{
          n, record.time_micros, record.note, {}, record.next_row, record.next_actor, record.next_source};
      if (const auto id = commit_ids_.find(n.value); id != commit_ids_.end()) commit.id = id->second;
      DEMARCHE_CHECK(line("commit", dump::to_json(commit)));
    }
    return {};
  }

  Result<std::string> get(Family family, const std::string& key) {
    DEMARCHE_TRY(auto bytes, reader_.get(family, key));
    if (bytes) return *std::move(bytes);
    return make_error(ErrorCode::kCorruption,
                      fmt::format("{}: a record is gone; run demarche check", family_name(family)));
  }

  Result<void> write_entry(const Entry& entry) {
    if (entry.retired) {
      dump::Retired retired;
      (entry.order == Order::kRetiredInteraction ? retired.interaction.value : retired.actor.value) = entry.id;
      return line("retired", dump::to_json(retired));
    }
    const std::string key = impl::version_key(entry.id, CommitNumber{entry.commit});
    switch (entry.order) {
      case Order::kKind: {
        DEMARCHE_TRY(const std::string bytes, get(Family::kKind, key));
        DEMARCHE_TRY(const Kind kind, impl::decode_kind(KindId{static_cast<std::uint32_t>(entry.id)}, bytes));
        return line("kind", dump::to_json(kind));
      }
      case Order::kSource: {
        DEMARCHE_TRY(const std::string bytes, get(Family::kSource, key));
        DEMARCHE_TRY(const Source source, impl::decode_source(SourceId{entry.id}, bytes));
        return line("source", dump::to_json(source));
      }
      case Order::kActor: {
        DEMARCHE_TRY(const std::string bytes, get(Family::kActor, key));
        DEMARCHE_TRY(const Actor actor, impl::decode_actor(ActorId{entry.id}, bytes));
        return line("actor", dump::to_json(actor));
      }
      default: {
        DEMARCHE_TRY(const std::string bytes, get(Family::kInteraction, key));
        DEMARCHE_TRY(const Interaction record, impl::decode_interaction(InteractionId{entry.id}, bytes));
        return line("interaction", dump::to_json(record));
      }
    }
  }

  const impl::KvReader& reader_;
  const TextSink& sink_;
  impl::CommitTable commits_;
  std::unordered_map<std::uint64_t, std::string> commit_ids_;
  std::vector<Entry> entries_;
  std::size_t written_ = 0;
  std::uint64_t commits_written_ = 0;
  std::uint64_t lines_ = 0;
  std::optional<Error> damaged_;
  const impl::FaultSink fault_ = [this](Family family, const std::string& key, const std::string& what) {
    if (damaged_) return;
    damaged_ = Error{ErrorCode::kCorruption,
                     fmt::format("{}: {} {}; run demarche check", family_name(family), key, what), nullptr};
  };
};

}  // namespace

Result<DumpReport> dump_store(const std::string& path, const TextSink& sink) {
  impl::KvOptions options;
  options.cache = impl::make_kv_cache(std::size_t{32} << 20);
  DEMARCHE_TRY(const impl::RawReading reading, impl::read_raw(path, options));
  return Dump(*reading.reader, sink).run();
}

}  // namespace demarche

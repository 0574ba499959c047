#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "engine/exchange/dump.h"
#include "engine/exchange/dump_text.h"
#include "engine/exchange/line_reader.h"
#include "engine/impl/kill_point.h"
#include "engine/impl/staged_folder.h"
#include "engine/impl/store_folder.h"
#include "engine/impl/store_state.h"
#include "engine/store.h"

namespace demarche {

namespace impl {

// Makes the commits of a dump one after the other.
class DumpLoader {
 public:
  DumpLoader(LineReader reader, Store& store) : reader_(std::move(reader)), store_(store) {}

  Result<DumpReport> run() {
    std::string line;
    while (true) {
      DEMARCHE_TRY(const bool more, reader_.next(line));
      if (!more) break;
      if (ended_) return here("there is something behind the dump's last line");
      ++lines_;
      if (auto taken = take(line); !taken) {
        return tl::unexpected(std::move(taken).error().with_context(reader_.place()));
      }
    }
    if (ended_) return DumpReport{commits_, lines_};
    return here(lines_ == 0 ? "the file is empty; a dump begins with {\"dump\": {\"format\": 1}}"
                            : "the dump was cut short: its last line, {\"end\": ...}, is missing");
  }

 private:
  tl::unexpected<Error> here(std::string what) { return invalid(fmt::format("{}: {}", reader_.place(), what)); }

  Result<void> take(const std::string& line) {
    const dump::Json json = dump::Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded() || !json.is_object() || json.size() != 1) {
      return invalid("a line of a dump is one JSON object with one member; this is none");
    }
    const std::string& what = json.begin().key();
    const dump::Json& fields = json.begin().value();
    if (lines_ == 1) {
      if (what != "dump") return invalid("this is not a dump: it does not begin with {\"dump\": {\"format\": 1}}");
      if (fields != dump::Json{{"format", dump::kFormat}}) {
        return invalid(
            fmt::format("this build loads dumps of format {}; this one is {}", dump::kFormat, fields.dump()));
      }
      return {};
    }
    if (what == "commit") {
      DEMARCHE_CHECK(finish_commit());
      DEMARCHE_TRY(const dump::Commit next, dump::commit_of(fields));
      return begin_commit(next);
    }
    if (what == "end") {
      DEMARCHE_CHECK(finish_commit());
      DEMARCHE_TRY(const dump::End end, dump::end_of(fields));
      if (end.commits != commits_ || end.lines != lines_) {
        return invalid(fmt::format("the dump had {} commits in {} lines, here are {} in {}", end.commits, end.lines,
                                   commits_, lines_));
      }
      ended_ = true;
      return {};
    }
    if (!tx_) return invalid(fmt::format("'{}' stands before the first commit", what));
    return take_record(what, fields);
  }

  Result<void> take_record(const std::string& what, const dump::Json& fields) {
    if (what == "interaction") {
      DEMARCHE_TRY(Interaction interaction, dump::interaction_of(fields));
      return tx_->place_interaction(std::move(interaction));
    }
    if (what == "actor") {
      DEMARCHE_TRY(Actor actor, dump::actor_of(fields));
      return tx_->place_actor(std::move(actor));
    }
    if (what == "source") {
      DEMARCHE_TRY(Source source, dump::source_of(fields));
      const SourceId id = source.id;
      DEMARCHE_TRY(const SourceId given, tx_->add_source(std::move(source)));
      return same("source", id.value, given.value);
    }
    if (what == "kind") {
      DEMARCHE_TRY(const Kind kind, dump::kind_of(fields));
      DEMARCHE_TRY(const KindId given, tx_->declare_kind(kind.name, kind.parent, kind.cameo, kind.plover));
      return same("kind", kind.id.value, given.value);
    }
    if (what == "retired") {
      DEMARCHE_TRY(const dump::Retired retired, dump::retired_of(fields));
      return retired.actor.value != 0 ? tx_->place_retired_actor(retired.actor)
                                      : tx_->place_retired_interaction(retired.interaction);
    }
    return invalid(fmt::format("'{}' is none of dump, commit, kind, source, actor, interaction, retired, end", what));
  }

  static Result<void> same(const char* what, std::uint64_t wanted, std::uint64_t given) {
    if (wanted == given) return {};
    return invalid(
        fmt::format("{} {} would get the number {} here; a line is missing or out of order", what, wanted, given));
  }

  Result<void> begin_commit(const dump::Commit& next) {
    commit_ = next;
    DEMARCHE_CHECK(same("commit", next.number.value, commits_ + 1));
    DEMARCHE_ASSIGN(tx_, store_.begin());
    return tx_->state_time(next.time_micros);
  }

  Result<void> finish_commit() {
    if (!tx_) return {};
    const auto of = [this](Result<void> result) -> Result<void> {
      if (result) return result;
      return tl::unexpected(std::move(result).error().with_context(fmt::format("commit {}", commit_.number.value)));
    };
    DEMARCHE_CHECK(of(tx_->pass_over_rows(commit_.next_row)));
    DEMARCHE_CHECK(of(same("the next actor", commit_.next_actor.value, tx_->state_->record.next_actor.value)));
    DEMARCHE_CHECK(of(same("the next source", commit_.next_source.value, tx_->state_->record.next_source.value)));
    DEMARCHE_CHECK(of(tx_->check_placed()));
    DEMARCHE_TRY(const CommitNumber given, tx_->commit(commit_.note, commit_.id));
    tx_.reset();
    DEMARCHE_CHECK(same("commit", commit_.number.value, given.value));
    ++commits_;
    return {};
  }

  LineReader reader_;
  Store& store_;
  std::unique_ptr<Transaction> tx_;
  dump::Commit commit_;
  std::uint64_t commits_ = 0;
  std::uint64_t lines_ = 0;
  bool ended_ = false;
};

}  // namespace impl

Result<DumpReport> load_store(const std::string& file, const std::string& target) {
  DEMARCHE_TRY(LineReader reader, LineReader::open(file));
  DEMARCHE_TRY(impl::StagedFolder staged, impl::StagedFolder::make(target, ".loading"));
  DumpReport report;
  {
    StoreOptions options;
    options.create_if_missing = true;
    options.sync = false;  // all is brought to disk at the end
    DEMARCHE_TRY(const auto store, Store::open(staged.path(), options));
    DEMARCHE_ASSIGN(report, impl::DumpLoader(std::move(reader), *store).run());
  }
  impl::kill_point("load.written");
  if (report.commits > 0) {
    impl::HighWaterMark mark;
    DEMARCHE_CHECK(mark.set(staged.path(), CommitNumber{report.commits}));
  }
  DEMARCHE_CHECK(staged.finish());
  return report;
}

}  // namespace demarche

#include "engine/check.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/raw_store.h"
#include "engine/impl/record_walk.h"
#include "engine/impl/row_check.h"
#include "engine/impl/seal.h"
#include "engine/impl/statistics_check.h"
#include "engine/impl/store_state.h"

namespace demarche {

namespace {

using impl::Family;
using impl::Held;
using impl::words;

bool is_made_from_records(Family family) {
  switch (family) {
    case Family::kTimeline:
    case Family::kContact:
    case Family::kParticipants:
    case Family::kRetired:
    case Family::kKey:
    case Family::kName:
    case Family::kLabel:
      return true;
    default:
      return false;
  }
}

class StoreCheck {
 public:
  StoreCheck(const impl::RawReading& reading, const CheckOptions& options)
      : reading_(reading), options_(options), reader_(reading.reader) {}

  Result<CheckReport> run() {
    DEMARCHE_CHECK(check_files());
    DEMARCHE_TRY(const auto repairing, reader_->get(Family::kMeta, impl::kRepairingKey));
    if (repairing) {
      add("default", "repairing",
          reading_.beside_writer ? "a repair of the index is under way" : "a repair of the index was interrupted",
          true);
    }
    DEMARCHE_ASSIGN(commits_, impl::read_commits(*reader_, fault_));
    report_.commits = commits_.commits.size();
    DEMARCHE_CHECK(statistics_.start(*reader_, commits_, statistics_fault_));
    DEMARCHE_CHECK(check_mark());
    DEMARCHE_CHECK(check_commit_ids());
    DEMARCHE_CHECK(check_kinds());
    DEMARCHE_CHECK(check_sources());
    DEMARCHE_CHECK(check_actors());
    const impl::RowCheckInput in{reader_.get(), &commits_, kinds_.get(), options_.memory_bytes,
                                 [this](const impl::InteractionHistory& history) { return check_history(history); }};
    DEMARCHE_CHECK(impl::check_rows(in, fault_, report_));
    if (live_interactions_ != commits_.head().interaction_count) {
      fault_(
          Family::kCommit, words("commit", commits_.last().value),
          fmt::format("counts {} interactions, {} are there", commits_.head().interaction_count, live_interactions_));
    }
    DEMARCHE_CHECK(check_histories(Family::kKey, held_[0], report_.keys));
    DEMARCHE_CHECK(check_histories(Family::kName, held_[1], report_.names));
    DEMARCHE_CHECK(check_histories(Family::kLabel, held_[2], report_.labels));
    DEMARCHE_CHECK(statistics_.finish(*reader_, commits_, statistics_fault_));
    return std::move(report_);
  }

 private:
  void add(std::string family, std::string key, std::string what, bool repairable) {
    ++report_.finding_count;
    ++report_.by_family[family];
    if (!repairable) ++report_.beyond_repair;
    if (report_.findings.size() >= kFindingsMax) return;
    report_.findings.push_back({std::move(family), std::move(key), std::move(what), repairable});
  }

  Result<void> check_files() {
    report_.beside_writer = reading_.beside_writer;
    if (!reading_.kv) return {};
    auto verified = reading_.kv->verify_files();
    report_.files_compared = verified.has_value();
    if (verified) return {};
    if (verified.error().code != ErrorCode::kCorruption) {
      // A writer removes files that this still reads, but cannot open once more.
      return reading_.beside_writer ? Result<void>{} : verified;
    }
    // Whether a damaged file is of the index or of the records shows where it is read.
    add("files", "", verified.error().message, true);
    return {};
  }

  Result<void> check_mark() {
    if (!reading_.mark_status) {
      fault_(Family::kMeta, "COMMITTED", reading_.mark_status.error().message);
    } else if (reading_.mark > commits_.last()) {
      fault_(Family::kCommit, words("commit", reading_.mark.value),
             fmt::format("was acknowledged, and the last one there is {}", commits_.last().value));
    }
    return {};
  }

  Result<void> check_commit_ids() {
    const auto it = reader_->iterate(Family::kCommitId);
    for (it->seek({}); it->valid(); it->next()) {
      const auto n = impl::decode_u64(it->value());
      if (!n || *n == 0 || *n > commits_.last().value) {
        fault_(Family::kCommitId, std::string(it->key()), "names no commit");
      }
    }
    return impl::end_of(*it, Family::kCommitId, fault_);
  }

  Result<void> check_kinds() {
    auto table = std::make_shared<KindTable>(KindTable::make_builtin());
    const auto it = reader_->iterate(Family::kKind);
    for (it->seek({}); it->valid(); it->next()) {
      const auto key = impl::decode_version_key(it->key());
      if (!key || key->commit > commits_.last()) {
        fault_(Family::kKind, "", "a key has the wrong form, or is of no commit");
        continue;
      }
      ++report_.kinds;
      const KindId id{static_cast<std::uint32_t>(key->id)};
      auto kind = impl::decode_kind(id, it->value());
      auto restored = kind ? table->restore(*std::move(kind)) : Result<void>(tl::unexpected(kind.error()));
      if (!restored) fault_(Family::kKind, words("kind", key->id), restored.error().message);
    }
    kinds_ = std::move(table);
    return impl::end_of(*it, Family::kKind, fault_);
  }

  Result<void> check_sources() {
    const auto it = reader_->iterate(Family::kSource);
    std::uint64_t expected = 1;
    for (it->seek({}); it->valid(); it->next()) {
      const auto key = impl::decode_version_key(it->key());
      if (!key || key->id == 0 || key->commit.value == 0 || key->commit > commits_.last()) {
        fault_(Family::kSource, key ? words("source", key->id) : "", "a key has the wrong form, or is of no commit");
        continue;
      }
      missing(Family::kSource, "source", expected, key->id);
      ++report_.sources;
      auto source = impl::decode_source(SourceId{key->id}, it->value());
      if (!source) {
        fault_(Family::kSource, words("source", key->id), source.error().message);
        continue;
      }
      DEMARCHE_CHECK(check_held(
          {Family::kKey, impl::owner_key(impl::KeyOwner::kSource, source->key), key->id, key->commit.value, 0}));
    }
    DEMARCHE_CHECK(impl::end_of(*it, Family::kSource, fault_));
    missing(Family::kSource, "source", expected, commits_.head().next_source.value);
    if (report_.sources != commits_.head().source_count) {
      fault_(Family::kCommit, words("commit", commits_.last().value),
             fmt::format("counts {} sources, {} are there", commits_.head().source_count, report_.sources));
    }
    return {};
  }

  // Ids are given without gaps.
  void missing(Family family, const char* what, std::uint64_t& expected, std::uint64_t found) {
    if (found > expected) {
      fault_(family,
             found - expected == 1 ? words(what, expected) : fmt::format("{}s {} to {}", what, expected, found - 1),
             "no record is there");
    }
    expected = std::max(expected, found + 1);
  }

  Result<void> check_actors() {
    std::uint64_t expected = 1;
    std::uint64_t live = 0;
    Result<void> result;
    const auto take = [&](ActorId id, const impl::ActorVersions& versions) {
      missing(Family::kActor, "actor", expected, id.value);
      report_.actor_versions += versions.size();
      if (versions.empty()) return;
      if (versions.back().value) ++live;
      if (id >= commits_.head().next_actor || versions.back().commit > commits_.last()) {
        fault_(Family::kActor, words("actor", id.value), "is of no commit");
      }
      auto held = impl::held_by(id, versions);
      if (!held) {
        fault_(Family::kActor, words("actor", id.value), held.error().message);
        return;
      }
      for (const Held& one : *held) {
        if (result) result = check_held(one);
      }
    };
    DEMARCHE_CHECK(impl::walk_actors(*reader_, fault_, take));
    DEMARCHE_CHECK(std::move(result));
    missing(Family::kActor, "actor", expected, commits_.head().next_actor.value);
    if (live != commits_.head().actor_count) {
      fault_(Family::kCommit, words("commit", commits_.last().value),
             fmt::format("counts {} actors, {} are there", commits_.head().actor_count, live));
    }
    return {};
  }

  Result<void> check_history(const impl::InteractionHistory& history) {
    statistics_.take(history);
    const auto where = [&] { return words("interaction", history.id.value); };
    if (history.id.value >= commits_.head().next_row.value) {
      fault_(Family::kInteraction, where(), "is of no commit");
      return {};
    }
    if (history.versions.empty()) return {};  // damaged, and said
    const CommitNumber made = commits_.commit_of(history.id.value);
    if (history.versions.front().commit != made) {
      fault_(Family::kInteraction, where(),
             fmt::format("its first version is gone: it was made by commit {}, the oldest there is of commit {}",
                         made.value, history.versions.front().commit.value));
    }
    if (history.versions.back().commit > commits_.last()) fault_(Family::kInteraction, where(), "is of no commit");
    if (history.versions.back().value) ++live_interactions_;
    for (std::size_t i = 0; i < history.versions.size(); ++i) {
      const auto& version = history.versions[i];
      if (!version.value) {
        if (i + 1 < history.versions.size()) fault_(Family::kInteraction, where(), "goes on after it was taken back");
        continue;
      }
      if (const char* wrong = wrong_reference(*version.value)) {
        fault_(Family::kInteraction, where(), fmt::format("commit {}: {}", version.commit.value, wrong));
      }
    }
    for (const Held& one : impl::held_by(history)) DEMARCHE_CHECK(check_held(one));
    return {};
  }

  const char* wrong_reference(const Interaction& record) const {
    const impl::CommitRecord& head = commits_.head();
    const auto actor = [&](ActorId id) { return id.value != 0 && id < head.next_actor; };
    for (const Participant& p : record.participants) {
      if (!actor(p.actor) || (p.acting_for && !actor(*p.acting_for))) return "a participant is no actor";
    }
    for (const Claim& claim : record.claims) {
      if (claim.source.value == 0 || claim.source >= head.next_source) return "a claim names no source";
    }
    if (kinds_->find_id(record.kind) == nullptr) return "its kind is not declared";
    if (record.part_of && (record.part_of->value == 0 || record.part_of->value >= head.next_row.value)) {
      return "it is part of nothing that is there";
    }
    return nullptr;
  }

  // ---- keys, names, labels

  std::string key_words(Family family, std::string_view key) const {
    if (family == Family::kKey) {
      const char* of = key.empty() ? "" : key[0] == 1 ? "actor " : key[0] == 2 ? "interaction " : "source ";
      return fmt::format("{}key '{}'", of, key.substr(std::min<std::size_t>(1, key.size())));
    }
    const auto decoded = impl::decode_text_id_key(key);
    if (!decoded) return "";
    return fmt::format("{} '{}' of actor {}", family_name(family), decoded->text, decoded->id.value);
  }

  // Is what a record says of itself what is stored? Counted, so that what is stored beyond it shows.
  Result<void> check_held(const Held& wanted) {
    statistics_.take(wanted);
    ++held_[wanted.family == Family::kKey ? 0 : wanted.family == Family::kName ? 1 : 2];
    DEMARCHE_TRY(const auto bytes, reader_get(wanted.family, wanted.key));
    const auto stored = bytes ? impl::stretches_of(wanted.family, wanted.key, *bytes) : std::nullopt;
    const bool there = stored && std::any_of(stored->begin(), stored->end(), [&](const Held& h) {
                         return h.number == wanted.number && h.from == wanted.from && h.to == wanted.to;
                       });
    if (!there) {
      fault_(wanted.family, key_words(wanted.family, wanted.key),
             bytes ? "says something else than the record" : "is missing, though a record has it");
    }
    return {};
  }

  // A damaged block is a fault of its family, said when it is streamed.
  Result<std::optional<std::string>> reader_get(Family family, const std::string& key) {
    auto bytes = reader_->get(family, key);
    if (!bytes && bytes.error().code == ErrorCode::kCorruption) return std::nullopt;
    return bytes;
  }

  Result<void> check_histories(Family family, std::uint64_t wanted, std::uint64_t& count) {
    std::uint64_t stored = 0;
    const auto it = reader_->iterate(family);
    for (it->seek({}); it->valid(); it->next()) {
      const auto stretches = impl::stretches_of(family, it->key(), it->value());
      if (!stretches || stretches->empty() ? !stretches : stretches->back().from > commits_.last().value) {
        fault_(family, key_words(family, it->key()), "does not decode, or is of no commit");
        continue;
      }
      count += stretches->empty() ? 0 : 1;
      stored += stretches->size();
    }
    DEMARCHE_CHECK(impl::end_of(*it, family, fault_));
    if (stored <= wanted) return {};  // what is missing was said
    return find_surplus(family);
  }

  // What is stored and no record says: looked up one by one, which is slow, and only needed where there is any.
  Result<void> find_surplus(Family family) {
    const auto it = reader_->iterate(family);
    for (it->seek({}); it->valid(); it->next()) {
      const auto stretches = impl::stretches_of(family, it->key(), it->value());
      if (!stretches) continue;
      for (const Held& one : *stretches) {
        DEMARCHE_TRY(const bool said, is_said(one));
        if (!said) {
          fault_(family, key_words(family, one.key), fmt::format("no record says so as of commit {}", one.from));
        }
      }
    }
    return impl::end_of(*it, family, fault_);
  }

  Result<bool> is_said(const Held& held) {
    const bool key = held.family == Family::kKey;
    const auto owner = key && !held.key.empty() ? static_cast<impl::KeyOwner>(held.key[0]) : impl::KeyOwner::kActor;
    const Family records = owner == impl::KeyOwner::kActor         ? Family::kActor
                           : owner == impl::KeyOwner::kInteraction ? Family::kInteraction
                                                                   : Family::kSource;
    std::uint64_t id = held.number;
    if (!key) {
      const auto decoded = impl::decode_text_id_key(held.key);
      if (!decoded) return false;
      id = decoded->id.value;
    }
    const auto it = reader_->iterate(records);
    it->seek(impl::version_key(id, CommitNumber{held.from}));
    const auto found = it->valid() ? impl::decode_version_key(it->key()) : std::nullopt;
    if (!found || found->id != id || it->value().empty()) return false;
    if (records == Family::kActor) {
      const auto actor = impl::decode_actor(ActorId{id}, it->value());
      if (!actor) return true;  // a fault of the record, and said
      DEMARCHE_TRY(const auto all, impl::held_by(ActorId{id}, {{found->commit, *actor}}));
      return std::any_of(all.begin(), all.end(), [&](const Held& h) {
        return h.family == held.family && h.key == held.key && h.number == held.number;
      });
    }
    std::string name;
    if (records == Family::kInteraction) {
      const auto record = impl::decode_interaction(InteractionId{id}, it->value());
      if (!record) return true;
      name = record->key;
    } else {
      const auto source = impl::decode_source(SourceId{id}, it->value());
      if (!source) return true;
      name = source->key;
    }
    return impl::owner_key(owner, name) == held.key;
  }

  const impl::RawReading& reading_;
  const CheckOptions& options_;
  std::shared_ptr<const impl::KvReader> reader_;
  CheckReport report_;
  impl::CommitTable commits_;
  std::shared_ptr<const KindTable> kinds_;
  std::uint64_t live_interactions_ = 0;
  std::uint64_t held_[3] = {};
  impl::StatisticsCheck statistics_;
  const impl::StatisticsCheck::Fault statistics_fault_ = [this](std::string key, std::string what) {
    add(family_name(Family::kMeta), std::move(key), std::move(what), true);
  };
  const impl::FaultSink fault_ = [this](Family family, std::string key, std::string what) {
    add(family_name(family), std::move(key), std::move(what), is_made_from_records(family));
  };
};

}  // namespace

Result<CheckReport> check_store(const std::string& path, const CheckOptions& options) {
  impl::KvOptions kv_options;
  kv_options.cache = impl::make_kv_cache(options.cache_bytes);
  kv_options.trust_files = true;
  DEMARCHE_TRY(const impl::RawReading reading, impl::read_raw(path, kv_options));
  return StoreCheck(reading, options).run();
}

}  // namespace demarche

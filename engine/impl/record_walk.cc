#include "engine/impl/record_walk.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/bytes.h"
#include "engine/impl/seal.h"
#include "engine/names.h"

namespace demarche::impl {

std::string words(std::string_view what, std::uint64_t number) { return fmt::format("{} {}", what, number); }

Result<void> end_of(const KvIterator& it, Family family, const FaultSink& fault) {
  auto status = it.status();
  if (status || status.error().code != ErrorCode::kCorruption) return status;
  fault(family, "", fmt::format("what is behind some key cannot be read ({})", status.error().message));
  return {};
}

// ---- commits -------------------------------------------------------------------------------------------------------

const CommitRecord& CommitTable::head() const {
  static const CommitRecord kNone;
  return commits.empty() ? kNone : commits.back();
}

CommitNumber CommitTable::commit_of(std::uint64_t row) const {
  const auto at = std::upper_bound(commits.begin(), commits.end(), row,
                                   [](std::uint64_t r, const CommitRecord& c) { return r < c.next_row.value; });
  return CommitNumber{static_cast<std::uint64_t>(at - commits.begin()) + 1};
}

Result<CommitTable> read_commits(const KvReader& reader, const FaultSink& fault) {
  CommitTable out;
  const auto it = reader.iterate(Family::kCommit);
  for (it->seek({}); it->valid(); it->next()) {
    const auto n = decode_commit_key(it->key());
    const std::uint64_t expected = out.commits.size() + 1;
    if (!n || n->value != expected) {
      fault(Family::kCommit, words("commit", expected),
            n ? fmt::format("is gone; {} comes next", n->value) : "a key has the wrong form");
      if (!n || n->value < expected) continue;
    }
    CommitRecord record = out.head();
    auto decoded = decode_commit(it->value());
    if (decoded) {
      record = *std::move(decoded);
      record.note.clear();  // the table is kept
      const CommitRecord& before = out.head();
      if (record.first_row != before.next_row || record.next_row < record.first_row ||
          record.next_actor < before.next_actor || record.next_source < before.next_source ||
          (!out.commits.empty() && record.time_micros < before.time_micros)) {
        fault(Family::kCommit, words("commit", n->value), "does not follow from the commit before it");
      }
    } else {
      fault(Family::kCommit, words("commit", n->value), decoded.error().message);
    }
    while (out.commits.size() + 1 < n->value) out.commits.push_back(out.head());
    out.commits.push_back(std::move(record));
  }
  DEMARCHE_CHECK(end_of(*it, Family::kCommit, fault));
  auto sealed = reader.get(Family::kMeta, kSealedKey);
  if (!sealed) return tl::unexpected(sealed.error());
  if (*sealed) {
    const auto n = decode_u64(**sealed);
    if (!n || *n > out.commits.size()) {
      fault(Family::kMeta, "sealed", "the mark of what is sealed names no commit");
    } else {
      out.sealed = CommitNumber{*n};
    }
  }
  return out;
}

// ---- actors --------------------------------------------------------------------------------------------------------

Result<void> walk_actors(const KvReader& reader, const FaultSink& fault,
                         const std::function<void(ActorId, const ActorVersions&)>& call) {
  ActorVersions versions;
  ActorId id;
  const auto hand_on = [&] {
    if (id.value == 0) return;
    std::reverse(versions.begin(), versions.end());
    call(id, versions);
    versions.clear();
  };
  const auto it = reader.iterate(Family::kActor);
  for (it->seek({}); it->valid(); it->next()) {
    const auto key = decode_version_key(it->key());
    if (!key || key->id == 0) {
      fault(Family::kActor, "", "a key has the wrong form");
      continue;
    }
    if (key->id != id.value) hand_on();
    id = ActorId{key->id};
    Version<Actor> version{key->commit, std::nullopt};
    if (!it->value().empty()) {
      auto actor = decode_actor(id, it->value());
      if (!actor) {
        fault(Family::kActor, fmt::format("actor {} of commit {}", id.value, key->commit.value), actor.error().message);
        continue;
      }
      version.value = *std::move(actor);
    }
    versions.push_back(std::move(version));
  }
  hand_on();
  return end_of(*it, Family::kActor, fault);
}

// ---- interactions --------------------------------------------------------------------------------------------------

namespace {

// Plain interactions in order of id: those of the sealed pages, then those of the commits that are not sealed.
class PlainStream {
 public:
  PlainStream(const KvReader& reader, const FaultSink& fault)
      : fault_(fault), sealed_(reader.iterate(Family::kPlain)), fresh_(reader.iterate(Family::kCommitRows)) {
    sealed_->seek({});
    fresh_->seek({});
  }

  // Stands on an interaction or at the end. Errors: kIo.
  Result<void> advance() {
    now_.reset();
    while (true) {
      while (next_ < rows_) {
        const std::size_t i = next_++;
        if (page_.fields(i).text == DateTextForm::kRich) {
          if (!in_fresh_) fault_(Family::kPlain, words("row", page_.rows().row(i)), "is not a plain interaction");
          continue;
        }
        auto found = page_.interaction(i);
        if (!found) {
          fault_(family(), words("row", page_.rows().row(i)), found.error().message);
          continue;
        }
        if (found->row.value != found->id.value || found->id.value <= last_) {
          fault_(family(), words("row", found->row.value), "is out of order");
          continue;
        }
        last_ = found->id.value;
        now_ = *std::move(found);
        return {};
      }
      DEMARCHE_TRY(const bool more, open_page());
      if (!more) return {};
    }
  }
  [[nodiscard]] const std::optional<Interaction>& now() const { return now_; }

 private:
  [[nodiscard]] Family family() const { return in_fresh_ ? Family::kCommitRows : Family::kPlain; }

  Result<bool> open_page() {
    rows_ = next_ = 0;
    if (!in_fresh_) {
      if (sealed_->valid()) {
        bytes_ = sealed_->value();
        const auto key = decode_u64(sealed_->key());
        sealed_->next();
        parse();
        if (!key || (rows_ > 0 && *key != page_.rows().row(rows_ - 1))) {
          fault_(Family::kPlain, "", "the key of a page is not its last row");
        }
        return true;
      }
      DEMARCHE_CHECK(end_of(*sealed_, Family::kPlain, fault_));
      in_fresh_ = true;
    }
    while (pages_.empty()) {
      if (!fresh_->valid()) {
        DEMARCHE_CHECK(end_of(*fresh_, Family::kCommitRows, fault_));
        return false;
      }
      held_ = fresh_->value();
      fresh_->next();
      auto split = split_pages(held_);
      if (split) {
        pages_.assign(split->rbegin(), split->rend());
      } else {
        fault_(Family::kCommitRows, "", split.error().message);
      }
    }
    bytes_ = pages_.back();
    pages_.pop_back();
    parse();
    return true;
  }
  void parse() {
    if (auto parsed = page_.parse(bytes_); !parsed) {
      fault_(family(), "a page", parsed.error().message);
      return;
    }
    rows_ = page_.rows().size();
  }

  const FaultSink& fault_;
  std::unique_ptr<KvIterator> sealed_;
  std::unique_ptr<KvIterator> fresh_;
  bool in_fresh_ = false;
  std::string held_;
  std::string bytes_;
  std::vector<std::string_view> pages_;  // of one commit, the next one last
  PlainPage page_;
  std::size_t rows_ = 0;
  std::size_t next_ = 0;
  std::uint64_t last_ = 0;
  std::optional<Interaction> now_;
};

void read_version(const VersionKey& key, std::string_view bytes, const FaultSink& fault, InteractionHistory& history) {
  ++history.messages;
  Version<Interaction> version{key.commit, std::nullopt};
  if (!bytes.empty()) {
    auto record = decode_interaction(InteractionId{key.id}, bytes);
    if (!record) {
      fault(Family::kInteraction, fmt::format("interaction {} of commit {}", key.id, key.commit.value),
            record.error().message);
      return;
    }
    version.value = *std::move(record);
  }
  history.versions.push_back(std::move(version));
}

}  // namespace

Result<void> walk_interactions(const KvReader& reader, const CommitTable& commits, const FaultSink& fault,
                               const std::function<Result<void>(const InteractionHistory&)>& call) {
  PlainStream plain(reader, fault);
  DEMARCHE_CHECK(plain.advance());
  const auto it = reader.iterate(Family::kInteraction);
  it->seek({});
  const auto version_at = [&]() -> std::optional<VersionKey> {
    for (; it->valid(); it->next()) {
      const auto key = decode_version_key(it->key());
      if (key && key->id != 0) return key;
      fault(Family::kInteraction, "", "a key has the wrong form");
    }
    return std::nullopt;
  };
  while (true) {
    auto key = version_at();
    if (!key && !plain.now()) break;
    InteractionHistory history;
    const std::uint64_t plain_id = plain.now() ? plain.now()->id.value : ~std::uint64_t{0};
    history.id = InteractionId{key ? std::min(key->id, plain_id) : plain_id};
    for (; key && key->id == history.id.value; key = version_at()) {
      read_version(*key, it->value(), fault, history);
      it->next();
    }
    std::reverse(history.versions.begin(), history.versions.end());
    if (plain_id == history.id.value) {
      history.has_page = true;
      history.page = plain.now();
      DEMARCHE_CHECK(plain.advance());
      if (history.id.value >= commits.head().next_row.value) {
        fault(Family::kPlain, words("row", history.id.value), "is of no commit");
        continue;
      }
      const CommitNumber made = commits.commit_of(history.id.value);
      history.superseded = !history.versions.empty() && history.versions.front().commit <= made;
      if (!history.superseded) history.versions.insert(history.versions.begin(), {made, history.page});
    }
    DEMARCHE_CHECK(call(history));
  }
  return end_of(*it, Family::kInteraction, fault);
}

std::vector<RowFact> rows_of(const InteractionHistory& history) {
  std::vector<RowFact> out;
  for (const Version<Interaction>& version : history.versions) {
    const bool same = version.value && !out.empty() && out.back().record->row == version.value->row;
    if (same) continue;
    if (!out.empty() && out.back().retired.value == 0) out.back().retired = version.commit;
    if (version.value) out.push_back({&*version.value, version.commit, {}});
  }
  return out;
}

// ---- keys, names and labels ----------------------------------------------------------------------------------------

namespace {

using Finders = std::map<std::pair<Family, std::string>, std::uint64_t>;

Result<Finders> finders_of(const Actor& actor) {
  Finders out;
  if (!actor.key.empty()) out[{Family::kKey, owner_key(KeyOwner::kActor, actor.key)}] = actor.id.value;
  for (const std::string& alias : actor.aliases) {
    DEMARCHE_TRY(const std::string form, normal_form(alias));
    if (!form.empty()) out[{Family::kName, text_id_key(form, actor.id)}] = kAliasName;
  }
  DEMARCHE_TRY(const std::string form, normal_form(actor.name));
  if (!form.empty()) out[{Family::kName, text_id_key(form, actor.id)}] = kPreferredName;
  for (const std::string& label : actor.labels) out[{Family::kLabel, text_id_key(label, actor.id)}] = 1;
  return out;
}

// Adds what one version says to the stretches that are still open.
class Stretches {
 public:
  void add(std::uint64_t commit, const Finders& finders) {
    for (auto at = open_.begin(); at != open_.end();) {
      const auto now = finders.find(at->first);
      if (now != finders.end() && now->second == at->second.number) {
        ++at;
        continue;
      }
      close(at->first, at->second, commit);
      at = open_.erase(at);
    }
    for (const auto& [where, number] : finders) open_.try_emplace(where, Since{number, commit});
  }
  std::vector<Held> finish() {
    for (const auto& [where, since] : open_) close(where, since, 0);
    open_.clear();
    return std::move(out_);
  }

 private:
  struct Since {
    std::uint64_t number;
    std::uint64_t commit;
  };
  void close(const std::pair<Family, std::string>& where, const Since& since, std::uint64_t to) {
    out_.push_back({where.first, where.second, since.number, since.commit, to});
  }
  std::map<std::pair<Family, std::string>, Since> open_;
  std::vector<Held> out_;
};

}  // namespace

Result<std::vector<Held>> held_by(ActorId, const ActorVersions& versions) {
  Stretches out;
  for (const Version<Actor>& version : versions) {
    Finders finders;
    if (version.value) DEMARCHE_ASSIGN(finders, finders_of(*version.value));
    out.add(version.commit.value, finders);
  }
  return out.finish();
}

std::vector<Held> held_by(const InteractionHistory& history) {
  Stretches out;
  for (const Version<Interaction>& version : history.versions) {
    Finders finders;
    if (version.value && !version.value->key.empty()) {
      finders[{Family::kKey, owner_key(KeyOwner::kInteraction, version.value->key)}] = history.id.value;
    }
    out.add(version.commit.value, finders);
  }
  return out.finish();
}

std::optional<std::vector<Held>> stretches_of(Family family, std::string_view key, std::string_view bytes) {
  ByteReader in(bytes);
  std::vector<Held> out;
  std::uint64_t number = 0;
  std::uint64_t last = 0;
  while (in.ok() && in.left() > 0) {
    const std::uint64_t commit = in.varint();
    const std::uint64_t next = in.varint();
    if (!in.ok() || commit <= last) return std::nullopt;
    last = commit;
    if (next == number) continue;
    if (number != 0) out.back().to = commit;
    if (next != 0) out.push_back({family, std::string(key), next, commit, 0});
    number = next;
  }
  if (!in.ok() || last == 0) return std::nullopt;
  return out;
}

}  // namespace demarche::impl

#include "engine/impl/row_check.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/impl/plain_page.h"
#include "engine/impl/read_state.h"
#include "engine/impl/row_block.h"
#include "engine/impl/seal.h"
#include "engine/impl/tail.h"

namespace demarche::impl {

namespace {

std::uint64_t mix(std::uint64_t seed, std::uint64_t value) {
  std::uint64_t x = seed * 0x9E3779B97F4A7C15ULL + value + 0x632BE59BD9B4E019ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

// What a row says, in two numbers; `parties` is 0 where they stand in a list.
struct Digest {
  std::uint64_t row = 0;
  std::uint64_t parties = 0;
  friend bool operator==(const Digest&, const Digest&) = default;
};

std::uint64_t digest_of(std::uint64_t interaction, KindId kind, const std::optional<TimeBounds>& bounds,
                        Status status) {
  std::uint64_t out = mix(mix(interaction, kind.value), static_cast<std::uint64_t>(status));
  if (!bounds) return out;
  const TimeBounds& b = *bounds;
  out = mix(out, 1U | (b.is_span ? 2U : 0U) | (b.qualified ? 4U : 0U) | (b.has_gaps ? 8U : 0U) |
                     (b.fine_begin ? 16U : 0U) | (b.fine_end ? 32U : 0U));
  for (const Timestamp t : {b.begin_min, b.begin_max, b.end_min, b.end_max}) {
    out = mix(out, static_cast<std::uint64_t>(t.seconds));
  }
  return out;
}

std::uint64_t digest_of(const std::vector<Party>& parties) {
  std::uint64_t out = 1;
  for (const Party& p : parties) out = mix(mix(out, p.actor.value), static_cast<std::uint64_t>(p.role) << 16 | p.agent);
  return out;
}

struct Slot {
  Digest timeline;
  std::uint64_t hash_due = 0;   // of the actors that have yet to show the row
  std::uint64_t actor_due = 0;  // their sum
  std::int32_t count_due = 0;
  bool in_timeline = false;
  bool listed = false;
  bool accused = false;  // of differing from its record
  bool recorded = false;
  std::uint64_t interaction = 0;
  std::uint64_t retired = 0;      // as the family "retired_row" says
  std::uint64_t retired_due = 0;  // as the records say
};

struct SeenRow {
  std::uint64_t row = 0;
  std::uint64_t interaction = 0;
  KindId kind;
  Status status = Status::kNone;
  std::optional<TimeBounds> bounds;
  LengthClass length = LengthClass::kUnit;
  bool listed = false;
  bool has_self = false;
  std::vector<Party> parties;  // empty if listed
};

bool read_row(const RowBlock& block, std::size_t i, std::uint64_t owner, SeenRow& out) {
  const Shape& shape = block.shape(i);
  const Form& form = block.form(i);
  out.kind = block.kind(i);
  out.row = block.row(i);
  if ((shape.flags & Shape::kDamaged) != 0 || out.kind.value == 0) return false;
  out.interaction = block.interaction(i);
  out.status = shape.status;
  const TimeBounds bounds = shape.bounds(block.begin(i));
  out.length = length_class(bounds);
  out.bounds = (shape.flags & Shape::kDated) != 0 ? std::optional(bounds) : std::nullopt;
  out.listed = form.listed;
  out.has_self = form.self_mask != 0;
  out.parties.clear();
  if (form.listed) return true;
  std::size_t next = block.others_begin(i);
  for (std::size_t k = 0; k < form.count; ++k) {
    const std::uint16_t agent = form.agent[k] == Form::kNoAgent ? Party::kNoAgent : form.agent[k];
    out.parties.push_back({form.is_self(k) ? ActorId{owner} : block.other(next++), form.role[k], agent});
  }
  return true;
}

std::vector<std::uint64_t> actors_of(const std::vector<Party>& parties) {
  std::vector<std::uint64_t> out;
  for (const Party& p : parties) out.push_back(p.actor.value);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

class RowCheck {
 public:
  RowCheck(const RowCheckInput& in, const FaultSink& fault, CheckReport& report)
      : in_(in), fault_(fault), report_(report) {}

  Result<void> run() {
    const std::uint64_t row_end = std::max<std::uint64_t>(in_.commits->head().next_row.value, 1);
    const std::uint64_t rows_each = std::max<std::uint64_t>(in_.memory_bytes / sizeof(Slot), 1024);
    first_ = true;
    for (low_ = 1; first_ || low_ < row_end; low_ = high_, first_ = false) {
      high_ = std::min(row_end, low_ + rows_each);
      slots_.assign(high_ - low_, {});
      DEMARCHE_CHECK(read_blocks(Family::kTimeline));
      DEMARCHE_CHECK(read_fresh());
      DEMARCHE_CHECK(read_lists());
      DEMARCHE_CHECK(read_blocks(Family::kContact));
      DEMARCHE_CHECK(read_retired());
      DEMARCHE_CHECK(read_records());
      for (std::uint64_t row = low_; row < high_; ++row) DEMARCHE_CHECK(judge(row, slots_[row - low_]));
    }
    return {};
  }

 private:
  Slot* slot(std::uint64_t row) { return row >= low_ && row < high_ ? &slots_[row - low_] : nullptr; }
  void fault_once(Family family, std::string key, std::string what) {
    if (first_) fault_(family, std::move(key), std::move(what));
  }

  Result<void> read_blocks(Family family) {
    const bool timeline = family == Family::kTimeline;
    const auto it = in_.reader->iterate(family);
    RowBlock block;
    SeenRow seen;
    std::uint64_t owner_before = 0;
    std::tuple<LengthClass, std::int64_t, std::uint64_t> before;
    bool has_before = false;
    for (it->seek({}); it->valid(); it->next()) {
      const auto key = timeline ? decode_timeline_key(it->key()) : decode_contact_key(it->key());
      const std::uint64_t owner = timeline ? kTimelineOwner : decode_u64(it->key().substr(0, 8)).value_or(0);
      if (!key || (!timeline && (owner == 0 || owner >= in_.commits->head().next_actor.value))) {
        fault_once(family, "", "a key has the wrong form, or names no actor");
        continue;
      }
      const std::string of = timeline ? std::string() : fmt::format(" of actor {}", owner);
      const auto where = [&] {
        return fmt::format("the block{} up to {}, row {}", of, format_instant(key->begin), key->row.value);
      };
      if (auto parsed = block.parse(it->value()); !parsed) {
        fault_once(family, where(), parsed.error().message);
        continue;
      }
      if (first_) ++(timeline ? report_.timeline_blocks : report_.contact_blocks);
      if (owner != owner_before) has_before = false;
      owner_before = owner;
      const std::size_t last = block.size() - 1;
      if (block.begin(last) != key->begin || block.row(last) != key->row.value) {
        fault_once(family, where(), "ends with another row than its key says");
      }
      for (std::size_t i = 0; i < block.size(); ++i) {
        if (first_) ++(timeline ? report_.timeline_rows : report_.contact_rows);
        if (!read_row(block, i, owner, seen)) {
          fault_once(family, where(), "a row points outside its block");
          continue;
        }
        const std::tuple order(key->length, block.begin(i).seconds, seen.row);
        if (has_before && before >= order)
          fault_once(family, where(), "its rows are out of order, or one stands twice");
        before = order;
        has_before = true;
        if (seen.length != key->length) {
          fault_once(family, fmt::format("row {}{}", seen.row, of), "stands among rows of another length");
        }
        if (seen.row == 0 || seen.row >= in_.commits->head().next_row.value) {
          fault_once(family, fmt::format("row {}{}", seen.row, of), "is of no commit");
          continue;
        }
        if (timeline) {
          DEMARCHE_CHECK(note_row(family, seen, false));
        } else {
          note_contact(owner, seen);
        }
      }
    }
    return end_of(*it, family, fault_all());
  }

  // Faults of reading come back in each pass; one is enough.
  FaultSink fault_all() {
    return [this](Family family, std::string key, std::string what) {
      fault_once(family, std::move(key), std::move(what));
    };
  }

  Result<void> note_row(Family family, SeenRow& seen, bool fresh) {
    Slot* s = slot(seen.row);
    if (s == nullptr) return {};
    if (s->in_timeline) {
      fault_(family, words("row", seen.row), "stands twice in order of time");
      return {};
    }
    s->in_timeline = true;
    s->interaction = seen.interaction;
    s->listed = seen.listed;
    if (seen.listed) {
      auto parties = listed_parties(*in_.reader, seen.row);
      if (parties) {
        seen.parties = *std::move(parties);
      } else if (parties.error().code == ErrorCode::kCorruption) {
        fault_(Family::kParticipants, words("row", seen.row), parties.error().message);
      } else {
        return tl::unexpected(parties.error());
      }
    }
    s->timeline = {digest_of(seen.interaction, seen.kind, seen.bounds, seen.status), digest_of(seen.parties)};
    if (in_.kinds->find_id(seen.kind) == nullptr) {
      fault_(family, words("row", seen.row), fmt::format("has kind {}, which is not declared", seen.kind.value));
    }
    const CommitNumber commit = in_.commits->commit_of(seen.row);
    if (fresh != (commit > in_.commits->sealed)) {
      fault_(family, words("row", seen.row),
             fresh ? "waits to be sealed, but its commit is marked as sealed"
                   : "is in a block, but its commit is not marked as sealed");
    }
    if (fresh) return {};
    for (const std::uint64_t actor : actors_of(seen.parties)) {
      s->hash_due += mix(actor, seen.row);
      s->actor_due += actor;
      ++s->count_due;
    }
    return {};
  }

  void note_contact(std::uint64_t owner, const SeenRow& seen) {
    Slot* s = slot(seen.row);
    if (s == nullptr) return;
    const auto where = [&] { return fmt::format("row {} of actor {}", seen.row, owner); };
    if (!s->in_timeline) {
      fault_(Family::kContact, where(), "is not in the timeline");
      return;
    }
    s->hash_due -= mix(owner, seen.row);
    s->actor_due -= owner;
    --s->count_due;
    const bool same = digest_of(seen.interaction, seen.kind, seen.bounds, seen.status) == s->timeline.row &&
                      seen.listed == s->listed &&
                      (seen.listed || (seen.has_self && digest_of(seen.parties) == s->timeline.parties));
    if (!same) fault_(Family::kContact, where(), "says something else than the timeline");
  }

  Result<void> read_fresh() {
    const auto it = in_.reader->iterate(Family::kCommitRows);
    SeenRow seen;
    for (it->seek({}); it->valid(); it->next()) {
      const auto n = decode_commit_key(it->key());
      const auto pages = split_pages(it->value());
      if (!n || n->value == 0 || *n <= in_.commits->sealed || *n > in_.commits->last() || !pages) {
        fault_once(Family::kCommitRows, n ? words("commit", n->value) : "",
                   pages ? "its rows wait to be sealed, but it is sealed or unknown" : pages.error().message);
        continue;
      }
      PlainPage page;
      for (const std::string_view bytes : *pages) {
        if (auto parsed = page.parse(bytes); !parsed) {
          fault_once(Family::kCommitRows, words("commit", n->value), parsed.error().message);
          continue;
        }
        for (std::size_t i = 0; i < page.rows().size(); ++i) {
          if (first_) ++report_.unsealed_rows;
          const bool read = read_row(page.rows(), i, kTimelineOwner, seen);
          if (!read || seen.row == 0 || seen.row >= in_.commits->head().next_row.value ||
              in_.commits->commit_of(seen.row) != *n) {
            fault_once(Family::kCommitRows, words("row", seen.row), "does not decode, or is of another commit");
            continue;
          }
          DEMARCHE_CHECK(note_row(Family::kCommitRows, seen, true));
        }
      }
    }
    return end_of(*it, Family::kCommitRows, fault_all());
  }

  Result<void> read_lists() {
    const auto it = in_.reader->iterate(Family::kParticipants);
    for (it->seek({}); it->valid(); it->next()) {
      if (first_) ++report_.participant_lists;
      const auto row = decode_u64(it->key());
      if (!row || *row == 0 || *row >= in_.commits->head().next_row.value) {
        fault_once(Family::kParticipants, row ? words("row", *row) : "", "is of no commit");
        continue;
      }
      Slot* s = slot(*row);
      if (s != nullptr && !(s->in_timeline && s->listed)) {
        fault_(Family::kParticipants, words("row", *row), "no row of the timeline has this list");
      }
    }
    return end_of(*it, Family::kParticipants, fault_all());
  }

  Result<void> read_retired() {
    const auto it = in_.reader->iterate(Family::kRetired);
    for (it->seek({}); it->valid(); it->next()) {
      if (first_) ++report_.retired_rows;
      const auto row = decode_u64(it->key());
      const auto commit = decode_u64(it->value());
      if (!row || !commit || *row == 0 || *row >= in_.commits->head().next_row.value || *commit == 0 ||
          *commit > in_.commits->last().value) {
        fault_once(Family::kRetired, row ? words("row", *row) : "", "an entry has the wrong form, or is of no commit");
        continue;
      }
      if (Slot* s = slot(*row)) s->retired = *commit;
    }
    return end_of(*it, Family::kRetired, fault_all());
  }

  Result<void> read_records() {
    const auto take = [this](const InteractionHistory& history) -> Result<void> {
      if (first_) {
        DEMARCHE_CHECK(in_.on_history(history));
        report_.interaction_versions += history.messages;
        if (history.has_page) ++report_.plain_interactions;
      }
      if (history.superseded && history.page) compare(*history.page, Family::kPlain, false);
      for (const RowFact& fact : rows_of(history)) {
        const std::uint64_t row = fact.record->row.value;
        if (row == 0 || row >= in_.commits->head().next_row.value || in_.commits->commit_of(row) != fact.commit) {
          fault_once(Family::kInteraction, words("interaction", history.id.value),
                     fmt::format("commit {} gives it row {}, which is of another commit", fact.commit.value, row));
          continue;
        }
        const bool page = history.page && !history.superseded && row == history.id.value;
        compare(*fact.record, page ? Family::kPlain : Family::kInteraction, true);
        if (Slot* s = slot(row)) s->retired_due = fact.retired.value;
      }
      // Versions that share a row say the same of what the row holds.
      for (const Version<Interaction>& version : history.versions) {
        if (version.value) compare(*version.value, Family::kInteraction, true);
      }
      return {};
    };
    return walk_interactions(*in_.reader, *in_.commits, fault_all(), take);
  }

  void compare(const Interaction& record, Family family, bool must_be_there) {
    Slot* s = slot(record.row.value);
    if (s == nullptr) return;
    const auto where = [&] { return fmt::format("row {} of interaction {}", record.row.value, record.id.value); };
    const bool again = s->recorded;
    if (must_be_there) s->recorded = true;
    if (!s->in_timeline) {
      if (must_be_there && !again) fault_(Family::kTimeline, where(), "is missing");
      return;
    }
    std::optional<TimeBounds> bounds;
    if (record.when) bounds = record.when->bounds;
    const Digest wanted{digest_of(record.id.value, record.kind, bounds, record.status),
                        digest_of(parties_of(record.participants))};
    if (wanted == s->timeline || s->accused) return;
    s->accused = true;  // said once
    fault_(s->listed && wanted.row == s->timeline.row ? Family::kParticipants : Family::kTimeline, where(),
           fmt::format("says something else than the record ({})", family_name(family)));
  }

  Result<void> judge(std::uint64_t row, Slot& s) {
    if (!s.in_timeline) {
      if (s.retired != 0) fault_(Family::kRetired, words("row", row), "is not in the timeline");
      return {};
    }
    if (s.count_due != 0 || s.hash_due != 0) {
      const std::string actor = s.count_due == 1 && s.hash_due == mix(s.actor_due, row)
                                    ? fmt::format("actor {} has not got it", s.actor_due)
                                    : fmt::format("its actors have it {} times too {}", std::abs(s.count_due),
                                                  s.count_due > 0 ? "few" : "many");
      fault_(Family::kContact, words("row", row), s.count_due == 0 ? "stands with the wrong actors" : actor);
    }
    const std::uint64_t made = in_.commits->commit_of(row).value;
    if (!s.recorded) {
      // Added and replaced or taken back within one commit: the commit's last word on the interaction is another.
      auto last_word = in_.reader->get(Family::kInteraction, version_key(s.interaction, CommitNumber{made}));
      if (!last_word && last_word.error().code != ErrorCode::kCorruption) return tl::unexpected(last_word.error());
      if (last_word && *last_word) {
        s.recorded = true;
        s.retired_due = made;
      }
    }
    // Of the records, as they are what may have been lost: the index is not to be made without them.
    if (!s.recorded) fault_(Family::kInteraction, words("row", row), "is in the timeline, and no record has it");
    if (s.retired == s.retired_due) return {};
    fault_(Family::kRetired, words("row", row),
           s.retired_due == 0
               ? fmt::format("is retired by commit {}, but its record holds", s.retired)
               : fmt::format("was replaced or taken back by commit {}, which is not noted", s.retired_due));
    return {};
  }

  const RowCheckInput& in_;
  const FaultSink& fault_;
  CheckReport& report_;
  std::vector<Slot> slots_;
  std::uint64_t low_ = 1;
  std::uint64_t high_ = 1;
  bool first_ = true;
};

}  // namespace

Result<void> check_rows(const RowCheckInput& in, const FaultSink& fault, CheckReport& report) {
  return RowCheck(in, fault, report).run();
}

}  // namespace demarche::impl

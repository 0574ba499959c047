// Plain interactions in columns: what an import has many of, without an Interaction made of each.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "engine/impl/store_state.h"

namespace demarche {

namespace {

// The date of day 0; that of another day is this one, moved.
Result<TimeBounds> first_day() {
  DEMARCHE_TRY(const When when, parse_when("1970-01-01"));
  return when.bounds;
}

TimeBounds moved(TimeBounds bounds, std::int64_t day) {
  for (Timestamp* t : {&bounds.begin_min, &bounds.begin_max, &bounds.end_min, &bounds.end_max}) {
    t->seconds += day * kSecondsPerDay;
  }
  return bounds;
}

Error wrong(std::size_t line, const char* what) {
  return {ErrorCode::kInvalidArgument, fmt::format("interaction {} of the columns: {}", line, what), nullptr};
}

// Errors: kInvalidArgument.
Result<void> check_columns(const PlainInteractions& in, const KindTable& kinds, const impl::CommitRecord& record) {
  const std::size_t count = in.kind.size();
  const bool whole = in.day.size() == count && in.party_begin.size() == count + 1 && in.party_begin.front() == 0 &&
                     in.party_begin.back() == in.actor.size() && in.role.size() == in.actor.size() &&
                     (in.line.empty() || in.line.size() == count) && (in.second.empty() || in.second.size() == count);
  if (!whole) return invalid("the columns of plain interactions are not of one length");
  if (in.source >= record.next_source) return invalid("a claim names a source that is not in this store");
  const std::int64_t day_min = days_from_civil(1, 1, 1);
  const std::int64_t day_max = days_from_civil(9999, 12, 31);
  KindId known;
  for (std::size_t i = 0; i < count; ++i) {
    if (in.kind[i] != known) {
      if (kinds.find_id(in.kind[i]) == nullptr) return tl::unexpected(wrong(i, "there is no kind with its number"));
      known = in.kind[i];
    }
    const std::int64_t day = in.day[i];
    if (day != PlainInteractions::kNoDay && (day < day_min || day > day_max)) {
      return tl::unexpected(wrong(i, "its day is not of the years 1 to 9999"));
    }
    const std::size_t first = in.party_begin[i];
    const std::size_t last = in.party_begin[i + 1];
    if (first > last || last > in.actor.size())
      return invalid("the columns of plain interactions are not of one length");
    if (last - first > impl::kInlinePartiesMax) {
      return tl::unexpected(wrong(i, "it has more than eight participants; add it by itself"));
    }
    for (std::size_t k = first; k < last; ++k) {
      if (in.actor[k].value == 0 || in.actor[k] >= record.next_actor) {
        return tl::unexpected(wrong(i, "a participant is not an actor of this store"));
      }
      const auto role = static_cast<std::uint8_t>(in.role[k]);
      if (role == 0 || role > kRoleCount || in.role[k] == Role::kRepresented) {
        return tl::unexpected(wrong(i, "a participant has no role, or 'represented', which is not given by hand"));
      }
    }
    const std::uint64_t line = in.line.empty() ? 0 : in.line[i];
    const std::uint64_t second = in.second.empty() ? 0 : in.second[i];
    if (line != 0 && in.source.value == 0) return tl::unexpected(wrong(i, "it has a line, and no source"));
    if (second != 0 && (line == 0 || second <= line)) {
      return tl::unexpected(wrong(i, "its second line does not come behind a first"));
    }
  }
  return {};
}

}  // namespace

Result<InteractionId> Transaction::add_plain_interactions(const PlainInteractions& in) {
  State& tx = *state_;
  if (tx.finished) return invalid("this transaction is committed already; begin another");
  DEMARCHE_CHECK(check_columns(in, *tx.kinds, tx.record));
  // Ids are given out in order: only where actors were taken back must each be looked for.
  if (tx.record.actor_count + 1 != tx.record.next_actor.value) {
    for (const ActorId actor : in.actor) {
      if (const auto found = tx.view->get_actor(actor); !found) {
        if (found.error().code != ErrorCode::kNotFound) return tl::unexpected(found.error());
        return invalid("a participant is not an actor of this store");
      }
    }
  }
  DEMARCHE_TRY(const TimeBounds day_zero, first_day());
  const InteractionId first{tx.record.next_row.value};
  impl::PendingRow row;
  row.status = in.status;
  std::int64_t last_day = PlainInteractions::kNoDay;
  row.plain.text = impl::DateTextForm::kNone;
  row.plain.source = in.source.value;
  for (std::size_t i = 0; i < in.kind.size(); ++i) {
    row.row = tx.record.next_row;
    ++tx.record.next_row.value;
    row.interaction = InteractionId{row.row.value};
    row.kind = in.kind[i];
    if (in.day[i] != last_day) {
      last_day = in.day[i];
      const bool dated = last_day != PlainInteractions::kNoDay;
      row.bounds = dated ? std::optional(moved(day_zero, last_day)) : std::nullopt;
      row.plain.text = dated ? impl::DateTextForm::kDay : impl::DateTextForm::kNone;
    }
    row.plain.line = in.line.empty() ? 0 : in.line[i];
    row.plain.second = in.second.empty() || in.second[i] == 0 ? 0 : in.second[i] - row.plain.line;
    row.party_begin = tx.parties.size();
    row.party_count = in.party_begin[i + 1] - in.party_begin[i];
    for (std::size_t k = in.party_begin[i]; k < in.party_begin[i + 1]; ++k) {
      tx.parties.push_back({in.actor[k], in.role[k], Party::kNoAgent});
    }
    tx.rows.push_back(row);
    if (tx.rows.size() >= State::kRowsHeldMax) DEMARCHE_CHECK(tx.set_aside());
  }
  tx.record.interaction_count += in.kind.size();
  tx.view->statistics_.interactions = tx.record.interaction_count;
  tx.changed = tx.changed || !in.kind.empty();
  return first;
}

}  // namespace demarche

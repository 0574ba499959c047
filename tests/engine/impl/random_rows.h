// Rows of every sort for the tests of what keeps rows: dates of all shapes, kinds near and far, few parties and many.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "engine/impl/key_codec.h"
#include "engine/impl/row_block.h"
#include "engine/model.h"
#include "engine/when.h"

namespace demarche::tests {

struct SampleRow {
  RowNumber row;
  InteractionId interaction;
  KindId kind;
  std::optional<When> when;
  Status status = Status::kNone;
  std::vector<Party> parties;

  [[nodiscard]] TimeBounds bounds() const { return when ? when->bounds : TimeBounds{}; }
  [[nodiscard]] impl::LengthClass length() const { return impl::length_class(bounds()); }
  [[nodiscard]] impl::RowSource source() const {
    return {row, interaction, kind, when ? std::optional(when->bounds) : std::nullopt, status, parties};
  }
};

class RowSampler {
 public:
  explicit RowSampler(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] std::uint64_t below(std::uint64_t n) { return random_() % n; }
  [[nodiscard]] bool one_in(std::uint64_t n) { return below(n) == 0; }

  // A day of some years, so that dates meet.
  [[nodiscard]] std::string day() { return format_day(days_from_civil(2015, 1, 1) + number(900)); }

  // "" for undated.
  [[nodiscard]] std::string date() {
    const std::int64_t start = days_from_civil(2015, 1, 1) + number(900);
    const auto until = [&](std::uint64_t most) { return format_day(start + number(most)); };
    switch (below(20)) {
      case 0:
        return day() + fmt::format("T{:02}:{:02}:{:02}Z", below(24), below(60), below(60));
      case 1:
        return day().substr(0, 7);
      case 2:
        return day().substr(0, 4);
      case 3:
        return "[" + format_day(start) + ".." + until(20) + "]";
      case 4:
        return "[" + format_day(start) + "," + format_day(start + 3) + "]";
      case 5:
        return format_day(start) + "/" + until(3);
      case 6:
        return format_day(start) + "/" + until(31);
      case 7:
        return format_day(start) + "/" + until(900);
      case 8:
        return one_in(2) ? day() + "/.." : "../" + day();
      case 9:
        return one_in(2) ? day() + "/" : "/" + day();
      case 10:
        return one_in(2) ? "[.." + day() + "]" : "[" + day() + "..]";
      case 11:
        return day() + (one_in(2) ? "?" : "~");
      case 12:
        return one_in(2) ? "Y-290000000000" : "Y290000000000";
      case 13:
        return one_in(2) ? "Y-290000000000/Y290000000000" : "-0044-03-15";
      case 14:
        return one_in(2) ? "201X" : "2016-21";
      case 15:
        return format_day(start) + (one_in(2) ? "T10:00:00+02:00" : "T00:00:00Z");
      case 16:
        return "";
      default:
        return day();
    }
  }
  [[nodiscard]] std::optional<When> when() {
    const std::string text = date();
    if (text.empty()) return std::nullopt;
    auto read = parse_when(text);
    if (!read) FAIL(text << ": " << read.error().message);
    return *read;
  }

  // `most` participants at most, of `actors` actors; the same one may take part twice.
  [[nodiscard]] std::vector<Participant> participants(std::size_t most, std::uint64_t actors, bool agents = true) {
    std::vector<Participant> out;
    for (std::size_t n = below(most + 1); n > 0; --n) {
      Participant p;
      p.actor = ActorId{1 + below(actors)};
      do {
        p.role = static_cast<Role>(1 + below(kRoleCount));
      } while (p.role == Role::kRepresented);
      if (agents && actors > 1 && one_in(5)) {
        p.acting_for = ActorId{1 + (p.actor.value + below(actors - 1)) % actors};
        if (*p.acting_for == p.actor) p.acting_for.reset();
      }
      out.push_back(p);
    }
    return out;
  }

  [[nodiscard]] SampleRow row(RowNumber number, std::size_t parties_max = 10, std::uint64_t actors = 30) {
    SampleRow out;
    out.row = number;
    out.interaction = InteractionId{one_in(6) ? 1 + below(number.value) : number.value};
    out.kind = KindId{static_cast<std::uint32_t>(one_in(10) ? 1000 + below(1'000'000) : 1 + below(12))};
    out.when = when();
    out.status = static_cast<Status>(below(4));
    out.parties = parties_of(participants(parties_max, actors));
    return out;
  }

 private:
  [[nodiscard]] std::int64_t number(std::uint64_t n) { return static_cast<std::int64_t>(below(n)); }
  std::mt19937_64 random_;
};

}  // namespace demarche::tests

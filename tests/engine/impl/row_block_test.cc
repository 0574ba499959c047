// Blocks of rows: what is packed is read back whole, in order and by every road; damaged bytes are refused or read as
// other rows, never as foreign memory. Damage is done to copies of exactly the right size, so that a sanitizer sees a
// reader that goes too far.
#include "engine/impl/row_block.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/engine/impl/random_rows.h"

namespace {

using namespace demarche;
using namespace demarche::impl;
using namespace demarche::tests;

constexpr std::uint64_t kNobody = 0;  // the timeline: no actor is left out of the row

struct Sample {
  std::vector<SampleRow> rows;
  RowList list;
  RowDictionary dictionary;
};

// Up to `count` rows of one length class, in order; those of `owner` as a block of that actor has them.
Sample make_sample(RowSampler& sampler, std::size_t count, LengthClass length, std::uint64_t owner,
                   std::size_t parties_max = 10) {
  Sample out;
  std::uint64_t number = 1 + sampler.below(1000);
  for (std::size_t tries = 0; out.rows.size() < count && tries < 60 * count; ++tries) {
    SampleRow row = sampler.row(RowNumber{number}, parties_max);
    if (row.length() != length) continue;
    if (owner != kNobody) {
      if (row.parties.empty()) continue;
      row.parties[sampler.below(row.parties.size())].actor = ActorId{owner};
    }
    number += 1 + (sampler.one_in(5) ? sampler.below(100'000) : 0);
    out.rows.push_back(std::move(row));
  }
  std::sort(out.rows.begin(), out.rows.end(), [](const SampleRow& a, const SampleRow& b) {
    return std::pair(a.bounds().begin_min, a.row) < std::pair(b.bounds().begin_min, b.row);
  });
  for (const SampleRow& row : out.rows) {
    if (owner == kNobody) {
      append_timeline_row(out.list, out.dictionary, row.source());
    } else {
      append_actor_row(out.list, out.dictionary, row.source(), ActorId{owner});
    }
  }
  return out;
}

std::vector<Party> parties_in(const RowBlock& block, std::size_t i, std::uint64_t owner) {
  std::vector<Party> out;
  const Form& form = block.form(i);
  std::size_t next = block.others_begin(i);
  for (std::size_t k = 0; k < form.count && !form.listed; ++k) {
    const std::uint16_t agent = form.agent[k] == Form::kNoAgent ? Party::kNoAgent : form.agent[k];
    out.push_back({form.is_self(k) ? ActorId{owner} : block.other(next++), form.role[k], agent});
  }
  return out;
}

void check_same(const RowBlock& block, const std::vector<SampleRow>& rows, std::uint64_t owner) {
  REQUIRE(block.size() == rows.size());
  std::set<std::uint32_t> kinds(block.kinds().begin(), block.kinds().end());
  std::optional<std::size_t> others_each = block.uniform_others();
  Timestamp least = Timestamp::highest();
  Timestamp greatest = Timestamp::lowest();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const SampleRow& want = rows[i];
    INFO("row " << i << ", date " << (want.when ? want.when->text : "none"));
    REQUIRE(block.row(i) == want.row.value);
    REQUIRE(block.interaction(i) == want.interaction.value);
    REQUIRE(block.kind(i) == want.kind);
    REQUIRE(kinds.contains(want.kind.value));
    REQUIRE(block.begin(i) == want.bounds().begin_min);
    REQUIRE(block.shape(i).bounds(block.begin(i)) == want.bounds());
    REQUIRE(block.shape(i).status == want.status);
    REQUIRE(((block.shape(i).flags & Shape::kDated) != 0) == want.when.has_value());
    REQUIRE(block.form(i).listed == (want.parties.size() > kInlinePartiesMax));
    if (!block.form(i).listed) REQUIRE(parties_in(block, i, owner) == want.parties);
    if (others_each) REQUIRE(block.form(i).others() == *others_each);
    REQUIRE(want.row.value >= block.row_floor());
    REQUIRE(want.row.value <= block.row_ceiling());
    least = std::min(least, want.bounds().end_max);
    greatest = std::max(greatest, want.bounds().end_max);
  }
  CHECK(block.end_max_least() == least);
  CHECK(block.end_max_greatest() == greatest);
  CHECK(block.first_begin() == rows.front().bounds().begin_min);
  CHECK(block.last_begin() == rows.back().bounds().begin_min);
}

// Reads everything that a block gives out. The sum keeps the compiler from leaving the reads out.
std::uint64_t read_all(const RowBlock& block) {
  std::uint64_t sum = block.row_floor() + block.row_ceiling();
  RowList list;
  RowDictionary dictionary;
  for (std::size_t i = 0; i < block.size(); ++i) {
    sum += static_cast<std::uint64_t>(block.begin(i).seconds) + block.row(i) + block.interaction(i) +
           block.kind(i).value + static_cast<std::uint64_t>(block.shape(i).bounds(block.begin(i)).end_max.seconds);
    for (const Party& party : parties_in(block, i, 1)) sum += party.actor.value;
    block.append_to(list, dictionary, i);
  }
  for (const std::int64_t t : {std::int64_t{0}, std::int64_t{1'450'000'000}, Timestamp::lowest().seconds}) {
    sum += block.lower_bound({t});
  }
  return sum + list.others.size();
}

// A copy of exactly so many bytes on the heap.
std::vector<char> exact(std::string_view bytes) { return {bytes.begin(), bytes.end()}; }

Result<void> parse_damaged(const std::vector<char>& bytes, std::uint64_t& sum) {
  RowBlock block;
  DEMARCHE_CHECK(block.parse({bytes.data(), bytes.size()}));
  sum += read_all(block);
  return {};
}

}  // namespace

TEST_CASE("row block: rows of every sort are read back, and found where a linear search finds them") {
  const unsigned seed = 20160429;
  INFO("seed " << seed);
  RowSampler sampler(seed);
  RowBlockEncoder encoder;
  RowBlock block;  // one for all: parse() may be repeated
  for (std::size_t c = 0; c < kLengthClassCount; ++c) {
    for (const std::size_t count :
         {std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{40}, std::size_t{300}}) {
      for (const std::uint64_t owner : {kNobody, std::uint64_t{7}}) {
        const std::size_t parties_max = sampler.below(11);
        Sample sample = make_sample(sampler, count, static_cast<LengthClass>(c), owner,
                                    owner == kNobody ? parties_max : parties_max + 1);
        REQUIRE_FALSE(sample.rows.empty());
        INFO("class " << c << ", " << sample.rows.size() << " rows, owner " << owner);
        const std::string bytes = encoder.encode(sample.list.rows, sample.list.others, sample.dictionary);
        const auto parsed = block.parse(bytes);
        if (!parsed) FAIL(parsed.error().message);
        check_same(block, sample.rows, owner);

        // Searching: at every begin, a second before and behind, and at the ends of time.
        std::vector<Timestamp> asked = {Timestamp::lowest(), Timestamp::highest(), {0}};
        for (std::size_t n = 0; n < 40; ++n) {
          const Timestamp t = sample.rows[sampler.below(sample.rows.size())].bounds().begin_min;
          asked.push_back(t);
          if (!t.is_finite()) continue;
          asked.push_back({t.seconds - 1});
          asked.push_back({t.seconds + 1});
        }
        for (const Timestamp t : asked) {
          const std::size_t from = sampler.one_in(3) ? sampler.below(sample.rows.size() + 1) : 0;
          std::size_t want = from;
          while (want < sample.rows.size() && sample.rows[want].bounds().begin_min < t) ++want;
          REQUIRE(block.lower_bound(t, from) == want);
        }

        // Into a list and a dictionary that hold others already, and out again.
        Sample other = make_sample(sampler, 3, static_cast<LengthClass>(c), owner);
        const std::size_t before = other.list.rows.size();
        for (std::size_t i = 0; i < block.size(); ++i) block.append_to(other.list, other.dictionary, i);
        CHECK(encoder.encode(std::span(other.list.rows).subspan(before), other.list.others, other.dictionary) == bytes);

        // The raw columns say the same.
        std::vector<std::uint64_t> column(block.size());
        unpack_column(block.row_column(), 0, block.size(), column.data());
        for (std::size_t i = 0; i < block.size(); ++i) REQUIRE(column[i] == block.row(i));
        std::vector<std::uint32_t> raw(block.size());
        unpack_raw32(block.shape_column(), 0, block.size(), raw.data());
        for (std::size_t i = 0; i < block.size(); ++i) REQUIRE(block.shapes()[raw[i]] == block.shape(i));
        unpack_raw32(block.kind_column(), 0, block.size(), raw.data());
        for (std::size_t i = 0; i < block.size(); ++i) REQUIRE(block.kinds()[raw[i]] == block.kind(i).value);
        unpack_raw32(block.form_column(), 0, block.size(), raw.data());
        for (std::size_t i = 0; i < block.size(); ++i) REQUIRE(block.forms()[raw[i]] == block.form(i));
      }
    }
  }
}

TEST_CASE("row block: rows of all classes mixed, in order of row number, as a commit writes them") {
  RowSampler sampler(99);
  RowBlockEncoder encoder;
  RowBlock block;
  for (int round = 0; round < 30; ++round) {
    Sample sample;
    for (std::uint64_t n = 1 + sampler.below(200); n > 0; --n) {
      sample.rows.push_back(sampler.row(RowNumber{sample.rows.size() + 5}, 9));
      append_timeline_row(sample.list, sample.dictionary, sample.rows.back().source());
    }
    const std::string bytes = encoder.encode(sample.list.rows, sample.list.others, sample.dictionary);
    const auto parsed = block.parse(bytes);
    if (!parsed) FAIL(parsed.error().message);
    check_same(block, sample.rows, kNobody);
  }
}

TEST_CASE("row block: kinds that are a run of numbers, nearly one, and far apart") {
  RowBlockEncoder encoder;
  for (const std::vector<std::uint32_t>& kinds :
       {std::vector<std::uint32_t>{7}, {7, 8, 9}, {1, 3, 5}, {1, 1000, 0xFFFFFFFF}, {1000, 7, 7, 1001}}) {
    Sample sample;
    for (const std::uint32_t kind : kinds) {
      SampleRow row;
      row.row = RowNumber{sample.rows.size() + 1};
      row.interaction = InteractionId{row.row.value};
      row.kind = KindId{kind};
      append_timeline_row(sample.list, sample.dictionary, row.source());
      sample.rows.push_back(row);
    }
    const std::string bytes = encoder.encode(sample.list.rows, sample.list.others, sample.dictionary);
    RowBlock block;
    const auto parsed = block.parse(bytes);
    if (!parsed) FAIL(parsed.error().message);
    check_same(block, sample.rows, kNobody);
  }
}

TEST_CASE("row block: the owner stands in none of its rows, however often it took part") {
  const std::vector<Party> parties = {{ActorId{5}, Role::kHost, Party::kNoAgent},
                                      {ActorId{9}, Role::kVisitor, Party::kNoAgent},
                                      {ActorId{5}, Role::kRepresented, 1}};
  const RowSource source{RowNumber{1}, InteractionId{1}, KindId{7}, std::nullopt, Status::kHeld, parties};
  RowList list;
  RowDictionary dictionary;
  append_actor_row(list, dictionary, source, ActorId{5});
  const Form& form = dictionary.form(list.rows[0].form);
  CHECK(form.self_mask == 0b101);
  CHECK(form.others() == 1);
  CHECK(list.others == std::vector<std::uint64_t>{9});
  append_timeline_row(list, dictionary, source);
  CHECK(dictionary.form(list.rows[1].form).self_mask == 0);
  CHECK(list.others == std::vector<std::uint64_t>{9, 5, 9, 5});
}

TEST_CASE("row block: eight parties stand in the row, nine in a list") {
  for (const std::size_t count : {std::size_t{0}, kInlinePartiesMax, kInlinePartiesMax + 1}) {
    std::vector<Party> parties;
    for (std::size_t i = 0; i < count; ++i) parties.push_back({ActorId{i + 1}, Role::kParticipant, Party::kNoAgent});
    const Form form = form_of(parties);
    CHECK(form.listed == (count > kInlinePartiesMax));
    CHECK(form.others() == (form.listed ? 0 : count));
  }
}

TEST_CASE("row dictionary: the form of a self is the form with that party marked") {
  RowSampler sampler(5);
  RowDictionary dictionary;
  for (int n = 0; n < 300; ++n) {
    const Form form = form_of(parties_of(sampler.participants(8, 20, /*agents=*/false)));
    if (form.count == 0) continue;
    const std::uint32_t id = dictionary.intern(form);
    REQUIRE(dictionary.form(id) == form);
    const std::size_t self = sampler.below(form.count);
    Form marked = form;
    marked.self_mask = static_cast<std::uint8_t>(1U << self);
    REQUIRE(dictionary.form(dictionary.form_of_self(id, self)) == marked);
    REQUIRE(dictionary.form_of_self(id, self) == dictionary.intern(marked));
  }
}

TEST_CASE("damage: a row block cut anywhere is refused, one byte too many too") {
  RowSampler sampler(31);
  RowBlockEncoder encoder;
  for (std::size_t c = 0; c < kLengthClassCount; ++c) {
    const Sample sample = make_sample(sampler, 25, static_cast<LengthClass>(c), c % 2 == 0 ? kNobody : 7);
    const std::string bytes = encoder.encode(sample.list.rows, sample.list.others, sample.dictionary);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const std::vector<char> cut = exact(std::string_view(bytes).substr(0, length));
      RowBlock block;
      const auto parsed = block.parse({cut.data(), cut.size()});
      INFO("cut at " << length << " of " << bytes.size());
      REQUIRE_FALSE(parsed);
      REQUIRE(parsed.error().code == ErrorCode::kCorruption);
    }
    RowBlock block;
    CHECK_FALSE(block.parse(bytes + "x"));
  }
}

TEST_CASE("damage: a row block with a byte changed is refused or reads as other rows, never as foreign memory") {
  const unsigned seed = 8080;
  INFO("seed " << seed);
  RowSampler sampler(seed);
  RowBlockEncoder encoder;
  std::size_t refused = 0;
  std::uint64_t sum = 0;
  for (int round = 0; round < 50; ++round) {
    const Sample sample = make_sample(sampler, 1 + sampler.below(60), static_cast<LengthClass>(round % 5),
                                      round % 2 == 0 ? kNobody : 7, 1 + sampler.below(9));
    const std::string bytes = encoder.encode(sample.list.rows, sample.list.others, sample.dictionary);
    for (int n = 0; n < 200; ++n) {
      std::vector<char> changed = exact(bytes);
      // The header stands in front: half of the changes go there.
      const std::size_t at = sampler.below(sampler.one_in(2) ? std::min<std::size_t>(60, bytes.size()) : bytes.size());
      changed[at] = static_cast<char>(changed[at] ^ (1 + sampler.below(255)));
      const auto parsed = parse_damaged(changed, sum);
      if (parsed) continue;
      ++refused;
      REQUIRE(parsed.error().code == ErrorCode::kCorruption);
    }
  }
  CHECK(refused > 1000);
  CHECK(sum != 0);
}

TEST_CASE("damage: positions of actors that wrap around are refused") {
  // Two undated rows of two actors each; the first row's position is -2, which the sums of the rows do not show.
  std::string bytes;
  bytes += '\x02';                               // rows
  bytes += '\x0E';                               // at minus infinity, kinds as a run, positions of actors
  bytes += "\x02\x02";                           // ends
  bytes += "\x01" + std::string("\x00\x98", 2);  // one shape: undated
  bytes += "\x01\x07";                           // one kind
  bytes += "\x01\x02\x01\x01";                   // one form: two participants
  bytes += "\x02\x40";                           // two actors, positions of 64 bits
  bytes += std::string("\x00\x08", 2);           // actors of eight bits above 0
  bytes += std::string("\x01\x00", 2);           // rows
  bytes += std::string("\x00\x00", 2);           // behind
  bytes += "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF" + std::string(8, '\0');
  bytes += "\x05\x06";
  bytes += std::string(kColumnPadBytes, '\0');
  const std::vector<char> damaged = exact(bytes);
  RowBlock block;
  const auto parsed = block.parse({damaged.data(), damaged.size()});
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().message == "a row block mixes up its actors; stop writing to this store");
}

TEST_CASE("listed parties: read back whole; damage is refused or reads as other parties") {
  const unsigned seed = 404;
  INFO("seed " << seed);
  RowSampler sampler(seed);
  for (const std::size_t most : {std::size_t{1}, std::size_t{9}, std::size_t{300}, std::size_t{10'000}}) {
    const std::vector<Party> parties = parties_of(sampler.participants(most, 100'000));
    const std::string bytes = encode_parties(parties);
    const auto read = decode_parties(bytes);
    if (!read) FAIL(read.error().message);
    CHECK(*read == parties);
    for (int n = 0; n < 300; ++n) {
      const std::vector<char> cut = exact(std::string_view(bytes).substr(0, sampler.below(bytes.size())));
      const auto damaged = decode_parties({cut.data(), cut.size()});
      REQUIRE_FALSE(damaged);
      REQUIRE(damaged.error().code == ErrorCode::kCorruption);
      std::vector<char> changed = exact(bytes);
      const std::size_t at = sampler.below(changed.size());
      changed[at] = static_cast<char>(changed[at] ^ (1 + sampler.below(255)));
      if (const auto other = decode_parties({changed.data(), changed.size()})) {
        for (const Party& party : *other) {
          if (party.agent != Party::kNoAgent) REQUIRE(party.agent < other->size());
        }
      }
    }
    CHECK_FALSE(decode_parties(bytes + "x"));
  }
  CHECK_FALSE(decode_parties(""));
}

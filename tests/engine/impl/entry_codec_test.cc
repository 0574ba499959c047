// Index rows: the bytes that engine/FORMAT.md gives as examples, round trips, and refusal of whatever is not one.
#include "engine/impl/entry_codec.h"

#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/kind.h"

namespace {

using namespace demarche;
using namespace demarche::impl;

std::string hex(std::string_view bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

Interaction call() {
  Interaction out;
  out.id = InteractionId{42};
  out.row = RowNumber{42};
  out.kind = kinds::kCall;
  out.status = Status::kHeld;
  out.when = *parse_when("2016-04-29");
  out.participants = {{ActorId{7}, Role::kCaller, {}}, {ActorId{8}, Role::kCallee, ActorId{9}}};
  return out;
}

Interaction random_interaction(std::mt19937_64& random) {
  const std::vector<std::string> dates = {"2016-04-29",  "2016-04-13/2016-04-27~",
                                          "2016/..",     "/2016",
                                          "156X-12-25",  "2016-04-29T13:05:00Z",
                                          "-0043-03-15", "[..2016]",
                                          "2016?",       "2016-04-01/"};
  Interaction out;
  out.id = InteractionId{random() >> (random() % 64)};
  out.kind = KindId{static_cast<std::uint32_t>(random() >> (32 + random() % 32))};
  out.status = static_cast<Status>(random() % 4);
  if (random() % 5 != 0) out.when = *parse_when(dates[random() % dates.size()]);
  for (std::uint64_t n = random() % 6; n > 0; --n) {
    Participant p{ActorId{random() >> (random() % 64)}, static_cast<Role>(1 + random() % kRoleCount), {}};
    if (p.role == Role::kRepresented) p.role = Role::kHost;
    if (random() % 3 == 0) p.acting_for = ActorId{random() >> (random() % 64)};
    out.participants.push_back(p);
  }
  return out;
}

void check_same(const Interaction& in, const RowBatch& batch, std::size_t i) {
  CHECK(batch.interaction[i] == in.id);
  CHECK(batch.kind[i] == in.kind);
  CHECK(batch.status[i] == in.status);
  CHECK(batch.dated[i] == (in.when ? 1 : 0));
  CHECK(batch.bounds[i] == (in.when ? in.when->bounds : TimeBounds{}));
  const std::vector<Party> parties = parties_of(in.participants);
  const auto read = batch.parties_of(i);
  CHECK(std::vector<Party>(read.begin(), read.end()) == parties);
}

bool decodes(std::string_view bytes) {
  RowBatch batch;
  const auto result = decode_entry(RowNumber{1}, bytes, batch);
  if (!result) CHECK(result.error().code == ErrorCode::kCorruption);
  return result.has_value();
}

}  // namespace

TEST_CASE("entry codec: the examples of FORMAT.md, byte for byte") {
  Interaction i = call();
  CHECK(hex(encode_entry(i)) == "062a0101809095f20afed59ff20a0307060807091201");
  i.when.reset();
  CHECK(hex(encode_entry(i)) == "062a01000307060807091201");
  Interaction talks;
  talks.id = InteractionId{300};
  talks.kind = KindId{1000};
  talks.when = *parse_when("2016-04-13/2016-04-27~");
  talks.participants = {{ActorId{1}, Role::kParticipant, {}}};
  CHECK(hex(encode_entry(talks)) == "e807ac02000780b0ecf00afef5f6f00a808480f20afec98af20a010101");
}

TEST_CASE("entry codec: what goes in comes out, row after row") {
  const std::uint64_t seed = 20160429;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  RowBatch batch;
  std::vector<Interaction> written;
  for (int n = 0; n < 3000; ++n) {
    written.push_back(random_interaction(random));
    const std::string bytes = encode_entry(written.back());
    REQUIRE(decode_entry(RowNumber{static_cast<std::uint64_t>(n) + 1}, bytes, batch));
    CHECK(*entry_kind(bytes) == written.back().kind);
  }
  REQUIRE(batch.size() == written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    CHECK(batch.row[i].value == i + 1);
    check_same(written[i], batch, i);
  }
  batch.clear();
  CHECK(batch.size() == 0);
  CHECK(batch.parties.empty());
}

TEST_CASE("entry codec: extremes fit") {
  Interaction i = call();
  i.id = InteractionId{~0ULL};
  i.kind = KindId{0xFFFFFFFF};
  i.when = When{"", {}};
  i.when->bounds.is_span = true;
  i.when->bounds.fine_begin = true;
  i.participants = {{ActorId{~0ULL}, Role::kBody, {}}};
  RowBatch batch;
  REQUIRE(decode_entry(RowNumber{1}, encode_entry(i), batch));
  check_same(i, batch, 0);
}

TEST_CASE("entry codec: every truncation is corruption, and so is a byte too many") {
  const std::uint64_t seed = 3;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int n = 0; n < 300; ++n) {
    const std::string bytes = encode_entry(random_interaction(random));
    CHECK(decodes(bytes));
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) CHECK_FALSE(decodes(bytes.substr(0, cut)));
    CHECK_FALSE(decodes(bytes + '\0'));
  }
  CHECK_FALSE(entry_kind(""));
  CHECK_FALSE(entry_kind("\x80"));
}

TEST_CASE("entry codec: numbers out of range are refused, the last in range is read") {
  // kind, id, status, flags, count of parties, then actor and role
  const auto entry = [](char status, char flags, char role) { return std::string{6, 1, status, flags, 1, 7, role}; };
  CHECK(decodes(entry(3, 0, 23)));
  CHECK_FALSE(decodes(entry(4, 0, 23)));
  CHECK_FALSE(decodes(entry(3, 64, 23)));
  CHECK_FALSE(decodes(entry(3, 0, 24)));
  CHECK_FALSE(decodes(entry(3, 0, 0)));
  const std::string two_parties = {6, 1, 0, 0, 2, 7, 1, 8, 18};
  CHECK(decodes(two_parties + '\0'));
  CHECK_FALSE(decodes(two_parties + '\2'));                  // represented by a party that is not there
  CHECK_FALSE(decodes(two_parties));                         // by none
  CHECK_FALSE(decodes(std::string{6, 1, 0, 0, 100, 7, 1}));  // more parties than bytes
  const std::string kind_beyond_32_bits = "\x80\x80\x80\x80\x10" + entry(0, 0, 1).substr(1);
  CHECK_FALSE(decodes(kind_beyond_32_bits));
  CHECK_FALSE(entry_kind(kind_beyond_32_bits));
  const std::string id_beyond_64_bits = "\x06" + std::string(9, '\xFF') + "\x02" + entry(0, 0, 1).substr(2);
  CHECK_FALSE(decodes(id_beyond_64_bits));
  CHECK_FALSE(decodes("\x06" + std::string(11, '\x80') + "\x01"));
}

TEST_CASE("entry codec: random bytes and random damage are read or refused, without harm") {
  const std::uint64_t seed = 11;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  int refused = 0;
  for (int round = 0; round < 50000; ++round) {
    std::string bytes;
    if (round % 2 == 0) {
      bytes.resize(random() % 40);
      for (char& c : bytes) c = static_cast<char>(random() % 2 == 0 ? random() % 24 : random());
    } else {
      bytes = encode_entry(random_interaction(random));
      bytes[random() % bytes.size()] ^= static_cast<char>(1U << (random() % 8));
    }
    RowBatch batch;
    const auto result = decode_entry(RowNumber{1}, bytes, batch);
    if (!result) {
      ++refused;
      continue;
    }
    REQUIRE(batch.size() == 1);
    for (const Party& party : batch.parties_of(0)) {
      const int role = static_cast<int>(party.role);
      REQUIRE((role >= 1 && role <= kRoleCount));
      REQUIRE((party.agent == Party::kNoAgent || party.agent < batch.parties.size()));
    }
  }
  CHECK(refused > 1000);
}

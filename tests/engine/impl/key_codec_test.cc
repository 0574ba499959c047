// Keys: round trips, and that bytes sort as what they stand for. The examples of engine/FORMAT.md: format_test.cc.
#include "engine/impl/key_codec.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

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

const std::vector<std::int64_t> kSeconds = {std::numeric_limits<std::int64_t>::min(),
                                            std::numeric_limits<std::int64_t>::min() + 1,
                                            -86401,
                                            -256,
                                            -255,
                                            -1,
                                            0,
                                            1,
                                            255,
                                            256,
                                            1461888000,
                                            std::numeric_limits<std::int64_t>::max() - 1,
                                            std::numeric_limits<std::int64_t>::max()};
const std::vector<std::uint64_t> kNumbers = {0, 1, 2, 255, 256, 65535, 65536, 1ULL << 32, 1ULL << 63, ~0ULL - 1, ~0ULL};

TimeBounds between(std::int64_t begin, std::int64_t end) {
  TimeBounds b;
  b.begin_min = b.end_min = {begin};
  b.begin_max = b.end_max = {end};
  return b;
}

}  // namespace

TEST_CASE("key codec: family names are those on disk, all different") {
  std::set<std::string> names;
  for (std::size_t i = 0; i < kFamilyCount; ++i) names.insert(family_name(static_cast<Family>(i)));
  CHECK(names == std::set<std::string>{"default", "actor", "interaction", "source", "kind", "key", "name", "label",
                                       "contact_by_actor_time", "interaction_by_time", "commit", "commit_rows",
                                       "plain_interaction", "participants", "retired_row", "commit_id"});
}

TEST_CASE("key codec: what goes in comes out") {
  for (const std::uint64_t n : kNumbers) {
    for (const std::uint64_t m : kNumbers) {
      const auto version = decode_version_key(version_key(n, CommitNumber{m}));
      REQUIRE(version);
      CHECK(version->id == n);
      CHECK(version->commit.value == m);
    }
    for (const std::int64_t t : kSeconds) {
      for (std::size_t length = 0; length < kLengthClassCount; ++length) {
        const TimeKey key{static_cast<LengthClass>(length), {t}, RowNumber{n}};
        for (const auto& back :
             {decode_timeline_key(timeline_key(key)), decode_contact_key(contact_key(ActorId{n}, key))}) {
          REQUIRE(back);
          CHECK(back->length == key.length);
          CHECK(back->begin == key.begin);
          CHECK(back->row == key.row);
        }
      }
    }
    CHECK(decode_u64(encode_u64(n)) == n);
    CHECK(decode_commit_key(commit_key(CommitNumber{n})) == CommitNumber{n});
    for (const std::string text : {"", "a", "رياض", "two words"}) {
      const std::string bytes = text_id_key(text, ActorId{n});
      const auto back = decode_text_id_key(bytes);
      REQUIRE(back);
      CHECK(back->text == text);
      CHECK(back->id == ActorId{n});
    }
  }
}

TEST_CASE("key codec: bytes sort as actor, length class, time, row; negative times before zero") {
  std::string last;
  for (const std::uint64_t actor : kNumbers) {
    for (std::size_t length = 0; length < kLengthClassCount; ++length) {
      for (const std::int64_t t : kSeconds) {
        for (const std::uint64_t row : kNumbers) {
          const std::string key = contact_key(ActorId{actor}, {static_cast<LengthClass>(length), {t}, RowNumber{row}});
          if (last >= key) FAIL("not ascending at " << hex(key));
          last = key;
        }
      }
    }
  }
  CHECK(last.size() == kContactKeySize);
}

TEST_CASE("key codec: the timeline sorts as the contact index does for one actor") {
  std::string last;
  for (std::size_t length = 0; length < kLengthClassCount; ++length) {
    for (const std::int64_t t : kSeconds) {
      for (const std::uint64_t row : kNumbers) {
        const TimeKey time{static_cast<LengthClass>(length), {t}, RowNumber{row}};
        const std::string key = timeline_key(time);
        if (last >= key) FAIL("not ascending at " << hex(key));
        last = key;
        if (contact_key(ActorId{5}, time) != encode_u64(5) + key) FAIL("contact key is not actor and timeline key");
      }
    }
  }
  CHECK(last.size() == kTimelineKeySize);
}

TEST_CASE("key codec: the newest version of an id comes first, and ids keep apart") {
  std::string last;
  for (const std::uint64_t id : kNumbers) {
    for (auto commit = kNumbers.rbegin(); commit != kNumbers.rend(); ++commit) {
      const std::string key = version_key(id, CommitNumber{*commit});
      CHECK(last < key);
      CHECK(key.starts_with(version_prefix(id)));
      last = key;
    }
  }
}

TEST_CASE("key codec: commits sort by number, names by text and then id") {
  for (std::size_t i = 1; i < kNumbers.size(); ++i) {
    CHECK(commit_key(CommitNumber{kNumbers[i - 1]}) < commit_key(CommitNumber{kNumbers[i]}));
    CHECK(text_id_key("kerry", ActorId{kNumbers[i - 1]}) < text_id_key("kerry", ActorId{kNumbers[i]}));
  }
  CHECK(text_id_key("kerry", ActorId{~0ULL}) < text_id_key("kerry john", ActorId{0}));
  CHECK(text_id_key("kerry", ActorId{~0ULL}) < text_id_key("kerryx", ActorId{0}));
  CHECK_FALSE(text_id_key("kerryx", ActorId{1}).starts_with(text_id_prefix("kerry")));
}

TEST_CASE("key codec: keys of actors, interactions and sources do not mix") {
  CHECK(owner_key(KeyOwner::kActor, "x") != owner_key(KeyOwner::kSource, "x"));
  CHECK(owner_key(KeyOwner::kActor, "x")[0] == 1);
  CHECK(owner_key(KeyOwner::kInteraction, "x")[0] == 2);
  CHECK(owner_key(KeyOwner::kSource, "x")[0] == 3);
}

TEST_CASE("key codec: every truncation and every excess is refused") {
  const TimeKey time{LengthClass::kYear, {-5}, RowNumber{9}};
  const std::string version = version_key(1, CommitNumber{2});
  const std::string line = timeline_key(time);
  const std::string contact = contact_key(ActorId{1}, time);
  for (std::size_t n = 0; n < contact.size() + 2; ++n) {
    const auto cut = [n](std::string bytes) {
      bytes.resize(n, '\0');
      return bytes;
    };
    CHECK(decode_version_key(cut(version)).has_value() == (n == kVersionKeySize));
    CHECK(decode_timeline_key(cut(line)).has_value() == (n == kTimelineKeySize));
    CHECK(decode_contact_key(cut(contact)).has_value() == (n == kContactKeySize));
    CHECK(decode_commit_key(cut(version)).has_value() == (n == 8));
    CHECK(decode_u64(cut(version)).has_value() == (n == 8));
  }
  const std::string name = text_id_key("kerry", ActorId{0x0101010101010101});
  for (std::size_t n = 0; n < name.size(); ++n) CHECK_FALSE(decode_text_id_key(name.substr(0, n)));
  CHECK(decode_text_id_key(name));
}

TEST_CASE("key codec: a length class that does not exist is refused") {
  std::string line = timeline_key({LengthClass::kLong, {0}, RowNumber{1}});
  REQUIRE(decode_timeline_key(line));
  for (int c = static_cast<int>(kLengthClassCount); c < 256; ++c) {
    line[0] = static_cast<char>(c);
    CHECK_FALSE(decode_timeline_key(line));
    CHECK_FALSE(decode_contact_key(encode_u64(1) + line));
  }
}

TEST_CASE("key codec: random bytes decode to what encodes to them, or not at all") {
  const unsigned seed = 7;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 50000; ++round) {
    std::string bytes(random() % 30, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 3 == 0 ? random() % 5 : random());
    if (const auto k = decode_version_key(bytes)) REQUIRE(version_key(k->id, k->commit) == bytes);
    if (const auto k = decode_timeline_key(bytes)) REQUIRE(timeline_key(*k) == bytes);
    if (const auto k = decode_contact_key(bytes))
      REQUIRE(contact_key(ActorId{*decode_u64(bytes.substr(0, 8))}, *k) == bytes);
    if (const auto k = decode_text_id_key(bytes); k && k->text.find('\0') == std::string_view::npos) {
      REQUIRE(text_id_key(k->text, k->id) == bytes);
    }
  }
}

TEST_CASE("length class: by how far the latest end is from the earliest begin, edges included") {
  constexpr std::int64_t day = kSecondsPerDay;
  CHECK(length_class(between(0, 0)) == LengthClass::kUnit);
  CHECK(length_class(between(0, day - 1)) == LengthClass::kUnit);
  CHECK(length_class(between(0, day)) == LengthClass::kMonth);
  CHECK(length_class(between(-5, 31 * day - 6)) == LengthClass::kMonth);
  CHECK(length_class(between(-5, 31 * day - 5)) == LengthClass::kYear);
  CHECK(length_class(between(0, 366 * day - 1)) == LengthClass::kYear);
  CHECK(length_class(between(0, 366 * day)) == LengthClass::kLong);
  CHECK(length_class(TimeBounds{}) == LengthClass::kUnbounded);
  for (const char* open : {"2016/..", "2016-04-01/", "[2016..]"}) {
    CHECK(length_class(parse_when(open)->bounds) == LengthClass::kLong);
  }
  for (const char* open : {"../2016", "/2016", "[..2016]", "../.."}) {
    CHECK(length_class(parse_when(open)->bounds) == LengthClass::kUnbounded);
  }
  CHECK(length_class(parse_when("2016-04-29")->bounds) == LengthClass::kUnit);
  CHECK(length_class(parse_when("2016-01")->bounds) == LengthClass::kMonth);
  CHECK(length_class(parse_when("2016")->bounds) == LengthClass::kYear);
  CHECK(length_class(parse_when("2016-12-31/2017-01-01")->bounds) == LengthClass::kMonth);
}

TEST_CASE("length class: the longest spans that can be written are long") {
  CHECK(length_class(parse_when("Y-290000000000/Y290000000000")->bounds) == LengthClass::kLong);
  CHECK(length_class(parse_when("[Y-200000000000..Y200000000000]")->bounds) == LengthClass::kLong);
}

TEST_CASE("length class: a scan starts early enough to meet the longest of its class") {
  const TimeWindow window{{1000000000}, {1000086400}};
  for (const std::int64_t length : {std::int64_t{0}, kSecondsPerDay - 1, kSecondsPerDay, 31 * kSecondsPerDay - 1,
                                    31 * kSecondsPerDay, 366 * kSecondsPerDay - 1, 366 * kSecondsPerDay}) {
    const std::int64_t begin = window.begin.seconds - length;  // its last second is the first of the window
    CHECK(earliest_begin(length_class(between(begin, window.begin.seconds)), window).seconds <= begin);
  }
  CHECK(earliest_begin(LengthClass::kLong, window) == Timestamp::lowest());
  CHECK(earliest_begin(LengthClass::kUnbounded, window) == Timestamp::lowest());
  CHECK(earliest_begin(LengthClass::kUnit, TimeWindow{}) == Timestamp::lowest());
  CHECK(earliest_begin(LengthClass::kYear, {{Timestamp::lowest().seconds + 5}, Timestamp::highest()}) ==
        Timestamp::lowest());
}

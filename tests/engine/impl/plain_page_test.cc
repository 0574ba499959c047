// Pages of plain interactions: which ones are plain, and that they are read back whole.
#include "engine/impl/plain_page.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/kind.h"
#include "tests/engine/impl/random_rows.h"

namespace {

using namespace demarche;
using namespace demarche::impl;
using namespace demarche::tests;

// As an import makes them.
Interaction plain_one(std::uint64_t row, std::string_view date = "2016-04-29") {
  Interaction out;
  out.id = InteractionId{row};
  out.row = RowNumber{row};
  out.kind = kinds::kCall;
  if (!date.empty()) {
    auto when = parse_when(date);
    if (!when) FAIL(when.error().message);
    out.when = *when;
  }
  out.participants = {{ActorId{1}, Role::kInitiator, std::nullopt}, {ActorId{2}, Role::kRecipient, std::nullopt}};
  out.status = Status::kHeld;
  out.claims.emplace_back();
  out.claims[0].source = SourceId{3};
  out.claims[0].locator = "line 17";
  return out;
}

bool is_plain(const Interaction& interaction) { return plain_fields(interaction).text != DateTextForm::kRich; }

// With one thing changed, is it still plain?
template <typename Change>
bool plain_with(Change change) {
  Interaction one = plain_one(5);
  change(one);
  return is_plain(one);
}

void append(PageRows& page, RowDictionary& dictionary, const Interaction& i) {
  const std::vector<Party> parties = parties_of(i.participants);
  append_timeline_row(page.list, dictionary,
                      {i.row, i.id, i.kind, i.when ? std::optional(i.when->bounds) : std::nullopt, i.status, parties});
  page.fields.push_back(plain_fields(i));
}

void check_same(const Interaction& got, const Interaction& want) {
  CHECK(got.id == want.id);
  CHECK(got.row == want.row);
  CHECK(got.key == want.key);
  CHECK(got.kind == want.kind);
  CHECK(got.when == want.when);
  CHECK(got.participants == want.participants);
  CHECK(got.status == want.status);
  CHECK(got.place == want.place);
  CHECK(got.part_of == want.part_of);
  CHECK(got.properties == want.properties);
  CHECK(got.claims == want.claims);
}

// Plain ones and others as they come, with gaps between the row numbers.
std::vector<Interaction> random_interactions(RowSampler& sampler, std::size_t count) {
  const std::vector<std::string> dates = {"2016-04-29", "2016-02-29", "2016-04",  "2015-02", "2016",
                                          "",           "1969-12-31", "-0044-03", "0000",    "9999"};
  std::vector<Interaction> out;
  std::uint64_t row = 1 + sampler.below(1000);
  for (std::size_t n = 0; n < count; ++n) {
    Interaction one = plain_one(row, dates[sampler.below(dates.size())]);
    one.kind = KindId{static_cast<std::uint32_t>(1 + sampler.below(12))};
    one.status = static_cast<Status>(sampler.below(4));
    one.participants = sampler.participants(8, 40, /*agents=*/false);
    Claim& claim = one.claims[0];
    claim.source = SourceId{1 + sampler.below(3)};
    const std::uint64_t line = 1 + sampler.below(1'000'000);
    switch (sampler.below(5)) {
      case 0:
        claim.locator.clear();
        break;
      case 1:
        claim.locator = fmt::format("line {}, {}", line, line + 1 + sampler.below(1000));
        break;
      case 2:
        one.claims.clear();
        break;
      default:
        claim.locator = fmt::format("line {}", line);
    }
    if (sampler.one_in(6)) one.place = "Geneva";  // a rich one between them
    out.push_back(std::move(one));
    row += 1 + (sampler.one_in(4) ? sampler.below(50) : 0);
  }
  return out;
}

std::string encode(const std::vector<Interaction>& interactions) {
  PageRows page;
  RowDictionary dictionary;
  RowBlockEncoder encoder;
  for (const Interaction& one : interactions) append(page, dictionary, one);
  return encode_page(page, 0, page.fields.size(), dictionary, encoder);
}

// Reads everything that a page gives out.
Result<std::size_t> read_all(const std::vector<char>& bytes) {
  PlainPage page;
  DEMARCHE_CHECK(page.parse({bytes.data(), bytes.size()}));
  std::size_t sum = 0;
  for (std::size_t i = 0; i < page.rows().size(); ++i) {
    sum += page.find_row(page.rows().row(i)).value_or(0);
    if (page.fields(i).text == DateTextForm::kRich) continue;
    if (const auto one = page.interaction(i)) sum += one->participants.size() + one->claims.size();
  }
  return sum;
}

}  // namespace

TEST_CASE("plain: what an import makes is plain, and each thing more is not") {
  CHECK(is_plain(plain_one(5)));
  CHECK_FALSE(plain_with([](Interaction& i) { i.key = "k"; }));
  CHECK_FALSE(plain_with([](Interaction& i) { i.place = "Geneva"; }));
  CHECK_FALSE(plain_with([](Interaction& i) { i.part_of = InteractionId{1}; }));
  CHECK_FALSE(plain_with([](Interaction& i) { set_property(i.properties, "p", {true}); }));
  CHECK_FALSE(plain_with([](Interaction& i) { i.row = RowNumber{6}; }));  // a later version
  CHECK_FALSE(plain_with([](Interaction& i) { i.participants[0].acting_for = ActorId{9}; }));
  CHECK_FALSE(plain_with([](Interaction& i) { i.claims.push_back(i.claims[0]); }));
  CHECK_FALSE(plain_with([](Interaction& i) { i.claims[0].words = "spoke"; }));
  CHECK_FALSE(plain_with([](Interaction& i) { i.claims[0].note = "n"; }));
  CHECK_FALSE(plain_with([](Interaction& i) { i.claims[0].published = i.when; }));
  CHECK_FALSE(plain_with([](Interaction& i) { i.claims[0].when = i.when; }));
  CHECK_FALSE(plain_with([](Interaction& i) { i.claims[0].status = Status::kPlanned; }));
  CHECK(plain_with([](Interaction& i) { i.claims.clear(); }));
  CHECK(plain_with([](Interaction& i) { i.status = Status::kCancelled; }));
  CHECK(plain_with([](Interaction& i) { i.participants.clear(); }));
  CHECK(plain_with([](Interaction& i) { i.participants.resize(kInlinePartiesMax, i.participants[0]); }));
  CHECK_FALSE(plain_with([](Interaction& i) { i.participants.resize(kInlinePartiesMax + 1, i.participants[0]); }));
}

TEST_CASE("plain: days, months, years and no date; every other text is kept as it was written") {
  CHECK(plain_fields(plain_one(5, "")).text == DateTextForm::kNone);
  for (const char* day : {"2016-04-29", "1970-01-01", "0000-01-01", "-0044-03-15", "9999-12-31"}) {
    INFO(day);
    CHECK(plain_fields(plain_one(5, day)).text == DateTextForm::kDay);
  }
  for (const char* month : {"2016-04", "2015-02", "2016-02", "2016-12", "-0044-03"}) {
    INFO(month);
    CHECK(plain_fields(plain_one(5, month)).text == DateTextForm::kMonth);
  }
  for (const char* year : {"2016", "2015", "0000", "-0044"}) {
    INFO(year);
    CHECK(plain_fields(plain_one(5, year)).text == DateTextForm::kYear);
  }
  for (const char* other : {"2016-04-29T12:00:00Z",
                            "2016-04-29T00:00:00Z",
                            "2016-04-29?",
                            "2016-04~",
                            "2016-04-29/2016-04-30",
                            "2016-04-29/2016-04-29",
                            "2016-04-29/..",
                            "../2016",
                            "2016/",
                            "[2016-04-29]",
                            "[2016-04-01..2016-04-30]",
                            "[2016-01-01,2016-12-31]",
                            "201X",
                            "2016-XX",
                            "2016-21",
                            "Y12016",
                            "Y-290000000000",
                            "Y290000000000",
                            "[Y-290000000000..Y290000000000]",
                            "[..2016]",
                            "2016-04-XX",
                            "1950S2"}) {
    INFO(other);
    CHECK_FALSE(is_plain(plain_one(5, other)));
  }
}

TEST_CASE("plain: a date whose text does not follow from its bounds keeps both") {
  Interaction one = plain_one(5, "2016-04-29");
  one.when->text = "2016-04-30";
  CHECK_FALSE(is_plain(one));
  one.when->text = "2016-4-29";
  CHECK_FALSE(is_plain(one));
  one = plain_one(5, "2016-04");
  one.when->text = "2016";
  CHECK_FALSE(is_plain(one));
}

TEST_CASE("plain: locators are plain if they are written back as they were") {
  const auto fields = [](const std::string& locator) {
    Interaction one = plain_one(5);
    one.claims[0].locator = locator;
    return plain_fields(one);
  };
  CHECK(fields("") == PlainFields{DateTextForm::kDay, 3, 0, 0});
  CHECK(fields("line 5") == PlainFields{DateTextForm::kDay, 3, 5, 0});
  CHECK(fields("line 5, 9") == PlainFields{DateTextForm::kDay, 3, 5, 4});
  CHECK(fields("line 18446744073709551615") == PlainFields{DateTextForm::kDay, 3, ~std::uint64_t{0}, 0});
  for (const char* odd : {"line 05",
                          "line 5,9",
                          "line 5,  9",
                          "line 5, 09",
                          "line 5, 9, 12",
                          "line 5, ",
                          "line 5,",
                          "line 5 ",
                          "line ",
                          "line",
                          "line 0",
                          "line 0, 9",
                          "line 9, 5",
                          "line 5, 5",
                          "line 5, 0",
                          "line -5",
                          "line +5",
                          "line 5x",
                          "Line 5",
                          " line 5",
                          "line  5",
                          "page 3",
                          "line 18446744073709551616",
                          "line 5, 18446744073709551616",
                          "line 5; 9",
                          "line 5, x",
                          "l",
                          "line 5-9"}) {
    INFO(odd);
    CHECK(fields(odd) == PlainFields{});
  }
}

TEST_CASE("plain page: plain interactions are read back whole, others are marked, rows between are not found") {
  const unsigned seed = 1961;
  INFO("seed " << seed);
  RowSampler sampler(seed);
  PlainPage page;  // one for all: parse() may be repeated
  std::size_t plain = 0;
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{17}, std::size_t{100}, kPageRowsMax}) {
    for (int round = 0; round < 4; ++round) {
      const std::vector<Interaction> all = random_interactions(sampler, count);
      const std::string bytes = encode(all);
      const auto parsed = page.parse(bytes);
      if (!parsed) FAIL(parsed.error().message);
      REQUIRE(page.rows().size() == all.size());
      for (std::size_t i = 0; i < all.size(); ++i) {
        REQUIRE(page.fields(i) == plain_fields(all[i]));
        REQUIRE(page.find_row(all[i].row.value) == i);
        if (i + 1 == all.size() || all[i + 1].row.value != all[i].row.value + 1) {
          REQUIRE_FALSE(page.find_row(all[i].row.value + 1));
        }
        if (!is_plain(all[i])) continue;
        const auto one = page.interaction(i);
        if (!one) FAIL(one.error().message);
        check_same(*one, all[i]);
        ++plain;
      }
      CHECK_FALSE(page.find_row(0));
      CHECK_FALSE(page.find_row(~std::uint64_t{0}));
    }
  }
  CHECK(plain > 1000);
}

TEST_CASE("plain page: a part of the rows makes a page of its own") {
  RowSampler sampler(12);
  const std::vector<Interaction> all = random_interactions(sampler, 40);
  PageRows rows;
  RowDictionary dictionary;
  RowBlockEncoder encoder;
  for (const Interaction& one : all) append(rows, dictionary, one);
  const std::string bytes = encode_page(rows, 10, 25, dictionary, encoder);
  PlainPage page;
  const auto parsed = page.parse(bytes);
  if (!parsed) FAIL(parsed.error().message);
  REQUIRE(page.rows().size() == 15);
  for (std::size_t i = 0; i < 15; ++i) {
    CHECK(page.rows().row(i) == all[10 + i].row.value);
    CHECK(page.fields(i) == plain_fields(all[10 + i]));
    if (!is_plain(all[10 + i])) continue;
    const auto one = page.interaction(i);
    if (!one) FAIL(one.error().message);
    check_same(*one, all[10 + i]);
  }
}

TEST_CASE("damage: a page cut anywhere is refused") {
  RowSampler sampler(77);
  const std::string bytes = encode(random_interactions(sampler, 30));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
    const auto read = read_all(cut);
    INFO("cut at " << length << " of " << bytes.size());
    REQUIRE_FALSE(read);
    REQUIRE(read.error().code == ErrorCode::kCorruption);
  }
  std::vector<char> longer(bytes.begin(), bytes.end());
  longer.push_back('x');
  CHECK_FALSE(read_all(longer));
}

TEST_CASE("damage: a page with a byte changed is refused or reads as other interactions, never as foreign memory") {
  const unsigned seed = 2718;
  INFO("seed " << seed);
  RowSampler sampler(seed);
  std::size_t refused = 0;
  std::size_t sum = 0;
  for (int round = 0; round < 50; ++round) {
    const std::string bytes = encode(random_interactions(sampler, 1 + sampler.below(60)));
    for (int n = 0; n < 100; ++n) {
      std::vector<char> changed(bytes.begin(), bytes.end());
      const std::size_t at = sampler.below(sampler.one_in(2) ? std::min<std::size_t>(80, bytes.size()) : bytes.size());
      changed[at] = static_cast<char>(changed[at] ^ (1 + sampler.below(255)));
      const auto read = read_all(changed);
      if (read) {
        sum += *read;
        continue;
      }
      ++refused;
      REQUIRE(read.error().code == ErrorCode::kCorruption);
    }
  }
  CHECK(refused > 500);
  CHECK(sum > 0);
}

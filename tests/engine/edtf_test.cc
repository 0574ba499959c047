// Dates: what is read, what it can mean, what is refused and with which words. The rows tagged [shared] come from a
// directory outside this repository (DEMARCHE_SHARED); without it that case says that it was skipped.
#include "engine/edtf.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace {

using demarche::civil_from_days;
using demarche::CivilDay;
using demarche::days_from_civil;
using demarche::Edtf;
using demarche::edtf_members;
using demarche::EdtfBound;
using demarche::EdtfShape;
using demarche::ErrorCode;
using demarche::format_day;
using demarche::format_instant;
using demarche::parse_edtf;
using demarche::TimeBounds;
using demarche::TimeRange;
using demarche::Timestamp;

Edtf read(std::string_view text) {
  INFO("text: " << text);
  auto result = parse_edtf(text);
  if (!result) FAIL(result.error().message);
  CHECK(result->text == text);
  return *result;
}

std::string refusal(std::string_view text) {
  INFO("text: " << text);
  const auto result = parse_edtf(text);
  if (result) FAIL("accepted");
  CHECK(result.error().code == ErrorCode::kInvalidArgument);
  return result.error().message;
}

std::string bound(const EdtfBound& b, std::string_view open) {
  if (b.kind == EdtfBound::Kind::kUnknown) return "?";
  return b.kind == EdtfBound::Kind::kOpen ? std::string(open) : format_day(b.day);
}

// "first..last" of the days as written.
std::string days(std::string_view text) {
  const Edtf edtf = read(text);
  return bound(edtf.earliest, "-inf") + ".." + bound(edtf.latest, "inf");
}

// The four bounds, in words.
std::string show(const TimeBounds& b) {
  std::string out = b.is_span ? "span" : "moment";
  for (const Timestamp t : {b.begin_min, b.begin_max, b.end_min, b.end_max}) out += " " + format_instant(t);
  return out;
}

Timestamp at(std::int64_t year, unsigned month, unsigned day, std::int64_t seconds = 0) {
  return {days_from_civil(year, month, day) * demarche::kSecondsPerDay + seconds};
}

constexpr std::int64_t kDayEnd = demarche::kSecondsPerDay - 1;

void check_invariants(const TimeBounds& b) {
  CHECK(b.begin_min <= b.begin_max);
  CHECK(b.end_min <= b.end_max);
  CHECK(b.begin_min <= b.end_min);
  CHECK(b.begin_max <= b.end_max);
  if (b.is_span) return;
  CHECK(b.begin_min == b.end_min);
  CHECK(b.begin_max == b.end_max);
}

TEST_CASE("edtf: a day is a moment within its seconds") {
  const Edtf edtf = read("2016-04-29");
  CHECK(edtf.level == 0);
  CHECK(edtf.shape == EdtfShape::kDate);
  CHECK(edtf.bounds == TimeBounds{false, false, false, false, false, at(2016, 4, 29), at(2016, 4, 29, kDayEnd),
                                  at(2016, 4, 29), at(2016, 4, 29, kDayEnd)});
}

TEST_CASE("edtf: months and years reach from their first to their last day") {
  CHECK(days("2016-02") == "2016-02-01..2016-02-29");
  CHECK(days("2015-02") == "2015-02-01..2015-02-28");
  CHECK(days("1900-02") == "1900-02-01..1900-02-28");
  CHECK(days("0000-02") == "0000-02-01..0000-02-29");
  CHECK(days("-0004") == "-0004-01-01..-0004-12-31");
  CHECK(days("0033") == "0033-01-01..0033-12-31");
  CHECK(read("-0004").level == 1);
  CHECK_FALSE(read("2016").bounds.has_gaps);
}

TEST_CASE("edtf: seasons, quarters, thirds and halves have the documented months") {
  const std::vector<std::pair<int, std::string>> months = {
      {21, "01 03"}, {22, "04 06"}, {23, "07 09"}, {24, "10 12"}, {25, "01 03"}, {26, "04 06"}, {27, "07 09"},
      {28, "10 12"}, {29, "10 12"}, {30, "07 09"}, {31, "04 06"}, {32, "01 03"}, {33, "01 03"}, {34, "04 06"},
      {35, "07 09"}, {36, "10 12"}, {37, "01 04"}, {38, "05 08"}, {39, "09 12"}, {40, "01 06"}, {41, "07 12"}};
  for (const auto& [code, range] : months) {
    const Edtf edtf = read("2017-" + std::to_string(code));
    CHECK(edtf.shape == EdtfShape::kSeason);
    CHECK(edtf.level == (code <= 24 ? 1 : 2));
    CHECK_FALSE(edtf.bounds.has_gaps);
    CHECK(format_day(edtf.earliest.day).substr(5, 2) + " " + format_day(edtf.latest.day).substr(5, 2) == range);
  }
  CHECK(days("2016-37") == "2016-01-01..2016-04-30");
  CHECK(read("2011-23~").bounds.qualified);
  CHECK(days("198X-22") == "1980-04-01..1989-06-30");
  CHECK(read("198X-22").bounds.has_gaps);
}

TEST_CASE("edtf: years with Y, exponent and significant digits") {
  CHECK(days("Y12345") == "12345-01-01..12345-12-31");
  CHECK(read("Y12345").level == 1);
  CHECK(days("Y-12345") == "-12345-01-01..-12345-12-31");
  CHECK(days("Y3E5") == "300000-01-01..300000-12-31");
  CHECK(read("Y3E5").level == 2);
  CHECK(days("Y17E8") == "1700000000-01-01..1700000000-12-31");
  CHECK(days("Y-29E10/Y290000000000") == "-290000000000-01-01..290000000000-12-31");
  CHECK(read("Y29E10").bounds.end_max.is_finite());
  CHECK(read("Y29E10").bounds.begin_min < read("Y29E10").bounds.end_max);
  CHECK(read("Y-29E10").bounds.begin_min > Timestamp::lowest());
  CHECK(days("1948S2") == "1948-01-01..1948-12-31");
  CHECK(days("-1948S2") == "-1948-01-01..-1948-12-31");
  CHECK(days("Y34E5S1") == "3400000-01-01..3400000-12-31");
  CHECK(read("1948S2").level == 2);
}

TEST_CASE("edtf: a date-time is one second in UTC, its days those written") {
  const Edtf late = read("2016-12-31T23:30:00-02:00");
  CHECK(late.shape == EdtfShape::kDateTime);
  CHECK(late.level == 0);
  CHECK(show(late.bounds) ==
        "moment 2017-01-01T01:30:00Z 2017-01-01T01:30:00Z 2017-01-01T01:30:00Z 2017-01-01T01:30:00Z");
  CHECK(days(late.text) == "2016-12-31..2016-12-31");
  CHECK(late.bounds.fine_begin);
  CHECK(late.bounds.fine_end);
  CHECK_FALSE(late.bounds.has_gaps);
  CHECK(read("2016-04-29T13:05:00").bounds == read("2016-04-29T13:05:00Z").bounds);
  CHECK(read("2016-04-29T13:05:00+03").bounds == read("2016-04-29T10:05:00Z").bounds);
  CHECK(read("2016-04-29T13:05:00+05:45").bounds.begin_min == at(2016, 4, 29, 7 * 3600 + 20 * 60));
  CHECK(read("2016-04-29T13:05:00-00:15").bounds.begin_min == at(2016, 4, 29, 13 * 3600 + 20 * 60));
  CHECK(read("2016-04-29T13:05:00.999").bounds == read("2016-04-29T13:05:00Z").bounds);
  CHECK(read("2016-04-29T13:05:00.5-12:00").bounds.begin_min == at(2016, 4, 30, 3600 + 300));
  CHECK(read("-0044-03-15T12:00:00Z").level == 1);
}

TEST_CASE("edtf: 24:00:00 is the first second of the next day, on the day written") {
  CHECK(read("2016-12-31T24:00:00").bounds.begin_min == at(2017, 1, 1));
  CHECK(read("2016-12-31T24:00:00.000Z").bounds.begin_min == at(2017, 1, 1));
  CHECK(days("2016-12-31T24:00:00") == "2016-12-31..2016-12-31");
  CHECK(refusal("2016-12-31T24:00:01") ==
        "date '2016-12-31T24:00:01', character 12: the last instant of hour 24 is 24:00:00");
  refusal("2016-12-31T24:00:00.1");
}

TEST_CASE("edtf: qualifiers set the flag, keep the days and decide the level") {
  for (const char* text : {"2016?", "2016-04~", "2016-04-29%", "16XX~", "2016/2017?", "2016-21?", "Y12345~"}) {
    CHECK(read(text).level == 1);
    CHECK(read(text).bounds.qualified);
  }
  for (const char* text :
       {"?2016", "2016?-04", "2016-~04-29", "~2016-%04-?29", "?2016~", "2016-04?-29", "[2016?]", "1948S2~"}) {
    CHECK(read(text).level == 2);
    CHECK(read(text).bounds.qualified);
  }
  CHECK(days("?-0044-%03-15~") == "-0044-03-15..-0044-03-15");
  CHECK_FALSE(read("2016").bounds.qualified);
  refusal("-?2016");  // a qualifier stands before the sign
}

TEST_CASE("edtf: unspecified digits take every day that fits") {
  CHECK(days("201X") == "2010-01-01..2019-12-31");
  CHECK(days("2016-1X-3X") == "2016-10-30..2016-12-31");
  CHECK(days("2016-X0-X1") == "2016-10-01..2016-10-31");
  CHECK(days("2015-02-X9") == "2015-02-09..2015-02-19");
  CHECK(days("XXXX-02-29") == "0000-02-29..9996-02-29");
  CHECK(days("-XXXX-02-29") == "-9996-02-29..-0004-02-29");
  CHECK(days("-000X") == "-0009-01-01..-0001-12-31");
  CHECK(days("-00X0") == "-0090-01-01..-0010-12-31");
  CHECK(days("1X0X-XX-3X") == "1000-01-30..1909-12-31");
  CHECK(days("20X1-02-X9") == "2001-02-09..2091-02-19");
}

TEST_CASE("edtf: the level of unspecified digits") {
  for (const char* text :
       {"201X", "20XX", "XXXX", "-20XX", "2016-XX", "2016-04-XX", "2016-XX-XX", "XXXX-XX", "XXXX-XX-XX"})
    CHECK(read(text).level == 1);
  for (const char* text : {"2XXX", "2X16", "X016", "201X-XX", "20XX-04", "2016-XX-29", "2016-0X", "2016-04-2X",
                           "XXXX-04", "XXXX-04-XX", "2016-1X-XX", "201X/2020"})
    CHECK(read(text).level == 2);
}

TEST_CASE("edtf: only dates whose possible days are apart have gaps") {
  for (const char* text : {"201X", "XXXX", "2016-XX", "2016-04-2X", "XXXX-XX-XX", "2016-1X", "-20XX", "201X-XX-XX",
                           "2016-0X-XX", "[2015,2016]", "[2016-04-30,2016-05]", "[1670..1672]", "[..2016,2017]",
                           "[2016..2018,2010..2020]", "2016-X1-11/2017"}) {
    INFO(text);
    CHECK_FALSE(read(text).bounds.has_gaps);
    CHECK(edtf_members(text).value().size() == 1);
  }
  for (const char* text : {"20X6", "201X-04", "2016-X1", "2016-04-X1", "XXXX-12-XX", "[1667,1668,1670..1672]",
                           "[2016-04-29,2016-05-01]", "[2016-04-29T10:00:00Z,2016-04-29T10:00:02Z]", "[156X-12-25]"}) {
    INFO(text);
    CHECK(read(text).bounds.has_gaps);
    CHECK(edtf_members(text).value().size() > 1);
  }
}

TEST_CASE("edtf: members are ascending, joined, and span the bounds") {
  CHECK(
      edtf_members("[1672,1667,1668..1669]").value() ==
      std::vector<TimeRange>{{at(1667, 1, 1), at(1669, 12, 31, kDayEnd)}, {at(1672, 1, 1), at(1672, 12, 31, kDayEnd)}});
  CHECK(edtf_members("-156X-12-25").value().front() == TimeRange{at(-1569, 12, 25), at(-1569, 12, 25, kDayEnd)});
  CHECK(edtf_members("-156X-12-25").value().back() == TimeRange{at(-1560, 12, 25), at(-1560, 12, 25, kDayEnd)});
  CHECK(edtf_members("156X-12-25").value().size() == 10);
  CHECK(edtf_members("XXXX-02-29").value().size() == 2425);
  CHECK(edtf_members("XXXX-XX-23").value().size() == 120'000);
  CHECK(edtf_members("2016-XX-X1").value().size() == 43 - 6);  // 31st and 1st join, but for those of December
  CHECK(
      edtf_members("[..2015,2017..]").value() ==
      std::vector<TimeRange>{{Timestamp::lowest(), at(2015, 12, 31, kDayEnd)}, {at(2017, 1, 1), Timestamp::highest()}});
  CHECK(edtf_members("2016/2017").value() == std::vector<TimeRange>{{at(2016, 1, 1), at(2017, 12, 31, kDayEnd)}});
  CHECK(edtf_members("2016-04-29T10:00:00Z").value() ==
        std::vector<TimeRange>{{at(2016, 4, 29, 36000), at(2016, 4, 29, 36000)}});
  CHECK(edtf_members("{2016,2018}").value().size() == 2);
  CHECK(edtf_members("2016-13").error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("edtf: members of random masks are the days that fit, one by one") {
  const unsigned seed = 20160429;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const std::int64_t start = days_from_civil(1990, 1, 1);  // with one X in the year, none leaves these two decades
  std::vector<std::string> candidates;
  for (std::int64_t day = start; day < days_from_civil(2010, 1, 1); ++day) candidates.push_back(format_day(day));
  for (int round = 0; round < 500; ++round) {
    std::string text = candidates[random() % candidates.size()];
    for (const std::size_t i : {3U, 5U, 6U, 8U, 9U}) {
      if (random() % 2 == 0) text[i] = 'X';
    }
    std::vector<TimeRange> expected;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const auto fits = [](char pattern, char c) { return pattern == 'X' || pattern == c; };
      if (!std::equal(text.begin(), text.end(), candidates[i].begin(), fits)) continue;
      const std::int64_t first = (start + static_cast<std::int64_t>(i)) * demarche::kSecondsPerDay;
      if (!expected.empty() && expected.back().last.seconds + 1 == first) {
        expected.back().last.seconds = first + kDayEnd;
      } else {
        expected.push_back({{first}, {first + kDayEnd}});
      }
    }
    INFO("text " << text);
    const auto members = edtf_members(text);
    REQUIRE(members.has_value());
    CHECK(*members == expected);
    const TimeBounds bounds = read(text).bounds;
    CHECK(bounds.begin_min == expected.front().first);
    CHECK(bounds.end_max == expected.back().last);
    CHECK(bounds.has_gaps == (expected.size() > 1));
  }
}

TEST_CASE("edtf: more than 200,000 members are refused, the bounds are not") {
  CHECK(edtf_members("XXXX-XX-X2").error().code == ErrorCode::kLimit);
  CHECK(days("XXXX-XX-X2") == "0000-01-02..9999-12-22");
  CHECK(read("XXXX-XX-X2").bounds.has_gaps);
  std::string many = "[XXXX-XX-23";
  for (int i = 0; i < 3000; ++i) many += ",XXXX-XX-23";
  many += "]";
  CHECK(read(many).bounds.has_gaps);
  CHECK(edtf_members(many).error().code == ErrorCode::kLimit);
  CHECK(edtf_members("[XXXX-XX-23,XXXX-XX-24]").value().size() == 120'000);
}

TEST_CASE("edtf: an interval is a span whose begin and end lie within its sides") {
  CHECK(show(read("2016-04/2017-05-03").bounds) ==
        "span 2016-04-01T00:00:00Z 2016-04-30T23:59:59Z 2017-05-03T00:00:00Z 2017-05-03T23:59:59Z");
  CHECK(read("2016-04/2017-05-03").level == 0);
  CHECK(read("2016-04/2017-05-03").shape == EdtfShape::kInterval);
  CHECK(show(read("2016-04-29/2016-04-29").bounds) ==
        "span 2016-04-29T00:00:00Z 2016-04-29T23:59:59Z 2016-04-29T00:00:00Z 2016-04-29T23:59:59Z");
  CHECK(days("2003-22/2003-23") == "2003-04-01..2003-09-30");
}

TEST_CASE("edtf: overlapping sides of an interval are normalised") {
  CHECK(show(read("2016-04/2016-XX").bounds) ==
        "span 2016-04-01T00:00:00Z 2016-04-30T23:59:59Z 2016-04-01T00:00:00Z 2016-12-31T23:59:59Z");
  CHECK(show(read("2016/2016-04").bounds) ==
        "span 2016-01-01T00:00:00Z 2016-04-30T23:59:59Z 2016-04-01T00:00:00Z 2016-04-30T23:59:59Z");
}

TEST_CASE("edtf: unknown and open sides differ") {
  CHECK(show(read("2016-04-29/").bounds) == "span 2016-04-29T00:00:00Z 2016-04-29T23:59:59Z 2016-04-29T00:00:00Z inf");
  CHECK(show(read("2016-04-29/..").bounds) == "span 2016-04-29T00:00:00Z 2016-04-29T23:59:59Z inf inf");
  CHECK(show(read("/2016-04-29").bounds) == "span -inf 2016-04-29T23:59:59Z 2016-04-29T00:00:00Z 2016-04-29T23:59:59Z");
  CHECK(show(read("../2016-04-29").bounds) == "span -inf -inf 2016-04-29T00:00:00Z 2016-04-29T23:59:59Z");
  CHECK(show(read("../").bounds) == "span -inf -inf -inf inf");
  CHECK(show(read("/..").bounds) == "span -inf inf inf inf");
  CHECK(show(read("../..").bounds) == "span -inf -inf inf inf");
  CHECK(days("/..") == "?..inf");
  CHECK(days("2016/") == "2016-01-01..?");
  CHECK(read("2016/..").level == 1);
}

TEST_CASE("edtf: doubtful intervals are accepted when some reading is in order") {
  for (const char* text : {"1919-08-02/1919-0X-01", "0000/0000", "0000-01/0000", "1984-11-12/1984-11-XX",
                           "1919-XX-02/1919-XX-01", "2000/2000-XX-XX", "2003-22/2003-22", "2009-06-11/200X"}) {
    INFO(text);
    check_invariants(read(text).bounds);
  }
  CHECK(refusal("1919-11-02/1919-0X-01") == "date '1919-11-02/1919-0X-01', character 12: the end is before the start");
  CHECK(refusal("2016-05-03/2016-05") ==
        "date '2016-05-03/2016-05', character 12: the end counts from its first day, and that is before the start; "
        "write the day, or XX for an unknown one, as in 2016-05-XX");
  CHECK(refusal("2017/2016").find("character 6: the end is before the start") != std::string::npos);
  refusal("2012-24/2012-21");
  refusal("[1672..1670]");
}

TEST_CASE("edtf: one-of sets are moments between their extremes") {
  const Edtf edtf = read("[2016-05-03,2014..2015,2016-04]");
  CHECK(edtf.level == 2);
  CHECK(edtf.shape == EdtfShape::kOneOf);
  CHECK(show(edtf.bounds) ==
        "moment 2014-01-01T00:00:00Z 2016-05-03T23:59:59Z 2014-01-01T00:00:00Z 2016-05-03T23:59:59Z");
  CHECK(days(edtf.text) == "2014-01-01..2016-05-03");
  CHECK(show(read("[..2016-05-01]").bounds) == "moment -inf 2016-05-01T23:59:59Z -inf 2016-05-01T23:59:59Z");
  CHECK(show(read("[2016-05-03..]").bounds) == "moment 2016-05-03T00:00:00Z inf 2016-05-03T00:00:00Z inf");
  CHECK(days("[..1984,1990..]") == "-inf..inf");
  CHECK(days("{1960,-1961-12}") == "-1961-12-01..1960-12-31");
  CHECK(read("{1960,-1961-12}").shape == EdtfShape::kAllOf);
  CHECK(read("[1667 ,  1668, 1670..1672]").bounds == read("[1667,1668,1670..1672]").bounds);
}

TEST_CASE("edtf: in a set the member at the extreme says how fine the bound is") {
  const TimeBounds mixed = read("[2016-05-01T12:00:00Z,2016-05-03]").bounds;
  CHECK(mixed.fine_begin);
  CHECK_FALSE(mixed.fine_end);
  const TimeBounds between = read("[2016-05-01T12:00:00Z..2016-05-01T13:00:00Z]").bounds;
  CHECK(between.fine_begin);
  CHECK(between.fine_end);
  CHECK(between.end_max == at(2016, 5, 1, 13 * 3600));
  CHECK_FALSE(read("[2016-05-01T00:00:00Z,2016-05-01]").bounds.fine_begin);
  CHECK_FALSE(read("[..2016-05-01T12:00:00Z]").bounds.fine_begin);
  CHECK(read("[..2016-05-01T12:00:00Z]").bounds.fine_end);
  CHECK_FALSE(read("2016-05-01").bounds.fine_begin);
}

TEST_CASE("edtf: as a literal a plain date is its whole period") {
  CHECK(show(as_period(read("2016-04"))) ==
        "span 2016-04-01T00:00:00Z 2016-04-01T00:00:00Z 2016-04-30T23:59:59Z 2016-04-30T23:59:59Z");
  CHECK(as_period(read("2016-21")).is_span);
  CHECK(as_period(read("2016?")).is_span);
  CHECK(as_period(read("2016?")).qualified);
  CHECK(show(as_period(read("Y12345"))).substr(0, 4) == "span");
  CHECK(show(as_period(read("2016-04/2017~"))) ==
        "span 2016-04-01T00:00:00Z 2016-04-01T00:00:00Z 2017-12-31T23:59:59Z 2017-12-31T23:59:59Z");
  CHECK(as_period(read("2016-04/2017~")).qualified);
  CHECK(show(as_period(read("2016-04/.."))) == "span 2016-04-01T00:00:00Z 2016-04-01T00:00:00Z inf inf");
  CHECK(show(as_period(read("2016-04/"))) == "span 2016-04-01T00:00:00Z 2016-04-01T00:00:00Z 2016-04-01T00:00:00Z inf");
  CHECK(show(as_period(read("/2016-04"))) ==
        "span -inf 2016-04-30T23:59:59Z 2016-04-30T23:59:59Z 2016-04-30T23:59:59Z");
  CHECK(show(as_period(read("2016-04/201X"))) ==
        "span 2016-04-01T00:00:00Z 2016-04-01T00:00:00Z 2016-04-01T00:00:00Z 2019-12-31T23:59:59Z");
}

TEST_CASE("edtf: as a literal sets, masks and date-times keep their bounds") {
  for (const char* text : {"[2016,2018]", "201X", "2016-04-XX", "2016-04-29T13:05:00Z", "198X-21", "{2016,2018}"}) {
    CHECK(as_period(read(text)) == read(text).bounds);
  }
}

TEST_CASE("edtf: refusals name the character and the reason") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "character 1: the text is empty"},
      {"2016-02-30", "character 9: February 2016 has 29 days"},
      {"-0001-02-29", "character 10: February -0001 has 28 days"},
      {"2016-13", "character 6: there is no month 13; months are 01 to 12, seasons and quarters 21 to 41"},
      {"2016-00", "character 6: there is no month 00"},
      {"2016-2X", "character 6: there is no month 2X"},
      {"2016-20", "character 6: there is no month 20"},
      {"2016-42", "character 6: there is no month 42"},
      {"2016-04-00", "character 9: there is no day 00"},
      {"2016-04-4X", "character 9: there is no day 4X"},
      {"XXX1-02-29", "character 9: no month that this can mean has such a day"},
      {"15XX-02-3X", "character 9: no month that this can mean has such a day"},
      {"-0000", "character 1: there is no year -0000"},
      {"19", "character 3: a year has four digits; write 0019 for the year, 19XX for the century"},
      {"193?", "character 4: a year has four digits; write 0193 for the year, 193X for the decade"},
      {"-193", "character 5: a year has four digits; write -0193 for the year, -193X for the decade"},
      {"12345", "character 5: a year has four digits; a longer one is written with Y, as in Y12345"},
      {"Y9999", "character 1: Y is for years of more than four digits; write 9999"},
      {"Y-17E1", "character 1: Y is for years of more than four digits; write -0170"},
      {"Y012345", "character 2: a year with Y does not begin with 0"},
      {"Y290000000001", "character 2: years are read from -290,000,000,000 to 290,000,000,000"},
      {"Y-3E99999999999", "character 2: years are read from"},
      {"Y99999999999999999999999999", "character 2: years are read from"},
      {"Y17E7-12", "character 6: a year with Y or S has no month"},
      {"Y17e7", "character 4: the sign before an exponent is a capital E"},
      {"y17000", "character 1: the sign before a long year is a capital Y"},
      {"1950S0", "character 6: the number of significant digits is from 1 to 99"},
      {"19XXS2", "character 5: a year with X has no S"},
      {"2016-21-01", "character 8: a season has no day"},
      {"+2016", "character 1: a year has no '+'"},
      {"20 16", "character 3: a year has four digits"},
      {"2016 ", "character 5: no space may stand here"},
      {" 2016", "character 1: no space may stand here"},
      {"2016?~", "character 6: one of ? ~ % is enough; % means both ? and ~"},
      {"(2016)?", "character 1: parentheses are not used"},
      {"201u", "character 4: an unknown digit is written as a capital X"},
      {"2016-04-29t13:05:00", "character 11: the sign before the time of day is a capital T"},
      {"2016-04-29T13:05:00z", "character 20: the sign for UTC is a capital Z"},
      {"2016-04-29T13:05", "character 17: the text ends where ':' and the seconds is expected"},
      {"2016-04-29T25:00:00", "character 12: an hour is at most 24"},
      {"2016-04-29T23:60:00", "character 15: a minute is at most 59"},
      {"2016-04-29T23:59:60", "character 18: a second is at most 59"},
      {"2016-04-29T13:05:00+0230", "character 23: an offset is written with a colon, as in +02:30"},
      {"2016-04-29T13:05:00-12:01", "character 20: offsets are from -12:00 to +14:00"},
      {"2016-04-29T13:05:00+14:01", "character 20: offsets are from -12:00 to +14:00"},
      {"2016-04-29T13:05:00-00:00", "character 20: there is no offset -00:00; write Z"},
      {"2016-04-XXT13:05:00", "character 11: a time of day needs a full date without X"},
      {"2016-04?-29T13:05:00", "character 12: a date with a time of day has no ? ~ or %"},
      {"2016T13:05:00", "character 5: a time of day needs a full date"},
      {"2016-04-29T13:05:00Z/2017", "character 11: an interval has dates without a time of day"},
      {"2016-04-29 13:05:00", "character 11: a T, not a space, stands before the time of day"},
      {"2016-04-29/05-01", "character 14: a year has four digits; both sides of an interval are written in full"},
      {"/", "character 1: an interval with both sides unknown says nothing"},
      {"2016//2017", "character 6: an interval has one '/'"},
      {"..2016", "character 1: '..' stands for an open side of an interval"},
      {"2016..", "character 5: '..' stands for an open side of an interval"},
      {"[]", "character 2: unexpected ']'; a year of four digits is expected"},
      {"[..]", "character 4: unexpected ']'"},
      {"[2016", "character 6: the text ends where ',' or ']' is expected"},
      {"[2016}", "character 6: unexpected '}'"},
      {"[2016]]", "character 7: unexpected ']'"},
      {"[ 2016]", "character 2: no space may stand here"},
      {"[2016 ]", "character 6: no space may stand here"},
      {"[2015,..2016]", "character 7: only the first member can be open at its beginning"},
      {"[2015..,2016]", "character 6: only the last member can be open at its end"},
      {"[2015/2016]", "character 6: an interval has one '/', outside brackets"},
      {"\xC3\xA9t\xC3\xA9 2016", "character 1: unexpected '\xC3\xA9'; a year of four digits is expected"},
      {"2016\xE2\x80\x93"
       "2017",
       "character 5: this dash is not the hyphen '-'"},
      {"2016\xC3\xA9", "character 5: unexpected '\xC3\xA9'"},
  };
  for (const auto& [text, message] : cases) CHECK_THAT(refusal(text), Catch::Contains("', " + message));
  CHECK(refusal("2016-02-30") == "date '2016-02-30', character 9: February 2016 has 29 days");
}

TEST_CASE("edtf: refusals quote control characters and long texts safely") {
  CHECK(refusal("20\n16") == "date '20.16', character 3: a year has four digits");
  const std::string message = refusal(std::string(500, 'x'));
  CHECK(message.find("...', character 1") != std::string::npos);
  CHECK(refusal("2016-04-29" + std::string(70'000, ' ')).find("longer than 65,536 bytes") != std::string::npos);
  CHECK(refusal(std::string("2016\0", 5)).find("control character") != std::string::npos);
}

TEST_CASE("edtf: common slips are refused with what to write instead") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"29 April 2016", "; write 2016-04-29"},
      {"29th of April 2016", ""},
      {"29th April 2016", "; write 2016-04-29"},
      {"April 29, 2016", "; write 2016-04-29"},
      {"29. apr. 2016", "; write 2016-04-29"},
      {"29-Apr-2016", "; write 2016-04-29"},
      {"2016 April 29", "; write 2016-04-29"},
      {"April 2016", "; write 2016-04"},
      {"Sept 2016", "; write 2016-09"},
      {"2016/04/29", "; write 2016-04-29"},
      {"2016.4.9", "; write 2016-04-09"},
      {"2016-4-9", "; write 2016-04-09"},
      {"20160429", "; write 2016-04-29"},
      {"2016/04", "; for the month write 2016-04"},
      {"2016-4", "; for the month write 2016-04"},
      {"29.04.2016", "day first or month first differs between countries; write YYYY-MM-DD, here 2016-04-29"},
      {"04/29/2016", "day first or month first differs between countries; write YYYY-MM-DD, here 2016-04-29"},
      {"04/05/2016", "differs between countries; write YYYY-MM-DD, 2016-05-04 or 2016-04-05"},
      {"29/04/16", "it is not clear which number is the year, the month and the day; write YYYY-MM-DD"},
      {"29 April 16", "give the year four digits and write YYYY-MM-DD"},
      {"1950-1960", "for an interval write 1950/1960"},
      {"1950s", "; write 195X"},
      {"1900s", "; write 190X for the decade, 19XX for the century"},
      {"ca. 1950", "; write 1950~"},
      {"last week of April 2016", "write the days it can mean, as in [2016-04-24..2016-04-30] for one of them"},
      {"early April 2016", "write the days it can mean"},
      {"mid-2016", "write the days it can mean"},
      {"1985/open", "the open side of an interval is written .., as in 1985/.."},
      {"unknown/1985", "the unknown side of an interval is left empty"},
  };
  for (const auto& [text, hint] : cases) {
    const std::string message = refusal(text);
    INFO(text << " gives " << message);
    CHECK(message.size() >= hint.size());
    CHECK(message.find(hint) != std::string::npos);
  }
  CHECK(refusal("29 April 2016") == "date '29 April 2016', character 3: a year has four digits; write 2016-04-29");
  CHECK(refusal("31 April 2016").find("write") == std::string::npos);  // no such day: nothing to propose
}

TEST_CASE("edtf: days and instants are printed in full") {
  CHECK(format_day(0) == "1970-01-01");
  CHECK(format_day(-1) == "1969-12-31");
  CHECK(format_day(days_from_civil(0, 1, 1)) == "0000-01-01");
  CHECK(format_day(days_from_civil(-1, 12, 31)) == "-0001-12-31");
  CHECK(format_day(days_from_civil(-12345, 2, 3)) == "-12345-02-03");
  CHECK(format_day(days_from_civil(170000002, 12, 31)) == "170000002-12-31");
  CHECK(format_instant({0}) == "1970-01-01T00:00:00Z");
  CHECK(format_instant({-1}) == "1969-12-31T23:59:59Z");
  CHECK(format_instant(at(2016, 4, 29, 13 * 3600 + 5 * 60)) == "2016-04-29T13:05:00Z");
  CHECK(format_instant(Timestamp::lowest()) == "-inf");
  CHECK(format_instant(Timestamp::highest()) == "inf");
}

TEST_CASE("civil calendar: known days") {
  CHECK(days_from_civil(1970, 1, 1) == 0);
  CHECK(days_from_civil(2000, 3, 1) == 11017);
  CHECK(days_from_civil(0, 1, 1) == -719528);
  CHECK(days_from_civil(2016, 4, 29) == 16920);
}

TEST_CASE("civil calendar: every day of 2,000 years follows the one before") {
  CivilDay before = civil_from_days(days_from_civil(-801, 12, 31));
  std::int64_t wrong = 0;
  for (std::int64_t day = days_from_civil(-800, 1, 1); day < days_from_civil(1200, 1, 1); ++day) {
    const CivilDay now = civil_from_days(day);
    const bool next_day = now.year == before.year && now.month == before.month && now.day == before.day + 1;
    const bool next_month =
        now.year == before.year && now.month == before.month + 1 && now.day == 1 && before.day >= 28;
    const bool next_year = now.year == before.year + 1 && now.month == 1 && now.day == 1 && before.month == 12;
    if (!next_day && !next_month && !next_year) ++wrong;
    if (days_from_civil(now.year, now.month, now.day) != day) ++wrong;
    before = now;
  }
  CHECK(wrong == 0);
}

TEST_CASE("civil calendar: random days of all years come back") {
  const unsigned seed = 4711;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::int64_t> any_day(days_from_civil(-290'000'000'000, 1, 1),
                                                      days_from_civil(290'000'000'000, 12, 31));
  std::int64_t wrong = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::int64_t day = any_day(random);
    const CivilDay civil = civil_from_days(day);
    if (civil.month < 1 || civil.month > 12 || civil.day < 1 || civil.day > 31) ++wrong;
    if (days_from_civil(civil.year, civil.month, civil.day) != day) ++wrong;
  }
  CHECK(wrong == 0);
  const CivilDay last = civil_from_days(days_from_civil(290'000'000'000, 12, 31));
  CHECK((last.year == 290'000'000'000 && last.month == 12 && last.day == 31));
}

TEST_CASE("edtf: mutated texts are read or refused, and the bounds stay in order") {
  const unsigned seed = 8601;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const std::vector<std::string> stems = {"2016-04-29",
                                          "2016-04-29T13:05:00.5+02:30",
                                          "[1667,1668, 1670..1672]",
                                          "{..1984,19XX-XX-3X}",
                                          "Y-17E8S3",
                                          "-156X-12-25",
                                          "?2004-06~-%11",
                                          "1985-04/..",
                                          "/2016-21",
                                          "29 April 2016",
                                          "XXXX-XX-XX/2016",
                                          "Y170000002"};
  const std::string alphabet = "0123456789-XYSETZ?~%[]{}.,/ :+aApril\xC3\xA9\n";
  int read_count = 0;
  for (int i = 0; i < 30'000; ++i) {
    std::string text = stems[random() % stems.size()];
    for (unsigned edits = random() % 4 + 1; edits > 0; --edits) {
      const char c = alphabet[random() % alphabet.size()];
      const std::size_t at_byte = text.empty() ? 0 : random() % text.size();
      switch (random() % 4) {
        case 0:
          text.insert(at_byte, 1, c);
          break;
        case 1:
          if (!text.empty()) text.erase(at_byte, 1);
          break;
        case 2:
          if (!text.empty()) text[at_byte] = c;
          break;
        default:
          text += stems[random() % stems.size()].substr(random() % 4);
      }
    }
    const auto result = parse_edtf(text);
    if (!result) {
      if (result.error().message.find("character ") == std::string::npos) FAIL(result.error().message);
      continue;
    }
    ++read_count;
    INFO("text " << text);
    check_invariants(result->bounds);
    check_invariants(as_period(*result));
    const auto members = edtf_members(text);
    if (!members) {
      CHECK(members.error().code == ErrorCode::kLimit);
      continue;
    }
    CHECK(members->front().first == result->bounds.begin_min);
    CHECK(members->back().last == result->bounds.end_max);
    if (!result->bounds.is_span) CHECK(result->bounds.has_gaps == (members->size() > 1));
  }
  CHECK(read_count > 1000);
}

// Rows of a tab-separated file without its header line; empty if the file cannot be opened.
std::vector<std::vector<std::string>> read_table(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row(1);
  for (const char c : content) {
    if (c == '\n') {
      rows.push_back(row);
      row.assign(1, "");
    } else if (c == '\t') {
      row.emplace_back();
    } else {
      row.back() += c;
    }
  }
  if (row.size() > 1) rows.push_back(row);
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    out += c == 't' ? '\t' : c == 'n' ? '\n' : c;
  }
  return out;
}

std::string shared_dir() {
  if (const char* dir = std::getenv("DEMARCHE_SHARED"); dir != nullptr && *dir != '\0') return dir;
  const std::string configured = DEMARCHE_SHARED_DIR;
  return configured.empty() ? DEMARCHE_SOURCE_DIR "/../shared" : configured;
}

TEST_CASE("edtf: the conformance lists are read and refused as they say", "[shared]") {
  const std::string dir = shared_dir() + "/edtf";
  const auto valid = read_table(dir + "/valid.tsv");
  const auto invalid = read_table(dir + "/invalid.tsv");
  if (valid.empty() || invalid.empty()) {
    WARN("skipped: no valid.tsv and invalid.tsv in '" << dir << "'; set DEMARCHE_SHARED to their parent directory");
    return;
  }
  for (const auto& row : valid) {
    REQUIRE(row.size() >= 5);
    const std::string text = unescape(row[1]);
    INFO("text '" << text << "'");
    const auto result = parse_edtf(text);
    CHECK(result.has_value());
    if (!result) continue;
    check_invariants(result->bounds);
    CHECK(result->text == text);  // what is printed is what was written
    CHECK(std::to_string(result->level) == row[0]);
    if (row[4] == "convention") continue;
    CHECK(bound(result->earliest, "-inf") == row[2]);
    CHECK(bound(result->latest, "inf") == row[3]);
  }
  for (const auto& row : invalid) {
    const std::string text = unescape(row[0]);
    INFO("text '" << text << "'");
    const auto result = parse_edtf(text);
    REQUIRE_FALSE(result.has_value());
    CHECK_THAT(result.error().message, Catch::Contains(", character "));
  }
  WARN("checked " << valid.size() << " valid and " << invalid.size() << " invalid texts");
}

}  // namespace

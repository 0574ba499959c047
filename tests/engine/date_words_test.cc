// Dates in words: read where they can mean one thing only, refused with a hint elsewhere.
#include "engine/date_words.h"

#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace {

using namespace demarche;

TEST_CASE("date words: a month by its name and a year of four digits say one thing") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"29 April 2016", "2016-04-29"}, {"29th April 2016", "2016-04-29"}, {"April 29, 2016", "2016-04-29"},
      {"29. apr. 2016", "2016-04-29"}, {"29-Apr-2016", "2016-04-29"},     {"2016 April 29", "2016-04-29"},
      {"1 SEPT 2016", "2016-09-01"},   {"April 2016", "2016-04"},         {"Sept. 2016", "2016-09"},
      {"May 2016", "2016-05"},         {"2016 may", "2016-05"},           {"29 February 2016", "2016-02-29"}};
  for (const auto& [words, edtf] : cases) {
    INFO(words);
    CHECK(edtf_of_words(words) == edtf);
    const auto read = parse_when_or_words(words);
    REQUIRE(read);
    CHECK(read->text == edtf);  // what is kept is EDTF
    CHECK(read->bounds == parse_when(edtf)->bounds);
  }
}

TEST_CASE("date words: what could mean several days, or none, is not read") {
  for (const char* text : {"29/04/2016",
                           "04/05/2016",
                           "29.04.2016",
                           "2016-4-9",
                           "20160429",
                           "1950s",
                           "ca. 1950",
                           "29 April 16",
                           "April",
                           "29 April",
                           "last week of April 2016",
                           "early April 2016",
                           "29 February 2015",
                           "31 April 2016",
                           "yesterday",
                           "29 April 2016?",
                           "29 April/2016",
                           "29 Avril 2016",
                           "29 April 2016 or so",
                           "",
                           "2016",
                           "2016-04-29"}) {
    INFO(text);
    CHECK_FALSE(edtf_of_words(text).has_value());
  }
}

TEST_CASE("date words: EDTF goes first, and refusals are its own") {
  CHECK(parse_edtf_or_words("2016-04~")->text == "2016-04~");
  CHECK(parse_when_or_words("[2016-04-18..2016-04-24]")->text == "[2016-04-18..2016-04-24]");
  const auto week = parse_when_or_words("last week of April 2016");
  REQUIRE_FALSE(week);
  CHECK(week.error().message == parse_when("last week of April 2016").error().message);
  CHECK_THAT(week.error().message, Catch::Contains("write the days it can mean"));
  CHECK_FALSE(parse_when_or_words("{2016,2017}"));
}

}  // namespace

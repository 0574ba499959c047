#include "engine/names.h"

#include <random>
#include <string>

#include <catch2/catch.hpp>

using namespace demarche;

namespace {

std::string form(std::string_view name) {
  INFO(name);
  const auto out = normal_form(name);
  if (!out) FAIL(out.error().message);
  return *out;
}

}  // namespace

TEST_CASE("normal form: composed and decomposed letters are the same") {
  CHECK(form("Andr\u00E9") == form("Andre\u0301"));
  CHECK(form("\u00C5ngstr\u00F6m") == form("A\u030Angstro\u0308m"));
  CHECK(form("Andr\u00E9") != form("Andre"));
}

TEST_CASE("normal form: case does not count") {
  CHECK(form("John KERRY") == "john kerry");
  CHECK(form("STRASSE") == form("Stra\u00DFe"));
  CHECK(form("\u03A3\u0399\u03A3\u03A5\u03A6\u039F\u03A3") == form("\u03C3\u03B9\u03C3\u03C5\u03C6\u03BF\u03C2"));
  CHECK(form("\u041B\u0410\u0412\u0420\u041E\u0412") == form("\u041B\u0430\u0432\u0440\u043E\u0432"));
}

TEST_CASE("normal form: Arabic letters that people write for one another are the same") {
  CHECK(form("رياض") == form("ریاض"));        // Arabic and Farsi yeh
  CHECK(form("كاظم") == form("کاظم"));        // kaf and keheh
  CHECK(form("أحمد") == form("احمد"));        // alef with hamza
  CHECK(form("إبراهيم") == form("ابراهيم"));  // hamza below
  CHECK(form("آل ثاني") == form("ال ثاني"));  // madda
  CHECK(form("مصطفى") == form("مصطفي"));      // alef maqsura
  CHECK(form("فاطمة") == form("فاطمه"));      // ta marbuta
  CHECK(form("رؤوف") == form("رووف"));        // waw with hamza
  CHECK(form("محـــمد") == form("محمد"));     // tatweel
  CHECK(form("مُحَمَّد") == form("محمد"));        // harakat and shadda
  CHECK(form("رياض حجاب") != form("رياض حجار"));
}

TEST_CASE("normal form: runs of white space are one space, none at the ends") {
  CHECK(form("  John \t\n Kerry  ") == "john kerry");
  CHECK(form("John\u00A0Kerry") == "john kerry");
  CHECK(form("John\u3000\u2003Kerry\u2028") == "john kerry");
  CHECK(form("JohnKerry") == "johnkerry");
  CHECK(form(" ").empty());
  CHECK(form("").empty());
  CHECK(form("\u0640 \u0640").empty());
}

TEST_CASE("normal form: what is not UTF-8 is refused, what is is read") {
  for (const std::string bad :
       {"\xFF", "John\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xE2\x82"}) {
    CHECK_FALSE(is_utf8(bad));
    const auto out = normal_form(bad);
    REQUIRE_FALSE(out);
    CHECK(out.error().code == ErrorCode::kInvalidArgument);
  }
  for (const std::string good : {"", "abc", "\xC3\xA9", "\xF0\x9F\x95\x8A", "\xEF\xBF\xBD"}) {
    CHECK(is_utf8(good));
    CHECK(normal_form(good));
  }
}

TEST_CASE("normal form: random bytes are refused or read, never more; what is read is UTF-8 with its own form") {
  const unsigned seed = 20160429;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  int read = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text(random() % 6, '\0');
    for (char& c : text) c = static_cast<char>(random() % (round % 2 == 0 ? 256 : 128));
    const auto out = normal_form(text);
    CHECK(out.has_value() == is_utf8(text));
    if (!out) continue;
    ++read;
    CHECK(is_utf8(*out));
    CHECK(*normal_form(*out) == *out);
  }
  CHECK(read > 5000);
}

TEST_CASE("nearest: the closest name within a third of the letters, else none") {
  const std::vector<std::string> names = {"MEETING", "MEDIATION", "CALL", "VISIT"};
  CHECK(nearest("MEETNG", names) == "MEETING");
  CHECK(nearest("meeting", names) == "MEETING");
  CHECK(nearest("METEING", names) == "MEETING");  // two letters swapped are one slip
  CHECK(nearest("CAL", names) == "CALL");
  CHECK(nearest("BALLOON", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(nearest("MEETING", {}).empty());
  // Too many letters are missing, but what is there is a part of it.
  const std::vector<std::string> functions = {"percentileDisc", "percentileCont2", "date.truncate", "round"};
  CHECK(nearest("percentile", functions) == "percentileDisc");
  CHECK(nearest("Truncate", functions) == "date.truncate");
  CHECK(nearest("trunc", functions) == "date.truncate");
  CHECK(nearest("ate", functions).empty());  // within a word from five letters on
  CHECK(nearest("b", {"a", "c"}).empty());   // of one letter, another case is near and nothing else
  CHECK(nearest("b", {"a", "B"}) == "B");
  CHECK(nearest("pe", functions).empty());  // at its begin from three on
}

TEST_CASE("display width: combining marks take no column, wide letters two") {
  CHECK(display_width("Kerry") == 5);
  CHECK(display_width("Andr\u00E9") == 5);
  CHECK(display_width("Andre\u0301") == 5);
  CHECK(display_width("رياض") == 4);
  CHECK(display_width("مُحَمَّد") == 4);
  CHECK(display_width("王毅") == 4);
  CHECK(display_width("") == 0);
  CHECK(display_width("\xFF\xFE") == 2);
}

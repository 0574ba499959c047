// The worked examples of engine/FORMAT.md, one way and the other: the bytes in the document are what the codecs write,
// what the codecs read from them is what the document says, and a store filled with the same story holds them under
// the same keys. Examples stand in blocks fenced with "hex" and a name; section 1 of the document says how they read.
#include <cctype>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/impl/bytes.h"
#include "engine/impl/history_value.h"
#include "engine/impl/kept_statistics.h"
#include "engine/impl/key_codec.h"
#include "engine/impl/kv.h"
#include "engine/impl/packed_column.h"
#include "engine/impl/plain_page.h"
#include "engine/impl/record_codec.h"
#include "engine/impl/row_block.h"
#include "engine/impl/seal.h"
#include "engine/impl/store_folder.h"
#include "engine/store.h"
#include "tests/engine/store_fixture.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace demarche;
using namespace demarche::impl;
using namespace demarche::tests;

// ---- reading the document

struct Example {
  std::string key;  // all of it where there is no "->"
  std::string value;
  friend bool operator==(const Example&, const Example&) = default;
};

std::string read_format() {
  std::ifstream in(std::string(DEMARCHE_SOURCE_DIR) + "/engine/FORMAT.md");
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

constexpr const char* kDigits = "0123456789abcdef";

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string bytes_of(const std::string& digits) {
  if (digits.size() % 2 != 0) throw std::runtime_error("half a byte: " + digits);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    out += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return out;
}

// The part of a line that holds bytes: what precedes '|'.
std::string_view bytes_part(std::string_view line) { return line.substr(0, line.find('|')); }

std::map<std::string, Example> read_examples(const std::string& text) {
  std::map<std::string, Example> out;
  std::istringstream lines(text);
  std::string name;
  std::string key;
  std::string value;
  bool after_arrow = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```hex ")) {
      name = line.substr(7);
      key.clear();
      value.clear();
      after_arrow = false;
    } else if (line == "```" && !name.empty()) {
      if (!out.emplace(name, Example{bytes_of(key), bytes_of(value)}).second) {
        throw std::runtime_error("two examples are called " + name);
      }
      name.clear();
    } else if (!name.empty()) {
      const std::string_view part = bytes_part(line);
      for (std::size_t i = 0; i < part.size(); ++i) {
        if (part[i] == ' ') continue;
        if (part.substr(i, 2) == "->" && !after_arrow) {
          after_arrow = true;
          ++i;
        } else if (std::string_view(kDigits).find(part[i]) != std::string_view::npos) {
          (after_arrow ? value : key) += part[i];
        } else {
          throw std::runtime_error("example " + name + ": not hex: " + line);
        }
      }
    }
  }
  return out;
}

// ---- the story that the document tells

constexpr CommitNumber kThird{3};
const When kDay = *parse_when("2016-04-29");

Actor john_kerry() { return actor("john-kerry", "John Kerry", {"Person"}); }
Actor committee() { return actor("hnc", "High Negotiations Committee", {"Group"}, {"HNC"}); }
Kind hotline() { return {KindId{1000}, kinds::kCall, "HOTLINE", "041", ""}; }

Source press_digest() {
  Source out;
  out.id = SourceId{1};
  out.key = "digest-2016";
  out.title = "Press digest";
  out.published = *parse_when("2016-05");
  out.grade = "B2";
  return out;
}

Interaction row_42() {
  Interaction out = meeting("", "2016-04-29", {}, kinds::kCall);
  out.status = Status::kHeld;
  out.participants = {{ActorId{7}, Role::kCaller, {}}, {ActorId{8}, Role::kCallee, ActorId{9}}};
  return out;
}
Interaction row_43() {
  Interaction out = meeting("", "2016-04-30", {ActorId{7}, ActorId{8}});
  out.claims = {{SourceId{1}, "line 17", {}, {}, {}, {}, {}}};
  return out;
}
Interaction row_44() {
  Interaction out = meeting("", "", {ActorId{7}, ActorId{8}}, KindId{1000});
  out.claims = {{SourceId{1}, "line 18, 42", {}, {}, {}, {}, {}}};
  return out;
}
Interaction row_45() {
  Interaction out = meeting("", "2016-04-13/2016-04-27~", {});
  for (std::uint64_t id = 1; id <= 8; ++id) out.participants.push_back(takes_part(ActorId{id}));
  out.participants.back().acting_for = ActorId{9};
  return out;
}

Interaction numbered(Interaction interaction, std::uint64_t row) {
  interaction.id = InteractionId{row};
  interaction.row = RowNumber{row};
  return interaction;
}
std::vector<Interaction> interactions_of_commit_3() {
  return {numbered(row_42(), 42), numbered(row_43(), 43), numbered(row_44(), 44), numbered(row_45(), 45)};
}

// Rows that actors 0 to 9 are in.
const std::vector<std::uint64_t> kDegrees = {0, 42, 42, 1, 1, 1, 1, 4, 4, 2};

CommitRecord commit_3() {
  CommitRecord out;
  out.time_micros = 1461934800000000;  // 2016-04-29T13:00:00Z
  out.first_row = RowNumber{42};
  out.next_row = RowNumber{46};
  out.next_actor = ActorId{10};
  out.next_source = SourceId{2};
  out.actor_count = 9;
  out.interaction_count = 45;
  out.source_count = 1;
  out.note = "note";
  KeptCounts labels;
  labels.add_label("Person", 1);
  labels.add_label("Group", 1);
  out.counts = labels.encode();
  return out;
}

// The 41 interactions before.
Interaction early_row() {
  Interaction out = meeting("", "2015", {ActorId{1}, ActorId{2}});
  out.place = "Geneva";
  return out;
}

// What is counted up to commit 3.
KeptStatistics statistics() {
  KeptStatistics out;
  out.upto = kThird;
  out.counts.add_label("Person", 1);
  out.counts.add_label("Group", 1);
  for (int n = 1; n <= 41; ++n) count_row(out.counts, early_row(), 1);
  for (const Interaction& i : interactions_of_commit_3()) count_row(out.counts, i, 1);
  for (const std::uint64_t degree : kDegrees) out.degrees.move(0, degree);
  return out;
}

// ---- its bytes

struct Row {
  std::vector<Party> parties;
  RowSource source;
};

Row row_of(const Interaction& interaction) {
  Row out;
  out.parties = parties_of(interaction.participants);
  out.source.row = interaction.row;
  out.source.interaction = interaction.id;
  out.source.kind = interaction.kind;
  if (interaction.when) out.source.bounds = interaction.when->bounds;
  out.source.status = interaction.status;
  return out;
}

// The block of an owner with these rows of commit 3.
Example block_of(std::uint64_t owner, LengthClass length, const std::vector<std::size_t>& rows) {
  RowDictionary dictionary;
  RowList list;
  for (const std::size_t n : rows) {
    Row row = row_of(interactions_of_commit_3()[n - 42]);
    row.source.parties = row.parties;
    if (length_class_of(row.source) != length) throw std::runtime_error("another length class");
    if (owner == kTimelineOwner) {
      append_timeline_row(list, dictionary, row.source);
    } else {
      append_actor_row(list, dictionary, row.source, ActorId{owner});
    }
  }
  const IndexRow last = list.rows.back();
  RowBlockEncoder encoder;
  return {block_key(owner, length, last.begin, last.row), encoder.encode(list.rows, list.others, dictionary)};
}

// A page with these rows of commit 3.
std::string page_of(const std::vector<std::size_t>& rows) {
  RowDictionary dictionary;
  RowBlockEncoder encoder;
  PageRows page;
  for (const std::size_t n : rows) {
    const Interaction interaction = interactions_of_commit_3()[n - 42];
    Row row = row_of(interaction);
    row.source.parties = row.parties;
    append_timeline_row(page.list, dictionary, row.source);
    page.fields.push_back(plain_fields(interaction));
  }
  return encode_page(page, 0, rows.size(), dictionary, encoder);
}

std::string history(const std::vector<std::pair<CommitNumber, std::uint64_t>>& steps) {
  std::string out;
  for (const auto& [commit, number] : steps) history_set(out, commit, number);
  return out;
}

struct Expected {
  Example bytes;
  Family family = Family::kMeta;
  enum class In { kNowhere, kTail, kSealed, kEnd } in = In::kNowhere;  // in which of the stores made below it stands
};

std::map<std::string, Expected> expected_examples() {
  using In = Expected::In;
  const Actor kerry = john_kerry();
  const std::vector<std::uint64_t> three = {5, 6, 9};
  std::string column;
  pack_column(column, three, 5, packed_width(4));
  return {
      {"packed-column", {{column, {}}, {}, In::kNowhere}},
      {"actor", {{version_key(7, kThird), encode_actor(kerry)}, Family::kActor, In::kTail}},
      {"kind", {{version_key(1000, CommitNumber{2}), encode_kind(hotline())}, Family::kKind, In::kTail}},
      {"source", {{version_key(1, CommitNumber{1}), encode_source(press_digest())}, Family::kSource, In::kTail}},
      {"interaction",
       {{version_key(42, kThird), encode_interaction(numbered(row_42(), 42))}, Family::kInteraction, In::kTail}},
      {"taken-back", {{version_key(44, CommitNumber{4}), {}}, Family::kInteraction, In::kEnd}},
      {"key", {{owner_key(KeyOwner::kActor, "john-kerry"), history({{kThird, 7}})}, Family::kKey, In::kTail}},
      {"key-given-up",
       {{owner_key(KeyOwner::kActor, "hnc"), history({{kThird, 9}, {CommitNumber{4}, 0}})}, Family::kKey, In::kEnd}},
      {"name", {{text_id_key("john kerry", ActorId{7}), history({{kThird, 1}})}, Family::kName, In::kTail}},
      {"name-alias", {{text_id_key("hnc", ActorId{9}), history({{kThird, 2}})}, Family::kName, In::kTail}},
      {"label", {{text_id_key("Person", ActorId{7}), history({{kThird, 1}})}, Family::kLabel, In::kTail}},
      {"timeline-block", {block_of(kTimelineOwner, LengthClass::kUnit, {42, 43}), Family::kTimeline, In::kSealed}},
      {"contact-block", {block_of(7, LengthClass::kUnit, {42, 43}), Family::kContact, In::kSealed}},
      {"contact-block-listed", {block_of(7, LengthClass::kMonth, {45}), Family::kContact, In::kSealed}},
      {"contact-block-undated", {block_of(7, LengthClass::kUnbounded, {44}), Family::kContact, In::kSealed}},
      {"participants",
       {{encode_u64(45), encode_parties(parties_of(row_45().participants))}, Family::kParticipants, In::kTail}},
      {"commit-rows",
       {{commit_key(kThird), join_pages(std::vector<std::string>{page_of({42, 43, 44, 45})})},
        Family::kCommitRows,
        In::kTail}},
      {"plain-page", {{encode_u64(44), page_of({43, 44})}, Family::kPlain, In::kSealed}},
      {"retired-row", {{encode_u64(44), encode_u64(4)}, Family::kRetired, In::kEnd}},
      {"commit", {{commit_key(kThird), encode_commit(commit_3())}, Family::kCommit, In::kNowhere}},
      {"commit-id", {{"desk-7/0042", encode_u64(3)}, Family::kCommitId, In::kTail}},
      {"sealed", {{std::string(kSealedKey), encode_u64(3)}, Family::kMeta, In::kSealed}},
      {"statistics", {{std::string(kStatisticsKey), statistics().encode()}, Family::kMeta, In::kSealed}},
      {"degrees", {{degrees_key(0), encode_degrees(kDegrees)}, Family::kMeta, In::kSealed}},
      {"synced", {{std::string(kSyncedKey), encode_u64(3)}, Family::kMeta, In::kTail}},
  };
}

std::set<std::string> differing(const std::map<std::string, Example>& examples,
                                const std::map<std::string, Expected>& all) {
  std::set<std::string> out;
  for (const auto& [name, expected] : all) {
    const auto at = examples.find(name);
    if (at == examples.end() || at->second != expected.bytes) out.insert(name);
  }
  return out;
}

// ---- the story in a store

// Commits 1 to 3. The 41 interactions before have places, so that they fill no page, and last a year each, so that
// their blocks are others.
void tell_story(Store& store) {
  auto tx = must(store.begin());
  for (int n = 1; n <= 6; ++n) must(tx->add_actor(actor(fmt::format("actor-{}", n))));
  must(tx->add_source(press_digest()));
  for (int n = 1; n <= 41; ++n) {
    must(tx->add_interaction(early_row()));
  }
  must(tx->commit("before"));
  tx = must(store.begin());
  must(tx->declare_kind("HOTLINE", kinds::kCall, "041"));
  must(tx->commit("a kind"));
  tx = must(store.begin());
  must(tx->add_actor(john_kerry()));
  must(tx->add_actor(actor("riyad-hijab")));
  must(tx->add_actor(committee()));
  for (const Interaction& i : {row_42(), row_43(), row_44(), row_45()}) must(tx->add_interaction(i));
  must(tx->commit("note", "desk-7/0042"));
}

// Every example of `in` stands in the store at `path`, which nobody holds.
void check_store(const std::string& path, Expected::In in) {
  const auto kv = must(open_rocks(database_path(path), {false, true, std::size_t{1} << 20}));
  const auto reader = kv->snapshot();
  int looked = 0;
  for (const auto& [name, expected] : expected_examples()) {
    if (expected.in != in) continue;
    ++looked;
    INFO(name << " in " << family_name(expected.family) << ", key " << hex(expected.bytes.key));
    const auto value = must(reader->get(expected.family, expected.bytes.key));
    REQUIRE(value);
    CHECK(hex(*value) == hex(expected.bytes.value));
  }
  CHECK(looked > 0);
}

}  // namespace

TEST_CASE("format: every example of FORMAT.md is what the codecs write, and none is left unchecked") {
  const auto examples = read_examples(read_format());
  const auto expected = expected_examples();
  for (const auto& [name, example] : examples) {
    INFO("example " << name);
    const auto at = expected.find(name);
    REQUIRE(at != expected.end());
    CHECK(hex(example.key) == hex(at->second.bytes.key));
    CHECK(hex(example.value) == hex(at->second.bytes.value));
  }
  for (const auto& [name, bytes] : expected) {
    INFO("example " << name);
    CHECK(examples.contains(name));
  }
}

TEST_CASE("format: one digit changed in any example is noticed") {
  const std::string text = read_format();
  const auto expected = expected_examples();
  REQUIRE(differing(read_examples(text), expected).empty());
  std::size_t tried = 0;
  bool within = false;
  std::string name;
  for (std::size_t line = 0; line < text.size(); line = text.find('\n', line) + 1) {
    const std::string_view here = std::string_view(text).substr(line, text.find('\n', line) - line);
    if (here.starts_with("```")) {
      within = here.starts_with("```hex ");
      name = within ? here.substr(7) : "";
      continue;
    }
    if (!within) continue;
    const std::string_view part = bytes_part(here);
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (std::isxdigit(static_cast<unsigned char>(part[i])) == 0) continue;
      std::string changed = text;
      changed[line + i] = changed[line + i] == '0' ? '1' : '0';
      if (differing(read_examples(changed), expected) != std::set<std::string>{name}) FAIL("not noticed: " << here);
      ++tried;
    }
  }
  CHECK(tried > 1000);
}

TEST_CASE("format: what is read from the examples is what the document says of them") {
  auto examples = read_examples(read_format());
  const auto value = [&](const char* name) -> const std::string& { return examples[name].value; };

  const Actor kerry = must(decode_actor(ActorId{7}, value("actor")));
  CHECK(kerry.key == "john-kerry");
  CHECK(kerry.name == "John Kerry");
  CHECK(kerry.labels == std::vector<std::string>{"Person"});
  CHECK(must(decode_kind(KindId{1000}, value("kind"))).parent == kinds::kCall);
  CHECK(must(decode_source(SourceId{1}, value("source"))).grade == "B2");
  const Interaction call = must(decode_interaction(InteractionId{42}, value("interaction")));
  CHECK(call.when == kDay);
  CHECK(call.participants == row_42().participants);
  const CommitRecord commit = must(decode_commit(value("commit")));
  CHECK(commit.next_row == RowNumber{46});
  CHECK(commit.interaction_count == 45);
  REQUIRE(commit.counts);
  CHECK(must(KeptCounts::decode(*commit.counts)).labels().at("Person") == 1);
  const KeptStatistics counted = must(KeptStatistics::decode(value("statistics")));
  CHECK(counted.upto == kThird);
  CHECK(counted.degrees == statistics().degrees);
  const KeptCounts::OfKind& meetings = counted.counts.kinds().at(kinds::kMeeting.value);
  CHECK(meetings.entries == 41 * 2 + 2 + 9);
  CHECK(meetings.months.at(month_of({days_from_civil(2015, 1, 1) * kSecondsPerDay})) == 41);
  CHECK(meetings.months.at(month_of(kDay.bounds.begin_min)) == 2);
  CHECK(counted.counts.kinds().at(1000).months.at(kUndated) == 1);
  const auto version = decode_version_key(examples["taken-back"].key);
  REQUIRE(version);
  CHECK(version->id == 44);
  CHECK(version->commit == CommitNumber{4});

  CHECK(history_at(value("key-given-up"), CommitNumber{2}) == 0);
  CHECK(history_at(value("key-given-up"), kThird) == 9);
  CHECK(history_at(value("key-given-up"), CommitNumber{4}) == 0);
  CHECK(history_at(value("name"), kThird) == kPreferredName);
  CHECK(history_at(value("name-alias"), kThird) == kAliasName);
  CHECK(must(decode_parties(value("participants"))) == parties_of(row_45().participants));

  const std::string bits = examples["packed-column"].key + std::string(kColumnPadBytes, '\0');
  const PackedColumn column{reinterpret_cast<const std::uint8_t*>(bits.data()), 5, packed_mask(3), 3};
  CHECK(std::vector{column.at(0), column.at(1), column.at(2)} == std::vector<std::uint64_t>{5, 6, 9});

  const auto place = decode_contact_key(examples["contact-block"].key);
  REQUIRE(place);
  CHECK(place->length == LengthClass::kUnit);
  CHECK(place->row == RowNumber{43});
  RowBlock block;
  must(block.parse(value("contact-block")));
  REQUIRE(block.size() == 2);
  CHECK(block.begin(0) == kDay.bounds.begin_min);
  CHECK(block.begin(1) == place->begin);
  CHECK(block.shape(0).bounds(block.begin(0)) == kDay.bounds);
  CHECK(block.shape(0).status == Status::kHeld);
  CHECK(block.kind(0) == kinds::kCall);
  CHECK(block.kind(1) == kinds::kMeeting);
  CHECK(block.row(1) == 43);
  CHECK(block.interaction(1) == 43);
  CHECK(block.form(0).is_self(0));
  CHECK(block.form(0).agent[2] == 1);
  CHECK(block.other(block.others_begin(0)) == ActorId{8});
  CHECK(block.other(block.others_begin(0) + 1) == ActorId{9});
  CHECK(block.other(block.others_begin(1)) == ActorId{8});
  must(block.parse(value("contact-block-listed")));
  CHECK(block.form(0).listed);
  CHECK(block.shape(0).bounds(block.begin(0)) == row_45().when->bounds);
  must(block.parse(value("contact-block-undated")));
  CHECK(block.begin(0) == Timestamp::lowest());
  CHECK((block.shape(0).flags & Shape::kDated) == 0);

  const auto pages = must(split_pages(value("commit-rows")));
  REQUIRE(pages.size() == 1);
  PlainPage page;
  must(page.parse(pages[0]));
  REQUIRE(page.rows().size() == 4);
  for (const std::size_t i : {0, 3}) CHECK(page.fields(i).text == DateTextForm::kRich);
  for (const std::string& bytes : {std::string(pages[0]), value("plain-page")}) {
    must(page.parse(bytes));
    const auto at = page.find_row(43);
    REQUIRE(at);
    const Interaction plain = must(page.interaction(*at));
    CHECK(plain.when == row_43().when);
    CHECK(plain.claims == row_43().claims);
    CHECK(must(page.interaction(*page.find_row(44))).claims == row_44().claims);
    CHECK_FALSE(must(page.interaction(*page.find_row(44))).when);
  }
}

TEST_CASE("format: a store that is told the story of the examples holds their bytes") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  auto store = create(path);
  tell_story(*store);
  store.reset();
  check_store(path, Expected::In::kTail);

  store = must(reopen(path));
  must(store->seal());
  store.reset();
  check_store(path, Expected::In::kSealed);
  {
    const auto kv = must(open_rocks(database_path(path), {false, true, std::size_t{1} << 20}));
    const auto it = kv->snapshot()->iterate(Family::kCommitRows);
    it->seek({});
    CHECK_FALSE(it->valid());  // sealing took the commits' own pages away
  }

  store = must(reopen(path));
  auto tx = must(store->begin());
  Actor renamed = committee();
  renamed.key = "high-negotiations-committee";
  must(tx->replace_actor(ActorId{9}, renamed));
  must(tx->retire_interaction(InteractionId{44}));
  CHECK(must(tx->commit("second thoughts")) == CommitNumber{4});
  tx.reset();
  store.reset();
  check_store(path, Expected::In::kEnd);
}

TEST_CASE("format: a large commit leaves the same blocks and pages, and says that they are sealed") {
  const TempFolder folder;
  const std::string path = folder.path("s");
  StoreOptions options;
  options.create_if_missing = true;
  options.bulk_rows = 1;
  auto store = must(Store::open(path, options));
  tell_story(*store);
  store.reset();
  check_store(path, Expected::In::kSealed);
}

TEST_CASE("format: FORMAT.md is about the format of this build and names every column family") {
  const std::string text = read_format();
  CHECK(text.starts_with(fmt::format("# The bytes of a store, format {}\n", kFormatVersion)));
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    const std::string row = fmt::format("\n| `{}` |", family_name(static_cast<Family>(i)));
    INFO(row);
    CHECK(text.find(row) != std::string::npos);
  }
  // The reach of a class is what its row of the table says.
  const TimeWindow window{Timestamp{1461888000}, Timestamp::highest()};
  const std::vector<int> days = {1, 31, 366};
  for (std::size_t i = 0; i < days.size(); ++i) {
    const std::string row = fmt::format("| {} | less than {} day", i, days[i]);
    INFO(row);
    CHECK(text.find(row) != std::string::npos);
    CHECK(window.begin.seconds - earliest_begin(static_cast<LengthClass>(i), window).seconds ==
          days[i] * kSecondsPerDay);
  }
}

// For whoever changes the format: prints the bytes that FORMAT.md is to hold.
TEST_CASE("format: print the examples", "[.print]") {
  for (const auto& [name, expected] : expected_examples()) {
    WARN(name << "\n" << hex(expected.bytes.key) << " ->\n" << hex(expected.bytes.value));
  }
}

// Sealing against a plain sorted list: whatever comes in whatever order, the blocks hold all of it once, in order, each
// under the key of its last row. The store behind is a map in memory.
#include "engine/impl/seal.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/engine/impl/random_rows.h"

namespace {

using namespace demarche;
using namespace demarche::impl;
using namespace demarche::tests;

using Entries = std::map<std::string, std::string>;

class MapIterator final : public KvIterator {
 public:
  explicit MapIterator(const Entries& entries) : entries_(entries), at_(entries.end()) {}
  void seek(std::string_view key) override { at_ = entries_.lower_bound(std::string(key)); }
  void seek_for_prev(std::string_view key) override {
    at_ = entries_.upper_bound(std::string(key));
    at_ = at_ == entries_.begin() ? entries_.end() : std::prev(at_);
  }
  void seek_to_last() override { at_ = entries_.empty() ? entries_.end() : std::prev(entries_.end()); }
  void next() override { ++at_; }
  void prev() override { at_ = at_ == entries_.begin() ? entries_.end() : std::prev(at_); }
  [[nodiscard]] bool valid() const override { return at_ != entries_.end(); }
  [[nodiscard]] std::string_view key() const override { return at_->first; }
  [[nodiscard]] std::string_view value() const override { return at_->second; }
  [[nodiscard]] Result<void> status() const override { return {}; }

 private:
  const Entries& entries_;
  Entries::const_iterator at_;
};

class MapReader final : public KvReader {
 public:
  [[nodiscard]] Result<std::optional<std::string>> get(Family family, std::string_view key) const override {
    const Entries& entries = families[static_cast<std::size_t>(family)];
    const auto at = entries.find(std::string(key));
    return at == entries.end() ? std::nullopt : std::optional(at->second);
  }
  [[nodiscard]] std::unique_ptr<KvIterator> iterate(Family family) const override {
    return std::make_unique<MapIterator>(families[static_cast<std::size_t>(family)]);
  }
  std::array<Entries, kFamilyCount> families;
};

// Changes, applied in the order in which they were made.
class LaterSink final : public BlockSink {
 public:
  void put(Family family, std::string_view key, std::string_view value) override {
    changes_.emplace_back(family, key, std::string(value));
  }
  void remove(Family family, std::string_view key) override { changes_.emplace_back(family, key, std::nullopt); }
  void apply(MapReader& to) {
    for (const auto& [family, key, value] : changes_) {
      Entries& entries = to.families[static_cast<std::size_t>(family)];
      if (value) {
        entries[key] = *value;
      } else {
        entries.erase(key);
      }
    }
    changes_.clear();
  }

 private:
  std::vector<std::tuple<Family, std::string, std::optional<std::string>>> changes_;
};

// What a row is, for comparing.
using Plain = std::tuple<std::int64_t, std::uint64_t, std::uint64_t, std::uint32_t, std::vector<std::uint64_t>>;

// Everything in the blocks of an owner and class, in order of key. Checks the shape of the blocks.
std::vector<Plain> read_blocks(const MapReader& kv, std::uint64_t owner, LengthClass length) {
  const Family family = owner == kTimelineOwner ? Family::kTimeline : Family::kContact;
  const std::string prefix = owner == kTimelineOwner ? timeline_prefix(length) : contact_prefix(ActorId{owner}, length);
  std::vector<Plain> out;
  RowBlock block;
  for (const auto& [key, bytes] : kv.families[static_cast<std::size_t>(family)]) {
    if (!key.starts_with(prefix)) continue;
    if (const auto parsed = block.parse(bytes); !parsed) FAIL(parsed.error().message);
    REQUIRE(block.size() <= kBlockRowsMax);
    REQUIRE(key == block_key(owner, length, block.last_begin(), block.row(block.size() - 1)));
    for (std::size_t i = 0; i < block.size(); ++i) {
      std::vector<std::uint64_t> others;
      for (std::size_t k = 0; k < block.form(i).others(); ++k) {
        others.push_back(block.other(block.others_begin(i) + k).value);
      }
      out.emplace_back(block.begin(i).seconds, block.row(i), block.interaction(i), block.kind(i).value, others);
    }
  }
  REQUIRE(std::is_sorted(out.begin(), out.end()));
  return out;
}

// A row of one day for the timeline.
SampleRow day_row(std::uint64_t number, std::int64_t day, std::size_t parties) {
  SampleRow row;
  row.row = RowNumber{number};
  row.interaction = InteractionId{number};
  row.kind = KindId{static_cast<std::uint32_t>(1 + number % 12)};
  auto when = parse_when(format_day(day));
  if (!when) FAIL(when.error().message);
  row.when = *when;
  for (std::size_t i = 0; i < parties; ++i) {
    row.parties.push_back({ActorId{1 + (number * 7 + i) % 50}, Role::kParticipant, Party::kNoAgent});
  }
  return row;
}

// Blocks of the timeline, and the list they must be equal to.
struct Blocks {
  MapReader kv;
  std::vector<Plain> model;

  void merge(const std::vector<SampleRow>& rows) {
    RowList list;
    RowDictionary dictionary;
    for (const SampleRow& row : rows) {
      append_timeline_row(list, dictionary, row.source());
      std::vector<std::uint64_t> others;
      for (const Party& party : row.parties) others.push_back(party.actor.value);
      model.emplace_back(row.bounds().begin_min.seconds, row.row.value, row.interaction.value, row.kind.value, others);
    }
    list.sort();
    LaterSink sink;
    BlockMerger merger(&kv, sink, dictionary);
    const auto merged = merger.merge(kTimelineOwner, LengthClass::kUnit, list.rows, list.others);
    if (!merged) FAIL(merged.error().message);
    sink.apply(kv);
    std::sort(model.begin(), model.end());
  }
  [[nodiscard]] const Entries& entries() const { return kv.families[static_cast<std::size_t>(Family::kTimeline)]; }
  [[nodiscard]] bool same() const { return read_blocks(kv, kTimelineOwner, LengthClass::kUnit) == model; }
};

}  // namespace

TEST_CASE("seal: rows behind all others fill up the last block") {
  Blocks blocks;
  std::uint64_t number = 0;
  for (int seal = 0; seal < 30; ++seal) {
    std::vector<SampleRow> rows;
    for (int n = 0; n < 60; ++n, ++number) rows.push_back(day_row(number + 1, static_cast<std::int64_t>(number), 2));
    blocks.merge(rows);
    REQUIRE(blocks.same());
    CHECK(blocks.entries().size() == (number + kBlockRowsMax - 1) / kBlockRowsMax);
  }
}

TEST_CASE("seal: rows that fall into the last block and rows behind it, in one sealing") {
  Blocks blocks;
  blocks.merge({day_row(1, 10, 2), day_row(2, 20, 2)});
  blocks.merge({day_row(3, 15, 2), day_row(4, 30, 2)});
  CHECK(blocks.same());
  CHECK(blocks.entries().size() == 1);
}

TEST_CASE("seal: a fact about the past costs its one block") {
  Blocks blocks;
  std::vector<SampleRow> rows;
  for (std::uint64_t n = 1; n <= 5 * kBlockRowsMax; ++n)
    rows.push_back(day_row(n, static_cast<std::int64_t>(n) * 2, 2));
  blocks.merge(rows);
  REQUIRE(blocks.entries().size() == 5);
  const Entries before = blocks.entries();
  blocks.merge({day_row(100'000, 3, 2)});  // into the first block, which is full: it becomes two
  CHECK(blocks.same());
  CHECK(blocks.entries().size() == 6);
  std::size_t unchanged = 0;
  for (const auto& [key, bytes] : before) {
    const auto at = blocks.entries().find(key);
    REQUIRE(at != blocks.entries().end());
    unchanged += at->second == bytes ? 1 : 0;
  }
  CHECK(unchanged == 4);
}

TEST_CASE("seal: rows in any order, in lots of any size, are all there once and in order") {
  const unsigned seed = 606;
  INFO("seed " << seed);
  RowSampler sampler(seed);
  for (int round = 0; round < 12; ++round) {
    Blocks blocks;
    std::uint64_t number = 1;
    std::int64_t now = 10'000;  // facts come roughly in order, some late
    for (int seal = 0; seal < 25; ++seal) {
      std::vector<SampleRow> rows;
      const std::uint64_t most = round % 3 == 0 ? 4 : round % 3 == 1 ? 60 : 900;
      for (std::uint64_t n = 1 + sampler.below(most); n > 0; --n) {
        now += static_cast<std::int64_t>(sampler.below(2));
        const std::int64_t late = sampler.one_in(4) ? static_cast<std::int64_t>(sampler.below(500)) : 0;
        rows.push_back(day_row(number++, now - late, sampler.below(9)));
      }
      blocks.merge(rows);
      INFO("round " << round << ", seal " << seal);
      REQUIRE(blocks.same());
    }
    std::size_t weight = 0;
    for (const Plain& row : blocks.model) weight += std::max<std::size_t>(2, std::get<4>(row).size());
    // Late rows split full blocks in two, so blocks are at least a third full on the whole.
    CHECK(blocks.entries().size() <= 3 * weight / (2 * kBlockRowsMax) + 2);
  }
}

TEST_CASE("seal: a tail goes into the blocks of all its owners and its plain rows into pages") {
  const unsigned seed = 707;
  INFO("seed " << seed);
  RowSampler sampler(seed);
  MapReader kv;
  std::map<std::pair<std::uint64_t, LengthClass>, std::vector<Plain>> model;
  std::uint64_t number = 1;
  for (std::uint64_t commit = 1; commit <= 12; ++commit) {
    Tail tail;
    RowDictionary dictionary;
    RowBlockEncoder encoder;
    PageRows page;
    const std::uint64_t first = number;
    for (std::uint64_t n = 1 + sampler.below(commit % 4 == 0 ? 500 : 60); n > 0; --n, ++number) {
      SampleRow row = sampler.row(RowNumber{number}, 9, 12);
      tail.append(row.source());
      append_timeline_row(page.list, dictionary, row.source());
      PlainFields fields;
      if (sampler.one_in(2)) fields = {DateTextForm::kNone, 1, number, 0};
      page.fields.push_back(fields);
      std::map<std::uint64_t, std::vector<std::uint64_t>> owners = {{kTimelineOwner, {}}};
      for (const Party& party : row.parties) owners[party.actor.value];
      for (auto& [owner, others] : owners) {
        if (row.parties.size() <= kInlinePartiesMax) {
          for (const Party& party : row.parties) {
            if (party.actor.value != owner) others.push_back(party.actor.value);
          }
        }
        model[{owner, row.length()}].emplace_back(row.bounds().begin_min.seconds, number, row.interaction.value,
                                                  row.kind.value, others);
      }
    }
    tail.append_page(encode_page(page, 0, page.fields.size(), dictionary, encoder), first, number - 1);
    kv.families[static_cast<std::size_t>(Family::kCommitRows)][commit_key(CommitNumber{commit})] = "rows";
    CHECK(tail.size() == number - first);
    LaterSink sink;
    const std::vector<CommitNumber> commits = {CommitNumber{commit}};
    const auto sealed = seal_tail(kv, tail, commits, sink);
    if (!sealed) FAIL(sealed.error().message);
    sink.apply(kv);
    for (auto& [owner, rows] : model) {
      std::sort(rows.begin(), rows.end());
      INFO("commit " << commit << ", owner " << owner.first << ", class " << static_cast<int>(owner.second));
      REQUIRE(read_blocks(kv, owner.first, owner.second) == rows);
    }
    CHECK(kv.families[static_cast<std::size_t>(Family::kCommitRows)].empty());
    CHECK(kv.families[static_cast<std::size_t>(Family::kMeta)][std::string(kSealedKey)] == encode_u64(commit));
  }
  // The pages hold exactly the plain rows, each page under its last row.
  std::uint64_t last = 0;
  for (const auto& [key, bytes] : kv.families[static_cast<std::size_t>(Family::kPlain)]) {
    PlainPage page;
    if (const auto parsed = page.parse(bytes); !parsed) FAIL(parsed.error().message);
    for (std::size_t i = 0; i < page.rows().size(); ++i) {
      REQUIRE(page.rows().row(i) > last);
      last = page.rows().row(i);
      REQUIRE(page.fields(i) == PlainFields{DateTextForm::kNone, 1, last, 0});
    }
    CHECK(key == encode_u64(last));
  }
}

TEST_CASE("seal: a damaged block is said to be damaged, and nothing is merged into it") {
  Blocks blocks;
  blocks.merge({day_row(1, 10, 2), day_row(2, 20, 2)});
  Entries& entries = blocks.kv.families[static_cast<std::size_t>(Family::kTimeline)];
  entries.begin()->second.pop_back();
  for (const std::int64_t day : {std::int64_t{15}, std::int64_t{30}}) {
    const SampleRow row = day_row(3, day, 2);
    RowList list;
    RowDictionary dictionary;
    append_timeline_row(list, dictionary, row.source());
    LaterSink sink;
    BlockMerger merger(&blocks.kv, sink, dictionary);
    const auto merged = merger.merge(kTimelineOwner, LengthClass::kUnit, list.rows, list.others);
    REQUIRE_FALSE(merged);
    CHECK(merged.error().code == ErrorCode::kCorruption);
  }
}

TEST_CASE("pages of a commit: joined and split again; a cut is told") {
  const std::vector<std::string> pages = {"", "one", std::string(300, 'x')};
  const std::string joined = join_pages(pages);
  const auto split = split_pages(joined);
  if (!split) FAIL(split.error().message);
  REQUIRE(split->size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK((*split)[i] == pages[i]);
  CHECK(split_pages("")->empty());
  for (std::size_t length = 2; length < joined.size(); ++length) {
    const auto cut = split_pages(std::string_view(joined).substr(0, length));
    if (length == 5) continue;  // between two pages
    CHECK_FALSE(cut);
  }
}

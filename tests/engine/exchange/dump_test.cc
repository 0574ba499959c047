// A dump that is loaded gives the same dump and the same answers; a dump that is cut or changed is refused by line.
#include "engine/exchange/dump.h"

#include <fstream>
#include <limits>
#include <random>
#include <sstream>

#include "engine/check.h"
#include "engine/impl/kv.h"
#include "engine/impl/record_codec.h"
#include "engine/impl/store_folder.h"
#include "tests/engine/history_fixture.h"
#include "tests/support/temp_folder.h"

namespace demarche::tests {

namespace {

namespace fs = std::filesystem;

std::string dumped(const std::string& path) {
  std::string out;
  const DumpReport report = must(dump_store(path, [&out](std::string_view text) -> Result<void> {
    out += text;
    return {};
  }));
  CHECK(report.lines == static_cast<std::uint64_t>(std::count(out.begin(), out.end(), '\n')));
  return out;
}

std::string file_with(const TempFolder& folder, const std::string& text) {
  const std::string path = folder.path("dump.jsonl");
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  return path;
}

void must_be_sound(const std::string& path) {
  const CheckReport report = must(check_store(path));
  for (const Finding& f : report.findings) UNSCOPED_INFO(f.family << ": " << f.key << ": " << f.what);
  CHECK(report.clean());
}

void round_trip(const TempFolder& folder, const std::string& path, const std::map<std::uint64_t, std::string>& before) {
  const std::string text = dumped(path);
  const std::string again = folder.path("again.dm");
  const DumpReport report = must(load_store(file_with(folder, text), again));
  CHECK(report.commits + 1 == before.size());
  CHECK(dumped(again) == text);
  must_be_sound(again);
  const auto store = must(reopen(again));
  CHECK(answers_of(*store) == before);
  const auto view = store->view();
  if (report.commits > 0) CHECK(view->statistics().commit_time_stated);
  const auto tx = must(store->begin());
  must(tx->add_actor(actor("afterwards", "Afterwards")));
  CHECK(must(tx->commit("on")).value == report.commits + 1);
  CHECK_FALSE(store->view()->statistics().commit_time_stated);
}

}  // namespace

TEST_CASE("dump: a loaded store gives the same dump and the same answers as of every commit") {
  const bool sealed = GENERATE(true, false);
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  std::map<std::uint64_t, std::string> before;
  {
    const auto store = create(path);
    add_history(*store);
    if (sealed) must(store->seal());
    before = answers_of(*store);
  }
  round_trip(folder, path, before);
}

TEST_CASE("dump: an empty store, and one whose commits hold nothing") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  std::map<std::uint64_t, std::string> before;
  {
    const auto store = create(path);
    before = answers_of(*store);
  }
  SECTION("empty") { round_trip(folder, path, before); }
  SECTION("a commit of nothing") {
    {
      const auto store = must(reopen(path));
      must(must(store->begin())->commit("nothing"));
      before = answers_of(*store);
    }
    round_trip(folder, path, before);
  }
}

TEST_CASE("dump: random histories come back equal") {
  const auto seed = GENERATE(range(1U, 9U));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  std::map<std::uint64_t, std::string> before;
  {
    StoreOptions options;
    options.create_if_missing = true;
    options.sync = false;
    options.seal_rows = 16;
    options.bulk_rows = 60;
    const auto store = must(Store::open(path, options));
    const std::vector<std::string> keys = {"", "k0", "k1", "k2", "k3"};
    const std::vector<std::string> dates = {"",
                                            "2016",
                                            "2016-04",
                                            "2016-04-29",
                                            "2016-04-29?",
                                            "[2016-04-01..2016-04-09]",
                                            "2016-02-27/..",
                                            "2016-02-27/",
                                            "2016-03-14/2016-03-24"};
    std::vector<ActorId> actors;
    std::vector<InteractionId> all;
    for (int commit = 0; commit < 12; ++commit) {
      const auto tx = must(store->begin());
      const std::size_t steps = commit == 6 ? 120 : 1 + pick(12);
      for (std::size_t step = 0; step < steps; ++step) {
        // Refusals (a key that is taken, an actor that takes part) are part of the play: they change nothing.
        const std::string& key = keys[pick(keys.size())];
        const auto random_interaction = [&] {
          std::vector<ActorId> parties;
          for (std::size_t n = pick(4) == 0 ? 9 : 2; n > 0; --n) parties.push_back(actors[pick(actors.size())]);
          Interaction out = meeting(pick(2) == 0 ? key : "", dates[pick(dates.size())], parties);
          if (pick(4) == 0) out.place = "Vienna";
          return out;
        };
        const std::size_t what = actors.size() < 3 ? 0 : pick(10);
        if (what <= 1) {
          if (auto id = tx->add_actor(actor(key, fmt::format("N{}", pick(5)), {}, {fmt::format("A{}", pick(3))}))) {
            actors.push_back(*id);
          }
        } else if (what == 2) {
          (void)tx->replace_actor(actors[pick(actors.size())], actor(key, fmt::format("N{}", pick(5))));
        } else if (what == 3) {
          const std::size_t at = pick(actors.size());
          if (actors.size() > 3 && tx->retire_actor(actors[at])) actors.erase(actors.begin() + static_cast<long>(at));
        } else if (what == 4 && !all.empty()) {
          (void)tx->replace_interaction(all[pick(all.size())], random_interaction());
        } else if (what == 5 && !all.empty()) {
          (void)tx->retire_interaction(all[pick(all.size())]);
        } else if (what == 6 && all.size() > 1) {
          (void)tx->set_part_of(all[pick(all.size())], all[pick(all.size())]);
        } else {
          if (auto id = tx->add_interaction(random_interaction())) all.push_back(*id);
        }
      }
      must(tx->commit(fmt::format("commit {}", commit)));
    }
    before = answers_of(*store);
  }
  must_be_sound(path);
  round_trip(folder, path, before);
  must(repair_index(path));
  must_be_sound(path);
  CHECK(answers_of(*must(reopen(path))) == before);
}

TEST_CASE("load: a dump cut after a line, or in the middle of one, is refused and leaves nothing") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  {
    const auto store = create(path);
    add_history(*store);
  }
  const std::string text = dumped(path);
  const std::string target = folder.path("new.dm");
  std::vector<std::size_t> cuts = {0, 1, text.size() - 2, text.size() / 2};
  for (std::size_t at = text.find('\n'), n = 0; at + 1 < text.size(); at = text.find('\n', at + 1)) {
    if (++n % 5 == 1 || text.find('\n', at + 1) + 1 == text.size()) cuts.push_back(at + n % 2);
  }
  for (const std::size_t at : cuts) {
    const Error error = refusal(load_store(file_with(folder, text.substr(0, at)), target));
    CHECK(error.code == ErrorCode::kInvalidArgument);
    CHECK(says(error, "dump.jsonl:"));
    CHECK_FALSE(fs::exists(target));
    CHECK_FALSE(fs::exists(target + ".loading"));
  }
  must(
      load_store(file_with(folder, text.substr(0, text.size() - 1)), target));  // but the last line feed may be missing
}

TEST_CASE("load: lines that are wrong, missing, twice or out of order are refused by number") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  {
    const auto store = create(path);
    add_history(*store);
  }
  std::vector<std::string> lines;
  {
    std::istringstream in(dumped(path));
    for (std::string line; std::getline(in, line);) lines.push_back(line);
  }
  const auto refuse = [&](std::size_t at, std::vector<std::string> with, std::size_t line, std::string_view words) {
    std::vector<std::string> changed(lines.begin(), lines.begin() + static_cast<long>(at));
    changed.insert(changed.end(), with.begin(), with.end());
    changed.insert(changed.end(), lines.begin() + static_cast<long>(at) + 1, lines.end());
    const std::string text = fmt::format("{}\n", fmt::join(changed, "\n"));
    const Error error = refusal(load_store(file_with(folder, text), folder.path("new.dm")));
    CHECK(says(error, fmt::format("dump.jsonl:{}: ", line)));
    CHECK(says(error, words));
    CHECK_FALSE(fs::exists(folder.path("new.dm")));
  };
  const auto find = [&](std::string_view words, std::size_t from = 0) {
    for (std::size_t i = from; i < lines.size(); ++i) {
      if (lines[i].find(words) != std::string::npos) return i;
    }
    FAIL("no line with " << words);
    return std::size_t{0};
  };
  refuse(0, {R"({"dump":{"format":2}})"}, 1, "format 1");
  refuse(0, {R"({"actor":{"key":"a"}})"}, 1, "not a dump");
  refuse(0, {}, 1, "not a dump");
  refuse(1, {}, 2, "before the first commit");
  const std::size_t actor_line = find("{\"actor\":{\"id\":3,");
  refuse(actor_line, {}, actor_line + 1, "before");
  refuse(actor_line, {lines[actor_line], lines[actor_line + 2]}, actor_line + 2, "before");
  refuse(actor_line, {"{"}, actor_line + 1, "one JSON object");
  refuse(actor_line, {"[1]"}, actor_line + 1, "one JSON object");
  refuse(actor_line, {R"({"actress":{}})"}, actor_line + 1, "none of dump");
  refuse(actor_line, {R"({"actor":{"id":3,"nam":"x"}})"}, actor_line + 1, "'nam' is not a field");
  refuse(actor_line, {R"({"actor":{"id":-3}})"}, actor_line + 1, "'id' is not a whole number");
  refuse(actor_line, {R"({"actor":{"name":"x"}})"}, actor_line + 1, "'id' is missing");
  refuse(actor_line, {R"({"actor":{"id":3,"properties":{"a":{"b":1}}}})"}, actor_line + 1, "'a' is not a value");
  refuse(actor_line, {R"({"actor":{"id":3,"labels":"x"}})"}, actor_line + 1, "'labels' is not a list");
  const std::size_t call = find("\"when\":\"2016-04-05\"");
  refuse(call, {R"({"interaction":{"id":5,"kind":6,"when":"2016-13"}})"}, call + 1, "2016-13");
  refuse(call, {R"({"interaction":{"id":5,"kind":999}})"}, call + 1, "no kind");
  refuse(call, {R"({"interaction":{"id":5,"kind":6,"participants":[{"actor":99,"role":"caller"}]}})"}, call + 1,
         "not an actor");
  refuse(call, {R"({"interaction":{"id":5,"kind":6,"participants":[{"actor":1,"role":"hero"}]}})"}, call + 1,
         "no role");
  refuse(call, {R"({"interaction":{"id":5,"kind":6,"claims":[{"source":9}]}})"}, call + 1, "source");
  refuse(call, {lines[call], lines[call]}, call + 2, "5");
  const std::size_t second = find("\"number\":2");
  refuse(second, {R"({"commit":{"number":2,"time_micros":1,"next_row":23,"next_actor":14,"next_source":2}})"},
         second + 1, "before the last commit");
  refuse(second,
         {R"({"commit":{"number":2,"time_micros":9000000000000000000,"next_row":23,"next_actor":14,"next_source":2}})"},
         second + 1, "in the future");
  refuse(second, {R"({"commit":{"number":3,"time_micros":1,"next_row":23,"next_actor":14,"next_source":2}})"},
         second + 1, "commit 3");
  // Two records with one key, and a part that is within itself.
  const std::size_t key = find("\"key\":\"actor-2\"", second);
  refuse(key, {R"({"actor":{"id":4,"key":"actor-5","name":"x"}})"}, find("\"number\":4") + 1,
         "two records have the key");
  const std::size_t part = find("\"key\":\"part\"");
  refuse(part, {R"({"interaction":{"id":24,"row":25,"kind":7,"part_of":24}})"}, find("\"number\":3") + 1, "part of");
  const std::size_t end = lines.size() - 1;
  refuse(end, {R"({"end":{"commits":6,"lines":7}})"}, lines.size(), "the dump had");
  refuse(end, {lines[end], lines[end]}, lines.size() + 1, "behind the dump's last line");
}

TEST_CASE("dump and load: missing, foreign and occupied places are refused") {
  const TempFolder folder;
  const auto sink = [](std::string_view) -> Result<void> { return {}; };
  CHECK(refusal(dump_store(folder.path("none"), sink)).code == ErrorCode::kNotFound);
  CHECK(refusal(load_store(folder.path("none"), folder.path("new"))).code == ErrorCode::kNotFound);
  const std::string path = folder.path("store.dm");
  create(path).reset();
  const std::string file = file_with(folder, dumped(path));
  CHECK(says(refusal(load_store(file, path)), "is there already"));
  CHECK(says(refusal(load_store(file, file)), "is there already"));
  CHECK(refusal(load_store(file, folder.path("no/such/parent"))).code == ErrorCode::kIo);
  const auto stop = [](std::string_view) -> Result<void> { return make_error(ErrorCode::kIo, "the sink is full"); };
  CHECK(says(refusal(dump_store(path, stop)), "the sink is full"));
  const auto store = must(reopen(path));
  CHECK(must(dump_store(path, sink)).commits == 0);  // beside who writes
}

TEST_CASE("dump: values that JSON cannot say come back as they were") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  {
    const auto store = create(path);
    const auto tx = must(store->begin());
    Actor a = actor("a", "A");
    const double inf = std::numeric_limits<double>::infinity();
    set_property(a.properties, "numbers",
                 {std::vector<PropertyValue>{{inf},
                                             {-inf},
                                             {std::nan("")},
                                             {0.1},
                                             {1e300},
                                             {-0.0},
                                             {5.0},
                                             {std::numeric_limits<std::int64_t>::min()},
                                             {std::numeric_limits<std::int64_t>::max()}}});
    set_property(a.properties, "text", {std::string("zero \0 byte", 11)});
    set_property(a.properties, "broken", {std::string("\xC3\x28")});
    must(tx->add_actor(a));
    must(tx->commit("note with \xFF"));
  }
  const std::string text = dumped(path);
  must(load_store(file_with(folder, text), folder.path("again.dm")));
  CHECK(dumped(folder.path("again.dm")) == text);
  const Actor back = must(must(reopen(folder.path("again.dm")))->view()->get_actor(ActorId{1}));
  const auto& numbers = std::get<std::vector<PropertyValue>>(find_property(back.properties, "numbers")->value);
  CHECK(std::isnan(std::get<double>(numbers[2].value)));
  CHECK(std::get<double>(numbers[6].value) == 5.0);  // stays a float
  CHECK(std::get<std::string>(find_property(back.properties, "broken")->value) == "\xC3\x28");
  CHECK(std::get<std::string>(find_property(back.properties, "text")->value).size() == 11);
}

TEST_CASE("transaction: a stated time is kept and marked; one before the last commit or in the future is refused") {
  const TempFolder folder;
  const auto store = create(folder.path("store.dm"));
  const auto tx = must(store->begin());
  must(tx->state_time(1'460'000'000'000'000));
  must(tx->commit("stated"));
  CHECK(store->view()->statistics().commit_time_micros == 1'460'000'000'000'000);
  CHECK(store->view()->statistics().commit_time_stated);
  CHECK(must(store->commit_at(1'460'000'000'000'000)) == CommitNumber{1});
  const auto second = must(store->begin());
  CHECK(says(refusal(second->state_time(1'459'999'999'999'999)), "before the last commit"));
  CHECK(says(refusal(second->state_time(std::numeric_limits<std::int64_t>::max())), "in the future"));
  must(second->commit("by the clock"));
  CHECK_FALSE(store->view()->statistics().commit_time_stated);
  CHECK(store->view()->statistics().commit_time_micros > 1'460'000'000'000'000);
  CHECK(says(refusal(second->state_time(1)), "committed already"));
}

}  // namespace demarche::tests

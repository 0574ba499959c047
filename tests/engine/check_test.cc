// check_store() and repair_index(): stores are damaged on purpose below the interface, by writing to the database what
// the store would never write, and each damage is found, named and mended, or refused where the records are hurt.
#include "engine/check.h"

#include <functional>
#include <random>

#include "engine/impl/history_value.h"
#include "engine/impl/kept_statistics.h"
#include "engine/impl/kv.h"
#include "engine/impl/record_codec.h"
#include "engine/impl/seal.h"
#include "engine/impl/store_folder.h"
#include "tests/engine/history_fixture.h"
#include "tests/support/temp_folder.h"

namespace demarche::tests {

namespace {

using impl::Family;

// The database of a store that nobody has open.
std::shared_ptr<impl::KvStore> raw(const std::string& path) {
  impl::KvOptions options;
  options.cache = impl::make_kv_cache(std::size_t{1} << 20);
  return must(impl::open_rocks(impl::database_path(path), options));
}

// Changes the stored bytes: `change` gets a reader and a batch.
void damage(const std::string& path, const std::function<void(const impl::KvReader&, impl::KvWrites&)>& change) {
  const auto kv = raw(path);
  const auto writes = kv->make_writes();
  change(*kv->snapshot(), *writes);
  must(kv->write(*writes, true));
}

struct Stored {
  std::string key;
  std::string value;
};
std::vector<Stored> all_of(const impl::KvReader& reader, Family family) {
  std::vector<Stored> out;
  const auto it = reader.iterate(family);
  for (it->seek({}); it->valid(); it->next()) out.push_back({std::string(it->key()), std::string(it->value())});
  return out;
}

std::string text_of(const CheckReport& report) {
  std::string out = fmt::format("{} faults\n", report.finding_count);
  for (const Finding& f : report.findings) out += fmt::format("{}: {}: {}\n", f.family, f.key, f.what);
  return out;
}

bool found(const CheckReport& report, std::string_view family, std::string_view words) {
  for (const Finding& f : report.findings) {
    if (f.family == family && (f.key + " " + f.what).find(words) != std::string::npos) return true;
  }
  UNSCOPED_INFO("not found: " << family << ": " << words << " in\n" << text_of(report));
  return false;
}

// A store with its history, sealed or not, closed again.
std::map<std::uint64_t, std::string> make_store(const std::string& path, bool sealed) {
  const auto store = create(path);
  add_history(*store);
  if (sealed) must(store->seal());
  return answers_of(*store);
}

void must_be_sound(const std::string& path) {
  for (const std::size_t memory : {std::size_t{256} << 20, std::size_t{1}}) {
    CheckOptions options;
    options.memory_bytes = memory;
    const CheckReport report = must(check_store(path, options));
    INFO(text_of(report));
    CHECK(report.clean());
  }
}

// Damages a store so that its index is wrong, and has it found and mended.
void found_and_mended(bool sealed, std::string_view family, std::string_view words,
                      const std::function<void(const impl::KvReader&, impl::KvWrites&)>& change) {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  const auto before = make_store(path, sealed);
  damage(path, change);
  const CheckReport report = must(check_store(path));
  CHECK(found(report, family, words));
  CHECK(report.beyond_repair == 0);
  must(repair_index(path));
  must_be_sound(path);
  CHECK(answers_of(*must(reopen(path))) == before);
}

}  // namespace

TEST_CASE("check: a store with a long history is sound, sealed or not, and every family is counted") {
  const bool sealed = GENERATE(true, false);
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  make_store(path, sealed);
  must_be_sound(path);
  const CheckReport report = must(check_store(path));
  CHECK(report.commits == 6);
  CHECK(report.kinds == 1);
  CHECK(report.sources == 1);
  CHECK(report.plain_interactions == 22);
  CHECK(report.interaction_versions > 0);
  CHECK(report.timeline_rows + report.unsealed_rows == 32);
  CHECK((report.unsealed_rows == 0) == sealed);
  CHECK((report.contact_rows > 0) == sealed);
  CHECK(report.participant_lists == 2);
  CHECK(report.retired_rows > 0);
  CHECK(report.keys > 0);
  CHECK(report.names > 0);
  CHECK(report.labels > 0);
}

TEST_CASE("sealing: rows before and behind the end of the last block are both kept, sealed or taken in as files") {
  const bool bulk = GENERATE(false, true);
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  std::map<std::uint64_t, std::string> before;
  {
    StoreOptions options;
    options.create_if_missing = true;
    options.bulk_rows = bulk ? 2 : 1000;
    const auto store = must(Store::open(path, options));
    for (const auto& days : std::vector<std::vector<const char*>>{
             {"2016-04-10", "2016-04-20"}, {"2016-04-15", "2016-04-25"}, {"2016-04-01", "2016-04-26", "2016-04-02"}}) {
      const auto tx = must(store->begin());
      if (!must(tx->view().find_actor("a"))) {
        must(tx->add_actor(actor("a")));
        must(tx->add_actor(actor("b")));
      }
      for (const char* day : days) must(tx->add_interaction(meeting("", day, {ActorId{1}, ActorId{2}})));
      must(tx->commit("days"));
      before = answers_of(*store);
      must(store->seal());
      CHECK(answers_of(*store) == before);
      CHECK(must(rows_of(store->view()->timeline({}, {}))).size() == store->view()->statistics().interactions);
      for (const std::uint64_t id : {1, 2}) {
        CHECK(must(rows_of(store->view()->scan(ActorId{id}, {}, {}))).size() ==
              store->view()->statistics().interactions);
      }
    }
  }
  must_be_sound(path);
}

TEST_CASE("check: statistics that are wrong, damaged or gone are found and made anew") {
  const bool sealed = true;
  const auto change_statistics = [](const std::function<void(impl::KeptStatistics&)>& change) {
    return [change](const impl::KvReader& reader, impl::KvWrites& writes) {
      const auto bytes = must(reader.get(Family::kMeta, impl::kStatisticsKey));
      REQUIRE(bytes);
      auto stored = must(impl::KeptStatistics::decode(*bytes));
      change(stored);
      writes.put(Family::kMeta, impl::kStatisticsKey, stored.encode());
    };
  };
  const char* differ = "count something else than the records";
  found_and_mended(sealed, "default", differ, change_statistics([](impl::KeptStatistics& stored) {
                     stored.counts.add_row(kinds::kMeeting, true, Timestamp{0}, 2, 1);
                   }));
  found_and_mended(sealed, "default", differ,
                   change_statistics([](impl::KeptStatistics& stored) { stored.counts.add_label("Person", -1); }));
  found_and_mended(sealed, "default", "other numbers of actors",
                   change_statistics([](impl::KeptStatistics& stored) { stored.degrees.move(0, 1'000'000); }));
  found_and_mended(sealed, "default", "are of commit 1000",
                   change_statistics([](impl::KeptStatistics& stored) { stored.upto = CommitNumber{1000}; }));
  found_and_mended(sealed, "default", "wrong form", [](const impl::KvReader&, impl::KvWrites& writes) {
    writes.put(Family::kMeta, impl::kStatisticsKey, "\x05");
  });
  found_and_mended(sealed, "default", "are missing", [](const impl::KvReader&, impl::KvWrites& writes) {
    writes.remove(Family::kMeta, impl::kStatisticsKey);
  });
  found_and_mended(sealed, "default", "degrees actors 0 to", [](const impl::KvReader& reader, impl::KvWrites& writes) {
    auto degrees = must(impl::read_degrees(reader, 0));
    ++degrees[1];
    writes.put(Family::kMeta, impl::degrees_key(0), impl::encode_degrees(degrees));
  });
}

TEST_CASE("check: a commit that counts what it did not change is found and mended") {
  found_and_mended(false, "default", "count something else than they changed",
                   [](const impl::KvReader& reader, impl::KvWrites& writes) {
                     const std::string key = impl::commit_key(CommitNumber{6});
                     auto record = must(impl::decode_commit(*must(reader.get(Family::kCommit, key))));
                     impl::KeptCounts counts;
                     counts.add_label("Person", 7);
                     record.counts = counts.encode();
                     writes.put(Family::kCommit, key, impl::encode_commit(record));
                   });
}

TEST_CASE("statistics: a store of a build that kept none has them counted when asked, then kept again") {
  const bool sealed = GENERATE(true, false);
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  make_store(path, sealed);
  const auto shown = [](const Store& store) {
    const auto view = store.view();
    const auto s = must(view->planner_statistics());
    return fmt::format("{} {} {} {} {} {} {}", s->actors(), s->interactions(), s->actors_with_label("Person"),
                       s->interactions_of({}), s->undated({}), s->entries_of({}), s->degree_quantile(0.9));
  };
  const std::string before = shown(*must(reopen(path)));
  damage(path, [](const impl::KvReader& reader, impl::KvWrites& writes) {
    writes.remove(Family::kMeta, impl::kStatisticsKey);
    for (const Stored& commit : all_of(reader, Family::kCommit)) {
      auto record = must(impl::decode_commit(commit.value));
      record.counts.reset();
      writes.put(Family::kCommit, commit.key, impl::encode_commit(record));
    }
  });
  must_be_sound(path);
  CHECK(shown(*must(reopen(path, /*read_only=*/true))) == before);
  const bool bulk = GENERATE(true, false);
  {
    StoreOptions options;
    options.bulk_rows = bulk ? 1 : 1000;
    const auto store = must(Store::open(path, options));
    CHECK(shown(*store) == before);
    const auto tx = must(store->begin());
    must(tx->add_interaction(meeting("", "2016-05-01", {ActorId{1}, ActorId{2}})));
    must(tx->commit("one more"));
    must(store->seal());
    CHECK(shown(*store) != before);
  }
  const std::string after = shown(*must(reopen(path)));
  bool kept = false;
  damage(path, [&kept](const impl::KvReader& reader, impl::KvWrites&) {
    kept = must(reader.get(Family::kMeta, impl::kStatisticsKey)).has_value();
  });
  CHECK(kept);
  must_be_sound(path);
  must(repair_index(path));
  must_be_sound(path);
  CHECK(shown(*must(reopen(path))) == after);
}

TEST_CASE("check: an empty store is sound, and repairing it changes nothing") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  create(path).reset();
  must_be_sound(path);
  must(repair_index(path));
  must_be_sound(path);
}

TEST_CASE("check: large commits, taken in as files, are sound; several passes say the same as one") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  std::map<std::uint64_t, std::string> before;
  {
    StoreOptions options;
    options.create_if_missing = true;
    options.bulk_rows = 100;
    const auto store = must(Store::open(path, options));
    std::mt19937_64 random(7);
    for (int round = 0; round < 2; ++round) {
      const auto tx = must(store->begin());
      for (int i = 0; i < 40; ++i) must(tx->add_actor(actor(fmt::format("a{}-{}", round, i), "A")));
      for (int i = 0; i < 3000; ++i) {
        const ActorId a{1 + random() % 40};
        const ActorId b{1 + (a.value + random() % 39) % 40};
        Interaction m = meeting(i % 5 == 0 ? fmt::format("m{}-{}", round, i) : "",
                                fmt::format("20{:02}-{:02}", random() % 30, 1 + random() % 12), {a, b});
        must(tx->add_interaction(m));
      }
      must(tx->commit("bulk"));
    }
    before = answers_of(*store);
  }
  must_be_sound(path);
  damage(path, [](const impl::KvReader& reader, impl::KvWrites& writes) {
    writes.remove(Family::kContact, all_of(reader, Family::kContact)[3].key);
  });
  CheckOptions small;
  small.memory_bytes = 1;  // 1024 rows a pass
  const CheckReport many = must(check_store(path, small));
  const CheckReport one = must(check_store(path));
  CHECK(many.finding_count == one.finding_count);
  CHECK(one.finding_count > kFindingsMax);
  CHECK(one.findings.size() == kFindingsMax);
  must(repair_index(path, small));
  must_be_sound(path);
  CHECK(answers_of(*must(reopen(path))) == before);
}

TEST_CASE("check: a block that is gone from an actor is found, with the actor's name, and mended") {
  found_and_mended(true, "contact_by_actor_time", "actor 5 has not got it", [](const auto& reader, auto& writes) {
    const std::string prefix = impl::encode_u64(5);
    for (const Stored& s : all_of(reader, Family::kContact)) {
      if (s.key.starts_with(prefix)) writes.remove(Family::kContact, s.key);
    }
  });
}

TEST_CASE("check: a block that is gone from the timeline is found and mended") {
  found_and_mended(true, "interaction_by_time", "is missing", [](const auto& reader, auto& writes) {
    writes.remove(Family::kTimeline, all_of(reader, Family::kTimeline).front().key);
  });
}

TEST_CASE("check: a block of another actor under a key is found and mended") {
  found_and_mended(true, "contact_by_actor_time", "row", [](const auto& reader, auto& writes) {
    const auto all = all_of(reader, Family::kContact);
    writes.put(Family::kContact, all.front().key, all.back().value);
  });
}

TEST_CASE("check: bytes that are no block are found and mended") {
  found_and_mended(true, "interaction_by_time", "the block up to", [](const auto& reader, auto& writes) {
    Stored s = all_of(reader, Family::kTimeline).front();
    writes.put(Family::kTimeline, s.key, s.value.substr(0, s.value.size() / 2));
  });
}

TEST_CASE("check: a block that stands twice is found and mended") {
  found_and_mended(true, "interaction_by_time", "twice", [](const auto& reader, auto& writes) {
    Stored s = all_of(reader, Family::kTimeline).front();
    const auto key = *impl::decode_timeline_key(s.key);
    writes.put(Family::kTimeline, impl::timeline_key({key.length, {key.begin.seconds + 1}, key.row}), s.value);
  });
}

TEST_CASE("check: retired rows that are not noted, or noted for no reason, are found and mended") {
  const bool sealed = GENERATE(true, false);
  found_and_mended(sealed, "retired_row", "which is not noted", [](const auto& reader, auto& writes) {
    writes.remove(Family::kRetired, all_of(reader, Family::kRetired).back().key);
  });
  found_and_mended(sealed, "retired_row", "which is not noted", [](const auto& reader, auto& writes) {
    writes.remove(Family::kRetired, all_of(reader, Family::kRetired).front().key);
  });
  found_and_mended(sealed, "retired_row", "but its record holds", [](const auto&, auto& writes) {
    writes.put(Family::kRetired, impl::encode_u64(1), impl::encode_u64(2));
  });
}

TEST_CASE("check: a list of participants that is gone, or another's, is found and mended") {
  found_and_mended(true, "participants", "row", [](const auto& reader, auto& writes) {
    const auto all = all_of(reader, Family::kParticipants);
    auto parties = must(impl::decode_parties(all[0].value));
    parties.pop_back();
    writes.put(Family::kParticipants, all[0].key, impl::encode_parties(parties));
  });
  found_and_mended(true, "participants", "is not there", [](const auto& reader, auto& writes) {
    writes.remove(Family::kParticipants, all_of(reader, Family::kParticipants)[0].key);
  });
  found_and_mended(true, "participants", "no row of the timeline has this list", [](const auto& reader, auto& writes) {
    writes.put(Family::kParticipants, impl::encode_u64(1), all_of(reader, Family::kParticipants)[0].value);
  });
}

TEST_CASE("check: keys, names and labels that are gone, wrong or too many are found and mended") {
  for (const Family family : {Family::kKey, Family::kName, Family::kLabel}) {
    found_and_mended(
        true, family_name(family), "is missing, though a record has it",
        [family](const auto& reader, auto& writes) { writes.remove(family, all_of(reader, family).front().key); });
    found_and_mended(false, family_name(family), "says something else", [family](const auto& reader, auto& writes) {
      Stored s = all_of(reader, family).front();
      impl::history_set(s.value, CommitNumber{6}, 77);
      writes.put(family, s.key, s.value);
    });
  }
  found_and_mended(true, "key", "no record says so as of commit 2", [](const auto&, auto& writes) {
    std::string value;
    impl::history_set(value, CommitNumber{2}, 1);
    writes.put(Family::kKey, impl::owner_key(impl::KeyOwner::kActor, "nobody"), value);
  });
  found_and_mended(true, "name", "no record says so", [](const auto&, auto& writes) {
    std::string value;
    impl::history_set(value, CommitNumber{2}, impl::kAliasName);
    writes.put(Family::kName, impl::text_id_key("nobody", ActorId{1}), value);
  });
}

TEST_CASE("check: records that are gone or damaged are found, and the index is not made from them") {
  struct Case {
    Family family;
    std::string_view words;
    bool remove;
  };
  const auto test = GENERATE(
      Case{Family::kActor, "no record is there", true}, Case{Family::kActor, "does not decode", false},
      Case{Family::kInteraction, "no record has it", true}, Case{Family::kInteraction, "does not decode", false},
      Case{Family::kSource, "no record is there", true}, Case{Family::kPlain, "", false},
      Case{Family::kCommit, "is gone", true}, Case{Family::kCommit, "does not decode", false});
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  make_store(path, true);
  damage(path, [&](const auto& reader, auto& writes) {
    // The oldest record of all but interactions: of those the newest, whose row nothing else explains.
    const auto all = all_of(reader, test.family);
    const Stored s = test.family == Family::kInteraction ? all.back() : all.front();
    if (test.remove) {
      writes.remove(test.family, s.key);
    } else {
      writes.put(test.family, s.key, s.value.substr(0, s.value.size() / 2));
    }
  });
  const CheckReport report = must(check_store(path));
  INFO(text_of(report));
  CHECK(report.beyond_repair > 0);
  CHECK(found(report, family_name(test.family), test.words));
  const Error error = refusal(repair_index(path));
  CHECK(error.code == ErrorCode::kCorruption);
  CHECK(says(error, "restore a backup"));
}

TEST_CASE("check: plain interactions that are gone are found") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  make_store(path, true);
  damage(path, [&](const auto& reader, auto& writes) {
    writes.remove(Family::kPlain, all_of(reader, Family::kPlain).front().key);
  });
  const CheckReport report = must(check_store(path));
  CHECK(report.beyond_repair > 0);
  CHECK(found(report, "interaction", "no record has it"));
  refusal(repair_index(path));
}

TEST_CASE("check: totals, the mark of what is sealed and the mark outside are compared") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  make_store(path, false);
  damage(path, [&](const auto& reader, auto& writes) {
    const Stored s = all_of(reader, Family::kCommit).back();
    impl::CommitRecord record = must(impl::decode_commit(s.value));
    ++record.actor_count;
    --record.interaction_count;
    ++record.source_count;
    writes.put(Family::kCommit, s.key, impl::encode_commit(record));
    writes.put(Family::kMeta, impl::kSealedKey, impl::encode_u64(1));
  });
  {
    impl::HighWaterMark mark;
    must(mark.set(path, CommitNumber{9}));
  }
  const CheckReport report = must(check_store(path));
  CHECK(found(report, "commit", "actors,"));
  CHECK(found(report, "commit", "interactions,"));
  CHECK(found(report, "commit", "sources,"));
  CHECK(found(report, "commit", "commit 9 was acknowledged"));
  CHECK(found(report, "commit_rows", "commit 1"));
}

TEST_CASE("repair: one that was interrupted is noticed by all who open the store, and finished by another") {
  const bool families_gone = GENERATE(false, true);
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  const auto before = make_store(path, families_gone);
  {
    const auto kv = raw(path);
    const auto writes = kv->make_writes();
    writes->put(Family::kMeta, impl::kRepairingKey, "1");
    must(kv->write(*writes, true));
    constexpr std::array kSome = {Family::kTimeline, Family::kName};
    if (families_gone) must(kv->renew(kSome));
  }
  for (const bool read_only : {false, true}) {
    const Error error = refusal(reopen(path, read_only));
    CHECK(error.code == ErrorCode::kCorruption);
    CHECK(says(error, "check"));
    CHECK(says(error, "--repair"));
  }
  CHECK(found(must(check_store(path)), "default", "interrupted"));
  must(repair_index(path));
  must_be_sound(path);
  CHECK(answers_of(*must(reopen(path))) == before);
}

TEST_CASE("check: refused where there is no store or a foreign folder; repair also where a store is open for writing") {
  const TempFolder folder;
  CHECK(refusal(check_store(folder.path("none"))).code == ErrorCode::kNotFound);
  std::filesystem::create_directory(folder.path("other"));
  std::filesystem::create_directory(folder.path("other") + "/things");
  CHECK(refusal(check_store(folder.path("other"))).code == ErrorCode::kInvalidArgument);
  CHECK(refusal(repair_index(folder.path("other"))).code == ErrorCode::kInvalidArgument);
  const auto store = create(folder.path("store.dm"));
  const CheckReport beside = must(check_store(folder.path("store.dm")));
  CHECK(beside.beside_writer);
  CHECK(beside.clean());
  CHECK(refusal(repair_index(folder.path("store.dm"))).code == ErrorCode::kConflict);
}

TEST_CASE("repair: what is written afterwards is as sound as before") {
  const TempFolder folder;
  const std::string path = folder.path("store.dm");
  make_store(path, false);
  must(repair_index(path));
  {
    const auto store = must(reopen(path));
    const auto tx = must(store->begin());
    const auto walkout = must(tx->view().find_interaction("walkout"));
    must(tx->retire_interaction(*walkout));
    must(tx->add_interaction(meeting("later", "2017", {ActorId{1}, ActorId{2}})));
    must(tx->commit("after"));
    must(store->seal());
  }
  must_be_sound(path);
}

}  // namespace demarche::tests

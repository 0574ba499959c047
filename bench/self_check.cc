#include "bench/self_check.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "bench/compare.h"
#include "bench/icews.h"
#include "bench/limit.h"
#include "bench/limit_kernels.h"
#include "bench/pair_counter.h"
#include "bench/store_under_test.h"
#include "bench/stored_copy.h"
#include "bench/workload.h"
#include "engine/edtf.h"

namespace demarche::bench {
namespace {

// ---- the plainest computations

ContactSum plain_contacts(const Dataset& data, const ContactQuery& query) {
  ContactSum sum;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto parties = data.parties_of(i);
    if (std::find(parties.begin(), parties.end(), query.actor) == parties.end()) continue;
    if (data.days[i] < query.day_begin || data.days[i] >= query.day_end) continue;
    if ((query.kinds >> data.kinds[i] & 1) == 0) continue;
    sum.interactions += 1;
    sum.ids += i;
    for (const Actor32 party : parties) sum.others += party == query.actor ? 0 : party;
  }
  return sum;
}

// Goes over the interactions of a day again and again until nobody new is reached.
ReachSum plain_reach(const Dataset& data, const ReachQuery& query) {
  std::vector<bool> reached(data.actor_count, false);
  reached[query.source] = true;
  ReachSum sum;
  for (std::uint32_t day = query.day_begin; day < query.day_end; ++day) {
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t i = 0; i < data.size(); ++i) {
        const auto parties = data.parties_of(i);
        if (data.days[i] != day || std::none_of(parties.begin(), parties.end(), [&](Actor32 a) { return reached[a]; }))
          continue;
        for (const Actor32 party : parties) {
          if (reached[party]) continue;
          reached[party] = changed = true;
          sum.reached += 1;
          sum.days += day;
        }
      }
    }
  }
  return sum;
}

TopPairs plain_pairs(const Dataset& data, const PairQuery& query, std::size_t limit) {
  std::map<std::pair<Actor32, Actor32>, std::uint32_t> counts;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data.days[i] < query.day_begin || data.days[i] >= query.day_end) continue;
    for (const Actor32 x : data.parties_of(i)) {
      for (const Actor32 y : data.parties_of(i)) {
        if (x < y) ++counts[{x, y}];
      }
    }
  }
  TopPairs all;
  for (const auto& [pair, count] : counts) all.push_back({pair.first, pair.second, count});
  std::stable_sort(all.begin(), all.end(),
                   [](const PairCount& x, const PairCount& y) { return x.interactions > y.interactions; });
  all.resize(std::min(all.size(), limit));
  return all;
}

KindMonths plain_months(const Dataset& data) {
  const CivilDay first = civil_from_days(data.first_day);
  const CivilDay last = civil_from_days(data.first_day + data.day_count - 1);
  const auto months_before = [&](const CivilDay& day) {
    return static_cast<std::size_t>((day.year - first.year) * 12 + day.month - first.month);
  };
  KindMonths counts((months_before(last) + 1) * kKindsMax, 0);
  for (std::size_t i = 0; i < data.size(); ++i)
    ++counts[months_before(civil_from_days(data.first_day + data.days[i])) * kKindsMax + data.kinds[i]];
  return counts;
}

// ---- comparing

Result<void> demand(bool ok, const std::string& what) {
  if (!ok) return make_error(ErrorCode::kCorruption, "self-check: " + what);
  return {};
}

template <typename T>
Result<void> demand_equal(const T& expected, const T& found, const std::string& what) {
  const auto text = difference(expected, found);
  return demand(!text, what + ": " + text.value_or(""));
}

// What answers the questions: the limit with some kernels, or a store.
struct LimitSide {
  Limit limit;
  [[nodiscard]] Result<ContactSum> contacts(const ContactQuery& query) const { return limit.contacts(query); }
  [[nodiscard]] Result<ReachSum> reach(const ReachQuery& query) {
    const ReachSum by_stream = limit.reach_by_stream(query);
    DEMARCHE_CHECK(demand_equal(by_stream, limit.reach_by_adjacency(query), "reach by adjacency"));
    return by_stream;
  }
  [[nodiscard]] Result<TopPairs> top_pairs(const PairQuery& query) { return limit.top_pairs(query); }
  [[nodiscard]] Result<KindMonths> kind_by_month() const {
    const KindMonths by_offsets = limit.kind_by_month();
    DEMARCHE_CHECK(demand_equal(by_offsets, limit.kind_by_month_by_rows(), "months by rows"));
    return by_offsets;
  }
};

template <typename Side>
Result<void> check_answers(const Dataset& data, Side& side, const std::string& who) {
  const Questions questions = draw_questions(data, {.hub = 40, .ordinary = 40, .reach = 15, .pairs = 4});
  DEMARCHE_CHECK(demand(questions.hub.size() == 40 && questions.reach.size() == 15, who + ": too few questions"));
  for (const auto* queries : {&questions.hub, &questions.ordinary}) {
    for (const ContactQuery& query : *queries) {
      DEMARCHE_TRY(const ContactSum found, side.contacts(query));
      DEMARCHE_CHECK(demand_equal(plain_contacts(data, query), found, who + ", contacts"));
    }
  }
  for (const ReachQuery& query : questions.reach) {
    DEMARCHE_TRY(const ReachSum found, side.reach(query));
    DEMARCHE_CHECK(demand(found.reached > 0, who + ": a source without a contact"));
    DEMARCHE_CHECK(demand_equal(plain_reach(data, query), found, who + ", reach"));
  }
  for (const PairQuery& query : questions.pairs) {
    DEMARCHE_TRY(const TopPairs found, side.top_pairs(query));
    DEMARCHE_CHECK(demand_equal(plain_pairs(data, query, kPairsTop), found, who + ", pairs"));
  }
  DEMARCHE_TRY(const KindMonths found, side.kind_by_month());
  return demand_equal(plain_months(data), found, who + ", months");
}

Shape small_shape(bool nary, std::uint64_t seed) {
  return {.name = nary ? "small-nary" : "small",
          .interactions = 3'000,
          .actors = 70,
          .days = 800,
          .nary = nary,
          .seed = seed};
}

// ---- cases

Result<void> check_limit() {
  for (const bool nary : {false, true}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      const Dataset data = generate(small_shape(nary, seed));
      const std::string name = fmt::format("limit, {}, seed {}", data.name, seed);
      LimitSide portable{Limit(data, portable_kernels())};
      DEMARCHE_CHECK(check_answers(data, portable, name + ", portable"));
      if (!avx2_kernels()) continue;
      LimitSide wide{Limit(data, *avx2_kernels())};
      DEMARCHE_CHECK(check_answers(data, wide, name + ", AVX2"));
    }
  }
  return {};
}

// On all short lengths and some long ones, with values up to the highest.
Result<void> check_kernels() {
  const Kernels* wide = avx2_kernels();
  if (!wide) return {};
  const Kernels& plain = portable_kernels();
  Random random(11);
  std::vector<std::uint8_t> kinds;
  std::vector<std::uint32_t> values;
  std::vector<std::uint32_t> more;
  for (std::size_t i = 0; i < 20'000; ++i) {
    kinds.push_back(static_cast<std::uint8_t>(random.below(kKindsMax)));
    values.push_back(0xFFFFFFFF - random.below(1000));
    more.push_back(static_cast<std::uint32_t>(random.next()));
  }
  for (std::size_t rows = 0; rows <= kinds.size(); rows += rows < 100 ? 1 : 1 + random.below(1500)) {
    const std::uint32_t wanted = rows == 50 ? 0xFFFFFFFF : static_cast<std::uint32_t>(random.next());
    const std::string what = fmt::format("kernels on {} rows", rows);
    DEMARCHE_CHECK(demand_equal(plain.sum_contacts(kinds.data(), values.data(), more.data(), rows, wanted),
                                wide->sum_contacts(kinds.data(), values.data(), more.data(), rows, wanted), what));
    DEMARCHE_CHECK(demand_equal(plain.sum_column(kinds.data(), values.data(), rows, wanted),
                                wide->sum_column(kinds.data(), values.data(), rows, wanted), what));
    const auto kind_count = static_cast<unsigned>(1 + rows % kKindsMax);
    KindMonths of_plain(kKindsMax, 0);
    KindMonths of_wide(kKindsMax, 0);
    plain.count_kinds(kinds.data(), rows, kind_count, of_plain.data());
    wide->count_kinds(kinds.data(), rows, kind_count, of_wide.data());
    DEMARCHE_CHECK(demand_equal(of_plain, of_wide, what));
  }
  return {};
}

Result<void> check_pair_counter() {
  PairCounter counter(200'000);
  DEMARCHE_CHECK(demand(counter.top(5).empty(), "pairs of nothing"));
  for (const auto& [x, y] : std::vector<std::pair<Actor32, Actor32>>{
           {7, 199'999}, {3, 2}, {199'999, 7}, {2, 3}, {0, 1}, {5, 4}, {2, 3}, {1, 0}})
    counter.add(x, y);
  const TopPairs all = {{2, 3, 3}, {0, 1, 2}, {7, 199'999, 2}, {4, 5, 1}};
  DEMARCHE_CHECK(demand_equal(all, counter.top(5), "all pairs"));
  DEMARCHE_CHECK(demand_equal(TopPairs(all.begin(), all.begin() + 2), counter.top(2), "two pairs, the second a tie"));
  return demand(counter.top(0).empty(), "no pairs asked for");
}

// The draws never change: figures of different days are about the same data.
Result<void> check_generator() {
  const std::map<std::string, std::uint64_t> known = {{"tiny", 0xdc59841483051567},
                                                      {"tiny-nary", 0xb41ad0a45773dfd3},
                                                      {"S", 0xe851c0eff04a574d},
                                                      {"S-nary", 0x258d5ffa1de52c8e}};
  for (const auto& [name, expected] : known) {
    const std::size_t dash = name.find('-');
    DEMARCHE_TRY(const Shape shape, shape_of(name.substr(0, dash), dash != std::string::npos));
    const std::uint64_t found = fingerprint(generate(shape));
    DEMARCHE_CHECK(
        demand(found == expected, fmt::format("{}: fingerprint {:#x}, expected {:#x}", name, found, expected)));
  }
  DEMARCHE_CHECK(demand(!shape_of("huge", false), "an unknown size was taken"));

  DEMARCHE_TRY(const Shape shape, shape_of("S", true));
  const Dataset data = generate(shape);
  std::vector<std::size_t> degree(data.actor_count, 0);
  std::size_t many = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto parties = data.parties_of(i);
    std::vector<Actor32> sorted(parties.begin(), parties.end());
    std::sort(sorted.begin(), sorted.end());
    const bool distinct = std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
    DEMARCHE_CHECK(demand(distinct && parties.size() >= 2 && parties.size() <= 8, fmt::format("parties of {}", i)));
    DEMARCHE_CHECK(demand(i == 0 || data.days[i - 1] <= data.days[i], fmt::format("order of day at {}", i)));
    many += parties.size() > 2 ? 1 : 0;
    for (const Actor32 party : parties) ++degree[party];
  }
  const double share = static_cast<double>(many) / static_cast<double>(data.size());
  return demand(share > 0.295 && share < 0.305, fmt::format("share of many-sided interactions {}", share));
}

// The busiest actor and the median one are as busy as the law has it.
Result<void> check_law() {
  DEMARCHE_TRY(const Shape shape, shape_of("S", false));
  const Dataset data = generate(shape);
  std::vector<std::size_t> degree(data.actor_count, 0);
  for (const Actor32 party : data.parties) ++degree[party];
  std::sort(degree.begin(), degree.end());
  const double top = static_cast<double>(degree.back()) / static_cast<double>(data.size());
  DEMARCHE_CHECK(demand(top > 0.076 && top < 0.081, fmt::format("share of the busiest actor {}", top)));
  const std::size_t middle = degree[degree.size() / 2];
  return demand(middle >= 23 && middle <= 26, fmt::format("interactions of the median actor {}", middle));
}

Result<void> check_store(const std::string& folder) {
  for (const bool nary : {false, true}) {
    const Dataset data = generate(small_shape(nary, 5));
    DEMARCHE_TRY(const StoredCopy made, ensure_stored_copy(folder, data));
    DEMARCHE_CHECK(demand(!made.reused, "reused a store that was not there"));
    DEMARCHE_TRY(const StoredCopy again, ensure_stored_copy(folder, data));
    DEMARCHE_CHECK(
        demand(again.reused && again.ids.first_interaction == made.ids.first_interaction, "store made twice"));
    DEMARCHE_TRY(auto store, StoreUnderTest::open(made.path, {.sync = false}, data, made.ids));
    DEMARCHE_CHECK(check_answers(data, store, "store, " + data.name));

    const Dataset more = generate_more(small_shape(nary, 5), 50);
    DEMARCHE_CHECK(store.append(more, 0, 30));
    DEMARCHE_CHECK(store.append(more, 30, 31));
    DEMARCHE_CHECK(demand(store.interactions() == data.size() + 31, "number of interactions after appending"));
    Dataset appended = more;
    appended.days.resize(31);
    for (Actor32 actor = 0; actor < 70; ++actor) {
      const ContactQuery query{actor, 0, 800, 0xFFFFFFFF};
      ContactSum expected = plain_contacts(data, query);
      const ContactSum added = plain_contacts(appended, query);
      expected.interactions += added.interactions;
      expected.others += added.others;
      expected.ids += added.ids + added.interactions * data.size();
      DEMARCHE_TRY(const ContactSum found, store.contacts(query));
      DEMARCHE_CHECK(demand_equal(expected, found, "contacts after appending"));
    }
  }
  return {};
}

// A stamp of other data, one without the end of a load, and a store without any.
Result<void> check_stored_copy(const std::string& folder) {
  Dataset data = generate(small_shape(false, 6));
  data.name = "copy";
  DEMARCHE_CHECK(ensure_stored_copy(folder, data).map([](const StoredCopy&) {}));
  const std::string stamp = folder + "/copy/stamp";
  std::string line;
  std::getline(std::ifstream(stamp), line);
  std::ofstream(stamp) << line << '\n';
  DEMARCHE_TRY(const StoredCopy remade, ensure_stored_copy(folder, data));
  DEMARCHE_CHECK(demand(!remade.reused, "took a store whose load was broken off"));
  data.kinds[0] ^= 1;
  DEMARCHE_TRY(const StoredCopy other, ensure_stored_copy(folder, data));
  DEMARCHE_CHECK(demand(!other.reused, "took the store of other data"));
  std::filesystem::remove(stamp);
  const auto refused = ensure_stored_copy(folder, data);
  return demand(!refused && refused.error().message.find("was not made by the bench") != std::string::npos,
                "took a store that is not its own");
}

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

// Two tables that share a row; mirrors of a call and of a visit; what is told one way only; a row of an actor with
// itself.
Result<void> check_icews(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  IcewsReport report;
  DEMARCHE_CHECK(demand(!read_icews(folder, report), "read event data from an empty folder"));
  write(folder + "/relations.tsv",
        "relation\tcameo_code\tcameo_root\nCall\t041\t04\nGo\t042\t04\nReceive\t043\t04\nBlame\t110\t11\n");
  DEMARCHE_CHECK(demand(!read_icews(folder, report), "read event data without a table"));
  const std::string head = "subject\trelation\tobject\tdate\n";
  write(folder + "/icews14.tsv", head +
                                     "A\tCall\tB\t2014-01-01\nB\tCall\tA\t2014-01-01\nA\tCall\tA\t2014-01-01\n"
                                     "B\tReceive\tC\t2014-02-01\nC\tGo\tB\t2014-02-01\nB\tGo\tC\t2014-02-01\n");
  write(folder + "/icews18.tsv", head +
                                     "A\tBlame\tB\t2014-01-03\nB\tBlame\tA\t2014-01-03\nA\tCall\tB\t2014-01-01\n"
                                     "A\tCall\tB\t2014-01-02\n");
  DEMARCHE_TRY(const Dataset data, read_icews(folder, report));
  const std::vector<Day16> days = {0, 1, 2, 2, 31, 31};
  const std::vector<std::uint8_t> kinds = {3, 3, 10, 10, 3, 3};
  DEMARCHE_CHECK(demand(data.days == days && data.kinds == kinds && data.actor_count == 3, "event data as read"));
  DEMARCHE_CHECK(demand(report.rows == 10 && report.self == 1 && report.folded == 3, "rows of event data"));
  write(folder + "/icews18.tsv", head + "A\tCall\tB\t2014-1-1\n");
  const auto refused = read_icews(folder, report);
  return demand(!refused && refused.error().message.find("icews18.tsv:2: '2014-1-1' is not a day") != std::string::npos,
                "event data with a day that is none");
}

// A comparison that notices nothing would make every figure worthless.
Result<void> check_differences() {
  const TopPairs pairs = {{1, 2, 3}};
  const bool all = difference(ContactSum{1, 2, 3}, ContactSum{1, 2, 4}) && difference(ReachSum{1, 2}, ReachSum{1, 3}) &&
                   difference(pairs, TopPairs{{1, 2, 4}}) && difference(pairs, TopPairs{}) &&
                   difference(KindMonths{0, 1}, KindMonths{1, 1});
  return demand(all && !difference(pairs, pairs), "a wrong answer was not noticed");
}

}  // namespace

Result<void> self_check(const std::string& folder) {
  DEMARCHE_CHECK(check_differences());
  DEMARCHE_CHECK(check_kernels());
  DEMARCHE_CHECK(check_pair_counter());
  DEMARCHE_CHECK(check_generator());
  DEMARCHE_CHECK(check_law());
  DEMARCHE_CHECK(check_limit());
  DEMARCHE_CHECK(check_store(folder));
  DEMARCHE_CHECK(check_stored_copy(folder));
  return check_icews(folder + "/icews");
}

}  // namespace demarche::bench

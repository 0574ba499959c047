#include "bench/costs.h"

#include <cstdio>
#include <filesystem>
#include <optional>
#include <sstream>
#include <system_error>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/compare.h"

extern char** environ;

namespace demarche::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSinglesMax = 5'000;

// Runs a program and returns what it wrote to standard output.
Result<std::string> output_of(const std::string& program, const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe(ends) != 0) return make_error(ErrorCode::kIo, "could not make a pipe");
  std::vector<char*> words{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  pid_t child = 0;
  const int failed = posix_spawn(&child, program.c_str(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string text;
  char buffer[512];
  for (ssize_t got; failed == 0 && (got = read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  close(ends[0]);
  if (failed != 0) return make_error(ErrorCode::kIo, fmt::format("could not start '{}'", program));
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return make_error(ErrorCode::kIo, fmt::format("'{} {}' failed: see above", program, fmt::join(arguments, " ")));
  return text;
}

// A folder that is removed when this goes out of scope.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The limit's answer plus what the first `tail` interactions of `more`, appended to `data`, add to it.
ContactSum with_tail(ContactSum sum, const Dataset& data, const Dataset& more, std::size_t tail,
                     const ContactQuery& query) {
  for (std::size_t i = 0; i < tail; ++i) {
    if (more.days[i] < query.day_begin || more.days[i] >= query.day_end || (query.kinds >> more.kinds[i] & 1) == 0)
      continue;
    std::uint64_t others = 0;
    bool takes_part = false;
    for (const Actor32 party : more.parties_of(i)) {
      takes_part |= party == query.actor;
      others += party == query.actor ? 0 : party;
    }
    if (!takes_part) continue;
    sum.interactions += 1;
    sum.others += others;
    sum.ids += data.size() + i;
  }
  return sum;
}

Result<Paired> hub_with_tail(const StoreUnderTest& sealed, const StoreUnderTest& tailed, const Limit& limit,
                             const Dataset& data, const Dataset& more, std::size_t tail,
                             const std::vector<ContactQuery>& queries, std::size_t rounds) {
  std::optional<Error> failed;
  const auto ask = [&](const StoreUnderTest& store, std::vector<ContactSum>& answers) {
    answers.clear();
    for (const ContactQuery& query : queries) {
      auto sum = store.contacts(query);
      if (!sum) failed = sum.error();
      answers.push_back(sum.value_or(ContactSum{}));
    }
  };
  std::vector<ContactSum> of_sealed;
  std::vector<ContactSum> of_tailed;
  const auto check = [&]() -> Result<void> {
    if (failed) return tl::unexpected<Error>(*failed);
    for (std::size_t i = 0; i < queries.size(); ++i) {
      const ContactSum expected = limit.contacts(queries[i]);
      auto text = difference(expected, of_sealed[i]);
      if (!text) text = difference(with_tail(expected, data, more, tail, queries[i]), of_tailed[i]);
      if (text) return make_error(ErrorCode::kCorruption, fmt::format("hub with a tail, question {}: {}", i, *text));
    }
    return {};
  };
  return run_paired(
      rounds, queries.size(), [&] { ask(sealed, of_sealed); }, [&] { ask(tailed, of_tailed); }, check);
}

}  // namespace

Result<void> print_open_cost(const std::string& path) {
  DEMARCHE_TRY(const Memory before, memory_of_this_process());
  const double cpu = cpu_seconds();
  const double wall = wall_seconds();
  DEMARCHE_TRY(const auto store, Store::open(path, {.read_only = true}));
  const auto view = store->view();
  const double wall_spent = wall_seconds() - wall;
  const double cpu_spent = cpu_seconds() - cpu;
  DEMARCHE_TRY(const Memory after, memory_of_this_process());
  std::printf(
      "%.9f %.9f %llu %llu %llu %llu\n", wall_spent, cpu_spent, static_cast<unsigned long long>(before.resident_bytes),
      static_cast<unsigned long long>(before.anonymous_bytes), static_cast<unsigned long long>(after.resident_bytes),
      static_cast<unsigned long long>(after.anonymous_bytes));
  return {};
}

Result<OpenCost> open_cost(const std::string& program, const std::string& path, std::size_t rounds) {
  std::vector<double> wall;
  std::vector<double> cpu;
  OpenCost cost;
  for (std::size_t round = 0; round < rounds; ++round) {
    DEMARCHE_TRY(const std::string text, output_of(program, {"--open-only", path}));
    std::istringstream words(text);
    wall.push_back(0);
    cpu.push_back(0);
    if (!(words >> wall.back() >> cpu.back() >> cost.before.resident_bytes >> cost.before.anonymous_bytes >>
          cost.after.resident_bytes >> cost.after.anonymous_bytes))
      return make_error(ErrorCode::kIo,
                        fmt::format("'{} --open-only' wrote '{}', expected six numbers", program, text));
  }
  cost.wall_seconds = median(wall);
  cost.cpu_seconds = median(cpu);
  return cost;
}

Result<DiskCost> disk_cost(const std::string& path, std::size_t interactions,
                           const std::vector<FamilyBytes>& families) {
  DiskCost cost;
  const auto count = static_cast<double>(interactions);
  DEMARCHE_TRY(const std::uint64_t all, bytes_on_disk(path));
  DEMARCHE_TRY(const std::uint64_t logs, bytes_on_disk(path, ".log"));
  cost.bytes = static_cast<double>(all) / count;
  cost.log_bytes = static_cast<double>(logs) / count;
  cost.families = families;
  return cost;
}

Result<WriteCost> write_cost(const StoredCopy& copy, const Shape& shape, const Dataset& data, const Limit& limit,
                             const Questions& questions, std::size_t rounds) {
  WriteCost cost;
  cost.tail = std::max<std::size_t>(1000, data.size() / 100 / 1000 * 1000);
  const std::size_t singles = std::min(kSinglesMax, cost.tail);
  const Dataset more = generate_more(shape, cost.tail);
  Shape other = shape;
  other.seed += 1;
  const Dataset single = generate_more(other, singles);

  const TemporaryFolder folder(copy.path + "-appended");
  std::error_code error;
  fs::remove_all(folder.path(), error);
  fs::copy(copy.path, folder.path(), fs::copy_options::recursive, error);
  if (error) return make_error(ErrorCode::kIo, fmt::format("copying to '{}': {}", folder.path(), error.message()));
  {
    DEMARCHE_TRY(auto store, StoreUnderTest::open(folder.path(), {.sync = true}, data, copy.ids));
    const double start = cpu_seconds();
    for (std::size_t i = 0; i < cost.tail; i += 1000) DEMARCHE_CHECK(store.append(more, i, i + 1000));
    cost.seconds_each_by_1000 = (cpu_seconds() - start) / static_cast<double>(cost.tail);
    DEMARCHE_TRY(const auto sealed, StoreUnderTest::open(copy.path, {.read_only = true}, data, copy.ids));
    DEMARCHE_ASSIGN(cost.hub_with_tail,
                    hub_with_tail(sealed, store, limit, data, more, cost.tail, questions.hub, rounds));
  }
  DEMARCHE_TRY(auto store, StoreUnderTest::open(folder.path(), {.sync = false}, data, copy.ids));
  const double start = cpu_seconds();
  for (std::size_t i = 0; i < singles; ++i) DEMARCHE_CHECK(store.append(single, i, i + 1));
  cost.seconds_each_by_one = (cpu_seconds() - start) / static_cast<double>(singles);
  if (store.interactions() != data.size() + cost.tail + singles)
    return make_error(ErrorCode::kCorruption, fmt::format("appended {} interactions, but the store has {} in all",
                                                          cost.tail + singles, store.interactions()));
  return cost;
}

}  // namespace demarche::bench

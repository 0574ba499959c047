// What a store must hold after a crash. Random transactions are drawn from a seed and a serial number, so that two
// processes that know these two draw the same one; a History remembers which were begun and which were acknowledged,
// and compares a store that was opened again with what follows from them, through the public interface alone.
//
// Three states of a transaction: acknowledged (must be there), in doubt (begun and not acknowledged: there and whole,
// or absent, and if it is absent then so is all that was begun after it), absent (never begun, or gone once: must not
// come back).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/store.h"

namespace demarche::tests {

// What ids come next.
struct Counts {
  std::uint64_t actors = 0;
  std::uint64_t interactions = 0;
  std::uint64_t sources = 0;
  std::uint32_t kinds = 0;  // declared ones
};

// One transaction. Every key in it holds its serial number.
struct Draft {
  std::uint64_t serial = 0;
  std::vector<std::string> kinds;
  std::vector<Source> sources;
  std::vector<Actor> actors;
  std::vector<Interaction> interactions;
  std::vector<std::pair<InteractionId, InteractionId>> parts;  // part, whole

  [[nodiscard]] static Draft draw(std::uint64_t seed, std::uint64_t serial, const Counts& before);
};

[[nodiscard]] Result<CommitNumber> write(Store& store, const Draft& draft);

// Everything that a store holds.
struct Content {
  std::uint64_t commits = 0;
  std::vector<std::string> kinds;
  std::vector<Source> sources;
  std::vector<Actor> actors;
  std::vector<Interaction> interactions;

  [[nodiscard]] Counts counts() const;
  void apply(const Draft& draft);
};

// Reads all of `view` by every road there is: records, keys, names, labels, the rows of all and of each actor, totals.
// The first thing that differs from `content`, in words; nothing if none does. Errors: those of reading.
[[nodiscard]] Result<std::optional<std::string>> difference(const View& view, const Content& content);

struct Verdict {
  std::uint64_t lost = 0;      // acknowledged and gone
  std::uint64_t survived = 0;  // in doubt and there
  std::string torn;            // what is there and not as it must be; empty if nothing
  std::string refused;         // the store did not open, or could not be read: why

  [[nodiscard]] bool good() const { return lost == 0 && torn.empty() && refused.empty(); }
  [[nodiscard]] std::string text() const;
};

class History {
 public:
  explicit History(std::uint64_t seed) : seed_(seed) {}

  // The next transaction, on top of everything begun. It is in doubt until it is acknowledged.
  [[nodiscard]] const Draft& begin();
  // One with a serial number of somebody else's choosing.
  void begin(std::uint64_t serial);
  void acknowledge();  // the last one begun
  // It was refused before anything was written.
  void withdraw();

  // Looks at the store at `path` through a store opened as `options` say (made if it is not there), and takes what is
  // there for settled: from then on it must stay. The store is handed back in `store` if that is not null.
  [[nodiscard]] Verdict settle(const std::string& path, StoreOptions options, std::unique_ptr<Store>* store = nullptr);

  [[nodiscard]] std::uint64_t acknowledged_total() const { return acknowledged_total_; }
  [[nodiscard]] std::uint64_t doubtful_total() const { return doubtful_total_; }
  [[nodiscard]] std::uint64_t next_serial() const { return next_serial_; }
  [[nodiscard]] const Content& settled() const { return settled_; }

 private:
  struct Begun {
    Draft draft;
    bool acknowledged = false;
  };
  std::uint64_t seed_;
  std::uint64_t next_serial_ = 1;
  Content settled_;
  Content planned_;  // settled_ and all begun
  std::vector<Begun> begun_;
  std::vector<std::string> gone_;  // keys that must not come back
  std::uint64_t acknowledged_total_ = 0;
  std::uint64_t doubtful_total_ = 0;
};

}  // namespace demarche::tests

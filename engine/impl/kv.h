// What the store needs of an ordered key-value engine: point reads and iterators on a fixed state, and atomic batches.
// RocksDB implements it (rocks_kv.cc); nothing above this line knows RocksDB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/impl/key_codec.h"
#include "engine/result.h"

namespace demarche::impl {

// Ascending by key. Not thread-safe. Keeps the state it reads alive.
class KvIterator {
 public:
  virtual ~KvIterator() = default;
  virtual void seek(std::string_view key) = 0;           // to the first key >= it
  virtual void seek_for_prev(std::string_view key) = 0;  // to the last key <= it
  virtual void seek_to_last() = 0;
  virtual void next() = 0;
  virtual void prev() = 0;
  [[nodiscard]] virtual bool valid() const = 0;
  [[nodiscard]] virtual std::string_view key() const = 0;    // REQUIRES: valid()
  [[nodiscard]] virtual std::string_view value() const = 0;  // REQUIRES: valid()
  [[nodiscard]] virtual Result<void> status() const = 0;     // ask when valid() turns false
};

class KvReader {
 public:
  virtual ~KvReader() = default;
  [[nodiscard]] virtual Result<std::optional<std::string>> get(Family family, std::string_view key) const = 0;
  [[nodiscard]] virtual std::unique_ptr<KvIterator> iterate(Family family) const = 0;
  // Bytes of the sorted files of a family now; what is in the log only is not counted. 0 if it cannot be told.
  [[nodiscard]] virtual std::uint64_t file_bytes(Family /*family*/) const { return 0; }
};

// Changes on top of a fixed state; reads see both. Not thread-safe.
class KvBatch : public KvReader {
 public:
  virtual void put(Family family, std::string_view key, std::string_view value) = 0;
  virtual void remove(Family family, std::string_view key) = 0;
  [[nodiscard]] virtual std::size_t size_bytes() const = 0;
  // The changes of one family in order of key; value nullopt: removed.
  virtual void for_each(
      Family family,
      const std::function<void(std::string_view key, std::optional<std::string_view> value)>& call) const = 0;
};

// Changes that nobody reads before they are written. Not thread-safe.
class KvWrites {
 public:
  virtual ~KvWrites() = default;
  virtual void put(Family family, std::string_view key, std::string_view value) = 0;
  virtual void remove(Family family, std::string_view key) = 0;
  [[nodiscard]] virtual std::size_t size_bytes() const = 0;
};

// Sorted files being written, to be taken into the database in one step. Not thread-safe. What is not taken in is
// removed.
class KvTables {
 public:
  virtual ~KvTables() = default;
  // REQUIRES: keys of a family come in ascending order.
  virtual void put(Family family, std::string_view key, std::string_view value) = 0;
  virtual void remove(Family family, std::string_view key) = 0;
  [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
};

// Memory for what is read from disk, shared by several openings of one database.
struct KvCache;
[[nodiscard]] std::shared_ptr<KvCache> make_kv_cache(std::size_t bytes);

struct KvOptions {
  bool create = false;
  bool read_only = false;
  std::size_t cache_bytes = 0;               // of a cache of its own
  std::shared_ptr<KvCache> cache = nullptr;  // if set, this one
  // Makes families that are not there: an interrupted renew() leaves none. Not with read_only.
  bool create_missing_families = false;
  // Leaves out the look at each file's beginning when opening read-only. For those who look at all of it.
  bool trust_files = false;
};

class KvStore {
 public:
  virtual ~KvStore() = default;
  [[nodiscard]] virtual std::shared_ptr<const KvReader> snapshot() const = 0;
  // REQUIRES: `base` is a snapshot of this store.
  [[nodiscard]] virtual std::shared_ptr<KvBatch> make_batch(std::shared_ptr<const KvReader> base) const = 0;
  [[nodiscard]] virtual std::unique_ptr<KvWrites> make_writes() const = 0;
  // Applies all of `batch` or nothing. Errors: kOutcomeUnknown.
  [[nodiscard]] virtual Result<void> write(KvBatch& batch, bool sync) = 0;
  [[nodiscard]] virtual Result<void> write(KvWrites& writes, bool sync) = 0;
  // Files are written into `folder`, which must be on the database's disk.
  [[nodiscard]] virtual Result<std::unique_ptr<KvTables>> make_tables(const std::string& folder) const = 0;
  // Takes all of `tables` in or nothing, durably, whatever `sync` is elsewhere. Nothing else may be written meanwhile.
  // Errors: kOutcomeUnknown; kIo if nothing was taken in for certain.
  [[nodiscard]] virtual Result<void> ingest(KvTables& tables) = 0;
  // Reads every file and compares it with the checksum noted when it was written. Errors: kCorruption, kIo.
  [[nodiscard]] virtual Result<void> verify_files() const = 0;
  // Drops families with all that is in them, readable or not, and makes them anew, empty. Not atomic: a process that
  // dies meanwhile leaves some families out. REQUIRES: nobody reads them.
  [[nodiscard]] virtual Result<void> renew(std::span<const Family> families) = 0;
  // Copies the whole database into `folder` as a new backup and returns its number (rocks_backup.h). Writing may go on.
  [[nodiscard]] virtual Result<std::uint32_t> back_up(const std::string& folder) const = 0;
};

// Opens the RocksDB folder `path`. read_only: takes no lock, writes nothing, and works beside a writer in another
// process; what is read is whole only if the position was the same before and after. Errors: kConflict, kCorruption,
// kIo, kDenied.
[[nodiscard]] Result<std::shared_ptr<KvStore>> open_rocks(const std::string& path, const KvOptions& options);

// How far the files of a database had come when somebody looked.
struct KvPosition {
  std::string manifest;                              // name; empty if it could not be told
  std::uint64_t manifest_bytes = 0;                  // grows whenever sorted files come or go
  std::map<std::uint64_t, std::uint64_t> log_bytes;  // write-ahead logs by number

  friend bool operator==(const KvPosition&, const KvPosition&) = default;
  // The same files, though the logs may have grown. Logs are removed only after the manifest has grown, so what was
  // read between two positions of the same files is the state of one moment.
  [[nodiscard]] bool same_files(const KvPosition& other) const;
};
// Cost: one folder listing. Never fails: what cannot be seen is left out.
[[nodiscard]] KvPosition read_position(const std::string& path);

// A database opened beside its writer in another process, and able to read on where the log has grown. It takes no lock
// and writes nothing. Not thread-safe.
class KvFollower {
 public:
  virtual ~KvFollower() = default;
  // Reads what was found last. REQUIRES: gone, its iterators too, when catch_up() is called.
  [[nodiscard]] virtual std::shared_ptr<const KvReader> reader() const = 0;
  // Reads on in the log. false: the writer has changed more than the log, before or meanwhile; this follower is then of
  // no more use, and another is to be opened. Errors: as that, and why.
  [[nodiscard]] virtual Result<bool> catch_up() = 0;
};
// nullptr: the writer changed files meanwhile; try again. Errors: kCorruption, kIo, kDenied.
[[nodiscard]] Result<std::unique_ptr<KvFollower>> open_follower(const std::string& path, const KvOptions& options);

}  // namespace demarche::impl

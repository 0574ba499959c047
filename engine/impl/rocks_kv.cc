// RocksDB behind the wall of kv.h.
//
// Debian's RocksDB is built with its asserts on: an iterator or snapshot that outlives the database aborts the process.
// So everything that reads holds a shared pointer to the open database, and declares it first, so that it goes last.

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/write_batch_with_index.h>

#include "engine/impl/kv.h"
#include "engine/impl/rocks_status.h"

namespace demarche::impl {

namespace {

constexpr std::size_t kProtectionBytesPerKey = 8;
// A writer that leaves more than this in the write-ahead log flushes it on closing, so that the next reader need not
// replay it.
constexpr std::size_t kFlushAtCloseBytes = std::size_t{4} << 20;

// An empty view may have no address, which RocksDB refuses by an assertion.
rocksdb::Slice slice(std::string_view s) { return s.empty() ? rocksdb::Slice() : rocksdb::Slice(s.data(), s.size()); }
std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

// The open database and its column families.
struct Database {
  std::array<rocksdb::ColumnFamilyHandle*, kFamilyCount> families{};
  std::unique_ptr<rocksdb::DB> db;
  std::atomic<std::size_t> written_bytes = 0;
  bool read_only = false;

  ~Database() {
    if (!db) return;
    if (!read_only && written_bytes > kFlushAtCloseBytes) {
      rocksdb::FlushOptions options;
      // Nothing is lost if this fails: the log still has everything.
      (void)db->Flush(options, {families.begin(), families.end()});
    }
    for (rocksdb::ColumnFamilyHandle* family : families) {
      if (family != nullptr) (void)db->DestroyColumnFamilyHandle(family);
    }
    (void)db->Close();
  }

  [[nodiscard]] rocksdb::ColumnFamilyHandle* family(Family f) const { return families[static_cast<std::size_t>(f)]; }
};

class RocksIterator final : public KvIterator {
 public:
  RocksIterator(std::shared_ptr<const void> keep_alive, std::unique_ptr<rocksdb::Iterator> it, Family family)
      : keep_alive_(std::move(keep_alive)), it_(std::move(it)), family_(family) {}

  void seek(std::string_view key) override { it_->Seek(slice(key)); }
  void seek_for_prev(std::string_view key) override { it_->SeekForPrev(slice(key)); }
  void seek_to_last() override { it_->SeekToLast(); }
  void next() override { it_->Next(); }
  [[nodiscard]] bool valid() const override { return it_->Valid(); }
  [[nodiscard]] std::string_view key() const override { return view(it_->key()); }
  [[nodiscard]] std::string_view value() const override { return view(it_->value()); }
  [[nodiscard]] Result<void> status() const override {
    const rocksdb::Status status = it_->status();
    if (status.ok()) return {};
    return tl::unexpected(to_error(status, fmt::format("read {}", family_name(family_))));
  }

 private:
  std::shared_ptr<const void> keep_alive_;  // the snapshot or batch, which own the database
  std::unique_ptr<rocksdb::Iterator> it_;
  Family family_;
};

class RocksSnapshot final : public KvReader, public std::enable_shared_from_this<RocksSnapshot> {
 public:
  explicit RocksSnapshot(std::shared_ptr<const Database> database)
      : database_(std::move(database)), snapshot_(database_->db->GetSnapshot()) {}
  ~RocksSnapshot() override { database_->db->ReleaseSnapshot(snapshot_); }
  RocksSnapshot(const RocksSnapshot&) = delete;
  RocksSnapshot& operator=(const RocksSnapshot&) = delete;

  [[nodiscard]] Result<std::optional<std::string>> get(Family family, std::string_view key) const override {
    std::string value;
    const rocksdb::Status status = database_->db->Get(options(), database_->family(family), slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return tl::unexpected(to_error(status, fmt::format("read {}", family_name(family))));
    return value;
  }

  [[nodiscard]] std::unique_ptr<KvIterator> iterate(Family family) const override {
    std::unique_ptr<rocksdb::Iterator> it(database_->db->NewIterator(options(), database_->family(family)));
    return std::make_unique<RocksIterator>(shared_from_this(), std::move(it), family);
  }

  [[nodiscard]] rocksdb::ReadOptions options() const {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    return options;
  }
  [[nodiscard]] const Database& database() const { return *database_; }

 private:
  std::shared_ptr<const Database> database_;
  const rocksdb::Snapshot* snapshot_;
};

class RocksBatch final : public KvBatch, public std::enable_shared_from_this<RocksBatch> {
 public:
  explicit RocksBatch(std::shared_ptr<const RocksSnapshot> base)
      : base_(std::move(base)),
        batch_(rocksdb::BytewiseComparator(), /*reserved_bytes=*/0, /*overwrite_key=*/true, /*max_bytes=*/0,
               kProtectionBytesPerKey) {}

  [[nodiscard]] Result<std::optional<std::string>> get(Family family, std::string_view key) const override {
    std::string value;
    const Database& database = base_->database();
    const rocksdb::Status status =
        batch_.GetFromBatchAndDB(database.db.get(), base_->options(), database.family(family), slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return tl::unexpected(to_error(status, fmt::format("read {}", family_name(family))));
    return value;
  }

  [[nodiscard]] std::unique_ptr<KvIterator> iterate(Family family) const override {
    const Database& database = base_->database();
    rocksdb::Iterator* base = database.db->NewIterator(base_->options(), database.family(family));
    std::unique_ptr<rocksdb::Iterator> it(batch_.NewIteratorWithBase(database.family(family), base));
    return std::make_unique<RocksIterator>(shared_from_this(), std::move(it), family);
  }

  void put(Family family, std::string_view key, std::string_view value) override {
    const rocksdb::Status status = batch_.Put(base_->database().family(family), slice(key), slice(value));
    if (!status.ok() && failed_.ok()) failed_ = status;
  }

  void remove(Family family, std::string_view key) override {
    const rocksdb::Status status = batch_.Delete(base_->database().family(family), slice(key));
    if (!status.ok() && failed_.ok()) failed_ = status;
  }

  [[nodiscard]] std::size_t size_bytes() const override { return batch_.GetWriteBatch()->GetDataSize(); }
  [[nodiscard]] const rocksdb::Status& failed() const { return failed_; }
  [[nodiscard]] rocksdb::WriteBatch* write_batch() { return batch_.GetWriteBatch(); }

 private:
  std::shared_ptr<const RocksSnapshot> base_;
  mutable rocksdb::WriteBatchWithIndex batch_;  // its reads are not const in 7.8
  rocksdb::Status failed_;
};

class RocksWrites final : public KvWrites {
 public:
  explicit RocksWrites(std::shared_ptr<const Database> database)
      : database_(std::move(database)), batch_(/*reserved_bytes=*/0, /*max_bytes=*/0, kProtectionBytesPerKey, 0) {}

  void put(Family family, std::string_view key, std::string_view value) override {
    const rocksdb::Status status = batch_.Put(database_->family(family), slice(key), slice(value));
    if (!status.ok() && failed_.ok()) failed_ = status;
  }
  void remove(Family family, std::string_view key) override {
    const rocksdb::Status status = batch_.Delete(database_->family(family), slice(key));
    if (!status.ok() && failed_.ok()) failed_ = status;
  }
  [[nodiscard]] std::size_t size_bytes() const override { return batch_.GetDataSize(); }
  [[nodiscard]] const rocksdb::Status& failed() const { return failed_; }
  [[nodiscard]] rocksdb::WriteBatch* write_batch() { return &batch_; }

 private:
  std::shared_ptr<const Database> database_;
  rocksdb::WriteBatch batch_;
  rocksdb::Status failed_;
};

class RocksStore final : public KvStore {
 public:
  explicit RocksStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  [[nodiscard]] std::shared_ptr<const KvReader> snapshot() const override {
    return std::make_shared<RocksSnapshot>(database_);
  }
  [[nodiscard]] std::shared_ptr<KvBatch> make_batch(std::shared_ptr<const KvReader> base) const override {
    // Only snapshot() above makes readers of this store.
    return std::make_shared<RocksBatch>(std::static_pointer_cast<const RocksSnapshot>(std::move(base)));
  }
  [[nodiscard]] std::unique_ptr<KvWrites> make_writes() const override {
    return std::make_unique<RocksWrites>(database_);
  }

  [[nodiscard]] Result<void> write(KvBatch& batch, bool sync) override {
    auto& rocks = static_cast<RocksBatch&>(batch);  // made by make_batch() above, the only maker
    return write(rocks.failed(), rocks.write_batch(), sync);
  }
  [[nodiscard]] Result<void> write(KvWrites& writes, bool sync) override {
    auto& rocks = static_cast<RocksWrites&>(writes);
    return write(rocks.failed(), rocks.write_batch(), sync);
  }

 private:
  [[nodiscard]] Result<void> write(const rocksdb::Status& collected, rocksdb::WriteBatch* batch, bool sync) {
    if (!collected.ok()) return tl::unexpected(to_error(collected, "collect a commit"));
    rocksdb::WriteOptions options;
    options.sync = sync;
    const std::size_t size = batch->GetDataSize();
    const rocksdb::Status status = database_->db->Write(options, batch);
    if (!status.ok()) {
      Error error = to_error(status, "write a commit");
      error.code = ErrorCode::kOutcomeUnknown;
      error.message += "; whether it was kept is known only after the store is opened again";
      return tl::unexpected(std::move(error));
    }
    database_->written_bytes += size;
    return {};
  }

  std::shared_ptr<Database> database_;
};

rocksdb::DBOptions database_options(const KvOptions& options) {
  rocksdb::DBOptions out;
  out.create_if_missing = options.create;
  out.create_missing_column_families = options.create;
  out.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  out.keep_log_file_num = 2;
  out.max_open_files = -1;
  out.track_and_verify_wals_in_manifest = true;
  out.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  return out;
}

rocksdb::ColumnFamilyOptions family_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = 16 << 10;
  table.format_version = 5;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  rocksdb::ColumnFamilyOptions out;
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  out.compression = rocksdb::kLZ4Compression;
  out.paranoid_file_checks = true;
  out.memtable_protection_bytes_per_key = kProtectionBytesPerKey;
  return out;
}

}  // namespace

Result<std::shared_ptr<KvStore>> open_rocks(const std::string& path, const KvOptions& options) {
  const auto cache = rocksdb::NewLRUCache(options.cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    descriptors.emplace_back(family_name(static_cast<Family>(i)), family_options(cache));
  }
  auto database = std::make_shared<Database>();
  database->read_only = options.read_only;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      options.read_only ? rocksdb::DB::OpenForReadOnly(database_options(options), path, descriptors, &handles, &db)
                        : rocksdb::DB::Open(database_options(options), path, descriptors, &handles, &db);
  if (!status.ok()) return tl::unexpected(to_error(status, fmt::format("open '{}'", path)));
  database->db.reset(db);
  std::copy(handles.begin(), handles.end(), database->families.begin());
  return std::make_shared<RocksStore>(std::move(database));
}

}  // namespace demarche::impl

// RocksDB behind the wall of kv.h.
//
// Debian's RocksDB is built with its asserts on: an iterator or snapshot that outlives the database aborts the process.
// So everything that reads holds a shared pointer to the open database, and declares it first, so that it goes last.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdarg>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/write_batch_with_index.h>

#include "engine/impl/kv.h"
#include "engine/impl/rocks_backup.h"
#include "engine/impl/rocks_env.h"
#include "engine/impl/rocks_status.h"

namespace demarche::impl {

struct KvCache {
  std::shared_ptr<rocksdb::Cache> blocks;
};

namespace {

constexpr std::size_t kProtectionBytesPerKey = 8;
// A writer that leaves more than this in the write-ahead log flushes it on closing, so that the next reader need not
// replay it.
constexpr std::size_t kFlushAtCloseBytes = std::size_t{4} << 20;

// RocksDB compares no null pointers, not even of no bytes.
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
    const bool whole = std::find(families.begin(), families.end(), nullptr) == families.end();
    if (!read_only && whole && written_bytes > kFlushAtCloseBytes) {
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
  [[nodiscard]] std::uint64_t file_bytes(Family f) const {
    std::uint64_t bytes = 0;
    return db->GetIntProperty(family(f), rocksdb::DB::Properties::kLiveSstFilesSize, &bytes) ? bytes : 0;
  }
};

class RocksIterator final : public KvIterator {
 public:
  RocksIterator(std::shared_ptr<const void> keep_alive, std::unique_ptr<rocksdb::Iterator> it, Family family)
      : keep_alive_(std::move(keep_alive)), it_(std::move(it)), family_(family) {}

  void seek(std::string_view key) override { it_->Seek(slice(key)); }
  void seek_for_prev(std::string_view key) override { it_->SeekForPrev(slice(key)); }
  void seek_to_last() override { it_->SeekToLast(); }
  void next() override { it_->Next(); }
  void prev() override { it_->Prev(); }
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
  [[nodiscard]] std::uint64_t file_bytes(Family family) const override { return database_->file_bytes(family); }

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

  void for_each(Family family,
                const std::function<void(std::string_view, std::optional<std::string_view>)>& call) const override {
    const std::unique_ptr<rocksdb::WBWIIterator> it(batch_.NewIterator(base_->database().family(family)));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      const rocksdb::WriteEntry entry = it->Entry();
      if (entry.type == rocksdb::kPutRecord) {
        call(view(entry.key), view(entry.value));
      } else {
        call(view(entry.key), std::nullopt);
      }
    }
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

class RocksTables final : public KvTables {
 public:
  RocksTables(std::shared_ptr<const Database> database, std::string folder)
      : database_(std::move(database)), folder_(std::move(folder)) {}
  ~RocksTables() override {
    for (const auto& writer : writers_) {
      if (writer) (void)database_->db->GetEnv()->DeleteFile(writer->path);  // gone already if it was taken in
    }
  }
  RocksTables(const RocksTables&) = delete;
  RocksTables& operator=(const RocksTables&) = delete;

  void put(Family family, std::string_view key, std::string_view value) override {
    note(writer_of(family).Put(slice(key), slice(value)));
    size_bytes_ += key.size() + value.size();
  }
  void remove(Family family, std::string_view key) override { note(writer_of(family).Delete(slice(key))); }
  [[nodiscard]] std::uint64_t size_bytes() const override { return size_bytes_; }

  // The files, ready to be taken in. Errors: kIo.
  [[nodiscard]] Result<std::vector<rocksdb::IngestExternalFileArg>> finish() {
    std::vector<rocksdb::IngestExternalFileArg> out;
    for (std::size_t i = 0; i < kFamilyCount; ++i) {
      if (!writers_[i]) continue;
      note(writers_[i]->writer.Finish());
      rocksdb::IngestExternalFileArg arg;
      arg.column_family = database_->families[i];
      arg.external_files = {writers_[i]->path};
      arg.options.move_files = true;
      arg.options.write_global_seqno = false;
      out.push_back(std::move(arg));
    }
    if (!failed_.ok()) return tl::unexpected(to_error(failed_, "write sorted files"));
    return out;
  }

 private:
  struct Writer {
    Writer(const rocksdb::Options& options, rocksdb::ColumnFamilyHandle* family, std::string file)
        : writer(rocksdb::EnvOptions(), options, family), path(std::move(file)) {}
    rocksdb::SstFileWriter writer;
    std::string path;
  };

  void note(const rocksdb::Status& status) {
    if (!status.ok() && failed_.ok()) failed_ = status;
  }
  rocksdb::SstFileWriter& writer_of(Family family) {
    auto& writer = writers_[static_cast<std::size_t>(family)];
    if (!writer) {
      rocksdb::ColumnFamilyHandle* handle = database_->family(family);
      writer = std::make_unique<Writer>(database_->db->GetOptions(handle), handle,
                                        fmt::format("{}/{}.sst", folder_, family_name(family)));
      note(writer->writer.Open(writer->path));
    }
    return writer->writer;
  }

  std::shared_ptr<const Database> database_;
  std::string folder_;
  std::array<std::unique_ptr<Writer>, kFamilyCount> writers_;
  rocksdb::Status failed_;
  std::uint64_t size_bytes_ = 0;
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

  [[nodiscard]] Result<std::unique_ptr<KvTables>> make_tables(const std::string& folder) const override {
    return std::make_unique<RocksTables>(database_, folder);
  }

  [[nodiscard]] Result<void> ingest(KvTables& tables) override {
    DEMARCHE_TRY(const auto files, static_cast<RocksTables&>(tables).finish());
    // Files that overlap what is in memory are read wrongly by RocksDB before 7.10, so nothing is left there.
    rocksdb::FlushOptions flush;
    rocksdb::Status status = database_->db->Flush(flush, {database_->families.begin(), database_->families.end()});
    if (!status.ok()) return tl::unexpected(to_error(status, "flush before taking in sorted files"));
    status = database_->db->IngestExternalFiles(files);
    if (status.ok()) return {};
    Error error = to_error(status, "take in sorted files");
    error.code = ErrorCode::kOutcomeUnknown;
    error.message += "; whether the commit was kept is known only after the store is opened again";
    return tl::unexpected(std::move(error));
  }

  [[nodiscard]] Result<void> verify_files() const override {
    const rocksdb::Status status = database_->db->VerifyFileChecksums(rocksdb::ReadOptions());
    if (status.ok()) return {};
    return tl::unexpected(to_error(status, "verify the database's files"));
  }

  [[nodiscard]] Result<void> renew(std::span<const Family> families) override {
    for (const Family family : families) {
      rocksdb::ColumnFamilyHandle*& handle = database_->families[static_cast<std::size_t>(family)];
      rocksdb::ColumnFamilyDescriptor descriptor;
      rocksdb::Status status = handle->GetDescriptor(&descriptor);
      if (status.ok()) status = database_->db->DropColumnFamily(handle);
      if (status.ok()) status = database_->db->DestroyColumnFamilyHandle(std::exchange(handle, nullptr));
      if (status.ok()) status = database_->db->CreateColumnFamily(descriptor.options, descriptor.name, &handle);
      if (!status.ok()) return tl::unexpected(to_error(status, fmt::format("make {} anew", family_name(family))));
    }
    return {};
  }

  [[nodiscard]] Result<std::uint32_t> back_up(const std::string& folder) const override {
    return create_rocks_backup(*database_->db, folder);
  }

 private:
  [[nodiscard]] Result<void> write(const rocksdb::Status& collected, rocksdb::WriteBatch* batch, bool sync) {
    if (!collected.ok()) return tl::unexpected(to_error(collected, "collect a commit"));
    rocksdb::WriteOptions options;
    options.sync = sync;
    const std::size_t size = batch->GetDataSize();
    const auto& write_hook = rocks_hooks().write;
    const rocksdb::Status status =
        write_hook ? write_hook(*database_->db, options, batch) : database_->db->Write(options, batch);
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

// RocksDB 7.8 tries to mend itself after a full disk, and closing it while it does may wait for ever. After a failed
// write the store is opened anew in any case (KvStore::write), so it need not.
class NoRecovery final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

// What a secondary instance shows. Such an instance has no snapshots: it is itself the fixed state, until it catches
// up.
class FollowerReader final : public KvReader, public std::enable_shared_from_this<FollowerReader> {
 public:
  explicit FollowerReader(std::shared_ptr<const Database> database) : database_(std::move(database)) {}

  [[nodiscard]] Result<std::optional<std::string>> get(Family family, std::string_view key) const override {
    std::string value;
    const rocksdb::Status status = database_->db->Get({}, database_->family(family), slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return tl::unexpected(to_error(status, fmt::format("read {}", family_name(family))));
    return value;
  }
  [[nodiscard]] std::unique_ptr<KvIterator> iterate(Family family) const override {
    std::unique_ptr<rocksdb::Iterator> it(database_->db->NewIterator({}, database_->family(family)));
    return std::make_unique<RocksIterator>(shared_from_this(), std::move(it), family);
  }
  [[nodiscard]] std::uint64_t file_bytes(Family family) const override { return database_->file_bytes(family); }

 private:
  std::shared_ptr<const Database> database_;
};

// RocksDB's secondary instance, used only for what it does right in 7.8: reading on in the log. Once the manifest has
// changed, its memory may still hold what a compaction has since removed without a trace, and a log that is gone before
// it was read goes unnoticed; so an instance ends with the manifest it was opened with.
class RocksFollower final : public KvFollower {
 public:
  RocksFollower(std::string path, KvPosition opened_at, std::shared_ptr<Database> database)
      : path_(std::move(path)), files_(std::move(opened_at)), database_(std::move(database)) {}

  [[nodiscard]] std::shared_ptr<const KvReader> reader() const override {
    return std::make_shared<FollowerReader>(database_);
  }
  [[nodiscard]] Result<bool> catch_up() override {
    const KvPosition before = read_position(path_);
    if (before.manifest != files_.manifest || before.manifest_bytes != files_.manifest_bytes) return false;
    const rocksdb::Status status = database_->db->TryCatchUpWithPrimary();
    if (!read_position(path_).same_files(before)) return false;
    if (!status.ok()) return tl::unexpected(to_error(status, "read on in the log"));
    return true;
  }

 private:
  std::string path_;
  KvPosition files_;
  std::shared_ptr<Database> database_;
};

// Secondary instances insist on a log of their own; nobody would read it, and a reader leaves no trace.
class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

rocksdb::DBOptions database_options(const KvOptions& options, std::shared_ptr<rocksdb::Logger> log = nullptr) {
  rocksdb::DBOptions out;
  out.info_log = std::move(log);
  out.create_if_missing = options.create;
  out.create_missing_column_families = options.create || options.create_missing_families;
  out.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  out.keep_log_file_num = 2;
  out.max_open_files = -1;
  out.track_and_verify_wals_in_manifest = true;
  out.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  out.listeners.push_back(std::make_shared<NoRecovery>());
  if (rocks_hooks().database) rocks_hooks().database(out);
  return out;
}

// Row blocks and pages are packed to the bit already.
bool is_packed(Family family) {
  return family == Family::kContact || family == Family::kTimeline || family == Family::kPlain ||
         family == Family::kCommitRows;
}

rocksdb::ColumnFamilyOptions family_options(Family family, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  // The timeline is read in stretches: fewer, longer blocks of the database, since going from one to the next costs
  // more than going on within one.
  table.block_size = family == Family::kTimeline ? 64 << 10 : 16 << 10;
  table.format_version = 5;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  rocksdb::ColumnFamilyOptions out;
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  out.compression = is_packed(family) ? rocksdb::kNoCompression : rocksdb::kLZ4Compression;
  out.paranoid_file_checks = true;
  out.memtable_protection_bytes_per_key = kProtectionBytesPerKey;
  if (rocks_hooks().family) rocks_hooks().family(out);
  return out;
}

std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(const KvOptions& options) {
  const auto cache = options.cache ? options.cache->blocks : rocksdb::NewLRUCache(options.cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> out;
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    const auto family = static_cast<Family>(i);
    out.emplace_back(family_name(family), family_options(family, cache));
  }
  return out;
}

std::shared_ptr<Database> make_database(rocksdb::DB* db, const std::vector<rocksdb::ColumnFamilyHandle*>& handles,
                                        bool read_only) {
  auto out = std::make_shared<Database>();
  out->read_only = read_only;
  out->db.reset(db);
  std::copy(handles.begin(), handles.end(), out->families.begin());
  return out;
}

// RocksDB 7.8 takes a table file below the first level whose first block cannot be read for an empty one: iterators
// pass over it without an error, and a compaction would drop what it holds (mended in 8.7). So the beginning of each
// file is read before anything is asked of it; also of those of the first level, which may be moved down unread.
// Cost: one block a file.
Result<void> check_beginnings(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& handles) {
  std::vector<rocksdb::LiveFileMetaData> files;
  db.GetLiveFilesMetaData(&files);
  for (const rocksdb::LiveFileMetaData& file : files) {
    const auto handle = std::find_if(handles.begin(), handles.end(), [&file](rocksdb::ColumnFamilyHandle* family) {
      return family->GetName() == file.column_family_name;
    });
    if (handle == handles.end()) continue;
    const std::string path = file.db_path + file.name;
    rocksdb::SstFileReader reader(db.GetOptions(*handle));
    rocksdb::Status status = reader.Open(path);
    if (status.ok()) {
      rocksdb::ReadOptions options;
      options.fill_cache = false;
      const std::unique_ptr<rocksdb::Iterator> it(reader.NewIterator(options));
      it->SeekToFirst();
      status = it->status();
    }
    // A file that is gone by now was compacted away by its writer; what is open stays readable.
    if (status.ok() || status.IsPathNotFound() || status.IsNotFound()) continue;
    if (status.IsIOError() && !db.GetEnv()->FileExists(path).ok()) continue;
    return tl::unexpected(to_error(status, fmt::format("read the beginning of '{}'", path)));
  }
  return {};
}

}  // namespace

RocksHooks& rocks_hooks() {
  static RocksHooks hooks;
  return hooks;
}

std::shared_ptr<KvCache> make_kv_cache(std::size_t bytes) {
  return std::make_shared<KvCache>(KvCache{rocksdb::NewLRUCache(bytes)});
}

Result<std::shared_ptr<KvStore>> open_rocks(const std::string& path, const KvOptions& options) {
  const auto descriptors = family_descriptors(options);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      options.read_only ? rocksdb::DB::OpenForReadOnly(database_options(options), path, descriptors, &handles, &db)
                        : rocksdb::DB::Open(database_options(options), path, descriptors, &handles, &db);
  if (status.IsInvalidArgument() && status.ToString().find("Column family not found") != std::string::npos) {
    return make_error(ErrorCode::kCorruption,
                      fmt::format("a repair of the index was interrupted, or families of the database are gone ({}); "
                                  "finish it with: demarche check STORE --repair",
                                  status.ToString()));
  }
  if (!status.ok()) return tl::unexpected(to_error(status, fmt::format("open '{}'", path)));
  auto database = make_database(db, handles, options.read_only);
  if (options.read_only && !options.trust_files) DEMARCHE_CHECK(check_beginnings(*db, handles));
  return std::make_shared<RocksStore>(std::move(database));
}

Result<std::unique_ptr<KvFollower>> open_follower(const std::string& path, const KvOptions& options) {
  const auto descriptors = family_descriptors(options);
  rocksdb::DBOptions database = database_options(options, std::make_shared<NoLog>());
  database.max_file_opening_threads = 1;  // else 16 are started for each family whenever it catches up: 20 ms
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const KvPosition before = read_position(path);
  const rocksdb::Status status =
      rocksdb::DB::OpenAsSecondary(database, path, /*secondary_path=*/path, descriptors, &handles, &db);
  if (!status.ok()) {
    if (!read_position(path).same_files(before)) return nullptr;
    return tl::unexpected(to_error(status, fmt::format("open '{}'", path)));
  }
  auto out = std::make_unique<RocksFollower>(path, before, make_database(db, handles, /*read_only=*/true));
  DEMARCHE_TRY(const bool whole, out->catch_up());
  if (!whole) return nullptr;
  return out;
}

}  // namespace demarche::impl

#include "tests/crash/rocks_sim_fs.h"

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>
#include <rocksdb/write_batch.h>

#include "engine/impl/rocks_env.h"
#include "tests/crash/sim_disk.h"

namespace demarche::tests {

namespace {

using rocksdb::FileOptions;
using rocksdb::FSDirectory;
using rocksdb::FSRandomRWFile;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;
using DiskPtr = std::shared_ptr<SimDisk>;

IOStatus to_status(int error, const std::string& path) {
  if (error == 0) return IOStatus::OK();
  if (error == ENOSPC) return IOStatus::NoSpace(path, std::strerror(error));
  if (error == ENOENT) return IOStatus::PathNotFound(path, std::strerror(error));
  return IOStatus::IOError(path, std::strerror(error));
}

// Has the disk do `change` with an act that keeps the real status, which says more than an errno.
template <typename Change, typename Real>
IOStatus on_disk(const std::string& path, const Change& change, const Real& real) {
  IOStatus status;
  bool acted = false;
  const int error = change([&] {
    acted = true;
    status = real();
    return status.ok() ? 0 : EIO;
  });
  return acted ? status : to_status(error, path);
}

// "x/" and "x//y" as "x" and "x/y".
std::string plain(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' || out.empty() || out.back() != '/') out += c;
  }
  if (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

class SimWritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  SimWritableFile(std::unique_ptr<FSWritableFile> file, DiskPtr disk, std::string path)
      : FSWritableFileOwnerWrapper(std::move(file)), disk_(std::move(disk)), path_(std::move(path)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* dbg) override {
    return append([&] { return target()->Append(data, options, dbg); });
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& info,
                  IODebugContext* dbg) override {
    return append([&] { return target()->Append(data, options, info, dbg); });
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions& options,
                            IODebugContext* dbg) override {
    return append([&] { return target()->PositionedAppend(data, offset, options, dbg); });
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* dbg) override {
    return on_disk(
        path_, [&](const auto& act) { return disk_->truncate(path_, size, act); },
        [&] { return target()->Truncate(size, options, dbg); });
  }
  // The real files are not synced: that the disk under them keeps what it has is not in question here.
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return sync(); }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return sync(); }
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }

 private:
  template <typename Real>
  IOStatus append(const Real& real) {
    return on_disk(
        path_, [&](const auto& act) { return disk_->append(path_, act); }, real);
  }
  IOStatus sync() {
    return to_status(disk_->sync(path_, [] { return 0; }), path_);
  }

  DiskPtr disk_;
  std::string path_;
};

class SimRandomRWFile final : public rocksdb::FSRandomRWFileWrapper {
 public:
  SimRandomRWFile(std::unique_ptr<FSRandomRWFile> file, DiskPtr disk, std::string path)
      : FSRandomRWFileWrapper(file.get()), file_(std::move(file)), disk_(std::move(disk)), path_(std::move(path)) {}

  IOStatus Write(std::uint64_t offset, const Slice& data, const IOOptions& options, IODebugContext* dbg) override {
    return on_disk(
        path_, [&](const auto& act) { return disk_->overwrite(path_, act); },
        [&] { return target()->Write(offset, data, options, dbg); });
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return sync(); }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return sync(); }

 private:
  IOStatus sync() {
    return to_status(disk_->sync(path_, [] { return 0; }), path_);
  }

  std::unique_ptr<FSRandomRWFile> file_;
  DiskPtr disk_;
  std::string path_;
};

class SimDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  SimDirectory(std::unique_ptr<FSDirectory> folder, DiskPtr disk, std::string path)
      : FSDirectoryWrapper(std::move(folder)), disk_(std::move(disk)), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return sync(); }
  IOStatus FsyncWithDirOptions(const IOOptions&, IODebugContext*, const rocksdb::DirFsyncOptions&) override {
    return sync();
  }

 private:
  IOStatus sync() {
    return to_status(disk_->sync(path_, [] { return 0; }), path_);
  }

  DiskPtr disk_;
  std::string path_;
};

class NoDiary final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

class SimFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  SimFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "SimFileSystem"; }

  IOStatus NewWritableFile(const std::string& f, const FileOptions& options, std::unique_ptr<FSWritableFile>* r,
                           IODebugContext* dbg) override {
    return writable(f, r, true, [&] { return target()->NewWritableFile(f, options, r, dbg); });
  }
  IOStatus ReopenWritableFile(const std::string& f, const FileOptions& options, std::unique_ptr<FSWritableFile>* r,
                              IODebugContext* dbg) override {
    return writable(f, r, false, [&] { return target()->ReopenWritableFile(f, options, r, dbg); });
  }
  IOStatus ReuseWritableFile(const std::string& f, const std::string& old, const FileOptions& options,
                             std::unique_ptr<FSWritableFile>* r, IODebugContext* dbg) override {
    if (SimDisk::find(f)) return IOStatus::NotSupported("the store does not recycle logs");
    return target()->ReuseWritableFile(f, old, options, r, dbg);
  }
  IOStatus NewRandomRWFile(const std::string& f, const FileOptions& options, std::unique_ptr<FSRandomRWFile>* r,
                           IODebugContext* dbg) override {
    const std::string path = plain(f);
    IOStatus status = target()->NewRandomRWFile(f, options, r, dbg);
    if (const DiskPtr disk = SimDisk::find(path); disk && status.ok()) {
      *r = std::make_unique<SimRandomRWFile>(std::move(*r), disk, path);
    }
    return status;
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions& options, std::unique_ptr<FSDirectory>* r,
                        IODebugContext* dbg) override {
    const std::string path = plain(name);
    IOStatus status = target()->NewDirectory(name, options, r, dbg);
    if (const DiskPtr disk = SimDisk::find(path); disk && status.ok()) {
      *r = std::make_unique<SimDirectory>(std::move(*r), disk, path);
    }
    return status;
  }
  IOStatus DeleteFile(const std::string& f, const IOOptions& options, IODebugContext* dbg) override {
    return change(
        f, [](SimDisk& disk, const std::string& path, const auto& act) { return disk.remove(path, act); },
        [&] { return target()->DeleteFile(f, options, dbg); });
  }
  IOStatus Truncate(const std::string& f, std::size_t size, const IOOptions& options, IODebugContext* dbg) override {
    return change(
        f, [&](SimDisk& disk, const std::string& path, const auto& act) { return disk.truncate(path, size, act); },
        [&] { return target()->Truncate(f, size, options, dbg); });
  }
  IOStatus CreateDir(const std::string& d, const IOOptions& options, IODebugContext* dbg) override {
    return change(
        d, [](SimDisk& disk, const std::string& path, const auto& act) { return disk.make_folder(path, act); },
        [&] { return target()->CreateDir(d, options, dbg); });
  }
  IOStatus CreateDirIfMissing(const std::string& d, const IOOptions& options, IODebugContext* dbg) override {
    if (target()->FileExists(d, options, dbg).ok()) return IOStatus::OK();
    return CreateDir(d, options, dbg);
  }
  IOStatus DeleteDir(const std::string& d, const IOOptions& options, IODebugContext* dbg) override {
    return change(
        d, [](SimDisk& disk, const std::string& path, const auto& act) { return disk.remove(path, act); },
        [&] { return target()->DeleteDir(d, options, dbg); });
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* dbg) override {
    return change(
        from,
        [&](SimDisk& disk, const std::string& path, const auto& act) { return disk.rename(path, plain(to), act); },
        [&] { return target()->RenameFile(from, to, options, dbg); });
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* dbg) override {
    return change(
        from, [&](SimDisk& disk, const std::string& path, const auto& act) { return disk.link(path, plain(to), act); },
        [&] { return target()->LinkFile(from, to, options, dbg); });
  }
  // RocksDB's own diary is not data, and would only add changes to the count.
  IOStatus NewLogger(const std::string& f, const IOOptions& options, std::shared_ptr<rocksdb::Logger>* r,
                     IODebugContext* dbg) override {
    if (!SimDisk::find(plain(f))) return target()->NewLogger(f, options, r, dbg);
    *r = std::make_shared<NoDiary>();
    return IOStatus::OK();
  }

 private:
  template <typename Change, typename Real>
  static IOStatus change(const std::string& f, const Change& made, const Real& real) {
    const std::string path = plain(f);
    const DiskPtr disk = SimDisk::find(path);
    if (!disk) return real();
    return on_disk(
        path, [&](const auto& act) { return made(*disk, path, act); }, real);
  }
  template <typename Real>
  static IOStatus writable(const std::string& f, std::unique_ptr<FSWritableFile>* r, bool anew, const Real& real) {
    const std::string path = plain(f);
    const DiskPtr disk = SimDisk::find(path);
    if (!disk) return real();
    IOStatus status = on_disk(
        path, [&](const auto& act) { return disk->create(path, anew, act); }, real);
    if (status.ok()) *r = std::make_unique<SimWritableFile>(std::move(*r), disk, path);
    return status;
  }
};

// RocksDB sleeps for a second after an error in the background, so as not to hammer a disk; this disk is not hurt by
// it.
class ImpatientClock final : public rocksdb::SystemClockWrapper {
 public:
  ImpatientClock() : SystemClockWrapper(rocksdb::SystemClock::Default()) {}
  const char* Name() const override { return "ImpatientClock"; }
  void SleepForMicroseconds(int micros) override { target_->SleepForMicroseconds(micros > 1000 ? 1000 : micros); }
};

class SimEnv final : public rocksdb::EnvWrapper {
 public:
  SimEnv() : SimEnv(std::make_shared<SimFileSystem>()) {}

 private:
  // The wrapped one is for the calls that RocksDB still makes through Env itself.
  explicit SimEnv(const std::shared_ptr<rocksdb::FileSystem>& files) : EnvWrapper(rocksdb::NewCompositeEnv(files)) {
    file_system_ = files;
    system_clock_ = std::make_shared<ImpatientClock>();
  }
};

// Deals the entries of a batch out to two.
class Splitter final : public rocksdb::WriteBatch::Handler {
 public:
  explicit Splitter(int entries) : left_(entries / 2) {}
  rocksdb::Status PutCF(std::uint32_t family, const Slice& key, const Slice& value) override {
    rocksdb::WriteBatch& batch = left_-- > 0 ? first : second;
    return batch.Put(handle_of(family), key, value);
  }
  rocksdb::Status DeleteCF(std::uint32_t family, const Slice& key) override {
    rocksdb::WriteBatch& batch = left_-- > 0 ? first : second;
    return batch.Delete(handle_of(family), key);
  }
  rocksdb::WriteBatch first;
  rocksdb::WriteBatch second;

  // A batch needs no more of a family than its number.
  class Handle final : public rocksdb::ColumnFamilyHandle {
   public:
    explicit Handle(std::uint32_t id) : id_(id) {}
    const std::string& GetName() const override { return name_; }
    std::uint32_t GetID() const override { return id_; }
    rocksdb::Status GetDescriptor(rocksdb::ColumnFamilyDescriptor*) override { return rocksdb::Status::NotSupported(); }
    const rocksdb::Comparator* GetComparator() const override { return rocksdb::BytewiseComparator(); }

   private:
    std::uint32_t id_;
    std::string name_;
  };

 private:
  Handle* handle_of(std::uint32_t family) {
    handles_.push_back(std::make_unique<Handle>(family));
    return handles_.back().get();
  }
  int left_;
  std::vector<std::unique_ptr<Handle>> handles_;
};

rocksdb::Status write_split(rocksdb::DB& db, const rocksdb::WriteOptions& options, rocksdb::WriteBatch* batch) {
  Splitter split(static_cast<int>(batch->Count()));
  rocksdb::Status status = batch->Iterate(&split);
  if (status.ok()) status = db.Write(options, &split.first);
  if (status.ok()) status = db.Write(options, &split.second);
  return status;
}

rocksdb::Status write_without_log(rocksdb::DB& db, const rocksdb::WriteOptions& options, rocksdb::WriteBatch* batch) {
  rocksdb::WriteOptions without = options;
  without.sync = false;
  without.disableWAL = true;
  return db.Write(without, batch);
}

}  // namespace

void tune_rocks(const RocksTuning& tuning) {
  static SimEnv& env = *new SimEnv;  // never taken down: RocksDB's threads may outlive statics
  impl::RocksHooks& hooks = impl::rocks_hooks();
  hooks.database = [](rocksdb::DBOptions& options) { options.env = &env; };
  hooks.family = [bytes = tuning.write_buffer_bytes](rocksdb::ColumnFamilyOptions& options) {
    if (bytes != 0) options.write_buffer_size = bytes;
  };
  hooks.write = nullptr;
  if (tuning.mutant == WriteMutant::kLogOff) hooks.write = write_without_log;
  if (tuning.mutant == WriteMutant::kSplit) hooks.write = write_split;
}

}  // namespace demarche::tests

// The database of a store below its interface, for those who read its bytes as they are: check, repair and dump.
#pragma once

#include <memory>
#include <string>

#include "engine/impl/kv.h"
#include "engine/result.h"
#include "engine/types.h"

namespace demarche::impl {

// For writing: of a store that nobody has open for writing. Errors: kNotFound, kInvalidArgument (a foreign folder,
// another format), kConflict (open for writing), kCorruption (the database does not open), kDenied, kIo.
[[nodiscard]] Result<std::shared_ptr<KvStore>> open_raw(const std::string& path, const KvOptions& options);

// One moment of a store, whole, perhaps beside a writer in another process.
struct RawReading {
  std::shared_ptr<KvStore> kv;           // null if `follower` reads
  std::unique_ptr<KvFollower> follower;  // beside a busy writer
  std::shared_ptr<const KvReader> reader;
  CommitNumber mark;         // of the high-water mark, read before: no commit up to it may be missing
  Result<void> mark_status;  // why the mark could not be read
  bool beside_writer = false;
};
// Writes nothing and takes no lock. Errors: as open_raw(), but kOverloaded, try again, instead of kConflict: the writer
// makes and removes files faster than they can be opened.
[[nodiscard]] Result<RawReading> read_raw(const std::string& path, KvOptions options);

}  // namespace demarche::impl

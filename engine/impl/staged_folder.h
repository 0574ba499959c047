// A store that comes into being under another name, and gets its own by one rename when it is whole and on disk.
#pragma once

#include <string>

#include "engine/result.h"
#include "engine/types.h"

namespace demarche::impl {

class StagedFolder {
 public:
  // Makes TARGET + `suffix`; takes away what an interrupted one left there.
  // Errors: kInvalidArgument if something other than an empty folder stands at `target`; kDenied, kIo.
  [[nodiscard]] static Result<StagedFolder> make(const std::string& target, const std::string& suffix);
  // Without finish() everything is removed.
  ~StagedFolder();
  StagedFolder(StagedFolder&& other) noexcept;
  StagedFolder& operator=(StagedFolder&&) = delete;

  // Where to work: a folder that does not exist yet, or is empty, for the store itself.
  [[nodiscard]] const std::string& path() const { return store_; }
  // Brings everything to disk, and the store to `target`. Errors: kIo, kDenied.
  [[nodiscard]] Result<void> finish();

 private:
  StagedFolder(std::string target, std::string folder);
  std::string target_;
  std::string folder_;
  std::string store_;
};

}  // namespace demarche::impl

#include "engine/impl/rocks_status.h"

#include <fmt/format.h>

namespace demarche::impl {

Error to_error(const rocksdb::Status& status, std::string_view doing) {
  const std::string text = status.ToString();
  if (status.IsCorruption()) {
    return {ErrorCode::kCorruption, fmt::format("{}: {}; stop writing to this store and restore a copy", doing, text),
            nullptr};
  }
  if (status.IsBusy() || status.IsTryAgain())
    return {ErrorCode::kConflict, fmt::format("{}: {}", doing, text), nullptr};
  if (status.IsNoSpace()) {
    return {ErrorCode::kIo,
            fmt::format("{}: the disk is full ({}); free some space, then open the store again", doing, text), nullptr};
  }
  if (text.find("Permission denied") != std::string::npos || text.find("Read-only file system") != std::string::npos) {
    return {ErrorCode::kDenied, fmt::format("{}: no permission ({})", doing, text), nullptr};
  }
  return {ErrorCode::kIo, fmt::format("{}: {}", doing, text), nullptr};
}

}  // namespace demarche::impl

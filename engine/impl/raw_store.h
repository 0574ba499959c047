// The database of a store that nobody has open, for those who read its bytes as they are: check, repair and dump.
#pragma once

#include <memory>
#include <string>

#include <fmt/format.h>

#include "engine/impl/kv.h"
#include "engine/impl/store_folder.h"
#include "engine/result.h"

namespace demarche::impl {

// Errors: kNotFound, kInvalidArgument (a foreign folder, another format), kConflict (open for writing), kCorruption
// (the database does not open), kDenied, kIo.
[[nodiscard]] inline Result<std::shared_ptr<KvStore>> open_raw(const std::string& path, const KvOptions& options) {
  DEMARCHE_TRY(const FolderState state, inspect_folder(path));
  if (state != FolderState::kStore) {
    return make_error(ErrorCode::kNotFound, fmt::format("there is no store at '{}'", path));
  }
  const auto held = [&path]() -> std::optional<Error> {
    const auto holder = lock_holder(path);
    if (!holder) return std::nullopt;
    return Error{ErrorCode::kConflict,
                 fmt::format("'{}' is open for writing in {}; close it there, then try again", path, *holder), nullptr};
  };
  if (auto error = held()) return tl::unexpected(*std::move(error));
  auto kv = open_rocks(database_path(path), options);
  if (!kv) {
    if (auto error = held()) return tl::unexpected(*std::move(error));
    return tl::unexpected(std::move(kv).error().with_context(fmt::format("'{}'", path)));
  }
  return kv;
}

}  // namespace demarche::impl

// The one place where a rocksdb::Status becomes an Error.
#pragma once

#include <string_view>

#include <rocksdb/status.h>

#include "engine/result.h"

namespace demarche::impl {

// REQUIRES: !status.ok(). `doing` says what was tried: "read contact_by_actor_time".
[[nodiscard]] Error to_error(const rocksdb::Status& status, std::string_view doing);

}  // namespace demarche::impl

// What a sub-command is asked about: a folder of this machine, or a server.
#pragma once

#include <memory>
#include <string>

#include "engine/result.h"
#include "engine/store.h"
#include "proto/session.h"

namespace demarche::cli {

struct Opened {
  std::unique_ptr<Store> store;             // null: a server's
  std::unique_ptr<proto::Session> session;  // gone before the store
};

// A folder is opened for reading, unless it is to be written to; a server is asked as the token in DEMARCHE_TOKEN, or
// in the file that DEMARCHE_TOKEN_FILE names, allows. DEMARCHE_CA names a file of certificates to trust.
[[nodiscard]] Result<Opened> open_place(const std::string& place, bool to_write = false);

// For what only a folder can do. Errors: kInvalidArgument for a server's address.
[[nodiscard]] Result<void> refuse_server(const std::string& place, const std::string& what);

}  // namespace demarche::cli

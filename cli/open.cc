#include "cli/open.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "cli/common.h"

namespace demarche::cli {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string> token() {
  if (std::string given = variable("DEMARCHE_TOKEN"); !given.empty()) return given;
  const std::string path = variable("DEMARCHE_TOKEN_FILE");
  if (path.empty()) return std::string();
  std::ifstream in(path);
  if (!in) {
    return make_error(ErrorCode::kNotFound,
                      fmt::format("cannot read '{}' (DEMARCHE_TOKEN_FILE): {}", path, std::strerror(errno)));
  }
  std::string out(std::istreambuf_iterator<char>(in), {});
  while (!out.empty() && (out.back() == '\n' || out.back() == '\r' || out.back() == ' ')) out.pop_back();
  return out;
}

}  // namespace

Result<Opened> open_place(const std::string& place, bool to_write) {
  Opened out;
  if (proto::is_remote(place)) {
    proto::ConnectOptions options;
    DEMARCHE_ASSIGN(options.token, token());
    options.ca_file = variable("DEMARCHE_CA");
    options.cancel = InterruptGuard::flag();
    DEMARCHE_ASSIGN(out.session, proto::connect(place, options));
    return out;
  }
  if (to_write) {
    DEMARCHE_ASSIGN(out.store, Store::open(place));
  } else {
    DEMARCHE_ASSIGN(out.store, open_to_read(place));
  }
  out.session = proto::local_session(*out.store);
  return out;
}

Result<void> refuse_server(const std::string& place, const std::string& what) {
  if (!proto::is_remote(place)) return {};
  return invalid(
      fmt::format("'{}' is a server, and {} works on a store's folder; run it where the folder is", place, what));
}

}  // namespace demarche::cli

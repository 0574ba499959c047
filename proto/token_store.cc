#include "proto/token_store.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace demarche::proto {

namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kIdBytes = 4;

tl::unexpected<Error> io_error(const std::string& what, const std::string& path) {
  return make_error(errno == EACCES || errno == EPERM ? ErrorCode::kDenied : ErrorCode::kIo,
                    fmt::format("{} '{}': {}", what, path, std::strerror(errno)));
}

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

std::string hex(const unsigned char* bytes, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += fmt::format("{:02x}", bytes[i]);
  return out;
}

Result<std::string> random_hex(std::size_t n) {
  unsigned char bytes[kSecretBytes];
  if (::getrandom(bytes, n, 0) != static_cast<ssize_t>(n)) {
    return make_error(ErrorCode::kIo, fmt::format("no random bytes: {}", std::strerror(errno)));
  }
  return hex(bytes, n);
}

std::string hash_of(std::string_view secret) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), digest);
  return hex(digest, sizeof digest);
}

std::string line_of(const Token& token) {
  const nlohmann::ordered_json line = {
      {"id", token.id},           {"hash", token.hash},       {"access", std::string(access_name(token.access))},
      {"created", token.created}, {"expires", token.expires}, {"note", token.note},
      {"revoked", token.revoked}};
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<Token> parse_line(const std::string& text, const std::string& path, std::size_t number) {
  const auto bad = [&](const char* what) {
    return make_error(ErrorCode::kCorruption, fmt::format("{}:{}: {}; mend the line or remove it", path, number, what));
  };
  const auto line = nlohmann::json::parse(text, nullptr, false);
  if (!line.is_object()) return bad("not a JSON object");
  Token token;
  const auto string_of = [&](const char* name) {
    return line.contains(name) && line[name].is_string() ? line[name].get<std::string>() : std::string();
  };
  token.id = string_of("id");
  token.hash = string_of("hash");
  token.note = string_of("note");
  const auto access = find_access(string_of("access"));
  if (token.id.empty() || token.hash.size() != 2 * SHA256_DIGEST_LENGTH || !access) return bad("not a token");
  if (!line.contains("expires") || !line["expires"].is_number_integer()) return bad("no time of expiry");
  token.access = *access;
  token.expires = line["expires"].get<std::int64_t>();
  if (line.contains("created") && line["created"].is_number_integer())
    token.created = line["created"].get<std::int64_t>();
  if (!line.contains("revoked") || !line["revoked"].is_boolean()) return bad("does not say whether it is revoked");
  token.revoked = line["revoked"].get<bool>();
  return token;
}

// The tokens of an open file.
Result<std::vector<Token>> read_tokens(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return io_error("cannot look at", path);
  if ((status.st_mode & 077) != 0) {
    return make_error(ErrorCode::kDenied,
                      fmt::format("'{}' can be read or written by others; run: chmod 600 '{}'", path, path));
  }
  std::string text;
  char buffer[16384];
  for (off_t at = 0;;) {
    const ssize_t n = ::pread(fd, buffer, sizeof buffer, at);
    if (n < 0) return io_error("cannot read", path);
    if (n == 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
    at += n;
  }
  std::vector<Token> out;
  std::size_t number = 0;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    ++number;
    if (end > from) {
      DEMARCHE_TRY(Token token, parse_line(text.substr(from, end - from), path, number));
      out.push_back(std::move(token));
    }
    from = end + 1;
  }
  return out;
}

// Writes a file beside and renames it, so that a reader sees all or nothing.
Result<void> write_tokens(const std::vector<Token>& tokens, const std::string& path) {
  const std::string temporary = path + ".new";
  std::string text;
  for (const Token& token : tokens) text += line_of(token);
  const File file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.fd() < 0) return io_error("cannot write", temporary);
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(file.fd(), text.data() + at, text.size() - at);
    if (n < 0) return io_error("cannot write", temporary);
    at += static_cast<std::size_t>(n);
  }
  if (::fsync(file.fd()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    return io_error("cannot write", path);
  }
  return {};
}

// Reads, changes and writes while no other process does.
template <typename F>
Result<void> change(const std::string& path, F&& apply) {
  const std::string lock_path = path + ".lock";
  const File lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.fd() < 0) return io_error("cannot open", lock_path);
  if (::flock(lock.fd(), LOCK_EX) != 0) return io_error("cannot lock", lock_path);
  DEMARCHE_TRY(const TokenStore store, TokenStore::read(path));
  std::vector<Token> tokens = store.tokens();
  DEMARCHE_CHECK(apply(tokens));
  return write_tokens(tokens, path);
}

bool expired(const Token& token, std::int64_t now) { return token.expires != 0 && token.expires <= now; }

}  // namespace

std::string_view access_name(Access access) {
  switch (access) {
    case Access::kReader:
      return "read";
    case Access::kWriter:
      return "write";
    case Access::kAdmin:
      return "admin";
  }
  return "";
}

std::optional<Access> find_access(std::string_view name) {
  for (const Access access : {Access::kReader, Access::kWriter, Access::kAdmin}) {
    if (access_name(access) == name) return access;
  }
  return std::nullopt;
}

std::string TokenStore::default_path(const std::string& store) {
  std::string path = store;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path + ".tokens";
}

Result<TokenStore> TokenStore::read(const std::string& path) {
  TokenStore out;
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) {
    if (errno == ENOENT) return out;
    return io_error("cannot open", path);
  }
  DEMARCHE_ASSIGN(out.tokens_, read_tokens(file.fd(), path));
  return out;
}

Result<std::string> TokenStore::create(const std::string& path, Access access, std::int64_t seconds_valid,
                                       const std::string& note, std::int64_t now) {
  Token token;
  DEMARCHE_ASSIGN(token.id, random_hex(kIdBytes));
  DEMARCHE_TRY(const std::string secret_part, random_hex(kSecretBytes));
  const std::string secret = "dmt_" + token.id + "_" + secret_part;
  token.hash = hash_of(secret);
  token.access = access;
  token.created = now;
  token.expires = seconds_valid == 0 ? 0 : now + seconds_valid;
  token.note = note;
  DEMARCHE_CHECK(change(path, [&](std::vector<Token>& tokens) -> Result<void> {
    tokens.push_back(token);
    return {};
  }));
  return secret;
}

Result<void> TokenStore::revoke(const std::string& path, std::string_view id) {
  return change(path, [&](std::vector<Token>& tokens) -> Result<void> {
    const auto it = std::find_if(tokens.begin(), tokens.end(), [&](const Token& token) { return token.id == id; });
    if (it == tokens.end()) {
      return make_error(ErrorCode::kNotFound, fmt::format("there is no token '{}' in '{}'", id, path));
    }
    it->revoked = true;
    return {};
  });
}

Result<Token> TokenStore::check(std::string_view secret, std::int64_t now) const {
  const std::string hash = hash_of(secret);
  const Token* found = nullptr;
  for (const Token& token : tokens_) {
    if (CRYPTO_memcmp(token.hash.data(), hash.data(), hash.size()) == 0) found = &token;
  }
  if (found == nullptr) return make_error(ErrorCode::kDenied, "unknown token; ask for one made by `demarche token`");
  if (found->revoked) return make_error(ErrorCode::kDenied, "this token was revoked; ask for another");
  if (expired(*found, now)) return make_error(ErrorCode::kDenied, "this token has expired; ask for another");
  return *found;
}

bool TokenStore::is_good(std::string_view id, std::int64_t now) const {
  return std::any_of(tokens_.begin(), tokens_.end(),
                     [&](const Token& token) { return token.id == id && !token.revoked && !expired(token, now); });
}

}  // namespace demarche::proto

// Tokens: who may ask a server, as what, and until when. A file of JSON Lines that only its owner can read, one token a
// line; of the secret only a hash is kept. Changed by `demarche token` while servers read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"

namespace demarche::proto {

enum class Access : std::uint8_t { kReader, kWriter, kAdmin };
[[nodiscard]] std::string_view access_name(Access access);  // "read", "write", "admin"
[[nodiscard]] std::optional<Access> find_access(std::string_view name);

struct Token {
  std::string id;    // public: 8 hexadecimal digits
  std::string hash;  // SHA-256 of the whole token, hexadecimal
  Access access = Access::kReader;
  std::int64_t created = 0;  // seconds, UTC since 1970
  std::int64_t expires = 0;  // 0: never
  std::string note;
  bool revoked = false;
};

// Not thread-safe. Processes that change the file at once take turns by a lock on it.
class TokenStore {
 public:
  // "STORE.tokens", beside the store.
  [[nodiscard]] static std::string default_path(const std::string& store);

  // Nothing there is an empty store. Errors: kDenied if others than the owner may read or write the file; kCorruption
  // with the line; kIo.
  [[nodiscard]] static Result<TokenStore> read(const std::string& path);

  // Makes a token of 256 random bits and returns it, "dmt_<id>_<64 hexadecimal digits>": it is shown this once.
  // `seconds_valid` 0: for ever. Errors: as read(); kIo.
  [[nodiscard]] static Result<std::string> create(const std::string& path, Access access, std::int64_t seconds_valid,
                                                  const std::string& note, std::int64_t now);
  // Errors: as read(); kNotFound.
  [[nodiscard]] static Result<void> revoke(const std::string& path, std::string_view id);

  [[nodiscard]] const std::vector<Token>& tokens() const { return tokens_; }
  // The token that `secret` is, if it may be used now. Errors: kDenied, saying whether it is unknown, expired or
  // revoked. Takes the same time for every unknown token.
  [[nodiscard]] Result<Token> check(std::string_view secret, std::int64_t now) const;
  // Is a token with this id still good?
  [[nodiscard]] bool is_good(std::string_view id, std::int64_t now) const;

 private:
  std::vector<Token> tokens_;
};

}  // namespace demarche::proto

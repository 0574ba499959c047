#include "proto/token_store.h"

#include <sys/stat.h>

#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "tests/support/temp_folder.h"

namespace demarche::proto {

namespace {

struct Fixture {
  demarche::tests::TempFolder folder;
  std::string path = folder.path("talks.tokens");
  std::string create(Access access = Access::kReader, std::int64_t valid = 0, std::int64_t now = 1000) {
    const auto secret = TokenStore::create(path, access, valid, "for a test", now);
    REQUIRE(secret);
    return *secret;
  }
  TokenStore read() {
    auto store = TokenStore::read(path);
    REQUIRE(store);
    return *store;
  }
};

}  // namespace

TEST_CASE("tokens: 256 random bits, of which the file holds a hash") {
  Fixture f;
  const std::string a = f.create(Access::kWriter);
  const std::string b = f.create();
  CHECK(a != b);
  CHECK(a.size() == 4 + 8 + 1 + 64);
  std::ifstream in(f.path);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  CHECK(text.find(a) == std::string::npos);
  CHECK(text.find(a.substr(13)) == std::string::npos);
  const auto checked = f.read().check(a, 1000);
  REQUIRE(checked);
  CHECK(checked->access == Access::kWriter);
  CHECK(checked->id == a.substr(4, 8));
  struct stat status {};
  REQUIRE(::stat(f.path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("tokens: unknown, expired and revoked ones are refused, each by name") {
  Fixture f;
  const std::string secret = f.create(Access::kReader, 60);
  CHECK(f.read().check(secret, 1059));
  CHECK(f.read().check(secret, 1060).error().message == "this token has expired; ask for another");
  CHECK(f.read().check(secret + "0", 1000).error().message == "unknown token; ask for one made by `demarche token`");
  CHECK(f.read().check("", 1000).error().code == ErrorCode::kDenied);
  REQUIRE(TokenStore::revoke(f.path, secret.substr(4, 8)));
  CHECK(f.read().check(secret, 1000).error().message == "this token was revoked; ask for another");
  CHECK_FALSE(f.read().is_good(secret.substr(4, 8), 1000));
  CHECK(TokenStore::revoke(f.path, "nonesuch").error().code == ErrorCode::kNotFound);
}

TEST_CASE("tokens: a file that others can read, or that is damaged, lets nobody in") {
  Fixture f;
  f.create();
  ::chmod(f.path.c_str(), 0644);
  const auto open = TokenStore::read(f.path);
  REQUIRE_FALSE(open);
  CHECK(open.error().code == ErrorCode::kDenied);
  CHECK(open.error().message.find("chmod 600") != std::string::npos);
  ::chmod(f.path.c_str(), 0600);
  std::ofstream(f.path, std::ios::app) << "{\"id\": \"x\"}\n";
  const auto damaged = TokenStore::read(f.path);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().message.find("talks.tokens:2: not a token") != std::string::npos);
}

}  // namespace demarche::proto

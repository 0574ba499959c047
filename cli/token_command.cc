// Tokens with which servers let clients in.

#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "engine/edtf.h"
#include "proto/token_store.h"

namespace demarche::cli {

namespace {

std::string file_of(const TokenArgs& args) {
  return args.file.empty() ? proto::TokenStore::default_path(args.store) : args.file;
}

std::int64_t now() { return static_cast<std::int64_t>(std::time(nullptr)); }

// "90d", "12h", "30m", "never": seconds, 0 for never.
Result<std::int64_t> parse_validity(const std::string& text) {
  if (text == "never") return 0;
  constexpr std::int64_t kCountMax = 100'000;
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, count);
  if (error == std::errc() && count > 0 && count <= kCountMax && at + 1 == end) {
    if (*at == 'd') return count * 86'400;
    if (*at == 'h') return count * 3'600;
    if (*at == 'm') return count * 60;
    if (*at == 's') return count;
  }
  return invalid(fmt::format("'{}' is no time to be valid for; write 90d, 12h, 30m, 45s or never", text));
}

int create(const TokenArgs& args) {
  const auto access = proto::find_access(args.access);
  if (!access) {
    complain(fmt::format("'{}' is no access; read, write or admin", args.access));
    return kUsage;
  }
  const auto seconds = parse_validity(args.expires);
  if (!seconds) return fail(seconds.error());
  const auto secret = proto::TokenStore::create(file_of(args), *access, *seconds, args.note, now());
  if (!secret) return fail(secret.error());
  print(*secret + "\n");
  say(fmt::format("this is shown once; what is kept in '{}' is a hash of it", file_of(args)));
  return flush_output() ? kDone : kFailed;
}

int list(const TokenArgs& args) {
  const auto tokens = proto::TokenStore::read(file_of(args));
  if (!tokens) return fail(tokens.error());
  const auto instant = [](std::int64_t t) { return t == 0 ? std::string("never") : format_instant({t}); };
  for (const proto::Token& token : tokens->tokens()) {
    const char* state = token.revoked ? "revoked" : token.expires != 0 && token.expires <= now() ? "expired" : "good";
    print(safe(fmt::format("{}  {:5}  {:7}  made {}  expires {}  {}", token.id, proto::access_name(token.access), state,
                           instant(token.created), instant(token.expires), token.note)) +
          "\n");
  }
  return flush_output() ? kDone : kFailed;
}

int revoke(const TokenArgs& args) {
  const auto done = proto::TokenStore::revoke(file_of(args), args.id);
  if (!done) return fail(done.error());
  say("revoked; servers that read this file end its sessions within a second");
  return kDone;
}

}  // namespace

int run_token(const TokenArgs& args) {
  switch (args.action) {
    case TokenArgs::Action::kCreate:
      return create(args);
    case TokenArgs::Action::kList:
      return list(args);
    case TokenArgs::Action::kRevoke:
      return revoke(args);
  }
  return kUsage;
}

}  // namespace demarche::cli

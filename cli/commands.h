// The sub-commands: what each is given, and the function that runs it. Every function returns the exit status:
// 0 done, 1 refused or failed (the reason is on standard error), 2 wrong usage.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/output.h"
#include "proto/session.h"

namespace demarche::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

struct DemoArgs {
  std::string folder = "demarche-demo";
  std::string program = "demarche";  // as it was called, for the commands shown at the end
};
struct ShellArgs {
  std::string store;
  OutputOptions output;
};
struct QueryArgs {
  std::string store;
  std::string text;                     // "-": standard input
  std::vector<std::string> parameters;  // name=value
  std::string as_of = "";               // system time, as query::view_as_of() reads it; so in the others
  OutputOptions output;
  unsigned time_max_s = 600;
};
struct WhoArgs {
  std::string store;
  std::string before;               // key of an interaction, or a date
  std::string according_to;         // source whose own date of it counts
  std::vector<std::string> actors;  // by key or name: contacts of one, or of two with one another
  bool certain = false;
  std::size_t last = 0;   // only the latest so many; 0: all
  std::string as_of = "";
  bool in_shell = false;  // what it points to are commands of the shell
  OutputOptions output;
};
struct WhyArgs {
  std::string store;
  std::string key;
  std::string as_of = "";
};
struct PathArgs {
  std::string store;
  std::string from;
  std::string to;
  std::string before;
  bool strict = false;
  bool possibly = false;
  std::string as_of = "";
};
struct ImportArgs {
  std::vector<std::string> files;
  std::string store;
  std::string form;  // jsonl, dyads
  std::string kinds;
};
struct ExportArgs {
  std::string store;
  std::string gexf;
  std::string query;
  std::vector<std::string> parameters;
  std::string edges = "merged";
  std::string as_of = "";
};
struct StatsArgs {
  std::string store;
  bool storage = false;  // what takes how much of the disk, instead of kinds
  OutputOptions output;
};
struct CheckArgs {
  std::string store;
  bool repair = false;
};
struct BackupArgs {
  std::string store;
  std::string folder;
};
struct BackupsArgs {
  std::string folder;
  bool verify = false;
};
struct RestoreArgs {
  std::string folder;
  std::uint32_t id = 0;
  std::string store;
};
struct DumpArgs {
  std::string store;
  std::string file;  // empty or "-": standard output
};
struct LoadArgs {
  std::string file;
  std::string store;
};

struct ServeArgs {
  std::string store;
  std::vector<std::string> listen;  // unix:PATH, HOST:PORT; none: unix:STORE.sock
  std::string tokens;               // empty: STORE.tokens
  bool token_always = false;
  bool read_only = false;
  std::string tls_certificate;
  std::string tls_key;
  std::string backups;
  std::size_t threads = 0;
  std::size_t connections = 0;       // 0: 256, fewer if the process may not open as many files
  std::size_t connections_peer = 0;  // 0: all
  double idle_seconds = 300;
  double login_seconds = 10;
  double message_seconds = 20;
  unsigned query_seconds = 60;
};
struct TokenArgs {
  enum class Action : std::uint8_t { kCreate, kList, kRevoke };
  Action action = Action::kList;
  std::string store;
  std::string file;  // empty: STORE.tokens
  std::string access = "read";
  std::string expires = "90d";
  std::string note;
  std::string id;
};

[[nodiscard]] int run_demo(const DemoArgs& args);
[[nodiscard]] int run_shell(const ShellArgs& args);
[[nodiscard]] int run_query_command(const QueryArgs& args);
[[nodiscard]] int run_who(const WhoArgs& args);
[[nodiscard]] int run_why(const WhyArgs& args);
// The same on what is open already.
[[nodiscard]] int show_who(proto::Session& session, const WhoArgs& args);
[[nodiscard]] int show_why(proto::Session& session, const WhyArgs& args);
[[nodiscard]] int run_path(const PathArgs& args);
[[nodiscard]] int run_import(const ImportArgs& args);
[[nodiscard]] int run_export(const ExportArgs& args);
[[nodiscard]] int run_stats(const StatsArgs& args);
// What takes how much of the disk and of the cache; for the shell.
void show_storage(const Store& store);
[[nodiscard]] int run_check(const CheckArgs& args);
[[nodiscard]] int run_backup(const BackupArgs& args);
[[nodiscard]] int run_backups(const BackupsArgs& args);
[[nodiscard]] int run_restore(const RestoreArgs& args);
[[nodiscard]] int run_dump(const DumpArgs& args);
[[nodiscard]] int run_load(const LoadArgs& args);
[[nodiscard]] int run_serve(const ServeArgs& args);
[[nodiscard]] int run_token(const TokenArgs& args);

}  // namespace demarche::cli

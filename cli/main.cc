// demarche: one program, one sub-command for each job.

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <functional>
#include <sstream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "engine/names.h"

namespace demarche::cli {

namespace {

void add_output_options(CLI::App& app, OutputOptions& output) {
  app.add_option_function<std::string>(
         "--format", [&output](const std::string& name) { output.format = *find_format(name); },
         "table, csv, tsv, json or jsonl (one object a line)")
      ->check(CLI::IsMember({"table", "csv", "tsv", "json", "jsonl"}))
      ->default_str("table");
  app.add_flag_callback(
      "--no-header", [&output] { output.header = false; }, "leave the line of column names out");
  app.add_flag("--raw", output.raw, "csv: do not guard texts that a spreadsheet would run as a formula");
}

void add_parameter_option(CLI::App& app, std::vector<std::string>& parameters) {
  app.add_option("-p,--param", parameters, "a parameter as name=value; repeat for more")->allow_extra_args(false);
}

// Arguments of all sub-commands, and the one that was asked for.
struct Commands {
  DemoArgs demo;
  ShellArgs shell;
  QueryArgs query;
  WhoArgs who;
  WhyArgs why;
  PathArgs path;
  ImportArgs import_from;  // a line that begins with `import` is a module to clang-format
  ExportArgs export_to;
  StatsArgs stats;
  CheckArgs check;
  BackupArgs backup;
  BackupsArgs backups;
  RestoreArgs restore;
  DumpArgs dump;
  LoadArgs load;
  ServeArgs serve;
  TokenArgs token;
  std::function<int()> chosen;
};

void add_as_of_option(CLI::App& command, std::string& as_of) {
  command.add_option("--as-of", as_of,
                     "what was known then: a day (its end, UTC), a date-time, or 'commit N'; by default the newest");
}

void add_reading(CLI::App& app, Commands& c) {
  CLI::App* query = app.add_subcommand("query", "Run one statement of the query language");
  query
      ->add_option("STORE", c.query.store, "folder of the store, or a server: demarche+unix:PATH, demarche://HOST:PORT")
      ->required();
  query->add_option("TEXT", c.query.text, "the statement; - reads it from standard input")->required();
  add_parameter_option(*query, c.query.parameters);
  query->add_option("--timeout", c.query.time_max_s, "seconds after which the statement is stopped")
      ->default_val(c.query.time_max_s);
  add_output_options(*query, c.query.output);
  add_as_of_option(*query, c.query.as_of);
  query->callback([&c] { c.chosen = [&c] { return run_query_command(c.query); }; });

  CLI::App* who = app.add_subcommand("who", "Who spoke with whom before an interaction or a date");
  who->add_option("STORE", c.who.store, "folder of the store, or a server: demarche+unix:PATH, demarche://HOST:PORT")
      ->required();
  who->add_option("--before", c.who.before, "key of an interaction, or a date")->required();
  who->add_option("--according-to", c.who.according_to, "take this source's own date of the interaction");
  who->add_option("--actor", c.who.actors, "contacts of this actor, by key or name; given twice: of the two")
      ->allow_extra_args(false);
  who->add_flag("--certain", c.who.certain, "only what is certain");
  who->add_option("--last", c.who.last, "show only the latest so many")->check(CLI::PositiveNumber);
  add_output_options(*who, c.who.output);
  add_as_of_option(*who, c.who.as_of);
  who->callback([&c] { c.chosen = [&c] { return run_who(c.who); }; });

  CLI::App* why = app.add_subcommand("why", "What is held of one interaction, and what each source says of it");
  why->add_option("STORE", c.why.store, "folder of the store, or a server: demarche+unix:PATH, demarche://HOST:PORT")
      ->required();
  why->add_option("KEY", c.why.key, "key of the interaction, or its number if it has none")->required();
  add_as_of_option(*why, c.why.as_of);
  why->callback([&c] { c.chosen = [&c] { return run_why(c.why); }; });

  CLI::App* path = app.add_subcommand("path", "Could word have gone from one actor to another in time");
  path->add_option("STORE", c.path.store, "folder of the store, or a server: demarche+unix:PATH, demarche://HOST:PORT")
      ->required();
  path->add_option("--from", c.path.from, "an actor, by key or name")->required();
  path->add_option("--to", c.path.to, "an actor, by key or name")->required();
  path->add_option("--before", c.path.before, "key of an interaction, or a date");
  CLI::Option* strict = path->add_flag("--strict", c.path.strict, "contacts of one day do not count as in order");
  path->add_flag("--possibly", c.path.possibly, "ask only whether it is possible")->excludes(strict);
  add_as_of_option(*path, c.path.as_of);
  path->callback([&c] { c.chosen = [&c] { return run_path(c.path); }; });

  CLI::App* stats = app.add_subcommand("stats", "What a store holds");
  stats
      ->add_option("STORE", c.stats.store, "folder of the store, or a server: demarche+unix:PATH, demarche://HOST:PORT")
      ->required();
  stats->add_flag("--storage", c.stats.storage, "what takes how much of the disk, instead of kinds");
  add_output_options(*stats, c.stats.output);
  stats->callback([&c] { c.chosen = [&c] { return run_stats(c.stats); }; });
}

void add_exchange(CLI::App& app, Commands& c) {
  CLI::App* load = app.add_subcommand("import", "Load files into a store; all of them or nothing");
  load->add_option("FILE", c.import_from.files, "files to read; .zst is read as it is")->required();
  load->add_option("--into", c.import_from.store, "folder of the store; made if it is not there")->required();
  load->add_option("--as", c.import_from.form,
                   "form of the files: jsonl (our own) or dyads (subject, relation, object, date)")
      ->required()
      ->check(CLI::IsMember({"jsonl", "dyads"}));
  load->add_option("--kinds", c.import_from.kinds, "dyads: table that says what each relation is");
  load->callback([&c] { c.chosen = [&c] { return run_import(c.import_from); }; });

  CLI::App* export_to = app.add_subcommand("export", "Write a file for another program");
  export_to->add_option("STORE", c.export_to.store, "folder of the store")->required();
  export_to->add_option("--gexf", c.export_to.gexf, "GEXF 1.3 file to write, for Gephi")->required();
  export_to->add_option("--query", c.export_to.query,
                        "statement whose actors and interactions are written; all by default");
  add_parameter_option(*export_to, c.export_to.parameters);
  export_to
      ->add_option(
          "--edges", c.export_to.edges,
          "merged: one edge for each pair and kind, with a spell for each interaction; each: one edge an interaction")
      ->check(CLI::IsMember({"merged", "each"}))
      ->default_val(c.export_to.edges);
  add_as_of_option(*export_to, c.export_to.as_of);
  export_to->callback([&c] { c.chosen = [&c] { return run_export(c.export_to); }; });
}

void add_safekeeping(CLI::App& app, Commands& c) {
  CLI::App* check = app.add_subcommand("check", "Is a store sound? Reads all of it and compares what is said twice");
  check->add_option("STORE", c.check.store, "folder of the store")->required();
  check->add_flag("--repair", c.check.repair, "first make the index anew from the records");
  check->callback([&c] { c.chosen = [&c] { return run_check(c.check); }; });

  CLI::App* backup = app.add_subcommand("backup", "Copy a store into a folder of backups, and verify the copy");
  backup->add_option("STORE", c.backup.store, "folder of the store")->required();
  backup->add_option("FOLDER", c.backup.folder, "folder of the backups; made if it is not there")->required();
  backup->callback([&c] { c.chosen = [&c] { return run_backup(c.backup); }; });

  CLI::App* backups = app.add_subcommand("backups", "List the backups in a folder");
  backups->add_option("FOLDER", c.backups.folder, "folder of the backups")->required();
  backups->add_flag("--verify", c.backups.verify, "read all of each and compare it with its checksums");
  backups->callback([&c] { c.chosen = [&c] { return run_backups(c.backups); }; });

  CLI::App* restore = app.add_subcommand("restore", "Make a new store out of a backup");
  restore->add_option("FOLDER", c.restore.folder, "folder of the backups")->required();
  restore->add_option("ID", c.restore.id, "number of the backup, as `backups` lists it")->required();
  restore->add_option("STORE", c.restore.store, "folder of the new store")->required();
  restore->callback([&c] { c.chosen = [&c] { return run_restore(c.restore); }; });

  CLI::App* dump = app.add_subcommand("dump", "Write a store with all of its history as JSON Lines");
  dump->add_option("STORE", c.dump.store, "folder of the store")->required();
  dump->add_option("FILE", c.dump.file, "new file to write; standard output by default");
  dump->callback([&c] { c.chosen = [&c] { return run_dump(c.dump); }; });

  CLI::App* load = app.add_subcommand("load", "Make a new store out of a dump; all of it or nothing");
  load->add_option("FILE", c.load.file, "dump to read; .zst is read as it is")->required();
  load->add_option("--into", c.load.store, "folder of the new store")->required();
  load->callback([&c] { c.chosen = [&c] { return run_load(c.load); }; });
}

void add_serving(CLI::App& app, Commands& c) {
  CLI::App* serve = app.add_subcommand("serve", "Answer other programs and machines, until told to stop");
  serve->add_option("STORE", c.serve.store, "folder of the store")->required();
  serve
      ->add_option("--listen", c.serve.listen,
                   "unix:PATH or HOST:PORT, port 0 for any; repeat for more (default unix:STORE.sock)")
      ->allow_extra_args(false);
  serve->add_flag("--read-only", c.serve.read_only, "beside a process that has the store open for writing");
  serve->add_option("--tokens", c.serve.tokens, "file of the tokens that let clients in (default STORE.tokens)");
  serve->add_flag("--token-always", c.serve.token_always, "ask for a token on a Unix socket of one's own too");
  serve->add_option("--tls-cert", c.serve.tls_certificate, "certificate in PEM: all of HOST:PORT is TLS then");
  serve->add_option("--tls-key", c.serve.tls_key, "its key in PEM, which nobody else may read");
  serve->add_option("--backups", c.serve.backups, "folder into which an admin may have backups made");
  serve->add_option("--threads", c.serve.threads, "threads that answer (default twice the cores, 8 at least)");
  serve->add_option("--connections", c.serve.connections,
                    "at once (default 256, fewer if the process may not open as many files)");
  serve->add_option("--connections-of-peer", c.serve.connections_peer, "of one user or address (default all)");
  serve->add_option("--query-seconds", c.serve.query_seconds, "a statement may take")
      ->default_val(c.serve.query_seconds);
  serve->add_option("--idle-seconds", c.serve.idle_seconds, "until a silent connection is closed")
      ->default_val(c.serve.idle_seconds);
  serve->add_option("--login-seconds", c.serve.login_seconds, "until a connection must have logged in")
      ->default_val(c.serve.login_seconds);
  serve->add_option("--message-seconds", c.serve.message_seconds, "from a message's first byte to its last")
      ->default_val(c.serve.message_seconds);
  serve->callback([&c] { c.chosen = [&c] { return run_serve(c.serve); }; });

  CLI::App* token = app.add_subcommand("token", "Make, list and revoke the tokens that let clients in");
  token->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, TokenArgs::Action action) {
    CLI::App* sub = token->add_subcommand(name, help);
    sub->add_option("STORE", c.token.store, "folder of the store")->required();
    sub->add_option("--tokens", c.token.file, "file of the tokens (default STORE.tokens)");
    sub->callback([&c, action] {
      c.token.action = action;
      c.chosen = [&c] { return run_token(c.token); };
    });
    return sub;
  };
  CLI::App* create = add("create", "Make a token and print it, this once", TokenArgs::Action::kCreate);
  create->add_option("--access", c.token.access, "read, write or admin")->default_val(c.token.access);
  create->add_option("--expires", c.token.expires, "in 90d, 12h, 30m, 45s, or never")->default_val(c.token.expires);
  create->add_option("--note", c.token.note, "who it is for");
  add("list", "List the tokens, not their secrets", TokenArgs::Action::kList);
  CLI::App* revoke = add("revoke", "Make a token useless; its sessions end", TokenArgs::Action::kRevoke);
  revoke->add_option("ID", c.token.id, "as `demarche token list` shows it")->required();
}

void add_others(CLI::App& app, Commands& c) {
  CLI::App* demo = app.add_subcommand("demo", "Load the built-in example and answer its questions");
  demo->add_option("--folder", c.demo.folder, "where the example's store and GEXF file go")->default_val(c.demo.folder);
  demo->callback([&c] { c.chosen = [&c] { return run_demo(c.demo); }; });

  CLI::App* shell = app.add_subcommand("shell", "Ask and record interactively");
  shell
      ->add_option("STORE", c.shell.store, "folder of the store, or a server: demarche+unix:PATH, demarche://HOST:PORT")
      ->required();
  add_output_options(*shell, c.shell.output);
  shell->callback([&c] { c.chosen = [&c] { return run_shell(c.shell); }; });
}

// CLI11 would say no more of a wrong word than that a sub-command is missing. "" if the word is right.
std::string unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  if (word.starts_with('-') || std::find(names.begin(), names.end(), word) != names.end()) return "";
  const std::string near = nearest(word, names);
  return fmt::format("there is no sub-command '{}'{}", word,
                     near.empty() ? "; --help lists them" : fmt::format("; did you mean {}?", near));
}

int main_with(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL);  // `demarche query ... | head` ends quietly
  std::signal(SIGXFSZ, SIG_IGN);  // a file at its size limit is an error of writing
  CLI::App app("Demarche: who spoke with whom, when, in what role, according to whom", "demarche");
  app.set_version_flag("--version", "demarche " DEMARCHE_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Each sub-command has its own --help. Rows go to standard output, messages to standard error.\n"
      "Exit status: 0 done, 1 refused or failed, 2 wrong usage.");
  Commands commands;
  commands.demo.program = argv[0];
  add_reading(app, commands);
  add_exchange(app, commands);
  add_safekeeping(app, commands);
  add_serving(app, commands);
  add_others(app, commands);
  if (argc > 1) {
    if (const std::string refusal = unknown_command(app, argv[1]); !refusal.empty()) {
      complain(refusal);
      return kUsage;
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {  // the library's way to say --help and to refuse
    std::ostringstream out;
    std::ostringstream err;
    const bool asked = app.exit(e, out, err) == 0;
    print(out.str());
    std::string text = err.str();
    if (text.ends_with('\n')) text.pop_back();
    if (!text.empty()) complain(text);
    if (!flush_output()) return kFailed;
    return asked ? kDone : kUsage;
  }
  return commands.chosen();
}

}  // namespace

}  // namespace demarche::cli

int main(int argc, char** argv) { return demarche::cli::main_with(argc, argv); }

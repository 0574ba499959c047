// The interactive shell: statements end with a semicolon and may take several lines; commands begin with a dot.

#include <editline/readline.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/open.h"
#include "engine/names.h"
#include "query/bind/function_table.h"
#include "query/parse/parser.h"

namespace demarche::cli {

namespace {

constexpr const char* kHelp =
    "A statement ends with a semicolon:\n"
    "  MATCH (a)-[c:CONTACT]-(b) WHERE c BEFORE '2016-04-18' RETURN a.name, b.name, c.when;\n"
    "  RECORD CALL 'my-key' BETWEEN 'John Kerry' AS caller, 'Sergey Lavrov' AS callee ON '2016-05' SOURCE "
    "'public-record';\n"
    "Commands:\n"
    "  .who KEY             who spoke with whom before an interaction or a date\n"
    "  .why KEY             what each source says of an interaction\n"
    "  .as-of TIME          from now on what was known then: a day, a date-time, 'commit N'; alone: the newest\n"
    "  .names TEXT          actors whose names begin so\n"
    "  .kinds               the hierarchy of kinds\n"
    "  .functions [TEXT]    functions, or those whose name contains TEXT\n"
    "  .storage             what takes how much of the disk and of memory\n"
    "  .mode FORMAT         table, csv, tsv, json or jsonl\n"
    "  .param NAME VALUE    give $NAME a value for the statements to come; .param alone lists them\n"
    "  .read FILE           run the statements of a file\n"
    "  .help [functions]    this text, or the functions\n"
    "  .quit                leave (or Control-D); Control-C stops a statement, or clears the line\n";

constexpr const char* kCommandNames[] = {".who",  ".why",   ".names", ".kinds", ".functions", ".storage",
                                         ".mode", ".param", ".read",  ".help",  ".quit",      ".as-of"};

const std::vector<std::string>& keywords() {
  static const std::vector<std::string> words = {
      "MATCH",     "WHERE",      "RETURN",      "WITH",   "UNWIND",   "CREATE",   "RECORD",   "CORRECT",  "RETRACT",
      "BECAUSE",   "VALID_TIME", "SYSTEM_TIME", "AS OF",  "BETWEEN",  "SOURCE",   "EXPLAIN",  "ORDER BY", "LIMIT",
      "SKIP",      "BEFORE",     "AFTER",       "DURING", "OVERLAPS", "POSSIBLY", "DISTINCT", "CONTAINS", "STARTS WITH",
      "ENDS WITH", "IS NULL",    "IS NOT NULL", "AND",    "OR",       "NOT",      "DESC"};
  return words;
}

// Words that the line editor can complete. Its callback takes no argument, so they stand here.
std::vector<std::string>& completions() {
  static std::vector<std::string> words;
  return words;
}

char* next_completion(const char* text, int state) {
  static std::size_t at = 0;
  if (state == 0) at = 0;
  const std::string_view start(text);
  const auto same = [](char a, char b) {
    return std::toupper(static_cast<unsigned char>(a)) == std::toupper(static_cast<unsigned char>(b));
  };
  for (const auto& words = completions(); at < words.size();) {
    const std::string& word = words[at++];
    if (word.size() >= start.size() && std::equal(start.begin(), start.end(), word.begin(), same))
      return strdup(word.c_str());
  }
  return nullptr;
}

char** complete(const char* text, int, int) {
  rl_attempted_completion_over = 1;  // no file names
  return rl_completion_matches(text, next_completion);
}

std::string history_path() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state != '\0')
    return std::string(state) + "/demarche_history";
  const char* home = std::getenv("HOME");
  return home == nullptr ? std::string() : std::string(home) + "/.demarche_history";
}

class Shell {
 public:
  Shell(Opened opened, const ShellArgs& args)
      : opened_(std::move(opened)), args_(args), interactive_(isatty(STDIN_FILENO) != 0) {
    options_.output = args.output;
    options_.interactive = interactive_;
    options_.in_shell = true;
  }

  int run() {
    if (interactive_) greet();
    std::string buffer;
    while (!done_) {
      std::string line;
      const Read read = read_line(is_blank(buffer), line);
      if (read == Read::kEnd) break;
      if (read == Read::kInterrupted) {
        buffer.clear();
        continue;
      }
      if (line.ends_with('\r')) line.pop_back();  // of a file from Windows
      const std::size_t start = line.find_first_not_of(" \t");
      if (is_blank(buffer) && start != std::string::npos && line[start] == '.') {
        buffer.clear();
        keep(command(line.substr(start)));
        continue;
      }
      if (const std::string bare = bare_command(line); is_blank(buffer) && !bare.empty()) {
        buffer.clear();
        keep(command(bare));
        continue;
      }
      buffer += line + "\n";
      take_statements(buffer);
    }
    if (!is_blank(buffer) && !done_) keep(run_text(buffer));  // the last one may lack its semicolon
    if (interactive_) {
      print("\n");
      if (const std::string path = history_path(); !path.empty()) write_history(path.c_str());
    }
    return flush_output() ? (interactive_ ? kDone : status_) : kFailed;
  }

 private:
  enum class Read : std::uint8_t { kLine, kInterrupted, kEnd };

  // What people type who know other shells: exit, quit, help, with or without a colon and a semicolon.
  // As a dot command; "" if it is none of them.
  static std::string bare_command(std::string line) {
    while (line.ends_with(';') || line.ends_with(' ')) line.pop_back();
    if (line.starts_with(':')) line.erase(0, 1);
    return line == "exit" || line == "quit" || line == "help" ? "." + line : "";
  }

  static bool is_blank(const std::string& text) { return text.find_first_not_of(" \t\n") == std::string::npos; }

  void greet() {
    const auto state = opened_.session->snapshot();
    const Statistics s = state ? (*state)->statistics() : Statistics{};
    say(fmt::format("Demarche: {} actors, {} interactions in {}. .help for help, .quit to leave.", s.actors,
                    s.interactions, args_.store));
    rl_readline_name = const_cast<char*>("demarche");
    rl_attempted_completion_function = complete;
    if (const std::string path = history_path(); !path.empty()) read_history(path.c_str());
    collect_completions();
  }

  void collect_completions() {
    std::vector<std::string>& words = completions();
    words = keywords();
    for (const query::FunctionDef& f : query::all_functions()) words.push_back(std::string(f.name) + "(");
    if (const auto state = opened_.session->snapshot()) {
      for (const std::string& kind : (*state)->kinds().names()) words.push_back(kind);
    }
    for (const char* label : {"Person", "State", "Organisation", "Group"}) words.emplace_back(label);
    for (const char* c : kCommandNames) words.emplace_back(c);
    std::sort(words.begin(), words.end());
  }

  Read read_line(bool fresh, std::string& line) {
    if (interactive_) {
      const InterruptGuard guard;
      char* text = readline(fresh ? "demarche> " : "     ...> ");
      if (InterruptGuard::interrupted()) {  // the line editor gives up the line; the next call begins a new one
        std::free(text);
        std::fputs("^C\n", stdout);
        return Read::kInterrupted;
      }
      if (text == nullptr) return Read::kEnd;
      line = text;
      std::free(text);
      if (!line.empty()) add_history(line.c_str());
      return Read::kLine;
    }
    line.clear();
    int c = 0;
    while ((c = std::getchar()) != EOF && c != '\n') line += static_cast<char>(c);
    return c != EOF || !line.empty() ? Read::kLine : Read::kEnd;
  }

  // Runs the statements that are complete and leaves the rest in `buffer`.
  void take_statements(std::string& buffer) {
    const std::size_t end = buffer.rfind(';');
    if (end == std::string::npos) return;
    bool complete_text = false;
    const std::string text = buffer;  // the statements point into it
    const auto statements = query::split_statements(text, &complete_text);
    if (!statements) {
      // A quote or comment may still be open; two line feeds in a row give up on it.
      if (!buffer.ends_with("\n\n")) return;
      keep(fail(statements.error(), buffer));
      buffer.clear();
      return;
    }
    buffer.clear();
    for (std::size_t i = 0; i < statements->size(); ++i) {
      const std::string statement((*statements)[i]);
      if (!complete_text && i + 1 == statements->size()) {
        buffer = statement;
      } else {
        keep(run_text(statement));
      }
    }
  }

  int run_text(const std::string& text) { return run_statement(*opened_.session, text, options_); }
  void keep(int status) { status_ = status_ == kDone ? status : status_; }

  int command(const std::string& line) {
    const std::size_t blank = line.find(' ');
    const std::string name = line.substr(0, blank);
    std::string rest = blank == std::string::npos ? ""
                                                  : line.substr(line.find_first_not_of(' ', blank) == std::string::npos
                                                                    ? line.size()
                                                                    : line.find_first_not_of(' ', blank));
    while (rest.ends_with(' ') || rest.ends_with('\t') || rest.ends_with(';')) rest.pop_back();
    if (name == ".quit" || name == ".exit") {
      done_ = true;
      return kDone;
    }
    if (name == ".help") return help(rest);
    if (name == ".as-of") return as_of(rest);
    if (name == ".kinds") return kinds();
    if (name == ".functions") return functions(rest);
    if (name == ".storage") return storage();
    if (name == ".mode") return mode(rest);
    if (name == ".names") return names(rest);
    if (name == ".param") return param(rest);
    if (name == ".who") return with_key(rest, name) ? who(rest) : kFailed;
    if (name == ".why") return with_key(rest, name) ? why(rest) : kFailed;
    if (name == ".read") return with_key(rest, name) ? read_file(rest) : kFailed;
    const std::string near = nearest(name, {std::begin(kCommandNames), std::end(kCommandNames)});
    complain(fmt::format("unknown command '{}'{}", name,
                         near.empty() ? "; .help lists them" : fmt::format("; did you mean {}?", near)));
    return kFailed;
  }

  static bool with_key(const std::string& rest, const std::string& name) {
    if (rest.empty()) complain(fmt::format("{} needs one more word; .help shows which", name));
    return !rest.empty();
  }

  int who(const std::string& before) {
    WhoArgs args;
    args.store = args_.store;
    args.before = before;
    args.output = options_.output;
    args.in_shell = true;
    args.as_of = options_.as_of;
    return show_who(*opened_.session, args);
  }
  int why(const std::string& key) { return show_why(*opened_.session, {args_.store, key, options_.as_of}); }

  // What was known then, from now on; without a time the newest state again.
  int as_of(const std::string& time) {
    if (const auto state = opened_.session->snapshot_as_of(time); !state) return fail(state.error());
    options_.as_of = time;
    return kDone;
  }

  int storage() {
    if (opened_.store != nullptr) return show_storage(*opened_.store), kDone;
    return fail(refuse_server(args_.store, ".storage").error());
  }

  int kinds() {
    const auto view = opened_.session->snapshot();
    if (!view) return fail(view.error());
    const auto show = [&](const auto& self, KindId parent, std::size_t depth) -> void {
      for (const Kind& kind : (*view)->kinds().all()) {
        if (kind.parent != parent) continue;
        print(fmt::format("{}{}\n", std::string(2 * depth, ' '), safe(kind.name)));
        self(self, kind.id, depth + 1);
      }
    };
    show(show, KindId{0}, 0);
    return kDone;
  }

  static int help(const std::string& about) {
    if (about == "functions") return functions("");
    if (about.empty()) return print(kHelp), kDone;
    complain(fmt::format("no help on '{}'; .help shows the commands, .help functions the functions", about));
    return kFailed;
  }

  static int functions(const std::string& part) {
    for (const query::FunctionDef& f : query::all_functions()) {
      if (f.name.find(part) != std::string_view::npos) print(fmt::format("{}  {}\n", padded(f.signature, 34), f.help));
    }
    return kDone;
  }

  int mode(const std::string& name) {
    const auto format = find_format(name);
    if (!format) {
      complain(fmt::format("unknown format '{}'; table, csv, tsv, json or jsonl", name));
      return kFailed;
    }
    options_.output.format = *format;
    return kDone;
  }

  int param(const std::string& rest) {
    if (rest.empty()) {
      const auto view = opened_.session->snapshot();
      if (!view) return fail(view.error());
      ValueText text(**view);
      for (const auto& [name, value] : options_.parameters)
        print(safe(fmt::format("${}  {}", name, text.json(value))) + "\n");
      return kDone;
    }
    const std::size_t end = rest.find_first_of(" \t");
    if (end == std::string::npos) {
      complain(fmt::format("write .param NAME VALUE, as in .param {} 2016-04-18", rest));
      return kFailed;
    }
    const std::string name = rest.substr(rest[0] == '$' ? 1 : 0, end - (rest[0] == '$' ? 1 : 0));
    const auto parsed = parse_parameters({name + "=" + rest.substr(rest.find_first_not_of(" \t", end))});
    if (!parsed) return fail(parsed.error());
    for (const auto& [known, value] : *parsed) options_.parameters[known] = value;
    return kDone;
  }

  int names(const std::string& prefix) {
    constexpr std::size_t kShown = 50;
    const auto view = opened_.session->snapshot();
    if (!view) return fail(view.error());
    const auto matches = (*view)->names(prefix, kShown);
    if (!matches) return fail(matches.error());
    ValueText text(**view);
    std::set<ActorId> told;
    for (const NameMatch& match : *matches) {
      if (!told.insert(match.actor).second) continue;
      const auto actor = (*view)->get_actor(match.actor);
      if (!actor) return fail(actor.error());
      print(fmt::format("{}  {}\n", padded(safe(text.actor_name(actor->id)), 32), safe(actor->key)));
    }
    if (matches->size() == kShown) say("... and perhaps more; give more letters");
    return kDone;
  }

  int read_file(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "rbe");
    if (file == nullptr) {
      complain(fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
      return kFailed;
    }
    std::string text;
    char chunk[65536];
    for (std::size_t n = 0; (n = std::fread(chunk, 1, sizeof chunk, file)) > 0;) text.append(chunk, n);
    const bool whole = std::ferror(file) == 0;
    const int code = errno;
    std::fclose(file);
    if (!whole) {
      complain(fmt::format("cannot read '{}': {}", path, std::strerror(code)));
      return kFailed;
    }
    const auto statements = query::split_statements(text);
    if (!statements) return fail(statements.error(), text);
    for (const std::string_view statement : *statements) {
      if (const int status = run_text(std::string(statement)); status != kDone) return status;
    }
    return kDone;
  }

  Opened opened_;
  const ShellArgs& args_;
  bool interactive_;
  RunOptions options_;
  bool done_ = false;
  int status_ = kDone;
};

}  // namespace

int run_shell(const ShellArgs& args) {
  auto opened = open_place(args.store, true);
  if (!opened && !proto::is_remote(args.store)) {
    const Error held = opened.error();
    if (held.code == ErrorCode::kDenied) {
      say(fmt::format("no right to write in '{}': opened for reading only", args.store));
      opened = open_place(args.store);
    } else if (held.code == ErrorCode::kConflict) {
      opened = open_place(args.store);
      if (opened)
        say(fmt::format("{}; opened for reading only, and what is committed there is seen here", held.message));
    }
  }
  if (!opened) return fail(opened.error());
  return Shell(std::move(*opened), args).run();
}

}  // namespace demarche::cli

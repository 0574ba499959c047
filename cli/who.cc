// "Who spoke with whom before ...": the contacts before an interaction or a date, marked by how certain that is.

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/open.h"
#include "engine/before.h"
#include "engine/names.h"

namespace demarche::cli {

namespace {

constexpr std::size_t kHowWidth = 28;

char mark_of(Precedence p) {
  switch (p) {
    case Precedence::kCertain:
      return '=';
    case Precedence::kUnderWay:
      return '~';
    default:
      return '?';
  }
}
const char* word_of(Precedence p) {
  switch (p) {
    case Precedence::kCertain:
      return "certain";
    case Precedence::kUnderWay:
      return "under way";
    default:
      return "possible";
  }
}

// The participants as a phrase: "A with B, C", "M* with D | E", "A, B". Offices are told once for each actor.
class WhoText {
 public:
  WhoText(const proto::Snapshot& view, ValueText& text) : view_(view), text_(text) {}

  Result<std::string> phrase(const Interaction& record) {
    std::map<Role, std::vector<std::string>> by_role;
    for (const Participant& p : record.participants) {
      DEMARCHE_TRY(std::string name, name_of(p.actor, record.when));
      if (p.acting_for) {
        DEMARCHE_TRY(const std::string represented, name_of(*p.acting_for, record.when));
        name += " for " + represented;
      }
      if (p.role == Role::kMediator) name += "*";
      by_role[p.role].push_back(std::move(name));
    }
    std::string out;
    pair(by_role, Role::kPrincipal, " with ", Role::kCounterpart, ", ", out);
    pair(by_role, Role::kMediator, " with ", Role::kDelegation, " | ", out);
    pair(by_role, Role::kCaller, " to ", Role::kCallee, ", ", out);
    pair(by_role, Role::kVisitor, " visiting ", Role::kHost, ", ", out);
    pair(by_role, Role::kInitiator, " with ", Role::kRecipient, ", ", out);
    by_role.erase(Role::kForum);  // told with the kind
    for (const auto& [role, names] : by_role) append(out, joined(names, ", "));
    return out;
  }

 private:
  static std::string joined(const std::vector<std::string>& names, std::string_view by) {
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : std::string(by)) + name;
    return out;
  }
  static void append(std::string& out, const std::string& part) {
    out += (out.empty() || part.empty() ? "" : "; ") + part;
  }

  static void pair(std::map<Role, std::vector<std::string>>& by_role, Role from, std::string_view between, Role to,
                   std::string_view by, std::string& out) {
    const std::string left = joined(by_role[from], ", ");
    const std::string right = joined(by_role[to], by);
    append(out, left + (left.empty() || right.empty() ? "" : std::string(between)) + right);
    by_role.erase(from);
    by_role.erase(to);
  }

  Result<std::string> name_of(ActorId id, const std::optional<When>& when) {
    DEMARCHE_TRY(std::string full,
                 name_with_office(view_, id, when ? std::optional(when->bounds) : std::nullopt, text_));
    return told_.insert(full).second ? safe(full) : safe(text_.actor_name(id));
  }

  const proto::Snapshot& view_;
  ValueText& text_;
  std::set<std::string> told_;
};

std::string how_text(const proto::Snapshot& view, const Interaction& record, ValueText& text) {
  std::string out = kind_words(view, record.kind);
  for (const Participant& p : record.participants) {
    if (p.role == Role::kForum) out += " of the " + text.actor_name(p.actor);
  }
  if (!record.place.empty()) out += ", " + record.place;
  return safe(out);
}

// Numbers sources in order of appearance.
class SourceList {
 public:
  explicit SourceList(const proto::Snapshot& view) : view_(view) {}

  Result<std::string> numbers(const Interaction& record) {
    std::set<std::size_t> numbers;
    for (const Claim& claim : record.claims) {
      DEMARCHE_TRY(const std::size_t n, number(claim.source));
      numbers.insert(n);
    }
    std::string out;
    for (const std::size_t n : numbers) out += fmt::format("{}{}", out.empty() ? "" : ",", n);
    return out.empty() ? std::string("none") : out;
  }
  [[nodiscard]] std::string legend() const {
    std::string out;
    for (std::size_t i = 0; i < keys_.size(); ++i)
      out += fmt::format("{}{} {}", out.empty() ? "" : "   ", i + 1, keys_[i]);
    return out;
  }
  Result<std::string> key(SourceId id) {
    DEMARCHE_TRY(const std::size_t n, number(id));
    return keys_[n - 1];
  }

 private:
  Result<std::size_t> number(SourceId id) {
    if (const auto it = numbers_.find(id); it != numbers_.end()) return it->second;
    DEMARCHE_TRY(const Source source, view_.get_source(id));
    keys_.push_back(safe(source.key));
    return numbers_[id] = keys_.size();
  }
  const proto::Snapshot& view_;
  std::map<SourceId, std::size_t> numbers_;
  std::vector<std::string> keys_;
};

std::string time_text(const NamedTime& time) {
  if (!time.when) return "undated";
  const std::string days = format_human(*time.when);
  const bool day_within = !time.when->bounds.is_span && days.find("..") != std::string::npos;
  return day_within ? "a day within " + days : days;
}

struct Row {
  char mark = '=';
  std::string when;
  std::string who;
  std::string how;
  std::string key;  // or the number of an interaction that has none
  std::string sources;
};

// The last `n` in order of time; all if n is 0.
std::span<const ContactBefore> latest(const std::vector<ContactBefore>& contacts, std::size_t n) {
  const std::span<const ContactBefore> all(contacts);
  return n == 0 || n > all.size() ? all : all.last(n);
}

void print_rows(const std::vector<Row>& rows) {
  std::size_t when_width = 4;
  std::size_t how_width = 10;
  for (const Row& row : rows) {
    when_width = std::max(when_width, display_width(row.when));
    how_width = std::max({how_width, std::min(kHowWidth, display_width(row.how)), display_width(row.key)});
  }
  const std::size_t fixed = 3 + when_width + 2 + 2 + how_width + 2 + 7;
  const std::size_t who_width = std::max<std::size_t>(30, output_width() - std::min(output_width() - 30, fixed));
  const auto line = [&](std::string_view mark, std::string_view when, std::string_view who, std::string_view how,
                        std::string_view sources) {
    std::string out = fmt::format(" {} {}  {}  {}  {}", mark, padded(when, when_width), padded(who, who_width),
                                  padded(how, how_width), sources);
    out.erase(out.find_last_not_of(' ') + 1);
    print(out + "\n");
  };
  line(" ", "WHEN", "WHO (office then)", "HOW, WHERE, KEY", "SOURCES");
  for (const Row& row : rows) {
    const std::vector<std::string> who = wrapped(row.who, who_width);
    std::vector<std::string> how = wrapped(row.how, how_width);
    how.push_back(row.key);
    for (std::size_t i = 0; i < std::max(who.size(), how.size()); ++i) {
      line(i == 0 ? std::string(1, row.mark) : " ", i == 0 ? row.when : "", i < who.size() ? who[i] : "",
           i < how.size() ? how[i] : "", i == 0 ? row.sources : "");
    }
  }
}

// "between Ann and Bob", or "" if nobody was asked for.
std::string whose(const std::vector<ActorId>& actors, ValueText& text) {
  if (actors.empty()) return "";
  if (actors.size() == 1) return " of " + text.actor_name(actors[0]);
  return fmt::format(" between {} and {}", text.actor_name(actors[0]), text.actor_name(actors[1]));
}

Result<void> print_table(const proto::Snapshot& view, const NamedTime& time, const std::vector<ContactBefore>& contacts,
                         const std::vector<ActorId>& actors, const WhoArgs& args) {
  ValueText text(view);
  WhoText who(view, text);
  SourceList sources(view);
  std::size_t counts[3] = {0, 0, 0};
  std::vector<Row> rows;
  const std::int64_t year =
      time.bounds.begin_max.is_finite() ? civil_from_days(time.bounds.begin_max.seconds / kSecondsPerDay).year : 0;
  for (const ContactBefore& contact : contacts) ++counts[static_cast<std::size_t>(contact.precedence)];
  for (const ContactBefore& contact : latest(contacts, args.last)) {
    DEMARCHE_TRY(const Interaction record, view.get_interaction(contact.interaction));
    Row row;
    row.mark = mark_of(contact.precedence);
    row.when = record.when ? format_human(*record.when, year) : "undated";
    DEMARCHE_ASSIGN(row.who, who.phrase(record));
    row.how = how_text(view, record, text);
    row.key = record.key.empty() ? fmt::format("{}", record.id.value) : safe(record.key);
    DEMARCHE_ASSIGN(row.sources, sources.numbers(record));
    rows.push_back(std::move(row));
  }
  std::string head = fmt::format("Before {} ({}){}: {} certain", safe(time.label), time_text(time),
                                 safe(whose(actors, text)), counts[0]);
  if (!args.certain) head += fmt::format(", {} under way, {} possible", counts[1], counts[2]);
  if (rows.size() < contacts.size()) head += fmt::format("; the latest {} of them", rows.size());
  print(head + "\n");
  if (!rows.empty()) print_rows(rows);
  print(
      "= certain  ~ under way  ? possible | a..b one day within, a-b lasted | * mediator | no record is no proof of no "
      "contact\n");
  if (!rows.empty()) print(sources.legend() + "\n");
  return {};
}

Result<void> print_records(const proto::Snapshot& view, std::span<const ContactBefore> contacts,
                           const OutputOptions& output) {
  ValueText text(view);
  SourceList sources(view);
  const auto writer =
      make_writer(output, {"certainty", "when", "kind", "key", "place", "participants", "sources"}, text);
  for (const ContactBefore& contact : contacts) {
    DEMARCHE_TRY(const Interaction record, view.get_interaction(contact.interaction));
    query::ValueList participants;
    for (const Participant& p : record.participants) {
      participants.push_back(
          query::Value::map({{"actor", query::Value::actor(p.actor)},
                             {"role", query::Value::string(std::string(role_name(p.role)))},
                             {"for", p.acting_for ? query::Value::actor(*p.acting_for) : query::Value()}}));
    }
    query::ValueList source_keys;
    for (const Claim& claim : record.claims) {
      DEMARCHE_TRY(std::string key, sources.key(claim.source));
      source_keys.push_back(query::Value::string(std::move(key)));
    }
    const auto maybe = [](const std::string& s) { return s.empty() ? query::Value() : query::Value::string(s); };
    writer->row({query::Value::string(word_of(contact.precedence)),
                 record.when ? query::Value::string(record.when->text) : query::Value(),
                 query::Value::string(view.kinds().get(record.kind).name), maybe(record.key), maybe(record.place),
                 query::Value::list(std::move(participants)), query::Value::list(std::move(source_keys))});
  }
  writer->finish();
  return {};
}

}  // namespace

int run_who(const WhoArgs& args) {
  auto opened = open_place(args.store);
  return opened ? show_who(*opened->session, args) : fail(opened.error());
}

int show_who(proto::Session& session, const WhoArgs& args) {
  const auto state = session.snapshot_as_of(args.as_of);
  if (!state) return fail(state.error());
  const proto::Snapshot* view = state->get();
  const auto time = named_time(*view, args.before, args.according_to);
  if (!time) return fail(time.error());
  BeforeOptions options;
  options.certain_only = args.certain;
  options.except = time->interaction;
  for (const std::string& name : args.actors) {
    const auto actor = view->resolve_actor(name);
    if (!actor) return fail(actor.error());
    options.actors.push_back(*actor);
  }
  const auto contacts = view->contacts_before(time->bounds, options);
  if (!contacts) return fail(contacts.error());
  options.planned_or_cancelled = true;
  const auto not_held = view->contacts_before(time->bounds, options);
  if (!not_held) return fail(not_held.error());
  const auto printed = args.output.format == Format::kTable
                           ? print_table(*view, *time, *contacts, options.actors, args)
                           : print_records(*view, latest(*contacts, args.last), args.output);
  if (!printed) return fail(printed.error());
  if (!not_held->empty()) {
    say(fmt::format("{} more planned or cancelled, and not counted", not_held->size()));
  }
  if (args.output.format == Format::kTable && !contacts->empty())
    print(args.in_shell ? "what was said of one: .why KEY\n"
                        : safe(fmt::format("what was said of one: demarche why {} KEY", args.store)) + "\n");
  return flush_output() ? kDone : kFailed;
}

}  // namespace demarche::cli

// What is held of one interaction, and what each source says of it.

#include <charconv>
#include <cstdint>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/open.h"

namespace demarche::cli {

namespace {

constexpr std::size_t kLabelWidth = 10;

void field(std::string_view label, std::string_view value, std::string_view indent = "  ") {
  if (value.empty()) return;
  const std::size_t room = output_width() > 40 ? output_width() - indent.size() - kLabelWidth - 1 : 30;
  bool first = true;
  for (const std::string& line : wrapped(safe(value), room)) {
    print(fmt::format("{}{} {}\n", indent, padded(first ? label : "", kLabelWidth), line));
    first = false;
  }
}

std::string when_text(const When& when) { return fmt::format("{}  ({})", when.text, format_human(when)); }

// Marks what a source gives otherwise than the record has it.
std::string against(bool differs) { return differs ? "   << differs from what is held" : ""; }

Result<void> print_claim(const proto::Snapshot& view, const Interaction& record, const Claim& claim,
                         std::size_t number) {
  DEMARCHE_TRY(const Source source, view.get_source(claim.source));
  print(fmt::format("{} {}{}\n", number, safe(source.key), claim.locator.empty() ? "" : ", " + safe(claim.locator)));
  field("title", source.title);
  field("publisher", source.publisher);
  field("grade", source.grade);
  const auto& published = claim.published ? claim.published : source.published;
  field("published", published ? when_text(*published) : "not stated");
  if (claim.when)
    field("when", when_text(*claim.when) + against(!record.when || claim.when->bounds != record.when->bounds));
  if (claim.status != Status::kNone) {
    field("status", std::string(status_name(claim.status)) +
                        against(record.status != Status::kNone && claim.status != record.status));
  }
  if (!claim.words.empty()) field("words", "\"" + claim.words + "\"");
  field("note", claim.note);
  return {};
}

Result<void> print_record(const proto::Snapshot& view, const Interaction& record) {
  ValueText text(view);
  print(fmt::format("{}  {}\n", record.key.empty() ? safe(text.interaction_name(record.id)) : safe(record.key),
                    safe(view.kinds().get(record.kind).name)));
  field("when", record.when ? when_text(*record.when) : "undated");
  field("status", status_name(record.status));
  field("place", record.place);
  for (const Participant& p : record.participants) {
    DEMARCHE_TRY(
        std::string name,
        name_with_office(view, p.actor, record.when ? std::optional(record.when->bounds) : std::nullopt, text));
    if (p.acting_for) name += " for " + text.actor_name(*p.acting_for);
    field(role_name(p.role), name);
  }
  if (record.part_of) field("part of", text.interaction_name(*record.part_of));
  for (const auto& [key, value] : record.properties) field(safe(key), text.plain(query::from_property(value)));
  print(record.claims.empty() ? "\nno source is recorded\n"
                              : "\nwhat the sources say (the values above are the keeper's judgement)\n");
  for (std::size_t i = 0; i < record.claims.size(); ++i)
    DEMARCHE_CHECK(print_claim(view, record, record.claims[i], i + 1));
  return {};
}

}  // namespace

int run_why(const WhyArgs& args) {
  auto opened = open_place(args.store);
  return opened ? show_why(*opened->session, args) : fail(opened.error());
}

int show_why(proto::Session& session, const WhyArgs& args) {
  const auto state = session.snapshot_as_of(args.as_of);
  if (!state) return fail(state.error());
  const proto::Snapshot* view = state->get();
  const auto id = view->find_interaction(args.key);
  if (!id) return fail(id.error());
  // Interactions without a key are shown by number elsewhere: the number serves as well.
  std::uint64_t number = 0;
  const char* const end = args.key.data() + args.key.size();
  if (!*id && std::from_chars(args.key.data(), end, number).ptr == end && !args.key.empty()) {
    const auto record = view->get_interaction(InteractionId{number});
    if (record) {
      if (const auto printed = print_record(*view, *record); !printed) return fail(printed.error());
      return flush_output() ? kDone : kFailed;
    }
    if (record.error().code != ErrorCode::kNotFound) return fail(record.error());
  }
  if (!*id) {
    complain(fmt::format("there is no interaction with the key '{}'{}", args.key, nearest_key_hint(*view, args.key)));
    return kFailed;
  }
  const auto record = view->get_interaction(**id);
  if (!record) return fail(record.error());
  if (const auto printed = print_record(*view, *record); !printed) return fail(printed.error());
  return flush_output() ? kDone : kFailed;
}

}  // namespace demarche::cli

#include "tests/crash/model.h"

#include <algorithm>
#include <map>
#include <random>

#include <fmt/format.h>

namespace demarche::tests {

namespace {

constexpr std::size_t kLargePlaceBytes = 6000;

class Dice {
 public:
  Dice(std::uint64_t seed, std::uint64_t serial) : random_(seed * 0x9E3779B97F4A7C15ULL + serial) {}
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <typename T, std::size_t N>
  const T& of(const T (&items)[N]) {
    return items[below(N)];
  }
  // Text that does not compress well.
  std::string text(std::size_t bytes) {
    std::string out;
    while (out.size() < bytes) out += fmt::format("{:016x} ", random_());
    out.resize(bytes);
    return out;
  }

 private:
  std::mt19937_64 random_;
};

constexpr const char* kDates[] = {"",          "2016-04-13", "2016-04-13/2016-04-27", "2016-05",
                                  "1815/1816", "2015-12-24", "2016-04-29T10:00:00Z",  "1648",
                                  "2016-03~"};
constexpr const char* kLabels[] = {"Person", "Country", "Organisation", "Envoy"};
constexpr KindId kKinds[] = {kinds::kMeeting, kinds::kCall, kinds::kVisit, kinds::kNegotiation};
constexpr Role kRoles[] = {Role::kParticipant, Role::kCaller, Role::kMediator, Role::kHost};

When date(const char* text) { return *parse_when(text); }

bool same(const Actor& a, const Actor& b) {
  return a.id == b.id && a.key == b.key && a.name == b.name && a.labels == b.labels && a.aliases == b.aliases &&
         a.properties == b.properties;
}
bool same(const Source& a, const Source& b) {
  return a.id == b.id && a.key == b.key && a.title == b.title && a.publisher == b.publisher && a.url == b.url &&
         a.published == b.published && a.grade == b.grade && a.note == b.note;
}
bool same(const Interaction& a, const Interaction& b) {
  return a.id == b.id && a.key == b.key && a.kind == b.kind && a.when == b.when && a.participants == b.participants &&
         a.status == b.status && a.place == b.place && a.part_of == b.part_of && a.properties == b.properties &&
         a.claims == b.claims;
}

// A row as text, to compare and to show.
std::string row_text(InteractionId id, KindId kind, Status status, const TimeBounds& bounds,
                     std::span<const Party> parties) {
  std::string out =
      fmt::format("{} kind {} status {} [{} {} {} {}]", id.value, kind.value, static_cast<int>(status),
                  bounds.begin_min.seconds, bounds.begin_max.seconds, bounds.end_min.seconds, bounds.end_max.seconds);
  for (const Party& party : parties) {
    out += fmt::format(" {}:{}:{}", party.actor.value, static_cast<int>(party.role), party.agent);
  }
  return out;
}

Result<std::vector<std::string>> rows_of(Result<RowCursor> cursor) {
  DEMARCHE_TRY(RowCursor rows, std::move(cursor));
  std::vector<std::string> out;
  RowBatch batch;
  do {
    DEMARCHE_CHECK(rows.next(batch));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      out.push_back(
          row_text(batch.interaction[i], batch.kind[i], batch.status[i], batch.bounds[i], batch.parties_of(i)));
    }
  } while (batch.size() > 0);
  return out;
}

Result<std::vector<ActorId>> ids_of(Result<ActorCursor> cursor) {
  DEMARCHE_TRY(ActorCursor actors, std::move(cursor));
  std::vector<ActorId> out;
  std::vector<ActorId> batch;
  do {
    DEMARCHE_CHECK(actors.next(batch));
    out.insert(out.end(), batch.begin(), batch.end());
  } while (!batch.empty());
  return out;
}

using Difference = Result<std::optional<std::string>>;

template <typename T>
std::optional<std::string> compare(const std::string& what, const std::vector<T>& got, const std::vector<T>& wanted) {
  if (got == wanted) return std::nullopt;
  const auto at =
      static_cast<std::size_t>(std::mismatch(got.begin(), got.end(), wanted.begin(), wanted.end()).first - got.begin());
  std::string text = fmt::format("{}: {} and not {}, different from the {}th", what, got.size(), wanted.size(), at + 1);
  if constexpr (std::is_same_v<T, std::string>) {
    text += fmt::format(": '{}' and not '{}'", at < got.size() ? got[at] : "", at < wanted.size() ? wanted[at] : "");
  }
  return text;
}

Difference actors_difference(const View& view, const Content& content) {
  std::vector<ActorId> all;
  std::map<std::string, std::vector<ActorId>> labelled;
  std::map<std::string, std::vector<ActorId>> named;
  for (const Actor& actor : content.actors) {
    all.push_back(actor.id);
    for (const std::string& label : actor.labels) labelled[label].push_back(actor.id);
    named[actor.name].push_back(actor.id);
    for (const std::string& alias : actor.aliases) named[alias].push_back(actor.id);
  }
  DEMARCHE_TRY(const auto ids, ids_of(view.actors()));
  if (auto text = compare("actors", ids, all)) return text;
  for (const Actor& wanted : content.actors) {
    DEMARCHE_TRY(const Actor got, view.get_actor(wanted.id));
    if (!same(got, wanted)) return fmt::format("actor {} is not as it was written", wanted.key);
    DEMARCHE_TRY(const auto by_key, view.find_actor(wanted.key));
    if (by_key != wanted.id) return fmt::format("actor {} is not found by its key", wanted.key);
  }
  for (const char* label : kLabels) {
    DEMARCHE_TRY(const auto got, ids_of(view.actors_with_label(label)));
    if (auto text = compare(fmt::format("actors with label {}", label), got, labelled[label])) return text;
  }
  for (const auto& [name, wanted] : named) {
    DEMARCHE_TRY(const auto got, view.find_actors_by_name(name));
    if (auto text = compare(fmt::format("actors with name {}", name), got, wanted)) return text;
  }
  DEMARCHE_TRY(const auto names, view.names("", std::size_t{1} << 30));
  std::size_t wanted_names = 0;
  for (const auto& [name, wanted] : named) wanted_names += wanted.size();
  if (names.size() != wanted_names) return fmt::format("{} names and not {}", names.size(), wanted_names);
  return std::nullopt;
}

Difference rows_difference(const View& view, const Content& content) {
  std::vector<const Interaction*> in_order;
  for (const Interaction& i : content.interactions) in_order.push_back(&i);
  const auto begin_of = [](const Interaction* i) { return i->when ? i->when->bounds.begin_min : Timestamp::lowest(); };
  std::stable_sort(in_order.begin(), in_order.end(),
                   [&](const Interaction* a, const Interaction* b) { return begin_of(a) < begin_of(b); });
  std::vector<std::string> all;
  std::map<std::uint64_t, std::vector<std::string>> of_actor;
  for (const Interaction* i : in_order) {
    const std::vector<Party> parties = parties_of(i->participants);
    std::string text = row_text(i->id, i->kind, i->status, i->when ? i->when->bounds : TimeBounds{}, parties);
    std::vector<std::uint64_t> met;
    for (const Party& party : parties) {
      if (std::find(met.begin(), met.end(), party.actor.value) != met.end()) continue;
      met.push_back(party.actor.value);
      of_actor[party.actor.value].push_back(text);
    }
    all.push_back(std::move(text));
  }
  DEMARCHE_TRY(const auto timeline, rows_of(view.timeline({}, {})));
  if (auto text = compare("timeline", timeline, all)) return text;
  for (const Actor& actor : content.actors) {
    DEMARCHE_TRY(const auto rows, rows_of(view.scan(actor.id, {}, {})));
    if (auto text = compare("rows of " + actor.key, rows, of_actor[actor.id.value])) return text;
  }
  return std::nullopt;
}

Difference records_difference(const View& view, const Content& content) {
  for (const Interaction& wanted : content.interactions) {
    DEMARCHE_TRY(const Interaction got, view.get_interaction(wanted.id));
    if (!same(got, wanted)) return fmt::format("interaction {} is not as it was written", wanted.key);
    DEMARCHE_TRY(const auto by_key, view.find_interaction(wanted.key));
    if (by_key != wanted.id) return fmt::format("interaction {} is not found by its key", wanted.key);
  }
  if (view.get_interaction(InteractionId{content.interactions.size() + 1})) return "an interaction too many";
  for (const Source& wanted : content.sources) {
    DEMARCHE_TRY(const Source got, view.get_source(wanted.id));
    if (!same(got, wanted)) return fmt::format("source {} is not as it was written", wanted.key);
    DEMARCHE_TRY(const auto by_key, view.find_source(wanted.key));
    if (by_key != wanted.id) return fmt::format("source {} is not found by its key", wanted.key);
  }
  if (view.get_source(SourceId{content.sources.size() + 1})) return "a source too many";
  return std::nullopt;
}

}  // namespace

Draft Draft::draw(std::uint64_t seed, std::uint64_t serial, const Counts& before) {
  Dice dice(seed, serial);
  Draft draft;
  draft.serial = serial;
  const bool large = dice.one_in(15);
  if (dice.one_in(20)) draft.kinds.push_back(fmt::format("KIND_{}", serial));
  for (std::uint64_t n = dice.below(2); n > 0; --n) {
    Source source;
    source.id = SourceId{before.sources + draft.sources.size() + 1};
    source.key = fmt::format("source-{}-{}", serial, n);
    source.title = dice.text(dice.below(80));
    source.publisher = "Press office";
    source.grade = "B2";
    if (dice.one_in(2)) source.published = date("2016-05-01");
    draft.sources.push_back(std::move(source));
  }
  for (std::uint64_t n = before.actors < 2 ? 2 : dice.below(large ? 30 : 4); n > 0; --n) {
    Actor actor;
    actor.id = ActorId{before.actors + draft.actors.size() + 1};
    actor.key = fmt::format("actor-{}-{}", serial, n);
    actor.name = fmt::format("envoy {} {}", serial, n);
    if (dice.one_in(2)) actor.aliases.push_back(fmt::format("alias {} {}", serial, n));
    if (dice.one_in(2)) actor.labels.push_back(dice.of(kLabels));
    if (dice.one_in(3)) set_property(actor.properties, "note", {dice.text(dice.below(300))});
    draft.actors.push_back(std::move(actor));
  }
  const std::uint64_t actors = before.actors + draft.actors.size();
  const std::uint64_t sources = before.sources + draft.sources.size();
  for (std::uint64_t n = large ? 20 + dice.below(60) : dice.below(6); n > 0; --n) {
    Interaction i;
    i.id = InteractionId{before.interactions + draft.interactions.size() + 1};
    i.key = fmt::format("interaction-{}-{}", serial, n);
    i.kind = draft.kinds.empty() ? dice.of(kKinds) : KindId{kinds::kFirstDeclared.value + before.kinds};
    if (const char* text = dice.of(kDates); *text != '\0') i.when = date(text);
    for (std::uint64_t p = 1 + dice.below(3); p > 0; --p) {
      Participant participant{ActorId{1 + dice.below(actors)}, dice.of(kRoles), std::nullopt};
      const ActorId other{1 + dice.below(actors)};
      if (dice.one_in(3) && other != participant.actor) participant.acting_for = other;
      i.participants.push_back(participant);
    }
    i.status = dice.one_in(3) ? Status::kHeld : Status::kNone;
    i.place = dice.text(large ? dice.below(kLargePlaceBytes) : dice.below(60));
    set_property(i.properties, "serial", {static_cast<std::int64_t>(serial)});
    if (sources > 0 && dice.one_in(2)) {
      Claim claim;
      claim.source = SourceId{1 + dice.below(sources)};
      claim.locator = fmt::format("page {}", n);
      i.claims.push_back(std::move(claim));
    }
    draft.interactions.push_back(std::move(i));
  }
  // A whole comes before its parts, so no circle closes.
  const std::uint64_t interactions = before.interactions + draft.interactions.size();
  if (interactions > 1 && dice.one_in(4)) {
    const std::uint64_t part = 2 + dice.below(interactions - 1);
    draft.parts.emplace_back(InteractionId{part}, InteractionId{1 + dice.below(part - 1)});
  }
  // Never empty.
  if (draft.actors.empty() && draft.interactions.empty() && draft.sources.empty()) {
    Actor actor;
    actor.id = ActorId{before.actors + 1};
    actor.key = fmt::format("actor-{}-0", serial);
    actor.name = fmt::format("envoy {} 0", serial);
    draft.actors.push_back(std::move(actor));
  }
  return draft;
}

Result<CommitNumber> write(Store& store, const Draft& draft) {
  DEMARCHE_TRY(auto tx, store.begin());
  for (const std::string& kind : draft.kinds) DEMARCHE_CHECK(tx->declare_kind(kind, kinds::kContact));
  for (const Source& source : draft.sources) DEMARCHE_CHECK(tx->add_source(source));
  for (const Actor& actor : draft.actors) DEMARCHE_CHECK(tx->add_actor(actor));
  for (const Interaction& interaction : draft.interactions) DEMARCHE_CHECK(tx->add_interaction(interaction));
  for (const auto& [part, whole] : draft.parts) DEMARCHE_CHECK(tx->set_part_of(part, whole));
  return tx->commit(fmt::format("transaction {}", draft.serial));
}

Counts Content::counts() const {
  return {actors.size(), interactions.size(), sources.size(), static_cast<std::uint32_t>(kinds.size())};
}

void Content::apply(const Draft& draft) {
  ++commits;
  kinds.insert(kinds.end(), draft.kinds.begin(), draft.kinds.end());
  sources.insert(sources.end(), draft.sources.begin(), draft.sources.end());
  actors.insert(actors.end(), draft.actors.begin(), draft.actors.end());
  interactions.insert(interactions.end(), draft.interactions.begin(), draft.interactions.end());
  for (const auto& [part, whole] : draft.parts) interactions[part.value - 1].part_of = whole;
}

Difference difference(const View& view, const Content& content) {
  const Statistics& s = view.statistics();
  const auto totals = [](auto commits, auto actors, auto interactions, auto sources) {
    return fmt::format("{} commits, {} actors, {} interactions, {} sources", commits, actors, interactions, sources);
  };
  const std::string got = totals(s.commit.value, s.actors, s.interactions, s.sources);
  const std::string wanted =
      totals(content.commits, content.actors.size(), content.interactions.size(), content.sources.size());
  if (got != wanted) return fmt::format("totals: {}; and not {}", got, wanted);
  for (std::size_t i = 0; i < content.kinds.size(); ++i) {
    const auto id = view.kinds().find(content.kinds[i]);
    if (!id || id->value != kinds::kFirstDeclared.value + i) return fmt::format("kind {} is gone", content.kinds[i]);
  }
  if (view.kinds().find_id(KindId{kinds::kFirstDeclared.value + static_cast<std::uint32_t>(content.kinds.size())}) !=
      nullptr) {
    return "a kind too many";
  }
  for (const auto part : {actors_difference, rows_difference, records_difference}) {
    DEMARCHE_TRY(auto text, part(view, content));
    if (text) return text;
  }
  return std::nullopt;
}

std::string Verdict::text() const {
  std::string out;
  if (lost > 0) out += fmt::format("{} acknowledged and lost; ", lost);
  if (!torn.empty()) out += "torn: " + torn + "; ";
  if (!refused.empty()) out += "refused: " + refused + "; ";
  return out.empty() ? "good" : out;
}

// ---- History

const Draft& History::begin() {
  begin(next_serial_);
  return begun_.back().draft;
}

void History::begin(std::uint64_t serial) {
  begun_.push_back({Draft::draw(seed_, serial, planned_.counts())});
  planned_.apply(begun_.back().draft);
  next_serial_ = serial + 1;
  ++doubtful_total_;
}

void History::acknowledge() {
  begun_.back().acknowledged = true;
  ++acknowledged_total_;
  --doubtful_total_;
}

void History::withdraw() {
  --doubtful_total_;
  begun_.pop_back();
  planned_ = settled_;
  for (const Begun& begun : begun_) planned_.apply(begun.draft);
}

Verdict History::settle(const std::string& path, StoreOptions options, std::unique_ptr<Store>* store) {
  Verdict verdict;
  std::size_t must = 0;  // so many of the begun must be there
  for (std::size_t i = 0; i < begun_.size(); ++i) {
    if (begun_[i].acknowledged) must = i + 1;
  }
  options.create_if_missing = !options.read_only;
  auto opened = Store::open(path, options);
  if (!opened) {
    verdict.refused = opened.error().message;
    return verdict;
  }
  const auto view = (*opened)->view();
  const std::uint64_t there = view->statistics().commit.value;
  const std::uint64_t wanted = settled_.commits + must;
  if (there < wanted) {
    verdict.lost = wanted - there;
    return verdict;
  }
  if (there > settled_.commits + begun_.size()) {
    verdict.torn = fmt::format("{} commits where {} were begun", there, settled_.commits + begun_.size());
    return verdict;
  }
  const std::size_t survivors = static_cast<std::size_t>(there - settled_.commits);
  for (std::size_t i = 0; i < begun_.size(); ++i) {
    const Draft& draft = begun_[i].draft;
    if (i < survivors) {
      settled_.apply(draft);
      if (!begun_[i].acknowledged) ++verdict.survived;
      continue;
    }
    for (const Actor& actor : draft.actors) gone_.push_back(actor.key);
  }
  begun_.clear();
  planned_ = settled_;
  const auto differs = difference(*view, settled_);
  if (!differs) {
    verdict.refused = "read: " + differs.error().message;
  } else if (*differs) {
    verdict.torn = **differs;
  }
  for (const std::string& key : gone_) {
    const auto found = view->find_actor(key);
    if (found && *found) verdict.torn = "came back: " + key;
  }
  if (store != nullptr) *store = std::move(*opened);
  return verdict;
}

}  // namespace demarche::tests

#include "tests/query/oracle/graph.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace demarche::oracle {

namespace {

const std::vector<std::string>& dates() {
  static const std::vector<std::string> texts = {"2016-04-18",
                                                 "2016-04-20",
                                                 "2016-04",
                                                 "2016",
                                                 "2015-12-31",
                                                 "[2016-04-18..2016-04-24]",
                                                 "[2016-03-01,2016-04-19]",
                                                 "2016-03-14/2016-03-24",
                                                 "2016-04-13/2016-04-27",
                                                 "2016-02-27/",
                                                 "2016-02-27/..",
                                                 "/2016-03-01",
                                                 "2016-04~",
                                                 "2016-04-20?",
                                                 "2016-04-18T10:00:00Z",
                                                 "2016-04-10~/2016-04-19"};
  return texts;
}

// Parties that fit a kind; from time to time any roles at all.
std::vector<Role> roles_for(const std::string& kind, Random& random) {
  const auto many = [&](Role role, std::size_t least, std::size_t most) {
    return std::vector<Role>(least + below(random, most - least + 1), role);
  };
  const auto with = [](std::vector<Role> first, const std::vector<Role>& rest) {
    first.insert(first.end(), rest.begin(), rest.end());
    return first;
  };
  if (chance(random, 15)) {
    std::vector<Role> out;
    for (std::size_t n = 1 + below(random, 4); n > 0; --n) {
      const auto role = static_cast<Role>(1 + below(random, kRoleCount));
      if (role != Role::kRepresented) out.push_back(role);
    }
    return out;
  }
  if (kind == "CALL") return with({Role::kCaller}, many(Role::kCallee, 1, 2));
  if (kind == "VISIT") return with({Role::kVisitor}, many(Role::kHost, 1, 2));
  if (kind == "MEDIATION" || (kind == "NEGOTIATION" && chance(random, 50)))
    return with({Role::kMediator}, many(Role::kDelegation, 2, 3));
  if (kind == "NEGOTIATION") return with({Role::kPrincipal}, with(many(Role::kCounterpart, 1, 3), {Role::kForum}));
  if (kind == "STATEMENT") return with({Role::kSpeaker}, with(many(Role::kAddressee, 0, 1), many(Role::kAbout, 0, 1)));
  if (kind == "WALKOUT") return with({Role::kWalkedOut}, many(Role::kForum, 0, 1));
  if (kind == "HOLDS_OFFICE") return {Role::kHolder, Role::kBody};
  if (chance(random, 30)) return {Role::kInitiator, Role::kRecipient};
  return many(Role::kParticipant, 2, 4);
}

Number make_number(Random& random) {
  if (chance(random, 30)) return {};
  if (chance(random, 10)) return {std::nullopt, true};
  return {static_cast<std::int64_t>(below(random, 4)), false};
}

void put_number(Properties& properties, const Number& x) {
  if (x.is_text) set_property(properties, "x", {std::string("x")});
  if (x.number) set_property(properties, "x", {*x.number});
}

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error("cannot make a graph: " + result.error().message);
  return std::move(*result);
}

}  // namespace

const std::vector<PlainKind>& plain_kinds() {
  static const std::vector<PlainKind> kinds = {
      {"INTERACTION", "", false},       {"CONTACT", "INTERACTION", false}, {"UTTERANCE", "INTERACTION", false},
      {"ACTION", "INTERACTION", false}, {"TIE", "INTERACTION", false},     {"CALL", "CONTACT", true},
      {"MEETING", "CONTACT", true},     {"VISIT", "CONTACT", true},        {"NEGOTIATION", "CONTACT", true},
      {"MEDIATION", "CONTACT", true},   {"STATEMENT", "UTTERANCE", false}, {"WALKOUT", "ACTION", false},
      {"HOLDS_OFFICE", "TIE", false}};
  return kinds;
}

bool kind_is(const std::string& kind, const std::string& above) {
  if (kind == above) return true;
  for (const PlainKind& k : plain_kinds()) {
    if (k.name == kind) return *k.parent != '\0' && kind_is(k.parent, above);
  }
  return false;
}

Filled make_graph(const std::string& folder, Random& random) {
  StoreOptions options;
  options.create_if_missing = true;
  options.sync = false;
  Filled out;
  out.store = must(Store::open(folder, options));
  const auto tx = must(out.store->begin());
  const std::size_t actors = 4 + below(random, 5);
  for (std::size_t i = 0; i < actors; ++i) {
    PlainActor plain;
    for (const char* label : {"A", "B", "C"}) {
      if (chance(random, 45)) plain.labels.emplace_back(label);
    }
    plain.x = make_number(random);
    Actor actor;
    actor.labels = plain.labels;
    put_number(actor.properties, plain.x);
    plain.id = static_cast<std::int64_t>(must(tx->add_actor(std::move(actor))).value);
    out.graph.actors.push_back(std::move(plain));
  }
  const std::size_t interactions = 6 + below(random, 9);
  for (std::size_t i = 0; i < interactions; ++i) {
    PlainInteraction plain;
    plain.kind = plain_kinds()[5 + below(random, plain_kinds().size() - 5)].name;
    const auto anyone = [&] { return ActorId{static_cast<std::uint64_t>(one_of(random, out.graph.actors).id)}; };
    for (const Role role : roles_for(plain.kind, random)) {
      Participant p{anyone(), role, std::nullopt};
      if (chance(random, 20)) p.acting_for = anyone();
      if (p.acting_for == p.actor) p.acting_for.reset();
      plain.participants.push_back(p);
    }
    if (chance(random, 90)) plain.when = one_of(random, dates());
    if (chance(random, 70)) plain.status = std::vector<std::string>{"held", "planned", "cancelled"}[below(random, 3)];
    plain.x = make_number(random);
    Interaction record;
    record.kind = *tx->view().kinds().find(plain.kind);
    record.participants = plain.participants;
    if (plain.when) {
      record.when = must(parse_when(*plain.when));
      plain.bounds = record.when->bounds;
    }
    if (!plain.status.empty()) record.status = *find_status(plain.status);
    put_number(record.properties, plain.x);
    plain.id = static_cast<std::int64_t>(must(tx->add_interaction(std::move(record))).value);
    out.graph.interactions.push_back(std::move(plain));
  }
  must(tx->commit("graph"));
  if (chance(random, 50)) {  // half of them from sealed blocks, half from the tail in memory
    if (auto sealed = out.store->seal(); !sealed) throw std::runtime_error(sealed.error().message);
  }
  return out;
}

}  // namespace demarche::oracle

#include "query/unknown_names.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "engine/names.h"

namespace demarche::query {

namespace {

using Names = std::set<std::string>;

const std::vector<std::string>& actor_fields() {
  static const std::vector<std::string> fields = {"key", "name", "aliases"};
  return fields;
}
const std::vector<std::string>& interaction_fields() {
  static const std::vector<std::string> fields = {"key", "when", "begin", "end", "place", "status", "part_of"};
  return fields;
}

// What a query asks for, and what it writes.
struct Asked {
  Names labels;
  Names actor_keys;
  Names interaction_keys;
  Names written;
};

void add_labels(const ast::LabelExpr& expr, Names& out) {
  if (expr.op == ast::LabelExpr::Op::kName) out.insert(expr.name);
  for (const ast::LabelExpr& operand : expr.operands) add_labels(operand, out);
}

class Collector {
 public:
  explicit Collector(const bound::Query& query) : query_(query) {}

  Asked run() {
    read(query_.steps);
    for (const bound::Step& step : query_.steps) {
      if (const auto* create = std::get_if<bound::Create>(&step)) write(*create);
      if (const auto* update = std::get_if<bound::Update>(&step)) write(update->changes);
      if (const auto* merge = std::get_if<bound::Merge>(&step)) {
        write(merge->create);
        write(merge->on_create);
        write(merge->on_match);
      }
    }
    for (Names* names : {&out_.labels, &out_.actor_keys, &out_.interaction_keys})
      std::erase_if(*names, [&](const std::string& name) { return out_.written.contains(name); });
    return std::move(out_);
  }

 private:
  void read(const std::vector<bound::Step>& steps) {
    for_each_expression(steps, [this](const bound::Expr& expr) { read(expr); });
  }

  void read(const bound::Expr& expr) {
    if (const auto* subquery = std::get_if<bound::Subquery>(&expr.node)) read(subquery->body->steps);
    if (const auto* test = std::get_if<bound::HasLabels>(&expr.node);
        test != nullptr && kind_of(*test->subject) == ValueKind::kActor)
      add_labels(test->labels, out_.labels);
    const auto* property = std::get_if<bound::PropertyOf>(&expr.node);
    if (property == nullptr) return;
    const ValueKind kind = kind_of(*property->object);
    if (kind == ValueKind::kActor) out_.actor_keys.insert(property->key);
    if (kind == ValueKind::kInteraction) out_.interaction_keys.insert(property->key);
  }

  // Null: not surely an actor or an interaction.
  [[nodiscard]] ValueKind kind_of(const bound::Expr& expr) const {
    const auto* ref = std::get_if<bound::SlotRef>(&expr.node);
    if (ref == nullptr) return ValueKind::kNull;
    const auto it = query_.sure_kinds.find(ref->slot);
    return it == query_.sure_kinds.end() ? ValueKind::kNull : it->second;
  }

  void write(const bound::Create& create) {
    for (const auto& item : create.items) {
      if (const auto* actor = std::get_if<bound::CreateActor>(&item))
        out_.written.insert(actor->labels.begin(), actor->labels.end());
      std::visit([this](const auto& i) { write(i.properties); }, item);
    }
  }
  void write(const std::vector<bound::Change>& changes) {
    for (const bound::Change& change : changes) {
      out_.written.insert(change.key);
      out_.written.insert(change.labels.begin(), change.labels.end());
      if (change.op == ast::Change::Op::kAdd || change.op == ast::Change::Op::kReplace) write(change.value);
    }
  }
  void write(const bound::ExprPtr& properties) {
    const auto* map = properties ? std::get_if<bound::MapOf>(&properties->node) : nullptr;
    if (map == nullptr) return;
    for (const auto& [key, value] : map->entries) out_.written.insert(key);
  }

  const bound::Query& query_;
  Asked out_;
};

void add_keys(const Properties& properties, Names& known) {
  for (const auto& [key, value] : properties) known.insert(key);
}

// Labels and property names of all actors; false if that is not known.
bool actors_have(const View& view, Names& labels, Names& keys) {
  auto cursor = view.actors();
  std::vector<ActorId> ids;
  while (cursor && cursor->next(ids)) {
    if (ids.empty()) return true;
    for (const ActorId id : ids) {
      const auto actor = view.get_actor(id);
      if (!actor) return false;
      labels.insert(actor->labels.begin(), actor->labels.end());
      add_keys(actor->properties, keys);
    }
  }
  return false;
}

bool interactions_have(const View& view, Names& keys) {
  auto cursor = view.timeline({}, {});
  RowBatch rows;
  while (cursor && cursor->next(rows)) {
    if (rows.size() == 0) return true;
    for (const InteractionId id : rows.interaction) {
      const auto record = view.get_interaction(id);
      if (!record) return false;
      add_keys(record->properties, keys);
    }
  }
  return false;
}

std::string hint(const std::string& name, const Names& known) {
  const std::string near = nearest(name, {known.begin(), known.end()});
  return near.empty() || near == name ? "" : fmt::format("; did you mean {}?", near);
}

void note_keys(const Names& asked, const Names& known, std::string_view owner, std::vector<std::string>& out) {
  for (const std::string& key : asked) {
    if (!known.contains(key)) out.push_back(fmt::format("no {} has a property '{}'{}", owner, key, hint(key, known)));
  }
}

}  // namespace

std::vector<std::string> unknown_names(const View& view, const bound::Query& query) {
  Asked asked = Collector(query).run();
  const auto drop = [](Names& names, const std::vector<std::string>& fields) {
    for (const std::string& field : fields) names.erase(field);
  };
  drop(asked.actor_keys, actor_fields());
  drop(asked.interaction_keys, interaction_fields());
  const Statistics& totals = view.statistics();
  if (totals.actors > kRecordsLookedAt || totals.actors == 0) asked.actor_keys.clear();
  if (totals.interactions > kRecordsLookedAt || totals.interactions == 0) asked.interaction_keys.clear();
  std::erase_if(asked.labels, [&](const std::string& label) {
    auto cursor = view.actors_with_label(label);
    std::vector<ActorId> ids;
    return totals.actors == 0 || !cursor || !cursor->next(ids, 1) || !ids.empty();
  });

  std::vector<std::string> out;
  Names labels;
  Names keys(actor_fields().begin(), actor_fields().end());
  const bool small = totals.actors <= kRecordsLookedAt;
  const bool known = small && !(asked.labels.empty() && asked.actor_keys.empty()) && actors_have(view, labels, keys);
  for (const std::string& label : asked.labels)
    out.push_back(fmt::format("no actor has the label '{}'{}", label, hint(label, labels)));
  if (known) note_keys(asked.actor_keys, keys, "actor", out);
  keys = Names(interaction_fields().begin(), interaction_fields().end());
  if (!asked.interaction_keys.empty() && interactions_have(view, keys))
    note_keys(asked.interaction_keys, keys, "interaction", out);
  return out;
}

}  // namespace demarche::query

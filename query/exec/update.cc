// SET, REMOVE, DELETE and MERGE. Records keep their identity: each change writes a new version.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/contact.h"
#include "query/exec/evaluate.h"
#include "query/exec/functions.h"
#include "query/exec/write.h"

namespace demarche::query {

namespace {

using Op = ast::Change::Op;

void erase_property(Properties& properties, std::string_view key) {
  std::erase_if(properties, [&](const auto& entry) { return entry.first == key; });
}

bool is_name(const Value& v) { return v.kind() == ValueKind::kString && !v.as_string().empty(); }

// Sets what has a field of its own where the value fits it, else a property of that name; null removes both.
Result<void> set_value(Actor& actor, const std::string& key, const Value& value, Span span, ExecContext&) {
  erase_property(actor.properties, key);
  const bool texts =
      value.kind() == ValueKind::kList && std::all_of(value.as_list().begin(), value.as_list().end(),
                                                      [](const Value& v) { return v.kind() == ValueKind::kString; });
  if (key == "key") actor.key.clear();
  if (key == "name") actor.name.clear();
  if (key == "aliases") actor.aliases.clear();
  if (value.is_null()) return {};
  if (key == "key" && is_name(value)) {
    actor.key = value.as_string();
  } else if (key == "name" && is_name(value)) {
    actor.name = value.as_string();
  } else if (key == "aliases" && texts) {
    for (const Value& v : value.as_list()) actor.aliases.push_back(v.as_string());
  } else {
    DEMARCHE_TRY(PropertyValue stored, to_stored(key, value, span));
    set_property(actor.properties, key, std::move(stored));
  }
  return {};
}

Result<InteractionId> whole_of(const Value& value, Span span, ExecContext& context) {
  if (value.kind() == ValueKind::kInteraction) return value.as_interaction();
  if (value.kind() != ValueKind::kString)
    return runtime_error("TypeError", "InvalidArgumentType", span,
                         fmt::format("'part_of' is an interaction or its key, found {}", a_kind(value.kind())));
  DEMARCHE_TRY(const auto found, context.view().find_interaction(value.as_string()));
  if (found) return *found;
  return runtime_error("EntityNotFound", "Unknown", span,
                       fmt::format("there is no interaction '{}'", value.as_string()));
}

}  // namespace

Result<void> set_value(Interaction& record, const std::string& key, const Value& value, Span span,
                       ExecContext& context) {
  if ((key == "begin" || key == "end") && record.when) {
    return runtime_error("ArgumentError", "InvalidPropertyName", span,
                         fmt::format("'{}' is a part of 'when'; set when = 'begin/end'", key));
  }
  erase_property(record.properties, key);
  if (key == "key") record.key.clear();
  if (key == "place") record.place.clear();
  if (key == "when") record.when.reset();
  if (key == "status") record.status = Status::kNone;
  if (key == "part_of") record.part_of.reset();
  if (value.is_null()) return {};
  if (key == "key" && is_name(value)) {
    record.key = value.as_string();
  } else if (key == "place" && is_name(value)) {
    record.place = value.as_string();
  } else if (key == "when") {
    DEMARCHE_ASSIGN(record.when, to_when(value, span));
  } else if (key == "status" && is_name(value)) {
    DEMARCHE_ASSIGN(record.status, to_status(value.as_string(), span));
  } else if (key == "part_of") {
    DEMARCHE_ASSIGN(record.part_of, whole_of(value, span, context));
  } else {
    DEMARCHE_TRY(PropertyValue stored, to_stored(key, value, span));
    set_property(record.properties, key, std::move(stored));
  }
  return {};
}

namespace {

void clear_properties(Actor& actor) {
  actor.properties.clear();
  actor.key.clear();
  actor.name.clear();
  actor.aliases.clear();
}
void clear_properties(Interaction& record) {
  record.properties.clear();
  record.key.clear();
  record.place.clear();
  record.when.reset();
  record.status = Status::kNone;
}

Result<void> change_labels(Actor& actor, const bound::Change& change, ExecContext&) {
  for (const std::string& label : change.labels) {
    std::erase(actor.labels, label);
    if (change.op == Op::kLabels) actor.labels.push_back(label);
  }
  return {};
}
// An interaction has one kind, which can be changed but not taken away.
Result<void> change_labels(Interaction& record, const bound::Change& change, ExecContext& context) {
  if (change.op == Op::kRemoveLabels || change.labels.size() != 1) {
    return runtime_error("TypeError", "InvalidArgumentType", change.span,
                         "an interaction has exactly one kind; SET c:KIND changes it");
  }
  const KindTable& table = context.view().kinds();
  const auto kind = table.find(change.labels[0]);
  if (!kind)
    return runtime_error("EntityNotFound", "UnknownKind", change.span, table.unknown_message(change.labels[0]));
  record.kind = *kind;
  return {};
}

// Applies changes to the records they name, for one row after the other.
class Changer {
 public:
  explicit Changer(ExecContext& context) : context_(context) {}

  Result<void> operator()(const std::vector<bound::Change>& changes, const Batch& rows, std::size_t row) {
    for (const bound::Change& change : changes) {
      if (auto done = apply(change, rows, row); !done)
        return tl::unexpected(placed(std::move(done).error(), change.span));
    }
    return {};
  }

 private:
  Result<void> apply(const bound::Change& change, const Batch& rows, std::size_t row) {
    DEMARCHE_TRY(const Value target, evaluate(*change.target, rows, row, context_));
    Value value;
    if (change.value) DEMARCHE_ASSIGN(value, evaluate(*change.value, rows, row, context_));
    if (target.is_null()) return {};
    if (target.kind() == ValueKind::kActor) {
      DEMARCHE_TRY(const Actor* old, context_.actor(target.as_actor()));
      Actor actor = *old;
      DEMARCHE_CHECK(edit(actor, change, value));
      return put(target.as_actor(), std::move(actor), change.span);
    }
    if (target.kind() == ValueKind::kInteraction) {
      DEMARCHE_TRY(const Interaction* old, context_.interaction(target.as_interaction()));
      Interaction record = *old;
      DEMARCHE_CHECK(edit(record, change, value));
      return put(target.as_interaction(), std::move(record), change.span);
    }
    return runtime_error("TypeError", "InvalidArgumentType", change.target->span,
                         fmt::format("{} has no properties that can be changed", a_kind(target.kind())));
  }

  template <typename Record>
  Result<void> edit(Record& record, const bound::Change& change, const Value& value) {
    switch (change.op) {
      case Op::kLabels:
      case Op::kRemoveLabels:
        return change_labels(record, change, context_);
      case Op::kProperty:
      case Op::kRemoveProperty:
        return set_value(record, change.key, value, change.span, context_);
      case Op::kReplace:
      case Op::kAdd:
        break;
    }
    if (value.kind() != ValueKind::kMap && value.kind() != ValueKind::kActor &&
        value.kind() != ValueKind::kInteraction) {
      return runtime_error(
          "TypeError", "InvalidArgumentType", change.value->span,
          fmt::format("expected a map of properties, an actor or an interaction, found {}", a_kind(value.kind())));
    }
    DEMARCHE_TRY(const Value map, all_properties(value, context_, change.span));
    if (change.op == Op::kReplace) clear_properties(record);
    for (const auto& [key, item] : map.as_map()) DEMARCHE_CHECK(set_value(record, key, item, change.span, context_));
    return {};
  }

  Result<void> put(ActorId id, Actor actor, Span span) {
    if (const auto done = context_.transaction->replace_actor(id, std::move(actor)); !done)
      return tl::unexpected(at(done.error(), span));
    context_.written.actors_changed.insert(id);
    context_.forget(id, false);
    return {};
  }
  Result<void> put(InteractionId id, Interaction record, Span span) {
    if (const auto done = context_.transaction->replace_interaction(id, std::move(record)); !done)
      return tl::unexpected(at(done.error(), span));
    context_.written.interactions_changed.insert(id);
    return context_.forget(id, false);
  }

  ExecContext& context_;
};

class UpdateOp final : public Operator {
 public:
  UpdateOp(OperatorPtr input, const plan::Update& op, ExecContext& context)
      : input_(std::move(input)), op_(op), changer_(context) {}

  Result<void> next(Batch& out) override {
    DEMARCHE_CHECK(input_->next(out));
    for (std::size_t row = 0; row < out.size; ++row) DEMARCHE_CHECK(changer_(op_.update.changes, out, row));
    return {};
  }

 private:
  OperatorPtr input_;
  const plan::Update& op_;
  Changer changer_;
};

// ---- DELETE --------------------------------------------------------------------------------------------------------

class DeleteOp final : public Operator {
 public:
  DeleteOp(OperatorPtr input, const plan::Delete& op, ExecContext& context)
      : context_(context), input_(std::move(input)), op_(op) {}

  // Interactions go at once, actors when the last row has been seen: those of another row may hang on them.
  Result<void> next(Batch& out) override {
    DEMARCHE_CHECK(input_->next(out));
    for (std::size_t row = 0; row < out.size; ++row) {
      for (const bound::ExprPtr& what : op_.what.what) {
        DEMARCHE_TRY(const Value v, evaluate(*what, out, row, context_));
        DEMARCHE_CHECK(remove(v, what->span));
      }
    }
    if (out.size > 0) return {};
    for (const auto& [id, span] : std::exchange(actors_, {})) DEMARCHE_CHECK(remove_actor(id, span));
    return {};
  }

 private:
  Result<void> remove(const Value& v, Span span) {
    switch (v.kind()) {
      case ValueKind::kNull:
        return {};
      case ValueKind::kActor:
        actors_.emplace_back(v.as_actor(), span);
        return {};
      case ValueKind::kInteraction:
        return remove_interaction(v.as_interaction(), span);
      case ValueKind::kPath:
        for (const InteractionId id : v.as_path().interactions) DEMARCHE_CHECK(remove_interaction(id, span));
        for (const ActorId id : v.as_path().actors) actors_.emplace_back(id, span);
        return {};
      default:
        break;
    }
    return runtime_error("TypeError", "InvalidArgumentType", span,
                         fmt::format("DELETE takes actors, interactions and paths, found {}", a_kind(v.kind())));
  }

  Result<void> remove_interaction(InteractionId id, Span span) {
    if (context_.written.interactions_deleted.contains(id)) return {};
    DEMARCHE_CHECK(context_.forget(id, true));
    if (const auto done = context_.transaction->retire_interaction(id); !done)
      return tl::unexpected(at(done.error(), span));
    return {};
  }

  Result<void> remove_actor(ActorId id, Span span) {
    if (context_.written.actors_deleted.contains(id)) return {};
    if (op_.what.detach) DEMARCHE_CHECK(detach(id, span));
    const auto done = context_.transaction->retire_actor(id);
    if (!done && done.error().code == ErrorCode::kConflict) {
      context_.written.actors_to_delete.emplace_back(id, span);
      return {};
    }
    if (!done) return tl::unexpected(at(done.error(), span));
    context_.forget(id, true);
    return {};
  }

  // Two-party interactions go with the actor; out of larger ones it is taken, with what it did for others.
  Result<void> detach(ActorId id, Span span) {
    std::vector<InteractionId> all;
    DEMARCHE_TRY(RowCursor cursor, context_.view().scan(id, {}, {}));
    RowBatch rows;
    while (true) {
      DEMARCHE_CHECK(cursor.next(rows));
      if (rows.size() == 0) break;
      all.insert(all.end(), rows.interaction.begin(), rows.interaction.end());
    }
    for (const InteractionId interaction : all) {
      DEMARCHE_TRY(const Interaction* old, context_.interaction(interaction));
      if (parties_of(old->participants).size() <= 2) {
        DEMARCHE_CHECK(remove_interaction(interaction, span));
        continue;
      }
      Interaction record = *old;
      std::erase_if(record.participants, [&](const Participant& p) { return p.actor == id; });
      for (Participant& p : record.participants) {
        if (p.acting_for == id) p.acting_for.reset();
      }
      if (const auto done = context_.transaction->replace_interaction(interaction, std::move(record)); !done)
        return tl::unexpected(at(done.error(), span));
      context_.written.interactions_changed.insert(interaction);
      DEMARCHE_CHECK(context_.forget(interaction, false));
    }
    return {};
  }

  ExecContext& context_;
  OperatorPtr input_;
  const plan::Delete& op_;
  std::vector<std::pair<ActorId, Span>> actors_;
};

// ---- MERGE ---------------------------------------------------------------------------------------------------------

class MergeOp final : public RowByRow {
 public:
  MergeOp(OperatorPtr input, const plan::Node& node, const plan::Merge& op, std::size_t slots, ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), op_(op), slots_(slots), changer_(context) {}

 protected:
  Result<void> begin_row() override { return {}; }

  // Each row sees what the rows before it have created.
  Result<bool> more(Batch& out) override {
    const std::size_t first = out.size;
    DEMARCHE_CHECK(find(out));
    const bool found = out.size > first;
    if (!found) {
      carry(out);
      DEMARCHE_CHECK(check_values(out));
      DEMARCHE_CHECK(create_items(op_.create, out, context_));
      ++out.size;
    }
    const std::vector<bound::Change>& changes = found ? op_.on_match : op_.on_create;
    for (std::size_t row = first; row < out.size; ++row) DEMARCHE_CHECK(changer_(changes, out, row));
    return false;
  }

 private:
  // Appends a row for each way the pattern fits.
  Result<void> find(Batch& out) {
    Batch argument(slots_);
    argument.copy_row(in(), row(), node_.carried);
    argument.size = 1;
    const OperatorPtr inner = make_operator(*op_.inner, slots_, context_, &argument);
    Batch rows(slots_);
    while (true) {
      DEMARCHE_CHECK(inner->next(rows));
      if (rows.size == 0) return {};
      for (std::size_t i = 0; i < rows.size; ++i, ++out.size) {
        carry(out);
        out.copy_row(rows, i, op_.made);
      }
      out.weight += rows.weight;
    }
  }

  // Null equals nothing, so that a pattern with one would be created anew each time.
  Result<void> check_values(const Batch& out) {
    for (const auto& item : op_.create.items) {
      const auto& properties = std::visit([](const auto& i) -> const bound::ExprPtr& { return i.properties; }, item);
      const auto* map = properties ? std::get_if<bound::MapOf>(&properties->node) : nullptr;
      if (map == nullptr) continue;
      for (const auto& [key, expr] : map->entries) {
        DEMARCHE_TRY(const Value v, evaluate(*expr, out, out.size, context_));
        if (!v.is_null()) continue;
        return runtime_error("SemanticError", "MergeReadOwnWrites", expr->span,
                             fmt::format("MERGE cannot look for '{}' that is null; use CREATE, or leave it out", key));
      }
    }
    return {};
  }

  const plan::Merge& op_;
  std::size_t slots_;
  Changer changer_;
};

}  // namespace

OperatorPtr make_update(const plan::Node& node, OperatorPtr input, std::size_t slots, ExecContext& context) {
  if (const auto* update = std::get_if<plan::Update>(&node.op))
    return std::make_unique<UpdateOp>(std::move(input), *update, context);
  if (const auto* what = std::get_if<plan::Delete>(&node.op))
    return std::make_unique<DeleteOp>(std::move(input), *what, context);
  return std::make_unique<MergeOp>(std::move(input), node, std::get<plan::Merge>(node.op), slots, context);
}

namespace {

std::string named(const std::string& key, std::string_view what, std::uint64_t id) {
  return key.empty() ? fmt::format("{} {}", what, id) : fmt::format("'{}'", key);
}

// "'john-kerry' takes part in 'a', 'b', 'c' and 9 more".
Result<std::string> what_holds(ActorId id, ExecContext& context) {
  constexpr std::size_t kNamed = 3;
  DEMARCHE_TRY(const Actor* actor, context.actor(id));
  std::string out = named(actor->key.empty() ? actor->name : actor->key, "actor", id.value) + " takes part in ";
  DEMARCHE_TRY(RowCursor cursor, context.view().scan(id, {}, {}));
  RowBatch rows;
  DEMARCHE_CHECK(cursor.next(rows));
  for (std::size_t i = 0; i < std::min(kNamed, rows.size()); ++i) {
    DEMARCHE_TRY(const Interaction* record, context.interaction(rows.interaction[i]));
    out += (i == 0 ? "" : ", ") + named(record->key, "interaction", rows.interaction[i].value);
  }
  if (rows.size() > kNamed) out += " and others";
  return out;
}

}  // namespace

Result<void> finish_deletes(ExecContext& context) {
  for (const auto& [id, span] : std::exchange(context.written.actors_to_delete, {})) {
    if (context.written.actors_deleted.contains(id)) continue;
    const auto done = context.transaction->retire_actor(id);
    if (!done && done.error().code == ErrorCode::kConflict) {
      DEMARCHE_TRY(const std::string holds, what_holds(id, context));
      return runtime_error("ConstraintVerificationFailed", "DeleteConnectedNode", span,
                           holds + "; say DETACH DELETE, or delete these too");
    }
    if (!done) return tl::unexpected(at(done.error(), span));
    context.forget(id, true);
  }
  return {};
}

}  // namespace demarche::query

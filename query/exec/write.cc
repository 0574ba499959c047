// CREATE and RECORD.

#include "query/exec/write.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "engine/date_words.h"
#include "query/exec/evaluate.h"
#include "query/exec/functions.h"
#include "query/exec/temporal_functions.h"

namespace demarche::query {

Error at(Error error, Span span) {
  error.fault = std::make_shared<QueryFault>(
      QueryFault{"ArgumentError", "runtime", "InvalidArgument", span.offset, span.length, true});
  return error;
}

namespace {

// Takes entry `key` out of `map` if its value is a text; an empty one stays a property like any other.
std::optional<std::string> take_text(ValueMap& map, std::string_view key) {
  for (auto it = map.begin(); it != map.end(); ++it) {
    if (it->first != key || it->second.kind() != ValueKind::kString || it->second.as_string().empty()) continue;
    std::string text = it->second.as_string();
    map.erase(it);
    return text;
  }
  return std::nullopt;
}

}  // namespace

Result<ValueMap> evaluate_map(const bound::ExprPtr& expr, const Batch& in, std::size_t row, ExecContext& context) {
  if (!expr) return ValueMap();
  DEMARCHE_TRY(const Value v, evaluate(*expr, in, row, context));
  if (v.is_null()) return ValueMap();
  if (v.kind() != ValueKind::kMap) {
    return runtime_error("TypeError", "InvalidArgumentType", expr->span,
                         fmt::format("expected a map of properties, found {}", a_kind(v.kind())));
  }
  return v.as_map();
}

Result<PropertyValue> to_stored(const std::string& key, const Value& value, Span span) {
  auto stored = to_property(value);
  if (stored) return stored;
  return runtime_error("TypeError", "InvalidPropertyType", span,
                       fmt::format("property '{}': {}", key, stored.error().message));
}

namespace {

// What is left of a map once the fields are taken out; null means that there is no such property.
Result<Properties> to_properties(const ValueMap& map, Span span) {
  Properties out;
  for (const auto& [key, value] : map) {
    if (value.is_null()) continue;
    DEMARCHE_TRY(PropertyValue stored, to_stored(key, value, span));
    set_property(out, key, std::move(stored));
  }
  return out;
}

}  // namespace

Result<When> to_when(const Value& v, Span span) {
  if (v.is_time()) {
    DEMARCHE_TRY(const DateValue date, as_record_date(v.as_time(), span));
    return When{date.text, date.bounds};
  }
  auto when =
      v.kind() == ValueKind::kDate ? parse_when(v.as_date().text)
      : v.kind() == ValueKind::kString
          ? parse_when_or_words(v.as_string())
          : Result<When>(invalid(fmt::format("a date is a text such as '2016-04-29', found {}", a_kind(v.kind()))));
  if (!when) return runtime_error("ArgumentError", "InvalidDate", span, when.error().message);
  return when;
}

namespace {

Result<std::optional<When>> take_when(ValueMap& map, std::string_view key, Span span) {
  for (auto it = map.begin(); it != map.end(); ++it) {
    if (it->first != key) continue;
    if (it->second.is_null()) return std::nullopt;
    DEMARCHE_TRY(When when, to_when(it->second, span));
    map.erase(it);
    return when;
  }
  return std::nullopt;
}

}  // namespace

Result<Status> to_status(const std::string& text, Span span) {
  if (const auto status = find_status(text)) return *status;
  return runtime_error("ArgumentError", "InvalidStatus", span,
                       fmt::format("unknown status '{}'; held, planned or cancelled", text));
}

namespace {

Result<Status> take_status(ValueMap& map, Span span) {
  const auto text = take_text(map, "status");
  return text ? to_status(*text, span) : Status::kNone;
}

class EagerOp final : public Operator {
 public:
  EagerOp(OperatorPtr input, std::size_t slots, ExecContext& context)
      : context_(context), input_(std::move(input)), slots_(slots) {}

  Result<void> next(Batch& out) override {
    if (!drained_) {
      drained_ = true;
      while (true) {
        Batch batch(slots_);
        DEMARCHE_CHECK(context_.check());
        DEMARCHE_CHECK(input_->next(batch));
        if (batch.size == 0) break;
        DEMARCHE_CHECK(context_.hold_rows(batch.size));
        held_.push_back(std::move(batch));
      }
    }
    out.clear();
    if (next_ < held_.size()) out = std::move(held_[next_++]);
    return {};
  }

 private:
  ExecContext& context_;
  OperatorPtr input_;
  std::size_t slots_;
  bool drained_ = false;
  std::vector<Batch> held_;
  std::size_t next_ = 0;
};

class Creator {
 public:
  Creator(Batch& out, ExecContext& context) : out_(out), context_(context) {}

  Result<void> operator()(const bound::CreateActor& item) {
    DEMARCHE_TRY(ValueMap map, evaluate_map(item.properties, out_, out_.size, context_));
    Actor actor;
    actor.labels = item.labels;
    if (auto key = take_text(map, "key")) actor.key = std::move(*key);
    if (auto name = take_text(map, "name")) actor.name = std::move(*name);
    take_aliases(map, actor);
    DEMARCHE_ASSIGN(actor.properties, to_properties(map, item.span));
    auto id = context_.transaction->add_actor(std::move(actor));
    if (!id) return tl::unexpected(at(std::move(id).error(), item.span));
    ++context_.written.actors_created;
    out_.columns[item.slot].push_back(Value::actor(*id));
    return {};
  }

  Result<void> operator()(const bound::CreateInteraction& item) {
    DEMARCHE_TRY(ValueMap map, evaluate_map(item.properties, out_, out_.size, context_));
    Interaction record;
    auto kind = context_.view().kinds().find(item.kind);
    if (!kind) {
      auto declared = context_.transaction->declare_kind(item.kind, kinds::kInteraction);
      if (!declared) return tl::unexpected(at(std::move(declared).error(), item.span));
      kind = *declared;
    }
    record.kind = *kind;
    DEMARCHE_TRY(const ActorId from, end_of(item.from, item.span));
    DEMARCHE_TRY(const ActorId to, end_of(item.to, item.span));
    record.participants = {{from, Role::kInitiator, std::nullopt}, {to, Role::kRecipient, std::nullopt}};
    if (auto key = take_text(map, "key")) record.key = std::move(*key);
    if (auto place = take_text(map, "place")) record.place = std::move(*place);
    DEMARCHE_ASSIGN(record.when, take_when(map, "when", item.span));
    DEMARCHE_ASSIGN(record.status, take_status(map, item.span));
    DEMARCHE_ASSIGN(record.properties, to_properties(map, item.span));
    auto id = context_.transaction->add_interaction(std::move(record));
    if (!id) return tl::unexpected(at(std::move(id).error(), item.span));
    ++context_.written.interactions_created;
    out_.columns[item.slot].push_back(Value::interaction(*id));
    return {};
  }

 private:
  static void take_aliases(ValueMap& map, Actor& actor) {
    for (auto it = map.begin(); it != map.end(); ++it) {
      if (it->first != "aliases" || it->second.kind() != ValueKind::kList) continue;
      const ValueList& items = it->second.as_list();
      if (!std::all_of(items.begin(), items.end(), [](const Value& v) { return v.kind() == ValueKind::kString; }))
        return;
      for (const Value& v : items) actor.aliases.push_back(v.as_string());
      map.erase(it);
      return;
    }
  }

  Result<ActorId> end_of(Slot slot, Span span) const {
    const Value& v = out_.columns[slot].back();
    if (v.kind() != ValueKind::kActor) {
      return runtime_error("TypeError", "InvalidArgumentType", span,
                           fmt::format("an interaction joins actors, found {}", a_kind(v.kind())));
    }
    if (auto there = context_.actor(v.as_actor()); !there)  // it may have been deleted
      return tl::unexpected(placed(std::move(there).error(), span));
    return v.as_actor();
  }

  Batch& out_;
  ExecContext& context_;
};

class CreateOp final : public RowByRow {
 public:
  CreateOp(OperatorPtr input, const plan::Node& node, const plan::Create& op, std::size_t slots, ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), op_(op) {}

 protected:
  Result<void> begin_row() override { return {}; }
  Result<bool> more(Batch& out) override {
    carry(out);
    DEMARCHE_CHECK(create_items(op_.create, out, context_));
    ++out.size;
    return false;
  }

 private:
  const plan::Create& op_;
};

class RecordOp final : public RowByRow {
 public:
  RecordOp(OperatorPtr input, const plan::Node& node, const plan::Record& op, std::size_t slots, ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), op_(op.record) {}

 protected:
  Result<void> begin_row() override { return {}; }
  Result<bool> more(Batch& out) override {
    Interaction record;
    record.kind = op_.kind;
    record.status = op_.status;
    DEMARCHE_ASSIGN(record.key, text_of(op_.key));
    DEMARCHE_ASSIGN(record.place, text_of(op_.place));
    if (op_.when) {
      DEMARCHE_TRY(const Value v, evaluate(*op_.when, in(), row(), context_));
      if (!v.is_null()) DEMARCHE_ASSIGN(record.when, to_when(v, op_.when->span));
    }
    if (op_.part_of) {
      DEMARCHE_TRY(const std::string key, text_of(op_.part_of));
      DEMARCHE_ASSIGN(record.part_of, context_.view().find_interaction(key));
      if (!record.part_of) return unknown("interaction", key, op_.part_of->span);
    }
    for (const bound::RecordParticipant& p : op_.participants) DEMARCHE_CHECK(add_participant(p, record));
    for (const bound::RecordClaim& claim : op_.claims) {
      DEMARCHE_TRY(Claim made, make_claim(claim, in(), row(), context_));
      record.claims.push_back(std::move(made));
    }
    DEMARCHE_TRY(const ValueMap map, evaluate_map(op_.properties, in(), row(), context_));
    for (const char* field : {"key", "kind", "when", "begin", "end", "place", "status", "part_of"}) {
      if (find_entry(map, field) == nullptr) continue;
      return runtime_error(
          "ArgumentError", "InvalidPropertyName", op_.properties->span,
          fmt::format(
              "'{}' is a part of RECORD itself (the key after the kind, ON, AT, STATUS, PART OF), not a property",
              field));
    }
    DEMARCHE_ASSIGN(record.properties, to_properties(map, op_.span));
    auto id = context_.transaction->add_interaction(std::move(record));
    if (!id) return tl::unexpected(at(std::move(id).error(), op_.span));
    ++context_.written.interactions_created;
    carry(out);
    ++out.size;
    return false;
  }

 private:
  static tl::unexpected<Error> unknown(std::string_view what, const std::string& name, Span span) {
    return runtime_error("EntityNotFound", "Unknown", span, fmt::format("there is no {} '{}'", what, name));
  }

  Result<std::string> text_of(const bound::ExprPtr& expr) {
    if (!expr) return std::string();
    DEMARCHE_TRY(const Value v, evaluate(*expr, in(), row(), context_));
    if (v.is_null()) return std::string();
    if (v.kind() == ValueKind::kString) return v.as_string();
    return runtime_error("TypeError", "InvalidArgumentType", expr->span,
                         fmt::format("expected a text, found {}", a_kind(v.kind())));
  }

  // An actor by key, else by one of its names if only one actor has it.
  Result<ActorId> actor_of(const bound::ExprPtr& expr) {
    DEMARCHE_TRY(const std::string name, text_of(expr));
    auto id = context_.view().resolve_actor(name);
    if (!id) return tl::unexpected(at(std::move(id).error(), expr->span));
    return *id;
  }

  Role usual_role() const {
    const KindTable& table = context_.view().kinds();
    if (table.is_below(op_.kind, kinds::kContact)) return Role::kParticipant;
    return table.is_below(op_.kind, kinds::kUtterance) ? Role::kSpeaker : Role::kInitiator;
  }

  Result<void> add_participant(const bound::RecordParticipant& p, Interaction& record) {
    Participant out;
    DEMARCHE_ASSIGN(out.actor, actor_of(p.actor));
    if (p.acting_for) {
      DEMARCHE_TRY(const ActorId represented, actor_of(p.acting_for));
      out.acting_for = represented;
    }
    out.role = p.role.value_or(usual_role());
    record.participants.push_back(out);
    return {};
  }

  const bound::Record& op_;
};

}  // namespace

Result<Claim> make_claim(const bound::RecordClaim& c, const Batch& in, std::size_t row, ExecContext& context) {
  Claim out;
  DEMARCHE_TRY(const Value key, evaluate(*c.source, in, row, context));
  if (key.kind() != ValueKind::kString) {
    return runtime_error(
        "TypeError", "InvalidArgumentType", c.source->span,
        fmt::format("a source is named by its key, a text; found {}", key.is_null() ? "null" : a_kind(key.kind())));
  }
  DEMARCHE_TRY(const auto source, context.view().find_source(key.as_string()));
  if (!source) {
    return runtime_error(
        "EntityNotFound", "Unknown", c.span,
        fmt::format("there is no source '{}'; sources come by import, from a line {{\"source\": {{\"key\": \"{}\"}}}}",
                    key.as_string(), key.as_string()));
  }
  out.source = *source;
  DEMARCHE_TRY(ValueMap map, evaluate_map(c.properties, in, row, context));
  if (auto text = take_text(map, "locator")) out.locator = std::move(*text);
  if (auto text = take_text(map, "words")) out.words = std::move(*text);
  if (auto text = take_text(map, "note")) out.note = std::move(*text);
  DEMARCHE_ASSIGN(out.published, take_when(map, "published", c.span));
  DEMARCHE_ASSIGN(out.when, take_when(map, "when", c.span));
  DEMARCHE_ASSIGN(out.status, take_status(map, c.span));
  if (!map.empty()) {
    return runtime_error(
        "ArgumentError", "InvalidPropertyName", c.span,
        fmt::format("a claim has no '{}'; it has locator, words, note, published, when and status", map.front().first));
  }
  return out;
}

OperatorPtr make_eager(OperatorPtr input, std::size_t slots, ExecContext& context) {
  return std::make_unique<EagerOp>(std::move(input), slots, context);
}

// The properties of an item may read what the items before it have made in this row.
Result<void> create_items(const bound::Create& create, Batch& out, ExecContext& context) {
  Creator creator(out, context);
  for (const auto& item : create.items) DEMARCHE_CHECK(std::visit(creator, item));
  for (const auto& [slot, parts] : create.paths) {
    PathValue path;
    for (const Slot s : parts.first) path.actors.push_back(out.columns[s].back().as_actor());
    for (const Slot s : parts.second) path.interactions.push_back(out.columns[s].back().as_interaction());
    out.columns[slot].push_back(Value::path(std::move(path)));
  }
  return {};
}

OperatorPtr make_write(const plan::Node& node, OperatorPtr input, std::size_t slots, ExecContext& context) {
  if (const auto* record = std::get_if<plan::Record>(&node.op))
    return std::make_unique<RecordOp>(std::move(input), node, *record, slots, context);
  if (std::holds_alternative<plan::Correct>(node.op)) return make_correct(node, std::move(input), slots, context);
  // All is written before the next clause sees the first row.
  OperatorPtr eager = make_eager(std::move(input), slots, context);
  if (const auto* create = std::get_if<plan::Create>(&node.op)) {
    return make_eager(std::make_unique<CreateOp>(std::move(eager), node, *create, slots, context), slots, context);
  }
  return make_eager(make_update(node, std::move(eager), slots, context), slots, context);
}

}  // namespace demarche::query

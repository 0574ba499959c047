// CORRECT and RETRACT: one interaction is put right or taken back, and the commit keeps why.

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "engine/names.h"
#include "query/exec/evaluate.h"
#include "query/exec/write.h"

namespace demarche::query {

namespace {

constexpr std::size_t kReasonBytesMax = 10'000;

class CorrectOp final : public RowByRow {
 public:
  CorrectOp(OperatorPtr input, const plan::Node& node, const plan::Correct& op, std::size_t slots, ExecContext& context)
      : RowByRow(std::move(input), node, slots, context), op_(op.correct) {}

 protected:
  Result<void> begin_row() override { return {}; }
  Result<bool> more(Batch& out) override {
    DEMARCHE_TRY(const InteractionId id, interaction());
    DEMARCHE_ASSIGN(context_.reason, reason());
    DEMARCHE_CHECK(op_.retract ? retract(id) : correct(id));
    carry(out);
    ++out.size;
    return false;
  }

 private:
  // By key; one without a key, or shown by its number elsewhere, by that.
  Result<InteractionId> interaction() {
    DEMARCHE_TRY(const Value v, evaluate(*op_.interaction, in(), row(), context_));
    std::optional<std::uint64_t> number;
    std::string shown;
    if (v.kind() == ValueKind::kString) {
      shown = v.as_string();
      DEMARCHE_TRY(const auto found, context_.view().find_interaction(shown));
      if (found) return *found;
      std::uint64_t digits = 0;
      const char* end = shown.data() + shown.size();
      if (!shown.empty() && std::from_chars(shown.data(), end, digits).ptr == end) number = digits;
    } else if (v.kind() == ValueKind::kInteger && v.as_integer() >= 0) {
      number = static_cast<std::uint64_t>(v.as_integer());
      shown = std::to_string(*number);
    } else {
      return runtime_error("TypeError", "InvalidArgumentType", op_.interaction->span,
                           fmt::format("an interaction is named by its key or number, found {}",
                                       v.is_null() ? "null" : a_kind(v.kind())));
    }
    if (number) {
      auto record = context_.view().get_interaction(InteractionId{*number});
      if (record) return InteractionId{*number};
      if (record.error().code != ErrorCode::kNotFound) return tl::unexpected(std::move(record).error());
    }
    return runtime_error("EntityNotFound", "Unknown", op_.interaction->span,
                         fmt::format("there is no interaction '{}'", shown));
  }

  Result<std::string> reason() {
    DEMARCHE_TRY(const Value v, evaluate(*op_.reason, in(), row(), context_));
    const bool text = v.kind() == ValueKind::kString;
    if (!text || v.as_string().find_first_not_of(" \t\r\n") == std::string::npos) {
      return runtime_error("ArgumentError", "InvalidArgumentValue", op_.reason->span,
                           "a correction is kept with its reason; say why");
    }
    if (v.as_string().size() > kReasonBytesMax) {
      return runtime_error(
          "ArgumentError", "InvalidArgumentValue", op_.reason->span,
          fmt::format("a reason has at most {} bytes, found {}", kReasonBytesMax, v.as_string().size()));
    }
    return v.as_string();
  }

  Result<void> correct(InteractionId id) {
    DEMARCHE_TRY(Interaction record, context_.view().get_interaction(id));
    for (const bound::Correct::Field& field : op_.fields) {
      DEMARCHE_TRY(const Value value, evaluate(*field.value, in(), row(), context_));
      if (auto done = set_field(record, field, value); !done)
        return tl::unexpected(placed(std::move(done).error(), field.span));
    }
    for (const bound::RecordClaim& claim : op_.claims) {
      DEMARCHE_TRY(Claim made, make_claim(claim, in(), row(), context_));
      record.claims.push_back(std::move(made));
    }
    if (auto done = context_.transaction->replace_interaction(id, std::move(record)); !done)
      return tl::unexpected(at(std::move(done).error(), op_.span));
    context_.written.interactions_changed.insert(id);
    return context_.forget(id, false);
  }

  Result<void> set_field(Interaction& record, const bound::Correct::Field& field, const Value& value) {
    if (field.name != "kind") return set_value(record, field.name, value, field.span, context_);
    const KindTable& table = context_.view().kinds();
    const auto kind = value.kind() == ValueKind::kString ? table.find(value.as_string()) : std::nullopt;
    if (!kind) {
      return runtime_error("EntityNotFound", "UnknownKind", field.value->span,
                           value.kind() == ValueKind::kString
                               ? table.unknown_message(value.as_string())
                               : fmt::format("a kind is a text such as 'MEETING', found {}",
                                             value.is_null() ? "null" : a_kind(value.kind())));
    }
    record.kind = *kind;
    return {};
  }

  Result<void> retract(InteractionId id) {
    DEMARCHE_CHECK(context_.forget(id, true));
    if (auto done = context_.transaction->retire_interaction(id); !done)
      return tl::unexpected(at(std::move(done).error(), op_.span));
    return {};
  }

  const bound::Correct& op_;
};

}  // namespace

OperatorPtr make_correct(const plan::Node& node, OperatorPtr input, std::size_t slots, ExecContext& context) {
  return std::make_unique<CorrectOp>(std::move(input), node, std::get<plan::Correct>(node.op), slots, context);
}

}  // namespace demarche::query

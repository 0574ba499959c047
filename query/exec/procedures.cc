#include "query/exec/procedures.h"

#include <fmt/format.h>

#include "query/bind/function_table.h"
#include "query/exec/evaluate.h"
#include "query/exec/graph_procedures.h"

namespace demarche::query {

namespace {

Value text(std::string_view s) { return Value::string(std::string(s)); }
Value text_or_null(std::string_view s) { return s.empty() ? Value() : text(s); }

std::vector<ValueList> functions() {
  std::vector<ValueList> out;
  for (const FunctionDef& f : all_functions()) {
    out.push_back({text(f.name), text(f.signature), Value::boolean(f.aggregate), text(f.help)});
  }
  return out;
}

std::vector<ValueList> procedures() {
  std::vector<ValueList> out;
  for (const ProcedureDef& p : all_procedures()) {
    ValueList options;
    for (const ProcedureOption& o : options_of(p)) {
      options.push_back(text(fmt::format("{}: {}", o.name, option_type_name(o.type))));
    }
    out.push_back({text(p.name), text(signature(p)), Value::list(std::move(options)), text(p.help)});
  }
  return out;
}

std::vector<ValueList> kinds(const KindTable& table) {
  std::vector<ValueList> out;
  for (const Kind& kind : table.all()) {
    const bool root = kind.parent == kind.id || kind.parent.value == 0;
    out.push_back({text(kind.name), root ? Value() : text(table.get(kind.parent).name), text_or_null(kind.cameo),
                   text_or_null(kind.plover)});
  }
  return out;
}

}  // namespace

Result<void> check_argument(const ProcedureDef& procedure, std::size_t i, const Value& v, Span span) {
  const ProcedureField& field = procedure.arguments[i];
  const bool number = field.kind == ValueKind::kFloat && v.is_number();
  if (v.is_null() || v.kind() == field.kind || number) return {};
  return runtime_error(
      "TypeError", "InvalidArgumentType", span,
      fmt::format("{} of {} is {}, found {}", field.name, procedure.name, a_kind(field.kind), a_kind(v.kind())));
}

Result<std::vector<ValueList>> call_procedure(const ProcedureDef& procedure, const std::vector<Value>& arguments,
                                              Span span, ExecContext& context) {
  if (asks_a_graph(procedure.id)) {
    return call_graph_procedure(procedure, arguments.empty() ? Value() : arguments.front(), span, context);
  }
  switch (procedure.id) {
    case ProcedureId::kFunctions:
      return functions();
    case ProcedureId::kKinds:
      return kinds(context.view().kinds());
    case ProcedureId::kProcedures:
      return procedures();
    default:
      return std::vector<ValueList>();
  }
}

}  // namespace demarche::query

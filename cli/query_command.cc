#include <iterator>
#include <string>

#include <cstdio>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/open.h"
#include "query/query.h"

namespace demarche::cli {

namespace {

std::string read_standard_input() {
  std::string out;
  char buffer[65536];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, stdin)) > 0;) out.append(buffer, n);
  return out;
}

}  // namespace

int run_query_command(const QueryArgs& args) {
  const std::string text = args.text == "-" ? read_standard_input() : args.text;
  auto parameters = parse_parameters(args.parameters);
  if (!parameters) return fail(parameters.error());
  const auto writes = query::statement_writes(text);
  if (!writes) return fail(writes.error(), text);
  auto opened = open_place(args.store, *writes);
  if (!opened) return fail(opened.error());
  RunOptions options;
  options.output = args.output;
  options.parameters = std::move(*parameters);
  options.time_max_s = args.time_max_s;
  options.as_of = args.as_of;
  return run_statement(*opened->session, text, options);
}

}  // namespace demarche::cli

# Writes OUTPUT, a C++ file that holds the files of FOLDER as string literals.
# Called as: cmake -DFOLDER=... -DOUTPUT=... -P embed_demo.cmake
set(body "// Made from examples/syria-2016 by cli/embed_demo.cmake.\n#include <array>\n\n#include \"cli/demo_data.h\"\n\nnamespace demarche::cli {\n\nnamespace {\n\n")
set(table "")
set(count 0)
foreach(name sources actors interactions)
  file(READ ${FOLDER}/${name}.jsonl content)
  # One literal a line: a single one would be too long for the compilers.
  string(REGEX REPLACE "\n$" "" content "${content}")
  string(REPLACE "\n" "\\n)jsonl\"\nR\"jsonl(" content "${content}")
  string(REPLACE "\\n)jsonl\"" "\n)jsonl\"" content "${content}")
  string(APPEND body "constexpr const char k_${name}[] =\nR\"jsonl(${content}\n)jsonl\";\n\n")
  string(APPEND table "    DemoFile{\"${name}.jsonl\", {k_${name}, sizeof k_${name} - 1}},\n")
  math(EXPR count "${count} + 1")
endforeach()
string(APPEND body "constexpr std::array<DemoFile, ${count}> kFiles = {\n${table}};\n\n}  // namespace\n\nstd::span<const DemoFile> demo_files() { return kFiles; }\n\n}  // namespace demarche::cli\n")
file(WRITE ${OUTPUT} "${body}")

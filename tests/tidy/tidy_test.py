#!/usr/bin/env python3
"""The code checked as data: rules that the compiler cannot keep.

    python3 tests/tidy/tidy_test.py SOURCE_DIR

Reads the C++ sources and prints one line for each breach, 'file:line: what; use this instead'. Exit status 1 if there
is any. A rule is one function below, `rule_...`; tests/tidy/tidy_selftest.py breaks each of them on purpose.
"""

import bisect
import re
import sys
from pathlib import Path

# ---- what the rules speak of

# Folder -> folders whose headers it may include. tests and bench may include all.
LAYERS = {
    "engine": ("engine",),
    "query": ("engine", "query"),
    "proto": ("engine", "query", "proto"),
    "cli": ("engine", "query", "proto", "cli"),
}
FOLDERS = (*LAYERS, "tests", "bench")

# Folders within query, each may include itself and those before it.
STAGES = ("parse", "bind", "plan", "exec")

# Library headers and who may include them: paths that begin so, and their tests, which mirror them under tests/.
WALLS = (
    (re.compile(r"rocksdb/"), ("engine/impl/rocks_",)),
    (re.compile(r"(kj|capnp)/|.*\.capnp\.h$"), ("engine/impl/record_", "proto/", "cli/remote_")),
)

# The schema of stored records crosses the wall around engine/impl, for those who read records as they are stored.
SHARED_PRIVATE_HEADER = "engine/impl/record.capnp.h"

FILE_LINES_MAX = 900

# ---- reading C++

TOKEN = re.compile(
    r"""(?P<comment>//(?:\\\n|[^\n])*|/\*.*?(?:\*/|\Z))
      | (?P<raw>(?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)")
      | (?P<text>(?:u8|[uUL])?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
      | (?P<other>[A-Za-z_]\w*|\d(?:'?[\w.])*)""",  # words and numbers, so that 1'000 opens no text
    re.VERBOSE | re.DOTALL,
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?P<open>["<])(?P<path>[^">\n]+)[">]', re.MULTILINE)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)


def blank(text):
    """As many lines of as many characters, all spaces."""
    return re.sub(r"[^\n]", " ", text)


class Source:
    """One file. Positions in `text`, `uncommented` and `code` are the same."""

    def __init__(self, root, path):
        self.path = path  # from the root, with slashes
        self.text = (root / path).read_text(encoding="utf-8", errors="replace")
        self.uncommented = TOKEN.sub(self._without_comment, self.text)
        self.code = TOKEN.sub(self._without_text, self.text)  # neither comments nor the contents of strings
        self.is_header = path.endswith(".h")
        self.folder = path.split("/")[0]
        self._line_ends = [match.start() for match in re.finditer("\n", self.text)]

    @staticmethod
    def _without_comment(match):
        return blank(match[0]) if match["comment"] else match[0]

    @staticmethod
    def _without_text(match):
        return match[0] if match["other"] else blank(match[0])

    def line_of(self, position):
        return bisect.bisect_left(self._line_ends, position) + 1

    def includes(self):
        """(line, path, quoted) of each include."""
        for match in INCLUDE.finditer(self.uncommented):
            yield self.line_of(match.start("path")), match["path"], match["open"] == '"'

    def project_includes(self):
        """(line, path) of each include of this project's headers, whichever way it is written."""
        for line, path, quoted in self.includes():
            if quoted or path.split("/")[0] in FOLDERS:
                yield line, path

    def mirrored_path(self):
        """A test stands where what it tests stands; tests/crash reaches below the whole engine."""
        return self.path.replace("tests/crash/", "tests/engine/impl/", 1).removeprefix("tests/")


def closing(code, opening):
    """The position after the bracket that closes the one at `opening`; the end if none does."""
    left, right = code[opening], {"(": ")", "<": ">"}[code[opening]]
    depth = 0
    for position in range(opening, len(code)):
        if code[position] == left:
            depth += 1
        elif code[position] == right:
            depth -= 1
            if depth == 0:
                return position + 1
    return len(code)


# ---- rules: each yields (line, message)


def rule_include_form(source, root):
    """Includes of the project are quoted, from the root, and exist."""
    for line, path, quoted in source.includes():
        first = path.split("/")[0]
        if not quoted:
            if first in FOLDERS:
                yield line, f'<{path}> is a header of this project; use #include "{path}"'
        elif "/" not in path or first in (".", "..") or "/../" in path:
            yield line, f'"{path}" is not named from the root; use #include "folder/{path.split("/")[-1]}"'
        elif path.endswith(".capnp.h"):  # made by the build from the schema beside it
            if not (root / path.removesuffix(".h")).is_file():
                yield line, f'"{path}" has no schema "{path.removesuffix(".h")}"; use one that is there'
        elif not (root / path).is_file():
            yield line, f'"{path}" is not a file of this project; use <...> for libraries, or mend the path'


def rule_layers(source, root):
    """Nothing lower names anything higher."""
    allowed = LAYERS.get(source.folder)
    if allowed is None:
        return
    for line, path in source.project_includes():
        first = path.split("/")[0]
        if first in FOLDERS and first not in allowed:
            yield line, (
                f'{source.folder} includes "{path}", which is above it; use a value or a callback handed down, '
                f"or headers of {', '.join(allowed)}"
            )


def rule_private_headers(source, root):
    """engine/impl belongs to engine and to tests."""
    if source.folder not in ("query", "proto", "cli"):
        return
    for line, path in source.project_includes():
        if path.startswith("engine/impl/") and path != SHARED_PRIVATE_HEADER:
            yield line, f'{source.folder} includes "{path}", private to engine; use a header directly in engine/'


def rule_stages(source, root):
    """Within query: parse <- bind <- plan <- exec; the headers on top show no plan and no execution."""
    parts = source.path.split("/")
    if parts[0] != "query":
        return
    stage = parts[1] if len(parts) > 2 else None
    if stage and stage not in STAGES:
        order = " <- ".join(STAGES)
        yield 1, f"query/{stage}/ is not in {order}; use one of them, or give it a place in STAGES of tidy_test.py"
        return
    for line, path in source.project_includes():
        included = path.split("/")
        if included[0] != "query" or len(included) < 3:
            continue
        if stage and included[1] in STAGES and STAGES.index(included[1]) > STAGES.index(stage):
            yield line, (
                f'query/{stage} includes "{path}" of a later stage; use a value of an earlier stage, '
                f"or move the code to query/{included[1]}"
            )
        elif not stage and source.is_header and included[1] in ("plan", "exec"):
            yield line, f'a header of query itself includes "{path}"; use a forward declaration, and the .cc for it'


def rule_walls(source, root):
    """A library that must be replaceable is seen in few files."""
    for line, path, _ in source.includes():
        for pattern, places in WALLS:
            if pattern.match(path) and not source.mirrored_path().startswith(places):
                where = ", ".join(place + "*" for place in places)
                yield line, f"'{path}' is kept to {where}; use the types of the project that wrap it"


def rule_pragma_once(source, root):
    if source.is_header and not re.search(r"^[ \t]*#[ \t]*pragma[ \t]+once\b", source.code, re.MULTILINE):
        yield 1, "header without a guard; use #pragma once"


def rule_using_namespace(source, root):
    if source.is_header:
        for match in re.finditer(r"\busing\s+namespace\b", source.code):
            line = source.line_of(match.start())
            yield line, "'using namespace' in a header; use full names, or a using-declaration in the .cc"


PRINTS = re.compile(
    r"""(?P<what>
        \bstd::(?:cout|cerr|clog)\b
      | \bfmt::print(?:ln)?\b
      | (?<![\w.>])(?:std::)?v?(?:printf|puts|putchar)(?=\s*\()
      | \bstd(?:out|err)\b
      | (?<![\w.>])(?:std::)?(?:quick_|_)?exit(?=\s*\()
    )""",
    re.VERBOSE,
)


def rule_no_output(source, root):
    """Engine and query live inside other programs: they neither print nor end them."""
    if source.folder in ("engine", "query"):
        lines = set()  # fprintf(stderr, ...) and the like are one breach, not two
        for match in PRINTS.finditer(source.code):
            line = source.line_of(match.start())
            if line not in lines:
                lines.add(line)
                yield line, f"{source.folder} uses {match['what']}; use a Result, or the logger it was given"


RESULT = re.compile(r"\b(?:\w+::)*Result\s*(?=<)")
SPECIFIERS = re.compile(r"\s*(?:(?:static|virtual|inline|constexpr|extern|[A-Z][A-Z0-9_]+)\b\s*|\[\[[^\]]*\]\]\s*)*")
FUNCTION_NAME = re.compile(r"\s*[&*]?\s*(?:operator\s*(?:\(\s*\)|[^\s\w(]+)|[A-Za-z_]\w*)\s*\(")
TRAILING = re.compile(r"\bauto\s+[A-Za-z_]\w*\s*\(")


def statement_start(code, position):
    """Where the declaration that holds `position` begins: after ; { } or `public:`, and after template<...>."""
    start = max(code.rfind(mark, 0, position) for mark in ";{}") + 1
    for match in re.finditer(r"\b(?:public|protected|private)\s*:(?!:)", code[start:position]):
        start += match.end()
        break
    template = re.match(r"\s*template\s*(?=<)", code[start:position])
    if template:
        start = closing(code, start + template.end())
        after = r"\[\[|\bstatic\b|\bResult\b|\bdemarche::"
        requires = re.match(rf"\s*requires\b.*?(?={after})", code[start:], re.DOTALL)
        if requires:
            start += requires.end()
    return start


def rule_nodiscard(source, root):
    """tl::expected is not [[nodiscard]] itself, so every declaration says so."""
    if not source.is_header:
        return
    code = DIRECTIVE.sub(lambda match: blank(match[0]), source.code)
    for match in RESULT.finditer(code):
        start = statement_start(code, match.start())
        if start > match.start():  # within the brackets of template<...>
            continue
        before = code[start : match.start()]
        if before.rstrip().endswith("->"):
            name = TRAILING.search(before)
            if name is None or not SPECIFIERS.fullmatch(before[: name.start()]):
                continue
            line = source.line_of(start + name.start())
        else:
            # What is left after the specifiers says that this is a parameter, an argument, a return, a friend...
            name = FUNCTION_NAME.match(code, closing(code, match.end()))
            if name is None or not SPECIFIERS.fullmatch(before):
                continue
            line = source.line_of(match.start())
        if "[[nodiscard" not in before:
            yield line, "a function returns Result and may be ignored; use [[nodiscard]] in front of the declaration"


def rule_no_timing_assertions(source, root):
    if source.folder != "tests":
        return
    for match in re.finditer(r"\b(?:REQUIRE|CHECK)\w*\s*(?=\()", source.code):
        argument = source.code[match.end() : closing(source.code, match.end())]
        timed = re.search(r"\w*(?:duration_cast|elapsed)\w*", argument)
        if timed:
            yield source.line_of(match.start()), (
                f"asserts on '{timed[0]}', which fails on a slow machine; use a count of work done, or a case in bench/"
            )


def rule_file_length(source, root):
    lines = len(source.text.splitlines())
    if source.folder in LAYERS and lines > FILE_LINES_MAX:
        yield FILE_LINES_MAX + 1, f"{lines} lines, at most {FILE_LINES_MAX}; use one file for each subject"


RULES = [rule for name, rule in sorted(globals().items()) if name.startswith("rule_")]


def source_paths(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cc") and path.is_file():
                yield path.relative_to(root).as_posix()


def check(root):
    """(number of files, breaches as lines of text)"""
    breaches = []
    count = 0
    for path in source_paths(root):
        count += 1
        source = Source(root, path)
        found = sorted(finding for rule in RULES for finding in rule(source, root))
        breaches += [f"{path}:{line}: {message}" for line, message in found]
    return count, breaches


def main(arguments):
    if len(arguments) != 1:
        print("usage: tidy_test.py SOURCE_DIR", file=sys.stderr)
        return 2
    count, breaches = check(Path(arguments[0]))
    if count == 0:  # a wrong folder must not look tidy
        print(f"no C++ sources under '{arguments[0]}'; use the root of the project", file=sys.stderr)
        return 2
    for breach in breaches:
        print(breach)
    print(f"{count} files, {len(breaches)} breaches", file=sys.stderr)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

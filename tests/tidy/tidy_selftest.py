#!/usr/bin/env python3
"""A test of the test: breaks each rule of tidy_test.py once and demands that it says exactly so.

    python3 tests/tidy/tidy_selftest.py

Each case adds files to a small tidy tree, in a temporary folder, and lists the findings it expects as 'file:line: part
of the message'. The cases that expect none hold code that looks like a breach and is not.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

TIDY_TEST = Path(__file__).resolve().parent / "tidy_test.py"

TIDY_TREE = {
    "engine/store.h": '#pragma once\n#include <string>\n\n#include "engine/types.h"\n',
    "engine/types.h": "#pragma once\n",
    "engine/impl/rocks_store.h": "#pragma once\n#include <rocksdb/db.h>\n",
    "engine/impl/record.capnp": "",
    "engine/impl/record_codec.cc": '#include <capnp/message.h>\n#include "engine/impl/record.capnp.h"\n',
    "engine/impl/key_codec.h": "#pragma once\n",
    "query/query.h": '#pragma once\n#include "query/parse/ast.h"\n',
    "query/query.cc": '#include "query/query.h"\n#include "query/exec/run.h"\n',
    "query/parse/ast.h": '#pragma once\n#include "query/value.h"\n',
    "query/value.h": "#pragma once\n",
    "query/bind/bound.h": '#pragma once\n#include "query/parse/ast.h"\n#include "engine/store.h"\n',
    "query/plan/plan.h": '#pragma once\n#include "query/bind/bound.h"\n',
    "query/exec/run.h": '#pragma once\n#include "query/plan/plan.h"\n',
    "proto/demarche.capnp": "",
    "proto/server.h": '#pragma once\n#include <kj/async.h>\n#include "proto/demarche.capnp.h"\n',
    "proto/server.cc": '#include "proto/server.h"\n#include "query/query.h"\n',
    "cli/shell.h": '#pragma once\n#include "proto/server.h"\n',
    "cli/remote_client.cc": '#include <capnp/rpc.h>\n#include "proto/demarche.capnp.h"\n#include "cli/shell.h"\n',
    "tests/engine/impl/rocks_store_test.cc": '#include <rocksdb/env.h>\n#include "engine/impl/rocks_store.h"\n',
    "bench/main.cc": '#include "cli/shell.h"\n',
}


def header(*lines):
    return "\n".join(("#pragma once", *lines, ""))


# (what it shows, files added or replaced, findings expected)
CASES = [
    ("the tidy tree is tidy", {}, []),
    # Direction of includes.
    (
        "engine must not see query",
        {"engine/store.cc": '#include "engine/store.h"\n#include "query/query.h"\n'},
        ['engine/store.cc:2: engine includes "query/query.h", which is above it; use'],
    ),
    (
        "query must not see proto",
        {"query/query.cc": '#include "proto/server.h"\n'},
        ['query/query.cc:1: query includes "proto/server.h", which is above it; use'],
    ),
    (
        "proto must not see cli",
        {"proto/server.cc": '\n#include "cli/shell.h"\n'},
        ['proto/server.cc:2: proto includes "cli/shell.h", which is above it; use'],
    ),
    (
        "nothing that ships sees tests",
        {"tests/model.h": header(), "cli/main.cc": '#include "tests/model.h"\n'},
        ['cli/main.cc:1: cli includes "tests/model.h", which is above it; use'],
    ),
    ("a commented include is none", {"engine/a.cc": '// #include "query/query.h"\n/*\n#include "cli/x.h"\n*/\n'}, []),
    ("an include within a string is none", {"engine/a.cc": 'auto s = R"(\n// "\n)";\nauto t = "/* #include";\n'}, []),
    # Private headers.
    (
        "query must not see engine/impl",
        {"query/exec/run.cc": '#include "engine/impl/key_codec.h"\n'},
        ['query/exec/run.cc:1: query includes "engine/impl/key_codec.h", private to engine; use'],
    ),
    (
        "cli must not see engine/impl",
        {"cli/main.cc": '#include "engine/impl/key_codec.h"\n'},
        ['cli/main.cc:1: cli includes "engine/impl/key_codec.h", private to engine; use'],
    ),
    (
        "proto must not see engine/impl",
        {"proto/server.cc": '#include "engine/impl/key_codec.h"\n'},
        ['proto/server.cc:1: proto includes "engine/impl/key_codec.h", private to engine; use'],
    ),
    ("tests may see engine/impl", {"tests/engine/impl/key_codec_test.cc": '#include "engine/impl/key_codec.h"\n'}, []),
    ("proto may see the record schema", {"proto/server.cc": '#include "engine/impl/record.capnp.h"\n'}, []),
    # Stages of query.
    (
        "parse must not see bind",
        {"query/parse/parse.cc": '#include "query/bind/bound.h"\n'},
        ['query/parse/parse.cc:1: query/parse includes "query/bind/bound.h" of a later stage; use'],
    ),
    (
        "bind must not see plan",
        {"query/bind/bind.cc": '#include "query/plan/plan.h"\n'},
        ['query/bind/bind.cc:1: query/bind includes "query/plan/plan.h" of a later stage; use'],
    ),
    (
        "plan must not see exec, from a folder below it either",
        {"query/plan/rules/push.cc": '#include "query/exec/run.h"\n'},
        ['query/plan/rules/push.cc:1: query/plan includes "query/exec/run.h" of a later stage; use'],
    ),
    (
        "query's own headers must not see plan",
        {"query/query.h": header('#include "query/plan/plan.h"')},
        ['query/query.h:2: a header of query itself includes "query/plan/plan.h"; use'],
    ),
    (
        "query's own headers must not see exec",
        {"query/query.h": header('#include "query/exec/run.h"')},
        ['query/query.h:2: a header of query itself includes "query/exec/run.h"; use'],
    ),
    (
        "an unknown stage needs a place",
        {"query/tune/tune.cc": ""},
        ["query/tune/tune.cc:1: query/tune/ is not in parse <- bind <- plan <- exec; use"],
    ),
    # Form of includes, guards.
    (
        "includes are named from the root",
        {"engine/store.cc": '#include "store.h"\n'},
        ['engine/store.cc:1: "store.h" is not named from the root; use'],
    ),
    (
        "includes do not climb",
        {"engine/impl/a.cc": '#include "../store.h"\n'},
        ['engine/impl/a.cc:1: "../store.h" is not named from the root; use'],
    ),
    (
        "includes exist",
        {"engine/store.cc": '#include "engine/gone.h"\n'},
        ['engine/store.cc:1: "engine/gone.h" is not a file of this project; use'],
    ),
    (
        "headers from schemas have a schema",
        {"proto/server.cc": '#include "proto/gone.capnp.h"\n'},
        ['proto/server.cc:1: "proto/gone.capnp.h" has no schema "proto/gone.capnp"; use'],
    ),
    (
        "headers of the project are quoted",
        {"query/query.cc": "#include <engine/store.h>\n"},
        ['query/query.cc:1: <engine/store.h> is a header of this project; use #include "engine/store.h"'],
    ),
    (
        "headers have a guard",
        {"engine/types.h": "// #pragma once\n"},
        ["engine/types.h:1: header without a guard; use #pragma once"],
    ),
    # Walls.
    (
        "RocksDB stays behind its wall",
        {"engine/impl/key_codec.cc": "#include <rocksdb/slice.h>\n"},
        ["engine/impl/key_codec.cc:1: 'rocksdb/slice.h' is kept to engine/impl/rocks_*; use"],
    ),
    (
        "public headers of engine show no RocksDB",
        {"engine/rocks_options.h": header("#include <rocksdb/options.h>")},
        ["engine/rocks_options.h:2: 'rocksdb/options.h' is kept to engine/impl/rocks_*; use"],
    ),
    (
        "KJ stays behind its wall",
        {"query/query.cc": "#include <kj/async.h>\n"},
        ["query/query.cc:1: 'kj/async.h' is kept to engine/impl/record_*, proto/*, cli/remote_*; use"],
    ),
    (
        "Cap'n Proto stays behind its wall",
        {"cli/main.cc": "#include <capnp/message.h>\n"},
        ["cli/main.cc:1: 'capnp/message.h' is kept to engine/impl/record_*"],
    ),
    (
        "so do headers from schemas",
        {"engine/impl/rocks_store.cc": '#include "engine/impl/record.capnp.h"\n'},
        ["engine/impl/rocks_store.cc:1: 'engine/impl/record.capnp.h' is kept to engine/impl/record_*"],
    ),
    (
        "a test sees what its subject sees, no more",
        {
            "tests/engine/store_test.cc": "#include <rocksdb/db.h>\n",
            "tests/proto/server_test.cc": "#include <kj/async.h>\n",
        },
        ["tests/engine/store_test.cc:1: 'rocksdb/db.h' is kept to"],
    ),
    (
        "tests/crash sees RocksDB in its files rocks_*, not in the others",
        {
            "tests/crash/rocks_sim.cc": "#include <rocksdb/env.h>\n",
            "tests/crash/power_test.cc": "#include <rocksdb/env.h>\n",
            "tests/other/rocks_sim.cc": "#include <rocksdb/env.h>\n",
        },
        [
            "tests/crash/power_test.cc:1: 'rocksdb/env.h' is kept to engine/impl/rocks_*; use",
            "tests/other/rocks_sim.cc:1: 'rocksdb/env.h' is kept to engine/impl/rocks_*; use",
        ],
    ),
    # Namespaces.
    (
        "no using namespace in headers",
        {"cli/shell.h": header("using  namespace std;")},
        ["cli/shell.h:2: 'using namespace' in a header; use"],
    ),
    ("using namespace in a source", {"cli/shell.cc": "using namespace std;\n"}, []),
    # Output.
    (
        "engine does not write to streams",
        {"engine/a.cc": "void f() {\n  std::cout << 1;\n}\n"},
        ["engine/a.cc:2: engine uses std::cout; use"],
    ),
    ("std::cerr", {"query/query.cc": "std::cerr << 1;\n"}, ["query/query.cc:1: query uses std::cerr; use"]),
    ("printf", {"engine/a.cc": 'printf("x");\n'}, ["engine/a.cc:1: engine uses printf; use"]),
    ("std::printf", {"engine/a.cc": 'std::printf("x");\n'}, ["engine/a.cc:1: engine uses std::printf; use"]),
    ("fprintf", {"engine/a.cc": 'std::fprintf(stderr, "x");\n'}, ["engine/a.cc:1: engine uses stderr; use"]),
    ("fmt::print", {"engine/a.h": header('fmt::print("x");')}, ["engine/a.h:2: engine uses fmt::print; use"]),
    ("exit", {"query/query.cc": "\n\nstd::exit(1);\n"}, ["query/query.cc:3: query uses std::exit; use"]),
    (
        "what only looks like output",
        {
            "engine/a.cc": 'snprintf(b, 1\'000, "exit(1) std::cout");  // printf(x)\nscope.exit();\nscope->exit();\n'
            "int at_exit(int);\nauto s = fmt::format(\"x\");\nchar q = '\"'; int exits(int); // \" std::cerr\n",
            "cli/main.cc": "std::cout << 1; exit(2);\n",
        },
        [],
    ),
    # [[nodiscard]].
    (
        "a Result is not ignored",
        {"engine/a.h": header("struct A {", " public:", "  Result<int> load(int x);", "};")},
        ["engine/a.h:4: a function returns Result and may be ignored; use [[nodiscard]]"],
    ),
    (
        "nor that of a factory",
        {"engine/a.h": header("struct A {", "  static Result<std::unique_ptr<A>> open(int x);", "};")},
        ["engine/a.h:3: a function returns Result"],
    ),
    (
        "nor that of a template, a virtual, a trailing return, an operator",
        {
            "query/value.h": header(
                "template <typename T>",
                "Result<T> one(T t);",
                "virtual demarche::Result<std::map<int, std::vector<int>>> two() = 0;",
                "inline auto three(int x) -> Result<int> { return x; }",
                "Result<int> operator()(int x) const;",
            )
        },
        [f"query/value.h:{line}: a function returns Result" for line in (3, 4, 5, 6)],
    ),
    (
        "nor by standing after one that is right",
        {"engine/a.h": header("[[nodiscard]] Result<int> one();", "Result<int> two();")},
        ["engine/a.h:3: a function returns Result"],
    ),
    (
        "what says [[nodiscard]], or is no such function",
        {
            "engine/a.h": header(
                "#define TRY(x) Result<int> f(x)",
                "template <typename T>",
                "using Result = tl::expected<T, Error>;",
                "class A {",
                " public:",
                "  [[nodiscard]] static Result<A> open(int x);",
                "  [[nodiscard]]",
                "  Result<int> load(int x, Result<int> y = Result<int>(3));",
                "  [[nodiscard]] auto tail() -> Result<int>;",
                "  void take(Result<int> value, const Result<int>& other);",
                "  void call(std::function<Result<int>(int)> f, Result<int> (*g)(int));",
                "  friend Result<int> known(int);",
                "  // Result<int> commented(int);",
                " private:",
                "  Result<int> kept_;",
                "  std::vector<Result<int>> all_;",
                "};",
                "template <typename T>",
                "[[nodiscard]] inline Result<T> h(T t) {",
                "  auto inner = [](int x) -> Result<int> { return x; };",
                "  return Result<T>(inner(t));",
                "}",
                "inline Result<int> A::load(int x, Result<int> y) { return x; }",
            ),
            "engine/a.cc": "Result<int> f(int x) { return x; }\n",
        },
        [],
    ),
    # Tests.
    (
        "no assertion on time spent",
        {"tests/cli/a_test.cc": "\nCHECK(elapsed_ms < 5);\nREQUIRE(\n    duration_cast<ms>(b - a).count() < 5);\n"},
        ["tests/cli/a_test.cc:2: asserts on 'elapsed_ms'", "tests/cli/a_test.cc:3: asserts on 'duration_cast'"],
    ),
    (
        "time spent may be shown, and be a word of the output",
        {"tests/cli/a_test.cc": 'CHECK(out == "elapsed");\nauto elapsed = now();\nINFO(elapsed);\n'},
        [],
    ),
    # Length.
    (
        "files end before line 901",
        {"cli/long.cc": "\n" * 901, "cli/full.cc": "\n" * 900, "tests/long_test.cc": "\n" * 2000},
        ["cli/long.cc:901: 901 lines, at most 900; use"],
    ),
]


def write_tree(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def run(root):
    return subprocess.run([sys.executable, TIDY_TEST, root], capture_output=True, text=True, check=False)


def fault_of(files, expected):
    """What is wrong with the verdict on the tree, or None."""
    with tempfile.TemporaryDirectory() as folder:
        write_tree(Path(folder), {**TIDY_TREE, **files})
        result = run(folder)
    found = result.stdout.splitlines()
    right = len(found) == len(expected) and all(f.startswith(e) for f, e in zip(found, sorted(expected)))
    if right and result.returncode == (1 if expected else 0):
        return None
    return "\n".join(
        ["  expected, as beginnings:", *(f"    {line}" for line in expected)]
        + [f"  found, exit status {result.returncode}:", *(f"    {line}" for line in found)]
        + [f"    {line}" for line in result.stderr.splitlines()]
    )


def main():
    failed = 0
    for name, files, expected in CASES:
        fault = fault_of(files, expected)
        if fault:
            failed += 1
            print(f"FAILED: {name}\n{fault}")
    with tempfile.TemporaryDirectory() as folder:
        if run(folder).returncode != 2:
            failed += 1
            print("FAILED: a folder without sources is refused")
    print(f"{len(CASES) + 1} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

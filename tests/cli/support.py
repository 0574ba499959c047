"""What the tests of the command line have in common: they run the real program and look at what a user sees.

A test file is run by itself, as in

    python3 tests/cli/commands_test.py --binary build/release/cli/demarche --source . [--shared ../shared] [TEST...]

Rows are on standard output, messages on standard error, and the exit status is 0 done, 1 refused, 2 wrong usage.
Conformance data is found by --shared, the environment's DEMARCHE_SHARED, or SOURCE/../shared; a test that needs it and
finds none says so and is skipped.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

DONE, FAILED, USAGE = 0, 1, 2

RUN_SECONDS_MAX = 120
ATTEMPTS = 60
NOBODY = 65534

binary = ""
source = Path()
shared = None  # folder of the conformance data, or None

_scratch = None  # removed when the run ends
_example = None


class Ran:
    """How one run of the program went."""

    def __init__(self, args, status, out, err):
        self.args = args
        self.status = status  # negative: killed by that signal
        self.out_bytes = out
        self.err_bytes = err

    @property
    def out(self):
        return self.out_bytes.decode("utf-8")

    @property
    def err(self):
        return self.err_bytes.decode("utf-8", errors="backslashreplace")

    @property
    def lines(self):
        lines = self.out.split("\n")  # not splitlines(), to which more than a line feed ends a line
        return lines[:-1] if lines[-1] == "" else lines

    def __str__(self):
        command = " ".join(str(a) for a in self.args)
        out = self.out_bytes[:2000].decode("utf-8", errors="backslashreplace")
        return f"\n$ demarche {command}\nstatus {self.status}\n-- out\n{out}\n-- err\n{self.err[:2000]}"


def environment(home=None):
    env = {k: v for k, v in os.environ.items() if k != "XDG_STATE_HOME"}
    env.update(LC_ALL="C.UTF-8", TERM="xterm", HOME=home or str(scratch()))
    return env


def start(args, before=(), home=None, **options):
    """Starts the program. It may be away for a moment while it is built anew."""
    for attempt in range(ATTEMPTS):
        try:
            return subprocess.Popen([*before, binary, *map(str, args)], env=environment(home), **options)
        except OSError:  # not there, or still being written
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.5)
    raise AssertionError("not reached")


def run(*args, stdin=b"", before=(), **options):
    """Runs the program to its end. `before`: a command line to run it by, as setpriv."""
    if isinstance(stdin, str):
        stdin = stdin.encode()
    options.setdefault("stdout", subprocess.PIPE)
    process = start(args, before, stdin=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    try:
        out, err = process.communicate(stdin, timeout=RUN_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"still running after {RUN_SECONDS_MAX} s: {Ran(args, None, out or b'', err)}") from None
    return Ran(args, process.returncode, out or b"", err)


def query(store, text, *more, **options):
    return run("query", store, text, *more, **options)


def rows(store, text, *more):
    """The rows of a statement as lists of values."""
    ran = query(store, text, "--format", "jsonl", *more)
    if ran.status != DONE:
        raise AssertionError(str(ran))
    return [list(json.loads(line).values()) for line in ran.lines]


def dump(store):
    """Everything a store holds, as text."""
    parts = [
        query(store, "MATCH (a) RETURN id(a) AS i, a.key, a.name, labels(a), properties(a) ORDER BY i", "--format", "jsonl"),
        query(store, "MATCH [c] RETURN id(c) AS i, c, c.status, participants(c), claims(c), properties(c) ORDER BY i",
              "--format", "jsonl"),
        run("stats", store, "--format", "jsonl"),
    ]
    for part in parts:
        if part.status != DONE:
            raise AssertionError(str(part))
    last_commit = [line for line in run("stats", store).lines if line.startswith(("sources", "last commit"))]
    return "\n".join([part.out for part in parts] + last_commit)


def scratch():
    global _scratch
    if _scratch is None:
        _scratch = tempfile.TemporaryDirectory(prefix="demarche-cli-")
        os.chmod(_scratch.name, 0o755)
    return Path(_scratch.name)


def example():
    """A store with the shipped example, for reading only."""
    global _example
    if _example is None:
        files = sorted((source / "examples" / "syria-2016").glob("*.jsonl"))
        store = scratch() / "example.dm"
        ran = run("import", *files, "--into", store, "--as", "jsonl")
        if ran.status != DONE:
            raise AssertionError(str(ran))
        _example = store
    return _example


def need_shared(*names):
    """The shared files of these names; skips the test, aloud, if they are not there."""
    found = [shared / name for name in names] if shared else []
    if not found or not all(path.exists() for path in found):
        skip("no conformance data")
    return found


def need_program(name):
    if shutil.which(name) is None:
        skip(f"the program {name} is not installed")


def skip(reason):
    print(f"SKIPPED: {reason}", flush=True)
    raise unittest.SkipTest(reason)


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    maxDiff = None

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(dir=scratch()))
        os.chmod(self.folder, 0o755)

    def tearDown(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def lines_file(self, name, *objects):
        return self.file(name, "".join((o if isinstance(o, str) else json.dumps(o, ensure_ascii=False)) + "\n" for o in objects))

    def store(self, *objects):
        """A new store with these lines."""
        path = self.folder / f"store{len(list(self.folder.iterdir()))}.dm"
        self.done(run("import", self.lines_file(path.name + ".jsonl", *objects), "--into", path, "--as", "jsonl"))
        return path

    def copy_of_example(self):
        path = self.folder / "copy.dm"
        shutil.copytree(example(), path)
        return path

    def done(self, ran):
        self.assertEqual(ran.status, DONE, str(ran))
        return ran

    def refused(self, ran, *parts, status=FAILED):
        """Refused, with these parts in the message, and nothing in place of rows."""
        self.assertEqual(ran.status, status, str(ran))
        for part in parts:
            self.assertIn(part, ran.err, str(ran))
        self.assertEqual(ran.out_bytes, b"", str(ran))
        return ran


def main():
    global binary, source, shared
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--binary", required=True, help="the program demarche")
    parser.add_argument("--source", required=True, help="the project's folder")
    parser.add_argument("--shared", help="folder of the conformance data")
    args, rest = parser.parse_known_args()
    binary = str(Path(args.binary).resolve())
    source = Path(args.source).resolve()
    for folder in (args.shared, os.environ.get("DEMARCHE_SHARED"), source.parent / "shared"):
        if folder and Path(folder).is_dir():
            shared = Path(folder).resolve()
            break
    # This file is a module of its own for the test files, which run as __main__.
    sys.modules["support"].__dict__.update(binary=binary, source=source, shared=shared)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2 if "-v" in rest else 1)

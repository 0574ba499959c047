#!/usr/bin/env python3
"""Is every message of the query language provoked by a test?

Collects the texts of messages from query/**/*.cc and *.h, and the errors and notes that tests/query/**/*.test expect.
Fails for a text that no test provokes, unless EXCEPTIONS below says why text cannot. tests/query/errors/table_*.test is
where rows are put that have no better place. Run alone: message_table_test.py SOURCE_ROOT [--list].
"""

import pathlib
import re
import sys

# Texts that a .test file cannot provoke: where they are tested instead (a file that must hold the part given), or, after
# "never:", why nothing can.
EXCEPTIONS = {
    "the query was stopped": ("query_test.cc", "ErrorCode::kCancelled"),
    "the query took longer than its limit of {} ms; narrow it or raise the limit":
        ("bad_input_test.cc", "longer than its limit of"),
    "the query holds more than its limit of {} rows; narrow it or raise the limit":
        ("bad_input_test.cc", "holds more than its limit of"),
    "the query needs more memory than its limit of {} MB; narrow it or raise the limit":
        ("plan_test.cc", "needs more memory than its limit of 1 MB"),
    "more than {} clauses in one statement": ("bad_input_test.cc", "clauses in one statement"),
    "more than {} actors and interactions in one clause":
        ("bad_input_test.cc", "actors and interactions in one clause"),
    "more than {} actors and interactions looked for in one statement":
        ("bad_input_test.cc", "looked for in one statement"),
    "expected a shorter chain of comparisons, ": ("bad_input_test.cc", "a shorter chain of comparisons"),
    "an expression of more than {} operators in a chain; use IN, or WITH in between":
        ("bad_input_test.cc", "operators in a chain"),
    "nested deeper than {} levels; split the expression with WITH": ("bad_input_test.cc", "nested deeper than"),
    "the query has {} bytes, at most {} are read; pass values as parameters":
        ("bad_input_test.cc", "pass values as parameters"),
    "{} of more than {} levels": ("bad_input_test.cc", "of more than 1000 levels"),
    "the query is not valid UTF-8": ("bad_input_test.cc", "not valid UTF-8"),
    "' is not a plain value; write a number, 'text', true, null, [..], {..} or DATE '..'":
        ("bad_input_test.cc", "is not a plain value"),
    "' is not a value: ": ("bad_input_test.cc", "is not a value: "),
    "' is not one value": ("bad_input_test.cc", "is not one value"),
    " AS value": "never: part of a query that is made, no message",
    "expected a name for the result so far, ": "never: the caller has seen the name",
    "expected '=' and the value to start from": "never: the caller has seen the sign",
    "expected '{' to begin a map": "never: the callers have seen the bracket",
    "expected '[' to begin an interaction": "never: the callers have seen the bracket",
    "system time before the first commit": "never: a line of EXPLAIN",
    "system time as of commit {} of {}{}": "never: a line of EXPLAIN",
    " (stated)": "never: a line of EXPLAIN",
    "overlapping {} until before {}": "never: a line of EXPLAIN",
    "during ": "never: a line of EXPLAIN",
    "overlapping ": "never: a line of EXPLAIN",
    "valid time {}: scans from {} to {}": "never: a line of EXPLAIN",
    "the beginning": "never: a line of EXPLAIN",
}

# Messages that have no row yet, by their texts. This list may only shrink: give the message a row and take it out.
OWED = {
    "an interaction is named by its key or number, found {}",
    "a reason has at most {} bytes, found {}",
    "a kind is a text such as 'MEETING', found {}",
    "'{}': the number of a commit is a whole number from 0 on",
    "a source is named by its key, a text; found {}",
    "expected a field such as when, status or place, ",
    "expected '=' and what is right",
    "this reads the store as of {}; a statement that writes changes it as it is now",
}

# Files whose texts are no messages: help of functions and procedures, operator names of EXPLAIN.
NO_MESSAGES = {"function_table.cc", "procedure_table.cc", "explain.cc"}

CALLS = {"need_word": "expected {}, ", "need_name": "expected {}, ", "expected": "expected {}, "}


def literals(source):
    """Yields (position, text) of string literals, adjacent ones joined; comments and characters are passed over."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|(?<![A-Za-z0-9])\'(?:\\.|[^\'\\])+\'|#include[^\n]*|"((?:\\.|[^"\\])*)"', re.S)
    joined, begin, end = None, 0, 0
    for match in pattern.finditer(source):
        if match.group(1) is None:
            if not source[match.start():match.start() + 2] in ("//", "/*"):
                if joined is not None:
                    yield begin, joined
                joined = None
            continue
        text = re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)), match.group(1))
        if joined is not None and re.fullmatch(r"(\s|//[^\n]*)*", source[end:match.start()]):
            joined += text
        else:
            if joined is not None:
                yield begin, joined
            joined, begin = text, match.start()
        end = match.end()
    if joined is not None:
        yield begin, joined


def texts_of(path):
    source = path.read_text(encoding="utf-8")
    for at, text in literals(source):
        line = source.count("\n", 0, at) + 1
        before = source[:at]
        call = re.search(r"\b(need_word|need_name|expected|need_symbol)\(\s*$", before)
        symbol = re.search(r"\bneed_symbol\(\s*\"((?:\\.|[^\"\\])*)\"\s*,\s*(?:fmt::format\(\s*)?$", before)
        if call and call.group(1) in CALLS:
            yield line, CALLS[call.group(1)].replace("{}", text.replace("{", "{{").replace("}", "}}"))
        elif symbol:
            yield line, "expected '" + symbol.group(1) + "' " + text
        elif " " in text and re.search(r"[a-z]{2}", text):
            yield line, text


def as_regex(text):
    out, i = "", 0
    while i < len(text):
        placeholder = re.match(r"\{[0-9:.a-z]*\}", text[i:])
        if text[i:i + 2] in ("{{", "}}"):
            out += re.escape(text[i])
            i += 2
        elif placeholder:
            i += placeholder.end()
            out += r"[^\n]*?"
        else:
            out += re.escape(text[i])
            i += 1
    return out


def expectations(root):
    out = []
    for path in sorted((root / "tests" / "query").rglob("*.test")):
        blocks = re.split(r"\n\n", path.read_text(encoding="utf-8"))
        for block in blocks:
            for part in block.split("\n----\n")[1:]:
                lines = part.split("\n")
                if lines[0].startswith(("error ", "note ")):
                    out.append("\n".join(lines))
    return out


def main():
    root = pathlib.Path(sys.argv[1])
    listing = "--list" in sys.argv
    expected = "\n".join(expectations(root))
    missing, total, used, owed = [], 0, set(), set(OWED)
    for path in sorted((root / "query").rglob("*")):
        if path.suffix not in (".cc", ".h") or path.name in NO_MESSAGES:
            continue
        for line, text in texts_of(path):
            total += 1
            if text in EXCEPTIONS:
                used.add(text)
            elif text in OWED:
                owed.discard(text)
                if re.search(as_regex(text), expected):
                    missing.append(f"more: take out of OWED, it has a row now: {text!r}")
            elif not re.search(as_regex(text), expected):
                missing.append(f"{path.relative_to(root)}:{line}: {text!r}")
    for text, where in EXCEPTIONS.items():
        if isinstance(where, str):
            assert where.startswith("never: "), where
        elif where[1] not in (root / "tests" / "query" / where[0]).read_text(encoding="utf-8"):
            missing.append(f"{where[0]}, which should: {text!r}")
    for text in missing:
        print("no test provokes", text)
    for text in set(EXCEPTIONS) - used | owed:
        print("no source has the exception", repr(text))
    if listing or missing:
        print(f"{total} texts, {len(missing)} not provoked, {len(EXCEPTIONS)} exceptions")
    # A reader that finds nothing would pass everything.
    assert total > 250, total
    return 1 if missing or owed or set(EXCEPTIONS) - used else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What each sub-command answers: rows on standard output, messages on standard error, and the exit status.

    python3 tests/cli/commands_test.py --binary PATH_TO_demarche --source PATH_OF_REPO

With REWRITE_GOLDEN=1 in the environment the golden file of `who` is written anew; review the difference.
"""

import csv
import fcntl
import io
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
import unicodedata

sys.dont_write_bytecode = True  # no __pycache__ among the sources
import support
from support import Case, DONE, FAILED, USAGE, example, query, rows, run

TABLE_RULE = "─"
FORMATS = ("table", "csv", "tsv", "json", "jsonl")


def width(text):
    """Columns of a terminal."""
    wide = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return wide - sum(1 for c in text if unicodedata.combining(c))


def without_commit(dump):
    """A dump of a store, apart from when it was written."""
    return dump[:dump.rindex("last commit")]


def csv_rows(text):
    return list(csv.reader(io.StringIO(text, newline="")))


class Usage(Case):
    def test_help_of_every_command_is_on_standard_output(self):
        ran = self.done(run("--help"))
        self.assertEqual(ran.err, "")
        listed = re.findall(r"^  ([a-z]+) ", ran.out.split("Subcommands:")[1], re.MULTILINE)
        for command in ("query", "who", "why", "path", "stats", "import", "export", "demo", "shell"):
            self.assertIn(command, listed)
        for command in listed:
            of_one = self.done(run(command, "--help"))
            self.assertIn(f"Usage: demarche {command}", of_one.out)
            self.assertIn("Exit status: 0 done, 1 refused or failed, 2 wrong usage.", of_one.out)

    def test_version(self):
        self.assertRegex(self.done(run("--version")).out, r"^demarche \d+\.\d+\.\d+\n$")

    def test_wrong_usage_is_status_two_and_names_what_is_missing(self):
        self.refused(run(), "subcommand", status=USAGE)
        self.refused(run("frobnicate"), "'frobnicate'", "--help", status=USAGE)
        self.refused(run("qeury"), "'qeury'", "did you mean query?", status=USAGE)
        self.refused(run("query"), "STORE is required", status=USAGE)
        self.refused(run("query", example()), "TEXT is required", status=USAGE)
        self.refused(run("why", example()), "KEY is required", status=USAGE)
        self.refused(run("who", example()), "--before is required", status=USAGE)
        self.refused(run("path", example(), "--from", "russia"), "--to is required", status=USAGE)
        self.refused(run("export", example()), "--gexf is required", status=USAGE)
        self.refused(run("import", "x.jsonl", "--as", "jsonl"), "--into is required", status=USAGE)
        self.refused(run("import", "x.jsonl", "--into", "x.dm"), "--as is required", status=USAGE)
        self.refused(run("query", example(), "RETURN 1", "--no-such-option"), "--no-such-option", status=USAGE)

    def test_wrong_values_of_options_name_the_right_ones(self):
        self.refused(run("query", example(), "RETURN 1", "--format", "xml"), "xml", "table", "jsonl", status=USAGE)
        self.refused(run("import", "x", "--into", "y", "--as", "csv"), "csv", "jsonl", "dyads", status=USAGE)
        self.refused(run("export", example(), "--gexf", "x", "--edges", "some"), "some", "merged", "each", status=USAGE)
        self.refused(run("query", example(), "RETURN 1", "--timeout", "soon"), "--timeout", status=USAGE)
        self.refused(run("path", example(), "--from", "russia", "--to", "syria", "--strict", "--possibly"), "excludes", status=USAGE)


class Formats(Case):
    STATEMENT = ("UNWIND [1, 2] AS n RETURN n, CASE n WHEN 1 THEN 'tab\\there' ELSE 'feed\\nback\\\\slash' END AS t, "
                 "DATE '2016-04~' AS d, null AS nothing, [1, null, 'x'] AS l, {a: 1, b: 'c'} AS m, 1.0 AS f, true AS b")
    COLUMNS = ["n", "t", "d", "nothing", "l", "m", "f", "b"]

    def answer(self, *more):
        ran = self.done(query(example(), self.STATEMENT, *more))
        self.assertEqual(ran.err, "")
        return ran.out

    def test_table_is_the_default(self):
        self.assertEqual(self.answer(), self.answer("--format", "table"))

    def test_table(self):
        header, rule, first, second = self.answer().splitlines()
        self.assertEqual(header.split(), self.COLUMNS)
        self.assertEqual(set(rule), {TABLE_RULE, " "})
        self.assertIn("tab\\there", first)
        self.assertIn("feed\\nback", second)
        self.assertIn("2016-04~", first)

    def test_json(self):
        got = json.loads(self.answer("--format", "json"))
        self.assertEqual([list(row) for row in got], [self.COLUMNS] * 2)
        self.assertEqual(got[0], {"n": 1, "t": "tab\there", "d": "2016-04~", "nothing": None, "l": [1, None, "x"],
                                  "m": {"a": 1, "b": "c"}, "f": 1.0, "b": True})
        self.assertEqual(got[1]["t"], "feed\nback\\slash")
        self.assertIsInstance(got[0]["f"], float)

    def test_json_without_rows_is_an_empty_list(self):
        empty = "MATCH (a {key: 'nobody'}) RETURN a.name"
        self.assertEqual(json.loads(self.done(query(example(), empty, "--format", "json")).out), [])
        self.assertEqual(self.done(query(example(), empty, "--format", "jsonl")).out, "")
        self.assertEqual(self.done(query(example(), empty, "--format", "csv")).out, "a.name\r\n")

    def test_json_lines_is_one_object_a_line(self):
        lines = self.answer("--format", "jsonl").splitlines()
        self.assertEqual([json.loads(line)["n"] for line in lines], [1, 2])

    def test_json_holds_every_character(self):
        text = "".join(chr(c) for c in range(1, 0x100)) + "\u2028\u202e\ufeffرياض王毅\U0001F54A"
        got = rows(example(), "RETURN $t", "-p", "t=" + json.dumps(text, ensure_ascii=False).replace("\\u007f", "\x7f"))
        self.assertEqual(got, [[text]])

    def test_csv(self):
        text = self.answer("--format", "csv")
        self.assertTrue(text.endswith("\r\n"))
        header, first, second = csv_rows(text)
        self.assertEqual(header, self.COLUMNS)
        self.assertEqual(first, ["1", "tab\there", "2016-04~", "", '[1, null, "x"]', '{"a": 1, "b": "c"}', "1.0", "true"])
        self.assertEqual(second[1], "feed\nback\\slash")

    def test_csv_quotes_what_it_must(self):
        nasty = ['a,b', 'say "x"', "two\nlines", "cr\rlf", "", " blank ", "'", "رياض"]
        got = self.done(query(example(), "UNWIND $l AS x RETURN x", "-p", f"l={json.dumps(nasty, ensure_ascii=False)}", "--format",
                              "csv", "--raw", "--no-header")).out
        self.assertEqual([row[0] if row else "" for row in csv_rows(got)], nasty)

    def test_csv_guards_formulas_but_not_numbers(self):
        statement = "UNWIND ['=1+1', '+1', '-1', '@x', '\\t=1', '\\r=1', 'a=1', ''] AS x RETURN x, -1 AS n, -1.5 AS f"
        guarded = csv_rows(self.done(query(example(), statement, "--format", "csv", "--no-header")).out)
        self.assertEqual([row[0] for row in guarded], ["'=1+1", "'+1", "'-1", "'@x", "'\t=1", "'\r=1", "a=1", ""])
        self.assertEqual({(row[1], row[2]) for row in guarded}, {("-1", "-1.5")})
        raw = csv_rows(self.done(query(example(), statement, "--format", "csv", "--no-header", "--raw")).out)
        self.assertEqual([row[0] for row in raw], ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "a=1", ""])

    def test_csv_guards_the_header_too(self):
        header = csv_rows(self.done(query(example(), "RETURN 1 AS `=1+1`", "--format", "csv")).out)[0]
        self.assertEqual(header, ["'=1+1"])

    def test_tsv_escapes_tab_line_feed_and_backslash(self):
        text = self.answer("--format", "tsv")
        lines = text.split("\n")
        self.assertEqual(lines.pop(), "")
        self.assertEqual([line.count("\t") for line in lines], [len(self.COLUMNS) - 1] * 3)
        self.assertEqual(lines[0].split("\t"), self.COLUMNS)
        self.assertEqual(lines[1].split("\t")[:4], ["1", "tab\\there", "2016-04~", ""])
        self.assertEqual(lines[2].split("\t")[1], "feed\\nback\\\\slash")

    def test_lists_and_maps_in_csv_and_tsv_are_json_with_names(self):
        statement = "MATCH (a {key: 'riyad-hijab'})-[c:CALL]-(b) RETURN [b, 'x, \"y\"', 1, null, DATE '2016-04~'] AS l, {who: a, n: [2.5, true]} AS m"
        want = [["John Kerry", 'x, "y"', 1, None, "2016-04~"], {"who": "Riyad Hijab", "n": [2.5, True]}]
        ran = self.done(query(example(), statement, "--format", "csv", "--no-header"))
        self.assertEqual([json.loads(cell) for cell in csv_rows(ran.out)[0]], want)
        ran = self.done(query(example(), statement, "--format", "tsv", "--no-header"))
        self.assertEqual([json.loads(cell.replace("\\\\", "\\")) for cell in ran.lines[0].split("\t")], want)

    def test_no_header(self):
        for name in ("table", "csv", "tsv"):
            with_header = self.answer("--format", name)
            without = self.answer("--format", name, "--no-header")
            self.assertNotIn("nothing", without)
            self.assertEqual(len(without.splitlines()), 2 if name != "csv" else 3)  # one cell of CSV has a line feed
            self.assertLess(len(without), len(with_header))

    def test_dates_stay_as_written(self):
        dates = ["2016-04~", "[2016-01-13..2016-01-15]", "2016-02-27/", "2012-05-07/..", "[..2016-05-01]", "201X", "Y-17E7",
                 "2016-04-29T10:00:00+02:00", "1984-06-02?/2004-08-08~", "2001-21"]
        dates = [d for d in dates if query(example(), f"RETURN DATE '{d}'").status == DONE]
        self.assertGreater(len(dates), 6)
        store = self.store({"kind": {"name": "THING", "parent": "CONTACT"}},
                           *[{"interaction": {"key": f"k{i}", "kind": "THING", "when": d}} for i, d in enumerate(dates)])
        statement = "MATCH [c] RETURN c.when ORDER BY c.key"
        self.assertEqual([r[0] for r in rows(store, statement)], dates)
        self.assertEqual(self.done(query(store, statement, "--format", "tsv", "--no-header")).lines, dates)
        self.assertEqual([r[0] for r in csv_rows(self.done(query(store, statement, "--format", "csv", "--no-header", "--raw")).out)], dates)

    def test_an_actor_and_an_interaction_in_json(self):
        actor, interaction = rows(example(), "MATCH (a {key: 'riyad-hijab'})-[c:CALL]-(b) RETURN a, c")[0]
        self.assertEqual({k: actor[k] for k in ("key", "name", "labels")},
                         {"key": "riyad-hijab", "name": "Riyad Hijab", "labels": ["Person"]})
        self.assertEqual({k: interaction[k] for k in ("key", "kind", "when", "place")},
                         {"key": "kerry-hijab-call", "kind": "CALL", "when": "[2016-04-28..2016-04-30]", "place": None})

    def test_an_actor_is_its_name_and_an_interaction_its_key_in_text(self):
        ran = self.done(query(example(), "MATCH (a {key: 'riyad-hijab'})-[c:CALL]-(b) RETURN a, c, b", "--format", "tsv", "--no-header"))
        self.assertEqual(ran.out, "Riyad Hijab\tkerry-hijab-call\tJohn Kerry\n")


class Tables(Case):
    NAMES = ["رياض حجاب", "王毅", "Сергей Лавров", "e\u0301tat", "plain", "한국"]

    def test_columns_stand_below_one_another_whatever_the_script(self):
        store = self.store(*[{"actor": {"key": f"k{i}", "name": n}} for i, n in enumerate(self.NAMES)])
        lines = self.done(query(store, "MATCH (a) RETURN a.name AS n, 'END' AS mark ORDER BY a.key")).lines
        self.assertEqual(len(lines), 2 + len(self.NAMES))
        starts = {width(line[:line.index("END")]) for line in lines[2:]}
        self.assertEqual(starts, {max(width(n) for n in self.NAMES) + 2})
        self.assertEqual(lines[1], TABLE_RULE * max(width(n) for n in self.NAMES) + "  " + TABLE_RULE * 4)

    def test_numbers_stand_to_the_right(self):
        lines = self.done(query(example(), "UNWIND [1, 22, null, 333] AS x RETURN x, 'z' AS z")).lines
        self.assertEqual(lines[2:], ["  1  z", " 22  z", "     z", "333  z"])

    def test_no_blanks_at_the_ends_of_lines(self):
        for line in self.done(query(example(), "MATCH (a) RETURN a.name, a.key, a.nothing")).lines:
            self.assertEqual(line, line.rstrip())

    def test_data_cannot_command_a_terminal(self):
        nasty = "a\x1b[31mb\x07c\x08d\x0de\x7ff\u0085g\u009b31mh\u202ei\u2066j"
        store = self.store({"actor": {"key": "k", "name": nasty, "aliases": ["z" + nasty]}},
                           {"actor": {"key": "l", "name": "other"}}, {"source": {"key": "s" + nasty, "title": nasty}},
                           {"interaction": {"key": "x", "kind": "CALL", "when": "2016", "place": nasty, "properties": {"p": nasty},
                                            "participants": [{"actor": "k", "role": "caller"}, {"actor": "l", "role": "callee"}],
                                            "claims": [{"source": "s" + nasty, "words": nasty, "locator": nasty, "note": nasty}]}})
        for ran in (query(store, "MATCH (a)-[c]-(b) RETURN a, a.name, c, c.place, c.p, claims(c), [a.name], {m: a.name}"),
                    run("who", store, "--before", "2017"), run("why", store, "x"), run("path", store, "--from", "k", "--to", "l"),
                    run("stats", store), run("shell", store, stdin=".names a\n.names z\n.who 2017\n.why x\n")):
            self.assertEqual(ran.status, DONE, str(ran))
            self.assertNotRegex(ran.out, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
            self.assertNotRegex(ran.err, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")

    def test_column_names_cannot_command_a_terminal(self):
        self.assertNotIn("\x1b", self.done(query(example(), "RETURN 1 AS `a\x1b[31m`")).out)

    def test_a_statement_over_lines_makes_a_header_of_one_line(self):
        self.assertEqual(len(self.done(query(example(), "RETURN 1 +\n 1")).lines), 3)

    def test_why_takes_the_number_of_an_interaction_without_a_key(self):
        store = self.store({"interaction": {"kind": "CALL", "when": "2016-04-29"}},
                           {"interaction": {"key": "1", "kind": "MEETING", "when": "2016-05-01"}})
        self.assertIn("MEETING", self.done(run("why", store, "1")).out)  # a key goes first
        store = self.store({"interaction": {"kind": "CALL", "when": "2016-04-29"}})
        self.assertIn("2016-04-29", self.done(run("why", store, "1")).out)
        for unknown in ("2", "0", "01x", "-1", "99999999999999999999999"):
            self.refused(run("why", store, "--", unknown), "there is no interaction with the key")

    def test_why_cannot_command_a_terminal_by_names_of_properties_and_kinds(self):
        store = self.store({"kind": {"name": "K\u202eX", "parent": "CALL"}},
                           {"interaction": {"key": "x", "kind": "K\u202eX", "properties": {"p\x1b[31m": "v"}}})
        self.assertNotRegex(self.done(run("why", store, "x")).out, "[\x1b\u202e]")

    def test_messages_cannot_command_a_terminal(self):
        bad = self.lines_file("e.jsonl", {"actor": {"nam\x1b[31m": 1}})
        for ran in (run("import", bad, "--into", self.folder / "x.dm", "--as", "jsonl"), query(example(), "RETURN \x1b[31m"),
                    run("why", example(), "\x1b[31m"), run("\x1b[31m"), run("why", example(), "x", "\x1b[31m")):
            self.assertNotEqual(ran.err, "")
            self.assertNotIn("\x1b", ran.err)

    def test_a_line_feed_in_data_does_not_break_the_table(self):
        self.assertEqual(len(self.done(query(example(), "RETURN 'a\\nb' AS x")).lines), 3)


class Query(Case):
    def test_statement_from_standard_input(self):
        self.assertEqual(self.done(query(example(), "-", "--format", "csv", "--no-header", stdin="RETURN 'رياض' AS x;\n")).out, "رياض\r\n")
        self.refused(query(example(), "-", stdin=""), "empty")

    def test_parameters(self):
        got = rows(example(), "RETURN $i, $f, $t, $d, $l, $b, $n, $q, $e", "-p", "i=5", "-p", "f=1.5", "--param", "t=John Kerry",
                   "-p", "d=2016-04-18", "-p", "l=[1, 'x']", "-p", "b=true", "-p", "n=null", "-p", "q='5'", "-p", "e=")
        self.assertEqual(got, [[5, 1.5, "John Kerry", "2016-04-18", [1, "x"], True, None, "5", ""]])

    def test_parameter_as_a_date(self):
        got = rows(example(), "MATCH [c:CALL] WHERE c BEFORE $d RETURN c.key", "-p", "d=2016-03")
        self.assertEqual(got, [["obama-putin-feb"]])

    def test_parameter_with_an_equals_sign_in_its_value(self):
        self.assertEqual(rows(example(), "RETURN $x", "-p", "x=a=b"), [["a=b"]])

    def test_missing_parameter_is_named_with_its_place(self):
        self.refused(query(example(), "MATCH (a)\nWHERE a.name = $who RETURN a"), "2:16", "$who", "not given", "\n                 ^^^^\n")
        self.refused(query(example(), "RETURN $x"), "-p x=VALUE")

    def test_parameter_that_is_not_utf8(self):
        self.refused(query(example(), "RETURN $x", "-p", b"x=\xff".decode("utf-8", "surrogateescape")), "'x'", "UTF-8")

    def test_parameter_without_a_name_is_refused(self):
        self.refused(query(example(), "RETURN 1", "-p", "x"), "'x'", "name=value")
        self.refused(query(example(), "RETURN 1", "-p", "=5"), "'=5'", "name=value")

    def test_explain_shows_the_plan_and_changes_nothing(self):
        lines = self.done(query(example(), "EXPLAIN MATCH (a:Person)-[c:CALL]-(b) WHERE c BEFORE '2016-05' RETURN a.name, b.name")).lines
        self.assertEqual(lines[0], "plan")
        self.assertTrue(any("project" in line for line in lines), lines)
        store = self.copy_of_example()
        self.done(query(store, "EXPLAIN CREATE (:Person {name: 'Nobody'})"))
        self.assertEqual(rows(store, "MATCH (a {name: 'Nobody'}) RETURN a"), [])

    def test_what_is_written_is_told_on_standard_error(self):
        store = self.copy_of_example()
        ran = self.done(query(store, "CREATE (:Person {name: 'New One'})"))
        self.assertEqual((ran.out, ran.err), ("", "recorded 1 actor (commit 2)\n"))
        ran = self.done(query(store, "RECORD CALL 'new-call' BETWEEN 'John Kerry' AS caller, 'New One' AS callee ON '2016-06' "
                                     "SOURCE 'public-record'"))
        self.assertEqual(ran.err, "recorded 1 interaction (commit 3)\n")
        self.assertEqual(rows(store, "MATCH (a)-[c {key: 'new-call'}]->(b) RETURN a.name, b.name, c.when"),
                         [["John Kerry", "New One", "2016-06"]])

    def test_one_statement_at_a_time(self):
        self.refused(query(example(), "RETURN 1; RETURN 2"), "1:11", "one statement at a time")
        self.done(query(example(), "RETURN 1;"))

    def test_timeout_stops_a_long_statement(self):
        ran = query(example(), "MATCH (a), (b), (c), (d), (e), (f) RETURN count(*)", "--timeout", "1")
        self.refused(ran, "1")


class Who(Case):
    GOLDEN = ("tests", "cli", "golden", "who_syria.txt")

    def who(self, *args):
        return self.done(run("who", "example.dm", *args, cwd=example().parent))

    def test_before_the_walkout_the_whole_text(self):
        text = self.who("--before", "hnc-walkout").out
        golden = support.source.joinpath(*self.GOLDEN)
        if os.environ.get("REWRITE_GOLDEN"):
            golden.write_text(text, encoding="utf-8")
        self.assertEqual(text, golden.read_text(encoding="utf-8"))
        self.assertEqual(text, self.done(run("shell", "example.dm", cwd=example().parent, stdin=".who hnc-walkout\n")).out.replace(".why KEY", "demarche why example.dm KEY"))

    def test_planned_contacts_are_named_and_not_counted(self):
        store = self.folder / "planned.dm"
        shutil.copytree(example(), store)
        self.done(run("query", store, "RECORD MEETING 'p' BETWEEN 'Kerry', 'Sergei Lavrov' ON '2016-02-01' STATUS planned"))
        ran = self.done(run("who", store, "--before", "hnc-walkout"))
        self.assertIn("10 certain, 1 under way, 2 possible", ran.out)
        self.assertEqual(ran.err, "1 more planned or cancelled, and not counted\n")
        self.assertEqual(self.done(run("who", example(), "--before", "hnc-walkout")).err, "")

    def test_the_answer_in_records(self):
        got = [json.loads(line) for line in self.who("--before", "hnc-walkout", "--format", "jsonl").lines]
        by_certainty = {}
        for row in got:
            by_certainty.setdefault(row["certainty"], []).append(row["key"])
        self.assertEqual(by_certainty, {
            "certain": ["kerry-london-jan", "kerry-zurich-jan", "kerry-riyadh-jan", "issg-munich", "kerry-amman-feb", "obama-putin-feb",
                        "kerry-hafr-al-batin", "geneva-iii-march", "kerry-havana", "kerry-moscow-mar"],
            "under way": ["geneva-iii-april"],
            "possible": ["kerry-cairo-apr", "gcc-summit-riyadh"]})
        munich = next(row for row in got if row["key"] == "issg-munich")
        self.assertEqual([(p["actor"]["name"], p["role"], p["for"]) for p in munich["participants"]],
                         [("John Kerry", "participant", None), ("Sergey Lavrov", "participant", None),
                          ("Staffan de Mistura", "participant", None), ("International Syria Support Group", "forum", None)])
        self.assertEqual(munich["sources"], ["state-travels", "public-record"])
        self.assertEqual(munich["when"], "[2016-02-11..2016-02-12]")

    def test_the_interaction_itself_is_not_before_itself(self):
        keys = [json.loads(line)["key"] for line in self.who("--before", "kerry-cairo-apr", "--format", "jsonl").lines]
        self.assertNotIn("kerry-cairo-apr", keys)

    def test_every_format_has_the_same_records(self):
        as_json = json.loads(self.who("--before", "hnc-walkout", "--format", "json").out)
        as_lines = [json.loads(line) for line in self.who("--before", "hnc-walkout", "--format", "jsonl").lines]
        as_csv = csv_rows(self.who("--before", "hnc-walkout", "--format", "csv", "--raw").out)
        as_tsv = [line.split("\t") for line in self.who("--before", "hnc-walkout", "--format", "tsv").lines]
        self.assertEqual(as_json, as_lines)
        self.assertEqual(len(as_json), 13)
        self.assertEqual(as_csv[0], list(as_json[0]))
        self.assertEqual(as_csv, as_tsv)
        for record, row in zip(as_json, as_csv[1:], strict=True):
            self.assertEqual(row[:5], [record[name] or "" for name in as_csv[0][:5]])
        without = self.who("--before", "hnc-walkout", "--format", "csv", "--no-header", "--raw").out
        self.assertEqual(csv_rows(without), as_csv[1:])

    def test_certain_narrows(self):
        got = [json.loads(line) for line in self.who("--before", "hnc-walkout", "--certain", "--format", "jsonl").lines]
        self.assertEqual({row["certainty"] for row in got}, {"certain"})
        self.assertEqual(len(got), 10)
        first = self.who("--before", "hnc-walkout", "--certain").lines[0]
        self.assertEqual(first, "Before hnc-walkout (a day within 18..24 Apr 2016): 10 certain")

    def test_of_one_actor_and_of_two_with_one_another(self):
        def keys(*args):
            return [json.loads(line)["key"] for line in self.who("--before", "hnc-walkout", *args, "--format", "jsonl").lines]
        self.assertEqual(keys("--actor", "Sergei Lavrov"), ["kerry-zurich-jan", "issg-munich", "kerry-moscow-mar"])
        self.assertEqual(keys("--actor", "Sergei Lavrov", "--actor", "Staffan de Mistura"), ["issg-munich"])
        # Principal's counterparts were not in contact with one another, nor were two delegations with a mediator.
        self.assertEqual(keys("--actor", "Sergei Lavrov", "--actor", "Vladimir Putin"), [])
        self.assertEqual(keys("--actor", "Government of Syria", "--actor", "High Negotiations Committee"), [])
        self.assertEqual(keys("--actor", "Government of Syria"), ["geneva-iii-march", "geneva-iii-april"])
        self.assertEqual(self.who("--before", "hnc-walkout", "--actor", "Government of Syria").lines[0],
                         "Before hnc-walkout (a day within 18..24 Apr 2016) of Government of Syria: 1 certain, 1 under way, 0 possible")
        three = [word for name in ("syria", "Kerry", "Sergey Lavrov") for word in ("--actor", name)]
        self.refused(run("who", example(), "--before", "2016", *three), "3 actors", "one actor, or of two")
        self.refused(run("who", example(), "--before", "2016", "--actor", "Sergei Lavrow"), "Sergey Lavrov")

    def test_the_last_ones_only(self):
        ran = self.who("--before", "hnc-walkout", "--last", "2")
        self.assertTrue(ran.lines[0].endswith("10 certain, 1 under way, 2 possible; the latest 2 of them"), ran.lines[0])
        self.assertIn("gcc-summit-riyadh", ran.out)
        self.assertNotIn("geneva-iii-april", ran.out)
        got = [json.loads(line)["key"] for line in self.who("--before", "hnc-walkout", "--last", "2", "--format", "jsonl").lines]
        self.assertEqual(got, ["kerry-cairo-apr", "gcc-summit-riyadh"])
        self.refused(run("who", example(), "--before", "2016", "--last", "0"), "--last", status=USAGE)

    def test_what_has_no_key_is_named_by_its_number(self):
        store = self.store({"actor": {"key": "a", "name": "Ann"}}, {"actor": {"key": "b", "name": "Bob"}},
                           {"interaction": {"kind": "CALL", "when": "2015", "participants":
                                            [{"actor": "a", "role": "caller"}, {"actor": "b", "role": "callee"}]}})
        number = self.done(run("who", store, "--before", "2016")).lines[3].strip()
        self.assertIn("Ann", self.done(run("why", store, number)).out)

    def test_a_date_instead_of_a_key(self):
        self.assertEqual(self.who("--before", "2016-03-01").lines[0], "Before 2016-03-01 (1 Mar 2016): 6 certain, 0 under way, 0 possible")
        self.assertEqual(self.who("--before", "2016-02").lines[0].split("): ")[1], "3 certain, 0 under way, 0 possible")
        got = [json.loads(line) for line in self.who("--before", "2016-04-21", "--format", "jsonl").lines]
        self.assertEqual([row["key"] for row in got if row["certainty"] != "certain"], ["geneva-iii-april"])
        nobody = self.who("--before", "1990")
        self.assertIn("0 certain, 0 under way, 0 possible", nobody.out)

    def test_according_to_a_source(self):
        ran = self.who("--before", "hnc-walkout", "--according-to", "abc-2016-05")
        self.assertEqual(ran.lines[0],
                         "Before hnc-walkout according to abc-2016-05 (a day within 18..30 Apr 2016): 10 certain, 1 under way, 4 possible")
        got = [json.loads(line) for line in
               self.who("--before", "hnc-walkout", "--according-to", "abc-2016-05", "--format", "jsonl").lines]
        self.assertEqual([row["key"] for row in got if row["certainty"] == "possible"],
                         ["kerry-cairo-apr", "gcc-summit-riyadh", "kerry-demistura-call", "kerry-hijab-call"])
        hijab = got[-1]["participants"][1]
        self.assertEqual((hijab["actor"]["key"], hijab["for"]["key"]), ("riyad-hijab", "high-negotiations-committee"))
        by_record = self.who("--before", "hnc-walkout", "--according-to", "public-record").lines[0]
        self.assertIn("10 certain, 1 under way, 0 possible", by_record)

    def test_a_record_of_one_party_is_no_contact(self):
        store = self.store({"actor": {"key": "a", "name": "Ann"}}, {"actor": {"key": "b", "name": "Bob"}},
                           *[{"interaction": {"key": key, "kind": "CALL", "when": "2015", "participants":
                                              [{"actor": a, "role": role} for a, role in parties]}}
                             for key, parties in (("alone", [("a", "caller")]), ("none", []), ("apart", [("a", "caller"), ("b", "caller")]),
                                                  ("call", [("a", "caller"), ("b", "callee")]))])
        lines = self.done(run("who", store, "--before", "2016", "--format", "jsonl")).lines
        self.assertEqual([json.loads(line)["key"] for line in lines], ["call"])

    def test_refusals(self):
        self.refused(run("who", example(), "--before", "{2016,2017}"), "{2016,2017}", "[..]")
        for command in (("who",), ("path", "--from", "russia", "--to", "syria")):
            self.refused(run(command[0], example(), *command[1:], "--before", "2016-02-30"), "February 2016 has 29 days")
            self.refused(run(command[0], example(), *command[1:], "--before", "hnc-walkot"), "did you mean 'hnc-walkout'?")
        self.refused(run("who", example(), "--before", "no-such-key"), "'no-such-key'", "no interaction", "no date", "list the keys")
        self.refused(run("who", example(), "--before", "hnc-walkout", "--according-to", "nobody"), "'nobody'", "no source")
        self.refused(run("who", example(), "--before", "hnc-walkout", "--according-to", "state-travels"), "'state-travels'", "'hnc-walkout'")
        self.refused(run("who", example(), "--before", "2016", "--according-to", "abc-2016-05"), "--according-to", "key")


class Why(Case):
    def test_the_claims_differ_and_it_says_so(self):
        ran = self.done(run("why", example(), "hnc-walkout"))
        self.assertEqual(ran.err, "")
        text = ran.out
        self.assertRegex(text, r"^hnc-walkout\s+WALKOUT\n")
        self.assertIn("[2016-04-18..2016-04-24]", text)
        held, claims = text.split("what the sources say")
        self.assertIn("High Negotiations Committee", held)
        abc, record = re.split(r"^2 ", claims, maxsplit=1, flags=re.MULTILINE)
        self.assertRegex(abc, r"when +\[2016-04-18\.\.2016-04-30\].*<< differs from what is held")
        self.assertRegex(abc, r'words +".*last week"')
        self.assertIn("ABC News (Australia)", abc)
        self.assertRegex(record, r"when +2016-04-18 .*<< differs from what is held")

    def test_what_agrees_is_not_marked(self):
        self.assertNotIn("differs", self.done(run("why", example(), "kerry-cairo-apr")).out)

    def test_a_status_that_differs_is_marked(self):
        self.assertRegex(self.done(run("why", example(), "kerry-geneva-may")).out, r"status +planned.*<< differs from what is held")

    def test_on_behalf_of_whom(self):
        self.assertRegex(self.done(run("why", example(), "kerry-hijab-call")).out,
                         r"callee +Riyad Hijab.* for\s+High\s+Negotiations\s+Committee")

    def test_unknown_key(self):
        self.refused(run("why", example(), "no-such-key"), "no interaction", "'no-such-key'")
        self.refused(run("why", example(), "kerry-hijab-cal"), "did you mean 'kerry-hijab-call'?")


class Path(Case):
    def path(self, *args):
        return self.done(run("path", example(), *args)).out

    def test_word_could_have_gone_one_way(self):
        text = self.path("--from", "High Negotiations Committee", "--to", "Vladimir Putin", "--before", "hnc-walkout")
        self.assertRegex(text, r"^Could word have gone from High Negotiations Committee to Vladimir Putin before hnc-walkout\?\n")
        self.assertRegex(text, r"for certain: yes, .*2016-03-24")
        self.assertLess(text.index("High Negotiations Committee -> John Kerry"), text.index("John Kerry -> Vladimir Putin"))
        self.assertIn("kerry-riyadh-jan", text)
        self.assertIn("kerry-moscow-mar", text)

    def test_but_not_the_other(self):
        text = self.path("--from", "vladimir-putin", "--to", "high-negotiations-committee", "--before", "hnc-walkout")
        self.assertIn("for certain: no\npossibly: no\n", text)

    def test_perhaps(self):
        text = self.path("--from", "nasser-judeh", "--to", "riyad-hijab")
        self.assertRegex(text, r"for certain: yes|possibly: yes")

    def test_strict_and_possibly(self):
        strict = self.path("--from", "riyad-hijab", "--to", "staffan-de-mistura", "--strict")
        self.assertIn("for certain, each day after the one before: yes", strict)
        self.assertNotIn("possibly", strict)
        possibly = self.path("--from", "riyad-hijab", "--to", "staffan-de-mistura", "--possibly")
        self.assertIn("possibly: yes", possibly)
        self.assertNotIn("for certain", possibly)

    def test_names_and_aliases_and_keys_name_the_same(self):
        by_key = self.path("--from", "john-kerry", "--to", "sergey-lavrov")
        self.assertEqual(by_key, self.path("--from", "John Kerry", "--to", "Sergey Lavrov"))

    def test_unknown_actor(self):
        self.refused(run("path", example(), "--from", "John Kery", "--to", "russia"), "'John Kery'", "John Kerry")

    def test_to_oneself(self):
        self.refused(run("path", example(), "--from", "russia", "--to", "Russia"), "the same actor")


class Stats(Case):
    def test_table(self):
        text = self.done(run("stats", example())).out
        for name, value in (("actors", "27"), ("interactions", "40"), ("sources", "3")):
            self.assertRegex(text, rf"(?m)^{name} +{value}$")
        self.assertRegex(text, r"last commit +1 of \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

    def test_counts_equal_what_queries_count(self):
        for form in ("json", "jsonl", "csv", "tsv"):
            text = self.done(run("stats", example(), "--format", form)).out
            got = {"json": json.loads, "jsonl": lambda t: [json.loads(line) for line in t.splitlines()],
                   "csv": lambda t: list(csv.DictReader(io.StringIO(t))),
                   "tsv": lambda t: list(csv.DictReader(io.StringIO(t), delimiter="\t"))}[form](text)
            counted = {row["kind"]: int(row["interactions"]) for row in got}
            self.assertEqual(counted, dict(rows(example(), "MATCH [c] RETURN type(c), count(*)")))
            meeting = next(row for row in got if row["kind"] == "MEETING")
            self.assertEqual((meeting["below"], meeting["first"], meeting["last"]), ("CONTACT", "2016-01-13", "2016-05-02"))

    def test_storage(self):
        self.assertRegex(self.done(run("stats", example(), "--storage")).out, r"(?m)^size on disk +[0-9.]+ MB")
        got = json.loads(self.done(run("stats", example(), "--storage", "--format", "json")).out)
        holds = {row["family"]: row["holds"] for row in got}
        self.assertEqual(len(holds), 16)
        self.assertEqual({f for f, h in holds.items() if h == "index"}, {"contact_by_actor_time", "interaction_by_time"})
        self.assertTrue(all(row["bytes"] >= 0 for row in got))
        self.assertRegex(self.done(run("shell", example(), stdin=".storage\n")).out,
                         r"(?m)^blocks in memory +of \d+ actors, [0-9.]+ MB; found there \d+ times, read \d+ times$")

    def test_store_without_interactions(self):
        store = self.store({"actor": {"key": "a", "name": "A"}})
        self.assertEqual(len(json.loads(self.done(run("stats", store, "--storage", "--format", "json")).out)), 16)
        self.assertRegex(self.done(run("stats", store)).out, r"interactions +0")
        self.assertEqual(json.loads(self.done(run("stats", store, "--format", "json")).out), [])


class Import(Case):
    def test_says_what_was_read(self):
        files = sorted((support.source / "examples" / "syria-2016").glob("*.jsonl"))
        ran = self.done(run("import", *files, "--into", self.folder / "x.dm", "--as", "jsonl"))
        self.assertEqual(ran.out, "")
        self.assertRegex(ran.err, r"imported 27 actors, 40 interactions, 3 sources, 0 kinds from 59 lines into .*x\.dm in .* \(commit 1\)")
        one = run("import", self.lines_file("one.jsonl", {"source": {"key": "s"}}), "--into", self.folder / "one.dm", "--as", "jsonl")
        self.assertIn("imported 0 actors, 0 interactions, 1 source, 0 kinds from 1 line into", one.err)

    def test_order_of_files_and_lines_is_free(self):
        files = sorted((support.source / "examples" / "syria-2016").glob("*.jsonl"))
        lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
        backwards = self.file("backwards.jsonl", "\n".join(reversed(lines)))
        store = self.folder / "x.dm"
        self.done(run("import", backwards, "--into", store, "--as", "jsonl"))
        statement = "MATCH [c] WHERE c.key IS NOT NULL RETURN c.key, type(c), c.when, c.place ORDER BY c.key"
        self.assertEqual(rows(store, statement), rows(example(), statement))

    def test_marks_of_windows_and_blank_lines_are_passed_over(self):
        file = self.file("w.jsonl", b'\xef\xbb\xbf{"actor": {"key": "a", "name": "A"}}\r\n\r\n   \n{"actor": {"key": "b", "name": "B"}}')
        store = self.folder / "x.dm"
        self.done(run("import", file, "--into", store, "--as", "jsonl"))
        self.assertEqual(rows(store, "MATCH (a) RETURN a.name ORDER BY a.name"), [["A"], ["B"]])

    def test_a_second_import_refers_to_the_first(self):
        store = self.copy_of_example()
        more = self.lines_file("more.jsonl", {"interaction": {"key": "later", "kind": "CALL", "when": "2016-06", "part_of": "hnc-walkout",
                                                              "participants": [{"actor": "John Kerry", "role": "caller"},
                                                                               {"actor": "russia", "role": "callee"}],
                                                              "claims": [{"source": "public-record"}]}})
        self.assertIn("(commit 2)", self.done(run("import", more, "--into", store, "--as", "jsonl")).err)
        self.assertEqual(rows(store, "MATCH (a)-[c {key: 'later'}]->(b) RETURN a.name, b.name"), [["John Kerry", "Russia"]])

    def test_dyads(self):
        data = self.file("d.tsv", 'object\tdate\tsubject\trelation\nB "x"\t2016-01-01\tA\tConsult\nA\t2016-01-01\tB "x"\tConsult\n'
                                  "A\t2016-01-02\tC\tHost a visit\nC\t2016-01-02\tA\tMake a visit\n")
        kinds = self.file("k.tsv", "relation\tcameo_code\tclass\nConsult\t040\tcontact\nHost a visit\t043\tcontact\nMake a visit\t042\tcontact\n")
        store = self.folder / "x.dm"
        ran = self.done(run("import", data, "--into", store, "--as", "dyads", "--kinds", kinds))
        self.assertIn("2 rows were the other side of a contact already read", ran.err)
        got = rows(store, "MATCH [c] RETURN type(c), c.when, participants(c), claims(c) ORDER BY c.when")
        told = [(kind, when, {(p["role"], p["actor"]["name"]) for p in parties}, [c["locator"] for c in claims])
                for kind, when, parties, claims in got]
        self.assertEqual(told, [
            ("CONSULT", "2016-01-01", {("participant", "A"), ("participant", 'B "x"')}, ["line 2, 3"]),
            ("VISIT", "2016-01-02", {("host", "C"), ("visitor", "A")}, ["line 4, 5"])])


class Demo(Case):
    def test_twice_and_it_is_cheap_to_repeat(self):
        folder = self.folder / "demo"
        first = self.done(run("demo", "--folder", folder))
        before = support.dump(folder / "talks.dm")
        gexf = (folder / "talks.gexf").read_bytes()
        again = self.done(run("demo", "--folder", folder))
        self.assertEqual(first.out, again.out)
        self.assertEqual(gexf, (folder / "talks.gexf").read_bytes())
        self.assertEqual(without_commit(before), without_commit(support.dump(folder / "talks.dm")))

    def test_holds_the_shipped_example(self):
        self.done(run("demo", cwd=self.folder))
        in_demo = support.dump(self.folder / "demarche-demo" / "talks.dm")
        self.assertEqual(without_commit(in_demo), without_commit(support.dump(example())))

    def test_answers_as_the_commands_do(self):
        text = self.done(run("demo", "--folder", "demo", cwd=self.folder)).out
        self.assertIn("27 actors, 40 interactions, 3 sources", text)
        for command in (("who", "demo/talks.dm", "--before", "hnc-walkout"),
                        ("path", "demo/talks.dm", "--from", "High Negotiations Committee", "--to", "Vladimir Putin", "--before", "hnc-walkout")):
            self.assertIn(self.done(run(*command, cwd=self.folder)).out, text)

    def test_refuses_to_replace_something_else(self):
        folder = self.folder / "demo"
        folder.mkdir()
        other = self.store({"actor": {"key": "a", "name": "A"}})
        other.rename(folder / "talks.dm")
        before = support.dump(folder / "talks.dm")
        self.refused(run("demo", "--folder", folder), "talks.dm", "something else", "--folder")
        self.assertEqual(support.dump(folder / "talks.dm"), before)

    def test_keeps_what_was_recorded_after_it(self):
        folder = self.folder / "demo"
        self.done(run("demo", "--folder", folder))
        self.done(query(folder / "talks.dm", "CREATE (:Mine {name: 'my work'})"))
        self.refused(run("demo", "--folder", folder), "talks.dm", "besides the demo", "--folder")
        self.assertEqual(rows(folder / "talks.dm", "MATCH (a:Mine) RETURN count(*)"), [[1]])

    def test_keeps_other_files(self):
        folder = self.folder / "demo"
        (folder / "example").mkdir(parents=True)
        (folder / "example" / "actors.jsonl").write_text("mine")
        self.done(run("demo", "--folder", folder))
        self.assertEqual({p.name for p in folder.iterdir()}, {"example", "talks.dm", "talks.gexf"})  # its own files are gone
        (folder / "talks.gexf").write_text("mine")
        self.refused(run("demo", "--folder", folder), "talks.gexf", "not written by the demo")
        self.assertEqual(((folder / "example" / "actors.jsonl").read_text(), (folder / "talks.gexf").read_text()), ("mine", "mine"))

    def test_refuses_a_file_and_a_foreign_folder_in_its_place(self):
        self.refused(run("demo", "--folder", self.file("file", "x")), "file")
        foreign = self.folder / "demo" / "talks.dm"
        foreign.mkdir(parents=True)
        (foreign / "mine.txt").write_text("mine")
        self.refused(run("demo", "--folder", self.folder / "demo"), "talks.dm", "not a store")
        self.assertEqual([p.name for p in foreign.iterdir()], ["mine.txt"])


class Shell(Case):
    def shell(self, text, store=None, *more):
        return run("shell", store or example(), *more, stdin=text)

    def values(self, ran):
        """The rows of a shell in mode csv without header."""
        return ran.out.replace("\r", "").split("\n")[:-1]

    def csv(self, text, store=None):
        return self.shell(text, store, "--format", "csv", "--no-header")

    def test_several_statements(self):
        for text in ("RETURN 1; RETURN 2; RETURN 3;\n", "RETURN 1;\nRETURN 2;\nRETURN 3;\n", "RETURN 1; RETURN 2;\nRETURN\n3",
                     "RETURN 1;;\n; RETURN 2; RETURN 3\n;", "RETURN 1; // a; b\nRETURN 2; /* c; */ RETURN 3;"):
            ran = self.done(self.csv(text))
            self.assertEqual((self.values(ran), ran.err), (["1", "2", "3"], ""), text)

    def test_a_statement_over_lines(self):
        ran = self.done(self.csv("MATCH (a:Person)\n  WHERE a.key = 'john-kerry'\n\nRETURN\n  a.name\n;\n"))
        self.assertEqual(self.values(ran), ["John Kerry"])

    def test_exit_quit_and_help_work_as_plain_words(self):
        for word in ("quit", "exit;", ":quit", "quit; "):
            self.assertEqual(self.values(self.done(self.csv(f"RETURN 1;\n{word}\nRETURN 2;\n"))), ["1"], word)
        self.assertIn(".names TEXT", self.done(self.shell("help\n")).out)
        self.assertEqual(self.values(self.done(self.csv("WITH 1 AS quit\nRETURN\nquit;\n"))), ["1"])

    def test_a_semicolon_within_a_text_ends_nothing(self):
        self.assertEqual(self.values(self.done(self.csv("RETURN 'a;b';\nRETURN 'c\n;d';\n"))), ["a;b", '"c', ';d"'])

    def test_nothing_to_do(self):
        for text in ("", "\n\n", "   \n"):
            ran = self.done(self.shell(text))
            self.assertEqual((ran.out, ran.err), ("", ""))

    def test_an_error_does_not_end_it_but_is_the_exit_status(self):
        ran = self.csv("RETURN 1;\nRETRUN 2;\nRETURN 3;\n")
        self.assertEqual(ran.status, FAILED)
        self.assertEqual(self.values(ran), ["1", "3"])
        self.assertIn("'RETRUN'", ran.err)
        self.assertEqual(ran.err.count("demarche:"), 1)

    def test_statements_see_what_earlier_ones_wrote(self):
        store = self.copy_of_example()
        ran = self.done(self.csv("CREATE (:Person {name: 'New'});\nMATCH (a {name: 'New'}) RETURN count(*);\n", store))
        self.assertEqual(self.values(ran), ["1"])
        self.assertIn("recorded 1 actor (commit 2)", ran.err)
        self.assertEqual(rows(store, "MATCH (a {name: 'New'}) RETURN labels(a)"), [[["Person"]]])

    def test_help_lists_every_command(self):
        text = self.done(self.shell(".help\n")).out
        for name in (".who", ".why", ".names", ".kinds", ".functions", ".storage", ".mode", ".param", ".read", ".help", ".quit"):
            self.assertIn(f"\n  {name}", text)

    def test_who_and_why_answer_as_the_commands_do(self):
        by_key = self.done(self.shell(".who hnc-walkout\n.why hnc-walkout\n")).out
        who = run("who", example(), "--before", "hnc-walkout").out
        self.assertEqual(by_key, who.replace(f"demarche why {example()} KEY", ".why KEY") + run("why", example(), "hnc-walkout").out)
        self.assertIn(".why KEY", by_key)
        as_csv = self.done(self.shell(".mode csv\n.who 2016-03;\n")).out
        self.assertEqual(as_csv, run("who", example(), "--before", "2016-03", "--format", "csv").out)

    def test_names(self):
        self.assertRegex(self.done(self.shell(".names Ker\n")).out, r"^John Kerry +john-kerry\n$")
        self.assertRegex(self.done(self.shell(".names رياض\n")).out, r"^Riyad Hijab +riyad-hijab\n$")
        self.assertEqual(self.done(self.shell(".names zzz\n")).out, "")

    def test_kinds_as_a_tree(self):
        lines = self.done(self.shell(".kinds\n")).lines
        self.assertEqual(lines[:3], ["INTERACTION", "  CONTACT", "    CALL"])
        self.assertIn("    WALKOUT", lines)

    def test_functions(self):
        self.assertRegex(self.done(self.shell(".functions certainty\n")).out, r"^certainty\(p\) +'certain', 'possible' or 'no'")
        listed = self.done(self.shell(".functions\n")).out
        self.assertGreater(len(listed.splitlines()), 30)
        # The same as CALL functions(), one line each.
        self.assertEqual(self.done(self.shell(".help functions\n")).out, listed)
        rows = self.done(self.shell(".mode jsonl\nCALL functions() YIELD signature, help RETURN signature, help;\n")).out
        called = [json.loads(line) for line in rows.splitlines()]
        self.assertEqual([f"{row['signature']:<34}  {row['help']}" for row in called], listed.splitlines())
        self.assertIn("no help on 'zebras'", self.shell(".help zebras\n").err)

    def test_mode(self):
        ran = self.done(self.shell(".mode csv\nRETURN 1 AS x;\n.mode jsonl\nRETURN 1 AS x;\n.mode tsv\nRETURN 1 AS x;\n"))
        self.assertEqual(ran.out, 'x\r\n1\r\n{"x": 1}\nx\n1\n')

    def test_read_runs_a_file(self):
        file = self.file("q.txt", "RETURN 1;\n// between\nRETURN 2")
        ran = self.done(self.csv(f".read {file}\nRETURN 3;\n"))
        self.assertEqual(self.values(ran), ["1", "2", "3"])
        broken = self.file("broken.txt", "RETURN 1;\nRETRUN 2;\nRETURN 3;\n")
        ran = self.csv(f".read {broken}\nRETURN 4;\n")
        self.assertEqual((ran.status, self.values(ran)), (FAILED, ["1", "4"]))

    def test_read_of_a_folder_is_refused(self):
        ran = self.csv(f".read {self.folder}\nRETURN 5;\n")
        self.assertEqual((ran.status, self.values(ran)), (FAILED, ["5"]), str(ran))
        self.assertIn("Is a directory", ran.err)

    def test_lines_of_windows(self):
        self.assertEqual(self.done(self.shell(".mode csv\r\nRETURN 1 AS x;\r\n.quit\r\n")).out, "x\r\n1\r\n")

    def test_an_indented_command(self):
        self.assertEqual(self.done(self.shell("  .mode csv\nRETURN 1 AS x;\n\n \t.quit\nRETURN 2;\n")).out, "x\r\n1\r\n")

    def test_parameters(self):
        ran = self.done(self.csv(".param x 5\n.param day 2016-04-18\n.param $name 'John Kerry'\n"
                                 "RETURN $x + 1;\nMATCH (a {name: $name}) RETURN a.key;\n.param x 7;\n.param\n"))
        self.assertEqual(self.values(ran), ["6", "john-kerry", '$day  "2016-04-18"', '$name  "John Kerry"', "$x  7"])
        ran = self.csv(".param x\nRETURN $x;\n")
        self.assertEqual(ran.status, FAILED)
        self.assertIn(".param NAME VALUE", ran.err)
        self.assertIn(".param x VALUE", ran.err)

    def test_quit(self):
        self.assertEqual(self.values(self.done(self.csv("RETURN 1;\n.quit\nRETURN 2;\n"))), ["1"])

    def test_refusals_of_commands(self):
        for text, *parts in ((".hwo x\n", "'.hwo'", ".who"), (".frob\n", "'.frob'", ".help"), (".mode xml\n", "'xml'", "jsonl"),
                             (".who\n", ".who needs", ".help"), (".why\n", ".why needs"), (".read\n", ".read needs"),
                             (".read nope.txt\n", "'nope.txt'", "No such file"), (".why nope\n", "no interaction", "'nope'"),
                             (".who nope\n", "no interaction", "'nope'")):
            ran = self.csv(text + "RETURN 5;\n")
            self.assertEqual((ran.status, self.values(ran)), (FAILED, ["5"]), str(ran))
            for part in parts:
                self.assertIn(part, ran.err, str(ran))

    def test_a_text_that_is_not_closed_is_given_up_after_two_line_feeds(self):
        ran = self.csv("RETURN 'open;\n\nRETURN 2;\n")
        self.assertEqual((ran.status, self.values(ran)), (FAILED, ["2"]), str(ran))
        self.assertIn("not closed", ran.err)

    def test_not_a_word_of_greeting_unless_at_a_terminal(self):
        ran = self.done(self.shell("RETURN 1;\n"))
        self.assertNotIn("demarche>", ran.out)
        self.assertEqual(ran.err, "")


class Terminal:
    """The shell at a pseudo-terminal."""

    SECONDS_MAX = 20

    def __init__(self, store, home, **more):
        self.seen = ""
        self.master, slave = pty.openpty()
        self.process = support.start(["shell", store], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                     preexec_fn=self.take_terminal, home=str(home), **more)
        os.close(slave)

    @staticmethod
    def take_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def send(self, text):
        if text == "\x04":  # until the line editor has the terminal, Control-D is lost
            self.await_editor()
        os.write(self.master, text.encode())

    def await_editor(self):
        """Until the line editor waits for a key, as it does whenever a person looks at the prompt."""
        end = time.monotonic() + self.SECONDS_MAX
        while termios.tcgetattr(self.master)[3] & termios.ICANON and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(0.2)

    def read_until(self, pattern):
        """What came up to and with the pattern."""
        end = time.monotonic() + self.SECONDS_MAX
        while not (found := re.search(pattern, self.seen, re.DOTALL)):
            if time.monotonic() > end:
                raise AssertionError(f"{pattern!r} did not come; there is {self.seen!r}")
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    read = os.read(self.master, 65536)
                except OSError:  # the other side is closed
                    read = b""
                if not read:
                    raise AssertionError(f"the shell ended before {pattern!r}; there is {self.seen!r}")
                self.seen += read.decode("utf-8", errors="replace")
        out, self.seen = self.seen[:found.end()], self.seen[found.end():]
        return out

    def ended(self):
        try:
            return self.process.wait(timeout=self.SECONDS_MAX)
        finally:
            self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


class AtTheTerminal(Case):
    def open(self, store=None):
        terminal = Terminal(store or example(), self.folder)
        self.addCleanup(terminal.close)
        self.greeting = terminal.read_until(r"demarche> ")
        return terminal

    def ask(self, terminal, text):
        terminal.send(text)
        return terminal.read_until(r"rows? in [0-9.]+ ms\r\n.*demarche> ")

    def test_it_greets_prompts_and_answers(self):
        terminal = self.open()
        self.assertIn("27 actors, 40 interactions", self.greeting)
        self.assertIn(".help", self.greeting)
        answer = self.ask(terminal, "RETURN 41 + 1 AS x;\n")
        self.assertRegex(answer, r"x *\r\n─+\r\n42\r\n1 row in ")
        terminal.send("MATCH (a:Person)\n")
        terminal.read_until(r"\.\.\.> ")
        self.assertIn("11", self.ask(terminal, "RETURN count(*);\n"))

    def test_control_d_leaves(self):
        terminal = self.open()
        terminal.send("\x04")
        self.assertEqual(terminal.ended(), DONE)

    def test_an_error_at_a_terminal_is_no_failure_of_the_shell(self):
        terminal = self.open()
        terminal.send("RETRUN 1;\n")
        terminal.read_until(r"RETRUN'.*\^+\r\n.*demarche> ")
        terminal.send(".quit\n")
        self.assertEqual(terminal.ended(), DONE)

    def test_control_c_stops_a_long_statement_and_returns_to_the_prompt(self):
        terminal = self.open()
        terminal.send("MATCH (a), (b), (c), (d), (e), (f) RETURN count(*);\n")
        terminal.read_until(r"count\(\*\);\r\n")
        time.sleep(0.5)
        terminal.send("\x03")
        self.assertIn("stopped", terminal.read_until(r"demarche> "))
        self.assertIn("\r\n7\r\n", self.ask(terminal, "RETURN 7 AS x;\n"))

    def test_control_c_at_the_prompt_gives_a_new_line_and_keeps_history(self):
        terminal = self.open()
        self.ask(terminal, "RETURN 'kept' AS x;\n")
        terminal.await_editor()
        terminal.send("abc\x03")
        terminal.read_until(r"demarche> ")
        self.assertIn("\r\n7\r\n", self.ask(terminal, "RETURN 7 AS x;\n"))
        terminal.send("MATCH (a)\n")
        terminal.read_until(r"\.\.\.> ")
        terminal.await_editor()
        terminal.send("\x03")
        terminal.read_until(r"demarche> ")
        self.assertIn("\r\n8\r\n", self.ask(terminal, "RETURN 8 AS x;\n"))
        terminal.send("\x04")
        self.assertEqual(terminal.ended(), DONE)
        self.assertIn("kept", (self.folder / ".demarche_history").read_text())

    def test_control_c_ends_a_long_statement_of_the_command_query(self):
        process = support.start(["query", example(), "MATCH (a), (b), (c), (d), (e), (f) RETURN count(*)"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.7)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual((process.returncode, out), (FAILED, b""))
        self.assertIn(b"stopped", err)

    def test_history_is_kept_for_the_next_time(self):
        terminal = self.open()
        self.ask(terminal, "RETURN 'from the past' AS x;\n")
        terminal.send("\x04")
        self.assertEqual(terminal.ended(), DONE)
        self.assertIn("past", (self.folder / ".demarche_history").read_text().replace("\\040", " "))
        terminal = self.open()
        terminal.send("\x1b[A")
        terminal.read_until(r"from the past")
        self.assertIn("from the past\r\n", self.ask(terminal, "\n"))

    def test_the_tabulator_completes_keywords(self):
        terminal = self.open()
        terminal.send("MAT\t")
        terminal.read_until(r"CH")
        self.assertRegex(self.ask(terminal, "(a) RETURN count(*) AS n;\n"), r"\r\n27\r\n")

    def test_a_wide_table_is_wrapped_to_the_terminal(self):
        terminal = self.open()
        fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
        answer = self.ask(terminal, "MATCH [c {key: 'issg-munich'}] RETURN participants(c) AS p, claims(c) AS c;\n")
        table = answer.split(TABLE_RULE)[-1].split("1 row")[0]
        self.assertGreater(len(table.splitlines()), 3)
        self.assertLessEqual(max(width(line) for line in table.splitlines()), 60)


if __name__ == "__main__":
    support.main()

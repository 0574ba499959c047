#!/usr/bin/env python3
"""What is refused: bad files, bad stores, bad moments. Each refusal says where and what to do, and changes nothing.

    python3 tests/cli/refusals_test.py --binary PATH_TO_demarche --source PATH_OF_REPO

A bad import is tried on a store that holds the shipped example and on a path where there is none. Afterwards the first
holds exactly what it held, by a dump of everything in it, and at the second there is nothing.
"""

import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True  # no __pycache__ among the sources
import support
from support import Case, DONE, FAILED, USAGE, dump, example, query, rows, run

A = {"actor": {"key": "a", "name": "Ann"}}
B = {"actor": {"key": "b", "name": "Bob"}}
S = {"source": {"key": "s"}}
DYADS_HEAD = "subject\trelation\tobject\tdate\n"
KINDS = "relation\tcameo_code\tclass\nConsult\t040\tcontact\nMake a visit\t042\tcontact\nDemand\t100\tutterance\n"


def call(**fields):
    return {"interaction": {"kind": "CALL", **fields}}


def party(actor, role="participant", **fields):
    return {"actor": actor, "role": role, **fields}


class BadImport(Case):
    """Base: tries an import and looks at what became of the stores."""

    def setUp(self):
        super().setUp()
        self.existing = self.copy_of_example()
        self.before = dump(self.existing)

    def refuse(self, files, form, *parts, more=(), existing_only=False, status=FAILED):
        files = files if isinstance(files, (list, tuple)) else [files]
        new = self.folder / "new.dm"
        for store, word in ((self.existing, "as it was"), (new, "no store was made")):
            if existing_only and store is new:
                continue
            ran = self.refused(run("import", *files, "--into", store, "--as", form, *more, cwd=self.folder), *parts, status=status)
            if status == FAILED:
                self.assertIn("nothing was imported", ran.err, str(ran))
                self.assertIn(word, ran.err, str(ran))
        self.assertFalse(new.exists())
        self.assertEqual(dump(self.existing), self.before)

    def refuse_lines(self, lines, *parts, **options):
        self.lines_file("bad.jsonl", *lines)
        self.refuse("bad.jsonl", "jsonl", *parts, **options)

    def refuse_dyads(self, table, *parts, kinds=KINDS, **options):
        self.file("bad.tsv", table)
        self.file("kinds.tsv", kinds)
        self.refuse("bad.tsv", "dyads", *parts, more=("--kinds", "kinds.tsv"), **options)


class JsonLines(BadImport):
    def test_malformed_json(self):
        self.refuse_lines([A, '{"actor": {"key": "b", "name": "B"}'], "bad.jsonl:2: ", "character 36", "not valid JSON", "one JSON object")
        self.refuse_lines(['{"actor": {"key": "b", "name": "B"}} and more'], "bad.jsonl:1: ", "character 38", "not valid JSON")
        self.refuse_lines(['{"actor": {"key": "b", "name": "half \\ud800"}}'], "bad.jsonl:1: ", "not valid JSON")

    def test_a_line_that_is_no_such_object(self):
        for line in ("[1, 2]", "5", '"actor"', "null", '{"actor": []}', '{"actor": {}, "source": {}}', "{}"):
            self.refuse_lines([A, "", line], "bad.jsonl:3: ", "one object with one member", '{"actor": {...}}')

    def test_unknown_kind_of_line(self):
        self.refuse_lines([{"acter": {"key": "a"}}], "bad.jsonl:1: ", "'acter'", "actor, interaction, source or kind")

    def test_unknown_field_with_the_nearest_known_one(self):
        for line, wrong, right in (({"actor": {"key": "a", "nmae": "A"}}, "nmae", "name"), ({"source": {"key": "s", "titel": "T"}}, "titel", "title"),
                                   (call(wehn="2016"), "wehn", "when"), ({"kind": {"name": "K", "perent": "CALL"}}, "perent", "parent"),
                                   (call(participants=[{"actr": "a", "role": "caller"}]), "actr", "actor"),
                                   (call(claims=[{"sorce": "s"}]), "sorce", "source"),
                                   ({"actor": {"key": "a", "name": "A", "offices": [{"titel": "x", "of": "b"}]}}, "titel", "title")):
            self.refuse_lines([B, line], "bad.jsonl:2: ", f"no field '{wrong}'", f"did you mean '{right}'?")

    def test_required_field_missing(self):
        for line, field in (({"actor": {"name": "A"}}, "key"), ({"actor": {"key": "a"}}, "name"), ({"actor": {"key": "", "name": "A"}}, "key"),
                            ({"source": {"title": "T"}}, "key"), ({"kind": {"parent": "CALL"}}, "name"), ({"kind": {"name": "K"}}, "parent"),
                            ({"interaction": {"key": "x"}}, "kind"), (call(participants=[{"role": "caller"}]), "actor"),
                            (call(participants=[{"actor": "b"}]), "role"), (call(claims=[{"words": "w"}]), "source"),
                            ({"actor": {"key": "a", "name": "A", "offices": [{"of": "b"}]}}, "title"),
                            ({"actor": {"key": "a", "name": "A", "offices": [{"title": "t"}]}}, "of")):
            self.refuse_lines([B, line], "bad.jsonl:2: ", f"needs the field '{field}'")

    def test_a_value_of_the_wrong_sort(self):
        for line, field, sort in ((call(when=2016), "when", "a text"), (call(participants={}), "participants", "a list of objects"),
                                  (call(participants=["b"]), "participants", "a list of objects"),
                                  ({"actor": {"key": "a", "name": "A", "aliases": "x"}}, "aliases", "a list of texts"),
                                  ({"actor": {"key": 5, "name": "A"}}, "key", "a text"), (call(properties=[]), "properties", "an object")):
            self.refuse_lines([B, line], "bad.jsonl:2: ", f"'{field}'", sort)
        self.refuse_lines([call(properties={"p": {"q": 1}})], "bad.jsonl:1: ", "'p'", "an object cannot be a property")

    def test_impossible_date(self):
        self.refuse_lines([call(when="2016-02-28"), call(when="2016-02-30")], "bad.jsonl:2: ", "'2016-02-30', character 9", "February 2016 has 29 days")
        self.refuse_lines([call(when="soon")], "bad.jsonl:1: ", "'soon', character 1", "a year of four digits")
        self.refuse_lines([call(when="")], "bad.jsonl:1: ", "empty")
        self.refuse_lines([call(when="2016-05/2016-04")], "bad.jsonl:1: ", "'2016-05/2016-04'")
        self.refuse_lines([S, call(claims=[{"source": "s", "when": "2016-13"}])], "bad.jsonl:2: ", "'2016-13'")
        self.refuse_lines([{"source": {"key": "s", "published": "yesterday"}}], "bad.jsonl:1: ", "'yesterday'")
        self.refuse_lines([A, B, {"actor": {"key": "c", "name": "C", "offices": [{"title": "t", "of": "a", "when": "2016-00"}]}}],
                          "bad.jsonl:3: ", "'2016-00'")

    def test_all_of_several_dates_is_no_date_of_an_interaction(self):
        self.refuse_lines([call(when="{2016-02-20, 2016-03}")], "bad.jsonl:1: ", "all of these dates", "[..]")

    def test_unknown_kind(self):
        self.refuse_lines([{"interaction": {"kind": "MEETNG"}}], "bad.jsonl:1: ", "'MEETNG'", "did you mean MEETING?")
        self.refuse_lines([{"interaction": {"kind": "XYZZY"}}], "bad.jsonl:1: ", "'XYZZY'", "declare it", "CALL")
        self.refuse_lines([{"kind": {"name": "K", "parent": "MEETNG"}}], "bad.jsonl:1: ", "'K'", "'MEETNG'", "did you mean MEETING?")

    def test_unknown_role(self):
        self.refuse_lines([A, call(participants=[party("a", "calller")])], "bad.jsonl:2: ", "'calller'", "did you mean caller?")
        self.refuse_lines([A, call(participants=[party("a", "represented")])], "bad.jsonl:2: ", "'represented'", "the field 'for'")

    def test_unknown_status(self):
        self.refuse_lines([call(status="hold")], "bad.jsonl:1: ", "'hold'", "held, planned or cancelled")

    def test_unknown_actor(self):
        self.refuse_lines([A, call(participants=[party("a"), party("Ann Nobody of Nowhere")])], "bad.jsonl:2: ", "no actor 'Ann Nobody of Nowhere'")
        self.refuse_lines([A, call(participants=[party("Anm")])], "bad.jsonl:2: ", "'Anm'", "did you mean 'Ann'?")
        self.refuse_lines([A, call(participants=[party("a", "caller", **{"for": "nobody"})])], "bad.jsonl:2: ", "'nobody'")
        self.refuse_lines([{"actor": {"key": "a", "name": "A", "offices": [{"title": "t", "of": "nowhere"}]}}], "bad.jsonl:1: ", "'nowhere'")

    def test_unknown_source(self):
        self.refuse_lines([A, call(claims=[{"source": "gazette"}])], "bad.jsonl:2: ", "no source 'gazette'", '{"source": {"key": "gazette"}}')

    def test_bad_grade(self):
        self.refuse_lines([{"source": {"key": "g", "grade": "Z9"}}], "bad.jsonl:1: ", "'Z9'", "A to F", "1 to 6")

    def test_key_twice_within_the_import(self):
        self.refuse_lines([A, {"actor": {"key": "a", "name": "Other"}}], "bad.jsonl:2: ", "actor key 'a'", "taken", "'Ann'",
                          "at bad.jsonl:1", "leave one")
        self.refuse_lines([S, A, S], "bad.jsonl:3: ", "source key 's'", "taken")
        self.refuse_lines([call(key="x"), call(key="x")], "bad.jsonl:2: ", "interaction key 'x'", "taken")

    def test_key_twice_across_files(self):
        self.lines_file("one.jsonl", A, B)
        self.lines_file("two.jsonl", "", A)
        self.refuse(["one.jsonl", "two.jsonl"], "jsonl", "two.jsonl:2: ", "actor key 'a'")

    def test_key_of_the_store_again(self):
        for line, what in (({"actor": {"key": "john-kerry", "name": "X"}}, "actor key 'john-kerry' is already taken by 'John Kerry' in the store"),
                           (call(key="hnc-walkout"), "interaction key 'hnc-walkout' is already taken by 'WALKOUT, "),
                           ({"source": {"key": "state-travels"}}, "source key 'state-travels'")):
            self.refuse_lines([B, line], "bad.jsonl:2: ", what, "taken", existing_only=True)

    def test_a_name_that_two_actors_have(self):
        self.refuse_lines([A, {"actor": {"key": "a2", "name": "Ann"}}, call(participants=[party("Ann")])], "bad.jsonl:3: ", "2 actors", "'Ann'",
                          "give the key", "a, a2")

    def test_kinds_in_a_circle(self):
        kinds = [{"kind": {"name": n, "parent": p}} for n, p in (("OK", "CALL"), ("P", "Q"), ("Q", "R"), ("R", "P"))]
        self.refuse_lines(kinds, "bad.jsonl:2: ", "circle", "P below Q, Q below R, R below P")
        self.refuse_lines([{"kind": {"name": "P", "parent": "P"}}], "bad.jsonl:1: ", "circle")

    def test_a_kind_below_two_parents(self):
        self.refuse_lines([{"kind": {"name": "K", "parent": p}} for p in ("CALL", "VISIT")], "bad.jsonl:2: ", "'K'", "below CALL", "below VISIT")

    def test_parts_in_a_circle(self):
        self.refuse_lines([call(key="x", part_of="y"), call(key="y", part_of="x")], "bad.jsonl:2: ", "'y' cannot be part of 'x'")
        self.refuse_lines([call(key="x", part_of="x")], "bad.jsonl:1: ", "'x' cannot be part of 'x'")

    def test_part_of_nothing(self):
        self.refuse_lines([call(key="x", part_of="nothing")], "bad.jsonl:1: ", "part_of", "'nothing'")

    def test_not_utf8(self):
        self.file("bad.jsonl", b'\n{"actor": {"key": "a", "name": "Jos\xe9"}}\n')
        self.refuse("bad.jsonl", "jsonl", "bad.jsonl:2: ", "UTF-8", "save the file")

    def test_zero_byte_in_a_name(self):
        self.refuse_lines([{"actor": {"key": "a", "name": "A\0B"}}], "bad.jsonl:1: ", "zero byte")

    def test_a_name_twice_in_an_object(self):
        self.refuse_lines([S, '{"actor":{"key":"a","name":"A"},"actor":{"key":"b","name":"B"}}'], "bad.jsonl:2: ", "'actor' stands twice")
        self.refuse_lines(['{"actor":{"key":"a","name":"A","key":"b"}}'], "bad.jsonl:1: ", "'key' stands twice")
        self.refuse_lines(['{"actor":{"key":"a","name":"A","properties":{"x":[1],"y":{},"x":null}}}'], "bad.jsonl:1: ", "'x' stands twice")
        self.done(run("import", self.lines_file("good.jsonl", call(participants=[]), '{"interaction":{"kind":"CALL","claims":[]}}',
                                                '{"actor":{"key":"k","name":"k","properties":{"p":[[1],[2,[]]],"q":[1.5]}}}'),
                      "--into", self.folder / "good.dm", "--as", "jsonl"))
        self.assertEqual(rows(self.folder / "good.dm", "MATCH (a) RETURN a.p, a.q"), [[[[1], [2, []]], [1.5]]])

    def test_numbers_that_do_not_fit(self):
        for number in ("18446744073709551615", "99999999999999999999", "-9223372036854775809", "9223372036854775808"):
            self.refuse_lines(['{"actor":{"key":"a","name":"A","properties":{"x":%s}}}' % number], "bad.jsonl:1: ", number, "64 bits", "as a text")
        self.refuse_lines(['{"actor":{"key":"a","name":"A","properties":{"x":1e999}}}'], "bad.jsonl:1: ", "1e999", "too large")
        store = self.store('{"actor":{"key":"a","name":"A","properties":{"x":9223372036854775807,"y":-9223372036854775808,"z":1e300}}}')
        self.assertEqual(rows(store, "MATCH (a) RETURN a.x, a.y, a.z"), [[2**63 - 1, -2**63, 1e300]])

    def test_a_property_with_the_name_of_a_field(self):
        for name, field in (("key", "key"), ("name", "name"), ("aliases", "aliases")):
            self.refuse_lines([{"actor": {"key": "a", "name": "A", "properties": {name: "x"}}}], "bad.jsonl:1: ", f"property '{name}'", f"the field '{field}'")
        for name, field in (("key", "key"), ("kind", "kind"), ("when", "when"), ("begin", "when"), ("end", "when"), ("place", "place"),
                            ("status", "status"), ("part_of", "part_of")):
            self.refuse_lines([call(properties={name: "x"})], "bad.jsonl:1: ", f"property '{name}'", f"the field '{field}'")

    def test_a_line_without_end(self):
        self.file("bad.jsonl", b"x" * 20_000_000)
        self.refuse("bad.jsonl", "jsonl", "bad.jsonl:1: ", "longer than 16 MiB", "text file")

    def test_deep_nesting_is_no_crash(self):
        self.refuse_lines(['{"actor": {"key": "a", "name": "A", "properties": {"p": ' + "[" * 100_000 + "]" * 100_000 + "}}}"],
                          "bad.jsonl:1: ", "nested too deeply")
        self.refuse_lines(['{"actor":' * 100_000], "bad.jsonl:1: ", "not valid JSON")

    def test_a_file_that_is_not_there_and_a_folder(self):
        self.lines_file("good.jsonl", A)
        self.refuse(["good.jsonl", "missing.jsonl"], "jsonl", "'missing.jsonl'", "No such file")
        self.refuse([".", "good.jsonl"], "jsonl", "'.' is a folder", "name the files")

    def test_one_bad_line_among_good_ones_loads_none(self):
        good = [{"actor": {"key": f"k{i}", "name": f"Name {i}"}} for i in range(2000)]
        self.refuse_lines([*good, call(participants=[party("k1"), party("k2000")])], "bad.jsonl:2001: ", "'k2000'")


class Compressed(BadImport):
    def setUp(self):
        support.need_program("zstd")
        super().setUp()
        lines = "".join(json.dumps({"actor": {"key": f"k{i}", "name": f"Name {i * 7919}"}}) + "\n" for i in range(3000))
        self.sound = subprocess.run(["zstd", "-q", "-c", "--check"], input=lines.encode(), capture_output=True, check=True).stdout

    def test_a_sound_one_is_read(self):
        self.file("good.jsonl.zst", self.sound)
        self.done(run("import", "good.jsonl.zst", "--into", "x.dm", "--as", "jsonl", cwd=self.folder))
        self.assertEqual(rows(self.folder / "x.dm", "MATCH (a) RETURN count(*)"), [[3000]])

    def test_cut_short(self):
        for size in (3, 4, 10, len(self.sound) // 2, len(self.sound) - 1):
            self.file("bad.jsonl.zst", self.sound[:size])
            self.refuse("bad.jsonl.zst", "jsonl", "'bad.jsonl.zst'", "cut short", "fetch it again")

    def test_damaged(self):
        for at in (0, len(self.sound) // 2, len(self.sound) - 1):
            damaged = bytearray(self.sound)
            damaged[at] ^= 0x41
            self.file("bad.jsonl.zst", bytes(damaged))
            self.refuse("bad.jsonl.zst", "jsonl", "bad.jsonl.zst")

    def test_not_compressed_at_all(self):
        self.lines_file("bad.jsonl.zst", A)
        self.refuse("bad.jsonl.zst", "jsonl", "'bad.jsonl.zst'", "not a sound Zstandard file")


class Dyads(BadImport):
    GOOD = DYADS_HEAD + "Ann\tConsult\tBob\t2016-01-01\n"

    def test_missing_column(self):
        self.refuse_dyads("subject\trelation\tobject\nAnn\tConsult\tBob\n", "bad.tsv:1: ", "no column 'date'", "parted by tabs")
        self.refuse_dyads(self.GOOD, "kinds.tsv:1: ", "no column 'class'", kinds="relation\tcameo_code\nConsult\t040\n")

    def test_wrong_number_of_columns(self):
        self.refuse_dyads(self.GOOD + "Ann\tConsult\tBob\n", "bad.tsv:3: 3 columns, the first line has 4")
        self.refuse_dyads(self.GOOD + "Ann\tConsult\tBob\t2016\tx\n", "bad.tsv:3: 5 columns, the first line has 4")

    def test_unknown_relation(self):
        self.refuse_dyads(self.GOOD + "Ann\tConsul\tBob\t2016\n", "bad.tsv:3: ", "'Consul'", "'Consult'", "--kinds")
        self.refuse_dyads(self.GOOD + "Ann\tBombard\tBob\t2016\n", "bad.tsv:3: ", "'Bombard'", "--kinds")

    def test_unknown_class(self):
        self.refuse_dyads(self.GOOD, "kinds.tsv:3: ", "'deed'", "contact, utterance or action",
                          kinds="relation\tcameo_code\tclass\nConsult\t040\tcontact\nStrike\t190\tdeed\n")

    def test_relation_twice(self):
        self.refuse_dyads(self.GOOD, "kinds.tsv:5: ", "'Consult'", "twice", kinds=KINDS + "Consult\t040\tcontact\n")

    def test_impossible_date(self):
        self.refuse_dyads(self.GOOD + "Ann\tConsult\tBob\t2015-02-29\n", "bad.tsv:3: ", "'2015-02-29'", "February 2015 has 28 days")
        self.refuse_dyads(self.GOOD + "Ann\tConsult\tBob\t\n", "bad.tsv:3: ", "date", "empty")

    def test_actor_without_a_name(self):
        self.refuse_dyads(self.GOOD + "\tConsult\tBob\t2016\n", "bad.tsv:3: ", "name is empty")
        self.refuse_dyads(self.GOOD + "Ann\tConsult\t  \t2016\n", "bad.tsv:3: ", "name is empty")

    def test_not_utf8(self):
        self.refuse_dyads(self.GOOD.encode() + b"Jos\xe9\tConsult\tBob\t2016\n", "bad.tsv:3: ", "UTF-8")

    def test_empty_files(self):
        self.refuse_dyads("", "bad.tsv: ", "empty", "names the columns")
        self.refuse_dyads(self.GOOD, "kinds.tsv: ", "empty", kinds="")

    def test_no_table_of_kinds(self):
        self.file("bad.tsv", self.GOOD)
        self.refuse("bad.tsv", "dyads", "--kinds", "docs/import.md", status=USAGE)
        self.refuse("bad.tsv", "dyads", "'nothing.tsv'", "No such file", more=("--kinds", "nothing.tsv"))

    def test_a_file_that_is_in_the_store_already(self):
        self.file("bad.tsv", self.GOOD)
        self.file("kinds.tsv", KINDS)
        self.done(run("import", "bad.tsv", "--into", self.existing, "--as", "dyads", "--kinds", "kinds.tsv", cwd=self.folder))
        self.before = dump(self.existing)
        self.refuse("bad.tsv", "dyads", "'bad.tsv'", "in this store already", "rename", more=("--kinds", "kinds.tsv"), existing_only=True)
        self.refuse(["bad.tsv", "bad.tsv"], "dyads", "'bad.tsv'", more=("--kinds", "kinds.tsv"))

    def test_a_name_that_two_actors_of_the_store_have(self):
        self.lines_file("twice.jsonl", A, {"actor": {"key": "a2", "name": "Ann"}})
        self.done(run("import", "twice.jsonl", "--into", self.existing, "--as", "jsonl", cwd=self.folder))
        self.before = dump(self.existing)
        self.refuse_dyads(self.GOOD, "bad.tsv:2: ", "2 actors", "'Ann'", "rename", existing_only=True)


READING = (("query", "{}", "RETURN 1"), ("who", "{}", "--before", "2016"), ("why", "{}", "hnc-walkout"), ("stats", "{}"),
           ("path", "{}", "--from", "russia", "--to", "syria"), ("export", "{}", "--gexf", "out.gexf"), ("shell", "{}"))
WRITING = (("query", "{}", "CREATE (:Person {{name: 'X'}})"), ("import", "one.jsonl", "--into", "{}", "--as", "jsonl"))


class BadStore(Case):
    """Base: tries every command on a store that is not right."""

    def setUp(self):
        super().setUp()
        self.lines_file("one.jsonl", A)

    def refuse_all(self, store, *parts, commands=READING + WRITING, before=()):
        for command in commands:
            ran = run(*[word.format(store) for word in command], cwd=self.folder, before=before)
            self.refused(ran, *parts)
            self.assertNotIn("assert", ran.err.lower())
        self.assertFalse((self.folder / "out.gexf").exists())

    def files_of(self, store):
        return {str(p.relative_to(store)): (p.stat().st_size, p.read_bytes()) for p in sorted(store.rglob("*")) if p.is_file()}


class StoreIsNotOne(BadStore):
    def test_nothing_there(self):
        self.refuse_all(self.folder / "none.dm", "no store at", "none.dm", "demarche import", commands=READING + WRITING[:1])
        self.assertFalse((self.folder / "none.dm").exists())

    def test_a_file(self):
        path = self.file("file.dm", "mine")
        self.refuse_all(path, "file.dm' is a file", "a store is a folder")
        self.assertEqual(path.read_text(), "mine")

    def test_a_folder_of_somebody_else(self):
        path = self.folder / "foreign"
        path.mkdir()
        (path / "mine.txt").write_text("mine")
        self.refuse_all(path, "foreign' is a folder with other things in it", "not a store", "new or empty folder")
        self.assertEqual([p.name for p in path.iterdir()], ["mine.txt"])

    def test_an_empty_folder_is_no_store_but_takes_one(self):
        path = self.folder / "empty"
        path.mkdir()
        self.refuse_all(path, "no store at", commands=READING + WRITING[:1])
        self.assertEqual(list(path.iterdir()), [])
        ran = self.refused(run("import", self.file("bad.jsonl", "bad"), "--into", path, "--as", "jsonl"), "no store was made")
        self.assertEqual(list(path.iterdir()), [])
        self.done(run("import", "one.jsonl", "--into", path, "--as", "jsonl", cwd=self.folder))

    def test_a_store_without_a_commit_can_be_used(self):
        store = self.folder / "new.dm"
        self.done(run("import", self.file("empty.jsonl", ""), "--into", store, "--as", "jsonl"))
        self.done(run("stats", store))
        self.done(run("import", "one.jsonl", "--into", store, "--as", "jsonl", cwd=self.folder))

    def test_a_store_whose_making_was_interrupted(self):
        path = self.folder / "unfinished"
        self.done(run("import", self.file("none.jsonl", ""), "--into", path, "--as", "jsonl"))
        (path / "DEMARCHE").rename(path / "DEMARCHE.new")
        before = self.files_of(path)
        self.refuse_all(path, "unfinished", "demarche import FILE --into", commands=READING + WRITING[:1])
        self.assertEqual(self.files_of(path), before)
        self.done(run("import", "one.jsonl", "--into", path, "--as", "jsonl", cwd=self.folder))
        self.assertEqual(rows(path, "MATCH (a) RETURN count(*)"), [[1]])
        self.assertFalse((path / "DEMARCHE.new").exists())

    def test_what_only_looks_unfinished_is_left_alone(self):
        for name, files in (("theirs", {"db/schema.sql": "mine"}), ("theirs2", {"db/CURRENT": "x", "db/0.sst": "mine"}),
                            ("theirs3", {"db/x/LOG": "mine"}), ("theirs4", {"COMMITTED": "yes"}), ("theirs5", {"db": "a file"}),
                            ("theirs6", {"db/LOG": "", "notes.txt": "mine"})):
            for file, text in files.items():
                (self.folder / name / file).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / name / file).write_text(text)
            before = self.files_of(self.folder / name)
            self.refuse_all(self.folder / name, "other things in it")
            self.assertEqual(self.files_of(self.folder / name), before)
        store = self.copy_of_example()
        (store / "DEMARCHE").unlink()
        before = self.files_of(store)
        self.refuse_all(store, "DEMARCHE is missing", "restore a copy")
        self.assertEqual(self.files_of(store), before)

    def test_advice_to_make_a_store_works(self):
        ran = self.refused(query(self.folder / "x.dm", "RETURN 1"), "no store at")
        command = ran.err[ran.err.index("demarche import FILE"):].split()
        self.done(run(*[word.replace("FILE", "one.jsonl") for word in command[1:]], cwd=self.folder))
        self.done(query(self.folder / "x.dm", "RETURN 1"))

    def test_kinds_goes_with_dyads_only(self):
        self.refused(run("import", "one.jsonl", "--into", "x.dm", "--as", "jsonl", "--kinds", "k.tsv", cwd=self.folder), "--kinds", "dyads", status=USAGE)
        self.assertFalse((self.folder / "x.dm").exists())

    def test_folder_above_missing(self):
        self.refused(run("import", "one.jsonl", "--into", "no/such/x.dm", "--as", "jsonl", cwd=self.folder), "'no/such/x.dm'", "No such file")
        self.assertFalse((self.folder / "no").exists())

    def test_a_store_of_another_format(self):
        store = self.copy_of_example()
        (store / "DEMARCHE").write_text("demarche store\nformat 987\n")
        before = self.files_of(store)
        self.refuse_all(store, "format 987", "this build reads", "build that wrote it")
        self.assertEqual(self.files_of(store), before)

    def test_a_marker_that_names_no_format(self):
        store = self.copy_of_example()
        for text in ("", "demarche store\n", "demarche store\nformat x\n", "something else\nformat 0\n"):
            (store / "DEMARCHE").write_text(text)
            self.refuse_all(store, "DEMARCHE does not name a store format", "restore a copy")


class StoreIsDamaged(BadStore):
    """Bytes cut, turned over or taken away. Whatever is answered is right, or there is no answer."""

    def in_tables(self):
        """A copy of the example whose data is in table files: opening to write moves it there from the log."""
        store = self.copy_of_example()
        for _ in range(2):
            self.done(run("shell", store))
        self.assertTrue(list(store.glob("db/*.sst")))
        return store

    def right_or_refused(self, store, right):
        """True if it was refused."""
        try:
            got = dump(store)
        except AssertionError as refusal:
            self.assertIn("status 1", str(refusal), "killed, or a wrong status")
            self.assertIn("restore a copy", str(refusal))
            return True
        self.assertEqual(got, right)
        return False

    def in_log(self):
        """A store whose data is in the log, as a first import leaves it."""
        store = self.folder / "log.dm"
        self.done(run("import", *sorted((support.source / "examples" / "syria-2016").glob("*.jsonl")), "--into", store, "--as", "jsonl"))
        self.assertGreater(max(p.stat().st_size for p in store.glob("db/*.log")), 10_000)
        return store

    def test_current_removed(self):
        store = self.copy_of_example()
        (store / "db" / "CURRENT").unlink()
        self.refuse_all(store, "db/CURRENT", "restore a copy")

    def test_current_names_nothing(self):
        store = self.copy_of_example()
        (store / "db" / "CURRENT").write_text("rubbish\n")
        self.refuse_all(store, "CURRENT", "restore a copy")

    def test_database_removed(self):
        store = self.copy_of_example()
        shutil.rmtree(store / "db")
        self.refuse_all(store, "db/CURRENT", "restore a copy")

    def test_manifest_truncated(self):
        store = self.in_tables()
        right = dump(store)
        manifest = next(store.glob("db/MANIFEST-*"))
        whole = manifest.read_bytes()
        for left in (0, len(whole) // 2):
            os.truncate(manifest, left)
            self.refuse_all(store, "db", "restore a copy", commands=(READING[0], READING[3], WRITING[0]))
        # What stands at its very end may tell of nothing that matters.
        for cut in (1, 10, 40, 100, 250):
            manifest.write_bytes(whole[:-cut])
            self.right_or_refused(store, right)

    def test_manifest_removed(self):
        store = self.copy_of_example()
        next(store.glob("db/MANIFEST-*")).unlink()
        self.refuse_all(store, "db", "MANIFEST", commands=(READING[0], WRITING[0]))

    def test_table_removed(self):
        store = self.in_tables()
        max(store.glob("db/*.sst"), key=lambda p: p.stat().st_size).unlink()
        self.refuse_all(store, "db", "restore a copy", commands=(READING[0], READING[1], WRITING[0]))

    def test_table_truncated(self):
        store = self.in_tables()
        table = max(store.glob("db/*.sst"), key=lambda p: p.stat().st_size)
        for cut in (1, table.stat().st_size // 2, table.stat().st_size):
            os.truncate(table, max(0, table.stat().st_size - cut))
            self.refuse_all(store, "db", "restore a copy", commands=(READING[0], READING[1], WRITING[0]))

    def test_bytes_turned_over_in_a_table(self):
        store = self.in_tables()
        right = dump(store)
        seen = 0
        for table in sorted(store.glob("db/*.sst")):
            good = table.read_bytes()
            for at in (10, len(good) // 4, len(good) // 2, len(good) - 20):
                bad = bytearray(good)
                bad[at] ^= 0x55
                table.write_bytes(bytes(bad))
                seen += self.right_or_refused(store, right)
            table.write_bytes(good)
        self.assertGreater(seen, 0)
        self.assertEqual(dump(store), right)

    def test_log_removed(self):
        store = self.in_log()
        for log in store.glob("db/*.log"):
            log.unlink()
        self.refuse_all(store, "restore a copy", commands=(READING[0], READING[3], WRITING[0]))

    def test_log_truncated(self):
        for keep in (0.0, 0.3, 0.99):
            store = self.in_log()
            for log in store.glob("db/*.log"):
                os.truncate(log, int(log.stat().st_size * keep))
            self.refuse_all(store, "restore a copy", commands=(READING[0], READING[3], WRITING[0]))
            shutil.rmtree(store)

    def test_bytes_turned_over_in_the_log(self):
        store = self.in_log()
        log = max(store.glob("db/*.log"), key=lambda p: p.stat().st_size)
        good = log.read_bytes()
        for at in (20, len(good) // 2, len(good) - 100):
            bad = bytearray(good)
            bad[at] ^= 0x55
            log.write_bytes(bytes(bad))
            self.refuse_all(store, "restore a copy", commands=(READING[0],))
        # The last record only marks that the commit before it is on disk: without it nothing is missing.
        bad = bytearray(good)
        bad[len(good) - 5] ^= 0x55
        log.write_bytes(bytes(bad))
        self.done(query(store, "RETURN 1"))
        log.write_bytes(good)
        self.done(query(store, "RETURN 1"))

    def test_the_mark_of_the_last_commit_is_broken(self):
        store = self.copy_of_example()
        (store / "COMMITTED").write_text("xyz")
        self.refuse_all(store, "COMMITTED", "restore a copy", commands=(READING[0], WRITING[0]))
        (store / "COMMITTED").write_text(f"{7:020d}\n")
        self.refuse_all(store, "commits 2 to 7", "gone", "restore a copy", commands=(READING[0], WRITING[0]))
        (store / "COMMITTED").unlink()  # as the message advises
        self.done(run("shell", store))
        self.done(query(store, "RETURN 1"))


@unittest.skipUnless(os.geteuid() != 0 or shutil.which("setpriv"), "root without setpriv can write everywhere")
class StoreIsReadOnly(BadStore):
    def setUp(self):
        super().setUp()
        self.read_only = self.copy_of_example()
        for path in (self.read_only, *self.read_only.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        self.before = self.files_of(self.read_only)
        self.by = [] if os.geteuid() else ["setpriv", f"--reuid={support.NOBODY}", f"--regid={support.NOBODY}", "--clear-groups"]
        if support.run("--version", before=self.by).status != DONE:
            support.skip("another user cannot run the program here")

    def tearDown(self):
        self.assertEqual(self.files_of(self.read_only), self.before)
        for path in (self.read_only, *self.read_only.rglob("*")):
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
        super().tearDown()

    def test_reading_works(self):
        by_owner = run("who", self.read_only, "--before", "hnc-walkout").out
        self.assertEqual(self.done(run("who", self.read_only, "--before", "hnc-walkout", before=self.by)).out, by_owner)
        for command in (("query", self.read_only, "MATCH (a) RETURN count(*)"), ("why", self.read_only, "hnc-walkout"), ("stats", self.read_only),
                        ("path", self.read_only, "--from", "russia", "--to", "syria")):
            self.assertEqual(self.done(run(*command, before=self.by)).err, "")

    def test_writing_is_refused(self):
        self.refuse_all(self.read_only, "ermission", "copy.dm", commands=WRITING, before=self.by)

    def test_the_shell_reads_and_says_so(self):
        ran = run("shell", self.read_only, "--format", "csv", "--no-header", stdin="MATCH (a) RETURN count(*);\nCREATE (:Person);\nRETURN 2;\n",
                  before=self.by)
        self.assertEqual((ran.status, ran.out), (FAILED, "27\r\n2\r\n"), str(ran))
        self.assertIn("opened for reading only", ran.err)
        self.assertIn("read-only", ran.err.split("\n", 1)[1])

    def test_export_into_a_folder_without_the_right(self):
        target = self.folder / "locked"
        target.mkdir()
        target.chmod(0o555)
        self.refused(run("export", self.read_only, "--gexf", target / "x.gexf", before=self.by), "x.gexf", "Permission denied")

    def test_a_store_one_may_not_even_read(self):
        secret = self.folder / "secret"
        shutil.copytree(example(), secret)
        secret.chmod(0o700)
        self.refuse_all(secret, "ermission denied", commands=(READING[0], WRITING[0]), before=self.by)


class Reading(BadStore):
    def test_reading_leaves_no_trace(self):
        store = self.copy_of_example()
        before = {p: p.stat().st_mtime_ns for p in store.rglob("*")}
        for command in READING[:5]:
            self.done(run(*[word.format(store) for word in command], cwd=self.folder))
        self.assertEqual({p: p.stat().st_mtime_ns for p in store.rglob("*")}, before)


class StoreIsOpenElsewhere(BadStore):
    def test_the_message_names_the_process(self):
        store = self.copy_of_example()
        process = support.start(["shell", store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        process.stdin.write(b"RETURN 'ready' AS x;\n.quit_is_not_yet\n")
        process.stdin.flush()
        process.stderr.readline()  # of the unknown command, so that the statement before it is done
        self.refuse_all(store, "is open for writing in process", str(process.pid), "close it there", commands=WRITING)
        out, _ = process.communicate(b"CREATE (:Person {name: 'X'});\n", timeout=30)
        self.assertIn(b"ready", out)
        self.assertEqual(rows(store, "MATCH (a {name: 'X'}) RETURN count(*)"), [[1]])

    def test_readers_are_let_in_beside_a_writer(self):
        store = self.copy_of_example()
        process = support.start(["shell", store, "--format", "csv", "--no-header"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)

        def tell(statement, answer):
            process.stdin.write(statement + b"\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline().strip(), answer)

        tell(b"RETURN 'ready';", b"ready")
        for command in READING:
            ran = self.done(run(*[word.format(store) for word in command], cwd=self.folder, stdin=""))
            alone = self.done(run(*[word.format(example()) for word in command], cwd=self.folder, stdin=""))
            self.assertEqual(ran.out.replace(str(store), "S"), alone.out.replace(str(example()), "S"))
        for i in range(3):
            tell(b"CREATE (:Person {name: 'X'}); MATCH (a {name: 'X'}) RETURN count(*);", b"%d" % (i + 1))
            self.assertEqual(rows(store, "MATCH (a {name: 'X'}) RETURN count(*)"), [[i + 1]])
        second = run("shell", store, "--format", "csv", "--no-header", stdin="MATCH (a {name: 'X'}) RETURN count(*);\nCREATE (:Person);\n")
        self.assertIn(f"is open for writing in process {process.pid}", second.err)
        self.assertIn("opened for reading only", second.err)
        self.assertIn("was opened read-only", second.err)
        self.assertEqual(second.out.strip(), "3")
        reading = support.start(["shell", store, "--format", "csv", "--no-header"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(reading.communicate)
        self.addCleanup(reading.kill)
        reading.stdin.write(b"RETURN 'open' AS x;\n")
        reading.stdin.flush()
        self.assertEqual(reading.stdout.readline().strip(), b"open")
        tell(b"CREATE (:Person {name: 'Y'}); RETURN 'made';", b"made")
        seen = b"0"
        while seen != b"1":  # it is seen after a while, else the test runs into its time limit
            reading.stdin.write(b"MATCH (a {name: 'Y'}) RETURN count(*);\n")
            reading.stdin.flush()
            seen = reading.stdout.readline().strip()
            self.assertIn(seen, (b"0", b"1"))
            time.sleep(0.1)
        process.kill()
        process.wait()
        self.assertEqual(rows(store, "MATCH (a {name: 'X'}) RETURN count(*)"), [[3]])
        self.done(run("query", store, "CREATE (:Person {name: 'X'})"))

    def test_readers_do_not_hinder_one_another(self):
        slow = support.start(["query", example(), "MATCH (a), (b), (c), (d), (e), (f) RETURN count(*)", "--timeout", "20"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(slow.communicate)
        self.addCleanup(slow.kill)
        time.sleep(0.3)
        self.assertEqual(rows(example(), "MATCH (a) RETURN count(*)"), [[27]])
        self.assertIsNone(slow.poll())


class Statements(Case):
    def test_syntax_error_with_line_column_and_caret(self):
        self.refused(query(example(), "MATCH (a)\n RETRUN a"), "demarche: 2:2: ", "'RETRUN'", "did you mean RETURN?", "\n   RETRUN a\n   ^^^^^^\n")
        self.refused(query(example(), "MATCH (a)\n\tRETRUN a"), "demarche: 2:2: ", "\n  \tRETRUN a\n  \t^^^^^^\n")
        self.refused(query(example(), "MATCH (a) FOO"), "demarche: 1:11: ", "expected", "'FOO'", "\n            ^^^\n")

    def test_the_caret_stands_right_below_wide_letters(self):
        ran = self.refused(query(example(), "RETURN '王毅', nix"))
        message, text, caret = ran.err.rstrip("\n").split("\n")
        self.assertIn("'nix'", message)
        self.assertEqual(text, "  RETURN '王毅', nix")
        self.assertEqual(caret, " " * (2 + len("RETURN '") + 4 + len("', ")) + "^^^")

    def test_names_with_the_nearest_known_one(self):
        for text, *parts in (("MATCH (person) RETURN persn", "1:23", "'persn'", "did you mean person?"),
                             ("RETURN conut(*)", "1:8", "conut", "count"),
                             ("MATCH (a) RETURN a.name ODER BY a.name", "1:25", "'ODER'"),
                             ("MATCH (a RETURN a", "1:10", "expected"),
                             ("RETURN 'open", "1:8", "not closed", "'"),
                             ("RETURN DATE '2016-02-30'", "1:", "February 2016 has 29 days"),
                             ("RETURN 1/0", "1:8", "division by zero"),
                             ("MATCH (a)", "1:1", "RETURN"),
                             ("", "empty", "MATCH (a) RETURN a.name"),
                             ("RECORD CAL 'k' BETWEEN 'John Kerry' AS caller, 'Russia' AS callee ON '2016'", "1:8", "'CAL'", "CALL"),
                             ("RECORD CALL 'k' BETWEEN 'John Kerry' AS callr, 'Russia' AS callee ON '2016'", "callr", "caller"),
                             ("RECORD CALL 'k' BETWEEN 'John Kery' AS caller, 'Russia' AS callee ON '2016'", "'John Kery'", "John Kerry"),
                             ("RECORD CALL 'k' BETWEEN 'John Kerry' AS caller, 'Russia' AS callee ON '2016-02-30'", "February 2016 has 29 days"),
                             ("RECORD CALL 'hnc-walkout' BETWEEN 'John Kerry' AS caller, 'Russia' AS callee ON '2016'", "'hnc-walkout'", "taken")):
            store = self.copy_of_example() if text.startswith("RECORD") else example()
            before = dump(store)
            self.refused(query(store, text), *parts)
            if text.startswith("RECORD"):
                self.assertEqual(dump(store), before)
                shutil.rmtree(store)

    def test_a_statement_that_is_not_utf8(self):
        self.refused(query(example(), "-", stdin=b"RETURN '\xe9'"), "UTF-8")

    def test_a_kind_that_nobody_knows_matches_nothing(self):
        ran = self.done(query(example(), "MATCH [c:MEETNG] RETURN c", "--format", "csv", "--no-header"))
        self.assertEqual(ran.out, "")


class Export(Case):
    def test_into_a_missing_folder(self):
        self.refused(run("export", example(), "--gexf", "no/such/x.gexf", cwd=self.folder), "'no/such/x.gexf'", "No such file")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_over_a_folder_or_a_device(self):
        (self.folder / "x.gexf").mkdir()
        self.refused(run("export", example(), "--gexf", "x.gexf", cwd=self.folder), "'x.gexf'", "folder", "name a file")
        self.refused(run("export", example(), "--gexf", "/dev/full"), "'/dev/full'", "name a file")

    def test_a_refused_export_leaves_the_old_file(self):
        old = self.file("x.gexf", "old")
        for text, *parts in (("RETURN 1", "nothing to draw"), ("MATCH (a) RETURN b", "1:18"), ("MATCH (a {key: $k}) RETURN a", "$k"),
                             ("MATCH (a {key: 'nobody'}) RETURN a", "nothing to draw"), ("CREATE (a) RETURN a", "query", "writes", "read-only")):
            self.refused(run("export", example(), "--gexf", old, "--query", text), *parts)
            self.assertEqual(old.read_text(), "old")
        self.assertEqual([p.name for p in self.folder.iterdir()], ["x.gexf"])


def limit_files(size):
    """No file may grow beyond this, as on a full disk. The signal that comes with it is ignored, so that writing fails."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


class FullDisk(Case):
    def test_standard_output(self):
        for command in (("query", example(), "MATCH (a) RETURN a"), ("query", example(), "MATCH (a) RETURN a", "--format", "json"),
                        ("who", example(), "--before", "2016-04"), ("why", example(), "hnc-walkout"), ("stats", example()),
                        ("path", example(), "--from", "russia", "--to", "syria"), ("shell", example())):
            with open("/dev/full", "wb") as full:
                ran = run(*command, stdout=full, stdin="RETURN 1;\n")
            self.assertEqual(ran.status, FAILED, str(ran))
            self.assertIn("standard output did not take everything", ran.err)
            self.assertIn("disk full", ran.err)

    def test_help(self):
        with open("/dev/full", "wb") as full:
            self.assertEqual(run("--help", stdout=full).status, FAILED)

    def test_the_limit_of_a_process_on_files_is_an_error_not_a_death(self):
        ran = run("export", example(), "--gexf", self.folder / "x.gexf", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
        self.assertEqual((ran.status, list(self.folder.iterdir())), (FAILED, []), str(ran))

    def test_while_a_store_is_made(self):
        lines = self.lines_file("g.jsonl", A)
        for target in (self.folder / "x.dm", self.folder / "empty.dm"):
            there = target.name == "empty.dm"
            if there:
                target.mkdir()
            self.refused(run("import", lines, "--into", target, "--as", "jsonl", preexec_fn=limit_files(1024)), "File too large")
            self.assertEqual(target.exists() and list(target.iterdir()), [] if there else False)

    def test_a_large_answer(self):
        with open("/dev/full", "wb") as full:
            ran = run("query", example(), "UNWIND range(1, 200000) AS x RETURN x", "--format", "csv", stdout=full)
        self.assertEqual(ran.status, FAILED)
        self.assertIn("standard output did not take everything", ran.err)

    def test_export_leaves_the_old_file_and_no_other(self):
        old = self.file("x.gexf", "old")
        ran = self.refused(run("export", example(), "--gexf", old, preexec_fn=limit_files(4096)), "x.gexf")
        self.assertNotIn("wrote", ran.err)
        self.assertEqual(old.read_text(), "old")
        self.assertEqual([p.name for p in self.folder.iterdir()], ["x.gexf"])

    def test_import_is_all_or_nothing(self):
        store = self.copy_of_example()
        before = dump(store)
        big = self.lines_file("big.jsonl", *[{"actor": {"key": f"k{i}", "name": f"Name {i}"}} for i in range(5000)])
        ran = run("import", big, "--into", store, "--as", "jsonl", preexec_fn=limit_files(200_000))
        self.refused(ran, "File too large", "demarche stats")
        self.assertNotIn("as it was", ran.err)
        self.assertEqual(dump(store), before)
        self.done(run("import", big, "--into", store, "--as", "jsonl"))
        self.assertEqual(rows(store, "MATCH (a) RETURN count(*)"), [[5027]])


class Killed(Case):
    def test_an_import_that_is_killed_is_there_whole_or_not_at_all(self):
        store = self.copy_of_example()
        for i, wait in enumerate((0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3)):
            lines = self.lines_file(f"{i}.jsonl", *[{"actor": {"key": f"{i}-{n}", "name": f"Name {i} {n}", "labels": [f"L{i}"]}} for n in range(3000)])
            process = support.start(["import", lines, "--into", store, "--as", "jsonl"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(wait)
            process.kill()
            process.communicate()
            self.assertIn(rows(store, f"MATCH (a:L{i}) RETURN count(*)"), ([[0]], [[3000]]))
            if process.returncode == DONE:
                self.assertEqual(rows(store, f"MATCH (a:L{i}) RETURN count(*)"), [[3000]])
        self.done(query(store, "CREATE (:Person {name: 'afterwards'})"))

    def test_a_first_import_that_is_killed_can_be_repeated(self):
        lines = self.lines_file("k.jsonl", *[{"actor": {"key": f"{n}", "name": f"N {n}"}} for n in range(20000)])
        for wait in (0.01, 0.03, 0.06, 0.1, 0.2, 0.3):
            store = self.folder / f"{wait}.dm"
            process = support.start(["import", lines, "--into", store, "--as", "jsonl"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(wait)
            process.send_signal(signal.SIGINT)
            process.communicate()
            if process.returncode != DONE:
                self.done(run("import", lines, "--into", store, "--as", "jsonl"))
            self.assertEqual(rows(store, "MATCH (a) RETURN count(*)"), [[20000]])


class Pipes(Case):
    def test_a_reader_that_goes_away_ends_it_quietly(self):
        command = f"'{support.binary}' query '{example()}' 'UNWIND range(1, 300000) AS x RETURN x' --format {{}} | head -1; echo ${{{{PIPESTATUS[0]}}}}"
        for form in ("csv", "tsv", "jsonl", "table"):
            ran = subprocess.run(["bash", "-c", command.format(form)], capture_output=True, timeout=60, env=support.environment())
            first, status = ran.stdout.decode().splitlines()
            self.assertIn(first.strip(), ("x", '{"x": 1}'))
            self.assertEqual(status, str(128 + signal.SIGPIPE))
            self.assertEqual(ran.stderr, b"")

    def test_closed_standard_output(self):
        ran = subprocess.run(["bash", "-c", f"'{support.binary}' query '{example()}' 'RETURN 1' >&-"], capture_output=True, timeout=60)
        self.assertEqual(ran.returncode, FAILED)
        self.assertIn(b"standard output", ran.stderr)


if __name__ == "__main__":
    support.main()

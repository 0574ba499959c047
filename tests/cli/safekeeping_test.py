#!/usr/bin/env python3
"""Keeping a store safe: check, backup, backups, restore, dump, load. Each as a user runs it, and what each refuses.

    python3 tests/cli/safekeeping_test.py --binary PATH_TO_demarche --source PATH_OF_REPO
"""

import json
import os
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True  # no __pycache__ among the sources
import support
from support import Case, DONE, FAILED, USAGE, dump, example, query, run


def files_of(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file())


class Check(Case):
    def test_a_sound_store(self):
        ran = self.done(run("check", example()))
        self.assertIn("sound: nothing contradicts anything else", ran.out)
        self.assertIn("commits         1\n", ran.out)
        self.assertEqual(ran.err, "")

    def test_a_damaged_file_is_found_and_the_status_says_so(self):
        store = self.copy_of_example()
        self.done(run("check", store, "--repair"))  # leaves table files
        tables = [p for p in files_of(store / "db") if p.suffix == ".sst"]
        self.assertTrue(tables)
        content = bytearray(tables[0].read_bytes())
        content[3] ^= 0x10
        tables[0].write_bytes(bytes(content))
        ran = run("check", store)
        self.assertEqual(ran.status, FAILED, str(ran))
        self.assertIn("! files of the database: 1 fault\n", ran.out)
        self.assertIn("not sound: ", ran.out)

    def test_one_piece_of_advice_at_the_end_fits_all_that_is_wrong(self):
        store = self.copy_of_example()
        self.done(run("check", store, "--repair"))  # leaves table files
        advised = set()
        for table in [p for p in files_of(store / "db") if p.suffix == ".sst"][:8]:
            content = table.read_bytes()
            table.write_bytes(content[:3] + bytes([content[3] ^ 0x10]) + content[4:])
            ran = run("check", store)
            table.write_bytes(content)
            self.assertEqual(ran.status, FAILED, str(ran))
            if "not sound: " not in ran.out:
                continue  # could not be read at all, and says so
            end = ran.out[ran.out.index("not sound: "):]
            self.assertEqual(ran.out.count("demarche "), end.count("demarche "), ran.out)
            repair, restore = "--repair" in end, "demarche restore" in end
            self.assertNotEqual(repair, restore, ran.out)
            advised.add("repair" if repair else "restore")
        self.assertTrue(advised)

    def test_repair_leaves_the_answers_as_they_were(self):
        store = self.copy_of_example()
        before = dump(store)
        ran = self.done(run("check", store, "--repair"))
        self.assertIn("made anew from the records", ran.err)
        self.assertIn("sound: ", ran.out)
        self.assertEqual(dump(store), before)

    def test_refusals(self):
        self.refused(run("check", self.folder / "none"), "there is no store at")
        (self.folder / "foreign" / "things").mkdir(parents=True)
        self.refused(run("check", self.folder / "foreign"), "not a store")
        self.refused(run("check", self.folder / "foreign", "--repair"), "not a store")
        self.refused(run("check", self.file("file", "x")), "is a file")
        self.refused(run("check"), "STORE", status=USAGE)


class Backups(Case):
    def setUp(self):
        super().setUp()
        self.backups = self.folder / "backups"

    def test_backup_list_and_restore(self):
        store = self.copy_of_example()
        before = dump(store)
        ran = self.done(run("backup", store, self.backups))
        self.assertIn("backup 1 of", ran.err)
        self.assertIn("commit 1", ran.err)
        self.assertIn("verified", ran.err)
        self.done(query(store, "CREATE (:Person {key: 'new', name: 'New'})"))
        self.done(run("backup", store, self.backups))
        later = dump(store)
        ran = self.done(run("backups", self.backups))
        self.assertEqual([line.split()[0] for line in ran.lines], ["1", "2"])
        self.assertIn("commit 2", ran.lines[1])
        self.assertIn("2 backups verified", self.done(run("backups", self.backups, "--verify")).err)
        shutil.rmtree(store)
        self.assertIn("commit 1", self.done(run("restore", self.backups, 1, self.folder / "first.dm")).err)
        self.done(run("restore", self.backups, 2, self.folder / "second.dm"))
        self.assertEqual(dump(self.folder / "first.dm"), before)
        self.assertEqual(dump(self.folder / "second.dm"), later)
        self.done(run("check", self.folder / "second.dm"))

    def test_every_file_of_a_backup_counts(self):
        self.done(run("backup", self.copy_of_example(), self.backups))
        for path in files_of(self.backups):
            content = path.read_bytes()
            if not content:
                continue
            flipped = bytearray(content)
            flipped[len(flipped) // 2] ^= 0x04
            path.write_bytes(bytes(flipped))
            ran = self.refused(run("restore", self.backups, 1, self.folder / "new.dm"), "nothing was restored")
            self.assertEqual(run("backups", self.backups, "--verify").status, FAILED, f"{path}{ran}")
            self.assertFalse((self.folder / "new.dm").exists())
            self.assertFalse((self.folder / "new.dm.restoring").exists())
            path.write_bytes(content)
        self.done(run("restore", self.backups, 1, self.folder / "new.dm"))

    def test_refusals(self):
        store = self.copy_of_example()
        before = dump(store)
        self.refused(run("backup", self.folder / "none", self.backups), "there is no store at")
        self.assertFalse(self.backups.exists())
        self.refused(run("backups", self.backups), "there is no folder")
        (self.folder / "foreign" / "things").mkdir(parents=True)
        self.refused(run("backup", store, self.folder / "foreign"), "not a folder of backups")
        self.refused(run("backup", self.folder / "foreign", self.backups), "not a store")
        self.refused(run("backup", store, store / "inside"), "inside the store")
        self.refused(run("backup", store, self.folder / "no" / "such"), "No such file")
        self.refused(run("backups", store), "not a folder of backups")
        self.done(run("backup", store, self.backups))
        self.refused(run("restore", self.backups, 9, self.folder / "new.dm"), "there is no backup 9", "demarche backups")
        self.refused(run("restore", self.backups, 1, store), "is there already", "nothing was restored")
        self.refused(run("restore", self.backups, "one", self.folder / "new.dm"), status=USAGE)
        self.assertFalse((self.folder / "new.dm").exists())
        self.assertEqual(dump(store), before)

    def test_places_that_cannot_be_written_to(self):
        support.need_program("setpriv")
        store = self.copy_of_example()
        self.done(run("backup", store, self.backups))
        if os.geteuid() != 0:
            support.skip("only root can run the program as somebody else")
        nobody = ["setpriv", f"--reuid={support.NOBODY}", f"--regid={support.NOBODY}", "--clear-groups"]
        self.refused(run("restore", self.backups, 1, self.folder / "new.dm", before=nobody), "Permission denied")
        self.refused(run("backup", store, self.folder / "other", before=nobody))
        self.refused(run("load", self.file("d.jsonl", ""), "--into", self.folder / "new.dm", before=nobody), "Permission denied")
        self.refused(run("dump", store, self.folder / "d2.jsonl", before=nobody), "Permission denied")
        self.assertFalse((self.folder / "new.dm").exists())
        self.assertFalse((self.folder / "other").exists())

    def test_a_store_that_is_open(self):
        store = self.copy_of_example()
        shell = support.start(["shell", store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            shell.stdin.write(b"MATCH (a {key: 'john-kerry'}) RETURN a.name;\n")
            shell.stdin.flush()
            self.assertTrue(shell.stdout.readline())  # it has opened the store by now
            for command in (("backup", store, self.backups), ("check", store, "--repair")):
                self.refused(run(*command), "is open for writing in process")
            self.assertFalse(self.backups.exists())
            ran = self.done(run("check", store))
            self.assertIn("another process has the store open for writing", ran.out)
            self.assertIn("sound: ", ran.out)
            self.assertEqual(self.done(run("dump", store)).out, self.done(run("dump", example())).out)
        finally:
            shell.stdin.close()
            shell.wait(30)
            shell.stdout.close()
            shell.stderr.close()
        self.done(run("check", store))


class Dumps(Case):
    def test_round_trip(self):
        store = self.copy_of_example()
        self.done(query(store, "CREATE (:Person {key: 'new', name: 'Новый', born: 1950})"))
        text = self.done(run("dump", store)).out
        for line in text.splitlines():
            self.assertEqual(len(json.loads(line)), 1)
        ran = self.done(run("dump", store, self.folder / "talks.jsonl"))
        self.assertIn("dumped 2 commits", ran.err)
        self.assertEqual((self.folder / "talks.jsonl").read_text(), text)
        again = self.folder / "again.dm"
        self.assertIn("loaded 2 commits", self.done(run("load", self.folder / "talks.jsonl", "--into", again)).err)
        self.assertEqual(self.done(run("dump", again)).out, text)
        self.assertEqual(dump(again), dump(store))
        self.done(run("check", again))

    def test_refusals(self):
        store = self.copy_of_example()
        file = self.folder / "talks.jsonl"
        self.done(run("dump", store, file))
        self.refused(run("dump", store, file), "is there already")
        self.refused(run("dump", self.folder / "none"), "there is no store at")
        self.refused(run("load", file, "--into", store), "is there already", "nothing was loaded")
        self.refused(run("load", self.folder / "none.jsonl", "--into", self.folder / "new.dm"), "none.jsonl")
        self.refused(run("load", file), "--into", status=USAGE)
        lines = file.read_text().splitlines(keepends=True)
        for cut in (0, 1, len(lines) // 2, len(lines) - 1):
            self.file("cut.jsonl", "".join(lines[:cut]))
            self.refused(run("load", self.folder / "cut.jsonl", "--into", self.folder / "new.dm"), "cut.jsonl:",
                         "nothing was loaded")
            self.assertFalse((self.folder / "new.dm").exists())
        bad = list(lines)
        bad[5] = '{"actor": 5}\n'
        self.file("bad.jsonl", "".join(bad))
        self.refused(run("load", self.folder / "bad.jsonl", "--into", self.folder / "new.dm"), "bad.jsonl:6: ", "not an object")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["bad.jsonl", "copy.dm", "cut.jsonl", "talks.jsonl"])

    def test_a_full_disk_leaves_no_file(self):
        if not os.path.exists("/dev/full"):
            support.skip("there is no /dev/full")
        with open("/dev/full", "wb") as full:
            ran = run("dump", example(), stdout=full)
        self.assertEqual(ran.status, FAILED, str(ran))


if __name__ == "__main__":
    support.main()

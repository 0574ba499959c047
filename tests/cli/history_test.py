#!/usr/bin/env python3
"""What was known when: corrections by statement, and --as-of where the program reads; dates in words.

    python3 tests/cli/history_test.py --binary PATH_TO_demarche --source PATH_OF_REPO
"""

import json
import shutil
import sys

sys.dont_write_bytecode = True  # no __pycache__ among the sources
import support
from support import Case, DONE, example, query, rows, run, scratch

HEAD = "MATCH [w {key: 'hnc-walkout'}] RETURN w.when"


class History(Case):
    @classmethod
    def setUpClass(cls):
        cls.store = scratch() / "corrected.dm"
        shutil.copytree(example(), cls.store)
        cls.first = cls.when()
        cls.ok(query(cls.store, "CORRECT 'hnc-walkout' SET when = '19 April 2016' BECAUSE 'the minutes'"))
        cls.ok(query(cls.store, "RETRACT 'kerry-hijab-call' BECAUSE 'it was another Kerry'"))

    @staticmethod
    def ok(ran):
        assert ran.status == DONE, str(ran)
        return ran

    @classmethod
    def when(cls, *more):
        return rows(cls.store, HEAD, *more)[0][0]

    def test_a_statement_is_answered_as_of_a_commit_a_day_or_now(self):
        self.assertEqual(self.when(), "2016-04-19")
        self.assertEqual(self.when("--as-of", "commit 1"), self.first)
        self.assertEqual(self.when("--as-of", "commit 2"), "2016-04-19")
        self.assertEqual(self.when("--as-of", "9999-12-31"), "2016-04-19")
        self.assertEqual(rows(self.store, HEAD, "--as-of", "1 January 1999"), [])
        self.assertEqual(rows(self.store, "FOR SYSTEM_TIME AS OF COMMIT 1 " + HEAD)[0][0], self.first)

    def test_who_and_why_and_path_read_the_past(self):
        now = self.ok(run("who", self.store, "--before", "hnc-walkout"))
        then = self.ok(run("who", self.store, "--before", "hnc-walkout", "--as-of", "commit 1"))
        of_example = self.ok(run("who", example(), "--before", "hnc-walkout"))
        self.assertIn("19 Apr 2016", now.out)
        self.assertEqual(then.out.replace(str(self.store), ""), of_example.out.replace(str(example()), ""))
        self.refused(run("why", self.store, "kerry-hijab-call"), "there is no interaction with the key 'kerry-hijab-call'")
        why = self.ok(run("why", self.store, "kerry-hijab-call", "--as-of", "commit 2"))
        self.assertEqual(why.out, self.ok(run("why", example(), "kerry-hijab-call")).out)
        path = ("--from", "High Negotiations Committee", "--to", "Vladimir Putin")
        then = self.ok(run("path", self.store, *path, "--as-of", "commit 1"))
        self.assertEqual(then.out, self.ok(run("path", example(), *path)).out)
        self.refused(run("path", self.store, *path, "--as-of", "commit 0"), "there is no actor")

    def test_export_writes_the_past(self):
        file = scratch() / "then.gexf"
        self.ok(run("export", self.store, "--gexf", file, "--as-of", "commit 1"))
        self.assertIn("kerry-hijab-call", file.read_text())
        self.ok(run("export", self.store, "--gexf", file))
        self.assertNotIn("kerry-hijab-call", file.read_text())

    def test_the_shell_stays_in_the_past_until_told_otherwise(self):
        text = f".mode jsonl\n.as-of commit 1\n{HEAD};\n.as-of\n{HEAD};\n"
        ran = self.ok(run("shell", self.store, stdin=text))
        self.assertEqual([list(json.loads(line).values())[0] for line in ran.lines], [self.first, "2016-04-19"])
        ran = run("shell", self.store, stdin=".as-of commit 1\nCREATE (:Person {name: 'X'});\n")
        self.refused(ran, "reads the store as of commit 1")
        self.refused(run("shell", self.store, stdin=".as-of commit 99\n"), "there is no commit 99; the last is 3")

    def test_what_is_no_one_time_is_refused(self):
        for text, part in (("2016-04~", "is not one time"), ("yesterday", "date 'yesterday'"), ("2016/2017", "is not one time"),
                           ("commit 9", "there is no commit 9; the last is 3"), ("commit -1", "from 0 on"),
                           ("commit one", "from 0 on")):
            self.refused(query(self.store, HEAD, "--as-of", text), part)
            self.refused(run("who", self.store, "--before", "hnc-walkout", "--as-of", text), part)
        self.refused(query(self.store, "CREATE (:Person)", "--as-of", "commit 1"), "reads the store as of commit 1")


class Words(Case):
    def test_dates_in_words_are_read_where_people_type(self):
        plain = self.done(run("who", example(), "--before", "2016-04-18")).out
        self.assertEqual(self.done(run("who", example(), "--before", "18 April 2016")).out.split("\n")[1:],
                         plain.split("\n")[1:])
        count = "MATCH [c:CONTACT] WHERE c DURING '{}' RETURN count(*)"
        self.assertEqual(rows(example(), count.format("April 2016")), rows(example(), count.format("2016-04")))

    def test_what_could_mean_several_days_is_refused_with_a_hint(self):
        statement = "MATCH [c] WHERE c DURING 'last week of April 2016' RETURN c"
        self.refused(query(example(), statement), "write the days it can mean, as in [2016-04-24..2016-04-30]")
        self.refused(query(example(), statement.replace("last week of April 2016", "29/04/2016")), "day first or month first")

    def test_imported_files_may_have_dates_in_words(self):
        file = scratch() / "words.jsonl"
        lines = [{"actor": {"key": "a", "name": "A"}}, {"actor": {"key": "b", "name": "B"}},
                 {"interaction": {"key": "m", "kind": "MEETING", "when": "29 April 2016",
                                  "participants": [{"actor": "a", "role": "participant"}, {"actor": "b", "role": "participant"}]}}]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.done(run("import", file, "--into", scratch() / "words.dm", "--as", "jsonl"))
        self.assertEqual(rows(scratch() / "words.dm", "MATCH [m] RETURN m.when"), [["2016-04-29"]])


if __name__ == "__main__":
    support.main()

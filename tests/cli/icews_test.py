#!/usr/bin/env python3
"""A year of event data, imported and counted again by other means.

    python3 tests/cli/icews_test.py --binary PATH_TO_demarche --source PATH_OF_REPO [--shared PATH]

The right answers are computed here from the rows of the table by the rules of docs/import.md; no code is shared with
the product. Needs shared/data/icews14.tsv.zst, shared/data/relations.tsv and the program zstd; skipped without.

In the window 2014-01-01..2014-02-14 the table has 2,306 rows of contact, which are 1,155 interactions. A count of
2,305 and 1,151 is about too, of the same rows: it leaves out the one row in which an actor consults itself (1 row, 1
interaction), and takes a visit of A to B and one of B to A on the same day for one (3 interactions); the rules part
them by who is the host.
"""

import json
import subprocess
import sys
import time
from collections import Counter, defaultdict

sys.dont_write_bytecode = True  # no __pycache__ among the sources
import support
from support import Case, need_program, need_shared, query, rows, run

FIRST, LAST = "2014-01-01", "2014-02-14"
WINDOW = f"{FIRST}/{LAST}"
KERRY, LAVROV = "John Kerry", "Sergey Viktorovich Lavrov"
SYMMETRIC = {"040", "041", "044", "046"}
BELOW = {"040": "CONSULTATION", "041": "CALL", "042": "CONTACT", "043": "CONTACT", "044": "MEETING", "045": "MEDIATION", "046": "NEGOTIATION"}


def read_table(text):
    lines = text.split("\n")
    head = lines[0].split("\t")
    return [(number, dict(zip(head, line.split("\t"), strict=True))) for number, line in enumerate(lines[1:], start=2) if line]


def kind_of(relation, code):
    if code in ("042", "043"):
        return "VISIT"
    letters = "".join(c if c.isascii() and c.isalnum() else " " for c in relation)
    return "_".join(letters.upper().split())


class Folded:
    """One interaction, from one row or several."""

    def __init__(self, kind, code, group, parties, date):
        self.kind = kind
        self.code = code
        self.group = group  # contact, utterance, action
        self.parties = parties  # [(name, role), (name, role)]
        self.date = date
        self.lines = []

    @property
    def names(self):
        return frozenset(name for name, _ in self.parties)


def fold(table, relations):
    """The interactions of a table, in the order of their first rows."""
    found = {}
    for number, row in table:
        subject, relation, target, date = row["subject"], row["relation"], row["object"], row["date"]
        code, group = relations[relation]["cameo_code"], relations[relation]["class"]
        kind = kind_of(relation, code)
        if code in SYMMETRIC:
            key = (date, kind, frozenset((subject, target)))
            roles = ("participant", "participant")
        elif code in ("042", "043"):
            visitor, host = (subject, target) if code == "042" else (target, subject)
            key = (date, kind, visitor, host)
            roles = ("visitor", "host") if code == "042" else ("host", "visitor")
        else:
            key = number
            roles = {"contact": ("mediator", "delegation"), "utterance": ("speaker", "addressee"), "action": ("initiator", "recipient")}[group]
        if key not in found:
            found[key] = Folded(kind, code, group, [(subject, roles[0]), (target, roles[1])], date)
        found[key].lines.append(number)
    return list(found.values())


class Icews(Case):
    @classmethod
    def setUpClass(cls):
        data, kinds = need_shared("data/icews14.tsv.zst", "data/relations.tsv")
        need_program("zstd")
        text = subprocess.run(["zstd", "-dc", data], capture_output=True, check=True).stdout.decode("utf-8")
        cls.table = read_table(text)
        cls.relations = {row["relation"]: row for _, row in read_table(kinds.read_text(encoding="utf-8"))}
        cls.interactions = fold(cls.table, cls.relations)
        cls.contacts = [i for i in cls.interactions if i.group == "contact" and FIRST <= i.date <= LAST]
        cls.store = support.scratch() / "icews14.dm"
        began = time.monotonic()
        cls.imported = run("import", data, "--into", cls.store, "--as", "dyads", "--kinds", kinds)
        print(f"import of {len(cls.table)} rows: {time.monotonic() - began:.1f} s", flush=True)

    def one(self, text, *more):
        [[value]] = rows(self.store, text, *more)
        return value

    def test_import_says_what_it_read(self):
        self.done(self.imported)
        actors = {row[side] for _, row in self.table for side in ("subject", "object")}
        built_in = {line.strip() for line in self.done(run("shell", support.example(), stdin=".kinds\n")).lines}
        kinds = {kind_of(name, row["cameo_code"]) for name, row in self.relations.items()} - built_in
        for part in (f"imported {len(actors)} actors, {len(self.interactions)} interactions, 1 source", f"{len(kinds)} kinds",
                     f"from {len(self.table)} lines", f"{len(self.table) - len(self.interactions)} rows were the other side"):
            self.assertIn(part, self.imported.err)

    def test_the_computation_here_gives_the_known_figures(self):
        rows_of_window = [row for _, row in self.table if self.relations[row["relation"]]["class"] == "contact" and FIRST <= row["date"] <= LAST]
        self.assertEqual((len(self.table), len(rows_of_window), len(self.contacts)), (90730, 2306, 1155))
        # How the other figures that are about, 2,305 and 1,151, come about.
        others = [i for i in self.contacts if len(i.names) == 2]
        self.assertEqual((sum(len(i.lines) for i in others), len(others)), (2305, 1154))
        without_host = {(i.date, i.kind, i.names) if i.code != "045" else i.lines[0] for i in others}
        self.assertEqual(len(without_host), 1151)
        self.assertEqual(len({i.names for i in others}), 734)

    def test_all_interactions(self):
        self.assertEqual(self.one("MATCH [c] RETURN count(*)"), len(self.interactions))
        self.assertEqual(self.one("MATCH (a) RETURN count(*)"), len({n for i in self.interactions for n in i.names}))

    def test_interactions_of_each_class(self):
        expected = Counter(i.group for i in self.interactions)
        for group in ("contact", "utterance", "action"):
            self.assertEqual(self.one(f"MATCH [c:{group.upper()}] RETURN count(*)"), expected[group])

    def test_interactions_of_each_kind(self):
        got = dict(rows(self.store, "MATCH [c] RETURN type(c), count(*)"))
        self.assertEqual(got, Counter(i.kind for i in self.interactions))

    def test_relations_stand_below_the_kind_of_their_code(self):
        expected = Counter(BELOW[i.code] for i in self.interactions if i.group == "contact")
        for name in set(BELOW.values()) - {"CONTACT"}:
            self.assertEqual(self.one(f"MATCH [c:{name}] RETURN count(*)"), expected[name], name)
        in_stats = {json.loads(line)["kind"]: json.loads(line) for line in self.done(run("stats", self.store, "--format", "jsonl")).lines}
        for item in self.interactions:
            below = BELOW[item.code] if item.group == "contact" else item.group.upper()
            self.assertEqual(in_stats[item.kind]["below"], below)

    def test_interactions_of_each_month(self):
        expected = Counter(i.date[:7] for i in self.interactions)
        for month in range(1, 13):
            name = f"2014-{month:02}"
            self.assertEqual(self.one("MATCH [c] WHERE c DURING $m RETURN count(*)", "-p", f"m={name}"), expected[name], name)
        self.assertEqual(self.one("MATCH [c] WHERE c BEFORE '2014-07' RETURN count(*)"), sum(expected[f"2014-0{m}"] for m in range(1, 7)))
        self.assertEqual(self.one("MATCH [c] WHERE c AFTER '2014-06' RETURN count(*)"), sum(expected[f"2014-{m:02}"] for m in range(7, 13)))

    def test_contacts_in_the_window(self):
        self.assertEqual(self.one("MATCH [c:CONTACT] WHERE c DURING $w RETURN count(*)", "-p", f"w={WINDOW}"), len(self.contacts))

    def test_pairs_and_days_in_the_window(self):
        expected = defaultdict(list)
        for item in self.contacts:
            if len(item.names) == 2:
                expected[item.names].append(item.date)
        got = defaultdict(list)
        for a, b, when in rows(self.store, "MATCH (a)-[c:CONTACT]-(b) WHERE c DURING $w AND id(a) < id(b) RETURN a.name, b.name, c.when", "-p",
                               f"w={WINDOW}"):
            got[frozenset((a, b))].append(when)
        self.assertEqual({pair: sorted(days) for pair, days in got.items()}, {pair: sorted(days) for pair, days in expected.items()})

    def test_who_is_in_contact_with_itself_is_so_once(self):
        selves = [i for i in self.contacts if len(i.names) == 1]
        self.assertEqual(len(selves), 1)
        got = rows(self.store, "MATCH (a)-[c:CONTACT]-(b) WHERE c DURING $w AND id(a) = id(b) RETURN a.name, b.name, type(c), c.when", "-p",
                   f"w={WINDOW}")
        [(name, _), _] = selves[0].parties
        self.assertEqual(got, [[name, name, selves[0].kind, selves[0].date]])

    def test_both_directions_are_twice_the_pairs(self):
        got = self.one("MATCH (a)-[c:CONTACT]-(b) WHERE c DURING $w RETURN count(*)", "-p", f"w={WINDOW}")
        self.assertEqual(got, 2 * sum(len(i.names) == 2 for i in self.contacts) + sum(len(i.names) == 1 for i in self.contacts))

    def test_kerry_and_lavrov(self):
        days = {i.date for i in self.contacts if i.names == {KERRY, LAVROV}}
        self.assertEqual(len(days), 18)
        got = rows(self.store, "MATCH (a {name: $a})-[c:CONTACT]-(b {name: $b}) WHERE c DURING $w RETURN c.when", "-p", f"a={KERRY}", "-p",
                   f"b={LAVROV}", "-p", f"w={WINDOW}")
        self.assertEqual({when for [when] in got}, days)

    def test_everybody_kerry_was_in_contact_with(self):
        expected = Counter(next(iter(i.names - {KERRY}), KERRY) for i in self.interactions if i.group == "contact" and KERRY in i.names)
        got = dict(rows(self.store, "MATCH (a {name: $a})-[c:CONTACT]-(b) RETURN b.name, count(*)", "-p", f"a={KERRY}"))
        self.assertEqual(got, expected)

    def test_visitor_and_host_by_the_arrow(self):
        visits = [i for i in self.interactions if i.kind == "VISIT"]
        expected = Counter((dict((r, n) for n, r in i.parties)["visitor"], dict((r, n) for n, r in i.parties)["host"], i.date) for i in visits)
        self.assertEqual(max(expected.values()), 1)
        for arrow, swap in (("-[c:VISIT]->", False), ("<-[c:VISIT]-", True)):
            got = Counter((b, a, when) if swap else (a, b, when) for a, b, when in
                          rows(self.store, f"MATCH (a){arrow}(b) RETURN a.name, b.name, c.when"))
            self.assertEqual(got, expected)
        in_roles = rows(self.store, "MATCH (a)-[c:VISIT]->(b) WHERE c DURING '2014-03' RETURN DISTINCT role(c, a), role(c, b)")
        self.assertEqual(in_roles, [["visitor", "host"]])

    def test_directions_of_the_others(self):
        spoken = Counter((i.parties[0][0], i.parties[1][0], i.kind) for i in self.interactions
                         if i.group == "utterance" and i.date == "2014-02-14")
        got = Counter(tuple(row) for row in rows(self.store, "MATCH (a)-[c:UTTERANCE]->(b) WHERE c DURING '2014-02-14' RETURN a.name, b.name, type(c)"))
        self.assertEqual(got, spoken)
        mediated = Counter((i.parties[0][0], i.parties[1][0], i.date) for i in self.interactions if i.code == "045")
        got = Counter(tuple(row) for row in rows(self.store, "MATCH (a)-[c:MEDIATION]->(b) RETURN a.name, b.name, c.when"))
        self.assertEqual(got, mediated)

    def test_parties_and_dates_and_claims_lead_back_to_the_lines(self):
        by_line = {item.lines[0]: item for item in self.interactions}
        checked = 0
        for number, kind, when, parties, claims in rows(
                self.store, "MATCH [c] WHERE c DURING $w RETURN id(c), type(c), c.when, participants(c), claims(c)", "-p", f"w={WINDOW}"):
            [claim] = claims
            self.assertEqual(claim["source"], "icews14.tsv.zst")
            self.assertTrue(claim["locator"].startswith("line"), claim)
            lines = [int(n) for n in claim["locator"].removeprefix("lines").removeprefix("line").split(",")]
            item = by_line[lines[0]]
            self.assertEqual((number, kind, when, lines), (number, item.kind, item.date, item.lines))
            self.assertEqual([(p["actor"]["name"], p["role"]) for p in parties], item.parties)
            checked += 1
        self.assertEqual(checked, sum(FIRST <= i.date <= LAST for i in self.interactions))

    def test_a_sample_of_the_whole_year_by_line(self):
        table = dict(self.table)
        for number, locator, when in rows(
                self.store, "MATCH [c] WHERE id(c) % 997 = 0 UNWIND claims(c) AS claim RETURN id(c), claim.locator, c.when"):
            for line in locator.removeprefix("lines").removeprefix("line").split(","):
                self.assertEqual(table[int(line)]["date"], when, number)

    def test_who_before_a_date_has_all_contacts_before_it(self):
        got = [json.loads(line) for line in self.done(run("who", self.store, "--before", "2014-02-15", "--format", "jsonl")).lines]
        self.assertEqual({row["certainty"] for row in got}, {"certain"})
        self.assertEqual(Counter((row["kind"], row["when"]) for row in got), Counter((i.kind, i.date) for i in self.contacts))

    def test_path_is_not_earlier_than_a_plain_search_finds(self):
        """Earliest arrival by days, contacts of one day in any order, computed by going through the days."""
        by_day = defaultdict(list)
        for item in self.interactions:
            if item.group == "contact":
                by_day[item.date].append(item.names)
        start, reached, goal = KERRY, {KERRY: None}, "Staffan de Mistura"
        for day in sorted(by_day):
            grown = True
            while grown:
                grown = False
                for names in by_day[day]:
                    if len(names) == 2 and any(n in reached for n in names) and not all(n in reached for n in names):
                        reached.update({n: day for n in names if n not in reached})
                        grown = True
        self.assertIn(goal, reached)
        text = self.done(run("path", self.store, "--from", start, "--to", goal)).out
        self.assertRegex(text, rf"for certain: yes, .*{reached[goal]}")

    def test_a_second_import_is_refused(self):
        data, kinds = need_shared("data/icews14.tsv.zst", "data/relations.tsv")
        self.refused(run("import", data, "--into", self.store, "--as", "dyads", "--kinds", kinds), "in this store already")
        self.assertEqual(self.one("MATCH [c] RETURN count(*)"), len(self.interactions))


if __name__ == "__main__":
    support.main()

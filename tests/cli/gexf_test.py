#!/usr/bin/env python3
"""Files for Gephi: well-formed, valid, and with the nodes, edges, weights and times that the queries return.

    python3 tests/cli/gexf_test.py --binary PATH_TO_demarche --source PATH_OF_REPO [--shared PATH]

Validity is checked by xmllint with the schema of GEXF 1.3 in shared/gexf; skipped without either. The event data of
shared/data is exported too, if it is there.
"""

import datetime
import subprocess
import sys
from collections import Counter, defaultdict
from xml.etree import ElementTree

sys.dont_write_bytecode = True  # no __pycache__ among the sources
import support
from support import Case, example, need_program, need_shared, rows, run

NAMESPACE = "{http://gexf.net/1.3}"
PAIRS = ("MATCH (a)-[c{kind}]-(b) WHERE id(a) <= id(b) {where} RETURN id(a), id(b), type(c), id(c), c.when, c.key")


class Gexf:
    """A file as read by a plain reader of XML."""

    def __init__(self, path):
        self.root = ElementTree.parse(path).getroot()
        self.graph = self.root.find(NAMESPACE + "graph")
        self.nodes = {n.get("id"): n for n in self.graph.find(NAMESPACE + "nodes")}
        self.edges = list(self.graph.find(NAMESPACE + "edges"))

    @staticmethod
    def values(element):
        return {v.get("for"): v.get("value") for v in element.iter(NAMESPACE + "attvalue")}

    @staticmethod
    def spells(element):
        return [(s.get("start"), s.get("end")) for s in element.iter(NAMESPACE + "spell")]


def actor(node_id):
    return int(node_id.removeprefix("a"))


def pair_of(edge):
    return tuple(sorted((actor(edge.get("source")), actor(edge.get("target")))))


class GexfCase(Case):
    def export(self, store, *more, name="x.gexf"):
        path = self.folder / name
        ran = self.done(run("export", store, "--gexf", path, *more))
        self.assertEqual(ran.out, "")
        gexf = Gexf(path)
        counted = [f"{len(of)} {word}" + ("" if len(of) == 1 else "s") for of, word in ((gexf.nodes, "node"), (gexf.edges, "edge"))]
        self.assertIn(f"wrote {path}: {', '.join(counted)} from ", ran.err)
        self.check_form(gexf)
        return gexf

    def check_form(self, gexf):
        """What Gephi needs beyond the schema: see shared/gexf/README.md."""
        self.assertEqual(gexf.root.tag, NAMESPACE + "gexf")
        self.assertEqual(gexf.root.get("version"), "1.3")
        self.assertEqual((gexf.graph.get("mode"), gexf.graph.get("timeformat"), gexf.graph.get("timerepresentation")),
                         ("dynamic", "date", "interval"))
        self.assertEqual(len({e.get("id") for e in gexf.edges}), len(gexf.edges))
        directions = {e.get("type") for e in gexf.edges}
        self.assertLessEqual(directions, {"directed", "undirected"})
        if gexf.graph.get("defaultedgetype"):
            self.assertLessEqual(directions, {gexf.graph.get("defaultedgetype")})
        for edge in gexf.edges:
            self.assertIn(edge.get("source"), gexf.nodes)
            self.assertIn(edge.get("target"), gexf.nodes)
            self.assertGreater(float(edge.get("weight")), 0)
            self.assertIsNone(edge.get("start"))
            last = ""
            for start, end in gexf.spells(edge):
                for side in (start, end):
                    if side is not None:
                        datetime.date.fromisoformat(side)
                self.assertIsNotNone(start or end)
                self.assertLessEqual(start or "", end or "9999-99-99")
                self.assertTrue(not last or start and start > last, "spells are in order and do not overlap")
                last = end or "9999-99-99"

    def check_valid(self, *names):
        [schema] = need_shared("gexf/1.3/gexf.xsd")
        need_program("xmllint")
        for name in names:
            ran = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", schema, self.folder / name], capture_output=True)
            self.assertEqual(ran.returncode, 0, ran.stderr.decode()[:2000])

    def check_merged(self, gexf, interactions):
        """`interactions`: rows of PAIRS. One edge for each pair and kind (two if only some have a direction)."""
        weights = Counter((a, b, kind) for a, b, kind, *_ in interactions)
        keys = defaultdict(set)
        dates = defaultdict(set)
        for a, b, kind, _, when, key in interactions:
            keys[a, b, kind] |= {key} - {None}
            dates[a, b, kind] |= {when} - {None}
        got = Counter()
        got_keys = defaultdict(set)
        got_dates = defaultdict(set)
        for edge in gexf.edges:
            of = (*pair_of(edge), edge.get("kind"))
            got[of] += int(edge.get("weight"))
            got_keys[of] |= {k for k in gexf.values(edge).get("keys", "").split("; ") if k}
            got_dates[of] |= {d for d in gexf.values(edge).get("dates", "").split("; ") if d}
        self.assertEqual(got, weights)
        self.assertEqual({k: v for k, v in got_keys.items() if v}, {k: v for k, v in keys.items() if v})
        self.assertEqual({k: v for k, v in got_dates.items() if v}, {k: v for k, v in dates.items() if v})

    def check_each(self, gexf, interactions):
        self.assertEqual(Counter((*pair_of(e), e.get("kind"), int(e.get("id").split("-")[0].removeprefix("i"))) for e in gexf.edges),
                         Counter((a, b, kind, number) for a, b, kind, number, *_ in interactions))
        self.assertEqual({e.get("weight") for e in gexf.edges}, {"1"})


class OfTheExample(GexfCase):
    def test_contacts_merged(self):
        gexf = self.export(example(), "--query", "MATCH (a)-[c:CONTACT]-(b) RETURN c")
        interactions = rows(example(), PAIRS.format(kind=":CONTACT", where=""))
        self.check_merged(gexf, interactions)
        parties = rows(example(), "MATCH [c:CONTACT] UNWIND participants(c) AS p RETURN p.actor, p.for")
        self.assertEqual({actor(n) for n in gexf.nodes}, {a["actor"] for row in parties for a in row if a})
        self.assertEqual(sum(int(e.get("weight")) for e in gexf.edges), len(interactions))

    def test_contacts_each(self):
        gexf = self.export(example(), "--query", "MATCH (a)-[c:CONTACT]-(b) RETURN c", "--edges", "each")
        self.check_each(gexf, rows(example(), PAIRS.format(kind=":CONTACT", where="")))

    def test_everything_by_default(self):
        gexf = self.export(example())
        interactions = rows(example(), PAIRS.format(kind="", where=""))
        self.check_merged(gexf, interactions)
        self.check_each(self.export(example(), "--edges", "each"), interactions)

    def test_names_and_aliases_of_nodes(self):
        gexf = self.export(example())
        for number, name, key, labels in rows(example(), "MATCH (a)-[c]-(b) RETURN DISTINCT id(a), a.name, a.key, labels(a)"):
            node = gexf.nodes[f"a{number}"]
            self.assertEqual(node.get("label"), name)
            self.assertEqual(gexf.values(node)["key"], key)
            self.assertEqual(gexf.values(node)["labels"], ";".join(labels))
        aliases = [gexf.values(n).get("aliases") for n in gexf.nodes.values()]
        self.assertIn("Riad Hijab; رياض حجاب", aliases)

    def test_an_edge_goes_from_those_who_act(self):
        gexf = self.export(example(), "--edges", "each")
        by_id = {int(e.get("id").split("-")[0].removeprefix("i")): e for e in gexf.edges}
        for number, a, b in rows(example(), "MATCH (a)-[c:CALL]->(b) WHERE role(c, a) = 'caller' RETURN id(c), id(a), id(b)"):
            edges = [e for e in gexf.edges if e.get("id").startswith(f"i{number}-")]
            self.assertIn((f"a{a}", f"a{b}"), [(e.get("source"), e.get("target")) for e in edges])
            self.assertEqual({e.get("type") for e in edges}, {"directed"})
        for number, in rows(example(), "MATCH (a)-[c:CALL]-(b) WHERE role(c, a) = 'participant' RETURN id(c)"):
            self.assertEqual(by_id[number].get("type"), "undirected")

    def test_spells_reach_over_the_days_of_the_dates(self):
        gexf = self.export(example(), "--edges", "each")
        spells = {gexf.values(e).get("keys"): gexf.spells(e) for e in gexf.edges}
        self.assertEqual({key: spells[key] for key in ("kerry-cairo-apr", "kerry-hijab-call", "geneva-iii-march", "un-appeal", "cessation-of-hostilities")},
                         {"kerry-cairo-apr": [("2016-04-20", "2016-04-20")], "kerry-hijab-call": [("2016-04-28", "2016-04-30")],
                          "geneva-iii-march": [("2016-03-14", "2016-03-24")], "un-appeal": [(None, "2016-05-01")],
                          "cessation-of-hostilities": [("2016-02-27", None)]})

    def test_valid(self):
        for name, more in (("a.gexf", ()), ("b.gexf", ("--edges", "each")), ("c.gexf", ("--query", "MATCH (a:State) RETURN a"))):
            self.export(example(), *more, name=name)
        self.check_valid("a.gexf", "b.gexf", "c.gexf")

    def test_the_same_bytes_each_time(self):
        statements = ("MATCH (a)-[c:CONTACT]-(b) RETURN a, c, b", "MATCH (a)-[c:CONTACT]-(b) RETURN b, c, a ORDER BY c.when DESC",
                      "MATCH (a)-[c:CONTACT]-(b) RETURN collect(c), collect({x: a, y: [b]})")
        for edges in ("merged", "each"):
            for i, text in enumerate(statements):
                self.export(example(), "--query", text, "--edges", edges, name=f"{i}.gexf")
            self.assertEqual(len({(self.folder / f"{i}.gexf").read_bytes() for i in range(len(statements))}), 1)

    def test_actors_alone_are_nodes_without_edges(self):
        gexf = self.export(example(), "--query", "MATCH (a:State) RETURN a")
        self.assertEqual(sorted(n.get("label") for n in gexf.nodes.values()), sorted(r[0] for r in rows(example(), "MATCH (a:State) RETURN a.name")))
        self.assertEqual(gexf.edges, [])

    def test_a_query_with_parameters_and_a_date(self):
        text = "MATCH (a {key: $who})-[c:CONTACT]-(b) WHERE c BEFORE $day RETURN c"
        gexf = self.export(example(), "--query", text, "-p", "who=john-kerry", "-p", "day=2016-02")
        self.assertEqual({k for e in gexf.edges for k in gexf.values(e)["keys"].split("; ")},
                         {"kerry-london-jan", "kerry-zurich-jan", "kerry-riyadh-jan"})

    def test_a_query_that_returns_nothing_writes_nothing(self):
        for text in ("MATCH (a {key: 'nobody'}) RETURN a", "MATCH (a) RETURN a.name"):
            ran = self.refused(run("export", example(), "--gexf", self.folder / "x.gexf", "--query", text), "no actors and no interactions", "RETURN a, c, b")
            self.assertNotIn("wrote", ran.err)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_it_takes_the_place_of_an_older_file(self):
        old = self.file("x.gexf", "old " * 100_000)
        self.export(example(), "--query", "MATCH (a:State) RETURN a")
        self.assertTrue(old.read_text(encoding="utf-8").rstrip().endswith("</gexf>"))
        self.assertEqual([p.name for p in self.folder.iterdir()], ["x.gexf"])


class OfAwkwardData(GexfCase):
    NAMES = ["A & B <C> \"D\" 'E'", "رياض حجاب", "王毅 \U0001F54A", "]]>", "tab\tfeed\nend", "&amp;", "Ωmega e\u0301"]

    def awkward(self):
        parties = [{"actor": f"k{i}", "role": "participant"} for i in range(len(self.NAMES))]
        return self.store(*[{"actor": {"key": f"k{i}", "name": n, "aliases": [n + " & <x>"]}} for i, n in enumerate(self.NAMES)],
                          {"source": {"key": "s & <t>"}},
                          {"interaction": {"key": "x & <y>", "kind": "MEETING", "when": "2016-04~", "place": "A & <B> \"c\"",
                                           "participants": parties, "claims": [{"source": "s & <t>"}]}})

    def test_every_name_comes_back(self):
        gexf = self.export(self.awkward())
        self.assertEqual([n.get("label") for n in gexf.nodes.values()], self.NAMES)
        self.assertEqual([gexf.values(n)["aliases"] for n in gexf.nodes.values()], [n + " & <x>" for n in self.NAMES])
        count = len(self.NAMES)
        self.assertEqual(len(gexf.edges), count * (count - 1) // 2)
        values = gexf.values(gexf.edges[0])
        self.assertEqual((values["keys"], values["places"], values["sources"], values["dates"]), ("x & <y>", 'A & <B> "c"', "s & <t>", "2016-04~"))
        self.assertEqual(gexf.spells(gexf.edges[0]), [("2016-04-01", "2016-04-30")])
        self.check_valid("x.gexf")

    def test_what_xml_cannot_hold_is_replaced_and_told(self):
        store = self.store({"actor": {"key": "a", "name": "bell\x07escape\x1b"}}, {"actor": {"key": "b", "name": "\ufffe\uffff"}})
        path = self.folder / "x.gexf"
        ran = self.done(run("export", store, "--gexf", path, "--query", "MATCH (a) RETURN a"))
        self.assertIn("4 characters that XML cannot hold were replaced", ran.err)
        self.assertEqual([n.get("label") for n in Gexf(path).nodes.values()], ["bell\ufffdescape\ufffd", "\ufffd\ufffd"])

    def test_dates_at_the_edges(self):
        dates = {"always": "../..", "since": "2012-05-07/..", "until": "[..2016-05-01]", "month": "2016-02", "year": "2016", "old": "-0043-03-15",
                 "far": "Y12000", "beyond": "9999/..", "time": "2016-04-29T23:30:00-02:00", "gap": "[2016-01-01,2016-03-01]"}
        lines = [{"actor": {"key": k, "name": k}} for k in ("a", "b")]
        parties = [{"actor": "a", "role": "participant"}, {"actor": "b", "role": "participant"}]
        lines += [{"interaction": {"key": k, "kind": "CALL", "when": w, "participants": parties}} for k, w in dates.items()]
        lines += [{"interaction": {"key": "undated", "kind": "CALL", "participants": parties}}]
        store = self.store(*lines)
        ran = self.done(run("export", store, "--gexf", self.folder / "y.gexf", "--edges", "each"))
        self.assertIn("1 interaction has no date", ran.err)
        gexf = self.export(store, "--edges", "each")
        spells = {gexf.values(e)["keys"]: gexf.spells(e) for e in gexf.edges}
        self.assertEqual(spells, {
            "always": [], "undated": [], "old": [], "far": [], "since": [("2012-05-07", None)], "until": [(None, "2016-05-01")],
            "month": [("2016-02-01", "2016-02-29")], "year": [("2016-01-01", "2016-12-31")], "beyond": [("9999-01-01", None)],
            "time": [("2016-04-30", "2016-04-30")], "gap": [("2016-01-01", "2016-03-01")]})
        merged = self.export(store, "--query", "MATCH [c] WHERE c.key IN ['month', 'since', 'until', 'undated'] RETURN c", name="m.gexf")
        self.assertEqual([(e.get("weight"), merged.spells(e)) for e in merged.edges], [("4", [])])  # all of time together
        apart = self.export(store, "--query", "MATCH [c] WHERE c.key IN ['month', 'time', 'undated'] RETURN c", name="n.gexf")
        self.assertEqual([(e.get("weight"), apart.spells(e)) for e in apart.edges],
                         [("3", [("2016-02-01", "2016-02-29"), ("2016-04-30", "2016-04-30")])])
        self.check_valid("x.gexf", "m.gexf", "n.gexf")


class OfAYearOfEvents(GexfCase):
    WHERE = "c DURING '2014-01-01/2014-02-14'"

    @classmethod
    def setUpClass(cls):
        data, kinds = need_shared("data/icews14.tsv.zst", "data/relations.tsv")
        cls.events = support.scratch() / "icews14.dm"
        ran = run("import", data, "--into", cls.events, "--as", "dyads", "--kinds", kinds)
        assert ran.status == support.DONE, str(ran)

    def test_the_window_in_both_forms(self):
        statement = f"MATCH [c:CONTACT] WHERE {self.WHERE} RETURN c"
        interactions = rows(self.events, PAIRS.format(kind=":CONTACT", where=f"AND {self.WHERE}"))
        self.assertEqual(len(interactions), 1155)
        merged = self.export(self.events, "--query", statement, name="merged.gexf")
        self.check_merged(merged, interactions)
        for edge in merged.edges:
            self.assertEqual([day for day, end in merged.spells(edge) if day == end], sorted(merged.values(edge)["dates"].split("; ")))
        each = self.export(self.events, "--query", statement, "--edges", "each", name="each.gexf")
        self.check_each(each, interactions)
        self.assertTrue(all("2014-01-01" <= start == end <= "2014-02-14" for e in each.edges for start, end in each.spells(e)))
        self.assertEqual(set(merged.nodes), set(each.nodes))
        self.assertEqual({actor(n) for n in each.nodes}, {x for a, b, *_ in interactions for x in (a, b)})
        self.check_valid("merged.gexf", "each.gexf")

    def test_the_whole_store(self):
        gexf = self.export(self.events)
        self.assertEqual(len(gexf.nodes), 7128)
        self.assertEqual(sum(int(e.get("weight")) for e in gexf.edges), 79680)
        self.check_valid("x.gexf")


if __name__ == "__main__":
    support.main()

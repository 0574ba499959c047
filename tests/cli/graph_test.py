"""Procedures on graphs of contacts against two independent libraries, python3-networkx and python3-igraph.

    /usr/bin/python3 tests/cli/graph_test.py --binary PATH_TO_demarche --source PATH_OF_REPO [--shared PATH]

The pairs come from the language's own patterns, the answers from CALL. Random graphs are made here, each with its seed;
windows of icews14 need shared/data. Skipped, aloud, where a library or the data are missing.
"""

import random
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support
from support import Case, need_program, need_shared, rows, run

try:
    import igraph
    import networkx
except ImportError as error:
    print(f"SKIPPED: {error.name} is not installed (python3-networkx, python3-igraph, run by Debian's /usr/bin/python3)")
    sys.exit(77)

RELATIVE = 1e-6


class Window:
    """One graph: pairs by patterns, answers by CALL."""

    def __init__(self, store, options="", where=""):
        self.store = store
        self.options = options  # entries of the map, each ended by a comma
        condition = f"WHERE a <> b AND {where}" if where else "WHERE a <> b"
        self.undirected = networkx.Graph()
        for a, b, weight in rows(
            store, f"MATCH (a)-[c:CONTACT]-(b) {condition} AND id(a) < id(b) RETURN id(a) AS a, id(b) AS b, count(*) AS n"
        ):
            self.undirected.add_edge(a, b, weight=weight)
        self.directed = networkx.DiGraph()
        for a, b, weight in rows(
            store, f"MATCH (a)-[c:CONTACT]->(b) {condition} RETURN id(a) AS a, id(b) AS b, count(*) AS n"
        ):
            self.directed.add_edge(a, b, weight=weight)

    def call(self, procedure, columns, options="", before=""):
        """{actor: value or tuple of values}"""
        text = ", ".join(columns)
        entries = (self.options + options).rstrip(", ")
        returned = rows(
            self.store,
            f"{before} CALL {procedure}({{{entries}}}) YIELD actor, {text} RETURN id(actor) AS a, {text}",
        )
        assert len({r[0] for r in returned}) == len(returned)
        return {r[0]: r[1] if len(columns) == 1 else tuple(r[1:]) for r in returned}

    def as_igraph(self, graph):
        """An igraph graph with the same numbering as list(graph)."""
        number = {v: i for i, v in enumerate(graph)}
        out = igraph.Graph(
            n=len(number), edges=[(number[a], number[b]) for a, b in graph.edges()], directed=graph.is_directed()
        )
        out.es["weight"] = [w for _, _, w in graph.edges(data="weight")]
        return out


def by_list(graph, values):
    return dict(zip(graph, values))


class Graphs(Case):
    def close(self, found, expected, what, relative=RELATIVE):
        self.assertEqual(found.keys(), expected.keys(), what)
        worst = max((abs(found[v] - expected[v]) / max(1e-9, abs(expected[v])), v) for v in found)
        for v in found:
            self.assertAlmostEqual(found[v], expected[v], delta=1e-9 + relative * abs(expected[v]), msg=f"{what} {worst}")

    def parts(self, found):
        """Sets of actors from {actor: (number, size)}; numbers are in order of size."""
        out = {}
        for actor, (number, _) in found.items():
            out.setdefault(number, set()).add(actor)
        for actor, (number, size) in found.items():
            self.assertEqual(len(out[number]), size)
        self.assertEqual(sorted(out), list(range(1, len(out) + 1)))
        sizes = [len(out[n]) for n in sorted(out)]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        return {frozenset(p) for p in out.values()}

    def check(self, window):
        """Every procedure on one window against both libraries."""
        nx, arrows = window.undirected, window.directed
        ig, ig_arrows = window.as_igraph(nx), window.as_igraph(arrows)
        self.assertGreater(nx.number_of_edges(), 0)

        degree = window.call("degree", ["degree", "strength", "out_degree", "in_degree", "out_strength", "in_strength"], "directed: true")
        self.assertEqual({v: d[0] for v, d in degree.items()}, dict(nx.degree()))
        self.assertEqual({v: d[1] for v, d in degree.items()}, dict(nx.degree(weight="weight")))
        for i, expected in enumerate((arrows.out_degree(), arrows.in_degree(), arrows.out_degree(weight="weight"), arrows.in_degree(weight="weight"))):
            self.assertEqual({v: d[2 + i] for v, d in degree.items() if v in arrows}, dict(expected))

        weak = self.parts(window.call("components", ["component", "size"]))
        self.assertEqual(weak, {frozenset(c) for c in networkx.connected_components(nx)})
        strong = self.parts(window.call("components", ["component", "size"], "strong: true"))
        self.assertEqual(strong, {frozenset(c) for c in networkx.strongly_connected_components(arrows)})
        names = list(arrows)
        self.assertEqual(strong, {frozenset(names[i] for i in c) for c in ig_arrows.connected_components("strong")})

        cuts = window.call("cut_actors", ["pieces"])
        joined = {}
        for block in networkx.biconnected_components(nx):
            for v in block:
                joined[v] = joined.get(v, 0) + 1
        self.assertEqual(cuts, {v: n for v, n in joined.items() if n > 1})
        names = list(nx)
        self.assertEqual(set(cuts), {names[i] for i in ig.articulation_points()})

        core = window.call("core_numbers", ["core"])
        self.assertEqual(core, networkx.core_number(nx))
        self.assertEqual(core, by_list(nx, ig.coreness()))

        for options, graph, peer, weights in (
            ("", nx, ig, "weight"),
            ("weighted: false", nx, ig, None),
            ("directed: true", arrows, ig_arrows, "weight"),
            ("directed: true, weighted: false, damping: 0.5", arrows, ig_arrows, None),
        ):
            damping = 0.5 if "0.5" in options else 0.85
            score = window.call("pagerank", ["score"], options)
            self.close(score, by_list(graph, peer.pagerank(weights=weights, damping=damping)), "pagerank of igraph " + options)
            expected = pagerank(graph, damping, weights)
            self.close(score, expected, "pagerank of networkx " + options, relative=1e-5)

        for options, graph, peer in (("", nx, ig), ("directed: true", arrows, ig_arrows)):
            found = window.call("betweenness", ["score"], options)
            self.close(found, networkx.betweenness_centrality(graph, normalized=False), "betweenness of networkx")
            self.close(found, by_list(graph, peer.betweenness()), "betweenness of igraph")
            found = window.call("closeness", ["score", "harmonic"], options)
            self.close({v: c[0] for v, c in found.items()}, networkx.closeness_centrality(graph), "closeness of networkx")
            self.close({v: c[1] for v, c in found.items()}, networkx.harmonic_centrality(graph), "harmonic of networkx")
            others = max(1, len(graph) - 1)
            harmonic = [h * others for h in peer.harmonic_centrality(mode="in")]
            self.close({v: c[1] for v, c in found.items()}, by_list(graph, harmonic), "harmonic of igraph")

        start = max(nx, key=lambda v: (nx.degree(v), -v))
        match = f"MATCH (start) WHERE id(start) = {start}"
        self.assertEqual(
            window.call("shortest_paths", ["distance"], "from: start", match),
            networkx.single_source_shortest_path_length(nx, start),
        )
        for _, _, data in nx.edges(data=True):
            data["rarity"] = 1 / data["weight"]
        self.close(
            window.call("shortest_paths", ["distance"], "from: start, weighted: true", match),
            networkx.single_source_dijkstra_path_length(nx, start, weight="rarity"),
            "weighted distance",
        )
        if start in arrows:
            self.assertEqual(
                window.call("shortest_paths", ["distance"], "from: start, directed: true", match),
                networkx.single_source_shortest_path_length(arrows, start),
            )

        found = window.call("communities", ["community", "size", "modularity"])
        groups = self.parts({v: c[:2] for v, c in found.items()})
        [stated] = {c[2] for c in found.values()}
        ours = networkx.community.modularity(nx, groups, weight="weight")
        self.assertAlmostEqual(stated, ours, places=9)
        for group in groups:
            self.assertTrue(networkx.is_connected(nx.subgraph(group)))
        # igraph's own Louvain takes vertices in a random order: its usual result, from a fixed seed, is the measure.
        random.seed(1)
        theirs = statistics.median(ig.community_multilevel(weights="weight").modularity for _ in range(21))
        self.assertGreater(ours, 0.95 * theirs - 1e-9)

    def random_store(self, seed):
        """Contacts with sides and without, some pairs many times, some actors alone in a corner."""
        chance = random.Random(seed)
        n = chance.randrange(20, 60)
        lines = [{"actor": {"key": f"a{i}", "name": f"Actor {i}"}} for i in range(n)]
        for i in range(chance.randrange(n, 4 * n)):
            a, b = chance.sample(range(n), 2) if chance.random() < 0.8 else chance.sample(range(n // 4), 2)
            kind, left, right = chance.choice(
                [("CALL", "caller", "callee"), ("VISIT", "visitor", "host"), ("MEETING", "participant", "participant")]
            )
            parties = [{"actor": f"a{a}", "role": left}, {"actor": f"a{b}", "role": right}]
            if kind == "MEETING" and chance.random() < 0.3:
                c = chance.randrange(n)
                if c not in (a, b):
                    parties.append({"actor": f"a{c}", "role": "participant"})
            when = f"2020-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
            if chance.random() < 0.1:
                when = when[:7]
            lines.append({"interaction": {"key": f"i{i}", "kind": kind, "when": when, "participants": parties}})
        return self.store(*lines)

    def test_random_graphs(self):
        for seed in range(1, 5):
            with self.subTest(seed=seed):
                store = self.random_store(seed)
                self.check(Window(store))
                self.check(Window(store, "during: '2020-03/2020-08', ", "c DURING '2020-03/2020-08'"))
                self.check(Window(store, "after: '2020-02', kinds: ['CALL', 'MEETING'], ", "c AFTER '2020-02' AND (c:CALL OR c:MEETING)"))
                self.check(Window(store, "before: '2020-06-10', possibly: true, ", "POSSIBLY (c BEFORE '2020-06-10')"))

    def test_periods_are_their_windows(self):
        store = self.random_store(11)
        every = rows(
            store,
            "CALL pagerank({during: '2020', every: 'P2M'}) YIELD actor, score, period RETURN period, id(actor) AS a, score",
        )
        periods = list(dict.fromkeys(r[0] for r in every))
        self.assertEqual(periods, sorted(periods))
        self.assertEqual(len(periods), 6)
        for period in periods:
            alone = rows(store, f"CALL pagerank({{during: '{period}'}}) YIELD actor, score RETURN id(actor) AS a, score")
            self.assertEqual([r[1:] for r in every if r[0] == period], alone)

    def test_sampled_betweenness_states_an_error_that_holds(self):
        store = self.random_store(12)
        exact = dict(rows(store, "CALL betweenness() YIELD actor, score RETURN id(actor) AS a, score"))
        held = total = 0
        for seed in range(1, 21):
            sampled = rows(
                store,
                f"CALL betweenness({{samples: {len(exact) * 2 // 3}, seed: {seed}}}) YIELD actor, score, error "
                "RETURN id(actor) AS a, score, error",
            )
            for actor, score, error in sampled:
                total += 1
                held += abs(score - exact[actor]) <= error + 1e-9
        # 95 % are promised of each; few samples of a skewed sum keep somewhat less.
        self.assertGreater(held / total, 0.85)

    def test_interactions_of_a_query(self):
        store = self.random_store(13)
        chosen = rows(
            store,
            "MATCH [c:CALL] WITH collect(c) AS calls CALL degree({interactions: calls}) YIELD actor, strength "
            "RETURN id(actor) AS a, strength",
        )
        self.assertEqual(chosen, rows(store, "CALL degree({kinds: 'CALL'}) YIELD actor, strength RETURN id(actor) AS a, strength"))

    def test_the_head_of_a_query_is_a_window(self):
        store = self.random_store(14)
        for procedure in ("degree", "communities", "closeness"):
            tail = "YIELD * WITH * RETURN *, id(actor) AS a"
            inside = rows(store, f"CALL {procedure}({{during: '2020-03/2020-08'}}) {tail}")
            self.assertGreater(len(inside), 0)
            self.assertEqual(inside, rows(store, f"FOR VALID_TIME DURING '2020-03/2020-08' CALL {procedure}() {tail}"))
        both = "FOR VALID_TIME DURING '2020' CALL degree({during: '2020-05'}) YIELD actor, degree RETURN id(actor) AS a, degree"
        alone = "CALL degree({during: '2020-05'}) YIELD actor, degree RETURN id(actor) AS a, degree"
        self.assertEqual(rows(store, both), rows(store, alone))

    def test_windows_of_icews14(self):
        data, kinds = need_shared("data/icews14.tsv.zst", "data/relations.tsv")
        need_program("zstd")
        store = self.folder / "icews14.dm"
        self.done(run("import", data, "--into", store, "--as", "dyads", "--kinds", kinds))
        for during in ("2014-01-01/2014-02-14", "2014-06"):
            with self.subTest(during=during):
                self.check(Window(store, f"during: '{during}', ", f"c DURING '{during}'"))


def pagerank(graph, damping, weight):
    """networkx's own definition, by its pure Python form where there is one, which needs no scipy."""
    from networkx.algorithms.link_analysis import pagerank_alg

    plain = getattr(pagerank_alg, "_pagerank_python", None) or networkx.pagerank
    return plain(graph, alpha=damping, weight=weight, tol=1e-12, max_iter=1000)


if __name__ == "__main__":
    support.main()

"""Runs the example on the shipped record and checks its answer against the pairs a query gives.

    python3 graph_test.py --binary demarche_graph_example --demarche demarche --source ROOT
"""

import argparse
import csv
import io
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--binary", required=True)
parser.add_argument("--demarche", required=True)
parser.add_argument("--source", required=True, type=Path)
options = parser.parse_args()


def run(*args):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False, timeout=120)


def components(actors, pairs):
    """Number of connected components, by repeated painting."""
    near = {a: set() for a in actors}
    for a, b in pairs:
        if a in near and b in near:
            near[a].add(b)
            near[b].add(a)
    count, seen = 0, set()
    for start in near:
        if start in seen:
            continue
        count += 1
        todo = [start]
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                todo.extend(near[at])
    return count


class Example(unittest.TestCase):
    def test_cut_actors_of_the_syria_talks(self):
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "talks.dm"
            files = sorted((options.source / "examples/syria-2016").glob("*.jsonl"))
            self.assertEqual(run(options.demarche, "import", *files, "--into", store, "--as", "jsonl").returncode, 0)
            # Held or silent about it, as the graph has them.
            query = (
                "MATCH (a)-[c:CONTACT]-(b) WHERE c.status IS NULL OR c.status = 'held' "
                "RETURN DISTINCT a.name AS a, b.name AS b"
            )
            rows = list(csv.DictReader(io.StringIO(run(options.demarche, "query", store, query, "--format", "csv").stdout)))
            pairs = {(r["a"], r["b"]) for r in rows}
            actors = {a for a, _ in pairs}
            whole = components(actors, pairs)
            cuts = {a for a in actors if components(actors - {a}, pairs) > whole}

            ran = run(options.binary, store)
            self.assertEqual(ran.returncode, 0, ran.stderr)
            lines = ran.stdout.splitlines()
            undirected = {frozenset(p) for p in pairs}
            self.assertEqual(
                lines[0], f"{len(actors)} actors, {len(undirected)} pairs in contact; removing one of these parts others:"
            )
            self.assertGreater(len(cuts), 0)
            self.assertEqual({line.rsplit(", ", 1)[0] for line in lines[1:]}, cuts)

    def test_refusals(self):
        self.assertEqual(run(options.binary).returncode, 2)
        ran = run(options.binary, "/nowhere/at/all.dm")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("/nowhere/at/all.dm", ran.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])

#!/usr/bin/env python3
"""The Python client against the real server.

    python3 tests/proto/python_client_test.py --binary demarche --source SOURCE_DIR --work FOLDER

pycapnp comes from PyPI: if this Python has none, one is put into a virtual environment in FOLDER, once. Where that
cannot be done (no network), the test says so and exits with 77: skipped.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

PYCAPNP = "pycapnp==2.2.4"


def ensure_pycapnp(arguments):
    if importlib.util.find_spec("capnp"):
        return
    environment = Path(arguments.work) / "python"
    python = environment / "bin" / "python"
    probe = [str(python), "-c", "import capnp"]
    if not python.exists() or subprocess.run(probe, capture_output=True).returncode != 0:
        for command in ([sys.executable, "-m", "venv", str(environment)],
                        [str(python), "-m", "pip", "install", "--quiet", "--retries", "2", PYCAPNP]):
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=300)
                failed = done.returncode != 0 and (done.stderr or done.stdout)
            except (OSError, subprocess.TimeoutExpired) as e:
                failed = str(e)
            if failed:
                print(f"skipped: no {PYCAPNP} to be had: {' '.join(command)}: {failed.strip()[-400:]}")
                sys.exit(77)
    os.execv(str(python), [str(python), *sys.argv])


class Server:
    def __init__(self, binary, source, folder, quiet=False):
        self.store = str(folder / "talks.dm")
        talks = source / "examples" / "syria-2016"
        subprocess.run([binary, "import", *(str(talks / f"{name}.jsonl") for name in ("sources", "actors", "interactions")),
                        "--into", self.store, "--as", "jsonl"], check=True, capture_output=True)
        self.unix = f"demarche+unix:{folder / 'socket'}"
        self.token = subprocess.run([binary, "token", "create", self.store, "--access", "read"], check=True,
                                    capture_output=True, text=True).stdout.strip()
        self.process = subprocess.Popen([binary, "serve", self.store, "--listen", f"unix:{folder / 'socket'}", "--listen",
                                         "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        addresses = []
        while len(addresses) < 2:
            line = self.process.stderr.readline()
            if not line:
                raise RuntimeError("the server ended")
            if "listening on " in line:
                addresses.append(line.split("listening on ")[1].strip())
        self.tcp = addresses[1]
        if quiet:  # a long run: what it logs goes nowhere
            threading.Thread(target=lambda: [None for _ in self.process.stderr], daemon=True).start()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0, "the server did not end well"


def check(condition, what):
    if not condition:
        raise AssertionError(what)


async def check_traversals(demarche, server):
    async with demarche.connect(server.unix) as session:
        check(session.access == "admin", "on its own socket the owner is an admin")
        state = await session.snapshot()
        walkout = demarche.of("hnc-walkout")
        kerry = state.actor("john-kerry")
        page = await kerry.contacts(before=walkout).counterparts().contacts(before=walkout).page(limit=5, records=True)
        check(len(page.records) == 5 and page.more, "five records and more")
        check(all(record.participants for record in page.records), "records have participants")
        lavrov = state.actor("sergey-lavrov")
        a, b = [set(await s.contacts().counterparts().ids()) for s in (kerry, lavrov)]
        both = kerry.contacts().counterparts() & lavrov.contacts().counterparts()
        either = kerry.contacts().counterparts() | lavrov.contacts().counterparts()
        only = kerry.contacts().counterparts() - lavrov.contacts().counterparts()
        check(set(await both.ids()) == a & b, "intersection")
        check(set(await either.ids()) == a | b, "union")
        check(set(await only.ids()) == a - b, "difference")
        lines = [line async for batch in kerry.contacts().lines() for line in zip(*batch.values())]
        check(len(lines) >= await kerry.contacts().count() > 0, "lines of every contact")
        empty = await session.snapshot(as_of="commit 0")
        check(await empty.actors().count() == 0, "the empty store")
        try:
            await session.snapshot(as_of="commit 99")
            raise AssertionError("a state that is not there")
        except demarche.Refused as e:
            check("99" in str(e), f"{e}")
        try:
            await state.actor("jon-kery").contacts().count()
            raise AssertionError("an unknown actor was found")
        except demarche.Refused as e:
            check(e.code == "notFound", f"code {e.code}")


async def check_rows(demarche, server):
    async with demarche.connect(server.unix) as session:
        rows = session.query("UNWIND range(1, 50000) AS n RETURN n, toString(n) AS text")
        expected = 1
        async for n, text in rows:
            check((n, text) == (expected, str(expected)), f"row {expected}")
            expected += 1
        check(expected == 50001, f"{expected - 1} rows")
        check(rows.columns == ["n", "text"], "columns")
        rows = session.query("MATCH (a {key: $key})-[c]-(b) RETURN a, c, c.when, [1, null, {k: $n}] LIMIT 1",
                             {"key": "john-kerry", "n": 2.5})
        [(actor, interaction, when, listed)] = await rows.all()
        check(isinstance(actor, demarche.ActorId) and isinstance(interaction, demarche.InteractionId), "ids")
        check(isinstance(when, demarche.Date) and when.text, "a date")
        check(listed == [1, None, {"k": 2.5}], f"nested values: {listed}")
        check(await session.query("MATCH (a {key: 'nobody'}) RETURN a").all() == [], "no rows")
        try:
            await session.query("MATCH (a RETURN a").all()
            raise AssertionError("a statement that is none was taken")
        except demarche.Refused as e:
            check(e.position is not None, "a fault has a place")
        # Leaving in the middle stops the statement and leaves the session usable.
        async for _ in session.query("UNWIND range(1, 1000000) AS n RETURN n"):
            break
        check(await session.query("RETURN 1 AS one").all() == [(1,)], "the session goes on")
        rows = session.execute("CREATE (:Person {key: 'from-python'})")
        check(await rows.all() == [] and rows.changes["actorsCreated"] == 1, "a statement that writes")
        report = await session.record('{"actor": {"key": "line", "name": "Line"}}\n', note="a line", commit_id="x")
        check(report["actors"] == 1, f"{report}")


async def check_token(demarche, server):
    async with demarche.connect(server.tcp, token=server.token) as session:
        check(session.access == "reader", "a reader's token")
        check(await session.query("RETURN 1").all() == [(1,)], "rows over TCP")
        try:
            await session.execute("CREATE (:Person)").all()
            raise AssertionError("a reader wrote")
        except demarche.Refused as e:
            raise AssertionError("a reader has a method that writes") from e
        except Exception as e:
            check("unimplemented" in str(e).lower() or "not implemented" in str(e).lower(), f"{e}")
    for token in ("", "dmt_wrong"):
        try:
            async with demarche.connect(server.tcp, token=token):
                raise AssertionError("let in without a token")
        except demarche.Refused as e:
            check(e.code == "denied", e.code)


async def check_frames(demarche, server):
    done = []
    async with demarche.connect(server.unix) as session:
        state = await session.snapshot()
        if importlib.util.find_spec("pandas"):
            frame = await session.query("MATCH (a:Person) RETURN a.name AS name").to_pandas()
            check(list(frame.columns) == ["name"] and len(frame) > 0, "a frame")
            done.append("pandas")
        if importlib.util.find_spec("networkx"):
            graph = await state.interactions(kinds=["CONTACT"]).to_networkx()
            check(graph.number_of_edges() > 0, "a graph")
            done.append("networkx")
    print("frames:", ", ".join(done) or "neither pandas nor networkx is installed")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--source", required=True, type=Path)
    parser.add_argument("--work", required=True)
    arguments = parser.parse_args()
    ensure_pycapnp(arguments)
    sys.path.insert(0, str(arguments.source / "clients" / "python"))
    import demarche

    with tempfile.TemporaryDirectory() as folder:
        server = Server(arguments.binary, arguments.source, Path(folder))
        try:
            for case in (check_traversals, check_rows, check_token, check_frames):
                began = time.monotonic()
                demarche.run(case(demarche, server))
                print(f"{case.__name__}: right ({time.monotonic() - began:.1f} s)", flush=True)
            example = subprocess.run([sys.executable, str(arguments.source / "clients/python/example.py"), server.unix],
                                     capture_output=True, text=True, env={**os.environ, "PYTHONPATH": sys.path[0]})
            check(example.returncode == 0 and len(example.stdout.splitlines()) == 8, example.stdout + example.stderr)
        finally:
            server.stop()


if __name__ == "__main__":
    main()

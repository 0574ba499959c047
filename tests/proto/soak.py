#!/usr/bin/env python3
"""Ten minutes of mixed work against a real server, whose memory must stay flat. Not run by CI.

    build/python/bin/python tests/proto/soak.py --binary build/release/cli/demarche --source . [--minutes 10]

Needs pycapnp (tests/proto/python_client_test.py puts one into build/*/python). Eight clients ask chains, statements and
lines, break off in the middle, connect anew and write; every ten seconds memory and open files are printed. Fails if the
median of the last third is more than 5 % (and 8 MB) above that of the second.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from python_client_test import Server


def memory_mb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0


async def client(demarche, address, number, until, counts):
    rng = random.Random(number)
    while time.monotonic() < until:
        async with demarche.connect(address, client=f"soak {number}") as session:
            for _ in range(rng.randrange(1, 60)):
                state = await session.snapshot()
                choice = rng.randrange(6)
                if choice == 0:
                    walkout = demarche.of("hnc-walkout")
                    await state.actor("john-kerry").contacts(before=walkout).counterparts().contacts().page(records=True)
                elif choice == 1:
                    await session.query("UNWIND range(1, 20000) AS n RETURN n, toString(n)").all()
                elif choice == 2:
                    async for _ in session.query("UNWIND range(1, 300000) AS n RETURN n"):
                        break
                elif choice == 3:
                    async for _ in state.interactions().lines():
                        pass
                elif choice == 4:
                    try:
                        await state.actor("nobody at all").count()
                    except demarche.Refused:
                        pass
                elif number == 0:
                    await session.execute(f"MERGE (a:Person {{key: 'soak-{rng.randrange(50)}'}}) SET a.n = $n",
                                          {"n": rng.randrange(1000)}).all()
                counts["asked"] += 1
            counts["connections"] += 1


async def soak(demarche, server, minutes):
    counts = {"asked": 0, "connections": 0}
    began = time.monotonic()
    until = began + 60 * minutes
    clients = [asyncio.ensure_future(client(demarche, server.unix, i, until, counts)) for i in range(8)]
    samples = []
    pid = server.process.pid
    while time.monotonic() < until:
        await asyncio.sleep(min(10, 2 * minutes))
        samples.append(memory_mb(pid))
        print(f"{time.monotonic() - began:6.0f} s  {samples[-1]:7.1f} MB  {len(os.listdir(f'/proc/{pid}/fd')):4} files  "
              f"{counts['asked']} asked on {counts['connections']} connections", flush=True)
    await asyncio.gather(*clients)
    third = len(samples) // 3
    middle, last = (statistics.median(part) for part in (samples[third:2 * third], samples[2 * third:]))
    print(f"median of the second third {middle:.1f} MB, of the last {last:.1f} MB")
    return last <= max(middle * 1.05, middle + 8)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--source", required=True, type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.source / "clients" / "python"))
    import demarche

    with tempfile.TemporaryDirectory() as folder:
        server = Server(arguments.binary, arguments.source, Path(folder), quiet=True)
        try:
            flat = demarche.run(soak(demarche, server, arguments.minutes))
        finally:
            server.stop()
    print("flat" if flat else "NOT FLAT")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())

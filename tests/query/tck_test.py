#!/usr/bin/env python3
"""All scenarios of the conformance kit, against the list of those that are known to fail.

    python3 tests/query/tck_test.py --driver build/release/tests/tck_driver --kit FOLDER [--list FILE]

The kit is no part of this repository: FOLDER holds tck_run.py, MANIFEST.tsv and features/. Without it the test says so
and ends with status 77, skipped. The list may only shrink: a scenario that fails and is not listed, one that is listed
and passes, and one that the kit does not have, are each a failure. `--write` writes the list anew; look at the
difference before it is committed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77


def read_list(path):
    """The scenario ids of the list, one a line; '#' at the beginning of a line opens a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    ids = [line for line in lines if line.strip() and not line.startswith("#")]
    twice = {i for i in ids if ids.count(i) > 1}
    if twice:
        raise SystemExit(f"{path}: listed twice: {', '.join(sorted(twice))}")
    return set(ids)


def run_kit(kit, driver, jobs):
    """Scenario id -> 'pass' or what kind of failure, and its text."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes = Path(folder) / "outcomes.json"
        command = [sys.executable, kit / "tck_run.py", kit / "features", "--manifest", kit / "MANIFEST.tsv"]
        command += ["--failures", "0", "-j", str(jobs), "--timeout", "60", "--json", outcomes, "--", driver]
        done = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE)
        print(done.stdout)
        if not outcomes.exists():
            raise SystemExit(f"the kit's runner ended with status {done.returncode} and no outcomes")
        found = json.loads(outcomes.read_text(encoding="utf-8"))["scenarios"]
    return {s["id"]: (s["outcome"], s["text"] or "") for s in found}


def compare(outcomes, known):
    """One line for each scenario that is not as the list says."""
    out = []
    for scenario, (outcome, text) in outcomes.items():
        if outcome != "pass" and scenario not in known:
            out.append(f"fails and is not listed: {scenario}\n     {outcome}: {text}")
        elif outcome == "pass" and scenario in known:
            out.append(f"passes and is listed; take it off the list: {scenario}")
    out += [f"listed and not in the kit: {scenario}" for scenario in sorted(known - set(outcomes))]
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--driver", type=Path, required=True)
    parser.add_argument("--kit", default="", help="folder of the conformance kit; empty: skip")
    parser.add_argument("--list", type=Path, default=Path(__file__).with_name("tck_known_failures.txt"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    kit = Path(args.kit)
    if not args.kit or not (kit / "tck_run.py").is_file():
        print(f"skipped: no tck_run.py in '{args.kit}'; configure with -DDEMARCHE_SHARED_DIR=FOLDER that holds tck/")
        return SKIPPED
    outcomes = run_kit(kit, args.driver, args.jobs)
    if not outcomes:
        print("the kit has no scenarios")
        return 1
    if args.write:
        failing = [scenario for scenario, (outcome, _) in outcomes.items() if outcome != "pass"]
        args.list.write_text("".join(f"{scenario}\n" for scenario in sorted(failing)), encoding="utf-8")
        return 0
    wrong = compare(outcomes, read_list(args.list))
    for line in wrong:
        print(line)
    print(f"{len(outcomes)} scenarios, {len(wrong)} not as the list of known failures says")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Asking a server: every sub-command that reads answers as it does on the folder; serve and token, and what they refuse.

    python3 tests/cli/remote_test.py --binary PATH_TO_demarche --source PATH_OF_REPO
"""

import os
import signal
import subprocess
import sys
import threading
import unittest

sys.dont_write_bytecode = True  # no __pycache__ among the sources
import support
from support import Case, DONE, FAILED, USAGE, example, run


class Server:
    """`demarche serve` on a store, ended with the test."""

    def __init__(self, test, store, *arguments):
        self.process = support.start(["serve", store, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE)
        test.addCleanup(self.stop)
        self.lines = []
        self.addresses = []
        wanted = max(1, arguments.count("--listen"))
        while len(self.addresses) < wanted:
            line = self.process.stderr.readline().decode()
            if not line:
                raise AssertionError("the server ended: " + "".join(self.lines))
            self.lines.append(line)
            if line.startswith("listening on "):
                self.addresses.append(line.removeprefix("listening on ").strip())
        self.reader = threading.Thread(target=lambda: self.lines.extend(l.decode() for l in self.process.stderr))
        self.reader.start()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=support.RUN_SECONDS_MAX)
        self.reader.join()
        self.process.stderr.close()
        return status


class Remote(Case):
    def serve(self, *arguments):
        store = self.copy_of_example()
        socket = store.parent / "socket"
        return store, Server(self, store, "--listen", f"unix:{socket}", *arguments)

    def test_what_reads_answers_as_on_the_folder(self):
        store, server = self.serve()
        address = server.addresses[0]
        copy = example()
        cases = [
            ["who", "--before", "hnc-walkout"],
            ["who", "--before", "hnc-walkout", "--certain", "--format", "jsonl"],
            ["who", "--before", "2016-02", "--format", "csv"],
            ["who", "--before", "hnc-walkout", "--according-to", "nobody"],
            ["who", "--before", "hnc-walkot"],
            ["why", "hnc-walkout"],
            ["why", "kerry-hijab-call"],
            ["why", "no-such-key"],
            ["why", "3"],
            ["path", "--from", "High Negotiations Committee", "--to", "Vladimir Putin", "--before", "hnc-walkout"],
            ["path", "--from", "john-kerry", "--to", "John Kerry"],
            ["path", "--from", "nobody", "--to", "John Kerry"],
            ["stats", "--format", "jsonl"],
            ["who", "--before", "hnc-walkout", "--as-of", "commit 0"],
            ["who", "--before", "hnc-walkout", "--as-of", "commit 1"],
            ["path", "--from", "john-kerry", "--to", "Vladimir Putin", "--as-of", "2001"],
            ["query", "MATCH (a) RETURN count(a)", "--as-of", "commit 0"],
            ["query", "FOR SYSTEM_TIME AS OF 'commit 0' MATCH (a) RETURN count(a)"],
            ["why", "hnc-walkout", "--as-of", "commit 99"],
            ["query", "MATCH (a)-[c:CONTACT]-(b) WHERE id(a) < id(b) RETURN a, c, b.name, c.when ORDER BY id(c), id(a), id(b)"],
            ["query", "MATCH p = (a {key: 'john-kerry'})-[:CALL]-(b) RETURN p, [a, b], {c: a}", "--format", "json"],
            ["query", "MATCH (a RETURN a"],
            ["query", "RETURN $n"],
            ["query", "RETURN $n", "-p", "n=[1, 'two']"],
            ["query", "MATCH (a:Nothing) RETURN a"],
        ]
        for command in cases:
            with self.subTest(command=command):
                local = run(command[0], copy, *command[1:])
                remote = run(command[0], address, *command[1:])
                self.assertEqual(remote.status, local.status, f"{local}{remote}")
                self.assertEqual(remote.out.replace(address, str(copy)), local.out)
                self.assertEqual(remote.err.replace(address, str(copy)), local.err)

    def test_the_shell_asks_and_writes(self):
        store, server = self.serve()
        script = ".who 2016-02\n.names kerry\n.kinds\nCREATE (:Person {key: 'by-shell', name: 'By Shell'});\n" \
                 "MATCH (a {key: 'by-shell'}) RETURN a;\n.why hnc-walkout\n"
        ran = self.done(run("shell", server.addresses[0], stdin=script))
        self.assertIn("John Kerry", ran.out)
        self.assertIn("By Shell", ran.out)
        self.assertIn("WALKOUT", ran.out)
        self.assertIn("recorded 1 actor", ran.err)
        self.assertEqual(server.stop(), DONE)
        self.assertEqual(run("query", store, "MATCH (a {key: 'by-shell'}) RETURN a.name", "--no-header").out.strip(), "By Shell")

    def test_what_works_on_folders_only_says_so(self):
        store, server = self.serve()
        for command in (["export", "{}", "--gexf", "x.gexf"], ["check", "{}"], ["backup", "{}", "b"], ["dump", "{}"],
                        ["serve", "{}"]):
            ran = run(*(part.format(server.addresses[0]) for part in command))
            self.assertEqual(ran.status, FAILED, str(ran))
            self.assertIn("is a server, and " + command[0], ran.err)

    def test_tokens(self):
        store, server = self.serve("--listen", "127.0.0.1:0")
        tcp = server.addresses[1]
        ran = run("stats", tcp)
        self.assertEqual(ran.status, FAILED)
        self.assertIn("this server asks for a token", ran.err)
        created = self.done(run("token", "create", store, "--access", "read", "--expires", "1h", "--note", "for a test"))
        secret = created.out.strip()
        self.assertIn("this is shown once", created.err)
        os.environ["DEMARCHE_TOKEN"] = secret
        self.addCleanup(os.environ.pop, "DEMARCHE_TOKEN", None)
        self.done(run("stats", tcp))
        denied = run("query", tcp, "CREATE (:Person)")
        self.assertEqual(denied.status, FAILED)
        self.assertIn("this session only reads", denied.err)
        listed = self.done(run("token", "list", store))
        self.assertIn("good", listed.out)
        self.assertIn("for a test", listed.out)
        self.assertNotIn(secret, listed.out)
        self.done(run("token", "revoke", store, secret.split("_")[1]))
        self.assertIn("revoked", run("token", "list", store).out)
        ran = run("stats", tcp)
        self.assertEqual(ran.status, FAILED)
        self.assertIn("this token was revoked", ran.err)
        self.assertEqual(run("token", "revoke", store, "nonesuch").status, FAILED)
        self.assertEqual(run("token", "create", store, "--expires", "soon").status, FAILED)
        self.assertEqual(run("token", "create", store, "--access", "all").status, USAGE)

    def test_a_token_from_a_file_and_on_ones_own_socket(self):
        store, server = self.serve("--token-always")
        self.assertEqual(run("stats", server.addresses[0]).status, FAILED)
        secret = self.done(run("token", "create", store)).out
        token = store.parent / "token"
        token.write_text(secret)
        os.environ["DEMARCHE_TOKEN_FILE"] = str(token)
        self.addCleanup(os.environ.pop, "DEMARCHE_TOKEN_FILE", None)
        self.done(run("stats", server.addresses[0]))
        token.unlink()
        self.assertIn("DEMARCHE_TOKEN_FILE", run("stats", server.addresses[0]).err)

    def test_beside_a_writer(self):
        store, writer = self.serve()
        refused = run("serve", store, "--listen", f"unix:{store.parent / 'other'}")
        self.assertEqual(refused.status, FAILED)
        self.assertIn("--read-only", refused.err)
        reader = Server(self, store, "--read-only", "--listen", f"unix:{store.parent / 'other'}")
        self.done(run("query", writer.addresses[0], "CREATE (:Person {key: 'beside'})"))
        for _ in range(support.ATTEMPTS):
            ran = self.done(run("query", reader.addresses[0], "MATCH (a {key: 'beside'}) RETURN count(a)", "--no-header"))
            if ran.out.strip() == "1":
                break
        self.assertEqual(ran.out.strip(), "1")
        self.assertEqual(run("query", reader.addresses[0], "CREATE (:Person)").status, FAILED)

    def test_refusals(self):
        store = self.copy_of_example()
        self.assertIn("unix:PATH or HOST:PORT", run("serve", store, "--listen", "nonsense").err)
        self.assertIn("--tls-cert", run("serve", store, "--listen", "0.0.0.0:0").err)
        self.assertEqual(run("serve", store, "--tls-cert", "x").status, USAGE)
        self.assertIn("does `demarche serve` run there?", run("stats", "demarche+unix:/nonexistent").err)
        self.assertIn("HOST:PORT", run("stats", "demarche://localhost").err)


if __name__ == "__main__":
    support.main()

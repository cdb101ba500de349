# SPDX-License-Identifier: Apache-2.0
"""Servers that are none of ours, and what of a session the box would let them have. Each runs in a network of its own, put up by the `victim.py` of
its case, which takes a line of JSON for a session and gives one back: "turns", a list of [kind, hex of what was sent, hex of what came back]."""
import json
import os
import queue
import subprocess
import sys
import threading

import wire
from wire import ACK, PSH


class Server:
    def __init__(self, folder, *program):
        self.process = subprocess.Popen(["unshare", "-rn", sys.executable, os.path.join(folder, "victim.py"), *program],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.ready = self.process.stdout.readline() == "ready\n"

    def tell(self, job):
        """`job` has "turns" of (kind, bytes, cuts)."""
        job = {**job, "turns": [(kind, b.hex(), cuts) for kind, b, cuts in job["turns"]]}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()  # it ends its server then
        self.process.wait()
        self.process.stdout.close()


def put_up(t, name, folder, n, *command):
    """So many of them, or none where they do not start."""
    servers = [Server(folder, *command) for _ in range(n)]
    if all(s.ready for s in servers):
        return servers
    t.skip(name, "%s does not start in a network of its own (unshare -rn)" % command[0])
    for s in servers:
        s.end()
    return []


def unanswered(first, answer, b, cuts):
    """A session as a server would have heard it that answers nothing but its beginning."""
    places = [0, *cuts, len(b)]
    return {"turns": [["tcp", first.hex(), answer.hex()]] + [["tcp", b[x:y].hex(), ""] for x, y in zip(places, places[1:])]}


def all_told(servers, sessions, keep, **more):
    """Tells them all; `keep`: of each session which turns, or None: all. What came of each."""
    out, work, wrong = [None] * len(sessions), queue.Queue(), []
    for n in range(len(sessions)):
        work.put(n)

    def run(server):
        try:
            while not wrong:
                n = work.get_nowait()
                out[n] = server.tell({"turns": sessions[n], "keep": keep[n] if keep else None, **more})
        except queue.Empty:
            pass
        except (OSError, ValueError) as e:
            wrong.append(e)
    threads = [threading.Thread(target=run, args=(s,)) for s in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return out


def passed(t, name, policy, heard, server, port, datagrams=None):
    """Of each session, as it was told, whether the box passes each segment, and each datagram to the port `datagrams`."""
    keep, file = [], t.file(name.replace(" ", "-") + ".cfg", policy)
    for first in range(0, len(heard), 200):
        out, frames = [], []
        for n, told in enumerate(heard[first:first + 200]):
            client = "10.20.0.%d" % (10 + n)  # each a host of its own: datagrams belong to connections between two hosts
            s = wire.Session(out, client, 20000 + n, server, port).open()
            frames.append([])
            for kind, text, answers in told["turns"]:
                frames[-1].append((kind, len(out) + 1))
                if kind == "udp":
                    out.append(wire.udp(client, datagrams, server, datagrams, bytes.fromhex(text)))
                    continue
                s.c2s(PSH | ACK, bytes.fromhex(text))
                if answers:
                    s.s2c(PSH | ACK, bytes.fromhex(answers))
        r = t.replay(t.file("%s-%d.pcap" % (name.replace(" ", "-"), first), wire.pcap(out, step=1_000_000)), "--as-box", policy=file)
        ends = {f["client"]: f["packet"] for f in r.flows if f["verdict"] == "deny" and f["server"].endswith(":%d" % port)}
        good = {p["packet"] for p in r.pdus if datagrams and p["server"].endswith(":%d" % datagrams) and p["reason"] == "allowed"}
        for n, places in enumerate(frames):
            end = ends.get("10.20.0.%d:%d" % (10 + n, 20000 + n), 1 << 60)
            keep.append([k in good if kind == "udp" else k < end for kind, k in places])
    return keep

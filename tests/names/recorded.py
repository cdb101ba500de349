# SPDX-License-Identifier: Apache-2.0
"""Keeps sessions of real servers between recording and judging: for each server a capture, and a
list that says what each of its flows is."""
import json
import os

import services
import streams
from judge import OUT

FOLDER = os.path.join(OUT, "recorded")
# begins the description of a session that no name covers; refusing it is right
NOT_PROMISED = "not promised: "
SERVER = bytes((10, 30, 0, 1))


def _client(n):
    return bytes((10, 10, 0, 1 + n // 60000)), 2000 + n % 60000


def keep(server, told):
    """`told`: a list of (what, session)."""
    os.makedirs(FOLDER, exist_ok=True)
    w = streams.Writer(os.path.join(FOLDER, server + ".pcap"))
    for n, (_, s) in enumerate(told):
        w.flow(s.l4, *_client(n), SERVER, s.port, streams.whole(s))
    w.close()
    with open(os.path.join(FOLDER, server + ".json"), "w", encoding="utf-8") as f:
        json.dump([[what, s.l4, s.port] for what, s in told], f, indent=0)


def servers():
    return sorted(f[:-5] for f in os.listdir(FOLDER) if f.endswith(".json")) if os.path.isdir(FOLDER) else []


def take(server):
    """A list of (what, name, session)."""
    with open(os.path.join(FOLDER, server + ".json"), encoding="utf-8") as f:
        told = json.load(f)
    found = streams.read(os.path.join(FOLDER, server + ".pcap"))
    by_client = {s.client: s for s in found}
    out = []
    for n, (what, _, port) in enumerate(told):
        name = "-" if what.startswith(NOT_PROMISED) else services.ALL[server][1][port]
        host, cport = _client(n)
        s = by_client.get(".".join(map(str, host)) + ":%d" % cport)
        if s is not None:
            out.append((what, name, s))
    return out

# SPDX-License-Identifier: Apache-2.0
import collections
import os
import random
import sys

import recut
import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import slmp  # noqa: E402

CLIENT, SERVER, STRANGER = "10.7.0.1", "10.7.0.2", "10.7.0.3"
POLICY = """language_version = 1;
site = {{ name = "udp"; label = "udp"; }};
zones = {{ all = {{ interfaces = ["lan0"]; networks = ["rest"]; class = "ot"; owner = "tests"; }}; }};
services = {{ plc = {{ protocol = "{0}"; ports = ["udp/{1}"]; allow = ( {{ commands = ["read"]; }} ); }}; }};
conduits = ( {{ name = "all"; from = "all"; to = "all"; services = ["plc"]; purpose = "tests"; owner = "tests";
               review_by = "2099-01-01"; }} );
"""


class Form:
    """One protocol: its port, and its requests and answers by number. `numbered`: an answer says to
    which request it belongs."""

    def __init__(self, name, protocol, port, read, answer, write, numbered, reason):
        self.name, self.protocol, self.port, self.read, self.answer, self.write = name, protocol, port, read, answer, write
        self.numbered, self.reason = numbered, reason


def of_slmp(f):
    return Form("slmp " + str(f), "slmp", 5008, lambda n: f.read("d", n, 2, serial=n), lambda n: f.answer(f.num(2, n) * 2, serial=n),
                lambda n: f.write("d", n, [1], serial=n), f.four, "slmp.command")


FORMS = [Form("modbus", "modbus", 502, lambda n: wire.read_holding(n, n, 2), lambda n: wire.holding(n, [n, n]),
              lambda n: wire.write_register(n, n, 1), True, "modbus.function")] + [of_slmp(f) for f in slmp.FORMS]


def one(t, f):
    cfg = t.file("policy.cfg", POLICY.format(f.protocol, f.port))
    asks = lambda data, sport=40000: wire.udp(CLIENT, sport, SERVER, f.port, data)
    says = lambda data, sport=40000: wire.udp(SERVER, f.port, CLIENT, sport, data)

    def run(name, out):
        """(direction, verdict) of each PDU, and the number of refused datagrams."""
        r = t.replay(t.file(name.replace(" ", "-") + ".pcap", wire.pcap(out, step=1_000_000)), "--as-box", policy=cfg)
        return [(p["dir"], p["verdict"]) for p in r.pdus], r.summary["refused_packets"], r.summary["fragments"]

    def passes(name, out, pdus, refused=0):
        got, why, _ = run(name, out)
        t.equal("%s, %s: passed" % (f.name, name), [d for d, v in got if v == "allow"], pdus)
        t.equal("%s, %s: refused" % (f.name, name), sum(why.values()), refused)

    ask, answer, write = f.read, f.answer, f.write
    # A datagram that is refused opens no flow, so the other end may open one as the client. In a
    # capture both belong to one session.
    towards = t.file("towards.cfg", POLICY.format(f.protocol, f.port).replace('to = "all"', 'to = "all"; destinations = ["%s"]' % SERVER))
    early = t.file("early.pcap", wire.pcap([says(answer(9)), asks(ask(1)), says(answer(1))], step=1_000_000))
    r = t.replay(early, "--as-box", policy=towards)
    t.equal(f.name + ", the server first", ([p["verdict"] for p in r.pdus], r.summary["refused_packets"]), (["allow", "allow"], {"no_conduit": 1}))
    r = t.replay(early, policy=towards)
    t.equal(f.name + ", the server first, as captured", [(x["client"], x["server"]) for x in r.flows],
            [("%s:40000" % CLIENT, "%s:%d" % (SERVER, f.port))])
    both = ["c2s", "s2c"]
    passes("request and answer", [asks(ask(1)), says(answer(1))], both)
    passes("a write between reads", [asks(ask(1)), asks(write(2)), says(answer(1)), asks(ask(3)), says(answer(3))], both * 2, 1)
    passes("a request twice", [asks(ask(1)), asks(ask(1)), says(answer(1))], ["c2s"] + both)
    passes("a write twice", [asks(write(1)), asks(write(1))], [], 2)
    if f.numbered:
        passes("answers in another order", [asks(ask(n)) for n in (1, 2, 3)] + [says(answer(n)) for n in (3, 1, 2)], ["c2s"] * 3 + ["s2c"] * 3)
        passes("another request's answer", [asks(ask(1)), says(answer(7))], ["c2s"], 1)
    passes("an answer to nobody", [says(answer(1))], [], 1)
    passes("an answer from another host", [asks(ask(1)), wire.udp(STRANGER, f.port, CLIENT, 40000, answer(1))], ["c2s"], 1)
    passes("an answer from another port", [asks(ask(1)), wire.udp(SERVER, f.port + 1, CLIENT, 40000, answer(1))], ["c2s"], 1)
    passes("an answer to another port", [asks(ask(1)), says(answer(1), 40001)], ["c2s"], 1)
    passes("an answer with more", [asks(ask(1)), says(answer(1) + b"\0")], ["c2s"], 1)
    passes("the server asks", [asks(ask(1)), says(ask(1))], ["c2s"], 1)
    passes("two in one", [asks(ask(1) + ask(2))], [], 1)
    passes("a write behind a read", [asks(ask(1) + write(2))], [], 1)
    passes("a write before a read", [asks(write(2) + ask(1))], [], 1)
    tails = [b"\0", b"\r", ask(1)[:-1], b"\0" * 200]
    passes("bytes behind", [asks(ask(1) + tail) for tail in tails], [], len(tails))
    passes("bytes missing", [asks(ask(1)[:n]) for n in range(len(ask(1)))], [], len(ask(1)))
    # Fragments of eight bytes are judged like the datagrams that they form.
    rng = random.Random(1)
    whole = [asks(ask(1)), says(answer(1)), asks(write(2)), asks(ask(3) + write(4)), asks(ask(5)), says(answer(5))]
    want = run("whole", whole)[:2]
    for how in recut.FRAGMENTS:
        got = run(how, recut.fragmented(whole, how, rng))
        t.equal("%s, %s" % (f.name, how), got[:2], want)
        t.equal("%s, %s: put together" % (f.name, how), (got[2]["reassembled"], got[2]["refused"], got[2]["incomplete"]), (len(whole), 0, 0))
    # A missing fragment: nothing of that datagram. A fragment with two contents: the first one
    # counts, for the box and for the kernel, and it is invalid.
    otherwise = lambda q: [q[0], q[1][:20] + bytes([q[1][20] ^ 1]) + q[1][21:]] + q[1:]
    for name, parts, whole in (("incomplete", lambda q: q[:-1], 0), ("two readings", otherwise, 1)):
        pieces = parts(recut.fragmented([asks(ask(1))], "fragments", rng))
        got, why, fragments = run(name, pieces + [asks(ask(2))])
        t.equal("%s, %s" % (f.name, name), ([d for d, v in got if v == "allow"], fragments["reassembled"]), (["c2s"], whole))
    # Sixty-four separate flows at the same time.
    out = [asks(ask(n), 40000 + n) for n in range(64)] + [asks(write(n), 40000 + n) for n in range(64)] + [says(answer(n), 40000 + n) for n in range(64)]
    got = run("many flows", out)
    t.equal(f.name + ", many flows", (collections.Counter(got[0]), got[1]),
            (collections.Counter({("c2s", "allow"): 64, ("c2s", "deny"): 64, ("s2c", "allow"): 64}), {f.reason: 64}))


def cases(t):
    for f in FORMS:
        yield "udp: " + f.name, one, (t, f)

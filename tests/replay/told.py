# SPDX-License-Identifier: Apache-2.0
"""Sends sessions to servers of other makers, whole and as the box lets them through, and asks what
the server did. To "tell" a session is to send it to such a server. Each server runs in a network
namespace of its own, which `victim.py` of its case makes. That program reads a line of JSON for
each session and answers with one. "turns": a list of [kind, hex of what was sent, hex of what came
back]. "closed": whether the server has ended the session. "did": what the session did to the
server; null if the server has ended."""
import dataclasses
import json
import os
import queue
import random
import shlex
import subprocess
import sys
import threading
import typing

import wire
from wire import ACK, PSH


class Server:
    def __init__(self, folder, *program):
        self.process = subprocess.Popen(["unshare", "-rn", sys.executable, os.path.join(folder, "victim.py"), *program],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.ready = self.process.stdout.readline() == "ready\n"

    def tell(self, job):
        """job["turns"] is a list of (kind, bytes, cuts)."""
        job = {**job, "turns": [(kind, b.hex(), cuts) for kind, b, cuts in job["turns"]]}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()  # victim.py ends its server at the end of its input
        self.process.wait()
        self.process.stdout.close()


def put_up(t, name, folder, n, *command):
    """Starts n servers. Returns none if one does not start."""
    servers = [Server(folder, *command) for _ in range(n)]
    if all(s.ready for s in servers):
        return servers
    t.skip(name, "%s does not start in a network of its own (unshare -rn)" % command[0])
    for s in servers:
        s.end()
    return []


def unanswered(first, answer, b, cuts):
    """A session as a server would have heard it if it answered only the session's beginning."""
    places = [0, *cuts, len(b)]
    return {"turns": [["tcp", first.hex(), answer.hex()]] + [["tcp", b[x:y].hex(), ""] for x, y in zip(places, places[1:])]}


def all_told(servers, sessions, keep, heard=None, **more):
    """Tells all sessions, and returns what came of each. keep: which turns of each session are
    told; None: all. A session of which all turns are kept is not told again: it is taken from
    `heard`."""
    out, work, wrong = [None] * len(sessions), queue.Queue(), []
    for n in range(len(sessions)):
        if heard and all(keep[n]):
            out[n] = heard[n]
        else:
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
    """Returns `keep`: for each session as it was told, whether the box passes each segment, and
    each datagram to port `datagrams`."""
    keep, file = [], t.file(name.replace(" ", "-") + ".cfg", policy)
    for first in range(0, len(heard), 200):
        out, frames = [], []
        for n, told in enumerate(heard[first:first + 200]):
            # each session has a client of its own, because datagrams belong to connections between
            # two hosts
            client = "10.20.0.%d" % (10 + n)
            s = wire.Session(out, client, 20000 + n, server, port).open()
            frames.append([])
            for kind, text, answers in told["turns"]:
                frames[-1].append((kind, len(out) + 1))
                if kind == "udp":
                    out.append(wire.udp(client, datagrams, server, datagrams, bytes.fromhex(text)))
                    if answers:
                        out.append(wire.udp(server, datagrams, client, datagrams, bytes.fromhex(answers)))
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


def strewn(rng, s, parts):
    """Sends the parts in a random way: some twice, some with bytes of the part before, some after
    the next two parts (the box stores only a few segments that come too early). Returns for each
    packet its number, and where its bytes begin and end in the session."""
    places, whole, at = [], b"".join(parts), s.seq
    for k, p in enumerate(parts):
        first = sum(map(len, parts[:k]))
        places.append((max(0, first - rng.choice([0, 0, 0, 1, 5, 40])), first + len(p)))
    places = [p for p in places for _ in range(rng.choice([1, 1, 1, 2]))]
    if rng.random() < 0.7:
        places = sum((rng.sample(places[k:k + 3], len(places[k:k + 3])) for k in range(0, len(places), 3)), [])
    out = []
    for first, last in places:
        s.seq = at + first
        s.c2s(PSH | ACK, whole[first:last])
        out.append((len(s.out), at + first, at + last))
    s.seq = at + len(whole)
    return out


def arrives(rng, places, end):
    """Which bytes a receiver can read at a time, from the packets before number `end`, as (begin,
    end). At random it stores packets that come too early, or discards them."""
    at, early, out, keeps = 1001, [], [], rng.random() < 0.6
    for packet, first, last in places:
        if packet >= end:
            break
        early.append((first, last))
        begin = at
        while any(a <= at < z for a, z in early):
            at = max(z for a, z in early if a <= at)
        if at > begin:
            out.append((begin - 1001, at - 1001))
        if not keeps:
            early = []
    return out


def arrived(t, name, policy, heard, server, port):
    """For each session, which bytes arrive together, as (first byte, byte behind the last), if its
    segments are sent as `strewn` does. Segments are mixed only up to the next answer."""
    out, file = [], t.file(name.replace(" ", "-") + ".cfg", policy)
    for first in range(0, len(heard), 200):
        packets, all_places = [], []
        for n, told in enumerate(heard[first:first + 200]):
            rng, client = random.Random("%s %d" % (name, first + n)), "10.20.0.%d" % (10 + n)
            s, places, parts = wire.Session(packets, client, 20000 + n, server, port).open(), [], []
            for k, (_, text, answers) in enumerate(told["turns"]):
                parts.append(bytes.fromhex(text))
                if answers or k == len(told["turns"]) - 1:
                    places += strewn(rng, s, parts)
                    parts = []
                if answers:
                    s.s2c(PSH | ACK, bytes.fromhex(answers))
            all_places.append((rng, places))
        r = t.replay(t.file("strewn-%s-%d.pcap" % (name.replace(" ", "-"), first), wire.pcap(packets, step=1_000_000)), "--as-box", policy=file)
        t.equal(name + ": segments that were too early to be kept", r.summary["refused_packets"].get("tcp.out_of_order", 0), 0)
        ends = {f["client"]: f["packet"] for f in r.flows if f["verdict"] == "deny"}
        out += [arrives(rng, places, ends.get("10.20.0.%d:%d" % (10 + n, 20000 + n), 1 << 60)) for n, (rng, places) in enumerate(all_places)]
    return out


def compared(t, servers, name, policy, sessions, forbidden, server, port, datagrams=None, **more):
    """Tells each session whole, and then what the box passes of it. The second must not do what is
    forbidden; forbidden(heard) says what a session did. Returns (sessions that are attacks, how
    many of them pass whole, datagrams that pass)."""
    heard = all_told(servers, sessions, None, **more)
    keep = passed(t, name, policy, heard, server, port, datagrams)
    again = all_told(servers, sessions, keep, heard, **more)
    # A datagram may be carried out late, so the cause may be an earlier session. If it is this one,
    # it does the same when it is told by itself.
    once = [k for k, x in enumerate(again) if x["did"] is None or (datagrams and forbidden(x))]
    for k in once:
        again[k], = all_told(servers[:1], sessions[k:k + 1], keep[k:k + 1], **more)
    late = [k for k in once if again[k]["did"] is not None and not forbidden(again[k])]
    if late:
        t.note("%s: %d sessions did something once, and not when they were told by themselves: %s" % (name, len(late), late[:5]))
    text = lambda k: [(kind, b.hex(), cuts) for kind, b, cuts in sessions[k]]
    if not datagrams:
        streams = [b"".join(b for _, b, _ in x) for x in sessions]
        come = [[("tcp", stream[a:z], []) for a, z in places] for stream, places in zip(streams, arrived(t, name, policy, heard, server, port))]
        after = [x["did"] is not None and forbidden(x) for x in all_told(servers, come, None, **more)]
        t.note("%s: in another order, twice and overlapping %d bytes pass, %d in order; of these %d sessions do what is forbidden" %
               (name, sum(len(b) for x in come for _, b, _ in x), sum(len(turn[1]) // 2 for x, y in zip(heard, keep) for turn, k in zip(x["turns"], y) if k),
                sum(map(bool, after))))
        t.equal(name + ": forbidden, and done in another order", [(k, x, [b.hex() for _, b, _ in come[k]]) for k, x in enumerate(after) if x][:3], [])
    bad = [(k, forbidden(x), text(k)) for k, x in enumerate(again) if forbidden(x)]
    attacks, died = sum(bool(forbidden(x)) for x in heard), [sum(x["did"] is None for x in y) for y in (heard, again)]
    whole = sum(all(k) and not x["closed"] for k, x in zip(keep, heard))
    part = sum(any(k) and not all(k) for k in keep)
    count = sum(k and turn[0] == "udp" for x, y in zip(heard, keep) for turn, k in zip(x["turns"], y))
    t.note("%s: %d of %d sessions do what is forbidden, and %d end the server; the box passes %d whole, %d in part%s; of what passes %d do anything, "
           "%d what is forbidden, and %d end the server" % (name, attacks, len(sessions), died[0], whole, part, ", %d datagrams" % count if datagrams else "",
                                                            sum(bool(x["did"]) for x in again), len(bad), died[1]))
    t.equal(name + ": servers that end of what passes", [(k, text(k), keep[k]) for k, x in enumerate(again) if x["did"] is None][:3], [])
    t.equal(name + ": forbidden, and done by what passes", bad[:3], [])
    return attacks, whole, count


@dataclasses.dataclass
class Row:
    """A server of another maker, the variable of the environment that says where it is, and which
    sessions it is told. `cases` makes cases of it."""
    name: str
    variable: str
    what: str             # what the variable should say
    port: int
    policies: dict        # name: text
    session: typing.Any   # (rng, form, policy): turns of (kind, bytes, cuts)
    # (form, policy, what came of a session): what the server did that the policy does not allow
    forbidden: typing.Any
    forms: tuple = ("",)
    command: typing.Any = shlex.split  # makes the arguments of victim.py from the variable's value
    datagrams: typing.Any = None
    instances: int = 4
    sessions: int = 400   # for each form and policy, unless SEKISHO_SESSIONS says otherwise


def _one(t, row, servers):
    try:
        seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
        n = int(os.environ.get("SEKISHO_SESSIONS", row.sessions))
        t.note("SEKISHO_SEED=%d" % seed)
        for form in row.forms:
            for policy, text in row.policies.items():
                name = ("%s %s" % (form, policy)).strip()
                rng = random.Random("%d %s" % (seed, name))
                attacks, whole, _ = compared(t, servers, name, text, [row.session(rng, form, policy) for _ in range(n)],
                                             lambda x: row.forbidden(form, policy, x), "10.30.1.10", row.port, row.datagrams)
                t.true(name + ": some are attacks", attacks > n // 20)
                t.true(name + ": some pass whole", whole > 0)
    finally:
        for s in servers:
            s.end()


def cases(t, row, folder):
    """`folder` is the folder of the case, with its victim.py."""
    value = os.environ.get(row.variable)
    if not value:
        t.skip(row.name, "%s does not say %s" % (row.variable, row.what))
        return
    servers = put_up(t, row.name, folder, row.instances, *row.command(value))
    if servers:
        yield row.name, _one, (t, row, servers)


# ---- what sessions are drawn with ----------------------------------------------------------------

def policy(protocol, ports, rows):
    """The text of a policy whose one service has these rows."""
    return """language_version = 1;
zones = { tos = { interfaces = ["lan1"]; networks = ["10.20.0.0/24"]; }; crane = { interfaces = ["lan2"]; networks = ["10.30.0.0/22"]; }; };
services = { plc = { protocol = "%s"; ports = [%s]; allow = ( %s ); }; };
conduits = ( { name = "c"; from = "tos"; to = "crane"; services = ["plc"]; purpose = "p"; owner = "o"; review_by = "2099-03-31"; } );
""" % (protocol, ", ".join('"%s"' % x for x in ports), ", ".join(rows))


def spoiled(rng, b, telling=(0, 1, 2, 4, 8, 0x7F, 0x80, 0xFF), head=24):
    """Returns `b` with a few bytes changed, left out or added. Most of these are in its head, or
    are values with a meaning in a protocol."""
    b = bytearray(b)
    for _ in range(rng.randrange(1, 4)):
        k = rng.choice([rng.randrange(len(b)), rng.randrange(head)]) % len(b)
        how = rng.random()
        if how < 0.7:
            b[k] = rng.choice([*telling, b[k] ^ 1 << rng.randrange(8), (b[k] + rng.choice([-2, -1, 1, 2])) % 256])
        elif how < 0.85:
            b[k:k] = bytes(rng.choice(telling) for _ in range(rng.randrange(1, 4)))
        else:
            del b[k:k + rng.randrange(1, 4)]
        b = b or bytearray(telling[:1])
    return bytes(b)


def cut(rng, b, places=()):
    """Where `b` is cut: at some of the dangerous places, and at random ones."""
    cuts = {k for k in places if rng.random() < 0.6} | {rng.randrange(1, len(b)) for _ in range(rng.choice([0, 0, 0, 1, 2])) if len(b) > 1}
    return sorted(k for k in cuts if 0 < k < len(b))


def joined(rng, turns):
    """The turns of a session; some of them join the next one in a segment, are doubled, or change
    places."""
    out = []
    for turn in turns:
        how = rng.random()
        if how < 0.15 and out and out[-1][0] == turn[0] == "tcp":
            before = out[-1]
            out[-1] = ("tcp", before[1] + turn[1], before[2] + [len(before[1]) + k for k in turn[2]])
        elif how < 0.18:
            out += [turn, turn]
        elif how < 0.21 and len(out) > 2:
            out.insert(len(out) - 1, turn)
        else:
            out.append(turn)
    return out

# SPDX-License-Identifier: Apache-2.0
import json
import os
import queue
import random
import socket
import subprocess
import sys
import threading
import time

import wire
from wire import ACK, PSH

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import s7  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENT, SERVER = "10.20.0.10", "10.30.1.10"
SERVERS = {"snap7": ("SEKISHO_SNAP7", "the path of libsnap7.so"), "python": ("SEKISHO_PYTHON_SNAP7", "a folder with python-snap7 3")}
SESSIONS = int(os.environ.get("SEKISHO_SESSIONS", 400))
INSTANCES = 24
# seconds: the wait for an answer; the time after which a server has given up a request
SOON, LATE = 0.06, {"snap7": 3.3, "python": 5.3}

POLICY = """language_version = 1;
zones = { tos = { interfaces = ["lan1"]; networks = ["10.20.0.0/24"]; }; crane = { interfaces = ["lan2"]; networks = ["10.30.0.0/22"]; }; };
services = { plc = { protocol = "s7comm"; ports = ["tcp/102"];
  allow = ( { functions = ["read_var"]; db = ["10.0-99"]; } %s ); }; };
conduits = ( { name = "c"; from = "tos"; to = "crane"; services = ["plc"]; purpose = "p"; owner = "o"; review_by = "2099-03-31"; } );
"""
# Each place has a value that may be at most 1: (first byte, number of bytes).
VALUES = [(40 + 2 * k, 2) for k in range(4)] + [(48 + 4 * k, 4) for k in range(3)] + [(60 + k, 1) for k in range(8)] + [(68 + 2 * k, 2) for k in range(16)]
POLICIES = {
    "reads": "",
    "places": ', { functions = ["write_var"]; db = ["10.40-99"]; }',
    "values": ', { functions = ["write_var"]; db = [%s]; values = ["0-1"]; }' % ", ".join('"10.%d-%d"' % (at, at + n - 1) for at, n in VALUES)}


def forbidden(name, did):
    """What was done to a server against the policy; "": nothing."""
    memory = {k: bytes.fromhex(v) for k, v in did["memory"].items()}
    block = memory["db10"]
    if any(memory["db11"]) or any(memory["flags0"]):
        return "another area was written"
    if any(block[:40]) or any(block[100:]) or name == "reads" and any(block):
        return "another place was written"
    if name == "values" and any(int.from_bytes(block[at:at + n], "big") > 1 for at, n in VALUES):
        return "another value was written"
    for kind, *what in did["seen"]:
        if kind == "control":
            return "it was stopped or started"
        area, number, first, n = what
        if (area, number) != (s7.DB, 10) or first + n > 100:
            return "another place was read"
    return ""


# ---- streams -------------------------------------------------------------------------------------

def place(rng, block=10, first=40):
    """An item, its bytes, whether it is a bit, and how wide a value is. Often one of the places in
    VALUES."""
    if first == 40 and rng.random() < 0.6:
        at, width = rng.choice(VALUES)
        n = rng.randrange(1, 4) if (at + 3 * width - 1) < 100 and (at + 2 * width, width) in VALUES else 1
        return s7.place(s7.DB, block, at, n, rng.choice({1: (s7.BYTE, 3), 2: (s7.WORD, 5), 4: (6, 8)}[width])), n * width, False, width
    kind, width = rng.choice([(s7.BYTE, 1), (s7.WORD, 2), (6, 4), (8, 4), (3, 1), (s7.BIT, 1)])
    n = 1 if kind == s7.BIT else rng.randrange(1, 5)
    return s7.place(s7.DB, block, first + rng.randrange(0, 20 - n * width), n, kind), n * width, kind == s7.BIT, width


def raw_value(rng, n, width):
    if rng.random() < 0.6:
        return b"".join(rng.randrange(2).to_bytes(width, "big") for _ in range(n // width))
    return bytes(n) if rng.random() < 0.3 else bytes(rng.randrange(2) for _ in range(n))


def evil(rng, reference):
    """A whole request for something forbidden."""
    return rng.choice([lambda: s7.write_word(11, 0, 0x0707, reference), lambda: s7.stop(reference),
                       lambda: s7.write([s7.place(s7.FLAGS, 0, 3, 1)], [s7.value(b"\7")], reference),
                       lambda: s7.write([s7.place(s7.DB, 10, 100, 2)], [s7.value(b"\7\7")], reference),
                       lambda: s7.write_word(10, 50, 0x0909, reference), lambda: s7.read([s7.place(s7.DB, 11, 0, 4)], reference)])()


def typed(rng, raw, bit):
    """The data of an item, with one of the existing types and its way of counting, mostly the right
    one."""
    kind, by_bits = rng.choice([(4, True)] * 5 + [(9, False), (7, False), (6, False), (5, True), (3, False)])
    if bit:
        kind, by_bits = 3, False
    return bytes([0, kind]) + (len(raw) * 8 if by_bits else len(raw)).to_bytes(2, "big") + raw


def several(rng, reference):
    """A write of several places. Servers that go by the types of the items find other data in it
    than those that go by the types of the data."""
    parts = [place(rng) for _ in range(rng.randrange(1, 4))]
    values = [typed(rng, raw_value(rng, n, width), bit) for _, n, bit, width in parts]
    if rng.random() < 0.3:  # something that could be the data of another item
        hidden = b"\0\4\0\x10\7\7" * 2
        parts[0] = (s7.place(s7.DB, 10, 40, len(hidden), s7.BYTE), len(hidden), False, 1)
        values[0] = typed(rng, hidden, False)
    items = [p[0] for p in parts]
    if rng.random() < 0.2:  # not twelve bytes long, or a number of items that does not fit
        k = rng.randrange(len(items))
        items[k] = rng.choice([items[k][:1] + b"\x0c" + items[k][2:] + b"\0\0", b"\x12\4\xb0\0\0\0" + items[k], items[k] + items[k]])
    even = [v + b"\0" * (len(v) % 2) for v in values[:-1]] + values[-1:]
    return s7.message(1, reference, bytes([s7.WRITE, len(items)]) + b"".join(items), b"".join(even))


def spoiled(rng, b):
    """A packet with a few bytes changed, missing or added, mostly in heads and lengths."""
    b = bytearray(b)
    for _ in range(rng.randrange(1, 4)):
        at = rng.choice([rng.randrange(len(b)), rng.randrange(min(len(b), 26)), rng.choice([2, 3, 4, 5, 6, 7, 8, 14, 15, 16, 17, 18])]) % len(b)
        how = rng.random()
        if how < 0.6:
            b[at] = rng.choice([0, 1, 2, 3, 4, 5, 7, 8, 9, 0x10, 0x12, 0x28, 0x29, 0x32, 0x80, 0x83, 0x84, 0xF0, 0xFF, b[at] ^ 1 << rng.randrange(8),
                                (b[at] + rng.choice([-12, -8, -4, -2, -1, 1, 2, 4, 8, 12])) % 256])
        elif how < 0.8:
            b[at:at] = bytes(rng.choice([0, 1, 0x84, 0xFF]) for _ in range(rng.randrange(1, 4)))
        else:
            del b[at:at + rng.randrange(1, 4)]
        b = b or bytearray(b"\3")
    return bytes(b)


def in_parts(rng, message):
    """One message in DTs, some of which may be no valid DTs."""
    cuts = sorted(rng.sample(range(1, len(message)), rng.choice([0, 0, 0, 1, 1, 2, 3])))
    parts = [message[a:b] for a, b in zip([0] + cuts, cuts + [len(message)])]
    out = [s7.data(p, k == len(parts) - 1) for k, p in enumerate(parts)]
    if rng.random() < 0.05:
        out.insert(rng.randrange(len(out) + 1), rng.choice([s7.data(b"", False), s7.data(b""), s7.connect(), s7.packet(b"\2\xf0\0")]))
    return b"".join(out)


def holding(reference, inner):
    """An allowed write whose value is a request, which a server reads that has lost its place. Also
    where the request begins."""
    b = s7.write([s7.place(s7.DB, 10, 40, 60, s7.BYTE)], [s7.value(inner + bytes(60 - len(inner)))], reference)
    return b, len(b) - 60


def request(rng, reference):
    """One packet or more, and the places in it where a cut would be dangerous."""
    what = rng.random()
    if what < 0.25:
        m = s7.read([place(rng, first=rng.choice([0, 40, 79]))[0] for _ in range(rng.randrange(1, 4))], reference)[7:]
    elif what < 0.65:
        m = several(rng, reference)
    elif what < 0.8:
        b, at = holding(reference, evil(rng, reference))
        return b, [at]
    elif what < 0.9:
        return evil(rng, reference), []
    else:
        wide = s7.place(s7.DB, 10, 0, 20, s7.BYTE)
        m = s7.message(1, reference, bytes([s7.WRITE, 2]) + s7.place(s7.DB, 10, 40, 1, s7.BYTE) + wide,
                       s7.value(b"\1") + b"\0" + s7.value(bytes(20)))
    b = in_parts(rng, m)
    return (spoiled(rng, b) if rng.random() < 0.3 else b), []


def session(rng):
    """Segments: (bytes, whether it comes late, or so many seconds after the one before)."""
    out = []
    for k in range(rng.randrange(1, 6)):
        b, dangerous = request(rng, 2 + k)
        cuts = {at for at in dangerous if rng.random() < 0.6} | {rng.randrange(1, len(b)) for _ in range(rng.choice([0, 0, 0, 1, 2])) if len(b) > 1}
        ends = sorted(c for c in cuts if c < len(b)) + [len(b)]
        late = rng.random() < 0.12
        for a, z in zip([0] + ends, ends):
            out.append((b[a:z], late and a > 0))
            late = late and a == 0
    return out


def parted(message, *ends):
    cuts = [0, *ends, len(message)]
    return b"".join(s7.data(message[a:b], b == len(message)) for a, b in zip(cuts, cuts[1:]))


def given_up():
    """Sessions made by hand: a stop that snap7's server reads in a write whose rest came too late.
    Each: (what, segments)."""
    stop = s7.stop(9)[7:]

    def late(inner):
        b, at = holding(2, inner)
        return b[:at], b[at:]
    for what, inner in (("whole", s7.data(stop)), ("in two DTs", parted(stop, 12)), ("in four DTs", parted(stop, 11, 16, 21)),
                        ("in two DTs, and an empty one between", s7.data(stop[:12], False) + s7.data(b"", False) + s7.data(stop[12:]))):
        first, rest = late(inner)
        yield what, [(first, False), (rest, True)]
    # The first DT of the message continues in the next write, where the second DT stands. 35 bytes
    # come before the values of that write.
    size = 60 - 7 + 35 + 5
    head = stop[:8] + (size + 10 - 26).to_bytes(2, "big") + stop[10:]
    first, rest = late(s7.packet(b"\2\xf0\0" + head + bytes(size - 26))[:60])
    yield "in two DTs in two writes", [(first, False), (rest, True), (holding(3, bytes(5) + s7.data(bytes(10)))[0], False)]
    # The second DT of the write itself, which a server that gave up the first one takes for a
    # message.
    whole = s7.write([s7.place(s7.DB, 10, 40, 60, s7.BYTE)], [s7.value(bytes(60 - len(stop)) + stop)], 2)[7:]
    yield "in the second DT of a write", [(s7.data(whole[:-len(stop)], False), False), (s7.data(stop), True)]


def one_by_one():
    """A stop hidden in a write that comes byte by byte. No byte comes long after the one before it,
    but the last one comes long after the first. Whether a server reads the stop depends on the byte
    at which it gives up."""
    b, at = holding(2, bytes(24) + s7.data(s7.stop(9)[7:]))
    at += 24
    return [(b[:8], False)] + [(b[k:k + 1], 0.09) for k in range(8, 40)] + [(b[40:at], 0.09), (b[at:], 0.09)]


# ---- servers -------------------------------------------------------------------------------------

class Victims:
    def __init__(self, kind, path):
        self.kind, self.path, self.lock, self.died = kind, path, threading.Lock(), 0
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "victim.py"), self.kind, self.path, str(INSTANCES)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.ports = json.loads(self.process.stdout.readline() or "null")
        if self.ports is None:
            raise OSError("the servers did not start")

    def did(self, k):
        """What was done to instance k since the last call. None: the process has ended; a new one
        is started."""
        with self.lock:
            try:
                self.process.stdin.write("%d\n" % k)
                self.process.stdin.flush()
                return json.loads(self.process.stdout.readline())
            except (OSError, ValueError):
                self.process.wait()
                self.died += 1
                self.start()
                return None

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def told(victims, k, segments):
    """Sends these segments of a session to an instance. Returns [(segment, answers)], and what was
    done to it at the end. None: it died."""
    victims.did(k)
    turns, stream = [], b""
    try:
        s = socket.create_connection(("127.0.0.1", victims.ports[k]), 5)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for b, late in [(s7.connect(), False), (s7.setup(), False)] + segments:
            if late:
                # the purpose of this wait: the server gives up meanwhile
                time.sleep(LATE[victims.kind] if late is True else late)
            answers, stream = b"", stream + b
            s.sendall(b)
            while s7.cut(stream):
                stream = s7.cut(stream)[1]
            s.settimeout(SOON if not stream else 0.004)
            try:
                more = s.recv(65536)
                answers += more
                s.settimeout(0.004)
                while more:
                    more = s.recv(65536)
                    answers += more
            except (TimeoutError, ConnectionError):
                pass
            turns.append((b, late, answers))
        s.shutdown(socket.SHUT_WR)
        s.settimeout(12)
        while s.recv(65536):
            pass
    except OSError:
        pass
    return turns, victims.did(k)


def all_told(victims, sessions):
    out, work = [None] * len(sessions), queue.Queue()
    for n in range(len(sessions)):
        work.put(n)

    def run(k):
        while True:
            try:
                n = work.get_nowait()
            except queue.Empty:
                return
            out[n] = told(victims, k, sessions[n])
    threads = [threading.Thread(target=run, args=(k,)) for k in range(INSTANCES)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out


def passed(t, name, sessions, heard):
    """Of each session, as it was sent to a server, the segments that the box lets pass."""
    out, at, frames, now = [], [], [], 0
    for n, (turns, _) in enumerate(heard):
        s = wire.Session(out, CLIENT, 20000 + n, SERVER, 102).open()
        frames.append([])
        for b, late, answers in turns:
            at += [now + 1_000_000 * (1 + i) for i in range(len(out) - len(at))]
            now = at[-1] + (600_000_000 if late is True else int(late * 1e9))
            frames[-1].append(len(out) + 1)
            s.c2s(PSH | ACK, b)
            for k in range(0, len(answers), 1400):
                s.s2c(PSH | ACK, answers[k:k + 1400])
        at += [now + 1_000_000 * (1 + i) for i in range(len(out) - len(at))]
        now = at[-1]
    r = t.replay(t.file(name + ".pcap", wire.pcap(out, at=at)), "--as-box", policy=t.file(name + ".cfg", POLICY % POLICIES[name]))
    refused = {int(f["client"].rsplit(":", 1)[1]) - 20000: f["packet"] for f in r.flows if f["verdict"] == "deny"}
    return [sum(f < refused.get(n, 1 << 60) for f in frames[n]) for n in range(len(sessions))]


def one_server(t, kind, path):
    seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
    t.note("SEKISHO_SEED=%d" % seed)
    victims = Victims(kind, path)
    try:
        for name in POLICIES:
            rng = random.Random("%d %s" % (seed, name))
            known = [*given_up(), *list(unhurried())[:3]]
            sessions = [s for _, s in known] + [one_by_one()] + [session(rng) for _ in range(SESSIONS - len(known) - 1)]
            heard = all_told(victims, sessions)
            attacks = [did is not None and forbidden(name, did) for _, did in heard]
            crashes, n = victims.died, passed(t, name, sessions, heard)
            whole = [len(heard[k][0]) == n[k] == len(sessions[k]) + 2 for k in range(SESSIONS)]
            # Again with new servers: only what passes is sent.
            again = all_told(victims, [s[:max(0, k - 2)] for s, k in zip(sessions, n)])
            bad = [(k, forbidden(name, did), [b.hex() for b, _ in sessions[k][:n[k] - 2]]) for k, (_, did) in enumerate(again)
                   if did is not None and forbidden(name, did)]
            t.note("%s, %s: %d of %d sessions do what is forbidden, and %d end the server; the box passes %d whole, %d in part" %
                   (kind, name, sum(map(bool, attacks)), SESSIONS, crashes, sum(whole), sum(x > 2 for x in n) - sum(whole)))
            for k, (what, segments) in enumerate(known):
                t.equal("%s, %s: %s: is an attack" % (kind, name, what), attacks[k], "it was stopped or started" if kind == "snap7" else
                        attacks[k])
                t.true("%s, %s: %s: is refused" % (kind, name, what), n[k] < len(segments) + 2)
            t.true("%s, %s: a stop behind bytes that came one by one: is refused" % (kind, name), n[len(known)] < len(sessions[len(known)]) + 2)
            t.equal("%s, %s: forbidden, and done by what passes" % (kind, name), bad[:3], [])
            t.equal("%s, %s: servers that end of what passes" % (kind, name), victims.died, crashes)
            t.true("%s, %s: some sessions are attacks" % (kind, name), sum(map(bool, attacks)) > SESSIONS // 20)
            t.true("%s, %s: some sessions pass" % (kind, name), sum(whole) > SESSIONS // 80)
            victims.died = 0
    finally:
        victims.end()


def unhurried():
    """Bytes that make such a server discard what has come, or wait from then on, before anything is
    late."""
    b, at = holding(2, s7.data(s7.stop(9)[7:]))
    error, empty = s7.packet(b"\4\x70\0\1\0"), s7.data(b"", False)
    stop = s7.stop(9)
    yield "behind an error", [(error + b[:at], False), (b[at:], False)]
    yield "inside of an error", [(b"\3\0\0\x64\x5f\x70\0", False), (stop, False)]
    yield "inside of a confirmation", [(b"\3\0\0\x64\x5f\xd0\0", False), (stop, False)]
    yield "behind an acknowledgement", [(empty, False), (b[:3], 2.95), (b[3:at], 0.045), (b[at:], 0.045)]


def in_time_and_late(t):
    """The sessions made by hand, without a server: refused if they are late, and only then."""
    agreed = s7.data(s7.message(3, 1, s7.setup()[17:]))
    known = [*given_up(), ("behind bytes that came one by one", one_by_one())]
    always = list(unhurried())
    for late in (True, False):
        heard = [([(s7.connect(), False, s7.connection(0xD0, 1, 2)), (s7.setup(), False, agreed)] +
                  [(b, late and how, b"") for b, how in segments], None) for _, segments in known + always]
        n = passed(t, "places", [s for _, s in known + always], heard)
        for (what, segments), k in zip(known, n):
            t.equal("%s, %s: passes whole" % (what, "late" if late else "in time"), k == len(segments) + 2, not late)
        for (what, segments), k in zip(always, n[len(known):]):
            t.true("a stop %s: is refused" % what, k < len(segments) + 2)


def cases(t):
    yield "s7comm_receivers: a stop in a write", in_time_and_late, (t,)
    for kind, (variable, what) in SERVERS.items():
        path = os.environ.get(variable)
        if path:
            yield "s7comm_receivers: " + kind, one_server, (t, kind, path)
        else:
            t.skip("s7comm_receivers, " + kind, "%s does not name %s" % (variable, what))

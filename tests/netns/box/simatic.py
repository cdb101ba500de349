# SPDX-License-Identifier: Apache-2.0
"""S7comm through the box, over IPv4 and IPv6, to a controller that says what it executed
(tests/lib/s7.py). What must not pass is counted at the interface of the controller, and both ends
hear of it."""
import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import s7  # noqa: E402
from box import conduit  # noqa: E402
from cases import expect  # noqa: E402
from melsec import refusals  # noqa: E402
from net import SLOWNESS, Capture, inside, tcp_streams, wait_for  # noqa: E402

HOSTS = ("10.73.0.2", "2001:db8:73::2")
# Of rack 0, slot 2: bytes 0 to 99 of DB10 and flags are read; 0 or 1 is written to DB10.DBW40.
READ, SET = conduit("s7-reads", "ops", "ot", ["s7_read"], criticality="cargo"), conduit("s7-sets", "ops", "ot", ["s7_set"], criticality="cargo")


class Plc:
    """A controller at port 102 of one address, and what arrives at its interface."""

    def __init__(self, box, address):
        self.box, self.address, self.plc = box, address, s7.Controller()
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with inside(box.ns("ot")):
            self.listener = socket.socket(self.family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, 102))
        self.listener.listen(16)
        self.plc.serve(self.listener)
        self.capture = Capture(box.net, box.ns("ot"), "eth0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # otherwise a thread that accepts would keep it open
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.capture.close()

    def connect(self):
        with inside(self.box.ns("ops")):
            s = socket.socket(self.family, socket.SOCK_STREAM)
        s.settimeout(2 * SLOWNESS)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.connect((self.address, 102))
        return s

    def session(self, slot=2):
        s = self.connect()
        expect(s7.open_session(s, slot), "%s: no session", self.address)
        return s

    def arrived(self, port):
        """Whole messages that a client port's packets carried to the controller."""
        streams = tcp_streams(self.capture.incoming())
        return [m for (_, sport, _, dport), b in streams.items() if (sport, dport) == (port, 102) for m in s7.messages(b)]


def word(number):
    return struct.pack("!H", number)


def cells(*first, block=10, n=1, kind=s7.BYTE):
    return [s7.place(s7.DB, block, at, n, kind) for at in first]


def heard(s):
    """How a session ended for the client: it must be told, and at once."""
    try:
        return "answered" if s.recv(1) else "closed"
    except ConnectionResetError:
        return "reset"


ALLOWED = (s7.read(cells(0, 99)), s7.read(cells(40, kind=s7.WORD, n=30)), s7.read([s7.place(s7.FLAGS, 0, 15, 1, s7.BIT, 7), *cells(3, n=9)]),
           s7.write_word(10, 40, 1), s7.write_word(10, 40, 0))
# What is asked, for which reason it is refused, which operation the record names.
REFUSED = (
    (s7.write_word(10, 40, 2), "s7comm.value", "write_var"),
    # as the upper byte of a word, the value would be 256 or more
    (s7.write(cells(40), [s7.value(b"\1")]), "s7comm.value", "write_var"),
    (s7.write(cells(41), [s7.value(b"\1")]), "s7comm.value", "write_var"),
    (s7.write(cells(40, n=2), [s7.value(b"\1\1")]), "s7comm.value", "write_var"),
    (s7.write_word(10, 42, 1), "s7comm.address", "write_var"),
    (s7.write_word(11, 40, 1), "s7comm.address", "write_var"),
    (s7.write([s7.place(s7.FLAGS, 0, 0, 1, s7.BIT)], [s7.value(b"\1", True)]), "s7comm.address", "write_var"),
    (s7.write(cells(40, 50, kind=s7.WORD), [s7.value(word(1)), s7.value(word(1))]), "s7comm.address", "write_var"),
    (s7.read(cells(99, n=2)), "s7comm.address", "read_var"),
    (s7.read([*cells(0), s7.place(s7.INPUTS, 0, 0, 1)]), "s7comm.address", "read_var"),
    (s7.stop(), "s7comm.function", "plc_stop"),
    (s7.start(), "s7comm.function", "plc_start"),
    (s7.invoke(b"_INSE", b"\1\x000A00001P"), "s7comm.function", "insert_block"),
    (s7.download(), "s7comm.function", "request_download"),
    (s7.status_list(0x131), "s7comm.function", "read_szl"),
    (s7.plus(), "s7comm.plus", None),
    (s7.write(cells(40, kind=s7.WORD), [s7.value(word(1)) + b"\0"]), "s7comm.malformed", "write_var"),
)


def pass_and_refuse(box, p):
    plc, s = p.plc, p.session()
    for n, request in enumerate(ALLOWED):
        expect(s7.done_well(s7.ask(s, request)), "%s: allowed request %d", p.address, n)
    for one in (bytes([b]) for b in s7.read(cells(0))):
        s.sendall(one)
    expect(s7.done_well(s7.receive(s)[7:]), "a read a byte at a time")
    whole = s7.read(cells(0, 50))[7:]
    expect(s7.done_well(s7.ask(s, s7.data(whole[:20], False) + s7.data(whole[20:]))), "a read in two DTs")
    expect(plc.written == [(s7.DB, 10, 40, word(1)), (s7.DB, 10, 40, word(0))], "written %s", plc.written)
    for n, (request, reason, operation) in enumerate(REFUSED):
        # half of them behind a read that is allowed, in one segment
        before, seq, resets = s7.read(cells(1)) if n % 2 else b"", box.last_seq(), plc.resets
        s = p.session()
        port, done = s.getsockname()[1], len(plc.done)
        s.sendall(before + request)
        how = heard(s)
        expect(how in ("reset", "answered") if before else how == "reset", "%s, %s: the client's end was %s", p.address, reason, how)
        wait_for(lambda: plc.resets == resets + 1, 5, "the reset at the controller, of %s" % reason)
        arrived, asked = [s7.function_of(m) for m in p.arrived(port)], [s7.SETUP] + [s7.READ] * (before != b"")
        expect(arrived in (asked, [s7.SETUP]), "%s, %s: arrived %s", p.address, reason, arrived)
        expect(plc.done[done:] in ([s7.READ] if before else [], []), "%s: executed %s", reason, plc.done[done:])
        e = wait_for(lambda: refusals(box, seq, reason), 5, "the event %s" % reason)[0]
        expect((e.get("function_name"), e.get("slot")) == (operation, 2), "%s: the record says %s", reason, e)
        s.close()
    seq = box.last_seq()
    s = p.connect()  # another slot; and one that asks before it is connected
    s.sendall(s7.connect(3))
    expect(heard(s) == "reset" and wait_for(lambda: refusals(box, seq, "s7comm.slot"), 5, "the event of a slot"), "slot 3")
    s = p.connect()
    s.sendall(s7.read(cells(0)))
    expect(heard(s) == "reset", "a read without a connection")
    expect(plc.running and not plc.block, "the controller was stopped, or programmed")


def simatic(box):
    for address in HOSTS:
        # A new daemon has its whole budget of records. The refusals of this case would use up the
        # rest of the old one.
        box.kill()
        box.start()
        box.apply(READ, SET)
        with Plc(box, address) as p:
            pass_and_refuse(box, p)
    box.kill()
    box.start()
    return "%d requests refused, each over IPv4 and IPv6" % (len(REFUSED) + 2)


def simatic_narrowed(box):
    """Writes end with their permission in a live session, and both ends are told. A session that
    reads goes on until reading is not allowed either."""
    for address in HOSTS:
        with Plc(box, address) as p:
            box.apply(READ, SET)
            reads, writes = p.session(), p.session()
            expect(s7.answered(reads, s7.read(cells(0))) and s7.answered(writes, s7.write_word(10, 40, 1)), "no session")
            seq = box.last_seq()
            box.apply(READ)
            writes.sendall(s7.write_word(10, 40, 0))
            expect(heard(writes) == "reset", "%s: the client was not told", address)
            wait_for(lambda: p.plc.resets == 1, 5, "the reset at the controller")
            e = wait_for(lambda: refusals(box, seq, "s7comm.function"), 5, "the event of the write")[0]
            expect(e["function_name"] == "write_var" and e["conduit"] == "s7-reads", "the record says %s", e)
            for _ in range(3):
                expect(s7.answered(reads, s7.read(cells(0))), "%s: the session that reads ended too", address)
            box.apply(SET)
            reads.sendall(s7.read(cells(0)))
            expect(heard(reads) == "reset", "%s: a read was answered after all", address)
            wait_for(lambda: p.plc.resets == 2, 5, "the reset at the controller")
            expect(p.plc.written == [(s7.DB, 10, 40, word(1))] and p.plc.done.count(s7.READ) == 4, "executed %s", p.plc.done)


def simatic_until(box):
    """A permission that ends by its time takes the writes with it, and nothing else."""
    end = int(time.time() + 3) + 1  # an end that is nearer than two seconds is taken for past
    text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
    box.apply(READ, conduit("s7-sets", "ops", "ot", ["s7_set"], criticality="cargo", until=text))
    plcs = [Plc(box, address) for address in HOSTS]
    sessions = [(p, p.session(), p.session()) for p in plcs]
    last = {}

    def ended():
        """Repeats writes until none is answered any more."""
        for p, _, writes in sessions:
            if p.address not in last or last[p.address][0]:
                last[p.address] = s7.answered(writes, s7.write_word(10, 40, 1)), time.time()
        return not any(good for good, _ in last.values())
    wait_for(ended, 10, "the end of the writes")
    for p, reads, _ in sessions:
        expect(len(p.plc.written) > 1 and last[p.address][1] >= end, "%s: ended %.1f s too early", p.address, end - last[p.address][1])
        expect(s7.answered(reads, s7.read(cells(0))), "%s: the reads ended too", p.address)
        wait_for(lambda p=p: p.plc.resets == 1, 5, "the reset at the controller")
        written = len(p.plc.written)
        expect(not s7.answered(p.session(), s7.write_word(10, 40, 1)) and len(p.plc.written) == written, "a write after the end")
        p.__exit__()
    return "writes ended %s ms after their time" % " and ".join("%.0f" % (1000 * (at - end)) for _, at in last.values())


CASES = [simatic, simatic_narrowed, simatic_until]

# SPDX-License-Identifier: Apache-2.0
"""I/O of EtherNet/IP through the box: connections are opened over TCP, and their datagrams come
over UDP, between a device and many originators, each at the worker that the kernel chooses. Counted
where the datagrams arrive. Messages of tests/lib/enip.py."""
import json
import os
import signal
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import enip  # noqa: E402
from box import conduit  # noqa: E402
from cases import expect  # noqa: E402
from net import SLOWNESS, inside, wait_for  # noqa: E402

OT, OT6, PORT = "10.73.0.2", "2001:db8:73::2", 2222
SOURCES = ["10.72.0.%d" % n for n in range(40, 52)] + ["2001:db8:72::%x" % n for n in range(0x40, 0x44)]
IN = conduit("io-in", "ops", "ot", ["io_in"], criticality="cargo")
WATCHED = conduit("io-in", "ops", "ot", ["io_in"], criticality="cargo", mode="observe")
OUT = conduit("io-out", "ops", "ot", ["io_out"], criticality="cargo")
# carries only the TCP session, so that the session has another lane than the data
STRICT = conduit("requests", "ops", "ot", ["logix"], criticality="safety")
# a number, followed by the data
HEARTBEAT, OUTPUT, INPUT = b"\1\0", b"\1\0\0\0\0\0", b"\1\0" + b"i" * 30


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class End:
    """A socket on port 2222 of an address. Received datagrams are kept as (number, data); None: no
    I/O datagram."""

    def __init__(self, box, zone, address):
        with inside(box.ns(zone)):
            self.s = socket.socket(family(address), socket.SOCK_DGRAM)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.s.bind((address, PORT))
        self.got = []
        self.thread = threading.Thread(target=self._receive, daemon=True)
        self.thread.start()

    def _receive(self):
        while True:
            try:
                data, who = self.s.recvfrom(2000)
            except OSError:
                return
            if not data:
                return
            self.got.append((who[0], enip.io_of(data)))

    def tell(self, to, number, data, count=1):
        self.s.sendto(enip.io(number, data, count), (to, PORT))

    def has(self, who, number, data):
        return (who, (number, data)) in list(self.got)

    def end(self):
        try:
            # otherwise a thread that waits for a datagram would keep the port
            self.s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join()
        self.s.close()


class Device:
    """The controller of tests/lib with its port for I/O, at both addresses."""

    def __init__(self, box):
        self.plc, self.io, self.listeners = enip.Controller(), {}, []
        for address in (OT, OT6):
            with inside(box.ns("ot")):
                listener = socket.socket(family(address), socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, 44818))
            listener.listen(32)
            self.plc.serve(listener)
            self.listeners.append(listener)
            self.io[address] = End(box, "ot", address)

    def end(self):
        for s in self.listeners:
            # otherwise a thread that waits for a session would keep the port
            s.shutdown(socket.SHUT_RDWR)
            s.close()
        for end in self.io.values():
            end.end()


class Originator:
    def __init__(self, box, source, device):
        self.box, self.source, self.to = box, source, OT6 if ":" in source else OT
        self.io, self.device, self.context = End(box, "ops", source), device.io[self.to], 10
        self.begin()

    def begin(self):
        with inside(self.box.ns("ops")):
            self.s = socket.socket(family(self.source), socket.SOCK_STREAM)
        self.s.settimeout(2 * SLOWNESS)
        self.s.bind((self.source, 0))
        self.s.connect((self.to, 44818))
        self.handle = enip.handle_of(self.s)

    def ask(self, cip):
        self.context += 1
        try:
            self.s.sendall(enip.request(self.handle, cip, self.context))
        except OSError:
            return None
        return enip.receive(self.s)

    def open(self, serial, out, into, **keys):
        answer = self.ask(enip.forward_open_io(serial, 0x2000 + serial, len(out), len(into), **keys))
        return answer is not None and enip.status_of(answer) == 0

    def sends(self, serial, data):
        """Whether a datagram arrives that is sent repeatedly for a second, as by a control loop."""
        return self._arrives(lambda: self.io.tell(self.to, 0x1000 + serial, data),
                             lambda: self.device.has(self.source, 0x1000 + serial, data))

    def is_sent(self, serial, data):
        return self._arrives(lambda: self.device.tell(self.source, 0x2000 + serial, data),
                             lambda: self.io.has(self.to, 0x2000 + serial, data))

    def _arrives(self, send, arrived):
        self.device.got.clear()
        self.io.got.clear()
        send()
        try:
            wait_for(arrived, 1, "a datagram")
            return True
        except TimeoutError:
            return False

    def end(self):
        self.s.close()
        self.io.end()


def refusals(box, after, reason):
    return [e for e in box.events(after) if e.get("reason") == reason]


def never_arrives(box, reason, send, end):
    """A refused datagram does not arrive: its record comes, and nothing at the other end."""
    seq = box.last_seq()
    end.got.clear()
    send()
    wait_for(lambda: refusals(box, seq, reason), 5, "the record of %s" % reason)
    expect(not end.got, "it arrived: %s", end.got)


def put_up(box):
    if not getattr(box, "has_originators", False):
        box.net.address(box.ns("ops"), "eth0", *[a + ("/64" if ":" in a else "/24") for a in SOURCES])
        box.has_originators = True
    device = Device(box)
    return device, [Originator(box, source, device) for source in SOURCES]


def connections_and_their_data(box):
    """Sixteen pairs of hosts, two workers: the datagrams of an opened connection pass, at whichever
    worker. Each way to open a connection; and its close."""
    box.apply(IN, OUT)
    device, originators = put_up(box)
    try:
        for o in originators:
            expect(o.open(1, HEARTBEAT, INPUT), "%s: an input connection", o.source)
            expect(o.open(2, OUTPUT, INPUT, route=b"\1\0", large=True), "%s: an output connection by the backplane", o.source)
        for o in originators:
            for serial, out in ((1, HEARTBEAT), (2, OUTPUT)):
                expect(o.sends(serial, out), "%s: what it sends by %d does not arrive", o.source, serial)
                expect(o.is_sent(serial, INPUT), "%s: what it is sent by %d does not arrive", o.source, serial)
        one, other = originators[:2]
        for serial, data in ((1, OUTPUT), (2, OUTPUT + b"\0"), (3, HEARTBEAT)):
            never_arrives(box, "not_opened", lambda s=serial, d=data: one.io.tell(OT, 0x1000 + s, d), device.io[OT])
        never_arrives(box, "not_opened", lambda: device.io[OT].tell(one.source, 0x1000 + 1, INPUT), one.io)
        device.io[OT].got.clear()
        # no I/O datagram; it makes no record
        one.io.s.sendto(enip.io(0x1001, HEARTBEAT) + b"\0", (OT, PORT))
        one.io.tell(OT, 0x1001, HEARTBEAT)
        wait_for(lambda: device.io[OT].got, 5, "a datagram behind one with a byte too many")
        expect(device.io[OT].got == [(one.source, (0x1001, HEARTBEAT))], "what arrived: %s", device.io[OT].got)
        expect(enip.status_of(one.ask(enip.forward_close(1))) == 0, "a close")
        never_arrives(box, "not_opened", lambda: one.io.tell(OT, 0x1001, HEARTBEAT), device.io[OT])
        expect(one.sends(2, OUTPUT) and other.sends(1, HEARTBEAT), "others' connections ended")
        other.s.close()  # the end of this session does not end its I/O connections
        expect(other.sends(1, HEARTBEAT) and other.is_sent(2, INPUT), "ended with its session")
        box.apply(IN, OUT, STRICT)
        for serial, o in enumerate(originators[2:], 10):
            expect(o.open(serial, HEARTBEAT, INPUT), "%s: a connection from another lane", o.source)
            expect(o.sends(serial, HEARTBEAT) and o.is_sent(serial, INPUT), "%s: what another lane opened is not known", o.source)
        return "%d pairs of hosts" % len(originators)
    finally:
        for o in originators:
            o.end()
        device.end()


class Pace:
    """Sends inputs at the pace of a device, and counts them, from its beginning to its end."""

    def __init__(self, originator, serial):
        self.o, self.serial, self.sent, self.ended = originator, serial, 0, threading.Event()
        self.o.io.got.clear()
        self.thread = threading.Thread(target=self._send, daemon=True)
        self.thread.start()

    def _send(self):
        while not self.ended.wait(0.005):
            self.o.device.tell(self.o.source, 0x2000 + self.serial, self.sent.to_bytes(4, "little") + INPUT[4:])
            self.o.io.tell(self.o.to, 0x1000 + self.serial, HEARTBEAT)
            self.sent += 1

    def arrived(self):
        return len({x[1][:4] for _, x in list(self.o.io.got) if x is not None and x[0] == 0x2000 + self.serial})

    def end(self):
        self.ended.set()
        self.thread.join()
        wait_for(lambda: self.arrived() == self.sent, 5, "the last inputs: %d of %d" % (self.arrived(), self.sent))
        return self.sent


def narrowed_while_it_runs(box):
    """Before, during and after applies: inputs lose nothing. Outputs end together with their row,
    and go on if it comes back in time."""
    box.apply(IN, OUT)
    device, originators = put_up(box)
    paces = []
    try:
        for o in originators[:4]:
            expect(o.open(1, HEARTBEAT, INPUT) and o.open(2, OUTPUT, INPUT), "%s: nothing was opened", o.source)
            expect(o.sends(1, HEARTBEAT), "%s: a heartbeat", o.source)
            paces.append(Pace(o, 1))
        for turn in range(5):
            one = originators[turn % 4]
            tell = lambda o=one: o.io.tell(o.to, 0x1002, OUTPUT)  # noqa: E731
            before = len(device.io[OT].got)
            tell()
            wait_for(lambda: any(x and x[0] == 0x1002 for _, x in device.io[OT].got[before:]), 5, "an output before")
            box.apply(IN)
            seq, before = box.last_seq(), len(device.io[OT].got)
            tell()
            wait_for(lambda: refusals(box, seq, "enip.function"), 5, "the record of an output behind the narrowing")
            expect(not any(x and x[0] == 0x1002 for _, x in device.io[OT].got[before:]), "an output arrived behind the narrowing")
            box.apply(IN, OUT)
            before = len(device.io[OT].got)
            tell()
            wait_for(lambda: any(x and x[0] == 0x1002 for _, x in device.io[OT].got[before:]), 5, "an output when its row is back")
        sent = [p.end() for p in paces]
        return "%s inputs, none lost in 10 applies" % sum(sent)
    finally:
        for p in paces:
            p.ended.set()
        for o in originators:
            o.end()
        device.end()


def narrowed(box, *policy):
    """What a dry run says about datagrams: {(service, reason): number of connections}."""
    answer = json.loads(box.sekisho("apply", "--dry-run", "--json", box.write(*policy)).stdout)
    expect(all(s["transport"] == "tcp" for s in answer["cut"]), "would be cut: %s", answer["cut"])
    return {(c.get("function_name"), c["reason"]): c["count"] for s in answer["narrowed"] if s["transport"] == "udp" for c in s["commands"]}


def observed_before(box):
    """A site observes, sees what its rows lack, and then enforces: connections that the new rows
    allow go on, and the forecast names the others."""
    box.apply(WATCHED)
    device, originators = put_up(box)
    one = originators[0]
    try:
        expect(one.open(1, HEARTBEAT, INPUT) and one.open(2, OUTPUT, INPUT, route=b"\1\0"), "nothing was opened")
        expect(one.sends(1, HEARTBEAT) and one.sends(2, OUTPUT) and one.is_sent(2, INPUT), "nothing is stopped, and it does not arrive")
        # the TCP session of this connection has ended, and its originator will not open it again
        one.s.close()
        expect(narrowed(box, IN, OUT) == {}, "would be refused: %s", narrowed(box, IN, OUT))
        said = narrowed(box, IN)  # two datagrams, or more if a late one was repeated
        expect(list(said) == [("open_output_connection", "enip.function")] and min(said.values()) >= 2, "would be refused: %s", said)
        box.apply(IN, OUT)
        expect(one.sends(1, HEARTBEAT) and one.sends(2, OUTPUT) and one.is_sent(2, INPUT), "stopped by rows that have it")
        box.apply(IN)
        expect(one.sends(1, HEARTBEAT) and not one.sends(2, OUTPUT), "what the rows have is stopped, or what they have not passes")
        box.apply(WATCHED)
        old = box.pids("dpi")
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: box.running() and not set(box.pids("dpi")) & set(old), 8, "workers again")
        expect(one.sends(1, HEARTBEAT), "nothing is stopped, and it does not arrive")
        expect([reason for _, reason in narrowed(box, IN, OUT)] == ["not_opened"], "would be refused: %s", narrowed(box, IN, OUT))
    finally:
        for o in originators:
            o.end()
        device.end()


def the_worker_dies(box):
    """The new workers know no connection: nothing passes until the originators open theirs
    again."""
    box.apply(IN)
    device, originators = put_up(box)
    one = originators[0]
    try:
        expect(one.open(1, HEARTBEAT, INPUT) and one.sends(1, HEARTBEAT), "nothing was opened")
        old = box.pids("dpi")
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: box.running() and not set(box.pids("dpi")) & set(old), 8, "workers again")
        never_arrives(box, "not_opened", lambda: one.io.tell(OT, 0x1001, HEARTBEAT), device.io[OT])
        never_arrives(box, "not_opened", lambda: device.io[OT].tell(one.source, 0x2001, INPUT), one.io)
        one.s.close()
        one.begin()
        expect(one.open(1, HEARTBEAT, INPUT) and one.sends(1, HEARTBEAT) and one.is_sent(1, INPUT), "opened again, and nothing arrives")
    finally:
        for o in originators:
            o.end()
        device.end()


CASES = [connections_and_their_data, narrowed_while_it_runs, observed_before, the_worker_dies]

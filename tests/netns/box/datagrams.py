# SPDX-License-Identifier: Apache-2.0
"""Datagrams of an enforced protocol: Modbus over UDP to a pymodbus server. Each datagram is judged
on its own: a refused one never arrives, and the next allowed one does, whatever else happens.
Counted where the packets arrive."""
import json
import os
import signal
import socket
import subprocess
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import modbus  # noqa: E402
from box import conduit  # noqa: E402
from cases import expect  # noqa: E402
from net import SLOWNESS, Capture, decode, inside, wait_for  # noqa: E402

OT, OT6, OPS, PORT = "10.73.0.2", "2001:db8:73::2", "10.72.0.2", 502
READ = conduit("reads", "ops", "ot", ["udp_read"], criticality="cargo")
WRITE = conduit("writes", "ops", "ot", ["udp_write"], criticality="cargo")
HOLD = conduit("reads", "ops", "ot", ["udp_read"], criticality="cargo", when_down="hold", when_overloaded="hold", when_midstream="pick_up")
OPEN = conduit("reads", "ops", "ot", ["udp_read"], criticality="cargo", when_down="open", when_overloaded="open", when_midstream="pick_up")
WATCH = conduit("reads", "ops", "ot", ["udp_read"], criticality="cargo", mode="observe")

# pymodbus imports pyserial, but does not use it here.
SERVER = """
import sys, types
serial = types.ModuleType("serial_asyncio")
serial.create_serial_connection = None
sys.modules.update(serial=serial, serial_asyncio=serial)
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartUdpServer
slave = ModbusSlaveContext(hr=ModbusSequentialDataBlock(0, [7] * 200), zero_mode=True)
StartUdpServer(context=ModbusServerContext(slaves=slave, single=True), address=(sys.argv[1], int(sys.argv[2])))
"""


class Server:
    """A pymodbus server in the namespace of the PLCs."""

    def __init__(self, box, address=OT):
        self.process = subprocess.Popen(["ip", "netns", "exec", box.ns("ot"), "/usr/bin/python3", "-c", SERVER, address, str(PORT)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        with inside(box.ns("ot")):
            wait_for(lambda: self._answers(address), 20, "pymodbus to answer")

    def _answers(self, address):
        expect(self.process.poll() is None, "pymodbus ended: %s", self.process.returncode)
        with Client(None, address) as c:
            return c.read(0.2) is not None

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()


class Client:
    """One flow; `ask` returns the whole answer, or None."""

    def __init__(self, box, address=OT):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        if box is None:
            self.s = socket.socket(family, socket.SOCK_DGRAM)
        else:
            with inside(box.ns("ops")):
                self.s = socket.socket(family, socket.SOCK_DGRAM)
        self.s.connect((address, PORT))
        self.tid = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def ask(self, request, seconds):
        self.s.settimeout(seconds * SLOWNESS)
        try:
            self.s.send(request)
            while True:
                answer = self.s.recv(300)
                if answer[:2] == request[:2]:
                    return answer
        except (socket.timeout, ConnectionRefusedError):
            return None

    def read(self, seconds=1.0):
        self.tid += 1
        answer = self.ask(modbus.read_holding(0, 4, tid=self.tid), seconds)
        return answer if answer and answer[7] == 3 else None

    def write(self, value, seconds=0.1):
        self.tid += 1
        return self.ask(modbus.write_register(1, value, tid=self.tid), seconds)

    def reads_again(self, seconds=8):
        wait_for(lambda: self.read(0.2) is not None, seconds, "a read to be answered")


def arrived(capture, function):
    """The requests of this function that arrived at the server, by transaction."""
    found = []
    for f in capture.incoming():
        x = decode(f)
        if x is not None and x[3] == 17 and len(x[4]) > 15 and struct.unpack("!H", x[4][2:4])[0] == PORT and x[4][15] == function:
            found.append(struct.unpack("!H", x[4][8:10])[0])
    return found


def judged(box):
    """Reads pass; writes and invalid bytes never arrive and end nothing; IPv4 and IPv6; after a
    change, the next datagram is judged by the new policy."""
    box.apply(READ)
    servers = [Server(box), Server(box, OT6)]
    capture = Capture(box.net, box.ns("ot"), "eth0")
    seq = box.last_seq()
    try:
        for address in (OT, OT6):
            with Client(box, address) as c:
                for i in range(40):
                    expect(c.read(), "read %d is not answered", i)
                    expect(c.write(9) is None, "a write was answered")
                    for wrong in (b"", b"x", modbus.read_holding(0, 4)[:-1], modbus.read_holding(0, 4) + b"\0",
                                  modbus.read_holding(0, 4) + modbus.write_register(1, 9)):
                        c.s.send(wrong)
        expect(not arrived(capture, 6), "writes arrived: %s", arrived(capture, 6))
        expect(len(arrived(capture, 3)) == 80, "%d reads arrived", len(arrived(capture, 3)))
        with Client(box) as c:
            for turn in range(5):
                box.apply(READ, WRITE)
                expect(c.write(turn, 1.0), "a write that is allowed is not answered")
                before = len(arrived(capture, 6))
                box.apply(READ)
                expect(c.write(turn) is None, "a write was answered behind the narrowing")
                expect(c.read(), "the flow does not go on behind the narrowing")
                expect(len(arrived(capture, 6)) == before, "a write arrived behind the narrowing")
        found = [e for e in box.events(seq) if e.get("reason") == "modbus.function"]
        expect(found and all(e.get("transport") == "udp" for e in found), "records of refused writes: %s", found[:2])
        return "80 reads of 80, no write of 80; 5 narrowings"
    finally:
        capture.close()
        for s in servers:
            s.end()


def observed(box):
    """Everything passes and is recorded."""
    box.apply(WATCH)
    server = Server(box)
    try:
        with Client(box) as c:
            expect(c.read() and c.write(3, 1.0) and c.read(), "something is not answered under observe")
    finally:
        server.end()


def worker_dies(box):
    """The workers are killed. closed: nothing passes unjudged, and reads pass again afterwards;
    hold: the live flow goes on; open: everything passes."""
    server = Server(box)
    capture = Capture(box.net, box.ns("ot"), "eth0")
    try:
        for policy, live in ((READ, False), (HOLD, True), (OPEN, True)):
            box.apply(policy)
            with Client(box) as c:
                expect(c.read(), "no answer before")
                pids = box.pids("dpi")
                for _ in range(3):
                    for pid in box.pids("dpi"):
                        os.kill(pid, signal.SIGKILL)
                    if live:
                        expect(c.read(), "a live flow was lost")
                    c.reads_again()
                wait_for(lambda p=pids: box.running() and not set(box.pids("dpi")) & set(p), 8, "workers again")
                before = len(arrived(capture, 6))
                wait_for(lambda c=c: c.read(0.2) is not None, 8, "a read after it")
                expect(c.write(5) is None and len(arrived(capture, 6)) == before, "a write passed when the worker was back")
    finally:
        capture.close()
        server.end()


def flooded(box):
    """A full queue of refused datagrams: reads of the same lane go on, and no write arrives."""
    box.apply(READ)
    server = Server(box)
    capture = Capture(box.net, box.ns("ot"), "eth0")
    try:
        with Client(box) as c, Client(box) as flood:
            answered = 0
            for i in range(200):
                for _ in range(50):
                    flood.s.send(modbus.write_register(1, i))
                answered += c.read(1.0) is not None
            expect(answered > 150, "%d of 200 reads were answered beside the flood", answered)
            expect(not arrived(capture, 6), "%d writes arrived", len(arrived(capture, 6)))
            return "%d of 200 reads beside 10,000 writes" % answered
    finally:
        capture.close()
        server.end()


QUESTION = b"\x01\x00\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"


def refused_by_mistake(box):
    """A policy that was applied by mistake refuses a flow from a fixed port. All its datagrams
    arrive again after a rollback, under the right policy, and under a conduit that observes. The
    dry runs say so before. Datagrams are counted where they arrive."""
    right, wrong, watch = (conduit("names", "ops", "ot", [service], criticality="cargo", **keys) for service, keys in (
        ("names", {}), ("not_names", {}), ("not_names", {"mode": "observe"})))
    with inside(box.ns("ot")):
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((OT, 53))
    with inside(box.ns("ops")):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.bind((OPS, 5300))
        client.connect((OT, 53))
    said = 0

    def arrive(n=10):
        nonlocal said
        numbers = range(said, said + n)
        said += n
        for i in numbers:
            client.send(struct.pack("!H", i) + QUESTION)
            if refused:  # decided, so the next datagram belongs to another step
                wait_for(lambda: dropped() >= before + i - numbers[0] + 1, 5, "datagram %d to be dropped" % i)
            else:
                server.settimeout(2 * SLOWNESS)
                try:
                    expect(server.recv(100)[:2] == struct.pack("!H", i), "another than datagram %d arrived", i)
                except socket.timeout:
                    return i - numbers[0]
        server.setblocking(False)
        try:
            server.recv(100)
        except BlockingIOError:
            return 0 if refused else n
        raise AssertionError("one arrived that was refused")

    def dropped():
        return sum(w["dropped"] for w in box.status()["workers"])

    def told(text):
        return json.loads(text)["cut"], json.loads(text)["unknown"]

    try:
        box.apply(right)
        refused = False
        expect(arrive() == 10, "not all arrive")
        for end in ("rollback", "apply", "observe"):
            path = box.write(wrong)
            cut, unknown = told(box.sekisho("apply", "--dry-run", "--json", path, check=False).stdout)
            expect(len(cut) == 1 and not unknown, "%s: what the dry run of the mistake says: %s, %s", end, cut, unknown)
            box.sekisho("apply", *(["--confirm", "90"] if end == "rollback" else []), path)
            before, refused = dropped(), True
            arrive()
            refused = False
            if end == "rollback":
                text = box.sekisho("rollback", "--lang", "en").stdout
                expect("No live session was cut" in text, "the list of the rollback: %s", text)
            else:
                path = box.write(right if end == "apply" else watch)
                cut, unknown = told(box.sekisho("apply", "--dry-run", "--json", path, check=False).stdout)
                expect(not cut, "%s: what the dry run says: %s", end, cut)
                box.sekisho("apply", path)
            n = arrive()
            expect(n == 10, "behind %s %d of 10 arrive", end, n)
            if end == "observe":
                box.apply(right)
                n = arrive()
                expect(n == 10, "behind what observed %d of 10 arrive", n)
    finally:
        client.close()
        server.close()
    return "10 of 10 behind a rollback, the right policy, and under observe"


CASES = [judged, observed, worker_dies, flooded, refused_by_mistake]

# SPDX-License-Identifier: Apache-2.0
"""Both ends of a session: a hand-made client, which sends any segment with any number, and a real
server with a single place for connections on a kernel's TCP, which keeps everything that its stack
delivered."""
import os
import select
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from ground import RAW4, RAW6, expect, inside, wait_for  # noqa: E402
from net import decode, tcp  # noqa: E402
from packets import ACK, FIN, PSH, RST, SYN, ip  # noqa: E402
from speech import MODBUS  # noqa: E402

M32 = 0xffffffff


class Raw:
    """One hand-made end of a TCP session, at the second address of a zone's host. `R` and `W`: a
    request that its protocol allows, and one that it forbids."""

    def __init__(self, ground, zone, to, port, sport, six=False, speech=MODBUS):
        self.speech, self.R, self.W = speech, speech.read, speech.write
        self.me, self.to, self.port, self.sport = (RAW6 if six else RAW4)[zone], to, port, sport
        with inside(ground.ns(zone)):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.htons(3))
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 20)  # SO_RCVBUFFORCE
        # SOL_PACKET, PACKET_IGNORE_OUTGOING: floods of others must not fill its buffer
        self.sock.setsockopt(263, 23, 1)
        self.sock.bind(("eth0", 0))
        self.sock.setblocking(False)
        self.head = bytes.fromhex(ground.mac(zone).replace(":", "")) + self.sock.getsockname()[4] + \
            (b"\x86\xdd" if six else b"\x08\x00")
        self.rng = ground.rng
        self.begin()

    def begin(self):
        self.isn = self.rng.randrange(1 << 32)
        self.seq, self.ack = (self.isn + 1) & M32, 0
        self.got, self.resets, self.synacks, self.fin = b"", [], [], False
        # the sequence number that a reset needs to end an older session of these ends
        self.challenge = None

    def frame(self, packet):
        self.put(self.head + packet)

    def put(self, frame):
        """On a machine with one processor, a sent frame only leaves when the kernel gets its turn,
        so `put` waits until the socket has room."""
        while True:
            try:
                return self.sock.send(frame)
            except BlockingIOError:
                if not select.select([], [self.sock], [], 5)[1]:
                    raise

    def segment(self, data=b"", seq=None, ack=None, flags=ACK | PSH, spoil=False, options=b"", window=64240, **keys):
        t = tcp(self.me, self.to, self.sport, self.port, (self.seq if seq is None else seq) & M32,
                self.ack if ack is None else ack & M32, flags, data, window, options)
        if spoil:
            t = t[:16] + bytes([t[16] ^ 0x55, t[17] ^ 0xaa]) + t[18:]
        self.frame(ip(self.me, self.to, 6, t, **keys))

    def read(self):
        """Reads what has arrived, and answers nothing."""
        while True:
            try:
                frame, origin = self.sock.recvfrom(70000)
            except (BlockingIOError, InterruptedError):
                return
            if origin[2] == socket.PACKET_OUTGOING:
                continue
            what = decode(frame)
            if not what or what[3] != 6 or what[1] != self.to or what[2] != self.me:
                continue
            sport, dport, seq, ack = struct.unpack("!HHII", what[4][:12])
            if (sport, dport) != (self.port, self.sport):
                continue
            flags, data = what[4][13], what[4][(what[4][12] >> 4) * 4:]
            if flags & RST:
                self.resets.append((seq, ack, flags))
            elif flags & SYN:
                self.synacks.append((seq, ack, flags))
            elif not self.synacks and ack != self.seq:
                self.challenge = ack
            elif data and seq == self.ack:
                self.got += data
                self.ack = (self.ack + len(data)) & M32
            if flags & FIN and seq == self.ack:
                self.ack = (self.ack + 1) & M32
                self.fin = True

    def until(self, condition, seconds=3.0, what="the other end"):
        def check():
            self.read()
            return condition()
        return wait_for(check, seconds, what)

    def open(self, options=b"", seconds=8.0):
        """The client's handshake. If the server still has a session of these ends, it is reset, as
        a stack does it (RFC 9293, 3.10.7.3)."""
        end = time.monotonic() + seconds
        while not any(a == self.seq for _, a, _ in self.synacks):
            if self.challenge is not None:
                self.segment(seq=self.challenge, ack=0, flags=RST)
                self.challenge = None
            self.segment(seq=self.isn, ack=0, flags=SYN)
            try:
                self.until(lambda: any(a == self.seq for _, a, _ in self.synacks), 0.25, "an answer to the SYN")
            except TimeoutError:
                if time.monotonic() > end:
                    raise
        self.ack = (next(s for s, a, _ in self.synacks if a == self.seq) + 1) & M32
        self.segment(flags=ACK)
        return self

    def greet(self, seconds=5.0):
        """Sends the messages with which a session of the protocol begins, and waits for each
        answer."""
        for part in self.speech.greeting:
            self.say(part)
            self.until(lambda: len(self.got) >= len(self.speech.answers(part)), seconds, "the answer to the greeting")
            self.segment(flags=ACK)
            self.got = b""
        return self

    def say(self, data, **keys):
        """Sends data in order; the sequence numbers go on."""
        self.segment(data, **keys)
        self.seq = (self.seq + len(data)) & M32

    def believes(self, reset):
        """Whether a stack in this state would end its session because of that segment."""
        return reset[0] == self.ack

    def was_reset(self):
        self.read()
        return any(self.believes(r) for r in self.resets)

    def close(self):
        self.sock.close()


def listener(ground, address, port):
    """A listening socket in the zone of the controllers."""
    with inside(ground.ns("ot")):
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(16)
    return s


class Plc:
    """A server that accepts one session at a time (`slots` 1), or any number. `sessions` keeps
    everything that its stack delivered."""

    def __init__(self, ground, address, slots=1, speech=MODBUS):
        self.speech = speech
        self.listener = listener(ground, address, speech.port)
        self.slots = slots
        self.sessions = []
        self.live = None
        self.ended = False
        ground.left.append(self)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended:
            try:
                s, peer = self.listener.accept()
            except OSError:
                return
            session = {"port": peer[1], "bytes": bytearray(), "end": None}
            self.sessions.append(session)
            if self.slots == 1:
                self.live = session
                self._serve(s, session)
                self.live = None
            else:
                threading.Thread(target=self._serve, args=(s, session), daemon=True).start()

    def _serve(self, s, session):
        with s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._talk(s, session)

    def _talk(self, s, session):
        done = 0
        while True:
            try:
                data = s.recv(65536)
            except OSError:
                session["end"] = "reset"
                return
            if not data:
                session["end"] = "fin"
                return
            session["bytes"] += data
            whole = self.speech.whole(bytes(session["bytes"]))
            answers = b"".join(self.speech.answer(p) for p in whole[done:])
            done = len(whole)
            try:
                s.sendall(answers)
            except OSError:
                session["end"] = "reset"
                return

    def of(self, port):
        return [s for s in self.sessions if s["port"] == port]

    def forbidden(self):
        """Complete PDUs that the policy forbids, in all that was ever delivered."""
        return [p for s in self.sessions for p in self.speech.forbidden(bytes(s["bytes"]))]

    def close(self):
        if self.ended:
            return
        self.ended = True
        # wakes the thread that waits for clients, which would otherwise keep the port
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def request(address=0, count=4, unit=1, function=3, tid=0):
    return struct.pack("!HHHBBHH", tid, 0, 6, unit, function, address, count)


def write(address=1, value=7, unit=1, tid=0):
    return request(address, value, unit, 6, tid)


def answered(raw, seconds=5.0):
    """Checks that an allowed request on this session is answered."""
    more = len(raw.got) + len(raw.speech.answers(raw.R))
    raw.say(raw.R)
    raw.until(lambda: len(raw.got) >= more, seconds, "the answer to an allowed request")
    raw.segment(flags=ACK)


def goes_on(raw, plc):
    answered(raw)
    expect(plc.live is not None and plc.live["port"] == raw.sport, "the server lost the session")


def is_cut(raw, plc, seconds=5.0):
    """Both ends are told: the server's place is free, and the client got a reset that a stack
    accepts."""
    wait_for(lambda: plc.of(raw.sport) and plc.of(raw.sport)[-1]["end"], seconds, "the end of the server's session")
    wait_for(raw.was_reset, seconds, "a reset that the client believes")

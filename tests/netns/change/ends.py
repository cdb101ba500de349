# SPDX-License-Identifier: Apache-2.0
"""Both ends of many sessions, made by hand. Nothing is repeated, acknowledged or answered unless
the test says so: a lost packet stays lost, and a state lasts as long as the test wants. One packet
socket for each host."""
import errno
import os
import select
import socket
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
from ground import RAW4, RAW6  # noqa: E402
from net import decode, inside, tcp, udp, wait_for  # noqa: E402
from packets import ACK, FIN, PSH, RST, SYN, icmp, icmp_number, ip  # noqa: E402

M32, WINDOW = 0xffffffff, 64240
SPEAKERS = set(RAW4.values()) | set(RAW6.values())


class Hub:
    """The link of a host. Hands each packet to the end whose ports it names, and keeps all others
    for later questions."""

    def __init__(self, ground, zone):
        self.zone = zone
        with inside(ground.ns(zone)):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.htons(3))
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE
        self.sock.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING
        self.sock.bind(("eth0", 0))
        self.sock.settimeout(0.05)
        self.gateway = bytes.fromhex(ground.mac(zone).replace(":", ""))
        self.ends, self.others, self.ended = {}, [], False
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def send(self, packet):
        kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
        try:
            self.sock.send(self.gateway + self.sock.getsockname()[4] + kind + packet)
        except OSError as e:
            # its device is down or was just removed; the frame is lost like any other
            if e.errno not in (errno.ENETDOWN, errno.ENXIO, errno.ENODEV):
                raise

    def _run(self):
        while not self.ended:
            try:
                frame = self.sock.recv(70000)
            except socket.timeout:
                continue
            except OSError as e:
                if e.errno == errno.ENETDOWN:  # reported once each time the link goes down
                    continue
                return
            what = decode(frame)
            if not what:
                continue
            now = time.monotonic()
            _, source, destination, proto, body = what
            key = (proto, destination, source) + (struct.unpack("!HH", body[:4])[::-1] if proto in (6, 17) else (0, 0))
            with self.lock:
                end = self.ends.get(key)
                if end is None and {source, destination} <= SPEAKERS:
                    self.others.append((now, source, destination, proto, body))
                elif end is None:
                    continue  # part of a flood; no test asks for it
                else:
                    end.take(now, body)

    def caught_up(self):
        """Whether every packet that has arrived was handed to its end. Otherwise an end might
        answer an old SYN, which the box has forgotten by then."""
        ready = select.poll()
        ready.register(self.sock, select.POLLIN)
        return not ready.poll(0)

    def close(self):
        self.ended = True
        self.thread.join()
        self.sock.close()


class End:
    """One end of a TCP session."""

    def __init__(self, hub, to_zone, port, to_port, six, rng):
        self.hub, self.port, self.to_port = hub, port, to_port
        self.me, self.to = ((RAW6 if six else RAW4)[z] for z in (hub.zone, to_zone))
        self.rng = rng
        self.reset_state()
        with hub.lock:
            hub.ends[(6, self.me, self.to, port, to_port)] = self

    def reset_state(self):
        self.isn = self.rng.randrange(1 << 32)
        self.seq, self.ack, self.acked = (self.isn + 1) & M32, 0, 0
        self.got, self.log, self.resets, self.syn, self.fin = b"", [], [], None, False
        self.ahead = {}

    def take(self, now, body):
        seq, ack = struct.unpack("!II", body[4:12])
        flags, data = body[13], body[(body[12] >> 4) * 4:]
        self.log.append((now, flags, seq, ack, data))
        if flags & RST:
            self.resets.append((now, seq, ack))
            # A number that is in the window but not the expected one: a stack sends a challenge
            # (RFC 5961, 3.2).
            if self.syn and 0 < (seq - self.ack) & M32 < WINDOW:
                self.acknowledge()
            return
        if flags & SYN:
            self.syn = (seq, ack, flags)
            return
        if flags & ACK:
            self.acked = ack
        if data:
            self.ahead[seq] = data
        while self.ack in self.ahead:
            part = self.ahead.pop(self.ack)
            self.got += part
            self.ack = (self.ack + len(part)) & M32
        if flags & FIN and (seq + len(data)) & M32 == self.ack:
            self.ack = (self.ack + 1) & M32
            self.fin = True

    def segment(self, data=b"", seq=None, flags=ACK | PSH, ack=None, options=b""):
        body = tcp(self.me, self.to, self.port, self.to_port, self.seq if seq is None else seq & M32,
                   self.ack if ack is None else ack & M32, flags, data, WINDOW, options)
        self.hub.send(ip(self.me, self.to, 6, body))

    def say(self, data, flags=ACK | PSH):
        self.segment(data, flags=flags)
        self.seq = (self.seq + len(data) + (1 if flags & FIN else 0)) & M32

    def acknowledge(self):
        self.segment(flags=ACK)

    def was_reset(self):
        """When this end received a reset that it would accept; None: never."""
        return next((t for t, seq, _ in self.resets if seq == self.ack or self.syn is None or (seq == 0)), None)

    def arrived(self, since):
        """The bytes of segments that came after that moment."""
        return b"".join(d for t, _, _, _, d in list(self.log) if t >= since)

    def forget(self):
        with self.hub.lock:
            self.hub.ends.pop((6, self.me, self.to, self.port, self.to_port), None)


class Session:
    """A client in ops and a server in ot."""

    def __init__(self, field, port, six):
        self.six, self.port = six, port
        self.sport = field.next_port()
        self.c = End(field.ops, "ot", self.sport, port, six, field.rng)
        self.s = End(field.ot, "ops", port, self.sport, six, field.rng)

    def wait(self, condition, what, seconds=2.0):
        return wait_for(condition, seconds, "%s (IPv%d, client port %d to %d)" %
                        (what, 6 if self.six else 4, self.sport, self.port))

    def call(self):
        self.s.syn, self.called = None, time.monotonic()
        self.c.segment(seq=self.c.isn, ack=0, flags=SYN)
        self.wait(lambda: self.s.syn, "the SYN at the server")
        self.s.ack = (self.s.syn[0] + 1) & M32

    def call_again_if_forgotten(self, after):
        """The box forgets a SYN that nobody answers after 2 s, and an unfinished handshake after 5
        s, so that strangers cannot fill a table. Linux does not renew either when a SYN is
        repeated. A real client without an answer repeats its SYN after 1, 3 and 7 s, but a state of
        this test lasts longer. So the SYN is sent again once the box has surely forgotten it. True:
        it was sent."""
        if time.monotonic() - self.called < after - 1:
            return False
        self.wait(lambda: time.monotonic() - self.called > after + 0.2, "the moment when a SYN is forgotten")
        self.call()
        return True

    def answer_call(self):
        self.s.segment(seq=self.s.isn, flags=SYN | ACK)
        self.wait(lambda: self.c.syn, "the SYN|ACK at the client")
        self.c.ack = (self.c.syn[0] + 1) & M32

    def open(self):
        self.call()
        self.answer_call()
        self.c.acknowledge()
        return self

    def ask(self, request):
        """Sends the request once; it must arrive whole."""
        want = self.s.got + request
        self.c.say(request)
        self.wait(lambda: self.s.got == want, "a request at the server")

    def answer(self, text):
        want = self.c.got + text
        self.s.say(text)
        self.wait(lambda: self.c.got == want, "an answer at the client")
        self.c.acknowledge()

    def exchange(self, request, text):
        self.ask(request)
        self.answer(text)

    def forget(self):
        self.c.forget()
        self.s.forget()


class Datagrams:
    """UDP or an echo between the two hosts; `sport` is the echo's identifier."""

    def __init__(self, field, port, six, proto=17):
        self.field, self.port, self.six, self.proto = field, port, six, proto
        self.sport = field.next_port()
        self.a, self.b = ((RAW6 if six else RAW4)[z] for z in ("ops", "ot"))
        self.sent = time.monotonic()

    def packet(self, text, back=False):
        a, b = (self.b, self.a) if back else (self.a, self.b)
        if self.proto == 17:
            ports = (self.port, self.sport) if back else (self.sport, self.port)
            return a, b, 17, udp(a, b, *ports, text)
        kinds = (8, 0) if not self.six else (128, 129)
        return a, b, icmp_number(a), icmp(a, b, kinds[back], 0, struct.pack("!HH", self.sport, 1) + text)

    def send(self, text, back=False):
        self.sent = time.monotonic()
        (self.field.ot if back else self.field.ops).send(ip(*self.packet(text, back)))

    def came(self, text, back=False):
        """Whether the packet has arrived, between these ends."""
        hub = self.field.ops if back else self.field.ot
        a, b, _, whole = self.packet(text, back)
        ports = whole[:4] if self.proto == 17 else b""
        return any(text in body and (source, to) == (a, b) and body.startswith(ports) for _, source, to, _, body in list(hub.others))

    def crossed(self, text, back=False):
        wait_for(lambda: self.came(text, back), 2.0, "a datagram (IPv%d, port %d%s)" % (6 if self.six else 4, self.port, ", back" if back else ""))

    def exchange(self, text, answer=None):
        self.send(text)
        self.crossed(text)
        if answer:
            self.send(answer, True)
            self.crossed(answer, True)

    def forget(self):
        pass

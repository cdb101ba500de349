# SPDX-License-Identifier: Apache-2.0
"""The server attacks. The stack of an honest client gets only answers to its own requests."""
import socket
import struct
import threading

from endpoint import M32, Raw, request
from ground import POLICY, RAW4, RAW6, V4, V6, expect, inside, wait_for
from packets import ACK, FIN, PSH, RST, SYN


class Served(Raw):
    """A hand-made server: waits for a SYN to its port from one client."""

    def __init__(self, ground, client, cport, six):
        super().__init__(ground, "ot", client, cport, 502, six)

    def accept(self):
        self.until(lambda: self.synacks, 3.0, "the client's SYN")
        seq, _, _ = self.synacks[-1]
        self.ack = (seq + 1) & M32
        self.segment(seq=self.isn, flags=SYN | ACK)
        return self

    def question(self):
        """Waits for a complete request."""
        self.until(lambda: len(self.got) >= 12, 5, "the client's request")
        q, self.got = self.got[:12], self.got[12:]
        return q


def right(q):
    n = struct.unpack("!H", q[10:12])[0]
    return q[:4] + struct.pack("!HBBB", 3 + 2 * n, q[6], 3, 2 * n) + b"\xab" * (2 * n)


def altered(at, value):
    def make(q):
        a = bytearray(right(q))
        a[at] = value
        return bytes(a)
    return make


# What an honest server would never send, made from the client's request.
LIES = {
    "another transaction": altered(1, 99), "another unit": altered(6, 2), "another function": altered(7, 4),
    "a write's answer": lambda q: q[:7] + b"\6" + q[8:12], "count too small": altered(8, 6), "count too large": altered(8, 10),
    "shorter": lambda q: q[:4] + struct.pack("!HBBB", 5, 1, 3, 2) + b"\0\0",
    "longer": lambda q: q[:4] + struct.pack("!HBBB", 13, 1, 3, 10) + bytes(10),
    "a request": lambda q: request(0, 4, 1, 6, 0), "protocol id": altered(3, 1), "length 0": altered(5, 0),
    "length 1": altered(5, 1),
    "exception 0": lambda q: q[:4] + b"\0\3\1\x83\0", "exception of another": lambda q: q[:4] + b"\0\3\1\x86\2",
    "exception with a tail": lambda q: q[:4] + b"\0\4\1\x83\2\2",
    "other protocol": lambda q: b"SSH-2.0-OpenSSH_9.2\r\n",
}


class Client:
    """An honest client on a kernel's TCP. Keeps everything that its stack delivered."""

    def __init__(self, ground, six):
        with inside(ground.ns("ops")):
            self.sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
        self.sock.bind(((V6 if six else V4)["ops"], 0))
        self.port = self.sock.getsockname()[1]
        self.bytes, self.end = b"", None
        self.sock.settimeout(3)
        self.ready = threading.Event()

    def connect(self, to):
        def run():
            try:
                self.sock.connect((to, 502))
                self.ready.set()
                while True:
                    data = self.sock.recv(4096)
                    if not data:
                        self.end = "fin"
                        return
                    self.bytes += data
            except OSError as e:
                self.end = type(e).__name__
        threading.Thread(target=run, daemon=True).start()

    def close(self):
        self.sock.close()


def pair(ground, six):
    client = Client(ground, six)
    server = Served(ground, (V6 if six else V4)["ops"], client.port, six)
    client.connect((RAW6 if six else RAW4)["ot"])
    server.accept()
    wait_for(client.ready.is_set, 5, "the client's session")
    server.read()
    return client, server


def cut(client, server, good=b""):
    wait_for(lambda: client.end, 5, "the end of the client's session")
    expect(client.end == "ConnectionResetError", "the client's session ended with %s", client.end)
    server.until(server.was_reset, 5, "a reset that the server believes")
    expect(good.startswith(client.bytes) or client.bytes.startswith(good), "other bytes arrived")
    rest = client.bytes[len(good):]
    expect(not whole(rest), "a forged answer arrived whole: %s", rest.hex())


def whole(data):
    return len(data) >= 8 and len(data) >= 6 + struct.unpack("!H", data[4:6])[0]


def one_lie(ground, six, name, how):
    client, server = pair(ground, six)
    try:
        client.sock.sendall(request(0, 4))
        q = server.question()
        lie = LIES[name](q)
        if how == "whole":
            server.say(lie)
        elif how == "split":
            for i in range(len(lie)):
                server.say(lie[i:i + 1])
        elif how == "after the right one":
            server.say(right(q))
            server.say(lie)
        elif how == "before the question":
            pass
        cut(client, server, right(q) if how == "after the right one" else b"")
    finally:
        client.close()
        server.close()


def lies(ground):
    """Forged, wrong and unasked answers: complete, byte by byte, and after a correct one."""
    ground.apply(*POLICY)
    ground.settle_neighbours()
    failures, n = [], 0
    for six in (False, True):
        for name in LIES:
            for how in ("whole", "split", "after the right one"):
                n += 1
                try:
                    one_lie(ground, six, name, how)
                except (TimeoutError, AssertionError) as e:
                    failures.append("%s, %s, IPv%d: %s" % (name, how, 6 if six else 4, e))
    expect(not failures, "%d of %d: %s", len(failures), n, "; ".join(failures))
    return "%d lies" % n


def unasked(ground):
    """A server that sends first, answers twice, or sends requests."""
    ground.apply(*POLICY)
    for six in (False, True):
        for data in (right(request(0, 4)), request(0, 4), request(1, 7, 1, 6), b"\0"):
            client, server = pair(ground, six)
            server.say(data)
            if data == b"\0":  # the first byte may pass, because it is no PDU
                server.say(right(request())[1:])
            cut(client, server)
            client.close()
            server.close()
        client, server = pair(ground, six)
        client.sock.sendall(request(0, 4))
        q = server.question()
        # the same answer once more passes, but another answer does not
        server.say(right(q) + right(q) + right(q)[:-1] + b"\x55")
        cut(client, server)
        client.close()
        server.close()


def changed_on_the_way(ground):
    """Answers that are repeated with other bytes, that come early, with data in the handshake, and
    after the end."""
    ground.apply(*POLICY)
    for six in (False, True):
        for trick in ("overlap", "ahead", "after fin", "early", "urgent"):
            client, server = pair(ground, six)
            client.sock.sendall(request(0, 4))
            q = server.question()
            good = right(q)
            if trick == "overlap":
                server.segment(good[:9])
                server.segment(altered(8, 6)(q)[:9] + b"\xcc" * 8)
                server.segment(good)
            elif trick == "ahead":
                server.segment(b"\xcc" * 8, seq=server.seq + 9)
                server.segment(good[:9])
                server.segment(good[9:], seq=server.seq + 9)
            elif trick == "after fin":
                server.segment(good, flags=ACK | PSH | FIN)
                server.segment(b"\xcc" * 17, seq=server.seq + 18)
            elif trick == "early":
                server.segment(seq=server.isn, flags=SYN | ACK)
                server.segment(b"\xcc" * 17, seq=server.isn)
                server.say(good)
            else:
                server.segment(b"\xcc" * 17, flags=ACK | PSH | 32)
                server.say(good)
            wait_for(lambda: client.end or len(client.bytes) >= 17, 3.0, "an answer or the end: %s" % trick)
            # bytes of the second answer may arrive as the contents of a register, but no other
            # complete answer may arrive after the first one
            expect(not whole(client.bytes[17:]) and (len(client.bytes) < 8 or client.bytes[:9] == good[:9]), "%s: %s", trick,
                   client.bytes.hex())
            client.close()
            server.segment(flags=RST)
            server.close()


def turned_round(ground):
    """The server's zone cannot open a session: neither by itself nor while the client opens one
    (simultaneous open)."""
    ground.apply(*POLICY)
    for six in (False, True):
        client = Client(ground, six)
        server = Served(ground, (V6 if six else V4)["ops"], client.port, six)
        server.segment(seq=server.isn, ack=0, flags=SYN)
        client.connect((RAW6 if six else RAW4)["ot"])
        server.until(lambda: server.synacks, 3.0, "the client's SYN")
        server.segment(seq=server.isn, ack=0, flags=SYN)
        server.segment(b"\xcc" * 12, seq=server.isn + 1, ack=server.synacks[0][0] + 1)
        expect(not client.ready.wait(0.3), "a session was opened from the server's side")
        server.accept()
        wait_for(client.ready.is_set, 5, "the client's session after all")
        client.close()
        server.segment(flags=RST)
        server.close()


def by_hand(ground, six):
    """Both ends of an open session with one answered request."""
    raw = RAW6 if six else RAW4
    client = Raw(ground, "ops", raw["ot"], 502, ground.port(), six)
    server = Served(ground, raw["ops"], client.sport, six)
    client.segment(seq=client.isn, ack=0, flags=SYN)
    server.accept()
    client.open()
    for _ in range(3):
        client.say(request())
        answer = right(server.question())
        server.say(answer)
        client.got = b""
        client.until(lambda answer=answer: client.got == answer, 3.0, "the answer")
    client.segment(flags=ACK)
    server.read()
    return client, server


def forgets_and_answers(server, client):
    """The server was off and has forgotten the session. It waits for a SYN whose sequence number is
    one below the client's next one, and answers with an old sequence number of the earlier
    session."""
    old = server.isn
    server.begin()
    server.until(lambda: any(s == (client.seq - 1) & M32 for s, _, _ in server.synacks), 3.0, "the SYN")
    server.isn, server.ack = (old - 5000) & M32, client.seq
    server.seq = client.ack = (server.isn + 1) & M32
    server.segment(seq=server.isn, flags=SYN | ACK)
    server.segment(flags=ACK)  # as it answers a segment outside its window


def begun_anew(ground):
    """A client sends SYNs on its live session: one with the session's own first number, or two with
    other numbers. The server, which was off, takes the first SYN for a new session, and then
    expects bytes that it acknowledged long ago. No write reaches it as a retransmission of them."""
    ground.apply(*POLICY)
    ground.settle_neighbours()
    for six in (False, True):
        for others in (False, True):
            client, server = by_hand(ground, six)
            client.seq = (client.isn + 1 + (12 if others else 0)) & M32
            client.segment(seq=client.seq - 1, ack=0, flags=SYN)
            if others:
                client.segment(seq=client.seq + 70000, ack=0, flags=SYN)
            forgets_and_answers(server, client)
            client.segment(flags=ACK)
            client.say(client.W)
            # another session of these two hosts: when its packets arrive, the write would have
            # arrived too
            for end in by_hand(ground, six):
                end.close()
            server.read()
            expect(not server.got, "IPv%d, %s: delivered: %s", 6 if six else 4, "other numbers" if others else "its own number",
                   server.got.hex())
            # after several SYNs conntrack knows only the last one, and does not accept the reset as
            # part of the session
            if not others:
                server.until(server.was_reset, 5, "a reset that the server believes")
            client.close()
            server.close()


CASES = [lies, unasked, changed_on_the_way, turned_round, begun_anew]

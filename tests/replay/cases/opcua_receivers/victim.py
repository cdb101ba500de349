# SPDX-License-Identifier: Apache-2.0
"""A server of open62541 in a network namespace that has only a loopback.

    unshare -rn victim.py LIBRARY

Bytes to be sent contain stand-ins for numbers that the server chooses: eeeeeeee for the channel,
dddddddd for its token, sixteen a5 for the session's token."""
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "..", "lib"), os.path.join(HERE, "..", "..")]
import opcua  # noqa: E402
from opcua import node, qualified, request, string  # noqa: E402
from victims import Speaker, serve, told  # noqa: E402

NODES = range(1000, 1010)
HEADER = 24  # bytes of an answer's header after its node id
OBJECTS = node(0, 85)
ZERO = "01000000010600000000ffffffff"  # one result, an Int32 of 0, no diagnostics


def messages(stream):
    while len(stream) >= 8 and 8 <= struct.unpack_from("<I", stream, 4)[0] <= len(stream):
        n = struct.unpack_from("<I", stream, 4)[0]
        yield stream[:n]
        stream = stream[n:]


class Numbers:
    """The numbers that an end learns from answers."""
    def __init__(self):
        self.known = {b"\xee" * 4: b"\0" * 4, b"\xdd" * 4: b"\0" * 4, b"\xa5" * 16: bytes(16)}

    def learn(self, answers):
        for m in messages(answers):
            if m[:3] == b"OPN" and m[-4:] == b"\xff" * 4 or m[:3] == b"OPN" and m[-36:-32] == b"\x20\0\0\0":
                at = m.index(node(0, 449)) + 4 + HEADER + 4
                self.known.update({b"\xee" * 4: m[at:at + 4], b"\xdd" * 4: m[at + 4:at + 8]})
            elif m[:3] == b"MSG" and m[24:28] == node(0, 464) and m[40:44] == bytes(4):
                at = 28 + HEADER + 19 + 3
                self.known[b"\xa5" * 16] = m[at:at + 16]

    def change(self, b):
        for name, number in self.known.items():
            b = b.replace(name, number)
        return b


class Server(Speaker):
    sessions = 0

    def put_up(self):
        super().put_up()
        self.watch()
        for n in NODES:
            attributes = struct.pack("<IBBIIBi", 0xFFFFFFFF, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, 6, 0) + node(0, 6) + struct.pack("<iiBBdB", -1, 0, 3, 3, 0.0, 0)
            self.asked(opcua.add_node(OBJECTS, node(1, n), 2, node(0, 357), attributes, node(0, 63)))
        self.before = self.state()
        if any(v != ZERO for v in self.before[:len(NODES)]):
            raise OSError("the server has not the nodes that were added: %s" % self.before)

    def watch(self):
        """Begins a session of its own."""
        self.watcher, self.numbers, self.ends, self.heard = self.connect(), Numbers(), opcua.Ends(0xEEEEEEEE, 0xDDDDDDDD), b""
        self.receive(1, opcua.hello("opc.tcp://127.0.0.1:%d" % self.port))
        self.receive(1, self.ends.open())
        for b in (opcua.create_session(), with_token(opcua.activate())):
            self.receive(1, self.ends.ask(b))

    def receive(self, n, b):
        """Waits for the answers to so many requests."""
        self.watcher.sendall(self.numbers.change(b))
        while len(list(messages(self.heard))) < n:
            more = self.watcher.recv(65536)
            if not more:
                raise ConnectionError
            self.heard += more
        out = list(messages(self.heard))
        self.heard = self.heard[sum(map(len, out)):]
        for m in out:
            self.numbers.learn(m)
        return out

    def asked(self, *requests):
        return [m[28 + HEADER:].hex() for m in self.receive(len(requests), b"".join(self.ends.ask(with_token(b)) for b in requests))]

    def state(self):
        """The value of each node, its other attributes, and the contents of the folder."""
        def read(*items):
            return request(631, struct.pack("<dI", 0, 3) + opcua.array([node(1, n) + struct.pack("<I", a) + string(None) + qualified() for n, a in items]))
        return self.asked(*(read((n, 13)) for n in NODES), read(*((n, a) for n in NODES for a in (2, 3, 4, 5, 6, 14, 15, 17, 20))), opcua.browse([OBJECTS]))

    def did(self):
        """["call", number], ["value", number, present value], ["attributes"], ["nodes"]; None: the
        server has ended."""
        try:
            after = self.state()
        except OSError:
            self.watcher.close()
            try:
                self.watch()
                after = self.state()
            except OSError:
                self.put_up()
                return None
        out, n = super().did(), len(NODES)
        out += [["value", k, v] for k, v, was in zip(NODES, after, self.before) if v != was]
        out += [[name] for name, v, was in zip(("attributes", "nodes"), after[n:], self.before[n:]) if v != was]
        if out:
            zero = opcua.data_value(opcua.variant(6, 0))
            self.asked(opcua.write([(node(1, n), zero) for n in NODES]))
            if self.state() != self.before:
                self.put_up()
        return out


def with_token(b):
    at = 2 if b[0] == 0 else 4
    return b[:at] + node(1, b"\xa5" * 16) + b[at + 2:]


def tell(server, job):
    server.sessions += 1
    # nobody closes the sessions, and the server has room for a hundred
    if server.sessions % 40 == 0:
        server.put_up()
    numbers = Numbers()
    return {**told(server, job, 0.01, 4, numbers.change, numbers.learn), "did": server.did()}


if __name__ == "__main__":
    serve(Server("server", 10.0, [sys.executable, os.path.join(HERE, "server.py"), sys.argv[1], "{port}"]), tell)

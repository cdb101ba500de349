# SPDX-License-Identifier: Apache-2.0
"""Another maker's PLC of FINS, in a network namespace that has only a loopback.

    unshare -rn victim.py tcp|udp COMMAND...      {port} in COMMAND becomes the port to listen on

The program is one of gofins. It numbers bytes where FINS numbers words. Its areas are read as a
whole."""
import os
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "..", "lib"), os.path.join(HERE, "..", "..")]
import fins  # noqa: E402
from victims import WHERE, Speaker, ask, heard, is_told, serve, told  # noqa: E402

SIZE, SOON = 32768, 0.01
DATAGRAMS = sys.argv[1] == "udp"
WATCHED = [code for name, pair in fins.AREAS.items() for code in pair if name in (("d",) if DATAGRAMS else ("cio", "w", "h", "a", "d"))]
# the server answers the exchange of node numbers with a header without any number
NOT_OF_FINS = fins.tcp(b"", 0).hex()


class Plc(Speaker):
    def listens(self):
        if not DATAGRAMS:
            return super().listens()
        if self.process.poll() is not None:
            raise OSError("it ended before it listened")
        with self.connect() as s:
            return ask(s, fins.read("d", 0, 1), 0.05)[0] != b""

    def connect(self):
        if not DATAGRAMS:
            return super().connect()
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect((WHERE, self.port))
        s.settimeout(self.patience)
        return s

    def put_up(self):
        super().put_up()
        self.before = self.state()
        if self.before is None:
            raise OSError("the PLC reads no areas")

    def state(self):
        """Of each area its bytes; None: it has ended, or answers nobody."""
        try:
            with self.connect() as s:
                if not DATAGRAMS:
                    s.sendall(fins.node(25))
                    self.receive(s, 16)
                out = {}
                for code in WATCHED:
                    n = SIZE if code in fins.BITS else SIZE // 2
                    b = fins.request(fins.READ, bytes([code, 0, 0, 0]) + n.to_bytes(2, "big"))
                    s.sendall(b if DATAGRAMS else fins.tcp(b))
                    out[code] = (s.recv(65536) if DATAGRAMS else self.receive(s, 16 + 14 + SIZE))[-SIZE:]
                return out if all(len(v) == SIZE for v in out.values()) else None
        except OSError:
            return None

    @staticmethod
    def receive(s, n):
        out = b""
        while len(out) < n:
            more = s.recv(65536)
            if not more:
                raise ConnectionError
            out += more
        return out

    def did(self):
        """[code of an area, byte, what it is now]; None: it has ended."""
        after = self.state()
        if after == self.before:
            return []
        out = None if after is None else [[code, k, v] for code, b in after.items() if b != self.before[code]
                                          for k, v in enumerate(b) if v != self.before[code][k]]
        self.put_up()
        return out


def tell(plc, job):
    if not DATAGRAMS:
        out = told(plc, job, SOON, 1)
        return {**out, "turns": [[kind, b, answers.replace(NOT_OF_FINS, fins.nodes().hex())] for kind, b, answers in out["turns"]], "did": plc.did()}
    turns = []
    with plc.connect() as s:
        for kind, text, _ in job["turns"]:
            answers = b""
            if is_told(job["keep"], turns):
                try:
                    s.sendall(bytes.fromhex(text))
                    answers = heard(s, SOON)
                except OSError:  # it has ended
                    pass
            turns.append([kind, text, answers.hex()])
    return {"turns": turns, "closed": False, "did": plc.did()}


serve(Plc("PLC", 10.0, sys.argv[2:]), tell)

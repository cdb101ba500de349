# SPDX-License-Identifier: Apache-2.0
"""Another maker's server of SLMP, in a network namespace that has only a loopback.

    unshare -rn victim.py COMMAND...      {port} in COMMAND becomes the port to listen on

Reads one line of JSON for each session. "turns": a list of ["tcp", hex, cuts]; "keep": for each
segment, whether it is sent to the server (null: all are). Answers with what was sent, what came
back, and what changed in the server's memory, which is read by requests in 3E frames."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "..", "lib"), os.path.join(HERE, "..", "..")]
import slmp  # noqa: E402
from victims import Victim, serve, told  # noqa: E402

READER = slmp.FORMS[0]
WATCHED = [("d", first) for first in range(0, 7200, 720)] + [(name, 0) for name in ("y", "m", "x", "b", "w", "r", "l")]
WORDS = 720  # of each; 720 words of bits would be too many for some
SOON, PATIENCE = 0.05, 20.0  # seconds


class Server(Victim):
    def __init__(self, command):
        super().__init__("server", 0, PATIENCE)
        self.command = command

    def put_up(self):
        self.end()
        self.next_port()
        self.start([x.replace("{port}", str(self.port)) for x in self.command])
        self.before = self.state()
        if self.before is None:
            raise OSError("the server reads no devices")

    def state(self):
        """The bytes at each watched place. None: the server has ended, or does not answer."""
        try:
            s = self.connect()
            out = {}
            for name, first in WATCHED:
                bits = slmp.DEVICES[name][4]
                s.sendall(READER.read(name, first, WORDS, bits=bool(bits)))
                answer = slmp.answer(s)
                if len(answer) < 11 or answer[9:11] != b"\0\0":
                    return None
                data = answer[11:]
                for k in range(WORDS):
                    out[name, first + k] = data[k // 2] >> (0 if k % 2 else 4) & 15 if bits else int.from_bytes(data[2 * k:2 * k + 2], "little")
            s.close()
            return out
        except (OSError, IndexError):
            return None


def tell(server, job):
    out = told(server, job, SOON)
    after = server.state()
    did = None if after is None else [[*k, v] for k, v in after.items() if v != server.before[k]]
    if did is None or did:
        server.put_up()
    return {**out, "did": did}


serve(Server(sys.argv[1:]), tell)

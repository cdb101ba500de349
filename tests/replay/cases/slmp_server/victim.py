# SPDX-License-Identifier: Apache-2.0
"""A server of SLMP that is not ours, in a network of its own, where nothing but a loopback is.

    unshare -rn victim.py COMMAND...      {port} in it stands for where it is to listen

A line of JSON is a session: "turns" of ["tcp", hex, cuts]; "keep": how many segments of it are told (null: all). Answered by what was sent, with what
came back, and by what the server's memory holds in the end that it did not hold before, read by requests of 3E frames."""
import json
import os
import select
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "lib"))
import slmp  # noqa: E402
from net import wait_for  # noqa: E402

WHERE = "127.0.0.1"
READER = slmp.FORMS[0]
WATCHED = [("d", first) for first in range(0, 7200, 720)] + [(name, 0) for name in ("y", "m", "x", "b", "w", "r", "l")]
WORDS = 720  # of each; 720 words of bits would be too many for some
SOON, PATIENCE = 0.05, 20.0  # seconds


class Server:
    def __init__(self, command):
        self.command, self.process, self.port = command, None, 0

    def put_up(self):
        self.end()
        self.port = 20000 + (self.port + 1) % 10000  # that of the one before may not be free yet
        self.process = subprocess.Popen([x.replace("{port}", str(self.port)) for x in self.command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.listens, PATIENCE, "the server to listen")
        self.before = self.state()
        if self.before is None:
            raise OSError("the server reads no devices")

    def listens(self):
        if self.process.poll() is not None:
            raise OSError("the server ended before it listened")
        try:
            socket.create_connection((WHERE, self.port), 1).close()
            return True
        except OSError:
            return False

    def state(self):
        """Of each place its bytes; None: the server has ended, or answers nobody."""
        try:
            s = socket.create_connection((WHERE, self.port), PATIENCE)
            s.settimeout(PATIENCE)
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

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait()


def heard(s):
    out, wait = b"", SOON
    while select.select([s], [], [], wait)[0]:
        more = s.recv(65536)
        if not more:
            raise ConnectionError
        out, wait = out + more, 0.004
    return out


def tell(server, job):
    turns, keep, closed = [], job["keep"], False
    s = socket.create_connection((WHERE, server.port), PATIENCE)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(PATIENCE)
    for kind, text, cuts in job["turns"]:
        b = bytes.fromhex(text)
        for a, z in zip([0] + cuts, cuts + [len(b)]):
            if a >= z or closed:
                continue
            answers = b""
            if keep is None or (len(turns) < len(keep) and keep[len(turns)]):
                try:
                    s.sendall(b[a:z])
                    answers = heard(s)
                except OSError:
                    closed = True
            turns.append([kind, b[a:z].hex(), answers.hex()])
    s.close()
    after = server.state()
    did = None if after is None else [[*k, v] for k, v in after.items() if v != server.before[k]]
    if did is None or did:
        server.put_up()
    return {"turns": turns, "closed": closed, "did": did}


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    server = Server(sys.argv[1:])
    try:
        server.put_up()
        print("ready", flush=True)
        for line in sys.stdin:
            print(json.dumps(tell(server, json.loads(line))), flush=True)
    finally:
        server.end()


main()

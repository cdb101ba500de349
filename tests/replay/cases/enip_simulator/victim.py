# SPDX-License-Identifier: Apache-2.0
"""A controller that is not ours: libplctag's simulator, in a network of its own, where nothing but a loopback is.

    unshare -rn victim.py PROGRAM

A line of JSON is a session: "turns" of ["tcp", hex, cuts]; "keep": how many segments of it are told (null: all). In bytes to be sent EEEEEEEE stands for
the session, CCCCCCCC for the connection that was opened last. Answered by what was sent, with what came back, and by what the tags hold in the end."""
import json
import os
import select
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "lib"))
import enip  # noqa: E402
from net import wait_for  # noqa: E402

WHERE = "127.0.0.1"
TAGS = {"Crane": 300, "Gate": 100, "Vault": 100}  # DINTs of each
SECRET = b"not to say!!"  # what Vault holds
SOON, PATIENCE = 0.06, 5.0  # seconds


class Simulator:
    def __init__(self, program):
        self.program, self.process, self.port = program, None, 0

    def put_up(self):
        self.end()
        self.port = 20000 + (self.port + 1) % 10000  # that of the one before may not be free yet
        self.process = subprocess.Popen([self.program, "--plc=ControlLogix", "--path=1,0", "--port=%d" % self.port] +
                                        ["--tag=%s:DINT[%d]" % x for x in TAGS.items()],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.listens, PATIENCE, "the simulator to listen")
        s, handle = self.session()
        s.sendall(enip.request(handle, enip.service(0x4D, enip.tag("Vault"), struct.pack("<HH", 0xC4, 3) + SECRET)))
        answer = enip.receive(s)
        s.close()
        if not answer or enip.status_of(answer):
            raise OSError("the simulator takes no value")
        self.before = self.state()

    def listens(self):
        if self.process.poll() is not None:
            raise OSError("the simulator ended before it listened")
        try:
            socket.create_connection((WHERE, self.port), 1).close()
            return True
        except OSError:
            return False

    def session(self):
        s = socket.create_connection((WHERE, self.port), PATIENCE)
        s.settimeout(PATIENCE)
        handle = enip.handle_of(s)
        if handle is None:
            raise OSError("the simulator registers no session")
        return s, handle

    def state(self):
        """Of each tag its bytes; None: it has ended, or answers nobody."""
        try:
            s, handle = self.session()
            out = {}
            for name, n in TAGS.items():
                held = b""
                while len(held) < 4 * n:
                    s.sendall(enip.request(handle, enip.service(0x52, enip.tag(name), struct.pack("<HI", n, len(held)))))
                    answer = enip.receive(s)
                    if not answer or len(answer) <= 46:
                        return None
                    held += answer[46:]
                out[name] = held.hex()
            s.close()
            return out
        except OSError:
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


def opened(answer):
    """The number of the connection that an answer opens; None."""
    if len(answer) >= 48 and answer[0] == 0x6F and answer[40] in (0xD4, 0xDB) and answer[42] == 0:
        return answer[44:48]
    return None


def tell(simulator, job):
    numbers, turns, keep = {b"\xee" * 4: b"\0" * 4, b"\xcc" * 4: b"\0" * 4}, [], job["keep"]
    s = socket.create_connection((WHERE, simulator.port), PATIENCE)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(PATIENCE)
    closed = False
    for kind, text, cuts in job["turns"]:
        b = bytes.fromhex(text)
        for name, number in numbers.items():
            b = b.replace(name, number)
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
            if answers[:1] == b"\x65" and len(answers) >= 8:
                numbers[b"\xee" * 4] = answers[4:8]
            if opened(answers):
                numbers[b"\xcc" * 4] = opened(answers)
    s.close()
    after = simulator.state()
    if after != simulator.before:
        simulator.put_up()
    return {"turns": turns, "closed": closed, "after": after, "said": SECRET.hex() in "".join(t[2] for t in turns),
            "did": None if after is None else [k for k, v in after.items() if v != simulator.before[k]]}


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    simulator = Simulator(sys.argv[1])
    try:
        simulator.put_up()
        print("ready", flush=True)
        for line in sys.stdin:
            print(json.dumps(tell(simulator, json.loads(line))), flush=True)
    finally:
        simulator.end()


main()

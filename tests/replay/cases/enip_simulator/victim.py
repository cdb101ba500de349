# SPDX-License-Identifier: Apache-2.0
"""A controller of another project: libplctag's simulator, in a network namespace that has only a
loopback interface.

    unshare -rn victim.py PROGRAM

Each input line is a session in JSON: "turns" of ["tcp", hex, cuts], and "keep", the number of
segments to report (null: all). In the bytes to be sent, EEEEEEEE stands for the session and
CCCCCCCC for the connection that was opened last. The answer is what was sent and received, and what
the tags contain at the end."""
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "..", "lib"), os.path.join(HERE, "..", "..")]
import enip  # noqa: E402
from victims import Victim, ask, is_told, pieces, serve  # noqa: E402

TAGS = {"Crane": 300, "Gate": 100, "Vault": 100}  # DINTs of each
SECRET = b"not to say!!"  # what Vault holds
SOON, PATIENCE = 0.06, 5.0  # seconds


class Simulator(Victim):
    def __init__(self, program):
        super().__init__("simulator", 0, PATIENCE)
        self.program = program

    def put_up(self):
        self.end()
        self.next_port()
        self.start([self.program, "--plc=ControlLogix", "--path=1,0", "--port=%d" % self.port] + ["--tag=%s:DINT[%d]" % x for x in TAGS.items()])
        s, handle = self.session()
        s.sendall(enip.request(handle, enip.service(0x4D, enip.tag("Vault"), struct.pack("<HH", 0xC4, 3) + SECRET)))
        answer = enip.receive(s)
        s.close()
        if not answer or enip.status_of(answer):
            raise OSError("the simulator takes no value")
        self.before = self.state()

    def session(self):
        s = self.connect()
        handle = enip.handle_of(s)
        if handle is None:
            raise OSError("the simulator registers no session")
        return s, handle

    def state(self):
        """The bytes of each tag; None: the simulator has ended, or does not answer."""
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


def opened(answer):
    """The number of the connection that this answer opens; None."""
    if len(answer) >= 48 and answer[0] == 0x6F and answer[40] in (0xD4, 0xDB) and answer[42] == 0:
        return answer[44:48]
    return None


def tell(simulator, job):
    numbers, turns, keep = {b"\xee" * 4: b"\0" * 4, b"\xcc" * 4: b"\0" * 4}, [], job["keep"]
    s = simulator.connect()
    closed = False
    for kind, text, cuts in job["turns"]:
        whole = bytes.fromhex(text)
        for name, number in numbers.items():
            whole = whole.replace(name, number)
        for b in pieces(whole, cuts):
            if closed:
                continue
            answers = b""
            if is_told(keep, turns):
                answers, closed = ask(s, b, SOON)
            turns.append([kind, b.hex(), answers.hex()])
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


serve(Simulator(sys.argv[1]), tell)

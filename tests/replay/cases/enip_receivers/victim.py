# SPDX-License-Identifier: Apache-2.0
"""Another maker's device: OpENer's sample application, in a network namespace that has only a
loopback.

    unshare -rn victim.py PROGRAM

Reads one line of JSON for each session. "turns": a list of ["tcp", hex, cuts] and ["udp", hex, []];
"keep": how many segments, and which datagrams, are sent to the device (null: all are); "owner":
whether somebody else has a connection for outputs. Bytes to be sent contain stand-ins for numbers
that the device chooses: EEEEEEEE for the session, CCCCCCCC for the connection that was opened last,
DDDDDDDD for the owner's connection. Answers with what was sent, what came back, and what the device
holds in the end."""
import os
import select
import socket
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "..", "lib"), os.path.join(HERE, "..", "..")]
import enip  # noqa: E402
from victims import WHERE, Victim, ask, is_told, pieces, serve  # noqa: E402

PORT = 44818
SECRET = b"not to say"  # the contents of the configuration assembly
# The assemblies for inputs, outputs and configuration, and how long a session may be idle.
WATCHED = {"inputs": (4, 100, 3), "outputs": (4, 150, 3), "config": (4, 151, 3), "idle": (0xF5, 1, 13)}
SOON, PATIENCE = 0.06, 5.0  # seconds


def get(place):
    return enip.service(0x0E, bytes([0x20, place[0], 0x24, place[1], 0x30, place[2]]))


class Device(Victim):
    def __init__(self, program):
        super().__init__("device", PORT, PATIENCE)
        self.program, self.died = program, 0

    def put_up(self):
        self.end()
        self.start([self.program, "lo"])
        s, handle = self.session()
        s.sendall(enip.request(handle, enip.service(0x10, bytes([0x20, 4, 0x24, 151, 0x30, 3]), SECRET)))
        answer = enip.receive(s)
        s.close()
        if not answer or enip.status_of(answer):
            raise OSError("the device takes no configuration")
        self.before = self.state()

    def session(self):
        s = self.connect()
        return s, enip.handle_of(s)

    def state(self):
        """None: the device has ended, or does not answer."""
        try:
            s, handle = self.session()
            out = {}
            for name, place in WATCHED.items():
                s.sendall(enip.request(handle, get(place)))
                answer = enip.receive(s)
                if not answer:
                    return None
                out[name] = answer[40:].hex()
            s.close()
            return out
        except OSError:
            return None

    def owner(self):
        """Another client's connection for outputs: the outputs were sent, and must stay as they
        are."""
        s, handle = self.session()
        slow = enip.forward_open_io(99, 0x99, 38, 34).replace(struct.pack("<I", 20000), struct.pack("<I", 8000000))
        s.sendall(enip.request(handle, slow))
        answer = enip.receive(s)
        if not answer or enip.status_of(answer):
            raise OSError("the device opens no connection for outputs")
        return s, answer[44:48]


def opened(answers):
    """The number of the connection that this answer opens; None."""
    while len(answers) >= 24:
        n = 24 + struct.unpack_from("<H", answers, 2)[0]
        at = 40 if answers[0] == 0x6F else 46
        if n >= at + 8 and answers[at] in (0xD4, 0xDB) and answers[at + 2] == 0:
            return answers[at + 4:at + 8]
        answers = answers[n:]
    return None


def tell(device, job):
    numbers, turns, keep, opens = {b"\xee" * 4: b"\0" * 4, b"\xcc" * 4: b"\0" * 4, b"\xdd" * 4: b"\0" * 4}, [], job["keep"], False
    other = None
    if job["owner"]:
        other, numbers[b"\xdd" * 4] = device.owner()
    io = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s = device.connect()
    closed = False
    try:
        for kind, text, cuts in job["turns"]:
            whole = bytes.fromhex(text)
            for name, number in numbers.items():
                whole = whole.replace(name, number)
            for b in pieces(whole, cuts):
                if kind == "tcp" and closed:
                    continue
                told, answers = is_told(keep, turns), b""
                if told and kind == "udp":
                    io.sendto(b, (WHERE, 2222))
                    select.select([], [], [], 0.005)
                elif told:
                    answers, closed = ask(s, b, SOON)
                turns.append([kind, b.hex(), answers.hex()])
                if answers[:1] == b"\x65" and len(answers) >= 8:
                    numbers[b"\xee" * 4] = answers[4:8]
                if opened(answers):
                    numbers[b"\xcc" * 4], opens = opened(answers), True
    finally:
        s.close()
        io.close()
        after = device.state()
        if other:
            other.close()
    did = None if after is None else {k: v for k, v in after.items() if v != device.before[k]}
    if after is None:
        device.died += 1
    if did is None or did or opens or job["owner"]:
        device.put_up()
    return {"turns": turns, "closed": closed, "did": did, "said": SECRET.hex() in "".join(t[2] for t in turns)}


with tempfile.TemporaryDirectory() as folder:
    program = os.path.abspath(sys.argv[1])
    os.chdir(folder)
    serve(Device(program), tell)

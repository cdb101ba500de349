# SPDX-License-Identifier: Apache-2.0
"""A device that is not ours: OpENer's sample application, in a network of its own, where nothing but a loopback is.

    unshare -rn victim.py PROGRAM

A line of JSON is a session: "turns" of ["tcp", hex, cuts] and ["udp", hex, []]; "keep": how many segments of each are told, and which datagrams (null:
all); "owner": whether somebody else has a connection for outputs. In bytes to be sent EEEEEEEE stands for the session, CCCCCCCC for the connection
that was opened last, DDDDDDDD for the owner's. Answered by what was sent, with what came back, and by what the device holds in the end."""
import json
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "lib"))
import enip  # noqa: E402
from net import wait_for  # noqa: E402

WHERE, PORT = "127.0.0.1", 44818
SECRET = b"not to say"  # what the configuration holds
# Assemblies: inputs, outputs, configuration; how long a session may be idle.
WATCHED = {"inputs": (4, 100, 3), "outputs": (4, 150, 3), "config": (4, 151, 3), "idle": (0xF5, 1, 13)}
SOON, PATIENCE = 0.06, 5.0  # seconds


def get(place):
    return enip.service(0x0E, bytes([0x20, place[0], 0x24, place[1], 0x30, place[2]]))


class Device:
    def __init__(self, program):
        self.program, self.process, self.died = program, None, 0

    def put_up(self):
        self.end()
        self.process = subprocess.Popen([self.program, "lo"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.listens, PATIENCE, "the device to listen")
        s, handle = self.session()
        s.sendall(enip.request(handle, enip.service(0x10, bytes([0x20, 4, 0x24, 151, 0x30, 3]), SECRET)))
        answer = enip.receive(s)
        s.close()
        if not answer or enip.status_of(answer):
            raise OSError("the device takes no configuration")
        self.before = self.state()

    def listens(self):
        if self.process.poll() is not None:
            raise OSError("the device ended before it listened")
        try:
            socket.create_connection((WHERE, PORT), 1).close()
            return True
        except OSError:
            return False

    def session(self):
        s = socket.create_connection((WHERE, PORT), PATIENCE)
        return s, enip.handle_of(s)

    def state(self):
        """None: it has ended, or answers nobody."""
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
        """Somebody's connection for outputs: they have been told, and go on to be what they are."""
        s, handle = self.session()
        slow = enip.forward_open_io(99, 0x99, 38, 34).replace(struct.pack("<I", 20000), struct.pack("<I", 8000000))
        s.sendall(enip.request(handle, slow))
        answer = enip.receive(s)
        if not answer or enip.status_of(answer):
            raise OSError("the device opens no connection for outputs")
        return s, answer[44:48]

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


def opened(answers):
    """The number of the connection that an answer opens; None."""
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
    s = socket.create_connection((WHERE, PORT), PATIENCE)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(PATIENCE)
    closed = False
    try:
        for kind, text, cuts in job["turns"]:
            b = bytes.fromhex(text)
            for name, number in numbers.items():
                b = b.replace(name, number)
            for a, z in zip([0] + cuts, cuts + [len(b)]):
                if a >= z or (kind == "tcp" and closed):
                    continue
                told = keep is None or (len(turns) < len(keep) and keep[len(turns)])
                answers = b""
                if told and kind == "udp":
                    io.sendto(b[a:z], (WHERE, 2222))
                    select.select([], [], [], 0.005)
                elif told:
                    try:
                        s.sendall(b[a:z])
                        answers = heard(s)
                    except OSError:
                        closed = True
                turns.append([kind, b[a:z].hex(), answers.hex()])
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


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        device = Device(sys.argv[1])
        try:
            device.put_up()
            print("ready", flush=True)
            for line in sys.stdin:
                print(json.dumps(tell(device, json.loads(line))), flush=True)
        finally:
            device.end()


main()

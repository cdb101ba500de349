# SPDX-License-Identifier: Apache-2.0
"""Common parts of the victims of several cases: a program that listens on the loopback interface of
its own network namespace, and gets a session for each line of JSON."""
import json
import os
import select
import socket
import subprocess
import sys

from net import wait_for

WHERE = "127.0.0.1"


class Victim:
    """A subclass says how the program is started, and what its state is."""
    def __init__(self, called, port, patience):
        self.called, self.port, self.patience, self.process = called, port, patience, None

    def next_port(self):
        self.port = 20000 + (self.port + 1) % 10000  # because the earlier port may still be in use

    def start(self, command, says=False):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if says else subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.listens, self.patience, "the %s to listen" % self.called)

    def listens(self):
        if self.process.poll() is not None:
            raise OSError("the %s ended before it listened" % self.called)
        try:
            socket.create_connection((WHERE, self.port), 1).close()
            return True
        except OSError:
            return False

    def connect(self):
        s = socket.create_connection((WHERE, self.port), self.patience)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.settimeout(self.patience)
        return s

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            if self.process.stdout:
                self.process.stdout.close()


class Speaker(Victim):
    """A program that reports what it does: a line of JSON each on its standard output. `{port}` in
    its command is the port where it has to listen."""
    def __init__(self, called, patience, command):
        super().__init__(called, 0, patience)
        self.command = command

    def put_up(self):
        self.end()
        self.next_port()
        self.rest = b""
        self.start([x.replace("{port}", str(self.port)) for x in self.command], says=True)
        os.set_blocking(self.process.stdout.fileno(), False)

    def did(self):
        """What it has reported since the last call; None: it has ended, and a new one is
        started."""
        if self.process.poll() is not None:
            self.put_up()
            return None
        *lines, self.rest = (self.rest + (self.process.stdout.read() or b"")).split(b"\n")
        return [json.loads(x) for x in lines]


def pieces(b, cuts):
    return [b[a:z] for a, z in zip([0] + cuts, cuts + [len(b)]) if a < z]


def is_told(keep, turns):
    """Whether the segment after these turns is sent to the server."""
    return keep is None or (len(turns) < len(keep) and keep[len(turns)])


def heard(s, soon):
    """What arrives within `soon` seconds, and what follows immediately."""
    out, wait = b"", soon
    while select.select([s], [], [], wait)[0]:
        more = s.recv(65536)
        if not more:
            raise ConnectionError
        out, wait = out + more, 0.004
    return out


def ask(s, b, soon):
    """The answer, and whether the victim has closed the session."""
    try:
        s.sendall(b)
        return heard(s, soon), False
    except OSError:
        return b"", True


def finish(s):
    """Ends a session after the victim has read all of it, and so closes it."""
    try:
        s.shutdown(socket.SHUT_WR)
        while s.recv(65536):
            pass
    except OSError:
        pass
    s.close()


def told(victim, job, soon, begins=0, changed=lambda b: b, learn=lambda answers: None):
    """Sends those segments of a session that job["keep"] names. Waits longer for the answers of the
    first `begins` turns. `learn` gets each answer, and `changed` puts into the bytes to be sent
    what `learn` has found."""
    turns, keep, closed = [], job["keep"], False
    s = victim.connect()
    for n, (_, text, cuts) in enumerate(job["turns"]):
        for b in pieces(changed(bytes.fromhex(text)), cuts):
            if closed:
                continue
            answers = b""
            if is_told(keep, turns):
                answers, closed = ask(s, b, soon if n >= begins else 1.0)
                learn(answers)
            turns.append(["tcp", b.hex(), answers.hex()])
    finish(s)
    return {"turns": turns, "closed": closed}


def speak(soon, begins=0):
    """The `tell` of a Speaker."""
    return lambda victim, job: {**told(victim, job, soon, begins), "did": victim.did()}


def serve(victim, tell):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    try:
        victim.put_up()
        print("ready", flush=True)
        for line in sys.stdin:
            print(json.dumps(tell(victim, json.loads(line))), flush=True)
    finally:
        victim.end()

# SPDX-License-Identifier: Apache-2.0
"""A supervisor and a control process for the management role: a channel to each, the event port,
the listening socket, the folder of secrets, and answers that the test chooses."""
import fcntl
import os
import re
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading

import reports
from net import inside, wait_for

WIRE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "appliance", "wire")
# the number of a message is the number of its row
with open(WIRE + "/message.def", encoding="utf-8") as rows:
    NAMES = ["NONE"] + re.findall(r"^MESSAGE\((\w+),", rows.read(), re.M)
with open(WIRE + "/msg.h", encoding="utf-8") as header:
    VERSION = int(re.search(r"#define MSG_VERSION (\d+)", header.read()).group(1))
READY, ANSWER, STATUS, EFFECTIVE, VERIFY, EVENTS, FLOWS, OWN, JUDGE, LOGIN, LOGOUT, CHANGE, STOP, PROGRESS, ASK, TRENDS = (NAMES.index(name) for name in (
    "READY", "ANSWER", "STATUS", "EFFECTIVE", "VERIFY", "EVENTS", "FLOWS", "MGMT_STATUS", "JUDGE", "LOGIN", "LOGOUT", "CHANGE", "STOP", "PROGRESS", "ASK", "TRENDS"))
F_ADD_SEALS, ALL_SEALS = 1033, 15


def sealed(data, seals=ALL_SEALS):
    fd = os.memfd_create("answer", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    os.write(fd, data)
    fcntl.fcntl(fd, F_ADD_SEALS, seals)
    return fd


class Supervisor:
    def __init__(self, program, ns, address, port=443, folder=None, answers=None):
        self.folder = folder or tempfile.mkdtemp(prefix="skH-secrets-")
        os.chmod(self.folder, 0o700)
        # (type, body); without questions for the status, which the role asks by itself
        self.asked = []
        self.ids = {}       # type -> the id of the last question of that type
        self.states = 0     # the number of questions for the status
        self.judged = []    # the same for questions to accounts, which knows no session here
        self.events = []    # decoded login records
        # type -> (status, bytes), or a function of the body that returns them, or None = no answer
        self.answers = answers or {}
        self.seals = ALL_SEALS
        self.ready = threading.Event()
        self.query_answer = None
        self.token_told = []
        self.ended = False
        with inside(ns):
            listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(64)
        # to the supervisor, for MSG_READY
        self.own, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # to control, for all questions
        self.channel, people = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.port, their_port = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        their_port.setblocking(False)
        secrets = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        given = [theirs.fileno(), their_port.fileno(), listener.fileno(), secrets, people.fileno()]

        def arrange():
            high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in given]
            for number, fd in enumerate(high):
                os.dup2(fd, 3 + number)
            os.closerange(8, 256)
        self.stderr = tempfile.NamedTemporaryFile()
        reports.watch(self.stderr.name)
        self.process = subprocess.Popen(program, preexec_fn=arrange, close_fds=False, stdin=subprocess.DEVNULL,
                                        stdout=self.stderr, stderr=self.stderr)
        for s in (theirs, people, their_port, listener):
            s.close()
        os.close(secrets)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended:
            readable, _, _ = select.select([self.own, self.channel, self.port], [], [], 0.05)
            try:
                for channel in (self.own, self.channel):
                    if channel not in readable:
                        continue
                    data, fds, _, _ = socket.recv_fds(channel, 8192, 3)
                    if not data:
                        return
                    self._hear(data, fds)
                if self.port in readable:
                    self._event(self.port.recv(512))
            except OSError:
                return

    def _hear(self, data, fds):
        kind, version, ident, length = struct.unpack("!HHII", data[:12])
        body = data[12:]
        assert version == VERSION and length == len(body)
        if kind == READY:
            self.ready.set()
        elif kind == OWN:
            self.query_answer = dict(zip(("requests", "refused", "unanswered", "connections", "token"), struct.unpack("!4QB", body)))
            if ident == 0:  # no question
                self.token_told.append((self.query_answer["token"], self.ready.is_set()))
        else:
            answer = self.answers.get(kind)
            self.ids[kind] = ident
            if kind in (JUDGE, LOGIN, LOGOUT):  # questions about a session, which no case counts
                self.judged.append((kind, body))
                answer = answer or (1, b"{}")
            elif kind == STATUS:
                self.states += 1
            else:
                self.asked.append((kind, body))
            if callable(answer):
                answer = answer(body)
            if answer is not None:
                self.answer(ident, *answer)
            self.last_id = ident

    def answer(self, ident, status, data):
        fd = sealed(data, self.seals)
        socket.send_fds(self.channel, [struct.pack("!HHII", ANSWER, VERSION, ident, 1) + bytes([status])], [fd])
        os.close(fd)

    def progress(self, ident, stage, done=0, of=0, entries=0):
        """Reports the progress of a question, as enforce does."""
        self.channel.send(struct.pack("!HHII", PROGRESS, VERSION, ident, 17) + struct.pack("!BIIQ", stage, done, of, entries))

    def query(self):
        self.query_answer = None
        self.channel.send(struct.pack("!HHII", STATUS, VERSION, 77, 0))
        return wait_for(lambda: self.query_answer, 3, "the answer to a query")

    def _event(self, data):
        self.events.append(data)

    def token(self):
        with open(os.path.join(self.folder, "token")) as f:
            return f.read().strip()

    def said(self):
        self.stderr.seek(0)
        return self.stderr.read().decode(errors="replace")

    def close(self, keep=False):
        """Ends the channel; the role must end by itself."""
        self.ended = True
        self.thread.join()
        self.channel.close()
        try:
            status = self.process.wait(5)
        finally:
            if self.process.poll() is None:
                self.process.kill()
        self.port.close()
        if not keep:
            shutil.rmtree(self.folder)
        return status

# SPDX-License-Identifier: Apache-2.0
"""Live sessions through the box, inside the machine: half of them plain TCP that nobody inspects,
half Modbus that is judged.
   sessions.py serve ADDRESS          answers on 9000 (echo) and 502 (Modbus), until it is ended
   sessions.py hold ADDRESS N FILE    holds N sessions, with a request in each every five seconds.
                                      FILE.open has the number of open sessions while it works. On
                                      SIGTERM it writes to FILE what happened to them. Every 5/(N/2)
                                      s a session of each kind sends a request, so that no longer
                                      pause goes unseen"""
import heapq
import json
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import time

EVERY = 5.0
PORTS = {"plain": 9000, "modbus": 502}


def serve(address):
    ready = selectors.DefaultSelector()
    for port in PORTS.values():
        s = socket.create_server((address, port), backlog=1024)
        ready.register(s, selectors.EVENT_READ, None)
    while True:
        for key, _ in ready.select():
            if key.data is None:
                s, _ = key.fileobj.accept()
                ready.register(s, selectors.EVENT_READ, s.getsockname()[1])
                continue
            try:
                data = key.fileobj.recv(4096)
                answer = data
                # an answer to "read holding registers", with one register
                if key.data == PORTS["modbus"]:
                    answer = b"".join(data[i:i + 4] + b"\0\5" + data[i + 6:i + 8] + b"\2\0\7" for i in range(0, len(data), 12))
                key.fileobj.sendall(answer)
            except OSError:
                data = b""
            if not data:
                ready.unregister(key.fileobj)
                key.fileobj.close()


class Session:
    def __init__(self, kind, address, number):
        self.kind, self.number, self.asked, self.longest, self.answers, self.cut = kind, number, None, 0.0, 0, None
        self.s = socket.create_connection((address, PORTS[kind]), 20)
        self.s.setblocking(False)

    def ask(self, now):
        try:
            self.s.send(struct.pack("!HHHBBHH", self.number & 0xffff, 0, 6, 1, 3, 0, 1))
            self.asked = now
        except OSError as e:
            self.cut = str(e)

    def hear(self, now):
        try:
            data = self.s.recv(4096)
        except BlockingIOError:
            return
        except OSError as e:
            self.cut = str(e)
            return
        if not data:
            self.cut = "closed"
        elif self.asked is not None:
            self.longest = max(self.longest, now - self.asked)
            self.answers += 1
            self.asked = None


def hold(address, n, path):
    ready, ended = selectors.DefaultSelector(), []
    asked_again = []  # SIGUSR1: report when every live session has had two more answers
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    signal.signal(signal.SIGUSR1, lambda *_: asked_again.append([x.answers for x in sessions]))
    sessions, due = [], []
    for i in range(n):
        x = Session("plain" if i % 2 else "modbus", address, i)
        sessions.append(x)
        ready.register(x.s, selectors.EVENT_READ, x)
    begin = time.monotonic()
    for i, x in enumerate(sessions):
        heapq.heappush(due, (begin + EVERY * i / n, i))
    told = False
    while not ended:
        now = time.monotonic()
        while due[0][0] <= now:
            at, i = heapq.heappop(due)
            heapq.heappush(due, (at + EVERY, i))
            if sessions[i].cut is None and sessions[i].asked is None:
                sessions[i].ask(now)
        for key, _ in ready.select(max(0.0, min(due[0][0] - now, 0.2))):
            key.data.hear(time.monotonic())
            if key.data.cut is not None:
                ready.unregister(key.fileobj)
        if not told and all(x.answers for x in sessions):
            told = True
            with open(path + ".open", "w", encoding="ascii") as f:
                f.write("%d" % len(sessions))
        if asked_again and all(x.cut is not None or x.answers >= before + 2 for x, before in zip(sessions, asked_again[-1])):
            asked_again.clear()
            with open(path + ".again", "w", encoding="ascii") as f:
                f.write("2")
    now = time.monotonic()
    result = {}
    for kind in PORTS:
        mine = [x for x in sessions if x.kind == kind]
        result[kind] = {"sessions": len(mine), "cut": sum(x.cut is not None for x in mine), "how": sorted({x.cut for x in mine if x.cut}),
                        "unanswered": sum(x.cut is None and x.asked is not None and now - x.asked > EVERY for x in mine),
                        "answers": sum(x.answers for x in mine), "longest_ms": round(1000 * max(x.longest for x in mine))}
    with open(path, "w", encoding="ascii") as f:
        json.dump(result, f)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536))  # a service begins with 1,024
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        hold(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    os._exit(0)

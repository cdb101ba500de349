# SPDX-License-Identifier: Apache-2.0
"""The log server is away for long, in each way in which a server can be: it refuses, its machine answers nothing, it takes connections and says no word.
Meanwhile sessions pass, and each is a record."""
import contextlib
import json
import os
import signal
import socket
import threading
import time

import chain
from box import FACTS, HEAD, conduit
from cases import Skip, expect
from net import inside, sh, wait_for
from programs import SERVER, Programs

SECONDS = int(os.environ.get("SEKISHO_AWAY_SECONDS", "3600" if os.environ.get("SEKISHO_ALL") else "0"))
RATE = 5  # sessions a second, each two records: that it began and that it ended
PLAIN = conduit("plain", "ops", "ot", ["plain"])


class Sessions(threading.Thread):
    """Datagrams to a port that somebody has, each from another port, so each a session; at a pace, until told to stop."""

    def __init__(self, box, rate):
        super().__init__(daemon=True)
        self.rate, self.sent, self.over = rate, 0, threading.Event()
        with inside(box.ns("ot")):
            self.sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sink.bind(("10.73.0.2", 9000))
        self.box = box
        self.start()

    def run(self):
        begin = time.monotonic()
        with inside(self.box.ns("ops")):
            while not self.over.wait(max(0, begin + self.sent / self.rate - time.monotonic())):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                    s.bind(("10.72.0.2", 10000 + self.sent % 50000))
                    with contextlib.suppress(OSError):
                        s.sendto(b"x", ("10.73.0.2", 9000))
                self.sent += 1

    def end(self):
        self.over.set()
        self.join()
        self.sink.close()


def policy(box, peers):
    folder = box.run_folder + "/policy"
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/box.cfg", "w", encoding="utf-8") as f:
        f.write(FACTS % 1 + peers)
    with open(folder + "/site.cfg", "w", encoding="utf-8") as f:
        f.write(HEAD.replace('name = "test"; }', 'name = "test"; record_passed = true; }') + "conduits = (\n  " + PLAIN + "\n);\n")
    box.sekisho("apply", "--lang", "en", folder + "/site.cfg")


def numbers(path):
    """The records' numbers in the order in which they came; a line that is not whole yet is left."""
    if not os.path.exists(path):
        return []
    with open(path, "rb") as f:
        return [json.loads(line)["seq"] for line in f.read().split(b"\n")[:-1] if line.strip()]


def silent(box, on):
    """The server's machine takes and sends nothing on that port, as one without power."""
    if on:
        sh("nft", "-f", "-", ns=box.admin, input="table inet away { chain i { type filter hook input priority 0; tcp dport 10514 drop; }; "
           "chain o { type filter hook output priority 0; tcp sport 10514 drop; }; }")
    else:
        sh("nft", "delete", "table", "inet", "away", ns=box.admin)


def came(p):
    return numbers(p.folder + "/came")


def nothing_lost(p, goal):
    """Every record up to this one has come, each behind the one before it; those that came twice came later. (records, of them twice)"""
    wait_for(lambda: goal in came(p)[-200:], 300, "what waited, up to %d" % goal)
    all_ = came(p)
    firsts = list(dict.fromkeys(all_))
    missing = sorted(set(range(1, goal + 1)) - set(firsts))
    expect(not missing, "%d records are missing, from %s to %s", len(missing), missing[:1], missing[-1:])
    expect(firsts == sorted(firsts), "they came in another order")
    return len(firsts), len(all_) - len(firsts)


def begin(box, p):
    p.keys()
    policy(box, 'log_server = { address = "%s"; port = 10514; name = "log.example"; ca = "%s/ca.pem"; };\n' % (SERVER, p.folder))
    server, sender = p.server(), p.sender()
    p.wait_all_came(40, "the records so far")
    return server, sender


def gone(box, p, server):
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    wait_for(lambda: p.sessions() == 0, 20, "the end of the session")


def records_of_an_hour(box):
    """As many records as an hour brings at ten a second wait for a server that is away; meanwhile the program that sends them is ended and begun anew, and once more while it
    sends: nothing is lost, and the order is kept."""
    box.fresh()
    box.go("")
    with Programs(box) as p:
        server, sender = begin(box, p)
        gone(box, p, server)
        box.net.stop(sender)
        box.stop()
        last = chain.lengthen(box.run_folder + "/state/journal", 15 << 20, each=80)
        expect(last > 36000, "%d records are no hour", last)
        box.start()
        wait_for(box.running, 20, "the roles")
        sender = p.sender()
        wait_for(lambda: p.told()["waiting"] >= 36000, 30, "all of them to wait")
        waited = p.told()["waiting"]
        box.net.stop(sender)
        p.server()
        sender = p.sender()
        wait_for(lambda: len(came(p)) > 9000, 60, "a part of them")
        expect(len(came(p)) < last, "all at once: the case shows nothing")
        # By force, within a line.
        os.kill(sender.pid, signal.SIGKILL)
        box.net.stop(sender)
        p.sender()
        n, twice = nothing_lost(p, last)
        expect(twice <= 3 * 16, "%d records came twice", twice)
        wait_for(lambda: p.told()["waiting"] == 0, 20, "the word that all were sent")
        box.verified()
        return "%d records waited, %d came, %d twice" % (waited, n, twice)


def an_hour_away(box):
    """The server refuses, answers nothing, takes connections and says no word, each for a third of an hour; ten records a second meanwhile. Nothing is lost."""
    if SECONDS == 0:
        raise Skip("an hour of real time: SEKISHO_ALL=1, or SEKISHO_AWAY_SECONDS for a shorter one")
    box.fresh()
    box.go("")
    with Programs(box) as p, contextlib.ExitStack() as last:
        server, _ = begin(box, p)
        sessions = Sessions(box, RATE)
        last.callback(sessions.end)
        wait_for(lambda: len(came(p)) > 40, 60, "records of sessions")
        gone(box, p, server)
        sessions.over.wait(SECONDS / 3)
        silent(box, True)
        sessions.over.wait(SECONDS / 3)
        silent(box, False)
        with inside(box.admin):
            mute = socket.create_server((SERVER, 10514))
        sessions.over.wait(SECONDS / 3)
        mute.close()
        waited = p.told()["waiting"]
        p.server()
        sessions.end()
        last.pop_all()
        n, twice = nothing_lost(p, box.last_seq())
        return "away %d s; %d records waited, %d came, %d twice; %d sessions" % (SECONDS, waited, n, twice, sessions.sent)


def without_a_word(box):
    """A server whose machine loses its power ends no session: what the connection takes until the kernel gives it up is with nobody, as the manual says. All of that is one stretch
    from that moment on; the box still has it, and the server sees by the numbers what it lacks."""
    box.fresh()
    box.go("")
    with Programs(box) as p, contextlib.ExitStack() as last:
        server, _ = begin(box, p)
        sessions = Sessions(box, RATE)
        last.callback(sessions.end)
        wait_for(lambda: len(came(p)) > 40, 60, "records of sessions")
        silent(box, True)
        before = max(came(p))
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        wait_for(lambda: box.last_seq() >= before + 60, 60, "sixty records")
        silent(box, False)
        p.server()
        # The kernel tries again after ever longer pauses; only then it learns that the session is no more.
        wait_for(lambda: max(came(p)) > before + 60, 120, "what came later")
        sessions.end()
        last.pop_all()
        goal = max(came(p))
        missing = sorted(set(range(1, goal + 1)) - set(came(p)))
        expect(missing == list(range(missing[0], missing[-1] + 1)) and before - 16 < missing[0] <= before + 16 if missing else True, "missing: %s, from %d on", missing, before)
        expect({e["seq"] for e in box.events(missing[0] - 1)} >= set(missing) if missing else True, "the box has lost them as well")
        return "%d records with nobody, of %d" % (len(missing), goal)


CASES = (records_of_an_hour, without_a_word, an_hour_away)
NEED_THEM = CASES

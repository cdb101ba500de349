# SPDX-License-Identifier: Apache-2.0
"""The log server is away for long in each possible way: it refuses, its machine does not answer, or
it accepts connections and sends nothing. Meanwhile sessions pass, and each makes records."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time

import chain
from box import FACTS, HEAD, TOP, conduit
from cases import Skip, expect
from net import inside, sh, wait_for
from programs import SERVER, Programs, read, written

SECONDS = int(os.environ.get("SEKISHO_AWAY_SECONDS", "3600" if os.environ.get("SEKISHO_ALL") else "0"))
# seconds: with tcp_retries2 of the admin namespace (appliance/box/box.c) the kernel gives up a
# connection after about 13
GIVEN_UP = 20
RATE = 5  # sessions per second; each makes two records, of its beginning and its end
PLAIN = conduit("plain", "ops", "ot", ["plain"])


class Sessions(threading.Thread):
    """Sends datagrams to a bound port at a steady pace until stopped. Each comes from another port,
    so each is a session."""

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
    """The numbers of the records in the order of arrival; an incomplete line is left out."""
    if not os.path.exists(path):
        return []
    with open(path, "rb") as f:
        return [json.loads(line)["seq"] for line in f.read().split(b"\n")[:-1] if line.strip()]


def silent(box, on):
    """On that port the server's machine neither receives nor sends, like one without power."""
    if on:
        sh("nft", "-f", "-", ns=box.admin, input="table inet away { chain i { type filter hook input priority 0; tcp dport 10514 drop; }; "
           "chain o { type filter hook output priority 0; tcp sport 10514 drop; }; }")
    else:
        sh("nft", "delete", "table", "inet", "away", ns=box.admin)


def came(p):
    return numbers(p.folder + "/came")


def nothing_lost(p, goal):
    """Checks that every record up to this one has arrived in order; repeated ones came later.
    Returns (records, repeated ones)."""
    wait_for(lambda: goal in came(p)[-200:], 300, "what waited, up to %d" % goal)
    all_ = came(p)
    firsts = list(dict.fromkeys(all_))
    missing = sorted(set(range(1, goal + 1)) - set(firsts))
    expect(not missing, "%d records are missing, from %s to %s", len(missing), missing[:1], missing[-1:])
    expect(firsts == sorted(firsts), "they came in another order")
    return len(firsts), len(all_) - len(firsts)


def declared(p, transport):
    return 'log_server = { address = "%s"; port = 10514; name = "log.example"; ca = "%s/ca.pem"; transport = "%s"; };\n' % (SERVER, p.folder, transport)


def begin(box, p, transport="syslog"):
    p.keys()
    policy(box, declared(p, transport))
    server, sender = p.server(transport == "relp"), p.sender()
    p.wait_all_came(40, "the records so far")
    return server, sender


def gone(box, p, server):
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    wait_for(lambda: p.sessions() == 0, 20, "the end of the session")


def records_of_an_hour(box):
    """As many records as in an hour with ten per second wait for a server that is away. Meanwhile
    the program that sends them is restarted, and once more while it sends: nothing is lost, and the
    order is kept."""
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
        # Killed in the middle of a line.
        os.killpg(sender.pid, signal.SIGKILL)
        box.net.stop(sender)
        p.sender()
        n, twice = nothing_lost(p, last)
        expect(twice <= 3 * 16, "%d records came twice", twice)
        wait_for(lambda: p.told()["waiting"] == 0, 20, "the word that all were sent")
        box.verified()
        return "%d records waited, %d came, %d twice" % (waited, n, twice)


def an_hour_away(box):
    """The server refuses, does not answer, and accepts connections without sending, each for a
    third of an hour, with ten records per second. Nothing is lost."""
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


def loses_its_power(box, p, last, server, records):
    """The server loses its power without ending the session, and is back when `records` more
    records were made. Returns (sessions that go on, the last number that had arrived)."""
    sessions = Sessions(box, RATE)
    last.callback(sessions.end)
    wait_for(lambda: len(came(p)) > 40, 60, "records of sessions")
    silent(box, True)
    before = max(came(p))
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    wait_for(lambda: box.last_seq() >= before + records, 600, "records")
    return sessions, before


def without_a_word_by_relp(box):
    """The same with a server that acknowledges each record (RELP): nothing is lost. Then it loses
    its power again, and the sending program is killed while records wait for an acknowledgement:
    images/log moves the position back, so they are sent."""
    box.fresh()
    box.go("")
    with Programs(box) as p, contextlib.ExitStack() as last:
        server, sender = begin(box, p, "relp")
        sessions, before = loses_its_power(box, p, last, server, 120)
        silent(box, False)
        server = p.server(relp=True)
        wait_for(lambda: max(came(p)) > before + 130, 120, "what came later")
        first_twice = len(came(p)) - len(set(came(p)))
        missing = sorted(set(range(1, max(came(p)) + 1)) - set(came(p)))
        expect(not missing, "lost: %s", missing)
        sessions.end()
        p.wait_all_came(60, "all so far")
        sessions, before = loses_its_power(box, p, last, server, 60)
        box.net.stop(sender)
        silent(box, False)
        p.server(relp=True)
        p.sender()
        sessions.end()
        last.pop_all()
        n, twice = nothing_lost(p, box.last_seq())
        expect(twice <= first_twice + 3 * 16, "%d records came twice", twice)
        return "%d records, none lost, %d twice at the first loss of power, %d at the second" % (n, first_twice, twice - first_twice)


def relp_knows_its_server(box):
    """With RELP as with syslog: a server with another name, or of another authority, gets no
    record, and these records do not count as sent. The same without a certificate of the box, which
    the server requires."""
    box.fresh()
    box.go("")
    with Programs(box) as p:
        p.keys()
        p.server(relp=True)
        real, said = declared(p, "relp"), p.folder + "/sender.log"
        lies = {"name": real.replace("log.example", "other.example"), "authority": real.replace("/ca.pem", "/foreign.pem")}
        for what, lie in lies.items():
            policy(box, lie)
            sender = p.sender()
            wait_for(lambda: "authentication error" in read(said), 30, "its refusal of another " + what)
            box.net.stop(sender)
            expect(came(p) == [], "records went to a server with another %s", what)
        policy(box, real)
        own = p.folder + "/credentials/certificate"
        shown = read(own)
        written(own, "-")
        sender = p.sender()
        wait_for(lambda: "certificate" in read(said), 30, "its word on the box's certificate")
        box.net.stop(sender)
        expect(came(p) == [] and p.told()["waiting"] >= box.last_seq() - 1, "records went from nobody")
        written(own, shown)
        p.sender()
        p.wait_all_came(60, "the records so far")
        return "%d records" % len(set(came(p)))


def relp_asks_again(box):
    """A server with a wrong certificate is asked again as long as it shows one, and gets everything
    when it shows the right one. The unit restarts the program when it ends; here the test does
    it."""
    box.fresh()
    box.go("")
    with Programs(box) as p:
        p.keys("other.example")
        server = p.server(relp=True)
        policy(box, declared(p, "relp"))
        for _ in range(2):
            sender = p.sender(again=2)
            wait_for(lambda: "DISABLING action" in read(p.folder + "/sender.log"), 30, "its refusal of a wrong certificate")
            wait_for(lambda: sender.poll() is not None, 20, "its end")
            expect(sender.returncode == 0, "it ended with %s", sender.returncode)
            expect(came(p) == [], "records went to a wrong server")
        box.net.stop(server)
        for name in os.listdir(p.folder):
            if name.endswith((".pem", ".key")):
                os.unlink(os.path.join(p.folder, name))
        sh("rm", "-rf", p.folder + "/credentials")
        p.keys()
        p.server(relp=True)
        sender = p.sender(again=2)
        p.wait_all_came(60, "the records so far")
        expect(sender.poll() is None, "it ended all the same")
        # When it is ended from outside, the sending program ends at once as well.
        begun = time.monotonic()
        os.kill(sender.pid, signal.SIGTERM)
        wait_for(lambda: sender.poll() is not None, 5, "its end when told to")
        return "%d records, ended within %.1f s" % (len(set(came(p))), time.monotonic() - begun)


def led_back_once(_):
    """images/log moves the noted position back by sixteen lines, if needed into the earlier file.
    Restarts without any sending in between move it only once; a new position is moved again."""
    with tempfile.TemporaryDirectory() as folder:
        files, notes = [], []
        for n, name in enumerate(("events-1.log", "events-41.log")):
            files.append(written(os.path.join(folder, name), "".join("line %2d\n" % (40 * n + i) for i in range(40))))
            notes.append("%s/imfile-state:%d" % (folder, os.stat(files[-1]).st_ino))

        def note(n, lines):
            written(notes[n], '{"filename":"%s","prev_was_nl":1,"curr_offs":%d,"strt_offs":%d}' % (files[n], 8 * lines, 8 * lines))

        def begun(times):
            for _ in range(times):
                subprocess.run([os.path.join(TOP, "images/log"), folder], env={"PATH": os.environ["PATH"], "STATE_DIRECTORY": folder}, check=True)
            return [json.loads(read(x))["curr_offs"] // 8 for x in notes]

        note(0, 40)
        for lines, times, want in ((30, 1, [40, 14]), (30, 5, [40, 14]), (20, 3, [40, 4]), (10, 1, [34, 0]), (0, 4, [34, 0]), (3, 2, [21, 0])):
            if lines > 0:
                note(1, lines)
            expect(begun(times) == want, "at line %d of the newest, begun %d times: %s, not %s", lines, times, [json.loads(read(x))["curr_offs"] // 8 for x in notes], want)
        note(0, 40)
        note(1, 0)
        os.unlink(folder + "/led")
        expect(begun(1) == begun(3) == [24, 0], "the newest was not begun yet: %s", begun(1))
        expect(not os.path.exists(folder + "/again.new"), "half a note is left")


def another_way_there(box):
    """The server is away, records wait, and box.cfg changes the transport and changes it back:
    nothing is lost with either one."""
    box.fresh()
    box.go("")
    with Programs(box) as p:
        server, sender = begin(box, p, "relp")
        twice = 0
        for transport in ("syslog", "relp"):
            gone(box, p, server)
            for _ in range(10):
                policy(box, declared(p, transport))
            box.net.stop(sender)
            server, sender = p.server(transport == "relp"), p.sender()
            n, twice = nothing_lost(p, box.last_seq())
        expect(twice <= 4 * 16, "%d records came twice", twice)
        return "%d records, none lost, %d twice" % (n, twice)


def without_a_word(box):
    """A server whose machine loses its power does not end its session. Until the kernel gives the
    connection up, it takes records that the server never gets (docs/operate.md says so). The
    missing records are consecutive, and begin when the power is lost; there are not many more than
    those of GIVEN_UP seconds. The box still has them, and their numbers show the server what is
    missing."""
    box.fresh()
    box.go("")
    with Programs(box) as p, contextlib.ExitStack() as last:
        server, _ = begin(box, p)
        sessions, before = loses_its_power(box, p, last, server, 60)
        wait_for(lambda: p.sessions() == 0, 2 * GIVEN_UP, "the connection to be given up")
        silent(box, False)
        p.server()
        # The kernel repeats at growing intervals, and only then notices that the session is gone.
        wait_for(lambda: max(came(p)) > before + 60, 120, "what came later")
        sessions.end()
        last.pop_all()
        goal = max(came(p))
        missing = sorted(set(range(1, goal + 1)) - set(came(p)))
        expect(missing == list(range(missing[0], missing[-1] + 1)) and before - 16 < missing[0] <= before + 16 if missing else True, "missing: %s, from %d on", missing, before)
        expect({e["seq"] for e in box.events(missing[0] - 1)} >= set(missing) if missing else True, "the box has lost them as well")
        expect(len(missing) <= 2 * RATE * 2 * GIVEN_UP, "%d records with nobody", len(missing))
        return "%d records with nobody, of %d" % (len(missing), goal)


CASES = (records_of_an_hour, without_a_word, without_a_word_by_relp, relp_knows_its_server, relp_asks_again, led_back_once, another_way_there, an_hour_away)
NEED_THEM = CASES

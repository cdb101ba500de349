# SPDX-License-Identifier: Apache-2.0
"""Two kinds of workers with separate lanes, and changes of their number. A session must not notice
what the other kind does, or how many workers there are. Counts packets where they arrive."""
import os
import signal
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import modbus  # noqa: E402
from box import conduit  # noqa: E402
from cases import expect  # noqa: E402
from net import Capture, decode, inside, sh, wait_for  # noqa: E402
from waits import Waits  # noqa: E402

OT, OPS = "10.73.0.2", "10.72.0.2"
HOSTS = ["10.72.0.%d" % n for n in range(20, 36)]
READ = conduit("reads", "ops", "ot", ["read"], criticality="cargo")
HOLD = conduit("reads", "ops", "ot", ["read"], criticality="cargo", when_down="hold", when_overloaded="hold", when_midstream="pick_up")
NAMES = conduit("names", "it", "ops", ["names"], criticality="support")
QUESTION = b"\x01\x00\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"
# seconds, not counting waits for a core; less than TCP's shortest retransmission time
LATE = 0.1


def segments(frames, port=502):
    """(source, source port, sequence number, data) of each segment with data that arrived,
    including repetitions."""
    found = [decode(f) for f in frames]
    for _, source, _, proto, t in (x for x in found if x is not None):
        if proto == 6 and len(t) >= 20 and struct.unpack("!H", t[2:4])[0] == port and len(t) > (t[12] >> 4) * 4:
            yield source, struct.unpack("!H", t[:2])[0], struct.unpack("!I", t[4:8])[0], t[(t[12] >> 4) * 4:]


ENDS = 8  # half of them are killed, half are stopped


class Killer:
    """Ends all workers of one kind again and again: kills them, or stops them until their gate
    finds that they hang."""

    def __init__(self, box, kind):
        self.box, self.kind, self.ended, self.killed, self.hung = box, kind, False, 0, 0
        self.stopped = set()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended:
            for r in self.box.status()["roles"]:
                if r["role"] == "dpi" and r["kind"] == self.kind and r["pid"]:
                    stop = (self.killed + self.hung) % 2 == 1
                    try:
                        os.kill(r["pid"], signal.SIGSTOP if stop else signal.SIGKILL)
                    except ProcessLookupError:
                        continue
                    self.hung += stop
                    self.killed += not stop
                    if stop:
                        self.stopped.add(r["pid"])

    def beside(self, ask, n):
        """Asks n times while workers are being ended, in ENDS parts of equal size. A part begins
        when one more worker was ended, so not all questions come after the last end."""
        first = second = 0
        for i in range(ENDS):
            wait_for(lambda: self.killed + self.hung > i, 10, "end %d of a worker" % (i + 1))
            one, two = ask(self.box, n // ENDS)
            first, second = first + one, second + two
        return first, second

    def end(self):
        self.ended = True
        self.thread.join()
        # A worker that was stopped last looks alive until its gate finds that it hangs.
        wait_for(lambda: not self.stopped & {r["pid"] for r in self.box.status()["roles"]}, 8, "whoever was stopped to be replaced")
        wait_for(self.box.running, 8, "all workers again")


def passage(box, kind):
    """The processes that a packet of this kind's lanes depends on, and this process."""
    return Waits([r["pid"] for r in box.status()["roles"] if r["role"] == "gate" or r["role"] == "dpi" and r["kind"] == kind])


def polls(box, n):
    """Sends requests one after the other in one session. Returns how many were late, and how many
    arrived. A repeated request that was not late was repeated because this host waited for a
    core."""
    capture = Capture(box.net, box.ns("ot"), "eth0")
    s = modbus.connect(box.ns("ops"), OT, 502, timeout=5.0)
    late, waits = 0, passage(box, "commands")
    for tid in range(1, n + 1):
        begin = time.monotonic()
        s.sendall(modbus.read_holding(0, 4, tid=tid))
        expect(modbus.answer(s)[:2] == tid.to_bytes(2, "big"), "poll %d has another answer", tid)
        end = time.monotonic()
        waits.sample()
        late += end - begin - waits.between(begin, end) > LATE
    port = s.getsockname()[1]
    s.close()
    arrived = {seq for _, from_port, seq, _ in segments(capture.incoming()) if from_port == port}
    capture.close()
    return late, len(arrived)


def questions(box, n):
    """Sends datagrams that each begin a flow and are named by nDPI. Returns how many arrived, and
    how many were late."""
    capture = Capture(box.net, box.ns("ops"), "eth0")
    # nobody sets the event; waiting for it sets the pace of the traffic
    sent, pace, waits = {}, threading.Event(), passage(box, "naming")
    with inside(box.ns("it")):
        for i in range(n):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.connect((OPS, 53))
            sent[i] = time.monotonic()
            s.send(struct.pack("!H", i) + QUESTION)
            s.close()
            waits.sample()
            pace.wait(0.005)

    def arrived():
        times = {}
        for at, came_in, frame in list(capture.frames):
            found = decode(frame) if came_in else None
            if found and found[3] == 17 and found[4][8 + 2:] == QUESTION:
                times.setdefault(struct.unpack("!H", found[4][8:10])[0], at)
        return times
    try:
        wait_for(lambda: len(arrived()) == n, 0.5, "all questions")
    except TimeoutError:
        pass  # the caller checks the number
    times = arrived()
    waits.sample()
    capture.close()
    return len(times), sum(times[i] - sent[i] - waits.between(sent[i], times[i]) > LATE for i in times)


def kinds_apart(box):
    """Workers of one kind that die and hang all the time neither delay nor lose a packet of the
    other kind's lanes."""
    box.apply(READ, NAMES)
    n = 400
    expect(polls(box, 50) == (0, 50) and questions(box, 50) == (50, 0), "not even while all live")
    killer = Killer(box, "naming")
    late, arrived = killer.beside(polls, n)
    named, _ = questions(box, 100)
    killer.end()
    expect((late, arrived) == (0, n), "beside dead naming workers %d of %d polls were late, %d came", late, n, arrived)
    expect(named < 100, "nobody was away: all questions were named")
    first = killer.killed + killer.hung
    live = modbus.connect(box.ns("ops"), OT, 502, timeout=3.0)
    killer = Killer(box, "commands")
    arrived, late = killer.beside(questions, n)
    killer.end()
    expect((arrived, late) == (n, 0), "beside dead command workers %d of %d questions came, %d late", arrived, n, late)
    expect(not goes_on(live), "nobody was away: a session without its worker goes on")
    return "%d polls beside %d ends of naming workers, %d questions beside %d of command workers; none late" % (
        n, first, n, killer.killed + killer.hung)


def goes_on(s):
    try:
        s.sendall(modbus.read_holding(0, 4))
        return bool(modbus.answer(s))
    except OSError:
        return False
    finally:
        s.close()


def run_of(box):
    return box.status()["workers_run"]


def slots_used(box):
    """How many queues have ever had a packet."""
    with open("/proc/%d/net/netfilter/nfnetlink_queue" % box.pids("enforce")[0], encoding="ascii") as f:
        return sum(int(line.split()[7]) > 0 for line in f)


def other_number(box):
    """Sixteen pairs of hosts poll. When another number of workers is applied, no session notices.
    When the daemon is restarted, which makes the new number effective, every session goes on as its
    conduit says, and none is reset."""
    for host in HOSTS:
        sh("ip", "address", "add", host + "/24", "dev", "eth0", ns=box.ns("ops"))
    before, notes = box.workers, []
    try:
        box.restart_with(1)
        box.apply(HOLD)
        expect(run_of(box)["commands"] == 1, "it runs %s", run_of(box))
        sessions = [modbus.connect(box.ns("ops"), OT, 502, host, timeout=8.0) for host in HOSTS]
        for s in sessions:  # the handshakes alone need not visit the worker
            s.sendall(modbus.read_holding(0, 4))
            modbus.answer(s)
        used = slots_used(box)
        expect(used >= 4, "only %d slots", used)
        for number in (2, 1):
            notes.append(change_number(box, sessions, number))
        for s in sessions:
            s.close()
        return "%d slots; %s" % (used, "; ".join(notes))
    finally:
        box.restart_with(before)
        for host in HOSTS:
            sh("ip", "address", "del", host + "/24", "dev", "eth0", ns=box.ns("ops"))


def change_number(box, sessions, number):
    capture, resets, pids = Capture(box.net, box.ns("ot"), "eth0"), box.echo.resets, box.pids("dpi")
    poller, last = Poller(sessions), box.last_seq()
    box.workers = number
    said = box.apply(HOLD).stdout
    poller.round()
    said_once = list(segments(capture.incoming()))
    expect(len(said_once) == len(set(said_once)), "%d segments arrived twice", len(said_once) - len(set(said_once)))
    met = [e["reason"] for e in box.events(last) if e["kind"] == "flow"]
    expect(not met, "a worker met sessions that it did not know: %s", met)
    # no more workers than cores run: on one core both numbers give one worker, and there is nothing
    # to wait for
    runs = min(number, os.cpu_count())
    words = "this box has 1 cores: it runs 1" if runs < number else "until the daemon is started again" if os.cpu_count() > 1 else ""
    expect(words in " ".join(said.split()), "not told: %s", said)
    expect(box.pids("dpi") == pids and (run_of(box)["commands"] != number or os.cpu_count() == 1), "it runs %s at once", run_of(box))
    capture.close()
    box.kill()
    box.start()
    wait_for(lambda: box.running() and run_of(box)["commands"] == runs, 8, "%d workers" % runs)
    poller.round()
    asked = poller.end()
    expect(box.echo.resets == resets, "%d sessions were reset", box.echo.resets - resets)
    expect("until" not in box.apply(HOLD).stdout, "told again")
    return "%d polls over the change to %d%s" % (asked, number, "" if runs == number else ", of which this machine has room for one")


class Poller:
    """Polls in all sessions, one after the other, all the time."""

    def __init__(self, sessions):
        self.sessions, self.asked, self.rounds, self.ended, self.trouble = sessions, 0, 0, False, None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while not self.ended:
                for s in self.sessions:
                    self.asked += 1
                    s.sendall(modbus.read_holding(0, 4, tid=self.asked & 0xffff))
                    expect(modbus.answer(s)[:2] == (self.asked & 0xffff).to_bytes(2, "big"), "request %d has no answer", self.asked)
                self.rounds += 1
        except (OSError, AssertionError) as e:
            self.trouble = e

    def round(self):
        """Waits until each session has asked and got an answer once more."""
        at = self.rounds
        wait_for(lambda: self.trouble or self.rounds >= at + 2, 10, "a round")
        expect(self.trouble is None, "session %d: %s", self.asked % len(self.sessions), self.trouble)

    def end(self):
        self.ended = True
        self.thread.join()
        expect(self.trouble is None, "%s", self.trouble)
        return self.asked


CASES = [kinds_apart, other_number]

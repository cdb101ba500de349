# SPDX-License-Identifier: Apache-2.0
"""Cells: the flow of a state while an event happens. All cells of an event, or of two at once, are
in one box at the same time."""
import os
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import reports
from field import Intruder, Poller
from net import wait_for
from record import Before, wrong_records

# States in which the sequence numbers for a reset are not known, or no end is left that would
# receive it.
UNHEARD = ("SynSent", "SynAnswered", "BothClosed")


class Cell:
    def __init__(self, event, state, six):
        self.event, self.state, self.six = event, state, six
        self.problem = None

    def name(self):
        return "%s.%s/%s" % (self.event.name(), self.state.__name__, "IPv6" if self.six else "IPv4")


class Live:
    def __init__(self, field, cell):
        self.cell, self.state = cell, cell.state(field, cell.six)
        change = cell.event.policy.change
        self.state.observing = change.get("keys", {}).get("mode") == "observe" or getattr(change.get("edit"), "unlimited", False)
        self.want = None

    def step(self, what, function, *args):
        if self.cell.problem:
            return
        try:
            function(*args)
        except Exception as e:  # a failed cell is reported, and the others go on
            self.cell.problem = "%s: %s: %s" % (what, type(e).__name__, e)
            if os.environ.get("TRACE"):
                traceback.print_exc()

    def check(self, event):
        self.event, want = event, event.expect(self.state)
        if self.state.halfway and self.state.lane == "commands" and want == "goes_on":
            want = "any"  # the session met a worker that does not know it
        self.want = want
        self.state.lossless = event.lossless or self.state.lane in event.kept
        if want == "cut" and hasattr(self.state.f, "c") and event.told_at_once(self.state):
            self.step(want, self.is_told)
        self.step(want, {"goes_on": self.goes_on, "cut": self.is_cut, "refused": self.is_cut, "any": self.is_any}[want])
        if want == "goes_on":
            self.step("with what it was given", event.also, self.state)
        done_at = getattr(event, "done_at", None)
        if want == "cut" and done_at and hasattr(self.state, "late"):
            self.step(want, self.not_late, done_at)

    def not_late(self, done_at):
        late = self.state.late(done_at)
        if late:
            raise AssertionError("bytes at the server more than 0.1 s after it was done: %s" % late.hex())

    def resets(self):
        f = self.state.f
        return [end for end in (getattr(f, "c", None), getattr(f, "s", None)) if end is not None and end.was_reset()]

    def goes_on(self):
        if self.resets():
            raise AssertionError("reset")
        self.state.go_on()
        if self.resets() and not self.state.ended:
            raise AssertionError("reset while it went on")

    def is_told(self):
        f = self.state.f
        wait_for(lambda: f.c.was_reset() and f.s.was_reset(), 1.0, "resets at both ends without a word of either (client %s, server %s)" %
                 (bool(f.c.was_reset()), bool(f.s.was_reset())))

    def is_cut(self):
        f, state = self.state.f, self.state
        if not hasattr(f, "c"):
            state.poke()  # nobody is told; record.py checks at the end whether it arrived
            return
        before = f.c.got, f.s.got
        if not (f.c.was_reset() and f.s.was_reset()):
            state.poke()
        # only the client's packets show the sequence numbers, and a stack repeats them until it
        # gets an answer
        if state.halfway and not f.c.was_reset():
            try:
                wait_for(lambda: f.c.was_reset() and f.s.was_reset(), 0.5, "resets")
            except TimeoutError:
                state.poke()
        if state.name() not in UNHEARD:
            wait_for(lambda: f.c.was_reset(), 1.0, "a reset that the client believes")
            wait_for(lambda: f.s.was_reset(), 1.0, "a reset that the server believes")
        state.poke()
        for who, end, had in (("client", f.c, before[0]), ("server", f.s, before[1])):
            if end.got != had:
                raise AssertionError("bytes reached the %s: %s" % (who, end.got[len(had):].hex()))

    def is_any(self):
        """The session goes on, or both ends are told that it is over; it never just falls
        silent."""
        try:
            self.goes_on()
            return
        except (AssertionError, TimeoutError):
            pass
        f = self.state.f
        if not hasattr(f, "c"):
            if self.event.room(self.state):
                self.state.again()
            return
        if self.state.name() in UNHEARD:
            return
        if not (f.c.was_reset() and f.s.was_reset()):
            f.c.segment(flags=16)
            f.c.segment(self.state.request(), seq=f.c.acked or f.c.seq)
        wait_for(lambda: f.c.was_reset() and f.s.was_reset(), 1.5, "resets at both ends (client %s, server %s)" %
                 (bool(f.c.was_reset()), bool(f.s.was_reset())))


def together(function, lives):
    """Calls the function for all flows at the same time, so that their packets alternate on the
    wire."""
    with ThreadPoolExecutor(max_workers=64) as pool:
        list(pool.map(function, lives))


def prepare(field, lives):
    halfway = [x for x in lives if x.state.halfway]
    together(lambda x: x.step("prepare", x.state.prepare), halfway)
    if halfway:
        old = set(field.pids("dpi"))
        for pid in old:
            os.kill(pid, 9)
        wait_for(lambda: field.running() and not set(field.pids("dpi")) & old, 6, "workers anew")
    together(lambda x: x.step("prepare", x.state.prepare), [x for x in lives if not x.state.halfway and not x.state.hurries])
    together(lambda x: x.step("prepare", x.state.prepare), [x for x in lives if x.state.hurries])


class Row:
    """The results of one row: its cells, and what is wrong with the row as a whole."""

    def __init__(self, field, event, cells):
        self.field, self.event, self.cells = field, event, cells
        self.trouble, self.polls, self.sent = [], 0, 0
        self.started = time.monotonic()

    def attempt(self, what, function, *args):
        try:
            return function(*args)
        except Exception as e:
            self.trouble.append("%s: %s: %s" % (what, type(e).__name__, e))
            if os.environ.get("TRACE"):
                traceback.print_exc()

    def speak_meanwhile(self, lives):
        """Sends, while the event happens, the packets that are to be on their way then. Returns the
        threads that send."""
        delay = getattr(self.event, "delay", lambda: 0.0)()

        def speak(x):
            threading.Event().wait(delay)
            x.step("under way", x.state.during)
        threads = [threading.Thread(target=speak, args=(x,)) for x in lives if x.state.moves and not x.cell.problem]
        for t in threads:
            t.start()
        return threads

    def run(self):
        field, event = self.field, self.event
        field.ready()
        event.before(field)
        for hub in (field.ops, field.ot):
            hub.others = []
        lives = [Live(field, c) for c in self.cells]
        prepare(field, lives)
        before, self.first_seq = Before(field), field.last_seq()
        pollers = [Poller(field, six) for six in (False, True)]
        intruder = Intruder(field)
        event.lives = lives
        speakers = self.speak_meanwhile(lives)
        self.attempt("the event itself", event.fire, field)
        for t in speakers:
            t.join()
        together(lambda x: x.check(event), lives)
        for poller, family in zip(pollers, ("IPv4", "IPv6")):
            self.check_poller(poller, family)
        self.sent, arrived = intruder.end()
        after = Before(field) if field.daemon.poll() is None else None
        for x in lives:
            x.state.forget()
        self.check_forbidden(arrived)
        self.trouble += self.attempt("records", lambda: list(wrong_records(self, before, after, lives))) or []
        states = [x.state for x in lives if not x.cell.problem]
        self.trouble += self.attempt("what the box says", lambda: list(event.wrong(field, states))) or []
        self.attempt("afterwards", self.tidy)
        self.trouble += reports.found()
        return self

    def check_poller(self, poller, family):
        event, want = self.event, self.event.polls()
        try:
            on = poller.goes_on(3 if event.lossless else 16)
        except TimeoutError as e:
            self.trouble.append("the session that polls (%s): %s" % (family, e))
            on = want == "goes_on"
        if want == "goes_on" and not on:
            self.trouble.append("the session that polls (%s) was lost after %d polls: %s; records: %s" %
                                (family, poller.polls, poller.failure, self.told_of(poller)))
        elif want == "goes_on" and event.lossless and poller.lost():
            self.trouble.append("the session that polls (%s) lost %d packets (slowest poll %.0f ms)" %
                                (family, poller.lost(), poller.worst * 1000))
        if want == "cut" and on:
            self.trouble.append("the session that polls (%s) goes on" % family)
        self.polls += poller.polls
        poller.close()

    def told_of(self, poller):
        """What the box has recorded about the event, and what it did meanwhile."""
        return [(e["time"][11:], e["kind"]) + tuple(e[k] for k in ("code", "reason", "conduit", "object", "generation") if k in e)
                for e in self.field.events(self.first_seq)
                if e["kind"] in ("drift", "policy", "role") or e.get("client", "").endswith(":%d" % poller.sport)]

    def check_forbidden(self, arrived):
        """No forbidden packet arrives; if another program removed the rules, none outside the gap
        that the record admits."""
        if arrived and self.event.gap:
            gap = sum(e.get("value", 0) for e in self.field.events(self.event.seq) if e["kind"] == "drift") / 1e6
            arrived = [a for a in arrived if not self.event.began <= a[0] <= self.event.ended + gap + 0.02]
        if arrived:
            self.trouble.append("%d of %d forbidden packets arrived, first %s" % (len(arrived), self.sent, arrived[0]))

    def tidy(self):
        field = self.field
        self.event.after(field)
        if field.daemon.poll() is not None:
            self.trouble.append("the daemon ended with status %s" % field.daemon.returncode)
            field.start()
        field.seam.nothing()
        field.ready()

    def tell(self):
        bad = [c for c in self.cells if c.problem]
        verbose = os.environ.get("VERBOSE")
        print("%s  %s (%.1f s): %d of %d cells, %d polls, %d forbidden packets" %
              ("ok    " if not bad and not self.trouble else "FAILED", self.event.name(), time.monotonic() - self.started,
               len(self.cells) - len(bad), len(self.cells), self.polls, self.sent), flush=True)
        for c in bad[:None if verbose else 8]:
            print("          %s: %s" % (c.name(), c.problem), flush=True)
        if len(bad) > 8 and not verbose:
            print("          and %s (VERBOSE=1 tells how)" % ", ".join(c.name().rpartition(".")[2] for c in bad[8:]), flush=True)
        for t in self.trouble[:None if verbose else 12]:
            print("          " + t, flush=True)
        return len(self.cells) - len(bad) + (not self.trouble), len(bad) + bool(self.trouble)

# SPDX-License-Identifier: Apache-2.0
"""Limited resources are used up, by another zone and by the crane's own zone: each only uses up its
own share."""
import os
import subprocess
import sys

from event import Event
from net import sh, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))


class Flood(Event):
    lossless = exact = False
    kind, seconds, most = None, 3.0, ()
    # counters of the kernel or of a worker, one of which must have grown, which shows that the
    # resource was really used up
    full = ()

    def flood(self, field, seed, *more):
        done = subprocess.run([sys.executable, HERE + "/flood.py", self.kind, str(self.seconds), str(seed), os.environ["PREFIX"]] +
                              [field.mac(z) for z in ("ops", "ot", "it")] + [str(m) for m in more], capture_output=True, text=True,
                              timeout=self.seconds + 60, check=False, start_new_session=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-300:])
        return int(done.stdout)

    def fire(self, field):
        before, self.sent = self.counted(field), 0
        for seed in range(4):  # a busy machine may not send fast enough
            self.sent += self.flood(field, seed, *self.most)
            self.grown = {k: v - before.get(k, 0) for k, v in self.counted(field).items() if v > before.get(k, 0)}
            if self.is_full(field):
                break
        # the next packets of the sessions are read after the whole flood
        for reader in field.net.captures + [field.ops, field.ot]:
            wait_for(reader.caught_up, 30, "the flood in a capture")

    def is_full(self, _field):
        return not self.full or any(self.grown.get(word) for word in self.full)

    def held(self):
        return "not told how much"

    def counted(self, field):
        status = field.status()
        found = {k: v["packets"] for k, v in status["kernel"]["counters"].items()}
        for worker in status["workers"]:
            for word, n in worker.get("reasons", {}).items():
                found[word] = found.get(word, 0) + n
        found["queue"] = sum(q["dropped_full"] + q["dropped_user"] for q in status["queues"])
        return found

    def wrong(self, field, states):
        if not self.is_full(field):
            yield "nothing was full: %s by %d packets, which made %s grow" % (self.held(), self.sent, self.grown)

    def changed(self, state):
        # a session that is new, forgotten or not answered yet needs what its own side has used up
        return "any" if (state.ended or not state.followed or state.forgotten) and not self.room(state) else "goes_on"

    def expect(self, state):
        return "any" if state.ended and not self.room(state) else super().expect(state)

    def room(self, state):
        return state.lane != self.own

    own = None

    def after(self, field):
        sh("conntrack", "-F", ns=field.data)


class SessionsFull(Flood):
    """Sessions that stay, from hosts that do not exist, until there is hardly room for another one.
    Most of them are opened in advance, because a slow machine needs long for all."""
    full, seconds, most = ("share.zone",), 60.0, (1 << 30,)
    network, zone, lane = None, None, None
    grown = {}

    def neighbours(self, field, verb, what=""):
        """Neighbour entries, so that the box need not ask for hosts that do not exist."""
        sh("ip", "-batch", "-", ns=field.data, input="".join(
            "neigh %s %s.%d %s dev %s0\n" % (verb, self.network, n, what, self.zone) for n in range(10, 250)))

    def before(self, field):
        super().before(field)
        self.neighbours(field, "replace", "lladdr %s nud permanent" % field.mac_at(self.zone))
        self.flood(field, 77, 25000)

    def is_full(self, field):
        """Full by the rules, which refused new sessions, and by the number of tracked sessions of
        this zone and lane."""
        self.share = next(((s["sessions"], s["most"]) for s in field.status()["tracking"]["shares"]
                           if s["zone"] == self.zone and s["lane"].startswith(self.lane)), (0, 1))
        # then a third of the 640 parts is full
        return super().is_full(field) and self.share[0] >= 0.92 * self.share[1]

    def held(self):
        return "%d of %d sessions" % self.share

    def after(self, field):
        super().after(field)
        self.neighbours(field, "del")


class SessionsFullByAnother(SessionsFull):
    kind, network, zone, lane = "strangers", "10.71.0", "it", "naming/"


class SessionsFullByThisZone(SessionsFull):
    kind, network, zone, lane, own = "own_zone", "10.72.0", "ops", "commands/", "commands"


class FlowsFull(Flood):
    """The table of flows is filled over a lane for recognition of the same zone."""
    kind = "questions"


class QueueFull(Flood):
    kind, seconds = "repeated", 1.5


class PoolFullByAnother(Flood):
    """The pool is filled by sessions of another criticality."""
    kind, full = "pool_hold", ("pool_full",)


class PoolFullByThisLane(Flood):
    """The pool is filled by another pair of hosts in the same share."""
    kind, full = "pool_commands", ("pool_full",)


class StrangersFlood(Event):
    """Another zone sends as much as it can into a lane for recognition."""
    lossless = exact = False

    def fire(self, field):
        code = ("import socket,time\ns=[socket.socket(socket.AF_INET,socket.SOCK_STREAM) for _ in range(300)]\n"
                "for x in s:\n x.setblocking(False)\n try: x.connect(('10.72.0.2',443))\n except OSError: pass\n"
                "e=time.time()+1\nu=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
                "while time.time()<e:\n for p in range(2000,2400):\n  try: u.sendto(b'x',('10.73.0.2',p))\n  except OSError: pass\n")
        field.net.spawn([sys.executable, "-c", code], field.ns("it")).wait()


class CallsWithoutEnd(Event):
    """A host of the crane's own zone opens one session after another and sends no data."""
    lossless = exact = False

    def fire(self, field):
        code = ("import socket,time\ne=time.time()+1.5\nk=[]\n"
                "while time.time()<e and len(k)<900:\n x=socket.socket()\n x.setblocking(False)\n"
                " try: x.connect(('10.73.0.2',1502))\n except OSError: pass\n k.append(x)\n")
        field.net.spawn([sys.executable, "-c", code], field.ns("ops")).wait()


FLOODS = (StrangersFlood, CallsWithoutEnd, SessionsFullByAnother, SessionsFullByThisZone, FlowsFull, QueueFull, PoolFullByAnother,
          PoolFullByThisLane)

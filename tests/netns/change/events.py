# SPDX-License-Identifier: Apache-2.0
"""What may happen to a box, and what each state of a flow is then to expect: written from the design, not from what the box does.

An event is `before` (a policy, perhaps), `fire`, and `expect(state)`:
  goes_on   not a packet of it was lost and nobody was reset
  cut       what it says next does not arrive, and both ends were told
  refused   like cut; nothing of it was ever allowed
  any       it goes on, or both ends were told: the cause took away what the box knew of it
"""
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from field import Policy
from net import inside, sh, wait_for

COMMANDS = ("commands",)


class Event:
    policy = Policy()
    cells = True
    reason = None  # why it is not run

    def before(self, field):
        field.apply_policy(self.policy)

    def fire(self, field):
        raise NotImplementedError

    def after(self, field):
        """What the event left behind is taken away."""

    def changed(self, state):
        return "goes_on"

    def expect(self, state):
        if state.refused:
            return "refused"
        if state.ended:
            return "goes_on" if self.changed(state) in ("goes_on", "any") else "cut"
        return self.changed(state)

    def polls(self):
        """What becomes of the session that polls: as an open one of the commands lane."""
        from states import OpenAndSilent
        return self.changed(OpenAndSilent)

    lossless = True  # the polling session repeats nothing either

    def name(self):
        return type(self).__name__


# ---- policy ----------------------------------------------------------------------------------------------------------

class Applied(Event):
    new = Policy()
    options = ()
    narrows = False  # refuses the writes that were accepted

    def fire(self, field):
        self.announced = field.apply_policy(self.new, "--dry-run", *self.options)
        self.told = field.apply_policy(self.new, *self.options)

    def wrong_lists(self, states):
        """What the lists before and at the apply say of these flows, against what then became of them."""
        def ports(answer, key):
            return {int(x["client"].rsplit(":", 1)[1]) for x in answer.get(key, [])}
        for key in ("cut", "narrowed"):
            before, now = ports(self.announced, key), ports(self.told, key)
            for s in states:
                if (s.f.sport in before) != (s.f.sport in now):
                    yield "%s: %s by the dry run: %s, by the apply: %s" % (s.name(), key, s.f.sport in before, s.f.sport in now)
        cut, narrowed = ports(self.told, "cut"), ports(self.told, "narrowed")
        for s in states:
            if s.ended or s.refused or s.halfway or not s.followed:
                continue
            want = self.expect(s)
            if want == "goes_on" and s.f.sport in cut:
                yield "%s goes on, and is in the list of cuts" % s.name()
            if want == "cut" and s.accepted and s.f.sport not in cut | narrowed:
                yield "%s is cut, and stands in no list" % s.name()
            if self.narrows and s.lane in COMMANDS and s.wrote and s.f.sport not in cut | narrowed:
                yield "%s wrote what is refused now, and stands in no list" % s.name()
            if want == "goes_on" and not s.wrote and s.f.sport in narrowed:
                yield "%s said nothing that is refused now, and is in the list of what is narrowed" % s.name()


class SameTextAgain(Applied):
    pass


class WidenedForThisFlow(Applied):
    new = Policy(holding="0-199")


class WidenedForOthers(Applied):
    new = Policy(others=True)


class AnotherPairTakenAway(Applied):
    policy, new = Policy(others=True), Policy()


class NarrowedByAddress(Applied):
    new = Policy(elsewhere=True)

    def changed(self, state):
        return "cut" if state.lane in COMMANDS else "goes_on"


class NarrowedByCommand(Applied):
    new, narrows = Policy(writes=False), True

    def changed(self, state):
        return "cut" if state.lane in COMMANDS and state.writes else "goes_on"


class NarrowedByValue(NarrowedByCommand):
    new = Policy(values="0-6")


class NarrowedByRegister(NarrowedByCommand):
    new = Policy(holding="2-99")


class ModeChanged(Applied):
    new = Policy(keys={"mode": "observe"})

    def expect(self, state):
        # what was refused is recorded now; the session that was cut for it stays cut
        return super().expect(state)


class FailureWordsChanged(Applied):
    new = Policy(keys={"when_down": "hold", "when_overloaded": "hold", "when_midstream": "pick_up"})


class CriticalityChanged(Applied):
    new = Policy(keys={"criticality": "safety"})


class Renamed(Applied):
    new = Policy(name="reads-renamed")


def moment(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


class EndedByTime(Event):
    """`until` comes while everybody is at work."""

    def before(self, field):
        self.end = time.time() + 14
        field.apply_policy(Policy(keys={"until": moment(14)}))

    def fire(self, field):
        wait_for(lambda: time.time() > int(self.end) + 0.1, 30, "the end")

    def changed(self, state):
        return "cut" if state.lane in COMMANDS else "goes_on"


class SuccessorStands(EndedByTime):
    """The right ends; another with a later end, over the same space, goes on."""

    def before(self, field):
        self.end = time.time() + 14
        field.apply_policy(Policy(keys={"until": moment(14)}, successor=moment(3600)))

    def changed(self, state):
        return "goes_on"


class ConfirmedNarrowing(NarrowedByCommand):
    options = ("--confirm", "60")

    def fire(self, field):
        super().fire(field)
        field.sekisho("confirm")


class TrialExpired(Applied):
    new = Policy(holding="0-199")
    options = ("--confirm", "1")

    def fire(self, field):
        before = field.status()["generation"]["digest"]
        super().fire(field)
        wait_for(lambda: field.status()["generation"]["digest"] == before, 5, "the return")


class RolledBack(Applied):
    policy, new = Policy(), Policy(holding="0-199")

    def fire(self, field):
        super().fire(field)
        field.sekisho("rollback")


class RolledBackToLess(Event):
    """The earlier policy allowed no writes."""
    policy = Policy(writes=False)

    def before(self, field):
        field.apply_policy(self.policy)
        field.apply_policy(Policy())

    def fire(self, field):
        field.sekisho("rollback")

    changed = NarrowedByCommand.changed


class TakenOver(Applied):
    new = Policy(holding="0-199")

    def fire(self, field):
        field.apply_policy(Policy(others=True), "--confirm", "60")
        field.apply_policy(self.new, "--take-over")


class RefusedText(Event):
    def fire(self, field):
        done = field.apply_policy(Policy(keys={"critcality": "cargo"}), check=False)
        assert done.get("done") is not True, done


class RefusedDevice(Event):
    """A device of the new policy does not exist."""

    def fire(self, field):
        field.facts = {'device = "it0"': 'device = "nobody0"'}
        try:
            done = field.apply_policy(Policy(holding="0-199"), check=False)
        finally:
            field.facts = {}
        assert done.get("done") is not True, done


class WorkersChanged(Event):
    def fire(self, field):
        field.workers = 1
        field.apply_policy(Policy())

    def after(self, field):
        field.workers = 2
        field.apply_policy(Policy())
        field.ready()

    lossless = False

    def changed(self, state):
        return "goes_on" if state.lane == "fast" else "any"


# ---- roles -----------------------------------------------------------------------------------------------------------

def signal_all(field, role, number):
    for pid in field.pids(role):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


class Killed(Event):
    role = None

    def fire(self, field):
        old = field.pids(self.role)
        signal_all(field, self.role, signal.SIGKILL)
        wait_for(lambda: field.running() and not set(field.pids(self.role)) & set(old), 6, self.role + " anew")


class WorkerKilled(Killed):
    role = "dpi"
    lossless = False

    def changed(self, state):
        """What the worker knew is gone: by when_midstream."""
        if state.lane in ("commands", "naming"):
            return "any"
        return "any" if state.lane in ("shadow", "pick_up") else "goes_on"


class WorkerStopped(WorkerKilled):
    def fire(self, field):
        old = field.pids("dpi")
        signal_all(field, "dpi", signal.SIGSTOP)
        for _ in range(3):  # somebody must be waiting for an answer before a worker counts as hung
            field.poke_lanes()
        wait_for(lambda: not set(field.pids("dpi")) & set(old) or field.poke_lanes(), 6, "workers anew")
        wait_for(field.running, 6, "workers at work")


class GateKilled(WorkerKilled):
    role = "gate"


class EnforceKilled(Killed):
    role = "enforce"


class JournalKilled(Killed):
    role = "journal"


class TapKilled(Killed):
    role = "tap"


class MgmtKilled(Killed):
    role = "mgmt"


class Stopped(Event):
    role = None

    def fire(self, field):
        old = field.pids(self.role)
        signal_all(field, self.role, signal.SIGSTOP)
        wait_for(lambda: not set(field.pids(self.role)) & set(old), 12, self.role + " anew")
        wait_for(field.running, 6, "every role at work")


class EnforceStopped(Stopped):
    role = "enforce"


class JournalStopped(Stopped):
    role = "journal"


class TapStopped(Stopped):
    role = "tap"


class SupervisorKilled(WorkerKilled):
    """The whole daemon dies and is started again."""

    def fire(self, field):
        field.kill()
        field.start()
        field.ready()


class SupervisorStopped(Event):
    def fire(self, field):
        os.kill(field.daemon.pid, signal.SIGSTOP)
        try:
            threading.Event().wait(1.0)  # how long it stands still
        finally:
            os.kill(field.daemon.pid, signal.SIGCONT)
        wait_for(field.running, 6, "every role at work")


class BusyMachine(Event):
    """A real-time competitor on each core, for a second."""
    lossless = False

    def fire(self, field):
        rivals = [subprocess.Popen(["chrt", "-r", "1", sys.executable, "-c", "import time\ne=time.time()+1\nwhile time.time()<e: pass"])
                  for _ in range(os.cpu_count())]
        for r in rivals:
            r.wait()


# ---- the box ---------------------------------------------------------------------------------------------------------

class LinkDownAndUp(Event):
    lossless = False

    def fire(self, field):
        sh("ip", "link", "set", "eth0", "down", ns=field.ns("ot"))
        threading.Event().wait(0.3)  # how long the link is down
        restore_host(field, "ot")


def restore_host(field, zone):
    from ground import RAW6, V6
    import box as boxes
    ns = field.ns(zone)
    sh("ip", "link", "set", "eth0", "up", ns=ns)
    for address in (V6[zone], RAW6[zone]):
        sh("ip", "addr", "add", address + "/64", "dev", "eth0", "nodad", ns=ns, check=False)
    v4, v6 = boxes.ZONES[zone]
    sh("ip", "route", "replace", "default", "via", v4 + ".1", ns=ns, check=False)
    sh("ip", "-6", "route", "replace", "default", "via", v6 + ":1", ns=ns, check=False)

    def reached():
        return all(sh("ping", "-c", "1", "-W", "1", a, ns=ns, check=False).returncode == 0 for a in (v4 + ".1", v6 + ":1"))
    wait_for(reached, 8, "the box at the link again")
    field.settle_neighbours()


class BoxLinkDownAndUp(LinkDownAndUp):
    def fire(self, field):
        sh("ip", "link", "set", "ot0", "down", ns=field.data)
        threading.Event().wait(0.3)  # how long the link is down
        sh("ip", "link", "set", "ot0", "up", ns=field.data, check=False)
        restore_host(field, "ot")


class AddressTakenAway(Event):
    """Somebody takes the box's address; the box sets it right."""
    lossless = False

    def fire(self, field):
        sh("ip", "addr", "del", "10.73.0.1/24", "dev", "ot0", ns=field.data)
        wait_for(lambda: "10.73.0.1" in sh("ip", "addr", "show", "dev", "ot0", ns=field.data).stdout, 4, "the address")
        restore_host(field, "ot")


class MtuChanged(Event):
    def fire(self, field):
        sh("ip", "link", "set", "ot0", "mtu", "1400", ns=field.data)
        threading.Event().wait(0.2)  # how long packets meet the smaller one

    def after(self, field):
        sh("ip", "link", "set", "ot0", "mtu", "1500", ns=field.data)


class StrangersFlood(Event):
    """Another zone sends all it can into a naming lane."""
    lossless = False

    def fire(self, field):
        code = ("import socket,time\ns=[socket.socket(socket.AF_INET,socket.SOCK_STREAM) for _ in range(300)]\n"
                "for x in s:\n x.setblocking(False)\n try: x.connect(('10.72.0.2',443))\n except OSError: pass\n"
                "e=time.time()+1\nu=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
                "while time.time()<e:\n for p in range(2000,2400):\n  try: u.sendto(b'x',('10.73.0.2',p))\n  except OSError: pass\n")
        process = field.net.spawn([sys.executable, "-c", code], field.ns("it"))
        process.wait()


class CallsWithoutEnd(Event):
    """A host of the crane's own zone opens one session after another and says nothing."""
    lossless = False

    def fire(self, field):
        code = ("import socket,time\ne=time.time()+1.5\nk=[]\n"
                "while time.time()<e and len(k)<900:\n x=socket.socket()\n x.setblocking(False)\n"
                " try: x.connect(('10.73.0.2',1502))\n except OSError: pass\n k.append(x)\n")
        process = field.net.spawn([sys.executable, "-c", code], field.ns("ops"))
        process.wait()


# ---- others ----------------------------------------------------------------------------------------------------------

def healed(field, before):
    wait_for(lambda: any(e["kind"] == "drift" for e in field.events(before)), 4, "a record of the change")
    wait_for(lambda: field.sekisho("verify", check=False).returncode == 0, 6, "the rules as they should be")


class Flushed(Event):
    lossless = False
    commands = ("flush ruleset",)

    def fire(self, field):
        before = field.last_seq()
        for command in self.commands:
            sh("nft", command, ns=field.data)
        healed(field, before)


class SeveralChangesThenFlush(Flushed):
    commands = tuple("add table inet other%d" % n for n in range(4)) + ("insert rule inet sekisho forward accept", "flush ruleset")


class RuleAdded(Flushed):
    commands = ("insert rule inet sekisho forward accept",)


class MadeDormant(Flushed):
    commands = ("add table inet sekisho { flags dormant; }",)


class TableBeside(Event):
    """Another tool's table drops nothing: it is told, and left alone."""

    def fire(self, field):
        before = field.last_seq()
        sh("nft", "add table inet other; add chain inet other f { type filter hook forward priority -5; policy accept; }", ns=field.data)
        wait_for(lambda: any(e["kind"] == "drift" for e in field.events(before)), 4, "a record of the change")

    def after(self, field):
        sh("nft", "delete table inet other", ns=field.data)


class Sysctl(Event):
    lossless = False

    def fire(self, field):
        before = field.last_seq()
        sh("sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward", ns=field.data)
        healed(field, before)


POLICY = (SameTextAgain, WidenedForThisFlow, WidenedForOthers, AnotherPairTakenAway, NarrowedByAddress, NarrowedByCommand,
          NarrowedByValue, NarrowedByRegister, ModeChanged, FailureWordsChanged, CriticalityChanged, Renamed, EndedByTime, SuccessorStands,
          ConfirmedNarrowing, TrialExpired, RolledBack, RolledBackToLess, TakenOver, RefusedText, RefusedDevice, WorkersChanged)
ROLES = (WorkerKilled, WorkerStopped, GateKilled, EnforceKilled, JournalKilled, TapKilled, MgmtKilled, EnforceStopped,
         JournalStopped, TapStopped, SupervisorKilled, SupervisorStopped, BusyMachine)
BOX = (LinkDownAndUp, BoxLinkDownAndUp, AddressTakenAway, MtuChanged, StrangersFlood, CallsWithoutEnd)
OTHERS = (Flushed, SeveralChangesThenFlush, RuleAdded, MadeDormant, TableBeside, Sysctl)
EVENTS = POLICY + ROLES + BOX + OTHERS
# Cells of the table that no run here can reach, and why.
NOT_RUN = {"the clock set forward and back": "it would set the clock of the machine that runs the test; tests/unit covers the detection",
           "memory short": "a limit on the daemon's memory ends roles, which WorkerKilled to TapKilled do as well",
           "iptables, tc, bridge": "tests/netns/kernel, where verify names them"}

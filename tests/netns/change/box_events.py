# SPDX-License-Identifier: Apache-2.0
"""Events of the machine: links, devices, the clock, the disk and memory."""
import os
import subprocess
import threading
import time

import box as boxes
from event import Event
from groups import SANITIZED
from ground import RAW4, RAW6, V4, V6
from net import sh, wait_for
from policies import Policy, moment
from policy_events import EndedByTime


def restore_host(field, zone):
    ns = field.ns(zone)
    sh("ip", "link", "set", "eth0", "up", ns=ns)
    for families, prefix in ((V6, "/64"), (RAW6, "/64")):
        sh("ip", "addr", "add", families[zone] + prefix, "dev", "eth0", "nodad", ns=ns, check=False)
    v4, v6 = boxes.ZONES[zone]
    sh("ip", "route", "replace", "default", "via", v4 + ".1", ns=ns, check=False)
    sh("ip", "-6", "route", "replace", "default", "via", v6 + ":1", ns=ns, check=False)

    def reached():
        return all(sh("ping", "-c", "1", "-W", "1", a, ns=ns, check=False).returncode == 0 for a in (v4 + ".1", v6 + ":1"))
    wait_for(reached, 8, "the box at the link again")
    field.settle_neighbours()


class LinkDownAndUp(Event):
    lossless = exact = False

    def fire(self, field):
        sh("ip", "link", "set", "eth0", "down", ns=field.ns("ot"))
        threading.Event().wait(0.3)  # the time without a link
        restore_host(field, "ot")


class BoxLinkDownAndUp(LinkDownAndUp):
    drift = ("network",)

    def fire(self, field):
        sh("ip", "link", "set", "ot0", "down", ns=field.data)
        threading.Event().wait(0.3)  # the time without a link
        sh("ip", "link", "set", "ot0", "up", ns=field.data, check=False)
        restore_host(field, "ot")


class DeviceGoneAndBack(LinkDownAndUp):
    """The device is removed and comes back with another index."""
    drift = ("gone",)

    def fire(self, field):
        ours, theirs = field.mac("ot"), field.mac_at("ot")
        sh("ip", "link", "del", "ot0", ns=field.data)
        threading.Event().wait(0.3)
        sh("ip", "link", "add", "ot0", "address", ours, "type", "veth", "peer", "name", "eth0", "address", theirs, "netns",
           field.ns("ot"), ns=field.ns("box"))
        for address in (V4["ot"], RAW4["ot"]):
            sh("ip", "addr", "add", address + "/24", "dev", "eth0", ns=field.ns("ot"))
        field.rebind("ot")
        restore_host(field, "ot")


class DeviceRenamed(LinkDownAndUp):
    """The device is renamed while packets pass. For the policy it is gone, and nothing passes until
    it has its name again."""
    drift = ("gone",)
    moved = ("ip", "link", "set", "ot0", "name", "elsewhere0"), ("ip", "link", "set", "elsewhere0", "name", "ot0")

    def before(self, field):
        """Sessions of a permit that only lingers go on over the renamed device (docs/known.md), so
        none of an earlier event may be left."""
        super().before(field)
        sh("conntrack", "-F", ns=field.data)
        wait_for(lambda: not field.status()["lingering"], 6, "no permit to linger")

    def gone_and_back(self, field):
        """The two commands, each with the namespace where it runs."""
        return [(field.data, command) for command in self.moved]

    def fire(self, field):
        seq = field.last_seq()
        (here, away), (there, back) = self.gone_and_back(field)
        # before Linux 6.2 a link that is up cannot be renamed
        if sh(*away, ns=here, check=False).returncode != 0:
            sh("ip", "link", "set", "ot0", "down", ns=here)
            sh(*away, ns=here)
        try:
            wait_for(lambda: any(e.get("object", "").endswith(": ot0") and e["code"] == "gone" for e in field.events(seq) if e["kind"] == "drift"), 6, "a record of it")
            wait_for(lambda: "elsewhere0" not in sh("nft", "list", "table", "inet", "sekisho", ns=field.data).stdout, 6, "rules without it")
        finally:
            sh(*back, ns=there)
        wait_for(lambda: field.verified()[0] and field.status()["notice"] is None, 8, "the device in its place")
        restore_host(field, "ot")

    def wrong(self, field, states):
        lan2 = next(i for i in field.status()["interfaces"] if i["name"] == "lan2")
        if lan2["device"] != "ot0" or "10.73.0.1/24" not in lan2["addresses"]:
            yield "the interface is not as the policy says: %s" % lan2


class DeviceMovedAway(DeviceRenamed):
    """The device is moved to another namespace, and then to the one from which the box takes its
    devices. It has another index afterwards."""

    def gone_and_back(self, field):
        away = field.ns("it")
        return ((field.data, ("ip", "link", "set", "ot0", "netns", away)), (away, ("ip", "link", "set", "ot0", "netns", field.ns("box"))))

    @staticmethod
    def number(field):
        return int(sh("ip", "-o", "link", "show", "dev", "ot0", ns=field.data).stdout.split(":")[0])

    def fire(self, field):
        before, away = self.number(field), field.ns("it")
        # unless this index is in use already
        sh("ip", "link", "add", "taken0", "index", before, "type", "veth", "peer", "name", "taken1", ns=away, check=False)
        try:
            super().fire(field)
        finally:
            sh("ip", "link", "del", "taken0", ns=away, check=False)
        if self.number(field) == before:
            raise AssertionError("the device has the number that it had")


class AddressTakenAway(Event):
    """Another program removes the box's address, and the box restores it."""
    lossless = exact = False
    drift = ("network",)

    def fire(self, field):
        sh("ip", "addr", "del", "10.73.0.1/24", "dev", "ot0", ns=field.data)
        wait_for(lambda: "10.73.0.1" in sh("ip", "addr", "show", "dev", "ot0", ns=field.data).stdout, 4, "the address")
        restore_host(field, "ot")


class MtuChanged(Event):
    """The policy does not set an MTU, so other programs may change it."""

    def fire(self, field):
        sh("ip", "link", "set", "ot0", "mtu", "1400", ns=field.data)
        threading.Event().wait(0.2)  # the time in which packets meet the smaller MTU

    def after(self, field):
        sh("ip", "link", "set", "ot0", "mtu", "1500", ns=field.data)


# ---- the clock -----------------------------------------------------------------------------------

class ClockSetForward(Event):
    """The clock is set forward by a day. Rights without an end are not affected; a right that would
    end in an hour has ended."""
    seam = True
    ahead = 86400

    def fire(self, field):
        field.seam.clock(self.ahead)
        threading.Event().wait(1.5)  # every comparison of the clocks has happened by then

    def wrong(self, field, states):
        try:
            wait_for(lambda: field.verified()[0], 6, "the rules of the policy in force")
        except TimeoutError:
            yield "kernel and policy differ under the new clock: %s" % field.verified()[1]
        before = field.last_seq()
        field.apply_policy(Policy())
        records = [e for e in field.events(before) if e["kind"] == "policy"]
        want = time.strftime("%Y-%m-%d", time.gmtime(time.time() + self.ahead))
        if not records or not all(e["time"].startswith(want) for e in records):
            yield "records of an apply under the new clock: %s" % [e["time"] for e in records]

    def after(self, field):
        field.seam.clock(0)
        threading.Event().wait(1.5)
        wait_for(lambda: field.verified()[0], 6, "the rules under the true clock")


class ClockSetBack(ClockSetForward):
    ahead = -86400


class ClockSetPastTheEnd(ClockSetForward):
    """A right ends at a time of day, not after a duration."""
    ahead = 7200
    drift = ("clock",)

    def before(self, field):
        field.apply_policy(Policy(keys={"until": moment(3600)}))

    def changed(self, state):
        return "cut" if state.lane == "commands" else "goes_on"

    def wrong(self, field, states):
        return ()


class ClockSetBackBeforeTheEnd(ClockSetForward):
    """By the new clock the end is further away: the right lasts until then."""
    ahead = -60
    drift = ("clock",)

    def before(self, field):
        self.end = time.time() + 16
        field.apply_policy(Policy(keys={"until": moment(16)}))

    def fire(self, field):
        super().fire(field)
        wait_for(lambda: time.time() > int(self.end) + 0.5, 30, "the end by the old clock")

    def wrong(self, field, states):
        return ()

    delay = EndedByTime.delay


class TrialOverAClockChange(Event):
    """A trial ends when its seconds are over, whatever the clock says meanwhile."""
    seam = True
    told = ("applied", "reverted")

    def fire(self, field):
        before = field.digest()
        field.apply_policy(Policy(holding="0-199"), "--confirm", "3")
        began = time.monotonic()
        field.seam.clock(-86400)
        threading.Event().wait(0.5)
        field.seam.clock(86400)
        wait_for(lambda: field.digest() == before, 8, "the return")
        self.took = time.monotonic() - began

    def wrong(self, field, states):
        if not 2.0 < self.took < 5.0:
            yield "a trial of 3 s took %.1f s" % self.took

    after = ClockSetForward.after


# ---- room ----------------------------------------------------------------------------------------

class DiskFull(Event):
    """An apply finds no room, says so, and changes nothing. The journal writes its records later,
    or says how many are missing."""
    told = None

    def fire(self, field):
        self.seq = field.last_seq()
        self.filler = field.state + "/filler"
        with open(self.filler, "wb", buffering=0) as f:
            size = 1 << 20
            while size:
                try:
                    f.write(b"x" * size)
                except OSError:
                    size //= 2
        self.was = field.digest()
        self.answer = field.apply_policy(Policy(holding="0-199"), check=False)

    def wrong(self, field, states):
        if self.answer.get("done") is True:
            yield "an apply that could not be kept was done"
        if field.digest() != self.was:
            yield "another policy is in force"
        if not field.verified()[0]:
            yield "kernel and workers are not as the policy in force: %s" % field.verified()[1]
        os.unlink(self.filler)

        def written():
            records = field.events(self.seq)
            return any(e.get("code") == "refused" for e in records) or any(e["kind"] == "lost" and e.get("code") != "checkpoint" for e in records)
        try:
            wait_for(written, 8, "the record of the refusal")
        except TimeoutError:
            yield "the record of the refusal was lost, and nobody says so"

    def after(self, field):
        if os.path.exists(self.filler):
            os.unlink(self.filler)
        wait_for(lambda: field.status()["journal"]["trouble"] is None, 5, "the journal to write again")


class MemoryShort(Event):
    """Every role can only allocate a little memory at a time: questions and an apply may fail with
    a reason, and allowed traffic is not affected. The limit is random."""
    seam = True
    told = roles = None
    excuse = "Cannot allocate memory"  # the reason for a failed check
    sizes = (1, 64, 1024, 16384, 262144)

    def fire(self, field):
        self.was = field.digest()
        for size in field.rng.sample(self.sizes, 3):
            field.seam.memory(size)
            try:
                self.answer = field.apply_policy(Policy(holding="0-199"), check=False)
                threading.Event().wait(0.3)
            finally:
                field.seam.memory(0)
            wait_for(lambda: field.running() and not field.status()["busy"], 15, "the box to be at rest")
            if self.answer.get("done") is True:
                break

    def wrong(self, field, states):
        done = self.answer.get("done") is True
        if not done and not self.answer.get("error") and not self.answer.get("text"):
            yield "nobody says why: %s" % self.answer
        if (field.digest() != self.was) != done:
            yield "it was said to be %s, and the policy in force %s" % ("done" if done else "refused",
                                                                        "did not change" if done else "changed")
        try:
            wait_for(lambda: field.verified()[0], 6, "the rules of the policy in force")
        except TimeoutError:
            yield "kernel and workers are not as the policy in force: %s" % field.verified()[1]


class MemoryGroup:
    """A group of processes with a memory limit, in whichever cgroup version the machine has."""

    @classmethod
    def here(cls):
        """Whether the machine has cgroups with memory limits."""
        try:
            cls("sekisho-test-change-%d" % os.getpid()).end()
            return True
        except RuntimeError:
            return False

    def __init__(self, name):
        for top, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
            self.folder = "%s/%s" % (top, name)
            try:
                os.mkdir(self.folder)
            except OSError:
                continue
            if os.path.exists(self.folder + "/" + limit):
                self.top, self.limit = top, limit
                return
            os.rmdir(self.folder)
        raise RuntimeError("no groups with a limit on memory on this machine")

    def write(self, name, value, folder=None):
        with open("%s/%s" % (folder or self.folder, name), "w", encoding="ascii") as f:
            f.write(str(value))

    def ended(self):
        """How many processes the kernel has killed because of the group's limit."""
        with open(self.folder + ("/memory.events" if self.limit == "memory.max" else "/memory.oom_control"), encoding="ascii") as f:
            return int(dict(line.split() for line in f)["oom_kill"])

    def end(self):
        def gone():
            try:
                with open(self.folder + "/cgroup.procs", encoding="ascii") as f:
                    for pid in f.read().split():
                        try:
                            self.write("cgroup.procs", pid, self.top)
                        except OSError:
                            pass
                os.rmdir(self.folder)
                return True
            except OSError:
                return False
        wait_for(gone, 5, "the group to be empty")


class OutOfMemory(Event):
    """The kernel kills a worker because the box's group has no memory left. The supervisor starts
    another one."""
    lossless = exact = False
    roles = ("dpi",)

    def fire(self, field):
        old = field.pids("dpi")
        self.group = MemoryGroup("sekisho-test-change-%d" % os.getpid())
        for pid in old:
            self.group.write("cgroup.procs", pid)
        # The memory of the workers is counted elsewhere, and the pages that they will touch are
        # unknown. So another process in the group asks for more memory than there is. The kernel
        # kills the largest process first, so this one is small.
        self.group.write(self.group.limit, 1 << 20)
        eater = subprocess.Popen(["sh", "-c", "echo $$ >$0/cgroup.procs; exec dd if=/dev/zero of=/dev/null bs=8M", self.group.folder],
                                 stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: not set(field.pids("dpi")) & set(old), 20, "workers anew")
        finally:
            eater.kill()
            eater.wait()
        wait_for(field.running, 8, "workers at work")

    def changed(self, state):
        return "any" if state.lane in ("commands", "naming", "shadow", "pick_up") else "goes_on"

    def after(self, field):
        self.group.end()


class ParserTakesMemory(Event):
    """A worker allocates memory without end: the kernel kills it at a limit, and no other process,
    and another worker starts at once. The limit is that of the worker's own group if the daemon has
    made groups, otherwise of a group of this test for all workers."""
    seam = True
    lossless = exact = False
    roles = ("dpi",)

    @staticmethod
    def processes(field):
        return {(r["role"], r["index"]): r["pid"] for r in field.status()["roles"] if r["role"] != "compile"}

    def ended(self, field):
        return self.group.ended() if self.group else field.status()["partition"]["parsers"]["ended"]

    def fire(self, field):
        self.group = None
        if field.group is None:
            self.group = MemoryGroup("sekisho-test-change-%d" % os.getpid())
            self.group.write(self.group.limit, 128 << 20)
            for pid in field.pids("dpi"):
                self.group.write("cgroup.procs", pid)
        self.before, self.ended_before = self.processes(field), self.ended(field)
        field.seam.eat(1)
        wait_for(lambda: self.ended(field) != self.ended_before, 60, "the end of a worker that takes memory without end")
        wait_for(lambda: self.processes(field) != self.before and field.running(), 8, "workers at work")

    def changed(self, state):
        return OutOfMemory.changed(self, state)

    def wrong(self, field, states):
        now = self.processes(field)
        other = [x for x in self.before if now.get(x) != self.before[x]]
        if self.ended(field) != self.ended_before + 1:
            yield "%s processes were ended for their memory" % (self.ended(field) - self.ended_before)
        if len(other) != 1 or other[0][0] != "dpi":
            yield "other processes than before: %s" % other

    def after(self, field):
        if self.group:
            self.group.end()


BOX = (LinkDownAndUp, BoxLinkDownAndUp, DeviceGoneAndBack, DeviceRenamed, DeviceMovedAway, AddressTakenAway, MtuChanged, DiskFull)
if MemoryGroup.here():
    BOX += (OutOfMemory,)
BY_SEAM = ((ParserTakesMemory,) if MemoryGroup.here() and not SANITIZED else ()) + (ClockSetForward, ClockSetBack, ClockSetPastTheEnd, ClockSetBackBeforeTheEnd, TrialOverAClockChange, MemoryShort)

# SPDX-License-Identifier: Apache-2.0
"""When each conduit was last used, and how often: the box's numbers equal the packets of the test,
also when roles, the daemon or the machine end meanwhile."""
import itertools
import json
import os
import shutil
import signal
import socket
import time

from box import conduit
from cases import expect
from net import inside, sh, wait_for

PLAIN = conduit("plain", "it", "ot", ["plain"])
NEVER = conduit("never", "ops", "ot", ["plain"])


def moment(text):
    return time.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ") and time.mktime(time.strptime(text.split(".")[0], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float("0." + text.split(".")[1][:-1])


# A datagram from a port that an earlier one used would belong to that session, and not be counted.
PORTS = itertools.count(10000)


class Uses:
    """Sends sessions of one datagram each, all of which arrive, and checks what the box then says
    of two conduits: "plain", by which they came, and "never", by which nothing comes."""

    def __init__(self, box):
        self.box, self.total, self.last, self.first, self.since = box, 0, None, None, None
        with inside(box.ns("ot")):
            self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(("10.73.0.2", 9000))
        self.server.settimeout(5)

    def use(self, n, lost=False):
        """Sends n datagrams. `lost`: the kernel that counts them goes down before anybody reads its
        counters."""
        before = time.time()
        for _ in range(n):
            word = os.urandom(8)
            with inside(self.box.ns("it")), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.bind(("", next(PORTS)))
                client.sendto(word, ("10.73.0.2", 9000))
                while self.server.recv(100) != word:
                    pass
        if not lost:
            self.total, self.first, self.last = self.total + n, before, None

    def rules(self):
        said = json.loads(self.box.sekisho("effective", "--json").stdout)
        return said, {k["name"]: k for k in said["conduits"]}

    def said(self, where, gaps=0):
        """Checks the box's answer. `gaps`: the number of spans without a watch since the last use,
        or since the watch began. The time of the last use stays the same until the next use."""
        said, conduits = self.rules()
        now, plain, never = time.time(), conduits["plain"], conduits["never"]
        counted = {name: sum(c["packets"] for c in said["cells"] if name in c["conduits"]) for name in conduits}
        expect(counted == {"plain": self.total, "never": 0}, "%s: counted %s, and %d came", where, counted, self.total)
        if self.last is None:
            expect(self.first <= moment(plain["last_match"]) <= now, "%s: used at %s, not since %s", where, plain["last_match"], self.first)
            self.last = plain["last_match"]
        expect(plain["last_match"] == self.last, "%s: used at %s, not %s", where, plain["last_match"], self.last)
        self.since = self.since or never["watched_since"]
        expect(never["last_match"] is None and never["watched_since"] == self.since, "%s: %s, watched since %s", where, never, self.since)
        expect((len(plain["unwatched"]), len(never["unwatched"])) == (gaps, gaps), "%s: %s, %s", where, plain["unwatched"], never["unwatched"])
        return plain

    def close(self):
        self.server.close()


def begin(box):
    sh("rm", "-f", box.run_folder + "/state/used")
    box.kill()
    sh("nft", "delete", "table", "inet", "sekisho", ns=box.data)
    sh("rm", "-f", box.run_folder + "/state/used")
    up(box)
    box.apply(PLAIN, NEVER)
    return Uses(box)


def up(box):
    box.start()
    wait_for(lambda: box.running() and box.in_force(), 10, "the start to be done")


def down(box):
    """Ends the daemon as a shutdown of the machine does: it ends in order, and the rules stay until
    the kernel ends."""
    box.daemon.terminate()
    box.daemon.wait(10)


def gone(box):
    """Removes what is lost with the kernel."""
    sh("nft", "delete", "table", "inet", "sekisho", ns=box.data)
    sh("rm", "-rf", box.run_folder + "/run")


def kept_over_deaths(box):
    """A role, the supervisor, an orderly end and another version: the kernel keeps counting, and
    the successor continues with its counts."""
    u = begin(box)
    u.use(3)
    u.said("at first")
    for role in ("enforce", "dpi", "gate", "journal", "tap", "control", "accounts", "mgmt", "enforce"):
        for pid in box.pids(role):
            os.kill(pid, signal.SIGKILL)
        if role not in ("tap", "gate"):  # without the gate no inspected packet passes
            u.use(2)  # enforce may not run yet, or has just started
        wait_for(lambda: box.running() and box.in_force(), 10, "%s anew" % role)
        u.said("%s was killed" % role)
    box.kill()
    u.use(2)
    u.said("without a daemon")
    u.last, u.first = None, u.first  # nobody stored this time, so the next start finds it again
    up(box)
    u.said("the daemon was killed")
    box.apply(NEVER, PLAIN)
    u.said("an apply of the same in another order")
    build, box.build = box.build, box.run_folder + "/version"
    os.makedirs(box.build, exist_ok=True)
    for name in ("sekishod", "sekisho", "sekisho-compile", "sekisho-webauthn"):
        shutil.copy(build + "/" + name, box.build)
        with open(box.build + "/" + name, "ab") as f:
            f.write(b"of another version")
    down(box)
    u.use(2)
    up(box)
    u.said("another version")
    u.use(1)
    down(box)
    box.build = build
    up(box)
    u.said("and back")
    u.close()


def kept_over_starts_of_the_machine(box):
    """The kernel's counts are gone. The counts of the last read are restored. From then on there
    was no watch, and the box says this instead of "never"."""
    u = begin(box)
    u.use(3)
    u.said("at first")
    u.use(1)  # read when the daemon ends in order
    down(box)
    u.use(2, lost=True)
    between = time.time()
    gone(box)
    up(box)
    plain = u.said("a start of the machine", gaps=1)
    expect(moment(plain["unwatched"][0]["since"]) < between < moment(plain["unwatched"][0]["until"]), "%s", plain["unwatched"])
    never = u.rules()[1]["never"]
    shown = box.sekisho("effective", "--lang", "en", "--conduit", "never").stdout
    expect("not watched" in shown and never["unwatched"] == plain["unwatched"], "%s", shown)
    u.use(2)
    u.said_used = u.rules()[1]["plain"]
    expect(u.said_used["unwatched"] == [], "used since: %s", u.said_used)
    total, last = u.total, None
    # A loss of power: counts that were read after the file was written are lost. The time in
    # between is shown as not watched, not as unused.
    box.kill()
    gone(box)
    up(box)
    said, conduits = u.rules()
    counted = sum(c["packets"] for c in said["cells"] if "plain" in c["conduits"])
    expect(total - 2 <= counted <= total and len(conduits["never"]["unwatched"]) == 2 and conduits["plain"]["unwatched"], "%d of %d, %s", counted, total, conduits)
    expect(conduits["plain"]["last_match"] >= plain["last_match"], "%s, and before %s", conduits["plain"], plain)
    u.close()
    return "%d of %d sessions behind a loss of power" % (counted, total)


def counts_of_a_flush(box):
    """Somebody removes the table: the rules come back with the counts that were read last, and this
    moment is shown as not watched."""
    u = begin(box)
    u.use(2)
    u.said("at first")
    sh("nft", "flush", "ruleset", ns=box.data)
    wait_for(box.in_force, 5, "the rules again")
    u.said("a flush", gaps=1)
    u.close()


def used_right_before_its_end(box):
    """A conduit ends in time. A use between the last read and that end is seen, because the
    counters are read once more right before it."""
    u = begin(box)
    end = int(time.time()) + 4
    box.apply(NEVER, conduit("plain", "it", "ot", ["plain"], until=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))))
    wait_for(lambda: time.time() > end - 1, 5, "its last second")
    u.use(1)
    wait_for(lambda: time.time() > end, 5, "its end")
    plain = u.rules()[1]["plain"]
    expect(plain["last_match"] is not None and u.first <= moment(plain["last_match"]) <= end, "%s, used at %s, ended at %s", plain, u.first, end)
    u.close()


def damaged_uses(box):
    """A flipped bit, or a truncated file: the watch begins now, and nothing is said of the time
    before."""
    u = begin(box)
    u.use(2)
    u.said("at first")
    for spoil in (lambda b: b[:40] + bytes([b[40] ^ 1]) + b[41:], lambda b: b[:-1], lambda b: b""):
        down(box)
        path = box.run_folder + "/state/used"
        with open(path, "rb") as f:
            good = f.read()
        with open(path, "wb") as f:
            f.write(spoil(good))
        before = time.time()
        up(box)
        conduits = u.rules()[1]
        expect(all(k["last_match"] is None and moment(k["watched_since"]) >= before and k["unwatched"] == [] for k in conduits.values()), "%s", conduits)
    u.close()


def used_by_a_live_session(box):
    """A session is used as long as it carries packets, not only when it begins: also after a role
    and the daemon ended."""
    u = begin(box)
    box.apply(conduit("plain", "it", "ot", ["plain"], heard_within="1d"), NEVER)
    with inside(box.ns("it")), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("", next(PORTS)))

        def poll_until_noticed():
            began = time.time()

            def noticed():
                client.sendto(b"poll", ("10.73.0.2", 9000))
                u.server.recv(100)
                at = u.rules()[1]["plain"]["last_match"]
                return at is not None and moment(at) > began + 6
            wait_for(noticed, 30, "a use after %s" % began)
        poll_until_noticed()
        os.kill(box.pids("enforce")[0], signal.SIGKILL)
        wait_for(lambda: box.running() and box.in_force(), 10, "enforce anew")
        poll_until_noticed()
        down(box)
        up(box)
        poll_until_noticed()
    expect(u.rules()[1]["never"]["last_match"] is None, "never")
    u.close()


CASES = [used_by_a_live_session, kept_over_deaths, kept_over_starts_of_the_machine, counts_of_a_flush, used_right_before_its_end, damaged_uses]

# SPDX-License-Identifier: Apache-2.0
"""What was used last, and how often: what the box says is what the packets of the test were, whatever dies in between."""
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


class Uses:
    """Sessions of one datagram each, which arrive; what the box then has to say of the conduit by which they came, and of one by which nothing comes."""

    def __init__(self, box):
        self.box, self.total, self.last, self.first, self.since = box, 0, None, None, None
        with inside(box.ns("ot")):
            self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(("10.73.0.2", 9000))
        self.server.settimeout(5)

    def use(self, n, lost=False):
        """`lost`: counted by a kernel that nobody asks before it goes down."""
        before = time.time()
        for _ in range(n):
            word = os.urandom(8)
            with inside(self.box.ns("it")), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(word, ("10.73.0.2", 9000))
                while self.server.recv(100) != word:
                    pass
        if not lost:
            self.total, self.first, self.last = self.total + n, before, None

    def rules(self):
        said = json.loads(self.box.sekisho("effective", "--json").stdout)
        return said, {k["name"]: k for k in said["conduits"]}

    def said(self, where, gaps=0):
        """So many spans that nobody watched since the last use, or since it is watched. A moment is the same until the next use."""
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
    """As the machine goes down, too: an end in order, and rules that stand until the kernel does."""
    box.daemon.terminate()
    box.daemon.wait(10)


def gone(box):
    """What a kernel had."""
    sh("nft", "delete", "table", "inet", "sekisho", ns=box.data)
    sh("rm", "-rf", box.run_folder + "/run")


def kept_over_deaths(box):
    """A role, the supervisor, an end in order and another version: the kernel counts on, and the next one goes on from there."""
    u = begin(box)
    u.use(3)
    u.said("at first")
    for role in ("enforce", "dpi", "gate", "journal", "tap", "control", "accounts", "mgmt", "enforce"):
        for pid in box.pids(role):
            os.kill(pid, signal.SIGKILL)
        if role not in ("tap", "gate"):  # without a gate nothing inspected passes
            u.use(2)  # of enforce while there is none, or just one
        wait_for(lambda: box.running() and box.in_force(), 10, "%s anew" % role)
        u.said("%s was killed" % role)
    box.kill()
    u.use(2)
    u.said("without a daemon")
    u.last, u.first = None, u.first  # who looks then notes nothing: the next start sees it anew
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
    """The kernel's counts are gone. Those of the last look are there again, and since then nobody watched: that is said, not "never"."""
    u = begin(box)
    u.use(3)
    u.said("at first")
    u.use(1)  # seen by the look at an end in order
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
    # Power goes: what was looked at since the file was written is lost, and what came in since is none of "never".
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
    """Somebody takes the table away: the rules come back with the counts of the last look, and that moment is one that nobody watched."""
    u = begin(box)
    u.use(2)
    u.said("at first")
    sh("nft", "flush", "ruleset", ns=box.data)
    wait_for(box.in_force, 5, "the rules again")
    u.said("a flush", gaps=1)
    u.close()


def used_right_before_its_end(box):
    """Who comes in between the last look and the end of its conduit by time is seen: there is a look right before."""
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
    """A bit turned, a file cut off: it is watched from now on, and nothing is said of before."""
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


CASES = [kept_over_deaths, kept_over_starts_of_the_machine, counts_of_a_flush, used_right_before_its_end, damaged_uses]

# SPDX-License-Identifier: Apache-2.0
"""The daemon and its service manager: what the daemon tells it, the base rules by themselves, and
what the daemon says at its end."""
import os
import re
import signal
import socket
import time
from difflib import unified_diff

from box import conduit
from cases import expect
from net import SLOWNESS, sh, wait_for
import owned

PLAIN = conduit("plain", "it", "ot", ["plain", "plain_tcp"])


class Manager:
    """The socket of a service manager, as systemd's; `said` lists its messages with their times."""

    def __init__(self, path):
        if os.path.exists(path):
            os.unlink(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setblocking(False)
        self.said = []

    def hear(self):
        while True:
            try:
                self.said.append((time.monotonic(), self.socket.recv(4096).decode()))
            except BlockingIOError:
                return self.said

    def times(self, word):
        return [t for t, said in self.hear() if word in said.splitlines()]


def log(box):
    with open(box.run_folder + "/sekishod.log", encoding="utf-8") as f:
        return f.read()


def end(box):
    box.daemon.terminate()
    expect(box.daemon.wait(timeout=5) == 0, "status %d", box.daemon.returncode)


def manager_hears(box):
    """The daemon sends READY once the earlier policy is in force, and not sooner. It sends a sign
    of life once a second, also after the restart of a role. A stopped supervisor sends none. At its
    end the daemon sends STOPPING."""
    box.apply(PLAIN)
    number = box.status()["generation"]["number"]
    end(box)
    path = box.run_folder + "/notify"
    manager = Manager(path)
    os.environ["NOTIFY_SOCKET"] = path
    try:
        box.start(wait=False)
        ready = wait_for(lambda: manager.times("READY=1"), 10, "READY=1")
        expect("STATUS=policy generation %d in force" % number in manager.said[-1][1] or
               any("generation %d in force" % number in said for _, said in manager.said), "%s", manager.said)
        status = box.status()
        expect(status["generation"]["number"] == number and status["kernel"]["forwarding"], "ready before it was: %s", status["generation"])
        wait_for(lambda: len(manager.times("WATCHDOG=1")) >= 4, 10, "four words of life")
        beats = manager.times("WATCHDOG=1")
        expect(max(b - a for a, b in zip(beats, beats[1:])) < 5 * SLOWNESS, "%s", beats)
        enforce = box.pids("enforce")[0]
        # a role that comes back is no reason to start everything anew
        os.kill(enforce, signal.SIGKILL)
        wait_for(lambda: box.running() and box.pids("enforce")[0] != enforce, 5, "enforce")
        n = len(manager.times("WATCHDOG=1"))
        wait_for(lambda: len(manager.times("WATCHDOG=1")) > n + 1, 5, "words of life after that")
        os.kill(box.daemon.pid, signal.SIGSTOP)
        wait_for(lambda: "T" in open("/proc/%d/stat" % box.daemon.pid, encoding="ascii").read().split()[2], 5, "the stop")
        n, until = len(manager.times("WATCHDOG=1")), time.monotonic() + 2.5
        wait_for(lambda: time.monotonic() > until, 5, "its silence to be long enough")
        expect(len(manager.times("WATCHDOG=1")) == n, "it said that it lives while it stood still")
        os.kill(box.daemon.pid, signal.SIGCONT)
        wait_for(lambda: len(manager.times("WATCHDOG=1")) > n, 5, "words of life when it goes on")
        end(box)
        expect(len(manager.times("STOPPING=1")) == 1 and len(manager.times("READY=1")) == len(ready) == 1, "%s", manager.said)
    finally:
        del os.environ["NOTIFY_SOCKET"]
    box.start()
    wait_for(box.running, 5, "all roles")


def rules_of(space):
    """Its table as text, without what packets change: counters, and the elements of sets that
    packets fill."""
    blocks = sh("nft", "list", "table", "inet", "sekisho", ns=space).stdout.split("\n\t}\n")
    blocks = [re.sub(r"\s*elements = \{.*?\}", "", b, flags=re.S) if re.search(r"flags [^\n]*dynamic", b) else b for b in blocks]
    return re.sub(r"packets \d+ bytes \d+", "", "\n".join(blocks)).splitlines()


def base_alone(box):
    """`sekishod --base` alone makes two namespaces with rules that deny everything. If a daemon
    runs, or its rules exist, it changes nothing."""
    spaces = [box.net.ns("base-data"), box.net.ns("base-admin")]
    command = [box.build + "/sekishod", "--base", "--lang", "en", "--data-netns", spaces[0], "--admin-netns", spaces[1]]
    box.net.names += spaces
    said = sh(*command).stdout
    expect(said.startswith("base rules loaded: nothing passes through %s" % spaces[0]), "%s", said)
    chains = sh("nft", "list", "table", "inet", "sekisho", ns=spaces[0]).stdout
    expect(len(re.findall(r"policy drop", chains)) == 6 and " accept" not in chains, "%s", chains)
    for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        expect(sh("cat", "/proc/sys/net/" + name, ns=spaces[0]).stdout.strip() == "0", "%s is on", name)
    expect(sh(*command).stdout.startswith("%s has the base rules already" % spaces[0]), "a second time")
    # If it cannot load the rules, it turns forwarding off.
    sh("nft", "delete", "table", "inet", "sekisho", ns=spaces[0])
    with owned.by_another(spaces[0]):
        sh("sysctl", "-q", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", ns=spaces[0])
        refused = sh(*command, check=False)
        expect(refused.returncode == 3 and "Operation not permitted" in refused.stderr, "%d %s", refused.returncode, refused.stderr)
        for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            expect(sh("cat", "/proc/sys/net/" + name, ns=spaces[0]).stdout.strip() == "0", "%s is on without rules", name)
    expect(sh(*command).stdout.startswith("base rules loaded"), "once it may")
    box.apply(PLAIN)
    rules = rules_of(box.data)
    command[-3], command[-1] = box.data, box.net.ns("admin")
    for when in ("with a daemon", "without"):
        said = sh(*command).stdout
        expect(("guards" if when == "with a daemon" else "has the base rules already") in said, "%s: %s", when, said)
        changed = [line for line in unified_diff(rules, rules_of(box.data), lineterm="", n=0)]
        expect(not changed, "the rules changed %s: %s", when, changed[:9])
        if when == "with a daemon":
            end(box)
    same = sh(*command[:-1], box.data, check=False)
    expect(same.returncode == 3 and "must be neither" in same.stderr, "%d %s", same.returncode, same.stderr)
    expect(sh(box.build + "/sekishod", "--base", "--data-netns", "a/b", check=False).returncode == 3, "a name that is none")
    box.start()
    wait_for(box.running, 5, "all roles")


def end_says_what_stays(box):
    """At its end the daemon names every interface and what decides from now on."""
    box.apply(PLAIN)
    number = box.status()["generation"]["number"]
    at = len(log(box))
    end(box)
    said = log(box)[at:]
    expect("the rules of generation %d stay in force" % number in said, "%s", said)
    for name, device, space in (("lan0", "it0", box.data), ("lan1", "ops0", box.data), ("lan2", "ot0", box.data), ("adm0", "adm0", box.net.ns("admin"))):
        expect("interface %s (%s) stays in network namespace %s, up" % (name, device, space) in said, "%s: %s", name, said)
    box.start()
    wait_for(box.running, 5, "all roles")


CASES = [manager_hears, base_alone, end_says_what_stays]

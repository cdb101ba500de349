# SPDX-License-Identifier: Apache-2.0
"""make bench-policy: the cost of a change of policy, for large policies of several shapes, compared
with `nft -f` for the same rules.

Each shape is a series of policies, which one box applies one after the other. For each step the
program prints the processor seconds of the daemon and its roles, with the kernel's work for them;
the number of set elements that differ afterwards; and the processor seconds of `nft -f`, which
loads the whole text of `sekisho compile --to nft` into another namespace that has the previous
text. It also prints their ratio, which depends least on other work of the machine.

shapes.py [--build build/release] [SHAPE ...]
"""
import argparse
import json
import os
import re
import resource
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from box import Box, conduit  # noqa: E402
from cases import needs_root  # noqa: E402
from net import sh  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
# names of the sets with elements of the policy begin with these words
POLICYS = ("exact", "range", "until", "live", "agree", "together")


def pairs(n, broad, without=None):
    """n pairs of hosts, each in a conduit of its own; `broad`: below one conduit for all.
    `without`: the number of a pair that is left out."""
    under = [conduit("broad", "it", "ot", ["read"])] if broad else []
    return under + [conduit("c%d" % i, "it", "ot", ["setpoint"], sources=["10.71.0.%d" % (4 + i // 40)], destinations=["10.73.0.%d" % (4 + i % 40 * 2)])
                    for i in range(n) if i != without]


def terminal(n):
    """Conduits of a port terminal: short ranges of clients, each to its own machines."""
    return [conduit("t%d" % i, "it", "ot", [("read", "web", "shell", "pages")[i % 4]],
                    sources=["10.71.0.%d-10.71.0.%d" % (4 + i % 120 * 2, 5 + i % 120 * 2)],
                    destinations=["10.73.0.%d-10.73.0.%d" % (4 + i // 120 * 3, 5 + i // 120 * 3)]) for i in range(n)]


def ranges(more):
    """38,440 ranges between two interfaces: 62 of clients, 62 of machines, ten services."""
    def short(before):
        return ["%s.%d-%s.%d" % (before, i, before, i + 1) for i in range(4, 252, 4)]
    services = ["read", "logix_read", "s7_look", "melsec_all", "omron_any", "web", "shell", "pages", "tls9000", "names"]
    one = [conduit("more", "it", "ot", ["ping"], sources=["10.71.0.2-10.71.0.3"], destinations=["10.73.0.2-10.73.0.3"])] if more else []
    return [conduit("many", "it", "ot", services, sources=short("10.71.0"), destinations=short("10.73.0"))] + one


# shape -> [(step, conduits, goal in processor seconds, goal in elements)]
SHAPES = {
    "pairs": [("10,000 pairs", pairs(10000, False), 1, None), ("one less", pairs(10000, False, 3969), 0.1, 14), ("one more", pairs(10000, False), 0.1, 14)],
    "broad": [("10,000 pairs under a broad conduit", pairs(10000, True), 1, None), ("one less", pairs(10000, True, 3969), 0.1, 14),
              ("one more", pairs(10000, True), 0.1, 14)],
    "terminal": [("500 conduits", terminal(500), 5, None), ("1,000 conduits", terminal(1000), 5, None), ("2,000 conduits", terminal(2000), 5, None),
                 ("500 again", terminal(500), 5, None)],
    "ranges": [("38,440 ranges", ranges(False), 10, None), ("one more", ranges(True), 5, 14)],
}


def taken(pid):
    """Processor seconds of a process and its children, with those of ended children."""
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        own = sum(int(x) for x in f.read().rpartition(")")[2].split()[11:15])
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
        return own / TICK + sum(taken(int(child)) for child in f.read().split())


def elements(box):
    """The elements of the sets: whole lines of the listing, without counters."""
    rules = sh("nft", "-j", "list", "ruleset", ns=box.data).stdout
    found = set()
    for item in json.loads(rules)["nftables"]:
        one = item.get("map") or item.get("set") or {}
        if not one.get("name", "").startswith(POLICYS):
            continue
        for element in one.get("elem", []):
            found.add((one["name"], json.dumps(strip(element), sort_keys=True)))
    return found


def strip(element):
    """An element without its counter."""
    if isinstance(element, dict):
        return {k: strip(v) for k, v in element.items() if k not in ("counter", "expires")}
    return [strip(x) for x in element] if isinstance(element, list) else element


def by_nft(build, text, ns, folder):
    """Processor seconds of `nft -f` with the whole text, which replaces the present rules; without
    queues, because not every kernel has them as a statement."""
    path = os.path.join(folder, "rules.nft")
    with open(path, "w", encoding="utf-8") as f:
        f.write("add table inet sekisho\ndelete table inet sekisho\n" + 
                re.sub(r"\bqueue\b[^\n#]*", "accept", sh(build + "/sekisho", "compile", "--to", "nft", text).stdout))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = sh("nft", "-f", path, ns=ns, check=False, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        return None
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(build, shape, folder):
    box = Box("shape%d-" % os.getpid(), build, folder + "/run")
    missed = 0
    try:
        beside = box.net.add("nft")
        for card in ("it0", "ops0", "ot0"):  # the text names these devices
            sh("ip", "link", "add", card, "type", "veth", "peer", "name", "to_" + card, ns=beside)
        box.start()
        stands = set()
        for step, conduits, goal, goal_elements in SHAPES[shape]:
            text = box.write(*conduits)
            before = taken(box.daemon.pid)
            done = box.sekisho("apply", text, check=False, timeout=300)
            spent = taken(box.daemon.pid) - before
            if done.returncode != 0:
                print("%-36s refused: %s" % (step, (done.stdout + done.stderr).strip()[-400:]))
                return missed + 1
            now = elements(box)
            other = by_nft(build, text, beside, folder)
            met = spent <= goal and (goal_elements is None or len(now ^ stands) <= goal_elements)
            missed += not met
            print("%-36s %7.2f s (goal %s) %7d elements%s, %s  %s" % (
                step, spent, goal, len(now ^ stands), "" if goal_elements is None else " (goal %d)" % goal_elements,
                "nft -f refuses the text" if other is None else "nft -f %.2f s, ratio %.2f" % (other, spent / other), "met" if met else "MISSED"), flush=True)
            stands = now
    finally:
        box.close()
    return missed


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--build", default="build/release")
    ask.add_argument("shapes", nargs="*", default=list(SHAPES))
    words = ask.parse_args()
    needs_root()
    missed = 0
    for shape in words.shapes:
        with tempfile.TemporaryDirectory() as folder:
            missed += measure(os.path.abspath(words.build), shape, folder)
    return missed > 0


if __name__ == "__main__":
    sys.exit(main())

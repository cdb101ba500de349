# SPDX-License-Identifier: Apache-2.0
"""The kernel's time for a SYN that nobody answers: forwarded and tracked without rules; denied;
admitted while its pair of hosts has few sessions, half of its share, or all that it may have; and
while the hosts of one side have as many half-open sessions as SYNs alone can open. It is a part of
`make bench`; python3 tests/bench/syns.py runs it alone.
"""
import os
import random
import statistics
import sys

from paths import Path, begin, sh, wait_for
from opener import Opener

ROUNDS = 5
SILENT = "10.2.0.98"  # no host has this address, and no error is sent
OPEN, CLOSED = 7001, 9
# a pair of hosts may open 8,000 a second, 200 together 12,000
PAIR_APART, MANY_APART = 1 / 6500, 1 / 10500
LIVES = 2  # seconds for which an unanswered SYN is tracked
GOAL = 3.0
ROWS = (("bare", "tracking without rules"), ("denied", "nothing allows it"), ("few", "the pair has few sessions"), ("half", "it has 4,000"),
        ("full", "it has all it may: refused"), ("many", "200 hosts have what SYNs alone can fill"))


def opener(path, hosts, rng):
    sh("ip", "neigh", "replace", SILENT, "lladdr", "02:00:00:00:00:98", "dev", "right0", "nud", "permanent", ns=path.data)
    return Opener(path.left, "eth0", sh("cat", "/sys/class/net/left0/address", ns=path.data).stdout.strip(), hosts, rng)


def took(o, n, port, apart):
    """Microseconds for a SYN: the median of means of 50 SYNs. Each mean leaves out the two
    longest, during which other programs may have run."""
    means = [statistics.fmean(sorted(o.open(SILENT, port, apart) for _ in range(50))[:-2]) / 1000 for _ in range(n // 50)]
    return statistics.median(means)


def forgotten(path):
    wait_for(lambda: path.tracked() < 50, 10 * LIVES, "SYNs to be forgotten")


def one_round(bare, box, rng):
    found = {}
    o = opener(bare, ["10.1.0.2"], rng)
    found["bare"] = took(o, 500, OPEN, 0.0005)
    o.close()
    forgotten(box)
    o = opener(box, ["10.1.0.2"], rng)
    found["denied"] = took(o, 500, CLOSED, 0.0005)
    found["few"] = took(o, 300, OPEN, 0.0005)
    took(o, 3500, OPEN, PAIR_APART)
    found["half"] = took(o, 500, OPEN, PAIR_APART)
    took(o, 9000, OPEN, PAIR_APART)
    found["full"], found["held"] = took(o, 1500, OPEN, PAIR_APART), box.tracked()
    o.close()
    forgotten(box)
    o = opener(box, ["10.1.0.%d" % n for n in range(20, 220)], rng)
    took(o, 23000, OPEN, MANY_APART)
    found["many"], found["held_many"] = took(o, 1500, OPEN, MANY_APART), box.tracked()
    o.close()
    return found


def measure(placement, opened):
    bare = Path("tracking", placement, opened, "syns-")
    box = Path("fast", placement, opened, "syns-", "open.cfg")
    rng = random.Random(1)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(box.hosts)})
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    rounds = [one_round(bare, box, rng) for _ in range(ROUNDS)]
    os.setpriority(os.PRIO_PROCESS, 0, 0)
    os.sched_setaffinity(0, cores)
    for path in (box, bare):
        path.close()
        opened.remove(path)
    return {"rounds": rounds, "median": {k: statistics.median(r[k] for r in rounds) for k in rounds[0]},
            "of_denied": {k: statistics.median(r[k] / r["denied"] for r in rounds) for k, _ in ROWS}}


def report(result):
    """Whether a goal was missed."""
    print("\na SYN that nobody answers, medians of %d; the pair of hosts had %d sessions at most, the 200 hosts %d"
          % (ROUNDS, result["median"]["held"], result["median"]["held_many"]))
    missed = False
    for key, text in ROWS:
        ratio, goal = result["of_denied"][key], ""
        if key not in ("bare", "denied"):
            missed |= ratio > GOAL
            goal = "   goal <= %.2f%s" % (GOAL, "   MISSED" if ratio > GOAL else "")
        print("  %-44s %6.1f us %6.2f of a denied one%s" % (text, result["median"][key], ratio, goal))
    return missed


def main():
    lock = begin()
    if lock is None:
        return 3
    opened = []
    try:
        return 1 if report(measure("one", opened)) else 0
    finally:
        for p in opened:
            p.close()


if __name__ == "__main__":
    sys.exit(main())

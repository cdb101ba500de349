# SPDX-License-Identifier: Apache-2.0
"""The kernel's time for the first packet of a session, by how many ranges the policy has.

A SYN that nobody answers is sent to boxes with few and with many ranges, one after another in each
round: admitted (the range that allows it is found), and denied (no map has it). The ranges are
between two interfaces, which costs most. python3 tests/bench/lookups.py [RANGES ...]
"""
import os
import random
import statistics
import sys
import tempfile

from paths import Path, begin, sh
from syns import CLOSED, OPEN, forgotten, opener, took

ROUNDS, SYNS, APART = 5, 500, 0.0005
HOST = "10.1.0.2"
PORTS = 10
BOX = """language_version = 1; workers = 1;
interfaces = { left0 = { device = "left0"; addresses = ["10.1.0.1/16"]; }; right0 = { device = "right0"; addresses = ["10.2.0.1/16"]; }; };
"""
SITE = """language_version = 1;
site = { name = "bench"; };
zones = { left = { interfaces = ["left0"]; networks = ["10.1.0.0/16"]; class = "operations"; owner = "bench"; };
          right = { interfaces = ["right0"]; networks = ["10.2.0.0/16"]; class = "ot"; owner = "bench"; }; };
services = { asked = { protocol = "tcp"; ports = ["tcp/%d"]; }; others = { protocol = "tcp"; ports = [%s]; }; };
conduits = ( %s );
"""
CONDUIT = """{ name = "%s"; from = "left"; to = "right"; services = ["%s"]; sources = [%s]; destinations = [%s];
  criticality = "cargo"; purpose = "benchmark"; owner = "bench"; review_by = "2099-01-01"; }"""


def short(network, n):
    """n ranges of three addresses, with gaps between them; none has the hosts of the experiment."""
    return ", ".join('"%s.%d.%d-%s.%d.%d"' % (network, 1 + i // 60, 4 * (i % 60) + 4, network, 1 + i // 60, 4 * (i % 60) + 6) for i in range(n))


def policy(folder, ranges):
    """A policy with about as many ranges; returns its name and their number."""
    side = max(1, round(((ranges - 1) / PORTS) ** 0.5))
    others = ", ".join('"tcp/%d"' % (9000 + 2 * i) for i in range(PORTS))
    conduits = [CONDUIT % ("asked", "asked", '"10.1.0.2-10.1.0.3"', '"10.2.0.98-10.2.0.99"'), CONDUIT % ("others", "others", short("10.1", side), short("10.2", side))]
    os.makedirs(folder)
    for name, text in (("box.cfg", BOX), ("site.cfg", SITE % (OPEN, others, ", ".join(conduits)))):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
    return os.path.join(folder, "site.cfg"), side * side * PORTS + 1


def measure(sizes, opened):
    """{ranges: {"admitted": [microseconds of each round], "denied": [...]}}"""
    boxes, rng = {}, random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            name, n = policy(os.path.join(folder, str(size)), size)
            boxes[n] = Path("fast", "one", opened, "look%d-" % len(boxes), name)
    found = {n: {"admitted": [], "denied": []} for n in boxes}
    os.sched_setaffinity(0, {int(next(iter(boxes.values())).hosts)})
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    for _ in range(ROUNDS):
        for n, box in boxes.items():
            o = opener(box, [HOST], rng)
            before = box.tracked()
            found[n]["denied"].append(took(o, SYNS, CLOSED, APART))
            found[n]["admitted"].append(took(o, SYNS, OPEN, APART))
            if box.tracked() < before + SYNS // 2:
                raise RuntimeError("the SYNs were not admitted")
            o.close()
            forgotten(box)
    return found


def report(found):
    least = min(found)
    print("a SYN that nobody answers, medians of %d rounds" % ROUNDS)
    for n, all_of in sorted(found.items()):
        print("  %7d ranges: " % n + ", ".join("%s %.1f us (%.2f of %d ranges)" % (
            kind, statistics.median(rounds), statistics.median(a / b for a, b in zip(rounds, found[least][kind])), least)
            for kind, rounds in all_of.items()), flush=True)


def main():
    lock = begin()
    if lock is None:
        return 3
    opened = []
    try:
        report(measure([int(n) for n in sys.argv[1:]] or [10, 1000, 100000], opened))
        return 0
    finally:
        for p in opened:
            p.close()


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""What open sessions cost the others: requests per second of 64 polling connections, beside 0 to
10,000 inspected sessions that are open and were polled once. It is a part of `make bench`;
python3 tests/bench/growth.py runs it alone.
growth.py [ROUNDS]
"""
import os
import statistics
import subprocess
import sys

from memory import CLIENTS, followed
from paths import SERVER, TOOLS, Path, begin, wait_for

ROUNDS, MS = 5, 200
OPEN = (0, 10, 1000, 10000)
GOAL = 0.95


def rate(path):
    """Requests per second."""
    found = path.load("rate", SERVER, 502, MS, 64)
    return found["n"] / found["seconds"]


def measure_once(path):
    """{open sessions: requests per second}"""
    for address in CLIENTS[1:]:
        path.net.address(path.left, "eth0", address + "/24")
    found, held, opened = {}, [], 0
    try:
        for n in OPEN:
            if n > 0:
                hold = ["nsenter", "--net=/run/netns/" + path.left, os.path.join(TOOLS, "load"), "hold", SERVER, "502", str(n - opened), *CLIENTS]
                held.append(subprocess.Popen(hold, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
                if not held[-1].stdout.readline():
                    raise RuntimeError("%d sessions could not be opened" % n)
                wait_for(lambda least=n: followed(path) >= least, 10, "the open sessions")
                opened = n
            found[n] = rate(path)
        return found
    finally:
        for client in held:
            client.stdin.close()
            client.wait()


def measure(placement, opened, rounds=ROUNDS):
    found = []
    for _ in range(rounds):
        path = Path("inspected", placement, opened, "growth-", "commands.cfg")
        found.append(measure_once(path))
        path.close()
        opened.remove(path)
    return {"requests_per_s": found, "of_none": {n: statistics.median(r[n] / r[0] for r in found) for n in OPEN}}


def report(result):
    missed = result["of_none"][OPEN[-1]] < GOAL
    print("\nrequests per second beside open inspected sessions, of those beside none (medians of %d rounds)" % len(result["requests_per_s"]))
    for n in OPEN:
        print("%-10d%10.2f%s" % (n, result["of_none"][n], "   goal >= %.2f%s" % (GOAL, "   MISSED" if missed else "") if n == OPEN[-1] else ""))
    return missed


if __name__ == "__main__":
    if begin() is None:
        sys.exit(3)
    ways = []
    try:
        sys.exit(1 if report(measure("one", ways, int((sys.argv + [ROUNDS])[1]))) else 0)
    finally:
        for way in ways:
            way.close()

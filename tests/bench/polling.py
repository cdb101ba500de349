# SPDX-License-Identifier: Apache-2.0
"""The time that the box needs of its core while 40 devices are polled every 100 ms: with forwarding
and tracking alone, with Sekisho that judges each request, and with the verdict cache. The hosts are
on core 1, the box on core 0 (placement `box`), where a program counts as fast as it can. Half a
second with polls and half a second without take turns: a smaller count with polls is the time of
the box. It is a part of `make bench`; python3 tests/bench/polling.py runs it alone.
polling.py [ROUNDS]
"""
import json
import os
import random
import statistics
import subprocess
import sys

from paths import HOST_PRIORITY, SERVER, TOOLS, Path, begin, inside

ROUNDS = 3
SECONDS, DEVICES, EVERY_MS = 10, 40, 100
MODES = (("tracking", "tracking without rules"), ("uncached", "Sekisho, each request judged"), ("inspected", "Sekisho, with the verdict cache"))


def differences(slices):
    """By which share the count of each half second with polls is smaller than in the two half
    seconds around it. The first tenth of a second of each is left out."""
    halves = {}
    for number, n in slices:
        if number % 5 != 0:
            halves.setdefault(number // 5, []).append(n)
    mean = {k: statistics.fmean(v) for k, v in halves.items() if len(v) == 4}
    return [1 - mean[k] / statistics.fmean((mean[k - 1], mean[k + 1])) for k in mean if k % 2 == 0 and k - 1 in mean and k + 1 in mean]


def taken(path):
    """For each half second with polls: the box's time on its core, in ms for a second of polls."""
    load = path.at(path.hosts, HOST_PRIORITY, os.path.join(TOOLS, "load"), "poll", SERVER, 502, SECONDS * 1000 + 500, DEVICES, EVERY_MS)
    with inside(path.left):
        polls = subprocess.Popen(load, start_new_session=True, stdout=subprocess.PIPE, text=True)
    if polls.stdout.readline() != "ready\n":
        raise RuntimeError(path.mode + ": no polls")
    before = path.counts()["queued"]
    count = path.at(path.queues, 0, os.path.join(TOOLS, "load"), "soak", SECONDS * 1000)
    counted = subprocess.run(count, start_new_session=True, capture_output=True, text=True, timeout=60, check=True).stdout
    n = json.loads(polls.communicate(timeout=60)[0])["n"]
    queued = path.counts()["queued"] - before
    if (path.mode == "uncached") != (queued > n):
        raise RuntimeError("%s: %d packets were queued of %d polls" % (path.mode, queued, n))
    return [1000 * x for x in differences(json.loads(counted))]


def measure(opened, rounds=ROUNDS):
    paths = [Path(mode, "box", opened, "polls-", "site.cfg" if mode == "tracking" else "commands.cfg") for mode, _ in MODES]
    found = {mode: [] for mode, _ in MODES}
    for _ in range(rounds):
        for p in random.sample(paths, len(paths)):
            found[p.mode] += taken(p)
    for p in paths:
        p.close()
        opened.remove(p)
    return {"ms": found, "median": {m: statistics.median(x) for m, x in found.items()}}


def report(result):
    print("\n%d devices polled every %d ms: milliseconds of the box's core in a second, median (quarter to three quarters)" % (DEVICES, EVERY_MS))
    for mode, text in MODES:
        x = sorted(result["ms"][mode])
        print("  %-40s%8.2f (%.2f to %.2f) of %d half seconds" % (text, result["median"][mode], x[len(x) // 4], x[-1 - len(x) // 4], len(x)))
    bare, judged, cached = (result["median"][m] for m, _ in MODES)
    print("  %-40s%8.2f" % ("with the cache, of without", cached / judged))
    print("  %-40s%8.2f" % ("the same above tracking", (cached - bare) / (judged - bare)))


def main():
    lock = begin()
    if lock is None:
        return 3
    opened = []
    try:
        report(measure(opened, int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
        return 0
    finally:
        for p in opened:
            p.close()


if __name__ == "__main__":
    sys.exit(main())

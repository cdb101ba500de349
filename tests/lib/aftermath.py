# SPDX-License-Identifier: Apache-2.0
"""What a failed case adds to the log: how much processor time the suite got, and the box's own
output. Nothing here decides whether a case passed."""
import os
import time

from slowness import pressure

LINES = 60
ABOUT = []  # boxes; each tells about itself with begin() and tell()


def stolen():
    """Seconds of this machine's processors that other virtual machines used."""
    with open("/proc/stat", encoding="ascii") as f:
        return int(f.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


class Machine:
    """How long tasks waited for a processor, and what other virtual machines used, since this
    object was made."""

    def __init__(self):
        self.began, self.pressure, self.stolen = time.monotonic(), pressure(), stolen()

    def tell(self):
        passed = max(time.monotonic() - self.began, 0.001)
        return "in %.1f s somebody waited for a core %.0f %% of the time, and %.1f s of %d cores were stolen; load %s" % (
            passed, (pressure() - self.pressure) / passed / 10000, stolen() - self.stolen, os.cpu_count(),
            " ".join("%.1f" % x for x in os.getloadavg()))


def begin():
    for who in ABOUT:
        who.begin()


def print_all(machine):
    lines = [machine.tell()]
    for who in ABOUT:
        try:
            lines += who.tell()
        except Exception as e:  # pylint: disable=broad-exception-caught
            lines.append("the box says no more: %s: %s" % (type(e).__name__, e))
    for line in lines:
        print("    | " + line, flush=True)


def said_since(path, offset):
    """The last lines that were added to a log behind `offset`."""
    try:
        with open(path, "rb") as f:
            f.seek(offset)
            return f.read().decode("utf-8", "replace").splitlines()[-LINES:]
    except OSError:
        return []


def had(pid):
    """How a process is scheduled, how long it has run, and how long it has waited for a
    processor."""
    try:
        with open("/proc/%d/schedstat" % pid, encoding="ascii") as f:
            ran, waited = (int(x) / 1e9 for x in f.read().split()[:2])
        return "%s, ran %.2f s, waited for a core %.2f s" % (
            "real-time" if os.sched_getscheduler(pid) & 0xffff in (os.SCHED_RR, os.SCHED_FIFO) else "not real-time", ran, waited)
    except (OSError, ValueError):
        return "gone"


def size(path):
    try:
        return os.path.getsize(path)
    except OSError:
        return 0

# SPDX-License-Identifier: Apache-2.0
"""How long given processes waited for a processor that others had. A lateness test is about the box
and not about other users of the machine: the wait is subtracted."""
import bisect
import os
import time


def now(pids):
    """Seconds that the threads of these processes have waited so far; a process that has ended
    counts as nothing."""
    total = 0
    for pid in pids:
        try:
            for task in os.listdir("/proc/%d/task" % pid):
                with open("/proc/%d/task/%s/schedstat" % (pid, task), encoding="ascii") as f:
                    total += int(f.read().split()[1])
        except OSError:
            continue
    return total / 1e9


class Waits:
    """Samples taken beside a measurement; between() gives the wait in a span that samples enclose.
    `measured`: the test itself works in the span, so its own waits count too."""

    def __init__(self, pids, measured=True):
        self.pids, self.at, self.waited = [*pids, os.getpid()] if measured else [*pids], [], []
        self.sample()

    def sample(self):
        waited = now(self.pids)
        self.at.append(time.monotonic())
        self.waited.append(waited)

    def between(self, begin, end):
        first = max(bisect.bisect_right(self.at, begin) - 1, 0)
        last = min(bisect.bisect_left(self.at, end), len(self.at) - 1)
        return max(self.waited[last] - self.waited[first], 0)

# SPDX-License-Identifier: Apache-2.0
"""How long given processes wanted a core that others had. What a test says about lateness is about the box, not about who else uses
the machine: a wait is taken off what was measured."""
import bisect
import os
import time


def now(pids):
    """Seconds that the threads of these processes have waited for a core so far; a process that is gone counts as nothing."""
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
    """Samples of it beside what is measured; between() tells of a span that samples enclose. `measured`: the test does something in the span itself,
    so that its own waits are in it too."""

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

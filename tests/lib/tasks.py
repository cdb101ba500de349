# SPDX-License-Identifier: Apache-2.0
"""Runs many tests beside each other and counts them. A task is a program or script with a name and
its share of a processor: as many run as the processors hold, so that tasks that mostly wait
share one. The longest begin first."""
import collections
import os
import re
import signal
import subprocess
import time

COUNTS = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?(?:, (\d+) inconclusive)?$", re.M)
CMOCKA = re.compile(r"^\[==========\] (\d+) test\(s\) run\.", re.M)
SPENT = re.compile(r"^spent ([\d.]+) s of processor$", re.M)
TIMED = re.compile(r"^ok +(\S.*?) \([\d.]+ s, ([\d.]+) s of processor\)", re.M)
TOLD = re.compile(r"^(?:SKIP|NOTE).*$", re.M)
MOST = 3  # beyond the number of cores: tasks at once

Count = collections.namedtuple("Count", "passed failed skipped inconclusive")


class Task:
    def __init__(self, name, command, script=False, once_more=False, env=None, took=(1.0, 1.0), patience=2700, cwd=None):
        """`script`: prints its own counts; a cmocka program tells its number of cases, any other
        program is one. `once_more`: its passes were counted elsewhere. `took`: processor and
        clock time of an earlier run, in seconds."""
        self.name, self.command, self.script, self.once_more, self.env = name, command, script, once_more, env or {}
        self.processor, self.wall = took
        self.patience, self.cwd = patience, cwd
        self.partial = False  # only some of its cases run
        self.count = Count(0, 0, 0, 0)
        self.text, self.status, self.spent, self.seconds = "", None, 0.0, 0.0

    @property
    def share(self):
        """The share of a processor while it runs."""
        return min(1.0, max(0.1, self.processor / max(self.wall, 0.1)))

    def begin(self, folder):
        self.log = os.path.join(folder, self.name + ".log")
        self.began = time.monotonic()
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=self.cwd,
                                            env=dict(os.environ, **self.env))

    def ended(self, status, usage):
        self.status, self.seconds = os.waitstatus_to_exitcode(status), time.monotonic() - self.began
        self.process.returncode = self.status
        with open(self.log, encoding="utf-8", errors="replace") as f:
            self.text = f.read()
        said = SPENT.findall(self.text)
        self.spent = float(said[-1]) if said else usage.ru_utime + usage.ru_stime
        self.count = self._count()

    def _count(self):
        if not self.script:
            cases = CMOCKA.findall(self.text)
            return Count(int(cases[-1]) if cases else 1, 0, 0, 0) if self.status == 0 else Count(0, 1, 0, 0)
        found = COUNTS.findall(self.text)
        count = Count(*(int(n or 0) for n in found[-1])) if found else Count(0, 0, 0, 0)
        # If there is no count, or a bad exit status after a good count, something other than a case
        # has failed.
        return count if found and (self.status == 0 or count.failed) else count._replace(failed=1)

    def failures(self):
        """Its output about failures."""
        if not self.script or not self.count.failed or not COUNTS.search(self.text):
            return ["status %s" % self.status] + self.text.splitlines()[-15:]
        told, on = [], False
        for line in self.text.splitlines():
            on = "FAIL" in line or on and not line.startswith(("ok", "NOTE", "SKIP"))
            if on:
                told.append(line[:400])
        return told[:150]

    def cases(self):
        """(seconds of processor, name) of each case that tells it; of the task itself when none
        does."""
        return [(float(s), "%s %s" % (self.name, name)) for name, s in TIMED.findall(self.text)] or [(self.spent, self.name)]


def run(tasks, folder, ended, cores=None):
    """Runs them all; `ended(task)` is called for each at its end. An interrupt ends all tasks."""
    cores = cores or os.cpu_count() or 1
    os.makedirs(folder, exist_ok=True)
    waiting, running = sorted(tasks, key=lambda t: -t.wall), {}
    try:
        while waiting or running:
            for task in list(waiting):
                busy = sum(t.share for t in running.values())
                if len(running) < cores + MOST and (busy + task.share <= cores + 0.3 or not running):
                    waiting.remove(task)
                    task.begin(folder)
                    running[task.process.pid] = task
            pid, status, usage = os.wait4(-1, 0)
            task = running.pop(pid, None)
            if task:
                task.ended(status, usage)
                ended(task)
    finally:
        for task in running.values():
            task.process.send_signal(signal.SIGTERM)
        for task in running.values():
            task.process.wait()

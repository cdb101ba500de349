# SPDX-License-Identifier: Apache-2.0
"""How many times slower this machine is than the one for which the tests' deadlines were set: one
number for the suites and the demonstration. Deadlines are multiplied by it; counts (bytes, packets,
sessions) never are.

It is measured at the start: processor time of starting small programs and running a little Python,
so that a busy machine does not count as slow. A build under sanitizers, the first argument of a
suite, takes longer everywhere. SEKISHO_SLOWNESS sets it.

A busy machine is different: while some task waits for a processor, a deadline approaches at a
quarter of the clock's pace (`Deadline`). A deadline only ends a wait. Whether a process is too slow
is judged by its own processor time."""
import os
import resource
import subprocess
import sys
import time

# processor seconds of one work() on the machine where the limits were set (a core of an EPYC)
ORDINARY = 0.009
SANITIZED = 2.0    # factor for a build with sanitizers
BUSY = 4           # factor for a wait while some task waits for a core
ALIKE = 2.5        # within this factor a machine keeps the limits as they are written


def spent():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def work():
    begun = spent()
    for _ in range(5):
        subprocess.run(["/bin/true"], check=True)
    total = 0
    for i in range(50000):
        total += i * i & 0xff
    return spent() - begun


def measured():
    ratio = min(work() for _ in range(3)) / ORDINARY
    built = SANITIZED if len(sys.argv) > 1 and os.path.basename(os.path.normpath(sys.argv[1])) == "san" else 1.0
    return built * (1.0 if ratio < ALIKE else round(ratio, 1))


GIVEN = os.environ.get("SEKISHO_SLOWNESS")
SLOWNESS = float(GIVEN) if GIVEN else measured()
# programs that are started from here need not measure it again
os.environ["SEKISHO_SLOWNESS"] = "%g" % SLOWNESS


def pressure():
    """Microseconds in which some task waited for a processor; 0 where the kernel does not tell."""
    try:
        with open("/proc/pressure/cpu", encoding="ascii") as f:
            return int(f.readline().rsplit("total=", 1)[1])
    except (OSError, IndexError, ValueError):
        return 0


class Deadline:
    def __init__(self, seconds):
        self.seconds, self.began, self.pressure = seconds * SLOWNESS, time.monotonic(), pressure()

    def left(self):
        passed = time.monotonic() - self.began
        busy = min(passed, (pressure() - self.pressure) / 1e6)
        return self.seconds - passed + busy * (1 - 1 / BUSY)


def say():
    """Printed at the top of a suite; `make test` shows it when it is not 1."""
    print("%sslowness %g (%s): deadlines are %g times as long as written, what is counted is not" %
          ("NOTE " if SLOWNESS > 1 else "", SLOWNESS, "given" if GIVEN else "measured", SLOWNESS), flush=True)


if __name__ == "__main__":
    say()
    if not GIVEN:
        print("work: %s s" % " ".join("%.4f" % work() for _ in range(5)), file=sys.stderr)

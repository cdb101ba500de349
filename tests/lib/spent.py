# SPDX-License-Identifier: Apache-2.0
"""The processor time of a suite, and which of its cases are left to the long run.

tests/netns/alone puts a suite into a group of processes whose time the kernel counts: with the
daemon, its roles and killed processes. A suite that was started by hand has no such group and only
gets the time by the clock."""
import os
import time

# the kernel's file: "usage_usec N" (groups of version 2) or nanoseconds
COUNTED = os.environ.get("SEKISHO_SPENT")
# cases of this suite that are left to the long run
LEFT = frozenset(os.environ.get("SEKISHO_LEFT", "").split())


def processor():
    """Seconds of processor of this suite so far; None: not counted."""
    try:
        with open(COUNTED, encoding="ascii") as f:
            words = f.read().split()
        return int(words[1]) / 1e6 if words[0] == "usage_usec" else int(words[0]) / 1e9
    except (TypeError, OSError, ValueError, IndexError):
        return None


def told(start, had):
    """The time of a case since `start` (monotonic) and `had` (processor), in the form that
    tests/run reads."""
    now = processor()
    return "%.1f s" % (time.monotonic() - start) + ("" if had is None or now is None else ", %.2f s of processor" % (now - had))


def left(name):
    return name.replace(" ", "_") in LEFT

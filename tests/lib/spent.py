# SPDX-License-Identifier: Apache-2.0
"""What a suite takes of the machine's cores, and which of its cases are left to the long ring.

tests/netns/alone puts a suite into a group of processes of its own, whose time the kernel counts: the daemon, its roles and
whoever was killed meanwhile are in it. Whoever starts a suite by hand has no such group, and is told the time by the clock alone."""
import os
import time

COUNTED = os.environ.get("SEKISHO_SPENT")  # the kernel's file: "usage_usec N" (groups of version 2) or nanoseconds
LEFT = frozenset(os.environ.get("SEKISHO_LEFT", "").split())  # cases of this suite that the long ring runs


def processor():
    """Seconds of processor that this suite had so far; None when nobody counts."""
    try:
        with open(COUNTED, encoding="ascii") as f:
            words = f.read().split()
        return int(words[1]) / 1e6 if words[0] == "usage_usec" else int(words[0]) / 1e9
    except (TypeError, OSError, ValueError, IndexError):
        return None


def told(start, had):
    """What a case took since `start` (monotonic) and `had` (processor), as tests/run reads it."""
    now = processor()
    return "%.1f s" % (time.monotonic() - start) + ("" if had is None or now is None else ", %.2f s of processor" % (now - had))


def left(name):
    return name.replace(" ", "_") in LEFT

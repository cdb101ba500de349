#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps a machine busy while a command runs: `tests/lib/load.py NUMBER COMMAND...`, with the
command's status. No case may fail by it.

NUMBER processes compute in a session of their own, like other people's work. A kernel with
autogroup shares its processors between sessions first, and leaves the command a half; any other
kernel leaves it 1/(NUMBER + 1). The measured load is printed at the end."""
import ctypes
import os
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1


def compute(parent):
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    while os.getppid() == parent:
        for _ in range(100000):
            pass
    os._exit(0)


def session(number):
    """The process that leads the session; its children compute."""
    leader = os.fork()
    if leader:
        return leader
    os.setsid()
    me = os.getpid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for _ in range(number):
        if os.fork() == 0:
            compute(me)
    signal.pause()
    os._exit(0)


def main(words):
    if len(words) < 2 or not words[0].isdigit():
        print(__doc__, file=sys.stderr)
        return 2
    leader, seen, over = session(int(words[0])), [], threading.Event()

    def watch():
        while not over.wait(10):
            seen.append(os.getloadavg()[0])
    threading.Thread(target=watch, daemon=True).start()
    try:
        return subprocess.run(words[1:], check=False).returncode
    finally:
        over.set()
        os.kill(leader, signal.SIGKILL)
        os.waitpid(leader, 0)
        if seen:
            seen.sort()
            print("NOTE load: %s busy processes; load %.0f in the middle, %.0f at most" % (words[0], seen[len(seen) // 2], seen[-1]), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

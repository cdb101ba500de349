# SPDX-License-Identifier: Apache-2.0
"""Runs as root in the machine, as a unit of its own. /srv/stage names the steps: MODULE for all of
its steps, or MODULE.STEP. Prints a line for each check. If the last word is `cut`, the power fails
after the steps, without a warning, and what is not on the disk yet is lost."""
import importlib
import os
import socket
import sys
import termios

from tools import check, counts, denied, run


def steps(words):
    for word in (x for x in words if x != "cut"):
        module, _, name = word.partition(".")
        module = importlib.import_module(module)
        yield from (getattr(module, name),) if name else module.STEPS


def main():
    sys.dont_write_bytecode = True
    with open("/etc/hosts", "w", encoding="ascii") as f:  # sudo looks up the name of this machine
        f.write("127.0.0.1 localhost\n127.0.1.1 %s\n" % socket.gethostname())
    with open("/srv/stage", encoding="ascii") as f:
        stage = f.read().split()
    print(flush=True)  # ends the line that the firmware has begun
    for step in steps(stage):
        try:
            step()
        except Exception as e:  # the next steps are still worth running
            check("%s: %s: %s" % (step.__name__, type(e).__name__, e), False)
    print("".join("    . %s\n" % x for x in denied()[-40:]), end="")
    for unit in ("sekishod", "sekisho-base"):
        print("".join("    . %s\n" % x for x in run("journalctl", "-u", unit, "-o", "cat", "--no-pager", "-b", "0", "-n", "60")[1].splitlines()), end="")
    with open("/proc/uptime", encoding="ascii") as f:
        print("ENDED after %s s of its own time, %d checks" % (f.read().split(".")[0], sum(counts.values())), flush=True)
    if "cut" in stage:
        termios.tcdrain(sys.stdout.fileno())
        with open("/proc/sysrq-trigger", "w", encoding="ascii") as f:
            f.write("b")
    os.sync()


if __name__ == "__main__":
    main()

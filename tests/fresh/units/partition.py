# SPDX-License-Identifier: Apache-2.0
"""Memory and cores of the unit, which the daemon divides between its roles: the group and limit of
each role, and which role is ended first. A worker without memory is ended alone, under live
sessions. Checked again after each way in which the daemon was lost."""
import os
import subprocess

from harm import FEW, Sessions, tell
from tools import check, must, pid, run, show, status, wait_for

UNIT = "/sys/fs/cgroup/sekisho.slice/sekishod.service"
LIMITS = {"dpi": 256 << 20, "tap": 64 << 20, "mgmt": 512 << 20, "accounts": 128 << 20}
SCORES = {"dpi": -500, "tap": 0, "mgmt": 0, "accounts": 0}


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read().strip()


def roles():
    return {(r["role"], r["index"]): r["pid"] for r in status().get("roles", []) if r["role"] != "compile" and r["state"] == "running"}


def running():
    found = status().get("roles", [])
    return len(found) >= 6 and all(r["state"] == "running" for r in found)


def divided():
    wait_for(running, 30)
    said, found = status()["partition"], roles()
    check("memory and cores of the unit are divided", said["stands"] is True and said["cores"] is True and said["why"] is None, said)
    wrong = []
    for (role, index), p in list(found.items()) + [(("supervisor", 0), pid())]:
        inner = "parsers/" + (role + "-%d" % index if role == "dpi" else role) if role in LIMITS else "guard"
        if not read("/proc/%d/cgroup" % p).endswith("/sekisho.slice/sekishod.service/" + inner):
            wrong.append("%s %d is in %s" % (role, index, read("/proc/%d/cgroup" % p)))
        if int(read("/proc/%d/oom_score_adj" % p)) != SCORES.get(role, -900):
            wrong.append("%s %d has the score %s" % (role, index, read("/proc/%d/oom_score_adj" % p)))
        if role in LIMITS and int(read("%s/%s/memory.max" % (UNIT, inner))) != LIMITS[role]:
            wrong.append("%s %d has the limit %s" % (role, index, read("%s/%s/memory.max" % (UNIT, inner))))
        if role in ("gate", "dpi") and os.sched_getscheduler(p) & 0xffff != os.SCHED_RR:
            wrong.append("%s %d has no real-time priority" % (role, index))
    check("each role is in its group, with its limit, its score and its priority", len(found) >= 6 and not wrong, wrong or sorted(found))
    kept = [read("%s/memory.min" % x) for x in (os.path.dirname(UNIT), UNIT, UNIT + "/guard")]
    check("what is kept for guard is kept by the groups above as well", kept == [str(64 << 20)] * 3, kept)
    weights = [read("%s/cpu.weight" % x) for x in (os.path.dirname(UNIT), UNIT + "/guard", UNIT + "/parsers")]
    check("shares of cores: of the slice, of guard, of parsers", weights == ["1000", "900", "100"], weights)
    tried = [run("nsenter", "-t", pid(), "-m", "mkdir", "/sys/fs/cgroup/%s/of-another" % x)[1] for x in ("", "system.slice", "sekisho.slice")]
    check("of the machine's groups the daemon can write its unit's alone", all("Read-only" in x for x in tried), tried)


def starved():
    """The limit of the worker for Modbus is set below what it uses: the kernel ends it at once."""
    held, before, daemon = Sessions("memory", FEW), roles(), pid()
    limit, ended, restarts = UNIT + "/parsers/dpi-0/memory.max", status()["partition"]["parsers"]["ended"], show("sekishod", "NRestarts")
    # Half of what it uses, and only until it is dead. Its successor must not be ended as well; and
    # the write of the limit returns only when nothing is above it.
    half = int(read(os.path.dirname(limit) + "/memory.current")) // 2
    taken = subprocess.run(["sh", "-c", "echo %d >%s; echo %d >%s" % (half, limit, LIMITS["dpi"], limit)], check=False, timeout=60).returncode == 0
    took = wait_for(lambda: status()["partition"]["parsers"]["ended"] > ended, 20)
    back = wait_for(lambda: running() and set(roles()) == set(before) and roles()[("dpi", 0)] != before[("dpi", 0)], 30)
    now = roles()
    others = [x for x in before if now.get(x) != before[x] and x != ("dpi", 0)]
    check("a worker over its limit is ended by the kernel, and another is there", taken and took is not None and back is not None,
          "%s, %s; %s" % (took, back, read(UNIT + "/parsers/memory.events").replace("\n", " ")))
    check("... and nobody else is: not the daemon, not one of its other roles", pid() == daemon and not others and show("sekishod", "NRestarts") == restarts,
          "%s %s" % (others, show("sekishod", "ActiveState", "Result")))
    check("... and systemd knows that, and goes on", "oom" in must("journalctl", "-b", "0", "-o", "cat", "--no-pager", "-u", "sekishod").lower() and
          show("sekishod", "ActiveState") == {"ActiveState": "active"})
    held.rest()
    tell("a worker without memory", held.end(), 1000, 5000)


STEPS = (divided, starved)

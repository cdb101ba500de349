# SPDX-License-Identifier: Apache-2.0
"""Resident memory of Sekisho's processes: at rest, and with 10,000 tracked flows, each with one
request and its answer. RSS counts a shared page for each process that has it; PSS divides it among
them. So the sum of PSS is the memory that the machine lacks. Inspected flows are measured under a
policy without flows that are only named, because other workers handle those.
"""
import os
import subprocess

from paths import SERVER, TOOLS, Path, wait_for

FLOWS = 10000
CLIENTS = ("10.1.0.2", "10.1.0.3", "10.1.0.4")  # a pair of hosts has room for 4,096 sessions
GOAL_MB = 150


def rollup(pid):
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
        found = {line.split(":")[0]: int(line.split()[1]) for line in f if line.split(":")[0] in ("Rss", "Pss")}
    return found["Rss"] / 1024, found["Pss"] / 1024


def roles(path):
    """[(role, RSS, PSS)] in MB, the supervisor first."""
    found = [("supervisor", *rollup(path.daemon_pid()))]
    return found + [(r["role"] + " " + r.get("kind", ""), *rollup(r["pid"])) for r in path.status()["roles"] if r.get("pid")]


def followed(path):
    """Sessions that workers for commands have now, as the daemon last heard."""
    return sum(w["flows"] for w in path.status()["workers"] if w["kind"] == "commands")


def held(path, port, processes=roles):
    before = path.tracked()
    for address in CLIENTS[1:]:
        path.net.address(path.left, "eth0", address + "/24")
    client = subprocess.Popen(["nsenter", "--net=/run/netns/" + path.left, os.path.join(TOOLS, "load"), "hold", SERVER, str(port),
                               str(FLOWS), *CLIENTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if not client.stdout.readline():
            raise RuntimeError("%s: %d flows could not be opened" % (path.mode, FLOWS))
        tracked = wait_for(lambda: path.tracked() - before if path.tracked() - before >= FLOWS else 0, 5, "the tracked flows")
        if path.mode == "inspected":
            wait_for(lambda: followed(path) >= FLOWS, 10, "the followed flows")
        return tracked, processes(path)
    finally:
        client.stdin.close()
        client.wait()


def measure(placement, opened):
    result = {}
    for mode, port, policy, text in (("inspected", 502, "commands.cfg", "every flow inspected"),
                                     ("fast", 444, "site.cfg", "every flow named, then let go of")):
        path = Path(mode, placement, opened, "memory-", policy)
        rest = roles(path)
        tracked, full = held(path, port)
        path.close()
        opened.remove(path)
        result[mode] = {"text": text, "flows": tracked, "rest": rest, "full": full}
    return result


def report(result):
    missed = False
    for found in result.values():
        print("\nresident memory, MB: at rest, and with %d tracked flows, %s" % (found["flows"], found["text"]))
        print("%-16s%10s%10s%12s%10s" % ("", "RSS", "PSS", "RSS", "PSS"))
        for (role, rss, pss), (_, more_rss, more_pss) in zip(found["rest"], found["full"]):
            print("%-16s%10.1f%10.1f%12.1f%10.1f" % (role, rss, pss, more_rss, more_pss))
        sums = [sum(r[k] for r in found[when]) for when in ("rest", "full") for k in (1, 2)]
        found["sum_mb"] = dict(zip(("rest_rss", "rest_pss", "full_rss", "full_pss"), sums))
        over = sums[2] >= GOAL_MB
        missed |= over
        print("%-16s%10.1f%10.1f%12.1f%10.1f   goal < %d (RSS)%s" % ("all", *sums, GOAL_MB, "   MISSED" if over else ""))
    return missed

# SPDX-License-Identifier: Apache-2.0
"""Memory and cores are divided between the processes that enforce and those that read strangers'
bytes. That takes a control group that was delegated to the daemon. Without one, everything runs
undivided."""
import json
import os

from box import conduit
from cases import expect
from groups import SANITIZED, Delegated
from net import wait_for

PLAIN = conduit("plain", "it", "ot", ["plain", "plain_tcp"])
READ = conduit("reads", "ops", "ot", ["read"])
WEB = conduit("web", "it", "ops", ["web"])
PARSERS = {"tap": 64, "mgmt": 512, "dpi": 256}  # MiB, as appliance/role/sandbox_table.c


def anew(box, before=()):
    box.daemon.terminate()
    box.daemon.wait(timeout=30)
    box.start(before=before)
    wait_for(lambda: box.running() and box.in_force(), 10, "the policy in force")


def undivided(box, said_en, said_ja):
    """The box enforces as always. Its status says in both languages that nothing is divided, and
    why, and does not count that as a fault."""
    box.seen()
    found = box.status()["partition"]
    expect(found["stands"] is False and said_en in found["why"]["en"] and said_ja in found["why"]["ja"], "%s", found)
    for lang, words in (("en", ("  memory: not divided", said_en)), ("ja", ("  メモリー: ", "分けていません", said_ja))):
        said = box.sekisho("status", "--all", "--lang", lang, check=False)
        first, text = said.stdout.split("\n", 1)
        expect(said.returncode == 0 and "memory" not in first and "メモリー" not in first, "%d %s", said.returncode, first)
        text = "".join(text.split())  # wrapped at the edge of the screen
        expect(all("".join(w.split()) in text for w in words), "%s", said.stdout)


def no_partition(box):
    """Nobody gave the daemon a group."""
    box.apply(PLAIN, READ, WEB)
    if Delegated.top() is None:
        undivided(box, "no control groups of version 2", "cgroup v2")
    else:
        undivided(box, "has not delegated", "委譲していません")


def members(box):
    """The control group of each role's process. The supervisor has to be in that of the roles that
    enforce."""
    with open("/proc/%d/cgroup" % box.daemon.pid, encoding="ascii") as f:
        expect(f.read().splitlines()[-1].endswith("/guard"), "the supervisor is elsewhere")
    found = {}
    for r in box.status()["roles"]:
        with open("/proc/%d/cgroup" % r["pid"], encoding="ascii") as f:
            name = f.read().splitlines()[-1].rsplit("/sekisho-test-partition-", 1)[1].split("/", 1)[1]
        found.setdefault((r["role"], r["index"] if r["role"] == "dpi" else 0), set()).add(name)
    return found


def partition(box):
    """With a delegated group, every role is in the right part of it, also after a restart, and the
    limits are set."""
    if Delegated.top() is None:
        return "no control groups of version 2 on this machine"
    if SANITIZED:
        return "the limits are too low for a build with a shadow of all memory: not tried"
    box.apply(PLAIN, READ, WEB)
    group = Delegated("partition")
    try:
        anew(box, group.entered())
        if not Delegated.holds_memory():
            undivided(box, "version 1", "cgroup v1")
            expect(box.daemon.pid in group.members("."), "the daemon left its group")
            return "memory is divided by groups of version 1 here"
        said = box.status()["partition"]
        expect(said["stands"] is True and said["why"] is None and said["parsers"]["ended"] == 0, "%s", said)
        expect(0 < said["parsers"]["memory"] < said["parsers"]["most"] and said["guard"]["memory"] > 0 and said["guard"]["kept"] == 64 << 20, "%s", said)
        for pid in box.pids("dpi")[:1] + box.pids("enforce"):  # one of each side starts anew
            os.kill(pid, 9)
            wait_for(lambda pid=pid: box.running() and box.in_force() and pid not in [r["pid"] for r in box.status()["roles"]], 10, "its successor")
        for (role, index), where in members(box).items():
            wanted = "parsers/dpi-%d" % index if role == "dpi" else "parsers/" + role if role in PARSERS else "guard"
            expect(where == {wanted}, "%s %d is in %s", role, index, where)
            if role in PARSERS:
                expect(int(group.read(wanted + "/memory.max")) == PARSERS[role] << 20, "the limit of %s", wanted)
        expect(group.members(".") == set() and group.members("parsers") == set(), "somebody stands between the groups")
        expect(group.read("guard/memory.max") == "max" and group.read("parsers/memory.oom.group") == "0", "limits of guard, ends of all at once")
        if said["cores"]:
            expect((group.read("guard/cpu.weight"), group.read("parsers/cpu.weight")) == ("900", "100"), "weights")
        shown = box.sekisho("status", "--all", "--lang", "en").stdout
        expect("are kept for processes that enforce" in " ".join(shown.split()), "%s", shown)
        return json.dumps(said)
    finally:
        anew(box)
        group.end()


CASES = [no_partition, partition]

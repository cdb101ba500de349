# SPDX-License-Identifier: Apache-2.0
"""The daemon is killed, stopped, and replaced by a newer one under live sessions. No session
ends."""
import contextlib
import difflib
import glob
import json
import os
import signal
import subprocess
import sys
import time

from lab import SESSIONS
from tools import SPACES, beside, check, in_force, journal, moment, pid, ready, rules, run, show, status, wait_for

FEW, MANY = 200, 2000  # sessions, half of them inspected


class Sessions:
    """Live sessions. Other programs hold them, so that nothing here delays them."""

    def __init__(self, name, n):
        self.path = "/run/sessions-" + name
        self.server = subprocess.Popen(["ip", "netns", "exec", "crane", sys.executable, "-B", SESSIONS, "serve", "10.30.1.10"])
        wait_for(lambda: ":01F6" in run("cat", "/proc/net/tcp", ns="crane")[1], 30)
        self.client = subprocess.Popen(["ip", "netns", "exec", "office", sys.executable, "-B", SESSIONS, "hold", "10.30.1.10", str(n), self.path])
        took = wait_for(lambda: os.path.exists(self.path + ".open"), 180)
        check("%d sessions are open, and each has been answered" % n, took is not None, "after %.1f s" % (took or -1))

    def rest(self):
        """Waits until every live session has been answered twice more. A session that gets no
        answer shows at the end."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path + ".again")
        self.client.send_signal(signal.SIGUSR1)
        wait_for(lambda: os.path.exists(self.path + ".again"), 60)

    def end(self):
        self.client.terminate()
        self.client.wait(60)
        self.server.kill()
        self.server.wait()
        with open(self.path, encoding="ascii") as f:
            return json.load(f)


def tell(name, held, limit_plain, limit_modbus):
    plain, modbus = held["plain"], held["modbus"]
    words = "; ".join("%d %s: %d cut%s, %d unanswered, %d answers, longest pause %d ms" % (
        v["sessions"], k, v["cut"], " " + ",".join(v["how"]) if v["how"] else "", v["unanswered"], v["answers"], v["longest_ms"])
                      for k, v in (("uninspected", plain), ("inspected", modbus)))
    check("%s: no session is cut" % name, plain["cut"] == modbus["cut"] == plain["unanswered"] == modbus["unanswered"] == 0 < modbus["answers"], words)
    check("%s: uninspected ones wait at most %d ms, inspected ones %d" % (name, limit_plain, limit_modbus),
          plain["longest_ms"] <= limit_plain and modbus["longest_ms"] <= limit_modbus, words)


def unlike(stood, now):
    return " ".join("".join(difflib.unified_diff(stood.splitlines(True), now.splitlines(True), n=2)).split())[:1500]


def killed():
    held, number, stood = Sessions("kill", FEW), in_force(), rules()
    old, begin = pid(), time.monotonic()
    os.kill(old, signal.SIGKILL)
    back = wait_for(lambda: ready(old, number), 20)
    took = moment("sekishod", "ActiveEnterTimestampMonotonic") - begin
    check("a killed daemon is back within 1 s: another told systemd that it is ready", back is not None and 0 < took < 1.0, "%.2f s" % took)
    now = rules()
    check("... and enforces the same policy by the same rules", in_force() == number and now == stood, unlike(stood, now))
    code, text = run("sekisho", "verify")
    check("... and verify finds nothing", code == 0, text[-500:] if code else "")
    held.rest()
    tell("a killed daemon", held.end(), 1000, 5000)


def flushed():
    """Somebody else flushes the rules while the daemon is dead. systemd keeps the socket that owns
    them (docs/decisions/table-owner.md)."""
    said = status()["features"]["owned_table"]
    mine = ["ip", "netns", "exec", SPACES[0], "nft"]
    if not said["used"]:
        check("a kernel without owners of tables is told in the status", said["why"] == "kernel", said)
        return
    held, number, stood, old = Sessions("flush", FEW), in_force(), rules(), pid()
    run(*mine, "add", "table", "inet", "of_nobody")
    os.kill(old, signal.SIGKILL)
    code, text = run(*mine, "flush", "ruleset")
    now, left = rules(), run(*mine, "list", "tables")[1]
    check("with the daemon dead a foreign flush takes its own tables and not ours", code == 0 and pid() in (0, old) and now == stood and "of_nobody" not in left,
          "%s %s %s" % (text, left, unlike(stood, now)))
    check("... and the next daemon takes the owner's place, of the same rules", wait_for(lambda: ready(old, number), 20) is not None and rules() == stood)
    code, text = run(*mine, "add", "chain", "inet", "sekisho", "anything")
    check("... and the kernel refuses what others do to them", code != 0 and "not permitted" in text, text)
    held.rest()
    tell("a flush with the daemon dead", held.end(), 1000, 5000)


def stopped():
    """A stopped process reacts to no signal but SIGKILL, and reports nothing."""
    number, old, begin, when = in_force(), pid(), time.monotonic(), time.time()
    os.kill(old, signal.SIGSTOP)
    back = wait_for(lambda: ready(old, number), 60)
    said = journal("sekishod", when - 1)
    check("a daemon that stands still is ended by the watchdog, 10 s after its last word", back is not None and "atchdog timeout" in said,
          "another was ready after %.1f s" % (time.monotonic() - begin))


def told():
    """`status` and `effective` without a daemon: from the kernel and what is kept on the disk."""
    run("systemctl", "stop", "sekishod")
    code, text = run("sekisho", "status", "--all")
    check("status without a daemon says what stands", code == 1 and text.startswith("NO DAEMON, RULES IN FORCE"), text.splitlines()[:1])
    code, text = run("sekisho", "effective")
    check("effective without a daemon", code == 0 and "modbus" in text and "9000" in text, text[-300:])
    run("systemctl", "start", "sekishod")
    check("started again, it enforces", in_force() is not None and show("sekishod", "ActiveState")["ActiveState"] == "active")


def upgraded():
    settings = {"/etc/sekisho/site.cfg": "# ours\n", "/etc/sekisho/box.cfg": "# ours\n", "/etc/default/sekishod": "# ours\n"}
    for path, line in settings.items():
        with open(path, "a", encoding="utf-8") as f:
            f.write(line)
    before = {path: open(path, encoding="utf-8").read() for path in settings}
    held, number, stood, version = Sessions("upgrade", MANY), in_force(), rules(), run("dpkg-query", "-W", "-f", "${Version}", "sekishod")[1]
    old, telling, begin = pid(), beside("inform"), time.monotonic()
    code, text = run("dpkg", "--force-confdef", "--force-confold", "-i", *sorted(glob.glob("/srv/newer/*.deb")), timeout=300)
    took = time.monotonic() - begin
    now = run("dpkg-query", "-W", "-f", "${Version}", "sekishod")[1]
    check("dpkg upgrades them", code == 0 and pid() != old and now == version + "+1", "%s to %s, %s" % (version, now, text[-500:] if code else "%.1f s" % took))
    back, now = wait_for(lambda: ready(old, number), 30), rules()
    check("the newer daemon enforces the same policy", back is not None and in_force() == number, "generation %s" % number)
    check("... by the same rules", now == stood, unlike(stood, now))
    code, text = run("sekisho", "verify")
    check("... and verify finds nothing", code == 0, text[-500:] if code else "")
    gone, came = moment("sekishod", "InactiveEnterTimestampMonotonic"), moment("sekishod", "ActiveEnterTimestampMonotonic")
    check("the base rules were not touched by it", 0 < moment("sekisho-base", "ActiveEnterTimestampMonotonic") < gone)
    check("between the old daemon's end and the new one's word: at most 3 s", 0 < came - gone < 3, "%.2f s" % (came - gone))
    check("what tells alarms was replaced as well, after it", 0 < telling != beside("inform") > 0 and moment("sekisho-inform", "ActiveEnterTimestampMonotonic") >= came and
          wait_for(lambda: (status().get("snmp") or {}).get("state") not in (None, "away"), 30) is not None, "%d, %d, %s" % (telling, beside("inform"), status().get("snmp")))
    held.rest()
    tell("an upgrade", held.end(), 1000, 5000)
    check("settings that were changed stay, what the newer package brings lies beside them",
          all(open(path, encoding="utf-8").read() == before[path] for path in settings) and os.path.exists("/etc/sekisho/site.cfg.dpkg-dist"),
          sorted(os.listdir("/etc/sekisho")))


STEPS = (killed, flushed, stopped, told, upgraded)

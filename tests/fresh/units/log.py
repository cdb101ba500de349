# SPDX-License-Identifier: Apache-2.0
"""Records go to a log server as EVE, by nothing but the units of the packages: Debian's rsyslogd
runs in the unit's jail, and beside it the program that turns each line into EVE. First this program
is killed, then the unit."""
import contextlib
import json
import os
import subprocess

from tools import beside, check, denied, exposure, must, run, show, status, wait_for

FOLDER, SERVER, PORT, NAME = "/run/logs", "10.99.0.35", "6514", "log.example.jp"
UNIT = "sekisho-log"


def certificates():
    for command in ("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=logs -keyout ca.key -out /etc/sekisho/log-ca.pem",
                    "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=%s -addext subjectAltName=DNS:%s -keyout server.key -out server.csr" % (NAME, NAME),
                    "x509 -req -in server.csr -CA /etc/sekisho/log-ca.pem -CAkey ca.key -days 30 -copy_extensions copy -out server.pem"):
        must("sh", "-c", "cd %s && openssl %s" % (FOLDER, command))
    os.chmod("/etc/sekisho/log-ca.pem", 0o644)


def came():
    """The records that arrived in complete lines."""
    if not os.path.exists(FOLDER + "/came"):
        return []
    with open(FOLDER + "/came", encoding="utf-8") as f:
        return [json.loads(line) for line in f.read().split("\n")[:-1]]


def own():
    """{number: record of the box as `events --eve` prints it}."""
    found, last = {}, 0
    while page := run("sekisho", "events", "--eve", "--after", last, "--limit", "1000")[1].splitlines():
        for line in page:
            last = json.loads(line)["sekisho"]["seq"]
            found[last] = json.loads(line)
    return found


def all_came():
    """Each record of the box has arrived, equal to the box's own."""
    there = {x["sekisho"]["seq"]: x for x in came() if "sekisho" in x}
    return there == own()


def children():
    """{name: pid} of the unit's processes."""
    group, found = show(UNIT, "ControlGroup").get("ControlGroup"), {}
    for pid in run("cat", "/sys/fs/cgroup%s/cgroup.procs" % group)[1].split() if group else ():
        # it may have ended
        with contextlib.suppress(OSError), open("/proc/%s/comm" % pid, encoding="ascii") as f:
            found[f.read().strip()] = int(pid)
    return found


def said():
    return "%s %s %s" % (run("sekisho", "status", "--json")[1][-300:], children(), run("journalctl", "-b", "0", "-o", "cat", "--no-pager", "-u", UNIT, "-u", "sekisho-follow@log")[1][-1500:])


def named():
    os.makedirs(FOLDER, exist_ok=True)
    certificates()
    must("ip", "-n", "admin", "addr", "add", SERVER + "/24", "dev", "eth0")
    with open(FOLDER + "/server.log", "wb") as log:
        server = subprocess.Popen(["ip", "netns", "exec", "admin", "/usr/bin/python3", "-B", "/srv/units/log_server.py", FOLDER, SERVER, PORT], stdout=log, stderr=log)
    wait_for(lambda: ":%04X" % int(PORT) in run("cat", "/proc/net/tcp", ns="admin")[1], 60)
    check("a log server waits in the admin network", server.poll() is None, open(FOLDER + "/server.log", encoding="utf-8").read()[-300:])
    with open("/root/lab/box.cfg", "a", encoding="utf-8") as f:
        f.write('log_server = { address = "%s"; name = "%s"; ca = "/etc/sekisho/log-ca.pem"; format = "eve"; };\n' % (SERVER, NAME))
    code, text = run("sekisho", "apply", "/root/lab/site.cfg")
    check("it is named, with EVE as its form", code == 0, text[-500:] if code else "")
    took = wait_for(all_came, 90)
    check("by the units alone every record arrives, each the line of `events --eve`", took is not None, said() if took is None else "%d records, %.0f s" % (len(came()), took))
    found = show(UNIT, "ActiveState", "User", "NRestarts")
    check("sekisho-log runs as a user of its own, and has not died", found == {"ActiveState": "active", "User": "sekisho-log", "NRestarts": "0"}, found)
    beside = children()
    check("... with the program of EVE in it, each of its processes without a capability", "eve" in beside and all(
        run("sh", "-c", "grep -h CapEff /proc/%d/status" % pid)[1].split()[-1] == "0" * 16 for pid in beside.values()), beside)
    exposure(UNIT, 2.0)


def killed():
    """First the program of EVE alone, then the whole unit: nothing is lost."""
    before = children()["eve"]
    must("kill", "-KILL", str(before))
    must("sekisho", "journal", "checkpoint")
    took = wait_for(all_came, 90)
    check("the program of EVE killed: what follows arrives as EVE", took is not None, said() if took is None else "%.0f s" % took)
    check("... by another one, in the same run of the unit", children().get("eve") not in (None, before) and show(UNIT, "NRestarts") == {"NRestarts": "0"}, "%s, %s" % (children(), show(UNIT, "NRestarts")))
    must("systemctl", "kill", "-s", "KILL", UNIT)
    must("sekisho", "journal", "checkpoint")
    took = wait_for(all_came, 120)
    check("the unit killed: it begins anew by itself, and nothing is lost", took is not None and show(UNIT, "NRestarts") == {"NRestarts": "1"}, said() if took is None else "%.0f s" % took)
    refused = denied()
    check("... and nothing was refused to the daemon in all of this", not refused, " ".join(refused)[:600])


def updated():
    """The same as after an update of Debian's rsyslog. The daemon's package waits for this with a
    trigger on the path of the program rsyslogd."""
    owner = must("dpkg", "-S", "/usr/sbin/rsyslogd").split(":")[0]
    before = beside("log")
    must("dpkg-trigger", "--by-package=" + owner, "/usr/sbin/rsyslogd")
    must("dpkg", "--triggers-only", "--pending")
    now = beside("log")
    must("sekisho", "journal", "checkpoint")
    took = wait_for(all_came, 120)
    check("Debian's rsyslog is updated: the unit runs the newer one, and nothing is lost", 0 < before != now > 0 and took is not None, "%d, %d; %s" % (before, now, said() if took is None else "%.0f s" % took))


def taken_back():
    """box.cfg names no log server any more: the unit stops, and its settings go."""
    with open("/root/lab/box.cfg", encoding="utf-8") as f:
        text = f.read()
    with open("/root/lab/box.cfg", "w", encoding="utf-8") as f:
        f.write("".join(x for x in text.splitlines(True) if not x.startswith("log_server")))
    must("sekisho", "apply", "/root/lab/site.cfg")
    took = wait_for(lambda: show(UNIT, "ActiveState")["ActiveState"] == "inactive" and not os.path.exists("/run/sekisho/log.conf"), 60)
    check("no log server is named any more: the unit stops", took is not None and not children(), said() if took is None else "%.0f s" % took)


STEPS = (named, killed, updated, taken_back)

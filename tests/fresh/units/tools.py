# SPDX-License-Identifier: Apache-2.0
"""What every stage in the machine with systemd uses: a line for each check, commands, and the
answers of systemd, the daemon and the kernel."""
import json
import os
import re
import select
import subprocess
import time

SPACES = ("sekisho-data", "sekisho-admin")
PROFILE = "sekishod"
counts = {"passed": 0, "failed": 0}


def check(name, good, detail=""):
    counts["passed" if good else "failed"] += 1
    print("%s  %s%s" % ("ok    " if good else "FAILED", name, "  (%s)" % str(detail).replace("\n", " | ") if detail != "" else ""), flush=True)
    return good


def run(*command, ns=None, timeout=120, data=None):
    """(status, all output)"""
    done = subprocess.run((["ip", "netns", "exec", ns] if ns else []) + [str(x) for x in command], stdout=subprocess.PIPE, input=data,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=timeout, env=dict(os.environ, LANG="C.UTF-8", DEBIAN_FRONTEND="noninteractive"))
    return done.returncode, done.stdout


def must(*command, ns=None):
    code, text = run(*command, ns=ns)
    if code:
        raise RuntimeError("%s: %s" % (" ".join(command), text))
    return text


def wait_for(condition, limit):
    """The seconds until the condition was true; None if it was not in time."""
    begin = time.monotonic()
    while time.monotonic() - begin < limit:
        if condition():
            return time.monotonic() - begin
        select.select([], [], [], 0.005)  # between two checks, as in tests/lib
    return None


def show(unit, *names):
    text = run("systemctl", "show", unit, *["-p" + n for n in names])[1]
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def moment(unit, name):
    """Seconds since the start of the machine; 0 = never."""
    return int(show(unit, name).get(name) or 0) / 1e6


def pid():
    return int(show("sekishod", "MainPID").get("MainPID", "0"))


def beside(name):
    """The process that runs beside the daemon with its settings; 0: none."""
    return int(show("sekisho-" + name, "MainPID").get("MainPID") or 0)


def journal(unit, since):
    return run("journalctl", "-u", unit, "-o", "cat", "--no-pager", "--since", "@%.3f" % since)[1]


def status():
    text = run("sekisho", "status", "--json")[1]
    return json.loads(text) if text.startswith("{") else {}


def in_force():
    """The number of the generation that a daemon enforces; None if there is no daemon or no
    generation."""
    said = status()
    return said.get("generation", {}).get("number") if said.get("daemon") is not False and said.get("kernel", {}).get("forwarding") else None


def ready(old, number):
    """Another daemon than `old` runs, has told systemd that it is ready, and enforces."""
    said = show("sekishod", "MainPID", "ActiveState", "StatusText")
    return said["MainPID"] not in ("0", str(old)) and said["ActiveState"] == "active" and "generation %d" % number in said["StatusText"]


def plain(text):
    """A listing of rules without counters, without elements that packets add and time removes, and
    without the owner's name."""
    text = re.sub(r"^(\t\tflags [^\n]*(?:dynamic|timeout)[^\n]*\n(?:(?!\t\}).*\n)*?)\t\telements = \{[^}]*\}\n", r"\1", text, flags=re.M)
    return re.sub(r"packets \d+ bytes \d+|expires \S+| # progname .*", "", text).strip()


def rules():
    return plain(run("nft", "list", "table", "inet", "sekisho", ns=SPACES[0])[1])


def cards():
    """Network cards in the first namespace."""
    return sorted(x for x in os.listdir("/sys/class/net") if x != "lo")


def addresses(card):
    found = json.loads(run("ip", "-json", "addr", "show", "dev", card)[1] or "[]")
    return sorted("%s/%d" % (a["local"], a["prefixlen"]) for x in found for a in x.get("addr_info", []) if a["scope"] == "global")


def exposure(unit, most):
    text = run("systemd-analyze", "security", "--no-pager", unit)[1]
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+) (\w+)", text)
    check("systemd-analyze security %s: at most %.1f" % (unit, most), bool(found) and float(found.group(1)) <= most, found.group(0) if found else text[-300:])


# ---- AppArmor ------------------------------------------------------------------------------------

def mode():
    """How the kernel applies the profile: "enforce", "complain", or "" when it does not know it."""
    with open("/sys/kernel/security/apparmor/profiles", encoding="ascii") as f:
        found = re.search(r"^%s \((\w+)\)$" % PROFILE, f.read(), re.M)
    return found.group(1) if found else ""


def confined():
    """The confinement of each process of the daemon."""
    found = {}
    for p in [pid()] + [int(x) for x in run("pgrep", "-P", pid())[1].split()]:
        try:
            with open("/proc/%d/attr/current" % p, encoding="ascii") as f, open("/proc/%d/comm" % p, encoding="ascii") as name:
                found[name.read().strip()] = f.read().strip("\0\n")
        except OSError:
            pass
    return found


def denied():
    """What AppArmor has refused since the start of the machine."""
    return [x for x in run("journalctl", "-o", "cat", "--no-pager", "-b", "0", "_TRANSPORT=kernel", "+", "_TRANSPORT=audit")[1].splitlines()
            if 'apparmor="DENIED"' in x or 'apparmor="ALLOWED"' in x]

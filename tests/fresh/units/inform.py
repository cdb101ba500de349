# SPDX-License-Identifier: Apache-2.0
"""Alarms by SNMP, by the units of the packages alone: Net-SNMP's snmptrapd in the admin network,
passphrases that systemd reads, a cable that is pulled."""
import os
import subprocess

from tools import check, denied, exposure, must, run, show, status, wait_for

FOLDER, SERVER = "/run/trapd", "10.99.0.30"
SECRETS = "secret-of-the-hash", "secret-of-the-cipher"
RAISED, CLEARED = ("1.3.6.1.4.1.8072.9999.9999.1313.0.%d" % n for n in (1, 2))


def came(kind):
    """Informs of that kind about the crane's cable."""
    with open(FOLDER + "/log", encoding="utf-8", errors="replace") as f:
        return [x for x in f.read().split("\x1e\n") if kind in x and "lan1" in x]


def named():
    os.makedirs(FOLDER, exist_ok=True)
    for path, mode, text in (("/etc/sekisho/snmp-passphrases", 0o600, "%s\n%s\n" % SECRETS), (FOLDER + "/log", 0o600, ""),
                             (FOLDER + "/trapd.conf", 0o600, 'createUser sekisho SHA-256 "%s" AES "%s"\nauthUser log sekisho priv\n' % SECRETS)):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="ascii") as f:
            f.write(text)
    must("ip", "-n", "admin", "addr", "add", SERVER + "/24", "dev", "eth0")
    env = dict(os.environ, SNMP_PERSISTENT_DIR=FOLDER, SNMPCONFPATH=FOLDER, MIBS="", LANG="C.UTF-8")
    with open(FOLDER + "/out", "wb") as log:
        server = subprocess.Popen(["ip", "netns", "exec", "admin", "/usr/sbin/snmptrapd", "-f", "-n", "-C", "-c", FOLDER + "/trapd.conf", "-Lf", FOLDER + "/log", "-On",
                                   "-F", "%v\x1e\n", "udp:%s:162" % SERVER], env=env, stdout=log, stderr=log)
    wait_for(lambda: ":00A2" in run("cat", "/proc/net/udp", ns="admin")[1], 60)
    check("a receiver of informs waits in the admin network", server.poll() is None, open(FOLDER + "/out", encoding="utf-8").read()[-300:])
    with open("/root/lab/box.cfg", "a", encoding="utf-8") as f:
        f.write('snmp_receiver = { address = "%s"; user = "sekisho"; };\n' % SERVER)
    code, text = run("sekisho", "apply", "/root/lab/site.cfg")
    check("it is named", code == 0, text[-500:] if code else "")
    took = wait_for(lambda: show("sekisho-inform", "ActiveState")["ActiveState"] == "active" and (status().get("snmp") or {}).get("state") not in (None, "away"), 60)
    logs = run("journalctl", "-b", "0", "-o", "cat", "--no-pager", "-u", "sekisho-inform", "-u", "sekisho-follow@inform")[1][-1500:] if took is None else ""
    check("by the units alone the box is looked at, and the daemon reads how that fares", took is not None, "%s %s" % (status().get("snmp"), logs))
    found = show("sekisho-inform", "ActiveState", "User", "NRestarts")
    check("sekisho-inform runs as a user of its own", found == {"ActiveState": "active", "User": "sekisho-inform", "NRestarts": "0"}, found)
    check("... without a capability", run("sh", "-c", "grep -h CapEff /proc/$(systemctl show -P MainPID sekisho-inform)/status")[1].split()[-1] == "0" * 16)
    exposure("sekisho-inform", 2.0)


def told():
    must("ip", "-n", "crane", "link", "set", "eth0", "down")
    took = wait_for(lambda: came(RAISED), 120)
    logs = run("journalctl", "-b", "0", "-o", "cat", "--no-pager", "-u", "sekisho-inform")[1][-800:]
    check("a cable is pulled, and an inform says so under the keys", took is not None, "%s %s" % (status().get("snmp"), logs) if took is None else "%.0f s" % took)
    must("ip", "-n", "crane", "link", "set", "eth0", "up")
    took = wait_for(lambda: came(CLEARED), 120)
    check("... and another that it is over", took is not None, "%s" % status().get("snmp") if took is None else "%.0f s" % took)
    words = run("sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'")[1]
    check("... and its passphrases stand in no command and no environment", not any(x in words for x in SECRETS))
    refused = denied()
    check("... and nothing was refused to the daemon in all of this", not refused, " ".join(refused)[:600])


STEPS = (named, told)

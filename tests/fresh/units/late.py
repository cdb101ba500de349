# SPDX-License-Identifier: Apache-2.0
"""A machine whose own start takes long (a disk in fstab is missing, a program waits for the
network): the daemon is ready before ordinary units begin. The programs that run beside the daemon,
by its settings, must run all the same. Prepared at the end of one boot, checked in the next."""
import os

from tools import cards, check, moment, must, run, show, wait_for

UNITS = "/etc/systemd/system/"
EARLY = "[Unit]\nDefaultDependencies=no\nBefore=%s\n[Service]\nType=oneshot\nRemainAfterExit=yes\nTimeoutStartSec=120\nExecStart=%s\n[Install]\nWantedBy=sysinit.target\n"
# The box sends only from its admin network, so stage-card makes a card for it at each start.
# stage-slow makes everything after sysinit.target wait until the daemon is ready.
OWN = {"stage-card.service": EARLY % ("sekisho-base.service", "/usr/sbin/ip link add adm1 type dummy"), "stage-slow.service": EARLY % ("sysinit.target", "/usr/bin/systemctl start sekishod.service")}
ADMIN = '  adm0 = { device = "adm1"; role = "admin"; addresses = ["10.3.0.1/24"]; };\n'
RECEIVER = 'snmp_receiver = { address = "10.3.0.9"; user = "sekisho"; };\n'
BOX = "/root/cards/box.cfg"  # of the policy in force (install.py)


def named(wanted):
    """Applies the policy in force with a receiver of alarms and the card to reach it, or without
    them."""
    with open(BOX, encoding="utf-8") as f:
        text = f.read().replace(ADMIN, "").replace(RECEIVER, "")
    with open(BOX, "w", encoding="utf-8") as f:
        f.write(text.replace("interfaces = {\n", "interfaces = {\n" + ADMIN) + RECEIVER if wanted else text)
    return run("sekisho", "apply", "/root/cards/site.cfg")


def put():
    for name, text in OWN.items():
        with open(UNITS + name, "w", encoding="ascii") as f:
            f.write(text)
    must("systemctl", "enable", *OWN)
    must("systemctl", "start", "stage-card")
    code, text = named(True)
    took = wait_for(lambda: show("sekisho-inform", "ActiveState")["ActiveState"] == "active", 60)
    check("a policy names a receiver of alarms, and what tells them runs", code == 0 and took is not None, "" if code == 0 and took is not None else text[-500:])


def began():
    took = wait_for(lambda: show("sekisho-inform", "ActiveState")["ActiveState"] == "active", 60)
    ready, units = moment("sekishod", "ActiveEnterTimestampMonotonic"), moment("sysinit.target", "ActiveEnterTimestampMonotonic")
    check("the daemon's boot was over before units like any other began", 0 < ready < units and os.path.exists("/run/sekisho/inform.conf"), "%.1f s, %.1f s" % (ready, units))
    found = show("sekisho-inform", "ActiveState", "ConditionResult", "NRestarts")
    check("... and what tells alarms runs all the same", took is not None and found["NRestarts"] == "0", found)
    idle = [x for x in ("time", "log", "ups", "notify") if show("sekisho-" + x, "ActiveState")["ActiveState"] != "inactive"]
    check("... and nothing does that has no settings", not idle, idle)


def taken_back():
    must("systemctl", "disable", *OWN)
    for name in OWN:
        os.unlink(UNITS + name)
    code, text = named(False)
    if "adm1" not in cards():
        must("sekisho", "release", "adm1")
    must("ip", "link", "del", "adm1")
    took = wait_for(lambda: show("sekisho-inform", "ActiveState")["ActiveState"] == "inactive", 60)
    check("nobody is named any more: it stops", code == 0 and took is not None and not cards(), "%s %s" % (cards(), text[-300:]))


STEPS = (began, taken_back)

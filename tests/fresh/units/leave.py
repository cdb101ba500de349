# SPDX-License-Identifier: Apache-2.0
"""The daemon is stopped and the packages are removed: what stays, what goes, and what the machine
gets back."""
import glob
import json
import os
import time

import guide
from lab import OWN
from tools import SPACES, addresses, beside, cards, check, in_force, journal, mode, rules, run, show, wait_for
from traces import KEPT, listing, users


def stop():
    begin, stood = time.time(), rules()
    run("systemctl", "stop", "sekishod")
    said = journal("sekishod", begin - 1)
    wanted = ["interface %s (%s) stays in network namespace %s" % x for x in (("lan0", "enp2s0", SPACES[0]), ("lan1", "enp3s0", SPACES[0]))]
    check("at its end the daemon names each interface, and leaves the rules", all(x in said for x in wanted) and rules() == stood, said[-600:])
    run("systemctl", "stop", "sekisho-base")
    check("stopping the base takes nothing away", rules() == stood)
    code, text = run("sekisho", "release", "enp3s0")
    check("sekisho release gives a card back without a daemon, under the profile as well", code == 0 and addresses("enp3s0") == [OWN["enp3s0"]], text[-300:])
    run("systemctl", "start", "sekisho-base", "sekishod")
    check("both are started again", show("sekishod", "ActiveState")["ActiveState"] == "active")


def remove():
    stood = rules()
    line = guide.block("removal", "sh")[0].splitlines()[0]
    code, text = run("bash", "-c", line)
    check("docs/install.md: %s" % line, code == 0 and " remove " in line, text[-300:] if code else "")
    check("remove leaves the rules in force, the cards in the box and the settings", "drop" in stood and rules() == stood and
          os.path.exists("/etc/sekisho/site.cfg") and "enp2s0" not in cards(), sorted(os.listdir("/etc/sekisho")))
    check("... and no process", run("pgrep", "sekisho")[0] == 1)


def again():
    """The settings of what runs beside the daemon are still there, so nobody has to write them
    again."""
    code, text = run("dpkg", "--force-confdef", "--force-confold", "-i", *sorted(glob.glob("/srv/newer/*.deb")), timeout=300)
    took = wait_for(lambda: beside("inform") > 0, 60)
    check("installed again, the daemon enforces, and what tells alarms runs", code == 0 and in_force() is not None and took is not None, text[-500:] if code else show("sekisho-inform", "ActiveState", "ConditionResult"))
    os.unlink("/etc/sekisho/snmp-passphrases")  # inform.py made this file; no package owns it
    remove()


def purge():
    line = guide.block("removal", "sh")[0].splitlines()[1]
    code, text = run("bash", "-c", line)
    check("docs/install.md: %s" % line, code == 0 and " purge " in line, text[-300:] if code else "")
    with open(KEPT, encoding="utf-8") as f:
        before = json.load(f)
    now = {x: addresses(x) for x in cards()}
    check("purge gives the cards back with the addresses that they had, as `sekisho release --all`",
          code == 0 and all(now.get(card) == [own] for card, own in OWN.items()), "%s %s" % (now, text[-300:] if "not as" in text or code else ""))
    left = {x for x in listing() ^ set(before["files"]) if not x.startswith(("/etc/netns", "/etc/systemd/system/sekishod.service.d"))}
    check("purge leaves no file", not left, " ".join(sorted(left))[:600])
    check("purge leaves no user", sorted(users()) == before["users"], sorted(users() ^ set(before["users"])))
    check("purge leaves no namespace", not any(x in run("ip", "netns", "list")[1] for x in SPACES))
    run("systemctl", "daemon-reload")
    run("systemctl", "reset-failed")
    check("purge leaves no unit", "sekisho" not in run("systemctl", "list-unit-files", "--no-legend")[1], run("systemctl", "list-unit-files", "--no-legend", "sekisho*")[1])
    check("purge leaves no profile in the kernel", mode() == "", mode())


STEPS = (stop, remove, again, purge)

# SPDX-License-Identifier: Apache-2.0
"""The battery of the box's UPS runs empty, and the machine turns itself off. Debian's upsd serves a
simulated UPS in the admin network; between it and the machine are only the units of the
packages."""
import json
import os
import signal
import subprocess
import time

from tools import check, denied, exposure, run, show, status, wait_for

FOLDER, SERVER = "/run/hall", "10.99.0.9"
SECRET = "secret-of-the-hall"
ended = []


def put(name, text, mode=0o644):
    with open(name + ".new", "w", encoding="utf-8") as f:
        os.fchmod(f.fileno(), mode)
        f.write(text)
    os.rename(name + ".new", name)


def says(word, charge):
    put(FOLDER + "/hall.dev", "ups.status: %s\nbattery.charge: %d\nbattery.runtime: %d\n" % (word, charge, charge * 12))


def told(**wanted):
    found = status().get("ups") or {}
    return all(found.get(k) == v for k, v in wanted.items())


def hall():
    """Starts the server and its UPS in the namespace of the lab's administration."""
    os.makedirs(FOLDER, exist_ok=True)
    put(FOLDER + "/ups.conf", "maxstartdelay = 60\n[hall]\n driver = dummy-ups\n port = %s/hall.dev\n mode = dummy-once\n pollinterval = 1\n" % FOLDER)
    put(FOLDER + "/upsd.conf", "LISTEN %s 3493\nSTATEPATH %s\n" % (SERVER, FOLDER))
    put(FOLDER + "/upsd.users", "[sekisho]\n password = %s\n upsmon secondary\n" % SECRET)
    says("OL", 100)
    env = dict(os.environ, NUT_CONFPATH=FOLDER, NUT_STATEPATH=FOLDER, NUT_ALTPIDPATH=FOLDER)
    for program in (["/lib/nut/dummy-ups", "-a", "hall", "-D", "-u", "root"], ["/lib/nut/upsd", "-F", "-u", "root"]):
        with open("%s/%s.log" % (FOLDER, os.path.basename(program[0])), "wb") as log:
            subprocess.Popen(["ip", "netns", "exec", "admin"] + program, env=env, stdout=log, stderr=log)
        wait_for(lambda: os.path.exists(FOLDER + "/dummy-ups-hall"), 60)


def watched():
    hall()
    put("/etc/sekisho/ups-password", SECRET + "\n", 0o600)
    with open("/root/lab/box.cfg", "a", encoding="utf-8") as f:
        f.write('ups = { address = "%s"; name = "hall"; user = "sekisho"; };\n' % SERVER)
    code, text = run("sekisho", "apply", "/root/lab/site.cfg")
    check("a UPS server is named", code == 0, text[-500:] if code else "")
    took = wait_for(lambda: told(state="mains", charge=100, counted=True), 60)
    logs = "".join(run("sh", "-c", "cat %s/*.log; journalctl -b 0 -o cat --no-pager -u sekisho-ups -u sekisho-follow@ups" % FOLDER)[1][-1500:] if took is None else "")
    check("by the units alone its UPS is watched, and the server counts the box", took is not None, "%s %s" % (status().get("ups"), logs))
    said = show("sekisho-ups", "ActiveState", "User", "NRestarts")
    check("sekisho-ups runs as a user of its own", said == {"ActiveState": "active", "User": "sekisho-ups", "NRestarts": "0"}, said)
    check("... without a capability", run("sh", "-c", "grep -h CapEff /proc/$(systemctl show -P MainPID sekisho-ups)/status")[1].split()[-1] == "0" * 16)
    exposure("sekisho-ups", 2.0)
    exposure("sekisho-power-off", 2.0)


def ends():
    """This program is stopped together with the machine, and waits for that."""
    signal.signal(signal.SIGTERM, lambda *_: ended.append(time.monotonic()))
    says("OB DISCHRG", 60)
    check("on battery it stays on", wait_for(lambda: told(state="battery", charge=60), 60) is not None and
          not os.path.exists("/run/sekisho/power-off"), status().get("ups"))
    says("OB DISCHRG LB", 9)
    begin = time.monotonic()
    wait_for(lambda: ended, 120)
    seconds = ended[0] - begin if ended else 0
    events = run("sekisho", "events", "--json", "--limit", "50")[1]
    check("when the battery is low the machine is turned off by the unit, after 15 seconds and not before", bool(ended) and 12 < seconds < 60 and
          run("systemctl", "is-system-running")[1].strip() == "stopping", "%.0f s; %s" % (seconds, run("systemctl", "status", "--no-pager", "sekisho-power-off.path", "sekisho-power-off")[1]))
    check("... which is recorded", '"ups_power_off"' in events, events[-600:])
    refused = denied()
    check("... and nothing was refused to the daemon in all of this", not refused, json.dumps(refused)[:600])


STEPS = (watched, ends)

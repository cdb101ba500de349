# SPDX-License-Identifier: Apache-2.0
"""What another program with all capabilities can do to the rules of the image's box: while the
daemon lives, while its enforce is stopped, and while the daemon is dead or was told to end. Frames
that nothing allows are sent all the time, and counted where they would arrive."""
import json
import subprocess

from cases import expect
from machine import PATIENCE
from net import wait_for
from surroundings import BOX

# (a command, whether the kernel refuses it)
DEEDS = (("flush ruleset", False), ("delete table inet sekisho", True))
DROP_IN = "/run/systemd/system/sekishod.service.d"


def in_data(m, command):
    return m.root("ip netns exec sekisho-data " + command)


def beyond(site, n):
    """Waits until `n` more frames were sent and the box has received them: it answers an echo that
    was sent after them."""
    last = site.sent + n
    wait_for(lambda: site.sent >= last, 60 * PATIENCE, "%d frames" % n)
    wait_for(lambda: subprocess.run(["ip", "netns", "exec", site.office, "ping", "-c", "1", "-W", "5", BOX["office"]], check=False, stdout=subprocess.DEVNULL).returncode == 0,
             60 * PATIENCE, "an echo of the box")


def meddle(m, site, when):
    before = site.sent
    for words, refused in DEEDS:
        status, said = in_data(m, "/mnt/nft " + words)
        expect((status != 0) == refused, "%s, %s: %d %s", when, words, status, said)
        beyond(site, 100)
        _, tables = in_data(m, "/mnt/nft list tables")
        expect("table inet sekisho" in tables.splitlines(), "%s, %s: the table is gone: %s; %d of %d frames arrived", when, words, tables, len(site.forbidden()), site.sent - before)
        site.silent()
    return "%s %d" % (when, site.sent - before)


def with_settings(m, text):
    status, said = m.root("mkdir -p %s && printf '[Service]\\n%s\\n' >%s/dead.conf && systemctl daemon-reload" % (DROP_IN, text, DROP_IN))
    expect(status == 0, "%s", said)


def unit(m, wanted):
    wait_for(lambda: wanted in m.root("systemctl show -p ActiveState,SubState sekishod")[1], 120 * PATIENCE, wanted)


def enforces(m, site):
    wait_for(lambda: "ENFORCING" in m.ask("status --all"), 120 * PATIENCE, "the policy of before")
    wait_for(lambda: "EQUAL" in m.ask("verify"), 60 * PATIENCE, "no difference")
    site.table()


def flushed(m, site):
    """The table of the rules stays, whatever the daemon does, and nothing that is forbidden
    arrives."""
    status, said = m.root("mount -t squashfs /dev/disk/by-id/virtio-tools /mnt && /mnt/nft --version")
    expect(status == 0, "%s", said)
    used = json.loads(m.root("sekisho status --json")[1])
    expect(used["features"]["owned_table"] == {"used": True, "why": None}, "%s", used["features"])
    done = [meddle(m, site, "alive")]
    enforce = next(r["pid"] for r in used["roles"] if r["role"] == "enforce")
    m.root("kill -STOP %d" % enforce)
    done.append(meddle(m, site, "enforce stopped"))
    m.root("kill -KILL %d" % enforce)
    enforces(m, site)
    # systemd does not restart it for an hour.
    with_settings(m, "RestartSec=1h")
    m.root("systemctl kill -s KILL sekishod")
    unit(m, "SubState=auto-restart")
    done.append(meddle(m, site, "killed"))
    m.root("systemctl start sekishod", 120)
    enforces(m, site)
    with_settings(m, "Restart=no")
    m.root("systemctl kill -s KILL sekishod")
    unit(m, "ActiveState=failed")
    done.append(meddle(m, site, "failed"))
    m.root("systemctl start sekishod", 120)
    enforces(m, site)
    m.root("systemctl stop sekishod", 120)
    unit(m, "ActiveState=inactive")
    done.append(meddle(m, site, "told to end"))
    m.root("rm -r %s; systemctl daemon-reload; systemctl start sekishod" % DROP_IN, 120)
    enforces(m, site)
    return "frames sent, of which none arrived: " + ", ".join(done)

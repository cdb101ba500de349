# SPDX-License-Identifier: Apache-2.0
"""An update from the image's previous version to the one that is made from these sources. After a
power cut in the first start of the newer version, the older one runs."""
import re
import subprocess

from cases import expect
from machine import PATIENCE
from net import wait_for
from surroundings import events_say, log_in
from updating import write


def environment(m):
    """GRUB's variables about the slots, from the disk of a machine that is off."""
    said = subprocess.run(["sfdisk", "--dump", m.disk], check=True, stdout=subprocess.PIPE, text=True).stdout
    start = int(re.search(r'start= *(\d+),.*name="sekisho-start"', said).group(1))
    block = subprocess.run(["mcopy", "-n", "-i", "%s@@%d" % (m.disk, start * 512), "::EFI/debian/grubenv", "-"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(x.split("=", 1) for x in block.splitlines() if "=" in x)


def restarted(m, site, name, version, letter):
    write(m, name, version)
    m.wait("runs from the next start on", 900)
    m.wait("sekisho> ", 60)
    m.say("reboot")
    m.wait("Sekisho: slot " + letter, 300)


def cut_before_it_counts(m, site, version):
    """The newer version was written and started, and enforces. The power fails before each block of
    its slot was read. Then the older version runs, says so in both languages, and enforces what was
    confirmed."""
    restarted(m, site, "1.raucb", version, "B")
    wait_for(site.reads, 600 * PATIENCE, "an allowed read by the newer version")
    m.cut()
    left = environment(m)
    expect(left["B_TRY"] == "1" and left["B_OK"] == "1", "the power went too late, it counts already: %s", left)
    site.silent()
    before = len(m.text)
    m.start()
    m.wait("Sekisho: slot A", 300)
    log_in(m)
    events_say(m, "A VERSION DID NOT START")
    said = m.text[before:]
    expect("in slot B did not" in said and "スロット B のバージョン" in said, "the console does not say it in both languages: %s", said[-2000:])
    expect("slot A" in m.ask("machine") and "ENFORCING" in m.ask("status --all"), "not the version before")
    site.table()

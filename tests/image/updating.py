# SPDX-License-Identifier: Apache-2.0
"""Updates of the image's machine: the bundles on its stick, and what is typed until one of them is
written."""
import os
import re
import shutil
import subprocess

from cases import expect
from net import wait_for

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BROKEN = "vmlinuz", "initrd.img"  # the file that is damaged in the second and in the third bundle


def bundles(folder, keys, work, stick, more=BROKEN):
    """Writes to the stick: a newer version, and for each of `more` a signed and complete bundle
    whose version does not come up, because that file in it is invalid."""
    slot = work + "/slot"
    subprocess.run(["cp", "-r", "--sparse=always", folder + "/slot", slot], check=True)
    with open(slot + "/version", encoding="ascii") as f:
        version = f.read().strip()
    names = []
    whole = work + "/boot.img"
    shutil.copy(slot + "/boot.img", whole)
    with open(work + "/none", "wb") as f:
        f.write(bytes(4096))
    for n, broken in enumerate((None,) + more, 1):
        with open(slot + "/version", "w", encoding="ascii") as f:
            f.write("%s+%d\n" % (version, n))
        shutil.copy(whole, slot + "/boot.img")
        if broken:
            subprocess.run(["mcopy", "-o", "-i", slot + "/boot.img", work + "/none", "::" + broken], check=True)
        made = subprocess.run([os.path.join(TOP, "images", "image", "bundle"), slot, work, keys + "/update.key", keys + "/update.pem"], check=True,
                              stdout=subprocess.PIPE, text=True).stdout.split()[-1]
        subprocess.run(["mcopy", "-i", stick, made, "::%d.raucb" % n], check=True)
        names.append("%s+%d" % (version, n))
    return names


def declare(m, stick, work, text, files):
    """Adds to box.cfg, in the way of a box without a shell: the settings are saved to the stick,
    and loaded from it together with the files that they need."""
    m.ask("save")
    before = subprocess.run(["mcopy", "-n", "-i", stick, "::box.cfg", "-"], check=True, stdout=subprocess.PIPE, text=True).stdout
    key = subprocess.run(["mcopy", "-n", "-i", stick, "::checkpoint.pem", "-"], check=True, stdout=subprocess.PIPE, text=True).stdout
    expect(key.startswith("-----BEGIN PUBLIC KEY-----\n"), "the stick has no key for the records: %s", key)
    with open(work + "/box.cfg", "w", encoding="utf-8") as f:
        f.write(before + "\n" + text)
    subprocess.run(["mcopy", "-o", "-i", stick, work + "/box.cfg", *files, "::"], check=True)
    said = m.ask("load")
    expect(all("taken: " + os.path.basename(x) in said for x in ("box.cfg", *files)), "the stick was not read: %s", said)
    m.ask("apply", 120)
    m.ask("confirm")


def declare_server(m, stick, work, address, folder):
    shutil.copy(folder + "/ca.pem", work + "/update-ca.pem")
    declare(m, stick, work, 'update_server = { address = "%s"; name = "updates.example"; ca = "/etc/sekisho/update-ca.pem"; };\n' % address, [work + "/update-ca.pem"])
    said = " ".join(m.ask("effective").split())
    expect("update server %s tcp/443" % address in said, "%s", said)


def offered(m, name, version):
    """False while the running slot is still being verified; until then the box takes no update."""
    m.say("update " + name)
    if m.wait("Offered: %s|still being verified" % re.escape(version), 900).group().startswith("Offered"):
        return True
    m.wait("sekisho> ", 60)
    return False


def write(m, name, version):
    """Types everything up to the beginning of the write."""
    wait_for(lambda: offered(m, name, version), 900, "the running slot called good")
    m.wait("> $", 60)
    m.say("yes")
    m.wait("Writing", 60)

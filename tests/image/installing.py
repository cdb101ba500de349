# SPDX-License-Identifier: Apache-2.0
"""The installer in a machine, with a stick that has the image and an empty disk.
tests/image/install tests it without a machine, and everything that may go wrong."""
import re
import subprocess

from cases import expect

MIB = 1 << 20


def differs(a, b):
    """The numbers of the MiB in which two files differ."""
    with open(a, "rb") as f, open(b, "rb") as g:
        return [n for n, (x, y) in enumerate(iter(lambda: (f.read(MIB), g.read(MIB)), (b"", b""))) if x != y]


def installed(m, site, image, work):
    """The installer asks, is refused once, writes the disk and reads it back. On the stick nothing
    changes but GRUB's own counter of starts."""
    m.usb, m.from_usb = work + "/usb", True
    subprocess.run(["cp", "--sparse=always", image, m.usb], check=True)
    m.start()
    m.wait("Sekisho: slot A", 600)
    m.wait("Language: 1 = Japanese", 900)
    m.say("2")
    m.wait("This machine was started from a stick", 120)
    shown = m.wait(r"> $", 120).group(0) and m.text[:m.seen].split("Nothing passes meanwhile.")[-1]
    found = re.findall(r"(\d|-)  (\w+) +([0-9.]+ [GM]B) ", shown)
    expect([(n, size) for n, _, size in found if n != "-"] == [("1", "3.2 GB")] and "K-0815" in shown and "no known data" in shown, "%s", shown)
    # the second disk of the list is the stick with the policy
    expect(len(found) == 2 and "is too small" in shown and "QEMU USB" not in shown, "%s", shown)
    disk = next(name for n, name, _ in found if n == "1")
    m.say("1")
    m.wait("To go on, type its name: %s.*> $" % disk, 120)
    m.say("yes")
    m.wait("Nothing changed.*> $", 120)
    m.say("1")
    m.wait("To go on, type its name: %s.*> $" % disk, 120)
    m.say(disk)
    m.wait("Installed: version [^ ]+ on %s, verified" % disk, 1800)
    m.say("")
    m.wait("The stick is still there", 120)
    site.silent()
    m.cut()
    changed = differs(image, m.usb)
    expect(len(changed) <= 3 and all(n <= 64 for n in changed), "the stick was written to: %s", changed)
    m.usb, m.from_usb = None, False
    return "on %s, %d packets sent, 0 arrived" % (disk, site.sent)


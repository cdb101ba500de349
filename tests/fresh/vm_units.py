# SPDX-License-Identifier: Apache-2.0
"""The Debian packages on a machine of their own: Debian's stock kernel and systemd under qemu
(vm.py says how). One disk is used over several boots (STAGES). The packages are installed on a
machine that is a router, and its power is cut while the first policy is on trial. Then a policy is
in force from the boot on, with frames at both cards from power-on (wire.py); and once more on a
machine whose own start takes long. Alarms go out by mail and SNMP, records go to a log server, and
the battery of the UPS runs empty. docs/install.md is followed; the daemon is killed, stopped and
upgraded under live sessions; and the packages are removed. The machine's own checks are in units/.

If stages are named, only these run, on the disk that the stage before left."""
import glob
import hashlib
import os
import re
import shutil
import subprocess

import package
import vm
import wire

WORK = os.path.join(vm.TOP, "build", "fresh", "vm-units")
WANTED = "systemd-sysv udev ifupdown apparmor iproute2 nftables python3 python3-aiosmtpd procps kmod sudo curl openssl nut-server snmptrapd rsyslog rsyslog-gnutls linux-image-amd64".split()
STAGE = """[Unit]
After=sekishod.service basic.target
[Service]
Type=simple
ExecStartPre=/bin/mount /dev/vdb /srv
ExecStart=/usr/bin/python3 -B /srv/units/main.py
ExecStopPost=/bin/systemctl --no-block poweroff
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
TimeoutStopSec=20s
[Install]
WantedBy=multi-user.target
"""
# Only the test writes to the console, and no service of the machine itself starts during a
# measurement.
QUIET = ("serial-getty@ttyS0.service getty@tty1.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer "
         "fstrim.timer systemd-timesyncd.service nut-server.service nut-monitor.service nut-driver.target nut-driver-enumerator.service "
         "nut-driver-enumerator.path snmptrapd.service snmptrapd.socket rsyslog.service syslog.socket").split()

# Each stage is a boot of one disk: its steps in their order (units/main.py), and the kinds of
# frames that have to pass from one card to the other meanwhile; not a single other frame may. None:
# no frames are sent, because they would disturb measurements. A stage in LAST ends with the machine
# turning itself off, so no stage begins with its disk.
LAST = ("battery",)
STAGES = {
    "install": ("install cut", list(wire.KINDS)),
    "untried": ("install.untried install.take", list(wire.KINDS)),
    "boot": ("live late.put", [wire.ALLOWED]),
    "late": ("late", [wire.ALLOWED]),
    "battery": ("live.released lab.cable lab.enduring mail inform log battery", None),
    "live": ("live.released lab guide lab.enduring inform.named partition harm inform.told partition.divided confined leave", None),
}


def libraries():
    """The Debian packages on which ours depend. Of the three programs that may make users,
    systemd's is in the machine."""
    found = set()
    for name in ("sekisho", "sekishod"):
        found |= {x.split()[0] for x in package.of_package(name, "Depends").split(", ") if "|" not in x}
    return sorted(found - {"sekisho"})


def make_root():
    wanted = WANTED + libraries()
    key = hashlib.sha256(repr((wanted, vm.KERNEL, STAGE, QUIET, vm.BEFORE)).encode()).hexdigest()
    if os.path.exists(WORK + "/made-of") and open(WORK + "/made-of", encoding="ascii").read() == key:
        return
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    root = WORK + "/root"
    vm.debian(root, wanted)
    units = root + "/etc/systemd/system/"
    with open(units + "stage.service", "w", encoding="ascii") as f:
        f.write(STAGE)
    os.makedirs(units + "multi-user.target.wants", exist_ok=True)
    os.symlink("/etc/systemd/system/stage.service", units + "multi-user.target.wants/stage.service")
    for unit in QUIET:
        if os.path.lexists(units + unit):
            os.unlink(units + unit)
        os.symlink("/dev/null", units + unit)
    with open(root + "/etc/fstab", "w", encoding="ascii") as f:
        f.write("/dev/vda / ext4 defaults 0 0\n")
    for name in ("vmlinuz", "initrd.img"):
        shutil.copy(glob.glob(root + "/boot/" + name + "-*")[0], os.path.join(WORK, name))
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, WORK + "/root.disk", "3G"], check=True)
    shutil.rmtree(root)
    with open(WORK + "/made-of", "w", encoding="ascii") as f:
        f.write(key)


def newer(folder):
    """The same packages with a later version, as for an upgrade."""
    os.makedirs(folder + "/newer")
    for path in glob.glob(folder + "/deb/*.deb"):
        tree = folder + "/tree"
        subprocess.run(["dpkg-deb", "-R", path, tree], check=True)
        if os.path.exists(tree + "/etc/sekisho/site.cfg"):  # a setting that both sides change
            with open(tree + "/etc/sekisho/site.cfg", "a", encoding="utf-8") as f:
                f.write("# of the newer package\n")
        with open(tree + "/DEBIAN/control", encoding="utf-8") as f:
            text = f.read()
        version = re.search(r"^Version: (.*)$", text, re.M).group(1)
        with open(tree + "/DEBIAN/control", "w", encoding="utf-8") as f:
            f.write(text.replace("Version: " + version, "Version: %s+1" % version).replace("(= %s)" % version, "(= %s+1)" % version))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, folder + "/newer/" + os.path.basename(path)], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(tree)


def second_disk(steps):
    folder, disk = WORK + "/srv", WORK + "/srv.disk"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder + "/deb")
    for name in package.NAMES:
        shutil.copy(glob.glob("%s/%s_*.deb" % (package.DEB, name))[0], folder + "/deb")
    if "harm" in steps:
        newer(folder)
    shutil.copytree(os.path.join(vm.TOP, "tests", "fresh", "units"), folder + "/units", ignore=shutil.ignore_patterns("__pycache__"))
    with open(folder + "/stage", "w", encoding="ascii") as f:
        f.write(steps)
    if os.path.exists(disk):
        os.remove(disk)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", folder, disk, "64M"], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder)
    return disk


def guides(check):
    """The machine runs the English commands of docs/install. The Japanese document must have the
    same ones, in the same order."""
    found = []
    for name in ("install.md", "install.ja.md"):
        with open(os.path.join(vm.TOP, "docs", name), encoding="utf-8") as f:
            found.append(re.findall(r"^```(?:sh|cfg)?\n(sekisho|sudo|make|systemctl|assets)(.*?)```", f.read(), re.S | re.M))
    check("docs/install: the same commands in both languages", found[0] == found[1] and len(found[0]) > 8, "%d blocks" % len(found[0]))


def disk_before(stage):
    """The machine's disk as the stage before left it."""
    names = list(STAGES)
    before = next((x for x in reversed(names[:names.index(stage)]) if x not in LAST), None)
    source = "%s/after-%s.disk" % (WORK, before) if before else WORK + "/root.disk"
    subprocess.run(["cp", "--sparse=always", source, WORK + "/box.disk"], check=True)


def stages(check, only=()):
    guides(check)
    make_root()
    for stage, (steps, passing) in STAGES.items():
        if only and stage not in only:
            continue
        disk_before(stage)
        if not run_stage(check, stage, steps, passing) and stage not in LAST:
            return
        os.replace(WORK + "/box.disk", "%s/after-%s.disk" % (WORK, stage))


def run_stage(check, stage, steps, passing):
    wires = wire.Wires(WORK) if passing is not None else None
    cards = wires.arguments if wires else [x for n, mac in enumerate(wire.MAC) for x in (
        "-netdev", "user,restrict=on,ipv6=off,id=n%d" % n, "-device", "virtio-net-pci,netdev=n%d,mac=%s,romfile=" % (n, mac))]
    # ttyS1 and ttyS2 are the two ends of one line.
    lines = ["-serial", "mon:stdio"] + [x for n, kind in enumerate(("on,wait=off", "off")) for x in (
        "-chardev", "socket,id=line%d,path=%s/line,server=%s" % (n, WORK, kind), "-serial", "chardev:line%d" % n)]
    text, seconds = vm.boot(["-kernel", WORK + "/vmlinuz", "-initrd", WORK + "/initrd.img", *cards, *lines,
                             "-drive", "file=%s/box.disk,format=raw,if=virtio,cache=unsafe" % WORK,
                             "-drive", "file=%s,format=raw,if=virtio,cache=unsafe" % second_disk(steps),
                             "-append", "root=/dev/vda rw console=ttyS0 quiet panic=-1 mitigations=off systemd.show_status=0"],
                            45, WORK + "/%s.log" % stage, heard=lambda line: wires.told_off() if wires and line.startswith("ENDED") else None)
    found = re.findall(r"^(ok|FAILED)\s{2,6}(.*?)\s*$", text, re.M)
    for verdict, name in found:
        check(name, verdict == "ok")
    if wires:
        wires.close()
        wrong = [name for name, came, sent in zip(wire.KINDS, wires.came, wires.sent) if (came > 0) != (name in passing) or sent < 60]
        check("from power-on to power-off these frames pass, and no others: %s" % (", ".join(passing) if len(passing) < len(wire.KINDS) else "all kinds, as through a router"),
              not wrong, wires.told())
    own = re.search(r"^ENDED (after .*), (\d+) checks", text, re.M)
    check("stage %s came to its end" % stage, bool(own) and len(found) == int(own.group(2)) > 0, "%s, here %.0f s" % (own.group(1) if own else "", seconds))
    if not own or any(v == "FAILED" for v, _ in found):
        print("".join("    | " + x + "\n" for x in text.splitlines()[-80:]), flush=True)
    return bool(own)

# SPDX-License-Identifier: Apache-2.0
"""Debian's stock kernel: a root with that kernel in a disk image, booted by qemu without KVM. There the kernel has the native
`queue` expression. The demo's table, or suites of tests/netns. Everything runs under emulation, about ten times slower: deadlines
know it, and what is judged by the clock alone is not run here."""
import glob
import os
import re
import shutil
import subprocess
import sys
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
WORK = os.path.join(TOP, "build", "fresh", "vm")
LIBRARIES = ("libnftnl11 libmnl0 libnetfilter-queue1 libndpi4.2 libconfig9 libmicrohttpd12 libgnutls30 libjansson4 libseccomp2 "
             "libcap-ng0 libnettle8 libpcap0.8 libmodbus5 kmod").split()
SLOWNESS = 10

INIT = """#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/shm /dev/pts; mount -t tmpfs tmpfs /dev/shm; mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=755 tmpfs /run; mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -o remount,rw /
ip link set lo up
cd /srv/sekisho
uname -r
modprobe -aq nfnetlink_queue nft_queue nf_conntrack nfnetlink_log nft_log
export SEKISHO_DEMO_SLOWNESS=%d
%s
sync
echo o > /proc/sysrq-trigger
while :; do :; done
"""
DEMO = """timeout 1500 /usr/bin/python3 tests/demo/demo.py up --untimed %s
echo "DEMO STATUS $?"
build/release/sekisho status --json --socket /run/sekisho-demo/box/control.sock | sed 's/.*"backend":"\\([a-z]*\\)".*/BACKEND \\1/'
tail -n 30 /run/sekisho-demo/sekishod.log
"""
# What CI runs there: rules, verdicts, tampering, what a killed worker means, and a row of the change matrix of each kind. Left out
# are cases that judge milliseconds, and floods, which measure the emulator.
CHOSEN = {
    "kernel": [],
    "box": ["allowed_and_forbidden", "nothing_listens", "worker_killed", "closed_stays_closed", "midstream", "narrowing",
            "confirm_and_revert", "drift"],
    "change": ["SameTextAgain", "WidenedForOthers", "NarrowedByAddress", "NarrowedByCommand", "WorkerKilled", "Flushed"],
}


def packages(purpose):
    with open(os.path.join(TOP, "images", "packages.txt"), encoding="ascii") as f:
        return [p for line in f if line.split()[:1] == [purpose] for p in line.split()[1:] if not p.endswith("-dev")]


def image(script):
    # What the machine runs is built here: its root is Debian 12 like this one, and an emulated compiler takes an hour.
    subprocess.run([os.path.join(TOP, "images", "deps"), "unpacked"], check=True)
    subprocess.run(["make", "-s", "-C", TOP, "-j2", "all", "peers", "netns-programs"], check=True, stdout=subprocess.DEVNULL)
    root = os.path.join(WORK, "root")
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    wanted = ",".join(LIBRARIES + packages("demo") + ["linux-image-amd64"])
    subprocess.run(["mmdebstrap", "--variant=minbase", "--include=" + wanted, "bookworm", root], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    home = os.path.join(root, "srv", "sekisho")
    os.makedirs(home + "/build/release")
    for part in glob.glob(os.path.join(TOP, "build", "release", "sekisho*")) + [os.path.join(TOP, "build", "release", d)
                                                                                for d in ("peers", "netns")]:
        subprocess.run(["cp", "-r", part, home + "/build/release/"], check=True)
    subprocess.run(["cp", "-r", os.path.join(TOP, "build", "peers"), home + "/build/"], check=True)
    subprocess.run(["cp", "-r", os.path.join(TOP, "tests"), home + "/"], check=True)
    init = os.path.join(root, "sbin", "demo-init")
    with open(init, "w", encoding="ascii") as f:
        f.write(INIT % (SLOWNESS, script))
    os.chmod(init, 0o755)
    for name in ("vmlinuz", "initrd.img"):
        shutil.copy(glob.glob(os.path.join(root, "boot", name + "-*"))[0], os.path.join(WORK, name))
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, os.path.join(WORK, "disk"), "3G"], check=True)
    shutil.rmtree(root)


def run(script, minutes):
    """What the machine printed, and how long it took from its start."""
    start = time.monotonic()
    image(script)
    print("disk image in %.0f s" % (time.monotonic() - start), flush=True)
    log = os.path.join(WORK, "console.log")
    start = time.monotonic()
    with open(log, "wb") as out:
        try:
            subprocess.run(["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "3072",
                            "-nographic", "-no-reboot", "-net", "none", "-kernel", WORK + "/vmlinuz", "-initrd",
                            WORK + "/initrd.img", "-drive", "file=%s/disk,format=raw,if=virtio,cache=unsafe" % WORK, "-append",
                            "root=/dev/vda rw console=ttyS0 quiet panic=-1 init=/sbin/demo-init"],
                           stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, timeout=minutes * 60)
        except subprocess.TimeoutExpired:
            print("the machine was stopped after %d minutes" % minutes)
    os.remove(os.path.join(WORK, "disk"))
    with open(log, encoding="utf-8", errors="replace") as f:
        return f.read(), time.monotonic() - start


def show(text, lines):
    print("".join("    | " + line + "\n" for line in text.splitlines()[-lines:]), flush=True)


def demo(check):
    text, seconds = run(DEMO % ("" if "--whole" in sys.argv else "--quick"), 30)
    show(text, 90)
    status = re.search(r"DEMO STATUS (\d+)", text)
    check("the demo's table on Debian's stock kernel", bool(status) and status.group(1) == "0", "%.0f s" % seconds)
    check("the native queue expression is used there", "BACKEND native" in text)


def suites(check, words):
    """Suites of tests/netns by name, all of their cases, or those CHOSEN when none is named. Every case counts."""
    wanted = {w: [] for w in words} or CHOSEN
    lines = ["echo SUITE %s; timeout 1500 tests/netns/%s/run build/release %s" % (s, s, " ".join(c)) for s, c in wanted.items()]
    text, seconds = run("\n".join(lines), 60)
    show("\n".join(x for x in text.splitlines() if re.match(r"(ok|FAILED|FAIL|SUITE|NOTE|SKIP|\d+ passed| )", x)), 400)
    print("Linux %s, %.0f s" % (next((x for x in text.splitlines() if re.match(r"\d+\.\d+\.\d+", x)), "?"), seconds))
    for part in re.split(r"^SUITE ", text, flags=re.M)[1:]:
        counts = re.findall(r"^(\d+) passed, (\d+) failed", part, re.M)
        name = part.split()[0]
        check("tests/netns/%s on Debian's stock kernel" % name, bool(counts) and counts[-1][1] == "0" and int(counts[-1][0]) > 0,
              "%s of %d cases" % (counts[-1][0], sum(map(int, counts[-1]))) if counts else "no count")
